"""A packed market is the whole market: what stands still is held once, and the step reads the same bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amo_opt.amos.layout import MARKET_INDEX, MARKET_INPUTS, STATE
from amo_opt.protocol.aligned import LINE
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation.engine import draw, draw_packed, draw_rows, hours_of
from amo_opt.simulation.kernel import run_block
from amo_opt.simulation.market_block import MarketBlock, pack_market, packed
from amo_opt.simulation.pack import constants, parameter_vector, start_state
from amo_opt.stress.catalogue import load_scenario, scenario_names
from amo_opt.stress.draws import lay_out, moving_inputs

if TYPE_CHECKING:
    from amo_opt.config.study import Study

NAMES = list(MARKET_INPUTS)


def whole(block: MarketBlock) -> np.ndarray:
    """The market unpacked: the first hour's row at every hour, and what changes put into it."""
    market = np.tile(block.first, (block.steps, 1))
    for place, first in enumerate(block.changing):
        market[:, first : first + LANES] = block.hours[:, place * LANES : (place + 1) * LANES]
    return market


def same(one: MarketBlock, other: MarketBlock) -> bool:
    """To the bit."""
    return all(getattr(one, part).tobytes() == getattr(other, part).tobytes() for part in ("first", "hours", "changing"))


def ran(study: Study, market: Any, first: np.ndarray) -> bytes:
    """The bits of every variable at every hour, of the window's opening and of the NAVs: the current set on one block."""
    state, navs = start_state(study, first), np.zeros((3, LANES))
    opening, trace = np.zeros_like(state), np.empty((hours_of(study), len(STATE) * LANES))
    offsets = np.arange(len(STATE), dtype=np.int64) * LANES
    hours = study.simulation.transition_hours
    run_block(state, market, parameter_vector(study.current), constants(study), hours, navs, opening, offsets, trace)
    return b"".join(each.tobytes() for each in (state, navs, opening, trace))


@pytest.mark.parametrize("name", scenario_names())
def test_packing_and_running_is_running_the_whole_market(frax: Study, hastened: Callable[..., Study], name: str) -> None:
    """Every scenario of the catalogue: drawn packed, or drawn whole and packed, it is one block; unpacked it is the whole market, and so runs what holds each
    hour's row as it is."""
    study, scenario = hastened(frax, 6, 90), load_scenario(name, weight=1.0)
    given = {"first": 64, "lanes": 40, "stream": "search"}
    market, block = draw(scenario, study, **given), draw_packed(scenario, study, **given)
    assert same(block, pack_market(market))
    assert whole(block).tobytes() == market.tobytes()
    assert ran(study, block, block.first) == ran(study, unpacked(market), market[0])


def unpacked(market: np.ndarray) -> MarketBlock:
    """A block that holds every input for every hour, whether it moves or not."""
    return MarketBlock(market[0], market, np.arange(len(NAMES), dtype=np.int64) * LANES)


@pytest.mark.parametrize("name", scenario_names())
def test_what_stands_still_is_not_held_for_each_hour(frax: Study, name: str) -> None:
    """Of all inputs at most those that the scenario moves; nothing is held that has the same bits at all hours in every lane."""
    scenario = load_scenario(name, weight=1.0)
    block = draw_packed(scenario, frax, first=0, lanes=LANES, stream="search")
    held = [NAMES[first // LANES] for first in block.changing]
    assert set(held) <= set(moving_inputs(scenario)) < set(NAMES)
    assert len(held) <= 17 < len(NAMES)
    assert block.nbytes == block.hours.nbytes + 8 * (len(NAMES) * LANES + len(held))
    for place in range(len(held)):
        lanes = block.hours[:, place * LANES : (place + 1) * LANES]
        assert np.any(lanes != lanes[0])


@pytest.mark.parametrize("name", scenario_names())
def test_one_number_is_one_number(frax: Study, hastened: Callable[..., Study], name: str) -> None:
    """What `moving_inputs` leaves out is one number when it is drawn, and nothing else is: the bound on memory hangs on it."""
    scenario = load_scenario(name, weight=1.0)
    rows = draw_rows(scenario, hastened(frax, 6, 24), paths=range(3), stream="search")
    there = tuple(each for each in moving_inputs(scenario) if not each.startswith("reserve."))  # which this protocol does not have
    assert there == tuple(each for each in NAMES if not isinstance(rows[each], float))


def test_a_block_is_read_only_and_begins_at_a_line(frax: Study, hastened: Callable[..., Study]) -> None:
    """Trials and threads share it: none of its arrays can be written to, and the two that are read every hour begin where a cache line does."""
    block = draw_packed(frax.scenarios[0], hastened(frax, 6, 24), first=0, lanes=5, stream="search")
    for array in (block.first, block.hours, block.changing):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    assert (block.first.ctypes.data % LINE, block.hours.ctypes.data % LINE) == (0, 0)


def moved(market: np.ndarray, *, every: bool) -> np.ndarray:
    """A market in which every input changes, by so little that it stays in its domain, or in which all hours are the first."""
    found = np.tile(market[:1], (len(market), 1))
    if every:
        rows = found.reshape(len(market), len(NAMES), LANES)
        lane = rows[1::2, :, 17]
        lane[:] = np.where(lane == 0.0, 1e-6, lane * (1.0 - 2.0**-20))
    return found


@pytest.mark.parametrize(("every", "held"), [(True, len(NAMES)), (False, 0)])
def test_all_inputs_change_or_none(frax: Study, hastened: Callable[..., Study], every: bool, held: int) -> None:
    """One lane that moves is enough for an input to be held; where nothing moves no hour is held, and both run as the whole market does."""
    study = hastened(frax, 6, 42)
    market = moved(draw(frax.scenarios[0], study, first=0, lanes=LANES, stream="search"), every=every)
    block = pack_market(market)
    assert (len(block.changing), block.hours.shape, block.steps) == (held, (48, held * LANES), 48)
    assert ran(study, block, block.first) == ran(study, unpacked(market), market[0])


VALUES = st.sampled_from([0.0, -0.0, 1.0, 1.0 + 2.0**-52, 5e-324, -3.5, 1e300])


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_bit_is_lost(data: st.DataObject) -> None:
    """Any rows, of any number of paths and hours, of zeros of both signs and neighbours in the last bit: unpacked they are what `lay_out` lays out, finite where the
    rows are, and an input is held exactly where some lane's bits change."""
    paths, steps = data.draw(st.sampled_from([1, 3, LANES])), data.draw(st.integers(1, 70))
    rows: dict[str, Any] = dict.fromkeys(NAMES, 1.0)
    changes = set()
    for name in data.draw(st.sets(st.sampled_from(NAMES), max_size=6)):
        start = data.draw(VALUES)
        rows[name] = np.full((paths, steps), start)
        if data.draw(st.booleans()):
            path, step, value = data.draw(st.integers(0, paths - 1)), data.draw(st.integers(0, steps - 1)), data.draw(VALUES)
            rows[name][path, step] = value
            if steps > 1 and np.float64(value).tobytes() != np.float64(start).tobytes():
                changes.add(name)
    block, market = packed(rows, paths=paths, steps=steps), lay_out(rows, paths=paths, steps=steps)
    assert whole(block).tobytes() == market.tobytes()
    assert np.all(np.isfinite(block.first))
    assert np.all(np.isfinite(block.hours))
    assert {NAMES[first // LANES] for first in block.changing} == changes
    assert same(block, pack_market(market))
    assert {name: index for index, name in enumerate(NAMES)} == MARKET_INDEX
