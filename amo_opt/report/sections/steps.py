"""Doing nothing, half the step and the whole of it, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.report.limits import limits_kept
from amo_opt.report.sections.choice import PEG_SCALE, YIELD_SCALE
from amo_opt.report.sections.tails import OBJECTIVES
from amo_opt.report.wording import Chip, paths_of

if TYPE_CHECKING:
    from amo_opt.report.sets import Subject
    from amo_opt.search.result import Candidate, Result

HALF_STEP = "Half the step"


@dataclass(frozen=True)
class StepRow:
    """Doing nothing, half the step or the whole: yield and peg risk with intervals, limits, and the verdicts against the current set."""

    title: str
    earned: str
    earned_interval: str
    earned_verdict: Chip | None
    peg: str
    peg_interval: str
    peg_verdict: Chip | None
    limits: str
    n: str


def steps_of(result: Result, subject: Subject) -> tuple[StepRow, ...]:
    """The two or three sets, from doing nothing to the whole step; empty where only the current set was certified."""
    if result.half_step is None and subject.other is None:
        return ()
    rows: list[tuple[str, Candidate]] = [("Do nothing (current)", subject.current)]
    if result.half_step is not None and subject.stream == "holdout":  # it has no figures on selection paths
        rows.append((HALF_STEP, result.half_step))
    if subject.other is not None:
        rows.append((f"The whole step ({subject.short_label})", subject.other))
    return tuple(_step(title, each, subject) for title, each in rows)


def _step(title: str, candidate: Candidate, subject: Subject) -> StepRow:
    score = subject.score(candidate)
    paired = {
        each.metric: each
        for each in (candidate.holdout_paired if score is candidate.holdout_score else candidate.selection_paired)
        if each.scenario is None
    }
    verdicts = {name: Chip(paired[name].verdict) if name in paired else None for name in OBJECTIVES}
    return StepRow(
        title=title,
        earned=YIELD_SCALE.number(score.yield_annual.value),
        earned_interval=YIELD_SCALE.interval(score.yield_annual),
        earned_verdict=verdicts["yield"],
        peg=PEG_SCALE.number(score.peg_risk_bps.value),
        peg_interval=PEG_SCALE.interval(score.peg_risk_bps),
        peg_verdict=verdicts["peg_cvar95_bps"],
        limits=limits_kept(score),
        n=paths_of(score.yield_annual),
    )
