"""The Aave AMO."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from amo_opt.amos.aave import borrow_rate, market_operations, operate
from amo_opt.protocol.market import LANES

CURVE = (0.9, 0.04, 0.60)


def test_the_rate_has_a_kink() -> None:
    """0 at no use, 4% at 0.9, 64% at full use, and straight between."""
    assert [borrow_rate(u, *CURVE) for u in (0.0, 0.45, 0.9, 0.95, 1.0)] == pytest.approx([0.0, 0.02, 0.04, 0.34, 0.64])


def lending(block: Any, lent: float | np.ndarray, *, deposits: float = 1e9, demand: float = 0.8e9) -> None:
    block["lent"] = lent
    block.market(lending_deposits=deposits, lending_demand=demand)
    block.constant(lending_elasticity=0.0)
    market_operations(block.s, block.m, block.c)


def test_an_hours_interest(lanes: Callable[..., Any]) -> None:
    """1bn outside, 250m lent, 800m borrowed: utilisation 0.64 earns 4% × 0.64/0.9 × 0.64 × 90% a year, in the position and on its line."""
    block = lanes()
    lending(block, 250e6)
    earned = 250e6 * 0.04 * 0.64 / 0.9 * 0.64 * 0.9 / 8760
    assert block["lent"] == pytest.approx(250e6 + earned, rel=1e-14)
    assert block["income_lending"] == pytest.approx(earned, rel=1e-12)
    assert block["lending_free"] == pytest.approx(450e6)


def test_a_doubled_deposit_earns_less_than_double(lanes: Callable[..., Any]) -> None:
    """Income grows with the deposit, and twice the deposit earns less than twice: the AMO lowers its own rate."""
    block = lanes()
    deposit = np.geomspace(1e6, 1e9, LANES)
    lending(block, deposit)
    single = block.lanes("income_lending").copy()
    block["income_lending"] = 0.0
    lending(block, 2 * deposit)
    double = block.lanes("income_lending")
    assert np.all(double < 2 * single)
    assert np.all(double[:20] > single[:20])


def test_borrowers_turn_away_from_a_high_rate(lanes: Callable[..., Any]) -> None:
    """An elasticity of 2 at last hour's rate of 10%: demand falls by a sixth."""
    block = lanes()
    block["lent"], block["lending_rate"] = 0.0, 0.1
    block.market(lending_deposits=1e9, lending_demand=0.84e9)
    block.constant(lending_elasticity=2.0)
    market_operations(block.s, block.m, block.c)
    assert block["lending_free"] == pytest.approx(0.3e9)


def test_a_frozen_venue_pays_the_rate_of_full_use_and_lets_nobody_out(lanes: Callable[..., Any]) -> None:
    """Others take what is free: utilisation 1, the rate its highest, and only the stated amount can be withdrawn."""
    block = lanes()
    block.market(lending_free_cap=1e6)
    lending(block, 250e6)
    assert block["lending_free"] == 1e6
    assert block["lending_rate"] == pytest.approx(borrow_rate(1 - 1e6 / 1.25e9, *CURVE))
    block["unwinding"], block["unwinding_hours"] = 1.0, 7.0
    block.parameter(unwind_rate=1.0)
    lent = block["lent"]
    operate(block.s, block.m, block.p, block.c)
    assert lent - block["lent"] == pytest.approx(1e6)
    assert block["lending_free"] == 0.0


def test_withdrawals_begin_after_the_response_delay(lanes: Callable[..., Any]) -> None:
    """With a delay of 6 hours nothing leaves in the trigger's hour and the five after it; then a tenth an hour."""
    block = lanes()
    block.parameter(aave_cap=1.0, idle_buffer=0.0, unwind_rate=0.1)
    lending(block, 250e6)
    block["unwinding"] = 1.0
    lent = []
    for hour in range(1, 10):
        block["unwinding_hours"] = hour
        operate(block.s, block.m, block.p, block.c)
        lent.append(block["lent"])
    assert lent[:6] == [lent[0]] * 6
    assert lent[6:] == pytest.approx([lent[0] * 0.9**k for k in (1, 2, 3)], rel=1e-9)


def test_it_lends_towards_its_cap_at_the_deploying_rate_and_never_out_of_the_buffer(lanes: Callable[..., Any]) -> None:
    """Idle 1bn, cap 0.4, buffer 0.1: 1% of all collateral an hour until 40% is lent, idle never under its buffer."""
    block = lanes()
    block["idle"], block["lent"] = 1e9, 0.0
    block["lp_amo"] = 0.0
    block.parameter(aave_cap=0.4, idle_buffer=0.1)
    block.market(gas_usd=0.0)
    path = [block["lent"]]
    for _ in range(60):
        operate(block.s, block.m, block.p, block.c)
        path.append(block["lent"])
    assert path[1] == pytest.approx(0.01 * 1e9)
    assert max(np.diff(path)) <= 0.01 * 1e9 * (1 + 1e-12)
    assert path[-1] == pytest.approx(0.4e9, rel=2e-3)
    assert block["idle"] + block["lent"] == pytest.approx(1e9, rel=1e-14)
    block.parameter(aave_cap=1.0, idle_buffer=0.55)
    operate(block.s, block.m, block.p, block.c)
    assert block["idle"] >= 0.55e9 * (1 - 1e-9)


def test_a_thin_buffer_is_refilled_from_what_is_lent(lanes: Callable[..., Any]) -> None:
    """Idle under the buffer: withdrawn at the deploying rate until the buffer stands, booked as returned, gas as a cost."""
    block = lanes()
    block["lp_amo"] = 0.0
    block.parameter(aave_cap=1.0, idle_buffer=0.2)
    block.market(gas_usd=500.0)
    lending(block, 900e6)
    block["idle"] = 100e6
    book, nav, booked, lent = block["aave_borrowed"], block.nav(), block.booked(), block["lent"]
    total = block["idle"] + block["lent"]
    operate(block.s, block.m, block.p, block.c)
    assert lent - block["lent"] == pytest.approx(0.01 * total)
    assert block["aave_borrowed"] - book == pytest.approx(-0.01 * total)
    assert block["income_market_operations"] == pytest.approx(-500.0)
    assert block.nav() - nav == pytest.approx(block.booked() - booked, abs=1e-6)
    for _ in range(30):
        operate(block.s, block.m, block.p, block.c)
    assert block["idle"] == pytest.approx(0.2 * total, rel=1e-2)


def test_it_withdraws_what_is_over_its_cap(lanes: Callable[..., Any]) -> None:
    """A cap lowered to 0.1 draws 90% lent down to it."""
    block = lanes()
    block["lp_amo"] = 0.0
    block.parameter(aave_cap=0.1, idle_buffer=0.0)
    lending(block, 900e6)
    block["idle"] = 100e6
    for _ in range(120):
        operate(block.s, block.m, block.p, block.c)
        block["lending_free"] = 1e9
    assert block["lent"] == pytest.approx(100e6, rel=1e-2)


def test_nothing_is_lent_while_unwinding(lanes: Callable[..., Any]) -> None:
    """Idle to spare and room under the cap, but unwinding: nothing is deployed, from the first hour."""
    block = lanes()
    block["idle"], block["unwinding"], block["unwinding_hours"] = 1e9, 1.0, 1.0
    lent = block["lent"]
    operate(block.s, block.m, block.p, block.c)
    assert block["lent"] <= lent
