"""Types: keys and feasibility."""

from __future__ import annotations

from dataclasses import replace

from amo_opt.scoring.types import Constraint, Estimate, PointScore, Score

ZERO = Estimate(value=0.0, low=0.0, high=0.0, n=1)
CALM = Constraint(name="unserved", scenario="calm", unit="USD·h", estimate=ZERO, limit=1.0, violation=-1.0, violation_high=0.0)


def test_keys_name_the_scenario_where_there_is_one() -> None:
    """``name:scenario``, or the name alone for a constraint on the set."""
    assert CALM.key == "unserved:calm"
    assert replace(CALM, scenario=None).key == "unserved"


def test_the_worse_end_is_the_one_nearer_to_breaking_the_limit() -> None:
    """The upper end where there is a most, the lower one where there is a least."""
    ends = Estimate(value=0.5, low=0.2, high=0.9, n=1)
    assert (replace(CALM, estimate=ends).worse_end, replace(CALM, estimate=ends, at_least=True).worse_end) == (0.9, 0.2)


def test_feasible_means_decidable_and_at_most_zero_at_the_worse_end() -> None:
    """The limit itself is feasible; beyond it at the worse end, or undecidable, is not."""

    def feasible(constraint: Constraint) -> bool:
        return Score(yield_annual=ZERO, peg_risk_bps=ZERO, constraints=(constraint,), metrics={}).feasible

    assert feasible(CALM)
    assert not feasible(replace(CALM, violation_high=1e-12))
    assert not feasible(replace(CALM, decidable=False))
    assert PointScore(yield_annual=0.0, peg_risk_bps=0.0, constraints={"a": 0.0}).feasible
    assert not PointScore(yield_annual=0.0, peg_risk_bps=0.0, constraints={"a": 0.0, "b": 1e-12}).feasible
