"""One run at a time on a study's storage: a lock that its holder's end sets free, however it ends."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

try:
    import fcntl
except ImportError:  # not on Windows: there a second run is told at its first write
    fcntl = None  # type: ignore[assignment]


@contextmanager
def file_lock(database: Path) -> Iterator[bool]:
    """Whether the storage's file is this run's alone; a small file beside it carries the lock meanwhile.

    A lock of its own, as SQLite's are on the storage itself. Where none can be had (a folder that is read-only, a file system without
    locks) nothing is refused here: the first write tells.
    """
    lock = database.with_name(f".{database.name}.lock")
    handle = None
    try:
        while fcntl is not None:
            with suppress(OSError):
                handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            if handle is None:
                break
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                handle = None
                yield False
                return
            except OSError:
                break
            with suppress(FileNotFoundError):
                if lock.stat().st_ino == os.fstat(handle).st_ino:
                    break
            os.close(handle)  # its last holder has removed it meanwhile
            handle = None
        yield True
    finally:
        if handle is not None:
            with suppress(OSError):
                lock.unlink()
            os.close(handle)


class ServerLock:
    """The same on a PostgreSQL server: an advisory lock, held as long as its connection lives."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._key = int.from_bytes(hashlib.sha256(f"amo-opt {name}".encode()).digest()[:8], "big", signed=True)
        self._connection: Any = None

    def take(self) -> bool:
        """Whether the study is this run's alone; asked again after the server was away."""
        if self._connection is not None:
            try:
                self._connection.execute(text("select 1"))
            except SQLAlchemyError:
                self.drop()
            else:
                return True
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            taken = bool(connection.execute(text("select pg_try_advisory_lock(:key)"), {"key": self._key}).scalar())
        except BaseException:
            connection.invalidate()
            raise
        if taken:
            self._connection = connection
        else:
            connection.close()
        return taken

    def drop(self) -> None:
        """Sets the study free."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):  # closed for good, not handed back: the lock ends with it
                connection.invalidate()
                connection.close()
