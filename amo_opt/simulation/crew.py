"""Who does the work: a crew takes jobs and hands back their results, on threads of this machine or elsewhere.

What a job gives does not depend on the crew, and results are joined by their place, so every crew gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet


@dataclass(frozen=True)
class Piece:
    """Paths ``first`` to ``first + lanes - 1`` of one scenario, and the places of the sets to run on them."""

    scenario: str
    first: int
    lanes: int
    sets: tuple[int, ...]


@dataclass(frozen=True)
class Watched:
    """What is kept beside the outcome's columns: the ``price`` at some ``steps``, of the sets at some places, on paths below ``paths``."""

    sets: tuple[int, ...]
    paths: int
    steps: tuple[int, ...]

    def of(self, first: int, count: int) -> Watched:
        """The same for ``count`` sets of all, from place ``first`` on."""
        return Watched(tuple(place - first for place in self.sets if first <= place < first + count), self.paths, self.steps)


@dataclass(frozen=True)
class Job:
    """Pieces that one worker runs one after the other. ``columns`` are the series to keep; None = the outcome's columns. ``kept`` = their
    paths stay where they were drawn.
    """

    pieces: tuple[Piece, ...]
    stream: str
    columns: tuple[str, ...] | None = None
    watched: Watched | None = None
    kept: bool = False


Work = Callable[[Job, "Study", "Sequence[ParameterSet]"], list[Any]]
"""The results of a job, one for each set of each piece in their order; what fails is a `SimulationError` in its place.

A set that is watched on a piece has a pair in its place: the outcome's columns, and its prices of shape (steps, lanes).
"""


class Crew(Protocol):
    """Runs jobs."""

    @property
    def threads(self) -> int:
        """Threads of this machine, for what is not worth sending away."""
        ...

    def plan(self, pieces: Sequence[Piece], *, kept: bool, steps: int) -> list[list[Piece]]:
        """The pieces shared out: one list a job, together every (piece, set) once. ``kept`` = the paths stay where they were drawn."""
        ...

    def run(self, work: Work, jobs: Sequence[Job], study: Study, sets: Sequence[ParameterSet]) -> Iterator[tuple[int, list[Any]]]:
        """(place of the job, its results), in any order; ``work`` is a function of a module."""
        ...


@dataclass(frozen=True)
class Threads:
    """Threads that share the paths."""

    count: int = 1

    @property
    def threads(self) -> int:
        """As many as there are."""
        return max(1, self.count)

    def plan(self, pieces: Sequence[Piece], *, kept: bool, steps: int) -> list[list[Piece]]:  # noqa: ARG002 - the crew's signature
        """Where paths stay, every (set, piece) by itself, set by set so that threads draw different paths; else a piece with all its sets."""
        if not kept:
            return [[piece] for piece in pieces]
        most = max((len(piece.sets) for piece in pieces), default=0)
        return [
            [Piece(piece.scenario, piece.first, piece.lanes, (piece.sets[k],))]
            for k in range(most)
            for piece in pieces
            if k < len(piece.sets)
        ]

    def run(self, work: Work, jobs: Sequence[Job], study: Study, sets: Sequence[ParameterSet]) -> Iterator[tuple[int, list[Any]]]:
        """In the order of the jobs."""
        with ThreadPoolExecutor(max_workers=self.threads) as pool:
            yield from enumerate(pool.map(lambda job: work(job, study, sets), jobs))


Workers = int | Crew
"""How work is shared out: a number of threads, or a crew."""


def crew_of(workers: Workers) -> Crew:
    """The crew; a number means threads."""
    return Threads(workers) if isinstance(workers, int) else workers
