"""A comparison as tables: framed and coloured on a terminal, plain lines when piped."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from amo_opt.cli.tables import open_console
from amo_opt.wording import named, significant

if TYPE_CHECKING:
    from rich.table import Table

    from amo_opt.comparison.verdict import Comparison

STYLES = {"pass": "green", "warn": "yellow", "fail": "bold red", "not gated": "dim"}


def print_tables(comparison: Comparison) -> None:
    """The answer, what changes, every gate, every metric."""
    from rich.text import Text

    from amo_opt.comparison.wording import SHAPES, because, gate_question, gate_rows, headline, row, setting

    console = open_console()
    before, after = (named(name) for name in comparison.names)
    word = f"{SHAPES[comparison.verdict]} {comparison.verdict.upper()}"
    console.print(Text.assemble((word, STYLES[comparison.verdict]), f": {after} against {before}"))
    console.print(Text(f"{headline(comparison)}{'; advice only, exit status 0' if comparison.advice else ''}"))
    console.print(Text(setting(comparison)), style="dim")
    changed = _table("what changes", ("parameter", "baseline", "candidate"))
    for name, old, new in comparison.changes:
        changed.add_row(name, f"{old:.10g}", f"{new:.10g}")
    console.print(changed if comparison.changes else Text("the two sets hold the same values"))
    gates = _table("gates", ("", "metric", "class", "must be", "difference", "95% interval", "verdict", "because"))
    for gate, told in gate_rows(comparison):
        difference = told.shift if told else significant(gate.found, 6) if gate.found is not None else ""
        status = Text(f"{SHAPES[gate.status]} {gate.status}", style=STYLES[gate.status])
        gates.add_row(
            status,
            gate.gate.metric,
            gate.gate.cls,
            gate_question(gate),
            difference,
            told.interval if told else "",
            gate.verdict,
            because(gate.reason),
        )
    console.print(gates)
    metrics = _table(
        f"metrics: candidate minus baseline, n = {comparison.metrics[0].n}",
        ("metric", "unit", "baseline", "candidate", "difference", "95% interval", "tolerance", "verdict", "more paths"),
    )
    for metric in comparison.metrics:
        told = row(metric)
        more = f"{metric.more_paths:,}" if metric.more_paths is not None else ""
        verdict = f"{SHAPES[told.verdict]} {told.verdict}"
        metrics.add_row(
            metric.name, told.unit, told.baseline, told.candidate, told.difference, told.interval, told.tolerance, verdict, more
        )
    console.print(metrics)


def _table(title: str, heads: tuple[str, ...]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.ROUNDED if sys.stdout.isatty() else None, pad_edge=sys.stdout.isatty())
    figures = {"baseline", "candidate", "difference", "95% interval", "tolerance", "more paths"}
    for head in heads:
        table.add_column(head, justify="right" if head in figures else "left", no_wrap=head not in {"because", "must be"})
    return table
