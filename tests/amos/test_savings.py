"""The savings AMO: what it holds, what it earns, what it may bring, and that it is nothing where nobody speaks of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from amo_opt.config.study import Study
from amo_opt.simulation.engine import simulate

YIELD = 0.05 / 8760.0


def test_an_hour_earns_the_stated_yield(lanes: Callable[..., Any]) -> None:
    """5% a year, compounded by the hour: the position and the collateral at work grow by it, and it is booked at the price."""
    block = lanes()
    block["savings.held"] = 1e6
    block.constant(**{"savings.hourly_yield": YIELD})
    before = block["at_work"]
    block.run("savings_market_operations")
    assert block["savings.held"] == pytest.approx(1e6 * (1.0 + YIELD), rel=1e-15)
    assert block["at_work"] - before == pytest.approx(1e6 * YIELD, rel=1e-6)
    assert block["income_savings"] == pytest.approx(1e6 * YIELD * block["collateral_price"], rel=1e-12)


def test_a_loss_takes_its_share(lanes: Callable[..., Any]) -> None:
    """A fifth of what it holds, booked as a venue's loss at the price."""
    block = lanes()
    block["savings.held"] = 1e6
    block.market(**{"savings.loss": 0.2})
    block.run("savings_venue_loss")
    assert block["savings.held"] == 0.8e6
    assert block["income_venue_losses"] == pytest.approx(-0.2e6 * block["collateral_price"])


def test_a_cap_is_filled_from_idle_collateral(lanes: Callable[..., Any]) -> None:
    """At the deploying rate, booked as borrowed; the rest of what is spare stays for the hours to come."""
    block = lanes()
    block.parameter(savings_cap=0.1, curve_collateral_cap=0.9, idle_buffer=0.0)
    block.market(gas_usd=0.0)
    block["idle"] = 5e8
    idle, borrowed = block["idle"], block["borrowed"]
    block.run("savings_operate")
    moved = block["savings.held"]
    assert moved > 0.0
    assert block["savings.borrowed"] == moved
    assert (idle - block["idle"], block["borrowed"] - borrowed) == (pytest.approx(moved), pytest.approx(moved))


def test_unwinding_brings_it_back(lanes: Callable[..., Any]) -> None:
    """Half of it an hour, at a rate of a half."""
    block = lanes()
    block.parameter(savings_cap=1.0, unwind_rate=0.5)
    block["savings.held"], block["unwinding"], block["unwinding_hours"] = 1e8, 1.0, 100.0
    block.run("savings_operate")
    assert block["savings.held"] == pytest.approx(0.5e8)


def test_a_path_with_savings_keeps_its_books(frax: Study, refigured: Callable[..., Study]) -> None:
    """Given room and a yield of 5% it earns on every path; the engine refuses one whose lines do not add up to ΔNAV."""
    study = refigured(frax, {"amos.savings.yearly_yield": 0.05})
    found = simulate(frax.current.replace(savings_cap=0.05), study, paths=8)
    assert (found.paths["income_savings_usd"] > 0.0).all()


def test_it_is_nothing_where_nobody_speaks_of_it(frax: Study) -> None:
    """The worked state has no such section and the set no such cap: nothing held, nothing allowed."""
    assert frax.current.values()["savings_cap"] == 0.0
    assert frax.state.amos.savings.held.value == 0.0
    assert not frax.state.amos.savings.held.is_given
