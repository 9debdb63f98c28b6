"""Section 12: what to watch after execution, from which value on, and what to do then.

The rule. Every value comes from the certified figures of the set that would be in force (the proposed one, else the current one): of a
figure's 95% interval the end at which it is worst, of the constraint its limit (which stands in where the certified end is 0), of the pool's price the 1% quantile on calm paths. What
has left these is not what was certified.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.report.wording import Scale, metric_of, paths_of, plain_number, scale_for
from amo_opt.scoring.types import spread_known
from amo_opt.wording import count, in_account

if TYPE_CHECKING:
    from amo_opt.report.facts.sets import Subject
    from amo_opt.scoring.types import Estimate
    from amo_opt.search.result import Candidate, Result

STOP = "execute the revert batch"
LOOK = "hold further steps; find out why, and run the study again from the state of the day"
WORST_ENDS = (
    ("unserved_cvar90_usd_hours", "Demand to leave that neither door has paid, added up over the hours it waits", "max_unserved_usd_hours"),
    ("shortfall_cvar90_bps", "Shortfall of the pool's price below its reference (section 10)", "max_shortfall_bps"),
)
BOTH_SIDES = {"shortfall_cvar90_bps": "Distance of the pool's price from its reference, to either side (section 10)"}
"""What the worst ends are called where a price above counts as one below."""


@dataclass(frozen=True)
class Trigger:
    """One thing to watch; all text."""

    what: str
    trigger: str
    basis: str
    action: str


@dataclass(frozen=True)
class Monitoring:
    """``watched`` names the set the values belong to, ``values`` what they are."""

    watched: str
    values: str
    triggers: tuple[Trigger, ...]


def monitoring_of(result: Result, subject: Subject) -> Monitoring:
    """The triggers of the proposed set, or of the current one where nothing is proposed."""
    shown = subject.other if subject.recommended and subject.other is not None else subject.current
    stop = STOP if subject.recommended else LOOK
    price = _price(result, shown)
    return Monitoring(
        values=f"the confidence bounds on {subject.stream} paths, the study's limit{', and the 1% quantile of the price in calm' if price else ''}",
        watched="the proposed set" if subject.recommended else "the current set, for nothing is proposed",
        triggers=(
            *price,
            *_collateral(result, subject, shown, stop),
            *_worst_ends(result, subject, shown),
            *_pool_share(result, shown),
        ),
    )


def _price(result: Result, shown: Candidate) -> list[Trigger]:
    fans = [fan for fan in result.fans if fan.candidate == shown.id and fan.quantiles.get("1") and spread_known(fan.n)]
    fan = next((each for each in fans if each.scenario == "calm"), None)
    shown_in = result.study.state.unit
    if fan is None:
        return []
    value = Scale(1.0, 4, in_account("USD", shown_in)).text(min(fan.quantiles["1"]))
    basis = f"lowest 1% quantile of any hour in calm, {count(fan.n, 'path')}: at the worst hour one calm path in a hundred is this low"
    return [Trigger(in_account("Pool price in dollars", shown_in), f"below {value}", basis, LOOK)]


def _collateral(result: Result, subject: Subject, shown: Candidate, stop: str) -> list[Trigger]:
    limits = result.study.constraints
    rows = []
    tail = subject.score(shown).metrics.get("min_cr_external_tail95")
    limit = limits.min_external_cr
    if tail is not None and tail.low > limit:
        rows.append(
            Trigger(
                "External collateral ratio at the price floor",
                f"below {_text('ratio', tail, tail.low)}",
                f"lower end of the interval of its worst 5%, {_n(tail)}",
                LOOK,
            )
        )
    basis = f"the limit of the study's constraint at a floor of {plain_number(limits.external_cr_floor)}"
    rows.append(Trigger("External collateral ratio at the price floor", f"below {plain_number(limit)}", basis, stop))
    return rows


def _worst_ends(result: Result, subject: Subject, shown: Candidate) -> list[Trigger]:
    metrics = subject.score(shown).metrics
    both = result.study.simulation.peg_sides == "both"
    rows = []
    for name, what, limit_name in WORST_ENDS:
        found = metrics.get(name)
        if found is not None:
            unit = metric_of(name, subject.account).unit
            value, basis = _text(unit, found, found.high), f"upper end of the interval of the mean of the worst tenth, {_n(found)}"
            if found.interval is None or value == _text(unit, found, 0.0):
                limit: float = getattr(result.study.constraints, limit_name)
                value = scale_for(unit, (limit,)).text(limit)
                why = f"the mean of the worst tenth is certified as 0, {_n(found)}, and a trigger there would fire at nothing"
                basis = f"the limit of the study's constraint: {why if found.interval else f'no interval is known, {_n(found)}'}"
            rows.append(Trigger(BOTH_SIDES.get(name, what) if both else what, f"above {value}", basis, LOOK))
    return rows


def _pool_share(result: Result, shown: Candidate) -> list[Trigger]:
    if not result.study.state.has("amos.curve"):
        return []
    values, delay = shown.parameters, result.study.simulation.response_delay_hours
    # at the rate of withdrawal the share is back within the hours it takes to withdraw the excess
    hours = delay + round(1.0 / values.rebalance_rate)
    return [
        Trigger(
            "Share of the stablecoin in the pool",
            f"above {plain_number(values.pool_share_high)} for {count(hours, 'hour')}",
            f"pool_share_high, above which the Curve AMO withdraws; a response delay of {delay} h and 1 / rebalance_rate = {plain_number(1.0 / values.rebalance_rate)} h",
            LOOK,
        )
    ]


def _text(unit: str, estimate: Estimate, value: float) -> str:
    return scale_for(unit, (estimate.low, estimate.value, estimate.high)).text(value)


def _n(estimate: Estimate) -> str:
    return f"n = {paths_of(estimate)}"
