"""Sets between the current one and those that nearly passed: where a set gains and only a tolerance is in the way, less of the same may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from amo_opt.search.front import worth
from amo_opt.search.plateau import half_way
from amo_opt.search.rule import DOLLAR, PEG, tolerances

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.search.result import Candidate
    from amo_opt.search.ruling import Objection

MOST_NEAR = 2
"""Sets that are taken back in part: those that gain most."""


def half_steps(
    study: Study, rivals: Sequence[Candidate], objections: Mapping[str, Objection | None]
) -> list[tuple[str, ParameterSet, None]]:
    """Half and three quarters of the way to the sets whose one objection is that a loss of more than a tolerance is not ruled out (or that this is left to holdout
    paths), by no more than as much again; of sets of which none passed the rule. No search scored them.
    """
    units = tolerances(study.certification)

    def gain(candidate: Candidate) -> float:
        return worth(candidate.point, units)

    near = [each for each in rivals if _nearly(objections[each.id])]
    found: list[tuple[str, ParameterSet, None]] = []
    seen = {tuple(each.parameters.values().values()) for each in rivals}
    for candidate in sorted(near, key=gain, reverse=True)[:MOST_NEAR]:
        half = half_way(study.current, candidate.parameters)
        if half is None:
            continue
        for share, parameters in (("half", half), ("three-quarters", half_way(half, candidate.parameters))):
            if parameters is not None and tuple(parameters.values().values()) not in seen:
                seen.add(tuple(parameters.values().values()))
                name = f"{candidate.id}-{share}"
                found.append((name, parameters.replace(name=name), None))
    return found


def _nearly(objection: Objection | None) -> bool:
    if objection is None:
        return True
    if objection.kind != "tolerance" or objection.interval is None or objection.bound is None:
        return False
    # as far as half the way takes back, roughly
    loss = objection.interval.high if objection.metric in (PEG, DOLLAR) else -objection.interval.low
    return loss <= 2.0 * objection.bound
