"""What `amo-opt profile` prints: a table by term for each parameter, one line on what each does, or one JSON document."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from amo_opt.cli.streams import say, width_of
from amo_opt.cli.tables import estimate_document, print_table
from amo_opt.wording import NOT_KNOWN, USD, in_account, interval, sized

if TYPE_CHECKING:
    from amo_opt.report.wording import Scale
    from amo_opt.scoring.types import Estimate
    from amo_opt.search.movement import Shift
    from amo_opt.search.profile import MovedPoint, ParameterProfile, Profiles

MARKS = (
    "* larger than chance; ~ larger than chance, too small to matter; = unchanged; without a mark: within chance; not known: too few paths"
)


def document(found: Profiles) -> dict[str, Any]:
    """One JSON document: every point of every parameter, figures and paired differences by term."""
    study = found.study
    return {
        "schema": 2,
        "study": {"name": study.name, "hash": study.hash, "seed": study.search.seed},
        "current": {"name": study.current.name, **study.current.values()},
        "stream": found.stream,
        "paths": found.paths,
        "n": found.n,
        "twins": found.twins,
        "bounds": found.bounds,
        "profiles": [_profile_document(each, found.terms, study.state.unit) for each in found.profiles],
    }


def _profile_document(each: ParameterProfile, terms: tuple[str, ...], account: str) -> dict[str, Any]:
    from amo_opt.report.stories.finding import called, finding_words, shape_words

    label = called(each.parameter)
    return {
        "parameter": each.parameter,
        "range": {"low": each.low, "high": each.high, "log": each.log},
        "current": each.current,
        "finding": finding_words(each, account),
        "flat": each.flat,
        "objectives": {
            name: {"shape": shape.word, "best": shape.best, "finding": shape_words(shape, label)} for name, shape in each.shapes.items()
        },
        "points": [
            {
                "value": point.value,
                "current": point.value == each.current,
                "moved_along": point.partners,
                "feasible": point.score.feasible,
                "figures": {term: estimate_document(point.figure(term)) for term in terms},
                "differences": {term: _shift_document(point.shifts[term]) for term in terms},
            }
            for point in each.points
        ],
        "failed": [{"value": value, "reason": reason} for value, reason in each.failed],
    }


def _shift_document(shift: Shift) -> dict[str, Any]:
    return {**estimate_document(shift.difference.difference), "larger_than_chance": shift.beyond_chance, "moves": shift.moves}


def print_profiles(found: Profiles) -> None:
    """The tables, then a line a parameter."""
    from amo_opt.report.stories.finding import finding_words

    say(
        f"{found.study.current.name} on {found.study.name}: one parameter moved at a time, {found.paths} selection paths drawn of each scenario "
        f"(n = {sized(found.n, found.twins)}), seed {found.study.search.seed}"
    )
    say("each cell: the figure, then its paired difference to the current set, both with 95% intervals")
    say(MARKS)
    click.echo()
    for each in found.profiles:
        _print_table(each, found)
    for each in found.profiles:
        say(f"{each.parameter}: {finding_words(each, found.study.state.unit)}")
        for value, reason in each.failed:
            say(f"{each.parameter}: not simulated at {value:g}: {reason}")


def _print_table(each: ParameterProfile, found: Profiles) -> None:
    """A row a term, a column a value; as many tables as the terminal needs, one where there is none."""
    told = [term for term in found.terms if any(figure.interval != (0.0, 0.0) for figure in (point.figure(term) for point in each.points))]
    # A parameter that changes nothing at all has one column: the others would repeat it.
    still = all(shift.unchanged for point in each.points for shift in point.shifts.values())
    points = each.points[:1] if still else each.points
    account = found.study.state.unit
    rows = [_row(term, points, account) for term in told]
    heads = ["at every value"] if still else [_head(point, each) for point in points]
    label = max(len(row[0]) for row in rows)
    cell = max(len(line) for row in rows for text in row[1:] for line in text.split("\n"))
    columns = _columns(label, cell, len(heads))
    rows.append(["limits", *(_limits(point) for point in points)])
    for first in range(0, len(heads), columns):
        shown = slice(first, first + columns)
        title = f"{each.parameter}: {_words(each)}" if first == 0 else f"{each.parameter}, continued"
        print_table(title, (("term (unit)", *heads[shown]), [(name, *cells[shown]) for name, *cells in rows]))
    silent = [_title(term, account) for term in found.terms if term not in told]
    if silent:
        say(f"0 on every path: {', '.join(silent)}")
    click.echo()


def _columns(label: int, cell: int, count: int) -> int:
    """How many values go into a line of the terminal; all of them where no terminal sets a width, or where its rows have to be folded."""
    width = width_of()
    fit = count if width is None else (width - label - 4) // (cell + 1)
    return min(count, fit) or count


def _words(each: ParameterProfile) -> str:
    from amo_opt.report.stories.finding import title

    if each.flat is None:
        return NOT_KNOWN.upper()
    return "FLAT" if each.flat else ", ".join(f"{title(name, USD)} {shape.word}" for name, shape in each.shapes.items())


def _title(term: str, account: str) -> str:
    from amo_opt.report.stories.finding import title

    return title(term, account)


def _head(point: MovedPoint, each: ParameterProfile) -> str:
    from amo_opt.report.wording import plain_number

    along = "".join(f"\n({name} {plain_number(value)})" for name, value in point.partners.items())
    return f"{plain_number(point.value)}{' current' if point.value == each.current else ''}{along}"


def _row(term: str, points: tuple[MovedPoint, ...], account: str) -> list[str]:
    """The term with its unit, and a cell a value, all on one scale."""
    from amo_opt.report.wording import scale_for
    from amo_opt.scoring.metrics import METRICS

    unit = METRICS[term].unit if term in METRICS else METRICS["yield"].unit
    figures = [point.figure(term) for point in points]
    shifts = [point.shifts[term] for point in points]
    apart = [abs(shift.difference.difference.value) for shift in shifts]
    # Decimals for the smallest difference that is told apart from chance, but not a hundred times finer than the largest.
    clear = [size for size, shift in zip(apart, shifts, strict=True) if shift.moves]
    finest = max(0.01 * max(apart), min(clear, default=max(apart))) or max(abs(figure.value) for figure in figures)
    scale = scale_for(in_account(unit, account), [end for figure in figures for end in (figure.value, figure.high)]).fine(finest)
    indent = "" if term in METRICS else "  "
    name = f"{indent}{_title(term, account)} ({scale.unit})" if scale.unit else f"{indent}{_title(term, account)}"
    return [name, *(f"{_shown(scale, figure)}\n{_apart(scale, shift)}" for figure, shift in zip(figures, shifts, strict=True))]


def _shown(scale: Scale, figure: Estimate) -> str:
    return f"{scale.number(figure.value)} ({_ends(scale, figure)})"


def _ends(scale: Scale, figure: Estimate, *, signed: bool = False) -> str:
    return interval(figure.interval, partial(scale.number, signed=signed), between=" … ")


def _apart(scale: Scale, shift: Shift) -> str:
    if shift.unchanged:
        return "="
    found = shift.difference.difference
    mark = " *" if shift.moves else " ~" if shift.beyond_chance else ""
    return f"{scale.number(found.value, signed=True)} ({_ends(scale, found, signed=True)}){mark}"


def _limits(point: MovedPoint) -> str:
    from amo_opt.report.ruling import limits_kept

    return limits_kept(point.score)
