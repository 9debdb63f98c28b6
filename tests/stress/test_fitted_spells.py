"""A fit of spells on a state: from shares of a pool to shares of external supply and back, path by path."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amo_opt import load_study
from amo_opt.config.assumptions import assumptions, joint_draws
from amo_opt.config.identity import study_hash
from amo_opt.config.overrides import with_figure
from amo_opt.protocol.state import Figure
from amo_opt.stress.fitted_spells import DRIFT, SCALES, SHARED, FittedSpells
from amo_opt.stress.settings import SETTINGS
from amo_opt.stress.spells import draw_spells
from amo_opt.stress.streams import Streams

STUDIES = Path(__file__).parents[2] / "studies"
COUNT = 20
VALUES = {
    "begin": 0.11, "end": 0.2, "flow_times": 3.4, "lp_times": 5.6, "flow_freedom": 2.2, "lp_freedom": 1.8, "reversion": 0.007, "lp_per_sale": 0.67,
    "flow_scale": 0.0024, "lp_scale": 0.0031,
}  # fmt: skip


def fit(*, pool: str = "", spread: float = 0.1, seed: int = 0, **values: float) -> FittedSpells:
    rng = np.random.default_rng(seed)
    own = VALUES | values
    draws = {name: value * np.exp(spread * rng.standard_normal(COUNT)) for name, value in own.items()}
    return FittedSpells(
        name="made", pool=pool, values=own, ranges={name: (0.5 * value, 2.0 * value) for name, value in own.items()},
        draws=draws, drift=rng.normal(-0.3, 0.4, (COUNT, 2)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def pool_study():
    return load_study(STUDIES / "pool.toml")


@pytest.fixture(scope="module")
def state(pool_study):
    return pool_study.state


def test_a_share_of_the_pool_is_a_share_of_external_supply(state) -> None:
    """10m in the pool beside 95m of supply in other hands: flows count a tenth or so, what goes with a unit of them as many times as much; nothing else changes."""
    share = state.pooled / state.external_supply
    assert share == pytest.approx(10e6 / 100e6, rel=0.1)
    found = fit().settings(state)
    assert set(found) == {f"spell_{name}" for name in (*SHARED, *SCALES)}
    for name, value in VALUES.items():
        by = {"flow_scale": share, "lp_per_sale": 1.0 / share}.get(name, 1.0)
        assert found[f"spell_{name}"] == pytest.approx(value * by, rel=1e-12), name


@given(st.floats(1e-3, 1e3))
def test_tokens_do_not_hang_on_who_holds_the_rest(by: float) -> None:
    """The same flow in tokens, and the same liquidity that goes with it, whatever the supply beside the pool (within the settings' limits)."""
    state = load_pool()
    other = with_figure(state, "stablecoin.supply", Figure(value=10e6 + 90e6 * by, source="made"))
    for each in (state, other):
        found = fit().settings(each)
        if (
            found["spell_lp_per_sale"] < SETTINGS["spell_lp_per_sale"].high
            and found["spell_flow_scale"] < SETTINGS["spell_flow_scale"].high
        ):
            assert found["spell_flow_scale"] * each.external_supply == pytest.approx(VALUES["flow_scale"] * each.pooled, rel=1e-9)
            assert found["spell_flow_scale"] * found["spell_lp_per_sale"] == pytest.approx(
                VALUES["flow_scale"] * VALUES["lp_per_sale"], rel=1e-9
            )


def load_pool(known: list = []):  # noqa: B006 - read once
    if not known:
        known.append(load_study(STUDIES / "pool.toml").state)
    return known[0]


def test_settings_stay_within_their_limits(state) -> None:
    """What no scenario may be set to is set to the end of what it may, for one state and for each path."""
    wild = fit(flow_times=1e9, begin=7.0, lp_per_sale=1e9, flow_scale=1e6)
    for found in (wild.settings(state), {name: values.max() for name, values in wild.by_path(state, range(40)).items()}):
        for name, value in found.items():
            assert SETTINGS[name].low <= value <= SETTINGS[name].high, name
        assert found["spell_begin"] == SETTINGS["spell_begin"].high


def test_a_path_has_the_draw_of_its_number(state) -> None:
    """By path, and drawn one by one, are the same numbers; beyond the last draw they begin again; whatever block a path is in."""
    some = fit()
    rows = some.by_path(state, range(2 * COUNT + 3))
    for number in (0, 1, COUNT - 1, COUNT, 2 * COUNT + 2):
        assert {name: float(values[number, 0]) for name, values in rows.items()} == some.drawn(state, number)
    assert some.drawn(state, 3) == some.drawn(state, COUNT + 3)
    later = some.by_path(state, range(7, 30, 5))
    assert all(np.array_equal(values[:, 0], rows[name][[7, 12, 17, 22, 27], 0]) for name, values in later.items())


def test_scales_that_are_known_drift_from_there(state) -> None:
    """A path's scales are the known ones times e to its drift; the figures all pools share are drawn as before."""
    some = fit()
    plain, known = some.by_path(state, range(COUNT)), some.by_path(state, range(COUNT), scales=(0.004, 0.005))
    share = state.pooled / state.external_supply
    np.testing.assert_allclose(known["spell_flow_scale"][:, 0], 0.004 * share * np.exp(some.drift[:, 0]), rtol=1e-12)
    np.testing.assert_allclose(known["spell_lp_scale"][:, 0], 0.005 * np.exp(some.drift[:, 1]), rtol=1e-12)
    for name in SHARED:
        assert np.array_equal(plain[f"spell_{name}"], known[f"spell_{name}"])
    assert len(DRIFT) == len(SCALES) == 2


def test_settings_by_path_are_those_of_each_path_alone(state) -> None:
    """Flow and liquidity drawn with a column of settings are the ones that each path has with its own numbers."""
    some = fit(lp_per_sale=0.05)
    streams = Streams(4, "search", "calm")
    calm = {name: each.calm for name, each in SETTINGS.items() if name.startswith("spell_")}
    columns = {**calm, **some.by_path(state, range(5))}
    flow, change = draw_spells(columns, streams, paths=range(5), steps=100, first=0.3)
    assert flow is not None
    assert change is not None
    for path in range(5):
        own = draw_spells({**calm, **some.drawn(state, path)}, streams, paths=range(path, path + 1), steps=100, first=0.3)
        np.testing.assert_allclose(own[0], flow[path : path + 1], rtol=1e-12, atol=1e-18)
        np.testing.assert_allclose(own[1], change[path : path + 1], rtol=1e-9, atol=1e-15)


def test_the_first_day_is_busy_with_the_chance_that_is_given() -> None:
    """0, 1, and a share of paths in between."""
    calm = {name: each.calm for name, each in SETTINGS.items() if name.startswith("spell_")}
    own = {**calm, **{f"spell_{name}": value for name, value in VALUES.items()}, "spell_flow_times": 50.0, "spell_flow_freedom": 1e3}
    first = {}
    for chance in (0.0, 0.25, 1.0):
        flow, _ = draw_spells(own, Streams(1, "search", "calm"), paths=range(400), steps=24, first=chance)
        first[chance] = np.mean(np.std(flow, axis=1) > 5.0 * VALUES["flow_scale"] / math.sqrt(24))
    assert (first[0.0], first[1.0]) == (0.0, 1.0)
    assert first[0.25] == pytest.approx(0.25, abs=0.07)


# -- a study's own -----------------------------------------------------------------------------------------------------------------------


def test_a_study_is_another_with_other_draws(pool_study) -> None:
    """One digit of one draw is another digest and another study; figures that are only said of it are not."""
    spells = pool_study.spells
    moved = {name: values.copy() for name, values in spells.draws.items()}
    moved["end"][7] *= 1.0 + 1e-12
    other = replace(spells, draws=moved)
    assert other.digest != spells.digest
    assert study_hash(replace(pool_study, spells=other)) != pool_study.hash
    said = replace(spells, evidence=("other words",), file="elsewhere.toml")
    assert study_hash(replace(pool_study, spells=said)) == pool_study.hash == study_hash(pool_study)
    assert study_hash(replace(pool_study, spells=None)) != pool_study.hash


def test_joint_draws_of_a_study_use_the_fits(pool_study) -> None:
    """Each draw's scenarios have that draw's spells on that draw's state; without a fit, none."""
    doubted = assumptions(pool_study)
    for each in joint_draws(pool_study, doubted, count=5):
        own = pool_study.spells.drawn(each.study.state, each.number)
        assert {name: each.study.calm.settings[name] for name in own} == own
    for each in joint_draws(replace(pool_study, spells=None), doubted, count=2):
        assert each.study.calm.settings["spell_end"] == pool_study.calm.settings["spell_end"]


def test_what_a_study_sets_itself_stays(tmp_path) -> None:
    """``[scenario_defaults] set`` is over the fit, in the study and in each of its draws; its hash is another."""
    text = (STUDIES / "pool.toml").read_text(encoding="utf-8").replace('"behaviour/', f'"{STUDIES}/behaviour/')
    text = text.replace('"states/', f'"{STUDIES}/states/').replace('"parameters/', f'"{STUDIES}/parameters/')
    file = tmp_path / "own.toml"
    assert text.count("set = { swap_volume_day = 0 }") == 1
    file.write_text(text.replace("swap_volume_day = 0", "swap_volume_day = 0, spell_end = 0.5"), encoding="utf-8")
    own, plain = load_study(file), load_study(STUDIES / "pool.toml")
    assert own.calm.settings["spell_end"] == 0.5 != plain.calm.settings["spell_end"]
    assert own.calm.settings["spell_begin"] == plain.calm.settings["spell_begin"]
    for each in joint_draws(own, assumptions(own), count=3):
        assert each.study.calm.settings["spell_end"] == 0.5
        assert each.study.calm.settings["spell_begin"] == own.spells.drawn(each.study.state, each.number)["spell_begin"]
    assert own.hash != plain.hash
