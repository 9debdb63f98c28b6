"""Scenarios drawn: every panel, the same bytes each time, a page without script."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from amo_opt.report.figures.scenarios import draw_sheet, save_scenarios, scenarios_page
from amo_opt.report.figures.style import styled
from amo_opt.report.stories.scenarios import Band, InputPanel, ScenarioPage

HOURS = np.arange(-24.0, 97.0)
ONE = np.ones(HOURS.size)
DIP = np.where(HOURS >= 0, 0.9, 1.0)


def page(name):
    moved = InputPanel("Coins (USD)", "price", (Band("USDC", DIP - 0.01, DIP, DIP + 0.01, ((0.0, 0.9), (24.0, 0.9))),), moved=True)
    pair = InputPanel("Doors shut (% of paths)", "percent", (Band("a", ONE, ONE, ONE), Band("b", ONE, ONE, ONE)), moved=True)
    calm = InputPanel("Base pool, 3CRV (USD)", "price", (Band("3CRV", ONE - 1e-4, ONE, ONE + 1e-4),), moved=False)
    silent = InputPanel("Holders gone (% of outside supply)", "percent", (Band("holders_exit", 0 * ONE, 0 * ONE, 0 * ONE),), moved=False)
    steep = InputPanel("Share token", "log", (Band("share token", 1e-4 * ONE, 1e-3 * ONE, ONE, ((0.0, 1.0),)),), moved=True)
    return ScenarioPage(
        name=name,
        title="A & B <c>",
        text="Weight 1%: why. $ and ^ stay as they are. " * 5,
        hours=HOURS,
        panels=(moved, pair, calm, silent, steep),
    )


PAGES = (page("first"), page("second"))


def test_every_panel_is_drawn_with_its_waypoints():
    """As many titled panels as there are, dots where the waypoints are, `none` where nothing happens."""
    with styled():
        figure = draw_sheet(PAGES)
    axes = [each for part in figure.subfigs for each in part.axes if each.get_title(loc="left")]
    assert [each.get_title(loc="left") for each in axes] == [panel.title for each in PAGES for panel in each.panels]
    dots = [line for line in axes[0].lines if line.get_marker() == "o"]
    assert [tuple(line.get_xdata()) for line in dots] == [(0.0, 1.0)]
    assert [text.get_text() for text in axes[3].texts] == ["none"]
    assert axes[4].get_yscale() == "log"
    assert axes[2].get_ylim()[1] - axes[2].get_ylim()[0] >= 0.004 - 1e-12


@pytest.mark.parametrize("suffix", [".html", ".png", ".svg"])
def test_the_same_bytes_each_time(tmp_path, suffix):
    """No clock, version or random id in the file."""
    one, other = tmp_path / f"one{suffix}", tmp_path / f"other{suffix}"
    save_scenarios(one, PAGES, title="t")
    save_scenarios(other, PAGES, title="t")
    assert one.read_bytes() == other.read_bytes()
    assert one.stat().st_size > 5_000


def test_the_page_is_one_file_without_script():
    """Text escaped, each drawing well formed, no id twice, nothing fetched."""
    with styled():
        text = scenarios_page(PAGES, title="a < b")
    assert "A &amp; B &lt;c&gt;" in text
    assert "<h1>a &lt; b</h1>" in text
    assert "<script" not in text
    assert not re.search(r'(?:src|href)="(?!#)', text)
    drawings = re.findall(r"<svg .*?</svg>", text, re.DOTALL)
    assert len(drawings) == len(PAGES)
    assert all(ET.fromstring(each) is not None for each in drawings)  # noqa: S314
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))


def test_no_title_is_written_over_its_neighbour():
    """Panels' titles keep to their columns."""
    with styled():
        figure = draw_sheet(PAGES[:1])
        renderer = FigureCanvasAgg(figure).get_renderer()
        row = [each for each in figure.subfigs[0].axes if each.get_title(loc="left")][:4]
        titles = [
            next(child for child in each.get_children() if getattr(child, "get_text", str)() == each.get_title(loc="left")) for each in row
        ]
        boxes = [title.get_window_extent(renderer) for title in titles]
    assert len(boxes) == 4
    assert all(left.x1 <= right.x0 for left, right in itertools.pairwise(boxes))
