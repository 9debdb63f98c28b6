"""Section 1, the decision: at most 120 plain words, put together by a written rule; and what keeps a Safe batch from being written.

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
from amo_opt.config.assumptions import assumptions
from amo_opt.config.schema import given_figures
from amo_opt.report.blocks import Block, Bullets, Strong, Text
from amo_opt.report.ruling import kept_words, limit_title, objection_words, streams, verdict_words
from amo_opt.report.sections.doubt import doubt_words
from amo_opt.report.sections.evidence import RISKS, MetricRow, adverse
from amo_opt.report.sections.parameters import changed_names
from amo_opt.report.sections.validity import is_validated, own_episodes
from amo_opt.report.wording import PEG_SCALE, YIELD_SCALE, Chip, lower_first, paths_counted, plain_number
from amo_opt.search.rule import AXES
from amo_opt.wording import count

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.state import ProtocolState
    from amo_opt.report.account import Account
    from amo_opt.report.sets import Subject
    from amo_opt.search.result import Result

WORD_LIMIT = 120
GRAVITY = ("WORSE", "INCONCLUSIVE", "NO WORSE", "EQUIVALENT")


@dataclass(frozen=True)
class Decision:
    """``sentences`` are (label, text) pairs of at most 120 words together; ``warnings`` stand beside the verdict."""

    chip: Chip
    sentences: tuple[tuple[str, str], ...]
    warnings: tuple[Chip, ...]

    @property
    def words(self) -> int:
        """Words in the box, labels included."""
        return len(" ".join(f"{label} {text}" for label, text in self.sentences).split())


def blocks(of: Account) -> list[Block]:
    """The verdict with its warnings, and the sentences."""
    found = of.decision
    warnings = [part for each in found.warnings for part in (" · ", Strong(str(each)))]
    return [Text(Strong(str(found.chip)), *warnings), Bullets((Strong(f"{label}:"), f" {text}") for label, text in found.sentences)]


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
            ("Benefit", _benefit(rows)),
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


def _benefit(rows: tuple[MetricRow, ...]) -> str:
    better = [row for row in rows if row.name in AXES and row.verdict.word == "BETTER"]
    if not better:
        return "none beyond the intervals."
    return f"{_moved(min(better, key=lambda row: (row.paired.p_better, AXES.index(row.name))))}."


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
    if subject.other is None or any(name not in found for name in AXES):
        return []
    objection = subject.other.objection
    # the box names one limit, the one that binds; the figures of others are in section 6
    told = "" if objection is None else objection_words(objection, subject.account, digits=objection.kind == "tolerance")
    refused = "" if objection is None else f" On {streams(objection.stream)} it {told}."
    moved = "; ".join(_moved(found[name]) for name in AXES)
    return [("Best alternative", f"{subject.other.id}, on {_paths(subject)}: {moved}.{refused}")]


def _nothing_done(subject: Subject) -> str:
    score = subject.score(subject.current)
    return (
        f"yield {YIELD_SCALE.text(score.yield_annual.value)} ({YIELD_SCALE.interval(score.yield_annual)}), "
        f"peg risk {PEG_SCALE.text(score.peg_risk_bps.value)} ({PEG_SCALE.interval(score.peg_risk_bps)}) on {_paths(subject)}; "
        f"limits: {kept_words(subject.current)}."
    )


# -- what keeps a batch from being written --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Blocker:
    """One reason: the chip of the decision box and the sentence of section 13."""

    chip: Chip
    reason: str


def blockers_of(result: Result) -> tuple[Blocker, ...]:
    """The reasons in the order of the decision box; none = nothing of this kind stands in the way."""
    return (*_quick(result), *_old_state(result.study), *_sensitive(result))


def _quick(result: Result) -> tuple[Blocker, ...]:
    """A look at the study is no ground to sign anything, whatever it found."""
    study = result.study
    if not study.quick:
        return ()
    reason = (
        f"This is a quick run: {count(len(result.trials), 'set')} tried, {count(study.simulation.paths * study.certification.multiple, 'path')} of each scenario at most, "
        "no joint draws of what is assumed. It shows what a whole run would look at, and decides nothing to be signed."
    )
    return (Blocker(Chip("QUICK RUN"), reason),)


def _old_state(study: Study) -> tuple[Blocker, ...]:
    """By the oldest sourced figure, one without a date having the state's; where there is none, its age is not known."""
    limit, state = study.report.max_state_age_days, study.state
    figures = given_figures(state)
    ages = {name: (study.date - (each.date or state.date)).days for name, each in figures.items() if each.assumed is None}
    old = sorted((name for name, age in ages.items() if age > limit), key=lambda name: -ages[name])
    if not ages:
        return (Blocker(Chip("STATE WITHOUT SOURCE"), f"No figure of the state has a source: all {len(figures)} are assumed."),)
    if not old:
        return ()
    reason = (
        f"The state is too old: {count(len(old), 'sourced figure')} of {len(ages)} {'is' if len(old) == 1 else 'are'} older than the "
        f"{count(limit, 'day')} that the study allows, the oldest {old[0]} with {count(ages[old[0]], 'day')}."
    )
    return (Blocker(Chip("STATE TOO OLD"), reason),)


def _sensitive(result: Result) -> tuple[Blocker, ...]:
    """Where the study's share of draws is not shown; a recommendation that was to be drawn for and could not be counts as that."""
    doubt, study = result.doubt, result.study
    if doubt is None:
        lost = result.recommended is not None and study.certification.draws > 0 and bool(assumptions(study))
        return (Blocker(Chip("ASSUMPTION-SENSITIVE"), f"{doubt_words(None)}."),) if lost else ()
    return () if doubt.robust else (Blocker(Chip("ASSUMPTION-SENSITIVE"), f"The verdict hangs on what is assumed. {doubt_words(doubt)}."),)
