"""kill -9 at random moments over `run`, `report` and `compare --out`: the same command afterwards leaves what an undisturbed one leaves."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

TINY = {"trials": "8", "paths": "2", "transition_hours": "12", "window_hours": "72", "candidates": "2"}
AMO_OPT = [sys.executable, "-c", "from amo_opt.cli.main import main; main()"]
SHARES = {"run": 100, "report": 50, "compare": 50}
"""Kills of each command in the campaign."""
COLD = 5
"""Every so many-th kill is of a program started anew; the others are forked from one that has everything loaded, and lose no time with that."""

WARM = """
    import json, os, sys
    from amo_opt.cli.main import main

    def called(words):
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1), os.dup2(null, 2)
        sys.argv = ["amo-opt", *words]
        try:
            main()
        except SystemExit as stop:
            return stop.code
        return 0

    def fork(words):
        child = os.fork()
        if child:
            return child
        os.setsid()
        os._exit(called(words))

    for line in sys.stdin:
        order = json.loads(line)
        if order["here"]:
            out = os.dup(1), os.dup(2)
            called(order["words"])
            os.dup2(out[0], 1), os.dup2(out[1], 2)
            print(0, flush=True)
        else:
            child = fork(order["words"])
            print(child, flush=True)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Commands:
    """Starts commands, and kills them."""

    def __init__(self) -> None:
        code = "\n".join(line[4:] for line in WARM.splitlines())
        self._warm = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def _order(self, words, *, here):
        self._warm.stdin.write(json.dumps({"words": [str(word) for word in words], "here": here}) + "\n")
        self._warm.stdin.flush()
        return int(self._warm.stdout.readline())

    def close(self):
        self._warm.stdin.close()
        self._warm.wait(timeout=60)
        self._warm.stdout.close()

    def warm(self, words):
        """Runs a command in the process that the others are forked from."""
        self._order(words, here=True)

    def killed_after(self, words, seconds, *, cold=False):
        """Exit status of a command that is killed after so many seconds, if it still runs then (None = never)."""
        if cold:
            with subprocess.Popen([*AMO_OPT, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                try:
                    process.wait(timeout=seconds)
                except subprocess.TimeoutExpired:
                    process.kill()
            return process.returncode
        child = self._order(words, here=False)
        if seconds is not None:
            time.sleep(seconds)
            with contextlib.suppress(ProcessLookupError):  # it has ended
                os.kill(child, signal.SIGKILL)
        return int(self._warm.stdout.readline())


@pytest.fixture
def commands():
    started = Commands()
    yield started
    started.close()


class Place:
    """A folder in which one of the commands works, and what it must hold afterwards."""

    def __init__(self, folder, study, parameters):
        self.folder, self.study = folder, study
        self.report, self.verdict = folder / "report", folder / "verdict"
        self.words = {
            "run": ["run", study, "--out", self.report, "--workers", "1"],
            "report": ["report", study, "--out", self.report],
            "compare": [
                *("compare", study.parent / "parameters" / "frax-current.toml", parameters, "--study", study),
                *("--paths", "12", "--out", self.verdict, "--workers", "1", "--exit-zero"),
            ],
        }

    def files(self):
        """Every file's bytes by its place; the log tells durations and is only there or not, the storage is read by its trials."""
        found = {str(file.relative_to(self.folder)): file for file in sorted(self.folder.rglob("*")) if file.is_file()}
        return {name: b"" if name in {"report.log", "report.db"} else file.read_bytes() for name, file in found.items()}

    def trials(self):
        """How often the storage holds each trial."""
        with sqlite3.connect(f"file:{self.folder / 'report.db'}?mode=ro", uri=True) as database:
            return Counter(
                json.loads(value) for (value,) in database.execute("select value_json from trial_user_attributes where key = 'number'")
            )

    def reached(self):
        """How far a run that was killed had come."""
        try:
            with sqlite3.connect(f"file:{self.folder / 'report.db'}?mode=ro", uri=True) as database:
                done = database.execute("select count(*) from trials").fetchone()[0]
                sealed = database.execute("select count(*) from study_user_attributes where key = 'certified' and value_json != 'null'")
                if sealed.fetchone()[0]:
                    return "report"
                return "certification" if done >= int(TINY["trials"]) else "search" if done else "start"
        except sqlite3.Error:
            return "start"

    def sound(self, expected):
        """Right after a kill: what stands under a report's or a verdict's name is whole. Raises where it is not."""
        for name, content in self.files().items():
            if name in expected:
                assert content == expected[name], f"{name} is half written"
        if self.report.exists():
            assert {entry.name for entry in self.report.iterdir()} == {Path(name).name for name in expected if name.startswith("report/")}


@pytest.fixture
def arena(write_study, tmp_path, commands):
    """A tiny study with its undisturbed files by command, their lengths in seconds, and a way to make a fresh place for a command."""
    base = Path(os.environ.get("AMO_OPT_CAMPAIGN_DIR", tmp_path))
    study = write_study(tmp_path / "studies", **TINY)
    parameters = tmp_path / "other.toml"
    text = (study.parent / "parameters" / "frax-current.toml").read_text(encoding="utf-8")
    parameters.write_text(text.replace("aave_cap = 0.201 ", "aave_cap = 0.101 ").replace("frax-current", "lends-less"), encoding="utf-8")
    first = Place(Path(tempfile.mkdtemp(prefix="undisturbed-", dir=base)), study, parameters)
    expected, lengths = {}, {}
    for name in SHARES:
        commands.warm(first.words[name])  # and so every later one finds all compiled
        commands.warm(first.words[name])
    for name in SHARES:
        clean = Place(Path(tempfile.mkdtemp(prefix="measured-", dir=base)) / name, study, parameters)
        clean.folder.mkdir()
        if name == "report":
            (clean.folder / "report.db").write_bytes((first.folder / "report.db").read_bytes())
        began = time.monotonic()
        assert commands.killed_after(clean.words[name], None) == 0
        lengths[name] = time.monotonic() - began
        expected[name] = clean.files()
    assert expected["report"] == {name: content for name, content in expected["run"].items() if name != "report.log"}

    def make(name):
        place = Place(Path(tempfile.mkdtemp(prefix=f"{name}-", dir=base)), study, parameters)
        if name == "report":
            (place.folder / "report.db").write_bytes((first.folder / "report.db").read_bytes())
        return place

    return base, expected, lengths, make


def after(place, name, commands, expected):
    """The same command again, undisturbed: everything as it should be and nothing else, no trial lost or double."""
    place.sound(expected[name])
    assert commands.killed_after(place.words[name], None) == 0
    found = place.files()
    assert found.keys() == expected[name].keys()
    assert found == expected[name]
    if name != "compare":
        assert place.trials() == Counter(range(int(TINY["trials"])))


@pytest.mark.campaign
@pytest.mark.parametrize("name", SHARES)
def test_two_hundred_kills(arena, commands, name):
    """Moments spread over the length of an undisturbed command, in a fresh folder each, so every part of it is hit in proportion.

    AMO_OPT_CAMPAIGN_DIR keeps the count.
    """
    base, expected, lengths, make = arena
    file = base / f"kills-{name}.json"
    tally = json.loads(file.read_text()) if file.exists() else {"kills": 0, "too late": 0, "cold": 0, "reached": {}}
    started_anew = 0.0
    while tally["kills"] < SHARES[name]:
        number = tally["kills"]
        rng = random.Random(f"{name} {number} {tally['too late']}")
        place = make(name)
        cold = number % COLD == 0
        if cold and not started_anew:
            began = time.monotonic()
            assert commands.killed_after(make(name).words[name], None, cold=True) == 0
            started_anew = time.monotonic() - began
        # golden-ratio steps: evenly spread whatever the number reached
        share = (0.618033988749895 * (number + tally["too late"]) + 0.05 * rng.random()) % 1.0
        status = commands.killed_after(place.words[name], share * (started_anew if cold else lengths[name]), cold=cold)
        if status == -signal.SIGKILL:
            tally["kills"] += 1
            tally["cold"] += cold
            part = place.reached() if name == "run" else name
            tally["reached"][part] = tally["reached"].get(part, 0) + 1
        else:
            tally["too late"] += 1
            lengths[name] *= 1.0 if cold else 0.95  # it was measured while the machine had more to do
        after(place, name, commands, expected)
        file.write_text(json.dumps(tally))
    print(f"\n{name}: {tally}: no trial lost or double, nothing half written or left behind, the same bytes")  # noqa: T201 - a campaign reports


def seen(condition, process):
    """Whether something came to be so while the process lived; it may pass within a millisecond."""
    while not condition():
        if process.poll() is not None:
            return False
        time.sleep(0.0002)
    return True


def test_three_kills(finished, shared, call, tmp_path):
    """In certification, while the report is written again, while a comparison is: the same command afterwards, and nothing is left behind."""
    _, done = finished
    place = Place(tmp_path / "place", shared, shared.parent / "parameters" / "frax-current.toml")
    place.folder.mkdir()
    expected = {f"report/{file.name}": file.read_bytes() for file in done.iterdir()}
    expected |= {"report.db": b"", "report.log": b""}

    def kill_at(name, condition):
        for _ in range(10):
            with subprocess.Popen(
                [*AMO_OPT, *map(str, place.words[name])], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ) as process:
                if seen(condition, process):
                    process.kill()
            if process.returncode == -signal.SIGKILL:
                return
        pytest.fail(f"{name} ended ten times before it could be killed")

    log = place.folder / "report.log"
    kill_at("run", lambda: log.exists() and "search: " in log.read_text())
    assert not place.report.exists()
    assert call(*place.words["run"]).status == 0
    assert place.files() == expected
    kill_at("report", lambda: next(place.folder.glob(".report.*.writing"), None) is not None)
    place.sound(expected)
    assert call(*place.words["report"]).status == 0
    assert place.files() == expected
    assert call(*place.words["compare"]).status == 0
    expected |= {name: content for name, content in place.files().items() if name.startswith("verdict/")}
    assert {"verdict/run.json", "verdict/verdict.json"} <= expected.keys()
    kill_at("compare", lambda: next(place.verdict.glob(".*.writing"), None) is not None)
    place.sound(expected)
    assert call(*place.words["compare"]).status == 0
    assert place.files() == expected
    with sqlite3.connect(f"file:{place.folder / 'report.db'}?mode=ro", uri=True) as database:
        numbers = database.execute("select value_json from trial_user_attributes where key = 'number'").fetchall()
    assert sorted(int(value) for (value,) in numbers) == list(range(16))
