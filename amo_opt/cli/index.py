"""``amo-opt index``: a home page of the reports in a folder."""

from __future__ import annotations

from pathlib import Path

import click

from amo_opt.cli.streams import say


@click.command("index")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
def command(folder: Path) -> None:
    """Write DIR/index.html, a page that lists the reports in DIR: what each found, verdict, warnings, date of its state, study, and a link.

    A report that cannot be read is named in a line, there and on stderr; an index.html of somebody else's is left alone.

    \b
    Example:
      amo-opt index reports
    """
    from amo_opt.report.home_page import write_home_page

    page, entries, damaged = write_home_page(folder)
    for line in damaged:
        say(f"not readable: {line}", err=True)
    say(f"{len(entries)} report{'' if len(entries) == 1 else 's'}: {page}")
