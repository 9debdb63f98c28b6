"""Whether two independent sets of paths agree on the figures: a rare path that only one of them held shows as a disagreement.

The rule. For the current and the shown set, on yield and on peg risk, the tail is not settled where the two point estimates lie further apart
than the half-widths of their 95% intervals allow together (the root of the sum of their squares: about one time in twenty by chance), or
where one interval is over three times as wide as the other and one point lies outside the other's interval: a path weighs there that the
other paths do not hold. The bootstrap resamples the paths there are, so no interval knows of a path that was not drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.report.wording import Scale, lower_first, metric_of, scale_for

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.report.facts.sets import Subject
    from amo_opt.scoring.types import Estimate
    from amo_opt.search.result import Candidate, Result

OBJECTIVES = ("yield", "peg_cvar95_bps")
UNLIKE = 3.0
"""Widths of two intervals of as many paths that differ by more are not of the same tail."""
UNSEEN = 0.05
"""Chance that as many paths show nothing of what happens on a path as often as `unseen_chance` says."""


@dataclass(frozen=True)
class Tails:
    """``sentence`` tells every disagreement, or that the paths are too few to know of one; empty where there is none."""

    sentence: str
    known: bool = True

    @property
    def gap_sentence(self) -> str:
        """What the optimism gap's table has to say of it."""
        if self.settled:
            return ""
        apart = ": selection − holdout is more than the intervals allow for" if self.known else ""
        return f"The tail is not settled{apart} (section 5), so it is no measure of optimism."

    @property
    def settled(self) -> bool:
        """Whether selection and holdout paths agree on everything that was looked at."""
        return not self.sentence


def tails_of(result: Result, subject: Subject) -> Tails:
    """What selection paths and holdout paths disagree on, or that they are too few to tell."""
    if any(each.interval is None for name in OBJECTIVES for _, *pair in _both(result, subject, name) for each in pair):
        n = f"{paths_per_scenario(result.study):,}"
        return Tails(
            f"Whether selection and holdout paths agree is not known: n = {n} paths a scenario are too few for an interval.", known=False
        )
    told = []
    for name in OBJECTIVES:
        parts = [
            f"{label} {_against(name, on_selection, on_holdout)}"
            for label, on_selection, on_holdout in _both(result, subject, name)
            if disagree(on_selection, on_holdout)
        ]
        if parts:
            told.append(f"{lower_first(metric_of(name).title)}: {'; '.join(parts)}")
    if not told:
        return Tails("")
    n = f"{paths_per_scenario(result.study):,}"
    return Tails(
        f"Selection and holdout paths disagree on {', and on '.join(told)}: a rare path decides it, which n = {n} paths a scenario may or may not hold."
    )


def disagree(one: Estimate, other: Estimate) -> bool:
    """Whether two estimates of the same figure, from paths of their own, are further apart or more unlike than chance would have it."""
    widths = sorted((one.high - one.low, other.high - other.low))
    unlike = widths[1] > UNLIKE * widths[0] and (outside(one.value, other) or outside(other.value, one))
    return unlike or abs(one.value - other.value) > 0.5 * math.hypot(*widths)


def outside(value: float, other: Estimate) -> bool:
    """Whether a point estimate lies outside the interval of the other paths."""
    return not other.low <= value <= other.high


def paths_per_scenario(study: Study) -> int:
    """Certification paths of each scenario, for selection and as holdout alike."""
    return study.simulation.paths * study.certification.multiple


def unseen_chance(n: int) -> float:
    """The most an event may happen, as a chance a path, and yet stay unseen on ``n`` paths one time in twenty."""
    return float(1.0 - UNSEEN ** (1.0 / n))


def _both(result: Result, subject: Subject, name: str) -> list[tuple[str, Estimate, Estimate]]:
    """Label, figure on the selection paths, figure on the holdout paths: of the current and the shown set, and of the one the optimism gap is of."""
    found: dict[str, tuple[Estimate, Estimate]] = {}
    shown = "proposed" if subject.recommended else f"alternative {subject.other.id}" if subject.other is not None else ""
    for label, candidate in (("current", subject.current), (shown, subject.other)):
        if candidate is not None and candidate.holdout_score is not None:
            found[label] = (_figure(candidate, name, on_holdout=False), _figure(candidate, name, on_holdout=True))
    if name in result.gap:
        found.setdefault("proposed" if subject.recommended else "current", result.gap[name][1:])
    return [(label, on_selection, on_holdout) for label, (on_selection, on_holdout) in found.items()]


def _figure(candidate: Candidate, name: str, *, on_holdout: bool) -> Estimate:
    score = candidate.holdout_score if on_holdout and candidate.holdout_score is not None else candidate.selection_score
    return score.yield_annual if name == "yield" else score.peg_risk_bps


def _against(name: str, on_selection: Estimate, on_holdout: Estimate) -> str:
    """``8.5 bp (2.4 to 20.8) against 2.4 (2.4 to 2.4)``."""
    scale: Scale = scale_for(metric_of(name).unit, (on_selection.value, on_holdout.value))
    return f"{scale.text(on_selection.value)} ({scale.interval(on_selection)}) against {scale.number(on_holdout.value)} ({scale.interval(on_holdout)})"
