"""Before and after on certification paths: the table, the forest of paired differences, the scenario table, the constraints."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.report.limits import ConstraintRow, constraint_rows, nearest_rows
from amo_opt.report.wording import Chip, Scale, better_of, metric_of, paths_counted, paths_of, scale_for
from amo_opt.wording import MISSING, clean, count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amo_opt.report.sets import Subject
    from amo_opt.scoring.types import Estimate, PairedDifference
    from amo_opt.stress.scenario import Scenario

CONTRAST_METRICS = (
    "yield",
    "peg_cvar95_bps",
    "peg_cvar95_dollar_bps",
    "min_price_tail95",
    "min_cr_external_tail95",
    "unserved_cvar90_usd_hours",
    "hours_below_099",
)
"""The columns of the scenario table."""
RISKS = (
    "yield",
    "peg_cvar95_bps",
    "peg_cvar95_dollar_bps",
    "breach_probability",
    "shortfall_cvar90_bps",
    "unserved_cvar90_usd_hours",
    "min_cr_external_tail95",
)
"""The objectives and the risks that a decision may name."""
TAIL_MINIMUM = 40.0
"""Kish's effective tail count under which the interval of a tail figure covers too little to be trusted."""


@dataclass(frozen=True)
class MetricRow:
    """One metric before and after; ``position`` holds the paired difference and its interval in units of the largest bound of its
    interval, favourable side positive, for the forest plot (NaN for ends that are not known: the point then stands at -1, 0 or 1).
    """

    name: str
    title: str
    unit: str
    difference_unit: str
    current: str
    current_interval: str
    proposed: str
    proposed_interval: str
    difference: str
    interval: str
    n: str
    thin_tail: bool
    tolerance: str
    verdict: Chip
    position: tuple[float, float, float]
    tolerance_position: float | None


@dataclass(frozen=True)
class Cell:
    """One figure of one scenario, before and after, and whether the sets differ; ``verdict`` says which way.

    ``interval`` is that of the difference: paired where that was computed, else what the two sets' own intervals leave.
    """

    current: str
    proposed: str
    difference: str
    interval: str
    n: str
    verdict: Chip | None


@dataclass(frozen=True)
class ScenarioRow:
    """One scenario: a cell for each of the table's metrics."""

    name: str
    title: str
    weight: str
    n: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Evidence:
    """Section 5. ``scenario_columns`` are (title, unit); ``paired_cells`` is True where scenario cells are judged by paired differences,
    else by intervals that do not meet; ``nearest`` holds of each kind of limit the one nearest to breaking under either set.
    """

    label: str
    stream: str
    paths: str
    rows: tuple[MetricRow, ...]
    forest_caption: str
    scenario_columns: tuple[tuple[str, str], ...]
    scenarios: tuple[ScenarioRow, ...]
    paired_cells: bool
    constraints: tuple[ConstraintRow, ...]
    nearest: tuple[ConstraintRow, ...]

    @property
    def principal(self) -> tuple[MetricRow, ...]:
        """The rows of the objectives and the risks: those the decision may name."""
        return tuple(row for row in self.rows if row.name in RISKS)

    @property
    def told(self) -> tuple[MetricRow, ...]:
        """The same, and whatever is better or worse."""
        return tuple(row for row in self.rows if row.name in RISKS or row.verdict.word in ("BETTER", "WORSE"))


def evidence_of(subject: Subject, scenarios: tuple[Scenario, ...], *, seed: int) -> Evidence:
    """Every table of section 5 for the current set and the one against it."""
    paths = paths_counted(subject.score(subject.current).yield_annual, f"{subject.stream} path")
    overall = tuple(each for each in subject.paired if each.scenario is None)
    rows = tuple(_metric_row(each, subject) for each in overall)
    scales = _contrast_scales(subject)
    return Evidence(
        label=subject.label,
        stream=subject.stream,
        paths=paths,
        rows=rows,
        forest_caption=_forest_caption(rows, subject, paths=paths, seed=seed),
        scenario_columns=tuple((metric_of(name, subject.account).title, scale.unit) for name, scale in scales.items()),
        scenarios=_scenario_rows(subject, scenarios, scales),
        paired_cells=any(each.scenario is not None for each in subject.paired),
        constraints=constraint_rows(subject),
        nearest=nearest_rows(subject),
    )


def certified_rows(subject: Subject) -> tuple[tuple[str, str, str, str], ...]:
    """Metric, figure, interval and n of the current set alone, where nothing stands against it."""
    rows = []
    for name, estimate in subject.score(subject.current).metrics.items():
        metric = metric_of(name, subject.account)
        scale = _fine_scale(metric.unit, estimate)
        rows.append((metric.title, scale.text(estimate.value), scale.interval(estimate), paths_of(estimate)))
    return tuple(rows)


def adverse(row: MetricRow) -> float:
    """How far the difference points the wrong way, in units of its interval's largest bound; 0 or less where it does not."""
    return -row.position[0]


def _metric_row(paired: PairedDifference, subject: Subject) -> MetricRow:
    metric = metric_of(paired.metric, subject.account)
    now = subject.score(subject.current).metrics.get(paired.metric)
    then = None if subject.other is None else subject.score(subject.other).metrics.get(paired.metric)
    scale = scale_for(metric.unit, (paired.current, paired.candidate))
    found = paired.difference
    fine = scale.told(found)
    # where the interval is not known the point alone is drawn, on its side
    low, high = found.interval or (math.nan, math.nan)
    reach = (abs(found.value) if found.interval is None else max(abs(low), abs(high))) or 1.0
    sign = float(metric.better or 1) / reach
    return MetricRow(
        name=paired.metric,
        title=metric.title,
        unit=scale.unit,
        difference_unit=scale.difference_unit,
        current=scale.number(paired.current),
        current_interval=MISSING if now is None else scale.interval(now),
        proposed=scale.number(paired.candidate),
        proposed_interval=MISSING if then is None else scale.interval(then),
        difference=fine.number(found.value, signed=True),
        interval=fine.interval(found, signed=True),
        n=paths_of(found),
        thin_tail=found.tail_points is not None and found.tail_points < TAIL_MINIMUM,
        tolerance=fine.number(paired.tolerance) if paired.tolerance > 0.0 else MISSING,
        verdict=Chip(paired.verdict),
        position=(found.value * sign, *sorted((low * sign, high * sign))),  # type: ignore[arg-type]
        tolerance_position=-paired.tolerance / reach if 0.0 < paired.tolerance <= reach else None,
    )


def reach_words(rows: tuple[MetricRow, ...]) -> str:
    """In which units the forest's differences stand: where an interval is not known the point says its side alone."""
    known = {math.isfinite(row.position[1]) for row in rows}
    if False not in known:
        return "in units of the far end of its own 95% interval"
    return (
        "in units of the far end of its own 95% interval where that is known"
        if True in known
        else "on its side alone, as no interval is known"
    )


def _forest_caption(rows: tuple[MetricRow, ...], subject: Subject, *, paths: str, seed: int) -> str:
    better, worse = (sum(row.verdict.word == word for row in rows) for word in ("BETTER", "WORSE"))
    return (
        f"{subject.short_label} against current: of {count(len(rows), 'metric')}, {better} better and {worse} worse with 95% confidence each, "
        f"{len(rows) - better - worse} not told apart. Paired differences, each {reach_words(rows)}, favourable to the right "
        f"(n = {paths}, seed {seed})."
    )


def _contrast_scales(subject: Subject) -> dict[str, Scale]:
    """The scenario table's metrics, each with one scale for its whole column."""
    tables = [subject.score(each).by_scenario for each in (subject.current, subject.other) if each is not None]
    scales = {}
    for name in CONTRAST_METRICS:
        values = [scores[name].value for table in tables for scores in table.values() if name in scores]
        if values:
            scales[name] = scale_for(metric_of(name, subject.account).unit, values)
    return scales


def _scenario_rows(subject: Subject, scenarios: tuple[Scenario, ...], scales: Mapping[str, Scale]) -> tuple[ScenarioRow, ...]:
    total = sum(each.weight for each in scenarios)
    now = subject.score(subject.current).by_scenario
    then = {} if subject.other is None else subject.score(subject.other).by_scenario
    paired = {(each.scenario, each.metric): each for each in subject.paired if each.scenario is not None}
    rows = []
    for scenario in scenarios:
        before, after = now.get(scenario.name, {}), then.get(scenario.name, {})
        cells = tuple(
            _cell(name, scale, before.get(name), after.get(name), paired.get((scenario.name, name))) for name, scale in scales.items()
        )
        n = next((cell.n for cell in cells if cell.n != MISSING), MISSING)
        rows.append(ScenarioRow(scenario.name, clean(scenario.title), Scale(100.0, 1, "%").text(scenario.weight / total), n, cells))
    return tuple(rows)


def _cell(name: str, scale: Scale, before: Estimate | None, after: Estimate | None, paired: PairedDifference | None) -> Cell:
    if before is None:
        return Cell(MISSING, MISSING, MISSING, MISSING, MISSING, None)
    if after is None:
        return Cell(scale.number(before.value), MISSING, MISSING, scale.interval(before), paths_of(before), None)
    difference = scale.number(after.value - before.value, signed=True)
    if paired is not None:
        word, low, high = paired.verdict, paired.difference.low, paired.difference.high
    else:
        word, low, high = told_apart(better_of(name), before, after), after.low - before.high, after.high - before.low
    interval = scale.between(low, high, signed=True)
    return Cell(scale.number(before.value), scale.number(after.value), difference, interval, paths_of(after), Chip(word))


def told_apart(better: int, before: Estimate, after: Estimate) -> str:
    """BETTER or WORSE only where the two intervals do not meet: stricter than a paired test, and all that unpaired figures allow."""
    if before.interval is None or after.interval is None:
        return "INCONCLUSIVE"
    if before == after:
        return "EQUIVALENT"
    if before.low <= after.high and after.low <= before.high:
        return "INCONCLUSIVE"
    return "BETTER" if (after.value - before.value) * better > 0 else "WORSE"


def _fine_scale(unit: str, estimate: Estimate) -> Scale:
    return scale_for(unit, (estimate.value, estimate.low, estimate.high))
