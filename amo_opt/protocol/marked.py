"""A stage on the lanes that need it: what few lanes do in an hour is worked out for those alone.

A stage's light pass does what every lane needs and marks the others. Marked lanes are copied side by side into the scratch block, the full stage
runs there on as many lanes as there are, and what it wrote is copied back. Marks are a lane's own, so its figures do not depend on its neighbours.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, Final

from amo_opt.protocol.lanes import LANES, STATE
from amo_opt.protocol.market import MARKET_INPUTS
from amo_opt.stableswap.jit import Vector, stage

_STATE_SIZE: Final = len(STATE) * LANES
_MARKET_SIZE: Final = len(MARKET_INPUTS) * LANES
W_MARKS: Final = _STATE_SIZE + _MARKET_SIZE
_W_PLACES: Final = W_MARKS + LANES
W_SCALED_FOR_CR: Final = _W_PLACES + LANES
W_SCALED_FOR_ANN: Final = W_SCALED_FOR_CR + LANES
SCRATCH: Final = W_SCALED_FOR_ANN + LANES
"""Length of the scratch block: a copy of the state, one of the market row, the marks, the marked lanes' numbers, and the CR and Ann for which
`scaled_cr` stands (0 in a new block: every lane's is worked out in its first hour)."""
_FULL: Final = 8
"""Marked lanes are filled up to a multiple of this, so that the full stage has no remainder to do one by one."""


def _offsets(function: Callable[..., Any], pattern: str) -> tuple[int, ...]:
    names = set(re.findall(pattern, inspect.getsource(function)))
    return tuple(sorted(function.__globals__[name] for name in names))


@stage
def _place(w: Vector) -> int:
    """The marked lanes' numbers into ``w``, filled up with the last of them; how many there are."""
    n = 0
    for i in range(LANES):
        w[_W_PLACES + n] = i
        n += 1 if w[W_MARKS + i] > 0.5 else 0
    for j in range(n, _filled(n)):
        w[_W_PLACES + j] = w[_W_PLACES + n - 1]
    return n


@stage
def _filled(n: int) -> int:
    return (n + _FULL - 1) // _FULL * _FULL


@stage
def _gather(source: Vector, lines: tuple[int, ...], w: Vector, to: int, n: int) -> None:
    for line in lines:
        for j in range(n):
            w[to + line + j] = source[line + int(w[_W_PLACES + j])]


@stage
def _scatter(s: Vector, lines: tuple[int, ...], w: Vector, n: int) -> None:
    for line in lines:
        for j in range(n):
            s[line + int(w[_W_PLACES + j])] = w[line + j]


def on_marked(full: Any) -> Any:
    """The stage ``full`` (s, m, p, c, number of lanes) as one of (s, m, p, c, w) that runs on the lanes marked in ``w``.

    Which lines it reads and writes is read off its source, where lines are always written ``s[S_… + i]`` and ``m[M_… + i]``.
    """
    touched = _offsets(getattr(full, "py_func", full), r"\bs\[(S_\w+) \+ i\]")
    written = _offsets(getattr(full, "py_func", full), r"\bs\[(S_\w+) \+ i\] [-+*]?= ")
    # the compiler walks no empty tuple, so a stage that reads no market copies one line of it
    read = _offsets(getattr(full, "py_func", full), r"\bm\[(M_\w+) \+ i\]") or (0,)

    @stage
    def run(s: Vector, m: Vector, p: Vector, c: Vector, w: Vector) -> None:
        count = 0
        for i in range(LANES):
            count += 1 if w[W_MARKS + i] > 0.5 else 0
        if count > 0:
            # one call of the stage, so that it is compiled once: where all lanes are marked on the state itself, else on its copy
            whole = count == LANES
            n = _place(w)
            filled = LANES if whole else _filled(n)
            state = s if whole else w[:_STATE_SIZE]
            if not whole:
                _gather(s, touched, w, 0, filled)
            _gather(m, read, w, _STATE_SIZE, filled)
            full(state, w[_STATE_SIZE:W_MARKS], p, c, filled)
            if not whole:
                _scatter(s, written, w, n)

    return run
