"""The alternatives and the profile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amo_opt.report.account import Account
from amo_opt.report.sections.validity import validity_of
from amo_opt.report.stories.finding import HIDDEN_BY_A


def _choice(result):
    return Account(result).choice


def test_every_certified_set_is_in_a_table_and_on_the_plane(result):
    """Nothing that was certified is left out: the plane's origin is the current set, and the one that is shown is marked."""
    facts = Account(result)
    assert len(facts.choice.alternatives) + len(facts.choice.rejected) == len(result.candidates)
    assert {spot.id for spot in facts.first.spots} == {each.id for each in result.candidates if each.role != "current"}
    assert [spot.id for spot in facts.first.spots if spot.chosen] == [each.id for each in result.candidates if each.role == "recommended"]


def test_a_set_that_breaks_a_limit_is_counted(result):
    """Certification checks limits as hard ones."""
    choice = _choice(result)
    assert [row.constraints for row in choice.rejected if "broken" in row.constraints] == ["1 broken of 21"]


def test_the_lines_of_the_profile_add_up_to_the_yield(result):
    """What A buys, by term: no line is lost, however small."""
    profile = _choice(result).profile
    whole, lines = profile.terms[0], profile.terms[1:]
    assert whole[0] == "Yield, whole"
    for place in range(len(profile.values)):
        assert sum(spans[place].value for _, spans in lines) == pytest.approx(whole[1][place].value, rel=0.01)


def test_profile_values_are_in_order_and_current_and_proposed_are_marked(result):
    """A reader sees where the current set stands on the curve."""
    profile = _choice(result).profile
    assert list(profile.values) == sorted(profile.values)
    assert profile.marks == (("current", 1500.0), ("proposed", 2210.0))
    assert len(profile.table) == len(profile.values)


def test_a_profile_over_a_says_what_the_histories_leave_open(result):
    """Where A is searched: what a high one hides is not identified; where it is held, nothing is proposed of it."""
    assert HIDDEN_BY_A in _choice(result).profile.caption
    held = replace(result, profile=replace(result.profile, optimum=replace(result.profile.optimum, searched=False)))
    assert HIDDEN_BY_A not in _choice(held).profile.caption
    assert HIDDEN_BY_A in validity_of(result.study).limits
    search = replace(result.study.search, space={})
    assert HIDDEN_BY_A not in validity_of(replace(result.study, search=search)).limits
