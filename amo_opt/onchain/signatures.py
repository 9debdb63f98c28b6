"""The setters governance calls: their arguments as the contracts name them, what the contracts refuse, and whether a call can be undone.

Facts read from FraxFinance/frax-solidity (FRAXStablecoin, PIDController, FraxAMOMinter, FraxPoolV3), curvefi/curve-factory (MetaImplementationUSD) and OriginProtocol/origin-dollar
(`contracts/contracts/strategies/CurveAMOStrategy.sol` @19854faa): none of the first four bounds what is set, `ramp_A` and `setMaxSlippage` do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.protocol.state import FRAX

if TYPE_CHECKING:
    from amo_opt.protocol.state import ProtocolState

UNBOUNDED = "none in the contract"
AT_ONCE = "yes, by another call"


@dataclass(frozen=True)
class Setter:
    """One function: ``contract`` is its key in a state's ``[contracts]``, ``arguments`` are the contract's names, all of type ``of``."""

    contract: str
    function: str
    arguments: tuple[str, ...]
    limit: str = UNBOUNDED
    reversible: str = AT_ONCE
    of: str = "uint256"

    @property
    def signature(self) -> str:
        """``ramp_A(uint256,uint256)``, what the selector is the hash of."""
        return f"{self.function}({','.join(self.of for _ in self.arguments)})"

    @property
    def place(self) -> str:
        """``metapool.ramp_A``."""
        return f"{self.contract}.{self.function}"


RAMP = Setter(
    "metapool",
    "ramp_A",
    ("_future_A", "_future_time"),
    limit="0 < A < 1,000,000; at most 10 times up or down; at least 1 day long, and 1 day after the last ramp's start",
    reversible="yes, by ramping back: 1 day at least, and not before 1 day after the ramp's start",
)
MINT_CAP = Setter("amo_minter", "setFraxMintCap", ("_frax_mint_cap",))
COLLATERAL_CAP = Setter("amo_minter", "setCollatBorrowCap", ("_collat_borrow_cap",))
MINIMUM_CR = Setter("amo_minter", "setMinimumCollateralRatio", ("_min_cr",))
MAX_SLIPPAGE = Setter("rebalancer", "setMaxSlippage", ("_maxSlippage",), limit="at most 0.05; the governor alone")
THRESHOLDS = Setter("frax_pool", "setPriceThresholds", ("new_mint_price_threshold", "new_redeem_price_threshold"))

POLICY: dict[str, Setter] = {
    "policy_rate0": Setter("monetary_policy", "set_rate", ("rate",), limit="at most 43,959,106,799 a second, 138.6% a year"),
    "policy_sigma": Setter("monetary_policy", "set_sigma", ("sigma",), limit="0.0001 to 1", of="int256"),
    "policy_target_debt_fraction": Setter(
        "monetary_policy", "set_target_debt_fraction", ("target_debt_fraction",), limit="above 0, at most 1"
    ),
    "policy_extra_const": Setter(
        "monetary_policy", "set_extra_const", ("extra_const",), limit="at most 43,959,106,799 a second; versions 3c and 4 alone have it"
    ),
}
"""Setters of crvUSD's AggMonetaryPolicy, each in 1e18, rates a second (curvefi/curve-stablecoin, contracts/mpolicies/AggMonetaryPolicy2.vy @0f0ed839 for the first three,
curve_stablecoin/mpolicies/AggMonetaryPolicy4.vy @cf1d05fb for the last). Called wherever the state names the contract."""

CONTROLLERS: dict[str, dict[str, Setter]] = {
    "frax": {
        "cr_band": Setter("stablecoin", "setPriceBand", ("_price_band",)),
        "cr_step": Setter("stablecoin", "setFraxStep", ("_new_step",)),
        "cr_refresh_hours": Setter("stablecoin", "setRefreshCooldown", ("_new_cooldown",)),
    },
    "pid": {
        "cr_band": Setter("pid_controller", "setPriceBands", ("_top_band", "_bottom_band")),
        "cr_step": Setter("pid_controller", "setFraxStep", ("_new_step",)),
        "cr_refresh_hours": Setter("pid_controller", "setInternalCooldown", ("_internal_cooldown",)),
    },
}
"""Who moves the collateral ratio. An active PIDController sets the stablecoin's own step back to 0 after each refresh, so that its own
step, cooldown and bands (prices, 1 ± band) are the ones that count."""

_KNOWN = {
    each.place: each
    for each in (RAMP, MAX_SLIPPAGE, MINT_CAP, COLLATERAL_CAP, MINIMUM_CR, THRESHOLDS, *POLICY.values(), *CONTROLLERS["frax"].values())
}
BY_NAME: dict[str, Setter] = {
    each.name: _KNOWN[f"{each.contract}.{each.setter}"] for each in PARAMETERS.values() if each.setter is not None
}
"""The setter that a parameter's definition names."""


def setter_of(name: str, state: ProtocolState) -> Setter | None:
    """The setter of a parameter; ``None`` where its value is policy, and where the state is another protocol's, whose functions are not known.

    ``ramp_A`` is the pool's own and no protocol's, and so are the monetary policy's, ``setMaxSlippage`` is the rebalancer's: they are called wherever the state names the contract.
    """
    if name in POLICY:
        return POLICY[name] if POLICY[name].contract in state.contracts else None
    if not state.is_of(FRAX):
        setter = BY_NAME.get(name)
        return setter if setter in (RAMP, MAX_SLIPPAGE) and setter.contract in state.contracts else None
    return CONTROLLERS[state.price_controller].get(name) or BY_NAME.get(name)
