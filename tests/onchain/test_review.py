"""A proposal under review is executed on a node's state: what works is told with its block, what reverts makes it fail."""

from __future__ import annotations

import json

import pytest

from amo_opt.cli.review import dry_run
from amo_opt.comparison.proposal import read_proposal
from amo_opt.onchain.abi import function


@pytest.fixture
def tried(frax, node_url, tmp_path):
    """What became of calls to Frax's minter on the tests' node."""

    def run(*calls, block=None, sender=None):
        minter = frax.state.contracts["amo_minter"].address
        listed = [{"to": minter, "data": "0x" + function(signature).encode([value]).hex()} for signature, value in calls]
        file = tmp_path / "calls.json"
        file.write_text(json.dumps(listed), encoding="utf-8")
        return dry_run(read_proposal(file, frax), file, frax, rpc=node_url.url, block=block, sender=sender)

    return run


def test_what_works_is_executed(tried, node_url):
    """By the Safe of the state, at the block, with what getters say before and afterwards."""
    found = tried(("setMinimumCollateralRatio(uint256)", 790_000), block=node_url.latest)
    assert found.status == "executed", found
    assert f"block {node_url.latest} (0x" in found.why
    assert any("min_cr" in getter and after == "790000" for getter, _, after in found.readings)
    assert node_url.url not in found.why


def test_what_reverts_is_said(tried):
    """A call that its contract does not take from this account."""
    found = tried(("setMinimumCollateralRatio(uint256)", 790_000), sender="0x" + "12" * 19 + "34")
    assert found.status == "reverted"
    assert "setMinimumCollateralRatio" in found.why


def test_without_a_node_nothing_is_executed(frax, tmp_path):
    """And it is said why, of calls and of a table."""
    file = tmp_path / "table.csv"
    file.write_text("parameter,value\naave_cap,0.1\n", encoding="utf-8")
    assert (
        dry_run(read_proposal(file, frax), file, frax, rpc="http://127.0.0.1:9", block=None, sender=None).why
        == "the proposal holds no calls"
    )
    file = tmp_path / "calls.json"
    file.write_text(json.dumps([{"to": frax.state.contracts["amo_minter"].address, "data": "0x12345678"}]), encoding="utf-8")
    found = dry_run(read_proposal(file, frax), file, frax, rpc=None, block=None, sender=None)
    assert (found.status, found.why) == ("not executed", "no node was given (--rpc)")
