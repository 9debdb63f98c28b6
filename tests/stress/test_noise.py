import numpy as np
import pytest

from amo_opt.stress.noise import lagged_mean, reverting_flow, stationary, walk_returns


def normals(paths: int = 400, steps: int = 600) -> np.ndarray:
    return np.random.default_rng(3).standard_normal((paths, steps))


def test_stationary_matches_its_plain_recursion() -> None:
    """The compiled loop is the textbook recursion."""
    z = normals(2, 30)
    phi = np.exp(-1.0 / 12.0)
    expected = np.empty_like(z)
    expected[:, 0] = 0.5 * z[:, 0]
    for t in range(1, 30):
        expected[:, t] = phi * expected[:, t - 1] + 0.5 * np.sqrt(1 - phi**2) * z[:, t]
    np.testing.assert_allclose(stationary(z, 12.0, sd=0.5), expected, rtol=1e-13)


def test_stationary_deviation_and_memory() -> None:
    """The deviation holds from the first hour to the last, and the correlation over 12 hours is 1/e."""
    x = stationary(normals(), 12.0, sd=0.5)
    assert x[:, 0].std() == pytest.approx(0.5, rel=0.1)
    assert x[:, -1].std() == pytest.approx(0.5, rel=0.1)
    assert np.corrcoef(x[:, 300], x[:, 312])[0, 1] == pytest.approx(np.exp(-1), abs=0.12)


def test_flow_sums_to_a_process_that_starts_at_nothing() -> None:
    """The increments add up to a sum that settles at its deviation and does not wander."""
    total = np.cumsum(reverting_flow(normals(), 50.0, sd=0.06), axis=1)
    assert np.abs(total[:, 0]).max() < 0.06
    assert total[:, 300:].std() == pytest.approx(0.06, rel=0.1)


def test_returns_have_mean_one() -> None:
    """A walk expects neither gain nor loss, and its daily volatility is the one asked for."""
    returns = walk_returns(normals(), daily_vol=0.08)
    assert returns.mean() == pytest.approx(1.0, abs=2e-4)
    assert np.log(returns).std() * np.sqrt(24) == pytest.approx(0.08, rel=0.02)


def test_lagged_mean_is_the_weighted_sum_of_what_came_before() -> None:
    """At hour t it is Σ w (1 − w)^k x[t − 1 − k] and what is left of the first hour; a constant is its own mean."""
    x = normals(3, 40)
    w = 1.0 - np.exp(-1.0 / 24.0)
    mean = lagged_mean(x.copy(), 24.0)
    np.testing.assert_array_equal(mean[:, 0], x[:, 0])
    for t in (1, 7, 39):
        weights = w * (1.0 - w) ** np.arange(t)
        np.testing.assert_allclose(mean[:, t], x[:, t - 1 :: -1][:, :t] @ weights + (1.0 - w) ** t * x[:, 0], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(lagged_mean(np.full((1, 50), 0.3), 168.0), 0.3, rtol=1e-15)
