"""When the tail counts as settled: each part of the rule by itself, at its edge."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from amo_opt.scoring.types import Estimate, PairedDifference
from amo_opt.search.planning import Plan
from amo_opt.search.rule import PEG
from amo_opt.search.tails import MOST_SHARE, Doubt, apart, tails_of

CAP = 10_240


def figure(value, half, share=None):
    """An estimate with a symmetric interval; ``half`` None = not known."""
    ends = (-math.inf, math.inf) if half is None else (value - half, value + half)
    return Estimate(value=value, low=ends[0], high=ends[1], n=900, largest_share=share)


def paired(found, *, tolerance=2.0, scenario=None):
    """A difference in peg risk."""
    return PairedDifference(
        metric=PEG,
        current=9.0,
        candidate=9.0 + found.value,
        difference=found,
        tolerance=tolerance,
        verdict="",
        p_better=1.0,
        p_inferior=1.0,
        scenario=scenario,
    )


def candidate(name, peg, *differences):
    """A set as certification leaves it: differences on selection and on holdout paths."""
    on_selection, on_holdout = differences or (None, None)
    return SimpleNamespace(
        id=name,
        holdout_score=SimpleNamespace(peg_risk_bps=peg),
        selection_paired=() if on_selection is None else (paired(on_selection),),
        holdout_paired=() if on_holdout is None else (paired(on_holdout), paired(figure(99.0, 1.0, 0.9), scenario="calm")),
    )


CURRENT, RIVAL = figure(9.0, 0.5, 0.01), figure(9.5, 0.5, 0.01)


def found(on_selection, on_holdout, *, capped=False, current=CURRENT, rival=RIVAL):
    """The doubts of a pair of sets."""
    plan = Plan({}, 0.1, 0.2, capped=capped)
    return tails_of(candidate("current", current), candidate("trial-7", rival, on_selection, on_holdout), plan, cap=CAP).doubts


def test_nothing_is_open_where_both_agree_and_no_path_decides():
    """Also where the interval holds the tolerance: with room below the cap that is a finding, not an open tail."""
    assert found(figure(1.8, 0.4), figure(2.1, 0.4)) == ()
    assert tails_of(candidate("current", figure(9.0, 0.5)), None, None, cap=CAP).settled


@pytest.mark.parametrize(
    ("value", "half", "open_"), [(2.1, 0.4, True), (1.9, 0.2, True), (1.5, 0.4, False), (2.5, 0.4, False), (1.6, 0.4, False)]
)
def test_a_holdout_at_the_cap_must_leave_the_tolerance_out(value, half, open_):
    """An interval with the tolerance of 2 inside it is open; one that ends at it or before is not."""
    doubts = found(figure(value, half), figure(value, half), capped=True)
    assert [each.kind for each in doubts] == (["at the cap"] if open_ else [])


def test_how_many_paths_would_tell_goes_by_the_square():
    """A plan asks for half of the distance: 2 − 1.9 = 0.1 wants a half-width of 0.05, which 0.2 is four times; 16 times the paths, to two digits upwards."""
    (doubt,) = found(figure(1.9, 0.2), figure(1.9, 0.2), capped=True)
    assert (doubt.cap, doubt.needed, doubt.tolerance) == (CAP, 170_000, 2.0)
    (at_it,) = found(figure(2.0, 0.2), figure(2.0, 0.2), capped=True)
    assert at_it.needed is None
    (too_near,) = found(figure(1.999, 0.2), figure(1.999, 0.2), capped=True)
    assert too_near.needed is None, "more than a study may ask for"


@pytest.mark.parametrize(
    ("gap", "halves", "expected"), [(1.41, (1.0, 1.0), False), (1.42, (1.0, 1.0), True), (5.0, (3.0, 4.0), False), (5.01, (3.0, 4.0), True)]
)
def test_differences_may_lie_the_root_of_the_squares_apart(gap, halves, expected):
    """Half-widths of 3 and 4 allow 5; order does not matter."""
    one, other = figure(0.0, halves[0]), figure(-gap, halves[1])
    assert apart(one, other) is apart(other, one) is expected
    doubts = found(one, other)
    assert doubts == ((Doubt(kind="apart", set="trial-7", difference=True, found=other, seen=one),) if expected else ())


def test_levels_that_lie_apart_are_no_doubt_of_their_own():
    """Only the difference decides; a level that both sets share in moves neither."""
    assert found(figure(0.5, 0.2), figure(0.5, 0.2), current=figure(900.0, 0.5), rival=figure(900.5, 0.5)) == ()


def test_no_path_may_hold_over_a_fifth():
    """Of either set's peg risk, or of the difference: each is told by itself; a scenario's own difference is not looked at."""
    over, at = figure(1.9, 0.2, MOST_SHARE + 1e-9), figure(1.9, 0.2, MOST_SHARE)
    assert found(at, at, current=at, rival=at) == ()
    doubts = found(at, over, current=over, rival=over)
    assert [(each.kind, each.set, each.difference) for each in doubts] == [
        ("one path", "trial-7", True),
        ("one path", "current", False),
        ("one path", "trial-7", False),
    ]
    assert found(over, at) == (), "every published figure is of holdout paths"


@pytest.mark.parametrize(
    ("value", "open_"),
    [
        (0.5, False),
        (1.62, False),
        (1.63, True),
        (2.37, True),
        (2.38, False),
        (-0.01, False),
        (0.37, True),
        (0.38, False),
        (-0.37, True),
        (-0.38, False),
    ],
)
def test_a_path_on_which_nothing_hangs_leaves_the_difference_settled(value, open_):
    """A half-width of 0.3 is 1.96 standard errors and a path with a quarter of the variance adds half of one, 0.077: drawn once more it carries an end 0.07 away over the tolerance
    of 2, or over 0 where that is left out, and one 0.08 away over neither.
    """
    doubts = found(figure(value, 0.3), figure(value, 0.3, 0.25))
    assert [each.kind for each in doubts] == (["one path"] if open_ else [])


def test_too_few_paths_for_an_interval_are_not_settled():
    """Said once, whatever else is seen: of a difference, or of the current set where there is nothing beside it."""
    unknown = figure(0.5, None, 0.9)
    for pair in ((unknown, unknown), (unknown, figure(9.0, 0.1, 0.9)), (figure(9.0, 0.1), unknown)):
        assert [each.kind for each in found(*pair, capped=True, current=unknown)] == ["not known"]
    alone = tails_of(candidate("current", unknown), None, None, cap=CAP)
    assert [(each.kind, each.set) for each in alone.doubts] == [("not known", "current")]


def test_a_set_that_failed_on_holdout_paths_leaves_the_current_one():
    """Without a pair to compare, the level of the current set is what may be open."""
    only = candidate("current", figure(9.0, 0.5, 0.4))
    assert [(each.kind, each.set) for each in tails_of(only, None, Plan({}, None, None, capped=True), cap=CAP).doubts] == [
        ("one path", "current")
    ]
