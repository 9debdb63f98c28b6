"""The surroundings of the shown set: its neighbours one governance step away, the half step, doing nothing, and what mattered in the search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.amos.naming import title_of
from amo_opt.report.ruling import objection_words
from amo_opt.report.sections.choice import PEG_SCALE, YIELD_SCALE, Span, interval_words, span
from amo_opt.report.sections.importances import ImportanceRow, importance_caption, importances_of
from amo_opt.report.sections.steps import StepRow, steps_of
from amo_opt.report.wording import Chip, Scale, better_of, lower_first, metric_of, plain_number
from amo_opt.wording import MISSING, count, sized, sized_count, true_minus

if TYPE_CHECKING:
    from amo_opt.protocol.state import ProtocolState
    from amo_opt.report.sets import Subject
    from amo_opt.scoring.types import PairedDifference
    from amo_opt.search.result import Neighbour, Result

AXES = {"yield": YIELD_SCALE, "peg_cvar95_bps": PEG_SCALE}
SIDES = {-1: "lower", +1: "higher"}
HELD = ("BETTER", "EQUIVALENT", "NO WORSE")
"""Verdicts that rule out a loss beyond the tolerance."""


@dataclass(frozen=True)
class End:
    """A mark of a figure of ends: ``side`` is ``low`` or ``high``, ``spans`` one for each pane (None where nothing was had), ``held`` fills it."""

    side: str
    spans: tuple[Span | None, ...]
    held: bool


@dataclass(frozen=True)
class EndsRow:
    """One line of a figure of ends."""

    title: str
    ends: tuple[End, ...]


@dataclass(frozen=True)
class NeighbourRow:
    """One parameter one step lower or higher: the set against the shown one, yield and peg risk, each with its interval."""

    parameter: str
    title: str
    side: str
    value: str
    earned: str
    earned_interval: str
    earned_verdict: Chip | None
    peg: str
    peg_interval: str
    peg_verdict: Chip | None
    n: str
    limits: Chip
    objection: str


@dataclass(frozen=True)
class FurthestRow:
    """The neighbour whose interval reaches furthest the wrong way on one metric."""

    metric: str
    parameter: str
    side: str
    value: str
    difference: str
    interval: str
    verdict: Chip | None
    n: str
    limits: Chip
    objection: str


@dataclass(frozen=True)
class Neighbourhood:
    """Section 6 beyond the choice itself."""

    rows: tuple[NeighbourRow, ...]
    furthest: tuple[FurthestRow, ...]
    finding: str
    figure: tuple[EndsRow, ...]
    figure_caption: str
    tolerances: tuple[float, float]
    steps: tuple[StepRow, ...]
    metrics: tuple[str, ...]
    importances: tuple[ImportanceRow, ...]
    importance_caption: str


def neighbourhood_of(result: Result, subject: Subject) -> Neighbourhood:
    """The tables and the figure around the shown set."""
    certification = result.study.certification
    metrics = tuple(result.importances)
    importances = importances_of(result, metrics)
    return Neighbourhood(
        rows=tuple(_row(each, result.study.state) for each in result.neighbours),
        furthest=_furthest(result.neighbours, result.study.state),
        finding=_finding(result, subject),
        figure=_figure(result.neighbours),
        figure_caption=_figure_caption(result, subject),
        tolerances=(certification.tolerance_yield * YIELD_SCALE.factor, certification.tolerance_peg_bps),
        steps=steps_of(result, subject),
        metrics=tuple(metric_of(name, subject.account).title for name in metrics),
        importances=importances,
        importance_caption=importance_caption(result, importances),
    )


def shown_words(subject: Subject) -> str:
    """What the set in the middle is called in a sentence."""
    if subject.other is None:
        return "the current set"
    return "the proposed set" if subject.recommended else f"alternative {subject.other.id}"


def _paired(neighbour: Neighbour) -> dict[str, PairedDifference]:
    return {each.metric: each for each in neighbour.paired if each.scenario is None}


def _paths(neighbour: Neighbour) -> tuple[int, int]:
    """All paths behind the differences, and how many of them are twins; the neighbour's own n counts the drawn ones of one scenario."""
    return min(((each.difference.n, each.difference.twins) for each in _paired(neighbour).values()), default=(neighbour.n, 0))


def _n(neighbours: tuple[Neighbour, ...]) -> str:
    """``n = 640 holdout paths, 128 for each scenario``."""
    (n, twins), each = min(_paths(each) for each in neighbours), min(each.n for each in neighbours)
    drawn = "" if each >= n else f", {each:,}{' drawn' if twins else ''} for each scenario"
    return f"n = {sized_count(n, twins, 'holdout path')}{drawn}"


def _row(neighbour: Neighbour, state: ProtocolState) -> NeighbourRow:
    paired = _paired(neighbour)
    texts = {name: _difference(paired.get(name), scale) for name, scale in AXES.items()}
    return NeighbourRow(
        parameter=neighbour.parameter,
        title=title_of(neighbour.parameter, state),
        side=SIDES[neighbour.side],
        value=plain_number(neighbour.value),
        earned=texts["yield"][0],
        earned_interval=texts["yield"][1],
        earned_verdict=texts["yield"][2],
        peg=texts["peg_cvar95_bps"][0],
        peg_interval=texts["peg_cvar95_bps"][1],
        peg_verdict=texts["peg_cvar95_bps"][2],
        n=sized(*_paths(neighbour)),
        limits=Chip("UNDECIDED" if neighbour.feasible is None else "KEPT" if neighbour.feasible else "BROKEN"),
        objection="" if neighbour.objection is None else true_minus(objection_words(neighbour.objection, state.unit)),
    )


def _furthest(neighbours: tuple[Neighbour, ...], state: ProtocolState) -> tuple[FurthestRow, ...]:
    """On yield the neighbour with the lowest lower end, on peg risk that with the highest upper end."""
    rows = []
    for name, scale in AXES.items():
        better = better_of(name)
        met = [(each, paired) for each in neighbours if (paired := _paired(each).get(name)) is not None]
        if not met:
            continue
        neighbour, paired = min(met, key=lambda pair, sign=better: min(sign * pair[1].difference.low, sign * pair[1].difference.high))  # type: ignore[misc]
        difference, interval, verdict = _difference(paired, scale)
        row = _row(neighbour, state)
        rows.append(
            FurthestRow(
                metric=f"{metric_of(name, state.unit).title}, {scale.difference_unit}",
                parameter=row.parameter,
                side=row.side,
                value=row.value,
                difference=difference,
                interval=interval,
                verdict=verdict,
                n=row.n,
                limits=row.limits,
                objection=row.objection,
            )
        )
    return tuple(rows)


def _difference(paired: PairedDifference | None, scale: Scale) -> tuple[str, str, Chip | None]:
    if paired is None:
        return MISSING, MISSING, None
    found = paired.difference
    fine = scale.told(found)
    return fine.number(found.value, signed=True), fine.interval(found, signed=True), Chip(paired.verdict)


def _worse(neighbour: Neighbour) -> bool:
    """Whether a limit may break, or a loss beyond the tolerance on yield or peg risk is not ruled out."""
    paired = _paired(neighbour)
    return not neighbour.feasible or any(paired[name].verdict not in HELD for name in AXES if name in paired)


def _finding(result: Result, subject: Subject) -> str:
    """Plateau or peak, by rule: a plateau where every neighbour keeps the limits and none can be worse by more than a tolerance."""
    found = result.neighbours
    if not found:
        return "The neighbours of the shown set were not run, so whether it stands on a plateau or a peak is not known."
    feasible = sum(each.feasible is True for each in found)
    worse = [each for each in found if _worse(each)]
    better = sum(
        each.feasible is True and any(_is(each, name, "BETTER") for name in AXES) and all(_is(each, name, *HELD) for name in AXES)
        for each in found
    )
    names = ", ".join(dict.fromkeys(lower_first(title_of(each.parameter, result.study.state).split(",")[0]) for each in worse))
    if all(each.feasible is None for each in found):
        return (
            f"Whether {shown_words(subject)} stands on a plateau or a peak is not known: {_n(found)}, are too few for the limits' intervals "
            f"(seed {result.study.search.seed}). No neighbour breaks at its point value a limit that it keeps."
        )
    word = "A plateau" if not worse else "Not a plateau everywhere"
    tail = "none can be worse on yield or peg risk by more than the tolerance" if not worse else f"steps to mind: {names}"
    gain = (
        f" {count(better, 'neighbour')} {'is' if better == 1 else 'are'} better on one of the two and no worse on the other."
        if better
        else ""
    )
    return (
        f"{word} around {shown_words(subject)}: of {count(len(found), 'neighbour')} (one parameter one governance step away, all else held) "
        f"{feasible} keep every limit that it keeps on the same paths; {tail}.{gain} "
        f"Paired differences with 95% intervals ({_n(found)}, seed {result.study.search.seed})."
    )


def _is(neighbour: Neighbour, name: str, *words: str) -> bool:
    paired = _paired(neighbour).get(name)
    return paired is not None and paired.verdict in words


def _figure(neighbours: tuple[Neighbour, ...]) -> tuple[EndsRow, ...]:
    rows: dict[str, list[End]] = {}
    for each in neighbours:
        paired = _paired(each)
        spans = tuple(span(paired[name].difference, scale) if name in paired else None for name, scale in AXES.items())
        rows.setdefault(each.parameter, []).append(End("low" if each.side < 0 else "high", spans, held=not _worse(each)))
    return tuple(EndsRow(name.replace("_", " "), tuple(ends)) for name, ends in rows.items())


def _figure_caption(result: Result, subject: Subject) -> str:
    if not result.neighbours:
        return ""
    held = sum(not _worse(each) for each in result.neighbours)
    spans = [span for row in _figure(result.neighbours) for end in row.ends for span in end.spans]
    unheld = ", orange and hollow where that is not shown" if held < len(result.neighbours) else ""
    return (
        f"{held} of {count(len(result.neighbours), 'neighbour')} of {shown_words(subject)} keep every limit that it keeps and lose no more than a tolerance: one step lower (◀), one higher (▶)"
        f"{unheld}; dashed: tolerances, where near ({interval_words(spans)}, {_n(result.neighbours)}, seed {result.study.search.seed})."
    )
