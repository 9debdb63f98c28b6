"""The incomplete beta function of our own, beside SciPy's and what algebra says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

from amo_opt.scoring.beta import MOST_FREEDOM, betainc, betaincinv, stdtr


def test_closed_forms() -> None:
    """I_x(1, b) = 1 − (1 − x)^b, I_x(a, 1) = x^a, a half in the middle; ends, and NaN for NaN."""
    assert betainc(1.0, 640.0, 0.01) == pytest.approx(1.0 - 0.99**640, rel=1e-13)
    assert betainc(2.5, 1.0, 0.3) == pytest.approx(0.3**2.5, rel=1e-13)
    assert betainc(7.3, 7.3, 0.5) == pytest.approx(0.5, rel=1e-13)
    assert (betainc(2.0, 3.0, 0.0), betainc(2.0, 3.0, 1.0), betainc(2.0, 3.0, -1.0)) == (0.0, 1.0, 0.0)
    assert math.isnan(betainc(2.0, 3.0, math.nan))
    assert betaincinv(1.0, 640.0, 0.95) == pytest.approx(1.0 - 0.05 ** (1.0 / 640.0), rel=1e-12)


def test_it_is_scipys() -> None:
    """From tenths of a count to a hundred thousand, in both tails, fractional or not."""
    rng = np.random.default_rng(3)
    for _ in range(1_500):
        a, b = 10.0 ** rng.uniform(-1.0, 5.0, 2)
        x = float(np.clip(rng.beta(a, b), 1e-12, 1.0 - 1e-12))
        true = special.betainc(a, b, x)
        assert betainc(a, b, x) == pytest.approx(true, rel=1e-9, abs=1e-290)
        share = float(rng.choice([0.025, 0.05, 0.5, 0.95, 0.975]))
        assert betaincinv(a, b, share) == pytest.approx(special.betaincinv(a, b, share), rel=1e-9, abs=1e-290)


def test_student_s_t_with_any_freedom() -> None:
    """Few degrees, many, and infinitely many, where it is the normal; symmetric, and a half in the middle."""
    for freedom in (1.0, 2.5, 30.0, 3e3, 3.3e5, 1e7, MOST_FREEDOM):
        for t in (-9.0, -2.0, -8e-4, 8e-4, 1.7):
            assert stdtr(freedom, t) == pytest.approx(special.stdtr(freedom, t), rel=1e-8)
            assert stdtr(freedom, t) + stdtr(freedom, -t) == pytest.approx(1.0, abs=1e-15)
        assert stdtr(freedom, 0.0) == 0.5
    for many in (1e15, 1e17, math.inf):
        assert stdtr(many, -2.0) == pytest.approx(special.ndtr(-2.0), rel=1e-6)
        assert stdtr(many, 0.0) == 0.5
