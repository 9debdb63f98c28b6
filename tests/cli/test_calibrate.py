"""``amo-opt calibrate``: figures, TOML to paste, and one message where the call or the file is wrong."""

from __future__ import annotations

import json
import tomllib

import pytest

POINTS = "asset,date,price,outflow_share\n" + "".join(
    f"X,d{i},{price},{share}\n" for i, (price, share) in enumerate([(1, 0), (0.985, 0.08), (0.97, 0.14), (0.95, 0.22), (0.9, 0.24)])
)


@pytest.fixture
def points(tmp_path):
    file = tmp_path / "points.csv"
    file.write_text(POINTS, encoding="utf-8")
    return file


def test_the_toml_can_be_pasted(points, call):
    """What follows the empty line is TOML in the form of a state's figure."""
    done = call("calibrate", "--history", points, "--fit", "hazard")
    assert done.status == 0
    pasted = tomllib.loads(done.out.split("\n\n")[1])
    assert set(pasted["markets"]["hazard_price"]) == {"value", "assumed", "low", "high"}
    assert "points.csv, n = 5" in pasted["markets"]["hazard_price"]["assumed"]


def test_json_is_one_document(points, call):
    """Schema, figures with interval and n, and nothing else on stdout."""
    told = json.loads(call("calibrate", "--history", points, "--fit", "hazard", "--json").out)
    assert told["schema"] == 1
    assert [figure["name"] for figure in told["figures"]] == ["hazard_news", "hazard_price"]
    assert all(figure["n"] == 5 and figure["interval"][0] <= figure["best"] <= figure["interval"][1] for figure in told["figures"])


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["--fit", "flow"], "--external-supply"),
        (["--fit", "hazard", "--external-supply", "1e9"], "does not use"),
        (["--fit", "lp-flight", "--leave-out", "X"], "has no points"),
        (["--fit", "hazard", "--pool", "p.csv"], "--pool"),
        (["--fit", "lp-flight"], "pool_stable"),
    ],
)
def test_a_wrong_call_is_2(points, call, arguments, fragment):
    """One message that names the option or the column."""
    done = call("calibrate", "--history", points, *arguments)
    assert done.status == 2
    assert fragment in done.err
    assert "Traceback" not in done.err
