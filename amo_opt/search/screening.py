"""The look at few paths that spares a clearly infeasible set the full run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from amo_opt.config.study import Study
from amo_opt.errors import SimulationError
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.scoring.constraints import caps_plus_buffer, rules_of
from amo_opt.scoring.intervals import ONE_SIDED, clopper_pearson, percentile_bounds, resample_counts
from amo_opt.scoring.metrics import MEASURES
from amo_opt.scoring.sample import sample
from amo_opt.scoring.score import point_score
from amo_opt.scoring.types import PointScore
from amo_opt.simulation.few import simulate_few
from amo_opt.simulation.outcome import Outcome

RESAMPLES = 199
"""Enough for a one-sided 95% bound of a tail: its tenth smallest."""


def screened(sets: Sequence[ParameterSet], study: Study, *, workers: int) -> list[PointScore | None]:
    """The few paths' score of each clearly infeasible set, marked as screened; None for a set that is worth the full run.

    Constraints then hold at low fidelity, every one of them; objectives too, and no sampler ranks an infeasible set by them.
    """
    outcomes = simulate_few(sets, study, paths=study.search.screen_paths, workers=workers)
    return [None if isinstance(outcome, SimulationError) else _score(outcome, study) for outcome in outcomes]


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
    counts = np.concatenate(list(resample_counts(strata, seed=study.search.seed, resamples=RESAMPLES)), axis=1)
    for rule in rules_of(study.constraints):
        measure = MEASURES[rule.metric]
        values = measure.values(paths)
        for block in paths.blocks:
            own, ones = values[block.rows], np.ones(block.n)
            if measure.kind == "event":
                low, high = clopper_pearson(float(own.sum()), block.n, tail=ONE_SIDED)
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
