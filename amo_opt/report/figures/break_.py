"""Reverse stress drawn: survival curves, a panel a stress, as HTML, PNG or SVG."""

from __future__ import annotations

import textwrap
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.ticker import FuncFormatter

from amo_opt.report.figures.files import check_suffix, framed, plain_page, save_image, save_page
from amo_opt.report.figures.style import BLUE, GREY, blank, styled, to_svg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from amo_opt.report.stories.break_ import BreakPanel

WIDTH, HEIGHT = 9.4, 2.9
HEAD = 1.1
"""Inches above the panels for title and caption, where the sheet stands alone."""
LINE = 150
"""Characters of a caption's line on a sheet."""
COLOURS = (BLUE, GREY)


def draw_break(panels: Sequence[BreakPanel], *, head: float = 0.0) -> Figure:
    """A panel a stress, side by side on one axis of shares. Call inside `styled`."""
    figure = blank(WIDTH, HEIGHT + head)
    row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, panel in zip(row, panels, strict=True):
        for curve, colour in zip(panel.curves, COLOURS, strict=False):
            # between two sizes of the grid only the larger one's survivors are known to survive
            axes.fill_between(curve.sizes, curve.low, curve.high, step="pre", color=colour, alpha=0.2, linewidth=0.0)
            axes.step(curve.sizes, curve.share, where="pre", color=colour, label=curve.label)
        axes.set_title(panel.title)
        axes.set_xlabel("\n".join(textwrap.wrap(panel.unit, 34)))
        axes.set_xlim(0.0, panel.largest)
        if len(panel.curves) > 1:
            axes.legend(loc="lower left", frameon=False, fontsize=8.5)
    row[0].set_ylim(0.0, 1.02)
    row[0].set_ylabel("paths that survive (%)")
    row[0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100.0 * value:.0f}"))
    return figure


def save_break(path: Path, panels: Sequence[BreakPanel], *, title: str, caption: str) -> None:
    """Writes the drawing, HTML, PNG or SVG by the file's ending; the same bytes each time."""
    check_suffix(path)
    with styled():
        if path.suffix.lower() == ".html":
            alt = f"{len(panels)} panels of falling steps, {', '.join(panel.title for panel in panels)}. The text below says what is drawn."
            svg = to_svg(draw_break(panels), "break")
            save_page(path, plain_page(title, f"{framed(svg, alt)}<p>{escape(caption)}</p>\n"))
            return
        figure = draw_break(panels, head=HEAD)
        figure.suptitle(f"{title}\n{textwrap.fill(caption, LINE)}", x=0.01, ha="left", fontsize=8.0)
        save_image(figure, path)
