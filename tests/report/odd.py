"""Results that are odd in one thing each: what a study can be, and what a page must still be made of."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING

from amo_opt.config.study import Certification
from amo_opt.protocol.state import Figure
from amo_opt.scoring.types import Estimate
from amo_opt.search.tails import Doubt, Tails

if TYPE_CHECKING:
    from collections.abc import Callable

    from amo_opt.search.result import Result

TAIL = Estimate(value=21.4, low=20.5, high=22.3, n=3200, largest_share=0.437)
VERDICTS = ("recommended", "no change", "undecidable", "infeasible")
HOSTILE = '</p><script>alert("x")</script>{{ 7*7 }} [click](javascript:alert(1)) | **bold** & more'


def without_collateral(make_result: Callable[..., Result]) -> Result:
    """Every figure of what the protocol holds is zero: no amount, no share of anything."""

    def emptied(part):
        moved = {}
        for field in fields(part):
            value = getattr(part, field.name)
            if isinstance(value, Figure):
                moved[field.name] = replace(value, value=0.0, low=None if value.low is None else 0.0)
            elif is_dataclass(value):
                moved[field.name] = emptied(value)
        return replace(part, **moved)

    result = make_result()
    state = result.study.state
    state = replace(state, amos=emptied(state.amos), collateral=emptied(state.collateral), pools=emptied(state.pools))
    assert state.collateral_usd == 0.0
    return replace(result, study=replace(result.study, state=state))


def without_tolerance(make_result: Callable[..., Result]) -> Result:
    """Nothing worse is allowed: no difference is within its tolerance."""
    result = make_result(certification=Certification(tolerance_yield=0.0, tolerance_peg_bps=0.0))

    def strict(rows):
        return tuple(replace(each, tolerance=0.0, verdict="INCONCLUSIVE" if each.verdict == "NO WORSE" else each.verdict) for each in rows)

    candidates = tuple(
        replace(each, selection_paired=strict(each.selection_paired), holdout_paired=strict(each.holdout_paired))
        for each in result.candidates
    )
    return replace(result, candidates=candidates)


def with_many_scenarios(make_result: Callable[..., Result]) -> Result:
    """Sixteen of them, each set's limits with them."""
    result = make_result()
    names = [f"{each.name}-{copy}" for copy in range(4) for each in result.study.scenarios[:4]]
    scenarios = tuple(replace(result.study.scenarios[place % 4], name=name) for place, name in enumerate(names))

    def spread(score):
        if score is None:
            return None
        limits = [each for each in score.constraints if each.scenario is not None]
        new = [replace(each, scenario=name) for name in names for each in limits if name.startswith(f"{each.scenario}-")]
        exact = [each for each in score.constraints if each.scenario is None]
        by_scenario = {name: score.by_scenario[name.rsplit("-", 1)[0]] for name in names}
        return replace(score, constraints=(*new, *exact), by_scenario=by_scenario)

    candidates = tuple(
        replace(each, selection_score=spread(each.selection_score), holdout_score=spread(each.holdout_score)) for each in result.candidates
    )
    return replace(
        result, study=replace(result.study, scenarios=scenarios), candidates=candidates, worst_traces=(), worst_paths=(), fans=()
    )


def in_ether(make_result: Callable[..., Result]) -> Result:
    """Every amount and price is in ether."""
    result = make_result()
    return replace(result, study=replace(result.study, state=replace(result.study.state, unit="ETH")))


def with_a_run(result: Result) -> Result:
    """The deepest path ends at nothing: the price falls to 0.2, the outside supply to a quarter."""
    lowest = min(result.worst_traces[0].price)
    traces = tuple(
        replace(each, price=tuple(0.2 + (value - lowest) for value in each.price), supply=tuple(1.6e9 - 8.4e8 * k for k in _ramp(each)))
        for each in result.worst_traces
    )
    paths = (replace(result.worst_paths[0], min_price=0.2), *result.worst_paths[1:])
    return replace(result, worst_traces=traces, worst_paths=paths)


def _ramp(trace):
    return [place / (len(trace.hours) - 1) for place in range(len(trace.hours))]


def with_losses(result: Result) -> Result:
    """Every set earns less than nothing, the current one least but one, and that breaks two limits."""

    def lost(score):
        if score is None:
            return None
        earned = score.yield_annual
        earned = replace(earned, value=earned.value - 0.05, low=earned.low - 0.05, high=earned.high - 0.05)
        return replace(score, yield_annual=earned, metrics={**score.metrics, "yield": earned})

    def broken(score):
        first, second = (
            replace(each, violation=0.5, violation_high=0.8, estimate=replace(each.estimate, value=each.limit * 1.5, high=each.limit * 1.8))
            for each in score.constraints[:2]
        )
        return replace(score, constraints=(first, second, *score.constraints[2:]))

    current, *rest = (
        replace(each, selection_score=lost(each.selection_score), holdout_score=lost(each.holdout_score)) for each in result.candidates
    )
    current = replace(current, selection_score=broken(current.selection_score), holdout_score=broken(current.holdout_score))
    return replace(result, candidates=(current, *rest))


def hostile(result: Result) -> Result:
    """Whatever somebody may name: study, scenarios, sets' parameters, assumptions."""
    study = result.study
    scenarios = tuple(replace(each, title=HOSTILE) for each in study.scenarios)
    study = replace(study, name=HOSTILE, scenarios=scenarios, state=replace(study.state, name=HOSTILE, notes=HOSTILE))
    return replace(result, study=study, sensitivity=tuple(replace(each, figure=HOSTILE, holds=False) for each in result.sensitivity))


ODD: dict[str, Callable[..., Result]] = {
    "no other set": lambda make: make("no change", candidates=0),
    "no importances": lambda make: replace(make(), importances={}),
    "no worst path": lambda make: replace(make(), worst_traces=(), worst_paths=()),
    "a run": lambda make: with_a_run(make()),
    "a run under today’s set alone": lambda make: with_a_run(make("no change", candidates=0)),
    "no neighbours, no draws": lambda make: replace(make(), neighbours=(), doubt=None, sensitivity=(), half_step=None),
    "zero tolerance": without_tolerance,
    "ether": in_ether,
    "zero collateral": without_collateral,
    "many scenarios": with_many_scenarios,
    "losses and broken limits": lambda make: with_losses(make("no change")),
    "one candidate": lambda make: make("no change", candidates=1),
    "many candidates": lambda make: make(candidates=20),
    "an open tail": lambda make: replace(make(), tails=Tails((Doubt(kind="one path", set="current", difference=False, found=TAIL),))),
}
