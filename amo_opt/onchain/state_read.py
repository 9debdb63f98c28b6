"""A state's figures, values in force and roles as a chain holds them at one block.

Integers stay integers until `decimal.Decimal` has divided them; what is not read is listed with its reason, and what is wrong is one sentence.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, localcontext
from typing import TYPE_CHECKING, Literal

from amo_opt.config.schema import figures_by_name, given_figures
from amo_opt.errors import AmoOptError
from amo_opt.onchain.abi import Function, function
from amo_opt.onchain.reads import reads_of
from amo_opt.onchain.recording import NotRecordedError
from amo_opt.onchain.rpc import Answer, Block, Node, expect_chain
from amo_opt.protocol.addresses import checksummed, keccak
from amo_opt.protocol.reads import Read, ReadFigure
from amo_opt.wording import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amo_opt.protocol.state import ProtocolState

_CONTEXT = Context(prec=100)
"""Of the decimal arithmetic: a word of the chain has 78 digits."""
WORD = 32
ETHER = "0x" + "e" * 40
"""What Curve's pools name for ether, which has no contract."""
ETHER_DECIMALS = 18
_MINIMAL = (bytes.fromhex("363d3d373d3d3d363d73"), bytes.fromhex("5af43d82803e903d91602b57fd5bf3"))
_FORWARDER = (bytes.fromhex("366000600037611000600036600073"), bytes.fromhex("5af4602c57600080fd5b6110006000f3"))
"""What Vyper before 0.3 made with ``create_forwarder_to``, as the pools of Curve's first factory are."""

Why = Literal["no address", "not recorded", "not in this version", "failed", "no getter"]


@dataclass(frozen=True)
class Given:
    """A read that was answered: the contract's address (EIP-55), all it ``returned``, the integer or address meant, and its value in units of what it counts."""

    read: Read
    key: str
    address: str
    returned: tuple[object, ...]
    raw: int | str
    value: Decimal | None

    @property
    def text(self) -> str:
        """``0xcf37…E241 frax_mint_cap() = 1``, with the arguments that were given."""
        contract = self.read.contract if isinstance(self.read.contract, str) else self.read.contract.key
        return f"{self.address} {self.key.removeprefix(contract + '.')} = {self.raw}"


@dataclass(frozen=True)
class Unread:
    """A read or a figure that was not read, and why; ``said`` is the sentence where something is wrong."""

    what: str
    why: Why
    said: str


@dataclass(frozen=True)
class Code:
    """A contract's code by its Keccak-256; ``implementation`` is where a proxy's calls go (EIP-55), by which ``standard``."""

    entry: str
    address: str
    hash: str
    implementation: str | None = None
    standard: str | None = None


@dataclass(frozen=True)
class FigureRead:
    """A figure's value at the block, and the reads it follows from."""

    name: str
    value: Decimal
    of: tuple[Given, ...]


@dataclass(frozen=True)
class Reading:
    """What a chain said at one block: figures in the order of the state's definition, values in force and roles (``reads``), what was not read, and the contracts' code."""

    chain_id: int
    block: Block
    figures: tuple[FigureRead, ...]
    reads: tuple[Given, ...]
    unread: tuple[Unread, ...]
    codes: tuple[Code, ...]
    notes: tuple[str, ...] = field(default=())

    def source(self, figure: FigureRead) -> str:
        """Where a figure comes from, as a state file says it: chain, block, and every call with what it returned."""
        calls = ", ".join(dict.fromkeys(each.text for each in figure.of))
        return f"chain {self.chain_id}, block {self.block.number} {self.block.hash}, {calls}"


def read_state(node: Node, state: ProtocolState, which: int | str = "latest", *, partial: bool = False) -> Reading:
    """What the chain says of ``state`` at a block. Raises `AmoOptError` with one sentence for another chain, no code at an address, a getter that is not there or reverts, an answer of
    a wrong length, and a value that no state may hold; with ``partial`` the last four are listed.
    """
    expect_chain(node, state.chain_id)
    found = _Answers(node, node.block(which), state)
    wanted = reads_of(state)
    found.ask([read for each in wanted for read in (each.of if isinstance(each, ReadFigure) else (each,))])
    figures, reads, unread = [], [], []
    for each in wanted:
        try:
            if isinstance(each, ReadFigure):
                figures.append(found.figure(each))
            else:
                reads.append(found.given(each))
        except _NotReadError as stop:
            unread.append(stop.unread)
    wrong = next((each for each in unread if each.why == "failed"), None)
    if wrong is not None and not partial:
        raise AmoOptError(wrong.said)
    if all(each.why == "no address" for each in unread) and not (figures or reads):
        entries = sorted(
            {entry for each in wanted for read in (each.of if isinstance(each, ReadFigure) else (each,)) for entry in read.entries}
        )
        raise AmoOptError(
            f"the state {state.name} names no contract that could be read; allowed: any [contracts.NAME] of {', '.join(entries)}"
        )
    told = {each.figure for each in wanted if isinstance(each, ReadFigure)}
    known = figures_by_name()
    silent = (name for name in given_figures(state) if name not in told and not known[name].metadata["behaviour"])
    unread += [Unread(name, "no getter", f"{name}: no getter is known that tells it") for name in silent]
    return Reading(
        state.chain_id, found.block, tuple(figures), tuple(reads), tuple(unread), tuple(found.codes.values()), tuple(found.notes)
    )


def read_columns(node: Node, state: ProtocolState, block: Block, columns: Mapping[str, ReadFigure]) -> dict[str, Decimal]:
    """The value of each at a block, by name. Raises `AmoOptError` for the first that is not told; code is not looked at."""
    found = _Answers(node, block, state, codes=False)
    found.ask([read for each in columns.values() for read in each.of])
    try:
        return {name: found.figure(each).value for name, each in columns.items()}
    except _NotReadError as stop:
        raise AmoOptError(stop.unread.said) from None


class _NotReadError(Exception):
    def __init__(self, unread: Unread) -> None:
        super().__init__(unread.said)
        self.unread = unread


class _Answers:
    """Reads answered, or why not; asked in rounds, as some need others' answers first."""

    def __init__(self, node: Node, block: Block, state: ProtocolState, *, codes: bool = True) -> None:
        self._node, self.block, self._state, self._looks = node, block, state, codes
        self._found: dict[Read, tuple[str, tuple[object, ...]] | Unread] = {}
        self._used: list[Read] = []
        self.codes: dict[str, Code] = {}
        self.notes: list[str] = []

    # -- what a figure may ask (`protocol.reads.Answered`)

    @property
    def timestamp(self) -> int:
        return self.block.timestamp

    def value(self, read: Read) -> Decimal:
        found = self.given(read)
        self._used.append(read)
        if found.value is None:
            raise TypeError(f"{read.key} answers no number")
        return found.value

    def outputs(self, read: Read) -> tuple[object, ...]:
        self._used.append(read)
        return self._answer(read)[1]

    def is_answered(self, read: Read) -> bool:
        return not isinstance(self._found[read], Unread)

    def address(self, entry: str) -> str | None:
        contract = self._state.contracts.get(entry)
        return None if contract is None else contract.address

    # -- what came of it

    def given(self, read: Read) -> Given:
        to, returned = self._answer(read)
        raw = _picked(read, returned)
        number = isinstance(raw, int)
        value = Decimal(raw).scaleb(-self._decimals(read), _CONTEXT) if number else None
        return Given(read, self._key(read), checksummed(to), returned, raw, value)

    def figure(self, told: ReadFigure) -> FigureRead:
        given: tuple[Given, ...] = ()
        try:
            given = tuple(self.given(each) for each in told.of if not self._is_spared(each, told))
            self._used = []
            with localcontext(_CONTEXT):
                value = told.value(self)
            given = tuple(each for each in given if each.read in self._used)
        except _NotReadError as stop:
            raise _NotReadError(replace(stop.unread, what=told.figure)) from None
        except (AmoOptError, DivisionByZero, InvalidOperation) as error:
            said = (
                str(error)
                if isinstance(error, AmoOptError)
                else f"{told.figure}: {', '.join(each.key for each in given)} divide by nothing"
            )
            raise _NotReadError(Unread(told.figure, "failed", said)) from None
        if told.figure not in figures_by_name():  # a column's, which the reader of histories judges
            return FigureRead(told.figure, value, given)
        limits = figures_by_name()[told.figure].metadata
        if not limits["low"] <= value <= limits["high"]:
            span = f"{plain(limits['low'])} to {plain(limits['high'])} {limits['unit']}".rstrip()
            said = f"{told.figure}: out of range; found {value:f} ({', '.join(each.text for each in given)}); allowed: {span}"
            raise _NotReadError(Unread(told.figure, "failed", said))
        return FigureRead(told.figure, value, given)

    def _is_spared(self, read: Read, told: ReadFigure) -> bool:
        """Whether a figure does without one of its reads, which is then noted."""
        found = self._found[read]
        if not (isinstance(found, Unread) and read.optional and found.why in ("not recorded", "not in this version") and len(told.of) > 1):
            return False
        if found.said not in self.notes:
            self.notes.append(found.said)
        return True

    # -- asking

    def ask(self, wanted: Iterable[Read]) -> None:
        """Asks all of these and what they need."""
        waiting = list(dict.fromkeys(each for read in wanted for each in _needed(read)))
        while waiting:
            ready = [each for each in waiting if all(need in self._found for need in _first(each))]
            self._round(ready)
            waiting = [each for each in waiting if each not in self._found]

    def _round(self, ready: Sequence[Read]) -> None:
        calls: list[tuple[Read, str, bytes, Function]] = []
        for read in ready:
            unnamed = next((entry for entry in read.entries if entry not in self._state.contracts), None)
            failed = next((each for each in map(self._found.__getitem__, _first(read)) if isinstance(each, Unread)), None)
            if unnamed is not None:
                said = f"{read.key}: the state has no [contracts.{unnamed}]"
                self._found[read] = Unread(read.key, "no address", said)
            elif failed is not None:
                self._found[read] = replace(failed, what=read.key)
            else:
                to, how = self._to(read), function(read.signature, read.outputs)
                if to.lower() == ETHER and how.name == "decimals":
                    self._found[read] = (to, (ETHER_DECIMALS,))
                elif self._has_code(read, to):
                    calls.append((read, to, how.encode([self._argument(each) for each in read.arguments]), how))
        for (read, to, _, how), answer in zip(calls, self._asked([(to, sent) for _, to, sent, _ in calls]), strict=True):
            self._found[read] = self._heard(read, to, how, answer)

    def _asked(self, calls: list[tuple[str, bytes]]) -> list[Answer | None]:
        """The answers; None to what a recording does not hold."""
        try:
            return list(self._node.calls(self.block, calls)) if calls else []
        except NotRecordedError:
            return [None] if len(calls) == 1 else [each for call in calls for each in self._asked([call])]

    def _heard(self, read: Read, to: str, how: Function, answer: Answer | None) -> tuple[str, tuple[object, ...]] | Unread:
        key, place = self._key(read), f"{checksummed(to)} {how.signature} at block {self.block.number}"
        if answer is None:
            return Unread(key, "not recorded", f"{key}: the recording does not hold it")
        static = WORD * len(how.outputs) if not any("(" in each or each in ("string", "bytes") for each in how.outputs) else None
        if answer.data is None:
            wrong = f"{key}: the call reverts ({answer.error or 'no reason given'}); {place}"
        elif not answer.data:
            wrong = f"{key}: the contract has no such getter, or answers nothing; {place}"
        elif static is not None and len(answer.data) != static:
            wrong = f"{key}: the answer has {len(answer.data)} bytes, wanted {static} ({', '.join(how.outputs)}); {place}"
        else:
            try:
                return to, how.decode_outputs(answer.data)
            except AmoOptError as error:
                wrong = f"{key}: {error}; {place}"
        # a getter of some versions alone is not there where the call fails; an answer of a wrong length is none of its
        absent = read.optional and not answer.data
        return Unread(key, "not in this version" if absent else "failed", wrong)

    def _has_code(self, read: Read, to: str) -> bool:
        """Whether there is a contract, whose code is noted once; one that a recording does not hold is taken as there."""
        if self._looks and to.lower() not in self.codes:
            try:
                code = self._node.code(self.block, to)
            except NotRecordedError:
                return True
            entry = read.contract if isinstance(read.contract, str) else read.contract.key
            where = f"[contracts.{entry}]" if isinstance(read.contract, str) else entry
            if not code:
                said = f"{where}: no code at {checksummed(to)} at block {self.block.number}; it is another chain's address, or of later"
                self._found[read] = Unread(read.key, "failed", said)
                return False
            self.codes[to.lower()] = self._code(entry, to, code)
        return True

    def _code(self, entry: str, to: str, code: bytes) -> Code:
        found = Code(entry, checksummed(to), "0x" + keccak(code).hex())
        for (before, after), standard in ((_MINIMAL, "EIP-1167"), (_FORWARDER, "Vyper forwarder")):
            if len(code) == len(before) + 20 + len(after) and code.startswith(before) and code.endswith(after):
                return replace(found, implementation=checksummed("0x" + code[len(before) : len(before) + 20].hex()), standard=standard)
        try:
            held = self._node.storage(self.block, to, int.from_bytes(keccak(b"eip1967.proxy.implementation")) - 1)
        except NotRecordedError:
            return found
        if any(held[12:]) and not any(held[:12]):
            return replace(found, implementation=checksummed("0x" + held[12:].hex()), standard="EIP-1967")
        return found

    # -- parts of a read

    def _answer(self, read: Read) -> tuple[str, tuple[object, ...]]:
        found = self._found[read]
        if isinstance(found, Unread):
            raise _NotReadError(found)
        return found

    def _to(self, read: Read) -> str:
        if isinstance(read.contract, str):
            return self._state.contracts[read.contract].address
        return str(_picked(read.contract, self.outputs(read.contract)))

    def _argument(self, given: int | str | Read) -> object:
        if isinstance(given, Read):
            return _picked(given, self.outputs(given))
        return self._state.contracts[given].address if isinstance(given, str) else given

    def _key(self, read: Read) -> str:
        """The read's key with the answers that were given in it."""
        return read.named(
            *(
                each.key
                if isinstance(each, Read) and not self.is_answered(each)
                else str(self._argument(each) if isinstance(each, Read) else each)
                for each in read.arguments
            )
        )

    def _decimals(self, read: Read) -> int:
        unit = read.counted_by
        if unit is None:
            return read.decimals or 0
        found = self._found[unit]
        if not isinstance(found, Unread):
            decimals = int(str(found[1][0]))
            if read.decimals is not None and decimals != read.decimals:
                said = f"{unit.key} answers {decimals}, and {read.decimals} is what the state or the contract's source says of {read.key}"
                raise _NotReadError(Unread(read.key, "failed", said))
            return decimals
        if read.decimals is None:
            raise _NotReadError(replace(found, what=read.key))
        note = f"{read.decimals} decimals of {read.key} are the source's or the state's: {found.said}"
        if note not in self.notes:
            self.notes.append(note)
        return read.decimals


def _first(read: Read) -> tuple[Read, ...]:
    """The reads that must be answered before it can be asked."""
    return tuple(each for each in (read.contract, *read.arguments) if isinstance(each, Read))


def _needed(read: Read) -> list[Read]:
    """The read behind all that it needs."""
    before = [*_first(read), *([] if read.counted_by is None else [read.counted_by])]
    return [*(each for need in before for each in _needed(need)), read]


def _picked(read: Read, returned: tuple[object, ...]) -> int | str:
    """Of what a getter returned the value meant: an integer, 0 or 1 for a truth value, or an address in EIP-55."""
    value: object = returned
    for place in read.output:
        value = value[place]  # type: ignore[index]
    if isinstance(value, str):
        return checksummed(value)
    return int(value)  # type: ignore[call-overload, no-any-return]
