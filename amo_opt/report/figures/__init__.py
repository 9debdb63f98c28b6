"""Account -> inline SVG. The only place that imports matplotlib."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.report.figures.bars import draw_convergence, draw_importances
from amo_opt.report.figures.ends import Pane, draw_ends
from amo_opt.report.figures.episodes import draw_episode
from amo_opt.report.figures.fans import draw_fan
from amo_opt.report.figures.forest import draw_forest
from amo_opt.report.figures.heatmap import draw_heat, heat_of
from amo_opt.report.figures.profile import draw_profile, profile_alt
from amo_opt.report.sections.evidence import forest_caption, reach_words
from amo_opt.report.sections.search import convergence_of

if TYPE_CHECKING:
    from amo_opt.report.account import Account

__all__ = ["Drawing", "draw_all"]


@dataclass(frozen=True)
class Drawing:
    """One figure: its panels as SVG, the finding in a sentence, and what a reader who cannot see it should know."""

    panels: tuple[str, ...]
    caption: str
    alt: str


def draw_all(facts: Account) -> dict[str, tuple[Drawing, ...]]:
    """The drawings by place; a place is empty where the facts hold nothing to draw."""
    metrics, choice = facts.metrics, facts.choice
    drawings: dict[str, tuple[Drawing, ...]] = {"forest": (), "fans": (), "profile": (), "episodes": ()}
    if metrics:
        alt = f"Forest plot of {len(metrics)} paired differences, each {reach_words(metrics)}; the table above holds every number."
        drawings["forest"] = (Drawing((draw_forest(metrics),), forest_caption(facts), alt),)
    drawings["fans"] = tuple(
        Drawing(
            (draw_fan(panel, f"fan{number}", facts.account),),
            f"{panel.title}. {panel.caption}",
            f"Fan chart of the pool price by day in scenario {panel.scenario}: {' and '.join(each.label for each in panel.series)}{' on one axis' if len(panel.series) > 1 else ''}.",
        )
        for number, panel in enumerate(facts.fans)
    )
    drawings["episodes"] = tuple(
        Drawing(
            (draw_episode(each.prices, f"episode{number}", facts.account),),
            each.caption,
            f"Price by hour in the episode {each.name}: the model's {'mean' if each.prices.low is None else 'band'} and {each.prices.n} recorded prices.",
        )
        for number, each in enumerate(facts.validity.episodes)
        if each.prices is not None
    )
    if choice.profile is not None and len(choice.profile.values) > 1:
        alt = profile_alt(choice.profile)
        drawings["profile"] = (Drawing(draw_profile(choice.profile), choice.profile.caption, alt),)
    return {**drawings, **_around(facts), **_of_the_search(facts)}


def _around(facts: Account) -> dict[str, tuple[Drawing, ...]]:
    """The heat map, the neighbours and the tornado."""
    heat, around, sensitivity = heat_of(facts.result, facts.subject), facts.neighbourhood, facts.sensitivity
    drawings: dict[str, tuple[Drawing, ...]] = {"heat": (), "neighbours": (), "tornado": ()}
    if heat.panels:
        alt = f"Heat map of differences to the current set: {len(heat.scenarios)} scenarios by {len(heat.columns)} sets for {len(heat.panels)} metrics; the number stands in each cell."
        drawings["heat"] = (Drawing(draw_heat(heat), heat.caption, alt),)
    if around.figure:
        panes = (Pane("yield (pp a year)", None, around.tolerances[0]), Pane("peg risk (bp)", None, around.tolerances[1]))
        alt = f"Differences of the neighbours to the shown set for {len(around.figure)} parameters, one step lower or higher; the table holds the numbers."
        drawings["neighbours"] = (Drawing((draw_ends(around.figure, panes, "neighbours"),), around.figure_caption, alt),)
    if sensitivity.figure:
        earned, peg = sensitivity.base
        panes = (Pane("yield, shown less current (pp a year)", earned, 0.0), Pane("peg risk, shown less current (bp)", peg, 0.0))
        alt = f"Tornado of {len(sensitivity.figure)} assumed figures moved to the ends of their ranges; the table holds the numbers."
        drawings["tornado"] = (Drawing((draw_ends(sensitivity.figure, panes, "tornado"),), sensitivity.figure_caption, alt),)
    return drawings


def _of_the_search(facts: Account) -> dict[str, tuple[Drawing, ...]]:
    """What mattered and how it converged."""
    around, convergence = facts.neighbourhood, convergence_of(facts.result)
    drawings: dict[str, tuple[Drawing, ...]] = {"importances": (), "hypervolume": ()}
    if around.importances:
        alt = f"Bars of the importance of {len(around.importances)} parameters for each objective; the table holds the shares."
        drawings["importances"] = (Drawing((draw_importances(around),), around.importance_caption, alt),)
    if len(convergence.shares) > 1:
        alt = f"Line of the front's hypervolume over {len(convergence.shares)} batches, in per cent of its end."
        drawings["hypervolume"] = (Drawing((draw_convergence(convergence),), convergence.caption, alt),)
    return drawings
