"""How the comparison of two sets changes with one assumption at a time, moved to either end of its range: a picture, which decides nothing (`doubt` does)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from amo_opt.config.assumptions import assumptions, moved
from amo_opt.config.balance import balance_fault
from amo_opt.config.study import Study
from amo_opt.errors import SimulationError
from amo_opt.protocol.lanes import LANES
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.scoring.paired import differences, read
from amo_opt.scoring.score import point_score
from amo_opt.scoring.types import Estimate, PairedDifference, PointScore
from amo_opt.search.certifier import Certifier
from amo_opt.search.front import worth
from amo_opt.search.progress import ProgressEvent
from amo_opt.search.result import Sensitivity
from amo_opt.search.rule import COMPARED, COVER, DOLLAR, PEG, YIELD, tolerances
from amo_opt.search.ruling import Condition, Turn
from amo_opt.simulation.mixed import Mixed, draw_mixed, redrawn, simulate_mixed
from amo_opt.stress.draws import DRAWN_FROM

STREAM = "holdout"


SHOWN = 8
"""Most assumptions that are moved, those that explain most of the verdict's doubt."""


@dataclass(frozen=True)
class Move:
    """An assumption at one end of its range, and the study with it there."""

    figure: str
    end: Literal["low", "high"]
    value: float
    study: Study


@dataclass(frozen=True)
class Comparison:
    """The shown set against the current one on some paths: paired differences by metric, and what of the rule comes out how."""

    paired: dict[str, PairedDifference]
    conditions: dict[Condition, bool]


def moves(study: Study, names: Sequence[str]) -> Iterator[Move]:
    """The assumptions of these names, in their order, at each end of its range that is not the assumed value itself; a position takes its books along."""
    ends: tuple[Literal["low", "high"], ...] = ("low", "high")
    doubted = {each.name: each for each in assumptions(study)}
    for name in names:
        for end in ends:
            value = float(getattr(doubted[name], end))
            if value != doubted[name].value:
                yield Move(name, end, value, moved(study, doubted[name], value))


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


def sensitivities(certifier: Certifier, shown: ParameterSet, names: Sequence[str]) -> tuple[Sensitivity, ...]:
    """What the shown set does against the current one with each of the named assumptions at either end of its range.

    On as few of the holdout paths, twins among them, as fit into one block, the same at every end. ``holds`` where each of the `conditions`, at point
    values, comes out as it does at the figure's own value on the same paths: the axis that gains most there keeps its sign, the other
    differences stay on their side of the tolerances, the limits on theirs. A state that is no balance sheet is not run: it cannot be.
    """
    study = certifier.study
    usual = draw_mixed(study, paths=1, stream=STREAM, designs=certifier.few(STREAM, LANES), again=True)
    base = _compare(study, shown, usual, axis=None)
    axis = improved_axis(base.paired, study)
    ends = list(moves(study, names))
    done = iter(range(1, len(ends) + 1))

    def run(move: Move) -> Sensitivity:
        found = _moved(shown, move, usual, base, study=study, axis=axis)
        certifier.watch(ProgressEvent(phase="sensitivity", done=next(done), total=len(ends)))
        return found

    return tuple(certifier.map(run, ends))


def _moved(shown: ParameterSet, move: Move, usual: Mixed, base: Comparison, *, study: Study, axis: str) -> Sensitivity:
    elsewhere = move.study
    fault = balance_fault(elsewhere.state)
    if fault:
        return _sensitivity(move, None, holds=True, objection=Turn(kind="not run", detail=fault))
    try:
        mixed = redrawn(usual, elsewhere) if move.figure in DRAWN_FROM or elsewhere.scenarios != study.scenarios else usual
        found = _compare(elsewhere, shown, mixed, axis=axis)
    except SimulationError as error:
        return _sensitivity(move, None, holds=False, objection=Turn(kind="failed", detail=str(error)))
    turned = next((each for each, held in base.conditions.items() if found.conditions[each] != held), None)
    objection = None if turned is None else Turn(kind="lost" if base.conditions[turned] else "gained", condition=turned)
    return _sensitivity(move, found.paired, holds=turned is None, objection=objection)


def _compare(study: Study, shown: ParameterSet, mixed: Mixed, *, axis: str | None) -> Comparison:
    """Both sets on the paths; where no ``axis`` is given, of the one that gains most."""
    current, other = (simulate_mixed(each, study, mixed) for each in (study.current, shown))
    paired = differences(read(other, study, COMPARED), read(current, study, COMPARED))
    chosen = improved_axis(paired, study) if axis is None else axis
    return Comparison(paired, conditions(paired, point_score(other, study), study, axis=chosen))


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
