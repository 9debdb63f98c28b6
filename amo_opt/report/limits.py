"""The limits of the study: estimate, confidence bound and verdict, before and after, and which comes nearest to breaking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.report.blocks import Block, Heading, InText, Line, Long, See, Table, Text, Told, n, num
from amo_opt.report.ruling import kept_words, verdict_words
from amo_opt.report.wording import Chip, Scale, constraint_title, paths_of, scale_for
from amo_opt.wording import NOT_KNOWN, in_account

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amo_opt.report.account import Account
    from amo_opt.report.sets import Subject
    from amo_opt.scoring.types import Constraint


def limit_blocks(of: Account) -> list[Block]:
    """Every limit; where the section is posted, of each kind the nearest."""
    current, shown = of.subject.current, of.subject.other
    other = f"; {of.subject.label}: {kept_words(shown)}" if of.metrics and shown is not None else ""
    rule = (
        "A limit is kept only if its confidence bound (the worse end of the estimate's one-sided interval) is within it; it stays undecided where so few "
        f"paths cannot prove it. {of.result.verdict.capitalize()}: {verdict_words(of.result)} Current set: {kept_words(current)}{other}. "
        f"The table is of {of.subject.stream} paths"
    )
    nearest = ": for each kind of limit the scenario nearest to breaking it; all of them: "
    return [
        InText(Heading("Limits"), Text(rule, nearest, See("limits"), "."), _limit_table(of.subject, nearest_limits(of.subject))),
        Long("limits", "Every limit", Text(f"{rule}."), _limit_table(of.subject, of.subject.score(current).constraints)),
    ]


def nearest_limits(subject: Subject) -> list[Constraint]:
    """Of each kind of limit that of the scenario whose confidence bound comes nearest to it under either set; the first where several do."""
    after = {} if subject.other is None else {each.key: each.violation_high for each in subject.score(subject.other).constraints}
    kinds: dict[str, list[Constraint]] = {}
    for each in subject.score(subject.current).constraints:
        kinds.setdefault(each.name, []).append(each)
    return [max(limits, key=lambda each: max(each.violation_high, after.get(each.key, each.violation_high))) for limits in kinds.values()]


def _limit_table(subject: Subject, limits: Iterable[Constraint]) -> Table:
    """Limits as the current set and the other keep them."""
    after = {} if subject.other is None else {each.key: each for each in subject.score(subject.other).constraints}
    beside = () if not after else (num(f"{subject.label} (bound)"), f"{subject.label}: kept?")
    heads = ("Limit on", "Scenario", num("Limit"), num("Current (bound)"), "Current: kept?", *beside, n())
    rows = []
    for each in limits:
        scale = scale_for(in_account(each.unit, subject.account), (each.estimate.value, each.confidence_bound, each.limit))
        allowed = f"at least {scale.text(each.limit)}" if each.at_least else scale.text(each.limit)
        then = _kept(after.get(each.key), scale) if after else ()
        paths = paths_of(each.estimate) if each.estimate.n else "exact"
        rows.append((constraint_title(each.name), each.scenario or "any", allowed, *_kept(each, scale), *then, paths))
    return Table(heads, rows, label="Limits")


def _kept(limit: Constraint | None, scale: Scale) -> tuple[Line, Line]:
    """Estimate with its confidence bound, and whether that is within the limit."""
    if limit is None:
        return None, None
    side = "≥" if limit.at_least else "≤"
    bound = NOT_KNOWN if limit.estimate.interval is None else f"{side} {scale.number(limit.confidence_bound)}"
    return Told(scale.number(limit.estimate.value), bound), constraint_verdict(limit)


def constraint_verdict(constraint: Constraint) -> Chip:
    """KEPT only where the confidence bound is within the limit; UNDECIDED where too few paths were run to know."""
    if constraint.decidable:
        return Chip("KEPT" if constraint.violation_high <= 0.0 else "BROKEN")
    return Chip("BROKEN" if constraint.violation > 0.0 else "UNDECIDED")
