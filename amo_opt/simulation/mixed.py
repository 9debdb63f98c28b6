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
from amo_opt.simulation.engine import _Task, _weights, draw, run_one, simulate
from amo_opt.simulation.outcome import Outcome, join
from amo_opt.simulation.pack import constants

if TYPE_CHECKING:
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
    drawn = [draw(each, study, first=0, lanes=paths, stream=stream).reshape(steps, -1, LANES)[:, :, :paths] for each in study.scenarios]
    lanes = np.concatenate(drawn, axis=2)
    blocks = []
    for first in range(0, lanes.shape[2], LANES):
        used = min(LANES, lanes.shape[2] - first)
        places = first + np.minimum(np.arange(LANES), used - 1)  # the further lanes repeat the last one
        market = np.ascontiguousarray(lanes[:, :, places]).reshape(steps, -1)
        market.setflags(write=False)
        blocks.append((used, market))
    return Mixed(paths=paths, stream=stream, blocks=tuple(blocks))


def simulate_mixed(parameters: ParameterSet, study: Study, mixed: Mixed) -> Outcome:
    """One set on these paths, as `engine.simulate` would return it; raises `SimulationError` where a path fails."""
    vector = constants(study)
    try:
        columns = join([run_one(parameters, study, _Task(study.scenarios[0], 0, used), market, vector) for used, market in mixed.blocks])
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
