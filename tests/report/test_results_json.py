"""results.json."""

from __future__ import annotations

import json
import math
from dataclasses import replace

from amo_opt.config.identity import MODEL_VERSION
from amo_opt.report.results_json import results_json
from amo_opt.scoring.replay import Demand
from amo_opt.scoring.types import Estimate
from amo_opt.version import __version__

TOP = {
    "schema",
    "study",
    "versions",
    "current",
    "recommended",
    "candidates",
    "finding",
    "front",
    "optimism_gap",
    "scenarios",
    "episodes",
    "worst_paths",
    "sampling",
    "holdout_plan",
    "risk_parts",
} | {
    "neighbours",
    "half_step",
    "importances",
    "doubt",
    "sensitivity",
    "change_costs",
    "run_capacity",
    "tails_agree",
    "tail_doubts",
    "verdict",
}


def test_the_keys_are_those_promised(result):
    """Others read this file: its shape is a promise."""
    document = json.loads(results_json(result))
    assert set(document) == TOP
    assert document["study"] == {"name": "frax-2022", "hash": "5e" * 32, "seed": 1, "trials": 200, "paths": 64}
    assert document["versions"] == {"amo-opt": __version__, "model": str(MODEL_VERSION)}
    for candidate in document["candidates"]:
        assert {"id", "parameters", "search", "certified", "constraints"} <= set(candidate)
        assert all(set(each) == {"value", "interval", "n"} for each in candidate["certified"].values())
    assert document["episodes"] == []


def test_what_stands_around_the_shown_set_is_there_with_intervals(result):
    """Every figure of the surroundings has value, interval and n, so that a machine can draw them again."""
    document = json.loads(results_json(result))
    assert document["schema"] == 3
    assert len(document["neighbours"]) == len(result.neighbours)
    assert document["half_step"]["certified_on"] == "holdout"
    estimates = [each["differences"]["yield"] for each in document["neighbours"]]
    estimates += [each["peg_difference"] for each in document["sensitivity"] if each["peg_difference"]]
    estimates += [found for each in document["change_costs"] for found in each["figures"].values()]
    estimates += [each["run_share"] for each in document["run_capacity"]]
    assert len(estimates) == 8 + 2 * len({each.figure for each in result.sensitivity}) - 1 + 2 * 4 + 2
    assert all({"value", "interval", "n"} <= set(each) for each in estimates)
    bare = replace(result, neighbours=(), half_step=None, importances={}, sensitivity=(), change_costs=(), run_capacities=())
    document = json.loads(results_json(bare))
    assert [document[key] for key in ("neighbours", "half_step", "importances", "run_capacity")] == [[], None, {}, []]


def test_the_recommended_set_is_null_where_there_is_none(make_result):
    """No change is a normal outcome, and a machine must be able to tell."""
    assert json.loads(results_json(make_result("no change")))["recommended"] is None
    assert json.loads(results_json(make_result()))["recommended"]["amplification"] == 2210


def test_figures_come_from_holdout_paths_where_a_set_ran_there(result):
    """The choice was made on selection paths, so they flatter; what is published is of holdout paths."""
    rows = {each["id"]: each for each in json.loads(results_json(result))["candidates"]}
    chosen = next(each for each in result.candidates if each.role == "recommended")
    assert rows[chosen.id]["certified"]["yield"]["value"] == chosen.holdout_score.yield_annual.value
    assert {rows[each.id]["certified_on"] for each in result.candidates if each.holdout_score is None} == {"selection"}


def test_no_figure_is_infinite_or_nan(result):
    """JSON has neither; null stands for both, and the keys come sorted."""
    broken = Estimate(value=math.nan, low=-math.inf, high=math.inf, n=3)
    text = results_json(replace(result, gap={"yield": (-0.0, broken, broken)}))
    assert "NaN" not in text
    assert "Infinity" not in text
    gap = json.loads(text)["optimism_gap"]["yield"]
    assert gap["selection"] == {"value": None, "interval": None, "n": 3}
    assert math.copysign(1.0, gap["search"]) == 1.0
    assert text.endswith("}\n")
    assert text == json.dumps(json.loads(text), sort_keys=True, indent=1) + "\n"


def test_replays_are_told_with_every_demand(result, met, missed):
    """By name, with the model's figure, the limits and the distance; infinite limits are null."""
    demands = (*missed.demands, Demand("price", 0.9997, None, 0.9995, math.inf))
    document = json.loads(results_json(replace(result, episodes=(met, replace(missed, demands=demands)))))
    first, second = document["episodes"]
    assert set(first) == {"name", "start", "hours", "paths", "interval_percentiles", "criteria", "summary"}
    assert (second["name"], second["start"], second["hours"], second["paths"]) == ("missed-2022", "2023-03-10T22:00:00Z", 98, 64)
    assert [each["met"] for each in second["criteria"]] == [False, True]
    assert second["criteria"][0]["missed_by"] == missed.demands[0].missed_by
    assert second["criteria"][1] == {
        "criterion": "price",
        "model": 0.9997,
        "observed": None,
        "low": 0.9995,
        "high": None,
        "band": None,
        "met": True,
        "missed_by": 0.0,
    }
    assert first["summary"]["price_low"] == {"model": 0.98, "observed": 0.975, "model_interval": [0.97, 0.99]}
