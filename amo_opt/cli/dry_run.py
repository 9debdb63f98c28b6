"""``amo-opt dry-run``: a batch executed on a chain's state without being sent, and its revert after it."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from amo_opt.cli.options import check_folder, json_option
from amo_opt.cli.streams import say

if TYPE_CHECKING:
    from amo_opt.onchain.dry_run import Kind
    from amo_opt.onchain.execution_record import Part, Run

_LATER = re.compile(r"\+(\d{1,6})(min|h|d)", re.ASCII)
_SECONDS = {"min": 60, "h": 3600, "d": 86_400}
LAST = 253_402_300_799
"""The last second of the year 9999."""


class Moment(click.ParamType["tuple[int, bool]"]):
    """A Unix second, a date and time of UTC, or ``+30h``: later than what it follows. Gives the seconds, and whether they count from there."""

    name = "time"

    def convert(self, value: str | tuple[int, bool], param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, bool]:
        """The moment."""
        if isinstance(value, tuple):
            return value
        if later := _LATER.fullmatch(value):
            return int(later[1]) * _SECONDS[later[2]], True
        seconds = -1
        if value.isascii() and value.isdigit() and len(value) <= len(str(LAST)):
            seconds = int(value)
        else:
            try:
                found = datetime.fromisoformat(value)
                seconds = int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
            except (ValueError, OverflowError):
                pass
        if not 0 <= seconds <= LAST:
            self.fail(
                f"no time; found {value!r:.40}; allowed: a Unix second, a date and time of UTC such as 2022-05-16T00:00, or +1h, +30h, +7d",
                param,
                ctx,
            )
        return seconds, False


MOMENT = Moment()


@click.command("dry-run")
@click.argument("batch_file", type=click.Path(path_type=Path), metavar="BATCH")
@click.argument("revert_file", type=click.Path(path_type=Path), required=False, default=None, metavar="[REVERT]")
@click.option(
    "--rpc",
    "url",
    default=None,
    metavar="URL",
    help="Node to ask (default: the environment variable AMO_OPT_RPC). It is neither shown nor kept.",
)
@click.option("--block", "which", default="latest", metavar="N", help="State after this block, by number, hash or tag (default: latest).")
@click.option(
    "--at",
    type=MOMENT,
    default=None,
    metavar="TIME",
    help="When the batch is executed: a Unix second, a date and time of UTC, or +2h after the block (default: the next block).",
)
@click.option(
    "--revert-at",
    type=MOMENT,
    multiple=True,
    metavar="TIME",
    help="When the revert is, +30h counted from the batch; may be repeated (default: +1h, and of a ramp +30h too).",
)
@click.option("--from", "sender", default=None, metavar="ADDRESS", help="Who sends what names no sender.")
@click.option(
    "--engine",
    type=click.Choice(("auto", "simulate", "evm")),
    default="auto",
    show_default=True,
    help="The node's own eth_simulateV1, or pyrevm here; auto: the first that is there.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    metavar="FILE",
    help="Record (default: execution.json beside the batch).",
)
@json_option
def command(
    batch_file: Path, revert_file: Path | None, *, url: str | None, which: str, at: tuple[int, bool] | None, revert_at: tuple[tuple[int, bool], ...],
    sender: str | None, engine: Kind, out: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Execute a batch on a chain's state, without signing or sending: whom each contract obeys, what fails and why, what getters and storage hold afterwards, and what the revert brings back.

    Exit 0 where every call works, 1 where one does not, or the revert does not at any of its times, 2 where it could not be tried.

    \b
    Example:
      amo-opt dry-run safe-batch.json safe-batch-revert.json --rpc http://127.0.0.1:8545 --block 14755001
      amo-opt dry-run vote.txt --rpc http://127.0.0.1:8545 --at +7d --revert-at +1h --revert-at +30h
    """
    from amo_opt.cli.state import block_named
    from amo_opt.onchain.execution_record import FILE, keep

    target = out if out is not None else batch_file.parent / FILE
    check_folder("--out", target)
    run = run_files(batch_file, revert_file, url=url, block=block_named(which), at=at, revert_at=revert_at, sender=sender, engine=engine)
    record = keep(run, target)
    if as_json:
        click.echo(record.text, nl=False)
    else:
        print_run(run)
    say(f"record: {target}", err=as_json)
    return 0 if run.batch.ok and (not run.reverts or any(each.ok for each in run.reverts)) else 1


def run_files(
    batch_file: Path, revert_file: Path | None, *, url: str | None, block: int | str = "latest", at: tuple[int, bool] | None = None,
    revert_at: tuple[tuple[int, bool], ...] = (), sender: str | None = None, engine: Kind = "auto",
) -> Run:  # fmt: skip
    """The dry run of two files. Raises `AmoOptError` as `onchain.dry_run.dry_run` does."""
    from amo_opt.onchain.dry_run import NEXT_BLOCK, batch_of, dry_run, engine_of
    from amo_opt.onchain.rpc import VARIABLE, node_of

    batch = batch_of(batch_file, sender=sender)
    revert = None if revert_file is None else batch_of(revert_file, sender=sender)
    node = node_of(url)
    begin = node.block(block)
    chosen = engine_of(engine, node, url or os.environ[VARIABLE], begin, chain_id=node.chain_id())
    first = begin.timestamp + NEXT_BLOCK if at is None else at[0] + (begin.timestamp if at[1] else 0)
    reverted = tuple(seconds + (first if later else 0) for seconds, later in revert_at)
    return dry_run(batch, revert, node, chosen, begin, at=first, revert_at=reverted)


def print_run(run: Run) -> None:
    """Everything a record holds, on stdout: checks and calls, getters, storage, then each revert and what did not come back."""
    from amo_opt.onchain.effects import when

    say(f"{run.engine}, chain {run.chain_id}, block {run.block} ({run.block_hash}), {when(run.block_time)}")
    _print_part(run.batch, f"{run.batch.file}, executed at {when(run.batch.at)}")
    for each in run.reverts:
        _print_part(each, f"{each.file}, executed at {when(each.at)}, {(each.at - run.batch.at) / 3600:,.4g} h after the batch", back=True)


def _print_part(part: Part, title: str, *, back: bool = False) -> None:
    from amo_opt.cli.tables import print_table

    say("")
    say(
        f"{title}: {'every call works' if all(each.ok for each in part.calls) else 'fails whole, for one failing call undoes all'}, {part.gas:,} gas"
    )
    calls = [
        (each.function, each.to, each.sender, "yes" if each.ok else each.reason or "no reason given", f"{each.gas:,}")
        for each in part.calls
    ]
    print_table("calls", (("call", "to", "sent by", "works", "gas"), calls))
    for each in part.objections:
        say(f"! {each}")
    moved = [(each.getter, _shown(each.before), _shown(each.after)) for each in part.readings if each.moved or not back]
    print_table("not as before the batch" if back else "getters", (("getter", "before the batch", "afterwards"), moved))
    if back and not moved:
        say("every getter answers as before the batch")
    if part.storage is None:
        say("storage: this engine does not tell it (--engine evm does)")
    else:
        slots = [(f"{each.contract} {each.slot}", each.before, each.after) for each in part.storage]
        print_table(
            "storage not as before the batch" if back else "storage that changed",
            (("contract and slot", "before the batch", "afterwards"), slots),
        )
        if not slots:
            say("storage: as before the batch")


def _shown(value: str | None) -> str:
    return "no answer" if value is None else value
