"""The integer invariant against algebra and against a twin that bisects it in whole numbers."""

from __future__ import annotations

from fractions import Fraction
from math import prod

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from amo_opt.stableswap.exact import GENERATIONS, Generation, Revert, generation_of, get_D, get_y, get_y_D
from amo_opt.stableswap.exact_math import FEE_DENOMINATOR, checked, divided, dynamic_fee

E18 = 10**18
quick = settings(max_examples=150, deadline=None, derandomize=True)
generations = st.sampled_from(GENERATIONS)
wholes = st.integers(1, 20_000)


@st.composite
def sides(draw: st.DrawFn) -> list[int]:
    """Balances of a few coins, up to 100 : 1."""
    smallest = draw(st.integers(10 * E18, 10**9 * E18))
    return [smallest * draw(st.integers(1_000, 100_000)) // 1_000 for _ in range(draw(st.integers(2, 4)))]


def settled(xp: list[int], a_raw: int, generation: Generation) -> int:
    """D; examples whose floors cycle (four coins at A = 1 and 35 : 1 can) are set aside."""
    try:
        return get_D(xp, a_raw, generation)
    except Revert:
        assume(False)


def excess(d: int, xp: list[int], a: int) -> Fraction:
    """How far D is above the root: the invariant's left side less its right, rising in D."""
    n = len(xp)
    ann = a * n
    return Fraction(d ** (n + 1), n**n * prod(xp)) + (ann - 1) * d - ann * sum(xp)


def bisected_D(xp: list[int], a: int) -> int:
    """The floor of the root of the invariant."""
    low, high = 0, sum(xp) + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if excess(middle, xp, a) <= 0 else (low, middle)
    return low


@quick
@given(xp=sides(), a=wholes, generation=generations)
def test_D_is_the_root_of_the_invariant_to_a_few_units(xp: list[int], a: int, generation: Generation) -> None:
    """Newton with floors ends within 10 units of 1e-18 of the bisected root, for every generation and coin count, where it ends."""
    assert abs(settled(xp, a * generation.a_unit, generation) - bisected_D(xp, a)) <= 10


@quick
@given(each=st.integers(1, 10**12), n=st.integers(2, 4), a=wholes, generation=generations)
def test_even_balances_have_their_sum_as_D(each: int, n: int, a: int, generation: Generation) -> None:
    """The invariant's fixed point, exactly."""
    assert get_D([each * E18] * n, a * generation.a_unit, generation) == n * each * E18


@quick
@given(xp=sides(), a=wholes, generation=generations, moved=st.integers(-900, 5_000))
def test_y_keeps_D(xp: list[int], a: int, generation: Generation, moved: int) -> None:
    """The root in y at that D lies within 1000 units of 1e-18: the first floor grows by D / (n x) at each later coin."""
    raw, x = a * generation.a_unit, xp[0] + xp[0] * moved // 1_000
    d = settled(xp, raw, generation)
    y = get_y(0, 1, x, xp, d=d, amplification_raw=raw, generation=generation)
    assert excess(d, [x, y + 1_000, *xp[2:]], a) < 0 < excess(d, [x, y - 1_000, *xp[2:]], a)


@quick
@given(xp=sides(), a=wholes, generation=generations)
def test_the_balance_at_the_pool_s_own_D_is_the_balance(xp: list[int], a: int, generation: Generation) -> None:
    """get_y_D undoes get_D to the units D was floored by, times how many of that coin a unit of D is."""
    raw = a * generation.a_unit
    d = settled(xp, raw, generation)
    y = get_y_D(0, xp, d=d, amplification_raw=raw, generation=generation)
    slope = abs(get_y_D(0, xp, d=d + E18, amplification_raw=raw, generation=generation) - y) // E18
    assert abs(y - xp[0]) <= 4 * (slope + 2)


def test_the_pool_of_nothing_has_no_D() -> None:
    """0 for all zero; a division by zero where one side alone is empty."""
    base = generation_of("base")
    assert get_D([0, 0], 100, base) == 0
    with pytest.raises(Revert, match="zero"):
        get_D([E18, 0], 100, base)


def test_a_cycle_of_floors_reverts_in_all_but_three_pool() -> None:
    """A first deposit measured to revert at 5 million to one: D never settles; three_pool's rules return the last iterate."""
    xp = [174730806510464814244098509, 34034507827 * 10**12]
    with pytest.raises(Revert, match="converge"):
        get_D(xp, 500, generation_of("base"))
    last = get_D(xp, 5, generation_of("three_pool"))
    assert abs(last - bisected_D(xp, 5)) <= 10**5


@pytest.mark.parametrize("value", [-1, 2**256])
def test_integers_stay_in_uint256(value: int) -> None:
    """Below zero and beyond 256 bits revert; so does what divides by zero."""
    with pytest.raises(Revert, match=r"uint256|below zero"):
        checked(value)
    with pytest.raises(Revert):
        divided(value, 1)
    with pytest.raises(Revert, match="zero"):
        divided(1, 0)


@quick
@given(xi=st.integers(1, 10**30), xj=st.integers(1, 10**30), fee=st.integers(0, 10**8), m=st.integers(0, 20 * FEE_DENOMINATOR))
def test_the_dynamic_fee_lies_between_the_fee_and_its_multiple(xi: int, xj: int, fee: int, m: int) -> None:
    """The fee itself on the peg or without a multiplier, at most m times it far off; the same for both directions."""
    got = dynamic_fee(xi, xj, fee, m)
    assert got == dynamic_fee(xj, xi, fee, m)
    assert dynamic_fee(xi, xi, fee, m) == fee
    assert got == fee if m <= FEE_DENOMINATOR else fee <= got <= m * fee // FEE_DENOMINATOR
