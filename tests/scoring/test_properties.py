"""What must hold of any study, on every worked one and all its scenarios: no stress pays, none adds cover, minting into a lending market costs cover, and what is covered lives until it is hit."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from amo_opt.config.load import load_study
from amo_opt.scoring.score import score
from amo_opt.simulation.engine import simulate

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.scoring.types import Estimate
    from amo_opt.stress.scenario import Scenario

STUDIES = Path(__file__).parents[2] / "studies"
WORKED = sorted(file.stem for file in STUDIES.glob("*.toml"))
ALLOWED = ("lending", "swap_fees")
"""What may rise with severity: interest while a market is frozen, fees of swaps."""
BOOMS = {"upward-depeg", "leverage-flood"}
"""In these more is wanted: what minting it earns at a door, or the interest of whoever borrows it, is income and no reward of a loss."""
FRAX_ALL = (
    *("svb-2023", "ust-contagion-2022", "death-spiral", "fast-run", "lp-flight", "slow-bleed", "whale-dump"),
    *("lending-freeze-svb", "wind-down", "collateral-impairment"),
)
"""Every scenario of the catalogue that reaches FRAX and has a size but for booms; `test_severity` strikes them one by one."""
LARGEST = 10.0
NO_COVER = 1e-6
"""Cover of a coin that is dead at either size."""
YEAR = 8760
GONE = 0.1
"""What is left of external supply, mean of paths, from where on a coin cannot be hurt: all that severity still decides is how long operations cost."""


@cache
def worked(name: str) -> Study:
    return load_study(STUDIES / f"{name}.toml")


def struck(study: Study, scenario: Scenario, times: float, *, paths: int, window: int) -> tuple[Estimate, float, Estimate, float]:
    """Yield, how much of it is of the allowed terms, worst cover and what is left of the external supply, where the scenario alone is so many times as hard."""
    size = min(LARGEST, times * scenario.settings["size"])
    one = replace(scenario, weight=1.0, settings={**scenario.settings, "size": size})
    alone = replace(study, scenarios=(one,), simulation=replace(study.simulation, paths=paths, window_hours=window))
    found = score(simulate(alone.current, alone), alone)
    allowed = sum(found.yield_terms[term].value for term in ALLOWED if term in found.yield_terms)
    return found.metrics["yield"], allowed, found.metrics["min_cr_external"], 1.0 + found.metrics["external_supply_change"].value


def no_stress_pays(study: Study, scenario: Scenario, sizes: tuple[float, ...], *, paths: int, window: int) -> None:
    """From each size to the next that finds a coin to hurt, beyond intervals: no more yield but by the allowed terms, no more cover. The peg is no such figure: it is told against what collateral
    fetches, and falls with it."""
    seen = [struck(study, scenario, times, paths=paths, window=window) for times in sizes]
    for (mild, mild_allowed, mild_cover, left), (hard, hard_allowed, hard_cover, _) in pairwise(seen):
        more = max(0.0, hard_allowed - mild_allowed)
        assert hard.low - more <= mild.high or left < GONE, (mild, hard)
        assert hard_cover.low <= mild_cover.high + NO_COVER, (mild_cover, hard_cover)


def sized(name: str) -> list[Scenario]:
    """The study's scenarios that have a size, but for booms."""
    return [each for each in worked(name).scenarios if "size" in each.settings and each.name not in BOOMS]


CASES = [(name, each.name) for name in WORKED for each in sized(name)]


@pytest.mark.parametrize(("name", "scenario"), [case for case in CASES if not case[0].startswith("frax-2022")])
def test_no_stress_pays(name: str, scenario: str) -> None:
    """Once and three times as hard, on every worked study but FRAX's of 2022, which `test_severity` has."""
    (found,) = [each for each in sized(name) if each.name == scenario]
    study = worked(name)
    no_stress_pays(study, found, (1.0, 3.0), paths=64, window=study.simulation.window_hours)


@pytest.mark.campaign
@pytest.mark.parametrize(("name", "scenario"), CASES)
def test_no_stress_pays_at_any_size(name: str, scenario: str) -> None:
    """From a quarter of its size to eight times it, four times the paths, over the year that the yield is told for: who redeems pays the door's fee once, and the income of a window of 30 days,
    times twelve, counts it twelve times while what he leaves behind earns nothing any more."""
    (found,) = [each for each in sized(name) if each.name == scenario]
    no_stress_pays(worked(name), found, (0.25, 0.5, 1.0, 2.0, 4.0, 8.0), paths=256, window=YEAR)


@pytest.mark.campaign
@pytest.mark.parametrize(("name", "scenario"), [("frax-2022", each) for each in FRAX_ALL])
def test_no_stress_of_the_catalogue_pays_frax(name: str, scenario: str) -> None:
    """The same over every scenario that reaches it."""
    study = load_study(STUDIES / f"{name}.toml", overrides={"scenario": [{"name": scenario, "weight": 1.0}]})
    no_stress_pays(study, study.scenarios[0], (0.25, 0.5, 1.0, 2.0, 4.0, 8.0), paths=256, window=YEAR)


def with_lent(study: Study, cap: float) -> Any:
    return simulate(study.current.replace(fraxlend_cap=cap), study).paths


def test_minting_into_a_lending_market_costs_cover() -> None:
    """More of it, less cover in every scenario of the worked study, path by path on average, beyond two deviations; in calm by more than a point at a tenth of the supply. Interest does not pay for
    all that can be minted: 2% of the supply earn more than 100%."""
    study = worked("frax-2022")
    caps = (0.0, 0.02, 0.1, 1.0)
    paths = {cap: with_lent(study, cap) for cap in caps}
    for scenario in (each.name for each in study.scenarios):
        cover = [np.asarray(paths[cap]["min_cr_external"][paths[cap]["scenario"] == scenario]) for cap in caps]
        for before, after in pairwise(cover[:3]):
            lost = before - after
            assert lost.mean() > 2.0 * lost.std() / np.sqrt(lost.size)
        assert np.mean(cover[3]) < np.mean(cover[1])
    assert np.mean(paths[0.0]["min_cr_external"] - paths[0.1]["min_cr_external"]) > 0.01
    earned = {cap: sum(paths[cap][line].mean() for line in paths[cap] if line.startswith("income_")) for cap in caps}
    assert earned[0.02] > earned[1.0]


def quarter_covered(scenario: str, *, token: float, volatility: float) -> Any:
    """FRAX with a quarter of the collateral and of what its AMO has in the pool, at a ratio of 0.02; ``token`` = the share token's price, ``volatility`` a day."""
    state = worked("frax-2022").state
    part = {
        "collateral.idle": state.collateral.idle,
        **{f"amos.aave.{name}": getattr(state.amos.aave, name) for name in ("lent", "borrowed")},
        **{f"amos.curve.{name}": getattr(state.amos.curve, name) for name in ("lp_share", "minted", "borrowed")},
    }
    figures = {name: 0.25 * figure.value for name, figure in part.items()}
    figures |= {"controller.collateral_ratio": 0.02, "share_token.price": token}
    entry = {"name": scenario, "weight": 1.0, "set": {"share_daily_vol": volatility}}
    overrides = {"scenario": [entry], "state": {"file": "states/frax-2022-05-11.toml", "set": figures}}
    study = load_study(STUDIES / "frax-2022.toml", overrides=overrides)
    return simulate(study.current.replace(min_cr=0.0), study).paths


def test_a_quarter_covered_coin_lives_until_it_is_hit() -> None:
    """As UST was: its share token, worth over twice what no collateral covers, stands in for the rest. While the token stands the coin does on every path; once that goes to nothing, as LUNA did, on none."""
    calm = quarter_covered("calm", token=60.0, volatility=0.0)
    assert (calm["min_price"] > 0.85).all()
    assert calm["peg_loss_bps"].median() < 10.0
    assert calm["recovered"].mean() > 0.9
    spiral = quarter_covered("death-spiral", token=60.0, volatility=0.0)
    assert (spiral["min_price"] < 0.01).all()


def test_who_dies_in_calm_was_not_covered() -> None:
    """At a token of FXS's own price what is not covered is worth less than it owes from the first hour: no UST, and sold off as such. At five times that price every path that fails in calm is
    one whose token had fallen by two fifths and more."""
    assert (quarter_covered("calm", token=17.86, volatility=0.0)["min_price"] < 0.9).mean() > 0.9
    drifting = quarter_covered("calm", token=100.0, volatility=0.08)
    failed = drifting["min_price"] < 0.85
    assert failed.mean() < 0.5
    assert (drifting["share_price_end"][failed] < 60.0).all()
