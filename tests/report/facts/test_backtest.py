"""What a replay says, from series whose answers are known."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amo_opt.report.facts.backtest import Demand, document, facts_of, slope_ols, slope_origin, validity_page
from amo_opt.simulation.backtest import backtest
from amo_opt.stress.history import episode_names

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def run(frax):
    return backtest(frax, episode="svb-2023", paths=4)


def made(run, price):
    """The replay with that price of shape (hours,) on its first path, its double deviation on the others."""
    series = np.repeat(price[:, None], run.paths, axis=1)
    return replace(run, series={**run.series, "price": series})


def told(run):
    return {each.name: each for each in facts_of(run).summary}


def test_a_price_that_is_usdcs_has_slope_one(run):
    """Slope 1 both ways, correlation 1, and no spread between paths."""
    found = told(made(run, run.drivers["usdc"]))
    for name in ("slope_origin", "slope_ols", "correlation"):
        assert found[name].model == pytest.approx(1.0, abs=1e-12)
        assert found[name].interval == pytest.approx((1.0, 1.0), abs=1e-12)


def test_a_price_that_stays_at_one_is_as_good_as_a_constant(run):
    """Slope 0, a correlation that cannot be had, a residual of exactly the constant's, and the demands of March missed by their distance."""
    facts = facts_of(made(run, np.ones(run.history.hours)))
    found = {each.name: each for each in facts.summary}
    assert found["slope_origin"].model == 0.0
    assert found["correlation"].model is None
    assert found["residual_rmse"].model == pytest.approx(found["residual_rmse"].real, rel=1e-12)
    assert found["hours_below_099"].model == 0.0
    assert [each.met for each in facts.demands[:1]] == [False]
    assert facts.demands[0].missed_by == pytest.approx(0.95)


def test_a_price_as_recorded_has_no_misfit(run):
    """RMSE 0 and a low that is the record's."""
    real = run.history.real["price"]
    facts = facts_of(made(run, np.interp(np.arange(run.history.hours), real.hours, real.values)))
    fit = next(each for each in facts.columns if each.name == "price")
    assert (fit.rmse, fit.n) == (0.0, real.hours.size)
    low = next(each for each in facts.summary if each.name == "price_low")
    assert low.model == low.real == 0.877117


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
    earlier = replace(supply, hours=np.concatenate([[0], supply.hours]), values=np.concatenate([[run.start["supply"]], supply.values]))
    history = replace(run.history, real={**run.history.real, "supply": earlier})
    fits = {each.name: each for each in facts_of(replace(run, history=history)).columns}
    assert fits["supply"].hours == tuple(supply.hours.tolist())


def test_pool_share_needs_both_sides_at_one_hour(frax):
    """Each share is stable / (stable + base) of the hour."""
    facts = facts_of(backtest(frax, episode="ust-contagion-2022", paths=2))
    fits = {each.name: each for each in facts.columns}
    expected = [x / (x + y) for x, y in zip(fits["pool_stable"].real, fits["pool_base"].real, strict=True)]
    assert fits["pool_share"].real == pytest.approx(expected)
    assert len(facts.demands) == 6


def test_the_document_is_json_with_every_key(run):
    """No NaN, no infinity; each summary figure has model, real and model_interval."""
    found = json.loads(json.dumps(document(facts_of(run)), allow_nan=False))
    assert {"schema", "episode", "start", "columns", "summary", "notes", "demands"} <= set(found)
    assert (found["schema"], found["episode"], found["start"]) == (1, "svb-2023", "2023-03-10T22:00:00Z")
    names = {"price_low", "hours_below_099", "slope_origin", "slope_ols", "correlation", "residual_rmse", "pool_share", "supply_change"}
    assert set(found["summary"]) == names
    assert all(set(each) == {"model", "real", "model_interval"} for each in found["summary"].values())
    for column in found["columns"].values():
        assert column["n"] == len(column["model"]) == len(column["real"]) == len(column["hours"])


def test_the_page_is_what_the_model_says_now():
    """docs/validity.md is written, never edited: python -m amo_opt.report.facts.backtest writes it anew."""
    from amo_opt import load_study

    study = load_study(ROOT / "studies" / "frax-2022.toml")
    page = validity_page([facts_of(backtest(study, episode=name)) for name in episode_names()])
    assert page == (ROOT / "docs" / "validity.md").read_text(encoding="utf-8")
    for name in episode_names():
        assert f"`{name}`" in page
