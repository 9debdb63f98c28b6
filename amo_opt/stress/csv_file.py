"""A CSV file as rows of text, for histories to replay and histories to fit: one wording for what can be wrong with either."""

from __future__ import annotations

import csv
import difflib
import os
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from amo_opt.errors import InputError, Problem
from amo_opt.files import read_file

TIME_FORM = "a time such as 2023-03-10T22:00:00Z (ISO 8601, UTC)"
_MOST_PROBLEMS = 8
MOST_BYTES = 64 * 1024 * 1024

Rows = list[tuple[int, list[str]]]
"""The file's line and the stripped cells of each row that is not empty."""


def read_rows(path: str | os.PathLike[str], label: str) -> Rows:
    """Every row that is not empty, the header first. Raises `InputError`, naming the file ``label``, where it is no CSV file in UTF-8."""
    try:
        text = read_file(path, most=MOST_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise InputError([Problem(label, "", (error.strerror or str(error)).lower(), allowed="a CSV file")]) from error
    except UnicodeDecodeError as error:
        raise InputError([Problem(label, "", "not text", allowed="a CSV file in UTF-8")]) from error
    try:
        reader = csv.reader(text.splitlines())
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise InputError([Problem(label, "", f"not a CSV file: {error}", allowed="cells separated by commas")]) from error
    return [(line, row) for line, row in rows if any(row)]


def header_problems(label: str, header: Sequence[str], *, known: Collection[str], named: Collection[str]) -> list[Problem]:
    """Every column given twice and every one not in ``known``; ``named`` are those that a message lists as allowed."""
    problems = []
    for place, name in enumerate(header):
        if name in header[:place]:
            problems.append(Problem(label, "header", "column named twice", found=repr(name), allowed="each column once", line=1))
        elif name not in known:
            close = difflib.get_close_matches(name.lower(), named, n=1)
            hint = f"did you mean {close[0]!r}?" if close else None
            problems.append(Problem(label, "header", "unknown column", found=repr(name), allowed=", ".join(named), hint=hint, line=1))
    return problems


def width_problem(label: str, row: Sequence[str], header: Sequence[str], line: int) -> Problem | None:
    """What is wrong with a row of too few or too many cells."""
    if len(row) == len(header):
        return None
    return Problem(label, "", "wrong number of cells", found=str(len(row)), allowed=str(len(header)), line=line)


def time_of(cell: str) -> datetime | None:
    """The cell's time in UTC, None where it is none; a time without an offset is UTC, as everything here."""
    try:
        time = datetime.fromisoformat(cell)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):  # not a time, or one before the year 1 in UTC
        return None


def time_problem(label: str, where: str, cell: str, line: int) -> Problem:
    """What is wrong with a cell that is no time."""
    return Problem(label, where, "not a time", found=repr(cell), allowed=TIME_FORM, line=line)


def order_problem(label: str, where: str, cell: str, line: int, *, same: bool) -> Problem:
    """What is wrong with a time that does not come after the row before."""
    message = "the same time as the row before" if same else "earlier than the row before"
    return Problem(label, where, message, found=cell, allowed="later than the row before", line=line)


def refuse(label: str, problems: Sequence[Problem]) -> None:
    """Raises `InputError` where there are problems: the first ones, and how many more; a file wrong everywhere does not fill the screen."""
    if problems:
        more = len(problems) - _MOST_PROBLEMS
        raise InputError([*problems[:_MOST_PROBLEMS], *([Problem(label, "", f"and {more} more")] if more > 0 else [])])
