"""The documents that a proposal is executed by: a Safe's batch, the script of Curve's vote, a governor's calldata; each with what undoes it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amo_opt.errors import AmoOptError
from amo_opt.onchain.calls import stopping
from amo_opt.onchain.dao_vote import AGENTS, actions, evmscript
from amo_opt.onchain.governor import propose
from amo_opt.onchain.raw_integers import CAPS
from amo_opt.onchain.safe_batch import available, document, file_text
from amo_opt.onchain.signatures import GOVERNOR, OWNERSHIP, PARAMETER_ADMIN, SAFE
from amo_opt.protocol.addresses import checksummed
from amo_opt.report.schedule import moment, unix
from amo_opt.report.sections.parameters import executor
from amo_opt.wording import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from amo_opt.onchain.calls import Call
    from amo_opt.report.schedule import Schedule
    from amo_opt.search.result import Result

EPOCH = "SOURCE_DATE_EPOCH"
LAST_EPOCH = 253_402_300_799
"""The last second of the year 9999."""


@dataclass(frozen=True)
class Payload:
    """Calls that are executed by themselves: those of another sender than the Safe, and a ramp whoever sends it. ``files`` are its documents by name, those that undo it too."""

    title: str
    sender: str
    calls: tuple[Call, ...]
    revert_calls: tuple[Call, ...]
    notes: tuple[str, ...]
    files: dict[str, str]


@dataclass(frozen=True)
class Maker:
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
            calls=tuple(calls),
            revert_calls=tuple(undo),
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


def _of_safe(made: Maker, calls: Sequence[Call], *, revert: bool) -> Iterable[tuple[str, str]]:
    return [("-batch.json", file_text(made.batch(calls, revert=revert)))]


def _of_vote(made: Maker, calls: Sequence[Call], *, revert: bool) -> Iterable[tuple[str, str]]:
    del made, revert
    sent = [each.transaction for each in calls]
    return [("-actions.txt", actions(sent)), ("-evmscript.txt", evmscript(sent, sent[0].sender or "") + "\n")]


def _of_governor(made: Maker, calls: Sequence[Call], *, revert: bool) -> Iterable[tuple[str, str]]:
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


def in_batch(call: Call) -> bool:
    """Whether the Safe's batch holds it."""
    return not call.is_ramp and call.to is not None and call.caller == SAFE


def _against(call: Call, *, revert: bool) -> str:
    """The value a batch was made against; a cap in force that was not read is not known, only the sum that the model takes for it."""
    if call.block is not None:
        return f"{before_words(call)}{'' if revert else f' (read at block {call.block})'}"
    assumed = call.setter.name in CAPS and not revert
    return f"{before_words(call)}{' (the shares of the current set at the state, not read on chain)' if assumed else ''}"


def why_not(call: Call) -> str:
    """Why it is in no payload; empty where it is in one."""
    if call.to is None:
        missing = call.setter.contract if call.place == call.setter.contract or call.arguments[0] is None else call.place
        return f"no address: the state has no [contracts.{missing}]"
    if _form(call) is None:
        return (
            f"only {call.caller.replace('_', ' ')} may call it, and one call the Safe may not make would undo the whole batch. Its own "
            "procedure may take longer than the dates of section 3 allow: then run the study again from a later date"
        )
    return ""


def before_words(call: Call) -> str:
    """What its arguments are now."""
    return ", ".join(str(value) for value in call.before)


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
