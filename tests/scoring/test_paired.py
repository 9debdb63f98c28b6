"""Paired differences: nothing against itself, mirrored when swapped, and verdicts by tolerance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amo_opt.errors import AmoOptError
from amo_opt.scoring.intervals import percentile_bounds
from amo_opt.scoring.metrics import METRICS
from amo_opt.scoring.paired import compare_paired, differences, finest, read, verdict

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


def test_one_path_that_decides_peg_risk_is_told(make_outcome: Any, make_study: Any) -> None:
    """Of paths that count alike too: of a difference that a single path of n makes it holds all but 1/n, of one that many make none holds much; the interval
    stays the bootstrap's percentiles.
    """
    drawn = make_outcome(WEIGHTS, paths=120)
    losses = np.linspace(0.0, 100.0, len(drawn.paths))
    current = drawn.with_columns(peg_loss_bps=losses)
    study = make_study(WEIGHTS)
    deepest = np.where(np.arange(losses.size) == losses.argmax(), 500.0, 0.0)
    one = by_name(compare_paired(current.with_columns(peg_loss_bps=losses + deepest), current, study))
    many = by_name(compare_paired(current.with_columns(peg_loss_bps=1.3 * losses), current, study))
    shares = [found["peg_cvar95_bps"].difference.largest_share for found in (one, many)]
    assert shares[0] == pytest.approx(1.0 - 1.0 / 120.0)
    assert shares[1] < 0.2
    assert one["yield"].difference.largest_share is None
    replicates = [
        read(each, study, ["peg_cvar95_bps"]).replicates["peg_cvar95_bps"]
        for each in (current.with_columns(peg_loss_bps=1.3 * losses), current)
    ]
    ends = percentile_bounds(replicates[0] - replicates[1])
    assert (many["peg_cvar95_bps"].difference.low, many["peg_cvar95_bps"].difference.high) == (float(ends[0]), float(ends[1]))


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
    with pytest.raises(AmoOptError, match="weights differ"):
        compare_paired(current.with_twins(6, seed=1), current.with_twins(6, seed=2), study)
    with pytest.raises(AmoOptError, match="calm~t1"):
        compare_paired(current.with_twins(6), current, study)


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


@given(seeds=st.tuples(st.integers(0, 1000), st.integers(0, 1000)))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_swapping_negates_with_twins(make_outcome: Any, make_study: Any, seeds: tuple[int, int]) -> None:
    """To the last bit too, and what is better of an event one way is worse the other."""
    one, other = (make_outcome(WEIGHTS, paths=120, seed=seed).with_twins(70) for seed in seeds)
    study = make_study(WEIGHTS, bootstrap=60)
    words = {"BETTER": "WORSE", "WORSE": "BETTER"}
    for there, back in zip(compare_paired(one, other, study), compare_paired(other, one, study), strict=True):
        assert (there.candidate, there.current) == (back.current, back.candidate)
        assert there.difference.value == -back.difference.value
        assert (there.difference.low, there.difference.high) == (-back.difference.high, -back.difference.low)
        assert there.difference.largest_share == back.difference.largest_share
        if there.metric.endswith("probability"):
            assert words.get(there.verdict) == (back.verdict if back.verdict in words else None)


def test_what_paths_share_cancels_with_twins(make_outcome: Any, make_study: Any) -> None:
    """A set against itself differs by exactly 0, one that earns 1m more on every path by just that, with no width."""
    current, study = make_outcome(WEIGHTS, paths=120).with_twins(70), make_study(WEIGHTS)
    for each in compare_paired(current, current, study):
        assert (each.difference.value, each.difference.low, each.difference.high) == (0.0, 0.0, 0.0)
        assert (each.verdict, each.p_better, each.difference.largest_share) == ("EQUIVALENT", 1.0, None)
    candidate = current.with_columns(income_lending_usd=current.paths["income_lending_usd"] + 1e7)
    found = by_name(compare_paired(candidate, current, study))["yield"]
    gain = 1e7 * 8760 / 1440 / 1e9
    assert (found.difference.low, found.difference.high) == (pytest.approx(gain, rel=1e-9), pytest.approx(gain, rel=1e-9))
    assert (found.difference.n, found.difference.drawn, found.difference.twins) == (240, 140, 100)
    assert found.verdict == "BETTER"


def test_a_difference_of_twins_is_told_to_a_hundredth_of_the_tolerance(make_outcome: Any, make_study: Any) -> None:
    """A ten-thousandth of a basis point on one path of 240 leaves 2 bp / 100 either way, EQUIVALENT, and turns with the sets; 30 bp more or less leaves the interval as it is, as
    paths that count alike leave any.
    """
    drawn, study = make_outcome(WEIGHTS, paths=120), make_study(WEIGHTS)
    losses = np.linspace(0.0, 100.0, 240)
    for outcome, least in ((drawn, 0.0), (drawn.with_twins(70), 0.02)):
        current = outcome.with_columns(peg_loss_bps=losses)
        nearly = current.with_columns(peg_loss_bps=losses + 1e-4 * (losses == 100.0))
        found = by_name(compare_paired(nearly, current, study))["peg_cvar95_bps"]
        assert found.difference.value == pytest.approx(0.0, abs=1e-4)
        assert found.difference.low == pytest.approx(-least, abs=1e-4)
        assert found.difference.high == pytest.approx(least, abs=1e-4)
        assert found.verdict in {"EQUIVALENT", "NO WORSE"}
        back = by_name(compare_paired(current, nearly, study))["peg_cvar95_bps"]
        assert (back.difference.low, back.difference.high) == (-found.difference.high, -found.difference.low)
        moved = current.with_columns(peg_loss_bps=np.maximum(0.0, losses + np.where(np.arange(240) % 2, 30.0, -30.0)))
        wide = by_name(compare_paired(moved, current, study))["peg_cvar95_bps"].difference
        assert min(wide.value - wide.low, wide.high - wide.value) > 0.02


def test_a_difference_that_one_path_parts_is_told_no_finer_than_by_another(make_outcome: Any, make_study: Any) -> None:
    """Six alike events decide the tail, and one of them is a fifth milder in the other set: a seventh could be gone from it, or be new, so both ends lie one event's part of the tail
    away. Not where the one is milder by a twentieth, which tells of no parting, nor where all six are, which many paths tell.
    """
    weights = {"calm": 1.0}
    place = np.arange(2000)
    outcome = make_outcome(weights, paths=2000).with_columns(component=place // 1000, weight=place % 2 + 1.0)
    events = (place > 1000) & (place % 2 == 1) & (place < 1013)
    losses = np.where(events, 1000.0, 1e-3 * (place % 7))
    part = 2.0 / 3000.0 / 0.05  # of the tail's weight, on each event
    study, current = make_study(weights), outcome.with_columns(peg_loss_bps=losses)

    def told(milder: Any, *, back: bool = False) -> PairedDifference:
        pair = (current.with_columns(peg_loss_bps=losses - milder), current)
        return by_name(compare_paired(*(pair[::-1] if back else pair), study))["peg_cvar95_bps"]

    found, turned = told(np.where(place == 1001, 200.0, 0.0)), told(np.where(place == 1001, 200.0, 0.0), back=True)
    assert found.difference.value == pytest.approx(-200.0 * part, rel=1e-3)
    assert found.difference.high == pytest.approx(800.0 * part, rel=0.01)
    assert found.difference.low <= -1200.0 * part * 0.99
    assert (found.p_better, found.p_inferior, found.verdict) == (1.0, 1.0, "INCONCLUSIVE")
    assert (turned.difference.low, turned.difference.high) == (-found.difference.high, -found.difference.low)
    hardly = told(np.where(place == 1001, 50.0, 0.0)).difference
    assert hardly.largest_share == pytest.approx(found.difference.largest_share)
    assert max(hardly.high, hardly.value + 0.02) == pytest.approx(hardly.high, abs=1e-9)
    assert hardly.high < 50.0 * part
    every = told(np.where(events, 200.0, 0.0)).difference
    assert every.largest_share < 0.2
    assert every.high < every.value + 1000.0 * part


def test_one_parting_more_is_of_the_scenario_that_parts(make_outcome: Any, make_study: Any) -> None:
    """Ten times heavier events of another scenario, on which the sets agree, leave the reach as it is: one event of the scenario in which they part."""
    weights = {"calm": 1.0, "stress": 1.0}
    place = np.arange(4000)
    outcome = make_outcome(weights, paths=2000).with_columns(component=place % 2000 // 1000, weight=place % 2 + 1.0)
    events = (place % 2000 > 1000) & (place % 2 == 1) & (place % 2000 < 1013)
    losses = np.where(events, np.where(place < 2000, 1000.0, 10_000.0), 1e-3 * (place % 7))
    study, current = make_study(weights), outcome.with_columns(peg_loss_bps=losses)
    milder = current.with_columns(peg_loss_bps=np.where(place == 1001, 800.0, losses))
    found = by_name(compare_paired(milder, current, study))["peg_cvar95_bps"].difference
    part = 0.5 * 2.0 / 3000.0 / 0.05
    assert found.value == pytest.approx(-200.0 * part, rel=1e-3)
    assert found.high == pytest.approx(800.0 * part, rel=0.01)


def test_how_finely_a_difference_is_told(make_outcome: Any, make_study: Any) -> None:
    """A hundredth of the tolerance, of an event a hundredth of the study's limit on it, 0 where there is neither; an event that next to no weight decides is told so, and a set that
    is better by half as much on every path but one is not better.
    """
    study = make_study(WEIGHTS)
    told = {
        name: finest(name, study) for name in ("yield", "peg_cvar95_bps", "min_cr_external_tail95", "breach_probability", "hours_below_099")
    }
    limit = study.constraints.max_breach_probability
    assert list(told.values()) == [1e-5, 0.02, 1e-4, pytest.approx(0.01 * limit), 0.0]
    outcome = make_outcome(WEIGHTS, paths=120).with_twins(70)
    lightest = outcome.paths["weight"].to_numpy() * (1e-9 * (np.arange(240) == 100) + (np.arange(240) != 100))
    none = outcome.with_columns(weight=lightest, min_cr_external=0.9)
    one = none.with_columns(min_cr_external=np.where(np.arange(240) == 100, 0.1, 0.9))
    found = by_name(compare_paired(one, none, study))["breach_probability"].difference
    assert (found.low, found.high) == (pytest.approx(-0.01 * limit, rel=1e-3), pytest.approx(0.01 * limit, rel=1e-3))
    losses = np.linspace(50.0, 100.0, 240)
    for gain, better in ((0.01, False), (0.03, True)):
        current, candidate = (
            outcome.with_columns(peg_loss_bps=each) for each in (losses, losses - gain * (1.0 + 1e-3 * (np.arange(240) % 2)))
        )
        assert (by_name(compare_paired(candidate, current, study))["peg_cvar95_bps"].p_better < 0.05) is better


def test_a_chance_that_moves_by_less_than_is_told_is_neither_better_nor_worse(make_outcome: Any, make_study: Any) -> None:
    """Twenty light twins that all have the event anew: the sign is plain, the rise is a thousandth of a hundredth of the limit. EQUIVALENT either way; with weight it is WORSE, and BETTER."""
    study = make_study(WEIGHTS)
    outcome = make_outcome(WEIGHTS, paths=120).with_twins(70)
    place = np.arange(240)
    hit = (place % 120 >= 70) & (place % 120 < 80)
    for light, words in ((1e-8, ("EQUIVALENT", "EQUIVALENT")), (1.0, ("WORSE", "BETTER"))):
        weighed = outcome.with_columns(weight=np.where(place % 120 >= 70, light, 1.0))
        none, some = weighed.with_columns(min_cr_external=0.9), weighed.with_columns(min_cr_external=np.where(hit, 0.1, 0.9))
        pairs = (compare_paired(some, none, study), compare_paired(none, some, study))
        assert tuple(by_name(each)["breach_probability"].verdict for each in pairs) == words


def test_what_is_plainly_better_stays_so_where_twins_share_noise(make_outcome: Any, make_study: Any) -> None:
    """A gain of hundreds of its errors, in noise that every path shares with its twin or that is drawn apart: better by p-value and by interval."""
    study = make_study(WEIGHTS)
    outcome = make_outcome(WEIGHTS, paths=120).with_twins(60)
    losses = np.linspace(50.0, 100.0, 240)
    noise = np.random.default_rng(3).normal(size=240)
    shared = np.tile(noise[:60], 4)
    found = []
    for each in (noise, shared):
        pair = (outcome.with_columns(peg_loss_bps=losses - gain) for gain in (20.0 + 0.5 * each, 0.0 * each))
        found.append(by_name(compare_paired(*pair, study))["peg_cvar95_bps"])
    assert all(each.p_better <= 0.025 for each in found)
    assert [each.verdict for each in found] == ["BETTER", "BETTER"]


def test_events_of_twins_need_weight_and_number(make_outcome: Any, make_study: Any) -> None:
    """Six events gone on paths of one weight still need six (the bootstrap alone would take four), and many gone on twins that weigh nothing
    to speak of are no gain beside one that is new on a drawn path.
    """
    weights = {"calm": 1.0}
    outcome, study = make_outcome(weights, paths=200), make_study(weights, bootstrap=999)
    place = np.arange(200)
    alike = outcome.with_columns(component=place // 100, weight=1.0)
    clean = alike.with_columns(min_cr_external=0.9)
    for breaches, word in ((4, "INCONCLUSIVE"), (5, "INCONCLUSIVE"), (6, "BETTER")):
        broken = alike.with_columns(min_cr_external=np.where(place < breaches, 0.5, 0.9))
        found = by_name(compare_paired(clean, broken, study))["breach_probability"]
        assert (found.verdict, found.difference.value) == (word, pytest.approx(-breaches / 200))
        assert found.p_better >= 0.5**breaches - 1e-12
    light = outcome.with_columns(component=place // 100, weight=np.where(place < 100, 1.0, 1e-3))
    before = light.with_columns(min_cr_external=np.where(place >= 150, 0.5, 0.9))
    after = light.with_columns(min_cr_external=np.where(place == 0, 0.5, 0.9))
    found = by_name(compare_paired(after, before, study))["breach_probability"]
    assert found.difference.value > 0.0
    assert (found.verdict, found.p_better) == ("INCONCLUSIVE", 1.0)
    gone = by_name(compare_paired(light.with_columns(min_cr_external=0.9), before, study))["breach_probability"]
    assert gone.verdict == "BETTER", "fifty rare events gone and none new"


def test_a_reading_within_a_scenario_of_twins(make_outcome: Any, make_study: Any) -> None:
    """Differences of one scenario are those of its rows alone, its path weights included."""
    study = make_study(WEIGHTS)
    one, other = (make_outcome(WEIGHTS, paths=120, seed=seed).with_twins(70) for seed in (1, 2))
    names = [name for name, metric in METRICS.items() if metric.better]
    within = [read(each, study, names, scenario="stress") for each in (one, other)]
    parts = [replace(each, paths=each.paths.iloc[120:].reset_index(drop=True), weights={"stress": 1.0}) for each in (one, other)]
    alone = [read(each, make_study({"stress": 1.0}), names) for each in parts]
    assert [replace(each, scenario=None) for each in differences(*within).values()] == list(differences(*alone).values())
