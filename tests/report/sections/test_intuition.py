"""Results against intuition: found by the rule, and only by it."""

from __future__ import annotations

from dataclasses import replace

from read import rows, tables, text

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.parameters import PARAMETERS
from amo_opt.report.account import Account
from amo_opt.report.sections import intuition
from amo_opt.report.sections.intuition import EXPECTATIONS, MADE_OF, intuition_of, summary
from amo_opt.report.sets import subject_of
from amo_opt.report.wording import paths_of
from amo_opt.scoring.metrics import METRICS
from amo_opt.wording import escape


def _found(result):
    return intuition_of(result, subject_of(result))


def _quiet(result, **differences):
    """The result with no neighbours and no profile, all paired differences zero but the named ones (value, with an interval of half of it)."""
    candidates = []
    for each in result.candidates:
        paired = []
        for row in each.holdout_paired:
            value = differences.get(row.metric, 0.0)
            low, high = sorted((0.5 * value, 1.5 * value))
            paired.append(replace(row, difference=replace(row.difference, value=value, low=low, high=high)))
        candidates.append(replace(each, holdout_paired=tuple(paired)))
    return replace(result, candidates=tuple(candidates), neighbours=(), profile=None)


def test_the_expectations_name_what_exists():
    """A misspelt metric would never be tested; no pair is stated twice."""
    assert {each.metric for each in EXPECTATIONS} | set(MADE_OF) | {part for parts in MADE_OF.values() for part in parts} <= set(METRICS)
    assert {each.parameter for each in EXPECTATIONS} <= set(PARAMETERS)
    pairs = [(each.parameter, each.metric) for each in EXPECTATIONS]
    assert len(pairs) == len(set(pairs))


def test_nothing_moved_is_nothing_found(result):
    """Zero differences contradict nobody, and the page says so in words."""
    found = _found(_quiet(result))
    assert found.findings == ()
    assert summary(found).startswith("None found by the rule.")
    assert intuition.finding(Account(_quiet(result))) == "0 results against intuition"


def test_a_neighbour_against_its_sign_is_listed_and_one_within_its_interval_is_not(result):
    """More idle collateral that earns more is worth a look; a difference that may be zero is not."""
    idle = next(each for each in result.neighbours if each.parameter == "idle_buffer" and each.side > 0)
    only = replace(_quiet(result), neighbours=(idle,))
    findings = [each for each in _found(only).findings if each.where.startswith("idle_buffer")]
    assert [(each.expected, each.interval, paths_of(each.figures[0])) for each in findings] == [
        ("yield falls with a higher idle_buffer: idle collateral earns nothing", "+0.0050 to +0.0150", "3,200")
    ]
    around_zero = tuple(replace(each, difference=replace(each.difference, low=-1.0)) for each in idle.paired)
    assert _found(replace(only, neighbours=(replace(idle, paired=around_zero),))).findings == ()


def test_idle_collateral_that_worsens_a_run_is_listed_with_its_mechanism(result):
    """More of it, and a higher peg risk beyond its interval: what is known to do that is told with what was found."""
    idle = next(each for each in result.neighbours if each.parameter == "idle_buffer" and each.side > 0)
    row = next(each for each in idle.paired if each.metric == "peg_cvar95_bps" and each.scenario is None)
    worse = replace(row, difference=replace(row.difference, value=2.0, low=1.0, high=3.0))
    only = replace(_quiet(result), neighbours=(replace(idle, paired=(worse,)),))
    (finding,) = _found(only).findings
    assert finding.expected == "peg risk (CVaR 95%) falls with a higher idle_buffer: who leaves is paid at the door and sells nothing"
    assert finding.found.startswith("peg risk (CVaR 95%) +2")
    assert ": what lies idle is not brought to the pool, " in finding.found
    better = replace(row, difference=replace(row.difference, value=-2.0, low=-3.0, high=-1.0))
    assert _found(replace(only, neighbours=(replace(idle, paired=(better,)),))).findings == ()


def test_a_risk_that_falls_while_its_factors_rise_is_listed(result):
    """The case of a value at risk that fell while every factor of it rose: found by rule, not by luck."""
    found = _found(_quiet(result, breach_probability=-0.001, min_cr_external=-0.02, min_cr_external_tail95=-0.03))
    assert [each.where for each in found.findings if "made of" in each.where] == [
        "the whole change: chance that the external collateral ratio breaks its limit and what it is made of"
    ]
    half = _found(_quiet(result, breach_probability=-0.001, min_cr_external=-0.02))
    assert not [each for each in half.findings if "made of" in each.where]


def test_a_profile_that_turns_is_listed_once_for_each_metric(result):
    """In the example peg risk rises with A over the whole range: the widest pair is shown."""
    found = [each for each in _found(result).findings if each.where.startswith("profile over amplification")]
    assert {each.where for each in found} == {"profile over amplification, 150 to 5,000"}
    assert len(found) == 2


def test_a_line_of_the_yield_against_the_whole_is_listed(result):
    """Yield rises, one of its lines falls beyond both intervals."""
    chosen = result.candidates[1]
    terms = {**chosen.holdout_score.yield_terms}
    swap = terms["swap_fees"]
    terms["swap_fees"] = replace(swap, value=0.001, low=0.0009, high=0.0011)
    changed = replace(chosen, holdout_score=replace(chosen.holdout_score, yield_terms=terms))
    quiet = _quiet(replace(result, candidates=(result.candidates[0], changed, *result.candidates[2:])), **{"yield": 0.003})
    assert "the whole change: the yield's line swap fees" in [each.where for each in _found(quiet).findings]


def test_every_finding_and_every_expectation_is_told(result):
    """The first eight in the section, the others behind it, each with interval and n; what was expected with how it came out."""
    idle = [each for each in result.neighbours if each.parameter == "idle_buffer"]
    found, blocks = _found(result), intuition.blocks(Account(result))
    first, *_, expected = tables(blocks)
    assert [row["Where"] for row in rows(first)] == [escape(each.where) for each in found.findings][:8]
    assert all(row["95% interval"] and row["n"] for row in rows(first))
    assert len(rows(expected)) == len(found.outcomes)
    assert len([row for row in rows(expected) if row["Parameter"] == "`idle_buffer`" and row["Tests"] != "not tested"]) == 2 == len(idle)
    many = replace(result, neighbours=result.neighbours * 4)
    told = [row for table in tables(intuition.blocks(Account(many))) if "against intuition" in table.label for row in rows(table)]
    assert len(told) == len(_found(many).findings) > 8
    assert f"{len(told) - 8} further findings, and how each came out" in text(intuition.blocks(Account(many)))
    nothing = _quiet(replace(result, candidates=result.candidates[:1], half_step=None))
    assert "No parameter with a stated expectation" in text(
        intuition.blocks(Account(replace(nothing, recommended=None, ruling=replace(nothing.ruling, outcome="no change"))))
    )


def test_expectations_stand_in_the_order_of_a_parameter_file():
    """The issuer's and every AMO's, each once, under the parameter's full name."""
    places = [list(PARAMETERS).index(each.parameter) for each in EXPECTATIONS]
    assert places == sorted(places)
    told = [(each.parameter, each.metric, each.sign) for each in EXPECTATIONS]
    assert len(set(told)) == len(told)
    for amo in MECHANISMS:
        assert {(amo.parameters[each.parameter].name, each.metric, each.sign) for each in amo.expectations} <= set(told)
    of_amos = {each.name for amo in MECHANISMS for each in amo.parameters.values()}
    assert sum(parameter not in of_amos for parameter, _, _ in told) == 16
    caps = [(each.parameter, each.metric, each.sign) for each in EXPECTATIONS if each.parameter in {"investor_cap", "fraxlend_cap"}]
    assert caps == [
        ("investor_cap", "yield", 1),
        ("investor_cap", "min_cr_external_tail95", -1),
        ("fraxlend_cap", "yield", 1),
        ("fraxlend_cap", "min_cr_external_tail95", -1),
        ("fraxlend_cap", "floor_ratio", -1),
    ]
