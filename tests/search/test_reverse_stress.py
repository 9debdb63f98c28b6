"""Reverse stress: small real runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amo_opt import load_parameters, load_study
from amo_opt.errors import AmoOptError
from amo_opt.search import reverse_stress as module
from amo_opt.search.break_points import bisect
from amo_opt.search.reverse_stress import LARGEST, UNITS, failures, paid_shares, reverse_stress, run_capacities
from amo_opt.simulation.engine import trace

STUDIES = Path(__file__).parents[2] / "studies"


def capacity_breaking(parameters, study, *, paths, rounds, workers=1):
    """The break points of a run where the price alone counts, every path run at every size that any of them asks for."""

    def evaluate(size):
        return {"price": failures(parameters, study, stress="run", size=size, paths=paths, workers=workers)["price"]}

    return bisect(evaluate, stress="run", unit=UNITS["run"], largest=LARGEST["run"], rounds=rounds)


def test_a_real_set_breaks_later_on_price_alone():
    """Fewer conditions, a larger run, path by path; two calls and two workers agree."""
    study, parameters = load_study(STUDIES / "frax-2022.toml"), load_parameters(STUDIES / "parameters" / "frax-current.toml")
    whole = reverse_stress(parameters, study, stresses=["run"], paths=4, rounds=3)
    capacity = capacity_breaking(parameters, study, paths=4, rounds=3, workers=2)
    assert np.array_equal(whole.run_capacity.points, capacity.points)
    assert np.all(capacity.points >= whole.breaking[0].points)
    assert 0.0 < whole.breaking[0].half.value <= 0.95


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
    study = replace(study, constraints=replace(study.constraints, min_external_cr=0.0))  # cover falls with the coin, whatever the reference
    dollar = replace(study, simulation=replace(study.simulation, peg_reference="dollar"))
    against = [reverse_stress(parameters, each, stresses=["depeg"], paths=2, rounds=4).breaking[0] for each in (study, dollar)]
    assert against[0].half.value == 0.5
    assert against[1].half.value < 0.1
    assert against[1].reasons["price"] == 2


def test_without_amos_a_smaller_run_breaks_the_price():
    """A set that may hold and mint nothing in its venues cannot take stablecoin out of the pool while holders leave."""
    study, parameters = load_study(STUDIES / "frax-2022.toml"), load_parameters(STUDIES / "parameters" / "frax-current.toml")
    none = parameters.replace(curve_collateral_cap=0.0, curve_mint_cap=0.0, aave_cap=0.0, idle_buffer=0.9)
    capacity = [capacity_breaking(each, study, paths=8, rounds=4) for each in (parameters, none)]
    assert np.mean(capacity[1].points) < np.mean(capacity[0].points)


def test_who_sets_out_is_not_who_is_paid():
    """A larger run pays out more, nobody more than sets out beside calm's sellers; without a run only they are paid. Two workers agree."""
    study, parameters = load_study(STUDIES / "frax-2022.toml"), load_parameters(STUDIES / "parameters" / "frax-current.toml")
    none, half = (paid_shares(parameters, study, size=size, paths=20) for size in (0.0, 0.5))
    assert np.all(none >= 0.0)
    assert np.all(half > none)
    # calm's sellers sell beside the run, but of fewer holders, so together they are no more than both alone
    assert np.all(half <= 0.5 + none + 0.02)
    assert np.array_equal(paid_shares(parameters, study, size=0.5, paths=20, workers=2), half)


def test_what_is_paid_is_what_the_queue_did_not_keep(frax):
    """With redemptions and the pool in the state of the day, who sells is sold, redeemed or still waits: nothing is lost, hour by hour."""
    shaped = replace(frax, scenarios=(module.stressed("run", 0.9, frax),), simulation=replace(frax.simulation, window_hours=96))
    names = ("paid_out", "queue", "external_supply")
    series = trace(frax.current, shaped, scenario="break-run", paths=4, stream=module.STREAM, columns=names)
    onset = frax.simulation.transition_hours + 72
    assert np.all(series["paid_out"] >= 0.0)
    by_hand = sum(series["paid_out"][onset + hour] for hour in range(24)) / series["external_supply"][onset - 1]
    assert paid_shares(frax.current, frax, size=0.9, paths=4) == pytest.approx(by_hand)


def test_the_capacity_of_a_certification_is_breaks_own(frax):
    """Size and payout with their order statistics: what `break` finds at 95% of the same paths."""
    whole = reverse_stress(frax.current, frax, stresses=[], paths=30)
    (found,) = run_capacities([frax.current], frax, paths=30, workers=2)
    assert (found.value.value, found.value.low, found.value.high, found.value.n) == (
        whole.run_capacity.most.value,
        *whole.run_capacity.most.interval,
        30,
    )
    assert (found.paid.value, found.paid.low, found.paid.high) == (whole.paid[1].value, *whole.paid[1].interval)
    assert found.value.low == 0.0
    assert 0.0 < found.paid.value < 1.0


def test_bad_input_is_one_message():
    """An unknown stress and no rounds say what is allowed."""
    study, parameters = load_study(STUDIES / "frax-2022.toml"), load_parameters(STUDIES / "parameters" / "frax-current.toml")
    with pytest.raises(AmoOptError, match="unknown stress 'quake'; known: run, depeg, freeze"):
        reverse_stress(parameters, study, stresses=["quake"])
    with pytest.raises(AmoOptError, match="rounds = 0"):
        bisect(lambda size: {"price": np.array([size > 0.5])}, stress="run", unit="", largest=1.0, rounds=0)


def test_it_stands_on_the_studys_own_calm(frax):
    """What the study sets of its calm holds under every stress: of a coin in another unit the catalogue's volumes and gas would be millions of it."""
    calm = next(each for each in frax.scenarios if each.name == "calm")
    small = replace(calm, settings={**calm.settings, "swap_volume_day": 100.0, "gas_gwei": 15.0})
    study = replace(frax, scenarios=(small, *(each for each in frax.scenarios if each is not calm)))
    for stress in ("run", "depeg", "freeze"):
        found = module.stressed(stress, 0.1, study).settings
        assert (found["swap_volume_day"], found["gas_gwei"]) == (100.0, 15.0)
        assert module.stressed(stress, 0.1, replace(frax, scenarios=frax.scenarios[1:])) == module.stressed(stress, 0.1, frax)
