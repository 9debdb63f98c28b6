"""The score of one parameter set: with intervals for certification and reports, as plain numbers for trials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.scoring.constraints import CAPS, Rule, caps_plus_buffer, decidable, rules_of
from amo_opt.scoring.influence import event_count, spread_of
from amo_opt.scoring.intervals import ONE_SIDED, TWO_SIDED, clopper_pearson, corrected_bounds, percentile_bounds
from amo_opt.scoring.losses import FloatArray, kish
from amo_opt.scoring.metrics import MEASURES, Measure, YieldTerms, earning, measured, yield_terms
from amo_opt.scoring.paired import Brief, Reading, brief, directed
from amo_opt.scoring.replicates import Replicates, replicate
from amo_opt.scoring.sample import Outcome, Sample, sample
from amo_opt.scoring.types import Constraint, Estimate, PointScore, Score

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet


def point_score(outcome: Outcome, study: Study) -> PointScore:
    """The score of a trial: yield, peg risk and constraints at their point values, the same constraint keys for every set of a study.

    Raises ``AmoOptError`` where the outcome is not one of this study, ``SimulationError`` where a figure is not finite.
    """
    paths = sample(outcome, study)
    rules = rules_of(study.constraints)
    limited = {rule.metric: MEASURES[rule.metric].values(paths) for rule in rules}
    constraints = {}
    collateral = _collateral(paths)
    for block in paths.blocks:
        for rule in rules:
            value = MEASURES[rule.metric].point(limited[rule.metric][block.rows], block.own)
            limit = rule.limit(study.constraints, block.scenario)
            constraints[f"{rule.name}:{block.scenario.name}"] = rule.violation(value, limit, collateral=collateral)
    constraints[CAPS] = caps_plus_buffer(outcome.parameters) - 1.0
    objectives = {name: MEASURES[name].point(MEASURES[name].values(paths), paths.weights) for name in ("yield", "peg_cvar95_bps")}
    return PointScore(yield_annual=objectives["yield"], peg_risk_bps=objectives["peg_cvar95_bps"], constraints=constraints)


def score(outcome: Outcome, study: Study) -> Score:
    """The whole score: every metric over all paths by weight and within each scenario, every constraint, every term of the yield.

    Intervals are 95%: a bootstrap of whole paths within each component of each scenario (``study.certification.bootstrap`` resamples, the same
    ones for every set), read by percentiles, or where there are twins by `corrected_bounds`; exact binomial for events (on `event_count`; over
    scenarios of paths that count alike in each: on Kish's effective count). An interval always holds its value, and is not known where a stratum
    has fewer than `LEAST_PATHS` paths or a tail too few (`spread_known`). The ends of a *constraint's* interval are 95% bounds each, as a
    constraint asks about one side only.

    Raises as `point_score` does.
    """
    return judged(outcome, study).score


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A score, and what it is compared by: the brief over all scenarios and, where asked for, one within each, in the study's order."""

    score: Score
    brief: Brief
    within: tuple[Brief, ...]


def judged(outcome: Outcome, study: Study, *, metrics: Iterable[str] | None = None, within: bool = False) -> Judged:
    """`score` and `briefed` of an outcome (in ``metrics``, else in all that have a direction) from one pass over the resamples.

    Raises as `point_score` does.
    """
    paths = sample(outcome, study)
    figures = {name: MEASURES[name].values(paths) for name in measured(study)}
    terms = yield_terms(paths)
    drawn = replicate(paths, figures, terms, alone=within)
    compared = directed(study) if metrics is None else list(metrics)
    return Judged(
        score=_score(outcome, paths, figures, terms, drawn),
        brief=_brief(paths, None, figures, drawn.overall, compared),
        within=tuple(
            _brief(paths.alone(block), block.scenario.name, {name: figures[name][block.rows] for name in compared}, each, compared)
            for block in paths.blocks
            for each in (drawn.alone[block.scenario.name],)
        )
        if within
        else (),
    )


@dataclass(frozen=True, kw_only=True)
class Held:
    """Whether a set keeps its limits, as in a score, and what it is compared by over all scenarios."""

    constraints: tuple[Constraint, ...]
    brief: Brief


def held(outcome: Outcome, study: Study, *, metrics: Iterable[str]) -> Held:
    """What `judged` says of the constraints and of some metrics, at a sixth of its cost where paths are few. Raises as `point_score` does."""
    paths = sample(outcome, study)
    compared = list(metrics)
    read = dict.fromkeys((*compared, *(rule.metric for rule in rules_of(study.constraints))))
    figures = {name: MEASURES[name].values(paths) for name in read}
    drawn = replicate(paths, figures, None)
    return Held(
        constraints=(*_constraints(paths, figures, drawn, collateral=_collateral(paths)), _caps(outcome.parameters)),
        brief=_brief(paths, None, figures, drawn.overall, compared),
    )


def limits_kept(paths: Sample, figures: Mapping[str, FloatArray], parameters: ParameterSet) -> tuple[Constraint, ...]:
    """Every limit of the sample's study on ``figures`` (metric -> shape (n,)) that a set's paths gave before, as `score` has them."""
    read = {rule.metric: figures[rule.metric] for rule in rules_of(paths.study.constraints)}
    found = _constraints(paths, read, replicate(paths, read, None), collateral=paths.study.state.collateral_usd)
    return (*found, _caps(parameters))


def _brief(
    paths: Sample, scenario: str | None, figures: Mapping[str, FloatArray], drawn: Mapping[str, FloatArray], names: list[str]
) -> Brief:
    return brief(
        Reading(
            paths=paths,
            scenario=scenario,
            measures={name: MEASURES[name] for name in names},
            values={name: figures[name] for name in names},
            replicates={name: drawn[name] for name in names},
        )
    )


def _score(outcome: Outcome, paths: Sample, figures: dict[str, FloatArray], terms: YieldTerms, drawn: Replicates) -> Score:
    metrics = {name: estimate(name, figures[name], paths, drawn.overall[name]) for name in figures}
    earned = {
        name: estimate("yield", values, paths, drawn.yield_terms[name])
        for name, values in ((name, terms[name]) for name in earning(paths.study, terms))
    }
    by_scenario: dict[str, dict[str, Estimate]] = {}
    for block in paths.blocks:
        own = paths.alone(block)
        inside = drawn.by_scenario[block.scenario.name]
        by_scenario[block.scenario.name] = {
            name: estimate(name, figures[name][block.rows], own, inside[name], weights=block.own) for name in figures
        }
    return Score(
        yield_annual=metrics["yield"],
        peg_risk_bps=metrics["peg_cvar95_bps"],
        constraints=(*_constraints(paths, figures, drawn, collateral=_collateral(paths)), _caps(outcome.parameters)),
        metrics=metrics,
        by_scenario=by_scenario,
        yield_terms=earned,
    )


def estimate(
    name: str,
    values: FloatArray,
    paths: Sample,
    replicates: FloatArray,
    *,
    tail: float = TWO_SIDED,
    weights: FloatArray | None = None,
) -> Estimate:
    """A metric's figure over a sample's paths of shape (n,) with its interval, ``tail`` outside each end; ``weights`` = the sample's, of another
    scale.
    """
    measure = MEASURES[name]
    weights = paths.weights if weights is None else weights
    order = measure.order(values) if measure.is_tail else None
    value = measure.point(values, weights, order=order)
    # of paths that count alike a mean has many that matter: the bootstrap's percentiles need no spread, and a report names the tails' alone
    spread = spread_of(measure, values, paths, order=order) if measure.is_tail or not paths.plain else None
    if measure.kind == "event":
        effective = kish(weights) if paths.plain else event_count(values, paths.weights, spread)
        ends = clopper_pearson(value * effective, effective, tail=tail)
        if spread is not None and not paths.plain:
            # few heavy paths among many light ones: a count of events that count alike knows nothing of that skew
            skewed = corrected_bounds(replicates, value, spread, tail=tail)
            ends = min(ends[0], skewed[0]), max(ends[1], skewed[1])
    elif paths.plain or spread is None:
        low, high = percentile_bounds(replicates, tail=tail)
        ends = float(low), float(high)
    else:
        ends = corrected_bounds(replicates, value, spread, tail=tail)
    return Estimate.of(
        value,
        ends,
        n=values.size,
        fewest=paths.fewest,
        tail_points=measure.tail_points(values, weights, order=order),
        twins=values.size - paths.drawn,
        largest_share=None if spread is None else spread.largest_share,
    )


def _constraints(paths: Sample, figures: Mapping[str, FloatArray], drawn: Replicates, *, collateral: float) -> list[Constraint]:
    """Every rule in every scenario."""
    rules = rules_of(paths.study.constraints)
    return [
        _constraint(own, drawn.by_scenario[block.scenario.name][rule.metric], figures[rule.metric][block.rows], rule, collateral)
        for block, own in ((block, paths.alone(block)) for block in paths.blocks)
        for rule in rules
    ]


def _constraint(paths: Sample, drawn: FloatArray, values: FloatArray, rule: Rule, collateral: float) -> Constraint:
    """One rule on the paths of one scenario, at its point value and at its confidence bound."""
    (block,) = paths.blocks
    measure = MEASURES[rule.metric]
    limit = rule.limit(paths.study.constraints, block.scenario)
    found = estimate(rule.metric, values, paths, drawn, tail=ONE_SIDED, weights=block.own)
    decides = measure.kind != "event" or decidable(block.n if paths.plain else _seen(measure, values, paths), limit)
    return Constraint(
        name=rule.name,
        scenario=block.scenario.name,
        unit=measure.metric.unit,
        estimate=found,
        limit=limit,
        violation=rule.violation(found.value, limit, collateral=collateral),
        violation_high=rule.violation(rule.confidence_bound(found), limit, collateral=collateral),
        decidable=found.interval is not None and decides,
        at_least=rule.kind == "at least",
    )


def _seen(measure: Measure, values: FloatArray, paths: Sample) -> float:
    """The effective count of an event."""
    return event_count(values, paths.weights, spread_of(measure, values, paths))


def _collateral(paths: Sample) -> float:
    """The state's collateral, dollars: what an amount is large or small beside."""
    return float(paths.column("collateral_start_usd")[0])


def _caps(parameters: ParameterSet) -> Constraint:
    """Caps and buffer: read off the parameters, so the interval is the value and no path is behind it (n = 0)."""
    total = caps_plus_buffer(parameters)
    return Constraint(
        name=CAPS,
        scenario=None,
        unit="ratio",
        estimate=Estimate(value=total, low=total, high=total, n=0),
        limit=1.0,
        violation=total - 1.0,
        violation_high=total - 1.0,
    )
