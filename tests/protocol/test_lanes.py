"""Where the kernel's numbers live."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Any

import pytest

from amo_opt.amos import layout
from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.layout import MARKET_INPUTS
from amo_opt.protocol import lanes
from amo_opt.protocol.lanes import Own
from amo_opt.protocol.market import COMMON_INPUTS, LANES

PACKAGE = Path(lanes.__file__).parents[1]


def offsets_in(file: Path, *modules: str) -> set[str]:
    """Offsets that a file names as attributes of one of these."""
    return {
        node.attr
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules and node.attr[1:2] == "_"
    }


USED = {name for file in sorted(PACKAGE.rglob("*.py")) for name in offsets_in(file, "at", "lanes")}
"""Every common offset that the package names."""
OWN: dict[str, tuple[Own, set[str]]] = {
    file.stem: (importlib.import_module(f"amo_opt.amos.{file.stem}").mine, named)
    for file in sorted((PACKAGE / "amos").glob("*.py"))
    if (named := offsets_in(file, "mine"))
}
"""By file, what an AMO declares of its own, and what the file names of it."""


def test_an_offset_follows_from_its_declaration() -> None:
    """``S_`` and ``M_`` lines lie LANES apart in the order of the state and of the market row; ``P_`` and ``C_`` are places in their vectors.
    All stand at the front of what they are offsets into."""
    assert [getattr(lanes, f"S_{name.upper()}") for name in lanes.COMMON] == [index * LANES for index in range(len(lanes.COMMON))]
    assert [getattr(lanes, f"M_{name.upper()}") for name in COMMON_INPUTS] == [index * LANES for index in range(len(COMMON_INPUTS))]
    assert [getattr(lanes, f"P_{name.upper()}") for name in lanes.PARAMETERS] == list(range(len(lanes.PARAMETERS)))
    assert [getattr(lanes, f"C_{name.upper()}") for name in lanes.CONSTANTS] == list(range(len(lanes.CONSTANTS)))
    for common, all_of_them in (
        (lanes.COMMON, layout.STATE),
        (tuple(COMMON_INPUTS), tuple(MARKET_INPUTS)),
        (lanes.PARAMETERS, tuple(layout.PARAMETER_INDEX)),
        (lanes.CONSTANTS, tuple(layout.CONSTANT_INDEX)),
    ):
        assert all_of_them[: len(common)] == common


@pytest.mark.parametrize("mechanism", MECHANISMS, ids=lambda mechanism: mechanism.name)
def test_an_amos_own_offset_is_counted_from_where_its_own_begin(mechanism: Any) -> None:
    """Place + own offset is where the layout has the name, in the state, the market row, the parameters and the constants."""
    own, place, name = mechanism.stages.own, layout.PLACES[mechanism.name], mechanism.name
    for line in own.state:
        named = f"income_{mechanism.income[line].name}" if line in mechanism.income else f"{name}.{line}"
        assert place.state + getattr(own, f"S_{line.upper()}") == layout.STATE_INDEX[named] * LANES
    for line in own.market:
        assert place.market + getattr(own, f"M_{line.upper()}") == layout.MARKET_INDEX[f"{name}.{line}"] * LANES
    for each in own.parameters:
        assert place.parameters + getattr(own, f"P_{each.upper()}") == layout.PARAMETER_INDEX[f"{name}.{each}"]
    for each in own.constants:
        assert place.constants + getattr(own, f"C_{each.upper()}") == layout.CONSTANT_INDEX[f"{name}.{each}"]


@pytest.mark.parametrize("name", ["S_IDEL", "s_idle", "X_IDLE", "IDLE", "S_"])
def test_what_nothing_declares_is_no_offset(name: str) -> None:
    """A mistyped name is an error where it is used, not a number; an AMO's own likewise."""
    for declared in (lanes, Own("vault", state=("idle",))):
        with pytest.raises(AttributeError, match=f"declares no {name}"):
            getattr(declared, name)


def test_every_name_that_a_stage_uses_is_declared() -> None:
    """Also those that no test compiles."""
    assert len(USED) + sum(len(named) for _, named in OWN.values()) > 200
    for name in USED:
        assert isinstance(getattr(lanes, name), int), name
    for file, (mine, named) in OWN.items():
        for name in named:
            assert isinstance(getattr(mine, name), int), (file, name)


def test_every_parameter_is_read_by_the_kernel() -> None:
    """None is searched that moves nothing, be it the issuer's, an AMO's own or the minter's sums of these."""
    assert {f"P_{name.upper()}" for name in lanes.PARAMETERS} <= USED
    for each in MECHANISMS:
        named = next(named for mine, named in OWN.values() if mine is each.stages.own)
        assert {f"P_{name.upper()}" for name in each.parameters} <= named, each.name


def test_what_is_derived_for_the_kernel_is_read_by_it() -> None:
    """Every constant that a study's figures are turned into is used by a stage: none is packed for nobody."""
    assert [name for name in lanes.FURTHER_CONSTANTS if f"C_{name.upper()}" not in USED] == []
    for mine, named in OWN.values():
        assert [name for name in mine.constants if f"C_{name.upper()}" not in named] == []


def test_every_line_of_an_amos_own_is_used_by_it() -> None:
    """Nor is one kept of the state or drawn of the market that no stage looks at."""
    for mine, named in OWN.values():
        # a pool's lines are those of whoever works it too
        assert {f"S_{name.upper()}" for name in mine.state if name not in lanes.POOL} | {
            f"M_{name.upper()}" for name in mine.market
        } <= named, mine.__name__


def test_faults_are_numbered_from_one() -> None:
    """0 means no fault; every code has its words."""
    assert list(lanes.FAULTS) == [1, 2, 3, 4, 5]
    assert len(set(lanes.FAULTS.values())) == 5


@pytest.mark.parametrize(
    ("group", "first"), [("COMMON_LINES", "income_swap_fees"), ("TOTALS", "at_work"), ("HOURLY", "depth_elsewhere"), ("STUCK", "stuck")]
)
def test_what_is_cleared_in_one_stretch_lies_together(group: str, first: str) -> None:
    """`open_window`, `begin`, `open_hour` and `begin_settling` clear so many lines from that one on: they are neighbours, in this order."""
    names = tuple(getattr(lanes, group))
    indices = [layout.STATE_INDEX[line] for line in names]
    assert names[0] == first
    assert indices == list(range(indices[0], indices[0] + len(indices)))


def test_every_accounting_line_is_an_amos_or_common() -> None:
    """None twice, none missing, and what FXS1559 has looked at is no line; totals and hourly sums follow each other, as `begin` clears both."""
    assert sorted(layout.LINES) == sorted(
        [name for name in layout.STATE if name.startswith(("income_", "capital_")) and name != "income_seen"]
    )
    assert layout.STATE_INDEX[lanes.HOURLY[0]] == layout.STATE_INDEX[lanes.TOTALS[-1]] + 1
