"""Steps a vote would take, sets half the way, and like compared with like where neighbours run on fewer paths."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.scoring.constraints import caps_plus_buffer
from amo_opt.scoring.types import Constraint, Estimate, Score
from amo_opt.search.plateau import _broken, _neighbour, _objection, half_way, ordered, stepped, steps_around
from amo_opt.search.ruling import Objection


def constraint(name, value, worse, limit=0.02):
    return Constraint(
        name=name,
        scenario="calm",
        unit="",
        estimate=Estimate(value=value, low=0.0, high=worse, n=128),
        limit=limit,
        violation=value - limit,
        violation_high=worse - limit,
    )


def scored(*constraints):
    nothing = Estimate(value=0.0, low=0.0, high=0.0, n=128)
    return Score(yield_annual=nothing, peg_risk_bps=nothing, constraints=constraints, metrics={})


def test_steps_change_one_parameter_by_one_step(make_study):
    """Linear ones by their step, A by about a tenth; each differs from the set in that parameter alone, and what is not searched stays."""
    study = make_study()
    shown = study.current.replace(name="shown", idle_buffer=0.2)
    steps = steps_around(shown, study)
    assert {step.parameter for step in steps} == {*study.search.space}
    for step in steps:
        changed = [name for name, value in step.parameters.values().items() if value != shown.values()[name]]
        assert changed == [step.parameter]
        before, after = shown.values()[step.parameter], step.parameters.values()[step.parameter]
        assert (after > before) == (step.side > 0)
        if step.parameter == "amplification":
            assert abs(after / before - 1.0) == pytest.approx(0.1, abs=0.05)
        else:
            assert abs(after - before) == pytest.approx(PARAMETERS[step.parameter].step)


def test_a_changed_parameter_that_is_not_searched_steps_too(make_study):
    """What differs from the set in force is part of the proposal."""
    study = make_study()
    assert "cr_band" not in {step.parameter for step in steps_around(study.current, study)}
    moved = study.current.replace(name="shown", cr_band=0.004)
    assert [step.parameters.cr_band for step in steps_around(moved, study) if step.parameter == "cr_band"] == [0.0035, 0.0045]


def test_what_cannot_be_voted_is_no_neighbour(make_study):
    """At a range's end, beside the other end of a pair, and with all collateral promised there is a step on one side only."""
    study = make_study()
    full = study.current.replace(
        name="shown",
        curve_collateral_cap=0.9,
        aave_cap=0.0,
        investor_cap=0.0,
        uniswap_cap=0.0,
        idle_buffer=0.1,
        pool_share_low=0.54,
        pool_share_high=0.55,
    )
    found = {(step.parameter, step.side) for step in steps_around(full, study)}
    assert ("aave_cap", -1) not in found
    assert ("pool_share_low", 1) not in found
    assert ("pool_share_high", -1) not in found
    assert {("curve_collateral_cap", 1), ("idle_buffer", 1), ("aave_cap", 1)} & found == set()
    assert {("curve_collateral_cap", -1), ("pool_share_low", -1), ("pool_share_high", 1)} <= found
    assert all(ordered(step.parameters) and caps_plus_buffer(step.parameters) <= 1.0 for step in steps_around(full, study))


@pytest.mark.parametrize(("value", "side", "to"), [(3, 1, 4), (3, -1, 2), (1, -1, 1), (999_999, 1, 999_999), (1500, 1, 1700)])
def test_a_step_of_an_integer_is_at_least_one(value, side, to):
    """A tenth of a small A rounds to nothing."""
    assert round(stepped("amplification", value, side)) == to


def test_half_way(make_study):
    """The middle on each scale, rounded to what a vote would be held on; equal values stay, neighbours have no middle."""
    current = make_study().current.replace(name="in-force", cr_band=0.0033)
    shown = current.replace(name="shown", idle_buffer=0.2, amplification=6000)
    half = half_way(current, shown)
    assert half is not None
    assert (half.amplification, half.idle_buffer, half.cr_band) == (3000, pytest.approx(0.15), 0.0033)
    assert half_way(current, current) is None
    assert half_way(current, current.replace(name="shown", idle_buffer=0.11)) is None


def test_few_paths_break_nothing():
    """A limit that the set itself cannot be shown to keep on so few paths is judged at its point value; one it keeps, at its confidence bound."""
    undecided = [constraint("breach", 0.0, 0.023)]
    assert _objection(scored(constraint("breach", 0.008, 0.036)), undecided) is None
    at_value = constraint("breach", 0.03, 0.07)
    assert _objection(scored(at_value), undecided) == Objection(kind="limit", stream="holdout", limit=at_value, at_value=True)
    kept = [constraint("breach", 0.0, 0.01)]
    at_its_end = constraint("breach", 0.008, 0.036)
    assert _objection(scored(at_its_end), kept) == Objection(kind="limit", stream="holdout", limit=at_its_end)
    assert _objection(scored(constraint("breach", 0.5, 0.6)), [constraint("breach", 0.4, 0.5)]) is None, "the set itself breaks it"


def test_only_a_point_value_refuses():
    """The worst of the limits that the set keeps, and none that it does not."""
    found = scored(constraint("breach", 0.03, 0.05), constraint("shortfall", 0.08, 0.1), constraint("unserved", 0.01, 0.9))
    broken = _broken(found, {"breach:calm", "unserved:calm"})
    assert broken is not None
    assert broken.name == "breach"
    assert _broken(found, {"unserved:calm"}) is None


def test_whether_a_neighbour_keeps_its_limits_may_not_be_known(make_study):
    """Of too few paths: what breaks at its point value breaks, the rest is neither kept nor broken, whatever the shown set is known to keep."""
    study = make_study()
    step = steps_around(study.current, study)[0]
    endless = Estimate.of(0.0, (0.0, 0.0), n=16, fewest=16)
    unknown = replace(constraint("breach", 0.0, 0.0), estimate=endless, violation_high=math.inf)
    beyond = replace(unknown, estimate=replace(endless, value=0.03), violation=0.01)
    for home in (unknown, constraint("breach", 0.0, 0.01)):
        found = [_objection(scored(each), [home]) for each in (constraint("breach", 0.0, 0.01), unknown, beyond)]
        assert found == [
            None,
            Objection(kind="not known", stream="holdout", limit=unknown),
            Objection(kind="limit", stream="holdout", limit=beyond, at_value=True),
        ]
        told = [_neighbour(step, (), each, 16) for each in found]
        assert [each.feasible for each in told] == [True, None, False]
        assert [each.objection for each in told] == found
