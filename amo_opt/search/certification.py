"""Certification: the front again on fresh selection paths, the recommendation chosen there, its figures taken from untouched holdout paths.

Nothing the search saw is used: selection and holdout paths have streams of their own. Every published figure comes from holdout paths; selection paths only choose.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.config.study import Study
from amo_opt.errors import SimulationError
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.scoring.constraints import paths_to_decide
from amo_opt.scoring.paired import Brief, differences
from amo_opt.scoring.replayed import episode_fits
from amo_opt.scoring.score import Judged, judged, point_score, score
from amo_opt.scoring.types import Estimate, PairedDifference, PointScore, Score
from amo_opt.search.certifier import Certifier
from amo_opt.search.change_cost import change_costs
from amo_opt.search.coordinator import feasible_points
from amo_opt.search.evidence import told_run_capacities, worst_paths
from amo_opt.search.front import Point, front, knee, layers, thin
from amo_opt.search.grid import amplification_range, inside, spread
from amo_opt.search.holdout import CURRENT, Holdout, Selection, refuse, run_holdout
from amo_opt.search.importance import importances
from amo_opt.search.plateau import neighbours
from amo_opt.search.progress import ProgressEvent, Watcher
from amo_opt.search.prune import Entry, prune
from amo_opt.search.result import Candidate, Optimum, Profile, ProfilePoint, Result, Role, Trial
from amo_opt.search.rule import PEG, YIELD, eligible, tolerances
from amo_opt.search.ruling import Binding, Objection, Paths, Ruling, Verdict, binding_in_search, binding_of, nearest
from amo_opt.search.sensitivity import sensitivities
from amo_opt.simulation.engine import simulate_many
from amo_opt.simulation.executor import Workers, executor_of
from amo_opt.simulation.outcome import Outcome

AGAIN = 64
"""Most trials of the search that are scored again with A left as it is: the feasible ones, front by front."""
A_POINTS = 8
"""Values of A in its profile, besides the current one."""


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
    would bring stays visible), the others for the front of the best trials with A left as it is, scored again on the search's paths.
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
        return _pruned(certifier, pick(searched, count))
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
    return distinct([*first, *_pruned(certifier, pick(fresh, count - len(first)))])


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
    tried = itertools.count(1)

    def evaluate(sets: Sequence[ParameterSet]) -> list[PointScore | SimulationError]:
        paths = certifier.study.simulation.paths
        outcomes = simulate_many(sets, certifier.study, paths=paths, stream="search", workers=certifier.workers, progress=_untold)
        certifier.watch(ProgressEvent(phase="prune", done=next(tried), total=len(PARAMETERS)))
        return [_point(outcome, certifier.study) for outcome in outcomes]

    return distinct(prune(entries, certifier.study.current, certifier.study.certification, evaluate), certifier.study.current)


def certify(
    study: Study, trials: Sequence[Trial], *, workers: Workers, watch: Watcher, sampler: str, hypervolume: tuple[float, ...]
) -> Result:
    """Everything after the search: profile, selection paths, the rule, holdout paths, fans and worst paths."""
    certifier = Certifier(study, workers, watch)
    profile = profile_amplification(certifier)
    on_selection, failures = _on_selection(certifier, trials, choose_candidates(certifier, trials, identified=profile.optimum.identified))
    holdout = run_holdout(certifier, on_selection, _choose(study, on_selection, profile, trials))
    rival = holdout.rival
    around, cliff = ((), None) if rival is None else neighbours(certifier, rival.parameters)
    candidates, ruling = _plateau(holdout, cliff)
    recommended = next((candidate for candidate in candidates if candidate.role == "recommended"), None)
    shown = recommended or candidates[0]
    compared = [candidates[0]] if rival is None else [candidates[0], rival]
    numbers, points = feasible_points(trials)
    return Result(
        study=study,
        trials=tuple(trials),
        sampler=sampler,
        front=tuple(numbers[i] for i in front(points)),
        hypervolume=hypervolume,
        candidates=tuple(candidates),
        ruling=replace(ruling, failed=tuple(failures)),
        recommended=recommended.parameters if recommended is not None else None,
        gap=_gap(shown),
        profile=profile,
        fans=tuple(
            holdout.fans.of(candidate.id, scenario.name)
            for candidate in candidates
            if candidate.role in {"current", "recommended"}
            for scenario in study.scenarios
        ),
        worst_paths=worst_paths(shown, holdout.worst[shown.id]),
        paths_search=study.simulation.paths,
        paths_certification=certifier.paths,
        half_step=holdout.half_step,
        neighbours=around,
        importances=importances(study, trials),
        sensitivity=() if rival is None else sensitivities(certifier, rival.parameters),
        change_costs=change_costs(certifier, compared),
        run_capacities=told_run_capacities(certifier, compared),
        episodes=episode_fits(study, study.current, workers=executor_of(certifier.workers).threads),
    )


def _plateau(holdout: Holdout, cliff: Objection | None) -> tuple[list[Candidate], Ruling]:
    """The last condition of the rule: a recommended set one step from a cliff loses its recommendation."""
    if cliff is None or holdout.ruling.outcome != "recommended":
        return holdout.candidates, holdout.ruling
    refused = [replace(each, role="candidate", objection=cliff) if each.role == "recommended" else each for each in holdout.candidates]
    return refused, refuse(holdout.ruling, cliff, refused[0])


def _on_selection(certifier: Certifier, trials: Sequence[Trial], sets: Sequence[Entry]) -> tuple[list[Candidate], list[tuple[str, str]]]:
    """Scores and paired differences on selection paths, the current set first; and what could not be simulated there, with the reason."""
    current_trial = next((trial for trial in trials if trial.origin == "current"), None)
    everything = [certifier.study.current, *(parameters for _, parameters, _ in sets)]
    home: list[Brief] = []

    def judge(outcome: Outcome | SimulationError) -> Judged | SimulationError:
        return outcome if isinstance(outcome, SimulationError) else judged(outcome, certifier.study)

    def compared(
        first: int, outcomes: list[Outcome | SimulationError]
    ) -> list[tuple[Score, tuple[PairedDifference, ...]] | SimulationError]:
        found = certifier.map(judge, outcomes)
        if first == 0:
            if isinstance(found[0], SimulationError):
                raise found[0]
            home.append(found[0].brief)
        return [
            each if isinstance(each, SimulationError) else (each.score, tuple(differences(each.brief, home[0]).values())) for each in found
        ]

    current, *rest = certifier.in_groups(everything, compared, stream="selection", phase="selection")
    assert not isinstance(current, SimulationError)  # noqa: S101 - raised above
    candidates = [
        Candidate(
            id=CURRENT,
            role="current",
            parameters=certifier.study.current,
            search=current_trial.score if current_trial is not None else None,
            selection_score=current[0],
        )
    ]
    failures = [(name, str(found)) for (name, _, _), found in zip(sets, rest, strict=True) if isinstance(found, SimulationError)]
    for (name, parameters, searched), found in zip(sets, rest, strict=True):
        if not isinstance(found, SimulationError):
            candidates.append(
                Candidate(
                    id=name, role="candidate", parameters=parameters, search=searched, selection_score=found[0], selection_paired=found[1]
                )
            )
    return candidates, failures


def _choose(study: Study, on_selection: Sequence[Candidate], profile: Profile, trials: Sequence[Trial]) -> Selection:
    """What selection paths chose, and the ruling on them."""
    rivals = [candidate for candidate in on_selection if candidate.id != CURRENT]
    objections = eligible(
        {candidate.id: candidate.selection_score for candidate in rivals},
        {candidate.id: candidate.selection_paired for candidate in rivals},
        study.certification,
        stream="selection",
    )
    for candidate in rivals:
        moved = candidate.parameters.amplification != study.current.amplification
        if objections[candidate.id] is None and not profile.optimum.identified and moved:
            objections[candidate.id] = Objection(kind="A not identified", stream="selection")
    pool = [candidate for candidate in rivals if objections[candidate.id] is None]
    if not pool:
        return Selection({}, objections, _nothing(study, on_selection, trials))
    points: list[Point] = [
        (candidate.selection_score.yield_annual.value, candidate.selection_score.peg_risk_bps.value) for candidate in pool
    ]
    best = front(points)
    balanced = pool[best[knee([points[i] for i in best], tolerances(study.certification))]]
    roles: dict[str, Role] = {pool[best[0]].id: "yield-seeking"}
    roles[pool[best[-1]].id] = "cautious"
    roles[balanced.id] = "recommended"
    ruling = _ruling(study, on_selection, "recommended", binding=binding_of(balanced.id, "selection", nearest(balanced.selection_score)))
    return Selection(roles, objections, replace(ruling, set=balanced.id))


def _ruling(study: Study, on_selection: Sequence[Candidate], outcome: Verdict, *, binding: Binding | None) -> Ruling:
    """The outcome on selection paths."""
    each = on_selection[0].selection_score.yield_annual.n // len(study.scenarios)
    return Ruling(
        outcome=outcome,
        paths=Paths(stream="selection", n=on_selection[0].selection_score.yield_annual.n, each=each),
        sets=len(on_selection),
        kept=sum(candidate.selection_score.feasible for candidate in on_selection),
        set="" if binding is None else binding.set,
        binding=binding,
    )


def _nothing(study: Study, on_selection: Sequence[Candidate], trials: Sequence[Trial]) -> Ruling:
    """The ruling where no set may be recommended."""
    current = on_selection[0].selection_score
    undecided = [constraint for constraint in current.constraints if not constraint.decidable]
    if undecided:
        hardest = max(undecided, key=paths_to_decide)
        ruling = _ruling(study, on_selection, "undecidable", binding=binding_of(CURRENT, "selection", hardest))
        return replace(ruling, needed=paths_to_decide(hardest))
    if any(candidate.selection_score.feasible for candidate in on_selection):
        return replace(_ruling(study, on_selection, "no change", binding=binding_of(CURRENT, "selection", nearest(current))), set="")
    if not any(trial.score is not None and trial.score.feasible for trial in trials):
        # Nothing but the current set went to certification: the search's own scores say which of all sets came nearest.
        scored = [
            (CURRENT if trial.origin == "current" else f"trial-{trial.number}", trial.score) for trial in trials if trial.score is not None
        ]
        if scored:
            name, least = min(scored, key=lambda each: sum(max(0.0, value) for value in each[1].constraints.values()))
            ruling = _ruling(study, on_selection, "infeasible", binding=binding_in_search(name, least, study))
            each = study.simulation.paths
            return replace(ruling, paths=Paths(stream="search", n=each * len(study.scenarios), each=each), sets=len(scored))
    closest = min(on_selection, key=lambda candidate: sum(max(0.0, each.violation_high) for each in candidate.selection_score.constraints))
    return _ruling(study, on_selection, "infeasible", binding=binding_of(closest.id, "selection", nearest(closest.selection_score)))


def profile_amplification(certifier: Certifier) -> Profile:
    """Every objective over A, everything else as in the current set, on selection paths; and whether its optimum lies inside the range."""
    study = certifier.study
    current = study.current.amplification
    low, high = amplification_range(study)
    grid = sorted({round(value) for value in spread(low, high, A_POINTS, log=True)} | {current})
    sets = [study.current.replace(name=f"A-{value}", amplification=value) for value in grid]

    def scored(_: int, outcomes: list[Outcome | SimulationError]) -> list[Score | SimulationError]:
        return certifier.map(lambda outcome: outcome if isinstance(outcome, SimulationError) else score(outcome, study), outcomes)

    found = certifier.in_groups(sets, scored, stream="selection", phase="profile")
    points = tuple(
        ProfilePoint(value=float(value), score=each)
        for value, each in zip(grid, found, strict=True)
        if not isinstance(each, SimulationError)
    )
    if not points:
        raise next(each for each in found if isinstance(each, SimulationError))
    optimum = _optimum(points, low, high, searched="amplification" in study.search.space)
    return Profile(parameter="amplification", base=study.current.name, points=points, optimum=optimum)


def _optimum(points: Sequence[ProfilePoint], low: float, high: float, *, searched: bool) -> Optimum:
    """Where peg risk is lowest on the profile; of equal points the lowest value."""
    best = min(points, key=lambda point: (point.score.peg_risk_bps.value, point.value))
    ends = (points[0].score.peg_risk_bps, points[-1].score.peg_risk_bps)
    return Optimum(
        best=best.value,
        peg=best.score.peg_risk_bps,
        low=low,
        high=high,
        inside=inside(best.value, low, high, log=True),
        clear=all(end.low > best.score.peg_risk_bps.high for end in ends),
        searched=searched,
    )


def _gap(shown: Candidate) -> dict[str, tuple[float, Estimate, Estimate]]:
    """Search score, certified on selection paths, certified on holdout paths: the optimism of the search and of the choice."""
    if shown.search is None or shown.holdout_score is None:
        return {}
    searched = {YIELD: shown.search.yield_annual, PEG: shown.search.peg_risk_bps}
    return {name: (value, shown.selection_score.metrics[name], shown.holdout_score.metrics[name]) for name, value in searched.items()}


__all__ = ["PairedDifference", "Score", "certify", "choose_candidates", "profile_amplification"]
