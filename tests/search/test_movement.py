"""Differences against chance and against what matters, and the shape of an objective: answers known by algebra."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amo_opt.scoring.metrics import METRICS
from amo_opt.scoring.types import Estimate, PairedDifference
from amo_opt.search.finding import finding, shape
from amo_opt.search.movement import Shift, Track, bound, classify

PEG, YIELD, BREACH = "peg_cvar95_bps", "yield", "breach_probability"
A = (150.0, 500.0, 1500.0, 5000.0)


def shift_of(value, half=0.0, *, metric=PEG, limit=0.02, level=10.0, verdict="INCONCLUSIVE"):
    """A shift of ``value`` with ``half`` on either side, from a current figure of ``level``."""
    difference = PairedDifference(
        metric=metric,
        current=level,
        candidate=level + value,
        difference=Estimate(value=value, low=value - half, high=value + half, n=320),
        tolerance=2.0,
        verdict=verdict,
        p_better=0.5,
        p_inferior=0.5,
    )
    return Shift(difference=difference, bound=limit)


def track_of(figures, *, values=A, better=-1, half=0.0, limit=0.02, log=True, metric=PEG):
    """A track whose pairs differ by exactly what their figures do, ``half`` on either side of it."""
    pairs = combinations(range(len(figures)), 2)
    shifts = {(i, j): shift_of(figures[j] - figures[i], half, limit=limit, metric=metric, level=figures[i]) for i, j in pairs}
    return Track(metric=metric, better=better, values=values, figures=tuple(figures), shifts=shifts, log=log)


@pytest.mark.parametrize(
    ("value", "half", "unchanged", "beyond", "moves", "ruled_out"),
    [
        (0.0, 0.0, True, False, False, True),
        (1e-9, 0.0, True, False, False, True),
        (0.01, 0.005, False, True, False, True),
        (0.01, 0.015, False, False, False, False),
        (0.5, 0.4, False, True, True, False),
        (-0.5, 0.4, False, True, True, False),
        (0.5, 0.6, False, False, False, False),
    ],
)
def test_chance_and_matter(value, half, unchanged, beyond, moves, ruled_out):
    """Beyond chance: the interval leaves out 0. It moves where it is larger than the bound of 0.02 too; ruled out where no end is."""
    found = shift_of(value, half)
    assert (found.unchanged, found.beyond_chance, found.moves, found.ruled_out) == (unchanged, beyond, moves, ruled_out)


@pytest.mark.parametrize(("verdict", "beyond"), [("WORSE", True), ("BETTER", True), ("INCONCLUSIVE", False), ("EQUIVALENT", False)])
def test_events_go_by_their_exact_test(verdict, beyond):
    """A bootstrap of three events never reaches 0; McNemar's test knows that three are few."""
    assert shift_of(0.03, 0.01, metric=BREACH, limit=0.0002, verdict=verdict).beyond_chance is beyond


def test_a_hundredth_of_the_tolerance_or_of_the_limit(make_study):
    """Yield, peg risk and collateral ratio by the certification's tolerances; every unit of a shown metric has a bound."""
    study = make_study()
    certification = replace(study.certification, tolerance_yield=0.004, tolerance_peg_bps=3.0, tolerance_cr=0.02)
    study = replace(study, certification=certification)
    assert [bound(unit, study) for unit in ("per year", "bps", "ratio")] == pytest.approx([4e-5, 0.03, 2e-4])
    assert bound(METRICS[BREACH].unit, study) == pytest.approx(0.01 * study.constraints.max_breach_probability)
    assert bound(METRICS["unserved_usd_hours"].unit, study) == pytest.approx(0.01 * study.constraints.max_unserved_usd_hours)


@pytest.mark.parametrize(
    ("figures", "half", "word"),
    [
        ((9.0, 6.0, 4.0, 1.0), 0.5, "MONOTONE"),
        ((1.0, 4.0, 6.0, 9.0), 0.5, "MONOTONE"),
        ((9.0, 4.0, 4.0, 4.0), 0.5, "MONOTONE"),
        ((9.0, 4.0, 4.3, 1.0), 0.5, "MONOTONE"),
        ((9.0, 4.0, 6.0, 1.0), 0.5, "EDGE"),
        ((9.0, 4.0, 2.0, 8.0), 0.5, "INTERIOR OPTIMUM"),
        ((9.0, 4.0, 2.0, 2.3), 0.5, "MONOTONE"),
        ((2.3, 4.0, 2.0, 8.0), 0.5, "EDGE"),
        ((1.0, 8.0, 8.0, 1.5), 0.4, "EDGE"),
        ((3.0, 3.0, 3.0, 3.0), 0.5, "FLAT"),
        ((3.0, 3.2, 3.1, 2.9), 0.5, "FLAT"),
        ((3.00, 3.01, 3.00, 3.01), 0.001, "FLAT"),
    ],
    ids=["falls", "rises", "falls, then level", "a step back within chance", "a clear step back", "bowl", "bowl with a level side",
         "bowl as low at its side", "dome", "level", "noise", "too small to matter"],
)  # fmt: skip
def test_shapes(figures, half, word):
    """Lower is better over A from 150 to 5000; every pair is known to ``half`` on either side."""
    assert classify(track_of(figures, half=half), current=1500.0)[0] == word


def test_a_point_clear_of_the_current_one_is_not_flat():
    """The best and the worst too uncertain to be told apart, but one of them clear of the set in force: the way there is not flat."""
    wide = track_of((3.0, 3.4, 3.0, 2.8), half=1.0)
    assert classify(wide, current=1500.0)[0] == "FLAT"
    sharp = replace(wide, shifts={**wide.shifts, (1, 2): shift_of(-0.4, 0.1)})
    assert classify(sharp, current=1500.0) == ("EDGE", 3)


def test_an_optimum_within_a_tenth_of_the_range_is_an_edge_s():
    """The same bowl with its bottom at 170, not a tenth of the way from 150 to 5000 in logarithms."""
    bowl = track_of((5.0, 2.0, 6.0, 9.0), values=(150.0, 170.0, 1500.0, 5000.0))
    assert math.log(170 / 150) < 0.1 * math.log(5000 / 150)
    assert classify(bowl, current=1500.0) == ("EDGE", 1)


def test_of_equal_points_the_nearest_to_the_current_one_is_best():
    """A level floor has no optimum to move to."""
    assert classify(track_of((9.0, 4.0, 4.0, 4.0)), current=1500.0)[1] == 2


@given(figures=st.lists(st.floats(0.0, 50.0), min_size=2, max_size=8), half=st.floats(0.0, 10.0), span=st.floats(0.01, 4000.0))
def test_shapes_do_not_depend_on_sign_or_direction(figures, half, span):
    """Maximising the negative, or walking the range backwards, is the same question."""
    values = tuple(span * place for place in range(len(figures)))
    here = classify(track_of(figures, values=values, half=half, log=False), current=values[0])
    turned = classify(track_of([-each for each in figures], values=values, half=half, log=False, better=1), current=values[0])
    assert turned == here
    back = tuple(-value for value in reversed(values))
    mirrored = classify(track_of(list(reversed(figures)), values=back, half=half, log=False), current=-values[0])
    assert mirrored == (here[0], len(figures) - 1 - here[1]) or figures.count(figures[here[1]]) > 1


def test_a_monotone_way_in_words():
    """From, to, the paired interval, over which values; where nearly all of it is one step, which."""
    even = shape(track_of((17.0, 11.0, 6.0, 1.0), half=0.5), current=1500.0, label="A")
    assert even.text == "peg risk falls from 17.0 to 1.0 bps (by 15.5 to 16.5, 95% interval) as A rises from 150 to 5000 (MONOTONE)"
    cliff = shape(track_of((1.0, 1.0, 1.5, 17.0)), current=1500.0, label="A")
    assert ", nearly all of it from 1500 to 5000 (MONOTONE)" in cliff.text
    assert (even.best, cliff.best) == (5000.0, 500.0)


def test_an_optimum_in_words():
    """Where, how much, against both ends; a whole smaller than the tolerance (100 bounds) is told so."""
    bowl = shape(track_of((0.031, 0.036, 0.033, 0.030), better=1, limit=1e-5, metric=YIELD), current=1500.0, label="A")
    assert bowl.text == "yield is highest at A = 500: 3.60% a year, against 3.10 at 150 and 3.00 at 5000 (INTERIOR OPTIMUM)"
    small = shape(track_of((0.0301, 0.0305, 0.0303, 0.0300), better=1, limit=1e-5, metric=YIELD), current=1500.0, label="A")
    assert "within the study's tolerance (INTERIOR OPTIMUM)" in small.text


def test_an_edge_in_words():
    """A best point at an end reached with a step back, and one inside that an end equals."""
    jagged = shape(track_of((9.0, 4.0, 6.0, 1.0), half=0.5), current=1500.0, label="A")
    assert (
        jagged.text
        == "peg risk is lowest at A = 5000: 1.0 bps, an edge of the range, against 9.0 at 150, with a step back on the way (EDGE)"
    )
    level = shape(track_of((2.3, 4.0, 2.0, 8.0), half=0.5), current=1500.0, label="A")
    assert level.text == "peg risk is lowest at A = 1500: 2.0 bps, not clear of both edges, against 2.3 at 150 and 8.0 at 5000 (EDGE)"


@pytest.mark.parametrize(
    ("figures", "half", "text"),
    [
        ((3.0, 3.0, 3.0, 3.0), 0.0, "peg risk the same throughout"),
        ((3.0, 3.2, 3.1, 2.9), 0.5, "peg risk flat within chance"),
        ((3.00, 3.01, 3.00, 3.01), 0.001, "peg risk flat: its best and its worst are less than 0.020 bps apart"),
    ],
)
def test_a_flat_objective_in_words(figures, half, text):
    """The same, within chance, or too small to matter are three things."""
    assert shape(track_of(figures, half=half), current=1500.0, label="A").text == text


def sentence(*, peg=(), earned=(), dilution=()):
    """The finding over as many values as there are differences, both objectives flat."""
    flat = {
        PEG: shape(track_of((3.0,) * 4), current=1500.0, label="A"),
        YIELD: shape(track_of((0.03,) * 4, metric=YIELD), current=1500.0, label="A"),
    }
    shifts = {
        YIELD: [shift_of(*each, metric=YIELD, limit=1e-5, level=0.03) for each in earned],
        PEG: [shift_of(*each) for each in peg],
        "dilution": [shift_of(*each, metric="dilution", limit=1e-4, level=0.001) for each in dilution],
    }
    return finding(A, flat, shifts, 320)


STILL = ((0.0, 0.0),) * 4


def test_a_parameter_that_changes_nothing_is_told_so():
    """Every figure the same on every resample: it acts through nothing."""
    assert sentence(peg=STILL, earned=STILL, dilution=STILL) == (
        True,
        "FLAT: from 150 to 5000 it acts through nothing in these scenarios: every figure stays the same.",
    )


def test_movements_too_small_to_matter_are_flat():
    """Intervals clear of 0 that end within the bound."""
    flat, text = sentence(peg=((0.01, 0.005), *STILL[1:]), earned=STILL, dilution=STILL)
    assert flat
    assert "acts through nothing that matters" in text
    assert "by 1% of its tolerance" in text


def test_movements_within_chance_tell_what_is_left_open():
    """An interval that holds 0 but reaches further than the bound proves nothing: how far it reaches is told."""
    flat, text = sentence(peg=((0.3, 0.5), *STILL[1:]), earned=((1e-5, 4e-5), *STILL[1:]), dilution=STILL)
    assert flat
    assert text.endswith("n = 320 paths leave open up to 0.0050% a year of yield and 0.80 bps of peg risk.")


def test_one_term_that_moves_is_enough():
    """Objectives that stay flat do not make a parameter flat; what moves is named."""
    flat, text = sentence(peg=STILL, earned=STILL, dilution=((0.001, 0.0005), *STILL[1:]))
    assert not flat
    assert text == "peg risk the same throughout; yield the same throughout; it also moves dilution."
