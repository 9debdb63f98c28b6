"""Replicates: the fast form against resampled rows written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from amo_opt.scoring.intervals import resample_counts
from amo_opt.scoring.metrics import MEASURES, yield_terms
from amo_opt.scoring.replicates import replicate
from amo_opt.scoring.sample import sample


@pytest.mark.parametrize("weights", [{"calm": 3.0, "stress": 1.0}, {"calm": 1.0, "idle": 0.0}])
def test_agrees_with_scoring_each_resample(make_outcome: Any, make_study: Any, weights: dict[str, float]) -> None:
    """Each replicate equals the metric of the drawn rows, over all scenarios and within each, also where a scenario weighs nothing."""
    paths = sample(make_outcome(weights, paths=9), make_study(weights, bootstrap=15))
    figures = {name: measure.values(paths) for name, measure in MEASURES.items()}
    terms = yield_terms(paths)
    drawn = replicate(paths, figures, terms)
    (counts,) = resample_counts(paths.strata, seed=7, resamples=15)
    for index in range(15):
        rows = np.repeat(np.arange(18), counts[:, index].astype(int))
        for name, measure in MEASURES.items():
            expected = measure.point(figures[name][rows], paths.weights[rows])
            assert drawn.overall[name][index] == pytest.approx(expected, rel=1e-9, abs=1e-12), name
            for block in paths.blocks:
                inside = rows[(rows >= block.rows.start) & (rows < block.rows.stop)]
                expected = measure.point(figures[name][inside], np.ones(9))
                assert drawn.by_scenario[block.scenario.name][name][index] == pytest.approx(expected, rel=1e-9, abs=1e-12), name
        for name, values in terms.items():
            assert drawn.yield_terms[name][index] == pytest.approx((values[rows] * paths.weights[rows]).sum(), rel=1e-9, abs=1e-15)
