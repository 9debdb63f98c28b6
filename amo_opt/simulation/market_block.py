"""A block's market as the step reads it: what changes from hour to hour, an hour a row, and what stands still once.

Calm news, an open gate, a venue that loses nothing: a third of the inputs of an hour are those of the hour before, and rows that must come from memory are what
a step waits for longest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from amo_opt.amos.layout import BASE
from amo_opt.protocol.aligned import aligned
from amo_opt.protocol.market import LANES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from amo_opt.amos.layout import Layout
    from amo_opt.stress.draws import Input


@dataclass(frozen=True)
class MarketBlock:
    """``first`` is the first hour's row, shape (inputs × LANES,); ``hours`` the inputs that ever change in any lane, shape (steps, changing × LANES); ``changing`` where
    each of them stands in a row. ``log_ratios`` are those of a design's components at its paths, shape (paths, components); None where it was drawn for none. All read-only.
    """

    first: NDArray[np.float64]
    hours: NDArray[np.float64]
    changing: NDArray[np.int64]
    log_ratios: NDArray[np.float64] | None = None

    @property
    def steps(self) -> int:
        """How many hours."""
        return len(self.hours)

    @property
    def nbytes(self) -> int:
        """Memory it takes."""
        return self.first.nbytes + self.hours.nbytes + self.changing.nbytes


def packed(rows: Mapping[str, Input], *, paths: int, steps: int, layout: Layout = BASE) -> MarketBlock:
    """The block of every input of the layout, each of shape (paths, steps) or one number for all of them; lanes past ``paths`` repeat the last path."""
    changing = [name for name in layout.inputs if not _stands_still(rows[name])]
    first, hours = aligned(len(layout.inputs), LANES), aligned(steps, len(changing), LANES)
    for name, index in layout.input_index.items():
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
        np.array([layout.input_index[name] * LANES for name in changing], dtype=np.int64),
    )
    for array in (block.first, block.hours, block.changing):
        array.setflags(write=False)
    return block


def stacked(each: Sequence[Mapping[str, Input]], shapes: Sequence[tuple[int, int]]) -> dict[str, Input]:
    """Inputs of paths one below the other, each of shape (paths, steps) or one number; ``shapes`` (paths, steps) of each."""
    return {name: _joined([rows[name] for rows in each], shapes) for name in each[0]}


def _joined(each: Sequence[Input], shapes: Sequence[tuple[int, int]]) -> Input:
    first = each[0]
    if isinstance(first, float) and all(isinstance(one, float) and one == first for one in each):
        return first
    return np.concatenate([np.broadcast_to(one, shape) for one, shape in zip(each, shapes, strict=True)])


def refilled(
    block: MarketBlock, anew: Sequence[tuple[slice, Mapping[str, Input]]], *, paths: int, layout: Layout = BASE
) -> MarketBlock | None:
    """The block with some inputs of some of its first ``paths`` lanes replaced, each of shape (lanes, steps) or one number; None where what stood still no
    longer does.
    """
    places = {offset // LANES: place for place, offset in enumerate(block.changing.tolist())}
    first, hours = aligned(len(layout.inputs), LANES), aligned(block.steps, len(places), LANES)
    first[:], hours[:] = block.first.reshape(first.shape), block.hours.reshape(hours.shape)
    for lanes, inputs in anew:
        for name, values in inputs.items():
            index = layout.input_index[name]
            place = places.get(index)
            first[index, lanes] = values if isinstance(values, float) else values[:, 0]
            if place is None and not _stands_still(values):
                return None
            if place is None:
                continue
            # so many hours at a time that they and their rows stay in the cache
            some_hours = LANES * LANES // max(1, lanes.stop - lanes.start)
            for start in range(0, block.steps, some_hours):
                some = slice(start, start + some_hours)
                hours[some, place, lanes] = values if isinstance(values, float) else values[:, some].T
    for filled in (first, hours):
        filled[..., paths:] = filled[..., paths - 1 : paths]
        filled.setflags(write=False)
    return replace(block, first=first.reshape(-1), hours=hours.reshape(block.steps, -1))


def pack_market(market: NDArray[np.float64], layout: Layout = BASE) -> MarketBlock:
    """The block of a whole market, shape (steps, inputs × LANES)."""
    inputs = market.reshape(len(market), len(layout.inputs), LANES)
    rows: dict[str, Input] = {name: inputs[:, index].T for name, index in layout.input_index.items()}
    return packed(rows, paths=LANES, steps=len(market), layout=layout)


def _stands_still(values: Input) -> bool:
    """Whether every path has the bits of its first hour at all hours."""
    if isinstance(values, float):
        return True
    bits = values.view(np.int64)  # 0.0 and -0.0 are equal, and not the same
    return bool(bits[0, -1] == bits[0, 0] and np.all(bits[:, 1:] == bits[:, :1]))
