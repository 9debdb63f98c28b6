"""What a replay comes to, from series whose answers are known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from amo_opt.scoring.replay import Demand
from amo_opt.scoring.replayed import episode_fits, fit_of, slope_ols, slope_origin
from amo_opt.simulation.backtest import backtest
from amo_opt.stress.history import episode_names, folded
from tests.quiet import without_spells


@pytest.fixture(scope="module")
def run(frax):
    return backtest(without_spells(frax), episode="svb-2023", paths=32)


def made(run, price):
    """The replay with that price of shape (hours,) on every path, by the pool and by the oracle, at a venue that has no noise of its own."""
    series = np.repeat(price[:, None], run.paths, axis=1)
    return replace(run, series={**run.series, "price": series, "oracle": series}, venue=np.zeros_like(series))


def told(run):
    return {each.name: each for each in fit_of(run).summary}


def test_a_price_that_is_usdcs_has_slope_one(run):
    """Slope 1 both ways, correlation 1, and no spread between paths."""
    found = told(made(run, run.drivers["usdc"]))
    for name in ("slope_origin", "slope_ols", "correlation"):
        assert found[name].model == pytest.approx(1.0, abs=1e-12)
        assert found[name].interval == pytest.approx((1.0, 1.0), abs=1e-12)


def test_a_price_that_stays_at_one_is_as_good_as_a_constant(run):
    """Slope 0, a correlation that cannot be had, a residual of exactly the constant's, and the demands of March missed by their distance."""
    fit = fit_of(made(run, np.ones(run.history.hours)))
    found = {each.name: each for each in fit.summary}
    assert found["slope_origin"].model == 0.0
    assert found["correlation"].model is None
    assert found["residual_rmse"].model == pytest.approx(found["residual_rmse"].real, rel=1e-12)
    assert found["hours_below_099"].model == 0.0
    assert [each.met for each in fit.demands[:1]] == [False]
    assert fit.demands[0].missed_by == pytest.approx(0.95)


def test_a_price_as_recorded_has_no_misfit(run):
    """RMSE 0 and a low that is the record's."""
    real = run.history.real["oracle"]
    fit = fit_of(made(run, np.interp(np.arange(run.history.hours), real.hours, real.last)))
    price = next(each for each in fit.columns if each.name == "oracle")
    assert (price.rmse, price.n) == (0.0, real.hours.size)
    low = next(each for each in fit.summary if each.name == "price_low")
    assert low.model == low.real == 0.877117


@pytest.mark.parametrize("inner", [(0.9, 0.999), (0.999, 0.9)])
def test_a_trough_between_two_rows_of_an_hour_counts(run, inner):
    """Lowest price and hours below 0.99 are those of the hours' lows; the hours after it run from where it was left; the fit is against the
    hour's mean, once.
    """
    price = folded(np.array([0, 1, 1, 4]), np.array([1.0, *inner, 1.0]))
    history = replace(run.history, episode=None, real={"price": price}, drivers={})
    fit = fit_of(replace(made(run, np.ones(run.history.hours)), history=history, drivers={}))
    found = {each.name: each for each in fit.summary}
    assert found["price_low"].real == 0.9
    assert found["hours_below_099"].real == (1.0 if inner[1] > 0.99 else 3.0)
    (column,) = fit.columns
    assert (column.hours, column.real) == ((0, 1, 4), (1.0, pytest.approx(0.9495), 1.0))
    assert column.rmse == pytest.approx(0.0505 / math.sqrt(3))
    assert found["residual_rmse"].model == pytest.approx(column.rmse)


def test_a_coins_lows_are_set_against_the_lows(run):
    """A price that falls with USDC within an hour has the slope 1 whichever row comes first."""
    rows = np.array([0, 1, 1, 2]), np.array([1.0, 0.999, 0.9, 0.95])
    drivers = {"usdc": np.array([1.0, 0.9, 0.95])}
    history = replace(run.history, episode=None, hours=3, real={"price": folded(*rows)}, drivers=drivers)
    fit = fit_of(replace(made(run, drivers["usdc"]), history=history, drivers=drivers))
    slope = next(each for each in fit.summary if each.name == "slope_origin")
    assert (slope.real, slope.model) == (pytest.approx(1.0), pytest.approx(1.0))


def test_slopes_by_hand():
    """y = 2 x + 1: OLS gives 2; through the origin Σxy/Σx² = (3 + 10) / 5."""
    by = np.array([1.0, 2.0])
    of = np.array([[3.0], [5.0]])
    assert slope_ols(by, of) == pytest.approx([2.0])
    assert slope_origin(by, of) == pytest.approx([13.0 / 5.0])


def test_a_demand_is_missed_by_its_distance():
    """Within limits 0; beyond, the distance to the nearer; NaN is not met."""
    assert (Demand("", 0.97, None, 0.95, 1.05).met, Demand("", 0.97, None, 0.95, 1.05).missed_by) == (True, 0.0)
    assert Demand("", 1.15, None, 0.95, 1.05).missed_by == pytest.approx(0.1)
    assert Demand("", 0.5, None, 0.9, math.inf).missed_by == pytest.approx(0.4)
    assert not Demand("", math.nan, None, 0.95, 1.05).met


def test_balances_of_hour_zero_are_not_compared(run):
    """They are the start: a comparison would always be perfect."""
    supply = run.history.real["supply"]
    earlier = folded(np.concatenate([[0], supply.hours]), np.concatenate([[run.start["supply"]], supply.last]))
    history = replace(run.history, real={**run.history.real, "supply": earlier})
    fits = {each.name: each for each in fit_of(replace(run, history=history)).columns}
    assert fits["supply"].hours == tuple(supply.hours.tolist())


def test_pool_share_needs_both_sides_at_one_hour(frax):
    """Each share is stable / (stable + base) of the hour."""
    fit = fit_of(backtest(frax, episode="ust-contagion-2022", paths=2))
    fits = {each.name: each for each in fit.columns}
    expected = [x / (x + y) for x, y in zip(fits["pool_stable"].real, fits["pool_base"].real, strict=True)]
    assert fits["pool_share"].real == pytest.approx(expected)
    assert len(fit.demands) == 6


def test_every_shipped_episode_is_replayed_under_the_set_given(frax):
    """As many fits as episodes, of that many paths; two workers give the same; another set gives another fit."""
    found = episode_fits(frax, frax.current, paths=2)
    assert tuple(each.name for each in found) == episode_names()
    assert {each.paths for each in found} == {2}
    assert all(each.demands for each in found)
    assert episode_fits(frax, frax.current, paths=2, workers=2) == found
    other = episode_fits(frax, frax.current.replace(curve_mint_cap=0.0), paths=2)
    assert [each.columns for each in other] != [each.columns for each in found]


def test_an_episodes_balance_stands_against_the_studys_and_is_said(frax):
    """A study whose state is set beside an episode's own figures is replayed with the episode's, and the notes name them."""
    study = replace(frax, state_set=("pool.stablecoin", "markets.hazard_price"))
    for fit in episode_fits(study, frax.current, paths=1):
        assert "pool.stablecoin: as the episode holds, not as the study sets ([state] set)" in fit.notes
