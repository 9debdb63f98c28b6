"""A recorded history as the model reads it: hourly drivers, what is compared with the model, and the figures it starts from.

It comes from a CSV of the user's, or from an episode shipped in ``episodes_data/`` (waypoints with their source, on a catalogue entry's).
Hours count from the first row; a row belongs to the nearest whole hour, and where several do the hour keeps the low, the mean and the last
of them (`Real`). A driver holds until its next value in a CSV, and is joined as in the catalogue between waypoints.
"""

from __future__ import annotations

import itertools
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amo_opt.errors import AmoOptError, InputError, Problem
from amo_opt.protocol.elementary import expm1_of, log1p_of
from amo_opt.protocol.state import Figure
from amo_opt.stress.catalogue import MAX_POINTS, load_scenario
from amo_opt.stress.series import SERIES
from amo_opt.stress.shapes import hourly_share, levels
from amo_opt.stress.table import COMPARED, DRIVERS, TIME, Table, read_table

Array = NDArray[np.float64]

MAX_HOURS = 8760
"""Longest replay: a year; a timestamp with a wrong digit would fill the memory otherwise."""
GAP_HOURS = 24
"""A longer stretch without a value of a driver is named."""


@dataclass(frozen=True)
class Real:
    """What was recorded of one column in each hour that holds a row: whole hours since the start (int64, rising), and of the hour's rows the
    last, the lowest and the mean, all of shape (hours,).

    The low is what a trough is judged by: the lowest price, the hours below a threshold, the slope against a coin whose lows drive. The last
    is what a balance stands at, which is no average of its way there. The mean is what the fit of a price takes: the model has one price an
    hour, so an hour counts once however many prints it holds, and its squared misfit is least at the mean of what it stands for.
    """

    hours: NDArray[np.int64]
    last: Array
    low: Array
    mean: Array


def folded(hours: NDArray[np.int64], values: Array) -> Real:
    """Rows in their order, (rows,) each, as one entry an hour.

    >>> folded(np.array([0, 1, 1]), np.array([1.0, 0.9, 1.0])).low.tolist()
    [1.0, 0.9]
    """
    own, first, counts = np.unique(hours, return_index=True, return_counts=True)
    total: Array = np.add.reduceat(values, first)
    # an hour of one row keeps its very bits: a sum over one, divided by one
    return Real(own, values[first + counts - 1], np.minimum.reduceat(values, first), total / counts)


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
    return history_of(read_table(path))


def history_of(table: Table) -> History:
    """The history of a table. Raises as `read_history`."""
    used = [name for name in (*DRIVERS, *COMPARED) if name in table.numbers]
    if TIME not in table.texts:
        found = ",".join(table.written.values())
        allowed = f"{TIME} and any of {', '.join((*DRIVERS, *COMPARED))}"
        raise InputError([Problem(table.file, "header", f"no column {TIME!r}", found=found, allowed=allowed, line=1)])
    if not used:
        allowed = f"any of {', '.join((*DRIVERS, *COMPARED))}"
        found = ", ".join((*table.written.values(), *table.unused))
        raise InputError([Problem(table.file, "header", "no usable column", found=found, allowed=allowed, line=1)])
    since = table.hours()
    late = np.flatnonzero(since > MAX_HOURS)
    if late.size:
        allowed, found = f"at most {MAX_HOURS} hours after the first row", table.texts[TIME][late[0]]
        line = table.lines[late[0]]
        raise InputError(
            [Problem(table.file, table.shown(TIME), "too long a history", found=found, allowed=allowed, hint="cut the file", line=line)]
        )
    if since.size < 2:
        raise InputError([Problem(table.file, "", "too few rows", found=str(since.size), allowed="at least 2 rows below the header")])
    values = _usable(table, used)
    if all(not np.isfinite(each).any() for each in values.values()):
        raise InputError(
            [Problem(table.file, "", "every cell beside the timestamps is empty", allowed=f"a value in any of {', '.join(used)}")]
        )
    return _history(table, since, values)


def _usable(table: Table, used: Sequence[str]) -> dict[str, Array]:
    """Values by column, (rows,), NaN in rows that the file says not to use; the pool's other side in dollars."""
    values = {name: np.where(table.unusable(), np.nan, table.numbers[name]) for name in used}
    if "pool_base" in values and "base_virtual_price" in table.numbers:
        values["pool_base"] = values["pool_base"] * table.numbers["base_virtual_price"]
    return values


def _history(table: Table, since: Array, values: Mapping[str, Array]) -> History:
    hours = np.floor(since + 0.5).astype(np.int64)
    steps = int(hours[-1]) + 1
    drivers: dict[str, Array] = {}
    real: dict[str, Real] = {}
    notes = [*table.notes, *_left_out(table, values)]
    shared: dict[int, int] = {}
    for name, column in values.items():
        known = np.flatnonzero(np.isfinite(column))
        if not known.size:
            continue
        recorded = folded(hours[known], column[known])
        for before, after in itertools.pairwise(known):
            if hours[before] == hours[after]:
                shared.setdefault(int(hours[after]), int(before))
        if name in COMPARED:
            real[name] = recorded
            continue
        notes += _gaps(name, known, since, table.lines)
        drivers[name] = _held(name, recorded, steps)
        if name in ("holders_exit", "lp_exit"):
            drivers[name] = -expm1_of(log1p_of(-drivers[name]) / 24.0)
            notes.append(f"{name} is taken as given, as a share a day: what the model makes of it is no prediction of it")
    if shared:
        notes.append(_folding_note(shared, table.lines))
    name = Path(table.file).stem
    return History(
        name=name, start=table.times()[0], hours=steps, drivers=drivers, real=real, state={}, notes=tuple(notes), file=table.file
    )


def _left_out(table: Table, values: Mapping[str, Array]) -> list[str]:
    """What the replay does not use though the file's reader knows it: columns of fits, and rows the file rules out."""
    idle = [
        table.written[name] for name in table.numbers if name not in values and not (name == "base_virtual_price" and "pool_base" in values)
    ]
    notes = [f"not used by a replay: {', '.join(idle)}"] if idle else []
    rows = int(np.count_nonzero(table.unusable()))
    if rows:
        notes.append(f"{rows} row{'s' if rows > 1 else ''} not used: the file says so ({table.written['use']})")
    return notes


def _folding_note(shared: Mapping[int, int], lines: Sequence[int]) -> str:
    """How hours that hold several rows were read; ``shared`` holds each such hour with the place of its first row."""
    hour = min(shared)
    count = "1 hour holds" if len(shared) == 1 else f"{len(shared)} hours hold"
    return (
        f"{count} several rows (the first: {hour} h, from row {lines[shared[hour]]} on): drivers' prices and the lowest price take the hour's low, "
        "the fit of the price its mean, balances its last"
    )


def _gaps(name: str, known: NDArray[np.int64], since: Array, lines: Sequence[int]) -> list[str]:
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


def _held(name: str, recorded: Real, steps: int) -> Array:
    """A driver on the hourly grid, (steps,), NaN before its first value: an hour's own figure where it has rows, the last value since where not.

    Of several rows in an hour a price drives with the lowest, since what is missed otherwise is the trough that holders answer to; a share
    that leaves a day is their mean, and a gate stands as it was left.
    """
    own = recorded.low if DRIVERS[name].kind == "price" else recorded.last if DRIVERS[name].only else recorded.mean
    place = np.searchsorted(recorded.hours, np.arange(steps), side="right") - 1
    held: Array = np.where(place >= 0, recorded.last[place], np.nan)
    held[recorded.hours] = own
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
    return folded(hours, values)
