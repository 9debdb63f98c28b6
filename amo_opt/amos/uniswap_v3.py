"""The Uniswap v3 AMO: stablecoin and collateral in one range around a price of 1.

With liquidity L and r the square root of the price (collateral a stablecoin), inside [r_low, r_high] the range holds ``x = L (1/r - 1/r_high)``
stablecoin and ``y = L (r - r_low)`` collateral (Uniswap v3 whitepaper, 6.2); at r_low it is all stablecoin, at r_high all collateral.

Decollateralise: add liquidity up to `uniswap_cap`, minting the stablecoin that goes with the collateral. Market operations: fees on the
volume its depth wins while in range, and arbitrage with the Curve pool. Recollateralise: remove liquidity, burn the stablecoin first.
Worst case: all own stablecoin, no collateral.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from amo_opt.amos.mechanism import Book, Derived, Expectation, Flagged, Income, Mechanism, OwnStablecoin, Quote, Stages, UnderCap
from amo_opt.amos.minter import books, borrow_cap, borrow_room, mint_cap, mint_room
from amo_opt.amos.triggers import CAP_TOLERANCE, SMALLEST_OPERATION, SMALLEST_USD
from amo_opt.protocol import lanes as at
from amo_opt.protocol.active_lanes import W_ACTIVE, on_active
from amo_opt.protocol.collateral_ratio import contract_ratio
from amo_opt.protocol.holders import DUST_USD
from amo_opt.protocol.lanes import LANES, Own
from amo_opt.protocol.parameters import collateral_cap
from amo_opt.protocol.reads import Read, ReadFigure, tells
from amo_opt.protocol.state import AmoSection, Figure, ProtocolState, figure
from amo_opt.stableswap.depth_10bp import captured, curve_depth, quoting_depth
from amo_opt.stableswap.invariant import get_y, marginal_price, polish_D
from amo_opt.stableswap.jit import Vector, scalar, stage

HALF_RANGE = 0.5
"""Liquidity is added only in the middle part of the range, measured in root price: near an end it would be nearly all one coin."""
END_OF_RANGE = 1e-12
"""Distance of the root price from an end of the range at which it is there: whether the range is left must not hang on rounding."""
NEAR = 1e-9
"""Distance from a limit, as a share, within which the whole of `arbitrage_of` decides."""
MOST_OF_POOL = 0.5
"""Most of the Curve pool's stablecoin that arbitrage with Uniswap takes or brings in an hour."""

mine = Own(
    "uniswap",
    state=("liquidity", "root", "x", "y", "minted", "borrowed", "fees"),
    parameters=("cap",),
    constants=("low", "high", "span", "fee", "outside"),
)


@stage
def begin(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, k: Vector) -> None:
    """The range's price is the pool's, as far as it reaches; its balances follow."""
    low = k[mine.C_LOW]
    high = k[mine.C_HIGH]
    span = k[mine.C_SPAN]
    for i in range(LANES):
        root = math.sqrt(s[at.S_PRICE + i] / s[at.S_COLLATERAL_PRICE + i])
        root = root if root > low else low
        root = root if root < high else high
        liquidity = a[mine.S_LIQUIDITY + i]
        held_x = liquidity * (1.0 / root - 1.0 / high)
        held_y = liquidity * (root - low)
        full = liquidity * span
        a[mine.S_ROOT + i] = root
        a[mine.S_X + i] = held_x
        a[mine.S_Y + i] = held_y
        s[at.S_AT_WORK + i] += held_y
        s[at.S_OWN_OUTSIDE + i] += held_x
        s[at.S_OWN_AT_FLOOR + i] += full
        s[at.S_OWN_COUNTED + i] += full
        s[at.S_MINTED + i] += a[mine.S_MINTED + i]
        s[at.S_BORROWED + i] += a[mine.S_BORROWED + i]


@stage
def market_operations(s: Vector, m: Vector, _p: Vector, c: Vector, a: Vector, _n: Vector, _q: Vector, k: Vector) -> None:
    """Fees of the two-way volume that the AMO's part of the range wins from the other venues, half in each coin; own stablecoin among them is burned."""
    low = k[mine.C_LOW]
    high = k[mine.C_HIGH]
    outside_liquidity = k[mine.C_OUTSIDE]
    fee = k[mine.C_FEE]
    half_depth = c[at.C_VOLUME_DEPTH_USD]
    least = 1e-9 * c[at.C_SIZE]
    ann = s[at.S_ANN]  # the same in every lane
    for i in range(LANES):
        liquidity = a[mine.S_LIQUIDITY + i]
        root = a[mine.S_ROOT + i]
        supply = s[at.S_SUPPLY + i]
        depth = quoting_depth(liquidity + outside_liquidity, root, low, high)
        won = captured(depth, half_depth + curve_depth(s[at.S_D + i], ann))
        share = liquidity / (liquidity + outside_liquidity + least)
        fees_each = 0.5 * fee * m[at.M_SWAP_VOLUME + i] * won * share
        most = 0.001 * (supply - s[at.S_POOL_X + i] - s[at.S_OWN_OUTSIDE + i] - s[at.S_POOLED_OUTSIDE + i])
        most = most if most > 0.0 else 0.0
        fees_each = fees_each if fees_each < most else most
        a[mine.S_FEES + i] += 2.0 * fees_each
        s[at.S_IDLE + i] += fees_each / s[at.S_COLLATERAL_PRICE + i]
        s[at.S_SUPPLY + i] = supply - fees_each
        s[at.S_NET_ISSUED + i] -= fees_each


@stage
def quote(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, k: Vector) -> None:
    """The depth that the range, others' in it too, has for the hour's two-way volume."""
    low = k[mine.C_LOW]
    high = k[mine.C_HIGH]
    outside_liquidity = k[mine.C_OUTSIDE]
    for i in range(LANES):
        s[at.S_DEPTH_ELSEWHERE + i] += quoting_depth(a[mine.S_LIQUIDITY + i] + outside_liquidity, a[mine.S_ROOT + i], low, high)


@stage
def observe(s: Vector, _m: Vector, _p: Vector, c: Vector, a: Vector, _n: Vector, _q: Vector, k: Vector) -> None:
    """What the oracle sees of the range: its depth and price. Where the AMO has no liquidity in it, its price is Curve's: others' arbitrage keeps it there."""
    low = k[mine.C_LOW]
    high = k[mine.C_HIGH]
    range_outside = k[mine.C_OUTSIDE]
    size = c[at.C_SIZE]
    dust = DUST_USD * size
    for i in range(LANES):
        root = a[mine.S_ROOT + i]
        spot = s[at.S_PRICE + i]
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        liquidity = a[mine.S_LIQUIDITY + i]
        held = liquidity > size
        follows = math.sqrt(spot / collateral_price)
        follows = follows if follows > low else low
        follows = follows if follows < high else high
        a[mine.S_ROOT + i] = root if held else follows
        there = root * root * collateral_price
        depth = quoting_depth(liquidity + range_outside, root, low, high)
        depth = depth if (held & (s[at.S_D + i] > dust)) else 0.0
        s[at.S_QUOTED_DEPTH + i] += depth
        s[at.S_QUOTED_GAP + i] += (there - spot) * depth


@scalar
def root_after(root: float, liquidity: float, stablecoin_in: float) -> float:
    """Root price after so much stablecoin went in (negative: came out): ``1/r' = 1/r + dx / L``."""
    return root * liquidity / (liquidity + stablecoin_in * root)


@stage
def arbitrage_of(s: Vector, _m: Vector, _p: Vector, c: Vector, a: Vector, _n: Vector, _q: Vector, k: Vector, lanes: int) -> None:
    """Moves stablecoin between the Curve pool and the range until neither direction pays, both fees included, in the first ``lanes`` lanes.

    Where buying on Curve and selling to the range pays, z > 0 leaves the pool; where the reverse pays, z < 0. The price gap is met by one Newton step
    with both curves' slopes and one secant step, then bounded by what each side has: what gap is left is next hour's.
    Curve's slope along its invariant is ``dp/dx = -2 k (1/x² - p/(xy) + p²/y²) / (Ann + k/y)``, ``k = D³/(4xy)``.
    """
    low = k[mine.C_LOW]
    high = k[mine.C_HIGH]
    inverse_low = 1.0 / low
    inverse_high = 1.0 / high
    fee = c[at.C_FEE]
    range_fee = k[mine.C_FEE]
    admin = c[at.C_ADMIN_FEE]
    admin_to_protocol = admin * c[at.C_PROTOCOL_ADMIN_SHARE]
    kept = (1.0 - fee) * (1.0 - range_fee)
    inverse_kept = 1.0 / kept
    fee_on_top = range_fee / (1.0 - range_fee)
    size = c[at.C_SIZE]
    lowest = low * (1.0 + END_OF_RANGE)
    highest = high * (1.0 - END_OF_RANGE)
    for i in range(lanes):
        x = s[at.S_POOL_X + i]
        y = s[at.S_POOL_Y + i]
        d = s[at.S_D + i]
        ann = s[at.S_ANN + i]
        own = s[at.S_OWN + i]
        base_value = s[at.S_BASE_VALUE + i]
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        liquidity = a[mine.S_LIQUIDITY + i]
        root = a[mine.S_ROOT + i]
        rate = base_value / collateral_price
        price = marginal_price(x, y, d, ann)
        curve_price = price * rate
        held = liquidity > size
        range_price = root * root
        to_range = curve_price < kept * range_price
        to_curve = curve_price * kept > range_price
        factor = kept if to_range else inverse_kept
        absorbed = kept if to_range else 1.0
        gap = factor * range_price - curve_price
        gap = gap if (held & (to_range | to_curve)) else 0.0
        inverse_root = 1.0 / root
        room_in = liquidity * (inverse_low - inverse_root)
        room_in = (room_in if room_in > 0.0 else 0.0) / kept
        room_out = liquidity * (inverse_root - inverse_high)
        room_out = room_out if room_out > 0.0 else 0.0
        most = MOST_OF_POOL * x
        upper = room_in if room_in < most else most
        upper = upper if to_range else 0.0
        lower = room_out if room_out < most else most
        lower = -lower if to_curve else 0.0

        curvature = 0.25 * d * d * d / (x * y)
        inverse_x = 1.0 / x
        inverse_y = 1.0 / y
        along = price * inverse_y
        slope = 2.0 * curvature * (inverse_x * inverse_x - inverse_x * along + along * along) / (ann + curvature * inverse_y)
        z_1 = gap * liquidity / (2.0 * factor * range_price * root * absorbed + rate * slope * liquidity)
        z_1 = z_1 if z_1 < upper else upper
        z_1 = z_1 if z_1 > lower else lower
        y_1 = get_y(x - z_1, d, ann)
        root_1 = root_after(root, liquidity if held else 1.0, z_1 * absorbed)
        gap_1 = factor * root_1 * root_1 - marginal_price(x - z_1, y_1, d, ann) * rate
        closed = gap - gap_1
        closes = abs(closed) > 0.05 * abs(gap)
        z = z_1 * gap / (closed if closes else 1.0) if closes else z_1
        z = z if z < upper else upper
        z = z if z > lower else lower
        x_2 = x - z
        y_2 = get_y(x_2, d, ann)
        out_of_curve = z if z > 0.0 else 0.0
        into_curve = -z if z < 0.0 else 0.0

        # the Curve pool books: the fee is taken from what comes out
        fee_x = fee * out_of_curve
        # rounding must not turn a fee of next to nothing negative: there may be no idle collateral to take it from
        fee_y = fee * (y - y_2 if ((into_curve > 0.0) & (y > y_2)) else 0.0)
        pool_x = x_2 + (1.0 - admin) * fee_x
        pool_y = y_2 + (1.0 - admin) * fee_y
        admin_x = admin_to_protocol * fee_x
        admin_y = admin_to_protocol * fee_y * base_value
        # the range books: the fee is taken from what comes in and kept beside the position
        arrived = out_of_curve * (1.0 - fee)
        fee_in = range_fee * arrived
        moved_x = arrived - fee_in - into_curve
        root_2 = root_after(root, liquidity if held else 1.0, moved_x)
        root_2 = root_2 if root_2 > lowest else low
        root_2 = root_2 if root_2 < highest else high
        moved_y = liquidity * (root_2 - root)
        fee_collateral = fee_on_top * (moved_y if ((into_curve > 0.0) & (moved_y > 0.0)) else 0.0)

        s[at.S_INCOME_SWAP_FEES + i] += own * (1.0 - admin) * (fee_x + fee_y * base_value) + admin_x + admin_y
        a[mine.S_FEES + i] += fee_in + fee_collateral * collateral_price
        s[at.S_INCOME_DEBT_DISCOUNT + i] += own * ((x_2 - x) + (y_2 - y) * base_value) + moved_x + moved_y * collateral_price
        s[at.S_SUPPLY + i] -= fee_in + admin_x
        s[at.S_NET_ISSUED + i] -= fee_in + admin_x
        s[at.S_IDLE + i] += fee_collateral + admin_y / collateral_price
        s[at.S_POOL_X + i] = pool_x
        s[at.S_POOL_Y + i] = pool_y
        s[at.S_D + i] = polish_D(pool_x, pool_y, ann, d)
        a[mine.S_ROOT + i] = root_2
        was_x = a[mine.S_X + i]
        was_y = a[mine.S_Y + i]
        held_x = was_x + moved_x
        held_y = was_y + moved_y
        held_x = held_x if held_x > 0.0 else 0.0
        held_y = held_y if held_y > 0.0 else 0.0
        a[mine.S_X + i] = held_x
        a[mine.S_Y + i] = held_y
        s[at.S_OWN_OUTSIDE + i] += held_x - was_x
        s[at.S_AT_WORK + i] += held_y - was_y


arbitrage_active = on_active(
    arbitrage_of,
    writes=(
        at.S_INCOME_SWAP_FEES,
        at.S_INCOME_DEBT_DISCOUNT,
        at.S_SUPPLY,
        at.S_NET_ISSUED,
        at.S_IDLE,
        at.S_POOL_X,
        at.S_POOL_Y,
        at.S_D,
        at.S_OWN_OUTSIDE,
        at.S_AT_WORK,
    ),
    reads=(at.S_ANN, at.S_OWN, at.S_BASE_VALUE, at.S_COLLATERAL_PRICE),
    own_writes=(mine.S_FEES, mine.S_ROOT, mine.S_X, mine.S_Y),
    own_reads=(mine.S_LIQUIDITY,),
)


@stage
def flag_arbitrage(s: Vector, _m: Vector, _p: Vector, c: Vector, a: Vector, _n: Vector, _q: Vector, k: Vector, w: Vector) -> None:
    """Flags the lanes where the venues' prices are further apart than both fees; in the others nothing moves."""
    kept = (1.0 - c[at.C_FEE]) * (1.0 - k[mine.C_FEE])
    ann = s[at.S_ANN]
    for i in range(LANES):
        root = a[mine.S_ROOT + i]
        price = marginal_price(s[at.S_POOL_X + i], s[at.S_POOL_Y + i], s[at.S_D + i], ann) * s[at.S_BASE_VALUE + i]
        there = root * root * s[at.S_COLLATERAL_PRICE + i]
        apart = (price < kept * (1.0 + NEAR) * there) | (price * kept * (1.0 + NEAR) > there)
        w[W_ACTIVE + i] = 1.0 if (apart & (a[mine.S_LIQUIDITY + i] > 0.0)) else 0.0


@stage
def operate_of(s: Vector, m: Vector, p: Vector, c: Vector, a: Vector, _n: Vector, q: Vector, k: Vector, lanes: int) -> None:
    """Adds liquidity in the middle of the range, or removes it and burns its stablecoin, in the first ``lanes`` lanes; one operation an hour, gas paid
    from idle collateral.
    """
    low = k[mine.C_LOW]
    high = k[mine.C_HIGH]
    inverse_high = 1.0 / high
    lowest = 1.0 - HALF_RANGE * (1.0 - low)
    highest = 1.0 + HALF_RANGE * (high - 1.0)
    deploy_rate = c[at.C_DEPLOY_RATE]
    delay = c[at.C_RESPONSE_DELAY]
    cap = q[mine.P_CAP]
    buffer = p[at.P_IDLE_BUFFER]
    unwind_rate = p[at.P_UNWIND_RATE]
    min_cr = p[at.P_MIN_CR]
    all_borrow = borrow_cap(p, c)
    all_mint = mint_cap(p, c)
    span = k[mine.C_SPAN]
    size = c[at.C_SIZE]
    least = SMALLEST_USD * size
    for i in range(lanes):
        liquidity = a[mine.S_LIQUIDITY + i]
        root = a[mine.S_ROOT + i]
        held_x = a[mine.S_X + i]
        held_y = a[mine.S_Y + i]
        idle = s[at.S_IDLE + i]
        supply = s[at.S_SUPPLY + i]
        at_work = s[at.S_AT_WORK + i]
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        inverse_price = 1.0 / collateral_price
        own = s[at.S_OWN + i]
        own_tokens = own * s[at.S_POOL_Y + i] * s[at.S_BASE_VALUE + i] * inverse_price
        before = s[at.S_CR_CONTRACT + i]
        total = idle + at_work + own_tokens
        smallest = SMALLEST_OPERATION * total
        pace = deploy_rate * total
        unwinding = s[at.S_UNWINDING + i] > 0.5
        acting = unwinding & (s[at.S_UNWINDING_HOURS + i] > delay)

        # decollateralise
        in_middle = (root > lowest) & (root < highest)
        per_liquidity_y = root - low
        per_liquidity_y = per_liquidity_y if in_middle else 1.0
        beside = (1.0 / root - inverse_high) / per_liquidity_y
        beside = beside if in_middle else 1.0
        gap = cap * total - held_y
        spare = idle - buffer * total
        gap = gap if gap < spare else spare
        borrowing = borrow_room(all_borrow, s[at.S_BORROWED + i])
        gap = gap if gap < borrowing else borrowing
        minting = mint_room(all_mint, s[at.S_MINTED + i]) / beside
        gap = gap if gap < minting else minting
        brought = gap if gap < pace else pace
        brought = brought if ((gap > smallest) & (gap > least) & in_middle & (not unwinding) & (before >= min_cr)) else 0.0

        # recollateralise
        over = held_y - cap * total
        over = over if over > CAP_TOLERANCE * total else 0.0
        over = over if over < pace else pace
        share = over / (held_y + size)
        share = unwind_rate if (acting & (unwind_rate > share)) else share
        share = share if share * (held_x + held_y) > least else 0.0

        change_y = brought - share * held_y
        change_x = brought * beside - share * held_x
        change_liquidity = brought / per_liquidity_y - share * liquidity
        acts = (brought > 0.0) | (share > 0.0)
        cash = idle - change_y
        gas = m[at.M_GAS_USD + i] * inverse_price
        gas = gas if gas < cash else cash
        gas = gas if acts else 0.0
        liquidity_2 = liquidity + change_liquidity
        full = change_liquidity * span
        after = contract_ratio(
            s[at.S_POOL_X + i],
            s[at.S_POOL_Y + i],
            s[at.S_D + i],
            s[at.S_ANN + i],
            own,
            supply + change_x,
            cash - gas + s[at.S_RECOVERABLE + i],
            s[at.S_COLLATERAL_RATIO + i],
            s[at.S_SCALED_CR + i],
            s[at.S_OWN_COUNTED + i] + full,
            s[at.S_OWN_AT_FLOOR + i] + full,
        )
        done = acts & ((brought <= 0.0) | (after >= min_cr))
        change_x = change_x if done else 0.0
        change_y = change_y if done else 0.0
        gas = gas if done else 0.0
        a[mine.S_LIQUIDITY + i] = liquidity_2 if done else liquidity
        a[mine.S_X + i] = held_x + change_x
        a[mine.S_Y + i] = held_y + change_y
        s[at.S_SUPPLY + i] = supply + change_x
        s[at.S_IDLE + i] = idle - change_y - gas
        a[mine.S_MINTED + i] += change_x
        a[mine.S_BORROWED + i] += change_y
        full = full if done else 0.0
        s[at.S_AT_WORK + i] = at_work + change_y
        s[at.S_OWN_OUTSIDE + i] += change_x
        s[at.S_OWN_AT_FLOOR + i] += full
        s[at.S_OWN_COUNTED + i] += full
        s[at.S_MINTED + i] += change_x
        s[at.S_BORROWED + i] += change_y
        s[at.S_CR_CONTRACT + i] = after if done else before
        s[at.S_INCOME_MARKET_OPERATIONS + i] -= gas * collateral_price


operate_active = on_active(
    operate_of,
    writes=(
        at.S_SUPPLY,
        at.S_IDLE,
        at.S_AT_WORK,
        at.S_OWN_OUTSIDE,
        at.S_OWN_AT_FLOOR,
        at.S_OWN_COUNTED,
        at.S_MINTED,
        at.S_BORROWED,
        at.S_CR_CONTRACT,
        at.S_INCOME_MARKET_OPERATIONS,
    ),
    reads=(
        at.S_COLLATERAL_PRICE,
        at.S_OWN,
        at.S_POOL_Y,
        at.S_BASE_VALUE,
        at.S_UNWINDING,
        at.S_UNWINDING_HOURS,
        at.S_POOL_X,
        at.S_D,
        at.S_ANN,
        at.S_RECOVERABLE,
        at.S_COLLATERAL_RATIO,
        at.S_SCALED_CR,
    ),
    market=(at.M_GAS_USD,),
    own_writes=(mine.S_LIQUIDITY, mine.S_X, mine.S_Y, mine.S_MINTED, mine.S_BORROWED),
    own_reads=(mine.S_ROOT,),
)


@stage
def flag_operations(s: Vector, _m: Vector, p: Vector, c: Vector, a: Vector, _n: Vector, q: Vector, k: Vector, w: Vector) -> None:
    """Flags the lanes whose hour may ask for a change of liquidity (some that then do not); in the others nothing moves."""
    low = k[mine.C_LOW]
    lowest = 1.0 - HALF_RANGE * (1.0 - low)
    highest = 1.0 + HALF_RANGE * (k[mine.C_HIGH] - 1.0)
    delay = c[at.C_RESPONSE_DELAY]
    cap = q[mine.P_CAP]
    buffer = p[at.P_IDLE_BUFFER]
    min_cr = p[at.P_MIN_CR]
    all_borrow = borrow_cap(p, c)
    all_mint = mint_cap(p, c)
    for i in range(LANES):
        root = a[mine.S_ROOT + i]
        held_x = a[mine.S_X + i]
        held_y = a[mine.S_Y + i]
        idle = s[at.S_IDLE + i]
        own = s[at.S_OWN + i]
        own_tokens = own * s[at.S_POOL_Y + i] * s[at.S_BASE_VALUE + i] / s[at.S_COLLATERAL_PRICE + i]
        total = idle + s[at.S_AT_WORK + i] + own_tokens
        unwinding = s[at.S_UNWINDING + i] > 0.5
        gap = cap * total - held_y
        spare = idle - buffer * total
        gap = gap if gap < spare else spare
        room = borrow_room(all_borrow, s[at.S_BORROWED + i])
        gap = gap if gap < room else room
        minting = mint_room(all_mint, s[at.S_MINTED + i])
        in_middle = (root > lowest) & (root < highest)
        adds = (
            (gap > 0.999 * SMALLEST_OPERATION * total) & (minting > 0.0) & in_middle & (not unwinding) & (s[at.S_CR_CONTRACT + i] >= min_cr)
        )
        over = held_y > (cap + 0.999 * CAP_TOLERANCE) * total
        acting = unwinding & (s[at.S_UNWINDING_HOURS + i] > delay) & (held_x + held_y > 0.0)
        w[W_ACTIVE + i] = 1.0 if (adds | over | acting) else 0.0


@stage
def watch(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, q: Vector, _k: Vector) -> None:
    """Whether the range holds more collateral than its cap allows, and what it holds can be at all."""
    cap = q[mine.P_CAP] + CAP_TOLERANCE
    for i in range(LANES):
        held_y = a[mine.S_Y + i]
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        total = (s[at.S_IDLE + i] + s[at.S_AT_WORK + i]) * collateral_price + s[at.S_OWN + i] * s[at.S_POOL_Y + i] * s[at.S_BASE_VALUE + i]
        s[at.S_OVER_CAPS + i] += 1.0 if held_y * collateral_price > cap * total else 0.0
        s[at.S_UNSOUND + i] += 0.0 if ((held_y >= 0.0) & (a[mine.S_X + i] >= 0.0)) else 1.0


STAGES = Stages(
    own=mine,
    begin=begin,
    market_operations=market_operations,
    arbitrage=Flagged(flag=flag_arbitrage, full=arbitrage_active),
    quote=quote,
    observe=observe,
    operate=Flagged(flag=flag_operations, full=operate_active),
    watch=watch,
    cap=mine.P_CAP,
    held=mine.S_LIQUIDITY,
)


def _ends(state: ProtocolState) -> tuple[float, float]:
    """Square roots of the prices at the ends of the range."""
    width = state.amos.uniswap.half_width.value
    return math.sqrt(1.0 - width), math.sqrt(1.0 + width)


def _start(state: ProtocolState) -> dict[str, float]:
    section = state.amos.uniswap
    liquidity = section.liquidity.value / (1.0 - _ends(state)[0])
    return {"liquidity": liquidity, "minted": section.minted.value, "borrowed": section.borrowed.value}


def _constants(state: ProtocolState) -> dict[str, float]:
    low, high = _ends(state)
    section = state.amos.uniswap
    return {
        "low": low,
        "high": high,
        "span": 1.0 / low - 1.0 / high,
        "fee": section.fee.value,
        "outside": section.outside.value / (1.0 - low),
    }


@dataclass(frozen=True, kw_only=True)
class UniswapAmo(AmoSection):
    """``[amos.uniswap]``: a range of half-width w around 1, in collateral a stablecoin."""

    liquidity: Figure = figure(0.0, 1e13, "tokens", "collateral the AMO's range would hold at a price of 1 (and as much stablecoin)")
    half_width: Figure = figure(1e-4, 0.5, "", "half-width of the range around 1", off=0.005)
    fee: Figure = figure(0.0, 0.05, "", "swap fee of the pool")
    outside: Figure = figure(0.0, 1e13, "tokens", "collateral that others' ranges hold beside it at a price of 1")
    minted: Figure = figure(-1e13, 1e13, "tokens", "stablecoin minted to the AMO less burned (minter's book)")
    borrowed: Figure = figure(-1e13, 1e13, "tokens", "collateral lent to the AMO less returned (minter's book)")

    def collateral(self, _state: ProtocolState) -> float:
        """What the range holds at a price of 1."""
        return self.liquidity.value

    def stablecoin(self) -> float:
        """What the range holds at a price of 1."""
        return self.liquidity.value

    def most_stablecoin(self) -> float:
        """What the range holds where the price is below it: about twice what it holds at 1."""
        held, width = self.liquidity.value, self.half_width.value
        if not 0.0 < width < 1.0:
            return held
        low, high = math.sqrt(1.0 - width), math.sqrt(1.0 + width)
        return held / (1.0 - low) * (1.0 / low - 1.0 / high)


def _reads(state: ProtocolState) -> tuple[Read | ReadFigure, ...]:
    """The minter's books, and the pool's fee in millionths (Uniswap/v3-core contracts/UniswapV3Pool.sol @6562c52e)."""
    fee = Read(contract="uniswap_pool", signature="fee()", outputs=("uint24",), decimals=6, meaning="swap fee of the pool")
    return (*books(state, "uniswap"), tells("amos.uniswap.fee", fee))


MECHANISM = Mechanism(
    name="uniswap",
    title="Uniswap v3 AMO",
    stages=STAGES,
    earns=5,
    turn=2,
    section=UniswapAmo,
    reads=_reads,
    start=_start,
    constants=_constants,
    parameters={
        "cap": collateral_cap("uniswap_cap", "Most collateral in the Uniswap v3 AMO, share of all collateral", rank=60, mints=True)
    },
    out={"cap": UnderCap(used=lambda state: state.amos.uniswap.liquidity.value, use="held in the range")},
    income={"fees": Income(name="uniswap_fees", label="Uniswap v3 fees", rank=50)},
    series={"y": "uniswap_collateral", "x": "uniswap_stablecoin"},
    derived={
        "uniswap_price": Derived(
            of=("uniswap.root", "collateral_price"), formula=lambda raw: raw["uniswap.root"] ** 2 * raw["collateral_price"]
        ),
    },
    collateral_series="uniswap_collateral",
    quote=Quote(price="uniswap_price", held=("uniswap_collateral", "uniswap_stablecoin")),
    expectations=(Expectation(parameter="cap", metric="yield", sign=+1, reason="liquidity earns fees"),),
    books=(Book(position="liquidity", book="minted"), Book(position="liquidity", book="borrowed")),
    stablecoin=OwnStablecoin(figure="liquidity", owner="Uniswap", form="range"),
)
