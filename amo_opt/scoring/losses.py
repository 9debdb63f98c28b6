"""Conditional value at risk over weight: the average of the worst share of weight, with the path on the boundary split."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from amo_opt.scoring.sums import tail_sums

FloatArray = npt.NDArray[np.float64]
Order = npt.NDArray[np.integer]
"""`worst_first` of the losses, where it is known already."""


def cvar(losses: FloatArray, weights: FloatArray, *, level: float, order: Order | None = None) -> float:
    """The mean loss of the worst ``1 - level`` of weight (Rockafellar and Uryasev, J. Banking & Finance 26, 2002, section 3).

    ``losses`` and ``weights`` have shape (n,), larger losses are worse, weights are positive and need not sum to 1; no NaN. Paths are
    taken from the worst until the share is full, and the path that overfills it counts for the part that fits, so the figure is
    continuous in weights and in ``level``, and level 0 is the weighted mean.

    >>> cvar(np.array([0.0, 10.0, 2.0]), np.array([0.5, 0.25, 0.25]), level=0.5)
    6.0
    """
    order = worst_first(losses) if order is None else order
    tail = tail_weights(weights[order], level=level)
    return float((tail * losses[order]).sum() / tail.sum())


def tail_weights(sorted_weights: FloatArray, *, level: float) -> FloatArray:
    """What each path adds to the tail, shape (n,), for weights already sorted from the worst path to the best."""
    share = (1.0 - level) * sorted_weights.sum()
    return np.diff(np.minimum(np.cumsum(sorted_weights), share), prepend=0.0)


def kish(weights: FloatArray) -> float:
    """Kish's effective count of weights, (sum w)^2 / sum w^2: n for n equal weights, towards 1 when one dominates.

    >>> kish(np.array([0.1, 0.1, 0.1, 0.1]))
    4.0
    """
    return float(weights.sum() ** 2 / np.square(weights).sum())


def tail_points(losses: FloatArray, weights: FloatArray, *, level: float, order: Order | None = None) -> float:
    """Kish's effective count of the paths in the tail that `cvar` averages."""
    return kish(tail_weights(weights[worst_first(losses) if order is None else order], level=level))


def excess(losses: FloatArray, weights: FloatArray, *, level: float, order: Order | None = None) -> FloatArray:
    """q + max(0, L - q) / (1 - level) of each loss L, q the loss of the path on the tail's boundary; its mean by weight is `cvar`."""
    order = worst_first(losses) if order is None else order
    filled = np.cumsum(weights[order])
    start = min(int(np.searchsorted(filled, (1.0 - level) * filled[-1])), losses.size - 1)
    q = losses[order[start]]
    beyond: FloatArray = q + np.maximum(0.0, losses - q) / (1.0 - level)
    return beyond


def worst_first(losses: FloatArray) -> npt.NDArray[np.int64]:
    """The rows of losses of shape (n,), the largest first, ties in their order."""
    return np.argsort(-losses, kind="stable")


def cvar_resampled(losses: FloatArray, weights: FloatArray, counts: FloatArray, *, level: float, order: Order | None = None) -> FloatArray:
    """`cvar` of every resample at once, shape (resamples,).

    ``counts`` of shape (n, resamples) says how often a resample drew each path; resamples are stratified, so each carries the whole
    weight. With losses L sorted downwards and C the cumulative weight cut at the share s, the tail's sum is, by parts,
    sum_i C_i (L_i - L_{i+1}) with L_{n+1} = 0. Once every resample has filled its share the rest of the paths adds nothing, so only
    that many rows are gathered: twice the nominal tail at first, doubled until enough.
    """
    order = worst_first(losses) if order is None else order
    share = (1.0 - level) * weights.sum()
    rows = 2 * (int(np.searchsorted(np.cumsum(weights[order]), share)) + 1)
    return tail_sums(losses, weights, counts, order, share=share, rows=rows)
