"""Constraints: limits that hold in each scenario by itself, unweighted, and one on the parameter set; <= 0 is feasible."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from amo_opt.amos.parameters import shares_of_collateral
from amo_opt.protocol.elementary import expm1_of, log1p_of
from amo_opt.scoring.metrics import MEASURES
from amo_opt.scoring.types import LEAST_PATHS, LEAST_TAIL_POINTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amo_opt.config.study import Constraints
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.scoring.types import Constraint, Estimate
    from amo_opt.stress.scenario import Scenario


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A limit on one metric within each scenario: ``metric`` is a name of `METRICS`, ``limit_name`` a field of the study's constraints.

    ``scale_at_zero`` measures the distance to a limit of 0, which has no scale of its own; where the metric ``is_amount``, as a share of the
    state's collateral. ``kind`` says on which side of the limit a set may stand; a metric with an ``at least`` limit is never below 0.
    """

    name: str
    metric: str
    limit_name: str
    scale_at_zero: float
    kind: Literal["at most", "at least"] = "at most"
    is_amount: bool = False

    def limit(self, constraints: Constraints, scenario: Scenario) -> float:
        """The limit in the metric's unit; a scenario may set its own chance of a breach. Only for one of `rules_of` the constraints."""
        if self.name == "breach_probability" and scenario.max_breach_probability is not None:
            return scenario.max_breach_probability
        return float(getattr(constraints, self.limit_name))

    def violation(self, value: float, limit: float, *, collateral: float = 1.0) -> float:
        """How far ``value`` is over the limit, in order 1; 0 at the limit, at most 0 where it is kept. ``collateral`` = the state's.

        At most: (value - limit) / limit up to the limit and ln(value / limit) beyond: -1 at nothing. Slope and value agree on both
        sides of the limit. The plain ratio would let one constraint drown the others in a sampler's sum of violations (a breach in
        every path is 50 times a limit of 2%), a bounded one would flatten where the search must climb.

        At least: (limit - value) / limit below the limit and limit / value - 1 above: 1 at nothing, towards -1 far above. The slopes
        agree here too; the straight branch never flattens, and a logarithm would have no end at a value of 0.
        """
        scale = limit if limit > 0.0 else self.scale_at_zero * (collateral if self.is_amount else 1.0)
        if self.kind == "at least":
            return (limit - value) / scale if value < limit else scale / (scale + (value - limit)) - 1.0
        excess = (value - limit) / scale
        return log1p_of(excess) if excess > 0.0 else excess

    def value(self, violation: float, limit: float) -> float:
        """The figure that is ``violation`` over the limit: the inverse of `violation`."""
        scale = limit if limit > 0.0 else self.scale_at_zero
        if self.kind == "at least":
            return limit - scale * violation if violation > 0.0 else limit + scale / (violation + 1.0) - scale
        return limit + scale * (expm1_of(violation) if violation > 0.0 else violation)

    def confidence_bound(self, estimate: Estimate) -> float:
        """The end of the figure's interval that must keep the limit."""
        return estimate.low if self.kind == "at least" else estimate.high


RULES: tuple[Rule, ...] = (
    Rule(name="breach_probability", metric="breach_probability", limit_name="max_breach_probability", scale_at_zero=0.01),
    Rule(name="shortfall", metric="shortfall_cvar90_bps", limit_name="max_shortfall_bps", scale_at_zero=10.0),
    Rule(name="unrecovered", metric="unrecovered_probability", limit_name="max_unrecovered_probability", scale_at_zero=0.01),
    # The worst tenth, as for the shortfall: a mean would let one run in ten go unpaid behind nine quiet windows.
    Rule(name="unserved", metric="unserved_cvar90_usd_hours", limit_name="max_unserved_usd_hours", scale_at_zero=1e-3, is_amount=True),
    Rule(name="floor_supply", metric="floor_ratio", limit_name="min_floor_supply", scale_at_zero=0.1, kind="at least"),
)
"""Every limit a study may set in each scenario, in the order of a report; a constraint's key is ``name:scenario``."""


def rules_of(constraints: Constraints) -> tuple[Rule, ...]:
    """The rules that a study sets a limit for."""
    return tuple(rule for rule in RULES if getattr(constraints, rule.limit_name) is not None)


CAPS = "caps_plus_buffer"
"""The constraint on the set itself: collateral promised to AMOs and buffer is at most all of it."""


def caps_plus_buffer(parameters: ParameterSet) -> float:
    """The caps of every AMO that holds collateral and the idle buffer as a share of all collateral; at most 1 is feasible.

    The exactly rounded sum: decimals that add up to 1 on paper (0.1 + 0.2 + 0.7) must not break the limit by a rounding error.
    """
    values = parameters.values()
    return math.fsum(values[name] for name in shares_of_collateral(values))


def decidable(n: float, limit: float) -> bool:
    """Whether n paths without an event would prove a chance of at most ``limit``: n >= 3 / limit (the rule of three); n may be an effective count."""
    return limit >= 1.0 or n * limit >= 3.0 - 1e-9


def paths_to_decide(constraint: Constraint) -> int:
    """Paths of its scenario from which a constraint can be decided: enough for an interval, and of an event for one as rare as the limit."""
    return _least_paths(next(each for each in RULES if each.name == constraint.name), constraint.limit)


def least_paths(constraints: Constraints, scenarios: Iterable[Scenario]) -> int:
    """Paths of a scenario from which every limit of a study can be decided in each of them."""
    found = [_least_paths(rule, getattr(constraints, rule.limit_name)) for rule in rules_of(constraints)]
    own = [each.max_breach_probability for each in scenarios if each.max_breach_probability is not None]
    return max([LEAST_PATHS, *found, *(_least_paths(RULES[0], limit) for limit in own)])


def _least_paths(rule: Rule, limit: float) -> int:
    measure = MEASURES[rule.metric]
    if measure.kind == "event":
        return max(LEAST_PATHS, math.ceil(3.0 / limit - 1e-9)) if 0.0 < limit < 1.0 else LEAST_PATHS
    return max(LEAST_PATHS, math.ceil(LEAST_TAIL_POINTS / (1.0 - measure.level) - 1e-9)) if measure.is_tail else LEAST_PATHS
