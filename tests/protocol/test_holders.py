"""Who leaves and who buys."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amo_opt.protocol.holders import MOST_WANTED, circulating
from amo_opt.protocol.market import LANES
from amo_opt.stableswap.invariant import get_y, scaled_x_at_price

Effect = Callable[..., tuple[np.ndarray, np.ndarray]]


def at_price(block: Any, price: float | np.ndarray) -> None:
    """Moves the pool along its D to a price."""
    ann, d = block["ann"], block["d"]
    scaled = np.array([scaled_x_at_price(float(one), ann)[0] for one in np.broadcast_to(price, LANES)])
    block["pool_x"] = scaled * d
    block["pool_y"] = np.array([get_y(x, d, ann) for x in scaled * d])


def outside_liquidity(block: Any) -> np.ndarray:
    """What is not the AMO's of the pool, in units of D."""
    return (1.0 - block.lanes("lp_amo") / block.lanes("lp_supply")) * block.lanes("d")


# -- outside providers: flight -----------------------------------------------------------------------------------------------------------


def test_outside_providers_leave_with_both_sides_and_the_amo_keeps_its_own(invested_everywhere: Callable[..., Any], effect: Effect) -> None:
    """News takes 10% of the outside's fifth: the pool shrinks by 2% in proportion, their stablecoin queues to be sold, the AMO's
    balances, supply and NAV do not change."""
    block = invested_everywhere()
    x, y, supply = block["pool_x"], block["pool_y"], block["supply"]
    block.constant(lp_flight_share=1.0)
    block.market(lp_exit=0.1)
    moved, booked = effect(block, lambda: block.run("lp_flight"))
    assert block["pool_x"] == pytest.approx(0.98 * x)
    assert block["pool_y"] == pytest.approx(0.98 * y)
    assert block["queue"] == pytest.approx(0.02 * x)
    own = block["lp_amo"] / block["lp_supply"]
    assert own * block["pool_x"] == pytest.approx(0.8 * x)
    assert block["supply"] == supply
    assert np.abs(moved).max() < 1e-5
    assert np.abs(booked).max() < 1e-5


@pytest.mark.parametrize("rate", [0.2, 0.0])
def test_flight_begins_above_its_share(lanes: Callable[..., Any], rate: float) -> None:
    """At the flight share nobody flees; each 0.1 above it adds a tenth of the hourly rate; at a rate of 0 nobody ever flees."""
    block = lanes()
    block.constant(lp_return_rate=0.0, lp_flight_rate=rate)
    block.pool(0.65e9, 0.35e9)
    block.run("lp_flight")
    assert block["queue"] == 0.0
    block.pool(0.75e9, 0.25e9)
    block.run("lp_flight")
    assert block["queue"] == pytest.approx(rate * 0.1 * 0.2 * 0.75e9)


def test_without_outside_providers_there_is_no_flight(lanes: Callable[..., Any]) -> None:
    """All liquidity the AMO's own: at any share and news the pool stays as it is, and nothing queues."""
    block = lanes()
    block.pool(0.9e9, 0.1e9)
    block["lp_amo"] = block["lp_supply"]
    before = block.s.copy()
    block.market(lp_exit=0.5)
    block.run("lp_flight")
    assert np.array_equal(block.s, before)


def test_outside_providers_come_back_where_nobody_flees(lanes: Callable[..., Any], effect: Effect) -> None:
    """Half of the outside's liquidity gone, the pool balanced: the stated share of what is missing returns in an hour, both sides in
    proportion; the AMO's balances, supply and NAV do not change. Not while anyone flees, nor where nothing is missing."""
    block = lanes()
    d, own = block["d"], block["lp_amo"] / block["lp_supply"]
    x, supply = block["pool_x"], block["supply"]
    block.constant(start_outside=2.0 * (1.0 - own) * d, start_external=supply - own * x, lp_return_rate=0.002, lp_flight_share=1.0)
    moved, _ = effect(block, lambda: block.run("lp_flight"))
    joined = 0.002 * (1.0 - own)
    assert block["d"] == pytest.approx(d * (1.0 + joined))
    assert block["pool_x"] == pytest.approx(x * (1.0 + joined))
    assert block["lp_amo"] / block["lp_supply"] * block["pool_x"] == pytest.approx(own * x)
    assert (block["queue"], block["supply"]) == (0.0, supply)
    assert np.abs(moved).max() < 1e-5
    for refused in ({"start_outside": 0.5 * (1.0 - own) * d}, {"lp_flight_share": 0.1}):
        block = lanes()
        before = block["d"]
        block.constant(start_external=supply - own * x, lp_return_rate=0.002, **refused)
        block.run("lp_flight")
        assert block["d"] <= before


# -- outside providers: their yield ------------------------------------------------------------------------------------------------------


def settled_liquidity(block: Any, response: float, richer: float, hours: int = 6000) -> float:
    """Outside liquidity over its start's after many hours at ``richer`` times the start's yield."""
    own, d = block["lp_amo"] / block["lp_supply"], block["d"]
    block.constant(lp_yield_response=response, lp_return_rate=0.005, lp_flight_share=1.0)
    block.constant(start_outside=(1 - own) * d, start_external=block["supply"] - own * block["pool_x"])
    start = float(outside_liquidity(block)[0])
    block["outside_yield_start"] = 1e-5
    block["outside_yield"] = richer * 1e-5
    block.run(*["lp_flight"] * hours)
    return float(outside_liquidity(block)[0]) / start


@pytest.mark.parametrize(("response", "richer", "multiple"), [(1.0, 2.0, 2.0), (0.5, 2.0, 1.5), (1.0, 0.4, 0.4), (2.0, 0.4, 0.0)])
def test_liquidity_goes_where_its_yield_draws_it(lanes: Callable[..., Any], response: float, richer: float, multiple: float) -> None:
    """Wanted is 1 + response × (yield over the start's − 1) times the start's liquidity: it goes there, and stops there."""
    block = lanes()
    assert settled_liquidity(block, response, richer) == pytest.approx(multiple, abs=2e-3)


def test_no_yield_draws_more_than_a_multiple(lanes: Callable[..., Any]) -> None:
    """A hundred times the yield draws four times the liquidity, no more."""
    block = lanes()
    block["supply"] = 1e11
    assert settled_liquidity(block, 1.0, 100.0) == pytest.approx(MOST_WANTED, rel=1e-6)


@pytest.mark.parametrize("richer", [0.0, 0.5, 1.0, 10.0])
def test_at_no_response_yields_move_nobody(lanes: Callable[..., Any], richer: float) -> None:
    """Response 0: whatever the yield, liquidity stays at the start's, and comes back to it when some is gone, as fast as before."""
    block = lanes()
    assert settled_liquidity(block, 0.0, richer, hours=200) == pytest.approx(1.0, rel=1e-9)
    start = float(outside_liquidity(block)[0])
    block.constant(start_outside=2.0 * start)
    block.run("lp_flight")
    assert outside_liquidity(block)[0] == pytest.approx(start * 1.005, rel=1e-9)


def test_no_return_rate_and_liquidity_stays(lanes: Callable[..., Any]) -> None:
    """At a return rate of 0 neither a missing half nor a tenfold yield moves anything."""
    block = lanes()
    own, d = block["lp_amo"] / block["lp_supply"], block["d"]
    block.constant(lp_return_rate=0.0, lp_yield_response=3.0, start_outside=2.0 * (1 - own) * d, lp_flight_share=1.0)
    block["outside_yield_start"], block["outside_yield"] = 1e-5, 1e-4
    block.run("lp_flight")
    assert block["d"] == pytest.approx(d, rel=1e-13)


def test_providers_bring_no_stablecoin_that_is_not_there(invested_everywhere: Callable[..., Any]) -> None:
    """However much is wanted, an hour brings at most half of the stablecoin that is neither in the pool, nor waiting to be sold, nor in the
    protocol's other venues; where none is left nothing comes."""
    for left in (10e6, 0.0):
        block = invested_everywhere()
        block.constant(lp_return_rate=1.0, lp_flight_share=1.0, lp_yield_response=3.0)
        block["outside_yield_start"], block["outside_yield"] = 1e-5, 1e-4
        x = block["pool_x"]
        block["queue"] = block["supply"] - x - block["uniswap.x"] - block["fraxlend.free"] - left
        block.run("lp_flight")
        assert block["pool_x"] - x == pytest.approx(0.5 * left, rel=1e-6, abs=1e-3)


def test_liquidity_follows_the_external_supply_down(lanes: Callable[..., Any]) -> None:
    """Half of the external supply gone, half of the outside's liquidity is wanted: the gap closes by its share an hour."""
    block = lanes()
    own, d = block["lp_amo"] / block["lp_supply"], block["d"]
    external = block["supply"] - own * block["pool_x"]
    block.constant(start_outside=(1 - own) * d, start_external=2 * external, lp_return_rate=0.01, lp_flight_share=1.0)
    block.run("lp_flight")
    assert outside_liquidity(block)[0] == pytest.approx((1 - own) * d * (1 - 0.01 * 0.5), rel=1e-9)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    share=st.floats(0.05, 0.95),
    own=st.floats(0.0, 1.0),
    exits=st.floats(0.0, 1.0),
    richer=st.floats(0.0, 100.0),
    queue=st.floats(0.0, 1.0),
    rate=st.floats(0.0, 1.0),
)
def test_providers_bring_and_take_what_exists(
    invested_everywhere: Callable[..., Any],
    effect: Effect,
    share: float,
    own: float,
    exits: float,
    richer: float,
    queue: float,
    rate: float,
) -> None:
    """Whatever moves them: NAV, supply and the AMO's balances do not change, the pool keeps its composition, those who wait outside have
    the stablecoin they wait with."""
    block = invested_everywhere()
    block.pool(2.4e9 * share, 2.4e9 * (1 - share))
    block["lp_amo"] = own * block["lp_supply"]
    block["queue"] = queue * (block["supply"] - block["pool_x"] - block["uniswap.x"] - block["fraxlend.free"])
    block.constant(lp_return_rate=rate, lp_yield_response=3.0)
    block["outside_yield_start"], block["outside_yield"] = 1e-5, richer * 1e-5
    block.market(lp_exit=exits)
    x, y, supply = block["pool_x"], block["pool_y"], block["supply"]
    moved, _ = effect(block, lambda: block.run("lp_flight"))
    assert np.abs(moved).max() < 1e-4
    assert block["supply"] == supply
    assert block["pool_x"] * y == pytest.approx(block["pool_y"] * x, rel=1e-12)
    assert block["lp_amo"] / block["lp_supply"] * block["pool_x"] == pytest.approx(own * x, rel=1e-9, abs=1e-3)
    assert block["pool_x"] > 0.0
    outside = block["supply"] - block["pool_x"] - block["uniswap.x"] - block["fraxlend.free"]
    assert block["queue"] <= outside * (1 + 1e-9) + 1e-3


# -- the hazard --------------------------------------------------------------------------------------------------------------------------


def test_only_rounding_is_made_up_for() -> None:
    """Where all that was outside is gone the supply is what is held, to the last digits; a supply that is short of it by more stays short, and one that is not stays as it is, to the bit."""
    assert circulating(6.4e10, 306.8389746, 306.8389753) == 306.8389753
    assert circulating(6.4e10, 306.0, 306.8389753) == 306.0
    assert circulating(1000.0, 306.8389746, 306.8389753) == 306.8389746
    assert circulating(1000.0, 700.1, 306.8389753) == 700.1


def test_nobody_runs_within_a_cent_of_exit_value(lanes: Callable[..., Any]) -> None:
    """Price ≥ 0.99 of exit value and no gap: no hazard. Just below, news; 5% below, news and price in full."""
    block = lanes()
    at_price(block, np.linspace(0.99, 1.01, LANES))
    block.run("demand")
    assert np.all(block.lanes("fatigue") == 0.0)
    for price, a_day in ((0.985, 0.03 + 0.20 * 0.005 / 0.04), (0.94, 0.03 + 0.20)):
        block["fatigue"] = 0.0
        at_price(block, price)
        block.run("demand")
        assert block["fatigue"] == pytest.approx(a_day / 24, rel=1e-6)


@pytest.mark.parametrize("which", ["hazard_news", "hazard_price", "hazard_collateral", "hazard_share"])
def test_each_part_of_the_hazard_has_its_switch(lanes: Callable[..., Any], which: str) -> None:
    """Price 6% down, cover 0.1 short, the share token collapsed: news 3%, price 20%, gap 5% and share token 65% a day; with one figure at
    0 its part is gone and the others stand."""
    parts = {"hazard_news": 0.03, "hazard_price": 0.20, "hazard_collateral": 0.5 * 0.1, "hazard_share": 0.65}
    block = lanes()
    at_price(block, 0.94)
    block["cr_par"] = block["cr_par_start"] - 0.1
    block["share_price"] = 0.2 * block["share_slow"]
    block.constant(**{which: 0.0})
    block.run("demand")
    assert block["fatigue"] == pytest.approx((sum(parts.values()) - parts[which]) / 24, rel=1e-6)


def test_a_fall_of_the_collateral_itself_is_no_run(lanes: Callable[..., Any]) -> None:
    """March 2023: stablecoin and USDC both at 0.88, nobody leaves; the same price with USDC at par is a run."""
    block = lanes()
    block["base_value"] = block["collateral_price"] = 0.88
    block.run("demand")
    assert block["fatigue"] == 0.0
    block["collateral_price"] = block["base_value"] = 1.0
    at_price(block, 0.88)
    block.run("demand")
    assert block["fatigue"] > 0.2 / 24


def test_the_hazard_grows_with_the_collateral_gap_beyond_its_start(lanes: Callable[..., Any]) -> None:
    """At the peg a gap makes nobody leave. Off it, the gap that stood at the start is no reason, and each point more adds its rate."""
    block = lanes()
    block["cr_par"] = block["cr_par_start"] - 0.2
    block.run("demand")
    assert np.all(block.lanes("fatigue") == 0.0)
    at_price(block, 0.98)
    block["cr_par"] = block["cr_par_start"] - np.linspace(-0.1, 0.3, LANES)
    block.run("demand")
    gaps = np.maximum(np.linspace(-0.1, 0.3, LANES), 0.0)
    assert block.lanes("fatigue") == pytest.approx((0.03 + 0.20 * 0.25 + 0.5 * gaps) / 24, rel=1e-6)


def test_the_hazard_fades_as_those_who_would_run_have_run(lanes: Callable[..., Any]) -> None:
    """A run that stands for a year ends with at most the share of holders that would ever run gone."""
    block = lanes()
    at_price(block, 0.94)
    block.constant(memory_decay=1.0)
    hazards = []
    for _ in range(24 * 60):
        before = block["fatigue"]
        block.run("demand")
        block["queue"] = 0.0
        hazards.append(block["fatigue"] - before)
    assert all(later <= earlier for earlier, later in itertools.pairwise(hazards))
    assert block["fatigue"] <= 0.6


# -- what one is worth, and who trades on it ---------------------------------------------------------------------------------------------


def test_one_is_worth_what_stands_behind_it(lanes: Callable[..., Any]) -> None:
    """Exit value × (backing + (1 − backing) × cover): backing is `cr_external`, at most the collateral ratio; cover is the share token's
    market value over what is algorithmic, at most 1. A share token worth nothing leaves the backing, one worth enough the exit value."""
    block = lanes()
    block["collateral_price"], block["base_value"] = 0.96, 0.97
    block["cr_par"] = 0.8
    external = block["supply"] - block["lp_amo"] / block["lp_supply"] * block["pool_x"]
    cover = np.linspace(0.0, 1.5, LANES)
    block["share_price"] = cover * 0.2 * external / block["share_supply"]
    block.run("demand")
    assert block.lanes("backing_value") == pytest.approx(0.96 * (0.8 + 0.2 * np.minimum(cover, 1.0)), rel=1e-8)
    block["cr_par"], block["collateral_ratio"], block["share_price"] = 0.9, 0.7, 0.0
    block.run("demand")
    assert block["backing_value"] == pytest.approx(0.96 * 0.7, rel=1e-8)


@pytest.mark.parametrize(("buyers", "sellers"), [(0.3, 0.1), (0.0, 0.1), (0.3, 0.0)])
def test_traders_of_value_buy_below_and_sell_above(lanes: Callable[..., Any], buyers: float, sellers: float) -> None:
    """Worth 0.9: at 0.88 buyers take their rate × (2 cents − 0.1) of the external supply in an hour, at 0.93 sellers bring theirs × (3 cents
    − 1), at 0.905 nobody comes; at a rate of 0 that side never does. Bargain hunters do not wait."""
    block = lanes()
    block.constant(value_buyers=buyers, value_sellers=sellers, hazard_news=0.0, hazard_price=0.0)
    block["cr_par"] = block["cr_par_start"] = 0.8
    own = block["lp_amo"] / block["lp_supply"]
    external = block["supply"] - own * block["pool_x"]
    block["share_price"] = 0.5 * 0.2 * external / block["share_supply"]
    block["share_slow"] = block["share_price"]
    for price, bought, sold in ((0.88, buyers * 0.019, 0.0), (0.93, 0.0, sellers * 0.02), (0.905, 0.0, 0.0)):
        at_price(block, price)
        # the pool's move is the holders', so that external supply stays what it was
        block["supply"] = external + own * block["pool_x"]
        block["queue"] = block["buy_queue"] = 0.0
        block.run("demand")
        assert block["backing_value"] == pytest.approx(0.9, rel=1e-7)
        assert block["buy_demand"] == pytest.approx(bought * external, rel=1e-6, abs=1e-6)
        assert block["sell_demand"] == pytest.approx(sold * external, rel=1e-6, abs=1e-6)
        assert block["buy_queue"] == 0.0


# -- both queues -------------------------------------------------------------------------------------------------------------------------


def users(block: Any) -> float:
    """External supply, whose share calm demand is."""
    own = block["lp_amo"] / block["lp_supply"]
    return block["supply"] - own * block["pool_x"] - block["uniswap.x"] - block["fraxlend.free"]


def test_sellers_and_buyers_of_an_hour_meet_first(lanes: Callable[..., Any]) -> None:
    """At most one of both sides is left for the pool, and what met has left the queues."""
    block = lanes()
    block["queue"] = np.linspace(0.0, 40e6, LANES)
    block["buy_queue"] = 5e6
    block.market(flow=15e6 / users(block))
    block.run("demand")
    selling, buying = block.lanes("sell_demand"), block.lanes("buy_demand")
    assert np.all((selling == 0.0) | (buying == 0.0))
    assert buying - selling == pytest.approx(20e6 - np.linspace(0.0, 40e6, LANES), abs=1e-3)
    assert np.array_equal(block.lanes("queue"), selling)
    assert np.array_equal(block.lanes("buy_queue"), buying)


def test_who_waits_to_buy_comes_again(lanes: Callable[..., Any]) -> None:
    """The buy queue is part of the next hour's demand; without it there is none."""
    for waiting in (7e6, 0.0):
        block = lanes()
        at_price(block, 1.0)
        block["buy_queue"] = waiting
        block.run("demand")
        assert block["buy_demand"] == block["buy_queue"] == waiting


def test_bargain_hunters_do_not_wait(lanes: Callable[..., Any]) -> None:
    """At a discount those who came for it buy beside 7m of calm demand; only the calm ones stand in the queue."""
    block = lanes()
    block.constant(hazard_news=0.0, hazard_price=0.0)
    at_price(block, 0.98)
    block["buy_queue"] = 7e6
    block.run("demand")
    assert block["buy_demand"] > 8e6
    assert block["buy_queue"] == 7e6


def test_what_borrowers_take_is_sold_and_what_they_repay_is_bought(lanes: Callable[..., Any]) -> None:
    """Fraxlend's borrowers took 9m this hour: 9m are for sale; they repay 9m: 9m are wanted, and wait if the pool is too dear. At no change
    there is no demand."""
    for flow, selling, buying in ((9e6, 9e6, 0.0), (-9e6, 0.0, 9e6), (0.0, 0.0, 0.0)):
        block = lanes()
        at_price(block, 1.0)
        block["borrower_flow"] = flow
        block.run("demand")
        assert (block["sell_demand"], block["buy_demand"], block["buy_queue"]) == (selling, buying, buying)


def test_nobody_sells_what_is_in_the_pool(lanes: Callable[..., Any]) -> None:
    """However large queue, news and flow: no more is sold than exists outside the pool."""
    block = lanes()
    block["queue"] = np.linspace(0.0, 3e9, LANES)
    block.market(flow=-2.0, news_exit=0.9)
    block.run("demand")
    assert np.all(block.lanes("sell_demand") <= (block["supply"] - block["pool_x"]) * (1 + 1e-12))
    assert np.all(block.lanes("sell_demand") >= 0.0)


def test_what_the_protocol_holds_elsewhere_is_nobodys_to_sell(invested_everywhere: Callable[..., Any]) -> None:
    """News takes a tenth of the holders: of supply − pool − Uniswap's stablecoin − what Fraxlend could withdraw. What Fraxlend's borrowers
    owe is held outside and leaves with the rest."""
    block = invested_everywhere()
    at_price(block, 1.0)
    block.market(news_exit=0.1)
    holders = block["supply"] - block["pool_x"] - block["uniswap.x"] - 0.02e9
    block.run("demand")
    assert block["uniswap.x"] > 40e6
    assert block["sell_demand"] == pytest.approx(0.1 * holders, rel=1e-12)
    block["queue"] = 1e12
    block.run("demand")
    assert block["sell_demand"] == pytest.approx(holders, rel=1e-12)


def test_calm_demand_is_a_share_of_those_who_hold(lanes: Callable[..., Any]) -> None:
    """1% of external supply wants to buy; half of the holders gone, half as much; more holders than at the start, no more than then; a
    failed market is looked for by nobody."""
    block = lanes()
    at_price(block, 1.0)
    start = users(block)
    block.constant(start_external=start)
    block.market(flow=0.01)
    for left, bought in ((1.0, 0.01), (0.5, 0.005), (2.0, 0.01)):
        block["supply"] = block["supply"] + left * start - users(block)
        block["buy_queue"] = 0.0
        block.run("demand")
        assert block["buy_demand"] == pytest.approx(bought * start, rel=1e-9)
    block.pool(4e3, 4e3)
    block["buy_queue"] = 0.0
    block["price"] = 1.0
    block.run("demand")
    assert block["buy_demand"] == 0.0


# -- outside providers: calm and busy spells --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [0.05, -0.3])
def test_spells_move_both_sides_and_no_queue(invested_everywhere: Callable[..., Any], effect: Effect, change: float) -> None:
    """The outside's fifth grows or shrinks by the change; the AMO's balances, supply and NAV stay, and nobody joins the queue."""
    block = invested_everywhere()
    block.constant(lp_flight_share=1.0, lp_return_rate=0.0)
    x, y, supply = block["pool_x"], block["pool_y"], block["supply"]
    block.market(lp_change=change)
    moved, booked = effect(block, lambda: block.run("lp_flight"))
    assert block["pool_x"] == pytest.approx((1.0 + 0.2 * change) * x)
    assert block["pool_y"] == pytest.approx((1.0 + 0.2 * change) * y)
    assert block["lp_amo"] / block["lp_supply"] * block["pool_x"] == pytest.approx(0.8 * x)
    assert (block["queue"], block["supply"]) == (0.0, supply)
    assert np.abs(moved).max() < 1e-5
    assert np.abs(booked).max() < 1e-5


def test_spells_have_the_limits_of_those_who_come_and_go(lanes: Callable[..., Any]) -> None:
    """Half of what is there leaves at most in an hour; none comes to a coin that is not covered; none to a dust pool; no more than there is stablecoin for."""
    block = lanes()
    block.constant(lp_flight_rate=0.0, lp_return_rate=0.0)
    outside = outside_liquidity(block)[0]
    block.market(lp_change=-1.0)
    block.run("lp_flight")
    assert outside_liquidity(block)[0] == pytest.approx(0.5 * outside)
    block.market(lp_change=0.1)
    block["backing_value"] = 0.5
    before = block["d"]
    block.run("lp_flight")
    assert block["d"] == before
    block = lanes()
    block.constant(lp_flight_rate=0.0, lp_return_rate=0.0)
    free = block["supply"] - block["pool_x"] - block["own_outside"]
    x = block["pool_x"]
    block.market(lp_change=1e6)
    block.run("lp_flight")
    assert block["pool_x"] == pytest.approx(x + 0.5 * free)
