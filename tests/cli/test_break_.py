"""`amo-opt break`: text, one document, bad input, Ctrl-C."""

from __future__ import annotations

import json
from pathlib import Path

PARAMETERS = Path(__file__).parents[2] / "studies" / "parameters" / "frax-current.toml"


def test_text_and_document_hold_every_stress(shared, call):
    """Definition, three stresses and the run capacity, each with interval and n; progress on stderr."""
    called = call("break", shared, PARAMETERS, "--paths", "2", "--json")
    assert called.status == 0, called.err
    document = json.loads(called.out)
    assert document["schema"] == 1
    assert [each["stress"] for each in document["stresses"]] == ["run", "depeg", "freeze"]
    for each in (*document["stresses"], document["run_capacity"]):
        for point in (each["half"], each["most"]):
            assert point["interval"][0] <= point["value"] <= point["interval"][1]
            assert point["n"] == 2
    assert "freeze: 7/7 rounds" in called.err


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
