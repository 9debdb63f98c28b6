"""The Pareto front of certified sets, with intervals on both axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.report.figures.style import BLUE, GREY, INK, ORANGE, blank, styled, to_svg

if TYPE_CHECKING:
    from amo_opt.report.facts.choice import FrontPoint

LOOKS = {
    "current": (ORANGE, "s", 7.0, 4),
    "chosen": (BLUE, "D", 7.0, 4),
    "alternative": (INK, "^", 5.0, 3),
    "candidate": (GREY, "o", 4.0, 2),
}


def draw_front(points: tuple[FrontPoint, ...]) -> str:
    """Yield over peg risk: better is up and to the left. Hollow points break a limit at their interval's upper end."""
    with styled():
        figure = blank(7.2, 4.3)
        axes = figure.add_subplot()
        for point in points:
            colour, marker, size, order = LOOKS[point.mark]
            axes.errorbar(
                [point.peg.value],
                [point.earned.value],
                xerr=[[point.peg.value - point.peg.low], [point.peg.high - point.peg.value]],
                yerr=[[point.earned.value - point.earned.low], [point.earned.high - point.earned.value]],
                fmt=marker,
                color=colour,
                markersize=size,
                markerfacecolor=colour if point.feasible else "white",
                elinewidth=1.3 if point.mark in ("current", "chosen") else 0.7,
                zorder=order,
            )
        for point in points:
            if point.mark != "candidate":
                weight = "bold" if point.mark in ("current", "chosen") else "normal"
                axes.annotate(
                    point.label,
                    (point.peg.value, point.earned.value),
                    xytext=(7, 6),
                    textcoords="offset points",
                    color=LOOKS[point.mark][0],
                    fontsize=8.5,
                    fontweight=weight,
                    zorder=6,
                    bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
                )
        axes.margins(x=0.12, y=0.08)
        axes.set_xlabel("peg risk, CVaR 95% (bp); lower is better")
        axes.set_ylabel("yield (% a year); higher is better")
        return to_svg(figure, "front")
