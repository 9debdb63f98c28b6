"""Figures of a comparison as text: one scale for all figures of a row, as many decimals as the interval deserves."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.config.wording import MISSING, significant
from amo_opt.scoring.types import spread_known

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amo_opt.comparison.verdict import Comparison, GateVerdict, MetricVerdict

VERDICT_SHAPES = {
    "BETTER": "▲",
    "EQUIVALENT": "●",
    "NO WORSE": "◆",
    "WORSE": "▼",
    "INCONCLUSIVE": "○",
    "KEPT": "●",
    "BROKEN": "▼",
}
SHAPES = VERDICT_SHAPES | {
    "pass": "✔",
    "warn": "!",
    "fail": "✘",
    "not gated": "–",
}
"""The shape beside each word, so that nothing is told by colour alone."""

NOT_KNOWN = "not known"
"""What stands where the paths are too few for an interval."""

LONGEST_NAME = 100


@dataclass(frozen=True)
class Row:
    """One metric as text, every figure in ``unit``; per cent differ by points."""

    title: str
    unit: str
    baseline: str
    candidate: str
    difference: str
    interval: str
    tolerance: str
    verdict: str

    @property
    def shift(self) -> str:
        """The difference with its unit."""
        return f"{self.difference} {self.unit.replace('%', 'pp')}".rstrip()


def row(metric: MetricVerdict) -> Row:
    """A metric's figures on one scale."""
    factor, unit = scale(metric.unit, (metric.baseline, metric.candidate))
    known, shift = metric.interval, abs(metric.difference)
    width = shift if known is None else known[1] - known[0]
    spread = max(width / 10.0, min(width, shift) or shift) * factor
    # where the two agree exactly a bare 0 says so
    decimals = _decimals(spread) if spread > 0.0 else 0
    level = decimals if spread > 0.0 else _decimals(max(abs(metric.baseline), abs(metric.candidate)) * factor / 100.0)

    def of(value: float, *, signed: bool = False) -> str:
        return number(value * factor, decimals if signed else level, signed=signed)

    return Row(
        title=metric.title,
        unit=unit,
        baseline=of(metric.baseline),
        candidate=of(metric.candidate),
        difference=of(metric.difference, signed=True),
        interval=NOT_KNOWN if known is None else f"{of(known[0], signed=True)} to {of(known[1], signed=True)}",
        tolerance=significant(metric.tolerance * factor, 6),
        verdict=metric.verdict,
    )


def scale(unit: str, values: Iterable[float]) -> tuple[float, str]:
    """Factor and name of the unit that figures of this size are shown in; differences of per cent are points, which the word tells.

    >>> scale("USD", [2.6e9, 1e3]), scale("per year", [0.03])
    ((1e-09, 'bn USD'), (100.0, '% a year'))
    """
    fixed = {"per year": (100.0, "% a year"), "bps": (1.0, "bp"), "probability": (100.0, "%"), "ratio": (1.0, ""), "h": (1.0, "h")}
    if unit in fixed:
        return fixed[unit]
    return thousands(max((abs(value) for value in values if math.isfinite(value)), default=0.0), unit) or (1.0, unit)


def thousands(largest: float, unit: str) -> tuple[float, str] | None:
    """Factor and name of the unit of billions, millions or thousands that an amount of this size is shown in; None below a thousand.

    What two decimals of the smaller one would round up to a thousand of it takes the larger.

    >>> thousands(999.996e6, "USD"), thousands(999.99e6, "USD"), thousands(12.0, "USD")
    ((1e-09, 'bn USD'), (1e-06, 'm USD'), None)
    """
    for size, letter in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if largest >= size * (1.0 - 5e-6):
            return 1.0 / size, f"{letter} {unit}".strip()
    return None


def number(value: float, decimals: int, *, signed: bool = False) -> str:
    """A number with thousands separators and a true minus sign, never a negative zero; a dash where there is none.

    >>> number(-1234.5, 1), number(-0.001, 1), number(2.0, 1, signed=True), number(math.inf, 1)
    ('−1,234.5', '0.0', '+2.0', '–')
    """
    if not math.isfinite(value):
        return MISSING
    shown = round(value, decimals) + 0.0
    sign = "+" if signed and shown > 0 else ""
    return f"{sign}{shown:,.{decimals}f}".replace("-", "−")


def _decimals(width: float) -> int:
    """Decimals that show a width in two digits."""
    return min(6, max(0, 1 - math.floor(math.log10(width)))) if 0.0 < width < math.inf else 2


def gate_rows(comparison: Comparison) -> list[tuple[GateVerdict, Row | None]]:
    """Every gate with its metric's row, where the gate is about a difference."""
    rows = {metric.name: row(metric) for metric in comparison.metrics}
    return [(gate, rows.get(gate.gate.metric) if gate.tolerance is not None else None) for gate in comparison.gates]


def headline(comparison: Comparison) -> str:
    """The answer in a sentence."""
    count = len(comparison.gates)
    if comparison.failed:
        told = f"{len(comparison.failed)} of {count} gates fail: {', '.join(gate.gate.metric for gate in comparison.failed)}"
    else:
        told = f"none of {count} gates fails"
    open_ = [gate.gate.metric for gate in comparison.gates if gate.status == "not gated"]
    warned = [gate.gate.metric for gate in comparison.warned]
    if warned:
        told += f"; warned of: {', '.join(warned)}"
    if open_:
        told += f"; not gated: {', '.join(open_)}"
    return told


def setting(comparison: Comparison) -> str:
    """What the figures rest on."""
    study = comparison.study
    scenarios = len(study.scenarios)
    known = spread_known(comparison.paths)
    intervals = f"95% intervals from {comparison.resamples:,} resamples of whole paths" if known else "too few paths for intervals"
    return (
        f"study {clean(study.name)} ({study.hash[:12]}), {comparison.paths:,} paths in each of {scenarios} scenario{'s' if scenarios != 1 else ''} "
        f"weighted as the study says, seed {study.search.seed}; {intervals}"
    )


def gate_question(gate: GateVerdict) -> str:
    """What a gate asks, in a few words."""
    parts = []
    if gate.tolerance is not None:
        factor, unit = scale(gate.unit, (gate.tolerance,))
        parts.append(f"worse by at most {significant(gate.tolerance * factor, 6)} {unit}".rstrip() if gate.tolerance else "no worse")
    if gate.gate.maximum is not None:
        factor, unit = scale(gate.unit, (gate.gate.maximum,))
        parts.append(f"at most {significant(gate.gate.maximum * factor, 6)} {unit}".rstrip())
    return ", ".join(parts)


def clean(text: str) -> str:
    """A name of others on one line, without control and direction characters, cut to a readable length."""
    kept = "".join(each for each in " ".join(text.split()) if unicodedata.category(each) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
    return kept if len(kept) <= LONGEST_NAME else kept[: LONGEST_NAME - 1] + "…"
