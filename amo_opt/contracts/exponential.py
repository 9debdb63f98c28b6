"""e to the x of numbers in 1e18, as contracts work it out: one rational approximation, two ways to round.

Remco Bloemen's reduction and rational approximation (2022), at 96 binary digits. The curve-stablecoin contracts of Vyper 0.3.10 (crvUSD's
own pool, AggregateStablePrice3, AggMonetaryPolicy2 to 3c) divide, which rounds negative steps towards zero; snekmate's and stableswap-ng's
shift, which rounds them down. For x below about -0.35 results differ by some 3e-12 of their size.
"""

from __future__ import annotations

from amo_opt.contracts.integers import UINT256_MAX, Revert

LEAST = -41_446_531_673_892_822_313
"""At and below this x the result is less than one unit, and zero."""
BEYOND = 135_305_999_368_893_231_589
"""From this x on the result would leave int256."""

_LN2 = 54_916_777_467_707_473_351_141_471_128
_SCALE = 3_822_833_074_963_236_453_042_738_258_902_158_003_155_416_615_667


def exp(x: int, *, rounds_down: bool, overflow: str = "") -> int:
    """e**x in 1e18 of x in 1e18; ``rounds_down``: shifts instead of divisions. From `BEYOND` on reverts with the reason ``overflow``."""
    if x <= LEAST:
        return 0
    if x >= BEYOND:
        raise Revert(overflow, because="the exponential leaves int256")
    divided = _shifted if rounds_down else _cut
    x = _cut(x << 96, 10**18)
    k = divided(_cut(x << 96, _LN2) + 2**95, 2**96)
    x -= k * _LN2

    def then(value: int, by: int, plus: int) -> int:
        return divided(value * by, 2**96) + plus

    y = then(x + 1346386616545796478920950773328, x, 57155421227552351082224309758442)
    p = then(y + x - 94201549194550492254356042504812, y, 28719021644029726153956944680412240) * x + (
        4385272521454847904659076985693276 << 96
    )
    q = x - 2855989394907223263936484059900
    for plus in (
        50020603652535783019961831881945,
        -533845033583426703283633433725380,
        3604857256930695427073651918091429,
        -14423608567350463180887372962807573,
        26449188498355588339934803723976023,
    ):
        q = then(q, x, plus)
    return (_cut(p, q) * _SCALE & UINT256_MAX) >> (195 - k)


def _cut(numerator: int, denominator: int) -> int:
    """Quotient towards zero."""
    size = abs(numerator) // abs(denominator)
    return size if (numerator < 0) == (denominator < 0) else -size


def _shifted(numerator: int, denominator: int) -> int:
    """Quotient rounded down."""
    return numerator // denominator
