"""The series that a trace can hold: those that stand in the state, those that follow from it, and how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from amo_opt.amos.catalogue import BY_RANK
from amo_opt.amos.kinds import KINDS, POOL, mechanism_of
from amo_opt.amos.layout import LINES, layout_of, mechanisms_of

if TYPE_CHECKING:
    from amo_opt.protocol.state import ProtocolState

Array = NDArray[np.float64]


class Columns(dict[str, str]):
    """Variables by the series that stands for each; one of a mechanism whose name a state chooses (``usdt_keeper_debt``) is known by its name, and not gone through."""

    def __missing__(self, name: str) -> str:
        found = _named(name)
        if found is None:
            raise KeyError(name)
        return found

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and _named(name) is not None)


@cache
def _named(name: str) -> str | None:
    line = name.startswith("income_")
    label, _, rest = name.removeprefix("income_").partition("_")
    word = rest.partition("_")[0]
    mechanism = mechanism_of(f"{label}-{word}") if word in (*KINDS, POOL) else None
    if line and mechanism is not None:
        return next((name for each in mechanism.income.values() if name == f"income_{each.name}"), None)
    return (
        None if mechanism is None else next((f"{mechanism.name}.{line}" for line, each in mechanism.series.items() if each == name), None)
    )


TRACE_COLUMNS = Columns(
    {
        "price": "price",
        "oracle": "oracle",
        "collateral_ratio": "collateral_ratio",
        "cr_external": "cr_external",
        "cr_contract": "cr_contract",
        "supply": "supply",
        "idle": "idle",
        **{series: f"{each.name}.{line}" for each in BY_RANK for line, series in each.series.items()},
        "claims": "claims",
        "net_issued": "net_issued",
        "queue": "queue",
        "unserved": "unserved",
        "share_price": "share_price",
        "unwinding": "unwinding",
        "reward_tokens_locked": "reward_tokens_locked",
        **{line: line for line in LINES},
    }
)
"""Series that come straight from the state; the others of `trace` are derived from it. Accounting lines are running sums, cleared when the window opens."""
_POOL = ("pool_x", "pool_y", "lp_amo", "lp_supply")
_DERIVED: dict[str, tuple[str, ...]] = {
    "pool_share": ("pool_x", "pool_y"),
    "curve_collateral": _POOL,
    "own_stablecoin": (*_POOL, "own_outside"),
    "external_supply": (*_POOL, "own_outside", "supply"),
    "paid_out": ("sell_demand", "queue"),
    "reference": ("collateral_price", "base_value"),
    "amplification": ("ann",),
    **{name: each.of for mechanism in BY_RANK for name, each in mechanism.derived.items()},
}
"""Series computed from state variables, and which."""
_FORMULAS: dict[str, Callable[[dict[str, Array]], Array]] = {
    "pool_share": lambda raw: raw["pool_x"] / (raw["pool_x"] + raw["pool_y"]),
    "reference": lambda raw: np.minimum(1.0, np.minimum(raw["collateral_price"], raw["base_value"])),
    "amplification": lambda raw: raw["ann"] / 2.0,
    # who sells and no longer waits was paid, by the pool or by the issuer; whom a buyer met is not among them
    "paid_out": lambda raw: raw["sell_demand"] - raw["queue"],
    **{name: each.formula for mechanism in BY_RANK for name, each in mechanism.derived.items()},
}
"""How; the others need what the AMOs own of the pool first."""
DERIVED_COLUMNS = tuple(_DERIVED)


def named_columns(state: ProtocolState) -> tuple[str, ...]:
    """The series of the mechanisms whose names a state chose, in its order, of its further pools and of its AMOs, and their accounting lines."""
    own = (each for each in mechanisms_of(state) if each.table in state.instances)
    lines = (line for line in layout_of(state).lines if line not in LINES)
    return (*(series for each in own for series in each.series.values()), *lines)


def variables_of(columns: Sequence[str]) -> list[str]:
    """The state's variables that some series are told from."""
    needs = {TRACE_COLUMNS[name] for name in columns if name in TRACE_COLUMNS}
    return sorted(needs | {variable for name in columns for variable in _DERIVED.get(name, ())})


def series_of(name: str, raw: dict[str, Array]) -> Array:
    """A series from those variables, each of shape (steps, lanes)."""
    if name in TRACE_COLUMNS:
        return raw[TRACE_COLUMNS[name]].copy()
    if name in _FORMULAS:
        return _FORMULAS[name](raw)
    own = raw["lp_amo"] / raw["lp_supply"]
    if name == "curve_collateral":
        return own * raw["pool_y"]
    own_stablecoin = own * raw["pool_x"] + raw["own_outside"]
    return own_stablecoin if name == "own_stablecoin" else raw["supply"] - own_stablecoin
