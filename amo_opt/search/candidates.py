"""Which sets are certified: the front of what the search found, with A as it was found or as it is, the best walked up, changes that bring nothing taken back.

All of it on the search's own paths, which no published figure comes from.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from amo_opt.config.study import Study
from amo_opt.errors import SimulationError
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.scoring.score import point_score
from amo_opt.scoring.types import PointScore
from amo_opt.search.certifier import Certifier
from amo_opt.search.climb import ROUNDS, climb
from amo_opt.search.front import Point, layers, thin, worth
from amo_opt.search.progress import Phase, ProgressEvent
from amo_opt.search.prune import Entry, Evaluate, point_of, prune
from amo_opt.search.result import Trial
from amo_opt.search.rule import tolerances
from amo_opt.simulation.engine import simulate_many
from amo_opt.simulation.outcome import Outcome

AGAIN = 32
"""Most trials of the search that are scored again with A left as it is: the feasible ones, front by front."""


def pick(entries: Sequence[Entry], count: int) -> list[Entry]:
    """At most ``count`` of the feasible entries: their front thinned, filled up from the fronts behind it."""
    feasible = [entry for entry in entries if entry[2].feasible]
    points: list[Point] = [(point.yield_annual, point.peg_risk_bps) for _, _, point in feasible]
    chosen: list[int] = []
    for layer in layers(points):
        room = count - len(chosen)
        if room <= 0:
            break
        chosen += thin(layer, points, room)
    return [feasible[i] for i in chosen]


def distinct(entries: Sequence[Entry], *others: ParameterSet) -> list[Entry]:
    """The entries without those that repeat an earlier one's values or another set's: rounding and a held A make sets meet."""
    seen = {tuple(other.values().values()) for other in others}
    kept: list[Entry] = []
    for entry in entries:
        values = tuple(entry[1].values().values())
        if values not in seen:
            seen.add(values)
            kept.append(entry)
    return kept


def choose_candidates(certifier: Certifier, trials: Sequence[Trial], *, identified: bool) -> list[Entry]:
    """Sets to certify besides the current one.

    Where A is identified: the search's front. Where it is not: a third of the places for the search's front as it is (what a change of A
    would bring stays visible), the others for the front of the best trials with A left as it is, scored again on the search's paths. Of either the set that
    gains most is walked up first.
    """
    study = certifier.study
    scored: list[Entry] = [
        (f"trial-{trial.number}", trial.parameters.replace(name=f"trial-{trial.number}"), trial.score)
        for trial in trials
        if trial.score is not None and trial.origin != "current"
    ]
    searched = distinct(scored, study.current)
    count = study.certification.candidates
    if identified:
        return _pruned(certifier, _climbed(certifier, searched, count, list(study.search.space)))
    held: list[Entry] = []
    moved = []
    for name, parameters, point in pick(searched, AGAIN):
        if parameters.amplification == study.current.amplification:
            held.append((name, parameters, point))
        else:
            moved.append(parameters.replace(name=f"{name}-same-a", amplification=study.current.amplification))
    outcomes = certifier.simulate(moved, stream="search", phase="fix-A", paths=study.simulation.paths)
    for parameters, outcome in zip(moved, outcomes, strict=True):
        found = _point(outcome, study)
        if not isinstance(found, SimulationError):
            held.append((parameters.name, parameters, found))
    first = pick(searched, max(1, count // 3))
    fresh = distinct(held, study.current, *(parameters for _, parameters, _ in first))
    names = [name for name in study.search.space if name != "amplification"]
    return distinct([*first, *_pruned(certifier, _climbed(certifier, fresh, count - len(first), names))])


def _climbed(certifier: Certifier, entries: Sequence[Entry], count: int, names: Sequence[str]) -> list[Entry]:
    """At most ``count`` of the entries, as `pick` takes them; the feasible one that gains most is walked up in some parameters, and stands in the last place."""
    study = certifier.study
    feasible = [entry for entry in entries if entry[2].feasible]
    if not feasible:
        return pick(entries, count)
    units = tolerances(study.certification)
    start = max(feasible, key=lambda entry: worth(point_of(entry[2]), units))
    looks = 2 * ROUNDS
    top = climb(start, study, names, _evaluation(certifier, "climb", looks))
    certifier.watch(ProgressEvent(phase="climb", done=looks, total=looks))
    return distinct([*pick(entries, count - 1), top])


def _evaluation(certifier: Certifier, phase: Phase, most: int) -> Evaluate:
    """The search's score of some sets on its own paths; every call is told as one more of at most so many."""
    tried = itertools.count(1)

    def evaluate(sets: Sequence[ParameterSet]) -> list[PointScore | SimulationError]:
        outcomes = simulate_many(
            sets,
            certifier.study,
            paths=certifier.study.simulation.paths,
            designs=certifier.designs_of("search"),
            stream="search",
            workers=certifier.workers,
            progress=_untold,
        )
        certifier.watch(ProgressEvent(phase=phase, done=min(next(tried), most), total=most))
        return [_point(outcome, certifier.study) for outcome in outcomes]

    return evaluate


def _untold(done: int, total: int) -> None:
    """Progress of a step too small to tell: the phase counts parameters."""


def _point(outcome: Outcome | SimulationError, study: Study) -> PointScore | SimulationError:
    """The search's score of an outcome; what failed stays a failure."""
    try:
        return outcome if isinstance(outcome, SimulationError) else point_score(outcome, study)
    except SimulationError as error:
        return error


def _pruned(certifier: Certifier, entries: Sequence[Entry]) -> list[Entry]:
    """The entries without the changes that bring nothing, each set once."""
    study = certifier.study
    return distinct(
        prune(entries, study.current, study.certification, _evaluation(certifier, "prune", len(study.current.held))), study.current
    )
