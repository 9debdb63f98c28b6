"""The Uniswap v3 AMO: the range's mathematics, fees, arbitrage with the Curve pool, adding and removing liquidity."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amo_opt.amos.uniswap_v3 import HALF_RANGE, MOST_OF_POOL, root_after
from amo_opt.config.study import Study
from amo_opt.protocol.market import LANES
from amo_opt.simulation.engine import trace
from amo_opt.stableswap.invariant import residual_D

LOW, HIGH = math.sqrt(0.995), math.sqrt(1.005)
FEE, RANGE_FEE = 0.0004, 0.0005
KEPT = (1 - FEE) * (1 - RANGE_FEE)
"""What a round trip over both pools leaves of a price."""


def ranged(block: Any, collateral: float | np.ndarray, root: float | np.ndarray = 1.0) -> Any:
    """A range that would hold so much collateral at a price of 1, at another root."""
    liquidity = collateral / (1.0 - LOW)
    block["uniswap.liquidity"], block["uniswap.root"] = liquidity, root
    block["uniswap.x"], block["uniswap.y"] = liquidity * (1.0 / root - 1.0 / HIGH), liquidity * (root - LOW)
    return block


def formula(block: Any) -> tuple[np.ndarray, np.ndarray]:
    """The balances that follow from liquidity and root."""
    liquidity, root = block.lanes("uniswap.liquidity"), block.lanes("uniswap.root")
    return liquidity * (1.0 / root - 1.0 / HIGH), liquidity * (root - LOW)


def curve_price(block: Any) -> np.ndarray:
    """Collateral a stablecoin at the Curve pool's margin."""
    x, y, d, ann = (block.lanes(name) for name in ("pool_x", "pool_y", "d", "ann"))
    cube, scaled = d**3, 4.0 * ann * x * y
    return y * (scaled * x + cube) / (x * (scaled * y + cube)) * block.lanes("base_value") / block.lanes("collateral_price")


def pays(block: Any) -> tuple[np.ndarray, np.ndarray]:
    """What a unit gains from Curve to the range, and from the range to Curve, both fees paid; negative where it does not pay."""
    curve, there = curve_price(block), block.lanes("uniswap.root") ** 2
    return KEPT * there - curve, curve * KEPT - there


def free_of_fees(block: Any) -> Any:
    block.constant(fee=0.0, **{"uniswap.fee": 0.0})
    return block


# -- the range ---------------------------------------------------------------------------------------------------------------------------


def test_the_snapshots_range(frax: Study, refigured: Callable[..., Study], lanes: Callable[..., Any]) -> None:
    """50m at a price of 1 is L (1 − √0.995) = 50m; at the pool's price the balances are L (1/r − 1/r_high) and L (r − r_low); none at 0."""
    for tokens in (50e6, 0.0):
        block = lanes(refigured(frax, {"amos.uniswap.liquidity": tokens}))
        liquidity, root = tokens / (1 - LOW), math.sqrt(block["price"])
        assert 0.999 < root < 1.0
        assert block["uniswap.root"] == pytest.approx(root, rel=1e-15)
        assert block["uniswap.x"] == pytest.approx(liquidity * (1 / root - 1 / HIGH), rel=1e-12)
        assert block["uniswap.y"] == pytest.approx(liquidity * (root - LOW), rel=1e-12)
        assert block["uniswap.y"] <= tokens


@pytest.mark.parametrize(("share", "end"), [(0.99, "low"), (0.01, "high")])
def test_an_end_of_the_range_is_all_one_coin(lanes: Callable[..., Any], share: float, end: str) -> None:
    """Curve far below the range: all stablecoin, L (1/r_low − 1/r_high); far above it: all collateral, L (r_high − r_low). Crossing the whole
    range trades one for the other at r_low × r_high, whatever came before."""
    block = ranged(lanes(), 1e6)
    block.pool(2e9 * share, 2e9 * (1 - share))
    for _ in range(30):
        block.run_everywhere("uniswap_arbitrage")
    liquidity = block["uniswap.liquidity"]
    most_x, most_y = liquidity * (1 / LOW - 1 / HIGH), liquidity * (HIGH - LOW)
    assert most_y / most_x == pytest.approx(LOW * HIGH, rel=1e-12)
    x, y = (most_x, 0.0) if end == "low" else (0.0, most_y)
    assert block["uniswap.root"] == pytest.approx(LOW if end == "low" else HIGH, rel=1e-12)
    assert block["uniswap.x"] == pytest.approx(x, abs=1e-3)
    assert block["uniswap.y"] == pytest.approx(y, abs=1e-3)
    assert block["uniswap.x"] + block["uniswap.y"] == pytest.approx(x + y, rel=1e-9)


@settings(deadline=None)
@given(st.floats(0.8, 1.2), st.floats(1e3, 1e12), st.floats(-0.2, 5.0))
def test_a_trade_moves_the_inverse_root_by_its_share_of_liquidity(root: float, liquidity: float, share: float) -> None:
    """1/r' = 1/r + dx/L; the way back leads back."""
    moved = root_after(root, liquidity, share * liquidity)
    assert 1.0 / moved == pytest.approx(1.0 / root + share, rel=1e-12)
    assert root_after(moved, liquidity, -share * liquidity) == pytest.approx(root, rel=1e-12)


def test_a_range_loses_against_holding_whichever_way_the_price_moves(lanes: Callable[..., Any]) -> None:
    """No fees, Curve's price spread over the range, from a price of 1: the range is worth L (r − 1)² less than the coins it started with."""
    block = ranged(free_of_fees(lanes()), 1e5)
    block["ann"] = 100.0
    shares = np.linspace(0.36, 0.64, LANES)
    block.pool(2e9 * shares, 2e9 * (1 - shares))
    x, y = block["uniswap.x"], block["uniswap.y"]
    for _ in range(20):
        block.run_everywhere("uniswap_arbitrage")
    root = block.lanes("uniswap.root")
    assert root.min() < 0.9985
    assert root.max() > 1.0015
    held = x * root**2 + y
    worth = block.lanes("uniswap.x") * root**2 + block.lanes("uniswap.y")
    assert held - worth == pytest.approx(block["uniswap.liquidity"] * (root - 1.0) ** 2, rel=1e-6, abs=1e-6)
    assert np.all((held > worth) | (np.abs(root - 1.0) < 1e-5))


# -- fees --------------------------------------------------------------------------------------------------------------------------------


def test_the_fee_of_the_volume_it_wins(lanes: Callable[..., Any]) -> None:
    """Depth 0.0005 × all liquidity against the other venues' and Curve's; the AMO's part of it; half in stablecoin, burned, half in collateral."""
    block = ranged(lanes(), 50e6)
    block.market(swap_volume=1e7)
    z = 0.00025 * (block["ann"] + 2.0)
    curve = 0.5 * block["d"] * z / (1.0 + z)
    liquidity, outside = 50e6 / (1 - LOW), 10e6 / (1 - LOW)
    depth = 0.0005 * (liquidity + outside)
    won = depth / (depth + 2e8 + curve)
    fees = RANGE_FEE * 1e7 * won * liquidity / (liquidity + outside)
    supply, idle = block["supply"], block["idle"]
    block.run("uniswap_market_operations")
    assert block["income_uniswap_fees"] == pytest.approx(fees, rel=1e-9)
    assert block.booked() == block["income_uniswap_fees"]
    assert supply - block["supply"] == pytest.approx(0.5 * fees, abs=1e-5)
    assert block["idle"] - idle == pytest.approx(0.5 * fees, abs=1e-5)
    assert block["net_issued"] == pytest.approx(-0.5 * fees)


def test_a_doubled_range_earns_less_than_double(lanes: Callable[..., Any]) -> None:
    """The second half of the liquidity takes volume from the first as from others; nearly double where it is small."""
    earned = {}
    for times in (1.0, 2.0):
        block = ranged(lanes(), times * np.geomspace(1e3, 5e8, LANES))
        block.market(swap_volume=1e7)
        block.run("uniswap_market_operations")
        earned[times] = block.lanes("income_uniswap_fees").copy()
    assert np.all(earned[2.0] < 2.0 * earned[1.0])
    assert np.all(earned[2.0] > earned[1.0])
    assert np.all(earned[2.0][:10] > 1.99 * earned[1.0][:10])


@pytest.mark.parametrize("off", ["volume", "fee", "liquidity", "low", "high"])
def test_no_fees_without_volume_fee_liquidity_or_out_of_range(lanes: Callable[..., Any], off: str) -> None:
    """Each at 0, or the price at an end of the range: no income, nothing burned."""
    block = ranged(lanes(), 0.0 if off == "liquidity" else 50e6, {"low": LOW, "high": HIGH}.get(off, 1.0))
    block.market(swap_volume=0.0 if off == "volume" else 1e7)
    if off == "fee":
        block.constant(**{"uniswap.fee": 0.0})
    supply = block["supply"]
    block.run("uniswap_market_operations")
    assert block.booked() == 0.0
    assert block["supply"] == supply


# -- arbitrage ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shares", "gap", "left", "typical"),
    [((0.35, 0.70), 0.001, 0.05e-4, 0.003e-4), ((0.35, 0.70), 0.005, 3e-4, 0.3e-4), ((0.20, 0.85), 0.01, 20e-4, 3e-4)],
)
def test_an_hour_closes_the_gap_to_within_the_fees(
    lanes: Callable[..., Any], shares: tuple[float, float], gap: float, left: float, typical: float
) -> None:
    """A 10–5,000, ranges of 0.1–500m beside a pool of 2bn: what still pays after one hour. Gaps to 10 bp leave 0.05 bp at most, to 50 bp 3 bp
    (0.3 bp in 99 of 100), to 100 bp beside a pool nearly off its plateau 20 bp (3 bp in 99 of 100), where neither range nor pool ends."""
    rng = np.random.default_rng(5)
    remains = []
    for _ in range(150):
        block = ranged(lanes(), np.exp(rng.uniform(math.log(1e5), math.log(5e8), LANES)), LOW + (HIGH - LOW) * rng.random(LANES))
        block["ann"] = 2.0 * np.exp(rng.uniform(math.log(10), math.log(5000), LANES))
        share = rng.uniform(*shares, LANES)
        block.pool(2e9 * share, 2e9 * (1 - share))
        before, x = np.maximum(*pays(block)), block.lanes("pool_x").copy()
        block.run_everywhere("uniswap_arbitrage")
        root = block.lanes("uniswap.root")
        inside = (root > LOW * (1 + 1e-12)) & (root < HIGH * (1 - 1e-12)) & (np.abs(block.lanes("pool_x") - x) < 0.499 * x)
        asked = inside & (before > 0.0) & (before <= gap)
        remains.append(np.maximum(*pays(block))[asked])
    found = np.concatenate(remains)
    assert found.size > 500
    assert found.max() < left
    assert np.quantile(found, 0.99) < typical


GAPS = st.fixed_dictionaries(
    {
        "share": st.floats(0.05, 0.95),
        "amplification": st.floats(100, 5000),
        "collateral": st.floats(1e4, 1e9),
        "at": st.floats(0.0, 1.0),
        "base_value": st.floats(0.9, 1.02),
        "collateral_price": st.floats(0.9, 1.02),
        "to_protocol": st.floats(0.0, 1.0),
    }
)


def apart(block: Any, drawn: dict[str, float]) -> Any:
    """Curve pool and range at prices of their own."""
    ranged(block, drawn["collateral"], LOW + (HIGH - LOW) * drawn["at"])
    block["ann"] = 2.0 * drawn["amplification"]
    block["base_value"], block["collateral_price"] = drawn["base_value"], drawn["collateral_price"]
    block.pool(2e9 * drawn["share"], 2e9 * (1 - drawn["share"]))
    block["supply"] = 8e9
    block.constant(protocol_admin_share=drawn["to_protocol"])
    return block


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=GAPS)
def test_arbitrage_moves_both_prices_together_and_stops_where_it_no_longer_pays(lanes: Callable[..., Any], drawn: dict[str, float]) -> None:
    """Where a direction pays, the dearer venue's price falls and the other's rises, the gap shrinks and the other direction does not open; where none
    pays, nothing moves at all. (A from 100: at A 10 beside a range a third of the pool's size a gap of 13% is overshot by 0.8%.)"""
    block = apart(lanes(), drawn)
    to_range, to_curve = (each[0] for each in pays(block))
    before = {name: block[name] for name in ("pool_x", "pool_y", "uniswap.root", "uniswap.x", "uniswap.y", "supply", "idle")}
    curve, root = curve_price(block)[0], before["uniswap.root"]
    block.run_everywhere("uniswap_arbitrage")
    if max(to_range, to_curve) <= 0.0:
        for name, value in before.items():
            assert block[name] == pytest.approx(value, rel=1e-14, abs=1e-3)
        assert abs(block.booked()) < 1e-3
        return
    way = 1.0 if to_range > 0.0 else -1.0
    rounding = 1e-12
    assert way * (curve_price(block)[0] - curve) >= -rounding
    assert way * (block["uniswap.root"] - root) <= rounding
    after = [each[0] for each in pays(block)]
    assert max(after) <= max(to_range, to_curve) + rounding
    assert after[1 if way > 0 else 0] <= 0.0


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=GAPS)
def test_arbitrage_conserves_every_token_and_is_paid_for(lanes: Callable[..., Any], drawn: dict[str, float]) -> None:
    """Stablecoin: what leaves the pool is in the range, burned, or the administrator's. Dollars: what both pools give up, fees included, is what
    the arbitrageur keeps and the administrator gets; neither loses. No more than half of the pool's stablecoin moves."""
    block = apart(lanes(), drawn)
    names = ("pool_x", "pool_y", "supply", "idle", "uniswap.x", "uniswap.y")
    before, gaps = {name: block[name] for name in names}, pays(block)
    block.run_everywhere("uniswap_arbitrage")
    change = {name: block[name] - before[name] for name in names}
    abroad, kept = 0.5 * (1.0 - drawn["to_protocol"]), 1.0 - 0.5 * FEE
    bought, sold = max(0.0, -change["pool_x"]) / kept, max(0.0, -change["pool_y"]) / kept
    outside = change["supply"] - change["pool_x"] - change["uniswap.x"]
    assert outside == pytest.approx(FEE * abroad * bought, abs=1e-5)
    rounding = 1e-3 + 2e-12 * block["uniswap.liquidity"]  # a root within 1e-12 of the range's end is put there
    given_up = -change["pool_y"] * drawn["base_value"] - (change["uniswap.y"] + change["idle"]) * drawn["collateral_price"]
    assert given_up >= FEE * abroad * sold * drawn["base_value"] - rounding
    assert given_up <= max(0.0, *(each[0] for each in gaps)) * abs(change["pool_x"]) * 1.2 + FEE * sold + rounding
    assert abs(change["pool_x"]) <= MOST_OF_POOL * before["pool_x"] * (1 + 1e-12)
    assert residual_D(block["pool_x"], block["pool_y"], block["ann"], block["d"]) < 1e-12


def test_without_liquidity_there_is_nothing_to_arbitrage(lanes: Callable[..., Any]) -> None:
    """No range of the AMO's: a pool at 0.97 stays where it is, and no line moves; with one it is bought up."""
    for tokens in (0.0, 50e6):
        block = ranged(lanes(), tokens)
        block["ann"] = 100.0
        block.pool(1.5e9, 0.7e9)
        x = block["pool_x"]
        block.run_everywhere("uniswap_arbitrage")
        assert (block["pool_x"] < x) == (tokens > 0.0)
        assert (abs(block.booked()) < 1e-5) == (tokens == 0.0)


def test_a_trade_of_next_to_nothing_takes_nothing_from_idle_collateral(lanes: Callable[..., Any]) -> None:
    """Nothing idle, the administrator's fees the protocol's: ranges of 1e-9 tokens and less, and large ones hour after hour at the point where
    nothing more pays. No fee of rounding errors leaves idle collateral under 0."""
    rng = np.random.default_rng(8)
    for collateral, hours in ((np.geomspace(1e-120, 1e-3, LANES), 1), (np.geomspace(1e6, 1e9, LANES), 8)):
        for _ in range(20):
            block = ranged(lanes(), collateral, rng.uniform(LOW, 1.0, LANES))
            block.constant(protocol_admin_share=1.0)
            block["ann"] = 24.0
            block.pool(rng.uniform(0.9e8, 1e8, LANES), 1.17e8)
            for _ in range(hours):
                block["idle"] = 0.0
                block.run_everywhere("uniswap_arbitrage")
                assert block.lanes("idle").min() >= 0.0


def test_the_balances_kept_beside_stay_those_of_the_formula(lanes: Callable[..., Any]) -> None:
    """2,000 hours of shocks to the pool, arbitrage, fees, liquidity added and removed: x and y as first computed and since then only added to
    are L (1/r − 1/r_high) and L (r − r_low) to 1e-9 of the range, and never negative."""
    rng = np.random.default_rng(6)
    block = ranged(lanes(), 100e6)
    block["idle"] = 2e9
    block.parameter(uniswap_cap=0.2, unwind_rate=0.05, idle_buffer=0.0, min_cr=0.0)
    block.market(swap_volume=1e6, gas_usd=500.0)
    share, moved, added = np.full(LANES, 0.5), 0, 0
    for _ in range(2000):
        share = np.clip(share + rng.normal(0.0, 0.05, LANES), 0.1, 0.9)
        block["d"], block["ann"] = 0.0, 400.0
        block.pool(2e9 * share, 2e9 * (1 - share))
        block["unwinding"] = rng.integers(0, 2, LANES)
        block["unwinding_hours"] = 100.0
        root, liquidity = block.lanes("uniswap.root").copy(), block.lanes("uniswap.liquidity").copy()
        block.run("uniswap_market_operations")
        block.run_everywhere("uniswap_arbitrage")
        block.run_everywhere("uniswap_operate")
        moved += int(np.sum(block.lanes("uniswap.root") != root))
        added += int(np.sum(block.lanes("uniswap.liquidity") > liquidity))
    x, y = formula(block)
    scale = block.lanes("uniswap.liquidity") * (HIGH - LOW)
    assert moved > 10_000
    assert added > 1_000
    assert np.all(np.abs(block.lanes("uniswap.x") - x) <= 1e-9 * scale + 1e-3)
    assert np.all(np.abs(block.lanes("uniswap.y") - y) <= 1e-9 * scale + 1e-3)
    assert block.lanes("uniswap.x").min() >= 0.0
    assert block.lanes("uniswap.y").min() >= 0.0


# -- liquidity ---------------------------------------------------------------------------------------------------------------------------


def ready(block: Any) -> Any:
    """1bn idle, every book at 0, room for 20%."""
    for name in ("curve.borrowed", "aave.borrowed", "curve.minted"):
        block[name] = 0.0
    block["idle"] = 1e9
    block.parameter(uniswap_cap=0.2, idle_buffer=0.0, min_cr=0.0)
    block.market(gas_usd=0.0)
    return block


def test_liquidity_is_added_in_the_ranges_own_proportion(lanes: Callable[..., Any]) -> None:
    """At a root off 1 stablecoin is minted as L (1/r − 1/r_high) beside L (r − r_low) of collateral; one liquidity, one root, and no income."""
    for root in (0.999, 1.0, 1.001):
        block = ranged(ready(lanes()), 0.0, root)
        nav, supply, idle = block.nav(), block["supply"], block["idle"]
        block.run_everywhere("uniswap_operate")
        x, y = formula(block)
        assert block["uniswap.liquidity"] > 1e9
        assert block["uniswap.x"] == pytest.approx(x[0], rel=1e-12)
        assert block["uniswap.y"] == pytest.approx(y[0], rel=1e-12)
        assert block["supply"] - supply == pytest.approx(x[0], abs=1e-5)
        assert idle - block["idle"] == pytest.approx(y[0], abs=1e-5)
        assert block.nav() == pytest.approx(nav, abs=1e-5)
        assert block.booked() == 0.0


def test_liquidity_is_added_in_the_middle_of_the_range_only(lanes: Callable[..., Any]) -> None:
    """In the inner half of the roots it is, in the outer ones it waits: an end is nearly all one coin."""
    block = ranged(ready(lanes()), 0.0, np.linspace(LOW, HIGH, LANES))
    block.run_everywhere("uniswap_operate")
    root = block.lanes("uniswap.root")
    middle = (root > 1.0 - HALF_RANGE * (1.0 - LOW)) & (root < 1.0 + HALF_RANGE * (HIGH - 1.0))
    assert 20 < middle.sum() < 44
    assert np.array_equal(block.lanes("uniswap.liquidity") > 0.0, middle)


@pytest.mark.parametrize(("root", "burns", "returns"), [(LOW, True, False), (1.0, True, True), (HIGH, False, True)])
def test_out_of_range_only_one_coin_comes_out(lanes: Callable[..., Any], root: float, *, burns: bool, returns: bool) -> None:
    """Below the range unwinding brings no collateral at all, only own stablecoin to burn; above it collateral alone; inside both. NAV pays the gas."""
    block = ranged(ready(lanes()), 100e6, root)
    block.parameter(unwind_rate=0.25)
    block.market(gas_usd=500.0)
    block["unwinding"], block["unwinding_hours"] = 1.0, 100.0
    nav, supply, idle = block.nav(), block["supply"], block["idle"]
    x, y = block["uniswap.x"], block["uniswap.y"]
    block.run_everywhere("uniswap_operate")
    assert supply - block["supply"] == pytest.approx(0.25 * x, abs=1e-5)
    assert block["idle"] - idle == pytest.approx(0.25 * y - 500.0, abs=1e-5)
    assert (block["supply"] < supply - 1e6) == burns
    assert (block["idle"] > idle + 1e6) == returns
    assert block["uniswap.liquidity"] == pytest.approx(75e6 / (1 - LOW), rel=1e-12)
    assert block.nav() - nav == pytest.approx(-500.0, abs=1e-5)


# -- in the whole model ------------------------------------------------------------------------------------------------------------------


def test_in_calm_both_venues_quote_one_price(frax: Study, refigured: Callable[..., Study]) -> None:
    """A range of 100m beside the pool for two and a half months: while it is in range the two prices are within the fees of each other in 99 of 100
    hours."""
    study = refigured(frax, {"amos.uniswap.liquidity": 100e6, "amos.uniswap.borrowed": 100e6, "amos.uniswap.minted": 100e6})
    series = trace(
        frax.current.replace(uniswap_cap=0.08), study, scenario="calm", paths=4, columns=("price", "uniswap_price", "uniswap_collateral")
    )
    inside = (series["uniswap_collateral"] > 1e6) & (np.abs(series["uniswap_price"] - 1.0) < 0.003)
    assert inside.mean() > 0.5
    apart_by = np.abs(series["price"] / series["uniswap_price"] - 1.0)[inside]
    assert np.mean(apart_by < FEE + RANGE_FEE + 1e-5) > 0.99
