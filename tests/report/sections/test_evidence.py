"""Before and after."""

from __future__ import annotations

from dataclasses import replace

from amo_opt.report.account import Account
from amo_opt.report.limits import constraint_verdict


def _evidence(result):
    return Account(result).evidence


def test_favourable_is_to_the_right_whatever_the_metric(result):
    """More yield is better, more peg risk is worse: the forest shows both by side."""
    rows = {row.name: row for row in _evidence(result).rows}
    assert rows["yield"].position[0] > 0 > rows["peg_cvar95_bps"].position[0]
    for row in rows.values():
        value, low, high = row.position
        assert -1.0 <= low <= value <= high <= 1.0


def test_a_set_against_itself_shows_no_difference(result):
    """Zeros everywhere are drawn on the line, not divided by."""
    zero = replace(result.candidates[1].holdout_paired[0].difference, value=0.0, low=0.0, high=0.0)
    same = tuple(
        replace(each, holdout_paired=tuple(replace(row, difference=zero, verdict="EQUIVALENT") for row in each.holdout_paired))
        for each in result.candidates
    )
    assert {row.position for row in _evidence(replace(result, candidates=same)).rows} == {(0.0, 0.0, 0.0)}


def test_a_thin_tail_is_marked(result):
    """Fewer than 40 effective paths: the reader is told that the interval covers less."""
    assert {row.name for row in _evidence(result).rows if row.thin_tail} == {
        "min_price_tail95",
        "min_cr_external_tail95",
        "min_cr_contract_tail95",
    }


def test_cells_without_a_paired_test_differ_only_where_intervals_do_not_meet(result):
    """Stricter than a paired test; equal figures are called equivalent."""
    evidence = _evidence(result)
    assert not evidence.paired_cells
    by_title = {title: place for place, (title, _) in enumerate(evidence.scenario_columns)}
    calm = evidence.scenarios[0]
    assert calm.cells[by_title["Yield"]].verdict.word == "BETTER"
    assert calm.cells[by_title["Peg risk (CVaR 95%)"]].verdict.word == "INCONCLUSIVE"


def test_a_paired_test_within_a_scenario_decides_its_cell(result):
    """Where the search has it, the table uses it, and the overall table does not mix it in."""
    base = result.candidates[1].holdout_paired
    extra = replace(base[1], scenario="calm", verdict="WORSE")
    candidates = tuple(
        replace(each, holdout_paired=(*each.holdout_paired, extra)) if each.role == "recommended" else each for each in result.candidates
    )
    evidence = _evidence(replace(result, candidates=candidates))
    assert evidence.paired_cells
    assert evidence.scenarios[0].cells[1].verdict.word == "WORSE"
    assert len(evidence.rows) == len(base)


def test_a_limit_is_kept_only_at_the_upper_end(result):
    """A point value below the limit is not enough, and too few paths decide nothing."""
    constraint = result.candidates[0].holdout_score.constraints[0]
    assert constraint_verdict(replace(constraint, violation=-0.2, violation_high=-0.1)).word == "KEPT"
    assert constraint_verdict(replace(constraint, violation=-0.2, violation_high=0.1)).word == "BROKEN"
    assert constraint_verdict(replace(constraint, violation=-0.2, violation_high=-0.1, decidable=False)).word == "UNDECIDED"
    assert constraint_verdict(replace(constraint, violation=0.2, violation_high=0.3, decidable=False)).word == "BROKEN"


def test_the_chain_is_the_states(result):
    """The page names the chain that the Safe batch is for, not always the same."""
    assert Account(result).chain == "Ethereum (chain id 1)"
    state = replace(result.study.state, chain_id=10)
    assert Account(replace(result, study=replace(result.study, state=state))).chain == "another chain (chain id 10)"
