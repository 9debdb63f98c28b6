"""Profiles of several parameters, saved as one HTML page, SVG or PNG: a row a parameter, panels as in a report."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from amo_opt.report.figures.files import check_suffix, framed, plain_page, save_image, save_page
from amo_opt.report.figures.profile import draw_panel, panels_of, profile_alt
from amo_opt.report.figures.style import BLUE, blank, styled, to_svg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from amo_opt.report.spans import Span
    from amo_opt.report.stories.profiles import ProfilePage

PANELS = 3
WIDTH, HEIGHT = 11.7, 2.9
"""Inches of a row."""

_SECTION = """<section>
<h2>{heading}</h2>
<p>{finding}</p>
{figure}</section>
"""


def save_profiles(path: Path, pages: Sequence[ProfilePage], *, title: str) -> None:
    """Writes the drawing; the same bytes each time."""
    check_suffix(path)
    with styled():
        if path.suffix.lower() == ".html":
            sections = "".join(_section(page, f"profile{number}") for number, page in enumerate(pages))
            caption = f"<p>{escape(pages[0].facts.caption)}</p>\n" if pages else ""
            save_page(path, plain_page(title, sections + caption))
        else:
            save_image(draw_profiles(pages), path)


def draw_profiles(pages: Sequence[ProfilePage]) -> Figure:
    """A row of panels for each parameter, titles and axes named short: panels of a row stand close. Call inside `styled`."""
    figure = blank(WIDTH, HEIGHT * len(pages))
    for page, row in zip(pages, figure.subplots(len(pages), PANELS, squeeze=False), strict=True):
        panels = panels_of(page.facts)
        for axes, (label, series), clear in zip(row, panels, page.clear, strict=False):
            draw_panel(axes, page.facts, label, series)
            axes.set_xlabel(page.facts.parameter)
            axes.set_title(label.split(", mean")[0])
            _fill(axes, page, series[0][1], clear)
        for axes in row[len(panels) :]:
            axes.set_axis_off()
    return figure


def _fill(axes: Axes, page: ProfilePage, spans: tuple[Span, ...], clear: tuple[bool, ...]) -> None:
    """Filled points where the difference to the current set is larger than chance."""
    shown = [(value, span.value) for value, span, told in zip(page.facts.values, spans, clear, strict=True) if told]
    axes.plot([value for value, _ in shown], [value for _, value in shown], color=BLUE, linestyle="", marker="o", markersize=5.0)


def _section(page: ProfilePage, prefix: str) -> str:
    facts = page.facts
    svg = to_svg(draw_profiles([page]), prefix)
    return _SECTION.format(
        heading=escape(f"{facts.parameter}: {facts.title}"), finding=escape(facts.finding), figure=framed(svg, profile_alt(facts))
    )
