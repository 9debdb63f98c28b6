"""The savings AMO: holds collateral in a vault at a stated yield.

Decollateralise: bring idle collateral up to `savings_cap`. Market operations: the yield. Recollateralise: take back what is over the cap, and everything at the
unwinding rate. Worst case: what is held, at par.
"""

from __future__ import annotations

from dataclasses import dataclass

from amo_opt.amos.mechanism import Book, Expectation, Income, Loss, Mechanism, Stages, UnderCap
from amo_opt.amos.minter import borrow_cap, borrow_room
from amo_opt.amos.triggers import CAP_TOLERANCE, SMALLEST_OPERATION, SMALLEST_USD
from amo_opt.protocol import lanes as at
from amo_opt.protocol.lanes import LANES, Own
from amo_opt.protocol.parameters import collateral_cap
from amo_opt.protocol.state import AmoSection, Figure, ProtocolState, figure
from amo_opt.stableswap.jit import Vector, stage

HOURS_A_YEAR = 8760.0

mine = Own("savings", state=("held", "borrowed", "income"), market=("loss",), parameters=("cap",), constants=("hourly_yield",))


@stage
def begin(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, _k: Vector) -> None:
    """What the vault holds."""
    for i in range(LANES):
        s[at.S_AT_WORK + i] += a[mine.S_HELD + i]
        s[at.S_RECOVERABLE + i] += a[mine.S_HELD + i]
        s[at.S_BORROWED + i] += a[mine.S_BORROWED + i]


@stage
def venue_loss(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, n: Vector, _q: Vector, _k: Vector) -> None:
    """What the vault loses this hour."""
    for i in range(LANES):
        lost = a[mine.S_HELD + i] * n[mine.M_LOSS + i]
        a[mine.S_HELD + i] -= lost
        s[at.S_AT_WORK + i] -= lost
        s[at.S_RECOVERABLE + i] -= lost
        s[at.S_INCOME_VENUE_LOSSES + i] -= lost * s[at.S_COLLATERAL_PRICE + i]


@stage
def market_operations(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, k: Vector) -> None:
    """The hour's yield."""
    hourly = k[mine.C_HOURLY_YIELD]
    for i in range(LANES):
        earned = a[mine.S_HELD + i] * hourly
        a[mine.S_HELD + i] += earned
        s[at.S_AT_WORK + i] += earned
        s[at.S_RECOVERABLE + i] += earned
        a[mine.S_INCOME + i] += earned * s[at.S_COLLATERAL_PRICE + i]


@stage
def operate(s: Vector, m: Vector, p: Vector, c: Vector, a: Vector, _n: Vector, q: Vector, _k: Vector) -> None:
    """Brings what is spare above the buffer, never under `min_cr`, or takes it back; one operation an hour, gas paid from idle collateral."""
    cap = q[mine.P_CAP]
    buffer = p[at.P_IDLE_BUFFER]
    unwind_rate = p[at.P_UNWIND_RATE]
    min_cr = p[at.P_MIN_CR]
    delay = c[at.C_RESPONSE_DELAY]
    least = SMALLEST_USD * c[at.C_SIZE]
    all_borrow = borrow_cap(p, c)
    for i in range(LANES):
        idle = s[at.S_IDLE + i]
        held = a[mine.S_HELD + i]
        price = s[at.S_COLLATERAL_PRICE + i]
        total = idle + s[at.S_AT_WORK + i] + s[at.S_OWN + i] * s[at.S_POOL_Y + i] * s[at.S_BASE_VALUE + i] / price
        pace = c[at.C_DEPLOY_RATE] * total
        unwinding = s[at.S_UNWINDING + i] > 0.5
        gas = m[at.M_GAS_USD + i] / price
        ratio = s[at.S_CR_CONTRACT + i] - gas / s[at.S_SUPPLY + i]

        gap = cap * total - held
        spare = idle - buffer * total
        room = borrow_room(all_borrow, s[at.S_BORROWED + i])
        gap = gap if gap < spare else spare
        gap = gap if gap < room else room
        gap = 0.0 if (unwinding | (ratio < min_cr)) else gap
        bring = gap if gap < pace else pace
        bring = bring if ((gap > SMALLEST_OPERATION * total) & (gap > least)) else 0.0

        over = held - cap * total
        over = over if over > CAP_TOLERANCE * total else 0.0
        over = over if over < pace else pace
        unwound = unwind_rate * held if (unwinding & (s[at.S_UNWINDING_HOURS + i] > delay)) else 0.0
        unwound = unwound if unwound > least else 0.0
        back = over if over > unwound else unwound
        back = back if back < held else held

        moved = bring - back
        idle = idle - moved
        gas = gas if gas < idle else idle
        gas = gas if abs(moved) > 0.0 else 0.0
        s[at.S_IDLE + i] = idle - gas
        s[at.S_CR_CONTRACT + i] -= gas / s[at.S_SUPPLY + i]
        a[mine.S_HELD + i] = held + moved
        a[mine.S_BORROWED + i] += moved
        s[at.S_AT_WORK + i] += moved
        s[at.S_RECOVERABLE + i] += moved
        s[at.S_BORROWED + i] += moved
        s[at.S_INCOME_MARKET_OPERATIONS + i] -= gas * price


@stage
def watch(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, q: Vector, _k: Vector) -> None:
    """Whether the vault holds more than its cap allows, and what it holds can be at all."""
    cap = q[mine.P_CAP] + CAP_TOLERANCE
    for i in range(LANES):
        held = a[mine.S_HELD + i] * s[at.S_COLLATERAL_PRICE + i]
        coins = (s[at.S_IDLE + i] + s[at.S_AT_WORK + i]) * s[at.S_COLLATERAL_PRICE + i]
        total = coins + s[at.S_OWN + i] * s[at.S_POOL_Y + i] * s[at.S_BASE_VALUE + i]
        s[at.S_OVER_CAPS + i] += 1.0 if held > cap * total else 0.0
        s[at.S_UNSOUND + i] += 0.0 if held >= 0.0 else 1.0


@dataclass(frozen=True, kw_only=True)
class SavingsAmo(AmoSection):
    """``[amos.savings]``; left out: there is no vault."""

    held: Figure = figure(0.0, 1e13, "tokens", "collateral held", default=0.0)
    borrowed: Figure = figure(-1e13, 1e13, "tokens", "collateral lent to the AMO less returned (minter's book)", default=0.0)
    yearly_yield: Figure = figure(0.0, 1.0, "1/year", "what the vault states to pay", default=0.0)

    def collateral(self, _state: ProtocolState) -> float:
        """What it holds."""
        return self.held.value


MECHANISM = Mechanism(
    name="savings",
    title="Savings AMO",
    stages=Stages(
        own=mine,
        begin=begin,
        venue_loss=venue_loss,
        market_operations=market_operations,
        operate=operate,
        watch=watch,
        cap=mine.P_CAP,
        held=mine.S_HELD,
    ),
    earns=6,
    turn=6,
    section=SavingsAmo,
    start=lambda state: {"held": state.amos.savings.held.value, "borrowed": state.amos.savings.borrowed.value},
    constants=lambda state: {"hourly_yield": state.amos.savings.yearly_yield.value / HOURS_A_YEAR},
    parameters={"cap": collateral_cap("savings_cap", "Most collateral in the vault, share of all collateral", rank=65, default=0.0)},
    out={"cap": UnderCap(used=lambda state: state.amos.savings.held.value, use="held")},
    inputs={"loss": "share of what the vault holds that is lost this hour"},
    loss=Loss(share_of="of what the vault holds", event="a loss of the vault"),
    income={"income": Income(name="savings", label="Savings", rank=65)},
    books=(Book(position="held", book="borrowed"),),
    series={"held": "savings_held"},
    collateral_series="savings_held",
    expectations=(Expectation(parameter="cap", metric="yield", sign=+1, reason="what is held in the vault earns"),),
)
