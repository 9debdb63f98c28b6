"""Calm and busy spells fitted to daily balances of one or several pools, by maximum likelihood: a hidden two-state Markov chain with Student-t steps.

A step between two rows is taken apart (Curve's StableSwap): liquidity N = D / virtual price changes by its logarithm l, and what then differs from a pool of the same
proportions is what holders sold of the stablecoin, f (a share of the pool, buying positive). In a state s, over a step of h days,

    f = reversion · h · (share − centre) + scale_f[s] √h T(n_f),    l = per_sale · f · [busy] + scale_l[s] √h T(n_l),

and the state follows a Markov chain of days, whose matrix is raised to h. States are summed out (forward algorithm; Hamilton 1989). Chances, how many times larger a busy day's
scales are, degrees of freedom, reversion and what providers take along are the same in every pool; a calm day's two scales, and the share it reverts to (its median), are the pool's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize
from scipy.special import gammaln
from scipy.stats import chi2, kstest
from scipy.stats import t as student

from amo_opt.errors import AmoOptError, InputError, Problem
from amo_opt.stableswap.kept import kept
from amo_opt.stress.calibration.fitted import Calibration, Fitted
from amo_opt.stress.fitted_spells import SHARED
from amo_opt.stress.plausible import UNITS, units_of
from amo_opt.stress.settings import SETTINGS
from amo_opt.stress.table import ASIDE, Table

Array = NDArray[np.float64]
LEVEL = 0.95
LEAST_STEPS = 30
"""Fewer of a pool's steps tell no scales of two states."""
MOST_DAYS = 3.0
"""A step longer than this is left out: flows in it may have come and gone. The chain goes on through it."""
_BEGIN, _END, _FLOW_TIMES, _LP_TIMES, _FLOW_FREEDOM, _LP_FREEDOM, _REVERSION, _PER_SALE = range(len(SHARED))
ONE_STATE = {_BEGIN: -2.0, _END: -2.0, _FLOW_TIMES: 0.0, _LP_TIMES: 0.0, _PER_SALE: 0.0}
"""The numbers of a fit in which both states are one, and nothing hangs on their chances."""
LEAST_GAIN = 20.0
"""Twice the log likelihood that two states must gain over one. Without spells both chances are no figures, so that no chi-squared is the gain's law: of 24 histories of 250 days
simulated without any none gained more than 13.5, half of them 4.3 or less."""
_STEPS_OUT = 80
"""Most doublings of an interval's first step, by which its end is looked for."""
_NO = 1e15
"""Minus log likelihood of what cannot be."""


_BY_STEP = ("days", "used", "flow", "change", "tilt", "share", "depth")


@dataclass(frozen=True)
class Steps:
    """One pool's steps, (n,) each: days, whether it may be used, flow and log change of liquidity, share over its centre at the start; ``total`` its median size in tokens."""

    name: str
    days: Array
    used: NDArray[np.bool_]
    flow: Array
    change: Array
    tilt: Array
    total: float
    share: Array
    depth: Array
    """Share of the stablecoin and how far its price stands below the other side at a step's start, (n,) each; the depth 0 where the pool's A is not known."""

    def part(self, first: int, last: int) -> Steps:
        """The steps from one to before another."""
        rows = slice(first, last)
        return replace(self, **{name: getattr(self, name)[rows] for name in _BY_STEP})

    def without(self, gone: NDArray[np.bool_]) -> Steps:
        """The steps with some of them not used; the chain goes on through them."""
        return replace(self, used=self.used & ~gone)

    def recentred(self) -> Steps:
        """With the share that flows revert to from the steps that are used alone: a part of a history does not know where the share stood later."""
        return replace(self, tilt=self.tilt - np.median(self.tilt[self.used])) if self.used.any() else self

    def longer(self) -> Steps:
        """With one day more, of which nothing is known."""
        more: dict[str, Any] = {
            name: np.append(getattr(self, name), value) for name, value in zip(_BY_STEP, (1.0, False, 0.0, 0.0, 0.0, 0.5, 0.0), strict=True)
        }
        return replace(self, **more)


def invariant(x: Array, y: Array, amplification: Array | float) -> Array:
    """D of two-coin pools (Newton, as Curve's ``get_D``), (rows,)."""
    ann = 2.0 * np.asarray(amplification)
    total = x + y
    d = total.copy()
    for _ in range(64):
        p = d * d / (4.0 * x * y) * d
        d = (ann * total + 2.0 * p) * d / ((ann - 1.0) * d + 3.0 * p)
    return d


def depth_of(x: Array, y: Array, amplification: Array | float) -> Array:
    """How far the marginal price of x in y stands below 1, before the fee (from the invariant's gradient), (rows,); negative above."""
    d = invariant(x, y, amplification)
    ann = 2.0 * np.asarray(amplification)
    bent = d**3 / (4.0 * x * y)
    found: Array = 1.0 - (ann + bent / x) / (ann + bent / y)
    return found


def steps_of(table: Table, *, amplification: float | None = None, least: int = LEAST_STEPS) -> tuple[Steps, tuple[str, ...]]:
    """A pool's steps from its balances, and the rows left out, by line.

    Liquidity is D at the file's column ``amplification``, at the one given, or else what both sides add up to; over the file's ``virtual_price``. Raises `InputError` for fewer than
    ``least`` steps, and for a pool that never moves where any are needed.
    """
    table, gone = table.balanced()
    days = table.hours() / 24.0
    x = table.numbers["pool_stable"]
    y = table.base_value
    virtual = table.aside.get("virtual_price", np.ones_like(x))
    a = table.numbers.get("amplification", amplification)
    liquidity = (x + y if a is None else invariant(x, y, a)) / virtual
    h = np.diff(days)
    grown = liquidity[1:] / liquidity[:-1]
    share = x / (x + y)
    flow = -(x[1:] - grown * x[:-1]) / (grown * (x + y)[:-1])
    used = (h <= MOST_DAYS) & np.isfinite(grown)
    if np.count_nonzero(used) < least:
        found = f"{np.count_nonzero(used)}"
        raise InputError([Problem(table.file, "", "too few steps to fit", found, f"at least {least} of up to {MOST_DAYS:g} days")])
    for name, moves in (("pool_stable", flow), ("pool_base", np.log(grown))):
        if least > 0 and np.ptp(moves[used]) == 0.0:
            raise InputError([Problem(table.file, name, "the pool never moves", f"{x[0]:g}", "balances that change")])
    depth = np.zeros_like(x) if a is None else depth_of(x, y, a)
    steps = Steps(
        table.name, h, used, flow, np.log(grown), (share - np.median(share))[:-1], float(np.median(x + y)), share[:-1], depth[:-1]
    )
    return steps, gone


# -- the likelihood -----------------------------------------------------------------------------------------------------------------


def _forward(calm: Array, busy: Array, stays: Array, share: float, chances: Array) -> float:
    """Log likelihood of a chain whose share of busy days is ``share``; ``stays`` (n,) is λ^h, what is left of a state after a step; log densities (n,).

    ``chances`` (n,) is filled with each step's chance of being busy, by the steps before it.
    """
    total = 0.0
    chance = share
    for i in range(calm.size):
        chance = share + (chance - share) * stays[i]
        chances[i] = chance
        most = max(busy[i], calm[i])
        of_busy = chance * math.exp(busy[i] - most)
        both = of_busy + (1.0 - chance) * math.exp(calm[i] - most)
        if both <= 0.0:
            return -1e15
        total += math.log(both) + most
        chance = of_busy / both
    return total


_forward_compiled = kept(_forward)


def log_t(x: Array, freedom: float) -> Array:
    """Log density of Student's t."""
    constant = gammaln(0.5 * (freedom + 1.0)) - gammaln(0.5 * freedom) - 0.5 * math.log(math.pi * freedom)
    found: Array = constant - 0.5 * (freedom + 1.0) * np.log1p(x * x / freedom)
    return found


def log_likelihood(pools: Sequence[Steps], values: Array, predicted: list[Array] | None = None) -> float:
    """Of all pools, at the shared figures and each pool's two scales, in the order of `SHARED` and of the pools; to ``predicted`` is added each pool's
    chance of being busy, step by step, by the steps before.
    """
    begin, end, flow_times, lp_times, flow_freedom, lp_freedom, reversion, per_sale = (float(each) for each in values[: len(SHARED)])
    left = 1.0 - begin - end
    if not 0.0 < left < 1.0:
        return -_NO
    total = 0.0
    for k, each in enumerate(pools):
        scale_flow, scale_lp = values[len(SHARED) + 2 * k : len(SHARED) + 2 * k + 2]
        root = np.sqrt(each.days)
        new = (each.flow - reversion * each.days * each.tilt) / root
        logs = []
        for times_flow, times_lp, along in ((1.0, 1.0, 0.0), (flow_times, lp_times, per_sale)):
            of_flow, of_lp = times_flow * scale_flow, times_lp * scale_lp
            density = log_t(new / of_flow, flow_freedom) + log_t((each.change - along * each.flow) / (root * of_lp), lp_freedom)
            density -= math.log(of_flow * of_lp) + 2.0 * np.log(root)
            logs.append(np.where(each.used, density, 0.0))
        chances = np.empty_like(each.days)
        total += float(_forward_compiled(logs[0], logs[1], left**each.days, begin / (begin + end), chances))
        if predicted is not None:
            predicted.append(chances)
    return total


def misfits(pools: Sequence[Steps], values: Array) -> tuple[float, float]:
    """Largest distance of what was predicted a step ahead, of flows and of changes of liquidity, from what was seen: Kolmogorov's, of the shares of steps below each value."""
    predicted: list[Array] = []
    log_likelihood(pools, values, predicted)
    _, _, flow_times, lp_times, flow_freedom, lp_freedom, reversion, per_sale = (float(each) for each in values[: len(SHARED)])
    flows, changes = [], []
    for k, (each, chance) in enumerate(zip(pools, predicted, strict=True)):
        scale_flow, scale_lp = values[len(SHARED) + 2 * k : len(SHARED) + 2 * k + 2]
        root = np.sqrt(each.days)
        new = (each.flow - reversion * each.days * each.tilt) / root
        # liquidity is predicted beside the flow, which tells of the state
        calm, busy = student.pdf(new / scale_flow, flow_freedom), student.pdf(new / (flow_times * scale_flow), flow_freedom) / flow_times
        beside = chance * busy / (chance * busy + (1.0 - chance) * calm)
        below = [student.cdf(new / (times * scale_flow), flow_freedom) for times in (1.0, flow_times)]
        flows.append(((1.0 - chance) * below[0] + chance * below[1])[each.used])
        below = [
            student.cdf((each.change - along * each.flow) / (root * times * scale_lp), lp_freedom)
            for times, along in ((1.0, 0.0), (lp_times, per_sale))
        ]
        changes.append(((1.0 - beside) * below[0] + beside * below[1])[each.used])
    of_flows, of_changes = (float(kstest(np.concatenate(shares), "uniform").statistic) for shares in (flows, changes))
    return of_flows, of_changes


# -- the fit ------------------------------------------------------------------------------------------------------------------------


class _Scale(NamedTuple):
    """How a figure is written as a number without much of a limit, and the ends of that number."""

    low: float
    high: float
    log: bool = True

    def bounds(self) -> tuple[float, float]:
        return (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)

    def value(self, number: float) -> float:
        return min(max(math.exp(number), self.low), self.high) if self.log else number


def _scales(pools: int) -> list[_Scale]:
    """Begin and end are odds against each other's rest (`_values`); a figure that may be 0 or less is itself."""
    chance = _Scale(-14.0, 14.0, log=False)
    times, freedom = _Scale(1.0, 100.0), _Scale(0.3, 1e6)
    return [chance, chance, times, times, freedom, freedom, _Scale(0.0, 10.0, log=False), _Scale(0.0, 20.0, log=False)] + [
        _Scale(1e-9, 10.0)
    ] * (2 * pools)


def _odds(number: float) -> float:
    return 1.0 / (1.0 + math.exp(-number))


def values_of(numbers: Array, scales: Sequence[_Scale], *, end_first: bool = False) -> Array:
    """Figures of the fit's numbers: of the two chances the first is between 0 and 1 and the other between 0 and what that leaves, so that a day's state tells of the next."""
    found = np.array([scale.value(number) for scale, number in zip(scales, numbers, strict=True)])
    first, second = (_END, _BEGIN) if end_first else (_BEGIN, _END)
    found[first] = _odds(numbers[first])
    found[second] = (1.0 - found[first]) * _odds(numbers[second])
    return found


class Fit:
    """One likelihood to be climbed, with any of its numbers held."""

    def __init__(self, pools: Sequence[Steps]) -> None:
        self.pools = pools
        self.scales = _scales(len(pools))
        self.bounds = [scale.bounds() for scale in self.scales]
        self.fixed: dict[int, float] = {}

    def climb(self, start: Array, *, held: dict[int, float] | None = None, end_first: bool = False) -> tuple[float, Array]:
        """The most of the log likelihood from a start, and where, as numbers."""
        held = self.fixed | (held or {})
        numbers = start.copy()
        for place, value in held.items():
            numbers[place] = value
        free = [place for place in range(numbers.size) if place not in held]

        def minus(moved: Array) -> float:
            numbers[free] = moved
            found = log_likelihood(self.pools, values_of(numbers, self.scales, end_first=end_first))
            return -found if math.isfinite(found) else _NO

        done = minimize(
            minus, numbers[free], method="L-BFGS-B", bounds=[self.bounds[place] for place in free], options={"maxiter": 500, "ftol": 1e-11}
        )
        numbers[free] = done.x
        return -float(done.fun), numbers

    def starts(self) -> list[Array]:
        """Where to climb from: spells rare and common, with each pool's quartiles for its scales."""
        found = []
        for begin, end, times in ((-2.2, -1.2, 4.0), (-3.5, -2.0, 8.0), (-1.0, -0.5, 2.5)):
            scales = []
            for each in self.pools:
                for moves in (each.flow, each.change):
                    quartile = float(np.quantile(np.abs(moves[each.used] / np.sqrt(each.days[each.used])), 0.5 if times < 3.0 else 0.35))
                    scales.append(math.log(max(quartile, 1e-8)))
            found.append(np.array([begin, end, math.log(times), math.log(1.3 * times), math.log(3.0), math.log(3.0), 0.0, 0.3, *scales]))
        return found

    def interval(self, place: int, best: Array, top: float) -> tuple[float, float]:
        """Ends of the 95% profile likelihood of one number, the other ones fitted again at each value; its bounds where the profile does not fall that far."""
        limit = top - 0.5 * float(chi2.ppf(LEVEL, 1))
        end_first = place == _END
        ends = []
        for side in (-1.0, 1.0):
            warm = {float(best[place]): best}

            def over(number: float, warm: dict[float, Array] = warm) -> float:
                near = warm[min(warm, key=lambda known: abs(known - number))]
                most, numbers = self.climb(near, held={place: number}, end_first=end_first)
                warm[number] = numbers
                return most - limit

            ends.append(self._end(over, float(best[place]), side, self.bounds[place], step=0.004 if place == _REVERSION else 0.1))
        return ends[0], ends[1]

    @staticmethod
    def _end(over: Callable[[float], float], best: float, side: float, bounds: tuple[float, float], *, step: float) -> float:
        edge = bounds[0] if side < 0.0 else bounds[1]
        inner = best
        for _ in range(_STEPS_OUT):
            outer = best + side * step
            if (outer - edge) * side >= 0.0:
                outer = edge
            if over(outer) < 0.0:
                return float(brentq(over, inner, outer, xtol=2e-3 * max(abs(outer - inner), 1e-6), rtol=1e-6))
            if outer == edge:
                return edge
            inner, step = outer, 1.7 * step
        return edge


def _other_way(numbers: Array) -> Array:
    """The same chances written the end first, and back."""
    begin = _odds(numbers[_BEGIN])
    end = (1.0 - begin) * _odds(numbers[_END])
    found = numbers.copy()
    found[_END] = math.log(end / (1.0 - end))
    ratio = begin / (1.0 - end)
    found[_BEGIN] = math.log(ratio / (1.0 - ratio))
    return found


class Found(NamedTuple):
    """A figure's best value and the ends of its interval."""

    value: float
    low: float
    high: float


def climbed(pools: Sequence[Steps]) -> tuple[Fit, float, Array, float]:
    """The fit, the most of its log likelihood and where, as numbers, and by how much it is above one state's: where two states gain too little, one state's are held."""
    fit = Fit(pools)
    climbs = [fit.climb(start) for start in fit.starts()]
    top, best = max(climbs, key=lambda climb: climb[0])
    top, best = fit.climb(best)
    ones = [fit.climb(start, held=ONE_STATE) for start in (best, fit.starts()[2])]
    one_top, one_best = max(ones, key=lambda climb: climb[0])
    gain = top - one_top
    if 2.0 * gain <= LEAST_GAIN:
        top, best, fit.fixed = one_top, one_best, ONE_STATE
    return fit, top, best, gain


def fit_steps(
    pools: Sequence[Steps], *, intervals: bool = True
) -> tuple[dict[str, Found], list[tuple[Found, Found]], float, float, tuple[float, float]]:
    """The shared figures by name, each pool's calm scales of flow and liquidity, the log likelihood, and by how much it is above one state's, and the misfits of flow and liquidity.

    Where two states gain less than `LEAST_GAIN` the figures are one state's, and the two chances are nobody's. Without ``intervals`` both ends are the value.
    """
    fit, top, best, gain = climbed(pools)
    values = values_of(best, fit.scales, end_first=False)

    def found(place: int) -> Found:
        value = float(values[place])
        if not intervals or place in fit.fixed:
            return Found(value, value, value)
        low, high = fit.interval(place, _other_way(best) if place == _END else best, top)
        chance = place in (_BEGIN, _END)
        low, high = (_odds(end) if chance else fit.scales[place].value(end) for end in (low, high))
        # a chance that its profile leaves open stops at the number's own end, which stands for 0 or 1
        return Found(value, 0.0 if chance and low < 1e-5 else low, 1.0 if chance and high > 1.0 - 1e-5 else high)

    shared = {name: found(place) for place, name in enumerate(SHARED)}
    scales = [(found(len(SHARED) + 2 * k), found(len(SHARED) + 2 * k + 1)) for k in range(len(pools))]
    return shared, scales, top, gain, misfits(pools, values)


def _limits(name: str) -> tuple[float, float, str]:
    return SETTINGS[name].low, SETTINGS[name].high, SETTINGS[name].unit


def fit_spells(tables: Sequence[Table], *, amplifications: Sequence[float] = (), external_supply: float | None = None) -> Calibration:
    """The settings ``spell_…`` of a scenario, from one or several pools' histories.

    ``amplifications``: A of each pool, one for all, or none where the file says it or both sides simply add up. Flows are shares of the first pool's median total, turned into shares
    of ``external_supply`` where that is given. Several pools' calm scales are told as their geometric mean, from the least end of an interval to the largest.
    """
    if amplifications and len(amplifications) not in (1, len(tables)):
        raise AmoOptError(
            f"--amplification: found {len(amplifications)} for {len(tables)} histories; allowed: one for all, or one for each in their order"
        )
    found_a: list[float | None] = (
        [None] * len(tables) if not amplifications else [*amplifications] * (len(tables) if len(amplifications) == 1 else 1)
    )
    pools, left, notes = [], [], []
    for table, a in zip(tables, found_a, strict=True):
        steps, gone = steps_of(table, amplification=a)
        pools.append(steps)
        left += [f"{table.name}: {line}" if len(tables) > 1 else line for line in gone]
        notes += _notes(table, steps, a)
    shared, scales, top, gain, (of_flow, of_change) = fit_steps(pools)
    n = sum(int(np.count_nonzero(each.used)) for each in pools)
    one = None if 2.0 * gain > LEAST_GAIN else f"one state fits as well: two are {gain:.1f} of log likelihood better"
    per_share = 1.0 if external_supply is None else pools[0].total / external_supply
    figures = []
    units = {"lp_per_sale": 1.0 / per_share, "flow_scale": per_share}
    both = {"flow_scale": [flow for flow, _ in scales], "lp_scale": [lp for _, lp in scales]}
    means = {name: Found(math.exp(float(np.mean([math.log(each.value) for each in found]))), min(each.low for each in found), max(each.high for each in found))
             for name, found in both.items()}  # fmt: skip
    for name, found in (shared | means).items():
        low, high, unit = _limits(f"spell_{name}")
        by = units.get(name, 1.0)
        flat = one if name in ("begin", "end", "flow_times", "lp_times", "lp_per_sale") else None
        figures.append(
            Fitted(
                name=f"spell_{name}",
                unit=unit,
                value=found.value * by,
                low=found.low * by,
                high=found.high * by,
                least=low,
                most=high,
                n=n,
                flat=flat,
            )
        )
    if len(pools) > 1:
        notes += [
            f"{each.name}: a calm day's scale of flow {flow.value:.3g} ({flow.low:.3g} to {flow.high:.3g}), of log liquidity {lp.value:.3g} ({lp.low:.3g} to {lp.high:.3g})"
            for each, (flow, lp) in zip(pools, scales, strict=True)
        ]
        notes.append(
            "a calm day's scales are each pool's own: their geometric mean is told, from the least end of their intervals to the largest"
        )
    notes.append(
        "flows are shares of a pool's total" if external_supply is None
        else f"conversion: flow as a share of the pool x median total of {pools[0].name}, {pools[0].total:.4g} / external supply {external_supply:.4g} = x {per_share:.4g}"
    )  # fmt: skip
    notes.append(f"log likelihood {top:.1f}, {gain:.1f} above one state's")
    notes.append(
        f"misfit of flows {of_flow:.3f}, of changes of liquidity {of_change:.3f}; a pool's growth over the years counts as liquidity that came"
    )
    notes.append("what an AMO adds to or takes from a pool is in its liquidity and flow: no column tells it apart")
    doubts = []
    if not 1.0 / UNITS < per_share < UNITS:
        doubts.append(
            f"a pool of {pools[0].total:.4g} beside an external supply of {external_supply:.4g}: {units_of(per_share)}, or one of them is another coin's"
        )
    return Calibration(
        fit="spells", file=", ".join(table.name for table in tables), figures=tuple(figures), n=n,
        method="hidden two-state Markov chain, Student-t steps: likelihood by the forward algorithm, profile (chi squared)",
        residual_sd=max(of_flow, of_change), residual_unit="largest distance of predicted from seen shares of steps", left_out=tuple(left), notes=tuple(notes), doubts=tuple(doubts),
    )  # fmt: skip


def _notes(table: Table, steps: Steps, amplification: float | None) -> list[str]:
    """What was assumed of one file."""
    unused = [name for name in table.unused if name != ASIDE]
    notes = [note for note in table.notes if not note.startswith("not used: ")] + ([f"not used: {', '.join(unused)}"] if unused else [])
    if ASIDE not in table.aside:
        notes.append(f"no column {ASIDE}: what fees add to the pool counts as liquidity that came")
    if "amplification" not in table.numbers and amplification is None:
        notes.append("no A: the pool's liquidity is what both sides add up to")
    gaps = int(np.count_nonzero(~steps.used))
    if gaps:
        notes.append(f"{gaps} of {steps.days.size} steps are longer than {MOST_DAYS:g} days and not fitted")
    return [f"{table.name}: {note}" for note in notes]
