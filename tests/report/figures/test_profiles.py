"""Several parameters' profiles in one drawing, in each of its formats."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from amo_opt.report.account import Account
from amo_opt.report.figures.profiles import draw_profiles, save_profiles
from amo_opt.report.figures.style import styled
from amo_opt.report.sections.choice import profile_of
from amo_opt.report.stories.finding import finding_words
from amo_opt.report.stories.profiles import ProfilePage, profile_pages
from amo_opt.search.finding import Finding
from amo_opt.search.profile import MovedPoint, ParameterProfile, Profiles


@pytest.fixture
def pages(result):
    facts = profile_of(Account(result))
    assert facts is not None
    clear = tuple(place > 0 for place in range(len(facts.values)))
    page = ProfilePage(facts=replace(facts, finding="a < b & c"), clear=(clear, clear, tuple(not each for each in clear)))
    return page, replace(page, facts=replace(page.facts, parameter="aave_cap", log=False))


def test_a_row_a_parameter_with_filled_points_where_it_moves(pages):
    """Three panels in each row, named by the parameter; as many filled points as differ from the current set by more than chance."""
    with styled():
        figure = draw_profiles(pages)
    assert [axes.get_xlabel() for axes in figure.axes] == ["amplification"] * 3 + ["aave_cap"] * 3
    for place, axes in enumerate(figure.axes):
        filled = [line for line in axes.lines if line.get_marker() == "o"]
        assert [len(line.get_xdata()) for line in filled] == [sum(pages[0].clear[place % 3])]


@pytest.mark.parametrize("suffix", [".html", ".png", ".svg"])
def test_the_same_bytes_each_time(pages, tmp_path, suffix):
    """No clock, version or random id in the file."""
    files = [tmp_path / f"{name}{suffix}" for name in ("a", "b")]
    for file in files:
        save_profiles(file, pages, title="profiles")
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].stat().st_size > 10_000


def test_the_page_opens_offline_and_escapes(pages, tmp_path):
    """One file, nothing fetched, text escaped, a drawing a parameter, no id twice."""
    file = tmp_path / "profile.html"
    save_profiles(file, pages, title="x & y")
    text = file.read_text(encoding="utf-8")
    assert "x &amp; y" in text
    assert text.count("a &lt; b &amp; c") == 2
    assert not re.search(r"(src|href)=\"http", text)
    drawings = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(drawings) == 2
    for drawing in drawings:
        ET.fromstring(drawing)  # noqa: S314 - our own file
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))


def test_the_facts_are_the_profile_s(result):
    """Values, finding and the current mark as they are; points are clear where their shifts move."""

    class Moved:
        moves = True

    class Still:
        moves = False

    shifts = {"yield": Moved(), "peg_cvar95_bps": Still(), "min_cr_external_tail95": Moved()}
    points = tuple(
        MovedPoint(value=each.value, score=each.score, parameters=result.study.current, partners={}, shifts=shifts)
        for each in result.profile.points
    )
    one = ParameterProfile(
        parameter="amplification", low=150, high=5000, log=True, current=1500.0, points=points, failed=(), shapes={}, finding=Finding(kind="unchanged", low=150, high=5000, n=320)
    )  # fmt: skip
    found = Profiles(study=result.study, stream="selection", paths=64, n=320, terms=("yield",), bounds={}, profiles=(one,))
    (page,) = profile_pages(found)
    assert page.facts.values == tuple(each.value for each in result.profile.points)
    assert (page.facts.finding, page.facts.marks, page.facts.log) == (finding_words(one, "USD"), (("current", 1500.0),), True)
    assert [all(row) for row in page.clear] == [True, False, True]
    assert "n = 320 selection paths" in page.facts.caption
    assert "filled points differ from the current set by more than chance" in page.facts.caption
    still = replace(one, points=tuple(replace(each, shifts=dict.fromkeys(shifts, Still())) for each in points))
    (page,) = profile_pages(replace(found, profiles=(still,)))
    assert "no point differs from the current set by more than chance" in page.facts.caption
