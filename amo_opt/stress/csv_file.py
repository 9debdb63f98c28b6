"""A CSV file as rows of text, for histories to replay and histories to fit: one wording for what can be wrong with either."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from amo_opt.errors import InputError, Problem
from amo_opt.files import read_file

TIME_FORM = "a time from 2009 on, such as 2023-03-10T22:00:00Z (ISO 8601, UTC) or 1678485600 (Unix seconds; milliseconds too)"
EARLIEST = datetime(2009, 1, 1, tzinfo=UTC)
"""No chain is older: an earlier time is a number of another kind, read as one."""
_MOST_PROBLEMS = 8
MOST_BYTES = 64 * 1024 * 1024
_DIGITS = re.compile(r"([0-9]+)(\.[0-9]*)?")
_SECONDS_DIGITS, _MILLISECONDS_DIGITS = 10, 13
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}

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
    rows = [(line, row) for line, row in rows if any(row)]
    if rows and len(rows[0][1]) == 1:
        line, (cell,) = rows[0]
        for sign, named in _SEPARATORS.items():
            if sign in cell:
                hint = "save it with commas between cells and points in decimals"
                raise InputError([Problem(label, "header", f"cells are separated by {named}", allowed="commas", hint=hint, line=line)])
    return rows


def width_problem(label: str, row: Sequence[str], header: Sequence[str], line: int) -> Problem | None:
    """What is wrong with a row of too few or too many cells."""
    if len(row) == len(header):
        return None
    return Problem(label, "", "wrong number of cells", found=str(len(row)), allowed=str(len(header)), line=line)


def time_of(cell: str) -> datetime | None:
    """The cell's time in UTC, None where it is none or before `EARLIEST`; a time without an offset is UTC, as everything here.

    Digits alone are Unix seconds (10 of them) or milliseconds (13) and nothing else: ISO 8601's 20220508 could as well be a block's number.

    >>> time_of("2022-05-08 00:00:00.000 UTC") == time_of("1651968000") == time_of("1651968000000")
    True
    >>> time_of("14750801") is time_of("1652-01-02") is None
    True
    """
    try:
        digits = _DIGITS.fullmatch(cell)
        if digits is not None:
            scale = {_SECONDS_DIGITS: 1.0, _MILLISECONDS_DIGITS: 1000.0}.get(len(digits[1]))
            time = None if scale is None else datetime.fromtimestamp(float(cell) / scale, tz=UTC)
        else:
            bare = cell[:-3].rstrip() if cell.endswith(("UTC", "GMT")) else cell
            time = datetime.fromisoformat(bare)
            if time.tzinfo is not None and bare != cell:
                return None
            time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError, OSError):  # not a time, or one before the year 1 in UTC
        return None
    return time if time is not None and time >= EARLIEST else None


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
