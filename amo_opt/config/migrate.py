"""Files of an earlier schema in today's form, line by line: comments, order and every figure stay as they were written.

A state of schema 1 had both doors and the collateral ratio among ``[stablecoin]``, and how holders behave among ``[markets]``: the former get tables of their own, the latter
a file of its own, which the study names.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from amo_opt.config.load import kind_of
from amo_opt.config.schema import SCHEMAS, figures_by_name
from amo_opt.config.toml_file import read_document
from amo_opt.errors import InputError, Problem

DOORS = {
    "collateral_ratio": ("controller", "collateral_ratio"),
    "redemption_fee": ("redeem", "fee"),
    "redemption_delay_hours": ("redeem", "delay_hours"),
    "minting_fee": ("mint", "fee"),
    "mint_ceiling": ("mint", "ceiling"),
}
"""Keys of ``[stablecoin]`` in schema 1, and where they stand now."""
RENAMED = {f"stablecoin.{key}": ".".join(place) for key, place in DOORS.items()}
"""The same by dotted name, as a study sets them."""
_TABLE = re.compile(r"\s*\[\s*([\w.]+)\s*\]\s*(?:#.*)?$")
_KEY = re.compile(r"\s*(\w+)\s*=")
_SCHEMA = re.compile(r"(?m)^schema\s*=\s*1\b")


@dataclass
class _Lines:
    """A file's lines as they are gone through: those that stay, and those that go to another table or file, by where they go."""

    kept: list[str] = field(default_factory=list)
    doors: dict[str, list[str]] = field(default_factory=dict)
    behaviour: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)

    def put(self, line: str, target: list[str]) -> None:
        """A figure's line with the comments above it."""
        target += [*self.waiting, line]
        self.waiting = []


def migrated(path: Path, label: str) -> dict[Path, str]:
    """The file at ``path`` in today's form, and the file of behaviour that a state's figures move to: text by path. Nothing where it is in that form already.

    Raises `InputError` where the file cannot be read, is of no known schema, or a file of that name is there already; and where what was rewritten would not hold every figure
    as it was, as a file may be written in ways that going through its lines does not see.
    """
    document = read_document(path, label)
    kind, found = kind_of(document.data), document.data.get("schema")
    if found == SCHEMAS[kind]:
        return {}
    if type(found) is not int or found != 1:
        raise InputError([document.problem(("schema",), "no version that can be rewritten", found=repr(found), allowed="schema = 1")])
    with path.open(encoding="utf-8", newline="") as file:  # lines end as they ended
        text = _SCHEMA.sub(f"schema = {SCHEMAS[kind]}", file.read(), count=1)
    if kind == "state":
        among = path.absolute().parent
        target = among.parent / "behaviour" / path.name if among.name == "states" else path.with_name(f"behaviour-{path.name}")
        if target.exists():
            raise InputError([Problem(str(target), "", "exists already and is left as it is", hint="move it away first")])
        state, behaviour = _state(text)
        end = "\r\n" if "\r\n" in text else "\n"
        head = end.join([f"schema = {SCHEMAS['behaviour']}", f'name = "{document.data.get("name", path.stem)}"', "", ""])
        written = {path: state, target: head + behaviour}
        _check(
            document.problem((), "cannot be rewritten line by line", hint=_BY_HAND),
            {RENAMED.get(name, name): value for name, value in _figures(document.data).items()},
            written,
        )
        return written
    if kind == "study":
        named = PurePosixPath(str(document.get(("state", "file"))))
        beside = (
            named.parent.parent / "behaviour" / named.name if named.parent.name == "states" else named.with_name(f"behaviour-{named.name}")
        )
        for before, after in RENAMED.items():
            text = text.replace(f'"{before}"', f'"{after}"')
        end = "\r\n" if "\r\n" in text else "\n"
        told = f'[behaviour]{end}file = "{beside}" # how holders, providers and traders act{end}{end}'
        text = re.sub(r"(?m)^(?=\[state\])", told, text, count=1)
        _check(
            document.problem((), "cannot be rewritten line by line", hint=_BY_HAND),
            _today(_study(document.data), str(beside)),
            {path: text},
        )
    return {path: text}


def write_migrated(path: Path, label: str) -> list[Path]:
    """Writes what `migrated` says, each file whole or not at all, and returns their paths."""
    found = migrated(path, label)
    # what is new first, so that a file that is rewritten names nothing that is not there
    for target in sorted(found, key=lambda each: each == path):
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f".{target.name}.migrated")
        with fresh.open("w", encoding="utf-8", newline="") as file:
            file.write(found[target])
        fresh.replace(target)
    return list(found)


_BY_HAND = "docs/protocols.md says what stands where now"


def _check(refused: Problem, wanted: Mapping[str, Any], written: Mapping[Path, str]) -> None:
    """Raises `InputError` unless the files together hold what they should, and nothing else that counts."""
    found: dict[str, Any] = {}
    try:
        for text in written.values():
            data = tomllib.loads(text)
            found |= _study(data) if "search" in data or "scenario" in data else _figures(data)
    except (tomllib.TOMLDecodeError, RecursionError):
        raise InputError([refused]) from None
    if found != wanted:
        raise InputError([refused])


def _figures(data: Mapping[str, Any]) -> dict[str, Any]:
    """Everything in a state's or a behaviour's tables, by dotted name; the schema and what is said of the file itself left out."""
    return dict(_flat({key: value for key, value in data.items() if isinstance(value, dict)}))


def _study(data: Mapping[str, Any]) -> dict[str, Any]:
    """Everything in a study but its schema, the figures that it sets by dotted name."""
    told = {key: value for key, value in data.items() if key != "schema"}
    state = told.get("state")
    if isinstance(state, dict) and isinstance(state.get("set"), dict):
        told["state"] = {**state, "set": dict(_flat(state["set"]))}
    return told


def _today(told: dict[str, Any], beside: str) -> dict[str, Any]:
    """A study's content as it is to be: its figures by today's names, and the file of behaviour that it is to name."""
    state = told.get("state", {})
    renamed = {RENAMED.get(name, name): value for name, value in state.get("set", {}).items()}
    return {**told, "state": {**state, "set": renamed} if "set" in state else state, "behaviour": {"file": beside}}


def _flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names and what is no table, a figure (a table with a value) being one thing."""
    for key, value in table.items():
        if isinstance(value, dict) and "value" not in value:
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _state(text: str) -> tuple[str, str]:
    """The state without its doors' keys in ``[stablecoin]`` and without its behaviour; and the table of behaviour."""
    acts = {name.rpartition(".")[2] for name, entry in figures_by_name().items() if entry.metadata["behaviour"]}
    lines, table = _Lines(), ""
    ends = "\r\n" if "\r\n" in text else "\n"
    for line in text.splitlines():
        key, head = _KEY.match(line), _TABLE.match(line)
        if head:
            _leave(lines, table)
            table = head[1]
            lines.put(line, lines.kept)
        elif table == "stablecoin" and key and key[1] in DOORS:
            place, name = DOORS[key[1]]
            lines.put(line.replace(key[1], name, 1), lines.doors.setdefault(place, []))
        elif table == "markets" and key and key[1] in acts:
            lines.put(line, lines.behaviour)
        elif table in ("stablecoin", "markets") and (not line.strip() or line.lstrip().startswith("#")):
            lines.waiting.append(line)
        else:
            lines.put(line, lines.kept)
    _leave(lines, table)
    return ends.join(lines.kept) + ends, ends.join(["[markets]", *lines.behaviour]) + ends


def _leave(lines: _Lines, table: str) -> None:
    """The end of a table: after ``[stablecoin]`` come the tables of its doors."""
    if table == "stablecoin":
        for name, figures in lines.doors.items():
            lines.kept += ["", f"[{name}]", *figures]
    lines.kept += lines.waiting
    lines.waiting = []
