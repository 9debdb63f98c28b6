"""Products, inverses and roots of matrices, every sum in one order: the same bits whatever the processor's vectors, cores or BLAS.

For the sizes that verdicts need, hundreds of rows; a BLAS is faster and says something else on the next machine.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from amo_opt.stableswap.kept import kept

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

_SWEEPS = 50
"""Most sweeps of Jacobi's method; it converges in some eight."""


@kept
def _product(a: FloatArray, b: FloatArray, out: FloatArray) -> None:
    out[:] = 0.0
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            factor = a[i, k]
            for j in range(b.shape[1]):
                out[i, j] += factor * b[k, j]


def product(a: FloatArray, b: FloatArray) -> FloatArray:
    """``a @ b`` of shapes (m, k) and (k, n), or of vectors (k,) on either side; terms are added in the order of k."""
    left, right = np.ascontiguousarray(np.atleast_2d(a)), np.ascontiguousarray(b if b.ndim == 2 else b[:, np.newaxis])
    out = np.empty((left.shape[0], right.shape[1]))
    _product(left, right, out)
    shape = a.shape[:-1] + b.shape[1:]
    return out.reshape(shape)


@kept
def _factor(lower: FloatArray) -> None:
    """Cholesky's factor in place, below the diagonal and on it."""
    n = lower.shape[0]
    for j in range(n):
        for k in range(j):
            factor = lower[j, k]
            for i in range(j, n):
                lower[i, j] -= factor * lower[i, k]
        root = math.sqrt(lower[j, j])
        for i in range(j, n):
            lower[i, j] /= root


@kept
def _inverse(lower: FloatArray, inverse: FloatArray) -> None:
    """From the factor its inverse, and from that the inverse of the whole."""
    n = lower.shape[0]
    found = np.zeros((n, n))
    for i in range(n):
        for k in range(i):
            factor = lower[i, k]
            for j in range(k + 1):
                found[i, j] -= factor * found[k, j]
        found[i, i] = 1.0
        for j in range(i + 1):
            found[i, j] /= lower[i, i]
    inverse[:] = 0.0
    for k in range(n):
        for i in range(k + 1):
            factor = found[k, i]
            for j in range(k + 1):
                inverse[i, j] += factor * found[k, j]


def inverse(matrix: FloatArray) -> FloatArray:
    """The inverse of a symmetric positive definite matrix (n, n), by Cholesky."""
    lower, out = matrix.copy(), np.empty_like(matrix)
    _factor(lower)
    _inverse(lower, out)
    return out


@kept
def _is_diagonal(a: FloatArray) -> bool:
    beside = whole = 0.0
    for i in range(a.shape[0]):
        for j in range(a.shape[0]):
            square = a[i, j] * a[i, j]
            whole += square
            beside += 0.0 if i == j else square
    return beside <= 1e-30 * whole


@kept
def _diagonal(a: FloatArray, vectors: FloatArray, sweeps: int) -> None:
    """Turns until nothing is left beside the diagonal (Jacobi, J. reine angew. Math. 30, 1846, row by row)."""
    n = a.shape[0]
    for _ in range(sweeps):
        if _is_diagonal(a):
            return
        for p in range(n - 1):
            for q in range(p + 1, n):
                if a[p, q] == 0.0:
                    continue
                angle = (a[q, q] - a[p, p]) / (2.0 * a[p, q])
                t = (1.0 if angle >= 0.0 else -1.0) / (abs(angle) + math.sqrt(angle * angle + 1.0))
                c = 1.0 / math.sqrt(t * t + 1.0)
                s = t * c
                for k in range(n):
                    one, other = a[k, p], a[k, q]
                    a[k, p], a[k, q] = c * one - s * other, s * one + c * other
                for k in range(n):
                    one, other = a[p, k], a[q, k]
                    a[p, k], a[q, k] = c * one - s * other, s * one + c * other
                    one, other = vectors[k, p], vectors[k, q]
                    vectors[k, p], vectors[k, q] = c * one - s * other, s * one + c * other


def root(matrix: FloatArray) -> FloatArray:
    """The symmetric root of a symmetric matrix (n, n) without negative eigenvalues; one that rounding made negative counts as 0."""
    turned, vectors = matrix.copy(), np.eye(len(matrix))
    _diagonal(turned, vectors, _SWEEPS)
    return product(vectors * np.sqrt(np.maximum(np.diag(turned), 0.0)), np.ascontiguousarray(vectors.T))
