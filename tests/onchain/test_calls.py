"""From two sets to the calls between them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.config import load_study
from amo_opt.config.overrides import with_figure
from amo_opt.errors import AmoOptError
from amo_opt.onchain.calls import calls_between, policy_names, reverting, stopping
from amo_opt.onchain.raw_integers import CAPS, cap_raw
from amo_opt.onchain.signatures import setter_of
from amo_opt.protocol.state import Contract, Figure, OnChain

ROOT = Path(__file__).parents[2]


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
    assert [call.caller for call in calls] == ["curve_parameter_agent"] + ["safe"] * 7
    assert calls[1].text == "stablecoin.setFraxStep(_new_step = 2000)"


def test_a_ramp_is_what_the_owner_proxy_is_sent(frax):
    """The pool obeys the proxy alone, and that the parameter admin: the call that is sent is the proxy's, with the pool first; so is what stops it."""
    (ramp,) = calls_between(frax.current, frax.current.replace(amplification=1800), frax.state, ramp=(1800, 1_653_264_000))
    pool, proxy = frax.state.contracts["metapool"].address, frax.state.contracts["curve_owner_proxy"].address
    assert (ramp.to, ramp.arguments, ramp.before) == (proxy, (pool, 1800, 1_653_264_000), (1500,))
    assert ramp.transaction.data[:4].hex() == "9d4a4380"
    assert ramp.sender == frax.state.contracts["curve_parameter_agent"].address
    stop = stopping(frax.state)
    assert (stop.to, stop.arguments, stop.transaction.data[:4].hex(), stop.is_ramp) == (proxy, (pool,), "53f79b2b", True)
    alone = replace(frax.state, contracts={**frax.state.contracts, "metapool": replace(frax.state.contracts["metapool"], caller="safe")})
    assert stopping(alone).transaction.data.hex() == "551a6588"


def test_the_calls_back_undo_the_calls_there(frax):
    """What one sets, the other finds."""
    after = frax.current.replace(cr_step=0.002, fraxlend_cap=0.05, mint_price_threshold=1.004)
    there = calls_between(frax.current, after, frax.state, ramp=None)
    back = reverting(there, frax.state, ramp=None)
    assert [(each.setter, each.values, each.before) for each in back] == [(each.setter, each.before, each.values) for each in there]
    assert [each.transaction.arguments for each in back] == [each.before for each in there]
    assert calls_between(after, after, frax.state, ramp=None) == ()


def _read(raw):
    return OnChain(raw=raw, address="0x" + "11" * 20, block=14_755_001, hash="0x" + "22" * 32)


def test_values_in_force_come_from_the_chain_where_it_was_read(frax):
    """The cap that a revert brings back is the one found, not the current set's; of two thresholds the one left alone stays what the chain has; what is so already needs no call."""
    reads = {
        "amo_minter.frax_mint_cap()": _read(1_300_000_000 * 10**18),
        "frax_pool.mint_price_threshold()": _read(1_020_000),
        "frax_pool.redeem_price_threshold()": _read(980_000),
        "amo_minter.min_cr()": _read(820_000),
    }
    state = replace(frax.state, reads=reads)
    after = frax.current.replace(curve_mint_cap=0.5, mint_price_threshold=1.004, min_cr=0.82)
    cap, thresholds = calls_between(frax.current, after, state, ramp=None)
    assert (cap.before, cap.block) == ((1_300_000_000 * 10**18,), 14_755_001)
    assert cap.assumed == (cap_raw("setFraxMintCap", frax.current, frax.state),) != cap.before
    assert (thresholds.before, thresholds.values) == ((1_020_000, 980_000), (1_004_000, 980_000))
    assert [each.values for each in reverting((cap, thresholds), state, ramp=None)] == [(1_300_000_000 * 10**18,), (1_020_000, 980_000)]
    partly = replace(frax.state, reads={"frax_pool.mint_price_threshold()": _read(1_020_000)})
    (unread,) = calls_between(frax.current, frax.current.replace(mint_price_threshold=1.004), partly, ramp=None)
    assert (unread.block, unread.before) == (None, unread.assumed)


def test_what_a_contract_would_not_keep_is_refused(frax):
    """A cap from 2**255 on is kept as the lowest number there is, though its argument is a uint256: one sentence with the bound."""
    vast = with_figure(frax.state, "stablecoin.supply", Figure(value=2.0**255 / 1e18, source="a test's"))
    with pytest.raises(
        AmoOptError, match=rf"amo_minter.setFraxMintCap: _frax_mint_cap is out of range; found \d+; allowed: 0 to {2**255 - 1}"
    ):
        calls_between(frax.current, frax.current.replace(curve_mint_cap=1.0), vast, ramp=None)
    with pytest.raises(AmoOptError, match=r"metapool.ramp_A: _future_A is out of range; found 1000000; allowed: 1 to 999999"):
        calls_between(frax.current, frax.current.replace(amplification=1800), frax.state, ramp=(1_000_000, 1_653_264_000))


@pytest.fixture(scope="module")
def crvusd():
    """crvUSD's worked study with addresses of ours for the contracts that its parameters are set on."""
    study = load_study(ROOT / "studies" / "crvusd-2024.toml")
    names = ("regulator", "controller_factory", "usdc-keeper", "usdt-keeper", "monetary_policy", "curve_ownership_agent")
    contracts = {name: Contract(address=f"0x{place:02x}" + "1f" * 19, source="a test's") for place, name in enumerate(names, 1)}
    return replace(study, state=replace(study.state, contracts=contracts))


def test_what_the_votes_of_crvusd_set(crvusd):
    """A keeper's ceiling by the factory and its own address, its caller's share, the regulator's pair in one call, the policy's target; all by Curve's ownership vote."""
    after = crvusd.current.replace(
        **{
            "usdt-keeper.ceiling": 45e6,
            "usdc-keeper.caller_share": 0.4,
            "regulator.alpha": 0.8,
            "regulator.price_deviation": 0.001,
            "regulator.worst_price_threshold": 0.0005,
            "tusd-keeper.ceiling": 7e6,
            "policy_target_debt_fraction": 0.2,
        }
    )
    calls = calls_between(crvusd.current, after, crvusd.state, ramp=None)
    keeper = crvusd.state.contracts["usdt-keeper"].address
    assert {(call.place, call.function.name): call.arguments for call in calls} == {
        ("monetary_policy", "set_target_debt_fraction"): (2 * 10**17,),
        ("regulator", "set_worst_price_threshold"): (5 * 10**14,),
        ("regulator", "set_price_deviation"): (10**15,),
        ("regulator", "set_debt_parameters"): (8 * 10**17, round(crvusd.current.values()["regulator.beta"] * 10**18)),
        ("usdc-keeper", "set_new_caller_share"): (40_000,),
        ("controller_factory", "set_debt_ceiling"): (keeper, 45 * 10**24),
    }
    assert {call.caller for call in calls} == {"curve_ownership_agent"}
    assert policy_names(crvusd.current, after, crvusd.state) == ("tusd-keeper.ceiling",)  # no address of that keeper
    read = replace(crvusd.state, reads={"controller_factory.debt_ceiling(usdt-keeper)": _read(30 * 10**24)})
    ceiling = calls_between(crvusd.current, after, read, ramp=None)[-1]
    assert (ceiling.before, ceiling.values) == ((30 * 10**24,), (45 * 10**24,))
    assert reverting((ceiling,), read, ramp=None)[0].arguments == (keeper, 30 * 10**24)


def test_origins_vault_keeps_a_buffer(frax):
    """Origin's own setters, of the vault and its strategy, by its governor; nothing of another protocol's."""
    study = load_study(ROOT / "studies" / "oeth-2024.toml")
    at = {name: Contract(address="0x" + hexes * 20, source="a test's") for name, hexes in (("vault", "a1"), ("rebalancer", "b2"))}
    after = study.current.replace(idle_buffer=study.current.idle_buffer + 0.05, rebalancer_max_slippage=0.02)
    calls = calls_between(study.current, after, replace(study.state, contracts=at), ramp=None)
    assert [(call.function.signature, call.caller) for call in calls] == [
        ("setMaxSlippage(uint256)", "governor"),
        ("setVaultBuffer(uint256)", "governor"),
    ]
    assert calls[1].values == (round(after.idle_buffer * 10**18),)
    assert calls_between(study.current, after, study.state, ramp=None) == ()
    assert setter_of("idle_buffer", frax.state) is None


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


@pytest.mark.parametrize(
    "name", [name for name, each in PARAMETERS.items() if each.of not in ("amos.monetary_policy", "amos.regulator", "amos.peg_keeper")]
)
def test_every_setter_of_a_parameter_is_known_and_no_other(frax, name):
    """What `PARAMETERS` says of setter and contract is what is called; policy has none."""
    parameter, setter = PARAMETERS[name], setter_of(name, frax.state)
    assert (setter and setter.name, setter and setter.contract) == (parameter.setter, parameter.contract)
    # Origin alone has a setter of the buffer
    assert (parameter.raw_decimals is None) == (setter is None or setter.name in CAPS) or name == "idle_buffer"
