"""The neighbours of the shown set: plateau or peak, the worst of them, and how many paths they stand on."""

from __future__ import annotations

from dataclasses import replace

from read import rows, tables

from amo_opt.report.account import Account
from amo_opt.report.sections import choice, neighbours


def test_a_plateau_is_called_one_only_if_no_neighbour_can_lose_more_than_a_tolerance(result):
    """The example has one neighbour that breaks a limit; without it, and with losses inside the tolerances, the word changes."""
    found = neighbours.finding(Account(result))
    assert found.startswith("Not a plateau everywhere around the proposed set: of 8 neighbours")
    assert "steps to mind: share of the pool above which" in found
    calm = tuple(each for each in result.neighbours if each.parameter in ("aave_cap", "idle_buffer"))
    assert neighbours.finding(Account(replace(result, neighbours=calm))).startswith("A plateau around the proposed set")


def test_the_fold_says_how_many_hold(result, blind):
    """As many as the figure fills; none is counted where nothing is known of them or none was run."""
    ends = [end for row in neighbours.ends_of(Account(result)).rows.values() for end in row]
    held = sum(end.held for end in ends)
    assert 0 < held < len(ends) == 8
    told = f"Why this set: {held} of 8 neighbours of the proposed set keep every limit that it keeps and lose no more than a tolerance"
    assert choice.finding(Account(result)) == told
    for nothing in (blind, replace(result, neighbours=())):
        assert choice.finding(Account(nothing)) == "Why: the rule and the alternatives"


def test_neighbours_count_all_paths_and_say_how_many_a_scenario_has(result):
    """The paired differences' own n, as section 7 shows it."""
    facts = Account(result)
    _, every = tables(neighbours.blocks(facts))
    assert [row["n"] for row in rows(every)] == ["3,200"] * 8
    for words in (neighbours.finding(facts), neighbours.ends_of(facts).caption):
        assert "n = 3,200 holdout paths, 640 for each scenario, seed 1" in words


def test_the_furthest_neighbours_are_the_worst_ends(result):
    """By hand from the steps of the example: pool_share_high lower loses most yield, and higher most of the peg, where a limit breaks."""
    worst, every = tables(neighbours.blocks(Account(result)))
    earned, peg = rows(worst)
    assert (earned["The worst of them on"], earned["One step"]) == ("Yield, pp a year", "`pool_share_high` lower")
    assert (peg["The worst of them on"], peg["One step"]) == ("Peg risk (CVaR 95%), bp", "`pool_share_high` higher")
    assert (peg["Difference (95%)"].split()[0], peg["n"]) == ("+2.60", "3,200")
    assert peg["Limits"].startswith("▼ BROKEN: ")
    same = next(row for row in rows(every) if row["One step"] == peg["One step"])
    assert (same["Peg risk, bp (95%)"], same["Limits"]) == (peg["Difference (95%)"], peg["Limits"])
