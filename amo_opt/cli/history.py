"""``amo-opt history``: the CSV that `backtest` and `calibrate` read, from a chain, block by block."""

from __future__ import annotations

from pathlib import Path

import click

from amo_opt.cli.options import check_folder
from amo_opt.cli.state import RPC_HELP
from amo_opt.cli.streams import say


@click.command("history")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="STATE.toml")
@click.option("--rpc", default=None, metavar="URL", help=RPC_HELP)
@click.option("--from", "begin", required=True, metavar="TIME", help="The first row's time, UTC.")
@click.option("--to", "end", required=True, metavar="TIME", help="The last row's time, UTC.")
@click.option("--every", default="1h", metavar="STEP", show_default=True, help="From row to row: 1h, 10min, 1d.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The CSV; one that was begun is gone on with.",
)
@click.option(
    "--replay", type=click.Path(path_type=Path, dir_okay=False), default=None, metavar="FILE", help="Read a recording; no node is asked."
)
def command(file: Path, rpc: str | None, begin: str, end: str, every: str, out: Path, replay: Path | None) -> None:
    """Read supply, pool, A and feeds of a state's contracts from a chain, a row for each time with its block.

    A row is written as soon as it is read: interrupted, the same command goes on from there.

    \b
    Example:
      amo-opt history my-protocol/state.toml --from 2022-05-08 --to 2022-05-13 --every 1h --out may.csv
    """
    from amo_opt.cli.watch import counting
    from amo_opt.config.load import load_books
    from amo_opt.onchain.history_read import times_between, write_history
    from amo_opt.onchain.recording import Replay
    from amo_opt.onchain.rpc import node_of

    check_folder("--out", out)
    if replay is not None and rpc is not None:
        raise click.UsageError("--replay: found --rpc with it; a recording is read without a node")
    times = times_between(begin, end, every)
    state = load_books(file)
    node = Replay(replay) if replay is not None else node_of(rpc)
    with counting("rows", "rows") as progress:
        written = write_history(node, state, times, out, progress=progress)
    say(f"wrote {out}: {written} of its {len(times)} rows now")
