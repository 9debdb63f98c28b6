"""The storage in optuna-dashboard: a real server on the storage of a small search, read through its HTTP interface."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError

import optuna
import pytest

from amo_opt import load_study
from amo_opt.search.coordinator import feasible_points, search
from amo_opt.search.dashboard_note import note_of
from amo_opt.search.study_store import METRICS, StudyStore

TRIALS = 24
STUDY = Path(__file__).resolve().parents[2] / "studies" / "frax-2022.toml"


def fetched(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return json.load(answer)


@pytest.fixture
def dashboard(need_module):
    """Starts the dashboard on an address and gives its port once it answers; it ends with the test."""
    need_module("optuna_dashboard", "test")
    started = []

    def start(address):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        program = Path(sys.executable).with_name("optuna-dashboard")
        command = [str(program), address, "--host", "127.0.0.1", "--port", str(port)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        started.append(process)
        deadline = time.monotonic() + 30.0
        while time.monotonic() < deadline:
            assert process.poll() is None, process.stderr.read()
            try:
                fetched(port, "/api/meta")
            except URLError:
                time.sleep(0.05)
            else:
                return port
        raise AssertionError("the dashboard does not answer")

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=10)


def test_the_dashboard_shows_the_record(make_study, make_toy, tmp_path, dashboard):
    """Name, both directions with their names, every trial with its figures and constraints; by its constraints the feasible are ours.

    Its list of best trials (0.21) ignores constraints, so that is not asked for.
    """
    study, address = make_study(), f"sqlite:///{tmp_path / 'record.db'}"
    note = note_of(load_study(STUDY)) + "x" * 5000  # in pieces
    trials = search(study, store=StudyStore(study, address, note=note), trials=TRIALS, evaluate=make_toy())
    numbers, _ = feasible_points(trials)
    assert 0 < len(numbers) < TRIALS

    port = dashboard(address)
    (summary,) = fetched(port, "/api/studies")["study_summaries"]
    shown = fetched(port, f"/api/studies/{summary['study_id']}")
    assert (summary["study_name"], shown["name"]) == (study.name, study.name)
    assert summary["directions"] == shown["directions"] == ["maximize", "minimize"]
    assert shown["objective_names"] == list(METRICS)
    assert shown["note"] == {"version": 1, "body": note}
    assert [each["number"] for each in shown["trials"]] == list(range(TRIALS))
    for ours, theirs in zip(trials, shown["trials"], strict=True):
        assert theirs["state"] == "Complete"
        assert theirs["values"] == [ours.score.yield_annual, ours.score.peg_risk_bps]
        assert theirs["constraints"] == list(ours.score.constraints.values())
    assert [each["number"] for each in shown["trials"] if max(each["constraints"]) <= 0.0] == numbers


def test_notes_and_artifacts_of_a_user_break_no_seal_and_stay(make_study, make_toy, tmp_path, need_module):
    """What is written in the dashboard, on the study or on a trial: the next run reads every trial, and leaves the note as it is."""
    need_module("optuna_dashboard", "test")
    from optuna.artifacts import FileSystemArtifactStore, upload_artifact
    from optuna_dashboard import get_note, save_note

    study, address = make_study(), f"sqlite:///{tmp_path / 'record.db'}"
    search(study, store=StudyStore(study, address, note="ours"), trials=3, evaluate=make_toy())
    opened = optuna.load_study(study_name=study.name, storage=address)
    assert get_note(opened) == "ours"
    save_note(opened, "mine")
    trial = opened.get_trials()[1]
    optuna.storages.get_storage(address).set_study_system_attr(opened._study_id, f"dashboard:{trial._trial_id}:note_ver", 1)
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "a.txt").write_text("a picture")
    artifacts = FileSystemArtifactStore(tmp_path / "artifacts")
    upload_artifact(artifact_store=artifacts, file_path=str(tmp_path / "a.txt"), study_or_trial=opened)
    again = StudyStore(study, address, note="ours")
    assert len(again.frozen()) == 3
    assert len(search(study, store=again, trials=4, evaluate=make_toy())) == 4
    assert get_note(optuna.load_study(study_name=study.name, storage=address)) == "mine"
