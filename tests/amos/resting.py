"""Where a lending market rests, as the AMOs' first stages find it, for one market: beside the tests that ask for it."""

from __future__ import annotations

import numpy as np

from amo_opt.amos.lending import find_resting_rates
from amo_opt.protocol.lanes import LANES


def resting_rate(deposits: float, demand: float, elasticity: float, kink: float, slope_1: float, slope_2: float) -> float:
    """The rate, a year, at which borrowers take just what makes that rate; the same in every lane."""
    a, n = np.zeros(3 * LANES), np.repeat([deposits, demand], LANES)
    find_resting_rates(a, (0, LANES, 2 * LANES), n, (0, LANES), 0.0, elasticity, (kink, slope_1, slope_2))
    assert (a[:LANES] == a[0]).all()
    return float(a[0])
