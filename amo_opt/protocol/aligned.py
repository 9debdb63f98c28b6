"""Arrays that begin where a cache line does: a vector read across two lines is two reads."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

LINE = 64
"""Bytes of a cache line."""


def aligned(*shape: int) -> NDArray[np.float64]:
    """Float64 of that shape, C-contiguous, not filled; its address is a multiple of 64, where NumPy's own are one of 16."""
    size = 8 * math.prod(shape)
    room = np.empty(size + LINE, dtype=np.uint8)
    first = -room.ctypes.data % LINE
    return room[first : first + size].view(np.float64).reshape(shape)
