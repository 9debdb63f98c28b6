"""Scores on a terminal and as JSON."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from amo_opt import load_study, score, simulate
from amo_opt.cli.tables import PIPED_WIDTH, estimate_document, open_console, print_score, score_document, shown
from amo_opt.scoring.metrics import METRICS
from amo_opt.scoring.types import Estimate


@pytest.fixture(scope="module")
def scored(shared):
    study = load_study(shared, overrides={"constraints.max_breach_probability": 0.02})
    return score(simulate(study.current, study, paths=110), study), study


@pytest.mark.parametrize(
    ("value", "text"), [(0.0312345, "0.03123"), (12.0, "12"), (0.0, "0"), (-3.14159, "-3.142"), (1234567.0, "1,234,567"), (1e-7, "1e-07")]
)
def test_figures_have_four_digits(value, text):
    """Thousands are separated from ten thousand up."""
    assert shown(value) == text


def test_an_estimate_is_never_bare():
    """Value, interval and n; the effective count of a tail where there is one."""
    assert estimate_document(Estimate(value=1.0, low=0.5, high=2.0, n=8)) == {"value": 1.0, "interval": [0.5, 2.0], "n": 8}
    assert estimate_document(Estimate(value=1.0, low=0.5, high=2.0, n=8, tail_points=3.5))["tail_points"] == 3.5


def test_the_document_and_the_table_hold_the_same_metrics(scored):
    """Every metric by name in one, by title in the other; constraints too few paths cannot decide are said to be so in both."""
    result, study = scored
    document = score_document(result, study.current, study, steps=288, parts=(), designs={})
    assert set(document["metrics"]) == set(METRICS)
    undecided = [constraint["name"] for constraint in document["constraints"] if not constraint["decidable"]]
    assert undecided == ["breach_probability"] * 2
    assert document["feasible"] is False
    screen = io.StringIO()
    print_score(Console(file=screen, width=200), result, study.current, study, parts=())
    text = screen.getvalue()
    assert all(metric.title in text for metric in METRICS.values())
    assert text.count("too few paths to decide") == 2


@pytest.mark.parametrize("width", [80, 200])
def test_no_figure_and_no_scenario_is_cut(scored, width):
    """A narrow terminal wraps titles, never a number or a name."""
    result, study = scored
    screen = io.StringIO()
    print_score(Console(file=screen, width=width), result, study.current, study, parts=())
    cells = {cell.strip() for line in screen.getvalue().splitlines() for cell in line.split("│")}
    assert {shown(estimate.high) for estimate in result.metrics.values()} <= cells
    assert {"svb-2023", "breach_probability:svb-2023"} <= cells


def test_a_pipe_is_wide_and_a_terminal_has_its_own_width(monkeypatch, capsys):
    """Without a terminal lines stay whole unless COLUMNS says otherwise."""
    monkeypatch.delenv("COLUMNS", raising=False)
    assert open_console().width == PIPED_WIDTH
    monkeypatch.setenv("COLUMNS", "90")
    assert open_console().width == 90
    assert capsys.readouterr().out == ""
