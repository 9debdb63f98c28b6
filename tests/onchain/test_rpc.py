"""A node as it may be: busy for a while, small batches, no EIP-1898, reverts told in several forms; its answers are read all the same."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
from faulty import (
    BLOCK,
    FIVE,
    HASH,
    POOL,
    RIGHT,
    SECRET,
    WORD,
    A,
    Clock,
    FaultServer,
    Reply,
    block,
    calls,
    each,
    error,
    reset,
    results,
    right,
)

from amo_opt.onchain import connection
from amo_opt.onchain.rpc import Answer, NodeError, Rpc

if TYPE_CHECKING:
    from collections.abc import Callable


def outlasted(fault: Callable[[Any, int], Reply], ask: Callable[[Rpc], Any], **options: Any) -> tuple[Any, FaultServer, Clock]:
    clock = Clock()
    with FaultServer(fault) as server:
        return ask(Rpc(server.url, sleep=clock.sleep, clock=clock, **options)), server, clock


def at_first(reply: Callable[[Any], Reply], times: int) -> Callable[[Any, int], Reply]:
    """A fault that passes after so many requests."""
    return lambda asked, number: reply(asked) if number <= times else Reply(each(asked))


PASSING: dict[str, Callable[[Any], Reply]] = {
    "429": lambda _: Reply({}, 429),
    "503": lambda _: Reply(b"<html>", 503),
    "a cut answer": lambda asked: Reply(each(asked), length=9999),
    "a reset": lambda _: Reply(raw=reset),
    "an empty body": lambda _: Reply(b""),
    "a rate limit in the answer": lambda asked: Reply(each(asked, **dict.fromkeys(RIGHT, error("rate limit exceeded", -32005)))),
}


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_is_outlasted(fault: str) -> None:
    """Asked again after pauses that double, three times at most."""
    found, server, clock = outlasted(at_first(PASSING[fault], 3), calls)
    assert found == [Answer(bytes.fromhex(WORD[2:]), None)] * 5
    assert len(server.asked) == 4
    assert clock.slept == [0.5, 1.0, 2.0]


def test_a_wait_that_the_node_asks_for_is_kept() -> None:
    found, _, clock = outlasted(at_first(lambda _: Reply({}, 429, {"Retry-After": "7"}), 1), block)
    assert (found, clock.slept) == (BLOCK, [7.0])


def test_some_answers_of_a_batch_alone_are_asked_again() -> None:
    def half(asked: Any, number: int) -> Reply:
        busy = {"eth_call": error("Your app has exceeded its compute units per second capacity", 429)}
        return Reply([right(one, **(busy if number == 1 and at % 2 else {})) for at, one in enumerate(asked)])

    found, server, _ = outlasted(half, calls)
    assert found == [Answer(bytes.fromhex(WORD[2:]), None)] * 5
    assert [len(asked) for asked in server.asked] == [6, 3]


def test_answers_that_come_by_and_by_are_waited_for() -> None:
    """A node that answers one question of a batch at a time makes progress: it is not given up after four tries."""

    def slow(asked: Any, _: int) -> Reply:
        asked = asked if isinstance(asked, list) else [asked]
        busy = dict.fromkeys(RIGHT, error("too many requests", 429))
        found = [right(one, **({} if at == 0 else busy)) for at, one in enumerate(asked)]
        return Reply(found if len(asked) > 1 else found[0])

    found, server, clock = outlasted(slow, calls)
    assert found == [Answer(bytes.fromhex(WORD[2:]), None)] * 5
    assert (len(server.asked), clock.slept) == (6, [0.5] * 5)


REFUSALS: dict[str, Callable[[Any], Reply]] = {
    "one error for all": lambda _: Reply({"jsonrpc": "2.0", "id": None, **error("batch requests are not supported", -32600)}),
    "a list of one error": lambda asked: Reply([{"jsonrpc": "2.0", "id": asked[0]["id"], **error("batch too large", -32600)}]),
    "413": lambda _: Reply(b"", 413),
    "400": lambda _: Reply(b"bad request", 400),
    "400 with an error": lambda _: Reply({"jsonrpc": "2.0", "id": None, **error("too many", -32600)}, 400),
    "too large an answer": lambda _: Reply(b" " * 30_000),
}


@pytest.mark.parametrize("most", [1, 3, 4])
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_batch_that_is_refused_is_split(refusal: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Halved until the node takes it; it is remembered how many it took, and a question by itself is sent as no list."""
    monkeypatch.setattr(connection, "LARGEST", 20_000)
    sent = [(POOL, A + bytes([each])) for each in range(20)]

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        return right(asked, eth_call=asked["params"][0]["data"] if asked["method"] == "eth_call" else None)

    def answered(asked: Any, _: int) -> Reply:
        if isinstance(asked, list) and len(asked) > most:
            return REFUSALS[refusal](asked)
        return Reply([answer(one) for one in asked][::-1] if isinstance(asked, list) else answer(asked))

    clock = Clock()
    with FaultServer(answered) as server:
        node = Rpc(server.url, sleep=clock.sleep, clock=clock)
        assert [found.data for found in node.calls(BLOCK, sent)] == [data for _, data in sent]
        before = len(server.asked)
        assert [found.data for found in node.calls(BLOCK, sent)] == [data for _, data in sent]
        again = server.asked[before:]
    assert max(len(asked) if isinstance(asked, list) else 1 for asked in again) == {1: 1, 3: 2, 4: 2}[most]
    assert clock.slept == []


def test_a_node_without_eip_1898_is_asked_by_number() -> None:
    """Once found out it is remembered, and the number's hash is looked at with every batch."""

    def old(asked: Any, _: int) -> Reply:
        refused = error("invalid argument 1: json: cannot unmarshal object into Go value of type string", -32602)
        asks_by_hash = any(isinstance(value, dict) and "blockHash" in value for one in asked for value in one["params"])
        return Reply(each(asked, **({"eth_call": refused, "eth_getBalance": refused} if asks_by_hash else {})))

    def twice(node: Rpc) -> Any:
        return node.calls(BLOCK, FIVE), node.calls(BLOCK, FIVE)

    found, server, _ = outlasted(old, twice)
    assert found == ([Answer(bytes.fromhex(WORD[2:]), None)] * 5,) * 2
    methods = [[one["method"] for one in asked] for asked in server.asked]
    probe, asked, check = ["eth_getBalance"], ["eth_call"] * 5, ["eth_getBlockByNumber"]
    assert methods == [probe + asked, probe + asked + check, asked + check]
    assert server.asked[2][0]["params"][1] == "0x20"


def test_a_node_that_lags_is_waited_for() -> None:
    def lagging(asked: Any) -> Reply:
        return Reply(each(asked, **dict.fromkeys(("eth_call", "eth_getBalance"), error("header for hash not found"))))

    found, _, clock = outlasted(at_first(lagging, 2), calls)
    assert found == [Answer(bytes.fromhex(WORD[2:]), None)] * 5
    assert clock.slept == [0.5, 1.0]


def test_state_is_asked_for_by_the_block_s_hash() -> None:
    _, server, _ = outlasted(results(), calls)
    assert [one["params"][1] for one in server.asked[0]] == [{"blockHash": HASH, "requireCanonical": True}] * 6


def test_a_packed_answer_is_read() -> None:
    packed = lambda asked, _: Reply(gzip.compress(json.dumps(each(asked)).encode()), 200, {"Content-Encoding": "gzip"})  # noqa: E731
    assert outlasted(packed, block)[0] == BLOCK


def test_user_and_password_go_as_a_header_and_not_in_the_path() -> None:
    _, server, _ = outlasted(results(), block)
    sent = server.headers[0]
    assert base64.b64decode(sent["Authorization"].removeprefix("Basic ")).decode() == f"user:{SECRET}"
    assert sent["Host"] == f"127.0.0.1:{server.port}"
    assert sent["User-Agent"].startswith("amo-opt/")


def test_a_node_that_does_not_know_eth_syncing_is_no_fault() -> None:
    assert outlasted(results(eth_syncing=error("the method eth_syncing does not exist", -32601)), block)[0] == BLOCK


TOLD = f"0x08c379a0{32:064x}{14:064x}{b'Not owner, sir'.hex():0<64}"
COMMAND = b"a::b\x1b[31m".hex()
REVERTS = {
    "with a reason": (error("execution reverted: Not owner, sir", 3, data=TOLD), "Not owner, sir"),
    "with a reason in words alone": (error("execution reverted: Not owner, sir"), "Not owner, sir"),
    "without a reason": (error("execution reverted", 3, data="0x"), ""),
    "without a reason or data": (error("execution reverted"), ""),
    "with a panic": (error("execution reverted", 3, data=f"0x4e487b71{0x11:064x}"), "Panic(0x11)"),
    "with an error of its own": (error("execution reverted", 3, data="0x82b42900"), "error 0x82b42900"),
    "in OpenEthereum's form": (error("VM execution error.", -32015, data=f"Reverted {TOLD}"), "Not owner, sir"),
    "in Ganache's form": (error("VM Exception while processing transaction: revert", -32000, data={"result": TOLD}), "Not owner, sir"),
    "by an invalid opcode": (error("invalid opcode: INVALID"), "invalid opcode: INVALID"),
    "with a reason that is no text": (error("execution reverted", 3, data=f"0x08c379a0{32:064x}{2:064x}{'fffe':0<64}"), "��"),
    "with a reason cut short": (error("execution reverted", 3, data="0x08c379a0" + "00" * 10), "error 0x08c379a0"),
    "with a place far beyond": (error("execution reverted", 3, data="0x08c379a0" + "ff" * 64), ""),
    "with a line that is a command": (
        error("execution reverted", 3, data=f"0x08c379a0{32:064x}{9:064x}{COMMAND:0<64}"),
        "a::b\\x1b[31m",
    ),
}


@pytest.mark.parametrize("revert", REVERTS)
def test_a_revert_is_an_answer_with_its_reason(revert: str) -> None:
    failure, reason = REVERTS[revert]
    found, _, _ = outlasted(results(eth_call=failure), calls)
    assert found == [Answer(None, reason)] * 5


def test_what_a_node_refuses_has_its_code() -> None:
    with FaultServer(results(eth_chainId=error("no", -32601, data="0x01"))) as server, pytest.raises(NodeError) as caught:
        Rpc(server.url).request("eth_chainId", [])
    assert (caught.value.code, caught.value.data) == (-32601, "0x01")


def test_an_address_is_in_no_word_of_the_node() -> None:
    node = Rpc(f"https://user:{SECRET}@{SECRET}.example/v2/{SECRET}")
    assert SECRET not in repr(node) + str(node)
