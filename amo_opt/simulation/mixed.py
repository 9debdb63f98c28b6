"""A few paths of every scenario side by side in one block: what a question that is asked a hundred times costs least with.

Lanes never meet, so a block need not hold one scenario alone. A path is the same path here as in `engine.simulate_many`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from amo_opt.errors import AmoOptError, SimulationError
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation.engine import _Span, _weights, draw_rows, hours_of, run_one, simulate
from amo_opt.simulation.market_block import MarketBlock, packed
from amo_opt.simulation.outcome import Outcome, join
from amo_opt.simulation.pack import constants
from amo_opt.stress.draws import FROM_STATE, Input, Part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet


@dataclass(frozen=True)
class Mixed:
    """The markets of paths 0 to ``paths`` - 1 of every scenario of a study, scenario after scenario: (lanes used, market) block by block, and the ``rows`` that
    they were packed from.
    """

    paths: int
    stream: str
    rows: Mapping[str, Input]
    blocks: tuple[tuple[int, MarketBlock], ...]


def paths_for_one_block(study: Study) -> int:
    """The most paths of every scenario that fit into one block side by side, at least 1."""
    return max(1, LANES // len(study.scenarios))


def draw_mixed(study: Study, *, paths: int, stream: str) -> Mixed:
    """Draws them; ``paths`` is at most a block's lanes."""
    if not 1 <= paths <= LANES:
        raise AmoOptError(f"paths = {paths}; from 1 to {LANES} of a scenario are drawn side by side")
    return _mixed(study, _side_by_side(study, paths=paths, stream=stream), paths=paths, stream=stream)


def redrawn(mixed: Mixed, study: Study) -> Mixed:
    """The same paths under a state with other figures: what `draw_mixed` gives for it, only the inputs drawn anew that hang on a state."""
    anew = _side_by_side(study, paths=mixed.paths, stream=mixed.stream, parts=FROM_STATE)
    return _mixed(study, {**mixed.rows, **anew}, paths=mixed.paths, stream=mixed.stream)


def _mixed(study: Study, rows: Mapping[str, Input], *, paths: int, stream: str) -> Mixed:
    total, blocks = paths * len(study.scenarios), []
    for first in range(0, total, LANES):
        used = min(LANES, total - first)
        lanes = {name: each if isinstance(each, float) else each[first : first + used] for name, each in rows.items()}
        blocks.append((used, packed(lanes, paths=used, steps=hours_of(study))))
    return Mixed(paths=paths, stream=stream, rows=rows, blocks=tuple(blocks))


def _side_by_side(study: Study, *, paths: int, stream: str, parts: Sequence[Part] | None = None) -> dict[str, Input]:
    """Each input of the parts, (scenarios × paths, steps), or the one number that it is in all of them."""
    drawn = [draw_rows(each, study, paths=range(paths), stream=stream, parts=parts) for each in study.scenarios]
    return {name: _stacked([rows[name] for rows in drawn], (paths, hours_of(study))) for name in drawn[0]}


def _stacked(each: list[Input], shape: tuple[int, int]) -> Input:
    first = each[0]
    if isinstance(first, float) and all(isinstance(one, float) and one == first for one in each):
        return first
    return np.concatenate([np.broadcast_to(one, shape) for one in each])


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
        steps=hours_of(study),
        scenario_of=np.repeat(np.arange(len(names), dtype=np.int64), mixed.paths),
        path_of=np.tile(np.arange(mixed.paths, dtype=np.int64), len(names)),
        columns=columns,
    )
