"""Before and after."""

from __future__ import annotations

from dataclasses import replace

from read import rows, tables, text

from amo_opt.report.account import Account
from amo_opt.report.limits import constraint_verdict
from amo_opt.report.sections import evidence


def table(result, label):
    """The whole one of that name, and the one that stands where the section is posted."""
    found = [rows(each) for each in tables(evidence.blocks(Account(result))) if each.label == label]
    return found[-1], found[0]


def test_favourable_is_to_the_right_whatever_the_metric(result):
    """More yield is better, more peg risk is worse: the forest shows both by side."""
    found = {row.name: row for row in Account(result).metrics}
    assert found["yield"].position[0] > 0 > found["peg_cvar95_bps"].position[0]
    for row in found.values():
        value, low, high = row.position
        assert -1.0 <= low <= value <= high <= 1.0


def test_a_set_against_itself_shows_no_difference(result):
    """Zeros everywhere are drawn on the line, not divided by."""
    zero = replace(result.candidates[1].holdout_paired[0].difference, value=0.0, low=0.0, high=0.0)
    same = tuple(
        replace(each, holdout_paired=tuple(replace(row, difference=zero, verdict="EQUIVALENT") for row in each.holdout_paired))
        for each in result.candidates
    )
    assert {row.position for row in Account(replace(result, candidates=same)).metrics} == {(0.0, 0.0, 0.0)}


def test_a_thin_tail_is_marked(result):
    """Fewer than 40 effective paths: the reader is told that the interval covers less."""
    thin = {"min_price_tail95", "min_cr_external_tail95", "min_cr_contract_tail95"}
    assert {row.name for row in Account(result).metrics if row.thin_tail} == thin
    whole, _ = table(result, "Before and after")
    assert sum(row["Metric"].endswith(" †") for row in whole) == len(thin)
    assert "† Fewer than 40 effective paths in the tail" in text(evidence.blocks(Account(result)))


def test_where_the_section_is_posted_stands_what_decides(result):
    """The objectives and risks, whatever is better or worse, of each kind of limit the one nearest to breaking, yield and peg risk by scenario; the whole tables hold the rest."""
    of = Account(result)
    whole, told = table(result, "Before and after")
    decide = {row.title for row in of.metrics if row.name in evidence.RISKS or row.verdict.word in ("BETTER", "WORSE")}
    assert {row["Metric"].removesuffix(" †") for row in told} == decide
    assert [row["Metric"].removesuffix(" †") for row in whole] == [row.title for row in of.metrics]
    limits, nearest = table(result, "Limits")
    kinds = {row["Limit on"] for row in limits}
    assert {row["Limit on"] for row in nearest} == kinds
    assert len(nearest) == len(kinds) < len(limits) == len(of.subject.score(of.subject.current).constraints)
    (scenario,) = [row["Scenario"] for row in nearest if row["Limit on"].startswith("Deepest shortfall")]
    assert scenario == "ust-contagion-2022", "the severest of the fake result for what it scales"
    (whole,) = [rows(each) for each in tables(evidence.blocks(of)) if each.label == "Scenarios"]
    assert len(whole) == len(result.study.scenarios)
    assert len(whole[0]) == 3 + len(evidence.CONTRAST_METRICS)


def test_cells_without_a_paired_test_differ_only_where_intervals_do_not_meet(result):
    """Stricter than a paired test; equal figures are called equivalent."""
    assert "(what the two sets' own intervals leave)" in text(evidence.blocks(Account(result)))
    calm = table(result, "Scenarios")[0][0]
    assert "▲" in calm["Yield, % a year"]
    assert "○" in calm["Peg risk (CVaR 95%), bp"]


def test_a_paired_test_within_a_scenario_decides_its_cell(result):
    """Where the search has it, the table uses it, and the overall table does not mix it in."""
    base = result.candidates[1].holdout_paired
    extra = replace(base[1], scenario="calm", verdict="WORSE")
    candidates = tuple(
        replace(each, holdout_paired=(*each.holdout_paired, extra)) if each.role == "recommended" else each for each in result.candidates
    )
    paired = replace(result, candidates=candidates)
    assert "by the paired verdict." in text(evidence.blocks(Account(paired)))
    assert "▼" in table(paired, "Scenarios")[0][0]["Peg risk (CVaR 95%), bp"]
    assert len(Account(paired).metrics) == len(base)


def test_a_limit_is_kept_only_at_the_upper_end(result):
    """A point value below the limit is not enough, and too few paths decide nothing."""
    constraint = result.candidates[0].holdout_score.constraints[0]
    assert constraint_verdict(replace(constraint, violation=-0.2, violation_high=-0.1)).word == "KEPT"
    assert constraint_verdict(replace(constraint, violation=-0.2, violation_high=0.1)).word == "BROKEN"
    assert constraint_verdict(replace(constraint, violation=-0.2, violation_high=-0.1, decidable=False)).word == "UNDECIDED"
    assert constraint_verdict(replace(constraint, violation=0.2, violation_high=0.3, decidable=False)).word == "BROKEN"
