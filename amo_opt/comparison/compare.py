"""Two sets on the same paths: simulate what is not stored, judge, answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from amo_opt.comparison.figures import STREAM, Figures, figures_of, layout, read_run
from amo_opt.comparison.gates import DEFAULT_GATES, Gate
from amo_opt.comparison.judging import judge_gates, judge_metrics, read_figures
from amo_opt.comparison.verdict import Comparison
from amo_opt.config.study import Study
from amo_opt.errors import AmoOptError, SimulationError
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.simulation.engine import simulate_many

PATHS = 1024
"""Paths per scenario where nobody says."""
RESAMPLES = 1000
"""Fewest resamples of an interval: with fewer, several gates together could never pass."""

Progress = Callable[[int, int], None]


def compare(
    baseline: ParameterSet,
    candidate: ParameterSet | None,
    study: Study,
    *,
    gates: Sequence[Gate] | None = None,
    paths: int | None = None,
    baseline_run: Path | None = None,
    advice: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
) -> Comparison:
    """Candidate against baseline on the same ``paths`` per scenario (default 1,024), judged by ``gates`` (default: `DEFAULT_GATES`).

    The paths are the study's stream ``holdout``, which the search never saw; ``study.search.seed`` draws others. Intervals are 95%,
    by a bootstrap of whole paths stratified by scenario, the same resamples for both sets: a set against itself differs by exactly 0,
    and swapping the two negates every difference and mirrors every interval. Fewer than `LEAST_PATHS` paths per scenario know no interval:
    every gate is inconclusive then, unless the two sets hold the same values. ``baseline_run`` is a run file written before, in place
    of simulating the baseline. With ``advice`` the exit status is 0 whatever the verdict. The result does not depend on ``workers``.

    Raises `SimulationError` where a path fails, and `AmoOptError` where the run file does not fit or there is no candidate.
    """
    if candidate is None:
        raise AmoOptError("candidate = None; give a parameter set: a result recommends none where its verdict is not 'recommended'")
    if paths is not None and paths < 1:
        raise AmoOptError(f"paths = {paths}; at least 1 is needed")
    chosen = DEFAULT_GATES if gates is None else tuple(gates)
    stored = None if baseline_run is None else read_run(Path(baseline_run), study, baseline, paths=paths)
    count = stored.paths if stored is not None else PATHS if paths is None else paths
    fresh = _simulated([candidate] if stored is not None else [baseline, candidate], study, count, workers=workers, progress=progress)
    before, after = stored or fresh[0], fresh[-1]
    judged = replace(study, certification=replace(study.certification, bootstrap=max(RESAMPLES, study.certification.bootstrap)))
    rows = layout(baseline, judged, paths=count)
    there, here = (read_figures(figures, rows, chosen) for figures in (after, before))
    metrics = judge_metrics(there, here, chosen, identical=candidate.values() == baseline.values())
    return Comparison(
        study=study,
        baseline=replace(before, parameters=baseline),
        candidate=after,
        paths=count,
        resamples=judged.certification.bootstrap,
        metrics=metrics,
        gates=judge_gates(chosen, metrics, there, candidate),
        advice=advice,
    )


def _simulated(sets: Sequence[ParameterSet], study: Study, paths: int, *, workers: int, progress: Progress | None) -> list[Figures]:
    """The figures of every set; the first that fails on a path raises its error, with its part in this."""
    found = []
    outcomes = simulate_many(sets, study, paths=paths, stream=STREAM, workers=workers, progress=progress)
    for part, outcome in zip(("baseline", "candidate")[-len(sets) :], outcomes, strict=True):
        if isinstance(outcome, SimulationError):
            raise SimulationError(f"the {part} cannot be compared: {outcome}") from outcome
        found.append(figures_of(outcome, study))
    return found
