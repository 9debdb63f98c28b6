"""`amo-opt run` and `report` called: quiet, verbose, as one short document, and quick."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from amo_opt import load_study
from amo_opt.report.write import FILES


def test_a_quiet_run_has_no_progress_and_its_log(shared, finished, call, tmp_path):
    """Nothing on stderr, two lines on stdout; phases are timed all the same."""
    called = call("run", shared, "--trials", "1", "--out", tmp_path / "report", "-q")
    assert (called.status, called.err, len(called.out.splitlines())) == (0, "", 2)
    assert "search: " in (tmp_path / "report.log").read_text()
    loud = call("run", shared, "--trials", "1", "--out", tmp_path / "report", "-v")
    assert "phase" in loud.out.split()


@pytest.mark.parametrize("command", ["run", "report"])
@pytest.mark.parametrize(("options", "message"), [(["--full"], "--full: without --json"), (["-q", "-v"], "found both")])
def test_options_that_do_nothing_are_refused(shared, call, command, options, message):
    """Exit 2 before anything is read."""
    called = call(command, shared, *options)
    assert (called.status, called.out) == (2, "")
    assert message in called.err


def test_json_is_short_and_holds_what_a_script_asks(finished, shared, call):
    """Verdict, title, sets, differences with intervals as results.json has them, the path, and a hash of every file."""
    _, folder = finished
    called = call("report", shared, "--out", folder, "--json")
    found = json.loads(called.out)
    whole = json.loads((folder / "results.json").read_text())
    assert (found["schema"], found["verdict"]) == (1, whole["verdict"]["outcome"])
    assert found["study"] == {**{key: whole["study"][key] for key in ("name", "hash", "seed")}, "unit": "USD", "quick": False}
    assert found["title"] in (folder / "report.html").read_text()
    assert found["current"]["parameters"] == whole["current"]
    best = next(each for each in whole["candidates"] if each["id"] == found["best"]["id"])
    assert found["best"]["parameters"] == best["parameters"]
    assert {each["parameter"] for each in found["changes"]} == {
        name for name, value in best["parameters"].items() if value != whole["current"][name]
    }
    assert set(found["differences"]) == {"yield", "peg_cvar95_bps"}
    assert all({"value", "interval", "n", "tolerance", "verdict"} == set(each) for each in found["differences"].values())
    assert found["report"] == str(folder / "report.html")
    assert set(found["sha256"]) == {entry.name for entry in folder.iterdir()} <= set(FILES)
    for name, digest in found["sha256"].items():
        assert digest == hashlib.sha256((folder / name).read_bytes()).hexdigest()
    assert len(called.out) < 0.2 * len((folder / "results.json").read_text())
    assert called.err.splitlines()[-1] == f"report: {folder / 'report.html'}"


def test_a_quick_run_is_another_study_with_a_report_of_its_own(shared, call, tmp_path, monkeypatch):
    """Paths and draws are part of the identity: its record is beside that of the whole run, `report --quick` finds it, `report` does not."""
    monkeypatch.chdir(tmp_path)
    called = call("run", shared, "--quick", "--trials", "2")
    assert called.status == 0, called.err
    assert {entry.name for entry in (tmp_path / "reports").iterdir()} == {f"frax-2022-quick{end}" for end in ("", ".db", ".log")}
    assert re.match(r"(no change|recommended|undecidable) \(quick run\): ", called.out.splitlines()[1])
    assert called.out.splitlines()[-1] == f"next: amo-opt run {shared}"
    folder = tmp_path / "reports" / "frax-2022-quick"
    document = json.loads((folder / "results.json").read_text())
    assert document["study"]["quick"] is True
    assert document["study"]["hash"] != load_study(shared).hash
    assert "QUICK RUN" in (folder / "report.html").read_text()
    assert "**○ QUICK RUN**" in (folder / "proposal.md").read_text()
    again = call("report", shared, "--quick")
    assert again.status == 0, again.err
    whole = call("report", shared, "--out", folder)
    assert (whole.status, "its file or an override differs" in whole.err) == (2, True)
