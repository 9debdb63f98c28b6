"""Section 13: the calls of the proposal, decoded and encoded, what was executed of them and where, and why there may be none.

What was executed is `execution.json`'s, which the report reads and never makes. A payload that failed is no payload.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.errors import AmoOptError
from amo_opt.onchain.calls import calls_between, policy_names, reverting, uncalled_caps
from amo_opt.onchain.raw_integers import CAPS
from amo_opt.onchain.safe_batch import available, file_text
from amo_opt.onchain.signatures import SAFE, setter_of
from amo_opt.protocol.addresses import INSTALL, lacks_checksum
from amo_opt.report.blocks import Block, Bullets, Code, Column, Heading, Line, Table, Text, num, wide
from amo_opt.report.payloads import EPOCH, Maker, Payload, before_words, created_at, in_batch, why_not
from amo_opt.report.schedule import duration, moment, schedule_of, unix
from amo_opt.report.sections.decision import blockers_of
from amo_opt.report.sections.parameters import executor
from amo_opt.report.wording import plain_number
from amo_opt.wording import MISSING, clean, count

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amo_opt.config.study import Study
    from amo_opt.onchain.calls import Call
    from amo_opt.onchain.execution_record import Part, Record, Run
    from amo_opt.protocol.state import Contract, ProtocolState
    from amo_opt.report.account import Account
    from amo_opt.report.schedule import Schedule
    from amo_opt.report.sets import Subject
    from amo_opt.search.result import Result

BATCH, REVERT = "safe-batch.json", "safe-batch-revert.json"
LISTED = 4
"""Getters and slots that did not come back, of those that are named."""


@dataclass(frozen=True)
class Execution:
    """``reasons`` say why there is no batch; ``batch`` and ``revert`` are the documents, ``None`` where there is none; ``payloads`` go beside them.

    ``there`` and ``back`` are all calls, ``policy`` the parameters that no call sets, ``runs`` what `execution.json` holds of the payloads.
    """

    reasons: tuple[str, ...]
    there: tuple[Call, ...] = ()
    back: tuple[Call, ...] = ()
    policy: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    revert_notes: tuple[str, ...] = ()
    batch: dict[str, Any] | None = None
    revert: dict[str, Any] | None = None
    payloads: tuple[Payload, ...] = ()
    runs: tuple[Run, ...] = ()

    @property
    def calls(self) -> tuple[Call, ...]:
        """Those of the Safe's batch."""
        return tuple(filter(in_batch, self.there))

    @property
    def revert_calls(self) -> tuple[Call, ...]:
        """Those that undo it."""
        return tuple(filter(in_batch, self.back))

    @property
    def apart(self) -> tuple[Call, ...]:
        """Those that are in no payload."""
        return tuple(filter(why_not, self.there))


def finding(of: Account) -> str:
    """Whether there is anything to execute."""
    return "How it is executed, and undone" if of.execution.batch or of.execution.payloads else "Nothing is executed from this report"


def blocks(of: Account) -> list[Block]:
    """Why there is no batch, or what is in it; the other payloads; what is in none, and the addresses in use."""
    found = of.execution
    parts: list[Block] = [Bullets(found.reasons)]
    if found.batch is not None:
        told = " is for Safe's Transaction Builder (load it there; the builder shows every call decoded). Its checksum: "
        parts.append(Text(Code(BATCH), told, Code(found.batch["meta"]["checksum"])))
    parts += [call_table(found.calls), Bullets(found.notes)]
    for each in found.payloads:
        both = call_table(each.calls, undo=each.revert_calls)
        parts += [Heading(each.title), Text(f"Sent by {each.sender}."), both, Bullets(each.notes)]
    if found.apart:
        parts += [Heading("Calls that are not in the batch"), call_table(found.apart, why=True)]
    if found.policy:
        now, then = of.subject.current.parameters.values(), of.shown.parameters.values()
        rows = [(Code(name), plain_number(now[name]), plain_number(then[name]), _no_call(name, of.study.state)) for name in found.policy]
        heads = ("Parameter", num("Current"), num("Proposed"), wide("Why"))
        parts += [Heading("Changes that no call makes"), Table(heads, rows, label="Changes that no call makes", narrow=True)]
    if found.there:
        entries = [(Code(name), Code(contract.address), _origin(contract)) for name, contract in _used(of.study.state, found.there)]
        parts += [
            Heading("Where the addresses come from"),
            Table(("Entry", wide("Address"), wide("Source")), entries, label="Addresses"),
            Text("None was read on chain: compare each with the explorer's before signing."),
        ]
    return parts


def call_table(calls: Iterable[Call], *, undo: Iterable[Call] = (), before: str = "Current value", why: bool = False) -> Table:
    """Calls decoded and encoded, then those that undo them; with ``why`` they are in no batch."""
    heads: list[Column | str] = [wide("Call"), wide("To"), num(before), "Selector", wide("Calldata"), *([wide("Why")] if why else [])]
    rows: list[tuple[Line, ...]] = [(Code(each.text), *_cells(each), *([why_not(each)] if why else [])) for each in calls]
    rows += [(("Revert: ", Code(each.text)), *_cells(each)) for each in undo]
    return Table(heads, rows, label="Calls")


def _cells(call: Call) -> tuple[Line, ...]:
    encoded = available()
    selector = f"0x{call.function.selector.hex()}" if encoded else MISSING
    calldata = f"0x{call.function.encode(call.arguments).hex()}" if encoded else MISSING
    return Code(call.to or MISSING), before_words(call), Code(selector), Code(calldata)


def execution_of(result: Result, subject: Subject, *, results_hash: str, record: Record | None = None) -> Execution:
    """The calls from the current set to the recommended one, and back.

    Raises `AmoOptError` where SOURCE_DATE_EPOCH is set and is no whole number.
    """
    if not subject.recommended or subject.other is None:
        return Execution(("Nothing is recommended, so there is nothing to execute and no batch.",))
    reasons = (*(each.reason for each in blockers_of(result)), *_not_yet(result.study))
    if reasons:
        return Execution((*reasons, "No Safe batch and no calldata are given: run the study again when this is mended."))
    study, before, after = result.study, subject.current.parameters, subject.other.parameters
    if uncalled := uncalled_caps(before, after, study.state):
        reason = (
            f"The integer of {' and '.join(uncalled)} is not known, for the state does not say how many decimals the collateral has "
            "([contracts] collateral_decimals); a batch without it would be a part of the change, so there is none."
        )
        return Execution((reason,))
    schedule = schedule_of(study, before.amplification, after.amplification)
    try:
        forward = calls_between(before, after, study.state, ramp=_first_ramp(schedule))
        back = reverting(forward, study.state, ramp=(before.amplification, schedule.revert_end))
    except AmoOptError as error:  # an integer that its contract would not take or not keep
        return Execution((f"{error}.", "No Safe batch and no calldata are given."))
    inside = [call for call in forward if in_batch(call)]
    undoing = [call for call in back if in_batch(call)]
    reasons = _lacking(inside)
    made = Maker(result, results_hash, schedule)
    found = Execution(
        reasons=reasons,
        there=forward,
        back=back,
        policy=policy_names(before, after, study.state),
        notes=(*_notes(result, schedule, inside), *_found(forward), *_unchecked(study.state, forward)),
        revert_notes=_revert_notes(schedule, back),
        batch=None if reasons else made.batch(inside, revert=False),
        revert=None if reasons else made.batch(undoing, revert=True),
        payloads=made.payloads(forward, back),
    )
    return executed(found, record, batch=BATCH)


def _first_ramp(schedule: Schedule) -> tuple[int, int] | None:
    return (schedule.ramps[0].target_a, schedule.ramps[0].end) if schedule.ramps else None


def _lacking(inside: list[Call]) -> tuple[str, ...]:
    if not available():
        return (f"Calldata, checksums and the batch files need an extra of this program: {INSTALL}, then make the report again.",)
    if not inside:
        return ("No call is left for the Safe to make, so there is no batch.",)
    return ()


def _no_call(name: str, state: ProtocolState) -> str:
    """Why no call makes the change of a parameter."""
    setter = setter_of(name, state)
    if setter is not None:
        return f"one AMO's part of {setter.name}, a global sum; on chain only the sum is limited"
    known = state.runs_frax_contracts or PARAMETERS[name].policy
    return "no setter on chain" if known else "how this protocol sets it is not known here"


def _not_yet(study: Study) -> tuple[str, ...]:
    """A study dated after the moment the batch is made: its state was not read, its dates have not come."""
    now, dated = created_at(unix(study)) // 1000, unix(study)
    return (f"The study's date, {moment(dated)}, lies after {EPOCH}, {moment(now)}.",) if now < dated else ()


def _unchecked(state: ProtocolState, calls: tuple[Call, ...]) -> tuple[str, ...]:
    """The addresses in use in which a mistyped digit went unnoticed; batch and calls show them with the capitals all the same."""
    names = [name for name, contract in _used(state, calls) if lacks_checksum(contract.address)]
    if not names:
        return ()
    note = (
        f"Warning: the state writes {', '.join(names)} without the capitals of a checksum (EIP-55), so a mistyped digit could not be noticed; "
        "a batch and its calls show capitals that were worked out from it. Compare every digit with the source before signing."
    )
    return (note,)


def _used(state: ProtocolState, calls: tuple[Call, ...]) -> list[tuple[str, Contract]]:
    """Contracts that are called and accounts that call them, in the order of the state's file."""
    used = {SAFE, *(name for call in calls for name in (call.setter.contract, call.place, call.caller))}
    return [(name, contract) for name, contract in state.contracts.items() if name in used]


def _origin(contract: Contract) -> str:
    """Where an address was read."""
    file = " ".join(part for part in (contract.repository, contract.path, contract.commit and f"@{contract.commit[:8]}") if part)
    return clean(": ".join(part for part in (file, contract.source) if part)) or "no source given"


def _notes(result: Result, schedule: Schedule, inside: list[Call]) -> tuple[str, ...]:
    state = result.study.state
    functions = {call.setter.name for call in inside}
    notes = [f"To be signed by: {executor(state, inside[0].setter)}, on chain {state.chain_id}."] if inside else []
    notes.append(
        f"Not before {moment(schedule.earliest)}; void after {moment(schedule.void)}, and void if a current value named in it has moved."
    )
    if any(call.setter.name in CAPS and call.block is None for call in inside):
        notes.append(
            "The current value of a cap is the sum of the current set's shares at the state, not a reading of the contract. Read "
            "frax_mint_cap() and collat_borrow_cap() before signing, and put what they hold into the revert batch."
        )
    if functions & {"setPriceBand", "setPriceBands", "setFraxStep", "setRefreshCooldown", "setInternalCooldown"}:
        holder = "the stablecoin itself" if state.price_controller == "frax" else "the PIDController"
        notes.append(
            f'Band, step and cooldown are set on {holder}, as the state\'s price_controller = "{state.price_controller}" says; check which is active before signing.'
        )
    return tuple(notes)


def _found(calls: tuple[Call, ...]) -> tuple[str, ...]:
    """Where the values in force come from: those read on chain, and where they are not what the study takes for them."""
    read = [call for call in calls if call.block is not None]
    notes = (
        [f"Current values of {', '.join(call.setter.place for call in read)} were read on chain at block {read[0].block}."] if read else []
    )
    notes += [
        f"Warning: {call.setter.place} is {before_words(call)} on chain, where the study's current set amounts to {', '.join(map(str, call.assumed))}; a revert goes back to what the chain has."
        for call in read
        if call.before != call.assumed
    ]
    return tuple(notes)


def _revert_notes(schedule: Schedule, back: tuple[Call, ...]) -> tuple[str, ...]:
    notes = [f"Good until {moment(schedule.revert_until)} as it stands."]
    notes += [f"Not in it: {call.text}, {why_not(call).partition(',')[0]}." for call in back if why_not(call)]
    notes.append("Policy goes back by the executing team's decision, on the same day.")
    return tuple(notes)


# -- what was executed -------------------------------------------------------------------------------------------------------------


def executed(execution: Execution, record: Record | None, *, batch: str) -> Execution:
    """The section with what the record says of each payload, by the SHA-256 of its file: where all calls worked, that nothing was executed where the record holds
    no run of it, and without the file and those that undo it where a call failed. ``batch`` is the name of the Safe's batch.
    """
    found = [] if execution.batch is None else [_run(record, (file_text(execution.batch),))]
    payloads = tuple(_payload(each, record) for each in execution.payloads)
    runs = tuple(run for run in (*found, *(run for run, _ in payloads)) if run is not None)
    execution = replace(execution, payloads=tuple(each for _, each in payloads), runs=runs)
    if execution.batch is None:
        return execution
    (run,) = found
    if run is not None and not run.batch.ok:
        return replace(execution, batch=None, revert=None, reasons=(*execution.reasons, _refused(run)))
    return replace(execution, notes=(*_told(run, batch), *execution.notes))


def _run(record: Record | None, texts: tuple[str, ...]) -> Run | None:
    if record is None:
        return None
    found = (record.of(sha256(each.encode()).hexdigest()) for each in texts)
    return next((run for run in found if run is not None), None)


def _payload(payload: Payload, record: Record | None) -> tuple[Run | None, Payload]:
    run = _run(record, tuple(payload.files.values()))
    if run is not None and not run.batch.ok:
        return run, replace(payload, files={}, notes=(_refused(run),))
    return run, replace(payload, notes=(*payload.notes, *_told(run, next(iter(payload.files)))))


def _where(run: Run) -> str:
    return f"on {clean(run.engine)}, chain {run.chain_id}, block {run.block} ({clean(run.block_hash)}), as of {moment(run.batch.at)}"


def _refused(run: Run) -> str:
    return f"Executed {_where(run)}, and refused, for one call that fails undoes all: {clean('; '.join(run.batch.objections))}. The file is not given."


def _told(run: Run | None, file: str) -> tuple[str, ...]:
    if run is None:
        return (
            f"Nothing was executed: amo-opt dry-run {file} tells, with the file that undoes it and a node (--rpc), whether every call works.",
        )
    part = run.batch
    calls = "its one call works" if len(part.calls) == 1 else f"all {len(part.calls)} calls work"
    moved = sum(each.moved for each in part.readings)
    forward = f"Executed {_where(run)}, by simulation and not sent: {calls}, {count(moved, 'getter')} moved, {part.gas:,} gas."
    return (forward, *(_undone(each, run) for each in run.reverts))


def _undone(part: Part, run: Run) -> str:
    begin = f"Undone {duration(part.at - run.batch.at)} later"
    if not part.ok:
        return f"{begin} it fails: {clean('; '.join(part.objections))}."
    left = [f"{each.getter.rpartition('.')[2]} {each.before} -> {each.after}" for each in part.readings if each.moved]
    slots = "" if part.storage is None else f", {count(len(part.storage), 'storage slot')} with another value than before"
    if not left:
        return f"{begin} it works, and every getter answers as before{slots}."
    more = f" and {len(left) - LISTED} more" if len(left) > LISTED else ""
    return f"{begin} it works; what did not come back: {clean(', '.join(left[:LISTED]))}{more}{slots}."
