"""A change of liquidity that is not in proportion: Curve's ``add_liquidity`` and ``remove_liquidity_imbalance`` in float64."""

from __future__ import annotations

from amo_opt.stableswap.invariant import polish_D, refresh_D, settled_D, settled_D_of_one
from amo_opt.stableswap.jit import scalar


@scalar
def changed_liquidity(
    x: float, y: float, d: float, ann: float, lp_supply: float, change_x: float, change_y: float, half_fee: float, admin: float
) -> tuple[float, float, float, float, float, float]:
    """Balances and D after it, the change of LP tokens, and the fees on either side, of which the ``admin`` share has left the balances.

    Each coin's distance from the balanced change pays ``half_fee``; LP tokens are minted or burned for D after the whole fee.
    """
    x_1 = x + change_x
    y_1 = y + change_y
    d_1 = settled_D(x_1, y_1, ann, refresh_D(x_1, y_1, ann, d))
    inverse_d = 1.0 / d
    ratio = d_1 * inverse_d
    fee_x = half_fee * abs(ratio * x - x_1)
    fee_y = half_fee * abs(ratio * y - y_1)
    d_2 = settled_D(x_1 - fee_x, y_1 - fee_y, ann, polish_D(x_1 - fee_x, y_1 - fee_y, ann, d_1))
    lp_change = lp_supply * (d_2 * inverse_d - 1.0)
    x_2 = x_1 - admin * fee_x
    y_2 = y_1 - admin * fee_y
    d_3 = settled_D(x_2, y_2, ann, polish_D(x_2, y_2, ann, d_2))
    return x_2, y_2, d_3, lp_change, fee_x, fee_y


@scalar
def changed_liquidity_of_one(
    x: float, y: float, d: float, ann: float, lp_supply: float, change_x: float, change_y: float, half_fee: float, admin: float
) -> tuple[float, float, float, float, float, float]:
    """`changed_liquidity` for a loop over few lanes, to the bit."""
    x_1 = x + change_x
    y_1 = y + change_y
    d_1 = settled_D_of_one(x_1, y_1, ann, refresh_D(x_1, y_1, ann, d))
    inverse_d = 1.0 / d
    ratio = d_1 * inverse_d
    fee_x = half_fee * abs(ratio * x - x_1)
    fee_y = half_fee * abs(ratio * y - y_1)
    d_2 = settled_D_of_one(x_1 - fee_x, y_1 - fee_y, ann, polish_D(x_1 - fee_x, y_1 - fee_y, ann, d_1))
    lp_change = lp_supply * (d_2 * inverse_d - 1.0)
    x_2 = x_1 - admin * fee_x
    y_2 = y_1 - admin * fee_y
    d_3 = settled_D_of_one(x_2, y_2, ann, polish_D(x_2, y_2, ann, d_2))
    return x_2, y_2, d_3, lp_change, fee_x, fee_y


@scalar
def issued_to_others(x: float, own: float, x_2: float, own_2: float, admin_x: float) -> float:
    """Stablecoin that others have more of in the pool after a change of liquidity, what the ``admin`` took included: own debt issued, bought back where negative.

    At its price before the change it is exchanged for as much; what it is worth at par beyond that is no income (`income_debt_discount`).
    """
    return (1.0 - own_2) * x_2 - (1.0 - own) * x + admin_x
