"""Who leaves and who buys."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from amo_opt.protocol.holders import demand, lp_flight
from amo_opt.protocol.market import LANES
from amo_opt.stableswap.invariant import get_y, scaled_x_at_price


def at_price(block: Any, price: float | np.ndarray) -> None:
    """Moves the pool along its D to a price."""
    ann, d = block["ann"], block["d"]
    scaled = np.array([scaled_x_at_price(float(one), ann)[0] for one in np.broadcast_to(price, LANES)])
    block["pool_x"] = scaled * d
    block["pool_y"] = np.array([get_y(x, d, ann) for x in scaled * d])


def test_outside_providers_leave_with_both_sides_and_the_amo_keeps_its_own(lanes: Callable[..., Any]) -> None:
    """News takes 10% of the outside's fifth: the pool shrinks by 2% in proportion, their stablecoin queues to be sold, the AMO's
    balances, supply and NAV do not change."""
    block = lanes()
    x, y, nav = block["pool_x"], block["pool_y"], block.nav()
    block.constant(lp_flight_share=1.0)
    block.market(lp_exit=0.1)
    lp_flight(block.s, block.m, block.c)
    assert block["pool_x"] == pytest.approx(0.98 * x)
    assert block["pool_y"] == pytest.approx(0.98 * y)
    assert block["queue"] == pytest.approx(0.02 * x)
    own = block["lp_amo"] / block["lp_supply"]
    assert own * block["pool_x"] == pytest.approx(0.8 * x)
    assert block.nav() == pytest.approx(nav, rel=1e-12)


def test_flight_begins_above_its_share(lanes: Callable[..., Any]) -> None:
    """At the flight share nobody flees; each 0.1 above it adds a tenth of the hourly rate."""
    block = lanes()
    block.constant(lp_return_rate=0.0)
    block.pool(0.65e9, 0.35e9)
    lp_flight(block.s, block.m, block.c)
    assert block["queue"] == 0.0
    block.pool(0.75e9, 0.25e9)
    lp_flight(block.s, block.m, block.c)
    assert block["queue"] == pytest.approx(0.2 * 0.1 * 0.2 * 0.75e9)


def test_outside_providers_come_back_where_nobody_flees(lanes: Callable[..., Any]) -> None:
    """Half of the outside's liquidity gone, the pool balanced: the stated share of what is missing returns in an hour, both sides in
    proportion; the AMO's balances, supply and NAV do not change. Not while anyone flees, nor where nothing is missing."""
    block = lanes()
    d, own = block["d"], block["lp_amo"] / block["lp_supply"]
    x, supply, nav = block["pool_x"], block["supply"], block.nav()
    block.constant(start_outside=2.0 * (1.0 - own) * d, start_external=supply - own * x, lp_return_rate=0.002, lp_flight_share=1.0)
    lp_flight(block.s, block.m, block.c)
    joined = 0.002 * (1.0 - own)
    assert block["d"] == pytest.approx(d * (1.0 + joined))
    assert block["pool_x"] == pytest.approx(x * (1.0 + joined))
    assert block["lp_amo"] / block["lp_supply"] * block["pool_x"] == pytest.approx(own * x)
    assert (block["queue"], block["supply"]) == (0.0, supply)
    assert block.nav() == pytest.approx(nav, rel=1e-12)
    for refused in ({"start_outside": 0.5 * (1.0 - own) * d}, {"lp_flight_share": 0.1}):
        block = lanes()
        before = block["d"]
        block.constant(start_external=supply - own * x, lp_return_rate=0.002, **refused)
        lp_flight(block.s, block.m, block.c)
        assert block["d"] <= before


def test_nobody_runs_within_a_cent_of_exit_value(lanes: Callable[..., Any]) -> None:
    """Price ≥ 0.99 of exit value and no gap: no hazard. Just below, news; 5% below, news and price in full."""
    block = lanes()
    at_price(block, np.linspace(0.99, 1.01, LANES))
    demand(block.s, block.m, block.c)
    assert np.all(block.lanes("fatigue") == 0.0)
    for price, a_day in ((0.985, 0.03 + 0.20 * 0.005 / 0.04), (0.94, 0.03 + 0.20)):
        block["fatigue"] = 0.0
        at_price(block, price)
        demand(block.s, block.m, block.c)
        assert block["fatigue"] == pytest.approx(a_day / 24, rel=1e-6)


def test_a_fall_of_the_collateral_itself_is_no_run(lanes: Callable[..., Any]) -> None:
    """March 2023: stablecoin and USDC both at 0.88, nobody leaves; the same price with USDC at par is a run."""
    block = lanes()
    block["base_value"] = block["collateral_price"] = 0.88
    demand(block.s, block.m, block.c)
    assert block["fatigue"] == 0.0
    block["collateral_price"] = block["base_value"] = 1.0
    at_price(block, 0.88)
    demand(block.s, block.m, block.c)
    assert block["fatigue"] > 0.2 / 24


def test_the_hazard_grows_with_the_collateral_gap_beyond_its_start(lanes: Callable[..., Any]) -> None:
    """At the peg a gap makes nobody leave. Off it, the gap that stood at the start is no reason, and each point more adds its rate."""
    block = lanes()
    block["cr_external"] = block["cr_external_start"] - 0.2
    demand(block.s, block.m, block.c)
    assert np.all(block.lanes("fatigue") == 0.0)
    at_price(block, 0.98)
    block["cr_external"] = block["cr_external_start"] - np.linspace(-0.1, 0.3, LANES)
    demand(block.s, block.m, block.c)
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
        demand(block.s, block.m, block.c)
        block["queue"] = 0.0
        hazards.append(block["fatigue"] - before)
    assert all(later <= earlier for earlier, later in itertools.pairwise(hazards))
    assert block["fatigue"] <= 0.6


def test_sellers_and_buyers_of_an_hour_meet_first(lanes: Callable[..., Any]) -> None:
    """At most one of both sides is left for the pool, and what met has left the queue."""
    block = lanes()
    block["queue"] = np.linspace(0.0, 40e6, LANES)
    block.market(flow=20e6 / (block["supply"] - 0.8 * block["pool_x"]))
    demand(block.s, block.m, block.c)
    selling, buying = block.lanes("sell_demand"), block.lanes("buy_demand")
    assert np.all((selling == 0.0) | (buying == 0.0))
    assert buying - selling == pytest.approx(20e6 - np.linspace(0.0, 40e6, LANES), abs=1e-3)
    assert np.array_equal(block.lanes("queue"), selling)


def test_nobody_sells_what_is_in_the_pool(lanes: Callable[..., Any]) -> None:
    """However large queue, news and flow: no more is sold than exists outside the pool."""
    block = lanes()
    block["queue"] = np.linspace(0.0, 3e9, LANES)
    block.market(flow=-2.0, news_exit=0.9)
    demand(block.s, block.m, block.c)
    assert np.all(block.lanes("sell_demand") <= (block["supply"] - block["pool_x"]) * (1 + 1e-12))
    assert np.all(block.lanes("sell_demand") >= 0.0)
