"""What figures draw of estimates: values with their ends in display units, pairs of marks, and what a caption says of their intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amo_opt.report.wording import Scale
    from amo_opt.scoring.types import Estimate


@dataclass(frozen=True)
class Span:
    """A figure with its interval, in display units; ends that are not known are NaN, which no figure draws."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class End:
    """A mark of a figure of ends: ``side`` is ``low`` or ``high``, ``spans`` one for each pane (None where nothing was had), ``held`` fills it."""

    side: str
    spans: tuple[Span | None, ...]
    held: bool


@dataclass(frozen=True)
class Ends:
    """A figure of ends: a line of marks for each title, what it shows, and for yield and peg risk where nothing moves and what is tolerated (0: not drawn)."""

    rows: dict[str, tuple[End, ...]]
    caption: str
    bases: tuple[Span | None, Span | None] = (None, None)
    tolerances: tuple[float, float] = (0.0, 0.0)


def span(estimate: Estimate, scale: Scale) -> Span:
    """The estimate in display units."""
    low, high = estimate.interval or (math.nan, math.nan)
    return Span(estimate.value * scale.factor, low * scale.factor, high * scale.factor)


def interval_words(spans: Iterable[Span | None]) -> str:
    """What a caption says of the intervals of what is drawn."""
    known = {math.isfinite(each.low) for each in spans if each is not None}
    if False not in known:
        return "95% intervals"
    return "95% intervals where known" if True in known else "intervals not known: too few paths"
