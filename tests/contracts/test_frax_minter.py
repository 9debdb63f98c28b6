"""FraxAMOMinter: every measured call with its whole state after, small cases by hand, and what holds for any run of calls."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measured import cases_of

from amo_opt.contracts.frax_cr import FRAXStablecoin
from amo_opt.contracts.frax_minter import AMO, FraxAMOMinter, from_state, replay
from amo_opt.contracts.frax_pool_v3 import FraxPoolV3
from amo_opt.contracts.frax_world import Chain, ERC20Mock, FRAXShares
from amo_opt.contracts.integers import UINT256_MAX, WAD, Revert
from amo_opt.stableswap.exact import PoolInputError

cases = partial(cases_of, "frax_minter_a")
quick = settings(max_examples=100, deadline=None, derandomize=True)


def test_every_measured_call_is_met_to_the_unit_with_its_whole_state():
    """Outputs, reasons of reverts, and all of the state before and after, views included."""
    calls = reverts = 0
    for case in cases():
        for theirs, mine in replay(case):
            assert mine == theirs, case["id"]
            calls += 1
            reverts += theirs["revert"] is not None
    assert (calls, reverts) == (80, 36)


def test_a_case_starts_from_its_state():
    """The state the contracts are put to reads as the case's."""
    for case in cases():
        assert from_state(case).state() == case["before"], case["id"]


def lender(*, amos: int = 2) -> Any:
    """A minter for USDC with AMOs, beside a pool of a million dollars, under a supply of a million."""
    chain = Chain(number=1, timestamp=3_600)
    frax = FRAXStablecoin(chain)
    fxs = FRAXShares(chain, frax.is_pool)
    usdc = ERC20Mock(chain, "USDC", missing_decimals=12)
    pool = FraxPoolV3(frax, fxs, [usdc])
    minter = FraxAMOMinter(frax, fxs, pool, col_idx=0)
    for contract in (pool, minter):
        frax.addPool(contract, sender="owner")
    pool.addAMOMinter("minter", sender="owner")
    usdc.balanceOf = {"pool": 10**12}
    for token in (frax, fxs):
        token.hold("owner", 10**6 * WAD)
        token.totalSupply = 10**6 * WAD
    members = [AMO(chain, f"amo{k}") for k in range(amos)]
    for amo in members:
        minter.addAMO(amo.address, False, sender="owner")
    return SimpleNamespace(chain=chain, frax=frax, fxs=fxs, usdc=usdc, pool=pool, minter=minter, amos=members)


def storage(world: Any) -> list[Any]:
    return [contract.storage() for contract in world.chain.contracts]


def test_min_cr_is_held_against_the_value_before_over_the_supply_after():
    """A million over 1.25 million is 0.8 to the unit; one wei more is below it. What the AMO is worth counts once it is synced."""
    world = lender(amos=1)
    world.minter.setMinimumCollateralRatio(800_000, sender="owner")
    with pytest.raises(Revert, match="CR would be too low"):
        world.minter.mintFraxForAMO("amo0", 250_000 * WAD + 1, sender="owner")
    world.minter.mintFraxForAMO("amo0", 250_000 * WAD, sender="timelock")
    world.amos[0].reports_collat_e18 = 10**6 * WAD
    with pytest.raises(Revert, match="CR would be too low"):
        world.minter.mintFraxForAMO("amo0", 10**6 * WAD, sender="owner")
    world.minter.syncDollarBalances()
    world.minter.mintFraxForAMO("amo0", 10**6 * WAD, sender="owner")
    assert world.minter.frax_mint_sum == world.frax.balanceOf["amo0"] == 1_250_000 * WAD


def test_lending_looks_at_its_cap_alone():
    """A pool may be emptied far below min_cr, and beyond what is set apart for redeemers; the cap is met inclusively."""
    world = lender()
    world.pool.unclaimedPoolCollateral = [10**9]
    world.minter.setCollatBorrowCap(10**12, sender="owner")
    world.minter.giveCollatToAMO("amo1", 10**12, sender="owner")
    with pytest.raises(Revert, match="Borrow cap"):
        world.minter.giveCollatToAMO("amo0", 1, sender="owner")
    with pytest.raises(Revert, match="SafeMath: subtraction overflow"):
        world.frax.globalCollateralValue()
    world.minter.receiveCollatFromAMO(10**12, sender="amo1")
    assert world.frax.globalCollateralValue() == (10**12 - 10**9) * 10**12


def test_books_turn_negative_and_leave_the_others_room():
    """FRAX that was never minted for the AMO may be burned."""
    world = lender()
    world.frax.hold("amo0", 5_000 * WAD)
    world.minter.burnFraxFromAMO(5_000 * WAD, sender="amo0")
    assert world.minter.frax_mint_balances["amo0"] == world.minter.frax_mint_sum == -5_000 * WAD
    world.minter.setFraxMintCap(0, sender="owner")
    world.minter.mintFraxForAMO("amo1", 5_000 * WAD, sender="owner")
    with pytest.raises(Revert, match="Mint cap reached"):
        world.minter.mintFraxForAMO("amo1", 1, sender="owner")


def test_half_the_range_is_booked_as_its_negative():
    """2**255 wraps below zero, passes the cap, and is minted in full where min_cr is 0."""
    world = lender()
    with pytest.raises(Revert, match="CR would be too low"):
        world.minter.mintFraxForAMO("amo0", 2**255, sender="owner")
    world.minter.setMinimumCollateralRatio(0, sender="owner")
    world.minter.mintFraxForAMO("amo0", 2**255, sender="owner")
    assert world.frax.balanceOf["amo0"] == 2**255 == -world.minter.frax_mint_balances["amo0"]


def test_fxs_has_its_cap_and_its_books():
    """And no min_cr."""
    world = lender()
    world.minter.setMinimumCollateralRatio(UINT256_MAX, sender="owner")
    world.minter.mintFxsForAMO("amo0", 10**8 * WAD, sender="owner")
    with pytest.raises(Revert, match="Mint cap reached"):
        world.minter.mintFxsForAMO("amo0", 1, sender="owner")
    world.minter.burnFxsFromAMO(10**8 * WAD, sender="amo0")
    assert world.minter.fxs_mint_sum == world.fxs.balanceOf["amo0"] == world.fxs.votes["amo0"] == 0


def test_a_correction_below_an_amo_s_value_wraps_alone_and_panics_beside_another():
    """The sum of AMOs is of uint256, each after a cast."""
    world = lender()
    world.minter.setAMOCorrectionOffsets("amo1", 0, -1, sender="owner")
    assert world.minter.collatDollarBalance() == UINT256_MAX
    world.amos[0].reports_collat_e18 = 1
    with pytest.raises(Revert, match=r"Panic\(0x11\)"):
        world.minter.syncDollarBalances()
    assert world.minter.collatDollarBalance() == UINT256_MAX


def test_an_amo_that_comes_back_has_empty_books_and_the_sums_remember():
    """Removed and added again."""
    world = lender()
    world.minter.mintFraxForAMO("amo0", 7 * WAD, sender="owner")
    world.minter.removeAMO("amo0", True, sender="owner")
    with pytest.raises(Revert, match="Invalid AMO"):
        world.minter.burnFraxFromAMO(0, sender="amo0")
    with pytest.raises(Revert, match="Address nonexistant"):
        world.minter.removeAMO("amo0", True, sender="owner")
    world.minter.addAMO("amo0", True, sender="owner")
    with pytest.raises(Revert, match="Address already exists"):
        world.minter.addAMO("amo0", True, sender="owner")
    assert (world.minter.frax_mint_balances["amo0"], world.minter.frax_mint_sum) == (0, 7 * WAD)
    assert world.minter.fraxTrackedGlobal() == -7 * WAD


@pytest.mark.parametrize(("account", "reason"), [("", "Zero address detected"), ("nowhere", ""), ("pool", "")])
def test_what_reports_no_dollar_balances_is_no_amo(account: str, reason: str):
    """Nothing, an account without code, and another contract."""
    with pytest.raises(Revert) as refused:
        lender().minter.addAMO(account, True, sender="owner")
    assert refused.value.reason == reason


def test_a_minter_off_the_lists_cannot_mint_or_borrow():
    """FRAX's list and the pool's are two."""
    world = lender()
    world.frax.removePool(world.minter, sender="owner")
    with pytest.raises(Revert, match="Only frax pools can call this function"):
        world.minter.mintFraxForAMO("amo0", 1, sender="owner")
    with pytest.raises(Revert, match="Only frax pools can mint new FRAX"):
        world.minter.mintFxsForAMO("amo0", 1, sender="owner")
    world.minter.giveCollatToAMO("amo0", 0, sender="owner")
    world.pool.removeAMOMinter("minter", sender="owner")
    with pytest.raises(Revert, match="Not an AMO Minter"):
        world.minter.giveCollatToAMO("amo0", 1, sender="owner")


@pytest.mark.parametrize("correction", [2**255, -(2**255), 1.5])
def test_a_correction_is_an_int256(correction: Any):
    """Beyond it, and what is no integer, cannot be sent."""
    with pytest.raises(PoolInputError, match="frax_e18_correction"):
        lender().minter.setAMOCorrectionOffsets("amo0", correction, 0, sender="owner")


amounts = st.one_of(st.integers(0, 3), st.integers(0, 2 * 10**12), st.integers(0, 2 * 10**24), st.integers(2**254, UINT256_MAX))
accounts = st.sampled_from(["amo0", "amo1", "amo2"])
corrections = st.one_of(st.integers(-(10**24), 10**24), st.integers(-(2**255) + 1, 2**255 - 1))


@quick
@given(data=st.data(), min_cr=st.sampled_from([0, 500_000]))
def test_a_call_that_reverts_leaves_no_trace_and_the_sums_are_the_books(data: st.DataObject, min_cr: int):
    """Several calls in a row, of any size: tokens are accounted for, and the sums are those of all AMOs' books."""
    world = lender()
    world.minter.min_cr = min_cr
    governed = {"mintFraxForAMO": amounts, "mintFxsForAMO": amounts, "giveCollatToAMO": amounts}
    own = {"burnFraxFromAMO": amounts, "burnFxsFromAMO": amounts, "receiveCollatFromAMO": amounts}
    for _ in range(5):
        name, before = data.draw(st.sampled_from([*governed, *own, "setAMOCorrectionOffsets"])), storage(world)
        account = data.draw(accounts)
        try:
            if name in own:
                getattr(world.minter, name)(data.draw(own[name]), sender=account)
            elif name in governed:
                getattr(world.minter, name)(account, data.draw(governed[name]), sender="owner")
            else:
                world.minter.setAMOCorrectionOffsets(account, data.draw(corrections), data.draw(corrections), sender="owner")
        except Revert:
            assert storage(world) == before
        minter = world.minter
        assert sum(world.usdc.balanceOf.values()) == 10**12
        assert sum(world.frax.balanceOf.values()) == world.frax.totalSupply
        assert min(*world.frax.balanceOf.values(), *world.fxs.balanceOf.values(), *world.usdc.balanceOf.values()) >= 0
        assert minter.frax_mint_sum == sum(minter.frax_mint_balances.values())
        assert minter.fxs_mint_sum == sum(minter.fxs_mint_balances.values())
        assert (
            minter.collat_borrowed_sum
            == sum(minter.collat_borrowed_balances.values())
            == world.usdc.balanceOf.get("amo0", 0) + (world.usdc.balanceOf.get("amo1", 0))
        )
