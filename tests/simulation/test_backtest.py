"""A replay: exactly the history's drivers, calm's draws beside them, the start that the first row says."""

from __future__ import annotations

import csv
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from amo_opt.amos.layout import MARKET_INDEX
from amo_opt.config.overrides import with_figure
from amo_opt.errors import AmoOptError
from amo_opt.protocol.market import LANES
from amo_opt.protocol.state import Figure
from amo_opt.simulation.backtest import STREAM, backtest, market_of, start_of
from amo_opt.stress.base_pool import base_value
from amo_opt.stress.catalogue import load_scenario
from amo_opt.stress.draws import draw_block, lay_out
from amo_opt.stress.history import History, folded, load_episode

HOURS = 30


def recorded(drivers=None, real=None, **more):
    found = {
        name: folded(np.array([hour for hour, _ in rows], dtype=np.int64), np.array([value for _, value in rows]))
        for name, rows in (real or {}).items()
    }
    return History(name="made", start=datetime(2023, 3, 10, tzinfo=UTC), hours=HOURS, drivers=drivers or {}, real=found, state={}, **more)


def block(history, study, calm, lanes=3):
    placed = replace(study, simulation=replace(study.simulation, transition_hours=0, window_hours=HOURS))
    rows = market_of(history, calm, placed, first=0, lanes=lanes)
    return lay_out(rows, paths=lanes, steps=HOURS).reshape(HOURS, -1, LANES)


@pytest.fixture(scope="module")
def calm():
    return load_scenario("calm")


def drawn(study, calm, lanes=3):
    market = draw_block(
        calm,
        seed=study.search.seed,
        stream=STREAM,
        first_path=0,
        paths=lanes,
        state=study.state,
        transition_hours=0,
        window_hours=HOURS,
    )
    return market.reshape(HOURS, -1, LANES)


def test_without_drivers_the_market_is_calms(frax, calm):
    """Nothing recorded, nothing changed."""
    assert np.array_equal(block(recorded(), frax, calm), drawn(frax, calm))


def test_drivers_replace_their_inputs_and_nothing_else(frax, calm):
    """With one base coin USDC is both prices; the share token's return is its own change; every other input is calm's draw."""
    usdc = np.linspace(1.0, 0.9, HOURS)
    share = np.linspace(8.0, 6.0, HOURS)
    drivers = {"usdc": usdc, "share_price": share, "gate": np.zeros(HOURS), "holders_exit": np.full(HOURS, 0.01)}
    alone = replace(calm, settings={**calm.settings, "base_coins": 1.0})
    found, own = block(recorded(drivers), frax, alone), drawn(frax, alone)
    for name, values in (("collateral_price", usdc), ("base_value", usdc), ("gate", np.zeros(HOURS)), ("news_exit", np.full(HOURS, 0.01))):
        assert (found[:, MARKET_INDEX[name], :] == values[:, None]).all()
    returns = found[:, MARKET_INDEX["share_return"], 0]
    assert np.cumprod(returns) * 8.0 == pytest.approx(share, rel=1e-12)
    touched = {"collateral_price", "base_value", "gate", "news_exit", "share_return"}
    for name, index in MARKET_INDEX.items():
        if name not in touched:
            assert np.array_equal(found[:, index], own[:, index]), name


def test_a_coin_that_was_not_recorded_is_calms_own(frax, calm):
    """With all three given V is theirs alone; with USDT given as drawn the base LP is worth what calm draws."""
    one = np.ones(HOURS)
    usdt = np.full(HOURS, 0.9515)
    value = base_value(np.stack([one[None], one[None], usdt[None]]), calm.settings["base_amplification"])[0]
    all_given = block(recorded({"usdc": one, "dai": one, "usdt": usdt}), frax, calm)
    assert (all_given[:, MARKET_INDEX["base_value"], :] == value[:, None]).all()
    own = drawn(frax, calm, lanes=1)
    same = recorded({"usdc": own[:, MARKET_INDEX["collateral_price"], 0].copy()})
    assert block(same, frax, calm, lanes=1)[:, MARKET_INDEX["base_value"], 0] == pytest.approx(
        own[:, MARKET_INDEX["base_value"], 0], rel=1e-9
    )


def test_the_first_row_sets_pool_and_supply_and_scales_the_rest(frax):
    """Supply halved: what is not recorded is halved, what is recorded is taken; virtual price turns dollars into LP tokens."""
    supply = frax.state.stablecoin.supply.value
    history = recorded(real={"supply": [(0, supply / 2)], "pool_stable": [(0, 5e8)], "pool_base": [(0, 4e8)]})
    state, notes = start_of(frax.state, history)
    assert state.stablecoin.supply.value == supply / 2
    assert (state.pool.stablecoin.value, state.base_value) == (5e8, pytest.approx(4e8))
    assert state.collateral.idle.value == pytest.approx(frax.state.collateral.idle.value / 2)
    assert state.amos.aave.lent.value == pytest.approx(frax.state.amos.aave.lent.value / 2)
    assert state.amos.curve.lp_share == frax.state.amos.curve.lp_share
    assert "× 0.5" in notes[0]


@pytest.mark.parametrize("name", ["supply", "pool_stable", "pool_base"])
def test_one_figure_alone_scales_every_balance(frax, name):
    """Supply alone, or one side of the pool alone: the balance sheet keeps its proportions."""
    own = {
        "supply": frax.state.stablecoin.supply.value,
        "pool_stable": frax.state.pool.stablecoin.value,
        "pool_base": frax.state.base_value,
    }
    state, _ = start_of(frax.state, recorded(real={name: [(0, 0.3 * own[name])]}))
    found = (state.stablecoin.supply.value, state.pool.stablecoin.value, state.base_value, state.collateral_usd)
    before = (*own.values(), frax.state.collateral_usd)
    assert found == pytest.approx([0.3 * each for each in before], rel=1e-12)


def test_later_rows_leave_the_start_alone(frax):
    """Only hour 0 says where the replay begins."""
    state, notes = start_of(frax.state, recorded(real={"supply": [(5, 1e9)]}))
    assert state == frax.state
    assert "the start is the state file's" in notes[0]


def test_a_start_that_is_no_balance_sheet_is_refused(frax):
    """A pool larger than the supply names both."""
    with pytest.raises(AmoOptError, match=r"pool_stable.*found 2e\+09; allowed: below the supply of 1e\+09"):
        start_of(frax.state, recorded(real={"supply": [(0, 1e9)], "pool_stable": [(0, 2e9)]}))


@pytest.mark.parametrize(
    ("column", "value", "looks"),
    [
        ("supply", 2.6, "billions"),
        ("supply", 2600.0, "millions"),
        ("pool_stable", 1300.0, "millions"),
        ("pool_base", 1.28e6, "thousands"),
    ],
)
def test_amounts_in_another_unit_than_the_states_are_refused(frax, column, value, looks):
    """Alone or beside a right supply, in the first hour or later: the column, both figures and what it looks like."""
    real = {"supply": [(0, 2.6e9)], column: [(0 if column == "supply" else 3, value)]}
    with pytest.raises(
        AmoOptError, match=rf"made: {column}: found .* where it is first recorded; allowed: less than 300 times .*it looks like {looks}"
    ):
        start_of(frax.state, recorded(real=real))


def test_what_the_study_sets_stands_over_an_episodes_figure(frax):
    """The collateral ratio of the study, said in a note; every other figure is the episode's."""
    history = load_episode("svb-2023")
    own = with_figure(frax.state, "controller.collateral_ratio", Figure(value=0.7, assumed="set", low=0.7, high=0.9))
    state, notes = start_of(own, history, kept=("controller.collateral_ratio", "markets.hazard_price"))
    assert state.controller.collateral_ratio.value == 0.7
    assert state.stablecoin.supply == history.state["stablecoin.supply"]
    assert notes == ("start: controller.collateral_ratio is the study's own 0.7 ([state] set), not the episode's 0.92",)


@pytest.mark.parametrize("name", ["amos.curve.lp_share", "pool.stablecoin", "collateral.idle"])
def test_a_balance_of_the_study_and_the_episode_is_refused(frax, name):
    """Neither could stand without moving the rest of the balance sheet; what the episode leaves to the study may be set."""
    with pytest.raises(AmoOptError, match=rf"^\[state\] set: {name}: the episode svb-2023 holds its own figure"):
        backtest(replace(frax, state_set=("markets.hazard_price", name)), episode="svb-2023", paths=1)
    if name != "pool.stablecoin":
        assert start_of(frax.state, load_episode("ust-contagion-2022"), kept=(name,))


def test_a_balance_of_the_study_and_the_first_row_is_refused(frax):
    """As for an episode: the supply that a CSV begins with is not silently put in its place."""
    history = recorded(real={"supply": [(0, 2.5e9)]})
    with pytest.raises(AmoOptError, match=r"stablecoin.supply: made: the first row holds its own figure"):
        start_of(frax.state, history, kept=("stablecoin.supply",))
    assert start_of(frax.state, history, kept=("pool.stablecoin",))


def test_balances_open_the_hour_and_begin_with_the_start(frax):
    """Hour 0 is the start itself on every path; the price is there from hour 0 too."""
    run = backtest(frax, history=recorded({"usdc": np.ones(HOURS)}), paths=3)
    assert (run.series["supply"][0] == frax.state.stablecoin.supply.value).all()
    assert (run.series["pool_base"][0] == frax.state.base_value).all()
    assert run.series["price"].shape == (HOURS, 3)
    assert np.unique(run.series["supply"][-1]).size == 3


def test_paths_do_not_depend_on_blocks_or_workers(frax):
    """The first paths of a longer run, on more threads, are the shorter run's."""
    history = recorded({"usdc": np.linspace(1.0, 0.9, HOURS)})
    few, many = backtest(frax, history=history, paths=2), backtest(frax, history=history, paths=LANES + 3, workers=2)
    for name, values in few.series.items():
        assert np.array_equal(values, many.series[name][:, :2]), name


def test_an_episode_starts_with_its_own_figures(frax):
    """Every figure that the file names stands in the state, with its source; the scored window is the history's hours."""
    run = backtest(frax, episode="svb-2023", paths=2)
    state = run.study.state
    assert state.stablecoin.supply == run.history.state["stablecoin.supply"]
    assert state.pool.base_virtual_price.value == 1.0
    assert (run.study.simulation.transition_hours, run.study.simulation.window_hours) == (0, run.history.hours)


def test_a_redemption_gate_holds_supply_up(frax):
    """With the price under the threshold and nobody leaving on news, a gate keeps supply at least as large as an open door."""
    falling = np.concatenate([np.ones(4), np.full(HOURS - 4, 0.97)])
    ends = {}
    for gate in (0.0, 1.0):
        run = backtest(frax, history=recorded({"usdt": falling, "gate": np.full(HOURS, gate)}), paths=4)
        ends[gate] = run.series["supply"][-1]
    assert (ends[0.0] >= ends[1.0]).all()
    assert (ends[0.0] > ends[1.0]).any()


def test_the_call_names_one_history(frax):
    """Both, neither or no path are refused."""
    with pytest.raises(AmoOptError, match="found neither"):
        backtest(frax)
    with pytest.raises(AmoOptError, match="found both"):
        backtest(frax, history="a.csv", episode="svb-2023")
    with pytest.raises(AmoOptError, match="paths = 0"):
        backtest(frax, episode="svb-2023", paths=0)


def records(name):
    folder = os.environ.get("AMO_OPT_HISTORY_DIR")
    if not folder:
        pytest.skip(f"AMO_OPT_HISTORY_DIR names no folder of recorded histories ({name})")
    with (Path(folder) / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("episode", ["svb-2023", "ust-contagion-2022"])
def test_recorded_supply_is_the_files(episode):
    """Each point is the row of its midnight."""
    rows = {row["date"]: float(row["implied_supply"]) for row in records("coingecko_daily_frax.csv")}
    history = load_episode(episode)
    for hour, value in zip(history.real["supply"].hours, history.real["supply"].last, strict=True):
        assert value == rows[(history.start + timedelta(hours=int(hour))).date().isoformat()]


def test_recorded_pool_is_the_files():
    """Each point is the reading nearest to its hour, 3CRV times its virtual price then."""
    history = load_episode("ust-contagion-2022")
    readings = {}
    for row in records("frax3crv_pool_daily.csv"):
        since = (datetime.fromisoformat(row["timestamp"]) - history.start).total_seconds() / 3600.0
        readings[round(since)] = (float(row["frax"]), float(row["3crv"]) * float(row["virtual_price_3crv"]))
    for place, name in enumerate(("pool_stable", "pool_base")):
        for hour, value in zip(history.real[name].hours, history.real[name].last, strict=True):
            assert value == pytest.approx(readings[int(hour)][place], abs=1.0), name


def test_recorded_price_of_march_2023_is_the_files():
    """Hour marks as in the file; hour 10 is the low of the hour before, as USDC's waypoint."""
    rows = {row["timestamp"]: row for row in records("svb_2023_hourly_chainlink.csv")}
    history = load_episode("svb-2023")
    for hour, value in zip(history.real["oracle"].hours, history.real["oracle"].last, strict=True):
        time = history.start + timedelta(hours=int(hour) - (1 if hour == 10 else 0))
        row = rows[time.strftime("%Y-%m-%dT%H:%M:%SZ")]
        assert value == pytest.approx(float(row["frax_low_in_hour" if hour == 10 else "frax"]), abs=1e-6)


def test_recorded_price_of_may_2022_is_the_files():
    """The round in force at each hour mark; hour 31 is the low of the hour that follows it."""
    history = load_episode("ust-contagion-2022")
    rounds = [
        ((datetime.fromisoformat(row["timestamp"]) - history.start).total_seconds() / 3600.0, float(row["price_usd"]))
        for row in records("chainlink_arbitrum_frax_rounds.csv")
    ]
    for hour, value in zip(history.real["oracle"].hours, history.real["oracle"].last, strict=True):
        in_force = [price for since, price in rounds if since <= hour][-1]
        within = [price for since, price in rounds if hour <= since < hour + 1]
        assert value == pytest.approx(min(within) if hour == 31 else in_force, abs=6e-5), hour


def test_against_every_hour_of_march_2023(frax, tmp_path):
    """Not the waypoints but the hourly record: the demanded slope, and a residual far under that of a constant 1."""
    rows = [row for row in records("svb_2023_hourly_chainlink.csv") if "2023-03-10T22" <= row["timestamp"] <= "2023-03-15T00:00:00Z"]
    from amo_opt.report.stories.backtest import facts_of

    path = tmp_path / "hourly.csv"
    path.write_text(
        "timestamp,usdc,price,supply\n" + "".join(f"{row['timestamp']},{row['usdc']},{row['frax']},{1_042_979_299}\n" for row in rows)
    )
    alone = load_scenario("calm", settings={"base_coins": 1})
    facts = facts_of(backtest(replace(frax, scenarios=(alone,)), history=path))
    told = {each.name: each for each in facts.fit.summary}
    assert told["slope_origin"].real == pytest.approx(1.013, abs=0.001)
    assert 0.95 <= told["slope_origin"].model <= 1.05
    assert told["residual_rmse"].model < 0.2 * told["residual_rmse"].real
