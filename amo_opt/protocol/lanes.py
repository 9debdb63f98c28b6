"""Where each number of the kernel lives: offsets into the flat state, the parameter vector and the constants.

State is one float64 array; variable K of lane i is ``s[K * LANES + i]``. Stages say ``from amo_opt.protocol import lanes as at`` and ``s[at.S_IDLE + i]``:
the names follow from the declarations below (``S_`` state, ``M_`` market row, ``P_`` parameters, ``C_`` constants), and the compiler freezes them.
Units: dollars, tokens, plain ratios, hours.
"""

from __future__ import annotations

from dataclasses import fields

from amo_opt.protocol.market import LANES, MARKET_INDEX
from amo_opt.protocol.market import COMMON_INPUTS, LANES
from amo_opt.protocol.parameters import PARAMETERS
from amo_opt.protocol.state import Markets

PARAMETER_NAMES: tuple[str, ...] = (
    "amplification",
    "cr_band",
    "cr_step",
    "cr_refresh_hours",
    "curve_collateral_cap",
    "aave_cap",
    "investor_cap",
    "uniswap_cap",
    "curve_mint_cap",
    "fraxlend_cap",
    "idle_buffer",
    "pool_share_low",
    "pool_share_high",
    "rebalance_rate",
    "unwind_price",
    "unwind_cr_margin",
    "unwind_rate",
    "reentry_price",
    "min_cr",
    "mint_price_threshold",
    "redeem_price_threshold",
)
"""The parameters in the order of `amos.parameters.PARAMETERS` (a test holds it); the AMOs that define some of them read their offsets here."""
PARAMETER_INDEX: dict[str, int] = {name: index for index, name in enumerate(PARAMETER_NAMES)}

_RATE_CURVES = ("lending", "investor", "fraxlend")
MARKET_CONSTANTS: tuple[str, ...] = (
    *(field.name for field in fields(Markets)),
    *(f"{market}_{part}" for market in _RATE_CURVES for part in ("slope_1", "slope_2", "kink", "reserve_factor")),
)
FURTHER_CONSTANTS: tuple[str, ...] = (
    "fee",
    "admin_fee",
    "protocol_admin_share",
    "base_fee",
    "redemption_fee",
    "minting_fee",
    "claim_keep",
    "claim_release",
    "mint_ceiling",
    "reward_boost",
    "reward_outside_boost",
    "reward_keep",
    "reward_sold",
    "share_depth_ratio",
    "recollateralise_tokens",
    "recollateralise_bonus",
    "buyback_usd",
    "fxs1559_share",
    "uniswap_low",
    "uniswap_high",
    "uniswap_span",
    "uniswap_fee",
    "uniswap_outside",
    "size",
    "start_supply",
    "start_external",
    "start_outside",
    "start_collateral",
    "start_amplification",
    "external_floor",
    "response_delay",
    "par_valuation",
    "dollar_reference",
    "cr_floor",
    "oracle_weight",
    "lending_weight",
    "lp_yield_weight",
    "peg_weight",
    "memory_decay",
    "share_weight",
    "share_recovery",
)
CONSTANT_INDEX: dict[str, int] = {name: index for index, name in enumerate(MARKET_CONSTANTS + FURTHER_CONSTANTS)}

TOTALS: tuple[str, ...] = ("at_work", "recoverable", "own_outside", "own_at_floor", "own_counted", "minted", "borrowed")
"""Totals over the AMOs, neighbours in the state: collateral at work outside the pool, what of it stands as collateral at the floor, own stablecoin outside the pool
(what can be withdrawn now; what is held at the floor; what the chain counts there, at CR), and the sums of the minter's books. Every AMO adds what it
begins with; from then on whoever moves a position moves them."""

STATE: tuple[str, ...] = (
    # pool
    "pool_x", "pool_y", "ann", "d", "lp_supply", "lp_amo", "own",
    # issuer
    "supply", "collateral_ratio", "hours_since_refresh", "idle", "claims", "net_issued", "share_price", "share_supply", "share_impact", "share_slow", "oracle",
    # holders and outside providers
    "queue", "buy_queue", "backing_value", "fatigue", "sell_demand", "buy_demand", "outside_yield", "outside_yield_start",
    # Aave, the Collateral Investor, Fraxlend (`…_free` = what can be withdrawn this hour)
    "lent", "lending_rate", "lending_free", "invested", "investor_rate", "investor_free",
    "fraxlend_lent", "fraxlend_rate", "fraxlend_free", "fraxlend_drawn", "fraxlend_rate_without", "borrower_flow",
    # Uniswap v3: liquidity, square root of the price, and the balances that follow from them
    "uniswap_liquidity", "uniswap_root", "uniswap_x", "uniswap_y",
    *TOTALS,
    # the minter's signed books
    "curve_minted", "fraxlend_minted", "uniswap_minted", "curve_borrowed", "aave_borrowed", "investor_borrowed", "uniswap_borrowed",
    # reward tokens
    "reward_tokens_earned", "reward_tokens_locked",
    # triggers
    "unwinding", "unwinding_hours", "high_hours", "cr_external_start",
    # this step's prices and ratios; x / D of the pool at a price of CR
    "collateral_price", "base_value", "price", "cr_contract", "cr_external", "scaled_cr",
    # what selling everything would cost, as last settled; income already looked at by FXS1559
    "liquidation_cost", "income_seen",
    # running income and capital lines (cleared when the scored window opens)
    "income_lending", "income_investor", "income_fraxlend", "income_swap_fees", "income_uniswap_fees", "income_rewards",
    "income_primary_fees", "income_market_operations", "income_venue_losses", "income_liquidation",
    "income_mark_to_market", "income_debt_discount",
    "capital_shares_issued", "capital_shares_burned", "capital_recollateralised", "capital_buybacks",
    # running path statistics (cleared likewise)
    "min_price", "min_oracle", "deepest_collateral", "deepest_dollar", "ewm_collateral", "ewm_dollar", "loss_collateral", "loss_dollar",
    "shortfall", "hours_below_099", "hours_below_min_cr", "min_cr_external", "min_cr_contract", "unserved", "unserved_hours",
    "unserved_peak", "first_bad_hour", "last_bad_hour", "hours_over_caps", "hours_unwinding",
    # the first fault of the lane: 0 none, else a code of `FAULTS`, and the step it happened in
    "fault", "fault_step",
)  # fmt: skip
STATE_INDEX: dict[str, int] = {name: index for index, name in enumerate(STATE)}


LINES: tuple[str, ...] = tuple(name for name in STATE if name.startswith(("income_", "capital_")) and name != "income_seen")
"""The accounting lines, in the order of the state: every one is computed where its flow happens."""

FAULTS: dict[int, str] = {
    1: "the pool's invariant did not converge",
    2: "the price inversion did not converge",
    3: "a balance went negative or stopped being a number",
    4: "a deployment left cr_contract below min_cr",
    5: "a deployment went over its cap",
}

MARKET: tuple[str, ...] = (
    *COMMON_INPUTS,
    "lending_deposits", "lending_demand", "lending_free_cap", "lending_loss",
    "investor_deposits", "investor_demand", "investor_free_cap", "investor_loss",
    "fraxlend_deposits", "fraxlend_demand", "fraxlend_loss",
    "curve_loss",
)  # fmt: skip
"""What the stages call the inputs of the market row, in the order of `amos.inputs`."""

_OFFSETS: dict[str, tuple[dict[str, int], int]] = {
    "S": (STATE_INDEX, LANES),
    "M": ({name: index for index, name in enumerate(MARKET)}, LANES),
    "P": (PARAMETER_INDEX, 1),
    "C": (CONSTANT_INDEX, 1),
}
"""Names by their letter, and how far apart they lie."""


def __getattr__(name: str) -> int:
    """The offset that a name stands for. Raises ``AttributeError`` for one that nothing declares."""
    letter, _, rest = name.partition("_")
    index, apart = _OFFSETS.get(letter, ({}, 0))
    if not name.isupper() or rest.lower() not in index:
        raise AttributeError(f"{__name__} declares no {name}")
    return index[rest.lower()] * apart
