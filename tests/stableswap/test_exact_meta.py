"""Metapools: the base pool underneath, its price, and the stored price of the older template."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from amo_opt.stableswap.exact import GENERATIONS, MetaPool, PlainPool, Revert, get_dy

E18 = 10**18
T0 = 1_700_000_000
META = [rules.name for rules in GENERATIONS if rules.meta]
quick = settings(max_examples=150, deadline=None, derandomize=True)


def base() -> PlainPool:
    """A 3pool of 900 million, its LP worth 1.02 dollars."""
    return PlainPool(
        generation="three_pool",
        decimals=(18, 6, 6),
        balances=(300_000_000 * E18, 350_000_000 * 10**6, 250_000_000 * 10**6),
        amplification_raw=2_000,
        fee_raw=1_000_000,
        admin_fee_raw=5 * 10**9,
        total_supply=900_000_000 * E18 * 100 // 102,
    )


def pool(generation: str = "meta_factory_v1", **changes: Any) -> MetaPool:
    """100 million of a coin against 90 million of LP at A = 1500, 4 bps."""
    values = {
        "generation": generation,
        "base_pool": base(),
        "decimals": (18, 18),
        "balances": (100_000_000 * E18, 90_000_000 * E18),
        "amplification_raw": 150_000,
        "fee_raw": 4_000_000,
        "admin_fee_raw": 5 * 10**9,
        "total_supply": 191_000_000 * E18,
    }
    return MetaPool(**{**values, **changes})


def figures(metapool: MetaPool) -> tuple[Any, ...]:
    under = metapool.base_pool
    lists = metapool.balances, metapool.admin_balances, under.balances, under.admin_balances
    return *map(tuple, lists), metapool.total_supply, under.total_supply, metapool.base_virtual_price, metapool.base_cache_updated


def total(state: PlainPool | MetaPool, k: int) -> int:
    return state.balances[k] + state.admin_balances[k]


@quick
@given(generation=st.sampled_from(META), i=st.integers(0, 3), j=st.integers(0, 3), part=st.integers(1, 300_000))
def test_an_underlying_swap_moves_both_pools_by_what_was_given_and_paid(generation: str, i: int, j: int, part: int) -> None:
    """In, dx; out, dy; the LP between the pools is minted or burned in full; base to base leaves the metapool alone."""
    assume(i != j)
    traded = pool(generation)
    before, under = copy.deepcopy(traded), traded.base_pool
    dx = part * (E18 if i < 2 else 10**6)
    quote, dy = traded.get_dy_underlying(i, j, dx), traded.exchange_underlying(i, j, dx)
    for k in range(3):
        assert total(under, k) - total(before.base_pool, k) == dx * (i == k + 1) - dy * (j == k + 1)
    assert total(traded, 0) - total(before, 0) == dx * (i == 0) - dy * (j == 0)
    assert total(traded, 1) - total(before, 1) == under.total_supply - before.base_pool.total_supply
    if i and j:
        assert (traded.balances, traded.admin_balances) == (before.balances, before.admin_balances)
    if i == 0:
        assert quote == dy
    else:
        assert abs(quote - dy) <= dy * 2e-4 + 1


@quick
@given(generation=st.sampled_from(META), i=st.integers(0, 3), j=st.integers(0, 3), part=st.integers(1, 10**6))
def test_underlying_there_and_back_never_profits(generation: str, i: int, j: int, part: int) -> None:
    """Through both pools' fees and roundings."""
    assume(i != j)
    traded = pool(generation)
    dx = part * (E18 if i < 2 else 10**6)
    assert traded.exchange_underlying(j, i, traded.exchange_underlying(i, j, dx)) <= dx


@pytest.mark.parametrize("generation", META)
@pytest.mark.parametrize(("i", "j"), [(0, 0), (2, 2), (0, 4), (-1, 0), (4, 1)])
def test_an_underlying_coin_that_is_not_there_reverts(generation: str, i: int, j: int) -> None:
    """A coin for itself or outside the metapool's own and the base pool's: quote and swap alike, both pools untouched."""
    traded = pool(generation)
    before = figures(traded)
    for call in (traded.get_dy_underlying, traded.exchange_underlying):
        with pytest.raises(Revert):
            call(i, j, E18)
    assert figures(traded) == before


@pytest.mark.parametrize("generation", META)
def test_a_revert_in_the_second_pool_undoes_the_first(generation: str) -> None:
    """The base pool took the deposit, then the metapool, dry on one side, reverts: neither keeps a trace; so too the other way."""
    traded = pool(generation, balances=(0, 90_000_000 * E18), timestamp=T0)
    traded.timestamp = T0 + 3_600
    before = figures(traded)
    with pytest.raises(Revert):
        traded.exchange_underlying(1, 0, 10**6 * E18)
    assert figures(traded) == before
    drained = pool(generation)
    drained.base_pool.total_supply = 10**18
    before = figures(drained)
    with pytest.raises(Revert):
        drained.exchange_underlying(0, 1, 10**6 * E18)
    assert figures(drained) == before


def test_the_template_counts_lp_at_a_stored_price_for_ten_minutes() -> None:
    """The live price comes in after 600 s, strictly: seen by views at once, stored by the next change, but not by remove_liquidity."""
    traded = pool("meta_template", timestamp=T0)
    stored = traded.base_virtual_price
    assert stored == traded.base_pool.get_virtual_price()
    traded.base_pool.exchange(1, 0, 50_000_000 * 10**6)
    live = traded.base_pool.get_virtual_price()
    assert live > stored
    dated = traded.get_virtual_price()
    traded.timestamp = T0 + 600
    traded.exchange(0, 1, 1)
    assert (traded.base_virtual_price, traded.base_cache_updated) == (stored, T0)
    traded.timestamp = T0 + 601
    assert traded.get_virtual_price() > dated
    traded.remove_liquidity(E18)
    assert (traded.base_virtual_price, traded.base_cache_updated) == (stored, T0)
    with pytest.raises(Revert):
        traded.exchange(0, 1, 2**255)
    assert (traded.base_virtual_price, traded.base_cache_updated) == (stored, T0)
    traded.exchange(0, 1, E18)
    assert (traded.base_virtual_price, traded.base_cache_updated) == (live, T0 + 601)


@pytest.mark.parametrize("generation", ["meta_factory_v1", "meta_factory_v2", "ng_meta"])
def test_the_other_metapools_see_the_base_price_as_it_moves(generation: str) -> None:
    """A fee earned in the base pool raises the metapool's price at once."""
    traded = pool(generation)
    before = traded.get_virtual_price()
    traded.base_pool.exchange(1, 0, 50_000_000 * 10**6)
    assert traded.get_virtual_price() > before


def test_the_two_factories_have_one_arithmetic() -> None:
    """meta_factory_v1 and v2 answer alike."""
    first, second = pool("meta_factory_v1"), pool("meta_factory_v2")
    assert first.exchange(0, 1, 12_345 * E18) == second.exchange(0, 1, 12_345 * E18)
    assert first.exchange_underlying(2, 0, 10**12) == second.exchange_underlying(2, 0, 10**12)
    assert figures(first) == figures(second)


@quick
@given(
    own=st.integers(10**20, 10**27),
    lp=st.integers(10**20, 10**27),
    dx=st.integers(0, 10**26),
    i=st.integers(0, 1),
    fee=st.integers(0, 10**8),
)
def test_the_quote_at_given_balances_is_the_pool_s(own: int, lp: int, dx: int, i: int, fee: int) -> None:
    """get_dy with balances passed in equals the method of a pool that holds them, reverts included."""
    assume(max(own, lp) <= 10**5 * min(own, lp))
    traded = pool(balances=(own, lp), fee_raw=fee)
    price = traded.base_pool.get_virtual_price()

    def passed() -> int:
        return get_dy(i, 1 - i, dx, balances=(own, lp), amplification_raw=150_000, fee_raw=fee, virtual_price=price)

    try:
        expected = traded.get_dy(i, 1 - i, dx)
    except Revert:
        with pytest.raises(Revert):
            passed()
    else:
        assert passed() == expected
