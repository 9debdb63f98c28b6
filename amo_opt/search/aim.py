"""Where twins are worth drawing: a pilot that pushes every noise of a scenario, sees what moves the published figures, and shares paths out by it.

First every noise is pushed as far as every other, both ways, and each push is judged by the variance that it would leave. Then the best few are drawn afresh, so
that none is kept for having been lucky; over how far they are pushed, how long, and which together, the shares α of the paths minimise Σ w φ² / Σ α_k q_k/p, φ
being a path's influence on each figure. The problem is convex in α (He and Owen, Optimal mixture weights in multiple importance sampling, 2014). Its paths are
of a stream of their own.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from amo_opt.errors import SimulationError
from amo_opt.protocol.elementary import exp_of, expm1_of, log_of
from amo_opt.scoring.intervals import nine_digits
from amo_opt.scoring.matrices import product
from amo_opt.simulation.engine import simulate_many
from amo_opt.stress.draws import noises_of
from amo_opt.stress.noise import HOURS_A_DAY
from amo_opt.stress.tilts import NOISES, Component, Design, Tilt

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.simulation.executor import Workers
    from amo_opt.simulation.outcome import Outcome
    from amo_opt.stress.scenario import Scenario

Array = NDArray[np.float64]

STREAM = "pilot"
DRAWN, SCANNED, FRESH = 64, 16, 32
"""Pilot paths of a scenario as it is; of each push in the scan; of each driver drawn afresh, at each of two depths."""
STEEP, STEEP_UNIFORM = 4.5, 3.4
"""How far the scan pushes a noise: the mean of all its normals by so many of its standard deviations; a uniform as far in Kullback and Leibler's divergence, and
less, as it would leave nothing between its range and its very end.
"""
PUSHED = (2.4, 3.9)
"""How far the second look pushes it."""
DEPTHS = (1.2, 1.8, 2.4, 2.9, 3.4, 3.9)
"""How far twins may push it."""
LEVELS = tuple(2.0 + 0.35 * k for k in range(9))
"""Levels at which a walk's push may end, in standard deviations of its whole path; another noise's in its own."""
SHORT = 2
"""How many of those steps short of what all the pilot's events have reached: more events will be seen later, and a push past the shallowest loses most."""
SHARES = (0.5, 0.2)
"""Shares of the paths by which a push by itself is judged: half of them for one figure's events may leave twice the variance of another that happens every
day, and fewer do not.
"""
DRIVERS = 3
"""Most noises that get a second look."""
MOST_COMPONENTS = DRIVERS * (DRIVERS + 1) // 2
"""Most components of a design: every driver, and every two together."""
LEAST_DRAWN = 0.46
"""Least share of the paths that is drawn as the scenario is: what bounds the loss where the pilot was wrong."""
LEAST_SHARE = 0.05
"""Least share of a component that joins: where events are so rare that a few twins see them all, they are still worth those."""
WORTH = 0.6
"""Variance left, over that of the paths as drawn, from which on a scenario stays as it is: the pilot flatters what it chose."""
BETTER = 0.8
"""Variance left, over that without it, under which another component joins."""
OWN_EVENTS, MORE_OFTEN = 4, 2.0
"""Events that a driver's own twins must have, and how much more often than the paths as drawn: a noise that merely travels with another has none."""
TAIL = 0.95
APART = 2.0
"""How much more a path of an event loses at least than any other: what differs by less is of one piece."""
SMALLEST = 1e-6
"""Losses below so much of the largest are told apart no further."""


@dataclass(frozen=True)
class Aim:
    """How a scenario's paths are best shared out: ``shares`` of the paths as drawn and of each component.

    ``left`` is the variance that remains at equal paths, over plain Monte Carlo's, mean of the figures, as the pilot saw it. ``chance`` is that of the events
    which decide the figures, None where no few paths do, and ``edge`` the loss at which those of the column begin, in its unit. ``part`` is the scenario's of the
    variance of the first set's tail mean over all scenarios, at equal paths in each.
    """

    scenario: str
    components: tuple[Component, ...]
    shares: tuple[float, ...]
    left: float
    chance: float | None
    edge: float | None = None
    part: float = 1.0

    @property
    def drivers(self) -> tuple[str, ...]:
        """The noises that twins push, in the order of their components; () = no driver was found."""
        return tuple(dict.fromkeys(tilt.noise for component in self.components for tilt in component))

    def design(self, paths: int) -> Design:
        """So many paths in all, at least one of them drawn."""
        twins = tuple(math.floor(share * paths) for share in self.shares[1:])
        return Design(max(1, paths - sum(twins)), self.components, twins)


def aim(
    sets: Sequence[ParameterSet],
    study: Study,
    *,
    column: str = "peg_loss_bps",
    workers: Workers = 1,
) -> dict[str, Aim]:
    """The aim of every scenario of the study for mean and CVaR of a ``column`` of the outcomes, breaches of the limit on collateral, and the differences between
    the first set and the others. The same whatever the number of workers. Raises `SimulationError` where a set fails on a pilot path.
    """
    scans = {each.name: _Scan.of(each, study) for each in study.scenarios}
    seen = _pilot(sets, study, {name: scan.design for name, scan in scans.items()}, column, workers)
    looks = {}
    for scenario in study.scenarios:
        drivers = scans[scenario.name].drivers(seen[scenario.name])
        if drivers:
            looks[scenario.name] = _Look.of(drivers, scenario, study)
    chosen = {each.name: Aim(each.name, (), (1.0,), 1.0, None) for each in study.scenarios}
    if looks:
        again = {each.name: looks[each.name].design if each.name in looks else Design(DRAWN) for each in study.scenarios}
        seen = _pilot(sets, study, again, column, workers)
        chosen |= {name: replace(_aimed(name, seen[name], look), edge=seen[name].edge) for name, look in looks.items()}
    return _parted(chosen, seen)


def _parted(aims: Mapping[str, Aim], seen: Mapping[str, _Seen]) -> dict[str, Aim]:
    """With each scenario's part of the variance of tail risk; 1 for all where nothing varies."""
    left = {name: aim.left * seen[name].tail for name, aim in aims.items()}
    total = sum(left.values())
    return {name: replace(aim, part=left[name] / total if total > 0.0 else 1.0) for name, aim in aims.items()}


@dataclass(frozen=True)
class _Seen:
    """Pilot paths of a scenario: weights that sum to 1, log q_k/p, influences on each figure, scaled to a variance of 1 under ``weights``: (figures, paths), and
    the components they were drawn from. ``tail`` is what a drawn path adds to the variance of the first set's tail mean over all scenarios.
    """

    weights: Array
    log_ratios: Array
    influences: Array
    component_of: NDArray[np.int64]
    edge: float | None = None
    tail: float = 0.0

    def left(self, shares: Array, ratios: Array) -> float:
        """The variance that remains under shares (of the paths as drawn first) of components whose q/p are the columns."""
        mixed = shares[0] + (ratios * shares[1:]).sum(axis=1)
        found = float(np.mean((np.square(self.influences) * (self.weights / mixed)).sum(axis=1))) if len(self.influences) else 1.0
        # of two pushes that leave as much the first is taken, whatever a sum's last digits are
        return nine_digits(found)

    def least(self, log_ratio: Array) -> float:
        """The variance that remains with the better of `SHARES` drawn from one component."""
        ratios = exp_of(log_ratio)[:, None]
        return min(self.left(np.array([1.0 - share, share]), ratios) for share in SHARES)


def _pilot(sets: Sequence[ParameterSet], study: Study, designs: Mapping[str, Design], column: str, workers: Workers) -> dict[str, _Seen]:
    outcomes = []
    for outcome in simulate_many(sets, study, designs=designs, stream=STREAM, workers=workers):
        if isinstance(outcome, SimulationError):
            raise outcome
        outcomes.append(outcome)
    first = outcomes[0]
    weights, pooled = first.path_weight.copy(), np.empty(len(first.path_weight))
    for k, name in enumerate(first.scenarios):
        rows = first.scenario_of == k
        weights[rows] /= weights[rows].sum()
        pooled[rows] = weights[rows] * first.weights[name]
    figures = [_figures(each, study, pooled, column) for each in outcomes]
    figures += [one - figures[0] for one in figures[1:]]
    values = np.concatenate(figures)
    seen = {}
    for k, name in enumerate(first.scenarios):
        rows = first.scenario_of == k
        seen[name] = _Seen(
            weights[rows],
            first.log_ratios[rows, : len(designs[name].components)],
            _influences(values[:, rows], weights[rows]),
            first.component_of[rows],
            edge=edge_of(values[0, rows], weights[rows]),
            tail=first.weights[name] ** 2
            * float(product(np.square(values[1, rows] - product(values[1, rows], weights[rows])), weights[rows])),
        )
    return seen


def _figures(outcome: Outcome, study: Study, pooled: Array, column: str) -> Array:
    """What a path adds to each figure, up to a constant: (3, paths). A tail mean's is what lies beyond the tail's edge."""
    values = outcome.columns[column]
    order = np.argsort(-values, kind="stable")
    edge = values[order[int(np.searchsorted(np.cumsum(pooled[order]), (1.0 - TAIL) * pooled.sum()))]]
    breach = outcome.columns["min_cr_external"] < study.constraints.min_external_cr
    return np.stack([values, np.maximum(values - edge, 0.0), breach.astype(np.float64)])


def _influences(values: Array, weights: Array) -> Array:
    centred = values - product(values, weights)[:, None]
    spread = np.sqrt(product(np.square(centred), weights))
    # what is the same on every path, up to rounding, decides nothing
    moves = spread > 1e-12 * np.abs(values).max(axis=1, initial=0.0)
    scaled: Array = centred[moves] / spread[moves, None]
    return scaled


# -- what is pushed, and how far ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Scan:
    """Every noise, both ways. ``design`` draws from the first components, one for each of the ``pushes``; the others, by push and depth, only have their ratios
    told.
    """

    design: Design
    pushes: tuple[tuple[str, float], ...]

    @classmethod
    def of(cls, scenario: Scenario, study: Study) -> _Scan:
        """The scan of a scenario's own noises."""
        pushes = tuple(itertools.product(noises_of(scenario, study.state), (-1.0, 1.0)))
        steep = [(_tilt(*push, STEEP_UNIFORM if NOISES[push[0]].kind == "uniform" else STEEP, study),) for push in pushes]
        told = [(_tilt(*push, depth, study),) for push in pushes for depth in DEPTHS]
        return cls(Design(DRAWN, (*steep, *told), (SCANNED,) * len(steep) + (0,) * len(told)), pushes)

    def drivers(self, seen: _Seen) -> tuple[tuple[str, float], ...]:
        """The pushes that would leave least variance, one a noise, the best first; none that would leave nearly all."""
        left = np.array([seen.least(column) for column in seen.log_ratios.T[len(self.pushes) :]])
        least = left.reshape(len(self.pushes), len(DEPTHS)).min(axis=1)
        found: dict[str, tuple[str, float]] = {}
        for k in np.argsort(least, kind="stable"):
            if least[k] < WORTH and len(found) < DRIVERS:
                found.setdefault(self.pushes[k][0], self.pushes[k])
        return tuple(found.values())


def _tilt(noise: str, sign: float, depth: float, study: Study, level: float | None = None) -> Tilt:
    """The push of a noise whose divergence from the scenario is that of a normal's mean moved by ``depth`` deviations."""
    simulation = study.simulation
    kind = NOISES[noise].kind
    if kind == "uniform":
        return Tilt(noise, sign * _end(0.5 * depth * depth))
    hours = simulation.window_hours + (simulation.transition_hours if kind == "walk" else 0)
    return Tilt(noise, sign * depth / math.sqrt(hours), level)


def _end(divergence: float) -> float:
    """The amount a of a uniform's tilt whose Kullback–Leibler divergence, a − 1 + e^−a, is that: Newton's method from above, where it is convex."""
    amount = divergence + 1.0
    for _ in range(50):
        amount -= (amount - 1.0 + exp_of(-amount) - divergence) / -expm1_of(-amount)
    return amount


def _levels(noise: str, sign: float, scenario: Scenario, study: Study) -> tuple[float, ...]:
    kind = NOISES[noise].kind
    if kind == "uniform":
        return ()
    scale = 1.0
    if kind == "walk":
        hours = study.simulation.transition_hours + study.simulation.window_hours
        scale = scenario.settings[NOISES[noise].setting] * math.sqrt(hours / HOURS_A_DAY)
    return tuple(sign * scale * level for level in LEVELS)


# -- the second look ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Look:
    """Drivers drawn afresh. ``design`` draws from the first components, two a driver; the others, ``places`` by driver, level (None first) and depth, only have
    their ratios told.
    """

    design: Design
    places: tuple[tuple[tuple[int, ...], ...], ...]

    @classmethod
    def of(cls, drivers: Sequence[tuple[str, float]], scenario: Scenario, study: Study) -> _Look:
        """Each driver at two depths, and every depth and level of it."""
        components: list[Component] = [(_tilt(*push, depth, study),) for push in drivers for depth in PUSHED]
        twins = [FRESH] * len(components)
        places = []
        for push in drivers:
            by_level = []
            for level in (None, *_levels(*push, scenario, study)):
                by_level.append(tuple(range(len(components), len(components) + len(DEPTHS))))
                components += [(_tilt(*push, depth, study, level),) for depth in DEPTHS]
            places.append(tuple(by_level))
        twins += [0] * (len(components) - len(twins))
        return cls(Design(DRAWN, tuple(components), tuple(twins)), tuple(places))


def _aimed(name: str, seen: _Seen, look: _Look) -> Aim:
    events = _events(seen)
    chance = float(seen.weights[events].sum()) if events.any() else None
    best = []
    for k, by_level in enumerate(look.places):
        own = np.isin(seen.component_of, range(1 + k * len(PUSHED), 1 + (k + 1) * len(PUSHED)))
        drawn = events[seen.component_of == 0].mean()
        if not events.any() or (events[own].sum() >= OWN_EVENTS and events[own].mean() > MORE_OFTEN * drawn):
            best.append(_best(seen, by_level, own & events))
    # the noises are independent, so ratios multiply
    together = [pick for size in (1, 2) for pick in itertools.combinations(best, size)]
    components = [tuple(tilt for place in pick for tilt in look.design.components[place]) for pick in together]
    ratios = (
        exp_of(np.stack([seen.log_ratios[:, list(pick)].sum(axis=1) for pick in together], axis=1)) if best else np.empty((len(events), 0))
    )
    kept, shares, left = _joined(seen, ratios)
    if left > WORTH:
        return Aim(name, (), (1.0,), 1.0, chance)
    return Aim(name, tuple(components[k] for k in kept), tuple(float(share) for share in shares), left, chance)


def _joined(seen: _Seen, ratios: Array) -> tuple[list[int], Array, float]:
    """The components that join one after the other, each time the one that leaves least, as long as it is worth it; their shares, and what is left."""
    kept: list[int] = []
    shares, left = np.ones(1), 1.0
    while True:
        others = [k for k in range(ratios.shape[1]) if k not in kept]
        tried = [(seen.left(each, ratios[:, [*kept, k]]), k, each) for k in others for each in [_shares(seen, ratios[:, [*kept, k]])]]
        if not tried:
            return kept, shares, left
        least, k, found = min(tried, key=lambda each: each[:2])
        if least > BETTER * left:
            return kept, shares, left
        kept, shares, left = [*kept, k], found, least


def _events(seen: _Seen) -> NDArray[np.bool_]:
    """The few paths that decide a figure: at least half as far out as the farthest, and together most of its variance."""
    events = np.zeros(len(seen.weights), dtype=bool)
    for influence in seen.influences:
        far = influence >= 0.5 * influence.max()
        if product(seen.weights[far], np.square(influence[far])) > 0.5 and seen.weights[far].sum() < 1.0 - TAIL:
            events |= far
    return events


def edge_of(losses: Array, weights: Array) -> float | None:
    """The loss at which events begin, under weights of sum 1: halfway (in logarithms) over the widest gap that leaves beyond it less than a tail of the weight and
    more than half of the mean's variance. None where there is no such gap of a factor of `APART`.
    """
    order = np.argsort(-losses, kind="stable")
    ordered, beyond = losses[order], np.cumsum(weights[order])
    varies = np.cumsum(weights[order] * np.square(ordered - product(weights, losses)))
    held = np.flatnonzero((beyond < 1.0 - TAIL) & (varies > 0.5 * varies[-1]) & (ordered > 0.0))
    if not held.size:
        return None
    logs = log_of(np.maximum(ordered, SMALLEST * ordered[0]))
    gaps = logs[held] - logs[held + 1]
    widest = held[np.argmax(gaps)]
    return exp_of(0.5 * float(logs[widest] + logs[widest + 1])) if gaps.max() >= math.log(APART) else None


def _best(seen: _Seen, by_level: Sequence[Sequence[int]], events: NDArray[np.bool_]) -> int:
    """The component of one driver that leaves least; its level `SHORT` steps short of the deepest that all its own ``events`` have reached, or less deep."""
    allowed: Sequence[Sequence[int]] = [by_level[0]]
    if events.any():
        unended = seen.log_ratios[:, by_level[0][0]]
        # a push that ended changes the ratio, one that did not leaves that of the push without an end
        reached = [bool(np.all(seen.log_ratios[events, places[0]] != unended[events])) for places in by_level[1:]]
        every = next((k for k, all_have in enumerate(reached) if not all_have), len(reached))
        # a push that may end does at least as well as one that goes on
        allowed = by_level[1 : 1 + every - SHORT] if every > SHORT else allowed
    places = [place for each in allowed for place in each]
    return min(places, key=lambda place: seen.least(seen.log_ratios[:, place]))


def _shares(seen: _Seen, ratios: Array) -> Array:
    """The shares that leave least, (1 + components,): at least `LEAST_DRAWN` of the paths as drawn, and `LEAST_SHARE` of each component."""
    count = ratios.shape[1]
    if count == 0:
        return np.ones(1)
    squares = np.mean(np.square(seen.influences), axis=0) * seen.weights

    def left(twins: Array) -> tuple[float, Array]:
        mixed = 1.0 + product(ratios - 1.0, twins)
        return float((squares / mixed).sum()), -product(squares / np.square(mixed), ratios - 1.0)

    found = minimize(
        left,
        np.full(count, 0.5 / count),
        jac=True,
        method="SLSQP",
        bounds=[(LEAST_SHARE, 1.0)] * count,
        constraints={"type": "ineq", "fun": lambda twins: 1.0 - LEAST_DRAWN - twins.sum(), "jac": lambda _: np.full(count, -1.0)},
        options={"ftol": 1e-9, "maxiter": 200},
    )
    twins = np.clip(found.x, LEAST_SHARE, 1.0)
    twins *= min(1.0, (1.0 - LEAST_DRAWN) / max(float(twins.sum()), 1e-12))
    # what a library's last digits are hangs on where its arrays lie in memory
    twins = np.round(twins, 6)
    return np.concatenate([[1.0 - twins.sum()], twins])
