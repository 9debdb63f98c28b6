"""A study small enough to simulate in a moment, and comparisons made of figures given path by path."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amo_opt.comparison.figures import Figures, layout
from amo_opt.comparison.gates import DEFAULT_GATES
from amo_opt.comparison.judging import judge_gates, judge_metrics, read_figures
from amo_opt.comparison.verdict import Comparison
from amo_opt.config.load import load_study
from amo_opt.scoring.metrics import MEASURES

STUDY = Path(__file__).parents[2] / "studies" / "frax-2022.toml"


@pytest.fixture(scope="session")
def small():
    """Two of the shipped scenarios over twelve days, one of each ten paths under stress."""
    study = load_study(STUDY, overrides={"simulation.transition_hours": 48, "simulation.window_hours": 240})
    return replace(study, scenarios=(study.scenarios[0], replace(study.scenarios[2], weight=0.1)))


@pytest.fixture
def judge(small):
    """Judges a candidate's figures against a baseline's, both given as metric -> array; what is left out is 0 on every path.
    ``apart``: as if the two sets held other values.
    """

    def run(baseline, candidate, *, gates=DEFAULT_GATES, paths=200, bootstrap=250, parameters=None, apart=False):
        study = replace(small, certification=replace(small.certification, bootstrap=bootstrap))
        count = paths * len(study.scenarios)
        both = [
            Figures(
                parameters=each_set,
                paths=paths,
                values={name: np.asarray(given.get(name, np.zeros(count)), dtype=float) for name in MEASURES},
            )
            for given, each_set in ((baseline, study.current), (candidate, parameters or study.current))
        ]
        rows = layout(study.current, study, paths=paths)
        before, after = (read_figures(figures, rows, gates) for figures in both)
        identical = both[0].parameters.values() == both[1].parameters.values() and not apart
        metrics = judge_metrics(after, before, gates, identical=identical)
        return Comparison(
            study=study,
            baseline=both[0],
            candidate=both[1],
            paths=paths,
            resamples=bootstrap,
            metrics=metrics,
            gates=judge_gates(gates, metrics, after, both[1].parameters),
        )

    return run
