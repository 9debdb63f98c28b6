"""Study and parameter set into the kernel's vectors: constants, parameters, the state every lane starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from amo_opt.amos.layout import BASE, layout_of
from amo_opt.amos.parameters import PARAMETERS
from amo_opt.protocol import lanes as at
from amo_opt.protocol.aligned import aligned
from amo_opt.protocol.elementary import exp_of, expm1_of
from amo_opt.protocol.lanes import LANES, MARKET_CONSTANTS
from amo_opt.protocol.lanes import PARAMETERS as COMMON_PARAMETERS
from amo_opt.protocol.parameters import ParameterSet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from amo_opt.amos.layout import Layout
    from amo_opt.config.study import Study
    from amo_opt.protocol.state import ProtocolState

SHARE_MEAN_HOURS = 72.0
"""Time constant of the share token's slow mean, against which its fall is measured."""
PEG_MEAN_HOURS = 72.0
"""Time constant of the exponentially weighted shortfall whose maximum is a path's loss."""


def parameter_vector(parameters: ParameterSet, layout: Layout = BASE) -> NDArray[np.float64]:
    """The parameter vector, shape (parameters of the layout,): the issuer's, what the minter's sums come to as shares, then each AMO's own."""
    values = parameters.values()
    common = {name: values[name] for name in COMMON_PARAMETERS if name in values}
    vector = np.zeros(len(layout.parameter_index), dtype=np.float64)
    for name, value in {**common, **cap_sums(values)}.items():
        vector[layout.parameter_index[name]] = value
    for each in layout.mechanisms:
        for name, parameter in each.parameters.items():
            vector[layout.parameter_index[f"{each.name}.{name}"]] = values[parameter.name]
    return vector


def cap_sums(values: Mapping[str, float]) -> dict[str, float]:
    """The minter's two sums as shares: all that borrow collateral, all that mint, by what they are shares of."""
    borrow = sum(values[each.name] for each in PARAMETERS.values() if each.borrows)
    mint = {
        of: sum(values[each.name] for each in PARAMETERS.values() if each.mints and each.share_of == of) for of in ("supply", "collateral")
    }
    return {"borrow_share": borrow, "mint_share": mint["supply"], "mint_share_of_collateral": mint["collateral"]}


@dataclass(frozen=True)
class Staked:
    """Where the AMO's LP tokens earn rewards, taken together: gauge boost per LP token, and what it keeps of them after fees, bonus included."""

    boost: float
    keep: float


def _staked(state: ProtocolState) -> Staked:
    curve, rewards = state.amos.curve, state.rewards
    places = (
        (curve.in_gauge.value, rewards.gauge),
        (curve.in_convex.value, rewards.convex),
        (curve.in_stakedao.value, rewards.stakedao),
        (curve.in_yearn.value, rewards.yearn),
    )
    boost = sum(share * venue.boost.value for share, venue in places)
    kept = sum(share * venue.boost.value * (1.0 - venue.fee.value) * (1.0 + venue.bonus.value) for share, venue in places)
    return Staked(boost=boost, keep=kept / boost if boost > 0.0 else 0.0)


def constants(study: Study) -> NDArray[np.float64]:
    """The study's constants, shape (constants of its layout,); units as in the state file."""
    state, layout = study.state, layout_of(study.state)
    markets = {name: getattr(state.markets, name).value for name in MARKET_CONSTANTS}
    if not state.has("share_token"):
        markets["hazard_share"] = 0.0  # nobody runs from a token that is not there
    own_x = state.own_of_pool * state.pool.stablecoin.value
    lag = markets["oracle_lag_hours"]
    staked = _staked(state)
    delay = state.redeem.delay_hours.value
    pools = [layout.places[f"{name}-pool"] for name, _ in state.pools.named]
    keepers = layout.keepers
    further = {
        "fee": state.pool.fee.value,
        "admin_fee": state.pool.admin_fee.value,
        "protocol_admin_share": state.pool.protocol_admin_share.value,
        "base_fee": state.pool.base_fee.value,
        "redemption_fee": state.redeem.fee.value,
        "minting_fee": state.mint.fee.value,
        "claim_keep": max(0.0, 1.0 - delay * markets["claim_discount_hour"]),
        "claim_release": 1.0 if delay <= 1.0 else 1.0 / delay,
        "mint_ceiling": state.mint.ceiling.value,
        "reward_boost": staked.boost,
        "reward_outside_boost": state.rewards.outside_boost.value,
        "reward_keep": staked.keep,
        "reward_sold": 1.0 - study.simulation.crv_locked_share,
        "share_depth_ratio": state.share_token.depth_usd.value
        / max(state.size, state.share_token.price.value * state.share_token.supply.value),
        "recollateralise_tokens": state.share_token.recollateralise_tokens_hour.value,
        "recollateralise_bonus": state.share_token.recollateralise_bonus.value,
        "buyback_usd": state.share_token.buyback_usd_hour.value,
        "fxs1559_share": state.share_token.fxs1559_share.value,
        "size": state.size,
        "start_supply": state.stablecoin.supply.value,
        "start_external": state.stablecoin.supply.value - own_x - state.stablecoin_of_amos,
        "start_outside": (1.0 - state.own_of_pool) * (state.pool.stablecoin.value + state.base_value),
        "start_pool": state.pool.stablecoin.value + state.base_value,
        "start_shares": state.share_token.supply.value,
        "start_collateral": state.collateral_usd,
        "start_amplification": state.pool.amplification.value,
        "future_amplification": state.pool.future_amplification.value,
        "ramp_left": state.pool.ramp_hours_left.value,
        "external_floor": max(study.constraints.external_cr_floor, 0.01),
        "response_delay": float(study.simulation.response_delay_hours),
        "par_valuation": float(study.simulation.collateral_valuation == "par"),
        "dollar_reference": float(study.simulation.peg_reference == "dollar"),
        "above_counts": float(study.simulation.peg_sides == "both"),
        "cr_floor": study.simulation.cr_floor,
        "cr_most": max(1.0, state.controller.collateral_ratio.value),
        "income_shared": state.share_token.fxs1559_share.value
        + sum(each.shares_income and state.has(f"amos.{each.name}") for each in layout.mechanisms),
        "oracle_weight": 1.0 if lag == 0.0 else -expm1_of(-1.0 / lag),
        "lending_weight": -expm1_of(-1.0 / markets["lending_memory_hours"]),
        "lp_yield_weight": -expm1_of(-1.0 / markets["lp_yield_hours"]),
        "peg_weight": -expm1_of(-1.0 / PEG_MEAN_HOURS),
        "memory_decay": exp_of(-1.0 / markets["hazard_memory_hours"]),
        "share_recovery": -expm1_of(-1.0 / markets["share_recovery_hours"]),
        "share_weight": -expm1_of(-1.0 / SHARE_MEAN_HOURS),
        "pools": float(len(state.pools.named)),
        "pools_state": float(pools[0].state) if pools else 0.0,
        "pools_constants": float(pools[0].constants) if pools else 0.0,
        "keepers": float(len(keepers)),
        "keepers_state": float(keepers[0].state) if keepers else 0.0,
        "keepers_parameters": float(keepers[0].parameters) if keepers else 0.0,
        "keepers_constants": float(keepers[0].constants) if keepers else 0.0,
    }
    own = {f"{each.name}.{name}": value for each in layout.mechanisms for name, value in each.constants(state).items()}
    for name, _ in state.amos.named:
        if f"{name}.pool" in layout.constant_index:
            own[f"{name}.pool"] = float(layout.places[name].pool)
    everything = {**markets, **further, **own}
    return np.array([everything[name] for name in layout.constant_index], dtype=np.float64)


def figures_to_fit(study: Study) -> dict[str, float]:
    """What the study has of the figures that can be fitted to a history, and ``external_supply``; calm is its own, else the catalogue's."""
    calm = study.calm
    rates = ("hazard_news", "hazard_price", "lp_flight_share", "lp_flight_rate", "lp_return_rate")
    return {
        "external_supply": float(constants(study)[at.C_START_EXTERNAL]),
        **{name: value for name, value in calm.settings.items() if name in ("flow_sd", "flow_hours") or name.startswith("spell_")},
        **{name: getattr(study.state.markets, name).value for name in rates},
    }


def start_state(study: Study, first_row: NDArray[np.float64]) -> NDArray[np.float64]:
    """The flat state of a block at hour 0, shape (lines of its layout × LANES,): every lane the snapshot, at the first row's prices.

    The snapshot's prices are the first market hour's, so that no mark-to-market arises before anything has happened. The kernel's
    ``begin`` fills in what follows from it (D, price, oracle, both collateral ratios).
    """
    state, layout = study.state, layout_of(study.state)
    start = dict.fromkeys(layout.state, 0.0)
    start.update(
        pool_x=state.pool.stablecoin.value,
        pool_y=state.base_value,
        ann=2.0 * state.pool.amplification.value,
        lp_amo=state.own_of_pool,
        lp_supply=1.0,
        supply=state.stablecoin.supply.value,
        collateral_ratio=state.controller.collateral_ratio.value,
        idle=state.collateral.idle.value,
        share_price=state.share_token.price.value,
        share_supply=state.share_token.supply.value,
        share_impact=1.0,
        share_slow=state.share_token.price.value,
        fault_step=-1.0,
    )
    for each in layout.mechanisms:
        start.update({f"{each.name}.{line}": value for line, value in each.start(state).items()})
    block = aligned(len(layout.state) * LANES)
    block[:] = np.repeat([start[name] for name in layout.state], LANES)
    for name, offset in (("collateral_price", at.M_COLLATERAL_PRICE), ("base_value", at.M_BASE_VALUE)):
        first = layout.state_index[name] * LANES
        block[first : first + LANES] = first_row[offset : offset + LANES]
    return block
