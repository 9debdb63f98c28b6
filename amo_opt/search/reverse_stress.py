"""Reverse stress: the largest run, collateral depeg and lending freeze that a parameter set survives, and what a run's size pays out.

The size of a run is who sets out: a share of those who hold stablecoin outside the pools, over 24 hours. Who is paid is counted beside
it, as a share of the whole outside supply: stablecoin in the pool that providers hold does not set out, calm's own sellers do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.layout import layout_of
from amo_opt.errors import AmoOptError
from amo_opt.protocol.lanes import LANES
from amo_opt.protocol.state import FRAX
from amo_opt.scoring.types import Estimate
from amo_opt.search.break_points import Breaking, BreakPoint, Failures, Watch, bisect, order_statistic, points_of_lanes
from amo_opt.search.result import RunCapacity
from amo_opt.simulation.engine import draw_rows, hours_of, simulate, simulate_given, trace_many
from amo_opt.simulation.executor import Workers, run_all
from amo_opt.simulation.market_block import packed
from amo_opt.stress.catalogue import load_scenario
from amo_opt.wording import in_account, named, significant

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.stress.scenario import Scenario

Array = NDArray[np.float64]

STREAM = "break"
ONSET_DAY = 3
SHORTFALL_BPS = 100.0
PATHS = 128
CAPACITY_PATHS = 72
"""From 72 paths on, the interval of the size that 95% survive has a lower end of its own."""
ROUNDS = 7
CONDITIONS = ("price", "cr_external", "unserved")
LARGEST = {"run": 0.95, "depeg": 0.5, "freeze": 60.0}
UNITS = {
    "run": "share of the holders outside the pools that sets out in 24 h",
    "depeg": "{coin} below a dollar for a day",
    "freeze": "days of frozen lending",
}
WINDOW_DAYS = {"run": 30, "depeg": 30, "freeze": 70}
"""Scored window of each stress; the longest freeze and its onset end a week before theirs."""


@dataclass(frozen=True, kw_only=True)
class Survival:
    """What a path has to keep to survive under a study: the price within `SHORTFALL_BPS` of the ``dollar`` (else of what a dollar of
    collateral is worth), on ``both`` sides or from below, the external collateral ratio, and what goes unserved.
    """

    dollar: bool
    both: bool = False
    min_external_cr: float
    max_unserved_usd_hours: float


@dataclass(frozen=True, kw_only=True)
class ReverseStress:
    """The stresses asked for, and the run capacity: the run's break point where only the price counts.

    ``paid`` says, for its sizes that half and that 95% of the paths survive, what share of outside supply at the onset is paid out within
    24 hours at that size, on at least that share of the paths; ``plain`` whether a coin itself, and no base pool's token, stands opposite in the first pool.
    """

    parameters: str
    study: str
    account: str
    coin: str
    survival: Survival
    breaking: tuple[Breaking, ...]
    run_capacity: Breaking
    paid: tuple[BreakPoint, BreakPoint]
    plain: bool = False

    def __repr__(self) -> str:
        survived = ", ".join(f"{each.stress} {significant(each.most.value, 3)}" for each in self.breaking)
        return f"ReverseStress({named(self.parameters)!r}, survived by 95% of paths: {survived})"


def stressed(stress: str, size: float, study: Study) -> Scenario:
    """The study's calm with one stress of that size, at a fixed onset. A freeze comes with the exits of ust-contagion-2022: alone it breaks nothing."""
    calm = study.calm
    settings: dict[str, float] = {"onset_day_low": ONSET_DAY, "onset_day_high": ONSET_DAY}
    waypoints: dict[str, tuple[tuple[float, float], ...]] = {}
    if stress == "run" and size > 0.0:
        waypoints["holders_exit"] = ((0.0, size), (24.0, 0.0))
    elif stress == "depeg" and size > 0.0:
        waypoints["usdc"] = ((0.0, 1.0), (1.0, 1.0 - size), (24.0, 1.0 - size), (25.0, 1.0))
    elif stress == "freeze":
        frozen = load_scenario("lending-freeze").settings
        settings |= {
            name: study.scenario_settings.get(name, frozen[name]) for name in ("freeze_start_hours", "freeze_utilisation", "freeze_free")
        }
        settings |= {"freeze_days_low": size, "freeze_days_high": size}
        waypoints["holders_exit"] = load_scenario("ust-contagion-2022").waypoints["holders_exit"]
    # one name for every size: the name keys the random streams, so all sizes meet the same paths
    return replace(
        calm, name=f"break-{stress}", weight=1.0, settings={**calm.settings, **settings}, waypoints={**calm.waypoints, **waypoints}
    )


def failures(parameters: ParameterSet, study: Study, *, stress: str, size: float, paths: int, workers: Workers = 1) -> Failures:
    """Which paths fail which condition under one stress of one size, each of shape (paths,)."""
    simulation = replace(study.simulation, window_hours=24 * WINDOW_DAYS[stress])
    shaped = replace(study, scenarios=(stressed(stress, size, study),), simulation=simulation)
    columns = simulate(parameters, shaped, paths=paths, stream=STREAM, workers=workers).columns
    limits = study.constraints
    return {
        "price": columns["deepest_shortfall_bps"] > SHORTFALL_BPS,
        "cr_external": columns["min_cr_external"] < limits.min_external_cr,
        "unserved": columns["unserved_usd_hours"] > limits.max_unserved_usd_hours,
    }


def paid_shares(parameters: ParameterSet, study: Study, *, size: float, paths: int, workers: Workers = 1) -> Array:
    """Share of outside supply at the onset that a run of that size is paid out within 24 hours, of shape (paths,).

    Paid is what the pool or the issuer took from sellers, calm's own included: not who still waits, nor whom a buyer met. Buyers are not
    set off, so a day in which the same coin is bought and sold again counts it twice. Of what is redeemed the claim counts, which is collected later.
    """
    # draws do not depend on the window's length: these are the first four days of the paths that were bisected
    simulation = replace(study.simulation, window_hours=24 * (ONSET_DAY + 1))
    scenario = stressed("run", size, study)
    shaped = replace(study, scenarios=(scenario,), simulation=simulation)
    columns = ("paid_out", "external_supply")
    series = trace_many([parameters], shaped, scenario=scenario.name, paths=paths, stream=STREAM, columns=columns, workers=workers)[0]
    onset = simulation.transition_hours + 24 * ONSET_DAY
    shares: Array = series["paid_out"][onset : onset + 24].sum(axis=0) / series["external_supply"][onset - 1]
    return shares


def paid_at(point: BreakPoint, parameters: ParameterSet, study: Study, *, paths: int, workers: Workers = 1) -> BreakPoint:
    """What is paid out within 24 hours at a break point's size, on at least its share of the paths. The size itself is taken as exact."""
    shares = paid_shares(parameters, study, size=point.value, paths=paths, workers=workers)
    return order_statistic(shares, share=point.share, largest=max(1.0, float(shares.max())))


def run_capacities(
    sets: Sequence[ParameterSet], study: Study, *, paths: int = CAPACITY_PATHS, rounds: int = ROUNDS, workers: Workers = 1
) -> list[RunCapacity]:
    """For each set the largest run that 95% of the paths survive with price >= reference - 1%, whatever else fails, and what is paid out at
    that size. ``candidate`` is the set's name. Below 72 paths the interval of the size starts at 0.

    A path is run at the sizes its own bisection asks for and at no other, side by side with paths that ask for other sizes.
    """
    blocks = [range(first, min(first + LANES, paths)) for first in range(0, paths, LANES)]
    found = run_all(workers, _survive, [_Bisection(place, block, rounds) for place in range(len(sets)) for block in blocks], study, sets)
    whole = [np.concatenate(found[k : k + len(blocks)]) for k in range(0, len(found), len(blocks))]
    most = [order_statistic(points, share=0.95, largest=LARGEST["run"]) for points in whole]
    paid = run_all(workers, _paid, [_Payment(place, point, paths) for place, point in enumerate(most)], study, sets)
    return [
        RunCapacity(candidate=parameters.name, value=_estimate(point), paid=_estimate(out))
        for parameters, point, out in zip(sets, most, paid, strict=True)
    ]


@dataclass(frozen=True)
class _Bisection:
    """Some paths of the set at a place."""

    place: int
    paths: range
    rounds: int

    @property
    def runs(self) -> int:
        """One a round."""
        return self.rounds


@dataclass(frozen=True)
class _Payment:
    """The set at a place at its largest run."""

    place: int
    point: BreakPoint
    paths: int

    @property
    def runs(self) -> int:
        """Its blocks."""
        return -(-self.paths // LANES)


def _survive(job: _Bisection, study: Study, sets: Sequence[ParameterSet]) -> list[Array]:
    return [_survived(sets[job.place], study, job.paths, job.rounds)]


def _paid(job: _Payment, study: Study, sets: Sequence[ParameterSet]) -> list[BreakPoint]:
    return [paid_at(job.point, sets[job.place], study, paths=job.paths)]


def _survived(parameters: ParameterSet, study: Study, paths: range, rounds: int) -> Array:
    """The largest run that each of some paths of one block survives by its price, of shape (paths,)."""
    simulation = replace(study.simulation, window_hours=24 * WINDOW_DAYS["run"])
    shaped = replace(study, scenarios=(stressed("run", 0.0, study),), simulation=simulation)
    usual, steps = draw_rows(shaped.scenarios[0], shaped, paths=paths, stream=STREAM), hours_of(shaped)
    exits: dict[float, Array] = {}

    def exits_of(size: float) -> Array:
        """The hours' exits of a run, all that tells its market from one without: (paths, steps)."""
        if size not in exits:
            rows = draw_rows(stressed("run", size, study), shaped, paths=paths, stream=STREAM, parts=("flows",))
            exits[size] = np.broadcast_to(rows["news_exit"], (len(paths), steps))
        return exits[size]

    def fails(sizes: Array) -> NDArray[np.bool_]:
        leaving = np.stack([exits_of(float(size))[lane] for lane, size in enumerate(sizes)])
        market = packed({**usual, "news_exit": leaving}, paths=len(paths), steps=steps, layout=layout_of(shaped.state))
        columns = simulate_given(parameters, shaped, market, scenario=shaped.scenarios[0], first=paths.start, lanes=len(paths))
        return columns["deepest_shortfall_bps"] > SHORTFALL_BPS

    return points_of_lanes(fails, paths=len(paths), largest=LARGEST["run"], rounds=rounds)


def _estimate(point: BreakPoint) -> Estimate:
    return Estimate.of(point.value, point.interval or (point.value, point.value), n=point.n, fewest=point.n)


def stresses_of(study: Study) -> tuple[str, ...]:
    """The stresses that reach anything that the protocol has."""
    lends = any(study.state.has(f"amos.{each.name}") for each in MECHANISMS if each.market is not None and each.market.freezes)
    return tuple(name for name in LARGEST if name != "freeze" or lends)


def coin_of(study: Study) -> str:
    """What the collateral is called: the name of the one coin whose history the package holds is its own protocol's."""
    return "USDC" if study.state.is_of(FRAX) else "collateral"


def reverse_stress(
    parameters: ParameterSet,
    study: Study,
    *,
    stresses: Sequence[str] | None = None,
    paths: int = PATHS,
    rounds: int = ROUNDS,
    workers: Workers = 1,
    progress: Watch | None = None,
) -> ReverseStress:
    """The break points of a set under some stresses, else under all that reach the protocol. Raises `AmoOptError` for an unknown stress or fewer than one path, `SimulationError` where a path fails."""
    stresses = stresses_of(study) if stresses is None else stresses
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
            unit=in_account(UNITS[stress].format(coin=coin_of(study)), study.state.unit),
            largest=LARGEST[stress],
            rounds=rounds,
            watch=progress,
        )

    found = tuple(breaking(stress, CONDITIONS) for stress in stresses)
    capacity = breaking("run", ("price",))
    half, most = (paid_at(point, parameters, study, paths=paths, workers=workers) for point in (capacity.half, capacity.most))
    return ReverseStress(
        parameters=parameters.name,
        study=study.name,
        account=study.state.unit,
        coin=coin_of(study),
        plain=study.state.pool.base_virtual_price.value == 1.0,
        survival=Survival(
            dollar=study.simulation.peg_reference == "dollar",
            both=study.simulation.peg_sides == "both",
            min_external_cr=study.constraints.min_external_cr,
            max_unserved_usd_hours=study.constraints.max_unserved_usd_hours,
        ),
        breaking=found,
        run_capacity=capacity,
        paid=(half, most),
    )
