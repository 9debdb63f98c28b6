"""Scores: trial and certification agree, constraints hold at their upper end, and every figure has an interval."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from amo_opt.amos.layout import LINES
from amo_opt.scoring.metrics import METRICS
from amo_opt.scoring.paired import compare_paired, differences
from amo_opt.scoring.score import judged, point_score, score

WEIGHTS = {"calm": 0.90, "svb-2023": 0.02, "ust-contagion-2022": 0.02, "lending-freeze": 0.03, "collateral-impairment": 0.03}


def test_trial_and_certification_agree(make_outcome: Any, make_study: Any) -> None:
    """On the same paths the point score is exactly the score without its intervals."""
    outcome, study = make_outcome(WEIGHTS), make_study(WEIGHTS)
    fast, full = point_score(outcome, study), score(outcome, study)
    assert fast.yield_annual == full.yield_annual.value == full.metrics["yield"].value
    assert fast.peg_risk_bps == full.peg_risk_bps.value == full.metrics["peg_cvar95_bps"].value
    assert fast.constraints == {constraint.key: constraint.violation for constraint in full.constraints}


def test_every_set_has_the_same_keys(make_outcome: Any, make_study: Any, parameters: Any) -> None:
    """Four constraints a scenario and one on the set, in one order, for feasible and infeasible sets alike; five with a least floor supply."""
    study = make_study(WEIGHTS)
    good = point_score(make_outcome(WEIGHTS), study)
    outcome = make_outcome(WEIGHTS, seed=2, parameters=parameters(aave_cap=0.9))
    bad = point_score(outcome.with_columns(min_cr_external=0.1, recovered=False), study)
    assert list(good.constraints) == list(bad.constraints)
    assert len(good.constraints) == 4 * len(WEIGHTS) + 1
    assert bad.constraints["breach_probability:calm"] == pytest.approx(np.log(50.0))
    assert bad.constraints["unrecovered:calm"] == pytest.approx(np.log(10.0))
    assert bad.constraints["caps_plus_buffer"] == pytest.approx(0.5)
    assert not bad.feasible
    more = point_score(outcome, make_study(WEIGHTS, min_floor_supply=1.0)).constraints
    assert set(more) - set(good.constraints) == {f"floor_supply:{name}" for name in WEIGHTS}


def test_floor_supply_must_reach_its_least_in_every_scenario(make_outcome: Any, make_study: Any) -> None:
    """With every path of a scenario at one ratio, its mean is that ratio: twice the least scores -1/2, half of it 1/2, nothing 1."""
    weights = {"calm": 0.98, "thin": 0.01, "gone": 0.01}
    outcome = make_outcome(weights, paths=30).with_columns(floor_ratio=[2.0] * 30 + [0.5] * 30 + [0.0] * 30)
    study = make_study(weights, min_floor_supply=1.0)
    expected = {"floor_supply:calm": -0.5, "floor_supply:thin": 0.5, "floor_supply:gone": 1.0}
    trial = point_score(outcome, study).constraints
    assert {name: trial[name] for name in expected} == expected
    found = {constraint.key: constraint for constraint in score(outcome, study).constraints}
    for name, violation in expected.items():
        assert (found[name].violation, found[name].violation_high, found[name].limit) == (violation, violation, 1.0)
        assert (found[name].at_least, found[name].decidable, found[name].unit) == (True, True, "ratio")


def test_a_least_holds_at_its_lower_end(make_outcome: Any, make_study: Any) -> None:
    """A mean of 1.1 passes a least of 1 where paths agree, and fails where they scatter so that its lower end is below 1."""
    outcome = make_outcome({"calm": 1.0}, paths=100)
    study = make_study({"calm": 1.0}, min_floor_supply=1.0)
    found = {}
    for spread in (0.01, 1.0):
        ratio = 1.1 + spread * np.where(np.arange(100) % 2, 1.0, -1.0)
        constraints = score(outcome.with_columns(floor_ratio=ratio), study).constraints
        found[spread] = next(constraint for constraint in constraints if constraint.name == "floor_supply")
        assert found[spread].violation == pytest.approx(1.0 / 1.1 - 1.0)
        assert found[spread].confidence_bound == found[spread].estimate.low
    # 100 paths that lie 1 to either side of their mean give it a standard error of 0.1: its 5% end is about 0.94
    assert found[1.0].estimate.low == pytest.approx(1.1 - 1.645 * 0.1, abs=0.03)
    assert found[1.0].violation_high == 1.0 - found[1.0].estimate.low > 0.0
    assert found[0.01].violation_high < 0.0


def test_constraints_are_unweighted_within_their_scenario(make_outcome: Any, make_study: Any) -> None:
    """A breach in every path of a scenario of no weight to speak of breaks its constraint, and no other's."""
    weights = {"calm": 0.999, "stress": 0.001}
    outcome = make_outcome(weights, paths=10).with_columns(min_cr_external=[0.9] * 10 + [0.5] * 10)
    constraints = point_score(outcome, make_study(weights)).constraints
    assert constraints["breach_probability:calm"] == -1.0
    assert constraints["breach_probability:stress"] == pytest.approx(np.log(50.0))


def test_a_scenario_may_set_its_own_chance_of_a_breach(make_outcome: Any, make_study: Any) -> None:
    """The override replaces the study's limit in that scenario only."""
    study = make_study({"calm": 1.0, "death-spiral": 1.0}, breach_limits={"death-spiral": 0.5})
    outcome = make_outcome({"calm": 1.0, "death-spiral": 1.0})
    limits = {constraint.key: constraint.limit for constraint in score(outcome, study).constraints}
    assert limits["breach_probability:calm"] == 0.02
    assert limits["breach_probability:death-spiral"] == 0.5


def test_breach_constraint_holds_at_its_upper_end(make_outcome: Any, make_study: Any) -> None:
    """No breach in 640 paths leaves 0.467%, enough for a limit of 2%; 6 of 640 still pass, 7 do not, though the point does (1.1%)."""
    study = make_study({"calm": 1.0})
    outcome = make_outcome({"calm": 1.0}, paths=640)
    found = {}
    for breaches in (0, 6, 7):
        cr = np.where(np.arange(640) < breaches, 0.5, 0.9)
        constraints = score(outcome.with_columns(min_cr_external=cr), study).constraints
        found[breaches] = next(constraint for constraint in constraints if constraint.name == "breach_probability")
    assert found[0].estimate.high == pytest.approx(1.0 - 0.05 ** (1 / 640), rel=1e-9)
    assert found[6].violation_high <= 0.0 < found[7].violation_high
    assert found[7].violation < 0.0
    assert all(constraint.decidable for constraint in found.values())


def test_too_few_paths_decide_nothing(make_outcome: Any, make_study: Any) -> None:
    """With 80 paths no breach is seen and none is proved absent: not decidable, so not feasible."""
    outcome = make_outcome({"calm": 1.0}, paths=80).with_columns(min_cr_external=0.9, recovered=True)
    result = score(outcome, make_study({"calm": 1.0}))
    breach = next(constraint for constraint in result.constraints if constraint.name == "breach_probability")
    assert breach.violation == -1.0
    assert not breach.decidable
    assert not result.feasible


def test_every_figure_has_an_interval_that_holds_it(make_outcome: Any, make_study: Any) -> None:
    """Over all scenarios, within each, and by term; tails carry their effective count, and n counts paths."""
    result = score(make_outcome(WEIGHTS), make_study(WEIGHTS))
    assert list(result.metrics) == list(METRICS)
    assert list(result.by_scenario) == list(WEIGHTS)
    everything = [(e, 250) for e in (*result.metrics.values(), *result.yield_terms.values())]
    everything += [(e, 50) for estimates in result.by_scenario.values() for e in estimates.values()]
    for figure, n in everything:
        assert figure.low <= figure.value <= figure.high
        assert figure.n == n
    assert result.metrics["peg_cvar95_bps"].tail_points is not None
    assert result.metrics["yield"].tail_points is None
    assert result.by_scenario["calm"]["peg_cvar95_bps"].tail_points == pytest.approx(2.5**2 / 2.25)


def test_terms_add_up_to_the_yield(make_outcome: Any, make_study: Any) -> None:
    """The yearly terms, the transition included, sum to the yield and leave out discount and mark-to-market."""
    result = score(make_outcome(WEIGHTS), make_study(WEIGHTS))
    apart = {"income_debt_discount", "income_mark_to_market"}
    lines = [line.removeprefix("income_") for line in LINES if line.startswith("income_") and line not in apart]
    assert sorted(result.yield_terms) == sorted([*lines, "transition"])
    assert {"venue_losses", "liquidation"} < result.yield_terms.keys()
    assert sum(term.value for term in result.yield_terms.values()) == pytest.approx(result.yield_annual.value, rel=1e-12)


def test_no_event_anywhere_is_not_certainty(make_outcome: Any, make_study: Any) -> None:
    """Over scenarios, too, an event never seen keeps an upper end above 0, where a bootstrap would claim 0 exactly."""
    result = score(make_outcome(WEIGHTS).with_columns(min_cr_external=0.9), make_study(WEIGHTS))
    breach = result.metrics["breach_probability"]
    assert (breach.value, breach.low) == (0.0, 0.0)
    assert breach.high > 0.01


def test_scale_of_weights_does_not_matter(make_outcome: Any, make_study: Any) -> None:
    """Weights of 3 and 1 score as 0.75 and 0.25 do."""
    outcome = make_outcome({"calm": 0.75, "stress": 0.25})
    scaled = replace(outcome, weights={"calm": 3.0, "stress": 1.0})
    study = make_study({"calm": 3.0, "stress": 1.0})
    assert score(scaled, study) == score(outcome, study)


def test_same_outcome_same_score(make_outcome: Any, make_study: Any) -> None:
    """Scores have no hidden randomness: equal to the last bit when computed again."""
    outcome, study = make_outcome(WEIGHTS), make_study(WEIGHTS)
    assert score(outcome, study) == score(outcome, study)


def test_one_pass_gives_the_score_and_every_brief(make_outcome: Any, make_study: Any) -> None:
    """`judged` is `score` and `briefed`, over all scenarios and within each, to the bit."""
    study = make_study(WEIGHTS)
    one, other = (make_outcome(WEIGHTS, seed=seed) for seed in (1, 2))
    found, home = judged(one, study, within=True), judged(other, study, within=True)
    assert found.score == score(one, study)
    for scenario, mine, theirs in zip((None, *WEIGHTS), (found.brief, *found.within), (home.brief, *home.within), strict=True):
        assert tuple(differences(mine, theirs).values()) == compare_paired(one, other, study, scenario=scenario)


def mixed(make_outcome: Any, weights: dict[str, float], *, few: int, many: int = 200) -> Any:
    """An outcome with ``few`` paths of the second scenario and ``many`` of the others."""
    whole = make_outcome(weights, paths=many)
    kept = (whole.paths["scenario"] != list(weights)[1]) | (whole.paths["path"] < few)
    return replace(whole, paths=whole.paths[kept].reset_index(drop=True))


def test_one_thin_scenario_leaves_no_interval_over_all(make_outcome: Any, make_study: Any) -> None:
    """29 paths of one scenario: neither its figures nor those over all have an interval, the other scenario's do; 30 are enough for means."""
    weights = {"calm": 0.5, "thin": 0.5}
    for few in (1, 29, 30):
        found = score(mixed(make_outcome, weights, few=few), make_study(weights))
        known = few >= 30
        assert {each.interval is not None for each in found.metrics.values() if each.tail_points is None} == {known}
        assert known or {each.interval for each in found.metrics.values()} == {None}
        assert all((each.interval is not None) == known for each in found.yield_terms.values())
        assert all(each.interval is not None for each in found.by_scenario["calm"].values())
        means = {"yield", "breach_probability", "hours_over_caps"}
        assert {(found.by_scenario["thin"][name].interval is not None) for name in means} == {known}


def test_a_limit_without_an_interval_is_not_kept(make_outcome: Any, make_study: Any) -> None:
    """Figures far within every limit on 29 paths: nothing is broken, nothing decided, and the set is not feasible; a trial's points are."""
    weights = {"calm": 1.0}
    loose = {"max_breach_probability": 0.9, "max_unrecovered_probability": 0.9, "max_shortfall_bps": 1e6, "max_unserved_usd_hours": 1e12}
    study = make_study(weights, **loose)
    for paths, tails, feasible in ((29, False, False), (30, False, False), (50, True, True)):
        outcome = make_outcome(weights, paths=paths).with_columns(min_cr_external=2.0, recovered=True)
        found = score(outcome, study)
        decided = {each.name: each.decidable for each in found.constraints}
        assert decided.pop("caps_plus_buffer") is True, "read off the set"
        assert decided == {"breach_probability": paths >= 30, "unrecovered": paths >= 30, "shortfall": tails, "unserved": tails}
        assert all(each.violation <= 0.0 for each in found.constraints)
        assert found.feasible is feasible
        assert point_score(outcome, study).feasible, "the search goes by points"
