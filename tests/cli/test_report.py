"""`amo-opt report`: the same report out of the storage, without a path simulated."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from amo_opt.errors import AmoOptError
from amo_opt.report.write import FILES
from amo_opt.simulation import engine


@pytest.fixture
def ran(finished, tmp_path):
    """The storage of a finished run in a folder of its own, and the report it wrote."""
    _, folder = finished
    shutil.copy(folder.with_name("report.db"), tmp_path / "report.db")
    return folder, tmp_path / "report"


def test_the_report_is_written_again_to_the_byte(ran, shared, call, monkeypatch):
    """No block of paths is run, and every file is what the run wrote."""
    monkeypatch.setattr(engine, "run_block", None)
    before, folder = ran
    called = call("report", shared, "--out", folder)
    assert called.status == 0, called.err
    assert called.out.splitlines()[-2] == f"report: {folder / 'report.html'}"
    names = {entry.name for entry in before.iterdir()}
    assert {entry.name for entry in folder.iterdir()} == names <= set(FILES)
    for name in names:
        assert (folder / name).read_bytes() == (before / name).read_bytes(), name
    printed = call("report", shared, "--out", folder, "--json", "--full")
    assert json.loads(printed.out) == json.loads((before / "results.json").read_text())


def test_without_a_record_nothing_is_made(shared, call, tmp_path):
    """Exit 2, the way out, and no empty database left behind."""
    called = call("report", shared, "--out", tmp_path / "report")
    assert called.status == 2
    assert "there is no storage sqlite:///" in called.err
    assert "`amo-opt run` makes it" in called.err
    assert not list(tmp_path.glob("*.db"))


@pytest.mark.parametrize("command", ["report", "run"])
def test_the_report_of_another_study_is_left_alone(ran, small, call, command, monkeypatch):
    """Named, before anything is searched, and nothing of it is lost."""
    monkeypatch.setattr("amo_opt.search.optimise.evaluate", None)
    before, _ = ran
    study = small()
    study.write_text(study.read_text(encoding="utf-8").replace('name = "frax-2022"', 'name = "frax-next"', 1), encoding="utf-8")
    folder = Path(shutil.copytree(before, study.parent / "report"))
    held = {entry.name: entry.read_bytes() for entry in folder.iterdir()}
    called = call(command, study, "--out", folder)
    assert (called.status, called.out, len(called.err.splitlines())) == (2, "", 1)
    assert "the folder report holds the report of study 'frax-2022', this one is 'frax-next': name another folder with --out" in called.err
    assert {entry.name: entry.read_bytes() for entry in folder.iterdir()} == held
    assert not folder.with_name("report.db").exists()


@pytest.mark.parametrize("command", ["report", "run"])
def test_a_strange_epoch_is_told_before_anything_is_searched(ran, shared, call, command, monkeypatch):
    """After the last second of 9999: exit 2, one line, no report."""
    monkeypatch.setattr("amo_opt.search.optimise.evaluate", None)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "253402300800")
    _, folder = ran
    called = call(command, shared, "--out", folder)
    assert (called.status, called.out, len(called.err.splitlines())) == (2, "", 1)
    assert "SOURCE_DATE_EPOCH: not a whole number of seconds within the years 1970 to 9999; found '253402300800'" in called.err
    assert not folder.exists()


@pytest.mark.parametrize("arguments", [("scenarios",), ("pool", "state", "--stable", "1m", "--base", "1m", "-A", "50")])
@pytest.mark.parametrize("epoch", ["abc", " ", "99999999999999"])
def test_a_strange_epoch_is_told_by_every_command(call, monkeypatch, arguments, epoch):
    """NumPy reads it wherever something is compiled, Matplotlib wherever something is drawn: exit 2, one line, for them too."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    called = call(*arguments)
    assert (called.status, called.out, len(called.err.splitlines())) == (2, "", 1)
    assert f"amo-opt: SOURCE_DATE_EPOCH: not a whole number of seconds within the years 1970 to 9999; found {epoch!r}" in called.err


def test_an_empty_epoch_is_none(call, monkeypatch):
    """A variable set to nothing is taken away: NumPy would read it as a number."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "")
    assert call("scenarios").status == 0
    assert "SOURCE_DATE_EPOCH" not in os.environ


@pytest.mark.parametrize("storage", ["sqlite://", "sqlite:///:memory:", ":memory:"])
def test_a_record_in_memory_is_told_of(shared, call, tmp_path, monkeypatch, storage):
    """A run says that nothing is kept, a report that there is nothing to read; no file of that name is made."""

    def stopped(*_, **__):
        raise AmoOptError("stopped here")

    monkeypatch.setattr("amo_opt.search.optimise.optimise", stopped)
    monkeypatch.chdir(tmp_path)
    run = call("run", shared, "--out", "report", "--storage", storage)
    assert run.status == 2
    assert "is in memory, and ends with this command" in run.err
    secret = call("run", shared, "--out", "report", "--storage", "sqlite:///:memory:?token=hunter2")
    assert "note: the storage sqlite:///:memory:?*** is in memory" in secret.err
    assert "hunter2" not in secret.err
    report = call("report", shared, "--out", "report", "--storage", storage)
    assert (report.status, report.out, len(report.err.splitlines())) == (2, "", 1)
    assert "is a storage in memory, which ends with the run that made it" in report.err
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.log"]


@pytest.mark.parametrize("command", ["report", "run"])
def test_an_edited_record_is_refused(ran, shared, call, command):
    """A yield made better by hand: exit 2, one line that names the trial, no report."""
    _, folder = ran
    with sqlite3.connect(folder.with_name("report.db")) as database:
        database.execute("update trial_values set value = value + 0.01 where objective = 0 and trial_id = 4")
    called = call(command, shared, "--out", folder)
    assert (called.status, called.out, len(called.err.splitlines())) == (2, "", 1)
    assert "trial 3 of the storage" in called.err
    assert not folder.exists()


def test_another_study_s_record_is_named(ran, shared, call):
    """A seed that was not the run's is another study."""
    _, folder = ran
    called = call("report", shared, "--out", folder, "--seed", "77")
    assert called.status == 2
    assert "its file or an override differs" in called.err


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ('{"schema": 9}', "schema: found 9; allowed: 3"),
        ('{"schema": 1}', "write it anew elsewhere with `amo-opt run"),
        ("{", "cannot be read as results.json"),
    ],
)
def test_another_version_s_report_is_left_alone(ran, shared, call, document, told):
    """What another version wrote is not replaced."""
    _, folder = ran
    folder.mkdir()
    (folder / "results.json").write_text(document)
    called = call("report", shared, "--out", folder)
    assert called.status == 2
    assert told in called.err
    assert (folder / "results.json").read_text() == document
