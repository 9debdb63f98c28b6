"""The hour as a program: rows of stages in the order of the model, which `kernel.advance` walks.

Read `HOUR` from the top: it is the hour in one page. An AMO brings its own rows (`amos.mechanism`), each with where its own numbers begin (`amos.layout`), so
that AMOs of a kind are the same stages at other offsets. Those of an AMO that a parameter set does not use and the snapshot does not hold are left out: they
would change nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.layout import LINES, PLACES, STATE_INDEX, Places
from amo_opt.amos.mechanism import Flagged, Mechanism, Stage
from amo_opt.amos.triggers import triggers
from amo_opt.protocol import lanes as at
from amo_opt.protocol.accounts import begin_settling, net_asset_value, open_hour, settle
from amo_opt.protocol.active_lanes import OnActive
from amo_opt.protocol.collateral_ratio import collateral_ratios, cr_controller, flag_scales, scale_active
from amo_opt.protocol.holders import demand, lp_flight
from amo_opt.protocol.lanes import LANES
from amo_opt.protocol.oracle import move_oracle, observe
from amo_opt.protocol.primary_market import trade_active, trade_fast
from amo_opt.protocol.share_token import add_income, share_operations
from amo_opt.simulation.opening import begin, begin_books, open_window
from amo_opt.simulation.path_statistics import path_statistics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from amo_opt.stableswap.jit import Vector

ARGUMENTS: Final = ("smpcanqk", "smpcanqkw", "smc", "sc", "s", "smpcw", "scw", "sp", "spc", "sw", "spch", "smpch")
"""What stages may be given: state, market row, parameters, constants, an AMO's own of these four, scratch, the hour's number. Their places here are what
`kernel.walk_rows` tells them by."""
COLUMNS: Final = 9
"""Of a row as `kernel.walk_rows` reads it: arguments, where the stage begins, where the full stage begins (0: there is none), its lines' first and last place, and
where the AMO's own state, inputs, parameters and constants begin."""


@dataclass(frozen=True)
class Row:
    """One stage; with ``active`` it flags lanes, on which the full stage runs. ``of`` is the AMO it belongs to, ``places`` where its numbers begin, ``always`` whether it
    stands even where the AMO is not used; ``needs`` the constant that alone asks for it.

    ``name`` names the row, ``code`` the stage: rows of AMOs of a kind have the same.
    """

    name: str
    stage: Stage
    active: OnActive | None = None
    of: Mechanism | None = None
    places: Places = Places()
    always: bool = True
    needs: int | None = None

    @cached_property
    def arguments(self) -> str:
        """The first letters of its arguments' names, ``h`` for the hour."""
        return "".join(name.lstrip("_")[0] for name in inspect.signature(self.stage.py_func).parameters)

    @property
    def code(self) -> str:
        """The stage's name: its file and function."""
        return _code(self.stage)

    @property
    def full(self) -> str:
        """The full stage's; empty where there is none."""
        return "" if self.active is None else _code(self.active.full)

    def in_use(self, s: Vector, p: Vector, c: Vector) -> bool:
        """Whether the AMO it belongs to has room or holds anything, in all lanes alike at the start."""
        if self.needs is not None and not c[self.needs] > 0.0:
            return False
        if self.always or self.of is None or self.of.stages.cap is None or self.of.stages.held is None:
            return True
        return bool(p[self.places.parameters + self.of.stages.cap] > 0.0 or s[self.places.state + self.of.stages.held] > 0.0)


def _code(stage: Stage) -> str:
    return f"{stage.py_func.__module__.rpartition('.')[2]}_{stage.py_func.__name__}"


_ACTS = ("venue_loss", "operate", "watch")
"""Parts that are an AMO's own doing or its own loss, and not its venue's."""


def row_of(mechanism: Mechanism, part: str, *, places: Places, always: bool = False) -> Row | None:
    """That part of an AMO whose numbers begin there; None where it has no such part."""
    stage = getattr(mechanism.stages, part)
    if stage is None:
        return None
    flag, full = (stage.flag, stage.full) if isinstance(stage, Flagged) else (stage, None)
    there = mechanism.stages.there
    needs = None if there is None or part not in _ACTS else places.constants + there
    return Row(f"{mechanism.name}_{part}", flag, full, of=mechanism, places=places, always=always, needs=needs)


def _rows(part: str, key: Callable[[Mechanism], int], *, always: bool = False) -> Iterator[Row]:
    """That part of every AMO that has it, in the order of ``key``."""
    rows = (row_of(each, part, places=PLACES[each.name], always=always) for each in sorted(MECHANISMS, key=key))
    return (row for row in rows if row is not None)


def _earns(each: Mechanism) -> int:
    return each.earns


def _turn(each: Mechanism) -> int:
    return each.turn


_INCOME = {f"income_{line.name}" for each in MECHANISMS for line in each.income.values() if not line.cost}
SETTLE: Final[tuple[Row, ...]] = (
    Row("begin_settling", begin_settling),
    *_rows("settle", _earns),
    Row("settle", settle),
    Row("net_asset_value", net_asset_value),
)
"""The books at liquidation value, and NAV."""
START: Final[tuple[Row, ...]] = (
    Row("begin", begin),
    *_rows("begin", _earns, always=True),
    *_rows("quote", _earns, always=True),
    Row("begin_books", begin_books),
    *SETTLE,
    Row("open_window", open_window),
)
"""What follows from the snapshot and the first hour's market."""
HOUR: Final[tuple[Row, ...]] = (
    # new prices and A; the depth of other venues; what venues lose; interest, fees and rewards
    Row("open_hour", open_hour),
    *_rows("quote", _earns, always=True),
    *_rows("venue_loss", _earns),
    *_rows("market_operations", _earns),
    # outside providers and holders; their trades at the pool and at the issuer's doors; arbitrage between the venues
    Row("lp_flight", lp_flight),
    Row("demand", demand),
    Row("trade", trade_fast, trade_active),
    *_rows("arbitrage", _earns),
    # prices, oracle and CR; the share token's operations
    Row("observe", observe),
    *_rows("observe", _earns, always=True),
    Row("move_oracle", move_oracle),
    Row("cr_controller", cr_controller),
    *(
        Row(f"add_{line}", add_income, places=Places(STATE_INDEX[line] * LANES), needs=at.C_INCOME_SHARED)
        for line in LINES
        if line in _INCOME
    ),
    Row("share_operations", share_operations),
    # triggers; the AMOs' operations
    Row("triggers", triggers),
    Row("scale", flag_scales, scale_active),
    *_rows("operate", _turn),
    # both collateral ratios as the hour leaves them; what is kept of it
    Row("collateral_ratios", collateral_ratios),
    *_rows("watch", _earns),
    Row("path_statistics", path_statistics),
)
"""An hour of the protocol, from top to bottom."""
ROWS: Final[dict[str, Row]] = {row.name: row for row in (*START, *HOUR, *SETTLE)}
"""Every row by name."""


def used(rows: Sequence[Row], s: Vector, p: Vector, c: Vector) -> list[Row]:
    """The rows that would change something, in all lanes alike."""
    return [row for row in rows if row.in_use(s, p, c)]


def program_of(rows: Sequence[Row], places: Mapping[str, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows as `kernel.walk_rows` walks them, shape (rows, COLUMNS), and the lines that their full stages copy; ``places`` = where each stage begins."""
    walked, lines, first = [], [np.zeros(0, dtype=np.int64)], 0
    for row in rows:
        copied = np.zeros(0, dtype=np.int64) if row.active is None else row.active.lines(row.places.state, row.places.market)
        full = places[row.full] if row.active is not None else 0
        walked.append((ARGUMENTS.index(row.arguments), places[row.code], full, first, first + copied.size, *row.places))
        lines.append(copied)
        first += copied.size
    return np.array(walked, dtype=np.int64).reshape(len(walked), COLUMNS), np.concatenate(lines)


__all__ = ["ARGUMENTS", "COLUMNS", "HOUR", "ROWS", "SETTLE", "START", "Row", "program_of", "row_of", "used"]
