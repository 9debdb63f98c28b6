"""Our own Philox, normals and chi-squared deviates, beside NumPy's and SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import gammainccinv, gammaincinv, ndtr
from scipy.stats import kstest

from amo_opt.stress.chi_squared import LARGEST, MANY, chi_squared_of
from amo_opt.stress.normals import _philox, _tables, fill_normals

KEY = np.array([0x1234567890ABCDEF, 0xFEDCBA0987654321], dtype=np.uint64)


def drawn(size: int, *keys: NDArray[np.uint64]) -> NDArray[np.float64]:
    out = np.empty((max(1, len(keys)), size))
    fill_normals(np.array(keys or (KEY,)), out)
    return out


def test_philox_is_numpys() -> None:
    """Bit by bit, at keys whose products and sums overflow."""
    for key in (KEY, np.zeros(2, dtype=np.uint64), np.full(2, 2**64 - 1, dtype=np.uint64)):
        raw, rest = np.empty(4_000, dtype=np.uint64), np.empty(400, dtype=np.uint64)
        _philox(key[0], key[1], np.uint64(0), raw)
        _philox(key[0], key[1], np.uint64(1_000), rest)
        np.testing.assert_array_equal(np.concatenate([raw, rest]), np.random.Philox(key=key).random_raw(4_400))


def test_normals_are_numpys_to_the_digits_of_its_tables() -> None:
    """Two million of them, tails and wedges among them: one draw more or less anywhere and everything after it would be another."""
    ours = drawn(2_000_000)[0]
    theirs = np.random.Generator(np.random.Philox(key=KEY)).standard_normal(ours.size)
    assert (np.abs(theirs) > 3.7).sum() > 300
    np.testing.assert_allclose(ours, theirs, rtol=4e-14, atol=0.0)


@pytest.mark.parametrize("size", [0, 1, 2, 7, 63, 64, 65, 1_776])
def test_the_first_ones_whatever_their_number(size: int) -> None:
    """And a row is its stream's, whatever stands beside it."""
    whole = drawn(1_776)[0]
    np.testing.assert_array_equal(drawn(size, np.ones(2, dtype=np.uint64), KEY)[1], whole[:size])


def test_they_are_normal() -> None:
    """By Kolmogorov and Smirnov, and their tails beyond the ziggurat's edge by count."""
    z = drawn(1_000_000)[0]
    assert kstest(z, "norm").pvalue > 0.01
    beyond = (np.abs(z) > 3.6541528853610088).sum()
    assert abs(beyond - 2e6 * ndtr(-3.6541528853610088)) < 4.0 * np.sqrt(2e6 * ndtr(-3.6541528853610088))


def test_every_layer_has_one_area() -> None:
    """The width of a layer times its height, from the tables themselves; and the layers reach from the edge to the top."""
    scale, height, inside = _tables()
    edges = scale * 2.0**52
    area = edges[0] * height[-1]
    np.testing.assert_allclose(edges[2:] * (height[1:-1] - height[2:]), area, rtol=1e-12)
    np.testing.assert_allclose(inside[2:] / 2.0**52, edges[1:-1] / edges[2:], rtol=1e-14)


FREEDOMS = [1.0, 1.5, 2.3, 3.0, 5.0, 12.0, 60.0, 1_000.0, MANY - 1.0, MANY, 1e6]


@pytest.mark.parametrize("freedom", FREEDOMS)
def test_chi_squared_is_the_quantile_at_the_normals_chance(freedom: float) -> None:
    """SciPy's, from the smaller tail: eleven digits as far as six deviations, nine as far as eight."""
    for far, digits in ((6.0, 1e-11), (8.0, 2e-10)):
        z = np.linspace(-far, far, 997)[np.newaxis]
        true = 2.0 * np.where(z < 0.0, gammaincinv(0.5 * freedom, ndtr(z)), gammainccinv(0.5 * freedom, ndtr(-z)))
        np.testing.assert_allclose(chi_squared_of(z, freedom), true, rtol=digits)


def test_freedom_may_differ_by_path() -> None:
    """A path is what it is by itself; what is beyond the table is taken for its end."""
    z = np.random.default_rng(4).standard_normal((len(FREEDOMS), 40))
    z[0, 0], z[1, 0] = 40.0, -40.0
    both = chi_squared_of(z, np.array(FREEDOMS)[:, np.newaxis])
    for row, freedom in enumerate(FREEDOMS):
        np.testing.assert_array_equal(both[row], chi_squared_of(z[row : row + 1], freedom)[0])
    assert both[0, 0] == chi_squared_of(np.array([[LARGEST]]), 1.0)[0, 0]
    assert both[1, 0] > 0.0


def test_chi_squared_never_falls() -> None:
    """More normal, more chi-squared, across the nodes too."""
    z = np.linspace(-8.2, 8.2, 100_001)[np.newaxis]
    for freedom in FREEDOMS:
        assert (np.diff(chi_squared_of(z, freedom)) >= 0.0).all(), freedom
