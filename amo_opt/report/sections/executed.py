"""What was executed of the proposal's payloads, and where: from `execution.json`, which the report reads and never makes. A payload that failed is no payload."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from amo_opt.onchain.safe_batch import file_text
from amo_opt.report.schedule import duration, moment
from amo_opt.wording import clean, count

if TYPE_CHECKING:
    from amo_opt.onchain.execution_record import Part, Record, Run
    from amo_opt.report.sections.execution import Execution, Payload

LISTED = 4
"""Getters and slots that did not come back, of those that are named."""


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
