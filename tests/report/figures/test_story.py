"""A path's panels on the sheet: what is drawn, where, and that nothing is written over anything else."""

from __future__ import annotations

import colorsys
import itertools
import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from amo_opt.report.figures.story import FADED, WIDTH, panels_height
from amo_opt.report.figures.story_files import draw_sheet, draw_story
from amo_opt.report.figures.style import styled, to_svg
from amo_opt.report.stories.story import Mark, Story
from amo_opt.report.stories.story_panels import Level, Line, Panel

HOURS = np.arange(-48, 480)
WAVE = np.sin(HOURS / 20.0)
LEVELS = tuple(Level(f"level {number}", np.array(0.9 + 0.02 * number)) for number in range(6))
INCOME = tuple(Line(f"line {number} 1.00", number * np.maximum(HOURS, 0) / 480.0) for number in range(-3, 8))
PANELS = (
    Panel(
        "price",
        "Price (USD)",
        "price",
        (
            Line("pool 1.0", 1.0 + 0.05 * WAVE, "first"),
            Line("oracle 1.0", 1.0 + 0.04 * WAVE, "second"),
            Line("ref. 1.0", 1.0 + 0 * WAVE, "third"),
        ),
        levels=LEVELS,
    ),
    Panel(
        "ratios",
        "Ratios",
        "ratio",
        (Line("cr 0.85", 0.85 + 0.01 * WAVE, "first"),),
        levels=(Level("limit", np.array(0.75), "first", True),),
    ),
    Panel("share", "Share (%)", "percent", (Line("share 55.0", 55.0 + WAVE, "first"),)),
    Panel(
        "collateral",
        "Collateral (m tokens)",
        "amount",
        (Line("total 15", 15.0 + 0 * WAVE, "third"),),
        tuple(Line(f"{role} 3", 3.0 + 0 * WAVE, role) for role in ("second", "first", "third", "fourth", "fifth")),
    ),
    Panel("supply", "Supply (m tokens)", "amount", (Line("total 4", 4.0 + WAVE),), (Line("external 4", 4.0 + WAVE, "second"),)),
    Panel("waiting", "Waiting (tokens)", "amount", silence="nobody waited"),
    Panel("income", "Income (m USD)", "amount", INCOME, scored_only=True),
    Panel(
        "apart",
        "Apart (m USD)",
        "amount",
        (Line("shares 5", 5.0 + WAVE, "capital"), Line("marked −5", -5.0 + WAVE, "first")),
        scored_only=True,
    ),
)
STORY = Story(
    title="set on study: stress, path 3 of stream search",
    subtitle="A stress; seed 1",
    caption="It happened. " * 60,
    hours=HOURS,
    panels=PANELS,
    onset=Mark(100, "stress begins"),
    worst=Mark(103, "lowest price 0.9500"),
    unwinding=((110, 140), (400, 410)),
    enlarged=(76, 316),
)
CALM = replace(STORY, onset=None, unwinding=(), enlarged=None)


def drawn(story):
    with styled():
        return draw_story(story)


def rows(figure):
    """The panels' axes, row by row, two columns each."""
    return [figure.axes[start : start + 2] for start in range(0, len(figure.axes), 2)]


@pytest.fixture(scope="module")
def pairs():
    """The stress's panels: for each, the enlarged days and the whole path."""
    return rows(drawn(STORY))


def test_each_panel_stands_once_enlarged_and_once_whole(pairs):
    """The enlarged days on the left, the whole path where the names are; days on both axes, one price axis for both."""
    assert len(pairs) == len(PANELS)
    for left, right in pairs:
        assert left.get_xlim() == pytest.approx((76 / 24, 317 / 24))
        assert right.get_xlim() == pytest.approx((-2.0, 20.0))
        assert left.get_ylim() == right.get_ylim()
    assert [axes.get_xlabel() for axes in pairs[-1]] == ["days since the window opened"] * 2


def test_a_calm_path_has_one_column():
    """Nothing to enlarge, no onset; the lowest price is named all the same."""
    figure = drawn(CALM)
    assert len(figure.axes) == len(PANELS)
    assert "lowest price 0.9500, day 4.3" in [text.get_text() for text in figure.axes[0].texts]
    assert "AMOs unwinding" not in [text.get_text() for text in figure.axes[0].texts]


def test_lines_hold_the_series_they_were_given(pairs):
    """Hour by hour, in days; income from the window's opening on."""
    for panel, (left, right) in zip(PANELS, pairs, strict=True):
        for line in panel.lines:
            shown = HOURS >= 0 if panel.scored_only else HOURS > -100
            assert any(np.array_equal(each.get_ydata(), line.values[shown]) for each in right.lines), line.label
            enlarged = (HOURS >= 76) & (HOURS <= 316)
            fits = [each for each in left.lines if np.array_equal(each.get_ydata(), line.values[enlarged])]
            assert fits
            assert fits[0].get_xdata() == pytest.approx(HOURS[enlarged] / 24.0)


def test_layers_stand_on_each_other(pairs):
    """The topmost ends where their sum does, and the axis begins at nothing."""
    right = pairs[3][1]
    tops = [patch.get_paths()[0].vertices[:, 1].max() for patch in right.collections]
    assert tops == pytest.approx([3.0, 6.0, 9.0, 12.0, 15.0])
    assert right.get_ylim()[0] == 0.0


def test_the_transition_fades_and_unwinding_is_tinted(pairs):
    """On every panel of the whole path; the enlarged days show the spell that falls into them."""
    for left, right in pairs:
        for axes, spans in ((right, [(-2.0, 0.0), (110 / 24, 141 / 24), (400 / 24, 411 / 24)]), (left, [(110 / 24, 141 / 24)])):
            found = [patch.get_extents().transformed(axes.transData.inverted()) for patch in axes.patches if patch.get_alpha() is not None]
            assert [(box.x0, box.x1) for box in found] == [pytest.approx(span) for span in spans]
        faded = [patch for patch in right.patches if patch.get_alpha() == FADED["alpha"]]
        assert len(faded) == 1


def test_marks_run_through_every_panel(pairs):
    """So that the eye finds the same hour in each."""
    for pair in pairs:
        for axes in pair:
            uprights = {line.get_xdata()[0] for line in axes.lines if len(set(line.get_xdata())) == 1 and line.get_ydata()[0] == 0}
            assert {100 / 24, 103 / 24} <= uprights


def test_a_lowest_price_outside_the_enlarged_days_is_named_over_the_whole_path():
    """A mark without a name would be a riddle."""
    left, right = rows(drawn(replace(STORY, worst=Mark(400, "lowest price 0.9500"))))[0]
    assert "lowest price 0.9500, day 16.7" in [text.get_text() for text in right.texts]
    assert "stress begins, day 4.2" in [text.get_text() for text in left.texts]


def test_limits_that_are_framed_are_in_the_picture():
    """However far the series keep from them; a threshold on the price is not, where the price stays away."""
    pairs = rows(drawn(replace(STORY, panels=(replace(PANELS[0], lines=(Line("pool 1.0", 1.0 + 0 * WAVE, "first"),)), *PANELS[1:]))))
    low, high = pairs[1][1].get_ylim()
    assert low < 0.75 < high
    assert pairs[0][1].get_ylim()[0] > 0.99
    assert "↓ level 0" in [text.get_text() for text in pairs[0][1].texts]


def overlapping(figure):
    """Pairs of texts whose boxes meet, and texts that leave the sheet."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    sheet = figure.bbox
    texts = list(figure.texts)
    for axes in figure.axes:
        texts += axes.texts
        for axis in (axes.xaxis, axes.yaxis):
            low, high = axis.get_view_interval()  # ticks beyond it are kept but not drawn
            texts += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high and tick.label1.get_visible()]
        texts.append(axes.xaxis.label)
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts if text.get_text() and text.get_visible()]
    inner = [(name, box.padded(-1.0)) for name, box in boxes if box.width > 2.0]
    assert len(inner) > 30
    pairs = [(one, other) for (one, first), (other, second) in itertools.combinations(inner, 2) if first.overlaps(second)]
    outside = [name for name, box in inner if box.x0 < 0 or box.y0 < 0 or box.x1 > sheet.x1 or box.y1 > sheet.y1]
    return pairs, outside


@pytest.mark.parametrize(
    ("story", "draw"),
    [
        (STORY, draw_sheet),
        (CALM, draw_sheet),
        (replace(STORY, onset=Mark(103, "price 50 bp under its reference"), worst=Mark(100, "lowest price 0.9500")), draw_story),
        (replace(STORY, onset=Mark(460, "stress begins"), worst=Mark(470, "lowest price 0.9500"), enlarged=(240, 480)), draw_story),
        (replace(CALM, worst=Mark(475, "lowest price 0.9500")), draw_story),
    ],
    ids=["stress", "calm", "lowest first", "late", "calm, late"],
)
def test_no_text_is_written_over_another_or_off_the_sheet(story, draw):
    """Names, ticks, titles, marks and caption all keep to their own place."""
    with styled():
        pairs, outside = overlapping(draw(story))
    assert (pairs, outside) == ([], [])


def test_two_hues_and_grey():
    """The page survives any eye and any printer."""
    with styled():
        svg = to_svg(draw_story(STORY), "story")
    hues = set()
    for colour in set(re.findall(r"#[0-9a-f]{6}", svg)):
        red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
        hue, _, saturation = colorsys.rgb_to_hls(red, green, blue)
        if saturation > 0.25:
            hues.add(round(hue * 6))
    assert len(hues) == 2


def test_lines_of_one_colour_have_dashes_of_their_own(pairs):
    """Eight lines of the rest before any dash comes again."""
    right = pairs[6][1]
    lines = [line for line in right.lines if len(line.get_xdata()) == 480]
    looks = [(to_hex(line.get_color()), str(line._dash_pattern)) for line in lines]
    assert len(lines) == len(INCOME)
    assert len(set(looks)) == 8


def test_a_sheet_has_a_page_s_proportions():
    """Panels, title and caption fit on A4 upright at full width."""
    with styled():
        width, height = draw_sheet(STORY).get_size_inches()
    assert width == WIDTH
    assert 1.2 < height / width < 2.0**0.5
    assert panels_height(CALM) == panels_height(STORY)


def test_the_panels_take_the_height_they_say():
    """The lowest axis label ends within the sheet, the highest name begins within it."""
    with styled():
        figure = draw_story(STORY)
        assert figure.get_figheight() == panels_height(STORY)
        taller = draw_sheet(STORY)
    bottom, top = (min if place == 0 else max for place in (0, 1))
    for sheet in (figure, taller):
        inches = [axes.get_position().get_points()[:, 1] * sheet.get_figheight() for axes in sheet.axes]
        assert bottom(low for low, _ in inches) == pytest.approx(0.42)
        assert top(high for _, high in inches) == pytest.approx(panels_height(STORY) - 0.62)
