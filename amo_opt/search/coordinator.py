"""The search: batches of fixed size, proposed from the record, evaluated anywhere, told in order.

Proposals of a batch depend on the trials before it and on (seed, batch) alone, so any number of workers gives the same trials, and a
batch torn by a crash is proposed again, identical, and finds its finished trials in the record. A batch is written while the next one is
evaluated: a crash costs at most two batches' evaluation, an error or Ctrl-C none that was finished.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from optuna.trial import FrozenTrial

from amo_opt.config.study import Study
from amo_opt.errors import SimulationError
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.scoring.types import PointScore
from amo_opt.search.front import Point, front, hypervolume
from amo_opt.search.progress import ProgressEvent, Watcher, silent
from amo_opt.search.record import Record, freeze, memory_study, thaw
from amo_opt.search.result import Trial
from amo_opt.search.sampler import make_sampler, resolve
from amo_opt.search.seeds import seed_sets
from amo_opt.search.space import Space, build_space

Evaluate = Callable[[Sequence[ParameterSet]], list[PointScore | SimulationError]]
Proposal = tuple[ParameterSet, dict[str, float], dict[str, object], str]
REFERENCE_PEG_BPS = 1000.0
"""Peg risk at which the hypervolume's reference lies (yield 0)."""


def search(study: Study, *, record: Record, trials: int, evaluate: Evaluate, watch: Watcher = silent) -> list[Trial]:
    """Trials 0 to ``trials - 1`` of the study, those missing from the record evaluated and added.

    Raises `StorageError` where another run writes to the same record, and `SimulationError` as soon as the set in force itself has failed: nothing
    could be compared with it.
    """
    space = build_space(study)
    seeds = seed_sets(space)
    frozen = record.frozen()
    size = study.search.batch
    done = [thaw(trial) for trial in frozen[:trials]]
    _check_current(done)
    watch(_event(done, trials))
    with _Writer(record) as writer:
        for batch in range(len(frozen) // size, -(-trials // size)):
            first = batch * size
            proposals = _propose(study, space, seeds, frozen[:first], batch=batch, trials=trials)
            missing = list(range(len(frozen), min(first + size, trials)))
            if not missing:
                continue
            scores = evaluate([proposals[number - first][0] for number in missing])
            kept = []
            for number, score in zip(missing, scores, strict=True):
                parameters, params, system_attrs, origin = proposals[number - first]
                failed = isinstance(score, SimulationError)
                trial = Trial(
                    number=number,
                    origin=origin,  # type: ignore[arg-type]
                    parameters=parameters,
                    score=None if isinstance(score, SimulationError) else score,
                    failure=str(score) if failed else None,
                )
                kept.append(freeze(trial, params=params, distributions=space.distributions, system_attrs=system_attrs))
                done.append(trial)
            writer.add(kept)
            frozen += kept
            _check_current(done)
            watch(_event(done, trials))
    return done


class _Writer:
    """Adds batches to the record, one after the other, while the search goes on; what was handed over is written before it ends, however."""

    def __init__(self, record: Record) -> None:
        self._record = record
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
            self._record.add(trial)


def _check_current(done: Sequence[Trial]) -> None:
    if done and done[0].origin == "current" and done[0].failure is not None:
        raise SimulationError(f"the set in force cannot be simulated, so nothing can be compared with it: {done[0].failure}")


def _propose(
    study: Study, space: Space, seeds: Sequence[ParameterSet], history: Sequence[FrozenTrial], *, batch: int, trials: int
) -> list[Proposal]:
    """The sets of one batch: domain seeds while they last, then the sampler's."""
    first = batch * study.search.batch
    kind = resolve(study.search.sampler, trials)
    memory = None
    proposals: list[Proposal] = []
    for number in range(first, first + study.search.batch):
        if number < len(seeds):
            origin = "current" if number == 0 else "seed"
            proposals.append((seeds[number], space.values(seeds[number]), {}, origin))
            continue
        if memory is None:
            memory = memory_study(history, make_sampler(kind, seed=study.search.seed, batch=batch, first=first))
        trial = memory.ask(space.distributions)
        attributes = dict(memory._storage.get_trial(trial._trial_id).system_attrs)  # noqa: SLF001 - Optuna offers no public way to an asked trial's system attributes
        proposals.append((space.parameters(trial.params, name=f"trial-{number}"), dict(trial.params), attributes, "sampler"))
    return proposals


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
