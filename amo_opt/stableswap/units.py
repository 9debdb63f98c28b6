"""A float pool as the chain's integers, and the metapool's own answer to a swap: what the float answer is held against."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from amo_opt.stableswap.depth import Pool, amount
from amo_opt.stableswap.exact import get_dy

E10, E18 = 10**10, 10**18


@dataclass(frozen=True, kw_only=True)
class RawPool:
    """Balances (stablecoin, base LP) and the base pool's virtual price in 1e18, plain A, fee in 1e10."""

    balances: tuple[int, int]
    virtual_price: int
    amplification: int
    fee_raw: int


def raw(value: float) -> int:
    """The nearest integer of 18 decimals; a float is a fraction, so nothing is lost before that rounding."""
    return round(Fraction(value) * E18)


def raw_pool(pool: Pool, virtual_price: float = 1.0) -> RawPool:
    """The pool in the chain's units, its base dollars turned into LP tokens at the virtual price, A rounded to a whole number."""
    amount("virtual price", virtual_price)
    price = raw(virtual_price)
    return RawPool(
        balances=(raw(pool.stablecoin), raw(pool.base) * E18 // price),
        virtual_price=price,
        amplification=round(pool.amplification),
        fee_raw=round(Fraction(pool.fee) * E10),
    )


def quote_stablecoin(pool: Pool, sold: float, virtual_price: float = 1.0) -> float:
    """Dollars of base the contract quotes for so much stablecoin. Raises `Revert` where it reverts."""
    chain = raw_pool(pool, virtual_price)
    return _quote(chain, 0, 1, raw(sold)) * chain.virtual_price / E18**2


def quote_base(pool: Pool, sold: float, virtual_price: float = 1.0) -> float:
    """Stablecoin the contract quotes for so many dollars of base. Raises `Revert` where it reverts."""
    chain = raw_pool(pool, virtual_price)
    return _quote(chain, 1, 0, raw(sold) * E18 // chain.virtual_price) / E18


def _quote(chain: RawPool, i: int, j: int, dx: int) -> int:
    return get_dy(
        i,
        j,
        dx,
        balances=chain.balances,
        amplification_raw=100 * chain.amplification,
        fee_raw=chain.fee_raw,
        virtual_price=chain.virtual_price,
    )
