"""Where the kernel's numbers live."""

from __future__ import annotations

from amo_opt.protocol import lanes
from amo_opt.protocol.market import LANES, MARKET_INPUTS
from amo_opt.protocol.parameters import PARAMETERS


def constants(prefix: str) -> dict[str, int]:
    return {name.removeprefix(prefix): value for name, value in vars(lanes).items() if name.startswith(prefix) and isinstance(value, int)}


def test_every_state_variable_has_its_own_offset() -> None:
    """The S_ names are the state's variables, in order, LANES apart: none missing, none shared."""
    offsets = constants("S_")
    assert {name.lower(): value for name, value in offsets.items()} == {name: index * LANES for index, name in enumerate(lanes.STATE)}


def test_every_market_input_has_its_own_offset() -> None:
    """The M_ names are the market inputs, in order, LANES apart."""
    offsets = constants("M_")
    assert {name.lower(): value for name, value in offsets.items()} == {name: index * LANES for index, name in enumerate(MARKET_INPUTS)}


def test_parameters_and_constants_are_named_once() -> None:
    """No two P_ names and no two C_ names share an index; indices stay inside their vectors, and every parameter is used."""
    parameters, values = constants("P_"), constants("C_")
    assert sorted(parameters.values()) == list(range(len(PARAMETERS)))
    assert len(set(values.values())) == len(values)
    assert set(values.values()) <= set(range(len(lanes.CONSTANT_INDEX)))


def test_what_is_derived_for_the_kernel_is_read_by_it() -> None:
    """Every constant that a study's figures are turned into has its C_ name: none is packed for nobody."""
    values = set(constants("C_").values())
    assert [name for name in lanes.FURTHER_CONSTANTS if lanes.CONSTANT_INDEX[name] not in values] == []


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
