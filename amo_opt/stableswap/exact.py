"""Curve's stableswap pools to the last unit, in Python integers and the contracts' own method names: the public index.

PlainPool, MetaPool      a pool's state and its methods (exact_plain, exact_meta; shared arithmetic in exact_pool)
AmplificationRamp        A over time and the refusals of ramp_A (ramp)
pool_from_state          a pool from a case of the contract vectors
get_D, get_y, get_dy     the functions themselves (exact_math, exact_meta)
GENERATIONS              what tells one generation from the next (exact_rules)
Revert, PoolInputError   refusals: by the chain, and before it
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from amo_opt.stableswap.exact_input import PoolInputError, Revert
from amo_opt.stableswap.exact_math import checked, get_D, get_y, get_y_D
from amo_opt.stableswap.exact_meta import MetaPool, get_dy
from amo_opt.stableswap.exact_plain import PlainPool
from amo_opt.stableswap.exact_pool import LiquidityEvent
from amo_opt.stableswap.exact_rules import GENERATIONS, Generation, generation_of
from amo_opt.stableswap.ramp import AmplificationRamp

__all__ = [
    "GENERATIONS",
    "AmplificationRamp",
    "Generation",
    "LiquidityEvent",
    "MetaPool",
    "PlainPool",
    "PoolInputError",
    "Revert",
    "checked",
    "generation_of",
    "get_D",
    "get_dy",
    "get_y",
    "get_y_D",
    "pool_from_state",
]


def pool_from_state(case: Mapping[str, Any]) -> PlainPool | MetaPool:
    """The pool of a case in the vectors' schema (tests/vectors/README.md): at its ``state``, or empty where the case has none.

    Integers may be decimal strings. ``contract`` may be a contract's name or a generation's. Raises PoolInputError for a missing key
    or a pool that no contract would hold.
    """
    try:
        return _pool_from_state(case)
    except KeyError as missing:
        raise PoolInputError(f"the case {case.get('id', '')!r} has no {missing}; its schema is in tests/vectors/README.md") from missing


def _pool_from_state(case: Mapping[str, Any]) -> PlainPool | MetaPool:
    rules = generation_of(case["contract"])
    state = _state_of(case)
    values: dict[str, Any] = {
        "generation": rules.name,
        "decimals": case["decimals"],
        "admin_fee_raw": int(case["admin_fee"]),
        "offpeg_fee_multiplier_raw": int(case.get("offpeg_fee_multiplier") or 0),
        **_figures(state, a_unit=rules.a_unit),
    }
    if not rules.meta:
        return PlainPool(**values)
    base_state = case["base_state"] if "base_state" in case else case["base_state_initial"]
    base_rules = generation_of(base_state.get("contract", "ThreePool"))
    base_pool = PlainPool(
        generation=base_rules.name,
        decimals=case["underlying_decimals"][1:] if "underlying_decimals" in case else [18, 6, 6],
        admin_fee_raw=int(base_state["admin_fee"]),
        offpeg_fee_multiplier_raw=int(base_state.get("offpeg_fee_multiplier") or 0),
        **_figures(base_state, a_unit=base_rules.a_unit),
    )
    if (cache := case.get("vp_cache")) is not None:
        values["base_virtual_price"] = int(cache["base_virtual_price_cached"])
        values["base_cache_updated"] = int(cache["base_cache_updated"])
    timestamp = (cache or {}).get("now", state.get("timestamp", values.get("base_cache_updated", 0)))
    return MetaPool(base_pool=base_pool, timestamp=int(timestamp), **values)


def _state_of(case: Mapping[str, Any]) -> Mapping[str, Any]:
    for key in ("state", "state0"):
        if key in case:
            return case[key]  # type: ignore[no-any-return]
    nothing = ["0"] * len(case["decimals"])
    return {"balances": nothing, "admin_balances": nothing, "total_supply": "0", "A": case["A"], "fee": case["fee"]}


def _figures(state: Mapping[str, Any], *, a_unit: int) -> dict[str, Any]:
    """The keyword arguments both kinds of pool share, from a state of the vectors."""
    precise = state.get("A_precise")
    return {
        "balances": _integers(state["balances"]),
        "admin_balances": _integers(state["admin_balances"]),
        "amplification_raw": int(state["A"]) * a_unit if precise is None else int(precise),
        "fee_raw": int(state["fee"]),
        "total_supply": int(state["total_supply"]),
    }


def _integers(values: Sequence[Any]) -> list[int]:
    return [int(value) for value in values]
