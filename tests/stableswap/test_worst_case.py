"""The AMO contracts' worst case against what the contracts returned, unit by unit, and against the closed form it stands for."""

from __future__ import annotations

import gzip
import importlib.util
import json
from pathlib import Path

import pytest

from amo_opt.stableswap.depth import Pool, pool_at_price, worst_case
from amo_opt.stableswap.exact import PoolInputError, Revert, get_dy
from amo_opt.stableswap.floor import price_as_read
from amo_opt.stableswap.worst_case import (
    CONTRACTS,
    NO_POINT,
    Allocations,
    amo_contract,
    collat_dollar_balance,
    dollar_balances,
    iterate,
    show_allocations,
)

ROOT = Path(__file__).parents[2]
E18 = 10**18
POOL = {
    "frax_balance": 165_000_000 * E18,
    "crv3_balance": 165_000_000 * E18,
    "amplification": 1500,
    "fee_raw": 4_000_000,
    "virtual_price": E18,
    "floor_e6": 900_000,
}


def vectors() -> list[dict]:
    with gzip.open(ROOT / "tests" / "vectors" / "frax_iterate.json.gz") as file:
        return json.load(file)["vectors"]


def cases() -> list[tuple[dict, str, dict]]:
    return [(vector, contract, result) for vector in vectors() for contract, result in vector["results"].items()]


def inputs(vector: dict, result: dict) -> dict[str, int]:
    return {
        "frax_balance": int(vector["frax_balance"]),
        "crv3_balance": int(vector["crv3_balance"]),
        "amplification": vector["A"],
        "fee_raw": vector["fee_1e10"],
        "virtual_price": int(vector["virtual_price_3pool"]),
        "floor_e6": vector["floor_e6"],
        "convergence_window": int(result["convergence_window"]),
    }


def test_iterate_is_the_chains_to_the_unit() -> None:
    """Every one of the 480 calls: same balances, round and factor, or a revert for the same reason."""
    outcomes = {"ok": 0, "revert": 0}
    for vector, contract, result in cases():
        outcomes[result["status"]] += 1
        if result["status"] == "ok":
            got = iterate(contract, **inputs(vector, result))
            factor = result["factor_e6"] if result["factor_e6"] is None else int(result["factor_e6"])
            assert (got.frax_balance, got.crv3_balance) == (int(result["frax_balance"]), int(result["crv3_balance"])), vector["id"]
            assert (got.index, got.factor_e6) == (result["index"], factor), vector["id"]
            continue
        with pytest.raises(Revert) as reverted:
            iterate(contract, **inputs(vector, result))
        # a revert inside the metapool carries no data on chain; ours then names the arithmetic that failed
        assert (str(reverted.value) == NO_POINT) == (result["reason"] == NO_POINT), vector["id"]
    assert outcomes == {"ok": 466, "revert": 14}


def test_allocations_and_dollar_balances_are_the_chains_to_the_unit() -> None:
    """The array of eleven, and what the AMO reports to the protocol, in every call that did not revert."""
    for vector, contract, result in cases():
        owned = {"lp_owned": int(vector["lp_owned"]), "lp_total_supply": int(vector["lp_total_supply"])}
        if result["status"] == "revert":
            with pytest.raises(Revert):
                show_allocations(contract, **inputs(vector, result), **owned)
            continue
        got = show_allocations(contract, **inputs(vector, result), **owned)
        assert list(got) == [int(each) for each in result["showAllocations"]], vector["id"]
        if "collatDollarBalance" in result:
            assert collat_dollar_balance(got) == int(result["collatDollarBalance"])
        else:
            assert list(dollar_balances(contract, got)) == [int(each) for each in result["dollarBalances"]]


def test_the_quote_at_the_result_is_the_metapools() -> None:
    """The price the contract reads at the balances it returned, and before, is the metapool's own ``get_dy``."""
    for vector, _, result in cases():
        given = {
            "amplification_raw": 100 * vector["A"],
            "fee_raw": vector["fee_1e10"],
            "virtual_price": int(vector["virtual_price_3pool"]),
        }
        start = (int(vector["frax_balance"]), int(vector["crv3_balance"]))
        assert get_dy(0, 1, E18, balances=start, **given) == int(vector["dy_3crv_per_1frax_initial"])
        if result["status"] == "ok":
            end = (int(result["frax_balance"]), int(result["crv3_balance"]))
            assert get_dy(0, 1, E18, balances=end, **given) == int(result["dy_3crv_per_1frax_at_result"])


def test_contracts_share_two_loops() -> None:
    """V2 is V3 and StakeDAO is Convex; each is deployed with its own window."""
    assert iterate("CurveAMO_V2", **POOL) == iterate("CurveAMO_V3", **POOL)
    assert iterate("StakeDAO_AMO_V2", **POOL) == iterate("Convex_AMO_V2", **POOL)
    windows = {name: each.convergence_window for name, each in CONTRACTS.items()}
    assert windows == {
        "CurveAMO_V2": 10**16,
        "CurveAMO_V3": 10**16,
        "CurveAMO_V4": 10**15,
        "Convex_AMO_V2": 10**16,
        "StakeDAO_AMO_V2": 10**16,
    }
    assert iterate("CurveAMO_V4", **POOL, convergence_window=10**16) == iterate("Convex_AMO_V2", **POOL)


def test_a_pool_at_its_floor_is_left_alone() -> None:
    """At or below the floor both loops stop in round 0; V4 only within its window, and it scales by one."""
    already = {**POOL, "floor_e6": 1_000_000}
    assert iterate("CurveAMO_V3", **already).index == 0
    stopped = iterate("CurveAMO_V4", **already)
    assert (stopped.index, stopped.factor_e6, stopped.frax_balance) == (0, 10**6, POOL["frax_balance"])


def test_the_ten_percent_loop_never_buys_back_and_the_halving_loop_does() -> None:
    """A pool far under the floor stays as it is in V3; V4 trades 3CRV in until the price is back."""
    under = {**POOL, "frax_balance": 325_000_000 * E18, "crv3_balance": 5_000_000 * E18}
    assert iterate("CurveAMO_V3", **under).frax_balance == under["frax_balance"]
    assert iterate("CurveAMO_V4", **under).crv3_balance > under["crv3_balance"]


def test_a_window_wider_than_the_floor_reverts_in_the_halving_loop_alone() -> None:
    """Floor − window is unsigned: V4 cannot compute it, V3 does not try."""
    wide = {**POOL, "floor_e6": 5_000, "convergence_window": 10**16}
    with pytest.raises(Revert):
        iterate("CurveAMO_V4", **wide)
    assert iterate("CurveAMO_V3", **wide).index > 0


@pytest.mark.parametrize("amplification", [10, 50, 100, 500, 1500, 5000])
@pytest.mark.parametrize("floor_e6", [800_000, 850_000, 900_000, 950_000])
@pytest.mark.parametrize("virtual_price", [E18, 1_021_000_000_000_000_000])
def test_how_far_the_loops_are_from_the_closed_form(amplification: int, floor_e6: int, virtual_price: int) -> None:
    """With the floor as the chain reads it: V3 overshoots by at most its last tenth; V4 ends inside its window but for the fees it leaves.

    So the closed form is the loops' limit, and what separates them is the size of a step, the window and (V4) the scaling.
    """
    given = {**POOL, "amplification": amplification, "floor_e6": floor_e6, "virtual_price": virtual_price}
    dollars = 165e6 * virtual_price / E18
    pool = Pool(stablecoin=165e6, base=dollars, amplification=float(amplification), fee=0.0004)
    low, high = (price_as_read(floor_e6 / 1e6 + window, virtual_price=virtual_price / E18, fee=0.0004) for window in (-0.01, 0.01))
    v3 = iterate("CurveAMO_V3", **given).frax_balance / E18
    at_high = max(165e6, pool_at_price(pool, high).stablecoin)
    # the fees of its swaps stay in the pool, which moves the curve out by at most the fee on all that was sold
    assert at_high * (1 - 1e-3) <= v3 <= 1.1 * at_high * (1 + 1e-3)
    try:
        convex = iterate("Convex_AMO_V2", **given)
    except Revert:
        return
    assert convex.factor_e6 is not None
    unscaled = convex.frax_balance / E18 * 1e6 / convex.factor_e6
    share = unscaled / (unscaled + convex.crv3_balance * virtual_price / E18**2 * 1e6 / convex.factor_e6)
    at = [pool_at_price(pool, price).share for price in (high, low)]
    assert at[0] - 1e-4 <= share <= at[1] + 1e-4


def test_the_overshoot_of_the_ten_percent_loop_grows_with_amplification() -> None:
    """At A 5000 and a floor of 0.9, V3 leaves 2% of the collateral that is there at the floor, and books 7% more in total."""
    found = iterate("CurveAMO_V3", **{**POOL, "amplification": 5000})
    closed = worst_case(Pool(stablecoin=165e6, base=165e6, amplification=5000), 0.9)
    assert found.crv3_balance / E18 / closed.base == pytest.approx(0.0223, abs=1e-4)
    assert (found.crv3_balance + 0.9 * found.frax_balance) / E18 / closed.collateral == pytest.approx(1.0687, abs=1e-4)


def test_books_of_a_pool_without_supply() -> None:
    """Without LP supply the chain reports no 3CRV and all of the pool's FRAX, unshared; free coins count in full."""
    books = show_allocations(
        "CurveAMO_V4",
        **POOL,
        lp_owned=0,
        lp_total_supply=0,
        discount_e6=500_000,
        frax_in_contract=2 * E18,
        usdc_in_contract=7,
        lp_in_vault=3,
    )
    frax = iterate("CurveAMO_V4", **POOL).frax_balance
    assert books == Allocations(2 * E18, frax, frax + 2 * E18, 7, 0, 7, 7 + (frax + 2 * E18) // 2 // 10**12, 0, 0, 0, 3)


def test_refusals() -> None:
    """An unknown contract, a float, a negative number and an A no pool has are refused by name; an empty side reverts, as on chain."""
    with pytest.raises(PoolInputError, match="CurveAMO_V3, CurveAMO_V4"):
        amo_contract("CurveAMO_V5")
    for name, value in (("frax_balance", 1e24), ("floor_e6", -1), ("amplification", 0), ("amplification", 10**6), ("fee_raw", 10**10)):
        with pytest.raises(PoolInputError, match=name):
            iterate("CurveAMO_V4", **{**POOL, name: value})
    for name in ("frax_balance", "crv3_balance", "virtual_price"):
        with pytest.raises(Revert):
            iterate("CurveAMO_V3", **{**POOL, name: 0})
    with pytest.raises(PoolInputError, match="collat_dollar_balance"):
        dollar_balances("CurveAMO_V3", Allocations(*range(11)))


def test_the_table_in_the_docs_is_what_the_code_gives() -> None:
    """docs/worst-case.md is written by docs/worst_case_table.py; running it again changes nothing."""
    specification = importlib.util.spec_from_file_location("worst_case_table", ROOT / "docs" / "worst_case_table.py")
    assert specification is not None
    assert specification.loader is not None
    script = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(script)
    page = (ROOT / "docs" / "worst-case.md").read_text(encoding="utf-8")
    assert script.with_tables(page) == page
