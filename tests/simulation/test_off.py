"""Off means off: a mechanism whose figures are all zero moves nothing, and what it would have worked with changes no bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from amo_opt.amos.layout import STATE, STATE_INDEX
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation.engine import draw
from amo_opt.simulation.kernel import run_block
from amo_opt.simulation.pack import constants, parameter_vector, start_state
from amo_opt.stress.catalogue import load_scenario

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet

PATHS = 12
Numbers = Mapping[str, float]


@dataclass(frozen=True)
class Changes:
    """What a study is changed in: figures of its state, settings of its scenarios, values of the set."""

    figures: Numbers = field(default_factory=dict)
    settings: Numbers = field(default_factory=dict)
    values: Numbers = field(default_factory=dict)


@dataclass(frozen=True)
class Off:
    """A mechanism at zero: ``off`` makes it so, ``still`` are variables of the state that then stay 0 at all hours, ``idle`` what it would have worked
    with. ``inner`` are the variables in which a market is watched that nobody is in. ``start`` is what would set it going.
    """

    off: Changes
    idle: Changes
    still: tuple[str, ...] = ()
    inner: tuple[str, ...] = ()
    start: Changes = Changes()


def lender(name: str, market: str, *inner: str, **settings: float) -> Off:
    """An AMO that lends, with neither position nor cap: its market may do what it likes."""
    book = "minted" if name == "fraxlend" else "borrowed"
    return Off(
        off=Changes({f"amos.{name}.lent": 0.0, f"amos.{name}.{book}": 0.0}, {}, {f"{name}_cap": 0.0}),
        idle=Changes(
            {
                f"markets.{market}_slope_1": 0.1,
                f"markets.{market}_slope_2": 3.0,
                f"markets.{market}_kink": 0.5,
                f"markets.{market}_reserve_factor": 0.5,
            },
            {
                f"{market}_deposits": 3e9,
                f"{market}_deposits_sd": 0.4,
                f"{market}_deposits_hours": 24.0,
                f"{market}_utilisation": 0.9,
                f"{market}_utilisation_sd": 0.2,
                f"{market}_utilisation_hours": 12.0,
                f"{name}_loss_severity": 0.9,
                **settings,
            },
        ),
        still=(f"{name}.lent", f"{name}.{book}", f"income_{market}"),
        inner=inner,
    )


MECHANISMS: dict[str, Off] = {
    "Aave": lender("aave", "lending", "aave.rate", "aave.free", freeze_utilisation=0.8, freeze_free=1e9, freeze_days_high=20.0),
    "Collateral Investor": lender("investor", "investor", "investor.rate", "investor.free"),
    "Fraxlend": replace(
        lender("fraxlend", "fraxlend", "fraxlend.rate", "fraxlend.rate_without"),
        still=("fraxlend.lent", "fraxlend.free", "fraxlend.drawn", "fraxlend.minted", "income_fraxlend", "borrower_flow"),
    ),
    "Uniswap v3": Off(
        Changes({f"amos.uniswap.{name}": 0.0 for name in ("liquidity", "outside", "minted", "borrowed")}, {}, {"uniswap_cap": 0.0}),
        Changes({"amos.uniswap.half_width": 0.05, "amos.uniswap.fee": 0.01}),
        ("income_uniswap_fees", "uniswap.x", "uniswap.y", "uniswap.liquidity", "uniswap.minted", "uniswap.borrowed"),
        ("uniswap.root",),
    ),
    "Curve AMO": Off(
        Changes(
            {**{f"amos.curve.{name}": 0.0 for name in ("lp_share", "minted", "borrowed")}, "pool.protocol_admin_share": 0.0},
            {},
            {"curve_collateral_cap": 0.0, "curve_mint_cap": 0.0},
        ),
        Changes(
            {"pool.base_fee": 0.01, "rewards.convex.boost": 1.0, "rewards.outside_boost": 1.0, "markets.reward_depth_usd": 1e3},
            {"curve_loss_severity": 0.9},
            {"pool_share_low": 0.2, "pool_share_high": 0.4, "rebalance_rate": 0.5},
        ),
        ("own", "lp_amo", "curve.minted", "curve.borrowed", "income_rewards", "income_swap_fees", "reward_tokens_earned"),
        ("high_hours",),
    ),
    "a reserve asset": Off(
        Changes({"amos.reserve.amount": 0.0}, {}, {"reserve_cap": 0.0}),
        Changes(
            {f"amos.reserve.{name}": 0.5 for name in ("counts", "follows_collateral", "reachable", "par_out", "annual_yield")},
            {"reserve_loss_severity": 0.9},
        ),
        ("reserve.held", "reserve.wait_1", "reserve.value", "reserve.counted", "income_reserve"),
        start=Changes(
            {"amos.reserve.amount": 2e8, "amos.reserve.delay_hours": 24.0, "amos.reserve.annual_yield": 0.05}, {}, {"reserve_cap": 0.1}
        ),
    ),
    "a savings vault": Off(
        Changes({"amos.savings.deposited": 0.0}, {}, {"savings_income_share": 0.0}),
        Changes(
            {
                "amos.savings.benchmark": 0.5,
                "amos.savings.beyond_income": 1.0,
                "markets.savings_elasticity": 9.0,
                "markets.savings_run": 0.5,
            },
            {},
            {"savings_rate": 0.4},
        ),
        ("savings.deposits", "income_savings"),
        start=Changes({"amos.savings.deposited": 1e8, "amos.savings.rate": 0.05}, {}, {"savings_income_share": 0.5, "savings_rate": 0.05}),
    ),
    "rewards": Off(
        Changes({}, {"reward_tokens_week": 0.0}),
        Changes(
            {"rewards.convex.fee": 0.9, "rewards.outside_boost": 1.0, "markets.reward_depth_usd": 1e3},
            {"reward_token_price": 50.0, "reward_token_daily_vol": 0.5},
        ),
        ("income_rewards", "reward_tokens_earned", "reward_tokens_locked"),
    ),
    "flight of providers": Off(Changes({"markets.lp_flight_rate": 0.0}), Changes({"markets.lp_flight_share": 0.501})),
    "providers after their yield": Off(
        Changes({"markets.lp_return_rate": 0.0}),
        Changes({"markets.lp_yield_response": 3.0, "markets.lp_yield_hours": 5.0}),
        inner=("outside_yield",),
    ),
    "hazards": Off(
        Changes({f"markets.hazard_{name}": 0.0 for name in ("news", "price", "collateral", "share")}),
        Changes({"markets.hazard_limit": 0.05, "markets.hazard_memory_hours": 5.0}),
        ("fatigue",),
    ),
    "calm flow": Off(Changes({}, {"flow_sd": 0.0}), Changes({}, {"flow_hours": 5.0})),
    "two-way volume": Off(
        Changes({"amos.uniswap.liquidity": 0.0}, {"swap_volume_day": 0.0}),
        Changes({"markets.volume_depth_usd": 1e6}, {"swap_volume_sd": 2.0, "swap_volume_hours": 100.0}),
    ),
    "gas": Off(Changes({}, {"gas_gwei": 0.0}), Changes({}, {"gas_gwei_sd": 2.0, "gas_gwei_hours": 5.0, "gas_units": 1e7, "eth_usd": 1e5})),
    "recollateralisation": Off(
        Changes({"share_token.recollateralise_tokens_hour": 0.0}),
        Changes({"share_token.recollateralise_bonus": 0.3}),
        ("capital_recollateralised",),
        start=Changes({"controller.collateral_ratio": 0.95}),
    ),
    "buybacks and FXS1559": Off(
        Changes({"share_token.buyback_usd_hour": 0.0, "share_token.fxs1559_share": 0.0}),
        Changes(),
        ("capital_buybacks",),
        start=Changes({"controller.collateral_ratio": 0.5}),
    ),
    "minting": Off(
        Changes({"mint.ceiling": 0.0}),
        Changes(),
        ("capital_shares_burned",),
        start=Changes({"markets.buyer_premium": 0.05}, {"flow_sd": 1.0, "flow_hours": 24.0}),
    ),
    "redeeming": Off(
        Changes({}, {}, {"redeem_price_threshold": 0.0}),
        Changes({"redeem.fee": 0.1, "redeem.delay_hours": 48.0}),
        ("capital_shares_issued", "claims"),
    ),
    "waiting to collect": Off(
        Changes({"redeem.delay_hours": 0.0}),
        Changes({"markets.claim_discount_hour": 0.01}),
        ("claims",),
        start=Changes({"collateral.idle": 0.5e9}),
    ),
    "venue losses": Off(
        Changes({}, {"losses_certain": 0.0} | {f"{venue}_loss_yearly": 0.0 for venue in ("aave", "investor", "fraxlend", "curve", "coin")}),
        Changes({}, {f"{venue}_loss_severity": 0.9 for venue in ("aave", "investor", "fraxlend", "curve", "coin")}),
        ("income_venue_losses",),
    ),
    "CR controller": Off(
        Changes({}, {}, {"cr_step": 0.0}), Changes({}, {}, {"cr_band": 1e-4, "cr_refresh_hours": 5}), inner=("hours_since_refresh",)
    ),
    "unwinding": Off(
        Changes({}, {}, {"unwind_price": 0.0, "unwind_cr_margin": 2.0}),
        Changes({}, {}, {"unwind_rate": 1.0, "reentry_price": 0.9}),
        ("unwinding", "unwinding_hours", "hours_unwinding"),
    ),
    "borrowers' answer to rates": Off(
        Changes({"markets.lending_elasticity": 0.0, "markets.fraxlend_further_elasticity": 0.0}),
        Changes({"markets.lending_memory_hours": 5.0}),
        inner=("aave.rate", "investor.rate", "fraxlend.rate", "fraxlend.rate_without"),
    ),
    "what Fraxlend's borrowers pledged": Off(
        Changes({"markets.fraxlend_share_pledged": 0.0}),
        Changes({"markets.fraxlend_liquidation_hours": 100.0, "markets.fraxlend_max_ltv": 0.8}),
        ("income_fraxlend_bad_debt",),
        ("fraxlend.due", "fraxlend.lowest"),
        start=Changes({"markets.fraxlend_max_ltv": 0.9, "markets.fraxlend_liquidation_hours": 24.0}),
    ),
    "noise of coins": Off(Changes({}, {"coin_noise_sd": 0.0}), Changes({}, {"coin_noise_hours": 500.0})),
}


@pytest.fixture(scope="module")
def series(
    busy: Study, refigured: Callable[..., Study], hastened: Callable[..., Study], wide_sets: Callable[..., Any]
) -> Callable[..., Any]:
    """Every variable of the state, hour by hour, on a few paths of two scenarios and a loss in some venue, with all AMOs in use but for the changes."""
    wide = wide_sets(busy, 1, 2)[0]
    losses = {f"{venue}_loss_yearly": 0.1 for venue in ("aave", "investor", "fraxlend", "curve", "coin")}

    def run(*changes: Changes) -> dict[str, np.ndarray]:
        parameters: ParameterSet = wide
        study = busy
        scenarios = [
            load_scenario("lending-freeze-svb", weight=1.0),
            load_scenario("ust-contagion-2022", weight=1.0, settings={"losses_certain": 1.0, **losses}),
        ]
        for each in changes:
            study = refigured(study, each.figures)
            parameters = parameters.replace(**each.values)
            scenarios = [
                replace(one, settings=one.settings | {name: value for name, value in each.settings.items() if name in one.settings})
                for one in scenarios
            ]
        study = hastened(replace(study, scenarios=tuple(scenarios)), 24, 96)
        traced = [_traced(study, parameters, scenario) for scenario in study.scenarios]
        return {name: np.concatenate([one[name] for one in traced]) for name in STATE}

    return run


def _traced(study: Study, parameters: ParameterSet, scenario: Any) -> dict[str, np.ndarray]:
    market = draw(scenario, study, first=0, lanes=PATHS, stream="search")
    state, navs = start_state(study, market[0]), np.zeros((3, LANES))
    trace = np.empty((len(market), len(STATE) * LANES))
    offsets = np.arange(len(STATE), dtype=np.int64) * LANES
    hours = study.simulation.transition_hours
    run_block(state, market, parameter_vector(parameters), constants(study), hours, navs, np.zeros_like(state), offsets, trace)
    return {name: trace[:, index * LANES : index * LANES + PATHS] for name, index in STATE_INDEX.items()}


@pytest.mark.parametrize("name", MECHANISMS)
def test_off_is_off(series: Callable[..., Any], name: str) -> None:
    """At zero its variables stay 0 at every hour of every path; what it would have worked with, changed out of all proportion, changes no bit."""
    mechanism = MECHANISMS[name]
    off = series(mechanism.start, mechanism.off)
    assert [variable for variable in mechanism.still if np.any(off[variable] != 0.0)] == []
    other = series(mechanism.start, mechanism.off, mechanism.idle)
    moved = [variable for variable in STATE if not np.array_equal(off[variable], other[variable])]
    assert set(moved) <= set(mechanism.inner)


@pytest.mark.parametrize("name", MECHANISMS)
def test_on_it_would_have_moved(series: Callable[..., Any], name: str) -> None:
    """The control: switched on in the same paths, the mechanism moves its variables, and what it works with changes results."""
    mechanism = MECHANISMS[name]
    on = series(mechanism.start)
    assert [variable for variable in mechanism.still if not np.any(on[variable] != 0.0)] == []
    if mechanism.idle != Changes():
        other = series(mechanism.start, mechanism.idle)
        assert {variable for variable in STATE if not np.array_equal(on[variable], other[variable])} - set(mechanism.inner)


def test_a_cap_too_small_to_use_is_no_cap(series: Callable[..., Any]) -> None:
    """A Fraxlend AMO whose cap is smaller than any operation does nothing, and so does its market: no flow begins at the first millionth of a cap."""
    off = MECHANISMS["Fraxlend"]
    without = series(off.off)
    within = series(off.off, Changes({}, {}, {"fraxlend_cap": 1e-6}))
    pledged = {"fraxlend.price", "fraxlend.due", "fraxlend.lowest"}
    assert {variable for variable in STATE if not np.array_equal(without[variable], within[variable])} == {*off.inner, *pledged}
