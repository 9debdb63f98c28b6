"""The step against its plain-Python twin, and what the compiler made of it."""

from __future__ import annotations

import inspect
import math
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from twin import LINES as TWIN_LINES
from twin import OPERATIONS, Twin

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.layout import CONSTANT_INDEX, LINES, MARKET_INDEX, MARKET_INPUTS, NO_POOL, PLACES, STATE, STATE_INDEX, Places
from amo_opt.protocol.lanes import COMMON_LINES, LANES
from amo_opt.simulation import kernel, program
from amo_opt.simulation.engine import draw
from amo_opt.simulation.kernel import run_block
from amo_opt.simulation.pack import constants, parameter_vector, start_state
from amo_opt.stableswap.jit import VECTOR, stage
from amo_opt.stress.catalogue import load_scenario, scenario_names

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.simulation.compiled import Stages

PER_SUPPLY = {
    *LINES,
    *(
        "queue",
        "buy_queue",
        "sell_demand",
        "buy_demand",
        "unserved",
        "unserved_hours",
        "unserved_peak",
        "borrower_flow",
        "fraxlend.drawn",
        "claims",
    ),
    *("idle", "aave.lent", "aave.free", "investor.lent", "investor.free", "fraxlend.lent", "fraxlend.free", "uniswap.x", "uniswap.y"),
    *("net_issued", "liquidation_cost", "income_seen", "curve.minted", "fraxlend.minted", "uniswap.minted"),
    *("curve.borrowed", "aave.borrowed", "investor.borrowed", "uniswap.borrowed"),
}
"""Dollars and tokens that may be small differences of large ones: compared on the scale of supply, as NAV is."""
NOT_COMPARED = {"fault", "fault_step", "pool_price", "pool_last", "pool_tilt", "elapsed"}
"""What the kernel alone keeps: the twin's runs must not be at fault."""
OF_SEVERAL = {
    "pooled",
    "pooled_outside",
    "keeper_roots",
    "aggregate",
    "aggregate_depth",
    "highest",
    "sold_low",
    "second_highest",
    "alpha",
    "beta",
    "pool_before",
    "aggregate_before",
}
"""Common lines that only further pools and keepers move."""
PLAYED = {"aave", "investor", "fraxlend", "curve", "uniswap"}
"""The AMOs that the twin plays. Lines of others must not move in its runs."""
OF_ASSETS = {"coming", "beside"}
"""Sums over assets beside the collateral coin."""
NOT_PLAYED = (
    {
        line
        for each in MECHANISMS
        if each.name not in PLAYED
        for line in STATE[PLACES[each.name].state // LANES :][: len(each.stages.own.state)]
    }
    | OF_SEVERAL
    | OF_ASSETS
)
Edits = Mapping[str, tuple[int, int, float]]
"""Rows of a market put in by hand: input → (first hour, hour after the last, value)."""


# -- one run of both --------------------------------------------------------------------------------------------------------------


def hourly(study: Study, scenario: str, path: int, edits: Edits) -> tuple[np.ndarray, list[dict[str, float]]]:
    """One path's market, as the kernel and as the twin read it."""
    chosen = next((one for one in study.scenarios if one.name == scenario), None) or brought_forward(load_scenario(scenario, weight=1.0))
    market = draw(chosen, study, first=path, lanes=1, stream="search").copy()
    rows = market.reshape(len(market), len(MARKET_INPUTS), LANES)
    for name, (start, end, value) in edits.items():
        rows[start:end, MARKET_INDEX[name]] = value
    return market, [dict(zip(MARKET_INPUTS, map(float, row), strict=True)) for row in rows[:, :, 0]]


def kernel_series(study: Study, parameters: ParameterSet, market: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Every state variable of lane 0 after each hour, and the three NAVs."""
    state = start_state(study, market[0])
    navs, trace = np.zeros((3, LANES)), np.empty((len(market), len(STATE) * LANES))
    offsets = np.arange(len(STATE), dtype=np.int64) * LANES
    hours = study.simulation.transition_hours
    run_block(state, market, parameter_vector(parameters), constants(study), hours, navs, np.zeros_like(state), offsets, trace)
    return {name: trace[:, index * LANES] for name, index in STATE_INDEX.items()}, navs[:, 0]


def brought_forward(scenario: Any) -> Any:
    """The scenario with its onset on the window's first day."""
    if "onset_day_low" not in scenario.settings:
        return scenario
    return replace(scenario, settings={**scenario.settings, "onset_day_low": 1.0, "onset_day_high": 1.0})


def shortened(study: Study, *, transition: int = 24, window: int = 96) -> Study:
    """A day of calm, another, then the stress, within days."""
    scenarios = tuple(brought_forward(one) for one in study.scenarios)
    return replace(study, scenarios=scenarios, simulation=replace(study.simulation, transition_hours=transition, window_hours=window))


def agree(study: Study, parameters: ParameterSet, scenario: str, path: int, edits: Edits | None = None) -> Twin:
    """Runs both: every state variable of every hour to 1e-9, and the books of both."""
    market, hours = hourly(study, scenario, path, edits or {})
    twin = Twin(study, parameters).run(hours)
    series, navs = kernel_series(study, parameters, market)
    supply = study.state.stablecoin.supply.value
    assert set(STATE) - set(twin.history[0]) == NOT_COMPARED | NOT_PLAYED
    assert series["fault"].max() == 0.0
    assert not any(series[name].any() for name in NOT_PLAYED)
    for name in STATE:
        if name in NOT_COMPARED | NOT_PLAYED:
            continue
        ours = np.array([hour[name] for hour in twin.history])
        scale = max(float(np.abs(ours).max()), 0.01 * supply if name in PER_SUPPLY else 1e-3)
        gaps = np.abs(series[name] - ours)
        first = int(np.argmax(~(gaps <= 1e-9 * scale)))
        assert gaps[first] <= 1e-9 * scale, (
            f"{name} in hour {first} of {scenario} ({parameters.name}): {series[name][first]} for {ours[first]}"
        )
    # the quotient that stages read is the one they would have worked out
    assert np.array_equal(series["own"], series["lp_amo"] / series["lp_supply"])
    assert navs == pytest.approx([twin.nav_snapshot, twin.nav_start, twin.nav_end], abs=1e-9 * supply)
    # the twin's own books add up too: it would otherwise agree with a leak
    assert twin.booked_before == pytest.approx(twin.nav_start - twin.nav_snapshot, abs=1e-9 * supply)
    assert sum(twin.lines.values()) == pytest.approx(twin.nav_end - twin.nav_start, abs=1e-9 * supply)
    return twin


def test_the_kernel_is_its_twin(frax: Study) -> None:
    """The current set in every scenario of the study, over more than a week."""
    study = shortened(frax, window=192)
    for path, scenario in enumerate(study.scenarios):
        agree(study, study.current, scenario.name, path)


# -- random sets from random positions --------------------------------------------------------------------------------------------

RANDOM, RANDOM_CAMPAIGN = 21, 1_000
HIGHEST_A = 20_000


def random_set(rng: np.random.Generator, frax: Study, number: int) -> ParameterSet:
    """A set from all over what teams might try: any A, each AMO with a cap of its own or none, any policy."""
    caps = ("curve_collateral_cap", "aave_cap", "investor_cap", "uniswap_cap", "curve_mint_cap", "fraxlend_cap")
    values = {name: rng.choice([0.0, 0.05, 0.2, 0.7, 1.0]) * rng.uniform(0.5, 1.0) for name in caps}
    low, unwind = rng.uniform(0.1, 0.8), rng.uniform(0.9, 0.999)
    return frax.current.replace(
        name=f"random-{number}",
        **values,
        amplification=math.exp(rng.uniform(0.0, math.log(HIGHEST_A))),
        cr_band=rng.uniform(0.0005, 0.01),
        cr_step=rng.uniform(0.0, 0.02),
        cr_refresh_hours=rng.integers(1, 8),
        idle_buffer=rng.uniform(0.0, 0.3),
        pool_share_low=low,
        pool_share_high=low + rng.uniform(0.001, 0.19),
        rebalance_rate=math.exp(rng.uniform(math.log(1e-3), math.log(0.5))),
        unwind_price=unwind,
        unwind_cr_margin=rng.uniform(0.005, 0.3),
        unwind_rate=math.exp(rng.uniform(math.log(1e-2), 0.0)),
        reentry_price=unwind + rng.uniform(0.0005, 0.05),
        min_cr=rng.uniform(0.5, 0.95),
        mint_price_threshold=rng.uniform(1.0, 1.01),
        redeem_price_threshold=rng.uniform(0.97, 1.0),
    )


def random_positions(rng: np.random.Generator, study: Study, refigured: Callable[..., Study]) -> Study:
    """The study with collateral and stablecoin spread anyhow over the AMOs at the start, books that match them more or less."""
    lent = {name: rng.choice([0.0, 0.05e9, 0.3e9]) * rng.uniform(0.5, 1.0) for name in ("aave", "investor", "fraxlend")}
    liquidity = rng.choice([0.0, 0.02e9, 0.2e9]) * rng.uniform(0.5, 1.0)
    figures = {
        "amos.aave.lent": lent["aave"],
        "amos.aave.borrowed": lent["aave"] * rng.uniform(0.9, 1.1),
        "amos.investor.lent": lent["investor"],
        "amos.investor.borrowed": lent["investor"] * rng.uniform(0.9, 1.1),
        "amos.fraxlend.lent": lent["fraxlend"],
        "amos.fraxlend.minted": lent["fraxlend"] * rng.uniform(0.9, 1.1),
        "amos.uniswap.liquidity": liquidity,
        "amos.uniswap.half_width": rng.choice([0.001, 0.005, 0.03]),
        "amos.uniswap.minted": liquidity,
        "amos.uniswap.borrowed": liquidity,
        "controller.collateral_ratio": rng.choice([0.8725, 0.8725, rng.uniform(0.0, 1.0)]),
        "redeem.delay_hours": rng.choice([0.0, 12.0]),
        "pool.protocol_admin_share": rng.choice([0.0, 0.5]),
        "share_token.fxs1559_share": rng.choice([0.0, 0.7]),
        "markets.oracle_lag_hours": rng.choice([0.0, 1.0, 6.0]),
    }
    return refigured(study, {name: float(value) for name, value in figures.items()})


def agree_at_random(frax: Study, refigured: Callable[..., Study], numbers: range) -> None:
    names = scenario_names()
    for number in numbers:
        rng = np.random.default_rng([7, number])
        study = random_positions(rng, shortened(frax, window=72), refigured)
        agree(study, random_set(rng, frax, number), names[number % len(names)], number % LANES)


def test_the_kernel_is_its_twin_over_the_box(frax: Study, refigured: Callable[..., Study]) -> None:
    """Random sets from random positions, through every scenario of the catalogue."""
    agree_at_random(frax, refigured, range(RANDOM))


@pytest.mark.campaign
def test_campaign_of_the_twin(frax: Study, refigured: Callable[..., Study]) -> None:
    """The same with a thousand of them."""
    agree_at_random(frax, refigured, range(RANDOM, RANDOM_CAMPAIGN))


# -- what the default study seldom meets --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Variant:
    """A study at an edge: figures of its state, simulation settings, values of the set, and market rows put in by hand."""

    figures: Mapping[str, float] = field(default_factory=dict)
    simulation: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)
    edits: Edits = field(default_factory=dict)
    scenarios: tuple[str, ...] = ("ust-contagion-2022", "lending-freeze-svb")


CALM = ("calm",)
NO_POSITIONS = {
    "amos.curve.lp_share": 0.0,
    "amos.curve.minted": 0.0,
    "amos.curve.borrowed": 0.0,
    "amos.aave.lent": 0.0,
    "amos.aave.borrowed": 0.0,
}
NO_CAPS = dict.fromkeys(("curve_collateral_cap", "aave_cap", "investor_cap", "uniswap_cap", "curve_mint_cap", "fraxlend_cap"), 0.0)
ALL_IDLE = {**NO_POSITIONS, "collateral.idle": 2.3e9}
RANGE = {"amos.uniswap.liquidity": 0.1e9, "amos.uniswap.minted": 0.1e9, "amos.uniswap.borrowed": 0.1e9}
LENT_OUT = {"amos.fraxlend.lent": 0.2e9, "amos.fraxlend.minted": 0.2e9}
EVERYWHERE = {**RANGE, **LENT_OUT, "amos.investor.lent": 0.1e9, "amos.investor.borrowed": 0.1e9}
BOUGHT_UP = {"flow": (30, 60, 0.03)}
"""Calm buyers of 3% of the external supply an hour."""

VARIANTS: dict[str, Variant] = {
    "no lag, dollar reference": Variant({"markets.oracle_lag_hours": 0.0}, {"peg_reference": "dollar"}, {"cr_band": 0.001}),
    "both sides of the peg": Variant({}, {"peg_sides": "both"}, {}),
    "oracle valuation, slow controller": Variant(
        {}, {"collateral_valuation": "oracle", "cr_floor": 0.86}, {"cr_refresh_hours": 5, "cr_band": 0.0005}
    ),
    "admin fees come home": Variant(
        {**RANGE, "pool.protocol_admin_share": 1.0, "pool.fee": 0.004}, {"response_delay_hours": 0}, {"rebalance_rate": 0.2}
    ),
    "all liquidity its own": Variant({"amos.curve.lp_share": 1.0}, {}, {"pool_share_high": 0.52}),
    "no position": Variant({**NO_POSITIONS, "collateral.idle": 2.3e9}, {}, {"curve_collateral_cap": 0.0, "curve_mint_cap": 0.0}),
    "min_cr binds": Variant(
        {"amos.aave.lent": 0.32e9, **RANGE},
        {},
        {"min_cr": 0.892, "pool_share_low": 0.62, "pool_share_high": 0.64, "rebalance_rate": 0.01, "uniswap_cap": 0.3, "fraxlend_cap": 0.2},
    ),
    "min_cr binds elsewhere": Variant(
        {**ALL_IDLE, "controller.collateral_ratio": 0.8},
        {},
        {**NO_CAPS, "min_cr": 0.878, "uniswap_cap": 0.5, "fraxlend_cap": 0.5, "cr_step": 0.0},
        scenarios=CALM,
    ),
    "panic, thin buffer": Variant(
        {"markets.hazard_news": 3.0, "markets.hazard_collateral": 20.0, "collateral.idle": 2e7},
        {},
        {"amplification": 150, "pool_share_high": 0.75, "unwind_price": 0.999, "reentry_price": 0.9995, "unwind_rate": 0.5},
    ),
    "a pool of dust": Variant(
        {"pool.stablecoin": 6e3, "pool.base_lp": 5e3, "markets.oracle_lag_hours": 0.0}, {}, {"curve_collateral_cap": 0.0}
    ),
    "share token collapsed": Variant(
        {"share_token.price": 0.01, "collateral.idle": 1e9, "controller.collateral_ratio": 0.3}, {}, {"amplification": 300}
    ),
    # each AMO alone
    "curve alone": Variant(
        ALL_IDLE, {}, {**NO_CAPS, "curve_collateral_cap": 0.8, "curve_mint_cap": 0.5, "pool_share_low": 0.7, "pool_share_high": 0.8}
    ),
    "a small pool": Variant(
        {**ALL_IDLE, "pool.stablecoin": 6e6, "pool.base_lp": 6e6}, {}, {"pool_share_low": 0.45, "pool_share_high": 0.6}, scenarios=CALM
    ),
    "aave alone": Variant(ALL_IDLE, {}, {**NO_CAPS, "aave_cap": 0.9}),
    "investor alone": Variant(ALL_IDLE, {}, {**NO_CAPS, "investor_cap": 0.9}),
    "fraxlend alone": Variant(ALL_IDLE, {}, {**NO_CAPS, "fraxlend_cap": 0.3}),
    "uniswap alone": Variant(ALL_IDLE, {}, {**NO_CAPS, "uniswap_cap": 0.5}),
    "all over their caps": Variant(EVERYWHERE, {}, {**NO_CAPS, "idle_buffer": 0.5}, scenarios=CALM),
    "all unwind": Variant(
        EVERYWHERE,
        {"response_delay_hours": 0},
        {"investor_cap": 0.1, "uniswap_cap": 0.1, "fraxlend_cap": 0.1, "unwind_price": 0.9995, "reentry_price": 1.0},
    ),
    # prices
    "below the range": Variant({**RANGE, "amos.uniswap.half_width": 0.001}, {}, {"uniswap_cap": 0.2, "amplification": 100}),
    "above the range": Variant(
        {**RANGE, "amos.uniswap.half_width": 0.001, "markets.buyer_premium": 0.02, "pool.amplification": 100},
        {},
        {"uniswap_cap": 0.2, "amplification": 100, "curve_mint_cap": 0.0, "mint_price_threshold": 1.1, "cr_band": 0.002},
        BOUGHT_UP,
        CALM,
    ),
    "buyers at their limit": Variant({"markets.buyer_premium": 0.003}, {}, {"mint_price_threshold": 1.1}, BOUGHT_UP, CALM),
    "minted at the door": Variant({"mint.fee": 0.0005}, {}, {"mint_price_threshold": 1.001}, BOUGHT_UP, CALM),
    "minted up to the ceiling": Variant({"mint.ceiling": 0.1e9}, {}, {"mint_price_threshold": 1.001, "idle_buffer": 0.0}, BOUGHT_UP, CALM),
    "minted up to what share tokens there are": Variant(
        {"share_token.depth_usd": 1e4, "mint.ceiling": 1e12}, {}, {"mint_price_threshold": 1.001}, BOUGHT_UP, CALM
    ),
    "borrowers take all there is": Variant(LENT_OUT, {}, {"fraxlend_cap": 0.1}, {"fraxlend.demand": (40, 80, 1e9)}, CALM),
    "borrowers repay all there is": Variant(
        {**LENT_OUT, "amos.fraxlend.lent": 0.5e9, "pool.stablecoin": 2.25e9, "pool.base_lp": 1.8e9},
        {},
        {"fraxlend_cap": 0.3},
        {"fraxlend.demand": (40, 60, 0.0)},
        CALM,
    ),
    "borrowers' collateral falls faster than it is sold": Variant(
        {**LENT_OUT, "markets.fraxlend_share_pledged": 0.9}, {}, {"fraxlend_cap": 0.3}, {"share_return": (40, 60, 0.7)}, CALM
    ),
    "the investor's market is dry": Variant(
        EVERYWHERE, {}, {"investor_cap": 0.0, "idle_buffer": 0.5}, {"investor.demand": (2, 100, 2e9)}, CALM
    ),
    # the issuer
    "redeemers wait": Variant(
        {"redeem.delay_hours": 48.0, "markets.claim_discount_hour": 0.0002, "collateral.idle": 0.6e9},
        {},
        {"redeem_price_threshold": 0.999, "amplification": 200, "idle_buffer": 0.4},
    ),
    "under its target": Variant(
        {"share_token.recollateralise_tokens_hour": 1e6, "share_token.recollateralise_bonus": 0.01}, {}, {"cr_band": 0.0005}
    ),
    "over its target": Variant(
        {"controller.collateral_ratio": 0.5, "share_token.buyback_usd_hour": 2e6, "share_token.fxs1559_share": 1.0, **RANGE, **LENT_OUT}
    ),
    "over its target, a thin market": Variant(
        {"controller.collateral_ratio": 0.5, "share_token.fxs1559_share": 1.0, "share_token.depth_usd": 1e4}, scenarios=CALM
    ),
    "over its target, hardly a share token": Variant(
        {"controller.collateral_ratio": 0.5, "share_token.fxs1559_share": 1.0, "share_token.price": 1e-4, "share_token.supply": 1e6},
        scenarios=CALM,
    ),
    "collateral ratio 0": Variant({"controller.collateral_ratio": 0.0, "redeem.delay_hours": 5.0}, {}, {"cr_step": 0.0}),
    "collateral ratio 1": Variant({"controller.collateral_ratio": 1.0, "collateral.idle": 0.5e9}, {}, {"redeem_price_threshold": 0.9999}),
    "a target above 1": Variant(
        {"controller.collateral_ratio": 1.04, "collateral.idle": 0.9e9, "share_token.buyback_usd_hour": 1e5},
        {},
        {"redeem_price_threshold": 0.9999, "cr_step": 0.01},
    ),
    "rewards locked": Variant(
        {
            "amos.curve.in_gauge": 0.3,
            "amos.curve.in_convex": 0.3,
            "amos.curve.in_stakedao": 0.2,
            "amos.curve.in_yearn": 0.1,
            "rewards.yearn.bonus": 0.1,
        },
        {"crv_locked_share": 0.4},
        scenarios=CALM,
    ),
    "rewards unstaked": Variant({"amos.curve.in_convex": 0.0, "amos.curve.in_stakedao": 0.0, "amos.curve.in_yearn": 0.0}, scenarios=CALM),
    # venues
    "every venue loses": Variant(
        EVERYWHERE,
        {},
        {"investor_cap": 0.1, "uniswap_cap": 0.1, "fraxlend_cap": 0.1},
        {"aave.loss": (30, 31, 0.2), "investor.loss": (40, 42, 0.3), "fraxlend.loss": (50, 51, 0.5), "curve.loss": (60, 61, 0.25)},
        CALM,
    ),
    "nothing is left to lose": Variant(
        EVERYWHERE,
        {},
        {"investor_cap": 0.1, "uniswap_cap": 0.1, "fraxlend_cap": 0.1},
        {"aave.loss": (30, 31, 1.0), "investor.loss": (30, 31, 1.0), "fraxlend.loss": (30, 31, 1.0), "curve.loss": (30, 31, 1.0)},
        CALM,
    ),
}


@pytest.fixture(scope="module")
def compared(frax: Study, refigured: Callable[..., Study]) -> Callable[[str], list[Twin]]:
    """The twins of a variant's runs, compared with the kernel's the first time it is asked for."""
    done: dict[str, list[Twin]] = {}

    def compare(name: str) -> list[Twin]:
        if name not in done:
            variant = VARIANTS[name]
            study = refigured(shortened(frax), variant.figures)
            study = replace(study, simulation=replace(study.simulation, **variant.simulation))
            parameters = study.current.replace(name=name, **variant.values)
            done[name] = [agree(study, parameters, scenario, path, variant.edits) for path, scenario in enumerate(variant.scenarios)]
        return done[name]

    return compare


@pytest.mark.parametrize("name", VARIANTS)
def test_the_kernel_is_its_twin_at_the_edges(compared: Callable[[str], list[Twin]], name: str) -> None:
    """The same for what the default study seldom meets: every branch of the model is one the twin took too."""
    compared(name)


def test_the_twins_runs_reach_every_line_and_operation(compared: Callable[[str], list[Twin]]) -> None:
    """The comparison is not of idle code: on its runs every line is booked, every operation of every AMO and door happens, every input moves."""
    twins = [twin for name in VARIANTS for twin in compared(name)]
    assert tuple(line for line in LINES if line not in NOT_PLAYED) == TWIN_LINES
    # at the end of the runs: liquidation is booked when a window opens or ends
    unbooked = [line for line in TWIN_LINES if not any(abs(twin.lines[line]) > 1.0 for twin in twins)]
    assert not unbooked, unbooked
    missed = [operation for operation in OPERATIONS if not any(twin.seen[operation] for twin in twins)]
    assert not missed, missed


# -- what the compiler made of it ---------------------------------------------------------------------------------------------------

STAGES = kernel.STAGES
COPIES = {
    *("open_window", "opening_open_window", "accounts_begin_settling", "walk_rows", "run_active"),
    *("pools_forget", "regulator_begin", "regulator_clear", "peg_keeper_unmark"),
}
"""What only copies or clears lanes, and works nothing out."""
BISECTS = {"lending_begin", "fraxlend_begin", "pools_solve_exactly", "peg_keeper_work"}
"""Where a market rests is bisected, lane by lane, once a path and not once an hour."""


@pytest.fixture(scope="session")
def listing(machine_code: Callable[[str, Stages], bytes], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """A stage's machine code as text, of what is run; without objdump of the stage compiled here and now, as what comes from the disk has no listing of Numba's."""
    program, file = shutil.which("objdump"), tmp_path_factory.mktemp("objects") / "stage.o"

    def read(name: str) -> str:
        if program is None:
            function, signature = STAGES[name]
            fresh = stage(function.py_func)
            fresh.compile(signature)
            return "\n".join(fresh.inspect_asm().values())
        file.write_bytes(machine_code(name, STAGES))
        return subprocess.run([program, "-d", "--no-show-raw-insn", str(file)], capture_output=True, text=True, check=True).stdout

    return read


def test_every_stage_is_called_and_nothing_else() -> None:
    """Whatever is compiled is the stage of a row of the programs, a row's full stage, or what `advance` calls beside them; each once."""
    rows = (*program.EVERY, *program.SETTLE)
    full = {row.full for row in rows if row.active is not None}
    assert sorted(STAGES) == sorted({row.code for row in rows} | full | set(kernel.FRAME))
    called = re.findall(r"frame\.(\w+)", inspect.getsource(kernel.advance.py_func) + inspect.getsource(kernel.walk_rows.py_func))
    assert set(called) == set(kernel.FRAME)


def test_amos_of_a_kind_share_their_stages() -> None:
    """Rows differ in where their own numbers begin; two that share those are two stages, and no two numbers are at one place."""
    rows = [row for row in program.HOUR if row.of is not None]
    assert len({(row.code, row.places) for row in rows}) == len(rows)
    lenders = {name: [row.code for row in rows if row.of is not None and row.of.name == name] for name in ("aave", "investor")}
    assert lenders["aave"] == lenders["investor"] != []
    for amo, places in PLACES.items():
        for names, first in ((STATE, places.state // LANES), (MARKET_INPUTS, places.market // LANES)):
            mine = [place for place, name in enumerate(names) if name.startswith(f"{amo}.")]
            assert not mine or mine[0] == first


def test_a_row_is_given_what_its_stage_asks_for() -> None:
    """The walker knows every kind of arguments by its place, and calls each with just those."""
    asked = {row.arguments for row in (*program.EVERY, *program.SETTLE)}
    assert asked == set(program.ARGUMENTS)
    source = inspect.getsource(kernel.walk_rows.py_func)
    for place, letter in enumerate("smpc"):  # an AMO's own begin so far on from the common ones
        source = source.replace(f"ahead({letter}, rows[r, {5 + place}])", "anqk"[place]).replace(f"own[{place}]", "anqk"[place])
    source = source.replace("own = a, n, q, k\n", "\n").replace("ahead(s, rows[r, 9])", "b")
    told = re.findall(r"kind == _(\w+):\s+call_at\(stage, ([\w, ]+)\)", source)
    assert ["".join(name[0] for name in given.split(", ")) for _, given in told] == list(program.ARGUMENTS)
    assert [getattr(kernel, f"_{kind}") for kind, _ in told] == list(range(len(program.ARGUMENTS)))


def test_an_amo_that_is_not_there_has_no_rows(frax: Study) -> None:
    """Without room and holdings an AMO's stages are left out, but for those of its venue, which is there all the same; either brings them in."""
    s, c = start_state(frax, np.ones(len(MARKET_INPUTS) * LANES)), constants(frax)
    held = {"aave": "aave.lent", "investor": "investor.lent", "fraxlend": "fraxlend.lent", "uniswap": "uniswap.liquidity"}
    s.reshape(-1, LANES)[[STATE_INDEX[name] for name in held.values()]] = 0.0
    p = np.zeros_like(parameter_vector(frax.current))
    c[[CONSTANT_INDEX[f"{each.name}.there"] for each in MECHANISMS if each.stages.there is not None]] = 1.0
    c[[CONSTANT_INDEX[f"{each.name}.now"] for each in MECHANISMS if each.stages.now is not None]] = 1.0
    least = program.used(program.HOUR, s, p, c)
    amos = [each for each in MECHANISMS if each.stages.cap is not None and each.stages.held is not None]
    assert [each.name for each in amos if each.name in PLAYED] == list(held)
    for amo in amos:
        own = [row for row in program.HOUR if row.of is amo]
        assert [row.name for row in own if row in least] == [row.name for row in own if row.name.endswith(("_quote", "_observe"))]
        places = PLACES[amo.name]
        for vector, place in ((p, places.parameters + amo.stages.cap), (s, places.state + amo.stages.held)):
            other = vector.copy()
            other[place] = 0.1
            more = program.used(program.HOUR, *((s, other, c) if vector is p else (other, p, c)))
            assert more == [row for row in program.HOUR if row in least or row.of is amo]


def test_income_is_added_up_only_where_fxs1559_asks_for_it(frax: Study, refigured: Callable[..., Study]) -> None:
    """A row for each AMO's accounting line, in the order of the books, each at its own line; without FXS1559 none."""
    s, p = start_state(frax, np.ones(len(MARKET_INPUTS) * LANES)), parameter_vector(frax.current)
    costs = {f"income_{line.name}" for each in MECHANISMS for line in each.income.values() if line.cost}
    of_amos = [line for line in LINES if (line not in COMMON_LINES or line == "income_swap_fees") and line not in costs]
    assert set(LINES[:6]) - NOT_PLAYED <= set(of_amos)
    for share, wanted in ((0.0, []), (0.5, of_amos)):
        c = constants(refigured(frax, {"share_token.fxs1559_share": share}))
        adding = [row for row in program.used(program.HOUR, s, p, c) if row.name.startswith("add_")]
        assert [row.name for row in adding] == [f"add_{line}" for line in wanted]
        assert [row.places for row in adding] == [Places(STATE_INDEX[line] * LANES) for line in wanted]


def test_a_program_is_its_rows() -> None:
    """Row by row: kind of arguments, where the stage and the full one begin, where its own numbers begin, and the lines its full stage copies."""
    places = {name: 100 + number for number, name in enumerate(STAGES)}
    walked, lines = program.program_of(program.EVERY, places)
    assert walked.shape == (len(program.EVERY), program.COLUMNS)
    for row, (kind, begins, full, first, last, *own) in zip(program.EVERY, walked.tolist(), strict=True):
        told = row.places if row.told_pool else row.places._replace(pool=NO_POOL)
        assert (program.ARGUMENTS[kind], begins, tuple(own)) == (row.arguments, places[row.code], told)
        assert full == (0 if row.active is None else places[row.full])
        copied = [] if row.active is None else row.active.lines(*row.places[:2], max(row.places.pool, 0)).tolist()
        assert lines[first:last].tolist() == copied


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="the listing is read for x86-64's packed divides; run it there")
@pytest.mark.parametrize("name", [name for name in STAGES if name not in COPIES | BISECTS])
def test_every_stage_is_vector_code(listing: Callable[[str], str], name: str) -> None:
    """The compiled loop over lanes divides in packed registers (…pd), two, four or eight lanes at a time: one branch in a stage and it would not.
    Of a stage in whose model nothing is divided, the packed arithmetic is looked for instead."""
    told = listing(name)
    divides = re.search(r"\bv?div[ps]d\b", told)
    assert re.search(r"\bv?divpd\b" if divides else r"\bv?(?:add|sub|mul|max|min|cmp\w*)pd\b", told)


ALLOCATES = re.compile(rb"NRT_(?:MemInfo_a|A)lloc")


@pytest.mark.parametrize("name", STAGES)
def test_no_stage_allocates(machine_code: Callable[[str, Stages], bytes], name: str) -> None:
    """No stage's code asks for memory: what it calls for that stands among the object's symbols."""
    assert not ALLOCATES.search(machine_code(name, STAGES))


def test_an_allocation_would_be_seen(machine_code: Callable[[str, Stages], bytes]) -> None:
    """The control of the test above: a stage that makes an array asks for memory."""

    def makes_an_array(s: np.ndarray) -> None:
        made = np.empty(LANES)
        for i in range(LANES):
            made[i] = s[LANES - 1 - i]
        for i in range(LANES):
            s[i] = made[i]

    assert ALLOCATES.search(machine_code("makes_an_array", {"makes_an_array": (stage(makes_an_array), (VECTOR,))}))
