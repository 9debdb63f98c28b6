"""Depth, swaps, arbitrage and the worst case: known answers, slow obvious twins, and what must hold for any pool."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from amo_opt.stableswap.depth import (
    Pool,
    arbitrage,
    depth_to_average,
    depth_to_price,
    least_amplification,
    pool_at_price,
    sell_base,
    sell_stablecoin,
    selling_curve,
    worst_case,
)
from amo_opt.stableswap.exact import MetaPool, PlainPool, PoolInputError, get_dy

E18 = 10**18
quick = settings(max_examples=100, deadline=None)


@st.composite
def pools(draw: st.DrawFn, *, tilt: float = 50.0) -> Pool:
    """Pools of A 1..20,000, a thousand to a hundred billion, fees of every kind."""
    size = math.exp(draw(st.floats(math.log(1e3), math.log(1e11))))
    odds = math.exp(draw(st.floats(-math.log(tilt), math.log(tilt))))
    return Pool(
        stablecoin=size * odds / (1 + odds),
        base=size / (1 + odds),
        amplification=round(math.exp(draw(st.floats(0.0, math.log(20_000))))),
        fee=draw(st.sampled_from([0.0, 0.0004, 0.01])),
        admin_fee=draw(st.sampled_from([0.0, 0.5, 1.0])),
    )


def balanced(total: float, amplification: float, fee: float = 0.0) -> Pool:
    return Pool(stablecoin=total / 2, base=total / 2, amplification=amplification, fee=fee)


# -- answers known beforehand --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("amplification", "millions"), [(50, 38.17), (1500, 135.43)])
def test_a_pool_of_330m_within_a_cent(amplification: int, millions: float) -> None:
    """Balanced, marginal price, no fee: 38.17m at A 50 (often quoted as 39.2m), 135.43m at A 1500."""
    assert depth_to_price(balanced(330e6, amplification), 0.99) / 1e6 == pytest.approx(millions, abs=0.005)


def test_what_a_gap_leaves() -> None:
    """An A 10,000 pool of 200m gapping to 0.1 is worth 20.4m."""
    assert worst_case(balanced(200e6, 10_000), 0.1).collateral / 1e6 == pytest.approx(20.42, abs=0.005)


def test_depth_is_linear_in_size_and_saturates_in_amplification() -> None:
    """Twice the pool bears twice the sale; however high A, no more than the other side."""
    one, two = (depth_to_price(balanced(size, 200), 0.99) for size in (330e6, 660e6))
    assert two == pytest.approx(2 * one, rel=1e-14)
    depths = [depth_to_price(balanced(330e6, a), 0.99) for a in (1, 10, 100, 1_000, 10_000, 100_000, 999_999)]
    assert depths == sorted(depths)
    assert 0.98 * 165e6 < depths[-1] < 165e6


def test_a_balanced_pool_has_no_depth_at_its_own_price_or_above() -> None:
    """At a price of 1 and above nothing can be sold, but for the digits a balanced pool's price does not tell apart."""
    pool = balanced(330e6, 100)
    assert depth_to_price(pool, 1.0) < 2e-8 * pool.D
    assert depth_to_price(pool, 1.01) == 0.0
    assert depth_to_average(pool, 1.0) == 0.0


# -- twins ---------------------------------------------------------------------------------------------------------------------------


def chain_swap(pool: Pool, i: int, dx: int) -> tuple[list[int], int]:
    """The contract's own exchange on a virtual price of 1: balances after, and what was paid."""
    base = PlainPool(
        generation="three_pool",
        decimals=[18, 6, 6],
        balances=[10**26, 10**14, 10**14],
        amplification_raw=2000,
        fee_raw=0,
        admin_fee_raw=0,
        total_supply=3 * 10**26,
        admin_balances=[0, 0, 0],
    )
    assert base.get_virtual_price() == E18
    balances = [int(pool.stablecoin) * E18, int(pool.base) * E18]
    meta = MetaPool(
        generation="meta_factory_v1",
        base_pool=base,
        decimals=[18, 18],
        balances=balances,
        amplification_raw=100 * round(pool.amplification),
        fee_raw=round(pool.fee * 1e10),
        admin_fee_raw=5 * 10**9,
        total_supply=sum(balances),
        admin_balances=[0, 0],
    )
    paid = meta.exchange(i, 1 - i, dx)
    return list(meta.balances), paid


@pytest.mark.parametrize("fee", [0.0004, 0.01])
@pytest.mark.parametrize("sold", [1.0, 1e3, 1e6, 1e8, 3e8])
@pytest.mark.parametrize("into", [0, 1])
def test_swaps_split_their_fees_as_the_contract_does(fee: float, sold: float, into: int) -> None:
    """What is paid out and what stays on both sides is the contract's exchange to 1e-12 of it, half of the fee gone from the pool."""
    pool = Pool(stablecoin=190e6, base=140e6, amplification=200, fee=fee)
    after, paid = chain_swap(pool, into, int(sold) * E18)
    got = sell_stablecoin(pool, sold) if into == 0 else sell_base(pool, sold)
    assert got.received == pytest.approx(paid / E18, rel=1e-12)
    assert got.pool.stablecoin == pytest.approx(after[0] / E18, rel=1e-12)
    assert got.pool.base == pytest.approx(after[1] / E18, rel=1e-12)
    assert got.fee == pytest.approx(fee / (1 - fee) * got.received, rel=1e-13)
    assert got.admin_fee == 0.5 * got.fee


@quick
@given(pool=pools(), price=st.floats(0.05, 0.999))
def test_depth_is_where_bisection_of_the_price_ends(pool: Pool, price: float) -> None:
    """Halving an interval of sales by the marginal price each leaves finds the same sale, fees kept out of it."""
    plain = replace(pool, fee=0.0)
    found = depth_to_price(plain, price)
    if plain.price <= price:
        assert found == pytest.approx(0.0, abs=4e-8 * plain.D)
        return
    low, high = 0.0, 100.0 * plain.D
    for _ in range(90):
        middle = (low + high) / 2
        low, high = (middle, high) if sell_stablecoin(plain, middle).pool.price > price else (low, middle)
    assert found == pytest.approx(low, abs=4e-8 * plain.D)


@quick
@given(pool=pools(), price=st.floats(0.05, 1.5))
def test_average_depth_is_where_a_seller_gets_that_price(pool: Pool, price: float) -> None:
    """Selling it fetches the price on average; where it is 0, even a dust sale fetches no more than the price."""
    found = depth_to_average(pool, price)
    if found <= 1e-9 * pool.D:
        assert pool.price * (1 - pool.fee) <= price * (1 + 1e-6)
        return
    assert sell_stablecoin(pool, found).average_price == pytest.approx(price, rel=1e-9)


@pytest.mark.parametrize("sale", [1e6, 10e6, 38.17e6, 100e6, 135.43e6, 160e6])
@pytest.mark.parametrize("tilt", [1.0, 0.7])
def test_the_least_amplification_is_the_first_of_a_scan(sale: float, tilt: float) -> None:
    """The A found bears the sale, and A − 1 does not."""
    pool = Pool(stablecoin=165e6 * tilt, base=165e6, amplification=1)
    for measure in (depth_to_price, depth_to_average):
        a = least_amplification(pool, sale, 0.99, measure)
        assert a is not None
        assert measure(replace(pool, amplification=float(a)), 0.99) >= sale
        assert a == 1 or measure(replace(pool, amplification=float(a - 1)), 0.99) < sale


def test_no_amplification_bears_more_than_the_pool_holds() -> None:
    """Selling more than the other side holds within a cent is beyond any A; and a low price is borne by A 1 or never better."""
    assert least_amplification(balanced(330e6, 50), 166e6, 0.99) is None
    assert least_amplification(balanced(330e6, 50), 1.0, 0.5) == 1


@pytest.mark.parametrize("amplification", [1, 50, 1500])
@pytest.mark.parametrize("price", [0.8, 0.97, 0.9998, 1.0, 1.0002, 1.03, 1.4])
@pytest.mark.parametrize("fee", [0.0, 0.0004, 0.01])
def test_arbitrage_gains_as_much_as_any_trade_could(amplification: int, price: float, fee: float) -> None:
    """No other sale and no other purchase, over eight decades of sizes, gains more; inside the fee's band nothing is traded.

    All of the fee leaves here, so that the pool afterwards shows the price its last token was traded at.
    """
    pool = Pool(stablecoin=170e6, base=160e6, amplification=amplification, fee=fee, admin_fee=1.0)
    best = arbitrage(pool, price)
    assert best.gain >= 0.0
    for size in [pool.D * 10 ** (-step / 20) for step in range(160)]:
        sale, purchase = sell_stablecoin(pool, size), sell_base(pool, size)
        assert sale.received - price * size <= best.gain * (1 + 1e-9) + 1e-9 * pool.D
        assert price * purchase.received - size <= best.gain * (1 + 1e-9) + 1e-9 * pool.D
    if pool.price * (1 - fee) < price < pool.price / (1 - fee):
        assert best.stablecoin == 0.0
    elif best.stablecoin > 0.0:
        assert best.pool.price * (1 - fee) == pytest.approx(price, rel=1e-7)
    elif best.stablecoin < 0.0:
        assert best.pool.price / (1 - fee) == pytest.approx(price, rel=1e-7)


@pytest.mark.parametrize("amplification", [10, 100, 1500])
@pytest.mark.parametrize("floor", [0.8, 0.9, 0.95])
def test_the_worst_case_is_the_limit_of_small_sales(amplification: int, floor: float) -> None:
    """The contract's integers, sold into by thousandths of the pool without a fee until the price is at the floor, end within one step."""
    frax, crv3, step = 165_000_000 * E18, 165_000_000 * E18, 165_000 * E18
    terms = {"amplification_raw": 100 * amplification, "fee_raw": 0, "virtual_price": E18}
    while get_dy(0, 1, E18, balances=(frax, crv3), **terms) > floor * E18:
        crv3 -= get_dy(0, 1, step, balances=(frax, crv3), **terms)
        frax += step
    found = worst_case(balanced(330e6, amplification), floor)
    assert 0.0 <= frax / E18 - found.stablecoin <= 165_000 * 1.001
    assert 0.0 <= found.base - crv3 / E18 <= 165_000 * 1.001


# -- the worst case ------------------------------------------------------------------------------------------------------------------


def test_the_sale_is_capped_at_what_exists_outside() -> None:
    """With less stablecoin outside than the floor takes, all of it is sold and the price stays above the floor."""
    pool = balanced(330e6, 1500)
    free, capped = worst_case(pool, 0.8), worst_case(pool, 0.8, outside=50e6)
    assert (free.capped, capped.capped) == (False, True)
    assert capped.sold == 50e6
    assert capped.price > 0.8
    assert free.price == pytest.approx(0.8, rel=1e-12)
    assert worst_case(pool, 0.8, outside=free.sold).capped is False
    assert worst_case(pool, 0.8, outside=0.0).stablecoin == pool.stablecoin


def test_the_worst_case_is_the_least_any_sale_could_leave() -> None:
    """base + φ × stablecoin is at its least at a price of φ: a sale of more or less leaves more."""
    pool = balanced(330e6, 300)
    least = worst_case(pool, 0.9).collateral
    for sold in (1e6, 50e6, 120e6, 150e6, 160e6, 200e6, 400e6):
        after = sell_stablecoin(pool, sold).pool
        assert after.base + 0.9 * after.stablecoin >= least


def test_shares_and_the_collateral_ratio_count_as_they_say() -> None:
    """A share takes that part of both balances; the stablecoin counts at the ratio given, the floor by default."""
    pool = balanced(330e6, 300)
    whole, part = worst_case(pool, 0.9), worst_case(pool, 0.9, lp_share=0.25, collateral_ratio=0.5)
    assert part.share_stablecoin == 0.25 * whole.stablecoin
    assert part.share_base == 0.25 * whole.base
    assert part.collateral == pytest.approx(0.25 * (whole.base + 0.5 * whole.stablecoin))


def test_a_pool_under_its_floor_stays_as_it_is() -> None:
    """Arbitrageurs sell down to a floor, they do not buy up to it."""
    pool = Pool(stablecoin=320e6, base=5e6, amplification=100)
    assert pool.price < 0.9
    found = worst_case(pool, 0.9)
    assert (found.sold, found.stablecoin, found.base) == (0.0, pool.stablecoin, pool.base)


# -- any pool ------------------------------------------------------------------------------------------------------------------------


@quick
@given(pool=pools(), price=st.floats(0.011, 99.0))
def test_moving_to_a_price_keeps_D_and_reaches_the_price(pool: Pool, price: float) -> None:
    """No fee, no value lost: D stays, and the price is the one asked for (a balanced pool tells prices apart to 2e-8 / A)."""
    there = pool_at_price(pool, price)
    assert pytest.approx(1.0, abs=1e-12) == there.D / pool.D
    assert there.price == pytest.approx(price, rel=1e-8)


@quick
@given(pool=pools(), size=st.floats(math.log(1e-9), math.log(10.0)))
def test_a_round_trip_never_gains(pool: Pool, size: float) -> None:
    """Selling and buying back returns no more than was sold, and without a fee all of it."""
    sold = pool.stablecoin * math.exp(size)
    out = sell_stablecoin(pool, sold)
    assume(out.received > 1e-15 * pool.base)
    back = sell_base(out.pool, out.received)
    assert back.received <= sold * (1 + 1e-9) + 1e-15 * pool.stablecoin
    if pool.fee == 0.0:
        assert back.received == pytest.approx(sold, rel=1e-8, abs=1e-13 * (pool.stablecoin + sold))


@quick
@given(pool=pools(), size=st.floats(math.log(1e-6), math.log(10.0)))
def test_a_swap_raises_D_by_the_fee_it_leaves(pool: Pool, size: float) -> None:
    """Never lowers it; without a fee, or with all of the fee gone, keeps it."""
    after = sell_stablecoin(pool, pool.stablecoin * math.exp(size)).pool
    assert after.D >= pool.D * (1 - 1e-12)
    if pool.fee == 0.0 or pool.admin_fee == 1.0:
        assert pytest.approx(1.0, abs=1e-12) == after.D / pool.D


@quick
@given(pool=pools())
def test_a_mirror_pool_has_the_reciprocal_price(pool: Pool) -> None:
    """The two coins are alike: swapping them inverts prices and swaps the two ways to sell."""
    mirror = replace(pool, stablecoin=pool.base, base=pool.stablecoin)
    assert mirror.price * pool.price == pytest.approx(1.0, rel=1e-13)
    assert sell_base(mirror, 0.01 * pool.stablecoin).received == sell_stablecoin(pool, 0.01 * pool.stablecoin).received


def test_a_selling_curve_starts_at_the_pool_and_falls() -> None:
    """Its first point is the pool as it is; price falls and the share rises all along; an average price lies above the marginal one."""
    pool = balanced(330e6, 100)
    curve = selling_curve(pool, 200e6, points=51)
    assert (curve.sold[0], curve.price[0], curve.share[0], len(curve.sold)) == (0.0, pool.price, pool.share, 51)
    assert list(curve.price) == sorted(curve.price, reverse=True)
    assert list(curve.share) == sorted(curve.share)
    assert all(average >= price for average, price in zip(curve.average_price, curve.price, strict=True))


# -- refusals ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"stablecoin": 0.0}, "stablecoin in the pool: found 0"),
        ({"base": -1.0}, "base in the pool: found -1"),
        ({"base": math.nan}, "base in the pool: found nan"),
        ({"base": math.inf}, "base in the pool: found inf"),
        ({"amplification": 0.0}, "amplification: found 0, must be from 1 to 999,999"),
        ({"amplification": 1e6}, "amplification: found 1e"),
        ({"fee": -0.1}, "fee: found -0.1"),
        ({"fee": 0.6}, "fee: found 0.6, must be from 0 to 0.5"),
        ({"admin_fee": 1.1}, "admin fee: found 1.1"),
    ],
)
def test_pools_no_contract_would_hold(change: dict[str, float], names: str) -> None:
    """Each is refused with what was found and what is allowed."""
    with pytest.raises(PoolInputError, match=names):
        replace(balanced(330e6, 100), **change)


def test_amounts_and_prices_that_make_no_sense() -> None:
    """Zero, negative and infinite amounts, prices outside 0.01..100, shares above 1, a negative cap: refused, nothing computed."""
    pool = balanced(330e6, 100)
    for wrong in (0.0, -1.0, math.inf, math.nan):
        for call in (sell_stablecoin, sell_base):
            with pytest.raises(PoolInputError, match="amount sold"):
                call(pool, wrong)
    for price in (0.0, 0.009, 101.0, math.nan):
        for depth in (depth_to_price, depth_to_average, pool_at_price, arbitrage, worst_case):
            with pytest.raises(PoolInputError, match="price"):
                depth(pool, price)
    with pytest.raises(PoolInputError, match="LP share"):
        worst_case(pool, 0.9, lp_share=1.1)
    with pytest.raises(PoolInputError, match="outside"):
        worst_case(pool, 0.9, outside=-1.0)
    with pytest.raises(PoolInputError, match="sale"):
        least_amplification(pool, 0.0, 0.99)
