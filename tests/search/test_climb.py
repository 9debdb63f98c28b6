"""The best set of the search walked up: held to figures whose best value is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amo_opt.config.study import Range
from amo_opt.errors import SimulationError
from amo_opt.scoring.types import PointScore
from amo_opt.search.climb import ROUNDS, climb

SPACE = {"aave_cap": Range(low=0.0, high=0.6), "idle_buffer": Range(low=0.0, high=0.3), "unwind_rate": Range(low=0.01, high=0.5, log=True)}
NAMES = list(SPACE)


@pytest.fixture
def study(make_study):
    plain = make_study()
    return replace(plain, search=replace(plain.search, space=SPACE))


class Hill:
    """Peg risk is the distance from the best values; ``asked`` counts sets, call by call."""

    def __init__(self, *, most=1.0, fails=lambda each: False):
        self.asked, self.most, self.fails = [], most, fails

    def score(self, each):
        risk = 100.0 * (abs(each.aave_cap - 0.37) + abs(each.idle_buffer - 0.11))
        return PointScore(yield_annual=0.02, peg_risk_bps=risk, constraints={"limit": each.aave_cap - self.most})

    def __call__(self, sets):
        self.asked.append(len(sets))
        return [SimulationError("no price") if self.fails(each) else self.score(each) for each in sets]


def start(study, hill, **values):
    parameters = study.current.replace(name="trial-7", **values)
    return "trial-7", parameters, hill.score(parameters)


def test_the_best_is_reached_by_votable_steps(study):
    """Two parameters at once, in steps of a hundredth, to the very values; what acts on nothing stays; no more looks than it says."""
    hill = Hill()
    name, found, score = climb(start(study, hill, aave_cap=0.2, idle_buffer=0.2), study, NAMES, hill)
    assert (name, found.name) == ("trial-7-stepped", "trial-7-stepped")
    assert (found.aave_cap, found.idle_buffer) == pytest.approx((0.37, 0.11))
    assert found.unwind_rate == study.current.unwind_rate
    assert score == hill.score(found)
    assert len(hill.asked) <= 2 * ROUNDS


def test_what_gains_nothing_is_left_as_it_is(study):
    """At the best already: the entry itself, under its own name."""
    hill = Hill()
    there = start(study, hill, aave_cap=0.37, idle_buffer=0.11)
    assert climb(there, study, NAMES, hill) is there


def test_it_stays_within_limits_ranges_and_names(study):
    """A set that breaks a limit or fails is not taken; nothing leaves its range; a parameter that is not named stays."""
    hill = Hill(most=0.25)
    _, found, _ = climb(start(study, hill, aave_cap=0.2, idle_buffer=0.2), study, NAMES, hill)
    assert found.aave_cap == pytest.approx(0.25)
    narrow = replace(study, search=replace(study.search, space={**SPACE, "aave_cap": Range(low=0.0, high=0.31)}))
    _, found, _ = climb(start(study, Hill(), aave_cap=0.2, idle_buffer=0.2), narrow, NAMES, Hill())
    assert (found.aave_cap, found.idle_buffer) == pytest.approx((0.31, 0.11))
    _, found, _ = climb(start(study, Hill(), aave_cap=0.2, idle_buffer=0.2), study, ["idle_buffer"], Hill())
    assert (found.aave_cap, found.idle_buffer) == pytest.approx((0.2, 0.11))
    blocked = Hill(fails=lambda each: each.idle_buffer < 0.15)
    _, found, _ = climb(start(study, blocked, aave_cap=0.2, idle_buffer=0.2), study, NAMES, blocked)
    assert found.idle_buffer >= 0.15


def test_no_more_is_promised_than_there_is(study):
    """Caps and buffer together never beyond all of the collateral."""
    hill = Hill()
    near = start(study, hill, aave_cap=0.2, idle_buffer=0.05, curve_collateral_cap=0.7)
    _, found, _ = climb(near, study, NAMES, hill)
    assert found.curve_collateral_cap + found.aave_cap + found.idle_buffer + found.uniswap_cap + found.fraxlend_cap <= 1.0 + 1e-12
