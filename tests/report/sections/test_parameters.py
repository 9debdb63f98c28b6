"""The parameter table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.config.load import load_study
from amo_opt.onchain.raw_integers import raw_integer
from amo_opt.report.sections.parameters import NO_LIMIT, cap_rows, changed_names, parameter_rows


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
    rows = {row.name: row for row in parameter_rows(result.study.current, result.recommended, frozenset(), result.study.state)}
    assert (rows["idle_buffer"].executed_by, rows["idle_buffer"].raw) == ("policy of the executing team", "–")
    assert rows["amplification"].change == "+47.3%"
    assert rows["idle_buffer"].change == "unchanged"


def test_on_chain_caps_are_sums_in_tokens(result):
    """setCollatBorrowCap has 6 decimals and sums two AMOs; setFraxMintCap has 18."""
    state = result.study.state
    collateral, minted = cap_rows(result.study.current, result.recommended, state)
    assert int(collateral.raw) == round((0.42 + 0.31) * state.collateral_usd) * 10**6
    assert int(minted.raw) == round(0.41 * state.stablecoin.supply.value) * 10**18


def test_every_row_says_which_contract_what_it_refuses_and_who_may_call(result, frax):
    """The pool obeys Curve's owner proxy and that the parameter vote, everything else the Safe; policy is nobody's call."""
    state = frax.state
    rows = {row.name: row for row in parameter_rows(result.study.current, result.recommended, frozenset(), state)}
    assert rows["amplification"].function == "metapool.ramp_A"
    assert "at most 10 times" in rows["amplification"].limit
    agent, proxy = (state.contracts[name].address for name in ("curve_parameter_agent", "curve_owner_proxy"))
    assert rows["amplification"].executed_by == f"Curve parameter agent {agent} through curve owner proxy {proxy}"
    assert rows["cr_step"].executed_by == f"Safe {state.contracts['safe'].address}"
    assert rows["aave_cap"].raw == "in the sum below"
    assert (rows["unwind_rate"].function, rows["unwind_rate"].limit) == ("–", NO_LIMIT)
    assert rows["cr_band"].raw == "5000"
    pid = {
        row.name: row
        for row in parameter_rows(result.study.current, result.recommended, frozenset(), replace(state, price_controller="pid"))
    }
    assert (pid["cr_band"].function, pid["cr_band"].raw) == ("pid_controller.setPriceBands", "1005000, 995000")


def test_a_state_without_contracts_names_nobody(result):
    """No address is invented."""
    rows = parameter_rows(result.study.current, result.recommended, frozenset(), result.study.state)
    assert {row.executed_by for row in rows} == {"the contract's owner (not in the state)", "policy of the executing team"}


def test_a_sum_of_caps_names_those_of_amos_that_are_there() -> None:
    """FRAX v3 has no Aave AMO and no range: the sums are of Curve's, the investor's and Fraxlend's caps."""
    study = load_study(Path(__file__).parents[3] / "studies" / "frax-v3-2024.toml")
    collateral, minted = cap_rows(study.current, study.current, study.state)
    assert (collateral.sums, minted.sums) == ("curve_collateral_cap + investor_cap", "curve_mint_cap + fraxlend_cap")
