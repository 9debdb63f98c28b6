"""A few paths of every scenario side by side in one block: what a question that is asked a hundred times costs least with.

Lanes never meet, so a block need not hold one scenario alone. A path is the same path here as in `engine.simulate_many`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from amo_opt.errors import AmoOptError, SimulationError
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation.engine import _Span, _weights, run_one, simulate
from amo_opt.simulation.outcome import Outcome, join
from amo_opt.simulation.pack import constants
from amo_opt.stress.draws import FROM_STATE, Part, Rows, draw_inputs, lay_out, with_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet


@dataclass(frozen=True)
class Mixed:
    """The markets of paths 0 to ``paths`` - 1 of every scenario of a study, scenario after scenario: (lanes used, market) block by block."""

    paths: int
    stream: str
    blocks: tuple[tuple[int, NDArray[np.float64]], ...]


def paths_for_one_block(study: Study) -> int:
    """The most paths of every scenario that fit into one block side by side, at least 1."""
    return max(1, LANES // len(study.scenarios))


def draw_mixed(study: Study, *, paths: int, stream: str) -> Mixed:
    """Draws them; ``paths`` is at most a block's lanes."""
    if not 1 <= paths <= LANES:
        raise AmoOptError(f"paths = {paths}; from 1 to {LANES} of a scenario are drawn side by side")
    steps = study.simulation.transition_hours + study.simulation.window_hours
    rows = _side_by_side(study, paths=paths, stream=stream)
    total = paths * len(study.scenarios)
    blocks = []
    for first in range(0, total, LANES):
        used = min(LANES, total - first)
        blocks.append((used, lay_out(_lanes(rows, first, used), paths=used, steps=steps)))
    return Mixed(paths=paths, stream=stream, blocks=tuple(blocks))


def redrawn(mixed: Mixed, study: Study) -> Mixed:
    """The same paths under a state with other figures: what `draw_mixed` gives for it, only the inputs drawn anew that hang on a state."""
    rows = _side_by_side(study, paths=mixed.paths, stream=mixed.stream, parts=FROM_STATE)
    blocks = []
    for k, (used, market) in enumerate(mixed.blocks):
        blocks.append((used, with_inputs(market, _lanes(rows, k * LANES, used), paths=used)))
    return Mixed(paths=mixed.paths, stream=mixed.stream, blocks=tuple(blocks))


def _side_by_side(study: Study, *, paths: int, stream: str, parts: Sequence[Part] | None = None) -> dict[str, Rows]:
    """Each input of the parts, (scenarios × paths, steps)."""
    simulation = study.simulation
    drawn = [
        draw_inputs(
            each,
            seed=study.search.seed,
            stream=stream,
            paths=range(paths),
            state=study.state,
            transition_hours=simulation.transition_hours,
            window_hours=simulation.window_hours,
            parts=parts,
        )
        for each in study.scenarios
    ]
    shape = paths, simulation.transition_hours + simulation.window_hours
    return {name: np.concatenate([np.broadcast_to(rows[name], shape) for rows in drawn]) for name in drawn[0]}


def _lanes(rows: dict[str, Rows], first: int, used: int) -> dict[str, Rows]:
    return {name: values[first : first + used] for name, values in rows.items()}


def simulate_mixed(parameters: ParameterSet, study: Study, mixed: Mixed) -> Outcome:
    """One set on these paths, as `engine.simulate` would return it; raises `SimulationError` where a path fails."""
    vector = constants(study)
    try:
        columns = join([run_one(parameters, study, _Span(study.scenarios[0], 0, used), market, vector) for used, market in mixed.blocks])
    except SimulationError:
        # which scenario and path it was is known only where each has blocks of its own
        return simulate(parameters, study, paths=mixed.paths, stream=mixed.stream)
    names = tuple(each.name for each in study.scenarios)
    return Outcome(
        parameters=parameters,
        scenarios=names,
        weights=_weights(study, names),
        steps=study.simulation.transition_hours + study.simulation.window_hours,
        scenario_of=np.repeat(np.arange(len(names), dtype=np.int64), mixed.paths),
        path_of=np.tile(np.arange(mixed.paths, dtype=np.int64), len(names)),
        columns=columns,
    )
