"""Figures that a study sets over its state file: ``[state] set``, by dotted name.

The switch of a mechanism: a rate, a share or a position set to 0 turns it off, and the change of the results is its effect.
"""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from amo_opt.amos.sections import POSITIONS
from amo_opt.config.balance import value_in
from amo_opt.config.checks import SET, Placed, number_at
from amo_opt.config.schema import figures_by_name, table_of
from amo_opt.config.wording import nearest, shown
from amo_opt.protocol.state import Figure, Named
from amo_opt.wording import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from amo_opt.config.toml_file import Document, Key
    from amo_opt.errors import Problem
    from amo_opt.protocol.state import ProtocolState


def written_overrides(document: Document) -> dict[str, Placed]:
    """The figures that the study sets, by dotted name, with their places; what `override_problems` refuses is left out."""
    found = {}
    for key, name, _ in _entries(document):
        value = number_at(document, key)
        if value is not None and name in figures_by_name() and _within(name, value):
            found[name] = Placed(value, document, key)
    return found


def override_problems(document: Document, *, has: Callable[[str], bool]) -> Iterator[Problem]:
    """Names that are no figure, or one of a mechanism that the protocol does not have; values that are no number or beyond what the figure may be; figures named twice."""
    seen: set[str] = set()
    for key, name, written in _entries(document):
        if name not in figures_by_name():
            yield document.problem(key, "no such figure of a state", found=shown(written), hint=nearest(name, figures_by_name()))
            continue
        if not has(table_of(name)):
            message = "belongs to a mechanism that the state does not have"
            yield document.problem(key, message, found=shown(written), allowed=f"with a table [{table_of(name)}] in the state")
        if name in seen:
            yield document.problem(key, "set twice", found=shown(written), allowed="each figure once")
        seen.add(name)
        value, limits = number_at(document, key), figures_by_name()[name].metadata
        span = f"{plain(limits['low'])} to {plain(limits['high'])} {limits['unit']}".rstrip()
        if value is None:
            number = isinstance(written, int | float) and not isinstance(written, bool)
            message = "not a finite number" if number else "not a number"
            yield document.problem(key, message, found=shown(written), allowed=f"a number from {span} ({limits['doc']})")
        elif not _within(name, value):
            yield document.problem(key, "out of range", found=shown(written), allowed=f"{span} ({limits['doc']})")


BOOK_TOLERANCE = 0.01
"""A book written in round figures beside its position."""


def book_problems(document: Document, figures: Mapping[str, Placed], overrides: Mapping[str, Placed]) -> Iterator[Problem]:
    """Positions that the study sets without the books that move with them: stablecoin and collateral would be gone, or there from nowhere.

    A book follows what is put in and taken out, no trade of the pool and no interest: the position's change is what it must have moved by.
    """
    before, after = (partial(value_in, placed) for placed in (figures, {**figures, **overrides}))
    for position, books in POSITIONS.items():
        if position not in overrides:
            continue
        moved, wanted = after(position) - before(position), {}
        for book, whole in books.items():
            due = before(book) + moved * _booked(whole, after)
            if abs(after(book) - due) > BOOK_TOLERANCE * max(abs(due), abs(before(book))):
                wanted[book] = due
        if moved and wanted:
            found = f"{plain(after(position))} (the state file: {plain(before(position))})"
            allowed = f"{' and '.join(f'{book} = {due:.6g}' for book, due in wanted.items())} set with it"
            hint = "what it gives up or takes on stands in collateral.idle and stablecoin.supply, if you set these too"
            message = "a position without its books: the AMO would have lost the difference, or found it"
            yield document.problem(overrides[position].key, message, found=found, allowed=allowed, hint=hint)


def _booked(whole: str, value_of: Callable[[str], float]) -> float:
    """What a unit of a position that is a share of ``whole`` stands for in its book, tokens; 1 where the position is in tokens itself."""
    if not whole:
        return 1.0
    return value_of(whole) * (value_of("pool.base_virtual_price") if whole == "pool.base_lp" else 1.0)


def moved_with_books(state: ProtocolState, name: str, value: float) -> ProtocolState:
    """The state with one figure at another value, a position's books moved by what it must have moved by, as far as a book may go."""
    before, moved = state, value - attrgetter(name)(state).value
    for book, whole in POSITIONS.get(name, {}).items():
        figure, limits = attrgetter(book)(state), figures_by_name()[book].metadata
        due = figure.value + moved * _booked(whole, lambda each: float(attrgetter(each)(before).value))
        due = min(max(due, limits["low"]), limits["high"])
        state = with_figure(state, book, replace(figure, value=due))
    return with_figure(state, name, replace(attrgetter(name)(state), value=value))


def with_overrides(state: ProtocolState, values: Mapping[str, float], *, uncounted: Collection[str] = ()) -> ProtocolState:
    """The state with these figures set: each is assumed then, says what the file held, and ranges over both; the files' own of those ``uncounted`` are in another unit
    of account, so nothing is said of them.
    """
    for name, value in values.items():
        said = f"set by the study in {state.unit}; the behaviour file counts in another unit"
        anew = Figure(value=value, assumed=said, low=value, high=value)
        former: Figure = attrgetter(name)(state)
        if not former.is_given and figures_by_name()[name].metadata.get("fact"):
            anew = Figure(value=value, assumed="set by the study; the state file leaves it to the scenarios", low=value, high=value)
            state = with_figure(state, name, anew)
            continue
        state = with_figure(state, name, anew if name in uncounted else set_by_study(former, value))
    return state


def set_by_study(former: Figure, value: float) -> Figure:
    """The figure that stands in place of ``former``.

    >>> set_by_study(Figure(value=0.2, assumed="by eye", low=0.1, high=0.3), 0.0)
    Figure(value=0.0, source=None, date=None, assumed='set by the study; the state file holds 0.2, assumed: by eye', low=0.0, high=0.3)
    """
    span = [value, former.value, *(end for end in (former.low, former.high) if end is not None)]
    # twelve digits show every figure of a state file as it was written
    held = f"the state file holds {former.value:.12g}, "
    if former.source is not None:
        held += f"sourced: {former.source}"
    elif former.assumed is not None:
        held += f"assumed: {former.assumed}"
    else:
        held = f"the state file leaves it out: {former.value:.12g}"
    reason = f"set by the study; {held}"
    return Figure(value=value, assumed=reason, low=min(span), high=max(span))


def with_figure(state: ProtocolState, name: str, figure: Figure) -> ProtocolState:
    """The state with the figure of that dotted name replaced."""
    replaced: ProtocolState = _replaced(state, name.split("."), figure)
    return replaced


def _replaced(owner: Any, parts: list[str], figure: Figure) -> Any:
    inner = figure if len(parts) == 1 else _replaced(getattr(owner, parts[0]), parts[1:], figure)
    if isinstance(owner, Named) and parts[0] not in {entry.name for entry in fields(owner)}:
        return owner.with_named(parts[0], inner)
    return replace(owner, **{parts[0]: inner})


def _within(name: str, value: float) -> bool:
    limits = figures_by_name()[name].metadata
    return bool(limits["low"] <= value <= limits["high"])


def _entries(document: Document) -> Iterator[tuple[Key, str, Any]]:
    """Key, dotted name and value of every entry."""
    table = document.get(SET)
    return _walked(table, SET) if isinstance(table, dict) else iter(())


def _walked(table: Mapping[str, Any], key: Key, before: str = "") -> Iterator[tuple[Key, str, Any]]:
    """A name without quotes (``markets.lp_flight_rate = 0``) is a table within a table to TOML: walked until a figure's name is whole."""
    for part, value in table.items():
        name = f"{before}{part}"
        if isinstance(value, dict) and value and name not in figures_by_name():
            yield from _walked(value, (*key, part), f"{name}.")
        else:
            yield (*key, part), name, value
