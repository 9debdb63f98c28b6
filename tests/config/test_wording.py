"""How messages show things."""

from datetime import date

import pytest

from amo_opt.config.wording import LONGEST, nearest, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (1, "1"),
        (0.5, "0.5"),
        (float("nan"), "nan"),
        ('a "b"', '"a \\"b\\""'),
        (date(2022, 5, 11), "2022-05-11"),
        ([1, {"a": False}], "[1, { a = false }]"),
        ({}, "{}"),
        (10**400, "an integer of 1329 bits"),
    ],
)
def test_values_are_shown_as_toml_writes_them(value, text):
    """A message shows the value as the file holds it."""
    assert shown(value) == text


def test_long_values_are_cut():
    """A message stays one line, however long the value."""
    assert len(shown("x" * 1000)) == LONGEST


def test_nearest_names_one_or_lists_few():
    """A near miss or a beginning names its target; a wild guess names the nearest all the same, and lists what there is if that is short."""
    assert nearest("aave_cup", ["aave_cap", "cr_step"]) == "did you mean 'aave_cap'?"
    assert nearest("svb", ["calm", "svb-2023"]) == "did you mean 'svb-2023'?"
    assert nearest("cqqq", ["aave_cap", "cr_step"]) == "nearest known: 'cr_step'; known: aave_cap, cr_step"
    assert nearest("n49zz", [f"name{index}" for index in range(50)]) == "nearest known: 'name49'"
    assert nearest("zzz", []) is None
