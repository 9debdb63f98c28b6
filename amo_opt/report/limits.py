"""The limits of the study as rows: estimate, confidence bound and verdict, before and after, and which comes nearest to breaking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.report.wording import Chip, constraint_title, paths_of, scale_for
from amo_opt.wording import MISSING, NOT_KNOWN, in_account

if TYPE_CHECKING:
    from amo_opt.report.sets import Subject
    from amo_opt.scoring.types import Constraint, Score


@dataclass(frozen=True)
class ConstraintRow:
    """One constraint of one scenario: estimate, confidence bound (one-sided), limit; before and after."""

    title: str
    scenario: str
    limit: str
    current: str
    current_high: str
    current_verdict: Chip
    proposed: str
    proposed_high: str
    proposed_verdict: Chip | None
    n: str


def constraint_rows(subject: Subject) -> tuple[ConstraintRow, ...]:
    """Every limit, in the order of the score."""
    after = {} if subject.other is None else {each.key: each for each in subject.score(subject.other).constraints}
    return tuple(_constraint_row(each, after.get(each.key), subject.account) for each in subject.score(subject.current).constraints)


def nearest_rows(subject: Subject) -> tuple[ConstraintRow, ...]:
    """Of each kind of limit the scenario whose confidence bound comes nearest to it under either set; the first where several do."""
    after = {} if subject.other is None else {each.key: each for each in subject.score(subject.other).constraints}
    kinds: dict[str, list[Constraint]] = {}
    for each in subject.score(subject.current).constraints:
        kinds.setdefault(each.name, []).append(each)

    def violation(limit: Constraint) -> float:
        return max(limit.violation_high, after[limit.key].violation_high if limit.key in after else limit.violation_high)

    tightest = [max(limits, key=violation) for limits in kinds.values()]
    return tuple(_constraint_row(each, after.get(each.key), subject.account) for each in tightest)


def limits_kept(score: Score) -> str:
    """``all 21 kept``, or how many are broken and undecided."""
    kept = score.kept
    undecided = sum(not each.decidable and each.violation <= 0.0 for each in score.constraints)
    broken = len(score.constraints) - kept - undecided
    if kept == len(score.constraints):
        return f"all {kept} kept"
    parts = [f"{number} {word}" for number, word in ((broken, "broken"), (undecided, "undecided")) if number]
    return f"{' and '.join(parts)} of {len(score.constraints)}"


def _constraint_row(before: Constraint, after: Constraint | None, account: str) -> ConstraintRow:
    scale = scale_for(in_account(before.unit, account), (before.estimate.value, before.confidence_bound, before.limit))

    def end(limit: Constraint) -> str:
        return NOT_KNOWN if limit.estimate.interval is None else scale.number(limit.confidence_bound)

    return ConstraintRow(
        title=constraint_title(before.name),
        scenario=before.scenario or "any",
        limit=f"at least {scale.text(before.limit)}" if before.at_least else scale.text(before.limit),
        current=scale.number(before.estimate.value),
        current_high=end(before),
        current_verdict=constraint_verdict(before),
        proposed=MISSING if after is None else scale.number(after.estimate.value),
        proposed_high=MISSING if after is None else end(after),
        proposed_verdict=None if after is None else constraint_verdict(after),
        n=paths_of(before.estimate) if before.estimate.n else "exact",
    )


def constraint_verdict(constraint: Constraint) -> Chip:
    """KEPT only where the confidence bound is within the limit; UNDECIDED where too few paths were run to know."""
    if constraint.decidable:
        return Chip("KEPT" if constraint.violation_high <= 0.0 else "BROKEN")
    return Chip("BROKEN" if constraint.violation > 0.0 else "UNDECIDED")
