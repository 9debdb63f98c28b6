"""An evidence file: the recorded histories that behaviour is fitted to and judged by, what their columns mean, and which stretches of them are episodes; and the file that a fit of them is.

Histories stand outside: each is named relative to ``$AMO_OPT_HISTORY_DIR`` or, without it, to the file. A fit (``kind`` spells) holds figures with ranges and names a CSV file of joint draws.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from amo_opt.config.problems import form_problems
from amo_opt.config.schema import NOTES, Spec, model, name_of, number, table, text
from amo_opt.config.toml_file import Document, Key, read_document
from amo_opt.config.wording import nearest
from amo_opt.errors import InputError, Problem
from amo_opt.protocol.elementary import exp_of
from amo_opt.stress.csv_file import read_rows
from amo_opt.stress.fitted_spells import DRIFT, NEW, SCALES, SHARED, FittedSpells
from amo_opt.stress.table import COLUMNS, Table, read_table

HISTORY_DIR = "AMO_OPT_HISTORY_DIR"
TIME_TEXT = "a date or a time in UTC, such as 2022-05-07 or 2022-05-07T12:00:00"
LEAST_DRAWS = 16
LEAST_ROWS = 2
"""An episode goes from a row to another."""
_TAKEN = (NEW, DRIFT[0].partition(".")[0])
"""What columns of joint draws begin with that are no pool's."""
MOST_DRIFT = 10.0
_TIME: Spec = (Any, Field(..., description=TIME_TEXT))

_HISTORY = model(
    "history",
    {
        "name": name_of("history"),
        "file": text("a CSV file's path, relative to $AMO_OPT_HISTORY_DIR"),
        "columns": (
            dict[str, list[str]],
            Field(
                default_factory=dict,
                description='a table from a name here to the file\'s columns that add up to it, such as { pool_base = ["dai", "usdc"] }',
            ),
        ),
        "amplification": number(1.0, 1e6, default=None),
        "source": text("where the file is from", least=1),
    },
)
_EPISODE = model("episode", {"name": text("what happened, in words", least=1), "history": name_of("history"), "start": _TIME, "end": _TIME})
EVIDENCE_FILE = model(
    "evidence",
    {
        "name": name_of("evidence"),
        "notes": NOTES,
        "history": (list[_HISTORY], Field(..., min_length=1, description="tables [[history]]")),  # type: ignore[valid-type]
        "episode": (list[_EPISODE], Field(default_factory=list, description="tables [[episode]]")),  # type: ignore[valid-type]
    },
)
_FIGURE = model("fitted", {name: number(-1e15, 1e15) for name in ("value", "low", "high")})
_FITTED: Spec = (_FIGURE, Field(..., description="{ value = …, low = …, high = … }"))
_POOL = model("pool", {"name": name_of("pool"), **dict.fromkeys(SCALES, _FITTED)})
SPELLS_FILE = model(
    "spells",
    {
        "name": name_of("fit"),
        "notes": NOTES,
        "evidence": (list[str], Field(..., min_length=1, description="what was fitted, a text for each history")),
        "draws": text("the CSV file of joint draws, relative to this one", least=1),
        "shared": table("shared", dict.fromkeys(SHARED, _FITTED)),
        "drift": table(
            "drift",
            {
                "days": number(1.0, 3650.0),
                "windows": number(0.0, 1e6),
                "correlation": number(-1.0, 1.0),
                **{name: table(f"drift.{name}", {"mean": number(-10.0, 10.0), "deviation": number(0.0, 10.0)}) for name in SCALES},
            },
        ),
        "pool": (list[_POOL], Field(..., min_length=1, description="tables [[pool]]")),  # type: ignore[valid-type]
        "new_pool": table("new_pool", dict.fromkeys(SCALES, _FITTED)),
    },
)
"""What `amo-opt calibrate --evidence … --out` writes."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One history of an evidence file: its ``table`` with ``columns`` by their names here, and the pool's A where no column says it."""

    name: str
    file: str
    source: str
    table: Table
    amplification: float | None


@dataclass(frozen=True, kw_only=True)
class Episode:
    """A stretch of a history that has a name, from ``start`` to ``end``, both counted in."""

    name: str
    history: str
    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """An evidence file with its histories read."""

    name: str
    notes: str
    histories: tuple[Recorded, ...]
    episodes: tuple[Episode, ...]

    def history(self, name: str) -> Recorded:
        """The history of that name."""
        return next(each for each in self.histories if each.name == name)


def load_evidence(path: str | os.PathLike[str]) -> Evidence:
    """The evidence file at ``path`` and every history that it names. Raises `InputError` with every problem."""
    document = read_document(Path(path), os.fspath(path))
    values, episodes = check_evidence(document)
    problems: list[Problem] = []
    histories = _read(document, values["history"], problems)
    if not problems:
        problems += _empty_episodes(document, episodes, {each.name: each.table for each in histories})
    if problems:
        raise InputError(problems)
    return Evidence(name=values["name"], notes=values["notes"], histories=tuple(histories), episodes=tuple(episodes))


def check_evidence(document: Document) -> tuple[Mapping[str, Any], list[Episode]]:
    """An evidence file's own values and episodes, no history read. Raises `InputError` with every problem."""
    values, problems = form_problems(document, EVIDENCE_FILE)
    if values is None or problems:
        raise InputError(problems)
    problems += _histories_problems(document, values)
    episodes = _episodes(document, values, problems)
    if problems:
        raise InputError(problems)
    return values, episodes


def _histories_problems(document: Document, values: Mapping[str, Any]) -> list[Problem]:
    problems = []
    names = [each["name"] for each in values["history"]]
    for place, name in enumerate(names):
        key: Key = ("history", place, "name")
        if name in names[:place]:
            problems.append(document.problem(key, "named twice", found=repr(name), allowed="each history once"))
        if name in _TAKEN:
            problems.append(document.problem(key, "a word of the fit's own", found=repr(name), allowed="another name"))
        for column, parts in values["history"][place]["columns"].items():
            key = ("history", place, "columns", column)
            if column not in COLUMNS:
                problems.append(document.problem(key, "no such column", allowed=", ".join(COLUMNS), hint=nearest(column, COLUMNS)))
            elif not parts:
                problems.append(document.problem(key, "of no column", found="[]", allowed="the file's columns that add up to it"))
    return problems


def _episodes(document: Document, values: Mapping[str, Any], problems: list[Problem]) -> list[Episode]:
    """The episodes; what is wrong with them is added to ``problems``."""
    histories = [each["name"] for each in values["history"]]
    episodes: list[Episode] = []
    for place, each in enumerate(values["episode"]):

        def wrong(key: str, message: str, place: int = place, **said: str | None) -> None:
            problems.append(document.problem(("episode", place, key), message, **said))

        start, end = _time(each["start"]), _time(each["end"])
        for side, found in (("start", start), ("end", end)):
            if found is None:
                wrong(side, "no time", found=repr(each[side]), allowed=TIME_TEXT)
        if each["history"] not in histories:
            wrong(
                "history",
                "no such history",
                found=repr(each["history"]),
                allowed=", ".join(histories),
                hint=nearest(each["history"], histories),
            )
        if each["name"] in (*histories, *(one.name for one in episodes)):
            wrong("name", "named twice", found=repr(each["name"]), allowed="each history and each episode once")
        if start is None or end is None:
            continue
        if start >= end:
            wrong("end", "not after its start", found=str(each["end"]), allowed=f"after {each['start']}")
        episodes.append(Episode(name=each["name"], history=each["history"], start=start, end=end))
    return episodes


def _read(document: Document, named: Sequence[Mapping[str, Any]], problems: list[Problem]) -> list[Recorded]:
    """The histories that are there and can be read; what is wrong with the others is added to ``problems``."""
    given = os.environ.get(HISTORY_DIR)
    folder = Path(given) if given else document.path.parent
    histories = []
    for place, each in enumerate(named):
        if not (folder / each["file"]).is_file():
            allowed = f"a file in {folder}" + ("" if given else f", or a folder of histories in ${HISTORY_DIR}")
            problems.append(document.problem(("history", place, "file"), "no such file", found=repr(each["file"]), allowed=allowed))
            continue
        try:
            found = read_table(folder / each["file"], columns=each["columns"])
            found.times()
        except InputError as error:
            problems += error.problems
            continue
        histories.append(
            Recorded(name=each["name"], file=each["file"], source=each["source"], table=found, amplification=each["amplification"])
        )
    return histories


def _empty_episodes(document: Document, episodes: Sequence[Episode], tables: Mapping[str, Table]) -> list[Problem]:
    """Episodes that fewer than two rows of their history lie in."""
    problems = []
    for place, each in enumerate(episodes):
        times = tables[each.history].times()
        rows = sum(each.start <= time <= each.end for time in times)
        if rows < LEAST_ROWS:
            found = f"{rows} rows of {each.history} from {each.start:%Y-%m-%d %H:%M} to {each.end:%Y-%m-%d %H:%M}"
            allowed = f"at least {LEAST_ROWS}, and it has {times[0]:%Y-%m-%d %H:%M} to {times[-1]:%Y-%m-%d %H:%M}"
            problems.append(document.problem(("episode", place, "start"), "too few rows", found=found, allowed=allowed))
    return problems


def _time(found: object) -> datetime | None:
    from datetime import date

    if isinstance(found, datetime):
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return datetime(found.year, found.month, found.day, tzinfo=UTC) if isinstance(found, date) else None


# -- a fit ---------------------------------------------------------------------------------------------------------------------------------


def load_spells(path: str | os.PathLike[str], *, pool: str = "", label: str | None = None) -> FittedSpells:
    """The fit of spells at ``path``, for the pool of that name among those fitted, or for one that is none of them. Raises `InputError` with every problem of the file and of its draws."""
    document = read_document(Path(path), os.fspath(path) if label is None else label)
    return spells_of(document, pool=pool)


def spells_of(document: Document, *, pool: str = "", at: Problem | None = None) -> FittedSpells:
    """As `load_spells`, of a document; ``at`` is laid out where the file has no such pool."""
    values, problems = form_problems(document, SPELLS_FILE)
    if values is None or problems:
        raise InputError(problems)
    names = [each["name"] for each in values["pool"]]
    if pool and pool not in names:
        problem = document.problem(("pool",), "no such pool", found=repr(pool)) if at is None else at
        raise InputError([replace(problem, allowed=", ".join(names), hint=nearest(pool, names))])
    by_pool = {each["name"]: each for each in values["pool"]} | {"new_pool": values["new_pool"]}
    for name, figure in [
        *values["shared"].items(),
        *((f"{of}.{scale}", each[scale]) for of, each in by_pool.items() for scale in SCALES),
    ]:
        if not figure["low"] <= figure["value"] <= figure["high"]:
            problems.append(
                document.problem(
                    (), f"{name}: value outside its range", found=f"{figure['value']:g}", allowed=f"{figure['low']:g} to {figure['high']:g}"
                )
            )
    if problems:
        raise InputError(problems)
    columns = _draws(document, values["draws"], [*SHARED, *(f"{each}.{scale}" for each in (*names, NEW) for scale in SCALES), *DRIFT])
    own = next((each for each in values["pool"] if each["name"] == pool), values["new_pool"])
    drift = np.column_stack([columns[name] for name in DRIFT])
    figures = {**values["shared"], **{scale: own[scale] for scale in SCALES}}
    draws = {name: columns[name] for name in SHARED}
    for place, scale in enumerate(SCALES):
        # a new pool's scales are unsure by more than they drift
        draws[scale] = columns[f"{pool or NEW}.{scale}"] * (exp_of(drift[:, place]) if pool else 1.0)
    return FittedSpells(
        name=values["name"],
        pool=pool,
        values={name: figure["value"] for name, figure in figures.items()},
        ranges={name: (figure["low"], figure["high"]) for name, figure in figures.items()},
        draws=draws,
        drift=drift,
        evidence=tuple(values["evidence"]),
        file=document.label,
    )


def _draws(document: Document, name: str, columns: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """The CSV file of joint draws by column, (n,) each."""
    path = document.path.parent / name
    label = os.path.normpath(Path(document.label).parent / name)
    rows = read_rows(path, label)
    header = rows[0][1] if rows else []
    gone = [each for each in columns if each not in header]
    if gone:
        raise InputError([Problem(label, "header", "columns missing", found=", ".join(header) or "nothing", allowed=", ".join(columns))])
    if len(rows) <= LEAST_DRAWS:
        raise InputError(
            [Problem(label, "", "too few draws", found=str(len(rows) - 1), allowed=f"at least {LEAST_DRAWS} rows below the header")]
        )
    found = np.full((len(rows) - 1, len(header)), np.nan)
    problems = []
    for place, (line, row) in enumerate(rows[1:]):
        try:
            numbers = [float(cell) for cell in row]
        except ValueError:
            numbers = []
        # a row of one cell would fill all columns
        if len(numbers) == len(header):
            found[place] = numbers
        else:
            problems.append(
                Problem(label, "", "not a row of numbers", found=",".join(row)[:80], allowed=f"{len(header)} numbers", line=line)
            )
    if problems:
        raise InputError(problems[:4])
    by_name = {each: found[:, header.index(each)] for each in columns}
    for each, values in by_name.items():
        least, most = (-MOST_DRIFT, MOST_DRIFT) if each in DRIFT else (0.0, math.inf)
        wrong = np.flatnonzero(~(np.isfinite(values) & (values >= least) & (values <= most)))
        if wrong.size:
            allowed = f"{least:g} to {most:g}" if each in DRIFT else "a finite number of at least 0"
            problems.append(
                Problem(label, each, "out of range", found=f"{values[wrong[0]]:g}", allowed=allowed, line=rows[1 + int(wrong[0])][0])
            )
    if problems:
        raise InputError(problems[:4])
    return by_name


def range_of(draws: NDArray[np.float64], best: float) -> tuple[float, float]:
    """95% of the draws, and the best value where they lie to one side of it, as they do where it is at the end of what it may be."""
    low, high = np.quantile(draws, [0.025, 0.975]).tolist()
    return min(low, best), max(high, best)


def spells_text(
    name: str,
    notes: str,
    evidence: Sequence[str],
    best: Mapping[str, float],
    draws: Mapping[str, NDArray[np.float64]],
    *,
    pools: Sequence[str],
    means: Sequence[float],
    deviations: Sequence[float],
    correlation: float,
    windows: int,
    days: float,
    file: str,
    further: Sequence[str] = (),
) -> tuple[str, str]:
    """A fit as its file and the CSV file of its draws, which ``file`` names. Ranges are 95% of the draws."""
    import json

    def figure(column: str) -> str:
        value = float(f"{best[column]:.4g}")
        low, high = (float(f"{end:.4g}") for end in range_of(draws[column], best[column]))  # rounding keeps their order
        return f"{{ value = {value!r}, low = {low!r}, high = {high!r} }}"

    quoted = [json.dumps(each, ensure_ascii=False) for each in evidence]
    lines = [
        "# Calm and busy spells, fitted jointly; written by `amo-opt calibrate`. Scales are a calm day's, flows shares of a pool's total. Ranges are 95%.",
        "schema = 1",
        f'name = "{name}"',
    ]
    lines += [f"notes = {json.dumps(notes, ensure_ascii=False)}"] if notes else []
    lines += ["evidence = [", *(f"  {each}," for each in quoted), "]", f"draws = {json.dumps(file)}", "", "[shared]"]
    lines += [f"{each} = {figure(each)}" for each in SHARED]
    lines += [
        "",
        "# how far the logarithm of a pool's scales lies, over so many days, from those of all its days before",
        "[drift]",
        f"days = {days!r}",
        f"windows = {windows}",
    ]
    lines += [f"{scale} = {{ mean = {means[place]:.4g}, deviation = {deviations[place]:.4g} }}" for place, scale in enumerate(SCALES)] + [
        f"correlation = {correlation:.4g}"
    ]
    for pool in pools:
        lines += ["", "[[pool]]", f'name = "{pool}"', *(f"{scale} = {figure(f'{pool}.{scale}')}" for scale in SCALES)]
    lines += [
        "",
        "# a pool that is none of these, as one more of their kind",
        "[new_pool]",
        *(f"{scale} = {figure(f'{NEW}.{scale}')}" for scale in SCALES),
        "",
    ]
    lines[-1:] = ["", *(f"# {each}" for each in further), ""] if further else [""]
    columns = [*SHARED, *(f"{each}.{scale}" for each in (*pools, NEW) for scale in SCALES), *DRIFT]
    rows = [",".join(columns), *(",".join(f"{draws[column][row]:.5g}" for column in columns) for row in range(len(draws[columns[0]])))]
    return "\n".join(lines), "\n".join(rows) + "\n"
