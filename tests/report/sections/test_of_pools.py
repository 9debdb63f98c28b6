"""What is told of a protocol with several pools and PegKeepers of names of its own, by `tests/amos/data/several`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amo_opt.amos.cap_use import caps_below_use
from amo_opt.amos.layout import layout_of
from amo_opt.amos.naming import title_of
from amo_opt.config.cautions import cautions_of
from amo_opt.config.load import load_study
from amo_opt.errors import AmoOptError
from amo_opt.protocol.lanes import LANES
from amo_opt.report.sections.expectations import EXPECTATIONS, expectations_of
from amo_opt.report.sections.front import state_rows
from amo_opt.report.sections.unchanged import fees_sentence
from amo_opt.report.sections.validity import validity_of
from amo_opt.report.stories.break_ import definition
from amo_opt.report.stories.story import SERIES, series_in
from amo_opt.report.stories.story_panels import panels_of
from amo_opt.search.profile import profile
from amo_opt.search.reverse_stress import reverse_stress
from amo_opt.search.seeds import seed_sets
from amo_opt.search.space import build_space
from amo_opt.simulation.columns import TRACE_COLUMNS, named_columns
from amo_opt.simulation.engine import trace
from amo_opt.simulation.floor_supply import floor_supply
from amo_opt.simulation.series import write_trace

SEVERAL = Path(__file__).parents[2] / "amos" / "data" / "several" / "study.toml"


@pytest.fixture(scope="module")
def several():
    """Its study, short."""
    study = load_study(SEVERAL)
    return replace(study, simulation=replace(study.simulation, paths=8, transition_hours=24, window_hours=48))


@pytest.fixture(scope="module")
def series(several):
    """One calm path of it."""
    traced = trace(several.current, several, scenario="calm", paths=1, columns=series_in(several.state))
    return {name: values[:, 0] for name, values in traced.items()}


def test_series_are_known_by_their_names(several, frax, series, tmp_path):
    """Of what the state has and of no other; a table of one path holds them all."""
    named = named_columns(several.state)
    pools = [name for name, _ in several.state.pools.named]
    assert {f"{name}_pool_stablecoin" for name in pools} <= set(named) <= set(series)
    keepers = [name for name in named if name.endswith("_keeper_debt")]
    assert len(keepers) == len(several.state.amos.named)
    assert named_columns(frax.state) == ()
    assert series_in(frax.state) == SERIES
    assert "any_keeper_debt" in TRACE_COLUMNS
    assert "any_keeper_room" not in TRACE_COLUMNS
    assert "peg_keeper_debt" in dict.keys(TRACE_COLUMNS)
    with pytest.raises(KeyError):
        TRACE_COLUMNS["any_keeper_room"]
    with pytest.raises(AmoOptError, match="unknown series"):
        trace(several.current, several, scenario="calm", paths=1, columns=("any_keeper_room",))
    write_trace(tmp_path / "one.csv", several.current, several, scenario="calm", path=0)
    assert set(named) <= set((tmp_path / "one.csv").read_text(encoding="utf-8").partition("\n")[0].split(","))


def test_panels_of_pools_and_keepers(several, series):
    """Every pool's share, every PegKeeper's debt with its ceiling in tokens, and what is in which pool."""
    panels = {panel.name: panel for panel in panels_of(series, several, several.current)}
    pools = [several.state.pool_name, *(name for name, _ in several.state.pools.named)]
    assert [line.label.split()[0] for line in panels["share"].lines] == [name.upper() for name in pools]
    x, y = (series[f"{pools[1]}_pool_{side}"] for side in ("stablecoin", "opposite"))
    np.testing.assert_array_equal(panels["share"].lines[1].values, 100.0 * (x / (x + y)))
    keepers = panels["keepers"]
    assert len(keepers.levels) == len(several.state.amos.named)
    label, _, _ = keepers.levels[0].label.partition(" ")
    size = 1e6 if "(m tokens)" in keepers.title else 1e3 if "(k tokens)" in keepers.title else 1.0
    assert float(keepers.levels[0].values) * size == pytest.approx(several.current.values()[f"{label.lower()}-keeper.ceiling"])
    assert panels["price"].lines[0].label.startswith(f"{pools[0].upper()} pool price")


def test_expectations_of_what_is_named(several, frax):
    """Those of the catalogue, unchanged, and a ceiling's and an amplification's under their own names."""
    found = expectations_of(several.state)
    names = {each.parameter for each in found}
    for name, _ in several.state.pools.named:
        assert f"{name}-pool.amplification" in names
    assert f"{several.state.pool_name}-keeper.ceiling" in names
    assert set(EXPECTATIONS) <= set(found)
    assert expectations_of(frax.state) is EXPECTATIONS


def test_no_metapool_is_named_where_there_is_none(several, frax, result):
    """Title, figures, fees and limits say the pool's own name; what one pool alone is told of, and that floor supply is of all."""
    name = several.state.pool_name.upper()
    assert title_of("amplification", several.state) == f"Amplification A of the {name} pool"
    assert title_of("amplification", frax.state) == "Amplification A of the metapool"
    plain = replace(several.state, pool_name="")
    assert title_of("amplification", plain) == "Amplification A of the pool"
    told = [row.doc for row in state_rows(several.state, several.date)]
    assert f"coins opposite in the {name} pool" in told
    text = " ".join((*told, *validity_of(several).limits))
    assert "metapool" not in text
    assert "base pool" not in text
    assert f"Price and oracle are those of the {name} pool" in text
    keepers = [each.removesuffix("-keeper").upper() for each, _ in several.state.amos.named]
    assert f"The {', '.join(keepers[:-1])} and {keepers[-1]} PegKeepers" in text
    assert "redeem" not in " ".join(each for each in validity_of(several).limits if "Peg risk" in each)
    assert fees_sentence(several.state).startswith("Swap fees and admin fees of the pools are not part")
    assert fees_sentence(frax.state).startswith("The metapool's swap fee and admin fee are fixed at deployment")


def test_half_of_the_ceilings_is_tried_first(several):
    """Ceilings in tokens are caps too, and every pool's A moves with the first's."""
    space = build_space(several)
    found = {each.name: each.values() for each in seed_sets(space)}
    ceiling = next(name for name in space.bounds if name.endswith("-keeper.ceiling"))
    before = several.current.values()
    assert found["half-caps"][ceiling] == pytest.approx(0.5 * before[ceiling], rel=0.2)


def test_a_ceiling_below_a_debt_is_told(several):
    """By the parameter's own name, in tokens."""
    name, section = max(several.state.amos.named, key=lambda each: each[1].minted.value)
    low = several.current.replace(**{f"{name}.ceiling": 0.5 * section.minted.value})
    below = caps_below_use(low, several.state)
    assert [each.names for each in below] == [(f"{name}.ceiling",)]
    assert below[0].cap == pytest.approx(0.5 * section.minted.value)


def test_floor_supply_is_summed_over_pools(several, frax):
    """Each pool's depth to the same price, one after the other; a study of one pool is the first's alone."""
    layout = layout_of(several.state)
    rng = np.random.default_rng(1)
    state = np.zeros(len(layout.state) * LANES)

    def put(prefix, x, d):
        for line, values in (("pool_x", x), ("d", d), ("ann", 2.0 * 500.0)):
            at = layout.state_index[f"{prefix}{line}"] * LANES
            state[at : at + LANES] = values

    amounts = {}
    for prefix in ("", *(f"{name}-pool." for name, _ in several.state.pools.named)):
        amounts[prefix] = rng.uniform(3e6, 5e6, LANES)
        put(prefix, amounts[prefix], 1e7)
    whole = floor_supply(state, 0.01, study=several)
    alone = []
    for x in amounts.values():
        put("", x, 1e7)
        alone.append(floor_supply(state, 0.01, study=frax))
    np.testing.assert_allclose(whole, np.sum(alone, axis=0), rtol=1e-12)


def test_validate_says_it_of_the_file(tmp_path):
    """A ceiling of a name of its own below what is out is a caution at its line, not a fault."""
    for file in SEVERAL.parent.iterdir():
        text = file.read_text(encoding="utf-8")
        (tmp_path / file.name).write_text(text.replace("usdt-keeper.ceiling = 25e6", "usdt-keeper.ceiling = 1e5"), encoding="utf-8")
    told = [each for each in cautions_of(tmp_path / "study.toml") if "a cap below" in str(each)]
    assert len(told) == 1
    assert "parameters.toml:" in str(told[0])
    assert "usdt-keeper.ceiling = 100000 tokens" in str(told[0])


def test_a_misspelt_name_is_told_its_nearest(several):
    """Among the parameters of this protocol."""
    with pytest.raises(AmoOptError, match=r"did you mean 'usdt-keeper\.ceiling'"):
        profile(several, parameters="usdt-keeper.ceilin")


def test_no_freeze_is_told_where_nothing_lends(several):
    """Of the windows only those of the stresses that reach the protocol."""
    found = reverse_stress(several.current, several, paths=2, workers=1)
    assert "freeze" not in definition(found)
    assert "30 days (run)" in definition(found)
