"""Borrowers who mint the stablecoin against collateral of their own (crvUSD, MIM, LUSD, alUSD): their debt, its interest, and how it answers to rate and price.

What they owe is an asset at par and cover, but no redeemer is paid from it: only borrowers give it back. Debt and supply move together, so NAV does not, but for two things. Interest
accrues onto the debt and is minted to the protocol: what it keeps (`borrowers_interest_kept`) is own stablecoin and income, the rest is paid out and circulates. Bad debt is a venue loss.

The rate is that of a monetary policy, where the state has one, raised as the markets' ceiling fills up: x (0.9 + 0.1 / (1 − debt / ceiling)), at most MAX_RATE (AggMonetaryPolicy2,
curvefi/curve-stablecoin; `contracts.monetary_policy`). Without a policy it stays what it is at the snapshot.

Borrowers want debt in proportion to their demand over 1 + elasticity · rate, a mean over `lending_memory_hours`, as Fraxlend's do, times exp(−semi-elasticity · rate); what they owe
beyond or short of it they close at the same pace. Without the second factor interest rises with the rate for ever, as if there were always borrowers whose leverage earns more than any rate. Below a price of 1 they buy the stablecoin cheap and repay, above it they mint and sell: a share of the debt an hour per unit of price, at most `borrowers_peg_limit`. Interest by itself makes nobody repay: it is
owed, as the rest is. A scenario may have them take or give back part of their debt (input ``turn``). What they take is sold, what they give back is bought
(`holders.demand`); they repay with nothing that is not outside, and take nothing over the ceiling.

Not here: their collateral and its soft liquidation (LLAMMA); a rally or a crash is a scenario's ``turn`` and ``loss``.
"""

from __future__ import annotations

from dataclasses import dataclass

from amo_opt.amos.lending import HOURS_A_YEAR
from amo_opt.amos.mechanism import Borrowing, Expectation, Income, Loss, Mechanism, Stages
from amo_opt.amos.monetary_policy import MAX_RATE_YEAR
from amo_opt.amos.monetary_policy import NAME as POLICY
from amo_opt.protocol import lanes as at
from amo_opt.protocol.elementary import exp
from amo_opt.protocol.holders import circulating
from amo_opt.protocol.lanes import LANES, Own
from amo_opt.protocol.parameters import Parameter
from amo_opt.protocol.reads import Read, ReadFigure, owner, tells
from amo_opt.protocol.state import AmoSection, Figure, ProtocolState, figure
from amo_opt.stableswap.jit import Vector, scalar, stage

MOST_DETERRED = 50.0
"""e-folds of which nobody is left, and those who come back are still told from none."""
MOST_FILLED = 0.9999
"""Share of its ceiling at which a market's rate stops rising (`MAX_FILL`)."""
REMAINDER = 0.1
"""Share of the ceiling left at which the rate is 1.9 times that of an empty market (`TARGET_REMAINDER`)."""

mine = Own(
    "borrowers",
    state=("debt", "level", "asked", "rate", "mean_rate", "income"),
    market=("demand", "turn", "loss"),
    parameters=("kept",),
    constants=("fixed_rate", "follows", "ceiling", "elasticity", "semi_elasticity", "peg_response", "peg_limit"),
)


@scalar
def filled_rate(rate: float, debt: float, inverse_ceiling: float) -> float:
    """The policy's rate as far as the market's ceiling is used."""
    fill = debt * inverse_ceiling
    fill = fill if fill < MOST_FILLED else MOST_FILLED
    filled: float = rate * (1.0 - REMAINDER + REMAINDER / (1.0 - fill))
    return filled if filled < MAX_RATE_YEAR else MAX_RATE_YEAR


@scalar
def asked_at(demand: float, rate: float, elasticity: float, semi_elasticity: float) -> float:
    """What borrowers want to owe at a mean rate, as ``demand`` is counted: the share of them whose leverage earns more than it."""
    deterred = semi_elasticity * rate
    deterred = deterred if deterred < MOST_DETERRED else MOST_DETERRED
    asked: float = demand / (1.0 + elasticity * rate) * exp(-deterred)
    return asked


@scalar
def wanted_change(debt: float, level: float, grown: float, weight: float, off_peg: float, response: float, limit: float) -> float:
    """What borrowers take (repay where negative) this hour before any bound: with their demand, towards the level they want, and for the price's sake."""
    scaled = debt * grown
    push = response * off_peg
    push = push if push < limit else limit
    push = push if push > -limit else -limit
    change: float = (scaled - debt) - weight * (scaled - level) + push * debt
    return change


@scalar
def within(change: float, debt: float, ceiling: float, outside: float) -> float:
    """As much of it as the ceiling leaves and as there is stablecoin outside to repay with."""
    room = ceiling - debt
    room = room if room > 0.0 else 0.0
    back = outside if outside > 0.0 else 0.0
    back = back if back < debt else debt
    change = change if change < room else room
    return change if change > -back else -back


@scalar
def moved(total: float, by: float) -> float:
    """A total of cover after one of its debts moved; where nothing is left of it, rounding may have left less."""
    after = total + by
    return after if after > 0.0 else 0.0


@stage
def begin(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, n: Vector, _q: Vector, k: Vector) -> None:
    """What is owed, wanted as it is at the snapshot's rate, to the totals: cover at the floor too."""
    elasticity = k[mine.C_ELASTICITY]
    semi_elasticity = k[mine.C_SEMI_ELASTICITY]
    for i in range(LANES):
        debt = a[mine.S_DEBT + i]
        a[mine.S_LEVEL + i] = debt
        asked = asked_at(n[mine.M_DEMAND + i], a[mine.S_MEAN_RATE + i], elasticity, semi_elasticity)
        a[mine.S_ASKED + i] = asked if debt > 0.0 else 0.0
        s[at.S_OWED + i] += debt
        s[at.S_RECOVERABLE + i] += debt


@stage
def venue_loss(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, n: Vector, _q: Vector, _k: Vector) -> None:
    """What borrowers never repay, their collateral being worth less: nobody wants that debt again."""
    for i in range(LANES):
        debt = a[mine.S_DEBT + i]
        loss = n[mine.M_LOSS + i]
        lost = debt * loss
        a[mine.S_DEBT + i] = debt - lost
        a[mine.S_LEVEL + i] *= 1.0 - loss
        s[at.S_OWED + i] = moved(s[at.S_OWED + i], -lost)
        s[at.S_RECOVERABLE + i] = moved(s[at.S_RECOVERABLE + i], -lost)
        s[at.S_INCOME_VENUE_LOSSES + i] -= lost


@stage
def market_operations(s: Vector, _m: Vector, _p: Vector, c: Vector, a: Vector, n: Vector, q: Vector, k: Vector) -> None:
    """The hour's interest, minted; then what borrowers take or repay, which is stablecoin sold or bought."""
    fixed_rate = k[mine.C_FIXED_RATE]
    follows = k[mine.C_FOLLOWS] > 0.5
    ceiling = k[mine.C_CEILING]
    inverse_ceiling = 1.0 / ceiling
    elasticity = k[mine.C_ELASTICITY]
    semi_elasticity = k[mine.C_SEMI_ELASTICITY]
    response = k[mine.C_PEG_RESPONSE]
    limit = k[mine.C_PEG_LIMIT]
    kept = q[mine.P_KEPT]
    weight = c[at.C_LENDING_WEIGHT]
    for i in range(LANES):
        owed = a[mine.S_DEBT + i]
        policy = filled_rate(s[at.S_BORROW_RATE + i], owed, inverse_ceiling)
        rate = policy if follows else fixed_rate
        accrues = rate * (1.0 / HOURS_A_YEAR)
        interest = owed * accrues
        income = kept * interest
        debt = owed + interest
        supply = s[at.S_SUPPLY + i] + interest
        own_outside = s[at.S_OWN_OUTSIDE + i] + income

        mean_rate = a[mine.S_MEAN_RATE + i]
        mean_rate = mean_rate + weight * (rate - mean_rate)
        asked = asked_at(n[mine.M_DEMAND + i], mean_rate, elasticity, semi_elasticity)
        before = a[mine.S_ASKED + i]
        grown = asked / (before if before > 0.0 else asked) * (1.0 + n[mine.M_TURN + i])
        level = a[mine.S_LEVEL + i] * (1.0 + accrues) * grown
        change = wanted_change(debt, level, grown, weight, s[at.S_PRICE + i] - 1.0, response, limit)
        pool_x = s[at.S_POOL_X + i]
        pooled_outside = s[at.S_POOLED_OUTSIDE + i]
        change = within(change, debt, ceiling, supply - pool_x - own_outside - pooled_outside)

        a[mine.S_DEBT + i] = debt + change
        a[mine.S_LEVEL + i] = level
        a[mine.S_ASKED + i] = asked
        a[mine.S_RATE + i] = rate
        a[mine.S_MEAN_RATE + i] = mean_rate
        a[mine.S_INCOME + i] += income
        s[at.S_SUPPLY + i] = circulating(supply, supply + change, pool_x + own_outside + pooled_outside)
        s[at.S_OWN_OUTSIDE + i] = own_outside
        s[at.S_OWN_AT_FLOOR + i] += income
        s[at.S_OWN_COUNTED + i] += income
        s[at.S_OWED + i] = moved(s[at.S_OWED + i], interest + change)
        s[at.S_RECOVERABLE + i] = moved(s[at.S_RECOVERABLE + i], interest + change)
        s[at.S_BORROWER_FLOW + i] += change


@stage
def settle(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, _k: Vector) -> None:
    """What borrowers owe, at par: it is not sold but repaid."""
    for i in range(LANES):
        s[at.S_DEBT + i] += a[mine.S_DEBT + i]


@stage
def watch(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, _k: Vector) -> None:
    """Whether its figures can be at all."""
    for i in range(LANES):
        s[at.S_UNSOUND + i] += 0.0 if ((a[mine.S_DEBT + i] >= 0.0) & (a[mine.S_LEVEL + i] >= 0.0)) else 1.0


@dataclass(frozen=True, kw_only=True)
class Borrowers(AmoSection):
    """``[amos.borrowers]``"""

    debt: Figure = figure(0.0, 1e13, "tokens", "stablecoin that borrowers owe against collateral of their own")
    rate: Figure = figure(0.0, 10.0, "1/year", "mean rate that they pay at the snapshot")
    ceiling: Figure = figure(1.0, 1e15, "tokens", "most that all markets together lend", off=1.0)

    def owed(self) -> float:
        """The debt."""
        return self.debt.value


NAME = "borrowers"
"""What its table, its lines and its settings are called by."""


def _start(state: ProtocolState) -> dict[str, float]:
    section = getattr(state.amos, NAME)
    return {"debt": section.debt.value, "rate": section.rate.value, "mean_rate": section.rate.value}


def _constants(state: ProtocolState) -> dict[str, float]:
    section, markets = getattr(state.amos, NAME), state.markets
    return {
        "fixed_rate": section.rate.value,
        "follows": float(state.has(f"amos.{POLICY}")),
        "ceiling": section.ceiling.value,
        "elasticity": getattr(markets, f"{NAME}_elasticity").value,
        "semi_elasticity": getattr(markets, f"{NAME}_semi_elasticity").value,
        "peg_response": getattr(markets, f"{NAME}_peg_response").value,
        "peg_limit": getattr(markets, f"{NAME}_peg_limit").value,
    }


def _reads(_state: ProtocolState) -> tuple[Read | ReadFigure, ...]:
    """All markets' debt (``total_debt`` of curvefi/curve-stablecoin's ControllerFactory, as contracts/mpolicies/AggMonetaryPolicy2.vy @0f0ed839 reads it)."""
    debt = Read(contract="controller_factory", signature="total_debt()", decimals=18, meaning="what all markets' borrowers owe")
    return (tells(f"amos.{NAME}.debt", debt), owner("controller_factory", "admin"))


MECHANISM = Mechanism(
    name=NAME,
    title="Borrowers' debt",
    stages=Stages(
        own=mine,
        begin=begin,
        venue_loss=venue_loss,
        market_operations=market_operations,
        settle=settle,
        watch=watch,
        held=mine.S_DEBT,
    ),
    earns=8,
    turn=8,
    section=Borrowers,
    reads=_reads,
    section_rank=3,
    start=_start,
    constants=_constants,
    markets={
        f"{NAME}_elasticity": figure(0.0, 100.0, "", "fall of the borrowers' debt per unit of the rate they pay", behaviour=True),
        f"{NAME}_semi_elasticity": figure(
            0.0,
            100.0,
            "",
            "fall of the logarithm of the borrowers' debt per unit of the rate they pay, beyond borrowers_elasticity",
            default=0.0,
            behaviour=True,
        ),
        f"{NAME}_peg_response": figure(
            0.0, 100.0, "1/h", "debt repaid an hour per unit of price below 1, or taken per unit above, share of it", behaviour=True
        ),
        f"{NAME}_peg_limit": figure(
            0.0, 1.0, "1/h", "most of the debt that they repay or take an hour for the price's sake", behaviour=True
        ),
    },
    parameters={
        "kept": Parameter(
            f"{NAME}_interest_kept",
            "Share of the borrowers' interest that the protocol keeps",
            "real",
            0.0,
            1.0,
            "",
            0.05,
            searched=False,
            rank=138,
            default=1.0,
            off=1.0,
        )
    },
    inputs={
        "demand": "ratio; demand to borrow, over that of the snapshot",
        "turn": "share of the borrowers' debt that a scenario has them take this hour, negative: give back",
        "loss": "share of the borrowers' debt that is lost this hour",
    },
    loss=Loss(share_of="of the borrowers' debt", event="a shortfall of the borrowers' collateral"),
    income={"income": Income(name=NAME, label="borrowers' interest", rank=35)},
    series={"debt": f"{NAME}_debt", "rate": f"{NAME}_rate"},
    expectations=(Expectation(parameter="kept", metric="yield", sign=+1, reason="interest that is paid out is not earned"),),
    collateral_series=f"{NAME}_debt",
    owed="debt",
    borrowing=Borrowing(of="the borrowers' debt"),
)
