"""A study to start from: a worked example's commented files, under a name of one's own."""

from __future__ import annotations

import re
from pathlib import Path

from amo_opt.config.json_schema import schema_of, schema_text
from amo_opt.errors import InputError, Problem

BEHAVIOUR = "behaviour/frax-2022.toml"
_SPELLS = ("behaviour/spells-2022.toml", "behaviour/spells-2022.csv")
"""The fit of spells that it names, and that fit's draws."""
LIKE = {
    "frax": ("frax-2022.toml", "states/frax-2022-05-11.toml", BEHAVIOUR, *_SPELLS, "parameters/frax-current.toml"),
    "peg-keeper": (
        "crvusd-2024.toml",
        "states/crvusd-2024-01-30.toml",
        "behaviour/crvusd-2024.toml",
        *_SPELLS,
        "parameters/crvusd-current.toml",
    ),
    "rebalancer": ("oeth-2024.toml", "states/oeth-2024-10-16.toml", "behaviour/oeth-2024.toml", *_SPELLS, "parameters/oeth-current.toml"),
    "minimal": ("minimal.toml", "states/minimal.toml", BEHAVIOUR, *_SPELLS, "parameters/minimal.toml"),
}
"""The examples by what they are like: the study and the files it names."""

SCHEMAS = "schemas"
"""The folder of the schemas that a file's first line names, for editors."""


def examples() -> Path:
    """The shipped studies: inside an installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "examples"
    return installed if installed.is_dir() else package.parent / "studies"


def write_starter(folder: Path, like: str = "frax") -> list[Path]:
    """Writes the files of the example ``like`` below ``folder``, and the JSON Schemas that their first lines name for editors, and returns their paths, the study first.

    The study is named after the folder. Raises `InputError` where the folder's name gives no study name or a file is there already;
    nothing is written then.
    """
    name = re.sub(r"[^a-z0-9-]+", "-", folder.resolve().name.lower()).strip("-")
    problems = [] if name else [Problem(str(folder), "", "gives no study name", found=folder.name, allowed="letters, digits, hyphens")]
    study, *others = LIKE[like]
    targets = {study: folder / "study.toml"} | {each: folder / each for each in others}
    kinds = {each: _kind(each) for each in targets if each.endswith(".toml")}
    schemas = {folder / SCHEMAS / f"{kind}.json": kind for kind in kinds.values()}
    problems += [
        Problem(str(target), "", "exists already and is left as it is", hint="name another folder")
        for target in (*targets.values(), *schemas)
        if target.exists()
    ]
    if problems:
        raise InputError(problems)
    shipped = examples()
    for source, target in targets.items():
        text = (shipped / source).read_text(encoding="utf-8")
        if source == study:
            text = re.sub(r'(?m)^name = "[^"]*"', f'name = "{name}"', text, count=1)
            text = text.replace(f"studies/{study}", str(folder / "study.toml"))
        if source in kinds:
            up = "../" * (len(target.relative_to(folder).parts) - 1) or "./"
            text = f"#:schema {up}{SCHEMAS}/{kinds[source]}.json\n{text}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    (folder / SCHEMAS).mkdir(exist_ok=True)
    for target, kind in schemas.items():
        target.write_text(schema_text(schema_of(kind)), encoding="utf-8")
    return [*targets.values(), *schemas]


def _kind(shipped: str) -> str:
    """What a shipped file is, by where it stands."""
    room = Path(shipped).parent.name
    return "spells" if shipped in _SPELLS else {"": "study", "states": "state"}.get(room, room)
