"""An open tail in words: what was seen and what would settle it, in every document."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from amo_opt.report.account import Account
from amo_opt.report.pages import appendix, proposal_md
from amo_opt.report.results_json import results_json
from amo_opt.report.sections.risk import doubt_words, tail_words
from amo_opt.scoring.types import Estimate
from amo_opt.search.tails import Doubt, Tails

FOUND = Estimate(value=1.91, low=1.71, high=2.12, n=30_000, largest_share=0.437)
SEEN = Estimate(value=0.5, low=0.2, high=0.8, n=6_000)
DOUBTS = {
    "at the cap": (
        Doubt(kind="at the cap", set="trial-17", difference=True, found=FOUND, tolerance=2.0, cap=10_240, needed=210_000),
        (
            "The holdout does not tell the difference in peg risk between trial-17 and the current set, +1.91 bp (+1.71 to +2.12), from the tolerance of "
            "2.00 bp on as many paths as the study allows ([certification] most_paths = 10,240 a scenario): about 210,000 would tell them apart, if it "
            "is as seen."
        ),
    ),
    "at it": (
        Doubt(kind="at the cap", set="trial-17", difference=True, found=FOUND, tolerance=2.0, cap=10_240),
        (
            "The holdout does not tell the difference in peg risk between trial-17 and the current set, +1.91 bp (+1.71 to +2.12), from the tolerance of "
            "2.00 bp on as many paths as the study allows ([certification] most_paths = 10,240 a scenario): no number of paths that a study may ask for "
            "would tell them apart, if it is as seen."
        ),
    ),
    "apart": (
        Doubt(kind="apart", set="trial-17", difference=True, found=FOUND, seen=SEEN),
        (
            "Selection and holdout paths disagree on the difference in peg risk between trial-17 and the current set: +0.50 bp (+0.20 to +0.80) against "
            "+1.91 bp (+1.71 to +2.12), further apart than the intervals allow for. A rare path may decide it, which only some paths hold: more paths "
            "([certification] multiple and most_paths) would settle it."
        ),
    ),
    "one path": (
        Doubt(kind="one path", set="current", difference=False, found=FOUND),
        (
            "One holdout path holds 44% of the variance of the peg risk of the current set, 1.91 bp (1.71 to 2.12), so the interval hangs on its having "
            "been drawn: more paths ([certification] multiple and most_paths) would settle it."
        ),
    ),
    "not known": (
        Doubt(kind="not known", set="trial-17", difference=True, found=FOUND),
        (
            "Whether the tail is settled is not known: n = 640 drawn paths a scenario are too few for an interval; more paths ([certification] multiple "
            "and most_paths) would tell."
        ),
    ),
}


def test_a_settled_tail_says_nothing(result):
    """No chip, no sentence, and true for machines."""
    facts = Account(result)
    assert tail_words(result) == ""
    assert all(chip.word != "TAIL NOT SETTLED" for chip in facts.decision.warnings)
    document = json.loads(results_json(result))
    assert (document["tails_agree"], document["tail_doubts"]) == (True, [])
    assert "not settled" not in proposal_md(facts) + appendix(facts).text


@pytest.mark.parametrize("name", DOUBTS)
def test_every_doubt_says_what_was_seen_and_what_would_settle_it(result, name):
    """One sentence a kind, with figures, intervals and the key of the study to change."""
    doubt, words = DOUBTS[name]
    assert doubt_words(doubt, result.study) == words


@pytest.mark.parametrize("name", DOUBTS)
def test_an_open_tail_is_told_everywhere(result, name):
    """Chip in the box, sentences in sections 5 and 11, false for machines, which read the figures."""
    doubt, words = DOUBTS[name]
    moved = replace(result, tails=Tails((doubt,)))
    facts = Account(moved)
    assert "▼ TAIL NOT SETTLED" in [str(chip) for chip in facts.decision.warnings]
    assert "**▼ TAIL NOT SETTLED**" in proposal_md(facts)
    assert "▼ **Tail not settled:**" in proposal_md(facts)
    whole = appendix(facts).text
    assert words[:60] in whole
    assert "The tail is not settled (section 5), so the gap of peg risk is no measure of optimism." in whole
    document = json.loads(results_json(moved))
    assert document["tails_agree"] is False
    (told,) = document["tail_doubts"]
    assert (told["kind"], told["set"], told["of"]) == (doubt.kind, doubt.set, "difference" if doubt.difference else "figure")
    assert (told["holdout"], told["largest_share"]) == ({"value": 1.91, "interval": [1.71, 2.12], "n": 30_000}, 0.437)
    assert (told["most_paths"], told["paths_needed_per_scenario"], told["tolerance"]) == (doubt.cap, doubt.needed, doubt.tolerance)
    assert told["selection"] == (None if doubt.seen is None else {"value": 0.5, "interval": [0.2, 0.8], "n": 6_000})


def test_several_doubts_are_all_told(result):
    """One after the other, each whole."""
    pair = (DOUBTS["at the cap"], DOUBTS["one path"])
    moved = replace(result, tails=Tails(tuple(doubt for doubt, _ in pair)))
    assert tail_words(moved) == " ".join(words for _, words in pair)
