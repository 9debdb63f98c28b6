"""Account -> inline SVG. The only place that imports matplotlib."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.report.figures.backtest import draw_episode
from amo_opt.report.figures.bars import draw_convergence, draw_importances
from amo_opt.report.figures.fans import draw_fan
from amo_opt.report.figures.heatmap import draw_heat, heat_of
from amo_opt.report.figures.intervals import draw_ends, draw_forest
from amo_opt.report.figures.profiles import draw_profile, profile_alt
from amo_opt.report.sections import doubt, neighbours
from amo_opt.report.sections.choice import explained, importance_caption, importances_of, profile_of
from amo_opt.report.sections.evidence import forest_caption, reach_words
from amo_opt.report.sections.search import convergence_of
from amo_opt.report.sections.validity import own_episodes, price_caption, prices_of
from amo_opt.wording import clean

if TYPE_CHECKING:
    from amo_opt.report.account import Account

__all__ = ["Drawing", "draw_all"]


@dataclass(frozen=True)
class Drawing:
    """One figure: its panels as SVG, the finding in a sentence, and what a reader who cannot see it should know."""

    panels: tuple[str, ...]
    caption: str
    alt: str


def draw_all(of: Account) -> dict[str, tuple[Drawing, ...]]:
    """The drawings by place; a place is empty where the of hold nothing to draw."""
    metrics, profile = of.metrics, profile_of(of)
    drawings: dict[str, tuple[Drawing, ...]] = {"forest": (), "fans": (), "profile": (), "episodes": ()}
    if metrics:
        alt = f"Forest plot of {len(metrics)} paired differences, each {reach_words(metrics)}; the table above holds every number."
        drawings["forest"] = (Drawing((draw_forest(metrics),), forest_caption(of), alt),)
    drawings["fans"] = tuple(
        Drawing(
            (draw_fan(panel, f"fan{number}", of.unit),),
            f"{panel.title}. {panel.caption}",
            f"Fan chart of the pool price by day in scenario {panel.scenario}: {' and '.join(each.label for each in panel.series)}{' on one axis' if len(panel.series) > 1 else ''}.",
        )
        for number, panel in enumerate(of.fans)
    )
    drawings["episodes"] = tuple(
        Drawing(
            (draw_episode(prices, f"episode{number}", of.unit),),
            price_caption(each, of.study.search.seed),
            f"Price by hour in the episode {clean(each.name)}: the model's {'mean' if prices.low is None else 'band'} and {prices.n} recorded prices.",
        )
        for number, each in enumerate(own_episodes(of.study, of.result.episodes))
        if (prices := prices_of(each)) is not None
    )
    if profile is not None and len(profile.points) > 1:
        drawings["profile"] = (Drawing(draw_profile(profile), profile.caption, profile_alt(profile)),)
    return {**drawings, **_around(of), **_of_the_search(of)}


def _around(of: Account) -> dict[str, tuple[Drawing, ...]]:
    """The heat map, the neighbours and the tornado."""
    heat, around, moved = heat_of(of.result, of.subject), neighbours.ends_of(of), doubt.ends_of(of)
    drawings: dict[str, tuple[Drawing, ...]] = {"heat": (), "neighbours": (), "tornado": ()}
    if heat.panels:
        alt = f"Heat map of differences to the current set: {len(heat.scenarios)} scenarios by {len(heat.columns)} sets for {len(heat.panels)} metrics; the number stands in each cell."
        drawings["heat"] = (Drawing(draw_heat(heat), heat.caption, alt),)
    if around is not None:
        axes = ("yield (pp a year)", "peg risk (bp)")
        alt = f"Differences of the neighbours to the shown set for {len(around.rows)} parameters, one step lower or higher; the table holds the numbers."
        drawings["neighbours"] = (Drawing((draw_ends(around, axes, "neighbours"),), around.caption, alt),)
    if moved is not None:
        axes = ("yield, shown less current (pp a year)", "peg risk, shown less current (bp)")
        alt = f"Tornado of {len(moved.rows)} assumed figures moved to the ends of their ranges; the table holds the numbers."
        drawings["tornado"] = (Drawing((draw_ends(moved, axes, "tornado"),), moved.caption, alt),)
    return drawings


def _of_the_search(of: Account) -> dict[str, tuple[Drawing, ...]]:
    """What mattered and how it converged."""
    shares, convergence = importances_of(of), convergence_of(of.result)
    drawings: dict[str, tuple[Drawing, ...]] = {"importances": (), "hypervolume": ()}
    if shares:
        alt = f"Bars of the importance of {len(shares)} parameters for each objective; the table holds the shares."
        drawings["importances"] = (Drawing((draw_importances(explained(of), shares),), importance_caption(of), alt),)
    if len(convergence.shares) > 1:
        alt = f"Line of the front's hypervolume over {len(convergence.shares)} batches, in per cent of its end."
        drawings["hypervolume"] = (Drawing((draw_convergence(convergence),), convergence.caption, alt),)
    return drawings
