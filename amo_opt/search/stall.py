"""When a search has come to rest: our own rule, since Optuna's terminator knows one objective only."""

from __future__ import annotations

from collections.abc import Sequence

GROWTH = 1e-3
"""Share of the front's hypervolume that must be added to count as growth."""


def stalled_after(areas: Sequence[float], stall: int) -> int | None:
    """The number of batches after which ``stall`` batches in a row added less than `GROWTH` in all; None where it never came to that.

    ``areas`` is the feasible front's hypervolume after each whole batch. An empty front never stalls: a search that has found no ground yet is
    not at its end.

    >>> stalled_after([1.0, 2.0, 2.0, 2.0, 2.0, 3.0], 2)
    4
    >>> stalled_after([0.0, 0.0, 0.0], 1) is None
    True
    """
    if stall < 1:
        return None
    ends = range(stall + 1, len(areas) + 1)
    return next((end for end in ends if areas[end - 1] > 0.0 and areas[end - 1] - areas[end - 1 - stall] < GROWTH * areas[end - 1]), None)
