"""Sets worth trying before any sampler: the one in force, and those a person would think of first."""

from __future__ import annotations

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.parameters import PARAMETERS, is_named
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.search.space import Space

CAPS = tuple(each.holding_cap.name for each in MECHANISMS if each.holding_cap is not None)
"""What each AMO of the catalogue may hold."""
LENDING = tuple(each.holding_cap for each in MECHANISMS if each.market is not None and each.holding_cap is not None)
LENT_COLLATERAL = next((each.name for each in LENDING if each.borrows), None)
"""Where a larger buffer comes from: the first AMO that lends collateral."""


def seed_sets(space: Space) -> list[ParameterSet]:
    """The current set first, then its known neighbours, moved inside the space; each differs from the others."""
    current = space.base
    values = current.values()
    calmer = {"cr_step": 0.5 * values["cr_step"]}
    patient = {"unwind_cr_margin": 2.0 * values["unwind_cr_margin"]}
    quicker = {"rebalance_rate": 2.0 * values["rebalance_rate"]}
    buffered = {"idle_buffer": 1.5 * values["idle_buffer"]}
    if LENT_COLLATERAL is not None:
        buffered[LENT_COLLATERAL] = max(0.0, values[LENT_COLLATERAL] - 0.5 * values["idle_buffer"])
    # ceilings and caps of AMOs whose names the state chose
    named = [name for name in values if is_named(name) and (PARAMETERS[name].amount or PARAMETERS[name].share_of is not None)]
    curves = [name for name in values if name == "amplification" or (is_named(name) and name.endswith(".amplification"))]
    ideas: list[tuple[str, dict[str, float]]] = [
        ("half-caps", {name: 0.5 * values[name] for name in (*CAPS, *named)}),
        ("no-lending", {each.name: 0.0 for each in LENDING}),
        ("buffered", buffered),
        ("tighter-pool", {"pool_share_high": 0.5 * (values["pool_share_low"] + values["pool_share_high"])}),
        ("double-A", {name: 2.0 * values[name] for name in curves}),
        ("half-A", {name: 0.5 * values[name] for name in curves}),
        ("calmer-patient-quicker", {**calmer, **patient, **quicker}),
        ("calmer-patient-quicker-buffered", {**calmer, **patient, **quicker, **buffered}),
    ]
    chosen = [current]
    for name, change in ideas:
        if not change.keys() & space.bounds.keys():
            continue  # nothing of the idea is searched: only the current set's rounding would be left of it
        limited = {key: min(max(value, PARAMETERS[key].low), PARAMETERS[key].high) for key, value in change.items()}
        idea = space.parameters(space.values(current.replace(name=name, **limited)), name=name)
        if all(idea.values() != other.values() for other in chosen):
            chosen.append(idea)
    return chosen
