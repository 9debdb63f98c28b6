"""PostgreSQL as the storage: a real server, stopped and started again in the middle of a run."""

from __future__ import annotations

import importlib.util
import logging
import os
import pwd
import socket
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import optuna
import pytest
from sqlalchemy import create_engine, text

from amo_opt.errors import StorageError
from amo_opt.search import study_store as store_room
from amo_opt.search.coordinator import search
from amo_opt.search.study_store import StudyStore

PROGRAMS = "usr/lib/postgresql/*/bin"


@pytest.fixture(scope="module")
def server(need, need_module, missing):
    need_module("psycopg", "postgres")
    programs = {name: need(name, folders=PROGRAMS, install="postgresql") for name in ("initdb", "pg_ctl")}
    if os.geteuid() == 0:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            missing("no user postgres to run the server as: run the tests as an ordinary user")
    spec = importlib.util.spec_from_file_location("postgres", Path(__file__).with_name("postgres.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # not pytest's folder, which is closed to other users
    with tempfile.TemporaryDirectory(prefix="amo-opt-pg-") as folder:
        Path(folder).chmod(0o755)
        server = module.Server(Path(folder) / "server", **programs)
        server.start()
        yield server
        with suppress(AssertionError):
            server.stop()


def test_a_server_that_takes_the_call_and_never_answers_is_told_within_seconds(need_module, make_study, monkeypatch):
    """A port that listens and says nothing: the driver itself would wait without end."""
    need_module("psycopg", "postgres")
    monkeypatch.setattr(store_room, "CONNECT_SECONDS", 2)  # the driver's least
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(
            StorageError, match=f"the storage postgresql\\+psycopg://127.0.0.1:{port}/x cannot be used: connection timeout expired"
        ):
            StudyStore(make_study(), f"postgresql+psycopg://amo:geheim@127.0.0.1:{port}/x")
        assert time.monotonic() - began < 10.0


def test_a_table_that_another_program_locks_is_waited_for(server, make_study, make_toy, caplog):
    """Told once, then on, as with an SQLite file: PostgreSQL itself would wait without end and without a word."""
    study = make_study(digest="4" * 64)
    object.__setattr__(study, "name", "locked")
    store = StudyStore(study, server.address)
    locker = create_engine(server.address).connect()
    locker.execute(text("lock table trials in access exclusive mode"))
    threading.Timer(3.0, locker.close).start()
    with caplog.at_level(logging.WARNING, logger="amo_opt"):
        assert len(search(study, store=store, trials=8, evaluate=make_toy())) == 8
    assert "lock timeout" in caplog.text
    assert "answers again after" in caplog.text


def test_a_server_stopped_in_mid_run_is_waited_for(server, make_study, make_toy, caplog):
    """Stopped as by a power cut after two batches, back two seconds later: the same trials, none lost, none double; told once each way."""
    study = make_study()
    toy = make_toy()
    back = []

    def evaluate(sets):
        if toy.calls == 2:
            while len(store.frozen()) < 16:  # while a trial is written Optuna itself waits for a server, and tells nobody
                time.sleep(0.05)
            server.stop()
            back.append(threading.Timer(2.0, server.start))
            back[0].start()
        return toy(sets)

    store = StudyStore(study, server.address)
    with caplog.at_level(logging.WARNING, logger="amo_opt"), store.locked():
        trials = search(study, store=store, trials=40, evaluate=evaluate)
        back[0].join()
        with (
            pytest.raises(StorageError, match="another run of study 'synthetic' is working on the storage"),
            StudyStore(study, server.address).locked(),
        ):
            pass  # the lock is back, too
    assert trials == search(study, store=StudyStore(study, "sqlite://"), trials=40, evaluate=make_toy())
    kept = optuna.load_study(study_name=study.name, storage=server.address).trials
    assert Counter(trial.user_attrs["number"] for trial in kept) == Counter(range(40))
    told = [entry.getMessage() for entry in caplog.records if entry.name == "amo_opt"]
    assert len(told) == 2, told
    assert f"the storage postgresql+psycopg://127.0.0.1:{server.port}/postgres does not answer since " in told[0]
    assert "the run waits up to 600 s and goes on by itself" in told[0]
    assert "answers again after" in told[1]
    assert "geheim" not in "".join(told)


def test_a_commit_whose_answer_was_lost_is_not_written_twice(server, make_study, make_toy, monkeypatch):
    """The trial is committed, the connection breaks before the answer: the next try finds it there."""
    study = make_study(digest="2" * 64)
    object.__setattr__(study, "name", "lost-answer")
    store = StudyStore(study, server.address)
    added = optuna.Study.add_trial
    broken = []

    def lost(self, trial):
        added(self, trial)
        if trial.user_attrs.get("number") == 3 and not broken:
            broken.append(trial)
            from sqlalchemy.exc import OperationalError

            raise OperationalError("commit", {}, Exception("server closed the connection unexpectedly"))

    monkeypatch.setattr(optuna.Study, "add_trial", lost)
    search(study, store=store, trials=8, evaluate=make_toy())
    assert broken
    kept = optuna.load_study(study_name=study.name, storage=server.address).trials
    assert [trial.user_attrs["number"] for trial in kept] == list(range(8))


@pytest.mark.campaign
def test_a_server_that_stays_away_ends_the_run_in_time(server, make_study, make_toy):
    """One message with the bound and without the password; what was written is there afterwards."""
    study = make_study(digest="3" * 64)
    object.__setattr__(study, "name", "stays-away")
    toy = make_toy()

    def evaluate(sets):
        if toy.calls == 1:
            server.stop()
        return toy(sets)

    began = time.monotonic()
    try:
        with pytest.raises(StorageError, match=r"did not answer for 1 s: .*what was written is kept") as caught:
            search(study, store=StudyStore(study, server.address, wait=1.0), trials=24, evaluate=evaluate)
    finally:
        server.start()
    assert time.monotonic() - began < 60.0
    assert "geheim" not in str(caught.value)
    store = StudyStore(study, server.address)
    again = make_toy()
    assert len(search(study, store=store, trials=24, evaluate=again)) == 24
    assert 16 <= len(again.asked) <= 24


def test_a_second_run_is_refused_until_the_first_ends(server, make_study):
    """An advisory lock of the server's, by study: another study's run is not hindered."""
    study = make_study()
    with StudyStore(study, server.address).locked():
        with (
            pytest.raises(StorageError, match=r"another run of study 'synthetic'.*--storage") as caught,
            StudyStore(study, server.address).locked(),
        ):
            pass
        assert "geheim" not in str(caught.value)
    with StudyStore(study, server.address).locked():
        pass
