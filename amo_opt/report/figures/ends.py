"""What moves when one thing is moved to its low and its high end: rows of two marks with intervals, a pane for each objective."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from amo_opt.report.figures.style import GREY, INK, ORANGE, blank, styled, to_svg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from amo_opt.report.spans import End, Ends

MARKERS = {"low": "<", "high": ">"}
SHIFT = {"low": -0.17, "high": 0.17}
PALE = "#d5d9dd"
ROW = 0.36
"""Inches for a row."""


def draw_ends(ends: Ends, labels: Sequence[str], prefix: str) -> str:
    """A line of marks for each row, in a pane for each axis label: low end ◀ above, high end ▶ below; orange and hollow where it does not hold."""
    with styled():
        figure = blank(8.2, 0.75 + ROW * len(ends.rows))
        axes = figure.subplots(1, len(labels), sharey=True, squeeze=False)[0]
        for place, (label, base, tolerance) in enumerate(zip(labels, ends.bases, ends.tolerances, strict=True)):
            _pane(axes[place], ends.rows, place, 0.0 if base is None else base.value, tolerance)
            axes[place].set_xlabel(label)
        axes[0].set_ylim(len(ends.rows) - 0.45, -0.55)
        axes[0].set_yticks(range(len(ends.rows)), list(ends.rows))
        return to_svg(figure, prefix)


def _pane(axes: Axes, rows: Mapping[str, Sequence[End]], place: int, base: float, tolerance: float) -> None:
    axes.axvline(base, color=INK, linewidth=0.9)
    marks = [
        (height + SHIFT[end.side], end.side, end.held, span)
        for height, row in enumerate(rows.values())
        for end in row
        if (span := end.spans[place]) is not None
    ]
    axes.plot(*_lines([(at, base, span.value) for at, _, _, span in marks]), color=PALE, linewidth=5.0, solid_capstyle="butt", zorder=1)
    for held, colour in ((True, INK), (False, ORANGE)):
        axes.plot(
            *_lines([(at, span.low, span.high) for at, _, kept, span in marks if kept == held]), color=colour, linewidth=1.3, zorder=2
        )
        for name, marker in MARKERS.items():
            chosen = [(at, span.value) for at, side, kept, span in marks if kept == held and side == name]
            places, values = [at for at, _ in chosen], [value for _, value in chosen]
            axes.plot(values, places, marker, color=colour, markerfacecolor=colour if held else "white", markersize=4.5, zorder=3)
    _tolerance(axes, base, tolerance)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.06)
    axes.locator_params(axis="x", nbins=6)


def _lines(pieces: list[tuple[float, float, float]]) -> tuple[list[float], list[float]]:
    """Level pieces (height, from, to) as one broken line: a path each would weigh ten times as much on the page."""
    xs = [value for _, start, end in pieces for value in (start, end, math.nan)]
    return xs, [value for height, _, _ in pieces for value in (height, height, math.nan)]


def _tolerance(axes: Axes, base: float, tolerance: float) -> None:
    """Both tolerances, dashed, where the axis reaches them anyway or nearly: a far tolerance would squeeze the marks."""
    axes.autoscale_view()
    low, high = axes.get_xlim()
    if tolerance <= 0.0 or tolerance > 2.0 * max(high - base, base - low):
        return
    for at in (base - tolerance, base + tolerance):
        axes.axvline(at, color=GREY, linewidth=0.9, linestyle=(0, (3, 2)))
