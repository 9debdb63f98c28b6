"""Two sets on the same paths: simulate what is not stored, judge, answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from amo_opt.comparison.figures import STREAM, Figures, figures_of, layout, read_run
from amo_opt.comparison.gates import DEFAULT_GATES, Gate
from amo_opt.comparison.judging import judge_gates, judge_metrics, read_figures
from amo_opt.comparison.verdict import Comparison
from amo_opt.config.study import Study
from amo_opt.errors import AmoOptError, SimulationError
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.search.planning import aimed_designs
from amo_opt.simulation.engine import simulate_many
from amo_opt.stress.tilts import Design

PATHS = 1024
"""Drawn paths per scenario where nobody says."""
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
    designs: Mapping[str, Design] | None = None,
    baseline_run: Path | None = None,
    advice: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
) -> Comparison:
    """Candidate against baseline on the same paths, judged by ``gates`` (default: `DEFAULT_GATES`).

    Of each scenario ``paths`` are drawn (default 1,024), and beside them the twins of ``designs``, by default as many as a pilot of the baseline finds worth
    drawing (`amo_opt.search.aim`), so that rare events are seen whatever the seed; {} draws none. The paths are the study's stream ``holdout``, which the
    search never saw; ``study.search.seed`` draws others. Intervals are 95%, by a bootstrap of whole paths within each component of each scenario, the same
    resamples for both sets: a set against itself differs by exactly 0, and swapping the two by the same designs negates every difference and mirrors every
    interval. Fewer than `LEAST_PATHS` paths per scenario know no interval:
    every gate is inconclusive then, unless the two sets hold the same values. ``baseline_run`` is a run file written before, in place
    of simulating the baseline, and of its pilot. With ``advice`` the exit status is 0 whatever the verdict. The result does not depend on ``workers``.

    Raises `SimulationError` where a path fails, and `AmoOptError` where the run file does not fit or there is no candidate.
    """
    if candidate is None:
        raise AmoOptError("candidate = None; give a parameter set: a result recommends none where its verdict is not 'recommended'")
    return compare_all(
        baseline,
        [candidate],
        study,
        gates=gates,
        paths=paths,
        designs=designs,
        baseline_run=baseline_run,
        advice=advice,
        workers=workers,
        progress=progress,
    )[0]


def compare_all(
    baseline: ParameterSet,
    candidates: Sequence[ParameterSet],
    study: Study,
    *,
    gates: Sequence[Gate] | None = None,
    paths: int | None = None,
    designs: Mapping[str, Design] | None = None,
    baseline_run: Path | None = None,
    advice: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
) -> tuple[Comparison, ...]:
    """Every candidate against the baseline, which is simulated once: each is judged as `compare` judges it alone, to the last bit, and nothing is corrected for their number."""
    if paths is not None and paths < 1:
        raise AmoOptError(f"paths = {paths}; at least 1 is needed")
    chosen = DEFAULT_GATES if gates is None else tuple(gates)
    stored = None if baseline_run is None else read_run(Path(baseline_run), study, baseline, paths=paths)
    if stored is not None and designs is not None:
        raise AmoOptError("designs beside a stored run, which has its own; give one of them")
    count = stored.paths if stored is not None else PATHS if paths is None else paths
    if stored is not None:
        designs = stored.designs
    elif designs is None:
        designs = _aimed(baseline, study, count, sets=1 + len(candidates), workers=workers)
    # a scenario without twins says nothing that the number of paths does not
    designs = {name: design for name, design in designs.items() if not design.plain}
    sets = [("baseline", baseline)] if stored is None else []
    several = len(candidates) > 1
    sets += [(f"candidate {place} ({each.name!r:.80})" if several else "candidate", each) for place, each in enumerate(candidates, 1)]
    fresh = _simulated(sets, study, count, designs, workers=workers, progress=progress)
    before, after = (fresh[0], fresh[1:]) if stored is None else (stored, fresh)
    judged = judged_study(study)
    rows = layout(baseline, judged, paths=count, designs=designs, weights=before.weights)
    here, found = read_figures(before, rows, chosen), []
    for candidate, figures in zip(candidates, after, strict=True):
        there = read_figures(figures, rows, chosen)
        metrics = judge_metrics(there, here, chosen, identical=candidate.values() == baseline.values())
        found.append(
            Comparison(
                study=study,
                baseline=replace(before, parameters=baseline),
                candidate=figures,
                paths=count,
                resamples=judged.certification.bootstrap,
                metrics=metrics,
                gates=judge_gates(chosen, metrics, there, candidate),
                advice=advice,
            )
        )
    return tuple(found)


def judged_study(study: Study) -> Study:
    """The study with as many resamples as a comparison takes at least."""
    return replace(study, certification=replace(study.certification, bootstrap=max(RESAMPLES, study.certification.bootstrap)))


def _aimed(baseline: ParameterSet, study: Study, paths: int, *, sets: int, workers: int) -> Mapping[str, Design]:
    """So many drawn paths of every scenario, and the twins that a pilot of the baseline finds worth drawing."""
    try:
        return aimed_designs(baseline, study, paths, sets=sets, workers=workers)[0]
    except SimulationError as error:
        raise SimulationError(f"the baseline cannot be compared: {error}") from error


def _simulated(
    sets: Sequence[tuple[str, ParameterSet]],
    study: Study,
    paths: int,
    designs: Mapping[str, Design],
    *,
    workers: int,
    progress: Progress | None,
) -> list[Figures]:
    """The figures of every set; the first that fails on a path raises its error, with its part in this before it."""
    found = []
    outcomes = simulate_many(
        [each for _, each in sets], study, paths=paths, designs=designs, stream=STREAM, workers=workers, progress=progress
    )
    for (part, _), outcome in zip(sets, outcomes, strict=True):
        if isinstance(outcome, SimulationError):
            raise SimulationError(f"the {part} cannot be compared: {outcome}") from outcome
        found.append(figures_of(outcome, study, designs))
    return found
