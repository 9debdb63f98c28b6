"""Types: keys and feasibility."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from amo_opt.scoring.types import LEAST_PATHS, Constraint, Estimate, PointScore, Score

ZERO = Estimate(value=0.0, low=0.0, high=0.0, n=1)
CALM = Constraint(name="unserved", scenario="calm", unit="USD·h", estimate=ZERO, limit=1.0, violation=-1.0, violation_high=0.0)


def test_keys_name_the_scenario_where_there_is_one() -> None:
    """``name:scenario``, or the name alone for a constraint on the set."""
    assert CALM.key == "unserved:calm"
    assert replace(CALM, scenario=None).key == "unserved"


def test_the_confidence_bound_is_the_one_nearer_to_breaking_the_limit() -> None:
    """The upper end where there is a most, the lower one where there is a least."""
    ends = Estimate(value=0.5, low=0.2, high=0.9, n=1)
    assert (replace(CALM, estimate=ends).confidence_bound, replace(CALM, estimate=ends, at_least=True).confidence_bound) == (0.9, 0.2)


def test_feasible_means_decidable_and_at_most_zero_at_the_confidence_bound() -> None:
    """The limit itself is feasible; beyond it at the confidence bound, or undecidable, is not."""

    def feasible(constraint: Constraint) -> bool:
        return Score(yield_annual=ZERO, peg_risk_bps=ZERO, constraints=(constraint,), metrics={}).feasible

    assert feasible(CALM)
    assert not feasible(replace(CALM, violation_high=1e-12))
    assert not feasible(replace(CALM, decidable=False))
    assert PointScore(yield_annual=0.0, peg_risk_bps=0.0, constraints={"a": 0.0}).feasible
    assert not PointScore(yield_annual=0.0, peg_risk_bps=0.0, constraints={"a": 0.0, "b": 1e-12}).feasible


@pytest.mark.parametrize(
    ("fewest", "tail", "known"),
    [(1, None, False), (LEAST_PATHS - 1, None, False), (LEAST_PATHS, None, True), (640, 4.9, False), (640, 5.0, True), (29, 640.0, False)],
)
def test_an_interval_from_too_few_paths_is_the_whole_line(fewest: int, tail: float | None, known: bool) -> None:
    """Fewer than 30 of a stratum, or than 5 effective ones of a tail: no ends to print, and none that could keep a limit or leave out 0."""
    found = Estimate.of(2.0, (1.0, 3.0), n=640, fewest=fewest, tail_points=tail)
    assert found.interval == ((1.0, 3.0) if known else None)
    assert (found.low, found.high) == ((1.0, 3.0) if known else (-math.inf, math.inf))
    assert (found.value, found.n) == (2.0, 640)


def test_an_interval_holds_its_value() -> None:
    """A percentile interval that misses the figure is widened up to it."""
    assert Estimate.of(4.0, (1.0, 3.0), n=64, fewest=64).interval == (1.0, 4.0)
    assert Estimate.of(0.5, (1.0, 3.0), n=64, fewest=64).interval == (0.5, 3.0)
