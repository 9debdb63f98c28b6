"""Further pools: pools of the stablecoin and a coin opposite, beside the first, with one price for all of them.

What stands opposite may be a base pool's LP token, counted at its virtual price, or a coin that grows: the pool counts it at its stored rate, as those of stableswap-ng do
(curvefi/stableswap-ng `CurveStableSwapNG.vy`, `_stored_rates`), so that balances are tokens times rate, and the price of the coin is what one of these fetches. What it grows by stays with the providers;
the protocol's part of it is booked with what fees leave them.

Holders' net flow F of an hour goes where it fetches most, and arbitrage leaves no gap between pools above both their fees. With the market's price λ (unit of account for one
stablecoin), a pool's own price P = c · marginal price (c = the price of its coin opposite) and k = 1 − fee, stablecoin is sold to the pool down to P = λ / k and bought of it up to P = λ k,
and nothing moves in between; λ is where the pools together take F:

    F = Σ sold − k Σ bought,  what is sold to a pool and what is bought of it

Rows of the program: `begin_flow` says what F is and between which prices it is served (those who sell at a fair price, those who buy up to what they pay at most; the rest waits for the first pool's
doors, `protocol.primary_market`). Then, `ROUNDS` times, every pool answers by its slope where it stands (`answer`, `answer_first`), λ is found of the answers by bracketed Newton steps (`ask`, `ask_first`,
`step`), and every pool moves along its invariant by what it then takes (`take`, `take_first`), at most `MOST_OF_SIDE` of a side a round. `trade` and `trade_first` book what each has
taken, with its fees; tokens are conserved to the last digits, as what the others did not take goes to the first pool.

Nothing of a further pool is the issuer's door; its liquidity that is not the protocol's flees as the first pool's does.
"""

from __future__ import annotations

from amo_opt.amos.mechanism import Mechanism, Stages
from amo_opt.amos.pool_reads import pool_reads
from amo_opt.protocol import lanes as at
from amo_opt.protocol.accounts import amplification_at, ramp_length
from amo_opt.protocol.active_lanes import W_COPY, filled_up
from amo_opt.protocol.elementary import exp_of, log1p_of
from amo_opt.protocol.holders import DUST_USD, OVERVALUED, coming, exit_value_of, leaving_rate
from amo_opt.protocol.lanes import LANES, POOL, Own
from amo_opt.protocol.parameters import Parameter
from amo_opt.protocol.primary_market import FAIR_DISCOUNT, LOWEST_PRICE
from amo_opt.protocol.state import FurtherPool, ProtocolState
from amo_opt.stableswap.depth_10bp import captured, curve_depth
from amo_opt.stableswap.invariant import get_y, marginal_price, polish_D, refresh_D, scaled_x_at_price
from amo_opt.stableswap.jit import Vector, scalar, stage

ROUNDS = 2
"""How often the pools answer by their slopes: after two 1 to 4 lanes of a hundred are off by more than 0.1 bp beyond the fees (2 to 8 pools, tests/amos/test_pools.py)."""
STEPS = 4
"""Newton steps of the market's price a round."""
GAP = 1e-5
"""Gap between two pools beyond both their fees from which on a lane is worked out exactly."""
WIDEN = 24
"""Most doublings of the bracket around the price that the slopes found; the last reaches past every price there is."""
NARROW = 60
"""Most steps of the exact solution (Illinois: a false position that halves the end which stays)."""
HALVINGS = 50
"""Halvings of the bracket that these leave, where they did not end: where a flat pool of a high A gets going beside small ones, what is wanted lies next to one end, and Illinois creeps."""
CLOSE = 1e-13
"""Width of the bracket, as a share of the price, at which it is solved."""
MOST_OF_SIDE = 0.75
"""Most of a side of a pool that moves a round."""
HIGHEST_PRICE = 4.0
"""No market price lies above this."""
MOST_DRAINED = 0.999
"""Most of its stablecoin that is bought of the first pool an hour beside the others, where the market's price asks for no more: one whose coin opposite lost all its worth gives nearly all."""
MOST_OF_DEPTH = 1e3
"""Most that is sold to the first pool an hour beside the others, in units of its D: no bound but against what is no number."""
FLAT = 1e-9
"""Tokens that all pools together take or give for a change of the price by one, of a protocol of size one: with less they answer to no price."""
ASIDE = 1e-12
"""What the pools took may miss F by this share of all they hold: rounding."""
TOO_MUCH = 1e-9
"""Share of all that the pools hold and that holders bring by which they may take more of these than they have: more would be stablecoin from nowhere, a fault."""
ASTRAY = 1e-3
"""The first pool takes what the others did not as far as this share of its D beyond what it would at the market's price, where it is not the deepest: that one takes the rest."""
MOST_VOLUME = 0.001
"""Fees of two-way volume an hour, at most this share of a side."""

mine = Own(
    "pool",
    state=(*POOL, "flow", "answer", "spot", "own_x", "own_value", "outside_x", "floor_x", "floor_y", "floor_gap"),
    market=("price", "volume"),
    parameters=("amplification",),
    constants=(
        *("fee", "admin_fee", "start_amplification", "start_outside", "start_captured"),
        *("future_amplification", "ramp_left", "growth"),
    ),
)

W_FLOW = W_COPY
"""What the pools' market keeps in the scratch block while it is worked out: F, the market's price, its bracket, what the pools take at it and how that moves, and the first pool's figures."""
_W_PRICE = W_FLOW + LANES
_W_LOW = _W_PRICE + LANES
_W_HIGH = _W_LOW + LANES
_W_SUM = _W_HIGH + LANES
_W_SLOPE = _W_SUM + LANES
_W_Z = _W_SLOPE + LANES
_W_SPOT = _W_Z + LANES
_W_ANSWER = _W_SPOT + LANES
_W_MOST = _W_ANSWER + LANES
_W_ASIDE = _W_MOST + LANES
_W_TAKEN = _W_ASIDE + LANES
_W_BIDS = _W_TAKEN + LANES
_W_ASKS = _W_BIDS + LANES
_W_FAIR = _W_ASKS + LANES
_W_SIDE_X = _W_FAIR + LANES
_W_SIDE_Y = _W_SIDE_X + LANES
_W_BOUND = _W_SIDE_Y + LANES
ABREAST = 4
"""Pools of a lane that are worked out together, here and in `amos.peg_keeper`: a vector of them."""
MOST_POOLS = LANES
"""Most pools of a protocol: so many stand side by side in the scratch block, here and in `amos.peg_keeper`."""
_W_EACH_X = _W_BOUND + LANES
"""A lane's pools beside each other, the first one first: sides, constants, price, and what each takes."""
_W_EACH_D = _W_EACH_X + LANES
_W_EACH_ANN = _W_EACH_D + LANES
_W_EACH_VALUE = _W_EACH_ANN + LANES
_W_EACH_KEEP = _W_EACH_VALUE + LANES
_W_EACH_ALIVE = _W_EACH_KEEP + LANES
_W_EACH_NOW = _W_EACH_ALIVE + LANES
_W_EACH_Z = _W_EACH_NOW + LANES
_W_EACH_TOKENS = _W_EACH_Z + LANES
STRIDE = len(mine.state) * LANES
"""How far apart the lines of two further pools lie: they stand side by side, behind everything that the catalogue has."""
KEYS = len(mine.constants)
HOURS_A_YEAR = 8760.0


@scalar
def answer_of(x: float, y: float, d: float, ann: float) -> tuple[float, float]:
    """Marginal price of one x in y, and −dx/dP along the invariant: what more of x brings the price down by one."""
    k = d * d * d / (4.0 * x * y)
    upper = ann + k / x
    lower = ann + k / y
    price = upper / lower
    moved = k * (price / y - 1.0 / x)
    upper_moved = moved / x - k / (x * x)
    lower_moved = moved / y + k * price / (y * y)
    falls = (price * lower_moved - upper_moved) / lower
    return price, 1.0 / falls


@scalar
def taken_at(before: float, price: float, spot: float, answer: float, keep: float, most_in: float, most_out: float) -> tuple[float, float]:
    """What a pool takes in all at a market price (more than 0: sold to it; less: bought of it), by its slope from where it stands after ``before``; and how that
    falls as the price rises. It moves by no more than its sides allow.
    """
    sold = before + answer * (spot - price / keep)
    bought = before + answer * (spot - price * keep)
    z = sold if sold > 0.0 else (bought if bought < 0.0 else 0.0)
    slope = answer / keep if sold > 0.0 else (answer * keep * keep if bought < 0.0 else 0.0)
    held = z if z < before + most_in else before + most_in
    held = held if held > before - most_out else before - most_out
    return held, slope if held == z else 0.0


@stage
def begin(_s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, n: Vector, _q: Vector, _k: Vector) -> None:
    """What follows from the snapshot: D, LP tokens in units of D, the price."""
    for i in range(LANES):
        x = a[mine.S_POOL_X + i]
        y = a[mine.S_POOL_Y + i]
        ann = a[mine.S_ANN + i]
        d = refresh_D(x, y, ann, refresh_D(x, y, ann, x + y))
        own = a[mine.S_LP_AMO + i]
        a[mine.S_D + i] = d
        a[mine.S_LP_SUPPLY + i] = d
        a[mine.S_LP_AMO + i] = own * d
        a[mine.S_OWN + i] = own
        a[mine.S_BASE_VALUE + i] = n[mine.M_PRICE + i]
        spot = marginal_price(x, y, d, ann)
        a[mine.S_POOL_PRICE + i] = spot
        a[mine.S_POOL_LAST + i] = spot
        a[mine.S_POOL_TILT + i] = (y - x) / d


@stage
def quote(s: Vector, _m: Vector, _p: Vector, c: Vector, a: Vector, n: Vector, q: Vector, k: Vector) -> None:
    """The coin's new price and what it grew by, A on its ramp and D with both; the depth it offers beside the first pool."""
    target = q[mine.P_AMPLIFICATION]
    length = ramp_length(target, k[mine.C_FUTURE_AMPLIFICATION], k[mine.C_RAMP_LEFT], c[at.C_RAMP_HOURS])
    elapsed = s[at.S_ELAPSED]  # the same in every lane; 0 at the snapshot, which has grown by nothing yet
    ann = 2.0 * amplification_at(elapsed, k[mine.C_START_AMPLIFICATION], target, length)
    growth = k[mine.C_GROWTH] if elapsed > 0.0 else 1.0
    for i in range(LANES):
        x = a[mine.S_POOL_X + i]
        before = a[mine.S_POOL_Y + i]
        y = before * growth
        price = n[mine.M_PRICE + i]
        own = a[mine.S_OWN + i]
        s[at.S_INCOME_MARK_TO_MARKET + i] += own * before * (price - a[mine.S_BASE_VALUE + i])
        s[at.S_INCOME_SWAP_FEES + i] += own * (y - before) * price
        a[mine.S_POOL_Y + i] = y
        a[mine.S_BASE_VALUE + i] = price
        a[mine.S_ANN + i] = ann
        d = polish_D(x, y, ann, a[mine.S_D + i])
        a[mine.S_D + i] = d
        s[at.S_DEPTH_ELSEWHERE + i] += curve_depth(d, ann)


@stage
def market_operations(s: Vector, _m: Vector, _p: Vector, c: Vector, a: Vector, n: Vector, _q: Vector, k: Vector) -> None:
    """Fees of the two-way volume that looks for this pool, as its depth wins it against the snapshot's."""
    fee = k[mine.C_FEE]
    admin = k[mine.C_ADMIN_FEE]
    half_depth = c[at.C_VOLUME_DEPTH_USD]
    inverse_start = 1.0 / k[mine.C_START_CAPTURED]
    for i in range(LANES):
        x = a[mine.S_POOL_X + i]
        y = a[mine.S_POOL_Y + i]
        d = a[mine.S_D + i]
        ann = a[mine.S_ANN + i]
        price = a[mine.S_BASE_VALUE + i]
        won = captured(curve_depth(d, ann), half_depth) * inverse_start
        fees_each = 0.5 * fee * n[mine.M_VOLUME + i] * won
        outside = s[at.S_SUPPLY + i] - s[at.S_POOL_X + i] - s[at.S_OWN_OUTSIDE + i] - s[at.S_POOLED_OUTSIDE + i]
        most = MOST_VOLUME * (y if y < outside else outside)
        most = most if most > 0.0 else 0.0
        fees_each = fees_each if fees_each < most else most
        s[at.S_INCOME_SWAP_FEES + i] += a[mine.S_OWN + i] * (1.0 - admin) * 2.0 * fees_each
        kept = (1.0 - admin) * fees_each
        a[mine.S_POOL_X + i] = x + kept
        # no holder has it any more, whoever looks for stablecoin outside before the hour's tally
        s[at.S_POOLED_OUTSIDE + i] += kept
        a[mine.S_OUTSIDE_X + i] += kept
        a[mine.S_POOL_Y + i] = y + (1.0 - admin) * fees_each / price
    for i in range(LANES):
        a[mine.S_D + i] = polish_D(a[mine.S_POOL_X + i], a[mine.S_POOL_Y + i], a[mine.S_ANN + i], a[mine.S_D + i])


@stage
def flight(s: Vector, m: Vector, _p: Vector, c: Vector, a: Vector, _n: Vector, _q: Vector, k: Vector) -> None:
    """Outside providers leave with both sides, and come back, as those of the first pool (`protocol.holders.lp_flight`), but for what its yield makes of them."""
    flight_share = c[at.C_LP_FLIGHT_SHARE]
    flight_rate = c[at.C_LP_FLIGHT_RATE]
    return_rate = c[at.C_LP_RETURN_RATE]
    start_outside = k[mine.C_START_OUTSIDE]
    dust = DUST_USD * c[at.C_SIZE]
    per_external = 1.0 / c[at.C_START_EXTERNAL]
    for i in range(LANES):
        x = a[mine.S_POOL_X + i]
        y = a[mine.S_POOL_Y + i]
        d = a[mine.S_D + i]
        rate = leaving_rate(x, y, m[at.M_LP_EXIT + i], flight_share, flight_rate)
        alive = d > dust
        outside = 1.0 - a[mine.S_OWN + i]
        fled = rate * outside if alive else 0.0
        queue = s[at.S_QUEUE + i]
        supply = s[at.S_SUPPLY + i]
        elsewhere = s[at.S_OWN_OUTSIDE + i]
        kept = (supply - s[at.S_OWN + i] * s[at.S_POOL_X + i] - elsewhere) * per_external
        kept = kept if kept < 1.0 else 1.0
        exit_value = exit_value_of(s[at.S_COLLATERAL_PRICE + i], s[at.S_BASE_VALUE + i])
        covered = s[at.S_BACKING_VALUE + i] >= (1.0 - OVERVALUED) * exit_value
        free = supply - s[at.S_POOL_X + i] - queue - elsewhere - s[at.S_POOLED_OUTSIDE + i]
        change = m[at.M_LP_CHANGE + i] if alive else 0.0
        moved = coming(x, d, outside - fled, start_outside * kept, return_rate, change, free, covered, (rate <= 0.0) & alive)
        scale = 1.0 - fled + moved
        s[at.S_QUEUE + i] = queue + fled * x
        lp_supply = a[mine.S_LP_SUPPLY + i] * scale
        brought = x * scale - x  # the next pool's providers bring none of it
        s[at.S_POOLED_OUTSIDE + i] += brought
        a[mine.S_OUTSIDE_X + i] += brought
        a[mine.S_POOL_X + i] = x * scale
        a[mine.S_POOL_Y + i] = y * scale
        a[mine.S_D + i] = d * scale
        a[mine.S_LP_SUPPLY + i] = lp_supply
        a[mine.S_OWN + i] = a[mine.S_LP_AMO + i] / lp_supply


# -- one price for all pools -------------------------------------------------------------------------------------------------------


@stage
def begin_flow(s: Vector, m: Vector, p: Vector, c: Vector, w: Vector) -> None:
    """The price beyond which F is not served here: buyers pay a stated premium at most; sellers take a fair price, or, where no door of the issuer's could pay them, what they would take in need
    (`protocol.primary_market`).
    """
    premium = c[at.C_BUYER_PREMIUM]
    patience = 1.0 - c[at.C_SELLER_HAIRCUT]
    size = c[at.C_SIZE]
    weight = c[at.C_ORACLE_WEIGHT]
    threshold = p[at.P_REDEEM_PRICE_THRESHOLD]
    for i in range(LANES):
        selling = s[at.S_SELL_DEMAND + i]
        backing = s[at.S_BACKING_VALUE + i]
        exit_value = exit_value_of(s[at.S_COLLATERAL_PRICE + i], s[at.S_BASE_VALUE + i])
        fair = exit_value - FAIR_DISCOUNT
        opens = threshold - (1.0 - weight) * s[at.S_ORACLE + i] > weight * LOWEST_PRICE
        door = (m[at.M_GATE + i] > 0.5) & (s[at.S_IDLE + i] > size) & opens
        need = backing * patience
        lowest = fair if (door | (need > fair)) else need
        limit = lowest if selling > 0.0 else backing + premium
        w[_W_MOST + i] = limit if limit > LOWEST_PRICE else LOWEST_PRICE
        w[_W_FAIR + i] = fair if fair > LOWEST_PRICE else LOWEST_PRICE
        w[_W_Z + i] = 0.0
        w[_W_SIDE_X + i] = s[at.S_POOL_X + i]
        w[_W_SIDE_Y + i] = s[at.S_POOL_Y + i]


@stage
def forget(_s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, _k: Vector, w: Vector) -> None:
    """A pool has taken nothing yet; its sides are added to the others'."""
    for i in range(LANES):
        a[mine.S_FLOW + i] = 0.0
        w[_W_SIDE_X + i] += a[mine.S_POOL_X + i]
        w[_W_SIDE_Y + i] += a[mine.S_POOL_Y + i]


@stage
def bound_flow(s: Vector, c: Vector, w: Vector) -> None:
    """F: of those who sell or buy no more than a stated share of the other side of all pools an hour."""
    hour_limit = c[at.C_HOUR_LIMIT]
    keep = 1.0 - c[at.C_FEE]
    for i in range(LANES):
        selling = s[at.S_SELL_DEMAND + i]
        buying = s[at.S_BUY_DEMAND + i]
        most_sold = hour_limit * w[_W_SIDE_Y + i]
        most_bought = hour_limit * w[_W_SIDE_X + i]
        sold = selling if selling < most_sold else most_sold
        bought = buying if buying < most_bought else most_bought
        w[W_FLOW + i] = sold - keep * bought
        w[_W_TAKEN + i] = sold - keep * bought


@stage
def answer_first(s: Vector, c: Vector, w: Vector) -> None:
    """The first pool's price and slope after what it took so far; the bracket of the market's price is opened, and what all take at the limit is cleared."""
    dust = DUST_USD * c[at.C_SIZE]
    for i in range(LANES):
        x = s[at.S_POOL_X + i]
        d = s[at.S_D + i]
        ann = s[at.S_ANN + i]
        value = s[at.S_BASE_VALUE + i]
        x_now = x + w[_W_Z + i]
        y_now = get_y(x_now, d, ann)
        price, answer = answer_of(x_now, y_now, d, ann)
        w[_W_SPOT + i] = price * value
        w[_W_ANSWER + i] = answer / value if d > dust else 0.0
        w[_W_PRICE + i] = w[_W_MOST + i]
        w[_W_SUM + i] = 0.0
        w[_W_SLOPE + i] = 0.0


@stage
def answer_further(_s: Vector, _m: Vector, _p: Vector, c: Vector, a: Vector, _n: Vector, _q: Vector, _k: Vector) -> None:
    """The same of a further pool."""
    dust = DUST_USD * c[at.C_SIZE]
    for i in range(LANES):
        x = a[mine.S_POOL_X + i]
        d = a[mine.S_D + i]
        ann = a[mine.S_ANN + i]
        value = a[mine.S_BASE_VALUE + i]
        x_now = x + a[mine.S_FLOW + i]
        y_now = get_y(x_now, d, ann)
        price, answer = answer_of(x_now, y_now, d, ann)
        a[mine.S_SPOT + i] = price * value
        a[mine.S_ANSWER + i] = answer / value if d > dust else 0.0


@scalar
def in_tokens(z: float, keep: float) -> float:
    """What of F a pool's move takes up: all that is sold to it, and what a buyer gets of it after the fee."""
    return z if z > 0.0 else z * keep


@stage
def ask_first(s: Vector, c: Vector, w: Vector) -> None:
    """What the first pool takes at the market's price."""
    keep = 1.0 - c[at.C_FEE]
    for i in range(LANES):
        x = s[at.S_POOL_X + i]
        d = s[at.S_D + i]
        before = w[_W_Z + i]
        now = x + before
        z, slope = taken_at(before, w[_W_PRICE + i], w[_W_SPOT + i], w[_W_ANSWER + i], keep, MOST_OF_SIDE * d, MOST_OF_SIDE * now)
        w[_W_SUM + i] += in_tokens(z, keep)
        w[_W_SLOPE + i] += slope


@stage
def ask_further(_s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, k: Vector, w: Vector) -> None:
    """What a further pool takes at it."""
    keep = 1.0 - k[mine.C_FEE]
    for i in range(LANES):
        d = a[mine.S_D + i]
        before = a[mine.S_FLOW + i]
        now = a[mine.S_POOL_X + i] + before
        z, slope = taken_at(before, w[_W_PRICE + i], a[mine.S_SPOT + i], a[mine.S_ANSWER + i], keep, MOST_OF_SIDE * d, MOST_OF_SIDE * now)
        w[_W_SUM + i] += in_tokens(z, keep)
        w[_W_SLOPE + i] += slope


@stage
def limit_flow(s: Vector, w: Vector) -> None:
    """What of F all pools together take at the price beyond which nobody trades; the rest is not for them. Newton begins at the first pool's own price."""
    for i in range(LANES):
        wanted = w[W_FLOW + i]
        most = w[_W_SUM + i]
        selling = s[at.S_SELL_DEMAND + i] > 0.0
        sold = most if most > 0.0 else 0.0
        sold = sold if sold < wanted else wanted
        bought = most if most < 0.0 else 0.0
        bought = bought if bought > wanted else wanted
        taken = sold if selling else bought
        over = most - taken
        limit = w[_W_PRICE + i]
        low = limit if over > 0.0 else LOWEST_PRICE
        high = limit if over < 0.0 else HIGHEST_PRICE
        spot = w[_W_SPOT + i]
        spot = spot if spot > low else low
        spot = spot if spot < high else high
        w[_W_TAKEN + i] = taken
        w[_W_BOUND + i] = 1.0 if taken != wanted else 0.0
        w[_W_LOW + i] = low
        w[_W_HIGH + i] = high
        w[_W_PRICE + i] = limit if over == 0.0 else spot
        w[_W_SUM + i] = 0.0
        w[_W_SLOPE + i] = 0.0


@stage
def step(_s: Vector, c: Vector, w: Vector) -> None:
    """A Newton step of the market's price within its bracket, halved where it would leave it; what all take is cleared for the next."""
    flat = FLAT * c[at.C_SIZE]
    for i in range(LANES):
        price = w[_W_PRICE + i]
        over = w[_W_SUM + i] - w[_W_TAKEN + i]
        slope = w[_W_SLOPE + i]
        low = price if over > 0.0 else w[_W_LOW + i]
        high = price if over < 0.0 else w[_W_HIGH + i]
        moved = price + over / (slope if slope > flat else flat)
        middle = 0.5 * (low + high)
        inside = (moved >= low) & (moved <= high) & (slope > flat)
        settled = over == 0.0
        found = moved if inside else middle
        w[_W_PRICE + i] = price if settled else found
        w[_W_LOW + i] = low
        w[_W_HIGH + i] = high
        w[_W_SUM + i] = 0.0
        w[_W_SLOPE + i] = 0.0


@stage
def take_further(_s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, k: Vector, w: Vector) -> None:
    """A further pool takes what it does at the price found."""
    keep = 1.0 - k[mine.C_FEE]
    for i in range(LANES):
        before = a[mine.S_FLOW + i]
        now = a[mine.S_POOL_X + i] + before
        z, _ = taken_at(
            before, w[_W_PRICE + i], a[mine.S_SPOT + i], a[mine.S_ANSWER + i], keep, MOST_OF_SIDE * a[mine.S_D + i], MOST_OF_SIDE * now
        )
        a[mine.S_FLOW + i] = z
        w[_W_SUM + i] += in_tokens(z, keep)


@stage
def take_first(s: Vector, c: Vector, w: Vector) -> None:
    """The first pool takes what the others leave, as far as its sides go."""
    keep = 1.0 - c[at.C_FEE]
    for i in range(LANES):
        left = w[_W_TAKEN + i] - w[_W_SUM + i]
        z = left if left > 0.0 else left / keep
        x = s[at.S_POOL_X + i]
        d = s[at.S_D + i]
        before = w[_W_Z + i]
        now = x + before
        most_in = before + MOST_OF_SIDE * d
        most_out = before - MOST_OF_SIDE * now
        z = z if z < most_in else most_in
        w[_W_Z + i] = z if z > most_out else most_out
        w[_W_ASIDE + i] = w[_W_SUM + i] + in_tokens(w[_W_Z + i], keep)
        w[_W_SUM + i] = 0.0


@stage
def mark_first(s: Vector, c: Vector, w: Vector) -> None:
    """What the first pool pays for one stablecoin and asks for one, after its fee, where it would now stand."""
    keep = 1.0 - c[at.C_FEE]
    dust = DUST_USD * c[at.C_SIZE]
    for i in range(LANES):
        d = s[at.S_D + i]
        ann = s[at.S_ANN + i]
        x = s[at.S_POOL_X + i] + w[_W_Z + i]
        price = marginal_price(x, get_y(x, d, ann), d, ann) * s[at.S_BASE_VALUE + i]
        alive = d > dust
        w[_W_BIDS + i] = price * keep if alive else 0.0
        w[_W_ASKS + i] = price / keep if alive else 1e300


@stage
def mark_further(_s: Vector, _m: Vector, _p: Vector, c: Vector, a: Vector, _n: Vector, _q: Vector, k: Vector, w: Vector) -> None:
    """The highest bid and the lowest ask of the pools so far."""
    keep = 1.0 - k[mine.C_FEE]
    dust = DUST_USD * c[at.C_SIZE]
    for i in range(LANES):
        d = a[mine.S_D + i]
        ann = a[mine.S_ANN + i]
        x = a[mine.S_POOL_X + i] + a[mine.S_FLOW + i]
        price = marginal_price(x, get_y(x, d, ann), d, ann) * a[mine.S_BASE_VALUE + i]
        alive = d > dust
        bid = price * keep if alive else 0.0
        ask = price / keep if alive else 1e300
        bids = w[_W_BIDS + i]
        asks = w[_W_ASKS + i]
        w[_W_BIDS + i] = bid if bid > bids else bids
        w[_W_ASKS + i] = ask if ask < asks else asks


@scalar
def side_by_side(s: Vector, c: Vector, w: Vector, i: int) -> int:
    """A lane's pools beside each other, filled up to a multiple of `ABREAST`, so that they are asked together; how many they are then. What hangs on no market price is
    worked out here, once: the pool's own price, and what its constants and the gone ones' sides are.
    """
    dust = DUST_USD * c[at.C_SIZE]
    count = int(c[at.C_POOLS]) + 1
    filled = filled_up(count, ABREAST)
    for j in range(filled):
        k = j if j < count else 0
        line = (int(c[at.C_POOLS_STATE]) + (k - 1) * STRIDE if k > 0 else 0) + i
        x = s[line + (mine.S_POOL_X if k > 0 else at.S_POOL_X)]
        d = s[line + (mine.S_D if k > 0 else at.S_D)]
        w[_W_EACH_X + j] = x
        w[_W_EACH_D + j] = d
        w[_W_EACH_ANN + j] = s[line + (mine.S_ANN if k > 0 else at.S_ANN)]
        w[_W_EACH_VALUE + j] = s[line + (mine.S_BASE_VALUE if k > 0 else at.S_BASE_VALUE)]
        w[_W_EACH_KEEP + j] = 1.0 - (c[int(c[at.C_POOLS_CONSTANTS]) + (k - 1) * KEYS + mine.C_FEE] if k > 0 else c[at.C_FEE])
        w[_W_EACH_ALIVE + j] = 1.0 if d > dust and j < count else 0.0
    for j in range(filled):
        x, d, ann = w[_W_EACH_X + j], w[_W_EACH_D + j], w[_W_EACH_ANN + j]
        w[_W_EACH_NOW + j] = marginal_price(x, get_y(x, d, ann), d, ann) * w[_W_EACH_VALUE + j]
    return filled


@scalar
def move_to(price: float, w: Vector, pools: int) -> None:
    """What each of a lane's ``pools`` takes at a market price, exactly: more than 0 where it is sold down to ``price / keep``, less where it is bought up to
    ``price * keep``; and what of F that takes up.
    """
    for j in range(pools):
        now, keep = w[_W_EACH_NOW + j], w[_W_EACH_KEEP + j]
        low, high = price * keep, price / keep
        target = high if now > high else low
        there, _ = scaled_x_at_price(target / w[_W_EACH_VALUE + j], w[_W_EACH_ANN + j])
        moves = (w[_W_EACH_ALIVE + j] > 0.5) & ((now > high) | (now < low))
        z = there * w[_W_EACH_D + j] - w[_W_EACH_X + j]
        z = z if moves else 0.0
        w[_W_EACH_Z + j] = z
        w[_W_EACH_TOKENS + j] = in_tokens(z, keep)


@scalar
def taken_by_all(price: float, w: Vector, pools: int) -> float:
    """What all of a lane's ``pools`` take at a market price, in tokens of F."""
    move_to(price, w, pools)
    total = w[_W_EACH_TOKENS]
    for j in range(1, pools):
        total += w[_W_EACH_TOKENS + j]
    return float(total)


@scalar
def bracketed(near: float, wanted: float, w: Vector, pools: int) -> tuple[float, float, float, float]:
    """A price at which the pools of a lane take more than is ``wanted`` and by how much, and one at which they take less."""
    low = high = near
    f_low = f_high = taken_by_all(near, w, pools) - wanted
    wide = 1e-4
    for _ in range(WIDEN):
        if f_low < 0.0:
            low = max(near * (1.0 - wide), LOWEST_PRICE)
            f_low = taken_by_all(low, w, pools) - wanted
        if f_high > 0.0:
            high = near * (1.0 + wide)
            f_high = taken_by_all(high, w, pools) - wanted
        wide *= 2.0
    return low, f_low, high, f_high


@scalar
def solved(near: float, wanted: float, w: Vector, pools: int) -> float:
    """The price at which the pools of a lane take what is ``wanted``: bracketed around one that is ``near``, then Illinois, then halving."""
    low, f_low, high, f_high = bracketed(near, wanted, w, pools)
    side = 0
    price = near
    for count in range(NARROW + HALVINGS):
        if f_low <= 0.0:
            price = low
            break
        if f_high >= 0.0:
            price = high
            break
        price = (low * f_high - high * f_low) / (f_high - f_low)
        if not low < price < high or high - low < CLOSE * high or count >= NARROW:
            price = 0.5 * (low + high)
        if high - low < CLOSE * high:
            break
        f = taken_by_all(price, w, pools) - wanted
        if f > 0.0:
            low, f_low = price, f
            f_high = 0.5 * f_high if side == 1 else f_high
            side = 1
        elif f < 0.0:
            high, f_high = price, f
            f_low = 0.5 * f_low if side == -1 else f_low
            side = -1
        else:
            break
    return price


@stage
def solve_exactly(s: Vector, c: Vector, w: Vector) -> None:
    """The few lanes whose pools the slopes left apart: each pool at the price that one market has. A branch a lane, as nearly none is here."""
    count = int(c[at.C_POOLS])
    first = int(c[at.C_POOLS_STATE])
    keys = int(c[at.C_POOLS_CONSTANTS])
    dust = DUST_USD * c[at.C_SIZE]
    keep = 1.0 - c[at.C_FEE]
    for i in range(LANES):
        selling = s[at.S_SELL_DEMAND + i]
        fair = w[_W_FAIR + i]
        low = selling > 0.0 and w[_W_MOST + i] < fair and w[_W_PRICE + i] < fair * (1.0 + GAP)
        s[at.S_SOLD_LOW + i] = 0.0
        missed = abs(w[_W_TAKEN + i] - w[_W_ASIDE + i]) > ASIDE * w[_W_SIDE_X + i]
        if w[_W_BIDS + i] <= w[_W_ASKS + i] * (1.0 + GAP) and w[_W_BOUND + i] < 0.5 and not low and not missed:
            continue
        wanted = w[W_FLOW + i]
        limit = w[_W_MOST + i]
        pools = side_by_side(s, c, w, i)
        most = taken_by_all(limit, w, pools)
        wanted = min(max(most, 0.0), wanted) if selling > 0.0 else max(min(most, 0.0), wanted)
        price = solved(min(max(w[_W_PRICE + i], LOWEST_PRICE), HIGHEST_PRICE), wanted, w, pools)
        if low:
            fairly = min(max(taken_by_all(fair, w, pools), 0.0), wanted)
            s[at.S_SOLD_LOW + i] = wanted - fairly
        move_to(price, w, pools)
        total = 0.0
        deepest, depth = -1, max(s[at.S_D + i], dust)
        for j in range(count):
            line = first + j * STRIDE + i
            d = s[line + mine.S_D]
            s[line + mine.S_FLOW] = w[_W_EACH_Z + j + 1]
            total += w[_W_EACH_TOKENS + j + 1]
            if d > depth:
                deepest, depth = j, d
        x, d = s[at.S_POOL_X + i], s[at.S_D + i]
        left = wanted - total
        z = left if left > 0.0 else left / keep
        z = z if d > dust else 0.0
        fairly = w[_W_EACH_Z]
        most_in, most_out = max(MOST_OF_DEPTH * d, fairly), min(-MOST_DRAINED * x, fairly)
        z = max(min(z, most_in), most_out)
        if deepest >= 0:
            # what the price's last digits are to a deep pool may be more than a shallow first pool holds: that stays with the deep one
            z = max(min(z, fairly + ASTRAY * d), fairly - ASTRAY * d) if d > dust else 0.0
            line = first + deepest * STRIDE + i
            keep_j = 1.0 - c[keys + deepest * KEYS + mine.C_FEE]
            flow = s[line + mine.S_FLOW]
            before = in_tokens(flow, keep_j)
            rest = wanted - total - in_tokens(z, keep)
            if abs(rest) > ASIDE * w[_W_SIDE_X + i]:
                after = before + rest
                moved = max(after if after > 0.0 else after / keep_j, min(-MOST_DRAINED * s[line + mine.S_POOL_X], flow))
                s[line + mine.S_FLOW] = moved
                total += in_tokens(moved, keep_j) - before
                # a deep pool may hold next to none of the stablecoin that it should give: what then is left the first one does, however far that goes
                left = wanted - total
                if d > dust and abs(left - in_tokens(z, keep)) > ASIDE * w[_W_SIDE_X + i]:
                    z = max(min(left if left > 0.0 else left / keep, most_in), most_out)
        w[_W_Z + i] = z
        w[_W_ASIDE + i] = total + in_tokens(z, keep)


@scalar
def traded(x: float, y: float, d: float, ann: float, z: float, fee: float, kept: float) -> tuple[float, float, float, float, float]:
    """A pool's sides after it took ``z`` along its invariant, the fee on either side of what came out, and its other side before it; ``kept`` = what of the fee stays in the pool."""
    x_end = x + z
    y_moved = get_y(x_end, d, ann)
    y_end = y_moved if z != 0.0 else y
    fee_x = fee * (-z if z < 0.0 else 0.0)
    fee_y = fee * (y - y_end if z > 0.0 else 0.0)
    return x_end + kept * fee_x, y_end + kept * fee_y, fee_x, fee_y, y_end


@stage
def trade_further(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, k: Vector) -> None:
    """A further pool's trades of the hour in its books: the fee is taken from what comes out, and what the administrator gets of it leaves."""
    fee = k[mine.C_FEE]
    admin = k[mine.C_ADMIN_FEE]
    for i in range(LANES):
        x = a[mine.S_POOL_X + i]
        y = a[mine.S_POOL_Y + i]
        d = a[mine.S_D + i]
        ann = a[mine.S_ANN + i]
        value = a[mine.S_BASE_VALUE + i]
        own = a[mine.S_OWN + i]
        z = a[mine.S_FLOW + i]
        pool_x, pool_y, fee_x, fee_y, y_end = traded(x, y, d, ann, z, fee, 1.0 - admin)
        s[at.S_INCOME_SWAP_FEES + i] += own * (1.0 - admin) * (fee_x + fee_y * value)
        s[at.S_INCOME_DEBT_DISCOUNT + i] += own * (z - (y - y_end) * value)
        a[mine.S_POOL_X + i] = pool_x
        a[mine.S_POOL_Y + i] = pool_y
        a[mine.S_D + i] = polish_D(pool_x, pool_y, ann, d)


@stage
def trade_first(s: Vector, c: Vector, w: Vector) -> None:
    """The first pool's, and what is left of the demand for its doors."""
    fee = c[at.C_FEE]
    admin = c[at.C_ADMIN_FEE]
    admin_to_protocol = admin * c[at.C_PROTOCOL_ADMIN_SHARE]
    keep = 1.0 - fee
    inverse_keep = 1.0 / keep
    for i in range(LANES):
        x = s[at.S_POOL_X + i]
        y = s[at.S_POOL_Y + i]
        d = s[at.S_D + i]
        ann = s[at.S_ANN + i]
        value = s[at.S_BASE_VALUE + i]
        own = s[at.S_OWN + i]
        z = w[_W_Z + i]
        pool_x, pool_y, fee_x, fee_y, y_end = traded(x, y, d, ann, z, fee, 1.0 - admin)
        admin_x = admin_to_protocol * fee_x
        admin_y = admin_to_protocol * fee_y * value
        s[at.S_INCOME_SWAP_FEES + i] += own * (1.0 - admin) * (fee_x + fee_y * value) + admin_x + admin_y
        s[at.S_INCOME_DEBT_DISCOUNT + i] += own * (z - (y - y_end) * value)
        s[at.S_IDLE + i] += admin_y / s[at.S_COLLATERAL_PRICE + i]
        s[at.S_SUPPLY + i] -= admin_x
        s[at.S_NET_ISSUED + i] -= admin_x
        s[at.S_POOL_X + i] = pool_x
        s[at.S_POOL_Y + i] = pool_y
        s[at.S_D + i] = polish_D(pool_x, pool_y, ann, d)
        served = w[_W_ASIDE + i]
        selling = s[at.S_SELL_DEMAND + i]
        buying = s[at.S_BUY_DEMAND + i]
        sold = served if served > 0.0 else 0.0
        bought = -served * inverse_keep if served < 0.0 else 0.0
        left_selling = selling - sold
        left_buying = buying - bought
        short = left_selling if left_selling < left_buying else left_buying
        s[at.S_UNSOUND + i] += 1.0 if short < -TOO_MUCH * (w[_W_SIDE_X + i] + selling + buying) else 0.0
        # what rounding leaves of a demand that was met is met
        left_selling = left_selling if left_selling > 1e-12 * selling else 0.0
        left_buying = left_buying if left_buying > 1e-12 * buying else 0.0
        s[at.S_SELL_DEMAND + i] = left_selling
        s[at.S_BUY_DEMAND + i] = left_buying
        waits = s[at.S_BUY_QUEUE + i]
        s[at.S_BUY_QUEUE + i] = waits if waits < left_buying else left_buying


@stage
def count_low(s: Vector) -> None:
    """Who sold below a fair price was not served, as at the first pool alone."""
    for i in range(LANES):
        s[at.S_UNSERVED + i] += s[at.S_SOLD_LOW + i]


# -- after the trades --------------------------------------------------------------------------------------------------------------


@stage
def observe(s: Vector, _m: Vector, _p: Vector, c: Vector, a: Vector, _n: Vector, _q: Vector, _k: Vector) -> None:
    """Tells the oracle its price, by its depth; where the first pool has failed the price is that of the dearest pool which has not."""
    dust = DUST_USD * c[at.C_SIZE]
    for i in range(LANES):
        d = a[mine.S_D + i]
        ann = a[mine.S_ANN + i]
        price = marginal_price(a[mine.S_POOL_X + i], a[mine.S_POOL_Y + i], d, ann) * a[mine.S_BASE_VALUE + i]
        depth = curve_depth(d, ann) if d > dust else 0.0
        spot = s[at.S_PRICE + i]
        failed = (s[at.S_D + i] <= dust) & (d > dust) & (price > spot)
        spot = price if failed else spot
        s[at.S_PRICE + i] = spot
        s[at.S_QUOTED_DEPTH + i] += depth
        s[at.S_QUOTED_GAP + i] += depth * (price - spot)


@stage
def tally(s: Vector, _m: Vector, _p: Vector, c: Vector, a: Vector, _n: Vector, _q: Vector, _k: Vector) -> None:
    """Moves the totals by what the protocol and the others have in the pool, and by what the protocol would have at the floor."""
    ann = a[mine.S_ANN]  # the same in every lane
    scaled_floor, _ = scaled_x_at_price(c[at.C_EXTERNAL_FLOOR], ann)
    for i in range(LANES):
        x = a[mine.S_POOL_X + i]
        y = a[mine.S_POOL_Y + i]
        d = a[mine.S_D + i]
        own = a[mine.S_OWN + i]
        at_floor = scaled_floor * d
        falls = at_floor > x
        floor_x = own * (at_floor if falls else x)
        floor_y = own * (get_y(at_floor, d, ann) if falls else y)
        own_x = own * x
        own_value = own * y * a[mine.S_BASE_VALUE + i]
        outside_x = x - own_x
        s[at.S_OWN_OUTSIDE + i] += own_x - a[mine.S_OWN_X + i]
        s[at.S_POOLED + i] += own_value - a[mine.S_OWN_VALUE + i]
        s[at.S_POOLED_OUTSIDE + i] += outside_x - a[mine.S_OUTSIDE_X + i]
        s[at.S_OWN_AT_FLOOR + i] += floor_x - a[mine.S_FLOOR_X + i]
        s[at.S_OWN_COUNTED + i] += floor_x - a[mine.S_FLOOR_X + i]
        s[at.S_RECOVERABLE + i] += floor_y - a[mine.S_FLOOR_Y + i]
        gap = floor_y * (a[mine.S_BASE_VALUE + i] - 1.0)
        s[at.S_POOLED_GAP + i] += gap - a[mine.S_FLOOR_GAP + i]
        a[mine.S_OWN_X + i] = own_x
        a[mine.S_OWN_VALUE + i] = own_value
        a[mine.S_OUTSIDE_X + i] = outside_x
        a[mine.S_FLOOR_X + i] = floor_x
        a[mine.S_FLOOR_Y + i] = floor_y
        a[mine.S_FLOOR_GAP + i] = gap


@stage
def watch(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, _k: Vector) -> None:
    """Whether its figures can be."""
    for i in range(LANES):
        x = a[mine.S_POOL_X + i]
        y = a[mine.S_POOL_Y + i]
        own = a[mine.S_OWN + i]
        sound = (x > 0.0) & (y > 0.0) & (a[mine.S_D + i] > 0.0) & (own >= -1e-12) & (own <= 1.0 + 1e-12)
        s[at.S_UNSOUND + i] += 0.0 if sound else 1.0


def _start(state: ProtocolState, name: str) -> dict[str, float]:
    pool: FurtherPool = getattr(state.pools, name)
    return {
        "pool_x": pool.stablecoin.value,
        "pool_y": pool.opposite_value,
        "ann": 2.0 * pool.amplification.value,
        "lp_supply": 1.0,
        "lp_amo": state.own_of_further(name),
        "base_value": 1.0,
    }


def _constants(state: ProtocolState, name: str) -> dict[str, float]:
    pool: FurtherPool = getattr(state.pools, name)
    both = pool.stablecoin.value + pool.opposite_value
    depth = curve_depth(both, 2.0 * pool.amplification.value)
    return {
        "fee": pool.fee.value,
        "admin_fee": pool.admin_fee.value,
        "start_amplification": pool.amplification.value,
        "start_outside": (1.0 - state.own_of_further(name)) * both,
        "start_captured": depth / (depth + state.markets.volume_depth_usd.value),
        "future_amplification": pool.future_amplification.value,
        "ramp_left": pool.ramp_hours_left.value,
        "growth": exp_of(log1p_of(pool.opposite_rate.value) / HOURS_A_YEAR),
    }


def pool(name: str) -> Mechanism:
    """The further pool ``[pools.NAME]``."""
    return Mechanism(
        name=f"{name}-pool",
        title=f"{name.upper()} pool",
        of_table=f"pools.{name}",
        stages=Stages(
            own=mine,
            begin=begin,
            quote=quote,
            market_operations=market_operations,
            flight=flight,
            observe=observe,
            tally=tally,
            watch=watch,
        ),
        earns=0,
        turn=0,
        start=lambda state: _start(state, name),
        constants=lambda state: _constants(state, name),
        section=FurtherPool,
        reads=lambda state: pool_reads(state, f"pools.{name}", name, opposite="opposite", parameter=f"{name}-pool.amplification"),
        inputs={
            "price": "unit of account; price of the coin opposite, over what the pool counts it as",
            "volume": "unit of account an hour; two-way volume that looks for this pool",
        },
        parameters={
            "amplification": Parameter(
                f"{name}-pool.amplification",
                f"Amplification A of the {name.upper()} pool",
                "integer",
                1,
                999_999,
                "",
                10,
                rank=11,
                log=True,
            ),
        },
        series={"pool_x": f"{name}_pool_stablecoin", "pool_y": f"{name}_pool_opposite", "own": f"{name}_pool_own_share"},
    )


__all__ = ["ABREAST", "MOST_POOLS", "ROUNDS", "STEPS", "mine", "pool"]
