"""Whatever a node does wrong ends in one sentence, in time, and no word of it holds the node's address or key; what passes is outlasted."""

from __future__ import annotations

import gzip
import json
import re
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from faulty import (
    HEADER,
    SECRET,
    Clock,
    FaultServer,
    Reply,
    block,
    calls,
    chain,
    drip,
    each,
    error,
    hang_up,
    reset,
    results,
    shout,
    silence,
    storage,
)

from amo_opt.errors import AmoOptError
from amo_opt.onchain import connection
from amo_opt.onchain.rpc import Rpc, node_of

if TYPE_CHECKING:
    from collections.abc import Callable


def body(change: Callable[[Any], Any]) -> Callable[[Any, int], Reply]:
    """A fault that changes the right answers."""
    return lambda asked, _: Reply(change(each(asked)))


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
        assert time.monotonic() - began < 8  # the longest has 4 s; the rest is for a busy machine
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


STATE = Path(__file__).parents[2] / "studies" / "states" / "frax-2022-05-11.toml"
AT_THE_COMMAND_LINE = (
    "429 for ever",
    "wrong chain",
    "a web page",
    "redirect elsewhere",
    "nested too deeply",
    "error with the key",
    "null for a block",
)


@pytest.mark.parametrize("fault", AT_THE_COMMAND_LINE)
def test_a_fault_is_one_line_and_status_2_at_the_command_line(
    fault: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """`amo-opt state`: nothing on standard output, nothing written, the key nowhere; the node is named by an option or the environment."""
    from amo_opt.cli.main import main

    behave, _, wanted = FAULTS[fault]
    (state := tmp_path / "state.toml").write_bytes(STATE.read_bytes())
    record = tmp_path / "answers.json"
    monkeypatch.setitem(Rpc.__init__.__kwdefaults__, "sleep", lambda _: None)
    with FaultServer(behave) as server:
        named = ["--rpc", server.url] if fault != "wrong chain" else []
        monkeypatch.setenv("AMO_OPT_RPC", server.url)
        monkeypatch.setattr("sys.argv", ["amo-opt", "state", str(state), *named, "--write", "--record", str(record)])
        with pytest.raises(SystemExit) as stop:
            main()
    told = capsys.readouterr()
    assert (stop.value.code, told.out) == (2, "")
    assert told.err.startswith("amo-opt: ")
    assert told.err.count("\n") == 1
    assert re.search(wanted, told.err), told.err
    assert SECRET not in told.err
    assert state.read_bytes() == STATE.read_bytes()
    assert not record.exists()
