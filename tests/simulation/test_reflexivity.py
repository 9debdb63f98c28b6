"""The share token's collapse, without AMOs: what is left of the stablecoin is worth its collateral, whatever the collateral ratio."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from amo_opt.simulation.engine import trace
from amo_opt.stress.catalogue import load_scenario

if TYPE_CHECKING:
    from collections.abc import Callable

    from amo_opt.config.study import Study

RATIOS = (0.0, 0.25, 0.5, 0.75, 0.8725)


def spiral(frax: Study, refigured: Callable[..., Study], *, ratio: float, idle_share: float = 1.0) -> Study:
    """A month of the death-spiral scenario on an issuer without AMOs whose collateral, ``ratio`` of the supply, lies in the redeeming pool.

    The controller stands still, so that the ratio is what it says; ``idle_share`` < 1 takes collateral away from the pool.
    """
    scenario = load_scenario("death-spiral", weight=1.0)
    scenario = replace(scenario, settings={**scenario.settings, "onset_day_low": 1.0, "onset_day_high": 1.0})
    supply = frax.state.stablecoin.supply.value
    figures = {
        "amos.curve.lp_share": 0.0,
        "amos.curve.minted": 0.0,
        "amos.curve.borrowed": 0.0,
        "amos.aave.lent": 0.0,
        "amos.aave.borrowed": 0.0,
        "controller.collateral_ratio": ratio,
        "collateral.idle": max(1.0, ratio * supply * idle_share),
    }
    study = refigured(frax, figures)
    return replace(
        study,
        scenarios=(scenario,),
        current=study.current.replace(cr_step=0.0, curve_collateral_cap=0.0, aave_cap=0.0, curve_mint_cap=0.0),
        simulation=replace(study.simulation, transition_hours=24, window_hours=720),
        constraints=replace(study.constraints, external_cr_floor=max(ratio, 0.01)),
    )


@pytest.fixture(scope="module")
def ends(frax: Study, refigured: Callable[..., Study]) -> dict[float, np.ndarray]:
    """Prices at the window's end by collateral ratio, 16 paths each; NaN where hardly anybody holds the coin any more.

    Where 99% have redeemed, what the share token's own operations bring in can cover all that is left: such a coin is worth its dollar again.
    """
    prices = {}
    for ratio in RATIOS:
        study = spiral(frax, refigured, ratio=ratio)
        series = trace(study.current, study, scenario="death-spiral", paths=16, columns=("price", "supply"))
        held = series["supply"][-1] > 0.01 * study.state.stablecoin.supply.value
        prices[ratio] = np.where(held, series["price"][-1], np.nan)
    return prices


def test_the_end_price_is_what_stands_behind_one(ends: dict[float, np.ndarray]) -> None:
    """Within 0.05 of the collateral ratio once the share token's leg of redeeming is worth nothing, on every path on which holders are left."""
    for ratio, prices in ends.items():
        held = prices[np.isfinite(prices)]
        assert held.size >= 8, (ratio, prices)
        assert np.abs(held - ratio).max() < 0.05, (ratio, prices)


def test_the_end_price_rises_with_the_collateral_ratio(ends: dict[float, np.ndarray]) -> None:
    """Monotone path by path, and nothing behind it means less than half a dollar."""
    ordered = np.array([ends[ratio] for ratio in RATIOS])
    steps = np.diff(ordered, axis=0)
    assert (steps[np.isfinite(steps)] > 0.0).all()
    assert np.isfinite(steps).sum() >= 32
    assert np.nanmax(ordered[0]) < 0.5


def test_who_comes_late_to_an_exhausted_pool_gets_nothing(frax: Study, refigured: Callable[..., Study]) -> None:
    """With half of the collateral gone the doors pay until the pool is empty; what is left then is worth nothing and stays in the queue."""
    study = refigured(spiral(frax, refigured, ratio=0.5, idle_share=0.5), {"markets.lp_flight_rate": 0.2})  # the pool is no way out
    series = trace(study.current, study, scenario="death-spiral", paths=4, columns=("price", "idle", "unserved"))
    assert (series["idle"][-1] < 1e3).all()
    assert (series["price"][-1] < 0.05).all()
    assert (series["unserved"][-1] > 1e8).all()


def test_the_share_token_is_the_loop(frax: Study, refigured: Callable[..., Study]) -> None:
    """Redeeming issues share tokens, which dilute and press their price: where nothing can be redeemed it falls as its market alone has it."""
    open_door = spiral(frax, refigured, ratio=0.5)
    shut_door = spiral(frax, refigured, ratio=0.5, idle_share=0.0)
    prices = [
        trace(study.current, study, scenario="death-spiral", paths=4, columns=("share_price",))["share_price"]
        for study in (open_door, shut_door)
    ]
    assert (prices[1][-1] > 1e-6 * prices[1][0]).all()
    assert (prices[0][-1] < 1e-3 * prices[1][-1]).all()
