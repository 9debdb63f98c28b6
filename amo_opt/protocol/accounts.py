"""The books: opening of an hour at new prices, losses of venues, liquidation value, and net asset value.

NAV = idle and lent collateral, the collateral in Uniswap's range, the AMO's base-pool LP and Fraxlend's borrowers' debt − external supply at par −
what selling it all would cost, where external supply is everything the protocol does not hold or cannot withdraw. Own stablecoin is
never an asset: what Fraxlend could withdraw counts in its deposit and lowers the external supply's complement by as much. Collateral
reserved for claims belongs to the claimants. Every change of NAV is booked on a line where its flow happens; ``Σ income + Σ capital = ΔNAV`` is
then an identity that tests check and break.
"""

from __future__ import annotations

from amo_opt.protocol.lanes import (
    C_BASE_FEE,
    C_ILLIQUID_HAIRCUT,
    C_RAMP_HOURS,
    C_SHARE_RECOVERY,
    C_SHARE_WEIGHT,
    C_START_A,
    LANES,
    M_BASE_VALUE,
    M_COLLATERAL_PRICE,
    M_CURVE_LOSS,
    M_FRAXLEND_LOSS,
    M_INVESTOR_LOSS,
    M_LENDING_LOSS,
    M_SHARE_RETURN,
    P_AMPLIFICATION,
    S_ANN,
    S_BASE_VALUE,
    S_COLLATERAL_PRICE,
    S_FRAXLEND_DRAWN,
    S_FRAXLEND_FREE,
    S_FRAXLEND_LENT,
    S_IDLE,
    S_INCOME_LIQUIDATION,
    S_INCOME_MARK_TO_MARKET,
    S_INCOME_VENUE_LOSSES,
    S_INVESTED,
    S_INVESTOR_FREE,
    S_LENDING_FREE,
    S_LENT,
    S_LIQUIDATION_COST,
    S_LP_AMO,
    S_LP_SUPPLY,
    S_OWN,
    S_POOL_X,
    S_POOL_Y,
    S_SHARE_IMPACT,
    S_SHARE_PRICE,
    S_SHARE_SLOW,
    S_SUPPLY,
    S_UNISWAP_X,
    S_UNISWAP_Y,
)
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
    ann = 2.0 * amplification_at(hour + 1, c[C_START_A], p[P_AMPLIFICATION], c[C_RAMP_HOURS])
    share_weight = c[C_SHARE_WEIGHT]
    recovery = c[C_SHARE_RECOVERY]
    for i in range(LANES):
        collateral_price = m[M_COLLATERAL_PRICE + i]
        base_value = m[M_BASE_VALUE + i]
        y = s[S_POOL_Y + i]
        own = s[S_OWN + i]
        held = s[S_IDLE + i] + s[S_LENT + i] + s[S_INVESTED + i] + s[S_UNISWAP_Y + i]
        moved = held * (collateral_price - s[S_COLLATERAL_PRICE + i]) + own * y * (base_value - s[S_BASE_VALUE + i])
        s[S_INCOME_MARK_TO_MARKET + i] += moved
        s[S_COLLATERAL_PRICE + i] = collateral_price
        s[S_BASE_VALUE + i] = base_value
        impact = s[S_SHARE_IMPACT + i]
        recovered = impact + recovery * (1.0 - impact)
        share_price = s[S_SHARE_PRICE + i] * m[M_SHARE_RETURN + i] * recovered / impact
        s[S_SHARE_IMPACT + i] = recovered
        slow = s[S_SHARE_SLOW + i]
        s[S_SHARE_PRICE + i] = share_price
        s[S_SHARE_SLOW + i] = slow + share_weight * (share_price - slow)
        s[S_ANN + i] = ann


@stage
def venue_losses(s: Vector, m: Vector) -> None:
    """What venues lose this hour: a share of the deposits, of the borrowers' debt to Fraxlend, of the AMO's LP tokens (the thief is an outside provider then)."""
    for i in range(LANES):
        lent = s[S_LENT + i]
        invested = s[S_INVESTED + i]
        fraxlend_lent = s[S_FRAXLEND_LENT + i]
        lp_amo = s[S_LP_AMO + i]
        lp_supply = s[S_LP_SUPPLY + i]
        collateral_price = s[S_COLLATERAL_PRICE + i]
        lost = lent * m[M_LENDING_LOSS + i]
        lost_invested = invested * m[M_INVESTOR_LOSS + i]
        lost_debt = (fraxlend_lent - s[S_FRAXLEND_FREE + i]) * m[M_FRAXLEND_LOSS + i]
        lost_lp = lp_amo * m[M_CURVE_LOSS + i]
        a_share = s[S_POOL_X + i] + s[S_POOL_Y + i] * s[S_BASE_VALUE + i]
        s[S_LENT + i] = lent - lost
        s[S_INVESTED + i] = invested - lost_invested
        s[S_FRAXLEND_LENT + i] = fraxlend_lent - lost_debt
        s[S_FRAXLEND_DRAWN + i] -= lost_debt
        left = lp_amo - lost_lp
        s[S_LP_AMO + i] = left
        s[S_OWN + i] = left / lp_supply
        s[S_INCOME_VENUE_LOSSES + i] -= (lost + lost_invested) * collateral_price + lost_debt + lost_lp / lp_supply * a_share


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
    base_fee = c[C_BASE_FEE]
    haircut = c[C_ILLIQUID_HAIRCUT]
    for i in range(LANES):
        own = s[S_OWN + i]
        lent = stuck(s[S_LENT + i], s[S_LENDING_FREE + i]) + stuck(s[S_INVESTED + i], s[S_INVESTOR_FREE + i])
        debt = stuck(s[S_FRAXLEND_LENT + i], s[S_FRAXLEND_FREE + i])
        stuck_usd = lent * s[S_COLLATERAL_PRICE + i] + debt
        cost = cost_of_selling(own * s[S_POOL_Y + i] * s[S_BASE_VALUE + i], stuck_usd, base_fee, haircut)
        s[S_INCOME_LIQUIDATION + i] -= cost - s[S_LIQUIDATION_COST + i]
        s[S_LIQUIDATION_COST + i] = cost


@stage
def net_asset_value(s: Vector, c: Vector, out: Vector) -> None:
    """NAV of every lane into ``out`` (LANES,), dollars, positions at liquidation value."""
    base_fee = c[C_BASE_FEE]
    haircut = c[C_ILLIQUID_HAIRCUT]
    for i in range(LANES):
        own = s[S_OWN + i]
        collateral_price = s[S_COLLATERAL_PRICE + i]
        own_base_usd = own * s[S_POOL_Y + i] * s[S_BASE_VALUE + i]
        fraxlend_lent = s[S_FRAXLEND_LENT + i]
        fraxlend_free = s[S_FRAXLEND_FREE + i]
        lent = stuck(s[S_LENT + i], s[S_LENDING_FREE + i]) + stuck(s[S_INVESTED + i], s[S_INVESTOR_FREE + i])
        debt = fraxlend_lent - fraxlend_free
        held = s[S_IDLE + i] + s[S_LENT + i] + s[S_INVESTED + i] + s[S_UNISWAP_Y + i]
        assets = held * collateral_price + own_base_usd + debt
        external = s[S_SUPPLY + i] - own * s[S_POOL_X + i] - s[S_UNISWAP_X + i] - fraxlend_free
        stuck_usd = lent * collateral_price + stuck(fraxlend_lent, fraxlend_free)
        out[i] = assets - external - cost_of_selling(own_base_usd, stuck_usd, base_fee, haircut)
