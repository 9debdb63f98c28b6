# ruff: noqa: INP001
"""Writes docs/licences.md from the metadata of the installed packages: ``python docs/licences.py``, where amo-opt is installed with its extras."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, metadata, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PAGE = Path(__file__).with_name("licences.md")
TOOLS = {"test", "dev", "docs"}
"""Extras that a user does not install."""


def groups() -> dict[str, list[str]]:
    """Requirements of pyproject.toml: those of every installation, then those of each extra that a user may ask for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {"": project["dependencies"], **{name: each for name, each in project["optional-dependencies"].items() if name not in TOOLS}}


def closure(wanted: list[str]) -> dict[str, str]:
    """Every package that requirements bring with them on this machine -> what asks for it; "" stands for amo-opt."""
    found: dict[str, str] = {}
    waiting = [(each, "") for each in wanted]
    for text, asker in waiting:
        requirement = Requirement(text)
        name = canonicalize_name(requirement.name)
        if name in found or name == "amo-opt":
            continue
        found[name] = asker
        try:
            needs = requires(name) or []
        except PackageNotFoundError:
            continue
        for need in needs:
            marker = Requirement(need).marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in requirement.extras or {""}):
                waiting.append((need, name))
    return found


def licence(name: str) -> str:
    """The licence as the package states it: its expression, else its classifiers, else the first line of its field."""
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return "not installed where this page was written"
    if said["License-Expression"]:
        return said["License-Expression"]
    classified = [each.rpartition(" :: ")[2] for each in said.get_all("Classifier") or [] if each.startswith("License :: ")]
    return ", ".join(classified) or (said["License"] or "not stated").strip().splitlines()[0]


def page() -> str:
    """The whole page: a row a package, once, in the first group that brings it."""
    lines = [
        "# Licences of what amo-opt is installed with",
        "",
        "amo-opt is under the MIT licence ([LICENSE](../LICENSE)). Below is what `pip` brings with it and with each extra, each under the licence that its own",
        "metadata state; nothing of it is in amo-opt's files. Written by `python docs/licences.py` on Linux; other systems may bring one or two packages more.",
    ]
    told: set[str] = set()
    for group, wanted in groups().items():
        found = {name: asker for name, asker in sorted(closure(wanted).items()) if name not in told}
        told |= set(found)
        if found:
            lines += ["", f"## Extra `{group}`" if group else "## Always", "", "| package | licence | asked for by |", "|---|---|---|"]
            lines += [f"| {name} | {licence(name)} | {asker or 'amo-opt'} |" for name, asker in found.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
