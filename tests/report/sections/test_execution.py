"""Section 13 and the batches: what is called, what is left out, and what keeps a batch from being written."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from datetime import date
from operator import attrgetter

import pytest
from read import rows, tables, text

from amo_opt.config.overrides import with_figure
from amo_opt.config.schema import figures_by_name, given_figures
from amo_opt.errors import AmoOptError
from amo_opt.onchain import safe_batch
from amo_opt.onchain.payload import read_payload
from amo_opt.onchain.safe_batch import checksum
from amo_opt.protocol.state import Figure, OnChain
from amo_opt.report.account import Account
from amo_opt.report.pages import appendix, proposal_md, report_html
from amo_opt.report.payloads import before_words, check_epoch, created_at, why_not
from amo_opt.report.sections import execution, guard_rails, monitoring
from amo_opt.report.sections.execution import BATCH, REVERT
from amo_opt.report.sections.guard_rails import planned
from amo_opt.report.write import FILES, batch_files

HASH = "ab" * 32


@pytest.fixture
def onchain(make_result, frax):
    """Builds a result on the worked study's state, with its addresses."""
    pytest.importorskip("eth_abi", reason="pip install 'amo-opt[onchain]'")
    pytest.importorskip("eth_hash", reason="pip install 'amo-opt[onchain]'")
    return lambda verdict="recommended", **changes: replace(make_result(verdict, **{"state": frax.state, **changes}), sensitivity=())


@pytest.fixture
def safe_owned(frax):
    """The state with a pool that the Safe itself may ramp."""
    contracts = frax.state.contracts
    return replace(frax.state, contracts={**contracts, "metapool": replace(contracts["metapool"], caller=None)})


def _facts(result):
    return Account(result)


def _calls(facts):
    """Call as it is shown -> its selector, which its calldata begins with; the way back included."""
    found = [*tables(execution.blocks(facts)), *tables(monitoring.blocks(facts))]
    shown = [row for each in found if each.label == "Calls" for row in rows(each)]
    assert all(row["Calldata"].strip("`").startswith(row["Selector"].strip("`")) for row in shown)
    return {row["Call"].replace("`", ""): row["Selector"].strip("`") for row in shown}


def _functions(batch):
    return [each["contractMethod"]["name"] for each in batch["transactions"]]


def test_a_ramp_goes_by_itself_as_its_sender_must_send_it(onchain):
    """One failing call undoes a batch, and the pool obeys its owner proxy alone: the ramp is Curve's parameter vote's, in the forms of that vote, with what stops it."""
    facts = _facts(onchain())
    found = facts.execution
    assert _functions(found.batch) == _functions(found.revert) == ["setFraxStep", "setFraxMintCap", "setCollatBorrowCap"]
    assert found.apart == ()
    (ramp,) = found.payloads
    pool = "0xd632f22692FaC7611d2AA1C0D552930D43CAEd3B"
    assert [call.text for call in ramp.calls] == [f"curve_owner_proxy.ramp_A(_pool = {pool}, _future_A = 2210, _future_time = 1653264000)"]
    assert [call.text for call in ramp.revert_calls] == [f"curve_owner_proxy.stop_ramp_A(_pool = {pool})"]
    shown = _calls(facts)
    assert [shown[name] for name in (ramp.calls[0].text, f"Revert: {ramp.revert_calls[0].text}")] == ["0x9d4a4380", "0x53f79b2b"]
    assert ramp.sender.startswith("Curve parameter agent 0x4EEb3bA4f221cA16ed4A0cC7254E2E32DF948c5f through curve owner proxy 0x8CF8")
    read = {name: read_payload(text) for name, text in ramp.files.items()}
    assert set(read) == {"ramp-actions.txt", "ramp-evmscript.txt", "ramp-stop-actions.txt", "ramp-stop-evmscript.txt"}
    for stem, calls in (("ramp", ramp.calls), ("ramp-stop", ramp.revert_calls)):
        assert read[f"{stem}-actions.txt"].transactions == read[f"{stem}-evmscript.txt"].transactions
        assert ["0x" + each.data.hex() for each in read[f"{stem}-actions.txt"].transactions] == [
            "0x" + each.function.encode(each.arguments).hex() for each in calls
        ]
    assert {each.sender for payload in read.values() for each in payload.transactions} == {"0x4EEb3bA4f221cA16ed4A0cC7254E2E32DF948c5f"}
    assert any("the pool refuses a ramp within a day" in note for note in ramp.notes)
    assert any("another ramp is needed" in note and "_future_A = 1500" in note for note in ramp.notes)
    assert "stop_ramp_A(_pool = " in report_html(facts, defaultdict(tuple))
    assert "ramp-evmscript.txt" in proposal_md(facts)
    (policy,) = (each for each in tables(execution.blocks(facts)) if each.label == "Changes that no call makes")
    assert [row["Parameter"].strip("`") for row in rows(policy)] == ["curve_collateral_cap", "aave_cap", "curve_mint_cap", "unwind_rate"]
    assert rows(policy)[0]["Why"].startswith("one AMO's part of setCollatBorrowCap, a global sum")
    assert rows(policy)[-1]["Why"] == "no setter on chain"


def test_each_sender_gets_its_own_form(onchain, frax):
    """A contract that obeys Curve's vote and one that obeys a governor's timelock: the Safe's batch goes on without them, and each payload is undone by one of its own form."""
    contracts = frax.state.contracts
    governor = replace(contracts["timelock"], address="0x" + "5a" * 19 + "5b", caller=None)
    changed = {
        "stablecoin": replace(contracts["stablecoin"], caller="curve_parameter_agent"),
        "metapool": replace(contracts["metapool"], caller="governor"),
    }
    found = _facts(onchain(state=replace(frax.state, contracts={**contracts, **changed, "governor": governor}))).execution
    assert _functions(found.batch) == ["setFraxMintCap", "setCollatBorrowCap"]
    vote, ramp = found.payloads
    assert set(vote.files) == {"dao-actions.txt", "dao-evmscript.txt", "dao-revert-actions.txt", "dao-revert-evmscript.txt"} <= set(FILES)
    assert set(ramp.files) == {"ramp-propose.txt", "ramp-stop-propose.txt"} <= set(FILES)
    assert [read_payload(vote.files[f"dao{stem}-actions.txt"]).transactions[0].arguments for stem in ("", "-revert")] == [(2000,), (2500,)]
    proposed = read_payload(ramp.files["ramp-propose.txt"])
    assert (proposed.form, [each.function.name for each in proposed.transactions]) == ("proposal to a governor", ["ramp_A"])


def test_whose_way_is_not_known_stands_apart(onchain, frax):
    """A pool that obeys somebody of whom no form is known: decoded and encoded, in no payload."""
    contracts = frax.state.contracts
    odd = replace(contracts["metapool"], caller="timelock")
    facts = _facts(onchain(state=replace(frax.state, contracts={**contracts, "metapool": odd})))
    found = facts.execution
    (ramp,) = found.apart
    assert ramp.text == "metapool.ramp_A(_future_A = 2210, _future_time = 1653264000)"
    assert _calls(facts)[ramp.text] == "0x3c157e64"
    assert "only timelock may call it" in why_not(ramp)
    assert why_not(ramp) in text(execution.blocks(facts)).replace("\\", "")
    assert found.payloads == ()
    assert any(note.startswith("Not in it: metapool.ramp_A(_future_A = 1500, ") for note in found.revert_notes)


def test_every_address_says_where_it_was_read(onchain):
    """Contracts called and accounts that call, with repository, path and commit; the others of the state are not listed."""
    (table,) = (each for each in tables(execution.blocks(_facts(onchain()))) if each.label == "Addresses")
    found = {row["Entry"].strip("`"): row["Source"].replace("\\", "") for row in rows(table)}
    assert set(found) == {"metapool", "stablecoin", "amo_minter", "safe", "curve_owner_proxy", "curve_parameter_agent"}
    assert found["amo_minter"].startswith("FraxFinance/frax-solidity src/types/constants.ts &#64;012909d1: ")


def test_a_pool_of_the_safes_own_is_ramped_by_a_batch_of_its_own(onchain, safe_owned):
    """Not with the caps: within a day of the ramp's start its revert would fail, and theirs with it. What stops it goes at any time."""
    found = _facts(onchain(state=safe_owned)).execution
    assert found.apart == ()
    assert _functions(found.batch) == _functions(found.revert) == ["setFraxStep", "setFraxMintCap", "setCollatBorrowCap"]
    (ramp,) = found.payloads
    there, back = (json.loads(ramp.files[name]) for name in ("ramp-batch.json", "ramp-stop-batch.json"))
    planned = 1_652_659_200
    assert there["transactions"][0]["contractInputsValues"] == {"_future_A": "2210", "_future_time": str(planned + 168 * 3600)}
    assert _functions(back) == ["stop_ramp_A"]
    assert all(each["meta"]["checksum"] == checksum(each) for each in (there, back))
    assert f"_future_A = 1500, _future_time = {planned + 14 * 86_400 + 168 * 3600}" in " ".join(ramp.notes)


def test_more_than_ten_times_is_a_schedule_of_which_the_payload_holds_the_first_ramp(onchain, safe_owned, result):
    """A times twenty: two ramps in section 3, one call."""
    far = result.recommended.replace(amplification=30_000)
    candidates = tuple(replace(each, parameters=far) if each.role == "recommended" else each for each in result.candidates)
    facts = _facts(replace(onchain(state=safe_owned), recommended=far, candidates=candidates))
    first, second = planned(facts).ramps
    assert (first.start_a, first.target_a, second.start_a, second.target_a) == (1500, 6708, 6708, 30_000)
    (ramp,) = facts.execution.payloads
    assert json.loads(ramp.files["ramp-batch.json"])["transactions"][0]["contractInputsValues"]["_future_A"] == "6708"
    assert any("Only the first of 2 ramps" in note for note in ramp.notes)
    assert second.start == first.end
    (ramps, _) = tables(guard_rails.blocks(facts))
    assert [(row["A from"], row["A to"]) for row in rows(ramps)] == [("1,500", "6,708"), ("6,708", "30,000")]


def test_values_in_force_are_the_chains_where_the_state_read_them(onchain, frax):
    """The batch is made against what was read, the revert goes back to it, and where it is not what the study takes for it both are told."""
    read = OnChain(raw=1_270_000_000 * 10**18, address="0x" + "11" * 20, block=14_755_001, hash="0x" + "22" * 32)
    found = _facts(onchain(state=replace(frax.state, reads={"amo_minter.frax_mint_cap()": read}))).execution
    row = next(each for each in found.calls if "setFraxMintCap" in each.text)
    assert before_words(row) == str(read.raw)
    back = next(each for each in found.revert["transactions"] if each["contractMethod"]["name"] == "setFraxMintCap")
    assert back["contractInputsValues"] == {"_frax_mint_cap": str(read.raw)}
    assert f"amo_minter.setFraxMintCap {read.raw} (read at block 14755001)" in found.batch["meta"]["description"]
    assert found.batch["meta"]["description"].count("not read on chain") == 1  # the other cap
    assert "Current values of amo_minter.setFraxMintCap were read on chain at block 14755001." in found.notes
    assert any(
        note.startswith(f"Warning: amo_minter.setFraxMintCap is {read.raw} on chain, where the study's current set") for note in found.notes
    )


def test_an_integer_that_a_contract_would_not_keep_gives_no_batch(onchain, frax):
    """One sentence in place of a payload: a cap from 2**255 on would be kept as a negative one."""
    vast = with_figure(frax.state, "stablecoin.supply", Figure(value=2.0**258 / 1e18, source="a test's"))
    found = _facts(onchain(state=vast)).execution
    assert found.reasons[0].startswith("amo_minter.setFraxMintCap: _frax_mint_cap is out of range; found ")
    assert (found.batch, found.there, found.payloads) == (None, (), ())


def test_the_batch_names_its_origin_and_what_it_was_made_against(onchain):
    """Both hashes, the values in force and the day after which it is void stand in the description, which the checksum covers."""
    result = onchain()
    found = _facts(result).execution
    for batch in (found.batch, found.revert):
        text = batch["meta"]["description"]
        assert f"study sha256:{result.study.hash} results sha256:{Account(result).results_hash}" in text
        assert "void if any of these moved, and after 2022-05-" in text
        assert batch["meta"]["checksum"] == checksum(batch)
        assert batch["meta"]["createdFromSafeAddress"] == result.study.state.contracts["safe"].address
        assert (batch["chainId"], batch["createdAt"]) == ("1", 1_652_227_200_000)
    assert "Made against stablecoin.setFraxStep 2500" in found.batch["meta"]["description"]
    assert found.batch["meta"]["description"].count("not read on chain") == 2
    assert "Made against stablecoin.setFraxStep 2000" in found.revert["meta"]["description"]


def test_the_files_are_the_documents(onchain, monkeypatch):
    """The same bytes each time, the checksums printed in the text; createdAt from SOURCE_DATE_EPOCH where that is set."""
    one, two = (_facts(onchain()) for _ in range(2))
    files = batch_files(one)
    assert files == batch_files(two)
    assert {BATCH, REVERT} <= set(files) <= set(FILES)
    text = proposal_md(one)
    assert all(name in text for name in files)
    for name, batch in files.items():
        if not name.endswith(".json"):
            continue
        assert json.loads(batch)["createdAt"] == 1_652_227_200_000
        assert name in proposal_md(one)
        assert json.loads(batch)["meta"]["checksum"] in appendix(one).text
    assert json.loads(files[BATCH])["meta"]["checksum"] in proposal_md(one), "what is signed is checked against the text that is posted"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795219200")
    assert _facts(onchain()).execution.batch["createdAt"] == 1_795_219_200_000


@pytest.mark.parametrize("text", ["yesterday", "-1", "1.5", "²", "253402300800", "1" * 5000, "nan", " ", "\t"])
def test_a_strange_epoch_is_refused(monkeypatch, text):
    """One message that says what is allowed."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", text)
    with pytest.raises(
        AmoOptError,
        match=r"SOURCE_DATE_EPOCH: not a whole number of seconds within .*; found .{1,42}; allowed: 0 to .*, such as 7, or unset",
    ):
        created_at(7)
    with pytest.raises(AmoOptError, match="SOURCE_DATE_EPOCH"):
        check_epoch()


@pytest.mark.parametrize("seconds", [0, 253402300799])
def test_an_epoch_within_the_years_is_taken(monkeypatch, seconds):
    """The first second of 1970 and the last of 9999."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(seconds))
    check_epoch()
    assert created_at(7) == 1000 * seconds


def test_a_missing_address_leaves_the_call_out_by_name(onchain, frax):
    """The others go on; the reader is told which table is missing."""
    contracts = {name: each for name, each in frax.state.contracts.items() if name not in ("stablecoin", "safe")}
    found = _facts(onchain(state=replace(frax.state, contracts=contracts))).execution
    assert _functions(found.batch) == ["setFraxMintCap", "setCollatBorrowCap"]
    assert found.batch["meta"]["createdFromSafeAddress"] == ""
    (step,) = (row for row in found.apart if "setFraxStep" in row.text)
    assert why_not(step) == "no address: the state has no [contracts.stablecoin]"


def test_without_any_address_there_is_no_batch(make_result):
    """Nothing is invented: the calls are listed, no file is written."""
    facts = _facts(replace(make_result(), sensitivity=()))
    assert (facts.execution.batch, facts.execution.revert, facts.execution.calls) == (None, None, ())
    assert len(facts.execution.apart) == 4
    assert batch_files(facts) == {}


def test_without_the_extra_the_report_says_how_to_get_it(onchain, monkeypatch):
    """Calls stay decoded; no calldata, no checksum, no file."""
    monkeypatch.setattr(safe_batch, "has_keccak", lambda: False)
    facts = _facts(onchain())
    assert batch_files(facts) == {}
    for document in (proposal_md(facts), appendix(facts).text):
        assert "pip install 'amo-opt\\[onchain\\]'" in document
    assert "setFraxStep(_new_step = 2000)" in appendix(facts).text


def test_an_old_state_gives_no_batch(onchain):
    """A study of 11 July on figures of May: the chip in the box, the oldest figure in section 13, no file and no calldata."""
    result = onchain(date=date(2022, 7, 11))
    facts = _facts(result)
    assert "STATE TOO OLD" in [each.word for each in facts.decision.warnings]
    assert facts.execution.reasons[0].startswith("The state is too old: 25 sourced figures of 25 are older than the 30 days")
    assert (facts.execution.batch, facts.execution.calls, facts.execution.apart) == (None, (), ())
    assert batch_files(facts) == {}
    assert "0x3c157e64" not in proposal_md(facts) + appendix(facts).text
    assert "STATE TOO OLD" in proposal_md(facts)
    limit = replace(result.study.report, max_state_age_days=61)
    assert _facts(replace(result, study=replace(result.study, report=limit))).execution.batch is not None


def test_a_state_without_a_source_gives_no_batch(onchain, frax):
    """Nothing says how old an assumption is, so a state of nothing else is not young: the chip, the reason, no file."""
    state = frax.state
    for name in figures_by_name():
        former = attrgetter(name)(state)
        guess = Figure(value=former.value, assumed="a guess", low=former.value, high=former.value)
        state = with_figure(state, name, guess)
    facts = _facts(onchain(state=state))
    assert "STATE WITHOUT SOURCE" in [each.word for each in facts.decision.warnings]
    assert facts.execution.reasons[0] == f"No figure of the state has a source: all {len(given_figures(state))} are assumed."
    assert batch_files(facts) == {}
    assert "▼ STATE WITHOUT SOURCE" in proposal_md(facts)
    one = with_figure(state, "pool.fee", Figure(value=0.0004, source="read from the pool"))
    assert _facts(onchain(state=one)).execution.batch is not None


def test_a_study_dated_after_the_batch_is_made_gives_none(onchain, monkeypatch):
    """Where SOURCE_DATE_EPOCH says when that is; on the study's own day it is given. No clock is read."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1652227199")
    facts = _facts(onchain())
    assert facts.execution.reasons[0] == (
        "The study's date, 2022-05-11 00:00 UTC (1652227200), lies after SOURCE_DATE_EPOCH, 2022-05-10 23:59 UTC (1652227199)."
    )
    assert batch_files(facts) == {}
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1652227200")
    assert _facts(onchain()).execution.batch is not None
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert _facts(onchain()).execution.batch is not None


def test_an_address_without_its_capitals_is_warned_of(onchain, frax):
    """A mistyped digit of an address in small letters comes out with the capitals of the wrong one: said, by name, where it is signed."""
    contracts = frax.state.contracts
    wrong = "0xcf37b62109b537fa0cb9a90af4ca72f6fb85e242"
    unused = replace(contracts["frax_pool"], address=contracts["frax_pool"].address.lower())
    mistyped = replace(contracts["amo_minter"], address=wrong)
    state = replace(frax.state, contracts={**contracts, "amo_minter": mistyped, "frax_pool": unused})
    found = _facts(onchain(state=state))
    assert {each["to"].lower() for each in found.execution.batch["transactions"]} >= {wrong}
    (warning,) = (note for note in found.execution.notes if note.startswith("Warning: "))
    assert warning.startswith("Warning: the state writes amo_minter without the capitals of a checksum (EIP-55)")
    assert warning in proposal_md(found).replace("\\_", "_")
    assert not [note for note in _facts(onchain()).execution.notes if note.startswith("Warning")]


def test_a_share_of_draws_that_is_not_shown_gives_no_batch(onchain):
    """What counts is the bound, not the share; a demand of 0 is met by any; draws that were asked for and are missing count as not shown."""
    result = onchain()
    assert "ASSUMPTION-SENSITIVE" not in [each.word for each in _facts(result).decision.warnings]
    assert _facts(result).execution.batch is not None
    low = replace(result.doubt, share=replace(result.doubt.share, low=0.79), more_draws=12)
    facts = _facts(replace(result, doubt=low))
    assert "ASSUMPTION-SENSITIVE" in [each.word for each in facts.decision.warnings]
    assert facts.execution.reasons[0].startswith("The verdict hangs on what is assumed. The verdict holds in 95% (95% interval 79 to 99)")
    assert facts.execution.reasons[0].endswith("it is not; if the share is what was found, 12 more draws would show it.")
    assert facts.execution.batch is None
    assert _facts(replace(result, doubt=replace(low, demanded=0.5))).execution.batch is not None
    assert "ASSUMPTION-SENSITIVE" in [each.word for each in _facts(replace(result, doubt=None)).decision.warnings]
    off = replace(result.study, certification=replace(result.study.certification, draws=0))
    assert "ASSUMPTION-SENSITIVE" not in [each.word for each in _facts(replace(result, study=off, doubt=None)).decision.warnings]


@pytest.mark.parametrize("verdict", ["no change", "undecidable", "infeasible"])
def test_where_nothing_is_recommended_nothing_is_executed(onchain, verdict):
    """Section 13 says so, section 12 watches the current set, and no file is written."""
    facts = _facts(onchain(verdict))
    assert facts.execution.reasons == ("Nothing is recommended, so there is nothing to execute and no batch.",)
    assert planned(facts).ramps == ()
    assert facts.monitoring.watched.startswith("the current set")
    assert all("revert batch" not in row.action for row in facts.monitoring.triggers)
    assert batch_files(facts) == {}


def test_hostile_text_stays_text(onchain):
    """A study's name goes into the batch's name without control characters, and nowhere into a call."""
    found = _facts(onchain(name='x"\u202e\n<script>')).execution
    assert found.batch["meta"]["name"] == 'amo-opt 2022-05-11 x"\n<script>'
