"""What a replay says, from series whose answers are known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from amo_opt.report.stories.backtest import band_holds, document, facts_of, overview_table, shown, validity_page
from amo_opt.report.stories.forecasts import BEGIN, part_of
from amo_opt.scoring.replay import EpisodeFit
from amo_opt.simulation.backtest import PATHS_OF_DRAWS, backtest
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
    """docs/validity.md is written, never edited: python -m amo_opt.report.stories.backtest writes it anew, and keeps what `amo-opt validity` put into it."""
    from amo_opt import load_study

    study = load_study(ROOT / "studies" / "frax-2022.toml")
    page = validity_page([facts_of(backtest(study, episode=name, paths=PATHS_OF_DRAWS)) for name in episode_names()])
    text = (ROOT / "docs" / "validity.md").read_text(encoding="utf-8")
    part = part_of(text)
    assert part.startswith(BEGIN)
    assert f"{page}\n{part}\n" == text
    for name in episode_names():
        assert f"`{name}`" in page


def test_what_a_band_holds_is_said():
    """Calm alone; with draws; with a venue; with both: each is named, and nothing that is not there."""
    bare = EpisodeFit("made", "made", "2022-01-01", 2, 64, (), (), ())
    said = {
        (drawn, venue): band_holds(replace(bare, drawn_behaviour=drawn, venue=venue))
        for drawn in ("no", "yes", "known")
        for venue in (False, True)
    }
    assert "calm's own noise alone:" in said["no", False]
    for (drawn, venue), text in said.items():
        assert ("joint draw of the fitted behaviour" in text, "venue" in text) == (drawn != "no", venue)
        assert ("alone" in text) == (drawn == "no" and not venue)
        assert text.endswith("no criterion asks that recorded rows lie within it") == (drawn == "no")


def test_an_overview_adds_up(frax):
    """A row for each column that is scored, one for all shares: outside added up, scores weighed by their rows; none of one history, none where paths are too few."""
    made = [facts_of(backtest(frax, episode="ust-contagion-2022", paths=paths)) for paths in (2, 40)]
    few, many = made
    heads, rows = overview_table([many, many])
    assert [row[1] for row in rows[:-1]] == 2 * [
        each.name for each in many.fit.columns if each.name in ("pool_share", "price", "oracle", "supply")
    ]
    share = next(each for each in many.fit.columns if each.name == "pool_share")
    assert rows[-1] == ("all", "pool_share", f"{2 * share.outside} of {2 * share.n}", shown(share.crps), shown(share.crps_still))
    assert all(len(row) == len(heads) for row in rows)
    assert overview_table([many])[1] == rows[: len(rows) // 2]
    assert all(row[0] != "all" for row in overview_table([few, few])[1])
