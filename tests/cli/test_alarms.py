"""``amo-opt alarms`` as a person calls it."""

from __future__ import annotations

import json
import re

import pytest

from amo_opt.report.monitor import FILE


def _monitor(**changes):
    trigger = {
        "name": "pool-price", "what": "Pool price in dollars", "comparison": "below", "threshold": 0.995, "hours": 1, "source": "a test",
        "reads": {"series": "price", "unit": "USD", "computed": "as it is", "calls": []}, "action": {"kind": "hold", "text": "look"},
    }  # fmt: skip
    cover = {**trigger, "name": "cover-limit", "reads": {**trigger["reads"], "series": "external_cr"}}
    study = {"name": "x", "hash": "0" * 64, "results": "0" * 64}
    return {"schema": 1, "study": study, "set": "current", "set_name": "now", "chain_id": 1, "unit": "USD", "values": "of a test",
            "triggers": [trigger, cover]} | changes  # fmt: skip


@pytest.fixture
def report(tmp_path):
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / FILE).write_text(json.dumps(_monitor()), encoding="utf-8")
    return folder


def _csv(folder, name, prices):
    rows = "".join(f"2022-05-{1 + hour // 24:02d}T{hour % 24:02d}:00:00Z,{price}\n" for hour, price in enumerate(prices))
    file = folder / name
    file.write_text(f"timestamp,price\n{rows}", encoding="utf-8")
    return file


@pytest.fixture
def prices(tmp_path):
    """A false alarm at 10 h, a depeg at 104 h, foretold at 100 h."""
    return _csv(tmp_path, "prices.csv", [0.994 if hour in {10, 100} else 0.98 if hour == 104 else 1.0 for hour in range(300)])


def test_a_report_s_triggers_are_scored(report, prices, call):
    """Counts by record, shares with their intervals, and what was not scored and why; published scores with their place."""
    told = call("alarms", "--history", prices, "--report", report)
    assert told.status == 0, told.err
    assert "pool-price: price of the stablecoin below 0.995" in told.out
    assert "1 of 2, 0.50 (0.01 to 0.99)" in told.out
    assert "1 of 1, 1.00 (0.03 to 1.00)" in told.out
    assert "0.67 (0.01 to 1.00)" in told.out
    assert "cover-limit: external_cr below 0.995: not scored, no history of prices or balances holds it" in told.out
    assert "few depegs (pool-price 1)" in told.out
    assert "results/pool_results.csv @f29b724b" in told.out
    assert "0.265" in told.out


def test_json_is_one_document(report, prices, call):
    """Times of alarms and depegs, so that each can be looked at."""
    told = json.loads(call("alarms", "--history", prices, "--report", report, "--within", "4", "--json").out)
    assert (told["schema"], told["within_hours"], told["depeg"]["below"]) == (1, 4, 0.99)
    (found,) = told["triggers"]
    assert found["precision"] == {"value": 0.5, "interval": pytest.approx([0.01257912, 0.98742088]), "hits": 1, "n": 2}
    assert found["precision_by_lot"] == 5 / 296
    assert found["records"][0]["depegs"] == ["2022-05-05T08:00:00Z"]
    assert found["records"][0]["alarms"] == ["2022-05-01T10:00:00Z", "2022-05-05T04:00:00Z"]
    assert found["records"][0]["lead_hours"] == [4]
    assert [each["name"] for each in told["not_scored"]] == ["cover-limit"]
    assert [each["f1"] for each in told["published"]] == [0.213, 0.265, 0.214]


def test_without_a_depeg_it_says_so(report, tmp_path, call):
    """And how often it cried all the same."""
    told = call(
        "alarms", "--history", _csv(tmp_path, "calm.csv", [0.994 if hour == 10 else 1.0 for hour in range(300)]), "--report", report
    )
    assert "nothing to score" in told.out
    (row,) = (re.split(r" {2,}", line.strip()) for line in told.out.splitlines() if "nothing to score" in line)
    assert (row[2], len(row), row[-1].split()[0]) == ("no depeg", 8, "29.2"), "false alarms a year stand in the last column"
    found = json.loads(call("alarms", "--history", tmp_path / "calm.csv", "--report", report, "--json").out)["triggers"][0]
    assert (found["scored"], found["precision"]["value"], found["f1"]["value"]) == (False, None, None)
    assert found["false_alarms_a_year"]["value"] == pytest.approx(8766 / 300)


def test_several_histories_add_up(report, prices, tmp_path, call):
    """A row each and one for all."""
    other = _csv(tmp_path, "other.csv", [0.994 if hour == 50 else 1.0 for hour in range(200)])
    told = json.loads(call("alarms", "--history", prices, "--history", other, "--report", report, "--json").out)["triggers"][0]
    assert [each["record"] for each in told["records"]] == ["prices", "other"]
    assert (told["precision"]["hits"], told["precision"]["n"], told["hours_watched"]) == (1, 3, 500)
    assert "\n all" in call("alarms", "--history", prices, "--history", other, "--report", report).out


def test_a_study_s_own_triggers_need_no_report(shared, prices, tmp_path, call):
    """Where unwinding begins, and what the Curve AMO keeps; a fall is a depeg by another name."""
    pool = tmp_path / "pool.csv"
    rows = "".join(f"2022-05-{1 + hour // 24:02d}T{hour % 24:02d}:00:00Z,{70 if 40 <= hour < 100 else 50},50\n" for hour in range(300))
    pool.write_text(f"timestamp,pool_stable,pool_base\n{rows}", encoding="utf-8")
    told = json.loads(
        call("alarms", "--history", prices, "--pool", pool, "--study", shared, "--fall", "150", "--within", "72", "--json").out
    )
    assert told["depeg"] == {"below": None, "fall_bp": 150.0, "over_hours": 24, "hours": 1}
    found = {each["name"]: each for each in told["triggers"]}
    assert (found["unwind-price"]["threshold"], found["unwind-price"]["records"][0]["lead_hours"]) == (0.985, [0])
    assert (found["pool-share"]["hours"], found["pool-share"]["records"][0]["lead_hours"]) == (39, [104 - 78])
    alone = json.loads(call("alarms", "--history", pool, "--amplification", "10", "--study", shared, "--json").out)
    assert any("share and price are one figure" in note for note in alone["notes"])


def test_a_history_given_twice_is_refused(report, prices, call):
    """Its depegs would count twice."""
    done = call("alarms", "--history", prices, "--history", prices, "--report", report)
    assert (done.status, done.out) == (2, "")
    assert "found two called 'prices'" in done.err


def test_days_are_left_out(report, prices, call):
    """What is before a day, and from a day on."""
    told = json.loads(
        call("alarms", "--history", prices, "--report", report, "--since", "2022-05-02", "--until", "2022-05-06", "--json").out
    )
    assert (told["triggers"][0]["hours_watched"], told["triggers"][0]["precision"]["n"]) == (96, 1)
    done = call("alarms", "--history", prices, "--report", report, "--since", "2023-05-02")
    assert (done.status, done.out) == (2, "")
    assert "prices: no hour with a price is left" in done.err


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        ((), "--report and --study: found neither"),
        (("--report", "r", "--study", "s"), "--report and --study: found both"),
        (("--report", "r", "--params", "p"), "--params: without --study"),
        (("--report", "r", "--level", "0.99", "--fall", "50"), "--level and --fall: found both"),
        (("--report", "r", "--over", "5"), "--over: without --fall"),
        (("--report", "nowhere"), "nowhere: no such file or directory"),
        (("--report", "r", "--within", "-1"), "--within"),
    ],
)
def test_a_wrong_call_is_2(prices, call, arguments, fragment):
    """One message that names the option or the file."""
    done = call("alarms", "--history", prices, *arguments)
    assert (done.status, done.out) == (2, "")
    assert fragment in done.err


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        ("{", "not JSON"),
        ("[]", "the document: "),
        (json.dumps(_monitor(schema=2)), "schema: input should be 1; allowed: a monitor.json of schema 1"),
        (json.dumps(_monitor(extra=1)), "extra: extra inputs are not permitted"),
        (json.dumps(_monitor()).replace("0.995", "NaN", 1), "triggers.0.threshold: input should be a finite number"),
        (json.dumps(_monitor(triggers=[])), "monitor.json holds no trigger"),
    ],
)
def test_a_monitor_json_that_is_none_is_refused(report, prices, call, content, fragment):
    """In one sentence that names the file and the key."""
    (report / FILE).write_text(content, encoding="utf-8")
    done = call("alarms", "--history", prices, "--report", report)
    assert (done.status, done.out) == (2, "")
    assert fragment in done.err
    assert len(done.err.splitlines()) == 1
    assert FILE in done.err


def test_a_report_of_before_says_what_to_do(tmp_path, prices, call):
    """A folder without the file."""
    done = call("alarms", "--history", prices, "--report", tmp_path)
    assert "write the report again with this version: amo-opt report STUDY.toml" in done.err
