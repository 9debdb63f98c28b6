"""Section 3: the bounds of the change."""

from __future__ import annotations

from amo_opt.report.sections.guard_rails import guard_rails_of
from amo_opt.report.sets import subject_of


def _rules(result):
    return {what: (value, why) for what, value, why in guard_rails_of(result, subject_of(result)).rules}


def test_steps_dates_and_limits(make_result, frax):
    """Every changed parameter but A has its step, whole steps where a proposal moves in them; the dates are those of [report]."""
    found = _rules(make_result(state=frax.state))
    assert found["Ramps of A"][0] == "1 ramp of 7 days each"
    assert found["Step of aave_cap"][0] == "11 × 0.01"
    assert found["Step of unwind_rate"][0] == "two significant digits"
    assert found["Earliest execution"][0].startswith("2022-05-14 00:00 UTC")
    assert found["Void if not executed by"][0].startswith("2022-05-16 00:00 UTC")
    assert found["Age of the state"][0] == "at most 30 days"
    assert found["Delay of every response"][0] == "6 h"


def test_without_a_proposal_only_what_bounds_any_change(make_result, frax):
    """No date, no step."""
    found = _rules(make_result("no change", state=frax.state))
    assert set(found) == {"A ramp of A", "Age of the state", "Delay of every response"}
