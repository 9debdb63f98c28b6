"""One path simulated again and drawn: what the command line saves and a notebook shows."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from html import escape
from typing import TYPE_CHECKING

from amo_opt.report.figures.story_files import drawing, save_story, story_body
from amo_opt.report.stories.story import Story, series_in, tell_story
from amo_opt.simulation.engine import trace
from amo_opt.tiles import boxed
from amo_opt.wording import named

if TYPE_CHECKING:
    from pathlib import Path

    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.stress.tilts import Design


@dataclass(frozen=True)
class DrawnPath:
    """A path's `Story`, which a notebook draws and `save` writes."""

    story: Story

    def __repr__(self) -> str:
        return f"DrawnPath({named(self.story.title)!r}, {self.story.worst.label})"

    def _repr_html_(self) -> str:
        # a notebook holds several, and ids within an SVG are the whole page's
        told = f"{self.story.title}\n{self.story.caption}"
        with drawing():
            body = story_body(self.story, prefix=f"story-{blake2b(told.encode(), digest_size=4).hexdigest()}")
        return boxed(f"<b>{escape(self.story.title)}</b>{body}")

    def save(self, file: Path) -> None:
        """Writes the drawing: HTML, PNG or SVG by the file's ending."""
        save_story(file, self.story)


def draw_path(
    parameters: ParameterSet,
    study: Study,
    *,
    scenario: str,
    path: int,
    stream: str = "search",
    design: Design | None = None,
    component: int = 0,
) -> DrawnPath:
    """One path of a scenario by its number in ``stream`` (a row of `simulate`'s ``.paths``), or its twin in a ``component`` of a ``design``.

    Raises `AmoOptError` for a scenario that the study does not have, `SimulationError` where the path fails.
    """
    columns = series_in(study.state)
    traced = trace(
        parameters, study, scenario=scenario, paths=1, first_path=path, stream=stream, columns=columns, design=design, component=component
    )
    series = {name: values[:, 0] for name, values in traced.items()}
    return DrawnPath(tell_story(series, study, parameters, scenario=scenario, path=path, stream=stream, design=design, component=component))
