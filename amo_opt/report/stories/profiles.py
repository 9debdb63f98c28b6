"""Profiles over one parameter, as they are drawn: of a report's set, and of each parameter of a study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.amos.naming import title_of
from amo_opt.report.stories.finding import finding_words
from amo_opt.report.wording import CR_SCALE, PEG_SCALE, YIELD_SCALE, Span, interval_words, sentence_case, span
from amo_opt.search.rule import COVER, PEG, YIELD
from amo_opt.wording import sized_count

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amo_opt.search.profile import Profiles
    from amo_opt.search.result import ProfilePoint

CR_TITLES = {
    "min_cr_external_tail95": "Lowest external CR, mean of the lowest 5%",
    "min_cr_external": "Lowest external CR, mean",
}
"""Metrics of collateral and what they are called, the better one first."""
SMALL_TERM = 0.02
"""Yield terms that never exceed this share of the largest are drawn together as one."""


@dataclass(frozen=True)
class ProfileFacts:
    """A profile over one parameter: its points upwards, the sets that are marked, and series in display units."""

    parameter: str
    title: str
    log: bool
    finding: str
    points: tuple[ProfilePoint, ...]
    marks: tuple[tuple[str, float], ...]
    caption: str

    @property
    def values(self) -> tuple[float, ...]:
        """What the parameter was set to."""
        return tuple(float(each.value) for each in self.points)

    @property
    def peg(self) -> tuple[Span, ...]:
        """Peg risk."""
        return tuple(span(each.score.peg_risk_bps, PEG_SCALE) for each in self.points)

    @property
    def cr_metric(self) -> str | None:
        """The collateral ratio that every point has."""
        return next((name for name in CR_TITLES if all(name in each.score.metrics for each in self.points)), None)

    @property
    def cr_external(self) -> tuple[Span, ...]:
        """The lowest external collateral ratio; empty where none was kept."""
        metric = self.cr_metric
        return () if metric is None else tuple(span(each.score.metrics[metric], CR_SCALE) for each in self.points)

    @property
    def cr_title(self) -> str:
        """What it is."""
        return CR_TITLES.get(self.cr_metric or "", "")

    @property
    def terms(self) -> tuple[tuple[str, tuple[Span, ...]], ...]:
        """The whole yield, then its lines from largest to smallest; small ones are summed (values only: their interval is not known)."""
        scores = [each.score for each in self.points]
        names = [name for name in (scores[0].yield_terms if scores else {}) if all(name in each.yield_terms for each in scores)]
        reach = {name: max(abs(each.yield_terms[name].value) for each in scores) for name in names}
        limit = SMALL_TERM * max(reach.values(), default=0.0)
        large = sorted((name for name in names if reach[name] > limit), key=lambda name: -reach[name])
        terms = [("Yield, whole", tuple(span(each.yield_annual, YIELD_SCALE) for each in scores))]
        terms += [(sentence_case(name), tuple(span(each.yield_terms[name], YIELD_SCALE) for each in scores)) for name in large]
        small = [name for name in names if name not in large]
        if small:
            sums = [YIELD_SCALE.factor * sum(each.yield_terms[name].value for name in small) for each in scores]
            terms.append(("Other lines", tuple(Span(value, value, value) for value in sums)))
        return tuple(terms)


def upwards(points: Iterable[ProfilePoint]) -> tuple[ProfilePoint, ...]:
    """The points in the order of their values."""
    return tuple(sorted(points, key=lambda each: each.value))


def bands(points: Iterable[ProfilePoint]) -> str:
    """What a caption says of the bands along profiles."""
    drawn = [figure for each in points for figure in (each.score.yield_annual, each.score.peg_risk_bps)]
    words = interval_words(span(each, PEG_SCALE) for each in drawn)
    return f"bands are {words}, of the yield that of the whole" if any(each.interval for each in drawn) else f"no bands, {words}"


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
    return tuple(
        ProfilePage(
            facts=ProfileFacts(
                parameter=each.parameter,
                title=title_of(each.parameter, found.study.state),
                log=each.log,
                finding=finding_words(each, found.study.state.unit),
                points=upwards(each.points),
                marks=(("current", each.current),),
                caption=f"{base}; {told}; {key} from the current set by more than chance).",
            ),
            clear=tuple(tuple(point.shifts[term].moves for point in each.points) for term in (YIELD, PEG, COVER)),
        )
        for each in found.profiles
    )
