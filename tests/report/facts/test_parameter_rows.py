"""The parameter table."""

from __future__ import annotations

import pytest

from amo_opt.protocol.parameters import PARAMETERS
from amo_opt.report.facts.parameter_rows import cap_rows, changed_names, parameter_rows, raw_integer


def test_what_a_vote_executes_comes_first(result):
    """On-chain parameters before policy, large changes before small ones."""
    names = changed_names(result.study.current, result.recommended)
    setters = [PARAMETERS[name].setter is not None for name in names]
    assert setters == sorted(setters, reverse=True)
    assert names[0] == "aave_cap"


@pytest.mark.parametrize(
    ("name", "value", "raw"),
    [("amplification", 2210, 2210), ("cr_step", 0.0025, 2500), ("cr_band", 0.005, 5000), ("min_cr", 0.81, 810_000)],
)
def test_raw_integers_are_the_contracts(name, value, raw):
    """Ratios are stored times 1e6, A as it is."""
    assert raw_integer(PARAMETERS[name], value) == raw


def test_policy_has_no_raw_integer(result):
    """What the executing team decides is not encoded anywhere."""
    rows = {row.name: row for row in parameter_rows(result.study.current, result.recommended, frozenset())}
    assert (rows["idle_buffer"].executed_by, rows["idle_buffer"].raw) == ("policy", "–")
    assert rows["amplification"].change == "+47.3%"
    assert rows["idle_buffer"].change == "unchanged"


def test_on_chain_caps_are_sums_in_tokens(result):
    """setCollatBorrowCap has 6 decimals and sums two AMOs; setFraxMintCap has 18."""
    state = result.study.state
    collateral, minted = cap_rows(result.study.current, result.recommended, state)
    assert int(collateral.raw) == round((0.42 + 0.31) * state.collateral_usd) * 10**6
    assert int(minted.raw) == round(0.41 * state.stablecoin.supply.value) * 10**18
