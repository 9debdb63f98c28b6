"""Section 12: what to watch after execution, from which value on, and what to do then.

The rule. Every value comes from the certified figures of the set that would be in force (the proposed one, else the current one): of a
figure's 95% interval the end at which it is worst, of the constraint its limit (which stands in where the certified end is 0), of the pool's price the 1% quantile on calm paths. What
has left these is not what was certified. Beside them stand the policy's own triggers (`policy_triggers`): what the executing team has said it will
answer to. `monitor.json` holds the same triggers (`report.monitor`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.protocol.state import FRAX
from amo_opt.report.blocks import Block, Bullets, Code, Column, Heading, Table, Text, wide
from amo_opt.report.sections.execution import REVERT, call_table
from amo_opt.report.stories.alarms import RECORDED_OF, record_text
from amo_opt.report.wording import Scale, metric_of, paths_of, plain_number, scale_for
from amo_opt.scoring.types import spread_known
from amo_opt.wording import count, in_account

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.report.account import Account
    from amo_opt.report.sets import Subject
    from amo_opt.scoring.types import Estimate
    from amo_opt.search.result import Candidate, Result

Action = Literal["revert", "hold", "unwind"]
ACTIONS: dict[Action, str] = {
    "revert": "execute the revert batch",
    "hold": "hold further steps; find out why, and run the study again from the state of the day",
    "unwind": "withdraw the AMOs' positions at unwind_rate, until reentry_price is reached",
}
"""What to do, by the name that monitor.json gives it."""
WORST_ENDS = (
    ("unserved_cvar90_usd_hours", "Demand to leave that neither door has paid, added up over the hours it waits", "max_unserved_usd_hours"),
    ("shortfall_cvar90_bps", "Shortfall of the pool's price below its reference (section 10)", "max_shortfall_bps"),
)
BOTH_SIDES = {"shortfall_cvar90_bps": "Distance of the pool's price from its reference, to either side (section 10)"}
"""What the worst ends are called where a price above counts as one below."""


@dataclass(frozen=True)
class Level:
    """A figure as it is shown, and the very number that is shown: who loads the number and who reads the text must not fire at different values."""

    value: float
    text: str

    @classmethod
    def scaled(cls, scale: Scale, value: float) -> Level:
        """Rounded as the scale rounds it."""
        return cls(round(value * scale.factor, scale.decimals) / scale.factor, scale.text(value))

    @classmethod
    def plain(cls, value: float) -> Level:
        """In six digits, as a parameter is shown."""
        return cls(float(f"{value:.6g}"), plain_number(value))


@dataclass(frozen=True)
class Trigger:
    """One thing to watch. ``what``, ``basis`` and the properties are text; ``name`` and ``series`` are monitor.json's words, ``unit`` that of the
    threshold, which is not scaled: dollars, not millions of them.
    """

    name: str
    what: str
    series: str
    unit: str
    below: bool
    level: Level
    basis: str
    act: Action = "hold"
    hours: int = 1

    @property
    def trigger(self) -> str:
        """``below 0.9991 USD``, ``above 0.57 for 39 hours``."""
        text = f"{'below' if self.below else 'above'} {self.level.text}"
        return text if self.hours == 1 else f"{text} for {count(self.hours, 'hour')}"

    @property
    def action(self) -> str:
        """What to do then."""
        return ACTIONS[self.act]


@dataclass(frozen=True)
class Monitoring:
    """``watched`` names the set the values belong to, ``values`` what they are."""

    watched: str
    values: str
    triggers: tuple[Trigger, ...]


def finding(of: Account) -> str:
    """How many triggers."""
    return f"{count(len(of.monitoring.triggers), 'trigger')} to watch, each with its action"


def blocks(of: Account) -> list[Block]:
    """The triggers, and the way back."""
    found, back = of.monitoring, of.execution
    own = of.study.state.is_of(FRAX)
    recorded = [record_text(each.series, each.level.value, each.hours) if own else "" for each in found.triggers]
    known = any(recorded)
    heads: list[Column | str] = [
        "What to watch",
        "Trigger",
        wide("Where the value comes from"),
        wide("Then"),
        *([wide("On record")] if known else []),
    ]
    rows = [
        (each.what, each.trigger, each.basis, each.action, *([told or None] if known else []))
        for each, told in zip(found.triggers, recorded, strict=True)
    ]
    parts: list[Block] = [
        Text(f"Values belong to {found.watched}: {found.values}. ", Code("monitor.json"), " holds the same for a monitoring service."),
        Table(heads, rows, label="Triggers"),
        Text(RECORDED_OF if known else "", kind="small"),
    ]
    if back.revert is None:
        return [*parts, Text("There is no revert batch, for there is no batch (section 13).")]
    told = " takes the calls of section 13 back, in the same format, checksum "
    return [
        *parts,
        Heading("Rollback"),
        Text(Code(REVERT), told, Code(back.revert["meta"]["checksum"]), ":"),
        call_table(back.revert_calls, before="Value when reverted from"),
        Bullets(back.revert_notes),
    ]


def monitoring_of(result: Result, subject: Subject) -> Monitoring:
    """The triggers of the proposed set, or of the current one where nothing is proposed."""
    shown = subject.other if subject.recommended and subject.other is not None else subject.current
    stop: Action = "revert" if subject.recommended else "hold"
    price = _price(result, shown)
    return Monitoring(
        values=f"the confidence bounds on {subject.stream} paths, the study's limit{', and the 1% quantile of the price in calm' if price else ''}",
        watched="the proposed set" if subject.recommended else "the current set, for nothing is proposed",
        triggers=(
            *price,
            *_collateral(result, subject, shown, stop),
            *_worst_ends(result, subject, shown),
            *policy_triggers(result.study, shown.parameters),
        ),
    )


def policy_triggers(study: Study, values: ParameterSet) -> tuple[Trigger, ...]:
    """What the set itself answers to, where the protocol has what would answer: known without a run of the study."""
    return (*_unwinding(study, values), *_pool_share(study, values))


def _price(result: Result, shown: Candidate) -> list[Trigger]:
    fans = [fan for fan in result.fans if fan.candidate == shown.id and fan.quantiles.get("1") and spread_known(fan.n)]
    fan = next((each for each in fans if each.scenario == "calm"), None)
    unit = in_account("USD", result.study.state.unit)
    if fan is None:
        return []
    level = Level.scaled(Scale(1.0, 4, unit), min(fan.quantiles["1"]))
    basis = f"lowest 1% quantile of any hour in calm, {count(fan.n, 'path')}: at the worst hour one calm path in a hundred is this low"
    what = in_account("Pool price in dollars", result.study.state.unit)
    return [Trigger("pool-price", what, "price", unit, below=True, level=level, basis=basis)]


def _collateral(result: Result, subject: Subject, shown: Candidate, stop: Action) -> list[Trigger]:
    limits = result.study.constraints
    rows = []
    what, series = "External collateral ratio at the price floor", "external_cr"
    tail = subject.score(shown).metrics.get("min_cr_external_tail95")
    limit = limits.min_external_cr
    if tail is not None and tail.low > limit:
        basis = f"lower end of the interval of its worst 5%, {_n(tail)}"
        rows.append(Trigger("cover-certified", what, series, "", below=True, level=_level("ratio", tail, tail.low), basis=basis))
    basis = f"the limit of the study's constraint at a floor of {plain_number(limits.external_cr_floor)}"
    rows.append(Trigger("cover-limit", what, series, "", below=True, level=Level.plain(limit), basis=basis, act=stop))
    return rows


def _worst_ends(result: Result, subject: Subject, shown: Candidate) -> list[Trigger]:
    metrics = subject.score(shown).metrics
    both = result.study.simulation.peg_sides == "both"
    to_par = result.study.simulation.peg_reference != "collateral"
    series = {
        "unserved_cvar90_usd_hours": "unserved_hours",
        "shortfall_cvar90_bps": f"{'par_' if to_par else ''}{'distance' if both else 'shortfall'}_bps",
    }
    rows = []
    for name, what, limit_name in WORST_ENDS:
        found = metrics.get(name)
        if found is not None:
            unit = metric_of(name, subject.account).unit
            level, basis = _level(unit, found, found.high), f"upper end of the interval of the mean of the worst tenth, {_n(found)}"
            if found.interval is None or level.text == _level(unit, found, 0.0).text:
                limit: float = getattr(result.study.constraints, limit_name)
                level = Level.scaled(scale_for(unit, (limit,)), limit)
                why = f"the mean of the worst tenth is certified as 0, {_n(found)}, and a trigger there would fire at nothing"
                basis = f"the limit of the study's constraint: {why if found.interval else f'no interval is known, {_n(found)}'}"
            said = BOTH_SIDES.get(name, what) if both else what
            key = "unserved" if name == "unserved_cvar90_usd_hours" else "shortfall"
            rows.append(Trigger(key, said, series[name], unit, below=False, level=level, basis=basis))
    return rows


def _unwinding(study: Study, values: ParameterSet) -> list[Trigger]:
    """At its least the parameter says that nothing is unwound."""
    if not study.state.has("amos") or values.unwind_price <= PARAMETERS["unwind_price"].low:
        return []
    basis = (
        f"unwind_price; withdrawals of {plain_number(values.unwind_rate)} of a position an hour begin {study.simulation.response_delay_hours} h later and "
        f"end at {plain_number(values.reentry_price)}, reentry_price"
    )
    what = "Oracle price of the stablecoin over what its exit asset is worth, at most 1"
    return [
        Trigger("unwind-price", what, "price_over_exit", "", below=True, level=Level.plain(values.unwind_price), basis=basis, act="unwind")
    ]


def _pool_share(study: Study, values: ParameterSet) -> list[Trigger]:
    if not study.state.has("amos.curve"):
        return []
    delay = study.simulation.response_delay_hours
    # at the rate of withdrawal the share is back within the hours it takes to withdraw the excess
    hours = delay + round(1.0 / values.rebalance_rate)
    basis = (
        f"pool_share_high, above which the Curve AMO withdraws; a response delay of {delay} h and 1 / rebalance_rate = "
        f"{plain_number(1.0 / values.rebalance_rate)} h"
    )
    level = Level.plain(values.pool_share_high)
    return [
        Trigger("pool-share", "Share of the stablecoin in the pool", "pool_share", "", below=False, level=level, basis=basis, hours=hours)
    ]


def _level(unit: str, estimate: Estimate, value: float) -> Level:
    return Level.scaled(scale_for(unit, (estimate.low, estimate.value, estimate.high)), value)


def _n(estimate: Estimate) -> str:
    return f"n = {paths_of(estimate)}"
