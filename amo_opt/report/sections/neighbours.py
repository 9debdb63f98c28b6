"""The neighbours of the shown set, one parameter one governance step away: whether it stands on a plateau or a peak."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.amos.naming import title_of
from amo_opt.report.blocks import Block, Code, InText, Line, Long, OnPage, Picture, See, Table, Text, Told, n, num, told
from amo_opt.report.ruling import objection_words
from amo_opt.report.wording import (
    AXIS_SCALES,
    YIELD_SCALE,
    Chip,
    End,
    Ends,
    Scale,
    better_of,
    interval_words,
    lower_first,
    metric_of,
    plain_number,
    span,
)
from amo_opt.search.rule import by_metric
from amo_opt.wording import count, sized, sized_count, true_minus

if TYPE_CHECKING:
    from amo_opt.report.account import Account
    from amo_opt.report.sets import Subject
    from amo_opt.search.result import Neighbour

SIDES = {-1: "lower", +1: "higher"}
HELD = ("BETTER", "EQUIVALENT", "NO WORSE")
"""Verdicts that rule out a loss beyond the tolerance."""
SHAPES = "▲ better, ▼ worse, ● equivalent, ◆ no worse, ○ not told apart."


def blocks(of: Account) -> list[Block]:
    """Plateau or peak; drawn on the page, in the appendix the worst on each axis and behind the sections all of them."""
    found = of.result.neighbours
    heads = (num("Value"), num("Yield, pp a year (95%)"), num("Peg risk, bp (95%)"), n(), "Limits")
    rows = [
        (_name(each), plain_number(each.value), *(_difference(each, name) for name in AXIS_SCALES), _n(each), _limits(each, of))
        for each in found
    ]
    one_side = ("The worst of them on", "One step", num("Value"), num("Difference (95%)"), n(), "Limits")
    worst = [
        (
            f"{metric_of(name, of.unit).title}, {scale.difference_unit}",
            _name(each),
            plain_number(each.value),
            _difference(each, name),
            _n(each),
            _limits(each, of),
        )
        for name, scale in AXIS_SCALES.items()
        if (each := furthest(found, name)) is not None
    ]
    return [
        Text(finding(of)),
        OnPage(Picture("neighbours"), *([Text("Each of them with its figures: ", Code("appendix.md"), ".", kind="small")] if rows else [])),
        InText(
            Table(one_side, worst),
            *([Text("All of them: ", See("neighbours"), ".")] if worst else []),
            *(
                [
                    Long(
                        "neighbours",
                        "Neighbours one step away",
                        Table(("One step", *heads), rows),
                        Text(f"Differences to the shown set. {SHAPES}"),
                    )
                ]
                if rows
                else []
            ),
        ),
    ]


def shown_words(subject: Subject) -> str:
    """What the set in the middle is called in a sentence."""
    if subject.other is None:
        return "the current set"
    return "the proposed set" if subject.recommended else f"alternative {subject.other.id}"


def furthest(found: tuple[Neighbour, ...], metric: str) -> Neighbour | None:
    """The neighbour whose interval reaches furthest the wrong way on a metric."""
    better = better_of(metric)
    met = [(each, paired[metric].difference) for each in found if metric in (paired := by_metric(each.paired))]
    return min(met, key=lambda pair: min(better * pair[1].low, better * pair[1].high), default=(None, None))[0]


def _paths(neighbour: Neighbour) -> tuple[int, int]:
    """All paths behind the differences, and how many of them are twins; the neighbour's own n counts the drawn ones of one scenario."""
    return min(((each.difference.n, each.difference.twins) for each in by_metric(neighbour.paired).values()), default=(neighbour.n, 0))


def _n(neighbour: Neighbour) -> str:
    return sized(*_paths(neighbour))


def _counted(neighbours: tuple[Neighbour, ...]) -> str:
    """``n = 640 holdout paths, 128 for each scenario``."""
    (n, twins), each = min(_paths(each) for each in neighbours), min(each.n for each in neighbours)
    drawn = "" if each >= n else f", {each:,}{' drawn' if twins else ''} for each scenario"
    return f"n = {sized_count(n, twins, 'holdout path')}{drawn}"


def _name(neighbour: Neighbour) -> Line:
    return (Code(neighbour.parameter), f" {SIDES[neighbour.side]}")


def _difference(neighbour: Neighbour, metric: str) -> Told:
    paired = by_metric(neighbour.paired).get(metric)
    scale: Scale = AXIS_SCALES[metric]
    return (
        told(None, scale)
        if paired is None
        else told(paired.difference, scale.told(paired.difference), signed=True, verdict=Chip(paired.verdict))
    )


def _limits(neighbour: Neighbour, of: Account) -> Line:
    chip = Chip("UNDECIDED" if neighbour.feasible is None else "KEPT" if neighbour.feasible else "BROKEN")
    return chip if neighbour.objection is None else (chip, f": {true_minus(objection_words(neighbour.objection, of.unit))}")


def _worse(neighbour: Neighbour) -> bool:
    """Whether a limit may break, or a loss beyond the tolerance on yield or peg risk is not ruled out."""
    return not neighbour.feasible or any(not _is(neighbour, name, *HELD) for name in AXIS_SCALES if name in by_metric(neighbour.paired))


def _is(neighbour: Neighbour, name: str, *words: str) -> bool:
    paired = by_metric(neighbour.paired).get(name)
    return paired is not None and paired.verdict in words


def finding(of: Account) -> str:
    """Plateau or peak, by rule: a plateau where every neighbour keeps the limits and none can be worse by more than a tolerance."""
    found, shown, seed = of.result.neighbours, shown_words(of.subject), of.study.search.seed
    if not found:
        return "The neighbours of the shown set were not run, so whether it stands on a plateau or a peak is not known."
    feasible = sum(each.feasible is True for each in found)
    worse = [each for each in found if _worse(each)]
    better = sum(
        each.feasible is True
        and any(_is(each, name, "BETTER") for name in AXIS_SCALES)
        and all(_is(each, name, *HELD) for name in AXIS_SCALES)
        for each in found
    )
    names = ", ".join(dict.fromkeys(lower_first(title_of(each.parameter, of.study.state).split(",")[0]) for each in worse))
    if all(each.feasible is None for each in found):
        return (
            f"Whether {shown} stands on a plateau or a peak is not known: {_counted(found)}, are too few for the limits' intervals "
            f"(seed {seed}). No neighbour breaks at its point value a limit that it keeps."
        )
    word = "A plateau" if not worse else "Not a plateau everywhere"
    tail = "none can be worse on yield or peg risk by more than the tolerance" if not worse else f"steps to mind: {names}"
    gain = (
        f" {count(better, 'neighbour')} {'is' if better == 1 else 'are'} better on one of the two and no worse on the other."
        if better
        else ""
    )
    return (
        f"{word} around {shown}: of {count(len(found), 'neighbour')} (one parameter one governance step away, all else held) "
        f"{feasible} keep every limit that it keeps on the same paths; {tail}.{gain} "
        f"Paired differences with 95% intervals ({_counted(found)}, seed {seed})."
    )


def known(of: Account) -> bool:
    """Whether of any neighbour it is known what it keeps."""
    return any(each.feasible is not None for each in of.result.neighbours)


def held_words(of: Account) -> str:
    """How many neighbours lose nothing to mind."""
    found = of.result.neighbours
    held = sum(not _worse(each) for each in found)
    return f"{held} of {count(len(found), 'neighbour')} of {shown_words(of.subject)} keep every limit that it keeps and lose no more than a tolerance"


def ends_of(of: Account) -> Ends | None:
    """The neighbours by parameter, as they are drawn; None where none was run."""
    found, certification = of.result.neighbours, of.study.certification
    if not found:
        return None
    rows: dict[str, tuple[End, ...]] = {}
    for each in found:
        paired = by_metric(each.paired)
        spans = tuple(span(paired[name].difference, scale) if name in paired else None for name, scale in AXIS_SCALES.items())
        title = each.parameter.replace("_", " ")
        rows[title] = (*rows.get(title, ()), End("low" if each.side < 0 else "high", spans, held=not _worse(each)))
    intervals = interval_words(span for row in rows.values() for end in row for span in end.spans)
    unheld = ", orange and hollow where that is not shown" if any(map(_worse, found)) else ""
    return Ends(
        rows,
        f"{held_words(of)}: one step lower (◀), one higher (▶){unheld}; dashed: tolerances, where near "
        f"({intervals}, {_counted(found)}, seed {of.study.search.seed}).",
        tolerances=(certification.tolerance_yield * YIELD_SCALE.factor, certification.tolerance_peg_bps),
    )
