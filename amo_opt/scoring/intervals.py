"""Intervals: a stratified bootstrap of whole paths, exact binomial bounds, McNemar's exact test, Holm's adjustment."""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amo_opt.scoring.losses import FloatArray

TWO_SIDED = 0.025
"""Error of each end of a 95% interval."""

ONE_SIDED = 0.05
"""Error of a 95% bound that asks one question, as a constraint does."""

_CHUNK = 4_000_000
"""Most counts held at once (32 MB)."""


def resample_counts(strata: Sequence[tuple[str, int]], *, seed: int, resamples: int, chunk: int = _CHUNK) -> Iterator[FloatArray]:
    """How often each resample draws each path: arrays of shape (paths, up to ``resamples``), stratum after stratum, chunk after chunk.

    A resample draws n of the n paths of each stratum (name, n) with replacement, so strata keep their size and their weight. A stratum
    has a stream of its own, keyed by (seed, "bootstrap", name): every set, every metric and every choice of scenarios meets the same
    resamples, which is what makes differences paired. The stream is consumed in order, so ``chunk`` bounds memory and changes nothing.
    """
    if sum(n for _, n in strata) * resamples <= chunk:
        yield _all_counts(tuple(strata), seed, resamples)
        return
    yield from _chunks(strata, seed, resamples, chunk)


@lru_cache(maxsize=2)
def _all_counts(strata: tuple[tuple[str, int], ...], seed: int, resamples: int) -> FloatArray:
    """All resamples in one array, read-only: every set of a study meets the same, and drawing them takes as long as half of a set's intervals."""
    counts = next(_chunks(strata, seed, resamples, sum(n for _, n in strata) * resamples))
    counts.flags.writeable = False
    return counts


def _chunks(strata: Sequence[tuple[str, int]], seed: int, resamples: int, chunk: int) -> Iterator[FloatArray]:
    streams = [
        np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, *_words("bootstrap"), *_words(name)]))) for name, _ in strata
    ]
    step = max(1, chunk // max(1, sum(n for _, n in strata)))
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


def clopper_pearson(events: float, n: float, *, tail: float = TWO_SIDED) -> tuple[float, float]:
    """The exact binomial interval of a probability, ``tail`` outside each end (Clopper and Pearson, Biometrika 26, 1934).

    `TWO_SIDED` gives the 95% interval; `ONE_SIDED` gives ends that are each a 95% bound: none of 640 then allows 1 - 0.05^(1/640) =
    0.467%. Fractional arguments are effective counts of a weighted sample (Korn and Graubard, Survey Methodology 24, 1998).

    >>> low, high = clopper_pearson(0, 640, tail=ONE_SIDED)
    >>> round(low, 5), round(high, 5)
    (0.0, 0.00467)
    """
    from scipy.special import betaincinv  # here, because it costs 0.2 s and reading a score's types should not

    low = float(betaincinv(events, n - events + 1.0, tail)) if events > 0 else 0.0
    high = float(betaincinv(events + 1.0, n - events, 1.0 - tail)) if events < n else 1.0
    return low, high


def mcnemar(gained: int, lost: int) -> float:
    """The exact one-sided p-value of ``gained`` or more of the discordant pairs by chance, P(Binomial(gained + lost, 1/2) >= gained).

    >>> mcnemar(5, 0)
    0.03125
    >>> mcnemar(0, 0)
    1.0
    """
    from scipy.special import betainc

    return float(betainc(gained, lost + 1.0, 0.5)) if gained > 0 else 1.0


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
