"""The hour's trades: the pool, the issuer's doors and the arbitrage between them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from amo_opt.config.study import Study
from amo_opt.protocol.market import LANES
from amo_opt.protocol.primary_market import trade
from amo_opt.simulation.engine import trace
from amo_opt.stableswap.invariant import get_y, marginal_price, scaled_x_at_price

FEE = 0.0004


def price(block: Any) -> np.ndarray:
    columns = [block.lanes(name) for name in ("pool_x", "pool_y", "d", "ann")]
    return np.array([marginal_price(*row) for row in zip(*columns, strict=True)]) * block["base_value"]


def at_price(block: Any, value: float) -> None:
    """Moves the pool along its D to a price, and the oracle with it."""
    x = scaled_x_at_price(value / block["base_value"], block["ann"])[0] * block["d"]
    block["pool_x"], block["pool_y"] = x, get_y(x, block["d"], block["ann"])
    block["oracle"] = value


def sell(block: Any, amount: float | np.ndarray) -> None:
    block["sell_demand"] = block["queue"] = amount
    trade(block.s, block.m, block.p, block.c)


@pytest.fixture
def spot(frax: Study, refigured: Callable[..., Study], lanes: Callable[..., Any]) -> Callable[..., Any]:
    """A block whose oracle is the spot price (no lag); ``figures`` change the snapshot."""

    def build(**figures: float) -> Any:
        names = {"lag": "markets.oracle_lag_hours", "idle": "collateral.idle", "cr": "stablecoin.collateral_ratio"}
        names |= {"redemption_fee": "stablecoin.redemption_fee", "minting_fee": "stablecoin.minting_fee", "lent": "amos.aave.lent"}
        names |= {"share_depth": "share_token.depth_usd", "admin_home": "pool.protocol_admin_share"}
        return lanes(refigured(frax, {"markets.oracle_lag_hours": 0.0, **{names[key]: value for key, value in figures.items()}}))

    return build


# -- the pool alone ----------------------------------------------------------------------------------------------------------------------


def test_a_sale_within_the_fair_price_pays_the_pools_curve_and_fee(spot: Callable[..., Any]) -> None:
    """50m sold: the pool gains 50m and pays `get_y`'s difference less 0.04%, of which the administrator's half leaves; all are served."""
    block = spot()
    block.market(gate=0.0)
    x, y, d, ann, supply = (block[name] for name in ("pool_x", "pool_y", "d", "ann", "supply"))
    sell(block, 50e6)
    out = y - get_y(x + 50e6, d, ann)
    assert block["pool_x"] == pytest.approx(x + 50e6, rel=1e-14)
    assert block["pool_y"] == pytest.approx(y - out + 0.5 * FEE * out, rel=1e-12)
    assert (block["queue"], block["unserved"], block["supply"]) == (0.0, 0.0, supply)
    assert block["income_swap_fees"] == pytest.approx(0.8 * 0.5 * FEE * out, rel=1e-9)


def test_a_purchase_takes_stablecoin_and_leaves_its_fee(spot: Callable[..., Any]) -> None:
    """50m bought: the fee is taken in stablecoin; at most a stated share of the pool's stablecoin is bought in an hour."""
    block = spot()
    x, _, d, ann = (block[name] for name in ("pool_x", "pool_y", "d", "ann"))
    block["buy_demand"] = np.where(np.arange(LANES) < 1, 50e6, 1e12)
    trade(block.s, block.m, block.p, block.c)
    assert block["pool_x"] == pytest.approx(x - 50e6 * (1 - 0.5 * FEE), rel=1e-13)
    assert block["pool_y"] == pytest.approx(get_y(x - 50e6, d, ann), rel=1e-12)
    assert block.lanes("pool_x")[1] == pytest.approx(x * (1 - 0.2 * (1 - 0.5 * FEE)), rel=1e-3)


def test_sellers_stop_at_their_reservation_and_wait(spot: Callable[..., Any]) -> None:
    """Gate shut, holders want out in thousands of millions: the price stops at what backs the stablecoin less the haircut, hour by hour
    no more than a fifth of the other side is taken, the rest queues and counts as unserved."""
    block = spot(cr=0.8725)
    block.market(gate=0.0)
    block["share_price"] = 0.0
    block["cr_external"] = 0.8
    outside = block["supply"] - block["pool_x"]
    waiting = outside
    for _ in range(40):
        before = block["pool_y"]
        sell(block, waiting)
        assert block["pool_y"] >= 0.75 * before
        assert block["unserved"] >= block["queue"] - 1.0
        waiting = block["queue"]
    assert price(block)[0] >= 0.95 * 0.8 * (1 - 1e-9)
    assert block["supply"] - block["pool_x"] >= 0.0


def test_what_is_sold_below_the_fair_price_counts_as_unserved(spot: Callable[..., Any]) -> None:
    """Demand to leave at exit value − 50 bp that neither door paid: sold + unserved = demand, where sold stops at 0.995."""
    block = spot()
    block.market(gate=0.0)
    block.constant(hour_limit=1.0)
    x, d, ann = block["pool_x"], block["d"], block["ann"]
    sell(block, 900e6)
    at_fair = scaled_x_at_price(0.995, ann)[0] * d - x
    assert block["unserved"] == pytest.approx(900e6 - at_fair, rel=1e-9)
    assert block["pool_x"] > x + at_fair


def test_no_door_changes_nothing_but_the_oracle(lanes: Callable[..., Any]) -> None:
    """Nobody trades: balances, supply and books stand; the oracle closes 1 − 1/e of its gap in its lag of one hour."""
    block = lanes()
    at_price(block, 1.0)
    block["oracle"] = 0.99
    before = block.s.copy()
    trade(block.s, block.m, block.p, block.c)
    assert block["oracle"] == pytest.approx(1 - 0.01 * math.exp(-1.0), rel=1e-9)
    for name in ("pool_x", "pool_y", "supply", "idle", "share_price", "share_supply"):
        assert block[name] == pytest.approx(float(before[block_at(name)]), rel=1e-14)


def block_at(name: str) -> int:
    from amo_opt.protocol.lanes import STATE_INDEX

    return STATE_INDEX[name] * LANES


# -- redeeming ---------------------------------------------------------------------------------------------------------------------------


def test_arbitrage_buys_the_pool_up_to_the_price_at_which_redeeming_pays(spot: Callable[..., Any]) -> None:
    """CR 1, USDC at 0.99, pool at 0.95: redeemers lift it to 0.99 less the fee, burn what they took and are paid from idle collateral."""
    block = spot(cr=1.0, idle=1e10, redemption_fee=0.0)
    block["collateral_price"] = 0.99
    at_price(block, 0.95)
    block["oracle"] = 0.95
    supply, idle, x = block["supply"], block["idle"], block["pool_x"]
    trade(block.s, block.m, block.p, block.c)
    burned = supply - block["supply"]
    assert block["price"] == pytest.approx(0.99 * (1 - FEE), rel=1e-6)
    assert burned > 0.0
    assert idle - block["idle"] == pytest.approx(burned, rel=1e-9)
    assert x - block["pool_x"] == pytest.approx(burned / (1 - FEE), rel=1e-3)


def test_redeeming_opens_below_its_threshold_only(spot: Callable[..., Any]) -> None:
    """At an oracle of 0.9934 nobody redeems, although it would pay; at 0.99 the pool is lifted to the threshold and no further."""
    for value, lifted in ((0.9934, False), (0.99, True)):
        block = spot(cr=1.0, idle=1e10, redemption_fee=0.0)
        at_price(block, value)
        supply = block["supply"]
        trade(block.s, block.m, block.p, block.c)
        assert (block["supply"] < supply) is lifted
        assert block["price"] == pytest.approx(0.9933 if lifted else value, rel=1e-5)


def test_a_shut_gate_or_no_collateral_is_no_door(spot: Callable[..., Any]) -> None:
    """Gate shut, or nothing idle: at 0.95 nothing is redeemed."""
    for idle, gate in ((1e10, 0.0), (0.0, 1.0)):
        block = spot(cr=1.0, idle=idle)
        block.market(gate=gate)
        at_price(block, 0.95)
        supply = block["supply"]
        trade(block.s, block.m, block.p, block.c)
        assert block["supply"] == supply


def test_a_redemption_pays_collateral_and_new_shares_and_books_both(spot: Callable[..., Any]) -> None:
    """One unit: CR at par in collateral, 1 − CR in share tokens at market, both less the fee. NAV moves by what the lines say."""
    block = spot(idle=1e9)
    at_price(block, 0.985)
    nav, supply, idle, shares, share_price = (block.nav(), *(block[n] for n in ("supply", "idle", "share_supply", "share_price")))
    sell(block, 100e6)
    units = supply - block["supply"]
    issued = (1 - 0.8725) * (1 - 0.002) * units
    assert units >= 100e6 * (1 - 1e-9)
    assert idle - block["idle"] == pytest.approx(0.8725 * (1 - 0.002) * units, rel=1e-9)
    assert block["capital_shares_issued"] == pytest.approx(issued, rel=1e-12)
    assert block["income_primary_fees"] == pytest.approx(0.002 * units, rel=1e-12)
    assert block["share_supply"] - shares == pytest.approx(issued / share_price, rel=1e-9)
    assert block["share_price"] == pytest.approx(share_price * 60e6 / (60e6 + issued), rel=1e-12)
    assert block.nav() - nav == pytest.approx(block.booked(), abs=1e-6)


def test_collateral_at_the_oracles_price_pays_more_tokens_of_it(frax: Study, lanes: Callable[..., Any]) -> None:
    """USDC at 0.9: at par one unit pays 0.8725 tokens; valued by the oracle it pays 0.8725 / 0.9."""
    for valuation, tokens in (("par", 0.8725), ("oracle", 0.8725 / 0.9)):
        study = replace(frax, simulation=replace(frax.simulation, collateral_valuation=valuation))
        block = lanes(study)
        block["collateral_price"] = 0.9
        block["idle"] = 1e9
        at_price(block, 0.8)
        supply = block["supply"]
        trade(block.s, block.m, block.p, block.c)
        assert (1e9 - block["idle"]) / (supply - block["supply"]) == pytest.approx(tokens * 0.998, rel=1e-9)


def test_never_more_is_redeemed_than_idle_collateral_pays(spot: Callable[..., Any]) -> None:
    """Idle from 0 to 200m against 500m who want out: idle ends at 0 or above, and what it paid is what left it."""
    block = spot()
    block["idle"] = idle = np.linspace(0.0, 200e6, LANES)
    at_price(block, 0.97)
    supply = block["supply"]
    sell(block, 500e6)
    units = supply - block.lanes("supply")
    assert np.all(block.lanes("idle") >= 0.0)
    assert np.allclose(idle - block.lanes("idle"), 0.8725 * 0.998 * units, rtol=1e-9, atol=1e-3)


def test_a_door_that_cannot_pay_holds_no_price(spot: Callable[..., Any]) -> None:
    """1bn wants out, and idle collateral pays a dollar or 20m: whom the door did not pay sells on, to the reservation price if need be,
    so the two pools end alike; with 2bn idle the door holds the price at its threshold."""
    block = spot()
    block["cr_external"], block["share_price"] = 0.8, 0.0
    block.constant(hour_limit=1.0)
    block["idle"] = np.where(np.arange(LANES) == 0, 10.0, np.where(np.arange(LANES) == 1, 20e6, 2e9))
    block["lent"] = 0.0
    at_price(block, 0.9933)
    sell(block, 1e9)
    held = price(block)
    assert held[0] == pytest.approx(held[1], abs=0.01)
    assert held[0] < 0.97
    assert held[2] == pytest.approx(0.9933, abs=1e-5)


def test_at_a_ratio_of_zero_redeeming_takes_no_collateral(spot: Callable[..., Any]) -> None:
    """CR 0: everything is paid in new shares, nothing divides by zero, idle stays."""
    block = spot(cr=0.0, idle=1e6)
    at_price(block, 0.97)
    supply = block["supply"]
    sell(block, 10e6)
    assert block["supply"] < supply
    assert block["idle"] == pytest.approx(1e6)
    assert np.all(np.isfinite(block.s))


# -- minting -----------------------------------------------------------------------------------------------------------------------------


def test_minting_is_the_mirror(spot: Callable[..., Any]) -> None:
    """Pool at 1.02: minters pay CR in collateral and 1 − CR in shares, plus the fee, and sell into the pool down to what that costs."""
    block = spot(minting_fee=0.002)
    block.constant(hour_limit=1.0)
    at_price(block, 1.02)
    nav, supply, idle, shares, share_price = (block.nav(), *(block[n] for n in ("supply", "idle", "share_supply", "share_price")))
    trade(block.s, block.m, block.p, block.c)
    minted = block["supply"] - supply
    gross = minted / (1 - 0.002)
    assert minted > 0.0
    assert price(block)[0] == pytest.approx(1.0033, abs=2e-5)
    assert block["idle"] - idle == pytest.approx(0.8725 * gross, rel=1e-9)
    assert block["capital_shares_burned"] == pytest.approx(-0.1275 * gross, rel=1e-9)
    assert shares - block["share_supply"] == pytest.approx(0.1275 * gross / share_price, rel=1e-9)
    assert block["share_price"] > share_price
    assert block.nav() - nav == pytest.approx(block.booked(), abs=1e-6)


def test_minting_stays_shut_at_its_threshold(spot: Callable[..., Any]) -> None:
    """At a pool price of 1.0032 nothing is minted."""
    block = spot()
    at_price(block, 1.0032)
    supply = block["supply"]
    trade(block.s, block.m, block.p, block.c)
    assert block["supply"] == supply


# -- the books ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("home", [0.0, 1.0])
def test_every_trade_is_booked_where_it_happens(spot: Callable[..., Any], home: float) -> None:
    """Sales, purchases, redemptions and mints at prices 0.9 to 1.03, admin fees home or not: ΔNAV = Σ lines in every lane."""
    from amo_opt.protocol.accounts import net_asset_value
    from amo_opt.protocol.lanes import LINES

    block = spot(idle=3e8, admin_home=home)
    rng = np.random.default_rng(3)
    before, after = np.empty(LANES), np.empty(LANES)
    block["collateral_price"] = rng.uniform(0.95, 1.01, LANES)
    block["base_value"] = rng.uniform(0.95, 1.01, LANES)
    for _ in range(20):
        block["sell_demand"] = sales = rng.uniform(0, 300e6, LANES) * (rng.random(LANES) < 0.5)
        block["buy_demand"] = np.where(sales > 0, 0.0, rng.uniform(0, 500e6, LANES))
        block["queue"] = sales
        for line in LINES:
            block[line] = 0.0
        net_asset_value(block.s, before)
        trade(block.s, block.m, block.p, block.c)
        net_asset_value(block.s, after)
        booked = sum(block.lanes(line) for line in LINES)
        assert np.all(np.abs(booked - (after - before)) < 1e-9 * 26e6)


def test_a_failed_market_is_worth_the_other_door_or_nothing(spot: Callable[..., Any]) -> None:
    """A pool of less than 10,000 dollars quotes no price and shuts no door: the price is redeeming's (at most the threshold that opens
    it) where it pays everyone who came, and 0 where it cannot or is shut."""
    for idle, gate, wanted, expected in ((1e9, 1.0, 1e6, 0.9933), (1e3, 1.0, 1e6, 0.0), (1e9, 0.0, 1e6, 0.0), (1e9, 1.0, 0.0, 0.9933)):
        block = spot(idle=idle)
        block.pool(5e3, 4e3)
        block.market(gate=gate)
        block["oracle"] = 0.9
        sell(block, wanted)
        assert block["price"] == pytest.approx(expected, rel=1e-9)


def test_price_never_ends_an_hour_below_what_redeeming_pays(frax: Study, refigured: Callable[..., Study]) -> None:
    """svb-2023 with the gate open, CR 1, par valuation, no oracle lag, no redemption fee, idle collateral without end, AMOs at rest:
    at every hour's end price ≥ min(redeem threshold, USDC × (1 − fee))."""
    figures: Mapping[str, float] = {
        "markets.oracle_lag_hours": 0.0,
        "stablecoin.collateral_ratio": 1.0,
        "stablecoin.redemption_fee": 0.0,
        "collateral.idle": 1e12,
    }
    study = refigured(frax, figures)
    scenario = next(one for one in study.scenarios if one.name == "svb-2023")
    study = replace(study, scenarios=(replace(scenario, settings={**scenario.settings, "gate_hours": 0.0}),))
    study = replace(study, simulation=replace(study.simulation, transition_hours=24, window_hours=24 * 24))
    resting = {"pool_share_low": 0.05, "pool_share_high": 0.99, "curve_collateral_cap": 1.0, "idle_buffer": 1.0}
    resting |= {"unwind_price": 0.5, "unwind_cr_margin": 1.0, "cr_step": 0.0, "amplification": 200}
    series = trace(
        study.current.replace(**resting), study, scenario="svb-2023", paths=16, columns=("price", "reference", "supply", "collateral_ratio")
    )
    floor = np.minimum(study.current.redeem_price_threshold, series["reference"] * (1 - FEE))
    assert series["reference"].min() < 0.93
    assert np.all(series["collateral_ratio"] == 1.0)
    # the fee that the last trade left in the pool moves its price by less than 1e-6
    assert np.all(series["price"] >= floor * (1 - 1e-6))
