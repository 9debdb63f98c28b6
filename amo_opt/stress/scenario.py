"""A scenario: a named, weighted recipe for exogenous paths."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from amo_opt.wording import named


@dataclass(frozen=True, kw_only=True)
class Span:
    """What a setting, or a scenario's weight, may be instead: both ends with their source, and the entry that says so."""

    low: float
    high: float
    source: str
    entry: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """What an entry says in words: a title, a reason, a source.

    ``of`` is the protocol whose study it was written for, where it tells that one's history or another's in the terms of its pool: it says nothing of other protocols.
    ``sets`` are settings that it is the source of, where they are amounts that a study may say anew, and which reach a mechanism that a protocol need not have. ``otherwise`` is said in its place where it does not
    hold; nothing where that is empty, or where none of its settings reaches the protocol.
    """

    text: str
    of: str = ""
    otherwise: str = ""
    sets: tuple[str, ...] = ()

    def is_idle(self, reached: Callable[[str], bool]) -> bool:
        """Whether it is the source of settings none of which reaches the protocol."""
        return bool(self.sets) and not any(reached(name) for name in self.sets)

    def told(self, whose: Callable[[str], bool], given: Collection[str] = ()) -> str:
        """The line as a study reads it whose state is that of a protocol or not (``whose``), and which says some settings itself (``given``)."""
        elsewhere = bool(self.of) and not whose(self.of)
        anew = bool(self.sets) and all(name in given for name in self.sets)
        return self.otherwise if elsewhere or anew else self.text


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One entry of the catalogue, with a study's weight and overrides applied.

    ``settings`` are the numbers a study may override with ``set`` (size, onset, speed, …); ``waypoints`` are named series of
    (hour since onset, value) with their sources, as the catalogue states them; ``max_breach_probability`` is the study's ε for this scenario.
    ``ranges`` hold what is in doubt: settings by name, and ``weight``; ``facts`` the settings that follow the state's facts, and what the entry multiplies these by (`facts`).
    """

    name: str
    title: str
    summary: str
    weight: float
    weight_reason: str
    sources: tuple[str, ...]
    settings: Mapping[str, float] = field(default_factory=dict)
    waypoints: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    max_breach_probability: float | None = None
    ranges: Mapping[str, Span] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Scenario({named(self.name)!r}, weight {self.weight:g})"
