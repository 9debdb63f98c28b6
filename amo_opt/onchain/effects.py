"""What a call does once it is executed: which getters it moves, whom the contract obeys, and which of its limits it would break.

By signature, for a call may come from anybody's payload. What setters read and bound is `amo_opt.onchain.signatures`'; whom they obey, and Curve's limits of a ramp, were read in
FraxFinance/frax-solidity `src/hardhat/contracts` (`Frax/Frax.sol`, `Frax/Pools/FraxPoolV3.sol`, `Frax/FraxAMOMinter.sol` @30532c8c, `Oracle/PIDController.sol` @5f90819d), curvefi/curve-factory
`contracts/MetaImplementationUSD.vy` @13ff1955 and `contracts/OwnerProxy.vy` @04fe57ca.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from amo_opt.onchain.abi import Function, function
from amo_opt.onchain.signatures import PROXIES, RAMP, SETTERS, STOP_RAMP, UNBOUNDED
from amo_opt.protocol.addresses import checksummed
from amo_opt.stableswap.ramp import MAX_A, MAX_A_CHANGE, MIN_RAMP_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from amo_opt.onchain.signatures import Setter

A_PRECISION: Final = 100
OWNERS: Final = ("owner()", "admin()", "governor()", "timelock_address()", "factory().admin()", "parameter_admin()", "ownership_admin()")
"""Getters by which contracts say whom they obey: asked where a function is not known here."""
OBEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "metapool": ("factory().admin()", "admin()", "owner()"),
    "curve_owner_proxy": ("parameter_admin()",),
    "amo_minter": ("owner()", "timelock_address()"),
    "frax_pool": ("owner()", "timelock_address()"),
    "pid_controller": ("owner()", "timelock_address()"),
    "stablecoin": ("owner()", "timelock_address()", "controller_address()"),
    "rebalancer": ("governor()",),
}
"""Getters of who may call, any of them, by the entry that a setter's contract has in a state; crvUSD's contracts obey their admin."""
_RAMP: Final = tuple(function(f"{name}()", ["uint256"]) for name in ("A", "initial_A", "future_A", "initial_A_time", "future_A_time"))
PRECISE: Final = function("A_precise()", ["uint256"])


@dataclass(frozen=True)
class Getter:
    """What is read of the contract ``to``; ``wanted`` is what it must answer after the call, ``None`` where that is more than a copy of an argument."""

    to: str
    function: Function
    arguments: tuple[Any, ...] = ()
    wanted: int | None = None

    @property
    def data(self) -> bytes:
        """The calldata."""
        return self.function.encode(self.arguments)

    @property
    def text(self) -> str:
        """``0xcf37…E241.frax_mint_cap()``."""
        return f"{self.to}.{self.function.name}({', '.join(map(str, self.arguments))})"


@dataclass(frozen=True)
class Effect:
    """A call as the contract at ``to`` sees it, sent by ``sender``; ``setters`` are those of its signature (none: not known here)."""

    to: str
    sender: str
    arguments: tuple[Any, ...]
    setters: tuple[Setter, ...]
    obeys: tuple[str, ...]

    @property
    def is_ramp(self) -> bool:
        """Whether A is ramped by it."""
        return RAMP in self.setters

    @property
    def moves(self) -> tuple[Getter, ...]:
        """The getters that it claims to move."""
        if self.is_ramp or STOP_RAMP in self.setters:
            end = self.arguments[1] if self.is_ramp else None
            return tuple(Getter(self.to, each, (), end if each.name == "future_A_time" else None) for each in _RAMP)
        found = []
        for setter in self.setters[:1]:
            first = len(self.arguments) - len(setter.getters)
            for place, each in enumerate(setter.getters):
                found.append(Getter(self.to, each, self.arguments[: len(each.inputs)], self.arguments[first + place]))
        return tuple(found)

    @property
    def probes(self) -> tuple[Getter, ...]:
        """What its limits hang on, to be read just before."""
        return (Getter(self.to, PRECISE), *(Getter(self.to, each) for each in _RAMP[:4:3])) if self.is_ramp else ()

    def broken(self, held: Mapping[str, int], at: int) -> Iterator[str]:
        """The limits of the setter that it breaks at the Unix second ``at``, a sentence each; ``held`` are the answers to `probes` by function name."""
        if self.is_ramp:
            yield from _ramp_limits(held, self.arguments, at)
            return
        for setter in self.setters[:1]:
            for name, value, (least, most) in zip(setter.arguments, self.arguments, setter.bounds, strict=False):
                if not least <= value <= most:
                    why = "all that the contract can keep" if setter.limit == UNBOUNDED else setter.limit
                    yield f"{name} = {value}, outside {least} to {most} ({why})"


def effects_of(to: str, called: Function | None, arguments: tuple[Any, ...], sender: str) -> tuple[Effect, ...]:
    """The effects of a call, one behind the other where a proxy hands it on: the proxy is then the sender of the next."""
    if called is None:
        return (Effect(to, sender, (), (), OWNERS),)
    for (proxy, signature), handed in PROXIES.items():
        if handed.function.signature == called.signature:
            own = ("parameter_admin()", "emergency_admin()") if signature == STOP_RAMP.function.signature else OBEYS[proxy]
            behind = next(each.function for each in SETTERS if each.function.signature == signature)
            return (Effect(to, sender, arguments, (), own), *effects_of(checksummed(str(arguments[0])), behind, arguments[1:], to))
    setters = tuple(each for each in SETTERS if each.function.signature == called.signature)
    obeys = tuple(dict.fromkeys(getter for each in setters for getter in OBEYS.get(each.contract, ("admin()",)))) or OWNERS
    return (Effect(to, sender, arguments, setters, obeys),)


def _ramp_limits(held: Mapping[str, int], arguments: tuple[Any, ...], at: int) -> Iterator[str]:
    future_a, future_time = arguments
    began, precise = held.get("initial_A_time"), held.get("A_precise", held.get("A", 0) * A_PRECISION)
    if began is not None and at < began + MIN_RAMP_TIME:
        yield f"the last ramp, or its stop, was at {when(began)}: none before {when(began + MIN_RAMP_TIME)}, a day after"
    if future_time < at + MIN_RAMP_TIME:
        yield f"the ramp would end at {when(future_time)}, {(future_time - at) / 3600:,.1f} h after its start: a day at least"
    if not 0 < future_a < MAX_A:
        yield f"A = {future_a:,}, outside 1 to {MAX_A - 1:,}"
    elif precise and not precise <= future_a * A_PRECISION * MAX_A_CHANGE <= precise * MAX_A_CHANGE**2:
        yield f"A from {precise / A_PRECISION:,.10g} to {future_a:,}: at most {MAX_A_CHANGE} times up or down"


def when(seconds: int) -> str:
    """``2022-05-16 00:00:00 UTC``, or the number where no calendar holds it."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return f"second {seconds}"
