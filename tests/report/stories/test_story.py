"""From a path's series to its story: the marked hours and what the figure is called."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amo_opt.report.stories.story import ENLARGED_HOURS, SERIES, _spells, tell_story
from amo_opt.stress.episodes import draw_episodes
from amo_opt.stress.streams import Streams

WINDOW = 480


def at(hours, value, before):
    """A window that holds ``value`` in those hours and ``before`` in the others."""
    values = np.full(WINDOW, before)
    values[list(hours)] = value
    return values


def test_the_title_says_which_path_this_is(short, flat):
    """Set, study, scenario, path, stream; the scenario's own title and the seed below it."""
    story = tell_story(flat(), short, short.current, scenario="svb-2023", path=17, stream="holdout")
    assert story.title == "frax-current on frax-2022: svb-2023, path 17 of stream holdout"
    assert story.subtitle == "USDC depeg, March 2023; seed 1, state of 2022-05-11"


@pytest.mark.parametrize("stream", ["search", "holdout"])
def test_the_stress_begins_where_the_study_drew_it(frax, stream):
    """The same hour as in a block of many paths, counted from the window's opening."""
    simulation = frax.simulation
    steps = simulation.transition_hours + simulation.window_hours
    series = {name: np.ones(steps) for name in SERIES}
    scenario = next(each for each in frax.scenarios if each.name == "ust-contagion-2022")
    streams = Streams(frax.search.seed, stream, scenario.name)
    block = draw_episodes(scenario, streams, paths=range(8), transition_hours=simulation.transition_hours)
    for path in (0, 5):
        story = tell_story(series, frax, frax.current, scenario=scenario.name, path=path, stream=stream)
        assert story.onset.hour == block.onset[path] - simulation.transition_hours
        assert 72 <= story.onset.hour < 480
        assert story.enlarged == (story.onset.hour - ENLARGED_HOURS[0], story.onset.hour + ENLARGED_HOURS[1])


def test_a_stress_past_the_window_is_none(short, flat):
    """The path stayed calm, so nothing is marked and nothing enlarged."""
    scenarios = tuple(
        replace(each, settings={**each.settings, "onset_day_low": 20.0, "onset_day_high": 20.0}) if each.name == "svb-2023" else each
        for each in short.scenarios
    )
    story = tell_story(flat(), replace(short, scenarios=scenarios), short.current, scenario="svb-2023", path=0)
    assert (story.onset, story.enlarged) == (None, None)


@pytest.mark.parametrize(
    ("changes", "hour", "label"),
    [
        ({}, None, None),
        ({"price": at(range(100, 110), 0.9951, 1.0)}, None, None),
        ({"price": at(range(100, 110), 0.9949, 1.0)}, 100, "price 50 bp under its reference"),
        ({"price": at(range(100, 110), 0.9, 1.0), "reference": at(range(100, 110), 0.9, 1.0)}, None, None),
        ({"unwinding": at(range(60, 70), 1.0, 0.0), "price": at(range(100, 110), 0.9, 1.0)}, 60, "unwinding begins"),
        ({"income_venue_losses": at(range(30, WINDOW), -1e6, 0.0), "unwinding": at([31], 1.0, 0.0)}, 30, "a venue loses"),
    ],
)
def test_a_scenario_without_a_drawn_stress_shows_its_first_sign(short, flat, changes, hour, label):
    """What a calm path went through is seen in the series, or there was nothing."""
    onset = tell_story(flat(**changes), short, short.current, scenario="calm", path=0).onset
    assert (onset and onset.hour, onset and onset.label) == (hour, label)


def test_against_the_dollar_a_fallen_collateral_is_a_sign(short, flat):
    """The study says what the peg is measured against."""
    in_dollars = replace(short, simulation=replace(short.simulation, peg_reference="dollar"))
    series = flat(price=at([100], 0.9, 1.0), reference=at([100], 0.9, 1.0))
    assert tell_story(series, in_dollars, short.current, scenario="calm", path=0).onset.hour == 100


def test_the_worst_hour_is_the_window_s_lowest_price(short, flat):
    """A deeper price in the unscored transition does not count; of equal hours the first does."""
    series = flat(price=at([200, 201], 0.97, 1.0))
    series["price"][10] = 0.5
    worst = tell_story(series, short, short.current, scenario="calm", path=0).worst
    assert (worst.hour, worst.label) == (200, "lowest price 0.9700")


@pytest.mark.parametrize(("low", "expected"), [(100, (36, 276)), (276, (36, 300)), (340, (36, 276))])
def test_the_lowest_price_is_enlarged_with_the_stress_if_it_came_soon(short, flat, low, expected):
    """Nine days after the beginning, longer if the price still fell, no longer than leaves something to gain."""
    series = flat(unwinding=at(range(60, 70), 1.0, 0.0), price=at([low], 0.996, 1.0))
    assert tell_story(series, short, short.current, scenario="calm", path=0).enlarged == expected


def test_a_short_window_or_a_calm_one_is_shown_once(short, flat):
    """Ten days of twelve would be no enlargement; near the end the enlarged days stay within the window."""
    late = tell_story(flat(unwinding=at(range(470, 480), 1.0, 0.0)), short, short.current, scenario="calm", path=0)
    assert late.enlarged == (WINDOW - sum(ENLARGED_HOURS), WINDOW)
    assert tell_story(flat(), short, short.current, scenario="calm", path=0).enlarged is None
    brief = replace(short, simulation=replace(short.simulation, transition_hours=240, window_hours=288))
    assert tell_story(flat(unwinding=1.0), brief, short.current, scenario="calm", path=0).enlarged is None


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_spells_are_the_hours_that_were_true(active):
    """Painted back hour by hour they give the mask, and no two of them touch."""
    hours = np.arange(len(active)) - 7
    painted = np.zeros(len(active), dtype=bool)
    spells = _spells(np.array(active), hours)
    for first, last in spells:
        painted[first + 7 : last + 8] = True
    assert painted.tolist() == active
    assert all(after[0] - before[1] > 1 for before, after in itertools.pairwise(spells))


def test_series_that_do_not_fit_the_study_are_refused(short, flat):
    """A missing one by its name, a short one by its shape."""
    series = flat()
    series.pop("net_issued")
    with pytest.raises(ValueError, match="series missing: net_issued"):
        tell_story(series, short, short.current, scenario="calm", path=0)
    with pytest.raises(ValueError, match=r"series queue has the shape \(5,\); the study's paths have 528 hours"):
        tell_story(flat() | {"queue": np.zeros(5)}, short, short.current, scenario="calm", path=0)
