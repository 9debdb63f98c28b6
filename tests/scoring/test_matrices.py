"""Products, inverses and roots in a fixed order, beside NumPy's."""

from __future__ import annotations

import math

import numpy as np
import pytest

from amo_opt.scoring.matrices import inverse, product, root

RANDOM = np.random.default_rng(7)


def test_a_product_is_summed_in_order() -> None:
    """To the bit what adding one term after the other gives."""
    a, b = RANDOM.standard_normal((5, 37)), RANDOM.standard_normal((37, 4)) * 10.0 ** RANDOM.integers(-9, 9, (37, 4))
    naive = np.zeros((5, 4))
    for i in range(5):
        for j in range(4):
            for k in range(37):
                naive[i, j] += a[i, k] * b[k, j]
    np.testing.assert_array_equal(product(a, b), naive)
    np.testing.assert_array_equal(product(a, np.asfortranarray(b)), naive)


def test_shapes_are_those_of_numpy() -> None:
    """Vectors on either side, or both."""
    a, v, w = RANDOM.standard_normal((6, 3)), RANDOM.standard_normal(3), RANDOM.standard_normal(6)
    for one, other in ((a, v), (w, a), (v, v), (a.T, a), (a, a.T)):
        np.testing.assert_allclose(product(one, other), one @ other, rtol=1e-12)
        assert np.shape(product(one, other)) == np.shape(one @ other)


@pytest.mark.parametrize("n", [1, 2, 17, 90])
def test_an_inverse_undoes(n: int) -> None:
    """Times the matrix it is one; and symmetric to rounding."""
    a = RANDOM.standard_normal((n, n + 3))
    matrix = a @ a.T + 0.1 * np.eye(n)
    found = inverse(matrix)
    np.testing.assert_allclose(found @ matrix, np.eye(n), atol=1e-9)
    np.testing.assert_allclose(found, found.T, rtol=1e-9, atol=1e-12)


def test_a_known_inverse_and_root() -> None:
    """[[2, 1], [1, 2]]: [[2, −1], [−1, 2]] / 3, and a root with (√3 ± 1) / 2."""
    matrix = np.array([[2.0, 1.0], [1.0, 2.0]])
    np.testing.assert_allclose(inverse(matrix), np.array([[2.0, -1.0], [-1.0, 2.0]]) / 3.0, rtol=1e-15)
    same, other = (math.sqrt(3.0) + 1.0) / 2.0, (math.sqrt(3.0) - 1.0) / 2.0
    np.testing.assert_allclose(root(matrix), [[same, other], [other, same]], rtol=1e-14)


@pytest.mark.parametrize("rank", [1, 4, 12])
def test_a_root_squares_to_what_it_is_of(rank: int) -> None:
    """Also where eigenvalues are 0 or the same, and never with NaN where rounding makes one negative."""
    a = RANDOM.standard_normal((12, rank))
    for matrix in (a @ a.T, np.eye(12), np.zeros((12, 12)), np.ones((12, 12))):
        found = root(matrix)
        np.testing.assert_allclose(found @ found, matrix, atol=1e-7)
        np.testing.assert_allclose(found, found.T, atol=1e-12)
