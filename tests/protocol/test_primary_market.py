"""The hour's trades: the pool, the issuer's doors and the arbitrage between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from amo_opt.amos.layout import STATE, STATE_INDEX
from amo_opt.config.study import Study
from amo_opt.protocol import lanes as at
from amo_opt.protocol.market import LANES
from amo_opt.simulation.engine import draw, trace
from amo_opt.stableswap.invariant import get_y, marginal_price, scaled_x_at_price

FEE = 0.0004
CR = 0.8725
SHARE_DEPTH = 60e6
Effect = Callable[..., tuple[np.ndarray, np.ndarray]]

FIGURES = {
    "lag": "markets.oracle_lag_hours",
    "idle": "collateral.idle",
    "cr": "controller.collateral_ratio",
    "redemption_fee": "redeem.fee",
    "minting_fee": "mint.fee",
    "delay": "redeem.delay_hours",
    "ceiling": "mint.ceiling",
    "waiting_cost": "markets.claim_discount_hour",
    "premium": "markets.buyer_premium",
    "haircut": "markets.seller_haircut",
    "share_depth": "share_token.depth_usd",
    "pool_fee": "pool.fee",
    "admin_home": "pool.protocol_admin_share",
}


def price(block: Any) -> np.ndarray:
    columns = [block.lanes(name) for name in ("pool_x", "pool_y", "d", "ann")]
    return np.array([marginal_price(*row) for row in zip(*columns, strict=True)]) * block["base_value"]


def at_price(block: Any, value: float) -> None:
    """Moves the pool along its D to a price, and the oracle with it."""
    x = scaled_x_at_price(value / block["base_value"], block["ann"])[0] * block["d"]
    block["pool_x"], block["pool_y"] = x, get_y(x, block["d"], block["ann"])
    block["oracle"] = value


def run(block: Any) -> None:
    block.run_everywhere("trade")


def sell(block: Any, amount: float | np.ndarray) -> None:
    block["sell_demand"] = block["queue"] = amount
    run(block)


def buy(block: Any, amount: float | np.ndarray, *, of_them_calm: float | np.ndarray = 0.0) -> None:
    block["buy_demand"], block["buy_queue"] = amount, of_them_calm
    run(block)


@pytest.fixture
def spot(frax: Study, refigured: Callable[..., Study], lanes: Callable[..., Any]) -> Callable[..., Any]:
    """A block whose oracle is the spot price (no lag) and whose stablecoin is worth a dollar; ``figures`` change the snapshot."""

    def build(**figures: float) -> Any:
        block = lanes(refigured(frax, {"markets.oracle_lag_hours": 0.0, **{FIGURES[key]: value for key, value in figures.items()}}))
        block["backing_value"] = 1.0
        return block

    return build


@pytest.fixture
def frictionless(spot: Callable[..., Any]) -> Callable[..., Any]:
    """The same with next to no fee, idle collateral without end, redeeming open at any price below 1, and leavers who take any price."""

    def build(**figures: float) -> Any:
        free = {"pool_fee": 1e-7, "redemption_fee": 0.0, "minting_fee": 0.0, "idle": 1e12, "haircut": 0.5}
        block = spot(**{**free, **figures})
        block.parameter(redeem_price_threshold=1.0)
        return block

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
    block.market(gate=0.0)
    x, _, d, ann = (block[name] for name in ("pool_x", "pool_y", "d", "ann"))
    buy(block, np.where(np.arange(LANES) < 1, 50e6, 1e12))
    assert block["pool_x"] == pytest.approx(x - 50e6 * (1 - 0.5 * FEE), rel=1e-13)
    assert block["pool_y"] == pytest.approx(get_y(x - 50e6, d, ann), rel=1e-12)
    assert block.lanes("pool_x")[1] == pytest.approx(x * (1 - 0.2 * (1 - 0.5 * FEE)), rel=1e-12)


def test_no_fee_is_no_income(spot: Callable[..., Any]) -> None:
    """At a pool fee of 0 a sale earns nothing and leaves D where it was."""
    block = spot(pool_fee=0.0)
    d = block["d"]
    sell(block, 50e6)
    assert block["income_swap_fees"] == 0.0
    assert block["d"] == pytest.approx(d, rel=1e-13)


def test_sellers_stop_at_their_reservation_and_wait(spot: Callable[..., Any]) -> None:
    """Gate shut, holders want out in thousands of millions: the price stops at what a stablecoin is worth less the haircut, hour by hour
    no more than a fifth of the other side is taken, the rest queues and counts as unserved."""
    block = spot()
    block.market(gate=0.0)
    block["backing_value"] = 0.8
    waiting = block["supply"] - block["pool_x"]
    for _ in range(40):
        before = block["pool_y"]
        sell(block, waiting)
        assert block["pool_y"] >= 0.75 * before
        assert block["unserved"] >= block["queue"] - 1.0
        waiting = block["queue"]
    assert price(block)[0] >= 0.95 * 0.8 * (1 - 1e-9)
    assert block["supply"] - block["pool_x"] >= 0.0


@pytest.mark.parametrize("haircut", [0.05, 0.0])
def test_a_haircut_is_what_sellers_give_up(spot: Callable[..., Any], haircut: float) -> None:
    """Worth 0.9, the whole queue for sale in a small pool: it ends at 0.9 × (1 − haircut); at a haircut of 0 nobody sells below 0.9."""
    block = spot(haircut=haircut, pool_fee=0.0)
    block.market(gate=0.0)
    block.constant(hour_limit=1.0)
    block.pool(1e8, 0.9e8)
    block["backing_value"] = 0.9
    sell(block, 1e9)
    assert block["queue"] > 8e8
    assert price(block)[0] == pytest.approx(0.9 * (1 - haircut), rel=1e-7)


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


def test_who_is_not_served_waits_in_the_queue(spot: Callable[..., Any]) -> None:
    """Gate shut, an hour's limit of a twentieth of the other side: the rest of 300m queues and stays queued; nothing is lost on the way."""
    block = spot()
    block.market(gate=0.0)
    block.constant(hour_limit=0.05)
    x, y = block["pool_x"], block["pool_y"]
    sell(block, 300e6)
    assert block["queue"] == pytest.approx(300e6 - 0.05 * y, rel=1e-12)
    assert block["queue"] + (block["pool_x"] - x) == pytest.approx(300e6, rel=1e-12)
    assert block["unserved"] == pytest.approx(block["queue"], rel=1e-12)


def test_nobody_trades_and_nothing_moves(spot: Callable[..., Any]) -> None:
    """No sellers, no buyers, a pool inside the doors: the whole state is what it was, but for the rounding of D."""
    block = spot()
    at_price(block, 1.0)
    block["price"] = price(block)
    before = block.s.copy().reshape(len(STATE), LANES)
    run(block)
    for name, row in STATE_INDEX.items():
        assert block.lanes(name) == pytest.approx(before[row], rel=1e-12, abs=1e-12), name


# -- buyers ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("premium", [0.01, 0.002, 0.0])
def test_buyers_pay_up_to_their_limit(spot: Callable[..., Any], premium: float) -> None:
    """Minting shut, everybody wants to buy: the pool ends at what one is worth plus the premium, at a premium of 0 at that alone; dearer,
    nobody buys."""
    for backing_value in (1.0, 0.95):
        block = spot(premium=premium, pool_fee=0.0)
        block.market(gate=0.0)
        block.constant(hour_limit=1.0)
        block["backing_value"] = backing_value
        at_price(block, 0.9)
        buy(block, 1e12)
        assert price(block)[0] == pytest.approx(backing_value + premium, rel=1e-7)
        at_price(block, 1.02)
        x = block["pool_x"]
        buy(block, 1e6)
        assert block["pool_x"] == x


def test_calm_buyers_wait_and_give_up_within_a_day(spot: Callable[..., Any]) -> None:
    """The pool dearer than they pay: of 24m calm buyers 1/24 give up each hour, 1 − (23/24)^24 = 64% in a day; who came for a discount is
    gone at once."""
    block = spot()
    block.market(gate=0.0)
    at_price(block, 1.02)
    block.constant(value_sellers=0.0)
    buy(block, 30e6, of_them_calm=24e6)
    assert block["buy_queue"] == pytest.approx(23e6, rel=1e-12)
    for _ in range(23):
        block.run("demand")
        block["backing_value"] = 1.0
        assert block["buy_demand"] == pytest.approx(block["buy_queue"], rel=1e-12)
        run(block)
    assert block["buy_queue"] == pytest.approx(24e6 * (23 / 24) ** 24, rel=1e-9)
    assert block["pool_x"] < scaled_x_at_price(1.0, block["ann"])[0] * block["d"]


def test_only_unserved_buyers_wait(spot: Callable[..., Any]) -> None:
    """Served in full, none waits; served in part, no more wait than were not served, whoever of them was calm."""
    block = spot()
    block.market(gate=0.0)
    x = block["pool_x"]
    buy(block, np.where(np.arange(LANES) < 1, 10e6, 0.3 * x), of_them_calm=np.where(np.arange(LANES) < 1, 10e6, 0.25 * x))
    assert block["buy_queue"] == 0.0
    assert block.lanes("buy_queue")[1] == pytest.approx(23 / 24 * 0.1 * x, rel=1e-9)


# -- redeeming: when and what ------------------------------------------------------------------------------------------------------------


def test_arbitrage_buys_the_pool_up_to_the_price_at_which_redeeming_pays(spot: Callable[..., Any]) -> None:
    """CR 1, USDC at 0.99, pool at 0.95: redeemers lift it to 0.99 less the fee, burn what they took and are paid from idle collateral."""
    block = spot(cr=1.0, idle=1e10, redemption_fee=0.0)
    block["collateral_price"] = 0.99
    at_price(block, 0.95)
    supply, idle, x = block["supply"], block["idle"], block["pool_x"]
    run(block)
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
        run(block)
        assert (block["supply"] < supply) is lifted
        assert block["price"] == pytest.approx(0.9933 if lifted else value, rel=1e-5)


def test_a_slow_oracle_opens_and_shuts_late(spot: Callable[..., Any]) -> None:
    """With a lag of an hour redeeming moves the pool to where the oracle reaches its threshold within the hour: the pool at
    (threshold − e^(−1) × oracle) ÷ (1 − e^(−1)), above the threshold while the oracle is still below it."""
    block = spot(lag=1.0, cr=1.0, idle=1e10, redemption_fee=0.0, pool_fee=0.0)
    at_price(block, 0.99)
    block["oracle"] = 0.9925
    run(block)
    assert block["price"] == pytest.approx((0.9933 - np.exp(-1) * 0.9925) / (1 - np.exp(-1)), rel=1e-8)


def test_a_shut_gate_or_no_collateral_is_no_door(spot: Callable[..., Any]) -> None:
    """Gate shut, or nothing idle: at 0.95 nothing is redeemed."""
    for idle, gate in ((1e10, 0.0), (0.0, 1.0)):
        block = spot(cr=1.0, idle=idle)
        block.market(gate=gate)
        at_price(block, 0.95)
        supply = block["supply"]
        run(block)
        assert block["supply"] == supply


def test_a_redemption_pays_collateral_and_new_shares_and_books_both(spot: Callable[..., Any], effect: Effect) -> None:
    """One unit: CR at par in collateral, 1 − CR in share tokens at market, both less the fee. Issued shares press the price by their
    sale and dilute it by their number. NAV moves by what the lines say."""
    block = spot(idle=1e9)
    at_price(block, 0.97)
    supply, idle, shares, share_price = (block[n] for n in ("supply", "idle", "share_supply", "share_price"))
    moved, booked = effect(block, lambda: sell(block, 100e6))
    units = supply - block["supply"]
    issued = (1 - CR) * (1 - 0.002) * units
    assert units >= 100e6 * (1 - 1e-9)
    assert idle - block["idle"] == pytest.approx(CR * (1 - 0.002) * units, rel=1e-9)
    assert block["capital_shares_issued"] == pytest.approx(issued, rel=1e-12)
    assert block["income_primary_fees"] == pytest.approx(0.002 * units, rel=1e-12)
    assert block["share_supply"] - shares == pytest.approx(issued / share_price, rel=1e-9)
    pressed, diluted = SHARE_DEPTH / (SHARE_DEPTH + issued), shares / block["share_supply"]
    assert block["share_impact"] == pytest.approx(pressed, rel=1e-7)
    assert block["share_price"] == pytest.approx(share_price * pressed * diluted, rel=1e-7)
    assert moved == pytest.approx(booked, abs=1e-5)


def test_collateral_at_the_oracles_price_pays_more_tokens_of_it(frax: Study, lanes: Callable[..., Any]) -> None:
    """USDC at 0.9: at par one unit pays 0.8725 tokens; valued by the oracle it pays 0.8725 / 0.9."""
    for valuation, tokens in (("par", CR), ("oracle", CR / 0.9)):
        study = replace(frax, simulation=replace(frax.simulation, collateral_valuation=valuation))
        block = lanes(study)
        block["collateral_price"] = block["backing_value"] = 0.9
        block["idle"] = 1e9
        at_price(block, 0.8)
        supply = block["supply"]
        run(block)
        assert (1e9 - block["idle"]) / (supply - block["supply"]) == pytest.approx(tokens * 0.998, rel=1e-9)


def test_never_more_is_redeemed_than_idle_collateral_pays(spot: Callable[..., Any]) -> None:
    """Idle from 0 to 200m against 500m who want out: idle ends at 0 or above, and what it paid is what left it."""
    block = spot(share_depth=1e12)
    block["idle"] = idle = np.linspace(0.0, 200e6, LANES)
    at_price(block, 0.97)
    supply = block["supply"]
    sell(block, 500e6)
    units = supply - block.lanes("supply")
    assert units[-1] == pytest.approx(200e6 / (CR * 0.998), rel=1e-9)
    assert np.all(block.lanes("idle") >= 0.0)
    assert np.allclose(idle - block.lanes("idle"), CR * 0.998 * units, rtol=1e-9, atol=1e-3)


def test_a_door_that_cannot_pay_holds_no_price(spot: Callable[..., Any]) -> None:
    """1bn wants out, and idle collateral pays a dollar or 20m: whom the door did not pay sells on, to the reservation price if need be,
    so the two pools end alike; with 2bn idle the door holds the price at its threshold."""
    block = spot(share_depth=1e12)
    block.constant(hour_limit=1.0)
    block["idle"] = np.where(np.arange(LANES) == 0, 10.0, np.where(np.arange(LANES) == 1, 20e6, 2e9))
    block["aave.lent"] = 0.0
    at_price(block, 0.9933)
    sell(block, 1e9)
    held = price(block)
    assert held[0] == pytest.approx(held[1], abs=0.01)
    assert held[0] < 0.97
    assert held[2] == pytest.approx(0.9933, abs=1e-5)


def test_at_a_ratio_of_zero_redeeming_takes_no_collateral(spot: Callable[..., Any]) -> None:
    """CR 0: everything is paid in new shares, nothing divides by zero, idle stays."""
    block = spot(cr=0.0, idle=1e6, share_depth=1e12)
    at_price(block, 0.97)
    supply = block["supply"]
    sell(block, 10e6)
    assert block["supply"] < supply
    assert block["idle"] == pytest.approx(1e6)
    assert np.all(np.isfinite(block.s))


def test_at_a_ratio_of_one_no_shares_are_issued(spot: Callable[..., Any]) -> None:
    """CR 1: the share token is no part of redeeming, and its price does not move."""
    block = spot(cr=1.0, idle=1e10)
    at_price(block, 0.97)
    share_price = block["share_price"]
    sell(block, 100e6)
    assert block["claims"] == block["capital_shares_issued"] == 0.0
    assert block["share_price"] == share_price


# -- redeeming: what it is worth, seen in the price to which the pool is lifted ----------------------------------------------------------


def test_share_tokens_are_worth_what_all_redeemers_get_for_theirs(frictionless: Callable[..., Any]) -> None:
    """A depth of 60m, of which all waiting redeemers' tokens sell depth ÷ (depth + (1 − CR) × waiting): for 470m at 0.8725 half of it. The
    pool is lifted to CR + (1 − CR) × that; where fewer than 1/10,000 of the supply wait, at what those would get."""
    block = frictionless()
    at_price(block, 0.85)
    waiting = np.linspace(0.0, SHARE_DEPTH / (1 - CR), LANES)
    sell(block, waiting)
    leg = SHARE_DEPTH / (SHARE_DEPTH + (1 - CR) * np.maximum(waiting, 1e-4 * 2_600_092_892))
    assert leg[[0, -1]] == pytest.approx([0.99945, 0.5], abs=1e-5)
    assert block.lanes("price") == pytest.approx(CR + (1 - CR) * leg, rel=1e-6)


def test_a_deep_market_for_the_share_token_takes_any_sale(frictionless: Callable[..., Any]) -> None:
    """At a depth without end the leg is worth its market price however many redeem, and the share token's pressure stays 1."""
    block = frictionless(share_depth=1e12)
    at_price(block, 0.85)
    sell(block, np.linspace(0.0, 100e6, LANES))
    assert block.lanes("price") == pytest.approx(1.0, abs=3e-5)
    assert block.lanes("share_impact") == pytest.approx(1.0, abs=1e-3)


def test_the_depth_shrinks_with_the_share_tokens_market_value(frictionless: Callable[..., Any]) -> None:
    """Depth = depth at the snapshot × market value now ÷ then: at a tenth of the price, or of the supply, 60m become 6m; a share token
    worth nothing makes the leg worth nothing."""
    block = frictionless()
    scale = np.linspace(0.0, 1.0, LANES)
    block["share_price"] = scale * block["share_price"]
    at_price(block, 0.8)
    sell(block, 100e6)
    depth = SHARE_DEPTH * scale + 1.0
    assert block.lanes("price") == pytest.approx(CR + (1 - CR) * depth / (depth + (1 - CR) * 100e6), rel=1e-6)
    assert block["price"] == pytest.approx(CR, rel=1e-5)
    other = frictionless()
    other["share_supply"] = scale * other["share_supply"] + 1e-6
    at_price(other, 0.8)
    sell(other, 100e6)
    assert other.lanes("price") == pytest.approx(block.lanes("price"), rel=1e-6)


@pytest.mark.parametrize("redemption_fee", [0.0, 0.002, 0.05])
@pytest.mark.parametrize("pool_fee", [0.0, 0.0004])
def test_both_fees_lower_the_price_that_redeeming_holds(frictionless: Callable[..., Any], redemption_fee: float, pool_fee: float) -> None:
    """CR 1: the pool is lifted to (1 − redemption fee) × (1 − pool fee); the redemption fee is income, at 0 there is none."""
    block = frictionless(cr=1.0, redemption_fee=redemption_fee, pool_fee=pool_fee)
    at_price(block, 0.9)
    supply = block["supply"]
    run(block)
    assert block["price"] == pytest.approx((1 - redemption_fee) * (1 - pool_fee), abs=2e-5)
    assert block["income_primary_fees"] == pytest.approx(redemption_fee * (supply - block["supply"]), rel=1e-12)


@pytest.mark.parametrize(("valuation", "worth_of_a_unit"), [("par", CR * 0.9 + 1 - CR), ("oracle", 1.0)])
def test_valuation_by_the_oracle_makes_a_unit_whole(
    frax: Study, frictionless: Callable[..., Any], valuation: str, worth_of_a_unit: float
) -> None:
    """USDC at 0.9: at par a unit's collateral is worth CR × 0.9, by the oracle CR."""
    block = frictionless(share_depth=1e12)
    block.constant(par_valuation=float(valuation == "par"))
    block["collateral_price"] = 0.9
    at_price(block, 0.8)
    run(block)
    # redeeming opens below 1 at most, where it holds the pool
    assert block["price"] == pytest.approx(worth_of_a_unit, abs=1e-5)


# -- the delay ---------------------------------------------------------------------------------------------------------------------------


def test_redeemed_collateral_is_owed_and_collected_after_the_delay(spot: Callable[..., Any]) -> None:
    """A delay of 24 hours: what was redeemed leaves idle collateral at once; of what is owed 1/24 is paid every hour, 1 − (23/24)^24 in a
    day; without a delay nothing is ever owed."""
    for delay, owed in ((24.0, 1.0), (0.0, 0.0), (1.0, 0.0)):
        block = spot(delay=delay, idle=1e9, share_depth=1e12, waiting_cost=0.0)
        at_price(block, 0.97)
        sell(block, 100e6)
        redeemed = 1e9 - block["idle"]
        assert redeemed > 0.87 * 100e6 * 0.998
        assert block["claims"] == pytest.approx(owed * 23 / 24 * redeemed, rel=1e-9)
        at_price(block, 1.0)
        for _ in range(23):
            sell(block, 0.0)
        assert block["claims"] == pytest.approx(owed * (23 / 24) ** 24 * redeemed, rel=1e-9)
        assert block["idle"] == pytest.approx(1e9 - redeemed, rel=1e-12)


def test_claims_add_up(spot: Callable[..., Any]) -> None:
    """A second redemption while the first is owed: both are, the first an hour's part less; NAV knows nothing of it."""
    block = spot(delay=24.0, idle=1e9, share_depth=1e12)
    legs = []
    for _ in range(2):
        at_price(block, 0.97)
        idle = block["idle"]
        sell(block, 50e6)
        legs.append(idle - block["idle"])
    assert block["claims"] == pytest.approx((legs[0] * 23 / 24 + legs[1]) * 23 / 24, rel=1e-9)


@pytest.mark.parametrize(("delay", "cost"), [(24.0, 1e-4), (72.0, 1e-3), (24.0, 0.0), (0.0, 1e-3)])
def test_waiting_lowers_the_price_that_redeeming_holds(frictionless: Callable[..., Any], delay: float, cost: float) -> None:
    """CR 1: the pool is lifted to 1 − hours of delay × what an hour costs; without a delay, or at no cost, to a dollar."""
    block = frictionless(cr=1.0, delay=delay, waiting_cost=cost)
    at_price(block, 0.9)
    run(block)
    assert block["price"] == pytest.approx(1.0 - delay * cost, abs=2e-5)


# -- minting -----------------------------------------------------------------------------------------------------------------------------


def test_minting_is_the_mirror(spot: Callable[..., Any], effect: Effect) -> None:
    """Pool at 1.02: minters pay CR in collateral and 1 − CR in shares, plus the fee, and sell into the pool down to its threshold."""
    block = spot(minting_fee=0.002)
    block.constant(hour_limit=1.0)
    block["idle"] = 0.0
    at_price(block, 1.02)
    supply, shares, share_price = (block[n] for n in ("supply", "share_supply", "share_price"))
    moved, booked = effect(block, lambda: run(block))
    minted = block["supply"] - supply
    gross = minted / (1 - 0.002)
    assert minted > 0.0
    assert price(block)[0] == pytest.approx(1.0033, abs=2e-5)
    assert block["idle"] == pytest.approx(CR * gross, rel=1e-9)
    assert block["capital_shares_burned"] == pytest.approx(-(1 - CR) * gross, rel=1e-9)
    assert block["income_primary_fees"] == pytest.approx(0.002 * gross, rel=1e-9)
    assert shares - block["share_supply"] == pytest.approx((1 - CR) * gross / share_price, rel=1e-9)
    assert block["share_price"] > share_price
    assert block["share_impact"] == pytest.approx((SHARE_DEPTH + (1 - CR) * gross) / SHARE_DEPTH, rel=1e-6)
    assert moved == pytest.approx(booked, abs=1e-5)


@pytest.mark.parametrize("minting_fee", [0.0, 0.005])
@pytest.mark.parametrize("pool_fee", [0.0, 0.0004])
def test_both_fees_raise_the_price_that_minting_holds(spot: Callable[..., Any], minting_fee: float, pool_fee: float) -> None:
    """The pool falls to what minting asks, 1 ÷ (1 − minting fee) ÷ (1 − pool fee), or to the threshold where that is higher."""
    block = spot(minting_fee=minting_fee, pool_fee=pool_fee)
    block.constant(hour_limit=1.0)
    at_price(block, 1.02)
    run(block)
    assert price(block)[0] == pytest.approx(max(1.0033, 1 / (1 - minting_fee) / (1 - pool_fee)), abs=2e-5)


def test_minting_stays_shut_at_its_threshold(spot: Callable[..., Any]) -> None:
    """At a pool price of 1.0032 nothing is minted, nor above it while the gate is shut."""
    for value, gate in ((1.0032, 1.0), (1.02, 0.0)):
        block = spot()
        block.market(gate=gate)
        at_price(block, value)
        supply = block["supply"]
        run(block)
        assert block["supply"] == supply


def test_minting_is_shut_at_the_pools_ceiling(spot: Callable[..., Any]) -> None:
    """10m of room under the ceiling let in 10m of collateral and no more; at or above it nothing is minted."""
    block = spot(minting_fee=0.002)
    block.constant(hour_limit=1.0, mint_ceiling=500e6)
    block["idle"] = idle = np.where(np.arange(LANES) == 0, 490e6, np.where(np.arange(LANES) == 1, 500e6, 600e6))
    at_price(block, 1.02)
    supply = block["supply"]
    run(block)
    assert block.lanes("idle") - idle == pytest.approx(np.where(np.arange(LANES) == 0, 10e6, 0.0), rel=1e-9, abs=1e-3)
    assert block["supply"] - supply == pytest.approx(10e6 / CR * (1 - 0.002), rel=1e-9)
    assert np.all(block.lanes("supply")[1:] == supply)


def test_an_asset_that_pays_beside_the_coin_takes_no_room_under_the_ceiling(spot: Callable[..., Any]) -> None:
    """The ceiling is on what the pools that mint hold: 10m of room with 490m, or with 690m of which 200m stand there while holders trade."""
    block = spot(minting_fee=0.002)
    block.constant(hour_limit=1.0, mint_ceiling=500e6)
    block["beside"] = beside = np.where(np.arange(LANES) == 0, 0.0, 200e6)
    block["idle"] = idle = 490e6 + beside
    at_price(block, 1.02)
    run(block)
    assert block.lanes("idle") - idle == pytest.approx(np.full(LANES, 10e6), rel=1e-9, abs=1e-3)


def test_minters_buy_no_more_shares_than_their_market_has(spot: Callable[..., Any]) -> None:
    """A share token with a depth of 0.1m: minting stops where its 1 − CR has cost that much, which doubles its price."""
    block = spot(share_depth=0.1e6, minting_fee=0.002)
    block.constant(hour_limit=1.0)
    block["idle"] = 0.0
    at_price(block, 1.02)
    run(block)
    assert block["capital_shares_burned"] == pytest.approx(-0.1e6, rel=2e-5)
    assert block["share_impact"] == pytest.approx(2.0, rel=2e-5)
    assert price(block)[0] > 1.0033


# -- the books ---------------------------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    figures=st.fixed_dictionaries(
        {
            "home": st.sampled_from([0.0, 1.0]),
            "par": st.sampled_from([0.0, 1.0]),
            "cr": st.floats(0.0, 1.0),
            "a": st.floats(10.0, 5000.0),
            "idle": st.sampled_from([0.0, 1e5, 3e8, 1e11]),
            "ceiling": st.sampled_from([0.0, 4e8, 1e15]),
            "delay": st.sampled_from([0.0, 24.0]),
            "gate": st.sampled_from([0.0, 1.0]),
            "shares": st.sampled_from([0.0, 0.01, 17.0]),
            "backing_value": st.floats(0.0, 1.0),
        }
    ),
    seed=st.integers(0, 2**32 - 1),
)
@example(
    figures=dict.fromkeys(("home", "par", "ceiling", "delay", "shares", "backing_value"), 0.0)
    | {"cr": 1.0, "a": 25.0, "idle": 3e8, "gate": 1.0},
    seed=0,
)
def test_every_trade_is_booked_where_it_happens(
    invested_everywhere: Callable[..., Any], effect: Effect, figures: dict[str, float], seed: int
) -> None:
    """Random sales, purchases, redemptions and mints at pool shares of 0.2 to 0.9: ΔNAV = Σ lines in every lane, no balance turns
    negative, what was issued is what supply moved by, and who wanted out sold, redeemed or waits."""
    rng = np.random.default_rng(seed)
    block = invested_everywhere()
    delay = figures["delay"]
    block.constant(protocol_admin_share=figures["home"], par_valuation=figures["par"], mint_ceiling=figures["ceiling"])
    block.constant(claim_keep=1 - 1e-4 * delay, claim_release=1 / delay if delay else 1.0, hour_limit=rng.uniform(0.01, 1.0))
    block.constant(oracle_weight=rng.uniform(0.2, 1.0), share_depth_ratio=rng.uniform(0.01, 1.0))
    block.market(gate=figures["gate"])
    block["ann"], block["idle"], block["share_price"] = 2 * figures["a"], figures["idle"], figures["shares"]
    block["collateral_ratio"], block["backing_value"] = figures["cr"], figures["backing_value"]
    block["collateral_price"], block["base_value"] = rng.uniform(0.9, 1.02, LANES), rng.uniform(0.9, 1.02, LANES)
    share, size = rng.uniform(0.2, 0.9, LANES), 10 ** rng.uniform(7.0, 9.2, LANES)
    block.pool(size * share, size * (1 - share))
    block["oracle"] = rng.uniform(0.9, 1.03, LANES)
    block["sell_demand"] = sales = rng.uniform(0, 500e6, LANES) * (rng.random(LANES) < 0.6)
    block["buy_demand"] = np.where(sales > 0, 0.0, rng.uniform(0, 500e6, LANES))
    block["buy_queue"] = 0.5 * block.lanes("buy_demand")
    block["queue"] = sales
    supply, issued = block.lanes("supply").copy(), block.lanes("net_issued").copy()
    x = block.lanes("pool_x").copy()

    moved, booked = effect(block, lambda: run(block))
    assert np.all(np.abs(moved - booked) <= 1e-9 * np.maximum(np.abs(moved), 26e6))
    for name in ("idle", "claims", "queue", "buy_queue", "unserved", "supply", "pool_x", "pool_y", "price", "share_supply"):
        assert np.all(block.lanes(name) >= 0.0), name
    change = block.lanes("supply") - supply
    assert np.allclose(change, block.lanes("net_issued") - issued, rtol=1e-9, atol=1e-3)
    assert np.all(block.lanes("queue") <= sales + 1e-6)
    # stablecoin neither arises nor vanishes: what came to the pool, less what was issued, is what holders sold and redeemed; the
    # administrator takes his part of the fee on what arbitrageurs took out: at most what minters brought it to (a pool in balance, where it
    # was short of stablecoin) or what was there, and what holders sold then
    gone = sales - block.lanes("queue")
    came = block.lanes("pool_x") - x - change
    held = block.lanes("buy_demand") <= 0
    assert np.all(np.abs(came - gone)[held] <= 0.5 * FEE * (size + gone)[held] + 1.0)
    assert np.all(block.lanes("fault") == 0.0)


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


# -- the limiting case of the design -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("redemption_fee", [0.0, 0.002])
def test_price_never_ends_an_hour_below_what_redeeming_pays(frax: Study, refigured: Callable[..., Study], redemption_fee: float) -> None:
    """Every scenario with the gate open, CR 1, par valuation, no oracle lag, no delay, idle collateral without end, AMOs at rest: at every
    hour's end of 16 random paths price ≥ min(redeem threshold, USDC × (1 − redemption fee) × (1 − pool fee))."""
    study = refigured(
        frax,
        {
            "markets.oracle_lag_hours": 0.0,
            "controller.collateral_ratio": 1.0,
            "redeem.fee": redemption_fee,
            "redeem.delay_hours": 0.0,
            "collateral.idle": 1e12,
        },
    )
    scenarios = tuple(
        replace(one, settings={**one.settings, **({"gate_hours": 0.0} if "gate_hours" in one.settings else {})}) for one in study.scenarios
    )
    study = replace(study, scenarios=scenarios, simulation=replace(study.simulation, transition_hours=24, window_hours=24 * 24))
    resting = {"pool_share_low": 0.05, "pool_share_high": 0.99, "curve_collateral_cap": 1.0, "idle_buffer": 1.0}
    resting |= {"unwind_price": 0.5, "unwind_cr_margin": 1.0, "cr_step": 0.0, "amplification": 200}
    lowest, redeemed = 1.0, 0.0
    for scenario in study.scenarios:
        series = trace(
            study.current.replace(**resting), study, scenario=scenario.name, paths=16, columns=("price", "supply", "collateral_ratio")
        )
        coin = draw(scenario, study, first=0, lanes=16, stream="search")[:, at.M_COLLATERAL_PRICE : at.M_COLLATERAL_PRICE + 16]
        floor = np.minimum(study.current.redeem_price_threshold, coin * (1 - redemption_fee) * (1 - FEE))
        assert np.all(series["collateral_ratio"] == 1.0)
        # the fee that a trade of half the pool leaves in it moves its price by less than 1e-5
        assert np.all(series["price"] >= floor * (1 - 1e-5)), scenario.name
        lowest, redeemed = min(lowest, float(coin.min())), max(redeemed, float(np.ptp(series["supply"])))
    assert lowest < 0.93
    assert redeemed > 1e8
