"""``amo-opt review``: somebody else's proposal, judged on a study's paths."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from amo_opt.cli.options import json_option, load, study_option, thread_count, workers_option
from amo_opt.cli.streams import say
from amo_opt.cli.watch import counting

if TYPE_CHECKING:
    from amo_opt.comparison.proposal import Proposal
    from amo_opt.comparison.review import DryRun, Review
    from amo_opt.config.study import Study


def _split(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, float]:
    found: dict[str, float] = {}
    for each in values:
        name, _sign, written = each.partition("=")
        try:
            value = float(written)
        except ValueError:
            value = math.nan
        if not name or not math.isfinite(value):
            raise click.BadParameter(f"found {each!r:.60}; allowed: NAME=SHARE, such as curve_mint_cap=0.5")
        if name in found:
            raise click.BadParameter(f"{name} stands there twice; allowed: each parameter once")
        found[name] = value
    return found


@click.command("review")
@click.argument("proposal_file", type=click.Path(path_type=Path), metavar="PROPOSAL")
@study_option
@click.option(
    "--rpc",
    default=None,
    metavar="URL",
    help="Node on whose state the calls are executed, without being sent. It is neither shown nor kept.",
)
@click.option("--dry-run", "dry", is_flag=True, help="The same with the node of the environment variable AMO_OPT_RPC.")
@click.option("--block", type=click.IntRange(min=0), default=None, help="Block to run them at (default: the latest).")
@click.option(
    "--from",
    "sender",
    default=None,
    metavar="ADDRESS",
    help="Who sends what names no sender (default: the state's Safe, of a governor's proposal the governor).",
)
@click.option(
    "--split",
    multiple=True,
    callback=_split,
    metavar="NAME=SHARE",
    help="An AMO's part of a cap that a call sets as a sum; may be given several times.",
)
@click.option(
    "--gates", "gates_file", type=click.Path(path_type=Path), default=None, metavar="FILE", help="Gates (default: those of compare)."
)
@click.option("--paths", type=click.IntRange(1, 10_000_000), default=None, help="Paths per scenario (default: 1024).")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    metavar="FOLDER",
    help="Folder of the documents (default: reviews/PROPOSAL).",
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=None, help="Other paths than the study's own.")
@workers_option
@json_option
def command(
    proposal_file: Path,
    *,
    study_file: Path,
    rpc: str | None,
    dry: bool,
    block: int | None,
    sender: str | None,
    split: dict[str, float],
    gates_file: Path | None,
    paths: int | None,
    out: Path | None,
    seed: int | None,
    workers: int | None,
    as_json: bool,
) -> int:
    """Judge what somebody posted: a Safe batch, a Curve vote's ACTIONS or evmscript, a governor's propose, a parameter file (.toml), or a table of new values in Markdown or CSV
    (columns: parameter, value).

    Calls are mapped to parameters; those that are not understood are named. The set in force and the proposed one run on the same paths, as in compare. Writes review.md,
    review.html and review.json. Exits 0 where no gate fails of a proposal that is understood whole, 1 where one fails or a call is not understood, 2 for a wrong call.

    \b
    Example:
      amo-opt review safe-batch.json --study studies/frax-2022.toml
      amo-opt review vote.txt --study studies/frax-2022.toml --out reviews/vote-512 --json
      amo-opt review batch.json --study studies/frax-2022.toml --split fraxlend_cap=0.05
    """
    from amo_opt.comparison.gates import load_gates
    from amo_opt.comparison.proposal import read_proposal
    from amo_opt.comparison.review import review
    from amo_opt.comparison.review_pages import json_text, write_review

    if (block is not None or sender is not None) and not (dry or rpc):
        raise click.UsageError("--block and --from are about a node: allowed with --rpc or --dry-run")
    study = load(study_file, seed=seed)
    gates = None if gates_file is None else load_gates(gates_file)
    proposal = read_proposal(proposal_file, study, split=split)
    ran = dry_run(proposal, proposal_file, study, rpc=rpc, dry=dry, block=block, sender=sender)
    with counting("paths", "blocks of paths") as progress:
        found = review(proposal, study, gates=gates, paths=paths, dry_run=ran, workers=thread_count(workers), progress=progress)
    folder = Path("reviews") / proposal_file.stem if out is None else out
    write_review(found, folder)
    if as_json:
        click.echo(json_text(found), nl=False)
    else:
        print_review(found)
    say(f"review.md, review.html and review.json written to {folder}", err=True)
    return found.exit_status


def dry_run(
    proposal: Proposal, file: Path, study: Study, *, rpc: str | None, dry: bool = False, block: int | None, sender: str | None
) -> DryRun:
    """The proposal's calls executed on a node's state, without signing or sending. Raises `AmoOptError` where that could not be tried."""
    from amo_opt.cli.dry_run import run_files
    from amo_opt.comparison.review import DryRun
    from amo_opt.onchain.signatures import GOVERNOR, SAFE
    from amo_opt.wording import NOT_KNOWN

    if not proposal.transactions:
        return DryRun(status="not executed", why="the proposal holds no calls")
    if rpc is None and not dry:
        return DryRun(status="not executed", why="no node was given (--rpc)")
    account = study.state.contracts.get(GOVERNOR if proposal.form == "proposal to a governor" else SAFE)
    run = run_files(
        file,
        None,
        url=rpc,
        block="latest" if block is None else block,
        sender=account.address if sender is None and account is not None else sender,
    )
    on = f"{run.engine}, chain {run.chain_id}, block {run.block} ({run.block_hash})"
    readings = tuple((each.getter, each.before or NOT_KNOWN, each.after or NOT_KNOWN) for each in run.batch.readings if each.moved)
    if run.batch.ok:
        return DryRun(status="executed", why=f"every call works; {on}, {run.batch.gas:,} gas", readings=readings)
    return DryRun(status="reverted", why=f"{'; '.join(run.batch.objections)}; {on}")


def print_review(found: Review) -> None:
    """The first lines, what is not understood, what changes, and the gates; the documents hold the rest."""
    from amo_opt.cli.tables import print_table
    from amo_opt.comparison import review_wording as words
    from amo_opt.comparison.review_pages import Heading, Table, blocks

    for line in (words.title(found), words.asked(found), words.verdict(found), *words.why(found)):
        say(line)
    for each in found.proposal.read.unknown if found.proposal.read is not None else ():
        call = each.transaction
        say(f"call {each.number} is not understood: {call.to} {each.selector}: {words.unknown(each)}")
        click.echo(f"  0x{call.data.hex()}")
    heading = ""
    for block in blocks(found):
        if isinstance(block, Heading):
            heading = block.text
        elif isinstance(block, Table) and heading in ("What changes", "Gate by gate"):
            print_table(heading, (block.heads, block.rows))
    if told := words.half(found):
        say(told)
