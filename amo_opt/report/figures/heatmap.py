"""The heat map: scenario by configuration, the difference as a number in each cell, hatched where it is not told apart."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from matplotlib.patches import Rectangle

from amo_opt.report.figures.style import GREY, blank, styled, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from amo_opt.report.sections.heat import Heat, HeatCell, HeatPanel

FILLS = {"BETTER": "#cfe6f5", "WORSE": "#fbdcc8", "INCONCLUSIVE": "#ffffff"}
NEUTRAL = "#eceff1"
LONGEST = 24
"""Letters of a scenario's title; the table below has the whole."""
WIDEST = 34
"""Letters of a line of a panel's title."""
COLUMN, ROW = 0.82, 0.3
"""Inches of a cell."""


def draw_heat(heat: Heat) -> tuple[str, ...]:
    """A panel for each metric: scenarios down, configurations across."""
    return tuple(_drawn(panel, heat, f"heat{number}") for number, panel in enumerate(heat.panels))


def _drawn(panel: HeatPanel, heat: Heat, prefix: str) -> str:
    with styled():
        figure = blank(1.5 + COLUMN * max(len(heat.columns), 3), 0.95 + ROW * len(heat.scenarios))
        axes = figure.add_subplot()
        _panel(axes, panel, heat)
        axes.set_yticks(range(len(heat.scenarios)), [_short(title) for title in heat.scenarios])
        return to_svg(figure, prefix)


def _panel(axes: Axes, panel: HeatPanel, heat: Heat) -> None:
    unit = f" ({panel.unit})" if panel.unit else ""
    axes.set_title("\n".join(wrap(f"{panel.title}{unit}", WIDEST)), fontsize=8.5, x=-0.2)
    for row, cells in enumerate(panel.cells):
        for column, cell in enumerate(cells):
            _cell(axes, cell, row, column)
    axes.set_xlim(-0.5, len(heat.columns) - 0.5)
    axes.set_ylim(len(heat.scenarios) - 0.5, -0.5)
    axes.set_xticks(range(len(heat.columns)), [title.replace(" ", "\n", 1) for title in heat.columns])
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _cell(axes: Axes, cell: HeatCell, row: int, column: int) -> None:
    """A number with its verdict's shape on the verdict's colour: never told by colour alone."""
    word = "" if cell.verdict is None else cell.verdict.word
    hatch = "////" if word == "INCONCLUSIVE" else None
    axes.add_patch(
        Rectangle(
            (column - 0.48, row - 0.46),
            0.96,
            0.92,
            facecolor=FILLS.get(word, NEUTRAL),
            edgecolor=GREY if hatch else "none",
            hatch=hatch,
            linewidth=0.0,
        )
    )
    text = cell.difference if cell.verdict is None else f"{cell.difference} {cell.verdict.shape}"
    box = {"boxstyle": "square,pad=0.12", "facecolor": "white", "edgecolor": "none"} if hatch else None
    axes.text(column, row, text, ha="center", va="center", fontsize=8.0, bbox=box, parse_math=False)


def _short(title: str) -> str:
    return title if len(title) <= LONGEST else f"{title[: LONGEST - 1].rstrip()}…"
