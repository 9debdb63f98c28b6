"""The rule in words carries what the study and the program decide with."""

from __future__ import annotations

from dataclasses import replace

from amo_opt.report.sections.choice import rule_words
from amo_opt.search.rule import LEVEL


def test_the_printed_rule_carries_the_study_s_margins(result):
    """Margins are printed in the units of the report, the tests' level beside them."""
    certification = replace(result.study.certification, tolerance_yield=0.001, tolerance_peg_bps=2.0, tolerance_cr=0.02, least_gain=0.25)
    text = rule_words(certification)
    assert "yield 0.1 percentage points a year, peg risk 2 bp" in text
    assert f"at {LEVEL:g}" in text
    assert "not lower by more than 0.02" in text
    assert "at least 0.25 of a tolerance" in text
