"""Section 3: the bounds of the change."""

from __future__ import annotations

from read import rows, tables

from amo_opt.report.account import Account
from amo_opt.report.sections import guard_rails


def _rules(result):
    return {row["Bound"].replace("\\", ""): row["Value"] for row in rows(tables(guard_rails.blocks(Account(result)))[-1])}


def test_steps_dates_and_limits(make_result, frax):
    """Every changed parameter but A has its step, whole steps where a proposal moves in them; the dates are those of [report]."""
    found = _rules(make_result(state=frax.state))
    assert found["Ramps of A"] == "1 ramp of 7 days each"
    assert found["Step of aave_cap"] == "11 × 0.01"
    assert found["Step of unwind_rate"] == "two significant digits"
    assert found["Earliest execution"].startswith("2022-05-14 00:00 UTC")
    assert found["Void if not executed by"].startswith("2022-05-16 00:00 UTC")
    assert found["Age of the state"] == "at most 30 days"
    assert found["Delay of every response"] == "6 h"


def test_without_a_proposal_only_what_bounds_any_change(make_result, frax):
    """No date, no step."""
    found = _rules(make_result("no change", state=frax.state))
    assert set(found) == {"A ramp of A", "Age of the state", "Delay of every response"}
