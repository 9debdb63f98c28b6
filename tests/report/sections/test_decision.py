"""The decision box."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace

import pytest

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.report.account import Account
from amo_opt.report.pages import appendix, proposal_md, report_html
from amo_opt.report.sections.decision import WORD_LIMIT
from amo_opt.report.sections.parameters import below_use


def _box(result):
    return Account(result).decision


def _texts(result):
    return dict(_box(result).sentences)


@pytest.mark.parametrize(
    ("verdict", "candidates"),
    [
        ("recommended", 1),
        ("recommended", 8),
        *((verdict, count) for verdict in ("no change", "undecidable", "infeasible") for count in (0, 1, 8)),
    ],
)
def test_the_box_never_grows_past_its_limit(make_result, verdict, candidates):
    """At most 120 words whatever the verdict."""
    box = _box(make_result(verdict, candidates=candidates))
    assert 20 < box.words <= WORD_LIMIT
    assert box.chip.word == verdict.upper()


def test_a_change_of_everything_still_fits(make_result):
    """Changes beyond the first two are counted, not listed."""
    result = make_result()
    values = {name: value * 0.97 for name, value in result.study.current.values().items() if PARAMETERS[name].searched}
    chosen = result.study.current.replace(name="trial-17", **values)
    candidates = tuple(replace(each, parameters=chosen) if each.role == "recommended" else each for each in result.candidates)
    box = _box(replace(result, recommended=chosen, candidates=candidates))
    assert box.words <= WORD_LIMIT
    assert "other parameters (section 2)" in dict(box.sentences)["Change"]


def test_the_benefit_is_the_objective_shown_better(result):
    """In this result yield is BETTER and peg risk is not; figure and interval are those of section 5, digit by digit."""
    row = next(row for row in Account(result).metrics if row.name == "yield")
    assert _texts(result)["Benefit"] == f"yield {row.difference} pp a year (95% interval {row.interval})."
    assert row.difference == "+0.306"


def test_a_harm_that_is_shown_comes_before_one_that_is_not(result):
    """The risk is drawn from yield and the safety metrics, and it is one judged WORSE."""
    text = _texts(result)["Risk"]
    assert "chance that the external collateral ratio breaks its limit" in text


def test_without_any_harm_the_nearest_limit_is_the_risk(result):
    """A proposal that is better everywhere still names what binds first."""
    candidates = tuple(
        replace(each, holdout_paired=tuple(replace(row, verdict="BETTER") for row in each.holdout_paired))
        if each.role == "recommended"
        else each
        for each in result.candidates
    )
    assert "nearest to its limit is" in _texts(replace(result, candidates=candidates))["Risk"]


def test_a_current_set_that_breaks_limits_is_called_out(make_result):
    """Doing nothing is not presented as safe where it is not."""
    result = make_result("no change")
    current = result.candidates[0]
    broken = replace(current.holdout_score.constraints[0], violation=0.5, violation_high=0.8)
    score = replace(current.holdout_score, constraints=(broken, *current.holdout_score.constraints[1:]))
    texts = _texts(replace(result, candidates=(replace(current, holdout_score=score), *result.candidates[1:])))
    assert "limits: 1 broken of 21 on holdout paths, all 21 kept on selection paths" in texts["If nothing is done"]
    assert texts["Change"] == "nothing."


def test_the_box_warns_exactly_while_the_model_is_not_validated(result, met, missed):
    """No episode replayed, or one that misses a demand: the warning stands beside the verdict; every demand met: it goes.

    The made-up state holds 1.3bn of everything, which is over its caps, and stays called out.
    """
    for episodes, expected in (((), True), ((met,), False), ((met, missed), True)):
        words = [each.word for each in _box(replace(result, episodes=episodes)).warnings]
        assert words == [*(["MODEL NOT VALIDATED"] if expected else []), "CAP BELOW USE"], episodes


def test_a_proposed_cap_below_what_is_out_is_warned_of(make_result, frax):
    """The contracts take it without a word: 1.27bn minted under a cap of 0.41 of supply; beside one in force that is too low already the proposed stands in its sentence."""
    facts = Account(make_result(state=frax.state))
    assert "CAP BELOW USE" in [each.word for each in facts.decision.warnings]
    (sentence,) = [
        each
        for each in below_use(facts.subject.current.parameters, facts.shown.parameters, frax.state)
        if each.startswith("curve_mint_cap proposed: ")
    ]
    assert sentence == "curve_mint_cap proposed: 1,066.0 m tokens at the state, less than the 1,270.0 m tokens minted today."
    assert sentence in appendix(facts).text.replace("\\_", "_")
    low, lower = frax.current.replace(aave_cap=0.19), frax.current.replace(aave_cap=0.18)
    (both,) = [each for each in below_use(low, lower, frax.state) if each.startswith("aave_cap ")]
    assert re.fullmatch(
        r"aave_cap in force: 236.8 m tokens at the state \(224.3 m tokens proposed\), less than the 250.0 m tokens lent today.", both
    )
    assert below_use(frax.current, frax.current, frax.state) == ()


def test_a_cap_in_force_below_what_is_out_stands_in_box_and_table(make_result, frax):
    """Aave's cap a little under the 250m lent: a chip beside the verdict of proposal and page, and a sentence under the table of appendix and page."""
    result = make_result("no change", state=frax.state)
    current = frax.current.replace(aave_cap=0.2)
    for chosen, warned in ((frax.current, False), (current, True)):
        candidates = (replace(result.candidates[0], parameters=chosen), *result.candidates[1:])
        facts = Account(replace(result, study=replace(result.study, current=chosen), candidates=candidates))
        assert ("CAP BELOW USE" in [each.word for each in facts.decision.warnings]) is warned
        sentence = "aave_cap in force: 249.28 m tokens at the state, less than the 250.00 m tokens lent today."
        assert [each.startswith(sentence) for each in below_use(chosen, chosen, frax.state)] == [True] * warned
        for text in (proposal_md(facts), report_html(facts, defaultdict(tuple))):
            assert ("CAP BELOW USE" in text) is warned
        for text in (appendix(facts).text, report_html(facts, defaultdict(tuple))):
            assert (sentence in text.replace("\\_", "_")) is warned
