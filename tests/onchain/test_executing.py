"""What ``run --rpc`` does at its end: the report's own payloads on the tests' node, and the report that says so."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import sys
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from amo_opt.cli.executing import execute
from amo_opt.cli.main import main
from amo_opt.errors import AmoOptError
from amo_opt.onchain.execution_record import FILE, read_record
from amo_opt.report import write_report

ROOT = Path(__file__).parents[2]
SECRET = "k3y-0f-n0b0dy"  # noqa: S105 - of no node


@pytest.fixture(scope="session")
def build_result():
    """The synthetic result of the report's tests."""
    spec = importlib.util.spec_from_file_location("_results_of_reports", ROOT / "tests" / "report" / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    with mock.patch.dict(sys.modules, {spec.name: module}):
        spec.loader.exec_module(module)
    return module.build_result


@pytest.fixture
def recommended(build_result, frax):
    return replace(build_result("recommended", state=frax.state), sensitivity=())


def test_a_recommendation_is_executed_and_the_report_says_where(node, recommended, tmp_path, capsys):
    """The Safe's batch with its revert, and the ramp by the vote's script with its stop, at the planned moment; a report made again says the same."""
    folder = write_report(recommended, tmp_path / "report")
    before = {each.name: each.read_bytes() for each in folder.iterdir()}
    assert b"Nothing was executed" in before["proposal.md"]
    assert execute(recommended, folder, url=f"{node.url}/{SECRET}", as_json=False)
    record = read_record(folder / FILE)
    assert [(each.batch.file, each.batch.ok, len(each.reverts)) for each in record.runs] == [
        ("safe-batch.json", True, 1),
        ("ramp-evmscript.txt", True, 2),
    ]
    assert {each.batch.at for each in record.runs} == {1_652_659_200}
    assert [each.ok for each in record.runs[1].reverts] == [True, True]
    text = (folder / "proposal.md").read_text(encoding="utf-8")
    assert text.count(f"Executed on eth\\_simulateV1 at amo-opt's tests: doubles, not mainnet, chain 1, block {node.latest}") == 1
    assert "Nothing was executed" not in text
    for name, content in before.items():
        if name not in {"proposal.md", "report.html", "appendix.md"}:
            assert (folder / name).read_bytes() == content
    again = {each.name: each.read_bytes() for each in folder.iterdir()}
    write_report(recommended, folder)
    assert {each.name: each.read_bytes() for each in folder.iterdir()} == again
    told = capsys.readouterr()
    assert SECRET not in told.out + told.err
    assert not any(SECRET.encode() in each or node.url.encode() in each for each in again.values())


def test_a_batch_that_the_contract_refuses_is_no_part_of_the_proposal(node, recommended, tmp_path, capsys):
    """The minter has another owner than the Safe, and no timelock that it is: neither batch nor revert is left, and the page says whom it obeys."""
    node.put("amo_minter", "owner", node.addresses["curve_factory"])
    folder = write_report(recommended, tmp_path / "report")
    assert not execute(recommended, folder, url=node.url, as_json=False)
    names = {each.name for each in folder.iterdir()}
    assert not {"safe-batch.json", "safe-batch-revert.json"} & names
    assert {"ramp-evmscript.txt", FILE} <= names
    assert f"obeys {node.addresses['curve_factory']}" in (folder / "proposal.md").read_text(encoding="utf-8")
    assert "Not owner or timelock" in capsys.readouterr().out


def test_a_report_without_a_payload_has_nothing_to_execute(node, build_result, frax, tmp_path, capsys):
    """Nothing is recommended: said, and no record."""
    result = replace(build_result("no change", state=frax.state), sensitivity=())
    folder = write_report(result, tmp_path / "report")
    assert execute(result, folder, url=node.url, as_json=False)
    assert "nothing to execute" in capsys.readouterr().out
    assert not (folder / FILE).exists()


def test_a_node_that_goes_away_leaves_the_report_as_it_was(recommended, tmp_path):
    """It still says that nothing was executed."""
    folder = write_report(recommended, tmp_path / "report")
    before = {each.name: each.read_bytes() for each in folder.iterdir()}
    with pytest.raises(AmoOptError, match="the node cannot be reached"):
        execute(recommended, folder, url=f"http://127.0.0.1:9/{SECRET}", as_json=False)
    assert {each.name: each.read_bytes() for each in folder.iterdir()} == before


@pytest.mark.parametrize(("words", "said"), [(("--dry-run",), "no node is named"), (("--rpc", "CHAIN"), "the node is of chain 10")])
def test_run_says_before_the_search_that_it_could_not_be_executed(node, tmp_path, words, said):
    """Not after an hour of it."""
    node.ask("test_chain", 10)
    error = io.StringIO()
    given = [node.url if each == "CHAIN" else each for each in words]
    clean = {key: value for key, value in os.environ.items() if key != "AMO_OPT_RPC"}
    with (
        mock.patch.dict(os.environ, clean, clear=True),
        mock.patch.object(sys, "argv", ["amo-opt", "run", str(ROOT / "studies/frax-2022.toml"), "--out", str(tmp_path / "out"), *given]),
        contextlib.redirect_stderr(error),
        pytest.raises(SystemExit) as stop,
    ):
        main()
    assert stop.value.code == 2
    assert said in error.getvalue()
    assert not (tmp_path / "out").exists()
