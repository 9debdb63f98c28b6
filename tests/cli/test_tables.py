"""Scores on a terminal and as JSON."""

from __future__ import annotations

import re

import pytest

from amo_opt import load_study, score, simulate
from amo_opt.cli.tables import PIPED_WIDTH, estimate_document, open_console, print_score, score_document
from amo_opt.scoring.metrics import METRICS
from amo_opt.scoring.types import Estimate


@pytest.fixture(scope="module")
def scored(shared):
    study = load_study(shared, overrides={"constraints.max_breach_probability": 0.02})
    return score(simulate(study.current, study, paths=110), study), study


def test_an_estimate_is_never_bare():
    """Value, interval and n; the effective count of a tail where there is one."""
    assert estimate_document(Estimate(value=1.0, low=0.5, high=2.0, n=8)) == {"value": 1.0, "interval": [0.5, 2.0], "n": 8}
    assert estimate_document(Estimate(value=1.0, low=0.5, high=2.0, n=8, tail_points=3.5))["tail_points"] == 3.5


def test_the_document_and_the_table_hold_the_same_metrics(scored, capsys):
    """Every metric by name in one, by title in the other; constraints too few paths cannot decide are said to be so in both."""
    result, study = scored
    document = score_document(result, study.current, study, steps=288, parts=(), designs={})
    assert set(document["metrics"]) == set(METRICS)
    undecided = [constraint["name"] for constraint in document["constraints"] if not constraint["decidable"]]
    assert undecided == ["breach_probability"] * 2
    assert document["feasible"] is False
    print_score(result, study.current, study, parts=())
    text = capsys.readouterr().out
    assert all(metric.title in text for metric in METRICS.values())
    assert text.count("too few paths to decide") == 2


def test_a_figure_has_its_unit_and_its_interval(scored, capsys):
    """One format: the yield in per cent a year, its interval in as many decimals as its width deserves."""
    result, study = scored
    print_score(result, study.current, study, parts=())
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.strip().startswith("Yield"))
    found = result.yield_annual
    assert re.search(rf"Yield +{100 * found.value:.3f}% a year \({100 * found.low:.3f} … {100 * found.high:.3f}\) +{found.n}\b", line), line
    assert "per year" not in line


def test_a_pipe_is_wide_and_a_terminal_has_its_own_width(monkeypatch, capsys):
    """Without a terminal lines stay whole unless COLUMNS says otherwise."""
    monkeypatch.delenv("COLUMNS", raising=False)
    assert open_console().width == PIPED_WIDTH
    monkeypatch.setenv("COLUMNS", "90")
    assert open_console().width == 90
    assert capsys.readouterr().out == ""
