"""Borrowers' debt: interest, what they take and repay, by algebra and against a slow twin; books, cover, scale, and that it is nothing where nobody owes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import MISSING, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amo_opt.amos.borrowers import asked_at, wanted_change, within
from amo_opt.amos.layout import LINES, STATE_INDEX
from amo_opt.config.cautions import cautions_of
from amo_opt.config.load import load_study, validate_file
from amo_opt.config.overrides import with_figure
from amo_opt.config.schema import figures_by_name
from amo_opt.config.study import Study
from amo_opt.protocol.lanes import LANES
from amo_opt.protocol.state import Figure
from amo_opt.scoring.score import point_score
from amo_opt.simulation.engine import draw, simulate, trace
from amo_opt.simulation.floor_supply import BalanceSheet
from amo_opt.simulation.kernel import run_block
from amo_opt.simulation.pack import constants, parameter_vector, start_state
from amo_opt.stress.catalogue import load_scenario
from amo_opt.stress.draws import draw_inputs, moving_inputs, noises_of
from amo_opt.stress.settings import SETTINGS

FOLDER = Path(__file__).parent / "data" / "crvusd"
HOUR = 1.0 / 8760.0


@pytest.fixture(scope="module")
def crvusd() -> Study:
    """Pool, keeper, borrowers and policy of an issuer without doors or collateral."""
    return load_study(FOLDER / "study.toml")


def figured(study: Study, **values: float) -> Study:
    """The study with figures of the state at other values, ``amos__borrowers__debt = …``."""
    state = study.state
    for name, value in values.items():
        figure = Figure(value=value, assumed="a test's", low=value, high=value)
        state = with_figure(state, name.replace("__", "."), figure)
    return replace(study, state=state)


def alone(study: Study) -> Study:
    """Without policy and keeper: the rate is the snapshot's for good."""
    gone = {"amos.monetary_policy", "amos.peg_keeper"}
    held = figured(study, amos__peg_keeper__minted=0.0, amos__peg_keeper__lp_share=0.0)
    state = replace(held.state, absent=held.state.absent | gone)
    return replace(held, state=state, current=study.current.replace(policy_rate0=0.0, peg_keeper_ceiling=0.0))


def quiet(block: Any, **constants: float) -> Any:
    """Borrowers who answer to nothing but what is named."""
    silent = {"elasticity": 0.0, "semi_elasticity": 0.0, "peg_response": 0.0, "peg_limit": 1.0, "ceiling": 1e12, "follows": 0.0} | constants
    block.constant(**{f"borrowers.{name}": value for name, value in silent.items()})
    block["borrowers.asked"] = 1.0
    block["borrower_flow"] = 0.0
    return block


# -- closed forms ------------------------------------------------------------------------------------------------------------------------


def test_an_hours_interest_is_owed_minted_and_kept(lanes: Callable[..., Any], crvusd: Study) -> None:
    """8.76% a year on 100m are 1,000 an hour: owed, minted, held by the protocol as its own, its income, and nobody buys or sells for it."""
    block = quiet(lanes(alone(crvusd)), fixed_rate=0.0876)
    block["borrowers.debt"] = block["borrowers.level"] = 100e6
    before = {name: block[name] for name in ("supply", "own_outside", "owed", "recoverable")}
    nav = block.nav()
    block.run("borrowers_market_operations")
    for name, value in before.items():
        assert block[name] - value == pytest.approx(1000.0, rel=1e-6), name
    assert block["borrowers.debt"] == pytest.approx(100e6 + 1000.0, rel=1e-15)
    assert block["borrowers.level"] == pytest.approx(100e6 + 1000.0, rel=1e-15)
    assert block["income_borrowers"] == pytest.approx(1000.0, rel=1e-12)
    assert block["borrower_flow"] == 0.0
    block.settle()
    assert block.nav() - nav == pytest.approx(1000.0, rel=1e-6)


@pytest.mark.parametrize("kept", [0.0, 0.25, 1.0])
def test_interest_that_is_not_kept_circulates(lanes: Callable[..., Any], crvusd: Study, kept: float) -> None:
    """Of 1,000 minted the protocol holds its part and earns it; the rest is the holders', and no income."""
    block = quiet(lanes(alone(crvusd)), fixed_rate=0.0876)
    block["borrowers.debt"] = block["borrowers.level"] = 100e6
    block.parameter(borrowers_interest_kept=kept)
    supply = block["supply"]
    block.run("borrowers_market_operations")
    assert block["supply"] - supply == pytest.approx(1000.0, rel=1e-6)
    assert block["own_outside"] == block["own_at_floor"] == block["own_counted"] == pytest.approx(1000.0 * kept, rel=1e-9)
    assert block["income_borrowers"] == pytest.approx(1000.0 * kept, rel=1e-9)


def test_debt_answers_to_the_mean_rate_as_one_over_it() -> None:
    """Demand for debt is in proportion to 1 / (1 + elasticity · rate): from 10% to 20% at an elasticity of 5 it falls by a quarter, at once with the mean."""
    grown = (1.0 + 5.0 * 0.1) / (1.0 + 5.0 * 0.2)
    assert wanted_change(100.0, 75.0, grown, 0.006, 0.0, 0.3, 0.01) == pytest.approx(-25.0)
    assert wanted_change(100.0, 100.0, 1.0, 0.006, 0.0, 0.3, 0.01) == 0.0


def test_interest_turns_where_demand_falls_faster_than_the_rate_rises() -> None:
    """What is asked is D / (1 + ε r) · exp(−κ r). At κ = 0 that is D / (1 + ε r) to the last bit, and r times it rises for ever; else it is highest where 1 / (1 + ε r) = κ r: at 13.7% for 6 and 4."""
    rates = np.linspace(0.0, 1.386, 2773)
    for elasticity in (0.0, 6.0, 15.0):
        asked = np.array([asked_at(1e8, rate, elasticity, 0.0) for rate in rates])
        assert np.array_equal(asked, 1e8 / (1.0 + elasticity * rates))
        assert (np.diff(rates * asked) > 0.0).all()
    interest = np.array([rate * asked_at(1.0, rate, 6.0, 4.0) for rate in rates])
    assert rates[interest.argmax()] == pytest.approx((math.sqrt(1.0 + 24.0 / 4.0) - 1.0) / 12.0, abs=5e-4)
    assert asked_at(1.0, 0.1125, 6.0, 4.0) / asked_at(1.0, 0.0325, 6.0, 4.0) == pytest.approx(0.518, abs=1e-3)


def test_the_gap_to_what_is_wanted_closes_at_the_pace_of_the_memory() -> None:
    """Who owes 10 less than wanted takes a hundredth of it an hour at a weight of 0.01; beyond it, repays as much."""
    assert wanted_change(90.0, 100.0, 1.0, 0.01, 0.0, 0.0, 1.0) == pytest.approx(0.1)
    assert wanted_change(110.0, 100.0, 1.0, 0.01, 0.0, 0.0, 1.0) == pytest.approx(-0.1)


def test_the_price_is_answered_in_proportion_up_to_a_limit() -> None:
    """At 1% below the peg a response of 0.3 repays 0.3% of the debt, at 1% above it takes as much; beyond the limit no more."""
    for off, expected in ((-0.01, -0.3), (0.01, 0.3), (0.0, 0.0), (-0.2, -1.0), (0.2, 1.0)):
        assert wanted_change(100.0, 100.0, 1.0, 0.01, off, 0.3, 0.01) == pytest.approx(expected)


def test_nobody_takes_over_the_ceiling_or_repays_what_is_not_there() -> None:
    """Room and what is outside bound it, neither below 0; a debt over its ceiling by interest takes no more and need not shrink."""
    assert within(10.0, 95.0, 100.0, 50.0) == 5.0
    assert within(10.0, 105.0, 100.0, 50.0) == 0.0
    assert within(-10.0, 105.0, 100.0, 50.0) == -10.0
    assert within(-80.0, 95.0, 100.0, 50.0) == -50.0
    assert within(-80.0, 30.0, 100.0, 50.0) == -30.0
    assert within(-80.0, 30.0, 100.0, -1.0) == 0.0


@pytest.mark.parametrize("supply", [1e9, 63_775_067_000.0, 4_327_123_084.5])
def test_who_repays_with_all_that_is_outside_leaves_what_the_pool_holds(lanes: Callable[..., Any], crvusd: Study, supply: float) -> None:
    """Of a supply ten million times what the pool holds and more: none is missing afterwards, to the last digits of what is left; what rounding leaves outside is the larger supply's."""
    block = quiet(lanes(alone(crvusd)), fixed_rate=0.07)
    pools = np.linspace(100.0, 400.0, LANES)
    block["pool_x"] = pools
    block["supply"] = supply + pools * (1.0 / 3.0)
    block["borrowers.debt"] = block["borrowers.level"] = 2.0 * supply
    block["own_outside"] = block["pooled_outside"] = 0.0
    block.market(**{"borrowers.turn": -0.9})
    block.parameter(borrowers_interest_kept=0.0)
    block.run("borrowers_market_operations")
    left = block.lanes("supply") - pools
    assert (left >= -1e-15 * pools).all()
    assert (left <= 1e-15 * supply).all()


def test_what_is_never_repaid_is_lost(lanes: Callable[..., Any], crvusd: Study) -> None:
    """2% of 100m: debt, cover and NAV fall by 2m, supply does not; nobody borrows it again, and no ratio is above what it was."""
    block = quiet(lanes(alone(crvusd)), fixed_rate=0.0)
    block.market(**{"borrowers.loss": 0.02})
    block.run("collateral_ratios")
    block.settle()
    debt, supply, nav = block["borrowers.debt"], block["supply"], block.nav()
    ratios = {name: block[name] for name in ("cr_external", "cr_contract")}
    block.lose()
    block.settle()
    block.run("collateral_ratios")
    assert block["borrowers.debt"] == block["owed"] == pytest.approx(0.98 * debt)
    assert block["supply"] == supply
    assert block.nav() - nav == pytest.approx(-0.02 * debt)
    assert block["income_venue_losses"] == pytest.approx(-0.02 * debt)
    for name, before in ratios.items():
        assert before - block[name] == pytest.approx(0.02 * debt / supply, rel=0.02), name
    block.run("borrowers_market_operations")
    assert block["borrower_flow"] == pytest.approx(0.0, abs=1e-6)


def test_a_turn_takes_its_share_of_the_debt_for_good(lanes: Callable[..., Any], crvusd: Study) -> None:
    """A tenth given back in one hour: debt, supply and cover fall by it, it is bought, and the next hour nobody takes it again."""
    block = quiet(lanes(alone(crvusd)), fixed_rate=0.0)
    debt, supply = block["borrowers.debt"], block["supply"]
    block.market(**{"borrowers.turn": -0.1})
    block.run("borrowers_market_operations")
    assert block["borrower_flow"] == pytest.approx(-0.1 * debt)
    assert supply - block["supply"] == pytest.approx(0.1 * debt, rel=1e-6)
    assert block["owed"] == block["recoverable"] == block["borrowers.debt"] == pytest.approx(0.9 * debt)
    block.market(**{"borrowers.turn": 0.0})
    block["borrower_flow"] = 0.0
    block.run("borrowers_market_operations")
    assert block["borrower_flow"] == pytest.approx(0.0, abs=1e-6)


# -- a slow twin -------------------------------------------------------------------------------------------------------------------------


def twin(of: dict[str, float], given: dict[str, float]) -> dict[str, float]:
    """One hour of one path in the order in which it is told; what is named is what comes of it."""
    rate = given["fixed_rate"]
    if given["follows"]:
        used = min(0.9999, of["debt"] / given["ceiling"])
        rate = min(43959106799e-18 * 365 * 86400, of["borrow_rate"] * (0.9 + 0.1 / (1 - used)))
    interest = of["debt"] * rate / 8760
    kept = given["kept"] * interest
    mean = (1 - given["weight"]) * of["mean_rate"] + given["weight"] * rate
    asked = given["demand"] / (1 + given["elasticity"] * mean) * math.exp(-min(given["semi_elasticity"] * mean, 50.0))
    more = asked / of["asked"] * (1 + given["turn"])
    debt, level = of["debt"] + interest, (of["level"] + of["level"] * rate / 8760) * more
    wanted = debt * more - debt
    wanted += given["weight"] * (level - debt * more)
    wanted += debt * max(-given["peg_limit"], min(given["peg_limit"], given["peg_response"] * (of["price"] - 1)))
    outside = of["supply"] + interest - of["pool_x"] - of["own_outside"] - kept
    taken = min(wanted, max(0.0, given["ceiling"] - debt)) if wanted > 0 else -min(-wanted, debt, max(0.0, outside))
    return {
        "borrowers.debt": debt + taken,
        "borrowers.level": level,
        "borrowers.asked": asked,
        "borrowers.rate": rate,
        "borrowers.mean_rate": mean,
        "income_borrowers": kept,
        "supply": of["supply"] + interest + taken,
        "own_outside": of["own_outside"] + kept,
        "owed": of["debt"] + interest + taken,
        "borrower_flow": taken,
    }


def test_the_hour_is_the_twins_in_every_lane(lanes: Callable[..., Any], crvusd: Study) -> None:
    """40 blocks of lanes in all states, with a policy and without, at their ceilings and next to nothing outside: every line to 1e-12 of the debt."""
    rng = np.random.default_rng(5)
    bounded = 0
    for number in range(40):
        block = lanes(crvusd)
        debt = 10 ** rng.uniform(4, 9, LANES)
        lines = {
            "borrowers.debt": debt,
            "borrowers.level": debt * rng.uniform(0.5, 2.0, LANES),
            "borrowers.asked": rng.uniform(0.1, 2.0, LANES),
            "borrowers.mean_rate": rng.uniform(0.0, 0.5, LANES),
            "borrow_rate": rng.uniform(0.0, 2.0, LANES) * rng.choice([0.0, 0.1, 1.0], LANES),
            "price": rng.choice([0.0, 0.97, 1.0, 1.002, 1.1], LANES),
            "pool_x": debt * rng.uniform(0.05, 0.5, LANES),
            "own_outside": debt * rng.uniform(0.0, 0.2, LANES),
        }
        lines["supply"] = lines["pool_x"] + lines["own_outside"] + debt * rng.choice([0.0, 1e-3, 0.7], LANES)
        for name, values in lines.items():
            block.lanes(name)[:] = values
        for name in ("owed", "recoverable"):
            block.lanes(name)[:] = debt
        block["borrower_flow"] = block["income_borrowers"] = 0.0
        given = {
            "fixed_rate": rng.choice([0.0, 0.07]),
            "follows": float(number % 2),
            "ceiling": float(np.median(debt) * rng.choice([0.9, 10.0])),
            "elasticity": rng.choice([0.0, 6.0]),
            "semi_elasticity": rng.choice([0.0, 4.0, 400.0]),
            "peg_response": rng.choice([0.0, 0.3]),
            "peg_limit": rng.choice([0.0, 0.01]),
        }
        block.constant(**{f"borrowers.{name}": float(value) for name, value in given.items()}, lending_weight=0.006)
        given |= {"kept": float(rng.choice([0.0, 0.6, 1.0])), "weight": 0.006}
        block.parameter(borrowers_interest_kept=given["kept"])
        market = {"demand": rng.uniform(0.2, 2.0, LANES), "turn": rng.choice([0.0, -0.5, 0.4], LANES)}
        block.market(**{f"borrowers.{name}": values for name, values in market.items()})
        before = {name.rpartition(".")[2]: block.lanes(name).copy() for name in lines}
        block.run("borrowers_market_operations")
        for lane in range(LANES):
            of, here = (
                {name: float(values[lane]) for name, values in before.items()},
                {name: float(each[lane]) for name, each in market.items()},
            )
            want = twin(of, {**given, **here})
            for name, value in want.items():
                assert block.lanes(name)[lane] == pytest.approx(value, rel=1e-12, abs=1e-11 * of["debt"]), (number, lane, name)
            assert block.lanes("recoverable")[lane] == block.lanes("owed")[lane]
            bounded += abs(want["borrower_flow"]) in (0.0, of["debt"]) or want["borrowers.debt"] == pytest.approx(given["ceiling"])
    assert bounded > 100


POSITIVE = st.floats(1e3, 1e9)
SHARE = st.floats(0.0, 1.0)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    debt=POSITIVE,
    pool=POSITIVE,
    outside=POSITIVE,
    price=st.floats(0.0, 1.2),
    rate=st.floats(0.0, 2.0),
    turn=st.floats(-0.9, 3.0),
    kept=SHARE,
    loss=SHARE,
)
def test_its_stages_book_what_they_do(
    lanes: Callable[..., Any],
    crvusd: Study,
    debt: float,
    pool: float,
    outside: float,
    price: float,
    rate: float,
    turn: float,
    kept: float,
    loss: float,
) -> None:
    """From any state: ΔNAV is the change of the lines to 1e-9, only its own lines move, nothing turns negative, and supply moves with the debt but for what is lost."""
    block = lanes(alone(crvusd))
    block.constant(**{"borrowers.fixed_rate": rate, "borrowers.ceiling": 2e9})
    block.pool(pool, pool)
    block["borrowers.debt"] = block["borrowers.level"] = block["owed"] = block["recoverable"] = debt
    block["supply"], block["price"] = pool + outside, price
    block.parameter(borrowers_interest_kept=kept)
    block.market(**{"borrowers.turn": turn, "borrowers.loss": loss})
    for row, line in (("borrowers_venue_loss", "income_venue_losses"), ("borrowers_market_operations", "income_borrowers")):
        block.settle()
        nav, before, owed, supply = block.nav(), {each: block[each] for each in LINES}, block["borrowers.debt"], block["supply"]
        block.run(row)
        assert [each for each in LINES if each != line and block[each] != before[each]] == []
        block.settle()
        booked = sum(block[each] - before[each] for each in LINES)
        assert booked == pytest.approx(block.nav() - nav, abs=1e-9 * (supply + debt))
        moved = block["borrowers.debt"] - owed
        assert block["supply"] - supply == pytest.approx(0.0 if row.endswith("loss") else moved, abs=1e-9 * (supply + debt))
        assert block["supply"] - block["pool_x"] - block["own_outside"] >= -1e-9 * supply
        assert min(block["borrowers.debt"], block["borrowers.level"]) >= 0.0
        assert block["owed"] == pytest.approx(block["borrowers.debt"], abs=1e-9 * debt)


# -- cover that pays nobody --------------------------------------------------------------------------------------------------------------


def test_debt_is_cover_in_every_ratio(lanes: Callable[..., Any], crvusd: Study) -> None:
    """Both ratios, the algorithmic supply and what a yield is taken of count it; the state's collateral, which caps are shares of, does not."""
    study = alone(crvusd)
    block = lanes(study)
    state = study.state
    expected = state.amos.borrowers.debt.value / state.stablecoin.supply.value
    assert block["cr_external"] == block["cr_contract"] == pytest.approx(expected, rel=1e-12)
    assert state.collateral_usd == 0.0
    assert state.cover_usd == state.amos.borrowers.debt.value
    sheet = BalanceSheet(block.s)
    assert sheet.algorithmic[0] == pytest.approx(state.stablecoin.supply.value - state.amos.borrowers.debt.value)
    assert simulate(study.current, study, paths=2).columns["collateral_start_usd"][0] == state.cover_usd


def test_nothing_of_it_pays_at_the_door(crvusd: Study) -> None:
    """With a door out, redemption open at any price below 1 and no collateral, supply and debt are to the last bit what they are without that door."""
    open_door = figured(crvusd, redeem__fee=0.0, redeem__delay_hours=0.0)
    open_door = replace(
        open_door,
        state=replace(open_door.state, absent=open_door.state.absent - {"redeem"}),
        current=crvusd.current.replace(redeem_price_threshold=1.0),
    )
    for scenario in ("calm", "leverage-flood"):
        without, beside = (
            trace(each.current, each, scenario=scenario, paths=8, columns=("supply", "borrowers_debt", "idle"))
            for each in (crvusd, open_door)
        )
        assert np.array_equal(beside["supply"], without["supply"])
        assert np.array_equal(beside["borrowers_debt"], without["borrowers_debt"])
        assert (beside["idle"] == 0.0).all()


def copied(tmp_path: Path, changes: dict[str, tuple[str, str]]) -> Path:
    """The example's files with a passage replaced in some."""
    for file in FOLDER.iterdir():
        text = file.read_text(encoding="utf-8")
        old, new = changes.get(file.name, ("", ""))
        assert old in text
        (tmp_path / file.name).write_text(text.replace(old, new, 1) if old else text, encoding="utf-8")
    return tmp_path / "study.toml"


DOOR = '[redeem]\nfee = { value = 0.0, source = "a test" }\ndelay_hours = { value = 0, source = "a test" }\n\n[collateral]\n'


def test_a_door_with_debt_alone_behind_it_is_told_in_one_sentence(tmp_path: Path) -> None:
    """It runs, and `validate` says that nothing can pay there and why; without a door nothing is said."""
    assert [each.message for each in cautions_of(FOLDER / "study.toml")] == []
    changes = {
        "state.toml": ("[collateral]\n", DOOR),
        "parameters.toml": ("amplification", "redeem_price_threshold = 0.99\namplification"),
    }
    path = copied(tmp_path, changes)
    assert validate_file(path) == []
    (found,) = cautions_of(path)
    assert found.message == "nothing can pay at the open door"
    assert "what borrowers owe pays no redeemer" in str(found.hint)


def test_debt_alone_is_cover_enough_to_be_a_protocol(tmp_path: Path) -> None:
    """No collateral at all is no problem while somebody owes; without debt it is the one there was."""
    assert validate_file(FOLDER / "study.toml") == []
    path = copied(tmp_path, {"state.toml": ("debt = { value = 104_987_211", "debt = { value = 0.0")})
    assert [each.message for each in validate_file(path.with_name("state.toml"))] == ["the protocol has no collateral at all"]


def test_how_borrowers_behave_must_be_told_where_there_are_some(tmp_path: Path) -> None:
    """Each of its figures of behaviour that has no value of its own is missed by name where a file leaves it out, beside the table that asks for it."""
    text = (FOLDER / "behaviour.toml").read_text(encoding="utf-8")
    kept = text[: text.index("borrowers_elasticity")]
    path = copied(tmp_path, {"behaviour.toml": (text, kept)})
    found = [each for each in validate_file(path) if each.where.startswith("markets.")]
    wanted = [name for name, each in figures_by_name().items() if name.startswith("markets.borrowers_") and each.default is MISSING]
    assert [(each.where, each.message) for each in found] == [(name, "missing") for name in wanted]
    assert all("[amos.borrowers]" in str(each.allowed) for each in found)


# -- whole runs --------------------------------------------------------------------------------------------------------------------------


def books_are_right(study: Study, **given: Any) -> Any:
    frame = simulate(study.current, study, **given).paths
    assert np.isfinite(frame.select_dtypes("number").to_numpy()).all()
    booked = sum(frame[f"{line}_usd"] for line in LINES)
    scale = frame["supply_start"].abs().max()
    assert np.allclose(booked, frame["nav_end_usd"] - frame["nav_start_usd"], rtol=1e-9, atol=1e-9 * scale)
    return frame


def test_the_example_runs_and_scores(crvusd: Study) -> None:
    """All scenarios, books to 1e-9; the yield is the interest's, over what is owed: of the order of the rate."""
    frame = books_are_right(crvusd)
    assert (frame["income_borrowers_usd"] > 0.0).all()
    earned = point_score(simulate(crvusd.current, crvusd, scenarios=["calm"]), crvusd).yield_annual
    assert 0.02 < earned < 0.15
    assert (frame["min_cr_external"] > 0.99).all()


@pytest.mark.parametrize("number", range(12))
def test_random_compositions_keep_the_books(crvusd: Study, number: int) -> None:
    """Policy, keeper and debt there or not, any rates, behaviour, ceilings and losses, with demand that moves: every path's lines are its ΔNAV and no stage finds a fault."""
    rng = np.random.default_rng([17, number])
    study = crvusd if rng.random() < 0.6 else alone(crvusd)
    figures = {
        "amos__borrowers__debt": 104_987_211 * float(rng.choice([0.3, 1.0, 1.2])),
        "amos__borrowers__rate": float(rng.choice([0.0, 0.08, 1.0])),
        "amos__borrowers__ceiling": float(rng.choice([9e7, 1.1e8, 1e9])),
        "markets__borrowers_elasticity": float(rng.choice([0.0, 6.0, 100.0])),
        "markets__borrowers_semi_elasticity": float(rng.choice([0.0, 4.0, 100.0])),
        "markets__borrowers_peg_response": float(rng.choice([0.0, 0.3, 10.0])),
        "markets__borrowers_peg_limit": float(rng.choice([0.0, 0.01, 1.0])),
        "collateral__idle": float(rng.choice([0.0, 1e7])),
    }
    study = figured(study, **figures)
    if study.state.has("amos.monetary_policy"):
        values = {
            "policy_rate0": rng.uniform(0.0, 1.386),
            "policy_sigma": 10 ** rng.uniform(-4, 0),
            "policy_target_debt_fraction": rng.uniform(0.01, 1.0),
        }
        study = replace(study, current=study.current.replace(**{name: float(value) for name, value in values.items()}))
        study = figured(study, amos__monetary_policy__ema_seconds=float(rng.choice([0.0, 36_000.0])))
    study = replace(study, current=study.current.replace(borrowers_interest_kept=float(rng.choice([0.0, 0.5, 1.0]))))
    moving = {"borrowers_demand_sd": 0.3, "borrowers_loss_yearly": 0.9, "borrowers_loss_severity": float(rng.choice([0.01, 1.0]))}
    scenarios = tuple(replace(one, settings={**one.settings, **moving}) for one in study.scenarios)
    books_are_right(replace(study, scenarios=scenarios), paths=8)


def whole(study: Study, scenario: Any) -> np.ndarray:
    """The whole state at the end by variable and lane, and the NAVs."""
    market = draw(scenario, study, first=0, lanes=LANES, stream="search")
    state, navs = start_state(study, market[0]), np.zeros((3, LANES))
    hours = study.simulation.transition_hours
    run_block(
        state,
        market,
        parameter_vector(study.current),
        constants(study),
        hours,
        navs,
        np.zeros_like(state),
        np.zeros(0, dtype=np.int64),
        np.zeros((0, 0)),
    )
    return np.concatenate([state.reshape(-1, LANES), navs])


@pytest.mark.parametrize("name", ["mass-repayment", "leverage-flood"])
def test_no_bit_hangs_on_size(crvusd: Study, name: str) -> None:
    """Every amount of state and scenario times 4,096, or over it: each line at the end is the same, or exactly so many times as much."""
    scenario = next(each for each in crvusd.scenarios if each.name == name)
    scenario = replace(scenario, settings={**scenario.settings, "borrowers_demand_sd": 0.1})
    before = whole(crvusd, scenario)
    for times in (4096.0, 1.0 / 4096.0):
        amounts = {"tokens", "tokens/h", "USD", "USD/h", "gas"}
        state = crvusd.state
        for figure, entry in figures_by_name().items():
            if entry.metadata["unit"] in amounts:
                held: Any = state
                for part in figure.split("."):
                    held = getattr(held, part)
                state = with_figure(state, figure, replace(held, value=times * held.value))
        grown = {key: value * (times if SETTINGS[key].unit in amounts else 1.0) for key, value in scenario.settings.items()}
        after = whole(replace(crvusd, state=state), replace(scenario, settings=grown))
        wrong = [
            line
            for line, index in STATE_INDEX.items()
            if not (np.array_equal(after[index], before[index]) or np.array_equal(after[index], times * before[index]))
        ]
        assert wrong == []
        assert np.array_equal(after[-3:], times * before[-3:])
        for line in ("borrowers.debt", "owed", "keeper_debt", "supply"):
            assert np.array_equal(after[STATE_INDEX[line]], times * before[STATE_INDEX[line]])
        assert np.array_equal(after[STATE_INDEX["borrow_rate"]], before[STATE_INDEX["borrow_rate"]])


def test_no_debt_is_no_borrowers(crvusd: Study) -> None:
    """Bit for bit the study without the table, whatever rate, ceiling, behaviour and set say."""
    base = figured(alone(crvusd), amos__borrowers__debt=0.0, collateral__idle=1e8)
    gone = figured(base, amos__borrowers__rate=0.0, amos__borrowers__ceiling=1.0)
    gone = replace(gone, state=replace(gone.state, absent=gone.state.absent | {"amos.borrowers"}))
    held = replace(base, current=base.current.replace(borrowers_interest_kept=0.3))
    one, other = (simulate(each.current, each, paths=8, scenarios=["calm", "mass-repayment"]).columns for each in (gone, held))
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_behaviour_at_zero_leaves_the_debt_to_its_interest(crvusd: Study) -> None:
    """No elasticity, no answer to the price, no turn: on every path the debt is the snapshot's at compound interest and the supply with it."""
    study = figured(alone(crvusd), markets__borrowers_elasticity=0.0, markets__borrowers_peg_response=0.0)
    traced = trace(study.current, study, scenario="calm", paths=8, columns=("borrowers_debt", "supply"))
    hours = np.arange(1, len(traced["supply"]) + 1)[:, None]
    grown = 104_987_211 * (1.0 + 0.0805 * HOUR) ** hours
    assert np.allclose(traced["borrowers_debt"], grown, rtol=1e-12)
    assert np.allclose(traced["supply"] - 110_177_663, grown - 104_987_211, atol=1e-3)


# -- scenarios ---------------------------------------------------------------------------------------------------------------------------


def turns(study: Study, scenario: Any, *, paths: int = 8) -> np.ndarray:
    rows = draw_inputs(
        scenario, seed=1, stream="s", paths=range(paths), state=study.state, transition_hours=24, window_hours=2000, parts=("borrowing",)
    )
    return np.asarray(rows["borrowers.turn"])


@pytest.mark.parametrize(("name", "turn", "hours"), [("mass-repayment", -0.28, 72), ("leverage-flood", 0.35, 1104)])
def test_a_turn_comes_to_what_its_entry_says(crvusd: Study, name: str, turn: float, hours: int) -> None:
    """At size and speed 1 the hours together are the entry's share of the debt, none before the onset and none after its span; size multiplies the log, speed divides the hours."""
    plain = {"size_spread": 0.0, "speed_spread": 0.0}
    drawn = turns(crvusd, load_scenario(name, settings=plain))
    assert np.prod(1.0 + drawn, axis=1) == pytest.approx(np.full(8, 1.0 + turn))
    assert (np.count_nonzero(drawn, axis=1) == hours).all()
    assert (drawn[:, :24] == 0.0).all()
    twice = turns(crvusd, load_scenario(name, settings={**plain, "size": 2.0, "speed": 2.0}))
    assert np.prod(1.0 + twice, axis=1) == pytest.approx(np.full(8, (1.0 + turn) ** 2))
    assert (np.count_nonzero(twice, axis=1) == hours // 2).all()


def test_noise_is_drawn_for_borrowers_alone(frax: Study, crvusd: Study) -> None:
    """The worked state has none: no noise of theirs is drawn there, nor in calm without a deviation; what stands still is one number."""
    scenario = load_scenario("mass-repayment", settings={"borrowers_demand_sd": 0.2})
    assert "borrowers-demand" not in noises_of(scenario, frax.state)
    assert "borrowers-demand" in noises_of(scenario, crvusd.state)
    assert "borrowers-demand" not in noises_of(load_scenario("calm"), crvusd.state)
    still = set(moving_inputs(scenario)) - set(moving_inputs(load_scenario("mass-repayment")))
    assert still == {"borrowers.demand"}
    assert {"borrowers.demand", "borrowers.turn", "borrowers.loss"}.isdisjoint(moving_inputs(load_scenario("calm")))


def test_repayment_makes_the_coin_dear_and_a_flood_cheap(crvusd: Study) -> None:
    """Against calm on the same paths: less debt, a higher price, more of the keepers' debt and a lower rate while they repay; a lower price, less of the keepers' debt and a
    higher rate, which holds the debt back, while they take.
    """
    columns = ("borrowers_debt", "price", "peg_keeper_debt", "borrowers_rate")
    told = {
        name: {
            column: values[100:200].mean(axis=0)
            for column, values in trace(crvusd.current, crvusd, scenario=name, paths=16, columns=columns).items()
        }
        for name in ("calm", "mass-repayment", "leverage-flood")
    }
    calm, less, more = told["calm"], told["mass-repayment"], told["leverage-flood"]
    for column, sign in (("borrowers_debt", -1.0), ("price", 1.0), ("peg_keeper_debt", 1.0), ("borrowers_rate", -1.0)):
        assert sign * (less[column].mean() - calm[column].mean()) > 0.0, column
        assert column == "borrowers_debt" or sign * (more[column].mean() - calm[column].mean()) < 0.0, column
    still = figured(alone(crvusd), markets__borrowers_peg_response=0.0)
    flooded = trace(still.current, still, scenario="leverage-flood", paths=16, columns=("borrowers_debt",))["borrowers_debt"]
    assert flooded[-1] / 104_987_211 == pytest.approx(np.full(16, 1.35), rel=0.1)


def test_it_is_nothing_where_nobody_speaks_of_it(frax: Study) -> None:
    """The worked state has no such table: nothing owed, no figure given, no parameter asked for."""
    assert not frax.state.has("amos.borrowers")
    assert not frax.state.amos.borrowers.debt.is_given
    assert frax.state.cover_usd == frax.state.collateral_usd
    assert frax.current.values()["borrowers_interest_kept"] == 1.0
