"""The best set of the search, walked up: step by step of what a vote would move, on the search's own paths.

A sampler leaves each parameter somewhere near where it gains; how near hangs on its seed. From there every parameter is moved a few governance-sized steps both
ways, what gains is joined, what acts on nothing is left alone, and the steps are halved once nothing gains.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from amo_opt.errors import SimulationError
from amo_opt.scoring.constraints import caps_plus_buffer
from amo_opt.search.front import worth
from amo_opt.search.plateau import Side, ordered, stepped
from amo_opt.search.prune import LEAST_GAIN, Entry, Evaluate, point_of
from amo_opt.search.rule import tolerances

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet

STEPS = (8, 3, 1)
"""Governance-sized steps by which a parameter is moved, one after the other."""
ROUNDS = 6
"""Most rounds, each a look at every parameter both ways that still acts."""


def climb(start: Entry, study: Study, names: Sequence[str], evaluate: Evaluate) -> Entry:
    """The set that is reached from a feasible one, in the parameters named, within the study's ranges; the same entry where nothing gains, else its id ends in
    ``-stepped``. Gains are those of yield less peg risk in tolerances (`front.worth`).
    """
    units = tolerances(study.certification)
    least = LEAST_GAIN * units[0] * units[1]
    identity = f"{start[0]}-stepped"
    best, sizes, left = start, list(STEPS), list(names)

    def scored(sets: Sequence[ParameterSet]) -> list[tuple[float, Entry]]:
        found = zip(sets, evaluate(sets), strict=True)
        return [
            (worth(point_of(score), units), (identity, each, score))
            for each, score in found
            if not isinstance(score, SimulationError) and score.feasible
        ]

    for _ in range(ROUNDS):
        if not sizes:
            break
        home = worth(point_of(best[2]), units)
        moved = {name: _moved(best[1], study, name, sizes[0], identity) for name in left}
        values = dict.fromkeys(left, home)
        idle: dict[str, int] = dict.fromkeys(left, 0)
        gains: dict[str, Entry] = {}
        for value, entry in scored([each for sets in moved.values() for each in sets]):
            name = next(key for key in left if entry[1].values()[key] != best[1].values()[key])
            idle[name] += abs(value - home) <= least
            if value > max(values[name], home + least):
                values[name], gains[name] = value, entry
        # what acts on nothing by so many steps, both ways, does not by fewer
        left = [name for name in left if idle[name] < max(1, len(moved[name]))]
        if not gains:
            sizes.pop(0)
            continue
        by_gain = sorted(gains, key=lambda name: -values[name])
        joined = []
        for count in sorted({len(by_gain), (len(by_gain) + 1) // 2, 2} - {1}):
            each = best[1].replace(name=identity, **{name: gains[name][1].values()[name] for name in by_gain[:count]})
            if count <= len(by_gain) and ordered(each) and caps_plus_buffer(each) <= 1.0:
                joined.append(each)
        best = max([(values[by_gain[0]], gains[by_gain[0]]), *scored(joined)], key=lambda each: each[0])[1]
    return best


def _moved(parameters: ParameterSet, study: Study, name: str, steps: int, identity: str) -> list[ParameterSet]:
    """The set with one parameter so many steps lower and higher, as far as its range and the others allow."""
    allowed, value = study.search.space[name], parameters.values()[name]
    sides: tuple[Side, Side] = (-1, 1)
    found = []
    for side in sides:
        at = value
        for _ in range(steps):
            at = stepped(name, at, side)
        at = min(max(at, allowed.low), allowed.high)
        moved = parameters.replace(name=identity, **{name: at})
        if moved.values() != parameters.values() and ordered(moved) and caps_plus_buffer(moved) <= 1.0:
            found.append(moved)
    return found
