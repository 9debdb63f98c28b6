"""Size is no behaviour: every amount of a study times a power of two, and no other bit of a result moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from amo_opt import load_study
from amo_opt.amos.layout import MARKET_INDEX, STATE, STATE_INDEX
from amo_opt.config.schema import figures_by_name
from amo_opt.protocol.lanes import LANES
from amo_opt.scoring.score import point_score, score
from amo_opt.simulation.engine import draw, simulate
from amo_opt.simulation.kernel import run_block
from amo_opt.simulation.pack import constants, parameter_vector, start_state
from amo_opt.stress.catalogue import load_scenario, scenario_names
from amo_opt.stress.draws import NO_LIMIT
from amo_opt.stress.series import SERIES
from amo_opt.stress.settings import SETTINGS
from tests.without import SPELLS

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.scoring.types import Estimate

MINIMAL = Path(__file__).parents[2] / "studies" / "minimal.toml"
AMOUNTS = {"tokens", "tokens/h", "USD", "USD/h", "gas"}
"""Units of what grows with a protocol. Gas is what an operation costs: at a given price of gas and of ETH, so many dollars."""
OTHERS = {"", "h", "day", "1/h", "1/day", "1/year", "USD/token", "USD/ETH", "gwei", "s"}
PRICES = {"price", "level", "multiple"}
"""Kinds of waypoints in USD that are a price, or count relative to their first."""
GROWTHS = [4096.0, 1.0 / 4096.0]
Refigured = Callable[..., Any]


def grown(study: Study, times: float, refigured: Refigured) -> Study:
    """The study with every amount of its state, its scenarios and its limits multiplied, told by its unit."""
    figures = {
        name: times * attrgetter(name)(study.state).value for name, entry in figures_by_name().items() if entry.metadata["unit"] in AMOUNTS
    }
    scenarios = tuple(
        replace(one, settings={name: value * (times if SETTINGS[name].unit in AMOUNTS else 1.0) for name, value in one.settings.items()})
        for one in study.scenarios
    )
    limits = replace(study.constraints, max_unserved_usd_hours=times * study.constraints.max_unserved_usd_hours)
    return replace(refigured(study, figures), scenarios=scenarios, constraints=limits)


def hourly(study: Study, parameters: ParameterSet, scenario: Any) -> dict[str, np.ndarray]:
    """Every market input and every variable of the state, hour by hour in every lane, and the three NAVs."""
    market = draw(scenario, study, first=0, lanes=LANES, stream="search")
    state, navs = start_state(study, market[0]), np.zeros((3, LANES))
    trace = np.empty((len(market), len(STATE) * LANES))
    offsets = np.arange(len(STATE), dtype=np.int64) * LANES
    hours = study.simulation.transition_hours
    run_block(state, market, parameter_vector(parameters), constants(study), hours, navs, np.zeros_like(state), offsets, trace)
    inputs = market.reshape(len(market), -1, LANES).copy()
    for name in ("aave.free_cap", "investor.free_cap"):
        free = inputs[:, MARKET_INDEX[name]]
        free[free == NO_LIMIT] = 0.0  # no limit is no amount
    return (
        {f"market: {name}": inputs[:, index] for name, index in MARKET_INDEX.items()}
        | {name: trace[:, index * LANES : (index + 1) * LANES] for name, index in STATE_INDEX.items()}
        | {"nav": navs}
    )


def other_bits(before: dict[str, np.ndarray], after: dict[str, np.ndarray], times: float) -> list[str]:
    """What is neither the same nor exactly so many times as much."""
    return [name for name in before if not (np.array_equal(after[name], before[name]) or np.array_equal(after[name], times * before[name]))]


def test_every_unit_is_an_amount_or_none() -> None:
    """Figures, settings and waypoints: a new unit has to be put on one side, and a new amount is scaled by the tests below."""
    units = {entry.metadata["unit"] for entry in figures_by_name().values()} | {setting.unit for setting in SETTINGS.values()}
    assert units == AMOUNTS | OTHERS
    assert {series.unit for series in SERIES.values() if series.kind not in PRICES} <= OTHERS


@pytest.mark.parametrize("times", GROWTHS)
def test_no_bit_of_a_path_hangs_on_size(
    busy: Study, refigured: Refigured, hastened: Callable[..., Study], wide_sets: Callable[..., Any], times: float
) -> None:
    """Every scenario of the catalogue, every AMO in use, another set each: all state, hour by hour, in 64 lanes."""
    study = replace(busy, scenarios=tuple(load_scenario(name, weight=1.0) for name in scenario_names()))
    study = hastened(study, 24, 96)
    other = grown(study, times, refigured)
    sets = wide_sets(study, len(study.scenarios), 3)
    for parameters, ours, theirs in zip(sets, study.scenarios, other.scenarios, strict=True):
        before, after = hourly(study, parameters, ours), hourly(other, parameters, theirs)
        assert other_bits(before, after, times) == [], ours.name
        for name in ("supply", "idle", "aave.lent", "investor.lent", "fraxlend.lent", "uniswap.x", "share_supply", "market: gas_usd"):
            assert np.array_equal(after[name], times * before[name])
        for name in ("price", "oracle", "collateral_ratio", "cr_external", "share_price", "own", "unwinding", "aave.rate"):
            assert np.array_equal(after[name], before[name])


NEXT_TO_NOTHING: dict[str, tuple[dict[str, float], dict[str, float]]] = {
    "a pool of dust": ({"pool.stablecoin": 6e3, "pool.base_lp": 5e3, "markets.oracle_lag_hours": 0.0}, {"curve_collateral_cap": 0.0}),
    "a pool above dust": ({"pool.stablecoin": 6e3, "pool.base_lp": 6e3}, {"curve_collateral_cap": 0.5, "curve_mint_cap": 0.5}),
    "a range of dust": ({"amos.uniswap.liquidity": 1e-3, "amos.uniswap.outside": 0.0}, {"uniswap_cap": 0.0}),
    "a range above dust": ({"amos.uniswap.liquidity": 2.0, "amos.uniswap.outside": 0.0}, {"uniswap_cap": 0.0}),
    "no idle collateral to speak of": ({"collateral.idle": 0.9}, {"idle_buffer": 0.0, "redeem_price_threshold": 1.0}),
    "deposits of dust": ({"amos.aave.lent": 900.0, "amos.investor.lent": 2e3, "amos.fraxlend.lent": 900.0}, {"unwind_price": 1.0}),
    "an asset and savers": (
        {
            "amos.reserve.amount": 2e8,
            "amos.reserve.delay_hours": 48.0,
            "amos.reserve.annual_yield": 0.05,
            "amos.reserve.counts": 0.9,
            "amos.savings.deposited": 1e8,
            "amos.savings.rate": 0.05,
            "amos.savings.benchmark": 0.05,
            "amos.savings.beyond_income": 0.3,
            "markets.savings_elasticity": 10.0,
            "markets.savings_bought": 0.5,
            "markets.savings_run": 0.3,
        },
        {"reserve_cap": 0.2, "savings_income_share": 0.5, "idle_buffer": 0.1},
    ),
    "an asset of dust": (
        {"amos.reserve.amount": 900.0, "amos.reserve.delay_hours": 48.0, "amos.savings.deposited": 1e-3, "amos.savings.rate": 0.05},
        {"reserve_cap": 0.0, "idle_buffer": 1.0, "savings_income_share": 1.0, "savings_rate": 0.5},
    ),
    "a share token worth nothing": ({"share_token.price": 0.0}, {}),
    "a share token of cents": ({"share_token.price": 1e-8, "share_token.supply": 1e6}, {}),
    "all liquidity its own": ({"amos.curve.lp_share": 1.0}, {}),
    "nothing to trade on": ({"amos.curve.lp_share": 0.0, "amos.curve.in_convex": 0.0, "rewards.outside_boost": 0.1}, {}),
    "hardly anybody outside": ({"pool.stablecoin": 2.5e9, "pool.base_lp": 2e9, "amos.curve.lp_share": 1.0}, {"fraxlend_cap": 0.0}),
}
"""Where the small amounts of the model decide: figures, and values of the set."""


@pytest.mark.parametrize("name", NEXT_TO_NOTHING)
def test_no_bit_hangs_on_size_next_to_nothing(frax: Study, refigured: Refigured, hastened: Callable[..., Study], name: str) -> None:
    """Dust, remainders and guards against division grow with the protocol too."""
    figures, values = NEXT_TO_NOTHING[name]
    study = refigured(hastened(frax, 24, 96), figures)
    parameters = study.current.replace(name=name, **values)
    for times in GROWTHS:
        other = grown(study, times, refigured)
        for place in (2, 3):
            before = hourly(study, parameters, study.scenarios[place])
            assert other_bits(before, hourly(other, parameters, other.scenarios[place]), times) == []


@pytest.mark.parametrize("times", GROWTHS)
def test_no_bit_hangs_on_size_where_a_door_runs_dry(refigured: Refigured, times: float) -> None:
    """A coin with less behind it than there is of it, in a run: the last collateral at the open door is as many tokens as the protocol is large."""
    study = refigured(load_study(MINIMAL), {"stablecoin.supply": 60e6})
    other = grown(study, times, refigured)
    before = hourly(study, study.current, study.scenarios[1])
    assert before["idle"].min() == 0.0
    assert other_bits(before, hourly(other, study.current, other.scenarios[1]), times) == []


@pytest.mark.parametrize("limit", [1e9, 0.0])
def test_no_bit_of_a_score_hangs_on_size(
    busy: Study, refigured: Refigured, hastened: Callable[..., Study], wide_sets: Callable[..., Any], limit: float
) -> None:
    """Outcome, point score and whole score: amounts times 4,096, ratios, prices, yields, losses and chances the same, feasibility too."""
    study = hastened(busy, 24, 96)
    study = replace(
        study,
        constraints=replace(study.constraints, max_unserved_usd_hours=limit, min_floor_supply=1.0),
        certification=replace(study.certification, bootstrap=50),
    )
    other = grown(study, 4096.0, refigured)
    parameters = wide_sets(study, 1, 5)[0]
    before, after = (simulate(parameters, each, paths=40) for each in (study, other))
    for name, values in before.columns.items():
        amount = name.endswith(("_usd", "_usd_hours", "_tokens", "supply_start", "supply_end")) or name.startswith("reward_tokens")
        assert np.array_equal(after.columns[name], values * (4096.0 if amount else 1.0)), name
    assert point_score(after, other) == point_score(before, study)
    ours, theirs = score(before, study), score(after, other)
    for name, found in ours.metrics.items():
        times = 4096.0 if name.endswith(("_usd", "_usd_hours")) or name == "reward_tokens_locked" else 1.0
        assert ends(theirs.metrics[name]) == [times * end for end in ends(found)], name
    assert [each.violation for each in theirs.constraints] == [each.violation for each in ours.constraints]
    assert {name: ends(each) for name, each in theirs.yield_terms.items()} == {name: ends(each) for name, each in ours.yield_terms.items()}


def ends(found: Estimate) -> list[float]:
    return [found.value, found.low, found.high]


def test_a_three_thousandth_is_as_safe_as_the_whole(frax: Study, refigured: Refigured, hastened: Callable[..., Study]) -> None:
    """At a size that is no power of two rounding alone differs: the same peg losses, to nine digits."""
    study = hastened(frax, 24, 240)
    other = grown(study, 1.0 / 3000.0, refigured)
    before, after = (simulate(study.current, each, paths=16).columns for each in (study, other))
    assert after["peg_loss_bps"] == pytest.approx(before["peg_loss_bps"], rel=1e-9)
    assert 3000.0 * after["income_rewards_usd"] == pytest.approx(before["income_rewards_usd"], rel=1e-9)


def test_a_limit_left_out_goes_with_the_state(frax: Study, tmp_path: Path) -> None:
    """A study that names no limit on unserved demand has 1e9 dollar-hours at FRAX's supply, half of it at half the supply."""
    folder = frax.path.parent
    text = frax.path.read_text(encoding="utf-8").replace("max_unserved_usd_hours = 1e9", "")
    for name in ("states/frax-2022-05-11.toml", "behaviour/frax-2022.toml", *SPELLS, "parameters/frax-current.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((folder / name).read_text(encoding="utf-8"), encoding="utf-8")
    study = tmp_path / "study.toml"
    for size, limit in ((1.0, 1e9), (2.0, 2e9)):
        grew = f'[state]\nset = {{ "stablecoin.supply" = {size * 2_600_092_892} }}\n'
        study.write_text(text.replace("[state]\n", grew), encoding="utf-8")
        assert load_study(study).constraints.max_unserved_usd_hours == limit
