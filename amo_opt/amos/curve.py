"""The Curve AMO: owns most of the metapool's liquidity and moves the pool's share, not its price.

Decollateralise: bring idle collateral to the pool up to `curve_collateral_cap`, mint into it when its stablecoin share is under
`pool_share_low`, up to `curve_mint_cap`. Market operations: swap fees of two-way volume, gauge rewards. Recollateralise: withdraw own
stablecoin and burn it above `pool_share_high`, then collateral while unwinding or above the cap; collateral never leaves without the
stablecoin that would tilt the pool over `pool_share_high`. Worst case: `protocol.collateral_ratio`.

Deposits and withdrawals follow the contract's ``add_liquidity`` and ``remove_liquidity_imbalance``: each coin's distance from the
balanced change pays half the swap fee, half of that leaves to the administrator. Collateral turns into base LP at market less `base_fee`.
"""

from __future__ import annotations

from amo_opt.amos.triggers import CAP_TOLERANCE, SMALLEST_OPERATION, SMALLEST_UNWINDING_USD
from amo_opt.protocol.collateral_ratio import contract_ratio, external_ratio, scaled_at_cr
from amo_opt.protocol.lanes import (
    C_ADMIN_FEE,
    C_BASE_FEE,
    C_DEPLOY_RATE,
    C_FEE,
    C_PROTOCOL_ADMIN,
    C_RESPONSE_DELAY,
    C_REWARD_BOOST,
    C_REWARD_DEPTH,
    C_VOLUME_DEPTH,
    LANES,
    M_GAS_USD,
    M_REWARD_USD,
    M_SWAP_VOLUME,
    P_BUFFER,
    P_CURVE_CAP,
    P_MIN_CR,
    P_MINT_CAP,
    P_REBALANCE,
    P_SHARE_HIGH,
    P_SHARE_LOW,
    P_UNWIND_RATE,
    S_ANN,
    S_BASE_VALUE,
    S_COLLATERAL_PRICE,
    S_COLLATERAL_RATIO,
    S_CR_CONTRACT,
    S_CR_EXTERNAL,
    S_CURVE_BORROWED,
    S_CURVE_MINTED,
    S_D,
    S_FAULT,
    S_HIGH_HOURS,
    S_IDLE,
    S_INCOME_MARKET_OPERATIONS,
    S_INCOME_REWARDS,
    S_INCOME_SWAP_FEES,
    S_LENT,
    S_LP_AMO,
    S_LP_SUPPLY,
    S_POOL_X,
    S_POOL_Y,
    S_SUPPLY,
    S_UNWINDING,
    S_UNWINDING_HOURS,
)
from amo_opt.stableswap.invariant import polish_D, refresh_D
from amo_opt.stableswap.jit import Vector, scalar, stage


@stage
def market_operations(s: Vector, m: Vector, c: Vector) -> None:
    """Fees of the two-way volume the pool captures, and the AMO's part of the gauge's rewards, sold with price impact.

    Captured share = depth / (depth + `volume_depth_usd`), depth being what moves the price by 10 bp at balance,
    ``D/2 · z/(1 + z)`` with ``z = 0.001 (Ann + 2) / 4``: it rises with A and saturates.
    """
    fee = c[C_FEE]
    admin = c[C_ADMIN_FEE]
    admin_to_protocol = admin * c[C_PROTOCOL_ADMIN]
    half_depth = c[C_VOLUME_DEPTH]
    boost = c[C_REWARD_BOOST]
    reward_depth = c[C_REWARD_DEPTH]
    for i in range(LANES):
        x = s[S_POOL_X + i]
        y = s[S_POOL_Y + i]
        d = s[S_D + i]
        ann = s[S_ANN + i]
        base_value = s[S_BASE_VALUE + i]
        collateral_price = s[S_COLLATERAL_PRICE + i]
        lp_amo = s[S_LP_AMO + i]
        lp_supply = s[S_LP_SUPPLY + i]
        own = lp_amo / lp_supply
        z = 0.00025 * (ann + 2.0)
        depth = 0.5 * d * z / (1.0 + z)
        fees_each = 0.5 * fee * m[M_SWAP_VOLUME + i] * depth / (depth + half_depth)
        outside = s[S_SUPPLY + i] - x
        most = 0.001 * (y if y < outside else outside)
        most = most if most > 0.0 else 0.0
        fees_each = fees_each if fees_each < most else most
        inverse_price = 1.0 / (base_value * collateral_price)
        fees_y = fees_each * collateral_price * inverse_price
        x_end = x + (1.0 - admin) * fees_each
        y_end = y + (1.0 - admin) * fees_y
        admin_usd = admin_to_protocol * fees_each
        s[S_INCOME_SWAP_FEES + i] += own * (1.0 - admin) * 2.0 * fees_each + 2.0 * admin_usd
        boosted = boost * lp_amo
        reward = m[M_REWARD_USD + i] * boosted / (boosted + lp_supply - lp_amo)
        sold = reward * reward_depth / (reward_depth + reward)
        s[S_INCOME_REWARDS + i] += sold
        s[S_IDLE + i] += (sold + admin_usd) * base_value * inverse_price
        s[S_SUPPLY + i] -= admin_usd
        s[S_POOL_X + i] = x_end
        s[S_POOL_Y + i] = y_end
        s[S_D + i] = refresh_D(x_end, y_end, ann, d)


@scalar
def decollateralise_collateral(own_usd: float, total: float, spare: float, cap: float, rate: float) -> float:
    """Dollars of idle collateral to bring this hour: towards the cap, at the deploying rate, never out of the buffer."""
    gap = cap * total - own_usd
    gap = gap if gap < spare else spare
    amount = gap if gap < rate * total else rate * total
    return amount if gap > SMALLEST_OPERATION * total else 0.0


@scalar
def decollateralise_mint(x: float, y: float, low: float, rate: float, room: float) -> float:
    """Stablecoin to mint into the pool this hour: up to the low share, at the rebalancing rate, within the mint cap."""
    gap = low / (1.0 - low) * y - x
    gap = gap if gap < room else room
    amount = gap if gap < rate * x else rate * x
    return amount if gap > SMALLEST_OPERATION * x else 0.0


@scalar
def recollateralise_burn(x: float, y: float, high: float, rate: float, own_x: float) -> float:
    """Own stablecoin to withdraw and burn this hour: down to the high share, at the rebalancing rate, never all of one's own."""
    gap = x - high / (1.0 - high) * y
    gap = gap if gap < 0.9 * own_x else 0.9 * own_x
    amount = gap if gap < rate * x else rate * x
    return amount if ((gap > SMALLEST_OPERATION * x) & (gap > SMALLEST_UNWINDING_USD)) else 0.0


@stage
def operate(s: Vector, m: Vector, p: Vector, c: Vector, scaled_floor: float) -> None:
    """One change of liquidity an hour, all four amounts in one; cancelled where it would deploy and leave `cr_contract` under `min_cr`."""
    half_fee = 0.5 * c[C_FEE]
    admin = c[C_ADMIN_FEE]
    admin_to_protocol = admin * c[C_PROTOCOL_ADMIN]
    base_fee = c[C_BASE_FEE]
    deploy_rate = c[C_DEPLOY_RATE]
    delay = c[C_RESPONSE_DELAY]
    cap = p[P_CURVE_CAP]
    mint_cap = p[P_MINT_CAP]
    buffer = p[P_BUFFER]
    low = p[P_SHARE_LOW]
    high = p[P_SHARE_HIGH]
    high_odds = high / (1.0 - high)
    rebalance = p[P_REBALANCE]
    unwind_rate = p[P_UNWIND_RATE]
    min_cr = p[P_MIN_CR]
    for i in range(LANES):
        x = s[S_POOL_X + i]
        y = s[S_POOL_Y + i]
        d = s[S_D + i]
        ann = s[S_ANN + i]
        lp_supply = s[S_LP_SUPPLY + i]
        lp_amo = s[S_LP_AMO + i]
        supply = s[S_SUPPLY + i]
        idle = s[S_IDLE + i]
        lent = s[S_LENT + i]
        cr = s[S_COLLATERAL_RATIO + i]
        base_value = s[S_BASE_VALUE + i]
        collateral_price = s[S_COLLATERAL_PRICE + i]
        minted_book = s[S_CURVE_MINTED + i]
        unwinding = s[S_UNWINDING + i] > 0.5
        acting = unwinding & (s[S_UNWINDING_HOURS + i] > delay)
        may_burn = s[S_HIGH_HOURS + i] > delay
        gas = m[M_GAS_USD + i]
        own = lp_amo / lp_supply
        own_usd = own * y * base_value
        inverse_base = 1.0 / base_value
        inverse_collateral = 1.0 / collateral_price
        total = (idle + lent) * collateral_price + own_usd
        spare = idle * collateral_price - buffer * total
        # below min_cr nothing is deployed, so that no hopeless deployment cancels a withdrawal of the same hour
        scaled_cr, missed = scaled_at_cr(cr, ann)
        before = contract_ratio(x, y, d, ann, own, supply, idle + lent, cr, scaled_cr)
        shut = unwinding | (before < min_cr)
        spare = 0.0 if shut else spare

        brought = decollateralise_collateral(own_usd, total, spare, cap, deploy_rate)
        brought_y = brought * (1.0 - base_fee) * inverse_base
        room = mint_cap * supply - minted_book
        mint = decollateralise_mint(x, y + brought_y, low, rebalance, room)
        mint = 0.0 if shut else mint
        burn = recollateralise_burn(x, y + brought_y, high, rebalance, own * x)
        burn = burn if may_burn else 0.0
        over = own_usd - cap * total
        over = over if ((over > CAP_TOLERANCE * total) & (over > SMALLEST_UNWINDING_USD)) else 0.0
        over = over if over < deploy_rate * total else deploy_rate * total
        unwound = unwind_rate * own_usd if (acting & (burn <= 0.0)) else 0.0
        unwound = unwound if unwound > SMALLEST_UNWINDING_USD else 0.0
        returned = over if over > unwound else unwound
        returned = returned if returned < 0.9 * own_usd else 0.9 * own_usd
        returned_y = returned * inverse_base
        in_proportion = unwound * inverse_base * x / y
        tilted = x - high_odds * (y - returned_y)
        tilted = tilted if returned > 0.0 else 0.0
        alongside = in_proportion if in_proportion > tilted else tilted
        alongside = alongside if alongside < 0.9 * own * x else 0.9 * own * x
        burn = burn if burn > alongside else alongside

        change_x = mint - burn
        change_y = brought_y - returned_y
        x_1 = x + change_x
        y_1 = y + change_y
        d_1 = refresh_D(x_1, y_1, ann, d)
        inverse_d = 1.0 / d
        ratio = d_1 * inverse_d
        fee_x = half_fee * abs(ratio * x - x_1)
        fee_y = half_fee * abs(ratio * y - y_1)
        d_2 = polish_D(x_1 - fee_x, y_1 - fee_y, ann, d_1)
        lp_change = lp_supply * (d_2 * inverse_d - 1.0)
        x_2 = x_1 - admin * fee_x
        y_2 = y_1 - admin * fee_y
        d_3 = polish_D(x_2, y_2, ann, d_2)
        lp_supply_2 = lp_supply + lp_change
        lp_amo_2 = lp_amo + lp_change
        own_2 = lp_amo_2 / lp_supply_2
        acts = (abs(change_x) + abs(change_y)) > 0.0
        cash = idle * collateral_price - brought + returned * (1.0 - base_fee)
        gas = gas if gas < cash else cash
        gas = gas if acts else 0.0
        admin_back = admin_to_protocol * fee_y * base_value
        idle_2 = (cash - gas + admin_back) * inverse_collateral
        burned_back = admin_to_protocol * fee_x
        supply_2 = supply + change_x - burned_back

        after = contract_ratio(x_2, y_2, d_3, ann, own_2, supply_2, idle_2 + lent, cr, scaled_cr)
        deploys = (mint > 0.0) | (brought > 0.0)
        done = acts & ((after >= min_cr) | (not deploys)) & (lp_amo_2 >= 0.0)

        gained = (1.0 - own_2) * (x_2 + y_2 * base_value) - (1.0 - own) * (x + y * base_value)
        cost = gained + admin * (fee_x + fee_y * base_value) + base_fee * (brought + returned) + gas
        back = admin_back + burned_back
        line = s[S_INCOME_MARKET_OPERATIONS + i]
        fees_line = s[S_INCOME_SWAP_FEES + i]
        borrowed = s[S_CURVE_BORROWED + i]
        s[S_INCOME_MARKET_OPERATIONS + i] = line - cost if done else line
        s[S_INCOME_SWAP_FEES + i] = fees_line + back if done else fees_line
        x = x_2 if done else x
        y = y_2 if done else y
        d = d_3 if done else d
        own = own_2 if done else own
        supply = supply_2 if done else supply
        idle = idle_2 if done else idle
        s[S_POOL_X + i] = x
        s[S_POOL_Y + i] = y
        s[S_D + i] = d
        s[S_LP_SUPPLY + i] = lp_supply_2 if done else lp_supply
        s[S_LP_AMO + i] = lp_amo_2 if done else lp_amo
        s[S_SUPPLY + i] = supply
        s[S_IDLE + i] = idle
        s[S_CURVE_MINTED + i] = minted_book + change_x if done else minted_book
        s[S_CURVE_BORROWED + i] = borrowed + (brought - returned) * inverse_collateral if done else borrowed
        cr_contract = after if done else before
        s[S_CR_CONTRACT + i] = cr_contract
        s[S_CR_EXTERNAL + i] = external_ratio(x, y, d, ann, own, supply, idle + lent, scaled_floor)
        fault = s[S_FAULT + i]
        converged = missed <= 0.0
        fault = fault if (converged | (fault > 0.0)) else 2.0
        broke = done & deploys & (cr_contract < min_cr)
        s[S_FAULT + i] = 4.0 if (broke & (fault <= 0.0)) else fault
