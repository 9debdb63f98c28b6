"""Shapes, findings and the optimum of A in words."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from amo_opt.report.stories.finding import finding_words, optimum_words, shape_words
from amo_opt.scoring.types import Estimate
from amo_opt.search.finding import Finding, finding, shape
from amo_opt.search.profile import ParameterProfile
from amo_opt.search.result import Optimum

spec = importlib.util.spec_from_file_location("tracks", Path(__file__).parents[2] / "tracks.py")
assert spec is not None
assert spec.loader is not None
tracks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tracks)
PEG, YIELD, A, shift_of, track_of = tracks.PEG, tracks.YIELD, tracks.A, tracks.shift_of, tracks.track_of


def test_a_monotone_way_in_words():
    """From, to, the paired interval, over which values; where nearly all of it is one step, which."""
    even = shape(track_of((17.0, 11.0, 6.0, 1.0), half=0.5), current=1500.0)
    assert (
        shape_words(even, "A")
        == "peg risk falls from 17.0 to 1.0 bp (by 15.5 to 16.5, 95% interval) as A rises from 150 to 5000 (MONOTONE)"
    )
    cliff = shape(track_of((1.0, 1.0, 1.5, 17.0)), current=1500.0)
    assert ", nearly all of it from 1500 to 5000 (MONOTONE)" in shape_words(cliff, "A")
    assert (even.best, cliff.best) == (5000.0, 500.0)


def test_an_optimum_in_words():
    """Where, how much, against both ends; a whole smaller than the tolerance (100 bounds) is told so."""
    bowl = shape(track_of((0.031, 0.036, 0.033, 0.030), better=1, limit=1e-5, metric=YIELD), current=1500.0)
    assert shape_words(bowl, "A") == "yield is highest at A = 500: 3.60% a year, against 3.10 at 150 and 3.00 at 5000 (INTERIOR OPTIMUM)"
    small = shape(track_of((0.0301, 0.0305, 0.0303, 0.0300), better=1, limit=1e-5, metric=YIELD), current=1500.0)
    assert "within the study's tolerance (INTERIOR OPTIMUM)" in shape_words(small, "A")


def test_an_edge_in_words():
    """A best point at an end reached with a step back, and one inside that an end equals."""
    jagged = shape(track_of((9.0, 4.0, 6.0, 1.0), half=0.5), current=1500.0)
    assert (
        shape_words(jagged, "A")
        == "peg risk is lowest at A = 5000: 1.0 bp, an edge of the range, against 9.0 at 150, with a step back on the way (EDGE)"
    )
    level = shape(track_of((2.3, 4.0, 2.0, 8.0), half=0.5), current=1500.0)
    assert (
        shape_words(level, "A")
        == "peg risk is lowest at A = 1500: 2.0 bp, not clear of both edges, against 2.3 at 150 and 8.0 at 5000 (EDGE)"
    )


@pytest.mark.parametrize(
    ("figures", "half", "text"),
    [
        ((3.0, 3.0, 3.0, 3.0), 0.0, "peg risk the same throughout"),
        ((3.0, 3.2, 3.1, 2.9), 0.5, "peg risk flat within chance"),
        ((3.00, 3.01, 3.00, 3.01), 0.001, "peg risk flat: its best and its worst are less than 0.020 bp apart"),
    ],
)
def test_a_flat_objective_in_words(figures, half, text):
    """The same, within chance, or too small to matter are three things."""
    assert shape_words(shape(track_of(figures, half=half), current=1500.0), "A") == text


def sentence(*, peg=(), earned=(), dilution=()):
    """The words for the finding over as many values as there are differences, both objectives flat."""
    flat = {
        PEG: shape(track_of((3.0,) * 4), current=1500.0),
        YIELD: shape(track_of((0.03,) * 4, metric=YIELD), current=1500.0),
    }
    shifts = {
        YIELD: [shift_of(*each, metric=YIELD, limit=1e-5, level=0.03) for each in earned],
        PEG: [shift_of(*each) for each in peg],
        "dilution": [shift_of(*each, metric="dilution", limit=1e-4, level=0.001) for each in dilution],
    }
    profile = ParameterProfile(
        parameter="amplification",
        low=A[0],
        high=A[-1],
        log=True,
        current=1500.0,
        points=(),
        failed=(),
        shapes=flat,
        finding=finding(A, flat, shifts, 320),
    )
    return finding_words(profile, "USD")


STILL = ((0.0, 0.0),) * 4


def test_a_parameter_that_changes_nothing_is_told_so():
    """Every figure the same on every resample: it acts through nothing."""
    assert sentence(peg=STILL, earned=STILL, dilution=STILL) == (
        "FLAT: from 150 to 5000 it acts through nothing in these scenarios: every figure stays the same."
    )


def test_movements_too_small_to_matter_are_told_so():
    """Intervals clear of 0 that end within the bound."""
    text = sentence(peg=((0.01, 0.005), *STILL[1:]), earned=STILL, dilution=STILL)
    assert "acts through nothing that matters" in text
    assert "by 1% of its tolerance" in text


def test_movements_within_chance_tell_what_is_left_open():
    """An interval that holds 0 but reaches further than the bound proves nothing: how far it reaches is told."""
    text = sentence(peg=((0.3, 0.5), *STILL[1:]), earned=((1e-5, 4e-5), *STILL[1:]), dilution=STILL)
    assert text.endswith("n = 320 paths leave open up to 0.0050% a year of yield and 0.80 bp of peg risk.")


def test_one_term_that_moves_is_enough():
    """Objectives that stay flat do not make a parameter flat; what moves is named."""
    text = sentence(peg=STILL, earned=STILL, dilution=((0.001, 0.0005), *STILL[1:]))
    assert text == "peg risk the same throughout; yield the same throughout; it also moves dilution."


BEST = Optimum(
    best=1000.0,
    peg=Estimate(value=5.0, low=4.0, high=6.0, n=320),
    low=100.0,
    high=10_000.0,
    inside=True,
    clear=True,
    searched=True,
)


def test_where_a_is_best_in_words():
    """Identified, or why not; a study that does not search A calls it neither identified nor its range a searched one."""
    told = "peg risk is lowest at A = 1000 (5 bp, 95% interval 4 to 6, n = 320)"
    assert optimum_words(BEST) == f"A identified: {told}, inside the searched range 100 to 10000"
    unclear = f"A not identified: {told}, not clear of both ends of the range 100 to 10000; no change of A is recommended"
    assert optimum_words(replace(BEST, clear=False)) == unclear
    edge = f"A not identified: {told}, at the edge of the range 100 to 10000; no change of A is recommended"
    assert optimum_words(replace(BEST, inside=False)) == optimum_words(replace(BEST, inside=False, clear=False)) == edge
    look = replace(BEST, searched=False)
    assert optimum_words(look) == f"A is not searched: {told}, inside the range 100 to 10000 that was looked at"
    assert (
        optimum_words(replace(look, inside=False)) == f"A is not searched: {told}, at the edge of the range 100 to 10000 that was looked at"
    )
    unknown = replace(BEST, peg=Estimate.of(5.0, (4.0, 6.0), n=20, fewest=20))
    assert "95% interval not known, n = 20" in optimum_words(unknown)


def test_what_is_not_known_names_the_terms():
    """All terms unknown say how many paths are needed; some of them are named."""
    flat = {metric: shape(track_of((3.0,) * 4, metric=metric), current=1500.0) for metric in (PEG, YIELD)}
    base = ParameterProfile(
        parameter="amplification", low=A[0], high=A[-1], log=True, current=1500.0, points=(), failed=(), shapes=flat,
        finding=Finding(kind="not known", low=A[0], high=A[-1], n=58, unknown=(PEG, "dilution")),
    )  # fmt: skip
    assert finding_words(base, "USD") == (
        "NOT KNOWN: n = 58 paths are too few to tell whether from 150 to 5000 it moves peg risk, dilution, and nothing else moves."
    )
    every = replace(base, finding=replace(base.finding, nothing_known=True))
    assert finding_words(every, "USD") == (
        "NOT KNOWN: n = 58 paths are too few to tell what it does from 150 to 5000; at least 30 of each scenario are needed."
    )
    assert finding_words(replace(base, finding=replace(base.finding, kind="one value")), "USD").startswith("FLAT: it has no other value")
    assert finding_words(replace(base, finding=replace(base.finding, kind="not simulated")), "USD").startswith(
        "no value but the current one"
    )
