"""``amo-opt validate``: everything wrong with the given files, at once, and what they may not mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from amo_opt.cli.options import json_option, print_json
from amo_opt.cli.streams import say
from amo_opt.errors import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amo_opt.errors import Problem


@click.command("validate")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@json_option
def command(files: tuple[Path, ...], *, as_json: bool) -> int:
    """Check study, state, parameter and gates files; exit 1 where one is wrong. A warning leaves a file valid.

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
        parts = {file: {"problems": _parts(problems), "warnings": _parts(cautions[file])} for file, problems in found.items()}
        print_json({"valid": not any(found.values()), "files": [{"file": file, **each} for file, each in parts.items()]})
    else:
        for file, problems in found.items():
            for line in listed(problems):
                say(line, err=True)
            for line in listed(cautions[file]):
                say(f"warning: {line}", err=True)
            if not problems:
                say(f"{file}: valid")
    return 1 if any(found.values()) else 0


def _parts(problems: Sequence[Problem]) -> list[dict[str, object]]:
    return [
        {
            "file": problem.file,
            "key": problem.where,
            "message": problem.message,
            "found": problem.found,
            "allowed": problem.allowed,
            "hint": problem.hint,
            "line": problem.line,
        }
        for problem in problems
    ]
