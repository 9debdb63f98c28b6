"""What mattered in the search: each parameter's share of the spread of the objectives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.amos.naming import title_of
from amo_opt.amos.parameters import PARAMETERS
from amo_opt.report.wording import Scale, lower_first, metric_of
from amo_opt.wording import clean, count

if TYPE_CHECKING:
    from amo_opt.search.result import Result

SHARE = Scale(100.0, 0, "%")


@dataclass(frozen=True)
class ImportanceRow:
    """What share of the spread of each objective a parameter explains in the search's own trials."""

    parameter: str
    title: str
    shares: tuple[str, ...]
    weights: tuple[float, ...]


def importances_of(result: Result, metrics: tuple[str, ...]) -> tuple[ImportanceRow, ...]:
    """Every parameter with its share for each metric, the largest share first."""
    names = {name for shares in result.importances.values() for name in shares}
    weights = {name: tuple(result.importances[metric].get(name, 0.0) for metric in metrics) for name in names}
    ordered = sorted(names, key=lambda name: (-max(weights[name]), name))
    return tuple(
        ImportanceRow(
            name,
            title_of(name, result.study.state) if name in PARAMETERS else clean(name),
            tuple(SHARE.text(each) for each in weights[name]),
            tuple(SHARE.factor * each for each in weights[name]),
        )
        for name in ordered
    )


def importance_caption(result: Result, rows: tuple[ImportanceRow, ...]) -> str:
    """Who leads for each metric, and of how many trials this is told."""
    if not rows:
        return ""
    leaders = [
        f"{lower_first(metric_of(name, result.study.state.unit).title)} by {lower_first(max(rows, key=lambda row, at=place: row.weights[at]).title.split(',')[0])}"  # type: ignore[misc]
        for place, name in enumerate(result.importances)
    ]
    scored = sum(each.score is not None for each in result.trials)
    return (
        f"In the search's own trials {' and '.join(leaders)} is explained most. Shares of the spread by PED-ANOVA, a description of these trials "
        f"without an interval (n = {count(scored, 'trial')}, seed {result.study.search.seed})."
    )
