"""Made-up series of one path: constant but for what a test changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from amo_opt.report.stories.story import SERIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from amo_opt.config.study import Study

TRANSITION, WINDOW = 48, 480
LEVELS = {
    "price": 1.0,
    "oracle": 1.0,
    "reference": 1.0,
    "uniswap_price": 1.0,
    "collateral_ratio": 0.9,
    "cr_contract": 0.89,
    "cr_external": 0.85,
    "pool_share": 0.55,
    "idle": 100e6,
    "curve_collateral": 700e6,
    "lent": 200e6,
    "supply": 2.5e9,
    "external_supply": 1.5e9,
    "own_stablecoin": 1.0e9,
}


@pytest.fixture(scope="session")
def short(frax: Study) -> Study:
    """The worked study with two days of transition and twenty of window."""
    return replace(frax, simulation=replace(frax.simulation, transition_hours=TRANSITION, window_hours=WINDOW))


@pytest.fixture
def flat() -> Callable[..., dict[str, np.ndarray]]:
    """Builds the series: what is named holds what is given (a number, or an array over the window that the transition's zero hours precede)."""

    def build(**changes: float | np.ndarray) -> dict[str, np.ndarray]:
        series = {name: np.full(TRANSITION + WINDOW, LEVELS.get(name, 0.0)) for name in SERIES}
        for name, values in changes.items():
            assert name in series, name
            series[name][TRANSITION:] = values
            if np.ndim(values) == 0 and name in LEVELS:
                series[name][:TRANSITION] = values
        return series

    return build
