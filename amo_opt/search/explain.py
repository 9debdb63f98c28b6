"""Which assumptions explain where a verdict fails: each by itself, and one region that two of them bound at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from amo_opt.scoring.intervals import TWO_SIDED, percentile_bounds
from amo_opt.scoring.losses import FloatArray
from amo_opt.scoring.matrices import product
from amo_opt.search.result import Bound, Region

RESAMPLES = 200
BOUNDING = 8
"""Most assumptions a region may be bounded by, those that explain most: of all pairs of a hundred one fits any pattern by chance."""
LEAST_INSIDE = 4
"""Fewest draws of a region."""
LEAST_FAILURES = 3.0
FOLDS = 8


@dataclass(frozen=True)
class Indices:
    """First-order indices (figures,), their 95% intervals (figures, 2), whether what is explained rises with the figure, and what chance gives."""

    value: FloatArray
    interval: FloatArray
    rises: npt.NDArray[np.bool_]
    by_chance: float


def indices_of(inputs: FloatArray, explained: FloatArray, *, seed: int) -> Indices:
    """The share of the variance of ``explained`` (draws,) that each of the ``inputs`` (draws, figures) explains by itself.

    A parabola of the figure stands for its main effect; what one of a figure without effect would explain is taken off (adjusted R²). Intervals
    by bootstrap over draws, turned about the value, as resampled indices lie too high. ``by_chance``: 95% of permutations have no higher index.
    """
    draws = len(explained)
    random = np.random.default_rng([seed, draws])
    value = _indices(inputs, explained, np.ones(draws))
    again = np.stack(
        [
            _indices(inputs, explained, np.bincount(random.integers(0, draws, draws), minlength=draws).astype(np.float64))
            for _ in range(RESAMPLES)
        ]
    )
    low, high = percentile_bounds(again.T, tail=TWO_SIDED)
    # a resample holds 63% of the draws, so its indices lie higher by what these are fewer
    turned = np.clip(np.stack([2.0 * value - high, 2.0 * value - low], axis=1), 0.0, 1.0)
    interval = np.stack([np.minimum(turned[:, 0], np.maximum(value, 0.0)), np.maximum(turned[:, 1], value)], axis=1)
    most = np.array([_indices(inputs, random.permutation(explained), np.ones(draws)).max() for _ in range(RESAMPLES)])
    slope = product(explained - explained.mean(), inputs - inputs.mean(axis=0))
    return Indices(np.clip(value, 0.0, 1.0), interval, slope > 0.0, float(np.clip(np.quantile(most, 0.95), 0.0, 1.0)))


def _indices(inputs: FloatArray, explained: FloatArray, weights: FloatArray) -> FloatArray:
    """Adjusted R² of a parabola in each input, draws weighted."""
    total = weights.sum()
    first, second = (each - product(weights, each) / total for each in (inputs, inputs**2))
    centred = explained - product(weights, explained) / total
    a, b, c = (product(weights, each) for each in (first**2, first * second, second**2))
    p, q = (product(weights, each * centred[:, np.newaxis]) for each in (first, second))
    spread = float(product(weights, centred**2))
    determinant = a * c - b * b
    both = determinant > 1e-9 * a * c
    with np.errstate(divide="ignore", invalid="ignore"):
        told = np.where(both, (c * p * p - 2.0 * b * p * q + a * q * q) / determinant, np.where(a > 0.0, p * p / a, 0.0))
    if spread <= 0.0:
        return np.zeros(inputs.shape[1])
    share: FloatArray = 1.0 - (1.0 - np.nan_to_num(told) / spread) * (total - 1.0) / (total - 3.0)
    return share


@dataclass(frozen=True)
class _Half:
    """A half of a figure's values, and which draws lie in it."""

    figure: int
    above: bool
    threshold: float
    inside: npt.NDArray[np.bool_]


def region_of(values: FloatArray, fails: FloatArray, names: Sequence[str], ranked: Sequence[int]) -> Region | None:
    """The region of at most two bounds that tells failures best (highest F1), of the figures ``ranked`` first; None where too little fails, or
    on draws left out of the search it tells no better than chance.

    ``values`` (draws, figures), ``fails`` (draws,) how probable each is to fail.
    """
    if fails.sum() < LEAST_FAILURES or (1.0 - fails).sum() < LEAST_FAILURES:
        return None
    figures = list(ranked)[:BOUNDING]
    found = _best(values, fails, figures)
    if found is None:
        return None
    caught, inside = 0.0, 0
    fold = np.arange(len(fails)) % FOLDS
    for k in range(FOLDS):
        kept = fold != k
        halves = _best(values[kept], fails[kept], figures)
        if halves is not None:
            met = np.all([(values[~kept, each.figure] > each.threshold) == each.above for each in halves], axis=0)
            caught += float(fails[~kept][met].sum())
            inside += int(met.sum())
    if not inside or caught / inside <= fails.mean():
        return None
    return Region(
        bounds=tuple(Bound(name=names[each.figure], side="above" if each.above else "below", threshold=each.threshold) for each in found),
        draws=int(np.all([each.inside for each in found], axis=0).sum()),
        covered=caught / float(fails.sum()),
        purity=caught / inside,
    )


def _best(values: FloatArray, fails: FloatArray, figures: Sequence[int]) -> tuple[_Half, ...] | None:
    """The bounds with the highest F1; one bound where a second brings nothing."""
    halves = []
    for figure in figures:
        column = values[:, figure]
        for threshold in np.unique(np.quantile(column, np.arange(1, 8) / 8)):
            over = column > threshold
            halves += [_Half(figure, above, float(threshold), over if above else ~over) for above in (False, True)]
    if not halves:
        return None
    within = np.stack([each.inside for each in halves]).astype(np.float64)
    caught, inside = product(within * fails, within.T), product(within, within.T)
    score = np.where(inside >= LEAST_INSIDE, 2.0 * caught / (inside + fails.sum()), -1.0)
    of = np.array([each.figure for each in halves])
    score[(of[:, np.newaxis] == of) & ~np.eye(len(of), dtype=bool)] = -1.0
    alone = int(np.argmax(np.diag(score)))
    one, other = (int(each) for each in np.unravel_index(np.argmax(score), score.shape))
    if score[one, other] < 0.0:
        return None
    return (halves[alone],) if one == other or score[one, other] <= score[alone, alone] + 1e-9 else (halves[one], halves[other])
