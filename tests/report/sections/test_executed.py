"""What the report says was executed: where and with what, that nothing was, or that a payload is refused; from the record alone."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from amo_opt.errors import AmoOptError
from amo_opt.onchain.execution_record import FILE, CallRecord, Part, Reading, Record, Run, SlotChange
from amo_opt.report import write_report
from amo_opt.report.account import Account
from amo_opt.report.pages import proposal_md
from amo_opt.report.write import batch_files, check_folder

HASH = "ab" * 32
BLOCK = "0x" + "cd" * 32
MINTER = "0xcf37B62109b537fa0Cb9A90Af4CA72f6fb85E241"


@pytest.fixture
def recommended(make_result, frax):
    pytest.importorskip("eth_abi", reason="pip install 'amo-opt[onchain]'")
    return replace(make_result("recommended", state=frax.state), sensitivity=())


def _part(text, *, at=1_652_659_200, ok=True, objections=(), left=None, storage=()):
    call = CallRecord(MINTER, "setFraxMintCap(uint256)", ("7",), "0x", "0", MINTER, {}, ok, 28_557, "", objections)
    readings = (Reading(f"{MINTER}.frax_mint_cap()", "5", "7" if left is None else left, "7"),)
    return Part("file.json", sha256(text.encode()).hexdigest(), at, ok, objections, (call,), readings, storage)


def _run(batch, *reverts):
    return Run("eth_simulateV1", 1, 14_755_001, BLOCK, 1_652_256_000, batch, reverts)


def _facts(result, *runs):
    return Account(result, record=Record(1, runs) if runs else None)


def test_without_a_record_nothing_was_executed(recommended):
    """Said of the batch and of the ramp beside it, with the command."""
    found = _facts(recommended)
    assert found.execution.notes[0].startswith("Nothing was executed: amo-opt dry-run safe-batch.json")
    (ramp,) = found.execution.payloads
    assert ramp.notes[-1].startswith("Nothing was executed: amo-opt dry-run ramp-actions.txt")
    assert FILE not in batch_files(found)
    assert "Nothing was executed" in proposal_md(found)


def test_a_run_of_the_same_bytes_is_told_with_engine_chain_block_and_hash(recommended):
    """And of each revert what did not come back; the report carries the record on."""
    text = batch_files(_facts(recommended))["safe-batch.json"]
    later = 1_652_659_200 + 30 * 3600
    slot = SlotChange(MINTER, "0x2", "0x5", "0x6")
    undone = (
        _part("revert", at=1_652_662_800, left="5"),
        _part("revert", at=later, left="6", storage=(slot,)),
        _part("revert", at=later, ok=False, objections=("call 1 fails",)),
    )
    found = _facts(recommended, _run(_part(text), *undone))
    told = found.execution.notes[:4]
    assert told[0] == (
        f"Executed on eth_simulateV1, chain 1, block 14755001 ({BLOCK}), as of 2022-05-16 00:00 UTC (1652659200), by simulation and not sent: its one call works, "
        "1 getter moved, 28,557 gas."
    )
    assert told[1] == "Undone 1.0 h later it works, and every getter answers as before, 0 storage slots with another value than before."
    assert (
        told[2]
        == "Undone 30.0 h later it works; what did not come back: frax_mint_cap() 5 -> 6, 1 storage slot with another value than before."
    )
    assert told[3] == "Undone 30.0 h later it fails: call 1 fails."
    files = batch_files(found)
    assert files["safe-batch.json"] == text
    assert f'"block": {14_755_001}' in files[FILE]
    assert "block 14755001" in proposal_md(found)


def test_a_run_of_other_bytes_says_nothing(recommended):
    """The batch was made anew since: nothing was executed of this one, and the record is not carried on."""
    text = batch_files(_facts(recommended))["safe-batch.json"]
    found = _facts(recommended, _run(_part(text + " ")))
    assert found.execution.notes[0].startswith("Nothing was executed")
    assert FILE not in batch_files(found)


def test_a_batch_that_failed_is_not_written(recommended, tmp_path):
    """Neither it nor its revert; the ramp, which nobody executed, stays. Written again from the record it carries on, it stays refused."""
    first = batch_files(_facts(recommended))
    why = f"call 1, setFraxMintCap, fails: Not owner or timelock ({MINTER} obeys nobody)"
    folder = write_report(recommended, tmp_path / "report")
    text = (folder / "safe-batch.json").read_text(encoding="utf-8")
    (folder / FILE).write_text(Record(1, (_run(_part(text, ok=False, objections=(why,))),)).text, encoding="utf-8")
    for _ in range(2):
        write_report(recommended, folder)
        names = {each.name for each in folder.iterdir()}
        assert FILE in names
        assert not {"safe-batch.json", "safe-batch-revert.json"} & names
        assert {name for name in first if name.startswith("ramp")} <= names
    for name in ("proposal.md", "report.html"):
        assert "Not owner or timelock" in (folder / name).read_text(encoding="utf-8")
    found = _facts(recommended, _run(_part(first["safe-batch.json"], ok=False, objections=(why,))))
    assert found.execution.batch is None
    assert found.execution.revert is None
    assert found.execution.reasons[-1].startswith("Executed on eth_simulateV1, chain 1, block 14755001")


def test_a_ramp_that_failed_is_not_written(recommended):
    """By any of its forms: the script of the vote is what was executed, the list of actions is the same calls."""
    first = batch_files(_facts(recommended))
    found = _facts(recommended, _run(_part(first["ramp-evmscript.txt"], ok=False, objections=("call 1 fails",))))
    assert not [name for name in batch_files(found) if name.startswith("ramp")]
    assert "call 1 fails" in found.execution.payloads[0].notes[0]
    assert "safe-batch.json" in batch_files(found)


def test_a_damaged_record_is_told_before_the_work(tmp_path):
    """One sentence with the file's name."""
    (tmp_path / FILE).write_text("{}", encoding="utf-8")
    with pytest.raises(AmoOptError, match=r"execution\.json: no record of amo-opt dry-run"):
        check_folder(tmp_path)
