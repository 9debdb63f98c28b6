"""What one would expect of each parameter, and which metrics are made of which: the yardstick of section 7, printed with it.

An expectation is a sign with its reason. It is not a law: where the model disagrees, either the model or the intuition deserves a look.
"""

from __future__ import annotations

from dataclasses import replace

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.mechanism import Expectation
from amo_opt.amos.parameters import PARAMETERS

_OF_THE_ISSUER = tuple(
    Expectation(parameter=parameter, metric=metric, sign=sign, reason=reason)
    for parameter, metric, sign, reason in (
        ("amplification", "peg_cvar95_bps", -1, "a flatter curve: the same sale moves the price less"),
        ("amplification", "shortfall_cvar90_bps", -1, "a flatter curve: the same sale moves the price less"),
        ("amplification", "floor_supply_01_usd", +1, "more can be sold before the price leaves 0.99"),
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
_OF_AMOS = tuple(replace(each, parameter=amo.parameters[each.parameter].name) for amo in MECHANISMS for each in amo.expectations)
_PLACES = tuple(PARAMETERS)

EXPECTATIONS: tuple[Expectation, ...] = tuple(sorted((*_OF_THE_ISSUER, *_OF_AMOS), key=lambda each: _PLACES.index(each.parameter)))
"""Every expectation, by parameter in the order of a parameter file."""

MADE_OF: dict[str, tuple[str, ...]] = {
    "peg_cvar95_bps": ("shortfall_cvar90_bps", "min_price_tail95", "end_shortfall_bps"),
    "unserved_cvar90_usd_hours": ("unserved_usd_hours", "unserved_peak_usd"),
    "breach_probability": ("min_cr_external", "min_cr_external_tail95"),
    "hours_below_099": ("min_price", "min_price_tail95", "shortfall_cvar90_bps"),
}
"""A risk -> the figures that should move with it: a risk that falls while all of these get worse asks for an explanation."""
