"""The Aave AMO: lends idle collateral at a kinked rate that its own deposit lowers.

Decollateralise: lend idle collateral up to `aave_cap`. Market operations: interest. Recollateralise: withdraw what unwinding, the cap or the idle
buffer asks for, never more than the venue has free. Worst case: the recoverable deposit, at par.
"""

from __future__ import annotations

from amo_opt.amos.triggers import CAP_TOLERANCE, SMALLEST_OPERATION, SMALLEST_UNWINDING_USD
from amo_opt.protocol.lanes import (
    C_DEPLOY_RATE,
    C_ELASTICITY,
    C_KINK,
    C_RESERVE_FACTOR,
    C_RESPONSE_DELAY,
    C_SLOPE_1,
    C_SLOPE_2,
    LANES,
    M_GAS_USD,
    M_LENDING_DEMAND,
    M_LENDING_DEPOSITS,
    M_LENDING_FREE_CAP,
    P_AAVE_CAP,
    P_BUFFER,
    P_MIN_CR,
    P_UNWIND_RATE,
    S_AAVE_BORROWED,
    S_BASE_VALUE,
    S_COLLATERAL_PRICE,
    S_CR_CONTRACT,
    S_IDLE,
    S_INCOME_LENDING,
    S_INCOME_MARKET_OPERATIONS,
    S_LENDING_FREE,
    S_LENDING_RATE,
    S_LENT,
    S_LP_AMO,
    S_LP_SUPPLY,
    S_POOL_Y,
    S_UNWINDING,
    S_UNWINDING_HOURS,
)
from amo_opt.stableswap.jit import Vector, scalar, stage

HOURS_A_YEAR = 8760.0


@scalar
def borrow_rate(utilisation: float, kink: float, slope_1: float, slope_2: float) -> float:
    """Aave's two-slope variable rate, per year."""
    below = slope_1 * utilisation / kink
    above = slope_1 + slope_2 * (utilisation - kink) / (1.0 - kink)
    return below if utilisation < kink else above


@stage
def market_operations(s: Vector, m: Vector, c: Vector) -> None:
    """Interest of the hour: utilisation = borrowing ÷ (outside deposits + the AMO's), so a doubled deposit earns less than double."""
    kink = c[C_KINK]
    slope_1 = c[C_SLOPE_1]
    slope_2 = c[C_SLOPE_2]
    keep = 1.0 - c[C_RESERVE_FACTOR]
    elasticity = c[C_ELASTICITY]
    for i in range(LANES):
        lent = s[S_LENT + i]
        deposits = m[M_LENDING_DEPOSITS + i] + lent
        demand = m[M_LENDING_DEMAND + i] / (1.0 + elasticity * s[S_LENDING_RATE + i])
        free = deposits - demand
        free = free if free < m[M_LENDING_FREE_CAP + i] else m[M_LENDING_FREE_CAP + i]
        free = free if free > 0.0 else 0.0
        utilisation = 1.0 - free / deposits
        rate = borrow_rate(utilisation, kink, slope_1, slope_2)
        interest = lent * rate * utilisation * keep / HOURS_A_YEAR
        s[S_LENDING_RATE + i] = rate
        s[S_LENDING_FREE + i] = free
        s[S_LENT + i] = lent + interest
        s[S_INCOME_LENDING + i] += interest * s[S_COLLATERAL_PRICE + i]


@stage
def operate(s: Vector, m: Vector, p: Vector, c: Vector) -> None:
    """Lends what is spare above the buffer, never under `min_cr`, or withdraws; one operation an hour, gas paid from idle collateral."""
    deploy_rate = c[C_DEPLOY_RATE]
    delay = c[C_RESPONSE_DELAY]
    cap = p[P_AAVE_CAP]
    buffer = p[P_BUFFER]
    unwind_rate = p[P_UNWIND_RATE]
    min_cr = p[P_MIN_CR]
    for i in range(LANES):
        idle = s[S_IDLE + i]
        lent = s[S_LENT + i]
        collateral_price = s[S_COLLATERAL_PRICE + i]
        gas = m[M_GAS_USD + i] / collateral_price
        own_usd = s[S_LP_AMO + i] / s[S_LP_SUPPLY + i] * s[S_POOL_Y + i] * s[S_BASE_VALUE + i]
        total = idle + lent + own_usd / collateral_price
        unwinding = s[S_UNWINDING + i] > 0.5
        acting = unwinding & (s[S_UNWINDING_HOURS + i] > delay)
        smallest = SMALLEST_OPERATION * total
        pace = deploy_rate * total

        spare = idle - buffer * total
        gap = cap * total - lent
        gap = gap if gap < spare else spare
        gap = 0.0 if (unwinding | (s[S_CR_CONTRACT + i] < min_cr)) else gap
        lend = gap if gap < pace else pace
        lend = lend if gap > smallest else 0.0

        over = lent - cap * total
        over = over if over > CAP_TOLERANCE * total else 0.0
        refill = buffer * total - idle
        refill = refill if refill > smallest else 0.0
        wanted = over if over > refill else refill
        wanted = wanted if wanted < pace else pace
        unwound = unwind_rate * lent if acting else 0.0
        unwound = unwound if unwound > SMALLEST_UNWINDING_USD else 0.0
        wanted = wanted if wanted > unwound else unwound
        free = s[S_LENDING_FREE + i]
        wanted = wanted if wanted < free else free
        wanted = wanted if wanted < lent else lent

        moved = lend - wanted
        idle = idle - moved
        gas = gas if gas < idle else idle
        gas = gas if abs(moved) > 0.0 else 0.0
        s[S_IDLE + i] = idle - gas
        s[S_LENT + i] = lent + moved
        s[S_LENDING_FREE + i] = free - wanted
        s[S_AAVE_BORROWED + i] += moved
        s[S_INCOME_MARKET_OPERATIONS + i] -= gas * collateral_price
