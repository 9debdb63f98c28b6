"""Metrics: every one computes from an outcome's columns, and the yield is its terms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from amo_opt.errors import AmoOptError
from amo_opt.scoring.metrics import MEASURES, METRICS, yield_terms
from amo_opt.scoring.sample import sample
from amo_opt.simulation.outcome import LINE_COLUMNS

WEIGHTS = {"calm": 3.0, "stress": 1.0}


def test_every_metric_has_a_figure_for_every_path(make_outcome: Any, make_study: Any) -> None:
    """Each measure gives one finite figure a path, and names are unique and in one place."""
    paths = sample(make_outcome(WEIGHTS, paths=6), make_study(WEIGHTS))
    for name, measure in MEASURES.items():
        values = measure.values(paths)
        assert values.shape == (12,), name
        assert np.isfinite(values).all(), name
        assert METRICS[name].name == name
        assert METRICS[name].better in (-1, 0, 1)


def test_yield_of_one_path_by_hand(make_outcome: Any, make_study: Any) -> None:
    """(6m of income in 1,440 h made yearly, less 2m of transition once) over 1bn; debt discount and mark-to-market do not count."""
    nothing = dict.fromkeys((name for name in LINE_COLUMNS if name.startswith("income_")), 0.0)
    outcome = (
        make_outcome({"calm": 1.0}, paths=1)
        .with_columns(**nothing)
        .with_columns(
            income_lending_usd=1e6,
            income_investor_usd=0.4e6,
            income_fraxlend_usd=0.3e6,
            income_swap_fees_usd=1.5e6,
            income_uniswap_fees_usd=0.2e6,
            income_rewards_usd=3e6,
            income_primary_fees_usd=0.5e6,
            income_market_operations_usd=-0.5e6,
            income_venue_losses_usd=-0.3e6,
            income_liquidation_usd=-0.1e6,
            income_mark_to_market_usd=-7e8,
            income_debt_discount_usd=9e8,
            transition_cost_usd=2e6,
            collateral_start_usd=1e9,
        )
    )
    paths = sample(outcome, make_study({"calm": 1.0}))
    assert MEASURES["yield"].values(paths)[0] == pytest.approx((6e6 * 8760 / 1440 - 2e6) / 1e9, rel=1e-12)
    assert MEASURES["debt_discount"].values(paths)[0] == pytest.approx(9e8 * 8760 / 1440 / 1e9, rel=1e-12)
    assert MEASURES["mark_to_market"].values(paths)[0] == pytest.approx(-7e8 * 8760 / 1440 / 1e9, rel=1e-12)
    assert yield_terms(paths)["transition"][0] == pytest.approx(-0.002)
    assert yield_terms(paths)["venue_losses"][0] == pytest.approx(-0.3e6 * 8760 / 1440 / 1e9, rel=1e-12)
    assert yield_terms(paths)["liquidation"][0] == pytest.approx(-0.1e6 * 8760 / 1440 / 1e9, rel=1e-12)


def test_a_new_income_line_enters_the_yield(make_outcome: Any, make_study: Any) -> None:
    """A line the accounts add is a term of the yield at once, never silently dropped."""
    outcome = make_outcome(WEIGHTS, paths=6)
    study = make_study(WEIGHTS)
    before = MEASURES["yield"].values(sample(outcome, study))
    more = sample(outcome.with_columns(income_bridge_tolls_usd=-1e6), study)
    assert "bridge_tolls" in yield_terms(more)
    np.testing.assert_allclose(MEASURES["yield"].values(more) - before, -1e6 * 8760 / 1440 / 1e9, rtol=1e-9)


@pytest.mark.parametrize(
    "name",
    [
        "floor_supply_band_usd",
        "floor_supply_005_usd",
        "floor_supply_01_usd",
        "floor_ratio",
        "floor_ratio_end",
        "decentralisation_ratio",
        "vote_share",
        "reward_tokens_locked",
    ],
)
def test_figures_of_the_balance_sheet_are_means_of_their_columns(make_outcome: Any, make_study: Any, name: str) -> None:
    """Two paths at 1 and 3 are 2 over all; more floor supply is better, the rest is neither."""
    paths = sample(make_outcome({"calm": 1.0}, paths=2).with_columns(**{name: [1.0, 3.0]}), make_study({"calm": 1.0}))
    measure = MEASURES[name]
    assert measure.point(measure.values(paths), paths.weights) == 2.0
    assert measure.metric.better == (1 if name.startswith("floor_") else 0)


def test_breach_is_strictly_below_the_limit(make_outcome: Any, make_study: Any) -> None:
    """A path at the limit does not break it."""
    outcome = make_outcome({"calm": 1.0}, paths=3).with_columns(min_cr_external=[0.75, 0.7499, 0.9])
    np.testing.assert_array_equal(MEASURES["breach_probability"].values(sample(outcome, make_study({"calm": 1.0}))), [0.0, 1.0, 0.0])


def test_low_tails_average_the_lowest(make_outcome: Any, make_study: Any) -> None:
    """The tail of a price is its low end: with 20 paths the lowest 5% is the lowest path."""
    outcome = make_outcome({"calm": 1.0}, paths=20)
    paths = sample(outcome, make_study({"calm": 1.0}))
    measure = MEASURES["min_price_tail95"]
    assert measure.point(measure.values(paths), paths.weights) == pytest.approx(outcome.paths["min_price"].min(), rel=1e-12)


def test_nothing_to_grow_from_is_no_growth(make_outcome: Any, make_study: Any) -> None:
    """A share token without supply, or with less than any token's smallest part, is not diluted without bound."""
    outcome = make_outcome({"calm": 1.0}, paths=3).with_columns(share_supply_start=[0.0, 5e-324, 1.0], share_supply_end=[5.0, 5.0, 1.5])
    np.testing.assert_allclose(MEASURES["dilution"].values(sample(outcome, make_study({"calm": 1.0}))), [0.0, 0.0, 0.5])


def test_no_collateral_no_yield(make_outcome: Any, make_study: Any) -> None:
    """A state without collateral is an error, not an infinite yield."""
    outcome = make_outcome({"calm": 1.0}, paths=2).with_columns(collateral_start_usd=0.0)
    with pytest.raises(AmoOptError, match=r"collateral_start_usd is 0\.0"):
        yield_terms(sample(outcome, make_study({"calm": 1.0})))
