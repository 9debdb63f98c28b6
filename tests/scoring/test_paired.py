"""Paired differences: nothing against itself, mirrored when swapped, and verdicts by tolerance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amo_opt.errors import AmoOptError
from amo_opt.scoring.metrics import METRICS
from amo_opt.scoring.paired import compare_paired, differences, read, verdict

if TYPE_CHECKING:
    from amo_opt.scoring.types import PairedDifference

WEIGHTS = {"calm": 3.0, "stress": 1.0}


def by_name(differences: tuple[PairedDifference, ...]) -> dict[str, PairedDifference]:
    """The differences by metric name."""
    return {difference.metric: difference for difference in differences}


def test_a_set_against_itself(make_outcome: Any, make_study: Any) -> None:
    """Every difference and both ends of every interval are exactly 0, and nothing is better or worse."""
    outcome = make_outcome(WEIGHTS, paths=120)
    differences = compare_paired(outcome, outcome, make_study(WEIGHTS))
    assert [d.metric for d in differences] == [name for name, metric in METRICS.items() if metric.better]
    for difference in differences:
        assert (difference.difference.value, difference.difference.low, difference.difference.high) == (0.0, 0.0, 0.0)
        assert difference.verdict == "EQUIVALENT"
        assert difference.p_better == 1.0


@given(seeds=st.tuples(st.integers(0, 1000), st.integers(0, 1000)))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_swapping_negates(make_outcome: Any, make_study: Any, seeds: tuple[int, int]) -> None:
    """Candidate against current is current against candidate with every sign turned, to the last bit."""
    one, other = (make_outcome(WEIGHTS, paths=120, seed=seed) for seed in seeds)
    study = make_study(WEIGHTS, bootstrap=60)
    for there, back in zip(compare_paired(one, other, study), compare_paired(other, one, study), strict=True):
        assert (there.candidate, there.current) == (back.current, back.candidate)
        assert there.difference.value == -back.difference.value
        assert (there.difference.low, there.difference.high) == (-back.difference.high, -back.difference.low)


def test_what_paths_share_cancels(make_outcome: Any, make_study: Any) -> None:
    """A set that earns 1m more on every path differs by just that, with no width, however noisy the paths are."""
    current = make_outcome(WEIGHTS)
    candidate = current.with_columns(income_lending_usd=current.paths["income_lending_usd"] + 1e7)
    found = by_name(compare_paired(candidate, current, make_study(WEIGHTS)))["yield"]
    gain = 1e7 * 8760 / 1440 / 1e9
    assert found.difference.low == pytest.approx(gain, rel=1e-9)
    assert found.difference.high == pytest.approx(gain, rel=1e-9)
    assert found.verdict == "BETTER"
    assert found.p_better == pytest.approx(1 / 201)


def test_direction_of_a_loss(make_outcome: Any, make_study: Any) -> None:
    """Lower peg losses are better: 10 bp less on every path is BETTER, 10 more WORSE, 1 more within the tolerance of 2 EQUIVALENT."""
    current = make_outcome(WEIGHTS, paths=120)
    study = make_study(WEIGHTS)
    verdicts = {}
    for shift in (-10.0, 1.0, 10.0):
        candidate = current.with_columns(peg_loss_bps=current.paths["peg_loss_bps"] + shift)
        found = by_name(compare_paired(candidate, current, study))["peg_cvar95_bps"]
        assert found.difference.value == pytest.approx(shift, rel=1e-9)
        assert found.tolerance == 2.0
        verdicts[shift] = (found.verdict, found.p_inferior < 0.025)
    assert verdicts == {-10.0: ("BETTER", True), 1.0: ("EQUIVALENT", True), 10.0: ("WORSE", False)}


def test_tolerances_are_the_studys(make_outcome: Any, make_study: Any) -> None:
    """Yield, the two peg risks and the worst external cover have tolerances; every other metric goes by sign."""
    outcome = make_outcome(WEIGHTS)
    tolerances = {d.metric: d.tolerance for d in compare_paired(outcome, outcome, make_study(WEIGHTS)) if d.tolerance}
    assert tolerances == {"yield": 0.001, "peg_cvar95_bps": 2.0, "peg_cvar95_dollar_bps": 2.0, "min_cr_external_tail95": 0.01}


@pytest.mark.parametrize(
    ("low", "high", "tolerance", "word"),
    [
        (0.1, 5.0, 1.0, "BETTER"),
        (-1.0, 1.0, 1.0, "EQUIVALENT"),
        (-1.0, 1.1, 1.0, "NO WORSE"),
        (-1.1, -0.1, 1.0, "WORSE"),
        (-0.9, -0.1, 1.0, "EQUIVALENT"),
        (-1.1, 0.0, 1.0, "INCONCLUSIVE"),
        (0.0, 0.0, 0.0, "EQUIVALENT"),
        (0.0, 1.0, 0.0, "NO WORSE"),
        (-1.0, 1.0, 0.0, "INCONCLUSIVE"),
        (-1.0, -0.1, 0.0, "WORSE"),
    ],
)
def test_verdict_words(low: float, high: float, tolerance: float, word: str) -> None:
    """The word follows from where the interval of the improvement lies against 0 and the tolerance."""
    assert verdict(low, high, tolerance) == word


def test_rounding_is_not_a_finding(make_outcome: Any, make_study: Any) -> None:
    """A price lower by one part in 10^13 on every path is EQUIVALENT, even without a tolerance."""
    current = make_outcome(WEIGHTS)
    candidate = current.with_columns(min_oracle=current.paths["min_oracle"] * (1.0 - 1e-13))
    assert by_name(compare_paired(candidate, current, make_study(WEIGHTS)))["min_oracle"].verdict == "EQUIVALENT"


def test_events_go_by_mcnemar(make_outcome: Any, make_study: Any) -> None:
    """Five breaches gone prove little (1/32), six do (1/64 < 2.5%), though a bootstrap of five would already exclude 0."""
    current = make_outcome({"calm": 1.0}, paths=100)
    study = make_study({"calm": 1.0})
    clean = current.with_columns(min_cr_external=0.9)
    for breaches, p, word, mirrored in ((5, 1 / 32, "INCONCLUSIVE", "INCONCLUSIVE"), (6, 1 / 64, "BETTER", "WORSE")):
        broken = current.with_columns(min_cr_external=np.where(np.arange(100) < breaches, 0.5, 0.9))
        found = by_name(compare_paired(clean, broken, study))["breach_probability"]
        assert found.difference.value == pytest.approx(-breaches / 100)
        assert found.p_better == pytest.approx(p)
        assert found.verdict == word
        assert by_name(compare_paired(broken, clean, study))["breach_probability"].verdict == mirrored


def test_events_that_weights_turn_round_are_inconclusive(make_outcome: Any, make_study: Any) -> None:
    """Ten breaches gone where they hardly weigh against one new where it does: fewer events, more risk, no verdict."""
    weights = {"calm": 0.99, "stress": 0.01}
    current = make_outcome(weights, paths=50)
    cr = np.full(100, 0.9)
    before, after = cr.copy(), cr.copy()
    before[50:60] = 0.5
    after[0] = 0.5
    study = make_study(weights)
    candidate, current = current.with_columns(min_cr_external=after), current.with_columns(min_cr_external=before)
    found = by_name(compare_paired(candidate, current, study))["breach_probability"]
    assert found.difference.value > 0.0
    assert (found.verdict, found.p_better) == ("INCONCLUSIVE", 1.0)


def test_one_scenario_by_itself(make_outcome: Any, make_study: Any) -> None:
    """Asked for one scenario, differences are of its paths alone and say so."""
    current = make_outcome(WEIGHTS)
    better = current.paths["peg_loss_bps"].to_numpy() - np.repeat([0.0, 10.0], 50)
    candidate = current.with_columns(peg_loss_bps=better)
    study = make_study(WEIGHTS)
    calm, stress = (by_name(compare_paired(candidate, current, study, scenario=name))["peg_cvar95_bps"] for name in WEIGHTS)
    assert (calm.difference.value, calm.scenario, calm.difference.n) == (0.0, "calm", 50)
    assert stress.difference.value == pytest.approx(-10.0)


def test_paths_that_do_not_pair_are_refused(make_outcome: Any, make_study: Any) -> None:
    """Another number of paths, other paths, or other weights: an error that says which."""
    current, study = make_outcome(WEIGHTS, paths=10), make_study(WEIGHTS)
    with pytest.raises(AmoOptError, match="do not pair up"):
        compare_paired(make_outcome(WEIGHTS, paths=11), current, study)
    with pytest.raises(AmoOptError, match="row 0 is path 100 of the candidate, 0 of the current"):
        compare_paired(current.with_columns(path=np.tile(np.arange(100, 110), 2)), current, study)
    with pytest.raises(AmoOptError, match="weights differ"):
        compare_paired(replace(current, weights={"calm": 0.5, "stress": 0.5}), current, study)


def test_readings_compared_are_the_outcomes_compared(make_outcome: Any, make_study: Any) -> None:
    """Read once and compared with many, to the last bit what `compare_paired` says; only what both readings hold is compared."""
    study = make_study(WEIGHTS)
    one, other = make_outcome(WEIGHTS, seed=1), make_outcome(WEIGHTS, seed=2)
    directed = [name for name, metric in METRICS.items() if metric.better]
    readings = [read(each, study, directed) for each in (one, other)]
    assert tuple(differences(*readings).values()) == compare_paired(one, other, study)
    assert list(differences(readings[0], read(other, study, ["yield"]))) == ["yield"]
    within = [read(each, study, directed, scenario="stress") for each in (one, other)]
    assert tuple(differences(*within).values()) == compare_paired(one, other, study, scenario="stress")


def test_lines_of_the_yield_differ_by_what_they_earn(make_outcome: Any, make_study: Any) -> None:
    """A line that earns 1m more on every path differs by just that, the others by nothing, and together they are the yield's difference."""
    study, current = make_study(WEIGHTS), make_outcome(WEIGHTS)
    candidate = current.with_columns(income_rewards_usd=current.paths["income_rewards_usd"] + 1e7)
    found = differences(*(read(each, study, ["yield"], terms=True) for each in (candidate, current)))
    gain = 1e7 * 8760 / 1440 / 1e9
    assert found["rewards"].metric == "rewards"
    assert found["rewards"].difference.low == pytest.approx(gain, rel=1e-9)
    assert found["rewards"].difference.high == pytest.approx(gain, rel=1e-9)
    assert all(each.difference.low == each.difference.high == 0.0 for name, each in found.items() if name not in {"rewards", "yield"})
    assert sum(each.difference.value for name, each in found.items() if name != "yield") == pytest.approx(found["yield"].difference.value)


@pytest.mark.parametrize(("paths", "known"), [(1, False), (29, False), (120, True)])
def test_too_few_paths_judge_nothing(make_outcome: Any, make_study: Any, paths: int, known: bool) -> None:
    """A gain on every single path, or an event gone from all, has a word only where the spread is known; a set against itself differs by 0."""
    current = make_outcome(WEIGHTS, paths=paths).with_columns(min_cr_external=0.1)
    study = make_study(WEIGHTS)
    candidate = current.with_columns(peg_loss_bps=current.paths["peg_loss_bps"] - 10.0, min_cr_external=2.0)
    found = by_name(compare_paired(candidate, current, study))
    for name, value in (("peg_cvar95_bps", -10.0), ("breach_probability", -1.0)):
        each = found[name]
        assert each.difference.value == pytest.approx(value)
        assert each.verdict == ("BETTER" if known else "INCONCLUSIVE")
        assert (each.difference.interval is not None) is known
        assert known or (each.p_better, each.p_inferior) == (1.0, 1.0)
    for each in compare_paired(current, current, study):
        assert each.difference.value == 0.0
        assert each.difference.interval == ((0.0, 0.0) if known else None)
