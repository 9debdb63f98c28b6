"""A story as a file: an HTML page, or a sheet with title and caption as PNG or SVG."""

from __future__ import annotations

import textwrap
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context

from amo_opt.report.figures.files import check_suffix, save_page, save_sheet, styled_page
from amo_opt.report.figures.story import QUIET, WIDTH, draw_panels, panels_height
from amo_opt.report.figures.style import INK, blank, styled, to_svg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

    from amo_opt.report.stories.story import Story

DPI = 160
CAPTION_LINE = 150
"""Characters of a caption's line on a sheet."""
LINE_HEIGHT = 0.165

_STYLE = """
@page{{size:A4;margin:9mm}}
body{{font:15px/1.5 system-ui,sans-serif;color:{ink};max-width:1360px;margin:1.5rem auto;padding:0 1rem}}
h1{{font-size:1.4rem;margin:0}}
h1+p{{margin:0 0 .6rem;color:{grey}}}
p{{max-width:64rem}}
svg{{display:block;width:100%;height:auto}}
@media print{{body{{font-size:8pt;line-height:1.3;margin:0;padding:0}}h1{{font-size:12pt}}svg{{max-height:216mm}}}}
"""
_BODY = """<p>{subtitle}</p>
<p>{caption}</p>
<figure style="margin:0" role="img" aria-label="{alt}">
{svg}</figure>
<p>{reading}</p>
"""


def reading_of(story: Story) -> str:
    """How the panels are to be read."""
    pale = "; what is pale before it is not scored" if story.hours[0] < 0 else ""
    return (
        f"Beside each line: its last figure. Days count from the opening of the scored window{pale}. "
        "Income is before what selling everything at the end would cost."
    )


@contextmanager
def drawing() -> Iterator[None]:
    """The settings that a story is drawn under, whatever the reader's say."""
    with styled(), rc_context({"path.simplify": True}):
        yield


def save_story(file: Path, story: Story) -> None:
    """Writes the drawing, HTML, PNG or SVG by the file's ending; the same bytes each time."""
    check_suffix(file)
    with drawing():
        if file.suffix.lower() == ".html":
            save_page(file, story_page(story))
        else:
            save_sheet(draw_sheet(story), file, prefix="story", dpi=DPI)


def story_page(story: Story) -> str:
    """One HTML file: title and caption as text, the panels as inline SVG; no script, nothing fetched."""
    return styled_page(story.title, story_body(story), style=_STYLE.format(ink=INK, grey=QUIET))


def story_body(story: Story, *, prefix: str = "story") -> str:
    """What the page holds under its title; two on one page need a ``prefix`` each. Call inside `drawing`."""
    alt = f"{len(story.panels)} panels over {len(story.hours)} hours: {', '.join(panel.title for panel in story.panels)}. The text above says what happened."
    return _BODY.format(
        subtitle=escape(story.subtitle),
        caption=escape(story.caption),
        alt=escape(alt),
        reading=escape(reading_of(story)),
        svg=to_svg(draw_story(story), prefix),
    )


def draw_story(story: Story) -> Figure:
    """The panels alone: title and caption are the page's. Call inside `styled`."""
    figure = blank(WIDTH, panels_height(story))
    draw_panels(figure, story, top=panels_height(story))
    return figure


def draw_sheet(story: Story) -> Figure:
    """The panels under their title and caption: a figure that stands alone. Call inside `styled`."""
    lines = [*textwrap.wrap(story.caption, CAPTION_LINE), *textwrap.wrap(reading_of(story), CAPTION_LINE)]
    panels = panels_height(story)
    height = panels + 0.55 + LINE_HEIGHT * len(lines)
    figure = blank(WIDTH, height)

    def write(text: str, below: float, **look: Any) -> None:
        figure.text(0.1 / WIDTH, 1.0 - below / height, text, va="top", parse_math=False, **look)

    write(story.title, 0.1, fontsize=11.0, fontweight="bold")
    write(story.subtitle, 0.31, fontsize=8.0, color=QUIET)
    write("\n".join(lines), 0.52, fontsize=8.0, linespacing=1.35)
    draw_panels(figure, story, top=panels)
    return figure
