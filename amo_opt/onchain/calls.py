"""Two parameter sets and a state -> the calls that lead from one to the other, in whole on-chain integers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from amo_opt.amos.cap_use import cap_in_tokens
from amo_opt.amos.parameters import PARAMETERS
from amo_opt.errors import AmoOptError
from amo_opt.onchain.raw_integers import CAPS, STABLECOIN_DECIMALS, cap_raw, cap_tokens, raw_integer
from amo_opt.onchain.signatures import DEBT_CEILING, PROXIES, RAMP, SETTERS, STOP_RAMP, copies_of, keeper_of, setter_of
from amo_opt.onchain.transaction import called

if TYPE_CHECKING:
    from amo_opt.onchain.abi import Function
    from amo_opt.onchain.signatures import Setter
    from amo_opt.onchain.transaction import Transaction
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.protocol.state import ProtocolState

ONE = 10**6


@dataclass(frozen=True)
class Call:
    """One call as it is really sent: ``function`` of the entry ``place`` with ``arguments``, which end with the ``values`` that ``setter`` sets.

    Where a proxy alone may call the setter, the call goes to the proxy and ``arguments`` begin with the contract's address. ``before`` are the values in force (of a ramp: A alone), read on
    chain at ``block``, or, where that is None, what the model takes for them, which is ``assumed`` in either case. ``to`` and ``sender`` are addresses, None where the state does not hold them; ``caller`` is
    the entry that alone may send it.
    """

    setter: Setter
    values: tuple[Any, ...]
    before: tuple[Any, ...]
    assumed: tuple[Any, ...]
    to: str | None
    caller: str
    function: Function
    arguments: tuple[Any, ...]
    place: str
    sender: str | None = None
    block: int | None = None

    @property
    def text(self) -> str:
        """The call as one would write it: ``amo_minter.setFraxMintCap(_frax_mint_cap = 1)``."""
        pairs = ", ".join(f"{name} = {value}" for name, value in zip(self.function.names, self.arguments, strict=True))
        return f"{self.place}.{self.function.name}({pairs})"

    @property
    def is_ramp(self) -> bool:
        """Whether it begins or stops a ramp, which goes by itself: a batch fails whole, and a ramp is refused within a day of the last one's start."""
        return self.setter in (RAMP, STOP_RAMP)

    @property
    def transaction(self) -> Transaction:
        """What is sent. Raises `AmoOptError` where the address is not known."""
        if self.to is None:
            raise AmoOptError(f"{self.text} has no address: the state's [contracts.{self.place}] is missing")
        return called(self.to, self.function, self.arguments, sender=self.sender)


def calls_between(before: ParameterSet, after: ParameterSet, state: ProtocolState, *, ramp: tuple[int, int] | None) -> tuple[Call, ...]:
    """The calls that take the contracts from ``before`` to ``after``; ``ramp`` is (A, Unix second) of the first ramp, if A changes.

    Only what changes on chain is called: two sets whose caps differ but sum to the same need no call. Values in force are what the state read on chain, where it did.
    Raises `AmoOptError` for an integer that the contract would not take or not keep as it is.
    """
    calls = []
    if ramp is not None and setter_of("amplification", state) is not None:
        calls.append(_call(RAMP, ramp, (before.amplification,), state))
    settings: dict[tuple[Setter, str], list[str]] = {}
    for name in before.values():
        setter = setter_of(name, state)
        if setter is not None and setter is not RAMP:
            keeper = keeper_of(name) if setter is DEBT_CEILING else ""
            settings.setdefault((setter, keeper), []).append(name)
    order = [each.function for each in SETTERS]
    for (setter, keeper), names in sorted(settings.items(), key=lambda each: order.index(each[0][0].function)):
        now, then = (_raws(setter, names, values, state) for values in (before, after))
        if now is None or then is None or now == then:
            continue
        for each in copies_of(setter, state):
            calls += _changed(each, now, then, keeper, state)
    return tuple(calls)


def reverting(calls: tuple[Call, ...], state: ProtocolState, *, ramp: tuple[int, int] | None) -> tuple[Call, ...]:
    """The calls that bring back what these found; ``ramp`` is (A, Unix second) of the ramp back. Raises as `calls_between`."""
    back = []
    for each in calls:
        if each.setter is not RAMP:
            kept = each.arguments[: len(each.arguments) - len(each.values)]
            back.append(replace(each, values=each.before, before=each.values, arguments=(*kept, *each.before)))
        elif ramp is not None:
            back.append(replace(_call(RAMP, ramp, each.values[:1], state), block=None))
    return tuple(back)


def stopping(state: ProtocolState) -> Call:
    """The call that holds A where a ramp has brought it, at any time."""
    return _call(STOP_RAMP, (), (), state)


def uncalled_caps(before: ParameterSet, after: ParameterSet, state: ProtocolState) -> tuple[str, ...]:
    """Caps that change and whose integer is not known, because the state does not say how many decimals the collateral has."""
    if not state.runs_frax_contracts:
        return ()
    unknown = (setter for setter in CAPS if cap_raw(setter, after, state) is None)
    return tuple(setter for setter in unknown if round(cap_tokens(setter, before, state)) != round(cap_tokens(setter, after, state)))


def policy_names(before: ParameterSet, after: ParameterSet, state: ProtocolState) -> tuple[str, ...]:
    """Parameters that change and have no setter of their own that is known: policy, and each AMO's part of a global cap."""
    now, then = before.values(), after.values()
    summed = {name for names, _ in CAPS.values() for name in names}
    return tuple(name for name in now if now[name] != then[name] and (setter_of(name, state) is None or name in summed))


def _raws(setter: Setter, names: list[str], values: ParameterSet, state: ProtocolState) -> tuple[int, ...] | None:
    """The integers that the setter is given; None where the state does not tell one (a cap in a coin of unknown decimals)."""
    if setter.name in CAPS:
        summed = cap_raw(setter.name, values, state)
        return None if summed is None else (summed,)
    if setter is DEBT_CEILING:
        return (round(cap_in_tokens(names[0], values, state)) * 10**STABLECOIN_DECIMALS,)
    raws = [raw_integer(PARAMETERS[name], values.values()[name]) for name in names]
    known = tuple(each for each in raws if each is not None)
    if len(known) < len(raws):
        return None
    return (ONE + known[0], ONE - known[0]) if names == ["cr_band"] and state.price_controller == "pid" else known


def _changed(setter: Setter, now: tuple[int, ...], then: tuple[int, ...], keeper: str, state: ProtocolState) -> list[Call]:
    read, _ = in_force(setter, keeper, state)
    found = now if read is None else read
    # an argument that the proposal leaves alone stays what the chain has, whatever the model takes for it
    wanted = tuple(there if old == new else new for there, old, new in zip(found, now, then, strict=True))
    return [] if wanted == found else [_call(setter, wanted, now, state, keeper=keeper)]


def in_force(setter: Setter, keeper: str, state: ProtocolState) -> tuple[tuple[int, ...] | None, int | None]:
    """What the state read of the setter's getters, and at which block; None where one is not among the reads."""
    reads: Any = getattr(state, "reads", {})
    keys = [f"{setter.contract}.{each.name}({keeper})" for each in setter.getters]
    if not keys or not all(key in reads for key in keys):
        return None, None
    return tuple(reads[key].raw for key in keys), reads[keys[0]].block


@dataclass(frozen=True)
class Way:
    """How a setter is reached: ``function`` of the entry ``place`` at ``to``, sent by the entry ``caller``; ``through`` says that the entry is a proxy, which is given the contract's address first."""

    place: str
    function: Function
    to: str | None
    caller: str
    through: str | None = None


def way_to(setter: Setter, state: ProtocolState) -> Way:
    """What is really sent, and by whom: the contract's ``caller``, or whoever that one obeys where it is a proxy."""
    contract = state.contracts.get(setter.contract)
    target = None if contract is None else contract.address
    caller = setter.sender if contract is None or contract.caller is None else contract.caller
    proxy = PROXIES.get((caller, setter.function.signature))
    if proxy is None:
        return Way(setter.contract, setter.function, target, caller)
    entry = state.contracts.get(caller)
    sender = proxy.sender if entry is None or entry.caller is None else entry.caller
    return Way(caller, proxy.function, None if entry is None else entry.address, sender, through=target)


def _call(setter: Setter, values: tuple[int, ...], before: tuple[int, ...], state: ProtocolState, *, keeper: str = "") -> Call:
    _refuse_out_of_range(setter, values, keeper)
    read, block = in_force(setter, keeper, state)
    way = way_to(setter, state)
    first = (way.through,) if way.through is not None else (state.contracts[keeper].address,) if keeper else ()
    account = state.contracts.get(way.caller)
    return Call(
        setter=setter,
        values=values,
        before=before if read is None else read,
        assumed=before,
        to=way.to,
        caller=way.caller,
        function=way.function,
        arguments=(*first, *values),
        place=way.place,
        sender=None if account is None else account.address,
        block=block,
    )


def _refuse_out_of_range(setter: Setter, values: tuple[int, ...], keeper: str) -> None:
    kinds, names = ((each[1:] if keeper else each) for each in (setter.function.inputs, setter.arguments))
    for place, (kind, name, value) in enumerate(zip(kinds, names, values, strict=True)):
        low, high = (-(2**255), 2**255 - 1) if kind == "int256" else (0, 2**256 - 1)
        if setter.bounds:
            low, high = setter.bounds[place]
        if not low <= value <= high:
            raise AmoOptError(f"{setter.place}: {name} is out of range; found {value}; allowed: {low} to {high}")
