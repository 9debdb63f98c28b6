"""Break points: the size up to which each path survives, by bisection, and what share of paths survive a size.

Every path has a break point of its own. Paths share one dyadic grid of sizes: a round evaluates the midpoints of the brackets still open,
each on every path, so what one path asks for also tests the others for monotonicity.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amo_opt.errors import AmoOptError
from amo_opt.scoring.types import spread_known
from amo_opt.wording import significant

Flags = NDArray[np.bool_]
Failures = dict[str, Flags]
Watch = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class BreakPoint:
    """The largest size that at least ``share`` of the paths survive, with an exact 95% order-statistic interval over ``n`` paths: None where
    those are too few to know it.
    """

    share: float
    value: float
    interval: tuple[float, float] | None
    n: int


@dataclass(frozen=True, kw_only=True)
class Breaking:
    """What one stress did: ``points`` of shape (n,) is the largest survived size of each path, 0 for one that fails at size 0.

    ``reasons`` counts, by condition, the paths that fail it at their smallest failing size (one path may fail several);
    ``resolution`` is the width of a final bracket; ``violations`` the paths that failed a size and survived a larger one.
    """

    stress: str
    unit: str
    largest: float
    resolution: float
    points: NDArray[np.float64]
    half: BreakPoint
    most: BreakPoint
    dead_at_zero: int
    unbroken: int
    violations: int
    reasons: dict[str, int]

    def __repr__(self) -> str:
        return f"Breaking({self.stress!r}, half survive {significant(self.half.value, 3)}, 95% {significant(self.most.value, 3)}, n = {self.half.n:,})"


def order_statistic(points: Sequence[float] | NDArray[np.float64], *, share: float, largest: float) -> BreakPoint:
    """The largest size that at least ``share`` of the paths survive; interval ends are order statistics, or 0 and ``largest`` past them."""
    from scipy.special import bdtr  # scipy.stats takes half a second to import

    ordered = np.sort(np.asarray(points, dtype=np.float64))
    n = len(ordered)
    value = float(ordered[n - math.ceil(share * n)])
    below = np.array([float(bdtr(rank, n, 1.0 - share)) for rank in range(n)])
    # P(quantile < k-th smallest) = P(fewer than k of n fall below the quantile)
    low_rank = int(np.sum(below <= 0.025))
    high_rank = int(np.sum(below < 0.975)) + 1
    low = float(ordered[low_rank - 1]) if low_rank >= 1 else 0.0
    high = float(ordered[high_rank - 1]) if high_rank <= n else largest
    return BreakPoint(share=share, value=value, interval=(min(low, value), max(high, value)) if spread_known(n) else None, n=n)


def points_of_lanes(fails: Callable[[NDArray[np.float64]], Flags], *, paths: int, largest: float, rounds: int) -> NDArray[np.float64]:
    """The ``points`` of `bisect`, each path asked for its own sizes alone: ``fails(sizes)`` of shape (paths,) says which paths fail theirs."""
    cells = 2**rounds

    def failed(places: NDArray[np.int64]) -> Flags:
        return fails(largest * places / cells)

    dead, broken = failed(np.zeros(paths, dtype=np.int64)), failed(np.full(paths, cells))
    low = np.where(~dead & ~broken, cells, 0)
    high = np.where(dead, 0, cells)
    for _ in range(rounds):
        here = high - low > 1
        middle = (low + high) // 2
        gone = failed(middle)
        high = np.where(here & gone, middle, high)
        low = np.where(here & ~gone, middle, low)
    points: NDArray[np.float64] = largest * low / cells
    return points


def bisect(
    evaluate: Callable[[float], Failures], *, stress: str, unit: str, largest: float, rounds: int, watch: Watch | None = None
) -> Breaking:
    """Per-path break points in [0, ``largest``]; ``evaluate(size)`` gives which paths fail which condition, each of shape (n,)."""
    if rounds < 1:
        raise AmoOptError(f"rounds = {rounds}; at least 1 is needed")
    cells = 2**rounds
    seen: dict[int, Failures] = {}
    failed: dict[int, Flags] = {}

    def see(cell: int) -> Flags:
        if cell not in seen:
            seen[cell] = evaluate(largest * cell / cells)
            failed[cell] = np.logical_or.reduce(list(seen[cell].values()))
        return failed[cell]

    dead, broken = see(0), see(cells)
    low = np.where(~dead & ~broken, cells, 0)
    high = np.where(dead, 0, cells)
    for done in range(rounds):
        if watch is not None:
            watch(stress, done, rounds)
        open_paths = high - low > 1
        middle = (low + high) // 2
        for cell in np.unique(middle[open_paths]):
            gone = see(int(cell))
            here = open_paths & (middle == cell)
            high = np.where(here & gone, middle, high)
            low = np.where(here & ~gone, middle, low)
    if watch is not None:
        watch(stress, rounds, rounds)
    table = np.array([failed[cell] for cell in sorted(failed)])
    violations = np.any(np.maximum.accumulate(table, axis=0) & ~table, axis=0)
    ended = np.flatnonzero(dead | broken)
    reasons = {name: sum(bool(seen[int(high[path])][name][path]) for path in ended) for name in seen[0]}
    points = largest * low / cells
    return Breaking(
        stress=stress,
        unit=unit,
        largest=largest,
        resolution=largest / cells,
        points=points,
        half=order_statistic(points, share=0.5, largest=largest),
        most=order_statistic(points, share=0.95, largest=largest),
        dead_at_zero=int(np.sum(dead)),
        unbroken=int(np.sum(low == cells)),
        violations=int(np.sum(violations)),
        reasons=reasons,
    )
