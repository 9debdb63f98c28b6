import importlib.util
import itertools
import math
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from amo_opt.amos.mechanism import Mechanism
from amo_opt.stress import catalogue as room
from amo_opt.stress import describe, load_scenario, scenario_names
from amo_opt.stress.catalogue import unnamed
from amo_opt.stress.settings import VENUES, settings_of

ROOT = Path(__file__).parents[2]
SHIPPED = {
    "calm",
    "svb-2023",
    "ust-contagion-2022",
    "death-spiral",
    "fast-run",
    "lp-flight",
    "slow-bleed",
    "whale-dump",
    "lending-freeze",
    "lending-freeze-svb",
    "wind-down",
    "collateral-impairment",
    "venue-loss",
    "upward-depeg",
    "mass-repayment",
    "leverage-flood",
    "opposite-depeg",
    "demand-squeeze",
    "liquid-staking-discount",
    "keeper-full",
}


def test_the_catalogue_has_its_entries() -> None:
    """Calm comes first, no entry is missing, and the weights of all sum to one: calm has what the others leave."""
    assert scenario_names()[0] == "calm"
    assert set(scenario_names()) == SHIPPED
    assert sum(load_scenario(name).weight for name in SHIPPED) == pytest.approx(1.0, abs=1e-12)


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
    assert len(certain) == sum(load_scenario("venue-loss").settings[f"{venue}_loss_yearly"] > 0.0 for venue in VENUES) == 5
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


def test_the_catalogue_needs_the_amos_and_no_more() -> None:
    """Listing scenarios imports what states their settings, and with it numba, but none of the other heavy libraries: the command line stays quick."""
    heavy = {"matplotlib", "optuna", "pandas", "pydantic", "sqlalchemy"}
    code = f"import sys, amo_opt.stress as s; s.scenario_names(); print(sorted({heavy!r} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "series", "gone"),
    [
        ("fast-run", "holders_exit", 0.89),  # 2.0-2.3bn to 0.238-0.256bn
        ("lp-flight", "lp_exit", 0.72),  # 1.318 (1 - f) + s = 0.686 and 1.329 (1 - f) - s = 0.054
        ("lp-flight", "holders_exit", 0.20),
        ("slow-bleed", "holders_exit", 1.0 - 1.215279 / 1.498771),
        ("whale-dump", "holders_exit", 0.185 / 1.331),
        ("whale-dump", "lp_exit", 0.250 / 0.544),
        ("wind-down", "holders_exit", 1.0 - 6.68 / 16.1),
    ],
)
def test_what_an_entry_s_days_add_up_to(name: str, series: str, gone: float) -> None:
    """Shares a day, compounded over their hours, are the share that left in all, within half a point."""
    points = load_scenario(name).waypoints[series]
    stays = math.prod((1.0 - rate) ** ((after - hour) / 24.0) for (hour, rate), (after, _) in itertools.pairwise(points))
    assert 1.0 - stays == pytest.approx(gone, abs=0.005)


def test_a_wind_down_loses_31_percent_in_twelve_days() -> None:
    """BUSD from 13 to 25 February 2023: 16.1bn to 11.129bn."""
    (_, first), (turn, second), (end, _), _ = load_scenario("wind-down").waypoints["holders_exit"]
    assert (turn, end) == (144.0, 288.0)
    assert 1.0 - (1.0 - first) ** 6 * (1.0 - second) ** 6 == pytest.approx(1.0 - 11.129 / 16.1, abs=0.002)


def test_a_frozen_market_alone_leaves_all_else_calm() -> None:
    """lending-freeze differs from calm in its freeze and its onset, and in nothing else."""
    calm, freeze = load_scenario("calm"), load_scenario("lending-freeze")
    assert not freeze.waypoints
    own = {key for key, value in freeze.settings.items() if calm.settings.get(key) != value}
    assert own == {
        "onset_day_low",
        "onset_day_high",
        "freeze_start_hours",
        "freeze_days_low",
        "freeze_days_high",
        "freeze_utilisation",
        "freeze_free",
    }


POINTS = [[0, 1.0], [3, 0.9], [24, 1.0]]


def test_a_study_s_waypoints_take_the_place_of_an_entry_s() -> None:
    """The named series is the study's, with its source; another is added, the rest is as it was, and the catalogue is untouched."""
    entry = load_scenario("svb-2023")
    given = {name: {"source": f"mine, {name}", "points": POINTS} for name in ("usdc", "usdt")}
    changed = load_scenario("svb-2023", waypoints=given)
    assert changed.waypoints["usdc"] == changed.waypoints["usdt"] == ((0.0, 1.0), (3.0, 0.9), (24.0, 1.0))
    assert changed.waypoints["gas"] == entry.waypoints["gas"]
    assert [source for source in changed.sources if source.startswith("usd")] == ["usdc: mine, usdc", "usdt: mine, usdt"]
    assert load_scenario("svb-2023").waypoints == entry.waypoints
    assert load_scenario("svb-2023").sources == entry.sources


@pytest.mark.parametrize(
    ("series", "table", "message"),
    [
        ("usdcc", {"source": "x", "points": POINTS}, "unknown series 'usdcc'; nearest: 'usdc'"),
        ("usdc", POINTS, "needs a source and 2 to 24 points"),
        ("usdc", {"points": POINTS}, "needs a source"),
        ("usdc", {"source": " ", "points": POINTS}, "needs a source"),
        ("usdc", {"source": "x", "points": [[0, 1.0]]}, "2 to 24 points"),
        ("usdc", {"source": "x", "points": [[hour, 1.0] for hour in range(25)]}, "2 to 24 points"),
        ("usdc", {"source": "x", "points": [[0, 1.0], [3]]}, r"found \[3\]; allowed: \[hour, value\]"),
        ("usdc", {"source": "x", "points": [[0, 1.0], [3, "low"]]}, "two finite numbers"),
        ("usdc", {"source": "x", "points": [[0, 1.0], [3, float("nan")]]}, "two finite numbers"),
        ("usdc", {"source": "x", "points": [[0, 1.0], [3, True]]}, "two finite numbers"),
        ("usdc", {"source": "x", "points": [[1, 1.0], [3, 0.9]]}, "hours start at 0 and rise"),
        ("usdc", {"source": "x", "points": [[0, 1.0], [3, 0.9], [3, 1.0]]}, "hours start at 0 and rise"),
        ("usdc", {"source": "x", "points": [[0, 1.0], [3, 0.0]]}, r"values lie in \[0.01, 10\]"),
    ],
)
def test_wrong_waypoints_are_named(series: str, table: object, message: str) -> None:
    """Each is refused in words, with what is allowed."""
    with pytest.raises(ValueError, match=message):
        load_scenario("svb-2023", waypoints={series: table})


def test_calm_takes_no_waypoints() -> None:
    """Points count from an onset, and calm has none."""
    with pytest.raises(ValueError, match="which this entry has none of"):
        load_scenario("calm", waypoints={"usdc": {"source": "x", "points": POINTS}})


def test_an_amo_that_no_entry_names_is_calm_everywhere(vault: Mechanism) -> None:
    """Every entry has its settings at the values it states itself, beside what it held before; a study may set them like any other."""
    own = {name: setting.calm for name, setting in settings_of(vault).items()}
    assert own.items() <= unnamed().items()
    for name in scenario_names():
        settings = load_scenario(name).settings
        assert {key: settings[key] for key in own} == own
        assert [key for key in settings if key not in unnamed()][: len(calm_entry())] == calm_entry()
        assert not any("vault" in fact.text or "loans" in fact.text for fact in describe(load_scenario(name)))
    changed = load_scenario("calm", settings={"vault_loss_yearly": 0.02, "vault_fee": 0.5})
    facts = [fact.text for fact in describe(changed)]
    assert "40% of what is in the vault, with 2% a year" in facts
    assert "vault_fee = 0.5" in facts
    with pytest.raises(ValueError, match="vault_fee is 2; allowed: 0 to 1 \\(what the vault keeps\\)"):
        load_scenario("calm", settings={"vault_fee": 2})


def calm_entry() -> list[str]:
    """The settings that calm's file names, in its order."""
    return list(tomllib.loads((ROOT / "amo_opt" / "stress" / "entries" / "calm.toml").read_text(encoding="utf-8"))["settings"])


def test_calm_s_entry_names_every_setting_of_today_s_amos() -> None:
    """Their figures stand there with their sources: none comes from a descriptor."""
    today = ("lending_", "aave_", "investor_", "fraxlend_", "curve_")
    assert not [name for name in unnamed() if name.startswith(today)]


def test_the_page_of_scenarios_is_up_to_date() -> None:
    """docs/scenarios.md is written by docs/scenario_table.py; running it again changes nothing."""
    specification = importlib.util.spec_from_file_location("scenario_table", ROOT / "docs" / "scenario_table.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    text = module.PAGE.read_text(encoding="utf-8")
    assert module.written(text) == text
    assert all(f"| `{name}` |" in text for name in scenario_names())


def test_ranges_come_with_their_source_and_hold_the_entry_s_own_value():
    """Every entry but calm has one of its weight; a setting's is inherited from where it is set, a weight's never."""
    for name in scenario_names():
        found = load_scenario(name)
        assert ("weight" in found.ranges) == (name != "calm"), name
        for key, span in found.ranges.items():
            value = found.weight if key == "weight" else found.settings[key]
            assert span.low <= value <= span.high, (name, key)
            assert span.source.strip(), (name, key)
        assert found.ranges["share_daily_vol"].entry == "calm"
    assert load_scenario("lending-freeze-svb").ranges["weight"].entry == "lending-freeze-svb"


def test_a_study_widens_a_range_to_hold_what_it_says():
    """As a figure that a study sets ranges over both; a value inside changes nothing."""
    wide = load_scenario("calm", settings={"share_daily_vol": 0.12})
    assert (wide.ranges["share_daily_vol"].low, wide.ranges["share_daily_vol"].high) == (0.055, 0.12)
    heavy = load_scenario("svb-2023", weight=0.5)
    assert (heavy.ranges["weight"].low, heavy.ranges["weight"].high) == (0.011, 0.5)
    assert load_scenario("calm", settings={"share_daily_vol": 0.06}).ranges == load_scenario("calm").ranges


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("gas_gwei = { low = 22, high = 69 }", "allowed: { low"),
        ('gas_gwei = { low = 41, high = 69, source = "x" }', "leaves out its own 40"),
        ('gas_gwei = { low = -1, high = 69, source = "x" }', "gas_gwei is -1"),
        ('base_coins = { low = 1, high = 3, source = "x" }', "which has no range"),
        ('gas = { low = 1, high = 3, source = "x" }', "unknown setting 'gas'"),
    ],
)
def test_a_range_that_says_nothing_is_refused(tmp_path, monkeypatch, table, told):
    """It names the entry and the setting."""
    text = (room._folder() / "calm.toml").read_text(encoding="utf-8").split("[ranges]")[0] + f"[ranges]\n{table}\n"
    (tmp_path / "calm.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(room, "_folder", lambda: tmp_path)
    with pytest.raises(ValueError, match="calm") as refused:
        room._entry.__wrapped__("calm")
    assert told in str(refused.value)


FRAX_WORDS = re.compile(r"\b(frax\w*|fxs|3crv|3pool|crv|convex|curve investor|collateral investor|stake ?dao|yearn)\b", re.IGNORECASE)


@pytest.mark.parametrize("name", scenario_names())
def test_a_study_of_another_protocol_is_told_nothing_of_frax(name: str) -> None:
    """Title, summary, reason and sources: what was written for Frax's study is said to be another's; settings and series are the same."""
    entry, told = load_scenario(name), load_scenario(name, whose=lambda _: False)
    lines = (told.title, told.summary, told.weight_reason, *told.sources)
    assert all(lines)
    assert [line for line in lines if FRAX_WORDS.search(line)] == []
    assert (told.settings, told.waypoints, told.weight, told.ranges) == (entry.settings, entry.waypoints, entry.weight, entry.ranges)
    own = load_scenario(name, whose=lambda protocol: protocol == "Frax")
    assert (own.title, own.summary, own.weight_reason, own.sources) == (entry.title, entry.summary, entry.weight_reason, entry.sources)


def test_a_weight_of_the_studys_own_is_not_given_anothers_reason() -> None:
    """The reason says whose the weight is; a source of a setting that the study says itself is none."""
    told = load_scenario("fast-run", weight=0.1, settings={"swap_volume_day": 3e6}, whose=lambda _: False)
    assert told.weight_reason.startswith("the study's own; the catalogue's, 0.002, is set from another stablecoin's history")
    assert not any("swap volume" in line for line in load_scenario("calm", settings={"swap_volume_day": 3e6}, whose=lambda _: True).sources)
    assert any("swap volume" in line for line in load_scenario("calm", whose=lambda _: True).sources)


@pytest.mark.parametrize("line", ['{ text = "a", off = "Frax" }', '{ text = "a" }', '{ text = "a", sets = ["nothing"] }', "1"])
def test_a_line_that_is_none_is_refused(line: str) -> None:
    """A line is text, or a table that says whose it is or which settings it is the source of."""
    with pytest.raises(ValueError, match="allowed: text, or"):
        room._line(tomllib.loads(f"line = {line}")["line"], "entry x: title")


def test_a_setting_of_other_scenarios_says_which_have_it() -> None:
    """It exists, so no name near it is meant; a slip is still told the nearest."""
    with pytest.raises(ValueError, match=r"'exit_total_low' is no setting of this one.*scenarios with it: .*ust-contagion-2022"):
        load_scenario("svb-2023", settings={"exit_total_low": 0.1})
    with pytest.raises(ValueError, match="unknown setting 'onset_day_lo'; nearest: 'onset_day_low'"):
        load_scenario("svb-2023", settings={"onset_day_lo": 0.1})
