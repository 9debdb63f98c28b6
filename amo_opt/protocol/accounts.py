"""The books: opening of an hour at new prices, and net asset value.

NAV = idle and lent collateral and the AMO's base-pool LP at market − external supply at par, where external supply is everything the
protocol does not hold or cannot withdraw. Own stablecoin is never an asset. Every change of NAV is booked on a line where its flow
happens; ``Σ income + Σ capital = ΔNAV`` is then an identity that tests check and break.
"""

from __future__ import annotations

from amo_opt.protocol.lanes import (
    C_RAMP_HOURS,
    C_SHARE_WEIGHT,
    C_START_A,
    LANES,
    M_BASE_VALUE,
    M_COLLATERAL_PRICE,
    M_SHARE_RETURN,
    P_AMPLIFICATION,
    S_ANN,
    S_BASE_VALUE,
    S_COLLATERAL_PRICE,
    S_IDLE,
    S_INCOME_MARK_TO_MARKET,
    S_LENT,
    S_LP_AMO,
    S_LP_SUPPLY,
    S_POOL_X,
    S_POOL_Y,
    S_SHARE_PRICE,
    S_SHARE_SLOW,
    S_SUPPLY,
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
    """New prices: collateral and base LP are marked to market, the share token drifts, A ramps (D follows in `amos.curve.market_operations`)."""
    ann = 2.0 * amplification_at(hour + 1, c[C_START_A], p[P_AMPLIFICATION], c[C_RAMP_HOURS])
    share_weight = c[C_SHARE_WEIGHT]
    for i in range(LANES):
        collateral_price = m[M_COLLATERAL_PRICE + i]
        base_value = m[M_BASE_VALUE + i]
        y = s[S_POOL_Y + i]
        own = s[S_LP_AMO + i] / s[S_LP_SUPPLY + i]
        held = s[S_IDLE + i] + s[S_LENT + i]
        moved = held * (collateral_price - s[S_COLLATERAL_PRICE + i]) + own * y * (base_value - s[S_BASE_VALUE + i])
        s[S_INCOME_MARK_TO_MARKET + i] += moved
        s[S_COLLATERAL_PRICE + i] = collateral_price
        s[S_BASE_VALUE + i] = base_value
        share_price = s[S_SHARE_PRICE + i] * m[M_SHARE_RETURN + i]
        slow = s[S_SHARE_SLOW + i]
        s[S_SHARE_PRICE + i] = share_price
        s[S_SHARE_SLOW + i] = slow + share_weight * (share_price - slow)
        s[S_ANN + i] = ann


@stage
def net_asset_value(s: Vector, out: Vector) -> None:
    """NAV of every lane into ``out`` (LANES,), dollars."""
    for i in range(LANES):
        own = s[S_LP_AMO + i] / s[S_LP_SUPPLY + i]
        assets = (s[S_IDLE + i] + s[S_LENT + i]) * s[S_COLLATERAL_PRICE + i] + own * s[S_POOL_Y + i] * s[S_BASE_VALUE + i]
        out[i] = assets - (s[S_SUPPLY + i] - own * s[S_POOL_X + i])
