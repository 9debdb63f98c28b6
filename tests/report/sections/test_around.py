"""What stands around the proposed set: costs, runs, heat map, convergence, and a run that looked at nothing."""

from __future__ import annotations

from dataclasses import replace

from read import rows, tables, text

from amo_opt.report.account import Account
from amo_opt.report.figures.heatmap import heat_of
from amo_opt.report.sections import costs, doubt, neighbours, worst
from amo_opt.report.sections.search import convergence_of
from amo_opt.report.sets import subject_of


def _facts(result):
    return Account(result)


def test_costs_are_told_apart_only_where_intervals_do_not_meet(result):
    """A deeper shortfall beyond both intervals is worse, a lower price within them is not told apart."""
    (table,) = tables(costs.blocks(_facts(result)))
    assert [row["Verdict"] for row in rows(table)] == ["▼ WORSE", "▼ WORSE", "○ INCONCLUSIVE", "▼ WORSE"]
    assert [row["Unit"] for row in rows(table)] == ["m USD", "k USD", "USD", "bp"]
    assert "3 of 4 figures are worse" in text(costs.blocks(_facts(result)))
    empty = costs.blocks(_facts(replace(result, change_costs=())))
    assert (tables(empty), text(empty)) == ([], costs.NOT_TOLD_APART)


def test_run_capacity_without_payments_shows_a_dash(result):
    """Not known is not zero."""
    bare = replace(result, run_capacities=tuple(replace(each, paid=None) for each in result.run_capacities))
    (found,) = (rows(each) for each in tables(worst.blocks(_facts(bare))) if each.label == "Run capacity")
    assert [row["Paid out of it, % (95%)"] for row in found] == ["–", "–"]
    assert found[0]["Largest run survived, % (95%)"].startswith("31.0 (")


def test_the_heat_map_shows_every_set_with_a_role_and_the_half_step(result):
    """Five scenarios by four sets, a number and a verdict in each cell."""
    heat = heat_of(result, subject_of(result))
    assert heat.columns == ("Proposed", "Cautious", "Yield-seeking", "Half step")
    assert [panel.title for panel in heat.panels] == [
        "Yield",
        "Peg risk (CVaR 95%)",
        "Lowest external collateral ratio, mean of the lowest 5%",
    ]
    assert all(len(panel.cells) == 5 and all(len(row) == 4 and None not in row for row in panel.cells) for panel in heat.panels)


def test_a_run_that_looked_at_nothing_says_so_everywhere(result):
    """No part is silently absent."""
    bare = replace(
        result, neighbours=(), half_step=None, importances={}, sensitivity=(), change_costs=(), run_capacities=(), hypervolume=()
    )
    facts = _facts(bare)
    assert "not known" in neighbours.finding(facts)
    assert "not known" in doubt.ends_finding(facts)
    assert "not known" in costs.finding(facts)
    assert "not measured" in convergence_of(bare).caption
