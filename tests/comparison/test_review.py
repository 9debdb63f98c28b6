"""A review: what is asked, the verdict, what it hangs on, half the step; and its three documents by their meaning."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from amo_opt.comparison import review_wording as words
from amo_opt.comparison.compare import compare
from amo_opt.comparison.gates import Gate
from amo_opt.comparison.proposal import read_proposal
from amo_opt.comparison.review import DryRun, Review, margins, review
from amo_opt.comparison.review_pages import json_document, markdown, page, write_review
from amo_opt.errors import AmoOptError, StorageError
from amo_opt.onchain.abi import function
from amo_opt.onchain.calls import calls_between
from amo_opt.onchain.dao_vote import actions, evmscript
from amo_opt.onchain.governor import propose
from amo_opt.onchain.safe_batch import document
from amo_opt.scoring.score import limits_kept, score
from amo_opt.simulation.engine import simulate

FRAX_ALONE = re.compile(r"FRAX|Frax\b|FXS|set[A-Z]\w+\b|PIDController|amo_minter|frax_pool")
ADD_AMO = function("addAMO(address,bool)").encode(["0x" + "12" * 20, True])


@pytest.fixture
def write(tmp_path):
    """Writes a proposal: text as it is, calls as a list of them."""

    def run(content, name="proposal.json"):
        file = tmp_path / name
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return file

    return run


def as_list(calls):
    """Calls as plain JSON."""
    return [{"to": each.to, "value": "0", "data": "0x" + each.transaction.data.hex()} for each in calls]


@pytest.fixture(scope="module")
def calls(small):
    """What moves A, the mint cap and the redemption threshold of the small study's set."""
    after = small.current.replace(amplification=1800, curve_mint_cap=0.5, redeem_price_threshold=0.985)
    return as_list(calls_between(small.current, after, small.state, ramp=(1800, 1_652_659_200)))


@pytest.fixture(scope="module")
def reviewed(small, calls, tmp_path_factory):
    """A review of those calls and one that nobody knows, on few paths."""
    file = tmp_path_factory.mktemp("reviewed") / "vote.json"
    unknown = {"to": small.state.contracts["amo_minter"].address, "data": "0x" + ADD_AMO.hex()}
    file.write_text(json.dumps([*calls, unknown]), encoding="utf-8")
    return review(read_proposal(file, small), small, paths=40)


@pytest.fixture
def made(judge, small, write):
    """A review made of given figures: ``made({"yield": …})`` is the candidate's difference to 0 on every path."""

    def run(candidate, *, half=None, baseline=None, paths=200, **others):
        proposal = read_proposal(write("parameter,value\nidle_buffer,0.05\n", "table.csv"), small)
        parameters = proposal.proposed

        def judged(figures):
            return judge(baseline or {}, figures, paths=paths, parameters=parameters, apart=True, **others)

        found = judged(candidate)
        return Review(
            study=small,
            proposal=proposal,
            comparison=found,
            half=None if half is None else judged(half),
            margins=margins(found),
            limits=(),
            below=(),
            dry_run=DryRun(status="not executed", why="no node was given (--rpc)"),
        )

    return run


def noise(size, around, width, seed=1):
    """Figures of paths about a mean."""
    return around + width * np.random.default_rng(seed).standard_normal(size)


def test_what_is_understood_is_judged_and_the_rest_is_named(reviewed):
    """The verdict is of a part alone, and never passes; the call stands there with selector and bytes."""
    assert [(line.name, line.call) for line in reviewed.proposal.lines] == [
        ("amplification", 1),
        ("curve_mint_cap", 2),
        ("redeem_price_threshold", 3),
    ]
    assert reviewed.word in ("not known", "fails")
    assert reviewed.exit_status == 1
    text = markdown(reviewed)
    assert "1 of its 4 calls is not understood, so this is a verdict of a part of the proposal alone" in text
    assert "`0x94582327`" in text
    assert f"`0x{ADD_AMO.hex()}`" in text


def test_the_comparison_is_compares_own(reviewed, small):
    """Gate by gate and metric by metric what `compare` finds of the same two sets; half of it too."""
    alone = compare(reviewed.proposal.current, reviewed.proposal.proposed, small, paths=40)
    assert reviewed.comparison.gates == alone.gates
    assert reviewed.comparison.metrics == alone.metrics
    half = reviewed.half.candidate.parameters
    assert (half.amplification, half.redeem_price_threshold) == (1600, pytest.approx(0.9875, abs=1e-3))
    assert reviewed.half.gates == compare(reviewed.proposal.current, half, small, paths=40).gates


def test_limits_of_figures_are_those_of_the_score(small):
    """The study's limits on figures kept from paths are the score's own, bound by bound."""
    from amo_opt.comparison.figures import figures_of, layout

    outcome = simulate(small.current, small, paths=40, stream="holdout")
    figures = figures_of(outcome, small, {})
    rows = layout(small.current, small, paths=40)
    assert limits_kept(rows, figures.values, small.current) == score(outcome, small).constraints


def test_the_first_lines_say_what_is_asked_the_verdict_and_why(made, small):
    """In plain words, with interval and sample size; the gate nearest to failing where none fails."""
    count = 200 * len(small.scenarios)
    found = made({"yield": noise(count, 0.002, 0.001), "peg_cvar95_bps": np.zeros(count)})
    lines = markdown(found).split("\n")
    assert lines[0] == "# ✔ Passes: review of table.csv"
    assert (
        lines[2]
        == "**Asked.** A table of new values, which changes 1 parameter. Collateral kept free for redemptions, share of all collateral: 0.07 → 0.05."
    )
    assert lines[4] == "**Verdict.** Passes: none of the 5 gates fails against the set in force, on the same paths."
    assert lines[6].startswith("**Why.** Nearest to failing: ")
    assert re.search(r"95% interval .+ to .+, n = 400 paths\)", lines[6])
    worse = made({"yield": noise(count, -0.02, 0.001)})
    assert worse.word == "fails"
    (reason,) = words.why(worse)
    assert reason.startswith("Yield may be worse by at most 0.1% a year; found: −2.0")
    assert "n = 400 paths). The interval lies on the worse side" in reason


def test_margins_are_the_intervals_worse_end_against_the_tolerance(made, small):
    """Allowed minus worst, the nearest first; a loss beyond the tolerance has less than nothing left."""
    count = 200 * len(small.scenarios)
    found = made({"yield": noise(count, -0.0005, 0.0005), "unserved_usd_hours": noise(count, 2e5, 1e4)})
    by_name = {each.gate.gate.metric: each for each in found.margins}
    earned = found.comparison.metric("yield")
    assert by_name["yield"].worst == -earned.low
    assert by_name["yield"].left == pytest.approx(earned.tolerance + earned.low)
    unserved = by_name["unserved_usd_hours"]
    assert unserved.worst == found.comparison.metric("unserved_usd_hours").high
    assert unserved.left < 0.0
    assert found.margins[0] is unserved
    told = words.conditions(found)
    assert told[0].startswith("Unserved redemptions, mean (safety, fail): the interval's worse end is ")
    assert "too much" in told[0]


def test_half_the_step_is_told_where_it_would_pass(made, small):
    """The smaller step passes where the whole one does not, and that is said."""
    count = 200 * len(small.scenarios)
    whole, less = {"yield": noise(count, -0.02, 0.001)}, {"yield": noise(count, 0.001, 0.0001)}
    found = made(whole, half=less)
    assert words.half(found).endswith("at the whole step 1 of 5 gates fails. The smaller step would pass where the whole one does not.")
    assert "would pass" not in words.half(made(less, half=less))
    assert "no set half the way" in words.half(made(whole))


def test_a_gate_that_could_not_be_judged_is_said(made, small):
    """A tail of few paths passes nothing: the first lines tell it beside the verdict."""
    count = 200 * len(small.scenarios)
    heavy = np.zeros(count)
    heavy[:: count // 4] = 50.0
    found = made({"peg_cvar95_bps": heavy})
    assert [gate.status for gate in found.comparison.gates if gate.gate.metric == "peg_cvar95_bps"] == ["not gated"]
    assert words.verdict(found) == "Passes: none of the 5 gates fails against the set in force, on the same paths; 1 could not be judged."
    assert any(each.startswith("Peg risk") and "effective paths in the tail" in each for each in words.why(found))


def test_too_few_paths_are_said(made, small):
    """No interval, so no margin: not known, and how many more paths it takes."""
    found = made({"yield": noise(10 * len(small.scenarios), 0.0, 0.01)}, paths=10)
    assert found.word == "fails"
    assert any("not known of so few paths" in each for each in words.conditions(found))
    assert any("about 20 more paths per scenario" in each for each in words.conditions(found))
    json.dumps(json_document(found), allow_nan=False)


def test_what_reverts_fails_whatever_the_figures(made, small):
    """A dry run that fails is the first thing said."""
    ran = replace(made({}), dry_run=DryRun(status="reverted", why="call 1: Not owner"))
    assert (ran.word, ran.exit_status) == ("fails", 1)
    assert "run on a fork of the chain it reverts (call 1: Not owner)" in words.verdict(ran)
    done = replace(made({}), dry_run=DryRun(status="executed", why="every call works", readings=(("pool.A()", "1500", "1800"),)))
    assert "| `pool.A()` | 1500 | 1800 |" in markdown(done)


def test_none_understood_is_not_simulated(small, write):
    """Not known, exit 1, and no gate is said to hold."""
    file = write([{"to": "0x" + "12" * 20, "data": "0x" + ADD_AMO.hex()}])
    found = review(read_proposal(file, small), small, paths=40)
    assert (found.word, found.exit_status, found.comparison) == ("not known", 1, None)
    assert words.verdict(found) == "Not known: nothing was simulated. Its one call is not understood."
    for text in (markdown(found), page(found)):
        assert "its address is no entry of the state" in text
        assert "Gate by gate" not in text
    assert json_document(found)["gates"] == []


class _Tags(HTMLParser):
    """Tags of a page, and whether every one is closed in its turn."""

    VOID = frozenset({"meta", "br", "hr", "img", "link", "input"})

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_needs_nothing_and_runs_nothing(reviewed):
    """Well formed, no script, no address of anything beside it; the same sentences as the Markdown."""
    text = page(reviewed)
    parser = _Tags()
    parser.feed(text)
    assert parser.open == []
    assert "script" not in {tag for tag, _ in parser.seen}
    assert not [attrs for _, attrs in parser.seen if {"src", "href", "onclick"} & attrs.keys()]
    for sentence in (words.asked(reviewed), words.verdict(reviewed), *words.why(reviewed)):
        assert sentence.replace("'", "&#x27;") in text


def test_a_name_of_others_stays_text(small, write):
    """A file's name is shown, not run."""
    file = write("parameter,value\nidle_buffer,0.07\n", "&lt;.csv")
    found = review(read_proposal(file, small), small, paths=30)
    assert (found.word, found.exit_status) == ("no change", 0)
    assert "&amp;lt;.csv" in page(found)
    assert "&amp;lt;.csv" in markdown(found)


def test_the_json_is_for_machines(reviewed):
    """Schema, verdict, every gate, every change with its call, unknown calls with their bytes; every number finite."""
    found = json.loads(json.dumps(json_document(reviewed), allow_nan=False))
    assert (found["schema"], found["kind"], found["exit_status"]) == (1, "amo-opt review", 1)
    assert [each["metric"] for each in found["gates"]] == [gate.gate.metric for gate in reviewed.comparison.gates]
    assert found["changes"][0] | {"where": ""} == {"parameter": "amplification", "now": 1500, "proposed": 1800, "call": 1, "where": ""}
    assert [(each["selector"], each["data"]) for each in found["unknown_calls"]] == [("0x94582327", "0x" + ADD_AMO.hex())]
    assert found["half"]["changes"]["amplification"] == 1600
    assert found["dry_run"]["status"] == "not executed"


def test_documents_are_written_whole_or_refused(reviewed, tmp_path):
    """Three files in a folder; a file in the folder's place is one error."""
    write_review(reviewed, tmp_path / "out")
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["review.html", "review.json", "review.md"]
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StorageError, match="nothing can be written"):
        write_review(reviewed, tmp_path / "file")


def test_another_protocols_review_has_no_word_of_frax(small, write):
    """Its own titles and pools: neither a setter nor a contract of Frax's is named."""
    state = replace(small.state, protocol="Acme", name="acme", notes="")
    study = replace(small, name="acme", state=state, current=small.current.replace(name="acme-current"))
    call = {"to": state.contracts["safe"].address, "data": "0x" + ADD_AMO.hex()}
    for file in (write("parameter,value\namplification,1600\naave_cap,0.15\n", "acme.csv"), write([call])):
        found = review(read_proposal(file, study), study, paths=30)
        for text in (markdown(found), page(found), json.dumps(json_document(found))):
            assert {match[0] for match in FRAX_ALONE.finditer(text)} == set()


def test_gates_of_ones_own(small, write):
    """What is judged is what was asked for."""
    file = write("parameter,value\naave_cap,0.1\n", "values.csv")
    found = review(read_proposal(file, small), small, gates=(Gate(metric="yield", cls="safety", maximum=0.0),), paths=30)
    assert [each.of_figure for each in found.margins] == [True]
    assert ("aave_cap",) in [each.names for each in found.below]
    assert any("less than the 250m lent today" in each for each in words.conditions(found))
    assert [gate.gate.metric for gate in found.comparison.failed] == ["yield"]


def test_every_form_says_the_same(small, write):
    """A Safe batch, a vote's list and its script, a governor's proposal and a list of calls: the same changes by the same calls."""
    sent = [
        each.transaction
        for each in calls_between(
            small.current, small.current.replace(amplification=1800, min_cr=0.8), small.state, ramp=(1800, 1_652_659_200)
        )
    ]
    agent = small.state.contracts["curve_parameter_agent"].address
    batch = document(sent, chain_id=1, created_at=1, name="x", description="", safe=None)
    forms = {
        "Safe batch": json.dumps(batch),
        "list of actions": actions([replace(each, sender=agent) for each in sent]),
        "script of a vote": evmscript(sent, agent),
        "proposal to a governor": propose(sent, "A and the minimum ratio"),
        "list of calls": json.dumps([{"to": each.to, "data": "0x" + each.data.hex()} for each in sent]),
    }
    for form, text in forms.items():
        found = read_proposal(write(text, "posted.txt"), small)
        assert (found.form, found.is_whole) == (form, True)
        assert [(line.name, line.after, line.call) for line in found.lines] == [("amplification", 1800, 1), ("min_cr", 0.8, 2)], form


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "| parameter | value |\n|:--|--:|\n| `aave_cap` | 0.1 |\n| idle_buffer | 1e-1 |\n\nThanks.",
            {"aave_cap": 0.1, "idle_buffer": 0.1},
        ),
        ("Hello\n\nparameter, now, proposed\naave_cap, 0.201, 0.1\n", {"aave_cap": 0.1}),
        ("parameter,value\namplification,1_600\n", {"amplification": 1600}),
        ("parameter,new value\naave_cap,0.201\n", {}),
    ],
)
def test_a_small_table_of_new_values_is_read(small, write, text, found):
    """Markdown or CSV, below whatever words; what is there already is no change."""
    proposal = read_proposal(write(text, "table.md"), small)
    assert {line.name: line.after for line in proposal.lines} == found
    assert all(line.where.startswith("line ") for line in proposal.lines)


def test_a_parameter_file_is_read(small, write):
    """Every value of it that is another one."""
    from amo_opt.config.load import examples

    text = (examples() / "parameters/frax-current.toml").read_text(encoding="utf-8")
    proposal = read_proposal(write(text.replace("cr_band = ", "cr_band = 0.004 #"), "new.toml"), small)
    assert (proposal.form, [(line.name, line.after, line.where) for line in proposal.lines]) == (
        "parameter file",
        [("cr_band", 0.004, "cr_band")],
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("parameter,value\naave_kap,0.1\n", "line 2: no such parameter; found 'aave_kap'; did you mean 'aave_cap'"),
        ("parameter,value\nusdt-keeper.ceiling,1e6\n", "line 2: of a mechanism that the state does not have"),
        ("parameter,value\naave_cap,10%\n", "aave_cap: no number; found '10%'"),
        ("Hello\nparameter;value\naave_cap;0,1\n", "line 2 of the table: columns apart by another sign"),
        ("parameter,value\naave_cap,0.1\naave_cap,0.2\n", "line 3: aave_cap stands there twice"),
        ("parameter,value\naave_cap,1.5\n", "line 2: aave_cap would be 1.5, which cannot be simulated; allowed: 0 to 1"),
        ("parameter,value\namplification,15.5\n", "amplification would be 15.5, .*whole numbers"),
        ("parameter,value\naave_cap\n", "line 2 of the table: 1 cells under 2 headings"),
        ("parameter,value\n", "without a row"),
        ("parameter,value\npool_share_low,0.9\n", "pool_share_low would be 0.9, not below pool_share_high"),
    ],
)
def test_a_wrong_table_is_one_sentence(small, write, text, message):
    """What stands there, where, and what is allowed."""
    with pytest.raises(AmoOptError, match=message) as refused:
        read_proposal(write(text, "table.csv"), small)
    assert "\n" not in str(refused.value)


def test_calls_on_another_chain_are_refused(small, write, calls):
    """The addresses are those of the state's chain."""
    batch = {
        "version": "1.0",
        "chainId": "10",
        "createdAt": 1,
        "meta": {"name": "x"},
        "transactions": [{**calls[1], "value": "0", "contractMethod": None, "contractInputsValues": None}],
    }
    with pytest.raises(AmoOptError, match="calls on chain 10; found in the state: contracts on chain 1"):
        read_proposal(write(batch), small)


def test_a_split_is_for_calls_alone(small, write):
    """A table gives every value itself."""
    with pytest.raises(AmoOptError, match=r"--split aave_cap: .* gives every parameter's value itself"):
        read_proposal(write("parameter,value\naave_cap,0.1\n", "table.csv"), small, split={"aave_cap": 0.1})
