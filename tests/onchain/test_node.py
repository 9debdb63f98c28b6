"""The tests' own node: its doubles obey whom the contracts obey, and refuse what they refuse."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from amo_opt.config.load import load_state
from amo_opt.onchain.abi import function
from amo_opt.onchain.rpc import Rpc
from amo_opt.protocol.addresses import keccak

if TYPE_CHECKING:
    from conftest import RunningNode

VECTORS = Path(__file__).parents[1] / "vectors"
ROOT = Path(__file__).parents[2]
DAY = 86400


def simulated(node: RunningNode, calls: list[tuple[str, str, str, list[Any]]], time: int | None = None) -> list[dict[str, Any]]:
    """Calls in order in one block: (caller, contract, signature, values)."""
    at = node.addresses
    sent = [
        {"from": at.get(caller, caller), "to": at[to], "input": "0x" + function(signature).encode(values).hex()}
        for caller, to, signature, values in calls
    ]
    overrides = {} if time is None else {"blockOverrides": {"time": hex(time)}}
    (block,) = node.ask("eth_simulateV1", {"blockStateCalls": [{**overrides, "calls": sent}], "validation": False}, hex(node.latest))
    return block["calls"]


def ended(result: dict[str, Any]) -> str | None:
    """None for a call that went through, else what its error says."""
    return None if result["status"] == "0x1" else result["error"]["message"].removeprefix("execution reverted").removeprefix(": ")


def number(result: dict[str, Any]) -> int:
    return int(result["returnData"], 16)


def test_its_contracts_stand_where_the_worked_state_names_them(node_url: RunningNode) -> None:
    state = load_state(ROOT / "studies" / "states" / "frax-2022-05-11.toml")
    node = Rpc(node_url)
    block = node.block()
    for name, contract in state.contracts.items():
        assert contract.address == node_url.addresses[name]
        assert node.code(block, contract.address)


def test_its_getters_answer_as_the_real_sources_did(node_url: RunningNode) -> None:
    """All 26 of the recording but one: there the Safe stood for the factory's admin, here Curve's owner proxy does."""
    with gzip.open(VECTORS / "rpc_frax_2022.json.gz") as file:
        recorded = json.load(file)["calls"]
    node = Rpc(node_url)
    found = node.calls(node.block(), [(each["to"], bytes.fromhex(each["data"][2:])) for each in recorded])
    other = [each["signature"] for each, answer in zip(recorded, found, strict=True) if "0x" + (answer.data or b"").hex() != each["result"]]
    assert (len(recorded), other) == (26, ["admin()"])


with gzip.open(VECTORS / "curve_ramp.json.gz") as file:
    LIMITS = [each for each in json.load(file)["limits"] if each["contract"] == "MetaFactoryV1"]


@pytest.mark.parametrize("case", LIMITS, ids=[each["id"] for each in LIMITS])
def test_ramps_are_refused_where_the_pool_s_own_source_refuses_them(case: dict[str, Any], node: RunningNode) -> None:
    """Measured limits of `ramp_A`: 10 times, a day, 0 and a million; without a reason. Through the owner proxy, as on chain."""
    pool = node.addresses["metapool"]
    for call in case["calls"]:
        for name, value in call.get("before", {}).items():
            if name in {"initial_A", "future_A", "initial_A_time", "future_A_time"}:
                node.put("metapool", name, int(value))
        stops = call["action"] == "stop_ramp_A"
        signature = "stop_ramp_A(address)" if stops else "ramp_A(address,uint256,uint256)"
        values = [pool] if stops else [pool, int(call["future_A"]), call["future_time"]]
        who = "curve_parameter_agent" if call["caller"] == "admin" else "0x" + "99" * 20
        ramp, begin, end = simulated(
            node,
            [
                (who, "curve_owner_proxy", signature, values),
                ("safe", "metapool", "initial_A()", []),
                ("safe", "metapool", "future_A()", []),
            ],
            call["timestamp"],
        )
        assert (ended(ramp) is None) == call["ok"], call
        if call["ok"]:
            assert (number(begin), number(end)) == (int(call["after"]["initial_A"]), int(call["after"]["future_A"]))
        elif call["caller"] == "admin":
            assert ramp["error"]["data"] == "0x"


def test_a_ramp_runs_and_is_stopped(node_url: RunningNode) -> None:
    """Half the way after half the time; stopped it stays, and no new one begins within a day."""
    node, pool = Rpc(node_url), node_url.addresses["metapool"]
    now = node.block().timestamp + 12
    agent, proxy = node_url.addresses["curve_parameter_agent"], node_url.addresses["curve_owner_proxy"]
    ramp = function("ramp_A(address,uint256,uint256)").encode([pool, 3000, now + 2 * DAY])
    stop, a = function("stop_ramp_A(address)").encode([pool]), function("A_precise()").encode([])

    def block(time: int, *sent: tuple[str, bytes]) -> dict[str, Any]:
        calls = [{"from": agent, "to": to, "input": "0x" + data.hex()} for to, data in sent]
        return {"blockOverrides": {"time": hex(time)}, "calls": calls}

    asked = [
        block(now, (proxy, ramp), (pool, a)),
        block(now + DAY, (pool, a), (proxy, stop), (pool, a)),
        block(now + 2 * DAY - 1, (pool, a), (proxy, ramp)),
    ]
    first, second, third = (each["calls"] for each in node.request("eth_simulateV1", [{"blockStateCalls": asked}, hex(node_url.latest)]))
    assert [each["status"] for each in first + second] == ["0x1"] * 5
    assert [number(each) for each in (first[1], second[0], second[2], third[0])] == [150_000, 225_000, 225_000, 225_000]
    assert (third[1]["status"], ended(third[1])) == ("0x0", "")
    assert [log["topics"][0] for log in first[0]["logs"]] == ["0x" + keccak(b"RampA(uint256,uint256,uint256,uint256)").hex()]


SETTERS = {
    "stablecoin": ["setPriceBand(uint256)", "setFraxStep(uint256)", "setRefreshCooldown(uint256)", "setRedemptionFee(uint256)"],
    "amo_minter": ["setFraxMintCap(uint256)", "setCollatBorrowCap(uint256)", "setMinimumCollateralRatio(uint256)"],
    "frax_pool": [
        "setPriceThresholds(uint256,uint256)",
        "setPoolParameters(uint256,uint256)",
        "setFees(uint256,uint256,uint256,uint256,uint256)",
    ],
    "pid_controller": ["setPriceBands(uint256,uint256)", "setFraxStep(uint256)", "setInternalCooldown(uint256)"],
}


@pytest.mark.parametrize("contract", SETTERS)
def test_setters_obey_owner_and_timelock_alone(contract: str, node_url: RunningNode) -> None:
    """And say why to others; their selectors are the real ones'."""
    known = json.loads((VECTORS / "frax_selectors.json").read_text(encoding="utf-8"))
    selectors = {name: selector for each in known.values() for name, selector in each.items()}
    refusal = "Not the owner, controller, or the governance timelock" if contract == "stablecoin" else "Not owner or timelock"
    for signature in SETTERS[contract]:
        assert "0x" + function(signature).selector.hex() == selectors[signature]
        values = [0] * len(function(signature).inputs)
        for caller, wanted in (("safe", None), ("timelock", None), ("curve_owner_proxy", refusal), ("0x" + "99" * 20, refusal)):
            (result,) = simulated(node_url, [(caller, contract, signature, values)])
            assert ended(result) == wanted


def test_the_stablecoin_obeys_its_controller_too(node: RunningNode) -> None:
    node.put("stablecoin", "controller_address", node.addresses["pid_controller"])
    (result,) = simulated(node, [("pid_controller", "stablecoin", "setFraxStep(uint256)", [0])])
    assert ended(result) is None


def test_caps_beyond_int256_wrap(node_url: RunningNode) -> None:
    """As measured: 2**255 becomes -2**255, 2**256 - 1 becomes -1."""
    for given, held in ((2**255, -(2**255)), (2**256 - 1, -1), (2**255 - 1, 2**255 - 1)):
        calls = [("safe", "amo_minter", "setFraxMintCap(uint256)", [given]), ("safe", "amo_minter", "frax_mint_cap()", [])]
        cap = bytes.fromhex(simulated(node_url, calls)[1]["returnData"][2:])
        assert function("frax_mint_cap()", ["int256"]).decode_outputs(cap) == (held,)


def test_an_agent_executes_for_its_owner_alone(node_url: RunningNode) -> None:
    """Curve's parameter agent: what a vote runs is execute(address,uint256,bytes)."""
    node, at = Rpc(node_url), node_url.addresses
    ramp = function("ramp_A(address,uint256,uint256)").encode([at["metapool"], 2000, node.block().timestamp + 2 * DAY])
    values = [at["curve_owner_proxy"], 0, ramp]
    voting = "0xBCfF8B0b9419b9A88c44546519b1e909cF330399"
    execute = "execute(address,uint256,bytes)"
    assert ended(simulated(node_url, [(voting, "curve_parameter_agent", execute, values)])[0]) is None
    assert ended(simulated(node_url, [("safe", "curve_parameter_agent", execute, values)])[0]) == "APP_AUTH_FAILED"


def test_proxies_hold_their_own_state(node_url: RunningNode) -> None:
    """EIP-1167 (the pool) and EIP-1967 (the collateral): the code is elsewhere, the figures are here."""
    node = Rpc(node_url)
    block, at = node.block(), node_url.addresses
    assert node.code(block, at["metapool"]) == bytes.fromhex(
        f"363d3d373d3d3d363d73{at['metapool_implementation'][2:].lower()}5af43d82803e903d91602b57fd5bf3"
    )
    slot = int.from_bytes(keccak(b"eip1967.proxy.implementation"), "big") - 1
    assert node.storage(block, at["collateral"], slot)[12:].hex() == at["collateral_implementation"][2:].lower()
    supply, decimals = function("totalSupply()").encode([]), function("decimals()").encode([])
    found = node.calls(block, [(at["collateral"], supply), (at["collateral_implementation"], supply), (at["collateral"], decimals)])
    assert [int.from_bytes(each.data or b"", "big") for each in found] == [48 * 10**15, 0, 6]


def test_its_blocks_go_back_two_days_and_its_headers_further(node_url: RunningNode) -> None:
    """An hour each; the pool fills with FRAX; of older blocks there is the header alone."""
    node, pool = Rpc(node_url), node_url.addresses["metapool"]
    last, first = node.block(), node.block(node_url.oldest)
    assert (last.number - first.number, last.timestamp - first.timestamp) == (48, 48 * 3600)
    balance = function("balances(uint256)").encode([0])
    then, now = (int.from_bytes(node.calls(each, [(pool, balance)])[0].data or b"", "big") for each in (first, last))
    assert now - then == 48 * 5_000_000 * 10**18
    with pytest.raises(Exception, match="no longer has the state at block"):
        node.calls(node.block(node_url.oldest - 1), [(pool, balance)])


def test_an_evm_forks_it(node_url: RunningNode) -> None:
    """pyrevm reads the block's state from it and runs a call of its own; a fork leaves number and time to be set."""
    from pyrevm import EVM, BlockEnv

    block = Rpc(node_url).block()
    evm = EVM(fork_url=node_url.url, fork_block=block.hash)
    evm.set_block_env(BlockEnv(number=block.number, timestamp=block.timestamp))
    assert int.from_bytes(evm.message_call("0x" + "0" * 40, node_url.addresses["metapool"], function("A()").encode([])), "big") == 1500
