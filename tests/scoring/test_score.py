"""Scores: trial and certification agree, constraints hold at their upper end, and every figure has an interval."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from amo_opt.amos.layout import LINES
from amo_opt.scoring.influence import event_count, spread_of
from amo_opt.scoring.intervals import clopper_pearson, corrected_bounds
from amo_opt.scoring.metrics import MEASURES, METRICS
from amo_opt.scoring.paired import compare_paired, differences
from amo_opt.scoring.replicates import replicate
from amo_opt.scoring.sample import sample
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


def test_equal_path_weights_change_nothing(make_outcome: Any, make_study: Any) -> None:
    """One component and any one weight for a scenario: the score of a plain outcome, to the bit."""
    outcome, study = make_outcome(WEIGHTS), make_study(WEIGHTS)
    same = outcome.with_columns(component=0, weight=np.repeat([1.0, 0.3, 7.0, 1e-9, 0.1], 50))
    assert judged(same, study, within=True).score == score(outcome, study)
    assert point_score(same, study) == point_score(outcome, study)
    assert compare_paired(same, outcome, study) == compare_paired(outcome, outcome, study)


def figures(found: Any) -> list[tuple[float, float, float]]:
    """Every figure of a score with both ends."""
    everything = [*found.metrics.values(), *found.yield_terms.values(), *(each.estimate for each in found.constraints)]
    everything += [each for inside in found.by_scenario.values() for each in inside.values()]
    return [(each.value, each.low, each.high) for each in everything]


def test_only_the_ratios_of_path_weights_count(make_outcome: Any, make_study: Any) -> None:
    """Those of one scenario times 8, to the bit; times 3, but for rounding."""
    outcome, study = make_outcome(WEIGHTS).with_twins(30), make_study(WEIGHTS)
    expected = score(outcome, study)
    in_second = (outcome.paths["scenario"] == list(WEIGHTS)[1]).to_numpy()
    scaled = {
        factor: score(outcome.with_columns(weight=outcome.paths["weight"] * np.where(in_second, factor, 1.0)), study) for factor in (8, 3)
    }
    assert scaled[8] == expected
    np.testing.assert_allclose(figures(scaled[3]), figures(expected), rtol=1e-9, atol=1e-12)


def test_twins_that_weigh_nothing_change_no_figure(make_outcome: Any, make_study: Any) -> None:
    """Values and effective counts are those of the drawn paths alone, which meet the same resamples; n counts the twins and says so."""
    weights = {"calm": 0.9, "stress": 0.1}
    outcome, study = make_outcome(weights, paths=100), make_study(weights)
    place = np.tile(np.arange(100), 2)
    path_weight = np.where(place < 60, 1.0 + place % 3, 0.0)
    both = outcome.with_columns(component=(place >= 60).astype(int), weight=path_weight)
    drawn = replace(both, paths=both.paths[place < 60].reset_index(drop=True))
    one, other = score(both, study), score(drawn, study)
    np.testing.assert_allclose([f[0] for f in figures(one)], [f[0] for f in figures(other)], rtol=1e-12, atol=1e-15)
    peg, alone = one.peg_risk_bps, other.peg_risk_bps
    assert (peg.n, peg.twins, peg.drawn, alone.n, alone.twins) == (200, 80, 120, 120, 0)
    assert (peg.low, peg.high) == (pytest.approx(alone.low, rel=0.02), pytest.approx(alone.high, rel=0.02))
    assert peg.tail_points == pytest.approx(alone.tail_points)


def test_weighted_figures_are_the_closed_forms(make_outcome: Any, make_study: Any) -> None:
    """An exponential loss of mean 30 tilted to mean 90 on half of the paths: mean 30 and CVaR 95% 30 (1 + ln 20) lie in the intervals, the chance
    of a loss above 300 (e^-10, of which drawn paths would show none) is found to a quarter, and too few twins give no interval.
    """
    weights, n = {"calm": 1.0}, 2000
    rng = np.random.default_rng(4)
    loss = np.concatenate([rng.exponential(30.0, n), rng.exponential(90.0, n)])
    ratio = np.exp(loss / 30.0 - loss / 90.0) / 3.0
    outcome = make_outcome(weights, paths=2 * n).with_columns(
        component=np.repeat([0, 1], n),
        weight=1.0 / (n + n * ratio),
        peg_loss_bps=loss,
        unserved_peak_usd=loss,
        min_cr_external=np.where(loss > 300.0, 0.5, 0.9),
    )
    study = make_study(weights, max_breach_probability=1e-3)
    found = score(outcome, study)
    for name, truth in (
        ("peg_cvar95_bps", 30.0 * (1.0 + np.log(20.0))),
        ("unserved_peak_usd", 30.0),
        ("breach_probability", np.exp(-10.0)),
    ):
        each = found.metrics[name]
        assert each.low <= truth <= each.high
        assert each.value == pytest.approx(truth, rel=0.25 if name == "breach_probability" else 0.1)
        assert each.largest_share is not None
        assert each.largest_share < 0.1
    breach = next(each for each in found.constraints if each.name == "breach_probability")
    assert (breach.decidable, breach.violation_high < 0.0, breach.estimate.high < 2e-4) == (True, True, True)
    none = score(outcome.with_columns(min_cr_external=0.9), study).metrics["breach_probability"]
    heaviest = (outcome.paths["weight"] / outcome.paths["weight"].sum()).max()
    assert none.high == pytest.approx(1.0 - 0.025**heaviest, rel=1e-9)
    few = replace(outcome, paths=outcome.paths.iloc[: n + 29])
    assert {each.interval for each in score(few, study).metrics.values()} == {None}


def test_an_event_among_few_heavy_paths_has_the_wider_of_two_intervals(make_outcome: Any, make_study: Any) -> None:
    """Three drawn paths of weight 1 and sixty twins of weight 0.02 have the event: its spread is the three's, and skewed, which a count of events that count
    alike cannot know. Either end is the farther one of Clopper and Pearson's and the corrected bootstrap's.
    """
    weights, n = {"calm": 1.0}, 200
    outcome = make_outcome(weights, paths=2 * n)
    place = np.arange(2 * n)
    outcome = outcome.with_columns(
        component=(place >= n).astype(int),
        weight=np.where(place < n, 1.0, 0.02),
        min_cr_external=np.where((place < 3) | ((place >= n) & (place < n + 60)), 0.5, 0.9),
    )
    study = make_study(weights, bootstrap=1000)
    paths = sample(outcome, study)
    measure = MEASURES["breach_probability"]
    values = measure.values(paths)
    held = spread_of(measure, values, paths)
    assert held is not None
    value = measure.point(values, paths.weights)
    counted = clopper_pearson(value * event_count(values, paths.weights, held), event_count(values, paths.weights, held))
    skewed = corrected_bounds(replicate(paths, {"breach_probability": values}, None).overall["breach_probability"], value, held)
    found = score(outcome, study).metrics["breach_probability"]
    assert (found.low, found.high) == (min(counted[0], skewed[0]), max(counted[1], skewed[1]))
    assert skewed[1] > counted[1]
