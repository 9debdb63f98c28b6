"""Whether a set lies on a plateau: what one governance-sized step of one parameter does to it, and the set half the way to it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.config.study import Study
from amo_opt.errors import SimulationError
from amo_opt.protocol.parameters import ORDERED_PAIRS, ParameterSet
from amo_opt.scoring.constraints import caps_plus_buffer
from amo_opt.scoring.paired import Brief, differences
from amo_opt.scoring.score import Held, held
from amo_opt.scoring.types import Constraint, PairedDifference
from amo_opt.search.certifier import Certifier
from amo_opt.search.result import Neighbour
from amo_opt.search.rule import COMPARED
from amo_opt.search.ruling import Objection
from amo_opt.simulation.outcome import Outcome

SHARE = 0.1
"""A step where the scale is logarithmic, as a share of the value; two significant digits are left of where it leads."""
Side = Literal[-1, 1]


@dataclass(frozen=True)
class Step:
    """A set one step away: which parameter, which way, and the set."""

    parameter: str
    side: Side
    parameters: ParameterSet


def stepped(name: str, value: float, side: Side) -> float:
    """The value one step lower or higher, as a vote would be held on it, within what a file may hold.

    >>> stepped("idle_buffer", 0.1, 1), stepped("amplification", 1500, -1), stepped("unwind_cr_margin", 0.0, -1)
    (0.11, 1400.0, 0.0)
    """
    parameter = PARAMETERS[name]
    moved = parameter.rounded(value * (1.0 + side * SHARE) if parameter.log else value + side * parameter.step)
    if parameter.kind == "integer" and round(moved) == round(value):
        moved = value + side
    return min(max(moved, parameter.low), parameter.high)


def steps_around(shown: ParameterSet, study: Study) -> list[Step]:
    """Every set one step away from the shown one, in one parameter that is searched or was changed, in the order of a parameter file.

    Left out is what no vote could be held on: beyond a parameter's range, an ordered pair out of order, more collateral promised than
    there is (a limit that the set itself keeps to the last percent is no cliff).
    """
    values, current = shown.values(), study.current.values()
    found = []
    sides: tuple[Side, Side] = (-1, 1)
    for name in current:
        if name not in study.search.space and values[name] == current[name]:
            continue
        for side in sides:
            moved = shown.replace(name=f"{name}{'-' if side < 0 else '+'}", **{name: stepped(name, values[name], side)})
            if moved.values() != values and ordered(moved) and caps_plus_buffer(moved) <= max(1.0, caps_plus_buffer(shown)):
                found.append(Step(name, side, moved))
    return found


def neighbours(certifier: Certifier, shown: ParameterSet) -> tuple[tuple[Neighbour, ...], Objection | None]:
    """The shown set's neighbours on the first holdout paths, and what refuses it: a neighbour that breaks a limit the shown set keeps there.

    Like is compared with like, as fewer paths run here than were certified: a neighbour is feasible where it keeps, at its confidence
    bound, every limit that the shown set keeps at its own on the same paths, and at its point value every other one that the shown
    set keeps at its own point value. It refuses the shown set only where a point value is beyond a limit. Where the paths are too few to know an
    interval whether it is feasible is not known.
    """
    study = certifier.study
    n = max(study.simulation.paths, certifier.paths // 10)
    steps = steps_around(shown, study)
    home: list[tuple[tuple[Constraint, ...], Brief]] = []

    def judge(job: tuple[Step, Outcome | SimulationError]) -> tuple[Neighbour, Objection | None]:
        (limits, base), (step, outcome) = home[0], job
        if isinstance(outcome, SimulationError):
            failed = Objection(kind="failed", stream="holdout", detail=str(outcome))
            return _neighbour(step, (), failed, n), _cliff(step, None, str(outcome))
        found = held(outcome, study, metrics=COMPARED)
        broken = _broken(found, {each.key for each in limits if each.violation <= 0.0})
        refusal = None if broken is None else _cliff(step, broken)
        paired = tuple(differences(found.brief, base).values())
        return _neighbour(step, paired, _objection(found, limits), n), refusal

    def around_it(first: int, outcomes: list[Outcome | SimulationError]) -> list[tuple[Neighbour, Objection | None]]:
        if first == 0:
            base = outcomes.pop(0)
            if isinstance(base, SimulationError):
                raise base
            found = held(base, study, metrics=COMPARED)
            home.append((found.constraints, found.brief))
        here = steps[max(0, first - 1) :][: len(outcomes)]
        return certifier.map(judge, list(zip(here, outcomes, strict=True)))

    sets = [shown, *(step.parameters for step in steps)]
    around = certifier.in_groups(sets, around_it, stream="holdout", phase="neighbours", paths=n)
    return tuple(each for each, _ in around), next((refusal for _, refusal in around if refusal is not None), None)


def _cliff(step: Step, limit: Constraint | None, detail: str = "") -> Objection:
    """That one step from the shown set leads beyond a limit, or to a path that fails."""
    value = float(step.parameters.values()[step.parameter])
    return Objection(kind="cliff", stream="holdout", parameter=step.parameter, value=value, limit=limit, at_value=True, detail=detail)


def _neighbour(step: Step, paired: tuple[PairedDifference, ...], objection: Objection | None, n: int) -> Neighbour:
    return Neighbour(
        parameter=step.parameter,
        side=step.side,
        value=float(step.parameters.values()[step.parameter]),
        paired=paired,
        feasible=None if objection is not None and objection.kind == "not known" else objection is None,
        objection=objection,
        n=n,
    )


def _broken(found: Held, kept: set[str]) -> Constraint | None:
    """The limit among ``kept`` whose point value is furthest beyond it."""
    broken = [each for each in found.constraints if each.key in kept and each.violation > 0.0]
    return max(broken, key=lambda each: each.violation, default=None)


def _objection(found: Held, limits: Sequence[Constraint]) -> Objection | None:
    """The first limit that the neighbour does not keep as the shown set does, else the first whose interval is not known; None where it keeps
    them all.
    """
    base: Mapping[str, Constraint] = {each.key: each for each in limits}
    for each in found.constraints:
        shown = base[each.key]
        if shown.violation_high <= 0.0 < each.violation_high and each.estimate.interval is not None:
            return Objection(kind="limit", stream="holdout", limit=each)
        if shown.violation <= 0.0 < each.violation:
            return Objection(kind="limit", stream="holdout", limit=each, at_value=True)
    unknown = next((each for each in found.constraints if each.estimate.interval is None), None)
    return None if unknown is None else Objection(kind="not known", stream="holdout", limit=unknown)


def half_way(current: ParameterSet, shown: ParameterSet) -> ParameterSet | None:
    """The set with every parameter half the way from the current to the shown one, as a vote would be held on it; None where that is one of the two.

    Half the way is by equal factors where the scale is logarithmic.
    """
    before, after = current.values(), shown.values()
    values: dict[str, float] = {}
    for name in before:
        parameter, a, b = PARAMETERS[name], before[name], after[name]
        if a == b:
            continue
        middle = math.sqrt(a * b) if parameter.log else 0.5 * (a + b)
        values[name] = min(max(parameter.rounded(middle), min(a, b)), max(a, b))
    half = current.replace(name="half-step", **values)
    return half if half.values() not in (before, after) and ordered(half) else None


def ordered(parameters: ParameterSet) -> bool:
    """Whether the low end of every ordered pair lies below the high one."""
    values = parameters.values()
    return all(values[low] < values[high] for low, high in ORDERED_PAIRS)
