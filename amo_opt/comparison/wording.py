"""Figures of a comparison as text: one scale for all figures of a row, as many decimals as the interval deserves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.comparison.verdict import TAIL_LEAST
from amo_opt.scoring.influence import MOST_SHARE
from amo_opt.scoring.types import LEAST_PATHS, spread_known
from amo_opt.wording import UNITS, count, decimals_of, fixed, interval, named, significant, thousands, with_unit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amo_opt.comparison.verdict import Comparison, GateVerdict, MetricVerdict, Reason, ReasonKind

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
        return with_unit(self.difference, self.unit.replace("%", "pp"))


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
        return fixed(value * factor, decimals if signed else level, signed=signed)

    return Row(
        title=metric.title,
        unit=unit,
        baseline=of(metric.baseline),
        candidate=of(metric.candidate),
        difference=of(metric.difference, signed=True),
        interval=interval(known, lambda end: of(end, signed=True)),
        tolerance=significant(metric.tolerance * factor, 6),
        verdict=metric.verdict,
    )


def _decimals(width: float) -> int:
    """Decimals of a row whose widths are that large."""
    found = decimals_of(width)
    return 2 if found is None else min(6, max(0, found))


def scale(unit: str, values: Iterable[float]) -> tuple[float, str]:
    """Factor and name of the unit that figures of this size are shown in; differences of per cent are points, which the word tells.

    >>> scale("USD", [2.6e9, 1e3]), scale("per year", [0.03])
    ((1e-09, 'bn USD'), (100.0, '% a year'))
    """
    if unit in UNITS:
        return UNITS[unit]
    return thousands(max((abs(value) for value in values if math.isfinite(value)), default=0.0), unit) or (1.0, unit)


def gate_rows(comparison: Comparison) -> list[tuple[GateVerdict, Row | None]]:
    """Every gate with its metric's row, where the gate is about a difference."""
    rows = {metric.name: row(metric) for metric in comparison.metrics}
    return [(gate, rows.get(gate.gate.metric) if gate.tolerance is not None else None) for gate in comparison.gates]


def headline(comparison: Comparison) -> str:
    """The answer in a sentence."""
    gates = len(comparison.gates)
    if comparison.failed:
        told = f"{len(comparison.failed)} of {gates} gates fail: {', '.join(gate.gate.metric for gate in comparison.failed)}"
    else:
        told = f"none of {gates} gates fails"
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
        f"study {named(study.name)} ({study.hash[:12]}), {comparison.paths:,} paths in each of {count(scenarios, 'scenario')} "
        f"weighted as the study says{_twins(comparison)}, seed {study.search.seed}; {intervals}"
    )


def _twins(comparison: Comparison) -> str:
    """``, and 1,203 twins of calm, 480 of svb-2023``: what was drawn beside them."""
    told = [f"{twins:,} {'twins ' if k == 0 else ''}of {named(name)}" for k, (name, twins) in enumerate(comparison.baseline.twins.items())]
    return f", and {', '.join(told)}" if told else ""


def gate_question(gate: GateVerdict) -> str:
    """What a gate asks, in a few words."""
    parts = []
    if gate.tolerance is not None:
        factor, unit = scale(gate.unit, (gate.tolerance,))
        parts.append(f"worse by at most {with_unit(significant(gate.tolerance * factor, 6), unit)}" if gate.tolerance else "no worse")
    if gate.gate.maximum is not None:
        factor, unit = scale(gate.unit, (gate.gate.maximum,))
        parts.append(f"at most {with_unit(significant(gate.gate.maximum * factor, 6), unit)}")
    return ", ".join(parts)


def because(reason: Reason) -> str:
    """Why a gate has its status."""
    value, bound, limit, paths = f"{reason.value:.6g}", f"{reason.bound:.6g}", f"{reason.limit:.6g}", reason.paths
    more = f"; about {reason.more_paths} more paths per scenario would"
    told: dict[ReasonKind, str] = {
        "few paths": f"{count(paths, 'path')} per scenario {'is' if paths == 1 else 'are'} too few for an interval: "
        f"at least {LEAST_PATHS} are needed, {LEAST_PATHS - paths} more",
        "same": "the two sets do the same on every path",
        "thin tail": f"{reason.tail_points:.0f} effective paths in the tail, under {TAIL_LEAST:.0f}{more} allow a verdict",
        "one path": f"one path holds {100.0 * reason.share:.0f}% of the variance, over {100.0 * MOST_SHARE:.0f}%, and what is concluded hangs on it"
        f"{'' if reason.more_paths is None else f'{more} allow a verdict'}",
        "better": "the interval lies on the better side",
        "equivalent": "the interval lies within the tolerance on both sides",
        "no worse": "the interval stays within the tolerance on the worse side",
        "worse": "the interval lies on the worse side, and reaches beyond the tolerance",
        "not together": f"no worse by itself, but not once the safety gates are taken together (Holm, p = {reason.p:.3f})",
        "open": f"the interval neither clears the tolerance nor shows a loss{'' if reason.more_paths is None else f'{more} settle it'}",
        "thin figure": f"fewer than {TAIL_LEAST:.0f} effective paths in the tail",
        "kept": f"{value}, at most {bound} (95%), keeps the limit of {limit}",
        "broken": f"{value}, at least {bound} (95%), breaks the limit of {limit}",
        "may break": f"{value} may be as much as {bound} (95%), over the limit of {limit}",
        "set kept": f"{value} of all collateral keeps the limit of {limit}",
        "set broken": f"{value} of all collateral breaks the limit of {limit}",
    }
    return told[reason.kind]
