"""The step against its plain-Python twin, and what the compiler made of it."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numba import types
from twin import Twin

from amo_opt.amos import aave, curve, triggers
from amo_opt.protocol import accounts, collateral_ratio, holders, primary_market
from amo_opt.protocol.lanes import LINES, STATE, STATE_INDEX
from amo_opt.protocol.market import LANES, MARKET_INPUTS
from amo_opt.simulation import record
from amo_opt.simulation.engine import draw
from amo_opt.simulation.kernel import run_block
from amo_opt.simulation.pack import constants, parameter_vector, start_state

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet

TWIN_NAMES = {
    "x": "pool_x",
    "y": "pool_y",
    "cr": "collateral_ratio",
    "lending": "income_lending",
    "fees": "income_swap_fees",
    "rewards": "income_rewards",
    "primary_fees": "income_primary_fees",
    "operations": "income_market_operations",
    "mark": "income_mark_to_market",
    "discount": "income_debt_discount",
    "issued": "capital_shares_issued",
    "burned": "capital_shares_burned",
}
"""Where the twin is shorter than the kernel."""
PER_SUPPLY = ("queue", "unserved", "sell_demand", "buy_demand", "unserved_hours", "unserved_peak", "lent", "idle", "lending_free")
"""Dollars that may be small differences of large ones: compared on the scale of supply, as NAV is."""


def hourly(study: Study, scenario: str, path: int) -> tuple[np.ndarray, list[dict[str, float]]]:
    """One path's market, as the kernel and as the twin read it."""
    chosen = next(one for one in study.scenarios if one.name == scenario)
    market = draw(chosen, study, first=path, lanes=1, stream="search")
    rows = market.reshape(len(market), len(MARKET_INPUTS), LANES)[:, :, 0]
    return market, [dict(zip(MARKET_INPUTS, map(float, row), strict=True)) for row in rows]


def kernel_series(study: Study, parameters: ParameterSet, market: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Every state variable of lane 0 after each hour, and the three NAVs."""
    state = start_state(study, market[0])
    navs, trace = np.zeros((3, LANES)), np.empty((len(market), len(STATE) * LANES))
    offsets = np.arange(len(STATE), dtype=np.int64) * LANES
    hours = study.simulation.transition_hours
    run_block(state, market, parameter_vector(parameters), constants(study), hours, navs, np.zeros_like(state), offsets, trace)
    return {name: trace[:, index * LANES] for name, index in STATE_INDEX.items()}, navs[:, 0]


def hastened(study: Study, transition: int = 24, window: int = 168) -> Study:
    """Two days of calm, then the stress, within a week; A ramps in two days."""
    scenarios = tuple(
        replace(
            one, settings={**one.settings, "onset_day_low": 1.0, "onset_day_high": 1.0} if "onset_day_low" in one.settings else one.settings
        )
        for one in study.scenarios
    )
    return replace(study, scenarios=scenarios, simulation=replace(study.simulation, transition_hours=transition, window_hours=window))


def compare(study: Study, parameters: ParameterSet, scenario: str, path: int) -> tuple[Twin, dict[str, np.ndarray]]:
    market, hours = hourly(study, scenario, path)
    twin = Twin(study, parameters).run(hours)
    series, navs = kernel_series(study, parameters, market)
    supply = study.state.stablecoin.supply.value
    compared = set()
    for name in twin.history[0]:
        variable = TWIN_NAMES.get(name, name)
        if variable not in series:
            continue
        ours = np.array([hour[name] for hour in twin.history], dtype=float)
        per_supply = variable in LINES or variable in PER_SUPPLY
        scale = 0.01 * supply if per_supply else max(float(np.abs(ours).max()), 1e-3)
        worst = int(np.argmax(np.abs(series[variable] - ours)))
        assert series[variable][worst] == pytest.approx(ours[worst], rel=0, abs=1e-9 * scale), (variable, worst, scenario)
        compared.add(variable)
    assert set(STATE) - compared <= {"fault", "fault_step"}
    assert navs[1] == pytest.approx(twin.nav_start, abs=1e-9 * supply)
    assert navs[2] == pytest.approx(twin.nav_end, abs=1e-9 * supply)
    return twin, series


def test_the_kernel_is_its_twin(frax: Study, random_sets: Callable[..., list[ParameterSet]]) -> None:
    """The current set and random ones in every scenario: every state variable agrees in every hour to 1e-9."""
    study = hastened(frax)
    for number, parameters in enumerate([study.current, *random_sets(study, 3, 11)]):
        for scenario in study.scenarios:
            compare(study, parameters, scenario.name, number)


VARIANTS: dict[str, tuple[dict[str, float], dict[str, Any], dict[str, float]]] = {
    "no lag, dollar reference": ({"markets.oracle_lag_hours": 0.0}, {"peg_reference": "dollar"}, {"cr_band": 0.001}),
    "oracle valuation, slow controller": (
        {},
        {"collateral_valuation": "oracle", "cr_floor": 0.86},
        {"cr_refresh_hours": 5, "cr_band": 0.0005},
    ),
    "admin fees come home": ({"pool.protocol_admin_share": 1.0, "pool.fee": 0.004}, {"response_delay_hours": 0}, {"rebalance_rate": 0.2}),
    "all liquidity its own": ({"amos.curve.lp_share": 1.0, "amos.curve.reward_boost": 2.5}, {}, {"pool_share_high": 0.52}),
    "no position": (
        {"amos.curve.lp_share": 0.0, "amos.curve.minted": 0.0, "amos.curve.borrowed": 0.0, "collateral.idle": 2.3e9},
        {},
        {"curve_collateral_cap": 0.0, "curve_mint_cap": 0.0},
    ),
    "min_cr binds": (
        {"amos.aave.lent": 0.32e9},
        {},
        {"min_cr": 0.892, "pool_share_low": 0.62, "pool_share_high": 0.64, "rebalance_rate": 0.01},
    ),
    "panic, thin buffer": (
        {"markets.hazard_news": 3.0, "markets.hazard_collateral": 20.0, "collateral.idle": 2e7},
        {},
        {"amplification": 150, "pool_share_high": 0.75, "unwind_price": 0.999, "reentry_price": 0.9995, "unwind_rate": 0.5},
    ),
    "a pool of dust": ({"pool.stablecoin": 6e3, "pool.base_lp": 5e3, "markets.oracle_lag_hours": 0.0}, {}, {"curve_collateral_cap": 0.0}),
    "share token collapsed": (
        {"share_token.price": 0.01, "collateral.idle": 1e9, "stablecoin.collateral_ratio": 0.3},
        {},
        {"amplification": 300},
    ),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_kernel_is_its_twin_at_the_edges(frax: Study, refigured: Callable[..., Study], variant: str) -> None:
    """The same for what the default study seldom meets: every branch of the model is one the twin took too."""
    figures, simulation, values = VARIANTS[variant]
    study = refigured(hastened(frax, transition=24, window=120), figures)
    study = replace(study, simulation=replace(study.simulation, **simulation))
    parameters = study.current.replace(**values)
    for path, scenario in enumerate(("ust-contagion-2022", "lending-freeze-svb")):
        compare(study, parameters, scenario, path)


def test_the_twins_runs_reach_every_line_and_operation(frax: Study, refigured: Callable[..., Study]) -> None:
    """The comparison is not of idle code: its runs redeem, mint, burn, unwind, refuse a deployment, leave sellers unserved."""
    reached: dict[str, bool] = dict.fromkeys((*TWIN_NAMES, "queue", "unwinding", "cancelled", "fatigue"), False)
    minted: set[float] = set()
    for variant in ("min_cr binds", "panic, thin buffer", "admin fees come home"):
        figures, simulation, values = VARIANTS[variant]
        study = refigured(hastened(frax, window=120), figures)
        study = replace(study, simulation=replace(study.simulation, **simulation))
        for scenario in ("ust-contagion-2022", "svb-2023"):
            twin = Twin(study, study.current.replace(**values)).run(hourly(study, scenario, 0)[1])
            for name in reached:
                reached[name] |= any(abs(hour.get(name, 0.0)) > 0.0 for hour in twin.history)
            moves = np.diff([hour["curve_minted"] for hour in twin.history])
            minted |= set(np.sign(moves[np.abs(moves) > 1.0]))
    # minting through the issuer's door needs a price above 1.0033, which these stresses do not bring: tests/protocol has it
    assert [name for name, value in reached.items() if not value] in ([], ["burned"])
    assert minted == {-1.0, 1.0}


V = types.Array(types.float64, 1, "C")
HOUR, PRICE = types.int64, types.float64
STAGES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "open_hour": (accounts.open_hour, (V, V, V, V, HOUR)),
    "net_asset_value": (accounts.net_asset_value, (V, V)),
    "aave.market_operations": (aave.market_operations, (V, V, V)),
    "curve.market_operations": (curve.market_operations, (V, V, V)),
    "lp_flight": (holders.lp_flight, (V, V, V)),
    "demand": (holders.demand, (V, V, V)),
    "trade": (primary_market.trade, (V, V, V, V)),
    "cr_controller": (collateral_ratio.cr_controller, (V, V, V)),
    "triggers": (triggers.triggers, (V, V)),
    "curve.operate": (curve.operate, (V, V, V, V, PRICE)),
    "aave.operate": (aave.operate, (V, V, V, V)),
    "record": (record.record, (V, V, V, HOUR)),
}
DIVIDES_NOTHING = {"cr_controller"}
"""Stages without a division in the model: their packed arithmetic is looked for instead."""


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="the listing is read for x86-64's packed divides; run it there")
@pytest.mark.parametrize("name", STAGES)
def test_every_stage_is_vector_code(name: str) -> None:
    """The compiled loop over lanes divides in packed registers (…pd), two, four or eight lanes at a time: one branch in a stage and it would not."""
    function, signature = STAGES[name]
    function.compile(signature)
    listing = "\n".join(function.inspect_asm().values())
    wanted = r"\bv?(?:add|sub|max|min|cmp\w*)pd\b" if name in DIVIDES_NOTHING else r"\bv?divpd\b"
    assert re.search(wanted, listing)
