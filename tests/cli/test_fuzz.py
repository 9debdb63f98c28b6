"""Files gone wrong, 100,000 of them: every call ends with 0, 1 or 2 and a message, in time and within memory.

A campaign (`pytest -m campaign -k fuzz`), and a short one of the same in the default suite. The campaign keeps what is done in the folder
named by AMO_OPT_CAMPAIGN_DIR, where that is set, and goes on from there; AMO_OPT_FUZZ_FILES asks for another number of files. What a
campaign found stays in ``corpus/`` as files that are tried on every run.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from mutations import CSV, TOML, mutate

CORPUS = Path(__file__).parent / "corpus"
FILES = 99_000
PROCESSES = 1_000
QUICK, QUICK_PROCESSES = 150, 2
SECONDS = 60
BYTES = 2 * 2**30
HISTORY = """timestamp,usdc,share_price,price,supply,pool_stable,pool_base
2023-03-10T22:00:00Z,1.0,8.5,0.999,1000000000,500000000,500000000
2023-03-11T03:00:00Z,0.95,8.1,0.96,990000000,520000000,470000000
2023-03-11T07:30:00Z,0.88,7.0,0.88,,,
2023-03-12T00:00:00Z,0.97,7.8,0.975,960000000,540000000,430000000
"""
TINY = {"paths": "1", "transition_hours": "12", "window_hours": "48", "trials": "2"}
GATES = """schema = 1

[[gate]]
metric = "breach_probability"
class = "safety"
tolerance = 0.005
direction = "lower"

[[gate]]
metric = "caps_plus_buffer"
class = "safety"
max = 1.0

[[gate]]
metric = "yield"
class = "economic"
"""
KINDS = ("study", "state", "parameters", "history", "gates")


class LateError(Exception):
    """A call took longer than it may."""


@pytest.fixture(scope="session")
def place(tmp_path_factory, write_study):
    """A folder with a sound file of every kind."""
    folder = tmp_path_factory.mktemp("fuzz")
    study = write_study(folder, **TINY)
    text = study.read_text()
    head, *scenarios = text.split("[[scenario]]")
    study.write_text("[[scenario]]".join([head, scenarios[0]]))
    (folder / "history.csv").write_text(HISTORY)
    (folder / "gates.toml").write_text(GATES)
    return folder


def files_of(folder):
    return {
        "study": folder / "frax-2022.toml",
        "state": folder / "states" / "frax-2022-05-11.toml",
        "parameters": folder / "parameters" / "frax-current.toml",
        "history": folder / "history.csv",
        "gates": folder / "gates.toml",
    }


def calls_of(kind, folder, wrong):
    """The calls that read the file at ``wrong`` in place of the sound one of its kind."""
    sound = files_of(folder)
    if kind == "history":
        return [
            ["backtest", sound["study"], "--history", wrong, "--paths", 1, "--json"],
            ["calibrate", "--history", wrong, "--fit", "hazard"],
        ]
    calls = [["validate", wrong]]
    if kind == "study":
        calls.append(["simulate", sound["parameters"], "--study", wrong, "--paths", 1, "--json"])
    elif kind == "gates":
        calls.append(
            ["compare", sound["parameters"], sound["parameters"], "--study", sound["study"], "--gates", wrong, "--paths", 1, "--json"]
        )
    elif kind == "state":
        calls.append(["simulate", sound["parameters"], "--study", folder / "wrong-state.toml", "--paths", 1, "--json"])
    else:
        calls.append(["simulate", wrong, "--study", sound["study"], "--paths", 1, "--json"])
    return calls


def spoil(folder, number):
    """The kind and the place of file ``number``; it depends on the number alone."""
    rng = np.random.default_rng([20_261_121, number])
    kind = KINDS[int(rng.integers(len(KINDS)))]
    sound = files_of(folder)[kind]
    wrong = sound.with_name(f"wrong{sound.suffix}")
    wrong.write_bytes(mutate(rng, sound.read_bytes(), CSV if kind == "history" else TOML))
    if kind == "state":
        study = files_of(folder)["study"].read_text()
        (folder / "wrong-state.toml").write_text(study.replace("states/frax-2022-05-11.toml", "states/wrong.toml"))
    return kind, wrong


def trouble(status, told):
    """What is wrong with how a call ended, or nothing."""
    if status not in {0, 1, 2}:
        return f"exit {status}"
    for word in ("Traceback", "internal error", "RuntimeWarning"):
        if word in told:
            return f"{word}: {told[-300:]}"
    if status and not told.strip():
        return f"exit {status} without a word"
    return ""


def alarm(*_):
    raise LateError


def fuzz(call, folder, first, last):
    """Counts by kind and exit status, and what was found, of files ``first`` to ``last - 1``, in this process."""
    counts, found = Counter(), []
    before = signal.signal(signal.SIGALRM, alarm)
    try:
        for number in range(first, last):
            kind, wrong = spoil(folder, number)
            for words in calls_of(kind, folder, wrong):
                signal.alarm(SECONDS)
                try:
                    ended = call(*words)
                    problem = trouble(ended.status, ended.err if ended.status else "")
                    counts[f"{kind} {words[0]} {ended.status}"] += 1
                    sound = ended.status == 0
                except LateError:
                    problem, sound = f"over {SECONDS} s", False
                finally:
                    signal.alarm(0)
                if problem:
                    found.append(f"file {number} ({kind}), {words[0]}: {problem}")
                if not sound:
                    break
    finally:
        signal.signal(signal.SIGALRM, before)
    return counts, found


def fuzz_processes(folder, first, last):
    """The same as real processes, whose memory is measured."""
    counts, found = Counter(), []
    for number in range(first, last):
        kind, wrong = spoil(folder, number)
        call = calls_of(kind, folder, wrong)[-1]
        command = [sys.executable, "-c", "from amo_opt.cli.main import main; main()", *map(str, call)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        problem = trouble(ended.returncode, ended.stderr)
        counts[f"{kind} {call[0]} {ended.returncode}"] += 1
        if problem:
            found.append(f"file {number} ({kind}), {call[0]}: {problem}")
    if resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 > BYTES:
        found.append(f"a process took over {BYTES} bytes among files {first} to {last}")
    return counts, found


def test_files_gone_wrong_are_refused_or_run(place, call):
    """A few hundred, in this process and as processes."""
    counts, found = fuzz(call, place, 0, QUICK)
    more, also = fuzz_processes(place, 10**6, 10**6 + QUICK_PROCESSES)
    assert not found + also, found + also
    assert sum(counts.values()) >= QUICK
    assert sum(more.values()) == QUICK_PROCESSES
    statuses = {key.rsplit(" ", 1)[1] for key in counts}
    assert statuses == {"0", "1", "2"}, counts


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*")), ids=lambda path: path.name)
def test_what_was_found_once_stays_found(place, call, file):
    """Each file of the corpus (``KIND-what-was-wrong.suffix``) once broke a call."""
    kind = file.name.split("-")[0]
    wrong = files_of(place)[kind].with_name(f"wrong{file.suffix}")
    wrong.write_bytes(file.read_bytes())
    if kind == "state":
        study = files_of(place)["study"].read_text()
        (place / "wrong-state.toml").write_text(study.replace("states/frax-2022-05-11.toml", "states/wrong.toml"))
    for words in calls_of(kind, place, wrong):
        ended = call(*words)
        assert not trouble(ended.status, ended.err if ended.status else ""), ended
        if ended.status:
            break


@pytest.mark.campaign
def test_campaign_of_files_gone_wrong(place, call):
    """99,000 in this process, 1,000 as processes."""
    kept = os.environ.get("AMO_OPT_CAMPAIGN_DIR")
    file = Path(kept) / "fuzz.json" if kept else None
    wanted = int(os.environ.get("AMO_OPT_FUZZ_FILES", FILES))
    state = json.loads(file.read_text()) if file is not None and file.exists() else {"files": 0, "processes": 0, "counts": {}, "found": []}
    counts = Counter(state["counts"])
    while state["files"] < wanted or state["processes"] < PROCESSES * wanted // FILES:
        if state["files"] < wanted:
            last = min(state["files"] + 500, wanted)
            more, found = fuzz(call, place, state["files"], last)
            state["files"] = last
        else:
            last = min(state["processes"] + 20, PROCESSES * wanted // FILES)
            more, found = fuzz_processes(place, 10**6 + state["processes"], 10**6 + last)
            state["processes"] = last
        counts.update(more)
        state["found"] += found
        state["counts"] = dict(sorted(counts.items()))
        if file is not None:
            file.write_text(json.dumps(state))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"\n{state['files']:,} files, {state['processes']:,} processes, peak {peak / 2**20:.0f} MB: {state['counts']}")  # noqa: T201
    assert not state["found"], state["found"]
    assert peak < BYTES
