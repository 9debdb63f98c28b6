"""A stage on the lanes that need it: what few lanes do in an hour is worked out for those alone.

A stage's light pass does what every lane needs and flags the others. Flagged (active) lanes are copied side by side into the scratch block, the full stage
runs there on as many lanes as there are, and what it wrote is copied back. Flags are a lane's own, so its figures do not depend on its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import types
from numpy.typing import NDArray

from amo_opt.protocol.lanes import LANES
from amo_opt.stableswap.jit import VECTOR, Vector, ahead, call_at, inner_walker, scalar

W_ACTIVE: Final = 0
_W_PLACES: Final = W_ACTIVE + LANES
W_SCALED_FOR_CR: Final = _W_PLACES + LANES
W_SCALED_FOR_ANN: Final = W_SCALED_FOR_CR + LANES
W_COPY: Final = W_SCALED_FOR_ANN + LANES
"""The scratch block: the flags, the active lanes' numbers, the CR and Ann for which `scaled_cr` stands (0 in a new block: every lane's is worked out
in its first hour), then a copy of the state and one of the market row."""
_FULL: Final = 8
"""Active lanes are filled up to a multiple of this, so that the full stage has no remainder to do one by one."""


Lines = NDArray[np.int64]
"""How many lines a stage touches, writes and reads of the market row, then the offsets of the touched, the written and the read."""
LINES_TYPE: Final = types.Array(types.int64, 1, "C", readonly=True)
FULL_STAGE: Final = (VECTOR, VECTOR, VECTOR, VECTOR, types.int64)
"""The arguments of a full stage: state, market row, parameters, constants, number of lanes."""
FULL_STAGE_OF_AMO: Final = (VECTOR,) * 8 + (types.int64,)
"""Those of an AMO's: after the common ones its own state, market inputs, parameters and constants."""
FULL_STAGE_ON_POOL: Final = (VECTOR,) * 9 + (types.int64,)
"""Those of an AMO's that is told which pool it works: the pool's state too."""


@scalar
def count_active(w: Vector) -> int:
    """How many lanes are active."""
    count = 0
    for i in range(LANES):
        count += 1 if w[W_ACTIVE + i] > 0.5 else 0
    return count


@scalar
def filled_up(n: int, to: int) -> int:
    """The least multiple of ``to`` that is no less than ``n``."""
    return (n + to - 1) // to * to


@scalar
def _place(w: Vector) -> int:
    """The active lanes' numbers into ``w``, filled up with the last of them; how many there are when filled up."""
    n = 0
    for i in range(LANES):
        w[_W_PLACES + n] = i
        n += 1 if w[W_ACTIVE + i] > 0.5 else 0
    filled = filled_up(n, _FULL)
    for j in range(n, filled):
        w[_W_PLACES + j] = w[_W_PLACES + n - 1]
    return filled


@scalar
def _gather(source: Vector, lines: Lines, w: Vector, to: Vector, n: int) -> None:
    for line in lines:  # unsigned, because an index that may be negative is looked at twice
        for j in range(n):
            to[np.uintp(line + j)] = source[np.uintp(line + int(w[_W_PLACES + j]))]


@scalar
def _scatter(s: Vector, lines: Lines, w: Vector, copy: Vector, n: int) -> None:
    for line in lines:
        for j in range(n):
            s[np.uintp(line + int(w[_W_PLACES + j]))] = copy[np.uintp(line + j)]


@inner_walker
def run_active(
    full: int, lines: Lines, s: Vector, m: Vector, p: Vector, c: Vector, w: Vector, own: tuple[int, int, int, int, int], state_size: int
) -> None:
    """Runs the full stage at that address, of those lines, on the lanes flagged in ``w``: on the state itself where all are, else on their copy.

    ``own`` = where an AMO's own state, inputs, parameters and constants begin, all 0 where the stage is no AMO's; and the state of the pool it works, less than 0 where it is not told.
    """
    n = count_active(w)
    if n > 0:
        whole = n == LANES
        filled = _place(w)
        first_written = 3 + lines[0]
        first_read = first_written + lines[1]
        copy = ahead(w, W_COPY)
        row = ahead(copy, state_size)
        if not whole:
            _gather(s, lines[3:first_written], w, copy, filled)
        _gather(m, lines[first_read:], w, row, filled)
        held = s if whole else copy
        if own[4] >= 0:
            pool = ahead(held, own[4])
            call_at(full, held, row, p, c, ahead(held, own[0]), ahead(row, own[1]), ahead(p, own[2]), ahead(c, own[3]), pool, filled)
        elif own[0] > 0:
            call_at(full, held, row, p, c, ahead(held, own[0]), ahead(row, own[1]), ahead(p, own[2]), ahead(c, own[3]), filled)
        else:
            call_at(full, held, row, p, c, filled)
        if not whole:
            _scatter(s, lines[first_written:first_read], w, copy, n)


@dataclass(frozen=True)
class OnActive:
    """A full stage (s, m, p, c, number of lanes; an AMO's with its own a, n, q, k before the number), to run on flagged lanes: the lines that it writes, those
    it only reads, and those of the market row; then the same of the AMO's own, and of the pool's that it works.
    """

    full: Any
    writes: tuple[int, ...]
    reads: tuple[int, ...]
    market: tuple[int, ...] = ()
    own_writes: tuple[int, ...] = ()
    own_reads: tuple[int, ...] = ()
    own_market: tuple[int, ...] = ()
    pool_writes: tuple[int, ...] = ()
    pool_reads: tuple[int, ...] = ()

    def lines(self, own_state: int, own_market: int, pool: int = 0) -> Lines:
        """What is copied for it where the AMO's own lines begin there, and those of the ``pool`` that it works."""
        writes = sorted({*self.writes, *(own_state + line for line in self.own_writes), *(pool + line for line in self.pool_writes)})
        reads = {*self.reads, *(own_state + line for line in self.own_reads), *(pool + line for line in self.pool_reads)}
        touched = sorted({*writes, *reads})
        market = sorted({*self.market, *(own_market + line for line in self.own_market)})
        return np.array([len(touched), len(writes), len(market), *touched, *writes, *market], dtype=np.int64)


def on_active(
    full: Any,
    *,
    writes: tuple[int, ...],
    reads: tuple[int, ...],
    market: tuple[int, ...] = (),
    own_writes: tuple[int, ...] = (),
    own_reads: tuple[int, ...] = (),
    own_market: tuple[int, ...] = (),
    pool_writes: tuple[int, ...] = (),
    pool_reads: tuple[int, ...] = (),
) -> OnActive:
    """The stage ``full`` on active lanes, with what is copied for it. A test holds the declaration against the stage's source."""
    return OnActive(full, writes, reads, market, own_writes, own_reads, own_market, pool_writes, pool_reads)
