"""Scenarios as panels: bands are the drawn inputs', counted from onset, and waypoints lie where the drawn paths go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amo_opt.config.load import load_study
from amo_opt.report.stories.scenarios import scenario_pages
from amo_opt.stress.catalogue import load_scenario

STUDY = Path(__file__).parents[3] / "studies" / "frax-2022.toml"


@pytest.fixture(scope="module")
def study():
    return load_study(STUDY)


def page_of(study, name, **settings):
    scenario = load_scenario(name, settings=settings)
    return scenario_pages(replace(study, scenarios=(scenario,)))[0]


def panel(page, start):
    return next(each for each in page.panels if each.title.startswith(start))


def at(page, hour):
    return int(np.flatnonzero(page.hours == hour)[0])


def test_without_spread_or_noise_every_path_passes_through_the_waypoints(study):
    """Size and speed as set and no noise: the band is a line, and each shown waypoint lies on it."""
    steady = {"size_spread": 0.0, "speed_spread": 0.0, "coin_noise_sd": 0.0, "share_daily_vol": 0.0, "gas_gwei_sd": 0.0, "flow_sd": 0.0}
    still = {"exit_total_low": 0.3, "exit_total_high": 0.3}
    for name, settings in (
        ("ust-contagion-2022", steady | still),
        ("svb-2023", steady),
        ("upward-depeg", steady),
        ("fast-run", steady | still),
    ):
        page = page_of(study, name, **settings)
        seen = 0
        for each in page.panels:
            for band in each.bands:
                np.testing.assert_allclose(band.low, band.high, rtol=1e-9, atol=1e-9)
                for hour, value in band.points:
                    assert band.middle[at(page, hour)] == pytest.approx(value, rel=1e-9, abs=1e-9), (name, each.title, hour)
                    seen += 1
        assert seen >= 8


def test_usdt_is_drawn_as_the_base_pool_s_value_holds_it(study):
    """With USDC and DAI at par, the base pool's value falls where USDT does, and by less."""
    page = page_of(study, "ust-contagion-2022", coin_noise_sd=0.0, size_spread=0.0, speed_spread=0.0)
    usdc, usdt = panel(page, "Coins").bands
    base = panel(page, "Base").bands[0].middle
    assert (usdc.label, usdt.label) == ("USDC", "USDT")
    assert usdt.middle.argmin() == base.argmin() == at(page, 31)
    assert usdt.middle.min() == pytest.approx(0.965)
    assert usdt.middle.min() < base.min() < 1.0


def test_what_is_calm_is_told_from_what_is_moved(study):
    """A panel is moved where the scenario does something to it, and in calm none is."""
    assert not any(each.moved for each in page_of(study, "calm").panels)
    moved = [each.title.split(" (")[0] for each in page_of(study, "lp-flight").panels if each.moved]
    assert moved == ["Holders gone", "Providers gone"]
    assert [each.title for each in page_of(study, "lending-freeze").panels if each.moved] == ["Doors shut (% of paths)"]


def test_doors_are_shut_for_as_long_as_the_settings_say(study):
    """Gated on every path from onset for 56 hours; frozen from the 6th hour for 4 to 5 days."""
    page = page_of(study, "lending-freeze-svb", speed_spread=0.0)
    gate, freeze = panel(page, "Doors").bands
    assert set(page.hours[gate.middle == 100.0]) == {hour for hour in page.hours if 0 <= hour < 56}
    assert (freeze.middle[(page.hours >= 6) & (page.hours < 6 + 96)] == 100.0).all()
    assert not freeze.middle[(page.hours < 6) | (page.hours >= 6 + 120)].any()


def test_exits_end_at_the_drawn_totals(study):
    """The band's end lies within the totals that are drawn, the waypoints' at their middle, and nobody has left before."""
    page = page_of(study, "fast-run")
    gone = panel(page, "Holders").bands[0]
    assert not gone.high[page.hours <= 0].any()
    assert 60.0 <= gone.low[-1] < gone.middle[-1] < gone.high[-1] <= 89.0
    assert gone.points[-1][1] == pytest.approx(74.5)


def test_a_short_window_shows_what_there_is_of_it(study):
    """Onset near or past the window's end: fewer hours, or the calm of the window's opening; never a value that was not drawn."""
    short = replace(study, simulation=replace(study.simulation, transition_hours=48, window_hours=200))
    page = scenario_pages(replace(short, scenarios=(load_scenario("svb-2023", settings={"onset_day_low": 3, "onset_day_high": 8}),)))[0]
    assert page.hours[-1] < 96
    late = scenario_pages(replace(short, scenarios=(load_scenario("svb-2023", settings={"onset_day_low": 15}),)))[0]
    assert panel(late, "Coins").bands[0].low.min() > 0.995
