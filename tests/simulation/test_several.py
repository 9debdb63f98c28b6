"""Several pools and keepers in whole runs: no bit hangs on size, and a study of them crosses to other processes and back."""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from operator import attrgetter
from pathlib import Path

import numpy as np
import pytest

from amo_opt import load_study
from amo_opt.amos.layout import layout_of
from amo_opt.amos.parameters import PARAMETERS
from amo_opt.config.overrides import with_figure
from amo_opt.config.schema import figures_by_name, figures_in
from amo_opt.config.study import Study
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation.engine import draw, simulate, simulate_many, trace_given
from amo_opt.stress.settings import SETTINGS

STUDY = Path(__file__).parents[1] / "amos" / "data" / "several" / "study.toml"
AMOUNTS = {"tokens", "tokens/h", "USD", "USD/h", "gas"}
GROWTHS = [4096.0, 1.0 / 4096.0]


@pytest.fixture(scope="module")
def several() -> Study:
    return load_study(STUDY)


def grown(study: Study, times: float) -> Study:
    """Every amount of the state, its scenarios, its limits and its ceilings times so much."""
    state = study.state
    for name in figures_in(state):
        if figures_by_name()[name].metadata["unit"] in AMOUNTS:
            held = attrgetter(name)(state)
            state = with_figure(state, name, replace(held, value=times * held.value))
    scenarios = tuple(
        replace(one, settings={name: value * (times if SETTINGS[name].unit in AMOUNTS else 1.0) for name, value in one.settings.items()})
        for one in study.scenarios
    )
    ceilings = {name: times * value for name, value in study.current.values().items() if name.endswith("-keeper.ceiling")}
    limits = replace(study.constraints, max_unserved_usd_hours=times * study.constraints.max_unserved_usd_hours)
    return replace(study, state=state, scenarios=scenarios, constraints=limits, current=study.current.replace(**ceilings))


@pytest.mark.parametrize("times", GROWTHS)
def test_no_bit_hangs_on_size(several: Study, times: float) -> None:
    """Every line of the state, hour by hour in 64 lanes of every scenario: as it was, or exactly so many times as much."""
    short = replace(several, simulation=replace(several.simulation, transition_hours=48, window_hours=240))
    other = grown(short, times)
    names = layout_of(short.state).state
    for ours, theirs in zip(short.scenarios, other.scenarios, strict=True):
        before, after = (
            trace_given(
                each.current,
                each,
                draw(one, each, first=0, lanes=LANES, stream="search"),
                scenario=one,
                first=0,
                lanes=LANES,
                variables=names,
            )
            for each, one in ((short, ours), (other, theirs))
        )
        wrong = [
            name for name in names if not (np.array_equal(after[name], before[name]) or np.array_equal(after[name], times * before[name]))
        ]
        assert wrong == [], ours.name
        assert np.array_equal(after["usdt-keeper.debt"], times * before["usdt-keeper.debt"])
        assert np.array_equal(after["usdt-pool.pool_x"], times * before["usdt-pool.pool_x"])
        assert np.array_equal(after["aggregate"], before["aggregate"])
        assert np.array_equal(after["price"], before["price"])


def test_every_ceiling_of_a_keeper_is_an_amount() -> None:
    """Named by its parameter, so that whoever multiplies amounts knows it."""
    assert PARAMETERS["usdt-keeper.ceiling"].amount
    assert not PARAMETERS["usdt-keeper.caller_share"].amount


def _columns(study: Study) -> dict[str, bytes]:
    found = simulate(study.current, study, paths=16)
    return {name: values.tobytes() for name, values in found.columns.items()}


def test_a_study_crosses_to_another_process(several: Study) -> None:
    """Pickled, its state, set and layout are the same; a process that is started anew gives the same bytes."""
    from amo_opt.simulation.remote import deserialise, serialise

    again = deserialise(serialise(several))
    assert again == several
    assert layout_of(again.state) is layout_of(several.state)
    assert pickle.loads(pickle.dumps(layout_of(several.state))) is layout_of(several.state)  # noqa: S301 - our own bytes
    assert pickle.loads(pickle.dumps(several.state)) == several.state  # noqa: S301 - our own bytes
    assert pickle.loads(pickle.dumps(several.current)) == several.current  # noqa: S301 - our own bytes
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        there = pool.submit(_far, serialise(several)).result(timeout=240)
    assert there == _columns(several)


def _far(study: bytes) -> dict[str, bytes]:
    from amo_opt.simulation.remote import deserialise

    return _columns(deserialise(study))


def test_a_cluster_s_workers_give_one_thread_s_bytes(several: Study, need_module) -> None:
    """The study and sets that move a named parameter, over two Dask workers."""
    need_module("distributed", "cluster")
    from amo_opt.simulation.cluster import cluster_executor

    sets = [several.current, several.current.replace(name="other", **{"usdt-keeper.ceiling": 5e6, "regulator.alpha": 1.0})]
    with cluster_executor("local:1", several) as executor:
        there = simulate_many(sets, several, paths=16, workers=executor)
    here = simulate_many(sets, several, paths=16, workers=1)
    for one, other in zip(there, here, strict=True):
        assert all(one.columns[name].tobytes() == values.tobytes() for name, values in other.columns.items())
    assert any(not np.array_equal(here[0].columns[name], here[1].columns[name]) for name in here[0].columns)


def test_threads_give_one_thread_s_bytes(several: Study) -> None:
    one, other = (simulate_many([several.current], several, paths=150, workers=workers)[0].columns for workers in (1, 2))
    assert all(one[name].tobytes() == other[name].tobytes() for name in one)
