"""Importances of an objective known by algebra: what it is made of comes out first, with the good end the right way round."""

from __future__ import annotations

import math

import numpy as np
import pytest

from amo_opt.config.study import Range
from amo_opt.scoring.types import PointScore
from amo_opt.search.importance import importances
from amo_opt.search.result import Trial
from amo_opt.search.rule import PEG, YIELD

SPACE = {
    "amplification": Range(low=150, high=5000, log=True),
    "aave_cap": Range(low=0.0, high=0.6),
    "idle_buffer": Range(low=0.0, high=0.3),
}


def trials_of(study, count, *, gain, risk):
    rng = np.random.default_rng(3)
    found = []
    for number in range(count):
        values = {
            "amplification": round(150 * (5000 / 150) ** rng.random()),
            "aave_cap": 0.6 * rng.random(),
            "idle_buffer": 0.3 * rng.random(),
        }
        parameters = study.current.replace(name=f"trial-{number}", **values)
        score = PointScore(yield_annual=gain(parameters), peg_risk_bps=risk(parameters), constraints={"caps_plus_buffer": -0.1})
        found.append(Trial(number=number, origin="sampler", parameters=parameters, score=score))
    return found


def test_what_an_objective_is_made_of_comes_first(make_study):
    """Yield is made by lending alone, peg risk by A alone: each has nearly the whole share of its own; shares sum to 1."""
    study = make_study(space=SPACE)
    trials = trials_of(study, 80, gain=lambda one: one.aave_cap, risk=lambda one: math.log(one.amplification))
    found = importances(study, trials)
    assert set(found) == {YIELD, PEG}
    assert found[YIELD]["aave_cap"] > 0.8
    assert found[PEG]["amplification"] > 0.8
    for shares in found.values():
        assert list(shares) == list(SPACE)
        assert sum(shares.values()) == pytest.approx(1.0)
    assert importances(study, trials) == found


def test_the_best_tenth_is_that_of_the_highest_yield(make_study):
    """The good end is told by one parameter, the bad end by another: yield taken the wrong way round would name the other."""
    study = make_study(space=SPACE)

    def gain(one):
        return 10.0 if one.aave_cap > 0.50 else (-10.0 if one.idle_buffer < 0.03 else 0.0)

    shares = importances(study, trials_of(study, 200, gain=gain, risk=lambda one: one.aave_cap))[YIELD]
    assert shares["aave_cap"] > 2.0 * shares["idle_buffer"]


def test_too_little_to_tell(make_study):
    """Few trials, or one parameter: nothing, rather than a figure made of noise."""
    study = make_study(space=SPACE)
    few = trials_of(study, 19, gain=lambda one: one.aave_cap, risk=lambda one: one.idle_buffer)
    assert importances(study, few) == {}
    alone = make_study(space={"aave_cap": SPACE["aave_cap"]})
    assert importances(alone, trials_of(alone, 40, gain=lambda one: one.aave_cap, risk=lambda one: one.idle_buffer)) == {}
