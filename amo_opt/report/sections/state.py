"""The state's figures with their source and age, and those that are assumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.amos.naming import of_pool
from amo_opt.config.schema import figures_by_name, given_figures
from amo_opt.report.wording import plain_number
from amo_opt.wording import MISSING, clean, count, in_account

if TYPE_CHECKING:
    from datetime import date

    from amo_opt.protocol.state import Figure, ProtocolState


WEEK = 7
"""Days."""


@dataclass(frozen=True)
class StateRow:
    """One figure of the state. ``age`` counts days from the figure's date to the study's; ``range`` is that of an assumption."""

    key: str
    doc: str
    value: str
    unit: str
    assumed: bool
    origin: str
    date: str
    age: str
    range: str


def state_rows(state: ProtocolState, study_date: date) -> tuple[StateRow, ...]:
    """Every figure that the state's file holds, in the order of a state file. A sourced figure without a date has the state's."""
    declared = figures_by_name()
    return tuple(
        _row(
            name,
            of_pool(declared[name].metadata["doc"], state),
            in_account(declared[name].metadata["unit"], state.unit),
            figure,
            state.date,
            study_date,
        )
        for name, figure in given_figures(state).items()
    )


def freshness_of(state: ProtocolState, study_date: date) -> str:
    """How old the sourced figures are, in a sentence: the oldest by name, and how many are older than a week."""
    rows = [row for row in state_rows(state, study_date) if not row.assumed]
    if not rows:
        return "No figure of the state has a source."
    ages = [int(row.age.split()[0].replace(",", "").replace("−", "-")) for row in rows]
    oldest = max(ages)
    old = sum(age > WEEK for age in ages)
    name = rows[ages.index(oldest)].key
    if oldest == min(ages):
        return f"All {count(len(rows), 'sourced figure')} are {count(oldest, 'day')} old on the study's date."
    return f"The oldest of {count(len(rows), 'sourced figure')}, {name}, is {count(oldest, 'day')} old on the study's date; {old} {'is' if old == 1 else 'are'} older than a week."


def _row(key: str, doc: str, unit: str, figure: Figure, state_date: date, study_date: date) -> StateRow:
    assumed = figure.assumed is not None
    dated = None if assumed else (figure.date or state_date)
    known = figure.low is not None and figure.high is not None
    return StateRow(
        key=key,
        doc=doc,
        value=plain_number(figure.value),
        unit=unit,
        assumed=assumed,
        origin=clean((figure.assumed if assumed else figure.source) or "no source given"),
        date=MISSING if dated is None else dated.isoformat(),
        age=MISSING if dated is None else count((study_date - dated).days, "day"),
        range=f"{plain_number(figure.low or 0.0)} to {plain_number(figure.high or 0.0)}" if known else MISSING,
    )
