"""Whatever writes a number: what is printed parses back to it within its printed digits, and what is no number is never printed as one."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from amo_opt import wording
from amo_opt.cli import pool_tables
from amo_opt.comparison import wording as of_comparison
from amo_opt.report import wording as of_report
from amo_opt.report.figures.style import tick
from amo_opt.report.stories import backtest, finding, story_caption, story_panels

NUMBER = re.compile(r"(?P<sign>[+-]?)(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<decimals>\d+))?(?:e(?P<exponent>-?\d+))?(?P<unit>\D.*)?")
UNITS = {"k": 1e3, "m": 1e6, "bn": 1e9}


def _scaled(unit: str):
    return lambda value: of_report.scale_for(unit, (value,)).text(value)


def _compared(value: float) -> str:
    factor, unit = of_comparison.scale("USD", (value,))
    return f"{wording.fixed(value * factor, 2)} {unit}"


FORMATTERS = {
    "significant-3": lambda value: wording.significant(value, 3),
    "significant-6-signed": lambda value: wording.significant(value, 6, signed=True),
    "limit": wording.plain,
    "parameter": of_report.plain_number,
    "dollars": _scaled("USD"),
    "dollar-hours": _scaled("USD·h"),
    "basis-points": _scaled("bps"),
    "ratio": _scaled("ratio"),
    "hours-signed": lambda value: of_report.scale_for("h", (value,)).text(value, signed=True),
    "compared": _compared,
    "fixed": lambda value: wording.fixed(value, 4),
    "money": story_caption.money,
    "last-amount": lambda value: story_panels.last_figure(value, "amount"),
    "last-price": lambda value: story_panels.last_figure(value, "price"),
    "replay": backtest.shown,
    "misfit": backtest._misfit,
    "pool-amount": pool_tables.amount,
    "pool-price": lambda value: pool_tables._cell("price", value),
    "profiled": finding.plain,
    "profiled-alike": lambda value: finding.numbers([value], 1.0, fine=value)[0],
    "tick": tick,
}
DIGITS = {
    "significant-3": 3,
    "significant-6-signed": 6,
    "limit": 6,
    "parameter": 6,
    "replay": 5,
    "misfit": 3,
    "profiled": 4,
    "tick": 5,
}
"""How many digits of every number are promised; the others promise decimals."""
AS_TOML = {"limit"}
"""Writes what a file may hold: TOML has words for what is no number."""


def read(text: str) -> tuple[float, float]:
    """The number as a reader takes it, and half a unit of its last printed digit."""
    found = NUMBER.fullmatch(text.replace("−", "-"))
    assert found, text
    unit = (found["unit"] or "").strip().split(" ")[0]
    exponent = int(found["exponent"] or 0)
    size = UNITS.get(unit, 1.0)
    decimals = found["decimals"] or ""
    value = float(f"{found['sign']}{found['whole'].replace(',', '')}.{decimals or '0'}e{exponent}")
    return value * size, 0.5 * 10.0 ** (exponent - len(decimals)) * size


NUMBERS = st.one_of(
    st.floats(-1e15, 1e15, allow_subnormal=False),
    st.floats(-1.0, 1.0, allow_subnormal=False),
    st.builds(lambda whole, power: whole * 10.0**power, st.integers(-(10**6), 10**6), st.integers(-9, 9)),
    # what rounds up to the next power of ten
    st.builds(
        lambda power, below, sign: sign * 10.0**power * (1.0 - below), st.integers(-6, 12), st.floats(0.0, 1e-3), st.sampled_from((-1, 1))
    ),
)


@pytest.mark.parametrize("name", FORMATTERS)
@settings(max_examples=40, deadline=None)
@example(1_586_444_839.83)
@example(1_586_444_800.4)
@example(999_999.6)
@example(999.96e6)
@example(99_999.6)
@example(9_999.96)
@example(-0.0)
@example(1e-300)
@example(1.7e308)
@given(value=NUMBERS)
def test_what_is_printed_parses_back(name, value):
    """Within half a unit of the last digit, with thousands separated as a reader expects them and no sign on a nought."""
    text = FORMATTERS[name](value)
    if text == wording.MISSING:
        assert abs(value) > 1e300
        return
    found, slack = read(text)
    assert found == pytest.approx(value, abs=slack * (1.0 + 1e-9), rel=1e-12), text
    if name in DIGITS:
        assert found == pytest.approx(value, rel=0.5 * 10.0 ** (1 - DIGITS[name]) * (1.0 + 1e-9), abs=0.0), text
    assert found != 0.0 or text[0].isdigit(), text


@pytest.mark.parametrize("name", [name for name in FORMATTERS if name not in AS_TOML])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_printed_as_a_dash(name, value):
    """NaN and infinity never reach a reader as text, nor end the command."""
    assert FORMATTERS[name](value).startswith(wording.MISSING)


@pytest.mark.parametrize(
    ("amount", "text"), [(999.95e6, "1.00bn"), (999_700.0, "1.0m"), (999.6, "1.0k"), (9.96e6, "10.0m"), (-999.95e6, "−1.00bn")]
)
def test_an_amount_that_rounds_up_takes_the_next_unit(amount, text):
    """Not a thousand millions."""
    assert story_caption.money(amount) == text


def test_a_row_that_rounds_up_takes_the_next_unit():
    """In a report and in a comparison alike."""
    assert of_report.scale_for("USD", (999.996e6,)).text(999.996e6) == "1.00 bn USD"
    assert of_comparison.scale("USD", (999.996e6,)) == (1e-9, "bn USD")
    assert of_report.scale_for("USD", (999.95e6,)).text(999.95e6) == "999.95 m USD"
