"""A scenario: a named, weighted recipe for exogenous paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Span:
    """What a setting, or a scenario's weight, may be instead: both ends with their source, and the entry that says so."""

    low: float
    high: float
    source: str
    entry: str


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One entry of the catalogue, with a study's weight and overrides applied.

    ``settings`` are the numbers a study may override with ``set`` (size, onset, speed, …); ``waypoints`` are named series of
    (hour since onset, value) with their sources, as the catalogue states them; ``max_breach_probability`` is the study's ε for this scenario.
    ``ranges`` hold what is in doubt: settings by name, and ``weight``.
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
