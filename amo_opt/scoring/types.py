"""What a score is: figures that carry their interval and their sample size."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure with its 95% interval and the number of paths behind it; ``tail_points`` is Kish's effective count in a tail figure."""

    value: float
    low: float
    high: float
    n: int
    tail_points: float | None = None


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """One constraint of one scenario (``scenario`` is None where it concerns the set itself).

    ``estimate`` is in the natural unit, ``limit`` in the same: the most the figure may be, or the least where ``at_least``. Each end of
    the interval is a 95% bound by itself, as a constraint asks about one side. ``violation`` is scaled to order 1
    (`constraints.Rule.violation`) at the point value, ``violation_high`` at the interval's worse end: <= 0 is feasible. ``decidable``
    is False where n is too small to decide.
    """

    name: str
    scenario: str | None
    unit: str
    estimate: Estimate
    limit: float
    violation: float
    violation_high: float
    decidable: bool = True
    at_least: bool = False

    @property
    def worse_end(self) -> float:
        """The end of the interval that must keep the limit: the upper one, or the lower one of a figure that has a least."""
        return self.estimate.low if self.at_least else self.estimate.high

    @property
    def key(self) -> str:
        """``name`` or ``name:scenario``: how trials and reports call it."""
        return self.name if self.scenario is None else f"{self.name}:{self.scenario}"


@dataclass(frozen=True, kw_only=True)
class PointScore:
    """A trial's score without intervals: yield a year over collateral, peg risk in basis points, constraints (<= 0 feasible).

    ``screened``: a clearly infeasible set whose figures come from few paths.
    """

    yield_annual: float
    peg_risk_bps: float
    constraints: dict[str, float]
    screened: bool = False

    @property
    def feasible(self) -> bool:
        """Whether every constraint holds at its point value."""
        return all(value <= 0.0 for value in self.constraints.values())


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What a metric is called, its unit, and which direction is better (+1 higher, -1 lower, 0 neither)."""

    name: str
    title: str
    unit: str
    better: int


@dataclass(frozen=True, kw_only=True)
class Score:
    """A certified score: every figure with interval and n. ``metrics`` is keyed by metric name and holds yield and peg risk too;
    ``by_scenario`` holds scenario -> metric -> estimate; ``yield_terms`` the yearly contribution of each income line.
    """

    yield_annual: Estimate
    peg_risk_bps: Estimate
    constraints: tuple[Constraint, ...]
    metrics: dict[str, Estimate]
    by_scenario: dict[str, dict[str, Estimate]] = field(default_factory=dict)
    yield_terms: dict[str, Estimate] = field(default_factory=dict)

    @property
    def feasible(self) -> bool:
        """Whether every constraint holds at its interval's worse end."""
        return all(constraint.decidable and constraint.violation_high <= 0.0 for constraint in self.constraints)


@dataclass(frozen=True, kw_only=True)
class PairedDifference:
    """Candidate minus current of one metric on the same paths, with its interval, the non-inferiority margin and a verdict word
    (BETTER, EQUIVALENT, NO WORSE, WORSE, INCONCLUSIVE).

    ``p_better`` is the one-sided p-value of "not better than current" (small = better), ``p_inferior`` that of "worse by more than
    the margin" (small = no worse): bootstrap for most metrics, McNemar's exact test for events. ``scenario`` is None over all scenarios.
    """

    metric: str
    current: float
    candidate: float
    difference: Estimate
    margin: float
    verdict: str
    p_better: float
    p_inferior: float
    scenario: str | None = None
