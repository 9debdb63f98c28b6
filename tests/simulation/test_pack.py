"""Study and parameter set into the kernel's vectors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.layout import CONSTANT_INDEX, MARKET_INPUTS, PARAMETER_INDEX, STATE_INDEX
from amo_opt.amos.parameters import PARAMETERS
from amo_opt.protocol import lanes as at
from amo_opt.protocol.market import LANES
from amo_opt.simulation.pack import constants, parameter_vector, start_state

if TYPE_CHECKING:
    from amo_opt.config.study import Study


def test_every_parameter_has_its_place(frax: Study) -> None:
    """The issuer's by name, each AMO's own by its own name for it, the minter's sums of caps behind the issuer's; nothing else, and in that order."""
    parameters = frax.current.replace(investor_cap=0.07, uniswap_cap=0.03, fraxlend_cap=0.02)
    values = parameters.values()
    own = {f"{each.name}.{name}": values[parameter.name] for each in MECHANISMS for name, parameter in each.parameters.items()}
    sums = {
        "borrow_share": values["curve_collateral_cap"] + values["aave_cap"] + 0.07 + 0.03,
        "mint_share": values["curve_mint_cap"] + 0.02,
        "mint_share_of_collateral": 0.03,
    }
    issuers = {
        name: values[name] for name in PARAMETERS if name not in {each.name for amo in MECHANISMS for each in amo.parameters.values()}
    }
    expected = {**issuers, **sums, **own}
    assert list(PARAMETER_INDEX) == list(expected)
    assert set(values) == {*issuers, *(each.name for amo in MECHANISMS for each in amo.parameters.values())}
    assert dict(zip(expected, parameter_vector(parameters).tolist(), strict=True)) == pytest.approx(expected, rel=1e-15)


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
    row[at.M_COLLATERAL_PRICE : at.M_COLLATERAL_PRICE + LANES] = np.linspace(0.99, 1.01, LANES)
    row[at.M_BASE_VALUE : at.M_BASE_VALUE + LANES] = np.linspace(0.98, 1.0, LANES)
    state = start_state(frax, row).reshape(-1, LANES)
    assert np.array_equal(state[STATE_INDEX["collateral_price"]], row[at.M_COLLATERAL_PRICE : at.M_COLLATERAL_PRICE + LANES])
    assert np.array_equal(state[STATE_INDEX["base_value"]], row[at.M_BASE_VALUE : at.M_BASE_VALUE + LANES])
    others = np.delete(state, [STATE_INDEX["collateral_price"], STATE_INDEX["base_value"]], axis=0)
    assert np.all(others == others[:, :1])
    assert state[STATE_INDEX["pool_y"], 0] == frax.state.base_value
    assert state[STATE_INDEX["supply"], 0] == frax.state.stablecoin.supply.value
    assert state[STATE_INDEX["idle"], 0] == frax.state.collateral.idle.value


def test_positions_and_books_come_from_the_snapshot(frax: Study, refigured: Callable[..., Study]) -> None:
    """Every venue's position and every signed book of the minter, Uniswap's as liquidity: L (1 − √0.995) collateral at a price of 1."""
    figures = {
        "amos.investor.lent": 11e6,
        "amos.investor.borrowed": 12e6,
        "amos.fraxlend.lent": 13e6,
        "amos.fraxlend.minted": 14e6,
        "amos.uniswap.liquidity": 15e6,
        "amos.uniswap.minted": -16e6,
        "amos.uniswap.borrowed": 17e6,
        "amos.aave.borrowed": 18e6,
        "amos.curve.minted": 19e6,
        "amos.curve.borrowed": -20e6,
    }
    state = start_state(refigured(frax, figures), np.ones(len(MARKET_INPUTS) * LANES)).reshape(-1, LANES)
    names = ("investor.lent", "investor.borrowed", "fraxlend.lent", "fraxlend.minted", "uniswap.minted", "uniswap.borrowed")
    names += ("aave.borrowed", "curve.minted", "curve.borrowed")
    assert [state[STATE_INDEX[name], 0] for name in names] == [11e6, 12e6, 13e6, 14e6, -16e6, 17e6, 18e6, 19e6, -20e6]
    assert state[STATE_INDEX["uniswap.liquidity"], 0] * (1 - math.sqrt(0.995)) == pytest.approx(15e6, rel=1e-12)


def test_places_to_stake_are_taken_together(frax: Study, refigured: Callable[..., Study]) -> None:
    """Boost = Σ share × boost; what is kept = Σ share × boost × (1 − fee) × (1 + bonus) ÷ boost. Unstaked LP tokens have no boost."""
    staked = {"amos.curve.in_gauge": 0.25, "amos.curve.in_convex": 0.5, "amos.curve.in_stakedao": 0.0, "amos.curve.in_yearn": 0.0}
    figures = {"rewards.gauge.boost": 1.0, "rewards.gauge.fee": 0.0, "rewards.gauge.bonus": 0.0}
    figures |= {"rewards.convex.boost": 2.0, "rewards.convex.fee": 0.2, "rewards.convex.bonus": 0.1}
    vector = constants(refigured(frax, {**staked, **figures}))
    assert vector[CONSTANT_INDEX["reward_boost"]] == pytest.approx(0.25 + 1.0)
    assert vector[CONSTANT_INDEX["reward_keep"]] == pytest.approx((0.25 + 1.0 * 0.8 * 1.1) / 1.25)
    nowhere = constants(refigured(frax, dict.fromkeys(staked, 0.0)))
    assert nowhere[CONSTANT_INDEX["reward_boost"]] == nowhere[CONSTANT_INDEX["reward_keep"]] == 0.0


def test_a_delay_pays_by_the_hour_and_costs_by_the_hour(frax: Study, refigured: Callable[..., Study]) -> None:
    """24 hours: 1/24 of the claims an hour, and 24 times an hour's discount; none or one: all at once; a wait nobody would bear: worth 0."""
    for delay, discount, release, keep in (
        (24.0, 1e-4, 1 / 24, 1 - 24e-4),
        (0.0, 1e-4, 1.0, 1.0),
        (1.0, 0.0, 1.0, 1.0),
        (720.0, 0.01, 1 / 720, 0.0),
    ):
        vector = constants(refigured(frax, {"redeem.delay_hours": delay, "markets.claim_discount_hour": discount}))
        assert vector[CONSTANT_INDEX["claim_release"]] == pytest.approx(release)
        assert vector[CONSTANT_INDEX["claim_keep"]] == pytest.approx(keep)


def test_the_share_tokens_depth_is_relative_to_its_market_value(frax: Study) -> None:
    """60m at a market value of 1.0765bn; a locked share of the rewards is what is not sold."""
    vector = constants(replace(frax, simulation=replace(frax.simulation, crv_locked_share=0.3)))
    assert vector[CONSTANT_INDEX["share_depth_ratio"]] == pytest.approx(60e6 / (17.85533539 * 60_288_304), rel=1e-12)
    assert vector[CONSTANT_INDEX["reward_sold"]] == pytest.approx(0.7)
