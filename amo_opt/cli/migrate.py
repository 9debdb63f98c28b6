"""``amo-opt migrate``: files of an earlier schema in today's form."""

from __future__ import annotations

from pathlib import Path

import click

from amo_opt.cli.streams import say


@click.command("migrate")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE…")
def command(files: tuple[Path, ...]) -> None:
    """Rewrite study and state files of schema 1 in place; comments and figures stay as they are.

    A state's figures of behaviour go to a file beside it, which its study then names. Give the study and its state together. Nothing is written where one of the files
    cannot be rewritten.

    \b
    Example:
      amo-opt migrate my-protocol/study.toml my-protocol/states/today.toml
    """
    from amo_opt.config.migrate import migrated, write_migrated

    for file in files:
        migrated(file, str(file))  # every file is looked at before the first is touched
    for file in files:
        written = write_migrated(file, str(file))
        for target in written:
            say(f"wrote {target}")
        if not written:
            say(f"{file}: of today's schema already, left as it is")
