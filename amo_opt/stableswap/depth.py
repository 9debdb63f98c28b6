"""What a pool can bear: swaps with their fees, the sale that moves a price, the amplification that bears a sale, the worst case at a floor.

float64 on the scalars of `invariant`, in closed form throughout. A `Pool` counts the base coin in dollars (LP tokens at virtual price), so
every price is dollars of base per stablecoin. Fees are taken as the contract takes them: from what is paid out, ``admin_fee`` of them
leaving the pool. A pool's price is its marginal price before the fee; an average price is what a seller is left with, fee taken.

    >>> pool = Pool(stablecoin=165e6, base=165e6, amplification=50)
    >>> round(depth_to_price(pool, 0.99) / 1e6, 2)
    38.17
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from amo_opt.stableswap.exact import PoolInputError
from amo_opt.stableswap.invariant import D_BOUND, get_y, marginal_price, refresh_D, residual_D, scaled_x_at_price

MAX_A = 1_000_000
"""The contracts' A lies under this."""
MAX_FEE = 0.5
"""The contracts' swap fee is at most this."""
LOWEST_PRICE, HIGHEST_PRICE = 0.01, 100.0
"""Prices at which balances are looked for."""
SMALLEST, LARGEST = 1e-18, 1e30
"""Amounts: one unit of 18 decimals, and where the contract's integers overflow."""


@dataclass(frozen=True, kw_only=True)
class Pool:
    """A two-coin pool: the stablecoin against its base pool.

    ``stablecoin`` in tokens and ``base`` in dollars, both positive; ``amplification`` as the contract's ``A()``; ``fee`` of a swap and the share
    of it that leaves the pool. Raises `PoolInputError` where the contract would not take such a pool.
    """

    stablecoin: float
    base: float
    amplification: float
    fee: float = 0.0
    admin_fee: float = 0.5

    def __post_init__(self) -> None:
        amount("stablecoin in the pool", self.stablecoin)
        amount("base in the pool", self.base)
        within("amplification", self.amplification, 1.0, MAX_A - 1.0)
        within("fee", self.fee, 0.0, MAX_FEE)
        within("admin fee", self.admin_fee, 0.0, 1.0)

    @property
    def ann(self) -> float:
        """The contract's Ann: A times the number of coins."""
        return 2.0 * self.amplification

    @cached_property
    def D(self) -> float:
        """The invariant, in dollars.

        Newton-like steps start from the smaller of two upper bounds, x + y and the cube root that leaves the linear term out; one of them is at
        most twice D at any imbalance, so that two refreshes reach rounding error. Raises `PoolInputError` should they not.
        """
        x, y, ann = self.stablecoin, self.base, self.ann
        start = min(x + y, math.cbrt(4.0 * x * y * ann * (x + y)))
        d = float(refresh_D(x, y, ann, refresh_D(x, y, ann, start)))
        if not residual_D(x, y, ann, d) <= D_BOUND:
            raise PoolInputError(
                f"D of {x:g} stablecoin and {y:g} base at A = {self.amplification:g} does not converge; one side is too small to be a pool"
            )
        return d

    @property
    def price(self) -> float:
        """Marginal price of the stablecoin before the fee."""
        return float(marginal_price(self.stablecoin, self.base, self.D, self.ann))

    @property
    def share(self) -> float:
        """The stablecoin's share of the two balances."""
        return self.stablecoin / (self.stablecoin + self.base)


@dataclass(frozen=True, kw_only=True)
class Swap:
    """One swap: ``sold`` went in, ``received`` came out, in the units of their own side; both fees in the unit of what came out."""

    sold: float
    received: float
    fee: float
    admin_fee: float
    average_price: float
    pool: Pool


@dataclass(frozen=True, kw_only=True)
class Arbitrage:
    """What arbitrageurs do at an outside price: the stablecoin they bring (negative: take), the base they take (negative: pay), their gain in dollars."""

    stablecoin: float
    base: float
    gain: float
    pool: Pool


@dataclass(frozen=True, kw_only=True)
class SellingCurve:
    """A pool while its stablecoin is sold: amounts sold at once, and the marginal price, average price and stablecoin share each leaves."""

    amplification: float
    sold: tuple[float, ...]
    price: tuple[float, ...]
    average_price: tuple[float, ...]
    share: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class WorstCase:
    """The pool at a floor, and what an owner of part of it could withdraw there, stablecoin and dollars of base.

    ``sold`` is the stablecoin that got it there; ``capped`` says that no more existed, so that ``price`` stayed above the floor. ``collateral`` =
    base + collateral ratio × stablecoin, of the share.
    """

    stablecoin: float
    base: float
    price: float
    sold: float
    capped: bool
    share_stablecoin: float
    share_base: float
    collateral: float


def amount(name: str, value: float) -> None:
    """Raises `PoolInputError` unless the value is at least one unit of 18 decimals and small enough for the contract."""
    if not SMALLEST <= value <= LARGEST:
        raise PoolInputError(f"{name}: found {value:g}, must be a number above 0 ({SMALLEST:g} to {LARGEST:g})")


def within(name: str, value: float, low: float, high: float) -> None:
    """Raises `PoolInputError` unless low ≤ value ≤ high."""
    if not low <= value <= high:
        raise PoolInputError(f"{name}: found {value:g}, must be from {low:g} to {high:,.12g}")


def _paid(x: float, y: float, d: float, ann: float, dx: float) -> float:
    """What comes out of side y for dx into side x, before the fee, relative to itself exact to a few roundings at any size.

    ``y − get_y(x + dx)`` loses the digits that a small swap and a large pool share. The invariant before and after, subtracted, is a
    quadratic in dy: with ``K = D**3/4`` and ``a = Ann x y (x + dx)``, ``a dy² − (a (dx + y) + K (x + dx)) dy + dx y (a + K) = 0``; its smaller root is wanted, and
    its discriminant is written as a sum of positive terms.
    """
    k = 0.25 * d * d * d
    reached = x + dx
    a = ann * x * y * reached
    linear = a * (dx + y) + k * reached
    root = math.hypot(a * (dx - y) + k * reached, 2.0 * math.sqrt(a * k) * math.sqrt(x * y))
    return 2.0 * dx * y * (a + k) / (linear + root)


def _left(x: float, y: float, d: float, ann: float, gross: float) -> float:
    """What stays of side y once ``gross`` came out and the other side is x: never 0, however little it is."""
    return y - gross if gross < 0.5 * y else float(get_y(x, d, ann))


def sell_stablecoin(pool: Pool, sold: float) -> Swap:
    """The swap of so much stablecoin for base; ``average_price`` is base received per stablecoin."""
    amount("amount sold", sold)
    gross = _paid(pool.stablecoin, pool.base, pool.D, pool.ann, sold)
    fee = pool.fee * gross
    kept = pool.admin_fee * fee
    reached = pool.stablecoin + sold
    after = replace(pool, stablecoin=reached, base=_left(reached, pool.base, pool.D, pool.ann, gross) + fee - kept)
    return Swap(sold=sold, received=gross - fee, fee=fee, admin_fee=kept, average_price=(gross - fee) / sold, pool=after)


def sell_base(pool: Pool, sold: float) -> Swap:
    """The swap of so many dollars of base for stablecoin; ``average_price`` is base paid per stablecoin."""
    amount("amount sold", sold)
    gross = _paid(pool.base, pool.stablecoin, pool.D, pool.ann, sold)
    fee = pool.fee * gross
    kept = pool.admin_fee * fee
    reached = pool.base + sold
    after = replace(pool, stablecoin=_left(reached, pool.stablecoin, pool.D, pool.ann, gross) + fee - kept, base=reached)
    return Swap(sold=sold, received=gross - fee, fee=fee, admin_fee=kept, average_price=sold / (gross - fee), pool=after)


def pool_at_price(pool: Pool, price: float) -> Pool:
    """The pool moved along its invariant, without fees, to a marginal price (pool-math: balances at a given price)."""
    within("price", price, LOWEST_PRICE, HIGHEST_PRICE)
    x = _stablecoin_at(pool, price)
    return replace(pool, stablecoin=x, base=float(get_y(x, pool.D, pool.ann)))


def _stablecoin_at(pool: Pool, price: float) -> float:
    scaled, missed = scaled_x_at_price(price, pool.ann)
    if missed > 0.0:
        raise PoolInputError(f"balances at a price of {price:g} and A = {pool.amplification:g}: the inversion does not converge")
    return float(scaled) * pool.D


def depth_to_price(pool: Pool, price: float) -> float:
    """Stablecoin that can be sold before the marginal price falls to ``price``; 0 where it is there already. The fee plays no part."""
    within("price", price, LOWEST_PRICE, HIGHEST_PRICE)
    return max(0.0, _stablecoin_at(pool, price) - pool.stablecoin)


def depth_to_average(pool: Pool, price: float) -> float:
    """Stablecoin that can be sold while a seller's average price, fee taken, stays at or above ``price``; 0 where the first token gets less.

    With ``dy = r dx``, ``r = price/(1 − fee)``, the quadratic of a swap is one in dx: closed form again.
    """
    within("price", price, LOWEST_PRICE, HIGHEST_PRICE)
    x, y, ann = pool.stablecoin, pool.base, pool.ann
    r = price / (1.0 - pool.fee)
    k = 0.25 * (pool.D * pool.D * pool.D) / (x * y)
    bend = ann * (1.0 - r) * r
    linear = k * r - ann * (1.0 - r) * (y - r * x)
    level = ann * x * y * (1.0 - r) + k * (y - r * x)
    if level <= 0.0:
        return 0.0
    root = math.sqrt(max(linear * linear + 4.0 * bend * level, 0.0))
    return (root - linear) / (2.0 * bend) if linear < 0.0 and bend > 0.0 else 2.0 * level / (linear + root)


def least_amplification(pool: Pool, sale: float, price: float, depth: Callable[[Pool, float], float] = depth_to_price) -> int | None:
    """The smallest whole A at which the pool's balances bear the sale down to ``price`` by that measure of depth; None if no A does.

    Depth rises with A and saturates at what the other side holds, but for prices under about a half, where the last of it falls again: the
    first A of a grid that bears the sale is narrowed by halving.
    """
    amount("sale", sale)
    bears = [round(math.exp(math.log(MAX_A - 1) * step / 120)) for step in range(121)]
    first = next((place for place, a in enumerate(bears) if depth(replace(pool, amplification=float(a)), price) >= sale), None)
    if first is None or first == 0:
        return None if first is None else bears[0]
    low, high = bears[first - 1], bears[first]
    while high - low > 1:
        middle = (low + high) // 2
        enough = depth(replace(pool, amplification=float(middle)), price) >= sale
        low, high = (low, middle) if enough else (middle, high)
    return high


def selling_curve(pool: Pool, most: float, *, points: int = 201) -> SellingCurve:
    """Price and composition against the amount sold, from nothing to ``most``, evenly spaced."""
    amount("most sold", most)
    amounts = [most * step / (points - 1) for step in range(1, points)]
    swaps = [sell_stablecoin(pool, each) for each in amounts]
    return SellingCurve(
        amplification=pool.amplification,
        sold=(0.0, *amounts),
        price=(pool.price, *(each.pool.price for each in swaps)),
        average_price=(pool.price * (1.0 - pool.fee), *(each.average_price for each in swaps)),
        share=(pool.share, *(each.pool.share for each in swaps)),
    )


def arbitrage(pool: Pool, price: float) -> Arbitrage:
    """What pays at an outside price: trading until one more token, fee taken, gains nothing; nothing at all inside the fee's band."""
    within("price", price, LOWEST_PRICE, HIGHEST_PRICE)
    left = 1.0 - pool.fee
    brought = _stablecoin_at(pool, price / left) - pool.stablecoin
    if brought >= SMALLEST:
        swap = sell_stablecoin(pool, brought)
        return Arbitrage(stablecoin=swap.sold, base=swap.received, gain=swap.received - price * swap.sold, pool=swap.pool)
    paid = float(get_y(_stablecoin_at(pool, price * left), pool.D, pool.ann)) - pool.base
    if paid >= SMALLEST:
        swap = sell_base(pool, paid)
        return Arbitrage(stablecoin=-swap.received, base=-swap.sold, gain=price * swap.received - swap.sold, pool=swap.pool)
    return Arbitrage(stablecoin=0.0, base=0.0, gain=0.0, pool=pool)


def worst_case(
    pool: Pool, floor: float, *, lp_share: float = 1.0, collateral_ratio: float | None = None, outside: float = math.inf
) -> WorstCase:
    """The pool once the stablecoin was sold down to ``floor``, no more of it than exists outside the pool (``outside`` tokens).

    The stablecoin withdrawn counts at ``collateral_ratio``, the floor where none is given. A pool already under the floor stays as it is. This is
    the limit of the on-chain ``iterate()`` for small steps, no fee and a narrow window (`worst_case.iterate`).
    """
    within("floor price", floor, LOWEST_PRICE, HIGHEST_PRICE)
    within("LP share", lp_share, 0.0, 1.0)
    counted = floor if collateral_ratio is None else collateral_ratio
    within("collateral ratio", counted, 0.0, 1.0)
    if not outside >= 0.0:
        raise PoolInputError(f"stablecoin outside the pool: found {outside:g}, must be at least 0")
    wanted = depth_to_price(pool, floor)
    sold = min(wanted, outside)
    x = pool.stablecoin + sold
    y = float(get_y(x, pool.D, pool.ann)) if sold > 0.0 else pool.base
    return WorstCase(
        stablecoin=x,
        base=y,
        price=float(marginal_price(x, y, pool.D, pool.ann)),
        sold=sold,
        capped=outside < wanted,
        share_stablecoin=lp_share * x,
        share_base=lp_share * y,
        collateral=lp_share * (y + counted * x),
    )
