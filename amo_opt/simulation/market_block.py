"""A block's market as the step reads it: what changes from hour to hour, an hour a row, and what stands still once.

Calm news, an open gate, a venue that loses nothing: half of the inputs of an hour are those of the hour before, and rows that must come from memory are what
a step waits for longest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from amo_opt.protocol.aligned import aligned
from amo_opt.protocol.market import LANES

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class MarketBlock:
    """``first`` is the first hour's row, shape (inputs × LANES,); ``hours`` the inputs that ever change in any lane, shape (steps, changing × LANES); ``changing`` where
    each of them stands in a row. All read-only.
    """

    first: NDArray[np.float64]
    hours: NDArray[np.float64]
    changing: NDArray[np.int64]

    @property
    def steps(self) -> int:
        """How many hours."""
        return len(self.hours)

    @property
    def nbytes(self) -> int:
        """Memory it takes."""
        return self.first.nbytes + self.hours.nbytes + self.changing.nbytes


def pack_market(market: NDArray[np.float64]) -> MarketBlock:
    """The block of a whole market, shape (steps, inputs × LANES)."""
    rows = market.reshape(market.shape[0], -1, LANES)
    changing = np.array([k for k in range(rows.shape[1]) if not np.array_equal(rows[:, k], np.broadcast_to(rows[:1, k], rows[:, k].shape))])
    changing = changing.astype(np.int64)
    hours = aligned(market.shape[0], len(changing) * LANES)
    hours.reshape(market.shape[0], len(changing), LANES)[:] = rows[:, changing]
    first = aligned(market.shape[1])
    first[:] = market[0]
    changing *= LANES
    for array in (first, hours, changing):
        array.flags.writeable = False
    return MarketBlock(first, hours, changing)
