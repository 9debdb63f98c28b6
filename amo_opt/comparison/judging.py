"""From figures of every path to words: paired differences by metric, then gates that pass, warn or fail."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from amo_opt.comparison.gates import Gate, default_tolerance
from amo_opt.comparison.verdict import TAIL_LEAST, GateVerdict, MetricVerdict, Reason, ReasonKind, Status
from amo_opt.scoring.constraints import CAPS, caps_plus_buffer
from amo_opt.scoring.influence import MOST_SHARE
from amo_opt.scoring.intervals import ONE_SIDED, TWO_SIDED, holm
from amo_opt.scoring.metrics import MEASURES, METRICS, measured
from amo_opt.scoring.paired import Reading, differences
from amo_opt.scoring.replicates import replicate
from amo_opt.scoring.score import estimate
from amo_opt.scoring.types import LEAST_PATHS
from amo_opt.search.tails import edges_of, within_a_path
from amo_opt.wording import in_account

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amo_opt.comparison.figures import Figures
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.scoring.sample import Sample
    from amo_opt.scoring.types import Estimate, PairedDifference

MOST_PATHS = 10_000_000
"""More paths than this settle nothing in practice."""

STATUSES: dict[Status, int] = {"not gated": 0, "pass": 1, "warn": 2, "fail": 3}
"""How bad each status is: a gate with a tolerance and a maximum has the worse of its two."""


def read_figures(figures: Figures, rows: Sample, gates: Sequence[Gate]) -> Reading:
    """The reading of every metric of what the protocol has that has a direction, of its own or by a gate, and of every one that a gate limits."""
    directions = {gate.metric: gate.better for gate in gates if gate.better is not None}
    limited = {gate.metric for gate in gates}
    there = measured(rows.study)
    names = [name for name, metric in METRICS.items() if (metric.better and name in there) or name in limited]
    measures = {name: MEASURES[name] for name in names}
    turned = {
        name: replace(measure, metric=replace(measure.metric, better=directions.get(name, measure.metric.better)))
        for name, measure in measures.items()
    }
    values = {name: figures.values[name] for name in names}
    return Reading(paths=rows, scenario=None, measures=turned, values=values, replicates=replicate(rows, values, None).overall)


def judge_metrics(candidate: Reading, baseline: Reading, gates: Sequence[Gate], *, identical: bool = False) -> tuple[MetricVerdict, ...]:
    """Every metric that has a direction, in the order of a report, each at its gate's tolerance or the default one.

    ``identical``: both hold the same values, so that nothing can differ on any path. Two sets that do the same on a few are not said to.
    """
    study = baseline.paths.study
    given = {gate.metric: gate.tolerance for gate in gates if gate.tolerance is not None}
    tolerances = {name: given.get(name, default_tolerance(name, study)) for name in candidate.measures}
    found = differences(candidate, baseline, tolerances=tolerances)
    return tuple(
        _metric(difference, candidate, baseline, identical=identical)
        for name, difference in found.items()
        if candidate.measures[name].metric.better
    )


def _metric(difference: PairedDifference, candidate: Reading, baseline: Reading, *, identical: bool) -> MetricVerdict:
    """A paired difference as a verdict; a tail too thin to judge is inconclusive unless nothing differs at all."""
    name, found, account = difference.metric, difference.difference, baseline.paths.study.state.unit
    metric = candidate.measures[name].metric
    paths = _drawn(baseline.paths)
    same = np.array_equal(candidate.values[name], baseline.values[name]) and (identical or paths >= LEAST_PATHS)
    word = difference.verdict
    alike = baseline.paths.plain
    worst = -metric.better * difference.tolerance
    thin = thin_tail(found, edges_of(found, worst), alike=alike)
    if same:
        word = "EQUIVALENT"
    elif thin:
        word = "INCONCLUSIVE"
    more = None
    if word == "INCONCLUSIVE" and paths < LEAST_PATHS:
        more = LEAST_PATHS - paths
    elif word == "INCONCLUSIVE":
        more = _thicker(paths, found, alike=alike) if thin and found.tail_points else _settled(difference, metric.better, paths)
    return MetricVerdict(
        name=name,
        title=in_account(metric.title, account),
        unit=in_account(metric.unit, account),
        better=metric.better,
        baseline=difference.current,
        candidate=difference.candidate,
        difference=found.value + 0.0,  # never a negative zero
        low=found.low + 0.0,
        high=found.high + 0.0,
        n=found.n,
        tail_points=found.tail_points,
        one_path=found.largest_share if thin and not alike else None,
        thin_tail=thin,
        tolerance=difference.tolerance,
        verdict=word,
        p_inferior=0.0 if same else difference.p_inferior,
        same=same,
        more_paths=more,
    )


def _drawn(rows: Sample) -> int:
    """Paths drawn of the scenario that has fewest: what more paths are counted in."""
    return min(block.strata[0].n for block in rows.blocks)


def thin_tail(found: Estimate, edges: Sequence[float], *, alike: bool) -> bool:
    """Whether too few paths stand behind a tail figure to judge it against some ``edges``: by Kish's count where paths count ``alike``; where they do not, and that count says
    little, where one path holds so much of the variance that what is concluded hangs on whether it was drawn.
    """
    if found.tail_points is None:
        return False
    if alike or found.largest_share is None:
        return found.tail_points < TAIL_LEAST
    return found.largest_share > MOST_SHARE and within_a_path(found, edges)


def _thicker(paths: int, found: Estimate, *, alike: bool) -> int:
    """Paths per scenario missing until the tail is thick enough, as its effective count grows with them and what one path holds shrinks."""
    short = TAIL_LEAST / (found.tail_points or TAIL_LEAST) if alike or found.largest_share is None else found.largest_share / MOST_SHARE
    return max(1, math.ceil(paths * (short - 1.0)))


def _settled(difference: PairedDifference, better: int, paths: int) -> int | None:
    """Paths per scenario missing until the interval would clear the tolerance or 0, were the difference to stay as it is; None if never.

    An interval shrinks as the square root of the paths; of a skewed one the longer side counts, as more paths may bring more of what
    made it long. Of the two ways to be settled (no worse: the low end above minus the tolerance; worse: the high end below 0) the nearer
    one counts.
    """
    found = difference.difference
    gain = better * found.value
    width = max(found.value - found.low, found.high - found.value)
    needed = [paths * max(1.0, width / room) ** 2 for room in (gain + difference.tolerance, -gain) if room > 0.0]
    if not needed or min(needed) > MOST_PATHS:
        return None
    return max(math.ceil(paths / 10), math.ceil(min(needed)) - paths)  # less than a tenth more is within the guess


def judge_gates(
    gates: Sequence[Gate], metrics: Sequence[MetricVerdict], candidate: Reading, parameters: ParameterSet
) -> tuple[GateVerdict, ...]:
    """Every gate. Holm's rule runs over the safety gates that test a difference, so that several of them do not pass one by chance."""
    by_name = {metric.name: metric for metric in metrics}
    tested = [gate.metric for gate in gates if gate.cls == "safety" and _tests(gate, by_name)]
    adjusted = dict(zip(tested, holm([by_name[name].p_inferior for name in tested]), strict=True))
    return tuple(_gate(gate, by_name, adjusted, candidate, parameters) for gate in gates)


def _tests(gate: Gate, metrics: Mapping[str, MetricVerdict]) -> bool:
    """Whether a gate tests a difference: a metric with a direction, not too thin a tail, and not a maximum alone."""
    metric = metrics.get(gate.metric)
    return metric is not None and not metric.thin_tail and not (gate.maximum is not None and gate.tolerance is None)


def _gate(
    gate: Gate,
    metrics: Mapping[str, MetricVerdict],
    adjusted: Mapping[str, float],
    candidate: Reading,
    parameters: ParameterSet,
) -> GateVerdict:
    if gate.metric == CAPS:
        return _caps(gate, parameters)
    described = candidate.measures[gate.metric].metric
    metric = metrics.get(gate.metric)
    rows = candidate.paths
    drawn = _drawn(rows)
    values, replicates = candidate.values[gate.metric], candidate.replicates[gate.metric]
    found = estimate(gate.metric, values, rows, replicates, tail=ONE_SIDED)
    alone = gate.maximum is not None and gate.tolerance is None
    thin = gate.maximum is not None and thin_tail(found, (gate.maximum,), alike=rows.plain)
    p = adjusted.get(gate.metric, metric.p_inferior if metric is not None and _tests(gate, metrics) else None)
    parts: list[tuple[Status, str, Reason]] = []
    if metric is not None and not alone:
        parts.append(_few(gate, drawn) if drawn < LEAST_PATHS and not metric.same else _difference(gate, metric, p))
    if gate.maximum is not None:
        low, high = found.low, found.high
        parts.append(
            _few(gate, drawn)
            if drawn < LEAST_PATHS
            else _maximum(gate, found.value, low, high, thin=thin, share=None if rows.plain else found.largest_share)
        )
    status, word, reason = max(parts, key=lambda part: STATUSES[part[0]])
    return GateVerdict(
        gate=gate,
        title=in_account(described.title, rows.study.state.unit),
        unit=in_account(described.unit, rows.study.state.unit),
        tolerance=None if alone or metric is None else metric.tolerance,
        verdict=word,
        status=status,
        reason=reason,
        p_adjusted=None if alone else p,
        found=found.value if gate.maximum is not None else None,
        confidence_bound=found.interval[1] if gate.maximum is not None and found.interval is not None else None,
    )


def _few(gate: Gate, paths: int) -> tuple[Status, str, Reason]:
    """Status, word and reason of a gate that has too few paths for an interval, whatever it asks."""
    status: Status = "fail" if gate.cls == "safety" else "warn"
    return status, "INCONCLUSIVE", Reason(kind="few paths", paths=paths)


def _difference(  # noqa: PLR0911 - one return for each answer
    gate: Gate, metric: MetricVerdict, p: float | None
) -> tuple[Status, str, Reason]:
    """Status, word and reason of "no worse than the baseline by more than the tolerance"."""
    if metric.same:
        return "pass", "EQUIVALENT", Reason(kind="same")
    status: Status = "fail" if gate.cls == "safety" else "warn"
    if metric.one_path is not None:
        return status, "INCONCLUSIVE", Reason(kind="one path", share=metric.one_path, more_paths=metric.more_paths)
    if metric.thin_tail:
        return "not gated", "INCONCLUSIVE", Reason(kind="thin tail", tail_points=metric.tail_points or 0.0, more_paths=metric.more_paths)
    nothing_differs = metric.verdict == "EQUIVALENT" and MEASURES[metric.name].kind == "event"
    if nothing_differs or (metric.verdict in {"BETTER", "EQUIVALENT", "NO WORSE"} and p is not None and p <= TWO_SIDED):
        return "pass", metric.verdict, Reason(kind=_PASSED[metric.verdict])
    if metric.verdict == "WORSE":
        return "fail", "WORSE", Reason(kind="worse")
    if metric.verdict != "INCONCLUSIVE":
        return status, "INCONCLUSIVE", Reason(kind="not together", p=math.nan if p is None else p)
    return status, "INCONCLUSIVE", Reason(kind="open", more_paths=metric.more_paths)


_PASSED: dict[str, ReasonKind] = {"BETTER": "better", "EQUIVALENT": "equivalent", "NO WORSE": "no worse"}


def _maximum(gate: Gate, value: float, low: float, high: float, *, thin: bool, share: float | None) -> tuple[Status, str, Reason]:
    """Status, word and reason of "the candidate's own figure is at most so much", at the ends of its 95% bounds."""
    limit = gate.maximum if gate.maximum is not None else math.inf
    status: Status = "fail" if gate.cls == "safety" else "warn"
    if thin and share is not None:
        return status, "INCONCLUSIVE", Reason(kind="one path", share=share)
    if thin:
        return "not gated", "INCONCLUSIVE", Reason(kind="thin figure")
    if high <= limit:
        return "pass", "KEPT", Reason(kind="kept", value=value, bound=high, limit=limit)
    if low > limit:
        return "fail", "BROKEN", Reason(kind="broken", value=value, bound=low, limit=limit)
    return status, "INCONCLUSIVE", Reason(kind="may break", value=value, bound=high, limit=limit)


def _caps(gate: Gate, parameters: ParameterSet) -> GateVerdict:
    """The promise to AMOs and buffer together: read off the set, so there is nothing to estimate."""
    total = caps_plus_buffer(parameters)
    limit = gate.maximum if gate.maximum is not None else 1.0
    kept = total <= limit
    return GateVerdict(
        gate=gate,
        title="Collateral caps plus idle buffer",
        unit="ratio",
        tolerance=None,
        verdict="KEPT" if kept else "BROKEN",
        status="pass" if kept else "fail",
        reason=Reason(kind="set kept" if kept else "set broken", value=total, limit=limit),
        found=total,
        confidence_bound=total,
    )
