"""How every figure looks, and how it becomes the same bytes each time: inline SVG without clock, version or random id.

matplotlib's object interface only (no pyplot, no global state, no back end to choose). Text stays text: small, selectable, and set in
the page's own font.
"""

from __future__ import annotations

import io
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import matplotlib.style as mpl_style
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from amo_opt.wording import fixed, significant, true_minus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

ORANGE = "#D55E00"
BLUE = "#0072B2"
GREY = "#8a8f94"
INK = "#22272b"
"""Okabe-Ito vermillion for what is, blue for what is proposed; the rest is grey. No figure has a third hue."""

DARK_ORANGE = "#b84f00"
"""The same for text, which needs a contrast of 4.5 to 1 on white; `ORANGE` has 3.9."""

HUES = {"current": ORANGE, "proposed": BLUE}

_SETTINGS = {
    "svg.fonttype": "none",
    "svg.hashsalt": "amo-opt",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.0,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "grid.color": "#e4e7ea",
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "lines.linewidth": 1.4,
    "hatch.linewidth": 0.6,
    "figure.constrained_layout.use": True,
    "path.simplify": False,
}


@contextmanager
def styled() -> Iterator[None]:
    """matplotlib's own defaults and ours, whatever the reader's configuration says."""
    with mpl_style.context(["default", _SETTINGS]):
        yield


def blank(width: float, height: float) -> Figure:
    """An empty figure of that many inches with an SVG canvas; call inside `styled`."""
    figure = Figure(figsize=(width, height))
    FigureCanvasSVG(figure)
    return figure


def tick(value: float, _: int | None = None) -> str:
    """A tick's number, in five digits at the most.

    >>> tick(25_000.0), tick(-0.5)
    ('25,000', '−0.5')
    """
    return true_minus(significant(value, 5))


def price_ticks(axes: Axes) -> None:
    """Dollar prices with as many decimals as tell neighbouring ticks apart."""
    low, high = axes.get_ylim()
    decimals = 4 if high - low < 0.02 else 3 if high - low < 0.2 else 2
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: fixed(value, decimals)))


_DECLARATION = re.compile(r"^.*?(?=<svg )", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_STYLE = re.compile(r"\s*<style [^>]*>.*?</style>", re.DOTALL)
_COMMENT = re.compile(r"\s*<!--.*?-->", re.DOTALL)
_EMPTY_DEFS = re.compile(r"\s*<defs>\s*</defs>")
_SVG_TAG = re.compile(r"<svg [^>]*?viewBox=\"([^\"]*)\"[^>]*>")
_ID = re.compile(r"\bid=\"([^\"]+)\"")
_REFERENCE = re.compile(r"(url\(#|xlink:href=\"#)([^)\"]+)")
_GEOMETRY = re.compile(r'(?<=\s)((?:d|x|y|x1|x2|y1|y2|width|height|points|transform)=")([^"]*)"')
_DECIMALS = re.compile(r"-?\d+\.\d{2,}")
_FONT = re.compile(r"font: (?:(bold|700) )?([\d.]+)px [^;\"]*")
_FAMILY = re.compile(r"font-family: [^;\"]*;? ?")
_NO_TURN = re.compile(r" transform=\"rotate\(-?0 [^)]*\)\"")
_ORANGE_TEXT = re.compile(rf"(<text [^>]*fill:){ORANGE.lower()}")
_STYLED = re.compile(r'style="[^"]*"')
_GROUP = re.compile(r"(<g\b[^>]*>|</g>)")
_POLYLINE = re.compile(r'(?<= d=")(?:[MLz]|[-\d.]|\s)+(?=")')


_SVG_DPI = 72
"""Points an inch: what the SVG backend draws with, whatever the figure's own."""


def to_svg(figure: Figure, prefix: str) -> str:
    """The figure as an ``<svg>`` element to put into a page.

    Every id and every reference gets ``prefix`` (two figures of a page share none), coordinates are rounded to a tenth of a point, and
    size, fonts and global style are left to the page.
    """
    _place(figure)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    for pattern in (_DECLARATION, _METADATA, _STYLE, _COMMENT, _EMPTY_DEFS):
        text = pattern.sub("", text)
    text = _SVG_TAG.sub(r'<svg viewBox="\1" aria-hidden="true" focusable="false">', text, count=1)
    referred = {name for _, name in _REFERENCE.findall(text)}
    text = _ID.sub(lambda found: f'id="{prefix}-{found[1]}"' if found[1] in referred else "", text)
    text = _REFERENCE.sub(rf"\g<1>{prefix}-\g<2>", text).replace("xlink:href", "href")
    text = _FONT.sub(lambda found: f"font-size: {found[2]}px" + ("; font-weight: 700" if found[1] else ""), text)
    text = _GEOMETRY.sub(lambda found: f'{found[1]}{_DECIMALS.sub(_round, found[2])}"', text)
    for pattern in (_FAMILY, _NO_TURN):
        text = pattern.sub("", text)
    text = _unwrapped(_POLYLINE.sub(_relative, text).replace("<g >", "<g>"))
    text = _STYLED.sub(lambda found: found[0].replace(": ", ":").replace("; ", ";"), text)
    text = _ORANGE_TEXT.sub(rf"\1{DARK_ORANGE}", text)
    return re.sub(r"\s*\n\s*", "\n", text).strip() + "\n"


def _place(figure: Figure) -> None:
    """Works out the layout, and that alone: before it writes, ``savefig`` draws a figure with a layout engine once for nothing else."""
    engine = figure.get_layout_engine()
    if engine is None:
        return
    figure.dpi = _SVG_DPI
    engine.execute(figure)
    figure.set_layout_engine("none")


def _unwrapped(text: str) -> str:
    """Without groups that carry no attribute: they draw nothing and are a tenth of the bytes."""
    kept, bare = [], []
    for piece in _GROUP.split(text):
        if piece.startswith("<g") and not piece.endswith("/>"):
            bare.append(piece == "<g>")
        drop = piece == "<g>" or (piece == "</g>" and bare.pop())
        kept.append("" if drop else piece)
    return "".join(kept)


def _round(found: re.Match[str]) -> str:
    rounded = f"{float(found[0]):.1f}".removesuffix(".0")
    return "0" if rounded in ("-0", "0") else rounded


def _relative(found: re.Match[str]) -> str:
    """A path of straight lines with steps instead of places: a third of the bytes. Counted in whole tenths, so nothing drifts."""
    written, last = [], (0, 0)
    for command, x, y in re.findall(r"([MLz])(?:\s+(\S+)\s+(\S+))?", found[0]):
        if command == "z":
            written.append("z")
            continue
        place = (round(float(x) * 10), round(float(y) * 10))
        step = place if command == "M" else (place[0] - last[0], place[1] - last[1])
        last = place
        written.append(f"{'M' if command == 'M' else 'l'}{_tenths(step[0])} {_tenths(step[1])}")
    return "".join(written)


def _tenths(number: int) -> str:
    """``-35`` -> ``-3.5``, ``20`` -> ``2``."""
    return f"{number / 10:.1f}".removesuffix(".0")
