"""A protocol state for drawing: only the lending markets' figures matter to `draw_block`."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from datetime import date
from typing import Any

import pytest

from amo_opt.amos.sections import parts_of
from amo_opt.protocol.state import Figure, FurtherPool, ProtocolState

FIGURES = {
    "amos.aave.lent": 0.25e9,
    "amos.investor.lent": 0.1e9,
    "amos.fraxlend.lent": 20e6,
    "markets.lending_elasticity": 2.0,
    "markets.lending_memory_hours": 168.0,
    "markets.lending_slope_1": 0.04,
    "markets.lending_slope_2": 0.6,
    "markets.lending_kink": 0.9,
    "markets.investor_slope_1": 0.05,
    "markets.investor_slope_2": 1.0,
    "markets.investor_kink": 0.8,
    "markets.fraxlend_slope_1": 0.03,
    "markets.fraxlend_slope_2": 1.5,
    "markets.fraxlend_kink": 0.75,
}
OTHERS = {
    "name": "test",
    "date": date(2022, 5, 11),
    "contracts": {},
    "notes": "",
    "chain_id": 1,
    "price_controller": "frax",
    "absent": frozenset(),
    "collateral_decimals": None,
    "protocol": "Frax",
    "unit": "USD",
    "family": None,
    "reads": {},
    "named": (),
    "on": "",
    "pool_name": "",
}


def build(kind: type, place: str = "") -> Any:
    hints = parts_of(kind)
    values: dict[str, Any] = {}
    for item in fields(kind):
        name = f"{place}{item.name}"
        if hints[item.name] is Figure:
            values[item.name] = Figure(value=FIGURES.get(name, item.metadata["low"]), assumed="test")
        elif is_dataclass(hints[item.name]):
            values[item.name] = build(hints[item.name], f"{name}.")
        else:
            values[item.name] = OTHERS[item.name]
    return kind(**values)


@pytest.fixture(scope="session")
def state() -> ProtocolState:
    built = build(ProtocolState)
    assert isinstance(built, ProtocolState)
    return built


@pytest.fixture(scope="session")
def of_two_pools(state: ProtocolState) -> ProtocolState:
    """The same with a further pool, of a coin called ``other``."""
    return replace(state, pools=replace(state.pools, named=(("other", build(FurtherPool)),)))
