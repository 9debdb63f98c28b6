"""The Curve AMO: what its volume and rewards earn, and its one change of liquidity an hour."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amo_opt.amos.curve import MOST_OF_POOL, outside_yield
from amo_opt.amos.layout import LINES
from amo_opt.amos.triggers import CAP_TOLERANCE, SMALLEST_OPERATION, SMALLEST_USD
from amo_opt.config.study import Study
from amo_opt.protocol.market import LANES
from amo_opt.simulation.engine import simulate, trace
from amo_opt.simulation.kernel import nav
from amo_opt.stableswap.invariant import get_y, scaled_x_at_price
from tests.quiet import without_spells

VECTORS = Path(__file__).parents[1] / "vectors" / "meta_factory_v1.json.gz"


def act(block: Any) -> None:
    block.run_everywhere("scale")
    block.run_everywhere("curve_operate")


def share(block: Any) -> float:
    return block["pool_x"] / (block["pool_x"] + block["pool_y"])


def quiet(block: Any) -> Any:
    """No gas, nothing to bring, return, mint or burn, and the minter's own caps far away (they are in `test_operations`)."""
    block.market(gas_usd=0.0)
    block["aave.borrowed"] = block["fraxlend.minted"] = -1e15
    block.parameter(curve_collateral_cap=1.0, idle_buffer=1.0, curve_mint_cap=1.0, pool_share_low=1e-6, pool_share_high=0.99, min_cr=0.0)
    return block


# -- income ------------------------------------------------------------------------------------------------------------------------------


def test_the_fee_of_the_volume_is_shared_as_the_contract_shares_it(lanes: Callable[..., Any]) -> None:
    """Of 0.04% on the captured volume half goes to the administrator, the other half to the pool, 80% of that to the AMO; NAV agrees."""
    block = lanes()
    block.constant(base_fee=0.0)
    block.market(swap_volume=1e6)
    nav, x, y = block.nav(), block["pool_x"], block["pool_y"]
    block.run("curve_market_operations")
    kept = (block["pool_x"] - x) + (block["pool_y"] - y)
    assert block["pool_x"] - x == pytest.approx(block["pool_y"] - y, rel=1e-6)
    assert 0.0 < kept < 0.5 * 0.0004 * 1e6
    assert block["income_swap_fees"] == pytest.approx(0.8 * kept, rel=1e-6)
    assert block.nav() - nav == pytest.approx(block.booked(), abs=1e-6)


def test_votes_follow_what_is_left_of_a_pool(lanes: Callable[..., Any]) -> None:
    """A pool with a quarter of the snapshot's liquidity or more keeps all rewards, one with a tenth gets two fifths, one that is empty next to nothing."""
    earned = []
    for part in (1.0, 0.3, 0.25, 0.1, 1e-6):
        block = lanes()
        block.pool(part * block["pool_x"], part * block["pool_y"])
        block.market(swap_volume=0.0, reward_tokens=100.0, reward_price=1.0)
        block.run("curve_market_operations")
        earned.append(block["reward_tokens_earned"])
    assert earned[1] == earned[0] > 0.0
    assert earned[2] == pytest.approx(earned[0], rel=1e-3)  # the pool's D is a little under its balances
    assert earned[3] == pytest.approx(0.4 * earned[0], rel=5e-3)
    assert earned[4] == pytest.approx(4e-6 * earned[0], rel=5e-3)


@pytest.mark.parametrize("price", [0.6, 0.9, 0.99])
def test_own_debt_bought_cheap_is_no_income(lanes: Callable[..., Any], price: float) -> None:
    """Without fees a small withdrawal from a pool at any price earns nothing: all that par is above the price stands beside the yield; a large one costs what it moves the price."""
    block = quiet(lanes())
    block.constant(base_fee=0.0, fee=0.0, admin_fee=0.0)
    x = scaled_x_at_price(price, block["ann"])[0] * block["d"]
    block.pool(x, get_y(x, block["d"], block["ann"]))
    for rate, least in ((1e-5, -1e-5), (0.05, -0.2)):
        block.parameter(pool_share_high=0.51, rebalance_rate=rate)
        block["high_hours"] = 100.0
        block["income_market_operations"] = block["income_debt_discount"] = 0.0
        nav, supply = block.nav(), block["supply"]
        act(block)
        burned = supply - block["supply"]
        assert burned > 0.0
        assert block["income_debt_discount"] > 0.0
        assert least * block["income_debt_discount"] <= block["income_market_operations"] <= 1e-6 * burned
        assert block.nav() - nav == pytest.approx(block["income_market_operations"] + block["income_debt_discount"], abs=1e-9 * supply)


def test_captured_volume_rises_with_amplification_and_saturates(lanes: Callable[..., Any]) -> None:
    """More depth wins more volume, each doubling of A less than the one before it, and never more than all."""
    fees = []
    for a in (50, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200):
        block = lanes()
        block["ann"] = 2.0 * a
        block.market(swap_volume=1e6)
        block.run("curve_market_operations")
        fees.append(block["income_swap_fees"])
    gains = np.diff(fees)
    assert np.all(gains > 0)
    assert np.all(np.diff(gains)[4:] < 0)
    assert fees[-1] < 0.8 * 0.5 * 0.0004 * 1e6


def test_a_doubled_position_earns_less_than_double_in_fees(lanes: Callable[..., Any]) -> None:
    """The AMO's liquidity twice, on both sides of the pool, others' unchanged: more volume is won, but not twice as much."""
    earned = {}
    for times in (1.0, 2.0):
        block = lanes()
        own = times * np.geomspace(1e6, 5e9, LANES)
        block.pool(0.5 * (own + 0.5e9), 0.5 * (own + 0.5e9))
        block["lp_amo"] = own / (own + 0.5e9) * block.lanes("lp_supply")
        block["supply"] = 20e9
        block.market(swap_volume=1e6)
        block.run("curve_market_operations")
        earned[times] = block.lanes("income_swap_fees").copy()
    assert np.all(earned[2.0] < 2.0 * earned[1.0])
    assert np.all(earned[2.0] > earned[1.0])
    assert np.all(earned[2.0][:10] > 1.9 * earned[1.0][:10])


@pytest.mark.parametrize("off", ["swap_volume", "fee", "lp_amo"])
def test_no_swap_fees_without_volume_fee_or_liquidity(lanes: Callable[..., Any], off: str) -> None:
    """Each at 0 switches the AMO's swap fees off."""
    block = lanes()
    block.market(swap_volume=0.0 if off == "swap_volume" else 1e6)
    if off == "fee":
        block.constant(fee=0.0)
    if off == "lp_amo":
        block["lp_amo"] = 0.0
    block.run("curve_market_operations")
    assert block.booked() == 0.0


def test_a_range_in_use_wins_volume_from_the_pool(lanes: Callable[..., Any]) -> None:
    """Uniswap's depth counts among the others' while its price is inside the range, and not at an end of it."""
    fees = {}
    for liquidity, root in ((0.0, 1.0), (4e10, 1.0), (4e10, 1.01)):
        block = lanes()
        block.constant(**{"uniswap.outside": 0.0})
        block["uniswap.liquidity"], block["uniswap.root"] = liquidity, root
        block["depth_elsewhere"] = 0.0  # added up within an hour
        block.run("uniswap_quote")
        block.market(swap_volume=1e6)
        block.run("curve_market_operations")
        fees[liquidity, root] = block["income_swap_fees"]
    z = 0.00025 * 3002.0
    curve = 0.5 * lanes()["d"] * z / (1.0 + z)
    assert fees[4e10, 1.0] / fees[0.0, 1.0] == pytest.approx((curve + 2e8) / (curve + 2e8 + 2e7), rel=1e-6)
    assert fees[4e10, 1.01] == fees[0.0, 1.0]


def test_what_an_outside_dollar_earns() -> None:
    """A fifth of the fees and all rewards that are not the AMO's, over a fifth of the pool; a mean of about a week of it is what providers see."""
    assert outside_yield(1e9, 0.8, 500.0, 300.0, 1e4) == pytest.approx((100.0 + 300.0) / 200e6, rel=1e-4)
    assert outside_yield(1e9, 0.8, 0.0, 0.0, 1e4) == 0.0
    assert math.isfinite(outside_yield(1e9, 1.0, 500.0, 0.0, 1e4))


# -- rewards -----------------------------------------------------------------------------------------------------------------------------

VENUES = ("gauge", "convex", "stakedao", "yearn")


def staked(study: Study, refigured: Callable[..., Study], *, locked: float = 0.0, **shares: float) -> Study:
    """The study with the AMO's LP tokens staked in these shares, and no price impact worth mentioning."""
    figures = {f"amos.curve.in_{venue}": shares.get(venue, 0.0) for venue in VENUES}
    changed = refigured(study, figures | {"markets.reward_depth_usd": 1e12})
    return replace(changed, simulation=replace(changed.simulation, crv_locked_share=locked))


def rewarded(block: Any, tokens: float = 1000.0, price: float = 2.0) -> Any:
    block.market(reward_tokens=tokens, reward_price=price)
    block.run("curve_market_operations")
    return block


@pytest.mark.parametrize("venue", VENUES)
def test_all_in_one_place_earns_that_places_rewards(
    frax: Study, refigured: Callable[..., Study], lanes: Callable[..., Any], venue: str
) -> None:
    """Boost × own ÷ (boost × own + 2 × others) of the budget, less the venue's fee, its bonus on top; into idle collateral at the price."""
    study = staked(frax, refigured, **{venue: 1.0})
    terms = getattr(frax.state.rewards, venue)
    boost = terms.boost.value * 0.8
    tokens = 1000.0 * boost / (boost + 2.0 * 0.2) * (1.0 - terms.fee.value) * (1.0 + terms.bonus.value)
    block = lanes(study)
    idle = block["idle"]
    rewarded(block)
    assert block["reward_tokens_earned"] == pytest.approx(tokens, rel=1e-9)
    assert block["income_rewards"] == pytest.approx(2.0 * tokens, rel=1e-6)
    assert block["idle"] - idle == pytest.approx(block["income_rewards"], abs=1e-6)
    assert block.booked() == block["income_rewards"]
    assert block["reward_tokens_locked"] == 0.0


def test_mixed_stakes_earn_the_sum_of_their_parts(frax: Study, refigured: Callable[..., Study], lanes: Callable[..., Any]) -> None:
    """Half in the gauge at boost 1, 30% in Convex at 2, a fifth unstaked: 0.5 × 1 + 0.3 × 2 per LP token of boost, each part at its own terms."""
    block = rewarded(lanes(staked(frax, refigured, gauge=0.5, convex=0.3)))
    all_boosts = 0.8 * (0.5 * 1.0 + 0.3 * 2.0) + 2.0 * 0.2
    per_boost = 1000.0 / all_boosts
    expected = 0.8 * 0.5 * 1.0 * per_boost + 0.8 * 0.3 * 2.0 * per_boost * (1 - 0.17) * (1 + 0.10)
    assert block["reward_tokens_earned"] == pytest.approx(expected, rel=1e-9)


def test_what_is_not_staked_earns_nothing(frax: Study, refigured: Callable[..., Study], lanes: Callable[..., Any]) -> None:
    """Nothing staked anywhere: no tokens, no income, and the others take the whole budget."""
    nothing, half, everything = (rewarded(lanes(staked(frax, refigured, convex=share))) for share in (0.0, 0.5, 1.0))
    assert nothing["reward_tokens_earned"] == nothing.booked() == 0.0
    assert 0.0 < half["reward_tokens_earned"] < everything["reward_tokens_earned"]
    assert nothing["outside_yield"] > half["outside_yield"] > everything["outside_yield"] > 0.0


def test_a_doubled_position_earns_less_than_double_in_rewards(lanes: Callable[..., Any]) -> None:
    """The budget is given: twice the LP tokens take a larger share of it, never twice the share."""
    earned = {}
    for times in (1.0, 2.0):
        block = lanes()
        own, others = times * np.geomspace(1e-3, 10.0, LANES), 1.0
        block["lp_amo"], block["lp_supply"] = own * block["d"], (own + others) * block["d"]
        block.constant(reward_depth_usd=1e15)
        earned[times] = rewarded(block).lanes("income_rewards").copy()
    assert np.all(earned[2.0] < 2.0 * earned[1.0])
    assert np.all(earned[2.0] > earned[1.0])
    assert np.all(earned[2.0][:10] > 1.9 * earned[1.0][:10])


@pytest.mark.parametrize(("tokens", "price"), [(0.0, 2.0), (1000.0, 0.0)])
def test_no_income_without_a_budget_or_a_price(lanes: Callable[..., Any], tokens: float, price: float) -> None:
    """A gauge without tokens pays nothing; tokens without a price are counted and bring nothing."""
    block = rewarded(lanes(), tokens, price)
    assert block.booked() == 0.0
    assert (block["reward_tokens_earned"] > 0.0) == (tokens > 0.0)


def test_selling_a_depths_worth_halves_the_proceeds(lanes: Callable[..., Any]) -> None:
    """Rewards worth 0.2m an hour on a depth of 0.2m bring 0.1m; the tokens earned do not change."""
    block = rewarded(lanes())
    tokens = block["reward_tokens_earned"]
    for times in (1.0, 3.0):
        block = rewarded(lanes(), 1000.0, times * 2e5 / tokens)
        assert block["reward_tokens_earned"] == pytest.approx(tokens, rel=1e-12)
        assert block["income_rewards"] == pytest.approx(times * 2e5 / (1.0 + times), rel=1e-9)


def test_locked_tokens_are_counted_and_not_sold(frax: Study, refigured: Callable[..., Study], lanes: Callable[..., Any]) -> None:
    """What is locked of the tokens earned is counted; only the rest is income, none of it where all is locked; earning goes on as before."""
    sold = rewarded(lanes(staked(frax, refigured, convex=1.0)))
    for locked in (0.25, 1.0):
        block = rewarded(lanes(staked(frax, refigured, convex=1.0, locked=locked)))
        assert block["reward_tokens_earned"] == sold["reward_tokens_earned"]
        assert block["reward_tokens_locked"] == pytest.approx(locked * sold["reward_tokens_earned"], rel=1e-12)
        assert block["income_rewards"] == pytest.approx((1.0 - locked) * sold["income_rewards"], rel=1e-6)


def test_locked_tokens_vote(frax: Study, refigured: Callable[..., Study]) -> None:
    """Votes of 450m, 2m of them the protocol's: what two and a half months' rewards add when locked counts among its own and among all; sold, the
    share stands and the income is there instead."""
    figures = {"rewards.locked": 2e6, "rewards.votes": 450e6}
    sells = refigured(frax, figures)
    locks = replace(sells, simulation=replace(sells.simulation, crv_locked_share=1.0))
    sold, kept = (simulate(frax.current, study, scenarios=["calm"], paths=2).paths for study in (sells, locks))
    assert np.all(sold["vote_share"] == 2e6 / 450e6)
    assert np.all(sold["reward_tokens_locked"] == 0.0)
    assert np.all(sold["income_rewards_usd"] > 0.0)
    locked = kept["reward_tokens_locked"]
    assert np.all(locked == kept["reward_tokens_earned"])
    assert np.all(kept["income_rewards_usd"] == 0.0)
    # the transition's tokens count too
    assert np.all(kept["vote_share"] > (2e6 + locked) / (450e6 + locked))
    assert np.all(kept["vote_share"] < (2e6 + 1.5 * locked) / (450e6 + 1.5 * locked))


# -- the contract ------------------------------------------------------------------------------------------------------------------------


def liquidity_ops(name: str) -> list[tuple[dict, dict, float]]:
    with gzip.open(VECTORS) as file:
        cases = json.load(file)["cases"]
    return [(case, op, int(case["base_virtual_price"]) / 1e18) for case in cases for op in case["ops"] if op["op"] == name]


def contract_pool(lanes: Callable[..., Any], case: dict, price: float) -> Any:
    """The vector's pool, all of it the AMO's; base LP counted at virtual price."""
    block = quiet(lanes())
    state = case["state"]
    block["ann"] = 2.0 * int(state["A"])
    block.pool(int(state["balances"][0]) / 1e18, int(state["balances"][1]) / 1e18 * price)
    block["lp_supply"] = block["lp_amo"] = int(state["total_supply"]) / 1e18
    block["aave.lent"] = block["idle"] = 0.0
    block["supply"] = 10 * block["pool_x"]
    block["curve.minted"] = 0.0
    block.constant(fee=int(state["fee"]) / 1e10, admin_fee=int(case["admin_fee"]) / 1e10, base_fee=0.0)
    return block


def agrees(block: Any, op: dict, price: float) -> None:
    x, y = block["pool_x"], block["pool_y"]
    scale = x + y
    assert x == pytest.approx(int(op["balances"][0]) / 1e18, abs=1e-10 * scale)
    assert y == pytest.approx(int(op["balances"][1]) / 1e18 * price, abs=1e-10 * scale)
    assert block["lp_supply"] == pytest.approx(int(op["total_supply"]) / 1e18, rel=1e-9)


def test_deposits_mint_what_the_contract_mints(lanes: Callable[..., Any]) -> None:
    """Minting stablecoin and bringing base LP in one hour is the contract's ``add_liquidity``: balances and LP supply, fees included."""
    both = single = 0
    for case, op, price in liquidity_ops("add_liquidity"):
        block = contract_pool(lanes, case, price)
        x, y = block["pool_x"], block["pool_y"]
        mint, bring = int(op["amounts"][0]) / 1e18, int(op["amounts"][1]) / 1e18 * price
        # smaller gaps are not worth an operation, no share above 0.95 is minted to, no hour brings more than half of a pool
        signed = mint == 0.0 or mint > max(SMALLEST_USD, 1.01 * SMALLEST_OPERATION * x)
        signed = signed and (bring == 0.0 or bring > max(SMALLEST_USD, 1.01 * SMALLEST_OPERATION * (y + bring)))
        if not signed or x + mint > 0.9 * (x + mint + y + bring) or bring > MOST_OF_POOL * block["d"]:
            continue
        block["idle"] = bring
        block.constant(deploy_rate=1.0)
        block.parameter(idle_buffer=0.0, pool_share_low=0.95, rebalance_rate=1e9, curve_mint_cap=mint / block["supply"])
        act(block)
        agrees(block, op, price)
        assert block["curve.minted"] == pytest.approx(mint, rel=1e-9)
        both += mint > 0 and bring > 0
        single += (mint > 0) != (bring > 0)
    assert both >= 5
    assert single >= 10


def test_withdrawals_burn_what_the_contract_burns(lanes: Callable[..., Any]) -> None:
    """Burning stablecoin and taking base LP back in one hour is ``remove_liquidity_imbalance``: balances and LP supply, fees included."""
    both = single = 0
    for case, op, price in liquidity_ops("remove_liquidity_imbalance"):
        block = contract_pool(lanes, case, price)
        x, y = block["pool_x"], block["pool_y"]
        burn, back = int(op["amounts"][0]) / 1e18, int(op["amounts"][1]) / 1e18 * price
        if not ((burn == 0.0 or burn > SMALLEST_USD) and (back == 0.0 or back > SMALLEST_USD) and burn < 0.85 * x and back < 0.85 * y):
            continue
        if back > 0.0:  # base LP leaves with as much stablecoin as keeps the pool at its high share
            odds = (x - burn) / (y - back)
            block.constant(deploy_rate=back / y)
            block.parameter(curve_collateral_cap=0.0, pool_share_high=odds / (1 + odds) if burn > 0.0 else 0.999999)
        else:
            block["high_hours"] = 100.0
            block.parameter(pool_share_high=1e-6, rebalance_rate=burn / x)
        act(block)
        agrees(block, op, price)
        assert block["curve.minted"] == pytest.approx(-burn, rel=1e-9)
        both += burn > 0 and back > 0
        single += (burn > 0) != (back > 0)
    assert both >= 5
    assert single >= 10


# -- the four operations -----------------------------------------------------------------------------------------------------------------


def test_withdraw_and_burn_changes_nothing_but_supply(lanes: Callable[..., Any]) -> None:
    """All LP the protocol's, no fees: 25% of the pool's stablecoin burned, and NAV changes by exactly 0; no line is touched."""
    block = quiet(lanes())
    block.constant(fee=0.0)
    block.pool(2.0**30, 2.0**28)
    block["lp_amo"] = block["lp_supply"]
    block["supply"] = 2.0**31
    block["high_hours"] = 100.0
    block.parameter(pool_share_high=0.5, rebalance_rate=0.25)
    nav = block.nav()
    act(block)
    assert block["supply"] == 2.0**31 - 2.0**28
    assert block["pool_x"] == 2.0**30 - 2.0**28
    assert block.nav() == nav
    assert block.booked() == 0.0


def test_mint_into_the_pool_is_no_income(lanes: Callable[..., Any]) -> None:
    """All LP the protocol's, no fees: minting is as neutral."""
    block = quiet(lanes())
    block.constant(fee=0.0)
    block.pool(2.0**28, 2.0**30)
    block["lp_amo"] = block["lp_supply"]
    block["supply"] = 2.0**31
    block["curve.minted"] = 0.0
    block.parameter(pool_share_low=0.5, rebalance_rate=0.25)
    nav = block.nav()
    act(block)
    assert block["supply"] == 2.0**31 + 2.0**26
    assert block.nav() == nav
    assert block.booked() == 0.0


@pytest.mark.parametrize("home", [0.0, 1.0])
def test_every_operation_is_booked(lanes: Callable[..., Any], home: float) -> None:
    """Random pools, caps and triggers: ΔNAV = Σ lines of the operation in every lane, and the minter's books move with the supply."""
    rng = np.random.default_rng(1)
    acted = 0
    for _ in range(30):
        block = lanes()
        block.constant(protocol_admin_share=home)
        block.parameter(curve_collateral_cap=rng.uniform(0, 1), idle_buffer=rng.uniform(0, 0.3), curve_mint_cap=rng.uniform(0.2, 0.9))
        block.parameter(pool_share_low=rng.uniform(0.3, 0.5), pool_share_high=rng.uniform(0.5, 0.7), rebalance_rate=rng.uniform(0.01, 0.3))
        block.parameter(unwind_rate=rng.uniform(0, 1), min_cr=rng.choice([0.0, 0.81, 0.9]))
        block.market(gas_usd=rng.uniform(0, 1e3, LANES))
        block.pool(rng.uniform(0.2e9, 2e9, LANES), rng.uniform(0.2e9, 2e9, LANES))
        block["idle"] = rng.uniform(0, 1e9, LANES)
        block["collateral_price"], block["base_value"] = rng.uniform(0.9, 1.01, LANES), rng.uniform(0.9, 1.01, LANES)
        block["unwinding"] = rng.integers(0, 2, LANES)
        block["unwinding_hours"], block["high_hours"] = rng.integers(0, 12, LANES), rng.integers(0, 12, LANES)
        supply, minted = block.lanes("supply").copy(), block.lanes("curve.minted").copy()
        block.settle()
        before = nav(block.s, block.m, block.p, block.c)
        booked = -sum(block.lanes(line) for line in LINES)
        act(block)
        block.settle()
        after = nav(block.s, block.m, block.p, block.c)
        booked = booked + sum(block.lanes(line) for line in LINES)
        assert np.all(np.abs(booked - (after - before)) < 1e-9 * 26e6)
        assert np.all(block.lanes("idle") >= 0.0)
        if home == 0.0:
            assert block.lanes("supply") - supply == pytest.approx(block.lanes("curve.minted") - minted, abs=1e-3)
        acted += int(np.sum(block.lanes("supply") != supply))
    assert acted > 500


def test_burning_waits_for_the_response_delay(lanes: Callable[..., Any]) -> None:
    """The share stands above its high for 6 hours before the seventh burns; then it falls to the high share and stops."""
    block = quiet(lanes())
    block.parameter(pool_share_high=0.57, rebalance_rate=0.02)
    supply = block["supply"]
    for hour in range(1, 7):
        block["high_hours"] = hour
        act(block)
        assert block["supply"] == supply
    shares = []
    for hour in range(7, 20):
        block["high_hours"] = hour
        act(block)
        shares.append(share(block))
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] == pytest.approx(0.57, abs=1e-4)
    assert block["supply"] < supply


def test_minting_stops_at_its_cap_and_at_the_low_share(lanes: Callable[..., Any]) -> None:
    """Mint cap 0.5 of supply: the book ends at the cap. Without a cap the share ends at `pool_share_low`."""
    for cap in (0.5, 1.0):
        block = quiet(lanes())
        block.parameter(pool_share_low=0.62, curve_mint_cap=cap, rebalance_rate=0.01)
        for _ in range(60):
            act(block)
        if cap < 1.0:
            assert block["curve.minted"] <= cap * block["supply"]
            assert block["curve.minted"] == pytest.approx(cap * block["supply"], abs=SMALLEST_OPERATION * block["pool_x"])
        else:
            assert share(block) == pytest.approx(0.62, abs=1e-3)


def test_collateral_comes_and_goes_to_the_cap(lanes: Callable[..., Any]) -> None:
    """Cap 0.9 with 1bn idle: brought at 1% of all collateral an hour; cap 0.3: taken back at that pace; idle keeps its buffer."""
    for cap in (0.9, 0.3):
        block = quiet(lanes())
        block["idle"], block["aave.lent"] = 1e9, 0.0
        block.parameter(curve_collateral_cap=cap, idle_buffer=0.05)
        position = []
        for _ in range(120):
            act(block)
            position.append(block["lp_amo"] / block["lp_supply"] * block["pool_y"])
            assert block["idle"] >= 0.05 * (block["idle"] + position[-1]) * (1 - 1e-6)
        total = block["idle"] + position[-1]
        assert position[-1] == pytest.approx(cap * total, rel=0.01)
        assert np.max(np.abs(np.diff(position))) < 0.0101 * total


def test_no_hour_brings_more_than_half_of_the_pool(lanes: Callable[..., Any]) -> None:
    """However much is idle, collateral of half of D is brought at most; into a pool that has failed (D of 8,000) nothing is brought or minted."""
    for balance in (4e7, 4e3):
        block = quiet(lanes())
        block.pool(balance, balance)
        block["idle"], block["curve.minted"] = 1e9, 0.0
        block.constant(deploy_rate=1.0, base_fee=0.0)
        block.parameter(idle_buffer=0.0, pool_share_low=0.8, rebalance_rate=1.0)
        y, x, d = block["pool_y"], block["pool_x"], block["d"]
        act(block)
        if balance == 4e7:
            assert block["pool_y"] - y == pytest.approx(MOST_OF_POOL * d, rel=1e-3)
            assert block["pool_x"] > 1.9 * x
        else:
            assert (block["pool_x"], block["pool_y"]) == (x, y)


def test_unwinding_waits_for_the_delay_and_takes_both_sides(lanes: Callable[..., Any]) -> None:
    """Nothing leaves for 6 hours; then a tenth of the AMO's base LP an hour, its stablecoin beside it and burned, so the share stands."""
    block = quiet(lanes())
    block.parameter(unwind_rate=0.1)
    block["unwinding"] = 1.0
    y, before = block["pool_y"], share(block)
    own_y = 0.8 * y
    for hour in range(1, 7):
        block["unwinding_hours"] = hour
        act(block)
        assert block["pool_y"] == y
    block["unwinding_hours"] = 7.0
    act(block)
    assert y - block["pool_y"] == pytest.approx(0.1 * own_y, rel=1e-6)
    assert share(block) == pytest.approx(before, abs=1e-6)
    assert block["supply"] < 2_600_092_892


def test_own_stablecoin_goes_before_collateral(lanes: Callable[..., Any]) -> None:
    """Unwinding with the share above its high: that hour burns, and takes no collateral."""
    block = quiet(lanes())
    block.parameter(unwind_rate=0.1, pool_share_high=0.55)
    block["unwinding"], block["unwinding_hours"], block["high_hours"] = 1.0, 10.0, 10.0
    idle, supply = block["idle"], block["supply"]
    act(block)
    assert block["idle"] == pytest.approx(idle)
    assert block["supply"] < supply


def test_nothing_is_deployed_while_unwinding(lanes: Callable[..., Any]) -> None:
    """Room under both caps and idle to spare, but unwinding: neither collateral nor a mint goes in, from the first hour."""
    block = quiet(lanes())
    block["idle"], block["unwinding"], block["unwinding_hours"] = 1e9, 1.0, 1.0
    block.parameter(idle_buffer=0.0, pool_share_low=0.9)
    x, y = block["pool_x"], block["pool_y"]
    act(block)
    assert (block["pool_x"], block["pool_y"]) == (x, y)


def test_a_deployment_that_would_break_min_cr_never_happens(lanes: Callable[..., Any]) -> None:
    """Random pools and a `min_cr` near their ratio: after an hour that deployed, `cr_contract` ≥ `min_cr`; a refused one leaves no trace."""
    rng = np.random.default_rng(2)
    refused = deployed = 0
    for min_cr in np.linspace(0.855, 0.885, 31):
        block = quiet(lanes())
        block.parameter(min_cr=min_cr, pool_share_low=0.7, rebalance_rate=0.3)
        block["aave.lent"] = rng.uniform(0.2e9, 0.4e9, LANES)
        supply, x = block["supply"], block["pool_x"]
        act(block)
        minted = block.lanes("supply") > supply
        assert np.all(block.lanes("cr_contract")[minted] >= min_cr)
        assert np.all(block.lanes("fault") == 0.0)
        deployed += int(minted.sum())
        refused += int((~minted).sum())
        assert np.all(block.lanes("pool_x")[~minted] == x)
    assert deployed > 100
    assert refused > 100


def test_a_breached_min_cr_does_not_stop_burning(lanes: Callable[..., Any]) -> None:
    """`cr_contract` under `min_cr`, idle collateral to bring and a share to burn down: nothing is brought, and the burn goes through."""
    block = quiet(lanes())
    block.parameter(min_cr=0.95, idle_buffer=0.0, pool_share_high=0.55, rebalance_rate=0.03)
    block["high_hours"] = 100.0
    supply, y = block["supply"], block["pool_y"]
    act(block)
    assert block["cr_contract"] < 0.95
    assert block["pool_y"] == pytest.approx(y, rel=1e-5)
    assert supply - block["supply"] == pytest.approx(0.03 * 1_586_444_839.83, rel=1e-6)


def test_the_ratio_left_behind_is_that_of_the_pool_left_behind(lanes: Callable[..., Any]) -> None:
    """`cr_contract` after an operation is the one the end of the hour computes from the balances, other AMOs' positions included."""
    block = quiet(lanes())
    block.parameter(pool_share_high=0.55, rebalance_rate=0.03)
    block["high_hours"] = 100.0
    block["investor.lent"], block["fraxlend.lent"], block["fraxlend.free"] = 50e6, 80e6, 30e6
    block["uniswap.liquidity"], block["uniswap.y"] = 1e10, 20e6
    act(block)
    left = block["cr_contract"]
    block.run("collateral_ratios")
    assert left == pytest.approx(block["cr_contract"], rel=1e-12)


# -- in the whole model -----------------------------------------------------------------------------------------------------------------


def test_in_calm_the_amo_keeps_the_share_between_its_bounds(frax: Study) -> None:
    """Two weeks after the start the share stays inside [low, high] but for what flows move within the response delay."""
    still = without_spells(frax)
    series = trace(frax.current, still, scenario="calm", paths=16, columns=("pool_share",))["pool_share"]
    settled = series[336:]
    assert np.mean((settled > 0.50 - 0.005) & (settled < 0.57 + 0.005)) > 0.9
    assert settled.min() > 0.48
    assert settled.max() < 0.60


def test_positions_stay_inside_their_caps(frax: Study) -> None:
    """Calm, caps 0.5 and 0.3: after the transition a position is over its cap by more than the tolerance in few hours, and never by much."""
    capped = frax.current.replace(curve_collateral_cap=0.5, aave_cap=0.3)
    series = trace(capped, frax, scenario="calm", paths=8, columns=("curve_collateral", "lent", "idle"))
    total = series["curve_collateral"] + series["lent"] + series["idle"]
    for name, cap in (("curve_collateral", 0.5), ("lent", 0.3)):
        position = (series[name] / total)[336:]
        assert np.mean(position > cap + CAP_TOLERANCE) < 0.1
        assert position.max() < cap + 3 * CAP_TOLERANCE
