"""Whatever a node does wrong ends in one sentence, in time, and no word of it holds the node's address or key; what passes is outlasted."""

from __future__ import annotations

import gzip
import json
import re
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from faulty import HASH, HEADER, RIGHT, SECRET, WORD, Clock, FaultServer, Reply, drip, each, hang_up, reset, right, shout, silence

from amo_opt.errors import AmoOptError
from amo_opt.onchain import connection
from amo_opt.onchain.rpc import Answer, Block, NodeError, Rpc, expect_chain

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK = Block(32, HASH, 0x627B7690)
POOL = "0xd632f22692FaC7611d2AA1C0D552930D43CAEd3B"
A = bytes.fromhex("f446c1d0")

FIVE = [(POOL, A)] * 5


def block(node: Rpc) -> Any:
    return node.block()


def chain(node: Rpc) -> Any:
    return expect_chain(node, 1)


def calls(node: Rpc) -> Any:
    return node.calls(BLOCK, FIVE)


def storage(node: Rpc) -> Any:
    return node.storage(BLOCK, POOL, 0)


def error(message: Any = "no", code: Any = -32000, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **more}}


def body(change: Callable[[Any], Any]) -> Callable[[Any, int], Reply]:
    """A fault that changes the right answers."""
    return lambda asked, _: Reply(change(each(asked)))


def results(**other: Any) -> Callable[[Any, int], Reply]:
    """A fault that gives other results or errors by method."""
    return lambda asked, _: Reply(each(asked, **other))


def plain(reply: Reply) -> Callable[[Any, int], Reply]:
    return lambda _asked, _: reply


def without_first(answers: Any) -> Any:
    return answers[1:] if isinstance(answers, list) else answers


def first_changed(**change: Any) -> Callable[[Any], Any]:
    def changed(answers: Any) -> Any:
        return [{**answers[0], **change}, *answers[1:]] if isinstance(answers, list) else {**answers, **change}

    return changed


def by_number_only(asked: Any, _: int) -> Any:
    """A node that takes no EIP-1898, on a chain whose block is another one now."""
    refused = error("invalid argument 1: json: cannot unmarshal object into Go value of type string", -32602)
    other = {"eth_getBalance": refused, "eth_call": refused} if isinstance(asked[0]["params"][-1], dict) else {}
    return Reply(each(asked, eth_getBlockByNumber={**HEADER, "hash": "0x" + "cd" * 32}, **other))


def looping(asked: Any, _: int) -> Reply:
    return Reply({}, 308, {"Location": f"/v2/{SECRET}"})


ELSEWHERE = {"Location": f"http://elsewhere.example/v2/{SECRET}"}
DEEP = b'{"jsonrpc":"2.0","id":0,"result":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
LARGE = {"jsonrpc": "2.0", "id": 0, "result": "0x" + "00" * 300_000}

FAULTS: dict[str, tuple[Callable[[Any, int], Reply], Callable[[Rpc], Any], str]] = {
    "429 for ever": (plain(Reply({}, 429)), chain, r"too busy.* 429\); 4 tries"),
    "429 with a wait beyond the deadline": (plain(Reply({}, 429, {"Retry-After": "3600"})), chain, r"to try again in 3600 s .* deadline"),
    "429 with a date beyond the deadline": (plain(Reply({}, 429, {"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"})), chain, r"deadline"),
    "503 for ever": (plain(Reply({}, 503)), block, r"status 503\); 4 tries"),
    "500 without a word": (plain(Reply(b"", 500)), block, r"status 500\); 4 tries"),
    "502 with a page": (plain(Reply(b"<html>bad gateway</html>", 502)), block, r"status 502\); 4 tries"),
    "401": (plain(Reply(f"key {SECRET} unknown".encode(), 401)), block, r"status 401\): it wants a key"),
    "403": (plain(Reply({}, 403)), block, r"status 403\): it wants another key"),
    "404": (plain(Reply(b"<html>not found</html>", 404)), block, r"status 404\): no node is at that address"),
    "418 to everything": (plain(Reply({}, 418)), calls, r"refused the question \(HTTP status 418\)"),
    "413 to everything": (plain(Reply({}, 413)), calls, r"refused the question \(HTTP status 413\)"),
    "answer cut short": (lambda asked, _: Reply(each(asked), length=5000), block, r"cut short; 4 tries"),
    "JSON cut short": (lambda asked, _: Reply(json.dumps(each(asked)).encode()[:-9]), block, r"no JSON, or cut short"),
    "no answer in time": (plain(Reply(raw=silence)), chain, r"did not answer within"),
    "a byte now and then": (plain(Reply(raw=drip)), chain, r"did not answer within"),
    "connection reset": (plain(Reply(raw=reset)), chain, r"cannot be reached: .*; 4 tries"),
    "hung up": (plain(Reply(raw=hang_up)), chain, r"cannot be reached: it hung up; 4 tries"),
    "another protocol": (plain(Reply(raw=shout)), chain, r"does not speak HTTP"),
    "empty body": (plain(Reply(b"")), chain, r"answer is empty; 4 tries"),
    "a web page": (plain(Reply(b"\n<!DOCTYPE html><title>Login</title>")), chain, r"answers with a web page"),
    "no UTF-8": (plain(Reply(b'{"jsonrpc":"2.0","id":0,"result":"\xff\xfe"}')), chain, r"is no UTF-8"),
    "nested too deeply": (plain(Reply(DEEP)), chain, r"nested too deeply"),
    "NaN": (plain(Reply(b'{"jsonrpc":"2.0","id":0,"result":NaN}')), chain, r"no JSON"),
    "a number of 9,000 digits": (plain(Reply(b'{"jsonrpc":"2.0","id":0,"result":' + b"9" * 9000 + b"}")), chain, r"no JSON"),
    "too large": (plain(Reply(LARGE)), chain, r"larger than"),
    "gzip that is none": (plain(Reply(b"not packed", 200, {"Content-Encoding": "gzip"})), chain, r"said to be packed by gzip and is not"),
    "gzip cut short": (
        lambda asked, _: Reply(gzip.compress(json.dumps(each(asked)).encode())[:-9], 200, {"Content-Encoding": "gzip"}),
        chain,
        r"cut short; 4 tries",
    ),
    "a gzip bomb": (
        plain(Reply(gzip.compress(b" " * 50_000_000), 200, {"Content-Encoding": "gzip"})),
        chain,
        r"larger than .* once unpacked",
    ),
    "packed otherwise": (plain(Reply(b"x", 200, {"Content-Encoding": "br"})), chain, r"packed in a way that was not asked for: br"),
    "redirect elsewhere": (plain(Reply(b"", 302, ELSEWHERE)), chain, r"redirects \(HTTP status 302\), which is not followed"),
    "redirect that keeps the method": (plain(Reply(b"", 307, ELSEWHERE)), chain, r"redirects \(HTTP status 307\)"),
    "redirect in a circle": (looping, chain, r"redirects \(HTTP status 308\)"),
    "wrong id": (body(first_changed(id=999_999)), chain, r"id is none of ours"),
    "id as text": (body(first_changed(id="0")), chain, r"id is none of ours"),
    "id true": (body(first_changed(id=True)), calls, r"id is none of ours"),
    "one id twice": (body(lambda answers: [answers[0], *answers]), calls, r"answered one question twice"),
    "an answer missing": (body(without_first), calls, r"left 1 of 6 questions without an answer"),
    "no answers": (body(lambda _: []), calls, r"is no object of JSON-RPC 2.0"),
    "JSON-RPC 1": (body(first_changed(jsonrpc="1.0")), chain, r"no object of JSON-RPC 2.0"),
    "a list for one": (body(lambda answer: [answer]), chain, r"no object of JSON-RPC 2.0"),
    "text for a batch": (body(lambda _: "ok"), calls, r"no list"),
    "texts in a batch": (body(lambda _: ["ok"] * 6), calls, r"no object of JSON-RPC 2.0"),
    "neither result nor error": (plain(Reply({"jsonrpc": "2.0", "id": 0})), chain, r"neither a result nor an error"),
    "wrong chain": (results(eth_chainId="0xa"), chain, r"of chain 10, and the addresses are of chain 1 "),
    "chain as a number": (results(eth_chainId=1), chain, r"eth_chainId is no number: int; wanted 0x"),
    "chain as words": (results(eth_chainId=f"the key {SECRET}"), chain, r"eth_chainId is no number: text"),
    "no such method": (results(eth_chainId=error("the method eth_chainId does not exist", -32601)), chain, r"error -32601: the method"),
    "error without a message": (results(eth_chainId={"error": {"code": -32000}}), chain, r"error -32000: no message"),
    "error as text": (results(eth_chainId={"error": "out of order"}), chain, r"error: out of order"),
    "error of 250,000 letters": (results(eth_chainId=error("long " * 50_000)), chain, r"error -32000: long .*…"),
    "error of several lines": (results(eth_chainId=error("a\n::error::b\x1b[31m")), chain, r"error -32000: a\\n"),
    "error with the key": (results(eth_chainId=error(f"key {SECRET} of user is over its quota")), chain, r"key … of … is over its quota"),
    "limit of the provider": (results(eth_chainId=error("daily request count exceeded", -32005)), chain, r"error -32005: daily"),
    "null for a block": (results(eth_getBlockByNumber=None), block, r"has no block latest"),
    "text for a block": (results(eth_getBlockByNumber="0x20"), block, r"not a block's header"),
    "a block without a hash": (results(eth_getBlockByNumber={**HEADER, "hash": None}), block, r"\(hash\) is no bytes: null"),
    "a block with a short hash": (results(eth_getBlockByNumber={**HEADER, "hash": "0xabcd"}), block, r"\(hash\) has 2 bytes; wanted 32"),
    "a block with a number for its time": (results(eth_getBlockByNumber={**HEADER, "timestamp": 1.5}), block, r"is no number: float"),
    "another block than asked": (results(), lambda node: node.block(31), r"asked for block 31 and answered with block 32"),
    "another block by hash": (results(), lambda node: node.block("0x" + "ef" * 32), r"asked for block 0xefef.* answered with block 32"),
    "a block below 0": (results(), lambda node: node.block(-1), r"0 or more; found -1"),
    "still syncing": (
        results(eth_syncing={"currentBlock": "0x10", "highestBlock": "0xff"}),
        block,
        r"still syncing, at block 16 of 255: its latest block is not the chain's",
    ),
    "pruned": (
        results(eth_getBalance=error("missing trie node 5ba1 (path )")),
        calls,
        r"no longer has the state at block 32; name an archive",
    ),
    "pruned, in other words": (results(eth_getBalance=error("historical state abc is not available")), calls, r"no longer has the state"),
    "block replaced": (results(eth_getBalance=error("hash is not currently canonical")), calls, r"no longer the chain's: it was replaced"),
    "block replaced, by number": (by_number_only, calls, r"no longer the chain's: it was replaced"),
    "block forgotten": (results(eth_getBalance=error("header not found")), calls, r"does not know block 32 .*, which it gave before"),
    "null for a call": (results(eth_call=None), calls, r"eth_call is no bytes: null"),
    "odd digits": (results(eth_call="0xabc"), calls, r"eth_call is no bytes: 0xabc; wanted 0x and pairs"),
    "no digits": (results(eth_call="0xzz"), calls, r"eth_call is no bytes: 0xzz"),
    "a number for a call": (results(eth_call=1500), calls, r"eth_call is no bytes: int"),
    "a call that the node refuses": (
        results(eth_call=error("method disabled", -32601)),
        calls,
        r"eth_call with error -32601: method disabled",
    ),
    "a short word": (results(eth_getStorageAt="0x05"), storage, r"eth_getStorageAt has 1 bytes; wanted 32"),
    "null for storage": (results(eth_getStorageAt=None), storage, r"eth_getStorageAt is no bytes: null"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_in_one_sentence(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, short, without the address or the key; told within the deadline."""
    behave, ask, wanted = FAULTS[fault]
    monkeypatch.setattr(connection, "LARGEST", 400_000 if fault != "nested too deeply" else 10**6)
    clock = Clock()
    with FaultServer(behave) as server:
        slow = fault in {"no answer in time", "a byte now and then"}
        node = Rpc(server.url, deadline=10.0 if not slow else 4.0, sleep=clock.sleep, clock=clock)
        began = time.monotonic()
        with pytest.raises(AmoOptError) as caught:
            ask(node)
        assert time.monotonic() - began < 5
    said = str(caught.value)
    assert len(said) < 400
    assert said.isprintable()
    for hidden in (SECRET, SECRET.lower(), "127.0.0.1", str(server.port), "elsewhere.example", "user"):
        assert hidden not in said
        assert hidden not in repr(caught.value.__cause__)
    assert sum(clock.slept) < 10
    assert re.search(wanted, said), said


def test_there_are_faults_enough() -> None:
    assert len(FAULTS) >= 60


REFUSED = {
    "": "no node is named",
    "ftp://example.org": "no http:// or https:// address",
    "file:///etc/passwd": "no http:// or https:// address",
    "example.org:8545": "no http:// or https:// address",
    "http://": "no http:// or https:// address",
    "http://[::1": "no http:// or https:// address",
    "http://example.org:99999/": "no http:// or https:// address",
    "http://exa mple.org/": "no http:// or https:// address",
    "http://exämple.org/": "no http:// or https:// address",
    "http://example.org/\r\nX-Injected: 1": "no http:// or https:// address",
}


@pytest.mark.parametrize("url", REFUSED)
def test_an_address_that_is_none_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from amo_opt.onchain.rpc import node_of

    monkeypatch.delenv("AMO_OPT_RPC", raising=False)
    with pytest.raises(AmoOptError, match=REFUSED[url]) as caught:
        node_of(url)
    assert "example" not in str(caught.value)
    assert str(caught.value).isprintable()


def _refused(url: str, wanted: str) -> None:
    clock = Clock()
    with pytest.raises(AmoOptError, match=wanted) as caught:
        Rpc(url, sleep=clock.sleep, clock=clock).chain_id()
    assert SECRET not in str(caught.value)
    assert str(caught.value).isprintable()


def test_nobody_at_the_address() -> None:
    with socket.socket() as taken:  # bound and not listening
        taken.bind(("127.0.0.1", 0))
        _refused(f"http://127.0.0.1:{taken.getsockname()[1]}/{SECRET}", r"cannot be reached: Connection refused; 4 tries")


def test_a_name_that_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    _refused(f"https://{SECRET}.example/", r"cannot be reached: Name or service not known; 4 tries")


def test_http_where_https_was_meant() -> None:
    with FaultServer(results()) as server:
        _refused(f"https://127.0.0.1:{server.port}/{SECRET}", r"no secure connection to the node: .*https://")


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked goes to the node itself; where that fails, the sentence says so."""
    with FaultServer(results()) as proxy, FaultServer(results()) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert Rpc(server.url).chain_id() == 1
        assert (len(proxy.asked), len(server.asked)) == (0, 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        _refused(f"http://127.0.0.1:{taken.getsockname()[1]}", r"Connection refused; a proxy of the environment is not used; 4 tries")


# -- what passes, and what a node may be without --


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


def batch_limit(most: int, refusal: Callable[[Any], Reply]) -> Callable[[Any, int], Reply]:
    return lambda asked, _: refusal(asked) if isinstance(asked, list) and len(asked) > most else Reply(each(asked))


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
    assert all((len(asked) if isinstance(asked, list) else 1) <= most for asked in again)
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
    import base64

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
