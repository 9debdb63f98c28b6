"""A study to start from: the worked example's commented files, under a name of one's own."""

from __future__ import annotations

import re
from pathlib import Path

from amo_opt.errors import InputError, Problem

STUDY = "frax-2022.toml"
FILES = {
    STUDY: "study.toml",
    "states/frax-2022-05-11.toml": "states/frax-2022-05-11.toml",
    "parameters/frax-current.toml": "parameters/frax-current.toml",
}


def _examples() -> Path:
    """The shipped studies: inside an installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "examples"
    return installed if installed.is_dir() else package.parent / "studies"


def write_starter(folder: Path) -> list[Path]:
    """Writes study, state and parameter file below ``folder`` and returns their paths, the study first.

    The study is named after the folder. Raises `InputError` where the folder's name gives no study name or a file is there already;
    nothing is written then.
    """
    name = re.sub(r"[^a-z0-9-]+", "-", folder.resolve().name.lower()).strip("-")
    problems = [] if name else [Problem(str(folder), "", "gives no study name", found=folder.name, allowed="letters, digits, hyphens")]
    targets = {source: folder / target for source, target in FILES.items()}
    problems += [
        Problem(str(target), "", "exists already and is left as it is", hint="name another folder")
        for target in targets.values()
        if target.exists()
    ]
    if problems:
        raise InputError(problems)
    examples = _examples()
    for source, target in targets.items():
        text = (examples / source).read_text(encoding="utf-8")
        if source == STUDY:
            text = re.sub(r'(?m)^name = "[^"]*"', f'name = "{name}"', text, count=1)
            text = text.replace(f"studies/{STUDY}", str(folder / "study.toml"))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return list(targets.values())
