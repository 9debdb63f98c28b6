"""A report whose every interval is not known: nothing is concluded, everything is drawn, and it is said so."""

from __future__ import annotations

import json
import math
import re

import pytest
from read import rows, tables

from amo_opt.report.account import Account
from amo_opt.report.figures import draw_all
from amo_opt.report.first_page import first_html
from amo_opt.report.pages import appendix, proposal_md
from amo_opt.report.results_json import results_json
from amo_opt.report.sections import doubt, evidence
from amo_opt.report.sections.choice import profile_of
from amo_opt.report.sections.evidence import told_apart
from amo_opt.report.sections.prices import fan_panels
from amo_opt.report.sets import subject_of
from amo_opt.report.wording import Scale, interval_words
from amo_opt.scoring.types import Estimate


@pytest.fixture(scope="module")
def facts(blind):
    return Account(blind)


def test_no_text_has_an_infinity_and_every_interval_is_said(facts):
    """Proposal, appendix and first screen: intervals as words, no set better or worse, no sampled limit kept or broken."""
    for text in (proposal_md(facts), appendix(facts).text, first_html(facts.first)):
        assert "not known" in text
        assert not re.search(r"(?<![\w.])[-−]?(inf|nan|Infinity|NaN)(?![\w.])", text)
        assert not re.search(r"[▲▼] (BETTER|WORSE|BROKEN)\b", text)
    limits = [rows(each) for each in tables(evidence.blocks(facts)) if each.label == "Limits"][-1]
    assert {row["Current: kept?"] for row in limits} == {"○ UNDECIDED", "● KEPT"}
    assert {row["Scenario"] for row in limits if row["Current: kept?"] == "● KEPT"} == {"any"}


def test_machines_read_null(blind):
    """No interval of two nulls, and a neighbour of which nothing is known is neither feasible nor not."""
    document = json.loads(results_json(blind))
    for candidate in document["candidates"]:
        assert {each["interval"] for each in candidate["certified"].values()} == {None}
    assert {each["feasible"] for each in document["neighbours"]} == {None}
    assert document["tails_agree"] is False


def test_everything_is_drawn_without_whiskers(facts):
    """Points stay, bands and whiskers go, and the captions say why; fans of 20 paths have no quantiles to draw."""
    drawings = draw_all(facts)
    assert all(panel.startswith("<svg") or "<svg" in panel for place in drawings.values() for each in place for panel in each.panels)
    assert drawings["fans"] == ()
    assert facts.first.spots
    assert "95% interval not known" in first_html(facts.first)
    assert "no bands, intervals not known" in profile_of(facts).caption
    assert "intervals not known" in doubt.ends_of(facts).caption
    for row in facts.metrics:
        value, low, high = row.position
        assert abs(value) == pytest.approx(0.0) or abs(value) == pytest.approx(1.0)
        assert math.isnan(low), "NaN draws nothing"
        assert math.isnan(high)


def test_fans_of_too_few_paths_are_left_out(result, blind):
    """The 1% quantile of 20 paths is their lowest: no panel, and no trigger on the price."""
    assert fan_panels(result, subject_of(result))
    assert fan_panels(blind, subject_of(blind)) == ()


def test_equal_figures_of_too_few_paths_are_not_equivalent():
    """The same value and no interval twice is no finding; with intervals it is one."""
    few, many = (Estimate.of(1.0, (0.5, 2.0), n=n, fewest=n) for n in (8, 80))
    assert (told_apart(1, few, few), told_apart(1, many, few), told_apart(1, many, many)) == ("INCONCLUSIVE", "INCONCLUSIVE", "EQUIVALENT")


def test_an_interval_in_words():
    """Ends where they are known; decimals follow the figure where no width can tell them."""
    scale, few = Scale(1.0, 1, "bp"), Estimate.of(0.0123, (0.0, 1.0), n=8, fewest=8)
    assert scale.interval(few, signed=True) == "not known"
    assert scale.told(few).number(few.value) == "0.012"
    assert scale.interval(Estimate.of(0.5, (0.0, 1.0), n=80, fewest=80)) == "0.0 to 1.0"
    assert interval_words([None]) == "95% intervals"
