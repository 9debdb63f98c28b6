"""The PegKeeper: stands on one side of the pool, mints into it while the stablecoin is dear and takes it back while it is cheap, within its ceiling.

Rules of PegKeeperV2 (curvefi/curve-stablecoin `contracts/stabilizer/PegKeeperV2.vy` @dd4f811e, in integers: `contracts.peg_keeper_v2`): a call moves a fifth of the
pool's imbalance, provides where the other side is larger and withdraws elsewhere, never more than its ceiling leaves or its debt is, at most once an action delay, and reverts
unless the LP tokens it owns beyond its debt grow by it. Whoever calls is paid `peg_keeper_caller_share` of that growth in LP tokens and calls while that pays his gas.

Calls of an hour in one: before the m-th the imbalance is e = 0.8^(m − 1) of the first, D and debt have grown by σ times what was moved, and the profit of a call, in units of
D, with u = e / D, k = 1 + 2 / Ann and σ = 1 to provide, −1 to withdraw, is

    k / Ann · 0.36 u² / ((k − u²)(k − 0.64 u²)) − (fee / 2) · u / 5 · (1 + σ u) · (1 − (1 − admin) · debt / D)

It falls with u, so the calls that pay are the first ones, and their number is found by halving. What they move together is one one-sided change of liquidity. A keeper whose LP tokens
are worth less than its debt is not called unless the first call brings it above: the contract counts no growth below 0.

Not here: the regulator's rules between several pools (ratios of other keepers, worst price, spot against its average), as there is one pool.
"""

from __future__ import annotations

from dataclasses import dataclass

from amo_opt.amos.mechanism import Expectation, Flagged, Mechanism, Stages, UnderCap
from amo_opt.amos.triggers import CAP_TOLERANCE
from amo_opt.protocol import lanes as at
from amo_opt.protocol.active_lanes import W_ACTIVE, on_active
from amo_opt.protocol.holders import DUST_USD
from amo_opt.protocol.lanes import LANES, Own
from amo_opt.protocol.parameters import Parameter
from amo_opt.protocol.state import AmoSection, Figure, ProtocolState, figure
from amo_opt.stableswap.jit import Vector, scalar, stage
from amo_opt.stableswap.liquidity import changed_liquidity

SHARE_OF_IMBALANCE = 0.2
"""What a call moves of the difference between the sides (PegKeeperV2, `SHARE` = 5)."""
MOST_HELD = 0.999
"""Most of its LP tokens, at the virtual price, that an hour takes out."""

mine = Own(
    "peg_keeper",
    state=("debt", "lp"),
    parameters=("ceiling", "caller_share"),
    constants=("calls", "gas_part", "there"),
)


@scalar
def imbalance_of(x: float, y: float) -> float:
    """What the larger side has over the smaller one, in units of D's coins."""
    gap: float = y - x if y > x else x - y
    return gap


@scalar
def profit_of(e: float, d: float, ann: float, fee: float, kept: float, debt: float, side: float) -> float:
    """LP profit of a call at imbalance ``e``, dollars at the virtual price; ``kept`` = what of the fee stays with providers, ``side`` = 1 to provide, -1 to withdraw."""
    u = e / d
    k = 1.0 + 2.0 / ann
    square = u * u
    gained = k / ann * 0.36 * square / ((k - square) * (k - 0.64 * square))
    paid = 0.5 * fee * SHARE_OF_IMBALANCE * u * (1.0 + side * u) * (1.0 - kept * debt / d)
    profit: float = d * (gained - paid)
    return profit


@scalar
def halved(
    left: float,
    made: float,
    step: float,
    power: float,
    last: float,
    e: float,
    d: float,
    ann: float,
    fee: float,
    kept: float,
    debt: float,
    side: float,
    least: float,
    calls: float,
) -> tuple[float, float]:
    """So many calls more where the last of them pays: what they leave of the imbalance, ``power`` = 0.8 to their number, ``last`` = to one less, and how many there are."""
    now = e * left * last
    moved = side * (e - now)
    pays = profit_of(now, d + moved, ann, fee, kept, debt + moved, side) > least
    taken = pays & (made + step <= calls)
    return (left * power if taken else left), (made + step if taken else made)


@scalar
def left_after(e: float, d: float, ann: float, fee: float, kept: float, debt: float, side: float, least: float, calls: float) -> float:
    """The part of the imbalance that an hour's calls leave: 0.8 to the number of those that bring more than ``least``, at most ``calls``."""
    left, made = halved(1.0, 0.0, 32.0, 7.922816251426434e-4, 9.903520314283042e-4, e, d, ann, fee, kept, debt, side, least, calls)
    left, made = halved(left, made, 16.0, 2.814749767106560e-2, 3.518437208883201e-2, e, d, ann, fee, kept, debt, side, least, calls)
    left, made = halved(left, made, 8.0, 0.16777216, 0.2097152, e, d, ann, fee, kept, debt, side, least, calls)
    left, made = halved(left, made, 4.0, 0.4096, 0.512, e, d, ann, fee, kept, debt, side, least, calls)
    left, made = halved(left, made, 2.0, 0.64, 0.8, e, d, ann, fee, kept, debt, side, least, calls)
    left, _ = halved(left, made, 1.0, 0.8, 1.0, e, d, ann, fee, kept, debt, side, least, calls)
    return left


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
) -> float:
    """Stablecoin that the keeper moves this hour: provided where positive, withdrawn where negative; ``held`` = its LP tokens at the virtual price."""
    provides = y > x
    side = 1.0 if provides else -1.0
    e = imbalance_of(x, y)
    room = ceiling - debt
    room = room if room > 0.0 else 0.0
    owed = debt if debt < MOST_HELD * held else MOST_HELD * held
    room = room if provides else (owed if owed > 0.0 else 0.0)
    amount = e * (1.0 - left_after(e, d, ann, fee, kept, debt, side, least, calls))
    amount = amount if amount < room else room
    afloat = (held >= debt) | (held - debt + profit_of(e, d, ann, fee, kept, debt, side) > 0.0)
    amount = amount if (d > dust) & afloat else 0.0
    return side * amount


@stage
def begin(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, _k: Vector) -> None:
    """Its share of the pool in LP tokens. Its debt is under a ceiling of its own, not among the minter's sums, and part of all keepers'."""
    for i in range(LANES):
        a[mine.S_LP + i] *= s[at.S_LP_SUPPLY + i]
        s[at.S_KEEPER_DEBT + i] += a[mine.S_DEBT + i]


@stage
def operate_of(s: Vector, m: Vector, _p: Vector, c: Vector, a: Vector, _n: Vector, q: Vector, k: Vector, lanes: int) -> None:
    """The hour's calls as one one-sided change of liquidity in the first ``lanes`` lanes, and the caller's part of what it brought."""
    fee = c[at.C_FEE]
    half_fee = 0.5 * fee
    admin = c[at.C_ADMIN_FEE]
    admin_to_protocol = admin * c[at.C_PROTOCOL_ADMIN_SHARE]
    dust = DUST_USD * c[at.C_SIZE]
    ceiling = q[mine.P_CEILING]
    share = q[mine.P_CALLER_SHARE]
    inverse_share = 1.0 / (share if share > 1e-9 else 1e-9)
    calls = k[mine.C_CALLS]
    gas_part = k[mine.C_GAS_PART]
    for i in range(lanes):
        x = s[at.S_POOL_X + i]
        y = s[at.S_POOL_Y + i]
        d = s[at.S_D + i]
        ann = s[at.S_ANN + i]
        own = s[at.S_OWN + i]
        lp_supply = s[at.S_LP_SUPPLY + i]
        lp = a[mine.S_LP + i]
        held = lp / lp_supply * d
        supply = s[at.S_SUPPLY + i]
        base_value = s[at.S_BASE_VALUE + i]
        debt = a[mine.S_DEBT + i]
        least = m[at.M_GAS_USD + i] * gas_part * inverse_share
        change = moved_of(x, y, d, ann, held, debt, ceiling * supply, fee, 1.0 - admin, least, calls, dust)
        x_2, y_2, d_3, lp_change, fee_x, fee_y = changed_liquidity(x, y, d, ann, lp_supply, change, 0.0, half_fee, admin)
        lp_supply_2 = lp_supply + lp_change
        lp_2 = lp + lp_change
        # the contract's own count: LP beyond the debt at the virtual price, no less than 0, before and after
        after = d_3 * lp_2 / lp_supply_2 - debt - change
        before = held - debt
        brought = (after if after > 0.0 else 0.0) - (before if before > 0.0 else 0.0)
        done = (abs(change) > 0.0) & (brought > 0.0) & (lp_2 >= 0.0)
        reward = share * (brought if brought > 0.0 else 0.0) / d_3 * lp_supply_2
        lp_amo = s[at.S_LP_AMO + i] + lp_change - reward
        own_2 = lp_amo / lp_supply_2
        back_x = admin_to_protocol * fee_x
        back_y = admin_to_protocol * fee_y * base_value
        gained = (1.0 - own_2) * (x_2 + y_2 * base_value) - (1.0 - own) * (x + y * base_value)
        cost = gained + admin * (fee_x + fee_y * base_value)
        s[at.S_INCOME_MARKET_OPERATIONS + i] -= cost if done else 0.0
        s[at.S_INCOME_SWAP_FEES + i] += back_x + back_y if done else 0.0
        s[at.S_POOL_X + i] = x_2 if done else x
        s[at.S_POOL_Y + i] = y_2 if done else y
        s[at.S_D + i] = d_3 if done else d
        s[at.S_LP_SUPPLY + i] = lp_supply_2 if done else lp_supply
        s[at.S_LP_AMO + i] = lp_amo if done else s[at.S_LP_AMO + i]
        s[at.S_OWN + i] = own_2 if done else own
        given = change if done else 0.0
        burned = back_x if done else 0.0
        s[at.S_SUPPLY + i] = supply + given - burned
        s[at.S_NET_ISSUED + i] -= burned
        s[at.S_IDLE + i] += back_y / s[at.S_COLLATERAL_PRICE + i] if done else 0.0
        s[at.S_KEEPER_DEBT + i] += given
        a[mine.S_DEBT + i] = debt + given
        a[mine.S_LP + i] = lp_2 - reward if done else lp


operate_active = on_active(
    operate_of,
    writes=(
        at.S_INCOME_MARKET_OPERATIONS,
        at.S_INCOME_SWAP_FEES,
        at.S_POOL_X,
        at.S_POOL_Y,
        at.S_D,
        at.S_LP_SUPPLY,
        at.S_OWN,
        at.S_LP_AMO,
        at.S_SUPPLY,
        at.S_IDLE,
        at.S_NET_ISSUED,
        at.S_KEEPER_DEBT,
    ),
    reads=(at.S_ANN, at.S_BASE_VALUE, at.S_COLLATERAL_PRICE),
    market=(at.M_GAS_USD,),
    own_writes=(mine.S_DEBT, mine.S_LP),
)


@stage
def flag_calls(s: Vector, m: Vector, _p: Vector, c: Vector, a: Vector, _n: Vector, q: Vector, k: Vector, w: Vector) -> None:
    """Flags the lanes in which a call pays, for `operate_active`."""
    fee = c[at.C_FEE]
    kept = 1.0 - c[at.C_ADMIN_FEE]
    dust = DUST_USD * c[at.C_SIZE]
    ceiling = q[mine.P_CEILING]
    share = q[mine.P_CALLER_SHARE]
    inverse_share = 1.0 / (share if share > 1e-9 else 1e-9)
    calls = k[mine.C_CALLS]
    gas_part = k[mine.C_GAS_PART]
    for i in range(LANES):
        least = m[at.M_GAS_USD + i] * gas_part * inverse_share
        change = moved_of(
            s[at.S_POOL_X + i],
            s[at.S_POOL_Y + i],
            s[at.S_D + i],
            s[at.S_ANN + i],
            a[mine.S_LP + i] / s[at.S_LP_SUPPLY + i] * s[at.S_D + i],
            a[mine.S_DEBT + i],
            ceiling * s[at.S_SUPPLY + i],
            fee,
            kept,
            least,
            calls,
            dust,
        )
        w[W_ACTIVE + i] = 1.0 if abs(change) > 0.0 else 0.0


@stage
def watch(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, q: Vector, _k: Vector) -> None:
    """Whether its debt is over its ceiling."""
    ceiling = q[mine.P_CEILING] + CAP_TOLERANCE
    for i in range(LANES):
        s[at.S_OVER_CAPS + i] += 1.0 if a[mine.S_DEBT + i] > ceiling * s[at.S_SUPPLY + i] else 0.0


@dataclass(frozen=True, kw_only=True)
class PegKeeper(AmoSection):
    """``[amos.peg_keeper]``"""

    minted: Figure = figure(0.0, 1e13, "tokens", "stablecoin provided and not yet withdrawn: its debt")
    lp_share: Figure = figure(0.0, 1.0, "", "share of the pool's LP tokens that it owns")
    action_delay_seconds: Figure = figure(1.0, 86_400.0, "s", "least time between two of its calls", off=3600.0)
    gas_part: Figure = figure(0.0, 10.0, "", "gas of a call over that of an AMO operation", off=1.0)

    def collateral(self, state: ProtocolState) -> float:
        """Its part of the pool's other side at the virtual price."""
        return self.lp_share.value * state.base_value

    def of_pool(self) -> float:
        """Its share of the pool."""
        return self.lp_share.value


MECHANISM = Mechanism(
    name="peg_keeper",
    title="PegKeeper",
    stages=Stages(
        own=mine,
        begin=begin,
        operate=Flagged(flag=flag_calls, full=operate_active),
        watch=watch,
        cap=mine.P_CEILING,
        held=mine.S_DEBT,
        there=mine.C_THERE,
    ),
    earns=6,
    turn=6,
    section=PegKeeper,
    section_rank=2,
    start=lambda state: {"debt": state.amos.peg_keeper.minted.value, "lp": state.amos.peg_keeper.lp_share.value},
    constants=lambda state: {
        "calls": max(1.0, 3600.0 // state.amos.peg_keeper.action_delay_seconds.value),
        "gas_part": state.amos.peg_keeper.gas_part.value,
        "there": float(state.has("amos.peg_keeper")),
    },
    parameters={
        "ceiling": Parameter(
            "peg_keeper_ceiling",
            "Most stablecoin the PegKeeper provides, share of supply",
            "real",
            0.0,
            1.0,
            "",
            0.01,
            rank=132,
            share_of="supply",
            default=0.0,
        ),
        "caller_share": Parameter(
            "peg_keeper_caller_share",
            "Share of a PegKeeper's profit that its caller gets",
            "real",
            0.0,
            1.0,
            "",
            0.05,
            rank=133,
            default=0.2,
            off=0.2,
        ),
    },
    out={"ceiling": UnderCap(used=lambda state: state.amos.peg_keeper.minted.value, use="provided")},
    series={"debt": "peg_keeper_debt"},
    expectations=(
        Expectation(
            parameter="ceiling",
            metric="shortfall_cvar90_bps",
            sign=+1,
            reason="what it provided while dear stands in the pool when it turns cheap",
        ),
        Expectation(parameter="ceiling", metric="yield", sign=+1, reason="it is paid for evening the pool, and its liquidity earns fees"),
    ),
)
