"""One path's story: small multiples over one time axis, the days around the stress enlarged beside the whole path.

Places are counted in inches rather than left to a layout engine, so that names at the right edge can be moved apart and the whole keeps the
proportions of a sheet of A4.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from amo_opt.report.figures.style import BLUE, GREY, INK, ORANGE, price_ticks, tick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from amo_opt.report.stories.story import Mark, Story
    from amo_opt.report.stories.story_panels import FloatArray, Form, Level, Panel

SMALL = 7.4
"""Points of names and ticks."""
NAME_GAP = 0.13
"""Inches between two names."""
LEADER = (0.05, 0.13, 0.16)
"""Inches right of the panel: where a leader bends, where it ends, where the name begins."""
WIDTH, LEFT, RIGHT, GUTTER = 9.4, 0.6, 1.8, 0.2
"""Inches: the sheet, its margins (names stand in the right one), and the space between the two columns."""
ABOVE, BELOW, BETWEEN = 0.62, 0.42, 0.28
"""Inches above the first panel, below the last, and between two (for a title)."""
HEIGHTS = {
    "price": 1.65,
    "ratios": 1.15,
    "share": 0.7,
    "keepers": 0.9,
    "collateral": 1.15,
    "supply": 0.9,
    "waiting": 0.65,
    "income": 1.4,
    "apart": 0.9,
}
SILENT = 0.3
"""Inches of a panel in which nothing happened."""
ENLARGED = 0.5
"""The enlarged column's part of the room for both."""
QUIET = "#5b6167"
"""Grey dark enough for small letters."""

COLOURS = {"first": ORANGE, "second": BLUE, "third": INK, "rest": "#70767c", "capital": BLUE}
WIDTHS = {"first": 1.2, "second": 1.0, "third": 0.8, "rest": 0.8, "capital": 0.8}
DASHES: dict[str, tuple[Any, ...]] = {
    "first": ("-",),
    "second": ("-",),
    "third": ((0, (4, 1.5)),),
    "rest": ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (3, 1.5, 1, 1.5)), (0, (6, 1, 1, 1, 1, 1)), (0, (2, 2)), (0, (4, 3)), (0, (1, 3))),
    "capital": ((0, (4, 1.5)), (0, (1.5, 1.2)), (0, (4, 1.5, 1, 1.5)), (0, (7, 2))),
}
"""Dashes of a role's lines in turn."""
FILLS = {
    "first": ("#f0a875", ""),
    "second": ("#6aaed6", ""),
    "third": ("#b3b8bd", ""),
    "fourth": ("#d5d9dc", "////"),
    "fifth": ("#eceef0", ""),
    "rest": ("#f6f7f8", "...."),
}
FADED: dict[str, Any] = {"facecolor": "white", "alpha": 0.62, "linewidth": 0.0, "zorder": 4.0}
SHADED: dict[str, Any] = {"facecolor": ORANGE, "alpha": 0.13, "linewidth": 0.0}

ON_WHITE: dict[str, Any] = {"zorder": 6.0, "bbox": {"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": "none"}}
"""So that no mark is written through."""


@dataclass(frozen=True)
class _Column:
    """One column of panels: the hours it shows, and its place in inches from the left."""

    first: int
    last: int
    left: float
    width: float


def panels_height(story: Story) -> float:
    """Inches that `draw_panels` takes."""
    return ABOVE + BELOW + sum(_tall(panel) for panel in story.panels) + BETWEEN * (len(story.panels) - 1)


def _tall(panel: Panel) -> float:
    return HEIGHTS[panel.name] if panel.lines or panel.layers else SILENT


def _columns(story: Story) -> tuple[_Column, ...]:
    """The enlarged hours, if there are any, and the whole path to their right, where each line ends beside its name."""
    room = WIDTH - LEFT - RIGHT
    first, last = int(story.hours[0]), int(story.hours[-1])
    if story.enlarged is None:
        return (_Column(first, last, LEFT, room),)
    wide = ENLARGED * (room - GUTTER)
    return _Column(*story.enlarged, LEFT, wide), _Column(first, last, LEFT + wide + GUTTER, room - GUTTER - wide)


def draw_panels(figure: Figure, story: Story, *, top: float) -> None:
    """Every panel in every column, below ``top`` inches from the figure's lower edge."""
    figure.set_layout_engine("none")
    height = float(figure.get_figheight())
    columns = _columns(story)
    at = top - ABOVE
    for place, panel in enumerate(story.panels):
        tall = _tall(panel)
        at -= tall
        limits = _limits(panel, story)
        row = [figure.add_axes((each.left / WIDTH, at / height, each.width / WIDTH, tall / height)) for each in columns]
        for axes, column in zip(row, columns, strict=True):
            names = _fill(axes, panel, story, column)
            axes.set_ylim(limits)
            axes.set_xlim(column.first / 24.0, (column.last + 1) / 24.0)
            _time(axes, column, bottom=place == len(story.panels) - 1)
            _shade(axes, story, column, under=bool(panel.layers))
            axes.tick_params(length=2.0, labelsize=SMALL, pad=2.0)
        _amount_ticks(row[0], panel.form, tall)
        for axes in row[1:]:
            axes.tick_params(labelleft=False, left=False)
            axes.spines["left"].set_visible(False)
        title = row[0].text(0.0, 1.0, panel.title, fontsize=8.0, fontweight="bold", transform=row[0].transAxes, va="bottom")
        title.set_position((0.0, 1.0 + (0.33 if place == 0 else 0.04) / tall))
        write_names(row[-1], names, tall=tall, wide=columns[-1].width)
        if place == 0:
            _head(row, story, columns, tall)
        at -= BETWEEN


def _limits(panel: Panel, story: Story) -> tuple[float, float]:
    """The span of the figures, framed levels included, with a little room; piles stand on zero. A price panel spans at least 1.2 cents."""
    scored = story.hours >= 0 if panel.scored_only else np.ones(story.hours.size, dtype=bool)
    if panel.layers:
        return 0.0, 1.06 * float(np.sum([layer.values for layer in panel.layers], axis=0).max())
    values = [line.values[scored] for line in panel.lines] + [np.atleast_1d(level.values) for level in panel.levels if level.framed]
    if not values:
        return 0.0, 1.0
    low, high = min(float(each.min()) for each in values), max(float(each.max()) for each in values)
    if panel.form == "amount":
        low, high = min(low, 0.0), max(high, 0.0)
    if panel.form == "price":
        low, high = min(low, 0.994), max(high, 1.006)
    room = 0.05 * (high - low) or 0.5
    return low - (0.0 if panel.form == "amount" and low == 0.0 else room), high + room


def _fill(axes: Axes, panel: Panel, story: Story, column: _Column) -> list[EdgeName]:
    """Draws the panel's lines, layers and levels over the column's hours; returns the names they have at the column's end."""
    shown = (story.hours >= (max(column.first, 0) if panel.scored_only else column.first)) & (story.hours <= column.last)
    days = story.hours[shown] / 24.0
    names = [_draw_level(axes, level, days, shown) for level in panel.levels]
    base = np.zeros(days.size)
    for layer in panel.layers:
        fill, hatch = FILLS[layer.role]
        top = base + layer.values[shown]
        axes.fill_between(days, base, top, facecolor=fill, hatch=hatch, edgecolor="white", linewidth=0.3)
        names.append(EdgeName(layer.label, 0.5 * float(base[-1] + top[-1]), INK))
        base = top
    drawn: Counter[str] = Counter()
    for line in panel.lines:
        dash = "-" if panel.layers else DASHES[line.role][drawn[line.role] % len(DASHES[line.role])]
        drawn[line.role] += 1
        order = {"first": 3.3, "second": 3.2, "third": 3.1}.get(line.role, 3.0)
        axes.plot(days, line.values[shown], color=COLOURS[line.role], linewidth=WIDTHS[line.role], linestyle=dash, zorder=order)
        names.append(EdgeName(line.label, float(line.values[shown][-1]), COLOURS[line.role]))
    if not panel.lines and not panel.layers:
        axes.text(0.5, 0.5, panel.silence, transform=axes.transAxes, ha="center", va="center", fontsize=SMALL, color=QUIET, **ON_WHITE)
        axes.set_yticks([])
    if panel.form == "amount" and not panel.layers:
        axes.axhline(0.0, color=GREY, linewidth=0.6)
    return names


def _draw_level(axes: Axes, level: Level, days: FloatArray, shown: NDArray[np.bool_]) -> EdgeName:
    values = level.values if level.values.ndim == 0 else level.values[shown]
    heights = np.broadcast_to(values, days.shape)
    colour = COLOURS[level.of] if level.of != "rest" else QUIET
    axes.plot(days, heights, color=GREY if level.of == "rest" else colour, linewidth=0.7, linestyle=(0, (1.5, 1.5)), zorder=2.0)
    return EdgeName(level.label, float(heights[-1]), colour)


def _time(axes: Axes, column: _Column, *, bottom: bool) -> None:
    days = (column.last - column.first) / 24.0
    axes.xaxis.set_major_locator(MultipleLocator(next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if days / step <= 11)))
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    axes.tick_params(labelbottom=bottom)
    if bottom:
        axes.set_xlabel("days since the window opened", fontsize=SMALL, labelpad=2.0)


def _amount_ticks(axes: Axes, form: Form, tall: float) -> None:
    if not len(axes.get_yticks()):
        return
    axes.yaxis.set_major_locator(MaxNLocator(max(2, round(tall / 0.28)), steps=[1, 2, 2.5, 5, 10]))
    if form == "price":
        price_ticks(axes)
    elif form == "ratio":
        axes.yaxis.set_major_formatter("{x:.2f}")
    else:
        axes.yaxis.set_major_formatter(FuncFormatter(tick))


def _shade(axes: Axes, story: Story, column: _Column, *, under: bool) -> None:
    """The transition faded, hours of unwinding tinted (``under`` piles, whose colours have a meaning), and lines at the marked hours."""
    if column.first < 0:
        axes.axvspan(column.first / 24.0, 0.0, **FADED)
    for first, last in story.unwinding:
        if last >= column.first and first <= column.last:
            axes.axvspan(max(first, column.first) / 24.0, (min(last, column.last) + 1) / 24.0, zorder=0.5 if under else 4.0, **SHADED)
    for mark, colour, dash in _marks(story):
        if column.first <= mark.hour <= column.last:
            axes.axvline(mark.hour / 24.0, color=colour, linewidth=0.8, linestyle=dash, zorder=5.0)


def _head(row: Sequence[Axes], story: Story, columns: Sequence[_Column], tall: float) -> None:
    """Above the first panel: which days a column shows, the marked hours by name in the first column that has them, what the shades mean."""
    named: set[int] = set()
    for axes, column in zip(row, columns, strict=True):
        marks = [each for each in _marks(story) if column.first <= each[0].hour <= column.last and each[0].hour not in named]
        _name_marks(axes, marks, column, tall)
        named |= {mark.hour for mark, _, _ in marks}
    if story.enlarged is not None:
        for axes, text in zip(row, (f"days {story.enlarged[0] / 24:.0f} to {story.enlarged[1] / 24:.0f}", "the whole path"), strict=True):
            axes.text(1.0, 1.0 + 0.33 / tall, text, transform=axes.transAxes, ha="right", va="bottom", fontsize=SMALL, color=QUIET)
    _legend(row[-1], story, columns[-1].width, tall)


def _marks(story: Story) -> list[tuple[Mark, str, Any]]:
    """The marked hours in their order, each with its colour and dash."""
    marks = [] if story.onset is None else [(story.onset, BLUE, (0, (4, 2)))]
    return sorted([*marks, (story.worst, INK, (0, (1, 1.5)))], key=lambda each: each[0].hour)


def _name_marks(axes: Axes, marks: Sequence[tuple[Mark, str, Any]], column: _Column, tall: float) -> None:
    """Names over their lines, one above the other so that no line crosses a name: right of it, or left where there is no room."""
    late = [mark.hour - column.first > 0.55 * (column.last - column.first) for mark, _, _ in marks]
    for place, ((mark, colour, _), left) in enumerate(zip(marks, late, strict=True)):
        at, height = mark.hour / 24.0, 0.03 + 0.13 * (place if all(late) else len(marks) - 1 - place)
        over = axes.get_xaxis_transform()
        axes.plot([at, at], [1.0, 1.0 + (height + 0.1) / tall], transform=over, color=colour, linewidth=0.8, clip_on=False)
        axes.annotate(
            f"{mark.label}, day {at:.1f}",
            (at, 1.0 + height / tall),
            xycoords=over,
            xytext=(-2 if left else 2, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="bottom",
            fontsize=SMALL,
            color=colour,
        )


def _legend(axes: Axes, story: Story, wide: float, tall: float) -> None:
    """What pale and tinted hours are, over the names."""
    shades: list[tuple[str, dict[str, Any]]] = []
    if story.hours[0] < 0:
        shades.append(("transition, not scored", {"facecolor": "#f1f2f3", "edgecolor": GREY, "linewidth": 0.4}))
    if story.unwinding:
        shades.append(("AMOs unwinding", {"facecolor": "#f9e2d4", "edgecolor": "none"}))
    left = 1.0 + LEADER[2] / wide
    for step, (text, look) in enumerate(shades):
        height = 1.0 + (0.36 - 0.15 * step) / tall
        axes.add_patch(Rectangle((left, height), 0.16 / wide, 0.1 / tall, transform=axes.transAxes, clip_on=False, **look))
        axes.text(left + 0.22 / wide, height + 0.05 / tall, text, transform=axes.transAxes, va="center", fontsize=SMALL)


# -- names at a panel's right edge, beside the ends of their lines and moved apart where they would overlap


@dataclass(frozen=True)
class EdgeName:
    """A text at the right edge, and the height it belongs to, in the panel's unit."""

    text: str
    at: float
    colour: str


def write_names(axes: Axes, names: Sequence[EdgeName], *, tall: float, wide: float) -> None:
    """Writes the names beside a panel of that many inches, each with a leader to the height it belongs to.

    What lies outside the picture is named at the edge it lies beyond, with an arrow.
    """
    low, high = axes.get_ylim()
    inches = [(min(max((name.at - low) / (high - low), -0.02), 1.02) * tall, name) for name in names]
    inches.sort(key=lambda each: each[0])
    places = apart([height for height, _ in inches], NAME_GAP, tall)
    for (height, name), place in zip(inches, places, strict=True):
        outside = "" if low <= name.at <= high else "↑ " if name.at > high else "↓ "
        if not outside:
            axes.plot(
                [1.0, 1.0 + LEADER[0] / wide, 1.0 + LEADER[1] / wide],
                [height / tall, height / tall, place / tall],
                transform=axes.transAxes,
                color=name.colour,
                linewidth=0.5,
                clip_on=False,
            )
        axes.text(
            1.0 + LEADER[2] / wide,
            place / tall,
            outside + name.text,
            transform=axes.transAxes,
            va="center",
            fontsize=SMALL,
            color=name.colour,
        )


def apart(wanted: Sequence[float], gap: float, room: float) -> list[float]:
    """Heights at least ``gap`` apart, near the ``wanted`` ones (ascending), within [0, room] as far as they fit.

    Neighbours that collide form a block around the mean of what they want; blocks that collide are merged.

    >>> apart([0.0, 0.0, 5.0], 1.0, 9.0)
    [0.0, 1.0, 5.0]
    """
    blocks: list[tuple[float, int]] = []  # the lowest member's place, members
    sums: list[float] = []

    def place(total: float, count: int) -> float:
        return max(0.0, min(total / count, room - gap * (count - 1)))

    for height in wanted:
        total, count = height, 1
        while blocks and blocks[-1][0] + gap * blocks[-1][1] > place(total, count):
            _, before = blocks.pop()
            # the sum of where the lowest member would be if each member had its wish
            total = sums.pop() + total - gap * before * count
            count += before
        blocks.append((place(total, count), count))
        sums.append(total)
    return [start + gap * member for start, count in blocks for member in range(count)]
