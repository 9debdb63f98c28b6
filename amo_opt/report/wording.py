"""Numbers as text: units, scales, signs, and the names of metrics, constraints and verdicts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from amo_opt.comparison.wording import VERDICT_SHAPES
from amo_opt.scoring.constraints import CAPS, RULES
from amo_opt.scoring.metrics import METRICS
from amo_opt.scoring.types import Estimate, Metric
from amo_opt.search.rule import AXES
from amo_opt.wording import (
    DECIMALS,
    MISSING,
    UNITS,
    USD,
    decimals_of,
    fixed,
    in_account,
    interval,
    significant,
    sized,
    sized_count,
    thousands,
    true_minus,
    with_unit,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


SHAPES = VERDICT_SHAPES | {
    "RECOMMENDED": "▲",
    "NO CHANGE": "■",
    "UNDECIDABLE": "○",
    "INFEASIBLE": "▼",
    "UNDECIDED": "○",
    "MET": "●",
    "MISSED": "▼",
    "MODEL NOT VALIDATED": "▼",
    "HOLDS": "●",
    "MOVES": "▼",
    "STATE TOO OLD": "▼",
    "STATE WITHOUT SOURCE": "▼",
    "CAP BELOW USE": "▼",
    "ASSUMPTION-SENSITIVE": "▼",
    "TAIL NOT SETTLED": "▼",
    "QUICK RUN": "○",
}
"""The shape beside each verdict word, so that no verdict is told by colour alone."""


@dataclass(frozen=True)
class Chip:
    """A verdict as word and shape."""

    word: str

    @property
    def shape(self) -> str:
        """The shape that goes with the word."""
        return SHAPES[self.word]

    @property
    def kind(self) -> str:
        """The word as a style class."""
        return self.word.lower().replace(" ", "-")

    def __str__(self) -> str:
        return f"{self.shape} {self.word}"


@dataclass(frozen=True)
class Scale:
    """How a row of figures is shown: ``value * factor`` with ``decimals``, in ``unit``."""

    factor: float
    decimals: int
    unit: str

    @property
    def difference_unit(self) -> str:
        """Per cent differ by percentage points."""
        return self.unit.replace("%", "pp")

    def number(self, value: float, *, signed: bool = False) -> str:
        """The number alone, with thousands separators and a true minus sign; never a negative zero.

        >>> Scale(100.0, 2, "% a year").number(-0.01234), Scale(1.0, 1, "bp").number(-0.01), Scale(1.0, 1, "bp").number(2.0, signed=True)
        ('−1.23', '0.0', '+2.0')
        """
        return fixed(value * self.factor, self.decimals, signed=signed)

    def text(self, value: float, *, signed: bool = False) -> str:
        """The number with its unit; a signed one is a difference, so per cent become percentage points."""
        number = self.number(value, signed=signed)
        if number == MISSING:
            return number
        unit = self.difference_unit if signed else self.unit
        return with_unit(number, unit)

    def interval(self, estimate: Estimate, *, signed: bool = False) -> str:
        """`low to high`, without unit, or that it is not known."""
        return self.between(estimate.low, estimate.high, signed=signed)

    def between(self, low: float, high: float, *, signed: bool = False) -> str:
        """`low to high` of two ends, without unit; ends that are not known are infinite."""
        known = (low, high) if math.isfinite(low) and math.isfinite(high) else None
        return interval(known, partial(self.number, signed=signed))

    def told(self, estimate: Estimate) -> Scale:
        """The same scale with enough decimals for the half-width of the figure's interval, or for the figure where that is not known."""
        return self.fine(estimate.value if estimate.interval is None else (estimate.high - estimate.low) / 2.0)

    def fine(self, width: float) -> Scale:
        """The same scale with enough decimals to show ``width`` in two digits, three more at most."""
        needed = decimals_of(width * self.factor)
        if needed is None:
            return self
        return replace(self, decimals=min(max(needed, self.decimals), self.decimals + 3))


YIELD_SCALE = Scale(100.0, 2, "% a year")
PEG_SCALE = Scale(1.0, 1, "bp")
CR_SCALE = Scale(1.0, 4, "")
AXIS_SCALES = dict(zip(AXES, (YIELD_SCALE, PEG_SCALE), strict=True))
"""Of the two that the rule weighs against each other."""


def scale_for(unit: str, values: Iterable[float]) -> Scale:
    """The scale that suits every one of ``values``, so that the figures of one row can be compared by eye."""
    if unit in UNITS:
        factor, name = UNITS[unit]
        return Scale(factor, DECIMALS[unit], name)
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if largest == 0.0:
        return Scale(1.0, 0, unit)
    if largest < 10.0 and "·" not in unit:
        return Scale(1.0, 4, unit)
    factor, name = thousands(largest, unit) or (1.0, unit)
    return Scale(factor, 0 if factor == 1.0 else 2, name)


def plain_number(value: float) -> str:
    """A parameter or state figure as one would write it: up to six digits, whole ones in full, thousands separated.

    >>> plain_number(1500), plain_number(0.0025), plain_number(1586444839.83), plain_number(0.1234567)
    ('1,500', '0.0025', '1,586,444,840', '0.123457')
    """
    return true_minus(significant(value, 6))


def paths_of(estimate: Estimate) -> str:
    """The paths behind a figure, by how they were drawn."""
    return sized(estimate.n, estimate.twins)


def paths_counted(estimate: Estimate, noun: str) -> str:
    """The same in a sentence: their number, and how they were drawn where some are twins."""
    return sized_count(estimate.n, estimate.twins, noun)


def listed(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def metric_of(name: str, account: str) -> Metric:
    """The metric's definition, its title and unit in the unit of ``account``; one that scoring does not define is called by its own name and has no direction."""
    found = METRICS.get(name)
    if found is None:
        return Metric(name=name, title=sentence_case(name), unit="", better=0)
    return replace(found, title=in_account(found.title, account), unit=in_account(found.unit, account))


def better_of(name: str) -> int:
    """Which direction of a metric is better."""
    return metric_of(name, USD).better


def constraint_title(name: str) -> str:
    """A constraint in words: the title of the metric it limits, none of which names the unit of account."""
    if name == CAPS:
        return "Collateral caps plus idle buffer"
    metrics = {rule.name: rule.metric for rule in RULES}
    return metric_of(metrics.get(name, name), USD).title


def sentence_case(name: str) -> str:
    """``swap_fees`` -> ``Swap fees``."""
    words = name.replace("_", " ").replace("-", " ")
    return words[:1].upper() + words[1:]


def lower_first(text: str) -> str:
    """The first letter small, unless the word is an abbreviation or a name (`CVaR`, `A`, `PegKeepers'`)."""
    word = text.partition(" ")[0]
    return text if len(text) < 2 or not text[1].islower() or any(letter.isupper() for letter in word[1:]) else text[0].lower() + text[1:]


# -- what figures draw of estimates: values with their ends in display units, pairs of marks, and what a caption says of their intervals


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
