"""Replicates: the fast form against resampled rows written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from amo_opt.scoring.intervals import resample_counts
from amo_opt.scoring.metrics import MEASURES, yield_terms
from amo_opt.scoring.replicates import masses, replicate
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


def test_agrees_with_scoring_each_resample_of_twins(make_outcome: Any, make_study: Any) -> None:
    """With twins too: the metric of the drawn rows, their weights normalised within their scenario; the second scenario has none."""
    weights = {"calm": 3.0, "stress": 1.0}
    outcome = make_outcome(weights, paths=40).with_twins(25)
    plain = np.arange(80) >= 40
    outcome = outcome.with_columns(
        component=np.where(plain, 0, outcome.paths["component"]), weight=np.where(plain, 1.0, outcome.paths["weight"])
    )
    paths = sample(outcome, make_study(weights, bootstrap=15))
    figures = {name: measure.values(paths) for name, measure in MEASURES.items()}
    terms = yield_terms(paths)
    drawn = replicate(paths, figures, terms, alone=True)
    (counts,) = resample_counts(paths.strata, seed=7, resamples=15)
    path_weight = outcome.paths["weight"].to_numpy()
    for index in range(15):
        parts = [np.repeat(np.arange(40) + 40 * s, counts[40 * s : 40 * s + 40, index].astype(int)) for s in (0, 1)]
        rows = np.concatenate(parts)
        row_weights = np.concatenate([w * path_weight[part] / path_weight[part].sum() for w, part in zip((0.75, 0.25), parts, strict=True)])
        for name, measure in MEASURES.items():
            assert drawn.overall[name][index] == pytest.approx(measure.point(figures[name][rows], row_weights), rel=1e-9, abs=1e-12), name
            for scenario, part in zip(weights, parts, strict=True):
                expected = pytest.approx(measure.point(figures[name][part], path_weight[part]), rel=1e-9, abs=1e-12)
                assert drawn.by_scenario[scenario][name][index] == expected, name
                assert drawn.alone[scenario][name][index] == expected, name
        for name, values in terms.items():
            assert drawn.yield_terms[name][index] == pytest.approx((values[rows] * row_weights).sum(), rel=1e-9, abs=1e-15)


def test_a_scenario_keeps_its_weight_in_every_resample(make_outcome: Any, make_study: Any) -> None:
    """Masses sum to the scenario's paths, counts of paths that count alike are handed on untouched, and shared ones are not written to."""
    weights = {"calm": 3.0, "stress": 1.0}
    plain = sample(make_outcome(weights, paths=40), make_study(weights))
    (counts,) = resample_counts(plain.strata, seed=7, resamples=30)
    assert masses(plain, counts) is counts
    twins = sample(make_outcome(weights, paths=40).with_twins(25), make_study(weights))
    (counts,) = resample_counts(twins.strata, seed=7, resamples=30)
    kept = counts.copy()
    counts.flags.writeable = False
    found = masses(twins, counts)
    np.testing.assert_array_equal(counts, kept)
    np.testing.assert_allclose(found[:40].sum(axis=0), 40.0)
    np.testing.assert_allclose(found[40:].sum(axis=0), 40.0)
