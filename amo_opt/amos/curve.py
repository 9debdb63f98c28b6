"""The Curve AMO: owns most of the metapool's liquidity and moves the pool's share, not its price.

Decollateralise: bring idle collateral to the pool up to `curve_collateral_cap`, mint into it when its stablecoin share is under
`pool_share_low`, up to `curve_mint_cap`. Market operations: swap fees of two-way volume, gauge rewards. Recollateralise: withdraw own
stablecoin and burn it above `pool_share_high`, then collateral while unwinding or above the cap; collateral never leaves without the
stablecoin that would tilt the pool over `pool_share_high`. Worst case: `protocol.collateral_ratio`.

Deposits and withdrawals follow the contract's ``add_liquidity`` and ``remove_liquidity_imbalance``: each coin's distance from the
balanced change pays half the swap fee, half of that leaves to the administrator. Collateral turns into base LP at market less `base_fee`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from amo_opt.amos.mechanism import Book, Expectation, Flagged, Income, Loss, Mechanism, Parts, Stages, UnderCap
from amo_opt.amos.minter import books, borrow_cap, borrow_room, mint_cap, mint_room
from amo_opt.amos.pool_reads import held_of, pool_entry, supply_of
from amo_opt.amos.triggers import CAP_TOLERANCE, SMALLEST_OPERATION, SMALLEST_USD
from amo_opt.protocol import lanes as at
from amo_opt.protocol.active_lanes import W_ACTIVE, on_active
from amo_opt.protocol.collateral_ratio import contract_ratio
from amo_opt.protocol.holders import DUST_USD
from amo_opt.protocol.lanes import LANES, Own
from amo_opt.protocol.parameters import collateral_cap, supply_cap
from amo_opt.protocol.reads import ReadFigure
from amo_opt.protocol.state import Figure, InPool, figure
from amo_opt.stableswap.depth_10bp import captured, curve_depth
from amo_opt.stableswap.invariant import marginal_price, polish_D
from amo_opt.stableswap.jit import Vector, scalar, stage
from amo_opt.stableswap.liquidity import changed_liquidity, issued_to_others

if TYPE_CHECKING:
    from collections.abc import Callable

    from amo_opt.protocol.reads import Answered, Read
    from amo_opt.protocol.state import ProtocolState

MOST_OF_POOL = 0.5
"""Most collateral brought in an hour, as a share of the pool; nothing is brought to or minted into a failed one."""

VOTED_FROM = 0.25
"""Share of the snapshot's liquidity from which the pool keeps all of its rewards; below it votes follow what is there, as a pool that is next to empty has no voters of its own. Judgement: after UST's
fall Curve's vote of 19 May 2022 ended the rewards of its pools, while FRAX's own pool kept its gauge with half of its liquidity gone.
"""

mine = Own(
    "curve",
    state=("minted", "borrowed", "rewards"),
    market=("loss",),
    parameters=("collateral_cap", "mint_cap"),
    constants=("there",),
)


@stage
def begin(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, _k: Vector) -> None:
    """What the minter has given the AMO; its part of the pool is no position outside."""
    for i in range(LANES):
        s[at.S_MINTED + i] += a[mine.S_MINTED + i]
        s[at.S_BORROWED + i] += a[mine.S_BORROWED + i]


@stage
def venue_loss(s: Vector, _m: Vector, _p: Vector, _c: Vector, _a: Vector, n: Vector, _q: Vector, _k: Vector) -> None:
    """What is stolen of the AMO's LP tokens this hour, from pool, gauge or the venue they are staked in; the thief is an outside provider then."""
    for i in range(LANES):
        lp_amo = s[at.S_LP_AMO + i]
        lp_supply = s[at.S_LP_SUPPLY + i]
        lost = lp_amo * n[mine.M_LOSS + i]
        left = lp_amo - lost
        s[at.S_LP_AMO + i] = left
        s[at.S_OWN + i] = left / lp_supply
        s[at.S_INCOME_VENUE_LOSSES + i] -= lost / lp_supply * (s[at.S_POOL_X + i] + s[at.S_POOL_Y + i] * s[at.S_BASE_VALUE + i])


@stage
def market_operations(s: Vector, m: Vector, _p: Vector, c: Vector, a: Vector, _n: Vector, _q: Vector, _k: Vector) -> None:
    """Fees of the two-way volume the pool captures, and the AMO's part of the gauge's rewards, sold with price impact or locked.

    Captured share = depth within 10 bp over all venues' (`stableswap.depth_10bp`): it rises with A and saturates. The AMO's LP tokens are staked
    where the state says, each venue with its boost, fee and bonus; the reward tokens locked for votes are counted, not valued. What is
    left for outside providers is the yield they follow (`protocol.holders.lp_flight`).
    """
    fee = c[at.C_FEE]
    admin = c[at.C_ADMIN_FEE]
    admin_to_protocol = admin * c[at.C_PROTOCOL_ADMIN_SHARE]
    half_depth = c[at.C_VOLUME_DEPTH_USD]
    boost = c[at.C_REWARD_BOOST]
    outside_boost = c[at.C_REWARD_OUTSIDE_BOOST]
    keep = c[at.C_REWARD_KEEP]
    sold_share = c[at.C_REWARD_SOLD]
    reward_depth = c[at.C_REWARD_DEPTH_USD]
    yield_weight = c[at.C_LP_YIELD_WEIGHT]
    size = c[at.C_SIZE]
    dust = DUST_USD * size
    least = 1e-9 * size
    inverse_voted = 1.0 / (VOTED_FROM * c[at.C_START_POOL])
    ann = s[at.S_ANN]  # the same in every lane
    for i in range(LANES):
        x = s[at.S_POOL_X + i]
        y = s[at.S_POOL_Y + i]
        d = s[at.S_D + i]
        base_value = s[at.S_BASE_VALUE + i]
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        lp_amo = s[at.S_LP_AMO + i]
        lp_supply = s[at.S_LP_SUPPLY + i]
        supply = s[at.S_SUPPLY + i]
        own = s[at.S_OWN + i]
        fees_each = 0.5 * fee * m[at.M_SWAP_VOLUME + i] * captured(curve_depth(d, ann), half_depth + s[at.S_DEPTH_ELSEWHERE + i])
        outside = supply - x - s[at.S_OWN_OUTSIDE + i] - s[at.S_POOLED_OUTSIDE + i]
        most = 0.001 * (y if y < outside else outside)
        most = most if most > 0.0 else 0.0
        fees_each = fees_each if fees_each < most else most
        inverse_price = 1.0 / (base_value * collateral_price)
        fees_y = fees_each * collateral_price * inverse_price
        x_end = x + (1.0 - admin) * fees_each
        y_end = y + (1.0 - admin) * fees_y
        admin_usd = admin_to_protocol * fees_each
        fees_kept = (1.0 - admin) * 2.0 * fees_each
        s[at.S_INCOME_SWAP_FEES + i] += own * fees_kept + 2.0 * admin_usd
        boosted = boost * lp_amo
        others = outside_boost * (lp_supply - lp_amo)
        staked = boosted + others
        reward_share = boosted / (staked if staked > least else least)
        reward_price = m[at.M_REWARD_PRICE + i]
        voted = d * inverse_voted
        voted = voted if voted < 1.0 else 1.0
        budget = m[at.M_REWARD_TOKENS + i] * voted
        earned = budget * reward_share * keep
        offered = earned * sold_share * reward_price
        sold = offered * reward_depth / (reward_depth + offered)
        s[at.S_REWARD_TOKENS_EARNED + i] += earned
        s[at.S_REWARD_TOKENS_LOCKED + i] += earned * (1.0 - sold_share)
        a[mine.S_REWARDS + i] += sold
        s[at.S_IDLE + i] += (sold + admin_usd) * base_value * inverse_price
        s[at.S_SUPPLY + i] = supply - admin_usd
        s[at.S_NET_ISSUED + i] -= admin_usd
        s[at.S_POOL_X + i] = x_end
        s[at.S_POOL_Y + i] = y_end
        seen = s[at.S_OUTSIDE_YIELD + i]
        now = outside_yield(d, own, fees_kept, budget * (1.0 - reward_share) * reward_price, dust)
        s[at.S_OUTSIDE_YIELD + i] = seen + yield_weight * (now - seen)
    for i in range(LANES):  # in a loop of its own, as in `protocol.primary_market.trade_fast`
        s[at.S_D + i] = polish_D(s[at.S_POOL_X + i], s[at.S_POOL_Y + i], ann, s[at.S_D + i])


@scalar
def outside_yield(d: float, own: float, fees_usd: float, rewards_usd: float, dust: float) -> float:
    """What a dollar of outside liquidity earns an hour: its part of the fees, and the rewards of all outside providers; ``dust`` = a failed pool's D."""
    outside = 1.0 - own
    return (outside * fees_usd + rewards_usd) / (outside * d + dust)


@scalar
def decollateralise_collateral(own_usd: float, total: float, spare: float, cap: float, rate: float, least: float) -> float:
    """Dollars of idle collateral to bring this hour: towards the cap, at the deploying rate, never out of the buffer."""
    gap = cap * total - own_usd
    gap = gap if gap < spare else spare
    amount = gap if gap < rate * total else rate * total
    return amount if ((gap > SMALLEST_OPERATION * total) & (gap > least)) else 0.0


@scalar
def decollateralise_mint(x: float, y: float, low: float, rate: float, room: float, least: float) -> float:
    """Stablecoin to mint into the pool this hour: up to the low share, at the rebalancing rate, within the mint cap."""
    gap = low / (1.0 - low) * y - x
    gap = gap if gap < room else room
    amount = gap if gap < rate * x else rate * x
    return amount if ((gap > SMALLEST_OPERATION * x) & (gap > least)) else 0.0


@scalar
def recollateralise_burn(x: float, y: float, high: float, rate: float, own_x: float, least: float) -> float:
    """Own stablecoin to withdraw and burn this hour: down to the high share, at the rebalancing rate, never all of one's own."""
    gap = x - high / (1.0 - high) * y
    gap = gap if gap < 0.9 * own_x else 0.9 * own_x
    amount = gap if gap < rate * x else rate * x
    return amount if ((gap > SMALLEST_OPERATION * x) & (gap > least)) else 0.0


class Policy(NamedTuple):
    """What the amounts of an hour depend on beside the lane: parameters and constants, read once for all lanes."""

    base_fee: float
    deploy_rate: float
    delay: float
    cap: float
    most_minted: float
    buffer: float
    low: float
    high: float
    high_odds: float
    rebalance: float
    unwind_rate: float
    min_cr: float
    all_borrow: float
    all_mint: float
    dust: float
    least: float


@scalar
def policy(p: Vector, c: Vector, q: Vector) -> Policy:
    """The set's and the study's `Policy`."""
    high = p[at.P_POOL_SHARE_HIGH]
    return Policy(
        c[at.C_BASE_FEE],
        c[at.C_DEPLOY_RATE],
        c[at.C_RESPONSE_DELAY],
        q[mine.P_COLLATERAL_CAP],
        q[mine.P_MINT_CAP],
        p[at.P_IDLE_BUFFER],
        p[at.P_POOL_SHARE_LOW],
        high,
        high / (1.0 - high),
        p[at.P_REBALANCE_RATE],
        p[at.P_UNWIND_RATE],
        p[at.P_MIN_CR],
        borrow_cap(p, c),
        mint_cap(p, c),
        DUST_USD * c[at.C_SIZE],
        SMALLEST_USD * c[at.C_SIZE],
    )


@scalar
def amounts(
    chosen: Policy,
    x: float,
    y: float,
    d: float,
    own: float,
    base_value: float,
    collateral_price: float,
    idle: float,
    elsewhere: float,
    supply: float,
    minted_book: float,
    borrowing: float,
    minting: float,
    before: float,
    unwinding: float,
    unwinding_hours: float,
    high_hours: float,
) -> tuple[float, float, float, float]:
    """The hour's four amounts: dollars brought, stablecoin minted, burned, dollars returned. ``elsewhere`` = collateral with other AMOs, ``borrowing``
    and ``minting`` = what the minter still gives, ``before`` = `cr_contract` of the hour before.
    """
    own_usd = own * y * base_value
    inverse_base = 1.0 / base_value
    total = (idle + elsewhere) * collateral_price + own_usd
    spare = idle * collateral_price - chosen.buffer * total
    spare = spare if spare < borrowing * collateral_price else borrowing * collateral_price
    unwinds = unwinding > 0.5
    shut = unwinds | (before < chosen.min_cr)
    spare = 0.0 if shut else spare
    most = MOST_OF_POOL * d if d > chosen.dust else 0.0
    spare = spare if spare < most else most

    brought = decollateralise_collateral(own_usd, total, spare, chosen.cap, chosen.deploy_rate, chosen.least)
    brought_y = brought * (1.0 - chosen.base_fee) * inverse_base
    room = chosen.most_minted * supply - minted_book
    room = room if room < minting else minting
    mint = decollateralise_mint(x, y + brought_y, chosen.low, chosen.rebalance, room, chosen.least)
    mint = 0.0 if (shut | (d <= chosen.dust)) else mint
    burn = recollateralise_burn(x, y + brought_y, chosen.high, chosen.rebalance, own * x, chosen.least)
    burn = burn if high_hours > chosen.delay else 0.0
    over = own_usd - chosen.cap * total
    over = over if ((over > CAP_TOLERANCE * total) & (over > chosen.least)) else 0.0
    over = over if over < chosen.deploy_rate * total else chosen.deploy_rate * total
    acting = unwinds & (unwinding_hours > chosen.delay)
    unwound = chosen.unwind_rate * own_usd if (acting & (burn <= 0.0)) else 0.0
    unwound = unwound if unwound > chosen.least else 0.0
    returned = over if over > unwound else unwound
    returned = returned if returned < 0.9 * own_usd else 0.9 * own_usd
    returned_y = returned * inverse_base
    in_proportion = unwound * inverse_base * x / y
    tilted = x - chosen.high_odds * (y - returned_y)
    tilted = tilted if returned > 0.0 else 0.0
    alongside = in_proportion if in_proportion > tilted else tilted
    alongside = alongside if alongside < 0.9 * own * x else 0.9 * own * x
    return brought, mint, burn if burn > alongside else alongside, returned


@stage
def operate_of(s: Vector, m: Vector, p: Vector, c: Vector, a: Vector, _n: Vector, q: Vector, _k: Vector, lanes: int) -> None:
    """One change of liquidity an hour in the first ``lanes`` lanes, all four amounts in one; cancelled where it would deploy and leave `cr_contract`
    under `min_cr`.

    Nothing is tried while the ratio of the hour before is under it, so that no hopeless deployment cancels a withdrawal of the same hour.
    """
    half_fee = 0.5 * c[at.C_FEE]
    admin = c[at.C_ADMIN_FEE]
    admin_to_protocol = admin * c[at.C_PROTOCOL_ADMIN_SHARE]
    base_fee = c[at.C_BASE_FEE]
    most_minted = q[mine.P_MINT_CAP]
    min_cr = p[at.P_MIN_CR]
    chosen = policy(p, c, q)
    for i in range(lanes):
        x = s[at.S_POOL_X + i]
        y = s[at.S_POOL_Y + i]
        d = s[at.S_D + i]
        ann = s[at.S_ANN + i]
        lp_supply = s[at.S_LP_SUPPLY + i]
        lp_amo = s[at.S_LP_AMO + i]
        supply = s[at.S_SUPPLY + i]
        idle = s[at.S_IDLE + i]
        recoverable = s[at.S_RECOVERABLE + i]
        cr = s[at.S_COLLATERAL_RATIO + i]
        base_value = s[at.S_BASE_VALUE + i]
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        minted_book = a[mine.S_MINTED + i]
        gas = m[at.M_GAS_USD + i]
        scaled_cr = s[at.S_SCALED_CR + i]
        own = s[at.S_OWN + i]
        inverse_base = 1.0 / base_value
        inverse_collateral = 1.0 / collateral_price
        brought, mint, burn, returned = amounts(
            chosen,
            x,
            y,
            d,
            own,
            base_value,
            collateral_price,
            idle,
            s[at.S_AT_WORK + i],
            supply,
            minted_book,
            borrow_room(chosen.all_borrow, s[at.S_BORROWED + i]),
            mint_room(chosen.all_mint, s[at.S_MINTED + i]),
            s[at.S_CR_CONTRACT + i],
            s[at.S_UNWINDING + i],
            s[at.S_UNWINDING_HOURS + i],
            s[at.S_HIGH_HOURS + i],
        )

        change_x = mint - burn
        change_y = (brought * (1.0 - base_fee) - returned) * inverse_base
        x_2, y_2, d_3, lp_change, fee_x, fee_y = changed_liquidity(x, y, d, ann, lp_supply, change_x, change_y, half_fee, admin)
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

        counted = s[at.S_OWN_COUNTED + i]
        elsewhere = s[at.S_OWN_AT_FLOOR + i]
        after = contract_ratio(x_2, y_2, d_3, ann, own_2, supply_2, idle_2 + recoverable, cr, scaled_cr, counted, elsewhere)
        deploys = (mint > 0.0) | (brought > 0.0)
        done = acts & ((after >= min_cr) | (not deploys)) & (lp_amo_2 >= 0.0)

        # own debt changes hands at the pool's price: what par is beyond it is neither earned nor lost by operating
        issued = issued_to_others(x, own, x_2, own_2, admin * fee_x)
        off_par = (1.0 - marginal_price(x, y, d, ann) * base_value) * issued
        gained = (1.0 - own_2) * (x_2 + y_2 * base_value) - (1.0 - own) * (x + y * base_value)
        cost = gained - off_par + admin * (fee_x + fee_y * base_value) + base_fee * (brought + returned) + gas
        back = admin_back + burned_back
        line = s[at.S_INCOME_MARKET_OPERATIONS + i]
        discount_line = s[at.S_INCOME_DEBT_DISCOUNT + i]
        fees_line = s[at.S_INCOME_SWAP_FEES + i]
        s[at.S_INCOME_MARKET_OPERATIONS + i] = line - cost if done else line
        s[at.S_INCOME_DEBT_DISCOUNT + i] = discount_line - off_par if done else discount_line
        s[at.S_INCOME_SWAP_FEES + i] = fees_line + back if done else fees_line
        x = x_2 if done else x
        y = y_2 if done else y
        d = d_3 if done else d
        own = own_2 if done else own
        supply = supply_2 if done else supply
        idle = idle_2 if done else idle
        s[at.S_POOL_X + i] = x
        s[at.S_POOL_Y + i] = y
        s[at.S_D + i] = d
        s[at.S_LP_SUPPLY + i] = lp_supply_2 if done else lp_supply
        s[at.S_OWN + i] = own
        s[at.S_LP_AMO + i] = lp_amo_2 if done else lp_amo
        s[at.S_SUPPLY + i] = supply
        s[at.S_IDLE + i] = idle
        given = change_x if done else 0.0
        lent_out = (brought - returned) * inverse_collateral if done else 0.0
        a[mine.S_MINTED + i] = minted_book + given
        a[mine.S_BORROWED + i] += lent_out
        s[at.S_MINTED + i] += given
        s[at.S_BORROWED + i] += lent_out
        s[at.S_NET_ISSUED + i] -= burned_back if done else 0.0
        # where a deployment was refused this stays under min_cr, and no other AMO deploys this hour
        s[at.S_CR_CONTRACT + i] = after
        fault = s[at.S_FAULT + i]
        broke = done & deploys & (after < min_cr)
        fault = 4.0 if (broke & (fault <= 0.0)) else fault
        over_cap = done & (mint > 0.0) & (minted_book + change_x > most_minted * supply * (1.0 + 1e-9))
        s[at.S_FAULT + i] = 5.0 if (over_cap & (fault <= 0.0)) else fault


operate_active = on_active(
    operate_of,
    writes=(
        at.S_INCOME_MARKET_OPERATIONS,
        at.S_INCOME_DEBT_DISCOUNT,
        at.S_INCOME_SWAP_FEES,
        at.S_POOL_X,
        at.S_POOL_Y,
        at.S_D,
        at.S_LP_SUPPLY,
        at.S_OWN,
        at.S_LP_AMO,
        at.S_SUPPLY,
        at.S_IDLE,
        at.S_MINTED,
        at.S_BORROWED,
        at.S_NET_ISSUED,
        at.S_CR_CONTRACT,
        at.S_FAULT,
    ),
    reads=(
        at.S_ANN,
        at.S_RECOVERABLE,
        at.S_COLLATERAL_RATIO,
        at.S_BASE_VALUE,
        at.S_COLLATERAL_PRICE,
        at.S_SCALED_CR,
        at.S_AT_WORK,
        at.S_UNWINDING,
        at.S_UNWINDING_HOURS,
        at.S_HIGH_HOURS,
        at.S_OWN_COUNTED,
        at.S_OWN_AT_FLOOR,
    ),
    market=(at.M_GAS_USD,),
    own_writes=(mine.S_MINTED, mine.S_BORROWED),
)


@stage
def flag_operations(s: Vector, _m: Vector, p: Vector, c: Vector, a: Vector, _n: Vector, q: Vector, _k: Vector, w: Vector) -> None:
    """Flags the lanes whose hour asks for a change of liquidity, for `operate_active`; in the others only `cr_contract` moves."""
    chosen = policy(p, c, q)
    for i in range(LANES):
        x = s[at.S_POOL_X + i]
        y = s[at.S_POOL_Y + i]
        d = s[at.S_D + i]
        supply = s[at.S_SUPPLY + i]
        idle = s[at.S_IDLE + i]
        minted_book = a[mine.S_MINTED + i]
        own = s[at.S_OWN + i]
        before = s[at.S_CR_CONTRACT + i]
        brought, mint, burn, returned = amounts(
            chosen,
            x,
            y,
            d,
            own,
            s[at.S_BASE_VALUE + i],
            s[at.S_COLLATERAL_PRICE + i],
            idle,
            s[at.S_AT_WORK + i],
            supply,
            minted_book,
            borrow_room(chosen.all_borrow, s[at.S_BORROWED + i]),
            mint_room(chosen.all_mint, s[at.S_MINTED + i]),
            before,
            s[at.S_UNWINDING + i],
            s[at.S_UNWINDING_HOURS + i],
            s[at.S_HIGH_HOURS + i],
        )
        acts = (brought + mint + burn + returned) > 0.0
        now = contract_ratio(
            x,
            y,
            d,
            s[at.S_ANN + i],
            own,
            supply,
            idle + s[at.S_RECOVERABLE + i],
            s[at.S_COLLATERAL_RATIO + i],
            s[at.S_SCALED_CR + i],
            s[at.S_OWN_COUNTED + i],
            s[at.S_OWN_AT_FLOOR + i],
        )
        w[W_ACTIVE + i] = 1.0 if acts else 0.0
        # what the operation itself asks is the ratio of the hour before
        s[at.S_CR_CONTRACT + i] = before if acts else now


@stage
def watch(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, q: Vector, _k: Vector) -> None:
    """Whether the AMO's part of the pool's collateral, or what was minted to it, is over its cap."""
    cap = q[mine.P_COLLATERAL_CAP] + CAP_TOLERANCE
    mint_cap_of = q[mine.P_MINT_CAP] + CAP_TOLERANCE
    for i in range(LANES):
        own_usd = s[at.S_OWN + i] * s[at.S_POOL_Y + i] * s[at.S_BASE_VALUE + i]
        total = (s[at.S_IDLE + i] + s[at.S_AT_WORK + i]) * s[at.S_COLLATERAL_PRICE + i] + own_usd
        over = (own_usd > cap * total) | (a[mine.S_MINTED + i] > mint_cap_of * s[at.S_SUPPLY + i])
        s[at.S_OVER_CAPS + i] += 1.0 if over else 0.0


STAGES = Stages(
    own=mine,
    begin=begin,
    venue_loss=venue_loss,
    market_operations=market_operations,
    operate=Flagged(flag=flag_operations, full=operate_active),
    watch=watch,
    there=mine.C_THERE,
)

EXPECTATIONS = (
    Expectation(parameter="collateral_cap", metric="yield", sign=+1, reason="more of the pool earns its fees and rewards"),
    Expectation(parameter="collateral_cap", metric="floor_supply_01_usd", sign=+1, reason="more dollars stand in the pool against sales"),
    Expectation(parameter="mint_cap", metric="yield", sign=+1, reason="a larger share of the pool earns more of its rewards"),
)


@dataclass(frozen=True, kw_only=True)
class CurveAmo(InPool):
    """``[amos.curve]``"""

    lp_share: Figure = figure(0.0, 1.0, "", "share of the metapool's LP tokens the AMO owns")
    minted: Figure = figure(-1e13, 1e13, "tokens", "stablecoin minted to the AMO less burned (minter's book)")
    borrowed: Figure = figure(-1e13, 1e13, "tokens", "collateral lent to the AMO less returned (minter's book)")
    in_gauge: Figure = figure(0.0, 1.0, "", "share of its LP tokens staked in the gauge itself")
    in_convex: Figure = figure(0.0, 1.0, "", "share of its LP tokens staked through Convex")
    in_stakedao: Figure = figure(0.0, 1.0, "", "share of its LP tokens staked through Stake DAO")
    in_yearn: Figure = figure(0.0, 1.0, "", "share of its LP tokens in Yearn's vault")


def _reads(state: ProtocolState) -> tuple[Read | ReadFigure, ...]:
    """The minter's books, and where the AMO at ``curve_amo`` has its LP tokens: with itself, in the gauge (``gauge``) and through Convex (``convex_rewards``), which both give a
    receipt for each (curvefi/curve-factory contracts/LiquidityGauge.vy @7618c079; convex-eth/platform contracts/contracts/BaseRewardPool.sol @05c4ed0d). With more of them
    in other venues, whose receipts are worth more than one, its share is not known.
    """
    section = state.amos.curve
    if section.in_stakedao.value or section.in_yearn.value:
        return books(state, "curve")
    account, pool = "curve_amo", pool_entry(state)
    held, whole = {place: held_of(place, account) for place in (pool, "gauge", "convex_rewards")}, supply_of(pool)
    of = (*held.values(), whole)

    def all_held(found: Answered) -> Decimal:
        return sum((found.value(each) for each in held.values()), Decimal(0))

    def part(place: str) -> Callable[[Answered], Decimal]:
        return lambda found: found.value(held[place]) / all_held(found) if all_held(found) else Decimal(0)

    return (
        *books(state, "curve"),
        ReadFigure(figure="amos.curve.lp_share", of=of, value=lambda found: all_held(found) / found.value(whole)),
        ReadFigure(figure="amos.curve.in_gauge", of=of, value=part("gauge")),
        ReadFigure(figure="amos.curve.in_convex", of=of, value=part("convex_rewards")),
    )


MECHANISM = Mechanism(
    name="curve",
    title="Curve AMO",
    stages=STAGES,
    earns=4,
    turn=1,
    section=CurveAmo,
    section_rank=0,
    reads=_reads,
    constants=lambda state: {"there": float(state.has("amos.curve"))},
    start=lambda state: {"minted": state.amos.curve.minted.value, "borrowed": state.amos.curve.borrowed.value},
    inputs={"loss": "share of the AMO's LP tokens lost this hour (pool, gauge or the venue they are staked in)"},
    loss=Loss(share_of="of the Curve AMO's LP tokens", event="a loss in the pool, the gauge or where its LP tokens are staked,"),
    parameters={
        "collateral_cap": collateral_cap("curve_collateral_cap", "Most collateral in the Curve AMO, share of all collateral", rank=50),
        "mint_cap": supply_cap("curve_mint_cap", "Most stablecoin minted by the Curve AMO, share of supply", rank=70),
    },
    out={
        "collateral_cap": UnderCap(used=lambda state: state.amos.curve.lp_share.value * state.base_value, use="held in the pool"),
        "mint_cap": UnderCap(used=lambda state: state.amos.curve.minted.value, use="minted"),
    },
    income={
        "fees": Income(name="swap_fees", label="Curve swap fees", rank=40),
        "rewards": Income(name="rewards", label="rewards", rank=60),
    },
    collateral_series="curve_collateral",
    expectations=EXPECTATIONS,
    books=(
        Book(position="lp_share", book="minted", whole="pool.stablecoin"),
        Book(position="lp_share", book="borrowed", whole="pool.base_lp"),
    ),
    parts=Parts(figures=("in_gauge", "in_convex", "in_stakedao", "in_yearn"), of="LP tokens staked", rest="earns no rewards"),
)
