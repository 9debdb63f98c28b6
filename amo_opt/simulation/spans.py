"""Which paths are run: blocks of lanes of every scenario, component after component of its design, and what each path weighs.

A block holds the end of one component and the beginning of the next, so that a design costs no more than as many paths drawn as the scenario is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from amo_opt.errors import AmoOptError
from amo_opt.protocol.lanes import LANES
from amo_opt.stress.tilts import Component, Design, path_name

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.stress.scenario import Scenario

Array = NDArray[np.float64]


class Stretch(NamedTuple):
    """Neighbouring lanes: paths ``first`` to ``first + lanes - 1``, or their twins in a ``component`` of those of a design."""

    component: int
    first: int
    lanes: int

    @property
    def paths(self) -> range:
        """Their numbers."""
        return range(self.first, self.first + self.lanes)


Stretches = tuple[Stretch, ...]


@dataclass(frozen=True)
class Span:
    """One block of one scenario, of whose design these are the ``components``."""

    scenario: Scenario
    stretches: Stretches
    components: tuple[Component, ...] = ()

    @property
    def lanes(self) -> int:
        """How many paths."""
        return sum(each.lanes for each in self.stretches)

    @property
    def numbers(self) -> range:
        """As many numbers as there are paths, those of the first stretch to begin with."""
        first = self.stretches[0].first
        return range(first, first + self.lanes)

    def path(self, lane: int) -> str:
        """What the path of a lane is called."""
        component, path = self.places[lane].tolist()
        return path_name(path, component)

    @property
    def places(self) -> NDArray[np.int64]:
        """Component and number of each path, (lanes, 2)."""
        return np.array([(each.component, path) for each in self.stretches for path in each.paths], dtype=np.int64)


def drawn_span(scenario: Scenario, first: int, lanes: int) -> Span:
    """Paths of a scenario as it is."""
    return Span(scenario, (Stretch(0, first, lanes),))


Designs = Mapping[str, Design]
"""How each scenario's paths are drawn, by its name; one that is left out is drawn as it is."""


def spans_of(study: Study, paths: int, scenarios: Sequence[str] | None, designs: Designs | None = None) -> list[Span]:
    """The blocks in the order of an outcome's rows; ``paths`` where ``designs`` says nothing of a scenario. Raises `AmoOptError` for an unknown scenario."""
    known = [scenario.name for scenario in study.scenarios]
    designs = designs or {}
    unknown = [name for name in (*(scenarios or ()), *designs) if name not in known]
    if unknown:
        raise AmoOptError(f"unknown scenario {unknown[0]!r}; the study has {', '.join(known)}")
    if paths < 1:
        raise AmoOptError(f"paths = {paths}; at least 1 is needed")
    chosen = [scenario for scenario in study.scenarios if scenarios is None or scenario.name in scenarios]
    spans = []
    for scenario in chosen:
        design = designs.get(scenario.name) or Design(drawn=paths)
        spans += [Span(scenario, stretches, design.components) for stretches in _blocks(design.counts)]
    return spans


def _blocks(counts: Sequence[int]) -> Iterator[Stretches]:
    """So many paths of each component, in blocks of which all but the last are full."""
    block: list[Stretch] = []
    room = LANES
    for component, count in enumerate(counts):
        first = 0
        while first < count:
            lanes = min(room, count - first)
            block.append(Stretch(component, first, lanes))
            first, room = first + lanes, room - lanes
            if room == 0:
                yield tuple(block)
                block, room = [], LANES
    if block:
        yield tuple(block)


class Places(TypedDict):
    """Where each of an outcome's rows is from, each of shape (paths,): place of its scenario, component, number."""

    scenario_of: NDArray[np.int64]
    component_of: NDArray[np.int64]
    path_of: NDArray[np.int64]


def places_of(spans: Sequence[Span], names: Sequence[str]) -> Places:
    """Of the spans' paths, one span after the other; ``names`` = the scenarios in order."""
    component_of, path_of = np.concatenate([span.places for span in spans]).T.copy()
    scenario_of = np.repeat([names.index(span.scenario.name) for span in spans], [span.lanes for span in spans])
    return Places(scenario_of=scenario_of, component_of=component_of, path_of=path_of)


def path_weights(spans: Sequence[Span], log_ratios: Array, designs: Designs | None) -> Array:
    """Each path's weight within its scenario, (paths,)."""
    starts = np.cumsum([0, *(span.lanes for span in spans)])
    weights = np.ones(int(starts[-1]))
    for name in dict.fromkeys(span.scenario.name for span in spans):
        design = (designs or {}).get(name)
        if design is not None:
            own = [k for k, span in enumerate(spans) if span.scenario.name == name]
            rows = slice(int(starts[own[0]]), int(starts[own[-1] + 1]))
            weights[rows] = design.weights(log_ratios[rows])
    return weights


def span_of(study: Study, scenario: str, path: int, *, design: Design | None, component: int) -> Span:
    """The block of one path; raises `AmoOptError` where there is no such scenario, path or component."""
    span = spans_of(study, 1, [scenario])[0]
    if path < 0:
        raise AmoOptError(f"path = {path}; paths count from 0")
    components = () if design is None else design.components
    if not 0 <= component <= len(components):
        raise AmoOptError(f"component {component} of {scenario}; its design has {len(components)} beside the paths as drawn")
    return Span(span.scenario, (Stretch(component, path, 1),), components)
