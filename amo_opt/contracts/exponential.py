"""The two exponentials of the contracts: one rational approximation on numbers of 2**96, divided towards zero or downwards.

Both are Remco Bloemen's approximation (xn--2-umb.com/22/exp-ln): the power is made ``k ln 2 + x``, e**x is a quotient of polynomials, and
2**k a shift. Contracts in Vyper 0.3.10 divide the signed intermediates towards zero, snekmate shifts them, which floors. Below a power of
about -0.35 (half of ln 2) the former also finds a k that is one too high, and the polynomials leave the range that they were fitted to:
e**-1 is 367879441170299424 there and 367879441171442321 here, 3e-12 apart.

Sources: curvefi/curve-stablecoin @ db6fcac9 : contracts/mpolicies/AggMonetaryPolicy2.vy, @ a3671d08 :
contracts/price_oracles/AggregateStablePrice3.vy; pcaversaccio/snekmate 0.1.2 : src/snekmate/utils/math.vy.
"""

from __future__ import annotations

from collections.abc import Callable

from amo_opt.contracts.integers import WAD, Revert, quotient

__all__ = ["OVERFLOW_POWER", "exp", "wad_exp"]

OVERFLOW_POWER = 135305999368893231589
"""The smallest power, in 1e18, whose exponential int256 does not hold."""
_LN_2 = 54916777467707473351141471128
_HALF = 2**95
_SCALE = 3822833074963236453042738258902158003155416615667


def exp(power: int, *, at_overflow: int | None = None) -> int:
    """e**power of 1e18 as the contracts in Vyper 0.3.10 have it, divisions towards zero.

    From OVERFLOW_POWER on ``at_overflow`` where the contract has such an answer (the policies'), a revert where not (the aggregator's).
    """
    if power <= -41446531673892821376:
        return 0
    if power >= OVERFLOW_POWER:
        if at_overflow is None:
            raise Revert("exp overflow")
        return at_overflow
    return _approximated(power, _towards_zero)


def wad_exp(power: int) -> int:
    """e**power of 1e18 as snekmate has it (``_wad_exp``), divisions downwards; reverts from OVERFLOW_POWER on."""
    if power <= -41446531673892822313:
        return 0
    if power >= OVERFLOW_POWER:
        raise Revert("math: wad_exp overflow")
    return _approximated(power, _downwards)


def _towards_zero(value: int) -> int:
    return value >> 96 if value >= 0 else -(-value >> 96)


def _downwards(value: int) -> int:
    return value >> 96


def _approximated(power: int, reduced: Callable[[int], int]) -> int:
    """``reduced`` divides by 2**96."""
    x = quotient(power << 96, WAD)
    k = reduced(quotient(x << 96, _LN_2) + _HALF)
    x -= k * _LN_2
    y = reduced((x + 1346386616545796478920950773328) * x) + 57155421227552351082224309758442
    p = reduced((y + x - 94201549194550492254356042504812) * y) + 28719021644029726153956944680412240
    p = p * x + (4385272521454847904659076985693276 << 96)
    q = x - 2855989394907223263936484059900
    for coefficient in (
        50020603652535783019961831881945,
        -533845033583426703283633433725380,
        3604857256930695427073651918091429,
        -14423608567350463180887372962807573,
        26449188498355588339934803723976023,
    ):
        q = reduced(q * x) + coefficient
    return (p // q * _SCALE) >> (195 - k)
