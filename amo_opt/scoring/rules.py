"""Proper scores of a forecast: Gneiting and Raftery, Strictly proper scoring rules, prediction, and estimation, 2007."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from amo_opt.protocol.elementary import exp_of
from amo_opt.scoring.intervals import nine_digits

Array = NDArray[np.float64]


def crps_of_paths(paths: Array, real: float) -> float:
    """CRPS of equally likely values: E|X − y| − E|X − X'| / 2.

    >>> crps_of_paths(np.array([1.0, 1.0]), 3.0)
    2.0
    """
    x = np.sort(paths)
    n = x.size
    return float(np.mean(np.abs(x - real)) - np.sum((2.0 * np.arange(1, n + 1) - n - 1.0) * x) / n**2)


def crps_of_normal(centre: float, deviation: float, real: float) -> float:
    """CRPS of a normal; of no deviation, how far it is off.

    >>> round(crps_of_normal(0.0, 1.0, 0.0), 4)
    0.2337
    """
    from scipy.special import ndtr

    if deviation <= 0.0:
        return abs(real - centre)
    z = (real - centre) / deviation
    density = exp_of(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    return float(deviation * (z * (2.0 * nine_digits(float(ndtr(z))) - 1.0) + 2.0 * density - 1.0 / math.sqrt(math.pi)))
