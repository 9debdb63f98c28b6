"""Transactions of somebody's proposal -> what they do to a parameter set: the inverse of `onchain.calls`, and the calls that it has no answer to.

A call is known by the address it goes to (an entry of the state's ``[contracts]``) and its selector together, and read from its bytes, whatever name the proposal gives it: the setters of
`onchain.signatures`, and a pool's ``ramp_A`` directly or through the proxy that alone may call it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from amo_opt.amos.cap_use import cap_in_tokens
from amo_opt.amos.parameters import PARAMETERS, governed, parameters_in
from amo_opt.config.wording import nearest
from amo_opt.errors import AmoOptError
from amo_opt.onchain.calls import ONE, in_force
from amo_opt.onchain.raw_integers import CAPS, STABLECOIN_DECIMALS, cap_raw, raw_integer, value_of
from amo_opt.onchain.signatures import CALLER_SHARE, DEBT_CEILING, PROXIES, RAMP, Setter, copies_of, setter_of
from amo_opt.wording import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amo_opt.onchain.abi import Function
    from amo_opt.onchain.transaction import Transaction
    from amo_opt.protocol.parameters import Parameter, ParameterSet
    from amo_opt.protocol.state import ProtocolState

MOST_RAMP = 10
"""``ramp_A`` refuses more than this factor, up or down."""
SPLIT_ROUNDING = 1e-3
"""Shares that are told by hand are rounded: their sum may miss what the call sets by this part of it."""

Kind = Literal["values", "ramp", "proxied ramp", "bands", "sum", "ceiling"]
Why = Literal["address", "function", "arguments", "ether", "mechanism", "pool", "keeper", "bands"]
NoteKind = Literal["no change", "overtaken", "shared out", "told apart", "ramp", "ramp refused", "caller", "drift"]


@dataclass(frozen=True)
class Moved:
    """A parameter that a call sets, in the parameter's unit; ``before`` is what the calls before it left."""

    name: str
    before: float
    after: float


@dataclass(frozen=True)
class Note:
    """Something to be known of a call; the documents say it in words. ``names`` are parameters or entries of ``[contracts]``, ``numbers`` what the kind has: of ``shared out`` the factors of
    ``names``, of ``ramp`` the Unix second it ends at, of ``drift`` the block at which the chain held ``names``, integers as text, where the study holds others.
    """

    kind: NoteKind
    names: tuple[str, ...] = ()
    numbers: tuple[float, ...] = ()


@dataclass(frozen=True)
class ReadCall:
    """A call that was understood: its ``number`` in the proposal (from 1), ``place`` (``amo_minter.setFraxMintCap``), decoded ``arguments`` by name, the integers of the parameters in it
    (``held`` before it, ``raw`` after it; of a sum the sum), and the parameters it moves (none where it sets what is there).
    """

    number: int
    transaction: Transaction
    place: str
    arguments: tuple[tuple[str, Any], ...]
    held: tuple[int, ...]
    raw: tuple[int, ...]
    moved: tuple[Moved, ...]
    limit: str = ""
    notes: tuple[Note, ...] = ()

    @property
    def text(self) -> str:
        """``amo_minter.setFraxMintCap(_frax_mint_cap = 1)``."""
        return f"{self.place}({', '.join(f'{name} = {value}' for name, value in self.arguments)})"


@dataclass(frozen=True)
class UnknownCall:
    """A call whose effect is not known, and ``why``: of its address, function, bytes, ether it sends, or of what it names. ``entry`` is its address in ``[contracts]``, empty for none."""

    number: int
    transaction: Transaction
    why: Why
    entry: str = ""

    @property
    def selector(self) -> str:
        """The first four bytes, as many as there are."""
        return "0x" + self.transaction.data[:4].hex()


@dataclass(frozen=True)
class Understanding:
    """What a proposal does to a set: the set ``proposed``, the calls that were read and those that were not. Parameters of ``untold`` are policy: no call could tell them."""

    current: ParameterSet
    proposed: ParameterSet
    calls: tuple[ReadCall, ...]
    unknown: tuple[UnknownCall, ...]
    untold: tuple[str, ...]


@dataclass(frozen=True)
class _Known:
    """A function of a contract that sets parameters; ``names`` by argument, none where an argument says which."""

    entry: str
    function: Function
    kind: Kind
    names: tuple[str, ...]
    setter: Setter


def understood(
    current: ParameterSet,
    transactions: Sequence[Transaction],
    state: ProtocolState,
    *,
    split: Mapping[str, float] | None = None,
    name: str = "proposed",
) -> Understanding:
    """The set that ``transactions`` make of ``current``, one after the other, and what each of them does.

    Caps are set as sums over AMOs: ``split`` tells shares of theirs by name, what is left of the sum is shared out among the others in the proportion of ``current``.

    Raises `AmoOptError` for a value that a parameter may not have, for a sum that cannot be shared out, and for a ``split`` of what no call sets.
    """
    reader = _Reader(current, state, dict(split or {}))
    for number, transaction in enumerate(transactions, start=1):
        reader.read(number, transaction)
    return reader.finish(name)


class _Reader:
    """The set as it is after each call; sums are shared out when all have been read."""

    def __init__(self, current: ParameterSet, state: ProtocolState, split: dict[str, float]) -> None:
        self.current, self.state, self.split = current, state, split
        self.held = current
        self.known = {(_address(state, each.entry), each.function.selector): each for each in _known(state)}
        self.entries = {each.address.lower(): name for name, each in state.contracts.items()}
        self.sums: dict[str, int] = {}
        self.calls: list[ReadCall] = []
        self.unknown: list[UnknownCall] = []

    def read(self, number: int, transaction: Transaction) -> None:
        """One call: what it sets is set, or it is kept as unknown."""
        to = transaction.to.lower()
        entry = self.entries.get(to, "")
        known = self.known.get((to, transaction.data[:4]))
        if known is None:
            self.unknown.append(UnknownCall(number, transaction, "function" if entry else "address", entry))
            return
        try:
            arguments = known.function.decode_inputs(transaction.data)
        except AmoOptError:  # bytes that the contract would refuse, or read otherwise than we can
            self.unknown.append(UnknownCall(number, transaction, "arguments", entry))
            return
        why = self._unread(known, arguments, transaction)
        if why is not None:
            self.unknown.append(UnknownCall(number, transaction, why, entry))
            return
        call = self._call(number, transaction, known, arguments)  # which may mark calls before it as overtaken
        self.calls.append(call)

    def _unread(self, known: _Known, arguments: tuple[Any, ...], transaction: Transaction) -> Why | None:
        if transaction.value:
            return "ether"  # no setter takes any: the call would revert
        if known.kind == "bands" and arguments[0] - ONE != ONE - arguments[1]:
            return "bands"
        if known.kind in ("ceiling", "proxied ramp") and self._named(known, arguments) is None:
            return "keeper" if known.kind == "ceiling" else "pool"
        there = governed(self.state)
        if known.kind != "ceiling" and not any(each in there for each in known.names or (self._named(known, arguments) or "",)):
            return "mechanism"
        return None

    def _named(self, known: _Known, arguments: tuple[Any, ...]) -> str | None:
        """The parameter that a call means by the address it is given."""
        entry = self.entries.get(str(arguments[0]).lower(), "")
        name = _amplification(entry) if known.kind == "proxied ramp" else _ceiling(entry)
        return name if name in governed(self.state) else None

    def _call(self, number: int, transaction: Transaction, known: _Known, arguments: tuple[Any, ...]) -> ReadCall:
        place = f"{known.entry}.{known.function.name}"
        said = tuple(zip(known.function.names, arguments, strict=True))
        notes: list[Note] = []
        caller = self.state.contracts[known.entry].caller
        if caller is not None and (transaction.sender or "").lower() != _address(self.state, caller):
            notes.append(Note("caller", (known.entry, caller)))
        if known.kind == "sum":
            return self._sum(number, transaction, known, said, notes)
        wanted = self._wanted(known, arguments)
        held, moved = [], []
        for name, raw in wanted.items():
            parameter, before = _definition(name), self.held.values()[name]
            held.append(_integer(parameter, before, self.state))
            after = before if held[-1] == raw else self._value(f"call {number}, {place}", parameter, raw)
            if after != before:
                moved.append(Moved(name, before, after))
                self.held = self.held.replace(name=None, **{name: after})
        if known.kind in ("ramp", "proxied ramp") and moved:
            factor = moved[0].after / moved[0].before
            notes.append(Note("ramp", (moved[0].name,), (float(arguments[-1]),)))
            if not 1.0 / MOST_RAMP <= factor <= MOST_RAMP:
                notes.append(Note("ramp refused", (moved[0].name,), (factor,)))
        if not moved:
            notes.append(Note("no change", tuple(wanted)))
        study = [_integer(_definition(name), self.current.values()[name], self.state) for name in wanted]
        notes += self._drift(known, arguments, study)
        raws = tuple(wanted.values())
        return ReadCall(number, transaction, place, said, tuple(held), raws, tuple(moved), known.setter.limit, tuple(notes))

    def _drift(self, known: _Known, arguments: tuple[Any, ...], study: Sequence[int]) -> list[Note]:
        """Where the state read another value in force than the study has."""
        keeper = self.entries[str(arguments[0]).lower()] if known.kind == "ceiling" else ""
        read, block = in_force(known.setter, keeper, self.state)
        if read is None or block is None:
            return []
        found = (read[0] - ONE,) if known.kind == "bands" else read
        return [] if found == tuple(study) else [Note("drift", tuple(map(str, read)), (float(block),))]

    def _wanted(self, known: _Known, arguments: tuple[Any, ...]) -> dict[str, int]:
        """Integers by parameter."""
        match known.kind:
            case "ramp":
                return {known.names[0]: arguments[0]}
            case "proxied ramp" | "ceiling":
                return {self._named(known, arguments) or "": arguments[1]}
            case "bands":
                return {known.names[0]: arguments[0] - ONE}
            case _:
                there = governed(self.state)
                return {name: raw for name, raw in zip(known.names, arguments, strict=True) if name in there}

    def _value(self, place: str, parameter: Parameter, raw: int) -> float:
        if parameter.share_of == "supply":  # a ceiling that the set holds as a share
            value = raw / 10**STABLECOIN_DECIMALS / self.state.stablecoin.supply.value
        else:
            value = value_of(parameter, raw)
        check_value(place, parameter, value)
        return float(value)

    def _sum(self, number: int, transaction: Transaction, known: _Known, said: tuple[tuple[str, Any], ...], notes: list[Note]) -> ReadCall:
        """A global cap; it is shared out at the end, for two of them may share an AMO."""
        raw, setter = said[0][1], known.function.name
        if raw >= 2**255:
            raise AmoOptError(
                f"call {number}, {known.entry}.{setter}: found {raw}, which the contract holds as a negative number; allowed: below 2**255"
            )
        held = self.sums.get(setter, cap_raw(setter, self.current, self.state))
        if held is None:
            raise AmoOptError(
                f"call {number}, {known.entry}.{setter}: the state does not say how many decimals the collateral has; write collateral_decimals into its [contracts]"
            )
        self.calls = [
            replace(each, notes=(*each.notes, Note("overtaken", (setter,)))) if each.place == f"{known.entry}.{setter}" else each
            for each in self.calls
        ]
        self.sums[setter] = raw
        notes += self._drift(known, (), [cap_raw(setter, self.current, self.state) or 0])
        kept = (*notes, Note("no change", known.names)) if raw == held else tuple(notes)
        return ReadCall(number, transaction, f"{known.entry}.{setter}", said, (held,), (raw,), (), known.setter.limit, kept)

    def finish(self, name: str) -> Understanding:
        """The whole: sums shared out, and what no call tells."""
        self._share_out()
        there = governed(self.state)
        told = {each for known in self.known.values() for each in known.names}
        untold = tuple(each for each in self.current.values() if each in there and each not in told and not self._by_address(each))
        return Understanding(self.current, self.held.replace(name=name), tuple(self.calls), tuple(self.unknown), untold)

    def _by_address(self, name: str) -> bool:
        keeps = DEBT_CEILING.contract in self.state.contracts and any(name == _ceiling(entry) for entry in self.state.contracts)
        return keeps or any(name == _amplification(entry) for entry in self.state.contracts)

    def _share_out(self) -> None:
        there = governed(self.state)
        summed = [name for setter in self.sums for name in CAPS[setter][0] if name in there]
        for name, share in self.split.items():
            if name not in summed:
                raise AmoOptError(
                    f"--split {name}: no call of the proposal sets a sum that it is a part of"
                    + (
                        f"; allowed: {', '.join(dict.fromkeys(summed))}"
                        if summed
                        else "; the proposal sets no cap of several AMOs together"
                    )
                    + (f"; {hint}" if (hint := nearest(name, summed)) else "")
                )
            check_value(f"--split {name}", PARAMETERS[name], share)
        present = {setter: cap_raw(setter, self.current, self.state) for setter in CAPS}
        if not self.split and all(self.sums[setter] == present[setter] for setter in self.sums):
            return
        shares = _shared(self.held, self.state, self.sums, self.split)
        for name, share in shares.items():
            # that of the name's own sum, or the one that an AMO of the other sum has to make up for
            calls = [each for each in self.calls if _setter_in(each) in self.sums]
            call = next((each for each in reversed(calls) if name in CAPS[_setter_in(each)][0]), calls[-1])
            hint = "; say with --split NAME=SHARE who has how much"
            check_value(f"call {call.number}, {call.place}: shared out in proportion", PARAMETERS[name], share, hint=hint)
        before = self.held.values()
        self.held = self.held.replace(name=None, **shares)
        after = self.held.values()
        self.calls = [self._shared_call(each, before, after) for each in self.calls]

    def _shared_call(self, call: ReadCall, before: Mapping[str, float], after: Mapping[str, float]) -> ReadCall:
        setter = _setter_in(call)
        if setter not in self.sums or any(note.kind == "overtaken" for note in call.notes):
            return call
        names = [name for name in CAPS[setter][0] if before[name] != after[name]]
        moved = tuple(Moved(name, before[name], after[name]) for name in names)
        scaled = tuple(each for each in moved if each.name not in self.split)
        told = tuple(name for name in CAPS[setter][0] if name in self.split)
        notes = [*call.notes]
        if scaled:
            notes.append(Note("shared out", tuple(each.name for each in scaled), tuple(each.after / each.before for each in scaled)))
        if told:
            notes.append(Note("told apart", told))
        return replace(call, moved=moved, notes=tuple(notes))


def check_value(place: str, parameter: Parameter, value: float, *, hint: str = "") -> None:
    """Raises `AmoOptError` that names ``place`` for a value that the parameter may not have, and that cannot be simulated."""
    span = f"{plain(parameter.low)} to {plain(parameter.high)} {parameter.unit}".rstrip()
    if not math.isfinite(value) or not parameter.low <= value <= parameter.high:
        raise AmoOptError(f"{place}: {parameter.name} would be {value:.10g}, which cannot be simulated; allowed: {span}{hint}")
    if parameter.kind == "integer" and value != round(value):
        raise AmoOptError(
            f"{place}: {parameter.name} would be {value:.10g}, which cannot be simulated; allowed: whole numbers from {span}{hint}"
        )


def _shared(values: ParameterSet, state: ProtocolState, sums: Mapping[str, int], split: Mapping[str, float]) -> dict[str, float]:
    """The caps' shares that give every sum what is asked of it, or leave it as it is. AMOs that count in both sums are scaled by the smaller of the two factors, so that the others can make
    up for it; within one sum all are scaled alike.
    """
    there = governed(state)
    now = {name: cap_in_tokens(name, values, state) for setter in CAPS for name in CAPS[setter][0] if name in there}
    fixed = {name: cap_in_tokens(name, values.replace(name=None, **{name: share}), state) for name, share in split.items()}
    free = {name: tokens for name, tokens in now.items() if name not in fixed}
    parts = {setter: [name for name in CAPS[setter][0] if name in now] for setter in CAPS}
    left, factor = {}, {}
    for setter, names in parts.items():
        total = math.fsum(now[name] for name in names)
        # the contract's integer is of whole tokens: where it is what the set amounts to, so is what is left
        raw = sums.get(setter)
        wanted = total if raw is None or raw == cap_raw(setter, values, state) else raw / 10 ** _decimals(setter, state)
        left[setter] = wanted - math.fsum(fixed[name] for name in names if name in fixed)
        whole = math.fsum(free.get(name, 0.0) for name in names)
        slack = SPLIT_ROUNDING * wanted if fixed and not whole else 0.5
        if left[setter] < -slack or (not whole and abs(left[setter]) > slack):
            raise AmoOptError(_unshared(setter, names, wanted, split))
        factor[setter] = left[setter] / whole if whole and (fixed or wanted != total) else 1.0
    both = [name for name in parts["setFraxMintCap"] if name in parts["setCollatBorrowCap"] and free.get(name)]
    least = min(factor.values()) if both else 1.0
    scaled = dict.fromkeys(both, least)
    for setter, names in parts.items():
        own = [name for name in names if free.get(name) and name not in both]
        rest = left[setter] - least * math.fsum(free[name] for name in names if name in both)
        whole = math.fsum(free[name] for name in own)
        if not own:
            if both and abs(rest) > 0.5:
                raise AmoOptError(_unshared(setter, names, left[setter], split))
            continue
        by = factor[setter] if not both or factor[setter] == least else rest / whole
        scaled |= dict.fromkeys(own, max(0.0, by))
    shares = {name: values.values()[name] * by for name, by in scaled.items() if by != 1.0}
    return shares | dict(split)


def _unshared(setter: str, names: Sequence[str], wanted: float, split: Mapping[str, float]) -> str:
    told = (
        f"what --split tells of {', '.join(name for name in names if name in split)} does not add up to it"
        if split
        else "no AMO has a share of it now"
    )
    return f"{setter}: {wanted:,.0f} tokens cannot be shared out, for {told}; say with --split NAME=SHARE who has how much, of {', '.join(names)}"


def _decimals(setter: str, state: ProtocolState) -> int:
    return STABLECOIN_DECIMALS if CAPS[setter][1] == "supply" else state.collateral_decimals or 0


def _setter_in(call: ReadCall) -> str:
    return call.place.rpartition(".")[2]


def _definition(name: str) -> Parameter:
    found = PARAMETERS[name]
    return replace(found, raw_decimals=STABLECOIN_DECIMALS) if found.amount else found


def _integer(parameter: Parameter, value: float, state: ProtocolState) -> int:
    if parameter.amount or parameter.share_of == "supply":
        unit: int = 10**STABLECOIN_DECIMALS
        return round(value * (1.0 if parameter.amount else state.stablecoin.supply.value)) * unit  # a limit: of whole tokens
    return raw_integer(parameter, value) or 0


def _amplification(entry: str) -> str:
    """The parameter of a pool's A by the pool's entry in ``[contracts]``."""
    return "amplification" if entry == RAMP.contract else f"{entry}.amplification"


def _ceiling(entry: str) -> str:
    """The parameter of a PegKeeper's ceiling by the keeper's entry in ``[contracts]``."""
    return "peg_keeper_ceiling" if entry == CALLER_SHARE.contract else f"{entry}.ceiling"


def _address(state: ProtocolState, entry: str) -> str:
    return state.contracts[entry].address.lower()


def _known(state: ProtocolState) -> list[_Known]:
    """Every function of the state's contracts that sets parameters."""
    names: dict[Setter, list[str]] = {}
    for name in parameters_in(state):
        setter = setter_of(name, state)
        if setter is not None and setter is not RAMP and setter.contract in state.contracts:
            names.setdefault(setter, []).append(name)
    return [_of_setter(copy, tuple(each)) for setter, each in names.items() for copy in copies_of(setter, state)] + _ramps(state)


def _of_setter(setter: Setter, names: tuple[str, ...]) -> _Known:
    kind: Kind = "values"
    if setter is DEBT_CEILING:
        kind, names = "ceiling", ()
    elif setter.name in CAPS:
        kind = "sum"
    elif len(setter.arguments) > len(names):
        kind = "bands"
    return _Known(setter.contract, setter.function, kind, names, setter)


def _ramps(state: ProtocolState) -> list[_Known]:
    found = []
    for entry, contract in state.contracts.items():
        if _amplification(entry) in parameters_in(state):
            found.append(_Known(entry, RAMP.function, "ramp", (_amplification(entry),), replace(RAMP, contract=entry)))
            proxy = PROXIES.get((contract.caller or "", RAMP.function.signature))
            if proxy is not None:
                found.append(_Known(contract.caller or "", proxy.function, "proxied ramp", (), replace(RAMP, contract=entry)))
    return found
