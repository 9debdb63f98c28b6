"""Paired differences: candidate minus current on the same paths, with intervals, p-values and a verdict word."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from amo_opt.errors import AmoOptError
from amo_opt.scoring.beta import betainc
from amo_opt.scoring.constraints import rules_of
from amo_opt.scoring.influence import MOST_SHARE, Spread, event_count, influence, influence_of, one_path, spread
from amo_opt.scoring.intervals import TWO_SIDED, corrected_bounds, corrected_p_value, mcnemar, percentile_bounds
from amo_opt.scoring.losses import FloatArray, kish
from amo_opt.scoring.metrics import MEASURES, Measure, earning, measured, yield_terms
from amo_opt.scoring.replicates import replicate
from amo_opt.scoring.sample import Outcome, Sample, sample
from amo_opt.scoring.types import Estimate, PairedDifference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amo_opt.config.study import Certification, Study

Verdict = Literal["BETTER", "EQUIVALENT", "NO WORSE", "WORSE", "INCONCLUSIVE"]

ROUNDING = 1e-9
"""Differences below this share of the figures are round-off of the simulation, not findings."""
RESOLUTION = 0.01
"""How finely a difference is told where paths do not count alike, in tolerances; of an event, in the study's limit on it where that is more. A figure that the sets share but for a handful of
paths differs by next to nothing on those drawn, and by as little again on those that were not, of which no resample tells: so no interval is narrower, nothing that
matters hangs on it, and no set is better by less.
"""
PARTED = 0.1
"""A path parts two sets where it moves their difference by more than so much of what it moves the tail of one of them; by less, it is the same event in both."""
DECIDING = ("peg_cvar95_bps", "peg_cvar95_dollar_bps")
"""The metrics whose variance plans a holdout and tells of a tail that few paths decide."""


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
        measures={
            **measures,
            **{name: replace(earned, metric=replace(earned.metric, name=name, title=name)) for name in earning(study, lines or ())},
        },
        values={**values, **(lines or {})},
        replicates={**drawn.overall, **drawn.yield_terms},
    )


@dataclass(frozen=True, kw_only=True)
class Brief:
    """What a comparison takes from a reading: its points and resamples, and of single paths the events and the influences: of every metric where paths
    do not count alike, where they are ``plain`` of the `DECIDING` ones.
    """

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
    influences: dict[str, FloatArray]
    finest: dict[str, float]
    scenarios: tuple[slice, ...]
    fewest: int
    twins: int
    plain: bool


def brief(reading: Reading) -> Brief:
    """The brief of a reading: what it was read from may go, which at a million paths is most of the memory."""
    paths = reading.paths
    measures, values = reading.measures, reading.values
    return Brief(
        scenario=reading.scenario,
        certification=paths.study.certification,
        strata=paths.strata,
        numbers=paths.numbers,
        weights=paths.weights,
        measures=measures,
        points={name: measure.point(values[name], paths.weights) for name, measure in measures.items()},
        tails={name: measure.tail_points(values[name], paths.weights) for name, measure in measures.items()},
        events={name: values[name].astype(np.int8) for name, measure in measures.items() if measure.kind == "event"},
        replicates=reading.replicates,
        influences={
            name: influence(measure, values[name], paths) for name, measure in measures.items() if not paths.plain or name in DECIDING
        },
        finest={name: finest(name, paths.study) for name in measures},
        scenarios=tuple(block.rows for block in paths.blocks),
        fewest=paths.fewest,
        twins=paths.weights.size - paths.drawn,
        plain=paths.plain,
    )


def directed(study: Study) -> list[str]:
    """Every metric of what the study's protocol has of which more, or less, is better."""
    return [name for name in measured(study) if MEASURES[name].metric.better]


def briefed(outcome: Outcome, study: Study, *, scenario: str | None = None, metrics: Iterable[str] | None = None) -> Brief:
    """The brief of an outcome in every metric that has a direction, or in the ``metrics`` named."""
    chosen = directed(study) if metrics is None else list(metrics)
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
    everywhere, and swapping the two negates every difference and interval exactly. Intervals are 95%, by percentile bootstrap, or by
    `corrected_bounds` where there are twins; where the paths are too few to know one (`spread_known`) the verdict is INCONCLUSIVE and both p-values
    are 1.

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


def finest(metric: str, study: Study) -> float:
    """How finely a metric's difference is told where paths do not count alike, in its unit; 0 where the study has neither tolerance nor limit."""
    limits = [getattr(study.constraints, rule.limit_name) for rule in rules_of(study.constraints) if rule.metric == metric]
    of_limit = RESOLUTION * limits[0] if limits and MEASURES[metric].kind == "event" else 0.0
    return max(of_limit, RESOLUTION * tolerance(metric, study.certification))


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
    held = spread(one.influences[name] - other.influences[name], other.strata, other.numbers) if name in other.influences else None
    corrects = None if other.plain else held
    low, high = percentile_bounds(replicates) if corrects is None else corrected_bounds(replicates, value, corrects)
    rounding = ROUNDING * max(abs(candidate), abs(current))
    # what paths share cancels but for round-off: a difference that is the same on all of them is known
    known = corrects is None or math.sqrt(corrects.variance) <= rounding
    least = 0.0 if known else other.finest.get(name, 0.0)
    told = least
    if measure.is_tail and corrects is not None and not known:
        told = max(least, _one_parting(corrects, one.influences[name], other.influences[name], other.scenarios))
    tails = [points for points in (one.tails[name], other.tails[name]) if points is not None]
    found = Estimate.of(
        value,
        (min(float(low), value - told), max(float(high), value + told)),
        n=other.weights.size,
        fewest=other.fewest,
        tail_points=min(tails, default=None),
        twins=other.twins,
        largest_share=None if held is None else held.largest_share,
    )
    # paths that share noises move a figure together: its resamples lie so much farther off
    farther = replicates if corrects is None else value + corrects.stretch * (replicates - value)
    gains = _Gains(
        value=better * value, replicates=better * farther, held=corrects if corrects is None or better > 0 else corrects.negated()
    )
    word: Verdict
    if found.interval is None:
        # of events too: their exact tests hold for any number of paths, but one rule for all figures is one that nobody need look up
        word, p_better, p_inferior = "INCONCLUSIVE", 1.0, 1.0
    elif measure.kind == "event":
        word, p_better, p_inferior = _event_verdict(better * (one.events[name] - other.events[name]), gains, other, allowed)
        if least > 0.0 and word in {"BETTER", "WORSE"} and found.low <= 0.0 <= found.high:
            # which way it went is plain, but it is less than is told of any difference
            edge = max(allowed, 2.0 * least)
            word, p_better = "EQUIVALENT" if -edge <= found.low and found.high <= edge else "INCONCLUSIVE", 1.0
    else:
        gain_low, gain_high = (found.low, found.high) if better > 0 else (-found.high, -found.low)
        word = verdict(gain_low, gain_high, allowed, rounding=rounding)
        p_better = gains.p_value(gains.replicates <= max(rounding, least))
        p_inferior = gains.p_value(gains.replicates < -max(allowed, rounding))
        # what one path that was not drawn may move is shown by no resample
        if told > least:
            p_better = 1.0 if gains.value <= max(rounding, told) else p_better
            p_inferior = 1.0 if gains.value - told < -max(allowed, rounding) else p_inferior
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


def _one_parting(held: Spread, one: FloatArray, other: FloatArray, scenarios: Sequence[slice]) -> float:
    """What one more path at which two sets part may move the difference of their tails by: as much as a path of that scenario moves either tail; 0 where the difference hangs on many
    paths, or on none that parts them.

    ``one`` and ``other`` are the influences on the tails, ``scenarios`` the rows of each. Where one path holds most of the difference's variance and parts the sets, hardly any that do
    were drawn: their spread, and its skew, tell neither how far the next one would part them nor which way. How far a path can is told by many, those that decide the tails.
    """
    if held.largest_share <= MOST_SHARE:
        return 0.0
    apart = np.abs(one - other)
    row = int(apart.argmax())
    if float(apart[row]) <= PARTED * max(abs(float(one[row])), abs(float(other[row]))):
        return 0.0
    own = next(rows for rows in scenarios if rows.start <= row < rows.stop)
    return max(one_path(one[own]), one_path(other[own]))


@dataclass(frozen=True, kw_only=True)
class _Gains:
    """An improvement (positive = better), its resamples, and its spread where paths do not count alike."""

    value: float
    replicates: FloatArray
    held: Spread | None

    def p_value(self, agrees: npt.NDArray[np.bool_]) -> float:
        """The one-sided bootstrap p-value of a hypothesis: the share of resamples that agree with it, never 0; corrected as the interval is."""
        if self.held is not None:
            return corrected_p_value(agrees, self.replicates, self.value, self.held)
        return float((1 + np.count_nonzero(agrees)) / (1 + agrees.size))

    def swapped(self) -> _Gains:
        """What the other set gains."""
        return _Gains(value=-self.value, replicates=-self.replicates, held=None if self.held is None else self.held.negated())


def _event_verdict(changes: npt.NDArray[np.int8], gains: _Gains, paths: Brief, allowed: float) -> tuple[Verdict, float, float]:
    """Verdict and p-values of an event by the discordant paths (a bootstrap of a handful of events is blind), see `_likelier`.

    ``changes`` per path: +1 the event is gone, -1 it is new. A verdict also needs the weighted figure to point the same way, and the p-value of
    "not better" is 1 where it does not.

    With a tolerance, "no worse" may also be shown by `few_new_events`; two tests may show it, so the smaller p-value is doubled. Without
    one the p-value of inferiority is that of "not better".
    """
    gone, new = changes > 0, changes < 0
    p_better = _likelier(gone, new, gains, paths)
    flags = new.astype(np.float64)
    held = None if paths.plain else spread(influence_of(flags, paths.weights, paths.scenarios), paths.strata, paths.numbers)
    seen = kish(paths.weights) if paths.plain else event_count(flags, paths.weights, held)
    few = few_new_events(new, paths.weights, allowed, seen=seen)
    p_inferior = min(1.0, 2.0 * min(p_better, few)) if allowed > 0.0 else p_better
    if not changes.any():
        return "EQUIVALENT", p_better, p_inferior
    if p_better <= TWO_SIDED:
        return "BETTER", p_better, p_inferior
    if p_inferior <= TWO_SIDED:
        return "NO WORSE", p_better, p_inferior
    if _likelier(new, gone, gains.swapped(), paths) <= TWO_SIDED:
        return "WORSE", p_better, p_inferior
    return "INCONCLUSIVE", p_better, p_inferior


def _likelier(gone: npt.NDArray[np.bool_], new: npt.NDArray[np.bool_], gains: _Gains, paths: Brief) -> float:
    """The p-value of "the event is as likely as it was", 1 where the figure does not point to less.

    Paths that count alike in their scenario, whatever its weight: McNemar's exact test on the discordant ones. Others: the bootstrap's p-value, but
    where few paths differ no less than the sign test on their effective count (Kish), as no resample can tell of an event that none of the paths drew.
    """
    if not gains.value > 0.0:
        return 1.0
    if paths.plain:
        return mcnemar(int(np.count_nonzero(gone)), int(np.count_nonzero(new)))
    count = kish(paths.weights[gone | new])
    share = float(paths.weights[gone].sum() / paths.weights[gone | new].sum())
    return max(mcnemar(count * share, count * (1.0 - share)), gains.p_value(gains.replicates <= 0.0))


def few_new_events(new: npt.NDArray[np.bool_], weights: FloatArray, allowed: float, *, seen: float) -> float:
    """The p-value of "the event became likelier by ``allowed`` or more": P(Binomial(n, allowed) <= new events).

    The chance of a new event is at least the rise of the event's chance, so few new events speak against the rise. Exact for equal
    weights; elsewhere n is the effective count ``seen`` and the events are counted by weight, as in an event's interval.
    """
    events = seen * float((new * weights).sum() / weights.sum())
    return betainc(seen - events, events + 1.0, 1.0 - allowed) if events < seen else 1.0


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
        raise AmoOptError("weights differ between candidate and current set, of scenarios or of paths; simulate both under the same study")
