"""A rare path that one of two sets of paths held, and the other did not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from amo_opt.report.facts import gather
from amo_opt.report.facts.sets import subject_of
from amo_opt.report.facts.tails import disagree, outside, tails_of
from amo_opt.report.pages import proposal_md
from amo_opt.report.results_json import results_json
from amo_opt.scoring.types import Estimate


def _with(result, role, **figures):
    """The result with other figures on selection paths of the set of that role."""
    score = next(each for each in result.candidates if each.role == role).selection_score
    candidates = tuple(
        replace(each, selection_score=replace(score, **figures)) if each.role == role else each for each in result.candidates
    )
    return replace(result, candidates=candidates)


def test_agreeing_paths_settle_the_tail(result):
    """No chip, no sentence, and true for machines."""
    facts = gather(result, results_hash="0")
    assert facts.tails.settled
    assert all(chip.word != "TAIL NOT SETTLED" for chip in facts.decision.warnings)
    assert json.loads(results_json(result))["tails_agree"] is True
    assert "disagree" not in proposal_md(facts)


@pytest.mark.parametrize("role", ["current", "recommended"])
@pytest.mark.parametrize(("name", "words"), [("yield_annual", "yield: "), ("peg_risk_bps", "peg risk (CVaR 95%): ")])
def test_a_point_outside_the_other_interval_is_told_everywhere(result, role, name, words):
    """For either set and either objective: chip in the box, sentences in sections 5 and 11, false for machines."""
    subject = next(each for each in result.candidates if each.role == role)
    on_holdout = getattr(subject.holdout_score, name)
    moved = _with(result, role, **{name: replace(on_holdout, value=on_holdout.high * 1.01, low=on_holdout.low, high=on_holdout.high * 2.0)})
    facts = gather(moved, results_hash="0")
    label = "current" if role == "current" else "proposed"
    assert facts.tails.sentence.startswith(f"Selection and holdout paths disagree on {words}{label} ")
    assert facts.tails.sentence.count(" against ") == 1
    assert "▼ TAIL NOT SETTLED" in [str(chip) for chip in facts.decision.warnings]
    proposal = proposal_md(facts)
    assert "a rare path decides it, which n = " in proposal
    assert "The tail is not settled: selection − holdout" in proposal
    assert json.loads(results_json(moved))["tails_agree"] is False


def test_the_reverse_counts_as_well(result):
    """The interval of the selection paths excludes the other point while the other interval holds theirs: holdout paths held the rare one."""
    on_holdout = next(each for each in result.candidates if each.role == "recommended").holdout_score.peg_risk_bps
    value = on_holdout.low + 0.1 * (on_holdout.value - on_holdout.low)
    narrow = replace(on_holdout, value=value, low=value - 0.01, high=value + 0.01)
    assert not outside(narrow.value, on_holdout)
    assert outside(on_holdout.value, narrow)
    moved = _with(result, "recommended", peg_risk_bps=narrow)
    assert not tails_of(moved, subject_of(moved)).settled


def test_the_gap_speaks_where_only_it_holds_both(result):
    """Without holdout figures among the candidates the optimism gap's own figures are compared."""
    on_holdout = Estimate(value=2.4, low=2.38, high=2.43, n=3200)
    on_selection = Estimate(value=8.53, low=2.37, high=20.8, n=3200)
    bare = tuple(replace(each, holdout_score=None) for each in result.candidates)
    moved = replace(result, candidates=bare, gap={"peg_cvar95_bps": (2.4, on_selection, on_holdout)})
    sentence = tails_of(moved, subject_of(moved)).sentence
    assert "proposed 8.5 bp (2.4 to 20.8) against 2.4 (2.4 to 2.4): a rare path decides it" in sentence


@pytest.mark.parametrize(
    ("apart", "half", "expected"),
    [(1.3, 1.0, False), (1.5, 1.0, True), (1.3, 0.3, True), (0.9, 0.2, True), (0.1, 0.2, False), (1.2, 0.3, True), (1.2, 0.4, True)],
)
def test_chance_alone_seldom_disagrees(apart, half, expected):
    """Half-widths of 1 and ``half``: equal ones allow 1.41 apart; beside one less than a third as wide a point outside it is enough, inside both never."""
    one = Estimate(value=0.0, low=-1.0, high=1.0, n=9)
    other = Estimate(value=apart, low=apart - half, high=apart + half, n=9)
    assert disagree(one, other) is expected
    assert disagree(other, one) is expected
