"""One TOML file as read: its values, where each key stands, and the problems that name both.

The only place that opens a study, state or parameter file. Keys are tuples (``("scenario", 0, "weight")``); an index counts from 0.
"""

from __future__ import annotations

import errno
import re
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from amo_opt.config.wording import LONGEST, nearest, shown
from amo_opt.errors import InputError, Problem
from amo_opt.files import read_file
from amo_opt.one_line import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Key = tuple[str | int, ...]

COMMAND_LINE = "command line"
"""What a problem names as its file when the value came from there."""

_BARE_OR_QUOTED = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_DOTTED = rf"{_BARE_OR_QUOTED}(?:\s*\.\s*{_BARE_OR_QUOTED})*"
_ARRAY_HEADER = re.compile(rf"\s*\[\[\s*({_DOTTED})\s*\]\]")
_HEADER = re.compile(rf"\s*\[\s*({_DOTTED})\s*\]")
_ASSIGNMENT = re.compile(rf"\s*({_DOTTED})\s*=(.*)")
_STRING_OR_COMMENT = re.compile(r""""(?:\\.|[^"\\])*"|'[^']*'|#.*""")
_AT = re.compile(r"^(.*) \(at line (\d+), column (\d+)\)$", re.DOTALL)

MOST_BYTES = 4 * 1024 * 1024
MOST_ENTRIES = 30_000
"""Lines and commas; a study of ours has a few hundred. A parser in Python takes microseconds for each."""
DEEPEST = 16
"""Tables and arrays within each other; the deepest key of ours has six. A parser takes a time that grows with the square of the depth."""
_TEXT = re.compile(
    r'''"""(?:[^"\\]++|\\.|"{1,2}+(?!"))*+(?:"""|\Z)|'{3}(?:[^']++|'{1,2}+(?!'))*+(?:'{3}|\Z)|"(?:[^"\\\n]++|\\.)*+"?|'[^'\n]*+'?|\#[^\n]*+''',
    re.DOTALL,
)
"""Strings and comments, those left open too; each is passed once, so that no file takes long."""
_TOO_DEEP = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{DEEPEST}}}")
_QUOTED = re.compile(r"\(.*\)|(['\"])(?!\\).{2,}\1", re.DOTALL)
"""What the parser quotes of a file: keys in a row, or a word."""


@dataclass(frozen=True)
class Document:
    """A TOML file read and parsed. ``label`` is the path as the user would write it, ``path`` the one to resolve others against."""

    label: str
    path: Path
    data: dict[str, Any]
    lines: Mapping[Key, int]
    overridden: frozenset[Key] = field(default=frozenset())

    def get(self, key: Key) -> Any:
        """The value at ``key``; None where there is none."""
        value: Any = self.data
        for part in key:
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        return value

    def problem(self, key: Key, message: str, *, found: str | None = None, allowed: str | None = None, hint: str | None = None) -> Problem:
        """A problem at ``key``, with its line, or laid at the command line's door if the value was given there.

        A file that does not say it is ours, by its ``schema``, is not quoted: its values may be anybody's secrets.
        """
        given = any(key[: len(other)] == other or (other[: len(key)] == key and key not in self.lines) for other in self.overridden)
        file, line = (COMMAND_LINE, None) if given and key else (self.label, self._line(key))
        found = found if file == COMMAND_LINE or "schema" in self.data else None
        return Problem(file=file, where=self._dotted(key), message=message, found=found, allowed=allowed, hint=hint, line=line)

    def _line(self, key: Key) -> int | None:
        """Line of the key, or of the nearest table around it that has one."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key)

    def _dotted(self, key: Key) -> str:
        """``scenario[svb-2023].weight``: an entry of a list goes by its name where it has one, else by its place, from 1."""
        text = ""
        for place, part in enumerate(key):
            if isinstance(part, str):
                named = one_line(part, most=LONGEST)
                text += f".{named}" if text else named
                continue
            entry = self.get(key[: place + 1])
            name = entry.get("name") if isinstance(entry, dict) else None
            text += f"[{one_line(name, most=LONGEST) if isinstance(name, str) else part + 1}]"
        return text


def read_document(path: Path, label: str, overrides: Mapping[str, object] | None = None) -> Document:
    """The file at ``path``, with dotted ``overrides`` put in place (None = not given).

    Raises `InputError` with the one problem that stopped the reading: no file, not UTF-8, not TOML, or an override that fits nowhere.
    """
    try:
        raw = read_file(path, most=MOST_BYTES)
    except (OSError, ValueError) as error:
        raise InputError([_unreadable(path, label, error)]) from None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        hint = "save the file as UTF-8"
        raise InputError([Problem(label, "", "not UTF-8 text", found=f"byte 0x{raw[error.start]:02x}", hint=hint, line=line)]) from None
    data, lines = _parsed(label, text)
    document = Document(label=label, path=path, data=data, lines=lines)
    return _with_overrides(document, overrides) if overrides else document


@lru_cache(maxsize=1)  # what a file is decides who reads it again
def _parsed(label: str, text: str) -> tuple[dict[str, Any], Mapping[Key, int]]:
    entries = text.count("\n") + text.count(",")
    if entries > MOST_ENTRIES:
        message = "not a study, state or parameter file: too many lines and entries"
        raise InputError([Problem(label, "", message, found=f"{entries:,}", allowed=f"at most {MOST_ENTRIES:,}")])
    if _TOO_DEEP.search(_TEXT.sub("_", text)):
        raise InputError([_deep(label)])
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise InputError([_deep(label)]) from None
    except ValueError as error:
        raise InputError([_not_toml(label, text, error)]) from None
    if _is_deep(data):
        raise InputError([_deep(label)])
    return data, key_lines(text)


def key_lines(text: str) -> dict[Key, int]:
    """Line (from 1) of every table header and ``key = …`` of a valid TOML text; keys within inline tables are left to their owner.

    A light scan, not a parser: it only has to point a reader at the right line.
    """
    lines: dict[Key, int] = {}
    counts: dict[Key, int] = {}
    table: Key = ()
    closing: str | None = None
    depth = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if closing is not None:
            closing = None if closing in line else closing
            continue
        rest = line
        if depth == 0:
            header = line.lstrip()[:1] == "["
            if header and (match := _ARRAY_HEADER.match(line)):
                key = _located(_parts(match[1]), counts)
                counts[key] = counts.get(key, -1) + 1
                table = (*key, counts[key])
                lines.setdefault(key, number)
                lines[table] = number
                continue
            if header and (match := _HEADER.match(line)):
                parts = _parts(match[1])
                table = _located(parts, counts)
                lines[table] = number
                _note(lines, [_located(parts[:end], counts) for end in range(1, len(parts))], number)
                continue
            if match := _ASSIGNMENT.match(line):
                parts = _parts(match[1])
                _note(lines, [(*table, *parts[:end]) for end in range(1, len(parts) + 1)], number)
                rest = match[2]
        if depth == 0 and not any(sign in rest for sign in "\"'["):
            continue
        for mark in ('"""', "'''"):
            if rest.count(mark) % 2:
                closing = mark
        bare = _STRING_OR_COMMENT.sub("", rest)
        depth = max(0, depth + bare.count("[") - bare.count("]"))
    return lines


def _note(lines: dict[Key, int], keys: list[Key], number: int) -> None:
    """The first line that mentions a key is its line."""
    for key in keys:
        lines.setdefault(key, number)


def _parts(dotted: str) -> list[str]:
    return [dotted] if dotted.isidentifier() else [part.strip("\"'") for part in re.findall(_BARE_OR_QUOTED, dotted)]


def _located(parts: list[str], counts: Mapping[Key, int]) -> Key:
    """The header's key, with the current index after every array of tables on the way (not after the last part)."""
    key: Key = ()
    for place, part in enumerate(parts):
        key = (*key, part)
        if key in counts and place < len(parts) - 1:
            key = (*key, counts[key])
    return key


def _with_overrides(document: Document, overrides: Mapping[str, object]) -> Document:
    """The document with each dotted key set; tables on the way are copied, so that the caller's document stays as read."""
    data = dict(document.data)
    overridden: set[Key] = set()
    problems: list[Problem] = []
    for dotted, value in overrides.items():
        if value is None:
            continue
        parts = dotted.split(".")
        table = data
        for part in parts[:-1]:
            inner = table.get(part, {})
            if not isinstance(inner, dict):
                hint = "name a key of a table, such as search.seed"
                problems.append(Problem(COMMAND_LINE, dotted, f"{part} is not a table", found=shown(value), hint=hint))
                break
            table[part] = table = dict(inner)
        else:
            table[parts[-1]] = value
            overridden.add(tuple(parts))
    if problems:
        raise InputError(problems)
    return Document(document.label, document.path, data, document.lines, frozenset(overridden))


def _unreadable(path: Path, label: str, error: Exception) -> Problem:
    match error:
        case IsADirectoryError():
            return Problem(label, "", "is a folder, not a file", hint="give the TOML file itself")
        case FileNotFoundError() | NotADirectoryError():
            return Problem(label, "", "no such file", hint=nearest(path.name, _names(path.parent)))
        case PermissionError():
            return Problem(label, "", "may not be read: permission denied")
        case OSError(errno=errno.EINVAL | errno.EFBIG):
            return Problem(label, "", str(error.strerror))
        case OSError():
            return Problem(label, "", f"cannot be read: {error.strerror}")
        case _:
            return Problem(label, "", f"not a path: {error}")


def _names(folder: Path) -> list[str]:
    """The TOML files of a folder; none if it cannot be listed."""
    try:
        return sorted(entry.name for entry in folder.iterdir() if entry.suffix == ".toml")
    except OSError:
        return []


def _deep(label: str) -> Problem:
    return Problem(label, "", "not a study, state or parameter file: nested too deeply", allowed=f"at most {DEEPEST} levels")


def _is_deep(data: dict[str, Any]) -> bool:
    """Whether tables and arrays lie within each other more than `DEEPEST` times; level by level, so that no depth is too deep to tell."""
    level: list[Any] = [data]
    for _ in range(DEEPEST):
        level = [
            entry for value in level for entry in (value.values() if isinstance(value, dict) else value) if isinstance(entry, dict | list)
        ]
        if not level:
            return False
    return True


def _not_toml(label: str, text: str, error: ValueError) -> Problem:
    """What is wrong, and where; nothing of the text, which may be anybody's secret."""
    if text.startswith("\ufeff"):
        return Problem(label, "", "not valid TOML: a byte order mark stands first", hint="save the file as UTF-8 without one", line=1)
    match = _AT.match(str(error))
    if match is None and "digits" in str(error):
        return Problem(label, "", "not valid TOML: a number of thousands of digits")
    if match is None:
        reason = str(error).removesuffix(" (at end of document)")
        hint = "something is left open at the end"
        return Problem(label, "", f"not valid TOML: {_QUOTED.sub('…', reason)}", hint=hint, line=text.rstrip("\n").count("\n") + 1)
    return Problem(label, "", f"not valid TOML at column {match[3]}: {_QUOTED.sub('…', match[1])}", line=int(match[2]))
