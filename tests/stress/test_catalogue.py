import subprocess
import sys

import pytest

from amo_opt.stress import describe, load_scenario, scenario_names

NEEDED = {"calm", "svb-2023", "ust-contagion-2022", "lending-freeze-svb", "collateral-impairment"}


def test_the_catalogue_has_its_entries() -> None:
    """Calm comes first, and the weights of the catalogue sum to one."""
    assert scenario_names()[0] == "calm"
    assert set(scenario_names()) >= NEEDED
    assert sum(load_scenario(name).weight for name in NEEDED) == pytest.approx(1.0)


@pytest.mark.parametrize("name", scenario_names())
def test_every_series_has_its_source(name: str) -> None:
    """An entry states its weight's reason, its sources, and one source for each series."""
    scenario = load_scenario(name)
    assert scenario.weight_reason
    for series in scenario.waypoints:
        assert any(source.startswith(f"{series}: ") and len(source) > len(series) + 10 for source in scenario.sources)


def test_a_study_overrides_settings_weight_and_limit() -> None:
    """Overrides reach the scenario and leave the catalogue as it was."""
    scenario = load_scenario("svb-2023", weight=0.01, settings={"size": 2, "onset_day_low": 5}, max_breach_probability=0.1)
    assert (scenario.weight, scenario.settings["size"], scenario.settings["onset_day_low"]) == (0.01, 2.0, 5.0)
    assert scenario.max_breach_probability == 0.1
    assert load_scenario("svb-2023").settings["size"] == 1.0


def test_an_entry_can_stand_on_another() -> None:
    """lending-freeze-svb is svb-2023 with a freeze: same waypoints, same settings, more of them."""
    svb, freeze = load_scenario("svb-2023"), load_scenario("lending-freeze-svb")
    assert freeze.waypoints == svb.waypoints
    assert dict(freeze.settings) | dict(svb.settings) == dict(freeze.settings)
    assert freeze.settings["freeze_utilisation"] == 0.9987


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sise": 1.0}, "nearest: 'size'"),
        ({"size": -1.0}, "allowed: 0 to 10"),
        ({"size": float("nan")}, "size is nan"),
        ({"size": "big"}, "allowed: a number"),
        ({"size": True}, "allowed: a number"),
        ({"onset_day_low": 30}, "onset_day_low = 30 exceeds onset_day_high = 20"),
        ({"base_coins": 2}, "base_coins"),
        ({"sise": 1.0, "sped": 2.0}, "nearest: 'speed'"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, float], message: str) -> None:
    """Each wrong setting is named with what is allowed, or with the nearest known one."""
    with pytest.raises(ValueError, match=message):
        load_scenario("svb-2023", settings=settings)


def test_a_setting_of_another_entry_is_unknown() -> None:
    """Calm has no onset, so a study cannot set one."""
    with pytest.raises(ValueError, match="onset_day_low"):
        load_scenario("calm", settings={"onset_day_low": 3})


def test_an_unknown_name_gets_the_nearest() -> None:
    """A misspelt scenario is a KeyError that names the one meant."""
    with pytest.raises(KeyError, match="nearest: 'svb-2023'"):
        load_scenario("svb-2032")


def test_a_description_gives_the_low_and_the_source() -> None:
    """What `scenarios` prints holds the low, the onset range, the gate and every source."""
    scenario = load_scenario("svb-2023")
    facts = describe(scenario)
    text = "\n".join(f"{fact.label}: {fact.text}" for fact in facts)
    assert "usdc: low 0.881 USD at 10 h" in text
    assert "onset: day 3 to 20" in text
    assert "56 h" in text
    assert [fact.text for fact in facts if fact.label == "source"] == list(scenario.sources)


def test_the_catalogue_needs_no_numerics() -> None:
    """Listing scenarios imports neither numba nor NumPy: the command line stays quick."""
    code = "import sys, amo_opt.stress as s; s.scenario_names(); print(sorted({'numba', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
