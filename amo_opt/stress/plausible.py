"""What a recorded number may be: limits of a column, and slips that only the rows beside it, or the other columns, give away.

A slip of units or of one row is refused by name, because every fit and every replay would take it as what happened: a supply that falls by
99.9999% for a day makes of a calibrated run whatever it likes. The factors are far beyond what records show (the largest fall in a day of
those this was tried on is one of 25, MIM's pool in January 2022, and it did not come back the next day).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from amo_opt.errors import Problem

Array = NDArray[np.float64]

SPIKE = 10.0
"""A value so many times away from the rows before and after it, to the same side of both, is a slip of one row."""
UNITS = 300.0
"""Amounts that differ by so much where they should be of one size are in different units: tokens beside thousands,
millions or raw integers. Below 1,000, as figures that are off by a thousand are seldom off by a thousand exactly."""
_RAW = (18, 8, 6)
_SCALED = ((1e3, "thousands"), (1e6, "millions"), (1e9, "billions"))


@dataclass(frozen=True)
class Column:
    """One column: each value must lie in [low, high], and be one of ``only`` where that is given.

    ``kind``: a price of 0 says that nothing was traded; a level is an amount that some rows later is still of its size.
    """

    low: float
    high: float
    doc: str
    only: tuple[float, ...] = ()
    kind: Literal["price", "level", "share"] = "share"

    @property
    def allowed(self) -> str:
        """What a cell may hold, in words."""
        span = " or ".join(f"{each:g}" for each in self.only) or f"a number from {self.low:g} to {self.high:g}"
        return f"{span}, or nothing ({self.doc})"

    def allows(self, value: float) -> bool:
        """Whether a cell may hold this number."""
        return self.low <= value <= self.high and (not self.only or value in self.only)


def hint_of(column: Column, value: float) -> str | None:
    """What a number beyond a column's limits looks like, or None."""
    if value > column.high and value.is_integer() and column.kind != "share":
        least = max(column.low, 0.01)  # a price near 0 explains nothing
        fits = [str(decimals) for decimals in _RAW if least <= value / 10.0**decimals <= column.high]
        if fits:
            return f"it looks like a contract's raw integer of {' or '.join(fits)} decimals: divide by 10^decimals"
    return None


def units_of(ratio: float) -> str:
    """What a number that is ``ratio`` times what was expected looks like.

    >>> units_of(1e-9), units_of(8e-7), units_of(1.2e6), units_of(1e4)
    ('it looks like billions', 'it looks like millions', 'it looks like a raw integer of 6 decimals', 'it looks like another unit')
    """
    for scale, name in _SCALED:
        if 1.0 / 30.0 < ratio * scale < 30.0:
            return f"it looks like {name}"
    for decimals in _RAW:
        if 1.0 / 30.0 < ratio / 10.0**decimals < 30.0:
            return f"it looks like a raw integer of {decimals} decimals"
    return "it looks like another unit"


def implausible(
    label: str, shown: Mapping[str, str], numbers: Mapping[str, Array], columns: Mapping[str, Column], *, lines: Sequence[int]
) -> list[Problem]:
    """Every row that does not fit those beside it, and every column that does not fit another; ``shown`` is what messages call each."""
    problems: list[Problem] = []
    for name, values in numbers.items():
        if columns[name].kind == "share":
            continue
        known = np.flatnonzero(np.isfinite(values))
        steps = np.diff(np.log(values[known]))
        slips = _spikes(steps)
        for row in slips:
            place, before, after = (int(known[each]) for each in (row, row - 1, row + 1))
            problems.append(
                Problem(
                    label, shown[name], "a slip of one row", found=f"{values[place]:g}", line=lines[place],
                    allowed=f"less than {SPIKE:g} times away from the rows beside it, which hold {values[before]:g} and {values[after]:g}",
                )
            )  # fmt: skip
        if columns[name].kind == "level" and not slips:
            for row in np.flatnonzero(np.abs(steps) >= math.log(UNITS)).tolist():
                before, place = int(known[row]), int(known[row + 1])
                problems.append(
                    Problem(
                        label, shown[name], "another unit than the row before", found=f"{values[place]:g} after {values[before]:g}",
                        allowed=f"less than {UNITS:g} times away", hint="cut the file there if both are right", line=lines[place],
                    )
                )  # fmt: skip
    return problems or _columns_apart(label, shown, numbers, lines=lines)


def _spikes(steps: Array) -> list[int]:
    """Places of values that are left and come back to at once, from the steps between logarithms."""
    there, back = steps[:-1], steps[1:]
    found = (np.minimum(np.abs(there), np.abs(back)) >= math.log(SPIKE)) & (np.sign(there) == -np.sign(back))
    return [int(each) + 1 for each in np.flatnonzero(found)]


def _columns_apart(label: str, shown: Mapping[str, str], numbers: Mapping[str, Array], *, lines: Sequence[int]) -> list[Problem]:
    """Sides of the pool in different units, and a pool that holds more than there is."""
    if "pool_stable" not in numbers:
        return []
    stable, problems = numbers["pool_stable"], []
    if "pool_base" in numbers:
        both = np.isfinite(stable) & np.isfinite(numbers["pool_base"])
        ratio = float(np.exp(np.median(np.log(numbers["pool_base"][both] / stable[both])))) if both.any() else 1.0
        if not 1.0 / UNITS < ratio < UNITS:
            row = int(np.flatnonzero(both)[0])
            found = f"{numbers['pool_base'][row]:g} beside {stable[row]:g} in {shown['pool_stable']}"
            allowed = f"sides less than {UNITS:g} times apart"
            problems.append(
                Problem(
                    label, shown["pool_base"], "another unit than the pool's other side", found, allowed, units_of(ratio), line=lines[row]
                )
            )
    if "supply" in numbers:
        for row in np.flatnonzero(stable >= numbers["supply"]).tolist():
            found = f"{stable[row]:g}, with {numbers['supply'][row]:g} in {shown['supply']}"
            problems.append(
                Problem(label, shown["pool_stable"], "the pool holds the whole supply", found, "below the supply", line=lines[row])
            )
    return problems
