"""Prices, open on the page alone: quantiles of the pool price by hour, thinned to what a page can show."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.report.blocks import Block, Picture, Text
from amo_opt.scoring.types import spread_known
from amo_opt.wording import clean, count

if TYPE_CHECKING:
    from amo_opt.report.account import Account
    from amo_opt.report.sets import Subject
    from amo_opt.search.result import Fan, Result

LEVELS = ("1", "5", "25", "50", "75", "95", "99")
POINTS_IN_ALL = 360
"""Hours shown over all panels: keeps the page small however many scenarios a study has."""
FEWEST_POINTS = 30


def finding(_of: Account) -> str:
    """What it is of: each picture says what was found in it."""
    return "Prices, scenario by scenario"


def blocks(of: Account) -> list[Block]:
    """How the fans are read, and the fans."""
    return [Text(reading_of(of.fans)), Picture("fans", kind="")]


@dataclass(frozen=True)
class FanSeries:
    """Quantiles of one set: ``quantiles[k]`` belongs to ``LEVELS[k]`` and has one dollar price an hour."""

    label: str
    hue: str
    quantiles: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class FanPanel:
    """One scenario: ``days`` since the scored window's start, the sets side by side on one price axis."""

    scenario: str
    title: str
    days: tuple[float, ...]
    series: tuple[FanSeries, ...]
    caption: str


def fan_panels(result: Result, subject: Subject) -> tuple[FanPanel, ...]:
    """A panel for each scenario of the study that has a fan of the current set, of enough paths to tell its quantiles."""
    fans = {(each.scenario, each.candidate): each for each in result.fans if spread_known(each.n)}
    scenarios = [each for each in result.study.scenarios if (each.name, subject.current.id) in fans]
    points = max(FEWEST_POINTS, POINTS_IN_ALL // max(1, len(scenarios)))
    panels = []
    for scenario in scenarios:
        pairs = [(fans[scenario.name, subject.current.id], "Current", "current")]
        if subject.other is not None and (scenario.name, subject.other.id) in fans:
            pairs.append((fans[scenario.name, subject.other.id], subject.short_label, "proposed"))
        kept = _kept_hours([fan for fan, _, _ in pairs], points)
        series = tuple(
            FanSeries(label, hue, tuple(tuple(fan.quantiles[level][index] for index in kept) for level in LEVELS))
            for fan, label, hue in pairs
        )
        days = tuple(pairs[0][0].hours[index] / 24.0 for index in kept)
        panels.append(
            FanPanel(
                scenario.name,
                clean(scenario.title),
                days,
                series,
                _caption(series, pairs[0][0].n, result.study.search.seed, subject.account),
            )
        )
    return tuple(panels)


def reading_of(panels: tuple[FanPanel, ...]) -> str:
    """How the panels are to be read, of what they hold; empty where there are none."""
    if not panels:
        return ""
    sets = {len(panel.series) for panel in panels}
    both = "the two sets of a scenario stand side by side on one axis, and the dashed line repeats the other's 1% quantile"
    alone = f"only the set in force is drawn{'' if sets == {1} else ' where the other has no fan'}"
    drawn = "; ".join(text for text, there in ((both, 2 in sets), (alone, 1 in sets)) if there)
    scales = " Scales differ between scenarios." if len(panels) > 1 else ""
    return f"Bands hold the pool price in 98%, 90% and 50% of holdout paths, hour by hour; the line is the median: {drawn}.{scales}"


def _kept_hours(fans: list[Fan], points: int) -> list[int]:
    """Indices of the hours shown: of each run of hours the one where the lowest 1% quantile of all sets is deepest, and both ends.

    Every shown figure is a real hour's quantile, and no trough is thinned away.
    """
    hours = len(fans[0].hours)
    if hours <= points:
        return list(range(hours))
    deepest = [min(fan.quantiles[LEVELS[0]][index] for fan in fans) for index in range(hours)]
    edges = [round(number * hours / points) for number in range(points + 1)]
    kept = {min(range(start, end), key=lambda index: deepest[index]) for start, end in itertools.pairwise(edges)}
    return sorted(kept | {0, hours - 1})


def _caption(series: tuple[FanSeries, ...], n: int, seed: int, account: str) -> str:
    lows = [min(each.quantiles[0]) for each in series]
    tail = f"(n = {count(n, 'holdout path')}, seed {seed})."
    if len(lows) == 1:
        return f"The 1% quantile of the current set falls to {lows[0]:.4f} {account} {tail}"
    bps = round((lows[1] - lows[0]) * 1e4, 1) + 0.0
    than = "as low as" if bps == 0.0 else f"{abs(bps):.1f} bp {'higher' if bps > 0 else 'lower'} than"
    return f"{series[1].label}: the 1% quantile falls to {lows[1]:.4f} {account}, {than} under the current set ({lows[0]:.4f}) {tail}"
