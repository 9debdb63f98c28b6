"""Numbers, intervals and text of others, as every room that shows something shows them.

Text of others in a line of a terminal or a log is `one_line`'s; values as a TOML file writes them are `config.wording`'s.
"""

from __future__ import annotations

import math
import re
import unicodedata
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MISSING = "–"
"""What stands where there is no number."""
NOT_KNOWN = "not known"
"""What stands where a figure cannot be had, such as an interval of too few paths."""
SMALL = 1e-6
"""Below it a number is written with an exponent: its zeros would be more than its digits."""
UNITS = {"per year": (100.0, "% a year"), "bps": (1.0, "bp"), "probability": (100.0, "%"), "ratio": (1.0, ""), "h": (1.0, "h")}
"""Factor and name under which figures of a unit are shown whatever their size; amounts go by `thousands`."""
DECIMALS = {"per year": 2, "bps": 1, "probability": 2, "ratio": 4, "h": 1}
"""Decimals at which figures of a unit can be compared by eye."""
LONGEST_NAME = 100
USD = "USD"
"""The unit of account where a state names none, and the word for whichever it is in what the package declares (``USD/token``, ``against the dollar``)."""
_ACCOUNT = re.compile(rf"\b(?:(?P<one>(?:the|an?|one|1) dollar)|dollars?|{USD})\b", re.IGNORECASE)
_MINUS = re.compile(r"(?<![\w.-])-(?=\.?\d)")
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn")
_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~$])")
_URL = re.compile(r"(https?://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]*[A-Za-z0-9/])")
_LINE_START = re.compile(r"([-+=](?=[-=\s]|$)|\d+(?=[.)](?:\s|$)))")


# -- numbers -----------------------------------------------------------------------------------------------------------------------


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


def fixed(value: float, decimals: int, *, signed: bool = False) -> str:
    """A number with thousands separators and a true minus sign, never a negative zero; a dash where there is none.

    >>> fixed(-1234.5, 1), fixed(-0.001, 1), fixed(2.0, 1, signed=True), fixed(math.inf, 1)
    ('−1,234.5', '0.0', '+2.0', '–')
    """
    if not math.isfinite(value):
        return MISSING
    shown = round(value, decimals) + 0.0
    sign = "+" if signed and shown > 0 else ""
    return f"{sign}{shown:,.{decimals}f}".replace("-", "−")


def decimals_of(width: float) -> int | None:
    """Decimals that show a width in two digits, below 0 where it has more before the point; None where it has no size.

    >>> decimals_of(0.0123), decimals_of(-250.0), decimals_of(0.0), decimals_of(math.inf)
    (3, -1, None, None)
    """
    return 1 - math.floor(math.log10(abs(width))) if 0.0 < abs(width) < math.inf else None


def thousands(largest: float, unit: str) -> tuple[float, str] | None:
    """Factor and name of the unit of billions, millions or thousands that an amount of this size is shown in; None below a thousand.

    What two decimals of the smaller one would round up to a thousand of it takes the larger.

    >>> thousands(999.996e6, "USD"), thousands(999.99e6, "USD"), thousands(12.0, "USD")
    ((1e-09, 'bn USD'), (1e-06, 'm USD'), None)
    """
    for size, letter in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if largest >= size * (1.0 - 5e-6):
            return 1.0 / size, f"{letter} {unit}".strip()
    return None


def with_unit(number: str, unit: str) -> str:
    """The one way a figure has its unit: per cent at its figure, all else behind it.

    >>> with_unit("3.07", "% a year"), with_unit("+0.12", "pp a year"), with_unit("1.0", "")
    ('3.07% a year', '+0.12 pp a year', '1.0')
    """
    return f"{number}{unit}" if unit.startswith("%") else f"{number} {unit}".rstrip()


def interval(ends: tuple[float, float] | None, write: Callable[[float], str], *, between: str = " to ") -> str:
    """Both ends as ``write`` puts them, or that they are not known.

    >>> interval((0.5, 2.0), str), interval(None, str)
    ('0.5 to 2.0', 'not known')
    """
    return NOT_KNOWN if ends is None else between.join(map(write, ends))


def figure(value: float, ends: tuple[float, float] | None, unit: str, *, signed: bool = False) -> tuple[str, str]:
    """A figure of one of `UNITS` and its interval, in decimals that show half the interval's width in two digits; a signed one is a difference, so per cent become points.

    >>> figure(0.03072, (0.0291, 0.0325), "per year"), figure(1.234, None, "bps"), figure(0.0012, (-0.0001, 0.0025), "per year", signed=True)
    (('3.07% a year', '2.91 to 3.25'), ('1.2 bp', 'not known'), ('+0.12pp a year', '−0.01 to +0.25'))
    """
    factor, name = UNITS[unit]
    least = DECIMALS[unit]
    needed = decimals_of(factor * (value if ends is None else (ends[1] - ends[0]) / 2.0))
    write = partial(fixed, decimals=least if needed is None else min(max(needed, least), least + 3), signed=signed)
    shown = name.replace("%", "pp") if signed else name
    return f"{write(factor * value)}{'' if name.startswith('%') else ' '}{shown}".rstrip(), interval(ends, lambda end: write(factor * end))


def count(number: int, noun: str) -> str:
    """``1 path``, ``3,200 paths``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def sized(n: int, twins: int) -> str:
    """So many paths, by how they were drawn: ``3,200``, or ``3,200 drawn + 3,702 twins``."""
    return f"{n - twins:,} drawn + {count(twins, 'twin')}" if twins else f"{n:,}"


def sized_count(n: int, twins: int, noun: str) -> str:
    """``3,200 holdout paths``, ``6,902 holdout paths (3,200 drawn + 3,702 twins)``."""
    return f"{count(n, noun)} ({sized(n, twins)})" if twins else count(n, noun)


def true_minus(text: str) -> str:
    """The text with a minus sign for every hyphen that stands for one, before a figure and behind no letter or figure.

    >>> true_minus("-0.03 to 0.03, svb-2023, 10-25%")
    '−0.03 to 0.03, svb-2023, 10-25%'
    """
    return _MINUS.sub("−", text)


def in_account(text: str, account: str) -> str:
    """A declared unit, title or sentence of the package as it is shown for a state whose unit of account is ``account``: everything that is shown in it comes through here.

    Text of others never does: what a user writes of dollars is about dollars.

    >>> in_account("USD/token", "ETH"), in_account("m USD·h", "USD"), in_account("Peg risk against the dollar", "ETH"), in_account("Base to sell, dollars", "ETH")
    ('ETH/token', 'm USD·h', 'Peg risk against 1 ETH', 'Base to sell, ETH')
    """
    if account == USD:
        return text
    return _ACCOUNT.sub(lambda found: f"1 {account}" if found["one"] else account, text)


# -- text of others ----------------------------------------------------------------------------------------------------------------


def clean(text: str) -> str:
    r"""Text of others without control and direction characters (they can disguise what is read); line breaks stay.

    >>> clean("a\u202eb\x00c\r\nd")
    'abc\nd'
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(each for each in lines if each == "\n" or unicodedata.category(each) not in _HIDDEN)


def named(text: str) -> str:
    """A name of others: `clean`, on one line, cut to a readable length."""
    kept = clean(" ".join(text.split()))
    return kept if len(kept) <= LONGEST_NAME else kept[: LONGEST_NAME - 1] + "…"


class Markdown(str):
    """Text that is Markdown already and passes unescaped."""

    __slots__ = ()


def escape(value: object, *, start: bool = True) -> str:
    r"""One line of Markdown that renders as the plain text of ``value``; ``start`` where the line may begin with it.

    Markup characters get a backslash; ``&`` and ``@`` become entities (no entity slips in, nobody is mentioned); line breaks become
    spaces, so a value cannot leave its table cell or paragraph. A web address becomes a link that shows where it leads, nothing else does.

    >>> escape("<b>[x](javascript:y)</b> | @all")
    '\\<b\\>\\[x\\](javascript:y)\\</b\\> \\| &#64;all'
    """
    if isinstance(value, Markdown):
        return str(value)
    pieces = _URL.split(" ".join(clean(str(value)).split()))
    text = "".join(f"<{piece}>" if number % 2 else _escape_piece(piece) for number, piece in enumerate(pieces))
    found = _LINE_START.match(text) if start else None
    if found is None:
        return text
    mark = found.group()
    return f"{mark}\\{text[found.end() :]}" if mark.isdigit() else f"\\{text}"


def _escape_piece(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text.replace("&", "&amp;")).replace("@", "&#64;")


def code(value: object) -> Markdown:
    """``value`` as inline code; a fence longer than any run of backticks inside keeps it whole."""
    text = " ".join(clean(str(value)).split()).replace("|", "\\|")
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return Markdown(f"{fence}{pad}{text}{pad}{fence}")
