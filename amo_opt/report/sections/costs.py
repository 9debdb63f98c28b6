"""Section 9: what the change itself costs while it is carried out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.report.blocks import Block, Table, Text, n, num, told
from amo_opt.report.sections.evidence import told_apart
from amo_opt.report.wording import Chip, Scale, metric_of, paths_of, scale_for
from amo_opt.wording import count, in_account

if TYPE_CHECKING:
    from amo_opt.report.account import Account
    from amo_opt.scoring.types import Estimate

COSTS = {
    "lp_value_change": ("Change of the value of the protocol's LP tokens", "USD", +1),
    "operations_cost": ("Operations cost: fees and gas of moving positions", "USD", -1),
    "min_price": ("Lowest pool price", "USD", +1),
    "peg_shortfall_bps": ("Largest shortfall of the peg", "bps", -1),
}
"""Figure of the transition -> its title, unit and better direction."""
NOT_TOLD_APART = "The transition of the two sets was not set apart in this run, so the cost of the change is not known."


@dataclass(frozen=True)
class Cost:
    """One figure of the transition, before and after; ``verdict`` says whether the two intervals meet."""

    title: str
    scale: Scale
    before: Estimate
    after: Estimate | None
    verdict: Chip | None


def blocks(of: Account) -> list[Block]:
    """Current against shown set over the transition."""
    heads = ("Over the transition", "Unit", num("Current (95%)"), num(f"{of.subject.label} (95%)"), n(), "Verdict")
    rows = [
        (each.title, each.scale.unit, told(each.before, each.scale), told(each.after, each.scale), paths_of(each.before), each.verdict)
        for each in costs_of(of)
    ]
    return [Text(sentence(of) or NOT_TOLD_APART), Table(heads, rows, label="Cost of the change")]


def finding(of: Account) -> str:
    """How many figures are worse."""
    return sentence(of).split(" (n = ")[0] or NOT_TOLD_APART


def costs_of(of: Account) -> list[Cost]:
    """Every figure that was measured; none where the transition was not set apart."""
    by_set = {each.candidate: each.figures for each in of.result.change_costs}
    now = by_set.get(of.subject.current.id, {})
    then = {} if of.subject.other is None else by_set.get(of.subject.other.id, {})
    return [_cost(name, before, then.get(name), of.unit) for name, before in now.items()]


def _cost(name: str, before: Estimate, after: Estimate | None, account: str) -> Cost:
    metric = metric_of(name, account)
    title, unit, better = COSTS.get(name, (metric.title, metric.unit, metric.better))
    both = (before,) if after is None else (before, after)
    scale = scale_for(in_account(unit, account), [value for each in both for value in (each.value, each.low, each.high)])
    verdict = None if after is None or better == 0 else Chip(told_apart(better, before, after))
    return Cost(title, scale.fine(max(each.high - each.low for each in both)), before, after, verdict)


def sentence(of: Account) -> str:
    """How many figures are worse, with hours, paths and seed; empty where nothing was measured."""
    rows = costs_of(of)
    if not rows:
        return ""
    judged = [row.verdict.word for row in rows if row.verdict is not None]
    worse, better = judged.count("WORSE"), judged.count("BETTER")
    return (
        f"Over the {count(of.result.change_costs[0].hours, 'hour')} of transition from the state of the day, before any window is scored, {worse} of "
        f"{count(len(judged), 'figure')} {'is' if worse == 1 else 'are'} worse and {better} better than under the current set, the others not told "
        f"apart: intervals are of each set alone (n = {paths_of(rows[0].before)} calm paths, seed {of.study.search.seed})."
    )
