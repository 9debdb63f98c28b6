"""Fans paths out: blocks of lanes are drawn once and run by every parameter set, by an executor: threads that share them, or a cluster.

Results do not depend on the number of workers or on how paths fall into blocks: lanes never meet, and blocks are joined in order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amo_opt.amos.layout import STATE_INDEX, layout_of
from amo_opt.errors import AmoOptError, SimulationError
from amo_opt.protocol.lanes import FAULTS, LANES
from amo_opt.simulation.columns import DERIVED_COLUMNS, TRACE_COLUMNS, named_columns, series_of, variables_of
from amo_opt.simulation.executor import Job, Task, Watched, Workers, executor_of
from amo_opt.simulation.kept import Markets
from amo_opt.simulation.kernel import run_block
from amo_opt.simulation.market_block import MarketBlock, pack_market, packed
from amo_opt.simulation.outcome import Block, Gathered, Outcome, block_columns
from amo_opt.simulation.pack import constants, parameter_vector, start_state
from amo_opt.simulation.size import COLUMNS, check_work, keeps
from amo_opt.simulation.spans import Designs, Span, Stretch, drawn_span, path_weights, places_of, span_of, spans_of
from amo_opt.stress.draws import draw_block, draw_inputs
from amo_opt.stress.twins import KeptStreams, StretchedStreams, TwinStreams

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.stress.draws import Input, Part
    from amo_opt.stress.scenario import Scenario
    from amo_opt.stress.tilts import Design

Progress = Callable[[int, int], None]
Seen = Callable[[int, str, int, NDArray[np.float64]], None]
Array = NDArray[np.float64]

IDENTITY_BOUND = 1e-9
"""Largest gap of the NAV identity as a share of max(|NAV|, 1% of supply)."""
LOG_RATIOS = "log_ratios"
"""Where a block's columns carry the log likelihood ratios of its paths."""
_NO_TRACE = np.zeros((0, 0))
_NO_COLUMNS = np.zeros(0, dtype=np.int64)


def hours_of(study: Study) -> int:
    """A path's hours."""
    return study.simulation.transition_hours + study.simulation.window_hours


def draw_rows(
    scenario: Scenario,
    study: Study,
    *,
    paths: range,
    stream: str,
    parts: Sequence[Part] | None = None,
    streams: TwinStreams | None = None,
) -> dict[str, Input]:
    """Inputs of some paths of one block, each of shape (paths, hours) or one number; of some ``parts`` of the market, or all; of the paths' twins where their
    ``streams`` are given.
    """
    simulation = study.simulation
    return draw_inputs(
        scenario,
        seed=study.search.seed,
        stream=stream,
        paths=paths,
        state=study.state,
        transition_hours=simulation.transition_hours,
        window_hours=simulation.window_hours,
        parts=parts,
        streams=streams,
    )


def draw_packed(scenario: Scenario, study: Study, *, first: int, lanes: int, stream: str) -> MarketBlock:
    """The market of one block, as the step reads it."""
    return _drawn(drawn_span(scenario, first, lanes), study, stream)


def draw_span(span: Span, study: Study, stream: str, *, again: bool = False) -> tuple[dict[str, Input], StretchedStreams | None]:
    """A span's inputs, and the streams that they are drawn from: None = those of its paths as drawn, which is enough where nothing is drawn ``again``."""
    streams = None
    if again or span.components:
        streams = (KeptStreams if again else StretchedStreams)(
            study.search.seed,
            stream,
            span.scenario,
            components=span.components,
            stretches=[(each.component, each.paths) for each in span.stretches],
            opening=study.simulation.transition_hours,
        )
    return draw_rows(span.scenario, study, paths=span.numbers, stream=stream, streams=streams), streams


def _drawn(span: Span, study: Study, stream: str) -> MarketBlock:
    """The market of a span; with the log ratios of its design's components, where it has one."""
    rows, streams = draw_span(span, study, stream)
    market = packed(rows, paths=span.lanes, steps=hours_of(study), layout=layout_of(study.state))
    return market if streams is None else replace(market, log_ratios=streams.log_ratios(span.lanes))


def draw(scenario: Scenario, study: Study, *, first: int, lanes: int, stream: str) -> Array:
    """The whole market of one block, (steps, inputs × LANES), read-only."""
    return draw_block(
        scenario,
        seed=study.search.seed,
        stream=stream,
        first_path=first,
        paths=lanes,
        state=study.state,
        transition_hours=study.simulation.transition_hours,
        window_hours=study.simulation.window_hours,
    )


_kept = Markets()
KEPT_STREAMS = frozenset({"search"})
"""Streams whose blocks stay in memory; the others are drawn, used by every set and dropped."""


def _market(span: Span, study: Study, stream: str, *, kept: bool) -> MarketBlock:
    if not kept:
        return _drawn(span, study, stream)
    simulation = study.simulation
    origin = (span.scenario, span.components, study.state, study.search.seed, simulation.transition_hours, simulation.window_hours)
    return _kept.get((stream, span.scenario.name, span.stretches), origin, lambda: _drawn(span, study, stream))


@dataclass(frozen=True)
class _Ended:
    """A block that was run: its last state, its state as the window opened, its NAVs, and the series that were kept of it."""

    state: Array
    opening: Array
    navs: Array
    series: dict[str, Array]


def _advanced(
    parameters: ParameterSet, study: Study, span: Span, market: MarketBlock | Array, vector: Array, names: Sequence[str] = ()
) -> _Ended:
    """One set on one block, variables of the state (`STATE`) kept hour by hour; raises `SimulationError` where a lane is at fault."""
    layout = layout_of(study.state)
    block = market if isinstance(market, MarketBlock) else pack_market(market, layout)
    state = start_state(study, block.first)
    opening = np.zeros_like(state)
    navs = np.zeros((3, LANES))
    offsets, series = _NO_COLUMNS, _NO_TRACE
    if names:
        offsets = np.array([layout.state_index[name] * LANES for name in names], dtype=np.int64)
        series = np.empty((block.steps, len(names) * LANES))
    run_block(
        state,
        block,
        parameter_vector(parameters, layout),
        vector,
        study.simulation.transition_hours,
        navs,
        opening,
        offsets,
        series,
        layout,
    )
    _check(parameters, study, span, state, navs, opening)
    kept = {name: series[:, k * LANES : k * LANES + span.lanes] for k, name in enumerate(names)}
    return _Ended(state, opening, navs, kept)


def _columns(ended: _Ended, parameters: ParameterSet, study: Study, span: Span) -> Block:
    return block_columns(ended.state, ended.opening, ended.navs, lanes=span.lanes, study=study, parameters=parameters)


def run_one(parameters: ParameterSet, study: Study, span: Span, market: MarketBlock | Array, vector: Array) -> Block:
    """One set on one block; raises `SimulationError` naming scenario, path and step where a lane is at fault."""
    return _columns(_advanced(parameters, study, span, market, vector), parameters, study, span)


def _run_watched(
    parameters: ParameterSet, study: Study, span: Span, market: MarketBlock | Array, vector: Array, steps: Sequence[int]
) -> tuple[Block, Array]:
    """`run_one`, and the price at some steps."""
    ended = _advanced(parameters, study, span, market, vector, ("price",))
    return _columns(ended, parameters, study, span), ended.series["price"][list(steps)]


def simulate_given(
    parameters: ParameterSet, study: Study, market: MarketBlock | Array, *, scenario: Scenario, first: int, lanes: int
) -> Block:
    """One set on the first ``lanes`` paths of a market that is given rather than drawn; ``scenario`` and ``first`` only name a path at fault."""
    return run_one(parameters, study, drawn_span(scenario, first, lanes), market, constants(study))


def _check(parameters: ParameterSet, study: Study, span: Span, state: Array, navs: Array, opening: Array) -> None:
    fault = state[STATE_INDEX["fault"] * LANES :][: span.lanes]
    if np.any(fault > 0.0):
        lane = int(np.argmax(fault > 0.0))
        step = int(state[STATE_INDEX["fault_step"] * LANES + lane])
        raise SimulationError(
            f"scenario {span.scenario.name}, path {span.path(lane)}, step {step}: {FAULTS[int(fault[lane])]} (parameter set {parameters.name})"
        )
    layout = layout_of(study.state)
    wild = ~np.isfinite(state.reshape(len(layout.state), LANES)[:, : span.lanes])
    if np.any(wild):
        variable, lane = (int(index) for index in np.argwhere(wild)[0])
        raise SimulationError(
            f"scenario {span.scenario.name}, path {span.path(lane)}, by the last step: {layout.state[variable]} is not finite "
            f"(parameter set {parameters.name})"
        )
    scale = np.maximum(np.abs(navs[1]), 0.01 * study.state.stablecoin.supply.value)
    for source, before, after, phase in ((opening, navs[0], navs[1], "transition"), (state, navs[1], navs[2], "window")):
        booked = np.zeros(LANES)
        for line in layout.lines:
            booked += source[layout.state_index[line] * LANES :][:LANES]
        gap = (np.abs(booked - (after - before)) / scale)[: span.lanes]
        if np.any(~(gap <= IDENTITY_BOUND)):
            lane = int(np.argmax(~(gap <= IDENTITY_BOUND)))
            raise SimulationError(
                f"scenario {span.scenario.name}, path {span.path(lane)}, {phase}: the books miss NAV by {gap[lane]:.2e} of its scale "
                f"(limit {IDENTITY_BOUND:.0e}, parameter set {parameters.name})"
            )


def _evaluate(job: Job, place: int, parameters: ParameterSet, study: Study, span: Span, market: MarketBlock | Array, vector: Array) -> Any:
    """What the job asks of one set on one block, or the `SimulationError` in its place."""
    watched = job.watched
    try:
        if job.columns is not None:
            return _series(parameters, study, span, market, job.columns)
        if watched is not None and place in watched.sets and (drawn := watched.lanes(span.stretches)):
            columns, prices = _run_watched(parameters, study, span, market, vector, watched.steps)
            return columns, prices[:, :drawn]
        return run_one(parameters, study, span, market, vector)
    except SimulationError as error:
        return error


def work(job: Job, study: Study, sets: Sequence[ParameterSet]) -> list[Any]:
    """A `Block` (or the series of ``job.columns``) for each set of each task, or the `SimulationError` in its place; paths are drawn here."""
    scenario = {each.name: each for each in study.scenarios}
    vector = constants(study)
    results: list[Any] = []
    for task in job.tasks:
        span = Span(scenario[task.scenario], task.stretches, task.components)
        market = _market(span, study, job.stream, kept=job.kept)
        for place in task.sets:
            found = _evaluate(job, place, sets[place], study, span, market, vector)
            # what was drawn is known here alone: the ratios travel with the columns
            if market.log_ratios is not None and job.columns is None and not isinstance(found, SimulationError):
                (found[0] if isinstance(found, tuple) else found)[LOG_RATIOS] = market.log_ratios
            results.append(found)
    return results


def keep_at_most(size: int) -> None:
    """Bounds the memory of paths that are kept, in bytes."""
    _kept.limit = size


def _run(
    sets: Sequence[ParameterSet],
    study: Study,
    *,
    spans: Sequence[Span],
    stream: str,
    columns: tuple[str, ...] | None,
    workers: Workers,
    progress: Progress | None,
    watched: Watched | None = None,
) -> Iterator[tuple[int, int, Any]]:
    """(block, set, result), whoever ran them and in whatever order they come."""
    executor = executor_of(workers)
    places = tuple(range(len(sets)))
    tasks = [Task(span.scenario.name, span.stretches, places, span.components) for span in spans]
    place = {(task.scenario, task.stretches): i for i, task in enumerate(tasks)}
    names = [scenario.name for scenario in study.scenarios]
    # twins share their path's noises: neighbouring paths of all components come one after the other
    tasks.sort(key=lambda task: (names.index(task.scenario), np.mean([each.first + each.lanes / 2 for each in task.stretches])))
    steps = hours_of(study)
    kept = columns is None and stream in KEPT_STREAMS and keeps(study, len(spans), held=_kept.nbytes)
    shares = executor.plan(tasks, kept=kept, steps=steps)
    jobs = [Job(tuple(share), stream, columns, watched, kept=kept) for share in shares]
    done = 0
    for k, results in executor.run(work, jobs, study, sets):
        keys = [(place[task.scenario, task.stretches], j) for task in jobs[k].tasks for j in task.sets]
        for (i, j), result in zip(keys, results, strict=True):
            done += 1
            yield i, j, result
            if progress is not None:
                progress(done, len(spans) * len(sets))


def _weights(study: Study, names: Sequence[str]) -> dict[str, float]:
    """The study's weights over the chosen scenarios, normalised; equal where all of them are zero."""
    weight = {scenario.name: scenario.weight for scenario in study.scenarios if scenario.name in names}
    total = sum(weight.values())
    return {name: weight[name] / total if total > 0.0 else 1.0 / len(names) for name in names}


def _outcomes(
    sets: Sequence[ParameterSet],
    study: Study,
    spans: Sequence[Span],
    gathered: Sequence[Gathered],
    *,
    log_ratios: Array,
    designs: Designs | None = None,
) -> list[Outcome | SimulationError]:
    names = tuple(dict.fromkeys(span.scenario.name for span in spans))
    weights = _weights(study, names)
    places = places_of(spans, names)
    path_weight = path_weights(spans, log_ratios, designs)
    outcomes: list[Outcome | SimulationError] = []
    for parameters, each in zip(sets, gathered, strict=True):
        columns = each.columns()
        if isinstance(columns, SimulationError):
            outcomes.append(columns)
            continue
        outcomes.append(
            Outcome(
                parameters=parameters,
                scenarios=names,
                weights=weights,
                steps=hours_of(study),
                **places,
                path_weight=path_weight,
                log_ratios=log_ratios,
                columns=columns,
            )
        )
    return outcomes


def simulate_many(
    sets: Sequence[ParameterSet],
    study: Study,
    *,
    paths: int | None = None,
    scenarios: Sequence[str] | None = None,
    designs: Designs | None = None,
    stream: str = "search",
    workers: Workers = 1,
    progress: Progress | None = None,
    without: Collection[str] = (),
    watched: Watched | None = None,
    seen: Seen | None = None,
) -> list[Outcome | SimulationError]:
    """Every set on the same paths; a set whose simulation fails has its `SimulationError` in its place.

    ``paths`` is per scenario (default: the study's), where ``designs`` does not say how it is drawn; ``workers`` a number of threads, or an executor (`amo_opt.simulation.executor`).
    ``progress(done, total)`` counts blocks × sets. Memory is bounded by the blocks in flight, one a worker, except for the search's own
    paths, which are kept where they fit; and by the outcomes, 8 bytes a path and column: columns named in ``without`` are left out of
    them. ``seen(place of the set, scenario, first path, prices)`` takes what is ``watched``, block by block as they come. Raises
    `AmoOptError` before it starts where that does not fit into the memory there is.
    """
    count = study.simulation.paths if paths is None else paths
    spans = spans_of(study, count, scenarios, designs)
    starts = np.cumsum([0, *(span.lanes for span in spans)])
    if designs:
        count = -(-int(starts[-1]) // len({span.scenario.name for span in spans}))
    check_work(study, count, scenarios, sets=len(sets), workers=workers, columns=COLUMNS - len(without))
    log_ratios = np.zeros((int(starts[-1]), max((len(span.components) for span in spans), default=0)))
    gathered = [Gathered(int(starts[-1]), without) for _ in sets]
    for i, j, result in _run(sets, study, spans=spans, stream=stream, columns=None, workers=workers, progress=progress, watched=watched):
        columns = result
        if isinstance(result, tuple):
            columns, prices = result
            if seen is not None:
                seen(j, spans[i].scenario.name, spans[i].stretches[0].first, prices)
        if isinstance(columns, dict) and LOG_RATIOS in columns:
            told = columns.pop(LOG_RATIOS)
            log_ratios[starts[i] : starts[i + 1], : told.shape[1]] = told
        gathered[j].put(int(starts[i]), columns)
    return _outcomes(sets, study, spans, gathered, log_ratios=log_ratios, designs=designs)


def simulate(
    parameters: ParameterSet,
    study: Study,
    *,
    paths: int | None = None,
    scenarios: Sequence[str] | None = None,
    designs: Designs | None = None,
    stream: str = "search",
    workers: Workers = 1,
) -> Outcome:
    """One set on the study's paths; raises `SimulationError` where a path fails."""
    outcome = simulate_many([parameters], study, paths=paths, scenarios=scenarios, designs=designs, stream=stream, workers=workers)[0]
    if isinstance(outcome, SimulationError):
        raise outcome
    return outcome


def replay(
    parameters: ParameterSet,
    study: Study,
    *,
    scenario: str,
    path: int,
    stream: str = "search",
    design: Design | None = None,
    component: int = 0,
) -> Outcome:
    """One set on one path by its number, or on its twin in a ``component`` of the ``design``: the same row as in a run of many."""
    span = span_of(study, scenario, path, design=design, component=component)
    market = _drawn(span, study, stream)
    gathered = Gathered(span.lanes, ())
    gathered.put(0, run_one(parameters, study, span, market, constants(study)))
    log_ratios = np.zeros((1, 0)) if market.log_ratios is None else market.log_ratios
    designs = None if design is None else {scenario: design}
    outcome = _outcomes([parameters], study, [span], [gathered], log_ratios=log_ratios, designs=designs)[0]
    if isinstance(outcome, SimulationError):
        raise outcome
    return outcome


def trace(
    parameters: ParameterSet,
    study: Study,
    *,
    scenario: str,
    paths: int | None = None,
    first_path: int = 0,
    stream: str = "search",
    columns: Sequence[str] = ("price",),
    design: Design | None = None,
    component: int = 0,
) -> dict[str, Array]:
    """Time series of chosen columns (`TRACE_COLUMNS`, `DERIVED_COLUMNS`), each of shape (steps, paths), transition included; of the paths' twins in a
    ``component`` of a ``design`` where one is named.
    """
    return trace_many(
        [parameters],
        study,
        scenario=scenario,
        paths=paths,
        first_path=first_path,
        stream=stream,
        columns=columns,
        design=design,
        component=component,
    )[0]


def trace_many(
    sets: Sequence[ParameterSet],
    study: Study,
    *,
    scenario: str,
    paths: int | None = None,
    first_path: int = 0,
    stream: str = "search",
    columns: Sequence[str] = ("price",),
    workers: Workers = 1,
    design: Design | None = None,
    component: int = 0,
) -> list[dict[str, Array]]:
    """`trace` of several sets on the same paths, each block drawn once."""
    known = (*TRACE_COLUMNS, *named_columns(study.state), *DERIVED_COLUMNS)
    unknown = [name for name in columns if name not in known]
    if unknown:
        raise AmoOptError(f"unknown series {unknown[0]!r}; known: {', '.join(known)}")
    count = study.simulation.paths if paths is None else paths
    check_work(study, count, [scenario], sets=len(sets), workers=workers, series=len(columns))
    one = span_of(study, scenario, first_path, design=design, component=component)
    starts = [span.stretches[0] for span in spans_of(study, count, [scenario])]
    shifted = [replace(one, stretches=(Stretch(component, first_path + each.first, each.lanes),)) for each in starts]
    run = _run(sets, study, spans=shifted, stream=stream, columns=tuple(columns), workers=workers, progress=None)
    found = {(i, j): result for i, j, result in run}
    failed = next((found[i, j] for i in range(len(shifted)) for j in range(len(sets)) if isinstance(found[i, j], SimulationError)), None)
    if failed is not None:
        raise failed
    parts = range(len(shifted))
    return [{name: np.concatenate([found[i, j][name] for i in parts], axis=1) for name in columns} for j in range(len(sets))]


def _series(parameters: ParameterSet, study: Study, span: Span, market: MarketBlock | Array, columns: Sequence[str]) -> dict[str, Array]:
    """The series of one set on one block, each of shape (steps, lanes of the block)."""
    raw = _advanced(parameters, study, span, market, constants(study), variables_of(columns)).series
    return {name: series_of(name, raw) for name in columns}


def trace_given(
    parameters: ParameterSet,
    study: Study,
    market: MarketBlock | Array,
    *,
    scenario: Scenario,
    first: int,
    lanes: int,
    variables: Sequence[str],
) -> dict[str, Array]:
    """Variables of the state (`STATE`) at the end of each hour of a market that is given rather than drawn, each of shape (steps, lanes).

    A whole ``market`` is laid out as `draw`'s; ``scenario`` and ``first`` only name a path at fault.
    """
    return _advanced(parameters, study, drawn_span(scenario, first, lanes), market, constants(study), variables).series


__all__ = [
    "DERIVED_COLUMNS",
    "TRACE_COLUMNS",
    "draw",
    "replay",
    "simulate",
    "simulate_given",
    "simulate_many",
    "trace",
    "trace_given",
    "trace_many",
]
