"""Paired differences: candidate minus current on the same paths, with intervals, p-values and a verdict word."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from amo_opt.errors import AmoOptError
from amo_opt.scoring.intervals import TWO_SIDED, mcnemar, percentile_bounds
from amo_opt.scoring.losses import FloatArray, kish
from amo_opt.scoring.metrics import MEASURES, Measure, yield_terms
from amo_opt.scoring.replicates import replicate
from amo_opt.scoring.sample import Outcome, Sample, sample
from amo_opt.scoring.types import Estimate, PairedDifference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amo_opt.config.study import Certification, Study

Verdict = Literal["BETTER", "EQUIVALENT", "NO WORSE", "WORSE", "INCONCLUSIVE"]

ROUNDING = 1e-9
"""Differences below this share of the figures are round-off of the simulation, not findings."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """An outcome's figures of every path and of every resample, by name: taken once, compared with any number of others."""

    paths: Sample
    scenario: str | None
    measures: dict[str, Measure]
    values: dict[str, FloatArray]
    replicates: dict[str, FloatArray]


def read(outcome: Outcome, study: Study, metrics: Iterable[str], *, terms: bool = False, scenario: str | None = None) -> Reading:
    """The reading of some metrics, over all scenarios by weight or within one ``scenario``; ``terms`` adds those of the yield, by their names."""
    paths = sample(outcome, study, scenario=scenario)
    measures = {name: MEASURES[name] for name in metrics}
    values = {name: measure.values(paths) for name, measure in measures.items()}
    lines = yield_terms(paths) if terms else None
    drawn = replicate(paths, values, lines, within=False)
    earned = MEASURES["yield"]
    return Reading(
        paths=paths,
        scenario=scenario,
        measures={**measures, **{name: replace(earned, metric=replace(earned.metric, name=name, title=name)) for name in lines or ()}},
        values={**values, **(lines or {})},
        replicates={**drawn.overall, **drawn.yield_terms},
    )


@dataclass(frozen=True, kw_only=True)
class Brief:
    """What a comparison takes from a reading: its points and resamples, and of single paths the events alone."""

    scenario: str | None
    certification: Certification
    strata: tuple[tuple[str, int], ...]
    numbers: npt.NDArray[np.int64]
    weights: FloatArray
    measures: dict[str, Measure]
    points: dict[str, float]
    tails: dict[str, float | None]
    events: dict[str, npt.NDArray[np.int8]]
    replicates: dict[str, FloatArray]


def brief(reading: Reading) -> Brief:
    """The brief of a reading: what it was read from may go, which at a million paths is most of the memory."""
    paths = reading.paths
    measures, values = reading.measures, reading.values
    return Brief(
        scenario=reading.scenario,
        certification=paths.study.certification,
        strata=paths.strata,
        numbers=paths.frame["path"].to_numpy(dtype=np.int64),
        weights=paths.weights,
        measures=measures,
        points={name: measure.point(values[name], paths.weights) for name, measure in measures.items()},
        tails={name: measure.tail_points(values[name], paths.weights) for name, measure in measures.items()},
        events={name: values[name].astype(np.int8) for name, measure in measures.items() if measure.kind == "event"},
        replicates=reading.replicates,
    )


def directed() -> list[str]:
    """Every metric of which more, or less, is better."""
    return [name for name, measure in MEASURES.items() if measure.metric.better]


def briefed(outcome: Outcome, study: Study, *, scenario: str | None = None, metrics: Iterable[str] | None = None) -> Brief:
    """The brief of an outcome in every metric that has a direction, or in the ``metrics`` named."""
    chosen = directed() if metrics is None else list(metrics)
    return brief(read(outcome, study, chosen, scenario=scenario))


def differences(
    candidate: Reading | Brief, current: Reading | Brief, *, tolerances: Mapping[str, float] | None = None
) -> dict[str, PairedDifference]:
    """Candidate minus current of everything both hold, as `compare_paired` tells it; ``tolerances`` go before the study's.

    Raises as `compare_paired` does.
    """
    one, other = (each if isinstance(each, Brief) else brief(each) for each in (candidate, current))
    _same_paths(one, other)
    given = tolerances or {}
    return {
        name: _difference(name, one, other, given[name] if name in given else tolerance(name, other.certification))
        for name in one.measures
        if name in other.measures
    }


def compare_paired(
    candidate: Outcome, current: Outcome, study: Study, *, scenario: str | None = None, metrics: Iterable[str] | None = None
) -> tuple[PairedDifference, ...]:
    """Candidate minus current of every metric that has a direction (or of the ``metrics`` named), over all scenarios by weight or within one ``scenario``.

    Both sets meet the same resamples of the same paths, so what paths share cancels: a set compared with itself differs by exactly 0
    everywhere, and swapping the two negates every difference and interval exactly. Intervals are 95%, by percentile bootstrap; where the
    paths are too few to know one (`spread_known`) the verdict is INCONCLUSIVE and both p-values are 1.

    The yield and both peg risks have the study's non-inferiority tolerances; other metrics have none, so their verdict goes by sign.

    Raises ``AmoOptError`` where the two outcomes do not hold the same paths of the same scenarios at the same weights.
    """
    briefs = [briefed(outcome, study, scenario=scenario, metrics=metrics) for outcome in (candidate, current)]
    return tuple(differences(*briefs).values())


def tolerance(metric: str, certification: Certification) -> float:
    """How much worse than current a set may be on a metric and still count as no worse, in the metric's unit."""
    tolerances = {
        "yield": certification.tolerance_yield,
        "peg_cvar95_bps": certification.tolerance_peg_bps,
        "peg_cvar95_dollar_bps": certification.tolerance_peg_bps,
        "min_cr_external_tail95": certification.tolerance_cr,
    }
    return tolerances.get(metric, 0.0)


def verdict(low: float, high: float, tolerance: float, *, rounding: float = 0.0) -> Verdict:
    """The word for an interval of an improvement (positive = better) and a tolerance.

    BETTER: wholly above 0. EQUIVALENT: within the tolerance on both sides. NO WORSE: above minus the tolerance. WORSE: wholly below 0 and not
    within the tolerance. INCONCLUSIVE: anything else. An improvement of up to ``rounding`` counts as 0.

    >>> verdict(0.1, 0.3, 1.0), verdict(-0.5, 0.3, 1.0), verdict(-0.5, 2.0, 1.0), verdict(-3.0, -0.5, 1.0), verdict(-3.0, 0.5, 1.0)
    ('BETTER', 'EQUIVALENT', 'NO WORSE', 'WORSE', 'INCONCLUSIVE')
    """
    allowed = max(tolerance, rounding)
    if low > rounding:
        return "BETTER"
    if low >= -allowed:
        return "EQUIVALENT" if high <= allowed else "NO WORSE"
    return "WORSE" if high < -rounding else "INCONCLUSIVE"


def _difference(name: str, one: Brief, other: Brief, allowed: float) -> PairedDifference:
    """One metric, ``one`` minus ``other``."""
    measure = one.measures[name]
    better = measure.metric.better
    candidate, current = one.points[name], other.points[name]
    value = candidate - current
    replicates = one.replicates[name] - other.replicates[name]
    low, high = percentile_bounds(replicates)
    tails = [points for points in (one.tails[name], other.tails[name]) if points is not None]
    found = Estimate.of(
        value,
        (float(low), float(high)),
        n=other.weights.size,
        fewest=min(n for _, n in other.strata),
        tail_points=min(tails, default=None),
    )
    gain_low, gain_high = (found.low, found.high) if better > 0 else (-found.high, -found.low)
    word: Verdict
    if found.interval is None:
        # of events too: their exact tests hold for any number of paths, but one rule for all figures is one that nobody need look up
        word, p_better, p_inferior = "INCONCLUSIVE", 1.0, 1.0
    elif measure.kind == "event":
        word, p_better, p_inferior = _event_verdict(
            better * (one.events[name] - other.events[name]), better * value, other.weights, allowed
        )
    else:
        rounding = ROUNDING * max(abs(candidate), abs(current))
        word = verdict(gain_low, gain_high, allowed, rounding=rounding)
        p_better = _p_value(better * replicates <= rounding)
        p_inferior = _p_value(better * replicates < -max(allowed, rounding))
    return PairedDifference(
        metric=name,
        current=current,
        candidate=candidate,
        difference=found,
        tolerance=allowed,
        verdict=word,
        p_better=p_better,
        p_inferior=p_inferior,
        scenario=other.scenario,
    )


def _p_value(agrees: npt.NDArray[np.bool_]) -> float:
    """The one-sided bootstrap p-value of a hypothesis: the share of resamples that agree with it, never 0."""
    return float((1 + np.count_nonzero(agrees)) / (1 + agrees.size))


def _event_verdict(gains: npt.NDArray[np.int8], gain: float, weights: FloatArray, allowed: float) -> tuple[Verdict, float, float]:
    """Verdict and p-values of an event by McNemar's exact test on the discordant paths (a bootstrap of a handful of events is blind).

    ``gains`` per path: +1 the event is gone, -1 it is new. Paths count alike whatever their scenario's weight, so a verdict also needs
    the weighted figure ``gain`` to point the same way, and the p-value of "not better" is 1 where it does not.

    With a tolerance, "no worse" may also be shown by `few_new_events`; two tests may show it, so the smaller p-value is doubled. Without
    one the p-value of inferiority is that of "not better".
    """
    gone, new = int(np.count_nonzero(gains > 0.0)), int(np.count_nonzero(gains < 0.0))
    p_better = mcnemar(gone, new) if gain > 0.0 else 1.0
    p_inferior = min(1.0, 2.0 * min(p_better, few_new_events(gains < 0.0, weights, allowed))) if allowed > 0.0 else p_better
    if gone == new == 0:
        return "EQUIVALENT", p_better, p_inferior
    if p_better <= TWO_SIDED:
        return "BETTER", p_better, p_inferior
    if p_inferior <= TWO_SIDED:
        return "NO WORSE", p_better, p_inferior
    if mcnemar(new, gone) <= TWO_SIDED and gain < 0.0:
        return "WORSE", p_better, p_inferior
    return "INCONCLUSIVE", p_better, p_inferior


def few_new_events(new: npt.NDArray[np.bool_], weights: FloatArray, allowed: float) -> float:
    """The p-value of "the event became likelier by ``allowed`` or more": P(Binomial(n, allowed) <= new events).

    The chance of a new event is at least the rise of the event's chance, so few new events speak against the rise. Exact for equal
    weights; elsewhere n is Kish's effective count and the events are counted by weight, as in an event's interval.
    """
    from scipy.special import betainc  # as in `intervals`: late, because it is slow to import

    n = kish(weights)
    events = n * float((new * weights).sum() / weights.sum())
    return float(betainc(n - events, events + 1.0, 1.0 - allowed)) if events < n else 1.0


def _same_paths(candidate: Brief, current: Brief) -> None:
    """Raises unless rows pair up: same scenarios, same path numbers, same weights."""
    if candidate.strata != current.strata:
        raise AmoOptError(
            f"paths do not pair up: candidate has {dict(candidate.strata)}, current has {dict(current.strata)}; simulate both alike"
        )
    paths = candidate.numbers, current.numbers
    if not np.array_equal(paths[0], paths[1]):
        row = int(np.flatnonzero(paths[0] != paths[1])[0])
        raise AmoOptError(
            f"paths do not pair up: row {row} is path {paths[0][row]} of the candidate, {paths[1][row]} of the current set; simulate both alike"
        )
    if not np.array_equal(candidate.weights, current.weights):
        raise AmoOptError("scenario weights differ between candidate and current set; simulate both under the same study")
