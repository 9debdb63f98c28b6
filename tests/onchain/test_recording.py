"""What a node answered, kept and given again: the same answers, no address of the node, nothing that was not asked."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from faulty import HASH, SECRET, WORD, Clock, FaultServer, Reply, each

from amo_opt.errors import AmoOptError
from amo_opt.onchain.recording import NotRecordedError, Recorder, Replay
from amo_opt.onchain.rpc import Answer, Block, Rpc

if TYPE_CHECKING:
    from conftest import RunningNode

VECTOR = Path(__file__).parents[1] / "vectors" / "rpc_frax_2022.json.gz"
POOL = "0xd632f22692FaC7611d2AA1C0D552930D43CAEd3B"
A, FEE = bytes.fromhex("f446c1d0"), bytes.fromhex("ddca3f43")


def everything(node: Any, blocks: list[int | str]) -> list[Any]:
    """One of each question, at every block."""
    found: list[Any] = [node.chain_id()]
    for which in blocks:
        block = node.block(which)
        found += [block, node.calls(block, [(POOL, A), (POOL, FEE), (POOL, b"\1\2\3\4")])]
        found += [node.code(block, POOL), node.storage(block, POOL, 5), node.balance(block, POOL)]
    return [*found, node.request("eth_gasPrice", []), node.request("net_version", [])]


def test_a_recording_gives_the_same_answers(node_url: RunningNode, tmp_path: Path) -> None:
    """Two blocks, a revert, every kind of question; plain and packed."""
    blocks: list[int | str] = ["latest", node_url.oldest]
    recorder = Recorder(Rpc(node_url))
    told = everything(recorder, blocks)
    assert Answer(None, "") in told[2]
    text = recorder.text("The tests' own doubles.")
    (plain := tmp_path / "recording.json").write_text(text, encoding="utf-8")
    (packed := tmp_path / "recording.json.gz").write_bytes(gzip.compress(text.encode()))
    for path in (plain, packed):
        replay = Replay(path)
        assert everything(replay, blocks) == told
        assert "The tests' own doubles." in replay.provenance
        assert replay.block(told[1].hash) == replay.block(node_url.latest) == told[1]


def test_a_recording_of_a_recording_is_the_same(node_url: RunningNode, tmp_path: Path) -> None:
    recorder = Recorder(Rpc(node_url))
    everything(recorder, ["latest"])
    (path := tmp_path / "recording.json").write_text(recorder.text(), encoding="utf-8")
    again = Recorder(Replay(path))
    everything(again, ["latest"])
    assert again.text() == recorder.text()


def test_no_address_of_the_node_is_in_it() -> None:
    clock = Clock()
    with FaultServer(lambda asked, _: Reply(each(asked, eth_gasPrice="0x1"))) as server:
        recorder = Recorder(Rpc(server.url, sleep=clock.sleep, clock=clock))
        block = recorder.block()
        recorder.calls(block, [(POOL, A)])
        recorder.code(block, POOL)
        recorder.request("eth_gasPrice", [])
        text = recorder.text()
        for hidden in (SECRET, "127.0.0.1", str(server.port), "http", "user", "apikey"):
            assert hidden not in text
    assert WORD in text


def test_the_recording_of_2022_is_read() -> None:
    """A block and 26 answers; every tag is that block."""
    replay = Replay(VECTOR)
    block = replay.block()
    assert (replay.chain_id(), block.number, block.timestamp) == (1, 32, 1652258448)
    assert replay.block("finalized") == replay.block(32) == block
    (found,) = replay.calls(block, [(POOL.lower(), A)])
    assert int.from_bytes(found.data or b"", "big") == 1500


UNASKED = {
    "another call": lambda replay, block: replay.calls(block, [(POOL, b"\1\2\3\4")]),
    "another contract": lambda replay, block: replay.calls(block, [("0x" + "11" * 20, A)]),
    "code": lambda replay, block: replay.code(block, POOL),
    "storage": lambda replay, block: replay.storage(block, POOL, 0),
    "a balance": lambda replay, block: replay.balance(block, POOL),
    "a method": lambda replay, block: replay.request("eth_gasPrice", []),
    "a block by number": lambda replay, block: replay.block(33),
    "a block by hash": lambda replay, block: replay.block("0x" + "22" * 32),
    "a call at another block": lambda replay, block: replay.calls(Block(33, HASH, 0), [(POOL, A)]),
}


@pytest.mark.parametrize("what", UNASKED)
def test_what_was_not_asked_is_refused(what: str) -> None:
    replay = Replay(VECTOR)
    with pytest.raises(NotRecordedError, match=r"the recording does not hold .*; record again with a node") as caught:
        UNASKED[what](replay, replay.block())
    assert str(caught.value).isprintable()


GOOD = {
    "chain_id": "0x1",
    "block": {"number": "0x20", "hash": HASH, "timestamp": "0x1"},
    "calls": [{"to": POOL, "data": "0xf446c1d0", "result": WORD}],
}
DAMAGED: dict[str, tuple[bytes, str]] = {
    "no file": (b"", "damaged one: Expecting value"),
    "no JSON": (b"{", "is no recording, or a damaged one"),
    "no object": (b"[]", "no object of JSON"),
    "no UTF-8": (b"\xff\xfe", "is no recording, or a damaged one"),
    "nested too deeply": (b"[" * 100_000, "is no recording, or a damaged one"),
    "gzip cut short": (VECTOR.read_bytes()[:-20], "cut short"),
    "gzip changed": (VECTOR.read_bytes()[:300] + b"\0\0\0\0" + VECTOR.read_bytes()[304:], "is no recording, or a damaged one"),
    "nothing in it": (b"{}", "is no recording: KeyError at 'chain_id'"),
    "no block": (json.dumps({**GOOD, "block": {}}).encode(), "is no recording: KeyError at 'number'"),
    "calls of no block": (json.dumps({"chain_id": "0x1", "calls": GOOD["calls"]}).encode(), "is no recording: IndexError"),
    "a chain of words": (json.dumps({**GOOD, "chain_id": "main"}).encode(), "is no number: text"),
    "a hash too short": (json.dumps({**GOOD, "block": {"number": "0x1", "hash": "0xab", "timestamp": "0x1"}}).encode(), "wanted 32"),
    "calls as text": (json.dumps({**GOOD, "calls": "all"}).encode(), "is no recording: TypeError"),
    "an answer that is none": (json.dumps({**GOOD, "calls": [{"to": POOL, "data": "0x", "result": 5}]}).encode(), "no bytes: int"),
    "an answer missing": (json.dumps({**GOOD, "calls": [{"to": POOL, "data": "0x"}]}).encode(), "KeyError at 'result'"),
    "another digest": (json.dumps({**GOOD, "sha256": "00"}).encode(), "changed after it was made"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_refused(damage: str, tmp_path: Path) -> None:
    """One sentence that names the file."""
    raw, wanted = DAMAGED[damage]
    (path := tmp_path / "re\ncording.json").write_bytes(raw)
    with pytest.raises(AmoOptError, match=wanted) as caught:
        Replay(path)
    assert str(caught.value).isprintable()
    assert "re\\ncording.json: " in str(caught.value)


def test_a_recording_that_was_changed_is_refused(tmp_path: Path) -> None:
    """One digit of one answer."""
    recorder = Recorder(Replay(VECTOR))
    recorder.calls(recorder.block(), [(POOL, A)])
    text = recorder.text()
    assert Replay(_written(tmp_path, text)).chain_id() == 1
    with pytest.raises(AmoOptError, match="the recording was changed after it was made"):
        Replay(_written(tmp_path, text.replace("5dc", "5dd")))


def test_no_file_and_a_large_one_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from amo_opt.onchain import recording

    with pytest.raises(AmoOptError, match="No such file"):
        Replay(tmp_path / "nowhere.json")
    monkeypatch.setattr(recording, "LARGEST", 2000)
    with pytest.raises(AmoOptError, match="too large once unpacked"):
        Replay(VECTOR)
    with pytest.raises(AmoOptError, match=r"too large: .* bytes"):
        Replay(_written(tmp_path, " " * 3000))


def _written(folder: Path, text: str) -> Path:
    path = folder / "recording.json"
    path.write_text(text, encoding="utf-8")
    return path
