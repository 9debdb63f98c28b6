"""What one would expect of each parameter, and which metrics are made of which: the yardstick of section 7, printed with it.

An expectation is a sign with its reason. It is not a law: where the model disagrees, either the model or the intuition deserves a look.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Expectation:
    """``sign``: +1 where a higher ``parameter`` should raise ``metric``, -1 where it should lower it."""

    parameter: str
    metric: str
    sign: int
    reason: str


EXPECTATIONS: tuple[Expectation, ...] = tuple(
    Expectation(*each)
    for each in (
        ("amplification", "peg_cvar95_bps", -1, "a flatter curve: the same sale moves the price less"),
        ("amplification", "shortfall_cvar90_bps", -1, "a flatter curve: the same sale moves the price less"),
        ("amplification", "floor_supply_01_usd", +1, "more can be sold before the price leaves 0.99"),
        ("curve_collateral_cap", "yield", +1, "more of the pool earns its fees and rewards"),
        ("curve_collateral_cap", "floor_supply_01_usd", +1, "more dollars stand in the pool against sales"),
        ("aave_cap", "yield", +1, "lent collateral earns interest"),
        ("aave_cap", "min_cr_external_tail95", -1, "lent collateral can be frozen or lost"),
        ("investor_cap", "yield", +1, "lent collateral earns interest"),
        ("investor_cap", "min_cr_external_tail95", -1, "lent collateral can be frozen or lost"),
        ("uniswap_cap", "yield", +1, "liquidity earns fees"),
        ("curve_mint_cap", "yield", +1, "a larger share of the pool earns more of its rewards"),
        ("fraxlend_cap", "yield", +1, "minted stablecoin is lent at interest"),
        ("fraxlend_cap", "min_cr_external_tail95", -1, "borrowers sell what was minted: more claims on the same collateral"),
        ("fraxlend_cap", "floor_ratio", -1, "more algorithmic supply on the same depth"),
        ("idle_buffer", "yield", -1, "idle collateral earns nothing"),
        ("idle_buffer", "unserved_usd_hours", -1, "redemptions are paid from it at once"),
        ("idle_buffer", "unserved_cvar90_usd_hours", -1, "redemptions are paid from it at once"),
        ("pool_share_low", "yield", +1, "more of the pool is the protocol's and earns"),
        ("pool_share_low", "floor_supply_01_usd", -1, "more stablecoin in the pool leaves less room for sales"),
        ("pool_share_high", "yield", +1, "the AMO keeps its place in the pool for longer"),
        ("pool_share_high", "shortfall_cvar90_bps", +1, "stablecoin is withdrawn and burnt later"),
        ("pool_share_high", "floor_supply_01_usd", -1, "more stablecoin in the pool leaves less room for sales"),
        ("rebalance_rate", "shortfall_cvar90_bps", -1, "surplus stablecoin leaves the pool faster"),
        ("unwind_price", "yield", -1, "unwound collateral earns nothing"),
        ("unwind_price", "min_cr_external_tail95", +1, "collateral leaves its venues earlier"),
        ("unwind_rate", "unserved_usd_hours", -1, "collateral comes home sooner"),
    )
)
"""Every expectation, by parameter in the order of a parameter file."""

MADE_OF: dict[str, tuple[str, ...]] = {
    "peg_cvar95_bps": ("shortfall_cvar90_bps", "min_price_tail95", "end_shortfall_bps"),
    "unserved_cvar90_usd_hours": ("unserved_usd_hours", "unserved_peak_usd"),
    "breach_probability": ("min_cr_external", "min_cr_external_tail95"),
    "hours_below_099": ("min_price", "min_price_tail95", "shortfall_cvar90_bps"),
}
"""A risk -> the figures that should move with it: a risk that falls while all of these get worse asks for an explanation."""
