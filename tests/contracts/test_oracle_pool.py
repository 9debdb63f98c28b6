"""crvUSD's pools by hand: prices, their averages, LP by holder, and that a revert leaves no trace. The vectors of keepers hold them to the unit."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amo_opt.contracts.exponential import exp, wad_exp
from amo_opt.contracts.integers import WAD, Revert
from amo_opt.contracts.oracle_pool import USERS, Averages, OraclePool, from_state, state_of

quick = settings(max_examples=100, deadline=None, derandomize=True)
KINDS = ("old", "ng")


def a_pool(kind: str = "old", **changes: Any) -> OraclePool:
    """A million of each of a coin of 6 decimals and crvUSD at A = 500, 1 bp, at second 1000."""
    values = {
        "kind": kind,
        "decimals": (6, 18),
        "balances": (10**12, 10**24),
        "amplification_raw": 50_000,
        "fee_raw": 10**6,
        "total_supply": 2 * 10**24,
        "timestamp": 1000,
    }
    return OraclePool(**{**values, **changes})


def figures(pool: OraclePool) -> Any:
    return pool.balances, pool.admin_balances, pool.total_supply, pool.averages, pool.balance_of, pool.last_event


@pytest.mark.parametrize("kind", KINDS)
def test_an_even_pool_has_price_one(kind):
    """x = y makes the slopes equal; with all averages at 1 time changes nothing."""
    pool = a_pool(kind)
    assert pool.get_p() == pool.last_price() == pool.price_oracle() == pool.get_virtual_price() == WAD
    pool.timestamp += 10**6
    assert pool.price_oracle() == WAD


@pytest.mark.parametrize("kind", KINDS)
def test_the_price_is_that_of_coin_one_in_coin_zero(kind):
    """Selling coin 0 makes coin 1 dear."""
    pool = a_pool(kind)
    pool.exchange(0, 1, 3 * 10**11)
    assert pool.get_p() > WAD
    pool = a_pool(kind)
    pool.exchange(1, 0, 3 * 10**23)
    assert pool.get_p() < WAD


@pytest.mark.parametrize(("kind", "exponential"), [("old", exp), ("ng", wad_exp)])
def test_an_average_moves_by_the_exponential_of_its_age(kind, exponential):
    """After 866 s the old value weighs e**-1, in the rounding of the contract."""
    pool = a_pool(kind, averages=Averages(last_price=2 * WAD, ema_price=WAD, ma_last_time=1000))
    assert pool.price_oracle() == WAD
    pool.timestamp += 866
    weight = exponential(-WAD)
    assert pool.price_oracle() == (2 * WAD * (WAD - weight) + WAD * weight) // WAD


def test_a_last_price_counts_as_two_at_most():
    """The old pool stores the price itself and caps it in the average; ng stores the cap."""
    for kind, stored in (("old", True), ("ng", False)):
        pool = a_pool(kind, amplification_raw=100)
        pool.exchange(0, 1, 9 * 10**12)
        assert pool.get_p() > 2 * WAD
        assert (pool.last_price() > 2 * WAD) is stored
        pool.timestamp += 10**6
        assert pool.price_oracle() == 2 * WAD


def test_an_average_is_stored_before_the_new_price_counts():
    """Within a block the average stands still, however often the price moves."""
    for kind in KINDS:
        pool = a_pool(kind)
        pool.timestamp += 60
        pool.exchange(0, 1, 10**11)
        assert (pool.ema_price(), pool.price_oracle(), pool.ma_last_time()) == (WAD, WAD, 1060)
        pool.exchange(0, 1, 10**11)
        assert pool.price_oracle() == WAD


def test_the_average_of_D_follows_liquidity():
    """ng alone: D at the deposit, less its share at a proportional withdrawal, smoothed over 62,324 s."""
    pool = a_pool("ng")
    assert pool.D_oracle() == 2 * 10**24
    pool.remove_liquidity(10**24)
    assert pool.D_oracle() == 2 * 10**24
    pool.timestamp += 62_324
    weight = wad_exp(-WAD)
    assert pool.D_oracle() == (10**24 * (WAD - weight) + 2 * 10**24 * weight) // WAD
    with pytest.raises(Revert):
        a_pool("old").D_oracle()


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_deposit_is_D(kind):
    """Quoted and minted without a fee; the price is not touched, ng's D begins there."""
    pool = a_pool(kind, balances=(0, 0), total_supply=0)
    assert pool.calc_token_amount([10**12, 10**24], True) == 2 * 10**24
    assert pool.add_liquidity([10**12, 10**24], "first") == 2 * 10**24
    assert pool.balance_of == {USERS: 0, "first": 2 * 10**24}
    assert pool.last_price() == WAD
    assert not pool.is_ng or pool.D_oracle() == 2 * 10**24


@pytest.mark.parametrize("kind", KINDS)
def test_a_quote_includes_the_fees(kind):
    """calc_token_amount is what add_liquidity mints; at a withdrawal it lacks the unit in the pool's favour."""
    pool = a_pool(kind)
    quote = pool.calc_token_amount([0, 10**23], True)
    assert pool.add_liquidity([0, 10**23]) == quote
    quote = pool.calc_token_amount([0, 10**22], False)
    assert pool.remove_liquidity_imbalance([0, 10**22]) == quote + 1


def test_lp_belongs_to_someone():
    """Nobody withdraws with, or gives away, LP that is another's."""
    pool = a_pool(balance_of={"keeper": 10**24})
    assert pool.balance_of[USERS] == 10**24
    for call in (
        lambda: pool.transfer("keeper", "x", 10**24 + 1),
        lambda: pool.remove_liquidity(10**24 + 1, "keeper"),
        lambda: pool.remove_liquidity_one_coin(10**24 + 1, 0, "keeper"),
        lambda: pool.remove_liquidity_imbalance([9 * 10**11, 9 * 10**23], "keeper"),
    ):
        before = figures(pool)
        with pytest.raises(Revert):
            call()
        assert figures(pool) == before
    pool.transfer("keeper", "keeper", 10**24)
    assert pool.balance_of["keeper"] == 10**24
    with pytest.raises(Revert):
        a_pool(balance_of={"keeper": 3 * 10**24})


def test_what_no_pool_is():
    """Two kinds, two coins."""
    with pytest.raises(ValueError, match="choose old or ng"):
        a_pool("meta")
    with pytest.raises(ValueError, match="has two"):
        a_pool("ng", decimals=(18, 18, 18), balances=(10**24,) * 3)


@quick
@given(
    kind=st.sampled_from(KINDS),
    calls=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2 * 10**12), st.integers(0, 2000)), max_size=8),
)
def test_whatever_is_called_lp_adds_up_and_a_revert_leaves_no_trace(kind, calls):
    """And the average stays within the prices that were."""
    pool = a_pool(kind, balance_of={"keeper": 10**23})
    least = most = WAD
    for which, amount, dt in calls:
        pool.timestamp += dt
        before = copy.deepcopy(figures(pool))
        call = (
            lambda: pool.exchange(0, 1, amount),  # noqa: B023
            lambda: pool.exchange(1, 0, amount * 10**12),  # noqa: B023
            lambda: pool.add_liquidity([0, amount * 10**12], "keeper"),  # noqa: B023
            lambda: pool.remove_liquidity_imbalance([0, amount * 10**12], "keeper"),  # noqa: B023
            lambda: pool.remove_liquidity(amount * 10**12),  # noqa: B023
            lambda: pool.remove_liquidity_one_coin(amount * 10**11, 0),  # noqa: B023
        )[which]
        try:
            call()
        except Revert:
            assert figures(pool) == before
        assert sum(pool.balance_of.values()) == pool.total_supply
        counted = min(pool.last_price(), 2 * WAD)
        least, most = min(least, counted), max(most, counted)
        assert least - 10 <= pool.price_oracle() <= most


def test_a_state_tells_the_pool():
    """What state_of writes, from_state reads."""
    entry = {"pool": "ng", "decimals": 6, "pegged_index": 1, "offpeg_fee_multiplier": "20000000000"}
    pool = a_pool("ng", offpeg_fee_multiplier_raw=2 * 10**10)
    pool.exchange(0, 1, 10**11)
    state = state_of(pool)
    assert state_of(from_state(entry, state)) == state
    assert state_of(from_state({**entry, "state": state})) == state
