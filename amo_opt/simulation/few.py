"""A few paths of every scenario in as few blocks as they fill: the cheap look before the full run.

The kernel costs the same whatever part of a block is real, so the first paths of several scenarios share one. They are lanes of the blocks the
full run uses: nothing is drawn twice, and a path is the same in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from amo_opt.errors import SimulationError
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation.engine import Array, _evaluate, _gather, _kept, _Task, _tasks
from amo_opt.simulation.outcome import Block, Outcome
from amo_opt.simulation.pack import constants

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet

STREAM = "search"


@dataclass(frozen=True)
class _Packed:
    """One block of lanes from several tasks: ``parts`` = (task's place, first and last lane here, exclusive)."""

    market: Array
    parts: tuple[tuple[int, int, int], ...]


def simulate_few(sets: Sequence[ParameterSet], study: Study, *, paths: int, workers: int = 1) -> list[Outcome | SimulationError]:
    """Every set on the first ``paths`` of the search's paths in each scenario, at most one block of each.

    A failed simulation stands in its set's place; it names the block, not the path: the full run does.
    """
    count = min(paths, study.simulation.paths, LANES)
    whole = [task for task in _tasks(study, study.simulation.paths, None) if task.first == 0]
    vector = constants(study)
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        markets = list(pool.map(lambda task: _kept.get(task, study, STREAM), whole))
        packed = _pack(markets, count)
        jobs = [(each, parameters) for parameters in sets for each in packed]
        filled = _Task(whole[0].scenario, 0, LANES)
        results = list(pool.map(lambda job: _evaluate(job[1], study, filled, job[0].market, vector), jobs))
    few = [_Task(task.scenario, 0, count) for task in whole]
    blocks: dict[tuple[int, int], Block | SimulationError] = {}
    for place, ((each, _), result) in enumerate(zip(jobs, results, strict=True)):
        for i, start, stop in each.parts:
            cut = result if isinstance(result, SimulationError) else {name: column[start:stop] for name, column in result.items()}
            blocks[i, place // len(packed)] = cut
    return _gather(sets, study, few, blocks)


def _pack(markets: Sequence[Array], count: int) -> list[_Packed]:
    """The first ``count`` lanes of each market, as many markets to a block as fit; lanes left over repeat the last."""
    fit = LANES // count
    packed = []
    for first in range(0, len(markets), fit):
        some = [market.reshape(len(market), -1, LANES)[:, :, :count] for market in markets[first : first + fit]]
        real = np.concatenate(some, axis=2)
        padded = np.concatenate([real, np.repeat(real[:, :, -1:], LANES - real.shape[2], axis=2)], axis=2)
        parts = tuple((first + k, k * count, (k + 1) * count) for k in range(len(some)))
        packed.append(_Packed(np.ascontiguousarray(padded.reshape(len(padded), -1)), parts))
    return packed
