"""The forest of paired differences: the most important figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.report.figures.style import BLUE, GREY, INK, ORANGE, blank, styled, to_svg
from amo_opt.report.sections.evidence import reach_words

if TYPE_CHECKING:
    from amo_opt.report.sections.evidence import MetricRow

COLOURS = {"BETTER": BLUE, "WORSE": ORANGE}
MARKERS = {"BETTER": ">", "WORSE": "<", "EQUIVALENT": "o", "NO WORSE": "D", "INCONCLUSIVE": "o"}


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
            axes.plot([value], [place], MARKERS[row.verdict.word], color=colour, markerfacecolor=filled, markersize=5.0)
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
