"""Further pools: the flow split against bisection, what is conserved, equal pools against one as deep as all, and that they are nothing where there are none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from amo_opt import load_study
from amo_opt.amos.kinds import mechanism_at
from amo_opt.amos.layout import BASE, Layout, layout_of
from amo_opt.amos.pools import _W_ASIDE, _W_SIDE_X, _W_Z
from amo_opt.protocol import lanes as at
from amo_opt.protocol.aligned import aligned
from amo_opt.protocol.lanes import LANES
from amo_opt.protocol.primary_market import FAIR_DISCOUNT
from amo_opt.simulation.engine import simulate, trace
from amo_opt.simulation.kernel import run_rows, scratch_of
from amo_opt.simulation.program import _one_price
from amo_opt.stableswap.invariant import get_y, marginal_price, refresh_D, scaled_x_at_price

if TYPE_CHECKING:
    from amo_opt.config.study import Study

SEVERAL = Path(__file__).parent / "data" / "several"
FEE, ADMIN, SIZE = 1e-4, 0.5, 0.04
KEEP = 1.0 - FEE
FREE = 2.0
"""A buyers' premium, and what is below par, at which nobody waits."""


# -- the split of an hour's flow ---------------------------------------------------------------------------------------------------


@dataclass
class Market:
    """So many pools in every lane, each of its own depth, tilt, A and coin price; row 0 is the first pool."""

    layout: Layout
    s: np.ndarray
    p: np.ndarray
    m: np.ndarray
    c: np.ndarray
    x: np.ndarray
    y: np.ndarray
    d: np.ndarray
    ann: np.ndarray
    value: np.ndarray

    def line(self, name: str) -> np.ndarray:
        first = self.layout.state_index[name] * LANES
        return self.s[first : first + LANES]

    def of_pools(self, name: str) -> np.ndarray:
        """A line of every pool, shape (pools, LANES)."""
        return np.array([self.line(name if k == 0 else f"p{k - 1}-pool.{name}") for k in range(len(self.x))])

    def ask(self, flow: np.ndarray) -> None:
        """What holders sell where ``flow`` is positive, buy elsewhere, in tokens."""
        self.line("sell_demand")[:] = np.maximum(flow, 0.0)
        self.line("buy_demand")[:] = np.maximum(-flow, 0.0)

    def trade(self) -> None:
        run_rows(list(_one_price(self.layout)), self.s, self.m, self.p, self.c, layout=self.layout)

    def prices(self) -> np.ndarray:
        """What a stablecoin is worth in every pool now, shape (pools, LANES)."""
        of = (self.of_pools(name) for name in ("pool_x", "pool_y", "d", "ann", "base_value"))
        return np.array([[marginal_price(x, y, d, ann) * v for x, y, d, ann, v in zip(*row, strict=True)] for row in zip(*of, strict=True)])


def market_of(n: int, *, wild: bool = False, seed: int = 0, fair: float = 1.0 - FREE, dearest: float = 1.0 + FREE) -> Market:
    """Pools drawn at random; the prices beyond which nobody trades are far away where they are not named."""
    rng = np.random.default_rng([n, wild, seed])
    layout = Layout((*BASE.mechanisms, *(mechanism_at(f"pools.p{k}") for k in range(n - 1))))
    s, m = aligned(len(layout.state) * LANES), aligned(len(layout.inputs) * LANES)
    s[:], m[:] = 0.0, 1.0
    p, c = np.ones(len(layout.parameter_index)), np.zeros(len(layout.constant_index))
    c[at.C_FEE], c[at.C_ADMIN_FEE], c[at.C_SIZE], c[at.C_POOLS] = FEE, ADMIN, SIZE, float(n - 1)
    c[at.C_HOUR_LIMIT], c[at.C_ORACLE_WEIGHT] = 1e3, 1.0
    places = [layout.places[f"p{k}-pool"] for k in range(n - 1)]
    for place in places:
        c[place.constants : place.constants + 2] = FEE, ADMIN
    if places:
        c[at.C_POOLS_STATE], c[at.C_POOLS_CONSTANTS] = float(places[0].state), float(places[0].constants)
    size = rng.uniform(5e6, 30e6, (n, LANES))
    share = rng.uniform(0.03, 0.97, (n, LANES)) if wild else rng.uniform(0.3, 0.7, (n, LANES))
    ann = np.repeat(2.0 * rng.choice([200.0, 500.0, 1500.0], (n, 1)), LANES, axis=1)
    x, y, value = size * share, size * (1.0 - share), 1.0 + 5e-4 * rng.standard_normal((n, LANES))
    d = np.vectorize(lambda a, b, an: refresh_D(a, b, an, refresh_D(a, b, an, refresh_D(a, b, an, a + b))))(x, y, ann)
    found = Market(layout, s, p, m, c, x, y, d, ann, value)
    for k in range(n):
        of = "" if k == 0 else f"p{k - 1}-pool."
        for name, values in {"pool_x": x, "pool_y": y, "ann": ann, "d": d, "lp_supply": d, "base_value": value}.items():
            found.line(of + name)[:] = values[k]
    found.line("supply")[:] = 1e9
    # what one is worth to a seller is his coin's, so the limit is told by it; to a buyer what backs it
    found.line("collateral_price")[:] = fair + FAIR_DISCOUNT
    found.line("backing_value")[:] = dearest
    return found


def by_bisection(market: Market, lane: int, flow: float) -> tuple[float, np.ndarray]:
    """The price at which the pools of a lane together take the flow, and what each takes: by halving a bracket 200 times."""
    pools = list(zip(market.x[:, lane], market.y[:, lane], market.d[:, lane], market.ann[:, lane], market.value[:, lane], strict=True))

    def taken(price: float) -> np.ndarray:
        moves = []
        for x, _, d, ann, value in pools:
            now = marginal_price(x, get_y(x, d, ann), d, ann) * value
            high, low = price / KEEP, price * KEEP
            target = high if now > high else (low if now < low else None)
            moves.append(0.0 if target is None else scaled_x_at_price(target / value, ann)[0] * d - x)
        return np.array(moves)

    low, high = 0.01, 4.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        z = taken(middle)
        if z[z > 0.0].sum() + KEEP * z[z < 0.0].sum() > flow:
            low = middle
        else:
            high = middle
    return middle, taken(middle)


MISPLACED = {
    # pools, wild: (99% quantile, most) of what is not where bisection has it, share of all that moves: a lane within the gap stays as the slopes left it
    (2, False): (0.05, 0.10),
    (4, False): (0.06, 0.15),
    (8, False): (0.04, 0.08),
    (2, True): (0.01, 0.03),
    (4, True): (0.01, 0.05),
    (8, True): (1e-9, 1e-9),
}
GAP_BP = 0.11
"""Gap between any two pools beyond both their fees, basis points."""


def measured(n: int, *, wild: bool, blocks: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Gaps in basis points and misplaced shares of every lane."""
    gaps, misplaced = [], []
    for seed in range(blocks):
        market = market_of(n, wild=wild, seed=seed, fair=0.02, dearest=3.5)
        flow = np.random.default_rng([7, n, seed]).uniform(-0.05, 0.05, LANES) * market.x.sum(axis=0)
        market.ask(np.where(flow > 0.0, flow, flow / KEEP))
        # the first pool's end, before its fees: both sides on the curve it stood on
        market.trade()
        at_end = market.prices()
        gaps.append((at_end.max(axis=0) * KEEP / (at_end.min(axis=0) / KEEP) - 1.0) * 1e4)
        moved = market.of_pools("flow") if n == 1 else np.array([market.line(f"p{k}-pool.flow") for k in range(n - 1)])
        in_tokens = np.where(moved > 0.0, moved, KEEP * moved).sum(axis=0)
        rest = flow - in_tokens
        first = np.where(rest > 0.0, rest, rest / KEEP)
        for lane in range(LANES):
            _, z = by_bisection(market, lane, float(flow[lane]))
            mine = np.array([first[lane], *moved[:, lane]])
            misplaced.append(np.abs(mine - z).sum() / max(np.abs(z).sum(), 1.0))
    return np.concatenate(gaps), np.array(misplaced)


@pytest.mark.parametrize(("n", "wild"), MISPLACED)
def test_the_flow_goes_where_bisection_sends_it(n: int, wild: bool) -> None:
    """Flow to 5% of the pools' stablecoin, coins within 5 bp of each other: no gap beyond the fees (in wild states in 1 lane of 100 at most), and how much stands elsewhere."""
    gaps, misplaced = measured(n, wild=wild)
    quantile, most = MISPLACED[n, wild]
    assert np.quantile(gaps, 0.99) <= GAP_BP
    assert gaps.max() <= (1.0 if wild else GAP_BP)
    assert np.quantile(misplaced, 0.99) <= quantile
    assert misplaced.max() <= most


@pytest.mark.parametrize("wild", [False, True])
@pytest.mark.parametrize("n", [2, 4, 8])
def test_no_token_is_lost_or_found(n: int, wild: bool) -> None:
    """All that holders sold is in the pools, with what buyers' fees left there; what is gone is the administrators', and with the coins opposite every pool stays on or above its curve."""
    for seed in range(4):
        market = market_of(n, wild=wild, seed=seed, fair=0.02, dearest=3.5)
        flow = np.random.default_rng([8, n, seed]).uniform(-0.3, 0.3, LANES) * market.x.sum(axis=0)
        market.ask(flow)
        market.trade()
        sold = np.maximum(flow, 0.0) - market.line("sell_demand")
        bought = np.maximum(-flow, 0.0) - market.line("buy_demand")
        assert (sold >= 0.0).all()
        assert (bought >= 0.0).all()
        change = market.of_pools("pool_x") - market.x
        # a pool that was bought of gave z and kept all but the administrator's part of its fee: change = -z (1 - (1 - admin) fee)
        out = np.where(change < 0.0, -change / (1.0 - (1.0 - ADMIN) * FEE), 0.0)
        moved = np.abs(change).sum(axis=0)
        assert np.abs(change.sum(axis=0) - (sold - KEEP * bought - ADMIN * FEE * out.sum(axis=0))).max() <= 1e-12 * moved.max()
        grown = market.of_pools("d") - market.d
        assert (grown >= -1e-9 * market.d).all()


@pytest.mark.parametrize("n", [2, 4, 8])
def test_sellers_and_buyers_stop_at_their_limits(n: int) -> None:
    """Nothing is sold below a fair price nor bought above the dearest, and what then waits is what the pools did not take."""
    for seed in range(10):
        for wild in (False, True)[: 1 if n == 2 else 2]:
            market = market_of(n, wild=wild, seed=seed, fair=0.995, dearest=1.005)
            flow = np.random.default_rng([9, n, seed]).uniform(-1.5, 1.5, LANES) * market.x.sum(axis=0)
            market.ask(flow)
            market.trade()
            change, prices = market.of_pools("pool_x") - market.x, market.prices()
            selling = flow > 0.0
            left = np.where(selling, market.line("sell_demand"), market.line("buy_demand"))
            waits = (left > 1e-9 * np.abs(flow)) & (left < (1.0 - 1e-9) * np.abs(flow))
            assert waits.any()
            fair = np.minimum(market.line("collateral_price"), market.line("base_value")) - FAIR_DISCOUNT
            near = 2e-5  # what fees add to a pool, and the gap that lanes are left with
            for lane in np.flatnonzero(waits & selling):
                assert (prices[change[:, lane] > 0.0, lane] * KEEP >= fair[lane] * (1.0 - 2.0 * FEE - near)).all()
                assert prices[:, lane].max() * KEEP <= fair[lane] * (1.0 + near), "a pool that would still serve"
            for lane in np.flatnonzero(waits & ~selling):
                assert (prices[change[:, lane] < 0.0, lane] / KEEP <= 1.005 * (1.0 + 2.0 * FEE + near)).all()
                assert prices[:, lane].min() / KEEP >= 1.005 * (1.0 - near), "a pool that would still serve"


def drained() -> Market:
    """Four pools that trade among each other while nobody buys: a deep first one of a high A and a fee of 4.7%, which gets going within a part in a million of the price, and a deeper one
    with next to no stablecoin. A campaign over random compositions found them.
    """
    market = market_of(4)
    d = [194.35441304190437, 8.975580312232283, 18.24616443294711, 199.82362240103114]
    ann = [656427.5, 427515.33333333337, 8087.0000000000009, 806684.0]
    x = [78.54860274871228, 8.94007750393456, 0.6213612590586441, 0.48141314458560774]
    value = [1.0045248866896155, 0.9918267758067961, 0.9295573311931811, 0.9052358379617167]
    fees = [0.0466414973980271, 1e-4, 0.0, 0.0]
    market.c[at.C_SIZE], market.c[at.C_FEE], market.c[at.C_ADMIN_FEE] = 3.4e-8, fees[0], 0.0
    scale = np.exp(np.random.default_rng(4).uniform(-0.05, 0.05, LANES))  # of the scarce side
    scale[0] = 1.0
    for k in range(4):
        of = "" if k == 0 else f"p{k - 1}-pool."
        held = x[k] * (scale if k == 3 else np.ones(LANES))
        y = np.array([get_y(each, d[k], ann[k]) for each in held])
        market.x[k], market.y[k], market.d[k], market.ann[k], market.value[k] = held, y, d[k], ann[k], value[k]
        for name, values in {"pool_x": held, "pool_y": y, "ann": ann[k], "d": d[k], "lp_supply": d[k], "base_value": value[k]}.items():
            market.line(of + name)[:] = values
        if k > 0:
            place = market.layout.places[f"p{k - 1}-pool"]
            market.c[place.constants : place.constants + 2] = fees[k], 0.0
    market.line("backing_value")[:] = 0.0
    return market


def test_pools_take_no_stablecoin_that_nobody_has() -> None:
    """What one pool gives another takes; with no buyer served none comes in, though the price that one market has lies a part in a million beside the end of its bracket."""
    market = drained()
    market.line("buy_demand")[:] = 0.3080276466696568
    market.trade()
    change = market.of_pools("pool_x") - market.x
    assert np.abs(change.sum(axis=0)).max() <= 1e-9 * market.x.sum()
    assert np.abs(change).max() < 0.2
    assert market.line("buy_demand") == pytest.approx(0.3080276466696568)
    assert market.line("unsound").max() == 0.0


def test_a_first_pool_whose_coin_opposite_lost_its_worth_gives_what_the_others_take() -> None:
    """At 0.005 for that coin and an A of 23,000 more than 99.9% of its stablecoin goes to the others, which take no more than it gives."""
    market = market_of(3, dearest=1.0 - FREE + 0.9)
    market.c[at.C_FEE] = 4e-4
    x, d, ann, value = 4e6, 8.03e6, 46124.8, 0.005 * np.linspace(0.9, 1.1, LANES)
    y = get_y(x, d, ann)
    market.x[0], market.y[0], market.d[0], market.ann[0], market.value[0] = x, y, d, ann, value
    for name, values in {"pool_x": x, "pool_y": y, "ann": ann, "d": d, "lp_supply": d, "base_value": value}.items():
        market.line(name)[:] = values
    market.c[at.C_ADMIN_FEE] = 0.0
    for k in range(2):
        place = market.layout.places[f"p{k}-pool"]
        market.c[place.constants : place.constants + 2] = 0.0, 0.0
    market.trade()
    change = market.of_pools("pool_x") - market.x
    assert (change[0] < -0.999 * x).all()
    assert np.abs(change.sum(axis=0)).max() <= 1e-9 * market.x.sum()
    assert market.line("unsound").max() == 0.0


def test_stablecoin_from_nowhere_is_a_fault() -> None:
    """Were the pools to take more than holders bring, the hour says so; a rounding more is none."""
    market = market_of(2)
    scratch = aligned(scratch_of(market.layout))
    for more, expected in ((0.0, 0.0), (1e-12, 0.0), (1e-3, 1.0)):
        market.line("unsound")[:] = 0.0
        market.line("sell_demand")[:] = 1e6
        scratch[:] = 0.0
        scratch[_W_SIDE_X : _W_SIDE_X + LANES] = market.x.sum(axis=0)
        scratch[_W_ASIDE : _W_ASIDE + LANES] = scratch[_W_Z : _W_Z + LANES] = 1e6 * (1.0 + more)
        (row,) = (each for each in _one_price(market.layout) if each.name == "trade_first")
        s = market.s.copy()
        run_rows([row], s, market.m, market.p, market.c, layout=market.layout, scratch=scratch)
        first = market.layout.state_index["unsound"] * LANES
        assert (s[first : first + LANES] == expected).all()


@pytest.mark.parametrize("place", [0, 2])
def test_a_failed_pool_takes_nothing(place: int) -> None:
    """One of four that has next to nothing left, be it the first or another: it stays as it is, and the others have one price."""
    market = market_of(4, fair=0.02, dearest=3.5)
    of = "" if place == 0 else f"p{place - 1}-pool."
    for name in ("pool_x", "pool_y", "d", "lp_supply"):
        market.line(of + name)[:] *= 1e-6
    before = {name: market.line(of + name).copy() for name in ("pool_x", "pool_y")}
    flow = np.random.default_rng(3).uniform(-0.05, 0.05, LANES) * market.x.sum(axis=0)
    market.ask(flow)
    market.trade()
    for name, values in before.items():
        assert np.abs(market.line(of + name) - values).max() <= 1e-9 * np.abs(flow).max()
    prices = np.delete(market.prices(), place, axis=0)
    assert ((prices.max(axis=0) * KEEP / (prices.min(axis=0) / KEEP) - 1.0) * 1e4).max() <= GAP_BP
    assert (market.line("sell_demand") + market.line("buy_demand")).max() <= 1e-9 * np.abs(flow).max()


def test_without_flow_and_gap_nothing_moves() -> None:
    """Every bit of four pools that agree within their fees, while nobody trades."""
    market = market_of(4)
    for k in range(4):
        of = "" if k == 0 else f"p{k - 1}-pool."
        for name in ("pool_x", "pool_y", "d", "ann", "lp_supply"):
            market.line(of + name)[:] = market.line(name)
        market.line(of + "base_value")[:] = 1.0 + 3e-5 * (k % 2)
    before = market.s.copy()
    market.trade()
    for name in ("pool_x", "pool_y"):
        first = [market.layout.state_index[name if k == 0 else f"p{k - 1}-pool.{name}"] * LANES for k in range(4)]
        assert all(np.array_equal(market.s[i : i + LANES], before[i : i + LANES]) for i in first)


# -- whole studies -----------------------------------------------------------------------------------------------------------------


POOL = """
[[pool]]
name = "{name}"
stablecoin = {{ value = {x}, assumed = "a test's", low = {x}, high = {x} }}
{other} = {{ value = {y}, assumed = "a test's", low = {y}, high = {y} }}
{more}
amplification = {{ value = 300, assumed = "a test's", low = 300, high = 300 }}
fee = {{ value = 0.0001, assumed = "a test's", low = 0.0, high = 0.001 }}
admin_fee = {{ value = 0.5, assumed = "a test's", low = 0.5, high = 0.5 }}
"""
STATE = """schema = 2
name = "drawn"
date = 2024-01-30
[stablecoin]
supply = { value = 1e8, assumed = "a test's", low = 1e8, high = 1e8 }
[collateral]
idle = { value = 9e7, assumed = "a test's", low = 9e7, high = 9e7 }
[markets]
oracle_lag_hours = { value = 1.0, assumed = "a test's", low = 0.0, high = 6.0 }
deploy_rate = { value = 0.01, assumed = "a test's", low = 0.005, high = 0.05 }
ramp_hours = { value = 168, assumed = "a test's", low = 24, high = 336 }
"""
FIRST = """base_virtual_price = { value = 1.0, assumed = "a test's", low = 1.0, high = 1.0 }
base_fee = { value = 0.0, assumed = "a test's", low = 0.0, high = 0.0 }"""
PARAMETERS = """schema = 1
name = "drawn"
amplification = 300
idle_buffer = 0.0
"""
SETTINGS = {"swap_volume_day": 4e6, "base_coins": 1, "coin_noise_sd": 0.0, "swap_volume_sd": 0.0}


def study_of(folder: Path, sizes: list[tuple[float, float]], *, volumes: float = 0.0, settings: dict[str, float] | None = None) -> Study:
    """A study without doors and AMOs whose pools have these sides, at A 300 and a fee of one basis point."""
    text = STATE
    for k, (x, y) in enumerate(sizes):
        volume = f'volume_day = {{ value = {volumes}, assumed = "a test\'s", low = {volumes}, high = {volumes} }}'
        text += POOL.format(name=f"p{k}", x=float(x), y=float(y), other="opposite" if k else "base_lp", more=volume if k else FIRST)
    folder.mkdir(exist_ok=True)
    (folder / "state.toml").write_text(text, encoding="utf-8")
    behaviour = (
        (SEVERAL / "behaviour.toml")
        .read_text(encoding="utf-8")
        .replace("lp_yield_response = { value = 1.0", "lp_yield_response = { value = 0.0")
    )
    (folder / "behaviour.toml").write_text(behaviour, encoding="utf-8")
    amplifications = "\n".join(f"p{k}-pool.amplification = 300" for k in range(1, len(sizes)))
    (folder / "parameters.toml").write_text(f"{PARAMETERS}{amplifications}\n", encoding="utf-8")
    written = ", ".join(f"{name} = {value}" for name, value in {**SETTINGS, **(settings or {})}.items())
    scenarios = "".join(f'[[scenario]]\nname = "{name}"\nweight = 1\n' for name in ("calm", "whale-dump", "upward-depeg", "lp-flight"))
    (folder / "study.toml").write_text(
        f"""schema = 2
name = "drawn"
date = 2024-07-01
[behaviour]
file = "behaviour.toml"
[state]
file = "state.toml"
[current]
file = "parameters.toml"
[simulation]
paths = 32
transition_hours = 48
window_hours = 480
peg_reference = "dollar"
[search]
seed = 1
trials = 20
[search.space]
amplification = {{ low = 100, high = 1000 }}
[constraints]
[scenario_defaults]
set = {{ {written} }}
{scenarios}""",
        encoding="utf-8",
    )
    return load_study(folder / "study.toml")


FAIR = 1.0 - FAIR_DISCOUNT
"""Nobody sells below it within the hour but those who flee."""


def parts_of(folder: Path, n: int) -> tuple[Study, Study]:
    """One pool, and so many equal ones that are as deep together; neither has two-way volume."""
    quiet = {"swap_volume_day": 0.0}
    one = study_of(folder / "one", [(2.4e7, 2.4e7)], settings=quiet)
    return one, study_of(folder / "parts", [(2.4e7 / n, 2.4e7 / n)] * n, settings=quiet)


@pytest.mark.parametrize("n", [2, 4, 8])
def test_equal_pools_are_one_as_deep_as_all_of_them(tmp_path: Path, n: int) -> None:
    """The same price within the band that fees leave between pools, hour by hour, until one flees below a fair price."""
    one, parts = parts_of(tmp_path, n)
    hours = 0
    for scenario in ("calm", "whale-dump", "upward-depeg", "lp-flight"):
        ours, theirs = (trace(each.current, each, scenario=scenario, paths=16)["price"] for each in (one, parts))
        fled = np.minimum(ours, theirs) < FAIR + 2.0 * FEE
        until = np.where(fled.any(axis=0), fled.argmax(axis=0), len(fled))
        for path, end in enumerate(until):
            hours += int(end)
            assert np.abs(theirs[:end, path] - ours[:end, path]).max() <= 2.5 * FEE, scenario
    assert hours > 500


@pytest.mark.parametrize("n", [2, 8])
def test_equal_pools_serve_those_who_flee_as_one_does(tmp_path: Path, n: int) -> None:
    """Sellers who take 5% less find as much in several pools as in one of their depth: no more of them wait at the end of a hard day."""
    one, parts = parts_of(tmp_path, n)
    ours, theirs = (trace(each.current, each, scenario="whale-dump", paths=16, columns=("queue", "price")) for each in (one, parts))
    first = (np.minimum(ours["price"], theirs["price"]) < FAIR).argmax(axis=0)
    waiting = [[each["queue"][hour + 1, path] for path, hour in enumerate(first)] for each in (ours, theirs)]
    assert np.sum(waiting[1]) <= 1.1 * np.sum(waiting[0]) + 1e3


@pytest.mark.parametrize(("size", "bound"), [(1.0, 1e-4), (2_000.0, 2e-2)])
def test_a_pool_of_next_to_nothing_changes_next_to_nothing(tmp_path: Path, size: float, bound: float) -> None:
    """One without volume, of one token a side (dust) or of a ten-thousandth of the other, beside one of 24m a side."""
    one = study_of(tmp_path / "one", [(2.4e7, 2.2e7)])
    two = study_of(tmp_path / "two", [(2.4e7, 2.2e7), (size, size)])
    before, after = (simulate(each.current, each, paths=16).columns for each in (one, two))
    for name in ("min_price", "peg_loss_dollar_bps", "supply_end", "nav_end_usd", "min_cr_external", "floor_ratio"):
        scale = max(np.abs(before[name]).mean(), 1.0)
        assert np.abs(after[name] - before[name]).mean() <= bound * scale, name


def test_without_a_further_pool_it_is_the_program_of_before(tmp_path: Path) -> None:
    """One [[pool]], with a name or under [pool]: the layout of the catalogue, the same hash, the same bits."""
    named = study_of(tmp_path / "named", [(2.4e7, 2.2e7)])
    folder = tmp_path / "named"
    text = (folder / "state.toml").read_text(encoding="utf-8").replace("[[pool]]", "[pool]").replace('name = "p0"\n', "")
    (folder / "plain.toml").write_text(text, encoding="utf-8")
    study = (folder / "study.toml").read_text(encoding="utf-8").replace('file = "state.toml"', 'file = "plain.toml"')
    (folder / "plain-study.toml").write_text(study, encoding="utf-8")
    plain = load_study(folder / "plain-study.toml")
    assert layout_of(named.state) is BASE
    assert layout_of(plain.state) is BASE
    assert named.hash == plain.hash
    one, other = (simulate(each.current, each, paths=8).columns for each in (named, plain))
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_the_order_of_further_pools_is_none_of_their_business(tmp_path: Path) -> None:
    """Two further pools the other way round, each drawn by its name: prices alike within what sums in another order leave."""
    folder = tmp_path / "both"
    study = study_of(folder, [(1e7, 9e6), (6e6, 7e6), (3e6, 3e6)], settings={"coin_noise_sd": 0.0003, "swap_volume_sd": 0.5}, volumes=1e6)
    named = study.state.pools.named
    turned = replace(study, state=replace(study.state, pools=replace(study.state.pools, named=named[::-1])))
    for scenario in ("calm", "whale-dump"):
        one, other = (trace(each.current, each, scenario=scenario, paths=8)["price"] for each in (study, turned))
        assert np.abs(one - other).max() <= 2.5 * FEE


def test_every_pool_beside_the_first_has_its_own_coin(tmp_path: Path) -> None:
    """A pool may be called what its coin is: only the series of that coin strikes it, whatever else a scenario's series are called."""
    from amo_opt.simulation.engine import draw
    from amo_opt.stress.series import SERIES

    labels = [name for name in SERIES if name.isalnum()]
    study = study_of(tmp_path / "struck", [(1e7, 1e7), (1e7, 1e7)])
    ((_, pool),) = study.state.pools.named
    (scenario,) = (each for each in study.scenarios if each.name == "whale-dump")
    for label in labels:
        state = replace(study.state, pools=replace(study.state.pools, named=((label, pool),)))
        renamed = replace(study, state=state)
        points = dict.fromkeys(("gas",), ((0.0, 1.0), (24.0, 3.0)))
        struck = replace(scenario, waypoints={**scenario.waypoints, **points})
        market = draw(struck, renamed, first=0, lanes=LANES, stream="search")
        inputs = market.reshape(len(market), -1, LANES)[:, layout_of(state).input_index[f"{label}-pool.price"]]
        assert np.abs(inputs - 1.0).max() < 0.01, label
