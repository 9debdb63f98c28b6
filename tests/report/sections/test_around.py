"""What stands around the proposed set: neighbours, half step, costs, runs, sensitivity, heat map."""

from __future__ import annotations

from dataclasses import replace

from read import rows, tables, text

from amo_opt.report.account import Account
from amo_opt.report.figures.heatmap import heat_of
from amo_opt.report.sections import costs, worst
from amo_opt.report.sets import subject_of
from amo_opt.search.ruling import Turn


def _facts(result):
    return Account(result)


def test_a_plateau_is_called_one_only_if_no_neighbour_can_lose_more_than_a_tolerance(result):
    """The example has one neighbour that breaks a limit; without it, and with losses inside the tolerances, the word changes."""
    around = _facts(result).neighbourhood
    assert around.finding.startswith("Not a plateau everywhere around the proposed set: of 8 neighbours")
    assert "steps to mind: share of the pool above which" in around.finding
    calm = tuple(each for each in result.neighbours if each.parameter in ("aave_cap", "idle_buffer"))
    assert _facts(replace(result, neighbours=calm)).neighbourhood.finding.startswith("A plateau around the proposed set")


def test_doing_nothing_and_half_the_step_stand_beside_the_whole(result):
    """Three rows; without a half step the page says that it was not run."""
    facts = _facts(result)
    assert [row.title for row in facts.neighbourhood.steps] == ["Do nothing (current)", "Half the step", "The whole step (Proposed)"]
    assert not facts.half_step_missing
    assert _facts(replace(result, half_step=None)).half_step_missing


def test_importances_are_sorted_by_the_largest_share(result):
    """What matters most for either objective comes first."""
    assert [row.parameter for row in _facts(result).neighbourhood.importances][:2] == ["amplification", "aave_cap"]


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


def test_figures_that_move_the_verdict_come_first(result):
    """Then the largest effect in tolerances; one that could not be compared is not hidden at the end."""
    facts = _facts(result).sensitivity
    moved = len({each.figure for each in result.sensitivity})
    assert moved > 40
    assert [row.moves for row in facts.rows] == [True, True] + [False] * 8
    assert facts.finding.startswith(f"2 assumptions of the {moved} moved change the verdict")
    effects = [float(row.effect) for row in facts.rows[2:]]
    assert effects == sorted(effects, reverse=True)
    assert len(facts.rows) + len(facts.rest) == moved
    assert len(facts.figure) == 10
    held = replace(result, sensitivity=tuple(replace(each, holds=True) for each in result.sensitivity))
    assert _facts(held).sensitivity.finding.startswith(f"The verdict holds at both ends of the range of all {moved} assumptions moved")


def test_an_effect_is_the_shift_in_tolerances(result):
    """Yield 0.1 points and peg 2 bp are one tolerance each: the larger shift of the two counts."""
    one = next(each for each in result.sensitivity if each.yield_difference is not None)
    base = {each.metric: each.difference for each in result.candidates[1].holdout_paired}
    moved = replace(
        one,
        yield_difference=replace(base["yield"], value=base["yield"].value + 0.0005),
        peg_difference=replace(base["peg_cvar95_bps"], value=base["peg_cvar95_bps"].value - 3.0),
    )
    assert [row.effect for row in _facts(replace(result, sensitivity=(moved,))).sensitivity.rows] == ["1.50"]


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
    assert "not known" in facts.neighbourhood.finding
    assert "not known" in facts.sensitivity.finding
    assert "not known" in costs.finding(facts)


def test_an_end_that_could_not_be_run_counts_for_nothing(result):
    """Its n of 0 is no sample size, and its figure has the effect of the other end; reason and value are told."""
    lost = replace(
        result.sensitivity[0],
        n=0,
        yield_difference=None,
        peg_difference=None,
        holds=True,
        objection=Turn(kind="not run", detail="more staked than there is"),
    )
    found = _facts(replace(result, sensitivity=(lost, *result.sensitivity[1:]))).sensitivity
    assert "n = 640 holdout paths for each end" in found.finding
    assert "1 end could not be run" in found.finding
    assert "n = 640 holdout paths" in found.figure_caption
    assert [(each.figure, each.why) for each in found.not_run] == [(lost.figure, "more staked than there is")]
    row = next(row for row in found.rows if row.figure == lost.figure)
    assert len(row.ends) == 1
    assert row.effect != "–"
    nothing = _facts(replace(result, sensitivity=(lost,))).sensitivity
    assert "No assumed figure was moved" in nothing.finding
    assert (nothing.rows, len(nothing.not_run), nothing.figure_caption) == ((), 1, "")


def test_neighbours_count_all_paths_and_say_how_many_a_scenario_has(result):
    """The paired differences' own n, as section 7 shows it."""
    around = _facts(result).neighbourhood
    assert {row.n for row in around.rows} == {"3,200"}
    for words in (around.finding, around.figure_caption):
        assert "n = 3,200 holdout paths, 640 for each scenario, seed 1" in words


def test_the_furthest_neighbours_are_the_worst_ends(result):
    """By hand from the steps of the example: pool_share_high lower loses most yield, and higher most of the peg, where a limit breaks."""
    earned, peg = _facts(result).neighbourhood.furthest
    assert (earned.parameter, earned.side) == ("pool_share_high", "lower")
    assert (peg.parameter, peg.side, peg.limits.word) == ("pool_share_high", "higher", "BROKEN")
    assert (peg.difference, peg.n) == ("+2.60", "3,200")
