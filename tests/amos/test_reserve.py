"""An asset beside the collateral coin: closed forms, its queue against one that pays to the hour, a slow twin, its books in any composition, off at zero, and twice at other offsets."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amo_opt.amos import reserve
from amo_opt.amos.layout import LINES
from amo_opt.config.balance import balance_fault
from amo_opt.config.load import load_study
from amo_opt.config.overrides import with_figure
from amo_opt.config.study import Study
from amo_opt.protocol.lanes import LANES
from amo_opt.protocol.state import Figure
from amo_opt.scoring.score import point_score
from amo_opt.simulation.engine import simulate, trace
from amo_opt.simulation.kernel import run_rows
from amo_opt.simulation.program import ROWS
from amo_opt.stress.catalogue import load_scenario

STUDIES = Path(__file__).parents[2] / "studies"
TOTAL = 1e8


def put(state: Any, **figures: float) -> Any:
    """The state with these figures of the asset."""
    for name, value in figures.items():
        state = with_figure(state, f"amos.reserve.{name}", Figure(value=value, assumed="a test's", low=value, high=value))
    return replace(state, absent=state.absent - {"amos.reserve"})


def backed(**figures: float) -> Study:
    """The smallest study, half of its lent collateral in an asset at a custodian instead."""
    study = load_study(STUDIES / "minimal.toml")
    told = {"amount": 10e6, "delay_hours": 48.0, "annual_yield": 0.05} | figures
    state = with_figure(put(study.state, **told), "amos.aave.lent", Figure(value=8.5e6, assumed="a test's", low=0.0, high=1e9))
    state = with_figure(state, "amos.aave.borrowed", Figure(value=8.5e6, assumed="a test's", low=0.0, high=1e9))
    return replace(study, state=state, current=study.current.replace(aave_cap=0.2, reserve_cap=0.3, idle_buffer=0.5))


@pytest.fixture
def alone(lanes: Callable[..., Any]) -> Callable[..., Any]:
    """A block with 40m idle and 60m in the asset; nothing else holds collateral."""

    def build(*, held: float = 60e6, idle: float = 40e6, price: float = 1.0, coin: float = 1.0, **constants: float) -> Any:
        block = lanes()
        for name in ("aave.lent", "aave.borrowed", "curve.borrowed", "curve.minted"):
            block[name] = 0.0
        block["own"] = block["lp_amo"] = 0.0
        block["collateral_price"] = coin
        block["at_work"] = block["recoverable"] = 0.0
        block["idle"] = idle
        block["reserve.held"] = held
        told = {"follows": 0.0, "counts": 1.0, "reach": 1.0, "moves_on": 4.0 / 52.0, "yield_hour": 0.0, "par_out": 0.0} | constants
        block.constant(**{f"reserve.{name}": value for name, value in told.items()}, deploy_rate=1.0)
        block.parameter(idle_buffer=0.4, reserve_cap=0.6, min_cr=0.0)
        block.market(collateral_price=coin, gas_usd=0.0, **{"reserve.price": price, "reserve.open": 1.0, "reserve.loss": 0.0})
        block.run("reserve_begin")
        block.settle()
        return block

    return build


# -- by algebra ---------------------------------------------------------------------------------------------------------------------


def test_a_year_of_its_yield_compounds_by_the_hour(alone: Callable[..., Any]) -> None:
    """(1 + y / 8760) to the hours, all of it income, at its price."""
    block = alone(price=1.02, yield_hour=0.05 / 8760)
    before = block.booked()
    for _ in range(240):
        block.run("reserve_market_operations")
    grown = 60e6 * ((1 + 0.05 / 8760) ** 240 - 1)
    assert block["reserve.held"] == pytest.approx(60e6 + grown, rel=1e-12)
    assert block["income_reserve"] == pytest.approx(1.02 * grown, rel=1e-9)
    assert block.booked() - before == pytest.approx(1.02 * grown, rel=1e-9)
    assert block["at_work"] == pytest.approx(1.02 * (60e6 + grown), rel=1e-12)


@pytest.mark.parametrize(("follows", "worth"), [(0.0, 60e6), (1.0, 60e6 * 0.88), (0.5, 60e6 * 0.94)])
def test_its_price_is_that_of_what_it_is_counted_in(alone: Callable[..., Any], follows: float, worth: float) -> None:
    """The coin at 0.88: bills keep their dollar, what follows the coin falls with it, and cover at par does not move."""
    block = alone(follows=follows)
    start = block.nav()
    booked = block.booked()
    block.market(collateral_price=0.88)
    block.run("open_hour", "reserve_market_operations")
    block.settle()
    assert block["at_work"] * 0.88 == pytest.approx(worth, rel=1e-12)
    assert block["recoverable"] == pytest.approx(60e6, rel=1e-12)
    assert block.nav() - start == pytest.approx(block.booked() - booked, abs=1e-3)


def test_a_discount_at_market_is_its_cover_and_its_value(alone: Callable[..., Any]) -> None:
    """A staked coin at 0.95 is worth 0.95 and covers 0.95 of what counts."""
    block = alone(counts=0.8)
    assert block["recoverable"] == pytest.approx(48e6)
    block.market(**{"reserve.price": 0.95})
    block.run("reserve_market_operations")
    assert block["recoverable"] == pytest.approx(0.8 * 0.95 * 60e6)
    assert block["income_mark_to_market"] == pytest.approx(-0.05 * 60e6)


def test_the_shortfall_of_the_buffer_is_asked_for_at_once_and_once(alone: Callable[..., Any]) -> None:
    """30m of 40m are redeemed: idle is 10 of 70m, the buffer 28m, so 18m are asked for, and nothing more while they are on their way."""
    block = alone(idle=10e6)
    block.run("reserve_operate")
    assert block["reserve.wait_1"] == pytest.approx(18e6)
    block.run("reserve_operate")
    assert block["reserve.wait_1"] == pytest.approx(18e6)
    assert block["reserve.held"] == pytest.approx(42e6)
    assert block["idle"] == pytest.approx(10e6)
    assert block["at_work"] == pytest.approx(60e6)


def test_what_is_spare_goes_in_up_to_the_cap(alone: Callable[..., Any]) -> None:
    """60 idle and 40 in it: 20 go in, where the cap is less as much as it leaves; with its custodian shut, or the coin 2% down, nothing."""
    for cap, moved in ((0.6, 20e6), (0.5, 10e6), (0.3, 0.0)):
        block = alone(held=40e6, idle=60e6)
        block.parameter(reserve_cap=cap)
        block.run("reserve_operate")
        assert block["idle"] == pytest.approx(60e6 - moved)
        assert block["reserve.held"] == pytest.approx(40e6 + moved - (10e6 if cap == 0.3 else 0.0))
    shut = alone(held=40e6, idle=60e6)
    shut.market(**{"reserve.open": 0.0})
    shut.run("reserve_operate")
    assert shut["idle"] == 60e6
    down = alone(held=40e6, idle=60e6, coin=0.98)
    down.run("reserve_operate")
    assert down["idle"] == 60e6


def test_what_can_never_be_had_stays(alone: Callable[..., Any]) -> None:
    """Of 60m a fifth can be had: 12m are asked for whatever is missing; of what cannot at all, nothing, and nothing goes in."""
    for reach, asked in ((0.2, 12e6), (0.0, 0.0)):
        block = alone(idle=0.0, reach=reach)
        for _ in range(5):
            block.run("reserve_operate")
        assert block["reserve.wait_1"] == pytest.approx(asked)
    full = alone(held=40e6, idle=60e6, reach=0.0)
    full.run("reserve_operate")
    assert full["idle"] == 60e6


def test_a_custodian_s_loss_takes_what_is_on_its_way_too(alone: Callable[..., Any]) -> None:
    """A tenth of all of it, at market, and of its cover."""
    block = alone(idle=10e6)
    block.run("reserve_operate")
    block.market(**{"reserve.loss": 0.1})
    start = block.nav()
    block.run("reserve_venue_loss")
    assert block["reserve.held"] + block["reserve.wait_1"] == pytest.approx(54e6)
    assert block["income_venue_losses"] == pytest.approx(-6e6)
    assert block.nav() - start == pytest.approx(-6e6, abs=1e-3)
    assert block["recoverable"] == pytest.approx(54e6)


def test_a_queue_that_pays_par_gives_the_discount_back(alone: Callable[..., Any]) -> None:
    """18m-worth asked for at 0.9: as many tokens, each of which brings 1; one that pays the market brings 0.9."""
    for par, brings in ((1.0, 1.0), (0.0, 0.9)):
        block = alone(idle=10e6, price=0.9, par_out=par, moves_on=1.0)
        block.run("reserve_operate")
        tokens = block["reserve.wait_1"]
        booked, start, idle = block.booked(), block.nav(), block["idle"]
        block.run("reserve_market_operations")
        assert block["idle"] - idle == pytest.approx(brings * tokens)
        assert block.nav() - start == pytest.approx(block.booked() - booked, abs=1e-3)
        assert block.nav() - start == pytest.approx((brings - 0.9) * tokens, abs=1e-3)


# -- the queue against one that pays to the hour -----------------------------------------------------------------------------------


def arrivals(delay: float, hours: int) -> np.ndarray:
    """What of one unit asked for in hour 0 arrives in each hour, by the chain's own rule."""
    r = reserve.WAITS / (reserve.WAITS + delay)
    waits, found = [1.0, 0.0, 0.0, 0.0], []
    for _ in range(hours):
        for place in range(4):
            moved = r * waits[place]
            waits[place] -= moved
            if place < 3:
                waits[place + 1] += moved
        found.append(moved)
    return np.array(found)


@pytest.mark.parametrize("delay", [0.0, 1.0, 12.0, 48.0, 168.0])
def test_the_queue_pays_on_average_at_the_delay(delay: float) -> None:
    """Mean wait the delay, standard deviation about half of it, 0.39 of it off on average (with the hour's grain): what the file says; one wait alone is twice as far off."""
    found = arrivals(delay, 4000)
    hours = np.arange(4000)
    assert found.sum() == pytest.approx(1.0)
    assert (hours * found).sum() == pytest.approx(delay, abs=1e-9)
    spread = math.sqrt(((hours - delay) ** 2 * found).sum())
    assert spread == pytest.approx(math.sqrt(delay * (4 + delay)) / 2, rel=1e-6)
    if delay >= 48.0:
        assert (abs(hours - delay) * found).sum() == pytest.approx(0.39 * delay, rel=0.06)


@pytest.mark.parametrize("delay", [24, 48, 72])
def test_idle_collateral_against_an_exact_queue(alone: Callable[..., Any], delay: int) -> None:
    """A run takes 0.5m an hour and the buffer is asked for hour by hour: against a queue that pays to the hour the idle collateral is ahead by 23% of what is on its way at most, where
    the first delay ends, and from four delays on off by less than an hour's run.
    """
    block = alone(held=400e6, idle=100e6, moves_on=4 / (4 + delay))
    block.parameter(idle_buffer=0.2, reserve_cap=1.0)
    idle, held, due, asked = 100e6, 400e6, deque([0.0] * delay), 0.0
    apart, most = [], 0.0
    for _ in range(6 * delay):
        block["idle"] = block["idle"] - 0.5e6
        block["coming"] = 0.0  # as an hour opens
        block.run("reserve_market_operations", "reserve_operate")
        arrived = due.popleft()
        idle, asked = idle - 0.5e6 + arrived, asked - arrived
        total = idle + held + asked
        missing = 0.2 * total - idle - asked
        wanted = missing if missing > 2.5e-3 * total else 0.0
        held, asked = held - wanted, asked + wanted
        due.append(wanted)
        apart.append(block["idle"] - idle)
        most = max(most, asked)
    assert 0.15 * most < max(apart) < 0.23 * most
    assert np.mean(np.abs(apart[4 * delay :])) < 0.5e6


# -- a twin -------------------------------------------------------------------------------------------------------------------------


@dataclass
class Twin:
    """The asset, hour by hour and in words."""

    held: float
    idle: float
    supply: float
    delay: float
    buffer: float
    cap: float
    annual_yield: float
    counts: float
    par_out: float
    follows: float
    waits: list[float] = field(default_factory=lambda: [0.0] * 4)

    def hour(self, coin: float, series: float, opens: bool, loss: float) -> None:
        """Loss, queue, yield, then the issuer."""
        self.held *= 1 - loss
        self.waits = [wait * (1 - loss) for wait in self.waits]
        base = 1 + self.follows * (coin - 1)
        out = 0.0
        for place in range(4):
            out = self.waits[place] * (4 / (4 + self.delay)) if opens else 0.0
            self.waits[place] -= out
            if place < 3:
                self.waits[place + 1] += out
        self.idle += out * base * (self.par_out + (1 - self.par_out) * series) / coin
        self.held *= 1 + self.annual_yield / 8760
        each = base * series / coin
        coming, value = sum(self.waits) * each, (self.held + sum(self.waits)) * each
        total = self.idle + value
        gap = min(self.cap * total - value, self.idle - self.buffer * total)
        if gap > 2.5e-3 * total and opens and coin >= 0.99 * base:
            self.held, self.idle = self.held + gap / each, self.idle - gap
        else:
            over = value - coming - self.cap * total
            short = self.buffer * total - self.idle - coming
            wanted = min(max(over if over > 0.01 * total else 0.0, short if short > 2.5e-3 * total else 0.0), self.held * each)
            self.held, self.waits[0] = self.held - wanted / each, self.waits[0] + wanted / each


quick = settings(max_examples=40, deadline=None, derandomize=True)


@pytest.mark.parametrize("seed", range(12))
def test_the_stages_are_their_twin(alone: Callable[..., Any], seed: int) -> None:
    """400 hours of random prices, gates, losses and redemptions: what is held, waits and is idle, to 1e-9."""
    rng = np.random.default_rng(seed)
    twin = Twin(
        60e6,
        40e6,
        0.0,
        rng.uniform(0, 100),
        rng.uniform(0, 0.6),
        rng.uniform(0.3, 0.9),
        rng.uniform(0, 0.1),
        rng.uniform(0.5, 1),
        rng.uniform(0, 1),
        rng.uniform(0, 1),
    )
    block = alone(
        counts=twin.counts, par_out=twin.par_out, follows=twin.follows, moves_on=4 / (4 + twin.delay), yield_hour=twin.annual_yield / 8760
    )
    block.parameter(idle_buffer=twin.buffer, reserve_cap=twin.cap)
    block.constant(size=1e-3)  # a remainder that no team signs for is beside the point here
    for hour in range(400):
        coin, series = 1 + 0.02 * rng.standard_normal(), 1 + 0.03 * rng.standard_normal()
        opens, loss = bool(rng.random() > 0.2), 0.05 * float(rng.random() > 0.99)
        gone = min(twin.idle, 1e6 * rng.exponential()) * float(hour % 100 < 30)
        block["idle"] = block["idle"] - gone
        twin.idle -= gone
        block.market(collateral_price=coin, **{"reserve.price": series, "reserve.open": float(opens), "reserve.loss": loss})
        block.settle()
        start, booked = block.nav(), block.booked()
        block.run("open_hour", "reserve_venue_loss", "reserve_market_operations", "reserve_operate")
        block.settle()
        twin.hour(coin, series, opens, loss)
        waits = [block[f"reserve.wait_{place}"] for place in (1, 2, 3, 4)]
        assert [block["reserve.held"], block["idle"], *waits] == pytest.approx([twin.held, twin.idle, *twin.waits], rel=1e-9, abs=1e-2)
        worth = (twin.held + sum(twin.waits)) * series
        assert block["recoverable"] == pytest.approx(twin.counts * worth, rel=1e-9, abs=1e-2)
        assert block["at_work"] * coin == pytest.approx(worth * (1 + twin.follows * (coin - 1)), rel=1e-9, abs=1e-2)
        assert block.nav() - start == pytest.approx(block.booked() - booked, abs=0.1)


def test_two_of_them_are_the_same_stages_at_other_offsets(alone: Callable[..., Any]) -> None:
    """Nothing of the kind knows that it stands once: a second asset, its numbers where the savings vault's are and beyond, is what the first one is."""
    other = reserve.asset("bills", title="Bills", what="bills", rank=1, income_rank=1, turn=1)
    assert other.stages is reserve.MECHANISM.stages
    assert list(other.parameters["cap"].name.split("_")) == ["bills", "cap"]
    block = alone(idle=10e6)
    own = reserve.mine
    room = len(own.state) * LANES
    places = replace_places(state=len(block.s), market=len(block.m), parameters=len(block.p), constants=len(block.c))
    twice = {
        "s": np.concatenate([block.s, first_of(block.s, "state", room)]),
        "m": np.concatenate([block.m, first_of(block.m, "market", len(own.market) * LANES)]),
        "p": np.concatenate([block.p, first_of(block.p, "parameters", len(own.parameters))]),
        "c": np.concatenate([block.c, first_of(block.c, "constants", len(own.constants))]),
    }
    rows = [replace(ROWS[f"reserve_{part}"], places=places) for part in ("market_operations",)]
    before = twice["s"].copy()
    run_rows(rows, twice["s"], twice["m"], twice["p"], twice["c"])
    block.run("reserve_market_operations")
    assert np.array_equal(twice["s"][-room:], first_of(block.s, "state", room))
    assert np.array_equal(first_of(twice["s"], "state", room), first_of(before, "state", room))


def replace_places(**where: int) -> Any:
    from amo_opt.amos.layout import Places

    return Places(**where)


def first_of(vector: np.ndarray, of: str, length: int) -> np.ndarray:
    from amo_opt.amos.layout import PLACES

    first = getattr(PLACES["reserve"], of)
    return vector[first : first + length]


# -- whole paths --------------------------------------------------------------------------------------------------------------------


def short(study: Study, *names: str, **settings_: float) -> Study:
    scenarios = tuple(
        load_scenario(
            name,
            weight=1.0,
            settings={**settings_, "swap_volume_day": 3e6, "base_coins": 1.0}
            | ({} if name == "calm" else {"onset_day_low": 1, "onset_day_high": 2}),
        )
        for name in names
    )
    return replace(study, scenarios=scenarios, simulation=replace(study.simulation, transition_hours=24, window_hours=240))


@quick
@given(
    amount=st.floats(0.0, 12e6),
    delay=st.floats(0.0, 500.0),
    annual=st.floats(-0.1, 0.3),
    counts=st.floats(0.0, 1.0),
    follows=st.sampled_from([0.0, 1.0, 0.4]),
    reachable=st.floats(0.0, 1.0),
    par=st.floats(0.0, 1.0),
    cap=st.floats(0.0, 0.6),
    buffer=st.floats(0.0, 0.9),
    name=st.sampled_from(["calm", "fast-run", "svb-2023", "collateral-impairment", "venue-loss"]),
)
def test_the_books_hold_in_any_composition(
    amount: float,
    delay: float,
    annual: float,
    counts: float,
    follows: float,
    reachable: float,
    par: float,
    cap: float,
    buffer: float,
    name: str,
) -> None:
    """Σ income + Σ capital = ΔNAV to 1e-9 of supply, every figure finite (the engine itself refuses a path whose books are off)."""
    figures = {"amount": amount, "delay_hours": delay, "annual_yield": annual, "counts": counts, "follows_collateral": follows}
    study = backed(**figures, reachable=reachable, par_out=par)
    moving = {"reserve_price_sd": 0.03, "reserve_gate_hours": 40.0, "reserve_loss_yearly": 0.9}
    study = short(study, name, **moving)
    outcome = simulate(study.current.replace(reserve_cap=cap, idle_buffer=buffer), study, paths=4)
    frame = outcome.paths
    moved = frame["nav_end_usd"] - frame["nav_start_usd"]
    booked = sum(frame[f"{line}_usd"] for line in LINES)
    assert np.allclose(booked, moved, rtol=1e-9, atol=1e-9 * 50e6)
    assert np.isfinite(frame.select_dtypes("number").to_numpy()).all()


def test_what_the_buffer_lacks_comes_from_the_bills() -> None:
    """8% idle of a buffer of 15% and the rest at a custodian: cover is above 1 all the time, the yield is the bills', and the buffer is filled from them."""
    study = backed(amount=48e6)
    state = with_figure(study.state, "collateral.idle", Figure(value=4e6, assumed="a test's", low=0.0, high=1e9))
    for name in ("amos.aave.lent", "amos.aave.borrowed"):
        state = with_figure(state, name, Figure(value=0.0, assumed="a test's", low=0.0, high=0.0))
    study = short(replace(study, state=state, current=study.current.replace(aave_cap=0.0, reserve_cap=0.9, idle_buffer=0.15)), "calm")
    outcome = simulate(study.current, study, paths=4)
    assert (outcome.paths["min_cr_external"] > 1.0).all()
    assert point_score(outcome, study).yield_annual == pytest.approx(0.045, abs=0.01)
    traced = trace(study.current, study, scenario="calm", paths=4, columns=("idle", "reserve_held"))
    assert (traced["idle"][-1] > 0.14 * (traced["idle"] + traced["reserve_held"])[-1]).all()


def test_the_least_protocol_may_have_nothing_but_bills() -> None:
    """No idle collateral and nothing lent: what is at the custodian is collateral all the same."""
    state = backed(amount=45e6).state
    for name in ("collateral.idle", "amos.aave.lent", "amos.aave.borrowed"):
        state = with_figure(state, name, Figure(value=0.0, assumed="a test's", low=0.0, high=0.0))
    assert balance_fault(state) == ""
    assert "no collateral" in balance_fault(
        with_figure(state, "amos.reserve.amount", Figure(value=0.0, assumed="a test's", low=0.0, high=0.0))
    )


def test_empty_and_without_a_cap_it_is_not_there() -> None:
    """Bit for bit the study that has no such table, whatever its market does."""
    empty = backed(amount=0.0, counts=0.3, delay_hours=100.0)
    without = replace(empty, state=replace(empty.state, absent=empty.state.absent | {"amos.reserve"}))
    off = empty.current.replace(reserve_cap=0.0)
    moving = {"reserve_price_sd": 0.05, "reserve_gate_hours": 40.0}
    one, other = (simulate(off, short(each, "calm", "fast-run", **moving), paths=8).columns for each in (empty, without))
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_a_longer_delay_leaves_more_leavers_unpaid() -> None:
    """The same run and paths: what waits behind a month is not there for those who leave in days."""
    waits = []
    for delay in (1.0, 24.0, 720.0):
        study = short(backed(amount=30e6, delay_hours=delay), "fast-run")
        state = with_figure(study.state, "collateral.idle", Figure(value=5e6, assumed="a test's", low=0.0, high=1e9))
        study = replace(study, state=state, current=study.current.replace(aave_cap=0.2, reserve_cap=0.7, idle_buffer=0.1))
        waits.append(float(simulate(study.current, study, paths=16).paths["unserved_usd_hours"].mean()))
    assert waits[0] <= waits[1] < waits[2]
