"""Section 5: before and after on certification paths, over all scenarios and within each; the limits are those of `limits`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.report.blocks import Block, Column, Heading, InText, Line, Long, Moved, Named, OnPage, Picture, See, Table, Text, Told, n, num
from amo_opt.report.limits import limit_blocks
from amo_opt.report.sections.risk import tail_words
from amo_opt.report.wording import Chip, Scale, better_of, metric_of, paths_of, scale_for
from amo_opt.scoring.types import Estimate
from amo_opt.wording import MISSING, clean, count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amo_opt.config.study import Study
    from amo_opt.report.account import Account
    from amo_opt.report.sets import Subject
    from amo_opt.scoring.types import Metric, PairedDifference
    from amo_opt.search.result import Candidate

CONTRAST_METRICS = (
    "yield",
    "peg_cvar95_bps",
    "peg_cvar95_dollar_bps",
    "min_price_tail95",
    "min_cr_external_tail95",
    "unserved_cvar90_usd_hours",
    "hours_below_099",
)
"""The columns of the scenario table, as far as they were measured; the section itself shows the first two."""
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
VERDICTS = (
    "BETTER: the interval lies wholly on the good side. EQUIVALENT: within the tolerance on both sides. NO WORSE: above the tolerance on the bad side. "
    "WORSE: wholly on the bad side. INCONCLUSIVE: none of these. A tolerance stands where the study sets one."
)


def finding(of: Account) -> str:
    """How many metrics are better and worse."""
    if not of.metrics:
        return "Every metric of today’s set"
    better, worse = _counted(of.metrics)
    return f"Of {len(of.metrics)} metrics {better} are better and {worse} worse, with their intervals"


def blocks(of: Account) -> list[Block]:
    """All metrics, all scenarios, all limits; where the section is posted, of each what decides."""
    return [*_opening(of), *_before_and_after(of), *_scenarios(of), *limit_blocks(of)]


def _opening(of: Account) -> list[Block]:
    if of.subject.stream == "holdout":
        seen, paired = "that neither the search nor the choice has seen.", " Both sets meet the same paths, so differences are paired."
    else:
        seen, paired = "that the search has not seen; the choice was made on them.", " Differences are paired."
    drawn = [name for name, there in (("forest plot", of.metrics), ("price fans", of.fans)) if there]
    return [
        Text(f"Figures come from {of.paths} {seen}{paired if of.metrics else ''} Intervals are 95%."),
        InText(*([Text(f"Figures as pictures ({', '.join(drawn)}) are in report.html.")] if drawn else [])),
    ]


# -- over all scenarios --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MetricRow:
    """One metric before and after, ``scale`` for both and ``fine`` for the difference; ``position`` holds the paired difference and its interval in units of the
    largest bound of its interval, favourable side positive, for the forest plot (NaN for ends that are not known: the point then stands at -1, 0 or 1).
    """

    metric: Metric
    paired: PairedDifference
    now: Estimate | None
    then: Estimate | None
    scale: Scale
    fine: Scale
    position: tuple[float, float, float]
    tolerance_position: float | None

    @property
    def name(self) -> str:
        """The metric's name."""
        return self.metric.name

    @property
    def title(self) -> str:
        """The metric in words."""
        return self.metric.title

    @property
    def verdict(self) -> Chip:
        """Of the paired difference."""
        return Chip(self.paired.verdict)

    @property
    def difference(self) -> str:
        """Other less current."""
        return self.fine.number(self.paired.difference.value, signed=True)

    @property
    def difference_unit(self) -> str:
        """Its unit."""
        return self.fine.difference_unit

    @property
    def interval(self) -> str:
        """Its interval."""
        return self.fine.interval(self.paired.difference, signed=True)

    @property
    def thin_tail(self) -> bool:
        """Whether too few paths of the tail are behind it."""
        points = self.paired.difference.tail_points
        return points is not None and points < TAIL_MINIMUM


def metric_rows(subject: Subject) -> tuple[MetricRow, ...]:
    """Every metric that was paired over all scenarios; none where nothing stands against the current set."""
    return tuple(_metric_row(each, subject) for each in subject.paired if each.scenario is None)


def adverse(row: MetricRow) -> float:
    """How far the difference points the wrong way, in units of its interval's largest bound; 0 or less where it does not."""
    return -row.position[0]


def _metric_row(paired: PairedDifference, subject: Subject) -> MetricRow:
    metric = metric_of(paired.metric, subject.account)
    scale = scale_for(metric.unit, (paired.current, paired.candidate))
    found = paired.difference
    # where the interval is not known the point alone is drawn, on its side
    low, high = found.interval or (math.nan, math.nan)
    reach = (abs(found.value) if found.interval is None else max(abs(low), abs(high))) or 1.0
    sign = float(metric.better or 1) / reach
    return MetricRow(
        metric=metric,
        paired=paired,
        now=subject.score(subject.current).metrics.get(paired.metric),
        then=None if subject.other is None else subject.score(subject.other).metrics.get(paired.metric),
        scale=scale,
        fine=scale.told(found),
        position=(found.value * sign, *sorted((low * sign, high * sign))),  # type: ignore[arg-type]
        tolerance_position=-paired.tolerance / reach if 0.0 < paired.tolerance <= reach else None,
    )


def _before_and_after(of: Account) -> list[Block]:
    rows, unsettled = of.metrics, Text(tail_words(of.result))
    if not rows:
        return [Heading("Before and after"), Text("Only the current set was certified."), _alone(of.subject), unsettled]
    told = [row for row in rows if row.name in RISKS or row.verdict.word in ("BETTER", "WORSE")]
    thin = (
        "† Fewer than 40 effective paths in the tail: the interval covers less than it says." if any(row.thin_tail for row in rows) else ""
    )
    held = f"{forest_caption(of)} The table holds the objectives, the risks and whatever is better or worse; every metric: "
    return [
        InText(Heading("Before and after"), _metrics(told, of.subject.label), Text(thin), Text(held, See("metrics"), ".")),
        Long(
            "metrics",
            "Every metric before and after",
            _metrics(rows, of.subject.label),
            Text(thin, kind="small"),
            Text(VERDICTS, kind="small"),
        ),
        unsettled,
        Picture("forest"),
    ]


def _metrics(rows: Iterable[MetricRow], label: str) -> Table:
    heads = ("Metric", "Unit", num("Current (95%)"), num(f"{label} (95%)"), num("Difference (95%)"), num("Tolerance"), n(), "Verdict")
    cells = [
        (
            Named(row.title, mark="†" if row.thin_tail else ""),
            row.scale.unit,
            Told(row.scale.number(row.paired.current), MISSING if row.now is None else row.scale.interval(row.now)),
            Told(row.scale.number(row.paired.candidate), MISSING if row.then is None else row.scale.interval(row.then)),
            Told(row.difference, row.interval),
            row.fine.number(row.paired.tolerance) if row.paired.tolerance > 0.0 else None,
            paths_of(row.paired.difference),
            row.verdict,
        )
        for row in rows
    ]
    return Table(heads, cells, label="Before and after")


def _alone(subject: Subject) -> Table:
    """The current set by itself."""
    rows = []
    for name, estimate in subject.score(subject.current).metrics.items():
        metric = metric_of(name, subject.account)
        scale = scale_for(metric.unit, (estimate.value, estimate.low, estimate.high))
        rows.append((metric.title, Told(scale.text(estimate.value), scale.interval(estimate)), paths_of(estimate)))
    return Table(("Metric", num("Current (95%)"), n()), rows, label="The current set", narrow=True)


def _counted(rows: Sequence[MetricRow]) -> tuple[int, int]:
    words = [row.verdict.word for row in rows]
    return words.count("BETTER"), words.count("WORSE")


def reach_words(rows: Sequence[MetricRow]) -> str:
    """In which units the forest's differences stand: where an interval is not known the point says its side alone."""
    known = {math.isfinite(row.position[1]) for row in rows}
    if False not in known:
        return "in units of the far end of its own 95% interval"
    return (
        "in units of the far end of its own 95% interval where that is known"
        if True in known
        else "on its side alone, as no interval is known"
    )


def forest_caption(of: Account) -> str:
    """How many metrics are told apart, and how the forest is drawn."""
    rows = of.metrics
    better, worse = _counted(rows)
    return (
        f"{of.subject.short_label} against current: of {count(len(rows), 'metric')}, {better} better and {worse} worse with 95% confidence each, "
        f"{len(rows) - better - worse} not told apart. Paired differences, each {reach_words(rows)}, favourable to the right "
        f"(n = {of.paths}, seed {of.study.search.seed})."
    )


# -- within a scenario ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Contrast:
    """One figure of one scenario under the current and another set. The interval of the difference is the paired one where that was computed, else what the two sets' own intervals leave."""

    before: Estimate
    after: Estimate
    difference: Estimate
    verdict: Chip


def contrast_of(subject: Subject, candidate: Candidate, metric: str, scenario: str) -> Contrast | None:
    """The candidate against the current set; None where either did not meet the scenario."""
    score = subject.score(candidate)
    before, after = (each.by_scenario.get(scenario, {}).get(metric) for each in (subject.score(subject.current), score))
    if before is None or after is None:
        return None
    paired = candidate.holdout_paired if score is candidate.holdout_score else candidate.selection_paired
    for each in paired:
        if (each.metric, each.scenario) == (metric, scenario):
            return Contrast(before, after, each.difference, Chip(each.verdict))
    apart = Estimate(
        value=after.value - before.value, low=after.low - before.high, high=after.high - before.low, n=after.n, twins=after.twins
    )
    return Contrast(before, after, apart, Chip(told_apart(better_of(metric), before, after)))


def told_apart(better: int, before: Estimate, after: Estimate) -> str:
    """BETTER or WORSE only where the two intervals do not meet: stricter than a paired test, and all that unpaired figures allow."""
    if before.interval is None or after.interval is None:
        return "INCONCLUSIVE"
    if before == after:
        return "EQUIVALENT"
    if before.low <= after.high and after.low <= before.high:
        return "INCONCLUSIVE"
    return "BETTER" if (after.value - before.value) * better > 0 else "WORSE"


def scenario_weights(study: Study) -> dict[str, str]:
    """The share of each scenario."""
    total = sum(each.weight for each in study.scenarios)
    return {each.name: Scale(100.0, 1, "%").text(each.weight / total) for each in study.scenarios}


def _scenarios(of: Account) -> list[Block]:
    subject = of.subject
    scales = _contrast_scales(subject)
    units = [(metric_of(name, subject.account).title, scale.unit) for name, scale in scales.items()]
    heads = (Column("Scenario"), num("Weight"), n(), *(num(", ".join(filter(None, unit))) for unit in units))
    weights = scenario_weights(of.study)
    rows = [
        _scenario_row(subject, each.name, (Named(clean(each.title), (each.name,)), weights[each.name]), scales)
        for each in of.study.scenarios
    ]
    shown = 5  # name, weight, n and two figures
    shades = "Shaded by the same verdict; hatched: not told apart."
    return [
        InText(
            Heading("Scenario by scenario"),
            Text(_key(subject), f" With {count(len(heads) - shown, 'more metric')}: ", See("scenarios"), "."),
            Table(heads[:shown], [row[:shown] for row in rows]),
        ),
        Long(
            "scenarios",
            "Every scenario",
            Picture("heat", "twin"),
            Text(_key(subject), kind="small"),
            *([] if subject.other is None else [OnPage(Text(shades, kind="small"))]),
            Table(heads, rows, label="Scenarios", kind="heat"),
        ),
    ]


def _key(subject: Subject) -> str:
    """How the cells are to be read."""
    if subject.other is None:
        return "The current set, with its 95% interval."
    if any(each.scenario is not None for each in subject.paired):
        leave, marks = "", "▲ better, ▼ worse, ● equivalent, ◆ no worse, ○ not told apart, by the paired verdict."
    else:
        leave = " (what the two sets' own intervals leave)"
        marks = "▲ better, ▼ worse where the two intervals do not meet (stricter than a paired test), ○ not told apart, ● equal."
    return f"Current → {subject.label}, with the 95% interval of the difference{leave}; {marks}"


def _contrast_scales(subject: Subject) -> dict[str, Scale]:
    """The scenario table's metrics, each with one scale for its whole column."""
    tables = [subject.score(each).by_scenario for each in (subject.current, subject.other) if each is not None]
    scales = {}
    for name in CONTRAST_METRICS:
        values = [scores[name].value for table in tables for scores in table.values() if name in scores]
        if values:
            scales[name] = scale_for(metric_of(name, subject.account).unit, values)
    return scales


def _scenario_row(subject: Subject, scenario: str, opening: tuple[Line, ...], scales: Mapping[str, Scale]) -> tuple[Line, ...]:
    now = subject.score(subject.current).by_scenario.get(scenario, {})
    cells: list[Line] = []
    paths = None
    for name, scale in scales.items():
        before = now.get(name)
        found = None if subject.other is None else contrast_of(subject, subject.other, name, scenario)
        if found is not None:
            then, apart = scale.number(found.after.value), scale.number(found.difference.value, signed=True)
            interval = scale.interval(found.difference, signed=True)
            cells.append(Moved(scale.number(found.before.value), then, apart, interval, found.verdict))
        else:
            cells.append(None if before is None else Moved(scale.number(before.value), "", "", scale.interval(before), None))
        of = before if found is None else found.after
        paths = paths_of(of) if paths is None and of is not None else paths
    return (*opening, paths, *cells)
