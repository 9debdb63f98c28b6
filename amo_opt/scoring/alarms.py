"""Monitoring triggers scored as classifiers on recorded histories: hours of lead, precision, recall, F1, each with its count and interval.

What counts as what:

- A **trigger** fires in the hour in which its reading has stood beyond the threshold for as long as it asks for. It is armed again once the
  reading has been back for ``quiet`` hours; until then it is one alarm.
- A **depeg** (`Depeg`) begins in the first hour in which the price is below a level, or has fallen by so many bp from its highest of the hours
  before, where it stays so for as many hours as the definition asks for. It ends, and another may begin, ``quiet`` hours after the last such hour.
- An alarm is **true** where a depeg begins in the hour it fires in or at most ``within`` hours later, **false** where none does: one that fires
  in the middle of a depeg too (told as ``late``). Where the record ends, or has a gap, before that can be said, it is not judged.
- A depeg is **warned of** where at least one alarm is true for it; its lead counts from the earliest of them. One whose alarm has stood for longer
  than ``within`` is missed (told as ``standing``): an alarm that is always on warns of nothing. A depeg under way as the record begins, or after a
  gap, has no hours before it and is left out.

Precision = true alarms / alarms judged, recall = depegs warned of / depegs, F1 = 2 P R / (P + R). Intervals are Clopper-Pearson's at 95%, which
take alarms and depegs as independent: those of one crisis are not, so that the truth is wider. Beside precision
stands what alarms at hours drawn by lot would have. F1's is the box of both at 97.5% (Bonferroni).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from amo_opt.errors import AmoOptError
from amo_opt.scoring.intervals import TWO_SIDED, clopper_pearson, nine_digits
from amo_opt.stress.hourly import SERIES, Hourly, Record

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

WITHIN_HOURS = 12
"""How soon after an alarm the depeg must begin: the margin that the published scores beside ours were computed with."""
QUIET_HOURS = 24
LEVEL = 0.99
YEAR = 8766.0


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """What fires: ``series`` (`SERIES`, or one that no record holds) below or above ``threshold`` for ``hours`` hourly readings in a row."""

    name: str
    series: str
    threshold: float
    below: bool = True
    hours: int = 1

    def __post_init__(self) -> None:
        if not math.isfinite(self.threshold):
            raise AmoOptError(f"trigger {self.name}: threshold: found {self.threshold}; allowed: a finite number")
        if self.hours < 1:
            raise AmoOptError(f"trigger {self.name}: hours: found {self.hours}; allowed: at least 1")

    def beyond(self, reading: Hourly) -> Flags:
        """Hours in which the reading is beyond the threshold, (hours,); where it is not known it is not."""
        found: Flags = reading.low < self.threshold if self.below else reading.high > self.threshold
        return found


@dataclass(frozen=True, kw_only=True)
class Depeg:
    """What is to be warned of: the price below ``level``, or where ``fall_bp`` is given that many bp below its highest of the ``over`` hours
    before, for ``hours`` in a row.
    """

    level: float = LEVEL
    fall_bp: float | None = None
    over: int = 24
    hours: int = 1

    def __post_init__(self) -> None:
        if not 0.0 < self.level < math.inf:
            raise AmoOptError(f"depeg: level: found {self.level}; allowed: a price above 0")
        if self.fall_bp is not None and not 0.0 < self.fall_bp < 10_000.0:
            raise AmoOptError(f"depeg: fall: found {self.fall_bp} bp; allowed: above 0 and below 10,000")
        if min(self.hours, self.over) < 1:
            raise AmoOptError(f"depeg: hours: found {min(self.hours, self.over)}; allowed: at least 1")

    @property
    def text(self) -> str:
        """The definition in words."""
        what = (
            f"price below {self.level:g}"
            if self.fall_bp is None
            else f"price {self.fall_bp:g} bp below its highest of the {self.over} h before"
        )
        return what if self.hours == 1 else f"{what} for {self.hours} h"

    def beyond(self, price: Hourly) -> Flags:
        """Hours in which the price is off, (hours,)."""
        if self.fall_bp is None:
            found: Flags = price.low < self.level
            return found
        # the highest of the hours' lows: one print above the market would make a fall of every hour after it
        lows = np.where(np.isnan(price.low), -np.inf, price.low)
        highest = np.full(lows.size, -np.inf)
        for ago in range(1, min(self.over, lows.size - 1) + 1):
            np.maximum(highest[ago:], lows[:-ago], out=highest[ago:])
        fallen: Flags = price.low < highest * (1.0 - 1e-4 * self.fall_bp)
        return fallen


@dataclass(frozen=True)
class Spell:
    """Hours in which something stood: from its first, over the hour it ``counts`` from, to its last; ``cut`` = it stood already where the record,
    or what is known of it, begins.
    """

    first: int
    counts: int
    last: int
    cut: bool


def spells(beyond: Flags, known: Flags, *, hours: int, quiet: int) -> tuple[Spell, ...]:
    """Runs of at least ``hours``, those fewer than ``quiet`` hours apart as one.

    >>> flags = np.array([0, 1, 0, 1, 1, 0, 0, 0, 1, 1], dtype=bool)
    >>> [(each.first, each.counts, each.last) for each in spells(flags, np.ones(10, dtype=bool), hours=2, quiet=3)]
    [(3, 4, 4), (8, 9, 9)]
    """
    stands = beyond & known
    edges = np.flatnonzero(np.diff(np.concatenate([[False], stands, [False]]).astype(np.int8)))
    found: list[Spell] = []
    for first, end in edges.reshape(-1, 2).tolist():
        if end - first < hours:
            continue
        if found and first - found[-1].last - 1 < quiet:
            found[-1] = Spell(found[-1].first, found[-1].counts, end - 1, found[-1].cut)
        else:
            found.append(Spell(first, first + hours - 1, end - 1, cut=first == 0 or not bool(known[first - 1])))
    return tuple(found)


@dataclass(frozen=True, kw_only=True)
class Tally:
    """One trigger on one record. ``hours`` are those in which both its reading and the price are known; ``events`` and ``alarms`` are hours of the
    record, ``leads`` the hours of lead of the events warned of. Of ``judgeable`` hours, in which an alarm could be judged, ``followed`` have a depeg
    as soon after them as an alarm needs one.
    """

    record: str
    hours: int
    events: tuple[int, ...]
    alarms: tuple[int, ...]
    leads: tuple[int, ...]
    true: int
    false: int
    late: int
    unjudged: int
    standing: int
    left_out: int
    judgeable: int
    followed: int


def tally(trigger: Trigger, depeg: Depeg, record: Record, *, within: int = WITHIN_HOURS, quiet: int = QUIET_HOURS) -> Tally | None:
    """The trigger on that record, None where the record does not hold what it reads. Raises `AmoOptError` for hours below 0."""
    if within < 0 or quiet < 0:
        raise AmoOptError(f"hours: found {min(within, quiet)}; allowed: 0 or more")
    reading = record.series.get(trigger.series)
    if reading is None:
        return None
    price = record.series["price"]
    known: Flags = np.isfinite(reading.low) & np.isfinite(price.low)
    depegs = spells(depeg.beyond(price), known, hours=depeg.hours, quiet=quiet)
    judged = [each for each in depegs if not each.cut]
    alarms = spells(trigger.beyond(reading), known, hours=trigger.hours, quiet=quiet)
    events = np.array([each.first for each in judged], dtype=np.int64)
    unknown = np.flatnonzero(~known)
    leads: dict[int, int] = {}
    counted = {"true": 0, "false": 0, "late": 0, "unjudged": 0}
    hours = np.arange(record.hours)
    # the depeg and the unknown hour that come next, at the record's end if none does
    ends = np.array([record.hours])
    following = np.concatenate([events, ends + within + 1])[np.searchsorted(events, hours)]
    gap = np.concatenate([unknown, ends])[np.searchsorted(unknown, hours)]
    followed: Flags = following - hours <= within
    whole: Flags = gap - hours > within
    for alarm in alarms:
        hour = alarm.counts
        if followed[hour]:
            counted["true"] += 1
            # one alarm may warn of what follows closely, too
            for event in events[(events >= hour) & (events - hour <= within)].tolist():
                leads[event] = max(leads.get(event, 0), event - hour)
            continue
        in_one = any(each.first < hour <= each.last for each in depegs)
        if not whole[hour] and not in_one:
            counted["unjudged"] += 1
            continue
        counted["false"] += 1
        counted["late"] += in_one
    missed = [event for event in events.tolist() if event not in leads]
    return Tally(
        record=record.name,
        hours=int(known.sum()),
        events=tuple(events.tolist()),
        alarms=tuple(each.counts for each in alarms),
        leads=tuple(leads[event] for event in sorted(leads)),
        standing=sum(any(each.counts < event - within and each.last >= event - 1 for each in alarms) for event in missed),
        left_out=len(depegs) - len(judged),
        judgeable=int((known & (followed | whole)).sum()),
        followed=int((known & followed).sum()),
        **counted,
    )


@dataclass(frozen=True)
class Share:
    """So many of so many, with the exact 95% interval; of none there is neither."""

    hits: int
    n: int

    @property
    def value(self) -> float | None:
        """The share itself."""
        return self.hits / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Clopper and Pearson's."""
        return self.bounds(TWO_SIDED) if self.n else None

    def bounds(self, tail: float) -> tuple[float, float]:
        """Both ends with ``tail`` outside each; of none anything is possible."""
        return clopper_pearson(self.hits, self.n, tail=tail) if self.n else (0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class AlarmScore:
    """A trigger's score over one or several records; ``tallies`` are what it is the sum of."""

    trigger: Trigger
    tallies: tuple[Tally, ...]

    def total(self, name: str) -> int:
        """The sum of one of the tallies' counts."""
        return sum(int(getattr(each, name)) for each in self.tallies)

    @property
    def hours(self) -> int:
        """Hours watched."""
        return self.total("hours")

    @cached_property
    def events(self) -> int:
        """Depegs that could be warned of."""
        return sum(len(each.events) for each in self.tallies)

    @cached_property
    def leads(self) -> tuple[int, ...]:
        """Hours of lead of all that were warned of, rising."""
        return tuple(sorted(lead for each in self.tallies for lead in each.leads))

    @property
    def scored(self) -> bool:
        """Whether there is anything to score: at least one depeg."""
        return self.events > 0

    @property
    def precision(self) -> Share:
        """True alarms of those judged."""
        return Share(self.total("true"), self.total("true") + self.total("false")) if self.scored else Share(0, 0)

    @property
    def chance(self) -> float | None:
        """The precision of alarms at hours drawn by lot: what a trigger that knows nothing has."""
        return self.total("followed") / self.total("judgeable") if self.scored and self.total("judgeable") else None

    @property
    def recall(self) -> Share:
        """Depegs warned of."""
        return Share(len(self.leads), self.events)

    @property
    def early(self) -> Share:
        """Depegs warned of by an hour or more: a lead of 0 is no warning to who has to sign."""
        return Share(sum(lead >= 1 for lead in self.leads), self.events)

    @property
    def f1(self) -> float | None:
        """2 P R / (P + R); 0 where nothing was warned of, None where there was nothing to warn of."""
        if not self.scored:
            return None
        return _f1(self.precision.value or 0.0, self.recall.value or 0.0)

    @property
    def f1_interval(self) -> tuple[float, float] | None:
        """F1 rises with both, so that it lies between its values at their ends: each at 97.5%, both at 95% together."""
        if not self.scored:
            return None
        (p_low, p_high), (r_low, r_high) = (each.bounds(TWO_SIDED / 2.0) for each in (self.precision, self.recall))
        return _f1(p_low, r_low), _f1(p_high, r_high)

    @property
    def lead(self) -> float | None:
        """The median lead, hours."""
        return float(np.median(self.leads)) if self.leads else None

    @property
    def lead_interval(self) -> tuple[int, int] | None:
        """The median's 95% interval between two order statistics; of fewer than six leads none is known."""
        return median_interval(self.leads)

    @property
    def false_a_year(self) -> float | None:
        """False alarms a year watched."""
        return self.total("false") * YEAR / self.hours if self.hours else None

    @property
    def false_a_year_interval(self) -> tuple[float, float] | None:
        """Its exact 95% interval as a Poisson rate (Garwood, Biometrika 28, 1936)."""
        if not self.hours:
            return None
        from scipy.special import gammaincinv  # as in `clopper_pearson`: late, because it is slow to import

        count, years = self.total("false"), self.hours / YEAR
        low = nine_digits(float(gammaincinv(count, TWO_SIDED))) if count else 0.0
        return low / years, nine_digits(float(gammaincinv(count + 1.0, 1.0 - TWO_SIDED))) / years


def score_alarms(
    trigger: Trigger, depeg: Depeg, records: Sequence[Record], *, within: int = WITHIN_HOURS, quiet: int = QUIET_HOURS
) -> AlarmScore:
    """The trigger over all records that hold what it reads."""
    found = (tally(trigger, depeg, each, within=within, quiet=quiet) for each in records)
    return AlarmScore(trigger=trigger, tallies=tuple(each for each in found if each is not None))


def scoreable(trigger: Trigger) -> bool:
    """Whether any record can hold what the trigger reads."""
    return trigger.series in SERIES


def median_interval(ordered: Sequence[int]) -> tuple[int, int] | None:
    """The distribution-free 95% interval of a median, the k-th smallest to the k-th largest with P(Binomial(n, 1/2) < k) <= 2.5%.

    >>> median_interval([1, 2, 3, 4, 5]), median_interval([1, 2, 3, 4, 5, 6])
    (None, (1, 6))
    """
    n = len(ordered)
    below, rank = 0.0, 0
    for k in range(n):
        below += (
            math.comb(n, k) * 0.5**n
            if n < 1000
            else math.exp(math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2.0))
        )
        if below > TWO_SIDED:
            break
        rank = k + 1
    return (ordered[rank - 1], ordered[n - rank]) if rank else None


def _f1(precision: float, recall: float) -> float:
    return 2.0 * precision * recall / (precision + recall) if precision + recall > 0.0 else 0.0
