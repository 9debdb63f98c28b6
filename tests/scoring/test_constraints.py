"""Constraints: the sign is exact, the scale is of order 1, and too few paths decide nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amo_opt.config.study import Constraints
from amo_opt.scoring.constraints import RULES, caps_plus_buffer, decidable, rules_of
from amo_opt.scoring.metrics import METRICS

AT_MOST = [rule for rule in RULES if rule.kind == "at most"]
AT_LEAST = [rule for rule in RULES if rule.kind == "at least"]


@pytest.mark.parametrize("rule", AT_MOST, ids=lambda rule: rule.name)
def test_violation_is_minus_one_at_nothing_and_zero_at_the_limit(rule: Any) -> None:
    """Nothing at all scores -1, the limit itself 0 and is feasible, and beyond it the excess grows with the logarithm."""
    assert rule.violation(0.0, 0.02) == -1.0
    assert rule.violation(0.02, 0.02) == 0.0
    assert rule.violation(0.02 * np.e, 0.02) == pytest.approx(1.0)
    assert rule.violation(1.0, 0.02) == pytest.approx(np.log(50.0))


@pytest.mark.parametrize("rule", AT_LEAST, ids=lambda rule: rule.name)
def test_a_least_is_violated_by_one_at_nothing(rule: Any) -> None:
    """Nothing scores 1, half of the limit a half, the limit itself 0 and is feasible, twice the limit minus a half, plenty almost -1."""
    assert rule.violation(0.0, 2.0) == 1.0
    assert rule.violation(1.0, 2.0) == 0.5
    assert rule.violation(2.0, 2.0) == 0.0
    assert rule.violation(4.0, 2.0) == -0.5
    assert rule.violation(1000.0, 2.0) == pytest.approx(-0.998)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("limit", [0.02, 3.0, 1e9])
def test_slopes_agree_on_both_sides_of_the_limit(rule: Any, limit: float) -> None:
    """A step of a thousandth of the limit changes the violation by a thousandth, whichever way it goes."""
    sign = 1.0 if rule.kind == "at most" else -1.0
    assert sign * rule.violation(1.001 * limit, limit) == pytest.approx(1e-3, rel=2e-3)
    assert sign * rule.violation(0.999 * limit, limit) == pytest.approx(-1e-3, rel=2e-3)


AMOUNT = st.floats(0.0, 1e12, allow_subnormal=False)


@given(AMOUNT, AMOUNT, AMOUNT)
def test_violation_keeps_sign_and_order(a: float, b: float, limit: float) -> None:
    """The sign says on which side of the limit a figure lies, a limit of 0 included; further on the wrong side never violates less."""
    for rule in AT_MOST:
        low, high = rule.violation(min(a, b), limit), rule.violation(max(a, b), limit)
        assert low <= high
        assert (high > 0.0) == (max(a, b) > limit)
    for rule in AT_LEAST:
        low, high = rule.violation(min(a, b), limit), rule.violation(max(a, b), limit)
        assert -1.0 <= high <= low <= 1.0
        assert (low > 0.0) == (min(a, b) < limit)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@given(times=st.floats(0.0, 1000.0), limit=st.sampled_from([0.0, 0.02, 2.0, 1000.0]))
@settings(max_examples=25, deadline=None)
def test_the_figure_comes_back_from_its_distance(rule: Any, times: float, limit: float) -> None:
    """`value` undoes `violation` on either side of the limit, whichever side is allowed."""
    scale = limit or rule.scale_at_zero
    assert rule.value(rule.violation(times * scale, limit), limit) == pytest.approx(times * scale, rel=1e-9, abs=1e-9 * scale)


def test_a_limit_left_out_is_no_rule() -> None:
    """A study without a least floor supply has one rule less; every other limit is always set."""
    without, within = Constraints(external_cr_floor=0.9), Constraints(external_cr_floor=0.9, min_floor_supply=0.0)
    assert rules_of(within) == RULES
    assert [rule.name for rule in RULES if rule not in rules_of(without)] == ["floor_supply"]


def test_the_side_of_a_limit_is_the_metrics_bad_side() -> None:
    """What is better lower has a most, what is better higher a least."""
    assert all(METRICS[rule.metric].better == (-1 if rule.kind == "at most" else 1) for rule in RULES)


def test_decimals_that_add_up_to_one_are_feasible(parameters: Any) -> None:
    """0.1 + 0.2 + 0.7 and its like are exactly 1, whatever binary fractions make of them; a real excess shows."""
    for hundredths in [(10, 20, 70), (70, 20, 10), (33, 33, 34), (1, 1, 98), (57, 14, 29)]:
        curve, aave, idle = (value / 100 for value in hundredths)
        assert caps_plus_buffer(parameters(curve_collateral_cap=curve, aave_cap=aave, idle_buffer=idle)) == 1.0
    assert caps_plus_buffer(parameters(curve_collateral_cap=0.5, aave_cap=0.5, idle_buffer=1e-9)) > 1.0


def test_every_amo_that_holds_collateral_counts(parameters: Any) -> None:
    """Four caps and the buffer; caps on what is minted are shares of supply and take no collateral."""
    shares = {"curve_collateral_cap": 0.4, "aave_cap": 0.2, "investor_cap": 0.1, "uniswap_cap": 0.05, "idle_buffer": 0.25}
    assert caps_plus_buffer(parameters(**shares)) == 1.0
    assert caps_plus_buffer(parameters(**shares, curve_mint_cap=1.0, fraxlend_cap=1.0)) == 1.0
    for name, share in shares.items():
        assert caps_plus_buffer(parameters(**{**shares, name: share + 0.01})) > 1.0


def test_rule_of_three() -> None:
    """A chance of 2% takes 150 paths; a limit of 0 can never be proved and one of 1 needs no proof."""
    assert decidable(150, 0.02)
    assert not decidable(149, 0.02)
    assert not decidable(10**9, 0.0)
    assert decidable(1, 1.0)
