"""What joint draws of everything assumed say of the verdict, in words and rows: the share in which it holds, the bands, what explains failure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.report.ruling import condition_words
from amo_opt.report.sections.choice import PEG_SCALE, YIELD_SCALE
from amo_opt.report.wording import Scale, plain_number, sized_count
from amo_opt.stress.settings import SETTINGS
from amo_opt.wording import NOT_KNOWN, clean, count

if TYPE_CHECKING:
    from amo_opt.report.sections.front import StateRow
    from amo_opt.report.sets import Subject
    from amo_opt.scoring.types import Estimate
    from amo_opt.search.result import AssumptionDoubt, Band, Bound, Result

PERCENT = Scale(100.0, 0, "%")
FIRST = 3
"""Assumptions named in a sentence."""
CONDITIONS = 6
"""Conditions told of those that hold in the fewest draws."""


@dataclass(frozen=True)
class DriverRow:
    """An assumption, its range, the share of the variance it explains by itself, and where the verdict holds less."""

    name: str
    title: str
    range: str
    index: str
    interval: str
    n: str
    side: str


@dataclass(frozen=True)
class BandRow:
    """A difference of the two sets: with the chance of paths, and under doubt."""

    title: str
    value: str
    sampling: str
    doubt: str
    n: str
    median: str
    foretold: str


@dataclass(frozen=True)
class DoubtFacts:
    """The joint draws of section 10; all empty but ``finding`` where there were none."""

    finding: str
    region: str = ""
    first: str = ""
    explained: str = ""
    conditions: tuple[tuple[str, str], ...] = ()
    drivers: tuple[DriverRow, ...] = ()
    bands: tuple[BandRow, ...] = ()


def doubt_facts(result: Result, subject: Subject, state: tuple[StateRow, ...]) -> DoubtFacts:
    """The rows and sentences of a result's joint draws."""
    doubt = result.doubt
    if doubt is None:
        return DoubtFacts(finding=f"{_NONE}.")
    titles = {row.key: row.doc for row in state}
    base = {each.metric: each.difference for each in subject.paired if each.scenario is None}
    return DoubtFacts(
        finding=f"{doubt_words(doubt)} (seed {result.study.search.seed}; {sized_count(doubt.paths, doubt.twins, 'holdout path')} of all scenarios together, the same in every draw).",
        region=_region(doubt),
        first=_first(doubt),
        explained=_explained(doubt),
        conditions=tuple(
            (condition_words(condition, subject.account), PERCENT.text(kept))
            for condition, kept in sorted(doubt.conditions, key=lambda each: each[1])[:CONDITIONS]
            if kept < 1.0
        ),
        drivers=tuple(
            DriverRow(
                name=clean(each.name),
                title=titles.get(each.name) or assumption_title(each.name),
                range=f"{plain_number(each.low)} to {plain_number(each.high)} (here {plain_number(each.value)})",
                index=PERCENT.text(each.index.value),
                interval=PERCENT.interval(each.index),
                n=f"{each.index.n:,}",
                side=each.side,
            )
            for each in doubt.drivers
        ),
        bands=(
            _band("Yield, pp a year", doubt, doubt.yield_band, base.get("yield"), YIELD_SCALE),
            _band("Peg risk, bp", doubt, doubt.peg_band, base.get("peg_cvar95_bps"), PEG_SCALE),
        ),
    )


_NONE = "Nothing that is assumed was drawn in this run, so how far the verdict hangs on it is not known"


def doubt_words(doubt: AssumptionDoubt | None) -> str:
    """In what share of joint draws the verdict holds, what was demanded, and what is missing; without a full stop."""
    if doubt is None:
        return _NONE
    what = "passes the rule" if doubt.recommended else "does not pass the rule, as here"
    lost = (
        f"; {count(doubt.failed, 'draw')} could not be simulated and {'counts' if doubt.failed == 1 else 'count'} against it"
        if doubt.failed
        else ""
    )
    return (
        f"The verdict holds in {share_words(doubt.share)} of {count(doubt.share.n, 'joint draw')} of everything that is assumed "
        f"({count(doubt.assumptions, 'figure')} of state and scenarios, each within its range): there the set {what}{lost}. "
        f"The study demands that {PERCENT.text(doubt.demanded)} be shown{_missing(doubt)}"
    )


def share_words(share: Estimate) -> str:
    """``83% (95% interval 71 to 91)``."""
    return f"{PERCENT.text(share.value)} (95% interval {PERCENT.interval(share) if math.isfinite(share.low) else NOT_KNOWN})"


def _missing(doubt: AssumptionDoubt) -> str:
    if doubt.robust:
        return ": it is"
    if doubt.more_draws is None:
        return ": it is not, and no number of draws would show it on these paths if the share is what was found"
    return f": it is not; if the share is what was found, {count(doubt.more_draws, 'more draw')} would show it"


def _region(doubt: AssumptionDoubt) -> str:
    region = doubt.region
    if region is None:
        return "No region of one or two assumptions tells where it fails better than chance."
    return (
        f"It fails most where {' and '.join(_bound(each) for each in region.bounds)} ({count(region.draws, 'draw')}): on draws that had no part in "
        f"finding this, {PERCENT.text(region.purity)} of those inside fail, and {PERCENT.text(region.covered)} of all failures lie inside."
    )


def _bound(bound: Bound) -> str:
    return f"{clean(bound.name)} {'above' if bound.side == 'above' else 'at most'} {plain_number(float(f'{bound.threshold:.3g}'))}"


def _first(doubt: AssumptionDoubt) -> str:
    """The assumptions that explain most, in a sentence."""
    above = [each for each in doubt.drivers[:FIRST] if each.index.value > doubt.by_chance]
    if not above:
        return "No single assumption explains more of where it fails than chance would."
    names = ", ".join(
        f"{clean(each.name)} {PERCENT.text(each.index.value)} ({PERCENT.interval(each.index)}; less towards its {each.side} end)"
        for each in above
    )
    return f"Of {'where it fails' if doubt.explains == 'failures' else 'how near it comes to failing'} explain by themselves: {names}."


def _explained(doubt: AssumptionDoubt) -> str:
    what = "of whether it fails" if doubt.explains == "failures" else "of how near it comes to failing (too few draws fail)"
    return (
        f"Share of the variance {what} that each assumption explains by itself (first-order Sobol' index); the best of as many without "
        f"any effect has {PERCENT.text(doubt.by_chance)} in one case of 20."
    )


def assumption_title(name: str) -> str:
    """What a setting or a weight of a scenario is; of anything else its name."""
    place, _, setting = name.partition(": ")
    return f"weight of {place}" if setting == "weight" else SETTINGS[setting].doc if setting in SETTINGS else clean(name)


def _band(title: str, doubt: AssumptionDoubt, band: Band, base: Estimate | None, scale: Scale) -> BandRow:
    fine = scale.fine((band.high - band.low) / 2.0)
    return BandRow(
        title=title,
        value=NOT_KNOWN if base is None else scale.told(base).number(base.value, signed=True),
        sampling=NOT_KNOWN if base is None else scale.told(base).interval(base, signed=True),
        n=f"{doubt.share.n - doubt.failed:,}",
        doubt=fine.between(band.low, band.high, signed=True),
        median=fine.number(band.median, signed=True),
        foretold=PERCENT.text(band.foretold),
    )
