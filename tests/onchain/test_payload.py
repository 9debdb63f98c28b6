"""Payloads in every form they are posted in: what is written is what is read, and what is damaged is told in one sentence."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amo_opt.errors import AmoOptError
from amo_opt.onchain.abi import Function, types_of
from amo_opt.onchain.dao_vote import AGENTS, actions, evmscript, read_actions, read_evmscript
from amo_opt.onchain.governor import PROPOSE, propose, read_propose
from amo_opt.onchain.payload import read_payload
from amo_opt.onchain.safe_batch import document, file_text
from amo_opt.onchain.signatures import FUNCTIONS
from amo_opt.onchain.transaction import called, sent
from amo_opt.protocol.addresses import checksummed

pytest.importorskip("eth_abi", reason="pip install 'amo-opt[onchain]'")
pytest.importorskip("eth_hash", reason="pip install 'amo-opt[onchain]'")

AGENT = AGENTS["CURVE_DAO_PARAM"]
PROXY, POOL = "0x8CF8Af108B3B46DDC6AD596aebb917E053F0D72b", "0xd632f22692FaC7611d2AA1C0D552930D43CAEd3B"
RAMP = f'("{PROXY}", "ramp_A", "{POOL}", 2210, 1653264000)'
BATCH = (Path(__file__).parents[1] / "vectors" / "safe_batch.json").read_text(encoding="utf-8")

ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda raw: checksummed("0x" + raw.hex()))
ELEMENTS = {
    "uint256": st.integers(0, 2**256 - 1),
    "uint8": st.integers(0, 255),
    "int256": st.integers(-(2**255), 2**255 - 1),
    "bool": st.booleans(),
    "address": ADDRESSES.map(str.lower),
    "bytes": st.binary(max_size=40),
    "bytes4": st.binary(min_size=4, max_size=4),
    "string": st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
}
KINDS = st.recursive(
    st.sampled_from(sorted(ELEMENTS)),
    lambda inner: (
        inner.map(lambda kind: f"{kind}[]")
        | inner.map(lambda kind: f"{kind}[2]")
        | st.lists(inner, min_size=1, max_size=3).map(lambda kinds: f"({','.join(kinds)})")
    ),
    max_leaves=4,
)


def _value(kind: str):
    if kind.endswith("[]"):
        return st.lists(_value(kind[:-2]), max_size=3)
    if kind.endswith("[2]"):
        return st.lists(_value(kind[:-3]), min_size=2, max_size=2)
    return st.tuples(*map(_value, types_of(kind[1:-1]))) if kind.endswith(")") else ELEMENTS[kind]


@st.composite
def _calls(draw, value=None, sender=None):
    """A call of a known function, or of any other; without ``value`` it carries no ether."""
    if draw(st.booleans()):
        function = draw(st.sampled_from(FUNCTIONS))
    else:
        kinds = draw(st.lists(KINDS, max_size=3))
        name = draw(st.from_regex("[a-z_][a-zA-Z0-9_]{0,8}", fullmatch=True).filter(str.isascii))
        function = Function(name, tuple(kinds), (), tuple(f"arg{place}" for place in range(len(kinds))))
    return called(
        draw(ADDRESSES),
        function,
        [draw(_value(kind)) for kind in function.inputs],
        value=0 if value is None else draw(value),
        sender=sender,
    )


def _plain(transactions):
    """What a payload is: whom it calls with what bytes, and how much ether."""
    return [(each.to, each.data, each.value) for each in transactions]


def _shown(transactions):
    return [(each.function.signature, each.arguments) for each in transactions]


WEI = st.integers(0, 10**20)


@given(st.lists(_calls(value=WEI), min_size=1, max_size=4))
@settings(max_examples=80, deadline=None)
def test_a_safe_batch_is_read_as_it_was_written(transactions):
    """Calldata, ether, and the decoded call with its names."""
    written = document(transactions, chain_id=10, created_at=0, name="n", description="d", safe=AGENT)
    found = read_payload(file_text(written))
    assert (found.form, found.chain_id, found.intact) == ("Safe batch", 10, True)
    assert _plain(found.transactions) == _plain(transactions)
    assert _shown(found.transactions) == _shown(transactions)
    assert [each.function.names for each in found.transactions] == [each.function.names for each in transactions]
    assert {each.sender for each in found.transactions} == {AGENT}


@given(st.lists(_calls(sender=AGENT), min_size=1, max_size=4))
@settings(max_examples=80, deadline=None)
def test_a_list_of_actions_is_read_as_it_was_written(transactions):
    """Names where they tell the types, signatures elsewhere; the target's agent sends them."""
    found = read_payload(actions(transactions))
    assert (found.form, found.chain_id) == ("list of actions", 1)
    assert _plain(found.transactions) == _plain(transactions)
    assert _shown(found.transactions) == _shown(transactions)
    assert {each.sender for each in found.transactions} == {AGENT}


@given(st.lists(_calls(value=WEI, sender=AGENT), min_size=1, max_size=4))
@settings(max_examples=80, deadline=None)
def test_a_script_of_a_vote_is_read_as_it_was_written(transactions):
    """Every call through the agent, its ether with it."""
    found = read_payload(evmscript(transactions, AGENT))
    assert (found.form, found.chain_id) == ("script of a vote", None)
    assert _plain(found.transactions) == _plain(transactions)
    assert {each.sender for each in found.transactions} == {AGENT}


@given(st.lists(_calls(value=WEI), min_size=1, max_size=4), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
@settings(max_examples=80, deadline=None)
def test_a_governors_proposal_is_read_as_it_was_written(transactions, description):
    """Targets, values, calldatas and the description."""
    written = propose(transactions, description)
    assert read_propose(bytes.fromhex(written[2:]))[1] == description
    found = read_payload(written)
    assert found.form == "proposal to a governor"
    assert _plain(found.transactions) == _plain(transactions)


@given(st.lists(_calls(value=WEI), min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_plain_calls_are_read(transactions):
    """A list of objects of to, value and data; what is known is decoded."""
    listed = [{"to": each.to, "value": str(each.value), "data": "0x" + each.data.hex()} for each in transactions]
    found = read_payload(json.dumps(listed))
    assert found.form == "list of calls"
    assert _plain(found.transactions) == _plain(transactions)
    for each, written in zip(found.transactions, transactions, strict=True):
        assert written.function not in FUNCTIONS or (each.function, each.arguments) == (written.function, written.arguments)


def test_the_script_of_a_real_vote_has_that_form():
    """The bytes by hand: what begins it, the agent, the length of its call, and execute of the owner proxy's ramp_A (as in parameter vote 21 of Curve's DAO)."""
    (ramp,) = read_actions(f"TARGET = CURVE_DAO_PARAM\nACTIONS = [{RAMP}]")
    script = evmscript([ramp], AGENT)
    words = [PROXY[2:].lower().rjust(64, "0"), "0".rjust(64, "0"), f"{0x60:064x}", f"{100:064x}", ramp.data.hex().ljust(256, "0")]
    assert script == "0x00000001" + AGENT[2:].lower() + f"{4 + 3 * 32 + 32 + 128:08x}" + "b61d27f6" + "".join(words)
    assert ramp.data[:4].hex() == "9d4a4380"
    assert read_evmscript(bytes.fromhex(script[2:])) == (ramp,)


def test_actions_as_they_are_posted():
    """With comments, without a target, as a list alone, with a signature for a name, in tuples of tuples."""
    posted = f'# gov.curve.fi\nTARGET = CURVE_DAO_PARAM  # agent\nDESCRIPTION = "x"\nACTIONS = [\n    # the ramp\n    {RAMP},\n]\n'
    assert read_payload(posted).transactions[0].sender == AGENT
    (alone,) = read_payload(f"[{RAMP}]").transactions
    assert (alone.sender, read_payload(f"[{RAMP}]").chain_id) == (None, None)
    assert alone.text == f"{PROXY}.ramp_A(_pool = {POOL.lower()}, _future_A = 2210, _future_time = 1653264000)"
    (signed,) = read_actions(f'ACTIONS = (("{PROXY}", "add_gauge(address,int128,uint256)", "{POOL}", 0, 0),)')
    assert signed.function.signature == "add_gauge(address,int128,uint256)"


def test_what_a_list_of_actions_cannot_say_is_refused():
    """Ether, and a call whose function is not known."""
    for each in (sent(PROXY, b"", value=1), sent(PROXY, b"\1\2\3\4")):
        with pytest.raises(AmoOptError, match="which a list of actions cannot say; give the script of the vote"):
            actions([each])


def test_notes_tell_what_must_be_known():
    """A checksum that is wrong or missing, an address of nobody, a call that no agent makes."""
    wrong = json.loads(BATCH)
    assert (
        read_payload(json.dumps({**wrong, "chainId": "5"})).notes[0]
        == "Its checksum is not its content's: it was changed after it was made."
    )
    assert read_payload(json.dumps({**wrong, "meta": {}})).notes[0] == "It carries no checksum."
    assert read_payload(json.dumps([{"to": "0x" + "00" * 20}])).notes == ("Nobody is behind the address of call 1.",)
    direct = "0x00000001" + POOL[2:] + "00000004" + "551a6588"
    assert read_payload(direct).notes == ("Call 1 is made by the voting contract itself, not by its agent.",)


GOOD = evmscript([called(PROXY, FUNCTIONS[0], (2, 3))], AGENT)
PROPOSED = propose([called(PROXY, FUNCTIONS[0], (2, 3))], "d")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0x", "they begin with 0x; allowed"),
        ("0x1", "an even number of hexadecimal digits"),
        ("0xzz", "an even number of hexadecimal digits"),
        ("0xdeadbeef", "bytes that are no payload: they begin with 0xdeadbeef"),
        ("0x00000001", "a script of a vote without a call"),
        (GOOD[:-2], "call 1 of the script is cut"),
        (GOOD + "00", "call 2 of the script is cut"),
        (PROPOSED[:-2], PROPOSE.name),
        (PROPOSED + "00" * 32, "holds more or other bytes"),
        ("{", "JSON that cannot be read"),
        ("{}", "an object that holds a list 'transactions'"),
        ("[" * 100_000, "nested too deep"),
        ("[]", "nothing is called ACTIONS"),
        ("ACTIONS = []", "nothing is called ACTIONS"),
        ("ACTIONS = [1]", "ACTIONS[0]: no action"),
        ('ACTIONS = [("0x1", "stop_ramp_A")]', "ACTIONS[0]: no address"),
        (f'ACTIONS = [("{PROXY}", "ramp_B", 1)]', "ACTIONS[0]: the types of ramp_B(…) are not known; write its signature"),
        (f'ACTIONS = [("{PROXY}", "f(uint256)", 1, 2)]', "takes 1 arguments; found 2"),
        (f'ACTIONS = [("{PROXY}", "f(uint", 1)]', "not a function's signature"),
        (f'ACTIONS = [("{PROXY}", "f(uint256)", -1)]', "is not of the types (uint256)"),
        (f'ACTIONS = [("{PROXY}", "f(uint257)", 1)]', "is not of the types (uint257)"),
        (f'ACTIONS = [("{PROXY}", "ramp_A", "{POOL}", 10 ** 3, 1)]', "it must hold literals alone"),
        ('ACTIONS = [__import__("os").system("true")]', "it must hold literals alone"),
        ("ACTIONS = [(", "it must hold literals alone"),
        ('[{"to": "0x00", "data": "0x"}]', "calls[0].to: no address"),
        (f'[{{"to": "{POOL}", "gas": 1}}]', "calls[0]: no call; found 'gas'"),
        (f'[{{"to": "{POOL}", "value": -1}}]', "calls[0].value: out of range"),
        (f'[{{"to": "{POOL}", "data": 7}}]', "calls[0].data: no bytes"),
    ],
    ids=range(28),
)
def test_a_damaged_payload_is_told_in_one_sentence(text, words):
    """Whatever form it seems to have."""
    with pytest.raises(AmoOptError, match=re.escape(words)) as told:
        read_payload(text)
    assert "\n" not in str(told.value)


def test_files_are_read_and_what_is_none_is_told(tmp_path):
    """By path, with the mark of UTF-8 at its head or none; a folder, bytes of no text and a missing file are each one sentence."""
    file = tmp_path / "batch.json"
    file.write_text("\ufeff" + BATCH, encoding="utf-8")
    assert read_payload(file) == read_payload(str(file)) == read_payload(BATCH)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    for name, words in (("bytes", "no text in UTF-8"), ("absent", "cannot be read"), (".", "cannot be read")):
        with pytest.raises(AmoOptError, match=words):
            read_payload(tmp_path / name)


@given(st.text(max_size=60) | st.sampled_from([GOOD, PROPOSED, BATCH, f"ACTIONS = [{RAMP}]"]), st.data())
@settings(max_examples=150, deadline=None)
def test_any_text_is_a_payload_or_one_error(text, data):
    """Characters taken out of real ones, and any others; nothing but the one error."""
    place = data.draw(st.integers(0, max(len(text) - 1, 0)))
    cut = "[" + text if data.draw(st.booleans()) else text[:place] + text[place + 1 :]
    try:
        assert read_payload(cut + "\n").transactions
    except AmoOptError:
        return
