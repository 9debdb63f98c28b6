"""FraxPoolV3: every measured call with its whole state after, small cases by hand, and what holds for any call."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measured import cases_of

from amo_opt.contracts.frax_cr import FRAXStablecoin
from amo_opt.contracts.frax_pool_v3 import FraxPoolV3, from_state, replay
from amo_opt.contracts.frax_world import Chain, ChainlinkFeed, ERC20Mock, FRAXShares
from amo_opt.contracts.integers import UINT256_MAX, WAD, Revert
from amo_opt.stableswap.exact import PoolInputError

cases = partial(cases_of, "frax_pool_v3_a")
USDC, C18 = 0, 1
quick = settings(max_examples=100, deadline=None, derandomize=True)


def test_every_measured_call_is_met_to_the_unit_with_its_whole_state():
    """Outputs, reasons of reverts, and all of the state before and after, views included."""
    calls = reverts = 0
    for case in cases():
        for theirs, mine in replay(case):
            assert mine == theirs, case["id"]
            calls += 1
            reverts += theirs["revert"] is not None
    assert (calls, reverts) == (202, 54)


def test_a_case_starts_from_its_state():
    """The state the contracts are put to reads as the case's."""
    for case in cases():
        assert from_state(case).state() == case["before"], case["id"]


def market(*, ratio: int = 10**6, frax: int = 10**6, fxs: int = 5 * 10**6, free: int = 10**9) -> Any:
    """A pool of USDC and an 18-decimals token; the user holds a thousand FRAX, FXS and of each collateral; prices in 1e6."""
    chain = Chain(number=100, timestamp=3_600_000)
    stablecoin = FRAXStablecoin(chain)
    shares = FRAXShares(chain, stablecoin.is_pool)
    tokens = [ERC20Mock(chain, "USDC", missing_decimals=12), ERC20Mock(chain, "C18", missing_decimals=0)]
    feeds = {"price_feed_frax_usd": ChainlinkFeed(100 * frax), "price_feed_fxs_usd": ChainlinkFeed(100 * fxs)}
    pool = FraxPoolV3(stablecoin, shares, tokens, **feeds)
    pool.pool_ceilings = [10**12, 10**24]
    stablecoin.addPool(pool, sender="owner")
    stablecoin.global_collateral_ratio = ratio
    for token in (stablecoin, shares):
        token.hold("user", 1_000 * WAD)
        token.totalSupply = 1_000 * WAD
    tokens[USDC].balanceOf = {"pool": free, "user": 10**9}
    tokens[C18].balanceOf = {"pool": 0, "user": 1_000 * WAD}
    return SimpleNamespace(chain=chain, pool=pool, frax=stablecoin, fxs=shares, tokens=tokens)


def storage(world: Any) -> list[Any]:
    return [contract.storage() for contract in world.chain.contracts]


def test_a_mint_takes_both_legs_before_the_fee():
    """100 FRAX at CR 0.8 and FXS of 5 dollars: 80 USDC and 4 FXS; a fee of 1 % leaves 99 FRAX."""
    world = market(ratio=800_000, frax=1_020_000)
    world.pool.minting_fee[USDC] = 10_000
    got = world.pool.mintFrax(USDC, 100 * WAD, 0, UINT256_MAX, UINT256_MAX, False, sender="user")
    assert got == (99 * WAD, 80 * 10**6, 4 * WAD)
    assert world.frax.balanceOf["user"] == 1_099 * WAD
    assert world.tokens[USDC].balanceOf["pool"] == 1_080 * 10**6


def test_a_redemption_is_collected_after_the_delay_and_its_fee_comes_first():
    """100 FRAX less 1 % at CR 0.8: 79.2 USDC and 3.96 FXS, two blocks later."""
    world = market(ratio=800_000, frax=980_000)
    world.pool.redemption_fee[USDC] = 10_000
    assert world.pool.redeemFrax(USDC, 100 * WAD, 0, 0, sender="user") == (79_200_000, 3_960_000_000_000_000_000)
    assert world.pool.freeCollatBalance(USDC) == 10**9 - 79_200_000
    with pytest.raises(Revert, match="Too soon"):
        world.pool.collectRedemption(USDC, sender="user")
    world.chain.number += 2
    assert world.pool.collectRedemption(USDC, sender="user") == (3_960_000_000_000_000_000, 79_200_000)
    assert world.pool.unclaimedPoolFXS == world.pool.unclaimedPoolCollateral[USDC] == 0


def test_redeeming_floors_to_the_token_s_unit_before_the_ratio():
    """FRAX one wei short of two units of USDC is one unit, and CR 0.999999 of one is none; the other order would give one."""
    world = market(ratio=999_999, frax=980_000)
    assert world.pool.redeemFrax(USDC, 2 * 10**12 - 1, 0, 0, sender="user")[0] == 0
    assert world.pool.redeemFrax(USDC, 2 * 10**12, 0, 0, sender="user")[0] == 1


def test_who_lacks_both_tokens_hears_of_the_shares_votes_first():
    """FXS before collateral, and votes before balances."""
    world = market(ratio=500_000, frax=1_020_000)
    with pytest.raises(Revert, match="FXS::_moveVotes: vote amount underflows"):
        world.pool.mintFrax(USDC, WAD, 0, UINT256_MAX, UINT256_MAX, False, sender="nobody")
    world.frax.global_collateral_ratio = 10**6
    with pytest.raises(Revert, match="TransferHelper: TRANSFER_FROM_FAILED"):
        world.pool.mintFrax(USDC, WAD, 0, UINT256_MAX, UINT256_MAX, False, sender="nobody")


def test_votes_of_2_to_the_96_are_none_and_the_balance_speaks():
    """The amount of votes is cut to 96 bits."""
    world = market(ratio=0, frax=1_020_000, fxs=10**6)
    with pytest.raises(Revert, match="ERC20: burn amount exceeds balance"):
        world.pool.mintFrax(USDC, 2**96, 0, UINT256_MAX, UINT256_MAX, False, sender="user")


def test_a_leg_that_is_not_needed_is_not_priced():
    """A broken FXS feed stops neither door at CR 1, nor the override; it stops a mint by ratio."""
    world = market(frax=1_020_000)
    world.pool.priceFeedFXSUSD.updated_at = 0
    world.pool.mintFrax(USDC, WAD, 0, UINT256_MAX, 0, False, sender="user")
    world.frax.global_collateral_ratio = 500_000
    world.pool.mintFrax(USDC, WAD, 0, UINT256_MAX, 0, True, sender="user")
    with pytest.raises(Revert, match="Invalid chainlink price"):
        world.pool.mintFrax(USDC, WAD, 0, UINT256_MAX, UINT256_MAX, False, sender="user")


def test_buyback_is_limited_in_dollars_and_counted_in_tokens():
    """At a price of 0.9 a call of 900 dollars fills the hour's 1000, and the next hour is empty again."""
    world = market(ratio=0, free=10**10)
    world.pool.setCollateralPrice(USDC, 900_000, sender="owner")
    assert world.pool.buyBackFxs(USDC, 180 * WAD, 0, sender="user") == 1_000 * 10**6
    assert world.pool.buybackAvailableCollat() == 0
    world.chain.timestamp += 3_600
    assert world.pool.buybackAvailableCollat() == 1_000 * WAD


def test_recollateralisation_takes_a_token_at_a_dollar_and_its_limit_leaves_the_bonus_out():
    """1000 FRAX at CR 1 with 900 dollars: 20 FXS of 5 dollars may go, so with a bonus of 1 % at most 99.0099 tokens come."""
    world = market(free=900 * 10**6)
    world.pool.setCollateralPrice(C18, 500_000, sender="owner")
    world.pool.setPoolParameters(10_000, 2, sender="owner")
    assert world.pool.recollatAvailableFxs() == 20 * WAD
    with pytest.raises(Revert, match="Insuf FXS Avail For RCT"):
        world.pool.recollateralize(C18, 100 * WAD, 0, sender="user")
    assert world.pool.recollateralize(C18, 50 * WAD, 0, sender="user") == 10_100_000_000_000_000_000


def test_claims_can_be_eaten_and_then_the_pool_stands_still():
    """Buyback looks at the balance: afterwards the free balance is below zero, which every door reads."""
    world = market(frax=980_000, free=600 * 10**6)
    world.pool.redeemFrax(USDC, 500 * WAD, 0, 0, sender="user")
    world.frax.global_collateral_ratio = 0
    world.pool.setCollateralPrice(USDC, 100_000, sender="owner")
    assert world.pool.buyBackFxs(USDC, 2 * WAD, 0, sender="user") == 100 * 10**6
    assert world.pool.freeCollatBalance(USDC) == 0
    world.tokens[USDC].balanceOf["pool"] -= 1
    for call in (world.pool.collatDollarBalance, world.pool.buybackAvailableCollat, lambda: world.pool.freeCollatBalance(USDC)):
        with pytest.raises(Revert, match="SafeMath: subtraction overflow"):
            call()


@pytest.mark.parametrize("sender", ["user", "custodian", "amo0"])
def test_only_owner_and_timelock_set_prices_and_the_custodian_may_pause(sender: str):
    """The refusals name who may."""
    world = market()
    with pytest.raises(Revert, match="Not owner or timelock"):
        world.pool.setCollateralPrice(USDC, 1, sender=sender)
    if sender == "custodian":
        world.pool.toggleMRBR(USDC, 0, sender=sender)
        assert world.pool.mintPaused == [True, False]
    else:
        with pytest.raises(Revert, match="Not owner, tlck, or custd"):
            world.pool.toggleMRBR(USDC, 0, sender=sender)


@pytest.mark.parametrize("bad", [-1, 2**256, 1.0, "1", None, True])
def test_an_amount_that_no_call_could_carry_is_a_value_error(bad: Any):
    """Refused by name before the pool is touched."""
    world = market()
    with pytest.raises(PoolInputError, match="fxs_amount"):
        world.pool.buyBackFxs(USDC, bad, 0, sender="user")


sizes = st.one_of(st.integers(0, 10**13), st.integers(0, 2_000 * WAD), st.integers(2**95, UINT256_MAX))
markets = st.builds(
    market, ratio=st.sampled_from([0, 1, 500_000, 10**6, 2 * 10**6]), frax=st.integers(900_000, 1_100_000), free=st.integers(0, 10**10)
)


@quick
@given(world=markets, data=st.data())
def test_a_call_that_reverts_leaves_no_trace_and_no_balance_is_below_zero(world: Any, data: st.DataObject):
    """Any size and index, several calls in a row."""
    index, bound = st.integers(0, 2), st.sampled_from([0, UINT256_MAX])
    calls: dict[str, tuple[Any, ...]] = {
        "mintFrax": (index, sizes, bound, bound, bound, st.booleans()),
        "redeemFrax": (index, sizes, bound, bound),
        "collectRedemption": (index,),
        "buyBackFxs": (index, sizes, bound),
        "recollateralize": (index, sizes, bound),
    }
    for _ in range(3):
        name, before = data.draw(st.sampled_from(sorted(calls))), storage(world)
        try:
            getattr(world.pool, name)(*(data.draw(argument) for argument in calls[name]), sender="user")
        except Revert:
            assert storage(world) == before
        held = [value for token in (world.frax, world.fxs, *world.tokens) for value in token.balanceOf.values()]
        assert min(held) >= 0
        assert sum(world.frax.balanceOf.values()) == world.frax.totalSupply
        assert sum(world.fxs.balanceOf.values()) == world.fxs.totalSupply
        world.chain.number += 1


@quick
@given(amount=st.integers(0, 900 * WAD), ratio=st.integers(0, 10**6))
def test_nobody_gains_by_minting_and_redeeming_at_once(amount: int, ratio: int):
    """Without a fee, at an unchanged ratio and FXS price: what is set apart is at most what was paid."""
    world = market(ratio=ratio)
    world.pool.setPriceThresholds(0, UINT256_MAX, sender="owner")
    minted, collat_in, fxs_in = world.pool.mintFrax(USDC, amount, 0, UINT256_MAX, UINT256_MAX, False, sender="user")
    collat_out, fxs_out = world.pool.redeemFrax(USDC, minted, 0, 0, sender="user")
    assert collat_out <= collat_in
    assert fxs_out <= fxs_in + 1
