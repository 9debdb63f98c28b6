"""A Dask cluster of real processes gives one thread's bytes, whatever happens to its workers."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amo_opt import load_study
from amo_opt.errors import AmoOptError, SimulationError
from amo_opt.simulation import cluster as room
from amo_opt.simulation.cluster import DaskExecutor, check_address, cluster_executor
from amo_opt.simulation.engine import simulate_many, trace_many
from amo_opt.simulation.executor import Task, Threads
from amo_opt.simulation.remote import about, deserialise, refuse_others, serialise
from amo_opt.simulation.spans import Stretch
from amo_opt.stress.tilts import Design, Tilt
from tests.quiet import without_spells

STUDY = Path(__file__).parents[2] / "studies" / "frax-2022.toml"
SMALL = {"simulation.paths": 100, "simulation.transition_hours": 24, "simulation.window_hours": 120}


@pytest.fixture(scope="module")
def study():
    return load_study(STUDY, overrides=SMALL)


@pytest.fixture(scope="module")
def sets(study):
    return [study.current.replace(name=f"set-{i}", aave_cap=0.05 * i) for i in range(6)]


@pytest.fixture(scope="module")
def executor(study, need_module):
    need_module("distributed", "cluster")
    with cluster_executor("local:2", study) as executor:
        yield executor


def same(found, expected):
    """Two lists of outcomes, equal to the last bit."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.parameters == other.parameters
        assert one.columns.keys() == other.columns.keys()
        assert all(one.columns[name].tobytes() == other.columns[name].tobytes() for name in one.columns)
        assert np.array_equal(one.scenario_of, other.scenario_of)
        assert np.array_equal(one.path_of, other.path_of)
    return True


@pytest.mark.parametrize("stream", ["search", "selection"])
def test_two_workers_give_one_thread_s_bytes(study, sets, executor, stream):
    """Paths that stay and paths that pass: drawn there from their keys, joined here by their place."""
    told = []
    found = simulate_many(sets, study, stream=stream, workers=executor, progress=lambda done, total: told.append((done, total)))
    assert same(found, simulate_many(sets, study, stream=stream))
    total = len(study.scenarios) * 2 * len(sets)
    assert told == [(done, total) for done in range(1, total + 1)]


@pytest.mark.parametrize("stream", ["search", "selection"])
def test_twins_are_drawn_there_from_their_keys(study, sets, executor, stream):
    """Paths and twins of two blocks each: columns, weights and ratios as on one thread."""
    designs = {"calm": Design(70, ((Tilt("share", -0.3, -0.1),), (Tilt("flow", 0.2), Tilt("gas", -0.1))), (66, 3))}
    given = {"designs": designs, "scenarios": ["calm", "svb-2023"], "stream": stream}
    study = without_spells(study)  # whose flow is no noise that can be pushed
    found, expected = (simulate_many(sets[:3], study, workers=workers, **given) for workers in (executor, 1))
    assert same(found, expected)
    for one, other in zip(found, expected, strict=True):
        assert one.path_weight.tobytes() == other.path_weight.tobytes()
        assert one.log_ratios.tobytes() == other.log_ratios.tobytes()
        assert np.array_equal(one.component_of, other.component_of)
        assert one.path_weight[:139].max() <= 1 / 70


def test_series_come_back_too(study, sets, executor):
    """Traces of two sets over two blocks, from another first path."""
    columns = ("price", "amplification")
    options = {"scenario": study.scenarios[1].name, "first_path": 7, "stream": "holdout", "columns": columns}
    found, expected = (trace_many(sets[:2], study, workers=workers, **options) for workers in (executor, 1))
    assert all(one[name].tobytes() == other[name].tobytes() for one, other in zip(found, expected, strict=True) for name in columns)


def test_a_failing_path_is_a_value_there_as_here(study, sets, executor, refigured):
    """A pool that cannot be solved fails the set with the same words, and the trace raises them."""
    broken = refigured(study, {"pool.fee": float("nan")})
    found, expected = ([str(each) for each in simulate_many(sets[:2], broken, workers=workers)] for workers in (executor, 1))
    assert found == expected
    assert "scenario calm, path 0" in found[0]
    with pytest.raises(SimulationError, match="scenario calm, path 0"):
        trace_many(sets[:1], broken, scenario="calm", workers=executor)


def test_workers_that_fall_silent_are_told_of_and_not_waited_for_for_ever(study, sets, executor, monkeypatch, caplog):
    """Stopped, not killed, so that their connections stand: what is waited for is said, then the run ends with what was finished kept."""
    for name, seconds in (("TOLD_SECONDS", 0.2), ("SILENT_SECONDS", 2.0), ("STEP_SECONDS", 1e-9)):
        monkeypatch.setattr(room, name, seconds)
    for process in executor.processes:
        process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(AmoOptError, match=r"no result came for 2 s of \d+ jobs on 2 workers \(tcp://.*\); what was finished is kept"):
            simulate_many(sets, study, stream="holdout", workers=executor)
    finally:
        for process in executor.processes:
            process.send_signal(signal.SIGCONT)
    assert "the run waits for" in caplog.text


def test_a_worker_killed_in_mid_run_changes_no_byte(study, sets, executor):
    """SIGKILL for one of two while it works: the other runs its jobs again. (The last test that uses this cluster.)"""
    many = [each.replace(name=f"{each.name}-{i}", amplification=100 + i) for i in range(6) for each in sets]
    killed = threading.Event()

    def blow(done, total):
        if not killed.is_set():
            assert done < total
            executor.processes[0].send_signal(signal.SIGKILL)
            killed.set()

    found = simulate_many(many, study, paths=300, stream="selection", workers=executor, progress=blow)
    assert executor.processes[0].wait(timeout=10) == -signal.SIGKILL
    assert executor.processes[1].poll() is None
    assert same(found, simulate_many(many, study, paths=300, stream="selection", workers=2))


def test_a_cluster_leaves_no_process_and_no_port(study, need_module):
    """Opened and closed, interrupted inside as by Ctrl-C."""
    need_module("distributed", "cluster")
    with pytest.raises(KeyboardInterrupt), cluster_executor("local:1", study) as executor:
        address = executor._client.scheduler.address
        raise KeyboardInterrupt
    assert [process.poll() is not None for process in executor.processes] == [True]
    host, port = address.removeprefix("tcp://").split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5).close()


KILLED = """
    import sys, time
    from amo_opt.simulation.local_workers import local_workers
    with local_workers(1) as (cluster, workers):
        from distributed import Client
        client = Client(cluster.scheduler_address)
        client.wait_for_workers(1)
        print(workers[0].pid, flush=True)
        time.sleep(600)
"""


def test_workers_of_a_killed_run_end_by_themselves(need_module):
    """kill -9 for the run: within seconds its worker is gone."""
    need_module("distributed", "cluster")
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(KILLED)], stdout=subprocess.PIPE, text=True) as run:
        worker = Path("/proc") / run.stdout.readline().strip()
        assert worker.exists()
        run.kill()
    until = time.monotonic() + 20.0
    while worker.exists() and "State:\tZ" not in (worker / "status").read_text() and time.monotonic() < until:
        time.sleep(0.05)
    assert not worker.exists() or "State:\tZ" in (worker / "status").read_text()


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("hands", [1, 2, 7, 100, 1000])
@pytest.mark.parametrize(("paths", "sets", "steps"), [(1, 1, 100), (5, 8, 1776), (50, 13, 1776), (3, 40, 20)])
def test_jobs_hold_every_set_on_every_piece_once(kept, hands, paths, sets, steps):
    """Nothing lost, nothing double, at any number of workers; no job under 50 ms by the estimate where there is more than one job's work."""

    class Client:
        def nthreads(self, **_):
            return dict.fromkeys(range(hands), 1)

    tasks = [Task("calm", (Stretch(0, 64 * i, 64),), tuple(range(sets))) for i in range(paths)]
    for jobs in (DaskExecutor(Client(), threads=1).plan(tasks, kept=kept, steps=steps), Threads(hands).plan(tasks, kept=kept, steps=steps)):
        units = Counter((task.stretches[0].first, place) for job in jobs for task in job for place in task.sets)
        assert units == Counter((64 * i, j) for i in range(paths) for j in range(sets))
    jobs = DaskExecutor(Client(), threads=1).plan(tasks, kept=True, steps=steps)
    assert all(sum(len(task.sets) for task in job) * room.STEP_SECONDS * steps >= room.LEAST_JOB_SECONDS for job in jobs[:-1])


def test_a_study_travels_whole(study):
    """What a worker deserialises is what was serialised, read-only mappings included."""
    assert deserialise(serialise(study)) == study


@pytest.mark.parametrize(
    "address",
    ["", "local", "local:0", "local:257", "local:x", "HOST:8786", "http://h:1", "tcp://h", "tcp://h:0", "tcp://h:99999", "tcp://:1"],
)
def test_an_address_that_cannot_be_is_named(address):
    with pytest.raises(AmoOptError, match=rf"cluster: found '{address}'; allowed: tcp://HOST:PORT"):
        check_address(address)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("tcp://u:hunter2@h:1", "tcp://***@h:1"),
        ("u:hunter2@h:1", "***@h:1"),
        ("tls://h:1?token=hunter2", "tls://h:1?***"),
        ("tcp://u:hunter2@h@h:1/?password=hunter2", "tcp://***@h:1/?***"),
    ],
)
def test_a_refused_address_keeps_its_secrets(address, told):
    """Neither user and password before the host nor a query is repeated."""
    with pytest.raises(AmoOptError, match=rf"cluster: found '{re.escape(told)}'; allowed: "):
        check_address(address)


@pytest.mark.parametrize("address", ["local:1", "local:256", "tcp://10.0.0.1:8786", "tls://node-1.example:8786", "tcp://[::1]:8786"])
def test_an_address_that_can_be_passes(address):
    check_address(address)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"amo-opt": "0.0.9"}, ["tcp://w:1 differs: amo-opt 0.0.9 there", "install the same versions"]),
        ({"numpy": "1.0", "results": "ffff"}, ["numpy 1.0 there", "results ffff there"]),
        ({"results": "ffff"}, ["same versions but gives other results", "processor rounds otherwise"]),
        (None, ["tcp://w:1 cannot run amo-opt", "ModuleNotFoundError: No module named 'amo_opt'", "extra cluster"]),
    ],
)
def test_a_worker_that_would_give_other_bytes_is_refused(study, changed, words):
    """Versions, or results alone: which worker, what differs, what to do."""
    here = about(serialise(study))
    there = ModuleNotFoundError("No module named 'amo_opt'") if changed is None else {**here, **changed}
    with pytest.raises(AmoOptError) as caught:
        refuse_others({"tcp://v:1": here, "tcp://w:1": there}, here)
    assert all(each in str(caught.value) for each in words), str(caught.value)
    refuse_others({"tcp://v:1": here}, here)


def test_the_fingerprint_sees_results(study):
    """Another figure of the state gives another one; the same study the same."""
    supply = replace(study.state.stablecoin.supply, value=0.999 * study.state.stablecoin.supply.value)
    other = replace(study, state=replace(study.state, stablecoin=replace(study.state.stablecoin, supply=supply)))
    assert about(serialise(study))["results"] != about(serialise(other))["results"]
    assert about.__wrapped__(serialise(study)) == about(serialise(study))


def test_without_dask_the_extra_is_named(study, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(AmoOptError, match=r"amo-opt\[cluster\]"), cluster_executor("local:1", study):
        pass


def test_nobody_at_the_address_is_told_within_seconds(study, need_module, monkeypatch):
    """A port where nothing listens."""
    need_module("distributed", "cluster")
    monkeypatch.setattr(room, "CONNECT_SECONDS", 0.5)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.monotonic()
    with (
        pytest.raises(AmoOptError, match=f"no Dask scheduler answers at tcp://127.0.0.1:{port}"),
        cluster_executor(f"tcp://127.0.0.1:{port}", study),
    ):
        pass
    assert time.monotonic() - began < 10.0


@pytest.fixture
def silent():
    """A port of this machine that takes every connection and never answers; ``silent(greeting=b"…")`` says that much first."""
    opened = []

    def listen(greeting=b""):
        listener = socket.create_server(("127.0.0.1", 0))
        opened.append(listener)

        def greet():
            with contextlib.suppress(OSError):
                while True:
                    opened.append(listener.accept()[0])
                    opened[-1].sendall(greeting)

        threading.Thread(target=greet, daemon=True).start()
        return listener.getsockname()[1]

    yield listen
    for each in opened:
        each.close()


@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-OpenSSH_9.6\r\n"])
def test_a_port_that_takes_the_call_and_never_answers_is_told_within_seconds(study, need_module, monkeypatch, silent, greeting):
    """Dask's own client waits for a greeting without end; another program's greeting is none."""
    need_module("distributed", "cluster")
    monkeypatch.setattr(room, "CONNECT_SECONDS", 0.5)
    address = f"tcp://127.0.0.1:{silent(greeting)}"
    began = time.monotonic()
    with pytest.raises(AmoOptError, match=f"no Dask scheduler answers at {address} within 0.5 s"), cluster_executor(address, study):
        pass
    assert time.monotonic() - began < 10.0


class Mute:
    """A client whose scheduler says nothing any more."""

    status = "running"

    def nthreads(self, **_):
        raise TimeoutError

    def sync(self, *_, **__):
        raise TimeoutError


def test_a_scheduler_that_falls_silent_is_named(monkeypatch):
    """Whatever is asked of it has a deadline, and the message says what was waited for."""
    executor = DaskExecutor(Mute(), threads=1)
    for asked in (executor._workers, executor._check_alive, lambda: executor.plan([], kept=True, steps=1)):
        with pytest.raises(AmoOptError, match=r"the cluster's scheduler did not answer for 60 s; what was finished is kept"):
            asked()
    with pytest.raises(AmoOptError, match=r"workers did not hand over results that they have for 60 s"):
        executor._fetched([])


class Deaf(Mute):
    """A client whose worker is there and never done."""

    def nthreads(self, **_):
        return {"tcp://w:1": 1}

    def submit(self, *_, **__):
        return self

    def done(self):
        return False


def test_a_worker_that_never_shows_what_it_computes_is_named(study, monkeypatch):
    monkeypatch.setattr(room, "CHECK_SECONDS", 0.2)
    with pytest.raises(AmoOptError, match=r"the worker tcp://w:1 has not shown within 0\.2 s that it computes what this machine does"):
        DaskExecutor(Deaf(), threads=1).check(study)


OTHER = """
    import asyncio, sys
    from amo_opt.simulation import local_workers, remote
    remote.__version__ = "0.0.9"
    asyncio.run(local_workers._serve(sys.argv[1], sys.argv[2]))
"""


@pytest.fixture
def by_hand(tmp_path, need_module):
    """A scheduler started as a program of its own, and a way to start a worker of it: (address, its process, start)."""
    need_module("distributed", "cluster")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    words = ["-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    started = [subprocess.Popen([sys.executable, *words], **quiet)]
    address = f"tcp://127.0.0.1:{port}"

    def worker(*, other=False):
        words = ["-c", textwrap.dedent(OTHER)] if other else ["-m", "amo_opt.simulation.local_workers"]
        started.append(subprocess.Popen([sys.executable, *words, address, str(tmp_path)], **quiet))
        return started[-1]

    yield address, started[0], worker
    for process in started:
        process.kill()
        process.wait()


def answers(address):
    """Waits for a scheduler to listen."""
    host, port = address.removeprefix("tcp://").split(":")
    until = time.monotonic() + 30.0
    while time.monotonic() < until:
        try:
            socket.create_connection((host, int(port)), timeout=1.0).close()
        except OSError:
            time.sleep(0.05)
        else:
            return


@pytest.mark.campaign
def test_a_cluster_by_hand_refuses_strangers_and_tells_of_its_end(study, sets, by_hand, monkeypatch, caplog):
    """Real programs, one after the other: no worker; one of another version; its only worker killed at work; the scheduler killed at work."""
    address, scheduler, worker = by_hand
    monkeypatch.setattr(room, "WORKERLESS_SECONDS", 1.0)
    answers(address)
    with monkeypatch.context() as brief:
        brief.setattr(room, "CONNECT_SECONDS", 1.0)
        with (
            pytest.raises(AmoOptError, match=f"the cluster {address} has no worker: start some with: dask worker"),
            cluster_executor(address, study),
        ):
            pass
    monkeypatch.setattr(room, "CONNECT_SECONDS", 30)  # a worker takes its time to come up
    stranger = worker(other=True)
    with pytest.raises(AmoOptError, match=r"differs: amo-opt 0\.0\.9 there.*install the same versions"), cluster_executor(address, study):
        pass
    stranger.kill()
    stranger.wait()

    def killing(process):
        def blow(done, total):
            if process.poll() is None:
                assert done < total
                process.kill()
                process.wait()

        return blow

    many = [each.replace(name=f"{each.name}-{i}", amplification=100 + i) for i in range(6) for each in sets]
    for victim, told in (
        (worker(), r"has had no worker for 1 s; what was finished is kept"),
        (scheduler, r"scheduler is gone; what was finished is kept"),
    ):
        if victim is scheduler:
            worker()
        with pytest.raises(AmoOptError, match=told), cluster_executor(address, study) as executor:
            began = time.monotonic()
            simulate_many(many, study, paths=300, stream="selection", workers=executor, progress=killing(victim))
        assert time.monotonic() - began < 30.0
    assert "no worker left" in caplog.text


@pytest.mark.campaign
def test_a_scheduler_stopped_at_work_is_told_within_its_time(study, sets, by_hand, monkeypatch):
    """Stopped, not killed: its connections stand, and nothing comes."""
    address, scheduler, worker = by_hand
    answers(address)
    monkeypatch.setattr(room, "CONNECT_SECONDS", 30)
    worker()
    with pytest.raises(AmoOptError, match="the cluster's scheduler did not answer for 1 s"), cluster_executor(address, study) as executor:
        monkeypatch.setattr(room, "ANSWER_SECONDS", 1)
        monkeypatch.setattr(room, "CONNECT_SECONDS", 1)
        simulate_many(
            sets, study, paths=300, stream="selection", workers=executor, progress=lambda *_: scheduler.send_signal(signal.SIGSTOP)
        )
