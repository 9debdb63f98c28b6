"""Payloads executed on the tests' node by both engines: what moves, what fails and why, what a revert brings back, and what is refused."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from unittest import mock

import pytest

from amo_opt.errors import AmoOptError
from amo_opt.onchain.abi import function
from amo_opt.onchain.dao_vote import evmscript
from amo_opt.onchain.dry_run import Batch, dry_run, engine_of
from amo_opt.onchain.engines import evm
from amo_opt.onchain.engines.engine import GAS, NOBODY, Moment, Ran
from amo_opt.onchain.execution_record import FILE, Record, keep, read_record
from amo_opt.onchain.reverts import reason_of
from amo_opt.onchain.rpc import Block, Rpc
from amo_opt.onchain.safe_batch import document, file_text
from amo_opt.onchain.transaction import Transaction, called, sent

ROOT = Path(__file__).parents[2]
HOUR, DAY = 3600, 86_400
BOTH = ("simulate", "evm")
SECRET = "k3y-0f-n0b0dy"  # noqa: S105 - of no node
STRANGER = "0x00000000219ab540356cBB839Cbe05303d7705Fa"


class World:
    """The FRAX world of a node: calls by contract and signature, and dry runs of them at its latest block."""

    def __init__(self, node):
        self.node, self.at = node, node.addresses
        self.rpc = Rpc(f"{node.url}/{SECRET}")
        self.block = self.rpc.block()

    def call(self, contract, signature, *values, sender="safe"):
        return called(self.at.get(contract, contract), function(signature), values, sender=self.at.get(sender, sender))

    def ramp(self, a, end, *, sender="curve_parameter_agent"):
        return self.call("curve_owner_proxy", "ramp_A(address,uint256,uint256)", self.at["metapool"], a, end, sender=sender)

    def stop(self):
        return self.call("curve_owner_proxy", "stop_ramp_A(address)", self.at["metapool"], sender="curve_parameter_agent")

    def engine(self, kind):
        return engine_of(kind, self.rpc, f"{self.node.url}/{SECRET}", self.block, chain_id=1)

    def run(self, kind, calls, undo=None, **times):
        back = None if undo is None else _batch("revert.json", undo)
        return dry_run(_batch("batch.json", calls), back, self.rpc, self.engine(kind), self.block, **times)


def _batch(name, calls):
    return Batch(name, "0" * 64, 1, tuple(calls))


@pytest.fixture
def world(node):
    return World(node)


def _proposal(world):
    """Caps, thresholds and step, as a Safe sends them."""
    return (
        world.call("stablecoin", "setFraxStep(uint256)", 2000),
        world.call("amo_minter", "setFraxMintCap(uint256)", 1_400_000_000 * 10**18),
        world.call("amo_minter", "setCollatBorrowCap(uint256)", 900_000_000 * 10**6),
        world.call("frax_pool", "setPriceThresholds(uint256,uint256)", 1_004_000, 992_000),
    )


def _undo(world, *, cap=1_300_046_446 * 10**18):
    return (
        world.call("stablecoin", "setFraxStep(uint256)", 2500),
        world.call("amo_minter", "setFraxMintCap(uint256)", cap),
        world.call("amo_minter", "setCollatBorrowCap(uint256)", 872_466_718 * 10**6),
        world.call("frax_pool", "setPriceThresholds(uint256,uint256)", 1_003_300, 993_300),
    )


def _answers(part):
    return {each.getter.partition(".")[2]: (each.before, each.after) for each in part.readings}


@pytest.mark.parametrize("kind", BOTH)
def test_a_batch_is_executed_read_back_and_undone(world, kind):
    """Every getter answers what was set, then what it answered before; the machine here tells the slots too."""
    found = world.run(kind, _proposal(world), _undo(world))
    assert found.batch.ok, found.batch.objections
    assert _answers(found.batch) == {
        "frax_step()": ("2500", "2000"),
        "frax_mint_cap()": (str(1_300_046_446 * 10**18), str(1_400_000_000 * 10**18)),
        "collat_borrow_cap()": (str(872_466_718 * 10**6), str(900_000_000 * 10**6)),
        "mint_price_threshold()": ("1003300", "1004000"),
        "redeem_price_threshold()": ("993300", "992000"),
    }
    assert all(each.after == each.wanted for each in found.batch.readings)
    assert [each.obeys["owner()"] for each in found.batch.calls] == [world.at["safe"]] * 4
    assert all(21_000 < each.gas < 60_000 for each in found.batch.calls)
    (back,) = found.reverts
    assert back.ok
    assert back.at == found.batch.at + HOUR
    assert not any(each.moved for each in back.readings)
    if kind == "evm":
        assert len(found.batch.storage) == 5
        assert {each.contract for each in found.batch.storage} == {world.at[name] for name in ("stablecoin", "amo_minter", "frax_pool")}
        assert back.storage == ()
    else:
        assert found.batch.storage is None
        assert back.storage is None


def test_both_engines_say_the_same(world):
    """Calls, reasons, getters and what does not come back: of a batch, a ramp at +1 h and +30 h, and one that fails."""
    end = world.block.timestamp + 3 * DAY
    asked = ((_proposal(world), _undo(world)), ((world.ramp(1800, end),), (world.ramp(1500, end + 4 * DAY),)), ((world.ramp(90, 0),), None))
    for calls, undo in asked:
        one, other = (world.run(kind, calls, undo) for kind in BOTH)
        for ours, theirs in zip((one.batch, *one.reverts), (other.batch, *other.reverts), strict=True):
            assert ours.readings == theirs.readings
            assert ours.objections == theirs.objections
            plain = [[(each.ok, each.reason, each.explained, each.obeys) for each in part.calls] for part in (ours, theirs)]
            assert plain[0] == plain[1]


@pytest.mark.parametrize("kind", BOTH)
def test_a_revert_to_a_cap_that_was_assumed_leaves_another(world, kind):
    """What the state took for the cap is not what the contract held."""
    found = world.run(kind, _proposal(world), _undo(world, cap=1_300_000_000 * 10**18))
    moved = [each for each in found.reverts[0].readings if each.moved]
    assert [each.getter for each in moved] == [f"{world.at['amo_minter']}.frax_mint_cap()"]
    assert (moved[0].before, moved[0].after) == (str(1_300_046_446 * 10**18), str(1_300_000_000 * 10**18))


@pytest.mark.parametrize("kind", BOTH)
def test_one_call_the_safe_may_not_make_fails_the_batch_whole(world, kind):
    """The pool obeys the owner proxy: said with its address, nothing is undone after it, and the other calls are told all the same."""
    ramp = world.call("metapool", "ramp_A(uint256,uint256)", 1800, world.block.timestamp + 3 * DAY)
    found = world.run(kind, (*_proposal(world), ramp), _undo(world))
    assert not found.batch.ok
    assert [each.ok for each in found.batch.calls] == [True, True, True, True, False]
    assert found.reverts == ()
    failed = found.batch.calls[-1]
    assert failed.reason == ""
    assert failed.explained == (f"{world.at['metapool']} obeys {world.at['curve_owner_proxy']} (admin()), not {world.at['safe']}",)
    assert any("call 5, ramp_A, fails without a reason" in each for each in found.batch.objections)


@pytest.mark.parametrize("kind", BOTH)
def test_a_ramp_cannot_be_ramped_back_within_a_day_and_can_after_30_hours(world, kind):
    """The revert at +1 h fails for want of a day; at +30 h it works, and A is then 30 h of the way up."""
    begin = world.block.timestamp + 12
    found = world.run(kind, (world.ramp(2220, begin + 3 * DAY),), (world.ramp(1500, begin + 7 * DAY),))
    assert found.batch.ok, found.batch.objections
    assert _answers(found.batch)["future_A()"] == ("150000", "222000")
    soon, later = found.reverts
    assert (soon.at - begin, later.at - begin) == (HOUR, 30 * HOUR)
    assert not soon.ok
    assert len(soon.calls[0].explained) == 1
    assert "a day after" in soon.calls[0].explained[0]
    assert later.ok
    left = {name: values for name, values in _answers(later).items() if values[0] != values[1]}
    assert left == {
        "A()": ("1500", "1800"),
        "initial_A()": ("150000", "180000"),
        "initial_A_time()": ("0", str(begin + 30 * HOUR)),
        "future_A_time()": ("0", str(begin + 7 * DAY)),
    }


@pytest.mark.parametrize("kind", BOTH)
def test_stopping_a_ramp_works_at_once_and_holds_a_where_it_is(world, kind):
    """What a ramp's own revert is: at any time, and A stays between the two."""
    begin = world.block.timestamp + 12
    found = world.run(kind, (world.ramp(2220, begin + 3 * DAY),), (world.stop(),), revert_at=(begin + HOUR, begin + 30 * HOUR))
    assert [each.ok for each in found.reverts] == [True, True]
    assert [_answers(each)["A()"] for each in found.reverts] == [("1500", "1510"), ("1500", "1800")]


@pytest.mark.parametrize(
    ("a", "days", "said"),
    [
        (1800, 0.5, "12.0 h after its start: a day at least"),
        (15_001, 2, "A from 1,500 to 15,001: at most 10 times up or down"),
        (149, 2, "A from 1,500 to 149: at most 10 times up or down"),
        (0, 2, "A = 0, outside 1 to 999,999"),
        (1_000_000, 2, "A = 1,000,000, outside 1 to 999,999"),
    ],
)
def test_a_ramp_refused_without_a_word_is_explained(world, a, days, said):
    """Each limit by itself, against what the pool holds at that block."""
    begin = world.block.timestamp + 12
    found = world.run("simulate", (world.ramp(a, begin + int(days * DAY)),))
    (call,) = found.batch.calls
    assert (call.ok, call.reason) == (False, "")
    assert len(call.explained) == 1
    assert said in call.explained[0]


def test_at_the_limit_a_ramp_works(world):
    """Ten times, a day long, to the second: the explanation and the contract draw the line at one place."""
    begin = world.block.timestamp + 12
    for a, end in ((15_000, begin + DAY), (150, begin + DAY)):
        assert world.run("simulate", (world.ramp(a, end),)).batch.ok
    world.node.put("metapool", "initial_A_time", begin - DAY)
    assert world.run("evm", (world.ramp(1800, begin + DAY),)).batch.ok
    world.node.put("metapool", "initial_A_time", begin - DAY + 1)
    late = world.run("evm", (world.ramp(1800, begin + DAY),)).batch
    assert [len(each.explained) for each in late.calls] == [1]


@pytest.mark.parametrize("kind", BOTH)
def test_a_proxy_s_caller_is_checked_and_so_is_the_proxy(world, kind):
    """A stranger is refused by the proxy with its reason; where the factory has another admin the proxy is refused by the pool."""
    found = world.run(kind, (world.ramp(1800, world.block.timestamp + 3 * DAY, sender=STRANGER),)).batch
    assert found.calls[0].reason == "Access denied"
    assert found.calls[0].explained == (
        f"{world.at['curve_owner_proxy']} obeys {world.at['curve_parameter_agent']} (parameter_admin()), not {STRANGER}",
    )
    world.node.put("curve_factory", "admin", world.at["timelock"])
    found = world.run(kind, (world.ramp(1800, world.block.timestamp + 3 * DAY),)).batch
    assert f"{world.at['metapool']} obeys {world.at['timelock']} (admin()), not {world.at['curve_owner_proxy']}" in found.calls[0].explained


@pytest.mark.parametrize("kind", BOTH)
def test_a_cap_that_wraps_is_objected_to_though_the_contract_takes_it(world, kind):
    """2**255 is kept as the lowest number there is."""
    found = world.run(kind, (world.call("amo_minter", "setFraxMintCap(uint256)", 2**255),)).batch
    assert found.calls[0].ok
    assert not found.ok
    assert found.objections == (
        f"call 1, setFraxMintCap, works: _frax_mint_cap = {2**255}, outside 0 to {2**255 - 1} (all that the contract can keep)",
    )


@pytest.mark.parametrize("kind", BOTH)
def test_out_of_gas_and_an_invalid_instruction_are_told_apart(world, kind):
    """A loop without end, and the instruction that is none."""
    for code, said in (("5b600856", "gas"), ("5bfe", "invalid")):  # behind: stop, unless there are arguments
        world.node.ask("test_code", "amo_minter", "0x3660041060085700" + code)
        found = world.run(kind, (world.call("amo_minter", "setFraxMintCap(uint256)", 1),)).batch
        assert not found.calls[0].ok
        assert said in found.calls[0].reason.lower()
        assert found.calls[0].gas >= GAS


def test_a_target_without_code_is_objected_to_though_the_call_works(world):
    """A call to an account changes nothing and counts as done."""
    call = world.call(STRANGER, "setFraxMintCap(uint256)", 1)
    for kind in BOTH:
        found = world.run(kind, (call,)).batch
        assert found.calls[0].ok
        assert not found.ok
        assert f"no contract is at {STRANGER} at block {world.block.number}" in found.objections[0]


def test_an_unknown_function_runs_and_whom_its_contract_obeys_is_told(world):
    """No getters of it are known; its storage tells."""
    known = world.call("frax_pool", "setPriceThresholds(uint256,uint256)", 1, 2)
    call = Transaction(known.to, known.data, sender=world.at["safe"])
    found = world.run("evm", (call,)).batch
    assert found.ok
    assert found.readings == ()
    assert found.calls[0].function == "0x7853c888"
    assert found.calls[0].obeys == {"owner()": world.at["safe"], "timelock_address()": world.at["timelock"]}
    assert {each.after for each in found.storage} == {"0x1", "0x2"}


def test_ether_that_the_sender_does_not_hold_is_one_sentence(world):
    """Before anything is executed."""
    call = sent(world.at["amo_minter"], b"", value=5, sender=world.at["safe"])
    with pytest.raises(AmoOptError, match="sends 5 wei and holds 0 at block"):
        world.run("evm", (call,))


def test_another_chain_and_times_that_cannot_be(world):
    """One sentence each."""
    with pytest.raises(AmoOptError, match="chain"):
        dry_run(Batch("b", "0" * 64, 10, _proposal(world)), None, world.rpc, world.engine("evm"), world.block)
    with pytest.raises(AmoOptError, match=r"--at: found \d+; allowed: after block"):
        world.run("evm", _proposal(world), at=world.block.timestamp)
    with pytest.raises(AmoOptError, match=r"--revert-at: found \d+; allowed: after the batch"):
        world.run("evm", _proposal(world), _undo(world), revert_at=(world.block.timestamp + 12,))
    with pytest.raises(AmoOptError, match=r"nobody is named who sends .* name the account by --from"):
        world.run("evm", (Transaction(world.at["safe"], b"1234"),))


class Without:
    """A node that has not the method."""

    def __init__(self, rpc):
        self._rpc = rpc

    def __getattr__(self, name):
        return getattr(self._rpc, name)

    def request(self, method, params):
        return self._rpc.request("eth_simulateV0" if method == "eth_simulateV1" else method, params)


def test_without_the_method_the_machine_here_and_without_both_ways_out_are_named(world, monkeypatch):
    """auto takes what is there."""
    url, bare = f"{world.node.url}/{SECRET}", Without(world.rpc)
    assert engine_of("auto", world.rpc, url, world.block, chain_id=1).name == "eth_simulateV1"
    assert engine_of("auto", bare, url, world.block, chain_id=1).name.startswith("pyrevm ")
    with pytest.raises(
        AmoOptError, match=r"^the node has no eth_simulateV1: name a node that has eth_simulateV1, or .* pip install 'amo-opt\[evm\]'$"
    ):
        engine_of("simulate", bare, url, world.block, chain_id=1)
    monkeypatch.setattr(evm, "installed", lambda: False)
    with pytest.raises(AmoOptError, match=r"^the node has no eth_simulateV1 and pyrevm is not installed: name a node"):
        engine_of("auto", bare, url, world.block, chain_id=1)


def test_a_fork_that_loses_its_node_is_one_sentence_without_its_address(world):
    """pyrevm's own words hold the address."""
    engine = evm.Evm(world.rpc, f"http://127.0.0.1:9/{SECRET}", world.block, chain_id=1)
    with pytest.raises(AmoOptError, match=r"^the node stopped answering pyrevm") as told:
        engine.run((Moment(world.block.timestamp + 1, _proposal(world)),), as_accounts=frozenset())
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__
    assert SECRET not in str(told.value)


class Alone:
    """A node that has nothing but a block."""

    @staticmethod
    def request(method, params):
        return "0x0"


def test_a_sender_s_code_is_taken_off_and_its_ether_stays(monkeypatch):
    """A Safe sends what it holds; what an account was given or a contract made is there for the next message, and nothing of it for the next run."""
    from pyrevm import EVM, AccountInfo

    safe, maker = "0x" + "5a" * 20, "0x" + "22" * 20

    def machine(*_):
        made = EVM()
        made.insert_account_info(safe, AccountInfo(nonce=1, code=bytes.fromhex("600080fd")))
        made.set_balance(safe, 7)
        # creates a contract whose code is one stop, and returns its address
        made.insert_account_info(
            maker, AccountInfo(nonce=1, code=bytes.fromhex("6460016000f3600052600560 1b6000f060005260206000f3".replace(" ", "")))
        )
        return made

    monkeypatch.setattr(evm, "_machine", machine)
    engine = evm.Evm(Alone(), "", Block(1, "0x" + "ab" * 32, 1000), chain_id=1)
    give = Transaction(STRANGER, b"", value=5, sender=safe)
    create = Transaction(maker, b"", sender=safe)
    for _ in range(2):
        (ran,) = engine.run((Moment(1001, (give, create)),), as_accounts=frozenset({safe})).ran
        assert [each.ok for each in ran] == [True, True]
        made = "0x" + ran[1].data[12:].hex()
        assert made != NOBODY
        again = engine.run((Moment(1001, (create, Transaction(made, b"", sender=safe), create)),), as_accounts=frozenset({safe})).ran[0]
        assert again[0].data == ran[1].data
        assert again[2].data != ran[1].data  # the maker's nonce went on


def test_a_journal_in_another_form_tells_no_storage(monkeypatch, world):
    """Rather than that nothing changed."""
    monkeypatch.setattr(evm, "_tells_storage", lambda: False)
    assert world.run("evm", _proposal(world)).batch.storage is None
    monkeypatch.undo()
    assert evm._tells_storage()


def test_a_block_that_was_replaced_meanwhile_is_told(world, monkeypatch):
    """Its state is no longer the chain's."""
    monkeypatch.setattr(world.rpc, "block", lambda which: Block(world.block.number, "0x" + "00" * 32, 0))
    with pytest.raises(AmoOptError, match="was replaced by another while it was executed on"):
        world.run("simulate", _proposal(world))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("", ""),
        ("4e487b71" + f"{0x12:064x}", "Panic(0x12), a division by zero"),
        ("4e487b71" + f"{0x99:064x}", "Panic(0x99)"),
        ("118cdaa7" + f"{0xBEEF:064x}", "OwnableUnauthorizedAccount(0x000000000000000000000000000000000000beef)"),
        ("d93c0665", "EnforcedPause()"),
        ("118cdaa7", "error 0x118cdaa7"),
        ("12345678aa", "error 0x12345678"),
    ],
)
def test_reasons_in_words(data, said):
    """Panics by their code, custom errors by their selector, what is not known by its four bytes."""
    assert reason_of(Ran(ok=False, data=bytes.fromhex(data), gas=0)) == said


# -- the command, as a person calls it --


def _amo_opt(*words, url=None):
    """In this process: status, stdout and stderr."""
    from amo_opt.cli.main import main

    out, err = io.StringIO(), io.StringIO()
    environment = {key: value for key, value in os.environ.items() if key != "AMO_OPT_RPC"} | ({} if url is None else {"AMO_OPT_RPC": url})
    with (
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch.object(sys, "argv", ["amo-opt", *map(str, words)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as stop,
    ):
        main()
    return stop.value.code, out.getvalue(), err.getvalue()


def _apart(*words, url):
    """In a process of its own, whose streams pyrevm's own words would reach too."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "AMO_OPT_RPC": url}
    main = "from amo_opt.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", main, *map(str, words)], capture_output=True, text=True, check=False, env=environment)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def files(world, tmp_path):
    """A Safe's batch and its revert, a vote's ramp and its stop."""
    for name, calls in (("safe-batch.json", _proposal(world)), ("safe-batch-revert.json", _undo(world))):
        made = document(calls, chain_id=1, created_at=0, name="a", description="b", safe=world.at["safe"])
        (tmp_path / name).write_text(file_text(made), encoding="utf-8")
    end = world.block.timestamp + 3 * DAY
    for name, call in (("ramp-evmscript.txt", world.ramp(1800, end)), ("ramp-stop-evmscript.txt", world.stop())):
        (tmp_path / name).write_text(evmscript((call,), world.at["curve_parameter_agent"]), encoding="utf-8")
    return tmp_path


def test_the_command_prints_and_keeps_everything_but_the_address(world, files):
    """Both batches in one record; the node's address by option or environment, in no stream and no file."""
    url = f"{world.node.url}/{SECRET}?key={SECRET}"
    first = _apart("dry-run", files / "safe-batch.json", files / "safe-batch-revert.json", "--engine", "evm", url=url)
    second = _amo_opt(
        "dry-run", files / "ramp-evmscript.txt", files / "ramp-stop-evmscript.txt", "--block", world.block.number, "--rpc", url
    )
    assert (first[0], first[2]) == (0, "")
    assert (second[0], second[2]) == (0, "")
    assert "every getter answers as before the batch" in first[1]
    assert "30 h after the batch" in second[1]
    assert "storage: this engine does not tell it" in second[1]
    record = read_record(files / FILE)
    assert [(each.batch.file, each.engine[:6], each.block) for each in record.runs] == [
        ("safe-batch.json", "pyrevm", world.node.latest),
        ("ramp-evmscript.txt", "eth_si", world.node.latest),
    ]
    kept = "".join(each.read_text(encoding="utf-8") for each in files.iterdir())
    port = world.node.url.rpartition(":")[2]
    for text in (first[1], second[1], kept):
        assert SECRET not in text
        assert f":{port}" not in text
    again = _amo_opt("dry-run", files / "safe-batch.json", "--rpc", url, "--json")
    assert json.loads(again[1])["runs"] == json.loads((files / FILE).read_text(encoding="utf-8"))["runs"]
    assert [each.batch.file for each in read_record(files / FILE).runs] == ["ramp-evmscript.txt", "safe-batch.json"]


def test_a_batch_that_fails_is_exit_1_and_kept(world, files):
    """The answer is no, with who would be obeyed."""
    batch = document((world.call("metapool", "stop_ramp_A()"),), chain_id=1, created_at=0, name="a", description="b", safe=world.at["safe"])
    (files / "bad.json").write_text(file_text(batch), encoding="utf-8")
    status, out, _ = _amo_opt("dry-run", files / "bad.json", "--rpc", world.node.url)
    assert status == 1
    assert f"obeys {world.at['curve_owner_proxy']}" in out
    assert not read_record(files / FILE).runs[0].batch.ok


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("safe-batch.json", "--rpc", "http://127.0.0.1:9/" + SECRET), "the node cannot be reached"),
        (("safe-batch.json", "--rpc", "ftp://" + SECRET), "is no http:// or https:// address"),
        (("safe-batch.json",), "no node is named"),
        (("safe-batch.json", "--rpc", "URL", "--block", "99999999"), "the node has no block"),
        (("safe-batch.json", "--rpc", "URL", "--block", "PRUNED"), "no longer has the state"),
        (("changed.json", "--rpc", "URL"), "its checksum is not its content's"),
        (("elsewhere.json", "--rpc", "URL"), "the node is of chain 1"),
        (("none.json", "--rpc", "URL"), "none.json"),
        (("unsigned.json", "--rpc", "URL"), "name the account by --from"),
        (("unsigned.json", "--rpc", "URL", "--from", "0x12"), "--from: no address"),
        (("safe-batch.json", "--rpc", "URL", "--at", "tomorrow"), "no time; found 'tomorrow'"),
        (("safe-batch.json", "--rpc", "URL", "--at", "2022-05-01"), "--at: found"),
    ],
)
def test_what_cannot_be_tried_is_one_sentence_and_keeps_nothing(world, files, words, said):
    """Exit 2, the address in no word, no record."""
    plain = json.loads((files / "safe-batch.json").read_text(encoding="utf-8"))
    for name, made in (
        ("changed.json", {**plain, "createdAt": 1}),
        ("elsewhere.json", document(_proposal(world), chain_id=10, created_at=0, name="a", description="b", safe=world.at["safe"])),
        ("unsigned.json", document(_proposal(world), chain_id=1, created_at=0, name="a", description="b", safe=None)),
    ):
        (files / name).write_text(file_text(made), encoding="utf-8")
    places = {"URL": f"{world.node.url}/{SECRET}", "PRUNED": world.node.oldest - 2}
    status, out, err = _amo_opt("dry-run", files / words[0], *(places.get(each, each) for each in words[1:]))
    assert status == 2
    assert said in err
    assert SECRET not in out + err
    assert "Traceback" not in err
    assert not (files / FILE).exists()


def test_a_record_of_another_schema_or_none_at_all_is_refused(world, tmp_path):
    """It is read by the report: one sentence with the way out, and what was there stays."""
    run = world.run("evm", _proposal(world), _undo(world))
    kept = keep(run, tmp_path / FILE)
    assert read_record(tmp_path / FILE) == kept == Record(1, (run,))
    for text, said in (
        ("{", "no record of amo-opt dry-run"),
        ('{"schema": 1, "runs": [{}]}', "no record of amo-opt dry-run"),
        (json.dumps({**asdict(kept), "schema": 2}), "found 2; allowed: 1"),
    ):
        (tmp_path / FILE).write_text(text, encoding="utf-8")
        with pytest.raises(AmoOptError, match=said):
            keep(run, tmp_path / FILE)
        assert (tmp_path / FILE).read_text(encoding="utf-8") == text


# -- foundry's node, where npm has installed it --


@pytest.fixture
def anvil(need, world):
    """anvil with the code and storage of the doubles that the ramp needs; ``npm install @foundry-rs/anvil`` puts it into node_modules/.bin."""
    program = need(
        "anvil", folders="opt/*/node_modules/.bin", install="it by npm install @foundry-rs/anvil, and put its node_modules/.bin on the PATH"
    )
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(
                [program, "--port", "0", "--chain-id", "1", "--timestamp", str(world.block.timestamp)],
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        stack.callback(process.terminate)
        line = next(each for each in process.stdout if each.startswith("Listening on"))
        url = f"http://{line.split()[-1]}"
        rpc = Rpc(url)
        for address in world.at.values():
            code = world.node.ask("eth_getCode", address, "latest")
            if code != "0x":
                rpc.request("anvil_setCode", [address, code])
                for slot in range(40):
                    value = world.node.ask("eth_getStorageAt", address, hex(slot), "latest")
                    rpc.request("anvil_setStorageAt", [address, f"0x{slot:064x}", value])
        rpc.request("evm_mine", [])
        yield url


@pytest.mark.parametrize("kind", BOTH)
def test_anvil_says_the_same(anvil, world, kind):
    """Its eth_simulateV1, and a fork of it: the getters of our own node."""
    rpc = Rpc(anvil)
    block = rpc.block()
    engine = engine_of(kind, rpc, anvil, block, chain_id=1)
    begin = world.block.timestamp + HOUR
    for calls, undo in (
        (_proposal(world), _undo(world)),
        ((world.ramp(2220, begin + 3 * DAY),), (world.ramp(1500, begin + 7 * DAY),)),
        ((world.call("metapool", "stop_ramp_A()"),), None),
    ):
        back = None if undo is None else _batch("revert.json", undo)
        found = dry_run(_batch("batch.json", calls), back, rpc, engine, block, at=begin)
        ours = world.run(kind, calls, undo, at=begin)
        for one, other in zip((found.batch, *found.reverts), (ours.batch, *ours.reverts), strict=True):
            assert one.readings == other.readings
            assert one.objections == other.objections
