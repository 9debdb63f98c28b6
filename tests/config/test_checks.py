"""What holds between keys, on files that are otherwise broken."""

from pathlib import Path

import pytest

from amo_opt.config.checks import (
    SPACE,
    Placed,
    number_at,
    pair_problems,
    parameter_problems,
    scenario_problems,
    space_problems,
    state_problems,
    table_problems,
)
from amo_opt.config.overrides import override_problems, written_overrides
from amo_opt.config.toml_file import Document


def document(data):
    return Document("a.toml", Path("a.toml"), data, {})


@pytest.mark.parametrize(
    "junk",
    [
        {},
        {"a": 1},
        {"pool": 3, "search": [], "scenario": {}},
        {"scenario": [1, {}, {"name": 3}], "search": {"space": []}},
        {"state": 1},
        {"state": {"set": 1}},
    ],
)
def test_checks_pass_over_what_the_form_refused(junk):
    """A check never fails on a file of the wrong form, nor repeats the form's message."""
    assert list(state_problems(document(junk))) == []
    assert list(space_problems(document(junk), {})) == []
    assert list(scenario_problems(document(junk))) == []
    for has in (lambda _: True, lambda _: False):
        assert list(override_problems(document(junk), has=has)) == []
        assert list(parameter_problems(document(junk), ("current",), has=has)) == []
        assert list(parameter_problems(document(junk), SPACE, has=has)) == []
    assert list(table_problems(document(junk))) == []
    assert written_overrides(document(junk)) == {}


@pytest.mark.parametrize(
    ("value", "number"), [(1, 1.0), (0.5, 0.5), (True, None), ("1", None), (float("nan"), None), (10**400, None), (None, None)]
)
def test_number_at_takes_finite_numbers_only(value, number):
    """Booleans, text, NaN and integers beyond any float are not numbers."""
    assert number_at(document({"a": value}), ("a",)) == number


def test_pairs_must_rise():
    """Equal thresholds leave no room between them and are refused like reversed ones."""

    def pair(low, high):
        here = document({"schema": 1})
        return {"pool_share_low": Placed(low, here, ("pool_share_low",)), "pool_share_high": Placed(high, here, ("pool_share_high",))}

    assert list(pair_problems(pair(0.5, 0.51))) == []
    assert [problem.where for problem in pair_problems(pair(0.5, 0.5))] == ["pool_share_low"]
    assert len(list(pair_problems(pair(0.6, 0.5)))) == 1


def test_space_of_one_of_a_pair_is_checked_against_the_current_set():
    """With only one of a pair searched, the other stays at the current value, which must leave room."""
    here = document({"search": {"space": {"pool_share_low": {"low": 0.55, "high": 0.6}}}})
    current = {"pool_share_high": Placed(0.5, here, ("pool_share_high",))}
    (problem,) = space_problems(here, current)
    assert (problem.where, problem.message) == (
        "search.space.pool_share_low",
        "no value of pool_share_low lies below one of pool_share_high",
    )
    assert list(space_problems(here, {"pool_share_high": Placed(0.57, here, ("pool_share_high",))})) == []


def test_an_empty_space_is_refused():
    """A search with nothing to search is a mistake."""
    assert [problem.message for problem in space_problems(document({"search": {"space": {}}}), {})] == ["nothing to search"]
