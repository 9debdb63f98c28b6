"""The parameter table."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from read import rows, tables, text

from amo_opt.amos.parameters import PARAMETERS, governed
from amo_opt.config.load import load_study
from amo_opt.onchain.raw_integers import raw_integer
from amo_opt.report.account import Account
from amo_opt.report.sections import parameters, unchanged
from amo_opt.report.sections.parameters import NO_LIMIT, POLICY, caps_table, changed_names, changes_table


def shown(result, state):
    """Every parameter's row by its name."""
    found = rows(changes_table(governed(state).values(), result.study.current, result.recommended, state))
    return {re.findall(r"`([\w.-]+)`", row["Parameter, name and function"])[0]: row for row in found}


def test_what_a_vote_executes_comes_first(result):
    """On-chain parameters before policy, large changes before small ones."""
    names = changed_names(result.study.current, result.recommended)
    setters = [PARAMETERS[name].setter is not None for name in names]
    assert setters == sorted(setters, reverse=True)
    assert names[0] == "aave_cap"


@pytest.mark.parametrize(
    ("name", "value", "raw"),
    [
        ("cr_refresh_hours", 2, 7200),
        ("amplification", 2210, 2210),
        ("cr_step", 0.0025, 2500),
        ("cr_band", 0.005, 5000),
        ("min_cr", 0.81, 810_000),
    ],
)
def test_raw_integers_are_the_contracts(name, value, raw):
    """Ratios are stored times 1e6, times in seconds, A as it is."""
    assert raw_integer(PARAMETERS[name], value) == raw


def test_policy_has_no_raw_integer(result):
    """What the executing team decides is not encoded anywhere."""
    found = shown(result, result.study.state)
    assert (found["idle_buffer"]["Executed by"], found["idle_buffer"]["Raw integer"]) == (POLICY, "–")
    assert found["amplification"]["Change"] == "+47.3%"
    assert found["idle_buffer"]["Change"] == "unchanged"


def test_on_chain_caps_are_sums_in_tokens(result):
    """setCollatBorrowCap has 6 decimals and sums two AMOs; setFraxMintCap has 18."""
    state = result.study.state
    collateral, minted = rows(caps_table(result.study.current, result.recommended, state))
    assert int(collateral["Raw integer"]) == round((0.42 + 0.31) * state.collateral_usd) * 10**6
    assert int(minted["Raw integer"]) == round(0.41 * state.stablecoin.supply.value) * 10**18


def test_every_row_says_which_contract_what_it_refuses_and_who_may_call(result, frax):
    """The pool obeys Curve's owner proxy and that the parameter vote, everything else the Safe; policy is nobody's call."""
    state = frax.state
    found = shown(result, state)
    ramp = found["amplification"]
    assert ramp["Parameter, name and function"].endswith("`amplification` `metapool.ramp_A`")
    assert "at most 10 times" in ramp["On-chain limit"]
    agent, proxy = (state.contracts[name].address for name in ("curve_parameter_agent", "curve_owner_proxy"))
    assert ramp["Executed by"] == f"Curve parameter agent {agent} through curve owner proxy {proxy}"
    assert found["cr_step"]["Executed by"] == f"Safe {state.contracts['safe'].address}"
    assert found["aave_cap"]["Raw integer"] == "in the sum below"
    policy = found["unwind_rate"]
    assert (policy["Parameter, name and function"][-13:], policy["On-chain limit"]) == ("`unwind_rate`", NO_LIMIT)
    assert found["cr_band"]["Raw integer"] == "5000"
    pid = shown(result, replace(state, price_controller="pid"))["cr_band"]
    assert pid["Parameter, name and function"].endswith("`pid_controller.setPriceBands`")
    assert pid["Raw integer"] == "1005000, 995000"


def test_a_state_without_contracts_names_nobody(result):
    """No address is invented."""
    assert {row["Executed by"] for row in shown(result, result.study.state).values()} == {"the contract's owner (not in the state)", POLICY}


def test_a_sum_of_caps_names_those_of_amos_that_are_there() -> None:
    """FRAX v3 has no Aave AMO and no range: the sums are of Curve's, the investor's and Fraxlend's caps."""
    study = load_study(Path(__file__).parents[3] / "studies" / "frax-v3-2024.toml")
    sums = [row["Sum of"].replace("\\", "") for row in rows(caps_table(study.current, study.current, study.state))]
    assert sums == ["curve_collateral_cap + investor_cap", "curve_mint_cap + fraxlend_cap"]


def test_what_stays_is_every_other_parameter(result):
    """Each parameter stands in exactly one of the two tables, with who sets it and whether it was searched; the fees are in neither."""
    of = Account(result)
    changed, kept = (rows(tables(each.blocks(of))[0]) for each in (parameters, unchanged))
    names = [re.findall(r"`([\w.-]+)`", next(iter(row.values())))[0] for row in (*changed, *kept)]
    assert sorted(names) == sorted(governed(of.study.state))
    assert unchanged.finding(of) == f"{len(kept)} parameters stay as they are"
    assert {row["Search"] for row in kept} <= {"searched", "fixed"}
    assert "swap fee and admin fee" in text(unchanged.blocks(of))
