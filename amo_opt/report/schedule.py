"""When a proposal is executed: dates counted from the study's, the ramps of A one after the other, and the last safe moment of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from amo_opt.report.wording import Scale
from amo_opt.stableswap.ramp import MIN_RAMP_TIME, ramp_targets

if TYPE_CHECKING:
    from amo_opt.config.study import Study

DAY = 86_400
HOUR = 3600


@dataclass(frozen=True)
class Ramp:
    """One ramp of A, times in Unix seconds. Executed after ``latest_safe`` it would be shorter than planned; from ``refused`` on (less
    than a day before its end) the contract reverts.
    """

    start_a: int
    target_a: int
    start: int
    end: int
    latest_safe: int

    @property
    def refused(self) -> int:
        """The first second at which the ramp would be too short for the contract."""
        return self.end - MIN_RAMP_TIME + 1


@dataclass(frozen=True)
class Schedule:
    """``earliest`` execution (vote and timelock), the ``planned`` one, and what is left undone by ``void`` is not to be executed any more."""

    earliest: int
    planned: int
    void: int
    ramp_seconds: int
    ramps: tuple[Ramp, ...]
    revert_until: int

    @property
    def revert_end(self) -> int:
        """The end of a ramp back that is started at the last moment the revert batch is good for."""
        return self.revert_until + self.ramp_seconds


def schedule_of(study: Study, before: int, after: int) -> Schedule:
    """The dates of a change of A from ``before`` to ``after`` (equal: no ramp). No clock is read."""
    start, dates = unix(study), study.report
    earliest = start + round(dates.execution_delay_days * DAY)
    planned = earliest + round(dates.execution_window_days * DAY)
    length = max(MIN_RAMP_TIME, round(study.state.markets.ramp_hours.value * HOUR))
    ramps: list[Ramp] = []
    held, begin = before, planned
    for target in ramp_targets(before, after):
        end = begin + length
        ramps.append(Ramp(held, target, begin, end, end - max(MIN_RAMP_TIME, length)))
        held, begin = target, end
    void = start + round(dates.expiry_days * DAY)
    if ramps:
        void = min(void, ramps[0].latest_safe)
    return Schedule(earliest, planned, void, length, tuple(ramps), planned + round(dates.rollback_days * DAY))


def unix(study: Study) -> int:
    """The study's date at midnight UTC."""
    return int(datetime.combine(study.date, time(), UTC).timestamp())


def moment(seconds: int) -> str:
    """``2022-05-16 00:00 UTC (1652659200)``."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC ({seconds})"


def duration(seconds: float) -> str:
    """``7 days``, ``36.0 h``."""
    days = seconds / DAY
    if days != round(days):
        return Scale(1 / HOUR, 1, "h").text(seconds)
    return "1 day" if days == 1 else f"{days:,.0f} days"
