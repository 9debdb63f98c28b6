"""The step over one block of lanes: `advance` walks the hour's program, `run_block` is what everybody else calls.

What an hour consists of, and in which order, stands in `simulation.program`.
"""

from __future__ import annotations

from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import types

from amo_opt.protocol.accounts import net_asset_value, settle
from amo_opt.protocol.active_lanes import FULL_STAGE, LINES_TYPE, SCRATCH, count_active, run_active
from amo_opt.protocol.aligned import aligned
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation.compiled import Stages, addresses
from amo_opt.simulation.opening import open_window
from amo_opt.simulation.program import ARGUMENTS, HOUR, START, lines_of, program_of
from amo_opt.stableswap.jit import VECTOR, Vector, call_at, stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

_V, _NUMBER = VECTOR, types.int64
_SMC, _SM, _SC, _SMPC, _SMPCW, _SPCW, _SCW, _SP, _SW, _SPC, _SPCH, _SMPCH = range(len(ARGUMENTS))
FRAME: Stages = {
    "run_active": (run_active, (_NUMBER, LINES_TYPE, _V, _V, _V, _V, _V)),
    "open_window": (open_window, (_V,)),
    "settle": (settle, (_V, _V)),
    "net_asset_value": (net_asset_value, (_V, _V, _V)),
}
"""What `advance` calls beside the program."""


def _stages() -> Stages:
    """Every stage with the types it is compiled for: the longest at both ends, from where whoever compiles comes, the short ones in the middle."""
    rows = {row.name: (row.stage, tuple(_NUMBER if letter == "h" else _V for letter in row.arguments)) for row in (*START, *HOUR)}
    full = {row.full: (row.active.full, FULL_STAGE) for row in HOUR if row.active is not None}
    names = list(full)
    return {name: full[name] for name in names[::2]} | rows | dict(FRAME) | {name: full[name] for name in names[1::2]}


STAGES: Stages = _stages()
Frame = NamedTuple("Frame", [(name, int) for name in FRAME])  # type: ignore[misc]
"""Where the stages of `FRAME` begin."""


@stage
def walk_rows(  # noqa: C901, PLR0912 - a branch for each kind of arguments
    frame: Any, rows: Any, lines: Any, s: Vector, m: Vector, p: Vector, c: Vector, w: Vector, hour: int
) -> None:
    """Calls the rows' stages one after the other; where a stage flagged lanes, its full stage on those."""
    for k in range(rows.shape[0]):
        kind = rows[k, 0]
        begins = rows[k, 1]
        if kind == _SMC:
            call_at(begins, s, m, c)
        elif kind == _SM:
            call_at(begins, s, m)
        elif kind == _SC:
            call_at(begins, s, c)
        elif kind == _SMPC:
            call_at(begins, s, m, p, c)
        elif kind == _SMPCW:
            call_at(begins, s, m, p, c, w)
        elif kind == _SPCW:
            call_at(begins, s, p, c, w)
        elif kind == _SCW:
            call_at(begins, s, c, w)
        elif kind == _SP:
            call_at(begins, s, p)
        elif kind == _SW:
            call_at(begins, s, w)
        elif kind == _SPC:
            call_at(begins, s, p, c)
        elif kind == _SPCH:
            call_at(begins, s, p, c, hour)
        elif kind == _SMPCH:
            call_at(begins, s, m, p, c, hour)
        if rows[k, 2] != 0 and count_active(w) > 0:
            call_at(frame.run_active, rows[k, 2], lines[rows[k, 3] : rows[k, 4]], s, m, p, c, w)


@stage
def advance(
    frame: Any,
    start: NDArray[np.int64],
    rows: NDArray[np.int64],
    lines: NDArray[np.int64],
    s: Vector,
    market: Vector,
    p: Vector,
    c: Vector,
    transition: int,
    navs: Vector,
    opening: Vector,
    trace_columns: NDArray[np.int64],
    trace: Vector,
    w: Vector,
) -> None:
    """`run_block` with the programs of the start and of an hour: ``s`` the state, ``market`` a row an hour, ``p`` the parameters, ``c`` the constants."""
    walk_rows(frame, start, lines, s, market[0], p, c, w, 0)
    call_at(frame.net_asset_value, s, c, navs[0])
    traced = trace.shape[0] > 0
    for hour in range(market.shape[0]):
        if hour == transition:
            call_at(frame.settle, s, c)
            call_at(frame.net_asset_value, s, c, navs[1])
            for k in range(s.size):
                opening[k] = s[k]
            call_at(frame.open_window, s)
        walk_rows(frame, rows, lines, s, market[hour], p, c, w, hour)
        if hour == market.shape[0] - 1:
            call_at(frame.settle, s, c)
        if traced:
            for k in range(trace_columns.size):
                offset = trace_columns[k]
                for i in range(LANES):
                    trace[hour, k * LANES + i] = s[offset + i]
    call_at(frame.net_asset_value, s, c, navs[2])


_ROWS, _MARKET = types.Array(types.float64, 2, "C"), types.Array(types.float64, 2, "C", readonly=True)
_PROGRAM = types.Array(types.int64, 2, "C")
ADVANCE = (
    types.NamedUniTuple(types.int64, len(FRAME), Frame),  # type: ignore[no-untyped-call]
    *(_PROGRAM, _PROGRAM, LINES_TYPE, _V, _MARKET, _V, _V, _NUMBER, _ROWS, _V, types.Array(types.int64, 1, "C"), _ROWS, _V),
)
_compiling = Lock()
_LINES = lines_of(HOUR)


@lru_cache(maxsize=1)
def _places() -> dict[str, int]:
    """Where every stage begins, and `advance` compiled: once a process."""
    *places, _ = addresses({**STAGES, "advance": (advance, ADVANCE)})
    return dict(zip(STAGES, places, strict=True))


def run_block(
    s: Vector,
    market: Vector,
    p: Vector,
    c: Vector,
    transition: int,
    navs: Vector,
    opening: Vector,
    trace_columns: NDArray[np.int64],
    trace: Vector,
) -> None:
    """Advances ``s`` through ``market`` (steps, inputs × LANES). Fills ``navs`` (3, LANES): at the state, when the window opens, at its
    end; ``opening`` = the state when the window opens, before its statistics are cleared; ``trace`` (steps, columns × LANES), or (0, 0).
    """
    with _compiling:  # threads that come meanwhile wait for it
        places = _places()
    frame = Frame(*(places[name] for name in FRAME))
    start, rows = program_of(START, places, s, p), program_of(HOUR, places, s, p)
    market = market.view()
    market.flags.writeable = False  # one compiled kernel, whether the caller may write there or not
    scratch = aligned(SCRATCH)
    scratch[:] = 0.0
    advance(frame, start, rows, _LINES, s, market, p, c, transition, navs, opening, trace_columns, trace, scratch)


def begin_block(s: Vector, m: Vector, c: Vector) -> None:
    """What a block's first hour begins with, stage by stage; for whoever looks at a single stage."""
    for row in START:
        row.stage(s, m, c)
