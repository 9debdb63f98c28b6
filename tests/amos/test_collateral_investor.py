"""The Collateral Investor: the lending AMO of `test_lending` and `test_operations` on markets of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from amo_opt.amos.lending import borrow_rate


def test_its_market_is_its_own(lanes: Callable[..., Any]) -> None:
    """The study's curve for other markets (3.2% at 0.8, 21.8% more, 7.5% kept), its deposits and its demand; Aave's position does not move."""
    block = lanes()
    block.market(**{"investor.deposits": 300e6, "investor.demand": 360e6, "aave.demand": 0.8e9, "aave.free_cap": 0.0})
    block.constant(lending_elasticity=0.0)
    block["investor.lent"] = 100e6
    lent = block["aave.lent"]
    block.run("investor_market_operations")
    rate = borrow_rate(0.9, 0.8, 0.032, 0.218)
    assert rate == pytest.approx(0.141)
    assert block["income_investor"] == pytest.approx(100e6 * rate * 0.9 * 0.925 / 8760, rel=1e-12)
    assert block["investor.free"] == pytest.approx(40e6)
    assert block["aave.lent"] == lent
    assert block["income_lending"] == 0.0


def test_aaves_freeze_is_not_its(lanes: Callable[..., Any]) -> None:
    """Nothing free on Aave, all of it here: unwinding takes this position and leaves that one."""
    block = lanes()
    block.market(**{"aave.free_cap": 0.0})
    block["investor.lent"], block["unwinding"], block["unwinding_hours"] = 100e6, 1.0, 100.0
    block.parameter(unwind_rate=0.5)
    lent = block["aave.lent"]
    for amo in ("aave", "investor"):
        block.run(f"{amo}_market_operations", f"{amo}_operate")
    assert block["investor.lent"] == pytest.approx(50e6, rel=1e-6)
    assert block["aave.lent"] >= lent
