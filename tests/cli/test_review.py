"""`amo-opt review` as a delegate calls it: exit statuses, documents, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from amo_opt.onchain.abi import function

RECKLESS = Path(__file__).parent / "data" / "reckless.toml"
MINTER = "0xcf37B62109b537fa0Cb9A90Af4CA72f6fb85E241"


def call_of(signature, *values, to=MINTER):
    """One call as plain JSON."""
    return {"to": to, "value": "0", "data": "0x" + function(signature).encode(values).hex()}


MIN_CR = call_of("setMinimumCollateralRatio(uint256)", 815_000)
ADD_AMO = call_of("addAMO(address,bool)", "0x" + "12" * 20, True)


@pytest.fixture
def judged(call, shared, tmp_path):
    """Reviews a text, calls or a file on few paths: ``judged(content, "--json")``."""

    def run(content, *options, name="proposal.json", paths=30):
        file = content if isinstance(content, Path) else tmp_path / name
        if file is not content:
            file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return call("review", file, "--study", shared, "--paths", paths, "--out", tmp_path / "out", *options)

    return run


def test_what_changes_no_path_passes(judged, tmp_path):
    """Exit 0: understood whole, and no gate fails; one JSON document on stdout, the same in the folder."""
    found = judged([MIN_CR], "--json")
    document = json.loads(found.out)
    assert (found.status, document["verdict"], document["exit_status"]) == (0, "passes", 0)
    assert [(each["parameter"], each["proposed"], each["call"]) for each in document["changes"]] == [("min_cr", 0.815, 1)]
    assert found.out == (tmp_path / "out" / "review.json").read_text(encoding="utf-8")
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["review.html", "review.json", "review.md"]
    assert "written to" in found.err


def test_an_unknown_call_keeps_it_from_passing(judged):
    """The same beside a call that nobody knows: exit 1, not known, with selector and bytes on stdout."""
    found = judged([MIN_CR, ADD_AMO])
    assert found.status == 1
    assert found.out.startswith("○ Not known: review of proposal.json\n")
    assert "1 of its 2 calls is not understood, so this is a verdict of a part of the proposal alone" in found.out
    assert "0x94582327" in found.out
    assert ADD_AMO["data"] in found.out.replace("\n", "")
    assert (judged([ADD_AMO]).status, "nothing was simulated" in judged([ADD_AMO]).out) == (1, True)


def test_a_reckless_set_fails(judged):
    """Exit 1 by a safety gate, of a parameter file too; the first lines say which."""
    found = judged(RECKLESS)
    assert found.status == 1
    assert found.out.startswith("✘ Fails: review of reckless.toml\n")
    assert "Collateral caps plus idle buffer may be at most 1; found: 4." in found.out


def test_nothing_to_change_is_no_regression(judged):
    """What is in force already: exit 0, and said so."""
    found = judged("parameter,value\nmin_cr,0.81\n", name="table.csv")
    assert (found.status, found.out.splitlines()[2]) == (0, "Nothing changes: every value it sets is in force already.")


def test_the_split_is_ours_to_tell(judged):
    """Two shares of one sum; one that is no part of it is refused."""
    cap = call_of("setFraxMintCap(uint256)", 1_300_000_000 * 10**18)
    document = json.loads(judged([cap], "--split", "fraxlend_cap=0.1", "--json").out)
    assert {each["parameter"]: round(each["proposed"], 4) for each in document["changes"]} == {"curve_mint_cap": 0.4, "fraxlend_cap": 0.1}
    assert any("told with --split" in each for each in document["proposal"]["notes"])


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ([MIN_CR], ("--split", "aave_cap=0.1"), "--split aave_cap: no call of the proposal sets a sum"),
        ([MIN_CR], ("--split", "aave_cap"), "allowed: NAME=SHARE"),
        ([MIN_CR], ("--split", "aave_cap=1", "--split", "aave_cap=1"), "stands there twice"),
        ([MIN_CR], ("--block", "1"), "allowed with --rpc or --dry-run"),
        ([call_of("setMinimumCollateralRatio(uint256)", 10**18)], (), "call 1, amo_minter.setMinimumCollateralRatio: min_cr would be 1"),
        ("{", (), "no payload"),
        ("0x1234", (), "no payload"),
        ("", (), "proposal.json: no proposal; allowed: a Safe batch"),
        ("We think A should be 2000.", (), "no proposal; allowed: a Safe batch"),
        ("parameter,value\naave_cap,ten\n", (), "line 2: aave_cap: no number"),
    ],
)
def test_a_wrong_call_is_one_sentence_and_exits_2(judged, tmp_path, content, options, message):
    """Nothing is written."""
    found = judged(content, *options)
    assert found.status == 2
    assert message in found.err
    assert "Traceback" not in found.err
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_not_there(call, shared, tmp_path):
    """One sentence, and the folder stays away."""
    found = call("review", tmp_path / "nowhere.json", "--study", shared)
    assert (found.status, "nowhere.json: cannot be read" in found.err) == (2, True)
    (tmp_path / "raw.json").write_bytes(b"\xff\xfe\x00")
    assert "not text in UTF-8" in call("review", tmp_path / "raw.json", "--study", shared).err
