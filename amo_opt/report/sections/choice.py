"""Why these numbers: the certified front, the alternatives and what spoke against each, and the profile over one parameter."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.amos.naming import title_of
from amo_opt.amos.parameters import PARAMETERS
from amo_opt.report.limits import limits_kept
from amo_opt.report.rule import rule_words
from amo_opt.report.ruling import explanation_of, reason_of
from amo_opt.report.sets import Subject, role_title
from amo_opt.report.stories.finding import HIDDEN_BY_A, optimum_words
from amo_opt.report.wording import Scale, paths_counted, paths_of, plain_number, sentence_case
from amo_opt.wording import clean, count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amo_opt.scoring.types import Estimate, Score
    from amo_opt.search.result import Candidate, Profile, ProfilePoint, Result

YIELD_SCALE = Scale(100.0, 2, "% a year")
PEG_SCALE = Scale(1.0, 1, "bp")
CR_SCALE = Scale(1.0, 4, "")
CR_METRICS = ("min_cr_external_tail95", "min_cr_external")
SMALL_TERM = 0.02
"""Yield terms that never exceed this share of the largest are drawn together as one."""


@dataclass(frozen=True)
class Span:
    """A figure with its interval, in display units; ends that are not known are NaN, which no figure draws."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class AlternativeRow:
    """A candidate in words: its objectives with intervals on the paths it was judged on, and why it was taken or not."""

    title: str
    earned: str
    peg: str
    constraints: str
    stream: str
    n: str
    reason: str


@dataclass(frozen=True)
class ProfileFacts:
    """A profile over one parameter: ``terms`` holds the yield by line, the whole first; series in display units."""

    parameter: str
    title: str
    log: bool
    finding: str
    values: tuple[float, ...]
    terms: tuple[tuple[str, tuple[Span, ...]], ...]
    peg: tuple[Span, ...]
    cr_external: tuple[Span, ...]
    cr_title: str
    marks: tuple[tuple[str, float], ...]
    table: tuple[tuple[str, ...], ...]
    caption: str


@dataclass(frozen=True)
class Choice:
    """Section 6: the rule, what it found, every certified set."""

    rule: str
    explanation: str
    alternatives: tuple[AlternativeRow, ...]
    rejected: tuple[AlternativeRow, ...]
    profile: ProfileFacts | None


def choice_of(result: Result, subject: Subject) -> Choice:
    """The alternatives and the profile."""
    ordered = sorted(result.candidates, key=lambda each: (each.role != "current", each.selection_score.peg_risk_bps.value, each.id))
    rows = {each.id: _row(each, subject) for each in ordered}
    shown = [each for each in ordered if each.role != "candidate"]
    return Choice(
        rule=rule_words(result.study.certification, subject.account),
        explanation=explanation_of(result),
        alternatives=tuple(rows[each.id] for each in shown),
        rejected=tuple(rows[each.id] for each in ordered if each.role == "candidate"),
        profile=None if result.profile is None else _profile(result.profile, result, subject),
    )


def _row(candidate: Candidate, subject: Subject) -> AlternativeRow:
    score = subject.score(candidate)
    return AlternativeRow(
        title=role_title(candidate),
        earned=f"{YIELD_SCALE.number(score.yield_annual.value)} ({YIELD_SCALE.interval(score.yield_annual)})",
        peg=f"{PEG_SCALE.number(score.peg_risk_bps.value)} ({PEG_SCALE.interval(score.peg_risk_bps)})",
        constraints=limits_kept(score),
        stream="holdout" if score is candidate.holdout_score else "selection",
        n=paths_of(score.yield_annual),
        reason=reason_of(candidate, subject.account),
    )


def _profile(profile: Profile, result: Result, subject: Subject) -> ProfileFacts:
    marks = [("current", float(subject.current.parameters.values()[profile.parameter]))]
    if subject.other is not None and subject.recommended:
        marks.append(("proposed", float(subject.other.parameters.values()[profile.parameter])))
    paths = paths_counted(profile.points[0].score.yield_annual, "selection path") if profile.points else count(0, "selection path")
    finding = f"{optimum_words(profile.optimum)}."
    hidden = f" {HIDDEN_BY_A}" if profile.optimum.searched else ""
    caption = (
        f"{finding}{hidden} All else held at {clean(profile.base)} (n = {paths}, seed {result.study.search.seed}; {bands(profile.points)})."
    )
    log = PARAMETERS[profile.parameter].log
    title = title_of(profile.parameter, result.study.state)
    return profile_facts(profile.parameter, profile.points, title=title, log=log, marks=tuple(marks), finding=finding, caption=caption)


def profile_facts(
    parameter: str,
    points: Sequence[ProfilePoint],
    *,
    title: str,
    log: bool,
    marks: tuple[tuple[str, float], ...],
    finding: str,
    caption: str,
) -> ProfileFacts:
    """The facts of a profile over one parameter: its points in order, in display units."""
    points = sorted(points, key=lambda each: each.value)
    cr_metric = next((name for name in CR_METRICS if all(name in each.score.metrics for each in points)), None)
    return ProfileFacts(
        parameter=parameter,
        title=title,
        log=log,
        finding=finding,
        values=tuple(float(each.value) for each in points),
        terms=_terms(tuple(each.score for each in points)),
        peg=tuple(span(each.score.peg_risk_bps, PEG_SCALE) for each in points),
        cr_external=() if cr_metric is None else tuple(span(each.score.metrics[cr_metric], CR_SCALE) for each in points),
        cr_title="Lowest external CR, mean of the lowest 5%" if cr_metric == CR_METRICS[0] else "Lowest external CR, mean",
        marks=marks,
        table=tuple(_profile_cells(each, cr_metric) for each in points),
        caption=caption,
    )


def _profile_cells(point: ProfilePoint, cr_metric: str | None) -> tuple[str, ...]:
    figures = [(point.score.yield_annual, YIELD_SCALE), (point.score.peg_risk_bps, PEG_SCALE)]
    if cr_metric is not None:
        figures.append((point.score.metrics[cr_metric], CR_SCALE))
    return (plain_number(point.value), *(f"{scale.number(each.value)} ({scale.interval(each)})" for each, scale in figures))


def _terms(scores: tuple[Score, ...]) -> tuple[tuple[str, tuple[Span, ...]], ...]:
    """The whole yield, then its lines from largest to smallest; small ones are summed (values only: their interval is not known)."""
    whole = tuple(span(each.yield_annual, YIELD_SCALE) for each in scores)
    names = [name for name in (scores[0].yield_terms if scores else {}) if all(name in each.yield_terms for each in scores)]
    reach = {name: max(abs(each.yield_terms[name].value) for each in scores) for name in names}
    limit = SMALL_TERM * max(reach.values(), default=0.0)
    large = sorted((name for name in names if reach[name] > limit), key=lambda name: -reach[name])
    terms = [("Yield, whole", whole)]
    terms += [(sentence_case(name), tuple(span(each.yield_terms[name], YIELD_SCALE) for each in scores)) for name in large]
    small = [name for name in names if name not in large]
    if small:
        sums = [100.0 * sum(each.yield_terms[name].value for name in small) for each in scores]
        terms.append(("Other lines", tuple(Span(value, value, value) for value in sums)))
    return tuple(terms)


def bands(points: Iterable[ProfilePoint]) -> str:
    """What a caption says of the bands along profiles."""
    drawn = [figure for each in points for figure in (each.score.yield_annual, each.score.peg_risk_bps)]
    words = interval_words(span(each, PEG_SCALE) for each in drawn)
    return f"bands are {words}, of the yield that of the whole" if any(each.interval for each in drawn) else f"no bands, {words}"


def interval_words(spans: Iterable[Span | None]) -> str:
    """What a caption says of the intervals of what is drawn."""
    known = {math.isfinite(each.low) for each in spans if each is not None}
    if False not in known:
        return "95% intervals"
    return "95% intervals where known" if True in known else "intervals not known: too few paths"


def span(estimate: Estimate, scale: Scale) -> Span:
    """The estimate in display units."""
    low, high = estimate.interval or (math.nan, math.nan)
    return Span(estimate.value * scale.factor, low * scale.factor, high * scale.factor)
