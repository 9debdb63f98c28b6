"""The Fraxlend AMO: mints stablecoin into a lending market, where borrowers pay interest for it and take it outside.

Decollateralise: mint up to `fraxlend_cap`, never under `min_cr`. Market operations: interest, and what borrowers take or bring back because of the deposit
(they sell what they borrow and buy what they repay; what they would borrow of others without it is part of calm demand). Recollateralise: withdraw what is free and burn it, over the cap or while unwinding. Worst case: own
stablecoin, no collateral: `cr_external` counts nothing, the chain counts the deposit at the collateral ratio.

The deposit is what borrowers owe plus what can be withdrawn; the first is an asset at par, the second own stablecoin.

What stands behind it, and what it costs. Behind what is owed stands the borrowers' collateral, behind what can be withdrawn nothing: it is stablecoin that nobody took. Neither is cover.
- The more is minted the lower the rate, and the more is borrowed and sold: `fraxlend_further_elasticity`, beyond that of other lending markets, as whoever mints the stablecoin can offer a rate of zero.
- Loans are liquidated late: a share of them (`fraxlend_share_pledged`) is against the share token, or what falls with it, the others' collateral stands. They are spread evenly below the highest loan-to-value allowed, so that at a
  price of z of its start a share z of them is left: what comes to the limit as the price falls below its lowest so far is closed at the hour's price, not at the slow one (`fraxlend_liquidation_hours`) at which it
  was due. What that fetches less than debt and liquidation fee is bad debt, on a line of its own; who is closed is not followed by another against the same.
- What strikes the market strikes the whole deposit: a thief takes what can be withdrawn (Fuse, April 2022), which is then outside, waits to be sold and has nothing behind it.
"""

from __future__ import annotations

from dataclasses import dataclass

from amo_opt.amos.lending import HOURS_A_YEAR, borrow_rate, elasticity_of, find_resting_rates, market_constants, rate_curve
from amo_opt.amos.mechanism import Book, Expectation, Flagged, Income, LendingMarket, Loss, Mechanism, OwnStablecoin, Stages, UnderCap
from amo_opt.amos.minter import books, mint_cap, mint_room
from amo_opt.amos.triggers import CAP_TOLERANCE, SMALLEST_OPERATION, SMALLEST_USD
from amo_opt.protocol import lanes as at
from amo_opt.protocol.accounts import stuck
from amo_opt.protocol.active_lanes import W_ACTIVE, on_active
from amo_opt.protocol.collateral_ratio import contract_ratio
from amo_opt.protocol.elementary import expm1_of
from amo_opt.protocol.lanes import LANES, Own
from amo_opt.protocol.parameters import supply_cap
from amo_opt.protocol.reads import Read, ReadFigure, tells
from amo_opt.protocol.state import AmoSection, Figure, ProtocolState, figure
from amo_opt.stableswap.jit import Vector, scalar, stage

mine = Own(
    "fraxlend",
    state=("lent", "rate", "free", "drawn", "rate_without", "minted", "income", "price", "due", "lowest", "bad_debt"),
    market=("deposits", "demand", "loss"),
    parameters=("cap",),
    constants=("kink", "slope_1", "slope_2", "reserve_factor", "elasticity", "pledged", "closing_weight", "covered"),
)


@scalar
def loans(lent: float, others: float, wanted: float, rate: float, rate_without: float, elasticity: float) -> tuple[float, float]:
    """What is borrowed beside the AMO's deposit, and what would be without it; each at the mean rate that borrowers then answer to, at most all there is."""
    # one division for both: equal where nothing is lent and the rates are one
    answer = 1.0 + elasticity * rate
    answer_without = 1.0 + elasticity * rate_without
    asked = wanted / (answer * answer_without)
    borrowed = asked * answer_without
    without = asked * answer
    deposits = others + lent
    return borrowed if borrowed < deposits else deposits, without if without < others else others


@stage
def begin(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, n: Vector, _q: Vector, k: Vector) -> None:
    """Where the market rests before anything happens, with the deposit and without it, and what the AMO has there."""
    kink = k[mine.C_KINK]
    slope_1 = k[mine.C_SLOPE_1]
    slope_2 = k[mine.C_SLOPE_2]
    elasticity = k[mine.C_ELASTICITY]
    asked, curve = (mine.M_DEPOSITS, mine.M_DEMAND), (kink, slope_1, slope_2)
    find_resting_rates(a, (mine.S_RATE_WITHOUT, mine.S_DRAWN, mine.S_LENT), n, asked, 0.0, elasticity, curve)
    find_resting_rates(a, (mine.S_RATE, mine.S_FREE, mine.S_LENT), n, asked, 1.0, elasticity, curve)
    for i in range(LANES):
        lent = a[mine.S_LENT + i]
        others = n[mine.M_DEPOSITS + i]
        deposits = others + lent
        rate, without = a[mine.S_RATE + i], a[mine.S_RATE_WITHOUT + i]
        borrowed, borrowed_without = loans(lent, others, n[mine.M_DEMAND + i], rate, without, elasticity)
        free = deposits - borrowed
        free = free if free < lent else lent
        a[mine.S_FREE + i] = free
        a[mine.S_DRAWN + i] = borrowed - borrowed_without
        a[mine.S_PRICE + i] = 1.0
        a[mine.S_DUE + i] = 1.0
        a[mine.S_LOWEST + i] = 1.0
        s[at.S_OWN_OUTSIDE + i] += free
        s[at.S_OWN_AT_FLOOR + i] += free
        s[at.S_OWN_COUNTED + i] += lent
        s[at.S_MINTED + i] += a[mine.S_MINTED + i]


LEAST_PRICE = 1e-9
"""Of the start: collateral that is worth less is worth nothing."""


@scalar
def unpaid(price: float, due: float, lowest: float, pledged: float, per_covered: float) -> tuple[float, float]:
    """Of the debt, what is liquidated this hour and does not fetch what is due, and the lowest price so far; ``price`` of what is ``pledged`` for so much of the loans now, ``due`` the slow
    one that liquidations were due at, ``per_covered`` = 1 / (the highest loan-to-value with the liquidation fee on it).
    """
    reached = due if due < lowest else lowest
    struck = pledged * (lowest - reached) / (1.0 - pledged + pledged * lowest)
    short = 1.0 - per_covered * (price / due)
    return struck * (short if short > 0.0 else 0.0), reached


@stage
def venue_loss(s: Vector, m: Vector, _p: Vector, _c: Vector, a: Vector, n: Vector, _q: Vector, k: Vector) -> None:
    """What is lost of the deposit this hour: of what borrowers owe what they never repay, and what their collateral does not fetch, being sold late; of what could be withdrawn what is
    taken, and waits to be sold.
    """
    pledged = k[mine.C_PLEDGED]
    weight = k[mine.C_CLOSING_WEIGHT]
    per_covered = 1.0 / k[mine.C_COVERED]
    for i in range(LANES):
        price = a[mine.S_PRICE + i] * m[at.M_SHARE_RETURN + i]
        price = price if price > LEAST_PRICE else LEAST_PRICE
        due = a[mine.S_DUE + i]
        due = due + weight * (price - due)
        share, lowest = unpaid(price, due, a[mine.S_LOWEST + i], pledged, per_covered)
        a[mine.S_PRICE + i] = price
        a[mine.S_DUE + i] = due
        a[mine.S_LOWEST + i] = lowest

        lent = a[mine.S_LENT + i]
        free = a[mine.S_FREE + i]
        loss = n[mine.M_LOSS + i]
        owed = lent - free
        bad = owed * share
        written_off = (owed - bad) * loss
        taken = free * loss
        still = free - taken
        left = lent - bad - written_off - taken
        a[mine.S_FREE + i] = still
        # of a deposit that is lost whole no last digits are owed to nobody
        a[mine.S_LENT + i] = left if left > still else still
        a[mine.S_DRAWN + i] -= bad + written_off
        s[at.S_OWN_OUTSIDE + i] -= taken
        s[at.S_OWN_AT_FLOOR + i] -= taken
        s[at.S_OWN_COUNTED + i] -= bad + written_off + taken
        s[at.S_QUEUE + i] += taken
        s[at.S_INCOME_VENUE_LOSSES + i] -= written_off + taken
        a[mine.S_BAD_DEBT + i] -= bad


@stage
def market_operations(s: Vector, _m: Vector, _p: Vector, c: Vector, a: Vector, n: Vector, _q: Vector, k: Vector) -> None:
    """Interest of the hour on what is borrowed of the AMO's deposit; the change of what is borrowed because of it is stablecoin sold or bought.

    That is all borrowing less what there would be without the deposit, at the mean rate there would be without it: nothing where nothing is deposited,
    and others' deposits and demand alone move nothing.
    """
    kink = k[mine.C_KINK]
    slope_1 = k[mine.C_SLOPE_1]
    slope_2 = k[mine.C_SLOPE_2]
    keep = (1.0 - k[mine.C_RESERVE_FACTOR]) / HOURS_A_YEAR
    elasticity = k[mine.C_ELASTICITY]
    weight = c[at.C_LENDING_WEIGHT]
    for i in range(LANES):
        lent = a[mine.S_LENT + i]
        mean_rate = a[mine.S_RATE + i]
        others = n[mine.M_DEPOSITS + i]
        wanted = n[mine.M_DEMAND + i]
        rate_without = a[mine.S_RATE_WITHOUT + i]
        borrowed, without = loans(lent, others, wanted, mean_rate, rate_without, elasticity)
        drawn = borrowed - without
        deposits = others + lent
        free = deposits - borrowed
        inverse = 1.0 / (deposits * others)
        used = borrowed * (others * inverse)
        used_without = without * (deposits * inverse)
        rate = borrow_rate(used, kink, slope_1, slope_2)
        now_without = borrow_rate(used_without, kink, slope_1, slope_2)
        interest = lent * rate * used * keep
        lent = lent + interest
        a[mine.S_RATE + i] = mean_rate + weight * (rate - mean_rate)
        a[mine.S_RATE_WITHOUT + i] = rate_without + weight * (now_without - rate_without)
        a[mine.S_LENT + i] = lent
        # nobody repays with stablecoin that does not exist outside
        before = a[mine.S_FREE + i]
        outside = s[at.S_SUPPLY + i] - s[at.S_POOL_X + i] - s[at.S_OWN_OUTSIDE + i] - s[at.S_POOLED_OUTSIDE + i]
        most = before + (outside if outside > 0.0 else 0.0)
        ours = free if free < lent else lent
        ours = ours if ours < most else most
        a[mine.S_FREE + i] = ours
        s[at.S_OWN_OUTSIDE + i] += ours - before
        s[at.S_OWN_AT_FLOOR + i] += ours - before
        s[at.S_OWN_COUNTED + i] += interest
        s[at.S_BORROWER_FLOW + i] += drawn - a[mine.S_DRAWN + i]
        a[mine.S_DRAWN + i] = drawn
        a[mine.S_INCOME + i] += interest


@scalar
def amounts(
    lent: float,
    free: float,
    supply: float,
    room: float,
    cap: float,
    pace: float,
    smallest: float,
    least: float,
    unwind_rate: float,
    min_cr: float,
    delay: float,
    before: float,
    unwinding: float,
    unwinding_hours: float,
) -> tuple[float, float]:
    """Stablecoin to mint into the market and to withdraw and burn this hour; ``room`` = what the minter still gives, ``before`` = `cr_contract` of before."""
    unwinds = unwinding > 0.5
    gap = cap * supply - lent
    gap = gap if gap < room else room
    mint = gap if gap < pace else pace
    mint = mint if ((gap > smallest) & (gap > least) & (not unwinds) & (before >= min_cr)) else 0.0

    over = lent - cap * supply
    over = over if over > CAP_TOLERANCE * supply else 0.0
    over = over if over < pace else pace
    unwound = unwind_rate * lent if (unwinds & (unwinding_hours > delay)) else 0.0
    burn = over if over > unwound else unwound
    burn = burn if burn < free else free
    return mint, burn if burn > least else 0.0


@stage
def operate_of(s: Vector, m: Vector, p: Vector, c: Vector, a: Vector, _n: Vector, q: Vector, _k: Vector, lanes: int) -> None:
    """Mints into the market, or withdraws and burns what is free, in the first ``lanes`` lanes; one operation an hour, gas paid from idle collateral."""
    deploy_rate = c[at.C_DEPLOY_RATE]
    delay = c[at.C_RESPONSE_DELAY]
    start_collateral = c[at.C_START_COLLATERAL]
    cap = q[mine.P_CAP]
    all_mint = mint_cap(p, c)
    unwind_rate = p[at.P_UNWIND_RATE]
    min_cr = p[at.P_MIN_CR]
    pace = deploy_rate * start_collateral
    smallest = SMALLEST_OPERATION * start_collateral
    least = SMALLEST_USD * c[at.C_SIZE]
    for i in range(lanes):
        lent = a[mine.S_LENT + i]
        free = a[mine.S_FREE + i]
        supply = s[at.S_SUPPLY + i]
        idle = s[at.S_IDLE + i]
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        cr = s[at.S_COLLATERAL_RATIO + i]
        before = s[at.S_CR_CONTRACT + i]

        mint, burn = amounts(
            lent,
            free,
            supply,
            mint_room(all_mint, s[at.S_MINTED + i]),
            cap,
            pace,
            smallest,
            least,
            unwind_rate,
            min_cr,
            delay,
            before,
            s[at.S_UNWINDING + i],
            s[at.S_UNWINDING_HOURS + i],
        )
        change = mint - burn
        gas = m[at.M_GAS_USD + i] / collateral_price
        gas = gas if gas < idle else idle
        gas = gas if abs(change) > 0.0 else 0.0
        own = s[at.S_OWN + i]
        after = contract_ratio(
            s[at.S_POOL_X + i],
            s[at.S_POOL_Y + i],
            s[at.S_D + i],
            s[at.S_ANN + i],
            own,
            supply + change,
            idle - gas + s[at.S_RECOVERABLE + i],
            cr,
            s[at.S_SCALED_CR + i],
            s[at.S_OWN_COUNTED + i] + change,
            s[at.S_OWN_AT_FLOOR + i] + change,
        )
        done = (abs(change) > 0.0) & ((mint <= 0.0) | (after >= min_cr))
        change = change if done else 0.0
        gas = gas if done else 0.0
        a[mine.S_LENT + i] = lent + change
        a[mine.S_FREE + i] = free + change
        s[at.S_SUPPLY + i] = supply + change
        s[at.S_IDLE + i] = idle - gas
        a[mine.S_MINTED + i] += change
        s[at.S_MINTED + i] += change
        s[at.S_OWN_OUTSIDE + i] += change
        s[at.S_OWN_AT_FLOOR + i] += change
        s[at.S_OWN_COUNTED + i] += change
        s[at.S_CR_CONTRACT + i] = after if done else before
        s[at.S_INCOME_MARKET_OPERATIONS + i] -= gas * collateral_price
        fault = s[at.S_FAULT + i]
        over_cap = (change > 0.0) & (lent + change > cap * (supply + change) * (1.0 + 1e-9))
        s[at.S_FAULT + i] = 5.0 if (over_cap & (fault <= 0.0)) else fault


operate_active = on_active(
    operate_of,
    writes=(
        at.S_SUPPLY,
        at.S_IDLE,
        at.S_MINTED,
        at.S_OWN_OUTSIDE,
        at.S_OWN_AT_FLOOR,
        at.S_OWN_COUNTED,
        at.S_CR_CONTRACT,
        at.S_INCOME_MARKET_OPERATIONS,
        at.S_FAULT,
    ),
    reads=(
        at.S_COLLATERAL_PRICE,
        at.S_COLLATERAL_RATIO,
        at.S_UNWINDING,
        at.S_UNWINDING_HOURS,
        at.S_OWN,
        at.S_POOL_X,
        at.S_POOL_Y,
        at.S_D,
        at.S_ANN,
        at.S_RECOVERABLE,
        at.S_SCALED_CR,
    ),
    market=(at.M_GAS_USD,),
    own_writes=(mine.S_LENT, mine.S_FREE, mine.S_MINTED),
    own_reads=(),
)


@stage
def flag_operations(s: Vector, _m: Vector, p: Vector, c: Vector, a: Vector, _n: Vector, q: Vector, _k: Vector, w: Vector) -> None:
    """Flags the lanes whose hour asks for an operation; in the others nothing moves."""
    delay = c[at.C_RESPONSE_DELAY]
    start_collateral = c[at.C_START_COLLATERAL]
    cap = q[mine.P_CAP]
    all_mint = mint_cap(p, c)
    unwind_rate = p[at.P_UNWIND_RATE]
    min_cr = p[at.P_MIN_CR]
    pace = c[at.C_DEPLOY_RATE] * start_collateral
    smallest = SMALLEST_OPERATION * start_collateral
    least = SMALLEST_USD * c[at.C_SIZE]
    for i in range(LANES):
        mint, burn = amounts(
            a[mine.S_LENT + i],
            a[mine.S_FREE + i],
            s[at.S_SUPPLY + i],
            mint_room(all_mint, s[at.S_MINTED + i]),
            cap,
            pace,
            smallest,
            least,
            unwind_rate,
            min_cr,
            delay,
            s[at.S_CR_CONTRACT + i],
            s[at.S_UNWINDING + i],
            s[at.S_UNWINDING_HOURS + i],
        )
        w[W_ACTIVE + i] = 1.0 if (mint + burn) > 0.0 else 0.0


@stage
def settle(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, _k: Vector) -> None:
    """What borrowers owe, and what of the deposit could not be sold at par now."""
    for i in range(LANES):
        lent = a[mine.S_LENT + i]
        free = a[mine.S_FREE + i]
        s[at.S_DEBT + i] += lent - free
        s[at.S_STUCK_DEBT + i] += stuck(lent, free)


@stage
def watch(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, q: Vector, _k: Vector) -> None:
    """Whether the deposit is over its cap, and can be at all."""
    cap = q[mine.P_CAP] + CAP_TOLERANCE
    for i in range(LANES):
        lent = a[mine.S_LENT + i]
        free = a[mine.S_FREE + i]
        s[at.S_OVER_CAPS + i] += 1.0 if lent > cap * s[at.S_SUPPLY + i] else 0.0
        s[at.S_UNSOUND + i] += 0.0 if ((free >= 0.0) & (lent >= free)) else 1.0


STAGES = Stages(
    own=mine,
    begin=begin,
    venue_loss=venue_loss,
    market_operations=market_operations,
    operate=Flagged(flag=flag_operations, full=operate_active),
    watch=watch,
    settle=settle,
    cap=mine.P_CAP,
    held=mine.S_LENT,
)

EXPECTATIONS = (
    Expectation(parameter="cap", metric="yield", sign=+1, reason="minted stablecoin is lent at interest"),
    Expectation(
        parameter="cap",
        metric="min_cr_external_tail95",
        sign=-1,
        reason="borrowers sell what was minted, more of it the lower the rate: more claims on the same collateral",
    ),
    Expectation(parameter="cap", metric="floor_ratio", sign=-1, reason="more algorithmic supply on the same depth"),
)


@dataclass(frozen=True, kw_only=True)
class FraxlendAmo(AmoSection):
    """``[amos.fraxlend]``"""

    lent: Figure = figure(0.0, 1e13, "tokens", "stablecoin lent, interest included")
    minted: Figure = figure(-1e13, 1e13, "tokens", "stablecoin minted to the AMO less burned (minter's book)")

    def stablecoin(self) -> float:
        """What it has lent."""
        return self.lent.value


def _constants(state: ProtocolState) -> dict[str, float]:
    markets = state.markets
    return market_constants(state, "fraxlend") | {
        "elasticity": elasticity_of(markets, "fraxlend"),
        "pledged": markets.fraxlend_share_pledged.value,
        "closing_weight": -expm1_of(-1.0 / markets.fraxlend_liquidation_hours.value),
        "covered": markets.fraxlend_max_ltv.value * (1.0 + markets.fraxlend_liquidation_fee.value),
    }


def _reads(state: ProtocolState) -> tuple[Read | ReadFigure, ...]:
    """The minter's book, and a pair's limit of 1e5 (FraxFinance/fraxlend src/contracts/FraxlendPairCore.sol @d1365ad1)."""
    limit = Read(
        contract="fraxlend_pair", signature="maxLTV()", decimals=5, meaning="loan over collateral's worth above which it is liquidated"
    )
    return (*books(state, "fraxlend"), tells("markets.fraxlend_max_ltv", limit))


MECHANISM = Mechanism(
    name="fraxlend",
    title="Fraxlend AMO",
    stages=STAGES,
    earns=3,
    turn=3,
    section=FraxlendAmo,
    reads=_reads,
    start=lambda state: {"lent": state.amos.fraxlend.lent.value, "minted": state.amos.fraxlend.minted.value},
    constants=_constants,
    markets=rate_curve("fraxlend", "Fraxlend")
    | {
        "fraxlend_max_ltv": figure(0.05, 1.0, "", "Fraxlend: loan over its collateral's worth above which it is liquidated", default=0.75),
        "fraxlend_liquidation_fee": figure(0.0, 1.0, "", "Fraxlend: what a liquidator is paid, share of the debt", default=0.1),
        "fraxlend_further_elasticity": figure(
            0.0,
            1e4,
            "",
            "fall of the demand to borrow the stablecoin per unit of its rate, beyond lending_elasticity",
            default=0.0,
            behaviour=True,
        ),
        "fraxlend_share_pledged": figure(
            0.0,
            0.99,
            "",
            "share of the loans on Fraxlend against the share token, or what falls with it",
            default=0.0,
            behaviour=True,
        ),
        "fraxlend_liquidation_hours": figure(
            0.1, 168.0, "h", "time by which liquidations on Fraxlend come after their price", default=1.0, behaviour=True
        ),
    },
    markets_after="illiquid_haircut",
    inputs={
        "deposits": "tokens; stablecoin that others lend out",
        "demand": "tokens; demand to borrow the stablecoin at a rate of zero",
        "loss": "share of the deposit, owed or not, that is lost this hour",
    },
    market=LendingMarket(prefix="fraxlend", deposits="stablecoin that others lend out where the Fraxlend AMO lends"),
    loss=Loss(share_of="of the deposit in Fraxlend, borrowed or not,", event="a loss on Fraxlend"),
    parameters={"cap": supply_cap("fraxlend_cap", "Most stablecoin minted into Fraxlend, share of supply", rank=80)},
    out={"cap": UnderCap(used=lambda state: state.amos.fraxlend.lent.value, use="lent")},
    income={
        "income": Income(name="fraxlend", label="Fraxlend interest", rank=30),
        "bad_debt": Income(name="fraxlend_bad_debt", label="bad debt on Fraxlend", rank=68, cost=True),
    },
    series={"lent": "fraxlend_lent"},
    expectations=EXPECTATIONS,
    books=(Book(position="lent", book="minted"),),
    stablecoin=OwnStablecoin(figure="lent", owner="Fraxlend"),
)
