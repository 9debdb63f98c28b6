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

from amo_opt.protocol.lanes import LANES, MARKET, STATE
from amo_opt.stableswap.jit import VECTOR, Vector, address, call_at, scalar, stage

_STATE_SIZE: Final = len(STATE) * LANES
_MARKET_SIZE: Final = len(MARKET) * LANES
W_ACTIVE: Final = _STATE_SIZE + _MARKET_SIZE
_W_PLACES: Final = W_ACTIVE + LANES
W_SCALED_FOR_CR: Final = _W_PLACES + LANES
W_SCALED_FOR_ANN: Final = W_SCALED_FOR_CR + LANES
SCRATCH: Final = W_SCALED_FOR_ANN + LANES
"""Length of the scratch block: a copy of the state, one of the market row, the flags, the active lanes' numbers, and the CR and Ann for which
`scaled_cr` stands (0 in a new block: every lane's is worked out in its first hour)."""
_FULL: Final = 8
"""Active lanes are filled up to a multiple of this, so that the full stage has no remainder to do one by one."""


Lines = NDArray[np.int64]
"""How many lines a stage touches, writes and reads of the market row, then the offsets of the touched, the written and the read."""
LINES_TYPE: Final = types.Array(types.int64, 1, "C", readonly=True)
FULL_STAGE: Final = (VECTOR, VECTOR, VECTOR, VECTOR, types.int64)
"""The arguments of a full stage: state, market row, parameters, constants, number of lanes."""


@scalar
def count_active(w: Vector) -> int:
    """How many lanes are active."""
    count = 0
    for i in range(LANES):
        count += 1 if w[W_ACTIVE + i] > 0.5 else 0
    return count


@scalar
def _place(w: Vector) -> int:
    """The active lanes' numbers into ``w``, filled up with the last of them; how many there are when filled up."""
    n = 0
    for i in range(LANES):
        w[_W_PLACES + n] = i
        n += 1 if w[W_ACTIVE + i] > 0.5 else 0
    filled = (n + _FULL - 1) // _FULL * _FULL
    for j in range(n, filled):
        w[_W_PLACES + j] = w[_W_PLACES + n - 1]
    return filled


@scalar
def _gather(source: Vector, lines: Lines, w: Vector, to: int, n: int) -> None:
    for line in lines:  # unsigned, because an index that may be negative is looked at twice
        for j in range(n):
            w[np.uintp(to + line + j)] = source[np.uintp(line + int(w[_W_PLACES + j]))]


@scalar
def _scatter(s: Vector, lines: Lines, w: Vector, n: int) -> None:
    for line in lines:
        for j in range(n):
            s[np.uintp(line + int(w[_W_PLACES + j]))] = w[np.uintp(line + j)]


@stage
def run_active(full: int, lines: Lines, s: Vector, m: Vector, p: Vector, c: Vector, w: Vector) -> None:
    """Runs the full stage at that address, of those lines, on the lanes flagged in ``w``: on the state itself where all are, else on their copy."""
    n = count_active(w)
    if n > 0:
        whole = n == LANES
        filled = _place(w)
        first_written = 3 + lines[0]
        first_read = first_written + lines[1]
        if not whole:
            _gather(s, lines[3:first_written], w, 0, filled)
        _gather(m, lines[first_read:], w, _STATE_SIZE, filled)
        call_at(full, s if whole else w[:_STATE_SIZE], w[_STATE_SIZE:W_ACTIVE], p, c, filled)
        if not whole:
            _scatter(s, lines[first_written:first_read], w, n)


@dataclass(frozen=True)
class OnActive:
    """The full stage (s, m, p, c, number of lanes) as one of (s, m, p, c, w) that runs on the lanes flagged in ``w``."""

    full: Any
    lines: Lines

    def __call__(self, s: Vector, m: Vector, p: Vector, c: Vector, w: Vector) -> None:
        """Runs it, as the kernel does."""
        run_active(address(self.full, FULL_STAGE), self.lines, s, m, p, c, w)


def on_active(full: Any, *, writes: tuple[int, ...], reads: tuple[int, ...], market: tuple[int, ...] = ()) -> OnActive:
    """The stage ``full`` on active lanes, with the lines it writes, those it only reads, and those of the market row: what is copied for it.

    A test holds the declaration against the stage's source.
    """
    touched = sorted({*writes, *reads})
    lines = np.array([len(touched), len(writes), len(market), *touched, *sorted(writes), *sorted(market)], dtype=np.int64)
    lines.flags.writeable = False
    return OnActive(full, lines)
