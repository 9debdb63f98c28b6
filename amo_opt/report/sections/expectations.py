"""What one would expect of each parameter, and which metrics are made of which: the yardstick of section 7, printed with it.

An expectation is a sign with its reason. It is not a law: where the model disagrees, either the model or the intuition deserves a look.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.kinds import POOL
from amo_opt.amos.layout import mechanisms_of
from amo_opt.amos.mechanism import Expectation
from amo_opt.amos.parameters import parameters_in, parameters_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amo_opt.amos.mechanism import Mechanism
    from amo_opt.protocol.state import ProtocolState

_OF_THE_ISSUER = (
    *(
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
    ),
    Expectation(
        parameter="idle_buffer",
        metric="peg_cvar95_bps",
        sign=-1,
        reason="who leaves is paid at the door and sells nothing",
        against="what lies idle is not brought to the pool, whose other side pays sellers before the door opens, and whose providers leave by its share as far as that is assumed",
    ),
)


def _of(mechanism: Mechanism) -> tuple[Expectation, ...]:
    """An AMO's own; of a further pool what the first one's A is expected to do."""
    if mechanism.name.endswith(f"-{POOL}"):
        return tuple(
            replace(each, parameter=f"{mechanism.name}.amplification") for each in _OF_THE_ISSUER if each.parameter == "amplification"
        )
    return tuple(replace(each, parameter=mechanism.parameters[each.parameter].name) for each in mechanism.expectations)


def _sorted(mechanisms: tuple[Mechanism, ...], names: Iterable[str]) -> tuple[Expectation, ...]:
    places = {name: place for place, name in enumerate(names)}
    return tuple(sorted((*_OF_THE_ISSUER, *(each for one in mechanisms for each in _of(one))), key=lambda each: places[each.parameter]))


EXPECTATIONS: tuple[Expectation, ...] = _sorted(MECHANISMS, parameters_of(MECHANISMS))
"""Every expectation of what stands in the catalogue, by parameter in the order of a parameter file."""


def expectations_of(state: ProtocolState) -> tuple[Expectation, ...]:
    """`EXPECTATIONS`, and those of mechanisms whose names a state chose."""
    return _sorted(mechanisms_of(state), parameters_in(state)) if state.instances else EXPECTATIONS


MADE_OF: dict[str, tuple[str, ...]] = {
    "peg_cvar95_bps": ("shortfall_cvar90_bps", "min_price_tail95", "end_shortfall_bps"),
    "unserved_cvar90_usd_hours": ("unserved_usd_hours", "unserved_peak_usd"),
    "breach_probability": ("min_cr_external", "min_cr_external_tail95"),
    "hours_below_099": ("min_price", "min_price_tail95", "shortfall_cvar90_bps"),
}
"""A risk -> the figures that should move with it: a risk that falls while all of these get worse asks for an explanation."""
