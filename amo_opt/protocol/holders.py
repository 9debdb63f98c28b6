"""Who leaves and who buys: outside liquidity providers, holders under news and hazard, calm two-sided demand.

In words. Outside providers leave at the news rate plus a rate that rises with the stablecoin's share of the pool; they take both
sides and join the queue of sellers with the stablecoin they took; where nobody flees they come back in time. Holders leave at the news rate plus a hazard that depends on the
price relative to its exit value (what the collateral itself is worth), once it has slipped on the collateral gap beyond its start
too, and on the share token's fall over three days; the hazard fades as those who would run have run. Calm demand is exogenous. Buyers of value appear
below the exit value. Sellers and buyers of the same hour meet at the spot price; the rest goes to the pool or the issuer.
"""

from __future__ import annotations

from amo_opt.protocol.lanes import (
    C_FLIGHT_RATE,
    C_FLIGHT_SHARE,
    C_HAZARD_COLLATERAL,
    C_HAZARD_LIMIT,
    C_HAZARD_NEWS,
    C_HAZARD_PRICE,
    C_HAZARD_SHARE,
    C_MEMORY_DECAY,
    C_RETURN_RATE,
    C_START_EXTERNAL,
    C_START_OUTSIDE,
    C_VALUE_BUYERS,
    LANES,
    M_FLOW,
    M_LP_EXIT,
    M_NEWS_EXIT,
    S_ANN,
    S_BASE_VALUE,
    S_BUY_DEMAND,
    S_COLLATERAL_PRICE,
    S_CR_EXTERNAL,
    S_CR_EXTERNAL_START,
    S_D,
    S_FATIGUE,
    S_LP_AMO,
    S_LP_SUPPLY,
    S_POOL_X,
    S_POOL_Y,
    S_QUEUE,
    S_SELL_DEMAND,
    S_SHARE_PRICE,
    S_SHARE_SLOW,
    S_SUPPLY,
)
from amo_opt.stableswap.invariant import marginal_price
from amo_opt.stableswap.jit import Vector, stage

DUST_USD = 1e4
"""A pool below this D is a failed market: nobody bothers to leave it, and its price is the other door's where that paid everyone who
came, or 0, never the dust's."""
CALM_BELOW = 0.01
"""Shortfall against exit value below which nobody runs (March 2023: the price fell with USDC's and nobody left)."""
SHARE_COLLAPSE = 0.45
"""Fall of the share token against its three-day mean at which its own hazard starts (May 2022: 34% in a day, and no spiral)."""
VALUE_MARGIN = 0.001
"""Discount to exit value that buyers of value ask for."""


@stage
def lp_flight(s: Vector, m: Vector, c: Vector) -> None:
    """Outside providers withdraw or bring both sides; the AMO's own balances do not change.

    What leaves joins the queue with its stablecoin. Where nobody flees, a share of what is missing comes back: missing from the liquidity at the
    snapshot, scaled by what is left of the supply outside the protocol. The stablecoin they bring is the holders'.
    """
    flight_share = c[C_FLIGHT_SHARE]
    flight_rate = c[C_FLIGHT_RATE]
    return_rate = c[C_RETURN_RATE]
    start_outside = c[C_START_OUTSIDE]
    per_external = 1.0 / c[C_START_EXTERNAL]
    for i in range(LANES):
        x = s[S_POOL_X + i]
        y = s[S_POOL_Y + i]
        lp_supply = s[S_LP_SUPPLY + i]
        lp_amo = s[S_LP_AMO + i]
        excess = x / (x + y) - flight_share
        rate = m[M_LP_EXIT + i] + flight_rate * (excess if excess > 0.0 else 0.0)
        rate = rate if rate < 0.5 else 0.5
        d = s[S_D + i]
        outside = 1.0 - lp_amo / lp_supply
        left = rate * outside if d > DUST_USD else 0.0
        queue = s[S_QUEUE + i]
        supply = s[S_SUPPLY + i]
        kept = (supply - (1.0 - outside) * x) * per_external
        kept = kept if kept < 1.0 else 1.0
        missing = start_outside * kept - outside * d
        missing = missing if missing > 0.0 else 0.0
        joined = return_rate * missing / d
        room = 0.5 * (supply - x - queue) / x
        joined = joined if joined < room else room
        joined = joined if ((rate <= 0.0) & (d > DUST_USD) & (joined > 0.0)) else 0.0
        scale = 1.0 - left + joined
        s[S_QUEUE + i] = queue + left * x
        s[S_POOL_X + i] = x * scale
        s[S_POOL_Y + i] = y * scale
        s[S_D + i] = d * scale
        s[S_LP_SUPPLY + i] = lp_supply * scale


@stage
def demand(s: Vector, m: Vector, c: Vector) -> None:
    """Fills `sell_demand` and `buy_demand` (tokens this hour, at most one of them positive) and moves the queue."""
    start_external = c[C_START_EXTERNAL]
    value_buyers = c[C_VALUE_BUYERS]
    hazard_news = c[C_HAZARD_NEWS] / 24.0
    hazard_price = c[C_HAZARD_PRICE] / 24.0
    hazard_collateral = c[C_HAZARD_COLLATERAL] / 24.0
    hazard_share = c[C_HAZARD_SHARE] / 24.0
    inverse_limit = 1.0 / c[C_HAZARD_LIMIT]
    decay = c[C_MEMORY_DECAY]
    for i in range(LANES):
        x = s[S_POOL_X + i]
        y = s[S_POOL_Y + i]
        base_value = s[S_BASE_VALUE + i]
        collateral_price = s[S_COLLATERAL_PRICE + i]
        price = marginal_price(x, y, s[S_D + i], s[S_ANN + i]) * base_value
        exit_value = collateral_price if collateral_price < base_value else base_value
        exit_value = exit_value if exit_value < 1.0 else 1.0
        shortfall = 1.0 - price / exit_value
        started = (shortfall - CALM_BELOW) * 1000.0
        started = started if started > 0.0 else 0.0
        started = started if started < 1.0 else 1.0
        deeper = (shortfall - CALM_BELOW) * 25.0
        deeper = deeper if deeper > 0.0 else 0.0
        deeper = deeper if deeper < 1.0 else 1.0
        gap = s[S_CR_EXTERNAL_START + i] - s[S_CR_EXTERNAL + i]
        gap = gap if gap > 0.0 else 0.0
        collapse = (1.0 - s[S_SHARE_PRICE + i] / s[S_SHARE_SLOW + i] - SHARE_COLLAPSE) * 4.0
        collapse = collapse if collapse > 0.0 else 0.0
        collapse = collapse if collapse < 1.0 else 1.0
        fatigue = s[S_FATIGUE + i] * decay
        ready = 1.0 - fatigue * inverse_limit
        ready = ready if ready > 0.0 else 0.0
        hazard = ((hazard_news + hazard_collateral * gap) * started + hazard_price * deeper + hazard_share * collapse) * ready
        hazard = hazard if hazard < 0.5 else 0.5
        queue = s[S_QUEUE + i]
        holders = s[S_SUPPLY + i] - x - queue
        holders = holders if holders > 0.0 else 0.0
        news = m[M_NEWS_EXIT + i]
        leaving = hazard + news
        leaving = (leaving if leaving < 0.5 else 0.5) * holders
        flow = m[M_FLOW + i] * start_external
        calm_sell = -flow if flow < 0.0 else 0.0
        room = holders - leaving
        calm_sell = calm_sell if calm_sell < room else room
        discount = exit_value - price - VALUE_MARGIN
        discount = discount if discount > 0.0 else 0.0
        buying = (flow if flow > 0.0 else 0.0) + value_buyers * discount * start_external * ready
        selling = queue + leaving + calm_sell
        outside = s[S_SUPPLY + i] - x
        selling = selling if selling < outside else outside
        selling = selling if selling > 0.0 else 0.0
        met = selling if selling < buying else buying
        s[S_FATIGUE + i] = fatigue + hazard
        s[S_SELL_DEMAND + i] = selling - met
        s[S_BUY_DEMAND + i] = buying - met
        s[S_QUEUE + i] = selling - met
