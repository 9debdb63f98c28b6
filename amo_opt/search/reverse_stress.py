"""Reverse stress: the largest run, collateral depeg and lending freeze that a parameter set survives, path by path, by bisection.

Every path has a break point of its own. Paths share one dyadic grid of sizes: a round evaluates the midpoints of the brackets still open,
each on every path, so what one path asks for also tests the others for monotonicity.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from amo_opt.errors import AmoOptError
from amo_opt.simulation.crew import Workers
from amo_opt.simulation.engine import simulate
from amo_opt.stress.catalogue import load_scenario

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.stress.scenario import Scenario

Flags = NDArray[np.bool_]
Failures = dict[str, Flags]
Watch = Callable[[str, int, int], None]

STREAM = "break"
ONSET_DAY = 3
SHORTFALL_BPS = 100.0
PATHS = 128
"""From 72 paths on, the interval of the size that 95% survive has a lower end of its own."""
CAPACITY_PATHS = 64
ROUNDS = 7
CONDITIONS = ("price", "cr_external", "unserved")
LARGEST = {"run": 0.95, "depeg": 0.5, "freeze": 60.0}
UNITS = {"run": "share of external supply leaving in 24 h", "depeg": "USDC below a dollar for a day", "freeze": "days of frozen lending"}
WINDOW_DAYS = {"run": 30, "depeg": 30, "freeze": 70}
"""Scored window of each stress; the longest freeze and its onset end a week before theirs."""


@dataclass(frozen=True, kw_only=True)
class BreakPoint:
    """The largest size that at least ``share`` of the paths survive, with an exact 95% order-statistic interval over ``n`` paths."""

    share: float
    value: float
    interval: tuple[float, float]
    n: int


@dataclass(frozen=True, kw_only=True)
class Breaking:
    """What one stress did: ``points`` of shape (n,) is the largest survived size of each path, 0 for one that fails at size 0.

    ``reasons`` counts, by condition, the paths that fail it at their smallest failing size (one path may fail several);
    ``resolution`` is the width of a final bracket; ``violations`` the paths that failed a size and survived a larger one.
    """

    stress: str
    unit: str
    largest: float
    resolution: float
    points: NDArray[np.float64]
    half: BreakPoint
    most: BreakPoint
    dead_at_zero: int
    unbroken: int
    violations: int
    reasons: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class ReverseStress:
    """The stresses asked for, and the run capacity: the run's break point where only the price counts."""

    parameters: str
    study: str
    definition: str
    breaking: tuple[Breaking, ...]
    run_capacity: Breaking


def order_statistic(points: Sequence[float] | NDArray[np.float64], *, share: float, largest: float) -> BreakPoint:
    """The largest size that at least ``share`` of the paths survive; interval ends are order statistics, or 0 and ``largest`` past them."""
    from scipy.stats import binom

    ordered = np.sort(np.asarray(points, dtype=np.float64))
    n = len(ordered)
    value = float(ordered[n - math.ceil(share * n)])
    below = np.array([float(binom.cdf(rank, n, 1.0 - share)) for rank in range(n)])
    # P(quantile < k-th smallest) = P(fewer than k of n fall below the quantile)
    low_rank = int(np.sum(below <= 0.025))
    high_rank = int(np.sum(below < 0.975)) + 1
    low = float(ordered[low_rank - 1]) if low_rank >= 1 else 0.0
    high = float(ordered[high_rank - 1]) if high_rank <= n else largest
    return BreakPoint(share=share, value=value, interval=(min(low, value), max(high, value)), n=n)


def bisect(
    evaluate: Callable[[float], Failures], *, stress: str, unit: str, largest: float, rounds: int, watch: Watch | None = None
) -> Breaking:
    """Per-path break points in [0, ``largest``]; ``evaluate(size)`` gives which paths fail which condition, each of shape (n,)."""
    if rounds < 1:
        raise AmoOptError(f"rounds = {rounds}; at least 1 is needed")
    cells = 2**rounds
    seen: dict[int, Failures] = {}
    failed: dict[int, Flags] = {}

    def see(cell: int) -> Flags:
        if cell not in seen:
            seen[cell] = evaluate(largest * cell / cells)
            failed[cell] = np.logical_or.reduce(list(seen[cell].values()))
        return failed[cell]

    dead, broken = see(0), see(cells)
    low = np.where(~dead & ~broken, cells, 0)
    high = np.where(dead, 0, cells)
    for done in range(rounds):
        if watch is not None:
            watch(stress, done, rounds)
        open_paths = high - low > 1
        middle = (low + high) // 2
        for cell in np.unique(middle[open_paths]):
            gone = see(int(cell))
            here = open_paths & (middle == cell)
            high = np.where(here & gone, middle, high)
            low = np.where(here & ~gone, middle, low)
    if watch is not None:
        watch(stress, rounds, rounds)
    table = np.array([failed[cell] for cell in sorted(failed)])
    violations = np.any(np.maximum.accumulate(table, axis=0) & ~table, axis=0)
    ended = np.flatnonzero(dead | broken)
    reasons = {name: sum(bool(seen[int(high[path])][name][path]) for path in ended) for name in seen[0]}
    points = largest * low / cells
    return Breaking(
        stress=stress,
        unit=unit,
        largest=largest,
        resolution=largest / cells,
        points=points,
        half=order_statistic(points, share=0.5, largest=largest),
        most=order_statistic(points, share=0.95, largest=largest),
        dead_at_zero=int(np.sum(dead)),
        unbroken=int(np.sum(low == cells)),
        violations=int(np.sum(violations)),
        reasons=reasons,
    )


def stressed(stress: str, size: float) -> Scenario:
    """Calm with one stress of that size, at a fixed onset. A freeze comes with the exits of ust-contagion-2022: alone it breaks nothing."""
    calm = load_scenario("calm")
    settings: dict[str, float] = {"onset_day_low": ONSET_DAY, "onset_day_high": ONSET_DAY}
    waypoints: dict[str, tuple[tuple[float, float], ...]] = {}
    if stress == "run" and size > 0.0:
        waypoints["holders_exit"] = ((0.0, size), (24.0, 0.0))
    elif stress == "depeg" and size > 0.0:
        waypoints["usdc"] = ((0.0, 1.0), (1.0, 1.0 - size), (24.0, 1.0 - size), (25.0, 1.0))
    elif stress == "freeze":
        frozen = load_scenario("lending-freeze").settings
        settings |= {name: frozen[name] for name in ("freeze_start_hours", "freeze_utilisation", "freeze_free")}
        settings |= {"freeze_days_low": size, "freeze_days_high": size}
        waypoints["holders_exit"] = load_scenario("ust-contagion-2022").waypoints["holders_exit"]
    # one name for every size: the name keys the random streams, so all sizes meet the same paths
    return replace(
        calm, name=f"break-{stress}", weight=1.0, settings={**calm.settings, **settings}, waypoints={**calm.waypoints, **waypoints}
    )


def failures(parameters: ParameterSet, study: Study, *, stress: str, size: float, paths: int, workers: Workers = 1) -> Failures:
    """Which paths fail which condition under one stress of one size, each of shape (paths,)."""
    simulation = replace(study.simulation, window_hours=24 * WINDOW_DAYS[stress])
    shaped = replace(study, scenarios=(stressed(stress, size),), simulation=simulation)
    columns = simulate(parameters, shaped, paths=paths, stream=STREAM, workers=workers).columns
    limits = study.constraints
    return {
        "price": columns["deepest_shortfall_bps"] > SHORTFALL_BPS,
        "cr_external": columns["min_cr_external"] < limits.min_external_cr,
        "unserved": columns["unserved_usd_hours"] > limits.max_unserved_usd_hours,
    }


def definition(study: Study) -> str:
    """What surviving means under the study, in one line."""
    dollar = study.simulation.peg_reference == "dollar"
    limits = study.constraints
    return (
        f"price >= reference - 1% (reference = {'1 dollar' if dollar else 'min(1, USDC, base-pool value)'}), external collateral ratio >= "
        f"{limits.min_external_cr:g}, unserved <= {limits.max_unserved_usd_hours:g} USD h; onset on day {ONSET_DAY}; windows of "
        f"{', '.join(f'{days} days ({name})' for name, days in WINDOW_DAYS.items())} instead of the study's; "
        "the freeze comes with the exits of ust-contagion-2022 at their fitted size"
    )


def run_capacity(
    parameters: ParameterSet, study: Study, *, paths: int = CAPACITY_PATHS, rounds: int = ROUNDS, workers: Workers = 1
) -> Breaking:
    """The largest share of external supply that can leave in 24 h with price >= reference - 1%, whatever else fails."""

    def evaluate(size: float) -> Failures:
        return {"price": failures(parameters, study, stress="run", size=size, paths=paths, workers=workers)["price"]}

    return bisect(evaluate, stress="run", unit=UNITS["run"], largest=LARGEST["run"], rounds=rounds)


def reverse_stress(
    parameters: ParameterSet,
    study: Study,
    *,
    stresses: Sequence[str] = tuple(LARGEST),
    paths: int = PATHS,
    rounds: int = ROUNDS,
    workers: Workers = 1,
    progress: Watch | None = None,
) -> ReverseStress:
    """The break points of a set. Raises `AmoOptError` for an unknown stress or fewer than one path, `SimulationError` where a path fails."""
    unknown = [name for name in stresses if name not in LARGEST]
    if unknown:
        raise AmoOptError(f"unknown stress {unknown[0]!r}; known: {', '.join(LARGEST)}")
    known: dict[tuple[str, float], Failures] = {}

    def at(stress: str, size: float) -> Failures:
        if (stress, size) not in known:
            known[stress, size] = failures(parameters, study, stress=stress, size=size, paths=paths, workers=workers)
        return known[stress, size]

    def breaking(stress: str, conditions: Sequence[str]) -> Breaking:
        return bisect(
            lambda size: {name: at(stress, size)[name] for name in conditions},
            stress=stress,
            unit=UNITS[stress],
            largest=LARGEST[stress],
            rounds=rounds,
            watch=progress,
        )

    return ReverseStress(
        parameters=parameters.name,
        study=study.name,
        definition=definition(study),
        breaking=tuple(breaking(stress, CONDITIONS) for stress in stresses),
        run_capacity=breaking("run", ("price",)),
    )
