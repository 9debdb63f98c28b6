"""FRAX's collateral ratio and the PIDController: every measured call with its whole state after, small cases by hand, properties."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measured import cases_of

from amo_opt.contracts.frax_cr import NOT_GOVERNANCE, FRAXStablecoin, PIDController, PriceOracle, ReserveTracker, from_state, replay
from amo_opt.contracts.frax_world import Chain
from amo_opt.contracts.integers import UINT256_MAX, WAD, Revert

cases = partial(cases_of, "frax_cr_a")
quick = settings(max_examples=150, deadline=None, derandomize=True)
dollars = st.integers(0, 2 * 10**6)


def test_every_measured_call_is_met_to_the_unit_with_its_whole_state():
    """Reasons of reverts, and all of the state before and after, prices included."""
    calls = reverts = 0
    for case in cases():
        for theirs, mine in replay(case):
            assert mine == theirs, case["id"]
            calls += 1
            reverts += theirs["revert"] is not None
    assert (calls, reverts) == (202, 67)


def test_a_case_starts_from_its_state():
    """The state the contracts are put to reads as the case's."""
    for case in cases():
        assert from_state(case).state() == case["before"], case["id"]


def stablecoin(*, price: int = 10**6, ratio: int = 500_000) -> FRAXStablecoin:
    """FRAX at a price (1e6), never refreshed."""
    frax = FRAXStablecoin(Chain(number=1, timestamp=10**6), PriceOracle(eth_usd_answer=100 * price))
    frax.global_collateral_ratio = ratio
    frax.totalSupply = 10**6 * WAD
    return frax


@pytest.mark.parametrize(
    ("price", "ratio", "after"),
    [
        (1_005_001, 500_000, 497_500),
        (1_005_000, 500_000, 500_000),
        (995_000, 500_000, 500_000),
        (994_999, 500_000, 502_500),
        (994_999, 999_999, 1_000_000),
        (1_100_000, 2_500, 0),
        (1_100_000, 2_501, 1),
        (900_000, 1_200_000, 1_000_000),
    ],
)
def test_a_refresh_is_one_step_away_from_the_band(price: int, ratio: int, after: int):
    """Strictly outside; cut at 0 and 1; the cooldown starts again even where nothing moves."""
    frax = stablecoin(price=price, ratio=ratio)
    frax.refreshCollateralRatio()
    assert (frax.global_collateral_ratio, frax.last_call_time) == (after, frax.chain.timestamp)
    frax.chain.timestamp += 3_599
    with pytest.raises(Revert, match="cooldown"):
        frax.refreshCollateralRatio()
    frax.chain.timestamp += 1
    frax.refreshCollateralRatio()


def test_a_clock_before_the_last_call_wraps_and_passes():
    """The subtraction is the machine's own under this compiler."""
    frax = stablecoin(price=900_000)
    frax.last_call_time = frax.chain.timestamp + 1
    frax.refreshCollateralRatio()
    assert frax.global_collateral_ratio == 502_500


def test_the_price_is_read_before_the_cooldown_is_looked_at_and_after_the_pause():
    """Which refusal speaks first."""
    frax = stablecoin()
    frax.refreshCollateralRatio()
    frax.oracle.consult = 0
    with pytest.raises(Revert, match="SafeMath: division by zero"):
        frax.refreshCollateralRatio()
    frax.toggleCollateralRatio(sender="timelock")
    with pytest.raises(Revert, match="Collateral Ratio has been paused"):
        frax.refreshCollateralRatio()


def test_a_band_above_the_target_stops_all_but_a_fall():
    """The lower end is worked out only where the upper one is not passed."""
    frax = stablecoin(price=3 * 10**6)
    frax.setPriceBand(10**6 + 1, sender="owner")
    frax.refreshCollateralRatio()
    assert frax.global_collateral_ratio == 497_500
    frax.oracle.eth_usd_answer, frax.last_call_time = 10**8, 0
    with pytest.raises(Revert, match="SafeMath: subtraction overflow"):
        frax.refreshCollateralRatio()


@pytest.mark.parametrize("call", ["setPriceBand", "setPriceTarget", "setFraxStep", "setRefreshCooldown"])
def test_governance_and_the_controller_set_anything_at_all(call: str):
    """No range; others are refused."""
    frax = stablecoin()
    frax.controller_address = "pid"
    for sender in ("owner", "timelock", "pid"):
        getattr(frax, call)(UINT256_MAX, sender=sender)
    with pytest.raises(Revert, match=NOT_GOVERNANCE):
        getattr(frax, call)(1, sender="user")
    with pytest.raises(Revert) as refused:
        frax.toggleCollateralRatio(sender="user")
    assert refused.value.reason == ""


def controller(frax: FRAXStablecoin, *, twap: int, reserves: int = 10**6 * WAD, price: int = 10**6) -> PIDController:
    """An active controller with bands of 0.995 and 1.005."""
    pid = PIDController(frax.chain, frax, ReserveTracker(reserves, price, twap))
    frax.controller_address = pid.address
    pid.setPriceBands(1_005_000, 995_000, sender="owner")
    pid.activate(True, sender="owner")
    return pid


@pytest.mark.parametrize(("twap", "after"), [(1_005_001, 502_500), (1_005_000, 500_000), (994_999, 497_500)])
def test_the_controller_moves_the_ratio_the_wrong_way(twap: int, after: int):
    """Up where the price is high, down where it is low; FRAX is left with its target and cooldown, and a step of nothing."""
    frax = stablecoin(price=1_000_000)
    controller(frax, twap=twap).refreshCollateralRatio()
    assert frax.global_collateral_ratio == after
    assert (frax.frax_step, frax.price_target, frax.refresh_cooldown) == (0, 10**6, 3_600)


def test_the_controller_cannot_fall_below_nothing():
    """A step that would pass 0 reverts, and all that was set is as before."""
    frax = stablecoin(ratio=2_499)
    pid = controller(frax, twap=1_100_000)
    before = pid.storage(), frax.storage()
    with pytest.raises(Revert, match="SafeMath: subtraction overflow"):
        pid.refreshCollateralRatio()
    assert (pid.storage(), frax.storage()) == before


def test_a_refusal_of_the_stablecoin_undoes_what_the_controller_set():
    """Target, step and cooldown were already written when FRAX's own refresh refuses."""
    frax = stablecoin()
    pid = controller(frax, twap=1_100_000)
    frax.toggleCollateralRatio(sender="owner")
    before = pid.storage(), frax.storage()
    with pytest.raises(Revert, match="Collateral Ratio has been paused"):
        pid.refreshCollateralRatio()
    assert (pid.storage(), frax.storage()) == before


@pytest.mark.parametrize("twap", [995_000, 1_000_000, 1_005_000])
def test_fip_6_wants_the_price_strictly_outside(twap: int):
    """At a band's edge it is inside."""
    pid = controller(stablecoin(), twap=twap)
    pid.activateFIP6(True, sender="timelock")
    with pytest.raises(Revert, match="outside of peg"):
        pid.refreshCollateralRatio()


@pytest.mark.parametrize(("last", "after"), [(999_000, 502_500), (999_001, 500_000), (1_001_002, 500_000), (1_001_003, 497_500)])
def test_inside_the_bands_the_growth_ratio_decides(last: int, after: int):
    """Liquidity over supply is 1: growth beyond 0.1 % is meant to lower the ratio, so it rises, and the reverse; strictly, after a floor."""
    frax = stablecoin()
    pid = controller(frax, twap=10**6)
    pid.useGrowthRatio(True, sender="owner")
    pid.growth_ratio = last
    pid.refreshCollateralRatio()
    assert frax.global_collateral_ratio == after
    assert pid.growth_ratio == 10**6


@quick
@given(
    price=dollars, ratio=dollars, step=st.one_of(dollars, st.just(UINT256_MAX)), target=dollars, band=dollars, waited=st.integers(0, 7_200)
)
def test_a_refresh_stays_between_nothing_and_one_or_leaves_no_trace(price: int, ratio: int, step: int, target: int, band: int, waited: int):
    """Whatever the settings: one step at most, towards 0..1, or a revert and the old state."""
    frax = stablecoin(price=price, ratio=ratio)
    frax.frax_step, frax.price_target, frax.price_band = step, target, band
    frax.last_call_time = frax.chain.timestamp - waited
    before = frax.storage()
    try:
        frax.refreshCollateralRatio()
    except Revert:
        assert frax.storage() == before
        return
    after = frax.global_collateral_ratio
    assert 0 <= after <= max(ratio, 10**6)
    assert abs(after - ratio) <= max(step, ratio - 10**6)
    assert waited >= 3_600
