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


def test_twins_weigh_within_their_scenario(make_outcome: Any, make_study: Any) -> None:
    """A row weighs w_s u / sum u of its scenario's path weights u; a component is a stratum, and the drawn one has the scenario's name."""
    outcome = make_outcome(WEIGHTS, paths=4).with_columns(
        component=[0, 0, 0, 1, 0, 0, 0, 0], weight=[1.0, 1.0, 1.0, 5.0, 2.0, 2.0, 2.0, 2.0]
    )
    paths = sample(outcome, make_study(WEIGHTS))
    np.testing.assert_allclose(paths.weights, [0.09375, 0.09375, 0.09375, 0.46875, *[0.0625] * 4])
    assert paths.strata == (("calm", 3), ("calm~t1", 1), ("stress", 4))
    assert [block.plain for block in paths.blocks] == [False, True]
    assert (paths.drawn, paths.fewest, paths.plain) == (7, 1, False)
    alone = paths.alone(paths.blocks[1])
    assert (alone.strata, alone.plain, alone.blocks[0].strata[0].rows) == ((("stress", 4),), True, slice(0, 4))
    np.testing.assert_allclose(paths.alone(paths.blocks[0]).weights, [0.125, 0.125, 0.125, 0.625])


def test_path_weights_of_no_use_are_refused(make_outcome: Any, make_study: Any) -> None:
    """Negative, infinite, missing, or all of them 0; and components out of order."""
    outcome, study = make_outcome({"calm": 1.0}, paths=2), make_study({"calm": 1.0})
    for weights, told in (([1.0, -1.0], "-1.0"), ([np.inf, 1.0], "inf"), ([np.nan, 1.0], "nan"), ([0.0, 0.0], "0.0")):
        with pytest.raises(SimulationError, match=f"weight is {told} in scenario calm"):
            sample(outcome.with_columns(weight=weights), study)
    with pytest.raises(AmoOptError, match="ordered by component"):
        sample(outcome.with_columns(component=[1, 0]), study)


def test_a_component_that_weighs_nothing_is_not_too_few(make_outcome: Any, make_study: Any) -> None:
    """Two twins of weight 0 are not what an interval hangs on."""
    outcome = make_outcome({"calm": 1.0}, paths=6).with_columns(component=[0] * 4 + [1] * 2, weight=[1.0] * 4 + [0.0] * 2)
    assert sample(outcome, make_study({"calm": 1.0})).fewest == 4
