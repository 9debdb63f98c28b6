"""Numbers and names as text."""

from __future__ import annotations

import math

import pytest

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.report.wording import SHAPES, Chip, Scale, constraint_title, listed, metric_of, plain_number, scale_for
from amo_opt.scoring.constraints import CAPS, RULES
from amo_opt.scoring.metrics import METRICS
from amo_opt.wording import MISSING, clean


def test_a_number_that_rounds_to_zero_has_no_sign():
    """−0.0 and +0.0 say something that the figure does not."""
    assert Scale(1.0, 1, "bp").number(-0.04, signed=True) == "0.0"


def test_what_is_not_a_number_is_a_dash_without_unit():
    """NaN and infinity never reach a reader as text."""
    assert [Scale(1.0, 1, "bp").text(value) for value in (math.nan, math.inf)] == [MISSING, MISSING]


def test_a_difference_of_per_cents_is_in_points():
    """A yield of 3% that rises by 0.3 points did not rise by 0.3%."""
    scale = scale_for("per year", (0.03,))
    assert (scale.text(0.031), scale.text(0.003, signed=True)) == ("3.10% a year", "+0.30 pp a year")


@pytest.mark.parametrize(("largest", "text"), [(2.5e9, "2.50 bn USD"), (1.2e6, "1.20 m USD"), (4.0e3, "4.00 k USD"), (0.98, "0.9800 USD")])
def test_a_row_of_dollars_takes_the_scale_of_its_largest_figure(largest, text):
    """Prices show four decimals, amounts their magnitude."""
    assert scale_for("USD", (0.0, largest)).text(largest) == text


def test_a_fine_scale_shows_two_digits_of_the_width_but_not_more_than_three_further_decimals():
    """An interval of 0.0012 around 3.43 must not read 0.00 to 0.00."""
    scale = Scale(1.0, 2, "")
    assert [scale.fine(width).decimals for width in (0.5, 0.012, 1e-9, 0.0)] == [2, 3, 5, 2]


def test_every_metric_unit_and_every_constraint_has_words():
    """No reader meets a bare identifier."""
    assert all(metric_of(name, "USD").title != name for name in METRICS)
    assert all(constraint_title(name)[0].isupper() for name in [rule.name for rule in RULES] + [CAPS])
    assert metric_of("brand_new_thing", "USD").title == "Brand new thing"


def test_every_verdict_word_has_a_shape():
    """A verdict is never told by colour alone."""
    assert all(str(Chip(word)) == f"{shape} {word}" for word, shape in SHAPES.items())


@pytest.mark.parametrize("value", [1500, 0.0025, 1e-4, 0.1837, 999_999, 2.6e9, -3.5])
def test_a_parameter_is_written_without_exponent_and_without_loss(value):
    """What the table shows is what the file holds, to six digits."""
    text = plain_number(value)
    assert "e" not in text
    assert float(text.replace(",", "").replace("−", "-")) == pytest.approx(value, rel=1e-5)


def test_clean_removes_what_disguises_text():
    """A right-to-left override can make a name read as another."""
    assert clean("safe\u202egnp\u200b.toml\x07") == "safegnp.toml"
    assert len(PARAMETERS) == len({clean(each.title) for each in PARAMETERS.values()})


def test_words_in_a_row():
    """Commas, and "and" ahead of the last."""
    assert [listed(words) for words in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
