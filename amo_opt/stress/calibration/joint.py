"""Joint draws of a fit of spells: Laplace's approximation at the most likely figures, corrected by importance resampling (Rubin 1988; Gelman et al., Bayesian Data Analysis, 10.4).

Figures are drawn as the numbers they are fitted as (logarithms, log odds), flat in these, from a t with few degrees of freedom and the curvature's covariance; each is kept with what
the likelihood has over that density. A pool that was not fitted has scales of its own: in logarithms those of the fitted pools are a sample of some kind of pools, and one more is
a t of one degree less than there are pools.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.stats import chi2, multivariate_t

from amo_opt.stress.calibration.spells import LEAST_STEPS, Fit, Steps, climbed, log_likelihood, values_of
from amo_opt.stress.fitted_spells import DRIFT, NEW, SCALES, SHARED

Array = NDArray[np.float64]

FREEDOM = 6.0
"""Degrees of freedom of what is proposed: tails heavier than a likelihood's."""
PROPOSED = 16
"""Proposals to a draw."""
LEAST_EFFECTIVE = 0.1
"""Least share of the proposals that the resampled draws may be worth."""
CONFIDENCE = 0.95
WINDOW_DAYS = 60.0
"""A pool's scales are compared with those before over windows of this length."""


class Drift(NamedTuple):
    """Over a window of `WINDOW_DAYS`, logarithm of a pool's scales of flow and liquidity less that of all its days before: means, deviations without what a window's own fit is unsure of, their
    correlation, and the number of windows.
    """

    means: tuple[float, float]
    deviations: tuple[float, float]
    correlation: float
    windows: int


UNKNOWN_DRIFT = Drift((0.0, 0.0), (0.5, 0.5), 0.0, 0)
"""Where there are too few windows to tell any."""
LEAST_WINDOWS = 4


class Beyond(NamedTuple):
    """What exits answer to beyond the spells: most likely value with the ends of its 95% profile likelihood, and the number of steps in which it could act. Less than 0: they do the contrary."""

    value: float
    low: float
    high: float
    n: int


LEVEL = 0.65
"""Share of the stablecoin above which providers might flee by the level alone."""
DEEP = 0.01
"""Depth beyond which holders might leave by the price alone."""
BEYOND = {
    "level_flight": f"log of liquidity that leaves a day per unit of share above {LEVEL:g}",
    "price_exits": f"share of the pool that is sold a day per unit of depth below {1.0 - DEEP:g}",
}


class Joint(NamedTuple):
    """``draws`` (n,) by name: shared figures, each pool's scales (``pool.flow_scale``), a new pool's and the drift's; ``best`` the most likely figures by the same names; ``effective`` what
    share of the proposals the draws are worth.
    """

    best: dict[str, float]
    draws: dict[str, Array]
    effective: float
    drift: Drift
    further: dict[str, Beyond]


def joint(pools: Sequence[Steps], *, count: int, name: str, further: bool = False) -> Joint:
    """Joint draws of the figures of these pools; the same ``name`` gives the same draws."""
    words = [int(word) for word in np.frombuffer(hashlib.blake2b(name.encode(), digest_size=16).digest(), dtype="<u4")]
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(words)))
    fit, top, numbers, _ = climbed(pools)
    free = [place for place in range(numbers.size) if place not in fit.fixed]
    drawn, effective = _resampled(fit, top, numbers, free, count=count, rng=rng)
    columns = [*SHARED, *(f"{each.name}.{scale}" for each in pools for scale in SCALES)]
    found = np.array([values_of(row, fit.scales) for row in drawn])
    draws = dict(zip(columns, found.T.copy(), strict=True))
    best = dict(zip(columns, values_of(numbers, fit.scales).tolist(), strict=True))
    for scale in SCALES:
        logs = np.log(np.column_stack([draws[f"{each.name}.{scale}"] for each in pools]))
        best[f"{NEW}.{scale}"] = math.exp(float(np.mean([math.log(best[f"{each.name}.{scale}"]) for each in pools])))
        draws[f"{NEW}.{scale}"] = logs.mean(axis=1)
    _draw_new_pool(pools, draws, count=count, rng=rng)
    spread = drift_of(pools, best)
    covariance = spread.correlation * spread.deviations[0] * spread.deviations[1]
    both = [[spread.deviations[0] ** 2, covariance], [covariance, spread.deviations[1] ** 2]]
    moves = rng.multivariate_normal(spread.means, both, size=count, method="cholesky")
    for place, column in enumerate(DRIFT):
        draws[column] = moves[:, place]
        best[column] = spread.means[place]
    return Joint(best, draws, effective, spread, beyond(fit, top, numbers) if further else {})


def doubts_of(found: Joint, pools: Sequence[Steps]) -> list[str]:
    """What makes joint draws say less than they seem to."""
    doubts = []
    if found.effective < LEAST_EFFECTIVE:
        doubts.append(
            f"the draws are worth {found.effective:.1%} of the proposals, of at least {LEAST_EFFECTIVE:.0%}: ranges may be too narrow"
        )
    if len(pools) == 1:
        doubts.append("one history tells nothing of how pools differ: a new pool is given that pool's own scales")
    if not found.drift.windows:
        doubts.append(
            f"fewer than {LEAST_WINDOWS} windows of {WINDOW_DAYS:g} days: how scales drift is assumed, around nothing with a deviation of {UNKNOWN_DRIFT.deviations[0]:g}"
        )
    return doubts


def beyond(fit: Fit, top: float, numbers: Array) -> dict[str, Beyond]:
    """Each coefficient of `BEYOND` profiled by itself: held on a value, everything else is fitted again. Nothing where no step could tell."""
    found = {}
    for name in BEYOND:
        acts = [np.maximum(each.share - LEVEL, 0.0) if name == "level_flight" else np.maximum(each.depth - DEEP, 0.0) for each in fit.pools]
        n = int(sum(np.count_nonzero((act > 0.0) & each.used) for act, each in zip(acts, fit.pools, strict=True)))
        if n < LEAST_STEPS:
            continue

        def most(value: float, name: str = name, acts: list[Array] = acts) -> float:
            moved = [_with(each, name, value * act * each.days) for each, act in zip(fit.pools, acts, strict=True)]
            other = Fit(moved)
            other.fixed = fit.fixed
            return other.climb(numbers)[0]

        ends = (-1.0, 1.0)
        best = minimize_scalar(lambda value: -most(float(value)), bounds=ends, method="bounded", options={"xatol": 1e-3})
        value, limit = float(best.x), max(-float(best.fun), top) - 0.5 * float(chi2.ppf(CONFIDENCE, 1))
        sides = [_end(most, limit, value, end) for end in ends]
        found[name] = Beyond(value, sides[0], sides[1], n)
    return found


def _with(steps: Steps, name: str, moved: Array) -> Steps:
    """The steps with what would have been had that coefficient not acted."""
    return replace(steps, change=steps.change + moved) if name == "level_flight" else replace(steps, flow=steps.flow + moved)


def _end(most: Callable[[float], float], limit: float, value: float, end: float) -> float:
    """Where the profile falls to the limit between the best value and an end of the range; that end where it does not."""
    inner, step = value, math.copysign(0.02, end - value)
    while (end - inner) * step > 0.0:
        outer = inner + step if abs(step) < abs(end - inner) else end
        if most(outer) < limit:
            return float(brentq(lambda at: most(at) - limit, inner, outer, xtol=1e-3))
        inner, step = outer, 2.0 * step
    return end


def _resampled(fit: Fit, top: float, numbers: Array, free: Sequence[int], *, count: int, rng: np.random.Generator) -> tuple[Array, float]:
    """Draws of all numbers, (count, numbers), and the share of proposals that they are worth."""

    def of(moved: Array) -> float:
        row = numbers.copy()
        row[free] = moved
        inside = all(low <= value <= high for value, (low, high) in zip(row, fit.bounds, strict=True))
        return log_likelihood(fit.pools, values_of(row, fit.scales)) if inside else -math.inf

    centre = numbers[free].copy()
    covariance = _covariance(lambda moved: of(np.clip(moved, *np.array([fit.bounds[place] for place in free]).T)), centre)
    law = multivariate_t(centre, covariance, df=FREEDOM)
    proposed = np.atleast_2d(law.rvs(size=count * PROPOSED, random_state=rng))
    gains = np.array([of(row) for row in proposed]) - top - (law.logpdf(proposed) - law.logpdf(centre))
    weights = np.exp(gains - gains.max())
    effective = float(weights.sum() ** 2 / (weights**2).sum() / weights.size)
    # one systematic pass: every draw is of the same weight, and none stands more often than its weight asks
    places = np.searchsorted(np.cumsum(weights) / weights.sum(), (np.arange(count) + rng.random()) / count)
    chosen = proposed[rng.permutation(np.minimum(places, weights.size - 1))]
    found = np.tile(numbers, (count, 1))
    found[:, free] = chosen
    return found, effective


def _covariance(of: Callable[[Array], float], centre: Array) -> Array:
    """Inverse of minus the second derivatives at the top, by central differences; a direction in which the likelihood does not fall is given the widest of the others."""
    n = centre.size
    step = np.full(n, 0.05)
    step[np.abs(centre) < 0.02] = 0.002  # a reversion is a small number by itself
    middle = of(centre)
    second = np.empty((n, n))
    for i in range(n):
        for j in range(i + 1):
            a, b = np.zeros(n), np.zeros(n)
            a[i], b[j] = step[i], step[j]
            if i == j:
                second[i, i] = (of(centre + a) - 2.0 * middle + of(centre - a)) / step[i] ** 2
            else:
                mixed = of(centre + a + b) - of(centre + a - b) - of(centre - a + b) + of(centre - a - b)
                second[i, j] = second[j, i] = mixed / (4.0 * step[i] * step[j])
    falls, ways = np.linalg.eigh(-second)
    least = max(float(falls.max()) * 1e-6, 0.25)
    found: Array = (ways / np.maximum(falls, least)) @ ways.T
    return found


def _draw_new_pool(pools: Sequence[Steps], draws: dict[str, Array], *, count: int, rng: np.random.Generator) -> None:
    """Scales of a pool that is none of these: jointly t with a degree less than there are pools, around their mean, as one more of their kind."""
    k = len(pools)
    logs = np.stack([np.log(np.column_stack([draws[f"{each.name}.{scale}"] for each in pools])) for scale in SCALES])
    if k > 1:
        normals = rng.standard_normal((count, 2))
        squares = rng.chisquare(k - 1, size=count)
        for row in range(count):
            spread = np.cov(logs[:, row, :]) * (1.0 + 1.0 / k)
            scaled = np.linalg.cholesky(spread + 1e-9 * np.eye(2)) @ normals[row] * math.sqrt((k - 1) / squares[row])
            # beyond e**3 of the mean there is no pool, and a t of few degrees has no end
            for place, scale in enumerate(SCALES):
                draws[f"{NEW}.{scale}"][row] += float(np.clip(scaled[place], -3.0, 3.0))
    for scale in SCALES:
        draws[f"{NEW}.{scale}"] = np.exp(draws[f"{NEW}.{scale}"])


def own_scales(steps: Steps, shared: Mapping[str, float]) -> tuple[float, float]:
    """One pool's most likely scales of flow and liquidity where the shared figures are known."""
    used = steps.used
    starts = [
        math.log(max(float(np.quantile(np.abs(moves[used] / np.sqrt(steps.days[used])), 0.35)), 1e-9))
        for moves in (steps.flow, steps.change)
    ]
    given = [shared[name] for name in SHARED]

    def minus(logs: Array) -> float:
        found = log_likelihood([steps], np.array([*given, *np.exp(np.clip(logs, -25.0, 3.0))]))
        return -found if math.isfinite(found) else 1e15

    done = minimize(minus, np.array(starts), method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-3, "maxiter": 400})
    flow, lp = np.exp(done.x).tolist()
    return flow, lp


def chance_of_busy(steps: Steps, shared: Mapping[str, float], scales: tuple[float, float]) -> float:
    """The chance that the day after the last step is busy, by all steps before."""
    given = [shared[name] for name in SHARED]
    predicted: list[Array] = []
    # what is predicted ahead of one step more
    longer = steps.longer()
    log_likelihood([longer], np.array([*given, *scales]), predicted)
    return float(predicted[0][-1])


def drift_of(pools: Sequence[Steps], best: Mapping[str, float]) -> Drift:
    """How a pool's scales move, from windows of all of these pools."""
    moves, doubts = [], []
    for each in pools:
        ends = np.cumsum(each.days)
        for start in np.arange(WINDOW_DAYS, ends[-1] - WINDOW_DAYS, WINDOW_DAYS):
            first, last = int(np.searchsorted(ends, start)), int(np.searchsorted(ends, start + WINDOW_DAYS))
            before, window = each.part(0, first), each.part(first, last)
            if min(np.count_nonzero(before.used), np.count_nonzero(window.used)) < LEAST_STEPS:
                continue
            was, now = (np.log(own_scales(part, best)) for part in (before, window))
            moves.append(now - was)
            doubts.append(_doubt(window, best, now))
    if len(moves) < LEAST_WINDOWS:
        return UNKNOWN_DRIFT
    moved = np.array(moves)
    seen = np.cov(moved.T)
    deviations = np.sqrt(np.maximum(np.diag(seen) - np.mean(doubts, axis=0), 0.01))
    correlation = float(np.clip(seen[0, 1] / math.sqrt(seen[0, 0] * seen[1, 1]), -0.99, 0.99))
    flow, lp = moved.mean(axis=0).tolist()
    return Drift((flow, lp), (float(deviations[0]), float(deviations[1])), correlation, len(moves))


def _doubt(steps: Steps, shared: Mapping[str, float], logs: Array) -> Array:
    """Variances of the two logarithms, by the curvature."""
    given = [shared[name] for name in SHARED]

    def of(moved: Array) -> float:
        return log_likelihood([steps], np.array([*given, *np.exp(moved)]))

    step, found = 0.1, []
    for place in range(2):
        side = np.zeros(2)
        side[place] = step
        fall = (2.0 * of(logs) - of(logs + side) - of(logs - side)) / step**2
        found.append(1.0 / max(fall, 1.0))
    return np.array(found)
