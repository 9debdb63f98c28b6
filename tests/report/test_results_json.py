"""results.json."""

from __future__ import annotations

import json
import math
from dataclasses import replace

from amo_opt.report.results_json import results_json
from amo_opt.scoring.types import Estimate

TOP = {"schema", "study", "versions", "current", "recommended", "candidates", "front", "gap", "scenarios", "episodes", "worst_paths"}


def test_the_keys_are_those_promised(result):
    """Others read this file: its shape is a promise."""
    document = json.loads(results_json(result))
    assert set(document) == TOP
    assert document["study"] == {"name": "frax-2022", "hash": "5e" * 32, "seed": 1}
    assert set(document["versions"]) == {"python", "numpy", "numba", "optuna", "amo-opt"}
    for candidate in document["candidates"]:
        assert {"id", "parameters", "search", "certified", "constraints"} <= set(candidate)
        assert all(set(each) == {"value", "interval", "n"} for each in candidate["certified"].values())
    assert document["episodes"] == []


def test_the_recommended_set_is_null_where_there_is_none(make_result):
    """No change is a normal outcome, and a machine must be able to tell."""
    assert json.loads(results_json(make_result("no change")))["recommended"] is None
    assert json.loads(results_json(make_result()))["recommended"]["amplification"] == 2210


def test_figures_come_from_paths_b_where_a_set_ran_there(result):
    """The choice was made on A, so A flatters; what is published is B."""
    rows = {each["id"]: each for each in json.loads(results_json(result))["candidates"]}
    chosen = next(each for each in result.candidates if each.role == "recommended")
    assert rows[chosen.id]["certified"]["yield"]["value"] == chosen.certified_b.yield_annual.value
    assert {rows[each.id]["certified_on"] for each in result.candidates if each.certified_b is None} == {"A"}


def test_no_figure_is_infinite_or_nan(result):
    """JSON has neither; null stands for both, and the keys come sorted."""
    broken = Estimate(value=math.nan, low=-math.inf, high=math.inf, n=3)
    text = results_json(replace(result, gap={"yield": (-0.0, broken, broken)}))
    assert "NaN" not in text
    assert "Infinity" not in text
    gap = json.loads(text)["gap"]["yield"]
    assert gap["certified_a"] == {"value": None, "interval": [None, None], "n": 3}
    assert math.copysign(1.0, gap["search"]) == 1.0
    assert text.endswith("}\n")
    assert text == json.dumps(json.loads(text), sort_keys=True, indent=1) + "\n"
