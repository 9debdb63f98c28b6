"""Facts of the markets in the state: what a study's settings said, told once; scenarios multiply them, a setting of the study goes before, and who moves a fact moves the market."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from amo_opt import load_study
from amo_opt.config.assumptions import assumptions, moved
from amo_opt.config.load import validate_file
from amo_opt.config.overrides import with_figure
from amo_opt.config.schema import figures_by_name
from amo_opt.protocol.state import Figure
from amo_opt.simulation.engine import simulate
from amo_opt.stress import facts
from amo_opt.stress.facts import FACTS, following, stated, with_facts
from amo_opt.stress.settings import SETTINGS

if TYPE_CHECKING:
    from amo_opt.config.study import Study

STUDIES = Path(__file__).parents[2] / "studies"


@pytest.fixture(scope="module")
def minimal() -> Study:
    return load_study(STUDIES / "minimal.toml")


def test_a_state_that_says_none_is_drawn_by_the_settings() -> None:
    """FRAX's own: no scenario follows anything."""
    frax = load_study(STUDIES / "frax-2022.toml")
    assert stated(frax.state) == {}
    assert all(not one.facts and following(one, frax.state) is one for one in frax.scenarios)


@pytest.mark.parametrize(("setting", "figure"), FACTS.items())
def test_a_fact_may_be_what_its_setting_may(setting: str, figure: str) -> None:
    limits = figures_by_name()[figure].metadata
    assert (limits["low"], limits["high"]) == (SETTINGS[setting].low, SETTINGS[setting].high)
    assert not figures_by_name()[figure].default.is_given, "left out it says nothing"


def test_said_in_the_state_or_set_by_the_study_it_is_the_same_market(tmp_path: Path, minimal: Study) -> None:
    """Every column, bit for bit; the settings of every scenario too."""
    state = (STUDIES / "states" / "minimal.toml").read_text(encoding="utf-8")
    facts_of = ("volume_day", "base_coins")
    without = "\n".join(line for line in state.splitlines() if not line.startswith(facts_of))
    study = (STUDIES / "minimal.toml").read_text(encoding="utf-8")
    study = study.replace("[[scenario]]", "[scenario_defaults]\nset = { swap_volume_day = 3e6, base_coins = 1 }\n[[scenario]]", 1)
    for name, text in {"study.toml": study, "states/minimal.toml": without}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    spells = (("behaviour", "spells-2022.toml"), ("behaviour", "spells-2022.csv"))
    for folder, name in (("parameters", "minimal.toml"), ("behaviour", "frax-2022.toml"), *spells):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_bytes((STUDIES / folder / name).read_bytes())
    set_by_study = load_study(tmp_path / "study.toml")
    assert stated(set_by_study.state) == {}
    assert [one.settings for one in set_by_study.scenarios] == [one.settings for one in minimal.scenarios]
    ours, theirs = (simulate(each.current, each, paths=8).columns for each in (minimal, set_by_study))
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_scenarios_multiply_a_fact(minimal: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry with twice calm's volume has twice the state's; what is no amount is the state's in all."""
    usual = facts.load_scenario

    def busy(name: str) -> object:
        found = usual(name)
        twice = {"swap_volume_day": 2.0 * found.settings["swap_volume_day"], "base_coins": 3.0}
        return replace(found, settings={**found.settings, **twice}) if name == "fast-run" else found

    monkeypatch.setattr(facts, "load_scenario", busy)
    told = {one.name: with_facts(one, minimal.state, given=()).settings for one in minimal.scenarios}
    assert told["calm"]["swap_volume_day"] == 3e6
    assert told["fast-run"]["swap_volume_day"] == 6e6
    assert told["fast-run"]["base_coins"] == told["calm"]["base_coins"] == 1.0


def test_a_setting_of_the_study_goes_before(minimal: Study) -> None:
    (calm,) = (one for one in minimal.scenarios if one.name == "calm")
    held = with_facts(replace(calm, facts={}, settings={**calm.settings, "swap_volume_day": 5e6}), minimal.state, given={"swap_volume_day"})
    assert held.settings["swap_volume_day"] == 5e6
    assert set(held.facts) == {"base_coins"}


def test_a_fact_in_doubt_is_drawn_from_its_figure_and_moves_the_market(minimal: Study) -> None:
    """Not from the catalogue's range, which is of another protocol's market."""
    doubted = {each.name: each for each in assumptions(minimal)}
    assert (doubted["pool.volume_day"].low, doubted["pool.volume_day"].high) == (1e6, 9e6)
    assert not any(name.endswith(": swap_volume_day") for name in doubted)
    higher = moved(minimal, doubted["pool.volume_day"], 9e6)
    assert all(one.settings["swap_volume_day"] == 9e6 for one in higher.scenarios)
    fees = [simulate(each.current, each, paths=8).columns["income_swap_fees_usd"].mean() for each in (minimal, higher)]
    assert fees[1] > 1.5 * fees[0] or fees[0] == 0.0


def test_one_that_the_file_leaves_out_may_be_set_by_a_study(minimal: Study) -> None:
    """Its range is then what the study says, and no number that stands for nothing."""
    from amo_opt.config.overrides import with_overrides

    state = with_overrides(minimal.state, {"markets.gas_gwei": 10.0})
    assert (state.markets.gas_gwei.low, state.markets.gas_gwei.high) == (10.0, 10.0)
    assert stated(state)["gas_gwei"] == 10.0
    assert stated(with_figure(state, "pool.volume_day", Figure(value=7e6, source="read")))["swap_volume_day"] == 7e6


def test_two_coins_behind_a_base_lp_are_refused(tmp_path: Path) -> None:
    state = (STUDIES / "states" / "minimal.toml").read_text(encoding="utf-8")
    (tmp_path / "state.toml").write_text(
        state.replace("base_coins = { value = 1, assumed", "base_coins = { value = 2, assumed").replace(
            "low = 1, high = 1 }", "low = 1, high = 3 }"
        ),
        encoding="utf-8",
    )
    assert "neither one coin nor three" in {problem.message for problem in validate_file(tmp_path / "state.toml")}
