"""Intervals: a stratified bootstrap of whole paths, read by percentiles or corrected, exact binomial bounds, McNemar's exact test, Holm's adjustment."""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from amo_opt.scoring.beta import betainc, betaincinv, stdtr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amo_opt.scoring.influence import Spread
    from amo_opt.scoring.losses import FloatArray

TWO_SIDED = 0.025
"""Error of each end of a 95% interval."""

ONE_SIDED = 0.05
"""Error of a 95% bound that asks one question, as a constraint does."""

_CHUNK = 4_000_000
"""Most counts held at once (32 MB)."""
_KEPT = 32_000_000
"""Most counts that are kept for the next set, a byte each."""


def resample_counts(strata: Sequence[tuple[str, int]], *, seed: int, resamples: int, chunk: int = _CHUNK) -> Iterator[FloatArray]:
    """How often each resample draws each path: arrays of shape (paths, up to ``resamples``), stratum after stratum, chunk after chunk.

    A resample draws n of the n paths of each stratum (name, n) with replacement, so strata keep their size and their weight. A stratum
    has a stream of its own, keyed by (seed, "bootstrap", name): every set, every metric and every choice of scenarios meets the same
    resamples, which is what makes differences paired. The stream is consumed in order, so ``chunk`` bounds memory and changes nothing.
    """
    if sum(n for _, n in strata) * resamples > _KEPT:
        yield from _chunks(strata, seed, resamples, chunk)
        return
    kept = _all_counts(tuple(strata), seed, resamples)
    step = _step(strata, chunk)
    for first in range(0, resamples, step):
        yield kept[:, first : first + step].astype(np.float64)


@lru_cache(maxsize=2)
def _all_counts(strata: tuple[tuple[str, int], ...], seed: int, resamples: int) -> npt.NDArray[np.unsignedinteger]:
    """All resamples in one array of small numbers: every set of a study meets the same, and drawing them takes as long as half of a set's intervals."""
    chunks = [each.astype(np.min_scalar_type(int(each.max(initial=0.0)))) for each in _chunks(strata, seed, resamples, _CHUNK)]
    return np.concatenate(chunks, axis=1)


def _step(strata: Sequence[tuple[str, int]], chunk: int) -> int:
    """Resamples that are held at once."""
    return max(1, chunk // max(1, sum(n for _, n in strata)))


def _chunks(strata: Sequence[tuple[str, int]], seed: int, resamples: int, chunk: int) -> Iterator[FloatArray]:
    streams = [
        np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, *_words("bootstrap"), *_words(name)]))) for name, _ in strata
    ]
    step = _step(strata, chunk)
    for first in range(0, resamples, step):
        width = min(step, resamples - first)
        columns = np.arange(width)[:, np.newaxis]
        counts = np.empty((sum(n for _, n in strata), width))
        start = 0
        for stream, (_, n) in zip(streams, strata, strict=True):
            # int64 draws share one buffer between calls; narrower types would not, and chunks would then shift the stream.
            draws = stream.integers(0, n, size=(width, n))
            draws *= width
            draws += columns
            counts[start : start + n] = np.bincount(draws.ravel(), minlength=n * width).reshape(n, width)
            start += n
        yield counts


def percentile_bounds(replicates: FloatArray, *, tail: float = TWO_SIDED) -> tuple[FloatArray, FloatArray]:
    """The percentile interval of replicates along the last axis, ``tail`` outside each end.

    The ends are the k-th smallest and k-th largest of R replicates, k = floor(tail (R + 1)): order statistics rather than
    interpolation, so that the interval of the negated replicates is exactly the negated interval.
    """
    size = replicates.shape[-1]
    rank = max(1, math.floor(tail * (size + 1))) - 1
    ordered = np.partition(replicates, (rank, size - 1 - rank), axis=-1)
    return ordered[..., rank], ordered[..., size - 1 - rank]


def corrected_bounds(replicates: FloatArray, value: float, held: Spread, *, tail: float = TWO_SIDED) -> tuple[float, float]:
    """The interval of a figure that few paths decide: BCa at the level of Student's t, ``tail`` outside each end.

    BCa (Efron, J. American Statistical Association 82, 1987) reads the ends of the ordered replicates of shape (resamples,) at
    Phi(z0 + (z0 + z) / (1 - a (z0 + z))): z0 is the normal score of the share of replicates below the ``value`` (ties half), a the
    acceleration. That mends the skew; z is not the normal's 1.96 but t's at the freedom of the variance, as a spread that hangs on a handful of
    paths is itself in doubt (the expanded percentile interval of Hesterberg, The American Statistician 69, 2015, with Satterthwaite's
    freedom). The ends lie `Spread.stretch` times as far off. Where many paths share the variance both corrections vanish and the percentile interval is left. Negating replicates and value
    negates the interval exactly.
    """
    from scipy.special import stdtrit  # late, because it costs 0.2 s and reading a score's types should not

    z = float(stdtrit(held.freedom, tail))
    bias = _bias(replicates, value)
    size = replicates.size
    shares = [_accelerated(z, sign * bias, sign * held.acceleration) for sign in (1.0, -1.0)]
    # a share that is a rank on paper must not miss it by a rounding error
    ranks = [min(size, max(1, math.floor(share * (size + 1) + 1e-9))) - 1 for share in shares]
    low, high = ranks[0], size - 1 - ranks[1]
    ordered = np.partition(replicates, sorted({low, high}))
    return value + held.stretch * (float(ordered[low]) - value), value + held.stretch * (float(ordered[high]) - value)


def corrected_p_value(agrees: npt.NDArray[np.bool_], replicates: FloatArray, value: float, held: Spread) -> float:
    """The one-sided p-value of a hypothesis that the figure is small, which the resamples in ``agrees`` agree with: the ``tail`` at which the low
    end of `corrected_bounds` meets it, never below 1 / (resamples + 1).
    """
    from scipy.special import ndtri

    least = 1.0 / (1.0 + agrees.size)
    share = (1.0 + np.count_nonzero(agrees)) * least
    if share >= 1.0:
        return 1.0
    bias = _bias(replicates, value)
    away = float(ndtri(share)) - bias
    slope = 1.0 + held.acceleration * away
    if slope <= 0.0:
        return least if away < 0.0 else 1.0
    return min(1.0, max(least, stdtr(held.freedom, away / slope - bias)))


def _bias(replicates: FloatArray, value: float) -> float:
    """The normal score of the share of replicates below the value, ties half; exactly negated with both."""
    from scipy.special import ndtri

    below, above = np.count_nonzero(replicates < value), np.count_nonzero(replicates > value)
    ties = replicates.size - below - above
    fewer = min(below, above) + 0.5 * ties
    score = float(ndtri(max(fewer, 0.5) / replicates.size)) if below != above else 0.0
    return score if below < above else -score


def _accelerated(z: float, bias: float, acceleration: float) -> float:
    """The share of replicates below BCa's end for the normal score z."""
    from scipy.special import ndtr

    moved = bias + z
    slope = 1.0 - acceleration * moved
    return float(ndtr(bias + moved / slope)) if slope > 0.0 else float(moved > 0.0)


def nine_digits(value: float) -> float:
    """The value to nine significant digits: what a library's function says beyond them hangs on its version and the processor.

    >>> nine_digits(0.1234567891234)
    0.123456789
    """
    return float(f"{value:.9g}")


def clopper_pearson(events: float, n: float, *, tail: float = TWO_SIDED) -> tuple[float, float]:
    """The exact binomial interval of a probability, ``tail`` outside each end (Clopper and Pearson, Biometrika 26, 1934).

    `TWO_SIDED` gives the 95% interval; `ONE_SIDED` gives ends that are each a 95% bound: none of 640 then allows 1 - 0.05^(1/640) =
    0.467%. Fractional arguments are effective counts of a weighted sample (Korn and Graubard, Survey Methodology 24, 1998).

    >>> low, high = clopper_pearson(0, 640, tail=ONE_SIDED)
    >>> round(low, 5), round(high, 5)
    (0.0, 0.00467)
    """
    low = betaincinv(events, n - events + 1.0, tail) if events > 0 else 0.0
    high = betaincinv(events + 1.0, n - events, 1.0 - tail) if events < n else 1.0
    return low, high


def mcnemar(gained: float, lost: float) -> float:
    """The exact one-sided p-value of ``gained`` or more of the discordant pairs by chance, P(Binomial(gained + lost, 1/2) >= gained).

    Fractional arguments are effective counts, as in `clopper_pearson`.

    >>> round(mcnemar(5, 0), 9), mcnemar(0, 0)
    (0.03125, 1.0)
    """
    return betainc(gained, lost + 1.0, 0.5) if gained > 0 else 1.0


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """P-values adjusted by Holm's step-down rule, in the order given: rejecting those <= alpha keeps the family's error at alpha.

    The i-th smallest of m is multiplied by m - i + 1, then made non-decreasing and cut at 1 (Holm, Scand. J. Statistics 6, 1979).

    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return tuple(adjusted)


def _words(text: str) -> list[int]:
    """Four 32-bit words that stand for a name in a seed; Python's own hash changes from run to run."""
    words: npt.NDArray[np.uint32] = np.frombuffer(hashlib.blake2b(text.encode(), digest_size=16).digest(), dtype="<u4")
    return [int(word) for word in words]
