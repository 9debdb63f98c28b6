"""CRPS against its definition: the integral of the squared distance of a forecast's distribution from the step at what came."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from amo_opt.scoring.rules import crps_of_normal, crps_of_paths

values = st.lists(st.floats(-1e3, 1e3, allow_subnormal=False), min_size=1, max_size=30)
number = st.floats(-1e3, 1e3, allow_subnormal=False)


@given(values, number)
def test_of_paths_it_is_the_mean_over_all_pairs(paths: list[float], real: float) -> None:
    """The naive twin: every path against what came, less half of every path against every other."""
    n = len(paths)
    apart = sum(abs(x - real) for x in paths) / n
    spread = sum(abs(x - y) for x in paths for y in paths) / n**2
    assert crps_of_paths(np.array(paths), real) == pytest.approx(apart - 0.5 * spread, abs=1e-9)


@given(values, number)
def test_of_paths_it_is_the_integral_of_its_definition(paths: list[float], real: float) -> None:
    """∫ (F(x) − 1{x ≥ real})² dx, exact piece by piece, as F is a staircase."""
    edges = np.unique([*paths, real])
    lefts = edges[:-1]
    of_paths = np.mean(np.array(paths)[:, None] <= lefts, axis=0)
    assert crps_of_paths(np.array(paths), real) == pytest.approx(
        float(np.sum((of_paths - (lefts >= real)) ** 2 * np.diff(edges))), abs=1e-9
    )


@given(values, number)
def test_of_paths_it_is_never_less_than_nothing_and_counts_no_order(paths: list[float], real: float) -> None:
    """Not negative, the same in any order, and each path twice is the same forecast."""
    found = crps_of_paths(np.array(paths), real)
    assert found >= -1e-9
    assert crps_of_paths(np.array(paths[::-1]), real) == pytest.approx(found, abs=1e-9)
    assert crps_of_paths(np.array([*paths, *paths]), real) == pytest.approx(found, abs=1e-9)


@pytest.mark.parametrize(("centre", "deviation", "real"), [(0.0, 1.0, 0.0), (0.5, 0.02, 0.56), (0.5, 0.02, 0.1), (-3.0, 4.0, 9.0)])
def test_of_a_normal_it_is_the_integral_of_its_definition(centre: float, deviation: float, real: float) -> None:
    """Integrated numerically on both sides of what came."""
    law = norm(centre, deviation)
    low, high = min(centre - 12 * deviation, real), max(centre + 12 * deviation, real)
    below = quad(lambda x: law.cdf(x) ** 2, low, real, limit=400, points=[centre] if low < centre < real else None)[0]
    above = quad(lambda x: law.sf(x) ** 2, real, high, limit=400, points=[centre] if real < centre < high else None)[0]
    assert crps_of_normal(centre, deviation, real) == pytest.approx(below + above, rel=1e-6)


def test_many_paths_of_a_normal_come_to_the_normals() -> None:
    """Quantiles in the middle of 4,096 equal parts."""
    paths = norm.ppf((np.arange(4096) + 0.5) / 4096, 0.4, 0.03)
    for real in (0.30, 0.41, 0.55):
        assert crps_of_paths(paths, real) == pytest.approx(crps_of_normal(0.4, 0.03, real), rel=2e-3)


@given(number, number)
def test_a_normal_of_no_width_is_a_distance(centre: float, real: float) -> None:
    """As one path, as the limit of narrow ones, and as a deviation below nothing."""
    assert crps_of_normal(centre, 0.0, real) == crps_of_paths(np.array([centre]), real) == abs(real - centre)
    assert crps_of_normal(centre, 1e-7, real) == pytest.approx(abs(real - centre), abs=1e-6)


def test_it_is_proper() -> None:
    """Of forecasts of one normal the right one is the best in the mean over what may come."""
    rng = np.random.default_rng(3)
    came = rng.normal(0.5, 0.1, 4000)

    def mean(centre: float, deviation: float) -> float:
        return float(np.mean([crps_of_normal(centre, deviation, one) for one in came]))

    right = mean(0.5, 0.1)
    assert all(mean(*other) > right for other in ((0.5, 0.05), (0.5, 0.2), (0.45, 0.1), (0.55, 0.1)))
