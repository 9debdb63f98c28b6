import subprocess
import sys

import pytest

from amo_opt.stress import describe, load_scenario, scenario_names
from amo_opt.stress.settings import VENUES

NEEDED = {"calm", "svb-2023", "ust-contagion-2022", "lending-freeze-svb", "collateral-impairment"}
FURTHER = {"venue-loss", "death-spiral"}


def test_the_catalogue_has_its_entries() -> None:
    """Calm comes first, and the weights of those the worked study uses sum to one; the others are for a study that names them."""
    assert scenario_names()[0] == "calm"
    assert set(scenario_names()) >= NEEDED | FURTHER
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
        ({"base_coins": 2}, "base_coins is 2; allowed: 1 or 3"),
        ({"losses_certain": 0.5}, "losses_certain is 0.5; allowed: 0 or 1"),
        ({"losses_certain": 1}, "losses_certain = 1 and every …_loss_yearly is 0.*set one above 0, or losses_certain = 0"),
        ({"aave_loss_yearly": 1.5}, "aave_loss_yearly is 1.5; allowed: 0 to 1"),
        ({"curve_loss_severity": -0.1}, "curve_loss_severity is -0.1; allowed: 0 to 1"),
        ({"uniswap_loss_yearly": 0.1}, "nearest: '.*_loss_yearly'"),
        ({"fraxlend_deposits": 0}, "fraxlend_deposits is 0; allowed: 1 to 1e\\+13"),
        ({"sise": 1.0, "sped": 2.0}, "nearest: 'speed'"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, float], message: str) -> None:
    """Each wrong setting is named with what is allowed, or with the nearest known one."""
    with pytest.raises(ValueError, match=message):
        load_scenario("svb-2023", settings=settings)


@pytest.mark.parametrize("venue", VENUES)
def test_a_certain_loss_needs_one_venue_that_can_lose(venue: str) -> None:
    """One probability above 0 is enough, whichever it is; none is refused even where an entry had some."""
    none = {f"{other}_loss_yearly": 0.0 for other in VENUES}
    assert load_scenario("venue-loss", settings=none | {f"{venue}_loss_yearly": 1e-6}).settings["losses_certain"] == 1.0
    with pytest.raises(ValueError, match="no venue can be hit"):
        load_scenario("venue-loss", settings=none)
    assert load_scenario("venue-loss", settings=none | {"losses_certain": 0}).settings[f"{venue}_loss_yearly"] == 0.0


def test_venue_loss_is_as_probable_as_its_venues() -> None:
    """The weight is the yearly probabilities' sum over a window of sixty days, and calm has none of them."""
    entry, calm = load_scenario("venue-loss"), load_scenario("calm")
    yearly = sum(entry.settings[f"{venue}_loss_yearly"] for venue in VENUES)
    assert entry.weight == pytest.approx(yearly * 60 / 365, rel=0.1)
    assert all(calm.settings[f"{venue}_loss_yearly"] == 0.0 for venue in VENUES)
    assert not any(fact.label == "loss" for fact in describe(calm))


def test_a_description_says_what_may_be_lost() -> None:
    """A line a venue: its severity, of what, and how probable, for sure at onset or within a year; none of the raw settings beside it."""
    certain = [fact.text for fact in describe(load_scenario("venue-loss")) if fact.label == "loss"]
    assert certain[0] == "10% of what is lent on Aave, at onset on 15.4% of paths"
    assert len(certain) == len(VENUES)
    facts = describe(load_scenario("calm", settings={"curve_loss_yearly": 0.02, "curve_loss_severity": 0.5}))
    assert [fact.text for fact in facts if fact.label == "loss"] == ["50% of the Curve AMO's LP tokens, with 2% a year"]
    assert not any(fact.label == "setting" for fact in facts)


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
