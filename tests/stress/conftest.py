"""A protocol state for drawing: only the lending market's figures matter to `draw_block`."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any, get_type_hints

import pytest

from amo_opt.protocol.state import Figure, ProtocolState

FIGURES = {"lent": 0.25e9, "lending_elasticity": 2.0, "lending_slope_1": 0.04, "lending_slope_2": 0.6, "lending_kink": 0.9}
OTHERS = {"name": "test", "date": date(2022, 5, 11), "contracts": {}, "notes": ""}


def build(kind: type) -> Any:
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for item in fields(kind):
        if hints[item.name] is Figure:
            values[item.name] = Figure(value=FIGURES.get(item.name, item.metadata["low"]), assumed="test")
        elif is_dataclass(hints[item.name]):
            values[item.name] = build(hints[item.name])
        else:
            values[item.name] = OTHERS[item.name]
    return kind(**values)


@pytest.fixture(scope="session")
def state() -> ProtocolState:
    built = build(ProtocolState)
    assert isinstance(built, ProtocolState)
    return built
