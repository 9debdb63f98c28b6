"""What binds: the furthest limit of a score, and of the search's distances worked back into figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amo_opt.scoring.constraints import CAPS, RULES
from amo_opt.scoring.types import Constraint, Estimate, PointScore, Score
from amo_opt.search.ruling import binding_in_search, binding_of, nearest


def constraint(name, low, high, limit, *, at_least=False, excess=0.0):
    return Constraint(
        name=name,
        scenario="calm",
        unit="bps",
        estimate=Estimate(value=0.5 * (low + high), low=low, high=high, n=64),
        limit=limit,
        violation=-0.5,
        violation_high=excess,
        at_least=at_least,
    )


def test_the_nearest_limit_is_the_furthest_over_at_its_confidence_bound():
    """Not the one with the largest figure; its confidence bound is the upper one, of a least the lower one."""
    zero = Estimate(value=0.0, low=0.0, high=0.0, n=64)
    most, least = constraint("shortfall", 2.0, 9.0, 10.0, excess=-0.1), constraint("floor_supply", 1.0, 5.0, 2.0, at_least=True, excess=0.5)
    score = Score(yield_annual=zero, peg_risk_bps=zero, constraints=(most, least), metrics={})
    assert nearest(score) is least
    found = binding_of("trial-3", "selection", least)
    assert (found.set, found.stream, found.confidence_bound, found.interval, found.kept) == ("trial-3", "selection", 1.0, (1.0, 5.0), False)
    assert binding_of("trial-3", "selection", most).confidence_bound == 9.0
    assert nearest(replace(score, constraints=())) is None
    assert binding_of("trial-3", "selection", None) is None


def test_the_search_s_distance_is_worked_back(make_study):
    """A chance of 0.5 against the study's limit, and caps of 1.2: exact, without an interval, on the search's paths."""
    study = make_study()
    limit = study.constraints.max_breach_probability
    rule = next(each for each in RULES if each.name == "breach_probability")
    score = PointScore(yield_annual=0.0, peg_risk_bps=0.0, constraints={CAPS: 0.2, "breach_probability:calm": rule.violation(0.5, limit)})
    found = binding_in_search("trial-4", score, study)
    assert (found.value, found.interval, found.limit, found.n) == (pytest.approx(0.5), None, limit, study.simulation.paths)
    caps = binding_in_search("trial-4", replace(score, constraints={CAPS: 0.2}), study)
    assert (caps.value, caps.limit, caps.scenario, caps.exact, caps.kept) == (pytest.approx(1.2), 1.0, None, True, False)
