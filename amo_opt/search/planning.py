"""How many paths of which component certification draws: on selection paths by the pilot's aim, on holdout paths by what selection paths saw.

The holdout is planned on paths of its own and looked at once, so no correction is due. Paths go where the variance of the deciding difference is (Neyman's
allocation): with f times the paths of a scenario its part v of the variance becomes v / f, and Σ f n is least under Σ v / f = σ² where f is in proportion to
√(v / n).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from amo_opt.scoring.types import LEAST_PATHS
from amo_opt.search.aim import LEAST_DRAWN, MOST_COMPONENTS, aim
from amo_opt.simulation.size import check_work
from amo_opt.stress.draws import noises_of
from amo_opt.stress.tilts import Design, Tilt

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.scoring.paired import Brief
    from amo_opt.scoring.types import Estimate
    from amo_opt.search.aim import Aim
    from amo_opt.simulation.executor import Workers

Designs = dict[str, Design]
"""By scenario."""
MILDER = ((0.75, 0.25), (0.5, 0.15))
"""Pushes less than the aim's, as parts of it, and the shares of a component's twins that are pushed so."""
DECIDES = 0.01
"""Part of the variance of tail risk from which on a scenario decides it."""
MORE, FEWER = 2.0, 0.5
"""Times an aim's twins that a scenario gets which decides, and any other: drawn paths are the same in all."""
WITHIN = 1.5
"""What any other gets at least where it is published: with `FEWER` the interval of a difference within it, which hangs on the rarest of its twins, holds the truth in 86% of samples."""
NEAR = 0.09
"""Half-width of a published peg risk that the holdout is planned for, as a share of it: a tenth at most, less what a plan may err by."""
TWO_SIDED_NORMAL = 1.96
"""Half-widths of a 95% interval in standard errors."""
ONE_SIDED_NORMAL = 1.645
"""What chance adds to a figure in one of twenty, in standard errors."""
ENOUGH = 1.02
"""Variance, over the least that the cap leaves, with which a plan that the cap binds is content."""
STEPS = 200
"""Halvings by which the plan's one unknown is found: beyond a double's digits."""


@dataclass(frozen=True)
class Plan:
    """A holdout as planned: its designs, the half-width of the deciding difference that was asked for and the one that is expected of it, and whether the
    cap `most_paths` bound it.
    """

    designs: Designs
    wanted: float | None
    expected: float | None
    capped: bool


def aimed_designs(
    parameters: ParameterSet, study: Study, paths: int, *, sets: int = 1, workers: Workers
) -> tuple[Designs, dict[str, float | None]]:
    """So many drawn paths of every scenario beside the twins that a pilot of the set finds worth drawing; and the loss at which each scenario's events begin.
    Raises `SimulationError` where the set fails on a pilot path, and `AmoOptError` before that where ``sets`` outcomes of so many drawn paths do not fit into
    memory.
    """
    check_work(study, paths, None, sets=sets, workers=workers)
    aims = aim([parameters], study, workers=workers)
    return selection_designs(aims, study, paths), {name: each.edge for name, each in aims.items()}


def guided(aims: Mapping[str, Aim], study: Study) -> dict[str, Aim]:
    """The aims, where a scenario does not decide tail risk those of the one that decides it most and whose noises it has.

    What moves the rare events of one moves those of the others, and there a pilot's few paths see too few of them: it pushed FRAX's share token half as far in two scenarios of March 2023 as in calm, and
    of runs with a chance of 1e-5 most samples drew none; their own tails were told in 19 to 36% of samples where 95% were said.
    """
    leading = sorted((aim for aim in aims.values() if aim.part >= DECIDES and aim.components), key=lambda aim: -aim.part)
    found = dict(aims)
    for scenario in study.scenarios:
        own = aims[scenario.name]
        if own.part < DECIDES:
            there = frozenset(noises_of(scenario, study.state))
            lead = next((aim for aim in leading if there.issuperset(aim.drivers)), None)
            if lead is not None:
                found[scenario.name] = replace(own, components=lead.components, shares=lead.shares)
    return found


def search_designs(aims: Mapping[str, Aim], study: Study) -> Designs:
    """The search's paths: of every scenario as many as the study asks for, of which as large a share is twins as the aim says, or `FEWER` where tail risk is not
    decided.
    """
    found = {}
    for scenario in study.scenarios:
        aim, paths = aims[scenario.name], study.simulation.paths
        left, twins = paths, []
        for share in aim.shares[:0:-1]:
            twins.append(min(round((1.0 if aim.part >= DECIDES else FEWER) * paths * share), left - 1))
            left -= twins[-1]
        found[scenario.name] = _with_milder(aim, left, twins[::-1])
    return found


def holdout_floor(aims: Mapping[str, Aim], study: Study, paths: int) -> Designs:
    """The least that a holdout draws: selection's paths, and `WITHIN` times the aim's twins in every scenario, as its own figures are published of these."""
    return selection_designs(aims, study, paths, others=WITHIN)


def selection_designs(aims: Mapping[str, Aim], study: Study, paths: int, *, others: float = FEWER) -> Designs:
    """So many drawn paths of every scenario, and beside them the twins of those that a driver moves: `MORE` of them where tail risk over all scenarios is decided,
    so many times the aim's in the ``others``, where they tell of the scenario's own figures alone.

    Most are pushed as the pilot aims them, the others three quarters and half as far. Of what the pilot's few paths did not see, and of what a set does that the pilot did
    not run, the shallow part would else be left to the drawn paths, each of which then holds most of the variance, or is missed.
    """
    found, aims = {}, guided(aims, study)
    for scenario in study.scenarios:
        aim = aims[scenario.name]
        times = MORE if aim.part >= DECIDES else others
        design = _with_milder(aim, paths, [math.ceil(times * paths * share / aim.shares[0]) for share in aim.shares[1:]])
        found[scenario.name] = replace(design, twins=tuple(_told(paths, count) for count in design.twins))
    return found


def _with_milder(aim: Aim, drawn: int, twins: Sequence[int]) -> Design:
    """So many twins of each of the aim's components, some of them pushed less (`MILDER`)."""
    left, mild = list(twins), []
    for _, share in MILDER:
        part = [min(math.ceil(share * count), rest) for count, rest in zip(twins, left, strict=True)]
        left = [rest - count for rest, count in zip(left, part, strict=True)]
        mild += part
    less = (tuple(_less(tilt, part) for tilt in component) for part, _ in MILDER for component in aim.components)
    return Design(drawn, (*aim.components, *less), (*left, *mild))


def _less(tilt: Tilt, part: float) -> Tilt:
    """A push a ``part`` as far; a walk's ends so much less deep, other noises' levels being the same for any push."""
    level = tilt.level if tilt.level is None or tilt.kind != "walk" else part * tilt.level
    return Tilt(tilt.noise, part * tilt.amount, level)


def scaled(design: Design, factor: float) -> Design:
    """So many times the paths of every component, rounded up, at least one drawn; the very design where that is once."""
    if factor == 1.0:
        return design
    # a product that is whole but for the last digit is not rounded up to the next
    drawn, *twins = (math.ceil(factor * each * (1.0 - 1e-12)) for each in design.counts)
    return Design(max(1, drawn), design.components, tuple(_told(drawn, each) for each in twins))


def _told(drawn: int, twins: int) -> int:
    """So many twins, or as many as tell of their spread: beside drawn paths that do, too few would leave no interval known."""
    return max(twins, LEAST_PATHS) if twins > 0 and drawn >= LEAST_PATHS else twins


def most_selected(study: Study) -> int:
    """Most selection paths that a scenario may have, with as many twins as an aim may ask for."""
    drawn = study.certification.multiple * study.simulation.paths
    return math.ceil(drawn * (1.0 + MORE * (1.0 / LEAST_DRAWN - 1.0))) + (1 + len(MILDER)) * MOST_COMPONENTS * LEAST_PATHS


def variances(one: Brief, other: Brief | None, metric: str) -> dict[str, float]:
    """What each scenario adds to the variance of a difference, or of one set's own figure, from the influences of its paths; nothing of a metric that the study
    does not have.
    """
    if metric not in one.influences:
        return {}
    influences = one.influences[metric] if other is None else one.influences[metric] - other.influences[metric]
    found: dict[str, float] = {}
    first = 0
    for name, n in one.strata:
        own = influences[first : first + n]
        first += n
        scenario = name.partition("~")[0]
        spread = float(np.square(own - own.mean()).sum()) * n / max(1, n - 1)
        found[scenario] = found.get(scenario, 0.0) + spread
    return found


def plan_holdout(designs: Designs, parts: Mapping[str, float], study: Study, *, difference: Estimate, tolerance: float) -> Plan:
    """Holdout paths that tell the difference from the tolerance: its 95% half-width is half of the distance between the two, as far as the cap allows.

    ``parts`` are the scenarios' of its variance on paths of the ``designs``, or on fewer. The distance is itself an estimate on those, and one that chance made too long would
    plan too few paths: so it counts less what chance adds to it in one of twenty, but no less than half. An interval that few paths decide reaches further than a normal one towards
    the losses: so the half-width is that of the selection paths' own interval on the tolerance's side. Never fewer paths than the ``designs`` have, and of a scenario without a
    part no more.
    """
    total = sum(parts.values())
    if total <= 0.0:
        return Plan(designs, None, None, capped=False)
    error = math.sqrt(total)
    distance = abs(difference.value - tolerance)
    reach = difference.high - difference.value if difference.value < tolerance else difference.value - difference.low
    return _planned(designs, parts, study, wanted=0.5 * max(distance - ONE_SIDED_NORMAL * error, 0.5 * distance), reach=reach)


def plan_level(designs: Designs, parts: Mapping[str, float], study: Study, *, figure: Estimate) -> Plan:
    """Holdout paths on which a figure is told within a tenth of itself, as far as the cap allows."""
    if sum(parts.values()) <= 0.0:
        return Plan(designs, None, None, capped=False)
    return _planned(designs, parts, study, wanted=NEAR * figure.value, reach=0.5 * (figure.high - figure.low))


def _planned(designs: Designs, parts: Mapping[str, float], study: Study, *, wanted: float, reach: float) -> Plan:
    """Paths for a half-width, ``reach`` being that of the selection paths' own interval."""
    # half-widths of its interval in standard errors
    width = max(TWO_SIDED_NORMAL, reach / math.sqrt(sum(parts.values()))) if math.isfinite(reach) else TWO_SIDED_NORMAL
    allowed = (wanted / width) ** 2
    # room for every component's paths to be rounded up
    most = {name: max(1.0, (study.certification.most_paths - len(design.twins)) / design.paths) for name, design in designs.items()}
    want = {name: math.sqrt(parts.get(name, 0.0) / design.paths) for name, design in designs.items()}

    def factors(scale: float) -> dict[str, float]:
        return {name: min(max(1.0, scale * want[name]), most[name]) for name in designs}

    def left(found: Mapping[str, float]) -> float:
        return sum(parts.get(name, 0.0) / found[name] for name in designs)

    low, high = 0.0, max((most[name] / each for name, each in want.items() if each > 0.0), default=0.0)
    # where the cap binds, no paths for the last hundredth of a half-width: they would be those of scenarios that hardly matter
    reached = max(allowed, ENOUGH * left(factors(high)))
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if left(factors(middle)) > reached else (low, middle)
    chosen = factors(high)
    expected = width * math.sqrt(left(chosen))
    return Plan(
        {name: scaled(design, chosen[name]) if chosen[name] > 1.0 else design for name, design in designs.items()},
        wanted,
        expected,
        capped=left(chosen) > allowed * (1.0 + 1e-9),
    )


def together(plans: Sequence[Plan], levels: Sequence[Plan] = ()) -> Plan:
    """The holdout that is large enough for every one of some plans; what is told of it is that of the difference that asks for most paths, and only a difference
    that the cap leaves untold makes it capped: a wide level decides nothing.
    """
    most = max(plans, key=lambda plan: sum(design.paths for design in plan.designs.values()))
    designs = {name: max((plan.designs[name] for plan in (*plans, *levels)), key=lambda design: design.paths) for name in most.designs}
    return Plan(designs, most.wanted, most.expected, capped=any(plan.capped for plan in plans))
