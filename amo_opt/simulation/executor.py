"""Who does the work: an executor takes jobs and hands back their results, on threads of this machine or elsewhere.

What a job gives does not depend on the executor, and results are joined by their place, so every executor gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.simulation.spans import Stretches
    from amo_opt.stress.tilts import Component


@dataclass(frozen=True)
class Task:
    """A block of one scenario (`amo_opt.simulation.spans.Span`) and the places of the sets to run on it."""

    scenario: str
    stretches: Stretches
    sets: tuple[int, ...]
    components: tuple[Component, ...] = ()


@dataclass(frozen=True)
class Watched:
    """What is kept beside the outcome's columns: the ``price`` at some ``steps``, of the sets at some places, on drawn paths below
    ``paths``.
    """

    sets: tuple[int, ...]
    paths: int
    steps: tuple[int, ...]

    def lanes(self, stretches: Stretches) -> int:
        """How many lanes of a block are kept, from its first on: its drawn paths, where it begins below ``paths``."""
        component, first, lanes = stretches[0]
        return lanes if component == 0 and first < self.paths else 0

    def of(self, first: int, count: int) -> Watched:
        """The same for ``count`` sets of all, from place ``first`` on."""
        return Watched(tuple(place - first for place in self.sets if first <= place < first + count), self.paths, self.steps)


@dataclass(frozen=True)
class Job:
    """Tasks that one worker runs one after the other. ``columns`` are the series to keep; None = the outcome's columns. ``kept`` = their
    paths stay where they were drawn.
    """

    tasks: tuple[Task, ...]
    stream: str
    columns: tuple[str, ...] | None = None
    watched: Watched | None = None
    kept: bool = False

    @property
    def runs(self) -> int:
        """Sets times blocks."""
        return sum(len(task.sets) for task in self.tasks)


class AnyJob(Protocol):
    """What one worker does in one go: plain values, which travel."""

    @property
    def runs(self) -> int:
        """Of how many blocks by one set it is, roughly: how long a worker may be silent hangs on it."""
        ...


Work = Callable[[Any, "Study", "Sequence[ParameterSet]"], list[Any]]
"""A function of a module: the results of a job. Of a `Job` one for each set of each task in their order; what fails is a `SimulationError` in its place.

A set that is watched on a task has a pair in its place: the outcome's columns, and its prices of shape (steps, lanes).
"""


class Executor(Protocol):
    """Runs jobs."""

    @property
    def threads(self) -> int:
        """Threads of this machine, for what is not worth sending away."""
        ...

    def plan(self, tasks: Sequence[Task], *, kept: bool, steps: int) -> list[list[Task]]:
        """The tasks shared out: one list a job, together every (task, set) once. ``kept`` = the paths stay where they were drawn."""
        ...

    def run(self, work: Work, jobs: Sequence[AnyJob], study: Study, sets: Sequence[ParameterSet]) -> Iterator[tuple[int, list[Any]]]:
        """(place of the job, its results), in any order."""
        ...


@dataclass(frozen=True)
class Threads:
    """Threads that share the paths."""

    count: int = 1

    @property
    def threads(self) -> int:
        """As many as there are."""
        return max(1, self.count)

    def plan(self, tasks: Sequence[Task], *, kept: bool, steps: int) -> list[list[Task]]:  # noqa: ARG002 - the executor's signature
        """Where paths stay, every (set, task) by itself, set by set so that threads draw different paths; else a task with all its sets."""
        if not kept:
            return [[task] for task in tasks]
        most = max((len(task.sets) for task in tasks), default=0)
        return [[replace(task, sets=(task.sets[k],))] for k in range(most) for task in tasks if k < len(task.sets)]

    def run(self, work: Work, jobs: Sequence[AnyJob], study: Study, sets: Sequence[ParameterSet]) -> Iterator[tuple[int, list[Any]]]:
        """In the order of the jobs."""
        with ThreadPoolExecutor(max_workers=self.threads) as pool:
            yield from enumerate(pool.map(lambda job: work(job, study, sets), jobs))


Workers = int | Executor
"""How work is shared out: a number of threads, or an executor."""


def executor_of(workers: Workers) -> Executor:
    """The executor; a number means threads."""
    return Threads(workers) if isinstance(workers, int) else workers


def run_all(
    workers: Workers,
    work: Work,
    jobs: Sequence[AnyJob],
    study: Study,
    sets: Sequence[ParameterSet],
    *,
    progress: Callable[[int], object] = lambda _: None,
) -> list[Any]:
    """The results of every job, one list after the other in the order of the jobs; ``progress`` is told how many jobs are done."""
    found: list[list[Any]] = [[] for _ in jobs]
    for done, (place, results) in enumerate(executor_of(workers).run(work, jobs, study, sets), start=1):
        found[place] = results
        progress(done)
    return [each for results in found for each in results]
