"""From somebody's transactions to a parameter set: what each call moves, and what is not known of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from amo_opt.amos.parameters import PARAMETERS, governed
from amo_opt.config.load import load_study
from amo_opt.errors import AmoOptError
from amo_opt.onchain.abi import function
from amo_opt.onchain.calls import calls_between, policy_names
from amo_opt.onchain.raw_integers import CAPS, cap_raw, raw_integer, value_of
from amo_opt.onchain.signatures import DEBT_CEILING, DEBT_PARAMETERS, PROXIES, RAMP, setter_of
from amo_opt.onchain.transaction import Transaction
from amo_opt.onchain.understood import Note, understood
from amo_opt.protocol.parameters import ORDERED_PAIRS
from amo_opt.protocol.state import Contract, OnChain

FRAX = load_study("studies/frax-2022.toml")
CRVUSD = load_study("studies/crvusd-2024.toml")
SHARES = [name for name, each in PARAMETERS.items() if each.share_of is not None]
NOWHERE = "0x" + "12" * 20
PROXIED = PROXIES["curve_owner_proxy", RAMP.function.signature].function.signature


def sent(state, entry, signature, *values, to=None, value=0):
    """A transaction to an entry of the state."""
    return Transaction(to=to or state.contracts[entry].address, data=function(signature).encode(values), value=value)


def of(call):
    """A call of ours as anybody would send it."""
    return call.transaction


def crvusd_state():
    """crvUSD's state with addresses, which its file has none of."""
    names = (
        "controller_factory",
        "regulator",
        "usdt-keeper",
        "usdc-keeper",
        "metapool",
        "usdt-pool",
        "monetary_policy",
        "curve_owner_proxy",
    )
    contracts = {
        name: Contract(address=f"0x{number:040x}") for number, name in enumerate(names, start=0xA0000000000000000000000000000000000000)
    }
    contracts["usdt-pool"] = replace(contracts["usdt-pool"], caller="curve_owner_proxy")
    return replace(CRVUSD.state, contracts=contracts)


def moved(found):
    """What changes: name -> (before, after)."""
    return {each.name: (each.before, each.after) for call in found.calls for each in call.moved}


def test_every_setter_of_ours_is_read():
    """One call a setter, each mapped to the parameters it sets, in their units."""
    state = FRAX.state
    calls = [
        sent(state, "stablecoin", "setFraxStep(uint256)", 2000),
        sent(state, "stablecoin", "setPriceBand(uint256)", 4000),
        sent(state, "stablecoin", "setRefreshCooldown(uint256)", 7200),
        sent(state, "amo_minter", "setMinimumCollateralRatio(uint256)", 820_000),
        sent(state, "frax_pool", "setPriceThresholds(uint256,uint256)", 1_010_000, 985_000),
    ]
    found = understood(FRAX.current, calls, state)
    assert (found.unknown, [call.number for call in found.calls]) == ((), [1, 2, 3, 4, 5])
    values = found.proposed.values()
    assert {name: after for name, (_, after) in moved(found).items()} == {
        "cr_step": 0.002,
        "cr_band": 0.004,
        "cr_refresh_hours": 2,
        "min_cr": 0.82,
        "redeem_price_threshold": 0.985,
    }
    assert (values["mint_price_threshold"], values["aave_cap"]) == (FRAX.current.mint_price_threshold, FRAX.current.aave_cap)
    assert found.calls[4].held == (1_010_000, 990_000)
    assert found.calls[0].text == "stablecoin.setFraxStep(_new_step = 2000)"


def test_a_ramp_is_read_through_the_owner_proxy_and_directly():
    """By the pool it names; a pool that the state does not name is not known, and what only the proxy may call is said so."""
    state, pool = FRAX.state, FRAX.state.contracts["metapool"].address
    proxied = sent(state, "curve_owner_proxy", PROXIED, pool, 1800, 1_652_659_200)
    found = understood(FRAX.current, [proxied], state)
    assert [(note.kind, note.names) for note in found.calls[0].notes] == [
        ("caller", ("curve_owner_proxy", "curve_parameter_agent")),
        ("ramp", ("amplification",)),
    ]
    proxied = replace(proxied, sender=state.contracts["curve_parameter_agent"].address.lower())
    found = understood(FRAX.current, [proxied], state)
    assert moved(found) == {"amplification": (1500, 1800)}
    assert [note.kind for note in found.calls[0].notes] == ["ramp"]
    assert found.calls[0].notes[0].numbers == (1_652_659_200.0,)
    direct = sent(state, "metapool", "ramp_A(uint256,uint256)", 18_000, 1_652_659_200)
    found = understood(FRAX.current, [direct], state)
    assert [note.kind for note in found.calls[0].notes] == ["caller", "ramp", "ramp refused"]
    other = sent(state, "curve_owner_proxy", PROXIED, NOWHERE, 1800, 1_652_659_200)
    found = understood(FRAX.current, [other], state)
    assert ([each.why for each in found.unknown], found.proposed.values()) == (["pool"], FRAX.current.values())


def test_what_is_not_known_is_named():
    """By address, by function, by bytes, by ether: none is passed over, and nothing of it is set."""
    state = FRAX.state
    calls = [
        sent(state, "stablecoin", "setFraxStep(uint256)", 2000, to=NOWHERE),
        sent(state, "stablecoin", "setMintingFee(uint256)", 2000),
        replace(sent(state, "stablecoin", "setFraxStep(uint256)", 2000), data=function("setFraxStep(uint256)").encode([2000]) + b"\0"),
        sent(state, "stablecoin", "setFraxStep(uint256)", 2000, value=1),
        sent(state, "pid_controller", "setFraxStep(uint256)", 2000),
        Transaction(to=state.contracts["stablecoin"].address, data=b""),
        sent(state, "stablecoin", "setPriceBand(uint256)", 6000),
    ]
    found = understood(FRAX.current, calls, state)
    assert [(each.number, each.why, each.entry) for each in found.unknown] == [
        (1, "address", ""),
        (2, "function", "stablecoin"),
        (3, "arguments", "stablecoin"),
        (4, "ether", "stablecoin"),
        (5, "function", "pid_controller"),
        (6, "function", "stablecoin"),
    ]
    assert (found.unknown[0].selector, found.unknown[5].selector) == ("0xad9f6eec", "0x")
    assert {name: after for name, (_, after) in moved(found).items()} == {"cr_band": 0.006}


def test_bands_of_the_pid_controller():
    """Two prices around 1 are one width; of two widths the set holds none."""
    state = replace(FRAX.state, price_controller="pid")
    found = understood(FRAX.current, [sent(state, "pid_controller", "setPriceBands(uint256,uint256)", 1_004_000, 996_000)], state)
    assert moved(found)["cr_band"][1] == 0.004
    found = understood(FRAX.current, [sent(state, "pid_controller", "setPriceBands(uint256,uint256)", 1_004_000, 995_000)], state)
    assert [each.why for each in found.unknown] == ["bands"]


def test_what_is_there_already_is_no_change():
    """Said so, and the set is the same to the last bit."""
    state = FRAX.state
    calls = [
        sent(state, "stablecoin", "setFraxStep(uint256)", raw_integer(PARAMETERS["cr_step"], FRAX.current.cr_step)),
        sent(state, "amo_minter", "setFraxMintCap(uint256)", cap_raw("setFraxMintCap", FRAX.current, state)),
    ]
    found = understood(FRAX.current, calls, state)
    assert found.proposed.values() == FRAX.current.values()
    assert [[note.kind for note in call.notes] for call in found.calls] == [["no change"], ["no change"]]


def test_the_later_of_two_calls_counts():
    """Each row begins where the one before it ended."""
    state = FRAX.state
    step, cap = "setFraxStep(uint256)", "setFraxMintCap(uint256)"
    calls = [sent(state, "stablecoin", step, 2000), sent(state, "stablecoin", step, 3000)]
    calls += [sent(state, "amo_minter", cap, 10**27), sent(state, "amo_minter", cap, 11 * 10**26)]
    found = understood(FRAX.current, calls, state)
    assert (found.proposed.cr_step, found.calls[1].moved[0].before) == (0.003, 0.002)
    assert [note.kind for note in found.calls[2].notes] == ["overtaken"]
    assert cap_raw("setFraxMintCap", found.proposed, state) == 11 * 10**26


def test_a_sum_is_shared_out_in_proportion_and_says_so():
    """All of a sum's AMOs by the same factor; a share that is told stands, and the rest is the others'."""
    state, current = FRAX.state, FRAX.current.replace(fraxlend_cap=0.05)
    wanted = cap_raw("setFraxMintCap", current.replace(curve_mint_cap=0.44, fraxlend_cap=0.04), state)
    call = sent(state, "amo_minter", "setFraxMintCap(uint256)", wanted)
    found = understood(current, [call], state)
    assert (found.proposed.curve_mint_cap, found.proposed.fraxlend_cap) == (pytest.approx(0.44), pytest.approx(0.04))
    (note,) = found.calls[0].notes
    assert (note.kind, note.names, note.numbers) == ("shared out", ("curve_mint_cap", "fraxlend_cap"), pytest.approx((0.8, 0.8)))
    found = understood(current, [call], state, split={"fraxlend_cap": 0.0})
    assert (found.proposed.curve_mint_cap, found.proposed.fraxlend_cap) == (pytest.approx(0.48), 0.0)
    assert [note.kind for note in found.calls[0].notes] == ["shared out", "told apart"]


def test_amos_of_both_sums_leave_the_other_sum_as_it_is():
    """A cap that counts in both is scaled by the smaller factor; both sums are what the chain would hold."""
    state, current = FRAX.state, FRAX.current.replace(uniswap_cap=0.05)
    before = {setter: cap_raw(setter, current, state) for setter in CAPS}
    for asked in ({"setFraxMintCap": 0.8}, {"setCollatBorrowCap": 1.05}, {"setFraxMintCap": 1.1, "setCollatBorrowCap": 0.7}):
        wanted = {setter: before[setter] if setter not in asked else round(before[setter] * asked[setter]) for setter in CAPS}
        units = {"setFraxMintCap": 10**18, "setCollatBorrowCap": 10**6}
        wanted = {setter: raw // units[setter] * units[setter] for setter, raw in wanted.items()}
        calls = [sent(state, "amo_minter", f"{setter}(uint256)", wanted[setter]) for setter in asked]
        found = understood(current, calls, state)
        assert {setter: cap_raw(setter, found.proposed, state) for setter in CAPS} == wanted


@pytest.mark.parametrize(
    ("calls", "split", "message"),
    [
        ([("amo_minter", "setFraxMintCap(uint256)", 2**255)], {}, "call 1, amo_minter.setFraxMintCap: .* negative"),
        (
            [("amo_minter", "setFraxMintCap(uint256)", 10**29)],
            {},
            r"call 1, .*: curve_mint_cap would be 38\..*; allowed: 0 to 1; say with --split NAME",
        ),
        ([("stablecoin", "setFraxStep(uint256)", 10**6)], {}, "call 1, stablecoin.setFraxStep: cr_step would be 1, .* allowed: 0 to 0.05"),
        ([("stablecoin", "setRefreshCooldown(uint256)", 5400)], {}, "call 1, .*: cr_refresh_hours would be 1.5, .*whole numbers"),
        ([("stablecoin", "setFraxStep(uint256)", 2000)], {"aave_cap": 0.1}, "--split aave_cap: no call .*; the proposal sets no cap"),
        (
            [("amo_minter", "setFraxMintCap(uint256)", 10**27)],
            {"curve_mnt_cap": 0.1},
            "--split curve_mnt_cap: .*did you mean 'curve_mint_cap'",
        ),
        (
            [("amo_minter", "setFraxMintCap(uint256)", 10**27)],
            {"curve_mint_cap": 1.1},
            "--split curve_mint_cap: .* would be 1.1, .*: 0 to 1",
        ),
        ([("amo_minter", "setFraxMintCap(uint256)", 10**27)], {"curve_mint_cap": 0.9}, "1,000,000,000 tokens .* does not add up to it"),
    ],
)
def test_what_cannot_be_simulated_is_refused_by_its_call(calls, split, message):
    """One sentence: the call, what it would set, what is allowed."""
    transactions = [sent(FRAX.state, entry, signature, value) for entry, signature, value in calls]
    with pytest.raises(AmoOptError, match=message):
        understood(FRAX.current, transactions, FRAX.state, split=split)


def test_values_in_force_that_the_chain_does_not_hold_are_told():
    """Where the state read another value than the study has, every call of that setter says so; where it read the same none does."""
    reads = {
        "amo_minter.min_cr()": OnChain(raw=790_000, address=NOWHERE, block=7, hash="0x" + "ab" * 32),
        "stablecoin.frax_step()": OnChain(
            raw=raw_integer(PARAMETERS["cr_step"], FRAX.current.cr_step), address=NOWHERE, block=7, hash="0x"
        ),
    }
    state = replace(FRAX.state, reads=reads)
    calls = [
        sent(state, "stablecoin", "setFraxStep(uint256)", 2000),
        sent(state, "stablecoin", "setFraxStep(uint256)", 3000),
        sent(state, "amo_minter", "setMinimumCollateralRatio(uint256)", 800_000),
    ]
    found = understood(FRAX.current, calls, state)
    assert [each.notes for each in found.calls] == [(), (), (Note("drift", ("790000",), (7.0,)),)]


def test_pegkeepers_ceilings_by_address():
    """The factory is told which keeper; one that is no entry of the state is not known. Regulator, policy and further pools beside it."""
    state = crvusd_state()
    keeper, stranger = state.contracts["usdt-keeper"].address, NOWHERE
    calls = [
        sent(state, "controller_factory", DEBT_CEILING.function.signature, keeper, 40_000_000 * 10**18),
        sent(state, "controller_factory", DEBT_CEILING.function.signature, stranger, 40_000_000 * 10**18),
        sent(state, "controller_factory", DEBT_CEILING.function.signature, state.contracts["usdc-keeper"].address, 25_000_000 * 10**18),
        sent(state, "regulator", DEBT_PARAMETERS.function.signature, 6 * 10**17, 25 * 10**16),
        sent(state, "usdt-keeper", "set_new_caller_share(uint256)", 30_000),
        sent(state, "monetary_policy", "set_sigma(int256)", 15 * 10**15),
        sent(state, "curve_owner_proxy", PROXIED, state.contracts["usdt-pool"].address, 800, 1_706_745_600),
    ]
    found = understood(CRVUSD.current, calls, state)
    assert [(each.number, each.why) for each in found.unknown] == [(2, "keeper")]
    assert moved(found) == {
        "usdt-keeper.ceiling": (25e6, 40e6),
        "regulator.alpha": (0.5, 0.6),
        "usdt-keeper.caller_share": (0.2, 0.3),
        "policy_sigma": (0.02, 0.015),
        "usdt-pool.amplification": (500, 800),
    }
    assert {"usdp-keeper.ceiling", "idle_buffer"} <= {*found.untold}
    assert not {"usdt-keeper.ceiling", "usdt-pool.amplification", "regulator.beta"} & {*found.untold}


def test_another_protocols_calls_are_not_read_as_frax():
    """At the same addresses, but the state is nobody's known: its own functions are not known here."""
    state = replace(FRAX.state, protocol="Other")
    found = understood(FRAX.current, [sent(state, "amo_minter", "setFraxMintCap(uint256)", 10**27)], state)
    assert [each.why for each in found.unknown] == ["function"]


@st.composite
def sets(draw, around=None):
    """A parameter set anywhere in its range; shares of the minter's sums near another's where one is given."""
    values = {}
    for name in FRAX.current.values():
        parameter = PARAMETERS[name]
        low, high = parameter.low, parameter.high
        if around is not None and name in SHARES:
            now = around.values()[name]
            values[name] = now * draw(st.floats(0.5, 1.4)) if now * 1.4 <= 1.0 else now
        elif parameter.kind == "integer":
            values[name] = draw(st.integers(int(low), int(high)))
        else:
            values[name] = draw(st.floats(low, high))
    for low, high in ORDERED_PAIRS:
        if values[low] >= values[high]:
            values |= {low: FRAX.current.values()[low], high: FRAX.current.values()[high]}
    return FRAX.current.replace(**values)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), controller=st.sampled_from(["frax", "pid"]), told=st.booleans())
def test_calls_there_are_read_back(data, controller, told):
    """Any two sets: reading the calls between them gives the integers of the second wherever a setter exists, and leaves policy as it was, named."""
    state = replace(FRAX.state, price_controller=controller)
    before = data.draw(sets())
    after = data.draw(sets(around=before))
    ramp = (after.amplification, 1_652_659_200) if after.amplification != before.amplification else None
    calls = [call for call in calls_between(before, after, state, ramp=ramp) if call.to is not None]  # the state has no rebalancer
    shares = {name: after.values()[name] for setter in CAPS for name in CAPS[setter][0]}
    summed = {call.setter.name for call in calls if call.setter.name in CAPS}
    split = {name: share for name, share in shares.items() if any(name in CAPS[setter][0] for setter in summed)} if told else {}
    found, refused = None, ""
    try:
        found = understood(before, [of(call) for call in calls], state, split=split)
    except AmoOptError as error:
        refused = str(error)
    event(f"told {told}, read {found is not None}")
    if found is None:  # a sum that proportion cannot share out is refused, one that is told never
        assert not told, refused
        assert "--split" in refused
        return
    assert found.unknown == ()
    for name, parameter in PARAMETERS.items():
        setter = setter_of(name, state)
        if setter is not None and setter.contract in state.contracts and setter.name not in CAPS and name in governed(state):
            assert raw_integer(parameter, found.proposed.values()[name]) == raw_integer(parameter, after.values()[name]), name
    for setter in CAPS:
        assert abs(cap_raw(setter, found.proposed, state) - cap_raw(setter, after, state)) <= (
            10**18 if setter == "setFraxMintCap" else 10**6
        )
    policy = {name for name in policy_names(before, after, state) if name not in shares and name in governed(state)}
    assert policy <= {*found.untold}
    assert all(found.proposed.values()[name] == before.values()[name] for name in found.untold)


@settings(deadline=None)
@given(raw=st.integers(0, 10**18))
def test_an_integer_of_a_contract_is_a_value_and_back(raw):
    """Up to what a double holds: exact below 2^50, to the last digits of a double beyond."""
    for name in ("cr_band", "policy_rate0", "policy_sigma", "amplification"):
        parameter = PARAMETERS[name]
        back = raw_integer(parameter, value_of(parameter, raw))
        assert back == raw if raw < 2**50 else abs(back - raw) <= raw * 2**-51
