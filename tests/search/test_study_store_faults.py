"""Faults under an SQLite storage, by real processes and file systems: one clear message, and earlier trials are there afterwards."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest

from amo_opt.errors import StorageError
from amo_opt.search.coordinator import search
from amo_opt.search.study_store import StudyStore

LOCKER = """
    import sqlite3, sys, time
    with sqlite3.connect(sys.argv[1], isolation_level=None) as database:
        database.execute("begin exclusive")
        print("locked", flush=True)
        time.sleep(600)
"""
HOLDER = """
    import sys, time
    sys.path.insert(0, sys.argv[2])
    from conftest import build_study
    from amo_opt.search.study_store import StudyStore
    with StudyStore(build_study(), sys.argv[1]).locked():
        print("locked", flush=True)
        time.sleep(600)
"""


def child(code, *arguments):
    """A process that has said its first line."""
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline()
    return process


@pytest.fixture
def begun(make_study, make_toy, tmp_path):
    """A storage with its first batch, and its file."""
    file = tmp_path / "record.db"
    search(make_study(), store=StudyStore(make_study(), f"sqlite:///{file}"), trials=8, evaluate=make_toy())
    return file


def test_a_file_that_another_process_locks_is_waited_for(begun, make_study, make_toy, caplog):
    """Told once, then on: nothing lost. Past the bound: one message, and the earlier trials stay."""
    study, address = make_study(), f"sqlite:///{begun}"
    store, brief = StudyStore(study, address), StudyStore(study, address, wait=0.0)
    locker = child(LOCKER, begun)
    try:
        with pytest.raises(StorageError, match=r"record\.db did not answer for 0 s: database is locked; what was written is kept"):
            search(study, store=brief, trials=16, evaluate=make_toy())
        timer = threading.Timer(3.0, locker.kill)
        timer.start()
        with caplog.at_level(logging.WARNING, logger="amo_opt"):
            assert len(search(study, store=store, trials=16, evaluate=make_toy())) == 16
        assert [word in caplog.text for word in ("does not answer since", "database is locked", "answers again")] == [True] * 3
    finally:
        locker.kill()
        locker.wait()
        locker.stdout.close()
    assert len(StudyStore(study, address).frozen()) == 16


def test_a_second_run_is_refused_and_a_killed_one_holds_nothing(begun, make_study):
    """While the first lives the second is refused at its start; after kill -9 of the first the next one goes."""
    study, address = make_study(), f"sqlite:///{begun}"
    holder = child(HOLDER, address, os.path.dirname(__file__))  # noqa: PTH120
    try:
        refusal = r"another run of study 'synthetic' is working on the storage .*record\.db.*--storage"
        with pytest.raises(StorageError, match=refusal), StudyStore(study, address).locked():
            pass
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        holder.stdout.close()
    with StudyStore(study, address).locked(), pytest.raises(StorageError, match="another run"), StudyStore(study, address).locked():
        pass
    assert [entry.name for entry in begun.parent.iterdir()] == ["record.db"]


def test_a_full_disk_is_named_and_loses_nothing(mount, fill, make_study, make_toy):
    """The disk fills up between two batches: one message with file and reason; with room again the same call ends as an undisturbed one."""
    folder = mount("size=1m")
    study, address, filler = make_study(), f"sqlite:///{folder / 'record.db'}", folder / "filler"
    toy = make_toy()

    def evaluate(sets):
        if toy.calls == 3:
            fill(folder)
        return toy(sets)

    with pytest.raises(StorageError, match=r"record\.db cannot be used: (database or disk is full|disk I/O error)"):
        search(study, store=StudyStore(study, address), trials=80, evaluate=evaluate)
    filler.unlink()
    kept = len(StudyStore(study, address).frozen())
    assert kept >= 16
    again = make_toy()
    assert search(study, store=StudyStore(study, address), trials=40, evaluate=again) == search(
        study, store=StudyStore(study, "sqlite://"), trials=40, evaluate=make_toy()
    )
    assert len(again.asked) == 40 - kept


def test_a_read_only_file_system_is_named(mount, make_study, make_toy):
    """A storage there opens and refuses the next trial; without a storage none can be made."""
    folder = mount("size=1m")
    study, address = make_study(), f"sqlite:///{folder / 'record.db'}"
    first = StudyStore(study, address)
    search(study, store=first, trials=8, evaluate=make_toy())
    first._storage.engine.dispose()  # a file that is open for writing keeps its file system writable
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    store = StudyStore(study, address)
    refusal = r"record\.db cannot be used: attempt to write a readonly database; check the place is writable"
    with pytest.raises(StorageError, match=refusal), store.locked():
        search(study, store=store, trials=16, evaluate=make_toy())
    with pytest.raises(StorageError, match=r"other\.db cannot be used: unable to open database file"):
        StudyStore(study, f"sqlite:///{folder / 'other.db'}")
    assert len(StudyStore(study, address).frozen()) == 8
