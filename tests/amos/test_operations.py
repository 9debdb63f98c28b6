"""The operations every AMO has, held to the same rules: caps, the minter's books, `min_cr`, triggers and delay, gas, what leaving costs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from amo_opt.amos.layout import CONSTANT_INDEX, STATE_INDEX
from amo_opt.amos.minter import borrow_room, mint_room
from amo_opt.amos.triggers import CAP_TOLERANCE, SMALLEST_OPERATION
from amo_opt.protocol.collateral_ratio import scaled_at_cr
from amo_opt.protocol.market import LANES
from amo_opt.simulation.program import ROWS

BORROWED = ("curve.borrowed", "aave.borrowed", "investor.borrowed", "uniswap.borrowed")
MINTED = ("curve.minted", "fraxlend.minted", "uniswap.minted")
CAPS = ("curve_collateral_cap", "aave_cap", "investor_cap", "uniswap_cap", "curve_mint_cap", "fraxlend_cap")


def constant(block: Any, name: str) -> float:
    return float(block.c[CONSTANT_INDEX[name]])


def collateral(block: Any) -> float:
    """All collateral in tokens: the whole that collateral caps are shares of."""
    own = block["lp_amo"] / block["lp_supply"] * block["pool_y"] * block["base_value"] / block["collateral_price"]
    return block["idle"] + block["aave.lent"] + block["investor.lent"] + block["uniswap.y"] + own


def operate(block: Any, name: str) -> None:
    """What an AMO's team does, in every lane, whatever a light pass would flag."""
    if name == "curve":
        block.run_everywhere("scale")
    run = block.run if ROWS[f"{name}_operate"].active is None else block.run_everywhere
    run(f"{name}_operate")


@dataclass(frozen=True)
class Amo:
    """One AMO from outside: its name, its cap and what that is a share of, its position, its book, what its pace is a share of; ``steady``: what it
    deploys counts in `cr_contract` as before."""

    name: str
    cap: str
    book: str
    books: tuple[str, ...]
    position: Callable[[Any], float]
    place: Callable[[Any, float], None]
    steady: bool = False
    whole: Callable[[Any], float] = collateral
    pace: Callable[[Any], float] = collateral

    def operate(self, block: Any) -> None:
        operate(block, self.name)


def _place_lent(name: str) -> Callable[[Any, float], None]:
    def place(block: Any, tokens: float) -> None:
        block[f"{name}.lent"] = block[f"{name}.free"] = tokens

    return place


def _place_curve(block: Any, tokens: float) -> None:
    block["lp_amo"] = block["lp_supply"] * tokens / block["pool_y"]


def _place_range(block: Any, tokens: float) -> None:
    """A range at a price of 1 holding so much collateral."""
    low, high = constant(block, "uniswap.low"), constant(block, "uniswap.high")
    liquidity = tokens / (1.0 - low)
    block["uniswap.liquidity"], block["uniswap.root"] = liquidity, 1.0
    block["uniswap.x"], block["uniswap.y"] = liquidity * (1.0 - 1.0 / high), tokens


AMOS = {
    "curve": Amo(
        "curve",
        "curve_collateral_cap",
        "curve.borrowed",
        BORROWED,
        lambda block: block["lp_amo"] / block["lp_supply"] * block["pool_y"],
        _place_curve,
    ),
    "aave": Amo(
        "aave",
        "aave_cap",
        "aave.borrowed",
        BORROWED,
        lambda block: block["aave.lent"],
        _place_lent("aave"),
        steady=True,
    ),
    "collateral_investor": Amo(
        "investor",
        "investor_cap",
        "investor.borrowed",
        BORROWED,
        lambda block: block["investor.lent"],
        _place_lent("investor"),
        steady=True,
    ),
    "fraxlend": Amo(
        "fraxlend",
        "fraxlend_cap",
        "fraxlend.minted",
        MINTED,
        lambda block: block["fraxlend.lent"],
        _place_lent("fraxlend"),
        whole=lambda block: block["supply"],
        pace=lambda block: constant(block, "start_collateral"),
    ),
    "uniswap_v3": Amo("uniswap", "uniswap_cap", "uniswap.borrowed", BORROWED, lambda block: block["uniswap.y"], _place_range),
}


@pytest.fixture(params=AMOS)
def amo(request: pytest.FixtureRequest) -> Amo:
    return AMOS[request.param]


@pytest.fixture
def empty(lanes: Callable[..., Any]) -> Callable[..., Any]:
    """Builds a block in which no AMO has anything or may do anything: 1bn idle, books at 0, caps at 0, no buffer, no gas, no `min_cr`."""

    def build() -> Any:
        block = lanes()
        for name in ("aave.lent", "investor.lent", "lp_amo", *BORROWED, *MINTED):
            block[name] = 0.0
        block["idle"] = 1e9
        block["uniswap.root"] = 1.0
        block.parameter(**dict.fromkeys(CAPS, 0.0), idle_buffer=0.0, min_cr=0.0, pool_share_low=0.05, pool_share_high=0.99)
        block.market(gas_usd=0.0)
        return block

    return build


def hold(block: Any, amo: Amo, share: float) -> None:
    """Puts a position in place that is this share of what its cap is a share of."""
    amo.place(block, 0.0)
    rest = amo.whole(block)
    amo.place(block, share * rest if amo.books is MINTED else share * rest / (1.0 - share))


def ratios(block: Any) -> None:
    """Both collateral ratios of the state as it stands, as the end of an hour computes them."""
    block.run("collateral_ratios")


# -- caps --------------------------------------------------------------------------------------------------------------------------------


def moved_lanes(block: Any, before: np.ndarray) -> np.ndarray:
    """Which lanes an operation changed, beyond looking at the chain's ratio again."""
    rows = [index for name, index in STATE_INDEX.items() if name != "cr_contract"]
    return np.any(block.s.reshape(-1, LANES)[rows] != before.reshape(-1, LANES)[rows], axis=0)


@pytest.mark.parametrize("cap", [0.4, 0.0])
def test_it_deploys_to_its_cap_and_never_past_it(empty: Callable[..., Any], amo: Amo, cap: float) -> None:
    """Books that leave room: 1% of all collateral an hour at most, until what is missing is not worth an operation; a cap of 0 deploys nothing."""
    block = empty()
    block.parameter(**{amo.cap: cap})
    block[amo.book] = -5e9
    before, whole = 0.0, amo.whole(block)
    for _ in range(400):
        pace = 0.01 * amo.pace(block)
        amo.operate(block)
        now = amo.position(block)
        assert before <= now <= before + pace * (1 + 1e-12)
        assert now <= cap * amo.whole(block) * (1 + 1e-12)
        before = now
    assert cap * amo.whole(block) - before <= 1.0001 * SMALLEST_OPERATION * amo.pace(block)
    assert block["fault"] == 0.0
    if cap == 0.0:
        assert before == 0.0
        assert amo.whole(block) == whole


@pytest.mark.parametrize("price", [1.0, 0.9])
def test_caps_and_pace_are_shares_of_all_collateral(empty: Callable[..., Any], price: float) -> None:
    """50m in every AMO beside what is idle, prices at 1 and under it: each brings 1% of it all in an hour, its own position and the others' counted."""
    for amo in (each for each in AMOS.values() if each.books is BORROWED):
        block = empty()
        block["collateral_price"] = block["base_value"] = price
        for each in AMOS.values():
            each.place(block, 50e6)
        block.parameter(**{amo.cap: 0.5})
        total = 1e9 + 4 * 50e6
        assert collateral(block) == pytest.approx(total, rel=1e-9)
        amo.operate(block)
        assert block[amo.book] == pytest.approx(0.01 * total, rel=1e-6)


def test_a_position_a_little_over_its_cap_is_left_alone(empty: Callable[..., Any], amo: Amo) -> None:
    """Over by less than the tolerance: no operation. Over by five times it: returned until it is within the tolerance, and never under the cap."""
    block = empty()
    block.parameter(**{amo.cap: 0.2})
    block.constant(deploy_rate=1.0)
    hold(block, amo, 0.2 + 0.9 * CAP_TOLERANCE)
    before = block.s.copy()
    amo.operate(block)
    assert not np.any(moved_lanes(block, before))
    hold(block, amo, 0.2 + 5 * CAP_TOLERANCE)
    for _ in range(5):
        amo.operate(block)
    assert block[amo.book] < 0.0
    assert 0.2 * (1 - 1e-9) <= amo.position(block) / amo.whole(block) <= 0.2 + CAP_TOLERANCE


def test_the_return_keeps_the_pace(empty: Callable[..., Any], amo: Amo) -> None:
    """A cap lowered to 0: 1% of all collateral comes back in the first hour, not all of it."""
    block = empty()
    amo.place(block, 100e6)
    pace = 0.01 * amo.pace(block)
    amo.operate(block)
    assert block[amo.book] == pytest.approx(-pace, rel=1e-6)


# -- the minter's books ------------------------------------------------------------------------------------------------------------------


def test_room_is_the_cap_less_the_sum_of_signed_books(empty: Callable[..., Any]) -> None:
    """What others returned beyond what they were given is room; a sum over the cap leaves none, never less."""
    for room in (mint_room, borrow_room):
        assert room(100.0, 80.0) == 20.0
        assert room(100.0, -20.0) == 120.0
        assert room(100.0, 110.0) == 0.0
    block = empty()
    block["curve.minted"], block["fraxlend.minted"], block["uniswap.minted"] = 50.0, -20.0, 10.0
    block["curve.borrowed"], block["aave.borrowed"], block["investor.borrowed"], block["uniswap.borrowed"] = 40.0, -30.0, 20.0, 5.0
    assert (block["minted"], block["borrowed"]) == (40.0, 35.0)


def given_room(block: Any, amo: Amo, room: float) -> float:
    """Leaves so much room under the global cap, and returns the other AMOs' book that does it."""
    block.constant(deploy_rate=1.0)
    block.parameter(**{amo.cap: 0.4})
    whole = "start_collateral" if amo.books is BORROWED else "start_supply"
    return 0.4 * constant(block, whole) - room


def test_the_global_cap_binds_on_the_sum_of_all_books(empty: Callable[..., Any], amo: Amo) -> None:
    """Own room for hundreds of millions, 100m under the minter's cap: 100m is deployed. 20m more in anybody's book leaves 80m, 20m less 120m."""
    other = next(name for name in amo.books if name != amo.book)
    for book in amo.books:
        for change in (0.0, 20e6, -20e6):
            block = empty()
            block[other] = given_room(block, amo, 100e6)
            block[book] += change
            before = block[amo.book]
            amo.operate(block)
            assert block[amo.book] - before == pytest.approx(100e6 - change, rel=1e-9)


def test_over_the_global_cap_nothing_is_deployed(empty: Callable[..., Any], amo: Amo) -> None:
    """One book alone takes the minter's whole cap: the others' room is none, though their own caps are far."""
    other = next(name for name in amo.books if name != amo.book)
    block = empty()
    block[other] = given_room(block, amo, -1.0)
    before = block.s.copy()
    amo.operate(block)
    assert not np.any(moved_lanes(block, before))


def test_the_uniswap_range_mints_beside_what_it_borrows(empty: Callable[..., Any]) -> None:
    """Its stablecoin counts under the minter's mint cap: 30m of room lets in as much collateral as goes with 30m."""
    block = empty()
    block.constant(deploy_rate=1.0)
    block.parameter(uniswap_cap=0.4)
    block["curve.minted"] = 0.4 * constant(block, "start_collateral") - 30e6
    operate(block, "uniswap")
    assert block["uniswap.minted"] == pytest.approx(30e6, rel=1e-9)
    assert block["uniswap.x"] == pytest.approx(30e6, rel=1e-9)
    assert block["uniswap.borrowed"] == block["uniswap.y"] == pytest.approx(30e6, rel=0.01)


def test_the_curve_amos_mint_is_under_both_caps(empty: Callable[..., Any]) -> None:
    """Stablecoin missing from the pool by far: what is minted ends at its own share of supply or at the minter's room, whichever is nearer."""
    for room, minted in ((30e6, 30e6), (200e6, 100e6)):
        block = empty()
        block.pool(0.8e9, 1.2e9)
        block.parameter(curve_mint_cap=0.4, pool_share_low=0.5, pool_share_high=0.9, rebalance_rate=1.0)
        block["curve.minted"] = 0.4 * block["supply"] - 100e6
        block["fraxlend.minted"] = 0.4 * constant(block, "start_supply") - block["curve.minted"] - room
        before = block["curve.minted"]
        operate(block, "curve")
        assert block["curve.minted"] - before == pytest.approx(minted, rel=1e-6)


def test_the_idle_buffer_is_never_deployed(empty: Callable[..., Any], amo: Amo) -> None:
    """Cap 1, buffer 0.55: what collateral AMOs take leaves 55% of all collateral idle; a buffer of 1 shuts them. Fraxlend takes none."""
    for buffer in (0.55, 1.0):
        block = empty()
        block.constant(deploy_rate=1.0)
        block.parameter(**{amo.cap: 1.0}, idle_buffer=buffer)
        block["aave.borrowed"] = -5e9
        for _ in range(20):
            amo.operate(block)
        if amo.books is MINTED:
            assert block["idle"] == 1e9
        else:
            assert block["idle"] >= buffer * collateral(block) * (1 - 1e-9)
            assert (amo.position(block) > 0.0) == (buffer < 1.0)


def test_books_follow_what_moves(empty: Callable[..., Any], amo: Amo) -> None:
    """What is deployed enters the book, what is returned leaves it, into the negative where more comes back than went out."""
    block = empty()
    block.parameter(**{amo.cap: 0.2})
    amo.operate(block)
    given = block[amo.book]
    assert given == pytest.approx(0.01 * amo.pace(block), rel=1e-2)
    block.parameter(**{amo.cap: 0.0})
    amo.place(block, 300e6)
    block.constant(deploy_rate=1.0)
    amo.operate(block)
    assert block[amo.book] < -100e6


# -- min_cr ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("above", "opens"), [(0.05, True), (-1e-9, False)])
def test_nothing_is_deployed_under_min_cr(empty: Callable[..., Any], amo: Amo, above: float, *, opens: bool) -> None:
    """`cr_contract` above `min_cr`: open; a hair under it: shut."""
    block = empty()
    block["supply"] = 2e9
    ratios(block)
    block.parameter(**{amo.cap: 0.2}, min_cr=block["cr_contract"] - above)
    amo.operate(block)
    assert (amo.position(block) > 0.0) == opens


def test_no_deployment_leaves_the_ratio_under_min_cr(empty: Callable[..., Any], amo: Amo) -> None:
    """Random states whose ratio stands near `min_cr`, small and large steps: what is done leaves `cr_contract` at or above it, what would not
    leaves no trace, no lane faults, and the ratio an operation leaves behind is the one the end of the hour computes."""
    rng = np.random.default_rng(3)
    done = refused = 0
    for _ in range(40):
        block = empty()
        block["supply"] = 2.3e9
        block["idle"] = rng.uniform(2.0e9, 2.1e9, LANES)
        block["collateral_ratio"] = rng.uniform(0.3, 0.8)
        block["scaled_cr"] = scaled_at_cr(block["collateral_ratio"], block["ann"])[0]
        block["lp_amo"] = 0.3 * block["lp_supply"]  # at a price of CR the pool would hold all stablecoin that exists
        amo.place(block, 50e6)
        block.constant(deploy_rate=math.exp(rng.uniform(-6.0, -2.0)))
        ratios(block)
        min_cr = float(np.quantile(block.lanes("cr_contract"), rng.uniform(0.1, 0.9)))
        block.parameter(**{amo.cap: 0.9}, min_cr=min_cr)
        block.market(gas_usd=0.0 if amo.steady else 500.0)
        ready, before = block.lanes("cr_contract") >= min_cr, block.s.reshape(-1, LANES).copy()
        amo.operate(block)
        moved = moved_lanes(block, before)
        left = block.lanes("cr_contract").copy()
        ratios(block)
        assert np.all(left[moved] >= min_cr)
        assert left[moved] == pytest.approx(block.lanes("cr_contract")[moved], rel=1e-12)
        assert not np.any(moved & ~ready)
        assert not block.lanes("fault").any()
        done += int(np.sum(moved))
        refused += int(np.sum(ready & ~moved))
    assert done > 200
    assert refused > 200 or (refused == 0 and amo.steady)


# -- triggers ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delay", [0, 6])
def test_unwinding_begins_after_the_response_delay(empty: Callable[..., Any], amo: Amo, delay: int) -> None:
    """Nothing leaves in the hours of the delay, a tenth of what is left an hour after it; at a rate of 0 nothing ever does."""
    for rate in (0.1, 0.0):
        block = empty()
        block.parameter(**{amo.cap: 0.9}, unwind_rate=rate)
        block.constant(response_delay=float(delay))
        amo.place(block, 100e6)
        block["unwinding"] = 1.0
        for hour in range(1, delay + 4):
            block["unwinding_hours"] = hour
            amo.operate(block)
            assert amo.position(block) == pytest.approx(100e6 * (1.0 - rate) ** max(0, hour - delay), rel=1e-9)


def test_a_remainder_nobody_signs_for_stays(empty: Callable[..., Any], amo: Amo) -> None:
    """A tenth of 4,000 dollars is not worth an operation, a tenth of 40,000 is."""
    for tokens, leaves in ((4e3, False), (40e3, True)):
        block = empty()
        block.parameter(**{amo.cap: 0.9}, unwind_rate=0.1)
        amo.place(block, tokens)
        block["unwinding"], block["unwinding_hours"] = 1.0, 100.0
        amo.operate(block)
        assert (amo.position(block) < 0.95 * tokens) == leaves


def test_the_smallest_operation_is_a_thousand_dollars(empty: Callable[..., Any], amo: Amo) -> None:
    """A protocol so small that its gap to the cap is a few hundred dollars is left alone; at a few thousand it deploys."""
    for room, deploys in ((900.0, False), (9000.0, True)):
        block = empty()
        other = next(name for name in amo.books if name != amo.book)
        block[other] = given_room(block, amo, room)
        block["idle"] = room
        block.constant(start_collateral=1e4) if amo.books is MINTED else None
        amo.operate(block)
        assert (amo.position(block) > 0.0) == deploys


def test_nothing_is_deployed_while_unwinding(empty: Callable[..., Any], amo: Amo) -> None:
    """Room under every cap and idle to spare, but unwinding: nothing goes in, from the trigger's hour; once it is over, it does."""
    block = empty()
    block.parameter(**{amo.cap: 0.4})
    block["unwinding"], block["unwinding_hours"] = 1.0, 1.0
    before = block.s.copy()
    amo.operate(block)
    assert not np.any(moved_lanes(block, before))
    block["unwinding"] = 0.0
    amo.operate(block)
    assert amo.position(block) > 0.0


# -- what operations cost ----------------------------------------------------------------------------------------------------------------


def test_an_operation_pays_gas_and_no_operation_none(empty: Callable[..., Any], amo: Amo) -> None:
    """500 dollars of gas at a coin of 0.8: 625 tokens leave idle collateral with the operation, and the line shows 500; an hour of rest is free."""
    for gas in (500.0, 0.0):
        block = empty()
        block.constant(fee=0.0, base_fee=0.0)
        block["collateral_price"] = block["base_value"] = 0.8
        block.parameter(**{amo.cap: 0.9}, unwind_rate=0.5)
        block.market(gas_usd=gas)
        amo.place(block, 2.0**27)
        block["unwinding"] = 1.0
        idle = block["idle"]
        amo.operate(block)
        assert block["idle"] == idle
        assert block.booked() == 0.0
        block["unwinding_hours"] = 100.0
        amo.operate(block)
        assert block["income_market_operations"] == pytest.approx(-gas, abs=1e-5)
        assert block.booked() == block["income_market_operations"]
        returned = -block[amo.book] if amo.books is BORROWED else 0.0
        assert block["idle"] - idle == pytest.approx(returned - gas / 0.8, abs=1e-5)


def test_gas_is_never_more_than_what_is_idle(empty: Callable[..., Any], amo: Amo) -> None:
    """Gas dearer than the operation's proceeds and all that is idle: idle collateral ends at 0, not under it."""
    block = empty()
    block["idle"] = 100.0
    block.parameter(**{amo.cap: 0.9}, unwind_rate=1.0)
    block.market(gas_usd=1e6)
    amo.place(block, 5e4)
    block["unwinding"], block["unwinding_hours"] = 1.0, 100.0
    amo.operate(block)
    assert block["idle"] == pytest.approx(0.0, abs=1e-9)
    assert block["idle"] >= 0.0


@pytest.mark.parametrize("name", [name for name in AMOS if name != "curve"])  # Curve's: test_curve
def test_withdraw_and_burn_changes_nav_by_exactly_nothing(empty: Callable[..., Any], name: str) -> None:
    """Half of the position out, its stablecoin burned, no gas: NAV and every line are what they were, to the last digit."""
    amo = AMOS[name]
    block = empty()
    block.parameter(**{amo.cap: 0.9}, unwind_rate=0.5)
    amo.place(block, 2.0**27)
    block["idle"], block["supply"] = 2.0**30, 2.0**31
    if amo.name == "uniswap":
        block["uniswap.x"] = 2.0**26
    block["unwinding"], block["unwinding_hours"] = 1.0, 100.0
    nav = block.nav()
    amo.operate(block)
    assert amo.position(block) == 2.0**26
    burned = {"fraxlend": 2.0**26, "uniswap_v3": 2.0**25}.get(name, 0.0)
    assert block["supply"] == 2.0**31 - burned
    assert block.nav() == nav
    assert block.booked() == 0.0
