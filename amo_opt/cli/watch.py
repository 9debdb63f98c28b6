"""Progress for people and for logs: a bar with rate and time left on a terminal, plain lines elsewhere, seconds in ``NAME.log`` beside the report."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from amo_opt.cli.streams import say, width_of
from amo_opt.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.progress import Progress, TaskID

    from amo_opt.config.study import Study
    from amo_opt.search.progress import ProgressEvent, Remark

TITLES = {
    "search": "search",
    "pilot": "which noise decides the tail",
    "fix-A": "search at the current A",
    "climb": "the best set, step by step",
    "prune": "taking idle changes back",
    "profile": "profile over A",
    "selection": "certification, selection paths",
    "holdout": "certification, holdout paths",
    "neighbours": "one step away",
    "doubt": "assumptions drawn",
    "sensitivity": "assumed figures moved",
    "change-costs": "cost of the change",
    "run-capacity": "run capacity",
}
LINE_SECONDS = 5.0
"""Seconds between plain lines."""
WIDE = 100
"""Columns from which a bar has room beside name, percent and time left."""


def best(event: ProgressEvent) -> str:
    """The best feasible figures so far, where there are any."""
    if event.best_yield is None or event.best_peg_bps is None:
        return ""
    return f"best yield {100 * event.best_yield:.2f}% a year, best peg risk {event.best_peg_bps:.2f} bp, front of {event.front_size}"


class _Log:
    """When each phase began and ended, for whoever asks how long it took."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._phase = ""
        self._began = time.perf_counter()
        self._lost = False
        self.phases: list[tuple[str, float]] = []

    def line(self, text: str) -> None:
        """One line; a disk that takes none is told once, as no result hangs on it."""
        if self._lost:
            return
        try:
            self._file.write(f"{text}\n")
            self._file.flush()
        except OSError as error:
            self._lost = True
            say(f"the log {self._file.name} cannot be written ({error.strerror or error}); the run goes on without it", err=True)

    def note(self, phase: str) -> None:
        if phase == self._phase:
            return
        now = time.perf_counter()
        if self._phase:
            self.line(f"{self._phase}: {now - self._began:.1f} s")
            self.phases.append((self._phase, now - self._began))
        self._phase, self._began = phase, now


def remark_words(remark: Remark) -> str:
    """What people should hear of besides the counts."""
    from amo_opt.search.progress import Stalled

    if isinstance(remark, Stalled):
        return f"no growth of the front in {remark.batches} batches: the search ends here"
    return f"the record's trials come from {remark.kept}, so {remark.kept} goes on ({remark.trials} trials at once take {remark.wanted})"


class _Lines:
    """Plain lines: at each phase's start and end, and every few seconds between."""

    def __init__(self) -> None:
        self._phase = ""
        self._last = 0.0

    def show(self, event: ProgressEvent) -> None:
        now = time.perf_counter()
        if event.remark is not None:
            sys.stderr.write(f"{TITLES[event.phase]}: {remark_words(event.remark)}\n")
        if event.phase == self._phase and event.done < event.total and now - self._last < LINE_SECONDS:
            return
        self._phase, self._last = event.phase, now
        told = best(event)
        sys.stderr.write(f"{TITLES[event.phase]}: {event.done}/{event.total}{' · ' + told if told else ''}\n")
        sys.stderr.flush()


class _Bars:
    """One bar a phase, with rate, time left and the best front so far."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def show(self, event: ProgressEvent) -> None:
        if event.remark is not None:
            self._progress.console.print(f"{TITLES[event.phase]}: {remark_words(event.remark)}", highlight=False, markup=False)
        if event.phase not in self._tasks:
            self._tasks[event.phase] = self._progress.add_task(TITLES[event.phase], total=event.total, best="")
        self._progress.update(self._tasks[event.phase], completed=event.done, total=event.total, best=best(event))


class Watching:
    """A watcher that notes the phase and shows the event; ``phases`` are those that have ended, with their seconds."""

    def __init__(self, log: _Log, shown: _Bars | _Lines | None) -> None:
        self._log, self._shown = log, shown

    @property
    def phases(self) -> tuple[tuple[str, float], ...]:
        """Every phase that has ended and its seconds."""
        return tuple(self._log.phases)

    def __call__(self, event: ProgressEvent) -> None:
        """One event of the run."""
        self._log.note(event.phase)
        if self._shown is not None:
            self._shown.show(event)


def _log_file(folder: Path) -> TextIO:
    """The log beside the report folder, to be appended to; the first file a run writes, so it tells where none can be."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        return folder.with_name(folder.name + ".log").open("a", encoding="utf-8")
    except OSError as error:
        reason = error.strerror or error
        raise StorageError(
            f"nothing can be written beside {folder}: {reason} ({error.filename}); name another folder with --out"
        ) from error


@contextmanager
def closing_whatever(file: TextIO) -> Iterator[TextIO]:
    """The file, closed afterwards even where its last line finds no room."""
    try:
        yield file
    finally:
        with suppress(OSError):
            file.close()


def bars() -> Progress:
    """A bar a task: name, bar, counts, times and the best so far; name, percent and time left on a terminal too narrow for that."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    width = width_of(err=True)
    name, left = TextColumn("{task.description}"), TimeRemainingColumn()
    console = Console(stderr=True, width=width)
    if width is not None and width < WIDE:
        return Progress(name, TaskProgressColumn(), left, console=console)
    best_so_far = TextColumn("{task.fields[best]}")
    return Progress(name, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), left, best_so_far, console=console)


@contextmanager
def counting(name: str, line: str) -> Iterator[Callable[[int, int], None]]:
    """Progress of one thing on stderr: a bar of that name on a terminal, a line every few seconds elsewhere."""
    if sys.stderr.isatty():
        with bars() as progress:
            task = progress.add_task(name, best="")
            yield lambda done, total: progress.update(task, completed=done, total=total)
        return
    last = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done == total or now - last >= LINE_SECONDS:
            last = now
            say(f"{line}: {done}/{total}", err=True)

    yield tell


@contextmanager
def watching(study: Study, folder: Path, *, quiet: bool = False) -> Iterator[Watching]:
    """A watcher for `optimise`: bars where stderr is a terminal, lines where it is not, neither if ``quiet``; times into ``<folder>.log``."""
    with closing_whatever(_log_file(folder)) as file:
        log = _Log(file)
        log.line(f"study {study.name} {study.hash[:12]}")
        if quiet:
            yield Watching(log, None)
        elif sys.stderr.isatty():
            with bars() as progress:
                yield Watching(log, _Bars(progress))
        else:
            yield Watching(log, _Lines())
        log.note("end")
