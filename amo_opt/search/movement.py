"""What moves, and how: a paired difference against chance and against what matters, and the shape of an objective along a range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from amo_opt.config.study import Study
from amo_opt.scoring.metrics import MEASURES
from amo_opt.scoring.paired import ROUNDING
from amo_opt.scoring.types import PairedDifference
from amo_opt.search.grid import inside

MATERIAL = 0.01
"""What is too small to matter, as a share of the study's certification tolerances."""

Word = Literal["FLAT", "INTERIOR OPTIMUM", "MONOTONE", "EDGE", "NOT KNOWN"]


@dataclass(frozen=True, kw_only=True)
class Shift:
    """A paired difference and the ``bound`` up to which it does not matter, in its own unit."""

    difference: PairedDifference
    bound: float

    @property
    def known(self) -> bool:
        """Whether the paths are enough to tell the difference from chance."""
        return self.difference.difference.interval is not None

    @property
    def furthest(self) -> float:
        """The end of the interval that is further from 0, without its sign."""
        return max(abs(self.difference.difference.low), abs(self.difference.difference.high))

    @property
    def unchanged(self) -> bool:
        """Whether nothing but round-off is left of the difference, on every resample."""
        return self.furthest <= self._rounding

    @property
    def beyond_chance(self) -> bool:
        """Whether the 95% interval leaves out 0; for events, whether McNemar's exact test tells the two apart."""
        measure = MEASURES.get(self.difference.metric)
        if measure is not None and measure.kind == "event":
            return self.difference.verdict in {"BETTER", "WORSE"}
        found = self.difference.difference
        return found.low > self._rounding or found.high < -self._rounding

    @property
    def moves(self) -> bool:
        """Whether the difference is larger than chance and than what is too small to matter."""
        return self.beyond_chance and abs(self.difference.difference.value) > self.bound

    @property
    def ruled_out(self) -> bool:
        """Whether the whole interval lies within the bound: not only is no movement seen, none that matters can be."""
        return self.furthest <= max(self.bound, self._rounding)

    @property
    def _rounding(self) -> float:
        return ROUNDING * max(abs(self.difference.candidate), abs(self.difference.current))


def bound(unit: str, study: Study) -> float:
    """What is too small to matter in a unit: `MATERIAL` of the study's tolerance for yield, peg risk or collateral ratio, or of its limit
    where it has no tolerance (events, unserved demand).
    """
    certification, limits = study.certification, study.constraints
    scales = {
        "per year": certification.tolerance_yield,
        "bps": certification.tolerance_peg_bps,
        "ratio": certification.tolerance_cr,
        "probability": limits.max_breach_probability,
        "USD·h": limits.max_unserved_usd_hours,
    }
    return MATERIAL * scales[unit]


@dataclass(frozen=True, kw_only=True)
class Track:
    """One objective along a range: the profiled ``values`` upwards, its ``figures`` there, and ``shifts[i, j]``, point j minus point i, for i < j.

    ``better`` is +1 where more of it is better, -1 where less is.
    """

    metric: str
    better: int
    values: tuple[float, ...]
    figures: tuple[float, ...]
    shifts: Mapping[tuple[int, int], Shift]
    log: bool

    def beats(self, i: int, j: int) -> bool:
        """Whether point i is better than point j by more than chance and than what is too small to matter."""
        if i == j:
            return False
        shift = self.shifts[min(i, j), max(i, j)]
        gain = self.better * shift.difference.difference.value * (1 if i > j else -1)
        return shift.moves and gain > 0.0

    def best(self, current: float) -> int:
        """The best point; of equal ones the nearest to the current value."""
        return max(range(len(self.values)), key=lambda i: (self.better * self.figures[i], -abs(self.values[i] - current)))

    def worst(self) -> int:
        """The worst point."""
        return min(range(len(self.values)), key=lambda i: self.better * self.figures[i])


def classify(track: Track, *, current: float) -> tuple[Word, int]:
    """The shape of a track, and its best point.

    FLAT: best and worst point, and every point and the current one, differ by no more than chance or than what matters. INTERIOR OPTIMUM:
    the best point lies further than a tenth of the range from either end and beats both ends. MONOTONE: one end beats the other and no step
    back on the way is clear. EDGE: the best point is at an end, or cannot be told from one, without the way there being monotone. NOT
    KNOWN: the paths are too few to tell two points from chance.
    """
    values, last = track.values, len(track.values) - 1
    best = track.best(current)
    if not all(shift.known for shift in track.shifts.values()):
        return "NOT KNOWN", best
    home = min(range(last + 1), key=lambda i: abs(values[i] - current))
    if not track.beats(best, track.worst()) and not any(track.beats(i, home) or track.beats(home, i) for i in range(last + 1)):
        return "FLAT", best
    if inside(values[best], values[0], values[last], log=track.log) and track.beats(best, 0) and track.beats(best, last):
        return "INTERIOR OPTIMUM", best
    return ("MONOTONE" if _onward(track, upwards=True) or _onward(track, upwards=False) else "EDGE"), best


def _onward(track: Track, *, upwards: bool) -> bool:
    """Whether the objective gets better over the range in one direction, with no clear step back between any two points."""
    places = range(len(track.values)) if upwards else range(len(track.values) - 1, -1, -1)
    order = list(places)
    back = any(track.beats(earlier, later) for place, earlier in enumerate(order) for later in order[place + 1 :])
    return track.beats(order[-1], order[0]) and not back
