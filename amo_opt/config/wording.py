"""How a problem says things: a value as TOML would write it, the nearest known name."""

from __future__ import annotations

import difflib
import json
import re
from datetime import date, time
from itertools import islice
from typing import TYPE_CHECKING

from amo_opt.one_line import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 60
"""Characters of a found value that a message shows."""
MOST_NAMES = 500
"""Names that one is looked for among: more of them are a file's own, and comparing takes its time."""


def shown(value: object) -> str:
    """The value roughly as the file wrote it, cut to a readable length.

    >>> shown({"low": 0.5, "log": True})
    '{ low = 0.5, log = true }'
    """
    text = _toml(value)
    return one_line(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """A hint naming the known name closest to ``name``, with all of them where it is not close and they are few; None without any.

    >>> nearest("amplificaton", ["amplification", "idle_buffer"])
    "did you mean 'amplification'?"
    """
    names, name = list(known), name[:LONGEST]
    if len(names) > MOST_NAMES:
        return None
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6) or [other for other in names if name and other.startswith(name)]
    if close:
        return f"did you mean {close[0]!r}?"
    far = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
    listed = f"; known: {', '.join(names)}" if len(names) <= 12 else ""
    return f"nearest known: {far[0]!r}{listed}" if far else None


_NEAREST = re.compile(r"(?:did you mean|nearest known:|nearest:) '([^']+)'")


def nearest_in(said: str | None) -> str | None:
    """The name that a hint or a message names as nearest, for tools that offer it; None where there is none.

    >>> nearest_in("did you mean 'amplification'?")
    'amplification'
    """
    found = _NEAREST.search(said or "")
    return found[1] if found else None


def _toml(value: object, depth: int = 0) -> str:
    """``depth`` of what stands around it: each level is a character at least, so that nothing deeper is ever shown."""
    if depth > LONGEST:
        return "…"
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {_toml(item, depth + 1)}" for key, item in islice(value.items(), LONGEST))
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(item, depth + 1) for item in value[:LONGEST])}]"
    return _scalar(value)


def _scalar(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value[: LONGEST + 1], ensure_ascii=False)
        case int():
            # an integer of thousands of digits may not be turned into text at all
            return str(value) if value.bit_length() < 256 else f"an integer of {value.bit_length()} bits"
        case date() | time():
            return value.isoformat()
        case _:
            return repr(value)
