"""Scenarios drawn: for each a row of small panels, its waypoints and the band of its drawn paths around onset; as HTML, PNG or SVG."""

from __future__ import annotations

import textwrap
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from amo_opt.report.figures.files import check_suffix, save_page, save_sheet, styled_page
from amo_opt.report.figures.style import BLUE, GREY, INK, ORANGE, blank, price_ticks, styled, tick, to_svg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from amo_opt.report.stories.scenarios import Band, InputPanel, ScenarioPage

COLUMNS = 4
WIDTH, HEIGHT = 11.7, 3.3
"""Inches of one scenario's panels; at 1,400 pixels a panel is 350 wide."""
HEAD = 0.75
"""Inches above them for name and text, where the sheet stands alone."""
LINE = 185
"""Characters of a text's line on a sheet."""
DPI = 120
HUES = (ORANGE, BLUE, INK)
"""A panel's bands in turn."""
QUIET = "#5b6167"
"""Grey dark enough for small letters."""
SPAN = 0.004
"""A price panel spans at least this much, so that the noise of a calm day looks like it."""

READING = (
    "Bands hold 90% of the first 64 paths (stream search), lines their median, each path counted from its own onset; dots are the "
    "waypoints at the size and speed that are set, exits at the middle of the totals that are drawn. What a scenario leaves calm is grey."
)
_STYLE = """
@page{{size:A4;margin:9mm}}
body{{font:15px/1.45 system-ui,sans-serif;color:{ink};max-width:1360px;margin:1.5rem auto;padding:0 1rem}}
h1{{font-size:1.4rem;margin:0}}
h2{{font-size:1.05rem;margin:1.4rem 0 0}}
p{{max-width:72rem;margin:.2rem 0 .5rem}}
figure{{margin:0}}
section{{break-inside:avoid}}
svg{{display:block;width:100%;height:auto}}
@media print{{body{{font-size:8pt;line-height:1.3;margin:0;padding:0}}h1{{font-size:12pt}}h2{{font-size:9.5pt;margin-top:.6rem}}}}
"""
_BODY = """<p>{reading}</p>
{sections}"""
_SECTION = """<section id="{name}">
<h2>{name}: {title}</h2>
<p>{text}</p>
<figure role="img" aria-label="{alt}">
{svg}</figure>
</section>
"""


def save_scenarios(file: Path, pages: Sequence[ScenarioPage], *, title: str) -> None:
    """Writes the drawing, HTML, PNG or SVG by the file's ending; the same bytes each time."""
    check_suffix(file)
    with styled(), rc_context({"path.simplify": True}):
        if file.suffix.lower() == ".html":
            save_page(file, scenarios_page(pages, title=title))
        else:
            save_sheet(draw_sheet(pages), file, prefix="scenarios", dpi=DPI)


def scenarios_page(pages: Sequence[ScenarioPage], *, title: str) -> str:
    """One HTML file: a section a scenario, its text as text, its panels as inline SVG; no script, nothing fetched."""
    sections = []
    for number, page in enumerate(pages):
        figure = blank(WIDTH, HEIGHT)
        _draw(figure, page, height=HEIGHT)
        alt = f"{len(page.panels)} panels around onset: {', '.join(panel.title for panel in page.panels)}."
        sections.append(
            _SECTION.format(
                name=escape(page.name),
                title=escape(page.title),
                text=escape(page.text),
                alt=escape(alt),
                svg=to_svg(figure, f"scenario{number}"),
            )
        )
    return styled_page(title, _BODY.format(reading=escape(READING), sections="".join(sections)), style=_STYLE.format(ink=INK))


def draw_sheet(pages: Sequence[ScenarioPage]) -> Figure:
    """All scenarios one under the other, each below its name and text: a figure that stands alone. Call inside `styled`."""
    height = HEIGHT + HEAD
    figure = blank(WIDTH, height * len(pages))
    for part, page in zip(figure.subfigures(len(pages), 1, squeeze=False)[:, 0], pages, strict=True):
        part.text(0.008, 1.0 - 0.08 / height, f"{page.name}: {page.title}", va="top", fontsize=9.5, fontweight="bold", parse_math=False)
        lines = textwrap.wrap(page.text, LINE, max_lines=3, placeholder=" …")
        part.text(0.008, 1.0 - 0.26 / height, "\n".join(lines), va="top", fontsize=8.0, linespacing=1.3, parse_math=False)
        _draw(part, page, height=height)
    return figure


def _draw(figure: Figure | SubFigure, page: ScenarioPage, *, height: float) -> None:
    """The panels in the lowest `HEIGHT` inches of ``height``, places counted in inches: all scenarios' panels then stand alike."""
    figure.figure.set_layout_engine("none")
    rows = -(-len(page.panels) // COLUMNS)
    places = {"left": 0.5 / WIDTH, "right": 1.0 - 0.1 / WIDTH, "bottom": 0.42 / height, "top": (HEIGHT - 0.28) / height}
    axes = figure.subplots(rows, COLUMNS, squeeze=False, gridspec_kw=places | {"wspace": 0.23, "hspace": 0.45}).flatten()
    for place, (each, panel) in enumerate(zip(axes, page.panels, strict=False)):
        _fill(each, panel, page)
        if place >= len(page.panels) - COLUMNS:
            each.set_xlabel("days since onset", fontsize=8.0)
    for each in axes[len(page.panels) :]:
        each.set_axis_off()


def _fill(axes: Axes, panel: InputPanel, page: ScenarioPage) -> None:
    axes.set_title(panel.title, fontsize=8.5, color=INK if panel.moved else QUIET)
    axes.tick_params(labelsize=8.0, length=2.0)
    axes.set_xlim(page.hours[0] / 24.0, page.hours[-1] / 24.0)
    axes.axvline(0.0, color=GREY, linewidth=0.7, linestyle=(0, (4, 2)))
    silent = not panel.bands or not (panel.moved or any(band.high.any() or band.low.any() for band in panel.bands))
    if silent:
        axes.text(0.5, 0.5, "none", transform=axes.transAxes, ha="center", va="center", color=QUIET, fontsize=8.0)
        axes.yaxis.set_major_locator(NullLocator())
        return
    for band, hue in zip(panel.bands, HUES, strict=False):
        _draw_band(axes, band, page, hue if panel.moved else GREY)
    if panel.form == "log":
        axes.set_yscale("log")
    else:
        _limits(axes, panel)
    if len(panel.bands) > 1 or panel.title.startswith("Doors"):
        axes.legend(fontsize=7.5, frameon=False, loc="best", handlelength=1.2)


def _draw_band(axes: Axes, band: Band, page: ScenarioPage, hue: str) -> None:
    days = page.hours / 24.0
    axes.fill_between(days, band.low, band.high, color=hue, alpha=0.22, linewidth=0.0)
    axes.plot(days, band.middle, color=hue, linewidth=1.1, label=band.label)
    if band.points:
        axes.plot(
            [hour / 24.0 for hour, _ in band.points],
            [value for _, value in band.points],
            color=INK,
            linestyle="",
            marker="o",
            markersize=2.4,
            zorder=4.0,
        )


def _limits(axes: Axes, panel: InputPanel) -> None:
    low, high = axes.get_ylim()
    if panel.form == "price" and high - low < SPAN:
        middle = 0.5 * (low + high)
        low, high = middle - 0.5 * SPAN, middle + 0.5 * SPAN
    if panel.form in ("amount", "percent") and low > -0.05 * high:
        low = 0.0
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    if panel.form == "price":
        price_ticks(axes)
    else:
        axes.yaxis.set_major_formatter(FuncFormatter(tick))
