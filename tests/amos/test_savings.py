"""The savings vault: what is paid by algebra, deposits that follow the rate, savers who stay, a slow twin, its books in any composition, and nothing where nobody speaks of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amo_opt.amos.layout import LINES
from amo_opt.amos.savings import paid_of
from amo_opt.config.load import load_study
from amo_opt.config.overrides import with_figure
from amo_opt.config.study import Study
from amo_opt.protocol.state import Figure
from amo_opt.simulation.engine import simulate, trace
from amo_opt.stress.catalogue import load_scenario

STUDIES = Path(__file__).parents[2] / "studies"


def put(study: Study, **figures: float) -> Study:
    """The study with these figures of the vault; those of how savers behave stand in ``[markets]``."""
    state = study.state
    for name, value in figures.items():
        of = "markets" if name.startswith("savings_") else "amos.savings"
        state = with_figure(state, f"{of}.{name}", Figure(value=value, assumed="a test's", low=value, high=value))
    return replace(study, state=replace(state, absent=state.absent - {"amos.savings"}))


def saved(*names: str, share: float = 1.0, rate: float = 0.0, hours: int = 240, **figures: float) -> Study:
    """The smallest study with 10m in a vault that pays 5%, in some scenarios."""
    study = put(load_study(STUDIES / "minimal.toml"), **({"deposited": 10e6, "rate": 0.05, "benchmark": 0.05} | figures))
    scenarios = tuple(
        load_scenario(
            name,
            weight=1.0,
            settings={"swap_volume_day": 3e6, "base_coins": 1.0} | ({} if name == "calm" else {"onset_day_low": 1, "onset_day_high": 2}),
        )
        for name in names
    )
    study = replace(study, current=study.current.replace(savings_income_share=share, savings_rate=rate), scenarios=scenarios)
    return replace(study, simulation=replace(study.simulation, transition_hours=24, window_hours=hours))


def test_what_is_paid() -> None:
    """The promise as far as the share of income goes; nothing of a loss; what is beyond it where the policy says so."""
    assert paid_of(100.0, 1000.0, 0.2, 0.0) == 100.0
    assert paid_of(100.0, 400.0, 0.2, 0.0) == 80.0
    assert paid_of(100.0, -400.0, 0.2, 0.0) == 0.0
    assert paid_of(100.0, 400.0, 0.2, 1.0) == 100.0
    assert paid_of(100.0, 400.0, 0.2, 0.5) == 90.0


def test_a_rate_that_is_paid_whatever_the_income_compounds() -> None:
    """5% on 10m for 240 hours: supply and deposits grow by exactly that, and the line is its cost."""
    study = saved("calm", share=0.0, beyond_income=1.0, savings_hours=1e5)
    found = trace(study.current, study, scenario="calm", paths=4, columns=("savings_deposits", "income_savings"))
    grown = (1 + 0.05 / 8760) ** np.arange(1, 265)
    assert found["savings_deposits"][:, 0] == pytest.approx(
        10e6 * grown, rel=2e-4
    )  # and a little of the way to what holders would have there
    cost = simulate(study.current, study, paths=4).paths["income_savings_usd"]
    assert cost.to_numpy() == pytest.approx(-10e6 * ((1 + 0.05 / 8760) ** 240 - 1), rel=1e-3)


@pytest.mark.parametrize("share", [0.1, 0.2, 1.0])
def test_never_more_than_the_share_of_income(share: float) -> None:
    """A promise of 50%: what is paid over the window is the share of all that the AMOs earned in it, path by path."""
    study = saved("calm", "fast-run", share=share, rate=0.45)
    frame = simulate(study.current, study, paths=8).paths
    earned = frame["income_lending_usd"] + frame["income_swap_fees_usd"]
    assert (-frame["income_savings_usd"]).to_numpy() == pytest.approx((share * earned).to_numpy(), rel=1e-9)


def test_deposits_follow_the_rate(lanes: Callable[..., Any], frax: Study) -> None:
    """Two points more at an elasticity of 20: 40% more, nine tenths of the way in 2.3 time constants; a part of it bought."""
    study = put(frax, deposited=50e6, rate=0.05, savings_elasticity=20.0, savings_hours=24.0, savings_bought=0.5)
    block = lanes(study)
    block["savings.rate"] = 0.07
    flow = 0.0
    for _ in range(56):
        block["borrower_flow"] = 0.0
        block.run("savings_market_operations")
        flow += block["borrower_flow"]
    assert block["savings.deposits"] == pytest.approx(50e6 * (1 + 0.4 * (1 - math.exp(-56 / 24))), rel=1e-9)
    assert flow == pytest.approx(-0.5 * (block["savings.deposits"] - 50e6), rel=1e-9)


def test_savers_who_stay_leave_fewer_to_run() -> None:
    """Most of the coin in the vault: the less of the hazard savers take, the less supply is gone at the end of the same run."""
    left = []
    for run in (1.0, 0.5, 0.0):
        study = saved("fast-run", deposited=25e6, savings_run=run)
        left.append(float(simulate(study.current, study, paths=16).paths["supply_end"].mean()))
    assert left[0] < left[1] < left[2]


quick = settings(max_examples=200, deadline=None, derandomize=True)


@quick
@given(
    deposits=st.floats(0.0, 2e9),
    rate=st.floats(0.0, 1.0),
    earned=st.floats(-1e6, 1e6),
    leaving=st.floats(0.0, 0.5),
    queue=st.floats(0.0, 1e9),
    share=st.floats(0.0, 1.0),
    promised=st.floats(-0.2, 0.5),
    beyond=st.floats(0.0, 1.0),
    run=st.floats(0.0, 1.0),
    bought=st.floats(0.0, 1.0),
    elasticity=st.floats(0.0, 200.0),
)
def test_the_stages_are_their_twin(
    frax: Study,
    deposits: float,
    rate: float,
    earned: float,
    leaving: float,
    queue: float,
    share: float,
    promised: float,
    beyond: float,
    run: float,
    bought: float,
    elasticity: float,
) -> None:
    """One hour of any vault, in words, and its books: NAV falls by what is paid and by nothing else."""
    behaviour = {
        "savings_run": run,
        "savings_bought": bought,
        "savings_elasticity": elasticity,
        "savings_hours": 100.0,
        "savings_rate_hours": 50.0,
    }
    study = put(frax, deposited=100e6, rate=0.04, benchmark=0.03, beyond_income=beyond, **behaviour)
    block = BLOCK[0](study)
    block.parameter(savings_rate=promised, savings_income_share=share)
    block["savings.deposits"], block["savings.rate"] = deposits, rate
    block["queue"] = queue
    supply, own, x, elsewhere = block["supply"], block["own"], block["pool_x"], block["own_outside"]
    start_external = supply - own * x - elsewhere
    block["borrower_flow"] = block["staying"] = 0.0
    block.run("savings_market_operations")
    wanted = 100e6 / start_external * min(10.0, max(0.0, 1 + elasticity * (rate - 0.04))) * (supply - own * x - elsewhere)
    after = min(deposits + (1 - math.exp(-1 / 100)) * (wanted - deposits), max(0.0, 0.95 * (supply - x - elsewhere - queue)))
    assert block["savings.deposits"] == pytest.approx(after, rel=1e-9, abs=1e-3)
    assert block["borrower_flow"] == pytest.approx(-bought * (after - deposits), rel=1e-9, abs=1e-3)
    assert block["staying"] == pytest.approx((1 - run) * after, rel=1e-9, abs=1e-3)
    block["leaving"], block["earned"] = leaving, earned
    block.settle()
    start, booked = block.nav(), block.booked()
    block.run("savings_operate")
    left = after * (1 - run * leaving)
    asked = left * max(0.0, 0.03 + promised) / 8760
    covered = min(asked, max(0.0, share * earned))
    paid = covered + beyond * (asked - covered)
    assert block["savings.deposits"] == pytest.approx(left + paid, rel=1e-9, abs=1e-3)
    assert block["supply"] - supply == pytest.approx(paid, rel=1e-6, abs=1e-5)
    assert block.nav() - start == pytest.approx(-paid, abs=1e-4)
    assert block.booked() - booked == pytest.approx(-paid, rel=1e-9, abs=1e-6)
    now = paid * 8760 / left if left > 0 else 0.0
    assert block["savings.rate"] == pytest.approx(rate + (1 - math.exp(-1 / 50)) * (now - rate), rel=1e-6, abs=1e-9)


BLOCK: list[Callable[..., Any]] = []


@pytest.fixture(autouse=True)
def _block(lanes: Callable[..., Any]) -> None:
    """Where a property's examples find what builds a block."""
    BLOCK[:] = [lanes]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    deposited=st.floats(0.0, 30e6),
    rate=st.floats(0.0, 0.3),
    promised=st.floats(-0.1, 0.5),
    share=st.floats(0.0, 1.0),
    beyond=st.floats(0.0, 1.0),
    run=st.floats(0.0, 1.0),
    bought=st.floats(0.0, 1.0),
    elasticity=st.floats(0.0, 100.0),
    name=st.sampled_from(["calm", "fast-run", "svb-2023", "lp-flight"]),
)
def test_the_books_hold_in_any_composition(
    deposited: float, rate: float, promised: float, share: float, beyond: float, run: float, bought: float, elasticity: float, name: str
) -> None:
    """Σ income + Σ capital = ΔNAV to 1e-9 of supply, deposits never below 0 nor above what there is."""
    behaviour = {"savings_run": run, "savings_bought": bought, "savings_elasticity": elasticity}
    study = put(saved(name, share=share, rate=promised, deposited=deposited, beyond_income=beyond, **behaviour), rate=rate)
    frame = simulate(study.current, study, paths=4).paths
    moved = frame["nav_end_usd"] - frame["nav_start_usd"]
    booked = sum(frame[f"{line}_usd"] for line in LINES)
    assert np.allclose(booked, moved, rtol=1e-9, atol=1e-9 * 50e6)
    found = trace(study.current, study, scenario=name, paths=4, columns=("savings_deposits", "supply"))
    assert (found["savings_deposits"] >= 0.0).all()
    assert (found["savings_deposits"] <= found["supply"]).all()


def test_without_deposits_and_share_it_is_not_there() -> None:
    """Bit for bit the study that has no such table, whatever is promised."""
    empty = saved("calm", "fast-run", share=0.0, rate=0.3, deposited=0.0, savings_elasticity=50.0, savings_bought=1.0, savings_run=0.0)
    without = replace(empty, state=replace(empty.state, absent=empty.state.absent | {"amos.savings"}))
    one, other = (simulate(each.current, each, paths=8).columns for each in (empty, without))
    assert all(np.array_equal(one[name], other[name]) for name in one)
