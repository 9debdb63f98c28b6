"""crvUSD's monetary policy: the rate that borrowers pay follows the stablecoin's price and the PegKeepers' part of the debt.

Rule of AggMonetaryPolicy (curvefi/curve-stablecoin, in integers: `contracts.monetary_policy`):

    rate = rate0 · min(exp((1 − price) / sigma − fraction / target), 1000) + extra constant

``price`` is the aggregate that PegKeepers of several pools are told (`amos.regulator`), else the oracle's; ``fraction`` the PegKeepers' debt over what borrowers owe, as it is (versions 2 and 3) or averaged over ``ema_seconds`` (version 4, which takes a new
ratio in one write later). How far a market's ceiling is used raises its rate further: that is the market's (`amos.borrowers`). Written once an hour, when everybody has acted, for
the hour to come. On chain a rate is one a second times 1e18, here one a year of 31,536,000 seconds: both agree within 2 units a second (times what a ceiling in use raises the rate
by, as the contract rounds down before) and 1e-11 of the rate (tests/amos/test_monetary_policy.py).

Not here: the least debt of the last half-days that versions 3 and later divide by (so that a debt taken and repaid within hours does not lower the rate).
"""

from __future__ import annotations

from dataclasses import dataclass

from amo_opt.amos.mechanism import Expectation, Mechanism, Stages
from amo_opt.protocol import lanes as at
from amo_opt.protocol.elementary import exp, expm1_of
from amo_opt.protocol.lanes import LANES, Own
from amo_opt.protocol.parameters import Parameter
from amo_opt.protocol.reads import Read, ReadFigure, owner
from amo_opt.protocol.state import AmoSection, Figure, ProtocolState, figure
from amo_opt.stableswap.jit import Vector, scalar, stage

SECONDS_A_YEAR = 31_536_000
MAX_FACTOR = 1000.0
"""Largest multiple of rate0 (`MAX_EXP`)."""
MAX_RATE_YEAR = 43_959_106_799 * SECONDS_A_YEAR / 1e18
"""`MAX_RATE` a year, without compounding: 1.386, which compounded is 300%."""
MIN_SIGMA = 1e-4
MIN_TARGET = 1e-4
"""The contract takes any target above 0; one below 1 bp of the debt is no policy."""

mine = Own(
    "monetary_policy",
    state=("ema", "queued", "rate"),
    parameters=("rate0", "sigma", "target", "extra"),
    constants=("there", "lags", "told", "weight"),
)


@scalar
def keepers_part(keepers: float, owed: float) -> float:
    """PegKeepers' debt over what borrowers owe; 0 where nobody owes anything."""
    part: float = keepers / (owed if owed > 0.0 else 1.0)
    return part if owed > 0.0 else 0.0


@scalar
def policy_rate(price: float, fraction: float, rate0: float, inverse_sigma: float, inverse_target: float, extra: float) -> float:
    """The rate a year before a market's own part."""
    factor = exp((1.0 - price) * inverse_sigma - fraction * inverse_target)
    rate: float = rate0 * (factor if factor < MAX_FACTOR else MAX_FACTOR) + extra
    return rate


@stage
def begin(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, q: Vector, k: Vector) -> None:
    """The rate at the snapshot's price and debts, the average at rest there."""
    rate0 = q[mine.P_RATE0]
    inverse_sigma = 1.0 / q[mine.P_SIGMA]
    inverse_target = 1.0 / q[mine.P_TARGET]
    extra = q[mine.P_EXTRA]
    there = k[mine.C_THERE] > 0.5
    for i in range(LANES):
        fraction = keepers_part(s[at.S_KEEPER_DEBT + i], s[at.S_OWED + i])
        rate = policy_rate(s[at.S_ORACLE + i], fraction, rate0, inverse_sigma, inverse_target, extra)
        rate = rate if there else 0.0
        a[mine.S_EMA + i] = fraction if there else 0.0
        a[mine.S_QUEUED + i] = fraction if there else 0.0
        a[mine.S_RATE + i] = rate
        s[at.S_BORROW_RATE + i] += rate


@stage
def operate(s: Vector, _m: Vector, _p: Vector, _c: Vector, a: Vector, _n: Vector, q: Vector, k: Vector) -> None:
    """The rate of the hour to come, as ``rate_write`` at the hour's end stores it."""
    rate0 = q[mine.P_RATE0]
    inverse_sigma = 1.0 / q[mine.P_SIGMA]
    inverse_target = 1.0 / q[mine.P_TARGET]
    extra = q[mine.P_EXTRA]
    weight = k[mine.C_WEIGHT]
    lags = k[mine.C_LAGS] > 0.5
    told = k[mine.C_TOLD] > 0.5
    for i in range(LANES):
        price = s[at.S_AGGREGATE + i] if told else s[at.S_ORACLE + i]
        now = keepers_part(s[at.S_KEEPER_DEBT + i], s[at.S_OWED + i])
        ema = a[mine.S_EMA + i]
        ema = ema + weight * (a[mine.S_QUEUED + i] - ema)
        rate = policy_rate(price, ema if lags else now, rate0, inverse_sigma, inverse_target, extra)
        a[mine.S_EMA + i] = ema
        a[mine.S_QUEUED + i] = now
        s[at.S_BORROW_RATE + i] += rate - a[mine.S_RATE + i]
        a[mine.S_RATE + i] = rate


@dataclass(frozen=True, kw_only=True)
class MonetaryPolicy(AmoSection):
    """``[amos.monetary_policy]``"""

    ema_seconds: Figure = figure(0.0, 1e8, "s", "averaging time of the PegKeepers' part of the debt (version 4); 0 = none")


NAME = "monetary_policy"


def _constants(state: ProtocolState) -> dict[str, float]:
    seconds = getattr(state.amos, NAME).ema_seconds.value
    return {
        "there": float(state.has(f"amos.{NAME}")),
        "lags": float(seconds > 0.0),
        "told": float(state.has("amos.regulator")),
        "weight": -expm1_of(-3600.0 / seconds) if seconds > 0.0 else 1.0,
    }


def _reads(_state: ProtocolState) -> tuple[Read | ReadFigure, ...]:
    """Rates a second and the rest in 1e18; sigma is signed (curvefi/curve-stablecoin contracts/mpolicies/AggMonetaryPolicy2.vy @0f0ed839; ``extra_const`` of versions 3c and 4)."""
    said = {
        "rate0": ("policy_rate0", "uint256", "borrow rate at a price of 1 without keepers' debt, a second"),
        "sigma": ("policy_sigma", "int256", "fall of the price that raises the rate e-fold"),
        "target_debt_fraction": ("policy_target_debt_fraction", "uint256", "keepers' part of the debt that lowers the rate e-fold"),
        "extra_const": ("policy_extra_const", "uint256", "what is added to the rate whatever price and debts, a second"),
    }
    return (
        *(
            Read(
                contract=NAME,
                signature=f"{name}()",
                outputs=(of,),
                decimals=18,
                parameter=parameter,
                optional=name == "extra_const",
                meaning=meaning,
            )
            for name, (parameter, of, meaning) in said.items()
        ),
        owner(NAME, "admin"),
    )


MECHANISM = Mechanism(
    name=NAME,
    title="Monetary policy",
    stages=Stages(own=mine, begin=begin, operate=operate, there=mine.C_THERE),
    # it begins when borrowers and keepers have told their debts, and writes the rate when all have acted
    earns=9,
    turn=9,
    section=MonetaryPolicy,
    reads=_reads,
    section_rank=4,
    constants=_constants,
    parameters={
        "rate0": Parameter(
            "policy_rate0",
            "Borrow rate at a price of 1 without PegKeepers' debt",
            "real",
            0.0,
            1.386,
            "1/year",
            0.001,
            "set_rate",
            NAME,
            18,
            rank=134,
            default=0.0,
            raw_seconds=SECONDS_A_YEAR,
        ),
        "sigma": Parameter(
            "policy_sigma",
            "Fall of the price that raises the borrow rate e-fold",
            "real",
            MIN_SIGMA,
            1.0,
            "USD",
            0.001,
            "set_sigma",
            NAME,
            18,
            log=True,
            rank=135,
            default=0.02,
            off=0.02,
        ),
        "target": Parameter(
            "policy_target_debt_fraction",
            "PegKeepers' debt over borrowers' that lowers the borrow rate e-fold",
            "real",
            MIN_TARGET,
            1.0,
            "",
            0.01,
            "set_target_debt_fraction",
            NAME,
            18,
            rank=136,
            default=0.1,
            off=0.1,
        ),
        "extra": Parameter(
            "policy_extra_const",
            "What is added to the borrow rate whatever price and debts",
            "real",
            0.0,
            1.386,
            "1/year",
            0.001,
            "set_extra_const",
            NAME,
            18,
            rank=137,
            searched=False,
            default=0.0,
            raw_seconds=SECONDS_A_YEAR,
        ),
    },
    series={"rate": "policy_rate"},
    expectations=(
        Expectation(parameter="rate0", metric="yield", sign=+1, reason="borrowers pay more interest on what they owe"),
        Expectation(parameter="target", metric="yield", sign=+1, reason="PegKeepers' debt takes less off the rate that borrowers pay"),
    ),
)
