"""Paths side by side in one block are the paths of blocks of their own, to the last bit."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from amo_opt.amos.layout import MARKET_INDEX
from amo_opt.config.overrides import with_figure
from amo_opt.errors import AmoOptError, SimulationError
from amo_opt.protocol.market import LANES
from amo_opt.simulation import engine
from amo_opt.simulation import mixed as room
from amo_opt.simulation.engine import simulate
from amo_opt.simulation.market_block import MarketBlock
from amo_opt.simulation.mixed import draw_mixed, paths_for_one_block, redrawn, simulate_mixed
from amo_opt.stress.tilts import Design, Tilt
from tests.quiet import without_spells


@pytest.mark.parametrize("paths", [1, 12, 20])
def test_the_same_outcome_as_alone(frax, hastened, paths):
    """Five scenarios, in less than one block, in a nearly full one and in two (a scenario then falls on both)."""
    study = hastened(frax, 6, 120)
    assert paths_for_one_block(study) == 12
    found = simulate_mixed(study.current, study, draw_mixed(study, paths=paths, stream="holdout"))
    alone = simulate(study.current, study, paths=paths, stream="holdout")
    assert (found.scenarios, found.weights, found.steps) == (alone.scenarios, alone.weights, alone.steps)
    assert np.array_equal(found.scenario_of, alone.scenario_of)
    assert np.array_equal(found.path_of, alone.path_of)
    assert found.columns.keys() == alone.columns.keys()
    for name, values in alone.columns.items():
        assert np.array_equal(found.columns[name], values), name


DESIGNS = {
    "calm": Design(20, ((Tilt("share", -0.5, -0.1),), (Tilt("volume", 1.0), Tilt("flow", 0.4))), (30, 25)),
    "svb-2023": Design(4, ((Tilt("size", 1.0),),), (3,)),
}


def test_twins_are_those_of_blocks_of_their_own(frax, hastened):
    """Drawn and twins of two scenarios, beside three without a design, over several blocks: outcome, ratios and weights."""
    study = hastened(without_spells(frax), 6, 48)
    found = simulate_mixed(study.current, study, draw_mixed(study, paths=3, stream="holdout", designs=DESIGNS))
    alone = simulate(study.current, study, paths=3, stream="holdout", designs=DESIGNS)
    for name in ("scenario_of", "path_of", "component_of", "path_weight", "log_ratios"):
        assert np.array_equal(getattr(found, name), getattr(alone, name)), name
    assert found.path_weight.min() < found.path_weight.max()
    for name, values in alone.columns.items():
        assert np.array_equal(found.columns[name], values), name


def test_twins_keep_their_normals_whatever_a_setting_is(frax, hastened):
    """The share token half as volatile: returns fall in proportion hour by hour on twins too, which are pushed as far as before and weigh the same."""
    study = hastened(without_spells(frax), 6, 48)
    calmer = replace(
        study,
        scenarios=tuple(
            replace(each, settings={**each.settings, "share_daily_vol": 0.5 * each.settings["share_daily_vol"]}) for each in study.scenarios
        ),
    )
    usual = draw_mixed(study, paths=3, stream="holdout", designs=DESIGNS)
    found = redrawn(usual, calmer)
    assert np.array_equal(found.path_weight, usual.path_weight)
    calm = slice(0, 75)
    sd = study.scenarios[0].settings["share_daily_vol"] / math.sqrt(24.0)
    one, other = (np.log(each.rows["share_return"][calm]) for each in (usual, found))
    np.testing.assert_allclose(other + 0.125 * sd * sd, 0.5 * (one + 0.5 * sd * sd), rtol=1e-9, atol=1e-12)


def test_a_fault_names_scenario_and_path(frax, hastened, monkeypatch):
    """A block of many scenarios knows only a lane: the message is that of the path's own block."""
    study = hastened(without_spells(frax), 6, 48)
    drawn = draw_mixed(study, paths=2, stream="holdout")
    itself = room.run_one

    def run_one(parameters, study, span, market, vector):
        if span.lanes > 2 or span.scenario.name == "svb-2023":
            raise SimulationError(f"scenario {span.scenario.name}, path {span.path(1)}, of {span.lanes}")
        return itself(parameters, study, span, market, vector)

    monkeypatch.setattr(room, "run_one", run_one)
    with pytest.raises(SimulationError, match="scenario svb-2023, path 1, of 2"):
        simulate_mixed(study.current, study, drawn)


def test_too_many_scenarios_still_have_a_path_each(frax):
    """More scenarios than lanes: one path of each, in several blocks."""
    many = replace(frax, scenarios=frax.scenarios * 20)
    assert paths_for_one_block(many) == 1


@pytest.mark.parametrize("paths", [0, 65])
def test_a_scenario_s_paths_fit_into_a_block(frax, paths):
    with pytest.raises(AmoOptError, match=f"paths = {paths}; from 1 to 64"):
        draw_mixed(frax, paths=paths, stream="holdout")


def test_only_what_a_state_is_drawn_into_is_drawn_anew(frax, hastened):
    """Under another state the paths are those of `draw_mixed`, in a nearly full block and in two."""
    study = hastened(without_spells(frax), 6, 48)
    figure = study.state.markets.lending_kink
    elsewhere = replace(study, state=with_figure(study.state, "markets.lending_kink", replace(figure, value=0.5)))
    for paths in (3, 20):
        usual, expected = (draw_mixed(each, paths=paths, stream="holdout") for each in (study, elsewhere))
        found = redrawn(usual, elsewhere)
        for (used, market), (lanes, drawn), (_, before) in zip(found.blocks, expected.blocks, usual.blocks, strict=True):
            assert used == lanes
            assert (market.first.tobytes(), market.hours.tobytes()) == (drawn.first.tobytes(), drawn.hours.tobytes())
            assert market.hours.tobytes() != before.hours.tobytes()
            assert np.array_equal(market.changing, drawn.changing)


def test_blocks_are_packed_once(frax, hastened, monkeypatch):
    """What stands still in every scenario is not held for each hour, and a set that is run packs nothing anew."""
    study = hastened(without_spells(frax), 6, 48)
    mixed = draw_mixed(study, paths=3, stream="certify-b")
    assert [(used, isinstance(market, MarketBlock)) for used, market in mixed.blocks] == [(15, True)]
    assert mixed.rows["reward_tokens"] == mixed.blocks[0][1].first[MARKET_INDEX["reward_tokens"] * LANES]
    monkeypatch.setattr(engine, "pack_market", None)
    simulate_mixed(study.current, study, mixed)
