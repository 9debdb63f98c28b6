"""Section 13: the calls of the proposal, decoded and encoded, the Safe batches, and why there may be none."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.errors import AmoOptError
from amo_opt.onchain.calls import SAFE, calls_between, policy_names, uncalled_caps
from amo_opt.onchain.raw_integers import CAPS
from amo_opt.onchain.safe_batch import available, calldata, document, selector
from amo_opt.onchain.signatures import RAMP, setter_of
from amo_opt.protocol.addresses import INSTALL, lacks_checksum
from amo_opt.protocol.state import FRAX
from amo_opt.report.facts.blockers import blockers_of
from amo_opt.report.facts.parameter_rows import executor
from amo_opt.report.facts.schedule import moment, schedule_of, unix
from amo_opt.report.wording import plain_number
from amo_opt.wording import MISSING, clean

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.onchain.calls import Call
    from amo_opt.protocol.state import ProtocolState
    from amo_opt.report.facts.schedule import Schedule
    from amo_opt.report.facts.sets import Subject
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
class Execution:
    """Section 13. ``reasons`` say why there is no batch; ``batch`` and ``revert`` are the documents, ``None`` where there is none."""

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


def execution_of(result: Result, subject: Subject, *, results_hash: str) -> Execution:
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
    forward = calls_between(before, after, study.state, ramp=_first_ramp(schedule))
    back = calls_between(after, before, study.state, ramp=(before.amplification, schedule.revert_end) if schedule.ramps else None)
    inside = [call for call in forward if not _why_not(call)]
    reverting = [call for call in back if not _why_not(call)]
    reasons = _lacking(inside)
    made = _Meta(result, results_hash, schedule)
    return Execution(
        reasons=reasons,
        calls=tuple(_row(call) for call in inside),
        apart=tuple(_row(call) for call in forward if _why_not(call)),
        revert_calls=tuple(_row(call) for call in reverting),
        policy=_policy(subject, study.state),
        addresses=_addresses(result, forward),
        notes=(*_notes(result, schedule, inside), *_unchecked(result, forward)),
        revert_notes=_revert_notes(schedule, back),
        batch=None if reasons else made.batch(inside, revert=False),
        revert=None if reasons else made.batch(reverting, revert=True),
    )


@dataclass(frozen=True)
class _Meta:
    """What both batches say of where they come from."""

    result: Result
    results_hash: str
    schedule: Schedule

    def batch(self, calls: list[Call], *, revert: bool) -> dict[str, Any]:
        study, state = self.result.study, self.result.study.state
        safe = state.contracts.get(SAFE)
        limit = self.schedule.revert_until if revert else self.schedule.void
        description = (
            f"{'Revert: ' if revert else ''}{'; '.join(call.text for call in calls)}. Made against "
            f"{'; '.join(f'{call.setter.place} {_against(call, revert=revert)}' for call in calls)}: void if any of these moved, and after {moment(limit)}. "
            f"study sha256:{study.hash} results sha256:{self.results_hash}"
        )
        name = f"amo-opt {study.date.isoformat()} {clean(study.name)}{' revert' if revert else ''}"
        address = None if safe is None else safe.address
        created = created_at(unix(study))
        return document(calls, chain_id=state.chain_id, created_at=created, name=name, description=description, safe=address)


def _against(call: Call, *, revert: bool) -> str:
    """The value a batch was made against; a cap in force is not known, only the sum that the model takes for it."""
    assumed = call.setter.function in CAPS and not revert
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
        return f"no address: the state has no [contracts.{call.setter.contract}]"
    if call.caller != SAFE:
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
        selector=selector(call.setter) if encoded else MISSING,
        calldata=calldata(call) if encoded else MISSING,
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
        none = "no setter on chain" if state.is_of(FRAX) or PARAMETERS[name].policy else "how this protocol sets it is not known here"
        why = none if setter is None else f"one AMO's part of {setter.function}, a global sum; on chain only the sum is limited"
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
    used = {SAFE, *(call.setter.contract for call in calls), *(call.caller for call in calls)}
    rows = []
    for name, contract in contracts.items():
        if name in used:
            file = " ".join(part for part in (contract.repository, contract.path, contract.commit and f"@{contract.commit[:8]}") if part)
            origin = ": ".join(part for part in (file, contract.source) if part)
            rows.append(AddressRow(name, contract.address, clean(origin) or "no source given"))
    return tuple(rows)


def _notes(result: Result, schedule: Schedule, inside: list[Call]) -> tuple[str, ...]:
    state = result.study.state
    functions = {call.setter.function for call in inside}
    notes = [f"To be signed by: {executor(state, inside[0].setter.contract)}, on chain {state.chain_id}."] if inside else []
    notes.append(
        f"Not before {moment(schedule.earliest)}; void after {moment(schedule.void)}, and void if a current value named in it has moved."
    )
    if functions & CAPS.keys():
        notes.append(
            "The current value of a cap is the sum of the current set's shares at the state, not a reading of the contract. Read "
            "frax_mint_cap() and collat_borrow_cap() before signing, and put what they hold into the revert batch."
        )
    if len(schedule.ramps) > 1 and setter_of("amplification", state) is not None:
        notes.append(
            f"Only the first of {len(schedule.ramps)} ramps is called here; each later one is a transaction of its own, when the one before has ended (section 3)."
        )
    if functions & {"setPriceBand", "setPriceBands", "setFraxStep", "setRefreshCooldown", "setInternalCooldown"}:
        holder = "the stablecoin itself" if state.price_controller == "frax" else "the PIDController"
        notes.append(
            f'Band, step and cooldown are set on {holder}, as the state\'s price_controller = "{state.price_controller}" says; check which is active before signing.'
        )
    return tuple(notes)


def _revert_notes(schedule: Schedule, back: tuple[Call, ...]) -> tuple[str, ...]:
    notes = [f"Good until {moment(schedule.revert_until)} as it stands."]
    notes += [f"Not in it: {call.text}, {_why_not(call).partition(',')[0]}." for call in back if _why_not(call)]
    if any(call.setter is RAMP for call in back):
        notes.append(
            f"The ramp back ends at {moment(schedule.revert_end)}: executed earlier it is slower. The contract refuses it within a day of "
            "the first ramp's start; stop_ramp_A() holds A where it is at any time. For a faster ramp back set _future_time to the time of "
            "execution plus a day or more."
        )
    if len(schedule.ramps) > 1 and any(call.setter is RAMP for call in back):
        notes.append("It undoes the first ramp; after a later one A is ramped back in as many ramps as it was ramped up.")
    notes.append("Policy goes back by the executing team's decision, on the same day.")
    return tuple(notes)
