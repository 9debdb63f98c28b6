"""Numbers as contracts hold them: uint256 and int256, checked, and the revert that leaving them is.

``reason`` is what a revert carries on chain: "" for none, as Vyper's own checks leave it, "Panic(0x11)" from solc >= 0.8,
or a library's text such as "SafeMath: addition overflow". The functions here take the reason to give, so that one
arithmetic serves contracts of every compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from amo_opt.stableswap.exact_input import UINT256, uint
from amo_opt.stableswap.exact_input import Revert as PoolRevert

__all__ = [
    "INT256_MAX",
    "INT256_MIN",
    "UINT256_MAX",
    "WAD",
    "Revert",
    "divided",
    "int256",
    "quotient",
    "reverts_alike",
    "uint",
    "uint256",
    "viewed",
]

UINT256_MAX = UINT256 - 1
INT256_MAX = 2**255 - 1
INT256_MIN = -(2**255)
WAD = 10**18
"""One, for prices, ratios and LP."""


class Revert(PoolRevert):
    """The call reverts on chain and changes nothing; ``reason`` is the text it carries, "" for none, ``because`` says why in our words."""

    def __init__(self, reason: str = "", *, because: str = "") -> None:
        super().__init__(reason or because)
        self.reason = reason
        self.because = because


@contextmanager
def reverts_alike() -> Iterator[None]:
    """Lets the reverts of the exact pools, whose text is our explanation, pass as reverts without a reason, as Vyper's asserts are."""
    try:
        yield
    except Revert:
        raise
    except PoolRevert as revert:
        raise Revert(because=str(revert)) from revert


def uint256(value: int, reason: str = "") -> int:
    """The value, if uint256 holds it; reverts otherwise."""
    if not 0 <= value <= UINT256_MAX:
        raise Revert(reason, because="integer below zero" if value < 0 else "integer beyond uint256")
    return value


def int256(value: int, reason: str = "") -> int:
    """The value, if int256 holds it; reverts otherwise."""
    if not INT256_MIN <= value <= INT256_MAX:
        raise Revert(reason, because="integer outside int256")
    return value


def divided(numerator: int, denominator: int, reason: str = "") -> int:
    """Floor of a quotient of uint256; reverts on division by zero and where the numerator itself has left uint256."""
    if denominator == 0:
        raise Revert(reason, because="division by zero")
    return uint256(numerator, reason) // denominator


def quotient(numerator: int, denominator: int, reason: str = "") -> int:
    """Quotient of int256 towards zero, as the machine divides signed integers; reverts on division by zero and out of int256."""
    if denominator == 0:
        raise Revert(reason, because="division by zero")
    size = abs(int256(numerator, reason)) // abs(denominator)
    return int256(size if (numerator < 0) == (denominator < 0) else -size, reason)


def viewed(call: Callable[[], int]) -> str | None:
    """What a view answers, as the vectors write it: a decimal string, or None where it reverts."""
    try:
        return str(call())
    except Revert:
        return None
