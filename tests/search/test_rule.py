"""When a set may be recommended: each condition of the rule by itself."""

from __future__ import annotations

import pytest

from amo_opt.config.study import Certification
from amo_opt.scoring.types import Constraint, Estimate, PairedDifference, Score
from amo_opt.search.rule import COVER, DOLLAR, PEG, YIELD, eligible, within_at_values
from amo_opt.search.ruling import Objection

TOLERANCES = Certification(tolerance_yield=0.001, tolerance_peg_bps=2.0)


def estimate(value, low=None, high=None):
    return Estimate(value=value, low=value if low is None else low, high=value if high is None else high, n=640)


def constraint(high=-0.5, *, decidable=True):
    return Constraint(
        name="breach_probability",
        scenario="calm",
        unit="",
        estimate=estimate(0.0, 0.0, 0.005),
        limit=0.02,
        violation=-1.0,
        violation_high=high,
        decidable=decidable,
    )


def scored(*constraints):
    return Score(yield_annual=estimate(0.03), peg_risk_bps=estimate(20.0), constraints=constraints or (constraint(),), metrics={})


def difference(metric, low, high, p_better):
    middle = 0.5 * (low + high)
    return PairedDifference(
        metric=metric,
        current=0.0,
        candidate=middle,
        difference=estimate(middle, low, high),
        tolerance=0.0,
        verdict="",
        p_better=p_better,
        p_inferior=0.0,
    )


def paired(*, gain=(0.004, 0.006), gain_p=0.001, peg=(-1.0, 1.0), peg_p=0.5, dollar=(-1.0, 1.0)):
    return (difference(YIELD, *gain, gain_p), difference(PEG, *peg, peg_p), difference(DOLLAR, *dollar, 0.5))


def objection(score=None, **differences):
    return eligible({"x": score or scored()}, {"x": paired(**differences)}, TOLERANCES, stream="selection")["x"]


def test_better_on_yield_and_no_worse_on_peg():
    """More yield, peg risk within the tolerance: nothing stands against it."""
    assert objection() is None


def test_better_on_peg_and_no_worse_on_yield():
    """A better peg, yield within the tolerance: nothing stands against it."""
    assert objection(gain=(-0.0009, 0.0005), gain_p=0.7, peg=(-6.0, -3.0), peg_p=0.001) is None


def test_a_constraint_must_hold_at_its_confidence_bound():
    """A point value within the limit is not enough; the objection holds the constraint and the paths it was broken on."""
    broken = constraint(high=0.01)
    assert objection(scored(broken)) == Objection(kind="limit", stream="selection", limit=broken)


def test_an_undecidable_constraint_stands_before_all_else():
    """Too few paths to decide is said as such."""
    undecided = constraint(decidable=False)
    assert objection(scored(constraint(high=0.5), undecided)) == Objection(kind="undecided", stream="selection", limit=undecided)


def test_equal_is_not_better():
    """A set that differs from the current one by nothing is not recommended."""
    assert objection(gain=(0.0, 0.0), gain_p=1.0, peg=(0.0, 0.0), peg_p=1.0).kind == "no gain"


@pytest.mark.parametrize(("peg", "allowed"), [((-1.0, 1.99), True), ((-1.0, 2.01), False), ((3.0, 4.0), False)])
def test_yield_may_not_cost_more_peg_than_the_tolerance(peg, allowed):
    """The whole interval of the other axis lies within the tolerance."""
    assert (objection(peg=peg) is None) == allowed


@pytest.mark.parametrize(("gain", "allowed"), [((-0.0009, 0.001), True), ((-0.0011, 0.001), False)])
def test_peg_may_not_cost_more_yield_than_the_tolerance(gain, allowed):
    """The same, the axes exchanged."""
    assert (objection(gain=gain, gain_p=0.9, peg=(-6.0, -3.0), peg_p=0.001) is None) == allowed


def test_dollar_risk_may_not_grow_beyond_the_tolerance():
    """A peg held against a falling base coin but lost against the dollar is refused."""
    found = objection(dollar=(1.0, 2.5))
    assert (found.kind, found.metric, found.bound) == ("tolerance", DOLLAR, 2.0)
    assert (found.interval.low, found.interval.high) == (1.0, 2.5)


def test_a_small_p_value_in_the_wrong_direction_is_no_gain():
    """Better needs the figure itself to be better."""
    assert objection(gain=(-0.0009, 0.0), gain_p=0.001).kind == "no gain"


def test_many_candidates_make_proof_harder():
    """Holm over candidates × metrics: p = 0.02 is proof for one candidate and none among ten."""
    assert objection(gain_p=0.02) is None
    names = [f"trial-{i}" for i in range(10)]
    found = eligible(dict.fromkeys(names, scored()), dict.fromkeys(names, paired(gain_p=0.02)), TOLERANCES, stream="selection")
    assert {each.kind for each in found.values()} == {"no gain"}


def test_differences_within_a_scenario_do_not_count():
    """Only differences over all scenarios enter; those of one scenario are shown, not judged."""
    from dataclasses import replace

    harmful = replace(difference(PEG, 90.0, 99.0, 1.0), scenario="calm")
    assert eligible({"x": scored()}, {"x": (*paired(), harmful)}, TOLERANCES, stream="selection")["x"] is None


def test_the_worst_cover_may_not_fall_beyond_the_margin():
    """The external collateral ratio is the safety figure: a set that may lower its worst by more than the tolerance is refused."""
    cover = difference("min_cr_external_tail95", -0.02, -0.005, 1.0)
    found = eligible({"x": scored()}, {"x": (*paired(), cover)}, TOLERANCES, stream="holdout")["x"]
    assert (found.kind, found.stream, found.metric, found.bound) == (
        "tolerance",
        "holdout",
        "min_cr_external_tail95",
        TOLERANCES.tolerance_cr,
    )


def test_a_gain_too_small_for_a_vote_is_refused():
    """Proven better by a hair, half a tolerance being asked for in all: not worth a vote."""
    assert objection(gain=(0.0001, 0.0002), peg=(0.0, 0.0)) == Objection(kind="small gain", stream="selection", bound=TOLERANCES.least_gain)
    assert objection(gain=(0.0006, 0.0008), peg=(0.0, 0.0)) is None


def test_what_is_not_known_may_be_worse():
    """A difference without an interval is no proof: the objection is the tolerance's, and holds no interval."""
    endless = float("inf")
    for metric, differences in ((PEG, {"peg": (-endless, endless)}), (DOLLAR, {"dollar": (-endless, endless)})):
        found = objection(**differences)
        assert (found.kind, found.metric, found.bound) == ("tolerance", metric, 2.0)
        assert found.interval.interval is None


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, True),
        ({"peg": (-9.0, 12.9)}, True),
        ({"peg": (-9.0, 13.1)}, False),
        ({"gain": (-0.1, 0.0979), "peg": (-4.1, -3.9)}, False),
        ({"gain": (-0.1, 0.0981), "peg": (-4.1, -3.9)}, True),
        ({"dollar": (1.0, 2.9)}, True),
        ({"dollar": (1.0, 3.1)}, False),
        ({"gain": (0.0001, 0.0003), "peg": (0.0, 1.0)}, False),
    ],
)
def test_point_values_may_keep_what_intervals_do_not(changes, kept):
    """No worse by a tolerance in the middle of the interval, however wide, and enough of a gain there: 0.1 points of yield and 2 bp are the tolerances."""
    assert within_at_values(paired(**changes), TOLERANCES) is kept


def test_the_cover_counts_at_its_point_value_too():
    """Lower by less than its margin of 0.01."""
    for middle, kept in ((-0.009, True), (-0.011, False)):
        assert within_at_values((*paired(), difference(COVER, middle - 0.1, middle + 0.1, 0.5)), TOLERANCES) is kept
