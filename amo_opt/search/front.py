"""The feasible front: which sets no other set beats on both axes, how much it dominates, and where it bends.

Points are (yield, peg risk): yield is maximised, peg risk minimised.
"""

from __future__ import annotations

from collections.abc import Sequence

Point = tuple[float, float]


def dominates(a: Point, b: Point) -> bool:
    """Whether ``a`` is at least as good as ``b`` on both axes and better on one."""
    return a[0] >= b[0] and a[1] <= b[1] and a != b


def front(points: Sequence[Point]) -> list[int]:
    """Indices of the points no other dominates, from the highest yield down; of equal points the first.

    >>> front([(1.0, 1.0), (2.0, 3.0), (1.5, 3.5), (0.5, 0.5)])
    [1, 0, 3]
    """
    order = sorted(range(len(points)), key=lambda i: (-points[i][0], points[i][1], i))
    chosen: list[int] = []
    lowest = float("inf")
    for i in order:
        if points[i][1] < lowest:
            chosen.append(i)
            lowest = points[i][1]
    return chosen


def layers(points: Sequence[Point]) -> list[list[int]]:
    """Fronts one behind the other: the front, the front of what is left, and so on."""
    left = list(range(len(points)))
    result: list[list[int]] = []
    while left:
        layer = [left[i] for i in front([points[i] for i in left])]
        result.append(layer)
        taken = set(layer)
        left = [i for i in left if i not in taken]
    return result


def hypervolume(points: Sequence[Point], reference: Point) -> float:
    """Area dominated by the points within the quadrant of ``reference`` (lowest yield, highest peg risk that count).

    Exact sweep: along the front from high yield to low, peg risk falls. A point adds the rectangle between its own peg risk and the one before it
    (the reference's at first), as wide as its yield exceeds the reference's; rectangles neither overlap nor leave a gap, because any
    dominated place belongs to the first front point, in this order, whose peg risk is not above it.

    >>> hypervolume([(2.0, 1.0), (1.0, 0.0)], (0.0, 2.0))
    3.0
    """
    area = 0.0
    above = reference[1]
    for i in front(points):
        gain, risk = points[i]
        if gain > reference[0] and risk < above:
            area += (gain - reference[0]) * (above - risk)
            above = risk
    return area


def thin(indices: Sequence[int], points: Sequence[Point], count: int) -> list[int]:
    """At most ``count`` of a front, its ends kept, the others chosen one by one as far as possible from those chosen, axes scaled to the front's range."""
    if len(indices) <= count:
        return list(indices)
    scaled = _scaled([points[i] for i in indices])
    chosen = [0, len(indices) - 1][:count]
    while len(chosen) < count:
        rest = [k for k in range(len(indices)) if k not in chosen]
        chosen.append(max(rest, key=lambda k: (min(_distance(scaled[k], scaled[c]) for c in chosen), -k)))
    return [indices[k] for k in sorted(chosen)]


def worth(point: Point, units: Point) -> float:
    """Yield less peg risk, each in its unit, as one figure that orders points.

    Multiplied out, so that a unit of 0 (a study that allows no loss on that axis) leaves the choice to that axis alone.
    """
    return point[0] * units[1] - point[1] * units[0]


def knee(points: Sequence[Point], units: Point) -> int:
    """Index of the point that gains most, yield and peg risk each measured in its unit: where the front bends at that exchange rate.

    Units fixed beforehand keep the choice from depending on which other points the front happens to hold.

    >>> knee([(0.030, 30.0), (0.029, 2.0), (0.020, 1.0)], (0.001, 2.0))
    1
    """
    return max(range(len(points)), key=lambda i: (worth(points[i], units), -i))


def _scaled(points: Sequence[Point]) -> list[Point]:
    gains, risks = [point[0] for point in points], [point[1] for point in points]
    gain_range = (max(gains) - min(gains)) or 1.0
    risk_range = (max(risks) - min(risks)) or 1.0
    return [((gain - min(gains)) / gain_range, (risk - min(risks)) / risk_range) for gain, risk in points]


def _distance(a: Point, b: Point) -> float:
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2
