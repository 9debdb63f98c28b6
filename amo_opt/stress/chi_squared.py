"""Chi-squared deviates from standard normals, the same bits on every processor: the quantile at the normal's own chance.

The tail that is the smaller is solved for, by Newton's method on its logarithm as a function of the logarithm of x: both tails are concave there, so every
start converges. Tails: series and Legendre's continued fraction of the incomplete gamma function. It is solved at `NODES` normals, once for every number of degrees
of freedom, and read between them. From `MANY` degrees on the expansion of Cornish and Fisher (Goldberg and Levine, Annals of Mathematical Statistics 17, 1946).
Both are right to eleven digits within six deviations.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from amo_opt.protocol import elementary
from amo_opt.protocol.elementary import exp, log, stirling_rest
from amo_opt.stableswap.kept import kept_with

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MANY: Final = 1e4
"""Degrees of freedom."""
LARGEST: Final = 8.2
"""Standard normals beyond it are taken for it: beyond ±8.2 there is one in 4e15."""
NODES: Final = 257
_HALF_LOG_2_PI: Final = 0.9189385332046727
_LOG_2: Final = 0.6931471805599453
_CLOSE: Final = 2e-16
_STEPS: Final = 40
_LEAST: Final = 1e-300


@kept_with(elementary)
def _log_gamma(a: float) -> float:
    return (a - 0.5) * log(a) - a + _HALF_LOG_2_PI + stirling_rest(a)


@kept_with(elementary)
def _tails(a: float, x: float, log_gamma: float) -> tuple[float, float, float]:
    """Logarithms of the lower and the upper tail of a gamma variable of shape ``a`` at ``x``, and of x times its density."""
    density = a * log(x) - x - log_gamma
    if x < a + 1.0:
        term = total = 1.0 / a
        n = a
        while term > total * 1e-17:
            n += 1.0
            term *= x / n
            total += term
        lower = density + log(total)
        return lower, log(max(1.0 - exp(lower), _LEAST)), density
    b = x + 1.0 - a
    c = 1.0 / _LEAST
    d = 1.0 / b
    h = d
    for i in range(1, 10_000):
        step = -i * (i - a)
        b += 2.0
        d = 1.0 / (step * d + b)
        c = b + step / c
        h *= d * c
        if abs(d * c - 1.0) < 1e-16:
            break
    upper = density + log(h)
    return log(max(1.0 - exp(upper), _LEAST)), upper, density


@kept_with(elementary)
def _nodes(a: float, values: Floats, slopes: Floats, bends: Floats) -> None:
    """The logarithm of half a chi-squared of 2 ``a`` degrees and its first two derivatives by the normal, at normals evenly spread over ±`LARGEST`."""
    half, log_gamma = _log_gamma(0.5), _log_gamma(a)
    for k in range(values.size):
        z = LARGEST * (2.0 * k / (values.size - 1) - 1.0)
        # of |z| and beyond, which is half of the upper tail of a chi-squared of one degree
        wanted = _tails(0.5, max(0.5 * z * z, 1e-30), half)[1] - _LOG_2
        part = 1.0 - 1.0 / (9.0 * a) + z / (3.0 * math.sqrt(a))
        # where Wilson and Hilferty have nothing positive: the first term of the lower tail
        at = log(a * part * part * part) if part > 0.3 else (wanted + log_gamma + log(a)) / a
        for _ in range(_STEPS):
            lower, upper, density = _tails(a, exp(at), log_gamma)
            step = (wanted - lower) * exp(lower - density) if z < 0.0 else (upper - wanted) * exp(upper - density)
            at += step
            if abs(step) < _CLOSE * max(1.0, abs(at)):
                break
        values[k] = at
        slope = exp(-0.5 * z * z - _HALF_LOG_2_PI - density)
        slopes[k] = slope
        bends[k] = -slope * (z + slope * (a - exp(at)))


@kept_with(elementary)
def _read(z: Floats, values: Floats, slopes: Floats, bends: Floats, out: Floats) -> None:
    """Between two nodes the quintic with their values and derivatives (Hermite)."""
    width = 2.0 * LARGEST / (values.size - 1)
    for row in range(z.shape[0]):
        for i in range(z.shape[1]):
            place = (min(LARGEST, max(-LARGEST, z[row, i])) + LARGEST) / width
            k = min(int(place), values.size - 2)
            t = place - k
            u = 1.0 - t
            near = (1.0 + t * (3.0 + 6.0 * t)) * values[k] + t * width * ((1.0 + 3.0 * t) * slopes[k] + 0.5 * t * width * bends[k])
            far = (1.0 + u * (3.0 + 6.0 * u)) * values[k + 1] - u * width * (
                (1.0 + 3.0 * u) * slopes[k + 1] - 0.5 * u * width * bends[k + 1]
            )
            out[row, i] = 2.0 * exp(u * u * u * near + t * t * t * far)


@lru_cache(maxsize=4096)
def _table(freedom: float) -> tuple[Floats, Floats, Floats]:
    values, slopes, bends = np.empty(NODES), np.empty(NODES), np.empty(NODES)
    _nodes(0.5 * freedom, values, slopes, bends)
    return values, slopes, bends


def _of_many(z: Floats, freedom: float) -> Floats:
    z = np.clip(z, -LARGEST, LARGEST)
    s, root = z * z, math.sqrt(2.0 * freedom)
    found: Floats = freedom + root * z + (s - 1.0) * (2.0 / 3.0) + z * (s - 7.0) / (9.0 * root)
    return found - (s * (6.0 * s + 14.0) - 32.0) / (405.0 * freedom) + z * (s * (9.0 * s + 256.0) - 433.0) / (4860.0 * freedom * root)


def chi_squared_of(z: Floats, freedom: Floats | float) -> Floats:
    """Chi-squared deviates of shape (paths, n) from as many standard normals, of one ``freedom`` or one a path, (paths, 1)."""
    z = np.ascontiguousarray(z)
    out = np.empty(z.shape)
    own = np.asarray(freedom, dtype=np.float64).reshape(-1).tolist()
    rows = [slice(k, k + 1) for k in range(len(z))] if len(own) > 1 else [slice(None)]
    for some, each in zip(rows, own, strict=True):
        if each >= MANY:
            out[some] = _of_many(z[some], each)
        else:
            _read(z[some], *_table(each), out[some])
    return out
