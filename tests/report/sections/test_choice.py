"""The alternatives, the steps, what mattered, and the profile."""

from __future__ import annotations

from dataclasses import replace

import pytest
from read import rows, tables, text

from amo_opt.report.account import Account
from amo_opt.report.sections import choice
from amo_opt.report.sections.choice import importances_of, profile_of, steps_of
from amo_opt.report.sections.validity import limits_of
from amo_opt.report.stories.finding import HIDDEN_BY_A


def _sets(result):
    """The rows of both tables of certified sets."""
    return [row for table in tables(choice.blocks(Account(result))) if table.label == "Certified sets" for row in rows(table)]


def _profile(result):
    return profile_of(Account(result))


def test_every_certified_set_is_in_a_table_and_on_the_plane(result):
    """Nothing that was certified is left out: the plane's origin is the current set, and the one that is shown is marked."""
    facts = Account(result)
    assert len(_sets(result)) == len(result.candidates)
    assert f"{sum(each.role == 'candidate' for each in result.candidates)} more were certified and not taken" in text(choice.blocks(facts))
    assert {spot.id for spot in facts.first.spots} == {each.id for each in result.candidates if each.role != "current"}
    assert [spot.id for spot in facts.first.spots if spot.chosen] == [each.id for each in result.candidates if each.role == "recommended"]


def test_a_set_that_breaks_a_limit_is_counted(result):
    """Certification checks limits as hard ones."""
    assert [row["Limits"] for row in _sets(result) if "broken" in row["Limits"]] == ["1 broken of 21"]


def test_doing_nothing_and_half_the_step_stand_beside_the_whole(result):
    """Three rows, those against the current set with their verdicts; without a half step the page says that it was not run."""
    facts = Account(result)
    assert list(steps_of(facts)) == ["Do nothing (current)", "Half the step", "The whole step (Proposed)"]
    nothing, half, whole = (row for table in tables(choice.blocks(facts)) if table.label == "Half step" for row in rows(table))
    assert nothing["Yield, % a year (95%)"].endswith(")")
    assert [row["Yield, % a year (95%)"][-1] for row in (half, whole)] == ["▲", "▲"]
    assert "was not run" not in text(choice.blocks(facts))
    assert "The half step was not run." in text(choice.blocks(Account(replace(result, half_step=None))))


def test_importances_are_sorted_by_the_largest_share(result):
    """What matters most for either objective comes first."""
    shares = importances_of(Account(result))
    assert list(shares)[:2] == ["amplification", "aave_cap"]
    assert [max(each) for each in shares.values()] == sorted((max(each) for each in shares.values()), reverse=True)
    assert "not computed" in text(choice.blocks(Account(replace(result, importances={}))))


def test_the_lines_of_the_profile_add_up_to_the_yield(result):
    """What A buys, by term: no line is lost, however small."""
    profile = _profile(result)
    whole, lines = profile.terms[0], profile.terms[1:]
    assert whole[0] == "Yield, whole"
    for place in range(len(profile.values)):
        assert sum(spans[place].value for _, spans in lines) == pytest.approx(whole[1][place].value, rel=0.01)


def test_profile_values_are_in_order_and_current_and_proposed_are_marked(result):
    """A reader sees where the current set stands on the curve; every point is in the table."""
    profile = _profile(result)
    assert list(profile.values) == sorted(profile.values)
    assert profile.marks == (("current", 1500.0), ("proposed", 2210.0))
    *_, points = tables(choice.blocks(Account(result)))
    assert [float(row["amplification"].replace(",", "")) for row in rows(points)] == [
        pytest.approx(value, rel=1e-5) for value in profile.values
    ]


def test_a_profile_over_a_says_what_the_histories_leave_open(result):
    """Where A is searched: what a high one hides is not identified; where it is held, nothing is proposed of it."""
    assert HIDDEN_BY_A in _profile(result).caption
    held = replace(result, profile=replace(result.profile, optimum=replace(result.profile.optimum, searched=False)))
    assert HIDDEN_BY_A not in _profile(held).caption
    assert HIDDEN_BY_A in limits_of(result.study)
    search = replace(result.study.search, space={})
    assert HIDDEN_BY_A not in limits_of(replace(result.study, search=search))
