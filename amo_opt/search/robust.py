"""In what share of joint draws something holds, from responses that are known on few paths each: fitted over the draws, chance taken out.

A draw's margin is its true response and the chance of its paths. The response is fitted by a ridge on the draws' inputs and their squares, each draw predicted
by the others, or by their mean where that is likelier. How far draws stand off that, less what chance alone does, is a mixture of two normals, narrow and wide;
and the two together say how probable each draw is to hold (empirical Bayes: Robbins, Proc. 3rd Berkeley Symposium, 1956; Efron and Morris, JASA 70, 1975).
One normal would not do: as wide as the few draws in a run ask for, it leaves all others as they were seen, and chance moves those about the threshold
both ways. Chance is known from resamples of the paths, which all draws share: what moves all draws together is kept apart from what moves one.

The interval is Clopper and Pearson's at the effective number of draws, p (1 − p) / variance. The variance is the jackknife's over draws (Quenouille;
Tukey, 1958), each left out of the mixture too, less what is additive in the inputs, which scrambled Sobol' points integrate almost exactly (Owen, Ann.
Statist. 25, 1997); and that of the paths' common chance. Where the draws that are open hold more chance than truth there is none: the share
would be what the mixture's shape makes of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from amo_opt.scoring.intervals import TWO_SIDED, clopper_pearson
from amo_opt.scoring.losses import FloatArray
from amo_opt.scoring.matrices import product, root
from amo_opt.search.prior import Fit, features_of, gram_of, prior_of

Passes = Callable[[FloatArray], npt.NDArray[np.bool_]]
"""Whether everything holds at margins of shape (…, margins)."""

POINTS = 128
"""Points of a draw's posterior."""
SHIFTS = 60
"""Resamples of the paths' common chance."""
WIDEST = 0.4
"""Width from which on an interval says nothing of a share."""
FEW_OPEN, LEAST_SEEN = 0.1, 0.5
"""What may be left open of the mean draw, 4 p (1 − p), whatever was seen; and the least that the paths must show of the open draws' own truth, beyond it."""
_NONE = 1e-12
_TINY = 1e-300
FOLDS, MOST_FEATURES = 16, 6
PRIOR = 4.0
"""Draws on the rarer side that would count half as much as the belief that a net is no better than independent points."""
MOST_EFFECTIVE = 4.0
"""Most that a draw of a net may count, in independent ones."""


@dataclass(frozen=True, kw_only=True)
class Responses:
    """What the draws gave: ``inputs`` (draws, figures), mean 0 and variance about 1 each; ``margins`` (draws, margins); and the margins on
    ``resamples`` of the paths (draws, resamples, margins), the same resamples in every draw.
    """

    inputs: FloatArray
    margins: FloatArray
    resamples: FloatArray


@dataclass(frozen=True, kw_only=True)
class Share:
    """The share of draws that hold, ``value`` with its 95% ``interval`` (None where the paths leave too much open) from ``draws`` of them.

    ``probabilities`` (draws,): how probable each is to hold. ``draw_variance`` falls with more draws, ``path_variance`` with more paths only.
    ``fitted`` (margins,): the share of each margin's variance that the fit foretells of a draw it has not seen; ``kept`` (margins,): the share of
    draws in which it is above 0; ``least`` (draws,): the least margin of each, in units of their spreads.
    """

    value: float
    interval: tuple[float, float] | None
    draws: int
    probabilities: FloatArray
    draw_variance: float
    path_variance: float
    fitted: FloatArray
    kept: FloatArray
    least: FloatArray


def share_of(responses: Responses, passes: Passes) -> Share:
    """The share of draws at whose true margins everything ``passes``."""
    unit = units_of(responses.margins)
    margins, resamples = responses.margins / unit, responses.resamples / unit
    draws = len(margins)
    chance = chance_of(margins, resamples)
    normals = _normals(_correlation(margins, resamples))
    prior = prior_of(gram_of(responses.inputs), margins, chance.own)
    fit = prior.posterior()

    def held(mean: FloatArray, sd: FloatArray) -> FloatArray:
        points = mean[:, np.newaxis] + sd[:, np.newaxis] * normals
        return np.asarray(passes(points).mean(axis=1), dtype=np.float64)

    probabilities = held(fit.mean, fit.sd)
    value = float(probabilities.mean())
    without = np.array([held(mean, sd).mean() for mean, sd in prior.left_out()])
    pseudo = draws * value - (draws - 1) * without
    draw_variance = max(float(pseudo.var(ddof=1)), _least_variance(probabilities)) / draws * left_by_net(responses.inputs, probabilities)
    path_variance = float(np.var([held(fit.mean + chance.pull * each, fit.sd).mean() for each in chance.common[:SHIFTS]]))
    interval = interval_of(value, draw_variance + path_variance, draws)
    return Share(
        value=value,
        interval=interval if interval[1] - interval[0] <= WIDEST and known(fit, probabilities) else None,
        draws=draws,
        probabilities=probabilities,
        draw_variance=draw_variance,
        path_variance=path_variance,
        fitted=fit.fitted,
        kept=((fit.mean[:, np.newaxis] + fit.sd[:, np.newaxis] * normals) > 0.0).mean(axis=(0, 1)),
        least=fit.mean.min(axis=1),
    )


def known(fit: Fit, probabilities: FloatArray) -> bool:
    """Whether the draws that are open, where they are more than a few, were seen with less chance than they have truth; else a share is what the prior's shape
    makes of them.
    """
    undecided = 4.0 * probabilities * (1.0 - probabilities)
    nearest = np.argmin(np.abs(fit.mean) / np.maximum(fit.sd, _NONE), axis=1)
    seen = fit.seen[np.arange(len(nearest)), nearest]
    return bool(undecided.mean() <= FEW_OPEN or (undecided * seen).sum() >= LEAST_SEEN * undecided.sum())


def _least_variance(probabilities: FloatArray) -> float:
    """Least that draws vary by, where hardly one is on the other side: what one half of a draw there would make of it."""
    smoothed = _smoothed(float(probabilities.mean()), len(probabilities))
    rare = min(float(probabilities.sum()), float((1.0 - probabilities).sum()))
    return smoothed * (1.0 - smoothed) * PRIOR / (rare + PRIOR)


def _smoothed(share: float, draws: int) -> float:
    """A share with half a draw on either side, so that one of 1 has a variance too."""
    return (draws * share + 0.5) / (draws + 1.0)


def left_by_net(inputs: FloatArray, probabilities: FloatArray) -> float:
    """What the net of scrambled Sobol' points leaves of a mean's variance, over that of independent points: the part of the draws' variance that no sum of
    functions of single figures foretells of a draw it has not seen. With hardly a draw on the other side nothing is foretold: 1.
    """
    rare = min(float(probabilities.sum()), float((1.0 - probabilities).sum()))
    draws = len(probabilities)
    whole = float(((probabilities - probabilities.mean()) ** 2).sum()) * draws / (draws - 1.0)
    if whole <= _NONE:
        return 1.0
    features = features_of(inputs)
    missed = 0.0
    fold = np.arange(draws) % FOLDS
    for k in range(FOLDS):
        kept = fold != k
        missed += float(((probabilities[~kept] - _sparse(features[kept], probabilities[kept], features[~kept])) ** 2).sum())
    left = min(1.0, missed / whole)
    return (rare * left + PRIOR) / (rare + PRIOR)


def _sparse(features: FloatArray, values: FloatArray, elsewhere: FloatArray) -> FloatArray:
    """Values elsewhere from a sum of the few features that foretell best, one after the other, as long as each does better than the best of as many without
    effect would.
    """
    centre = features.mean(axis=0)
    basis, away = features - centre, elsewhere - centre
    residual = values - values.mean()
    found = np.full(len(elsewhere), values.mean())
    draws, number = features.shape
    for _ in range(MOST_FEATURES):
        squares = (basis * basis).sum(axis=0)
        along = product(residual, basis)
        gain = np.divide(along**2, squares, out=np.zeros_like(along), where=squares > 1e-9 * draws)
        best = int(np.argmax(gain))
        total = float((residual * residual).sum())
        if total <= _NONE or gain[best] < total * 2.0 * math.log(number) / draws:
            break
        slope = along[best] / squares[best]
        residual = residual - slope * basis[:, best]
        found = found + slope * away[:, best]
        # the others less what goes along with it, in both places
        turn = product(basis[:, best], basis) / squares[best]
        basis, away = basis - np.outer(basis[:, best], turn), away - np.outer(away[:, best], turn)
    return found


def band_of(responses: Responses, margin: int, *, tail: float = TWO_SIDED) -> tuple[float, float, float]:
    """Between which ends a true response lies in 95% of draws, and its median: (low, median, high), in the response's unit."""
    values, resamples = responses.margins[:, [margin]], responses.resamples[:, :, [margin]]
    fit = prior_of(gram_of(responses.inputs), values, chance_of(values, resamples).own).posterior()
    points = fit.mean + fit.sd * _normals(np.ones((1, 1)))[:, 0]
    low, median, high = (float(each) for each in np.quantile(points, (tail, 0.5, 1.0 - tail)))
    return low, median, high


def interval_of(share: float, variance: float, draws: int) -> tuple[float, float]:
    """The 95% interval of a share that is known with this variance from so many draws.

    >>> low, high = interval_of(58 / 64, 0.086 / 64, 64)
    >>> round(low, 2), round(high, 2)
    (0.81, 0.96)
    """
    smoothed = _smoothed(share, draws)
    effective = min(MOST_EFFECTIVE * draws, smoothed * (1.0 - smoothed) / max(variance, _NONE))
    return clopper_pearson(share * effective, effective)


MOST_DRAWS = 4096


def draws_to_prove(found: Share, demanded: float) -> int | None:
    """Draws that would show a share of at least ``demanded`` if it is what was found, in all; None where no number would."""

    def proves(draws: int) -> bool:
        variance = found.draw_variance * found.draws / draws + found.path_variance
        return interval_of(found.value, variance, draws)[0] >= demanded

    if not proves(MOST_DRAWS):
        return None
    low, high = 1, MOST_DRAWS
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if proves(middle) else (middle + 1, high)
    return low


def units_of(margins: FloatArray) -> FloatArray:
    """The spread of each margin over most draws, (margins,)."""
    deviation = np.abs(margins - np.median(margins, axis=0))
    unit = 1.4826 * np.median(deviation, axis=0)
    # most draws alike to the last digit: the mean deviation then, or else nothing differs at all
    unit = np.where(unit > _NONE * np.abs(margins).max(axis=0), unit, deviation.mean(axis=0))
    found: FloatArray = np.where(unit > 0.0, unit, np.maximum(np.abs(margins).max(axis=0), 1.0))
    return found


@dataclass(frozen=True)
class Chance:
    """What the chance of paths does: ``common`` (resamples, margins) moves every draw, by its ``pull`` (draws, margins); and the variance ``own`` (draws, margins)
    that it has in each alone.
    """

    common: FloatArray
    pull: FloatArray
    own: FloatArray


def chance_of(margins: FloatArray, resamples: FloatArray) -> Chance:
    """One factor that all draws go along with, each as far as it does: the mean of their deviations, each in its own spread.

    A plain mean would be that of the few draws with runs, and lend the others, where nothing happens on a path, chance that they do not have.
    """
    deviations = resamples - margins[:, np.newaxis]
    deviations = deviations - deviations.mean(axis=1, keepdims=True)
    spread = np.sqrt((deviations**2).mean(axis=1))
    scaled = np.divide(deviations, spread[:, np.newaxis], out=np.zeros_like(deviations), where=spread[:, np.newaxis] > 0.0)
    common = scaled.mean(axis=0)
    variance = (common**2).mean(axis=0)
    pull = np.divide((deviations * common).mean(axis=1), variance, out=np.zeros_like(spread), where=variance > _TINY)
    draws = len(margins)
    own = np.maximum(spread**2 - pull**2 * variance, 0.0) * draws / (draws - 1.0)
    return Chance(common, pull, own)


def _correlation(margins: FloatArray, resamples: FloatArray) -> FloatArray:
    """How the chance of margins goes together within a draw, (margins, margins)."""
    deviations = resamples - margins[:, np.newaxis]
    deviations = (deviations - deviations.mean(axis=0)).reshape(-1, margins.shape[1])
    spread = np.sqrt((deviations**2).mean(axis=0))
    scaled = np.divide(deviations, spread, out=np.zeros_like(deviations), where=spread > 0.0)
    found = product(scaled.T, scaled) / len(scaled)
    np.fill_diagonal(found, 1.0)
    return found


def _normals(correlation: FloatArray) -> FloatArray:
    """Evenly spread normal points with that correlation, (points, margins); the same every time."""
    from scipy.special import ndtri  # here and below, because it takes long to import
    from scipy.stats import qmc

    uniform = qmc.Sobol(len(correlation), rng=np.random.default_rng(0)).random(POINTS)
    # nine decimals: what SciPy says beyond them hangs on the processor
    independent = np.round(ndtri(np.clip(uniform, 1e-9, 1.0 - 1e-9)), 9)
    return product(independent, root(correlation))
