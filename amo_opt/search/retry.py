"""Waiting for a storage that does not answer for a while: a server that starts again, a file that another program holds."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, PendingRollbackError

from amo_opt.errors import StorageError
from amo_opt.search.address import masked, public

R = TypeVar("R")

WAIT_SECONDS = 600.0
"""How long a storage is waited for, unless said otherwise."""
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
PASSING = ("08", "57P", "53300", "55P03")
"""SQLSTATE of what passes by itself: connection lost, server shutting down or starting, too many connections, another program's lock."""
ABORTED = "25P02"
"""SQLSTATE of a statement in a transaction that has failed already."""

_log = logging.getLogger("amo_opt")


def cause(error: BaseException) -> BaseException:
    """The database's own error beneath Optuna's and ours."""
    while not isinstance(error, DBAPIError) and error.__cause__ is not None:
        error = error.__cause__
    earlier: BaseException | None = error
    while _state(error) == ABORTED and earlier is not None:  # Optuna asks again in the transaction whose first statement failed: why it did
        earlier = earlier.__context__
        if isinstance(earlier, DBAPIError) and _state(earlier) != ABORTED:
            return earlier
    return error


def _state(error: BaseException) -> str | None:
    """The SQLSTATE a server gave, under either name that drivers have for it."""
    original = getattr(error, "orig", None)
    return getattr(original, "sqlstate", None) or getattr(original, "pgcode", None)


def passing(error: BaseException) -> bool:
    """Whether waiting may help: a connection that is lost or refused, or an SQLite file that is locked."""
    found = cause(error)
    if isinstance(found, PendingRollbackError):  # the connection was lost in the middle of a transaction
        return True
    if not isinstance(found, DBAPIError):
        return False
    if type(found.orig).__module__.startswith("sqlite3"):
        return "locked" in str(found.orig)
    state = _state(found)
    lost = found.connection_invalidated or isinstance(found, (OperationalError, InterfaceError))
    return lost and (state is None or str(state).startswith(PASSING))


def retried(action: Callable[[], R], *, address: str, wait: float, before_retry: Callable[[], None] = lambda: None) -> R:
    """What ``action`` gives, tried again for up to ``wait`` seconds while the storage does not answer; told once, and once when it answers.

    ``before_retry`` runs before each further try; a passing failure of it counts as the action's. Raises the last `StorageError`.
    """
    since: float | None = None
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            if since is not None:
                before_retry()
            result = action()
        except StorageError as error:
            if not passing(error):
                raise
            now = time.monotonic()
            if since is None:
                since = now
                _log.warning(
                    "the storage %s does not answer since %s (%s); the run waits up to %g s and goes on by itself",
                    public(address),
                    time.strftime("%H:%M:%S"),
                    masked(reason(error), address),
                    wait,
                )
            if now - since + pause > wait:
                raise StorageError(
                    f"the storage {public(address)} did not answer for {wait:g} s: {masked(reason(error), address)}; what was written is kept: "
                    "the same command goes on from there once it answers"
                ) from error
            time.sleep(pause)
            pause = min(2.0 * pause, LONGEST_PAUSE_SECONDS)
        else:
            if since is not None:
                _log.warning("the storage %s answers again after %.0f s; the run goes on", public(address), time.monotonic() - since)
            return result


def reason(error: BaseException) -> str:
    """The database's words, in one line."""
    found = cause(error)
    lines = (str(getattr(found, "orig", None) or found) or type(found).__name__).strip().splitlines()
    return lines[0] if lines else type(found).__name__
