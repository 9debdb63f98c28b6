"""The comparison for GitHub Actions: a job summary, and annotations at the lines that changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.comparison.markdown import markdown
from amo_opt.comparison.wording import because, headline
from amo_opt.wording import named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amo_opt.comparison.verdict import Comparison

SUMMARY_BYTES = 900 * 1024
"""GitHub drops a step's summary beyond 1 MiB."""
MOST = 10
"""Annotations of a kind that GitHub shows for one step."""


def summary(comparisons: Sequence[Comparison]) -> str:
    """The Markdown for the job summary, cut at a line's end should it ever be too long."""
    text = markdown(comparisons)
    raw = text.encode()
    if len(raw) <= SUMMARY_BYTES:
        return text
    note = "\n\n(cut: too long for a job summary; verdict.json holds it all)\n"
    kept = raw[: SUMMARY_BYTES - len(note)].decode(errors="ignore")
    return kept[: kept.rfind("\n")] + note


def commands(comparison: Comparison, *, file: str, lines: Mapping[str, int], most: int = MOST) -> list[str]:
    """Annotations as workflow commands, at most ``most``: errors where a gate fails, warnings where one warns, each at the line of a changed key.

    Which change made a gate fail cannot be told, so every changed key is pointed at with all gates that fail, the largest changes (in
    shares of the parameter's range) first; the first one gives the reasons. ``lines`` is the line of each key in ``file``; where nothing changed line 1 is pointed at.
    """
    if not comparison.failed and not comparison.warned:
        return []
    level = "error" if comparison.failed else "warning"
    blamed = comparison.failed or comparison.warned
    told = "; ".join(f"{gate.gate.metric} {gate.verdict}: {because(gate.reason)}" for gate in blamed)
    ordered = sorted(comparison.changes, key=lambda change: -_moved(*change))
    if not ordered:
        return [_command(level, file, lines.get("name", 1), "amo-opt compare", told)]
    short = f"{comparison.verdict}: " + ", ".join(f"{gate.gate.metric} {gate.verdict}" for gate in blamed)
    return [
        _command(level, file, lines.get(name, 1), f"{name}: {before:.10g} -> {after:.10g}", short if place else told)
        for place, (name, before, after) in enumerate(ordered[:most])
    ]


def _moved(name: str, before: float, after: float) -> float:
    """How far a parameter moves as a share of its range; of an amount, which has no range to speak of, as a share of itself."""
    parameter = PARAMETERS[name]
    return abs(after - before) / (max(abs(before), abs(after)) if parameter.amount else parameter.high - parameter.low)


def plain(comparison: Comparison) -> str:
    """One line for the log."""
    return f"amo-opt compare: {comparison.verdict}: {headline(comparison)}"


def _command(level: str, file: str, line: int, title: str, message: str) -> str:
    return f"::{level} file={_property(file)},line={line},title={_property(named(title))}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
