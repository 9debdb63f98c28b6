"""The first screen drawn: HTML and SVG from `First`. Coordinates are per cent of the room there is, text is in pixels, so that nothing shrinks on a narrow screen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from amo_opt.report.labels import amount_of, count_of, sentence
from amo_opt.tiles import BLUE, INK
from amo_opt.wording import fixed, significant, true_minus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from amo_opt.report.first import First, Level, Spot, Tile, Trust, Used, Worst
    from amo_opt.report.wording import Chip

LETTER = 7.0
"""Pixels of a letter of 14 px type, roughly: what labels are kept apart by."""
WIDE, TALL = 640.0, 204.0
"""Pixels that the plane has on a desk."""
NARROW = 255.0
"""Pixels that it is wide on a telephone."""
NEAR_END = 85.0
"""Per cent of an axis from which a label ends at its mark: on a telephone half of it is more than there is beside it."""
MOST_NAMED = 3
"""Sets that the plane names besides the one shown: others are counted in its caption."""


@dataclass(frozen=True)
class Axis:
    """From ``low`` to ``high``, in per cent of the room."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Per cent from the low end, held within the room."""
        return min(max(100.0 * (value - self.low) / (self.high - self.low), 0.0), 100.0)

    def ticks(self, most: int = 4) -> list[float]:
        """Round values strictly inside, at most so many."""
        step = 10.0 ** math.floor(math.log10((self.high - self.low) / most))
        step *= next(each for each in (1.0, 2.0, 5.0, 10.0) if (self.high - self.low) / (each * step) <= most)
        first = math.ceil(self.low / step + 1e-9)
        return [k * step for k in range(first, math.floor(self.high / step - 1e-9) + 1)]


def axis_of(values: Iterable[float], *, margin: float = 0.08) -> Axis:
    """An axis that holds every finite one of the values, with a margin."""
    known = [value for value in values if math.isfinite(value)]
    low, high = min(known), max(known)
    room = (high - low) * margin or abs(high) * margin or 1.0
    return Axis(low - room, high + room)


def first_html(first: First, warnings: Sequence[Chip] = ()) -> str:
    """The header of the page: everything of the first screen; ``warnings`` stand beside the verdict."""
    before, asked, after = (escape(each) for each in first.ask)
    return "\n".join(
        [
            '<header id="first">',
            f'<p class="kicker"><span>{escape(first.kicker)}</span><span class="verdict">{escape(first.chip.upper())}</span>{"".join(_warning(each) for each in warnings)}</p>',
            f"<h1>{escape(first.title)}</h1>",
            f'<p class="ask">{before}<b>{asked}</b>{after}</p>',
            '<div class="grid sides">',
            _side("For", "+", first.pros),
            _side("Against", "−", first.cons),
            "</div>",
            f'<div class="grid row">{_tile(first.yields)}{_tile(first.peg)}{_limits(first)}</div>',
            f'<div class="grid row">{_plane(first)}{_worst(first)}</div>' if first.spots or first.worst else "",
            '<section class="row rule trust"><h2>How far to trust this</h2><div class="grid">',
            *(_trust(each) for each in first.trust),
            "</div></section>",
            "</header>",
        ]
    )


def _warning(chip: Chip) -> str:
    return f'<span class="warning"><i aria-hidden="true">{chip.shape}</i> {escape(chip.word)}</span>'


def _side(title: str, mark: str, lines: Sequence[str]) -> str:
    rows = "".join(f'<li data-m="{mark}">{escape(line)}</li>' for line in lines)
    return f'<section class="c6"><h2>{title}</h2><ul>{rows}</ul></section>'


def _tile(tile: Tile) -> str:
    shape, word = tile.state
    colon = f" <span>{escape(tile.of)}</span>" if tile.of else ""
    return (
        f'<section class="c4 rule"><div class="head"><h2>{escape(tile.title)}{colon}</h2><span class="state"><i aria-hidden="true">{shape}</i> {word}</span></div>'
        f'<p class="big">{escape(tile.big)} <small>{escape(tile.small)}</small></p>{_interval(tile)}{_levels(tile.levels)}</section>'
    )


def _interval(tile: Tile) -> str:
    """The interval on its axis; what is allowed is grey."""
    found = tile.difference
    if found is None:
        return ""
    ends = (found.low, found.high) if found.interval is not None else (found.value, found.value)
    edge = -tile.allowed if tile.side > 0 else tile.allowed
    axis = axis_of((*ends, 0.0, edge), margin=0.14)
    told = f"95%: {fixed(ends[0], tile.digits, signed=True)} to {fixed(ends[1], tile.digits, signed=True)} {tile.unit}"
    if found.interval is None:
        told = "95% interval not known"
    grey = (axis.at(edge), 100.0) if tile.side > 0 else (0.0, axis.at(edge))
    alt = f"{tile.title}: {fixed(found.value, tile.digits, signed=True)} {tile.unit}, {told}; allowed {true_minus(significant(edge, 3, signed=True))}, n = {found.n:,} paths"
    allowed = f"{true_minus(significant(edge, 2, signed=True))} allowed"
    ticks = [(0.0, "today"), (edge, allowed)] if tile.allowed > 0.0 else [(0.0, "today")]
    ticks += [(value, true_minus(significant(value, 3, signed=True))) for value in axis.ticks()]
    low, high, point = (axis.at(each) for each in (*ends, found.value))
    middle = (low + high) / 2.0
    where, anchor = (0.0, "") if middle < 30.0 else (100.0, "e") if middle > 70.0 else (middle, "m")
    return (
        '<div class="plot" style="height:62px"><svg role="img" aria-label="' + escape(alt) + '">'
        f'<rect class="tol" x="{grey[0]:.2f}%" y="18" width="{grey[1] - grey[0]:.2f}%" height="24"/>'
        '<line class="hair" x1="0" x2="100%" y1="42" y2="42"/>'
        f'<line class="axis" x1="{axis.at(0.0):.2f}%" x2="{axis.at(0.0):.2f}%" y1="18" y2="42"/>'
        + _ticks(axis, ticks, room=370.0)
        + f'<rect x="{low:.2f}%" y="27" width="{max(high - low, 0.2):.2f}%" height="6" fill="{BLUE}"/>'
        f'<svg x="{point:.2f}%" y="30" overflow="visible"><rect x="-1.5" y="-8" width="3" height="16" fill="{BLUE}"/></svg>'
        f'<text x="{where:.2f}%" y="12" class="a {anchor}">{escape(told)}</text></svg></div>'
    )


def _ticks(axis: Axis, ticks: Sequence[tuple[float, str]], *, room: float, y: int = 58) -> str:
    """Labels below an axis, the first in the row before the others where they would meet."""
    taken: list[tuple[float, float]] = []
    out = []
    for value, text in ticks:
        middle, half = axis.at(value) * room / 100.0, len(text) * LETTER / 2.0 + 4.0
        anchor, begin = ("m", middle - half)
        if middle - half < 0.0:
            anchor, begin = "", middle
        elif middle + half > room:
            anchor, begin = "e", middle - 2.0 * half
        if any(begin < right and left < begin + 2.0 * half for left, right in taken):
            continue
        taken.append((begin, begin + 2.0 * half))
        out.append(f'<text x="{axis.at(value):.2f}%" y="{y}" class="s {anchor}">{escape(text)}</text>')
    return "".join(out)


def _levels(levels: Sequence[Level]) -> str:
    rows = []
    for place, level in enumerate(levels):
        bars = "".join(
            f'<i class="{"h" if rare else ""}" style="width:{100.0 * max(part, 0.0):.1f}%"></i>' for part, rare in level.parts if part > 0.0
        )
        rows.append(
            f'<div class="{"opt" if place else ""}"><b>{escape(level.who)}</b> {escape(level.text)}<div class="bar" aria-hidden="true">{bars}</div></div>'
        )
    return f'<div class="levels">{"".join(rows)}</div>'


def _share(value: float | None) -> str:
    if value is None:
        return "not known"
    if not math.isfinite(value):
        return "far beyond"
    return "0" if value == 0.0 else "under 1%" if value < 0.01 else f"{fixed(100.0 * value, 0)}%"


def _limits(first: First) -> str:
    limits = first.limits
    own = [(each, each.then if first.recommended and each.then is not None else each.now) for each in limits.used]
    known = [(each, value) for each, value in own if value is not None]
    axis = Axis(-0.03, max(1.06, min(max((value for _, value in known if math.isfinite(value)), default=1.0) * 1.06, 3.0)))
    columns: dict[int, int] = {}
    dots = []
    for each, value in sorted(known, key=lambda pair: pair[1]):
        column = round(axis.at(value) * 0.36)  # a dot's width on a tile
        height = columns.get(column, 0)
        columns[column] = height + 1
        y = 36 - 9 * min(height, 3)
        x = min(axis.at(value), 99.0) + 1.3 * (height // 4)
        fill = INK if value <= 1.0 else "#b84f00"
        mark = (
            f'<rect x="-4" y="-4" width="8" height="8" fill="#fff" stroke="{fill}" stroke-width="1.5"/>'
            if each.exact
            else f'<circle r="3.6" fill="{fill}"/>'
        )
        dots.append(f'<svg x="{x:.2f}%" y="{y}" overflow="visible">{mark}</svg>')
    all_kept = not limits.broken
    state = ("●", "all kept") if all_kept else ("▼", f"{limits.broken} not kept")
    nearest = limits.nearest
    levels = ""
    if nearest is not None:
        rows = []
        where = f" in “{nearest.where}”" if nearest.where else ""
        for who, used, kind in (("Today", nearest.now, ""), (first.option, nearest.then, "opt")):
            if used is not None and who:
                text = f"{_share(used)} of the nearest by paths: {nearest.title}{where}" if not kind else f"{_share(used)} of it"
                width = axis.at(used)
                rows.append(
                    f'<div class="{kind}"><b>{escape(who)}</b> {escape(text)}<div class="bar" aria-hidden="true"><i style="width:{width:.1f}%"></i></div></div>'
                )
        levels = f'<div class="levels">{"".join(rows)}</div>'
    alt = f"Share of each of {limits.total} limits used by {limits.of}: {limits.kept} kept, {limits.broken} not kept; circles are figures of paths, squares are exact"
    return (
        f'<section class="c4 rule"><div class="head"><h2>Limits <span>of {escape(limits.of)}</span></h2><span class="state"><i aria-hidden="true">{state[0]}</i> {state[1]}</span></div>'
        f'<p class="big">{limits.kept} of {limits.total} <small>kept at the cautious bound</small></p>'
        f'<div class="plot" style="height:62px"><svg role="img" aria-label="{escape(alt)}"><rect class="tol" x="0" y="0" width="{axis.at(1.0):.2f}%" height="42"/>'
        f'<line class="hair" x1="0" x2="100%" y1="42" y2="42"/><line class="axis" x1="{axis.at(1.0):.2f}%" x2="{axis.at(1.0):.2f}%" y1="0" y2="42"/>'
        + "".join(dots)
        + _ticks(
            axis,
            [(1.0, "100% of the limit"), (0.0, "0"), (0.36, "● by paths, □ exact" if any(each.exact for each, _ in known) else "50%")],
            room=370.0,
        )
        + f"</svg></div>{levels}</section>"
    )


# -- the plane -------------------------------------------------------------------------------------------------------------------------


def _plane(first: First) -> str:
    spots = first.spots
    if not spots:
        return ""
    earn, risk = first.tolerance
    points, allowed = 100.0 * earn, risk
    chosen = next((each for each in spots if each.chosen), None)
    ends = [] if chosen is None else [*(_ends(chosen.yields)), *(_ends(chosen.peg))]
    x = axis_of([0.0, -points, points, *(each.yields.value for each in spots), *ends[:2]])
    y = axis_of([0.0, allowed, -allowed, *(each.peg.value for each in spots), *ends[2:]], margin=0.1)

    def down(value: float) -> float:
        return 100.0 - y.at(value)

    shapes = [
        f'<rect class="tol" x="{x.at(-points):.2f}%" y="{down(allowed):.2f}%" width="{100.0 - x.at(-points):.2f}%" height="{100.0 - down(allowed):.2f}%"/>',
        f'<rect class="box" x="{x.at(-points):.2f}%" y="{down(allowed):.2f}%" width="{x.at(points) - x.at(-points):.2f}%" height="{down(-allowed) - down(allowed):.2f}%"/>',
        f'<line class="axis" x1="0" x2="100%" y1="{down(0.0):.2f}%" y2="{down(0.0):.2f}%"/>',
        f'<line class="axis" x1="{x.at(0.0):.2f}%" x2="{x.at(0.0):.2f}%" y1="0" y2="100%"/>',
    ]
    taken: list[tuple[float, float, float, float]] = []
    places = {each.id: (x.at(each.yields.value) * WIDE / 100.0, down(each.peg.value) * TALL / 100.0) for each in spots}
    taken += [(px - 6.0, py - 6.0, px + 6.0, py + 6.0) for px, py in places.values()]
    home = (x.at(0.0) * WIDE / 100.0, down(0.0) * TALL / 100.0)
    if chosen is not None:
        (left, right), (low, high) = ends[:2], ends[2:]
        (cx, cy), reach = places[chosen.id], [x.at(each) * WIDE / 100.0 for each in (left, right)]
        taken += [(reach[0], cy - 3.0, reach[1], cy + 3.0), (cx - 3.0, down(high) * TALL / 100.0, cx + 3.0, down(low) * TALL / 100.0)]
    taken.append((home[0] - 6.0, home[1] - 6.0, home[0] + 6.0, home[1] + 6.0))
    labels, named = [], 0
    for each in sorted(
        spots, key=lambda spot: (not spot.chosen, chosen is None or spot.yields.value <= chosen.yields.value, -_apart(spot, first))
    ):
        px, py = places[each.id]
        shapes.append(_mark(each, x, y))
        if not each.chosen and named >= MOST_NAMED:
            continue
        lines = (
            [each.name, *_wrapped(each.content)]
            if each.chosen
            else _wrapped(f"{each.content}: {each.short}" if each.short else each.content)
        )
        placed = _place(px, py, lines, taken, places.values(), always=each.chosen)
        if placed is not None:
            dx, dy, anchor = placed
            named += not each.chosen
            kind = "a" if each.chosen else "s"
            for k, line in enumerate(lines):
                labels.append(
                    f'<svg x="{x.at(each.yields.value):.2f}%" y="{down(each.peg.value):.2f}%" overflow="visible"><text x="{dx}" y="{dy + 17 * k}" '
                    f'class="{kind} {anchor} halo{"" if each.chosen and k == 0 else " w"}">{escape(line)}</text></svg>'
                )
    ticks_y = "".join(
        f'<text x="0" dx="-8" y="{down(value):.2f}%" dy="5" class="s e">{true_minus(significant(value, 2, signed=True)) if value else "0"}</text>'
        f'<line class="hair" x1="0" x2="100%" y1="{down(value):.2f}%" y2="{down(value):.2f}%"/>'
        for value in y.ticks(5)
    )
    marks = [(0.0, "today"), *((value, true_minus(significant(value, 2, signed=True))) for value in x.ticks(4) if abs(value) > 1e-12)]
    below = "".join(
        _below(x, value, text, first, narrow=narrow) for (value, text), narrow in zip(marks, _on_a_telephone(x, marks), strict=True)
    )
    alt = f"{first.plane}. {first.caption}"
    return (
        f'<figure class="c7 rule fig"><h2>{escape(first.plane)}</h2><div class="plot plane" style="height:272px;padding:24px 12px 44px 44px"><svg role="img" aria-label="{escape(alt)}">'
        f'<text x="0" y="0" dy="-8" class="s">↑ more peg risk, bp</text>{ticks_y}{"".join(shapes)}'
        f'<svg x="{x.at(0.0):.2f}%" y="{down(0.0):.2f}%" overflow="visible"><rect x="-5" y="-5" width="10" height="10" fill="{INK}"/></svg>'
        f'{"".join(labels)}<text x="100%" y="0" dy="-8" class="s e">more yield →</text>{below}</svg></div>'
        f"<figcaption>Grey: allowed; dotted: within tolerance of today. {escape(first.caption)}</figcaption></figure>"
    )


def _below(x: Axis, value: float, text: str, first: First, *, narrow: bool) -> str:
    """A mark of the plane's lower axis: points, and what they are worth a year."""
    kind = f"s {'e' if x.at(value) > NEAR_END else 'm'}{'' if narrow else ' w'}"
    worth = f'<text x="{x.at(value):.2f}%" y="100%" dy="34" class="{kind}">{escape(amount_of(value * first.per_point, first.account, signed=True))}</text>'
    stroke = f'<svg x="{x.at(value):.2f}%" y="100%" overflow="visible"><line class="axis" y2="4"/></svg>'
    return f'{stroke}<text x="{x.at(value):.2f}%" y="100%" dy="17" class="{kind}">{escape(text)}{" points" if value else ""}</text>{worth if value else ""}'


def _on_a_telephone(x: Axis, marks: Sequence[tuple[float, str]]) -> list[bool]:
    """Which marks of the lower axis a telephone has room for, the first before the others."""
    taken: list[tuple[float, float]] = []
    found = []
    for value, text in marks:
        width = LETTER * (len(text) + (len(" points") if value else 0)) + 6.0
        right = x.at(value) * NARROW / 100.0 + (0.0 if x.at(value) > NEAR_END else width / 2.0)
        fits = all(right <= begin or end <= right - width for begin, end in taken)
        found.append(fits)
        taken += [(right - width, right)] if fits else []
    return found


def _ends(estimate: object) -> tuple[float, float]:
    found = estimate.interval  # type: ignore[attr-defined]
    return (estimate.value, estimate.value) if found is None else found  # type: ignore[attr-defined]


def _apart(spot: Spot, first: First) -> float:
    """How far a set is from today, in tolerances: the outliers are named first."""
    return math.hypot(spot.yields.value / (100.0 * first.tolerance[0] or 1.0), spot.peg.value / (first.tolerance[1] or 1.0))


def _mark(spot: Spot, x: Axis, y: Axis) -> str:
    px, py = x.at(spot.yields.value), 100.0 - y.at(spot.peg.value)
    if not spot.chosen:
        fill = INK if spot.holdout else "#fff"
        return (
            f'<svg x="{px:.2f}%" y="{py:.2f}%" overflow="visible"><circle r="4.6" fill="{fill}" stroke="{INK}" stroke-width="1.5"/></svg>'
        )
    (left, right), (low, high) = _ends(spot.yields), _ends(spot.peg)
    bars = (
        f'<line x1="{x.at(left):.2f}%" x2="{x.at(right):.2f}%" y1="{py:.2f}%" y2="{py:.2f}%" stroke="{BLUE}" stroke-width="3"/>'
        f'<line x1="{px:.2f}%" x2="{px:.2f}%" y1="{100.0 - y.at(high):.2f}%" y2="{100.0 - y.at(low):.2f}%" stroke="{BLUE}" stroke-width="3"/>'
    )
    return f'{bars}<svg x="{px:.2f}%" y="{py:.2f}%" overflow="visible"><path d="M0 -8L7 6L-7 6z" fill="{BLUE}" stroke="#fff"/></svg>'


def _wrapped(text: str, most: int = 26) -> list[str]:
    """Text in lines of about so many letters, broken between words."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > most:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _to(box: tuple[float, float, float, float], x: float, y: float) -> float:
    """Pixels from a box to a point."""
    return math.hypot(max(box[0] - x, 0.0, x - box[2]), max(box[1] - y, 0.0, y - box[3]))


def _place(
    px: float,
    py: float,
    lines: Sequence[str],
    taken: list[tuple[float, float, float, float]],
    points: Iterable[tuple[float, float]],
    *,
    always: bool,
) -> tuple[int, int, str] | None:
    """Where a label fits beside its point, of ``points`` the nearest: right, left, above, below, askew; None where it meets something everywhere, unless it is ``always`` told, then what meets least. What it
    takes is added to ``taken``.
    """
    width, height = max(len(line) for line in lines) * LETTER, 17.0 * len(lines)
    least: tuple[float, tuple[int, int, str], tuple[float, float, float, float]] | None = None
    beside = ((12, 5, ""), (-12, 5, "e"), (0, -int(height) + 4, "m"), (0, 24, "m"))
    askew = ((12, -int(height) + 4, ""), (-12, 22, "e"), (12, 22, ""), (6, 36, "e"))
    for dx, dy, anchor in (*beside, *askew):
        left = px + dx - (width if anchor == "e" else width / 2.0 if anchor == "m" else 0.0)
        top = py + dy - 13.0
        box = (left, top, left + width, top + height)
        if not (box[0] >= 0.0 and box[2] <= WIDE and box[1] >= -4.0 and box[3] <= TALL):
            continue
        if not always and any(_to(box, x, y) < _to(box, px, py) for x, y in points):
            continue  # it would be taken for the other's
        met = math.fsum(
            max(0.0, min(box[2], right) - max(box[0], other)) * max(0.0, min(box[3], bottom) - max(box[1], above))
            for other, above, right, bottom in taken
        )
        if met == 0.0 or least is None or met < least[0]:
            least = met, (dx, dy, anchor), box
        if met == 0.0:
            break
    if least is None or (least[0] > 0.0 and not always):
        return None
    taken.append(least[2])
    return least[1]


# -- the worst path --------------------------------------------------------------------------------------------------------------------


def _worst(first: First) -> str:
    worst = first.worst
    if worst is None:
        return ""
    rows: list[tuple[str, str, list[tuple[float, ...]], Callable[[float], str], float | None]] = [
        ("Price", first.account, [each.price for each in worst.traces], lambda value: fixed(value, 2 if worst.lowest < 0.95 else 4), None),
        (
            "Cover",
            "% of supply",
            [tuple(100.0 * value for value in each.cover) for each in worst.traces],
            lambda value: fixed(value, 0 if 100.0 * (worst.cover[0] - worst.cover[1]) >= 2.0 else 1),
            100.0 * worst.limit,
        ),
        ("Supply", "tokens", [each.supply for each in worst.traces], count_of, None),
    ]
    told = next((k for k, each in enumerate(worst.traces) if each.candidate == worst.of), 0)
    height, gap, parts = 56.0, 74.0, []
    for place, (name, unit, series, write, limit) in enumerate(rows):
        top = 18.0 + gap * place
        axis = axis_of([value for each in series for value in each] + ([] if limit is None else [limit]), margin=0.04)
        lines = []
        for k, each in enumerate(series):
            points = " ".join(f"{hour},{100.0 - axis.at(value):.0f}" for hour, value in enumerate(each))
            dashes = ' stroke-dasharray="5 3"' if k else ""
            lines.append(f'<polyline class="series" points="{points}" stroke="{BLUE if k else INK}"{dashes}/>')
        own = series[told]
        if limit is not None and limit <= axis.high:
            at = top + height * (1.0 - axis.at(limit) / 100.0)
            parts.append(
                f'<line class="dash" x1="0" x2="100%" y1="{at:.1f}" y2="{at:.1f}"/><text x="0" y="{at + (15.0 if at + 18.0 < top + height else -4.0):.1f}" dx="4" class="s halo">limit {fixed(limit, 0)}%</text>'
            )
        parts.append(
            f'<line class="hair" x1="0" x2="100%" y1="{top + height}" y2="{top + height}"/>'
            f'<svg x="0" y="{top}" width="100%" height="{height}" viewBox="0 0 {max(len(own) - 1, 1)} 100" preserveAspectRatio="none" overflow="visible">{"".join(lines)}</svg>'
            f'<text x="0" y="{top}" dx="-12" dy="13" class="b e">{name}</text><text x="0" y="{top}" dx="-12" dy="30" class="s e">{escape(unit)}</text>'
            f'<text x="0" y="{top}" dx="-12" dy="47" class="e">{f"{write(own[0])} → {write(own[-1])}" if name == "Supply" else f"low {write(min(own))}"}</text>'
        )
    last = worst.traces[0].hours[-1] / 24.0
    days = "".join(
        f'<text x="{100.0 * part:.1f}%" y="{18.0 + gap * 3 - 2:.0f}" class="s {"" if part == 0 else "e" if part == 1 else "m"}">{"day 0" if part == 0 else fixed(part * last, 0)}</text>'
        for part in (0, 1 / 3, 2 / 3, 1)
    )
    at = 100.0 * worst.day / last if last else 0.0
    marked = f'<line class="dash" x1="{at:.1f}%" x2="{at:.1f}%" y1="6" y2="{18 + gap * 3 - 22:.0f}"/><text x="{at:.1f}%" y="12" dx="{-6 if at > 50 else 6}" class="s {"e" if at > 50 else ""}">day {fixed(worst.day, 0)}: lowest</text>'
    return (
        f'<figure class="c5 rule fig"><h2>{escape(worst_title(worst, first.account))}</h2><div class="plot" style="height:{18 + gap * 3 + 8:.0f}px;padding-left:104px"><svg role="img" aria-label="{escape(worst_words(first, worst))}">'
        f"{''.join(parts)}{marked}{days}</svg></div><figcaption>{escape(worst_words(first, worst))}</figcaption></figure>"
    )


def worst_title(worst: Worst, account: str) -> str:
    """What the deepest path comes to."""
    if worst.lowest < 0.5:
        return (
            "The worst path: a run takes everything"
            if worst.other_lowest is None or worst.other_lowest < 0.5
            else "The worst path is saved by one of the sets"
        )
    return f"The worst path falls to {fixed(worst.lowest, 3)} {account}"


def worst_words(first: First, worst: Worst) -> str:
    """The worst path in words: how rare it is, what happens on it, and what the other set does."""
    own = "today" if worst.of == "current" else first.option
    often = (
        f"About 1 in {float(f'{worst.one_in:.2g}'):,.0f} paths of “{worst.title}” is like it"
        if worst.one_in
        else f"The worst of {worst.seen:,} paths drawn of “{worst.title}”"
    )
    lines = f"Solid today{f', dashed {first.option}' if len(worst.traces) > 1 else ''}."
    happened = f" Under {'today’s set' if own == 'today' else own} the price is lowest on day {fixed(worst.day, 0)}, {fixed(worst.lowest, 2 if worst.lowest < 0.95 else 4)} {first.account}"
    if worst.share_left is not None and worst.share_left < 0.5:
        happened += f", when the share token has lost {fixed(100.0 * (1.0 - worst.share_left), 0)}%"
    if worst.emptied is not None:
        happened += f"; the idle collateral is gone on day {fixed(worst.emptied, 0)}"
    left = worst.supply[1] / worst.supply[0] - 1.0 if worst.supply[0] > 0.0 else 0.0
    return f"{lines} {often}.{happened}. Outside supply ends {fixed(abs(100.0 * left), 0)}% {'lower' if left < 0.0 else 'higher'}."


def _trust(trust: Trust) -> str:
    mark = {True: "●", False: "▼", None: "–"}[trust.good]
    return (
        f'<div class="c3"><b><i aria-hidden="true">{mark}</i>{escape(trust.finding)}</b><span class="t">{escape(trust.detail)}</span></div>'
    )


# -- what follows ----------------------------------------------------------------------------------------------------------------------


def changes_html(first: First) -> str:
    """What changes, a row (on a telephone a card) a parameter."""
    head = "Proposed" if first.recommended else first.option
    rows = "".join(
        f'<tr><th scope="row">{escape(each.label)}<span class="subtitle"><code>{escape(each.name)}</code>{", policy" if each.policy else ""}</span></th><td class="num" data-l="Now">{escape(each.now)}</td>'
        f'<td class="num to" data-l="{escape(head)}">{escape(each.then)}</td><td class="num" data-l="Change">{escape(each.change)}</td><td>{escape(each.effect)}</td></tr>'
        for each in first.changes
    )
    return (
        f'<table class="cards"><thead><tr><th scope="col">Parameter</th><th scope="col" class="num">Now</th><th scope="col" class="num">{escape(head)}</th>'
        f'<th scope="col" class="num">Change</th><th scope="col">What that is</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def matrix_html(first: First, scenarios: Sequence[tuple[str, str]]) -> str:
    """Share of each limit used at its confidence bound: a row a scenario (name, title), a column a kind of limit."""
    kinds = list(dict.fromkeys((each.key.partition(":")[0], each.title) for each in first.limits.used if each.scenario is not None))
    found: dict[tuple[str, str], Used] = {(each.key.partition(":")[0], each.scenario or ""): each for each in first.limits.used}
    head = "".join(f'<th scope="col">{escape(sentence(title))}</th>' for _, title in kinds)
    rows = []
    for name, title in scenarios:
        cells = []
        for kind, label in kinds:
            used = found.get((kind, name))
            cells.append(f'<td data-l="{escape(sentence(label))}">{"–" if used is None else _cell(used)}</td>')
        rows.append(f'<tr><th scope="row">{escape(title)}</th>{"".join(cells)}</tr>')
    return f'<table class="matrix cards"><thead><tr><th scope="col">Scenario</th>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _cell(used: Used) -> str:
    now, then = used.now, used.then
    told = _share(now)
    if then is not None and _share(then) != told:
        told = f"{told} → <b>{_share(then)}</b>"
    bars = "".join(
        f'<i class="{"over" if value > 1.0 else ""}" style="width:{100.0 * min(value, 1.0):.1f}%"></i>' if value is not None else "<i></i>"
        for value in (now, then if then is not None else now)
    )
    return f'<div class="cell"><span>{told}</span><span class="track" aria-hidden="true">{bars}</span></div>'
