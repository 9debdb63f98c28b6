"""One verdict, wherever it is told: box, limits, appendix, page, results.json and terminal over every kind of outcome."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from amo_opt.cli.report import command
from amo_opt.search import optimise
from amo_opt.search.holdout import refuse
from amo_opt.search.ruling import Objection, binding_of, nearest

DRAWN = ("forest", "fans", "profile", "episodes", "heat", "neighbours", "tornado", "importances", "hypervolume")
OWN = re.compile(
    r"[Pp]aths? [AB]\b|\b[AB] (?:−|and) [AB]\b|[Ww]orse ends?\b(?! of)|\b[Mm]argins?\b|certif\w+[-_][ab]\b|-trimmed|\bthe record\b"
)
STUDY = Path(__file__).parents[2] / "studies" / "frax-2022.toml"


def broken_on_selection(result):
    """The result with every set beyond one limit on selection paths, its second constraint for the nearest, and within all of them on holdout paths."""

    def over(candidate, excess):
        first, second, *rest = candidate.selection_score.constraints
        second = replace(second, violation_high=excess, estimate=replace(second.estimate, high=second.limit * (1.0 + excess)))
        return replace(candidate, selection_score=replace(candidate.selection_score, constraints=(first, second, *rest)))

    candidates = tuple(over(each, 0.9 - 0.1 * place) for place, each in enumerate(result.candidates))
    candidates = tuple(
        replace(each, role="candidate", objection=Objection(kind="limit", stream="selection", limit=nearest(each.selection_score)))
        if each.role != "current"
        else each
        for each in candidates
    )
    closest = candidates[-1]
    ruling = replace(result.ruling, kept=0, set=closest.id, binding=binding_of(closest.id, "selection", nearest(closest.selection_score)))
    return replace(result, candidates=candidates, ruling=ruling)


def too_few(result):
    """The result with one limit of the current set undecided."""
    current, *rest = result.candidates
    first, *others = current.selection_score.constraints
    undecided = replace(first, decidable=False)
    score = replace(current.selection_score, constraints=(undecided, *others))
    b = replace(current.holdout_score, constraints=(replace(current.holdout_score.constraints[0], decidable=False), *others))
    ruling = replace(result.ruling, binding=binding_of("current", "selection", undecided), needed=150)
    return replace(result, candidates=(replace(current, selection_score=score, holdout_score=b), *rest), ruling=ruling)


def refused_on_holdout(result, objection):
    """The recommended result with its set refused after selection paths chose it."""
    candidates = tuple(
        replace(each, role="candidate", objection=objection) if each.role == "recommended" else each for each in result.candidates
    )
    return replace(result, candidates=candidates, ruling=refuse(result.ruling, objection, candidates[0]), recommended=None)


def results(make_result):
    limit = make_result().candidates[1].holdout_score.constraints[1]
    cliff = Objection(kind="cliff", stream="holdout", parameter="aave_cap", value=0.32, limit=limit, at_value=True)
    return {
        "recommended": make_result(),
        "no change": make_result("no change"),
        "refused on holdout": refused_on_holdout(make_result(), Objection(kind="limit", stream="holdout", limit=limit)),
        "a cliff": refused_on_holdout(make_result(), cliff),
        "nothing found": make_result("no change", candidates=0),
        "undecidable": too_few(make_result("undecidable")),
        "infeasible on selection, kept on holdout": broken_on_selection(make_result("infeasible")),
    }


KINDS = (
    "recommended",
    "no change",
    "refused on holdout",
    "a cliff",
    "nothing found",
    "undecidable",
    "infeasible on selection, kept on holdout",
)


@pytest.fixture
def told(make_result, monkeypatch, tmp_path):
    """Reports a result by `amo-opt report`, without its drawings: the folder and what stood on the terminal."""

    def report(result):
        monkeypatch.setattr(optimise, "restore", lambda study, *, storage: result)
        monkeypatch.setattr("amo_opt.report.figures.draw_all", lambda facts: dict.fromkeys(DRAWN, ()))
        called = CliRunner().invoke(command, [str(STUDY), "--out", str(tmp_path / "report")], standalone_mode=False)
        assert called.exception is None, called.output
        return tmp_path / "report", called.output

    return report


@pytest.mark.parametrize("kind", KINDS)
def test_every_place_tells_the_same(make_result, told, told_alike, kind):
    """Outcome, paths and how many, set, binding limit with scenario and figures: the same in eight places and results.json."""
    result = results(make_result)[kind]
    verdict = told_alike(*told(result))
    assert verdict["outcome"] == result.verdict
    assert verdict["decided_on"] == {"stream": result.ruling.paths.stream, "paths": 3200, "twins": 0, "paths_per_scenario": 640}


@pytest.mark.parametrize("kind", KINDS)
def test_no_document_speaks_in_words_of_our_own(make_result, told, kind):
    """Paths are for selection or holdout, an allowance is a tolerance, what must keep a limit is a confidence bound, a set is pruned."""
    folder, out = told(results(make_result)[kind])
    texts = {path.name: re.sub(r"<style>.*?</style>", "", path.read_text("utf-8"), flags=re.DOTALL) for path in folder.iterdir()}
    for name, text in {**texts, "terminal": out}.items():
        assert OWN.findall(text) == [], name


def test_paths_that_refused_are_not_those_that_are_shown(make_result, told, told_alike):
    """Every set beyond a limit on selection paths and within all of them on holdout paths: the box says which of the two it speaks of, each time."""
    folder, out = told(broken_on_selection(make_result("infeasible")))
    binding = told_alike(folder, out)["binding_constraint"]
    assert (binding["stream"], binding["satisfied"]) == ("selection", False)
    appendix = (folder / "appendix.md").read_text()
    box = appendix.split("## Decision (section 1)")[1].split("## Parameters (section 2)")[0]
    assert "none of 9 certified sets kept every limit on 3,200 selection paths" in box
    assert "trial-17, on 3,200 holdout paths: yield" in box
    assert "On selection paths it breaks a limit." in box
    assert "limits: all 21 kept on holdout paths, 1 broken of 21 on selection paths." in box
    assert "keeping every limit" not in box
    assert "passed on selection paths" not in appendix
    document = json.loads((folder / "results.json").read_text())
    assert {each["objection"]["stream"] for each in document["candidates"] if each["role"] != "current"} == {"selection"}
