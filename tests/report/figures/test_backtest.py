"""The drawing of a replay: what is on it, and the same bytes each time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amo_opt.errors import AmoOptError
from amo_opt.report.figures.backtest import DRIVERS, PANELS, caption_of, draw_backtest, save_backtest
from amo_opt.report.figures.style import styled
from amo_opt.report.stories.backtest import band_holds, facts_of
from amo_opt.simulation.backtest import backtest


@pytest.fixture(scope="module")
def facts(frax):
    return facts_of(backtest(frax, episode="svb-2023", paths=30))


def test_a_panel_for_each_comparison_and_each_driver(facts):
    """Price and supply carry the record's points, the pool's share says that none was recorded."""
    with styled():
        figure = draw_backtest(facts)
    assert len(figure.axes) == len(PANELS) + len(facts.run.drivers)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[2].endswith("(not recorded)")
    assert titles[3:] == [DRIVERS[name] for name in DRIVERS if name in facts.run.drivers]
    assert [len(axes.lines) for axes in figure.axes[:3]] == [2, 2, 1]
    assert figure.axes[0].lines[1].get_ydata().tolist() == list(facts.fit.columns[0].real)


@pytest.mark.parametrize("suffix", [".html", ".svg", ".png"])
def test_the_same_bytes_each_time(facts, tmp_path, suffix):
    """Every format twice; the page names each missed demand."""
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    save_backtest(first, facts)
    save_backtest(second, facts)
    assert first.read_bytes() == second.read_bytes()
    if suffix == ".html":
        text = first.read_text(encoding="utf-8")
        assert "<svg" in text
        assert f"{sum(each.met for each in facts.fit.demands)} of 3 demands met" in caption_of(facts)


def test_the_caption_names_what_is_drawn(facts):
    """What was recorded and what drives, where there is any; a record outside the band comes with what the band holds."""
    assert "orange: recorded; grey: what drives it." in caption_of(facts)
    assert "it allows for no error of the model beyond that." in caption_of(facts)
    bare = replace(facts, fit=replace(facts.fit, columns=()), run=replace(facts.run, drivers={}))
    assert "5–95% of paths; nothing that is drawn was recorded." in caption_of(bare)
    assert "grey" not in caption_of(bare)


def test_two_paths_have_no_band(frax):
    """The mean alone is drawn, and the caption says why; no row is outside of what is not there."""
    few = facts_of(backtest(frax, episode="svb-2023", paths=2))
    assert "Blue: the model, mean (too few paths for a band); orange: recorded; grey: what drives it. " in caption_of(few)
    assert band_holds(few.fit)[1:] not in caption_of(few)
    with styled():
        assert [len(axes.collections) for axes in draw_backtest(few).axes[:3]] == [0, 0, 0]


def test_another_format_is_refused(facts, tmp_path):
    with pytest.raises(AmoOptError, match="pdf"):
        save_backtest(tmp_path / "a.pdf", facts)
