"""Normals that several components of a design share, drawn once: the twins of a path have all of its noises but those that are pushed.

A path's rows are the same bits whether they are drawn or taken from here, so nothing hangs on how long they are kept or by which thread.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
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

    def rows(self, keys: Sequence[Key], draw: Callable[[list[int]], Row]) -> Row:
        """The rows of those keys, (keys, steps), all of one length; those that are not kept are drawn together, by their places."""
        with self._lock:
            held = [self._rows.get(key) for key in keys]
            for key, row in zip(keys, held, strict=True):
                if row is not None:
                    self._rows.move_to_end(key)
        missing = [place for place, row in enumerate(held) if row is None]
        if len(missing) == len(keys):
            out = fresh = draw(missing)
        else:
            out = np.empty((len(keys), keys[0][-1]))
            for place, row in enumerate(held):
                if row is not None:
                    out[place] = row
            if not missing:
                return out
            fresh = draw(missing)
            out[missing] = fresh
        with self._lock:
            for place, row in zip(missing, fresh, strict=True):
                if keys[place] not in self._rows:
                    self._bytes += row.nbytes
                self._rows[keys[place]] = row.copy()
            while self._bytes > self.limit:
                self._bytes -= self._rows.popitem(last=False)[1].nbytes
        return out


KEPT = KeptNormals()
