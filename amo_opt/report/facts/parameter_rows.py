"""The parameter table: what is, what is proposed, and the integer a contract would hold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.protocol.parameters import PARAMETERS, Parameter, ParameterSet
from amo_opt.report.wording import MISSING, Scale, plain_number

if TYPE_CHECKING:
    from amo_opt.protocol.state import ProtocolState

CAPS = {
    "setCollatBorrowCap": (("curve_collateral_cap", "aave_cap", "investor_cap", "uniswap_cap"), 6, "collateral"),
    "setFraxMintCap": (("curve_mint_cap", "fraxlend_cap", "uniswap_cap"), 18, "supply"),
}
"""On-chain caps are sums over AMOs: setter -> (the parameters it sums, the token's decimals, what they are shares of).

Uniswap's cap is a share of collateral in both: beside its collateral goes about as much stablecoin (`amos.minter`).
"""
OF_COLLATERAL = frozenset({"uniswap_cap"})
"""What counts by collateral in a sum of shares of supply."""


@dataclass(frozen=True)
class ParameterRow:
    """One parameter. ``raw`` is the proposed on-chain integer, ``change`` in per cent; numbers are text."""

    name: str
    title: str
    current: str
    proposed: str
    unit: str
    change: str
    executed_by: str
    raw: str
    changed: bool
    searched: bool


@dataclass(frozen=True)
class CapRow:
    """One on-chain cap: the global sum that the shares of its AMOs amount to at the state."""

    setter: str
    sums: str
    current: str
    proposed: str
    raw: str


def parameter_rows(current: ParameterSet, proposed: ParameterSet, searched: frozenset[str]) -> tuple[ParameterRow, ...]:
    """Every parameter in the order of a parameter file."""
    before, after = current.values(), proposed.values()
    return tuple(_row(parameter, before[name], after[name], searched=name in searched) for name, parameter in PARAMETERS.items())


def cap_rows(current: ParameterSet, proposed: ParameterSet, state: ProtocolState) -> tuple[CapRow, ...]:
    """The on-chain caps in tokens at the state's collateral (at par) and supply."""
    base = {"collateral": state.collateral_usd, "supply": state.stablecoin.supply.value}
    scale = Scale(1e-6, 1, "m")
    rows = []
    for setter, (names, decimals, of) in CAPS.items():
        before, after = (
            math.fsum(each.values()[name] * base["collateral" if name in OF_COLLATERAL else of] for name in names)
            for each in (current, proposed)
        )
        # Whole tokens: a cap is a limit, and a double does not hold eighteen decimals.
        raw = round(after) * 10**decimals
        rows.append(CapRow(setter, " + ".join(names), scale.text(before), scale.text(after), str(raw)))
    return tuple(rows)


def changed_names(current: ParameterSet, proposed: ParameterSet) -> tuple[str, ...]:
    """The names that differ: first what a vote executes on chain, then policy; within each the largest relative change first."""
    before, after = current.values(), proposed.values()
    names = [name for name in PARAMETERS if before[name] != after[name]]
    return tuple(sorted(names, key=lambda name: (PARAMETERS[name].setter is None, -_relative(before[name], after[name]), name)))


def raw_integer(parameter: Parameter, value: float) -> int | None:
    """The contract's integer of ``value``; ``None`` where the parameter has no integer of its own."""
    return None if parameter.raw_decimals is None else round(value * 10**parameter.raw_decimals)


def _row(parameter: Parameter, before: float, after: float, *, searched: bool) -> ParameterRow:
    raw = raw_integer(parameter, after)
    executed_by = "policy" if parameter.setter is None else f"{parameter.setter} ({(parameter.contract or '').replace('_', ' ')})"
    return ParameterRow(
        name=parameter.name,
        title=parameter.title,
        current=plain_number(before),
        proposed=plain_number(after),
        unit=parameter.unit,
        change=_change(before, after),
        executed_by=executed_by,
        raw=MISSING if raw is None else str(raw),
        changed=before != after,
        searched=searched,
    )


def _change(before: float, after: float) -> str:
    if before == after:
        return "unchanged"
    if before == 0.0:
        return "from zero"
    return f"{Scale(100.0, 1, '%').number(after / before - 1.0, signed=True)}%"


def _relative(before: float, after: float) -> float:
    return abs(math.log(after / before)) if before > 0.0 and after > 0.0 else math.inf
