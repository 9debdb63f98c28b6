"""The setters governance calls: their arguments as the contracts name and type them, what the contracts refuse, who sends them through what, and whether a call can be undone.

Facts read from (repository path @commit; every signature with its selector in `tests/vectors/selectors.json`, whose test hashes each again):

- FraxFinance/frax-solidity `src/hardhat/contracts/Frax/Frax.sol` @56d446d3, `Frax/Pools/FraxPoolV3.sol` @dc512da6, `Frax/FraxAMOMinter.sol` @9885524f, `Oracle/PIDController.sol` @68bc6302: nothing bounds what is set. The minter casts both caps
  to int256, so that one of 2**255 is kept as the lowest number there is.
- curvefi/curve-factory `contracts/MetaImplementationUSD.vy` @13ff1955 (`ramp_A` and `stop_ramp_A` obey the factory's admin alone) and `contracts/OwnerProxy.vy` @04fe57ca, that admin: its `ramp_A` obeys its parameter admin, its `stop_ramp_A` the emergency admin too.
- curvefi/curve-stablecoin `contracts/mpolicies/AggMonetaryPolicy2.vy` @0f0ed839, `curve_stablecoin/mpolicies/AggMonetaryPolicy4.vy` @f0521c17, `curve_stablecoin/stabilizer/PegKeeperRegulator.vy` @edb81f4e, `contracts/stabilizer/PegKeeperV2.vy` @0b390d41, and
  `contracts/ControllerFactory.vy` (charles-cooper/curve-stablecoin-archive @4deb2d0a, a copy of that repository): all obey their admin, Curve's ownership agent.
- OriginProtocol/origin-dollar `contracts/contracts/strategies/CurveAMOStrategy.sol` @19854faa (the governor alone, at most 0.05) and `contracts/contracts/vault/VaultAdmin.sol` @b5f4aba2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from amo_opt.amos.kinds import label_of
from amo_opt.amos.parameters import PARAMETERS
from amo_opt.errors import AmoOptError
from amo_opt.onchain.abi import Function, function

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amo_opt.protocol.state import ProtocolState

UNBOUNDED = "none in the contract"
AT_ONCE = "yes, by another call"
SAFE = "safe"
"""The entry of ``[contracts]`` that sends what names no other sender."""
OWNERSHIP, PARAMETER_ADMIN, GOVERNOR = "curve_ownership_agent", "curve_parameter_agent", "governor"
"""Entries that send crvUSD's setters, the owner proxy's and Origin's: the agents of Curve's two votes, and Origin's timelock. A contract's own ``caller`` goes before."""
ORIGIN = "Origin"
INT256 = 2**255 - 1
WAD = 10**18
RATE = 43_959_106_799
"""The most crvUSD's policy takes, a second in 1e18: 300% a year compounded."""


@dataclass(frozen=True)
class Setter:
    """One function that sets something: ``contract`` is its key in a state's ``[contracts]``, ``sender`` the entry that sends it where that contract names no ``caller``.

    ``bounds`` are the least and the most of each argument, where the contract or what it keeps the argument as allows less than its type; ``getters`` read back what it
    sets, in the order of its last arguments (without arguments of their own, but for the address that the setter's first argument is).
    """

    contract: str
    function: Function
    limit: str = UNBOUNDED
    reversible: str = AT_ONCE
    bounds: tuple[tuple[int, int], ...] = ()
    sender: str = SAFE
    getters: tuple[Function, ...] = ()

    @property
    def name(self) -> str:
        """``ramp_A``."""
        return self.function.name

    @property
    def arguments(self) -> tuple[str, ...]:
        """The contract's names of its arguments."""
        return self.function.names

    @property
    def place(self) -> str:
        """``metapool.ramp_A``."""
        return f"{self.contract}.{self.name}"


@dataclass(frozen=True)
class Proxy:
    """A contract that alone may call another's setter: its ``function`` takes that contract's address, then the setter's own arguments."""

    function: Function
    sender: str


def _setter(contract: str, declared: str, *, reads: str = "", limit: str = UNBOUNDED, reversible: str = AT_ONCE, sender: str = SAFE,
            bounds: tuple[tuple[int, int], ...] = ()) -> Setter:  # fmt: skip
    """From ``ramp_A(uint256 _future_A, uint256 _future_time)``, as a contract declares it, and the getters as signatures behind one another."""
    return Setter(
        contract, _declared(declared), limit, reversible, bounds, sender, tuple(function(each, ["uint256"]) for each in reads.split())
    )


def _declared(text: str) -> Function:
    name, _, inside = text.rstrip(")").partition("(")
    pairs = [each.split() for each in inside.split(",")] if inside else []
    return function(f"{name}({','.join(kind for kind, _ in pairs)})", names=[each for _, each in pairs])


RAMP = _setter(
    "metapool",
    "ramp_A(uint256 _future_A, uint256 _future_time)",
    reads="A()",
    limit="0 < A < 1,000,000; at most 10 times up or down; at least 1 day long, and 1 day after the last ramp's start",
    reversible="yes, by ramping back: 1 day at least, and not before 1 day after the ramp's start",
    bounds=((1, 999_999), (0, 2**64 - 1)),
)
STOP_RAMP = Setter("metapool", function("stop_ramp_A()"), limit="none", reversible="by another ramp, 1 day after the stop")
PROXIES: Mapping[tuple[str, str], Proxy] = {
    ("curve_owner_proxy", RAMP.function.signature): Proxy(
        _declared("ramp_A(address _pool, uint256 _future_A, uint256 _future_time)"), PARAMETER_ADMIN
    ),
    ("curve_owner_proxy", STOP_RAMP.function.signature): Proxy(_declared("stop_ramp_A(address _pool)"), PARAMETER_ADMIN),
}
"""By the entry that a contract names as its caller and the setter's signature: what is really sent to that entry, and by whom where the entry names no caller of its own."""

_CAP = ((0, INT256),)
"""The contract casts it to int256: from 2**255 on it wraps negative."""
MINT_CAP = _setter("amo_minter", "setFraxMintCap(uint256 _frax_mint_cap)", reads="frax_mint_cap()", bounds=_CAP)
COLLATERAL_CAP = _setter("amo_minter", "setCollatBorrowCap(uint256 _collat_borrow_cap)", reads="collat_borrow_cap()", bounds=_CAP)
MINIMUM_CR = _setter("amo_minter", "setMinimumCollateralRatio(uint256 _min_cr)", reads="min_cr()")
MAX_SLIPPAGE = _setter(
    "rebalancer", "setMaxSlippage(uint256 _maxSlippage)", reads="maxSlippage()", limit="at most 0.05; the governor alone",
    bounds=((0, 5 * 10**16),), sender=GOVERNOR,
)  # fmt: skip
VAULT_BUFFER = _setter(
    "vault", "setVaultBuffer(uint256 _vaultBuffer)", reads="vaultBuffer()", limit="at most 1; the governor or the strategist",
    bounds=((0, WAD),), sender=GOVERNOR,
)  # fmt: skip
"""Origin's, which keeps free what `idle_buffer` says when its vault allocates."""
THRESHOLDS = _setter(
    "frax_pool",
    "setPriceThresholds(uint256 new_mint_price_threshold, uint256 new_redeem_price_threshold)",
    reads="mint_price_threshold() redeem_price_threshold()",
)

POLICY: dict[str, Setter] = {
    "policy_rate0": _setter(
        "monetary_policy", "set_rate(uint256 rate)", reads="rate0()", limit="at most 43,959,106,799 a second, 138.6% a year",
        bounds=((0, RATE),), sender=OWNERSHIP,
    ),
    "policy_sigma": _setter(
        "monetary_policy", "set_sigma(int256 sigma)", reads="sigma()", limit="0.0001 to 1", bounds=((10**14, WAD),), sender=OWNERSHIP,
    ),
    "policy_target_debt_fraction": _setter(
        "monetary_policy", "set_target_debt_fraction(uint256 target_debt_fraction)", reads="target_debt_fraction()",
        limit="above 0, at most 1", bounds=((1, WAD),), sender=OWNERSHIP,
    ),
    "policy_extra_const": _setter(
        "monetary_policy", "set_extra_const(uint256 extra_const)", reads="extra_const()",
        limit="at most 43,959,106,799 a second; versions 3c and 4 alone have it", bounds=((0, RATE),), sender=OWNERSHIP,
    ),
}  # fmt: skip
"""Setters of crvUSD's AggMonetaryPolicy, each in 1e18, rates a second. Called wherever the state names the contract."""

WORST_PRICE = _setter(
    "regulator", "set_worst_price_threshold(uint256 _threshold)", reads="worst_price_threshold()", limit="at most 0.01",
    bounds=((0, 10**16),), sender=OWNERSHIP,
)  # fmt: skip
PRICE_DEVIATION = _setter(
    "regulator", "set_price_deviation(uint256 _deviation)", reads="price_deviation()", limit="at most 100", bounds=((0, 10**20),),
    sender=OWNERSHIP,
)  # fmt: skip
DEBT_PARAMETERS = _setter(
    "regulator", "set_debt_parameters(uint256 _alpha, uint256 _beta)", reads="alpha() beta()", limit="each at most 1",
    bounds=((0, WAD), (0, WAD)), sender=OWNERSHIP,
)  # fmt: skip
REGULATOR: dict[str, Setter] = {
    "regulator.worst_price_threshold": WORST_PRICE,
    "regulator.price_deviation": PRICE_DEVIATION,
    "regulator.alpha": DEBT_PARAMETERS,
    "regulator.beta": DEBT_PARAMETERS,
}
"""Setters of crvUSD's PegKeeperRegulator, in 1e18. Called wherever the state names the contract."""
CALLER_SHARE = _setter(
    "peg_keeper", "set_new_caller_share(uint256 _new_caller_share)", reads="caller_share()", limit="at most 1", bounds=((0, 10**5),),
    sender=OWNERSHIP,
)  # fmt: skip
DEBT_CEILING = _setter(
    "controller_factory", "set_debt_ceiling(address _to, uint256 debt_ceiling)", reads="debt_ceiling(address)",
    limit="none in the contract; what lies unused above a lower one is burned at once, what is lent out stays", sender=OWNERSHIP,
)  # fmt: skip

CONTROLLERS: dict[str, dict[str, Setter]] = {
    "frax": {
        "cr_step": _setter("stablecoin", "setFraxStep(uint256 _new_step)", reads="frax_step()"),
        "cr_band": _setter("stablecoin", "setPriceBand(uint256 _price_band)", reads="price_band()"),
        "cr_refresh_hours": _setter("stablecoin", "setRefreshCooldown(uint256 _new_cooldown)", reads="refresh_cooldown()"),
    },
    "pid": {
        "cr_step": _setter("pid_controller", "setFraxStep(uint256 _new_step)", reads="frax_step()"),
        "cr_band": _setter(
            "pid_controller", "setPriceBands(uint256 _top_band, uint256 _bottom_band)", reads="FRAX_top_band() FRAX_bottom_band()"
        ),
        "cr_refresh_hours": _setter("pid_controller", "setInternalCooldown(uint256 _internal_cooldown)", reads="internal_cooldown()"),
    },
}
"""Who moves the collateral ratio. An active PIDController sets the stablecoin's own step back to 0 after each refresh, so that its own
step, cooldown and bands (prices, 1 ± band) are the ones that count."""

SETTERS: tuple[Setter, ...] = (
    RAMP, STOP_RAMP, *POLICY.values(), MAX_SLIPPAGE, VAULT_BUFFER, WORST_PRICE, PRICE_DEVIATION, DEBT_PARAMETERS, CALLER_SHARE, DEBT_CEILING,
    *CONTROLLERS["frax"].values(), *CONTROLLERS["pid"].values(), MINT_CAP, COLLATERAL_CAP, MINIMUM_CR, THRESHOLDS,
)  # fmt: skip
"""Every setter that is known, in the order of their calls in a batch."""
_KNOWN = {each.place: each for each in SETTERS}
BY_NAME: dict[str, Setter] = {
    each.name: _KNOWN[f"{each.contract}.{each.setter}"] for each in PARAMETERS.values() if each.setter is not None
}
"""The setter that a parameter's definition names."""
FUNCTIONS: tuple[Function, ...] = (*(each.function for each in SETTERS), *(each.function for each in PROXIES.values()))
"""Every function whose call is read by its selector, or written by its name in a vote."""


def setter_of(name: str, state: ProtocolState) -> Setter | None:
    """The setter of a parameter; ``None`` where its value is policy, and where the state is another protocol's, whose functions are not known.

    ``ramp_A`` is the pool's own and no protocol's, and so are the monetary policy's, the keepers' and their regulator's; ``setMaxSlippage`` is the rebalancer's: they are called
    wherever the state names the contract (a keeper's by the name of its table, ``usdt-keeper``, its ceiling by the factory and the keeper).
    """
    if name in POLICY or name in REGULATOR:
        setter = POLICY.get(name) or REGULATOR[name]
        return setter if setter.contract in state.contracts else None
    if name == "idle_buffer" and state.is_of(ORIGIN):
        return VAULT_BUFFER if VAULT_BUFFER.contract in state.contracts else None
    keeper, _, short = name.rpartition(".")
    if label_of(keeper)[1] == "keeper" or name in _OF_THE_KEEPER:
        return _of_keeper(keeper or CALLER_SHARE.contract, _OF_THE_KEEPER.get(name, short), state)
    if not state.runs_frax_contracts:
        known = BY_NAME.get(name)
        return known if known in (RAMP, MAX_SLIPPAGE) and known.contract in state.contracts else None
    return CONTROLLERS[state.price_controller].get(name) or BY_NAME.get(name)


def copies_of(setter: Setter, state: ProtocolState) -> tuple[Setter, ...]:
    """The setter at every contract that holds the value: crvUSD's markets have several monetary policies, which a state names ``monetary_policy`` and ``monetary_policy-…``."""
    if setter not in POLICY.values():
        return (setter,)
    entries = [entry for entry in state.contracts if entry == setter.contract or entry.startswith(f"{setter.contract}-")]
    return tuple(replace(setter, contract=entry) for entry in entries)


_OF_THE_KEEPER = {"peg_keeper_ceiling": "ceiling", "peg_keeper_caller_share": "caller_share"}
"""Parameters of the keeper without a name."""


def keeper_of(name: str) -> str:
    """The entry of ``[contracts]`` whose ceiling a parameter is: ``usdt-keeper``."""
    return name.rpartition(".")[0] or CALLER_SHARE.contract


def _of_keeper(keeper: str, short: str, state: ProtocolState) -> Setter | None:
    if keeper not in state.contracts:
        return None
    if short == "ceiling":
        return DEBT_CEILING if DEBT_CEILING.contract in state.contracts else None
    return replace(CALLER_SHARE, contract=keeper)


@cache
def _by_selector() -> dict[bytes, Function]:
    return {each.selector: each for each in FUNCTIONS}


def function_of(selector: bytes) -> Function | None:
    """The known function that begins with these four bytes; ``None`` for others."""
    return _by_selector().get(selector)


def function_named(written: str, arguments: int, *, place: str) -> Function:
    """The function of a vote's entry: a known one by its name and how many arguments it takes, any by a signature in place of the name.

    Raises `AmoOptError` that names ``place`` for one that is not known.
    """
    if "(" in written:
        found = function(written)
        return next((each for each in FUNCTIONS if each.signature == found.signature), found)
    known = {each.signature: each for each in FUNCTIONS if each.name == written and len(each.inputs) == arguments}
    if len(known) == 1:
        return next(iter(known.values()))
    many = f"{written}({','.join(['…'] * arguments)})"
    raise AmoOptError(
        f"{place}: the types of {many:.80} are not known; write its signature in place of the name, such as {written:.40}(address,uint256)"
    )
