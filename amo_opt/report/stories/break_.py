"""Reverse stress as curves: what share of the paths survives each size, with exact intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from amo_opt.report.wording import sentence_case
from amo_opt.scoring.intervals import clopper_pearson
from amo_opt.scoring.types import spread_known
from amo_opt.search.reverse_stress import ONSET_DAY, SHORTFALL_BPS, WINDOW_DAYS
from amo_opt.wording import in_account, interval, significant

if TYPE_CHECKING:
    from amo_opt.search.break_points import Breaking, BreakPoint
    from amo_opt.search.reverse_stress import ReverseStress

TITLES = {"run": "Run", "depeg": "{coin} depeg", "freeze": "Lending freeze with a run"}


@dataclass(frozen=True)
class Survival:
    """Share of ``n`` paths that survive each size of the grid, a tuple each; ``low`` and ``high`` are exact 95% binomial bounds, NaN
    where the paths are too few to know them.
    """

    label: str
    sizes: tuple[float, ...]
    share: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    n: int


@dataclass(frozen=True)
class BreakPanel:
    """One stress: its curves on one axis, every condition first."""

    title: str
    unit: str
    largest: float
    curves: tuple[Survival, ...]


def survival(each: Breaking, label: str) -> Survival:
    """The curve of one stress: a path survives the sizes up to its own point, and one that fails at size 0 none.

    A path that is not monotone in size counts by its point: the larger sizes it would survive again are not drawn.
    """
    n = each.half.n
    sizes = np.arange(round(each.largest / each.resolution) + 1) * each.resolution
    alive = [n - each.dead_at_zero, *(int(np.sum(each.points >= size - 1e-9 * each.largest)) for size in sizes[1:])]
    bounds = [clopper_pearson(count, n) if spread_known(n) else (math.nan, math.nan) for count in alive]
    return Survival(
        label=label,
        sizes=tuple(sizes.tolist()),
        share=tuple(count / n for count in alive),
        low=tuple(low for low, _ in bounds),
        high=tuple(high for _, high in bounds),
        n=n,
    )


def panels_of(found: ReverseStress) -> tuple[BreakPanel, ...]:
    """A panel a stress; the run's holds its capacity too, where the price alone counts."""
    panels = []
    for each in found.breaking:
        curves = [survival(each, "every condition")]
        if each.stress == "run":
            curves.append(survival(found.run_capacity, "price alone"))
        panels.append(BreakPanel(TITLES[each.stress].format(coin=sentence_case(found.coin)), each.unit, each.largest, tuple(curves)))
    return tuple(panels)


def definition(found: ReverseStress) -> str:
    """What surviving means under the study, in one line."""
    limits = found.survival
    told = [each.stress for each in found.breaking]
    windows = ", ".join(f"{days} days ({name})" for name, days in WINDOW_DAYS.items() if name in told)
    freeze = "; the freeze comes with the exits of ust-contagion-2022 at their fitted size" if "freeze" in told else ""
    return (
        f"price {'within' if limits.both else '>= reference -'} {SHORTFALL_BPS / 100:g}%{' of reference' if limits.both else ''} (reference = {in_account('1 dollar', found.account) if limits.dollar else f'min(1, {found.coin})' if found.plain else f'min(1, {found.coin}, base-pool value)'}), external collateral "
        f"ratio >= {limits.min_external_cr:g}, unserved <= {limits.max_unserved_usd_hours:g} {found.account} h; onset on day {ONSET_DAY}; windows of "
        f"{windows} instead of the study's{freeze}"
    )


def interval_text(point: BreakPoint) -> str:
    """The interval of a break point, ``low, high``, or that it is not known."""
    return interval(point.interval, lambda end: significant(end, 4), between=", ")


def paid_sentences(found: ReverseStress) -> tuple[str, ...]:
    """Who sets out and who is paid, at the sizes of the run capacity."""
    told = []
    for point, paid in zip((found.run_capacity.half, found.run_capacity.most), found.paid, strict=True):
        told.append(
            f"at {significant(point.value, 4)}, which {point.share:.0%} of the paths survive, {significant(paid.value, 4)} [{interval_text(paid)}] of outside supply "
            f"or more is paid out within 24 h on {paid.share:.0%} of all paths (n = {paid.n})"
        )
    return tuple(told)


def caption_of(found: ReverseStress, seed: int) -> str:
    """What is drawn, with n, seed and both measures of the run capacity."""
    n = found.run_capacity.half.n
    bands = "bands are exact 95% intervals, point by point" if spread_known(n) else "too few paths for intervals"
    return (
        f"{found.parameters} on {found.study}: share of paths that survive a stress up to each size; {bands} "
        f"(n = {n} paths a stress, seed {seed}). Survives: {definition(found)}. Run, price alone: {'; '.join(paid_sentences(found))}."
    )
