"""What keeps a Safe batch from being written, whatever the verdict: a quick run, a state that is old or all assumed, or a verdict that an assumption moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.config.assumptions import assumptions
from amo_opt.config.schema import given_figures
from amo_opt.report.sections.doubt import doubt_words
from amo_opt.report.wording import Chip
from amo_opt.wording import count

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.search.result import Result


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
