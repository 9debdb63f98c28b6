"""What is out today against the caps of a parameter set: a cap below it allows nothing new, and makes the AMO give back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.layout import mechanisms_of
from amo_opt.amos.parameters import BORROWED, MINTED, PARAMETERS

if TYPE_CHECKING:
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.protocol.state import ProtocolState

ROUNDING = 1e-9
"""A cap that was written down as what is out may miss it by a rounding error."""


@dataclass(frozen=True)
class CapUse:
    """One cap and what is out under it at the snapshot, tokens; ``names`` are the parameters whose shares it is the sum of, ``use`` says
    in what way it is out.
    """

    names: tuple[str, ...]
    cap: float
    used: float
    use: str

    @property
    def exceeded(self) -> bool:
        """Whether more is out than the cap allows."""
        return self.used > self.cap + ROUNDING * max(abs(self.used), abs(self.cap))


def cap_in_tokens(name: str, parameters: ParameterSet, state: ProtocolState) -> float:
    """What a cap's share comes to at the snapshot, tokens."""
    share: float = parameters.values()[name]
    if PARAMETERS[name].amount:
        return share
    whole = state.stablecoin.supply.value if PARAMETERS[name].share_of == "supply" else state.collateral_usd
    return share * whole


def cap_uses(parameters: ParameterSet, state: ProtocolState) -> tuple[CapUse, ...]:
    """Each AMO's cap against what is out under it, in the order of a parameter file, then the minter's two global caps against its books (`amos.minter`)."""
    out = {each.parameters[short].name: under for each in mechanisms_of(state) for short, under in each.out.items()}
    return (
        *(
            CapUse((name,), cap_in_tokens(name, parameters, state), out[name].used(state), out[name].use)
            for name in parameters.values()
            if name in out
        ),
        _sum(BORROWED, "borrowed", parameters, state),
        _sum(MINTED, "minted", parameters, state),
    )


def _sum(names: tuple[str, ...], book: str, parameters: ParameterSet, state: ProtocolState) -> CapUse:
    """The sum of these caps against that of the books of the AMOs that have one of them."""
    held = [each.name for each in MECHANISMS if any(one.name in names for one in each.parameters.values())]
    used = math.fsum(getattr(getattr(state.amos, name), book).value for name in held)
    return CapUse(names, math.fsum(cap_in_tokens(name, parameters, state) for name in names), used, book)


def caps_below_use(parameters: ParameterSet, state: ProtocolState) -> tuple[CapUse, ...]:
    """The caps that allow less than is out today."""
    return tuple(each for each in cap_uses(parameters, state) if each.exceeded)
