"""The PegKeepers' regulator: its aggregate and its allowances against the contracts in integers, its average against a fine integration, and keepers in whole studies."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from amo_opt import load_study
from amo_opt.amos.kinds import mechanism_at
from amo_opt.amos.layout import BASE, Layout, layout_of
from amo_opt.amos.regulator import allowed_debt, root_of, verdict
from amo_opt.config.overrides import with_figure
from amo_opt.contracts.aggregate_price import AggregateStablePrice3, Source
from amo_opt.contracts.integers import UINT256_MAX, WAD, Revert
from amo_opt.contracts.peg_keeper_regulator import PegKeeperRegulator, PegKeeperRegulatorV110
from amo_opt.protocol.aligned import aligned
from amo_opt.protocol.lanes import LANES
from amo_opt.protocol.state import Figure
from amo_opt.simulation.engine import draw, simulate, trace_given
from amo_opt.simulation.kernel import run_rows
from amo_opt.simulation.program import _aggregate
from amo_opt.stableswap.invariant import get_y, marginal_price, refresh_D, scaled_x_at_price

if TYPE_CHECKING:
    from amo_opt.config.study import Study

STUDY = Path(__file__).parent / "data" / "several" / "study.toml"
SIGMA = 1e-3


# -- the hour's aggregate and verdicts, against the contracts --------------------------------------------------------------------------


@dataclass
class Regulated:
    """So many pools with a keeper each, every lane another; row 0 is the first pool."""

    layout: Layout
    s: np.ndarray
    m: np.ndarray
    p: np.ndarray
    c: np.ndarray
    names: list[str]

    def line(self, name: str) -> np.ndarray:
        first = self.layout.state_index[name] * LANES
        return self.s[first : first + LANES]

    def of_pool(self, k: int, name: str) -> np.ndarray:
        return self.line(name if k == 0 else f"{self.names[k]}-pool.{name}")

    def set(self, **values: float) -> None:
        """Parameters and constants of the regulator."""
        for name, value in values.items():
            key = f"regulator.{name}"
            if key in self.layout.parameter_index:
                self.p[self.layout.parameter_index[key]] = value
            else:
                self.c[self.layout.constant_index[key]] = value

    def look(self) -> None:
        run_rows(list(_aggregate(self.layout)), self.s, self.m, self.p, self.c, layout=self.layout)


def regulated(n: int, rng: np.random.Generator, *, spread: float) -> Regulated:
    """Pools whose spot prices lie ``spread`` around 1 and whose averages of the hour before lie as far from these."""
    names = [f"p{k}" for k in range(n)]
    tables = (*(f"pools.{name}" for name in names[1:]), *(f"amos.{name}-keeper" for name in names))
    layout = Layout((*BASE.mechanisms, *(mechanism_at(table, names[0]) for table in tables)), names[0])
    s, m = aligned(len(layout.state) * LANES), aligned(len(layout.inputs) * LANES)
    s[:], m[:] = 0.0, 1.0
    found = Regulated(layout, s, m, np.ones(len(layout.parameter_index)), np.zeros(len(layout.constant_index)), names)
    for k in range(n):
        ann = 2.0 * rng.choice([200.0, 500.0, 1500.0])
        for lane in range(LANES):
            price, size = 1.0 + spread * rng.standard_normal(), math.exp(rng.uniform(math.log(1e6), math.log(1e8)))
            share, _ = scaled_x_at_price(price, ann)
            x, y = share * size, get_y(share * size, size, ann)
            d = refresh_D(x, y, ann, refresh_D(x, y, ann, size))
            before = marginal_price(x, y, d, ann) + spread * rng.standard_normal()
            values = {"pool_x": x, "pool_y": y, "ann": ann, "d": d, "pool_price": before, "pool_last": before}
            for name, value in values.items():
                found.of_pool(k, name)[lane] = value
    found.set(
        inverse_sigma=1.0 / SIGMA, keeps=0.24, first_version=1.0, alpha=0.5, beta=0.25, price_deviation=5e-4, worst_price_threshold=3e-4
    )
    return found


@pytest.mark.parametrize("spread", [1e-4, 1e-3, 1e-2])
@pytest.mark.parametrize("n", [1, 2, 4, 8])
def test_the_aggregate_is_the_contract_s(n: int, spread: float) -> None:
    """Same prices, same D, 3 blocks of 64 lanes: within 1e-12 of AggregateStablePrice3, which counts in 1e-18; where prices lie ten σ apart within 1e-9, as its exponential rounds."""
    rng = np.random.default_rng([n, int(1e6 * spread)])
    apart = 0.0
    for _ in range(3):
        found = regulated(n, rng, spread=spread)
        found.look()
        for lane in range(LANES):
            contract = AggregateStablePrice3(sigma=round(SIGMA * WAD))
            for k in range(n):
                price, d = float(found.of_pool(k, "pool_price")[lane]), float(found.of_pool(k, "d")[lane])
                contract.add_price_pair(Source(price=round(price * WAD), total_supply=round(d * WAD)))
            apart = max(apart, abs(contract.price() / WAD - float(found.line("aggregate")[lane])))
    assert apart <= (1e-9 if spread > SIGMA else 1e-12)


@dataclass
class Pool:
    """Coin 1 is the stablecoin: prices are those of it in the other coin."""

    average: int
    spot: int

    def price_oracle(self) -> int:
        return self.average

    def get_p(self) -> int:
        return self.spot


@dataclass(eq=False)
class Keeper:
    pool: Pool
    debt: int
    stablecoin_balance: int
    is_inverse: bool = False

    def undrawn(self) -> int:
        return self.stablecoin_balance


@dataclass
class Aggregate:
    told: int

    def price(self) -> int:
        return self.told


@pytest.mark.parametrize(("first_version", "contract"), [(1.0, PegKeeperRegulator), (0.0, PegKeeperRegulatorV110)])
def test_what_a_keeper_may_do_is_the_contract_s(first_version: float, contract: type[PegKeeperRegulator]) -> None:
    """Thousands of random states of 1 to 8 keepers: the same yes or no to providing and withdrawing, the same limit to a billionth, whatever the debts, ceilings, α and β."""
    rng = np.random.default_rng(int(first_version))
    decided = {"provides": 0, "provides not": 0, "withdraws": 0, "withdraws not": 0}
    for n in (1, 2, 3, 4, 8):
        for _ in range(8):
            found = regulated(n, rng, spread=rng.choice([1e-4, 3e-4, 6e-4]))
            alpha, beta = rng.uniform(0.0, 1.0), rng.uniform(0.0, 1.0)
            deviation, worst = rng.choice([1e-4, 5e-4, 2e-3]), rng.choice([0.0, 3e-4, 1e-3])
            found.set(first_version=first_version, alpha=alpha, beta=beta, price_deviation=deviation, worst_price_threshold=worst)
            found.look()
            for lane in range(LANES):
                ceilings = rng.uniform(0.0, 5e7, n)
                debts = ceilings * rng.choice([0.0, 0.3, 1.0, 1.7], n) * rng.uniform(0.5, 1.0, n)
                keepers = []
                for k in range(n):
                    of = {name: float(found.of_pool(k, name)[lane]) for name in ("pool_x", "pool_y", "d", "ann", "pool_price")}
                    spot = marginal_price(of["pool_x"], of["pool_y"], of["d"], of["ann"])
                    pool = Pool(round(of["pool_price"] * WAD), round(spot * WAD))
                    keepers.append(Keeper(pool, round(debts[k] * WAD), round(max(0.0, ceilings[k] - debts[k]) * WAD)))
                regulator = contract(Aggregate(WAD), peg_keepers=keepers)
                regulator.set_debt_parameters(round(alpha * WAD), round(beta * WAD))
                regulator.set_price_deviation(round(deviation * WAD))
                regulator.set_worst_price_threshold(round(worst * WAD))
                roots = [root_of(debt, ceiling) for debt, ceiling in zip(debts, ceilings, strict=True)]
                for k, keeper in enumerate(keepers):
                    own, spot = float(found.of_pool(k, "pool_price")[lane]), keeper.pool.spot / WAD
                    first, second = (float(found.line(name)[lane]) for name in ("highest", "second_highest"))
                    provides, withdraws = verdict(spot, own, second if own >= first else first, deviation, worst, first_version)
                    limit = allowed_debt(1.0, provides, alpha, beta, sum(roots) - roots[k], debts[k], ceilings[k])
                    room = max(0.0, limit - debts[k])
                    try:
                        theirs = regulator.provide_allowed(keeper) / WAD
                    except Revert:  # the first version, where a debt is above its limit
                        theirs = 0.0
                    assert abs(room - theirs) <= 1e-9 * max(limit, debts[k], ceilings[k])
                    decided["provides" if theirs > 0.0 else "provides not"] += 1
                    allowed = regulator.withdraw_allowed(keeper)
                    assert (allowed == UINT256_MAX) == (withdraws > 0.5)
                    decided["withdraws" if allowed else "withdraws not"] += 1
    told = {name: count for name, count in decided.items() if name != "withdraws not" or first_version}
    assert min(told.values()) > 500, decided


def test_the_average_is_that_of_a_fine_integration() -> None:
    """A price that runs from where the hour before left it to where this one ends: an exponential average fed 100,000 times, for time constants of 20 s to a day, from any average before.

    The closed form keeps g of the distance between the average, which is taken to have reached the price an hour ago, and the price.
    """
    for tau_seconds in (20.0, 866.0, 3600.0, 86_400.0):
        tau = tau_seconds / 3600.0
        keeps = -tau * math.expm1(-1.0 / tau)
        for before, end in ((1.0, 1.001), (0.998, 1.0), (1.0005, 0.97)):
            steps = 100_000
            average, decay = before, math.exp(-1.0 / (steps * tau))
            for step in range(1, steps + 1):
                price = before + (end - before) * (step - 0.5) / steps
                average = price + decay * (average - price)
            assert end + keeps * (before - end) == pytest.approx(average, abs=1e-9), tau_seconds


def test_an_average_that_lags_decays_as_the_contract_s() -> None:
    """The price stands still for hours after a jump: the average's distance falls by exp(-1 h / τ) an hour."""
    tau = 866.0 / 3600.0
    found = regulated(1, np.random.default_rng(0), spread=1e-3)
    found.set(keeps=-tau * math.expm1(-1.0 / tau), decay=math.exp(-1.0 / tau))
    spot = marginal_price(*(float(found.line(name)[0]) for name in ("pool_x", "pool_y", "d", "ann")))
    found.line("pool_last")[:] = [
        marginal_price(*(float(found.line(name)[lane]) for name in ("pool_x", "pool_y", "d", "ann"))) for lane in range(LANES)
    ]
    apart = float(found.line("pool_price")[0]) - spot
    found.look()
    assert float(found.line("pool_price")[0]) - spot == pytest.approx(apart * math.exp(-1.0 / tau), rel=1e-6)


# -- keepers in whole studies ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def several() -> Study:
    return load_study(STUDY)


def figures(study: Study, changes: dict[str, float]) -> Study:
    state = study.state
    for name, value in changes.items():
        state = with_figure(state, name, Figure(value=value, assumed="a test's", low=value, high=value))
    return replace(study, state=state)


POOLS = ("usdc", "usdt", "tusd", "usdp")
AT_ZERO = {f"amos.{name}-keeper.{figure}": 0.0 for name in POOLS for figure in ("minted", "lp_share")}


def without(study: Study, *tables: str) -> Study:
    """The study whose state has not these AMOs, nor its set their parameters."""
    amos = study.state.amos
    kept = replace(amos, named=tuple((name, table) for name, table in amos.named if f"amos.{name}" not in tables))
    absent = study.state.absent | {each for each in tables if each == "amos.regulator"}
    values = {
        name: value
        for name, value in study.current.values().items()
        if f"amos.{name.rpartition('.')[0]}" not in tables or name.startswith("regulator.")
    }
    from amo_opt.amos.parameters import parameter_set

    return replace(study, state=replace(study.state, amos=kept, absent=absent), current=parameter_set("without", values))


def lines_of(study: Study, scenario: str, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Variables of the state, hour by hour in 64 lanes, and its market's inputs."""
    (chosen,) = (each for each in study.scenarios if each.name == scenario)
    market = draw(chosen, study, first=0, lanes=LANES, stream="search")
    return trace_given(study.current, study, market, scenario=chosen, first=0, lanes=LANES, variables=names)


def same(one: Study, other: Study) -> list[str]:
    """Columns of results that differ in a bit."""
    before, after = (simulate(each.current, each, paths=16).columns for each in (one, other))
    assert before.keys() == after.keys() or before.keys() >= after.keys()
    return [name for name in after if "keeper" not in name and not np.array_equal(before[name], after[name])]


def test_keepers_of_nothing_are_none(several: Study) -> None:
    """Ceilings and debts of 0: bit for bit the study without keepers and regulator."""
    at_zero = figures(several, AT_ZERO)
    at_zero = replace(at_zero, current=at_zero.current.replace(**{f"{name}-keeper.ceiling": 0.0 for name in POOLS}))
    none = without(at_zero, "amos.regulator", *(f"amos.{name}-keeper" for name in POOLS))
    assert same(at_zero, none) == []


@pytest.mark.parametrize("label", ["usdc", "usdp"])
def test_one_keeper_of_nothing_beside_others_at_rest_is_none(several: Study, label: str) -> None:
    """Nobody may provide and nobody owes: which keepers there are changes no bit."""
    at_zero = figures(several, AT_ZERO)
    at_zero = replace(at_zero, current=at_zero.current.replace(**{f"{name}-keeper.ceiling": 0.0 for name in POOLS}))
    assert same(at_zero, without(at_zero, f"amos.{label}-keeper")) == []


def test_a_keeper_of_nothing_still_has_its_pool_in_the_aggregate(several: Study) -> None:
    """As on chain: a keeper of ceiling 0 is one that the regulator compares, and its pool one that the price is of; without it the others are told another price."""
    lone = figures(several, {name: 0.0 for name in AT_ZERO if "usdp" in name})
    lone = replace(lone, current=lone.current.replace(**{"usdp-keeper.ceiling": 0.0}))
    gone = without(lone, "amos.usdp-keeper")
    one, other = (lines_of(each, "upward-depeg", ("aggregate", "price")) for each in (lone, gone))
    assert not np.array_equal(one["aggregate"], other["aggregate"])


ACROSS = 1e-4
"""How far the aggregate goes beyond both ends of an hour within it, but for two hours in a thousand, in which a coin opposite breaks."""


@pytest.mark.parametrize("scenario", ["calm", "upward-depeg", "whale-dump", "svb-2023"])
def test_providing_asks_for_an_aggregate_of_one_and_withdrawing_for_no_more(several: Study, scenario: str) -> None:
    """Where an hour provides, the aggregate is 1 or more as it begins or ends, or but so much below as it moves within; debts are never negative, nor taken above the ceiling."""
    busy = replace(several, current=several.current.replace(**{f"{name}-keeper.caller_share": 0.9 for name in POOLS}))
    names = tuple(f"{name}-keeper.debt" for name in POOLS)
    lines = lines_of(busy, scenario, (*names, "aggregate"))
    moved = 0
    for name in POOLS:
        debt = lines[f"{name}-keeper.debt"]
        change = np.diff(debt, axis=0)
        before, after = lines["aggregate"][:-1], lines["aggregate"][1:]
        highest, lowest = np.maximum(before, after), np.minimum(before, after)
        assert (debt >= -1e-6).all()
        for beyond in (1.0 - highest[change > 1e-6], lowest[change < -1e-6] - 1.0):
            assert np.mean(beyond > ACROSS) <= 0.002, name
            assert beyond.max() <= 0.003, name
        ceiling = busy.current.values()[f"{name}-keeper.ceiling"]
        assert (debt[1:][change > 1e-6] <= ceiling * (1.0 + 1e-9)).all()
        moved += int((np.abs(change) > 1e-6).sum())
    assert moved > 100 or scenario != "upward-depeg"


def test_a_call_never_takes_a_debt_above_the_regulator_s_limit(several: Study) -> None:
    """With a small α and no β: nobody provides beyond α² of his ceiling."""
    values = {f"{name}-keeper.caller_share": 0.9 for name in POOLS} | {"regulator.alpha": 0.3, "regulator.beta": 0.0}
    tight = replace(several, current=several.current.replace(**values))
    found = lines_of(tight, "upward-depeg", tuple(f"{name}-keeper.debt" for name in POOLS))
    provided = 0
    for name in POOLS:
        debt, most = found[f"{name}-keeper.debt"], 0.09 * tight.current.values()[f"{name}-keeper.ceiling"]
        grew = np.diff(debt, axis=0) > 1e-6
        assert (debt[1:][grew] <= most * (1.0 + 1e-9)).all()
        provided += int((debt[1:][grew] > 0.99 * most).sum())
    assert provided > 10


def test_the_keeper_of_the_first_pool_works_the_first_pool(several: Study) -> None:
    """By its name: what it provides makes the first pool's stablecoin more, and no other's."""
    only = without(figures(several, AT_ZERO), *(f"amos.{name}-keeper" for name in POOLS[1:]))
    only = replace(
        figures(only, {"amos.regulator.version": 2.0, "pool.stablecoin": 4e6, "pool.base_lp": 1.5e7}),
        current=only.current.replace(**{"usdc-keeper.caller_share": 1.0}),
    )
    place = layout_of(only.state).places["usdc-keeper"]
    assert place.pool == 0
    lines = lines_of(only, "upward-depeg", ("usdc-keeper.debt", "lp_amo", "usdt-pool.lp_amo"))
    assert lines["usdc-keeper.debt"].max() > 1e5
    assert lines["lp_amo"].max() > 0.0
    assert lines["usdt-pool.lp_amo"].max() == 0.0


# -- books over random compositions ------------------------------------------------------------------------------------------------


QUICK, CAMPAIGN = 100, 20_000
LABELS = ("a", "b", "c", "d", "e", "f", "g", "h")


def drawn_state(rng: np.random.Generator, study: Study, frozen: dict[str, Any]) -> Study:
    """A study of 1 to 8 pools and as many keepers at most, of any sizes, tilts, fees and debts."""
    from amo_opt.amos.parameters import parameter_set
    from amo_opt.amos.peg_keeper import PegKeeper
    from amo_opt.protocol.state import FurtherPool

    def of(value: float) -> Figure:
        return Figure(value=float(value), assumed="drawn", low=float(value), high=float(value))

    n = int(rng.integers(1, 9))
    supply = 1.1e8
    sizes = rng.uniform(0.02, 1.0, n) ** 2
    sizes *= rng.uniform(0.1, 0.8) * supply / sizes.sum()
    labels = [LABELS[k] for k in rng.permutation(8)[:n]]
    pools, amos, values = [], [], dict(frozen)
    shares = {}
    for k, label in enumerate(labels):
        x, y = sizes[k] * rng.uniform(0.3, 1.0), sizes[k] * rng.uniform(0.3, 1.5)
        if k == 0:
            first = {
                "pool.stablecoin": x,
                "pool.base_lp": y,
                "pool.fee": rng.choice([0.0, 1e-4, 4e-4]),
                "pool.admin_fee": rng.choice([0.0, 0.5, 1.0]),
            }
            first |= {"pool.protocol_admin_share": rng.choice([0.0, 1.0]), "pool.base_fee": rng.choice([0.0, 1e-4])}
        else:
            lp = rng.choice([0.0, 0.2])
            pools.append(
                (
                    label,
                    FurtherPool(
                        stablecoin=of(x), opposite=of(y), amplification=of(rng.choice([20.0, 200.0, 1500.0])), fee=of(rng.choice([0.0, 1e-4, 4e-4])),
                        admin_fee=of(rng.choice([0.0, 0.5, 1.0])), lp_share=of(lp), volume_day=of(rng.choice([0.0, 3e6])),
                    ),
                )
            )  # fmt: skip
            values[f"{label}-pool.amplification"] = float(rng.choice([20, 200, 1500]))
        if rng.random() < 0.7:
            shares[label] = rng.choice([0.0, 0.3, 0.7])
            amos.append(
                (
                    f"{label}-keeper",
                    PegKeeper(
                        minted=of(shares[label] * (x + y) * rng.uniform(0.8, 1.0)), lp_share=of(shares[label]),
                        action_delay_seconds=of(rng.choice([12.0, 900.0])), gas_part=of(rng.choice([0.0, 1.0])), on=label,
                    ),
                )
            )  # fmt: skip
            values[f"{label}-keeper.ceiling"] = float(rng.choice([0.0, 1e6, 2e7]))
            values[f"{label}-keeper.caller_share"] = float(rng.choice([0.0, 0.2, 1.0]))
    values |= {
        "regulator.alpha": float(rng.uniform(0, 1)),
        "regulator.beta": float(rng.uniform(0, 1)),
        "regulator.price_deviation": float(rng.choice([5e-4, 1.0])),
    }
    state = study.state
    absent = state.absent - {"amos.regulator"} if amos else state.absent | {"amos.regulator"}
    state = replace(
        state,
        pool_name=labels[0],
        pools=replace(state.pools, named=tuple(pools)),
        amos=replace(state.amos, named=tuple(amos)),
        absent=absent,
    )
    out = figures(replace(study, state=state), first | {"amos.regulator.version": float(rng.choice([1.0, 2.0]))})
    return replace(out, current=parameter_set("drawn", values), search=replace(out.search, seed=int(rng.integers(50))))


def run_draws(study: Study, first: int, last: int) -> int:
    """Draws number ``first`` to ``last - 1``, a block of each; the engine refuses a path whose lines miss ΔNAV by 1e-9, that is not finite or unsound."""
    frozen = {name: value for name, value in study.current.values().items() if "." not in name}
    done = 0
    for number in range(first, last):
        rng = np.random.default_rng([20_240_130, number])
        drawn = drawn_state(rng, study, frozen)
        scenario = drawn.scenarios[int(rng.integers(len(drawn.scenarios)))].name
        lines = lines_of(drawn, scenario, tuple(f"{name}.debt" for name, _ in drawn.state.amos.named))
        for name, debt in lines.items():
            assert debt.min() >= -1e-3, (number, name)
        done += 1
    return done


def test_the_books_hold_over_compositions(several: Study) -> None:
    """1 to 8 pools and keepers of any kind: what lines add up to is the change of NAV, to 1e-9, on every path."""
    short = replace(several, simulation=replace(several.simulation, transition_hours=24, window_hours=240))
    assert run_draws(short, 0, QUICK) == QUICK


@pytest.mark.campaign
def test_campaign_of_compositions(several: Study) -> None:
    """The same over 20,000 draws."""
    short = replace(several, simulation=replace(several.simulation, transition_hours=24, window_hours=480))
    assert run_draws(short, 0, CAMPAIGN) == CAMPAIGN
