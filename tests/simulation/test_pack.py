"""Study and parameter set into the kernel's vectors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from amo_opt.protocol.lanes import CONSTANT_INDEX, M_BASE_VALUE, M_COLLATERAL_PRICE, STATE_INDEX
from amo_opt.protocol.market import LANES, MARKET_INPUTS
from amo_opt.protocol.parameters import PARAMETERS
from amo_opt.simulation.pack import constants, parameter_vector, start_state

if TYPE_CHECKING:
    from amo_opt.config.study import Study


def test_parameters_are_packed_in_their_order(frax: Study) -> None:
    """Element k is parameter k."""
    vector = parameter_vector(frax.current)
    assert vector.tolist() == [float(frax.current.values()[name]) for name in PARAMETERS]


def test_every_constant_is_filled(frax: Study) -> None:
    """No element of the constants is left to chance: all finite, the markets' as in the state."""
    vector = constants(frax)
    assert np.all(np.isfinite(vector))
    assert vector[CONSTANT_INDEX["hour_limit"]] == frax.state.markets.hour_limit.value
    assert vector[CONSTANT_INDEX["external_floor"]] == pytest.approx(0.8725)
    assert vector[CONSTANT_INDEX["response_delay"]] == 6.0


def test_a_lag_of_zero_is_spot(frax: Study, refigured: Callable[..., Study]) -> None:
    """The oracle's hourly weight is 1 without lag, 1 − 1/e at an hour's, and falls with it."""
    weights = [constants(refigured(frax, {"markets.oracle_lag_hours": lag}))[CONSTANT_INDEX["oracle_weight"]] for lag in (0.0, 1.0, 6.0)]
    assert weights == pytest.approx([1.0, 1 - math.exp(-1), 1 - math.exp(-1 / 6)])


def test_every_lane_starts_from_the_snapshot_at_the_first_hours_prices(frax: Study) -> None:
    """Lanes differ in their market's first prices only, so that nothing is marked to market before anything happened."""
    row = np.zeros(len(MARKET_INPUTS) * LANES)
    row[M_COLLATERAL_PRICE : M_COLLATERAL_PRICE + LANES] = np.linspace(0.99, 1.01, LANES)
    row[M_BASE_VALUE : M_BASE_VALUE + LANES] = np.linspace(0.98, 1.0, LANES)
    state = start_state(frax, row).reshape(-1, LANES)
    assert np.array_equal(state[STATE_INDEX["collateral_price"]], row[M_COLLATERAL_PRICE : M_COLLATERAL_PRICE + LANES])
    assert np.array_equal(state[STATE_INDEX["base_value"]], row[M_BASE_VALUE : M_BASE_VALUE + LANES])
    others = np.delete(state, [STATE_INDEX["collateral_price"], STATE_INDEX["base_value"]], axis=0)
    assert np.all(others == others[:, :1])
    assert state[STATE_INDEX["pool_y"], 0] == frax.state.base_value
    assert state[STATE_INDEX["supply"], 0] == frax.state.stablecoin.supply.value
