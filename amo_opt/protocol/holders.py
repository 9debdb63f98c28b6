"""Who leaves and who buys: outside liquidity providers, holders under news and hazard, calm two-sided demand.

In words. Outside providers leave at the news rate plus a rate that rises with the stablecoin's share of the pool; they take both
sides and join the queue of sellers with the stablecoin they took; where nobody flees they follow their yield: more of them while a dollar earns more than at the start, fewer while it earns less. Holders leave at the news rate plus a hazard that depends on the
price relative to its exit value (what the collateral itself is worth), once it has slipped on the collateral gap beyond its start
too, and on the share token's fall over three days; the hazard fades as those who would run have run. Calm demand is exogenous and needs a market. One stablecoin is
worth what stands behind it: the collateral, and of the rest what the share token's market value covers, at most the exit value. Traders of value buy below that and
sell above; who borrows stablecoin because an AMO lends it sells it, and buys what he repays. Sellers and buyers of the same hour meet at the spot price; the rest goes to
the pool or the issuer, and calm buyers whom the pool could not serve wait, as sellers do.
"""

from __future__ import annotations

from amo_opt.protocol import lanes as at
from amo_opt.protocol.lanes import LANES
from amo_opt.stableswap.invariant import marginal_price
from amo_opt.stableswap.jit import Vector, scalar, stage

DUST_USD = 1e4
"""A pool below this D, at a size of 1 (`ProtocolState.size`), is a failed market: nobody bothers to leave it, and its price is the other door's while that is open and can pay,
or what its holders keep it for (`oracle.move_oracle`), never the dust's."""
CALM_BELOW = 0.01
"""Shortfall against exit value below which nobody runs (March 2023: the price fell with USDC's and nobody left)."""
SHARE_COLLAPSE = 0.45
"""Fall of the share token against its three-day mean at which its own hazard starts (May 2022: 34% in a day, and no spiral)."""
VALUE_MARGIN = 0.001
"""Distance from what one is worth at which traders of value act."""
OVERVALUED = 0.01
"""Price above what one is worth at which holders sell for that reason alone: a door that holds the price a few basis points up makes nobody leave."""
NO_YIELD = 1e-9
"""Hourly yield (0.1 bp a year) below which a pool pays nothing, so that nothing over nothing is no change."""
NOTHING_LEFT = 1e-15
"""Share of the supply of before by which what pools and protocol hold may be more than what is left of it: rounding, where all that was outside was given back."""
MOST_WANTED = 4.0
"""Most outside liquidity that any yield draws, as a multiple of the start's."""


@scalar
def exit_value_of(collateral_price: float, base_value: float) -> float:
    """What a leaver could have had in the collateral itself: min(1, USDC, a base-pool LP), the reference of the peg."""
    lower = collateral_price if collateral_price < base_value else base_value
    return lower if lower < 1.0 else 1.0


@scalar
def circulating(before: float, after: float, held: float) -> float:
    """The supply once stablecoin was given back: what pools and protocol hold where all that was outside is gone, and the rounding of a supply much larger left less.

    More than rounding is left to be found (`simulation.path_statistics`). For stages that know what is held: within an hour, what further pools trade is in the totals only once they are tallied.
    """
    short = held - after
    return held if ((short > 0.0) & (short <= NOTHING_LEFT * before)) else after


@scalar
def leaving_rate(x: float, y: float, exits: float, flight_share: float, flight_rate: float) -> float:
    """Share of a pool's outside liquidity that leaves this hour: what news drives out, and more the further the stablecoin's share is above what providers bear."""
    excess = x / (x + y) - flight_share
    rate = exits + flight_rate * (excess if excess > 0.0 else 0.0)
    return rate if rate < 0.5 else 0.5


@scalar
def coming(
    x: float,
    d: float,
    outside: float,
    aimed: float,
    return_rate: float,
    change: float,
    free: float,
    covered: bool,  # noqa: FBT001 - compiled, so by place
    calm: bool,  # noqa: FBT001 - as above
) -> float:
    """Share by which a pool's liquidity grows (less than 0: shrinks): towards ``aimed`` outside liquidity where it is ``calm``, and by ``change`` of what is there;
    ``free`` = stablecoin that there is to bring. None comes to a coin that is not ``covered``.
    """
    moved = return_rate * (aimed - outside * d) / d
    moved = moved if calm else 0.0
    moved = moved + change * outside
    room = 0.5 * free / x
    room = room if room > 0.0 else 0.0
    moved = moved if moved < room else room
    moved = moved if moved > -0.5 * outside else -0.5 * outside
    return moved if (covered | (moved < 0.0)) else 0.0


@stage
def lp_flight(s: Vector, m: Vector, c: Vector) -> None:
    """Outside providers withdraw or bring both sides; the AMO's own balances do not change.

    Who flees joins the queue with his stablecoin; what spells move (``lp_change``) queues for nothing. Where nobody flees, liquidity follows its yield: a share of the gap between what is there and what is
    wanted closes an hour, wanted being the snapshot's outside liquidity, scaled by what is left of the external supply and by the
    yield per dollar over the start's. Nobody brings any to a coin that was worth less than its exit value an hour ago. The stablecoin they bring or take along is the holders'.
    """
    flight_share = c[at.C_LP_FLIGHT_SHARE]
    flight_rate = c[at.C_LP_FLIGHT_RATE]
    return_rate = c[at.C_LP_RETURN_RATE]
    response = c[at.C_LP_YIELD_RESPONSE]
    start_outside = c[at.C_START_OUTSIDE]
    dust = DUST_USD * c[at.C_SIZE]
    per_external = 1.0 / c[at.C_START_EXTERNAL]
    for i in range(LANES):
        x = s[at.S_POOL_X + i]
        y = s[at.S_POOL_Y + i]
        lp_supply = s[at.S_LP_SUPPLY + i]
        lp_amo = s[at.S_LP_AMO + i]
        rate = leaving_rate(x, y, m[at.M_LP_EXIT + i], flight_share, flight_rate)
        d = s[at.S_D + i]
        alive = d > dust
        outside = 1.0 - s[at.S_OWN + i]
        fled = rate * outside if alive else 0.0
        queue = s[at.S_QUEUE + i]
        elsewhere = s[at.S_OWN_OUTSIDE + i]
        supply = s[at.S_SUPPLY + i]
        kept = (supply - (1.0 - outside) * x - elsewhere) * per_external
        kept = kept if kept < 1.0 else 1.0
        richer = (s[at.S_OUTSIDE_YIELD + i] + NO_YIELD) / (s[at.S_OUTSIDE_YIELD_START + i] + NO_YIELD) - 1.0
        wanted = 1.0 + response * richer
        wanted = wanted if wanted > 0.0 else 0.0
        wanted = wanted if wanted < MOST_WANTED else MOST_WANTED
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        base_value = s[at.S_BASE_VALUE + i]
        exit_value = exit_value_of(collateral_price, base_value)
        covered = s[at.S_BACKING_VALUE + i] >= (1.0 - OVERVALUED) * exit_value
        free = supply - x - queue - elsewhere - s[at.S_POOLED_OUTSIDE + i]
        change = m[at.M_LP_CHANGE + i] if alive else 0.0
        moved = coming(x, d, outside - fled, start_outside * kept * wanted, return_rate, change, free, covered, (rate <= 0.0) & alive)
        scale = 1.0 - fled + moved
        s[at.S_QUEUE + i] = queue + fled * x
        s[at.S_POOL_X + i] = x * scale
        s[at.S_POOL_Y + i] = y * scale
        s[at.S_D + i] = d * scale
        scaled_supply = lp_supply * scale
        s[at.S_LP_SUPPLY + i] = scaled_supply
        s[at.S_OWN + i] = lp_amo / scaled_supply


@stage
def demand(s: Vector, m: Vector, c: Vector) -> None:
    """Fills `sell_demand` and `buy_demand` (tokens this hour, at most one of them positive) and moves both queues.

    Buyers who would wait are the calm ones; who came for a discount is gone with it.
    """
    start_external = c[at.C_START_EXTERNAL]
    size = c[at.C_SIZE]
    dust = DUST_USD * size
    value_buyers = c[at.C_VALUE_BUYERS]
    value_sellers = c[at.C_VALUE_SELLERS]
    hazard_news = c[at.C_HAZARD_NEWS] / 24.0
    hazard_price = c[at.C_HAZARD_PRICE] / 24.0
    hazard_collateral = c[at.C_HAZARD_COLLATERAL] / 24.0
    hazard_share = c[at.C_HAZARD_SHARE] / 24.0
    inverse_limit = 1.0 / c[at.C_HAZARD_LIMIT]
    decay = c[at.C_MEMORY_DECAY]
    for i in range(LANES):
        x = s[at.S_POOL_X + i]
        y = s[at.S_POOL_Y + i]
        base_value = s[at.S_BASE_VALUE + i]
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        d = s[at.S_D + i]
        spot = marginal_price(x, y, d, s[at.S_ANN + i]) * base_value
        last = s[at.S_PRICE + i]
        price = spot if d > dust else last
        exit_value = exit_value_of(collateral_price, base_value)
        shortfall = 1.0 - price / exit_value
        started = (shortfall - CALM_BELOW) * 1000.0
        started = started if started > 0.0 else 0.0
        started = started if started < 1.0 else 1.0
        deeper = (shortfall - CALM_BELOW) * 25.0
        deeper = deeper if deeper > 0.0 else 0.0
        deeper = deeper if deeper < 1.0 else 1.0
        gap = s[at.S_CR_PAR_START + i] - s[at.S_CR_PAR + i]
        gap = gap if gap > 0.0 else 0.0
        collapse = (1.0 - s[at.S_SHARE_PRICE + i] / s[at.S_SHARE_SLOW + i] - SHARE_COLLAPSE) * 4.0
        collapse = collapse if collapse > 0.0 else 0.0
        collapse = collapse if collapse < 1.0 else 1.0
        fatigue = s[at.S_FATIGUE + i] * decay
        ready = 1.0 - fatigue * inverse_limit
        ready = ready if ready > 0.0 else 0.0
        hazard = ((hazard_news + hazard_collateral * gap) * started + hazard_price * deeper + hazard_share * collapse) * ready
        hazard = hazard if hazard < 0.5 else 0.5
        queue = s[at.S_QUEUE + i]
        elsewhere = s[at.S_OWN_OUTSIDE + i]
        outside = s[at.S_SUPPLY + i] - x - elsewhere - s[at.S_POOLED_OUTSIDE + i]
        holders = outside - queue
        holders = holders if holders > 0.0 else 0.0
        news = m[at.M_NEWS_EXIT + i]
        leaving = hazard + news
        rate = leaving if leaving < 0.5 else 0.5
        staying = s[at.S_STAYING + i]
        leaving = rate * (holders - (staying if staying < holders else holders))
        s[at.S_LEAVING + i] = rate
        own = s[at.S_OWN + i]
        external = s[at.S_SUPPLY + i] - own * x - elsewhere
        users = external if external < start_external else start_external
        users = users if users > 0.0 else 0.0
        drawn = m[at.M_FLOW + i] * users
        flow = drawn if d > dust else 0.0
        calm_sell = -flow if flow < 0.0 else 0.0
        room = holders - leaving
        borrowers = s[at.S_BORROWER_FLOW + i]
        calm_sell = calm_sell + (borrowers if borrowers > 0.0 else 0.0)
        cr = s[at.S_COLLATERAL_RATIO + i]
        backing = s[at.S_CR_PAR + i]
        backing = backing if backing < cr else cr
        backing = backing if backing < 1.0 else 1.0
        algorithmic = (1.0 - backing) * external + size
        cover = s[at.S_SHARE_PRICE + i] * s[at.S_SHARE_SUPPLY + i] / algorithmic
        cover = cover if cover < 1.0 else 1.0
        backing_value = exit_value * (backing + (1.0 - backing) * cover)
        s[at.S_BACKING_VALUE + i] = backing_value
        excess = price - backing_value - OVERVALUED
        calm_sell = calm_sell + (value_sellers * excess * users if excess > 0.0 else 0.0)
        calm_sell = calm_sell if calm_sell < room else room
        discount = backing_value - price - VALUE_MARGIN
        discount = discount if discount > 0.0 else 0.0
        steady = s[at.S_BUY_QUEUE + i] + (flow if flow > 0.0 else 0.0) + (-borrowers if borrowers < 0.0 else 0.0)
        buying = steady + value_buyers * ready * discount * users
        selling = queue + leaving + calm_sell
        selling = selling if selling < outside else outside
        selling = selling if selling > 0.0 else 0.0
        met = selling if selling < buying else buying
        s[at.S_FATIGUE + i] = fatigue + hazard
        s[at.S_SELL_DEMAND + i] = selling - met
        s[at.S_BUY_DEMAND + i] = buying - met
        s[at.S_BUY_QUEUE + i] = steady if steady < buying - met else buying - met
        s[at.S_QUEUE + i] = selling - met
