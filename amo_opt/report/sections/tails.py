"""Whether the tail is settled, in words: of everything that certification left open (`search.tails`), what was seen and what would settle it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.report.wording import Scale, metric_of, scale_for
from amo_opt.search.rule import PEG
from amo_opt.wording import clean

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.scoring.types import Estimate
    from amo_opt.search.result import Result
    from amo_opt.search.tails import Doubt

OBJECTIVES = ("yield", PEG)
UNSEEN = 0.05
"""Chance that as many paths show nothing of what happens on a path as often as `unseen_chance` says."""
MORE = "more paths ([certification] multiple and most_paths)"


@dataclass(frozen=True)
class TailFacts:
    """``sentence`` tells everything that is open; empty where nothing is."""

    sentence: str

    @property
    def gap_sentence(self) -> str:
        """What the optimism gap's table has to say of it."""
        return "" if self.settled else "The tail is not settled (section 5), so the gap of peg risk is no measure of optimism."

    @property
    def settled(self) -> bool:
        """Whether nothing is open."""
        return not self.sentence


def tail_facts(result: Result) -> TailFacts:
    """What certification left open."""
    return TailFacts(" ".join(doubt_words(each, result.study) for each in result.tails.doubts))


def doubt_words(doubt: Doubt, study: Study) -> str:
    """What was seen, and what would settle it."""
    if doubt.kind == "not known":
        n = f"{paths_per_scenario(study):,}"
        return f"Whether the tail is settled is not known: n = {n} drawn paths a scenario are too few for an interval; {MORE} would tell."
    whose = "the current set" if doubt.set == "current" else clean(doubt.set)
    what = f"the difference in peg risk between {whose} and the current set" if doubt.difference else f"the peg risk of {whose}"
    scale = scale_for(metric_of(PEG, study.state.unit).unit, (doubt.found.value,)).told(doubt.found)
    found = _told(doubt.found, scale, signed=doubt.difference)
    if doubt.kind == "at the cap" and doubt.tolerance is not None:
        way = (
            "no number of paths that a study may ask for would tell them apart, if it is as seen"
            if doubt.needed is None
            else f"about {doubt.needed:,} would tell them apart, if it is as seen"
        )
        return f"The holdout does not tell {what}, {found}, from the tolerance of {scale.text(doubt.tolerance)} on as many paths as the study allows ([certification] most_paths = {doubt.cap:,} a scenario): {way}."
    if doubt.kind == "apart" and doubt.seen is not None:
        seen = _told(doubt.seen, scale, signed=doubt.difference)
        return f"Selection and holdout paths disagree on {what}: {seen} against {found}, further apart than the intervals allow for. A rare path may decide it, which only some paths hold: {MORE} would settle it."
    share = Scale(100.0, 0, "%").text(doubt.found.largest_share or 0.0)
    return f"One holdout path holds {share} of the variance of {what}, {found}, so the interval hangs on its having been drawn: {MORE} would settle it."


def paths_per_scenario(study: Study) -> int:
    """Certification's drawn paths of each scenario, for selection, and the fewest as holdout."""
    return study.simulation.paths * study.certification.multiple


def unseen_chance(n: int) -> float:
    """The most an event may happen, as a chance a path, and yet stay unseen on ``n`` paths one time in twenty."""
    return float(1.0 - UNSEEN ** (1.0 / n))


def _told(found: Estimate, scale: Scale, *, signed: bool) -> str:
    """``+2.0 bp (1.7 to 2.4)``."""
    return f"{scale.text(found.value, signed=signed)} ({scale.interval(found, signed=signed)})"
