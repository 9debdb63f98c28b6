"""Text of others on one line of our own: a name, a path or a key may hold anything, a line that a terminal or a CI system obeys included."""

from __future__ import annotations

import re
import unicodedata

_COMMAND = re.compile(r"^(\s*):(?=:)")
"""GitHub Actions takes a line that begins so for a command …"""
_OLD_COMMAND = re.compile(r"##(?=[\w.-]*\[)")
"""… and, as Azure Pipelines and TeamCity, one that holds ##word[ anywhere."""


def one_line(text: str, *, most: int | None = None) -> str:
    r"""The text as it may stand in a line of output: what is no visible character is escaped, what begins a command is broken.

    Control and direction characters, line ends of every kind and lone surrogates are shown as Python writes them. Text longer than ``most``
    characters loses its middle.

    >>> one_line("x\n::error::\x1b[31mred\u202e")
    'x\\n::error::\\x1b[31mred\\u202e'
    >>> one_line("::error::pwned"), one_line("##[error]pwned")
    ('\\x3a:error::pwned', '#\\x23[error]pwned')
    >>> one_line("a" * 99, most=9)
    'aaaa…aaaa'
    """
    if most is not None and len(text) > most:
        text = f"{text[: most // 2]}…{text[len(text) - (most - 1) // 2 :]}"
    if not text.isprintable():
        text = "".join(each if each.isprintable() or unicodedata.category(each) == "Zs" else _escape(each) for each in text)
    return _OLD_COMMAND.sub(r"#\\x23", _COMMAND.sub(r"\1\\x3a", text))


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
