"""What a caption, a legend or an alt text promises is drawn, and what is drawn is promised: read off the figures' own marks."""

from __future__ import annotations

import importlib
from dataclasses import replace

import pytest
import read
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from amo_opt.report.account import Account
from amo_opt.report.figures import draw_all
from amo_opt.report.figures.heatmap import heat_of
from amo_opt.report.figures.style import BLUE, ORANGE
from amo_opt.report.pages import appendix, report_html
from amo_opt.report.sections import validity
from amo_opt.report.sections.choice import HALF_STEP, steps_of
from amo_opt.report.sections.prices import reading_of
from amo_opt.report.stories.backtest import band_holds

ROOMS = ("fans", "intervals", "heatmap", "profiles", "backtest", "bars")


@pytest.fixture
def drawn(monkeypatch):
    """Draws a result's page: its facts, its drawings, and the matplotlib figures by their prefix."""

    def draw(result):
        figures = {}

        def kept(figure, prefix):
            figures[prefix] = figure
            return "<svg></svg>"

        for room in ROOMS:
            monkeypatch.setattr(importlib.import_module(f"amo_opt.report.figures.{room}"), "to_svg", kept)
        facts = Account(result)
        return facts, draw_all(facts), figures

    return draw


@pytest.fixture
def closest(make_result):
    """No change: one set ran on holdout paths besides the current one, without a role, and only the current one has fans."""
    result = make_result("no change")
    candidates = tuple(
        each
        if each.role == "current"
        else replace(each, role="candidate", **({} if place == 1 else {"holdout_score": None, "holdout_paired": ()}))
        for place, each in enumerate(result.candidates)
    )
    return replace(result, candidates=candidates, fans=tuple(each for each in result.fans if each.candidate == "current"))


def test_fans_promise_the_sets_they_draw(drawn, closest, result):
    """Two side by side with the other's quantile dashed, or one alone: in the text above, in the caption and in the alt text."""
    for each, sets in ((closest, 1), (result, 2)):
        facts, drawings, figures = drawn(each)
        for number, drawing in enumerate(drawings["fans"]):
            panes = [axes for axes in figures[f"fan{number}"].axes if axes.get_visible()]
            dashed = sum(line.get_linestyle() == "--" for axes in panes for line in axes.lines)
            assert (len(panes), dashed) == (sets, 0 if sets == 1 else 2)
            assert drawing.alt.count(" and ") == sets - 1
            assert ("on one axis" in drawing.alt) == (sets == 2)
            assert ("under the current set" in drawing.caption) == (sets == 2)
            assert "holdout paths" in drawing.caption
        assert ("two sets" in reading_of(facts.fans), "dashed" in reading_of(facts.fans)) == (sets == 2, sets == 2)
        assert ("only the set in force" in reading_of(facts.fans)) == (sets == 1)
    facts, drawings, _ = drawn(closest)
    page = report_html(facts, drawings)
    assert "only the set in force is drawn" in page
    assert "Both sets of a scenario" not in page


def test_fans_are_of_holdout_paths_whatever_the_tables_are_of(drawn, result):
    """Where the other set did not run on holdout paths the tables are of selection paths; the fans never are."""
    bare = tuple(
        replace(each, holdout_score=None, holdout_paired=(), role="candidate") if each.role != "current" else each
        for each in result.candidates
    )
    changed = replace(result, candidates=bare, recommended=None, ruling=replace(result.ruling, outcome="no change"))
    facts, drawings, _ = drawn(changed)
    assert facts.subject.stream == "selection"
    assert all("holdout paths" in each.caption for each in drawings["fans"])


def test_the_half_step_never_stands_among_figures_of_selection_paths(drawn, result):
    """It has figures on holdout paths alone: left out of heat map and steps where these are of selection paths."""
    bare = tuple(
        replace(each, holdout_score=None, holdout_paired=(), role="candidate") if each.role != "current" else each
        for each in result.candidates
    )
    facts, _, _ = drawn(replace(result, candidates=bare, recommended=None, ruling=replace(result.ruling, outcome="no change")))
    assert "Half step" not in heat_of(facts.result, facts.subject).columns
    assert HALF_STEP not in steps_of(facts)


def test_the_forest_has_dashes_where_it_says_so(drawn, result):
    """A tolerance within reach is drawn and named; none in reach, none named."""
    far = tuple(
        replace(each, holdout_paired=tuple(replace(row, tolerance=1e9) for row in each.holdout_paired))
        if each.role == "recommended"
        else each
        for each in result.candidates
    )
    for each, there in ((result, True), (replace(result, candidates=far), False)):
        _, _, figures = drawn(each)
        axes = figures["forest"].axes[0]
        assert any(line.get_linestyle() == "--" for line in axes.lines) == there
        assert ("dashed: tolerance" in axes.get_xlabel()) == there


def test_the_heat_map_s_key_is_of_the_fills_that_are_drawn(drawn, result):
    """Blue, orange, hatched and grey are named exactly where a cell has them."""
    equal = tuple(
        replace(each, holdout_score=result.candidates[0].holdout_score, holdout_paired=()) if each.holdout_score is not None else each
        for each in result.candidates
    )
    for each in (result, replace(result, candidates=equal, half_step=None)):
        _, drawings, figures = drawn(each)
        patches = [
            patch for name in figures if name.startswith("heat") for patch in figures[name].axes[0].patches if isinstance(patch, Rectangle)
        ]
        fills = {to_hex(patch.get_facecolor()) for patch in patches}
        caption = drawings["heat"][0].caption
        for words, there in (
            ("blue better", "#cfe6f5" in fills),
            ("orange worse", "#fbdcc8" in fills),
            ("hatched not told apart", any(patch.get_hatch() for patch in patches)),
            ("grey within the tolerance or equal", "#eceff1" in fills),
        ):
            assert (words in caption) == there, words


def orange(figure):
    return any(to_hex(line.get_color()) == ORANGE.lower() and len(line.get_xdata()) for axes in figure.axes for line in axes.lines)


def test_orange_ends_are_promised_where_there_are_any(drawn, result):
    """Of the tornado and of the neighbours; and the tornado's line says that it is of other paths than its marks."""
    _, drawings, figures = drawn(result)
    assert (
        "of the 10 figures that move the verdict, or else have the largest effect; orange and hollow: the verdict moves there"
        in drawings["tornado"][0].caption
    )
    assert "on all 3,200 holdout paths (marks: 95% intervals, the first n = 640 holdout paths" in drawings["tornado"][0].caption
    assert orange(figures["tornado"])
    assert orange(figures["neighbours"])
    assert "orange and hollow where that is not shown" in drawings["neighbours"][0].caption
    calm = tuple(each for each in result.neighbours if each.parameter in ("aave_cap", "idle_buffer"))
    held = tuple(replace(each, holds=True) for each in result.sensitivity)
    _, drawings, figures = drawn(replace(result, neighbours=calm, sensitivity=held))
    assert not orange(figures["tornado"])
    assert not orange(figures["neighbours"])
    assert "orange" not in drawings["tornado"][0].caption + drawings["neighbours"][0].caption
    assert "figures with the largest effect" in drawings["tornado"][0].caption


def test_the_profile_s_bands_are_those_it_names(drawn, result):
    """One band a panel: of the yield that of the whole; and the alt text names the panels there are."""
    _, drawings, figures = drawn(result)
    panels = [figures[name] for name in figures if name.startswith("profile")]
    assert [len(figure.axes[0].collections) for figure in panels] == [1, 1, 1]
    assert "bands are 95% intervals, of the yield that of the whole" in drawings["profile"][0].caption
    assert drawings["profile"][0].alt.startswith("Panels of yield by line, peg risk and external collateral ratio over ")
    bare = tuple(
        replace(each, score=replace(each.score, metrics={k: v for k, v in each.score.metrics.items() if "cr_external" not in k}))
        for each in result.profile.points
    )
    _, drawings, _ = drawn(replace(result, profile=replace(result.profile, points=bare)))
    assert len(drawings["profile"][0].panels) == 2
    assert drawings["profile"][0].alt.startswith("Panels of yield by line and peg risk over ")


def test_what_lies_outside_a_replay_s_band_is_counted_and_explained(drawn, result, met):
    """The dots outside the drawn band are those the caption counts; it says that the band is noise alone, and what a demand is about."""
    facts, drawings, figures = drawn(replace(result, episodes=(met,)))
    axes = figures["episode0"].axes[0]
    line = next(each for each in axes.lines if to_hex(each.get_color()) == ORANGE.lower())
    assert tuple(line.get_ydata()) == met.columns[0].real
    outside = sum(
        not low <= real <= high for low, real, high in zip(met.columns[0].low, line.get_ydata(), met.columns[0].high, strict=True)
    )
    caption = drawings["episodes"][0].caption
    assert f"of 3 recorded prices {outside} lie outside the band: {band_holds(met)}" in caption
    assert "no criterion asks that recorded rows lie within it" in band_holds(met)
    assert "1 of 1 demand met: what is demanded of the model's mean" in read.text(validity.blocks(facts))
    assert any(to_hex(each.get_facecolor()[0], keep_alpha=False) == BLUE.lower() for each in axes.collections)


def test_the_text_promises_the_pictures_the_page_has(make_result):
    """Forest and pairs only where there is another set, fans only where there are some."""
    alone = make_result("no change", candidates=0)
    text = appendix(Account(replace(alone, fans=()))).text
    assert "Figures as pictures" not in text.split("### Before and after")[0]
    assert "Both sets meet" not in text
    text = appendix(Account(make_result())).text
    assert "Both sets meet the same paths" in text
    assert "Figures as pictures (forest plot, price fans) are in report.html." in text


def test_monitoring_names_the_price_only_where_it_watches_it(result):
    """Without calm's fan there is no price trigger, and none is announced; the paths of the values are named."""
    for fans, there in ((result.fans, True), ((), False)):
        found = Account(replace(result, fans=fans)).monitoring
        assert ("1% quantile of the price" in found.values) == any(each.what.startswith("Pool price") for each in found.triggers) == there
        assert "confidence bounds on holdout paths" in found.values


def test_the_deepest_paths_say_which_paths_they_are_of(drawn, result):
    """A path's number means nothing without its stream."""
    facts, drawings, _ = drawn(result)
    for text in (appendix(facts).text, report_html(facts, drawings)):
        assert "The deepest holdout paths of the proposed set" in text
