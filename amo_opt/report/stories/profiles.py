"""Profiles of a study's parameters as facts: for each parameter what is drawn, what it does, and which points are larger than chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.amos.naming import title_of
from amo_opt.report.sections.choice import ProfileFacts, bands, profile_facts
from amo_opt.report.stories.finding import finding_words
from amo_opt.search.rule import COVER, PEG, YIELD
from amo_opt.wording import sized_count

if TYPE_CHECKING:
    from amo_opt.search.profile import Profiles


@dataclass(frozen=True)
class ProfilePage:
    """One parameter: the facts of its panels, and for each panel whether a point differs from the current set by more than chance."""

    facts: ProfileFacts
    clear: tuple[tuple[bool, ...], ...]


def profile_pages(found: Profiles) -> tuple[ProfilePage, ...]:
    """A page a parameter, in their order."""
    base = f"All else held at {found.study.current.name} (n = {sized_count(found.n, found.twins, 'selection path')}, seed {found.study.search.seed}"
    told = bands(point for each in found.profiles for point in each.points)
    filled = any(point.shifts[term].moves for each in found.profiles for point in each.points for term in (YIELD, PEG, COVER))
    key = "filled points differ" if filled else "no point differs"
    caption = f"{base}; {told}; {key} from the current set by more than chance)."
    return tuple(
        ProfilePage(
            facts=profile_facts(
                each.parameter,
                each.points,
                title=title_of(each.parameter, found.study.state),
                log=each.log,
                marks=(("current", each.current),),
                finding=finding_words(each, found.study.state.unit),
                caption=caption,
            ),
            clear=tuple(tuple(point.shifts[term].moves for point in each.points) for term in (YIELD, PEG, COVER)),
        )
        for each in found.profiles
    )
