"""An outcome as arrays: weights by row, and messages for outcomes that cannot be scored."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from amo_opt.errors import AmoOptError, SimulationError
from amo_opt.scoring.sample import sample

WEIGHTS = {"calm": 3.0, "stress": 1.0}


def test_rows_carry_their_scenarios_weight(make_outcome: Any, make_study: Any) -> None:
    """A row weighs w_s / n_s, the weights sum to 1 and blocks name their rows."""
    paths = sample(make_outcome(WEIGHTS, paths=10), make_study(WEIGHTS))
    np.testing.assert_allclose(paths.weights, np.repeat([0.075, 0.025], 10))
    assert paths.strata == (("calm", 10), ("stress", 10))
    assert [block.rows for block in paths.blocks] == [slice(0, 10), slice(10, 20)]


def test_categories_are_scenarios_too(make_outcome: Any, make_study: Any) -> None:
    """The scenario column may be categorical."""
    outcome = make_outcome(WEIGHTS, paths=4)
    outcome = outcome.with_columns(scenario=pd.Categorical(outcome.paths["scenario"]))
    assert sample(outcome, make_study(WEIGHTS)).strata == (("calm", 4), ("stress", 4))


def test_one_scenario_carries_the_whole_weight(make_outcome: Any, make_study: Any) -> None:
    """Asked for one scenario, its rows alone are taken and weigh 1 together."""
    outcome = make_outcome(WEIGHTS, paths=4)
    paths = sample(outcome, make_study(WEIGHTS), scenario="stress")
    assert paths.weights.sum() == pytest.approx(1.0)
    np.testing.assert_array_equal(paths.column("min_price"), outcome.paths["min_price"].to_numpy()[4:])


def test_a_figure_that_is_not_finite_is_named(make_outcome: Any, make_study: Any) -> None:
    """NaN and infinity are refused with column, scenario and path: one would sort anywhere, the other win the search."""
    outcome = make_outcome(WEIGHTS, paths=4)
    broken = outcome.with_columns(peg_loss_bps=[0.0] * 6 + [np.inf, 0.0])
    with pytest.raises(SimulationError, match="peg_loss_bps is inf in scenario stress, path 2"):
        sample(broken, make_study(WEIGHTS)).column("peg_loss_bps")


def test_a_missing_column_is_named(make_outcome: Any, make_study: Any) -> None:
    """An outcome without a column says which and what to do."""
    with pytest.raises(AmoOptError, match="no column does_not_exist"):
        sample(make_outcome(WEIGHTS, paths=4), make_study(WEIGHTS)).column("does_not_exist")


def test_scattered_scenarios_are_refused(make_outcome: Any, make_study: Any) -> None:
    """Rows of one scenario must be together."""
    outcome = make_outcome(WEIGHTS, paths=2).with_columns(scenario=["calm", "stress", "calm", "stress"])
    with pytest.raises(AmoOptError, match="must be together"):
        sample(outcome, make_study(WEIGHTS))


def test_unknown_scenarios_and_empty_outcomes_are_refused(make_outcome: Any, make_study: Any) -> None:
    """A scenario the study does not hold has no weight, and no path has no score."""
    outcome = make_outcome(WEIGHTS, paths=2)
    with pytest.raises(AmoOptError, match="no weight is known for scenario stress"):
        sample(outcome, make_study({"calm": 1.0}))
    with pytest.raises(AmoOptError, match="no path to score of scenario absent"):
        sample(outcome, make_study(WEIGHTS), scenario="absent")
