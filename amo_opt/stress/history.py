"""A recorded history as the model reads it: hourly drivers, what is compared with the model, and the figures it starts from.

It comes from a CSV of the user's, or from an episode shipped in ``episodes_data/`` (waypoints with their source, on a catalogue entry's).
Hours count from the first row; a row belongs to the nearest whole hour. A driver holds until its next value in a CSV, and is joined as in
the catalogue between waypoints.
"""

from __future__ import annotations

import itertools
import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amo_opt.errors import AmoOptError, Problem
from amo_opt.protocol.state import Figure
from amo_opt.stress.catalogue import MAX_POINTS, load_scenario
from amo_opt.stress.csv_file import header_problems, order_problem, read_rows, refuse, time_of, time_problem, width_problem
from amo_opt.stress.series import SERIES
from amo_opt.stress.shapes import hourly_share, levels

Array = NDArray[np.float64]

MAX_HOURS = 8760
"""Longest replay: a year; a timestamp with a wrong digit would fill the memory otherwise."""
GAP_HOURS = 24
"""A longer stretch without a value of a driver is named."""


@dataclass(frozen=True)
class Column:
    """One column: each value must lie in [low, high], and be one of ``only`` where that is given."""

    low: float
    high: float
    doc: str
    only: tuple[float, ...] = ()

    @property
    def allowed(self) -> str:
        """What a cell may hold, in words."""
        span = " or ".join(f"{each:g}" for each in self.only) or f"a number from {self.low:g} to {self.high:g}"
        return f"{span}, or nothing ({self.doc})"


DRIVERS: dict[str, Column] = {
    "usdc": Column(0.01, 10.0, "USD; price of USDC, the collateral coin"),
    "dai": Column(0.01, 10.0, "USD; price of DAI"),
    "usdt": Column(0.01, 10.0, "USD; price of USDT"),
    "share_price": Column(1e-9, 1e9, "USD; price of the share token; counts by its change"),
    "holders_exit": Column(0.0, 0.99, "share of external supply leaving a day because of news"),
    "lp_exit": Column(0.0, 0.999, "share of outside liquidity leaving a day because of news"),
    "gate": Column(0.0, 1.0, "1 = primary redemptions open for business, 0 = gated", only=(0.0, 1.0)),
}
"""Columns the replay is driven by."""
COMPARED: dict[str, Column] = {
    "price": Column(0.0, 10.0, "USD; price of the stablecoin"),
    "supply": Column(1.0, 1e13, "tokens; total supply"),
    "pool_stable": Column(1.0, 1e13, "tokens; stablecoin in the pool"),
    "pool_base": Column(1.0, 1e13, "USD; the pool's other side, base LP counted at its virtual price"),
}
"""Columns the replay is compared with."""
COLUMNS = DRIVERS | COMPARED
_TIME = "timestamp"


@dataclass(frozen=True)
class Real:
    """What was recorded of one column: whole hours since the start (int64) and values, both of shape (rows,)."""

    hours: NDArray[np.int64]
    values: Array


@dataclass(frozen=True, kw_only=True)
class History:
    """``drivers``: float64 of shape (hours,) each, NaN before the first value; exits are shares an hour. ``state`` holds figures of the
    start by dotted name; ``base_coins`` is the base pool of the time, None = the study's. ``episode`` names a shipped one, ``protocol`` whose
    days it is (empty = the state's own), ``file`` is a CSV's path as it was given.
    """

    name: str
    start: datetime
    hours: int
    drivers: Mapping[str, Array]
    real: Mapping[str, Real]
    state: Mapping[str, Figure]
    base_coins: float | None = None
    episode: str | None = None
    title: str = ""
    protocol: str = ""
    notes: tuple[str, ...] = ()
    file: str = ""


def read_history(path: str | os.PathLike[str]) -> History:
    """The history in a CSV file.

    Raises `InputError` naming row (the file's line), column, value and what is allowed.
    """
    label = os.fspath(path)
    rows = read_rows(path, label)
    header = rows[0][1] if rows else []
    refuse(label, _header_problems(label, header))
    times, cells, problems = _cells(label, header, rows[1:])
    if not problems and len(times) < 2:
        problems = [Problem(label, "", "too few rows", found=str(len(times)), allowed="at least 2 rows below the header")]
    if not problems and all(not np.isfinite(values).any() for values in cells.values()):
        problems = [Problem(label, "", "every cell beside the timestamps is empty", allowed=f"a value in any of {', '.join(COLUMNS)}")]
    refuse(label, problems)
    return _history(label, [line for line, _ in rows[1:]], times, cells)


def _header_problems(label: str, header: list[str]) -> list[Problem]:
    if _TIME not in header:
        found = ",".join(header)[:80] or "nothing"
        return [Problem(label, "header", f"no column {_TIME!r}", found=found, allowed=f"{_TIME} and any of {', '.join(COLUMNS)}", line=1)]
    problems = header_problems(label, header, known={_TIME, *COLUMNS}, named=COLUMNS)
    if not problems and len(header) == 1:
        problems.append(Problem(label, "header", "no usable column", found=_TIME, allowed=f"any of {', '.join(COLUMNS)}", line=1))
    return problems


def _cells(label: str, header: list[str], rows: list[tuple[int, list[str]]]) -> tuple[list[datetime], dict[str, Array], list[Problem]]:
    """Timestamps, values by column (NaN = empty), and everything wrong."""
    problems: list[Problem] = []
    times: list[datetime] = []
    columns: dict[str, list[float]] = {name: [] for name in header if name != _TIME}
    for line, row in rows:
        wrong = width_problem(label, row, header, line)
        if wrong is not None:
            problems.append(wrong)
            continue
        for name, cell in zip(header, row, strict=True):
            if name == _TIME:
                time = time_of(cell)
                if time is None:
                    problems.append(time_problem(label, name, cell, line))
                    continue
                if times and time <= times[-1]:
                    problems.append(order_problem(label, name, cell, line, same=time == times[-1]))
                elif times and (time - times[0]).total_seconds() > 3600.0 * MAX_HOURS:
                    allowed = f"at most {MAX_HOURS} hours after the first row"
                    problems.append(Problem(label, name, "too long a history", found=cell, allowed=allowed, line=line))
                times.append(time)
                continue
            value = _number(cell, COLUMNS[name])
            if value is None:
                problems.append(Problem(label, name, "not allowed here", found=repr(cell), allowed=COLUMNS[name].allowed, line=line))
            columns[name].append(math.nan if value is None else value)
    return times, {name: np.array(values) for name, values in columns.items()}, problems


def _number(cell: str, column: Column) -> float | None:
    """The cell's number, NaN for an empty one, None for one that is not allowed."""
    if not cell:
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if column.low <= value <= column.high and (not column.only or value in column.only) else None


def _history(label: str, lines: list[int], times: list[datetime], cells: Mapping[str, Array]) -> History:
    since = np.array([(time - times[0]).total_seconds() / 3600.0 for time in times])
    hours = np.floor(since + 0.5).astype(np.int64)
    steps = int(hours[-1]) + 1
    drivers: dict[str, Array] = {}
    notes: list[str] = []
    for name in DRIVERS:
        if name not in cells or not np.isfinite(cells[name]).any():
            continue
        known = np.flatnonzero(np.isfinite(cells[name]))
        notes += _gaps(name, known, since, lines)
        drivers[name] = _held(hours[known], cells[name][known], steps)
        if name in ("holders_exit", "lp_exit"):
            drivers[name] = -np.expm1(np.log1p(-drivers[name]) / 24.0)
            notes.append(f"{name} is taken as given, as a share a day: what the model makes of it is no prediction of it")
    real = {}
    for name in COMPARED:
        if name in cells and np.isfinite(cells[name]).any():
            known = np.flatnonzero(np.isfinite(cells[name]))
            real[name] = Real(hours[known], cells[name][known])
    return History(name=Path(label).stem, start=times[0], hours=steps, drivers=drivers, real=real, state={}, notes=tuple(notes), file=label)


def _gaps(name: str, known: NDArray[np.int64], since: Array, lines: list[int]) -> list[str]:
    """Where a driver has no value for long: each stretch with its rows."""
    notes = []
    if known[0] > 0:
        notes.append(f"{name}: empty up to row {lines[known[0]]}; calm's until then")
    for before, after in itertools.pairwise(known):
        gap = since[after] - since[before]
        if gap > GAP_HOURS:
            notes.append(f"{name}: no value for {gap:.0f} h between rows {lines[before]} and {lines[after]}; held")
    if since[-1] - since[known[-1]] > GAP_HOURS:
        notes.append(f"{name}: no value for the last {since[-1] - since[known[-1]]:.0f} h, after row {lines[known[-1]]}; held")
    return notes


def _held(hours: NDArray[np.int64], values: Array, steps: int) -> Array:
    """Values held forward to the hourly grid, NaN before the first; of several in an hour, the last."""
    out = np.full(steps, np.nan)
    out[hours] = values
    last = np.maximum.accumulate(np.where(np.isfinite(out), np.arange(steps), -1))
    held: Array = np.where(last >= 0, out[last], np.nan)
    return held


# -- episodes --------------------------------------------------------------------------------------------------------------------


def _folder() -> Any:
    return resources.files("amo_opt.stress") / "episodes_data"


def episode_names() -> tuple[str, ...]:
    """Names of the episodes shipped, in alphabetical order."""
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml")))


def load_episode(name: str) -> History:
    """A shipped episode. Raises `AmoOptError` for an unknown name; a mistake in the file itself is a `ValueError`."""
    if name not in episode_names():
        raise AmoOptError(f"--episode: found {name!r}; allowed: {', '.join(episode_names())}")
    raw = tomllib.loads((_folder() / f"{name}.toml").read_text(encoding="utf-8"))
    keys = {"title", "protocol", "start", "hours", "based_on", "series", "notes", "state", "real"}
    if set(raw) != keys:
        raise ValueError(f"episode {name}: keys are {sorted(raw)}; required: {sorted(keys)}")
    entry, steps = load_scenario(raw["based_on"]), int(raw["hours"]) + 1
    drivers = {}
    for series in raw["series"]:
        drivers["share_price" if series == "share_token" else series] = _along(series, entry.waypoints[series], steps)
    gate_hours = entry.settings.get("gate_hours", 0.0)
    if gate_hours > 0.0:
        drivers["gate"] = np.where(np.arange(steps) < gate_hours, 0.0, 1.0)
    return History(
        name=name,
        start=raw["start"].astimezone(UTC),
        hours=steps,
        drivers=drivers,
        real={column: _points(name, column, table, steps) for column, table in raw["real"].items()},
        state={figure: Figure(**table) for figure, table in raw["state"].items()},
        base_coins=entry.settings["base_coins"],
        episode=name,
        title=raw["title"],
        protocol=raw["protocol"],
        notes=(*raw["notes"], *(f"{column}: {table['source']}" for column, table in raw["real"].items())),
    )


def _along(series: str, points: tuple[tuple[float, float], ...], steps: int) -> Array:
    """A series of the catalogue at its own size and speed from hour 0: a price, a level relative to its first, or a share an hour."""
    onset, one = np.zeros(1, dtype=np.int64), np.ones(1)
    if SERIES[series].kind == "share_a_day":
        rows = hourly_share(points, steps=steps, onset=onset, speed=one, scale=one)
    else:
        rows = levels(points, SERIES[series], steps=steps, onset=onset, size=one, speed=one)
    along: Array = rows[0]
    return along


def _points(name: str, column: str, table: Mapping[str, Any], steps: int) -> Real:
    if column not in COMPARED or set(table) != {"source", "points"} or not 1 <= len(table["points"]) <= MAX_POINTS:
        raise ValueError(
            f"episode {name}: real.{column} needs a source and 1 to {MAX_POINTS} points, and to be one of {', '.join(COMPARED)}"
        )
    hours = np.array([hour for hour, _ in table["points"]], dtype=np.int64)
    values = np.array([value for _, value in table["points"]], dtype=np.float64)
    limits = COMPARED[column]
    if np.any(np.diff(hours) <= 0) or hours[0] < 0 or hours[-1] >= steps or values.min() < limits.low or values.max() > limits.high:
        raise ValueError(f"episode {name}: real.{column}: whole hours rise from 0 to {steps - 1}; each value is {limits.allowed}")
    return Real(hours, values)
