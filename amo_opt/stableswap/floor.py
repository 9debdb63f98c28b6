"""The worst case at a floor, three ways beside each other: the closed form and what the chain's two loops make of the same pool.

Facts for `amo-opt pool floor` and for the table of docs/worst-case.md; nothing here computes a pool, `depth` and `worst_case` do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from amo_opt.stableswap.depth import HIGHEST_PRICE, Pool, WorstCase, amount, within, worst_case
from amo_opt.stableswap.exact import Revert
from amo_opt.stableswap.units import raw, raw_pool
from amo_opt.stableswap.worst_case import CONTRACTS, iterate

E6, E18 = 10**6, 10**18
CLOSED_FORM = "closed form"
UNCAPPED = "… not capped"
AS_READ = "… as read"
"""The closed form capped at the stablecoin outside; without that cap; and without it at the floor as the chain reads it."""
BOTH_LOOPS = ("CurveAMO_V3", "CurveAMO_V4", "Convex_AMO_V2")


@dataclass(frozen=True, kw_only=True)
class FloorRow:
    """One method's answer, dollars and tokens; every figure None where the chain reverts, ``revert`` saying why.

    ``price`` is the marginal price of the balances returned; ``sold`` what the pool holds more than before. ``more_than_exists``: reaching the
    floor takes more stablecoin than there is outside the pool; the closed form stops at what there is, the loops know no such limit.
    ``base_off`` and ``collateral_off`` are relative to the closed form.
    """

    method: str
    window: float | None = None
    revert: str | None = None
    rounds: int | None = None
    factor: float | None = None
    stablecoin: float | None = None
    base: float | None = None
    price: float | None = None
    sold: float | None = None
    more_than_exists: bool = False
    share_stablecoin: float | None = None
    share_base: float | None = None
    collateral: float | None = None
    base_off: float | None = None
    collateral_off: float | None = None


def price_as_read(floor: float, *, virtual_price: float, fee: float) -> float:
    """The marginal price, in dollars, at which the contract's ``dollar_value`` is the floor: floor × virtual price² / (1 − fee)."""
    return floor * virtual_price * virtual_price / (1.0 - fee)


def compare_floor(
    pool: Pool,
    floor: float,
    *,
    virtual_price: float = 1.0,
    lp_share: float = 1.0,
    collateral_ratio: float | None = None,
    outside: float = float("inf"),
    convergence_window: float | None = None,
    contracts: tuple[str, ...] = BOTH_LOOPS,
    as_read: bool = True,
) -> tuple[FloorRow, ...]:
    """The closed form at the floor (without the cap too, where it binds), at the floor as the chain reads it, and each contract's loop.

    All on the same balances. ``convergence_window`` None = each contract's own. The stablecoin withdrawn counts at ``collateral_ratio`` (None: the floor) in every row.
    Without ``as_read`` the floor as those contracts read it is left out.
    """
    within("floor", floor, 0.01, 1.0)
    amount("virtual price", virtual_price)
    counted = floor if collateral_ratio is None else collateral_ratio
    read = min(price_as_read(floor, virtual_price=virtual_price, fee=pool.fee), HIGHEST_PRICE)
    closed = worst_case(pool, floor, lp_share=lp_share, collateral_ratio=counted, outside=outside)
    rows = [_in_closed_form(CLOSED_FORM, closed, outside)]
    if closed.capped:
        rows.append(_in_closed_form(UNCAPPED, worst_case(pool, floor, lp_share=lp_share, collateral_ratio=counted), outside))
    if as_read:
        rows.append(_in_closed_form(AS_READ, worst_case(pool, read, lp_share=lp_share, collateral_ratio=counted), outside))
    for name in contracts:
        window = CONTRACTS[name].convergence_window if convergence_window is None else raw(convergence_window)
        rows.append(_on_chain(name, pool, floor, window, virtual_price, lp_share, counted, outside))
    return tuple(
        replace(row, base_off=_off(row.share_base, closed.share_base), collateral_off=_off(row.collateral, closed.collateral))
        for row in rows
    )


def _in_closed_form(method: str, case: WorstCase, outside: float) -> FloorRow:
    return FloorRow(
        method=method,
        stablecoin=case.stablecoin,
        base=case.base,
        price=case.price,
        sold=case.sold,
        more_than_exists=case.capped or case.sold > outside,
        share_stablecoin=case.share_stablecoin,
        share_base=case.share_base,
        collateral=case.collateral,
    )


def _on_chain(
    name: str, pool: Pool, floor: float, window: int, virtual_price: float, lp_share: float, counted: float, outside: float
) -> FloorRow:
    chain = raw_pool(pool, virtual_price)
    row = FloorRow(method=name, window=window / E18)
    try:
        at_floor = iterate(
            name,
            frax_balance=chain.balances[0],
            crv3_balance=chain.balances[1],
            amplification=chain.amplification,
            fee_raw=chain.fee_raw,
            virtual_price=chain.virtual_price,
            floor_e6=round(floor * E6),
            convergence_window=window,
        )
    except Revert as reverted:
        return replace(row, revert=str(reverted))
    x, y = at_floor.frax_balance / E18, at_floor.crv3_balance / E18 * virtual_price
    return replace(
        row,
        rounds=at_floor.index,
        factor=None if at_floor.factor_e6 is None else at_floor.factor_e6 / E6,
        stablecoin=x,
        base=y,
        price=replace(pool, stablecoin=x, base=y).price,
        sold=x - pool.stablecoin,
        more_than_exists=x - pool.stablecoin > outside,
        share_stablecoin=lp_share * x,
        share_base=lp_share * y,
        collateral=lp_share * (y + counted * x),
    )


def _off(value: float | None, reference: float | None) -> float | None:
    return None if value is None or not reference else value / reference - 1.0
