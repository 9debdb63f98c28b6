"""Proposals no larger than they need be: what a change of a parameter does not earn is taken back.

A sampler moves every parameter it was given, those that do nothing too. Before certification each candidate's changes are taken back one
after the other, on the search's own paths, where that costs next to nothing; what is left is what the gain comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from amo_opt.config.study import Certification
from amo_opt.errors import SimulationError
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.scoring.types import PointScore
from amo_opt.search.front import Point, worth
from amo_opt.search.plateau import ordered
from amo_opt.search.rule import tolerances

Entry = tuple[str, ParameterSet, PointScore]
"""One set that could be certified: its id, its parameters, its score in the search."""
Evaluate = Callable[[Sequence[ParameterSet]], list[PointScore | SimulationError]]
LEAST_GAIN = 0.02
"""Least a change must bring to stay, in tolerances: a fiftieth of what a vote would call no difference."""


def prune(entries: Sequence[Entry], current: ParameterSet, certification: Certification, evaluate: Evaluate) -> list[Entry]:
    """The entries with every change taken back that brings less than `LEAST_GAIN` tolerances and is not needed for feasibility.

    Parameters are tried in the order of a parameter file, all entries of one parameter together. A pruned entry's id ends in ``-pruned``.
    """
    kept = list(entries)
    units = tolerances(certification)
    allowed = LEAST_GAIN * units[0] * units[1]
    for name, value in current.values().items():
        tried: list[tuple[int, ParameterSet]] = []
        for index, (identity, parameters, _) in enumerate(kept):
            back = parameters.replace(name=_pruned(identity), **{name: value})
            if back.values() != parameters.values() and ordered(back):
                tried.append((index, back))
        for (index, back), score in zip(tried, evaluate([back for _, back in tried]), strict=True):
            before = kept[index][2]
            if isinstance(score, SimulationError) or not score.feasible:
                continue
            if worth(point_of(score), units) >= worth(point_of(before), units) - allowed:
                kept[index] = (back.name, back, score)
    return kept


def point_of(score: PointScore) -> Point:
    """Where the score stands: yield and peg risk."""
    return score.yield_annual, score.peg_risk_bps


def _pruned(identity: str) -> str:
    return identity if identity.endswith("-pruned") else f"{identity}-pruned"
