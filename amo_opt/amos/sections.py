"""The tables of a state file that are put together from the AMOs: ``[amos.NAME]``, and ``[markets]`` with the figures that are one AMO's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import field, fields, make_dataclass
from typing import Any, get_type_hints

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.mechanism import Mechanism
from amo_opt.protocol.state import AmoSections, Assembled, Figure, MarketFigures, Markets

WITH_SECTION: tuple[Mechanism, ...] = tuple(sorted((each for each in MECHANISMS if each.section), key=lambda each: each.section_rank))
"""The AMOs that have a table of their own, in the order of a state."""


def _positions() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for each in WITH_SECTION:
        for book in each.books:
            found.setdefault(f"amos.{each.name}.{book.position}", {})[f"amos.{each.name}.{book.book}"] = book.whole
    return found


POSITIONS: dict[str, dict[str, str]] = _positions()
"""What an AMO holds, and the minter's books that stand for it, each with what the position is a share of; all by dotted name."""


def _market_figures() -> Iterator[tuple[str, Any]]:
    """The common figures, each followed by those of the AMOs that are to stand after it; those that name none of them come last."""
    common = {entry.name: field(default=entry.default, metadata=entry.metadata) for entry in fields(Markets)}
    for name, declared in common.items():
        yield name, declared
        for each in MECHANISMS:
            if each.markets_after == name:
                yield from each.markets.items()
    for each in MECHANISMS:
        if each.markets_after not in common:
            yield from each.markets.items()


def _assembled(name: str, base: type[Assembled], entries: Iterable[tuple[str, Any, Any]]) -> type[Any]:
    # the name of the module is what pickle finds the class by
    return make_dataclass(name, entries, bases=(base,), namespace={"__module__": __name__}, frozen=True, kw_only=True)


AllAmos = _assembled("AllAmos", AmoSections, ((each.name, each.section, field()) for each in WITH_SECTION))
AllMarkets = _assembled("AllMarkets", MarketFigures, ((name, Figure, declared) for name, declared in _market_figures()))


def parts_of(table: type) -> dict[str, Any]:
    """The type of every field of a state or of one of its tables, by name; what is put together here stands for its place."""
    found = {AmoSections: AllAmos, MarketFigures: AllMarkets}
    return {name: found.get(hint, hint) for name, hint in get_type_hints(table).items()}
