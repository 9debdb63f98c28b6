"""The PegKeepers' regulator and the aggregate price they are told (crvUSD), for keepers of pools that have names.

Aggregate (curvefi/curve-stablecoin `price_oracles/AggregateStablePrice3.vy`, in integers: `contracts.aggregate_price`): every pool's own average price p of the stablecoin in its coin, weighted by
its D times exp(−(p − mean)² / σ² + the least of these), mean = that weighted by D alone. A pool's average is an exponential one of its spot price with a time constant of a quarter of an
hour; as the flow of an hour is spread over it, it ends at p + g (q − p) + exp(−1 h / τ) (e − q), g = τ / 1 h · (1 − exp(−1 h / τ)), where q and e are spot and average an hour before.

Regulator (`PegKeeperRegulator.vy` @ad23954d, in integers: `contracts.peg_keeper_regulator`): providing is allowed while the pool's spot lies within `price_deviation` of its average, that average
is not above the highest of the other pools' by more than `worst_price_threshold` (its coin would be the cheapest), up to a debt of

    (α + β Σ √(debt / ceiling of the others))² · ceiling

In version 1, as deployed in 2024, withdrawing asks for spot near the average too, and a keeper without others provides nothing. An hour in which one may act is worked through in parts (`amos.peg_keeper.work`).
Departure: pools count by D, in parts by that as the hour began, not by an average of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from amo_opt.amos.mechanism import Mechanism, Stages
from amo_opt.protocol import lanes as at
from amo_opt.protocol.elementary import exp, exp_of, expm1_of
from amo_opt.protocol.lanes import LANES, Own
from amo_opt.protocol.lanes import POOL as POOL_LINES
from amo_opt.protocol.parameters import Parameter
from amo_opt.protocol.reads import Read, ReadFigure, owner
from amo_opt.protocol.state import AmoSection, Figure, ProtocolState, figure
from amo_opt.stableswap.invariant import marginal_price
from amo_opt.stableswap.jit import Vector, scalar, stage

mine = Own(
    "regulator",
    state=("weighted", "least", "weight", "price_sum"),
    parameters=("alpha", "beta", "price_deviation", "worst_price_threshold"),
    constants=("there", "inverse_sigma", "keeps", "decay", "rate", "first_version"),
)
PARTS = 8
"""Parts of an hour in which a keeper may act (`amos.peg_keeper.work`): less than the time constant of the averages in use."""
MOST_PARTS = 24
"""The same where the aggregate changes sides meanwhile, or comes near to it."""
FEW_CALLS = 12
"""Up to so many calls an hour are made one by one."""
NEAR_ONE = 2e-5
"""How near the aggregate comes to 1 where it may change sides meanwhile."""
FROM_VERSION_2 = 1.5
"""Versions from here on are the second."""
pool = Own("regarded", state=POOL_LINES)
"""Lines of a pool that a keeper works."""


@scalar
def root_of(debt: float, ceiling: float) -> float:
    """√ of a keeper's debt over what it was given: its ceiling, or its debt where that is more."""
    given = ceiling if ceiling > debt else debt
    part = debt / (given if given > 0.0 else 1.0)
    return math.sqrt(part if part > 0.0 else 0.0)


@scalar
def allowed_debt(guarded: float, provides: float, alpha: float, beta: float, roots: float, debt: float, ceiling: float) -> float:
    """Debt that a keeper may have where it ``provides``; ``roots`` = Σ √(debt / ceiling) of the others. Anything where it is not ``guarded``."""
    share = alpha + beta * roots
    given = ceiling if ceiling > debt else debt
    limit = share * share * given if provides > 0.5 else 0.0
    return limit if guarded > 0.5 else 1e300


@scalar
def verdict(spot: float, own: float, others: float, deviation: float, worst: float, first: float) -> tuple[float, float]:
    """Whether a keeper may provide and withdraw by its pool's ``spot`` and ``own`` average, and the highest average of the ``others``; ``first`` = 1 in version 1."""
    near = abs(spot - own) <= deviation
    # version 1 compares a keeper without others with 0; later ones do not compare it
    dearest = ((others > 0.0) | (first > 0.5)) & (own - worst > others)
    return 1.0 if (near & (not dearest)) else 0.0, 1.0 if (near | (first < 0.5)) else 0.0


@scalar
def verdict_of(q: Vector, k: Vector, spot: float, own: float, highest: float, second: float) -> tuple[float, float]:
    """The same of the regulator's own settings; ``highest`` and ``second`` highest of all averages."""
    others = second if own >= highest else highest
    return verdict(spot, own, others, q[mine.P_PRICE_DEVIATION], q[mine.P_WORST_PRICE_THRESHOLD], k[mine.C_FIRST_VERSION])


@scalar
def of_part(k: Vector, share: float) -> tuple[float, float, float]:
    """What an average keeps over that ``share`` of an hour (`kept_of`), and 1 / σ."""
    lag = k[mine.C_RATE] * share
    decay = exp(-lag)
    return (1.0 - decay) / lag, decay, k[mine.C_INVERSE_SIGMA]


@scalar
def parts_of(calls: float, before: float, now: float) -> int:
    """Parts of an hour of so many calls in which the aggregate goes from ``before`` to ``now``."""
    crosses = ((before - 1.0) * (now - 1.0) <= 0.0) | (min(abs(before - 1.0), abs(now - 1.0)) < NEAR_ONE)
    if calls <= FEW_CALLS:
        return FEW_CALLS
    return MOST_PARTS if crosses else PARTS


@scalar
def deviation_of(q: Vector, k: Vector, side: float) -> float:
    """How far spot may be from its average where a keeper acts on that side."""
    return q[mine.P_PRICE_DEVIATION] if (side > 0.0 or k[mine.C_FIRST_VERSION] > 0.5) else 1e9


@stage
def begin(_s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, _k: Vector) -> None:
    """Nothing is added up yet."""
    for i in range(LANES):
        a[mine.S_WEIGHTED + i] = 0.0


@stage
def clear(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, q: Vector, _k: Vector) -> None:
    """Before the hour's pools are looked at."""
    alpha = q[mine.P_ALPHA]
    beta = q[mine.P_BETA]
    for i in range(LANES):
        s[at.S_ALPHA + i] = alpha
        s[at.S_BETA + i] = beta
        a[mine.S_WEIGHTED + i] = 0.0
        a[mine.S_LEAST + i] = 1e300
        a[mine.S_WEIGHT + i] = 0.0
        a[mine.S_PRICE_SUM + i] = 0.0
        s[at.S_AGGREGATE_DEPTH + i] = 0.0
        s[at.S_HIGHEST + i] = 0.0
        s[at.S_SECOND_HIGHEST + i] = 0.0


@stage
def average(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, k: Vector, b: Vector) -> None:
    """A pool's own average follows its spot price; the mean over pools by D, and the two highest."""
    keeps = k[mine.C_KEEPS]
    decay = k[mine.C_DECAY]
    for i in range(LANES):
        d = b[pool.S_D + i]
        spot = marginal_price(b[pool.S_POOL_X + i], b[pool.S_POOL_Y + i], d, b[pool.S_ANN + i])
        before = b[pool.S_POOL_PRICE + i]
        last = b[pool.S_POOL_LAST + i]
        now = spot + keeps * (last - spot) + decay * (before - last)
        b[pool.S_POOL_BEFORE + i] = before
        b[pool.S_POOL_PRICE + i] = now
        s[at.S_AGGREGATE_DEPTH + i] += d
        a[mine.S_WEIGHTED + i] += d * now
        highest = s[at.S_HIGHEST + i]
        second = s[at.S_SECOND_HIGHEST + i]
        between = now if now > second else second
        s[at.S_SECOND_HIGHEST + i] = highest if now > highest else between
        s[at.S_HIGHEST + i] = now if now > highest else highest


@stage
def spread(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, k: Vector, b: Vector) -> None:
    """How far the nearest of the pools is from the mean, in squares of σ."""
    inverse = k[mine.C_INVERSE_SIGMA]
    for i in range(LANES):
        away = (b[pool.S_POOL_PRICE + i] - a[mine.S_WEIGHTED + i] / s[at.S_AGGREGATE_DEPTH + i]) * inverse
        square = away * away
        least = a[mine.S_LEAST + i]
        a[mine.S_LEAST + i] = square if square < least else least


@stage
def weigh(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, k: Vector, b: Vector) -> None:
    """A pool's weight and price."""
    inverse = k[mine.C_INVERSE_SIGMA]
    for i in range(LANES):
        price = b[pool.S_POOL_PRICE + i]
        away = (price - a[mine.S_WEIGHTED + i] / s[at.S_AGGREGATE_DEPTH + i]) * inverse
        weight = b[pool.S_D + i] * exp(a[mine.S_LEAST + i] - away * away)
        a[mine.S_WEIGHT + i] += weight
        a[mine.S_PRICE_SUM + i] += weight * price


@stage
def tell(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, _q: Vector, _k: Vector) -> None:
    """The aggregate price."""
    for i in range(LANES):
        weight = a[mine.S_WEIGHT + i]
        s[at.S_AGGREGATE_BEFORE + i] = s[at.S_AGGREGATE + i]
        s[at.S_AGGREGATE + i] = a[mine.S_PRICE_SUM + i] / (weight if weight > 0.0 else 1.0)


@dataclass(frozen=True, kw_only=True)
class Regulator(AmoSection):
    """``[amos.regulator]``"""

    sigma: Figure = figure(1e-6, 1.0, "", "deviation from the mean at which a pool's weight in the aggregate price falls to 1/e", off=1.0)
    average_seconds: Figure = figure(1.0, 1e6, "s", "time constant of a pool's own price average", off=1.0)
    version: Figure = figure(1.0, 2.0, "", "1: withdrawing asks for spot near its average too, as deployed in 2024; 2: v1.1.0", off=2.0)


def kept_of(seconds: float, tau: float) -> tuple[float, float]:
    """What an average keeps of its distance from a price that runs evenly for so long, and of what it lagged before."""
    return -tau / seconds * expm1_of(-seconds / tau), exp_of(-seconds / tau)


def _constants(state: ProtocolState) -> dict[str, float]:
    tau = state.amos.regulator.average_seconds.value
    keeps, decay = kept_of(3600.0, tau)
    return {
        "there": float(state.has("amos.regulator")),
        "inverse_sigma": 1.0 / state.amos.regulator.sigma.value,
        "keeps": keeps,
        "decay": decay,
        "rate": 3600.0 / tau,
        "first_version": float(state.amos.regulator.version.value < FROM_VERSION_2),
    }


def _reads(_state: ProtocolState) -> tuple[Read | ReadFigure, ...]:
    """The regulator's parameters in 1e18 (curvefi/curve-stablecoin contracts/stabilizer/PegKeeperRegulator.vy @a519704e)."""
    said = {
        "alpha": "root of what a keeper may use of its ceiling",
        "beta": "what every other full keeper adds to it",
        "price_deviation": "distance of spot from average beyond which a keeper stands still",
        "worst_price_threshold": "height above all other pools beyond which nothing is provided",
    }
    return (
        *(
            Read(contract="regulator", signature=f"{name}()", decimals=18, parameter=f"regulator.{name}", meaning=meaning)
            for name, meaning in said.items()
        ),
        owner("regulator", "admin"),
    )


MECHANISM = Mechanism(
    name="regulator",
    title="PegKeeper regulator",
    stages=Stages(own=mine, begin=begin, there=mine.C_THERE),
    earns=5,
    turn=5,
    section=Regulator,
    section_rank=2,
    reads=_reads,
    constants=_constants,
    parameters={
        "alpha": Parameter(
            "regulator.alpha",
            "Root of what a PegKeeper may use of its ceiling while the others use nothing",
            "real",
            0.0,
            1.0,
            "",
            0.05,
            raw_decimals=18,
            rank=136,
            default=0.5,
            off=0.5,
        ),
        "beta": Parameter(
            "regulator.beta",
            "What every other PegKeeper that uses all of its ceiling adds to it",
            "real",
            0.0,
            1.0,
            "",
            0.05,
            raw_decimals=18,
            rank=137,
            default=0.25,
            off=0.25,
        ),
        "price_deviation": Parameter(
            "regulator.price_deviation",
            "Distance of a pool's spot price from its average beyond which its PegKeeper stands still",
            "real",
            1e-5,
            1.0,
            "",
            0.0001,
            raw_decimals=18,
            rank=138,
            log=True,
            default=5e-4,
            off=5e-4,
        ),
        "worst_price_threshold": Parameter(
            "regulator.worst_price_threshold",
            "Height of a pool's average above all others beyond which nothing is provided to it",
            "real",
            0.0,
            0.01,
            "",
            0.0001,
            raw_decimals=18,
            rank=139,
            default=3e-4,
            off=3e-4,
        ),
    },
)
