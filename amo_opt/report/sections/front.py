"""Section 0: what the account is of, and every figure of the state with its source and age."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.amos.naming import of_pool
from amo_opt.config.schema import figures_by_name, given_figures
from amo_opt.report.blocks import Block, Code, Long, Named, Pairs, See, Table, Text, ToFill, num, wide
from amo_opt.report.wording import plain_number
from amo_opt.wording import MISSING, clean, count, in_account

if TYPE_CHECKING:
    from datetime import date

    from amo_opt.protocol.state import Figure, ProtocolState
    from amo_opt.report.account import Account

CHAINS = {1: "Ethereum"}
"""Names of chains by their id; another goes by its id alone."""
WEEK = 7
"""Days."""
SHORT = 16
"""Letters of a hash that the page shows."""


def finding(of: Account) -> str:
    """How much of the state has a source."""
    return f"What it rests on: {count(len(of.sourced), 'figure')} with a source, {len(of.assumed)} assumed"


def blocks(of: Account) -> list[Block]:
    """Study, state and hashes; how old the figures are; each figure with a source."""
    study, state = of.study, of.study.state
    figures = (
        f"{clean(state.name)}, {state.date.isoformat()}: {count(len(of.sourced), 'figure')} with a source",
        *((" (", See("state"), ")") if of.sourced else ()),
        f", {len(of.assumed)} assumed",
        *((" (", See("assumed"), ")") if of.assumed else ()),
    )
    rows = [
        (
            Named(each.doc, (each.key,)),
            each.value,
            each.unit,
            None if each.date is None else each.date.isoformat(),
            None if each.age is None else count(each.age, "day"),
            each.origin,
        )
        for each in of.sourced
    ]
    return [
        Pairs(
            (
                ("Study", of.name),
                ("Date", study.date.isoformat()),
                ("Chain", f"{CHAINS.get(state.chain_id, 'another chain')} (chain id {state.chain_id})"),
                ("State", figures),
                ("Study hash", Code(study.hash, short=SHORT)),
                ("Results hash", (Code(of.results_hash, short=SHORT), "; found again by ", Code("amo-opt verify"))),
                ("Links", ToFill("to be filled in by the author: forum thread, proposal, report.html, repository")),
            )
        ),
        Text(freshness(of), *((" Age and source of each: ", See("state"), ".") if of.sourced else ())),
        Text(clean(study.notes), kind="notes"),
        Long(
            "state",
            "Sourced figures",
            Text(f"State {clean(state.name)} of {state.date.isoformat()}. Age counts from a figure's date to the study's."),
            Text(clean(state.notes), kind="notes"),
            Table(("Figure", num("Value"), "Unit", num("Date"), num("Age"), wide("Source")), rows, label="Sourced figures"),
        ),
    ]


@dataclass(frozen=True)
class StateRow:
    """One figure of the state; ``date`` and ``age``, which counts days from it to the study's, None where it is assumed."""

    key: str
    doc: str
    unit: str
    figure: Figure
    date: date | None
    age: int | None

    @property
    def assumed(self) -> bool:
        """Whether it has no source."""
        return self.figure.assumed is not None

    @property
    def value(self) -> str:
        """As one would write it."""
        return plain_number(self.figure.value)

    @property
    def origin(self) -> str:
        """Its source, or why it is assumed."""
        return clean((self.figure.assumed if self.assumed else self.figure.source) or "no source given")

    @property
    def range(self) -> str:
        """That of an assumption."""
        low, high = self.figure.low, self.figure.high
        return MISSING if low is None or high is None else f"{plain_number(low)} to {plain_number(high)}"


def state_rows(state: ProtocolState, study_date: date) -> tuple[StateRow, ...]:
    """Every figure that the state's file holds, in the order of a state file. A sourced figure without a date has the state's."""
    declared = figures_by_name()
    rows = []
    for name, figure in given_figures(state).items():
        said = declared[name].metadata
        dated = (figure.date or state.date) if figure.assumed is None else None
        age = None if dated is None else (study_date - dated).days
        rows.append(StateRow(name, of_pool(said["doc"], state), in_account(said["unit"], state.unit), figure, dated, age))
    return tuple(rows)


def freshness(of: Account) -> str:
    """How old the sourced figures are, in a sentence: the oldest by name, and how many are older than a week."""
    ages = {row.key: row.age for row in of.state if row.age is not None}
    if not ages:
        return "No figure of the state has a source."
    oldest = max(ages, key=lambda key: ages[key])
    told = count(ages[oldest], "day")
    if ages[oldest] == min(ages.values()):
        return f"All {count(len(ages), 'sourced figure')} are {told} old on the study's date."
    old = sum(age > WEEK for age in ages.values())
    are = "is" if old == 1 else "are"
    return (
        f"The oldest of {count(len(ages), 'sourced figure')}, {oldest}, is {told} old on the study's date; {old} {are} older than a week."
    )
