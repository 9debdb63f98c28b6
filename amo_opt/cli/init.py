"""``amo-opt init``: a commented study to start from."""

from __future__ import annotations

from pathlib import Path

import click

from amo_opt.cli.streams import say


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@click.option(
    "--like",
    type=click.Choice(("frax", "peg-keeper", "rebalancer", "minimal")),
    default="frax",
    show_default=True,
    help="frax: a share token, a collateral ratio and five AMOs, sourced and commented; peg-keeper: four pools and keepers, borrowers, a monetary policy (crvUSD); "
    "rebalancer: one pool and a strategist, in ETH (OETH); minimal: a pool, two doors, one AMO, in 24 figures.",
)
def command(folder: Path, like: str) -> None:
    """Write a study, a state, its behaviour and a parameter file into DIR; refuses to overwrite.

    \b
    Example:
      amo-opt init my-protocol --like minimal
      amo-opt run my-protocol/study.toml
    """
    from amo_opt.config.starter import write_starter

    written = write_starter(folder, like)
    for file in written:
        say(f"wrote {file}")
    say(f"next: amo-opt validate {written[0]}  then  amo-opt run {written[0]}")
