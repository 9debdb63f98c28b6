"""A report on another protocol's state: no function, no recorded day and no integer that is Frax's."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from read import rows

from amo_opt.amos.parameters import governed
from amo_opt.config.load import load_state
from amo_opt.onchain.calls import calls_between, policy_names, uncalled_caps
from amo_opt.protocol.state import FRAX_STABLECOIN, Contract
from amo_opt.report.account import Account
from amo_opt.report.pages import appendix, proposal_md, report_html
from amo_opt.report.sections.execution import execution_of
from amo_opt.report.sections.parameters import NOT_KNOWN, OTHERS, caps_table, changes_table, unnamed
from amo_opt.report.sections.validity import own_episodes
from amo_opt.report.sets import subject_of
from amo_opt.scoring.replayed import episode_fits, fit_of
from amo_opt.simulation.backtest import backtest

HASH = "ab" * 32
STUDIES = Path(__file__).parents[2] / "studies"
FRAX_ALONE = re.compile(r"FRAX|Frax\b|FXS|FIP-|set[A-Z]\w+\b|_cap\(\)|PIDController|amo_minter|frax_pool|10(?:\^18|¹⁸)")
"""What no sentence on another protocol may hold; the venue Fraxlend is another word."""


def rewritten(text: str) -> str:
    """A shipped file as another protocol's: its own name, its own pool, no word of where Frax's figures come from."""
    text, contracts, _ = text.partition("[contracts]")
    text = re.sub(r'protocol = "Frax"', 'protocol = "Acme"', text)
    text = re.sub(r'notes = """.*?"""', 'notes = "Books of a made-up protocol."', text, flags=re.DOTALL)
    text = re.sub(r'(source|assumed) = "(?:[^"\\]|\\.)*"', r'\1 = "made up"', text)
    pool = '[contracts]\n[contracts.metapool]\naddress = "0x1212121212121212121212121212121212121212"\n'
    return text.replace("frax-2022-05-11", "acme-2024") + (pool if contracts else "")


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """The shipped state and behaviour rewritten, read from their files."""
    files = [tmp_path_factory.mktemp("acme") / name for name in ("acme.toml", "behaviour.toml")]
    for file, name in zip(files, ("states/frax-2022-05-11.toml", "behaviour/frax-2022.toml"), strict=True):
        file.write_text(rewritten((STUDIES / name).read_text(encoding="utf-8")), encoding="utf-8")
    return load_state(*files)


@pytest.fixture(scope="module")
def acme(frax, state):
    """The worked study on that state."""
    return replace(frax, state=state, current=frax.current.replace(name="acme-current"))


@pytest.mark.parametrize("verdict", ["recommended", "no change"])
def test_nothing_of_frax_stands_in_a_report_on_another_protocol(make_result, state, met, verdict):
    """Every sentence of proposal, appendix and page; a replay of Frax's days that was kept is neither shown nor counted."""
    kept = replace(met, name="svb-2023", title="FRAX's weekend")
    facts = Account(replace(make_result(verdict, state=state, name="acme"), episodes=(kept,)))
    proposal, whole = proposal_md(facts), appendix(facts)
    page = re.sub(r"<style>.*?</style>|<script.*?</script>", "", report_html(facts, defaultdict(tuple)), flags=re.DOTALL)
    for text in (proposal, *whole.parts, page):
        assert {match[0] for match in FRAX_ALONE.finditer(text)} == set()
    assert "MODEL NOT VALIDATED" in proposal
    assert "No episode of its own replayed" in proposal
    assert "The episodes that come with this program are another protocol's." in whole.text
    assert "The state is Acme's, and the setters that this program knows are another protocol's" in whole.text
    own = Account(replace(make_result(verdict, name="acme"), episodes=(kept,)))
    assert "1 of 1 replayed figures in their bands" in proposal_md(own)
    assert "MODEL NOT VALIDATED" not in proposal_md(own)
    assert "FRAX's weekend" in appendix(own).text
    assert "setCollatBorrowCap" in appendix(own).text


def test_only_the_pools_own_function_is_named(acme):
    """ramp_A is Curve's and its integer A as it is; of everything else neither function nor limit nor integer is known."""
    after = acme.current.replace(amplification=1800, cr_band=0.004, aave_cap=0.1, min_cr=0.8, idle_buffer=0.1)
    (ramp, *others) = sorted(
        rows(changes_table(governed(acme.state).values(), acme.current, after, acme.state)), key=lambda row: "ramp_A" not in str(row)
    )
    assert ramp["Parameter, name and function"].endswith("`amplification` `metapool.ramp_A`")
    assert ramp["Raw integer"] == "1800"
    assert {row["Parameter, name and function"].count("`") for row in others} == {2}, "a name and no function"
    assert {(row["Raw integer"], row["On-chain limit"], row["Executed by"]) for row in others} == {("–", NOT_KNOWN, OTHERS)}
    assert [call.setter.place for call in calls_between(acme.current, after, acme.state, ramp=(1800, 1))] == ["metapool.ramp_A"]
    assert policy_names(acme.current, after, acme.state) == ("cr_band", "aave_cap", "idle_buffer", "min_cr")
    bare = replace(acme.state, contracts={}, protocol="")
    assert calls_between(acme.current, after, bare, ramp=(1800, 1)) == ()
    assert unnamed(bare).startswith("The state does not say whose it is")


def test_a_state_is_frax_by_its_word_or_by_its_stablecoin(frax):
    """Files from before the key still are Frax's; whoever says otherwise is believed."""
    silent = replace(frax.state, protocol="")
    assert silent.is_of("Frax")
    assert not replace(silent, contracts={}).is_of("Frax")
    assert replace(silent, contracts={}, protocol="frax").is_of("Frax")
    assert not replace(frax.state, protocol="Acme").is_of("Frax")
    lower = {"stablecoin": Contract(address=FRAX_STABLECOIN.lower())}
    assert replace(silent, contracts=lower).is_of("Frax")


def test_another_protocols_days_validate_nothing(acme, frax):
    """They can be replayed by hand, and say whose they are; no report replays them, and what was kept from before does not count."""
    run = backtest(acme, episode="svb-2023", paths=4)
    assert fit_of(run).demands == ()
    assert run.notes[-1].startswith("these are Frax's days and the state is not Frax's")
    assert episode_fits(acme, acme.current, paths=4) == ()
    kept = (fit_of(backtest(frax, episode="svb-2023", paths=4)),)
    assert kept[0].demands
    assert own_episodes(frax, kept) == kept
    assert own_episodes(acme, kept) == ()


def test_no_batch_leaves_a_cap_out_whose_integer_is_not_known(make_result, frax):
    """The collateral's decimals are the state's to say: six, eighteen, or nothing, and then there is no integer and no batch."""
    results = {
        decimals: replace(make_result(state=replace(frax.state, collateral_decimals=decimals)), sensitivity=())
        for decimals in (6, 18, None)
    }
    before, after = results[6].study.current, results[6].recommended
    six, eighteen, unknown = (rows(caps_table(before, after, each.study.state))[0]["Raw integer"] for each in results.values())
    assert (eighteen, unknown) == (six + "0" * 12, NOT_KNOWN)
    assert uncalled_caps(before, after, results[None].study.state) == ("setCollatBorrowCap",)
    assert uncalled_caps(before, after, results[6].study.state) == ()
    found = execution_of(results[None], subject_of(results[None]), results_hash=HASH)
    assert (found.batch, found.there) == (None, ())
    assert "[contracts] collateral_decimals" in found.reasons[0]
    facts = Account(results[None])
    assert "setCollatBorrowCap not known (the state does not say how many decimals the collateral has)" in appendix(facts).text
    assert "contracts\\] collateral\\_decimals" in proposal_md(facts), "the reason stands in the text that is posted too"
    assert "setCollatBorrowCap × 10¹⁸ (the collateral has 18 decimals)" in appendix(Account(results[18])).text
