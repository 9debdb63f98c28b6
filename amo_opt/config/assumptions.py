"""Everything a study assumes, and joint draws of it: figures of the state, settings of scenarios, weights.

A draw puts every assumption somewhere in its range: the assumed value is the median, and each side of it is even to its end. Points are
scrambled Sobol', keyed by the study's seed. What must hold together is kept together: a position takes the minter's books along, calm takes
the weight that the others leave, and a setting that entries share is drawn once for all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Literal

import numpy as np

from amo_opt.amos.sections import POSITIONS
from amo_opt.config.balance import balance_fault
from amo_opt.config.overrides import moved_with_books
from amo_opt.config.schema import acts, figures_in
from amo_opt.config.study import Study
from amo_opt.stress.catalogue import CALM, WEIGHT
from amo_opt.stress.facts import following
from amo_opt.stress.touches import tables_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from amo_opt.protocol.state import ProtocolState
    from amo_opt.stress.scenario import Scenario

HALVINGS = 6
"""Times a move is halved before its figure stays where it was."""
_BALANCED = ("stablecoin.", "controller.", "redeem.", "mint.", "pool.", "collateral.", "amos.")
"""What the names of figures begin with that a balance sheet may be at fault for."""


@dataclass(frozen=True, kw_only=True)
class Assumption:
    """A figure of the state (``pool.fee``), a setting or a weight of a scenario (``calm: share_daily_vol``) that is in doubt from ``low`` to ``high``."""

    name: str
    kind: Literal["figure", "setting", "weight"]
    value: float
    low: float
    high: float

    def at(self, uniform: float) -> float:
        """The value at a point of [0, 1): the assumed one at a half, the ends at either end, even in between."""
        if uniform < 0.5:
            return self.low + (self.value - self.low) * 2.0 * uniform
        return self.value + (self.high - self.value) * (2.0 * uniform - 1.0)

    def position(self, value: float) -> float:
        """Where a value lies: -1 at the low end, 0 at the assumed value, 1 at the high one."""
        side = self.value - self.low if value < self.value else self.high - self.value
        return (value - self.value) / side if side > 0.0 else 0.0


@dataclass(frozen=True, kw_only=True)
class Draw:
    """One joint draw: every assumption's ``values`` in their order, and the study with them."""

    number: int
    values: tuple[float, ...]
    study: Study


def assumptions(study: Study) -> tuple[Assumption, ...]:
    """What is in doubt, in the order of the state, then of the scenarios: whatever is assumed and has a range that is more than a point.

    A book of a position that is itself in doubt is none of its own: it moves as the position does. A weight of calm is what others leave.
    """
    return tuple(
        each
        for each in (*_figures(study.state), *_settings(study.scenarios, study.state), *_weights(study.scenarios))
        if each.low < each.high
    )


def _figures(state: ProtocolState) -> Iterator[Assumption]:
    following = {book for position, books in POSITIONS.items() if _span(state, position) is not None for book in books}
    for name in (name for name in figures_in(state) if acts(state, name)):
        span = _span(state, name)
        if span is not None and name not in following:
            yield Assumption(name=name, kind="figure", value=attrgetter(name)(state).value, low=span[0], high=span[1])


def _span(state: ProtocolState, name: str) -> tuple[float, float] | None:
    figure = attrgetter(name)(state)
    if figure.assumed is None or figure.low is None or figure.high is None or not figure.low < figure.high:
        return None
    return float(figure.low), float(figure.high)


def _settings(scenarios: Sequence[Scenario], state: ProtocolState) -> Iterator[Assumption]:
    seen = set()
    for scenario in scenarios:
        for name, span in scenario.ranges.items():
            key = f"{span.entry}: {name}"
            reached = name == WEIGHT or not tables_of(name) or any(state.has(table) for table in tables_of(name))
            if name != WEIGHT and reached and key not in seen:
                seen.add(key)
                yield Assumption(name=key, kind="setting", value=scenario.settings[name], low=span.low, high=span.high)


def _weights(scenarios: Sequence[Scenario]) -> Iterator[Assumption]:
    for scenario in scenarios:
        span = scenario.ranges.get(WEIGHT)
        if span is not None and scenario.name != CALM:
            yield Assumption(name=f"{scenario.name}: {WEIGHT}", kind="weight", value=scenario.weight, low=span.low, high=span.high)


def joint_draws(study: Study, doubted: Sequence[Assumption], *, count: int) -> Iterator[Draw]:
    """That many joint draws of what is in doubt; where the study has a fit of spells, each with one of its draws."""
    return (joint_draw(study, doubted, number, count=count) for number in range(count))


def joint_draw(study: Study, doubted: Sequence[Assumption], number: int, *, count: int) -> Draw:
    """That one of ``count`` joint draws."""
    point = _points(study.search.seed, len(doubted), count)[number]
    found = drawn(study, doubted, [each.at(float(u)) for each, u in zip(doubted, point, strict=True)], number=number)
    return found if study.spells is None else replace(found, study=_with_spells(found.study, study, number))


def _with_spells(drawn_study: Study, study: Study, number: int) -> Study:
    """A drawn study with the spells of that draw; what the study sets itself of them stays."""
    if study.spells is None:
        return drawn_study
    fitted, own = study.spells.settings(study.state), study.spells.drawn(drawn_study.state, number)

    def moved(scenario: Scenario) -> Scenario:
        changed = {name: value for name, value in own.items() if scenario.settings[name] == fitted[name]}
        return replace(scenario, settings={**scenario.settings, **changed})

    return replace(drawn_study, scenarios=tuple(moved(each) for each in drawn_study.scenarios))


@lru_cache(maxsize=4)
def _points(seed: int, dimensions: int, count: int) -> NDArray[np.float64]:
    from scipy.stats import qmc  # here, because it takes long to import

    key = hashlib.blake2b(repr((seed, "doubt")).encode(), digest_size=16).digest()
    words = [int(word) for word in np.frombuffer(key, dtype="<u4")]
    sobol = qmc.Sobol(dimensions, rng=np.random.Generator(np.random.Philox(np.random.SeedSequence(words))))
    points: NDArray[np.float64] = sobol.random_base2(max(0, count - 1).bit_length())[:count]
    return points


def drawn(study: Study, doubted: Sequence[Assumption], values: Sequence[float], *, number: int = 0) -> Draw:
    """The study with these values of what is in doubt; a value that leaves no balance sheet is drawn back towards the assumed one."""
    wanted = dict(zip((each.name for each in doubted), values, strict=True))
    figures = [each for each in doubted if each.kind == "figure"]
    state = _moved(study.state, figures, wanted, number=number)
    taken = {each.name: float(attrgetter(each.name)(state).value) for each in figures}
    return Draw(
        number=number,
        values=tuple(taken.get(each.name, wanted[each.name]) for each in doubted),
        study=replace(study, state=state, scenarios=_scenarios(study, doubted, wanted, state)),
    )


def moved(study: Study, one: Assumption, value: float) -> Study:
    """The study with one assumption elsewhere, its books with it, whether or not that is a balance sheet."""
    state = moved_with_books(study.state, one.name, value) if one.kind == "figure" else study.state
    scenarios = _scenarios(study, [one], {one.name: value}, state)
    return replace(study, state=state, scenarios=scenarios)


def _scenarios(study: Study, doubted: Sequence[Assumption], wanted: Mapping[str, float], state: ProtocolState) -> tuple[Scenario, ...]:
    found = tuple(following(_resettled(each, wanted), state) for each in study.scenarios)
    return _reweighed(found, study.scenarios, wanted) if any(each.kind == "weight" for each in doubted) else found


def _moved(state: ProtocolState, doubted: Sequence[Assumption], wanted: Mapping[str, float], *, number: int) -> ProtocolState:
    """The state with its figures moved. Where that is no balance sheet, those that one is made of are moved one by one, each as far as the
    sheet bears in halves of its way, beginning with another one in each draw: so none gives way to the others in all of them. Drawing such a
    point anew would leave out the corners of ranges that are asked about.
    """
    moved = state
    for each in doubted:
        moved = moved_with_books(moved, each.name, wanted[each.name])
    if not balance_fault(moved):
        return moved
    for each in doubted:
        if not each.name.startswith(_BALANCED):
            state = moved_with_books(state, each.name, wanted[each.name])
    balanced = [each for each in doubted if each.name.startswith(_BALANCED)]
    first = number % max(1, len(balanced))
    for each in (*balanced[first:], *balanced[:first]):
        start = float(attrgetter(each.name)(state).value)
        for halving in range(HALVINGS):
            further = moved_with_books(state, each.name, start + (wanted[each.name] - start) * 0.5**halving)
            if not balance_fault(further):
                state = further
                break
    return state


def _resettled(scenario: Scenario, wanted: Mapping[str, float]) -> Scenario:
    changed = {
        name: wanted[f"{span.entry}: {name}"]
        for name, span in scenario.ranges.items()
        if name != WEIGHT and f"{span.entry}: {name}" in wanted
    }
    return replace(scenario, settings={**scenario.settings, **changed}) if changed else scenario


def _reweighed(scenarios: Sequence[Scenario], before: Sequence[Scenario], wanted: Mapping[str, float]) -> tuple[Scenario, ...]:
    """Scenarios at their drawn weights; calm has what they leave of what all weighed."""
    weights = {each.name: wanted.get(f"{each.name}: {WEIGHT}", each.weight) for each in scenarios}
    if CALM in weights:
        others = sum(weight for name, weight in weights.items() if name != CALM)
        weights[CALM] = max(0.0, sum(each.weight for each in before) - others)
    return tuple(replace(each, weight=weights[each.name]) for each in scenarios)
