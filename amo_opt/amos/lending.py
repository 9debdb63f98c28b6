"""What the lending AMOs share: the two-slope rate, what borrowers take at it, and the stages of an AMO that lends collateral.

Aave's AMO and the Collateral Investor are the same AMO with different markets; `lender` builds both stages for one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from amo_opt.amos.mechanism import Book, Mechanism
from amo_opt.amos.minter import borrow_cap, borrow_room
from amo_opt.amos.triggers import CAP_TOLERANCE, SMALLEST_OPERATION, SMALLEST_USD
from amo_opt.protocol import lanes as at
from amo_opt.protocol.lanes import LANES
from amo_opt.protocol.state import AmoSection, Figure, ProtocolState, figure
from amo_opt.stableswap.jit import Vector, scalar, stage

HOURS_A_YEAR = 8760.0


@scalar
def borrow_rate(utilisation: float, kink: float, slope_1: float, slope_2: float) -> float:
    """Aave's two-slope variable rate, per year."""
    # the slopes' quotients are the same for all lanes: no lane divides
    below = utilisation * (slope_1 / kink)
    above = slope_1 + (utilisation - kink) * (slope_2 / (1.0 - kink))
    return below if utilisation < kink else above


@scalar
def unborrowed(deposits: float, demand: float, mean_rate: float, elasticity: float) -> float:
    """What borrowers leave of the deposits; they take what they want at the mean rate of the last days, at most all there is."""
    free = deposits - demand / (1.0 + elasticity * mean_rate)
    return free if free > 0.0 else 0.0


@scalar
def accrued(lent: float, deposits: float, free: float, kink: float, slope_1: float, slope_2: float, keep: float) -> tuple[float, float]:
    """The hour's borrow rate a year and the AMO's interest; ``keep`` = what the venue leaves of it, over the hours of a year."""
    utilisation = 1.0 - free / deposits
    rate = borrow_rate(utilisation, kink, slope_1, slope_2)
    return rate, lent * rate * utilisation * keep


@scalar
def resting_rate(deposits: float, demand: float, elasticity: float, kink: float, slope_1: float, slope_2: float) -> float:
    """The rate at which borrowers take just what makes that rate: where a market stands before anything happens (bisection)."""
    low = 0.0
    high = slope_1 + slope_2
    for _ in range(60):
        middle = 0.5 * (low + high)
        utilisation = 1.0 - unborrowed(deposits, demand, middle, elasticity) / deposits
        rises = borrow_rate(utilisation, kink, slope_1, slope_2) > middle
        low = middle if rises else low
        high = high if rises else middle
    return 0.5 * (low + high)


@dataclass(frozen=True)
class Venue:
    """Where one lending AMO's numbers live: offsets into the state, the market row, the constants and the parameters."""

    deposits: int
    demand: int
    slope_1: int
    slope_2: int
    kink: int
    reserve_factor: int
    cap: int
    lent: int
    rate: int
    free: int
    borrowed: int
    income: int
    loss: int
    free_cap: int = -1


@dataclass(frozen=True, kw_only=True)
class LendingAmo(AmoSection):
    """``[amos.NAME]`` of an AMO that lends collateral."""

    lent: Figure = figure(0.0, 1e13, "tokens", "collateral lent")
    borrowed: Figure = figure(-1e13, 1e13, "tokens", "collateral lent to the AMO less returned (minter's book)")

    def collateral(self, _state: ProtocolState) -> float:
        """What it has lent."""
        return self.lent.value


def rate_curve(prefix: str, whose: str = "", *, above: str = "borrow rate added up to full utilisation") -> dict[str, Any]:
    """The figures of ``[markets]`` that a lending market's rates are made of; ``whose`` market it is, ``above`` = what slope 2 is."""
    before = f"{whose}: " if whose else ""
    return {
        f"{prefix}_slope_1": figure(0.0, 1.0, "", f"{before}borrow rate at the kink"),
        f"{prefix}_slope_2": figure(0.0, 10.0, "", f"{before}{above}"),
        f"{prefix}_kink": figure(0.1, 0.99, "", f"{before}utilisation at the kink"),
        f"{prefix}_reserve_factor": figure(0.0, 0.99, "", f"{before}share of the interest the venue keeps"),
    }


def lender(name: str, venue: Venue, *, turn: int, may_be_absent: bool, **owned: Any) -> Mechanism:
    """An AMO that lends collateral to ``venue``: its market at rest, an hour's interest, and what its team does; ``owned`` is the rest of its descriptor.

    The compiler freezes the offsets, so both are loops over lanes like any other stage.
    """
    deposits_at, demand_at = venue.deposits, venue.demand
    slope_1_at, slope_2_at, kink_at, reserve_at = venue.slope_1, venue.slope_2, venue.kink, venue.reserve_factor
    cap_at, lent_at, rate_at, free_at, borrowed_at, income_at = venue.cap, venue.lent, venue.rate, venue.free, venue.borrowed, venue.income
    others_take = venue.free_cap >= 0
    loss_at = venue.loss
    free_cap_at = venue.free_cap if others_take else venue.deposits

    @stage
    def begin(s: Vector, m: Vector, c: Vector) -> None:
        """Where the market rests before anything happens, and what is lent there."""
        kink = c[kink_at]
        slope_1 = c[slope_1_at]
        slope_2 = c[slope_2_at]
        elasticity = c[at.C_LENDING_ELASTICITY]
        for i in range(LANES):
            deposits = m[deposits_at + i] + s[lent_at + i]
            demanded = m[demand_at + i]
            rate = resting_rate(deposits, demanded, elasticity, kink, slope_1, slope_2)
            free = unborrowed(deposits, demanded, rate, elasticity)
            most = m[free_cap_at + i] if others_take else free
            s[rate_at + i] = rate
            s[free_at + i] = free if free < most else most
            s[at.S_AT_WORK + i] += s[lent_at + i]
            s[at.S_RECOVERABLE + i] += s[lent_at + i]
            s[at.S_BORROWED + i] += s[borrowed_at + i]

    @stage
    def venue_loss(s: Vector, m: Vector) -> None:
        """What the venue loses of the deposit this hour."""
        for i in range(LANES):
            lent = s[lent_at + i]
            lost = lent * m[loss_at + i]
            s[lent_at + i] = lent - lost
            s[at.S_AT_WORK + i] -= lost
            s[at.S_RECOVERABLE + i] -= lost
            s[at.S_INCOME_VENUE_LOSSES + i] -= lost * s[at.S_COLLATERAL_PRICE + i]

    @stage
    def market_operations(s: Vector, m: Vector, c: Vector) -> None:
        """Interest of the hour: utilisation = borrowing ÷ (outside deposits + the AMO's), so a doubled deposit earns less than double."""
        kink = c[kink_at]
        slope_1 = c[slope_1_at]
        slope_2 = c[slope_2_at]
        keep = (1.0 - c[reserve_at]) / HOURS_A_YEAR
        elasticity = c[at.C_LENDING_ELASTICITY]
        weight = c[at.C_LENDING_WEIGHT]
        for i in range(LANES):
            lent = s[lent_at + i]
            mean_rate = s[rate_at + i]
            deposits = m[deposits_at + i] + lent
            free = unborrowed(deposits, m[demand_at + i], mean_rate, elasticity)
            most = m[free_cap_at + i] if others_take else free
            free = free if free < most else most
            rate, interest = accrued(lent, deposits, free, kink, slope_1, slope_2, keep)
            s[rate_at + i] = mean_rate + weight * (rate - mean_rate)
            s[free_at + i] = free
            s[lent_at + i] = lent + interest
            s[at.S_AT_WORK + i] += interest
            s[at.S_RECOVERABLE + i] += interest
            s[income_at + i] += interest * s[at.S_COLLATERAL_PRICE + i]

    @stage
    def operate(s: Vector, m: Vector, p: Vector, c: Vector) -> None:
        """Lends what is spare above the buffer, never under `min_cr`, or withdraws; one operation an hour, gas paid from idle collateral."""
        deploy_rate = c[at.C_DEPLOY_RATE]
        delay = c[at.C_RESPONSE_DELAY]
        cap = p[cap_at]
        buffer = p[at.P_IDLE_BUFFER]
        unwind_rate = p[at.P_UNWIND_RATE]
        min_cr = p[at.P_MIN_CR]
        least = SMALLEST_USD * c[at.C_SIZE]
        all_borrow = borrow_cap(p, c)
        for i in range(LANES):
            idle = s[at.S_IDLE + i]
            lent = s[lent_at + i]
            collateral_price = s[at.S_COLLATERAL_PRICE + i]
            inverse_price = 1.0 / collateral_price
            gas = m[at.M_GAS_USD + i] * inverse_price
            own_usd = s[at.S_OWN + i] * s[at.S_POOL_Y + i] * s[at.S_BASE_VALUE + i]
            total = idle + s[at.S_AT_WORK + i] + own_usd * inverse_price
            unwinding = s[at.S_UNWINDING + i] > 0.5
            acting = unwinding & (s[at.S_UNWINDING_HOURS + i] > delay)
            smallest = SMALLEST_OPERATION * total
            pace = deploy_rate * total

            # decollateralise
            spare = idle - buffer * total
            gap = cap * total - lent
            gap = gap if gap < spare else spare
            room = borrow_room(all_borrow, s[at.S_BORROWED + i])
            gap = gap if gap < room else room
            ratio = s[at.S_CR_CONTRACT + i]
            inverse_supply = 1.0 / s[at.S_SUPPLY + i]
            gap = 0.0 if (unwinding | (ratio - gas * inverse_supply < min_cr)) else gap
            lend = gap if gap < pace else pace
            lend = lend if ((gap > smallest) & (gap > least)) else 0.0

            # recollateralise
            over = lent - cap * total
            over = over if over > CAP_TOLERANCE * total else 0.0
            refill = buffer * total - idle
            refill = refill if refill > smallest else 0.0
            wanted = over if over > refill else refill
            wanted = wanted if wanted < pace else pace
            unwound = unwind_rate * lent if acting else 0.0
            unwound = unwound if unwound > least else 0.0
            wanted = wanted if wanted > unwound else unwound
            free = s[free_at + i]
            wanted = wanted if wanted < free else free
            wanted = wanted if wanted < lent else lent

            moved = lend - wanted
            idle = idle - moved
            gas = gas if gas < idle else idle
            gas = gas if abs(moved) > 0.0 else 0.0
            s[at.S_IDLE + i] = idle - gas
            s[at.S_CR_CONTRACT + i] = ratio - gas * inverse_supply
            s[lent_at + i] = lent + moved
            s[free_at + i] = free - wanted
            s[borrowed_at + i] += moved
            s[at.S_AT_WORK + i] += moved
            s[at.S_RECOVERABLE + i] += moved
            s[at.S_BORROWED + i] += moved
            s[at.S_INCOME_MARKET_OPERATIONS + i] -= gas * collateral_price

    cap, held = (cap_at, lent_at) if may_be_absent else (None, None)
    return Mechanism(
        name=name,
        begin=begin,
        venue_loss=venue_loss,
        market_operations=market_operations,
        operate=operate,
        turn=turn,
        cap=cap,
        held=held,
        section=LendingAmo,
        books=(Book(position="lent", book="borrowed"),),
        **owned,
    )
