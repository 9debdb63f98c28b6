"""The kernel's stages compiled: each by itself, kept on disk, side by side in a few processes where none is there yet.

Whoever needs stages walks the list and takes each from the disk or compiles it and leaves it there; helper processes do the same from other ends of
the list. So nobody waits for anybody: a helper that is killed, or a disk that cannot be written, costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from numba import config

from amo_opt.stableswap.jit import address
from amo_opt.stableswap.kept import KeptCache

Stages = Mapping[str, tuple[Any, tuple[Any, ...]]]
"""Stages by name, with the types of their arguments."""
_log = logging.getLogger("amo_opt")
_ONCE = "it is kept on this machine"
_EACH_TIME = "each time, for want of a folder to keep it in; NUMBA_CACHE_DIR names one"
MOST_PROCESSES = 4
WORTH_HELP = 4
"""Fewer missing stages than this are compiled before a helper has started."""


@lru_cache(maxsize=1)
def source_digest() -> str:
    """A digest of every file a stage may stand in: part of the name a compiled stage is kept under, so that no edit meets a stale one."""
    digest = hashlib.sha256()
    root = Path(__file__).parents[1]
    own = [root / "simulation" / name for name in ("compiled.py", "kernel.py", "opening.py", "path_statistics.py", "program.py")]
    for file in [*(file for room in ("stableswap", "protocol", "amos") for file in sorted((root / room).glob("*.py"))), *own]:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _is_kept(function: Any) -> bool:
    return isinstance(function._cache, KeptCache)  # noqa: SLF001


def keep(stages: Stages) -> bool:
    """Gives every stage its cache; False where there is no folder to keep one in."""
    if config.DISABLE_JIT:  # type: ignore[attr-defined]
        return False
    for name, (function, _) in stages.items():
        if not _is_kept(function):
            try:
                function._cache = KeptCache(function.py_func, base=name, stamp=source_digest())  # noqa: SLF001
            except RuntimeError:  # Numba finds no folder it may write to
                return False
    return True


@cache
def _tell(kept: str) -> None:
    """Once a process: a later study or trial may use more of the kernel."""
    _log.warning("compiling what the study needs of the kernel, which takes some ten seconds: %s", kept)


def addresses(stages: Stages) -> list[Any]:
    """Where the stages begin, in their order; those not on disk are compiled, helped by other processes, and whoever waits is told of it."""
    kept = keep(stages)
    missing = [name for name, (function, signature) in stages.items() if not (kept and function._cache.holds(signature))]  # noqa: SLF001
    many = len(missing) >= WORTH_HELP and not config.DISABLE_JIT  # type: ignore[attr-defined]
    if many:
        _tell(_ONCE if kept else _EACH_TIME)
    with _helpers(_processes() - 1 if many and kept else 0, missing):
        for name in walk(list(stages), 0):
            address(*stages[name])
    return [address(*stages[name]) for name in stages]


def walk(names: list[str], which: int) -> list[str]:
    """The order in which process ``which`` goes through the stages: from the front, from the back, from the middle either way."""
    middle = len(names) // 2
    return [names, names[::-1], names[middle:] + names[:middle], names[middle::-1] + names[:middle:-1]][which % 4]


def _processes() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_PROCESSES)


@contextmanager
def _helpers(count: int, names: list[str]) -> Iterator[None]:
    """That many processes that compile stages of those names too; ended afterwards, whatever they are at: by then all is compiled."""
    helpers: list[subprocess.Popen[bytes]] = []
    try:
        with contextlib.suppress(OSError, ValueError):
            helpers.extend(_helper(which, names) for which in range(1, count + 1))
        yield
    finally:
        for helper in helpers:
            helper.kill()
        for helper in helpers:
            helper.wait()


def _helper(which: int, names: list[str]) -> subprocess.Popen[bytes]:
    package = os.fspath(Path(__file__).resolve().parents[2])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(  # noqa: S603 - this interpreter and a module of ours
        [sys.executable, "-P", "-m", "amo_opt.simulation.compile_helper", str(which), str(os.getpid()), *names],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
