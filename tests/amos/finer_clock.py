"""Several PegKeepers on a clock of 12 or 300 steps an hour: contracts in float64 over lanes, each rule where the contract asks for it, and the hour of the kernel on the same flows.

`Fine` follows PegKeeperV2, PegKeeperRegulator (v1 and v1.1.0), AggregateStablePrice3 and crvUSD's two-coin pools with their averages; a test holds it against those in integers.
Prices are those of the stablecoin in the coin opposite, times in seconds, shapes (pools, lanes).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from amo_opt.amos.kinds import mechanism_at
from amo_opt.amos.layout import BASE, Layout
from amo_opt.amos.regulator import kept_of
from amo_opt.protocol import lanes as at
from amo_opt.protocol.aligned import aligned
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation.kernel import run_rows
from amo_opt.simulation.program import _aggregate, _keepers, _remembered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

HOUR = 3600.0
ADMIN = 0.5
TVL_SECONDS = 50_000.0


def invariant(x: Array, y: Array, ann: Array) -> Array:
    """D by Newton, as the contract has it."""
    total = x + y
    d = total.copy()
    for _ in range(40):
        dp = d * d * d / (4.0 * x * y)
        new = (ann * total + 2.0 * dp) * d / ((ann - 1.0) * d + 3.0 * dp)
        still = np.abs(new - d) <= 1e-15 * d
        d = new
        if still.all():
            break
    return d


def other_side(x: Array, d: Array, ann: Array) -> Array:
    """The y that goes with an x: the positive root of y² + (x + D / Ann − D) y = D³ / (4 x Ann)."""
    b = x + d / ann - d
    c = d * d * d / (4.0 * x * ann)
    root = np.sqrt(b * b + 4.0 * c)
    return np.where(b > 0.0, 2.0 * c / (b + root), 0.5 * (root - b))


def price_of(x: Array, y: Array, d: Array, ann: Array) -> Array:
    """Slope of the invariant."""
    k = d * d * d / (4.0 * x * y)
    return (ann + k / x) / (ann + k / y)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What is the same for all pools and keepers."""

    fee: float = 1e-4
    share: float = 0.2
    gas: float = 0.0
    alpha: float = 0.5
    beta: float = 0.25
    deviation: float = 1.0
    worst: float = 3e-4
    sigma: float = 1e-3
    tau: float = 1e-3
    version: int = 2


@dataclass
class Fine:
    """Pools of the stablecoin with a keeper each."""

    rules: Rules
    x: Array
    y: Array
    ann: Array
    supply: Array
    debt: Array
    lp: Array
    ceiling: Array
    average: Array
    last: Array
    start_supply: Array = field(default_factory=lambda: np.zeros(0))
    seconds: float = 0.0

    def price(self) -> Array:
        """At the margin."""
        return price_of(self.x, self.y, invariant(self.x, self.y, self.ann), self.ann)

    def wait(self, seconds: float) -> None:
        """Averages go towards the last prices."""
        self.average = self.last + (self.average - self.last) * math.exp(-seconds / self.rules.tau)
        self.seconds += seconds

    def trade(self, z: Array) -> None:
        """Stablecoin sold to (bought of) each pool along its invariant, the fee out of what comes out."""
        d = invariant(self.x, self.y, self.ann)
        x = self.x + z
        y = other_side(x, d, self.ann)
        stays = self.rules.fee * (1.0 - ADMIN)
        self.x = x + stays * np.maximum(-z, 0.0)
        self.y = y + stays * np.where(z > 0.0, self.y - y, 0.0)
        self.last = np.where(z == 0.0, self.last, self.price())

    def aggregate(self) -> Array:
        """AggregateStablePrice3, whose values were written when the clock was at 0."""
        keeps = math.exp(-self.seconds / TVL_SECONDS)
        virtual = invariant(self.x, self.y, self.ann) / self.supply
        tvl = self.supply / virtual * (1.0 - keeps) + self.start_supply * keeps
        mean = (tvl * self.average).sum(0) / tvl.sum(0)
        e = ((self.average - mean) / self.rules.sigma) ** 2
        weight = tvl * np.exp(e.min(0) - e)
        return (weight * self.average).sum(0) / weight.sum(0)

    def allowed(self, k: int, provides: Array) -> Array:
        """What the regulator lets keeper k provide or withdraw now."""
        rules, price = self.rules, self.aggregate()
        away = self.average[k] - self.last[k]
        others = np.delete(self.average, k, axis=0).max(0, initial=0.0)
        # half open: providing in (average - deviation, average + deviation], v1's withdrawing the other way round
        near_in = (-rules.deviation <= away) & (away < rules.deviation)
        near_out = (-rules.deviation < away) & (away <= rules.deviation)
        compared = rules.version == 1 or len(self.x) > 1
        dearest = (others < self.average[k] - rules.worst) & compared
        given = np.maximum(self.ceiling, self.debt)
        roots = np.sqrt(np.maximum(self.debt, 0.0) / given)
        limit = (rules.alpha + rules.beta * (roots.sum(0) - roots[k])) ** 2 * given[k]
        provide = np.where((price >= 1.0) & near_in & ~dearest, np.maximum(limit - self.debt[k], 0.0), 0.0)
        withdraw = np.where((price <= 1.0) & (near_out | (rules.version != 1)), np.inf, 0.0)
        return np.where(provides, provide, withdraw)

    def call(self, k: int) -> None:
        """Keeper k's update, by a caller whose share of the rise pays his gas."""
        rules = self.rules
        x, y, ann, supply, debt, lp = self.x[k], self.y[k], self.ann[k], self.supply[k], self.debt[k], self.lp[k]
        provides = y > x
        stock = np.maximum(self.ceiling[k] - debt, 0.0)
        moved = np.minimum(np.minimum(np.abs(y - x) / 5.0, self.allowed(k, provides)), np.where(provides, stock, debt))
        moved = np.where(provides, moved, -moved)
        d_0 = invariant(x, y, ann)
        x_1 = x + moved
        d_1 = invariant(x_1, y, ann)
        fee_x = 0.5 * rules.fee * np.abs(d_1 / d_0 * x - x_1)
        fee_y = 0.5 * rules.fee * np.abs(d_1 / d_0 * y - y)
        d_2 = invariant(x_1 - fee_x, y - fee_y, ann)
        x_2, y_2 = x_1 - ADMIN * fee_x, y - ADMIN * fee_y
        minted = supply * (d_2 - d_0) / d_0
        d_3 = invariant(x_2, y_2, ann)
        after = lp + minted - (debt + moved) / (d_3 / (supply + minted))
        rise = np.maximum(after, 0.0) - np.maximum(lp - debt / (d_0 / supply), 0.0)
        reward = rules.share * rise
        done = (moved != 0.0) & (rise > 0.0) & (reward * d_3 / (supply + minted) > rules.gas) & (lp + minted >= 0.0)
        self.x[k] = np.where(done, x_2, x)
        self.y[k] = np.where(done, y_2, y)
        self.supply[k] = np.where(done, supply + minted, supply)
        self.debt[k] = np.where(done, debt + moved, debt)
        self.lp[k] = np.where(done, lp + minted - reward, lp)
        self.last[k] = np.where(done, price_of(x_2, y_2, d_3, ann), self.last[k])

    def hour(self, z: Array, steps: int, *, spread: bool) -> None:
        """So much sold to each pool over the hour (or as it begins), and every keeper called at every step."""
        self.seconds, self.start_supply = 0.0, self.supply.copy()
        for step in range(steps):
            self.wait(HOUR / steps)
            if spread or step == 0:
                self.trade(z / steps if spread else z)
            for k in range(len(self.x)):
                self.call((step + k) % len(self.x))

    def copy(self) -> Fine:
        """Another with the same figures."""
        arrays = {name: value.copy() for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        return replace(self, **arrays)


def layout_of_keepers(n: int) -> tuple[Layout, list[str]]:
    """So many pools with a keeper each; the first is the first pool."""
    names = [f"p{k}" for k in range(n)]
    tables = (*(f"pools.{name}" for name in names[1:]), *(f"amos.{name}-keeper" for name in names))
    return Layout((*BASE.mechanisms, *(mechanism_at(table, names[0]) for table in tables)), names[0]), names


class Kernel:
    """The kernel's hour from the trades on, in blocks of 64 lanes: averages, aggregate, verdicts, keepers."""

    def __init__(self, rules: Rules, n: int, calls: int) -> None:
        self.rules = rules
        self.layout, self.names = layout_of_keepers(n)
        self.calls = calls
        self.rows = [*_aggregate(self.layout), *_keepers(self.layout), *_remembered(self.layout)]
        self.p, self.c = np.ones(len(self.layout.parameter_index)), np.zeros(len(self.layout.constant_index))
        self.c[at.C_SIZE] = 1.0
        keeps, decay = kept_of(HOUR, rules.tau)
        for name, value in {
            "regulator.alpha": rules.alpha, "regulator.beta": rules.beta,
            "regulator.price_deviation": rules.deviation, "regulator.worst_price_threshold": rules.worst,
        }.items():  # fmt: skip
            self.p[self.layout.parameter_index[name]] = value
        constants = {
            "regulator.inverse_sigma": 1.0 / rules.sigma, "regulator.keeps": keeps, "regulator.decay": decay,
            "regulator.rate": HOUR / rules.tau, "regulator.first_version": float(rules.version == 1), "regulator.there": 1.0,
        }  # fmt: skip
        for name in self.names:
            own = {"calls": calls, "gas_part": 1.0, "there": 1.0, "fee": rules.fee, "admin_fee": ADMIN}
            own |= {"pool": self.layout.places[f"{name}-keeper"].pool, "follows": -math.expm1(-HOUR / calls / rules.tau)}
            constants |= {f"{name}-keeper.{key}": float(value) for key, value in own.items()}
            self.p[self.layout.parameter_index[f"{name}-keeper.caller_share"]] = rules.share
        keepers = self.layout.keepers
        self.c[at.C_KEEPERS], self.c[at.C_KEEPERS_STATE] = n, keepers[0].state
        self.c[at.C_KEEPERS_PARAMETERS], self.c[at.C_KEEPERS_CONSTANTS] = keepers[0].parameters, keepers[0].constants
        for name, value in constants.items():
            self.c[self.layout.constant_index[name]] = value

    def hour(self, before: Fine, traded: Fine) -> Fine:
        """What the kernel makes of it: ``before`` is how the hour began, ``traded`` the pools after its trades."""
        found = traded.copy()
        for first in range(0, before.x.shape[1], LANES):
            self._block(before, traded, found, slice(first, first + LANES))
        return found

    def _block(self, before: Fine, traded: Fine, found: Fine, lanes: slice) -> None:
        s, m = aligned(len(self.layout.state) * LANES), aligned(len(self.layout.inputs) * LANES)
        s[:], m[:] = 0.0, 1.0
        m[at.M_GAS_USD : at.M_GAS_USD + LANES] = self.rules.gas

        def line(name: str) -> Array:
            first = self.layout.state_index[name] * LANES
            return s[first : first + LANES]

        line("supply")[:], line("collateral_price")[:] = 1e10, 1.0
        roots = np.zeros(LANES)
        for k, name in enumerate(self.names):
            pre = "" if k == 0 else f"{name}-pool."
            values = {
                "pool_x": traded.x[k], "pool_y": traded.y[k], "ann": traded.ann[k], "lp_supply": traded.supply[k],
                "d": invariant(traded.x[k], traded.y[k], traded.ann[k]), "lp_amo": traded.lp[k], "base_value": np.ones_like(traded.x[k]),
                "own": traded.lp[k] / traded.supply[k], "pool_price": before.average[k], "pool_last": before.last[k],
                "pool_tilt": (before.y[k] - before.x[k]) / invariant(before.x[k], before.y[k], before.ann[k]),
            }  # fmt: skip
            for key, value in values.items():
                line(pre + key)[:] = value[lanes]
            debt, most = traded.debt[k][lanes], traded.ceiling[k][lanes]
            root = np.sqrt(np.maximum(debt, 0.0) / np.maximum(most, debt))
            roots += root
            line(f"{name}-keeper.debt")[:], line(f"{name}-keeper.lp")[:] = debt, traded.lp[k][lanes]
            line(f"{name}-keeper.root")[:] = root
            assert np.ptp(traded.ceiling[k]) == 0.0
            self.p[self.layout.parameter_index[f"{name}-keeper.ceiling"]] = traded.ceiling[k][0]
        line("keeper_roots")[:] = roots
        line("aggregate")[:] = before.aggregate()[lanes]
        run_rows(self.rows, s, m, self.p, self.c, layout=self.layout)
        for k, name in enumerate(self.names):
            pre = "" if k == 0 else f"{name}-pool."
            found.x[k][lanes], found.y[k][lanes] = line(pre + "pool_x"), line(pre + "pool_y")
            found.supply[k][lanes], found.debt[k][lanes] = line(pre + "lp_supply"), line(f"{name}-keeper.debt")
            found.lp[k][lanes] = line(f"{name}-keeper.lp")
            found.average[k][lanes], found.last[k][lanes] = line(pre + "pool_price"), line(pre + "pool_last")


def drawn(n: int, lanes: int, rng: np.random.Generator, rules: Rules, *, low: float = 0.3) -> Fine:
    """Pools of 10m to 30m with shares from ``low`` to 1 − ``low``, A of 200 to 1,500, keepers under ceilings of 5m to 25m that own what they owe and a little profit."""
    size = rng.uniform(1e7, 3e7, (n, lanes))
    ann = 2.0 * rng.choice([200.0, 500.0, 1000.0, 1500.0], (n, lanes))
    x = size * rng.uniform(low, 1.0 - low, (n, lanes))
    y = size - x
    supply = invariant(x, y, ann)
    ceiling = rng.uniform(5e6, 25e6, (n, 1)) * np.ones((1, lanes))
    debt = np.minimum(rng.uniform(0.0, 0.4, (n, lanes)) * size, 0.5 * ceiling)
    lp = debt * 1.002
    spot = price_of(x, y, supply, ann)
    return Fine(rules, x, y, ann, supply, debt, lp, ceiling, spot.copy(), spot.copy(), supply.copy())


def flows(fine: Fine, rng: np.random.Generator, *, sd: float = 0.03, least: float = 0.0) -> Array:
    """What is sold to each pool: normal, of deviation ``sd`` of its D, no side below ``least`` of it."""
    d = invariant(fine.x, fine.y, fine.ann)
    z = sd * d * rng.standard_normal(fine.x.shape)
    z = np.maximum(z, -np.maximum(fine.x - least * d, 0.0))
    highest = d - least * d  # x at which y is about least
    return np.minimum(z, np.maximum(highest - fine.x, 0.0))


@dataclass
class Error:
    """Of so many keeper-hours: Σ |debt's error| over Σ |moved|, mean error of prices (bp), and how often both act or neither does."""

    hours: int = 0
    apart: float = 0.0
    moved: float = 0.0
    price: float = 0.0
    agree: int = 0
    average: float = 0.0
    total: float = 0.0
    signed: float = 0.0
    acted: int = 0

    def add(self, before: Fine, fine: Fine, coarse: Fine) -> None:
        theirs, mine = fine.debt - before.debt, coarse.debt - before.debt
        self.hours += theirs.size
        self.apart += float(np.abs(theirs - mine).sum())
        self.moved += float(np.abs(theirs).sum())
        self.price += float(np.abs(fine.price() - coarse.price()).sum()) * 1e4
        self.agree += int(((theirs != 0.0) == (mine != 0.0)).sum())
        self.average += float(np.abs(fine.average - coarse.average).sum()) * 1e4
        self.acted += int((theirs != 0.0).sum())
        self.total += float(np.abs((theirs - mine).sum(0)).sum())
        self.signed += float((np.abs(mine) - np.abs(theirs)).sum())

    @property
    def debt_error(self) -> float:
        return self.apart / self.moved

    @property
    def price_error(self) -> float:
        return self.price / self.hours

    @property
    def agreement(self) -> float:
        return self.agree / self.hours


def compared(
    n: int,
    steps: int,
    rules: Rules,
    *,
    spread: bool,
    hours: int,
    lanes: int = LANES,
    seed: int = 0,
    sd: float = 0.03,
    low: float = 0.3,
    first_only: bool = False,
) -> Error:
    """So many hours in a row of the contracts, and at each the kernel's from where they stand; ``first_only``: the other pools neither trade nor have a keeper with anything to
    provide or take back.
    """
    rng = np.random.default_rng([n, seed])
    fine = drawn(n, lanes, rng, rules, low=low)
    if first_only:
        fine.rules = rules = replace(rules, gas=max(rules.gas, 0.01))  # a cent of gas, so that nobody calls for dust
        fine.ceiling[1:], fine.debt[1:], fine.lp[1:] = 1e-6, 0.0, 0.0
    kernel = Kernel(rules, n, steps)
    found = Error()
    for _ in range(hours):
        z = flows(fine, rng, sd=sd, least=low)
        z[1:] *= not first_only
        before = fine.copy()
        traded = fine.copy()
        traded.trade(z)
        coarse = kernel.hour(before, traded)
        fine.hour(z, steps, spread=spread)
        found.add(before, fine, coarse)
    return found
