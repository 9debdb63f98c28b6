"""The pool's drawing, in each of its formats."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from amo_opt.errors import AmoOptError
from amo_opt.report.figures.files import check_suffix
from amo_opt.report.figures.pool import draw_pool, save_pool
from amo_opt.report.figures.style import styled
from amo_opt.stableswap.depth import Pool, selling_curve

CURVES = [selling_curve(Pool(stablecoin=165e6, base=165e6, amplification=a), 180e6) for a in (50, 500, 1500)]


def test_two_panels_one_curve_an_amplification() -> None:
    """Price and composition, each with a line for every A and one for the mark; the axis counts in millions."""
    with styled():
        figure = draw_pool(CURVES, [("sold", 40e6)])
    for axes in figure.axes:
        assert len(axes.lines) == len(CURVES) + 1
        assert "(m)" in axes.get_xlabel()
        assert max(axes.lines[0].get_xdata()) == pytest.approx(180.0)
    legend = figure.axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["A 50", "A 500", "A 1,500"]


@pytest.mark.parametrize("suffix", [".html", ".png", ".svg"])
def test_the_same_bytes_each_time(tmp_path: Path, suffix: str) -> None:
    """No clock, version or random id in the file."""
    files = [tmp_path / f"{name}{suffix}" for name in ("a", "b")]
    for file in files:
        save_pool(file, CURVES, title="a & b", caption="< 1", marks=[("sold", 40e6)])
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].stat().st_size > 5_000


def test_the_page_opens_offline_and_escapes(tmp_path: Path) -> None:
    """One file, nothing fetched, text escaped, the drawing inline and well formed."""
    file = tmp_path / "pool.html"
    save_pool(file, CURVES, title="a & b", caption="< 1")
    text = file.read_text(encoding="utf-8")
    assert "a &amp; b" in text
    assert "&lt; 1" in text
    assert not re.search(r"(src|href)=\"http", text)
    ET.fromstring(re.search(r"<svg.*</svg>", text, re.DOTALL)[0])  # noqa: S314 - our own file


def test_other_formats_are_refused() -> None:
    """The message says which formats there are."""
    with pytest.raises(AmoOptError, match=r"\.html, \.png, \.svg; found \.pdf"):
        check_suffix(Path("pool.pdf"))
    with pytest.raises(AmoOptError, match="no suffix"):
        check_suffix(Path("pool"))
