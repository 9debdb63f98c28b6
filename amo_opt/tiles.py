"""What a notebook shows of an object: a heading and tiles, in the colours of a report's first screen; styles inline, so that nothing else on the page is touched, and no script."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from amo_opt.wording import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

INK, SOFT, LINE, BLUE = "#22272b", "#5b6167", "#d5d9dd", "#0072b2"
_FONT = "font:14px/20px 'Helvetica Neue',Arial,'Liberation Sans',sans-serif;font-variant-numeric:tabular-nums"


@dataclass(frozen=True)
class Tile:
    """A figure in large type under its title, what is said of it below, and last, in blue, what another set makes of it."""

    title: str
    big: str
    small: str = ""
    other: str = ""


def tiles_html(title: str, beside: str, tiles: Sequence[Tile]) -> str:
    """The title, what stands beside it in grey, and the tiles in a row that wraps; every text is escaped."""
    cells = "".join(
        f'<div style="flex:1 1 13rem;border-top:1px solid {INK};padding-top:6px"><div style="font-weight:700">{_text(each.title)}</div>'
        f'<div style="font-size:24px;line-height:30px;font-weight:700">{_text(each.big)}</div>{_line(each.small, SOFT)}{_line(each.other, BLUE)}</div>'
        for each in tiles
    )
    return boxed(
        f'<div><b>{_text(title)}</b> <span style="color:{SOFT}">{_text(beside)}</span></div>'
        f'<div style="display:flex;flex-wrap:wrap;gap:12px 28px;margin-top:8px">{cells}</div>'
    )


def boxed(markup: str) -> str:
    """Markup in a frame of its own, dark on white whatever the notebook's theme."""
    return f'<div style="color:{INK};background:#fff;border:1px solid {LINE};padding:10px 14px;max-width:60rem;{_FONT}">{markup}</div>'


def _line(text: str, colour: str) -> str:
    return f'<div style="color:{colour}">{_text(text)}</div>' if text else ""


def _text(text: str) -> str:
    return escape(clean(text))
