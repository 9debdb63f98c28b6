"""What a report shows beside the figures: how prices fan out, the worst paths with the commands that replay them, the run a set survives."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from amo_opt.search.desk import Desk
from amo_opt.search.progress import ProgressEvent
from amo_opt.search.result import Candidate, Fan, RunCapacity, WorstPath
from amo_opt.search.reverse_stress import run_capacity
from amo_opt.simulation.engine import trace_many
from amo_opt.simulation.outcome import Outcome

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


def price_fans(desk: Desk, sets: Sequence[Candidate]) -> tuple[Fan, ...]:
    """Quantiles of the pool's price over the window, per set and scenario, on paths B."""
    study = desk.study
    opened = study.simulation.transition_hours
    n = min(desk.paths, FAN_PATHS)
    hours = tuple(range(0, study.simulation.window_hours, FAN_HOURS))
    total = len(sets) * len(study.scenarios)
    found: dict[tuple[str, str], Fan] = {}
    parameters = [candidate.parameters for candidate in sets]
    for scenario in study.scenarios:
        traced = trace_many(parameters, study, scenario=scenario.name, paths=n, stream="certify-b", workers=desk.workers)
        for candidate, series in zip(sets, traced, strict=True):
            levels = np.quantile(series["price"][opened:][list(hours)], FAN_LEVELS, axis=1)
            quantiles = {f"{100.0 * level:g}": tuple(float(value) for value in row) for level, row in zip(FAN_LEVELS, levels, strict=True)}
            found[candidate.id, scenario.name] = Fan(candidate=candidate.id, scenario=scenario.name, hours=hours, quantiles=quantiles, n=n)
            desk.watch(ProgressEvent(phase="fans", done=len(found), total=total))
    return tuple(found[candidate.id, scenario.name] for candidate in sets for scenario in study.scenarios)


@dataclass(frozen=True)
class WorstRows:
    """The deepest paths of an outcome by peg loss, the deepest first: scenario, path and figures."""

    rows: tuple[tuple[str, int, float, float, float], ...]


def worst_rows(outcome: Outcome) -> WorstRows:
    """The rows of the worst paths, ties by their place in the study."""
    loss, price, unserved = (outcome.columns[name] for name in ("peg_loss_bps", "min_price", "unserved_usd_hours"))
    order = np.lexsort((outcome.path_of, outcome.scenario_of, -loss))[:WORST]
    return WorstRows(
        tuple(
            (outcome.scenarios[int(outcome.scenario_of[k])], int(outcome.path_of[k]), float(loss[k]), float(price[k]), float(unserved[k]))
            for k in order
        )
    )


def worst_paths(desk: Desk, shown: Candidate, worst: WorstRows) -> tuple[WorstPath, ...]:
    """The deepest paths on B, by peg loss, with the command that replays each beside the study file and the report's parameters."""
    study_file = desk.study.path.name if desk.study.path is not None else f"{desk.study.name}.toml"
    found: list[WorstPath] = []
    for scenario, path, loss, price, unserved in worst.rows:
        call = ["amo-opt", "simulate", "parameters.toml", "--study", study_file, "--seed", str(desk.study.search.seed)]
        call += ["--scenario", scenario, "--stream", "certify-b", "--path", str(path)]
        found.append(
            WorstPath(
                candidate=shown.id,
                scenario=scenario,
                path=path,
                peg_loss_bps=loss,
                min_price=price,
                unserved_usd_hours=unserved,
                command=shlex.join(call),
            )
        )
    return tuple(found)


def run_capacities(desk: Desk, sets: Sequence[Candidate]) -> tuple[RunCapacity, ...]:
    """The largest run that 95% of paths survive by price, for each set: bisection on paths of its own stream."""
    found = []
    for candidate in sets:
        broken = run_capacity(candidate.parameters, desk.study, paths=RUN_PATHS, rounds=RUN_ROUNDS, workers=desk.workers)
        found.append(replace(broken, candidate=candidate.id))
        desk.watch(ProgressEvent(phase="run-capacity", done=len(found), total=len(sets)))
    return tuple(found)
