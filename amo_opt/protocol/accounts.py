"""The books: opening of an hour at new prices, liquidation value, and net asset value.

NAV = idle collateral and that at work, the AMO's base-pool LP and what borrowers of stablecoin owe − external supply at par −
what selling it all would cost, where external supply is everything the protocol does not hold or cannot withdraw. Own stablecoin is
never an asset: what an AMO could withdraw of a deposit of it lowers the external supply by as much. Collateral
reserved for claims belongs to the claimants. Every change of NAV is booked on a line where its flow happens; ``Σ income + Σ capital = ΔNAV`` is
then an identity that tests check and break.
"""

from __future__ import annotations

from amo_opt.protocol import lanes as at
from amo_opt.protocol.active_lanes import W_ACTIVE
from amo_opt.protocol.lanes import HOURLY, LANES, STUCK
from amo_opt.stableswap.jit import Vector, scalar, stage

W_NAV = W_ACTIVE
"""Where in the scratch block NAVs are told: lanes are not flagged while books are settled."""
_HOURLY_COUNT = len(HOURLY)
_STUCK_COUNT = len(STUCK)


@scalar
def amplification_at(hour: float, start: float, target: float, ramp_hours: float) -> float:
    """A during the ramp: linear in time as the contract interpolates it, without its rounding to 1/100."""
    done = hour / ramp_hours
    done = done if done < 1.0 else 1.0
    return start + (target - start) * done


@scalar
def ramp_length(target: float, future: float, left: float, ramp_hours: float) -> float:
    """Hours until A is at its target: what is left of a ramp under way where that ends there, else those of a ramp that governance starts in its place."""
    under_way = (left > 0.0) & (target == future)
    return left if under_way else ramp_hours


@stage
def open_hour(s: Vector, m: Vector, p: Vector, c: Vector, hour: int) -> None:
    """New prices: collateral and base LP are marked to market, the share token drifts and recovers from sales, A ramps (D follows in the pool's market operations); what AMOs add up within
    an hour is cleared.
    """
    target = p[at.P_AMPLIFICATION]
    length = ramp_length(target, c[at.C_FUTURE_AMPLIFICATION], c[at.C_RAMP_LEFT], c[at.C_RAMP_HOURS])
    elapsed = hour + 1.0
    ann = 2.0 * amplification_at(elapsed, c[at.C_START_AMPLIFICATION], target, length)
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
        s[at.S_ELAPSED + i] = elapsed
    for k in range(_HOURLY_COUNT):
        for i in range(LANES):
            s[at.S_DEPTH_ELSEWHERE + k * LANES + i] = 0.0


@scalar
def cost_of_selling(own_base_usd: float, stuck_usd: float, base_fee: float, haircut: float) -> float:
    """Dollars lost if every position were sold now: base LP into collateral at its fee, what cannot be withdrawn at a discount."""
    return base_fee * own_base_usd + haircut * stuck_usd


@scalar
def stuck(lent: float, free: float) -> float:
    """What of a deposit cannot be withdrawn this hour."""
    return lent - free if lent > free else 0.0


@stage
def begin_settling(s: Vector) -> None:
    """Clears what AMOs add up where books are settled."""
    for k in range(_STUCK_COUNT):
        for i in range(LANES):
            s[at.S_STUCK + k * LANES + i] = 0.0


@stage
def settle(s: Vector, c: Vector) -> None:
    """Books the change of what selling everything would cost since the last settlement: positions count at liquidation value."""
    base_fee = c[at.C_BASE_FEE]
    haircut = c[at.C_ILLIQUID_HAIRCUT]
    for i in range(LANES):
        own = s[at.S_OWN + i]
        stuck_usd = s[at.S_STUCK + i] * s[at.S_COLLATERAL_PRICE + i] + s[at.S_STUCK_DEBT + i]
        cost = cost_of_selling(own * s[at.S_POOL_Y + i] * s[at.S_BASE_VALUE + i], stuck_usd, base_fee, haircut)
        s[at.S_INCOME_LIQUIDATION + i] -= cost - s[at.S_LIQUIDATION_COST + i]
        s[at.S_LIQUIDATION_COST + i] = cost


@stage
def net_asset_value(s: Vector, c: Vector, w: Vector) -> None:
    """NAV of every lane into the scratch block, dollars, positions at liquidation value, as last settled."""
    base_fee = c[at.C_BASE_FEE]
    haircut = c[at.C_ILLIQUID_HAIRCUT]
    for i in range(LANES):
        own = s[at.S_OWN + i]
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        own_base_usd = own * s[at.S_POOL_Y + i] * s[at.S_BASE_VALUE + i]
        held = s[at.S_IDLE + i] + s[at.S_AT_WORK + i]
        assets = held * collateral_price + own_base_usd + s[at.S_DEBT + i] + s[at.S_POOLED + i]
        external = s[at.S_SUPPLY + i] - own * s[at.S_POOL_X + i] - s[at.S_OWN_OUTSIDE + i]
        stuck_usd = s[at.S_STUCK + i] * collateral_price + s[at.S_STUCK_DEBT + i]
        w[W_NAV + i] = assets - external - cost_of_selling(own_base_usd, stuck_usd, base_fee, haircut)
