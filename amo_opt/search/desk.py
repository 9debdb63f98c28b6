"""What certification works with: the study, a crew, and who watches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from amo_opt.config.study import Study
from amo_opt.errors import SimulationError
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.search.progress import Phase, ProgressEvent, Watcher
from amo_opt.simulation.crew import Workers, crew_of
from amo_opt.simulation.engine import simulate_many
from amo_opt.simulation.outcome import Outcome

J = TypeVar("J")
R = TypeVar("R")


@dataclass(frozen=True)
class Desk:
    """A study on its certification paths, run by ``workers``; ``watch`` is told of every block."""

    study: Study
    workers: Workers
    watch: Watcher

    def map(self, function: Callable[[J], R], jobs: Sequence[J]) -> list[R]:
        """``function`` of every job, on this machine's threads, in the order of the jobs."""
        with ThreadPoolExecutor(max_workers=crew_of(self.workers).threads) as pool:
            return list(pool.map(function, jobs))

    @property
    def paths(self) -> int:
        """Certification paths per scenario."""
        return self.study.certification.multiple * self.study.simulation.paths

    def simulate(
        self, sets: Sequence[ParameterSet], *, stream: str, phase: Phase, paths: int | None = None
    ) -> list[Outcome | SimulationError]:
        """Every set on one stream's paths, as many as certification takes unless said otherwise."""
        return simulate_many(
            sets,
            self.study,
            paths=self.paths if paths is None else paths,
            stream=stream,
            workers=self.workers,
            progress=lambda done, total: self.watch(ProgressEvent(phase=phase, done=done, total=total)),
        )
