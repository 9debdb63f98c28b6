"""Comparisons as tables: coloured on a terminal, plain lines when piped."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from amo_opt.cli.streams import say
from amo_opt.cli.tables import open_console, print_table
from amo_opt.comparison.verdict import labels_of, worst_of
from amo_opt.comparison.wording import SHAPES, because, gate_question, gate_rows, headline, row, setting
from amo_opt.wording import named, significant, with_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from amo_opt.comparison.verdict import Comparison, GateVerdict

STYLES = {"pass": "green", "warn": "yellow", "fail": "bold red", "not gated": "dim"}


def print_tables(comparison: Comparison) -> None:
    """The answer, what changes, every gate, every metric."""
    after, before = (_named(comparison, side) for side in (1, 0))
    _answer(comparison.verdict, f"{after} against {before}")
    say(f"{headline(comparison)}{'; advice only, exit status 0' if comparison.advice else ''}")
    say(setting(comparison))
    changed = [(name, f"{old:.10g}", f"{new:.10g}") for name, old, new in comparison.changes]
    print_table("what changes", (("parameter", "baseline", "candidate"), changed))
    if not changed:
        say("the two sets hold the same values")
    gates = []
    for gate, told in gate_rows(comparison):
        difference = told.shift if told else significant(gate.found, 6) if gate.found is not None else ""
        interval = told.interval if told else ""
        name = _coloured(gate, f"{gate.gate.metric} ({gate.gate.cls})")
        gates.append((name, gate_question(gate), difference, interval, gate.verdict, because(gate.reason)))
    heads: tuple[str, ...] = ("gate", "must be", "difference", "95% interval", "verdict", "because")
    print_table("gates", (heads, gates), left=(0, 1, 4, 5))
    metrics = []
    for metric in comparison.metrics:
        told = row(metric)
        verdict = f"{SHAPES[told.verdict]} {told.verdict}"
        more = f"{metric.more_paths:,}" if metric.more_paths is not None else ""
        figures = (told.baseline, told.candidate, told.difference, told.interval, told.tolerance)
        metrics.append((metric.name, told.unit, *figures, verdict, more))
    heads = ("metric", "unit", "baseline", "candidate", "difference", "95% interval", "tolerance", "verdict", "more paths")
    print_table(f"metrics: candidate minus baseline, n = {comparison.metrics[0].n}", (heads, metrics), left=(0, 1, 7))


def print_several(comparisons: Sequence[Comparison]) -> None:
    """The answer and a line a candidate; then a column a candidate: what changes, every gate, every metric."""
    labels, first = [named(each) for each in labels_of(comparisons)], comparisons[0]
    failed = sum(bool(each.failed) for each in comparisons)
    against = f"{failed} of {len(comparisons)} candidates fail against {_filed(first, 0)}"
    _answer(worst_of(comparisons).verdict, f"{against}{'; advice only, exit status 0' if first.advice else ''}")
    for each in comparisons:
        _answer(each.verdict, f"{_filed(each, 1)}: {headline(each)}")
    say(f"{setting(first)}; each candidate is judged as if it were alone")
    after = [each.candidate.parameters.values() for each in comparisons]
    changed = [
        (name, f"{value:.10g}", *("=" if there[name] == value else f"{there[name]:.10g}" for there in after))
        for name, value in first.baseline.parameters.values().items()
        if any(there[name] != value for there in after)
    ]
    print_table("what changes", (("parameter", "baseline", *labels), changed))
    gates: list[tuple[str | Text, ...]] = []
    for place, gate in enumerate(first.gates):
        cells = []
        for each in comparisons:
            found, told = gate_rows(each)[place]
            difference = told.shift if told else significant(found.found, 6) if found.found is not None else ""
            cells.append(_coloured(found, f"{difference}{f' ({told.interval})' if told else ''} {found.verdict}"))
        gates.append((f"{gate.gate.metric} ({gate.gate.cls})", gate_question(gate), *cells))
    print_table("gates: difference to the baseline (95% interval)", (("gate", "must be", *labels), gates), left=(0, 1))
    metrics = []
    for place, metric in enumerate(first.metrics):
        rows = [row(each.metrics[place]) for each in comparisons]
        level = with_unit(rows[0].baseline, rows[0].unit)
        metrics.append((metric.name, level, *(f"{each.shift} ({each.interval}) {SHAPES[each.verdict]} {each.verdict}" for each in rows)))
    print_table(f"metrics: candidate minus baseline, n = {first.metrics[0].n}", (("metric", "baseline", *labels), metrics))


def _named(comparison: Comparison, side: int) -> str:
    """A set's name with its file; where a name is told by file already, as that."""
    sets = comparison.baseline.parameters.name, comparison.candidate.parameters.name
    return named(comparison.names[side]) if sets[0] == sets[1] else _filed(comparison, side)


def _filed(comparison: Comparison, side: int) -> str:
    """A set's name with its file, where it was read from one."""
    name = named((comparison.baseline, comparison.candidate)[side].parameters.name)
    return name if comparison.files is None else f"{name} ({named(PurePath(comparison.files[side]).name)})"


def _answer(verdict: str, text: str) -> None:
    """The word in its colour, then the rest of the sentence."""
    from rich.text import Text

    open_console().print(Text.assemble((f"{SHAPES[verdict]} {verdict.upper()}", STYLES[verdict]), f": {text}"))


def _coloured(gate: GateVerdict, text: str) -> Text:
    """A gate's cell, its status first, as shape and word."""
    from rich.text import Text

    return Text.assemble((f"{SHAPES[gate.status]} {gate.status}", STYLES[gate.status]), f" {text}")
