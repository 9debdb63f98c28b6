"""Scores on a terminal and as JSON: every figure with its interval and n."""

from __future__ import annotations

import math
import os
import sys
from typing import TYPE_CHECKING, Any

from amo_opt.wording import NOT_KNOWN, count, in_account, interval, significant, sized

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console

    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.scoring.parts import RiskPart
    from amo_opt.scoring.types import Constraint, Estimate, Score
    from amo_opt.stress.tilts import Design

VERDICTS = {"KEPT": "holds", "BROKEN": "BROKEN", "UNDECIDED": "too few paths to decide"}
"""What a limit's verdict in a report is on a terminal."""
PIPED_WIDTH = 200
"""Characters of a table's line where nobody's terminal says otherwise."""


def estimate_document(estimate: Estimate) -> dict[str, Any]:
    """``{value, interval, n[, twins][, tail_points]}``; the interval is null where the paths are too few to know it."""
    document: dict[str, Any] = {"value": estimate.value, "interval": estimate.interval and [*estimate.interval], "n": estimate.n}
    if estimate.twins:
        document["twins"] = estimate.twins
    if estimate.tail_points is not None:
        document["tail_points"] = estimate.tail_points
    return document


def _constraint_document(constraint: Constraint, account: str) -> dict[str, Any]:
    return {
        "name": constraint.name,
        "scenario": constraint.scenario,
        "unit": in_account(constraint.unit, account),
        **estimate_document(constraint.estimate),
        "limit": constraint.limit,
        "at_least": constraint.at_least,
        "feasible": None if constraint.estimate.interval is None else constraint.violation_high <= 0.0,
        "decidable": constraint.decidable,
    }


def score_document(
    score: Score, parameters: ParameterSet, study: Study, *, steps: int, parts: tuple[RiskPart, ...], designs: Mapping[str, Design]
) -> dict[str, Any]:
    """One set's score, and the parts of its peg risk, as a JSON document; ``designs`` = how scenarios with twins were drawn."""
    from amo_opt.report.sampling_json import design_document, part_document

    return {
        "schema": 1,
        "study": {"name": study.name, "hash": study.hash, "seed": study.search.seed},
        "parameters": {"name": parameters.name, **parameters.values()},
        "steps": steps,
        "feasible": score.feasible,
        "metrics": {name: estimate_document(estimate) for name, estimate in score.metrics.items()},
        "yield_terms": {name: estimate_document(estimate) for name, estimate in score.yield_terms.items()},
        "by_scenario": {
            scenario: {name: estimate_document(estimate) for name, estimate in figures.items()}
            for scenario, figures in score.by_scenario.items()
        },
        "constraints": [_constraint_document(constraint, study.state.unit) for constraint in score.constraints],
        "risk_parts": [part_document(part, estimate_document) for part in parts],
        "sampling": [design_document(name, design) for name, design in designs.items()],
    }


def told_designs(designs: Mapping[str, Design]) -> Iterator[str]:
    """A line for every scenario that has twins, and one that says what no twin excludes."""
    from amo_opt.report.facts.risk import driver_words, unseen_sentence

    for name, design in designs.items():
        if not design.plain:
            yield f"{name}: {count(design.drawn, 'drawn path')} and {count(sum(design.twins), 'twin')}{driver_words(design)}"
    if designs:
        yield unseen_sentence(designs)


def open_console() -> Console:
    """A console on stdout. Where that is no terminal there is no width to fit: lines stay whole, so that a name can be searched for."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() or os.environ.get("COLUMNS") else PIPED_WIDTH)


def print_table(title: str, table: tuple[Sequence[str], Sequence[Sequence[str]]]) -> None:
    """Headings and rows of text, the first column to the left; nothing where there is no row."""
    from rich.box import SIMPLE
    from rich.markup import escape
    from rich.table import Table

    heads, rows = table
    if not rows:
        return
    drawn = Table(title=escape(title), title_justify="left", box=SIMPLE, padding=(0, 1, 0, 0))
    for place, head in enumerate(heads):
        drawn.add_column(head, justify="left" if place == 0 else "right")
    for row in rows:
        drawn.add_row(*map(escape, row))
    open_console().print(drawn)


def shown(value: float) -> str:
    """A figure with four significant digits; thousands separated."""
    return significant(value, 4)


def _end(value: float) -> str:
    """An end of an interval; one that is not known is infinite."""
    return NOT_KNOWN if math.isinf(value) else shown(value)


def _ends(estimate: Estimate) -> str:
    return interval(estimate.interval, shown, between=" … ")


def print_parts(console: Console, parts: tuple[RiskPart, ...]) -> None:
    """Where the peg risk comes from."""
    from rich.table import Table

    from amo_opt.report.facts.risk import KINDS

    table = Table(title="where the peg risk comes from (95% intervals)")
    for heading in ("scenario", "paths", "bps", "share", "chance a path", "n in the tail"):
        table.add_column(heading, justify="left" if heading in {"scenario", "paths"} else "right", no_wrap=heading == "scenario")
    for part in parts:
        cells = [f"{shown(each.value)} ({_ends(each)})" if each else "" for each in (part.contribution, part.share, part.chance)]
        n = sized(part.contribution.n, part.contribution.twins)
        table.add_row(part.scenario, KINDS[part.kind], *cells, n)
    console.print(table)


def print_score(console: Console, score: Score, parameters: ParameterSet, study: Study, *, parts: tuple[RiskPart, ...]) -> None:
    """Metrics over all paths, then by scenario, the parts of the peg risk, and constraints."""
    from rich.table import Table

    from amo_opt.report.facts.limits import constraint_verdict
    from amo_opt.report.wording import metric_of

    account = study.state.unit
    table = Table(title=f"{parameters.name} on {study.name} (95% intervals)")
    for heading in ("metric", "value", "low", "high", "unit", "n"):
        table.add_column(heading, justify="left" if heading in {"metric", "unit"} else "right", no_wrap=heading not in {"metric", "unit"})
    for name, estimate in score.metrics.items():
        metric = metric_of(name, account)
        table.add_row(
            metric.title, shown(estimate.value), _end(estimate.low), _end(estimate.high), metric.unit, sized(estimate.n, estimate.twins)
        )
    console.print(table)
    chosen = ("peg_cvar95_bps", "min_price", "min_cr_external", "unserved_usd_hours", "hours_to_recover")
    shown_metrics = (metric_of(name, account) for name in score.metrics)
    titles = {metric.name: f"{metric.title} [{metric.unit}]" if metric.unit else metric.title for metric in shown_metrics}
    names = [name for name in chosen if name in score.metrics]
    table = Table(title="by scenario: value (low … high)")
    table.add_column("scenario", no_wrap=True)
    for name in names:
        table.add_column(titles.get(name, name), justify="right", overflow="fold")
    for scenario, figures in score.by_scenario.items():
        table.add_row(scenario, *[f"{shown(figures[name].value)} ({_ends(figures[name])})" for name in names])
    console.print(table)
    print_parts(console, parts)
    table = Table(title="constraints (held at the confidence bound)")
    for heading in ("constraint", "value", "confidence bound", "limit", "verdict"):
        table.add_column(heading, justify="left" if heading in {"constraint", "verdict"} else "right", no_wrap=heading == "constraint")
    for constraint in score.constraints:
        verdict = VERDICTS[constraint_verdict(constraint).word]
        estimate = constraint.estimate
        table.add_row(constraint.key, shown(estimate.value), _end(constraint.confidence_bound), shown(constraint.limit), verdict)
    console.print(table)
