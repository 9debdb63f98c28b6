"""The decision box: at most 120 plain words, put together by a written rule.

The rule. What changes: the two parameters that come first in `changed_names`, the others counted. The benefit: of yield and peg risk the
one judged BETTER, that with the smaller p-value if both are. The risk: of yield and the safety metrics those that point
the wrong way, a shown one before one not told apart before one within its tolerance, then the furthest in units of its own interval; where
none does, the limit that the ruling names as nearest to binding. Then the verdict with its intervals, and what the current set
goes on doing. Words are dropped from the list of changes first if the box would grow past its limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.amos.cap_use import caps_below_use
from amo_opt.amos.naming import title_of
from amo_opt.report.blockers import blockers_of
from amo_opt.report.ruling import kept_words, limit_title, objection_words, streams, verdict_words
from amo_opt.report.sections.evidence import RISKS, MetricRow, adverse
from amo_opt.report.sections.parameters import changed_names
from amo_opt.report.sections.tails import OBJECTIVES
from amo_opt.report.sections.validity import is_validated, own_episodes
from amo_opt.report.wording import PEG_SCALE, YIELD_SCALE, Chip, lower_first, paths_counted, plain_number
from amo_opt.wording import count

if TYPE_CHECKING:
    from amo_opt.protocol.state import ProtocolState
    from amo_opt.report.sets import Subject
    from amo_opt.search.result import Result

WORD_LIMIT = 120
GRAVITY = ("WORSE", "INCONCLUSIVE", "NO WORSE", "EQUIVALENT")


@dataclass(frozen=True)
class Decision:
    """Section 1. ``sentences`` are (label, text) pairs of at most 120 words together; ``warnings`` stand beside the verdict."""

    chip: Chip
    sentences: tuple[tuple[str, str], ...]
    warnings: tuple[Chip, ...]

    @property
    def words(self) -> int:
        """Words in the box, labels included."""
        return len(" ".join(f"{label} {text}" for label, text in self.sentences).split())


def decision_of(result: Result, subject: Subject, rows: tuple[MetricRow, ...]) -> Decision:
    """The box for whatever the verdict is."""
    chip, warnings = Chip(result.verdict.upper()), warnings_of(result, subject)
    for named in (2, 1, 0):
        decision = Decision(chip, tuple(_sentences(result, subject, rows, named)), warnings)
        if decision.words <= WORD_LIMIT:
            break
    return decision


def warnings_of(result: Result, subject: Subject) -> tuple[Chip, ...]:
    """What stands beside the verdict wherever it is told."""
    unproven = () if is_validated(own_episodes(result.study, result.episodes)) else (Chip("MODEL NOT VALIDATED"),)
    unsettled = () if result.tails.settled else (Chip("TAIL NOT SETTLED"),)
    weighed = [subject.current, *([subject.other] if subject.recommended and subject.other is not None else [])]
    below = (Chip("CAP BELOW USE"),) if any(caps_below_use(each.parameters, result.study.state) for each in weighed) else ()
    return (*unproven, *(each.chip for each in blockers_of(result)), *unsettled, *below)


def _sentences(result: Result, subject: Subject, rows: tuple[MetricRow, ...], named: int) -> list[tuple[str, str]]:
    if result.verdict == "recommended":
        return [
            ("Change", _changes(subject, named, result.study.state)),
            ("Benefit", _benefit(subject, rows)),
            ("Risk", _risk(result, rows)),
            ("Verdict", f"recommended: {verdict_words(result)} Every limit holds there at its confidence bound."),
            ("If nothing is done", _nothing_done(subject)),
        ]
    return [
        ("Change", "nothing."),
        ("Verdict", f"{result.verdict}: {verdict_words(result)}{' The rule: section 6.' if result.verdict == 'no change' else ''}"),
        *_best_other(subject, rows),
        ("If nothing is done", _nothing_done(subject)),
    ]


def _changes(subject: Subject, named: int, state: ProtocolState) -> str:
    if subject.other is None:
        return "nothing."
    before, after = subject.current.parameters, subject.other.parameters
    names = changed_names(before, after)
    told = [
        f"{lower_first(title_of(name, state).split(',')[0])} from {plain_number(before.values()[name])} to {plain_number(after.values()[name])}"
        for name in names[:named]
    ]
    rest = len(names) - len(told)
    if rest:
        told.append(f"{count(rest, 'other parameter' if told else 'parameter')} (section 2)")
    return f"{'; '.join(told)}."


def _benefit(subject: Subject, rows: tuple[MetricRow, ...]) -> str:
    found = {each.metric: each for each in subject.paired if each.scenario is None and each.metric in OBJECTIVES}
    better = sorted(
        (each for each in found.values() if each.verdict == "BETTER"), key=lambda each: (each.p_better, OBJECTIVES.index(each.metric))
    )
    if not better:
        return "none beyond the intervals."
    return f"{_moved(next(row for row in rows if row.name == better[0].metric))}."


def _moved(row: MetricRow) -> str:
    """``yield +0.4211 pp a year (95% interval +0.3108 to +0.5302)``: the very figures of section 5."""
    name = "yield" if row.name == "yield" else "peg risk"
    return f"{name} {row.difference} {row.difference_unit} (95% interval {row.interval})".replace("  ", " ")


def _risk(result: Result, rows: tuple[MetricRow, ...]) -> str:
    wrong_way = [row for row in rows if row.name in RISKS and row.verdict.word in GRAVITY and adverse(row) > 0.0]
    worst = min(wrong_way, key=lambda row: (GRAVITY.index(row.verdict.word), -adverse(row)), default=None)
    if worst is not None:
        unit = f" {worst.difference_unit}" if worst.difference_unit else ""
        return f"{lower_first(worst.title)} {worst.difference}{unit} (95% interval {worst.interval})."
    nearest = result.ruling.binding
    if nearest is None:
        return "no metric points the wrong way."
    return f"no metric points the wrong way; nearest to its limit is: {limit_title(nearest.name, nearest.scenario)}."


def _paths(subject: Subject) -> str:
    return paths_counted(subject.score(subject.current).yield_annual, f"{subject.stream} path")


def _best_other(subject: Subject, rows: tuple[MetricRow, ...]) -> list[tuple[str, str]]:
    found = {row.name: row for row in rows}
    if subject.other is None or any(name not in found for name in OBJECTIVES):
        return []
    objection = subject.other.objection
    # the box names one limit, the one that binds; the figures of others are in section 6
    told = "" if objection is None else objection_words(objection, subject.account, digits=objection.kind == "tolerance")
    refused = "" if objection is None else f" On {streams(objection.stream)} it {told}."
    moved = "; ".join(_moved(found[name]) for name in OBJECTIVES)
    return [("Best alternative", f"{subject.other.id}, on {_paths(subject)}: {moved}.{refused}")]


def _nothing_done(subject: Subject) -> str:
    score = subject.score(subject.current)
    return (
        f"yield {YIELD_SCALE.text(score.yield_annual.value)} ({YIELD_SCALE.interval(score.yield_annual)}), "
        f"peg risk {PEG_SCALE.text(score.peg_risk_bps.value)} ({PEG_SCALE.interval(score.peg_risk_bps)}) on {_paths(subject)}; "
        f"limits: {kept_words(subject.current)}."
    )
