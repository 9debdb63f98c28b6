"""What the change itself costs while it is carried out, and how large a run each set survives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.report.facts.evidence import told_apart
from amo_opt.report.facts.sets import role_title
from amo_opt.report.wording import Chip, Scale, metric_of, paths_counted, paths_of, scale_for
from amo_opt.wording import MISSING, clean, count, in_account

if TYPE_CHECKING:
    from amo_opt.report.facts.sets import Subject
    from amo_opt.search.result import Result, RunCapacity

COSTS = {
    "lp_value_change": ("Change of the value of the protocol's LP tokens", "USD", +1),
    "operations_cost": ("Operations cost: fees and gas of moving positions", "USD", -1),
    "min_price": ("Lowest pool price", "USD", +1),
    "peg_shortfall_bps": ("Largest shortfall of the peg", "bps", -1),
}
"""Figure of the transition -> its title, unit and better direction."""
SHARE = Scale(100.0, 1, "%")


@dataclass(frozen=True)
class CostRow:
    """One figure of the transition, before and after; ``verdict`` says whether the two intervals meet."""

    title: str
    unit: str
    current: str
    current_interval: str
    proposed: str
    proposed_interval: str
    n: str
    verdict: Chip | None


@dataclass(frozen=True)
class CapacityRow:
    """The run one set survives, and the share of it that was paid, each with its interval."""

    title: str
    capacity: str
    interval: str
    paid: str
    paid_interval: str
    n: str


@dataclass(frozen=True)
class Costs:
    """Section 9 and the runs of section 8; ``why_empty`` says why there are no ``rows``."""

    label: str
    rows: tuple[CostRow, ...]
    caption: str
    why_empty: str
    capacities: tuple[CapacityRow, ...]
    capacity_caption: str


def costs_of(result: Result, subject: Subject) -> Costs:
    """Current against shown set over the transition; the runs of every set that was tried."""
    rows = _rows(result, subject)
    return Costs(
        label=subject.label,
        rows=rows,
        caption=_caption(result, rows),
        why_empty="" if rows else "The transition of the two sets was not set apart in this run, so the cost of the change is not known.",
        capacities=tuple(_capacity(each, result) for each in result.run_capacities),
        capacity_caption=_capacity_caption(result, subject),
    )


def _rows(result: Result, subject: Subject) -> tuple[CostRow, ...]:
    by_set = {each.candidate: each.figures for each in result.change_costs}
    now = by_set.get(subject.current.id, {})
    then = {} if subject.other is None else by_set.get(subject.other.id, {})
    rows = []
    for name, before in now.items():
        metric = metric_of(name, subject.account)
        title, unit, better = COSTS.get(name, (metric.title, metric.unit, metric.better))
        after = then.get(name)
        both = (before,) if after is None else (before, after)
        scale = scale_for(in_account(unit, subject.account), [value for each in both for value in (each.value, each.low, each.high)])
        scale = scale.fine(max(each.high - each.low for each in both))
        rows.append(
            CostRow(
                title=title,
                unit=scale.unit,
                current=scale.number(before.value),
                current_interval=scale.interval(before),
                proposed=MISSING if after is None else scale.number(after.value),
                proposed_interval=MISSING if after is None else scale.interval(after),
                n=paths_of(before),
                verdict=None if after is None or better == 0 else Chip(told_apart(better, before, after)),
            )
        )
    return tuple(rows)


def _caption(result: Result, rows: tuple[CostRow, ...]) -> str:
    if not rows:
        return ""
    hours = result.change_costs[0].hours
    judged = [row.verdict.word for row in rows if row.verdict is not None]
    worse, better = judged.count("WORSE"), judged.count("BETTER")
    return (
        f"Over the {count(hours, 'hour')} of transition from the state of the day, before any window is scored, {worse} of "
        f"{count(len(judged), 'figure')} {'is' if worse == 1 else 'are'} worse and {better} better than under the current set, the others not told "
        f"apart: intervals are of each set alone (n = {rows[0].n} calm paths, seed {result.study.search.seed})."
    )


def _capacity(found: RunCapacity, result: Result) -> CapacityRow:
    titles = {each.id: role_title(each) for each in result.candidates}
    return CapacityRow(
        title=titles.get(found.candidate, clean(found.candidate)),
        capacity=SHARE.text(found.value.value),
        interval=SHARE.interval(found.value),
        paid=MISSING if found.paid is None else SHARE.text(found.paid.value),
        paid_interval=MISSING if found.paid is None else SHARE.interval(found.paid),
        n=paths_of(found.value),
    )


def _capacity_caption(result: Result, subject: Subject) -> str:
    by_set = {each.candidate: each.value for each in result.run_capacities}
    now = by_set.get(subject.current.id)
    then = None if subject.other is None else by_set.get(subject.other.id)
    if now is None:
        return ""
    found = f"The current set survives a run of {SHARE.text(now.value)} of the outside supply"
    if then is not None:
        words = {"BETTER": "more", "WORSE": "less", "INCONCLUSIVE": "not told apart", "EQUIVALENT": "the same"}
        found += f", {subject.short_label[:1].lower()}{subject.short_label[1:]} {SHARE.text(then.value)}: {words[told_apart(1, now, then)]}"
    intervals = "95% intervals in the table" if now.interval else "intervals not known: too few paths"
    return f"{found} ({intervals}, n = {paths_counted(now, 'path')}, seed {result.study.search.seed})."
