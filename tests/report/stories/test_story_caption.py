"""A path in sentences: answers known beforehand."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amo_opt.report.stories.story_caption import Events, _moves, caption, money

TRANSITION, WINDOW = 48, 480
QUIET = Events(
    transition=TRANSITION,
    onset=None,
    drawn=False,
    onset_label="",
    worst=0,
    back_within_bps=50.0,
    min_external_cr=0.75,
    min_cr=0.81,
    yield_lines={"income_rewards": "rewards", "income_venue_losses": "venue losses"},
    other_income=("income_mark_to_market", "income_debt_discount"),
    capital=("capital_shares_issued",),
)
STRESS = replace(QUIET, onset=240, drawn=True, worst=243)


def dip(low, hours, level=1.0):
    values = np.full(WINDOW, level)
    values[list(hours)] = low
    return values


def falling(start, end, first, last):
    """A window that goes straight from ``start`` to ``end`` between two hours."""
    return np.interp(np.arange(WINDOW), [first, last], [start, end])


def told(series, events):
    return caption(series, series["reference"], events)


def test_a_quiet_path(flat):
    """Nothing happened, and that is what is said."""
    assert told(flat(), QUIET) == (
        "The price fell to 1.0000 USD on day 0.0, when its reference stood at 1.0000. It never was below its reference. "
        "External supply was 1.50bn when the window opened and 1.50bn at the end; meanwhile holders neither redeemed nor minted and the "
        "AMOs neither burned nor minted. No AMO unwound. "
        "Target CR stayed at 0.9000; cr_external fell to 0.8500 and ended at 0.8500 (limit 0.75 kept), cr_contract fell to 0.8900 and ended "
        "at 0.8900 (min_cr 0.81 kept). Nobody had to wait to leave. Income in the yield came to 0 USD."
    )


def test_a_run(flat):
    """Every sentence of a stress, with the figures that were put in."""
    series = flat(
        price=dip(0.981, range(243, 250)),
        reference=dip(0.99, range(243, 250)),
        external_supply=falling(1.5e9, 1.318e9, 240, 300),
        net_issued=falling(0.0, -61e6, 239, 249),
        supply=2.5e9 + falling(0.0, -61e6, 239, 249) + falling(0.0, -240e6, 250, 262),
        unwinding=dip(1.0, range(252, 256), 0.0),
        collateral_ratio=falling(0.9, 0.95, 240, 260),
        cr_external=np.minimum(falling(0.85, 0.84, 240, 400), dip(0.74, range(243, 245), 9.0)),
        queue=dip(33e6, [244], 0.0),
        unserved=dip(4.5e6, [244], 0.0),
        claims=dip(7e6, [245], 0.0),
        income_rewards=falling(0.0, 3e6, 0, 479),
        income_venue_losses=dip(0.0, range(243), -1e6),
        income_mark_to_market=dip(0.0, range(243), -2.5e6),
        capital_shares_issued=dip(0.0, range(243), 6e6),
    )
    assert told(series, STRESS) == (
        "The price fell to 0.9810 USD on day 10.1, 3 h after the stress began, when its reference stood at 0.9900. "
        "At the most it was 90 bp below its reference, on day 10.1, and from day 10.4 on less than 50 bp. "
        "Of 1.50bn external supply when the stress began, 182m (12%) had left net by day 12.5; meanwhile holders redeemed 61m and the AMOs "
        "burned 240m. AMOs were unwinding for 4 h, first on day 10.5. "
        "Target CR went from 0.9000 to 0.9500; cr_external fell to 0.7400 and ended at 0.8400 (limit 0.75 broken for 2 h), cr_contract fell to "
        "0.8900 and ended at 0.8900 (min_cr 0.81 kept). "
        "At the most 33m waited to leave, 4.5m went unserved in an hour, 7.0m was redeemed and not yet collected. "
        "Income in the yield came to 2.0m USD, the largest part rewards (3.0m); beside it stand −2.5m of revaluation and 6.0m of capital (share "
        "tokens)."
    )


def test_a_slow_exit_is_told_twice(flat):
    """What left in the first three days, and what left in all."""
    series = flat(external_supply=falling(1.5e9, 1.05e9, 239, 389))
    assert "Of 1.50bn external supply when the stress began, 216m had left after 72 h and 450m (30%) net by day 16.2;" in told(
        series, STRESS
    )


def test_what_left_before_the_stress_is_not_its_doing(flat):
    """Counted from the hour before; without a stress from the window's opening."""
    series = flat(external_supply=falling(1.5e9, 1.2e9, 0, 100))
    assert "External supply was 1.20bn when the stress began and 1.20bn at the end" in told(series, STRESS)
    assert "Of 1.50bn external supply when the window opened, 300m (20%) had left net by day 4.2" in told(series, QUIET)


def test_fees_that_are_burned_are_no_redemptions(flat):
    """A few thousand an hour, every hour, come from venues' fees; one hour of 61m comes from holders."""
    fees = -2e3 * np.arange(1, WINDOW + 1)
    series = flat(net_issued=fees, supply=2.5e9 + fees)
    assert "holders neither redeemed nor minted and the AMOs neither burned nor minted" in told(series, QUIET)
    series = flat(net_issued=fees - dip(0.0, range(200), 61e6), supply=2.5e9 + fees - dip(0.0, range(200), 61e6))
    assert "holders redeemed 61m and the AMOs neither burned nor minted" in told(series, QUIET)


def test_a_price_that_never_comes_back_is_told(flat):
    """At the window's end it still is off its reference."""
    series = flat(price=falling(1.0, 0.8, 240, 479))
    text = told(series, replace(STRESS, worst=479))
    assert "fell to 0.8000 USD on day 20.0, 239 h after the stress began" in text
    assert "At the most it was 2,000 bp below its reference, on day 20.0, and it was still more than 50 bp below at the end." in text


def test_a_price_above_a_dollar_is_told(flat):
    """An upward depeg is one too."""
    assert "It rose to 1.0210 USD on day 4.2." in told(flat(price=dip(1.021, [100])), QUIET)
    assert "It rose" not in told(flat(price=dip(1.0049, [100])), QUIET)


def test_against_the_dollar_the_reference_is_a_dollar(flat):
    """The study's reference is handed in, not looked up."""
    series = flat(price=dip(0.9, [243]), reference=dip(0.9, [243]))
    assert "At the most it was 1,000 bp below its reference" in caption(series, np.ones(TRANSITION + WINDOW), STRESS)
    assert "It never was below its reference." in told(series, STRESS)


@pytest.mark.parametrize(
    ("worst", "events", "expected"),
    [
        (240, STRESS, "on day 10.0, in the hour of the onset,"),
        (200, STRESS, "on day 8.3, 40 h before the stress began,"),
        (243, replace(STRESS, drawn=False, onset_label="a venue loses"), "3 h after the first sign of stress (a venue loses),"),
    ],
)
def test_hours_are_told_from_the_stress(flat, worst, events, expected):
    """After, before or in it, and by what it was seen where nobody drew it."""
    assert expected in told(flat(price=dip(0.999, [worst])), replace(events, worst=worst))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), onset=st.none() | st.integers(0, WINDOW - 1))
def test_any_path_can_be_told(flat, seed, onset):
    """No NaN, no negative zero, no dangling word, the same words each time."""
    rng = np.random.default_rng(seed)
    series = {
        name: values + rng.normal(size=values.size) * rng.choice([0.0, 1e-3, 0.1]) * np.abs(values).max() for name, values in flat().items()
    }
    series["net_issued"] = rng.normal(size=TRANSITION + WINDOW) * 1e6
    events = replace(QUIET, onset=onset, drawn=True, worst=int(np.argmin(series["price"][TRANSITION:])))
    text = told(series, events)
    assert text == told(series, events)
    assert text.endswith(".")
    assert not re.search(r"nan|inf|−0(?![.\d])|  |None| ,|\.\.", text), text


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=30))
def test_falls_and_rises_account_for_the_whole_way(level):
    """Their difference is the end less the start."""
    falls, rises = _moves(np.array(level), 0.0)
    assert falls >= 0.0 <= rises
    assert rises - falls == pytest.approx(level[-1] - level[0], abs=1e-3)


@given(st.floats(-9e12, 9e12))
def test_amounts_keep_their_size(value):
    """What is written differs from the amount by at most a twentieth of it, or a half."""
    text = money(value).replace("−", "-").replace(",", "")
    number, letter = re.fullmatch(r"(-?[\d.]+)(bn|m|k|)", text).groups()
    read = float(number) * {"bn": 1e9, "m": 1e6, "k": 1e3, "": 1.0}[letter]
    assert read == pytest.approx(value, rel=0.05, abs=0.5)
