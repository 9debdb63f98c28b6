"""`amo-opt break`: text, one document, bad input, Ctrl-C."""

from __future__ import annotations

import json
from pathlib import Path

PARAMETERS = Path(__file__).parents[2] / "studies" / "parameters" / "frax-current.toml"


def test_text_and_document_hold_every_stress(shared, call):
    """Definition, three stresses and the run capacity, each with interval and n; progress on stderr."""
    called = call("break", shared, PARAMETERS, "--paths", "30", "--json")
    assert called.status == 0, called.err
    document = json.loads(called.out)
    assert document["schema"] == 1
    assert [each["stress"] for each in document["stresses"]] == ["run", "depeg", "freeze"]
    for each in (*document["stresses"], document["run_capacity"]):
        for point in (each["half"], each["most"]):
            assert point["interval"][0] <= point["value"] <= point["interval"][1]
            assert point["n"] == 30
    assert "freeze: 7/7 rounds" in called.err
    for name in ("half", "most"):
        paid = document["run_capacity"]["paid_out_24h"][name]
        assert paid["size"] == document["run_capacity"][name]["value"]
        assert paid["interval"][0] <= paid["value"] <= paid["interval"][1]


def test_another_format_is_refused_before_any_work(shared, call, monkeypatch):
    """Status 2 and one message, no simulation."""
    monkeypatch.setattr("amo_opt.search.reverse_stress.simulate", None)
    called = call("break", shared, PARAMETERS, "--plot", "curves.pdf")
    assert (called.status, "curves.pdf" in called.err, "Traceback" in called.err) == (2, True, False)


def test_a_missing_file_is_status_2(shared, call):
    """One message, no traceback."""
    called = call("break", shared, "nowhere.toml")
    assert (called.status, "nowhere.toml" in called.err, "Traceback" in called.err) == (2, True, False)


def test_ctrl_c_is_said_and_no_traceback(shared, call, monkeypatch):
    """Interrupted: status 130, nothing on stdout."""

    def stop(*_args, **_names):
        raise KeyboardInterrupt

    monkeypatch.setattr("amo_opt.search.reverse_stress.simulate", stop)
    called = call("break", shared, PARAMETERS)
    assert (called.status, called.out, called.err.strip()) == (130, "", "interrupted")


def test_too_few_paths_know_no_interval(shared, call, tmp_path):
    """Null for machines, words for people, and a drawing without bands that says so."""
    drawing = tmp_path / "curves.html"
    text = call("break", shared, PARAMETERS, "--paths", "2", "--plot", drawing).out
    assert text.count("[not known]") == 10
    assert "too few paths for intervals (n = 2 paths a stress" in drawing.read_text(encoding="utf-8")
    document = json.loads(call("break", shared, PARAMETERS, "--paths", "2", "--json").out)
    points = [each[name] for each in (*document["stresses"], document["run_capacity"]) for name in ("half", "most")]
    points += [document["run_capacity"]["paid_out_24h"][name] for name in ("half", "most")]
    assert [point["interval"] for point in points] == [None] * 10
