"""A report's payloads executed on a node's state, and the report written again with what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.cli.dry_run import run_files
from amo_opt.cli.streams import say

if TYPE_CHECKING:
    from pathlib import Path

    from amo_opt.config.study import Study
    from amo_opt.onchain.rpc import Node
    from amo_opt.search.result import Result

PAYLOADS = (
    ("safe-batch.json", "safe-batch-revert.json"),
    ("ramp-batch.json", "ramp-stop-batch.json"),
    *((f"{there}{end}", f"{back}{end}") for end in ("-evmscript.txt", "-propose.txt")
      for there, back in (("ramp", "ramp-stop"), ("dao", "dao-revert"), ("governor", "governor-revert"))),
)  # fmt: skip
"""Files of a report that are executed, each with what undoes it; a list of actions says what the vote's script does."""


def node_for(study: Study, url: str | None) -> Node:
    """The node, which is of the state's chain. Raises `AmoOptError` where it is not, or does not answer."""
    from amo_opt.onchain.rpc import expect_chain, node_of

    node = node_of(url)
    expect_chain(node, study.state.chain_id)
    return node


def execute(result: Result, folder: Path, *, url: str | None, as_json: bool) -> bool:
    """Executes the payloads in ``folder`` at the planned moment of the proposal, or in the next block where that is past; writes `execution.json` and the report again.

    Returns whether every call works; a report without a payload has none that fails. Raises `AmoOptError` where it could not be tried: the report stays, and says that
    nothing was executed.
    """
    from amo_opt.onchain.dry_run import NEXT_BLOCK
    from amo_opt.onchain.execution_record import FILE, keep
    from amo_opt.onchain.signatures import GOVERNOR
    from amo_opt.report import write_report
    from amo_opt.report.schedule import schedule_of
    from amo_opt.report.sets import subject_of

    found = [(folder / there, folder / back) for there, back in PAYLOADS if (folder / there).exists()]
    if not found:
        say("nothing to execute: the report holds no payload", err=as_json)
        return True
    subject = subject_of(result)
    wanted = subject.current if subject.other is None else subject.other
    planned = schedule_of(result.study, subject.current.parameters.amplification, wanted.parameters.amplification).planned
    latest = node_for(result.study, url).block()
    at = max(planned, latest.timestamp + NEXT_BLOCK)
    governor = result.study.state.contracts.get(GOVERNOR)  # a proposal to a governor does not say whose timelock executes it
    sender = None if governor is None else governor.address
    works = True
    for there, back in found:
        run = run_files(there, back if back.exists() else None, url=url, block=latest.number, at=(at, False), sender=sender)
        keep(run, folder / FILE)
        works &= run.batch.ok
        say(
            f"{there.name}, executed on {run.engine} at block {run.block}: {'every call works' if run.batch.ok else '; '.join(run.batch.objections)}",
            err=as_json,
        )
    write_report(result, folder)
    return works
