from collections import Counter

import pytest

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.mechanism import Mechanism
from amo_opt.stress import load_scenario, scenario_names
from amo_opt.stress.settings import ORDERED, SETTINGS, VENUES, settings_of


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


def test_no_two_amos_share_a_setting() -> None:
    """Nor does an AMO take a name from what is no AMO's; each of its settings, and that of further pools, has a value in its range for a calm whose entry does not know it."""
    counted = Counter(name for each in MECHANISMS for name in settings_of(each))
    assert set(counted.values()) == {1}
    for name, setting in SETTINGS.items():
        assert (setting.calm is not None) == (name in {*counted, "opposite_pool"} or name.startswith("spell_")), name
        assert setting.calm is None or setting.low <= setting.calm <= setting.high, name


def test_venues_stand_in_the_order_of_the_catalogue() -> None:
    """A certain loss is drawn in it: the AMOs' as an hour's income reaches them, and the coin last."""
    today = ["aave", "investor", "fraxlend", "curve", "coin"]
    assert [name for name in VENUES if name in today] == today
    assert list(VENUES) == [*(each.name for each in MECHANISMS if each.loss is not None), "coin"]


def test_an_amo_says_what_its_settings_are(vault: Mechanism) -> None:
    """Six of its market, the loss's chance and its severity, and those it has besides, each with its words and what a calm holds that does not know it."""
    assert {name: (each.calm, each.doc) for name, each in settings_of(vault).items()} == {
        "loans_deposits": (1.0, "what others lend in the vault"),
        "loans_deposits_sd": (0.0, "standard deviation of their log"),
        "loans_deposits_hours": (240.0, "its time constant"),
        "loans_utilisation": (0.0, "utilisation of that market with the state's AMO deposit"),
        "loans_utilisation_sd": (0.0, "its standard deviation"),
        "loans_utilisation_hours": (120.0, "its time constant"),
        "vault_loss_yearly": (0.0, "probability of a theft within a year"),
        "vault_loss_severity": (0.4, "share of what is in the vault that is lost"),
        "vault_fee": (0.1, "what the vault keeps"),
    }
