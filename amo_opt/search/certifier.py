"""What certification works with: the study, an executor, and who watches."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from amo_opt.config.study import Study
from amo_opt.errors import SimulationError
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.search.planning import Designs, scaled
from amo_opt.search.progress import Phase, ProgressEvent, Watcher
from amo_opt.simulation.engine import Seen, simulate_many
from amo_opt.simulation.executor import Watched, Workers, executor_of
from amo_opt.simulation.outcome import Outcome
from amo_opt.stress.tilts import Design

J = TypeVar("J")
R = TypeVar("R")
UNREAD = frozenset(
    {f"capital_{line}_usd" for line in ("shares_issued", "shares_burned", "recollateralised", "buybacks")}
    | {"nav_start_usd", "nav_end_usd", "transition_nav_start_usd", "transition_income_usd", "transition_capital_usd"}
    | {"peg_loss_collateral_bps", "share_price_end", "claims_end_usd", "buy_queue_end_usd", "net_issued_tokens", "reward_tokens_earned"}
)
"""Columns of an outcome that no score and no table of a result reads: a quarter of the memory of a certification."""
HELD_BYTES = 256 << 20
"""Most memory of outcomes at once where sets are taken in groups; a group holds one set at least."""
COLUMNS = 46
"""Columns of an outcome that are kept, roughly: only the size of a group hangs on it."""


def room(study: Study, paths: int, *, columns: int = COLUMNS) -> int:
    """How many sets' outcomes are held at once."""
    return max(1, HELD_BYTES // (8 * columns * paths * len(study.scenarios)))


def _fewer(design: Design, part: float) -> Design:
    """That part of a design's paths, rounded, at least one of them drawn."""
    twins = tuple(round(part * count) for count in design.twins)
    return Design(max(1, math.floor(part * design.paths) - sum(twins)), design.components, twins)


@dataclass(frozen=True)
class Certifier:
    """A study on its certification paths, run by ``workers``; ``watch`` is told of every block. ``designs`` say how a stream's paths are drawn, where they say
    it: else as many of every scenario as it is.
    """

    study: Study
    workers: Workers
    watch: Watcher
    designs: Mapping[str, Designs] = field(default_factory=dict)

    def map(self, function: Callable[[J], R], jobs: Sequence[J]) -> list[R]:
        """``function`` of every job, on this machine's threads, in the order of the jobs."""
        with ThreadPoolExecutor(max_workers=executor_of(self.workers).threads) as pool:
            return list(pool.map(function, jobs))

    @property
    def paths(self) -> int:
        """Certification paths per scenario."""
        return self.study.certification.multiple * self.study.simulation.paths

    def designs_of(self, stream: str, paths: int | None = None) -> Designs | None:
        """How the stream's paths are drawn; a smaller number of ``paths`` takes as large a part of every component."""
        found = self.designs.get(stream)
        if found is None or paths is None:
            return found
        return {name: scaled(design, min(1.0, paths / design.drawn)) for name, design in found.items()}

    def few(self, stream: str, paths: int) -> Designs:
        """So many of the stream's paths of all scenarios together, where it has as many: half of them shared out evenly, half in proportion to how many of a
        scenario there are; within a scenario drawn and twins as its design has them.
        """
        designs = {scenario.name: Design(self.paths) for scenario in self.study.scenarios} | (self.designs_of(stream) or {})
        total = sum(design.paths for design in designs.values())
        parts = {name: 0.5 * paths * (1.0 / len(designs) + design.paths / total) for name, design in designs.items()}
        return {name: _fewer(design, min(1.0, parts[name] / design.paths)) for name, design in designs.items()}

    def paths_of(self, stream: str, paths: int | None = None) -> int:
        """The stream's paths of all scenarios."""
        found = self.designs_of(stream, paths)
        if found is None:
            return len(self.study.scenarios) * (self.paths if paths is None else paths)
        return sum(design.paths for design in found.values())

    def simulate(
        self, sets: Sequence[ParameterSet], *, stream: str, phase: Phase, paths: int | None = None
    ) -> list[Outcome | SimulationError]:
        """Every set on one stream's paths, as many as certification takes unless said otherwise."""
        return simulate_many(
            sets,
            self.study,
            paths=self.paths if paths is None else paths,
            designs=self.designs_of(stream, paths),
            stream=stream,
            workers=self.workers,
            without=UNREAD,
            progress=lambda done, total: self.watch(ProgressEvent(phase=phase, done=done, total=total)),
        )

    def in_groups(
        self,
        sets: Sequence[ParameterSet],
        function: Callable[[int, list[Outcome | SimulationError]], Sequence[R]],
        *,
        stream: str,
        phase: Phase,
        paths: int | None = None,
        watched: Watched | None = None,
        seen: Seen | None = None,
    ) -> list[R]:
        """What ``function`` makes of the outcomes of every set, handed over with the place of the first, as many at once as fit into memory.

        Paths are drawn again for each group, so an ordinary certification is one group, and one of a million paths holds one set at a time.
        ``watched`` and ``seen`` go to `simulate_many`, with the places of sets among all of them.
        """
        size = self.paths if paths is None else paths
        held = room(self.study, -(-self.paths_of(stream, paths) // len(self.study.scenarios)))
        found: list[R] = []
        for first in range(0, len(sets), held):
            group = sets[first : first + held]

            def told(done: int, total: int, first: int = first, share: int = len(group)) -> None:
                each = total // share
                self.watch(ProgressEvent(phase=phase, done=each * first + done, total=each * len(sets)))

            def placed(place: int, scenario: str, path: int, prices: NDArray[np.float64], first: int = first) -> None:
                if seen is not None:
                    seen(first + place, scenario, path, prices)

            # not bound to a name here: it must be gone before the next group comes
            found += function(
                first,
                simulate_many(
                    group,
                    self.study,
                    paths=size,
                    designs=self.designs_of(stream, paths),
                    stream=stream,
                    workers=self.workers,
                    without=UNREAD,
                    progress=told,
                    watched=None if watched is None else watched.of(first, len(group)),
                    seen=placed,
                ),
            )
        return found
