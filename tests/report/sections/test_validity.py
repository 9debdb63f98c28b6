"""Scenarios, weights, known limits."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from read import rows, tables, text

from amo_opt.amos.catalogue import BY_RANK
from amo_opt.report.account import Account
from amo_opt.report.sections import validity
from amo_opt.report.sections.risk import unseen_chance
from amo_opt.report.sections.validity import _against, is_validated, limits_of, price_caption, replayed_words
from amo_opt.scoring.replay import Demand


def table(result, head):
    """The rows of every table that has this head."""
    found = [rows(each) for each in tables(validity.blocks(Account(result)))]
    return [row for each in found if head in each[0] for row in each]


def test_weights_are_shown_normalised_with_their_reason(result):
    """A study may state weights that do not add up to 1; the report shows what was used."""
    doubled = tuple(replace(each, weight=2 * each.weight) for each in result.study.scenarios)
    found = table(replace(result, study=replace(result.study, scenarios=doubled)), "Why this weight")
    assert [row["Weight"] for row in found] == ["90.00%", "2.00%", "3.00%", "3.00%", "2.00%"]
    assert all(row["Why this weight"] not in ("", "–") for row in found)


def test_limits_follow_the_studys_settings(result):
    """What is said about peg reference and delay is what was simulated."""
    simulation = replace(result.study.simulation, peg_reference="dollar", response_delay_hours=24)
    text = " ".join(limits_of(replace(result.study, simulation=simulation)))
    assert "Peg risk is measured against one dollar" in text
    assert "acts 24 hours after a trigger" in text
    assert "A price above it counts" not in text
    both = replace(result.study, simulation=replace(simulation, peg_sides="both"))
    assert "against one dollar. A price above it counts as one below does" in " ".join(limits_of(both))


def test_validated_only_where_every_demand_of_every_episode_is_met(met, missed):
    """One replay and all met; no replay, one miss, a figure that cannot be had, or a replay that demands nothing: not validated."""
    assert is_validated((met,))
    assert not is_validated(())
    assert not is_validated((met, missed))
    assert not is_validated((replace(met, demands=(Demand("slope", math.nan, 1.0, 0.9, 1.1),)),))
    assert not is_validated((replace(met, demands=()),))


def test_a_miss_is_told_with_its_size(result, met, missed):
    """Table and limits name the demand, the model's figure, what is allowed and the distance."""
    both = replace(result, episodes=(met, missed))
    (row, miss) = table(both, "What must come out right")
    assert row["Verdict"] == "● MET"
    assert [miss[head] for head in ("Verdict", "Model", "Observed", "Allowed")] == ["▼ MISSED by 0.02", "0.05", "0.001", "−0.03 to 0.03"]
    limits = " ".join(limits_of(result.study, (met, missed)))
    assert "change of supply, by 0.02 (model 0.05, allowed −0.03 to 0.03)" in limits
    assert "No backtest" not in limits
    assert "1 of 2 demands met: the model does not count as validated" in replayed_words(result.study, (met, missed))
    assert validity.finding(Account(both)) == "1 of 2 demands met: the model does not count as validated"


def test_every_figure_has_an_interval_and_the_number_of_paths(result, met):
    """Of a figure with a model's value; the miss is model less real, and the band's hits stand in the caption."""
    (row,) = table(replace(result, episodes=(met,)), "Miss")
    assert list(row.values()) == ["lowest price, USD", "0.98 (0.97 to 0.99)", "64", "0.975", "+0.005"]
    assert "of 3 recorded prices 1 lie outside the band: the band is what the paths differ by" in price_caption(met, seed=1)
    assert "Rests on: prices: an exchange." in text(validity.blocks(Account(replace(result, episodes=(met,)))))


def test_without_episodes_the_limits_say_so(result):
    """And the section's first sentence does."""
    assert "No backtest is part of this report" in limits_of(result.study)[0]
    assert replayed_words(result.study, ()).startswith("No real episode was replayed")
    assert validity.finding(Account(replace(result, episodes=()))) == "No real episode was replayed for this report"


def test_every_assumed_figure_has_a_reason_and_a_range(result):
    """And is counted; every scenario has its sources."""
    facts = Account(result)
    found = table(result, "Reason")
    assert len(found) == len(facts.assumed) > 0
    assert all(row["Range"].count(" to ") == 1 and row["Reason"] for row in found)
    assert f"{len(found)} figures of the state have no source" in text(validity.blocks(facts))
    assert [row["Sources"] != "none" for row in table(result, "Sources")] == [bool(each.sources) for each in result.study.scenarios]


def test_limits_say_in_what_share_of_draws_the_verdict_holds(result):
    """With its interval and the number of draws; a run without draws says so."""
    assert "it holds in 95% (95% interval 87 to 99) of 64 draws" in " ".join(limits_of(result.study, doubt=result.doubt))
    assert "was not computed in this run" in " ".join(limits_of(result.study))


def test_limits_tell_the_chance_of_what_was_not_seen(result):
    """Unseen on all n paths with probability (1 - p)^n = 0.05 at the bound: 0.47% for the 640 paths of a scenario."""
    bound = unseen_chance(640)
    assert math.isclose((1.0 - bound) ** 640, 0.05)
    certification = replace(result.study.certification, multiple=640 // result.study.simulation.paths)
    text = limits_of(replace(result.study, certification=certification))[-1]
    assert "(for n = 640: 0.47%)" in text


def test_no_limit_holds_markup_of_another_language(result):
    """A backtick would stand in the page as it is."""
    assert "`" not in " ".join(limits_of(result.study))


def test_the_amos_of_the_model_are_named(result):
    """All of them; those called by their venue together, the one with a name of its own behind them."""
    sentence = next(each for each in limits_of(result.study) if " AMOs " in each)
    assert all(each.venue in sentence for each in BY_RANK)
    others = frozenset(each.table for each in BY_RANK if each.name not in {"curve", "aave", "investor", "fraxlend", "uniswap"})
    text = " ".join(limits_of(replace(result.study, state=replace(result.study.state, absent=others))))
    assert (
        "The Curve, Aave, Fraxlend and Uniswap v3 AMOs and the Collateral Investor are simulated, other AMOs of the protocol are not."
        in text
    )


def test_a_drawn_demand_is_met_where_the_record_lies_in_its_band():
    """What was recorded decides, not the mean; of what was not recorded the band is to reach what is allowed; a miss is told against the band."""
    inside, outside = (Demand("slope", 0.8, real, 0.95, 1.05, (0.7, 1.0)) for real in (0.99, 1.25))
    assert (inside.met, inside.missed_by) == (True, 0.0)
    assert (outside.met, outside.missed_by) == (False, 0.25)
    assert Demand("low", 0.8, None, 0.95, 1.05, (0.7, 0.96)).met
    assert Demand("low", 0.8, None, 0.95, 1.05, (0.7, 0.90)).missed_by == pytest.approx(0.05)
    assert _against(outside) == "recorded 1.25, 5–95% of paths 0.7 to 1"
    assert _against(replace(outside, band=None)) == "model 0.8, allowed 0.95 to 1.05"
