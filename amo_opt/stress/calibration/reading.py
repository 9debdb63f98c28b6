"""A CSV of a history as columns under one name each; every bad row, gap and unknown column is named at once."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amo_opt.errors import InputError, Problem
from amo_opt.stress.csv_file import header_problems, order_problem, read_rows, refuse, time_of, time_problem, width_problem

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
            time = time_of(cell)
            if time is None:
                problems.append(time_problem(self.file, "timestamp", cell, line))
                continue
            if times:
                step = (time - times[-1]).total_seconds() / 3600.0
                if step <= 0.0:
                    problems.append(order_problem(self.file, "timestamp", cell, line, same=step == 0.0))
                elif step > MAX_GAP_HOURS:
                    allowed = f"at most {MAX_GAP_HOURS:g} h between rows"
                    problems.append(Problem(self.file, "timestamp", "gap", f"{step:.0f} h", allowed, "cut the file there", line=line))
            times.append(time)
        refuse(self.file, problems)
        return np.array([(time - times[0]).total_seconds() / 3600.0 for time in times])


def _number(file: str, name: str, cell: str, line: int, problems: list[Problem]) -> float:
    """The cell as a number; what is wrong with it goes into ``problems``."""
    try:
        number = float(cell)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or (name in POSITIVE and number <= 0.0):
        problems.append(
            Problem(file, name, "not allowed here", repr(cell), "a number above 0" if name in POSITIVE else "a number", line=line)
        )
    return number


def read_table(path: str | os.PathLike[str]) -> Table:
    """The file's columns under their names here. Raises `InputError` naming every unknown column and bad cell."""
    file = Path(path).name
    rows = read_rows(path, file)
    if len(rows) < 2:
        raise InputError([Problem(file, "", "no rows", f"{len(rows)} lines", "a header and rows")])
    header = [NAMES.get(name, name) for name in rows[0][1]]
    refuse(file, header_problems(file, header, known=NUMBERS | TEXTS | IGNORED, named=sorted(NUMBERS | TEXTS)))
    problems: list[Problem] = []
    numbers: dict[str, list[float]] = {name: [] for name in header if name in NUMBERS}
    texts: dict[str, list[str]] = {name: [] for name in header if name in TEXTS}
    for line, row in rows[1:]:
        wrong = width_problem(file, row, header, line)
        if wrong is not None:
            problems.append(wrong)
            continue
        for name, cell in zip(header, row, strict=True):
            if name in texts:
                texts[name].append(cell)
            elif name in numbers:
                numbers[name].append(_number(file, name, cell, line, problems))
    refuse(file, problems)
    return Table(file, {name: np.array(values) for name, values in numbers.items()}, texts, [line for line, _ in rows[1:]])
