"""Section 7: metrics that move against what one would expect, found by a written rule, and what is expected of each parameter.

The rule. (1) A neighbour that changes one parameter: its paired interval lies wholly on the side that the parameter's expectation does not
name. (2) The profile: two of its values whose intervals do not meet, in the unexpected order; the widest such pair. (3) The whole change:
every changed parameter with an expectation on a metric points one way and the metric's paired interval lies wholly on the other. (4) A risk
gets better while every figure it is made of gets worse, or the reverse, all beyond their intervals. (5) A line of the yield moves against the
whole: the whole beyond its paired interval, the line's own two intervals apart.

An expectation is a sign with its reason. It is not a law: where the model disagrees, either the model or the intuition deserves a look.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.kinds import POOL
from amo_opt.amos.layout import mechanisms_of
from amo_opt.amos.mechanism import Expectation
from amo_opt.amos.parameters import parameters_in, parameters_of
from amo_opt.report.blocks import Block, Code, InText, Line, Long, See, Table, Text, n, num, wide
from amo_opt.report.sections.neighbours import SIDES
from amo_opt.report.wording import Scale, better_of, lower_first, metric_of, paths_of, plain_number, scale_for, sentence_case
from amo_opt.search.rule import by_metric
from amo_opt.wording import clean, count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amo_opt.amos.mechanism import Mechanism
    from amo_opt.protocol.state import ProtocolState
    from amo_opt.report.account import Account
    from amo_opt.report.sets import Subject
    from amo_opt.scoring.types import Estimate, PairedDifference
    from amo_opt.search.result import Result

AS_EXPECTED, AGAINST, OPEN = "as expected", "against", "not told apart"
UNTESTED = "not tested"
FIRST = 8
"""Findings that stand in the section itself."""
RULE = (
    "The rule looks for: a neighbour or a stretch of the profile that moves a metric against the sign expected of it; a whole change whose parameters "
    "all point one way while the metric goes the other; a risk that gets better while every figure it is made of gets worse, or the reverse; a line of "
    "the yield against the whole. Each only where the intervals leave no doubt of the sign. Intervals are 95% and not corrected for the number of tests."
)


# -- what is expected ----------------------------------------------------------------------------------------------------------------


_OF_THE_ISSUER = (
    *(
        Expectation(parameter=parameter, metric=metric, sign=sign, reason=reason)
        for parameter, metric, sign, reason in (
            ("amplification", "peg_cvar95_bps", -1, "a flatter curve: the same sale moves the price less"),
            ("amplification", "shortfall_cvar90_bps", -1, "a flatter curve: the same sale moves the price less"),
            ("amplification", "floor_supply_01_usd", +1, "more can be sold before the price leaves 0.99"),
            ("idle_buffer", "yield", -1, "idle collateral earns nothing"),
            ("idle_buffer", "unserved_usd_hours", -1, "redemptions are paid from it at once"),
            ("idle_buffer", "unserved_cvar90_usd_hours", -1, "redemptions are paid from it at once"),
            ("pool_share_low", "yield", +1, "more of the pool is the protocol's and earns"),
            ("pool_share_low", "floor_supply_01_usd", -1, "more stablecoin in the pool leaves less room for sales"),
            ("pool_share_high", "yield", +1, "the AMO keeps its place in the pool for longer"),
            ("pool_share_high", "shortfall_cvar90_bps", +1, "stablecoin is withdrawn and burnt later"),
            ("pool_share_high", "floor_supply_01_usd", -1, "more stablecoin in the pool leaves less room for sales"),
            ("rebalance_rate", "shortfall_cvar90_bps", -1, "surplus stablecoin leaves the pool faster"),
            ("unwind_price", "yield", -1, "unwound collateral earns nothing"),
            ("unwind_price", "min_cr_external_tail95", +1, "collateral leaves its venues earlier"),
            ("unwind_rate", "unserved_usd_hours", -1, "collateral comes home sooner"),
        )
    ),
    Expectation(
        parameter="idle_buffer",
        metric="peg_cvar95_bps",
        sign=-1,
        reason="who leaves is paid at the door and sells nothing",
        against="what lies idle is not brought to the pool, whose other side pays sellers before the door opens, and whose providers leave by its share as far as that is assumed",
    ),
)


def _of(mechanism: Mechanism) -> tuple[Expectation, ...]:
    """An AMO's own; of a further pool what the first one's A is expected to do."""
    if mechanism.name.endswith(f"-{POOL}"):
        return tuple(
            replace(each, parameter=f"{mechanism.name}.amplification") for each in _OF_THE_ISSUER if each.parameter == "amplification"
        )
    return tuple(replace(each, parameter=mechanism.parameters[each.parameter].name) for each in mechanism.expectations)


def _sorted(mechanisms: tuple[Mechanism, ...], names: Iterable[str]) -> tuple[Expectation, ...]:
    places = {name: place for place, name in enumerate(names)}
    return tuple(sorted((*_OF_THE_ISSUER, *(each for one in mechanisms for each in _of(one))), key=lambda each: places[each.parameter]))


EXPECTATIONS: tuple[Expectation, ...] = _sorted(MECHANISMS, parameters_of(MECHANISMS))
"""Every expectation of what stands in the catalogue, by parameter in the order of a parameter file."""


def expectations_of(state: ProtocolState) -> tuple[Expectation, ...]:
    """`EXPECTATIONS`, and those of mechanisms whose names a state chose."""
    return _sorted(mechanisms_of(state), parameters_in(state)) if state.instances else EXPECTATIONS


MADE_OF: dict[str, tuple[str, ...]] = {
    "peg_cvar95_bps": ("shortfall_cvar90_bps", "min_price_tail95", "end_shortfall_bps"),
    "unserved_cvar90_usd_hours": ("unserved_usd_hours", "unserved_peak_usd"),
    "breach_probability": ("min_cr_external", "min_cr_external_tail95"),
    "hours_below_099": ("min_price", "min_price_tail95", "shortfall_cvar90_bps"),
}
"""A risk -> the figures that should move with it: a risk that falls while all of these get worse asks for an explanation."""


# -- what was found ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """One result against intuition: where it shows, what was expected and why, what was found; its figures are one paired difference, or those before and after."""

    where: str
    expected: str
    found: str
    scale: Scale
    figures: tuple[Estimate, ...]

    @property
    def interval(self) -> str:
        """A difference's is signed."""
        return "; ".join(self.scale.interval(each, signed=len(self.figures) == 1) for each in self.figures)


@dataclass(frozen=True)
class Intuition:
    """The findings of the rule, and how every expectation came out, test by test, on parameters that were changed, stepped or profiled."""

    findings: tuple[Finding, ...]
    outcomes: dict[Expectation, list[str]]


def finding(of: Account) -> str:
    """How many."""
    return f"{count(len(intuition_of(of.result, of.subject).findings), 'result')} against intuition"


def blocks(of: Account) -> list[Block]:
    """The findings, and what was expected."""
    found = intuition_of(of.result, of.subject)
    heads = ("Where", wide("Expected"), wide("Found"), num("95% interval"), n())
    rows = [(each.where, each.expected, each.found, each.interval, paths_of(each.figures[-1])) for each in found.findings]
    told: list[Block] = [Text(f"{summary(found)} {RULE}"), Table(heads, rows[:FIRST], label="Results against intuition")]
    if not found.outcomes:
        return [*told, Text("No parameter with a stated expectation was changed, stepped or profiled.")]
    more = f"{len(rows) - FIRST} further findings, " if rows[FIRST:] else ""
    return [
        *told,
        InText(Text(f"The expectations with their reasons, {more}and how each came out: ", See("expectations"), ".")),
        Long(
            "expectations",
            "What was expected of each parameter",
            Text("Further findings:" if more else ""),
            Table(heads, rows[FIRST:], label="Further results against intuition"),
            Text(
                "Signs by which the rule judges, each with its reason: what a metric should do as the parameter rises, and how it came out."
            ),
            Table(
                ("Parameter", "Metric", "Should", wide("Because"), "Tests"),
                (_row(each, outcomes, of.unit) for each, outcomes in found.outcomes.items()),
                label="Expected signs",
            ),
        ),
    ]


def _row(expectation: Expectation, outcomes: list[str], account: str) -> tuple[Line, ...]:
    counts = [f"{outcomes.count(word)} {word}" for word in (AS_EXPECTED, AGAINST, OPEN) if word in outcomes]
    return (
        Code(expectation.parameter),
        metric_of(expectation.metric, account).title,
        _direction(expectation.sign),
        expectation.reason,
        ", ".join(counts) or UNTESTED,
    )


def summary(found: Intuition) -> str:
    """How many findings, and how the tests came out."""
    tests = [each for kept in found.outcomes.values() for each in kept]
    told = f"{count(len(tests), 'test')} of {count(len(found.outcomes), 'expectation')}: {tests.count(AS_EXPECTED)} {AS_EXPECTED}, {tests.count(AGAINST)} {AGAINST}, {tests.count(OPEN)} {OPEN}."
    if found.findings:
        return f"{count(len(found.findings), 'result')} found by the rule. {told}"
    return f"None found by the rule. {told}"


def intuition_of(result: Result, subject: Subject) -> Intuition:
    """Every finding of the rule, and the outcomes of its tests."""
    expected = expectations_of(result.study.state)
    outcomes: dict[Expectation, list[str]] = {each: [] for each in expected}
    findings = [
        *_neighbours(result, outcomes),
        *_profile(result, outcomes),
        *_change(subject, expected),
        *_made_of(subject),
        *_lines(subject),
    ]
    looked_at = {
        *_changed(subject),
        *(each.parameter for each in result.neighbours),
        *([result.profile.parameter] if result.profile else []),
    }
    return Intuition(tuple(findings), {each: told for each, told in outcomes.items() if each.parameter in looked_at})


def _direction(sign: int) -> str:
    return "rises" if sign > 0 else "falls"


def _expected(expectation: Expectation) -> str:
    return f"{_direction(expectation.sign)} with a higher {expectation.parameter}: {expectation.reason}"


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
        paired = by_metric(neighbour.paired)
        for expectation, told in outcomes.items():
            if expectation.parameter != neighbour.parameter or expectation.metric not in paired:
                continue
            found = paired[expectation.metric]
            outcome = _outcome(found.difference.low, found.difference.high, expectation.sign * neighbour.side)
            told.append(outcome)
            if outcome == AGAINST:
                where = f"{neighbour.parameter} one step {SIDES[neighbour.side]}, {plain_number(neighbour.value)}"
                title = lower_first(metric_of(found.metric, account).title)
                yield _difference(where, f"{title} {_expected(expectation)}", found, account, behind=_mechanism(expectation))


def _moved(paired: PairedDifference, account: str) -> tuple[str, Scale]:
    """The difference in words, and the scale that shows it."""
    metric, found = metric_of(paired.metric, account), paired.difference
    scale = scale_for(metric.unit, (paired.current, paired.candidate)).told(found)
    return f"{lower_first(metric.title)} {scale.text(found.value, signed=True)}", scale


def _difference(where: str, expected: str, paired: PairedDifference, account: str, *, behind: str = "") -> Finding:
    """A finding of one paired difference; ``behind`` it stands what explains it."""
    told, scale = _moved(paired, account)
    return Finding(where, expected, f"{told}{behind}", scale, (paired.difference,))


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
                scale,
                (before, after),
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


def _change(subject: Subject, expected: tuple[Expectation, ...]) -> Iterator[Finding]:
    changed, paired = _changed(subject), by_metric(subject.paired)
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
            yield _difference(f"the whole change ({names})", f"{title} {_direction(sign)}: so says each of them", found, subject.account)


def _made_of(subject: Subject) -> Iterator[Finding]:
    paired = by_metric(subject.paired)
    for whole, parts in MADE_OF.items():
        known = [paired[part] for part in parts if part in paired]
        if whole not in paired or not known:
            continue
        sides = {_side(each) for each in known}
        side = _side(paired[whole])
        if side != 0 and sides == {-side}:
            word = "worse" if side > 0 else "better"
            figures = ", ".join(_with_interval(each, subject.account) for each in known)
            title = lower_first(metric_of(whole, subject.account).title)
            yield _difference(
                f"the whole change: {title} and what it is made of",
                f"{title} gets {word} too, as do {figures}",
                paired[whole],
                subject.account,
            )


def _with_interval(paired: PairedDifference, account: str) -> str:
    told, scale = _moved(paired, account)
    return f"{told} ({scale.interval(paired.difference, signed=True)})"


def _side(paired: PairedDifference) -> int:
    """+1 where the difference is better beyond its interval, -1 where it is worse, 0 where it is neither."""
    better = better_of(paired.metric)
    low, high = sorted((paired.difference.low * better, paired.difference.high * better))
    return 1 if low > 0.0 else -1 if high < 0.0 else 0


def _lines(subject: Subject) -> Iterator[Finding]:
    paired = by_metric(subject.paired).get("yield")
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
            yield Finding(
                f"the whole change: the yield's line {lower_first(title)}",
                f"moves with the whole yield, {_with_interval(paired, subject.account).removeprefix('yield ')}",
                f"{lower_first(title)} from {scale.text(before.value)} to {scale.text(after.value)}",
                scale,
                (before, after),
            )
