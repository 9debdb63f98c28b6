"""How the kernel's functions are compiled: reproducible arithmetic, no interpreter lock, branch-free scalars inlined into lane loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])

Vector = NDArray[np.float64]
"""A flat float64 array: the state, a market row, the parameters or the constants."""


def scalar(function: F) -> F:
    """A helper on scalars, inlined into the lane loop that calls it so that the loop still vectorises."""
    return cast("F", njit(function, nogil=True, error_model="numpy", fastmath=False, forceinline=True))


def stage(function: F) -> F:
    """One mechanism: a loop over the lanes of a block, without branches, allocation or Python objects."""
    return cast("F", njit(function, nogil=True, error_model="numpy", fastmath=False))
