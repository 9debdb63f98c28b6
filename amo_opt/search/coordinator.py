"""The search: batches of fixed size, proposed from the storage, evaluated anywhere, told in order.

A set of a batch is evaluated while the next one is proposed, which depends on what was proposed before it, not on what came of it.

Proposals of a batch depend on the trials before it and on (seed, batch) alone, so any number of workers gives the same trials, and a
batch torn by a crash is proposed again, identical, and finds its finished trials in the storage. A batch is written while the next one is
evaluated: a crash costs at most two batches' evaluation, an error or Ctrl-C none that was finished.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from typing import Self

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial

from amo_opt.config.study import Study
from amo_opt.errors import SimulationError
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.scoring.types import PointScore
from amo_opt.search.front import Point, front, hypervolume
from amo_opt.search.problem import Problem, Proposal, Settings, Value, dominated
from amo_opt.search.progress import OtherSampler, ProgressEvent, Remark, Stalled, Watcher, silent
from amo_opt.search.result import Trial
from amo_opt.search.sampler import make_sampler, resolve
from amo_opt.search.seeds import seed_sets
from amo_opt.search.space import build_space
from amo_opt.search.stall import stalled_after
from amo_opt.search.study_store import DIRECTIONS, Directions, SamplerKind, StudyStore, memory_study
from amo_opt.search.trials import freeze, thaw

Evaluate = Callable[[Iterable[ParameterSet]], list[PointScore | SimulationError]]
"""Scores in the order of the sets, which are proposed as they are taken: whoever takes them early has both going on at once."""
REFERENCE_PEG_BPS = 1000.0
"""Peg risk at which the hypervolume's reference lies (yield 0)."""
Told = Callable[[Sequence[FrozenTrial], Remark | None], None]
"""Hears of all trials there are, and a remark, mostly none."""


def explore(problem: Problem, *, store: StudyStore, trials: int, told: Told) -> list[FrozenTrial]:
    """Trials 0 to ``trials - 1`` of any problem, those missing from the storage evaluated and added; fewer where the search stalled.

    ``told`` hears of what there is at the start and after every batch, and may raise. Raises `StorageError` where another run writes to the
    same storage.
    """
    frozen = store.frozen()
    size = problem.search.batch
    wanted = resolve(problem.search.sampler, trials)
    kind = store.sampler(wanted)
    told(frozen[:trials], None if kind == wanted else OtherSampler(kept=kind, wanted=wanted, trials=trials))
    areas: list[float] = []
    with _Writer(store) as writer:
        for batch in range(-(-trials // size)):
            first = batch * size
            missing = range(len(frozen), min(first + size, trials))
            if missing:
                proposals = _propose(problem, kind, frozen[:first], batch=batch)
                finished = problem.evaluate(each for each in islice(proposals, missing.stop - first) if each.number in missing)
                writer.add(finished)
                frozen += finished
                told(frozen[:trials], None)
            if problem.search.stall and first + size <= trials:
                areas.append(dominated(frozen[: first + size], problem))
                if stalled_after(areas, problem.search.stall):
                    told(frozen[: first + size], Stalled(batches=problem.search.stall))
                    return frozen[: first + size]
    return frozen[:trials]


def search(study: Study, *, store: StudyStore, trials: int, evaluate: Evaluate, watch: Watcher = silent) -> list[Trial]:
    """Trials 0 to ``trials - 1`` of the study, those missing from the storage evaluated and added.

    Raises `StorageError` where another run writes to the same storage, and `SimulationError` as soon as the set in force itself has failed: nothing
    could be compared with it.
    """
    done: list[Trial] = []

    def told(frozen: Sequence[FrozenTrial], remark: Remark | None) -> None:
        done.extend(thaw(trial) for trial in frozen[len(done) :])
        _check_current(done)
        watch(replace(_event(done[: len(frozen)], trials), remark=remark))

    problem = StudyProblem(study, evaluate)
    found = explore(problem, store=store, trials=trials, told=told)
    return done[: len(found)]


class StudyProblem:
    """A study as a problem: parameter sets rounded to what governance votes on, the set in force and domain seeds first."""

    directions: Directions = DIRECTIONS
    reference: Point = (0.0, REFERENCE_PEG_BPS)

    def __init__(self, study: Study, evaluate: Evaluate) -> None:
        self.name, self.hash = study.name, study.hash
        self.search: Settings = study.search
        self._space = build_space(study)
        self._seeds = seed_sets(self._space)
        self._evaluate = evaluate

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        """The space's variables."""
        return self._space.distributions

    def starts(self) -> Sequence[Mapping[str, Value]]:
        """The seeds' values; where a seed lies outside the space, the nearest inside."""
        return [self._space.values(each) for each in self._seeds]

    def evaluate(self, proposals: Iterable[Proposal]) -> list[FrozenTrial]:
        """The proposals' scores; a failed simulation is a trial with its reason."""
        asked: list[tuple[Proposal, ParameterSet]] = []

        def sets() -> Iterator[ParameterSet]:
            for proposal in proposals:
                asked.append((proposal, self._parameters(proposal)))
                yield asked[-1][1]

        scores = self._evaluate(sets())
        return [self._frozen(*each, score) for each, score in zip(asked, scores, strict=True)]

    def _parameters(self, proposal: Proposal) -> ParameterSet:
        number = proposal.number
        return self._seeds[number] if number < len(self._seeds) else self._space.parameters(proposal.params, name=f"trial-{number}")

    def _frozen(self, proposal: Proposal, parameters: ParameterSet, score: PointScore | SimulationError) -> FrozenTrial:
        number = proposal.number
        failed = isinstance(score, SimulationError)
        trial = Trial(
            number=number,
            origin="current" if number == 0 else "seed" if number < len(self._seeds) else "sampler",
            parameters=parameters,
            score=None if isinstance(score, SimulationError) else score,
            failure=str(score) if failed else None,
        )
        return freeze(trial, params=proposal.params, distributions=self.distributions, system_attrs=proposal.system_attrs)


class _Writer:
    """Adds batches to the storage, one after the other, while the search goes on; what was handed over is written before it ends, however."""

    def __init__(self, store: StudyStore) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._last: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True)
        self._settle()

    def add(self, trials: Sequence[FrozenTrial]) -> None:
        """Hands a batch over; raises what became of the one before."""
        self._settle()
        self._last = self._pool.submit(self._write, trials)

    def _settle(self) -> None:
        last, self._last = self._last, None
        if last is not None:
            last.result()

    def _write(self, trials: Sequence[FrozenTrial]) -> None:
        for trial in trials:
            self._store.add(trial)


def _check_current(done: Sequence[Trial]) -> None:
    if done and done[0].origin == "current" and done[0].failure is not None:
        raise SimulationError(f"the set in force cannot be simulated, so nothing can be compared with it: {done[0].failure}")


def _propose(problem: Problem, kind: SamplerKind, history: Sequence[FrozenTrial], *, batch: int) -> Iterator[Proposal]:
    """The sets of one batch, each made as it is asked for: the problem's own while they last, then the sampler's."""
    size, starts = problem.search.batch, problem.starts()
    first = batch * size
    memory = None
    for number in range(first, first + size):
        if number < len(starts):
            yield Proposal(number=number, params=dict(starts[number]))
            continue
        if memory is None:
            sampler = make_sampler(kind, seed=problem.search.seed, batch=batch, first=first)
            memory = memory_study(history, sampler, directions=problem.directions)
        yield _asked(memory, problem, number)


def _asked(memory: optuna.Study, problem: Problem, number: int) -> Proposal:
    trial = memory.ask(problem.distributions)
    attributes = dict(memory._storage.get_trial(trial._trial_id).system_attrs)  # noqa: SLF001 - Optuna offers no public way to an asked trial's system attributes
    return Proposal(number=number, params=dict(trial.params), system_attrs=attributes)


def feasible_points(trials: Sequence[Trial]) -> tuple[list[int], list[Point]]:
    """Numbers and (yield, peg risk) of the feasible trials."""
    scores = [(trial.number, trial.score) for trial in trials if trial.score is not None and trial.score.feasible]
    return [number for number, _ in scores], [(score.yield_annual, score.peg_risk_bps) for _, score in scores]


def convergence(trials: Sequence[Trial], batch: int) -> tuple[float, ...]:
    """Hypervolume of the feasible front after each batch (reference: yield 0, peg risk `REFERENCE_PEG_BPS`)."""
    ends = range(batch, len(trials) + batch, batch)
    return tuple(hypervolume(feasible_points(trials[:end])[1], (0.0, REFERENCE_PEG_BPS)) for end in ends)


def _event(trials: Sequence[Trial], total: int) -> ProgressEvent:
    _, points = feasible_points(trials)
    return ProgressEvent(
        phase="search",
        done=len(trials),
        total=total,
        best_yield=max((point[0] for point in points), default=None),
        best_peg_bps=min((point[1] for point in points), default=None),
        front_size=len(front(points)),
        hypervolume=hypervolume(points, (0.0, REFERENCE_PEG_BPS)),
    )
