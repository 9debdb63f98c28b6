"""Facts -> inline SVG. The only place that imports matplotlib."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.report.figures.episodes import draw_episode
from amo_opt.report.figures.fans import draw_fan
from amo_opt.report.figures.forest import draw_forest
from amo_opt.report.figures.front import draw_front
from amo_opt.report.figures.profile import draw_profile

if TYPE_CHECKING:
    from amo_opt.report.facts import Facts

__all__ = ["Drawing", "draw_all"]


@dataclass(frozen=True)
class Drawing:
    """One figure: its panels as SVG, the finding in a sentence, and what a reader who cannot see it should know."""

    panels: tuple[str, ...]
    caption: str
    alt: str


def draw_all(facts: Facts) -> dict[str, tuple[Drawing, ...]]:
    """The drawings by place; a place is empty where the facts hold nothing to draw."""
    evidence, choice = facts.evidence, facts.choice
    drawings: dict[str, tuple[Drawing, ...]] = {"forest": (), "front": (), "fans": (), "profile": (), "episodes": ()}
    if evidence.rows:
        alt = f"Forest plot of {len(evidence.rows)} paired differences with 95% intervals; the table above holds every number."
        drawings["forest"] = (Drawing((draw_forest(evidence.rows),), evidence.forest_caption, alt),)
    if choice.front:
        alt = f"Scatter of yield over peg risk for {len(choice.front)} certified sets with 95% intervals; the table of alternatives holds the numbers."
        drawings["front"] = (Drawing((draw_front(choice.front),), choice.front_caption, alt),)
    drawings["fans"] = tuple(
        Drawing(
            (draw_fan(panel, f"fan{number}"),),
            f"{panel.title}. {panel.caption}",
            f"Fan chart of the pool price by day in scenario {panel.scenario}: {' and '.join(each.label for each in panel.series)} on one axis.",
        )
        for number, panel in enumerate(facts.fans)
    )
    drawings["episodes"] = tuple(
        Drawing(
            (draw_episode(each.prices, f"episode{number}"),),
            each.caption,
            f"Price by hour in the episode {each.name}: the model's band and {each.prices.n} recorded prices.",
        )
        for number, each in enumerate(facts.validity.episodes)
        if each.prices is not None
    )
    if choice.profile is not None and len(choice.profile.values) > 1:
        alt = f"Panels of yield by line, peg risk and external collateral ratio over {choice.profile.title}."
        drawings["profile"] = (Drawing(draw_profile(choice.profile), choice.profile.caption, alt),)
    return drawings
