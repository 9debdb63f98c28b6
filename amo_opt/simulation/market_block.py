"""A block's market as the step reads it: what changes from hour to hour, an hour a row, and what stands still once.

Calm news, an open gate, a venue that loses nothing: a third of the inputs of an hour are those of the hour before, and rows that must come from memory are what
a step waits for longest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from amo_opt.amos.inputs import MARKET_INDEX, MARKET_INPUTS
from amo_opt.protocol.aligned import aligned
from amo_opt.protocol.market import LANES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from amo_opt.stress.draws import Input


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


def packed(rows: Mapping[str, Input], *, paths: int, steps: int) -> MarketBlock:
    """The block of every input, each of shape (paths, steps) or one number for all of them; lanes past ``paths`` repeat the last path."""
    changing = [name for name in MARKET_INPUTS if not _stands_still(rows[name])]
    first, hours = aligned(len(MARKET_INPUTS), LANES), aligned(steps, len(changing), LANES)
    for name, index in MARKET_INDEX.items():
        values = rows[name]
        first[index, :paths] = values if isinstance(values, float) else values[:, 0]
    # some hours of every input at a time, as each visits the whole block (`stress.draws.lay_out`)
    for start in range(0, steps, LANES):
        some = slice(start, start + LANES)
        for place, name in enumerate(changing):
            hours[some, place, :paths] = np.asarray(rows[name])[:, some].T
    for filled in (first, hours):
        filled[..., paths:] = filled[..., paths - 1 : paths]
    block = MarketBlock(
        first.reshape(-1),
        hours.reshape(steps, len(changing) * LANES),
        np.array([MARKET_INDEX[name] * LANES for name in changing], dtype=np.int64),
    )
    for array in (block.first, block.hours, block.changing):
        array.setflags(write=False)
    return block


def pack_market(market: NDArray[np.float64]) -> MarketBlock:
    """The block of a whole market, shape (steps, inputs × LANES)."""
    inputs = market.reshape(len(market), len(MARKET_INPUTS), LANES)
    return packed({name: inputs[:, index].T for name, index in MARKET_INDEX.items()}, paths=LANES, steps=len(market))


def _stands_still(values: Input) -> bool:
    """Whether every path has the bits of its first hour at all hours."""
    if isinstance(values, float):
        return True
    bits = values.view(np.int64)  # 0.0 and -0.0 are equal, and not the same
    return bool(bits[0, -1] == bits[0, 0] and np.all(bits[:, 1:] == bits[:, :1]))
