"""The calm processes: first-order autoregression, walks and flows, on rows of standard normals; and a running mean of rows.

All take float64 of shape (paths, steps) and change nothing else; one row is one path, in time order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from amo_opt.protocol.elementary import exp_of, expm1_of
from amo_opt.stableswap.kept import kept

if TYPE_CHECKING:
    from numpy.typing import NDArray

HOURS_A_DAY = 24.0


def _autoregress(z: NDArray[np.float64], phi: float, fresh: float, first: float) -> None:
    paths, steps = z.shape
    whole = paths - paths % 4
    # an hour waits for the one before, so four paths side by side take as long as one
    for i in range(0, whole, 4):
        a, b, c, d = first * z[i, 0], first * z[i + 1, 0], first * z[i + 2, 0], first * z[i + 3, 0]
        z[i, 0], z[i + 1, 0], z[i + 2, 0], z[i + 3, 0] = a, b, c, d
        for t in range(1, steps):
            a = phi * a + fresh * z[i, t]
            b = phi * b + fresh * z[i + 1, t]
            c = phi * c + fresh * z[i + 2, t]
            d = phi * d + fresh * z[i + 3, t]
            z[i, t], z[i + 1, t], z[i + 2, t], z[i + 3, t] = a, b, c, d
    for i in range(whole, paths):
        level = first * z[i, 0]
        z[i, 0] = level
        for t in range(1, steps):
            level = phi * level + fresh * z[i, t]
            z[i, t] = level


_autoregress_compiled = kept(_autoregress)


def _lag(x: NDArray[np.float64], weight: float) -> None:
    paths, steps = x.shape
    for i in range(paths):
        mean = x[i, 0]
        for t in range(steps):
            value = x[i, t]
            x[i, t] = mean
            mean += weight * (value - mean)


_lag_compiled = kept(_lag)


def stationary(z: NDArray[np.float64], hours: float, *, sd: float) -> NDArray[np.float64]:
    """AR(1) with standard deviation ``sd`` from the first hour on and autocorrelation exp(−1/``hours``) an hour; works in place."""
    phi = exp_of(-1.0 / hours)
    _autoregress_compiled(z, phi, sd * math.sqrt(1.0 - phi * phi), sd)
    return z


def reverting_flow(z: NDArray[np.float64], hours: float, *, sd: float) -> NDArray[np.float64]:
    """Hourly increments of a mean-reverting sum that starts at 0 and settles at standard deviation ``sd``.

    The sum is an Ornstein–Uhlenbeck process sampled hourly: today's imbalance is in the state, so the path starts with none.
    """
    phi = exp_of(-1.0 / hours)
    fresh = sd * math.sqrt(1.0 - phi * phi)
    _autoregress_compiled(z, phi, fresh, fresh)
    return np.diff(z, axis=1, prepend=0.0)


def decayed_sum(x: NDArray[np.float64], *, kept: float) -> NDArray[np.float64]:
    """The sum so far of which ``kept`` is left after each hour, and what the hour adds; works in place."""
    _autoregress_compiled(x, kept, 1.0, 1.0)
    return x


def lognormal(log: NDArray[np.float64], *, sd: float) -> NDArray[np.float64]:
    """exp of a Gaussian ``log`` with standard deviation ``sd``, scaled to mean 1."""
    return exp_of(log - 0.5 * sd * sd)


def walk_returns(z: NDArray[np.float64], *, daily_vol: float) -> NDArray[np.float64]:
    """Gross hourly returns of a price without drift: lognormal, mean 1, ``daily_vol`` a day."""
    sd = daily_vol / math.sqrt(HOURS_A_DAY)
    return lognormal(sd * z, sd=sd)


def lagged_mean(x: NDArray[np.float64], hours: float) -> NDArray[np.float64]:
    """Exponentially weighted mean over ``hours`` of what came before each hour, as the kernel keeps it; works in place.

    Before the first hour there was what the first hour has.
    """
    _lag_compiled(x, -expm1_of(-1.0 / hours))
    return x
