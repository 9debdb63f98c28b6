"""The comparison as Markdown: for a pull request, a job summary or a forum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.comparison.verdict import labels_of, worst_of
from amo_opt.comparison.wording import SHAPES, because, gate_question, gate_rows, headline, row, setting
from amo_opt.wording import escape, named, significant

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amo_opt.comparison.verdict import Comparison


def markdown(comparisons: Sequence[Comparison]) -> str:
    """Every verdict, of several candidates behind a table of them."""
    parts = [_markdown(each) for each in comparisons]
    if len(parts) == 1:
        return parts[0]
    failed = sum(bool(each.failed) for each in comparisons)
    word = worst_of(comparisons).verdict
    rows = [
        (whole(f"{SHAPES[each.verdict]} {each.verdict}"), escape(named(label)), _sentence(headline(each)))
        for label, each in zip(labels_of(comparisons), comparisons, strict=True)
    ]
    told = f"# {SHAPES[word]} {word.upper()}: {failed} of {len(parts)} candidates fail"
    return "\n".join([told, "", *table(("", "candidate", "gates"), rows, right=()), "", *parts])


def _markdown(comparison: Comparison) -> str:
    """The whole verdict: the answer, the gates, what changes, and every metric folded away."""
    before, after = (escape(named(name)) for name in comparison.names)
    lines = [
        f"## {SHAPES[comparison.verdict]} {comparison.verdict.upper()}: {after} against {before}",
        "",
        f"{_sentence(headline(comparison))}{' Advice only: the exit status is 0.' if comparison.advice else ''}",
        "",
        *_gates(comparison),
        "",
        *_changes(comparison),
        "",
        *_metrics(comparison),
        "",
        f"<sub>{_sentence(setting(comparison))} Differences are candidate minus baseline on the same paths.</sub>",
    ]
    return "\n".join(lines) + "\n"


def whole(text: str) -> str:
    """Text that is not broken at its spaces, so that a shape stays with its word and an interval on its line."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _sentence(text: str) -> str:
    told = escaped_prose(text)
    return f"{told[:1].upper()}{told[1:]}."


def escaped_prose(text: str) -> str:
    """Our own prose, in which only names of metrics hold anything to escape."""
    return text.replace("_", "\\_")


def _gates(comparison: Comparison) -> list[str]:
    rows = [
        (
            whole(f"{SHAPES[gate.status]} {gate.status}"),
            f"{gate.title} ({gate.gate.cls})",
            gate_question(gate),
            told.shift if told else significant(gate.found, 6) if gate.found is not None else "",
            whole(told.interval) if told else "",
            whole(f"{SHAPES[gate.verdict]} {gate.verdict}"),
            because(gate.reason),
        )
        for gate, told in gate_rows(comparison)
    ]
    return table(("", "gate", "must be", "difference", "95% interval", "verdict", "because"), rows, right=(3, 4))


def _changes(comparison: Comparison) -> list[str]:
    if not comparison.changes:
        return ["The two sets hold the same values."]
    rows = [(f"`{name}`", f"{before:.10g}", f"{after:.10g}") for name, before, after in comparison.changes]
    return table(("parameter", "baseline", "candidate"), rows, right=(1, 2))


def _metrics(comparison: Comparison) -> list[str]:
    rows = []
    for metric in comparison.metrics:
        told = row(metric)
        more = f" ({metric.more_paths:,} more paths)" if metric.more_paths is not None else ""
        rows.append(
            (
                f"{told.title}{f' [{told.unit}]' if told.unit else ''}",
                told.baseline,
                told.candidate,
                told.difference,
                whole(told.interval),
                told.tolerance,
                whole(f"{SHAPES[told.verdict]} {told.verdict}") + more,
            )
        )
    drawn = table(("metric", "baseline", "candidate", "difference", "95% interval", "tolerance", "verdict"), rows, right=(1, 2, 3, 4, 5))
    return [
        f"<details><summary>All {len(rows)} metrics (n = {comparison.metrics[0].n:,} paths)</summary>",
        "",
        *drawn,
        "",
        "</details>",
    ]


def table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]], *, right: tuple[int, ...]) -> list[str]:
    """A table as Markdown, figures to the right in the columns ``right``."""
    marks = ["--:" if place in right else "---" for place in range(len(heads))]
    return [f"| {' | '.join(cells)} |" for cells in (heads, marks, *rows)]
