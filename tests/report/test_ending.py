"""What `amo-opt run` and `report` end with: the finding, the table, what keeps it from being signed, what to call next; short, long, as JSON, in a browser, and of a quick run."""

from __future__ import annotations

import json
import re
import shlex
import webbrowser
from dataclasses import replace

import pytest

from amo_opt.cli import ending
from amo_opt.report.first import first_of
from amo_opt.report.ruling import explanation_of
from amo_opt.report.sections.decision import blockers_of
from amo_opt.report.write import report_files
from amo_opt.scoring.constraints import RULES, paths_to_decide
from amo_opt.search.quick import ROOM, TRIALS, more_paths, quick_settings
from amo_opt.search.ruling import Binding, Paths, Ruling

ASKED = {"as_json": False, "full": False, "quiet": False, "verbose": False, "open_page": False, "threads": 1}


@pytest.fixture
def told(frax, tmp_path, capsys):
    """What stands on stdout and stderr at the end of a result's run."""
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / "report.html").write_text("page")

    def tell(result, **options):
        ending.tell(result, folder, replace(frax, path=tmp_path / "my study.toml"), **{**ASKED, **options})
        found = capsys.readouterr()
        return found.out, found.err, folder

    return tell


@pytest.mark.parametrize("verdict", ["recommended", "no change", "undecidable", "infeasible"])
def test_a_run_ends_with_finding_verdict_table_report_and_next_command(make_result, told, verdict):
    """The title is the page's own, the verdict that of every document, and the command is one that amo-opt has."""
    result = make_result(verdict)
    first = first_of(result)
    out, _, folder = told(result)
    lines = out.splitlines()
    assert lines[0] == first.title
    assert lines[1] == f"{verdict}: {explanation_of(result)}"
    rows = {line.strip().partition("  ")[0]: line for line in lines[2:]}
    assert all(level.text in rows["yield"] for level in first.yields.levels)
    assert "USD a year" in rows["yield"]
    assert all(level.text in rows["peg risk"] for level in first.peg.levels)
    for change in first.changes:
        assert re.search(rf"{re.escape(change.now)} +{re.escape(change.then)} +{re.escape(change.change)}", rows[change.label])
    assert lines[-2] == f"report: {folder / 'report.html'}"
    assert lines[-1].startswith("next: amo-opt ")
    called = shlex.split(lines[-1].removeprefix("next: "))
    assert str(folder.parent / "my study.toml") in called
    assert called[1] in {"run", "break", "profile"}


def test_what_keeps_a_recommendation_from_being_signed_is_told(make_result, told):
    """Each reason of section 13 in a line; nothing of the kind where it can be signed, or where nothing is recommended."""
    result = make_result()
    old = replace(result, study=replace(result.study, report=replace(result.study.report, max_state_age_days=0)))
    assert first_of(result).ready
    assert "not to be signed" not in told(result)[0]
    reasons = [line.removeprefix("not to be signed: ") for line in told(old)[0].splitlines() if line.startswith("not to be signed: ")]
    assert reasons == [each.reason for each in blockers_of(old)]
    assert len(reasons) == 1
    nothing = make_result("no change")
    assert "not to be signed" not in told(replace(nothing, study=old.study))[0]


def test_quiet_is_the_verdict_and_the_path(make_result, told):
    """Two lines, whatever was found."""
    result = make_result()
    out, err, folder = told(result, quiet=True)
    assert (out, err) == (f"recommended: {explanation_of(result)}\nreport: {folder / 'report.html'}\n", "")


def test_verbose_tells_assumptions_tails_and_phases(make_result, told):
    """What the ending leaves to the report else: how often it holds, A, the risk's parts, and seconds by phase."""
    result = make_result()
    plain, long = told(result)[0], told(result, verbose=True, phases=(("search", 12.34), ("doubt", 1234.5)))[0]
    more = [line for line in long.splitlines() if line not in plain.splitlines()]
    assert any("joint draws" in line for line in more)
    assert [line.split() for line in more if re.search(r"\d\.\d$", line.strip())][-2:] == [
        ["search", "12.3"],
        ["assumptions", "drawn", "1,234.5"],
    ]


@pytest.mark.parametrize(("opened", "said"), [(True, ""), (False, "--open: there is no browser here; open ")])
def test_the_page_is_opened_where_there_is_a_browser(make_result, told, monkeypatch, opened, said):
    """By its address; one sentence where there is none, and the same answer."""
    asked = []
    monkeypatch.setattr(webbrowser, "open", lambda address: asked.append(address) or opened)
    out, err, folder = told(make_result(), open_page=True, quiet=True)
    assert asked == [(folder / "report.html").as_uri()]
    assert err.startswith(said)
    assert len(err.splitlines()) == (not opened)
    assert len(out.splitlines()) == 2


def test_a_browser_that_fails_is_told(make_result, told, monkeypatch):
    """An error of the browser's own is no traceback."""

    def fails(_):
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr(webbrowser, "open", fails)
    assert "there is no browser here" in told(make_result(), open_page=True, quiet=True)[1]


# -- a quick run -----------------------------------------------------------------------------------------------------------------------


def test_a_quick_run_has_the_least_paths_that_decide_every_limit(frax):
    """Of the shipped study 150 paths decide a chance of 2%, and half as many again where twins take of their weight; a study's own fewer trials stay."""
    settings = quick_settings(frax)
    assert frax.constraints.max_breach_probability == 0.02
    selected = settings["simulation.paths"] * frax.certification.multiple
    assert 150 * ROOM <= selected < 150 * ROOM + frax.certification.multiple
    assert (settings["search.trials"], settings["certification.draws"], settings["certification.most_paths"]) == (TRIALS, 0, selected)
    few = replace(frax, search=replace(frax.search, trials=5))
    assert quick_settings(few)["search.trials"] == 5


def test_the_strictest_limit_decides_a_quick_run_s_paths(frax):
    """A scenario's own limit too; generous chances leave the tail of a shortfall, 50 paths."""
    own = replace(frax, scenarios=(replace(frax.scenarios[0], max_breach_probability=0.001), *frax.scenarios[1:]))
    assert quick_settings(own)["simulation.paths"] * own.certification.multiple >= 3000 * ROOM
    loose = replace(frax, constraints=replace(frax.constraints, max_breach_probability=0.5, max_unrecovered_probability=0.5))
    assert quick_settings(loose)["simulation.paths"] == -(-ROOM * 50 // loose.certification.multiple)


def test_what_decides_a_limit_is_asked_of_each(frax, make_result):
    """The study's least is the most that any of its limits asks for."""
    limits = [each for each in make_result().candidates[0].selection_score.constraints if each.name in {rule.name for rule in RULES}]
    assert quick_settings(frax)["simulation.paths"] * frax.certification.multiple >= max(map(paths_to_decide, limits))


def test_a_quick_recommendation_cannot_be_signed(make_result, told, frax):
    """The very result that would give a batch gives none, and every place says why."""
    pytest.importorskip("eth_abi", reason="pip install 'amo-opt[onchain]'")
    result = make_result(state=frax.state)
    quick = replace(result, study=replace(result.study, quick=True))
    assert "safe-batch.json" in report_files(result)
    files = report_files(quick)
    assert not {name for name in files if "batch" in name}
    first = first_of(quick)
    assert not first.ready
    assert first.title.startswith("Not ready to sign: ")
    assert first.title.endswith("but this is a quick run")
    assert first.kicker.startswith("quick run · ")
    assert b"QUICK RUN" in files["report.html"]
    out, _, _ = told(quick, whole=frax)
    assert out.splitlines()[1].startswith("recommended (quick run): ")
    assert "not to be signed: This is a quick run: " in out
    assert re.search(r"(?m)^the whole run: [\d,]+ sets and [\d,]+ more paths? of each scenario to select on, (about|less)", out)
    assert json.loads(files["results.json"])["study"]["quick"] is True
    assert "quick" not in json.loads(report_files(result)["results.json"])["study"]


def too_few(make_result, *, needed):
    ruling = Ruling(outcome="undecidable", paths=Paths(stream="selection", n=104, each=52), sets=4, kept=0, needed=needed)
    return replace(make_result("undecidable"), ruling=ruling)


def test_an_undecidable_verdict_says_how_many_more_paths_and_how_long(make_result, told):
    """What is lacking of each scenario, the option that asks for them, and a command that has a record of its own."""
    result = too_few(make_result, needed=150)
    multiple = result.study.certification.multiple
    assert more_paths(result).more == 98
    out, _, folder = told(result)
    paths = -(-150 // multiple)
    assert re.search(
        rf"(?m)^more paths: about 98 more of each scenario than the 52 that it stands on \(--paths {paths}\), (about .+ at most|less than a minute)$",
        out,
    )
    assert out.splitlines()[-1].endswith(f"--paths {paths} --out {folder}-{paths}-paths")


def test_where_as_many_as_needed_did_not_decide_more_are_told(make_result):
    """Twins beside them took of their weight: never none, never fewer than there were."""
    found = more_paths(too_few(make_result, needed=52))
    assert found.more == 26


@pytest.mark.parametrize(
    ("value", "interval", "more"), [(0.01, (0.0, 0.03), 300), (0.015, (0.0, 0.025), 300), (0.03, (0.01, 0.05), None), (0.01, None, None)]
)
def test_an_infeasible_verdict_says_whether_width_or_figure_breaks_the_limit(make_result, told, value, interval, more):
    """By algebra: at a limit of 2% a half-width twice the room that is left needs four times the paths; a figure beyond its limit needs another set."""
    binding = Binding(
        set="current", stream="selection", name="breach_probability", scenario="calm", unit="probability", value=value, interval=interval,
        limit=0.02, at_least=False, n=100, kept=False,
    )  # fmt: skip
    ruling = Ruling(outcome="infeasible", paths=Paths(stream="selection", n=500, each=100), sets=4, kept=0, set="current", binding=binding)
    result = replace(make_result("infeasible"), ruling=ruling)
    assert more_paths(result).more == (None if more is None else pytest.approx(more, abs=1))
    out = told(result)[0]
    assert ("no interval's width" in out) == (more is None)
    assert ("--paths" in out) == (more is not None)


def test_other_verdicts_say_nothing_of_paths(make_result, told):
    """A decided verdict needs none."""
    for verdict in ("recommended", "no change"):
        assert more_paths(make_result(verdict)) is None
        assert "more paths" not in told(make_result(verdict))[0]
