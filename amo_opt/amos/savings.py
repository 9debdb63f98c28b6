"""A savings vault: stablecoin that its holders deposit and that is paid a rate out of the protocol's income (sFRAX, scrvUSD).

Market operations: deposits move towards what the rate draws, ``start × (1 + elasticity × (rate − rate at the snapshot))``, in proportion to the external supply; a part of what comes is
bought for it at the pool, and the same part of what leaves is sold. Savers stay where other holders run: of the hazard they take ``savings_run``.
Operation: what was promised for the hour, benchmark plus `savings_rate` on the deposits, is paid in new stablecoin, at most `savings_income_share` of what the AMOs earned this hour (as
FXS1559 counts it: interest, rewards, yields, fees of pool and range). Of what that does not cover ``beyond_income`` is paid all the same. What is paid raises supply, and is a cost.
"""

from __future__ import annotations

from dataclasses import dataclass

from amo_opt.amos.mechanism import Expectation, Income, Mechanism, Stages
from amo_opt.protocol import lanes as at
from amo_opt.protocol.elementary import expm1_of
from amo_opt.protocol.lanes import LANES, Own
from amo_opt.protocol.parameters import Parameter
from amo_opt.protocol.reads import Read, ReadFigure, decimals_of, tells
from amo_opt.protocol.state import AmoSection, Figure, ProtocolState, figure
from amo_opt.stableswap.jit import Vector, scalar, stage

HOURS_A_YEAR = 8760.0
AN_HOUR = 1.0 / HOURS_A_YEAR
MOST_DRAWN = 10.0
"""Most deposits that any rate draws, as a multiple of the snapshot's."""
MOST_DEPOSITED = 0.95
"""Most of what holders have outside the pool that stands in the vault."""

mine = Own(
    "savings",
    state=("deposits", "rate", "income"),
    parameters=("rate", "income_share"),
    constants=("start_share", "start_rate", "benchmark", "beyond", "elasticity", "weight", "rate_weight", "bought", "run"),
)


@scalar
def paid_of(promised: float, earned: float, share: float, beyond: float) -> float:
    """What is paid of what was promised for the hour: as far as the share of income covers it, and of the rest what is paid all the same."""
    most = share * earned
    most = most if most > 0.0 else 0.0
    covered = promised if promised < most else most
    paid: float = covered + beyond * (promised - covered)
    return paid


@stage
def begin(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, _k: Vector) -> None:
    """At most what holders have outside the pool is deposited."""
    for i in range(LANES):
        room = MOST_DEPOSITED * (s[at.S_SUPPLY + i] - s[at.S_POOL_X + i] - s[at.S_OWN_OUTSIDE + i] - s[at.S_POOLED_OUTSIDE + i])
        deposits = a[mine.S_DEPOSITS + i]
        a[mine.S_DEPOSITS + i] = deposits if deposits < room else room


@stage
def market_operations(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, k: Vector) -> None:
    """Who comes for the rate and who leaves for it; who of them does not run this hour."""
    start_share = k[mine.C_START_SHARE]
    start_rate = k[mine.C_START_RATE]
    elasticity = k[mine.C_ELASTICITY]
    weight = k[mine.C_WEIGHT]
    bought = k[mine.C_BOUGHT]
    stays = 1.0 - k[mine.C_RUN]
    for i in range(LANES):
        deposits = a[mine.S_DEPOSITS + i]
        supply = s[at.S_SUPPLY + i]
        x = s[at.S_POOL_X + i]
        elsewhere = s[at.S_OWN_OUTSIDE + i]
        external = supply - s[at.S_OWN + i] * x - elsewhere
        drawn = 1.0 + elasticity * (a[mine.S_RATE + i] - start_rate)
        drawn = drawn if drawn > 0.0 else 0.0
        drawn = drawn if drawn < MOST_DRAWN else MOST_DRAWN
        wanted = start_share * drawn * external
        wanted = wanted if wanted > 0.0 else 0.0  # where nobody outside has any, rounding may leave less than none
        room = MOST_DEPOSITED * (supply - x - elsewhere - s[at.S_POOLED_OUTSIDE + i] - s[at.S_QUEUE + i])
        room = room if room > 0.0 else 0.0
        after = deposits + weight * (wanted - deposits)
        after = after if after < room else room
        s[at.S_BORROWER_FLOW + i] -= bought * (after - deposits)
        s[at.S_STAYING + i] += stays * after
        a[mine.S_DEPOSITS + i] = after


@stage
def operate(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, q: Vector, k: Vector) -> None:
    """Those who ran are gone; the others are paid for the hour."""
    promised_rate = k[mine.C_BENCHMARK] + q[mine.P_RATE]
    promised_hour = (promised_rate if promised_rate > 0.0 else 0.0) * AN_HOUR
    share = q[mine.P_INCOME_SHARE]
    beyond = k[mine.C_BEYOND]
    rate_weight = k[mine.C_RATE_WEIGHT]
    run = k[mine.C_RUN]
    for i in range(LANES):
        deposits = a[mine.S_DEPOSITS + i] * (1.0 - run * s[at.S_LEAVING + i])
        paid = paid_of(promised_hour * deposits, s[at.S_EARNED + i], share, beyond)
        rate = paid / (deposits if deposits > 0.0 else 1.0) * HOURS_A_YEAR
        before = a[mine.S_RATE + i]
        a[mine.S_RATE + i] = before + rate_weight * (rate - before)
        a[mine.S_DEPOSITS + i] = deposits + paid
        a[mine.S_INCOME + i] -= paid
        s[at.S_SUPPLY + i] += paid
        s[at.S_NET_ISSUED + i] += paid


@stage
def watch(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, _k: Vector) -> None:
    """Whether the deposits can be at all."""
    for i in range(LANES):
        s[at.S_UNSOUND + i] += 0.0 if a[mine.S_DEPOSITS + i] >= 0.0 else 1.0


@dataclass(frozen=True, kw_only=True)
class Savings(AmoSection):
    """``[amos.savings]``"""

    deposited: Figure = figure(0.0, 1e13, "tokens", "stablecoin deposited")
    rate: Figure = figure(0.0, 1.0, "", "rate a year that savers are paid at the snapshot")
    benchmark: Figure = figure(0.0, 1.0, "", "rate a year that the promised rate is counted from; 0 = it is stated outright", default=0.0)
    beyond_income: Figure = figure(
        0.0,
        1.0,
        "",
        "share of what the income does not cover that is paid all the same; 0 = never more than the share of income",
        default=0.0,
    )


def _reads(_state: ProtocolState) -> tuple[Read | ReadFigure, ...]:
    """What a vault holds (EIP-4626)."""
    held = Read(
        contract="savings",
        signature="totalAssets()",
        decimals=None,
        counted_by=decimals_of("stablecoin"),
        meaning="stablecoin that the vault holds",
    )
    return (tells("amos.savings.deposited", held),)


MECHANISM = Mechanism(
    name="savings",
    title="Savings vault",
    stages=Stages(
        own=mine,
        begin=begin,
        market_operations=market_operations,
        operate=operate,
        watch=watch,
        cap=mine.P_INCOME_SHARE,
        held=mine.S_DEPOSITS,
    ),
    earns=8,
    turn=8,
    section=Savings,
    reads=_reads,
    section_rank=8,
    shares_income=True,
    start=lambda state: {"deposits": state.amos.savings.deposited.value, "rate": state.amos.savings.rate.value},
    constants=lambda state: {
        "start_share": state.amos.savings.deposited.value / state.external_supply,
        "start_rate": state.amos.savings.rate.value,
        "benchmark": state.amos.savings.benchmark.value,
        "beyond": state.amos.savings.beyond_income.value,
        "elasticity": state.markets.savings_elasticity.value,
        "weight": -expm1_of(-1.0 / state.markets.savings_hours.value),
        "rate_weight": -expm1_of(-1.0 / state.markets.savings_rate_hours.value),
        "bought": state.markets.savings_bought.value,
        "run": state.markets.savings_run.value,
    },
    markets={
        "savings_elasticity": figure(
            0.0, 200.0, "", "rise of deposits per unit of the rate that savers are paid", default=0.0, behaviour=True
        ),
        "savings_hours": figure(1.0, 1e5, "h", "time in which deposits follow the rate", default=336.0, behaviour=True),
        "savings_rate_hours": figure(1.0, 1e5, "h", "time over which savers average the rate", default=168.0, behaviour=True),
        "savings_bought": figure(0.0, 1.0, "", "share of new deposits that is bought for them", default=0.0, behaviour=True),
        "savings_run": figure(0.0, 1.0, "", "what of other holders' hazard savers take", default=1.0, behaviour=True),
    },
    parameters={
        "rate": Parameter(
            "savings_rate", "Rate a year promised to savers, over the benchmark", "real", -1.0, 1.0, "", 0.001, rank=135, default=0.0
        ),
        "income_share": Parameter(
            "savings_income_share", "Most of the AMOs' income that savers are paid", "real", 0.0, 1.0, "", 0.01, rank=136, default=0.0
        ),
    },
    income={"income": Income(name="savings", label="paid to savers", rank=66, cost=True)},
    series={"deposits": "savings_deposits"},
    expectations=(
        Expectation(parameter="rate", metric="yield", sign=-1, reason="what savers are paid is a cost"),
        Expectation(parameter="income_share", metric="yield", sign=-1, reason="what savers are paid is a cost"),
    ),
)
