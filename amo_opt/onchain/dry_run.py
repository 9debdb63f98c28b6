"""A payload executed on an engine, read back, reverted: what would happen, without anything being signed or sent.

Before: chain, code at every target, whom each contract obeys. Then all calls in order, each as its sender; a Safe's batch is atomic, so that one failure undoes
it whole, yet the calls behind it run too, for every fault is to be told at once. Reverts run after the batch, each on the same block at its own time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal

from amo_opt.errors import AmoOptError
from amo_opt.onchain.abi import function
from amo_opt.onchain.effects import Effect, Getter, effects_of
from amo_opt.onchain.engines.engine import NOBODY, MissingEngineError, Moment
from amo_opt.onchain.engines.evm import INSTALL, Evm
from amo_opt.onchain.engines.simulate_v1 import METHOD, SimulateV1
from amo_opt.onchain.execution_record import CallRecord, Part, Reading, Run, SlotChange
from amo_opt.onchain.payload import read_payload
from amo_opt.onchain.reverts import reason_of
from amo_opt.onchain.rpc import NodeError, expect_chain
from amo_opt.onchain.transaction import Transaction
from amo_opt.onchain.written import address
from amo_opt.one_line import one_line
from amo_opt.protocol.addresses import checksummed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from amo_opt.onchain.engines.engine import Engine, Outcome, Ran, Slot
    from amo_opt.onchain.rpc import Block, Node

HOUR: Final = 3600
SOON, LATER = HOUR, 30 * HOUR
"""When a revert is tried where nobody says: an hour after the batch, and of a ramp, which the pool lets nobody ramp back within a day, 30 hours after it too."""
NEXT_BLOCK: Final = 12
"""Seconds from a block to the one in which a batch is executed where nobody says when."""
Kind = Literal["auto", "simulate", "evm"]
ENGINES: Final[tuple[Kind, ...]] = ("auto", "simulate", "evm")


@dataclass(frozen=True)
class Batch:
    """A file of transactions by its name and SHA-256; ``chain_id`` is what it says of itself (``None``: nothing). Every transaction has its sender."""

    file: str
    sha256: str
    chain_id: int | None
    transactions: tuple[Transaction, ...]


def batch_of(file: Path, *, sender: str | None = None) -> Batch:
    """The batch in a file; ``sender`` sends what names nobody. Raises `AmoOptError` for what is no payload or was changed after it was made."""
    payload = read_payload(file)
    if payload.intact is False:
        raise AmoOptError(
            f"{file}: its checksum is not its content's: it was changed after it was made; export it again from where it was made"
        )
    account = None if sender is None else address(sender, place="--from")
    calls = tuple(each if each.sender is not None else replace(each, sender=account) for each in payload.transactions)
    return Batch(file.name, sha256(file.read_bytes()).hexdigest(), payload.chain_id, calls)


def engine_of(kind: Kind, node: Node, url: str, block: Block, *, chain_id: int) -> Engine:
    """The engine asked for; of ``auto`` the node's own method where it has it, else the machine here. Raises `AmoOptError` that names both ways out."""
    node.balance(block, NOBODY)  # the header may outlive the state
    missing = []
    if kind != "evm":
        try:
            found = SimulateV1(node, block)
            found.run((Moment(block.timestamp + 1, ()),), as_accounts=frozenset())
        except MissingEngineError as error:
            missing.append(str(error))
        except NodeError:
            if kind == "simulate":
                raise
            missing.append(f"the node's {METHOD} refuses what others take")
        else:
            return found
    if kind != "simulate":
        try:
            return Evm(node, url, block, chain_id=chain_id)
        except MissingEngineError as error:
            missing.append(str(error).partition(":")[0])
    raise AmoOptError(f"{' and '.join(missing)}: name a node that has {METHOD}, or install the machine: {INSTALL}")


def dry_run(
    batch: Batch,
    revert: Batch | None,
    node: Node,
    engine: Engine,
    block: Block,
    *,
    at: int | None = None,
    revert_at: Sequence[int] = (),
) -> Run:
    """The batch at the Unix second ``at`` (the next block's), and the revert at each second of ``revert_at``.

    Raises `AmoOptError` where it could not be tried: another chain, times before the block's, a sender without the money it sends, a node that stops answering.
    """
    for each in (batch, revert):
        if each is not None and each.chain_id is not None:
            expect_chain(node, each.chain_id)
    begin = block.timestamp + NEXT_BLOCK if at is None else at
    if begin <= block.timestamp:
        raise AmoOptError(f"--at: found {begin}; allowed: after block {block.number}'s own time, {block.timestamp}")
    runs = _Runs(node, engine, block, _Prepared.of(batch), None if revert is None else _Prepared.of(revert))
    forward = runs.forward(begin)
    times = tuple(revert_at) or ((begin + SOON, begin + LATER) if any(each.is_ramp for each in runs.batch.all_effects) else (begin + SOON,))
    if early := [each for each in times if each <= begin]:
        raise AmoOptError(f"--revert-at: found {early[0]}; allowed: after the batch's own time, {begin}")
    reverts = tuple(runs.back(begin, each) for each in times) if runs.undo is not None and forward.ok else ()
    if node.block(block.number) != block:
        raise AmoOptError(f"block {block.number} ({block.hash}) was replaced by another while it was executed on; try again")
    return Run(_on(engine, node), node.chain_id(), block.number, block.hash, block.timestamp, forward, reverts)


@dataclass(frozen=True)
class _Prepared:
    given: Batch
    effects: tuple[tuple[Effect, ...], ...]

    @classmethod
    def of(cls, given: Batch) -> _Prepared:
        found = []
        for each in given.transactions:
            if each.sender is None:
                raise AmoOptError(f"{given.file}: nobody is named who sends the call to {each.to}; name the account by --from")
            found.append(effects_of(each.to, each.function, each.arguments, each.sender))
        return cls(given, tuple(found))

    @property
    def all_effects(self) -> tuple[Effect, ...]:
        return tuple(each for effects in self.effects for each in effects)


@dataclass(frozen=True)
class _Runs:
    """A batch and its revert on one block."""

    node: Node
    engine: Engine
    block: Block
    batch: _Prepared
    undo: _Prepared | None

    def forward(self, at: int) -> Part:
        """The batch executed."""
        self._check_money(self.batch.given)
        layout = _Layout(self.batch, self._getters)
        outcome = self._run(Moment(at, layout.messages))
        before, after = layout.read(outcome.ran[0], first=True), layout.read(outcome.ran[0], first=False)
        wanted = {_key(each): each.wanted for effect in self.batch.all_effects for each in effect.moves if each.wanted is not None}
        return self._part(self.batch, at, layout.ran(outcome.ran[0]), layout.held(outcome.ran[0]), (before, after), wanted, outcome)

    def back(self, at: int, later: int) -> Part:
        """The revert executed at ``later``, after the batch at ``at``."""
        if self.undo is None:
            raise AmoOptError("there is no revert")
        self._check_money(self.undo.given)
        first, second = _Layout(self.batch, self._getters), _Layout(self.undo, self._getters)
        outcome = self._run(Moment(at, first.messages), Moment(later, second.messages))
        compared = (first.read(outcome.ran[0], first=True), second.read(outcome.ran[1], first=False))
        return self._part(self.undo, later, second.ran(outcome.ran[1]), second.held(outcome.ran[1]), compared, {}, outcome)

    @property
    def _getters(self) -> tuple[Getter, ...]:
        """Of both batches: what one moves the other is to bring back."""
        effects = (*self.batch.all_effects, *(() if self.undo is None else self.undo.all_effects))
        return tuple({_key(each): each for effect in effects for each in effect.moves}.values())

    def _run(self, *moments: Moment) -> Outcome:
        senders = {each.sender for moment in moments for each in moment.messages if each.sender is not None}
        with_code = frozenset(each for each in senders if self.node.code(self.block, each))
        return self.engine.run(moments, as_accounts=with_code)

    def _part(
        self, prepared: _Prepared, at: int, ran: Sequence[Ran], held: Sequence[Mapping[str, int]], compared: tuple[Mapping[str, int | None], ...],
        wanted: Mapping[str, int], outcome: Outcome,
    ) -> Part:  # fmt: skip
        given = prepared.given
        before, after = compared
        objections = [*self._without_code(prepared)]
        records = []
        for number, (call, effects, one, probes) in enumerate(zip(given.transactions, prepared.effects, ran, held, strict=True), 1):
            obeys, refused = self._obeyed(effects)
            reason, explained = reason_of(one), []
            if not one.ok:
                explained = [*refused, *(limit for effect in effects for limit in effect.broken(probes, at))]
                objections.append(
                    f"call {number}, {_name(call)}, fails{': ' + reason if reason else ' without a reason'}{_because(explained)}"
                )
            else:  # taken all the same, and kept as another number than was sent
                limits = (limit for effect in effects if not effect.is_ramp for limit in effect.broken(probes, at))
                objections += [f"call {number}, {_name(call)}, works: {limit}" for limit in limits]
            records.append(_record(call, one, obeys, reason, explained))
        if all(each.ok for each in ran):
            for key, value in wanted.items():
                if after[key] != value:
                    objections.append(f"{key} answers {after[key]} afterwards, where {value} was set")
        readings = tuple(Reading(key, _text(before[key]), _text(after[key]), _text(wanted.get(key))) for key in before)
        return Part(given.file, given.sha256, at, not objections, tuple(objections), tuple(records), readings, _changes(outcome))

    def _without_code(self, prepared: _Prepared) -> list[str]:
        targets = dict.fromkeys(each.to for each in prepared.all_effects)
        return [
            f"no contract is at {to} at block {self.block.number}: a call would change nothing, and count as done"
            for to in targets
            if not self.node.code(self.block, to)
        ]

    def _check_money(self, given: Batch) -> None:
        sent: Counter[str] = Counter()
        for each in given.transactions:
            sent[str(each.sender)] += each.value
        for sender, value in sent.items():
            if value and (held := self.node.balance(self.block, sender)) < value:
                raise AmoOptError(f"{given.file}: {sender} sends {value} wei and holds {held} at block {self.block.number}")

    def _obeyed(self, effects: tuple[Effect, ...]) -> tuple[dict[str, str], list[str]]:
        """Whom the contracts of a call obey, by getter, and where that is not who calls."""
        told: dict[str, str] = {}
        refused = []
        for place, effect in enumerate(effects):
            found = self._answers(effect.to, effect.obeys)
            told |= {f"{effect.to}.{getter}" if place else getter: address for getter, address in found.items()}
            known = bool(effect.setters) or len(effects) > 1
            if known and found and effect.sender.lower() not in {each.lower() for each in found.values()}:
                whom = ", ".join(f"{address} ({getter})" for getter, address in found.items())
                refused.append(f"{effect.to} obeys {whom}, not {effect.sender}")
        return told, refused

    def _answers(self, to: str, getters: Sequence[str]) -> dict[str, str]:
        """Addresses that a contract names, by getter; ``factory().admin()`` is asked of what the first one names."""
        found: dict[str, str] = {}
        for getter in getters:
            asked: str | None = to
            for part in getter.split("."):
                asked = None if asked is None else self._address(asked, part)
            if asked is not None and int(asked, 16):
                found[getter] = asked
        return found

    def _address(self, to: str, getter: str) -> str | None:
        (answer,) = self.node.calls(self.block, [(to, function(getter).selector)])
        raw = answer.data
        return checksummed("0x" + raw[12:].hex()) if raw is not None and len(raw) == 32 and not any(raw[:12]) else None


@dataclass(frozen=True)
class _Layout:
    """The messages of a moment: getters, then each call behind what its limits hang on, then the getters again."""

    prepared: _Prepared
    getters: tuple[Getter, ...]

    @property
    def _probes(self) -> tuple[tuple[Getter, ...], ...]:
        return tuple(tuple(probe for effect in effects for probe in effect.probes) for effects in self.prepared.effects)

    @property
    def messages(self) -> tuple[Transaction, ...]:
        reads = [_reading(each) for each in self.getters]
        between = [
            message
            for call, probes in zip(self.prepared.given.transactions, self._probes, strict=True)
            for message in (*map(_reading, probes), call)
        ]
        return (*reads, *between, *reads)

    def read(self, ran: Sequence[Ran], *, first: bool) -> dict[str, int | None]:
        count = len(self.getters)
        part = ran[:count] if first else ran[len(ran) - count :]
        return {_key(each): _number(each, one) for each, one in zip(self.getters, part, strict=True)}

    def _each(self, ran: Sequence[Ran]) -> list[tuple[Sequence[Ran], Ran]]:
        found, place = [], len(self.getters)
        for probes in self._probes:
            found.append((ran[place : place + len(probes)], ran[place + len(probes)]))
            place += len(probes) + 1
        return found

    def ran(self, ran: Sequence[Ran]) -> list[Ran]:
        return [one for _, one in self._each(ran)]

    def held(self, ran: Sequence[Ran]) -> list[dict[str, int]]:
        """What the probes of each call answered just before it, by function name."""
        found = []
        for probes, (answers, _) in zip(self._probes, self._each(ran), strict=True):
            values = {probe.function.name: _number(probe, one) for probe, one in zip(probes, answers, strict=True)}
            found.append({name: value for name, value in values.items() if value is not None})
        return found


def _reading(getter: Getter) -> Transaction:
    return Transaction(getter.to, getter.data)


def _key(getter: Getter) -> str:
    return getter.text


def _number(getter: Getter, ran: Ran) -> int | None:
    if not ran.ok or len(ran.data) != 32:
        return None
    return int(getter.function.decode_outputs(ran.data)[0])


def _on(engine: Engine, node: Node) -> str:
    """The engine, and what the node says it is: one of doubles, or a fork on somebody's desk, may bear mainnet's chain id."""
    try:
        client = node.request("web3_clientVersion", [])
    except AmoOptError:  # a node need not tell
        client = None
    told = one_line(client, most=60) if isinstance(client, str) and client.strip() else "a node that does not say what it is"
    return f"{engine.name} at {told}"


def _name(call: Transaction) -> str:
    return f"0x{call.data[:4].hex()}" if call.function is None else call.function.name


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


def _because(explained: Sequence[str]) -> str:
    return f" ({'; '.join(explained)})" if explained else ""


def _record(call: Transaction, ran: Ran, obeys: dict[str, str], reason: str, explained: Sequence[str]) -> CallRecord:
    name = f"0x{call.data[:4].hex()}" if call.function is None else call.function.signature
    arguments = tuple("0x" + each.hex() if isinstance(each, bytes) else str(each) for each in call.arguments)
    data = "0x" + call.data.hex()
    return CallRecord(call.to, name, arguments, data, str(call.value), str(call.sender), obeys, ran.ok, ran.gas, reason, tuple(explained))


def _changes(outcome: Outcome) -> tuple[SlotChange, ...] | None:
    if outcome.storage is None:
        return None
    before, after = outcome.storage[0], outcome.storage[-1]
    changed: list[Slot] = sorted(slot for slot, value in after.items() if value != before.get(slot, 0))
    return tuple(SlotChange(checksummed(to), hex(slot), hex(before.get((to, slot), 0)), hex(after[to, slot])) for to, slot in changed)
