"""The books: opening of an hour at new prices, losses of venues, liquidation value, and net asset value.

NAV = idle and lent collateral, the collateral in Uniswap's range, the AMO's base-pool LP and Fraxlend's borrowers' debt − external supply at par −
what selling it all would cost, where external supply is everything the protocol does not hold or cannot withdraw. Own stablecoin is
never an asset: what Fraxlend could withdraw counts in its deposit and lowers the external supply's complement by as much. Collateral
reserved for claims belongs to the claimants. Every change of NAV is booked on a line where its flow happens; ``Σ income + Σ capital = ΔNAV`` is
then an identity that tests check and break.
"""

from __future__ import annotations

from amo_opt.protocol import lanes as at
from amo_opt.protocol.lanes import LANES
from amo_opt.stableswap.jit import Vector, scalar, stage


@scalar
def amplification_at(hour: int, start: float, target: float, ramp_hours: float) -> float:
    """A during the ramp: linear in time as the contract interpolates it, without its rounding to 1/100."""
    done = hour / ramp_hours
    done = done if done < 1.0 else 1.0
    return start + (target - start) * done


@stage
def open_hour(s: Vector, m: Vector, p: Vector, c: Vector, hour: int) -> None:
    """New prices: collateral and base LP are marked to market, the share token drifts and recovers from sales, A ramps (D follows in `amos.curve.market_operations`)."""
    ann = 2.0 * amplification_at(hour + 1, c[at.C_START_AMPLIFICATION], p[at.P_AMPLIFICATION], c[at.C_RAMP_HOURS])
    share_weight = c[at.C_SHARE_WEIGHT]
    recovery = c[at.C_SHARE_RECOVERY]
    for i in range(LANES):
        collateral_price = m[at.M_COLLATERAL_PRICE + i]
        base_value = m[at.M_BASE_VALUE + i]
        y = s[at.S_POOL_Y + i]
        own = s[at.S_OWN + i]
        held = s[at.S_IDLE + i] + s[at.S_AT_WORK + i]
        moved = held * (collateral_price - s[at.S_COLLATERAL_PRICE + i]) + own * y * (base_value - s[at.S_BASE_VALUE + i])
        s[at.S_INCOME_MARK_TO_MARKET + i] += moved
        s[at.S_COLLATERAL_PRICE + i] = collateral_price
        s[at.S_BASE_VALUE + i] = base_value
        impact = s[at.S_SHARE_IMPACT + i]
        recovered = impact + recovery * (1.0 - impact)
        share_price = s[at.S_SHARE_PRICE + i] * m[at.M_SHARE_RETURN + i] * recovered / impact
        s[at.S_SHARE_IMPACT + i] = recovered
        slow = s[at.S_SHARE_SLOW + i]
        s[at.S_SHARE_PRICE + i] = share_price
        s[at.S_SHARE_SLOW + i] = slow + share_weight * (share_price - slow)
        s[at.S_ANN + i] = ann


@stage
def count_positions(s: Vector, c: Vector) -> None:
    """The totals over the AMOs: collateral at work outside the pool, what of it stands as collateral at the floor, own stablecoin outside the pool
    (what can be withdrawn now; what is held at the floor; what the chain counts there, at CR), and the sums of the minter's books.

    They are counted at the start; from then on whoever moves a position moves them.
    """
    span = c[at.C_UNISWAP_SPAN]
    for i in range(LANES):
        lent = s[at.S_LENT + i] + s[at.S_INVESTED + i]
        range_x = s[at.S_UNISWAP_LIQUIDITY + i] * span
        free = s[at.S_FRAXLEND_FREE + i]
        s[at.S_AT_WORK + i] = lent + s[at.S_UNISWAP_Y + i]
        s[at.S_RECOVERABLE + i] = lent
        s[at.S_OWN_OUTSIDE + i] = s[at.S_UNISWAP_X + i] + free
        s[at.S_OWN_AT_FLOOR + i] = range_x + free
        s[at.S_OWN_COUNTED + i] = range_x + s[at.S_FRAXLEND_LENT + i]
        s[at.S_MINTED + i] = s[at.S_CURVE_MINTED + i] + s[at.S_FRAXLEND_MINTED + i] + s[at.S_UNISWAP_MINTED + i]
        lenders = s[at.S_AAVE_BORROWED + i] + s[at.S_INVESTOR_BORROWED + i]
        s[at.S_BORROWED + i] = s[at.S_CURVE_BORROWED + i] + lenders + s[at.S_UNISWAP_BORROWED + i]


@stage
def venue_losses(s: Vector, m: Vector) -> None:
    """What venues lose this hour: a share of the deposits, of the borrowers' debt to Fraxlend, of the AMO's LP tokens (the thief is an outside provider then)."""
    for i in range(LANES):
        lent = s[at.S_LENT + i]
        invested = s[at.S_INVESTED + i]
        fraxlend_lent = s[at.S_FRAXLEND_LENT + i]
        lp_amo = s[at.S_LP_AMO + i]
        lp_supply = s[at.S_LP_SUPPLY + i]
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        lost = lent * m[at.M_LENDING_LOSS + i]
        lost_invested = invested * m[at.M_INVESTOR_LOSS + i]
        lost_debt = (fraxlend_lent - s[at.S_FRAXLEND_FREE + i]) * m[at.M_FRAXLEND_LOSS + i]
        lost_lp = lp_amo * m[at.M_CURVE_LOSS + i]
        a_share = s[at.S_POOL_X + i] + s[at.S_POOL_Y + i] * s[at.S_BASE_VALUE + i]
        s[at.S_LENT + i] = lent - lost
        s[at.S_INVESTED + i] = invested - lost_invested
        s[at.S_FRAXLEND_LENT + i] = fraxlend_lent - lost_debt
        s[at.S_FRAXLEND_DRAWN + i] -= lost_debt
        s[at.S_AT_WORK + i] -= lost + lost_invested
        s[at.S_RECOVERABLE + i] -= lost + lost_invested
        s[at.S_OWN_COUNTED + i] -= lost_debt
        left = lp_amo - lost_lp
        s[at.S_LP_AMO + i] = left
        s[at.S_OWN + i] = left / lp_supply
        s[at.S_INCOME_VENUE_LOSSES + i] -= (lost + lost_invested) * collateral_price + lost_debt + lost_lp / lp_supply * a_share


@scalar
def cost_of_selling(own_base_usd: float, stuck_usd: float, base_fee: float, haircut: float) -> float:
    """Dollars lost if every position were sold now: base LP into collateral at its fee, what cannot be withdrawn at a discount."""
    return base_fee * own_base_usd + haircut * stuck_usd


@scalar
def stuck(lent: float, free: float) -> float:
    """What of a deposit cannot be withdrawn this hour."""
    return lent - free if lent > free else 0.0


@stage
def settle(s: Vector, c: Vector) -> None:
    """Books the change of what selling everything would cost since the last settlement: positions count at liquidation value."""
    base_fee = c[at.C_BASE_FEE]
    haircut = c[at.C_ILLIQUID_HAIRCUT]
    for i in range(LANES):
        own = s[at.S_OWN + i]
        lent = stuck(s[at.S_LENT + i], s[at.S_LENDING_FREE + i]) + stuck(s[at.S_INVESTED + i], s[at.S_INVESTOR_FREE + i])
        debt = stuck(s[at.S_FRAXLEND_LENT + i], s[at.S_FRAXLEND_FREE + i])
        stuck_usd = lent * s[at.S_COLLATERAL_PRICE + i] + debt
        cost = cost_of_selling(own * s[at.S_POOL_Y + i] * s[at.S_BASE_VALUE + i], stuck_usd, base_fee, haircut)
        s[at.S_INCOME_LIQUIDATION + i] -= cost - s[at.S_LIQUIDATION_COST + i]
        s[at.S_LIQUIDATION_COST + i] = cost


@stage
def net_asset_value(s: Vector, c: Vector, out: Vector) -> None:
    """NAV of every lane into ``out`` (LANES,), dollars, positions at liquidation value."""
    base_fee = c[at.C_BASE_FEE]
    haircut = c[at.C_ILLIQUID_HAIRCUT]
    for i in range(LANES):
        own = s[at.S_OWN + i]
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        own_base_usd = own * s[at.S_POOL_Y + i] * s[at.S_BASE_VALUE + i]
        fraxlend_lent = s[at.S_FRAXLEND_LENT + i]
        fraxlend_free = s[at.S_FRAXLEND_FREE + i]
        lent = stuck(s[at.S_LENT + i], s[at.S_LENDING_FREE + i]) + stuck(s[at.S_INVESTED + i], s[at.S_INVESTOR_FREE + i])
        debt = fraxlend_lent - fraxlend_free
        held = s[at.S_IDLE + i] + s[at.S_AT_WORK + i]
        assets = held * collateral_price + own_base_usd + debt
        external = s[at.S_SUPPLY + i] - own * s[at.S_POOL_X + i] - s[at.S_OWN_OUTSIDE + i]
        stuck_usd = lent * collateral_price + stuck(fraxlend_lent, fraxlend_free)
        out[i] = assets - external - cost_of_selling(own_base_usd, stuck_usd, base_fee, haircut)
