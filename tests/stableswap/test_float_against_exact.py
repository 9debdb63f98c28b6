"""The float pool held to integers over A 1..20,000 and imbalance to 100:1, and to its word beyond.

The twin is the contract's Newton iteration in Python integers of 36 decimals, so that its own rounding is out of sight; a smaller number of
cases goes through the contract's arithmetic proper, 18 decimals, minus one unit, fee and all.

A float pool is exact only about the float balances it was given: every case draws floats, and the twin takes them as the fractions they are.

Bounds. D and y: 1e-10 of themselves promised, 1e-13 found. A swap from `depth`: 1e-13 of itself at any size. A swap as the kernel takes it, ``y −
get_y(x + dx, D)``: 1e-9 of itself for dx from 1e-4 of its side on, 1e-13 of the pool below that. Beyond 100:1 D and `depth` swaps keep 1e-12.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, seed, settings
from hypothesis import strategies as st

from amo_opt.stableswap.depth import Pool, depth_to_average, depth_to_price, sell_base, sell_stablecoin, worst_case
from amo_opt.stableswap.invariant import get_y, marginal_price, refresh_D, scaled_x_at_price
from amo_opt.stableswap.units import quote_base, quote_stablecoin

if TYPE_CHECKING:
    from collections.abc import Iterator

UNIT = 10**36
SEED = 20_220_511
QUICK, CAMPAIGN = 50_000, 1_000_000


def twin_D(x: int, y: int, a: int) -> int:
    """Newton on the invariant, contract fashion, until the step is nothing beside UNIT."""
    ann, total = 2 * a, x + y
    d = total
    while True:
        product = d * d // (2 * x) * d // (2 * y)
        before = d
        d = (ann * total + 2 * product) * d // ((ann - 1) * d + 3 * product)
        if abs(d - before) <= 2 + (d >> 90):
            return d


def twin_y(x: int, d: int, a: int) -> int:
    """Newton on the quadratic, contract fashion."""
    ann = 2 * a
    c = d * d // (2 * x) * d // (2 * ann)
    b = x + d // ann
    y = d
    while True:
        before = y
        y = (y * y + c) // (2 * y + b - d)
        if abs(y - before) <= 2 + (y >> 90):
            return y


def fraction(value: float) -> int:
    return int(Fraction(value) * UNIT)


@dataclass
class Worst:
    """The largest error of each kind, where it was, and how many cases spoke."""

    errors: dict[str, tuple[float, object]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def note(self, name: str, error: float, where: object) -> None:
        self.counts[name] += 1
        assert error >= 0.0, f"{name}: not a number at {where}"
        if error > self.errors.get(name, (-1.0, None))[0]:
            self.errors[name] = (error, where)

    def hold(self, bounds: dict[str, float]) -> None:
        for name, bound in bounds.items():
            error, where = self.errors[name]
            assert error <= bound, f"{name}: {error:.3g} at {where}, bound {bound:g}"


def draws(count: int, odds: float = 100.0) -> Iterator[tuple[int, float, float, float]]:
    """A, both balances and the part of its side a swap sells (a third of them from 1e-4 of it down to 1e-12)."""
    rng = np.random.default_rng(SEED)
    for _ in range(count):
        a = round(math.exp(rng.uniform(0.0, math.log(20_000.0))))
        tilt, size = math.exp(rng.uniform(-math.log(odds), math.log(odds))), 10.0 ** rng.uniform(3.0, 11.0)
        small = rng.random() < 1 / 3
        yield a, size * tilt / (1 + tilt), size / (1 + tilt), 10.0 ** (rng.uniform(-12.0, -4.0) if small else rng.uniform(-4.0, 0.5))


def measure(count: int) -> Worst:
    worst = Worst()
    for a, x, y, part in draws(count):
        where = (a, x, y, part)
        ann = 2.0 * a
        xi, yi = fraction(x), fraction(y)
        di = twin_D(xi, yi, a)
        pool = Pool(stablecoin=x, base=y, amplification=a)
        twice = refresh_D(x, y, ann, refresh_D(x, y, ann, x + y))
        worst.note("D, refreshed twice", abs(twice * UNIT / di - 1), where)
        worst.note("D of a pool", abs(pool.D * UNIT / di - 1), where)
        worst.note("y", abs(get_y(x, twice, ann) / y - 1), where)
        dx = part * x
        out = (yi - twin_y(xi + fraction(dx), di, a)) / UNIT
        worst.note("swap", abs(sell_stablecoin(pool, dx).received / out - 1), where)
        kernel = abs(y - get_y(x + dx, twice, ann) - out)
        if part >= 1e-4:
            worst.note("kernel's swap, of itself", kernel / out, where)
        else:
            worst.note("kernel's small swap, of the pool", kernel / (x + y), where)
    return worst


BOUNDS = {
    "D, refreshed twice": 1e-13,
    "D of a pool": 1e-13,
    "y": 1e-12,
    "swap": 1e-13,
    "kernel's swap, of itself": 1e-9,
    "kernel's small swap, of the pool": 1e-13,
}
"""The first three are promised at 1e-10; what is found is far inside, and held there."""


def test_float_against_exact() -> None:
    """A hundred thousand pools and swaps: D, y and what a swap pays, within every bound."""
    worst = measure(QUICK)
    worst.hold(BOUNDS)
    assert worst.counts["kernel's swap, of itself"] > QUICK / 2
    assert worst.counts["kernel's small swap, of the pool"] > QUICK / 4


@pytest.mark.campaign
def test_float_against_exact_a_million_times(capsys: pytest.CaptureFixture[str]) -> None:
    """The same over a million, printing the largest errors found."""
    worst = measure(CAMPAIGN)
    with capsys.disabled():
        for name, (error, where) in worst.errors.items():
            print(f"\n{name}: {error:.3g} over {worst.counts[name]:,} at {where}", end="")  # noqa: T201 - a campaign reports
    worst.hold(BOUNDS)


amplifications = st.integers(1, 20_000)
sides = st.floats(math.log(1e3), math.log(1e11)).map(math.exp)
tilts = st.floats(-math.log(100.0), math.log(100.0)).map(math.exp)
parts = st.floats(math.log(1e-12), math.log(3.0)).map(math.exp)


@seed(SEED)
@settings(max_examples=1000, deadline=None)
@given(a=amplifications, x=sides, tilt=tilts, part=parts, fee=st.sampled_from([0.0, 0.0004, 0.01, 0.5]))
def test_a_swap_is_what_the_contract_quotes(a: int, x: float, tilt: float, part: float, fee: float) -> None:
    """Both ways, fee taken: 1e-9 of what is paid or a few units of 18 decimals, whichever is more (the contract keeps one, and rounds)."""
    pool = Pool(stablecoin=x, base=x * tilt, amplification=a, fee=fee)
    for sell, quote, side in ((sell_stablecoin, quote_stablecoin, pool.stablecoin), (sell_base, quote_base, pool.base)):
        # the twin's units are 1e-18, and D rounded to one moves a swap by as many units as D is worth at the margin
        units = 1e-16 * max(1.0, pool.price, 1.0 / pool.price)
        assert sell(pool, part * side).received == pytest.approx(quote(pool, part * side), rel=1e-9, abs=units)


@seed(SEED)
@settings(max_examples=1000, deadline=None)
@given(
    a=amplifications,
    x=st.floats(math.log(1e-3), math.log(1e13)).map(math.exp),
    tilt=st.floats(-math.log(1e6), math.log(1e6)).map(math.exp),
    part=st.floats(math.log(1e-6), math.log(1e6)).map(math.exp),
)
def test_beyond_the_range_nothing_breaks(a: int, x: float, tilt: float, part: float) -> None:
    """To 10⁶:1 and from a thousandth to ten trillion: finite, positive, no more out than in the pool, and still the twin's to 1e-12.

    From smaller sides a sale a million times the pool would leave less than a unit of 18 decimals, which a pool refuses.
    """
    assume(min(x, x * tilt) >= 1e-3)
    pool = Pool(stablecoin=x, base=x * tilt, amplification=a, fee=0.0004)
    di = twin_D(fraction(pool.stablecoin), fraction(pool.base), a)
    assert pool.D * UNIT / di == pytest.approx(1.0, abs=1e-12)
    assert 0.0 < pool.price < math.inf
    for sell, side, other in ((sell_stablecoin, pool.stablecoin, pool.base), (sell_base, pool.base, pool.stablecoin)):
        swap = sell(pool, max(part * side, 1e-18))
        assert 0.0 < swap.received < other
        assert 0.0 < swap.pool.stablecoin < math.inf
        assert 0.0 < swap.pool.base < math.inf
        assert 0.0 < swap.pool.price < math.inf
    out = fraction(pool.base) - twin_y(fraction(pool.stablecoin) + fraction(max(part * x, 1e-18)), di, a)
    if out > 10**12:
        assert sell_stablecoin(pool, max(part * x, 1e-18)).received / (1 - 0.0004) == pytest.approx(out / UNIT, rel=1e-12)
    for depth in (depth_to_price(pool, 0.9), depth_to_average(pool, 0.9)):
        assert 0.0 <= depth < math.inf
    found = worst_case(pool, 0.9)
    assert min(found.stablecoin, found.base, found.price, found.collateral) > 0.0


@pytest.mark.parametrize("a", [1.0, 50.0, 20_000.0])
@pytest.mark.parametrize(("x", "y"), [(1e6, 1.0), (1.0, 1e6), (1e-18, 1e-18), (1e-12, 1e-18), (1e13, 1e7), (1e7, 1e13)])
def test_the_scalars_are_finite_and_positive_at_the_edge(a: float, x: float, y: float) -> None:
    """10⁶:1 and dust, whatever start D is refreshed from often enough: no NaN, no negative, and y comes back."""
    d = x + y
    for _ in range(6):
        d = refresh_D(x, y, 2 * a, d)
        assert d > 0.0
    assert get_y(x, d, 2 * a) == pytest.approx(y, rel=1e-9)
    assert 0.0 < marginal_price(x, y, d, 2 * a) < math.inf
    for price in (0.01, 0.5, 1.0, 2.0, 100.0):
        scaled, missed = scaled_x_at_price(price, 2 * a)
        assert scaled > 0.0
        assert missed <= 0.0
        assert get_y(scaled * d, d, 2 * a) > 0.0


def test_the_contract_keeps_its_unit_of_dust() -> None:
    """A swap of one unit is paid nothing by the contract, which keeps one unit of every swap; the float pays its fraction of a unit."""
    pool = Pool(stablecoin=1e6, base=1e6, amplification=100)
    assert quote_stablecoin(pool, 1e-18) == 0.0
    assert sell_stablecoin(pool, 1e-18).received == pytest.approx(1e-18, rel=1e-9)
