"""Where a parameter is looked at: values over its range, and the set at each, with ordered pairs in order."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.config.study import Range
from amo_opt.errors import AmoOptError
from amo_opt.protocol.parameters import ORDERED_PAIRS
from amo_opt.search.grid import amplification_range, inside, moved_set, spread, walk
from amo_opt.search.space import SMALLEST_GAP, build_space


def values(way):
    return [each.values()[way.parameter] for each in way.sets]


def test_values_are_evenly_spaced_or_by_equal_factors():
    """Four values from 1 to 8: steps of 7/3, or doublings."""
    assert spread(1.0, 8.0, 4, log=True) == pytest.approx([1.0, 2.0, 4.0, 8.0])
    assert spread(1.0, 8.0, 4, log=False) == pytest.approx([1.0, 10 / 3, 17 / 3, 8.0])


@pytest.mark.parametrize(("value", "within"), [(10.0, False), (19.0, False), (21.0, True), (89.0, True), (91.0, False), (100.0, False)])
def test_the_outer_tenth_of_a_linear_range_is_its_edge(value, within):
    """From 0 to 100 and shifted by 10: a tenth of 90 at either end."""
    assert inside(value, 10.0, 100.0, log=False) is within


def test_the_outer_tenth_of_a_log_range_is_in_logarithms():
    """From 1 to 10^10 the edge ends at 10 and begins at 10^9, and a range of one value has no inside."""
    assert [inside(10.0**exponent, 1.0, 1e10, log=True) for exponent in (0.9, 1.1, 8.9, 9.1)] == [False, True, True, False]
    assert not inside(3.0, 3.0, 3.0, log=True)


def test_a_walk_holds_its_range_and_the_current_set(make_study):
    """Both ends, values a vote could be held on, upwards, each once; the current set is the current set."""
    study = make_study()
    for name, limits in study.search.space.items():
        way = walk(study, name, 7)
        found = values(way)
        assert found == sorted(set(found))
        assert study.current in way.sets
        assert found[0] == limits.low
        assert all(value == PARAMETERS[name].rounded(value) for value in found if value not in {limits.low, limits.high, way.high})


def test_log_ranges_are_walked_by_factors(make_study):
    """A from 150 to 5000 in three: the middle one is their geometric mean, to two digits."""
    way = walk(make_study(amplification=150), "amplification", 3)
    assert way.log
    assert values(way) == [150, float(f"{math.sqrt(150 * 5000):.1e}"), 5000]


def test_a_current_value_outside_the_range_is_there_too(make_study):
    """The set in force may lie where nothing is searched."""
    assert values(walk(make_study(space={"aave_cap": Range(low=0.3, high=0.6)}), "aave_cap", 2)) == [0.2, 0.3, 0.6]


def test_a_log_range_with_a_current_value_of_nothing_is_linear(make_study):
    """0 has no logarithm: the axis is linear, the values are not changed."""
    way = walk(make_study(space={"aave_cap": Range(low=0.1, high=0.4, log=True)}, aave_cap=0.0), "aave_cap", 3)
    assert values(way) == [0.0, 0.1, 0.2, 0.4]
    assert not way.log


def test_a_where_it_is_not_searched_goes_as_far_as_one_ramp(make_study):
    """A tenth to ten times, at most 5000; the searched range where there is one."""
    study = make_study(space={"aave_cap": Range(low=0.0, high=0.6)})
    assert amplification_range(study) == (150, 5000)
    assert amplification_range(make_study()) == (150, 5000)
    assert amplification_range(make_study(space={"aave_cap": Range(low=0.0, high=0.6)}, amplification=40)) == (4, 400)
    assert values(walk(study, "amplification", 2)) == [150, 1500, 5000]


def test_one_point_is_no_range(make_study):
    """The message says how many are needed."""
    with pytest.raises(AmoOptError, match="points = 1; at least 2"):
        walk(make_study(), "aave_cap", 1)


def test_a_partner_stays_until_it_would_be_in_the_way(make_study):
    """Low 0.40 to 0.55 under a high of 0.57: held at a gap of 0.02 and of 0.01, pushed to 0.58 by 0.57."""
    current = make_study().current
    bounds = {"pool_share_low": (0.4, 0.6), "pool_share_high": (0.52, 0.75)}
    highs = {value: moved_set(current, "pool_share_low", value, bounds).pool_share_high for value in (0.40, 0.55, 0.56, 0.57, 0.60)}
    assert highs == {0.40: 0.57, 0.55: 0.57, 0.56: 0.57, 0.57: 0.58, 0.60: 0.61}
    lows = {value: moved_set(current, "pool_share_high", value, bounds).pool_share_low for value in (0.52, 0.51, 0.50, 0.45)}
    assert lows == {0.52: 0.5, 0.51: 0.5, 0.50: 0.49, 0.45: 0.44}


def test_a_partner_that_cannot_make_room_leaves_no_set(make_study):
    """With the partner's range ending at the value there is no set in order."""
    current = make_study().current
    assert moved_set(current, "pool_share_low", 0.6, {"pool_share_high": (0.52, 0.6)}) is None
    assert moved_set(current, "pool_share_high", 0.4, {"pool_share_low": (0.4, 0.5)}) is None


def test_a_gap_smaller_than_the_search_s_is_kept(make_study):
    """A set in force at a gap of 0.004 is pushed along at that gap, not at the search's."""
    current = make_study(unwind_price=0.991, reentry_price=0.995).current
    assert moved_set(current, "unwind_price", 0.990, {}).reentry_price == 0.995
    assert moved_set(current, "unwind_price", 0.993, {}).reentry_price == 0.997


@given(
    low=st.floats(0.06, 0.9),
    gap=st.floats(0.001, 0.3),
    starts=st.tuples(st.floats(0.06, 0.9), st.floats(0.06, 0.9)),
    widths=st.tuples(st.floats(0.01, 0.3), st.floats(0.01, 0.3)),
    both=st.booleans(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_set_is_in_order_and_differs_in_one_parameter_and_its_partner(make_study, low, gap, starts, widths, both):
    """Whatever the ranges and the set in force: one parameter moves, its partner only where the smallest gap would be lost."""
    ends = [(start, min(start + width, 0.95)) for start, width in zip(starts, widths, strict=True)]
    space = {"pool_share_low": Range(low=ends[0][0], high=ends[0][1])}
    if both:
        space["pool_share_high"] = Range(low=ends[1][0], high=ends[1][1])
    study = make_study(space=space, pool_share_low=low, pool_share_high=min(low + gap, 0.98))
    known = study.current.values()
    for name in space:
        way = walk(study, name, 5)
        assert study.current in way.sets
        for each in way.sets:
            found = each.values()
            assert all(found[a] < found[b] for a, b in ORDERED_PAIRS)
            changed = {key for key, value in found.items() if value != known[key]}
            assert changed <= {"pool_share_low", "pool_share_high"}
            partner = "pool_share_high" if name == "pool_share_low" else "pool_share_low"
            if partner in changed:
                assert (
                    abs(known[partner] - found[name]) < SMALLEST_GAP
                    or (known[partner] - found[name]) * (1 if name == "pool_share_low" else -1) < 0
                )
                limits = build_space(study).bounds.get(partner)
                assert limits is None or limits[0] <= found[partner] <= limits[1]
