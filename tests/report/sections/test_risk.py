"""Where the risk comes from, in words and tables: what is told, and what is withheld."""

from __future__ import annotations

import re
from dataclasses import replace

from read import pairs, rows, tables, text

from amo_opt.report.account import Account
from amo_opt.report.sections import worst
from amo_opt.report.sections.risk import risk_sentence, told_risk, unseen_sentence
from amo_opt.report.sections.search import blocks as searched
from amo_opt.report.sets import subject_of
from amo_opt.scoring.types import Estimate
from amo_opt.stress.tilts import Design, Tilt

DRIVEN = Design(640, ((Tilt("share", -0.08, -2.6),),), (751,))


def unknown(estimate):
    return Estimate.of(estimate.value, (0.0, 1.0), n=3, fewest=3)


def test_the_sentence_says_what_where_how_often_and_by_what(make_result):
    """The recommended set's, or the current one's where there is none; events by size, and a driver that is the same is not told twice."""
    result = make_result()
    (sentence,) = told_risk(result, subject_of(result))
    assert sentence == (
        "Of a peg risk of 22.5 bp, 6.7 bp is everyday and 15.7 bp (70%) comes from rare events: 9.0 bp in ust-contagion-2022, on one path in 710, driven by the "
        "share token falling to about 7% of its start; 6.7 bp in calm, on one path in 26,000, likewise."
    )
    kept = make_result("no change")
    (sentence,) = told_risk(kept, subject_of(kept))
    assert sentence.startswith("Of a peg risk of 21.4 bp, 6.4 bp is everyday")
    assert told_risk(replace(result, risk_parts={}), subject_of(result)) == ()


def parts_of(result):
    return [rows(table) for table in tables(worst.blocks(Account(result))) if table.label == "Parts of the peg risk"]


def test_a_table_a_set_with_every_part(result):
    """Current and proposed; chance beside events alone; paths as drawn + twins."""
    found = worst.blocks(Account(result))
    assert len(parts_of(result)) == 2
    assert "**Proposed.** Of a peg risk of 22.5 bp" in text(found)
    by = {(row["Scenario"], row["Paths"]): row for row in parts_of(result)[1]}
    assert len(by) == 7
    peg, share, chance, n = list(by["calm", "rare events"].values())[2:]
    assert [figure.split(" (")[0] for figure in (peg, share, chance, n)] == ["6.74", "30.0", "0.0038%", "100 drawn + 300 twins"]
    assert all(re.fullmatch(r"[\d.]+%? \([\d.]+%? to [\d.]+%?\)", figure) for figure in (peg, share, chance))
    assert by["svb-2023", "all paths"]["Chance a path (95%)"] == "–"
    assert "Events with another driver are not excluded up to 3/n₀ a path, n₀ those drawn: 0.47% in each scenario." in text(found)


def test_thin_parts_keep_their_place_and_no_more(result):
    """Their bp stay, as parts add up to the whole; share, chance and intervals are not known, and the sentence does not build on them."""
    parts = tuple(
        replace(each, contribution=unknown(each.contribution), share=unknown(each.share), chance=unknown(each.chance))
        if each.kind == "events"
        else each
        for each in result.risk_parts["current"]
    )
    row = next(row for row in parts_of(replace(result, risk_parts={"current": parts}))[0] if row["Paths"] == "rare events")
    assert row["Peg risk, bp (95%)"].endswith(" (not known)")
    assert list(row.values())[3:] == ["not known", "not known", "3"]
    sentence = risk_sentence(parts, {"calm": DRIVEN})
    assert "what they add in calm is not known, as too few paths had one" in sentence
    assert "%" not in sentence
    assert "driven" not in sentence


def test_without_events_the_largest_part_is_named(result):
    """Scenarios alone where no few paths decide."""
    parts = tuple(replace(each, kind="all", chance=None) for each in result.risk_parts["current"])
    assert "the largest part, 8.6 bp (40%), comes from ust-contagion-2022; no few paths were found to decide it." in risk_sentence(
        parts, {}
    )


def test_what_cannot_be_excluded_goes_by_the_drawn_paths():
    """3/n₀ of each number of drawn paths, however many twins; nothing where it is not known how paths were drawn."""
    assert unseen_sentence({}) == ""
    told = unseen_sentence({"calm": DRIVEN, "b": Design(640), "c": Design(3000)})
    assert told.endswith("0.47% in calm and b; 0.1% in c.")


def test_sizes_are_told_as_drawn_and_twins(result):
    """In the search's disclosure both streams, with what the holdout was planned for; a capped plan says so."""
    sizes = pairs(searched(Account(result)))
    assert sizes["Selection paths"] == "4,702 paths (3,200 drawn + 1,502 twins)"
    assert sizes["Holdout paths"] == f"{sizes['Selection paths']}, planned for ±0.50 bp on the difference in peg risk, ±0.48 bp expected"
    capped = replace(result, plan=replace(result.plan, capped=True))
    assert pairs(searched(Account(capped)))["Holdout paths"].endswith("expected, which the study caps")
