"""Influences: the derivative of a figure by a path's weight, their variance over strata, and how few paths hold it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from amo_opt.scoring.influence import Spread, event_count, influence, largest_share, one_path, spread, spread_of
from amo_opt.scoring.intervals import corrected_bounds
from amo_opt.scoring.losses import kish
from amo_opt.scoring.metrics import MEASURES
from amo_opt.scoring.sample import sample

WEIGHTS = {"calm": 3.0, "stress": 1.0}


@pytest.mark.parametrize("name", ["yield", "peg_cvar95_bps", "min_price_tail95", "breach_probability"])
def test_it_is_the_derivative_by_a_path_s_count(make_outcome: Any, make_study: Any, name: str) -> None:
    """One path counted 1 + h times, its scenario normalised again, moves the figure by h times its influence."""
    paths = sample(make_outcome(WEIGHTS, paths=100).with_twins(60), make_study(WEIGHTS))
    measure = MEASURES[name]
    values = measure.values(paths)
    found = influence(measure, values, paths)
    np.testing.assert_allclose([found[:100].sum(), found[100:].sum()], 0.0, atol=1e-12 * np.abs(found).max())
    step = 1e-7
    for row in (0, 3, 70, 99, 120, 199, int(np.argmax(np.abs(found)))):
        weights = paths.weights.copy()
        weights[row] *= 1.0 + step
        block = slice(0, 100) if row < 100 else slice(100, 200)
        weights[block] *= paths.weights[block].sum() / weights[block].sum()
        moved = (measure.point(values, weights) - measure.point(values, paths.weights)) / step
        assert moved == pytest.approx(found[row], rel=1e-4, abs=1e-5 * np.abs(found).max())


def test_one_path_is_the_error_over_the_root_of_the_paths_that_hold_it() -> None:
    """K alike of many: each its own; of any, the standard error over the root of K, K from the variance's degrees of freedom; of any size, and of sign none."""
    alike = np.zeros(1000)
    alike[:7] = [2.5, -2.5, 2.5, 2.5, -2.5, 2.5, -2.5]
    assert one_path(alike) == pytest.approx(2.5, rel=1e-12)
    some = np.random.default_rng(4).standard_t(3.0, 5000)
    some -= some.mean()
    held = spread(some, [("a", 5000)])
    assert held is not None
    effective = 1.0 / (2.0 / held.freedom + 1.0 / 5000)
    assert one_path(some) == pytest.approx(math.sqrt(held.variance / effective), rel=1e-3)
    assert one_path(-1e-200 * some) == pytest.approx(1e-200 * one_path(some), rel=1e-12)


def test_variance_of_a_plain_mean_is_the_textbook_s(make_outcome: Any, make_study: Any) -> None:
    """Of n paths that count alike: s^2 / n, with n - 1 below; over scenarios sum w^2 s^2 / n."""
    paths = sample(make_outcome(WEIGHTS, paths=50), make_study(WEIGHTS))
    values = MEASURES["hours_unwinding"].values(paths)
    held = spread_of(MEASURES["hours_unwinding"], values, paths)
    assert held is not None
    assert held.variance == pytest.approx(0.75**2 * values[:50].var(ddof=1) / 50 + 0.25**2 * values[50:].var(ddof=1) / 50)


def test_weighted_variance_is_the_integral_s() -> None:
    """A self-normalised mean of 60,000 paths, half tilted by mu: n Var = the integral of w^2 (x - m)^2 over the mixture.

    For x ~ N(0, 1) tilted in itself by mu, half and half, w = 2 / (1 + r): by quadrature.
    """
    rng = np.random.default_rng(5)
    n, mu = 30_000, 1.0
    x = rng.standard_normal(2 * n)
    x[n:] += mu
    weights = 1.0 / (n + n * np.exp(mu * x - mu**2 / 2.0))
    shares = weights / weights.sum()
    held = spread(shares * (x - (shares * x).sum()), [("a", n), ("a~t1", n)])
    grid = np.linspace(-9.0, 10.0, 20_001)
    p, q = (np.exp(-np.square(grid - shift) / 2.0) / np.sqrt(2.0 * np.pi) for shift in (0.0, mu))
    f = grid * 2.0 * p / (p + q)  # of truth m = 0
    step = grid[1] - grid[0]
    within = sum((np.square(f) * density).sum() * step - ((f * density).sum() * step) ** 2 for density in (p, q)) / 2.0
    assert held is not None
    assert held.variance == pytest.approx(within / (2 * n), rel=0.02)
    assert held.largest_share < 0.01


def test_few_paths_that_hold_the_variance_are_told() -> None:
    """k equal events among many paths: one holds 1/k, the skew is that of k, and the freedom 2k; all alike, it is n."""
    n = 100_000
    for k in (1, 4, 25):
        held = spread((np.arange(n) < k) - k / n, [("a", n)])
        assert held is not None
        assert held.largest_share == pytest.approx(1.0 / k, rel=1e-3)
        assert held.acceleration == pytest.approx(1.0 / (6.0 * np.sqrt(k)), rel=1e-3)
        assert held.freedom == pytest.approx(2.0 * k, rel=1e-3)
        other = spread(k / n - (np.arange(n) < k), [("a", n)])
        assert other == held.negated()
    even = spread(np.where(np.arange(n) % 2, 1.0, -1.0), [("a", n)])
    assert even is not None
    assert (even.freedom > n, even.acceleration) == (True, 0.0)
    assert spread(np.zeros(5), [("a", 5)]) is None


def test_one_path_may_hold_a_difference_and_not_a_level(make_outcome: Any, make_study: Any) -> None:
    """Where two sets differ on one path it holds all of the difference's variance, however many share the level's."""
    weights = {"calm": 1.0}
    outcome, study = make_outcome(weights, paths=200), make_study(weights)
    paths = sample(outcome, study)
    measure = MEASURES["hours_unwinding"]
    values = measure.values(paths)
    moved = values + 40.0 * (np.arange(200) == 17)
    assert largest_share(measure, values, paths) < 0.05
    assert largest_share(measure, moved, paths, less=values) > 0.95
    assert largest_share(measure, values, paths, less=values) == 0.0


def test_an_event_counts_as_many_paths_as_its_variance_is_worth(make_outcome: Any, make_study: Any) -> None:
    """Alike: n - 1, by s^2 over n - 1 below. With no event: 1 / the largest share, which is never above Kish's count; nor does a scale matter."""
    weights = {"calm": 1.0}
    plain = sample(make_outcome(weights, paths=200), make_study(weights))
    measure = MEASURES["breach_probability"]
    events = (np.arange(200) % 20 == 0).astype(float)
    assert event_count(events, plain.weights, spread_of(measure, events, plain)) == pytest.approx(199.0)
    twins = sample(make_outcome(weights, paths=200).with_twins(120), make_study(weights))
    none = event_count(np.zeros(200), twins.weights, spread_of(measure, np.zeros(200), twins))
    assert none == pytest.approx(1.0 / twins.weights.max())
    assert none == event_count(np.ones(200), twins.weights, None) <= kish(twins.weights)
    assert event_count(np.zeros(200), 8.0 * twins.weights, None) == none


def test_twins_that_share_their_path_s_noise_stretch_the_error() -> None:
    """Figures that a path and its twin have in common: twice the variance of as many drawn one by one, so the root of 2; each other's opposite, or paths apart: none."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=50)
    numbers = np.tile(np.arange(50), 2)
    strata = [("a", 50), ("a~t1", 50)]
    assert spread(np.r_[x, x], strata, numbers).stretch == pytest.approx(math.sqrt(2.0))
    assert spread(np.r_[x, -x], strata, numbers).stretch == 1.0
    assert spread(np.r_[x, x], strata, np.arange(100)).stretch == 1.0
    assert spread(np.r_[x, x], [("a", 50), ("b", 50)], numbers).stretch == 1.0, "another scenario's path is another path"
    assert spread(np.r_[x, x], strata).stretch == 1.0


def test_a_stretch_widens_the_interval() -> None:
    """Both ends lie so many times as far from the figure."""
    replicates = np.random.default_rng(6).normal(3.0, 1.0, size=2001)
    plain = Spread(variance=1.0, acceleration=0.1, freedom=12.0, largest_share=0.0)
    ends, wider = (np.array(corrected_bounds(replicates, 3.2, each)) for each in (plain, replace(plain, stretch=1.25)))
    assert wider - 3.2 == pytest.approx(1.25 * (ends - 3.2))
