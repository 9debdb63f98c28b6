"""Closed form and loops beside each other: each row is what its own function gives."""

from __future__ import annotations

import pytest

from amo_opt.stableswap.depth import Pool, worst_case
from amo_opt.stableswap.exact import PoolInputError
from amo_opt.stableswap.floor import AS_READ, CLOSED_FORM, UNCAPPED, compare_floor, price_as_read
from amo_opt.stableswap.worst_case import iterate

E18 = 10**18
POOL = Pool(stablecoin=165e6, base=165e6, amplification=1500, fee=0.0004)


def by_method(*args, **options) -> dict:
    return {row.method: row for row in compare_floor(*args, **options)}


def test_every_row_is_its_own_functions_answer() -> None:
    """The closed form is `worst_case`; a contract's row its `iterate`, shared and valued; differences are relative to the first row."""
    rows = by_method(POOL, 0.9, lp_share=0.8)
    closed = worst_case(POOL, 0.9, lp_share=0.8)
    assert rows[CLOSED_FORM].collateral == closed.collateral
    assert rows[CLOSED_FORM].base_off == 0.0
    chain = iterate(
        "CurveAMO_V3",
        frax_balance=165_000_000 * E18,
        crv3_balance=165_000_000 * E18,
        amplification=1500,
        fee_raw=4_000_000,
        virtual_price=E18,
        floor_e6=900_000,
    )
    v3 = rows["CurveAMO_V3"]
    assert (v3.rounds, v3.stablecoin, v3.base) == (chain.index, chain.frax_balance / E18, chain.crv3_balance / E18)
    assert v3.collateral == pytest.approx(0.8 * (v3.base + 0.9 * v3.stablecoin))
    assert v3.base_off == pytest.approx(v3.base / closed.base - 1)
    assert rows["CurveAMO_V4"].window == 0.001
    assert rows["CurveAMO_V4"].factor is not None


def test_a_revert_is_a_row_too() -> None:
    """V4 finds no point for this pool at 0.8; its row says so and holds no figure."""
    row = by_method(POOL, 0.8)["CurveAMO_V4"]
    assert row.revert == "No hypothetical point"
    assert (row.price, row.collateral, row.base_off) == (None, None, None)
    assert by_method(POOL, 0.8, convergence_window=0.01)["CurveAMO_V4"].revert is None


def test_a_cap_adds_the_uncapped_line() -> None:
    """Where less exists outside than the floor takes, the closed form is shown with and without the cap; the loops never know of it."""
    assert UNCAPPED not in by_method(POOL, 0.9)
    rows = by_method(POOL, 0.9, outside=50e6)
    assert rows[CLOSED_FORM].sold == 50e6
    assert rows[UNCAPPED].price == pytest.approx(0.9)
    assert all(rows[name].more_than_exists for name in (CLOSED_FORM, UNCAPPED, AS_READ, "CurveAMO_V3", "CurveAMO_V4"))
    assert rows["CurveAMO_V3"].stablecoin == by_method(POOL, 0.9)["CurveAMO_V3"].stablecoin


@pytest.mark.parametrize("virtual_price", [1.0, 1.01, 1.03])
def test_the_loops_stop_where_the_floor_is_read(virtual_price: float) -> None:
    """The contract divides 3CRV by its virtual price: V4 with a window of a thousandth of a cent stops at φ × virtual price² / (1 − fee)."""
    rows = by_method(POOL, 0.85, virtual_price=virtual_price, convergence_window=1e-4)
    expected = price_as_read(0.85, virtual_price=virtual_price, fee=0.0004)
    assert rows[AS_READ].price == pytest.approx(expected, rel=1e-9)
    if rows["CurveAMO_V4"].revert is None:
        assert rows["CurveAMO_V4"].price == pytest.approx(expected, rel=3e-3)


def test_floors_that_make_no_sense() -> None:
    """Floors outside 0.01..1 and a virtual price of 0 are refused."""
    for floor in (0.0, 1.1):
        with pytest.raises(PoolInputError, match="floor"):
            compare_floor(POOL, floor)
    with pytest.raises(PoolInputError, match="virtual price"):
        compare_floor(POOL, 0.9, virtual_price=0.0)
