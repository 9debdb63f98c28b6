"""Setters and getters against a list of the contracts' own sources: what is called is what stands there, and each selector is the hash of its signature."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from amo_opt.config import load_study
from amo_opt.onchain.abi import function
from amo_opt.onchain.dao_vote import EXECUTE
from amo_opt.onchain.governor import PROPOSE
from amo_opt.onchain.reads import reads_of
from amo_opt.onchain.signatures import FUNCTIONS, PROXIES, SETTERS, function_named, function_of
from amo_opt.protocol.reads import Read, ReadFigure

pytest.importorskip("eth_hash", reason="pip install 'amo-opt[onchain]'")

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "vectors"
SOURCES = json.loads((VECTORS / "selectors.json").read_text(encoding="utf-8"))
FRAX = json.loads((VECTORS / "frax_selectors.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda each: f"{each['contract']}-{Path(each['path']).stem}")
def test_every_selector_is_the_hash_of_its_signature(source):
    """And every source says where it was read: repository, path, whole commit."""
    for signature, selector in {**source["setters"], **source["getters"]}.items():
        assert "0x" + function(signature).selector.hex() == selector, signature
    assert re.fullmatch("[0-9a-f]{40}", source["commit"])
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", source["repository"])


@pytest.mark.parametrize("setter", SETTERS, ids=lambda each: each.place)
def test_every_setter_and_what_reads_it_back_stand_in_a_source(setter):
    """By contract: a double of ours that has a function the real one has not would be no proof."""
    sources = [each for each in SOURCES if each["contract"] == setter.contract]
    assert any(setter.function.signature in each["setters"] for each in sources)
    for getter in setter.getters:
        assert any(getter.signature in each["getters"] for each in sources), getter.signature
    assert len(setter.function.names) == len(setter.function.inputs)
    assert len(setter.bounds) in (0, len(setter.function.inputs))


def test_what_is_sent_through_others_stands_in_a_source():
    """The owner proxy's functions, the agent's and the governor's."""
    known = {signature for each in SOURCES for signature in each["setters"]}
    assert {each.function.signature for each in PROXIES.values()} | {EXECUTE.signature, PROPOSE.signature} <= known


def _getters(read):
    """The getters that a read, or a figure that follows from several, is made of."""
    if isinstance(read, ReadFigure):
        return {signature for each in read.of for signature in _getters(each)}
    parts = (read.contract, read.counted_by, *read.arguments)
    return {read.signature}.union(*(_getters(each) for each in parts if isinstance(each, Read)))


@pytest.mark.parametrize("study", sorted((ROOT / "studies").glob("*.toml")), ids=lambda each: each.stem)
def test_every_getter_that_a_worked_study_is_read_with_stands_in_a_source(study):
    """Whoever holds band and step."""
    state = load_study(study).state
    known = {signature for each in SOURCES for signature in each["getters"]}
    for holder in ("frax", "pid"):
        for read in reads_of(replace(state, price_controller=holder)):
            assert _getters(read) <= known, read


def test_two_lists_agree():
    """An older list, of Frax's contracts and the pool's, made apart from this one."""
    older = {signature: selector for each in FRAX.values() for signature, selector in each.items()}
    shared = {signature for each in SOURCES for signature in each["setters"]} & older.keys()
    assert len(shared) >= 12
    assert all(older[signature] == each["setters"][signature] for each in SOURCES for signature in shared & each["setters"].keys())


def test_functions_are_found_by_selector_and_by_name():
    """A name alone where it tells the types: ramp_A of two arguments is the pool's, of three the proxy's."""
    assert all(function_of(each.selector).signature == each.signature for each in FUNCTIONS)
    assert function_of(b"\0\0\0\0") is None
    assert [function_named("ramp_A", count, place="").signature for count in (2, 3)] == [
        "ramp_A(uint256,uint256)",
        "ramp_A(address,uint256,uint256)",
    ]
