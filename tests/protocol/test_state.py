"""The protocol at a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from amo_opt.config.study import Study


def test_all_collateral_at_par(frax: Study) -> None:
    """Idle + lent + the AMO's share of the pool's base LP at its virtual price: 1.246bn on 11 May 2022."""
    state = frax.state
    assert state.base_value == pytest.approx(1_109_657_725.20 * 1.021014189)
    assert state.collateral_usd == pytest.approx(0.09e9 + 0.25e9 + 0.8 * state.base_value)
    assert state.collateral_usd == pytest.approx(1.246e9, rel=1e-3)


def test_a_figure_changes_alone(frax: Study, refigured: Callable[[Study, Mapping[str, float]], Study]) -> None:
    """Replacing one figure's value leaves the rest of the snapshot equal."""
    changed = refigured(frax, {"collateral.idle": 1e9})
    assert changed.state.collateral.idle.value == 1e9
    assert changed.state.pool == frax.state.pool
    assert changed.state.collateral_usd - frax.state.collateral_usd == pytest.approx(1e9 - 0.09e9)
