"""The Aave AMO: what it has beyond any lending AMO (`test_lending`, `test_operations`), a venue that others can empty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from amo_opt.amos.lending import borrow_rate


def lending(block: Any, lent: float, *, deposits: float = 1e9, demand: float = 0.8e9) -> None:
    block["aave.lent"] = lent
    block.market(**{"aave.deposits": deposits, "aave.demand": demand})
    block.constant(lending_elasticity=0.0, lending_weight=1.0)
    block.run("aave_market_operations")


def test_a_frozen_venue_pays_the_rate_of_full_use_and_lets_nobody_out(lanes: Callable[..., Any]) -> None:
    """Others take what is free: utilisation 1, the rate its highest, and only the stated amount can be withdrawn."""
    block = lanes()
    block.market(**{"aave.free_cap": 1e6})
    lending(block, 250e6)
    assert block["aave.free"] == 1e6
    assert block["aave.rate"] == pytest.approx(borrow_rate(1 - 1e6 / 1.25e9, 0.9, 0.04, 0.60))
    block["unwinding"], block["unwinding_hours"] = 1.0, 7.0
    block.parameter(unwind_rate=1.0)
    lent = block["aave.lent"]
    block.run("aave_operate")
    assert lent - block["aave.lent"] == pytest.approx(1e6)
    assert block["aave.free"] == 0.0
    block.run("aave_operate")
    assert lent - block["aave.lent"] == pytest.approx(1e6)


def test_others_take_nothing_where_the_limit_is_not_reached(lanes: Callable[..., Any]) -> None:
    """A limit above what is free changes neither the rate nor what can be withdrawn."""
    found = []
    for most in (1e15, 451e6):
        block = lanes()
        block.market(**{"aave.free_cap": most})
        lending(block, 250e6)
        found.append((block["aave.free"], block["aave.rate"], block["income_lending"]))
    assert found[0] == found[1]
    assert found[0][0] == pytest.approx(450e6)


def test_a_thin_buffer_is_refilled_from_what_is_lent(lanes: Callable[..., Any]) -> None:
    """Idle under the buffer: withdrawn at the deploying rate until the buffer stands, booked as returned; without a buffer nothing is."""
    for buffer in (0.2, 0.0):
        block = lanes()
        block["lp_amo"] = 0.0
        block.parameter(aave_cap=1.0, idle_buffer=buffer, curve_collateral_cap=0.0)
        lending(block, 900e6)
        block["idle"] = 100e6
        block["curve.borrowed"], block["aave.borrowed"] = 0.0, 2e9  # no room to lend more
        book, lent = block["aave.borrowed"], block["aave.lent"]
        total = block["idle"] + block["aave.lent"]
        block.run("aave_operate")
        assert lent - block["aave.lent"] == pytest.approx(0.01 * total if buffer else 0.0)
        assert book - block["aave.borrowed"] == pytest.approx(lent - block["aave.lent"])
        for _ in range(30):
            block.run("aave_operate")
        assert block["idle"] == pytest.approx(buffer * total if buffer else 100e6, rel=1.5e-2)
