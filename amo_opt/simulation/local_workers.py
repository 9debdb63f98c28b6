"""Worker processes of a Dask cluster on this machine, one thread each, for trying: started here, ended here.

They are started as programs, not forked from or importing the caller's script, and in a session of their own, so that Ctrl-C reaches the
run alone, which ends them. A worker whose scheduler is gone ends by itself: a killed run leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 5.0
"""How long a worker is given to end by itself."""
ALLOWED_FAILURES = 100
"""Workers that may be lost under one task before the scheduler gives it up."""


def start(address: str, folder: str) -> subprocess.Popen[bytes]:
    """One worker process of the scheduler at ``address``."""
    package = os.fspath(Path(__file__).resolve().parents[2])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(  # noqa: S603 - this interpreter and this module
        [sys.executable, "-P", "-m", "amo_opt.simulation.local_workers", address, folder],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )


@contextmanager
def local_workers(count: int) -> Iterator[tuple[Any, list[subprocess.Popen[bytes]]]]:
    """A scheduler in this process (its address under ``scheduler_address``) and its workers; all gone afterwards."""
    from distributed import LocalCluster

    quiet = {"dashboard": False, "dashboard_address": "127.0.0.1:0", "allowed_failures": ALLOWED_FAILURES}
    with tempfile.TemporaryDirectory(prefix="amo-opt-", ignore_cleanup_errors=True) as folder:
        cluster = LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=0, host="127.0.0.1", processes=True, dashboard_address=None, scheduler_kwargs=quiet, silence_logs=50
        )
        workers: list[subprocess.Popen[bytes]] = []
        try:
            workers += [start(cluster.scheduler_address, folder) for _ in range(count)]
            yield cluster, workers
        finally:
            _end(workers)
            cluster.close()


def _end(workers: list[subprocess.Popen[bytes]]) -> None:
    for worker in workers:
        worker.terminate()
    for worker in workers:
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.wait(timeout=PATIENCE_SECONDS)
            continue
        worker.kill()
        worker.wait()


async def _serve(address: str, folder: str) -> None:
    from distributed import Worker

    # Memory is bounded by the paths kept (`remote.KEPT_BYTES`); a limit of Dask's own would only pause the worker.
    worker = Worker(
        address, nthreads=1, host="127.0.0.1", dashboard=False, local_directory=folder, memory_limit=0, death_timeout=PATIENCE_SECONDS
    )
    async with worker:
        await worker.finished()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], sys.argv[2]))
