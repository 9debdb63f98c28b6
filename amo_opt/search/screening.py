"""The look at few paths that spares a clearly infeasible set the full run."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Lock

import numpy as np

from amo_opt.config.study import Study
from amo_opt.errors import SimulationError
from amo_opt.protocol.lanes import LANES
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.scoring.constraints import caps_plus_buffer, rules_of
from amo_opt.scoring.influence import event_count, spread_of
from amo_opt.scoring.intervals import ONE_SIDED, clopper_pearson, percentile_bounds, resample_counts
from amo_opt.scoring.metrics import MEASURES
from amo_opt.scoring.replicates import masses
from amo_opt.scoring.sample import sample
from amo_opt.scoring.score import point_score
from amo_opt.scoring.types import PointScore
from amo_opt.simulation.mixed import Mixed, draw_mixed, simulate_mixed
from amo_opt.simulation.outcome import Outcome

RESAMPLES = 199
"""Enough for a one-sided 95% bound of a tail: its tenth smallest."""


def screened(sets: Sequence[ParameterSet], study: Study, *, workers: int) -> list[PointScore | None]:
    """The few paths' score of each clearly infeasible set, marked as screened; None for a set that is worth the full run.

    Constraints then hold at low fidelity, every one of them; objectives too, and no sampler ranks an infeasible set by them.
    """
    mixed = _few.of(study, min(study.search.screen_paths, study.simulation.paths, LANES))

    def judged(parameters: ParameterSet) -> PointScore | None:
        try:
            return _score(simulate_mixed(parameters, study, mixed), study)
        except SimulationError:
            return None  # the full run fails too, and says so

    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        return list(pool.map(judged, sets))


class _Few:
    """The few paths of the study that was asked for last: the same in every batch, drawn once."""

    def __init__(self) -> None:
        self._last: tuple[Study, Mixed] | None = None
        self._lock = Lock()

    def of(self, study: Study, paths: int) -> Mixed:
        with self._lock:
            if self._last is None or self._last[0] is not study or self._last[1].paths != paths:
                self._last = study, draw_mixed(study, paths=paths, stream="search")
            return self._last[1]


_few = _Few()


def _score(outcome: Outcome, study: Study) -> PointScore | None:
    try:
        return replace(point_score(outcome, study), screened=True) if hopeless(outcome, study) else None
    except SimulationError:
        return None  # a figure that is not finite: the full run says which


def hopeless(outcome: Outcome, study: Study) -> bool:
    """Whether a constraint is beyond its limit even at the better end of its interval (a 95% bound)."""
    if caps_plus_buffer(outcome.parameters) > 1.0:
        return True
    paths = sample(outcome, study)
    strata = paths.strata
    counts = masses(paths, np.concatenate(list(resample_counts(strata, seed=study.search.seed, resamples=RESAMPLES)), axis=1))
    for rule in rules_of(study.constraints):
        measure = MEASURES[rule.metric]
        values = measure.values(paths)
        for block in paths.blocks:
            own, ones = values[block.rows], np.ones(block.n)
            if measure.kind == "event":
                seen = block.n if block.plain else event_count(own, block.own, spread_of(measure, own, paths.alone(block)))
                low, high = clopper_pearson(seen * measure.point(own, block.own), seen, tail=ONE_SIDED)
            elif measure.is_tail:
                ends = percentile_bounds(measure.resampled(own, ones, counts[block.rows]), tail=ONE_SIDED)
                low, high = float(ends[0]), float(ends[1])
            else:
                ends = percentile_bounds(np.einsum("n,nr->r", own, counts[block.rows]) / block.n, tail=ONE_SIDED)
                low, high = float(ends[0]), float(ends[1])
            better = high if rule.kind == "at least" else low
            if rule.violation(better, rule.limit(study.constraints, block.scenario)) > 0.0:
                return True
    return False
