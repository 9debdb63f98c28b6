"""Where each draw's truth is expected before it was seen, from all draws together, and what it then shows: empirical Bayes with a narrow and a wide normal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from amo_opt.protocol.elementary import exp_of, log_of
from amo_opt.scoring.losses import FloatArray
from amo_opt.scoring.matrices import inverse, product

PENALTIES = tuple(math.sqrt(square) for square in (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3, 1e4))
"""Ridge penalties that are tried, in units of the inputs' mean square; and none of the inputs at all."""
ROUNDS, AGAIN = 100, 15
"""Rounds of EM, and with one draw left out, from where all of them led."""
GUESSED = 1.0
"""Draws that the first guess of a normal counts."""
ALIKE = 0.25
"""Least that truth varies by where chance varies by 1: what makes a draw's paths differ, runs in most cases, makes the draw differ from others."""
AT_ONCE = 16
"""Draws that are left out at once: only memory hangs on it."""
_NONE = 1e-12
_TINY = 1e-300


@dataclass(frozen=True)
class Fit:
    """Every draw's posterior, ``mean`` and ``sd`` of shape (draws, margins); how much of its own truth was ``seen``, from 0 to 1; and ``fitted`` as in `Share`."""

    mean: FloatArray
    sd: FloatArray
    seen: FloatArray
    fitted: FloatArray


def features_of(inputs: FloatArray) -> FloatArray:
    """The draws' inputs and their squares, each of mean 0 and variance 1."""
    features = np.concatenate([inputs, inputs**2], axis=1)
    features = features - features.mean(axis=0)
    spread = features.std(axis=0)
    found: FloatArray = features[:, spread > _NONE] / spread[spread > _NONE]
    return found


def gram_of(inputs: FloatArray) -> FloatArray:
    """Products of the draws' features, (draws, draws), mean 1 on the diagonal."""
    features = features_of(inputs)
    if not features.size:
        return np.zeros((len(inputs), len(inputs)))
    gram: FloatArray = product(features, features.T) / features.shape[1]
    return gram


@dataclass(frozen=True)
class Mixture:
    """Two normals that truth is spread by: ``part``, ``centre`` and variance ``spread`` of shape (2, studies, 1, margins)."""

    part: FloatArray
    centre: FloatArray
    spread: FloatArray


@dataclass(frozen=True)
class Prior:
    """Where each draw's truth is expected before it was seen: about ``expected`` (draws, margins), spread narrowly in some draws and widely in others.

    One normal would be as wide as the few draws in a run ask for, and leave those about the threshold, where chance is all that moves them, as they were seen.
    """

    expected: FloatArray
    off: FloatArray
    own: FloatArray
    guess: Mixture
    mixture: Mixture
    fitted: FloatArray

    def posterior(self) -> Fit:
        """Each draw's truth from what is expected and what it showed, by the variance of either."""
        weights, mean, variance, _ = _weighed(self.off[np.newaxis], self.own[np.newaxis], self.mixture)
        part = weights / (weights.sum(axis=2, keepdims=True) + _TINY)
        foretold = (part * (self.expected - (part * self.expected).sum(axis=2, keepdims=True)) ** 2).sum(axis=2, keepdims=True)
        whole = self.mixture.spread + ALIKE * self.own + foretold
        seen = 1.0 - (weights * _kept(self.mixture, self.own) * self.own / whole).sum(axis=0)[0]
        return Fit(self.expected + mean[0], np.sqrt(variance[0]), seen, self.fitted)

    def left_out(self) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Mean and deviation of the other draws' posteriors, with one draw after the other left out of the prior."""
        draws = len(self.off)
        for start in range(0, draws, AT_ONCE):
            some = np.arange(start, min(draws, start + AT_ONCE))
            counts = np.ones((len(some), draws, 1))
            counts[np.arange(len(some)), some] = 0.0
            first = Mixture(*(np.repeat(each, len(some), axis=1) for each in (self.mixture.part, self.mixture.centre, self.mixture.spread)))
            mixture = _refined(self.off[np.newaxis], self.own[np.newaxis], counts, first, guess=self.guess, rounds=AGAIN)
            _, mean, variance, _ = _weighed(self.off[np.newaxis], self.own[np.newaxis], mixture)
            for k, draw in enumerate(some):
                others = np.arange(draws) != draw
                yield (self.expected + mean[k])[others], np.sqrt(variance[k])[others]


def prior_of(gram: FloatArray, margins: FloatArray, own: FloatArray) -> Prior:
    """The prior of margins (draws, margins) seen with chance of variance ``own``: what the others foretell of a draw is expected, or their mean where that is likelier."""
    foretold, _, fitted = _foretold(gram, margins)
    draws = len(margins)
    alone = margins - (margins - margins.mean(axis=0)) * draws / (draws - 1.0)
    found = []
    for expected in (foretold, alone):
        off = (margins - expected)[np.newaxis]
        guess = _first(off[0], own)
        mixture = _refined(off, own[np.newaxis], np.ones((1, draws, 1)), guess, guess=guess, rounds=ROUNDS)
        found.append((guess, mixture, _weighed(off, own[np.newaxis], mixture)[3].sum(axis=1)[0]))
    better = found[0][2] >= found[1][2]
    expected = np.where(better, foretold, alone)
    guess, mixture = (
        Mixture(
            np.where(better, one.part, other.part), np.where(better, one.centre, other.centre), np.where(better, one.spread, other.spread)
        )
        for one, other in ((found[0][0], found[1][0]), (found[0][1], found[1][1]))
    )
    return Prior(expected, margins - expected, own, guess, mixture, np.where(better, fitted, 0.0))


def _first(off: FloatArray, own: FloatArray) -> Mixture:
    """What EM begins with: four fifths of the draws about the median, as far as half of them are, and the others twice as wide as all."""
    middle = np.median(off, axis=0)
    usual = (1.4826 * np.median(np.abs(off - middle), axis=0)) ** 2
    whole = off.var(axis=0)
    narrow = np.maximum(usual - np.median(own, axis=0), 0.1 * usual)
    wide = np.maximum(2.0 * whole - own.mean(axis=0), whole)
    shape = (2, 1, 1, len(middle))
    return Mixture(
        np.stack([np.full(len(middle), 0.8), np.full(len(middle), 0.2)]).reshape(shape),
        np.stack([middle, off.mean(axis=0)]).reshape(shape),
        (np.stack([narrow, wide]) + _least(off)).reshape(shape),
    )


def _least(off: FloatArray) -> FloatArray:
    least: FloatArray = 1e-6 * off.var(axis=-2) + _TINY
    return least


def _refined(off: FloatArray, own: FloatArray, counts: FloatArray, mixture: Mixture, *, guess: Mixture, rounds: int) -> Mixture:
    """The mixture after some rounds of EM, draws counting ``counts`` (studies, draws, 1), and the first ``guess`` a little: no normal shrinks to one draw."""
    least = _least(off)[:, np.newaxis]
    for _ in range(rounds):
        weights, *_ = _weighed(off, own, mixture)
        weights = weights * counts
        kept = _kept(mixture, own)
        means = mixture.centre + kept * (off - mixture.centre)
        number = weights.sum(axis=2, keepdims=True) + GUESSED
        centre = ((weights * means).sum(axis=2, keepdims=True) + GUESSED * guess.centre) / number
        seen = (weights * (kept * own + (means - centre) ** 2 - ALIKE * own)).sum(axis=2, keepdims=True)
        spread = (seen + GUESSED * guess.spread) / number
        part = number / number.sum(axis=0)
        mixture = Mixture(part, centre, np.maximum(spread, least))
    return mixture


def _kept(mixture: Mixture, own: FloatArray) -> FloatArray:
    """What a draw keeps of how far it was seen from the centre."""
    prior = mixture.spread + ALIKE * own
    total = prior + own
    kept: FloatArray = np.divide(prior, total, out=np.ones_like(total), where=total > 0.0)
    return kept


def _weighed(off: FloatArray, own: FloatArray, mixture: Mixture) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """How probable either normal is behind each draw (2, studies, draws, margins); mean and variance of what is true of it, and its log likelihood."""
    total = mixture.spread + (1.0 + ALIKE) * own
    away = off - mixture.centre
    logs = log_of(mixture.part) - 0.5 * (log_of(total) + away**2 / total)
    top = logs.max(axis=0)
    weights = exp_of(logs - top)
    sums = weights.sum(axis=0)
    weights /= sums
    kept = _kept(mixture, own)
    means = mixture.centre + kept * away
    mean = (weights * means).sum(axis=0)
    variance = (weights * (kept * own + (means - mean) ** 2)).sum(axis=0)
    return weights, mean, variance, top + log_of(sums)


def _foretold(gram: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Each draw's value as a ridge on the others has it (draws, values), its mean squared error, and the share of variance foretold.

    The penalty is the one with the least error, of each value by itself. Leaving one out needs no new fit: the residual over 1 − leverage.
    """
    draws = len(values)
    centred = values - values.mean(axis=0)
    nothing = centred / (1.0 - 1.0 / draws)
    best, error = nothing, (nothing**2).mean(axis=0)
    usual = error
    for penalty in PENALTIES:
        # what is left of the draws: the penalty times the inverse of products plus penalty
        left = penalty * inverse(gram + penalty * np.eye(draws))
        leverage = 1.0 - np.diag(left) + 1.0 / draws
        off = product(left, centred) / (1.0 - np.minimum(leverage, 0.999))[:, np.newaxis]
        found = (off**2).mean(axis=0)
        best = np.where(found < error, off, best)
        error = np.minimum(found, error)
    fitted = 1.0 - np.divide(error, usual, out=np.ones_like(usual), where=usual > 0.0)
    return values - best, error, fitted
