"""What a pool refuses: reverts, as on chain, and arguments that no call could carry."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index

from amo_opt.errors import AmoOptError

UINT256 = 2**256
"""One past the largest integer a contract holds."""


class Revert(AmoOptError):  # noqa: N818  # the chain's word for it
    """The call reverts on chain; the pool is as it was before."""


class PoolInputError(AmoOptError, ValueError):
    """An argument that cannot be sent to the contract at all: wrong type, negative, too wide, or a pool no contract would hold."""


def uint(name: str, value: object, *, limit: int = UINT256 - 1) -> int:
    """An argument as a Python integer in 0..limit; raises PoolInputError for another type (bool included) or range."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise PoolInputError(f"{name} is {value!r}, not an integer; give a whole number of base units")
    number = index(value)
    if not 0 <= number <= limit:
        raise PoolInputError(f"{name} is {number}, outside 0..{limit if limit < UINT256 - 1 else '2**256 - 1'}")
    return number


def uints(name: str, values: object, n: int) -> list[int]:
    """n arguments as Python integers; raises PoolInputError for another length or what `uint` refuses."""
    if not isinstance(values, Sequence) or isinstance(values, (str, bytes)):
        raise PoolInputError(f"{name} is {values!r}, not a sequence; give {n} integers, one a coin")
    if len(values) != n:
        raise PoolInputError(f"{name} has {len(values)} entries; the pool has {n} coins")
    return [uint(f"{name}[{k}]", value) for k, value in enumerate(values)]


def coin(name: str, value: object, n: int) -> int:
    """A coin's index; raises PoolInputError for what is no integer, Revert outside 0..n-1."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise PoolInputError(f"{name} is {value!r}, not a coin's index; give 0..{n - 1}")
    number = index(value)
    if not 0 <= number < n:
        raise Revert(f"no coin {number}: the pool's coins are 0..{n - 1}")
    return number
