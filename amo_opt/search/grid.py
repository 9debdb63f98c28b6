"""Where a parameter is looked at: its range, the values spread over it, what lies well inside it, and the set at each value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.config.study import Study
from amo_opt.errors import AmoOptError
from amo_opt.protocol.elementary import exp_of, log_of
from amo_opt.protocol.parameters import ORDERED_PAIRS, ParameterSet
from amo_opt.search.space import SMALLEST_GAP, build_space

EDGE = 0.10
"""Share of a range, on its own scale, within which an optimum counts as lying on the edge."""
TINY = 1e-9
"""Less than any step of a parameter: what rounding may take from a gap."""


@dataclass(frozen=True, kw_only=True)
class Walk:
    """The way of one parameter: its range, whether it goes by equal factors, and a set for each value, upwards, the current set among them."""

    parameter: str
    low: float
    high: float
    log: bool
    sets: tuple[ParameterSet, ...]


def amplification_range(study: Study) -> tuple[float, float]:
    """The range of A: the searched one, else what one ramp reaches, at most 5000 and the current value within it."""
    searched = study.search.space.get("amplification")
    if searched is not None:
        return searched.low, searched.high
    current = study.current.amplification
    return max(1.0, current / 10), max(current, min(10.0 * current, 5000.0))


def spread(low: float, high: float, points: int, *, log: bool) -> list[float]:
    """``points`` values from ``low`` to ``high``, evenly spaced, or by equal factors where ``log``.

    >>> [round(value) for value in spread(10, 1000, 3, log=True)], spread(0.0, 1.0, 3, log=False)
    ([10, 100, 1000], [0.0, 0.5, 1.0])
    """
    if points < 2:
        return [low]
    places = np.linspace(0.0, 1.0, points)
    values = low * exp_of(places * log_of(high / low)) if log else low + places * (high - low)
    return [low, *values[1:-1].tolist(), high]


def inside(value: float, low: float, high: float, *, log: bool) -> bool:
    """Whether a value lies further than `EDGE` of the range from either end, on the range's own scale.

    >>> inside(1000, 100, 10_000, log=True), inside(1000, 100, 10_000, log=False), inside(5, 5, 5, log=True)
    (True, False, False)
    """

    def span(start: float, end: float) -> float:
        return math.log(end / start) if log else end - start

    place = span(low, value) / (span(low, high) or 1.0)
    return EDGE < place < 1.0 - EDGE


def walk(study: Study, name: str, points: int) -> Walk:
    """Where a searched parameter goes: ``points`` values over its range, as a vote would be held on them, and the current one."""
    if points < 2:
        raise AmoOptError(f"points = {points}; at least 2 are needed: the two ends of a range")
    bounds = build_space(study).bounds
    low, high = bounds[name] if name in bounds else amplification_range(study)
    log = study.search.space[name].log if name in bounds else True
    rounded = {min(max(PARAMETERS[name].rounded(value), low), high) for value in spread(low, high, points, log=log)}
    moved = (moved_set(study.current, name, value, bounds) for value in sorted({*rounded, study.current.values()[name]}))
    sets = tuple(each for each in moved if each is not None)
    return Walk(parameter=name, low=low, high=high, log=log and sets[0].values()[name] > 0.0, sets=sets)


def moved_set(current: ParameterSet, name: str, value: float, bounds: Mapping[str, tuple[float, float]]) -> ParameterSet | None:
    """The current set with one parameter at another value; None where its partner cannot be kept on its side of it.

    The partner of an ordered pair stays where it is as long as the smallest gap that is searched (or the current one, if that is smaller)
    remains between the two, and is pushed along at that gap otherwise.
    """
    known = current.values()
    if value == known[name]:
        return current
    changed = {name: value}
    for low, high in ORDERED_PAIRS:
        if name not in {low, high}:
            continue
        partner, side = (high, 1.0) if name == low else (low, -1.0)
        gap = min(SMALLEST_GAP, known[high] - known[low])
        if side * (known[partner] - value) < gap - TINY:
            lowest, highest = bounds.get(partner, (PARAMETERS[partner].low, PARAMETERS[partner].high))
            beside = PARAMETERS[partner].rounded(value + side * gap)
            if side * (beside - value) < TINY:
                beside = PARAMETERS[partner].rounded(value + side * PARAMETERS[partner].step)
            changed[partner] = min(max(beside, lowest), highest)
            if side * (changed[partner] - value) < TINY:
                return None
    return current.replace(name=f"{name}-{value:g}", **changed)
