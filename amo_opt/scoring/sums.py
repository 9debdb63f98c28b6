"""The sums behind a bootstrap, compiled: each resample's weighted sum of every row, and of the tail of one.

Terms are added one after the other, path by path, as ``np.einsum`` adds them: the same bits whatever the machine's cores or vectors. BLAS may
split a sum by the number of cores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from amo_opt.stableswap.kept import kept

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

_WIDTH = 128
"""Resamples at a time: their sums stay in the cache while all paths pass."""


@kept
def _weighted(rows: FloatArray, counts: FloatArray, sums: FloatArray, out: FloatArray) -> None:
    count, paths = rows.shape
    whole = paths - paths % 4
    for start in range(0, counts.shape[1], _WIDTH):
        width = min(_WIDTH, counts.shape[1] - start)
        sums[:] = 0.0
        for i in range(0, whole, 4):  # four paths a visit: a sum is loaded and stored once for all four
            c0, c1, c2, c3 = (
                counts[i, start : start + width],
                counts[i + 1, start : start + width],
                counts[i + 2, start : start + width],
                counts[i + 3, start : start + width],
            )
            for k in range(count):
                x0, x1, x2, x3 = rows[k, i], rows[k, i + 1], rows[k, i + 2], rows[k, i + 3]
                held = sums[k]
                for j in range(width):
                    held[j] = (((held[j] + x0 * c0[j]) + x1 * c1[j]) + x2 * c2[j]) + x3 * c3[j]
        for i in range(whole, paths):
            for k in range(count):
                for j in range(width):
                    sums[k, j] += rows[k, i] * counts[i, start + j]
        out[:, start : start + width] = sums[:, :width]


def weighted_sums(rows: FloatArray, counts: FloatArray) -> FloatArray:
    """sum_n rows[m, n] counts[n, r], float64 of shape (rows, resamples), for rows of shape (m, n) and counts of shape (n, r)."""
    out = np.empty((len(rows), counts.shape[1]))
    _weighted(np.ascontiguousarray(rows), counts, np.empty((len(rows), _WIDTH)), out)
    return out


@kept
def _add(filled: FloatArray, weight: float, counts: FloatArray) -> None:
    for j in range(filled.size):
        filled[j] += counts[j] * weight


@kept
def _tail(
    losses: FloatArray, weights: FloatArray, counts: FloatArray, order: NDArray[np.integer], share: float, rows: int, out: FloatArray
) -> None:
    filled = np.zeros(out.size)
    out[:] = 0.0
    taken = min(rows, order.size)
    for i in range(order.size):
        loss = losses[order[i]]
        _add(filled, weights[order[i]], counts[order[i]])
        last = i + 1 == taken and (taken == order.size or filled.min() >= share)
        drop = -((0.0 if last else losses[order[i + 1]]) - loss) / share
        for j in range(out.size):
            out[j] += drop * min(share, filled[j])
        if last:
            return
        if i + 1 == taken:
            taken = min(2 * taken, order.size)


@kept
def _parts(
    losses: FloatArray,
    weights: FloatArray,
    counts: FloatArray,
    order: NDArray[np.integer],
    part_of: NDArray[np.integer],
    share: float,
    out: FloatArray,
) -> None:
    room = np.full(out.shape[1], share)
    out[:] = 0.0
    for i in range(order.size):
        row = order[i]
        loss, weight, sums = losses[row], weights[row], out[part_of[row]]
        left = 0.0
        for j in range(room.size):
            taken = min(room[j], counts[row, j] * weight)
            room[j] -= taken
            sums[j] += taken * loss
            left = max(left, room[j])
        if left <= 0.0:
            break
    out /= share


def tail_parts(
    losses: FloatArray,
    weights: FloatArray,
    counts: FloatArray,
    order: NDArray[np.integer],
    *,
    part_of: NDArray[np.integer],
    parts: int,
    share: float,
) -> FloatArray:
    """What each of ``parts`` adds to the mean of every resample's worst ``share`` of weight, float64 of shape (parts, resamples): they sum to `tail_sums`.

    ``part_of`` = each row's part, ``order`` = the rows from the worst.
    """
    out = np.empty((parts, counts.shape[1]))
    _parts(np.ascontiguousarray(losses), np.ascontiguousarray(weights), counts, order, part_of, share, out)
    return out


def tail_sums(
    losses: FloatArray, weights: FloatArray, counts: FloatArray, order: NDArray[np.integer], *, share: float, rows: int
) -> FloatArray:
    """The mean of every resample's worst ``share`` of weight, float64 of shape (resamples,); ``order`` = the rows from the worst.

    ``rows`` are taken at first, twice as many until every resample has filled its share.
    """
    out = np.empty(counts.shape[1])
    _tail(np.ascontiguousarray(losses), np.ascontiguousarray(weights), counts, order, share, rows, out)
    return out
