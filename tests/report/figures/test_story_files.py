"""A story as HTML, PNG and SVG."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from amo_opt.cli.simulate import PLOTS
from amo_opt.errors import AmoOptError
from amo_opt.report.figures.files import SUFFIXES
from amo_opt.report.figures.story_files import save_story
from amo_opt.report.stories.story import Mark, Story
from amo_opt.report.stories.story_panels import Line, Panel

HOURS = np.arange(-24, 300)
STORY = Story(
    title="set & co on <study>: stress, path 3 of stream search",
    subtitle="$ a stress_{1} of 1 $",
    caption="The price fell to < 0.9 USD. " * 9,
    hours=HOURS,
    panels=(
        Panel("price", "Price (USD)", "price", (Line("pool 1.0", 1.0 + np.sin(HOURS) / 50.0, "first"),)),
        Panel("supply", "Supply (m tokens)", "amount", layers=(Line("external 2", 2.0 + np.cos(HOURS), "fourth"),)),
    ),
    onset=Mark(50, "stress begins"),
    worst=Mark(60, "lowest price 0.9800"),
    unwinding=((55, 80),),
    enlarged=(26, 266),
)


@pytest.mark.parametrize("suffix", PLOTS)
def test_the_same_bytes_each_time(tmp_path: Path, suffix: str) -> None:
    """Whatever the reader's configuration says; another story gives another file."""
    files = [tmp_path / f"{name}{suffix}" for name in ("a", "b", "c")]
    save_story(files[0], STORY)
    with mpl.rc_context({"font.size": 30.0, "lines.linewidth": 9.0, "path.simplify": False, "svg.hashsalt": None}):
        save_story(files[1], STORY)
    save_story(files[2], replace(STORY, unwinding=()))
    first, second, third = (file.read_bytes() for file in files)
    assert first == second
    assert first != third
    assert len(first) > 5_000


def test_what_is_pale_is_promised_where_there_is_a_transition(tmp_path: Path) -> None:
    """Without hours before the window nothing is pale, and neither the text nor the legend speaks of it."""
    opened = replace(STORY, hours=HOURS[24:], panels=(Panel("price", "Price (USD)", "price", (Line("pool 1.0", np.ones(300), "first"),)),))
    for story, there in ((STORY, True), (opened, False)):
        save_story(tmp_path / "x.html", story)
        text = (tmp_path / "x.html").read_text(encoding="utf-8")
        assert ("what is pale before it is not scored" in text) == ("transition, not scored" in text) == there


def test_the_page_opens_offline_and_escapes(tmp_path: Path) -> None:
    """One file: text escaped, the drawing inline and well formed, no script, nothing fetched."""
    save_story(tmp_path / "x.HTML", STORY)
    text = (tmp_path / "x.HTML").read_text(encoding="utf-8")
    assert "<h1>set &amp; co on &lt;study&gt;: stress, path 3 of stream search</h1>" in text
    assert "fell to &lt; 0.9 USD" in text
    assert "<p>$ a stress_{1} of 1 $</p>" in text
    assert not re.search(r"<script|<link|https?:|@import|\bon\w+=", text)
    svg = ET.fromstring(re.search(r"<svg.*</svg>", text, re.DOTALL)[0])  # noqa: S314 - our own file
    assert {"Price (USD)", "stress begins, day 2.1"} <= {element.text for element in svg.iter("text")}


def test_an_svg_stands_alone(tmp_path: Path) -> None:
    """A namespace of its own, title and caption in it as they are: nothing is taken for mathematics."""
    save_story(tmp_path / "x.svg", STORY)
    root = ET.parse(tmp_path / "x.svg").getroot()  # noqa: S314 - our own file
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {STORY.title, STORY.subtitle, "Supply (m tokens)"} <= texts
    assert any(text and text.startswith("The price fell to < 0.9 USD.") for text in texts)


def test_a_png_is_large_enough_to_read(tmp_path: Path) -> None:
    """At least 1,400 pixels wide."""
    save_story(tmp_path / "x.png", STORY)
    content = (tmp_path / "x.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert int.from_bytes(content[16:20], "big") >= 1400
    assert b"Software" not in content


def test_other_formats_are_refused(tmp_path: Path) -> None:
    """Nothing is written; the command line knows the same formats."""
    assert PLOTS == SUFFIXES
    with pytest.raises(AmoOptError, match=r"\.html, \.png, \.svg; found \.pdf"):
        save_story(tmp_path / "x.pdf", STORY)
    assert list(tmp_path.iterdir()) == []
