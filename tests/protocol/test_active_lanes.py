"""A lane's figures do not depend on who stands beside it: what is worked out for the active lanes alone is what the whole block would have got."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from amo_opt.amos.layout import PLACES, STATE
from amo_opt.protocol.active_lanes import FULL_STAGE, FULL_STAGE_OF_AMO, FULL_STAGE_ON_POOL, W_ACTIVE
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation.kernel import SCRATCH, STAGES
from amo_opt.simulation.program import HOUR, Row

Block = Any


def stressed(lanes: Callable[..., Block], seed: int) -> Block:
    """Lanes in all states of an hour: calm and not, with demand on either side, over and under every target; its books not yet settled."""
    rng = np.random.default_rng(seed)
    block = lanes()
    x, y = rng.uniform(0.4e9, 1.6e9, LANES), rng.uniform(0.4e9, 1.6e9, LANES)
    block.pool(x, y)
    sells = rng.random(LANES) < 0.5
    size = np.exp(rng.uniform(np.log(1e2), np.log(1e9), LANES)) * (rng.random(LANES) < 0.9)
    block["sell_demand"], block["buy_demand"] = np.where(sells, size, 0.0), np.where(sells, 0.0, size)
    block["oracle"] = rng.uniform(0.97, 1.01, LANES)
    block["backing_value"] = rng.uniform(0.9, 1.0, LANES)
    block["unwinding"] = (rng.random(LANES) < 0.2).astype(float)
    block["unwinding_hours"] = block["high_hours"] = rng.uniform(0.0, 100.0, LANES)
    block.run("begin_settling")
    return block


def both(block: Block, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The state after a row, shape (lines, LANES), after its full stage in every lane, and which lanes the row flagged."""
    split, whole, w = replace(block, s=block.s.copy()), replace(block, s=block.s.copy()), np.zeros(SCRATCH)
    split.run(name, scratch=w)
    whole.run_everywhere(name)
    return split.s.reshape(len(STATE), LANES), whole.s.reshape(len(STATE), LANES), w[W_ACTIVE : W_ACTIVE + LANES] > 0.5


def assert_alike(ours: np.ndarray, theirs: np.ndarray, *, rel: float) -> None:
    """Every line alike in every lane, to so much of it or to 1e-12 of the state's scale."""
    apart = ~(np.abs(ours - theirs) <= np.maximum(rel * np.abs(theirs), 1e-12 * 2.3e9))
    assert [name for name, line in zip(STATE, apart, strict=True) if line.any()] == []


def test_trades_at_the_pool_and_at_the_doors_are_the_whole_of_trading(lanes: Callable[..., Block]) -> None:
    """The light pass and the active lanes' full one come to what the full stage alone comes to, in every line of the state, to 1e-12 of its scale."""
    active = 0
    for seed in range(40):
        ours, theirs, flags = both(stressed(lanes, seed), "trade")
        active += int(flags.sum())
        # a lane that was copied out and back is the same to the last bit
        assert np.array_equal(ours[:, flags], theirs[:, flags])
        assert_alike(ours, theirs, rel=1e-12)
    assert 0.2 * 40 * LANES < active < 0.9 * 40 * LANES


ACTIVE: dict[str, Row] = {row.name: row for row in HOUR if row.active is not None}


def lines_in(function: Any, array: str, declared_in: str, context: type[ast.expr_context]) -> set[int]:
    """Offsets of the lines of ``array`` that the function's source loads or stores, all of them names of that one module."""
    tree = ast.parse(inspect.getsource(function.py_func))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Subscript):
            node.target.ctx = context()  # ``+=`` loads and stores
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, context) and ast.unparse(node.value) == array:
            name, _, lane = ast.unparse(node.slice).partition(" + ")
            module, _, offset = name.partition(".")
            assert (module, lane) == (declared_in, "i"), ast.unparse(node)
            found.add(getattr(function.py_func.__globals__[module], offset))
    return found


@pytest.mark.parametrize("name", ACTIVE)
def test_what_is_copied_for_a_stage_is_what_it_reads_and_writes(name: str) -> None:
    """The declaration of a stage on active lanes names the lines of its source, the common ones and an AMO's own, all and only those."""
    active = ACTIVE[name].active
    arrays = list(inspect.signature(active.full.py_func).parameters)[:-1]
    declared = [("at", arrays[:2], active.writes, active.reads, active.market)]
    own = ("mine", arrays[4:6], active.own_writes, active.own_reads, active.own_market)
    assert bool(arrays[4:]) == (ACTIVE[name].of is not None)
    if arrays[4:]:
        declared.append(own)
    else:
        assert not any(own[2:])
    for module, (state, market), writes, reads, of_market in declared:
        stored = lines_in(active.full, state, module, ast.Store)
        assert set(writes) == stored
        assert set(writes) | set(reads) == stored | lines_in(active.full, state, module, ast.Load)
        assert set(of_market) == lines_in(active.full, market, module, ast.Load)
        assert not lines_in(active.full, market, module, ast.Store)
        assert len({*writes, *reads}) == len(writes) + len(reads)
        assert len(set(of_market)) == len(of_market)


@pytest.mark.parametrize("name", ACTIVE)
def test_an_amos_own_lines_are_copied_where_they_stand(name: str) -> None:
    """Counts of what is touched, written and read of the market, then these lines, an AMO's own at its place in the state and in the row."""
    row = ACTIVE[name]
    active, place = row.active, PLACES[row.of.name] if row.of else None
    state, market = (place.state, place.market) if place else (0, 0)
    assert row.places[:2] == (state, market)
    pool = max(row.places.pool, 0)
    lines = active.lines(state, market, pool)
    touched, written, read = (int(count) for count in lines[:3])
    places = lines[3:].tolist()
    writes = {*active.writes, *(state + line for line in active.own_writes), *(pool + line for line in active.pool_writes)}
    assert set(places[touched : touched + written]) == writes
    reads = {*active.reads, *(state + line for line in active.own_reads), *(pool + line for line in active.pool_reads)}
    assert set(places[:touched]) == writes | reads
    assert set(places[touched + written :]) == {*active.market, *(market + line for line in active.own_market)}
    assert len(places) == touched + written + read == len(set(places[:touched])) + written + read


def test_every_stage_on_active_lanes_is_held_to_its_source() -> None:
    """None is missing above."""
    on_some = {
        name: function
        for name, (function, types) in STAGES.items()
        if types in (FULL_STAGE, FULL_STAGE_OF_AMO, FULL_STAGE_ON_POOL) and "lanes" in function.py_func.__code__.co_varnames
    }
    assert {id(function) for function in on_some.values()} == {id(row.active.full) for row in ACTIVE.values()}
    assert len(on_some) == len({row.full for row in ACTIVE.values()}) == 8


@pytest.mark.parametrize("name", [name for name in ACTIVE if name.endswith(("_operate", "_arbitrage"))])
def test_operations_of_active_lanes_are_all_there_are(
    lanes: Callable[..., Block], invested_everywhere: Callable[..., Block], name: str
) -> None:
    """Whoever is not flagged would not have acted: flagging, then operating where flagged, leaves what operating everywhere leaves. From the
    snapshot on, and with a position in every venue."""
    acted = rested = 0
    for seed in range(40):
        block = stressed(lanes if seed < 20 else invested_everywhere, seed)
        block.parameter(uniswap_cap=0.05, fraxlend_cap=0.05, peg_keeper_ceiling=0.3)
        if name.startswith("peg_keeper"):
            block.constant(**{"peg_keeper.fee": 0.0})  # else hardly a call pays
            block["peg_keeper.lp"] = 0.06 * block.lanes("lp_supply")  # afloat at one of these debts
            block["peg_keeper.debt"] = np.random.default_rng(seed).choice([0.0, 5e7, 5e8], LANES)  # who owes nothing withdraws nothing
        if name.startswith("rebalancer"):
            block.parameter(rebalancer_share=0.3, rebalancer_trigger=0.3, rebalancer_reach=0.5, idle_buffer=0.1, min_cr=0.0)
            block["rebalancer.tilted_hours"] = block["rebalancer.short_hours"] = np.random.default_rng(seed).choice([0.0, 50.0], LANES)
            block["supply"] = 0.6 * block.lanes("supply")  # worth more than the supply: it acts on a solvent vault alone
        block["idle"] = np.random.default_rng(seed).uniform(0.0, 0.6e9, LANES)
        if name.startswith("rebalancer"):  # at its share in half of the lanes, and in some of them the pool is even enough
            total = block.lanes("idle") + block.lanes("at_work") + block.lanes("own") * block.lanes("pool_y")
            there = np.minimum(0.6 * total / block.lanes("d"), 0.99) * block.lanes("lp_supply")
            block["rebalancer.lp"] = np.where(np.arange(LANES) % 2, there, block.lanes("lp_amo"))
        ours, theirs, flags = both(block, name)
        acted, rested = acted + int(flags.sum()), rested + int((~flags).sum())
        assert_alike(ours, theirs, rel=1e-11)
    assert acted
    assert rested


@pytest.mark.parametrize("name", ACTIVE)
def test_neighbours_change_nothing(lanes: Callable[..., Block], name: str) -> None:
    """A lane among others, and the same lane in a block of its own likes: the same bits."""
    block = stressed(lanes, 3)
    among, w = replace(block, s=block.s.copy()), np.zeros(SCRATCH)
    among.run(name, scratch=w)
    for lane in range(0, LANES, 9):
        alone = replace(block, s=np.repeat(block.s.reshape(len(STATE), LANES)[:, lane], LANES))
        alone.run(name, scratch=w)
        assert np.array_equal(alone.s.reshape(len(STATE), LANES)[:, lane], among.s.reshape(len(STATE), LANES)[:, lane])
