"""Files and folders in the making, beside the place they are for: held by a lock while their maker lives, removed once it does not.

A lock rather than an age tells the dead from the living: it needs no clock, and what a killed run left goes with the next one.
"""

from __future__ import annotations

import glob
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

STALE_SECONDS = 3600.0
"""Age after which something unfinished is taken for dead where there are no locks."""
MAKING = ".writing"


@contextmanager
def unfinished(target: Path) -> Iterator[Path]:
    """A new folder beside ``target``, gone afterwards unless it was moved; what the dead left there is removed first."""
    _sweep(target)
    while True:
        fresh = target.with_name(f".{target.name}.{secrets.token_hex(8)}{MAKING}")
        fresh.mkdir()  # not tempfile's, which is its owner's alone whatever the umask says, and becomes the report's folder
        handle = _lock(fresh)
        if handle is not None and fresh.exists():
            break
        if fcntl is None:
            break
        _release(handle)  # another sweep was faster than this lock
        shutil.rmtree(fresh, ignore_errors=True)
    try:
        yield fresh
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        _release(handle)


def replace_whole(file: Path, content: bytes) -> None:
    """Puts the content at ``file`` in one step: a reader sees the old file or the new one."""
    with unfinished(file) as folder:
        fresh = folder / file.name
        with fresh.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(file)


def _sweep(target: Path) -> None:
    for entry in target.parent.glob(f".{glob.escape(target.name)}.*{MAKING}"):
        if fcntl is None:
            with suppress(FileNotFoundError):
                if time.time() - entry.stat().st_mtime > STALE_SECONDS:
                    _remove(entry)
            continue
        handle = _lock(entry)
        if handle is not None:
            _remove(entry)
            _release(handle)


def _remove(entry: Path) -> None:
    shutil.rmtree(entry, ignore_errors=True)


def _lock(entry: Path) -> int | None:
    """A handle that holds the entry; None where somebody else does, it is gone, or there are no locks here."""
    if fcntl is None:
        return None
    try:
        handle = os.open(entry, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _release(handle: int | None) -> None:
    if handle is not None:
        os.close(handle)
