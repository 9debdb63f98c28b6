"""How a problem says things: a value as TOML would write it, a limit without noise, the nearest known name; and numbers in so many digits."""

from __future__ import annotations

import difflib
import json
import math
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
MISSING = "–"
"""What stands where there is no number."""
SMALL = 1e-6
"""Below it a number is written with an exponent: its zeros would be more than its digits."""


def shown(value: object) -> str:
    """The value roughly as the file wrote it, cut to a readable length.

    >>> shown({"low": 0.5, "log": True})
    '{ low = 0.5, log = true }'
    """
    text = _toml(value)
    return one_line(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")


def plain(number: float) -> str:
    """A limit without noise.

    >>> plain(1e13), plain(999_999), plain(0.005)
    ('1e13', '999999', '0.005')
    """
    if float(number).is_integer() and abs(number) < 1e7:
        return str(int(number))
    return f"{number:g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")


def significant(value: float, digits: int, *, signed: bool = False) -> str:
    """A number in ``digits`` digits, whole ones in full, thousands separated; no exponent from a millionth up, no negative zero.

    >>> significant(1586444839.83, 6), significant(0.00123456, 3), significant(9999.6, 4), significant(-0.0, 4), significant(2.0, 3, signed=True)
    ('1,586,444,840', '0.00123', '10,000', '0', '+2')
    """
    if not math.isfinite(value):
        return MISSING
    if value == 0.0:
        return "0"
    sign = "+" if signed and value > 0.0 else ""
    if abs(value) < SMALL:
        return f"{sign}{value:.{digits}g}"
    # the exponent after rounding: what rounds up to the next power of ten has a decimal less
    decimals = max(0, digits - 1 - int(f"{value:.{digits - 1}e}".partition("e")[2]))
    text = f"{value:,.{decimals}f}"
    return sign + (text.rstrip("0").rstrip(".") if decimals else text)


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


def _toml(value: object) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {_toml(item)}" for key, item in islice(value.items(), LONGEST))
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(item) for item in value[:LONGEST])}]"
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
