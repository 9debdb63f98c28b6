"""Thinned price fans."""

from __future__ import annotations

from dataclasses import replace

from amo_opt.report.sections.prices import LEVELS, POINTS_IN_ALL, fan_panels
from amo_opt.report.sets import subject_of


def test_the_deepest_hour_survives_thinning(result):
    """A trough of one hour is what the figure is for."""
    fan = result.fans[0]
    low = list(fan.quantiles["1"])
    low[517] = 0.5
    fans = (replace(fan, quantiles={**fan.quantiles, "1": tuple(low)}), *result.fans[1:])
    panel = fan_panels(replace(result, fans=fans), subject_of(result))[0]
    assert min(panel.series[0].quantiles[0]) == 0.5
    assert panel.days[panel.series[0].quantiles[0].index(0.5)] == fan.hours[517] / 24


def test_every_figure_shown_is_a_real_hours_quantile(result):
    """Hours are picked, not averaged; both sets of a panel show the same hours, first and last among them."""
    subject = subject_of(result)
    for panel in fan_panels(result, subject):
        fans = [each for each in result.fans if each.scenario == panel.scenario]
        hours = [round(day * 24) for day in panel.days]
        assert (hours[0], hours[-1]) == (fans[0].hours[0], fans[0].hours[-1])
        for fan, series in zip(fans, panel.series, strict=True):
            places = [fan.hours.index(hour) for hour in hours]
            assert series.quantiles == tuple(tuple(fan.quantiles[level][place] for place in places) for level in LEVELS)


def test_all_panels_together_stay_within_the_budget(result):
    """The page's size does not grow with the number of scenarios."""
    panels = fan_panels(result, subject_of(result))
    assert len(panels) == 5
    assert sum(len(panel.days) for panel in panels) <= POINTS_IN_ALL + 2 * len(panels)


def test_a_scenario_without_the_other_set_shows_the_current_alone(result):
    """And its caption says only what is known."""
    panels = fan_panels(replace(result, fans=tuple(each for each in result.fans if each.candidate == "current")), subject_of(result))
    assert {len(panel.series) for panel in panels} == {1}
    assert panels[0].caption.startswith("The 1% quantile of the current set falls to")
