"""Dates and ramps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from amo_opt.report.schedule import DAY, duration, moment, schedule_of, unix
from amo_opt.stableswap.exact_input import Revert
from amo_opt.stableswap.ramp import AmplificationRamp


def test_dates_are_counted_from_the_studys(frax):
    """Vote and timelock, a window to sign, and a week of ramp; nothing asks a clock."""
    found = schedule_of(frax, 1500, 1800)
    start = int(datetime(2022, 5, 11, tzinfo=UTC).timestamp())
    assert unix(frax) == start
    assert (found.earliest, found.planned) == (start + 3 * DAY, start + 5 * DAY)
    (ramp,) = found.ramps
    assert (ramp.start, ramp.end, ramp.latest_safe) == (found.planned, found.planned + 7 * DAY, found.planned)
    assert ramp.latest_safe == ramp.end - max(DAY, ramp.end - ramp.start)
    assert found.void == found.planned
    assert schedule_of(frax, 1500, 1500).void == start + 14 * DAY
    assert moment(found.planned) == "2022-05-16 00:00 UTC (1652659200)"
    assert [duration(each) for each in (DAY, 7 * DAY, 36 * 3600)] == ["1 day", "7 days", "36.0 h"]


@pytest.mark.parametrize(
    ("before", "after", "count"), [(100, 2000, 2), (1500, 15_000, 1), (1500, 15_001, 2), (4000, 3, 4), (1, 999_999, 6)]
)
def test_the_contract_takes_every_ramp_at_its_latest_safe_moment(frax, refigured, before, after, count):
    """Run through the contract's own rules, with the shortest ramp a state may hold: none is refused, and A arrives."""
    study = refigured(frax, {"markets.ramp_hours": 24.0})
    pool = AmplificationRamp(generation="meta_factory_v1", initial_A=before * 100)
    ramps = schedule_of(study, before, after).ramps
    assert len(ramps) == count
    for ramp in ramps:
        assert pool.A(ramp.latest_safe) == ramp.start_a
        pool.ramp_A(ramp.target_a, ramp.end, t=ramp.latest_safe)
    assert pool.A(ramps[-1].end) == after


def test_from_the_refused_second_on_the_contract_reverts(frax):
    """A second earlier it still takes the ramp."""
    (ramp,) = schedule_of(frax, 1500, 2210).ramps
    pool = AmplificationRamp(generation="meta_factory_v1", initial_A=150_000)
    with pytest.raises(Revert, match="it must last 86400 s"):
        pool.ramp_A(ramp.target_a, ramp.end, t=ramp.refused)
    pool.ramp_A(ramp.target_a, ramp.end, t=ramp.refused - 1)


def test_the_ramp_back_is_good_to_the_last_moment_of_the_revert_batch(frax):
    """After the ramp there, and at the end of the days for which the revert batch is offered, the contract takes it."""
    found = schedule_of(frax, 1500, 2210)
    (ramp,) = found.ramps
    for moment_back in (ramp.start + DAY, ramp.end, found.revert_until):
        pool = AmplificationRamp(generation="meta_factory_v1", initial_A=150_000)
        pool.ramp_A(ramp.target_a, ramp.end, t=ramp.start)
        pool.ramp_A(1500, found.revert_end, t=moment_back)
        assert pool.A(found.revert_end) == 1500


def test_dates_are_whole_seconds(frax):
    """Days with a fraction too."""
    study = replace(frax, report=replace(frax.report, execution_delay_days=1.234567891))
    found = schedule_of(study, 1500, 2210)
    assert all(isinstance(each, int) for each in (found.earliest, found.planned, found.void, found.ramps[0].end))
