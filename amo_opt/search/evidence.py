"""What a report shows beside the figures: how prices fan out, the worst paths with the commands that replay them, the run a set survives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from amo_opt.search.certifier import Certifier
from amo_opt.search.progress import ProgressEvent
from amo_opt.search.result import Candidate, Fan, RunCapacity, WorstPath
from amo_opt.search.reverse_stress import run_capacities
from amo_opt.simulation.executor import Watched
from amo_opt.simulation.outcome import Outcome
from amo_opt.stress.tilts import Design

FAN_LEVELS = (0.01, 0.05, 0.25, 0.50, 0.75, 0.95, 0.99)
FAN_HOURS = 6
"""Hours between two points of a fan."""
FAN_PATHS = 4096
"""Most paths of a scenario behind a fan: 41 beyond its outer lines; a fan holds every hour of them."""
WORST = 5
"""Paths shown as the worst."""
RUN_PATHS = 128
RUN_ROUNDS = 6
"""Paths and halvings behind a run capacity: steps of a 64th of the largest run."""


class PriceFans:
    """Quantiles of the pool's price over the window, per set and scenario: gathered block by block while sets run on holdout paths.

    A scenario's prices are held until the last of them has come, then only their quantiles.
    """

    def __init__(self, certifier: Certifier, ids: Mapping[int, str]) -> None:
        """``ids``: the names of the sets to watch, by their places among those that run."""
        simulation = certifier.study.simulation
        self._ids = dict(ids)
        self._paths = min(certifier.paths, FAN_PATHS)
        self._hours = tuple(range(0, simulation.window_hours, FAN_HOURS))
        self._opened = simulation.transition_hours
        self._prices: dict[tuple[str, str], NDArray[np.float64]] = {}
        self._missing: dict[tuple[str, str], int] = {}
        self._fans: dict[tuple[str, str], Fan] = {}

    @property
    def watched(self) -> Watched:
        """What is asked of the simulation."""
        return Watched(tuple(self._ids), self._paths, tuple(self._opened + hour for hour in self._hours))

    def put(self, place: int, scenario: str, first: int, prices: NDArray[np.float64]) -> None:
        """The prices of one block, shape (hours, lanes); a block of a holdout that is planned larger may reach beyond the paths that are shown."""
        key = self._ids[place], scenario
        prices = prices[:, : self._paths - first]
        if key not in self._prices:
            self._prices[key] = np.empty((len(self._hours), self._paths))
        self._prices[key][:, first : first + prices.shape[1]] = prices
        self._missing[key] = self._missing.get(key, self._paths) - prices.shape[1]
        if self._missing[key] == 0:
            self._fans[key] = self._fan(*key, self._prices.pop(key))

    def of(self, candidate: str, scenario: str) -> Fan:
        """The fan of a set that ran to the end."""
        return self._fans[candidate, scenario]

    def _fan(self, candidate: str, scenario: str, prices: NDArray[np.float64]) -> Fan:
        levels = np.quantile(prices, FAN_LEVELS, axis=1)
        quantiles = {f"{100.0 * level:g}": tuple(float(value) for value in row) for level, row in zip(FAN_LEVELS, levels, strict=True)}
        return Fan(candidate=candidate, scenario=scenario, hours=self._hours, quantiles=quantiles, n=self._paths)


@dataclass(frozen=True)
class WorstRows:
    """The deepest paths of an outcome by peg loss, the deepest first: scenario, path, component and figures."""

    rows: tuple[tuple[str, int, int, float, float, float], ...]


def worst_rows(outcome: Outcome) -> WorstRows:
    """The rows of the worst paths, ties by their place in the study."""
    loss, price, unserved = (outcome.columns[name] for name in ("peg_loss_bps", "min_price", "unserved_usd_hours"))
    order = np.lexsort((outcome.path_of, outcome.component_of, outcome.scenario_of, -loss))[:WORST]
    return WorstRows(
        tuple(
            (
                outcome.scenarios[int(outcome.scenario_of[k])],
                int(outcome.path_of[k]),
                int(outcome.component_of[k]),
                float(loss[k]),
                float(price[k]),
                float(unserved[k]),
            )
            for k in order
        )
    )


def worst_paths(shown: Candidate, worst: WorstRows, designs: Mapping[str, Design]) -> tuple[WorstPath, ...]:
    """The deepest holdout paths, by peg loss."""
    return tuple(
        WorstPath(
            candidate=shown.id,
            scenario=scenario,
            path=path,
            peg_loss_bps=loss,
            min_price=price,
            unserved_usd_hours=unserved,
            component=component,
            tilts=designs[scenario].components[component - 1] if component else (),
        )
        for scenario, path, component, loss, price, unserved in worst.rows
    )


def told_run_capacities(certifier: Certifier, sets: Sequence[Candidate]) -> tuple[RunCapacity, ...]:
    """The largest run that 95% of paths survive by price, for each set: bisection on paths of its own stream."""
    parameters = [candidate.parameters for candidate in sets]
    broken = run_capacities(parameters, certifier.study, paths=RUN_PATHS, rounds=RUN_ROUNDS, workers=certifier.workers)
    certifier.watch(ProgressEvent(phase="run-capacity", done=len(sets), total=len(sets)))
    return tuple(replace(each, candidate=candidate.id) for each, candidate in zip(broken, sets, strict=True))
