"""The least budget that can decide anything, and how much more a verdict on few paths would take."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from amo_opt.scoring.constraints import least_paths

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.search.result import Result

TRIALS = 32
"""Sets that a quick run tries at most."""
ROOM = 1.5
"""Drawn paths over those that would decide if none had twins: twins beside them take of their weight, so that they tell of an event like fewer."""


def quick_settings(study: Study) -> dict[str, object]:
    """What a quick run sets over the study, by dotted key: few trials, as many paths as every limit needs to be decided, no larger holdout, no joint draws.

    Like --trials and --paths these are settings of the study: all but the number of trials are part of its identity, so that a quick run and a whole one never share a record.
    """
    least = least_paths(study.constraints, study.scenarios)
    paths = math.ceil(ROOM * least / study.certification.multiple)
    return {
        "search.trials": min(TRIALS, study.search.trials),
        "simulation.paths": paths,
        "certification.most_paths": paths * study.certification.multiple,
        "certification.draws": 0,
    }


@dataclass(frozen=True, kw_only=True)
class More:
    """How many paths of a scenario a verdict stands on, how many more might change it (None: no number would), and with which paths in the search they come."""

    each: int
    more: int | None
    paths: int | None


def more_paths(result: Result) -> More | None:
    """What an undecidable verdict lacks, and whether the width of an interval or the figure itself makes one infeasible; None for other verdicts.

    An interval narrows with the root of its paths, so a figure within its limit needs the square of what its half-width is over the room that it has.
    """
    ruling, multiple = result.ruling, result.study.certification.multiple
    each = ruling.paths.each
    if ruling.outcome == "undecidable" and ruling.needed is not None:
        needed = ruling.needed if ruling.needed > each else math.ceil(ROOM * each)
        return More(each=each, more=needed - each, paths=math.ceil(needed / multiple))
    binding = ruling.binding
    if ruling.outcome != "infeasible" or binding is None:
        return None
    room = (binding.value - binding.limit) * (1.0 if binding.at_least else -1.0)
    if room <= 0.0 or binding.interval is None or not math.isfinite(binding.confidence_bound):
        return More(each=each, more=None, paths=None)
    needed = math.ceil(each * (abs(binding.confidence_bound - binding.value) / room) ** 2)
    return More(each=each, more=max(1, needed - each), paths=math.ceil(max(needed, each + 1) / multiple))


def with_paths(study: Study, paths: int) -> Study:
    """The study with so many paths in its search, for the time that takes: its identity is not worked out again."""
    return replace(study, simulation=replace(study.simulation, paths=paths))
