"""The drawings of a whole report."""

from __future__ import annotations

import colorsys
import re

import pytest

from amo_opt.report.account import Account
from amo_opt.report.figures import draw_all


@pytest.fixture(scope="module")
def drawings(result):
    return draw_all(Account(result))


def _hues(svg: str) -> set[int]:
    """Hues of everything that has a colour, in sixths of the circle; greys have none."""
    hues = set()
    for colour in set(re.findall(r"#[0-9a-f]{6}", svg)):
        red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
        hue, _, saturation = colorsys.rgb_to_hls(red, green, blue)
        if saturation > 0.25:
            hues.add(round(hue * 6))
    return hues


def test_no_figure_has_more_than_two_hues(drawings):
    """What is and what is proposed; everything else is grey, so the page survives any eye and any printer."""
    for place in drawings.values():
        for drawing in place:
            assert all(len(_hues(panel)) <= 2 for panel in drawing.panels)


def test_axes_have_units(drawings):
    """A figure torn from the page can still be read."""
    expected = {"fans": ("(USD)", "days"), "forest": ("pp a year<", "dashed: tolerance")}
    for name, words in expected.items():
        assert all(word in drawings[name][0].panels[0] for word in words)
    yields, pegs, ratios = drawings["profile"][0].panels
    assert "(% a year)" in yields
    assert "(bp)" in pegs
    assert "lowest external CR" in ratios


def test_every_line_of_the_yield_is_named_beside_its_end(drawings):
    """Lines are told apart by name and dash, not by colour."""
    panel = drawings["profile"][0].panels[0]
    assert all(f">{name}<" in panel for name in ("Yield, whole", "Rewards", "Lending", "Swap fees", "Market operations"))
