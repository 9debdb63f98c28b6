"""The Fraxlend AMO: mints stablecoin into a lending market, where borrowers pay interest for it and take it outside.

Decollateralise: mint up to `fraxlend_cap`, never under `min_cr`. Market operations: interest, and what borrowers take or bring back because of the deposit
(they sell what they borrow and buy what they repay; what they would borrow of others without it is part of calm demand). Recollateralise: withdraw what is free and burn it, over the cap or while unwinding. Worst case: own
stablecoin, no collateral: `cr_external` counts nothing, the chain counts the deposit at the collateral ratio.

The deposit is what borrowers owe plus what can be withdrawn; the first is an asset at par, the second own stablecoin.
"""

from __future__ import annotations

from amo_opt.amos.lending import HOURS_A_YEAR, borrow_rate, resting_rate
from amo_opt.amos.mechanism import Expectation, Flagged, Income, LendingMarket, Mechanism, UnderCap
from amo_opt.amos.minter import mint_cap, mint_room
from amo_opt.amos.triggers import CAP_TOLERANCE, SMALLEST_OPERATION, SMALLEST_USD
from amo_opt.protocol import lanes as at
from amo_opt.protocol.active_lanes import W_ACTIVE, on_active
from amo_opt.protocol.collateral_ratio import contract_ratio
from amo_opt.protocol.lanes import LANES
from amo_opt.protocol.parameters import supply_cap
from amo_opt.stableswap.jit import Vector, scalar, stage


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
def begin(s: Vector, m: Vector, c: Vector) -> None:
    """Where the market rests before anything happens, with the deposit and without it, and what the AMO has there."""
    kink = c[at.C_FRAXLEND_KINK]
    slope_1 = c[at.C_FRAXLEND_SLOPE_1]
    slope_2 = c[at.C_FRAXLEND_SLOPE_2]
    elasticity = c[at.C_LENDING_ELASTICITY]
    for i in range(LANES):
        lent = s[at.S_FRAXLEND_LENT + i]
        others = m[at.M_FRAXLEND_DEPOSITS + i]
        deposits = others + lent
        demanded = m[at.M_FRAXLEND_DEMAND + i]
        without = resting_rate(others, demanded, elasticity, kink, slope_1, slope_2)
        rate = resting_rate(deposits, demanded, elasticity, kink, slope_1, slope_2)
        borrowed, borrowed_without = loans(lent, others, demanded, rate, without, elasticity)
        free = deposits - borrowed
        free = free if free < lent else lent
        s[at.S_FRAXLEND_RATE + i] = rate
        s[at.S_FRAXLEND_FREE + i] = free
        s[at.S_FRAXLEND_RATE_WITHOUT + i] = without
        s[at.S_FRAXLEND_DRAWN + i] = borrowed - borrowed_without
        s[at.S_OWN_OUTSIDE + i] += free
        s[at.S_OWN_AT_FLOOR + i] += free
        s[at.S_OWN_COUNTED + i] += lent
        s[at.S_MINTED + i] += s[at.S_FRAXLEND_MINTED + i]


@stage
def venue_loss(s: Vector, m: Vector) -> None:
    """What borrowers never repay of their debt this hour."""
    for i in range(LANES):
        lent = s[at.S_FRAXLEND_LENT + i]
        lost = (lent - s[at.S_FRAXLEND_FREE + i]) * m[at.M_FRAXLEND_LOSS + i]
        s[at.S_FRAXLEND_LENT + i] = lent - lost
        s[at.S_FRAXLEND_DRAWN + i] -= lost
        s[at.S_OWN_COUNTED + i] -= lost
        s[at.S_INCOME_VENUE_LOSSES + i] -= lost


@stage
def market_operations(s: Vector, m: Vector, c: Vector) -> None:
    """Interest of the hour on what is borrowed of the AMO's deposit; the change of what is borrowed because of it is stablecoin sold or bought.

    That is all borrowing less what there would be without the deposit, at the mean rate there would be without it: nothing where nothing is deposited,
    and others' deposits and demand alone move nothing.
    """
    kink = c[at.C_FRAXLEND_KINK]
    slope_1 = c[at.C_FRAXLEND_SLOPE_1]
    slope_2 = c[at.C_FRAXLEND_SLOPE_2]
    keep = (1.0 - c[at.C_FRAXLEND_RESERVE_FACTOR]) / HOURS_A_YEAR
    elasticity = c[at.C_LENDING_ELASTICITY]
    weight = c[at.C_LENDING_WEIGHT]
    for i in range(LANES):
        lent = s[at.S_FRAXLEND_LENT + i]
        mean_rate = s[at.S_FRAXLEND_RATE + i]
        others = m[at.M_FRAXLEND_DEPOSITS + i]
        wanted = m[at.M_FRAXLEND_DEMAND + i]
        rate_without = s[at.S_FRAXLEND_RATE_WITHOUT + i]
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
        s[at.S_FRAXLEND_RATE + i] = mean_rate + weight * (rate - mean_rate)
        s[at.S_FRAXLEND_RATE_WITHOUT + i] = rate_without + weight * (now_without - rate_without)
        s[at.S_FRAXLEND_LENT + i] = lent
        # nobody repays with stablecoin that does not exist outside
        before = s[at.S_FRAXLEND_FREE + i]
        outside = s[at.S_SUPPLY + i] - s[at.S_POOL_X + i] - s[at.S_OWN_OUTSIDE + i]
        most = before + (outside if outside > 0.0 else 0.0)
        ours = free if free < lent else lent
        ours = ours if ours < most else most
        s[at.S_FRAXLEND_FREE + i] = ours
        s[at.S_OWN_OUTSIDE + i] += ours - before
        s[at.S_OWN_AT_FLOOR + i] += ours - before
        s[at.S_OWN_COUNTED + i] += interest
        s[at.S_BORROWER_FLOW + i] = drawn - s[at.S_FRAXLEND_DRAWN + i]
        s[at.S_FRAXLEND_DRAWN + i] = drawn
        s[at.S_INCOME_FRAXLEND + i] += interest


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
def operate_of(s: Vector, m: Vector, p: Vector, c: Vector, lanes: int) -> None:
    """Mints into the market, or withdraws and burns what is free, in the first ``lanes`` lanes; one operation an hour, gas paid from idle collateral."""
    deploy_rate = c[at.C_DEPLOY_RATE]
    delay = c[at.C_RESPONSE_DELAY]
    start_collateral = c[at.C_START_COLLATERAL]
    cap = p[at.P_FRAXLEND_CAP]
    all_mint = mint_cap(p, c)
    unwind_rate = p[at.P_UNWIND_RATE]
    min_cr = p[at.P_MIN_CR]
    pace = deploy_rate * start_collateral
    smallest = SMALLEST_OPERATION * start_collateral
    least = SMALLEST_USD * c[at.C_SIZE]
    for i in range(lanes):
        lent = s[at.S_FRAXLEND_LENT + i]
        free = s[at.S_FRAXLEND_FREE + i]
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
        s[at.S_FRAXLEND_LENT + i] = lent + change
        s[at.S_FRAXLEND_FREE + i] = free + change
        s[at.S_SUPPLY + i] = supply + change
        s[at.S_IDLE + i] = idle - gas
        s[at.S_FRAXLEND_MINTED + i] += change
        s[at.S_MINTED + i] += change
        s[at.S_OWN_OUTSIDE + i] += change
        s[at.S_OWN_AT_FLOOR + i] += change
        s[at.S_OWN_COUNTED + i] += change
        s[at.S_CR_CONTRACT + i] = after if done else before
        s[at.S_INCOME_MARKET_OPERATIONS + i] -= gas * collateral_price
        fault = s[at.S_FAULT + i]
        over_cap = (change > 0.0) & (lent + change > cap * (supply + change) * (1.0 + 1e-9))
        s[at.S_FAULT + i] = 5.0 if (over_cap & (fault <= 0.0)) else fault


@stage
def operate(s: Vector, m: Vector, p: Vector, c: Vector) -> None:
    """`operate_of` in every lane."""
    operate_of(s, m, p, c, LANES)


operate_active = on_active(
    operate_of,
    writes=(
        at.S_FRAXLEND_LENT,
        at.S_FRAXLEND_FREE,
        at.S_SUPPLY,
        at.S_IDLE,
        at.S_FRAXLEND_MINTED,
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
)


@stage
def flag_operations(s: Vector, p: Vector, c: Vector, w: Vector) -> None:
    """Flags the lanes whose hour asks for an operation; in the others nothing moves."""
    delay = c[at.C_RESPONSE_DELAY]
    start_collateral = c[at.C_START_COLLATERAL]
    cap = p[at.P_FRAXLEND_CAP]
    all_mint = mint_cap(p, c)
    unwind_rate = p[at.P_UNWIND_RATE]
    min_cr = p[at.P_MIN_CR]
    pace = c[at.C_DEPLOY_RATE] * start_collateral
    smallest = SMALLEST_OPERATION * start_collateral
    least = SMALLEST_USD * c[at.C_SIZE]
    for i in range(LANES):
        mint, burn = amounts(
            s[at.S_FRAXLEND_LENT + i],
            s[at.S_FRAXLEND_FREE + i],
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


CAP = supply_cap("fraxlend_cap", "Most stablecoin minted into Fraxlend, share of supply", rank=80)

EXPECTATIONS = (
    Expectation(parameter="cap", metric="yield", sign=+1, reason="minted stablecoin is lent at interest"),
    Expectation(
        parameter="cap",
        metric="min_cr_external_tail95",
        sign=-1,
        reason="borrowers sell what was minted: more claims on the same collateral",
    ),
    Expectation(parameter="cap", metric="floor_ratio", sign=-1, reason="more algorithmic supply on the same depth"),
)

MECHANISM = Mechanism(
    name="fraxlend",
    title="Fraxlend AMO",
    begin=begin,
    venue_loss=venue_loss,
    market_operations=market_operations,
    operate=Flagged(flag=flag_operations, full=operate_active),
    turn=3,
    cap=at.P_FRAXLEND_CAP,
    held=at.S_FRAXLEND_LENT,
    parameters={"cap": CAP},
    out={"cap": UnderCap(used=lambda state: state.amos.fraxlend.lent.value, use="lent")},
    market=LendingMarket(prefix="fraxlend"),
    income={"income": Income(name="fraxlend", label="Fraxlend interest", rank=30)},
    expectations=EXPECTATIONS,
)
