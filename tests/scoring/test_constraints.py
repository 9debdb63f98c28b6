"""Constraints: the sign is exact, the scale is of order 1, and too few paths decide nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amo_opt.scoring.constraints import RULES, caps_plus_buffer, decidable


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_violation_is_minus_one_at_nothing_and_zero_at_the_limit(rule: Any) -> None:
    """Nothing at all scores -1, the limit itself 0 and is feasible, and beyond it the excess grows with the logarithm."""
    assert rule.violation(0.0, 0.02) == -1.0
    assert rule.violation(0.02, 0.02) == 0.0
    assert rule.violation(0.02 * np.e, 0.02) == pytest.approx(1.0)
    assert rule.violation(1.0, 0.02) == pytest.approx(np.log(50.0))


@given(st.floats(0.0, 1e12), st.floats(0.0, 1e12), st.floats(0.0, 1e12))
def test_violation_keeps_sign_and_order(a: float, b: float, limit: float) -> None:
    """A larger figure never violates less, and the sign says on which side of the limit it lies, a limit of 0 included."""
    for rule in RULES:
        low, high = rule.violation(min(a, b), limit), rule.violation(max(a, b), limit)
        assert low <= high
        assert (high > 0.0) == (max(a, b) > limit)


def test_decimals_that_add_up_to_one_are_feasible(parameters: Any) -> None:
    """0.1 + 0.2 + 0.7 and its like are exactly 1, whatever binary fractions make of them; a real excess shows."""
    for hundredths in [(10, 20, 70), (70, 20, 10), (33, 33, 34), (1, 1, 98), (57, 14, 29)]:
        curve, aave, idle = (value / 100 for value in hundredths)
        assert caps_plus_buffer(parameters(curve_collateral_cap=curve, aave_cap=aave, idle_buffer=idle)) == 1.0
    assert caps_plus_buffer(parameters(curve_collateral_cap=0.5, aave_cap=0.5, idle_buffer=1e-9)) > 1.0


def test_rule_of_three() -> None:
    """A chance of 2% takes 150 paths; a limit of 0 can never be proved and one of 1 needs no proof."""
    assert decidable(150, 0.02)
    assert not decidable(149, 0.02)
    assert not decidable(10**9, 0.0)
    assert decidable(1, 1.0)
