"""The hour as a program: rows of stages in the order of the model, which `kernel.advance` walks.

Read `rows_of` from the top: ``hour`` is the hour in one page. An AMO brings its own rows (`amos.mechanism`), each with where its own numbers begin (`amos.layout`), so
that AMOs of a kind are the same stages at other offsets. Those of an AMO that a parameter set does not use and the snapshot does not hold are left out: they
would change nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from amo_opt.amos import peg_keeper, pools, regulator
from amo_opt.amos.kinds import mechanism_at
from amo_opt.amos.layout import BASE, NO_POOL, Layout, Places
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

ARGUMENTS: Final = (
    "smpcanqk",
    "smpcanqkw",
    "smc",
    "sc",
    "s",
    "smpcw",
    "scw",
    "sp",
    "spc",
    "sw",
    "spch",
    "smpch",
    "smpcanqkb",
    "smpcanqkbw",
)
"""What stages may be given: state, market row, parameters, constants, an AMO's own of these four, the state of the pool it works, scratch, the hour's number. Their places here are what
`kernel.walk_rows` tells them by."""
COLUMNS: Final = 10
"""Of a row as `kernel.walk_rows` reads it: arguments, where the stage begins, where the full stage begins (0: there is none), its lines' first and last place, and
where the AMO's own state, inputs, parameters and constants begin, and the state of its pool."""


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
    def told_pool(self) -> bool:
        """Whether its stages are given the state of the pool that the AMO works."""
        return "b" in self.arguments or (self.active is not None and "b" in inspect.signature(self.active.full.py_func).parameters)

    @cached_property
    def code(self) -> str:
        """The stage's name: its file and function."""
        return _code(self.stage)

    @cached_property
    def full(self) -> str:
        """The full stage's; empty where there is none."""
        return "" if self.active is None else _code(self.active.full)

    def in_use(self, s: Vector, p: Vector, c: Vector) -> bool:
        """Whether the AMO it belongs to has room or holds anything, in all lanes alike at the start."""
        if self.needs is not None and not c[self.needs] > 0.0:
            return False
        if self.always or self.of is None or self.of.stages.held is None:
            return True
        cap = self.of.stages.cap
        room = cap is not None and p[self.places.parameters + cap] > 0.0
        return bool(room or s[self.places.state + self.of.stages.held] > 0.0)


def _code(stage: Stage) -> str:
    return f"{stage.py_func.__module__.rpartition('.')[2]}_{stage.py_func.__name__}"


_ACTS = ("venue_loss", "operate", "watch")
"""Parts that are an AMO's own doing or its own loss, and not its venue's."""
_AT_ONCE = ("lend", "take_back")
"""Parts of an asset that pays redeemers at once."""


def row_of(mechanism: Mechanism, part: str, *, places: Places, always: bool = False) -> Row | None:
    """That part of an AMO whose numbers begin there; None where it has no such part."""
    stage = getattr(mechanism.stages, part)
    if stage is None:
        return None
    flag, full = (stage.flag, stage.full) if isinstance(stage, Flagged) else (stage, None)
    asks = mechanism.stages.now if part in _AT_ONCE else mechanism.stages.there if part in _ACTS else None
    needs = None if asks is None else places.constants + asks
    return Row(f"{mechanism.name}_{part}", flag, full, of=mechanism, places=places, always=always, needs=needs)


@dataclass(frozen=True)
class Programs:
    """The rows of a layout: what follows from the snapshot and the first hour's market, an hour of the protocol from top to bottom, and the books at liquidation value, and NAV."""

    start: tuple[Row, ...]
    hour: tuple[Row, ...]
    settle: tuple[Row, ...]


def _earns(each: Mechanism) -> int:
    return each.earns


def _turn(each: Mechanism) -> int:
    return each.turn


@cache
def rows_of(layout: Layout) -> Programs:
    """The programs of a protocol's layout."""

    def rows(part: str, key: Callable[[Mechanism], int], *, always: bool = False) -> Iterator[Row]:
        """That part of every AMO that has it, in the order of ``key``."""
        found = (row_of(each, part, places=layout.places[each.name], always=always) for each in sorted(layout.mechanisms, key=key))
        return (row for row in found if row is not None)

    income = {f"income_{line.name}" for each in layout.mechanisms for line in each.income.values() if not line.cost}
    settle_rows = (
        Row("begin_settling", begin_settling),
        *rows("settle", _earns),
        Row("settle", settle),
        Row("net_asset_value", net_asset_value),
    )
    start = (
        Row("begin", begin),
        *rows("begin", _earns, always=True),
        *rows("quote", _earns, always=True),
        *rows("tally", _earns, always=True),
        Row("begin_books", begin_books),
        *settle_rows,
        Row("open_window", open_window),
    )
    hour = (
        # new prices and A; the depth of other venues; what venues lose; interest, fees and rewards
        Row("open_hour", open_hour),
        *rows("quote", _earns, always=True),
        *rows("venue_loss", _earns),
        *rows("market_operations", _earns),
        # outside providers and holders; their trades at the pools and at the issuer's doors; arbitrage between the venues
        Row("lp_flight", lp_flight),
        *rows("flight", _earns),
        *rows("tally", _earns),
        Row("demand", demand),
        *rows("lend", _turn),
        *_one_price(layout),
        Row("trade", trade_fast, trade_active),
        *(() if not _further(layout) else (Row("count_low", pools.count_low),)),
        *tuple(rows("take_back", _turn))[::-1],  # who pays first is the last to be given back
        *rows("arbitrage", _earns),
        # prices, oracle and CR; the share token's operations
        Row("observe", observe),
        *rows("observe", _earns, always=True),
        Row("move_oracle", move_oracle),
        Row("cr_controller", cr_controller),
        *(
            Row(f"add_{line}", add_income, places=Places(layout.state_index[line] * LANES), needs=at.C_INCOME_SHARED)
            for line in layout.lines
            if line in income
        ),
        Row("share_operations", share_operations),
        # triggers; the AMOs' operations
        Row("triggers", triggers),
        Row("scale", flag_scales, scale_active),
        *_aggregate(layout),
        *_keepers(layout),
        *rows("operate", _turn),
        *_remembered(layout),
        *rows("tally", _earns),
        # both collateral ratios as the hour leaves them; what is kept of it
        Row("collateral_ratios", collateral_ratios),
        *rows("watch", _earns),
        Row("path_statistics", path_statistics),
    )
    return Programs(start, hour, settle_rows)


def _further(layout: Layout) -> list[Mechanism]:
    """The pools beside the first."""
    return [each for each in layout.mechanisms if each.stages.own is pools.mine]


def _one_price(layout: Layout) -> Iterator[Row]:
    """The hour's flow over all pools, where there are several (`amos.pools`)."""
    further = _further(layout)
    if not further:
        return

    def each(name: str, stage: Stage) -> Iterator[Row]:
        return (Row(f"{pool.name}_{name}", stage, of=pool, places=layout.places[pool.name]) for pool in further)

    yield Row("begin_flow", pools.begin_flow)
    yield from each("forget", pools.forget)
    yield Row("bound_flow", pools.bound_flow)
    for _ in range(pools.ROUNDS):
        yield Row("answer_first", pools.answer_first)
        yield from each("answer", pools.answer_further)
        for step in range(pools.STEPS + 1):
            yield Row("ask_first", pools.ask_first)
            yield from each("ask", pools.ask_further)
            yield Row("limit_flow", pools.limit_flow) if step == 0 else Row("step", pools.step)
        yield from each("take", pools.take_further)
        yield Row("take_first", pools.take_first)
    yield Row("mark_first", pools.mark_first)
    yield from each("mark", pools.mark_further)
    yield Row("solve_exactly", pools.solve_exactly)
    yield from each("trade", pools.trade_further)
    yield Row("trade_first", pools.trade_first)


def _kept(layout: Layout) -> list[Mechanism]:
    """The PegKeepers of pools that have names."""
    return [each for each in layout.mechanisms if each.name.endswith("-keeper")]


def _keepers(layout: Layout) -> Iterator[Row]:
    """What these do in the hour (`amos.peg_keeper`)."""
    keepers = _kept(layout)
    if not keepers:
        return
    yield Row("unmark_keepers", peg_keeper.unmark)
    for each in keepers:
        yield Row(f"{each.name}_mark", peg_keeper.mark, of=each, places=layout.places[each.name], always=False)
    of = next(each for each in layout.mechanisms if each.name == regulator.MECHANISM.name)
    yield Row("keepers_work", peg_keeper.work, of=of, places=layout.places[of.name])


def _remembered(layout: Layout) -> Iterator[Row]:
    """How the hour leaves the pools that keepers work."""
    for each in _kept(layout):
        yield Row(f"{each.name}_remember", peg_keeper.remember, of=each, places=layout.places[each.name])


def _aggregate(layout: Layout) -> Iterator[Row]:
    """The price that the PegKeepers of pools with names are told, and what their regulator looks at (`amos.regulator`)."""
    keepers = _kept(layout)
    if not keepers:
        return
    of = next(each for each in layout.mechanisms if each.name == regulator.MECHANISM.name)
    places = layout.places[of.name]

    def row(name: str, stage: Stage, worked: Mechanism | None = None) -> Row:
        pool = places if worked is None else places._replace(pool=layout.places[worked.name].pool)
        return Row(name, stage, of=of, places=pool, always=True)

    yield row("clear_aggregate", regulator.clear)
    for name, stage in (
        ("average", regulator.average),
        ("spread", regulator.spread),
        ("weigh", regulator.weigh),
    ):
        yield from (row(f"{each.name}_{name}", stage, each) for each in keepers)
    yield row("tell", regulator.tell)


_BASE = rows_of(BASE)
START: Final = _BASE.start
HOUR: Final = _BASE.hour
SETTLE: Final = _BASE.settle
ROWS: Final[dict[str, Row]] = {row.name: row for row in (*START, *HOUR, *SETTLE)}
"""Every row by name."""
_SEVERAL = rows_of(Layout((*BASE.mechanisms, mechanism_at("pools.usdt"), mechanism_at("amos.usdt-keeper"))))
EVERY: Final = (*START, *HOUR, *_SEVERAL.start, *_SEVERAL.hour)
"""Rows that have every stage there is: those of further pools are the same whatever their names."""


def used(rows: Sequence[Row], s: Vector, p: Vector, c: Vector) -> list[Row]:
    """The rows that would change something, in all lanes alike."""
    return [row for row in rows if row.in_use(s, p, c)]


def program_of(rows: Sequence[Row], places: Mapping[str, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows as `kernel.walk_rows` walks them, shape (rows, COLUMNS), and the lines that their full stages copy; ``places`` = where each stage begins."""
    walked, lines, first = [], [np.zeros(0, dtype=np.int64)], 0
    for row in rows:
        copied = np.zeros(0, dtype=np.int64)
        if row.active is not None:
            copied = row.active.lines(row.places.state, row.places.market, max(row.places.pool, 0))
        full = places[row.full] if row.active is not None else 0
        told = row.places if row.told_pool else row.places._replace(pool=NO_POOL)
        walked.append((ARGUMENTS.index(row.arguments), places[row.code], full, first, first + copied.size, *told))
        lines.append(copied)
        first += copied.size
    return np.array(walked, dtype=np.int64).reshape(len(walked), COLUMNS), np.concatenate(lines)


__all__ = ["ARGUMENTS", "COLUMNS", "EVERY", "HOUR", "ROWS", "SETTLE", "START", "Programs", "Row", "program_of", "row_of", "rows_of", "used"]
