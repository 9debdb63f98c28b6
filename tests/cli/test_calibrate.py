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
        (["--fit", "hazard", "--pool", "p.csv"], "found both"),
        (["--fit", "lp-flight"], "pool_stable"),
    ],
)
def test_a_wrong_call_is_2(points, call, arguments, fragment):
    """One message that names the option or the column."""
    done = call("calibrate", "--history", points, *arguments)
    assert done.status == 2
    assert fragment in done.err
    assert "Traceback" not in done.err


@pytest.fixture
def pool(tmp_path):
    file = tmp_path / "pool.csv"
    shares = [0.5, 0.52, 0.49, 0.53, 0.47, 0.5, 0.51, 0.48]
    rows = [f"2022-01-{day:02d},{1e9 * share},{1e9 * (1 - share)}" for day, share in enumerate(shares, start=1)]
    file.write_text("\n".join(["timestamp,pool_stable,pool_base", *rows]) + "\n", encoding="utf-8")
    return file


def test_a_pool_needs_no_history(pool, points, call):
    """--pool alone is enough, neither is not, and hazard still refuses it."""
    alone = call("calibrate", "--pool", pool, "--fit", "flow", "--external-supply", "1e9")
    assert alone.status == 0, alone.err
    assert alone.out == call("calibrate", "--history", pool, "--fit", "flow", "--external-supply", "1e9").out
    neither = call("calibrate", "--fit", "lp-flight")
    assert (neither.status, "--history and --pool: found neither" in neither.err) == (2, True)
    assert "--fit hazard does not use it" in call("calibrate", "--pool", points, "--fit", "hazard").err


def test_a_studys_own_figures_stand_beside_the_fitted_ones(pool, points, shared, call):
    """Its calm's flow and its state's hazard, inside the interval or not; flow takes the state's external supply."""
    told = json.loads(call("calibrate", "--pool", pool, "--fit", "flow", "--study", shared, "--json").out)
    assert {each["name"]: each["study"] for each in told["figures"]} == {"flow_sd": 0.06, "flow_hours": 168.0}
    assert "external supply 1.331e+09" in told["notes"][0]
    given = call("calibrate", "--pool", pool, "--fit", "flow", "--study", shared, "--external-supply", "1e9").out
    assert "external supply 1e+09" in given
    assert "; the study has 0.06, " in given
    hazard = call("calibrate", "--history", points, "--fit", "hazard", "--study", shared).out
    assert "hazard_price" in hazard
    assert "; the study has 0.2, " in hazard
    missing = call("calibrate", "--pool", "nowhere.csv", "--fit", "lp-flight")
    assert (missing.status, "no such file" in missing.err, "Traceback" in missing.err) == (2, True, False)


def test_doubtful_data_give_comments_in_place_of_toml(pool, call):
    """A supply in another unit than the pool's: exit 0, the reason, and nothing that could be pasted, as text and as JSON."""
    done = call("calibrate", "--pool", pool, "--fit", "flow", "--external-supply", "1330")
    assert done.status == 0
    assert "# nothing to paste: a pool of 1e+09 beside an external supply of 1330" in done.out
    assert "set = {" not in done.out
    told = json.loads(call("calibrate", "--pool", pool, "--fit", "flow", "--external-supply", "1330", "--json").out)
    assert len(told["doubts"]) == 1
    assert "[[scenario]]" not in told["toml"]


def test_a_slip_of_one_row_ends_the_fit(call, tmp_path):
    """A supply of a millionth for a day: its row is named, and nothing is fitted to it."""
    rows = (
        "2022-05-01,1,2.7e9\n2022-05-02,0.98,2.5e9\n2022-05-03,0.95,2008\n2022-05-04,0.9,1.6e9\n2022-05-05,0.96,1.4e9\n2022-05-06,1,1.4e9\n"
    )
    (tmp_path / "slip.csv").write_text("date,price,supply\n" + rows)
    done = call("calibrate", "--history", tmp_path / "slip.csv", "--fit", "hazard")
    assert (done.status, done.out) == (2, "")
    assert "slip.csv:4: supply: a slip of one row; found 2008" in done.err
