"""The stableswap invariant in the contracts' integers: get_D and get_y by Newton's method with every floor where the chain has it.

Notation: ``xp`` balances in 1e18 units, n coins, ``ann = A n`` in the contract's unit of A (1 or 1/100), invariant D with
``ann sum(x) + D = ann D + D**(n+1) / (n**n prod(x))`` (Egorov, StableSwap, 2019). Integers are uint256: what leaves that range reverts.
"""

from __future__ import annotations

from collections.abc import Sequence

from amo_opt.stableswap.exact_input import UINT256, Revert
from amo_opt.stableswap.exact_rules import Generation

PRECISION = 10**18
FEE_DENOMINATOR = 10**10
ROUNDS = 255
"""Newton steps before a contract gives up."""


def checked(value: int) -> int:
    """The value, if it fits uint256; raises Revert otherwise (overflow, or a difference below zero)."""
    if not 0 <= value < UINT256:
        raise Revert("integer below zero" if value < 0 else "integer beyond uint256")
    return value


def divided(numerator: int, denominator: int) -> int:
    """The floor of a quotient; raises Revert on division by zero or when the numerator leaves uint256."""
    if denominator == 0:
        raise Revert("division by zero")
    return checked(numerator) // denominator


def get_D(xp: Sequence[int], amplification_raw: int, generation: Generation) -> int:
    """Invariant D of balances in 1e18 units; 0 for an empty pool.

    Newton from sum(xp) on the invariant, stopped at a step of at most 1. Raises Revert on a zero balance beside a positive one, on
    overflow, and (all but three_pool) when 255 rounds do not settle, which happens at extreme imbalance where the floors cycle.
    """
    total = checked(sum(xp))
    if total == 0:
        return 0
    if 0 in xp:
        raise Revert("division by zero: a balance is zero")
    n, unit = len(xp), generation.a_unit
    ann = amplification_raw * n
    weighted = checked(ann * total) // unit
    at_end = generation.divides_at_end(n)
    factors = list(xp) if at_end else [x * n for x in xp]
    last = n**n if at_end else 1
    d = total
    for _ in range(ROUNDS):
        product = d
        for factor in factors:
            product = checked(product * d) // factor
        product //= last
        before = d
        d = divided((weighted + product * n) * d, checked((ann - unit) * d) // unit + checked((n + 1) * product))
        if -1 <= d - before <= 1:
            return d
    if generation.insists_on_convergence:
        raise Revert("D does not converge")
    return d


def _missing_balance(rest: Sequence[int], d: int, amplification_raw: int, generation: Generation) -> int:
    """The balance that completes ``rest`` (all others, in coin order) to D: Newton on ``y**2 + (b - D) y = c``."""
    if 0 in rest:
        raise Revert("division by zero: a balance is zero")
    n, unit = len(rest) + 1, generation.a_unit
    ann = amplification_raw * n
    c = d
    for x in rest:
        c = checked(c * d) // checked(x * n)
    c = checked(checked(c * d) * unit) // (ann * n)
    b = checked(sum(rest) + checked(d * unit) // ann)
    y = d
    for _ in range(ROUNDS):
        before = y
        y = divided(y * y + c, checked(2 * y + b - d))
        if -1 <= y - before <= 1:
            return y
    if generation.insists_on_convergence:
        raise Revert("y does not converge")
    return y


def get_y(i: int, j: int, x: int, xp: Sequence[int], *, d: int, amplification_raw: int, generation: Generation) -> int:
    """Balance of coin j when coin i's is x and D stays; raises Revert for i = j, a zero balance or no convergence."""
    if i == j:
        raise Revert(f"coin {i} swapped for itself")
    rest = [x if k == i else balance for k, balance in enumerate(xp) if k != j]
    return _missing_balance(rest, d, amplification_raw, generation)


def get_y_D(i: int, xp: Sequence[int], *, d: int, amplification_raw: int, generation: Generation) -> int:
    """Balance of coin i at an invariant of d, the others unchanged; raises Revert as `get_y` does."""
    return _missing_balance([balance for k, balance in enumerate(xp) if k != i], d, amplification_raw, generation)


def dynamic_fee(xi: int, xj: int, fee_raw: int, multiplier_raw: int) -> int:
    """Fee of 1e10, raised off the peg: ``m f / ((m - 1) 4 xi xj / (xi + xj)**2 + 1)``; ``fee_raw`` itself where m <= 1.

    Generations before NG have no multiplier (0), which makes their fee this one.
    """
    if multiplier_raw <= FEE_DENOMINATOR:
        return fee_raw
    closeness = divided(checked((multiplier_raw - FEE_DENOMINATOR) * 4 * xi) * xj, checked((xi + xj) ** 2))
    return checked(multiplier_raw * fee_raw) // (closeness + FEE_DENOMINATOR)
