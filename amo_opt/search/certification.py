"""Certification: the front again on fresh selection paths, the recommendation chosen there, its figures taken from untouched holdout paths.

Nothing the search saw is used: selection and holdout paths have streams of their own. Every published figure comes from holdout paths; selection paths only choose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from amo_opt.config.study import Study
from amo_opt.errors import SimulationError
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.scoring.constraints import paths_to_decide
from amo_opt.scoring.paired import Brief, differences
from amo_opt.scoring.replayed import episode_fits
from amo_opt.scoring.score import Judged, judged, score
from amo_opt.scoring.types import LEAST_PATHS, Estimate, PairedDifference, PointScore, Score
from amo_opt.search.aim import Aim, aim
from amo_opt.search.candidates import choose_candidates
from amo_opt.search.certifier import Certifier
from amo_opt.search.change_cost import change_costs
from amo_opt.search.coordinator import feasible_points
from amo_opt.search.doubt import doubt_of
from amo_opt.search.evidence import told_run_capacities, worst_paths
from amo_opt.search.front import front, knee
from amo_opt.search.grid import amplification_range, inside, spread
from amo_opt.search.half_steps import half_steps
from amo_opt.search.holdout import CURRENT, Holdout, Selection, closest, refuse, run_holdout
from amo_opt.search.importance import importances
from amo_opt.search.planning import (
    Designs,
    Plan,
    holdout_floor,
    plan_holdout,
    plan_level,
    search_designs,
    selection_designs,
    together,
    variances,
)
from amo_opt.search.plateau import neighbours
from amo_opt.search.preference import preferred
from amo_opt.search.progress import ProgressEvent, Watcher
from amo_opt.search.result import Candidate, Optimum, Profile, ProfilePoint, Result, Role, Trial
from amo_opt.search.rule import AXES, DOLLAR, PEG, YIELD, by_metric, eligible, tolerances, within_at_values
from amo_opt.search.ruling import Binding, Objection, Paths, Ruling, Verdict, binding_in_search, binding_of, nearest
from amo_opt.search.sensitivity import SHOWN, sensitivities
from amo_opt.search.tails import tails_of
from amo_opt.search.worst_trace import worst_traces
from amo_opt.simulation.executor import Workers, executor_of
from amo_opt.simulation.outcome import Outcome

LEVEL = "peg risk"
"""Where the parts of the variance of a set's own peg risk stand, beside those of the differences."""
DECIDING = (PEG, DOLLAR)
"""The differences that the holdout is planned for: peg risk against either reference, as far as the study's paths tell both."""
PROFILE_PART = 4
"""Part of the selection paths that A's profile takes, the first of them: it says whether its optimum is told from the ends of the range, not how far."""
A_POINTS = 8
"""Values of A in its profile, besides the current one."""


def certify(
    study: Study,
    trials: Sequence[Trial],
    *,
    aims: Mapping[str, Aim],
    workers: Workers,
    watch: Watcher,
    sampler: str,
    hypervolume: tuple[float, ...],
) -> Result:
    """Everything after the search: profile, selection paths, the rule, holdout paths, fans and worst paths; ``aims`` = what the pilot found."""
    certifier = Certifier(study, workers, watch)
    certifier = replace(
        certifier, designs={"search": search_designs(aims, study), "selection": selection_designs(aims, study, certifier.paths)}
    )
    profile = profile_amplification(certifier)
    sets = choose_candidates(certifier, trials, identified=profile.optimum.identified)
    on_selection, failures, parts = _on_selection(certifier, trials, sets)
    selection = _choose(certifier, on_selection, profile, trials)
    if nearer := [] if selection.passed else half_steps(study, on_selection[1:], selection.objections):
        (_, *more), failed, told = _on_selection(certifier, trials, nearer)
        on_selection, failures, parts = [*on_selection, *more], [*failures, *failed], {**parts, **told}
        selection = _choose(certifier, on_selection, profile, trials)
    plan = _plan(certifier, on_selection, selection, parts, holdout_floor(aims, study, certifier.paths))
    certifier = replace(certifier, designs={**certifier.designs, "holdout": plan.designs})
    holdout = run_holdout(certifier, on_selection, selection, edges={name: each.edge for name, each in aims.items()})
    rival = holdout.rival
    around, cliff = ((), None) if rival is None else neighbours(certifier, rival.parameters)
    candidates, ruling = _plateau(holdout, cliff)
    recommended = next((candidate for candidate in candidates if candidate.role == "recommended"), None)
    doubt = None if rival is None else doubt_of(certifier, rival, recommended=recommended is not None)
    drivers = () if doubt is None else tuple(each.name for each in doubt.drivers[:SHOWN])
    shown = recommended or candidates[0]
    compared = [candidates[0]] if rival is None else [candidates[0], rival]
    worst = worst_paths(shown, holdout.worst[shown.id], plan.designs)
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
        worst_paths=worst,
        worst_traces=worst_traces(certifier, compared, worst, plan.designs),
        paths_search=study.simulation.paths * len(study.scenarios),
        paths_certification=certifier.paths_of("selection"),
        aims=tuple(aims.values()),
        selection_designs=dict(certifier.designs["selection"]),
        plan=plan,
        tails=tails_of(candidates[0], rival, plan, cap=study.certification.most_paths),
        risk_parts=holdout.parts,
        half_step=holdout.half_step,
        neighbours=around,
        importances=importances(study, trials),
        doubt=doubt,
        sensitivity=() if rival is None or not drivers else sensitivities(certifier, rival.parameters, drivers),
        change_costs=change_costs(certifier, compared),
        run_capacities=told_run_capacities(certifier, compared),
        episodes=episode_fits(study, study.current, workers=executor_of(certifier.workers).threads),
    )


def aimed(study: Study, workers: Workers, watch: Watcher) -> dict[str, Aim]:
    """Where twins are worth drawing, seen by the current set on pilot paths."""
    found = aim([study.current], study, workers=workers)
    watch(ProgressEvent(phase="pilot", done=len(found), total=len(found)))
    return found


def _plan(
    certifier: Certifier,
    on_selection: Sequence[Candidate],
    selection: Selection,
    parts: Mapping[str, Mapping[str, Mapping[str, float]]],
    designs: Designs,
) -> Plan:
    """The holdout, of these ``designs`` at least, that tells the chosen set's differences in peg risk (or those of the set that came closest) from the tolerance, against either reference:
    the rule asks both; and both sets' peg risk within a tenth of itself.
    """
    study = certifier.study
    target = next((name for name, role in selection.roles.items() if role == "recommended"), None) or closest(study, on_selection)
    chosen = next(each for each in on_selection if each.id == target)
    plans = [
        plan_holdout(designs, parts[target][each.metric], study, difference=each.difference, tolerance=each.tolerance)
        for each in chosen.selection_paired
        if each.metric in DECIDING and each.scenario is None
    ]
    levels = [
        plan_level(designs, parts[each.id][LEVEL], study, figure=each.selection_score.peg_risk_bps) for each in (on_selection[0], chosen)
    ]
    return together(plans or [Plan(designs, None, None, capped=False)], levels)


def _plateau(holdout: Holdout, cliff: Objection | None) -> tuple[list[Candidate], Ruling]:
    """The last condition of the rule: a recommended set one step from a cliff loses its recommendation."""
    if cliff is None or holdout.ruling.outcome != "recommended":
        return holdout.candidates, holdout.ruling
    refused = [replace(each, role="candidate", objection=cliff) if each.role == "recommended" else each for each in holdout.candidates]
    return refused, refuse(holdout.ruling, cliff, refused[0])


_Seen = tuple[Score, tuple[PairedDifference, ...], dict[str, dict[str, float]]]
"""Of a set on selection paths: its score, its differences to the current set, and by metric what each scenario adds to the variance of that in peg risk, and of its own (`LEVEL`)."""


def _on_selection(
    certifier: Certifier, trials: Sequence[Trial], sets: Sequence[tuple[str, ParameterSet, PointScore | None]]
) -> tuple[list[Candidate], list[tuple[str, str]], dict[str, dict[str, dict[str, float]]]]:
    """Scores and paired differences on selection paths, the current set first; what could not be simulated there, with the reason; and by set and metric
    what each scenario adds to the variance of its difference in peg risk.
    """
    current_trial = next((trial for trial in trials if trial.origin == "current"), None)
    everything = [certifier.study.current, *(parameters for _, parameters, _ in sets)]
    home: list[Brief] = []

    def judge(outcome: Outcome | SimulationError) -> Judged | SimulationError:
        return outcome if isinstance(outcome, SimulationError) else judged(outcome, certifier.study)

    def compared(first: int, outcomes: list[Outcome | SimulationError]) -> list[_Seen | SimulationError]:
        found = certifier.map(judge, outcomes)
        if first == 0:
            if isinstance(found[0], SimulationError):
                raise found[0]
            home.append(found[0].brief)
        return [
            each
            if isinstance(each, SimulationError)
            else (
                each.score,
                tuple(differences(each.brief, home[0]).values()),
                {**{name: variances(each.brief, home[0], name) for name in DECIDING}, LEVEL: variances(each.brief, None, PEG)},
            )
            for each in found
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
    names = [CURRENT, *(name for name, _, _ in sets)]
    parts = {name: found[2] for name, found in zip(names, (current, *rest), strict=True) if not isinstance(found, SimulationError)}
    return candidates, failures, parts


def _choose(certifier: Certifier, on_selection: Sequence[Candidate], profile: Profile, trials: Sequence[Trial]) -> Selection:
    """What selection paths chose, and the ruling on them: of the sets that pass the rule there the knee of their front, or what does as well and hangs less on what is
    assumed; where none does, the knee of those which only their intervals' width refuses.
    """
    study = certifier.study
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
    open_ = [each for each in rivals if not pool and _may_be_settled(objections[each.id], each, study)]
    if not pool and not open_:
        return Selection({}, objections, _nothing(study, on_selection, trials))
    points = [candidate.point for candidate in pool or open_]
    best = front(points)
    balanced = (pool or open_)[best[knee([points[i] for i in best], tolerances(study.certification))]]
    balanced, shares = preferred(certifier, pool, balanced)
    roles: dict[str, Role] = {pool[best[0]].id: "yield-seeking", pool[best[-1]].id: "cautious"} if pool else {}
    roles[balanced.id] = "recommended"
    objections[balanced.id] = None
    ruling = _ruling(on_selection, "recommended", binding=binding_of(balanced.id, "selection", nearest(balanced.selection_score)))
    return Selection(roles, objections, replace(ruling, set=balanced.id, passed=bool(pool)), shares=shares)


def _may_be_settled(objection: Objection | None, candidate: Candidate, study: Study) -> bool:
    """Whether nothing stands against a set but a tolerance inside an interval, or a gain that its own interval shows and the correction for so many candidates does not:
    too few selection paths are no reason to refuse it, as holdout paths are planned to tell, decide by themselves, and meet one candidate.
    """
    if objection is None or not within_at_values(candidate.selection_paired, study.certification):
        return False
    if objection.kind == "no gain":
        found = by_metric(candidate.selection_paired)
        return any(found[axis].verdict == "BETTER" for axis in AXES)
    return objection.kind == "tolerance"


def _ruling(on_selection: Sequence[Candidate], outcome: Verdict, *, binding: Binding | None) -> Ruling:
    """The outcome on selection paths."""
    return Ruling(
        outcome=outcome,
        paths=Paths.of("selection", on_selection[0].selection_score),
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
        ruling = _ruling(on_selection, "undecidable", binding=binding_of(CURRENT, "selection", hardest))
        return replace(ruling, needed=paths_to_decide(hardest))
    if any(candidate.selection_score.feasible for candidate in on_selection):
        return replace(_ruling(on_selection, "no change", binding=binding_of(CURRENT, "selection", nearest(current))), set="")
    if not any(trial.score is not None and trial.score.feasible for trial in trials):
        # Nothing but the current set went to certification: the search's own scores say which of all sets came nearest.
        scored = [
            (CURRENT if trial.origin == "current" else f"trial-{trial.number}", trial.score) for trial in trials if trial.score is not None
        ]
        if scored:
            name, least = min(scored, key=lambda each: sum(max(0.0, value) for value in each[1].constraints.values()))
            ruling = _ruling(on_selection, "infeasible", binding=binding_in_search(name, least, study))
            each = study.simulation.paths
            return replace(ruling, paths=Paths(stream="search", n=each * len(study.scenarios), each=each), sets=len(scored))
    closest = min(on_selection, key=lambda candidate: sum(max(0.0, each.violation_high) for each in candidate.selection_score.constraints))
    return _ruling(on_selection, "infeasible", binding=binding_of(closest.id, "selection", nearest(closest.selection_score)))


def profile_amplification(certifier: Certifier) -> Profile:
    """Every objective over A, everything else as in the current set, on selection paths; and whether its optimum lies inside the range."""
    study = certifier.study
    current = study.current.amplification
    low, high = amplification_range(study)
    grid = sorted({round(value) for value in spread(low, high, A_POINTS, log=True)} | {current})
    sets = [study.current.replace(name=f"A-{value}", amplification=value) for value in grid]

    def scored(_: int, outcomes: list[Outcome | SimulationError]) -> list[Score | SimulationError]:
        return certifier.map(lambda outcome: outcome if isinstance(outcome, SimulationError) else score(outcome, study), outcomes)

    found = certifier.in_groups(sets, scored, stream="selection", phase="profile", paths=max(LEAST_PATHS, certifier.paths // PROFILE_PART))
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
