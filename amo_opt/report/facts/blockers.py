"""What keeps a Safe batch from being written, whatever the verdict: a state that is old or all assumed, or a verdict that an assumption moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.config.schema import given_figures
from amo_opt.report.facts.ruling import turn_words
from amo_opt.report.wording import Chip, plain_number
from amo_opt.wording import count

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.search.result import Result, Sensitivity


@dataclass(frozen=True)
class Blocker:
    """One reason: the chip of the decision box and the sentence of section 13."""

    chip: Chip
    reason: str


def blockers_of(result: Result) -> tuple[Blocker, ...]:
    """The reasons in the order of the decision box; none = nothing of this kind stands in the way."""
    return (*_old_state(result.study), *_sensitive(result.sensitivity))


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


def _sensitive(found: tuple[Sensitivity, ...]) -> tuple[Blocker, ...]:
    moved = [each for each in found if not each.holds]
    if not moved:
        return ()
    first = moved[0]
    reason = (
        f"The verdict hangs on an assumption: it does not hold at {count(len(moved), 'end')} of the ranges of assumed figures, first with "
        f"{first.figure} at {plain_number(first.value)}{': ' + turn_words(first.objection) if first.objection else ''}."
    )
    return (Blocker(Chip("ASSUMPTION-SENSITIVE"), reason),)
