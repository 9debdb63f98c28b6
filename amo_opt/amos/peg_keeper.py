"""The PegKeeper: stands on one side of a pool, mints into it while the stablecoin is dear and takes it back while it is cheap, within its ceiling.

Rules of PegKeeperV2 (curvefi/curve-stablecoin `contracts/stabilizer/PegKeeperV2.vy` @dd4f811e, in integers: `contracts.peg_keeper_v2`): a call moves a fifth of the
pool's imbalance, provides where the other side is larger and withdraws elsewhere, never more than its ceiling leaves or its debt is, at most once an action delay, and reverts
unless the LP tokens it owns beyond its debt grow by it. Whoever calls is paid its caller's share of that growth in LP tokens and calls while that pays his gas.

Calls in one: before the m-th the imbalance is e = 0.8^(m − 1) of the first, D and debt have grown by σ times what was moved, and the profit of a call, in units of D, with u = e / D,
k = 1 + 2 / Ann, σ = 1 to provide, −1 to withdraw, g = 1 + σ u / 5 and ε(u) = u² / (k − u²), where D = (x + y) / (1 + ε / Ann), is

    (ε(u) − g ε(0.8 u / g)) / Ann − (fee / 2) · u / 5 · (1 + σ u) · (1 − (1 − admin) · (debt / D + σ u / 5) / g)

It falls with u, so the calls that pay are the first ones, and their number is found by halving. What they move together is one one-sided change of liquidity. A keeper whose LP tokens
are worth less than its debt is not called unless the first call brings it above: the contract counts no growth below 0.

The keeper of the first pool alone (``[amos.peg_keeper]``) knows that pool only, and its hour is one such change after the trades. One of a pool that has a name (``[amos.NAME-keeper]``) is told
the aggregate price and is held by the regulator (`amos.regulator`): it provides at an aggregate of 1 or more and withdraws at 1 or less. Where one of these may act (`mark`), by how its pool stands as the hour begins or
ends and by the aggregate then, the hour is worked through in parts (`work`, `regulator.parts_of`): the pools go back along their invariants to where they stood, the hour's trades come evenly, averages, aggregate and verdicts are those of every
part, and every keeper in turn, another first each time, makes the calls of that part in one where the middle one of them is made, as many as find the averages, which follow them, where they may be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from amo_opt.amos import regulator
from amo_opt.amos.mechanism import Expectation, Flagged, Mechanism, Stages, UnderCap
from amo_opt.amos.pool_reads import held_of, pool_entry, supply_of
from amo_opt.amos.pools import ABREAST, MOST_POOLS
from amo_opt.amos.triggers import CAP_TOLERANCE
from amo_opt.protocol import lanes as at
from amo_opt.protocol.active_lanes import W_ACTIVE, W_COPY, filled_up, on_active
from amo_opt.protocol.elementary import exp, expm1_of
from amo_opt.protocol.holders import DUST_USD
from amo_opt.protocol.lanes import LANES, Own
from amo_opt.protocol.lanes import POOL as POOL_LINES
from amo_opt.protocol.parameters import Parameter
from amo_opt.protocol.reads import Read, ReadFigure, owner, tells
from amo_opt.protocol.state import Figure, OfPool, ProtocolState, figure
from amo_opt.stableswap.invariant import get_y, marginal_price
from amo_opt.stableswap.jit import Vector, scalar, stage
from amo_opt.stableswap.liquidity import changed_liquidity, changed_liquidity_of_one, issued_to_others

SHARE_OF_IMBALANCE = 0.2
"""What a call moves of the difference between the sides (PegKeeperV2, `SHARE` = 5)."""
LEAST_LEFT = 0.25
"""Share of the stablecoin that the hour's trades leave a pool which a keeper's withdrawals leave there too: what is bought here is sold in other pools, so that trade goes first."""
MOST_TILTED = 0.999
"""Most of what one side can have over the other at an A, squared, from which the hour's beginning is worked out."""
MOST_HELD = 0.999
"""Most of its LP tokens, at the virtual price, that an hour takes out."""

mine = Own(
    "peg_keeper",
    state=("debt", "lp", "root"),
    parameters=("ceiling", "caller_share"),
    constants=("calls", "gas_part", "there", "fee", "admin_fee", "admin_to_protocol", "of_supply", "pool", "follows"),
)
pool = Own("worked", state=POOL_LINES)
"""Lines of the pool that it works."""


@scalar
def imbalance_of(x: float, y: float) -> float:
    """What the larger side has over the smaller one, in units of D's coins."""
    gap: float = y - x if y > x else x - y
    return gap


@scalar
def profit_of(e: float, d: float, ann: float, fee: float, kept: float, debt: float, side: float, part: float) -> float:
    """LP profit of a call at imbalance ``e``, dollars at the virtual price; ``kept`` = what of the fee stays with providers, ``side`` = 1 to provide, -1 to withdraw,
    ``part`` = what it moves of the imbalance: a fifth, or what there is room for.
    """
    inverse_d = 1.0 / d
    u = e * inverse_d
    k = 1.0 + 2.0 / ann
    fifth = side * part * u
    grown = 1.0 + fifth
    square = u * u
    left = (1.0 - part) * (1.0 - part) * square
    gained = k * grown * (square * grown - left) + square * left * fifth
    over = ann * (k - square) * (k * grown * grown - left)
    paid = 0.5 * fee * part * u * (1.0 + side * u) * (grown - kept * (debt * inverse_d + fifth))
    profit: float = d * (gained * grown - paid * over) / (over * grown)
    return profit


class Told(NamedTuple):
    """What a keeper is told beside its own pool: the aggregate price, the weight of its pool there, what that pool's spot and sides are, by how much the aggregate may be on the
    other side of 1 (anything, for one that is told nothing), what an average lags a call later, how far the aggregate of spots is from it, the pool's own average and how far its
    spot may be from that.
    """

    aggregate: float
    weight: float
    spot: float
    x: float
    y: float
    tolerance: float
    lags: float
    drift: float
    average: float
    deviation: float


@scalar
def on_side(told: Told, side: float, moved: float, d: float, ann: float, left: float, late: float, lag: float) -> bool:
    """Whether the aggregate is still on its side, and the pool's spot near its average, when calls have left ``left`` of the imbalance; ``late`` = Σ 0.2 · 0.8^(i − 1) of
    them, each by what an average still lags behind it, ``lag`` = what one lags behind what was before them.
    """
    rest = late / (1.0 - left if left < 1.0 else 1.0)
    price = marginal_price(told.x + moved, told.y, d + moved, ann)
    change = price - told.spot
    aggregate = told.aggregate + (1.0 - lag) * told.drift + told.weight * (1.0 - rest) * change
    gap = lag * (told.spot - told.average) + rest * change
    return (side * (aggregate - 1.0) >= -told.tolerance) & (abs(gap) <= told.deviation)


class Done(NamedTuple):
    """Calls made so far: what they ``left`` of the imbalance, how many, Σ 0.2 · 0.8^(i − 1) of them, each by what an average still lags behind it (``late``), and what one
    lags behind what was before them (``since``).
    """

    left: float
    made: float
    late: float
    since: float


@scalar
def halved(
    done: Done,
    then: Done,
    last: Done,
    e: float,
    d: float,
    ann: float,
    fee: float,
    kept: float,
    debt: float,
    side: float,
    least: float,
    calls: float,
    room: float,
    told: Told,
) -> Done:
    """``then`` more calls after those ``done`` where there is room for all, and the last of them, before which are ``last`` of these, pays, finds the aggregate on its side
    and spot near its average.
    """
    rest = done.left * last.left
    now = e * rest
    moved = side * (e - now)
    pays = profit_of(now, d + moved, ann, fee, kept, debt + moved, side, SHARE_OF_IMBALANCE) > least
    allowed = on_side(told, side, moved, d, ann, rest, done.late * last.since + done.left * last.late, done.since * last.since)
    left = done.left * then.left
    taken = pays & allowed & (done.made + then.made <= calls) & (e * (1.0 - left) <= room)
    return Done(
        left if taken else done.left,
        done.made + then.made if taken else done.made,
        done.late * then.since + done.left * then.late if taken else done.late,
        done.since * then.since if taken else done.since,
    )


@scalar
def joined(one: Done, other: Done) -> Done:
    """``other`` calls after ``one``."""
    return Done(one.left * other.left, one.made + other.made, one.late * other.since + one.left * other.late, one.since * other.since)


@scalar
def left_after(
    e: float, d: float, ann: float, fee: float, kept: float, debt: float, side: float, least: float, calls: float, room: float, told: Told
) -> Done:
    """An hour's calls: those that bring more than ``least``, at most ``calls`` and for as much as there is ``room``."""
    none = Done(1.0, 0.0, 0.0, 1.0)
    # so many calls, each a lag of the averages after the one before
    one = Done(0.8, 1.0, SHARE_OF_IMBALANCE * told.lags, told.lags)
    two = joined(one, one)
    three = joined(two, one)
    four = joined(two, two)
    seven = joined(four, three)
    eight = joined(four, four)
    fifteen = joined(eight, seven)
    sixteen = joined(eight, eight)
    done = halved(none, joined(sixteen, sixteen), joined(sixteen, fifteen), e, d, ann, fee, kept, debt, side, least, calls, room, told)
    done = halved(done, sixteen, fifteen, e, d, ann, fee, kept, debt, side, least, calls, room, told)
    done = halved(done, eight, seven, e, d, ann, fee, kept, debt, side, least, calls, room, told)
    done = halved(done, four, three, e, d, ann, fee, kept, debt, side, least, calls, room, told)
    done = halved(done, two, one, e, d, ann, fee, kept, debt, side, least, calls, room, told)
    return halved(done, one, none, e, d, ann, fee, kept, debt, side, least, calls, room, told)


@scalar
def moved_of(
    x: float,
    y: float,
    d: float,
    ann: float,
    held: float,
    debt: float,
    ceiling: float,
    fee: float,
    kept: float,
    least: float,
    calls: float,
    dust: float,
    told: Told,
    allowed: float,
    withdraws: float,
) -> float:
    """Stablecoin that the keeper moves this hour: provided where positive, withdrawn where negative; ``held`` = its LP tokens at the virtual price; ``allowed`` = the debt that the regulator
    allows, ``withdraws`` = 1 where it lets the keeper withdraw.
    """
    provides = y > x
    side = 1.0 if provides else -1.0
    e = imbalance_of(x, y)
    most = ceiling if ceiling < allowed else allowed
    room = most - debt
    room = room if room > 0.0 else 0.0
    owed = debt if debt < MOST_HELD * held else MOST_HELD * held
    room = room if provides else (owed if owed > 0.0 else 0.0)
    done = left_after(e, d, ann, fee, kept, debt, side, least, calls, room, told)
    left, made = done.left, done.made
    amount = e * (1.0 - left)
    # one more for less than a fifth, as there is no room for more
    rest, e_now = room - amount, e * left
    short = (rest > 0.0) & (rest < SHARE_OF_IMBALANCE * e_now) & (made + 1.0 <= calls)
    part = rest / e_now if short else SHARE_OF_IMBALANCE
    moved = side * amount
    pays = profit_of(e_now, d + moved, ann, fee, kept, debt + moved, side, part) > least
    on = on_side(told, side, moved, d, ann, left, done.late, done.since)
    amount = room if (short & pays & on) else amount
    amount = amount if (provides | (withdraws > 0.5)) else 0.0
    afloat = (held >= debt) | (
        held - debt + profit_of(e, d, ann, fee, kept, debt, side, room / e if room < SHARE_OF_IMBALANCE * e else SHARE_OF_IMBALANCE) > 0.0
    )
    amount = amount if (d > dust) & afloat else 0.0
    return side * amount


@scalar
def alone(x: float, y: float) -> Told:
    """What a keeper goes by that knows nothing but its own pool."""
    return Told(1.0, 0.0, 1.0, x, y, 1e9, 0.0, 0.0, 1.0, 1e9)


@stage
def begin(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, q: Vector, k: Vector, b: Vector) -> None:
    """Its share of the pool in LP tokens. Its debt is under a ceiling of its own, not among the minter's sums."""
    ceiling = q[mine.P_CEILING]
    of_supply = k[mine.C_OF_SUPPLY]
    for i in range(LANES):
        debt = a[mine.S_DEBT + i]
        most = ceiling * (of_supply * s[at.S_SUPPLY + i] + (1.0 - of_supply))
        root = regulator.root_of(debt, most)
        a[mine.S_LP + i] *= b[pool.S_LP_SUPPLY + i]
        a[mine.S_ROOT + i] = root
        s[at.S_KEEPER_DEBT + i] += debt
        s[at.S_KEEPER_ROOTS + i] += root


@stage
def operate_of(s: Vector, m: Vector, _p: Vector, c: Vector, a: Vector, _n: Vector, q: Vector, k: Vector, b: Vector, lanes: int) -> None:
    """The hour's calls as one one-sided change of liquidity in the first ``lanes`` lanes, and the caller's part of what it brought."""
    fee = k[mine.C_FEE]
    half_fee = 0.5 * fee
    admin = k[mine.C_ADMIN_FEE]
    admin_to_protocol = k[mine.C_ADMIN_TO_PROTOCOL]
    dust = DUST_USD * c[at.C_SIZE]
    ceiling = q[mine.P_CEILING]
    of_supply = k[mine.C_OF_SUPPLY]
    share = q[mine.P_CALLER_SHARE]
    inverse_share = 1.0 / (share if share > 1e-9 else 1e-9)
    calls = k[mine.C_CALLS]
    gas_part = k[mine.C_GAS_PART]
    for i in range(lanes):
        x = b[pool.S_POOL_X + i]
        y = b[pool.S_POOL_Y + i]
        d = b[pool.S_D + i]
        ann = b[pool.S_ANN + i]
        own = b[pool.S_OWN + i]
        lp_supply = b[pool.S_LP_SUPPLY + i]
        lp = a[mine.S_LP + i]
        held = lp / lp_supply * d
        supply = s[at.S_SUPPLY + i]
        base_value = b[pool.S_BASE_VALUE + i]
        debt = a[mine.S_DEBT + i]
        root = a[mine.S_ROOT + i]
        most = ceiling * (of_supply * supply + (1.0 - of_supply))
        least = m[at.M_GAS_USD + i] * gas_part * inverse_share
        change = moved_of(x, y, d, ann, held, debt, most, fee, 1.0 - admin, least, calls, dust, alone(x, y), 1e300, 1.0)
        x_2, y_2, d_3, lp_change, fee_x, fee_y = changed_liquidity(x, y, d, ann, lp_supply, change, 0.0, half_fee, admin)
        lp_supply_2 = lp_supply + lp_change
        lp_2 = lp + lp_change
        # the contract's own count: LP beyond the debt at the virtual price, no less than 0, before and after
        after = d_3 * lp_2 / lp_supply_2 - debt - change
        before = held - debt
        brought = (after if after > 0.0 else 0.0) - (before if before > 0.0 else 0.0)
        done = (abs(change) > 0.0) & (brought > 0.0) & (lp_2 >= 0.0)
        reward = share * (brought if brought > 0.0 else 0.0) / d_3 * lp_supply_2
        reward = reward if reward < lp_2 else lp_2  # rounding: all of it goes to a caller who is given everything
        lp_amo = b[pool.S_LP_AMO + i] + lp_change - reward
        lp_amo = lp_amo if lp_amo > 0.0 else 0.0
        own_2 = lp_amo / lp_supply_2
        back_x = admin_to_protocol * fee_x
        back_y = admin_to_protocol * fee_y * base_value
        # own debt changes hands at the pool's price: what par is beyond it is neither earned nor lost by operating
        issued = issued_to_others(x, own, x_2, own_2, admin * fee_x)
        off_par = (1.0 - marginal_price(x, y, d, ann) * base_value) * issued
        gained = (1.0 - own_2) * (x_2 + y_2 * base_value) - (1.0 - own) * (x + y * base_value)
        cost = gained - off_par + admin * (fee_x + fee_y * base_value)
        s[at.S_INCOME_MARKET_OPERATIONS + i] -= cost if done else 0.0
        s[at.S_INCOME_DEBT_DISCOUNT + i] -= off_par if done else 0.0
        s[at.S_INCOME_SWAP_FEES + i] += back_x + back_y if done else 0.0
        b[pool.S_POOL_X + i] = x_2 if done else x
        b[pool.S_POOL_Y + i] = y_2 if done else y
        b[pool.S_D + i] = d_3 if done else d
        b[pool.S_LP_SUPPLY + i] = lp_supply_2 if done else lp_supply
        b[pool.S_LP_AMO + i] = lp_amo if done else b[pool.S_LP_AMO + i]
        b[pool.S_OWN + i] = own_2 if done else own
        given = change if done else 0.0
        burned = back_x if done else 0.0
        debt_2 = debt + given
        root_2 = regulator.root_of(debt_2, most)
        s[at.S_SUPPLY + i] = supply + given - burned
        s[at.S_NET_ISSUED + i] -= burned
        s[at.S_IDLE + i] += back_y / s[at.S_COLLATERAL_PRICE + i] if done else 0.0
        s[at.S_KEEPER_DEBT + i] += given
        s[at.S_KEEPER_ROOTS + i] += root_2 - root
        a[mine.S_DEBT + i] = debt_2
        a[mine.S_LP + i] = lp_2 - reward if done else lp
        a[mine.S_ROOT + i] = root_2


operate_active = on_active(
    operate_of,
    writes=(
        at.S_INCOME_MARKET_OPERATIONS,
        at.S_INCOME_DEBT_DISCOUNT,
        at.S_INCOME_SWAP_FEES,
        at.S_SUPPLY,
        at.S_IDLE,
        at.S_NET_ISSUED,
        at.S_KEEPER_DEBT,
        at.S_KEEPER_ROOTS,
    ),
    reads=(at.S_COLLATERAL_PRICE,),
    market=(at.M_GAS_USD,),
    own_writes=(mine.S_DEBT, mine.S_LP, mine.S_ROOT),
    pool_writes=(pool.S_POOL_X, pool.S_POOL_Y, pool.S_D, pool.S_LP_SUPPLY, pool.S_OWN, pool.S_LP_AMO),
    pool_reads=(pool.S_ANN, pool.S_BASE_VALUE),
)


@stage
def flag_calls(s: Vector, m: Vector, _p: Vector, c: Vector, a: Vector, _n: Vector, q: Vector, k: Vector, b: Vector, w: Vector) -> None:
    """Flags the lanes in which a first call would pay, for `operate_active`."""
    fee = k[mine.C_FEE]
    kept = 1.0 - k[mine.C_ADMIN_FEE]
    dust = DUST_USD * c[at.C_SIZE]
    ceiling = q[mine.P_CEILING]
    of_supply = k[mine.C_OF_SUPPLY]
    share = q[mine.P_CALLER_SHARE]
    inverse_share = 1.0 / (share if share > 1e-9 else 1e-9)
    gas_part = k[mine.C_GAS_PART]
    for i in range(LANES):
        x = b[pool.S_POOL_X + i]
        y = b[pool.S_POOL_Y + i]
        d = b[pool.S_D + i]
        debt = a[mine.S_DEBT + i]
        least = m[at.M_GAS_USD + i] * gas_part * inverse_share
        most = ceiling * (of_supply * s[at.S_SUPPLY + i] + (1.0 - of_supply))
        provides = y > x
        side = 1.0 if provides else -1.0
        room = most - debt if provides else debt
        e = imbalance_of(x, y)
        part = room / e if room < SHARE_OF_IMBALANCE * e else SHARE_OF_IMBALANCE
        pays = profit_of(e, d, b[pool.S_ANN + i], fee, kept, debt, side, part) > least
        w[W_ACTIVE + i] = 1.0 if (pays & (room > 0.0) & (d > dust)) else 0.0


# -- keepers of pools that have names ----------------------------------------------------------------------------------------------

_W_MARK = W_COPY
"""In the scratch block: whether a keeper may act in the lane, then, pool beside pool, what a part of the hour brings each, what its trades leave it, and what a first call is worth."""
_W_FLOW = _W_MARK + LANES
_W_LEFT = _W_FLOW + MOST_POOLS
_W_WEIGHT = _W_LEFT + MOST_POOLS
_W_DEPTH = _W_WEIGHT + MOST_POOLS
_W_X = _W_DEPTH + MOST_POOLS
_W_Y = _W_X + MOST_POOLS
_W_D = _W_Y + MOST_POOLS
_W_ANN = _W_D + MOST_POOLS
_W_LAST = _W_ANN + MOST_POOLS
_W_AVERAGE = _W_LAST + MOST_POOLS
_W_MOVED_X = _W_AVERAGE + MOST_POOLS
_W_MOVED_Y = _W_MOVED_X + MOST_POOLS
_W_FEE = _W_MOVED_Y + MOST_POOLS
_W_KEPT = _W_FEE + MOST_POOLS
_W_DEBT = _W_KEPT + MOST_POOLS
_W_MOST = _W_DEBT + MOST_POOLS
_W_LEAST = _W_MOST + MOST_POOLS
_W_OFFERS = _W_LEAST + MOST_POOLS
_W_SPOT = _W_OFFERS + MOST_POOLS
_STATE, _PARAMETERS, _CONSTANTS = len(mine.state) * LANES, len(mine.parameters), len(mine.constants)
"""How far apart two keepers' own lie: they stand side by side."""


@scalar
def sides_of(tilt: float, d: float, ann: float) -> tuple[float, float]:
    """The sides of a pool by what the other side has over the stablecoin, as a share of D."""
    square = tilt * tilt
    both = d * (1.0 + square / ((1.0 + 2.0 / ann - square) * ann))
    gap = tilt * d
    return 0.5 * (both - gap), 0.5 * (both + gap)


@scalar
def may_act(
    tilt: float,
    d: float,
    ann: float,
    fee: float,
    kept: float,
    held: float,
    debt: float,
    most: float,
    least: float,
    now: float,
    before: float,
) -> bool:
    """Whether a first call would pay at that tilt and has room, with an aggregate on its side ``now`` or ``before``."""
    side = 1.0 if tilt > 0.0 else -1.0
    room = most - debt if tilt > 0.0 else debt
    e = abs(tilt) * d
    part = room / e if room < SHARE_OF_IMBALANCE * e else SHARE_OF_IMBALANCE
    profit = profit_of(e, d, ann, fee, kept, debt, side, part)
    told = side * (now - 1.0)
    told_before = side * (before - 1.0)
    on_side = (told >= 0.0) | (told_before >= 0.0)
    return (profit > least) & (room > 1e-9 * most) & on_side & ((held >= debt) | (held - debt + profit > 0.0))


@stage
def unmark(_s: Vector, w: Vector) -> None:
    """No keeper may act yet."""
    for i in range(LANES):
        w[_W_MARK + i] = 0.0


@stage
def mark(s: Vector, m: Vector, _p: Vector, c: Vector, a: Vector, _n: Vector, q: Vector, k: Vector, b: Vector, w: Vector) -> None:
    """Marks the lanes in which this keeper may act, as its pool stood when the hour began or stands now."""
    fee = k[mine.C_FEE]
    kept = 1.0 - k[mine.C_ADMIN_FEE]
    dust = DUST_USD * c[at.C_SIZE]
    ceiling = q[mine.P_CEILING]
    share = q[mine.P_CALLER_SHARE]
    per_share = k[mine.C_GAS_PART] / (share if share > 1e-9 else 1e-9)
    for i in range(LANES):
        x = b[pool.S_POOL_X + i]
        y = b[pool.S_POOL_Y + i]
        d = b[pool.S_D + i]
        ann = b[pool.S_ANN + i]
        debt = a[mine.S_DEBT + i]
        held = a[mine.S_LP + i] / b[pool.S_LP_SUPPLY + i] * d
        roots = s[at.S_KEEPER_ROOTS + i] - a[mine.S_ROOT + i]
        limit = regulator.allowed_debt(1.0, 1.0, s[at.S_ALPHA + i], s[at.S_BETA + i], roots, debt, ceiling)
        most = ceiling if ceiling < limit else limit
        least = m[at.M_GAS_USD + i] * per_share
        now = s[at.S_AGGREGATE + i]
        before = s[at.S_AGGREGATE_BEFORE + i]
        ends = may_act((y - x) / d, d, ann, fee, kept, held, debt, most, least, now, before)
        begins = may_act(b[pool.S_POOL_TILT + i], d, ann, fee, kept, held, debt, most, least, now, before)
        marked = (ends | begins) & (d > dust)
        w[_W_MARK + i] = 1.0 if marked else w[_W_MARK + i]


@scalar
def rewound(s: Vector, c: Vector, w: Vector, i: int) -> None:
    """The pools back where the hour began, along their invariants."""
    for j in range(int(c[at.C_KEEPERS])):
        b = int(c[int(c[at.C_KEEPERS_CONSTANTS]) + j * _CONSTANTS + mine.C_POOL]) + i
        x, y, d, ann = s[b + pool.S_POOL_X], s[b + pool.S_POOL_Y], s[b + pool.S_D], s[b + pool.S_ANN]
        tilt = s[b + pool.S_POOL_TILT]
        # a ramp of A may leave a pool where no tilt of before can be: then the hour's trades are not taken apart
        x_0 = sides_of(tilt, d, ann)[0] if tilt * tilt < MOST_TILTED * (1.0 + 2.0 / ann) else x
        y_0 = get_y(x_0, d, ann)
        w[_W_FLOW + j] = x - x_0
        w[_W_LEFT + j] = LEAST_LEFT * x
        w[_W_DEPTH + j] = d
        s[at.S_INCOME_DEBT_DISCOUNT + i] += s[b + pool.S_OWN] * (x_0 - x + (y_0 - y) * s[b + pool.S_BASE_VALUE])
        s[b + pool.S_POOL_X] = x_0
        s[b + pool.S_POOL_Y] = y_0
        s[b + pool.S_POOL_PRICE] = s[b + pool.S_POOL_BEFORE]


@scalar
def traded(s: Vector, c: Vector, k: Vector, w: Vector, i: int, share: float) -> None:
    """A part of the hour's trades at every pool; averages follow, and the aggregate is told. The pools stand side by side in the scratch block meanwhile, filled up to whole
    vectors of them with the first one.
    """
    count, constants = int(c[at.C_KEEPERS]), int(c[at.C_KEEPERS_CONSTANTS])
    keeps, decay, inverse = regulator.of_part(k, share)
    filled = filled_up(count, ABREAST)
    for j in range(filled):
        b = int(c[constants + (j if j < count else 0) * _CONSTANTS + mine.C_POOL]) + i
        w[_W_X + j] = s[b + pool.S_POOL_X]
        w[_W_Y + j] = s[b + pool.S_POOL_Y]
        w[_W_D + j] = s[b + pool.S_D]
        w[_W_ANN + j] = s[b + pool.S_ANN]
        w[_W_LAST + j] = s[b + pool.S_POOL_LAST]
        w[_W_AVERAGE + j] = s[b + pool.S_POOL_PRICE]
    for j in range(filled):
        d, ann = w[_W_D + j], w[_W_ANN + j]
        x_2 = w[_W_X + j] + w[_W_FLOW + j] * share
        y_2 = get_y(x_2, d, ann)
        spot = marginal_price(x_2, y_2, d, ann)
        last = w[_W_LAST + j]
        w[_W_AVERAGE + j] = spot + keeps * (last - spot) + decay * (w[_W_AVERAGE + j] - last)
        w[_W_LAST + j] = spot
        w[_W_MOVED_X + j] = x_2
        w[_W_MOVED_Y + j] = y_2
    depth = weighted = highest = second = 0.0
    for j in range(count):
        b = int(c[constants + j * _CONSTANTS + mine.C_POOL]) + i
        x_2, y_2, now = w[_W_MOVED_X + j], w[_W_MOVED_Y + j], w[_W_AVERAGE + j]
        s[at.S_INCOME_DEBT_DISCOUNT + i] += s[b + pool.S_OWN] * (x_2 - w[_W_X + j] + (y_2 - w[_W_Y + j]) * s[b + pool.S_BASE_VALUE])
        s[b + pool.S_POOL_X] = x_2
        s[b + pool.S_POOL_Y] = y_2
        s[b + pool.S_POOL_LAST] = w[_W_LAST + j]
        s[b + pool.S_POOL_PRICE] = now
        depth += w[_W_DEPTH + j]
        weighted += w[_W_DEPTH + j] * now
        second = highest if now > highest else (now if now > second else second)
        highest = now if now > highest else highest
    mean = weighted / depth
    least = 1e300
    for j in range(count):
        away = (w[_W_AVERAGE + j] - mean) * inverse
        least = min(least, away * away)
    for j in range(filled):
        away = (w[_W_AVERAGE + j] - mean) * inverse
        w[_W_WEIGHT + j] = w[_W_DEPTH + j] * exp(least - away * away)
    weight = price = now = 0.0
    for j in range(count):
        weight += w[_W_WEIGHT + j]
        price += w[_W_WEIGHT + j] * w[_W_AVERAGE + j]
        now += w[_W_WEIGHT + j] * w[_W_LAST + j]
    for j in range(count):
        w[_W_WEIGHT + j] /= weight
    w[_W_SPOT] = now / weight
    s[at.S_AGGREGATE + i] = price / weight
    s[at.S_AGGREGATE_DEPTH + i] = depth
    s[at.S_HIGHEST + i] = highest
    s[at.S_SECOND_HIGHEST + i] = second


@scalar
def agreed(m: Vector, p: Vector, c: Vector, w: Vector, i: int) -> None:
    """What of a first call's worth the hour does not change: fees, ceilings, and the least that a caller asks for."""
    count = int(c[at.C_KEEPERS])
    for j in range(filled_up(count, ABREAST)):
        k = j if j < count else 0
        of = int(c[at.C_KEEPERS_CONSTANTS]) + k * _CONSTANTS
        parameters = int(c[at.C_KEEPERS_PARAMETERS]) + k * _PARAMETERS
        w[_W_FEE + j] = c[of + mine.C_FEE]
        w[_W_KEPT + j] = 1.0 - c[of + mine.C_ADMIN_FEE]
        w[_W_MOST + j] = p[parameters + mine.P_CEILING]
        w[_W_LEAST + j] = m[at.M_GAS_USD + i] * c[of + mine.C_GAS_PART] / max(p[parameters + mine.P_CALLER_SHARE], 1e-9)


@scalar
def offered(s: Vector, c: Vector, w: Vector, i: int) -> None:
    """The side on which a first call at every pool would bring its caller more than the least that he asks for, 0 where it would not. It hangs on the pool and its keeper
    alone, so it stands until that one acts.
    """
    count = int(c[at.C_KEEPERS])
    filled = filled_up(count, ABREAST)
    for j in range(filled):
        w[_W_DEBT + j] = s[int(c[at.C_KEEPERS_STATE]) + (j if j < count else 0) * _STATE + i + mine.S_DEBT]
    for j in range(filled):
        x, y, debt = w[_W_MOVED_X + j], w[_W_MOVED_Y + j], w[_W_DEBT + j]
        side = 1.0 if y > x else -1.0
        room = w[_W_MOST + j] - debt if y > x else debt
        e = imbalance_of(x, y)
        part = room / e
        part = part if part < SHARE_OF_IMBALANCE else SHARE_OF_IMBALANCE
        profit = profit_of(e, w[_W_D + j], w[_W_ANN + j], w[_W_FEE + j], w[_W_KEPT + j], debt, side, part)
        w[_W_OFFERS + j] = side if (part > 0.0) & (profit > w[_W_LEAST + j]) else 0.0


@scalar
def acted(s: Vector, p: Vector, c: Vector, q: Vector, k: Vector, w: Vector, i: int, j: int, calls: float, kept_back: float) -> None:
    """So many calls of one keeper at most, as one change of liquidity that leaves ``kept_back`` of the stablecoin in the pool, with the caller's part of what it brought."""
    constants = int(c[at.C_KEEPERS_CONSTANTS]) + j * _CONSTANTS
    a = int(c[at.C_KEEPERS_STATE]) + j * _STATE + i
    b = int(c[constants + mine.C_POOL]) + i
    x, y, d, ann = s[b + pool.S_POOL_X], s[b + pool.S_POOL_Y], s[b + pool.S_D], s[b + pool.S_ANN]
    debt, lp, lp_supply = s[a + mine.S_DEBT], s[a + mine.S_LP], s[b + pool.S_LP_SUPPLY]
    side, aggregate = w[_W_OFFERS + j], s[at.S_AGGREGATE + i]
    fee, admin = w[_W_FEE + j], c[constants + mine.C_ADMIN_FEE]
    share = p[int(c[at.C_KEEPERS_PARAMETERS]) + j * _PARAMETERS + mine.P_CALLER_SHARE]
    least, most = w[_W_LEAST + j], w[_W_MOST + j]
    spot = s[b + pool.S_POOL_LAST]
    provides, withdraws = regulator.verdict_of(q, k, spot, s[b + pool.S_POOL_PRICE], s[at.S_HIGHEST + i], s[at.S_SECOND_HIGHEST + i])
    root = s[a + mine.S_ROOT]
    allowed = regulator.allowed_debt(1.0, provides, s[at.S_ALPHA + i], s[at.S_BETA + i], s[at.S_KEEPER_ROOTS + i] - root, debt, most)
    weight = w[_W_WEIGHT + j]
    follows = c[constants + mine.C_FOLLOWS]
    near = regulator.deviation_of(q, k, side)
    told = Told(aggregate, weight, spot, x, y, 0.0, 1.0 - follows, w[_W_SPOT] - aggregate, s[b + pool.S_POOL_PRICE], near)
    held = lp / lp_supply * d
    dust = DUST_USD * c[at.C_SIZE]
    change = moved_of(x, y, d, ann, held, debt, most, fee, 1.0 - admin, least, calls, dust, told, allowed, withdraws)
    change = max(change, min(kept_back - x, 0.0))
    if change == 0.0:
        return
    x_2, y_2, d_3, lp_change, fee_x, fee_y = changed_liquidity_of_one(x, y, d, ann, lp_supply, change, 0.0, 0.5 * fee, admin)
    lp_supply_2, lp_2 = lp_supply + lp_change, lp + lp_change
    brought = max(d_3 * lp_2 / lp_supply_2 - debt - change, 0.0) - max(held - debt, 0.0)
    if brought <= 0.0 or lp_2 < 0.0:
        return
    reward = share * brought / d_3 * lp_supply_2
    base_value, own = s[b + pool.S_BASE_VALUE], s[b + pool.S_OWN]
    lp_amo = s[b + pool.S_LP_AMO] + lp_change - reward
    own_2 = lp_amo / lp_supply_2
    back_x = c[constants + mine.C_ADMIN_TO_PROTOCOL] * fee_x
    back_y = c[constants + mine.C_ADMIN_TO_PROTOCOL] * fee_y * base_value
    gained = (1.0 - own_2) * (x_2 + y_2 * base_value) - (1.0 - own) * (x + y * base_value)
    # own debt changes hands at the pool's price, as in `operate_of`
    off_par = (1.0 - spot * base_value) * issued_to_others(x, own, x_2, own_2, admin * fee_x)
    s[at.S_INCOME_MARKET_OPERATIONS + i] -= gained - off_par + admin * (fee_x + fee_y * base_value)
    s[at.S_INCOME_DEBT_DISCOUNT + i] -= off_par
    s[at.S_INCOME_SWAP_FEES + i] += back_x + back_y
    s[b + pool.S_POOL_X] = x_2
    s[b + pool.S_POOL_Y] = y_2
    s[b + pool.S_D] = d_3
    s[b + pool.S_LP_SUPPLY] = lp_supply_2
    s[b + pool.S_LP_AMO] = lp_amo
    s[b + pool.S_OWN] = own_2
    s[b + pool.S_POOL_LAST] = marginal_price(x_2, y_2, d_3, ann)
    s[at.S_AGGREGATE + i] += weight * follows * (s[b + pool.S_POOL_LAST] - spot)
    w[_W_SPOT] += weight * (s[b + pool.S_POOL_LAST] - spot)
    s[at.S_SUPPLY + i] += change - back_x
    s[at.S_NET_ISSUED + i] -= back_x
    s[at.S_IDLE + i] += back_y / s[at.S_COLLATERAL_PRICE + i]
    s[at.S_KEEPER_DEBT + i] += change
    s[a + mine.S_DEBT] = debt + change
    s[a + mine.S_LP] = lp_2 - reward
    s[a + mine.S_ROOT] = regulator.root_of(debt + change, most)
    s[at.S_KEEPER_ROOTS + i] += s[a + mine.S_ROOT] - root


@stage
def work(s: Vector, m: Vector, p: Vector, c: Vector, _a: Vector, _n: Vector, q: Vector, k: Vector, w: Vector) -> None:
    """The hour of the marked lanes in parts: trades, averages, aggregate, every keeper's calls. A branch a lane, as few lanes are marked."""
    count = int(c[at.C_KEEPERS])
    constants = int(c[at.C_KEEPERS_CONSTANTS])
    most = 0.0
    for j in range(count):
        most = max(most, c[constants + j * _CONSTANTS + mine.C_CALLS])
    for i in range(LANES):
        if w[_W_MARK + i] < 0.5:
            continue
        parts = regulator.parts_of(most, s[at.S_AGGREGATE_BEFORE + i], s[at.S_AGGREGATE + i])
        each = most / parts
        # calls stand for where the middle one of them is made; those after the last middle come as the hour ends
        first = 0.5 + 0.5 / each if each > 1.0 else 1.0
        rewound(s, c, w, i)
        agreed(m, p, c, w, i)
        for part in range(parts + 1 if first < 1.0 else parts):
            share = first if part == 0 else (1.0 if part < parts else 1.0 - first)
            traded(s, c, k, w, i, share / parts)
            offered(s, c, w, i)
            for turn in range(count):
                j = (part + turn) % count
                calls = int(c[constants + j * _CONSTANTS + mine.C_CALLS])
                later = max(calls // parts - 1, 0) // 2
                now = calls * (part + 1) // parts - calls * part // parts - (later if part == 0 else 0) if part < parts else later
                side = w[_W_OFFERS + j]
                if now > 0 and side != 0.0 and not side * (s[at.S_AGGREGATE + i] - 1.0) < 0.0:
                    # what trade still takes of it in the parts to come
                    taken = -min(w[_W_FLOW + j], 0.0) * max(1.0 - (part + first) / parts, 0.0)
                    acted(s, p, c, q, k, w, i, j, float(now), w[_W_LEFT + j] + taken)


@stage
def remember(_s: Vector, _m: Vector, _p: Vector, _c: Vector, _a: Vector, _n: Vector, _q: Vector, _k: Vector, b: Vector) -> None:
    """How the hour leaves a pool, for the next one."""
    for i in range(LANES):
        x = b[pool.S_POOL_X + i]
        y = b[pool.S_POOL_Y + i]
        d = b[pool.S_D + i]
        b[pool.S_POOL_LAST + i] = marginal_price(x, y, d, b[pool.S_ANN + i])
        b[pool.S_POOL_TILT + i] = (y - x) / d


@stage
def watch(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, q: Vector, k: Vector, _b: Vector) -> None:
    """Whether its debt is over its ceiling."""
    ceiling = q[mine.P_CEILING]
    of_supply = k[mine.C_OF_SUPPLY]
    for i in range(LANES):
        supply = s[at.S_SUPPLY + i]
        most = ceiling * (of_supply * supply + (1.0 - of_supply)) + CAP_TOLERANCE * supply
        s[at.S_OVER_CAPS + i] += 1.0 if a[mine.S_DEBT + i] > most else 0.0


@dataclass(frozen=True, kw_only=True)
class PegKeeper(OfPool):
    """``[amos.peg_keeper]``, or ``[amos.NAME-keeper]`` of the pool NAME, which is then what it is ``on``."""

    minted: Figure = figure(0.0, 1e13, "tokens", "stablecoin provided and not yet withdrawn: its debt")
    lp_share: Figure = figure(0.0, 1.0, "", "share of the pool's LP tokens that it owns")
    action_delay_seconds: Figure = figure(1.0, 86_400.0, "s", "least time between two of its calls", off=3600.0)
    gas_part: Figure = figure(0.0, 10.0, "", "gas of a call over that of an AMO operation", off=1.0)


def _name(label: str) -> str:
    return f"{label}-keeper" if label else "peg_keeper"


def _section(state: ProtocolState, label: str) -> PegKeeper:
    found: PegKeeper = getattr(state.amos, _name(label))
    return found


def _constants(state: ProtocolState, label: str) -> dict[str, float]:
    section = _section(state, label)
    first = label in ("", state.pool_name)
    worked = state.pool if first else getattr(state.pools, label)
    admin = worked.admin_fee.value
    return {
        "calls": max(1.0, 3600.0 // section.action_delay_seconds.value),
        "gas_part": section.gas_part.value,
        "there": float(state.has(f"amos.{_name(label)}")),
        "fee": worked.fee.value,
        "admin_fee": admin,
        "admin_to_protocol": admin * state.pool.protocol_admin_share.value if first else 0.0,
        "of_supply": 0.0 if label else 1.0,
        "pool": 0.0,  # where its pool's lines begin: `simulation.pack` knows
        "follows": -expm1_of(-section.action_delay_seconds.value / state.amos.regulator.average_seconds.value) if label else 0.0,
    }


def _reads(state: ProtocolState, label: str) -> tuple[Read | ReadFigure, ...]:
    """The keeper at ``[contracts.NAME]``, its part of its pool, and the ceiling that the factory keeps for it (curvefi/curve-stablecoin
    contracts/stabilizer/PegKeeperV2.vy @a519704e: debt in 1e18, the caller's share of 1e5; ``debt_ceiling`` of contracts/ControllerFactory.vy, by account).
    """
    name, pool = _name(label), pool_entry(state, label)
    debt = Read(contract=name, signature="debt()", decimals=18, meaning="stablecoin provided and not yet withdrawn")
    held, whole = held_of(pool, name), supply_of(pool)
    return (
        debt,
        tells(f"amos.{name}.minted", debt),
        ReadFigure(figure=f"amos.{name}.lp_share", of=(held, whole), value=lambda found: found.value(held) / found.value(whole)),
        Read(
            contract=name,
            signature="caller_share()",
            decimals=5,
            parameter=f"{name}.caller_share" if label else "peg_keeper_caller_share",
            meaning="share of the profit that the caller gets",
        ),
        Read(
            contract="controller_factory",
            signature="debt_ceiling(address)",
            arguments=(name,),
            decimals=18,
            parameter=f"{name}.ceiling" if label else "",
            meaning="most stablecoin that it may hold or have provided",
        ),
        Read(contract=name, signature="regulator()", outputs=("address",), meaning="who says when it may act"),
        owner(name, "admin"),
    )


def keeper(label: str = "", *, first: bool = False) -> Mechanism:
    """The PegKeeper of the pool of that name, ``first`` where that is the first pool; of the only one without a name."""
    name, title = _name(label), f"{label.upper()} PegKeeper".strip()
    ceiling = (
        Parameter(
            f"{name}.ceiling", f"Most stablecoin the {title} provides", "real", 0.0, 1e13, "tokens", 1.0,
            rank=134, log=True, amount=True,
        )
        if label
        else Parameter(
            "peg_keeper_ceiling", "Most stablecoin the PegKeeper provides, share of supply", "real", 0.0, 1.0, "", 0.01, rank=132,
            share_of="supply", default=0.0,
        )
    )  # fmt: skip
    caller_share = (
        Parameter(
            f"{name}.caller_share", f"Share of the {title}'s profit that its caller gets", "real", 0.0, 1.0, "", 0.05, rank=135,
            raw_decimals=5,
        )
        if label
        else Parameter(
            "peg_keeper_caller_share", "Share of a PegKeeper's profit that its caller gets", "real", 0.0, 1.0, "", 0.05, rank=133,
            default=0.2, off=0.2, raw_decimals=5,
        )
    )  # fmt: skip
    return Mechanism(
        name=name,
        title=title,
        stages=Stages(
            own=mine,
            begin=begin,
            operate=None if label else Flagged(flag=flag_calls, full=operate_active),
            watch=watch,
            cap=mine.P_CEILING,
            held=mine.S_DEBT,
            there=mine.C_THERE,
        ),
        earns=6,
        turn=6,
        section=PegKeeper,
        section_rank=2,
        reads=lambda state: _reads(state, label),
        pool=f"{label}-pool" if label and not first else "",
        start=lambda state: {"debt": _section(state, label).minted.value, "lp": _section(state, label).lp_share.value},
        constants=lambda state: _constants(state, label),
        parameters={"ceiling": ceiling, "caller_share": caller_share},
        out={"ceiling": UnderCap(used=lambda state: _section(state, label).minted.value, use="provided")},
        series={"debt": f"{name.replace('-', '_')}_debt"},
        expectations=(
            Expectation(
                parameter="ceiling",
                metric="shortfall_cvar90_bps",
                sign=+1,
                reason="what it provided while dear stands in the pool when it turns cheap",
            ),
            Expectation(
                parameter="ceiling", metric="yield", sign=+1, reason="it is paid for evening the pool, and its liquidity earns fees"
            ),
        ),
    )


MECHANISM = keeper()
