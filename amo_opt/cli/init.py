"""``amo-opt init``: a commented study to start from."""

from __future__ import annotations

from pathlib import Path

import click

from amo_opt.cli.streams import say


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
def command(folder: Path) -> None:
    """Write a study, a state and a parameter file into DIR; refuses to overwrite.

    \b
    Example:
      amo-opt init my-protocol
      amo-opt run my-protocol/study.toml
    """
    from amo_opt.config.starter import write_starter

    written = write_starter(folder)
    for file in written:
        say(f"wrote {file}")
    say(f"next: amo-opt validate {written[0]}  then  amo-opt run {written[0]}")
