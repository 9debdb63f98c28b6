"""Joint draws: the share and its bound, what is missing, where it fails, and what there is when nothing was drawn; and the ends of ranges."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from read import rows, tables, text

from amo_opt.report.account import Account
from amo_opt.report.sections import doubt
from amo_opt.report.sections.doubt import assumption_title, doubt_words, ends_finding, ends_of, moved_of
from amo_opt.search.ruling import Turn

BANDS, DRIVERS, ENDS = "Differences under doubt", "What explains where the verdict fails", "Sensitivity to assumed figures"


def told(result):
    return text(doubt.blocks(Account(result)))


def table(result, label):
    return [row for each in tables(doubt.blocks(Account(result))) if each.label == label for row in rows(each)]


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
    assert (
        "It fails most where amos.curve.lp\\_share above 0.86 and collateral.idle at most 35,000,000 (7 draws): on draws that had no part in finding this, 60%"
        in told(result)
    )
    assert "No region" in told(replace(result, doubt=replace(result.doubt, region=None)))


def test_bands_stand_beside_the_intervals_of_sampling(result):
    """In the units of the page: points a year and basis points."""
    earned, peg = table(result, BANDS)
    assert (earned["Over the draws (95%)"], earned["Median"]) == ("−0.20 to +0.62", "+0.31")
    assert peg["Over the draws (95%)"] == "−4.0 to +9.5"
    assert earned["By the chance of paths (95%)"].count(" to ") == 1
    assert {row["n draws"] for row in (earned, peg)} == {"64"}


def test_drivers_have_names_that_a_reader_knows(result):
    """Settings by their meaning, weights by their scenario."""
    found = {row["Assumption"].split("`")[1]: row for row in table(result, DRIVERS)}
    assert found["calm: share_daily_vol"]["Assumption"].startswith("daily volatility of the share token's log price `")
    assert found["svb-2023: weight"]["Assumption"].startswith("weight of svb-2023 `")
    assert found["amos.curve.lp_share"]["Explains, % (95%)"].startswith("50 (")
    assert assumption_title("pool.fee") == "pool.fee"


def test_nothing_drawn_is_said(result):
    bare = replace(result, doubt=None)
    assert "Nothing that is assumed was drawn in this run" in told(bare)
    assert (table(bare, BANDS), table(bare, DRIVERS)) == ([], [])
    assert "It fails most" not in told(bare)


def test_figures_that_move_the_verdict_come_first(result):
    """Then the largest effect in tolerances; one that could not be compared is not hidden at the end."""
    facts = Account(result)
    found = moved_of(facts)
    moved = len({each.figure for each in result.sensitivity})
    assert moved == len(found) > 40
    assert [each.moves for each in found] == [True, True] + [False] * (moved - 2)
    assert ends_finding(facts).startswith(f"2 assumptions of the {moved} moved change the verdict")
    effects = [each.effect for each in found[2:]]
    assert effects == sorted(effects, reverse=True)
    assert list(ends_of(facts).rows) == [each.name for each in found[:10]]
    shown = list(dict.fromkeys(row["Assumed figure"].split("`")[1] for row in table(result, ENDS)))
    assert shown == [each.name for each in found[:10]]
    rest = told(result).split("With a smaller effect, the verdict holding: ")[1].split("\n")[0]
    assert rest.count("`") == 2 * (moved - 10)
    held = Account(replace(result, sensitivity=tuple(replace(each, holds=True) for each in result.sensitivity)))
    assert ends_finding(held).startswith(f"The verdict holds at both ends of the range of all {moved} assumptions moved")


def test_an_effect_is_the_shift_in_tolerances(result):
    """Yield 0.1 points and peg 2 bp are one tolerance each: the larger shift of the two counts."""
    one = next(each for each in result.sensitivity if each.yield_difference is not None)
    base = {each.metric: each.difference for each in result.candidates[1].holdout_paired}
    moved = replace(
        one,
        yield_difference=replace(base["yield"], value=base["yield"].value + 0.0005),
        peg_difference=replace(base["peg_cvar95_bps"], value=base["peg_cvar95_bps"].value - 3.0),
    )
    assert [row["Effect, tolerances"] for row in table(replace(result, sensitivity=(moved,)), ENDS)] == ["1.50"]


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
    one = replace(result, sensitivity=(lost, *result.sensitivity[1:]))
    assert "n = 640 holdout paths for each end" in ends_finding(Account(one))
    assert "1 end could not be run" in ends_finding(Account(one))
    assert "n = 640 holdout paths" in ends_of(Account(one)).caption
    assert re.search(rf"could not be run:\n\n- `{lost.figure}` at [\d.,]+: more staked than there is$", told(one))
    (row,) = (row for row in table(one, ENDS) if f"`{lost.figure}`" in row["Assumed figure"])
    assert row["Effect, tolerances"] != "–"
    nothing = replace(result, sensitivity=(lost,))
    assert "No assumed figure was moved" in ends_finding(Account(nothing))
    assert (table(nothing, ENDS), ends_of(Account(nothing))) == ([], None)
    assert "more staked than there is" in told(nothing)
