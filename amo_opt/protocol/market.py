"""The exogenous inputs of one path and step that belong to no AMO: their names, order and units.

Each AMO declares its own besides (`amos.mechanism`); `amos.layout` puts them together, `stress` draws them, the kernel's stages read them.
"""

from __future__ import annotations

LANES = 64
"""Paths advanced in lockstep: a compile-time constant, so that every stage is one loop the compiler turns into vector code."""

COMMON_INPUTS: dict[str, str] = {
    "collateral_price": "USD; price of the collateral coin (USDC)",
    "base_value": "USD; value of one base-pool LP counted at virtual price, V(p) of its coins' prices",
    "share_return": "ratio; gross return of the share token over the hour, before the protocol's own sales",
    "reward_tokens": "tokens an hour; reward budget of the gauge",
    "reward_price": "USD; price of the reward token",
    "swap_volume": "USD an hour; two-way volume looking for a pool",
    "flow": "share of the external supply (at most the state's) this hour; signed calm demand, buying positive",
    "news_exit": "share of holders leaving this hour because of news",
    "lp_exit": "share of outside liquidity leaving this hour because of news",
    "lp_change": "share by which outside liquidity grows this hour, both sides, by calm and busy spells; less than 0: shrinks",
    "gas_usd": "USD; gas of one AMO operation",
    "gate": "1 = primary redemptions open for business, 0 = gated",
}
