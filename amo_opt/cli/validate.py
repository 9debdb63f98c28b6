"""``amo-opt validate``: everything wrong with the given files, at once."""

from __future__ import annotations

from pathlib import Path

import click

from amo_opt.cli.options import json_option, print_json
from amo_opt.cli.streams import say
from amo_opt.errors import listed


@click.command("validate")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@json_option
def command(files: tuple[Path, ...], *, as_json: bool) -> int:
    """Check study, state, parameter and gates files; exit 1 where one is wrong.

    \b
    Example:
      amo-opt validate studies/frax-2022.toml studies/parameters/frax-current.toml
    """
    from amo_opt.comparison.gates import load_gates
    from amo_opt.config.load import validate_file

    found = {str(file): validate_file(file, load_gates=load_gates) for file in files}
    if as_json:
        print_json(
            {
                "valid": not any(found.values()),
                "files": [
                    {
                        "file": file,
                        "problems": [
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
                        ],
                    }
                    for file, problems in found.items()
                ],
            }
        )
    else:
        for file, problems in found.items():
            if problems:
                for line in listed(problems):
                    click.echo(line, err=True)
            else:
                say(f"{file}: valid")
    return 1 if any(found.values()) else 0
