import numpy as np
import pytest

from amo_opt.stress import load_scenario
from amo_opt.stress.episodes import Episodes, draw_episodes
from amo_opt.stress.streams import Streams


def episodes(name: str = "lending-freeze-svb", paths: range = range(400), **settings: float) -> Episodes:
    scenario = load_scenario(name, settings=settings)
    return draw_episodes(scenario, Streams(1, "search", scenario.name), paths=paths, transition_hours=336)


def test_onset_is_uniform_over_days_3_to_20() -> None:
    """Onsets lie on days 3 to 20 of the scored window and fill that range evenly."""
    days = (episodes().onset - 336) / 24.0
    assert days.min() >= 3.0
    assert days.max() <= 20.0
    assert np.quantile(days, [0.25, 0.5, 0.75]) == pytest.approx([7.25, 11.5, 15.75], abs=1.3)


def test_onset_depends_on_the_path_alone() -> None:
    """Another size or speed leaves each path's onset, and a path's episode does not depend on its block."""
    np.testing.assert_array_equal(episodes().onset, episodes(size=3.0, speed=2.0).onset)
    np.testing.assert_array_equal(episodes().size[70:80], episodes(paths=range(70, 80)).size)


def test_spreads_bound_the_draws() -> None:
    """Size, speed, freeze and exits stay inside the scenario's ranges, and a spread of 0 is the setting itself."""
    drawn = episodes()
    assert (np.abs(drawn.size - 1.0) <= 0.25).all()
    assert (np.abs(drawn.speed - 1.0) <= 0.15).all()
    assert drawn.freeze_hours.min() >= 96
    assert drawn.freeze_hours.max() <= 120
    exits = episodes("ust-contagion-2022").exit_total
    assert exits.min() >= 0.19
    assert exits.max() <= 0.45
    assert (episodes(size_spread=0.0).size == 1.0).all()


def test_draws_of_a_path_are_independent() -> None:
    """Onset, size and speed of one path do not go together."""
    drawn = episodes()
    assert np.abs(np.corrcoef([drawn.onset, drawn.size, drawn.speed]) - np.eye(3)).max() < 0.15
