"""Joint draws in words: the share and its bound, what is missing, where it fails, and what there is when nothing was drawn."""

from __future__ import annotations

import math
from dataclasses import replace

from amo_opt.report.sections.doubt import assumption_title, doubt_facts, doubt_words
from amo_opt.report.sets import subject_of


def facts_of(result):
    return doubt_facts(result, subject_of(result), ())


def test_the_finding_gives_share_interval_draws_and_demand(result):
    """And that the demand is met, by the bound."""
    words = doubt_words(result.doubt)
    assert words.startswith("The verdict holds in 95% (95% interval 87 to 99) of 64 joint draws of everything that is assumed (81 figures")
    assert words.endswith("there the set passes the rule. The study demands that 80% be shown: it is")


def test_what_is_missing_is_told(result):
    """How many more draws, or that none would do, or that the paths leave the interval open."""
    low = replace(result.doubt, share=replace(result.doubt.share, low=0.7), more_draws=1)
    assert doubt_words(low).endswith("it is not; if the share is what was found, 1 more draw would show it")
    assert "no number of draws would show it" in doubt_words(replace(low, more_draws=None))
    unknown = replace(low, share=replace(low.share, low=-math.inf, high=math.inf))
    assert "95% (95% interval not known)" in doubt_words(unknown)
    assert not unknown.robust
    assert "2 draws could not be simulated and count against it" in doubt_words(replace(low, failed=2))


def test_a_refusal_holds_where_the_set_is_refused(result):
    assert "there the set does not pass the rule, as here" in doubt_words(replace(result.doubt, recommended=False))


def test_the_region_is_in_words(result):
    """Bounds with their figures, and both shares; where there is none that is said."""
    assert facts_of(result).region.startswith(
        "It fails most where amos.curve.lp_share above 0.86 and collateral.idle at most 35,000,000 (7 draws): on draws that had no part in finding this, 60%"
    )
    assert facts_of(replace(result, doubt=replace(result.doubt, region=None))).region.startswith("No region")


def test_bands_stand_beside_the_intervals_of_sampling(result):
    """In the units of the page: points a year and basis points."""
    earned, peg = facts_of(result).bands
    assert (earned.doubt, earned.median) == ("−0.20 to +0.62", "+0.31")
    assert peg.doubt == "−4.0 to +9.5"
    assert earned.sampling.count(" to ") == 1


def test_drivers_have_names_that_a_reader_knows(result):
    """Settings by their meaning, weights by their scenario."""
    rows = {row.name: row for row in facts_of(result).drivers}
    assert rows["calm: share_daily_vol"].title == "daily volatility of the share token's log price"
    assert rows["svb-2023: weight"].title == "weight of svb-2023"
    assert rows["amos.curve.lp_share"].index == "50%"
    assert assumption_title("pool.fee") == "pool.fee"


def test_nothing_drawn_is_said(result):
    found = facts_of(replace(result, doubt=None))
    assert found.finding.startswith("Nothing that is assumed was drawn in this run")
    assert (found.drivers, found.bands, found.region) == ((), (), "")
