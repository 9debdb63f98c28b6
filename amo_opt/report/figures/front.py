"""The Pareto front of certified sets, with intervals on both axes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from amo_opt.report.figures.style import BLUE, GREY, INK, ORANGE, blank, styled, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from amo_opt.report.facts.choice import FrontPoint

LOG_FROM = 20.0
"""Ratio of the largest to the smallest peg risk from which the axis is logarithmic."""
LINE_POINTS = 12.0
"""Vertical distance of two labels, points."""
RING = 13.0
"""Points across a ring."""
LOOKS = {
    "current": (ORANGE, "s", 7.0, 4),
    "chosen": (BLUE, "D", 7.0, 4),
    "alternative": (INK, "^", 5.0, 3),
    "candidate": (GREY, "o", 4.0, 2),
}


def draw_front(points: tuple[FrontPoint, ...], again: tuple[FrontPoint, ...] = ()) -> str:
    """Yield over peg risk: better is up and to the left. Hollow points break a limit at their confidence bound.

    Those of ``again`` have run on other paths besides: ringed there, with a dotted line to the point of the same name.
    """
    with styled():
        figure = blank(7.2, 4.3)
        axes = figure.add_subplot()
        for point in (*points, *again):
            _draw(axes, point)
        first = {point.label: point for point in points}
        for point in again:
            _link(axes, first[point.label], point)
        every = [end for point in (*points, *again) for end in (point.peg.low, point.peg.value, point.peg.high) if math.isfinite(end)]
        spread = max(every) / max(min(every), 1e-12)
        if LOG_FROM < spread < 1e9:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:g}")
        axes.margins(x=0.12, y=0.08)
        axes.autoscale_view()
        named = {point.label for point in again}
        _label(axes, (*again, *(point for point in points if point.label not in named)))
        axes.set_xlabel("peg risk, CVaR 95% (bp); lower is better")
        axes.set_ylabel("yield (% a year); higher is better")
        return to_svg(figure, "front")


def _draw(axes: Axes, point: FrontPoint) -> None:
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


def _link(axes: Axes, first: FrontPoint, again: FrontPoint) -> None:
    """A ring around the second point, and the way to it from the first."""
    colour = LOOKS[again.mark][0]
    axes.plot([again.peg.value], [again.earned.value], "o", color=colour, markersize=RING, markerfacecolor="none", zorder=5)
    axes.plot(
        [first.peg.value, again.peg.value], [first.earned.value, again.earned.value], color=colour, linewidth=0.8, linestyle=(0, (1, 1.5))
    )


def _label(axes: Axes, points: tuple[FrontPoint, ...]) -> None:
    """Names beside the marked points, moved apart vertically where they would overlap, each with a leader to its point."""
    to_points = 72.0 / axes.figure.dpi
    placed: list[float] = []
    marked = [point for point in points if point.mark != "candidate"]
    for point in sorted(marked, key=lambda point: -point.earned.value):
        place = axes.transData.transform((point.peg.value, point.earned.value))
        height = place[1] * to_points
        on_the_right = axes.transAxes.inverted().transform(place)[0] > 0.6
        wanted = height + 6.0 if not placed else min(height + 6.0, placed[-1] - LINE_POINTS)
        placed.append(wanted)
        axes.annotate(
            point.label,
            (point.peg.value, point.earned.value),
            xytext=(-16 if on_the_right else 16, wanted - height),
            ha="right" if on_the_right else "left",
            textcoords="offset points",
            color=LOOKS[point.mark][0],
            fontsize=8.5,
            fontweight="bold" if point.mark in ("current", "chosen") else "normal",
            zorder=6,
            va="center",
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.6},
            bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
        )
