"""From a matplotlib figure to inline SVG."""

from __future__ import annotations

import re

import matplotlib as mpl
import pytest

from amo_opt.report.figures.style import blank, styled, to_svg


def _figure(**settings):
    with mpl.rc_context(settings), styled():
        figure = blank(3.0, 2.0)
        axes = figure.add_subplot()
        axes.plot([0.0, 1.0, 2.0], [0.12345, 0.5, 0.25], marker="o")
        axes.set_xlabel("price 0.98765")
        return to_svg(figure, "one")


def test_the_readers_configuration_changes_nothing():
    """The same bytes under another default font size, colour or line width."""
    assert _figure() == _figure(**{"font.size": 30.0, "lines.linewidth": 9.0, "axes.facecolor": "red"})


def test_ids_carry_the_prefix_and_every_reference_its_target():
    """Two figures on a page cannot take each other's clip paths."""
    text = _figure()
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert ids
    assert all(each.startswith("one-") for each in ids)
    assert set(re.findall(r'(?:url\(|href=")#([^)"]+)', text)) <= set(ids)


def test_coordinates_are_rounded_and_text_is_not():
    """A tenth of a point is finer than the eye; a price in a label is not ours to round."""
    text = _figure()
    assert "price 0.98765" in text
    assert not re.search(r' (?:d|x|y)="[^"]*\d\.\d\d', text)


def test_no_date_no_producer_no_global_style():
    """Nothing in the figure tells when or by what it was drawn, or styles the page around it."""
    text = _figure()
    assert not re.search(r"<metadata|<style|<\?xml|<!DOCTYPE|matplotlib|http", text, re.IGNORECASE)
    assert text.startswith("<svg ")
    assert text.endswith("</svg>\n")


def test_relative_paths_end_where_absolute_ones_did():
    """Steps are whole tenths, so a long line does not drift."""
    with styled():
        figure = blank(6.0, 2.0)
        figure.set_layout_engine("none")
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.plot([number / 997 for number in range(998)], [(number * 37 % 101) / 101 for number in range(998)])
        axes.set_axis_off()
        axes.set_xlim(0.0, 1.0)
        text = to_svg(figure, "long")
    path = max(re.findall(r' d="([^"]+)"', text), key=len)
    steps = [float(x) for x in re.findall(r"[Ml](-?[\d.]+) ", path)]
    assert sum(steps) == pytest.approx(6.0 * 72.0, abs=0.06)
