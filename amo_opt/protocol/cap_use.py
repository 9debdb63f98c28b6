"""What is out today against the caps of a parameter set: a cap below it allows nothing new, and makes the AMO give back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

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


def cap_uses(parameters: ParameterSet, state: ProtocolState) -> tuple[CapUse, ...]:
    """Each AMO's cap against its position, then the minter's two global caps against its books (`amos.minter`)."""
    amos, collateral, supply = state.amos, state.collateral_usd, state.stablecoin.supply.value
    curve = amos.curve.lp_share.value * state.base_value
    borrowed = (amos.curve.borrowed, amos.aave.borrowed, amos.investor.borrowed, amos.uniswap.borrowed)
    minted = (amos.curve.minted, amos.fraxlend.minted, amos.uniswap.minted)
    uniswap = parameters.uniswap_cap * collateral
    in_sums = {
        "curve_collateral_cap": parameters.curve_collateral_cap * collateral,
        "aave_cap": parameters.aave_cap * collateral,
        "investor_cap": parameters.investor_cap * collateral,
        "uniswap_cap": uniswap,
    }
    mintable = {
        "curve_mint_cap": parameters.curve_mint_cap * supply,
        "fraxlend_cap": parameters.fraxlend_cap * supply,
        "uniswap_cap": uniswap,
    }
    positions = (
        ("curve_collateral_cap", in_sums, curve, "held in the pool"),
        ("aave_cap", in_sums, amos.aave.lent.value, "lent"),
        ("investor_cap", in_sums, amos.investor.lent.value, "lent"),
        ("uniswap_cap", in_sums, amos.uniswap.liquidity.value, "held in the range"),
        ("curve_mint_cap", mintable, amos.curve.minted.value, "minted"),
        ("fraxlend_cap", mintable, amos.fraxlend.lent.value, "lent"),
    )
    return (
        *(CapUse((name,), caps[name], used, use) for name, caps, used, use in positions),
        CapUse(tuple(in_sums), math.fsum(in_sums.values()), math.fsum(each.value for each in borrowed), "borrowed"),
        CapUse(tuple(mintable), math.fsum(mintable.values()), math.fsum(each.value for each in minted), "minted"),
    )


def caps_below_use(parameters: ParameterSet, state: ProtocolState) -> tuple[CapUse, ...]:
    """The caps that allow less than is out today."""
    return tuple(each for each in cap_uses(parameters, state) if each.exceeded)
