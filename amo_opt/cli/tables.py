"""Scores on a terminal and as JSON: every figure with its interval and n."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from amo_opt.cli.streams import fitted, width_of
from amo_opt.wording import NOT_KNOWN, count, in_account, interval, sized

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.report.wording import Scale
    from amo_opt.scoring.parts import RiskPart
    from amo_opt.scoring.types import Constraint, Estimate, Score
    from amo_opt.stress.tilts import Design

    Cell = str | Text

VERDICTS = {"KEPT": "holds", "BROKEN": "BROKEN", "UNDECIDED": "too few paths to decide"}
"""What a limit's verdict in a report is on a terminal."""
PIPED_WIDTH = 200
"""Characters of a table's line where nobody's terminal says otherwise."""
WIDEST = 10_000
"""More than any table takes."""


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
    from amo_opt.report.sections.risk import driver_words, unseen_sentence

    for name, design in designs.items():
        if not design.plain:
            yield f"{name}: {count(design.drawn, 'drawn path')} and {count(sum(design.twins), 'twin')}{driver_words(design)}"
    if designs:
        yield unseen_sentence(designs)


def open_console() -> Console:
    """A console on stdout. Where that is no terminal there is no width to fit: lines stay whole, so that a name can be searched for."""
    from rich.console import Console

    return Console(width=width_of() or PIPED_WIDTH, highlight=False)


def print_table(title: str, table: tuple[Sequence[str], Sequence[Sequence[Cell]]], *, left: Sequence[int] = (0,)) -> None:
    """Headings and rows of text, columns ``left`` to the left; nothing where there is no row.

    A row is a line where all of them fit, as always in a pipe; else it is folded, its name above, the other cells after their headings below: no cell is broken.
    """
    from rich.text import Text

    heads, rows = table
    if not rows:
        return
    console, width = open_console(), width_of()
    drawn = _drawn(heads, rows, left=left, folded=width is not None)
    needed = console.measure(drawn, options=console.options.update(width=WIDEST)).maximum
    if title:
        console.print(Text(fitted(title, width), style="italic"), soft_wrap=True)
    if width is None or needed <= width:
        console.width = max(console.width, needed)
        console.print(drawn)
        return
    for name, *cells in rows:
        whole = len(str(name)) <= width and not isinstance(name, str)
        console.print(name if whole else Text(fitted(str(name), width, further="  ")), soft_wrap=True)
        told = [
            Text.assemble(head.replace("\n", " "), " " if head else "", _joined(cell))
            for head, cell in zip(heads[1:], cells, strict=True)
            if str(cell)
        ]
        for line in _lines(told, width):
            console.print(line, soft_wrap=True)
    console.print()


def _drawn(heads: Sequence[str], rows: Sequence[Sequence[Cell]], *, left: Sequence[int], folded: bool) -> Table:
    """The table; ``folded`` breaks a heading that is wider than what stands below it."""
    from rich.box import SIMPLE
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    for place, head in enumerate(heads):
        widest = max(len(line) for row in rows for line in str(row[place]).split("\n"))
        words = max(map(len, head.split()), default=0)
        shown_head = fitted(head, max(widest, words)) if folded and head else head
        drawn.add_column(escape(shown_head), justify="left" if place in left else "right", no_wrap=True)
    for row in rows:
        drawn.add_row(*(cell if isinstance(cell, Text) else escape(cell) for cell in row))
    return drawn


def _joined(cell: Cell) -> Cell:
    return cell.replace("\n", "; ") if isinstance(cell, str) else cell


def _lines(items: Sequence[Text], width: int) -> Iterator[Text]:
    """The items of a folded row in as few lines as hold them; one that is wider than a line is broken at its spaces."""
    from rich.text import Text

    line = Text()
    for item in items:
        if line and len(line) + 3 + len(item) > width:
            yield line
            line = Text()
        line = line + Text(" · ") + item if line else Text("  ") + item
        if len(line) > width:
            yield Text(fitted(line.plain.strip(), width, indent="  ", further="  "))
            line = Text()
    if line:
        yield line


def with_interval(scale: Scale, estimate: Estimate) -> str:
    """A figure with its unit, and its interval in it: ``3.07% a year (2.95 … 3.19)``."""
    return f"{scale.text(estimate.value)} ({interval(estimate.interval, scale.number, between=' … ')})"


def print_parts(parts: tuple[RiskPart, ...]) -> None:
    """Where the peg risk comes from."""
    from amo_opt.report.sections.risk import KINDS
    from amo_opt.report.wording import scale_for

    scales = [scale_for(unit, ()) for unit in ("bps", "probability", "probability")]
    rows = [
        (
            part.scenario,
            KINDS[part.kind],
            *(
                with_interval(scale.told(each), each) if each else ""
                for scale, each in zip(scales, (part.contribution, part.share, part.chance), strict=True)
            ),
            sized(part.contribution.n, part.contribution.twins),
        )
        for part in parts
    ]
    heads = ("scenario", "paths", "peg risk", "share", "chance a path", "n in the tail")
    print_table("where the peg risk comes from (95% intervals)", (heads, rows), left=(0, 1))


def print_score(score: Score, parameters: ParameterSet, study: Study, *, parts: tuple[RiskPart, ...]) -> None:
    """Metrics over all paths, then by scenario, the parts of the peg risk, and constraints."""
    from amo_opt.report.limits import constraint_verdict
    from amo_opt.report.wording import metric_of, scale_for

    account = study.state.unit

    def cell(name: str, estimate: Estimate) -> str:
        return with_interval(scale_for(metric_of(name, account).unit, (estimate.value, estimate.high)).told(estimate), estimate)

    metrics = [(metric_of(name, account).title, cell(name, each), sized(each.n, each.twins)) for name, each in score.metrics.items()]
    print_table(f"{parameters.name} on {study.name} (95% intervals)", (("metric", "value", "n"), metrics))
    chosen = ("peg_cvar95_bps", "min_price", "min_cr_external", "unserved_usd_hours", "hours_to_recover")
    names = [name for name in chosen if name in score.metrics]
    print_table(
        "by scenario: value (low … high, 95%)",
        (
            ("scenario", *(metric_of(name, account).title for name in names)),
            [(scenario, *(cell(name, figures[name]) for name in names)) for scenario, figures in score.by_scenario.items()],
        ),
    )
    print_parts(parts)
    limits = []
    for each in score.constraints:
        scale = scale_for(in_account(each.unit, account), (each.estimate.value, each.limit)).told(each.estimate)
        bound = NOT_KNOWN if math.isinf(each.confidence_bound) else scale.text(each.confidence_bound)
        limits.append((each.key, scale.text(each.estimate.value), bound, scale.text(each.limit), VERDICTS[constraint_verdict(each).word]))
    print_table(
        "constraints (held at the confidence bound)", (("constraint", "value", "confidence bound", "limit", "verdict"), limits), left=(0, 4)
    )
