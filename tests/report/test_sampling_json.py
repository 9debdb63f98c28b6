"""How paths were drawn and where the risk comes from, in results.json."""

from __future__ import annotations

import json
import math
from dataclasses import replace

from amo_opt.report.results_json import results_json


def test_sampling_is_told_scenario_by_scenario(result):
    """Tilts as ``--tilt`` reads them; what the pilot saw; both streams."""
    document = json.loads(results_json(result))
    assert set(document["sampling"]) == {"selection", "holdout"}
    calm, svb = document["sampling"]["holdout"][:2]
    assert calm == {
        "scenario": "calm",
        "drawn": 640,
        "components": [{"tilts": ["share:-0.08:-2.6"], "twins": 751}],
        "drivers": ["share"],
        "variance_left": 0.001,
        "chance": 3.8e-5,
        "edge_bps": 200.0,
    }
    assert (svb["components"], svb["drivers"], svb["variance_left"], svb["chance"], svb["edge_bps"]) == ([], [], 1.0, None, None)
    assert document["holdout_plan"] == {"wanted_half_width_bps": 0.5, "expected_half_width_bps": 0.48, "capped": False}
    bare = json.loads(results_json(replace(result, plan=None, selection_designs={}, risk_parts={})))
    assert (bare["sampling"], bare["holdout_plan"], bare["risk_parts"]) == ({"selection": [], "holdout": []}, None, {})


def test_the_parts_add_up_in_the_file_too(result):
    """Of the current and of the shown set; events carry the chance of one, with drawn paths and twins behind it."""
    document = json.loads(results_json(result))
    assert set(document["risk_parts"]) == {"current", "trial-17"}
    for name, parts in document["risk_parts"].items():
        whole = next(each for each in document["candidates"] if each["id"] == name)["certified"]["peg_cvar95_bps"]["value"]
        assert math.isclose(math.fsum(each["contribution_bps"]["value"] for each in parts), whole, rel_tol=1e-12)
        for part in parts:
            assert set(part) == {"scenario", "part", "contribution_bps", "share", "chance", "edge_bps"}
            assert (part["chance"] is not None) == (part["part"] == "events")
    events = next(each for each in document["risk_parts"]["current"] if each["part"] == "events")
    assert {"n": 1391, "twins": 751}.items() <= events["chance"].items()
