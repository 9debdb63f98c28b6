"""A CSV of a history as columns under one name each; every bad row, gap and unknown column is named at once."""

from __future__ import annotations

import csv
import difflib
import math
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amo_opt.errors import InputError, Problem

Array = NDArray[np.float64]
MAX_GAP_HOURS = 168.0
"""Longest step between two rows: a wider one hides a regime, and the file should be cut there."""
NAMES = {
    "date": "timestamp", "price_usd": "price", "low_price": "price", "implied_supply": "supply", "frax": "pool_stable", "3crv": "pool_base",
    "virtual_price_3crv": "base_virtual_price", "notes": "note", "change_pct_per_day": "change_pct",
}  # fmt: skip
"""Columns of public exports and the name each is known by here."""
NUMBERS = {"price", "supply", "usdc", "exit_value", "change_pct", "outflow_share", "pool_stable", "pool_base", "base_virtual_price"}
TEXTS = {"timestamp", "asset", "note", "use"}
IGNORED = {"market_cap_usd", "volume_usd", "virtual_price", "frax_share", "implied_price_A1500_usd"}
POSITIVE = {"price", "supply", "usdc", "exit_value", "pool_stable", "pool_base", "base_virtual_price"}


@dataclass(frozen=True)
class Table:
    """Columns of one file: numbers (n,), texts (n), and the line of each row."""

    file: str
    numbers: dict[str, Array]
    texts: dict[str, list[str]]
    lines: list[int]

    def need(self, *columns: str) -> None:
        """Raises `InputError` naming each column that a fit needs and the file has not."""
        have = self.numbers.keys() | self.texts.keys()
        gone = [Problem(self.file, name, "column missing", allowed=", ".join(columns)) for name in columns if name not in have]
        if gone:
            raise InputError(gone)

    def hours(self) -> Array:
        """Hours since the first row, (n,). Raises `InputError` for bad times, times out of order and gaps."""
        self.need("timestamp")
        problems = []
        times: list[datetime] = []
        for line, cell in zip(self.lines, self.texts["timestamp"], strict=True):
            try:
                time = datetime.fromisoformat(cell)
            except ValueError:
                problems.append(
                    Problem(self.file, "timestamp", "not a time", repr(cell), "ISO 8601, such as 2022-05-11T08:40:47Z", line=line)
                )
                continue
            time = time if time.tzinfo else time.replace(tzinfo=UTC)
            if times:
                step = (time - times[-1]).total_seconds() / 3600.0
                if step <= 0.0:
                    problems.append(Problem(self.file, "timestamp", "not after the row before", repr(cell), "times in order", line=line))
                elif step > MAX_GAP_HOURS:
                    allowed = f"at most {MAX_GAP_HOURS:g} h between rows"
                    problems.append(Problem(self.file, "timestamp", "gap", f"{step:.0f} h", allowed, "cut the file there", line=line))
            times.append(time)
        if problems:
            raise InputError(problems)
        return np.array([(time - times[0]).total_seconds() / 3600.0 for time in times])


def _header_problems(file: str, header: list[str]) -> list[Problem]:
    """Every unknown column and every one given twice."""
    known = NUMBERS | TEXTS | IGNORED
    problems = []
    for position, name in enumerate(header):
        near = difflib.get_close_matches(name, known, 1)
        if name not in known:
            allowed = ", ".join(sorted(NUMBERS | TEXTS))
            problems.append(Problem(file, name, "unknown column", repr(name), allowed, f"nearest: {near[0]}" if near else None, line=1))
        elif name in header[:position]:
            problems.append(Problem(file, name, "column given twice", repr(name), "one column of each name or of its other names", line=1))
    return problems


def _number(file: str, name: str, cell: str, line: int, problems: list[Problem]) -> float:
    """The cell as a number; what is wrong with it goes into ``problems``."""
    try:
        number = float(cell)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or (name in POSITIVE and number <= 0.0):
        problems.append(Problem(file, name, "bad cell", repr(cell), "a number above 0" if name in POSITIVE else "a number", line=line))
    return number


def read_table(path: str | os.PathLike[str]) -> Table:
    """The file's columns under their names here. Raises `InputError` with every unknown column and bad cell, `OSError` where there is no file."""
    file = Path(path).name
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream)
            rows = [(reader.line_num, row) for row in reader if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError([Problem(file, "", "not a CSV file in UTF-8", str(error))]) from error
    if len(rows) < 2:
        raise InputError([Problem(file, "", "no rows", f"{len(rows)} lines", "a header and rows")])
    header = [NAMES.get(name.strip(), name.strip()) for name in rows[0][1]]
    problems = _header_problems(file, header)
    if problems:
        raise InputError(problems)
    numbers: dict[str, list[float]] = {name: [] for name in header if name in NUMBERS}
    texts: dict[str, list[str]] = {name: [] for name in header if name in TEXTS}
    for line, row in rows[1:]:
        if len(row) != len(header):
            problems.append(Problem(file, "", "cells missing or too many", str(len(row)), str(len(header)), line=line))
            continue
        for name, cell in zip(header, row, strict=True):
            if name in texts:
                texts[name].append(cell.strip())
            elif name in numbers:
                numbers[name].append(_number(file, name, cell, line, problems))
    if problems:
        raise InputError(problems)
    return Table(file, {name: np.array(values) for name, values in numbers.items()}, texts, [line for line, _ in rows[1:]])
