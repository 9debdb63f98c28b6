"""Scenarios that the catalogue holds at a weight of 0: what each is there for comes about, and whom it reaches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from amo_opt import load_study
from amo_opt.amos.layout import layout_of
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation.engine import draw, trace
from amo_opt.stress.catalogue import load_scenario
from amo_opt.stress.touches import reaches

SEVERAL = Path(__file__).parents[1] / "amos" / "data" / "several" / "study.toml"
FRAX_V3 = Path(__file__).parents[2] / "studies" / "frax-v3-2024.toml"
FRAX = Path(__file__).parents[2] / "studies" / "frax-2022.toml"


def test_keepers_stand_at_their_ceilings_while_the_price_is_above_one() -> None:
    """In keeper-full, on most paths and in every pool that has room for it; a coin that itself slipped keeps some away."""
    study = load_study(SEVERAL)
    scenario = load_scenario("keeper-full", settings=study.scenario_settings)
    study = replace(study, scenarios=(study.scenarios[0], scenario))
    ceilings = {name.removesuffix(".ceiling"): value for name, value in study.current.values().items() if name.endswith("-keeper.ceiling")}
    columns = {name: f"{name.replace('-', '_')}_debt" for name, ceiling in ceilings.items() if ceiling > 0.0}
    told = trace(study.current, study, scenario=scenario.name, paths=32, columns=(*columns.values(), "price"))
    full = np.stack([told[line] >= 0.99 * ceilings[name] for name, line in columns.items()])
    assert full.any(axis=1).mean() >= 0.75
    assert np.median(told["price"].max(axis=0)) > 1.005
    assert (told["price"][full.all(axis=0)] > 1.0).mean() > 0.9


def test_a_staked_coin_s_discount_reaches_whoever_has_one() -> None:
    """An asset with a price of its own, or a pool beside the first; a protocol with neither is not told that it was tried."""
    scenario = load_scenario("liquid-staking-discount")
    several, frax_v3, frax = (load_study(path) for path in (SEVERAL, FRAX_V3, FRAX))
    assert [reaches(scenario, each.state.has) for each in (several, frax_v3, frax)] == [True, True, False]
    assert not reaches(load_scenario("opposite-depeg"), frax.state.has)
    lows = {}
    for study, name in ((several, "usdt-pool.price"), (frax_v3, "reserve.price")):
        one = load_scenario("liquid-staking-discount", settings={**study.scenario_settings, "size_spread": 0.0, "opposite_pool": 1.0})
        drawn = replace(study, scenarios=(one,), simulation=replace(study.simulation, transition_hours=0, window_hours=1440))
        market = draw(one, drawn, first=0, lanes=LANES, stream="search").reshape(1440, -1, LANES)
        lows[name] = market[:, layout_of(study.state).input_index[name]].min(axis=0)
    assert all(np.abs(low - 0.9345).max() < 0.006 for low in lows.values()), lows
