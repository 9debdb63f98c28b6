"""Section 13: the calls of the proposal, decoded and encoded, the Safe batches, and why there may be none."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.errors import AmoOptError
from amo_opt.onchain.calls import calls_between, policy_names, reverting, stopping, uncalled_caps
from amo_opt.onchain.dao_vote import AGENTS, actions, evmscript
from amo_opt.onchain.governor import propose
from amo_opt.onchain.raw_integers import CAPS
from amo_opt.onchain.safe_batch import available, document, file_text
from amo_opt.onchain.signatures import GOVERNOR, OWNERSHIP, PARAMETER_ADMIN, SAFE, setter_of
from amo_opt.protocol.addresses import INSTALL, checksummed, lacks_checksum
from amo_opt.report.blockers import blockers_of
from amo_opt.report.schedule import moment, schedule_of, unix
from amo_opt.report.sections.executed import executed
from amo_opt.report.sections.parameters import executor
from amo_opt.report.wording import plain_number
from amo_opt.wording import MISSING, clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from amo_opt.config.study import Study
    from amo_opt.onchain.calls import Call
    from amo_opt.onchain.execution_record import Record, Run
    from amo_opt.protocol.state import ProtocolState
    from amo_opt.report.schedule import Schedule
    from amo_opt.report.sets import Subject
    from amo_opt.search.result import Result

EPOCH = "SOURCE_DATE_EPOCH"
LAST_EPOCH = 253_402_300_799
"""The last second of the year 9999."""
BATCH, REVERT = "safe-batch.json", "safe-batch-revert.json"


@dataclass(frozen=True)
class CallRow:
    """One call as text: ``before`` what its arguments are now, ``why_not`` why it is not in the batch (empty where it is)."""

    text: str
    to: str
    before: str
    selector: str
    calldata: str
    why_not: str


@dataclass(frozen=True)
class PolicyRow:
    """A change that no call makes."""

    name: str
    current: str
    proposed: str
    why: str


@dataclass(frozen=True)
class AddressRow:
    """An address of the state that a call needs, and where it was read."""

    name: str
    address: str
    origin: str


@dataclass(frozen=True)
class Payload:
    """Calls that are executed by themselves: those of another sender than the Safe, and a ramp whoever sends it. ``files`` are its documents by name, those that undo it too."""

    title: str
    sender: str
    calls: tuple[CallRow, ...]
    revert_calls: tuple[CallRow, ...]
    notes: tuple[str, ...]
    files: dict[str, str]


@dataclass(frozen=True)
class Execution:
    """Section 13. ``reasons`` say why there is no batch; ``batch`` and ``revert`` are the documents, ``None`` where there is none; ``payloads`` go beside them."""

    reasons: tuple[str, ...]
    calls: tuple[CallRow, ...]
    apart: tuple[CallRow, ...]
    revert_calls: tuple[CallRow, ...]
    policy: tuple[PolicyRow, ...]
    addresses: tuple[AddressRow, ...]
    notes: tuple[str, ...]
    revert_notes: tuple[str, ...]
    batch: dict[str, Any] | None
    revert: dict[str, Any] | None
    payloads: tuple[Payload, ...] = ()
    runs: tuple[Run, ...] = ()
    """What `execution.json` holds of them."""


def execution_of(result: Result, subject: Subject, *, results_hash: str, record: Record | None = None) -> Execution:
    """The calls from the current set to the recommended one, and back.

    Raises `AmoOptError` where SOURCE_DATE_EPOCH is set and is no whole number.
    """
    if not subject.recommended or subject.other is None:
        return _none("Nothing is recommended, so there is nothing to execute and no batch.")
    reasons = (*(each.reason for each in blockers_of(result)), *_not_yet(result.study))
    if reasons:
        return _none(*reasons, "No Safe batch and no calldata are given: run the study again when this is mended.")
    study, before, after = result.study, subject.current.parameters, subject.other.parameters
    if uncalled := uncalled_caps(before, after, study.state):
        return _none(
            f"The integer of {' and '.join(uncalled)} is not known, for the state does not say how many decimals the collateral has "
            "([contracts] collateral_decimals); a batch without it would be a part of the change, so there is none."
        )
    schedule = schedule_of(study, before.amplification, after.amplification)
    try:
        forward = calls_between(before, after, study.state, ramp=_first_ramp(schedule))
        back = reverting(forward, study.state, ramp=(before.amplification, schedule.revert_end))
    except AmoOptError as error:  # an integer that its contract would not take or not keep
        return _none(f"{error}.", "No Safe batch and no calldata are given.")
    inside = [call for call in forward if _is_in_batch(call)]
    undoing = [call for call in back if _is_in_batch(call)]
    reasons = _lacking(inside)
    made = _Meta(result, results_hash, schedule)
    found = Execution(
        reasons=reasons,
        calls=tuple(_row(call) for call in inside),
        apart=tuple(_row(call) for call in forward if _why_not(call)),
        revert_calls=tuple(_row(call) for call in undoing),
        policy=_policy(subject, study.state),
        addresses=_addresses(result, forward),
        notes=(*_notes(result, schedule, inside), *_found(forward), *_unchecked(result, forward)),
        revert_notes=_revert_notes(schedule, back),
        batch=None if reasons else made.batch(inside, revert=False),
        revert=None if reasons else made.batch(undoing, revert=True),
        payloads=made.payloads(forward, back),
    )
    return executed(found, record, batch=BATCH)


@dataclass(frozen=True)
class _Meta:
    """What all payloads say of where they come from."""

    result: Result
    results_hash: str
    schedule: Schedule

    def batch(self, calls: Sequence[Call], *, revert: bool) -> dict[str, Any]:
        """A Safe's batch."""
        study, state = self.result.study, self.result.study.state
        safe = state.contracts.get(SAFE)
        name = f"amo-opt {study.date.isoformat()} {clean(study.name)}{' revert' if revert else ''}"
        return document(
            [call.transaction for call in calls],
            chain_id=state.chain_id,
            created_at=created_at(unix(study)),
            name=name,
            description=self.description(calls, revert=revert),
            safe=None if safe is None else safe.address,
        )

    def description(self, calls: Sequence[Call], *, revert: bool) -> str:
        """The calls, what they were made against, when they are void, and the hashes they come from."""
        limit = self.schedule.revert_until if revert else self.schedule.void
        against = f"Made against {'; '.join(f'{call.setter.place} {_against(call, revert=revert)}' for call in calls if call.before)}: void if any of these moved, and "
        return (
            f"{'Revert: ' if revert else ''}{'; '.join(call.text for call in calls)}. {against if any(call.before for call in calls) else 'Void '}after {moment(limit)}. "
            f"study sha256:{self.result.study.hash} results sha256:{self.results_hash}"
        )

    def payloads(self, forward: tuple[Call, ...], back: tuple[Call, ...]) -> tuple[Payload, ...]:
        """Of each sender the calls that its form holds, a ramp and what undoes it by itself."""
        if not available():
            return ()
        found = []
        for form in FORMS:
            for ramp in (True, False):
                calls, undo = ([each for each in them if each.is_ramp is ramp and _form(each) is form] for them in (forward, back))
                if calls and not (form.name == SAFE and not ramp):
                    found.append(self._payload(form, calls, undo, ramp=ramp))
        return tuple(found)

    def _payload(self, form: Form, calls: list[Call], undo: list[Call], *, ramp: bool) -> Payload:
        state = self.result.study.state
        notes: list[str] = []
        if ramp:
            notes, undo = _ramp_notes(self.schedule, undo[0]), [stopping(state)]
        stem, undone = ("ramp", "ramp-stop") if ramp else (form.name, f"{form.name}-revert")
        files = {f"{stem}{suffix}": text for suffix, text in form.files(self, calls, revert=False)}
        files |= {f"{undone}{suffix}": text for suffix, text in form.files(self, undo, revert=True)}
        return Payload(
            title="The ramp of A" if ramp else f"Calls of {form.title}",
            sender=executor(state, calls[0].setter),
            calls=tuple(_row(each) for each in calls),
            revert_calls=tuple(_row(each) for each in undo),
            notes=(f"{form.told} {', '.join(files)}.", *notes),
            files=files,
        )


@dataclass(frozen=True)
class Form:
    """What a sender executes: ``files`` makes its documents from calls, by the end of their names."""

    name: str
    title: str
    told: str
    files: Callable[..., Iterable[tuple[str, str]]]


def _of_safe(made: _Meta, calls: Sequence[Call], *, revert: bool) -> Iterable[tuple[str, str]]:
    return [("-batch.json", file_text(made.batch(calls, revert=revert)))]


def _of_vote(made: _Meta, calls: Sequence[Call], *, revert: bool) -> Iterable[tuple[str, str]]:
    del made, revert
    sent = [each.transaction for each in calls]
    return [("-actions.txt", actions(sent)), ("-evmscript.txt", evmscript(sent, sent[0].sender or "") + "\n")]


def _of_governor(made: _Meta, calls: Sequence[Call], *, revert: bool) -> Iterable[tuple[str, str]]:
    return [("-propose.txt", propose([each.transaction for each in calls], made.description(calls, revert=revert)) + "\n")]


FORMS = (
    Form(SAFE, "the Safe", "For the Safe's Transaction Builder:", _of_safe),
    Form("dao", "Curve's vote", "For a vote of Curve's DAO, the list of actions and the script that the vote executes:", _of_vote),
    Form("governor", "the governor", "Calldata of propose() for the governor whose timelock executes it:", _of_governor),
)


def _form(call: Call) -> Form | None:
    """The form of whoever sends a call; None where its way is not known, or an address is not."""
    if call.to is None:
        return None
    if call.caller == SAFE:
        return FORMS[0]
    if call.sender is None:
        return None
    if call.caller in (OWNERSHIP, PARAMETER_ADMIN) or checksummed(call.sender) in AGENTS.values():
        return FORMS[1]
    return FORMS[2] if call.caller == GOVERNOR else None


def _is_in_batch(call: Call) -> bool:
    return not call.is_ramp and call.to is not None and call.caller == SAFE


def _against(call: Call, *, revert: bool) -> str:
    """The value a batch was made against; a cap in force that was not read is not known, only the sum that the model takes for it."""
    if call.block is not None:
        return f"{_before(call)}{'' if revert else f' (read at block {call.block})'}"
    assumed = call.setter.name in CAPS and not revert
    return f"{_before(call)}{' (the shares of the current set at the state, not read on chain)' if assumed else ''}"


def created_at(default: int) -> int:
    """Milliseconds: SOURCE_DATE_EPOCH if set, else ``default`` (seconds); never a clock."""
    text = os.environ.get(EPOCH, "")
    if not text:
        return default * 1000
    if not text.isascii() or not text.isdigit() or len(text) > len(str(LAST_EPOCH)) or int(text) > LAST_EPOCH:
        raise AmoOptError(
            f"{EPOCH}: not a whole number of seconds within the years 1970 to 9999; found {text!r:.40}; allowed: 0 to {LAST_EPOCH}, such as "
            f"{default}, or unset"
        )
    return int(text) * 1000


def check_epoch() -> None:
    """Raises `AmoOptError` for a SOURCE_DATE_EPOCH that `created_at` would refuse: worth a look before a long run."""
    created_at(LAST_EPOCH)


def _none(*reasons: str) -> Execution:
    return Execution(reasons, (), (), (), (), (), (), (), None, None)


def _first_ramp(schedule: Schedule) -> tuple[int, int] | None:
    return (schedule.ramps[0].target_a, schedule.ramps[0].end) if schedule.ramps else None


def _why_not(call: Call) -> str:
    if call.to is None:
        missing = call.setter.contract if call.place == call.setter.contract or call.arguments[0] is None else call.place
        return f"no address: the state has no [contracts.{missing}]"
    if _form(call) is None:
        return (
            f"only {call.caller.replace('_', ' ')} may call it, and one call the Safe may not make would undo the whole batch. Its own "
            "procedure may take longer than the dates of section 3 allow: then run the study again from a later date"
        )
    return ""


def _lacking(inside: list[Call]) -> tuple[str, ...]:
    if not available():
        return (f"Calldata, checksums and the batch files need an extra of this program: {INSTALL}, then make the report again.",)
    if not inside:
        return ("No call is left for the Safe to make, so there is no batch.",)
    return ()


def _row(call: Call) -> CallRow:
    encoded = available()
    return CallRow(
        text=call.text,
        to=call.to or MISSING,
        before=_before(call),
        selector="0x" + call.function.selector.hex() if encoded else MISSING,
        calldata="0x" + call.function.encode(call.arguments).hex() if encoded else MISSING,
        why_not=_why_not(call),
    )


def _before(call: Call) -> str:
    return ", ".join(str(value) for value in call.before)


def _policy(subject: Subject, state: ProtocolState) -> tuple[PolicyRow, ...]:
    if subject.other is None:
        return ()
    now, then = subject.current.parameters.values(), subject.other.parameters.values()
    rows = []
    for name in policy_names(subject.current.parameters, subject.other.parameters, state):
        setter = setter_of(name, state)
        none = (
            "no setter on chain" if state.runs_frax_contracts or PARAMETERS[name].policy else "how this protocol sets it is not known here"
        )
        why = none if setter is None else f"one AMO's part of {setter.name}, a global sum; on chain only the sum is limited"
        rows.append(PolicyRow(name, plain_number(now[name]), plain_number(then[name]), why))
    return tuple(rows)


def _not_yet(study: Study) -> tuple[str, ...]:
    """A study dated after the moment the batch is made: its state was not read, its dates have not come."""
    now, dated = created_at(unix(study)) // 1000, unix(study)
    return (f"The study's date, {moment(dated)}, lies after {EPOCH}, {moment(now)}.",) if now < dated else ()


def _unchecked(result: Result, calls: tuple[Call, ...]) -> tuple[str, ...]:
    """The addresses in use in which a mistyped digit went unnoticed; batch and calls show them with the capitals all the same."""
    contracts = result.study.state.contracts
    names = [row.name for row in _addresses(result, calls) if lacks_checksum(contracts[row.name].address)]
    if not names:
        return ()
    note = (
        f"Warning: the state writes {', '.join(names)} without the capitals of a checksum (EIP-55), so a mistyped digit could not be noticed; "
        "a batch and its calls show capitals that were worked out from it. Compare every digit with the source before signing."
    )
    return (note,)


def _addresses(result: Result, calls: tuple[Call, ...]) -> tuple[AddressRow, ...]:
    """Contracts that are called and accounts that call them, in the order of the state's file."""
    contracts = result.study.state.contracts
    used = {SAFE, *(name for call in calls for name in (call.setter.contract, call.place, call.caller))}
    rows = []
    for name, contract in contracts.items():
        if name in used:
            file = " ".join(part for part in (contract.repository, contract.path, contract.commit and f"@{contract.commit[:8]}") if part)
            origin = ": ".join(part for part in (file, contract.source) if part)
            rows.append(AddressRow(name, contract.address, clean(origin) or "no source given"))
    return tuple(rows)


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
        f"Warning: {call.setter.place} is {_before(call)} on chain, where the study's current set amounts to {', '.join(map(str, call.assumed))}; a revert goes back to what the chain has."
        for call in read
        if call.before != call.assumed
    ]
    return tuple(notes)


def _ramp_notes(schedule: Schedule, back: Call) -> list[str]:
    """When the ramp may be sent, how it is stopped, and how A is brought back."""
    notes = [
        f"The ramp goes by itself: what is executed together fails together, and the pool refuses a ramp within a day of the last one's start. Not before {moment(schedule.earliest)}; void after {moment(schedule.void)}.",
        "Revert, at any time: stop_ramp_A holds A where it is then; after the ramp's end there is nothing to stop.",
        f"To bring A back another ramp is needed, a day after the start or the stop at the earliest and a day long at least: {back.text}, for one begun at the last moment of rollback (section 3).",
        "Begun earlier it is slower: set its _future_time to the time of execution plus a day or more.",
    ]
    if len(schedule.ramps) > 1:
        notes.append(
            f"Only the first of {len(schedule.ramps)} ramps is called here; each later one is a transaction of its own, when the one before has ended (section 3), "
            "and A is ramped back in as many."
        )
    return notes


def _revert_notes(schedule: Schedule, back: tuple[Call, ...]) -> tuple[str, ...]:
    notes = [f"Good until {moment(schedule.revert_until)} as it stands."]
    notes += [f"Not in it: {call.text}, {_why_not(call).partition(',')[0]}." for call in back if _why_not(call)]
    notes.append("Policy goes back by the executing team's decision, on the same day.")
    return tuple(notes)
