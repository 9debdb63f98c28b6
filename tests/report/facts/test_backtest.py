"""What a replay says, from series whose answers are known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from amo_opt.report.facts.backtest import document, facts_of, validity_page
from amo_opt.simulation.backtest import backtest
from amo_opt.stress.history import episode_names

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def run(frax):
    return backtest(frax, episode="svb-2023", paths=4)


def test_the_document_is_json_with_every_key(run):
    """No NaN, no infinity; each summary figure has model, observed and model_interval."""
    found = json.loads(json.dumps(document(facts_of(run)), allow_nan=False))
    assert {"schema", "episode", "start", "columns", "summary", "notes", "criteria"} <= set(found)
    assert (found["schema"], found["episode"], found["start"]) == (2, "svb-2023", "2023-03-10T22:00:00Z")
    names = {"price_low", "hours_below_099", "slope_origin", "slope_ols", "correlation", "residual_rmse", "pool_share", "supply_change"}
    assert set(found["summary"]) == names
    assert all(set(each) == {"model", "observed", "model_interval"} for each in found["summary"].values())
    for column in found["columns"].values():
        assert column["n"] == len(column["model"]) == len(column["observed"]) == len(column["hours"])


def test_the_page_is_what_the_model_says_now():
    """docs/validity.md is written, never edited: python -m amo_opt.report.facts.backtest writes it anew."""
    from amo_opt import load_study

    study = load_study(ROOT / "studies" / "frax-2022.toml")
    page = validity_page([facts_of(backtest(study, episode=name)) for name in episode_names()])
    assert page == (ROOT / "docs" / "validity.md").read_text(encoding="utf-8")
    for name in episode_names():
        assert f"`{name}`" in page
