"""Floor supply, algorithmic supply and the decentralisation ratio."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amo_opt.amos.layout import STATE, STATE_INDEX
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation.engine import simulate
from amo_opt.simulation.floor_supply import MOST, BalanceSheet, floor_ratio, floor_supply
from amo_opt.stableswap.depth import Pool, depth_to_price

if TYPE_CHECKING:
    from amo_opt.config.study import Study


def state_of(**values: float) -> np.ndarray:
    """A block whose lanes all hold ``values``; LP tokens, prices and supply where not named: 1, 1, 0."""
    state = np.zeros(len(STATE) * LANES)
    for name, value in {"lp_supply": 1.0, "collateral_price": 1.0, "base_value": 1.0, **values}.items():
        state[STATE_INDEX[name] * LANES :][:LANES] = value
    return state


def pool_state(pool: Pool, **values: float) -> np.ndarray:
    return state_of(pool_x=pool.stablecoin, pool_y=pool.base, ann=pool.ann, d=pool.D, **values)


@pytest.mark.parametrize(("amplification", "millions"), [(50.0, 38.17), (1500.0, 135.43)])
def test_a_balanced_pool_of_330m_supports_what_the_seeds_say(amplification: float, millions: float) -> None:
    """330m of value bears the sale of 38.17m within a cent at A 50 (marginal price, balanced, no fee), of 135.43m at A 1500."""
    pool = Pool(stablecoin=165e6, base=165e6, amplification=amplification)
    assert floor_supply(pool_state(pool), 0.01) / 1e6 == pytest.approx(millions, abs=0.005)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(x=st.floats(1e6, 3e9), y=st.floats(1e6, 3e9), a=st.floats(10.0, 5000.0), moved=st.floats(0.0005, 0.1))
def test_it_is_the_pools_depth(x: float, y: float, a: float, moved: float) -> None:
    """The same as `stableswap.depth.depth_to_price`, of any pool and move; 0 where the price is already there."""
    pool = Pool(stablecoin=x, base=y, amplification=a)
    assert floor_supply(pool_state(pool), moved)[0] == pytest.approx(depth_to_price(pool, 1 - moved), rel=1e-9, abs=1e-6 * pool.D)


def test_it_is_said_beside_what_no_collateral_stands_behind() -> None:
    """External supply 400 of 1,000, collateral 300 of coins at 0.9 and 50 of base at 0.8: 90 are algorithmic, and 45 of depth are half of
    that. With collateral for all of it, or next to nothing algorithmic, the ratio is at most 1,000."""
    sheet = {"supply": 1000.0, "lp_amo": 0.5, "pool_x": 1000.0, "pool_y": 100.0, "own_outside": 100.0}
    sheet |= {"collateral_price": 0.9, "base_value": 0.8, "idle": 100.0, "at_work": 200.0}
    state = state_of(**sheet)
    books = BalanceSheet(state)
    assert books.external == pytest.approx(np.full(LANES, 400.0))
    assert books.coins == pytest.approx(np.full(LANES, 270.0))
    assert books.base == pytest.approx(np.full(LANES, 40.0))
    assert books.algorithmic == pytest.approx(np.full(LANES, 90.0))
    pool = Pool(stablecoin=165e6, base=165e6, amplification=50.0)
    depth = depth_to_price(pool, 0.99)
    with_supply = pool_state(pool, supply=165e6 + 2.0 * depth, lp_amo=0.0)
    assert floor_ratio(with_supply, 0.01) == pytest.approx(np.full(LANES, depth / (165e6 + 2.0 * depth)))
    backed = pool_state(pool, supply=165e6, idle=165e6)
    assert BalanceSheet(backed).algorithmic[0] == 0.0
    assert floor_ratio(backed, 0.01)[0] == MOST


def test_the_decentralisation_ratio(frax: Study, refigured: Callable[..., Study]) -> None:
    """Share of what stands behind the external supply that no issuer of fiat coins can freeze: what is algorithmic counts in full, base LP
    and coins by their figures. 90 of 400 algorithmic, 40 of base at a tenth, 270 of coins at nothing: 0.235; all coins decentralised: 0.91;
    nothing decentralised and all backed: 0. At 0.95 the market pays for 70 of the 90, behind a dead coin of no collateral stands nothing."""
    frax = refigured(frax, {"pool.base_decentralised": 0.1})
    sheet = {"supply": 400.0, "lp_amo": 1.0, "pool_y": 40.0, "idle": 270.0, "price": 1.0}

    def ratio(study: Any, **changes: float) -> float:
        return float(BalanceSheet(state_of(**{**sheet, **changes})).decentralisation_ratio(study)[0])

    assert ratio(frax) == pytest.approx((90 + 0.1 * 40) / 400)
    assert ratio(frax, price=1.2) == ratio(frax)
    assert ratio(frax, price=0.95) == pytest.approx((70 + 0.1 * 40) / 400)
    assert ratio(frax, price=0.0, idle=0.0, pool_y=0.0) == 0.0
    assert ratio(refigured(frax, {"collateral.decentralised": 1.0})) == pytest.approx((90 + 4 + 270) / 400)
    none = refigured(frax, {"pool.base_decentralised": 0.0})
    assert ratio(none, idle=360.0) == 0.0
    # more collateral than supply cannot be more than all of it
    assert ratio(refigured(frax, {"collateral.decentralised": 1.0}), idle=1000.0) == 1.0


def test_outcomes_carry_the_figures_of_the_opening_and_of_the_end(
    frax: Study, hastened: Callable[..., Study], states: Callable[..., Any]
) -> None:
    """Floor supply at the band, at half a cent and at a cent, when the window opens; the ratio then and at the end; decentralisation at the end."""
    study = hastened(frax, 24, 72)
    parameters = study.current.replace(cr_band=0.003)
    run = states(study, parameters, "ust-contagion-2022")
    rows = simulate(parameters, study, paths=LANES, scenarios=["ust-contagion-2022"]).columns
    for name, moved in (("band", 0.003), ("005", 0.005), ("01", 0.01)):
        assert np.array_equal(rows[f"floor_supply_{name}_usd"], floor_supply(run.opening, moved))
    assert np.array_equal(rows["floor_ratio"], floor_ratio(run.opening, 0.01))
    assert np.array_equal(rows["floor_ratio_end"], floor_ratio(run.end, 0.01))
    assert np.array_equal(rows["decentralisation_ratio"], BalanceSheet(run.end).decentralisation_ratio(study))
    assert np.all(rows["floor_supply_band_usd"] < rows["floor_supply_005_usd"])
