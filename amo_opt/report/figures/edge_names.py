"""Names at a panel's right edge, beside the ends of their lines and moved apart where they would overlap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

SMALL = 7.4
"""Points of names and ticks."""
NAME_GAP = 0.13
"""Inches between two names."""
LEADER = (0.05, 0.13, 0.16)
"""Inches right of the panel: where a leader bends, where it ends, where the name begins."""


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
