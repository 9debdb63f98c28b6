"""The rebalancer: an AMO whose strategist puts collateral into the pool beside newly minted stablecoin, and evens the pool from one side.

Rules of Origin's AMO (OriginProtocol/origin-dollar `contracts/contracts/strategies/CurveAMOStrategy.sol` @19854faa). A deposit brings between one and two minted per unit of
collateral, as many as even the pool. A withdrawal takes both sides in proportion and burns the stablecoin. From one side the strategist mints and adds, removes and burns, or removes
collateral alone, and the contract refuses it unless the pool's imbalance shrinks and does not change sign. No operation may give less than its worth at the virtual price less the
maximal slippage, or leave the vault worth less than 0.998 of the supply, collateral at par and LP tokens at the virtual price; `withdrawAll`, which unwinding stands for, asks for neither.

What the contract leaves to the strategist is policy: the `rebalancer_share` of all collateral that half of its LP tokens are to be worth at the virtual price (what it would hold of an even pool, which
no trade moves), the imbalance at which he acts (`rebalancer_trigger`) and how much of it he
takes away (`rebalancer_reach`). He acts once the response delay has passed, withdraws for the buffer and for those who wait to redeem, and of a pool with too much collateral takes some home
where he wants less of it there, else mints. Only idle collateral is deployed. An hour is at most one withdrawal in proportion and one further operation.

Here a removal from one side is `remove_liquidity_imbalance`, where the contract calls `remove_liquidity_one_coin`: for the same amount the two burn the same LP tokens to within a tenth of
the swap fee on what is moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from amo_opt.amos.mechanism import Expectation, Flagged, Mechanism, Stages, UnderCap
from amo_opt.amos.pool_reads import held_of, pool_entry, supply_of
from amo_opt.amos.triggers import CAP_TOLERANCE, SMALLEST_OPERATION, SMALLEST_USD
from amo_opt.protocol import lanes as at
from amo_opt.protocol.active_lanes import W_ACTIVE, on_active
from amo_opt.protocol.collateral_ratio import contract_ratio
from amo_opt.protocol.holders import DUST_USD
from amo_opt.protocol.lanes import LANES, Own
from amo_opt.protocol.parameters import Parameter
from amo_opt.protocol.reads import Read, ReadFigure, owner
from amo_opt.protocol.state import Figure, InPool, ProtocolState, figure
from amo_opt.stableswap.invariant import marginal_price
from amo_opt.stableswap.jit import Vector, scalar, stage
from amo_opt.stableswap.liquidity import changed_liquidity, issued_to_others

SOLVENT = 0.998
"""Vault's worth over supply below which the contract refuses every operation (`SOLVENCY_THRESHOLD`)."""
MOST_MINTED = 2.0
"""Most stablecoin minted beside a unit of collateral; the least is 1."""
MOST_EVENED = 0.99
"""Most of an imbalance that one operation takes away: its fees move the balances too, and past even the contract refuses it."""
MOST_TAKEN = 0.9
"""Most of its LP tokens that an hour takes out."""
MOST_OF_POOL = 0.5
"""Most collateral brought in an hour, as a share of the pool."""

mine = Own(
    "rebalancer",
    state=("lp", "minted", "tilted_hours", "short_hours"),
    parameters=("share", "trigger", "reach", "max_slippage"),
    constants=("door", "there"),
)


class Policy(NamedTuple):
    """What the amounts of an hour depend on beside the lane: parameters and constants, read once for all lanes."""

    base_fee: float
    deploy_rate: float
    delay: float
    share: float
    trigger: float
    reach: float
    buffer: float
    unwind_rate: float
    min_cr: float
    door: float
    dust: float
    least: float


@scalar
def policy(p: Vector, c: Vector, q: Vector, k: Vector) -> Policy:
    """The set's and the study's `Policy`."""
    reach = q[mine.P_REACH]
    return Policy(
        c[at.C_BASE_FEE],
        c[at.C_DEPLOY_RATE],
        c[at.C_RESPONSE_DELAY],
        q[mine.P_SHARE],
        q[mine.P_TRIGGER],
        reach if reach < MOST_EVENED else MOST_EVENED,
        p[at.P_IDLE_BUFFER],
        p[at.P_UNWIND_RATE],
        p[at.P_MIN_CR],
        k[mine.C_DOOR],
        DUST_USD * c[at.C_SIZE],
        SMALLEST_USD * c[at.C_SIZE],
    )


@scalar
def imbalance_of(x: float, y: float) -> float:
    """How far the pool is from even: the difference between its sides over their sum, positive where collateral is the larger one."""
    gap: float = (y - x) / (x + y)
    return gap


@scalar
def missing(idle_usd: float, waiting: float, total: float, buffer: float) -> float:
    """Dollars that the vault lacks of its buffer and of what those who wait to redeem ask for."""
    lacks = buffer * total + waiting - idle_usd
    return lacks if lacks > 0.0 else 0.0


@scalar
def withdrawal(
    chosen: Policy,
    own: float,
    half_usd: float,
    pool_usd: float,
    total: float,
    lacks: float,
    unwinding: float,
    unwinding_hours: float,
    short_hours: float,
) -> tuple[float, float]:
    """The part of the pool to take out in proportion this hour, and how much of it is for no unwinding: what is over the share at the deploying rate, what the vault lacks in one go.

    ``half_usd`` = half of what the pool is worth at the virtual price, ``pool_usd`` = the collateral in it.
    """
    over = own * half_usd - chosen.share * total
    over = over if ((over > CAP_TOLERANCE * total) & (over > chosen.least)) else 0.0
    over = over if over < chosen.deploy_rate * total else chosen.deploy_rate * total
    over = over / (half_usd if half_usd > chosen.least else chosen.least)
    acts = (lacks > SMALLEST_OPERATION * total) & (lacks > chosen.least) & (short_hours >= chosen.delay)
    wanted = lacks / (pool_usd if pool_usd > chosen.least else chosen.least)
    wanted = wanted if acts else 0.0
    wanted = wanted if wanted > over else over
    unwound = chosen.unwind_rate * own if ((unwinding > 0.5) & (unwinding_hours > chosen.delay)) else 0.0
    most = MOST_TAKEN * own
    wanted = wanted if wanted < most else most
    unwound = unwound if unwound < most else most
    # nobody signs for a remainder
    wanted = wanted if wanted * half_usd > chosen.least else 0.0
    unwound = unwound if unwound * half_usd > chosen.least else 0.0
    return (wanted if wanted > unwound else unwound), wanted


@scalar
def one_sided(
    chosen: Policy, x: float, y: float, worth: float, spare_in_pool: float, shut: float, tilted_hours: float
) -> tuple[float, float, float]:
    """Stablecoin to mint and add, or to remove and burn, and collateral to remove alone, in the pool's coins; at most one of them is not 0.

    ``worth`` = its LP tokens at the virtual price, ``spare_in_pool`` = collateral that it would rather have at home, ``shut`` = 1 where it may not mint.
    """
    gap = y - x
    far = gap if gap > 0.0 else -gap
    acts = (far > chosen.trigger * (x + y)) & (far > chosen.least) & (tilted_hours >= chosen.delay)
    amount = chosen.reach * far if acts else 0.0
    most = MOST_TAKEN * worth
    removed = amount if amount < most else most
    removed = removed if removed > chosen.least else 0.0
    takes_home = (gap > 0.0) & (spare_in_pool > chosen.least)
    assets = removed if removed < spare_in_pool else spare_in_pool
    mint = amount if ((gap > 0.0) & (not takes_home) & (shut < 0.5)) else 0.0
    return mint, (removed if gap < 0.0 else 0.0), (assets if takes_home else 0.0)


@scalar
def minted_beside(x: float, y: float, brought: float) -> float:
    """Stablecoin that a deposit of so much collateral mints: what evens the pool, at least as much as the collateral and at most twice that."""
    wanted = y + brought - x
    wanted = wanted if wanted > brought else brought
    return wanted if wanted < MOST_MINTED * brought else MOST_MINTED * brought


@scalar
def deposit(chosen: Policy, position: float, total: float, idle_usd: float, waiting: float, d_usd: float) -> float:
    """Dollars of idle collateral to bring this hour: towards the share at the deploying rate, never out of the buffer or of what is waited for; ``position`` = half of what its LP tokens
    are worth.
    """
    spare = idle_usd - chosen.buffer * total - waiting
    spare = spare if spare < MOST_OF_POOL * d_usd else MOST_OF_POOL * d_usd
    gap = chosen.share * total - position
    wants = (gap > CAP_TOLERANCE * total) & (spare > SMALLEST_OPERATION * total)
    gap = gap if gap < spare else spare
    amount = gap if gap < chosen.deploy_rate * total else chosen.deploy_rate * total
    return amount if (wants & (gap > chosen.least)) else 0.0


@scalar
def amounts(
    chosen: Policy,
    x: float,
    y: float,
    d: float,
    own: float,
    base_value: float,
    idle_usd: float,
    total: float,
    waiting: float,
    before: float,
    unwinding: float,
    unwinding_hours: float,
    tilted_hours: float,
    short_hours: float,
) -> tuple[float, float, float, float, float, float]:
    """The hour's amounts: the part of the pool taken out in proportion, and what of it is for no unwinding; then, in the pool's coins, stablecoin minted and added, stablecoin removed,
    collateral removed alone; and dollars of collateral deposited. ``own`` = its share of the pool, ``total`` = all collateral, ``waiting`` = what is waited for at the door, dollars;
    ``before`` = `cr_contract` of the hour before.
    """
    alive = d > chosen.dust
    half_usd = 0.5 * d * base_value
    lacks = missing(idle_usd, waiting, total, chosen.buffer)
    part, regular = withdrawal(chosen, own, half_usd, y * base_value, total, lacks, unwinding, unwinding_hours, short_hours)
    part = part if alive else 0.0
    regular = regular if alive else 0.0
    left_x = x * (1.0 - part)
    left_y = y * (1.0 - part)
    left = own - part
    shut = 1.0 if ((unwinding > 0.5) | (before < chosen.min_cr)) else 0.0
    # of collateral removed alone half counts against the share, as its LP tokens stand for both sides
    over = 2.0 * (left * half_usd - chosen.share * total)
    short = lacks - part * y * base_value
    rather_home = over if over > short else short
    mint, burn, assets = one_sided(chosen, left_x, left_y, left * d, rather_home / base_value, shut, tilted_hours)
    mint = mint if alive else 0.0
    burn = burn if alive else 0.0
    assets = assets if alive else 0.0
    rests = (part <= 0.0) & (mint + burn + assets <= 0.0) & alive & (shut < 0.5)
    brought = deposit(chosen, own * half_usd, total, idle_usd, waiting, 2.0 * half_usd) if rests else 0.0
    return part, regular, mint, burn, assets, brought


@stage
def begin(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, _k: Vector) -> None:
    """Its share of the pool in LP tokens. What it minted is under no cap of the minter's, and not among his sums."""
    for i in range(LANES):
        a[mine.S_LP + i] *= s[at.S_LP_SUPPLY + i]


@stage
def market_operations(s: Vector, _m: Vector, p: Vector, c: Vector, a: Vector, _n: Vector, q: Vector, k: Vector) -> None:
    """Counts the hours since the pool was tilted over the trigger, and since the vault lacked collateral, as the hour before left both."""
    chosen = policy(p, c, q, k)
    for i in range(LANES):
        x = s[at.S_POOL_X + i]
        y = s[at.S_POOL_Y + i]
        gap = y - x
        far = gap if gap > 0.0 else -gap
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        idle_usd = s[at.S_IDLE + i] * collateral_price
        total = idle_usd + s[at.S_AT_WORK + i] * collateral_price + s[at.S_OWN + i] * y * s[at.S_BASE_VALUE + i]
        lacks = missing(idle_usd, chosen.door * s[at.S_QUEUE + i] * collateral_price, total, chosen.buffer)
        tilted = a[mine.S_TILTED_HOURS + i] + 1.0
        short = a[mine.S_SHORT_HOURS + i] + 1.0
        a[mine.S_TILTED_HOURS + i] = tilted if far > chosen.trigger * (x + y) else 0.0
        a[mine.S_SHORT_HOURS + i] = short if lacks > SMALLEST_OPERATION * total else 0.0


@stage
def operate_of(s: Vector, m: Vector, p: Vector, c: Vector, a: Vector, _n: Vector, q: Vector, k: Vector, lanes: int) -> None:
    """A withdrawal in proportion, then one operation from one side or a deposit, in the first ``lanes`` lanes; nothing of it where the contract would refuse a part."""
    half_fee = 0.5 * c[at.C_FEE]
    admin = c[at.C_ADMIN_FEE]
    admin_to_protocol = admin * c[at.C_PROTOCOL_ADMIN_SHARE]
    base_fee = c[at.C_BASE_FEE]
    min_cr = p[at.P_MIN_CR]
    kept = 1.0 - q[mine.P_MAX_SLIPPAGE]
    chosen = policy(p, c, q, k)
    for i in range(lanes):
        x = s[at.S_POOL_X + i]
        y = s[at.S_POOL_Y + i]
        d = s[at.S_D + i]
        ann = s[at.S_ANN + i]
        lp_supply = s[at.S_LP_SUPPLY + i]
        lp = a[mine.S_LP + i]
        own = s[at.S_OWN + i]
        base_value = s[at.S_BASE_VALUE + i]
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        idle = s[at.S_IDLE + i]
        idle_usd = idle * collateral_price
        at_work = s[at.S_AT_WORK + i]
        supply = s[at.S_SUPPLY + i]
        before = s[at.S_CR_CONTRACT + i]
        total = idle_usd + at_work * collateral_price + own * y * base_value
        part, regular, mint, burn, assets, brought = amounts(
            chosen,
            x,
            y,
            d,
            lp / lp_supply,
            base_value,
            idle_usd,
            total,
            chosen.door * s[at.S_QUEUE + i] * collateral_price,
            before,
            s[at.S_UNWINDING + i],
            s[at.S_UNWINDING_HOURS + i],
            a[mine.S_TILTED_HOURS + i],
            a[mine.S_SHORT_HOURS + i],
        )

        # in proportion: no fee, and the other providers' part stays as it is
        rest = 1.0 - part
        out_x = part * x
        out_usd = part * y * base_value
        x_1 = x * rest
        y_1 = y * rest
        d_1 = d * rest
        lp_supply_1 = lp_supply * rest
        lp_out = part * lp_supply
        brought_y = brought * (1.0 - base_fee) / base_value
        paired = minted_beside(x_1, y_1, brought_y)
        paired = paired if brought > 0.0 else 0.0
        change_x = mint - burn + paired
        change_y = brought_y - assets
        acts = (abs(change_x) + abs(change_y)) > 0.0
        x_2, y_2, d_3, lp_change, fee_x, fee_y = changed_liquidity(x_1, y_1, d_1, ann, lp_supply_1, change_x, change_y, half_fee, admin)
        lp_supply_2 = lp_supply_1 + lp_change
        lp_2 = lp - lp_out + lp_change

        # what the contract asks of the second operation: from one side evener and not past even; its worth less the slippage
        gap_1 = y_1 - x_1
        gap_2 = y_2 - x_2
        evener = (gap_1 * gap_2 >= 0.0) & (abs(gap_2) < abs(gap_1))
        moved = change_x + change_y
        at_virtual = lp_change / lp_supply_1 * d_1
        adds = moved > 0.0
        fair = at_virtual >= moved * kept if adds else -moved >= -at_virtual * kept
        allowed = (evener | (brought > 0.0)) & fair & (lp_2 >= 0.0)
        second = acts & allowed
        x_2 = x_2 if second else x_1
        y_2 = y_2 if second else y_1
        d_3 = d_3 if second else d_1
        lp_supply_2 = lp_supply_2 if second else lp_supply_1
        lp_2 = lp_2 if second else lp - lp_out
        change_x = change_x if second else 0.0
        brought = brought if second else 0.0
        assets = assets if second else 0.0
        fee_x = fee_x if second else 0.0
        fee_y = fee_y if second else 0.0
        lp_amo = s[at.S_LP_AMO + i]
        lp_amo_2 = lp_amo + (lp_2 - lp)
        lp_amo_2 = lp_amo_2 if lp_amo_2 > lp_2 else lp_2  # a sum that goes up and down for months may miss its part by a rounding error
        own_2 = lp_amo_2 / lp_supply_2

        out_usd = out_usd + assets * base_value
        some = second | (part > 0.0)
        cash = idle_usd - brought + out_usd * (1.0 - base_fee)
        gas = m[at.M_GAS_USD + i]
        gas = gas if gas < cash else cash
        gas = gas if some else 0.0
        admin_back = admin_to_protocol * fee_y * base_value
        burned_back = admin_to_protocol * fee_x
        idle_2 = (cash - gas + admin_back) / collateral_price
        supply_2 = supply + change_x - out_x - burned_back
        counted = s[at.S_OWN_COUNTED + i]
        solvent = idle_2 + at_work + own_2 * d_3 + counted >= SOLVENT * supply_2
        after = contract_ratio(
            x_2,
            y_2,
            d_3,
            ann,
            own_2,
            supply_2,
            idle_2 + s[at.S_RECOVERABLE + i],
            s[at.S_COLLATERAL_RATIO + i],
            s[at.S_SCALED_CR + i],
            counted,
            s[at.S_OWN_AT_FLOOR + i],
        )
        deploys = second & adds
        unwinds = (part > regular) & (not second)
        done = some & (solvent | unwinds) & ((not deploys) | (after >= min_cr))

        # own debt changes hands at the pool's price: what par is beyond it is neither earned nor lost by operating
        issued = issued_to_others(x, own, x_2, own_2, admin * fee_x)
        off_par = (1.0 - marginal_price(x, y, d, ann) * base_value) * issued
        gained = (1.0 - own_2) * (x_2 + y_2 * base_value) - (1.0 - own) * (x + y * base_value)
        cost = gained - off_par + admin * (fee_x + fee_y * base_value) + base_fee * (brought + out_usd) + gas
        s[at.S_INCOME_MARKET_OPERATIONS + i] -= cost if done else 0.0
        s[at.S_INCOME_DEBT_DISCOUNT + i] -= off_par if done else 0.0
        s[at.S_INCOME_SWAP_FEES + i] += admin_back + burned_back if done else 0.0
        s[at.S_POOL_X + i] = x_2 if done else x
        s[at.S_POOL_Y + i] = y_2 if done else y
        s[at.S_D + i] = d_3 if done else d
        s[at.S_LP_SUPPLY + i] = lp_supply_2 if done else lp_supply
        s[at.S_LP_AMO + i] = lp_amo_2 if done else lp_amo
        s[at.S_OWN + i] = own_2 if done else own
        s[at.S_SUPPLY + i] = supply_2 if done else supply
        s[at.S_IDLE + i] = idle_2 if done else idle
        s[at.S_NET_ISSUED + i] -= burned_back if done else 0.0
        s[at.S_CR_CONTRACT + i] = after if done else before
        a[mine.S_LP + i] = lp_2 if done else lp
        a[mine.S_MINTED + i] += change_x - out_x if done else 0.0
        one_side = done & second & (brought <= 0.0)
        a[mine.S_TILTED_HOURS + i] = 0.0 if one_side else a[mine.S_TILTED_HOURS + i]
        a[mine.S_SHORT_HOURS + i] = 0.0 if (done & (part > 0.0)) else a[mine.S_SHORT_HOURS + i]


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
        at.S_LP_AMO,
        at.S_OWN,
        at.S_SUPPLY,
        at.S_IDLE,
        at.S_NET_ISSUED,
        at.S_CR_CONTRACT,
    ),
    reads=(
        at.S_ANN,
        at.S_BASE_VALUE,
        at.S_COLLATERAL_PRICE,
        at.S_COLLATERAL_RATIO,
        at.S_SCALED_CR,
        at.S_AT_WORK,
        at.S_RECOVERABLE,
        at.S_OWN_COUNTED,
        at.S_OWN_AT_FLOOR,
        at.S_QUEUE,
        at.S_UNWINDING,
        at.S_UNWINDING_HOURS,
    ),
    market=(at.M_GAS_USD,),
    own_writes=(mine.S_LP, mine.S_MINTED, mine.S_TILTED_HOURS, mine.S_SHORT_HOURS),
)


@stage
def flag_operations(s: Vector, _m: Vector, p: Vector, c: Vector, a: Vector, _n: Vector, q: Vector, k: Vector, w: Vector) -> None:
    """Flags the lanes whose hour asks for an operation, for `operate_active`."""
    chosen = policy(p, c, q, k)
    for i in range(LANES):
        y = s[at.S_POOL_Y + i]
        base_value = s[at.S_BASE_VALUE + i]
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        idle_usd = s[at.S_IDLE + i] * collateral_price
        part, _, mint, burn, assets, brought = amounts(
            chosen,
            s[at.S_POOL_X + i],
            y,
            s[at.S_D + i],
            a[mine.S_LP + i] / s[at.S_LP_SUPPLY + i],
            base_value,
            idle_usd,
            idle_usd + s[at.S_AT_WORK + i] * collateral_price + s[at.S_OWN + i] * y * base_value,
            chosen.door * s[at.S_QUEUE + i] * collateral_price,
            s[at.S_CR_CONTRACT + i],
            s[at.S_UNWINDING + i],
            s[at.S_UNWINDING_HOURS + i],
            a[mine.S_TILTED_HOURS + i],
            a[mine.S_SHORT_HOURS + i],
        )
        w[W_ACTIVE + i] = 1.0 if (part + mint + burn + assets + brought) > 0.0 else 0.0


@stage
def watch(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, q: Vector, _k: Vector) -> None:
    """Whether half of what its LP tokens are worth is over its share, and they can be at all."""
    share = q[mine.P_SHARE] + CAP_TOLERANCE
    for i in range(LANES):
        pool_usd = s[at.S_POOL_Y + i] * s[at.S_BASE_VALUE + i]
        total = (s[at.S_IDLE + i] + s[at.S_AT_WORK + i]) * s[at.S_COLLATERAL_PRICE + i] + s[at.S_OWN + i] * pool_usd
        lp = a[mine.S_LP + i]
        half_usd = 0.5 * s[at.S_D + i] * s[at.S_BASE_VALUE + i]
        s[at.S_OVER_CAPS + i] += 1.0 if lp * half_usd > share * total * s[at.S_LP_SUPPLY + i] else 0.0
        s[at.S_UNSOUND + i] += 0.0 if lp >= 0.0 else 1.0


@dataclass(frozen=True, kw_only=True)
class Rebalancer(InPool):
    """``[amos.rebalancer]``"""

    lp_share: Figure = figure(0.0, 1.0, "", "share of the pool's LP tokens that it owns")
    minted: Figure = figure(-1e13, 1e13, "tokens", "stablecoin minted to it less burned")


def _reads(state: ProtocolState) -> tuple[Read | ReadFigure, ...]:
    """Origin's strategy, which has its LP tokens in the gauge (OriginProtocol/origin-dollar contracts/contracts/strategies/CurveAMOStrategy.sol @19854faa: slippage in 1e18;
    ``governor`` of contracts/contracts/governance/Governable.sol @e972b581).
    """
    name, pool = "rebalancer", pool_entry(state)
    held, staked, whole = held_of(pool, name), held_of("gauge", name), supply_of(pool)
    return (
        Read(
            contract=name, signature="maxSlippage()", decimals=18, parameter="rebalancer_max_slippage", meaning="most an operation may lose"
        ),
        ReadFigure(
            figure="amos.rebalancer.lp_share",
            of=(held, staked, whole),
            value=lambda found: (found.value(held) + found.value(staked)) / found.value(whole),
        ),
        owner(name, "governor"),
    )


MECHANISM = Mechanism(
    name="rebalancer",
    title="Rebalancer",
    stages=Stages(
        own=mine,
        begin=begin,
        market_operations=market_operations,
        operate=Flagged(flag=flag_operations, full=operate_active),
        watch=watch,
        cap=mine.P_SHARE,
        held=mine.S_LP,
        there=mine.C_THERE,
    ),
    earns=7,
    turn=7,
    section=Rebalancer,
    section_rank=2,
    reads=_reads,
    start=lambda state: {"lp": state.amos.rebalancer.lp_share.value, "minted": state.amos.rebalancer.minted.value},
    constants=lambda state: {"door": float(state.has("redeem")), "there": float(state.has("amos.rebalancer"))},
    parameters={
        "share": Parameter(
            "rebalancer_share",
            "Collateral for the rebalancer's pool (half of its LP tokens' worth), share of all collateral",
            "real",
            0.0,
            1.0,
            "",
            0.01,
            rank=134,
            share_of="collateral",
            default=0.0,
            policy=True,
        ),
        "trigger": Parameter(
            "rebalancer_trigger",
            "Imbalance of the pool above which the rebalancer evens it, difference of the sides over their sum",
            "real",
            0.0,
            1.0,
            "",
            0.01,
            rank=135,
            default=1.0,
            off=1.0,
            policy=True,
        ),
        "reach": Parameter(
            "rebalancer_reach",
            "Share of the imbalance that the rebalancer takes away",
            "real",
            0.0,
            1.0,
            "",
            0.05,
            rank=136,
            default=1.0,
            off=1.0,
            policy=True,
        ),
        "max_slippage": Parameter(
            "rebalancer_max_slippage",
            "Most that a rebalancer's operation may lose against the virtual price",
            "real",
            0.0,
            0.05,
            "",
            0.001,
            "setMaxSlippage",
            "rebalancer",
            18,
            rank=137,
            searched=False,
            default=0.01,
            off=0.01,
        ),
    },
    out={"share": UnderCap(used=lambda state: state.amos.rebalancer.collateral(state), use="held in the pool")},
    series={"lp": "rebalancer_lp", "minted": "rebalancer_minted"},
    expectations=(
        Expectation(parameter="share", metric="floor_supply_01_usd", sign=+1, reason="more collateral stands in the pool against sales"),
        Expectation(parameter="share", metric="shortfall_cvar90_bps", sign=-1, reason="a deeper pool falls less when the same is sold"),
        Expectation(
            parameter="trigger",
            metric="shortfall_cvar90_bps",
            sign=+1,
            reason="a pool that is evened later stands further from par meanwhile",
        ),
    ),
)
