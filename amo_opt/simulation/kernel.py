"""The step over one block of lanes: `advance` walks the hour's program, `run_block` is what everybody else calls.

What an hour consists of, and in which order, stands in `simulation.program`.
"""

from __future__ import annotations

from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import types

from amo_opt.amos.layout import BASE, Layout
from amo_opt.protocol.accounts import W_NAV
from amo_opt.protocol.active_lanes import (
    FULL_STAGE,
    FULL_STAGE_OF_AMO,
    FULL_STAGE_ON_POOL,
    LINES_TYPE,
    W_COPY,
    count_active,
    run_active,
)
from amo_opt.protocol.aligned import aligned
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation.compiled import Stages, addresses
from amo_opt.simulation.market_block import MarketBlock, pack_market
from amo_opt.simulation.opening import open_window
from amo_opt.simulation.program import ARGUMENTS, EVERY, SETTLE, Row, program_of, rows_of, used
from amo_opt.stableswap.jit import ARRAY, VECTOR, Vector, ahead, begins, call_at, inner_walker, walker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_V, _NUMBER = VECTOR, types.int64
(_OWN, _OWN_FLAG, _SMC, _SC, _S, _SMPCW, _SCW, _SP, _SPC, _SW, _SPCH, _SMPCH, _POOL, _POOL_FLAG) = range(len(ARGUMENTS))


def scratch_of(layout: Layout) -> int:
    """Length of the scratch block (`protocol.active_lanes`)."""
    return W_COPY + (len(layout.state) + len(layout.inputs)) * LANES


SCRATCH = scratch_of(BASE)


@lru_cache(maxsize=64)
def _cleared(layout: Layout) -> NDArray[np.int64]:
    """The accounting lines, to be cleared when the window opens."""
    return np.array([layout.state_index[name] * LANES for name in layout.lines], dtype=np.int64)


class Frame(NamedTuple):
    """Where the stages of `FRAME` begin."""

    walk_rows: int
    run_active: int
    open_window: int


_FRAME = types.NamedUniTuple(_NUMBER, len(Frame._fields), Frame)  # type: ignore[no-untyped-call]
_PROGRAM, _PLACES = types.Array(types.int64, 2, "C"), types.Array(types.int64, 1, "C")


@inner_walker
def walk_rows(  # noqa: C901, PLR0912 - a branch for each kind of arguments
    frame: Any, rows: Any, lines: Any, s: Vector, m: Vector, p: Vector, c: Vector, w: Vector, hour: int, state_size: int
) -> None:
    """Calls the rows' stages one after the other; where a stage flagged lanes, its full stage on those."""
    for r in range(rows.shape[0]):
        kind = rows[r, 0]
        stage = rows[r, 1]
        if kind == _OWN:
            call_at(stage, s, m, p, c, ahead(s, rows[r, 5]), ahead(m, rows[r, 6]), ahead(p, rows[r, 7]), ahead(c, rows[r, 8]))
        elif kind == _OWN_FLAG:
            call_at(stage, s, m, p, c, ahead(s, rows[r, 5]), ahead(m, rows[r, 6]), ahead(p, rows[r, 7]), ahead(c, rows[r, 8]), w)
        elif kind == _SMC:
            call_at(stage, s, m, c)
        elif kind == _SC:
            call_at(stage, s, c)
        elif kind == _S:
            call_at(stage, s)
        elif kind == _SMPCW:
            call_at(stage, s, m, p, c, w)
        elif kind == _SCW:
            call_at(stage, s, c, w)
        elif kind == _SP:
            call_at(stage, s, p)
        elif kind == _SPC:
            call_at(stage, s, p, c)
        elif kind == _SW:
            call_at(stage, s, w)
        elif kind == _SPCH:
            call_at(stage, s, p, c, hour)
        elif kind == _SMPCH:
            call_at(stage, s, m, p, c, hour)
        elif kind == _POOL:
            own = ahead(s, rows[r, 5]), ahead(m, rows[r, 6]), ahead(p, rows[r, 7]), ahead(c, rows[r, 8])
            call_at(stage, s, m, p, c, own[0], own[1], own[2], own[3], ahead(s, rows[r, 9]))
        elif kind == _POOL_FLAG:
            own = ahead(s, rows[r, 5]), ahead(m, rows[r, 6]), ahead(p, rows[r, 7]), ahead(c, rows[r, 8])
            call_at(stage, s, m, p, c, own[0], own[1], own[2], own[3], ahead(s, rows[r, 9]), w)
        if rows[r, 2] != 0 and count_active(w) > 0:
            places = (rows[r, 5], rows[r, 6], rows[r, 7], rows[r, 8], rows[r, 9])
            call_at(frame.run_active, rows[r, 2], lines[rows[r, 3] : rows[r, 4]], s, m, p, c, w, places, state_size)


FRAME: Stages = {
    "walk_rows": (walk_rows, (_FRAME, _PROGRAM, _PLACES, _V, _V, _V, _V, _V, _NUMBER, _NUMBER)),
    "run_active": (run_active, (_NUMBER, LINES_TYPE, _V, _V, _V, _V, _V, types.UniTuple(_NUMBER, 5), _NUMBER)),  # type: ignore[no-untyped-call]
    "open_window": (open_window, (_V,)),
}
"""What `advance` calls beside the programs' stages."""


def _full_of(row: Row) -> Any:
    if row.of is None:
        return FULL_STAGE
    return FULL_STAGE_ON_POOL if row.told_pool else FULL_STAGE_OF_AMO


def _stages() -> Stages:
    """Every stage with the types it is compiled for: the longest at both ends, from where whoever compiles comes, the short ones in the middle."""
    rows = {row.code: (row.stage, tuple(_NUMBER if letter == "h" else _V for letter in row.arguments)) for row in EVERY}
    full = {row.full: (row.active.full, _full_of(row)) for row in EVERY if row.active is not None}
    names = list(full)
    return {name: full[name] for name in names[::2]} | rows | dict(FRAME) | {name: full[name] for name in names[1::2]}


STAGES: Stages = _stages()


@walker
def advance(  # noqa: C901, PLR0912 - one loop over hours, so that nothing is handed over in between
    frame: Any,
    start: NDArray[np.int64],
    rows: NDArray[np.int64],
    settle: NDArray[np.int64],
    lines: NDArray[np.int64],
    state: Vector,
    row: Vector,
    hours: Vector,
    changing: NDArray[np.int64],
    parameters: Vector,
    numbers: Vector,
    transition: int,
    navs: Vector,
    opening: Vector,
    cleared: NDArray[np.int64],
    trace_columns: NDArray[np.int64],
    trace: Vector,
    scratch: Vector,
) -> None:
    """`run_block` with the programs of the start, an hour and the books: ``row`` the market of an hour, of which ``changing`` is filled in from ``hours``; ``cleared`` = the
    lines that begin anew with the window.
    """
    s, m, p, c, w = begins(state), begins(row), begins(parameters), begins(numbers), begins(scratch)
    call_at(frame.walk_rows, frame, start, lines, s, m, p, c, w, 0, state.size)
    for i in range(LANES):
        navs[0, i] = scratch[W_NAV + i]
    traced = trace.shape[0] > 0
    for hour in range(hours.shape[0]):
        if hour == transition:
            call_at(frame.walk_rows, frame, settle, lines, s, m, p, c, w, hour, state.size)
            for i in range(LANES):
                navs[1, i] = scratch[W_NAV + i]
            for k in range(state.size):
                opening[k] = state[k]
            call_at(frame.open_window, s)
            for line in cleared:
                for i in range(LANES):
                    state[np.uintp(line + i)] = 0.0
        drawn = hours[hour]
        for k in range(changing.size):
            for i in range(LANES):
                row[np.uintp(changing[k] + i)] = drawn[k * LANES + i]
        call_at(frame.walk_rows, frame, rows, lines, s, m, p, c, w, hour, state.size)
        if hour == hours.shape[0] - 1:
            call_at(frame.walk_rows, frame, settle, lines, s, m, p, c, w, hour, state.size)
        if traced:
            for k in range(trace_columns.size):
                offset = trace_columns[k]
                for i in range(LANES):
                    trace[hour, k * LANES + i] = state[offset + i]
    for i in range(LANES):
        navs[2, i] = scratch[W_NAV + i]


@walker
def walk_once(
    frame: Any,
    rows: NDArray[np.int64],
    lines: NDArray[np.int64],
    state: Vector,
    row: Vector,
    p: Vector,
    c: Vector,
    scratch: Vector,
    hour: int,
) -> None:
    """`walk_rows` on whole arrays."""
    call_at(frame.walk_rows, frame, rows, lines, begins(state), begins(row), begins(p), begins(c), begins(scratch), hour, state.size)


_ROWS, _DRAWN = types.Array(types.float64, 2, "C"), types.Array(types.float64, 2, "C", readonly=True)
ADVANCE = (
    _FRAME,
    *(
        _PROGRAM,
        _PROGRAM,
        _PROGRAM,
        _PLACES,
        ARRAY,
        ARRAY,
        _DRAWN,
        LINES_TYPE,
        ARRAY,
        ARRAY,
        _NUMBER,
        _ROWS,
        ARRAY,
        _PLACES,
        _PLACES,
        _ROWS,
        ARRAY,
    ),
)
WALK_ONCE = (_FRAME, _PROGRAM, _PLACES, ARRAY, ARRAY, ARRAY, ARRAY, ARRAY, _NUMBER)
WALKERS: Stages = {"advance": (advance, ADVANCE), "walk_once": (walk_once, WALK_ONCE)}
EVERYTHING: Stages = {**STAGES, **WALKERS}
"""All that is compiled, by name."""
_compiling = Lock()
_places: dict[str, int] = {}
"""Where the stages begin that this process has asked for so far."""


def _compiled(rows: Sequence[Row], walks: str) -> tuple[Any, dict[str, int]]:
    """The `Frame`, and where the rows' stages and what ``walks`` them begin: compiled or read from the disk where nobody has asked for them before. A protocol of one pool never waits for
    the stages of several.
    """
    full = {row.full for row in rows if row.active is not None}
    wanted = {walks, *FRAME, *(row.code for row in rows), *full}
    if not wanted <= _places.keys():
        with _compiling:  # threads that come meanwhile wait for it
            missing = {name: each for name, each in EVERYTHING.items() if name in wanted and name not in _places}
            _places.update(zip(missing, addresses(missing), strict=True))
    return Frame(*(_places[name] for name in FRAME)), _places


def run_block(
    s: Vector,
    market: MarketBlock | Vector,
    p: Vector,
    c: Vector,
    transition: int,
    navs: Vector,
    opening: Vector,
    trace_columns: NDArray[np.int64],
    trace: Vector,
    layout: Layout = BASE,
) -> None:
    """Advances ``s`` through ``market``: packed, or (steps, inputs × LANES). Fills ``navs`` (3, LANES): at the state, when the window opens, at its
    end; ``opening`` = the state when the window opens, before its statistics are cleared; ``trace`` (steps, columns × LANES), or (0, 0); ``layout`` says where everything lies.
    """
    block = market if isinstance(market, MarketBlock) else pack_market(market, layout)
    programs = rows_of(layout)
    in_use = [used(each, s, p, c) for each in (programs.start, programs.hour, programs.settle)]
    frame, places = _compiled([row for each in in_use for row in each], "advance")
    (start, _), (rows, lines), (settle, _) = (program_of(each, places) for each in in_use)
    scratch = aligned(scratch_of(layout))
    scratch[:] = 0.0
    row = aligned(block.first.size)
    row[:] = block.first
    advance(
        frame,
        start,
        rows,
        settle,
        lines,
        s,
        row,
        block.hours,
        block.changing,
        p,
        c,
        transition,
        navs,
        opening,
        _cleared(layout),
        trace_columns,
        trace,
        scratch,
    )


def run_rows(
    rows: Sequence[Row], s: Vector, m: Vector, p: Vector, c: Vector, *, hour: int = 0, scratch: Vector | None = None, layout: Layout = BASE
) -> None:
    """Some rows of a program by themselves, whether in use or not, at the market row ``m``; for whoever looks at a single stage."""
    frame, places = _compiled(rows, "walk_once")
    walked, lines = program_of(rows, places)
    w = scratch
    if w is None:
        w = aligned(scratch_of(layout))
        w[:] = 0.0
    walk_once(frame, walked, lines, s, np.ascontiguousarray(m), p, c, w, hour)


def nav(s: Vector, m: Vector, p: Vector, c: Vector) -> Vector:
    """Net asset value of every lane, shape (LANES,), dollars, positions at liquidation value now; books nothing."""
    w = aligned(SCRATCH)
    run_rows(SETTLE, s.copy(), m, p, c, scratch=w)
    return w[W_NAV : W_NAV + LANES].copy()
