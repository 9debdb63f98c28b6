"""Every contract vector of every generation, reproduced with zero units of difference, reverts included.

The reverts of NG's price oracle, which lie outside the swap arithmetic, are reproduced too (9 are in these files): no vector is excepted.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from amo_opt.stableswap.exact import MetaPool, PlainPool, PoolInputError, Revert, generation_of, get_D, pool_from_state

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
OPERATIONS = {"curve_plain": 6930, "curve_plain_factory": 2010, "curve_meta": 6713, "curve_ng": 3868}
FIRST_DEPOSITS = {"curve_plain": 465, "curve_plain_factory": 135, "curve_ng": 175}
NG_ORACLE_REVERTS = 9


@cache
def cases(name: str) -> list[dict[str, Any]]:
    with gzip.open(VECTORS / f"{name}.json.gz") as file:
        return json.load(file)["cases"]


def integers(values: list[str]) -> list[int]:
    return [int(value) for value in values]


def call(pool: PlainPool | MetaPool, op: dict[str, Any]) -> tuple[str, int | list[int]]:
    """The key of the operation's result in the vectors, and the pool's."""
    match op["op"]:
        case "get_dy" | "exchange" | "get_dy_underlying" | "exchange_underlying" as name:
            return "dy", getattr(pool, name)(op["i"], op["j"], int(op["dx"]))
        case "calc_token_amount":
            return "lp", pool.calc_token_amount(integers(op["amounts"]), op["is_deposit"])
        case "add_liquidity":
            return "minted", pool.add_liquidity(integers(op["amounts"]))
        case "remove_liquidity_imbalance":
            return "burned", pool.remove_liquidity_imbalance(integers(op["amounts"]))
        case "calc_withdraw_one_coin" | "remove_liquidity_one_coin" as name:
            return "dy", getattr(pool, name)(int(op["lp"]), op["i"])
        case "remove_liquidity":
            return "amounts_out", pool.remove_liquidity(int(op["lp"]))
        case name:
            pytest.fail(f"unknown operation {name}")


def figures(pool: PlainPool | MetaPool) -> tuple[Any, ...]:
    own = pool.balances, pool.admin_balances, pool.total_supply
    if isinstance(pool, PlainPool):
        return own
    return own, figures(pool.base_pool), pool.base_virtual_price, pool.base_cache_updated


def held(state: dict[str, Any]) -> tuple[Any, ...]:
    return integers(state["balances"]), integers(state["admin_balances"]), int(state["total_supply"])


def virtual_price(pool: PlainPool | MetaPool) -> str | None:
    try:
        return str(pool.get_virtual_price())
    except Revert:
        return None


def assert_reproduced(pool: PlainPool | MetaPool, op: dict[str, Any], where: str) -> None:
    before = figures(pool)
    try:
        key, got = call(pool, op)
    except Revert:
        assert op.get("revert"), f"{where}: {op} reverted"
        assert figures(pool) == before, f"{where}: {op} reverted and left a trace"
        return
    assert not op.get("revert"), f"{where}: {op} did not revert"
    assert got == (integers(op[key]) if isinstance(got, list) else int(op[key])), f"{where}: {op}"
    if "balances" not in op:
        assert figures(pool) == before, f"{where}: a view changed the pool"
        return
    assert (pool.balances, pool.admin_balances, pool.total_supply) == held(op), f"{where}: {op}"
    if "base" in op:
        assert figures(pool.base_pool) == held(op["base"]), f"{where}: {op}"
    if "event_fees" in op:
        event = pool.last_event
        assert list(event.fees) == (integers(op["event_fees"]) or [0] * pool.n), f"{where}: {op}"
        assert (event.invariant, event.lp) == (int(op["event_invariant"]), got), f"{where}: {op}"


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_gives_the_contract_s_integers_or_its_revert(name: str) -> None:
    """Results, balances, admin balances, supply, fees and invariant of the event, the base pool: all as measured, from every state."""
    count = 0
    for case in cases(name):
        if "state" in case:
            assert virtual_price(pool_from_state(case)) == case["state"]["virtual_price"], case["id"]
        for op in case["ops"]:
            assert_reproduced(pool_from_state(case), op, case["id"])
            count += 1
    assert count == OPERATIONS[name]


def test_the_reverts_of_the_price_oracle_are_among_them() -> None:
    """NG withdrawals of one coin that burn the whole supply, or all but one unit, revert in the oracle's upkeep."""
    found = [
        int(case["state"]["total_supply"]) - int(op["lp"])
        for case in cases("curve_ng")
        for op in case["ops"]
        if op["op"] == "remove_liquidity_one_coin" and op.get("revert")
    ]
    assert len(found) == NG_ORACLE_REVERTS
    assert set(found) <= {0, 1}


@pytest.mark.parametrize("name", FIRST_DEPOSITS)
def test_the_first_deposit_mints_D_or_reverts_as_measured(name: str) -> None:
    """The LP of a plain pool's first deposit is get_D of its balances; where the contract's get_D cycles, ours does."""
    count = 0
    for case in cases(name):
        if "base_state" in case:
            continue
        state = case.get("state", case)
        pool = pool_from_state({**{k: v for k, v in case.items() if k != "state"}, "A": state["A"], "fee": state["fee"]})
        op = {"op": "add_liquidity", "amounts": case["initial_deposit"]["amounts"]}
        if case["initial_deposit"].get("revert"):
            with pytest.raises(Revert):
                call(pool, op)
        else:
            assert call(pool, op) == ("minted", int(case["initial_deposit"]["minted_D"])), case["id"]
        count += 1
    assert count == FIRST_DEPOSITS[name]


@pytest.mark.parametrize("name", ["curve_meta", "curve_ng"])
def test_a_metapool_s_first_deposit_mints_D_at_a_base_price_its_base_pool_had(name: str) -> None:
    """The base price of that moment was not recorded, but one from 1 to the recorded price gives the minted D to the unit."""
    for case in cases(name):
        if "base_state" not in case:
            continue
        own, lp = integers(case["initial_deposit"]["amounts"])
        minted, generation, precise = (
            int(case["initial_deposit"]["minted_D"]),
            generation_of(case["contract"]),
            int(case["state"]["A_precise"]),
        )

        def d(price: int) -> int:
            return get_D((own, lp * price // 10**18), precise, generation)  # noqa: B023

        low, high = 10**18, int(case["base_state"]["virtual_price"])
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if d(middle) < minted else (low, middle)
        assert minted in {d(price) for price in range(low - 2, low + 3)}, case["id"]


def test_every_chained_run_keeps_step_with_the_contract() -> None:
    """70 runs from an empty pool, forty operations each, in time and with trades in the base pool between: every state and price."""
    count = 0
    for case in cases("curve_sequence"):
        pool = pool_from_state(case)
        for number, op in enumerate(case["ops"]):
            where, traded, step = f"{case['id']}[{number}]", pool, op
            if isinstance(pool, MetaPool):
                pool.timestamp = op["timestamp"]
            if op["op"] == "base_exchange":
                traded, step = pool.base_pool, {**op, "op": "exchange"}
            assert_reproduced(traded, step, where)
            if "virtual_price" in op:
                assert virtual_price(pool) == op["virtual_price"], where
            if "base_virtual_price" in op:
                assert virtual_price(pool.base_pool) == op["base_virtual_price"], where
            count += 1
    assert count == 2870


def test_a_case_may_name_the_generation_and_carry_integers() -> None:
    """`three_pool` for `ThreePool`, and 5 for "5"."""
    case = next(case for case in cases("curve_plain") if case["contract"] == "ThreePool" and "state" in case)
    state = {**case["state"], "balances": integers(case["state"]["balances"]), "A": int(case["state"]["A"])}
    other = pool_from_state({**case, "contract": "three_pool", "state": state})
    assert figures(other) == figures(pool_from_state(case))
    assert other.generation == "three_pool"


def test_a_case_that_lacks_a_key_says_which() -> None:
    """The missing key is in the error."""
    case = {k: v for k, v in cases("curve_meta")[0].items() if k != "admin_fee"}
    with pytest.raises(PoolInputError, match="admin_fee"):
        pool_from_state(case)
