"""Where each number of the kernel lives: offsets into the flat state, the parameter vector and the constants.

State is one float64 array; variable K of lane i is ``s[K * LANES + i]``. Offsets are plain module integers because the compiler
freezes them. Units: dollars, tokens, plain ratios, hours.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from amo_opt.protocol.market import LANES, MARKET_INDEX
from amo_opt.protocol.parameters import PARAMETERS
from amo_opt.protocol.state import Markets

# -- market inputs: column offsets of a market row ------------------------------------------------------------------------------
M_COLLATERAL_PRICE: Final = MARKET_INDEX["collateral_price"] * LANES
M_BASE_VALUE: Final = MARKET_INDEX["base_value"] * LANES
M_SHARE_RETURN: Final = MARKET_INDEX["share_return"] * LANES
M_LENDING_DEPOSITS: Final = MARKET_INDEX["lending_deposits"] * LANES
M_LENDING_DEMAND: Final = MARKET_INDEX["lending_demand"] * LANES
M_LENDING_FREE_CAP: Final = MARKET_INDEX["lending_free_cap"] * LANES
M_INVESTOR_DEPOSITS: Final = MARKET_INDEX["investor_deposits"] * LANES
M_INVESTOR_DEMAND: Final = MARKET_INDEX["investor_demand"] * LANES
M_FRAXLEND_DEPOSITS: Final = MARKET_INDEX["fraxlend_deposits"] * LANES
M_FRAXLEND_DEMAND: Final = MARKET_INDEX["fraxlend_demand"] * LANES
M_REWARD_TOKENS: Final = MARKET_INDEX["reward_tokens"] * LANES
M_REWARD_PRICE: Final = MARKET_INDEX["reward_price"] * LANES
M_SWAP_VOLUME: Final = MARKET_INDEX["swap_volume"] * LANES
M_FLOW: Final = MARKET_INDEX["flow"] * LANES
M_NEWS_EXIT: Final = MARKET_INDEX["news_exit"] * LANES
M_LP_EXIT: Final = MARKET_INDEX["lp_exit"] * LANES
M_GAS_USD: Final = MARKET_INDEX["gas_usd"] * LANES
M_GATE: Final = MARKET_INDEX["gate"] * LANES
M_LENDING_LOSS: Final = MARKET_INDEX["lending_loss"] * LANES
M_INVESTOR_LOSS: Final = MARKET_INDEX["investor_loss"] * LANES
M_FRAXLEND_LOSS: Final = MARKET_INDEX["fraxlend_loss"] * LANES
M_CURVE_LOSS: Final = MARKET_INDEX["curve_loss"] * LANES

# -- parameter vector: the order of PARAMETERS ----------------------------------------------------------------------------------
PARAMETER_INDEX: dict[str, int] = {name: index for index, name in enumerate(PARAMETERS)}
P_AMPLIFICATION: Final = PARAMETER_INDEX["amplification"]
P_CR_BAND: Final = PARAMETER_INDEX["cr_band"]
P_CR_STEP: Final = PARAMETER_INDEX["cr_step"]
P_CR_REFRESH: Final = PARAMETER_INDEX["cr_refresh_hours"]
P_CURVE_CAP: Final = PARAMETER_INDEX["curve_collateral_cap"]
P_AAVE_CAP: Final = PARAMETER_INDEX["aave_cap"]
P_INVESTOR_CAP: Final = PARAMETER_INDEX["investor_cap"]
P_UNISWAP_CAP: Final = PARAMETER_INDEX["uniswap_cap"]
P_FRAXLEND_CAP: Final = PARAMETER_INDEX["fraxlend_cap"]
P_MINT_CAP: Final = PARAMETER_INDEX["curve_mint_cap"]
P_BUFFER: Final = PARAMETER_INDEX["idle_buffer"]
P_SHARE_LOW: Final = PARAMETER_INDEX["pool_share_low"]
P_SHARE_HIGH: Final = PARAMETER_INDEX["pool_share_high"]
P_REBALANCE: Final = PARAMETER_INDEX["rebalance_rate"]
P_UNWIND_PRICE: Final = PARAMETER_INDEX["unwind_price"]
P_UNWIND_MARGIN: Final = PARAMETER_INDEX["unwind_cr_margin"]
P_UNWIND_RATE: Final = PARAMETER_INDEX["unwind_rate"]
P_REENTRY: Final = PARAMETER_INDEX["reentry_price"]
P_MIN_CR: Final = PARAMETER_INDEX["min_cr"]
P_MINT_THRESHOLD: Final = PARAMETER_INDEX["mint_price_threshold"]
P_REDEEM_THRESHOLD: Final = PARAMETER_INDEX["redeem_price_threshold"]

# -- constants of a study: behaviour of markets first, in the order of the state file ---------------------------------------------
MARKET_CONSTANTS: tuple[str, ...] = tuple(field.name for field in fields(Markets))
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
C_RAMP_HOURS: Final = CONSTANT_INDEX["ramp_hours"]
C_DEPLOY_RATE: Final = CONSTANT_INDEX["deploy_rate"]
C_HOUR_LIMIT: Final = CONSTANT_INDEX["hour_limit"]
C_HAIRCUT: Final = CONSTANT_INDEX["seller_haircut"]
C_BUYER_PREMIUM: Final = CONSTANT_INDEX["buyer_premium"]
C_VALUE_BUYERS: Final = CONSTANT_INDEX["value_buyers"]
C_VALUE_SELLERS: Final = CONSTANT_INDEX["value_sellers"]
C_HAZARD_NEWS: Final = CONSTANT_INDEX["hazard_news"]
C_HAZARD_PRICE: Final = CONSTANT_INDEX["hazard_price"]
C_HAZARD_COLLATERAL: Final = CONSTANT_INDEX["hazard_collateral"]
C_HAZARD_SHARE: Final = CONSTANT_INDEX["hazard_share"]
C_HAZARD_LIMIT: Final = CONSTANT_INDEX["hazard_limit"]
C_FLIGHT_SHARE: Final = CONSTANT_INDEX["lp_flight_share"]
C_FLIGHT_RATE: Final = CONSTANT_INDEX["lp_flight_rate"]
C_LP_RESPONSE: Final = CONSTANT_INDEX["lp_yield_response"]
C_RETURN_RATE: Final = CONSTANT_INDEX["lp_return_rate"]
C_VOLUME_DEPTH: Final = CONSTANT_INDEX["volume_depth_usd"]
C_SLOPE_1: Final = CONSTANT_INDEX["lending_slope_1"]
C_SLOPE_2: Final = CONSTANT_INDEX["lending_slope_2"]
C_KINK: Final = CONSTANT_INDEX["lending_kink"]
C_RESERVE_FACTOR: Final = CONSTANT_INDEX["lending_reserve_factor"]
C_ELASTICITY: Final = CONSTANT_INDEX["lending_elasticity"]
C_ILLIQUID_HAIRCUT: Final = CONSTANT_INDEX["illiquid_haircut"]
C_INVESTOR_SLOPE_1: Final = CONSTANT_INDEX["investor_slope_1"]
C_INVESTOR_SLOPE_2: Final = CONSTANT_INDEX["investor_slope_2"]
C_INVESTOR_KINK: Final = CONSTANT_INDEX["investor_kink"]
C_INVESTOR_RESERVE_FACTOR: Final = CONSTANT_INDEX["investor_reserve_factor"]
C_FRAXLEND_SLOPE_1: Final = CONSTANT_INDEX["fraxlend_slope_1"]
C_FRAXLEND_SLOPE_2: Final = CONSTANT_INDEX["fraxlend_slope_2"]
C_FRAXLEND_KINK: Final = CONSTANT_INDEX["fraxlend_kink"]
C_FRAXLEND_RESERVE_FACTOR: Final = CONSTANT_INDEX["fraxlend_reserve_factor"]
C_REWARD_DEPTH: Final = CONSTANT_INDEX["reward_depth_usd"]
C_FEE: Final = CONSTANT_INDEX["fee"]
C_ADMIN_FEE: Final = CONSTANT_INDEX["admin_fee"]
C_PROTOCOL_ADMIN: Final = CONSTANT_INDEX["protocol_admin_share"]
C_BASE_FEE: Final = CONSTANT_INDEX["base_fee"]
C_REDEMPTION_FEE: Final = CONSTANT_INDEX["redemption_fee"]
C_MINTING_FEE: Final = CONSTANT_INDEX["minting_fee"]
C_REWARD_BOOST: Final = CONSTANT_INDEX["reward_boost"]
C_REWARD_OUTSIDE_BOOST: Final = CONSTANT_INDEX["reward_outside_boost"]
C_REWARD_KEEP: Final = CONSTANT_INDEX["reward_keep"]
C_REWARD_SOLD: Final = CONSTANT_INDEX["reward_sold"]
C_CLAIM_KEEP: Final = CONSTANT_INDEX["claim_keep"]
C_CLAIM_RELEASE: Final = CONSTANT_INDEX["claim_release"]
C_MINT_CEILING: Final = CONSTANT_INDEX["mint_ceiling"]
C_SHARE_DEPTH_RATIO: Final = CONSTANT_INDEX["share_depth_ratio"]
C_RECOLLATERALISE_TOKENS: Final = CONSTANT_INDEX["recollateralise_tokens"]
C_RECOLLATERALISE_BONUS: Final = CONSTANT_INDEX["recollateralise_bonus"]
C_BUYBACK_USD: Final = CONSTANT_INDEX["buyback_usd"]
C_FXS1559_SHARE: Final = CONSTANT_INDEX["fxs1559_share"]
C_UNISWAP_LOW: Final = CONSTANT_INDEX["uniswap_low"]
C_UNISWAP_HIGH: Final = CONSTANT_INDEX["uniswap_high"]
C_UNISWAP_SPAN: Final = CONSTANT_INDEX["uniswap_span"]
C_UNISWAP_FEE: Final = CONSTANT_INDEX["uniswap_fee"]
C_UNISWAP_OUTSIDE: Final = CONSTANT_INDEX["uniswap_outside"]
C_SIZE: Final = CONSTANT_INDEX["size"]
C_START_SUPPLY: Final = CONSTANT_INDEX["start_supply"]
C_START_EXTERNAL: Final = CONSTANT_INDEX["start_external"]
C_START_OUTSIDE: Final = CONSTANT_INDEX["start_outside"]
C_START_COLLATERAL: Final = CONSTANT_INDEX["start_collateral"]
C_START_A: Final = CONSTANT_INDEX["start_amplification"]
C_EXTERNAL_FLOOR: Final = CONSTANT_INDEX["external_floor"]
C_RESPONSE_DELAY: Final = CONSTANT_INDEX["response_delay"]
C_PAR_VALUATION: Final = CONSTANT_INDEX["par_valuation"]
C_DOLLAR_REFERENCE: Final = CONSTANT_INDEX["dollar_reference"]
C_CR_FLOOR: Final = CONSTANT_INDEX["cr_floor"]
C_ORACLE_WEIGHT: Final = CONSTANT_INDEX["oracle_weight"]
C_LENDING_WEIGHT: Final = CONSTANT_INDEX["lending_weight"]
C_LP_YIELD_WEIGHT: Final = CONSTANT_INDEX["lp_yield_weight"]
C_PEG_WEIGHT: Final = CONSTANT_INDEX["peg_weight"]
C_MEMORY_DECAY: Final = CONSTANT_INDEX["memory_decay"]
C_SHARE_RECOVERY: Final = CONSTANT_INDEX["share_recovery"]
C_SHARE_WEIGHT: Final = CONSTANT_INDEX["share_weight"]

# -- state: what a lane carries from step to step -----------------------------------------------------------------------------------
STATE: tuple[str, ...] = (
    # pool
    "pool_x", "pool_y", "ann", "d", "lp_supply", "lp_amo", "own",
    # issuer
    "supply", "collateral_ratio", "hours_since_refresh", "idle", "claims", "net_issued", "share_price", "share_supply", "share_impact", "share_slow", "oracle",
    # holders and outside providers
    "queue", "buy_queue", "worth", "fatigue", "sell_demand", "buy_demand", "outside_yield", "outside_yield_start",
    # Aave, the Collateral Investor, Fraxlend (`…_free` = what can be withdrawn this hour)
    "lent", "lending_rate", "lending_free", "invested", "investor_rate", "investor_free",
    "fraxlend_lent", "fraxlend_rate", "fraxlend_free", "fraxlend_drawn", "fraxlend_rate_without", "borrower_flow",
    # Uniswap v3: liquidity, square root of the price, and the balances that follow from them
    "uniswap_liquidity", "uniswap_root", "uniswap_x", "uniswap_y",
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
    # running records (cleared likewise)
    "min_price", "min_oracle", "deepest_collateral", "deepest_dollar", "ewm_collateral", "ewm_dollar", "loss_collateral", "loss_dollar",
    "shortfall", "hours_below_099", "hours_below_min_cr", "min_cr_external", "min_cr_contract", "unserved", "unserved_hours",
    "unserved_peak", "first_bad_hour", "last_bad_hour", "hours_over_caps", "hours_unwinding",
    # the first fault of the lane: 0 none, else a code of `FAULTS`, and the step it happened in
    "fault", "fault_step",
)  # fmt: skip
STATE_INDEX: dict[str, int] = {name: index for index, name in enumerate(STATE)}

S_POOL_X: Final = STATE_INDEX["pool_x"] * LANES
S_POOL_Y: Final = STATE_INDEX["pool_y"] * LANES
S_ANN: Final = STATE_INDEX["ann"] * LANES
S_D: Final = STATE_INDEX["d"] * LANES
S_LP_SUPPLY: Final = STATE_INDEX["lp_supply"] * LANES
S_LP_AMO: Final = STATE_INDEX["lp_amo"] * LANES
S_OWN: Final = STATE_INDEX["own"] * LANES
S_SUPPLY: Final = STATE_INDEX["supply"] * LANES
S_COLLATERAL_RATIO: Final = STATE_INDEX["collateral_ratio"] * LANES
S_HOURS_SINCE_REFRESH: Final = STATE_INDEX["hours_since_refresh"] * LANES
S_IDLE: Final = STATE_INDEX["idle"] * LANES
S_CLAIMS: Final = STATE_INDEX["claims"] * LANES
S_NET_ISSUED: Final = STATE_INDEX["net_issued"] * LANES
S_SHARE_PRICE: Final = STATE_INDEX["share_price"] * LANES
S_SHARE_SUPPLY: Final = STATE_INDEX["share_supply"] * LANES
S_SHARE_IMPACT: Final = STATE_INDEX["share_impact"] * LANES
S_SHARE_SLOW: Final = STATE_INDEX["share_slow"] * LANES
S_ORACLE: Final = STATE_INDEX["oracle"] * LANES
S_QUEUE: Final = STATE_INDEX["queue"] * LANES
S_BUY_QUEUE: Final = STATE_INDEX["buy_queue"] * LANES
S_WORTH: Final = STATE_INDEX["worth"] * LANES
S_FATIGUE: Final = STATE_INDEX["fatigue"] * LANES
S_SELL_DEMAND: Final = STATE_INDEX["sell_demand"] * LANES
S_BUY_DEMAND: Final = STATE_INDEX["buy_demand"] * LANES
S_OUTSIDE_YIELD: Final = STATE_INDEX["outside_yield"] * LANES
S_OUTSIDE_YIELD_START: Final = STATE_INDEX["outside_yield_start"] * LANES
S_LENT: Final = STATE_INDEX["lent"] * LANES
S_LENDING_RATE: Final = STATE_INDEX["lending_rate"] * LANES
S_LENDING_FREE: Final = STATE_INDEX["lending_free"] * LANES
S_INVESTED: Final = STATE_INDEX["invested"] * LANES
S_INVESTOR_RATE: Final = STATE_INDEX["investor_rate"] * LANES
S_INVESTOR_FREE: Final = STATE_INDEX["investor_free"] * LANES
S_FRAXLEND_LENT: Final = STATE_INDEX["fraxlend_lent"] * LANES
S_FRAXLEND_RATE: Final = STATE_INDEX["fraxlend_rate"] * LANES
S_FRAXLEND_FREE: Final = STATE_INDEX["fraxlend_free"] * LANES
S_FRAXLEND_DRAWN: Final = STATE_INDEX["fraxlend_drawn"] * LANES
S_FRAXLEND_RATE_WITHOUT: Final = STATE_INDEX["fraxlend_rate_without"] * LANES
S_BORROWER_FLOW: Final = STATE_INDEX["borrower_flow"] * LANES
S_UNISWAP_LIQUIDITY: Final = STATE_INDEX["uniswap_liquidity"] * LANES
S_UNISWAP_ROOT: Final = STATE_INDEX["uniswap_root"] * LANES
S_UNISWAP_X: Final = STATE_INDEX["uniswap_x"] * LANES
S_UNISWAP_Y: Final = STATE_INDEX["uniswap_y"] * LANES
S_CURVE_MINTED: Final = STATE_INDEX["curve_minted"] * LANES
S_FRAXLEND_MINTED: Final = STATE_INDEX["fraxlend_minted"] * LANES
S_UNISWAP_MINTED: Final = STATE_INDEX["uniswap_minted"] * LANES
S_CURVE_BORROWED: Final = STATE_INDEX["curve_borrowed"] * LANES
S_AAVE_BORROWED: Final = STATE_INDEX["aave_borrowed"] * LANES
S_INVESTOR_BORROWED: Final = STATE_INDEX["investor_borrowed"] * LANES
S_UNISWAP_BORROWED: Final = STATE_INDEX["uniswap_borrowed"] * LANES
S_REWARD_TOKENS_EARNED: Final = STATE_INDEX["reward_tokens_earned"] * LANES
S_REWARD_TOKENS_LOCKED: Final = STATE_INDEX["reward_tokens_locked"] * LANES
S_UNWINDING: Final = STATE_INDEX["unwinding"] * LANES
S_UNWINDING_HOURS: Final = STATE_INDEX["unwinding_hours"] * LANES
S_HIGH_HOURS: Final = STATE_INDEX["high_hours"] * LANES
S_CR_EXTERNAL_START: Final = STATE_INDEX["cr_external_start"] * LANES
S_COLLATERAL_PRICE: Final = STATE_INDEX["collateral_price"] * LANES
S_BASE_VALUE: Final = STATE_INDEX["base_value"] * LANES
S_PRICE: Final = STATE_INDEX["price"] * LANES
S_CR_CONTRACT: Final = STATE_INDEX["cr_contract"] * LANES
S_CR_EXTERNAL: Final = STATE_INDEX["cr_external"] * LANES
S_SCALED_CR: Final = STATE_INDEX["scaled_cr"] * LANES
S_LIQUIDATION_COST: Final = STATE_INDEX["liquidation_cost"] * LANES
S_INCOME_SEEN: Final = STATE_INDEX["income_seen"] * LANES
S_INCOME_LENDING: Final = STATE_INDEX["income_lending"] * LANES
S_INCOME_INVESTOR: Final = STATE_INDEX["income_investor"] * LANES
S_INCOME_FRAXLEND: Final = STATE_INDEX["income_fraxlend"] * LANES
S_INCOME_SWAP_FEES: Final = STATE_INDEX["income_swap_fees"] * LANES
S_INCOME_UNISWAP_FEES: Final = STATE_INDEX["income_uniswap_fees"] * LANES
S_INCOME_REWARDS: Final = STATE_INDEX["income_rewards"] * LANES
S_INCOME_PRIMARY_FEES: Final = STATE_INDEX["income_primary_fees"] * LANES
S_INCOME_MARKET_OPERATIONS: Final = STATE_INDEX["income_market_operations"] * LANES
S_INCOME_VENUE_LOSSES: Final = STATE_INDEX["income_venue_losses"] * LANES
S_INCOME_LIQUIDATION: Final = STATE_INDEX["income_liquidation"] * LANES
S_INCOME_MARK_TO_MARKET: Final = STATE_INDEX["income_mark_to_market"] * LANES
S_INCOME_DEBT_DISCOUNT: Final = STATE_INDEX["income_debt_discount"] * LANES
S_CAPITAL_SHARES_ISSUED: Final = STATE_INDEX["capital_shares_issued"] * LANES
S_CAPITAL_SHARES_BURNED: Final = STATE_INDEX["capital_shares_burned"] * LANES
S_CAPITAL_RECOLLATERALISED: Final = STATE_INDEX["capital_recollateralised"] * LANES
S_CAPITAL_BUYBACKS: Final = STATE_INDEX["capital_buybacks"] * LANES
S_MIN_PRICE: Final = STATE_INDEX["min_price"] * LANES
S_MIN_ORACLE: Final = STATE_INDEX["min_oracle"] * LANES
S_DEEPEST_COLLATERAL: Final = STATE_INDEX["deepest_collateral"] * LANES
S_DEEPEST_DOLLAR: Final = STATE_INDEX["deepest_dollar"] * LANES
S_EWM_COLLATERAL: Final = STATE_INDEX["ewm_collateral"] * LANES
S_EWM_DOLLAR: Final = STATE_INDEX["ewm_dollar"] * LANES
S_LOSS_COLLATERAL: Final = STATE_INDEX["loss_collateral"] * LANES
S_LOSS_DOLLAR: Final = STATE_INDEX["loss_dollar"] * LANES
S_SHORTFALL: Final = STATE_INDEX["shortfall"] * LANES
S_HOURS_BELOW_099: Final = STATE_INDEX["hours_below_099"] * LANES
S_HOURS_BELOW_MIN_CR: Final = STATE_INDEX["hours_below_min_cr"] * LANES
S_MIN_CR_EXTERNAL: Final = STATE_INDEX["min_cr_external"] * LANES
S_MIN_CR_CONTRACT: Final = STATE_INDEX["min_cr_contract"] * LANES
S_UNSERVED: Final = STATE_INDEX["unserved"] * LANES
S_UNSERVED_HOURS: Final = STATE_INDEX["unserved_hours"] * LANES
S_UNSERVED_PEAK: Final = STATE_INDEX["unserved_peak"] * LANES
S_FIRST_BAD_HOUR: Final = STATE_INDEX["first_bad_hour"] * LANES
S_LAST_BAD_HOUR: Final = STATE_INDEX["last_bad_hour"] * LANES
S_HOURS_OVER_CAPS: Final = STATE_INDEX["hours_over_caps"] * LANES
S_HOURS_UNWINDING: Final = STATE_INDEX["hours_unwinding"] * LANES
S_FAULT: Final = STATE_INDEX["fault"] * LANES
S_FAULT_STEP: Final = STATE_INDEX["fault_step"] * LANES

LINES: tuple[str, ...] = tuple(name for name in STATE if name.startswith(("income_", "capital_")) and name != "income_seen")
"""The accounting lines, in the order of the state: every one is computed where its flow happens."""

FAULTS: dict[int, str] = {
    1: "the pool's invariant did not converge",
    2: "the price inversion did not converge",
    3: "a balance went negative or stopped being a number",
    4: "a deployment left cr_contract below min_cr",
    5: "a deployment went over its cap",
}
