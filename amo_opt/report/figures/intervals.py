"""Intervals side by side: the forest of paired differences, and what moves when one thing is moved to its low and its high end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from amo_opt.report.figures.style import BLUE, GREY, INK, ORANGE, blank, styled, to_svg
from amo_opt.report.sections.evidence import reach_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from amo_opt.report.sections.evidence import MetricRow
    from amo_opt.report.wording import End, Ends

COLOURS = {"BETTER": BLUE, "WORSE": ORANGE}
VERDICT_MARKS = {"BETTER": ">", "WORSE": "<", "EQUIVALENT": "o", "NO WORSE": "D", "INCONCLUSIVE": "o"}


def draw_forest(rows: tuple[MetricRow, ...]) -> str:
    """One line a metric: difference and 95% interval, favourable to the right, numbers at the side; hollow where inconclusive."""
    with styled():
        figure = blank(8.2, 0.6 + 0.27 * len(rows))
        axes = figure.add_subplot()
        for place, row in enumerate(rows):
            value, low, high = row.position
            colour = COLOURS.get(row.verdict.word, GREY)
            axes.plot([low, high], [place, place], color=colour, linewidth=1.8, solid_capstyle="butt")
            filled = colour if row.verdict.word != "INCONCLUSIVE" else "white"
            axes.plot([value], [place], VERDICT_MARKS[row.verdict.word], color=colour, markerfacecolor=filled, markersize=5.0)
            if row.tolerance_position is not None:
                axes.plot([row.tolerance_position] * 2, [place - 0.32, place + 0.32], color=INK, linewidth=0.9, linestyle=(0, (2, 1.5)))
            unit = f" {row.difference_unit}" if row.difference_unit else ""
            axes.text(1.08, place, f"{row.difference}{unit}", va="center", ha="left", fontsize=8.0)
        axes.axvline(0.0, color=INK, linewidth=0.9)
        axes.set_xlim(-1.06, 1.06)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_yticks(range(len(rows)), [row.title for row in rows])
        axes.set_xticks([-1.0, 0.0, 1.0], ["worse", "no difference", "better"])
        axes.tick_params(length=0)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        dashed = " (dashed: tolerance)" if any(row.tolerance_position is not None for row in rows) else ""
        axes.set_xlabel(f"difference, {reach_words(rows)}{dashed}")
        return to_svg(figure, "forest")


END_MARKS = {"low": "<", "high": ">"}
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
        for name, marker in END_MARKS.items():
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
