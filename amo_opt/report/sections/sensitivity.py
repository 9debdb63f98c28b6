"""The assumptions that explain most of the verdict's doubt, each moved to both ends of its range by itself: a picture, which decides nothing.

The effect of an end is how far it moves the difference between the two sets, on yield or on peg risk, whichever is more, measured in the
study's tolerances. Figures that move the verdict come first, then the largest effect.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.report.ruling import turn_words
from amo_opt.report.sections.choice import PEG_SCALE, YIELD_SCALE, Span, interval_words, span
from amo_opt.report.sections.doubt import assumption_title
from amo_opt.report.sections.neighbourhood import End, EndsRow
from amo_opt.report.wording import Chip, Scale, paths_counted, plain_number
from amo_opt.wording import MISSING, clean, count

if TYPE_CHECKING:
    from amo_opt.report.sections.front import StateRow
    from amo_opt.report.sets import Subject
    from amo_opt.scoring.types import Estimate
    from amo_opt.search.result import Result, Sensitivity

SHOWN = 10
"""Figures of the tornado, and of the table where fewer move the verdict."""


@dataclass(frozen=True)
class SensitivityEnd:
    """One end of a figure's range: the paired differences there, with intervals, and whether the verdict holds."""

    value: str
    earned: str
    earned_interval: str
    peg: str
    peg_interval: str
    n: str
    verdict: Chip
    objection: str


@dataclass(frozen=True)
class SensitivityRow:
    """One assumed figure: both ends, and its effect in tolerances."""

    figure: str
    title: str
    ends: tuple[SensitivityEnd, ...]
    effect: str
    moves: bool


@dataclass(frozen=True)
class NotRun:
    """An end of a range that could not be run, and why."""

    figure: str
    value: str
    why: str


@dataclass(frozen=True)
class SensitivityFacts:
    """The sensitivity part of section 10; ``rest`` names the figures that are not in the table, ``not_run`` the ends without a figure."""

    rows: tuple[SensitivityRow, ...]
    rest: tuple[str, ...]
    not_run: tuple[NotRun, ...]
    finding: str
    figure: tuple[EndsRow, ...]
    base: tuple[Span | None, Span | None]
    figure_caption: str


def sensitivity_of(result: Result, subject: Subject, state: tuple[StateRow, ...]) -> SensitivityFacts:
    """Every assumed figure that was moved, those that move the verdict first."""
    by_figure: dict[str, list[Sensitivity]] = {}
    for each in ran(result.sensitivity):
        by_figure.setdefault(each.figure, []).append(each)
    base = {each.metric: each.difference for each in subject.paired if each.scenario is None}
    effects = {name: max(_effect(each, base, result) for each in ends) for name, ends in by_figure.items()}
    moves = {name: not all(each.holds for each in ends) for name, ends in by_figure.items()}
    not_run = tuple(each for each in result.sensitivity if not each.n)
    ordered = sorted(by_figure, key=lambda name: (not moves[name], -effects[name], name))
    kept = max(SHOWN, sum(moves.values()))
    titles = {row.key: row.doc for row in state}
    rows = tuple(
        SensitivityRow(
            figure=name,
            title=titles.get(name) or assumption_title(name),
            ends=tuple(_end(each, subject.account) for each in sorted(by_figure[name], key=lambda each: each.end == "high")),
            effect=Scale(1.0, 2, "tolerances").number(effects[name]),
            moves=moves[name],
        )
        for name in ordered[:kept]
    )
    return SensitivityFacts(
        rows=rows,
        rest=tuple(ordered[kept:]),
        not_run=tuple(
            NotRun(each.figure, plain_number(each.value), "no reason recorded" if each.objection is None else clean(each.objection.detail))
            for each in not_run
        ),
        finding=_finding(result, ordered, moves),
        figure=tuple(EndsRow(name, tuple(_mark(each) for each in by_figure[name])) for name in ordered[:SHOWN]),
        base=(_base(base.get("yield"), YIELD_SCALE), _base(base.get("peg_cvar95_bps"), PEG_SCALE)),
        figure_caption=_figure_caption(result, subject, ordered[:SHOWN]),
    )


def ran(found: tuple[Sensitivity, ...]) -> tuple[Sensitivity, ...]:
    """The ends that could be run: the others have no paths."""
    return tuple(each for each in found if each.n)


def _effect(found: Sensitivity, base: dict[str, Estimate], result: Result) -> float:
    """Shift of the difference between the sets, in tolerances; infinite where the sets could not be compared."""
    certification = result.study.certification
    shifts = []
    for name, moved, tolerance in (
        ("yield", found.yield_difference, certification.tolerance_yield),
        ("peg_cvar95_bps", found.peg_difference, certification.tolerance_peg_bps),
    ):
        if moved is None:
            return math.inf
        shift = abs(moved.value - base[name].value) if name in base else 0.0
        shifts.append(shift / tolerance if tolerance > 0.0 else math.inf if shift > 0.0 else 0.0)
    return max(shifts)


def _end(found: Sensitivity, account: str) -> SensitivityEnd:
    earned, peg = _text(found.yield_difference, YIELD_SCALE), _text(found.peg_difference, PEG_SCALE)
    return SensitivityEnd(
        value=plain_number(found.value),
        earned=earned[0],
        earned_interval=earned[1],
        peg=peg[0],
        peg_interval=peg[1],
        n=f"{found.n:,}",
        verdict=Chip("HOLDS" if found.holds else "MOVES"),
        objection=turn_words(found.objection, account),
    )


def _text(estimate: Estimate | None, scale: Scale) -> tuple[str, str]:
    if estimate is None:
        return MISSING, MISSING
    fine = scale.told(estimate)
    return fine.number(estimate.value, signed=True), fine.interval(estimate, signed=True)


def _mark(found: Sensitivity) -> End:
    spans = tuple(
        None if each is None else span(each, scale)
        for each, scale in ((found.yield_difference, YIELD_SCALE), (found.peg_difference, PEG_SCALE))
    )
    return End(found.end, spans, held=found.holds)


def _base(estimate: Estimate | None, scale: Scale) -> Span | None:
    return None if estimate is None else span(estimate, scale)


def _finding(result: Result, ordered: list[str], moves: dict[str, bool]) -> str:
    if not ordered:
        return "No assumed figure was moved in this run, so how far the verdict hangs on them is not known."
    moved = sum(moves.values())
    n, lost = min(each.n for each in ran(result.sensitivity)), sum(not each.n for each in result.sensitivity)
    ends = "both ends" if not lost else "every end that was run"
    why = f" {count(lost, 'end')} could not be run, for the reasons given." if lost else ""
    tail = f"(n = {count(n, 'holdout path')} for each end, seed {result.study.search.seed}; those that explain most, one at a time, all else held; a picture that decides nothing).{why}"
    if not moved:
        return f"The verdict holds at {ends} of the range of {'the one assumption' if len(ordered) == 1 else f'all {len(ordered)} assumptions'} moved {tail}"
    return (
        f"{count(moved, 'assumption')} of the {len(ordered)} moved {'changes' if moved == 1 else 'change'} the verdict at an end of "
        f"{'its' if moved == 1 else 'their'} range; for {len(ordered) - moved} it holds at {ends} {tail}"
    )


def _figure_caption(result: Result, subject: Subject, shown: list[str]) -> str:
    if not shown:
        return ""
    found = [each for each in ran(result.sensitivity) if each.figure in shown]
    n, moved = min(each.n for each in found), any(not each.holds for each in found)
    intervals = interval_words(span for each in found for span in _mark(each).spans)
    order = "that move the verdict, or else have the largest effect" if moved else "with the largest effect"
    line = (
        ""
        if subject.other is None
        else f"; the line is the difference at the assumed values on all {paths_counted(subject.score(subject.other).yield_annual, f'{subject.stream} path')}"
    )
    return (
        f"{shown[0]} comes first. {subject.short_label} less current at the low (◀) and the high end (▶) of the {count(len(shown), 'figure')} {order}"
        f"{'; orange and hollow: the verdict moves there' if moved else ''}{line} (marks: {intervals}, the first n = {count(n, 'holdout path')}, "
        f"seed {result.study.search.seed})."
    )
