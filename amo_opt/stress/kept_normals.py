"""Normals that several components of a design share, drawn once: the twins of a path have all of its noises but those that are pushed.

A path's rows are the same bits whether they are drawn or taken from here, so nothing hangs on how long they are kept or by which thread.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

import numpy as np
from numpy.typing import NDArray

Row = NDArray[np.float64]
Key = tuple[bytes, int, str, int]
"""The digest of seed, stream and scenario; path; purpose; steps."""
LIMIT = 64 << 20
"""Bytes that are kept: the noises of some 200 paths of 1,776 hours, as blocks of neighbouring paths are drawn one after the other."""


class KeptNormals:
    """Rows by key; past ``limit`` bytes those not used for longest are dropped."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self._rows: OrderedDict[Key, Row] = OrderedDict()
        self._lock = Lock()
        self._bytes = 0

    def fill(self, key: Key, out: Row, draw: Callable[[Row], object]) -> None:
        """The row of that key into ``out``, drawn into it where it is not kept."""
        with self._lock:
            row = self._rows.get(key)
            if row is not None:
                self._rows.move_to_end(key)
        if row is not None:
            out[:] = row
            return
        draw(out)
        row = out.copy()
        with self._lock:
            if key not in self._rows:
                self._bytes += row.nbytes
            self._rows[key] = row
            while self._bytes > self.limit:
                self._bytes -= self._rows.popitem(last=False)[1].nbytes


KEPT = KeptNormals()
