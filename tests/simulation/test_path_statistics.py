"""Running extremes, hours and sums; and the checks that make a fault loud."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from amo_opt.amos.layout import LINES, STATE_INDEX
from amo_opt.protocol.lanes import COMMON_LINES, FAULTS
from amo_opt.protocol.market import LANES
from amo_opt.simulation.kernel import run_block
from amo_opt.simulation.pack import start_state
from amo_opt.simulation.program import HOUR
from amo_opt.stableswap.invariant import get_y, scaled_x_at_price

if TYPE_CHECKING:
    from amo_opt.config.study import Study


def at_price(block: Any, value: float) -> None:
    x = scaled_x_at_price(value / block["base_value"], block["ann"])[0] * block["d"]
    block["pool_x"], block["pool_y"] = x, get_y(x, block["d"], block["ann"])


WATCH = [row.name for row in HOUR if row.name.endswith("_watch")]


def note(block: Any, hour: int) -> None:
    """An hour's end: what every AMO says of itself, then the statistics."""
    block["over_caps"] = block["unsound"] = 0.0
    block.run(*WATCH, "path_statistics", hour=hour)


def hours(block: Any, prices: list[float], start: int = 0) -> None:
    for hour, value in enumerate(prices, start):
        at_price(block, value)
        note(block, hour)


def test_a_loss_is_the_largest_weighted_mean_of_the_shortfall(lanes: Callable[..., Any]) -> None:
    """48 hours 1% below, then back: the three-day mean peaks at 1% × (1 − e^(−48/72)); deepest is 1%; no loss is forgotten."""
    block = lanes()
    hours(block, [0.99] * 48 + [1.0] * 100)
    assert block["loss_collateral"] == pytest.approx(0.01 * (1 - math.exp(-48 / 72)), rel=1e-6)
    assert block["deepest_collateral"] == pytest.approx(0.01, rel=1e-6)
    assert block["shortfall"] == pytest.approx(0.0, abs=1e-7)


def test_the_reference_is_what_the_collateral_is_worth(lanes: Callable[..., Any]) -> None:
    """USDC and base LP at 0.9, price 0.9: nothing lost against the collateral, 10% against the dollar; a reference is never above 1."""
    block = lanes()
    block["collateral_price"] = block["base_value"] = 0.9
    hours(block, [0.9] * 10)
    assert block["deepest_collateral"] == pytest.approx(0.0, abs=1e-7)
    assert block["deepest_dollar"] == pytest.approx(0.1, rel=1e-6)
    block = lanes()
    block["collateral_price"] = block["base_value"] = 1.05
    hours(block, [1.0])
    assert block["deepest_collateral"] == pytest.approx(0.0, abs=1e-7)


def test_a_price_above_counts_where_the_study_says_so(lanes: Callable[..., Any]) -> None:
    """48 hours 2% above a dollar, then back: nothing from below; on both sides the mean peaks at 2% × (1 − e^(−48/72)) and the hours are off the peg."""
    lost, deepest, last = [], [], []
    for both in (0.0, 1.0):
        block = lanes()
        block.constant(above_counts=both)
        hours(block, [1.02] * 48 + [1.0] * 10)
        lost.append((block["loss_collateral"], block["loss_dollar"]))
        deepest.append(block["deepest_dollar"])
        last.append(block["last_bad_hour"])
    peak = 0.02 * (1 - math.exp(-48 / 72))
    assert lost == [pytest.approx((0.0, 0.0), abs=1e-7), pytest.approx((peak, peak), rel=1e-6)]
    assert deepest == [pytest.approx(0.0, abs=1e-7), pytest.approx(0.02, rel=1e-6)]
    assert last == [-1.0, 47.0]


def test_hours_off_the_peg_are_remembered_first_and_last(lanes: Callable[..., Any]) -> None:
    """50 bp is the bound, strict: hours 12 to 14 and 17 are off it; 4 hours below 0.99 count where the price is."""
    block = lanes()
    hours(block, [0.9951, 0.9951, 0.994, 0.989, 0.98, 0.9951, 0.996, 0.98, 1.0], start=10)
    assert (block["first_bad_hour"], block["last_bad_hour"]) == (12, 17)
    assert block["hours_below_099"] == 3


def test_a_new_window_forgets_everything_but_the_balances(lanes: Callable[..., Any]) -> None:
    """`open_window` clears the lines that no AMO owns, extremes and hours; balances, triggers and faults stand."""
    block = lanes()
    hours(block, [0.9, 0.95])
    for line in COMMON_LINES:
        block[line] = 5.0
    block["unserved_hours"], block["fault"] = 7.0, 1.0
    x, price = block["pool_x"], block["price"]
    block.run("open_window")
    assert [block[line] for line in COMMON_LINES] == [0.0] * len(COMMON_LINES)
    assert block["unserved_hours"] == block["loss_dollar"] == block["deepest_dollar"] == block["hours_below_099"] == 0.0
    assert (block["min_price"], block["pool_x"], block["fault"], block["first_bad_hour"]) == (price, x, 1.0, -1.0)


def test_every_line_begins_anew_with_the_window(frax: Study, lanes: Callable[..., Any]) -> None:
    """What an AMO's line held before stands in `opening`, and no bit of the window's end hangs on it."""
    block, ended = lanes(), []
    own = [STATE_INDEX[line] for line in LINES if line not in COMMON_LINES]
    for held in (0.0, 4096.0):
        state = start_state(frax, block.m)
        state.reshape(-1, LANES)[own] = held
        opening, nothing = np.zeros_like(state), np.zeros(0, dtype=np.int64)
        run_block(state, block.m[None], block.p, block.c, 0, np.zeros((3, LANES)), opening, nothing, np.zeros((0, 0)))
        assert np.all(opening.reshape(-1, LANES)[own] == held)
        ended.append(state)
    assert np.array_equal(*ended)


def test_extremes_and_sums(lanes: Callable[..., Any]) -> None:
    """Lowest ratios and prices, summed and peak unserved demand, hours under `min_cr` and while unwinding."""
    block = lanes()
    for contract, external, unserved, unwinding in ((0.85, 0.8, 5.0, 0.0), (0.80, 0.7, 9.0, 1.0), (0.83, 0.9, 1.0, 1.0)):
        block["cr_contract"], block["cr_external"], block["unserved"], block["unwinding"] = contract, external, unserved, unwinding
        note(block, 0)
    assert (block["min_cr_contract"], block["min_cr_external"]) == (0.80, 0.7)
    assert (block["unserved_hours"], block["unserved_peak"]) == (15.0, 9.0)
    assert (block["hours_below_min_cr"], block["hours_unwinding"]) == (1.0, 2.0)


COLLATERAL_CAPS = {"aave_cap": "aave.lent", "investor_cap": "investor.lent", "uniswap_cap": "uniswap.y"}
MINT_CAPS = {"curve_mint_cap": "curve.minted", "fraxlend_cap": "fraxlend.lent"}


def empty_venues(block: Any) -> None:
    """Half a billion idle, nothing anywhere else, every cap out of the way."""
    for name in ("aave.lent", "investor.lent", "uniswap.y", "lp_amo", "curve.minted", "fraxlend.lent", "fraxlend.free"):
        block[name] = 0.0
    block["idle"] = 0.5e9
    block.parameter(curve_collateral_cap=1.0, **dict.fromkeys((*COLLATERAL_CAPS, *MINT_CAPS), 1.0))


@pytest.mark.parametrize("cap", COLLATERAL_CAPS)
def test_hours_over_collateral_caps_allow_for_what_the_market_moves(lanes: Callable[..., Any], cap: str) -> None:
    """A position one hundredth of all collateral over its cap is the market's doing; beyond that the hour counts, for every AMO."""
    block = lanes()
    empty_venues(block)
    block.parameter(**{cap: 0.5})
    for share, counted in ((0.5, 0.0), (0.5099, 0.0), (0.511, 1.0)):
        block["hours_over_caps"] = 0.0
        block[COLLATERAL_CAPS[cap]] = 0.5e9 * share / (1 - share)
        note(block, 0)
        assert block["hours_over_caps"] == counted


@pytest.mark.parametrize("cap", MINT_CAPS)
def test_hours_over_mint_caps(lanes: Callable[..., Any], cap: str) -> None:
    """The same for what is minted into the pool or lent on Fraxlend, as a share of supply."""
    block = lanes()
    empty_venues(block)
    block.parameter(**{cap: 0.3})
    for share, counted in ((0.3, 0.0), (0.3099, 0.0), (0.311, 1.0)):
        block["hours_over_caps"] = 0.0
        block[MINT_CAPS[cap]] = share * block["supply"]
        note(block, 0)
        assert block["hours_over_caps"] == counted


def test_hours_over_the_curve_amos_cap(lanes: Callable[..., Any]) -> None:
    """And for the AMO's base LP: half of the pool's 1.13bn beside half a billion idle is 53% of all collateral."""
    block = lanes()
    empty_venues(block)
    block["lp_amo"] = 0.5 * block["lp_supply"]
    own = 0.5 * block["pool_y"]
    for cap, counted in ((own / (own + 0.5e9), 0.0), (own / (own + 0.5e9) - 0.011, 1.0)):
        block["hours_over_caps"] = 0.0
        block.parameter(curve_collateral_cap=cap)
        note(block, 0)
        assert block["hours_over_caps"] == counted


@pytest.mark.parametrize(
    ("variable", "value", "fault"),
    [
        ("d", 1.0, 1),
        ("d", math.nan, 1),
        ("idle", -1.0, 3),
        ("investor.lent", -1.0, 3),
        ("uniswap.x", -1.0, 3),
        ("uniswap.y", -1.0, 3),
        ("fraxlend.free", -1.0, 3),
        ("fraxlend.free", 1.0, 3),
        ("claims", -1.0, 3),
        ("buy_queue", -1.0, 3),
        ("pool_y", math.nan, 1),
        ("aave.lent", -1.0, 3),
        ("queue", -1.0, 3),
        ("lp_amo", -1.0, 3),
        ("supply", 1.0, 3),
        ("oracle", math.nan, 3),
        ("cr_external", math.nan, 3),
        ("cr_contract", -0.1, 3),
    ],
)
def test_what_is_wrong_is_a_fault_of_its_lane_and_hour(lanes: Callable[..., Any], variable: str, value: float, fault: int) -> None:
    """Each unsound figure marks its own lane with its code and the first hour it was seen in; later hours change neither."""
    block = lanes()
    note(block, 4)
    block.lanes(variable)[9] = value
    note(block, 5)
    note(block, 6)
    assert fault in FAULTS
    expected = np.zeros(LANES)
    expected[9] = fault
    assert np.array_equal(block.lanes("fault"), expected)
    assert block.lanes("fault_step")[9] == 5
    assert block.lanes("fault_step")[8] == -1


@pytest.mark.parametrize(("missing", "fault"), [(0.9e-15, 0.0), (1e-12, 3.0)])
def test_the_last_digits_of_a_supply_that_is_gone_are_no_fault(lanes: Callable[..., Any], missing: float, fault: float) -> None:
    """All that was outside was given back, and next to nothing is left: a difference of the supply of before has its rounding. More is missing stablecoin."""
    block = lanes()
    empty_venues(block)
    start = block["supply"]
    scale = 1e-10 * start / block["pool_x"]
    for name in ("pool_x", "pool_y", "d", "lp_supply", "lp_amo"):
        block[name] = block[name] * scale
    block["supply"] = block["pool_x"] - missing * start
    assert block["supply"] < block["pool_x"] * (1.0 - 1e-9)
    note(block, 0)
    assert block["fault"] == fault


def test_no_position_is_no_fault(lanes: Callable[..., Any]) -> None:
    """A protocol that owns no liquidity is sound."""
    block = lanes()
    block["lp_amo"] = 0.0
    note(block, 0)
    assert block["fault"] == 0.0
