"""One path simulated again and drawn: what the command line saves and a notebook shows."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from amo_opt.errors import AmoOptError
from amo_opt.report.facts.story import Story, series_in, tell_story
from amo_opt.report.figures.story_files import draw_story, reading_of, save_story
from amo_opt.report.figures.style import styled, to_svg
from amo_opt.simulation.engine import trace
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
        with styled():
            svg = to_svg(draw_story(self.story), "story")
        heads = f"<b>{escape(self.story.title)}</b><br>{escape(self.story.subtitle)}"
        return f'<div style="background:#fff;color:#22272b">{heads}<p>{escape(self.story.caption)}</p>{svg}<p>{escape(reading_of(self.story))}</p></div>'

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
    names = [each.name for each in study.scenarios]
    if scenario not in names:
        raise AmoOptError(f"unknown scenario {scenario!r}; the study has {', '.join(names)}")
    if path < 0:
        raise AmoOptError(f"path = {path}; paths count from 0")
    columns = series_in(study.state)
    traced = trace(
        parameters, study, scenario=scenario, paths=1, first_path=path, stream=stream, columns=columns, design=design, component=component
    )
    series = {name: values[:, 0] for name, values in traced.items()}
    return DrawnPath(tell_story(series, study, parameters, scenario=scenario, path=path, stream=stream, design=design, component=component))
