"""Scenarios, weights, known limits."""

from __future__ import annotations

from dataclasses import replace

from amo_opt.report.facts.validity import validity_of


def test_weights_are_shown_normalised_with_their_reason(result):
    """A study may state weights that do not add up to 1; the report shows what was used."""
    doubled = tuple(replace(each, weight=2 * each.weight) for each in result.study.scenarios)
    rows = validity_of(replace(result.study, scenarios=doubled)).scenarios
    assert [row.weight for row in rows] == ["90.00%", "2.00%", "3.00%", "3.00%", "2.00%"]
    assert all(row.weight_reason for row in rows)


def test_limits_follow_the_studys_settings(result):
    """What is said about peg reference and delay is what was simulated."""
    simulation = replace(result.study.simulation, peg_reference="dollar", response_delay_hours=24)
    text = " ".join(validity_of(replace(result.study, simulation=simulation)).limits)
    assert "Peg risk is measured against one dollar" in text
    assert "acts 24 hours after a trigger" in text
