"""Certification on outcomes known by algebra: who is taken, who is recommended, and what is said where nobody is."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest

from amo_opt.config.study import Range
from amo_opt.errors import SimulationError
from amo_opt.scoring.score import Held, Judged
from amo_opt.scoring.types import Constraint, Estimate, PairedDifference, PointScore, Score
from amo_opt.search import candidates, certification, certifier, evidence, holdout, plateau, preference
from amo_opt.search.aim import Aim
from amo_opt.search.candidates import pick
from amo_opt.search.certification import certify
from amo_opt.search.planning import NEAR, TWO_SIDED_NORMAL
from amo_opt.search.progress import silent
from amo_opt.search.result import Candidate, ProfilePoint, Trial
from amo_opt.search.rule import DOLLAR, PEG, YIELD
from amo_opt.search.ruling import Objection, Paths

WIDTH = {YIELD: 1e-4, PEG: 0.2, DOLLAR: 0.2}


@dataclass
class World:
    """What a set truly does; tests bend it. ``peg_of_a`` makes the profile; ``fails`` and ``penalty`` act on chosen sets and streams;
    ``noise`` and ``level`` are the variances of a difference and of one set's peg risk that a plan is told of, over those of the intervals.
    """

    best_a: float = 1500.0
    breach: float = 0.0
    decidable: bool = True
    edge: bool = False
    noise: float = 1.0
    level: float = 0.0

    def truth(self, parameters):
        shape = math.log(parameters.amplification / (5000.0 if self.edge else self.best_a)) ** 2
        gain = 0.02 + 0.05 * parameters.aave_cap
        peg = 20.0 + 30.0 * parameters.aave_cap - 40.0 * parameters.idle_buffer + 5.0 * shape
        return {YIELD: gain, PEG: peg, DOLLAR: peg + 5.0}

    def fails(self, parameters, stream):
        return False

    def penalty(self, parameters, stream):
        return 0.0


@dataclass(frozen=True)
class FakeOutcome:
    parameters: object
    stream: str
    scenarios: tuple = ("calm",)
    scenario_of: object = None
    path_of: object = None
    component_of: object = None
    columns: object = None


@pytest.fixture
def world(monkeypatch):
    """Certification over a `World` in place of the kernel and the bootstrap; ``world.runs`` lists what was simulated."""
    world = World()
    world.runs = []

    def figures(outcome):
        found = world.truth(outcome.parameters)
        return {**found, PEG: found[PEG] + world.penalty(outcome.parameters, outcome.stream)}

    def simulate_many(sets, study, *, paths, stream, workers, progress, designs=None, without=(), watched=None, seen=None):
        sizes = {design.paths for design in designs.values()} if designs else {paths}
        world.runs.append((stream, *sizes, [each.name for each in sets]))
        progress(len(sets), len(sets))
        for place in watched.sets if watched else ():
            for scenario in study.scenarios:
                seen(place, scenario.name, 0, np.ones((len(watched.steps), min(paths, watched.paths))))
        columns = {name: np.arange(8.0) for name in ("peg_loss_bps", "min_price", "unserved_usd_hours")}
        return [
            SimulationError(f"{each.name} fails")
            if world.fails(each, stream)
            else FakeOutcome(
                each, stream, scenario_of=np.zeros(8, int), path_of=np.arange(8), component_of=np.zeros(8, int), columns=columns
            )
            for each in sets
        ]

    def around(name, value):
        return Estimate(value=value, low=value - WIDTH[name], high=value + WIDTH[name], n=640)

    def score(outcome, study):
        metrics = {name: around(name, value) for name, value in figures(outcome).items()}
        used = outcome.parameters.curve_collateral_cap + outcome.parameters.aave_cap + outcome.parameters.idle_buffer
        held = [("caps_plus_buffer", None, used, 1.0, used - 1.0), ("breach_probability", "calm", world.breach, 0.02, world.breach - 0.02)]
        constraints = tuple(
            Constraint(
                name=name,
                scenario=scenario,
                unit="",
                estimate=Estimate(value=value, low=value, high=value, n=8),
                limit=limit,
                violation=excess,
                violation_high=excess,
                decidable=world.decidable or name != "breach_probability",
            )
            for name, scenario, value, limit, excess in held
        )
        return Score(yield_annual=metrics[YIELD], peg_risk_bps=metrics[PEG], constraints=constraints, metrics=metrics)

    def judged(outcome, study, *, metrics=None, within=False):
        scenarios = [each.name for each in study.scenarios] if within else []
        return Judged(
            score=score(outcome, study),
            brief=(figures(outcome), None),
            within=tuple((figures(outcome), scenario) for scenario in scenarios),
        )

    def held(outcome, study, *, metrics):
        return Held(constraints=score(outcome, study).constraints, brief=(figures(outcome), None))

    def differences(candidate, current):
        (mine, scenario), (theirs, _) = candidate, current
        found = []
        for name, width in WIDTH.items():
            value = mine[name] - theirs[name]
            gain = value if name == YIELD else -value
            low, high = (value - width, value + width) if value else (0.0, 0.0)
            p = 0.0005 if gain > width else 1.0
            between = Estimate(value=value, low=low, high=high, n=640)
            found.append(
                PairedDifference(
                    metric=name,
                    current=theirs[name],
                    candidate=mine[name],
                    difference=between,
                    tolerance=0.0,
                    verdict="",
                    p_better=p,
                    p_inferior=0.0,
                    scenario=scenario,
                )
            )
        return {each.metric: each for each in found}

    def point_score(outcome, study):
        return searched(world, outcome.parameters)

    def aim(sets, study, *, workers):
        return {each.name: Aim(each.name, (), (1.0,), 1.0, None) for each in study.scenarios}

    def variances(one, other, metric):
        return {"calm": (world.level if other is None else world.noise) * (WIDTH[metric] / TWO_SIDED_NORMAL) ** 2}

    for fake in (simulate_many, score, judged, held, differences, point_score, aim, variances):
        for room in (candidates, certification, certifier, evidence, plateau, holdout):
            if hasattr(room, fake.__name__):
                monkeypatch.setattr(room, fake.__name__, fake)
    monkeypatch.setattr(certification, "doubt_of", lambda certifier, rival, *, recommended: None)
    monkeypatch.setattr(preference, "robust_shares", lambda certifier, rivals: None)
    for needs_a_state in ("change_costs", "told_run_capacities"):
        monkeypatch.setattr(certification, needs_a_state, lambda certifier, sets: ())
    monkeypatch.setattr(certification, "worst_traces", lambda certifier, sets, worst, designs: ())
    monkeypatch.setattr(candidates, "climb", lambda start, study, names, evaluate: start)
    monkeypatch.setattr(holdout, "risk_parts", lambda outcome, study, edges: ())
    monkeypatch.setattr(certification, "episode_fits", lambda study, parameters, *, workers: ())
    return world


def searched(world, parameters):
    truth = world.truth(parameters)
    used = parameters.curve_collateral_cap + parameters.aave_cap + parameters.idle_buffer
    constraints = {"caps_plus_buffer": used - 1.0, "breach_probability:calm": world.breach - 0.02}
    return PointScore(yield_annual=truth[YIELD], peg_risk_bps=truth[PEG], constraints=constraints)


def trials_of(world, study, changes):
    sets = [study.current, *(study.current.replace(name=f"trial-{i}", **change) for i, change in enumerate(changes, 1))]
    origins = ["current", *["sampler"] * len(changes)]
    return [
        Trial(number=i, origin=origin, parameters=each, score=searched(world, each))
        for i, (origin, each) in enumerate(zip(origins, sets, strict=True))
    ]


BETTER_PEG = {"idle_buffer": 0.2, "aave_cap": 0.2}
BALANCED = {"idle_buffer": 0.25, "aave_cap": 0.25}
MORE_YIELD = {"aave_cap": 0.26, "idle_buffer": 0.14}


def run(world, study, changes):
    return certified(study, trials_of(world, study, changes))


def certified(study, trials):
    aims = certification.aimed(study, 1, silent)
    return certify(study, trials, aims=aims, workers=1, watch=silent, sampler="tpe", hypervolume=())


def test_the_knee_is_recommended_and_alternatives_named(world, make_study):
    """Of three eligible sets the ends of the front are the alternatives, the knee is recommended, figures come from holdout paths."""
    study = make_study()
    result = run(world, study, [BETTER_PEG, BALANCED, MORE_YIELD])
    roles = {candidate.id: candidate.role for candidate in result.candidates}
    assert result.verdict == "recommended"
    assert roles["current"] == "current"
    assert roles == {"current": "current", "trial-1": "candidate", "trial-2": "recommended", "trial-3": "yield-seeking"}
    recommended = next(candidate for candidate in result.candidates if candidate.role == "recommended")
    assert recommended.parameters == result.recommended
    assert recommended.holdout_score is not None
    assert recommended.holdout_paired
    assert set(result.gap) == {YIELD, PEG}
    assert {worst.candidate for worst in result.worst_paths} == {recommended.id}
    assert {fan.candidate for fan in result.fans} == {"current", recommended.id}


def test_streams_and_sizes(world, make_study):
    """A and B are run on their own streams with ``multiple`` × the search's paths, B for the current set and the named ones only."""
    result = run(world, make_study(), [BETTER_PEG, BALANCED, MORE_YIELD])
    certified = [(stream, paths) for stream, paths, _ in world.runs if stream != "search"]
    assert set(certified) == {("selection", 8), ("holdout", 8), ("holdout", 4)}, "neighbours run on the first holdout paths"
    named = {candidate.id for candidate in result.candidates if candidate.role != "candidate"}
    assert {candidate.id for candidate in result.candidates if candidate.holdout_score is not None} == named
    assert (result.paths_search, result.paths_certification) == (4, 8)


def test_a_memory_of_one_set_at_a_time_changes_nothing(world, make_study, monkeypatch):
    """Every stage in groups of one, of two and at once: the same result, and no group larger than allowed."""
    changes = [BETTER_PEG, BALANCED, MORE_YIELD]
    whole = run(world, make_study(), changes)
    paths, scenarios = whole.paths_certification, len(whole.study.scenarios)
    for room in (1, 2):
        world.runs.clear()
        monkeypatch.setattr(certifier, "HELD_BYTES", room * 8 * certifier.COLUMNS * paths * scenarios)
        assert run(world, make_study(), changes) == whole
        groups = [names for stream, size, names in world.runs if stream != "search" and size == paths]
        assert max(len(names) for names in groups) == room


def test_reasons_against_candidates_are_counted(world, make_study):
    """More yield for more peg risk than the tolerance: no change on selection paths, and the objection is the set's own."""
    world.penalty = lambda parameters, stream: 0.5 * (parameters.name != "in-force")
    result = run(world, make_study(), [{"aave_cap": 0.3, "curve_collateral_cap": 0.4}])
    assert result.verdict == "no change"
    ruling = result.ruling
    assert (ruling.paths.stream, ruling.sets, ruling.kept, ruling.set, ruling.objection) == ("selection", 4, 4, "", None)
    assert (ruling.binding.set, ruling.binding.stream) == ("current", "holdout")
    closest = next(candidate for candidate in result.candidates if candidate.holdout_score is not None and candidate.id != "current")
    assert closest.id == "trial-1-pruned", "no half step gains as much"
    assert closest.role == "candidate"
    assert closest.holdout_score is not None, "what came closest is shown with figures from holdout paths"
    assert closest.holdout_paired
    assert (closest.objection.kind, closest.objection.metric, closest.objection.stream) == ("tolerance", PEG, "selection")


def test_half_of_what_nearly_passed_is_recommended(world, make_study):
    """A set whose one objection is its peg risk: of half and three quarters of the way to it the one that passes is recommended, no search having scored it."""
    result = run(world, make_study(), [{"aave_cap": 0.3, "idle_buffer": 0.1}])
    objections = {each.id: each.objection for each in result.candidates}
    assert list(objections) == ["current", "trial-1", "trial-1-half", "trial-1-three-quarters"]
    assert [name for name, each in objections.items() if each is not None] == ["trial-1", "trial-1-three-quarters"]
    assert result.verdict == "recommended"
    assert (result.recommended.aave_cap, result.recommended.idle_buffer) == (0.25, 0.1)
    assert result.gap == {}, "no search scored it"
    named = [names for stream, _, names in world.runs if stream == "selection"]
    assert named[-1] == ["in-force", "trial-1-half", "trial-1-three-quarters"]


def test_nothing_better_is_no_change(world, make_study):
    """Sets worse on both axes fall back to the current one: no change, and the current set's figures are still certified on holdout paths."""
    result = run(world, make_study(), [{"aave_cap": 0.19, "idle_buffer": 0.05}])
    assert (result.verdict, result.recommended) == ("no change", None)
    assert (result.ruling.sets, result.ruling.objection) == (1, None)
    assert result.candidates[0].holdout_score is not None
    assert {fan.candidate for fan in result.fans} == {"current"}


def test_no_trial_at_all_is_no_change(world, make_study):
    """A search that found nothing feasible but the current set ends in no change."""
    result = run(world, make_study(), [])
    assert (result.verdict, [candidate.id for candidate in result.candidates]) == ("no change", ["current"])


def test_what_fails_on_holdout_paths_is_not_recommended(world, make_study):
    """Chosen on selection paths, refused on holdout paths: no change, and the text says so."""
    world.penalty = lambda parameters, stream: 50.0 if stream == "holdout" and parameters.name != "in-force" else 0.0
    result = run(world, make_study(), [BETTER_PEG])
    assert (result.verdict, result.recommended) == ("no change", None)
    assert (result.ruling.set, result.ruling.paths.stream, result.ruling.objection.stream) == ("trial-1", "holdout", "holdout")
    refused = next(each for each in result.candidates if each.id == "trial-1")
    assert refused.objection == result.ruling.objection
    assert all(candidate.role != "recommended" for candidate in result.candidates)


def test_what_only_its_intervals_refuse_goes_on_to_holdout_paths(world, make_study):
    """Intervals that reach 50 bp further than the tolerance on selection paths: chosen where no set passes there, as its point values keep every tolerance; not beside one that passes,
    nor where they do not.
    """
    study = make_study()
    done = run(world, study, [BALANCED, BETTER_PEG])
    current, one, other = done.candidates

    def chosen(each, *others, by=0.0):
        paired = tuple(
            found
            if found.metric == YIELD
            else replace(found, difference=replace(found.difference, value=found.difference.value + by, high=found.difference.high + 50.0))
            for found in each.selection_paired
        )
        return certification._choose(
            certifier.Certifier(study, 1, silent), [current, replace(each, selection_paired=paired), *others], done.profile, done.trials
        )

    alone = chosen(one)
    assert (alone.roles, alone.objections, alone.ruling.outcome) == ({one.id: "recommended"}, {one.id: None}, "recommended")
    beside = chosen(one, other)
    assert (list(beside.roles), beside.roles[other.id], beside.objections[one.id].kind) == ([other.id], "recommended", "tolerance")
    worse = chosen(one, by=49.0)
    assert (worse.roles, worse.objections[one.id].kind, worse.ruling.outcome) == ({}, "tolerance", "no change")


def test_what_only_the_correction_for_many_refuses_goes_on(world, make_study):
    """Twelve sets of p-values that a thousand resamples cannot bring under the corrected level: the one that its own interval shows to be better goes on, as holdout paths
    meet it alone; not where its interval does not show it either, nor where it gains too little at its point values.
    """
    study = make_study()
    done = run(world, study, [BALANCED])
    current, one = done.candidates

    def chosen(*, verdict, part=1.0):
        paired = tuple(
            replace(each, p_better=0.003, verdict=verdict, difference=replace(each.difference, value=part * each.difference.value))
            for each in one.selection_paired
        )
        sets = [replace(one, id=f"set-{number}", selection_paired=paired) for number in range(12)]
        return certification._choose(certifier.Certifier(study, 1, silent), [current, *sets], done.profile, done.trials)

    shown = chosen(verdict="BETTER")
    assert (list(shown.roles.values()), shown.ruling.outcome, shown.ruling.passed) == (["recommended"], "recommended", False)
    assert {each.kind for each in shown.objections.values() if each is not None} == {"no gain"}
    for refused in (chosen(verdict="INCONCLUSIVE"), chosen(verdict="BETTER", part=1e-6)):
        assert (refused.roles, refused.ruling.outcome) == ({}, "no change")


def test_undecidable_recommends_nothing(world, make_study):
    """Too few paths for a constraint: the verdict says so with the number needed."""
    world.decidable = False
    result = run(world, make_study(), [BETTER_PEG])
    assert (result.verdict, result.recommended) == ("undecidable", None)
    assert (result.ruling.needed, result.ruling.paths.each, result.ruling.paths.stream) == (150, 640, "selection")
    assert (result.ruling.binding.name, result.ruling.binding.scenario, result.ruling.binding.decidable) == (
        "breach_probability",
        "calm",
        False,
    )


def test_infeasible_names_the_binding_constraint(world, make_study):
    """No trial keeps every constraint in the search: the least violating and the limit that binds it there, worked back from its distance."""
    world.breach = 0.5
    result = run(world, make_study(), [BETTER_PEG])
    assert (result.verdict, result.recommended) == ("infeasible", None)
    binding = result.ruling.binding
    assert (result.ruling.paths, result.ruling.sets) == (Paths(stream="search", n=4, each=4), 2)
    assert (binding.name, binding.scenario, binding.stream, binding.interval, binding.kept) == (
        "breach_probability",
        "calm",
        "search",
        None,
        False,
    )
    assert (binding.limit, binding.n) == (make_study().constraints.max_breach_probability, 4)


def test_a_is_identified_inside_its_range(world, make_study):
    """The lowest peg risk well inside the range: A identified, and sets may move it."""
    world.best_a = 900.0
    result = run(world, make_study(), [{**BETTER_PEG, "amplification": 900}])
    assert result.profile is not None
    assert result.profile.optimum.identified
    assert result.profile.optimum.searched
    assert [point.value for point in result.profile.points] == sorted(point.value for point in result.profile.points)
    assert 1500.0 in [point.value for point in result.profile.points]
    assert result.recommended is not None
    assert result.recommended.amplification == 900


def test_an_edge_optimum_leaves_a_as_it_is(world, make_study):
    """The lowest peg risk at the edge of the range: A not identified; the same set with A unchanged is what can be recommended."""
    world.edge = True
    result = run(world, make_study(), [{**BETTER_PEG, "amplification": 4000}])
    assert result.profile is not None
    assert not result.profile.optimum.identified
    assert result.profile.optimum.searched
    assert result.recommended is not None
    assert result.recommended.amplification == 1500
    assert result.recommended.idle_buffer == 0.2
    moved = next(candidate for candidate in result.candidates if candidate.id == "trial-1")
    assert moved.objection == Objection(kind="A not identified", stream="selection")


def test_the_current_set_failing_is_an_error(world, make_study):
    """Without the current set's figures nothing can be compared."""
    world.fails = lambda parameters, stream: parameters.name == "in-force"
    with pytest.raises(SimulationError, match="in-force fails"):
        run(world, make_study(), [BETTER_PEG])


def test_pick_fills_up_from_the_fronts_behind():
    """A short front is filled from the next one; infeasible entries never enter."""
    scores = [(0.03, 10.0), (0.02, 5.0), (0.01, 6.0), (0.005, 7.0), (0.09, 1.0)]
    entries = [
        (f"trial-{i}", None, PointScore(yield_annual=gain, peg_risk_bps=peg, constraints={"x": 1.0 if i == 4 else -1.0}))
        for i, (gain, peg) in enumerate(scores)
    ]
    assert [name for name, _, _ in pick(entries, 3)] == ["trial-0", "trial-1", "trial-2"]
    assert pick(entries, 0) == []
    assert pick([], 3) == []


def test_sets_that_meet_are_certified_once(world, make_study):
    """Sets that differ in A alone become one where A is held, and none of them is the current set again: each would dilute Holm's level."""
    world.edge = True
    moved = [{"amplification": 3000}, {"amplification": 750}, {**BETTER_PEG, "amplification": 4000}, {**BETTER_PEG, "amplification": 2000}]
    result = run(world, make_study(), moved)
    values = [tuple(candidate.parameters.values().values()) for candidate in result.candidates]
    assert len(set(values)) == len(values)


def test_an_alternative_failing_on_holdout_paths_loses_its_place_only(world, make_study):
    """The recommendation stands; the alternative becomes a candidate with the reason."""
    world.fails = lambda parameters, stream: stream == "holdout" and parameters.name == "trial-3"
    result = run(world, make_study(), [BETTER_PEG, BALANCED, MORE_YIELD])
    assert result.verdict == "recommended"
    failed = next(candidate for candidate in result.candidates if candidate.id == "trial-3")
    assert (failed.role, failed.holdout_score) == ("candidate", None)
    assert failed.objection == Objection(kind="failed", stream="holdout", detail="trial-3 fails")


def test_the_chosen_set_failing_on_holdout_paths_is_no_change(world, make_study):
    """A simulation that fails on holdout paths is a refusal, not the end of the run."""
    world.fails = lambda parameters, stream: stream == "holdout" and parameters.name == "trial-1"
    result = run(world, make_study(), [BETTER_PEG])
    assert result.verdict == "no change"
    assert result.ruling.objection == Objection(kind="failed", stream="holdout", detail="trial-1 fails")


def test_a_set_failing_on_a_is_named(world, make_study):
    """What could not be certified is said, with its reason."""
    world.fails = lambda parameters, stream: stream == "selection" and parameters.name == "trial-1"
    assert run(world, make_study(), [BETTER_PEG]).ruling.failed == (("trial-1", "trial-1 fails"),)


def test_infeasible_on_a_only_names_what_broke_there(world, make_study):
    """Feasible in the search, not on selection paths: the binding constraint is theirs, with a positive excess, not one that the search kept."""
    study = make_study()
    trials = trials_of(world, study, [BETTER_PEG])
    world.breach = 0.5
    result = certified(study, trials)
    assert result.verdict == "infeasible"
    binding = result.ruling.binding
    assert (binding.set, binding.name, binding.scenario, binding.stream) == ("current", "breach_probability", "calm", "selection")
    assert (binding.value, binding.interval, binding.limit, binding.kept, binding.n) == (0.5, (0.5, 0.5), 0.02, False, 8)
    assert (result.ruling.paths, result.ruling.sets, result.ruling.kept) == (Paths(stream="selection", n=640, each=640), 2, 0)


def test_a_held_set_s_name_is_one_a_file_may_hold(world, make_study, frax, tmp_path):
    """The recommended set is written to parameters.toml and must be readable from there, whatever made it; of what the protocol has."""
    from amo_opt.config.load import load_parameters
    from amo_opt.report.plain_files import parameters_toml

    world.edge = True
    result = run(world, make_study(), [{**BETTER_PEG, "amplification": 4000}])
    assert result.recommended is not None
    result = replace(result, study=replace(result.study, state=frax.state))
    (tmp_path / "parameters.toml").write_text(parameters_toml(result), encoding="utf-8")
    assert load_parameters(tmp_path / "parameters.toml") == result.recommended
    fewer = replace(frax.state, absent=frozenset({"controller"}))
    (tmp_path / "fewer.toml").write_text(parameters_toml(replace(result, study=replace(result.study, state=fewer))), encoding="utf-8")
    found = load_parameters(tmp_path / "fewer.toml", fewer)
    assert (found.amplification, found.cr_step) == (result.recommended.amplification, 0.0)


def test_ids_are_unique(world, make_study):
    """Rows of a report are told apart by id."""
    world.edge = True
    result = run(world, make_study(), [{**BETTER_PEG, "amplification": 4000}, BALANCED, {**MORE_YIELD, "amplification": 300}])
    ids = [candidate.id for candidate in result.candidates]
    assert len(set(ids)) == len(ids) > 3


@pytest.mark.parametrize("amplification", [1, 40, 5000, 60_000, 999_999])
def test_a_profile_around_any_a(world, make_study, amplification):
    """Where A is not searched its profile spans up to ten times either way, the current value within it."""
    study = make_study(space={"aave_cap": Range(low=0.0, high=0.6)}, amplification=amplification)
    profile = run(world, study, []).profile
    assert profile is not None
    values = [point.value for point in profile.points]
    assert values == sorted(set(values))
    assert values[0] <= amplification <= values[-1]
    assert amplification in values
    assert values[0] >= 1.0
    assert len(values) > 1


def test_a_profile_of_failures_is_the_current_set_s_failure(world, make_study):
    """Nothing runs, the current set included: its error, not a fault of ours."""
    world.fails = lambda parameters, stream: True
    with pytest.raises(SimulationError, match="fails"):
        run(world, make_study(), [BETTER_PEG])


def test_the_number_of_paths_asked_for_decides_every_limit(make_study):
    """Of several constraints that cannot be decided the strictest sets the number needed; a worst tenth needs five paths of its own."""

    def constraint(scenario, limit, name="breach_probability"):
        nothing = Estimate(value=0.0, low=0.0, high=0.3, n=8)
        return Constraint(
            name=name,
            scenario=scenario,
            unit="",
            estimate=nothing,
            limit=limit,
            violation=-1.0,
            violation_high=1.0,
            decidable=False,
        )

    def ruled(*constraints):
        zero = Estimate(value=0.0, low=0.0, high=0.0, n=8)
        score = Score(yield_annual=zero, peg_risk_bps=zero, constraints=constraints, metrics={})
        current = Candidate(id="current", role="current", parameters=make_study().current, search=None, selection_score=score)
        ruling = certification._nothing(make_study(), [current], [])
        assert ruling.outcome == "undecidable"
        return ruling

    both = ruled(constraint("calm", 0.02), constraint("svb-2023", 0.001))
    assert both.needed == 3000
    assert (both.binding.name, both.binding.scenario, both.binding.limit) == ("breach_probability", "svb-2023", 0.001)
    tail = ruled(constraint("calm", 1000.0, "shortfall"))
    assert tail.needed == 50
    assert (tail.binding.name, tail.binding.scenario, tail.binding.limit) == ("shortfall", "calm", 1000.0)
    assert ruled(constraint("calm", 0.5)).needed == 30
    assert ruled(constraint("calm", 1.0, "floor_supply")).needed == 30


def test_the_gap_is_search_then_selection_then_holdout(world, make_study):
    """The optimism of the search and of the choice, for the set that is shown: each number from its own stage."""
    world.penalty = lambda parameters, stream: {"selection": 0.5, "holdout": 1.0}.get(stream, 0.0)
    result = run(world, make_study(), [BETTER_PEG])
    shown = next(candidate for candidate in result.candidates if candidate.role == "recommended")
    search, on_selection, on_holdout = result.gap[PEG]
    assert shown.search is not None
    assert (search, on_selection.value, on_holdout.value) == (shown.search.peg_risk_bps, search + 0.5, search + 1.0)
    assert on_holdout == shown.holdout_score.metrics[PEG]


def profile_points(figures):
    """Profile points from A -> (peg risk, half its interval)."""

    def point(value, peg, half):
        around = Estimate(value=peg, low=peg - half, high=peg + half, n=640)
        return ProfilePoint(value=value, score=Score(yield_annual=around, peg_risk_bps=around, constraints=(), metrics={}))

    return tuple(point(float(value), *found) for value, found in figures.items())


@pytest.mark.parametrize(
    ("figures", "inside", "clear"),
    [
        ({100: (9.0, 1.0), 1000: (5.0, 1.0), 10_000: (9.0, 1.0)}, True, True),
        ({100: (5.0, 1.0), 1000: (6.0, 1.0), 10_000: (9.0, 1.0)}, False, False),
        ({100: (9.0, 1.0), 150: (5.0, 1.0), 10_000: (9.0, 1.0)}, False, True),
        ({100: (9.0, 1.0), 7000: (5.0, 1.0), 10_000: (9.0, 1.0)}, False, True),
        ({100: (9.0, 1.0), 1000: (5.0, 1.0), 10_000: (6.5, 1.0)}, True, False),
        ({100: (5.0, 0.0), 1000: (5.0, 0.0), 10_000: (5.0, 0.0)}, False, False),
    ],
)
def test_identified_means_inside_and_clear_of_both_ends(figures, inside, clear):
    """The optimum lies beyond a tenth of the log range from either edge, and both ends are worse by more than the intervals."""
    for searched in (True, False):
        found = certification._optimum(profile_points(figures), 100.0, 10_000.0, searched=searched)
        assert (found.inside, found.clear, found.identified) == (inside, clear, inside and clear)
        assert (found.best, found.peg.value) == min(
            ((at, value) for at, (value, _) in figures.items()), key=lambda each: (each[1], each[0])
        )
        assert (found.low, found.high, found.searched) == (100.0, 10_000.0, searched)


def test_a_study_that_does_not_search_a_says_so(world, make_study):
    """Its profile is a look at A: no sentence of the result calls A identified, or its range a searched one."""
    world.best_a = 900.0
    study = make_study()
    space = {name: each for name, each in study.search.space.items() if name != "amplification"}
    result = run(world, replace(study, search=replace(study.search, space=space)), [BETTER_PEG])
    assert result.profile is not None
    assert not result.profile.optimum.searched


def test_a_cliff_one_step_away_takes_the_recommendation_back(world, make_study):
    """Passed on selection and on holdout paths, but with one more step of one parameter paths fail: no change, and the set is still the one that is shown."""
    world.fails = lambda parameters, stream: parameters.name == "idle_buffer+"
    result = run(world, make_study(), [BETTER_PEG])
    assert (result.verdict, result.recommended) == ("no change", None)
    cliff = Objection(kind="cliff", stream="holdout", parameter="idle_buffer", value=0.21, at_value=True, detail="idle_buffer+ fails")
    assert (result.ruling.set, result.ruling.objection) == ("trial-1", cliff)
    refused = next(candidate for candidate in result.candidates if candidate.id == "trial-1")
    assert refused.role == "candidate"
    assert refused.objection == cliff
    broken = [each for each in result.neighbours if not each.feasible]
    assert [(each.parameter, each.side, each.value, each.paired) for each in broken] == [("idle_buffer", 1, 0.21, ())]


def test_on_a_plateau_the_recommendation_stands(world, make_study):
    """Every neighbour keeps the limits, and each is compared with the recommended set, not with the current one."""
    result = run(world, make_study(), [BETTER_PEG])
    assert result.verdict == "recommended"
    assert all(each.feasible and each.objection is None and each.n == 4 for each in result.neighbours)
    assert (result.ruling.paths.stream, result.ruling.set, result.ruling.binding.set) == ("holdout", "trial-1", "trial-1")
    buffered = next(each for each in result.neighbours if (each.parameter, each.side) == ("idle_buffer", 1))
    gains = {each.metric: each.difference.value for each in buffered.paired}
    assert gains[PEG] == pytest.approx(-40.0 * 0.01)


def test_the_half_step_lies_between_and_has_figures_of_holdout_paths(world, make_study):
    """Half the buffer, half the gain; where nothing but the current set is certified there is none."""
    result = run(world, make_study(), [BETTER_PEG])
    assert result.half_step is not None
    assert (result.half_step.id, result.half_step.parameters.idle_buffer) == ("half-step", pytest.approx(0.15))
    half = next(each for each in result.half_step.holdout_paired if each.metric == PEG and each.scenario is None)
    assert half.difference.value == pytest.approx(-40.0 * 0.05)
    alone = run(world, make_study(), [])
    assert (alone.half_step, alone.neighbours) == (None, ())


def test_more_than_all_collateral_is_scored_and_never_proposed(world, make_study):
    """Better on both axes by promising collateral twice: its trial has its score, and the set stays out of what is certified and shown."""
    greedy, honest = {"aave_cap": 0.3, "idle_buffer": 0.9}, BALANCED
    result = run(world, make_study(), [greedy, honest])
    score = result.trials[1].score
    assert score is not None
    assert score.constraints["caps_plus_buffer"] > 0.0
    assert (score.yield_annual, score.peg_risk_bps) > (result.trials[2].score.yield_annual, 0.0)
    assert {candidate.id for candidate in result.candidates} == {"current", "trial-2"}
    assert result.recommended.aave_cap == honest["aave_cap"]
    assert run(world, make_study(), [greedy]).recommended is None


def test_the_holdout_is_planned_from_what_selection_paths_saw(world, make_study):
    """Variance enough that the knee's difference is not told from its tolerance: the holdout alone grows, as the square of what is missing, and is capped. Of a distance that
    is mostly error, half counts.
    """
    study = make_study()
    plain = run(world, study, [BALANCED])
    assert plain.plan.designs == plain.selection_designs
    world.noise, world.runs[:] = 1000.0, []
    grown = run(world, study, [BALANCED])
    paired = next(each for each in grown.candidates if each.id == "trial-1").selection_paired
    distance = abs(next(each.difference.value for each in paired if each.metric == PEG))
    assert grown.plan.designs["calm"].paths == math.ceil(8 * 1000.0 * (WIDTH[PEG] / (0.5 * distance / 2.0)) ** 2) > 8
    assert {paths for stream, paths, _ in world.runs if stream == "holdout"} == {grown.plan.designs["calm"].paths, 4}
    assert {paths for stream, paths, _ in world.runs if stream == "selection"} == {8}
    capped = run(world, replace(study, certification=replace(study.certification, most_paths=10)), [BALANCED])
    assert (capped.plan.capped, capped.plan.designs["calm"].paths) == (True, 10)


def test_the_holdout_tells_each_peg_risk_within_a_tenth(world, make_study):
    """Differences that are told already, and a wide level: paths for 0.09 of the lower of the two peg risks, and the cap leaves nothing open."""
    study = make_study()
    world.level = 4000.0
    found = run(world, study, [BALANCED])
    lower = min(each.selection_score.peg_risk_bps.value for each in found.candidates)
    assert found.plan.designs["calm"].paths == math.ceil(8 * 4000.0 * (WIDTH[PEG] / (NEAR * lower)) ** 2) > 8
    assert not found.plan.capped
    few = run(world, replace(study, certification=replace(study.certification, most_paths=10)), [BALANCED])
    assert (few.plan.capped, few.plan.designs["calm"].paths) == (False, 10)
    assert few.tails.settled


def test_a_holdout_that_says_otherwise_leaves_the_tail_open(world, make_study):
    """A difference that holdout paths see elsewhere: told of the set that decided, whatever the verdict; none where both see the same."""
    assert run(world, make_study(), [BETTER_PEG]).tails.settled
    world.penalty = lambda parameters, stream: 50.0 if stream == "holdout" and parameters.name != "in-force" else 0.0
    result = run(world, make_study(), [BETTER_PEG])
    assert [(each.kind, each.set) for each in result.tails.doubts] == [("apart", "trial-1")]
