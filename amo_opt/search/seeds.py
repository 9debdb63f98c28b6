"""Sets worth trying before any sampler: the one in force, and those a person would think of first."""

from __future__ import annotations

from amo_opt.protocol.parameters import PARAMETERS, ParameterSet
from amo_opt.search.space import Space

CAPS = ("curve_collateral_cap", "aave_cap")


def seed_sets(space: Space) -> list[ParameterSet]:
    """The current set first, then its known neighbours, moved inside the space; each differs from the others."""
    current = space.base
    values = current.values()
    ideas: list[tuple[str, dict[str, float]]] = [
        ("half-caps", {name: 0.5 * values[name] for name in CAPS}),
        ("no-lending", {"aave_cap": 0.0}),
        ("double-buffer", {"idle_buffer": 2.0 * values["idle_buffer"], "aave_cap": max(0.0, values["aave_cap"] - values["idle_buffer"])}),
        ("tighter-pool", {"pool_share_high": 0.5 * (values["pool_share_low"] + values["pool_share_high"])}),
        ("double-A", {"amplification": 2.0 * values["amplification"]}),
        ("half-A", {"amplification": 0.5 * values["amplification"]}),
    ]
    chosen = [current]
    for name, change in ideas:
        limited = {key: min(max(value, PARAMETERS[key].low), PARAMETERS[key].high) for key, value in change.items()}
        idea = space.parameters(space.values(current.replace(name=name, **limited)), name=name)
        if all(idea.values() != other.values() for other in chosen):
            chosen.append(idea)
    return chosen
