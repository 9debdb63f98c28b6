"""A lane's figures do not depend on who stands beside it: what is worked out for the active lanes alone is what the whole block would have got."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from amo_opt.amos import curve, fraxlend, uniswap_v3
from amo_opt.protocol import lanes as at
from amo_opt.protocol.active_lanes import FULL_STAGE, SCRATCH, W_ACTIVE, OnActive
from amo_opt.protocol.collateral_ratio import scale_active
from amo_opt.protocol.lanes import LANES, STATE
from amo_opt.protocol.primary_market import trade, trade_active, trade_fast
from amo_opt.simulation.kernel import STAGES

Block = Any


def stressed(lanes: Callable[..., Block], seed: int) -> Block:
    """Lanes in all states of an hour: calm and not, with demand on either side, over and under every target."""
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
    return block


def test_trades_at_the_pool_and_at_the_doors_are_the_whole_of_trading(lanes: Callable[..., Block]) -> None:
    """The light pass and the active lanes' full one come to what the full stage alone comes to, in every line of the state, to 1e-12 of its scale."""
    active = 0
    for seed in range(40):
        block = stressed(lanes, seed)
        whole, split, w = block.s.copy(), block.s.copy(), np.zeros(SCRATCH)
        trade(whole, block.m, block.p, block.c)
        trade_fast(split, block.m, block.p, block.c, w)
        flags = w[W_ACTIVE : W_ACTIVE + LANES] > 0.5
        active += int(flags.sum())
        trade_active(split, block.m, block.p, block.c, w)
        ours, theirs = split.reshape(len(STATE), LANES), whole.reshape(len(STATE), LANES)
        # a lane that was copied out and back is the same to the last bit
        assert np.array_equal(ours[:, flags], theirs[:, flags])
        for name, one, other in zip(STATE, ours, theirs, strict=True):
            assert one == pytest.approx(other, rel=1e-12, abs=1e-12 * 2.3e9), name
    assert 0.2 * 40 * LANES < active < 0.9 * 40 * LANES


ACTIVE: dict[str, OnActive] = {
    "trade": trade_active,
    "scale": scale_active,
    "arbitrage": uniswap_v3.arbitrage_active,
    "curve": curve.operate_active,
    "uniswap": uniswap_v3.operate_active,
    "fraxlend": fraxlend.operate_active,
}


def lines_in(function: Any, array: str, context: type[ast.expr_context]) -> set[int]:
    """Offsets of the lines of ``array`` that the function's source loads or stores."""
    tree = ast.parse(inspect.getsource(function.py_func))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Subscript):
            node.target.ctx = context()  # ``+=`` loads and stores
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, context) and ast.unparse(node.value) == array:
            name, _, lane = ast.unparse(node.slice).partition(" + ")
            assert lane == "i", ast.unparse(node)
            found.add(getattr(at, name.removeprefix("at.")))
    return found


@pytest.mark.parametrize("name", ACTIVE)
def test_what_is_copied_for_a_stage_is_what_it_reads_and_writes(name: str) -> None:
    """The declaration of a stage on active lanes names the lines of its source, all and only those."""
    active = ACTIVE[name]
    touched, written, read = (int(count) for count in active.lines[:3])
    places = active.lines[3:].tolist()
    assert set(places[touched : touched + written]) == lines_in(active.full, "s", ast.Store)
    assert set(places[:touched]) == lines_in(active.full, "s", ast.Load) | lines_in(active.full, "s", ast.Store)
    market = next(arg.arg for arg in ast.parse(inspect.getsource(active.full.py_func)).body[0].args.args[1:2])  # type: ignore[attr-defined]
    assert set(places[touched + written :]) == lines_in(active.full, market, ast.Load)
    assert len(places) == touched + written + read == len(set(places[:touched])) + written + read


def test_every_stage_on_active_lanes_is_held_to_its_source() -> None:
    """None is missing above."""
    on_some = {
        name: function
        for name, (function, types) in STAGES.items()
        if types == FULL_STAGE and "lanes" in function.py_func.__code__.co_varnames
    }
    assert {id(function) for function in on_some.values()} == {id(active.full) for active in ACTIVE.values()}
    assert len(on_some) == len(ACTIVE)


OPERATIONS: dict[str, tuple[Callable[..., None], Callable[..., None], Callable[..., None]]] = {
    "curve": (curve.flag_operations, curve.operate_active, curve.operate),
    "uniswap": (uniswap_v3.flag_operations, uniswap_v3.operate_active, uniswap_v3.operate),
    "fraxlend": (fraxlend.flag_operations, fraxlend.operate_active, fraxlend.operate),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_of_active_lanes_are_all_there_are(lanes: Callable[..., Block], name: str) -> None:
    """Whoever is not flagged would not have acted: flagging, then operating where flagged, leaves what operating everywhere leaves."""
    flag, active_only, everywhere = OPERATIONS[name]
    acted = rested = 0
    for seed in range(20):
        block = stressed(lanes, seed)
        block.parameter(uniswap_cap=0.05, fraxlend_cap=0.05)
        block["idle"] = np.random.default_rng(seed).uniform(0.0, 0.6e9, LANES)
        whole, split, w = block.s.copy(), block.s.copy(), np.zeros(SCRATCH)
        everywhere(whole, block.m, block.p, block.c)
        flag(split, block.p, block.c, w)
        flags = w[W_ACTIVE : W_ACTIVE + LANES] > 0.5
        active_only(split, block.m, block.p, block.c, w)
        acted, rested = acted + int(flags.sum()), rested + int((~flags).sum())
        for variable, one, other in zip(STATE, split.reshape(len(STATE), LANES), whole.reshape(len(STATE), LANES), strict=True):
            assert one == pytest.approx(other, rel=1e-11, abs=1e-12 * 2.3e9), variable
    assert acted
    assert rested


def test_neighbours_change_nothing(lanes: Callable[..., Block]) -> None:
    """A lane among others, and the same lane in a block of its own likes: the same bits."""
    block = stressed(lanes, 3)
    among, w = block.s.copy(), np.zeros(SCRATCH)
    trade_fast(among, block.m, block.p, block.c, w)
    trade_active(among, block.m, block.p, block.c, w)
    for lane in range(0, LANES, 9):
        alone = np.repeat(block.s.reshape(len(STATE), LANES)[:, lane], LANES)
        trade_fast(alone, block.m, block.p, block.c, w)
        trade_active(alone, block.m, block.p, block.c, w)
        assert np.array_equal(alone.reshape(len(STATE), LANES)[:, lane], among.reshape(len(STATE), LANES)[:, lane])
