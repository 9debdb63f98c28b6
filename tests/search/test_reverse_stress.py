"""Reverse stress: break points known by algebra, their order statistics, and one small real run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amo_opt import load_parameters, load_study
from amo_opt.errors import AmoOptError
from amo_opt.search import reverse_stress as module
from amo_opt.search.reverse_stress import bisect, failures, order_statistic, reverse_stress, run_capacity

STUDIES = Path(__file__).parents[2] / "studies"


def found(breaks, *, rounds=6):
    """Break points of paths that fail the price past their own size."""
    breaks = np.asarray(breaks)
    return bisect(lambda size: {"price": size > breaks}, stress="run", unit="", largest=1.0, rounds=rounds)


def test_each_path_is_bracketed_at_its_own_break_point():
    """The point is the largest grid size at or below the truth; dead and unbroken paths are counted, not bisected."""
    truth = np.array([0.1, 0.33, 0.5, 0.77, 2.0, -1.0])
    each = found(truth)
    assert np.array_equal(each.points, np.clip(np.floor(truth * 64), 0, 64) / 64)
    assert (each.dead_at_zero, each.unbroken, each.violations, each.reasons) == (1, 1, 0, {"price": 5})


def test_the_condition_that_breaks_first_is_the_one_at_the_smallest_failing_size():
    """Price fails past 0.3 and coverage past 0.6: the price breaks first on every path."""
    each = bisect(
        lambda size: {"price": np.full(4, size > 0.3), "cr_external": np.full(4, size > 0.6)}, stress="run", unit="", largest=1.0, rounds=5
    )
    assert each.reasons == {"price": 4, "cr_external": 0}


def test_a_path_that_comes_back_at_a_larger_size_is_counted():
    """Failing only between 0.4 and 0.6 and past 0.9 is not monotone; its neighbour is."""
    each = bisect(
        lambda size: {"price": np.array([0.4 < size < 0.6 or size > 0.9, size > 0.7])}, stress="run", unit="", largest=1.0, rounds=5
    )
    assert each.violations == 1


def test_order_statistics_of_known_points():
    """Of 1..100 half survive 51 and 95 survive 6; binomial(100, 1/2) puts the interval at the 40th and 61st."""
    half = order_statistic(np.arange(1.0, 101.0), share=0.5, largest=200.0)
    most = order_statistic(np.arange(1.0, 101.0), share=0.95, largest=200.0)
    assert (half.value, half.interval, half.n) == (51.0, (40.0, 61.0), 100)
    assert most.value == 6.0
    assert most.interval[0] <= 6.0 <= most.interval[1]


def test_too_few_paths_leave_the_lower_end_open():
    """Eight paths cannot bound the size that 95% survive from below."""
    assert order_statistic([0.5] * 8, share=0.95, largest=1.0).interval[0] == 0.0


def test_a_real_set_breaks_later_on_price_alone():
    """Fewer conditions, a larger run, path by path; two calls and two workers agree."""
    study, parameters = load_study(STUDIES / "frax-2022.toml"), load_parameters(STUDIES / "parameters" / "frax-current.toml")
    whole = reverse_stress(parameters, study, stresses=["run"], paths=4, rounds=3)
    capacity = run_capacity(parameters, study, paths=4, rounds=3, workers=2)
    assert np.array_equal(whole.run_capacity.points, capacity.points)
    assert np.all(capacity.points >= whole.breaking[0].points)
    assert 0.0 < whole.breaking[0].half.value < 0.95


def test_the_three_stresses_reach_the_market(monkeypatch):
    """Each stress changes what the paths see: the conditions' columns are not those of size 0."""
    study, parameters = load_study(STUDIES / "frax-2022.toml"), load_parameters(STUDIES / "parameters" / "frax-current.toml")
    kept = []
    real = module.simulate
    monkeypatch.setattr(module, "simulate", lambda *args, **names: kept.append(real(*args, **names)) or kept[-1])
    for stress, size in (("run", 0.5), ("depeg", 0.3), ("freeze", 30.0)):
        for each in (0.0, size):
            failures(parameters, study, stress=stress, size=each, paths=2)
        calm, hit = kept[-2].columns, kept[-1].columns
        assert any(not np.array_equal(calm[name], hit[name]) for name in calm), stress


def test_against_a_dollar_a_depeg_breaks_early():
    """Where the study measures against a dollar, a USDC depeg is a shortfall; against the reference it moves with USDC."""
    study, parameters = load_study(STUDIES / "frax-2022.toml"), load_parameters(STUDIES / "parameters" / "frax-current.toml")
    dollar = replace(study, simulation=replace(study.simulation, peg_reference="dollar"))
    against = [reverse_stress(parameters, each, stresses=["depeg"], paths=2, rounds=4).breaking[0] for each in (study, dollar)]
    assert against[0].half.value == 0.5
    assert against[1].half.value < 0.1
    assert against[1].reasons["price"] == 2


def test_without_amos_a_smaller_run_breaks_the_price():
    """A set that may hold and mint nothing in its venues cannot take stablecoin out of the pool while holders leave."""
    study, parameters = load_study(STUDIES / "frax-2022.toml"), load_parameters(STUDIES / "parameters" / "frax-current.toml")
    none = parameters.replace(curve_collateral_cap=0.0, curve_mint_cap=0.0, aave_cap=0.0, idle_buffer=0.9)
    capacity = [run_capacity(each, study, paths=8, rounds=4) for each in (parameters, none)]
    assert np.mean(capacity[1].points) < np.mean(capacity[0].points)


def test_bad_input_is_one_message():
    """An unknown stress and no rounds say what is allowed."""
    study, parameters = load_study(STUDIES / "frax-2022.toml"), load_parameters(STUDIES / "parameters" / "frax-current.toml")
    with pytest.raises(AmoOptError, match="unknown stress 'quake'; known: run, depeg, freeze"):
        reverse_stress(parameters, study, stresses=["quake"])
    with pytest.raises(AmoOptError, match="rounds = 0"):
        found([0.5], rounds=0)
