"""What a replay of a recorded episode came to: each recorded column beside the model's, and what must come out right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from amo_opt.wording import count, named, significant

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ColumnFit:
    """One recorded column: hours since the start, the model's mean and 5-95% band over paths, and what was recorded, a tuple each.

    The band is None where the paths are too few to know it.
    """

    name: str
    hours: tuple[int, ...]
    model: tuple[float, ...]
    low: tuple[float, ...] | None
    high: tuple[float, ...] | None
    real: tuple[float, ...]
    crps: float | None = None
    """Mean CRPS of the paths over the rows; None where they are too few."""
    crps_still: float | None = None
    """The same of a forecast that nothing changes from where the replay starts: the mean distance from there."""

    def __repr__(self) -> str:
        return f"ColumnFit({self.name!r}, {count(self.n, 'row')}, root mean squared miss {significant(self.rmse, 4)})"

    @property
    def n(self) -> int:
        """Rows compared."""
        return len(self.real)

    @property
    def misses(self) -> Array:
        """The model's mean less what was recorded."""
        missed: Array = np.array(self.model) - np.array(self.real)
        return missed

    @property
    def rmse(self) -> float:
        """Root of the mean squared miss."""
        return float(np.sqrt(np.mean(self.misses**2)))

    @property
    def outside(self) -> int | None:
        """Rows whose recorded value lies outside the band; None where there is none."""
        if self.low is None or self.high is None:
            return None
        return sum(not low <= real <= high for low, real, high in zip(self.low, self.real, self.high, strict=True))


@dataclass(frozen=True)
class Summary:
    """One figure over the whole replay, of a balance its last row's, at ``hour``; None where it was not recorded or cannot be had. The
    interval is the model's over paths, None where those are too few to know it.
    """

    name: str
    model: float | None
    real: float | None
    interval: tuple[float, float] | None
    hour: int | None = None


@dataclass(frozen=True)
class Demand:
    """One thing that must come out right. Of a replay whose paths differ by calm's noise alone the model's figure is to lie within [low, high]; of one whose paths draw what is not known
    (``band``: 5-95% of them) what was recorded is to lie within the band, and of what was not recorded the band is to reach [low, high].
    """

    text: str
    model: float
    real: float | None
    low: float
    high: float
    band: tuple[float, float] | None = None

    @property
    def missed_by(self) -> float:
        """Distance to the nearer limit; 0 where it is met."""
        if self.band is None:
            return max(self.low - self.model, self.model - self.high, 0.0)
        if self.real is None:
            return max(self.low - self.band[1], self.band[0] - self.high, 0.0)
        return max(self.band[0] - self.real, self.real - self.band[1], 0.0)

    @property
    def met(self) -> bool:
        """Whether it came out right; a figure that cannot be had does not."""
        if self.band is None:
            return self.low <= self.model <= self.high
        if self.real is None:
            return self.low <= self.band[1] and self.band[0] <= self.high
        return self.band[0] <= self.real <= self.band[1]


@dataclass(frozen=True)
class EpisodeFit:
    """A replayed episode of ``paths`` paths under a set."""

    name: str
    title: str
    start: str
    hours: int
    paths: int
    columns: tuple[ColumnFit, ...]
    summary: tuple[Summary, ...]
    demands: tuple[Demand, ...]
    notes: tuple[str, ...] = ()
    drawn_behaviour: Literal["no", "yes", "known"] = "no"
    """Whether each path has a joint draw of the fitted behaviour of its own; known: from what days before the replay tell of the pool."""
    venue: bool = False
    """Whether prices are those of a venue with a spread of its own."""

    def __repr__(self) -> str:
        met = f"{len(self.demands) - len(self.missed)} of {count(len(self.demands), 'demand')} met"
        return f"EpisodeFit({named(self.name)!r}, from {self.start}, {self.hours:,} hours, {count(self.paths, 'path')}, {met})"

    @property
    def missed(self) -> tuple[Demand, ...]:
        """The demands that are not met."""
        return tuple(demand for demand in self.demands if not demand.met)
