"""Parameters as contracts hold them: whole integers, and the global sums that Frax's minter is given in place of single caps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from amo_opt.amos.cap_use import cap_in_tokens
from amo_opt.amos.parameters import BORROWED, MINTED

if TYPE_CHECKING:
    from amo_opt.protocol.parameters import Parameter, ParameterSet
    from amo_opt.protocol.state import ProtocolState

CAPS = {"setCollatBorrowCap": (BORROWED, "collateral"), "setFraxMintCap": (MINTED, "supply")}
"""Frax's on-chain caps are sums over AMOs: setter -> (the parameters it sums, whose tokens it counts).

Where about as much stablecoin goes beside an AMO's collateral, its share of collateral is in both (`amos.minter`).
"""
SECONDS_AN_HOUR = 3600
STABLECOIN_DECIMALS = 18


def cap_tokens(setter: str, values: ParameterSet, state: ProtocolState) -> float:
    """The global sum, in tokens, that the AMOs' shares amount to at the state."""
    return math.fsum(cap_in_tokens(name, values, state) for name in CAPS[setter][0])


def cap_raw(setter: str, values: ParameterSet, state: ProtocolState) -> int | None:
    """The same as the contract's integer; whole tokens, for a cap is a limit, and a double does not hold eighteen decimals.

    None where the state does not say how many decimals the collateral has.
    """
    decimals = STABLECOIN_DECIMALS if CAPS[setter][1] == "supply" else state.collateral_decimals
    if decimals is None:
        return None
    unit: int = 10**decimals
    return round(cap_tokens(setter, values, state)) * unit


def raw_integer(parameter: Parameter, value: float) -> int | None:
    """The contract's integer of ``value``; ``None`` where the parameter has no integer of its own."""
    if parameter.raw_decimals is None:
        return None
    # the contracts count time in seconds
    unit: int = (SECONDS_AN_HOUR if parameter.unit == "h" else 1) * 10**parameter.raw_decimals
    return round(value * unit / (parameter.raw_seconds or 1.0))


def value_of(parameter: Parameter, raw: int) -> float:
    """The value whose integer is ``raw``: the inverse of `raw_integer`, in the parameter's unit. Of an integer that no double is rounded to, the nearest."""
    unit: int = (SECONDS_AN_HOUR if parameter.unit == "h" else 1) * 10 ** (parameter.raw_decimals or 0)
    value = raw / unit * (parameter.raw_seconds or 1.0)
    near = (value, math.nextafter(value, -math.inf), math.nextafter(value, math.inf))
    return next((each for each in near if raw_integer(parameter, each) == raw), value)
