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
from amo_opt.onchain.calls import Call
from amo_opt.onchain.safe_batch import calldata, checksum, document, file_text, selector, serialised
from amo_opt.onchain.signatures import BY_NAME, COLLATERAL_CAP, CONTROLLERS, MINT_CAP, POLICY, RAMP, Setter

eth_abi = pytest.importorskip("eth_abi", reason="pip install 'amo-opt[onchain]'")
pytest.importorskip("eth_hash", reason="pip install 'amo-opt[onchain]'")

VECTORS = Path(__file__).parents[1] / "vectors"
BATCH = json.loads((VECTORS / "safe_batch.json").read_text(encoding="utf-8"))
SELECTORS = json.loads((VECTORS / "frax_selectors.json").read_text(encoding="utf-8"))
SERIALISED = json.loads((VECTORS / "safe_serialised.json").read_text(encoding="utf-8"))
SETTERS = {*BY_NAME.values(), *(setter for each in CONTROLLERS.values() for setter in each.values())} - set(POLICY.values())
"""Frax's and the pool's, of which the vectors are."""
HOLDERS = {
    "metapool": "Curve pool (factory metapool + templates)",
    "stablecoin": "FRAXStablecoin",
    "pid_controller": "PIDController",
    "amo_minter": "FraxAMOMinter",
    "frax_pool": "FraxPoolV3",
    "rebalancer": "CurveAMOStrategy",
}
SELECTORS["CurveAMOStrategy"] = {"setMaxSlippage(uint256)": "0x43f68a49"}
"""Of its source (`amo_opt.onchain.signatures`), by eth-utils: the list is of Frax's contracts and the pool's."""
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


def _call(setter: Setter, *values: int, to: str = "0x" + "11" * 20) -> Call:
    return Call(setter, values, (0,) * len(values), to, "safe")


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


@pytest.mark.parametrize("setter", sorted(SETTERS, key=lambda each: each.place), ids=lambda each: each.place)
def test_selectors_are_those_of_the_contracts(setter):
    """The hash of every signature against the list read from the sources."""
    assert selector(setter) == SELECTORS[HOLDERS[setter.contract]][setter.signature]


@given(st.data())
def test_calldata_decodes_to_what_was_encoded(data):
    """Four bytes of selector, then the values, for any setter and any 256-bit words."""
    setter = data.draw(st.sampled_from(sorted(SETTERS, key=lambda each: each.place)))
    values = tuple(data.draw(WORDS) for _ in setter.arguments)
    encoded = calldata(_call(setter, *values))
    assert encoded[:10] == selector(setter)
    assert eth_abi.decode(["uint256"] * len(values), bytes.fromhex(encoded[10:])) == values


def test_numbers_are_text_and_signers_see_the_call_decoded():
    """A cap of 25 digits keeps every one of them; there is no raw data beside the decoded call."""
    amount = 10**27 + 1
    transaction = document([_call(COLLATERAL_CAP, amount)], chain_id=1, created_at=0, name="", description="", safe=None)["transactions"][0]
    assert transaction["contractInputsValues"] == {"_collat_borrow_cap": str(amount)}
    assert (transaction["data"], transaction["value"]) == (None, "0")


def test_a_call_without_an_address_is_refused():
    """Whoever builds a batch leaves such a call out; here it is an error, never an empty address."""
    with pytest.raises(AmoOptError, match=r"amo_minter.setFraxMintCap has no address: the state's \[contracts.amo_minter\]"):
        document([Call(MINT_CAP, (1,), (0,), None, "safe")], chain_id=1, created_at=0, name="", description="", safe=None)
