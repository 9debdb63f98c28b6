"""What the lending AMOs share: the two-slope rate, what borrowers take at it, and the stages of an AMO that lends collateral.

AMOs that lend collateral are the same AMO with different markets: one set of stages, each at its own offsets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amo_opt.amos.mechanism import Book, Expectation, Income, LendingMarket, Mechanism, Reads, Stages, UnderCap, no_reads
from amo_opt.amos.minter import books, borrow_cap, borrow_room
from amo_opt.amos.triggers import CAP_TOLERANCE, SMALLEST_OPERATION, SMALLEST_USD
from amo_opt.protocol import lanes as at
from amo_opt.protocol.accounts import stuck
from amo_opt.protocol.lanes import LANES, Own
from amo_opt.protocol.state import AmoSection, Figure, MarketFigures, ProtocolState, fact, figure
from amo_opt.stableswap.jit import Vector, scalar, stage

if TYPE_CHECKING:
    from amo_opt.protocol.parameters import Parameter

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


HALVINGS = 60
"""Of the bracket around the rate at which a market rests."""


mine = Own(
    "lender",
    state=("lent", "rate", "free", "borrowed", "income"),
    market=("deposits", "demand", "free_cap", "loss"),
    parameters=("cap",),
    constants=("kink", "slope_1", "slope_2", "reserve_factor"),
)
"""What is a lending AMO's own; ``free`` is what it can withdraw this hour, never more than ``free_cap``."""


@scalar
def find_resting_rates(
    a: Vector,
    lines: tuple[int, int, int],
    n: Vector,
    asked: tuple[int, int],
    counted: float,
    elasticity: float,
    curve: tuple[float, float, float],
) -> None:
    """The rate at which borrowers take just what makes that rate, in every lane: where a market stands before anything happens (bisection, all lanes together). ``lines`` of the AMO: where the rate goes, one that is written on the way, what it has lent, of which ``counted`` (1
    or 0) is deposited; ``asked`` of the market: what others deposit, and demand; ``curve`` = kink and slopes.
    """
    low, high, lent = lines
    others, demand = asked
    kink, slope_1, slope_2 = curve
    for i in range(LANES):
        a[low + i] = 0.0
        a[high + i] = slope_1 + slope_2
    for _ in range(HALVINGS):
        for i in range(LANES):
            deposits = n[others + i] + counted * a[lent + i]
            below, above = a[low + i], a[high + i]
            middle = 0.5 * (below + above)
            utilisation = 1.0 - unborrowed(deposits, n[demand + i], middle, elasticity) / deposits
            rises = borrow_rate(utilisation, kink, slope_1, slope_2) > middle
            a[low + i] = middle if rises else below
            a[high + i] = above if rises else middle
    for i in range(LANES):
        a[low + i] = 0.5 * (a[low + i] + a[high + i])


@stage
def begin(s: Vector, _m: Vector, _p: Vector, c: Vector, a: Vector, n: Vector, _q: Vector, k: Vector) -> None:
    """Where the market rests before anything happens, and what is lent there."""
    kink = k[mine.C_KINK]
    slope_1 = k[mine.C_SLOPE_1]
    slope_2 = k[mine.C_SLOPE_2]
    elasticity = c[at.C_LENDING_ELASTICITY]
    lines, asked = (mine.S_RATE, mine.S_FREE, mine.S_LENT), (mine.M_DEPOSITS, mine.M_DEMAND)
    find_resting_rates(a, lines, n, asked, 1.0, elasticity, (kink, slope_1, slope_2))
    for i in range(LANES):
        deposits = n[mine.M_DEPOSITS + i] + a[mine.S_LENT + i]
        free = unborrowed(deposits, n[mine.M_DEMAND + i], a[mine.S_RATE + i], elasticity)
        most = n[mine.M_FREE_CAP + i]
        a[mine.S_FREE + i] = free if free < most else most
        s[at.S_AT_WORK + i] += a[mine.S_LENT + i]
        s[at.S_RECOVERABLE + i] += a[mine.S_LENT + i]
        s[at.S_COVER_COINS + i] += a[mine.S_LENT + i]
        s[at.S_BORROWED + i] += a[mine.S_BORROWED + i]


@stage
def venue_loss(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, n: Vector, _q: Vector, _k: Vector) -> None:
    """What the venue loses of the deposit this hour."""
    for i in range(LANES):
        lent = a[mine.S_LENT + i]
        lost = lent * n[mine.M_LOSS + i]
        a[mine.S_LENT + i] = lent - lost
        s[at.S_AT_WORK + i] -= lost
        s[at.S_RECOVERABLE + i] -= lost
        s[at.S_COVER_COINS + i] -= lost
        s[at.S_INCOME_VENUE_LOSSES + i] -= lost * s[at.S_COLLATERAL_PRICE + i]


@stage
def market_operations(s: Vector, _m: Vector, _p: Vector, c: Vector, a: Vector, n: Vector, _q: Vector, k: Vector) -> None:
    """Interest of the hour: utilisation = borrowing ÷ (outside deposits + the AMO's), so a doubled deposit earns less than double."""
    kink = k[mine.C_KINK]
    slope_1 = k[mine.C_SLOPE_1]
    slope_2 = k[mine.C_SLOPE_2]
    keep = (1.0 - k[mine.C_RESERVE_FACTOR]) / HOURS_A_YEAR
    elasticity = c[at.C_LENDING_ELASTICITY]
    weight = c[at.C_LENDING_WEIGHT]
    for i in range(LANES):
        lent = a[mine.S_LENT + i]
        mean_rate = a[mine.S_RATE + i]
        deposits = n[mine.M_DEPOSITS + i] + lent
        free = unborrowed(deposits, n[mine.M_DEMAND + i], mean_rate, elasticity)
        most = n[mine.M_FREE_CAP + i]
        free = free if free < most else most
        rate, interest = accrued(lent, deposits, free, kink, slope_1, slope_2, keep)
        a[mine.S_RATE + i] = mean_rate + weight * (rate - mean_rate)
        a[mine.S_FREE + i] = free
        a[mine.S_LENT + i] = lent + interest
        s[at.S_AT_WORK + i] += interest
        s[at.S_RECOVERABLE + i] += interest
        s[at.S_COVER_COINS + i] += interest
        a[mine.S_INCOME + i] += interest * s[at.S_COLLATERAL_PRICE + i]


@stage
def operate(s: Vector, m: Vector, p: Vector, c: Vector, a: Vector, _n: Vector, q: Vector, _k: Vector) -> None:
    """Lends what is spare above the buffer, never under `min_cr`, or withdraws; one operation an hour, gas paid from idle collateral."""
    deploy_rate = c[at.C_DEPLOY_RATE]
    delay = c[at.C_RESPONSE_DELAY]
    cap = q[mine.P_CAP]
    buffer = p[at.P_IDLE_BUFFER]
    unwind_rate = p[at.P_UNWIND_RATE]
    min_cr = p[at.P_MIN_CR]
    least = SMALLEST_USD * c[at.C_SIZE]
    all_borrow = borrow_cap(p, c)
    for i in range(LANES):
        idle = s[at.S_IDLE + i]
        lent = a[mine.S_LENT + i]
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
        free = a[mine.S_FREE + i]
        wanted = wanted if wanted < free else free
        wanted = wanted if wanted < lent else lent

        moved = lend - wanted
        idle = idle - moved
        gas = gas if gas < idle else idle
        gas = gas if abs(moved) > 0.0 else 0.0
        s[at.S_IDLE + i] = idle - gas
        s[at.S_CR_CONTRACT + i] = ratio - gas * inverse_supply
        a[mine.S_LENT + i] = lent + moved
        a[mine.S_FREE + i] = free - wanted
        a[mine.S_BORROWED + i] += moved
        s[at.S_AT_WORK + i] += moved
        s[at.S_RECOVERABLE + i] += moved
        s[at.S_COVER_COINS + i] += moved
        s[at.S_BORROWED + i] += moved
        s[at.S_INCOME_MARKET_OPERATIONS + i] -= gas * collateral_price


@stage
def settle(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, _k: Vector) -> None:
    """What of the deposit cannot be withdrawn now."""
    for i in range(LANES):
        s[at.S_STUCK + i] += stuck(a[mine.S_LENT + i], a[mine.S_FREE + i])


@stage
def watch(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, q: Vector, _k: Vector) -> None:
    """Whether the deposit is over its cap, and can be at all."""
    cap = q[mine.P_CAP] + CAP_TOLERANCE
    for i in range(LANES):
        lent = a[mine.S_LENT + i]
        collateral_price = s[at.S_COLLATERAL_PRICE + i]
        total = (s[at.S_IDLE + i] + s[at.S_AT_WORK + i]) * collateral_price + s[at.S_OWN + i] * s[at.S_POOL_Y + i] * s[at.S_BASE_VALUE + i]
        s[at.S_OVER_CAPS + i] += 1.0 if lent * collateral_price > cap * total else 0.0
        s[at.S_UNSOUND + i] += 0.0 if lent >= 0.0 else 1.0


STAGES = Stages(
    own=mine,
    begin=begin,
    venue_loss=venue_loss,
    market_operations=market_operations,
    operate=operate,
    watch=watch,
    settle=settle,
    cap=mine.P_CAP,
    held=mine.S_LENT,
)
"""What an AMO does that lends collateral: the next one is the same at other offsets."""


INPUTS = {
    "deposits": "tokens; what others lend out in the market",
    "demand": "tokens; what borrowers want there at a rate of zero",
    "free_cap": "tokens; most the AMO can withdraw this hour because others take what is free (1e15 = no limit)",
    "loss": "share of what the AMO has lent that is lost this hour",
}
"""What each AMO that lends collateral has of its market, hour by hour."""

EXPECTATIONS = (
    Expectation(parameter="cap", metric="yield", sign=+1, reason="lent collateral earns interest"),
    Expectation(parameter="cap", metric="min_cr_external_tail95", sign=-1, reason="lent collateral can be frozen or lost"),
)


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
        f"{prefix}_kink": figure(0.1, 0.99, "", f"{before}utilisation at the kink", off=0.8),
        f"{prefix}_reserve_factor": figure(0.0, 0.99, "", f"{before}share of the interest the venue keeps"),
        f"{prefix}_deposits": fact(1.0, 1e13, "tokens", f"{before}what others lend out there"),
        f"{prefix}_utilisation": fact(0.0, 0.98, "", f"{before}utilisation with the AMO's deposit"),
    }


def market_constants(state: ProtocolState, prefix: str) -> dict[str, float]:
    """The rate curve of the lending market whose figures in ``[markets]`` begin with ``prefix``."""
    return {each: getattr(state.markets, f"{prefix}_{each}").value for each in ("kink", "slope_1", "slope_2", "reserve_factor")}


def elasticity_of(markets: MarketFigures, prefix: str) -> float:
    """How borrowers answer to the rate of the market whose figures begin with ``prefix``: as in every lending market, and beyond it where the market has a figure for that."""
    every: float = markets.lending_elasticity.value
    beyond: Figure | None = getattr(markets, f"{prefix}_further_elasticity", None)
    return every if beyond is None else every + beyond.value


def lender(
    name: str, market: LendingMarket, *, cap: Parameter, income: Income, series: str, reads: Reads = no_reads, **owned: Any
) -> Mechanism:
    """An AMO that lends collateral in ``market``: its cap, its accounting line, the series of what it lent, what its venue's contracts tell, and the rest of its descriptor."""

    def section(state: ProtocolState) -> LendingAmo:
        found: LendingAmo = getattr(state.amos, name)
        return found

    return Mechanism(
        name=name,
        stages=STAGES,
        start=lambda state: {"lent": section(state).lent.value, "borrowed": section(state).borrowed.value},
        constants=lambda state: market_constants(state, market.prefix),
        section=LendingAmo,
        inputs=INPUTS,
        market=market,
        parameters={"cap": cap},
        out={"cap": UnderCap(used=lambda state: section(state).lent.value, use="lent")},
        income={"income": income},
        series={"lent": series},
        collateral_series=series,
        books=(Book(position="lent", book="borrowed"),),
        expectations=EXPECTATIONS,
        reads=lambda state: (*books(state, name), *reads(state)),
        **owned,
    )
