"""The hour's trades: holders at the pool, the issuer's doors, and the arbitrage between them.

In words. Buyers take stablecoin from the pool, at most a stated share of it an hour, up to the most they pay; the others wait. Sellers sell into the pool down to exit value
less 50 bp, then, in need, down to their reservation
price: what backs the stablecoin, plus what the share token's capitalisation covers of the rest, less a haircut. Redeeming opens when the oracle is below its threshold, the gate is open
and collateral is idle; it pays the collateral ratio in collateral (at par, or at the oracle's value) and the rest in newly minted
share tokens, less the fee and what waiting to collect costs. Share tokens are worth what all redeemers of the hour get for theirs together; the depth of their market
shrinks with their market value (reflexivity). Within the hour the oracle moves with the pool, so redeeming holds the pool at the price that opens it or at what
redeeming pays, whichever is lower: sellers stop there and redeem, arbitrageurs buy the pool up to it and redeem, until idle
collateral ends. Minting is the mirror above its threshold, shut at the pools' ceiling. What was redeemed is set apart at once and collected after the delay.

`unserved` is demand to leave at exit value less 50 bp that neither door paid this hour.
"""

from __future__ import annotations

from amo_opt.protocol import lanes as at
from amo_opt.protocol.active_lanes import W_ACTIVE, on_active
from amo_opt.protocol.holders import DUST_USD, exit_value_of
from amo_opt.protocol.lanes import LANES
from amo_opt.protocol.share_token import NO_SHARES
from amo_opt.stableswap.invariant import get_y, marginal_price, polish_D, scaled_x_at_price
from amo_opt.stableswap.jit import Vector, scalar, stage

FAIR_DISCOUNT = 0.005
"""Discount to exit value at which a leaver still counts as served."""
PATIENCE = 1.0 - 1.0 / 24.0
"""Share of the buyers still waiting after an hour: they give up within about a day."""
LEAST_REDEMPTION = 1e-4
"""Redemptions of an hour, as a share of supply, by which the share-token leg is valued at least: a door's price is not that of its first dollar."""
LEAST_LEG = 0.01
"""Worth of the share-token leg below which it is not what arbitrage lives on: the collateral alone pays."""
NEAR = 1e-9
"""Distance from a limit, as a share, within which the whole of `trade_of` decides."""
LOWEST_PRICE = 0.01
"""No price target lies below this: at zero the inversion divides by zero."""


@scalar
def redeemed_ratio(target: float) -> float:
    """What of a unit is paid and asked in collateral: the target ratio, at most all of it."""
    return target if target < 1.0 else 1.0


@stage
def trade_of(s: Vector, m: Vector, p: Vector, c: Vector, lanes: int) -> None:
    """Sellers, buyers, redeemers, minters and arbitrageurs of the hour in the first ``lanes`` lanes; then the pool's price."""
    fee = c[at.C_FEE]
    admin = c[at.C_ADMIN_FEE]
    admin_to_protocol = admin * c[at.C_PROTOCOL_ADMIN_SHARE]
    redemption_fee = c[at.C_REDEMPTION_FEE]
    minting_fee = c[at.C_MINTING_FEE]
    hour_limit = c[at.C_HOUR_LIMIT]
    premium = c[at.C_BUYER_PREMIUM]
    keep = 1.0 - c[at.C_SELLER_HAIRCUT]
    weight = c[at.C_ORACLE_WEIGHT]
    inverse_weight = 1.0 / weight
    after_fee = 1.0 / (1.0 - fee)
    after_minting = 1.0 / (1.0 - minting_fee)
    at_par = c[at.C_PAR_VALUATION] > 0.5
    depth_ratio = c[at.C_SHARE_DEPTH_RATIO]
    claim_keep = c[at.C_CLAIM_KEEP]
    breaks_even = 1.0 / ((1.0 - fee) * (1.0 - redemption_fee) * (claim_keep if claim_keep > 1e-9 else 1e-9))
    release = c[at.C_CLAIM_RELEASE]
    ceiling_tokens = c[at.C_MINT_CEILING]
    size = c[at.C_SIZE]
    dust = DUST_USD * size
    redeem_threshold = p[at.P_REDEEM_PRICE_THRESHOLD]
    mint_threshold = p[at.P_MINT_PRICE_THRESHOLD]
    for i in range(lanes):
        x = s[at.S_POOL_X + i]
        y = s[at.S_POOL_Y + i]
        d = s[at.S_D + i]
        ann = s[at.S_ANN + i]
        own = s[at.S_OWN + i]
        supply = s[at.S_SUPPLY + i]
        idle = s[at.S_IDLE + i]
        cr = redeemed_ratio(s[at.S_COLLATERAL_RATIO + i])
        base_value = s[at.S_BASE_VALUE + i]
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        oracle = s[at.S_ORACLE + i]
        share_price = s[at.S_SHARE_PRICE + i]
        share_supply = s[at.S_SHARE_SUPPLY + i]
        backing_value = s[at.S_BACKING_VALUE + i]
        selling = s[at.S_SELL_DEMAND + i]
        buying = s[at.S_BUY_DEMAND + i]
        gate = m[at.M_GATE + i] > 0.5
        exit_value = exit_value_of(collateral_price, base_value)

        inverse_collateral = 1.0 / collateral_price
        inverse_base = 1.0 / base_value

        # buyers up to what they pay at most, or sellers at a fair price: who is left of the hour is on one side only
        fair = exit_value - FAIR_DISCOUNT
        fair = fair if selling > 0.0 else backing_value + premium
        fair = (fair if fair > LOWEST_PRICE else LOWEST_PRICE) * inverse_base
        at_fair, missed_fair = scaled_x_at_price(fair, ann)
        bought = x - at_fair * d
        bought = bought if bought < hour_limit * x else hour_limit * x
        bought = bought if bought < buying else buying
        bought = bought if bought > 0.0 else 0.0
        x_1 = x - bought
        y_1 = get_y(x_1, d, ann)
        most = hour_limit * y_1
        most = most if most < selling else selling
        sold_fair = at_fair * d - x_1
        sold_fair = sold_fair if sold_fair > 0.0 else 0.0
        sold_fair = sold_fair if sold_fair < most else most
        x_2 = x_1 + sold_fair

        # what the doors pay and ask, dollars a unit
        tokens = 1.0 if at_par else inverse_collateral
        leg_value = collateral_price if at_par else 1.0
        redeem_tokens = cr * tokens * (1.0 - redemption_fee)
        capacity = idle / (redeem_tokens if redeem_tokens > 1e-9 else 1e-9)
        share_depth = depth_ratio * share_price * share_supply + size
        left_waiting = selling - sold_fair
        least = LEAST_REDEMPTION * supply
        at_once = left_waiting if left_waiting > least else least
        at_once = at_once if at_once < capacity else capacity
        share_leg = share_depth / (share_depth + (1.0 - cr) * at_once)
        redeem_pays = (cr * leg_value + (1.0 - cr) * share_leg) * (1.0 - redemption_fee) * claim_keep
        mint_tokens = cr * tokens
        mint_asks = (cr * leg_value + 1.0 - cr) * after_minting
        price_opens = (redeem_threshold - (1.0 - weight) * oracle) * inverse_weight
        price_opens = price_opens if price_opens < 2.0 else 2.0
        door = redeem_pays * (1.0 - fee)
        door = door if door < price_opens else price_opens
        is_open = gate & (capacity > size) & (door > LOWEST_PRICE)
        capacity = capacity if is_open else 0.0
        reservation = backing_value * keep
        reservation = reservation if reservation > LOWEST_PRICE else LOWEST_PRICE

        # then to the price at which the issuer's doors hold the pool: the minters' above, the redeemers' below
        mint_opens = (mint_threshold - (1.0 - weight) * oracle) * inverse_weight
        ceiling = mint_asks * after_fee
        ceiling = (ceiling if ceiling > mint_opens else mint_opens) * inverse_base
        minting = gate & (marginal_price(x_1, y_1, d, ann) > ceiling) & (selling <= 0.0)
        door_holds = is_open & (door >= reservation)
        target = ceiling if minting else (door if door > LOWEST_PRICE else LOWEST_PRICE) * inverse_base
        at_target, missed_target = scaled_x_at_price(target, ann)
        room = at_target * d - x_2
        up = room if room > 0.0 else 0.0
        down = -room if room < 0.0 else 0.0
        minted = up if minting else 0.0
        minted = minted if minted < hour_limit * y_1 else hour_limit * y_1
        room_tokens = ceiling_tokens - (idle - s[at.S_BESIDE + i])
        room_tokens = room_tokens if room_tokens > 0.0 else 0.0
        allowed = room_tokens * (1.0 - minting_fee) / (mint_tokens if mint_tokens > 1e-9 else 1e-9)
        minted = minted if minted < allowed else allowed
        shares = share_depth * (1.0 - minting_fee) / (1.0 - cr if cr < 1.0 else 1e-9)
        minted = minted if minted < shares else shares
        left = most - sold_fair
        sold_door = up if up < left else left
        sold_door = sold_door if (door_holds & (not minting)) else 0.0
        arbitrage = down if down < 0.9 * x_2 else 0.9 * x_2
        arbitrage = arbitrage * (1.0 - fee) if arbitrage * (1.0 - fee) < capacity else capacity
        # arbitrageurs sell their share tokens beside the sellers': they redeem no more than still pays the pool's price of before
        price_2 = marginal_price(x_2, get_y(x_2, d, ann), d, ann) * base_value
        algorithmic = 1.0 - cr if cr < 1.0 else 1e-9
        needed = (price_2 * breaks_even - cr * leg_value) / algorithmic
        bounded = needed > LEAST_LEG
        most_units = share_depth * (1.0 / (needed if bounded else 1.0) - 1.0) / algorithmic - left_waiting
        most_units = most_units if most_units > 0.0 else 0.0
        most_units = most_units if bounded else capacity
        arbitrage = arbitrage if arbitrage < most_units else most_units
        arbitrage = arbitrage if (door_holds & (not minting)) else 0.0
        taken = arbitrage * after_fee
        x_3 = x_2 + sold_door + minted - taken
        y_3 = get_y(x_3, d, ann)

        # what holders could not sell they redeem, if redeeming is open at the price reached and pays no less than the pool
        price_3 = marginal_price(x_3, y_3, d, ann) * base_value
        waiting = selling - sold_fair - sold_door
        rest = capacity - arbitrage
        pays = (price_3 <= price_opens * (1.0 + 1e-9)) & (redeem_pays * (1.0 + 1e-9) >= price_3 * (1.0 - fee))
        redeems = is_open & (pays | (d <= dust)) & (redeem_pays >= reservation)
        redeemed = waiting if waiting < rest else rest
        redeemed = redeemed if redeems else 0.0
        waiting = waiting - redeemed

        # whom no door paid sells on, down to the reservation price: an issuer with a dollar of idle collateral holds no price
        at_last, missed_last = scaled_x_at_price(reservation * inverse_base, ann)
        deeper = at_last * d - x_3
        deeper = deeper if deeper > 0.0 else 0.0
        left = left - sold_door
        left = left if left < waiting else waiting
        sold_low = deeper if deeper < left else left
        waiting = waiting - sold_low
        x_end = x_3 + sold_low
        y_end = get_y(x_end, d, ann)
        fair_door = redeemed if redeem_pays >= exit_value - FAIR_DISCOUNT else 0.0
        s[at.S_UNSERVED + i] = selling - sold_fair - fair_door
        s[at.S_QUEUE + i] = waiting

        # the pool books: the fee is taken from what comes out, half of it leaves to the administrator
        net_sold = x_end - x_1
        fee_x = fee * (bought + (-net_sold if net_sold < 0.0 else 0.0))
        fee_y = fee * (y_1 - y_end if net_sold > 0.0 else 0.0)
        pool_x = x_end + (1.0 - admin) * fee_x
        pool_y = y_end + (1.0 - admin) * fee_y
        admin_x = admin_to_protocol * fee_x
        admin_y = admin_to_protocol * fee_y * base_value
        s[at.S_INCOME_SWAP_FEES + i] += own * (1.0 - admin) * (fee_x + fee_y * base_value) + admin_x + admin_y
        discount = own * ((x_end - x) - (y - y_end) * base_value)

        # the issuer books
        units = arbitrage + redeemed
        leg_out = redeem_tokens * units
        shares_out = (1.0 - cr) * (1.0 - redemption_fee) * units
        discount += cr * (1.0 - redemption_fee) * units - leg_out * collateral_price
        gross = minted * after_minting
        shares_in = (1.0 - cr) * gross
        discount -= cr * gross * (1.0 - leg_value)
        s[at.S_INCOME_DEBT_DISCOUNT + i] += discount
        s[at.S_INCOME_PRIMARY_FEES + i] += redemption_fee * units + minting_fee * gross
        s[at.S_CAPITAL_SHARES_ISSUED + i] += shares_out
        s[at.S_CAPITAL_SHARES_BURNED + i] -= shares_in
        idle = idle - leg_out + mint_tokens * gross + admin_y * inverse_collateral
        s[at.S_IDLE + i] = idle if idle > 0.0 else 0.0
        s[at.S_CLAIMS + i] = (s[at.S_CLAIMS + i] + leg_out) * (1.0 - release)
        s[at.S_SUPPLY + i] = supply - units + minted - admin_x
        s[at.S_NET_ISSUED + i] += minted - units - admin_x
        unmet = buying - bought
        waits = s[at.S_BUY_QUEUE + i]
        s[at.S_BUY_QUEUE + i] = PATIENCE * (waits if waits < unmet else unmet)
        priced = share_price if share_price > 1e-9 else 1e-9
        inverse_priced = 1.0 / priced
        burned_shares = shares_in * inverse_priced
        burned_shares = burned_shares if burned_shares < 0.5 * share_supply else 0.5 * share_supply
        shares_after = share_supply + shares_out * inverse_priced - burned_shares
        pressed = (share_depth + shares_in) / (share_depth + shares_out)
        s[at.S_SHARE_SUPPLY + i] = shares_after
        s[at.S_SHARE_IMPACT + i] *= pressed
        s[at.S_SHARE_PRICE + i] = share_price * pressed * (share_supply + NO_SHARES) / (shares_after + NO_SHARES)

        d_end = polish_D(pool_x, pool_y, ann, d)
        price = marginal_price(pool_x, pool_y, d_end, ann) * base_value
        other_door = redeem_pays if redeem_pays < price_opens else price_opens
        other_door = other_door if (is_open & (rest - redeemed > 0.0)) else 0.0
        price = price if d_end > dust else other_door
        s[at.S_POOL_X + i] = pool_x
        s[at.S_POOL_Y + i] = pool_y
        s[at.S_D + i] = d_end
        s[at.S_PRICE + i] = price
        converged = (missed_fair <= 0.0) & (missed_target <= 0.0) & (missed_last <= 0.0)
        fault = s[at.S_FAULT + i]
        s[at.S_FAULT + i] = fault if (converged | (fault > 0.0)) else 2.0


trade_active = on_active(
    trade_of,
    writes=(
        at.S_UNSERVED,
        at.S_QUEUE,
        at.S_INCOME_SWAP_FEES,
        at.S_INCOME_DEBT_DISCOUNT,
        at.S_INCOME_PRIMARY_FEES,
        at.S_CAPITAL_SHARES_ISSUED,
        at.S_CAPITAL_SHARES_BURNED,
        at.S_IDLE,
        at.S_CLAIMS,
        at.S_SUPPLY,
        at.S_NET_ISSUED,
        at.S_BUY_QUEUE,
        at.S_SHARE_SUPPLY,
        at.S_SHARE_IMPACT,
        at.S_SHARE_PRICE,
        at.S_POOL_X,
        at.S_POOL_Y,
        at.S_D,
        at.S_PRICE,
        at.S_FAULT,
    ),
    reads=(
        at.S_ANN,
        at.S_OWN,
        at.S_COLLATERAL_RATIO,
        at.S_BASE_VALUE,
        at.S_COLLATERAL_PRICE,
        at.S_ORACLE,
        at.S_BACKING_VALUE,
        at.S_SELL_DEMAND,
        at.S_BUY_DEMAND,
        at.S_BESIDE,
    ),
    market=(at.M_GATE,),
)


@stage
def trade_fast(s: Vector, m: Vector, p: Vector, c: Vector, w: Vector) -> None:
    """The same trades where they end in the pool: all who come buy or sell there at a fair price, and no door is near its price.

    That is all but a few lanes of nearly every hour, and needs no price inversion. The others are left as they are and flagged for `trade_active`; a lane
    within `NEAR` of a limit counts among them, so that both agree where they meet.
    """
    fee = c[at.C_FEE]
    admin = c[at.C_ADMIN_FEE]
    admin_to_protocol = admin * c[at.C_PROTOCOL_ADMIN_SHARE]
    hour_limit = c[at.C_HOUR_LIMIT]
    premium = c[at.C_BUYER_PREMIUM]
    weight = c[at.C_ORACLE_WEIGHT]
    inverse_weight = 1.0 / weight
    at_par = c[at.C_PAR_VALUATION] > 0.5
    redemption_fee = c[at.C_REDEMPTION_FEE]
    most_kept = (1.0 - redemption_fee) * c[at.C_CLAIM_KEEP] * (1.0 - fee)
    asked = 1.0 / ((1.0 - c[at.C_MINTING_FEE]) * (1.0 - fee))
    release = c[at.C_CLAIM_RELEASE]
    size = c[at.C_SIZE]
    alive = 2.0 * DUST_USD * size
    redeem_threshold = p[at.P_REDEEM_PRICE_THRESHOLD]
    mint_threshold = p[at.P_MINT_PRICE_THRESHOLD]
    ann = s[at.S_ANN]
    for i in range(LANES):
        x = s[at.S_POOL_X + i]
        y = s[at.S_POOL_Y + i]
        d = s[at.S_D + i]
        own = s[at.S_OWN + i]
        supply = s[at.S_SUPPLY + i]
        idle = s[at.S_IDLE + i]
        cr = redeemed_ratio(s[at.S_COLLATERAL_RATIO + i])
        base_value = s[at.S_BASE_VALUE + i]
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        before = s[at.S_ORACLE + i]
        selling = s[at.S_SELL_DEMAND + i]
        buying = s[at.S_BUY_DEMAND + i]
        gate = m[at.M_GATE + i] > 0.5
        sells = selling > 0.0
        bought = hour_limit * x
        bought = buying if buying < bought else bought
        most = hour_limit * y
        sold = selling if selling < most else most
        x_end = x - bought + sold
        y_end = get_y(x_end, d, ann)
        cube = d * d * d
        xy4 = 4.0 * ann * x_end * y_end
        paid = y_end * (xy4 * x_end + cube) * base_value
        unit = x_end * (xy4 * y_end + cube)
        unit_near = unit * (1.0 + NEAR)
        paid_near = paid * (1.0 + NEAR)

        fair = exit_value_of(collateral_price, base_value) - FAIR_DISCOUNT
        limit = s[at.S_BACKING_VALUE + i] + premium
        opens = (redeem_threshold - (1.0 - weight) * before) * inverse_weight
        leg_value = collateral_price if at_par else 1.0
        asks = cr * leg_value + 1.0 - cr
        door = asks * most_kept
        door = door if door < opens else opens
        ceiling = asks * asked
        mint_opens = (mint_threshold - (1.0 - weight) * before) * inverse_weight
        ceiling = ceiling if ceiling > mint_opens else mint_opens
        pays = gate & (idle * (1.0 + NEAR) * (1.0 if at_par else collateral_price) >= cr * (1.0 - redemption_fee) * size)
        # told by what holds: a pool bought empty has no price, and what is no number is flagged
        high_enough = ((not sells) | (paid >= fair * unit_near)) & ((not pays) | (paid >= door * unit_near))
        low_enough = ((buying <= 0.0) | (paid_near <= limit * unit)) & ((not gate) | sells | (paid_near <= ceiling * unit))
        active = not (high_enough & low_enough & (selling <= sold) & (d >= alive) & (fair >= LOWEST_PRICE))
        w[W_ACTIVE + i] = 1.0 if active else 0.0

        fee_x = fee * bought
        fee_y = fee * (y - y_end if sold > 0.0 else 0.0)
        pool_x = x_end + (1.0 - admin) * fee_x
        pool_y = y_end + (1.0 - admin) * fee_y
        admin_x = admin_to_protocol * fee_x
        fee_usd = fee_y * base_value
        admin_y = admin_to_protocol * fee_usd
        fees = own * (1.0 - admin) * (fee_x + fee_usd) + admin_x + admin_y
        discount = own * ((x_end - x) - (y - y_end) * base_value)
        idle_end = idle + admin_y / collateral_price
        claims = s[at.S_CLAIMS + i]
        waits = s[at.S_BUY_QUEUE + i]
        unmet = buying - bought
        patient = PATIENCE * (waits if waits < unmet else unmet)
        net_issued = s[at.S_NET_ISSUED + i]
        fees_line = s[at.S_INCOME_SWAP_FEES + i]
        discount_line = s[at.S_INCOME_DEBT_DISCOUNT + i]
        queue = s[at.S_QUEUE + i]
        unserved = s[at.S_UNSERVED + i]
        s[at.S_UNSERVED + i] = unserved if active else 0.0
        s[at.S_QUEUE + i] = queue if active else 0.0
        s[at.S_INCOME_SWAP_FEES + i] = fees_line + (0.0 if active else fees)
        s[at.S_INCOME_DEBT_DISCOUNT + i] = discount_line + (0.0 if active else discount)
        s[at.S_IDLE + i] = idle if active else idle_end
        s[at.S_CLAIMS + i] = claims * (1.0 if active else 1.0 - release)
        s[at.S_SUPPLY + i] = supply - (0.0 if active else admin_x)
        s[at.S_NET_ISSUED + i] = net_issued - (0.0 if active else admin_x)
        s[at.S_BUY_QUEUE + i] = waits if active else patient
        s[at.S_POOL_X + i] = x if active else pool_x
        s[at.S_POOL_Y + i] = y if active else pool_y
    # in a loop of its own: a lane's chain of divisions is then short enough for the processor to work on several lanes at once
    for i in range(LANES):
        pool_x = s[at.S_POOL_X + i]
        pool_y = s[at.S_POOL_Y + i]
        d = s[at.S_D + i]
        base_value = s[at.S_BASE_VALUE + i]
        price_before = s[at.S_PRICE + i]
        active = w[W_ACTIVE + i] > 0.5
        d_end = polish_D(pool_x, pool_y, ann, d)
        price = marginal_price(pool_x, pool_y, d_end, ann) * base_value
        s[at.S_D + i] = d if active else d_end
        s[at.S_PRICE + i] = price_before if active else price
