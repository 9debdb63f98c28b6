"""Two parameter sets and a state -> the calls that lead from one to the other, in whole on-chain integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.onchain.raw_integers import CAPS, cap_raw, cap_tokens, raw_integer
from amo_opt.onchain.signatures import COLLATERAL_CAP, MAX_SLIPPAGE, MINIMUM_CR, MINT_CAP, POLICY, RAMP, THRESHOLDS, setter_of
from amo_opt.protocol.state import FRAX

if TYPE_CHECKING:
    from amo_opt.onchain.signatures import Setter
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.protocol.state import ProtocolState

SAFE = "safe"
"""The entry of ``[contracts]`` that signs; a contract that names no other caller is called by it."""
ONE = 10**6


@dataclass(frozen=True)
class Call:
    """One call: ``values`` in the order of the setter's arguments, ``before`` what they are now (of a ramp: A alone).

    ``to`` is the contract's address, ``None`` where the state does not hold it; ``caller`` the entry that alone may make the call.
    """

    setter: Setter
    values: tuple[int, ...]
    before: tuple[int, ...]
    to: str | None
    caller: str

    @property
    def text(self) -> str:
        """The call as one would write it: ``metapool.ramp_A(_future_A = 2210, _future_time = 1652659200)``."""
        pairs = ", ".join(f"{name} = {value}" for name, value in zip(self.setter.arguments, self.values, strict=True))
        return f"{self.setter.place}({pairs})"


def calls_between(before: ParameterSet, after: ParameterSet, state: ProtocolState, *, ramp: tuple[int, int] | None) -> tuple[Call, ...]:
    """The calls that take the contracts from ``before`` to ``after``; ``ramp`` is (A, Unix second) of the first ramp, if A changes.

    Only what changes on chain is called: two sets whose caps differ but sum to the same need no call.
    """
    calls = [] if ramp is None or setter_of("amplification", state) is None else [_call(RAMP, ramp, (before.amplification,), state)]
    for name in POLICY:
        setter = setter_of(name, state)
        if setter is not None:
            calls += _changed(setter, _raws(name, before, state), _raws(name, after, state), state)
    if setter_of("rebalancer_max_slippage", state) is not None:
        now, then = (_raws("rebalancer_max_slippage", each, state) for each in (before, after))
        calls += _changed(MAX_SLIPPAGE, now, then, state)
    if not state.is_of(FRAX):
        return tuple(calls)
    for name in ("cr_step", "cr_band", "cr_refresh_hours"):
        setter = setter_of(name, state)
        if setter is not None:
            calls += _changed(setter, _raws(name, before, state), _raws(name, after, state), state)
    for setter in (MINT_CAP, COLLATERAL_CAP):
        held, wanted = (cap_raw(setter.function, each, state) for each in (before, after))
        if held is not None and wanted is not None:
            calls += _changed(setter, (held,), (wanted,), state)
    calls += _changed(MINIMUM_CR, _raws("min_cr", before, state), _raws("min_cr", after, state), state)
    names = ("mint_price_threshold", "redeem_price_threshold")
    now, then = (tuple(raw for name in names for raw in _raws(name, each, state)) for each in (before, after))
    return (*calls, *_changed(THRESHOLDS, now, then, state))


def uncalled_caps(before: ParameterSet, after: ParameterSet, state: ProtocolState) -> tuple[str, ...]:
    """Caps that change and whose integer is not known, because the state does not say how many decimals the collateral has."""
    if not state.is_of(FRAX):
        return ()
    unknown = (setter for setter in CAPS if cap_raw(setter, after, state) is None)
    return tuple(setter for setter in unknown if round(cap_tokens(setter, before, state)) != round(cap_tokens(setter, after, state)))


def policy_names(before: ParameterSet, after: ParameterSet, state: ProtocolState) -> tuple[str, ...]:
    """Parameters that change and have no setter of their own that is known: policy, and each AMO's part of a global cap."""
    now, then = before.values(), after.values()
    summed = {name for names, _ in CAPS.values() for name in names}
    return tuple(name for name in now if now[name] != then[name] and (setter_of(name, state) is None or name in summed))


def _raws(name: str, values: ParameterSet, state: ProtocolState) -> tuple[int, ...]:
    raw = raw_integer(PARAMETERS[name], values.values()[name])
    if raw is None:  # only a cap has none, and caps are summed
        return ()
    return (ONE + raw, ONE - raw) if name == "cr_band" and state.price_controller == "pid" else (raw,)


def _changed(setter: Setter, before: tuple[int, ...], after: tuple[int, ...], state: ProtocolState) -> list[Call]:
    return [] if before == after else [_call(setter, after, before, state)]


def _call(setter: Setter, values: tuple[int, ...], before: tuple[int, ...], state: ProtocolState) -> Call:
    contract = state.contracts.get(setter.contract)
    to = None if contract is None else contract.address
    return Call(setter, values, before, to, SAFE if contract is None or contract.caller is None else contract.caller)
