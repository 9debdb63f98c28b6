"""``amo-opt schema``: the JSON Schema of a file, for editors and other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from amo_opt.cli.options import check_folder
from amo_opt.cli.streams import say

KINDS = ("study", "state", "parameters", "behaviour", "gates", "evidence", "spells", "results")


def schema_of(kind: str) -> dict[str, Any]:
    """The JSON Schema of a file of any of `KINDS`."""
    if kind == "gates":
        from amo_opt.comparison.gates import gates_schema

        return gates_schema()
    if kind == "results":
        from amo_opt.report.results_schema import results_schema

        return results_schema()
    from amo_opt.config import json_schema

    return json_schema.schema_of(kind)


@click.command("schema")
@click.argument("kind", type=click.Choice(KINDS))
@click.option(
    "--out", "out_file", type=click.Path(path_type=Path), default=None, metavar="FILE", help="Write it there, not to standard output."
)
def command(kind: str, *, out_file: Path | None) -> None:
    """Print the JSON Schema (draft 2020-12) of a file: every key with type, range, unit, default and meaning.

    An editor that reads TOML with schemas completes and checks a file whose first line names one: #:schema ./schemas/study.json. spells is a fit that calibrate writes,
    results is results.json.

    \b
    Example:
      amo-opt schema study --out schemas/study.json
    """
    from amo_opt.config.json_schema import schema_text

    if out_file is not None:
        check_folder("--out", out_file)
    text = schema_text(schema_of(kind))
    if out_file is None:
        click.echo(text, nl=False)
        return
    out_file.write_text(text, encoding="utf-8")
    say(f"wrote {out_file}")
