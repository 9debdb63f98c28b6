"""CVaR over weight: answers known by algebra, a naive twin, and what must not change it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amo_opt.scoring.losses import FloatArray, cvar, cvar_resampled, kish, tail_points

SAMPLES = st.integers(1, 30).flatmap(
    lambda n: st.tuples(
        st.lists(st.floats(-1e4, 1e4), min_size=n, max_size=n).map(np.array),
        st.lists(st.floats(0.01, 10.0), min_size=n, max_size=n).map(np.array),
    )
)


def naive_cvar(losses: FloatArray, weights: FloatArray, level: float) -> float:
    """Rockafellar and Uryasev's other definition: the least of t + E[max(0, L - t)] / (1 - level), attained at a loss."""
    w = weights / weights.sum()
    return min(float(t + (w * np.maximum(0.0, losses - t)).sum() / (1.0 - level)) for t in losses)


def test_whole_paths_in_the_tail() -> None:
    """With 20 equal paths the worst 10% is the mean of the two largest losses."""
    assert cvar(np.arange(20.0), np.full(20, 0.05), level=0.9) == pytest.approx(18.5, abs=1e-12)


def test_boundary_path_is_split() -> None:
    """Worst 5% of weight = all 3% of loss 100 and 2 of the 7% of loss 50: (3 x 100 + 2 x 50) / 5 = 80."""
    assert cvar(np.array([50.0, 0.0, 100.0]), np.array([0.07, 0.90, 0.03]), level=0.95) == pytest.approx(80.0, rel=1e-12)


def test_one_path_heavier_than_the_tail() -> None:
    """A path that alone weighs more than the tail is the whole tail, and its effective count is 1."""
    losses, weights = np.array([7.0, 1.0]), np.array([0.5, 0.5])
    assert cvar(losses, weights, level=0.95) == pytest.approx(7.0, rel=1e-12)
    assert tail_points(losses, weights, level=0.95) == pytest.approx(1.0)


def test_whole_tail_is_the_mean() -> None:
    """At level 0 the tail is everything and the figure is the weighted mean."""
    losses, weights = np.array([1.0, 2.0, 6.0]), np.array([1.0, 2.0, 1.0])
    assert cvar(losses, weights, level=0.0) == pytest.approx(11.0 / 4.0, rel=1e-12)


def test_it_is_not_a_mean_of_scenario_tails() -> None:
    """The tail is taken over all weight: a rare scenario of large losses fills it and the common one hardly counts."""
    losses = np.concatenate([np.zeros(100), np.full(10, 40.0)])
    weights = np.concatenate([np.full(100, 0.96 / 100), np.full(10, 0.04 / 10)])
    assert cvar(losses, weights, level=0.95) == pytest.approx(0.8 * 40.0, rel=1e-9)


def test_tail_points_count_the_split_path_in_part() -> None:
    """Two whole paths and half of a third make (2.5)^2 / 2.25 effective points."""
    assert tail_points(np.arange(10.0), np.ones(10), level=0.75) == pytest.approx(2.5**2 / 2.25, rel=1e-12)


def test_kish_of_unequal_weights() -> None:
    """Weights 3 and 1 count as 16 / 10 paths."""
    assert kish(np.array([3.0, 1.0])) == pytest.approx(1.6)


@given(SAMPLES, st.sampled_from([0.0, 0.5, 0.9, 0.95]))
@settings(max_examples=150, deadline=None)
def test_agrees_with_the_minimisation_form(sample: tuple[FloatArray, FloatArray], level: float) -> None:
    """Sorting and splitting the boundary path solves Rockafellar and Uryasev's minimisation."""
    losses, weights = sample
    assert cvar(losses, weights, level=level) == pytest.approx(naive_cvar(losses, weights, level), rel=1e-9, abs=1e-7)


@given(SAMPLES, st.floats(1e-3, 1e3))
@settings(max_examples=100, deadline=None)
def test_scale_of_weights_does_not_matter(sample: tuple[FloatArray, FloatArray], factor: float) -> None:
    """Only relative weights count."""
    losses, weights = sample
    assert cvar(losses, factor * weights, level=0.9) == pytest.approx(cvar(losses, weights, level=0.9), rel=1e-9, abs=1e-7)


@given(SAMPLES, st.floats(0.1, 10.0), st.floats(-100.0, 100.0))
@settings(max_examples=100, deadline=None)
def test_scales_and_shifts_with_losses(sample: tuple[FloatArray, FloatArray], factor: float, shift: float) -> None:
    """CVaR is positively homogeneous and translates with its losses."""
    losses, weights = sample
    assert cvar(factor * losses + shift, weights, level=0.9) == pytest.approx(
        factor * cvar(losses, weights, level=0.9) + shift, rel=1e-9, abs=1e-6
    )


@pytest.mark.parametrize("level", [0.0, 0.5, 0.9, 0.99])
def test_resamples_match_repeating_paths(level: float) -> None:
    """The count form equals `cvar` of each resample written out path by path, ties, zero counts and uneven weights included."""
    rng = np.random.default_rng(3)
    losses = rng.integers(-5, 20, 60).astype(np.float64)
    weights = np.repeat([0.02, 0.001, 0.005], 20)
    draws = np.concatenate([rng.integers(20 * s, 20 * (s + 1), (40, 20)) for s in range(3)], axis=1)
    counts = np.stack([np.bincount(draw, minlength=60) for draw in draws], axis=1).astype(np.float64)
    expected = [cvar(losses[draw], weights[draw], level=level) for draw in draws]
    np.testing.assert_allclose(cvar_resampled(losses, weights, counts, level=level), expected, rtol=1e-10, atol=1e-10)
