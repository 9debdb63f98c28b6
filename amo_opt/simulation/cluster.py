"""A Dask cluster as the executor: the same jobs, run by its workers, the same bytes out.

Only keys travel: a job names scenario, paths, stream and sets; workers draw the paths themselves and keep those of the search. The study
and the sets go once to each worker that needs them. Dask pickles between its processes; it is given functions of this package alone and
reads no file of a user's. A lost worker's jobs are run again by the scheduler, and a job run twice counts once.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from amo_opt.errors import AmoOptError
from amo_opt.simulation.executor import AnyJob, Task, Work
from amo_opt.simulation.remote import about, refuse_others, same, serialise, there
from amo_opt.simulation.size import STEP_SECONDS

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet

ADDRESS = re.compile(r"(?P<scheme>tcp|tls)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?P<port>\d{1,5})")
_SECRET = re.compile(r"^(\w+://)?.+(?=@)|(?<=\?).+", re.DOTALL)
"""What of an address may be a password: everything before its last @, and its query."""
LOCAL = re.compile(r"local:(?P<count>\d{1,3})")
ALLOWED = "allowed: tcp://HOST:PORT or tls://HOST:PORT of a Dask scheduler, or local:N with N from 1 to 256 for N processes on this machine"
CONNECT_SECONDS = 5
START_SECONDS = 90
"""How long workers are given to come up."""
ANSWER_SECONDS = 60
"""How long a scheduler is given for an answer, and a worker for the results it has."""
CHECK_SECONDS = 300
"""How long a worker is given to show what it computes: the first call compiles the kernel."""
TOLD_SECONDS = 60.0
"""From when on a run that hears nothing from its workers says what it waits for."""
SILENT_SECONDS = 1800.0
"""How long a run waits for any result of workers that are there, where its jobs are not longer by far."""
LEAST_JOB_SECONDS = 0.05
MOST_JOB_SECONDS = 2.0
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
    shown = _SECRET.sub(r"\1***", address)
    raise AmoOptError(f"cluster: found {shown!r}; {ALLOWED}")


class DaskExecutor:
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

    def plan(self, tasks: Sequence[Task], *, kept: bool, steps: int) -> list[list[Task]]:
        """Jobs long enough to be worth a message and short enough to share out evenly, a block's sets together."""
        hands = max(1, sum(self._workers().values()))
        total = sum(len(task.sets) for task in tasks)
        unit = STEP_SECONDS * steps
        least = math.ceil(LEAST_JOB_SECONDS / unit)
        size = max(least, min(math.ceil(total / (JOBS_A_WORKER * hands)), max(1, int(MOST_JOB_SECONDS / unit))))
        if not kept and len(tasks) >= hands:  # a block that is dropped afterwards is drawn once for all its sets
            size = max(size, max((len(task.sets) for task in tasks), default=1))
        jobs: list[list[Task]] = []
        room = 0
        for task in tasks:
            waiting = task.sets
            while waiting:
                if room == 0 or (not kept and room < len(waiting) and size >= len(waiting)):
                    jobs.append([])
                    room = size
                taken, waiting = waiting[:room], waiting[room:]
                jobs[-1].append(replace(task, sets=taken))
                room -= len(taken)
        return jobs

    def check(self, study: Study) -> None:
        """Raises `AmoOptError` where a worker would give other results than this machine, or does not say."""
        serialised = serialise(study)
        asked = {
            worker: self._client.submit(about, serialised, key=f"amo-opt-{uuid.uuid4().hex}", pure=False, workers=[worker])
            for worker in self._workers()
        }
        here = about(serialised)
        found = {}
        since = time.monotonic()
        for worker, future in asked.items():
            while not future.done():
                if worker not in self._check_alive():
                    break  # it left; whoever joins later is checked with its first job
                if time.monotonic() - since > CHECK_SECONDS:
                    raise AmoOptError(
                        f"the worker {worker} has not shown within {CHECK_SECONDS:g} s that it computes what this machine does: see its own "
                        "output, or start it again"
                    )
                time.sleep(0.05)
            else:
                with _answering(f"the worker {worker} did not hand over what it computes"):
                    found[worker] = future.exception(timeout=ANSWER_SECONDS) or future.result(timeout=ANSWER_SECONDS)
        refuse_others(found, here)

    def _workers(self) -> dict[str, int]:
        """Threads of the workers there are, as the scheduler says."""
        with _answering("the cluster's scheduler did not answer"):
            told: dict[str, int] = self._client.nthreads(callback_timeout=ANSWER_SECONDS)
        return told

    def _fetched(self, futures: Sequence[Any]) -> list[Any]:
        """The results of futures that are done."""
        with _answering("the cluster's workers did not hand over results that they have"):
            found: list[Any] = self._client.sync(lambda: self._client.gather(futures, asynchronous=True), callback_timeout=ANSWER_SECONDS)
        return found

    def await_workers(self, count: int, message: str) -> None:
        """Waits until there are so many workers; raises `AmoOptError` with ``message`` where they do not come."""
        until = time.monotonic() + (START_SECONDS if self.processes else CONNECT_SECONDS)
        while len(self._workers()) < count:
            if time.monotonic() > until or any(process.poll() is not None for process in self.processes):
                raise AmoOptError(message)
            time.sleep(0.05)

    def _hold(self, serialised: bytes) -> Any:
        """What is sent once, as a future; the latest study's stays."""
        return self._client.submit(same, serialised, key=f"amo-opt-{uuid.uuid4().hex}", pure=False)

    def _hold_study(self, serialised: bytes) -> Any:
        if self._study is None or self._study[0] != serialised:
            self._study = serialised, self._hold(serialised)
        return self._study[1]

    def run(  # noqa: C901 - one loop, best read whole
        self, work: Work, jobs: Sequence[AnyJob], study: Study, sets: Sequence[ParameterSet]
    ) -> Iterator[tuple[int, list[Any]]]:
        """As they are finished."""
        serialised = serialise(study)
        study_there = self._hold_study(serialised)
        sets_there = self._hold(serialise(tuple(sets)))
        here = about(serialised)
        homes = sorted(self._workers())
        done: SimpleQueue[Any] = SimpleQueue()
        place: dict[str, int] = {}
        waiting: dict[str, Any] = {}
        lost: dict[int, int] = {}
        steps = study.simulation.transition_hours + study.simulation.window_hours
        longest = max((job.runs for job in jobs), default=0) * STEP_SECONDS * steps

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
                for future in self._next(done, waiting, longest=longest):
                    if future.key not in waiting:
                        continue
                    del waiting[future.key]
                    if future.status == "finished":
                        finished.append(future)
                    else:
                        self._again(future, place[future.key], lost)
                        hand_out([place[future.key]], None)
                for future, (told, results) in zip(finished, self._fetched(finished), strict=True):
                    if told != here:
                        refuse_others({"that joined meanwhile": told}, here)
                    yield place[future.key], results
        finally:
            if waiting and self._client.status == "running":
                self._client.cancel(list(waiting.values()))

    def _next(self, done: SimpleQueue[Any], waiting: dict[str, Any], *, longest: float) -> list[Any]:
        """Futures that are done: at least one, unless the cluster is gone or silent, which raises `AmoOptError`.

        ``longest`` = what the longest job takes, in seconds, roughly.
        """
        since, told = time.monotonic(), False
        while True:
            try:
                found = [done.get(timeout=1.0)]
            except Empty:
                there = self._check_alive()
                found = [future for future in waiting.values() if future.done()]
                if found:
                    return found
                if not there:  # that wait has a bound of its own
                    since = time.monotonic()
                silent = time.monotonic() - since
                limit = max(SILENT_SECONDS, 100.0 * longest)
                where = f"{len(waiting)} jobs on {len(there)} workers ({', '.join(sorted(there)[:3])}{', …' if len(there) > 3 else ''})"
                if silent > limit:
                    raise AmoOptError(
                        f"no result came for {limit:g} s of {where}; what was finished is kept: see the workers' own output, and the same "
                        "command goes on"
                    ) from None
                if silent > max(TOLD_SECONDS, 10.0 * longest) and not told:
                    told = True
                    _log.warning("no result for %.0f s: the run waits for %s, up to %g s", silent, where, limit)
                continue
            while not done.empty():
                found.append(done.get())
            return found

    def _check_alive(self) -> dict[str, int]:
        """The workers there are. Raises `AmoOptError` where the cluster is gone, or has had no worker for too long."""
        if self._client.status != "running":
            raise AmoOptError(GONE)
        if self.processes and all(process.poll() is not None for process in self.processes):
            raise AmoOptError("every worker process of the local cluster has ended; what was finished is kept, the same command goes on")
        there = self._workers()
        if there:
            self._alone_since = None
            return there
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
        return there

    def _again(self, future: Any, number: int, lost: dict[int, int]) -> None:
        """Counts a job that came back without results; raises where there is no sense in another try."""
        self._check_alive()
        if future.status == "error":
            error = future.exception(timeout=ANSWER_SECONDS)
            if type(error).__name__ not in {"KilledWorker", "FutureCancelledError", "NoValidWorkerError", "CommClosedError"}:
                raise error
        lost[number] = lost.get(number, 0) + 1
        if lost[number] > TRIES:
            raise AmoOptError(
                "the cluster's workers end again and again under the same job; what was finished is kept: see the workers' own output "
                "(often too little memory)"
            )


@contextmanager
def _answering(what: str) -> Iterator[None]:
    """Turns a deadline of Dask's into one message that says what was waited for."""
    try:
        yield
    except TimeoutError as error:
        raise AmoOptError(f"{what} for {ANSWER_SECONDS:g} s; what was finished is kept, and the same command goes on") from error


def _quiet() -> None:
    """Keeps Dask's own lines off the terminal: what matters is told in our words."""
    for name in ("distributed", "distributed.client", "distributed.scheduler", "distributed.core", "tornado", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def cluster_executor(address: str, study: Study, *, threads: int = 1) -> Iterator[DaskExecutor]:
    """An executor at ``address`` (``tcp://HOST:PORT``, or ``local:N`` = N processes on this machine, ended afterwards), checked against this machine.

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
            executor = DaskExecutor(client, threads=threads)
            executor.await_workers(1, f"the cluster {address} has no worker: start some with: dask worker {address} --nthreads 1")
            executor.check(study)
            yield executor
        return
    from amo_opt.simulation.local_workers import local_workers

    count = int(local["count"])
    with local_workers(count) as (cluster, processes), _connected(distributed, cluster.scheduler_address) as client:
        executor = DaskExecutor(client, threads=threads, processes=processes)
        executor.await_workers(count, f"the {count} worker processes of {address} did not come up within {START_SECONDS} s")
        executor.check(study)
        yield executor


@contextmanager
def _connected(distributed: Any, address: str) -> Iterator[Any]:
    try:
        asyncio.run(_greeted(distributed, address))
        client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False, name="amo-opt")
    # MemoryError: another program's greeting read as the length of a message
    except (OSError, TimeoutError, ValueError, ImportError, RuntimeError, MemoryError) as error:
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
        with suppress(TimeoutError):  # a scheduler that says no goodbye
            client.close(timeout=CONNECT_SECONDS)


async def _greeted(distributed: Any, address: str) -> None:
    """Raises where nobody at the address greets as Dask does: its client itself waits for a greeting without end."""
    from distributed.comm import connect

    security = distributed.Security().get_connection_args("client")

    async def greet() -> None:
        comm = await connect(address, timeout=CONNECT_SECONDS, **security)  # type: ignore[no-untyped-call]
        await comm.close()

    await asyncio.wait_for(greet(), CONNECT_SECONDS)


__all__ = ["DaskExecutor", "check_address", "cluster_executor"]
