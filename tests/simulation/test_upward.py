"""Upward as well as downward: demand above the peg expands supply through the AMOs, within their caps, and the collateral ratio stays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from amo_opt.simulation.engine import simulate, trace
from amo_opt.stress.catalogue import load_scenario

if TYPE_CHECKING:
    from amo_opt.config.study import Study

PATHS = 8


@pytest.fixture(scope="module")
def wanted(frax: Study) -> Study:
    """Calm, and from the second day on outsiders buy 2% of the external supply a day for twenty days."""
    calm = load_scenario("calm", weight=1.0)
    demand = ((0.0, 0.0), (24.0, 0.02), (480.0, 0.02), (504.0, 0.0))
    settings = {**calm.settings, "onset_day_low": 1.0, "onset_day_high": 1.0}
    scenario = replace(calm, waypoints={**calm.waypoints, "demand": demand}, settings=settings)
    return replace(frax, scenarios=(scenario,), simulation=replace(frax.simulation, window_hours=720))


def test_supply_grows_through_the_amos_and_the_ratio_stays(wanted: Study) -> None:
    """What is bought comes out of the pool, the AMO mints into it as its share falls; nobody mints at the door, and CR does not ratchet down."""
    series = trace(
        wanted.current,
        wanted,
        scenario="calm",
        paths=PATHS,
        columns=("supply", "external_supply", "collateral_ratio", "price", "net_issued", "cr_external"),
    )
    opened = wanted.simulation.transition_hours
    grown = series["external_supply"][-1] / series["external_supply"][opened] - 1.0
    assert (grown > 0.15).all()
    assert (series["supply"][-1] > series["supply"][opened] + 2e8).all()
    assert (series["collateral_ratio"] == wanted.state.controller.collateral_ratio.value).all()
    assert (series["price"] < 1.005).all()
    assert (series["net_issued"][-1] <= 0.0).all()
    # each new stablecoin outside was paid for with 3CRV at about par
    assert (series["cr_external"][-1] > series["cr_external"][opened]).all()


def test_without_a_mint_cap_the_price_alone_answers(wanted: Study) -> None:
    """A cap of nothing: no growth through the AMO, and the price stands higher on every path."""
    capped = wanted.current.replace(curve_mint_cap=0.0)
    columns = ("price", "supply")
    open_cap, shut_cap = (trace(chosen, wanted, scenario="calm", paths=PATHS, columns=columns) for chosen in (wanted.current, capped))
    assert (shut_cap["supply"][-1] < open_cap["supply"][-1] - 2e8).all()
    assert (shut_cap["price"][-200:].mean(axis=0) > open_cap["price"][-200:].mean(axis=0)).all()


@pytest.mark.parametrize("cap", [0.45, 0.55, 0.6])
def test_the_mint_cap_holds_while_supply_grows(wanted: Study, cap: float) -> None:
    """Whatever the cap, no hour in which the AMO minted ends above it (the kernel would fail the trial), and a higher one grows further."""
    held = simulate(wanted.current.replace(curve_mint_cap=cap), wanted, paths=PATHS)
    more = simulate(wanted.current.replace(curve_mint_cap=cap + 0.1), wanted, paths=PATHS)
    assert (more.columns["supply_end"] >= held.columns["supply_end"] - 1.0).all()
