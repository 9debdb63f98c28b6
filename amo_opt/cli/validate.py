"""``amo-opt validate``: everything wrong with the given files, at once, and what they may not mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from amo_opt.cli.options import json_option, print_json
from amo_opt.cli.streams import say
from amo_opt.errors import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amo_opt.errors import Problem

SCHEMA = 1
"""The version of the document that ``--json`` prints: it may get keys, and none goes or changes its meaning."""


@click.command("validate")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@json_option
def command(files: tuple[Path, ...], *, as_json: bool) -> int:
    """Check study, state, behaviour, parameter, gates and evidence files; exit 1 where one is wrong. A warning leaves a file valid.

    --json prints a document for tools: by file whether it is valid, and each problem with key, line, what was found, what is allowed and the nearest known name.

    \b
    Example:
      amo-opt validate studies/frax-2022.toml studies/parameters/frax-current.toml
    """
    from amo_opt.comparison.gates import load_gates
    from amo_opt.config.cautions import cautions_of
    from amo_opt.config.load import validate_file

    found = {str(file): validate_file(file, load_gates=load_gates) for file in files}
    cautions = {file: [] if problems else cautions_of(file) for file, problems in found.items()}
    if as_json:
        files_told = [
            {"file": file, "valid": not problems, "problems": _parts(problems, "error"), "warnings": _parts(cautions[file], "warning")}
            for file, problems in found.items()
        ]
        print_json({"schema": SCHEMA, "valid": not any(found.values()), "files": files_told})
    else:
        for file, problems in found.items():
            for line in listed(problems):
                say(line, err=True)
            for line in listed(cautions[file]):
                say(f"warning: {line}", err=True)
            if not problems:
                say(f"{file}: valid{_books(file)}")
    return 1 if any(found.values()) else 0


def _books(file: str) -> str:
    """What a study's state comes to: the first thing to compare with the books it was taken from."""
    from amo_opt.config.load import kind_of, load_study
    from amo_opt.config.toml_file import read_document
    from amo_opt.report.labels import amount_of, count_of
    from amo_opt.wording import significant

    if kind_of(read_document(Path(file), file).data) != "study":
        return ""
    state = load_study(file).state
    behind, outside = state.cover_usd, state.external_supply
    cover = f": cover {significant(behind / outside, 3)}" if outside > 0.0 else ""
    return f" ({amount_of(behind, state.unit)} behind {count_of(outside)} tokens outside{cover})"


def _parts(problems: Sequence[Problem], level: Literal["error", "warning"]) -> list[dict[str, object]]:
    from amo_opt.config.wording import nearest_in

    return [
        {
            "level": level,
            "file": problem.file,
            "key": problem.where,
            "message": problem.message,
            "found": problem.found,
            "allowed": problem.allowed,
            "hint": problem.hint,
            "nearest": nearest_in(problem.hint) or nearest_in(problem.message),
            "line": problem.line,
        }
        for problem in problems
    ]
