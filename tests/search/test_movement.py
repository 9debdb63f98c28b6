"""Differences against chance and against what matters, and the shape of an objective: answers known by algebra."""

from __future__ import annotations

import importlib.util
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amo_opt.scoring.metrics import METRICS
from amo_opt.scoring.types import Estimate
from amo_opt.search.finding import finding, shape
from amo_opt.search.movement import bound, classify

spec = importlib.util.spec_from_file_location("tracks", Path(__file__).parents[1] / "tracks.py")
assert spec is not None
assert spec.loader is not None
tracks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tracks)
PEG, YIELD, A, shift_of, track_of = tracks.PEG, tracks.YIELD, tracks.A, tracks.shift_of, tracks.track_of

BREACH = "breach_probability"


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


def found_of(*, peg=(), earned=(), dilution=()):
    """The finding over as many values as there are differences, both objectives flat."""
    flat = {PEG: shape(track_of((3.0,) * 4), current=1500.0), YIELD: shape(track_of((0.03,) * 4, metric=YIELD), current=1500.0)}
    shifts = {
        YIELD: [shift_of(*each, metric=YIELD, limit=1e-5, level=0.03) for each in earned],
        PEG: [shift_of(*each) for each in peg],
        "dilution": [shift_of(*each, metric="dilution", limit=1e-4, level=0.001) for each in dilution],
    }
    return finding(A, flat, shifts, 320)


STILL = ((0.0, 0.0),) * 4


def test_a_parameter_that_changes_nothing_is_flat():
    """Every figure the same on every resample: it acts through nothing."""
    found = found_of(peg=STILL, earned=STILL, dilution=STILL)
    assert (found.kind, found.flat, found.low, found.high, found.n) == ("unchanged", True, 150.0, 5000.0, 320)


def test_movements_too_small_to_matter_are_flat():
    """Intervals clear of 0 that end within the bound."""
    found = found_of(peg=((0.01, 0.005), *STILL[1:]), earned=STILL, dilution=STILL)
    assert (found.kind, found.flat) == ("ruled out", True)


def test_movements_within_chance_keep_what_is_left_open():
    """An interval that holds 0 but reaches further than the bound proves nothing: how far it reaches is kept, by objective."""
    found = found_of(peg=((0.3, 0.5), *STILL[1:]), earned=((1e-5, 4e-5), *STILL[1:]), dilution=STILL)
    assert (found.kind, found.flat) == ("within chance", True)
    assert found.furthest == pytest.approx({YIELD: 5e-5, PEG: 0.8})


def test_one_term_that_moves_is_enough():
    """Objectives that stay flat do not make a parameter flat; what moves is named."""
    found = found_of(peg=STILL, earned=STILL, dilution=((0.001, 0.0005), *STILL[1:]))
    assert (found.kind, found.flat, found.besides) == ("moves", False, ("dilution",))


def test_too_few_paths_are_told_from_flat():
    """A term without an interval that nothing else makes up for: not known, and which."""
    unknown = shift_of(0.0, math.inf, metric="dilution", limit=1e-4)
    unknown = replace(unknown, difference=replace(unknown.difference, difference=Estimate.of(0.0, (-1.0, 1.0), n=20, fewest=20)))
    shapes = {PEG: shape(track_of((3.0,) * 4), current=1500.0), YIELD: shape(track_of((0.03,) * 4, metric=YIELD), current=1500.0)}
    shifts = {YIELD: [shift_of(0.0, metric=YIELD)] * 4, PEG: [shift_of(0.0)] * 4, "dilution": [unknown] * 4}
    found = finding(A, shapes, shifts, 20)
    assert (found.kind, found.flat, found.unknown, found.nothing_known) == ("not known", None, ("dilution",), False)
