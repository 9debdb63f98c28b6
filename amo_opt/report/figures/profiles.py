"""Profiles: over one parameter yield by line, peg risk and lowest external collateral ratio; of several a page, SVG or PNG with a row a parameter."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from amo_opt.report.figures.files import check_suffix, framed, plain_page, save_image, save_page
from amo_opt.report.figures.style import BLUE, GREY, HUES, blank, styled, to_svg
from amo_opt.wording import significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from amo_opt.report.stories.profiles import ProfileFacts, ProfilePage
    from amo_opt.report.wording import Span

DASHES: tuple[object, ...] = (
    "-",
    (0, (5, 1.5)),
    (0, (3, 1.5, 1, 1.5)),
    (0, (1, 1.2)),
    (0, (6, 1, 1, 1, 1, 1)),
    (0, (2, 2)),
    (0, (4, 3)),
    (0, (1, 3)),
)
LABEL_GAP = 0.075
"""Least distance between two labels at the right edge, share of the axis."""


def draw_profile(profile: ProfileFacts) -> tuple[str, ...]:
    """Three small panels over the same parameter axis; the second only two where no collateral ratio was kept."""
    return tuple(_panel(profile, label, series, f"profile{number}") for number, (label, series) in enumerate(panels_of(profile)))


def profile_alt(profile: ProfileFacts) -> str:
    """What a reader who cannot see the panels should know."""
    parts = ["yield by line", "peg risk", *(["external collateral ratio"] if profile.cr_external else [])]
    return f"Panels of {', '.join(parts[:-1])} and {parts[-1]} over {profile.title}."


def panels_of(profile: ProfileFacts) -> list[tuple[str, tuple[tuple[str, tuple[Span, ...]], ...]]]:
    """Title and lines of each panel."""
    panels = [("yield by line (% a year)", profile.terms), ("peg risk, CVaR 95% (bp)", (("", profile.peg),))]
    if profile.cr_external:
        panels.append((profile.cr_title[0].lower() + profile.cr_title[1:], (("", profile.cr_external),)))
    return panels


def _panel(profile: ProfileFacts, label: str, series: tuple[tuple[str, tuple[Span, ...]], ...], prefix: str) -> str:
    with styled():
        figure = blank(3.9, 2.9)
        draw_panel(figure.add_subplot(), profile, label, series)
        return to_svg(figure, prefix)


def draw_panel(axes: Axes, profile: ProfileFacts, label: str, series: tuple[tuple[str, tuple[Span, ...]], ...]) -> None:
    """One panel: lines over the parameter's values, the first with its interval as a band, the sets marked."""
    for place, (_, spans) in enumerate(series):
        colour, width = (BLUE, 1.8) if place == 0 else (GREY, 1.1)
        if place == 0:
            axes.fill_between(
                profile.values, [each.low for each in spans], [each.high for each in spans], color=BLUE, alpha=0.18, linewidth=0
            )
        dash = DASHES[place % len(DASHES)]
        axes.plot(
            profile.values,
            [each.value for each in spans],
            color=colour,
            linewidth=width,
            linestyle=dash,
            marker="." if place == 0 else "",
        )
    if profile.log:
        axes.set_xscale("log")
        _plain_log_ticks(axes, profile.values)
    _mark_sets(axes, profile.marks)
    if len(series) > 1:
        _label_ends(axes, series)
    axes.set_xlabel(profile.title.split(",")[0])
    axes.set_title(label)


def _mark_sets(axes: Axes, marks: tuple[tuple[str, float], ...]) -> None:
    """A dashed line for each set, named on its outer side so that two near ones do not write over each other."""
    for place, (name, value) in enumerate(sorted(marks, key=lambda each: each[1])):
        axes.axvline(value, color=HUES[name], linewidth=0.9, linestyle=(0, (3, 2)))
        outer_left = len(marks) > 1 and place == 0
        axes.annotate(
            name,
            (value, 0.0),
            xycoords=("data", "axes fraction"),
            xytext=(-2 if outer_left else 2, 2),
            textcoords="offset points",
            fontsize=7.5,
            va="bottom",
            ha="right" if outer_left else "left",
            color=HUES[name],
        )


def _plain_log_ticks(axes: Axes, values: tuple[float, ...]) -> None:
    """Three or four of the profiled values as ticks, written out."""
    step = max(1, round((len(values) - 1) / 3))
    axes.xaxis.set_major_locator(FixedLocator(values[::step]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: significant(value, 4)))


def _label_ends(axes: Axes, series: tuple[tuple[str, tuple[Span, ...]], ...]) -> None:
    """Names at the lines' right ends, pushed apart where they would overlap."""
    low, high = axes.get_ylim()
    gap = LABEL_GAP * (high - low)
    ends = sorted((spans[-1].value, place, name) for place, (name, spans) in enumerate(series))
    heights: list[float] = []
    for value, _, _ in ends:
        heights.append(value if not heights else max(value, heights[-1] + gap))
    for (_, place, name), height in zip(ends, heights, strict=True):
        axes.annotate(
            name,
            (1.0, height),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            fontsize=7.5,
            va="center",
            annotation_clip=False,
            color=BLUE if place == 0 else "#5b6167",
        )


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
