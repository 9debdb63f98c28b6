"""Where the kernel's numbers live."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from amo_opt.amos.inputs import MARKET_INPUTS
from amo_opt.amos.parameters import PARAMETERS
from amo_opt.protocol import lanes
from amo_opt.protocol.market import LANES

PACKAGE = Path(lanes.__file__).parents[1]
USED = {
    node.attr
    for file in sorted(PACKAGE.rglob("*.py"))
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in {"at", "lanes"} and node.attr[1:2] == "_"
}
"""Every offset that the package names."""


def test_an_offset_follows_from_its_declaration() -> None:
    """``S_`` and ``M_`` lines lie LANES apart in the order of the state and of the market row; ``P_`` and ``C_`` are places in their vectors."""
    assert [getattr(lanes, f"S_{name.upper()}") for name in lanes.STATE] == [index * LANES for index in range(len(lanes.STATE))]
    assert [getattr(lanes, f"M_{name.upper()}") for name in lanes.MARKET] == [index * LANES for index in range(len(MARKET_INPUTS))]
    assert [name.replace("lending_", "aave_") for name in lanes.MARKET] == [name.replace(".", "_") for name in MARKET_INPUTS]
    assert [getattr(lanes, f"P_{name.upper()}") for name in PARAMETERS] == list(range(len(PARAMETERS)))
    assert [getattr(lanes, f"C_{name.upper()}") for name in lanes.CONSTANT_INDEX] == list(range(len(lanes.CONSTANT_INDEX)))


@pytest.mark.parametrize("name", ["S_IDEL", "s_idle", "X_IDLE", "IDLE", "S_"])
def test_what_nothing_declares_is_no_offset(name: str) -> None:
    """A mistyped name is an error where it is used, not a number."""
    with pytest.raises(AttributeError, match=f"declares no {name}"):
        getattr(lanes, name)


def test_every_name_that_a_stage_uses_is_declared() -> None:
    """Also those that no test compiles."""
    assert len(USED) > 200
    for name in USED:
        assert isinstance(getattr(lanes, name), int), name


def test_every_parameter_is_read_by_the_kernel() -> None:
    """None is searched that moves nothing."""
    assert {f"P_{name.upper()}" for name in PARAMETERS} <= USED


def test_what_is_derived_for_the_kernel_is_read_by_it() -> None:
    """Every constant that a study's figures are turned into is used by a stage: none is packed for nobody."""
    assert [name for name in lanes.FURTHER_CONSTANTS if f"C_{name.upper()}" not in USED] == []


def test_faults_are_numbered_from_one() -> None:
    """0 means no fault; every code has its words."""
    assert list(lanes.FAULTS) == [1, 2, 3, 4, 5]
    assert len(set(lanes.FAULTS.values())) == 5


def test_the_accounting_lines_lie_together() -> None:
    """`open_window` clears the lines as one stretch of the state: they are neighbours, income_lending first."""
    indices = [lanes.STATE_INDEX[line] for line in lanes.LINES]
    assert lanes.LINES[0] == "income_lending"
    assert indices == list(range(indices[0], indices[0] + len(indices)))
    assert "income_seen" not in lanes.LINES
