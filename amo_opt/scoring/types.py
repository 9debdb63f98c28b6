"""What a score is: figures that carry their interval and their sample size."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from amo_opt.tiles import Tile, tiles_html
from amo_opt.wording import figure, interval, significant, sized, sized_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

LEAST_PATHS = 30
"""Fewest paths of a stratum (a scenario) that tell of its spread: what resamples fewer of them repeats their chance, and one path gives itself."""

LEAST_TAIL_POINTS = 5.0
"""Fewest effective paths (Kish) of a tail that tell of its spread."""
MOST_NAMED = 2
"""Limits that a tile names."""


def spread_known(fewest: int, tail_points: float | None = None) -> bool:
    """Whether the paths are enough for an interval: ``fewest`` of any stratum, and of a tail figure its effective count.

    >>> spread_known(29), spread_known(30), spread_known(640, 4.9), spread_known(640, 5.0)
    (False, True, False, True)
    """
    # a tenth of 50 equal weights sums to 5 but for the last digit
    return fewest >= LEAST_PATHS and (tail_points is None or tail_points >= LEAST_TAIL_POINTS - 1e-9)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure with its 95% interval and the number of paths behind it; ``tail_points`` is Kish's effective count in a tail figure.

    ``n`` counts rows, ``twins`` those of them that are not drawn from a scenario as it is. ``largest_share`` is what the one path that holds
    most of the figure's variance holds of it, where that is known.

    An interval that is not known is the whole line, so that nothing is concluded from it: no end of it keeps a limit or leaves out 0. It
    has no ``interval`` to print.
    """

    value: float
    low: float
    high: float
    n: int
    tail_points: float | None = None
    twins: int = 0
    largest_share: float | None = None

    @classmethod
    def of(
        cls,
        value: float,
        ends: tuple[float, float],
        *,
        n: int,
        fewest: int,
        tail_points: float | None = None,
        twins: int = 0,
        largest_share: float | None = None,
    ) -> Estimate:
        """The figure with an interval read from ``n`` paths, ``fewest`` in a stratum: the ``ends``, or the whole line where those are too few.

        An interval always holds its value: a percentile interval of a skewed figure, or the rounding of a constant one, can miss it.
        """
        if not spread_known(fewest, tail_points):
            ends = (-math.inf, math.inf)
        return cls(
            value=value,
            low=min(ends[0], value),
            high=max(ends[1], value),
            n=n,
            tail_points=tail_points,
            twins=twins,
            largest_share=largest_share,
        )

    def __repr__(self) -> str:
        return f"Estimate({_digits(self.value)}, 95%: {interval(self.interval, _digits)}, n = {sized(self.n, self.twins)})"

    @property
    def drawn(self) -> int:
        """Paths drawn from the scenarios as they are."""
        return self.n - self.twins

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends, or None where the paths are too few to know them."""
        return (self.low, self.high) if math.isfinite(self.low) and math.isfinite(self.high) else None


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """One constraint of one scenario (``scenario`` is None where it concerns the set itself).

    ``estimate`` is in the natural unit, ``limit`` in the same: the most the figure may be, or the least where ``at_least``. Each end of
    the interval is a 95% bound by itself, as a constraint asks about one side. ``violation`` is scaled to order 1
    (`constraints.Rule.violation`) at the point value, ``violation_high`` at the confidence bound: <= 0 is feasible. ``decidable``
    is False where n is too small to decide: to know the interval at all, or to see an event as rare as the limit.
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

    def __repr__(self) -> str:
        allowed = f"{'at least' if self.at_least else 'at most'} {_digits(self.limit)}"
        word = "kept" if self.kept else "not kept" if self.decidable else "not decided"
        return f"Constraint({self.key!r}, {_digits(self.estimate.value)}, bound {_digits(self.confidence_bound)}, {allowed}: {word})"

    @property
    def kept(self) -> bool:
        """Whether it is shown to hold: at its confidence bound, by paths enough to decide."""
        return self.decidable and self.violation_high <= 0.0

    @property
    def confidence_bound(self) -> float:
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

    def __repr__(self) -> str:
        kept = sum(value <= 0.0 for value in self.constraints.values())
        earned, peg = figure(self.yield_annual, None, "per year")[0], figure(self.peg_risk_bps, None, "bps")[0]
        return f"PointScore(yield {earned}, peg risk {peg}, {kept} of {len(self.constraints)} limits kept{', screened' if self.screened else ''})"

    @property
    def feasible(self) -> bool:
        """Whether every constraint holds at its point value."""
        return all(value <= 0.0 for value in self.constraints.values())


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What a metric is called, its unit, and which direction is better (+1 higher, -1 lower, 0 neither).

    ``of`` is the table of the state whose mechanism it measures; empty where every protocol has what it measures.
    """

    name: str
    title: str
    unit: str
    better: int
    of: str = ""


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

    def __repr__(self) -> str:
        (earned, earned_ends), (peg, peg_ends) = told(self.yield_annual, "per year"), told(self.peg_risk_bps, "bps")
        n = sized(self.yield_annual.n, self.yield_annual.twins)
        return f"Score(yield {earned} ({earned_ends}), peg risk {peg} ({peg_ends}), {self.kept} of {len(self.constraints)} limits kept, n = {n})"

    def _repr_html_(self) -> str:
        return tiles_html("Score", sized_count(self.yield_annual.n, self.yield_annual.twins, "path"), self.tiles())

    @property
    def feasible(self) -> bool:
        """Whether every constraint holds at its confidence bound."""
        return self.kept == len(self.constraints)

    @property
    def kept(self) -> int:
        """How many constraints are shown to hold."""
        return sum(constraint.kept for constraint in self.constraints)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a metric: value, 95% interval (NaN: not known), paths behind it, and how many of these are twins."""
        import pandas as pd

        return pd.DataFrame([{"metric": name, **_columns(each), "n": each.n, "twins": each.twins} for name, each in self.metrics.items()])

    def tiles(self) -> list[Tile]:
        """Yield, peg risk and limits for a notebook."""
        lost = [constraint.key for constraint in self.constraints if not constraint.kept]
        rest = f" and {len(lost) - MOST_NAMED} more" if len(lost) > MOST_NAMED else ""
        found = ("Yield", told(self.yield_annual, "per year")), ("Peg risk", told(self.peg_risk_bps, "bps"))
        return [
            *(Tile(title, figure, f"95%: {ends}") for title, (figure, ends) in found),
            Tile(
                "Limits",
                f"{self.kept} of {len(self.constraints)} kept",
                f"not shown to hold: {', '.join(lost[:MOST_NAMED])}{rest}" if lost else "at their confidence bounds",
            ),
        ]


@dataclass(frozen=True, kw_only=True)
class PairedDifference:
    """Candidate minus current of one metric on the same paths, with its interval, the non-inferiority tolerance and a verdict word
    (BETTER, EQUIVALENT, NO WORSE, WORSE, INCONCLUSIVE).

    ``p_better`` is the one-sided p-value of "not better than current" (small = better), ``p_inferior`` that of "worse by more than
    the tolerance" (small = no worse): bootstrap for most metrics, McNemar's exact test for events. ``scenario`` is None over all scenarios.
    """

    metric: str
    current: float
    candidate: float
    difference: Estimate
    tolerance: float
    verdict: str
    p_better: float
    p_inferior: float
    scenario: str | None = None

    def __repr__(self) -> str:
        place = self.metric if self.scenario is None else f"{self.metric}:{self.scenario}"
        found = self.difference
        apart = f"{_digits(found.value)}, 95%: {interval(found.interval, _digits)}, tolerance {_digits(self.tolerance)}"
        return f"PairedDifference({place!r}, {apart}: {self.verdict})"


def paired_frame(paired: Sequence[PairedDifference]) -> pd.DataFrame:
    """One row a difference: both figures, candidate minus current with its 95% interval (NaN: not known), tolerance, verdict, paths; ``scenario`` is missing over all scenarios."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "metric": each.metric,
                "scenario": each.scenario,
                "current": each.current,
                "candidate": each.candidate,
                **_columns(each.difference, "difference"),
                "tolerance": each.tolerance,
                "verdict": each.verdict,
                "n": each.difference.n,
                "twins": each.difference.twins,
            }
            for each in paired
        ]
    )


def told(estimate: Estimate, unit: str, *, signed: bool = False) -> tuple[str, str]:
    """An estimate and its interval as `figure` shows them."""
    return figure(estimate.value, estimate.interval, unit, signed=signed)


def _columns(estimate: Estimate, name: str = "value") -> dict[str, float]:
    low, high = estimate.interval or (math.nan, math.nan)
    return {name: estimate.value, "low": low, "high": high}


def _digits(value: float) -> str:
    return significant(value, 4)
