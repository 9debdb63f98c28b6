"""Whether the comparison of two sets hangs on what the state file assumes: every assumed figure moved to either end of its range."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Literal

from amo_opt.config.balance import balance_fault
from amo_opt.config.overrides import moved_with_books
from amo_opt.config.schema import figures_by_name
from amo_opt.config.study import Study
from amo_opt.errors import SimulationError
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.protocol.state import ProtocolState
from amo_opt.scoring.paired import differences, read
from amo_opt.scoring.score import point_score
from amo_opt.scoring.types import Estimate, PairedDifference, PointScore
from amo_opt.search.certifier import Certifier
from amo_opt.search.front import worth
from amo_opt.search.progress import ProgressEvent
from amo_opt.search.result import Sensitivity
from amo_opt.search.rule import COMPARED, COVER, DOLLAR, PEG, YIELD, tolerances
from amo_opt.search.ruling import Condition, Turn
from amo_opt.simulation.mixed import Mixed, draw_mixed, paths_for_one_block, redrawn, simulate_mixed
from amo_opt.stress.draws import DRAWN_FROM

STREAM = "holdout"


@dataclass(frozen=True)
class Move:
    """An assumed figure at one end of its range, and the state with it there."""

    figure: str
    end: Literal["low", "high"]
    value: float
    state: ProtocolState


@dataclass(frozen=True)
class Comparison:
    """The shown set against the current one on some paths: paired differences by metric, and what of the rule comes out how."""

    paired: dict[str, PairedDifference]
    conditions: dict[Condition, bool]


def moves(state: ProtocolState) -> Iterator[Move]:
    """Every assumed figure at each end of its range that is not the figure itself, in the order of the state; a position takes its books along."""
    ends: tuple[Literal["low", "high"], ...] = ("low", "high")
    for name in figures_by_name():
        figure = attrgetter(name)(state)
        if figure.assumed is None:
            continue
        for end in ends:
            value = getattr(figure, end)
            if value is not None and value != figure.value:
                yield Move(name, end, float(value), moved_with_books(state, name, float(value)))


def conditions(paired: dict[str, PairedDifference], found: PointScore, study: Study, *, axis: str) -> dict[Condition, bool]:
    """What the rule asks of a set, at point values: better on ``axis``, the others inside their tolerances, worth a vote, every limit kept."""
    certification = study.certification
    units = tolerances(certification)
    gain = {name: each.difference.value if name in (YIELD, COVER) else -each.difference.value for name, each in paired.items()}
    allowed = {YIELD: certification.tolerance_yield, COVER: certification.tolerance_cr}
    other = PEG if axis == YIELD else YIELD
    held = {name: gain[name] >= -allowed.get(name, certification.tolerance_peg_bps) for name in (other, DOLLAR, COVER)}
    gained = worth((paired[YIELD].difference.value, paired[PEG].difference.value), units)
    return {
        Condition(kind="better", metric=axis): gain[axis] > 0.0,
        **{Condition(kind="tolerance", metric=name): kept for name, kept in held.items()},
        Condition(kind="gain", bound=certification.least_gain): gained >= certification.least_gain * units[0] * units[1],
        **{Condition(kind="limit", limit=key): violation <= 0.0 for key, violation in found.constraints.items()},
    }


def improved_axis(paired: dict[str, PairedDifference], study: Study) -> str:
    """The axis on which a set gains more tolerances."""
    units = tolerances(study.certification)
    return YIELD if paired[YIELD].difference.value * units[1] >= -paired[PEG].difference.value * units[0] else PEG


def sensitivities(certifier: Certifier, shown: ParameterSet) -> tuple[Sensitivity, ...]:
    """What the shown set does against the current one with every assumed figure of the state at either end of its range.

    On as many of the first holdout paths as fit into one block, the same at every end. ``holds`` where each of the `conditions`, at point
    values, comes out as it does at the figure's own value on the same paths: the axis that gains most there keeps its sign, the other
    differences stay on their side of the tolerances, the limits on theirs. A state that is no balance sheet is not run: it cannot be.
    """
    study = certifier.study
    n = min(paths_for_one_block(study), certifier.paths)
    usual = draw_mixed(study, paths=n, stream=STREAM)
    base = _compare(study, shown, usual, axis=None)
    axis = improved_axis(base.paired, study)
    ends = list(moves(study.state))
    done = iter(range(1, len(ends) + 1))

    def run(move: Move) -> Sensitivity:
        found = _moved(study, shown, move, usual, base, axis=axis)
        certifier.watch(ProgressEvent(phase="sensitivity", done=next(done), total=len(ends)))
        return found

    return tuple(certifier.map(run, ends))


def _moved(study: Study, shown: ParameterSet, move: Move, usual: Mixed, base: Comparison, *, axis: str) -> Sensitivity:
    fault = balance_fault(move.state)
    if fault:
        return _sensitivity(move, None, holds=True, objection=Turn(kind="not run", detail=fault))
    elsewhere = replace(study, state=move.state)
    try:
        mixed = redrawn(usual, elsewhere) if move.figure in DRAWN_FROM else usual
        found = _compare(elsewhere, shown, mixed, axis=axis)
    except SimulationError as error:
        return _sensitivity(move, None, holds=False, objection=Turn(kind="failed", detail=str(error)))
    turned = next((each for each, held in base.conditions.items() if found.conditions[each] != held), None)
    objection = None if turned is None else Turn(kind="lost" if base.conditions[turned] else "gained", condition=turned)
    return _sensitivity(move, found.paired, holds=turned is None, objection=objection)


def _compare(study: Study, shown: ParameterSet, mixed: Mixed, *, axis: str | None) -> Comparison:
    """Both sets on the paths; where no ``axis`` is given, of the one that gains most."""
    current, moved = (simulate_mixed(parameters, study, mixed) for parameters in (study.current, shown))
    paired = differences(read(moved, study, COMPARED), read(current, study, COMPARED))
    chosen = improved_axis(paired, study) if axis is None else axis
    return Comparison(paired, conditions(paired, point_score(moved, study), study, axis=chosen))


def _sensitivity(move: Move, paired: dict[str, PairedDifference] | None, *, holds: bool, objection: Turn | None) -> Sensitivity:
    def of(metric: str) -> Estimate | None:
        return None if paired is None else paired[metric].difference

    gained = of(YIELD)
    return Sensitivity(
        figure=move.figure,
        end=move.end,
        value=move.value,
        yield_difference=gained,
        peg_difference=of(PEG),
        holds=holds,
        objection=objection,
        n=0 if gained is None else gained.n,
    )
