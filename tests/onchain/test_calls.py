"""From two sets to the calls between them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.errors import AmoOptError
from amo_opt.onchain.calls import calls_between, policy_names, reverting, stopping
from amo_opt.onchain.raw_integers import CAPS, cap_raw
from amo_opt.onchain.signatures import setter_of


def test_one_call_a_setter_with_the_contracts_integers(frax):
    """Ratios in millionths, seconds, whole tokens with the token's decimals, A as it is; both thresholds in one call."""
    before = frax.current
    after = before.replace(amplification=1800, cr_step=0.002, cr_band=0.004, cr_refresh_hours=2, curve_mint_cap=0.5, min_cr=0.82)
    after = after.replace(aave_cap=0.3, redeem_price_threshold=0.9923)
    calls = calls_between(before, after, frax.state, ramp=(1800, 1_653_264_000))
    found = {call.setter.place: call.values for call in calls}
    assert found == {
        "metapool.ramp_A": (1800, 1_653_264_000),
        "stablecoin.setFraxStep": (2000,),
        "stablecoin.setPriceBand": (4000,),
        "stablecoin.setRefreshCooldown": (7200,),
        "amo_minter.setFraxMintCap": (round(0.5 * frax.state.stablecoin.supply.value) * 10**18,),
        "amo_minter.setCollatBorrowCap": (cap_raw("setCollatBorrowCap", after, frax.state),),
        "amo_minter.setMinimumCollateralRatio": (820_000,),
        "frax_pool.setPriceThresholds": (1_003_300, 992_300),
    }
    assert found["amo_minter.setCollatBorrowCap"][0] == round((0.728 + 0.3) * frax.state.collateral_usd) * 10**6
    assert [call.caller for call in calls] == ["curve_dao_parameters"] + ["safe"] * 7
    assert calls[1].text == "stablecoin.setFraxStep(_new_step = 2000)"


def test_the_calls_back_undo_the_calls_there(frax):
    """What one sets, the other finds."""
    after = frax.current.replace(cr_step=0.002, fraxlend_cap=0.05, mint_price_threshold=1.004)
    there = calls_between(frax.current, after, frax.state, ramp=None)
    back = calls_between(after, frax.current, frax.state, ramp=None)
    assert [(call.setter, call.values, call.before) for call in there] == [(call.setter, call.before, call.values) for call in back]
    assert calls_between(after, after, frax.state, ramp=None) == ()


def test_the_pid_controller_holds_bands_around_one(frax):
    """Two prices instead of a width, on the controller, whose step and cooldown are its own too."""
    state = replace(frax.state, price_controller="pid")
    calls = calls_between(frax.current, frax.current.replace(cr_band=0.004, cr_step=0.001, cr_refresh_hours=3), state, ramp=None)
    assert {call.setter.place: call.values for call in calls} == {
        "pid_controller.setFraxStep": (1000,),
        "pid_controller.setPriceBands": (1_004_000, 996_000),
        "pid_controller.setInternalCooldown": (10_800,),
    }
    assert {call.to for call in calls} == {state.contracts["pid_controller"].address}


def test_caps_that_sum_to_the_same_need_no_call(frax):
    """A swap between two AMOs is policy: on chain only the sum is limited."""
    after = frax.current.replace(aave_cap=frax.current.aave_cap - 0.1, investor_cap=frax.current.investor_cap + 0.1)
    assert calls_between(frax.current, after, frax.state, ramp=None) == ()
    assert policy_names(frax.current, after, frax.state) == ("aave_cap", "investor_cap")


def test_a_missing_address_is_missing(frax):
    """The call is there, its address is not."""
    state = replace(frax.state, contracts={name: each for name, each in frax.state.contracts.items() if name != "stablecoin"})
    (call,) = calls_between(frax.current, frax.current.replace(cr_step=0.001), state, ramp=None)
    assert (call.to, call.caller) == (None, "safe")


@pytest.mark.parametrize("name", [name for name, each in PARAMETERS.items() if each.of != "amos.monetary_policy"])
def test_every_setter_of_a_parameter_is_known_and_no_other(frax, name):
    """What `PARAMETERS` says of setter and contract is what is called; policy has none."""
    parameter, setter = PARAMETERS[name], setter_of(name, frax.state)
    assert (setter and setter.name, setter and setter.contract) == (parameter.setter, parameter.contract)
    assert (parameter.raw_decimals is None) == (setter is None or setter.name in CAPS)
