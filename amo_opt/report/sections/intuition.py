"""Section 7: metrics that move against what one would expect, found by a written rule.

The rule. (1) A neighbour that changes one parameter: its paired interval lies wholly on the side that the parameter's expectation does not
name. (2) The profile: two of its values whose intervals do not meet, in the unexpected order; the widest such pair. (3) The whole change:
every changed parameter with an expectation on a metric points one way and the metric's paired interval lies wholly on the other. (4) A risk
gets better while every figure it is made of gets worse, or the reverse, all beyond their intervals. (5) A line of the yield moves against the
whole: the whole beyond its paired interval, the line's own two intervals apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.report.sections.expectations import MADE_OF, expectations_of
from amo_opt.report.sections.neighbourhood import SIDES
from amo_opt.report.wording import better_of, lower_first, metric_of, paths_of, plain_number, scale_for, sentence_case
from amo_opt.wording import clean, count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amo_opt.amos.mechanism import Expectation
    from amo_opt.report.sets import Subject
    from amo_opt.scoring.types import Estimate, PairedDifference
    from amo_opt.search.result import Result

AS_EXPECTED, AGAINST, OPEN = "as expected", "against", "not told apart"
UNTESTED = "not tested"


@dataclass(frozen=True)
class Finding:
    """One result against intuition: where it shows, what was expected and why, what was found with its interval and n."""

    where: str
    expected: str
    found: str
    interval: str
    n: str


@dataclass(frozen=True)
class ExpectationRow:
    """One expectation as printed, and how it came out: counts over neighbours, profile and the change."""

    parameter: str
    metric: str
    direction: str
    reason: str
    outcome: str


@dataclass(frozen=True)
class Intuition:
    """Section 7."""

    findings: tuple[Finding, ...]
    summary: str
    expectations: tuple[ExpectationRow, ...]


def intuition_of(result: Result, subject: Subject) -> Intuition:
    """Every finding of the rule, and the expectations on parameters that were changed, stepped or profiled."""
    expected = expectations_of(result.study.state)
    outcomes: dict[Expectation, list[str]] = {each: [] for each in expected}
    findings = [
        *_neighbours(result, outcomes),
        *_profile(result, outcomes),
        *_change(subject, expected),
        *_made_of(subject),
        *_lines(subject),
    ]
    changed = set(_changed(subject))
    looked_at = changed | {each.parameter for each in result.neighbours} | ({result.profile.parameter} if result.profile else set())
    rows = tuple(_row(each, outcomes[each], subject.account) for each in expected if each.parameter in looked_at)
    return Intuition(findings=tuple(findings), summary=_summary(findings, outcomes, rows), expectations=rows)


def _summary(findings: list[Finding], outcomes: dict[Expectation, list[str]], rows: tuple[ExpectationRow, ...]) -> str:
    tests = [each for kept in outcomes.values() for each in kept]
    told = f"{count(len(tests), 'test')} of {count(len(rows), 'expectation')}: {tests.count(AS_EXPECTED)} {AS_EXPECTED}, {tests.count(AGAINST)} {AGAINST}, {tests.count(OPEN)} {OPEN}."
    if findings:
        return f"{count(len(findings), 'result')} found by the rule. {told}"
    return f"None found by the rule. {told}"


def _row(expectation: Expectation, outcomes: list[str], account: str) -> ExpectationRow:
    counts = [f"{outcomes.count(word)} {word}" for word in (AS_EXPECTED, AGAINST, OPEN) if word in outcomes]
    return ExpectationRow(
        parameter=expectation.parameter,
        metric=metric_of(expectation.metric, account).title,
        direction="rises" if expectation.sign > 0 else "falls",
        reason=expectation.reason,
        outcome=", ".join(counts) or UNTESTED,
    )


def _expected(expectation: Expectation) -> str:
    direction = "rises" if expectation.sign > 0 else "falls"
    return f"{direction} with a higher {expectation.parameter}: {expectation.reason}"


def _mechanism(expectation: Expectation) -> str:
    """What is known to turn an expectation round, behind what was found."""
    return f": {expectation.against}" if expectation.against else ""


def _outcome(low: float, high: float, sign: int) -> str:
    """Of a difference's interval against an expected sign."""
    if low > 0.0 or high < 0.0:
        return AS_EXPECTED if (low > 0.0) == (sign > 0) else AGAINST
    return OPEN


def _neighbours(result: Result, outcomes: dict[Expectation, list[str]]) -> Iterator[Finding]:
    account = result.study.state.unit
    for neighbour in result.neighbours:
        paired = {each.metric: each for each in neighbour.paired if each.scenario is None}
        for expectation, told in outcomes.items():
            if expectation.parameter != neighbour.parameter or expectation.metric not in paired:
                continue
            found = paired[expectation.metric]
            outcome = _outcome(found.difference.low, found.difference.high, expectation.sign * neighbour.side)
            told.append(outcome)
            if outcome == AGAINST:
                where = f"{neighbour.parameter} one step {SIDES[neighbour.side]}, {plain_number(neighbour.value)}"
                told_move, *rest = _moved(found, account)
                yield Finding(
                    where,
                    f"{lower_first(metric_of(found.metric, account).title)} {_expected(expectation)}",
                    f"{told_move}{_mechanism(expectation)}",
                    *rest,
                )


def _moved(paired: PairedDifference, account: str) -> tuple[str, str, str]:
    """The difference, its interval and n as text."""
    metric, found = metric_of(paired.metric, account), paired.difference
    scale = scale_for(metric.unit, (paired.current, paired.candidate)).told(found)
    return f"{lower_first(metric.title)} {scale.text(found.value, signed=True)}", scale.interval(found, signed=True), paths_of(found)


def _profile(result: Result, outcomes: dict[Expectation, list[str]]) -> Iterator[Finding]:
    profile = result.profile
    if profile is None:
        return
    points = sorted(profile.points, key=lambda each: each.value)
    for expectation, told in outcomes.items():
        if expectation.parameter != profile.parameter:
            continue
        curve = [(each.value, each.score.metrics[expectation.metric]) for each in points if expectation.metric in each.score.metrics]
        if len(curve) < 2:
            continue
        pairs = [
            (one, other)
            for place, one in enumerate(curve)
            for other in curve[place + 1 :]
            if _outcome(*_apart(one[1], other[1]), expectation.sign) == AGAINST
        ]
        first, last = curve[0][1], curve[-1][1]
        told.append(AGAINST if pairs else _outcome(*_apart(first, last), expectation.sign))
        if pairs:
            (low, before), (high, after) = max(pairs, key=lambda pair: (abs(pair[1][1].value - pair[0][1].value), -pair[0][0]))
            metric = metric_of(expectation.metric, result.study.state.unit)
            scale = scale_for(metric.unit, (before.value, after.value))
            yield Finding(
                f"profile over {profile.parameter}, {plain_number(low)} to {plain_number(high)}",
                f"{lower_first(metric.title)} {_expected(expectation)}",
                f"{lower_first(metric.title)} from {scale.text(before.value)} to {scale.text(after.value)}{_mechanism(expectation)}",
                f"{scale.interval(before)}; {scale.interval(after)}",
                paths_of(after),
            )


def _apart(before: Estimate, after: Estimate) -> tuple[float, float]:
    """The range of the difference that both intervals leave: it excludes zero only where they do not meet."""
    return after.low - before.high, after.high - before.low


def _changed(subject: Subject) -> dict[str, int]:
    """Parameters that differ, with the direction of the change."""
    if subject.other is None:
        return {}
    before, after = subject.current.parameters.values(), subject.other.parameters.values()
    return {name: 1 if after[name] > before[name] else -1 for name in before if after[name] != before[name]}


def _overall(subject: Subject) -> dict[str, PairedDifference]:
    return {each.metric: each for each in subject.paired if each.scenario is None}


def _change(subject: Subject, expected: tuple[Expectation, ...]) -> Iterator[Finding]:
    changed, paired = _changed(subject), _overall(subject)
    for metric in dict.fromkeys(each.metric for each in expected):
        about = [each for each in expected if each.metric == metric and each.parameter in changed]
        signs = {each.sign * changed[each.parameter] for each in about}
        if metric not in paired or len(signs) != 1:
            continue
        sign = signs.pop()
        found = paired[metric]
        if _outcome(found.difference.low, found.difference.high, sign) == AGAINST:
            names = ", ".join(f"{each.parameter} {'up' if changed[each.parameter] > 0 else 'down'}" for each in about)
            title = lower_first(metric_of(metric, subject.account).title)
            yield Finding(
                f"the whole change ({names})",
                f"{title} {'rises' if sign > 0 else 'falls'}: so says each of them",
                *_moved(found, subject.account),
            )


def _made_of(subject: Subject) -> Iterator[Finding]:
    paired = _overall(subject)
    for whole, parts in MADE_OF.items():
        known = [paired[part] for part in parts if part in paired]
        if whole not in paired or not known:
            continue
        sides = {_side(each) for each in known}
        side = _side(paired[whole])
        if side != 0 and sides == {-side}:
            word = "worse" if side > 0 else "better"
            figures = ", ".join(f"{text} ({interval})" for text, interval, _ in (_moved(each, subject.account) for each in known))
            title = lower_first(metric_of(whole, subject.account).title)
            yield Finding(
                f"the whole change: {title} and what it is made of",
                f"{title} gets {word} too, as do {figures}",
                *_moved(paired[whole], subject.account),
            )


def _side(paired: PairedDifference) -> int:
    """+1 where the difference is better beyond its interval, -1 where it is worse, 0 where it is neither."""
    better = better_of(paired.metric)
    low, high = sorted((paired.difference.low * better, paired.difference.high * better))
    return 1 if low > 0.0 else -1 if high < 0.0 else 0


def _lines(subject: Subject) -> Iterator[Finding]:
    paired = _overall(subject).get("yield")
    if subject.other is None or paired is None or _side(paired) == 0:
        return
    now, then = (subject.score(each).yield_terms for each in (subject.current, subject.other))
    for name, before in now.items():
        after = then.get(name)
        if after is None:
            continue
        if _outcome(*_apart(before, after), _side(paired)) == AGAINST:
            scale = scale_for("per year", (before.value, after.value))
            scale = scale.fine(min(before.high - before.low, after.high - after.low))
            title = sentence_case(clean(name))
            moved, ends, _ = _moved(paired, subject.account)
            yield Finding(
                f"the whole change: the yield's line {lower_first(title)}",
                f"moves with the whole yield, {moved.removeprefix('yield ')} ({ends})",
                f"{lower_first(title)} from {scale.text(before.value)} to {scale.text(after.value)}",
                f"{scale.interval(before)}; {scale.interval(after)}",
                paths_of(after),
            )
