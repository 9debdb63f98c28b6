import pytest

from amo_opt.stress import load_scenario, scenario_names
from amo_opt.stress.settings import ORDERED, SETTINGS


@pytest.mark.parametrize("name", scenario_names())
def test_every_setting_is_known_and_in_range(name: str) -> None:
    """An entry, merged with the one it stands on, holds known settings inside their ranges, in order."""
    settings = load_scenario(name).settings
    for key, value in settings.items():
        assert SETTINGS[key].low <= value <= SETTINGS[key].high
    for low, high in ORDERED:
        assert settings.get(low, 0.0) <= settings.get(high, 0.0)


def test_every_setting_is_used_by_an_entry() -> None:
    """No setting is defined that the catalogue does not use."""
    assert set(SETTINGS) == set().union(*(load_scenario(name).settings for name in scenario_names()))
