"""Profiles: the current set with one parameter moved over its range, everything else held, all on the same paths.

`profile` is the whole way: ranges, sets, simulation, scores with intervals, paired differences to the current set, shapes and findings.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.config.study import Study
from amo_opt.config.wording import nearest
from amo_opt.errors import AmoOptError, SimulationError
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.scoring.metrics import MEASURES, measured
from amo_opt.scoring.paired import Reading, differences, read
from amo_opt.scoring.score import score
from amo_opt.scoring.types import MOST_NAMED, Estimate, PairedDifference, Score
from amo_opt.search.finding import Finding, Shape, finding, shape
from amo_opt.search.grid import Walk, walk
from amo_opt.search.movement import Shift, Track, bound
from amo_opt.search.planning import Designs, aimed_designs
from amo_opt.search.progress import ProgressEvent, Watcher, silent
from amo_opt.search.result import ProfilePoint
from amo_opt.search.rule import AXES, COVER, DOLLAR, PEG, YIELD
from amo_opt.simulation.engine import simulate_many
from amo_opt.simulation.executor import Workers, executor_of
from amo_opt.simulation.outcome import Outcome
from amo_opt.wording import count, named, sized_count

if TYPE_CHECKING:
    import pandas as pd

BESIDES = (
    PEG,
    DOLLAR,
    "shortfall_cvar90_bps",
    COVER,
    "breach_probability",
    "unserved_usd_hours",
    "unserved_cvar90_usd_hours",
    "dilution",
)
"""The terms shown after the yield and its lines."""


@dataclass(frozen=True, kw_only=True, repr=False)
class MovedPoint(ProfilePoint):
    """One value of a parameter: its score, its paired differences to the current set by term, and the partners that had to move along."""

    parameters: ParameterSet
    partners: dict[str, float]
    shifts: dict[str, Shift]

    def figure(self, term: str) -> Estimate:
        """The figure of a term with its interval and n."""
        return self.score.metrics[term] if term in MEASURES else self.score.yield_terms[term]


@dataclass(frozen=True, kw_only=True)
class ParameterProfile:
    """What one parameter does. ``points`` go upwards and hold the current value; ``failed`` tells value and reason where a path failed;
    ``shapes`` is keyed by objective, ``finding`` sums up.
    """

    parameter: str
    low: float
    high: float
    log: bool
    current: float
    points: tuple[MovedPoint, ...]
    failed: tuple[tuple[float, str], ...]
    shapes: dict[str, Shape]
    finding: Finding

    def __repr__(self) -> str:
        return (
            f"ParameterProfile({self.parameter!r}, {self.low:g} to {self.high:g}, {count(len(self.points), 'value')}: {self.finding.kind})"
        )

    @property
    def flat(self) -> bool | None:
        """Whether the parameter acts on nothing that is seen; None where the paths are too few to know."""
        return self.finding.flat


@dataclass(frozen=True, kw_only=True)
class Profiles:
    """Every profile of a study's current set: ``terms`` in the order of a table (the yield, its lines, the others), with the ``bounds`` up to
    which a difference does not matter; ``paths`` drawn per scenario of ``stream``, ``n`` in all, ``twins`` of them.
    """

    study: Study
    stream: str
    paths: int
    n: int
    terms: tuple[str, ...]
    bounds: dict[str, float]
    profiles: tuple[ParameterProfile, ...]
    twins: int = 0

    def __repr__(self) -> str:
        names = ", ".join(each.parameter for each in self.profiles[:MOST_NAMED])
        rest = len(self.profiles) - MOST_NAMED
        size = sized_count(self.n, self.twins, f"{self.stream} path")
        return f"Profiles({named(self.study.name)!r}, {names}{f' and {rest} more' if rest > 0 else ''}, {size})"

    @property
    def frame(self) -> pd.DataFrame:
        """One row a parameter, value and term: figure and difference to the current set, each with its 95% interval (NaN: not known), and
        whether it moves.
        """
        import pandas as pd

        return pd.DataFrame(list(self._rows()))

    def _rows(self) -> Iterator[dict[str, object]]:
        for each in self.profiles:
            for point in each.points:
                for term in self.terms:
                    figure, shift = point.figure(term), point.shifts[term]
                    apart = shift.difference.difference
                    low, high = figure.interval or (math.nan, math.nan)
                    apart_low, apart_high = apart.interval or (math.nan, math.nan)
                    yield {
                        "parameter": each.parameter,
                        "value": point.value,
                        "term": term,
                        "figure": figure.value,
                        "low": low,
                        "high": high,
                        "n": figure.n,
                        "difference": apart.value,
                        "difference_low": apart_low,
                        "difference_high": apart_high,
                        "beyond_chance": shift.beyond_chance,
                        "moves": shift.moves,
                    }


def profile(
    study: Study,
    parameters: Sequence[str] | None = None,
    *,
    points: int = 7,
    paths: int | None = None,
    stream: str = "selection",
    workers: Workers = 1,
    progress: Watcher | None = None,
) -> Profiles:
    """The current set with each searched parameter (or those named) moved over its range by itself.

    ``points`` values spread over each range, the current one besides; ``paths`` drawn per scenario (default: the study's), beside twins as a pilot of the current
    set finds them worth drawing. Where a value would turn an
    ordered pair round its partner moves along, by no more than the search would ask. The result does not depend on ``workers``.
    Raises `AmoOptError` for a name or a size that cannot be, and `SimulationError` where the current set itself fails.
    """
    walks = [walk(study, name, points) for name in _named(study, parameters)]
    sets = {_key(each): each for each in (study.current, *(each for found in walks for each in found.sets))}
    taken = study.simulation.paths if paths is None else paths
    designs, _ = aimed_designs(study.current, study, taken, sets=len(sets), workers=workers)
    runs = dict(zip(sets, _run_all(study, list(sets.values()), taken, designs, stream, workers, progress or silent), strict=True))
    home = runs[_key(study.current)]
    if isinstance(home, SimulationError):
        raise home
    return Profiles(
        study=study,
        stream=stream,
        paths=taken,
        n=home.score.yield_annual.n,
        twins=home.score.yield_annual.twins,
        terms=tuple(home.shifts),
        bounds={term: shift.bound for term, shift in home.shifts.items()},
        profiles=tuple(_profile(study, each, runs) for each in walks),
    )


@dataclass(frozen=True, kw_only=True)
class _Run:
    """One set's score, its figures by path and resample, and its differences to the current set."""

    score: Score
    reading: Reading
    shifts: dict[str, Shift]


def _named(study: Study, parameters: Sequence[str] | None) -> list[str]:
    """The parameters to profile, each once, in the order asked for. Raises `AmoOptError` for one that has no range."""
    searched = list(study.search.space)
    if parameters is None:
        if not searched:
            raise AmoOptError("the study searches nothing: give a range in [search.space], or name `amplification`")
        return searched
    names = list(dict.fromkeys([parameters] if isinstance(parameters, str) else parameters))
    for name in names:
        if name not in PARAMETERS:
            raise AmoOptError(
                f"parameter: found {name!r}; allowed: a searched parameter ({', '.join(searched)}); {nearest(name, [*PARAMETERS, *searched])}"
            )
        if name not in searched and name != "amplification":
            raise AmoOptError(
                f"parameter: found {name!r}, which the study does not search: give its range in [search.space]; searched: {', '.join(searched)}"
            )
    if not names:
        raise AmoOptError("parameters: none named; leave the argument out for every searched one")
    return names


def _key(parameters: ParameterSet) -> tuple[float, ...]:
    return tuple(parameters.values().values())


def _run_all(
    study: Study, sets: Sequence[ParameterSet], paths: int, designs: Designs, stream: str, workers: Workers, watch: Watcher
) -> Iterator[_Run | SimulationError]:
    """Every set's run, the current set's first; what fails on a path has its error in its place."""
    blocks = 0

    def told(done: int, total: int) -> None:
        nonlocal blocks
        blocks = total
        watch(ProgressEvent(phase="profile", done=done, total=total + len(sets)))

    outcomes = simulate_many(sets, study, paths=paths, designs=designs, stream=stream, workers=workers, progress=told)
    if isinstance(outcomes[0], SimulationError):
        raise outcomes[0]
    home = _read(outcomes[0], study)

    def judge(outcome: Outcome | SimulationError) -> _Run | SimulationError:
        if isinstance(outcome, SimulationError):
            return outcome
        try:
            found, reading = score(outcome, study), _read(outcome, study)
        except SimulationError as error:
            return error
        apart = differences(reading, home)
        order = [YIELD, *(name for name in apart if name not in MEASURES), *besides_of(study)]
        return _Run(score=found, reading=reading, shifts={name: _shift(reading, apart[name], study) for name in order})

    with ThreadPoolExecutor(max_workers=executor_of(workers).threads) as pool:
        for done, run in enumerate(pool.map(judge, outcomes), start=1):
            watch(ProgressEvent(phase="profile", done=blocks + done, total=blocks + len(sets)))
            yield run


def besides_of(study: Study) -> tuple[str, ...]:
    """The terms beside the yield of what the study's protocol has."""
    there = measured(study)
    return tuple(name for name in BESIDES if name in there)


def _read(outcome: Outcome, study: Study) -> Reading:
    return read(outcome, study, (YIELD, *besides_of(study)), terms=True)


def _shift(reading: Reading, difference: PairedDifference, study: Study) -> Shift:
    return Shift(difference=difference, bound=bound(reading.measures[difference.metric].metric.unit, study))


def _profile(study: Study, way: Walk, runs: Mapping[tuple[float, ...], _Run | SimulationError]) -> ParameterProfile:
    known = study.current.values()
    points: list[MovedPoint] = []
    readings: list[Reading] = []
    failed: list[tuple[float, str]] = []
    for each in way.sets:
        run, value = runs[_key(each)], float(each.values()[way.parameter])
        if isinstance(run, SimulationError):
            failed.append((value, str(run)))
            continue
        partners = {name: float(at) for name, at in each.values().items() if at != known[name] and name != way.parameter}
        points.append(MovedPoint(value=value, score=run.score, parameters=each, partners=partners, shifts=run.shifts))
        readings.append(run.reading)
    current = float(known[way.parameter])
    shapes = {metric: shape(_track(study, metric, points, readings, log=way.log), current=current) for metric in AXES}
    shifts = {term: [point.shifts[term] for point in points] for term in points[0].shifts}
    told = finding([point.value for point in points], shapes, shifts, points[0].score.yield_annual.n)
    if failed and told.kind == "one value":
        told = replace(told, kind="not simulated")
    return ParameterProfile(
        parameter=way.parameter,
        low=way.low,
        high=way.high,
        log=way.log,
        current=current,
        points=tuple(points),
        failed=tuple(failed),
        shapes=shapes,
        finding=told,
    )


def _track(study: Study, metric: str, points: Sequence[MovedPoint], readings: Sequence[Reading], *, log: bool) -> Track:
    """One objective over the points, every point paired with every other."""
    alone = [replace(each, measures={metric: each.measures[metric]}) for each in readings]
    pairs = itertools.combinations(range(len(points)), 2)
    return Track(
        metric=metric,
        better=MEASURES[metric].metric.better,
        values=tuple(point.value for point in points),
        figures=tuple(point.figure(metric).value for point in points),
        shifts={(i, j): _shift(alone[j], differences(alone[j], alone[i])[metric], study) for i, j in pairs},
        log=log,
    )
