"""Search, then certify: from a study to a result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import cache

from amo_opt.config.study import Study
from amo_opt.errors import AmoOptError, SimulationError
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.scoring.paired import directed
from amo_opt.scoring.score import point_score
from amo_opt.scoring.types import PointScore
from amo_opt.search.archive import keep, kept, restored
from amo_opt.search.certification import aimed, certify
from amo_opt.search.certifier import UNREAD, room
from amo_opt.search.coordinator import convergence, search
from amo_opt.search.dashboard_note import note_of
from amo_opt.search.planning import Designs, most_selected, search_designs
from amo_opt.search.prefetch import prefetched
from amo_opt.search.progress import Watcher, silent
from amo_opt.search.result import Result
from amo_opt.search.retry import WAIT_SECONDS
from amo_opt.search.sampler import resolve
from amo_opt.search.screening import screened
from amo_opt.search.study_store import StudyStore
from amo_opt.simulation.engine import simulate_many
from amo_opt.simulation.executor import Workers, executor_of
from amo_opt.simulation.size import COLUMNS, Size, check_size, size_of

SELECTION_SETS, HOLDOUT_SETS = 95, 5
"""Sets that certification runs on as many paths as it selects on, roughly (candidates, profiles, neighbours, moved figures), and on the whole holdout (those with
a role and the half step): only what is told beforehand hangs on it.
"""


def evaluate(
    sets: Iterable[ParameterSet], study: Study, *, workers: Workers, designs: Designs | None = None
) -> list[PointScore | SimulationError]:
    """The search's scores of some sets on the study's search paths, drawn by ``designs``; a failed simulation stands in its set's place.

    Sets that are made one by one are simulated while the next are made, as many at once as have come meanwhile.
    """
    if isinstance(sets, Sequence):
        return _scores(sets, study, workers, designs)
    with closing(prefetched(sets)) as groups:
        return [score for group in groups for score in _scores(group, study, workers, designs)]


def _scores(sets: Sequence[ParameterSet], study: Study, workers: Workers, designs: Designs | None) -> list[PointScore | SimulationError]:
    """Where the study screens, a set that is clearly infeasible on few paths gets their score; never under a Gaussian process, which would
    model two fidelities as one.
    """
    screens = study.search.screen_paths > 0 and study.search.sampler != "gp"
    early = screened(sets, study, workers=executor_of(workers).threads) if screens else [None] * len(sets)
    left = [each for each, found in zip(sets, early, strict=True) if found is None]
    full: list[PointScore | SimulationError] = []
    held = room(study, study.simulation.paths, columns=COLUMNS)
    for first in range(0, len(left), held):
        for outcome in simulate_many(left[first : first + held], study, designs=designs, stream="search", workers=workers):
            try:
                full.append(outcome if isinstance(outcome, SimulationError) else point_score(outcome, study))
            except SimulationError as error:
                full.append(error)
    rest = iter(full)
    return [next(rest) if found is None else found for found in early]


def optimise(
    study: Study,
    *,
    trials: int | None = None,
    workers: Workers = 1,
    cluster: str | None = None,
    storage: str | None = None,
    storage_wait: float = WAIT_SECONDS,
    progress: Watcher | None = None,
) -> Result:
    """Searches the study's space, certifies the best sets on fresh paths and applies the recommendation rule.

    ``storage`` is an SQLAlchemy address (default: in memory); finished trials found there are not run again, nor is their certification,
    and one that stops answering is waited for ``storage_wait`` seconds. ``cluster`` = where to simulate instead of on ``workers`` threads:
    ``tcp://HOST:PORT`` of a Dask scheduler, or ``local:N``. The result depends on neither. Raises `StorageError` where the storage cannot
    be used and `SimulationError` where the current set itself fails.
    """
    watch = progress or silent
    budget = study.search.trials if trials is None else trials
    if budget < 1:
        raise AmoOptError(f"trials = {budget}; at least 1 is needed: trial 0 is the current set")
    threads = executor_of(workers).threads
    check_size(study, size_of_run(study, trials=budget, threads=threads, timed=cluster is None), threads=threads)
    with ExitStack() as stack:
        store = StudyStore(study, storage or "sqlite://", wait=storage_wait, note=note_of(study))
        stack.enter_context(store.locked())
        executor: Workers = workers
        if cluster is not None:
            from amo_opt.simulation.cluster import cluster_executor

            executor = stack.enter_context(cluster_executor(cluster, study, threads=executor_of(workers).threads))
        # not before something is run: a search whose trials are all kept needs none
        aims = cache(lambda: aimed(study, executor, watch))
        done = search(
            study,
            store=store,
            trials=budget,
            evaluate=lambda sets: evaluate(sets, study, workers=executor, designs=search_designs(aims(), study)),
            watch=watch,
        )
        found = kept(store, study, trials=len(done))
        if found is not None:
            return found
        kind = store.sampler(resolve(study.search.sampler, budget))
        result = certify(
            study, done, aims=aims(), workers=executor, watch=watch, sampler=kind, hypervolume=convergence(done, study.search.batch)
        )
        result = replace(result, screened=sum(trial.score is not None and trial.score.screened for trial in done))
        keep(store, result)
        return result


def size_of_run(study: Study, *, trials: int, threads: int, timed: bool = True) -> Size:
    """What a whole run takes: certification's memory, and the time of search and certification, roughly; at most, as the pilot decides how many twins are drawn
    and selection paths how large the holdout is. Told by the paths a person asks for: those of the search, which certification multiplies, or `most_paths`.
    """
    selected = most_selected(study)
    most = max(selected, study.certification.most_paths)
    held = min(HOLDOUT_SETS, room(study, most))
    certified = size_of(study, paths=most, sets=held, threads=threads, columns=COLUMNS - len(UNREAD))
    briefs = 2 * 8 * len(directed(study)) * (held + 1) * len(study.scenarios)
    seconds = size_of(study, paths=study.simulation.paths, sets=trials, threads=threads).seconds
    for sets, paths in ((SELECTION_SETS, selected), (HOLDOUT_SETS, most)):
        seconds += sets * size_of(study, paths=paths, threads=threads).seconds
    asked, option = (study.simulation.paths, "--paths") if most == selected else (most, "[certification] most_paths")
    return Size(
        fixed=certified.fixed,
        per_path=(certified.per_path + briefs) * most / asked,
        paths=asked,
        seconds=seconds if timed else 0.0,
        option=option,
    )


def restore(study: Study, *, storage: str) -> Result:
    """The certified result of a study that was run before, out of its storage: nothing is searched, nothing simulated.

    Raises `StorageError` where the storage holds none that this version could have computed.
    """
    return restored(StudyStore(study, storage, existing=True), study)
