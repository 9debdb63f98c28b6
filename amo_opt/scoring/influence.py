"""What each path adds to a figure's error: its influence, the variance over strata, and how few paths hold it.

A resample that draws path i c_i times moves a figure by sum_i (c_i - 1) phi_i to first order (the infinitesimal jackknife; Efron and
Tibshirani, An Introduction to the Bootstrap, 1993, chapters 21 and 22). From the phi follow the variance, the skew and the number of paths
that matter, in closed form, for a difference of two figures on the same paths as for one figure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amo_opt.scoring.losses import FloatArray, Order
    from amo_opt.scoring.metrics import Measure
    from amo_opt.scoring.sample import Sample

MOST_SHARE = 0.2
"""Most of a variance that one path of a settled tail holds."""
_ROUNDING = 1e-12
"""Deviations below this share of the largest figure are round-off."""


def influence(measure: Measure, values: FloatArray, sample: Sample, *, order: Order | None = None) -> FloatArray:
    """phi of every path, shape (n,): w_i (g_i - mean of g within its scenario), as path weights are normalised in each scenario.

    ``w`` are the sample's weights, g = the path's figure for a mean or an event, and q + max(0, L - q) / (1 - level) for a tail of
    losses L with q the loss at which the tail begins (for the other tail, losses are -L).
    """
    return influence_of(measure.gradient(values, sample.weights, order=order), sample.weights, [block.rows for block in sample.blocks])


def influence_of(gradient: FloatArray, weights: FloatArray, scenarios: Sequence[slice]) -> FloatArray:
    """`influence` from g and w of shape (n,) and the rows of each scenario."""
    found = np.empty(gradient.size)
    least = _ROUNDING * float(np.abs(gradient).max())
    for rows in scenarios:
        own, weight = gradient[rows], weights[rows]
        total = float(weight.sum())
        away = own - (float((weight * own).sum()) / total if total > 0.0 else 0.0)
        away[np.abs(away) <= least] = 0.0
        found[rows] = weight * away
    return found


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How a figure's error is spread over its paths.

    ``variance`` of the figure; ``acceleration`` = a sixth of its skew, for BCa; ``freedom`` = degrees of freedom of the variance, which is an
    estimate itself; ``largest_share`` = what the one path that holds most of the variance holds of it. ``stretch`` = how much wider the error is than that of
    paths drawn one by one: a path and its twins share every noise but the one that is pushed.
    """

    variance: float
    acceleration: float
    freedom: float
    largest_share: float
    stretch: float = 1.0

    def negated(self) -> Spread:
        """That of the negated figure."""
        return replace(self, acceleration=-self.acceleration)


def spread(influences: FloatArray, strata: Sequence[tuple[str, int]], numbers: npt.NDArray[np.int64] | None = None) -> Spread | None:
    """The spread of a figure from its influences of shape (n,), stratum (name, paths) after stratum; None where nothing varies. ``numbers`` of shape (n,) are the paths',
    which a path's twins have too; None where no path has a twin.

    With f = phi less its mean within the stratum: variance = sum_h n_h / (n_h - 1) sum f^2; acceleration = sum f^3 / (6 (sum f^2)^1.5);
    the variance's own squared error is about 1/K - 1/n of its square, 1/K = sum f^4 / (sum f^2)^2, so that it has
    2 / (1/K - 1/n) degrees of freedom (Satterthwaite, Biometrics Bulletin 2, 1946): n for normal figures of equal weight, and 2 K
    where only K of many paths matter. The stretch is the root of sum (sum of f over a path and its twins)^2 / sum f^2, 1 at least.
    """
    centred = np.empty(influences.size)
    variance, first = 0.0, 0
    for _, n in strata:
        own = influences[first : first + n]
        away = own - own.mean()
        # paths that are all alike, up to the rounding of their mean, vary by nothing
        away[np.abs(away) <= _ROUNDING * np.abs(own).max()] = 0.0
        centred[first : first + n] = away
        if n > 1:
            variance += n / (n - 1.0) * float(np.square(away).sum())
        first += n
    most = float(np.abs(centred).max(initial=0.0))
    if most == 0.0 or variance == 0.0:
        return None
    centred /= most  # no power of it leaves the range of a double
    squares = np.square(centred)
    total = float(squares.sum())
    doubt = float(np.square(squares).sum()) / total**2 - 1.0 / influences.size
    together = 1.0 if numbers is None else float(np.square(_by_path(centred, strata, numbers)).sum()) / total
    return Spread(
        variance=variance,
        acceleration=float((squares * centred).sum()) / (6.0 * total * math.sqrt(total)),
        freedom=2.0 / doubt if doubt > 0.0 else math.inf,
        largest_share=1.0 / total,
        stretch=math.sqrt(max(1.0, together)),
    )


def _by_path(centred: FloatArray, strata: Sequence[tuple[str, int]], numbers: npt.NDArray[np.int64]) -> FloatArray:
    """The sums over each path of a scenario and its twins."""
    scenarios = {name: k for k, name in enumerate(dict.fromkeys(name.partition("~")[0] for name, _ in strata))}
    scenario_of = np.repeat([scenarios[name.partition("~")[0]] for name, _ in strata], [n for _, n in strata])
    return np.bincount(scenario_of * (int(numbers.max()) + 1) + numbers, weights=centred).astype(np.float64)


def spread_of(measure: Measure, values: FloatArray, sample: Sample, *, order: Order | None = None) -> Spread | None:
    """The spread of a metric over a sample's paths."""
    return spread(influence(measure, values, sample, order=order), sample.strata, sample.numbers)


def largest_share(measure: Measure, values: FloatArray, sample: Sample, *, less: FloatArray | None = None) -> float:
    """What the one path that holds most of a figure's variance holds of it, 0 where nothing varies; ``less`` = the path figures of another
    set on the same paths, for the difference.

    A path over a fifth means that few paths decide: a tail that has not settled.
    """
    found = influence(measure, values, sample)
    if less is not None:
        found = found - influence(measure, less, sample)
    held = spread(found, sample.strata, sample.numbers)
    return 0.0 if held is None else held.largest_share


def one_path(influences: FloatArray) -> float:
    """What one of the paths that hold a figure's variance moves it by, in its unit: the root of sum phi^4 / sum phi^2, which is its standard error over
    the root of the number of paths that it hangs on.

    >>> one_path(np.array([0.0, 0.0, 3.0, -3.0])), one_path(np.zeros(4))
    (3.0, 0.0)
    """
    most = float(np.abs(influences).max(initial=0.0))
    if most == 0.0:
        return 0.0
    squares = np.square(influences / most)  # no power of it leaves the range of a double
    return most * math.sqrt(float(np.square(squares).sum() / squares.sum()))


def event_count(values: FloatArray, weights: FloatArray, held: Spread | None) -> float:
    """How many paths that count alike would tell as much of an event: p (1 - p) / Var(p) (Korn and Graubard, Survey Methodology 24, 1998).

    ``weights`` of shape (n,) of any scale, ``held`` the spread of the event's chance. Where no path, or every path, has the event
    (or nothing varies for another reason), the sample tells nothing of Var(p). An event that was missed has been missed by the heaviest path too, and
    one such event would have put p at that path's share: so 1 / the largest share counts. That is never above Kish's count, as
    sum w^2 <= max w · sum w; with mixture weights it is about the number of drawn paths n_0, which leaves the 3 / n_0 that no
    tilt towards a known driver can lower.
    """
    total = float(weights.sum())
    p = float((values * weights).sum()) / total
    if held is None or not 0.0 < p < 1.0:
        return total / float(weights.max())
    return p * (1.0 - p) / held.variance
