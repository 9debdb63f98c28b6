"""A Dask cluster as the crew: the same jobs, run by its workers, the same bytes out.

Only keys travel: a job names scenario, paths, stream and sets; workers draw the paths themselves and keep those of the search. The study
and the sets go once to each worker that needs them. Dask pickles between its processes; it is given functions of this package alone and
reads no file of a user's. A lost worker's jobs are run again by the scheduler, and a job run twice counts once.
"""

from __future__ import annotations

import hashlib
import io
import logging
import math
import pickle
import re
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from queue import Empty, SimpleQueue
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from amo_opt import __version__
from amo_opt.config.identity import MODEL_VERSION
from amo_opt.errors import AmoOptError, SimulationError
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation import engine
from amo_opt.simulation.crew import Job, Piece, Work

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet

ADDRESS = re.compile(r"(?P<scheme>tcp|tls)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?P<port>\d{1,5})")
LOCAL = re.compile(r"local:(?P<count>\d{1,3})")
ALLOWED = "allowed: tcp://HOST:PORT or tls://HOST:PORT of a Dask scheduler, or local:N with N from 1 to 256 for N processes on this machine"
CONNECT_SECONDS = 5
START_SECONDS = 90
"""How long workers are given to come up."""
KEPT_BYTES = 1 << 30
"""Paths of the search that a worker process keeps, at most."""
LEAST_JOB_SECONDS = 0.05
MOST_JOB_SECONDS = 2.0
STEP_SECONDS = 13e-6
"""What one set on one block takes an hour of a path, roughly (measured): only the size of the jobs hangs on it."""
JOBS_A_WORKER = 4
"""Jobs for each worker, where there is enough work: the last ones to finish then leave little idle."""
WORKERLESS_SECONDS = 600.0
"""How long a run waits for a worker once it has none."""
GONE = "the cluster's scheduler is gone; what was finished is kept: start it again, or give another --cluster"
TRIES = 5
"""How often a job is handed out again after the scheduler gave it up with its workers."""

_log = logging.getLogger("amo_opt")


def check_address(address: str) -> None:
    """Raises `AmoOptError` for what is no cluster's address."""
    local, remote = LOCAL.fullmatch(address), ADDRESS.fullmatch(address)
    if local is not None and 1 <= int(local["count"]) <= 256:
        return
    if remote is not None and 1 <= int(remote["port"]) <= 65535:
        return
    raise AmoOptError(f"cluster: found {address!r}; {ALLOWED}")


def _read_only(values: dict[str, Any]) -> MappingProxyType[str, Any]:
    return MappingProxyType(values)


class _Pickler(pickle.Pickler):
    """Pickles a study, whose scenarios hold read-only mappings."""

    dispatch_table = {MappingProxyType: lambda mapping: (_read_only, (dict(mapping),))}  # noqa: RUF012 - pickle's own attribute


def pack(value: object) -> bytes:
    """A study or sets, ready to be sent."""
    out = io.BytesIO()
    _Pickler(out, protocol=5).dump(value)
    return out.getvalue()


@lru_cache(maxsize=8)
def unpack(packed: bytes) -> Any:
    """What was packed; kept, for the next job will ask for the same."""
    return pickle.loads(packed)  # noqa: S301 - our own processes' bytes


@lru_cache(maxsize=4)
def about(packed_study: bytes) -> dict[str, str]:
    """What results hang on here: versions, and a fingerprint of what the study's set in force does on short paths of every scenario."""
    import numba
    import numpy as np

    engine.keep_at_most(KEPT_BYTES)
    study: Study = unpack(packed_study)
    short = replace(study, simulation=replace(study.simulation, transition_hours=24, window_hours=216))
    digest = hashlib.sha256()
    for scenario in short.scenarios:
        try:
            outcome = engine.simulate(short.current, short, paths=LANES, scenarios=[scenario.name], stream="probe")
        except SimulationError as error:
            digest.update(str(error).encode())
            continue
        for name, column in outcome.columns.items():
            digest.update(name.encode() + column.tobytes())
    return {
        "amo-opt": __version__,
        "model": str(MODEL_VERSION),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "results": digest.hexdigest()[:16],
    }


def there(work: Work, job: Job, study: bytes, sets: bytes) -> tuple[dict[str, str], list[Any]]:
    """Runs on a worker: what results hang on there, and the job's results."""
    return about(study), work(job, unpack(study), unpack(sets))


def same(value: bytes) -> bytes:
    """The value: a task that holds it, so that workers fetch it once, and again should its holder be lost."""
    return value


def _refuse_others(found: dict[str, Any], here: dict[str, str]) -> None:
    """Raises `AmoOptError` where a worker would not give this machine's bytes, naming it and what differs."""
    for worker, told in sorted(found.items()):
        if isinstance(told, BaseException):
            raise AmoOptError(
                f"the worker {worker} cannot run amo-opt {here['amo-opt']}: {type(told).__name__}: {told}; "
                "install the same amo-opt, with its extra cluster, on every machine"
            )
        differs = [f"{name} {told.get(name)} there, {value} here" for name, value in here.items() if told.get(name) != value]
        if len(differs) == 1 and differs[0].startswith("results"):
            raise AmoOptError(
                f"the worker {worker} has the same versions but gives other results ({differs[0]}): its processor rounds otherwise, so the "
                "results would hang on who ran what; use machines of one type, and run the command on one of them"
            )
        if differs:
            raise AmoOptError(f"the worker {worker} differs: {'; '.join(differs)}; install the same versions on every machine")


class DaskCrew:
    """The workers of a Dask cluster; ``threads`` are this machine's, ``processes`` the workers' that it started itself."""

    def __init__(self, client: Any, *, threads: int, processes: Sequence[subprocess.Popen[bytes]] = ()) -> None:
        self._client = client
        self._threads = threads
        self.processes = list(processes)
        self._alone_since: float | None = None
        self._study: tuple[bytes, Any] | None = None

    @property
    def threads(self) -> int:
        """Threads of this machine."""
        return self._threads

    def plan(self, pieces: Sequence[Piece], *, kept: bool, steps: int) -> list[list[Piece]]:
        """Jobs long enough to be worth a message and short enough to share out evenly, a block's sets together."""
        hands = max(1, sum(self._client.nthreads().values()))
        total = sum(len(piece.sets) for piece in pieces)
        unit = STEP_SECONDS * steps
        least = math.ceil(LEAST_JOB_SECONDS / unit)
        size = max(least, min(math.ceil(total / (JOBS_A_WORKER * hands)), max(1, int(MOST_JOB_SECONDS / unit))))
        if not kept and len(pieces) >= hands:  # a block that is dropped afterwards is drawn once for all its sets
            size = max(size, max((len(piece.sets) for piece in pieces), default=1))
        jobs: list[list[Piece]] = []
        room = 0
        for piece in pieces:
            waiting = piece.sets
            while waiting:
                if room == 0 or (not kept and room < len(waiting) and size >= len(waiting)):
                    jobs.append([])
                    room = size
                taken, waiting = waiting[:room], waiting[room:]
                jobs[-1].append(replace(piece, sets=taken))
                room -= len(taken)
        return jobs

    def check(self, study: Study) -> None:
        """Raises `AmoOptError` where a worker would give other results than this machine."""
        packed = pack(study)
        asked = {
            worker: self._client.submit(about, packed, key=f"amo-opt-{uuid.uuid4().hex}", pure=False, workers=[worker])
            for worker in self._client.nthreads()
        }
        here = about(packed)
        found = {}
        for worker, future in asked.items():
            while not future.done():
                self._check_alive()
                if worker not in self._client.nthreads():
                    break  # it left; whoever joins later is checked with its first job
                time.sleep(0.05)
            else:
                found[worker] = future.exception() or future.result()
        _refuse_others(found, here)

    def _hold(self, packed: bytes) -> Any:
        """What is sent once, as a future; the latest study's stays."""
        return self._client.submit(same, packed, key=f"amo-opt-{uuid.uuid4().hex}", pure=False)

    def _hold_study(self, packed: bytes) -> Any:
        if self._study is None or self._study[0] != packed:
            self._study = packed, self._hold(packed)
        return self._study[1]

    def run(  # noqa: C901 - one loop, best read whole
        self, work: Work, jobs: Sequence[Job], study: Study, sets: Sequence[ParameterSet]
    ) -> Iterator[tuple[int, list[Any]]]:
        """As they are finished."""
        packed = pack(study)
        study_there = self._hold_study(packed)
        sets_there = self._hold(pack(tuple(sets)))
        here = about(packed)
        homes = sorted(self._client.nthreads())
        done: SimpleQueue[Any] = SimpleQueue()
        place: dict[str, int] = {}
        waiting: dict[str, Any] = {}
        lost: dict[int, int] = {}

        def hand_out(numbers: Sequence[int], home: str | None) -> None:
            token = uuid.uuid4().hex
            keys = [f"amo-opt-{token}-{k}" for k in numbers]
            place.update(zip(keys, numbers, strict=True))
            where = {} if home is None else {"workers": [home], "allow_other_workers": True}
            futures = self._client.map(
                there,
                [work] * len(numbers),
                [jobs[k] for k in numbers],
                study=study_there,
                sets=sets_there,
                key=keys,
                pure=False,
                **where,
            )
            waiting.update(zip(keys, futures, strict=True))
            for future in futures:
                future.add_done_callback(done.put)

        try:
            # The same part of the search's paths goes to the same worker each time, which has it drawn already.
            shares = [range(i * len(jobs) // len(homes), (i + 1) * len(jobs) // len(homes)) for i in range(len(homes))]
            for home, share in zip(homes, shares, strict=True):
                if share:
                    hand_out(share, home)
            if not homes:
                hand_out(range(len(jobs)), None)
            while waiting:
                finished = []
                for future in self._next(done, waiting):
                    if future.key not in waiting:
                        continue
                    del waiting[future.key]
                    if future.status == "finished":
                        finished.append(future)
                    else:
                        self._again(future, place[future.key], lost)
                        hand_out([place[future.key]], None)
                for future, (told, results) in zip(finished, self._client.gather(finished), strict=True):
                    if told != here:
                        _refuse_others({"that joined meanwhile": told}, here)
                    yield place[future.key], results
        finally:
            if waiting and self._client.status == "running":
                self._client.cancel(list(waiting.values()))

    def _next(self, done: SimpleQueue[Any], waiting: dict[str, Any]) -> list[Any]:
        """Futures that are done: at least one, unless the cluster is gone, which raises `AmoOptError`."""
        while True:
            try:
                found = [done.get(timeout=1.0)]
            except Empty:
                self._check_alive()
                found = [future for future in waiting.values() if future.done()]
                if found:
                    return found
                continue
            while not done.empty():
                found.append(done.get())
            return found

    def _check_alive(self) -> None:
        if self._client.status != "running":
            raise AmoOptError(GONE)
        if self.processes and all(process.poll() is not None for process in self.processes):
            raise AmoOptError("every worker process of the local cluster has ended; what was finished is kept, the same command goes on")
        if self._client.nthreads():
            self._alone_since = None
            return
        now = time.monotonic()
        if self._alone_since is None:
            self._alone_since = now
            _log.warning(
                "the cluster has no worker left: the run goes on as soon as one joins, and waits %g s for it (Ctrl-C stops it; what was "
                "finished is kept)",
                WORKERLESS_SECONDS,
            )
        if now - self._alone_since > WORKERLESS_SECONDS:
            raise AmoOptError(
                f"the cluster has had no worker for {WORKERLESS_SECONDS:g} s; what was finished is kept: start workers, and the same command goes on"
            )

    def _again(self, future: Any, number: int, lost: dict[int, int]) -> None:
        """Counts a job that came back without results; raises where there is no sense in another try."""
        self._check_alive()
        if future.status == "error":
            error = future.exception()
            if type(error).__name__ not in {"KilledWorker", "FutureCancelledError", "NoValidWorkerError", "CommClosedError"}:
                raise error
        lost[number] = lost.get(number, 0) + 1
        if lost[number] > TRIES:
            raise AmoOptError(
                "the cluster's workers end again and again under the same job; what was finished is kept: see the workers' own output "
                "(often too little memory)"
            )


def _quiet() -> None:
    """Keeps Dask's own lines off the terminal: what matters is told in our words."""
    for name in ("distributed", "distributed.client", "distributed.scheduler", "distributed.core", "tornado", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def cluster_crew(address: str, study: Study, *, threads: int = 1) -> Iterator[DaskCrew]:
    """A crew at ``address`` (``tcp://HOST:PORT``, or ``local:N`` = N processes on this machine, ended afterwards), checked against this machine.

    Raises `AmoOptError` where there is no such cluster or a worker would give other results.
    """
    check_address(address)
    try:
        import distributed
    except ImportError as error:
        raise AmoOptError("a cluster needs the extra cluster: pip install 'amo-opt[cluster]'") from error
    _quiet()
    local = LOCAL.fullmatch(address)
    if local is None:
        with _connected(distributed, address) as client:
            crew = DaskCrew(client, threads=threads)
            _await(client, 1, [], f"the cluster {address} has no worker: start some with: dask worker {address} --nthreads 1")
            crew.check(study)
            yield crew
        return
    from amo_opt.simulation.local_workers import local_workers

    count = int(local["count"])
    with local_workers(count) as (cluster, processes), _connected(distributed, cluster.scheduler_address) as client:
        crew = DaskCrew(client, threads=threads, processes=processes)
        _await(client, count, processes, f"the {count} worker processes of {address} did not come up within {START_SECONDS} s")
        crew.check(study)
        yield crew


@contextmanager
def _connected(distributed: Any, address: str) -> Iterator[Any]:
    try:
        client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False, name="amo-opt")
    except (OSError, TimeoutError, ValueError, ImportError, RuntimeError) as error:
        raise AmoOptError(
            f"cluster: no Dask scheduler answers at {address} within {CONNECT_SECONDS} s; start one with: dask scheduler --no-dashboard"
        ) from error
    try:
        yield client
    except (OSError, CancelledError) as error:  # Dask's own, from whatever was asked of it in that moment
        if client.status == "running" and not isinstance(error, distributed.CommClosedError):
            raise
        raise AmoOptError(GONE) from error
    finally:
        client.close(timeout=CONNECT_SECONDS)


def _await(client: Any, count: int, processes: Sequence[subprocess.Popen[bytes]], message: str) -> None:
    """Waits for workers; raises `AmoOptError` with ``message`` where they do not come."""
    until = time.monotonic() + (START_SECONDS if processes else CONNECT_SECONDS)
    while len(client.nthreads()) < count:
        if time.monotonic() > until or any(process.poll() is not None for process in processes):
            raise AmoOptError(message)
        time.sleep(0.05)


__all__ = ["DaskCrew", "check_address", "cluster_crew"]
