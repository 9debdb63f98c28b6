"""The Transaction Builder's file: its checksum, its form, and the bytes the contracts are sent."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amo_opt.errors import AmoOptError
from amo_opt.onchain.safe_batch import checksum, document, file_text, read, serialised, transactions
from amo_opt.onchain.signatures import COLLATERAL_CAP, MINT_CAP, RAMP, SETTERS, Setter
from amo_opt.onchain.transaction import called

eth_abi = pytest.importorskip("eth_abi", reason="pip install 'amo-opt[onchain]'")
pytest.importorskip("eth_hash", reason="pip install 'amo-opt[onchain]'")

VECTORS = Path(__file__).parents[1] / "vectors"
BATCH = json.loads((VECTORS / "safe_batch.json").read_text(encoding="utf-8"))
SERIALISED = json.loads((VECTORS / "safe_serialised.json").read_text(encoding="utf-8"))
WORDS = st.integers(0, 2**256 - 1)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


ODD_TEXT = st.text(st.characters() | st.characters(categories=["Cs"]), max_size=6)
ODD_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | ODD_TEXT | st.binary(max_size=2) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD_TEXT | st.integers(), inner, max_size=3) | st.tuples(inner),
    max_leaves=8,
)


def _call(setter: Setter, *values: int, to: str = "0x" + "11" * 20):
    return called(to, setter.function, values)


def test_the_builders_own_checksum():
    """The check vector, whether or not the batch carries its checksum already; the name does not count, everything else does."""
    assert checksum(BATCH) == BATCH["meta"]["checksum"]
    bare = {**BATCH, "meta": {key: value for key, value in BATCH["meta"].items() if key != "checksum"}}
    assert checksum(bare) == checksum({**bare, "meta": {**bare["meta"], "name": "another"}}) == BATCH["meta"]["checksum"]
    for changed in ({"createdAt": 1795219200001}, {"chainId": "10"}, {"transactions": BATCH["transactions"][:1]}):
        assert checksum({**BATCH, **changed}) != BATCH["meta"]["checksum"]


def test_the_whole_check_vector_comes_out_of_its_two_calls():
    """From the calls to the file: every key and value of the vector."""
    calls = [_call(RAMP, 1200, 1798761600), _call(MINT_CAP, 7 * 10**24, to="0x" + "22" * 20)]
    meta = BATCH["meta"]
    made = document(
        calls,
        chain_id=1,
        created_at=1795219200000,
        name=meta["name"],
        description=meta["description"],
        safe=meta["createdFromSafeAddress"],
    )
    assert made == BATCH
    assert list(json.loads(file_text(made))) == list(BATCH)


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        ({}, "an object that holds another, 'meta'"),
        (None, "an object that holds another, 'meta'"),
        ([BATCH], "an object that holds another, 'meta'"),
        ({**BATCH, "meta": None}, "an object that holds another, 'meta'"),
        ({**BATCH, "createdAt": 10**400}, "beyond a double"),
        ({**BATCH, 7: None}, "a key of a batch is text; found int"),
        ({**BATCH, "meta": {b"name": None}}, "a key of a batch is text; found bytes"),
        ({**BATCH, "chainId": b"1"}, "a batch holds no bytes"),
        ({**BATCH, "transactions": json.loads("[" * 900 + "]" * 900)}, "nested more than 100 levels deep"),
    ],
    ids=range(9),
)
def test_what_is_no_batch_has_no_checksum(batch, words):
    """One sentence that says what is wrong with it, whatever was read."""
    with pytest.raises(AmoOptError, match=re.escape(words)):
        checksum(batch)


@given(st.sampled_from([None, "meta", "transactions", "chainId", "createdAt", "odd"]), ODD_VALUES)
@settings(max_examples=200)
def test_a_checksum_or_a_reason(key, value):
    """Anything in place of a batch, or of a part of one: 32 bytes, or the one error that says why not."""
    try:
        found = checksum(value if key is None else {**BATCH, key: value})
    except AmoOptError:
        return
    assert re.fullmatch("0x[0-9a-f]{64}", found)


def test_lone_halves_and_what_is_no_number_count_as_javascript_writes_them():
    """JSON.stringify escapes half a surrogate pair and writes null for NaN and the infinities."""
    assert serialised({"\ud800": [float("nan"), float("-inf"), "a\udfff"]}) == '{["\\ud800"][null,null,"a\\udfff"],}'
    odd = {**BATCH, "meta": {**BATCH["meta"], "description": "\ud800"}}
    assert checksum(odd) != checksum(BATCH)


@pytest.mark.parametrize("case", SERIALISED, ids=range(len(SERIALISED)))
def test_values_are_written_as_javascript_does(case):
    """Numbers at the borders of its notation, text outside ASCII, keys in the order of UTF-16: a table made by Node."""
    assert serialised(json.loads(case["document"])) == case["serialised"]


def test_values_are_written_as_node_writes_them_here():
    """The twin in the builder's own language, on values drawn anew."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed; the table above stands in for it")
    texts: list[str] = []

    @given(JSON_VALUES)
    @settings(max_examples=300, database=None, deadline=None)
    def draw(value):
        texts.append(json.dumps(value))

    draw()
    twin = Path(__file__).with_name("builder_twin.js")
    found = subprocess.run([node, str(twin)], input=json.dumps(texts), capture_output=True, text=True, check=True).stdout
    assert [serialised(json.loads(text)) for text in texts] == json.loads(found)


@given(st.data())
def test_calldata_decodes_to_what_was_encoded(data):
    """Four bytes of selector, then the values, for any setter and any words of its types."""
    setter = data.draw(st.sampled_from(SETTERS))
    words = {"uint256": WORDS, "int256": st.integers(-(2**255), 2**255 - 1), "address": st.just("0x" + "ab" * 20)}
    values = tuple(data.draw(words[kind]) for kind in setter.function.inputs)
    encoded = _call(setter, *values).data
    assert encoded[:4] == setter.function.selector
    assert eth_abi.decode(list(setter.function.inputs), encoded[4:]) == values


def test_numbers_are_text_and_signers_see_the_call_decoded():
    """A cap of 25 digits keeps every one of them; there is no raw data beside the decoded call."""
    amount = 10**27 + 1
    transaction = document([_call(COLLATERAL_CAP, amount)], chain_id=1, created_at=0, name="", description="", safe=None)["transactions"][0]
    assert transaction["contractInputsValues"] == {"_collat_borrow_cap": str(amount)}
    assert (transaction["data"], transaction["value"]) == (None, "0")


def test_the_check_vector_is_read_back():
    """Its two calls, the chain, the Safe, and a checksum that is its content's; one that was changed after it was made is told apart."""
    found = read(BATCH)
    assert [each.text for each in found.transactions] == [
        f"0x{'11' * 20}.ramp_A(_future_A = 1200, _future_time = 1798761600)",
        f"0x{'22' * 20}.setFraxMintCap(_frax_mint_cap = 7000000000000000000000000)",
    ]
    assert (found.chain_id, found.safe, found.intact) == (1, BATCH["meta"]["createdFromSafeAddress"], True)
    assert read({**BATCH, "chainId": "10"}).intact is False
    assert read({**BATCH, "meta": {}}).intact is None
    assert transactions(BATCH) == found.transactions


def _changed(**parts):
    return {**BATCH, "transactions": [{**BATCH["transactions"][1], **parts}]}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "an object that holds a list 'transactions'"),
        ({**BATCH, "transactions": {}}, "an object that holds a list 'transactions'"),
        ({**BATCH, "transactions": []}, "without a transaction"),
        ({**BATCH, "transactions": [None]}, "transactions[0]: no transaction"),
        ({**BATCH, "chainId": "main"}, "chainId: no whole number"),
        ({**BATCH, "chainId": "0"}, "chainId: no chain"),
        (_changed(to="0x1"), "transactions[0].to: no address"),
        (_changed(to="0xcF37B62109b537fa0Cb9A90Af4CA72f6fb85E241"), "wrong checksum (EIP-55)"),
        (_changed(value="-1"), "transactions[0].value: out of range"),
        (_changed(value="one"), "transactions[0].value: no whole number"),
        (_changed(data="0x1"), "transactions[0].data: no bytes"),
        (_changed(data="0xc6428b5f" + "00" * 32), "its data is another call than setFraxMintCap"),
        (_changed(contractInputsValues=None), "no value of its own for _frax_mint_cap"),
        (_changed(contractInputsValues={"_frax_mint_cap": str(2**256)}), "is not of the types (uint256)"),
        (_changed(contractInputsValues={"_frax_mint_cap": "1.5"}), "no whole number"),
        (_changed(contractInputsValues={"_frax_mint_cap": True}), "no whole number"),
        (_changed(contractMethod={"name": "setFraxMintCap"}), "contractMethod: no function"),
        (_changed(contractMethod={"name": "f", "inputs": [{"name": "x", "type": "tuple"}]}), "a tuple without components"),
        (_changed(contractMethod={"name": "f", "inputs": [7]}), "no input"),
    ],
    ids=range(19),
)
def test_a_damaged_batch_is_told_in_one_sentence(document, words):
    """Whatever part is not what it must be; most of all data that is another call than the one signers are shown."""
    with pytest.raises(AmoOptError, match=re.escape(words)) as told:
        read(document)
    assert "\n" not in str(told.value)


@given(st.sampled_from(["to", "value", "data", "contractMethod", "contractInputsValues"]), ODD_VALUES)
@settings(max_examples=200)
def test_a_batch_is_read_or_refused(key, value):
    """Anything in place of a part of a transaction: calls, or the one error."""
    try:
        found = read(_changed(**{key: value}))
    except AmoOptError:
        return
    assert len(found.transactions) == 1
