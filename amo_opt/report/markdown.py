"""Everything put into Markdown is escaped unless it says that it is Markdown."""

from __future__ import annotations

import re

from amo_opt.report.wording import clean

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~$])")
_URL = re.compile(r"(https?://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]*[A-Za-z0-9/])")
_LINE_START = re.compile(r"([-+=](?=[-=\s]|$)|\d+(?=[.)](?:\s|$)))")


class Markdown(str):
    """Text that is Markdown already and passes unescaped."""

    __slots__ = ()


def escape(value: object) -> str:
    r"""One line of Markdown that renders as the plain text of ``value``.

    Markup characters get a backslash; ``&`` and ``@`` become entities (no entity slips in, nobody is mentioned); line breaks become
    spaces, so a value cannot leave its table cell or paragraph. A web address becomes a link that shows where it leads, nothing else does.

    >>> escape("<b>[x](javascript:y)</b> | @all")
    '\\<b\\>\\[x\\](javascript:y)\\</b\\> \\| &#64;all'
    """
    if isinstance(value, Markdown):
        return str(value)
    pieces = _URL.split(" ".join(clean(str(value)).split()))
    text = "".join(f"<{piece}>" if number % 2 else _escape_piece(piece) for number, piece in enumerate(pieces))
    start = _LINE_START.match(text)
    if start is None:
        return text
    mark = start.group()
    return f"{mark}\\{text[start.end() :]}" if mark.isdigit() else f"\\{text}"


def _escape_piece(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text.replace("&", "&amp;")).replace("@", "&#64;")


def code(value: object) -> Markdown:
    """``value`` as inline code; a fence longer than any run of backticks inside keeps it whole."""
    text = " ".join(clean(str(value)).split()).replace("|", "\\|")
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return Markdown(f"{fence}{pad}{text}{pad}{fence}")
