"""A drawing as a file of its own: HTML, PNG or SVG by the name's ending, the same bytes each time."""

from __future__ import annotations

import io
from html import escape
from typing import TYPE_CHECKING

from amo_opt.errors import AmoOptError, StorageError
from amo_opt.report.figures.style import INK, to_svg
from amo_opt.search.unfinished import replace_whole

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

SUFFIXES = (".html", ".png", ".svg")
_STYLE = (
    "body{{font:15px/1.5 system-ui,sans-serif;color:{ink};max-width:{width};margin:2rem auto;padding:0 1rem}}svg{{width:100%;height:auto}}"
)
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
<h1>{title}</h1>
{body}</html>
"""
_INLINE = 'aria-hidden="true" focusable="false"'
_ALONE = 'xmlns="http://www.w3.org/2000/svg" font-family="DejaVu Sans, sans-serif"'
"""What an SVG element says of itself within a page, and in a file of its own."""


def check_suffix(path: Path) -> None:
    """Raises `AmoOptError` unless the file's name says one of the formats there are."""
    if path.suffix.lower() not in SUFFIXES:
        raise AmoOptError(f"{path}: a plot is written as {', '.join(SUFFIXES)}; found {path.suffix or 'no suffix'}")


def styled_page(title: str, body: str, *, style: str) -> str:
    """A page of one heading and ``body``, which is markup, in that style; no script, nothing fetched."""
    return _PAGE.format(title=escape(title), style=style, body=body)


def plain_page(title: str, body: str, *, width: str = "72rem", more_style: str = "figure{margin:0}") -> str:
    """A page in the style that most drawings share."""
    return styled_page(title, body, style=_STYLE.format(ink=INK, width=width) + more_style)


def framed(svg: str, alt: str) -> str:
    """The drawing within a page, with what a reader who cannot see it should know."""
    return f'<figure role="img" aria-label="{escape(alt)}">\n{svg}</figure>\n'


def save_page(path: Path, page: str) -> None:
    """Writes a page, whole or not at all."""
    _put(path, page.encode())


def save_image(figure: Figure, path: Path, *, dpi: int = 120) -> None:
    """Writes an SVG or a PNG without a date or a program's name, whole or not at all."""
    buffer = io.BytesIO()
    if path.suffix.lower() == ".svg":
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    else:
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    _put(path, buffer.getvalue())


def save_sheet(figure: Figure, path: Path, *, prefix: str, dpi: int) -> None:
    """Writes a sheet whose SVG is the page's own drawing, as a file by itself; a PNG otherwise."""
    if path.suffix.lower() == ".svg":
        _put(path, to_svg(figure, prefix).replace(_INLINE, _ALONE, 1).encode())
    else:
        save_image(figure, path, dpi=dpi)


def _put(path: Path, content: bytes) -> None:
    try:
        replace_whole(path, content)
    except OSError as error:
        raise StorageError(f"{path} could not be written: {error.strerror or error}; name another file with --plot") from error
