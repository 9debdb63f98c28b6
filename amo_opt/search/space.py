"""The search space: parameters as Optuna's variables and back.

Ordered pairs (`pool_share_low` < `pool_share_high`, `unwind_price` < `reentry_price`) are searched as the low end and the gap above it, so that
no variable's range depends on another's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.config.study import Study
from amo_opt.protocol.parameters import ORDERED_PAIRS, ParameterSet

SMALLEST_GAP = 0.01
"""Smallest gap of an ordered pair that is searched."""
GAP_NAMES = {"pool_share_high": "pool_share_gap", "reentry_price": "reentry_gap"}
"""High end of a pair -> the variable that stands for it."""


@dataclass(frozen=True)
class Space:
    """``distributions`` by variable name, in the order of `PARAMETERS`; ``base`` holds what is not searched; ``bounds`` by parameter what
    rounding may not leave: its range, less what the other end of its pair rules out.
    """

    distributions: dict[str, BaseDistribution]
    base: ParameterSet
    bounds: dict[str, tuple[float, float]]

    def parameters(self, values: Mapping[str, float], *, name: str) -> ParameterSet:
        """The parameter set of Optuna's values, rounded to steps governance would vote on, within the space."""
        changed = {key: value for key, value in values.items() if key in PARAMETERS}
        for low, high in ORDERED_PAIRS:
            gap = GAP_NAMES[high]
            if gap in values:
                start = changed.get(low, self.base.values()[low])
                changed[high] = start + values[gap]
        changed = {key: self._votable(key, value) for key, value in changed.items()}
        for low, high in ORDERED_PAIRS:
            if GAP_NAMES[high] in values and changed[high] <= changed.get(low, self.base.values()[low]):
                raised = PARAMETERS[high].rounded(changed.get(low, self.base.values()[low]) + PARAMETERS[high].step)
                changed[high] = min(raised, self.bounds[high][1])
        return self.base.replace(name=name, **changed)

    def _votable(self, name: str, value: float) -> float:
        low, high = self.bounds[name]
        return min(max(PARAMETERS[name].rounded(value), low), high)

    def values(self, parameters: ParameterSet) -> dict[str, float]:
        """Optuna's values of a parameter set, moved to the nearest value inside the space where it lies outside."""
        known = parameters.values()
        found: dict[str, float] = {}
        for variable, distribution in self.distributions.items():
            pair = next(((low, high) for low, high in ORDERED_PAIRS if GAP_NAMES[high] == variable), None)
            wanted = known[variable] if pair is None else known[pair[1]] - known[pair[0]]
            low, high = distribution.low, distribution.high  # type: ignore[attr-defined]
            inside = min(max(wanted, low), high)
            found[variable] = round(inside) if isinstance(distribution, IntDistribution) else float(inside)
        return found


def build_space(study: Study) -> Space:
    """The study's space; a pair's high end becomes a gap where its low end is searched too."""
    space = study.search.space
    distributions: dict[str, BaseDistribution] = {}
    bounds: dict[str, tuple[float, float]] = {}
    current = study.current.values()
    for name in current:
        if name not in space:
            continue
        chosen = space[name]
        low, high = chosen.low, chosen.high
        for pair_low, pair_high in ORDERED_PAIRS:
            # An end leaves the other one room where its own range can; where it cannot, one value of its range is left.
            if name == pair_low and pair_high in space:
                high = max(low, min(high, space[pair_high].high - PARAMETERS[pair_high].step))
            elif name == pair_low:
                high = max(low, min(high, current[pair_high] - SMALLEST_GAP))
            elif name == pair_high and pair_low not in space:
                low = min(high, max(low, current[pair_low] + SMALLEST_GAP))
        bounds[name] = (low, high)
        for pair_low, pair_high in ORDERED_PAIRS:
            if name == pair_high and pair_low in space:
                low = max(SMALLEST_GAP, chosen.low - space[pair_low].high)
                high = max(chosen.high - space[pair_low].low, 2.0 * SMALLEST_GAP)
                name = GAP_NAMES[name]  # noqa: PLW2901 - the variable that stands for the high end
        whole = name in PARAMETERS and PARAMETERS[name].kind == "integer"
        log = chosen.log and name in PARAMETERS
        distributions[name] = IntDistribution(round(low), round(high), log=log) if whole else FloatDistribution(low, high, log=log)
    return Space(distributions=distributions, base=study.current, bounds=bounds)
