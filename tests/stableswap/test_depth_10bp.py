"""Depth within 10 bp, and the share of the volume it wins."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amo_opt.stableswap.depth_10bp import captured, curve_depth, range_depth
from amo_opt.stableswap.invariant import scaled_x_at_price

A = st.floats(1.0, 1e6)
DOLLARS = st.floats(1.0, 1e12)


def exact(ann: float) -> float:
    """What moves a balanced pool of D = 1 to a price of 0.999."""
    return scaled_x_at_price(0.999, ann)[0] - 0.5


def test_the_figure_of_curve_depth_is_near_the_exact_depth() -> None:
    """Balanced, A 10 to 5,000: from 12% under the exact depth (A 630) to 4% over it (A 5,000), and within 1% up to A 15."""
    amplification = np.geomspace(10, 5000, 400)
    off = np.array([curve_depth(1.0, 2.0 * a) / exact(2.0 * a) - 1.0 for a in amplification])
    assert off.min() == pytest.approx(-0.116, abs=0.001)
    assert amplification[off.argmin()] == pytest.approx(630, rel=0.05)
    assert off.max() == pytest.approx(0.036, abs=0.001)
    assert off.argmax() == len(off) - 1
    assert np.abs(off[amplification < 15]).max() < 0.01


def test_curve_depth_by_algebra() -> None:
    """A constant product, A 0, moves its price by 10 bp when 5 bp of a side is traded; no A is deeper than half of D."""
    assert curve_depth(2.0, 0.0) == pytest.approx(0.0005, rel=1e-3)
    assert curve_depth(2e9, 1e12) == pytest.approx(1e9, rel=1e-6)
    assert curve_depth(0.0, 3000.0) == 0.0


@settings(deadline=None)
@given(DOLLARS, A, st.floats(1.01, 10.0))
def test_curve_depth_rises_with_amplification_and_with_size(d: float, a: float, times: float) -> None:
    """Within (0, D/2), in proportion to D, rising with A, and less than in proportion to it."""
    depth, deeper = curve_depth(d, 2.0 * a), curve_depth(d, 2.0 * a * times)
    assert 0.0 < depth < deeper < 0.5 * d
    assert deeper < times * depth
    assert curve_depth(times * d, 2.0 * a) == pytest.approx(times * depth, rel=1e-12)


@settings(deadline=None)
@given(st.floats(1e3, 1e12))
def test_range_depth_is_what_moves_a_range_by_10_bp(liquidity: float) -> None:
    """dx = L d(1/√P): from a price of 1 to 0.999 takes 0.0005 L to a part in a thousand; nothing where there is no liquidity."""
    assert range_depth(liquidity) == pytest.approx(liquidity * (1.0 / math.sqrt(0.999) - 1.0), rel=1e-3)
    assert range_depth(2.0 * liquidity) == 2.0 * range_depth(liquidity)
    assert range_depth(0.0) == 0.0


@settings(deadline=None)
@given(DOLLARS, DOLLARS, st.floats(1.01, 10.0))
def test_the_share_won_is_depth_over_all_depth(depth: float, others: float, times: float) -> None:
    """Between 0 and 1, rising with one's depth by less than in proportion, falling with the others'; venues' shares add up to all there is."""
    share = captured(depth, others)
    assert 0.0 < share < 1.0
    assert share < captured(times * depth, others) < times * share
    assert captured(depth, times * others) < share
    assert share + captured(others, depth) == pytest.approx(1.0)


def test_no_depth_wins_nothing_and_no_others_leave_everything() -> None:
    assert captured(0.0, 1e8) == 0.0
    assert captured(1e8, 0.0) == 1.0
