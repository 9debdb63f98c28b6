"""The exogenous inputs of one path and step: their names, order and units. `stress` draws them, the kernel's stages read them.

A block's market is a float64 array of shape (steps, len(MARKET_INPUTS) * LANES), C-contiguous; input k of lane i at step t is
``market[t, k * LANES + i]``. Step 0 is the first hour of the transition.
"""

from __future__ import annotations

LANES = 64
"""Paths advanced in lockstep: a compile-time constant, so that every stage is one loop the compiler turns into vector code."""

MARKET_INPUTS: dict[str, str] = {
    "collateral_price": "USD; price of the collateral coin (USDC)",
    "base_value": "USD; value of one base-pool LP counted at virtual price, V(p) of its coins' prices",
    "share_return": "ratio; gross return of the share token over the hour, before the protocol's own sales",
    "lending_deposits": "tokens; outside deposits of the lending market",
    "lending_demand": "tokens; borrow demand of the lending market at a rate of zero",
    "lending_free_cap": "tokens; most the AMO can withdraw this hour because others take what is free (1e15 = no limit)",
    "investor_deposits": "tokens; outside deposits of the Collateral Investor's market",
    "investor_demand": "tokens; borrow demand of the Collateral Investor's market at a rate of zero",
    "fraxlend_deposits": "tokens; stablecoin that others lend out",
    "fraxlend_demand": "tokens; demand to borrow the stablecoin at a rate of zero",
    "reward_tokens": "tokens an hour; reward budget of the gauge",
    "reward_price": "USD; price of the reward token",
    "swap_volume": "USD an hour; two-way volume looking for a pool",
    "flow": "share of the external supply (at most the state's) this hour; signed calm demand, buying positive",
    "news_exit": "share of holders leaving this hour because of news",
    "lp_exit": "share of outside liquidity leaving this hour because of news",
    "gas_usd": "USD; gas of one AMO operation",
    "gate": "1 = primary redemptions open for business, 0 = gated",
    "lending_loss": "share of what is lent on Aave that is lost this hour",
    "investor_loss": "share of what the Collateral Investor has lent that is lost this hour",
    "fraxlend_loss": "share of the borrowers' debt to Fraxlend that is lost this hour",
    "curve_loss": "share of the AMO's LP tokens lost this hour (pool, gauge or the venue they are staked in)",
}

MARKET_INDEX: dict[str, int] = {name: index for index, name in enumerate(MARKET_INPUTS)}
