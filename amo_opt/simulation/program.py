"""The hour as a program: rows of stages in the order of the model, which `kernel.advance` walks.

Read `HOUR` from the top: it is the hour in one page. An AMO brings its own rows (`amos.mechanism`), and those of an AMO that a parameter set does not use
and the snapshot does not hold are left out: they would change nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.mechanism import Flagged, Mechanism, Stage
from amo_opt.amos.triggers import triggers
from amo_opt.protocol.accounts import open_hour
from amo_opt.protocol.active_lanes import OnActive
from amo_opt.protocol.collateral_ratio import collateral_ratios, cr_controller, flag_scales, scale_active
from amo_opt.protocol.holders import demand, lp_flight
from amo_opt.protocol.oracle import observe
from amo_opt.protocol.primary_market import trade_active, trade_fast
from amo_opt.protocol.share_token import share_operations
from amo_opt.simulation.opening import begin, begin_books
from amo_opt.simulation.path_statistics import path_statistics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from amo_opt.stableswap.jit import Vector

ARGUMENTS: Final = ("smc", "sm", "sc", "smpc", "smpcw", "spcw", "scw", "sp", "sw", "spc", "spch", "smpch")
"""What stages may be given: state, market row, parameters, constants, scratch, the hour's number. Their places here are what `kernel.advance` tells them by."""
COLUMNS: Final = 5
"""Of a row as `kernel.advance` reads it: arguments, where the stage begins, where the full stage begins (0: there is none), and its lines' first and last place."""


@dataclass(frozen=True)
class Row:
    """One stage; with ``active`` it flags lanes, on which the full stage named ``full`` runs. ``of`` is the AMO it belongs to."""

    name: str
    stage: Stage
    full: str = ""
    active: OnActive | None = None
    of: Mechanism | None = None

    @cached_property
    def arguments(self) -> str:
        """The first letters of its arguments' names, ``h`` for the hour."""
        return "".join(name.lstrip("_")[0] for name in inspect.signature(self.stage.py_func).parameters)

    def in_use(self, s: Vector, p: Vector) -> bool:
        """Whether the AMO it belongs to has room or holds anything, in all lanes alike at the start."""
        if self.of is None or self.of.cap is None or self.of.held is None:
            return True
        return bool(p[self.of.cap] > 0.0 or s[self.of.held] > 0.0)


def _rows(mechanism: Mechanism, part: str, stage: Stage | Flagged | None, *, flags: str = "") -> Iterator[Row]:
    if isinstance(stage, Flagged):
        yield Row(f"{mechanism.name}_flag_{flags}", stage.flag, f"{mechanism.name}_{part}", stage.full, mechanism)
    elif stage is not None:
        yield Row(f"{mechanism.name}_{part}", stage, of=mechanism)


START: Final[tuple[Row, ...]] = (
    Row("begin", begin),
    *(Row(f"{each.name}_begin", each.begin) for each in MECHANISMS),
    Row("begin_books", begin_books),
)
"""What follows from the snapshot and the first hour's market."""
HOUR: Final[tuple[Row, ...]] = (
    # new prices and A; what venues lose; interest, fees and rewards
    Row("open_hour", open_hour),
    *(row for each in MECHANISMS for row in _rows(each, "venue_loss", each.venue_loss)),
    *(row for each in MECHANISMS for row in _rows(each, "market_operations", each.market_operations)),
    # outside providers and holders; their trades at the pool and at the issuer's doors; arbitrage between the venues
    Row("lp_flight", lp_flight),
    Row("demand", demand),
    Row("trade_fast", trade_fast, "trade", trade_active),
    *(row for each in MECHANISMS for row in _rows(each, "arbitrage", each.arbitrage, flags="arbitrage")),
    # oracle and CR; the share token's operations
    Row("observe", observe),
    Row("cr_controller", cr_controller),
    Row("share_operations", share_operations),
    # triggers; the AMOs' operations
    Row("triggers", triggers),
    Row("flag_scales", flag_scales, "scale", scale_active),
    *(row for each in sorted(MECHANISMS, key=lambda each: each.turn) for row in _rows(each, "operate", each.operate, flags="operations")),
    # both collateral ratios as the hour leaves them; what is kept of it
    Row("collateral_ratios", collateral_ratios),
    Row("path_statistics", path_statistics),
)
"""An hour of the protocol, from top to bottom."""


def lines_of(rows: Sequence[Row]) -> NDArray[np.int64]:
    """The lines that the rows' full stages copy, one after the other."""
    found = [row.active.lines for row in rows if row.active is not None]
    lines: NDArray[np.int64] = np.concatenate([*found, np.zeros(0, dtype=np.int64)])
    lines.flags.writeable = False
    return lines


def program_of(rows: Sequence[Row], places: Mapping[str, int], s: Vector, p: Vector) -> NDArray[np.int64]:
    """The rows in use as `kernel.advance` walks them, shape (rows, COLUMNS); ``places`` = where each stage begins."""
    walked, first = [], 0
    for row in rows:
        last = first + (0 if row.active is None else row.active.lines.size)
        if row.in_use(s, p):
            full = places[row.full] if row.active is not None else 0
            walked.append((ARGUMENTS.index(row.arguments), places[row.name], full, first, last))
        first = last
    return np.array(walked, dtype=np.int64).reshape(len(walked), COLUMNS)
