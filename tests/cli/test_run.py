"""`amo-opt run`: the report, the same bytes again, interruptions, and refusals before anything is spent."""

from __future__ import annotations

import json
import os
import random
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import optuna
import pytest

from amo_opt.report.write import FILES
from amo_opt.search import optimise as room

AMO_OPT = [sys.executable, "-c", "from amo_opt.cli.main import main; main()"]


def never(*_, **__):
    raise AssertionError("a set was evaluated")


def written(record):
    """Trials in the storage so far; 0 while there is none."""
    try:
        with sqlite3.connect(f"file:{record}?mode=ro", uri=True) as database:
            return database.execute("select count(*) from trials").fetchone()[0]
    except sqlite3.Error:
        return 0


def test_a_run_writes_the_report_with_its_record_and_log_beside_it(finished, told_alike):
    """Exit 0, every file of a report in the folder and nothing else, and the verdict on stdout."""
    called, folder = finished
    assert called.status == 0, called.err
    assert {entry.name for entry in folder.iterdir()} <= set(FILES)
    assert {"proposal.md", "report.html", "results.json", "parameters.toml", "trials.csv"} <= {entry.name for entry in folder.iterdir()}
    assert {entry.name for entry in folder.parent.iterdir()} == {"report", "report.db", "report.log"}
    assert called.out.splitlines()[-2] == f"report: {folder / 'report.html'}"
    assert called.out.splitlines()[1].startswith(("no change: ", "recommended: "))
    told_alike(folder, called.out)
    assert len((folder / "trials.csv").read_text().splitlines()) == 17


def test_piped_progress_is_plain_lines(finished):
    """Away from a terminal there is no escape sequence and no carriage return, and each phase is told."""
    called, _ = finished
    assert not {"\x1b", "\r"} & set(called.out + called.err)
    assert "search: 16/16 · best yield" in called.err
    assert "certification, holdout paths: " in called.err


def test_the_same_command_again_searches_nothing_twice(finished, shared, call, tmp_path, monkeypatch):
    """With every trial in the storage none is evaluated, and the report is the same to the byte."""
    _, folder = finished
    shutil.copy(folder.with_name("report.db"), tmp_path / "report.db")
    monkeypatch.setattr(room, "evaluate", never)
    called = call("run", shared, "--out", tmp_path / "report")
    assert called.status == 0, called.err
    for name in ("results.json", "trials.csv", "parameters.toml", "proposal.md", "report.html"):
        assert (tmp_path / "report" / name).read_bytes() == (folder / name).read_bytes(), name


def test_workers_out_and_storage_change_no_byte(finished, shared, call, tmp_path):
    """Two threads, another folder and another storage: the same results.json, which --json --full prints and nothing else."""
    _, folder = finished
    called = call("run", shared, "--out", tmp_path / "other", "--storage", tmp_path / "elsewhere.db", "--workers", "2", "--json", "--full")
    assert called.status == 0
    assert (tmp_path / "other" / "results.json").read_bytes() == (folder / "results.json").read_bytes()
    assert called.out == (folder / "results.json").read_text()
    assert json.loads(called.out)["schema"] == 3
    assert "report: " in called.err
    assert (tmp_path / "elsewhere.db").exists()
    assert not (tmp_path / "other.db").exists()


@pytest.mark.parametrize(("blow", "status"), [(signal.SIGINT, 130), pytest.param(signal.SIGKILL, -9, marks=pytest.mark.campaign)])
def test_stopped_anywhere_and_called_again(finished, shared, call, tmp_path, blow, status):
    """A real process stopped in mid-search: the same command goes on, no trial is lost or double, and the results are the undisturbed ones."""
    _, undisturbed = finished
    folder, record = tmp_path / "report", tmp_path / "report.db"
    arguments = ["run", str(shared), "--out", str(folder), "--workers", "1"]
    # A shell that starts the tests in the background has them ignore Ctrl-C, and their children too.
    command = [
        sys.executable,
        "-c",
        f"import os, signal; signal.signal({int(signal.SIGINT)}, signal.SIG_DFL); os.execv({AMO_OPT[0]!r}, {[*AMO_OPT, *arguments]!r})",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60.0
        while written(record) < 2 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        process.send_signal(blow)
        _, err = process.communicate(timeout=60)
    assert process.returncode == status, err
    assert written(record) >= 2
    assert not folder.exists()
    assert "Traceback" not in err
    if blow == signal.SIGINT:
        assert err.splitlines()[-1] == "interrupted; what was finished is kept, the same command goes on from there"
    called = call(*arguments)
    assert called.status == 0, called.err
    same_as_undisturbed(folder, undisturbed)


KILLS = 50


@pytest.mark.campaign
def test_killed_again_and_again(finished, shared, call, tmp_path):
    """kill -9 at random moments, the same command after each: every run that ends has the undisturbed run's bytes and each trial once.

    A run that was killed goes on under the next call; one that ended starts over in a folder of its own. AMO_OPT_CAMPAIGN_DIR keeps the count.
    """
    _, undisturbed = finished
    place = Path(os.environ.get("AMO_OPT_CAMPAIGN_DIR", tmp_path))
    file = place / "kills.json"
    tally = json.loads(file.read_text()) if file.exists() else {"kills": 0, "ended": 0, "lengths": []}
    rng = random.Random(9 + tally["kills"])
    while tally["kills"] < KILLS:
        folder = place / f"run-{tally['ended']}" / "report"
        arguments = ["run", str(shared), "--out", str(folder), "--workers", "1"]
        began = time.monotonic()
        with subprocess.Popen([*AMO_OPT, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            # up to the length of a whole run as measured here, so the first is left alone: start-up, storage, search, certification and report alike
            longest = max(tally["lengths"], default=None)
            try:
                process.wait(timeout=None if longest is None else rng.uniform(0.2, longest))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            _, err = process.communicate(timeout=60)
        assert process.returncode in (0, -signal.SIGKILL), err
        tally["kills"] += process.returncode != 0
        if process.returncode == 0:
            tally["lengths"].append(time.monotonic() - began)
            same_as_undisturbed(folder, undisturbed)
            tally["ended"] += 1
        file.write_text(json.dumps(tally))
    folder = place / f"run-{tally['ended']}" / "report"
    called = call("run", shared, "--out", folder, "--workers", "1")
    assert called.status == 0, called.err
    same_as_undisturbed(folder, undisturbed)
    print(f"\n{tally['kills']} kills, {tally['ended'] + 1} runs that ended: no trial lost or double, the same bytes")  # noqa: T201 - a campaign reports


def same_as_undisturbed(folder, undisturbed):
    """The same results, and a storage that holds each trial once."""
    assert (folder / "results.json").read_bytes() == (undisturbed / "results.json").read_bytes()
    kept = optuna.load_study(study_name="frax-2022", storage=f"sqlite:///{folder.with_name('report.db')}").trials
    assert Counter(trial.user_attrs["number"] for trial in kept) == Counter(range(16))


def test_the_worst_paths_replay(finished, shared, call, monkeypatch):
    """Each printed command, called beside the study and the report's parameters, gives the printed figures."""
    _, folder = finished
    shutil.copy(folder / "parameters.toml", shared.parent / "parameters.toml")
    monkeypatch.chdir(shared.parent)
    worst = json.loads((folder / "results.json").read_text())["worst_paths"]
    assert len(worst) == 5
    for each in worst:
        program, *arguments = shlex.split(each["command"])
        replayed = call(*arguments, "--json")
        assert (program, replayed.status) == ("amo-opt", 0), replayed.err
        row = json.loads(replayed.out)
        for name in ("scenario", "path", "peg_loss_bps", "min_price", "unserved_usd_hours"):
            assert row[name] == each[name], name


def test_the_replay_knows_an_overridden_seed(small, call, tmp_path, monkeypatch):
    """With --seed on the command line, the printed command carries it: the study file's own would draw other paths."""
    study = small()
    called = call("run", study, "--seed", "77", "--trials", "1", "--out", tmp_path / "report", "--json", "--full")
    assert called.status == 0, called.err
    shutil.copy(tmp_path / "report" / "parameters.toml", study.parent)
    monkeypatch.chdir(study.parent)
    worst = json.loads(called.out)["worst_paths"][0]
    row = json.loads(call(*shlex.split(worst["command"])[1:], "--json").out)
    assert row["peg_loss_bps"] == worst["peg_loss_bps"]


def test_more_trials_extend_the_record(small, call, tmp_path):
    """9 trials, then 12: the first 9 stay, three are added."""
    study = small()
    tables = []
    for trials in ("9", "12"):
        called = call("run", study, "--trials", trials, "--out", tmp_path / "report")
        assert called.status == 0, called.err
        tables.append((tmp_path / "report" / "trials.csv").read_text().splitlines())
    assert tables[1][:10] == tables[0]
    assert len(tables[1]) == 13


def test_no_feasible_set_is_exit_1(small, call, tmp_path, told_alike):
    """A cover no set can keep: exit 1, and the report is written all the same; every place names the one limit that binds in the search."""
    called = call("run", small(min_external_cr="5.0"), "--trials", "9", "--out", tmp_path / "report")
    assert called.status == 1
    assert called.out.splitlines()[1].startswith("infeasible: None of 9 trials kept every limit on the search's 8 paths at point values")
    binding = told_alike(tmp_path / "report", called.out)["binding_constraint"]
    assert (binding["constraint"], binding["stream"], binding["interval"]) == ("breach_probability", "search", None)
    assert (binding["value"], binding["limit"], binding["n"]) == (pytest.approx(1.0), 0.5, 4)


def test_too_few_paths_is_said_with_the_number_needed(small, call, tmp_path, told_alike):
    """Fifty-two paths cannot decide a chance of 2%: the verdict says how many could, and nothing is recommended."""
    called = call("run", small(max_breach_probability="0.02"), "--trials", "1", "--out", tmp_path / "report")
    assert called.status == 0
    assert called.out.splitlines()[1].startswith(
        "undecidable: 52 selection paths per scenario cannot decide chance that the external collateral ratio breaks its limit in calm at a limit of "
        "2.00%; at least 150 are needed"
    )
    assert told_alike(tmp_path / "report", called.out)["paths_needed_per_scenario"] == 150


def refused(called, *fragments):
    """Exit 2, one message on stderr with every fragment, no traceback, nothing on stdout."""
    assert called.status == 2, called.out + called.err
    assert called.out == ""
    assert "Traceback" not in called.err
    assert "internal error" not in called.err
    assert all(fragment in called.err for fragment in fragments), called.err


def test_another_seed_on_the_same_record_is_refused(finished, shared, call):
    """The storage belongs to one study; an override that changes results needs another, and the message names the option."""
    _, folder = finished
    before = (folder / "results.json").read_bytes()
    refused(call("run", shared, "--seed", "12345", "--out", folder), "holds study 'frax-2022'", "--storage")
    assert (folder / "results.json").read_bytes() == before


def test_a_foreign_file_in_the_folder_is_kept(shared, call, tmp_path, monkeypatch):
    """Refused before anything is evaluated, and the file is left where it is."""
    monkeypatch.setattr(room, "evaluate", never)
    notes = tmp_path / "report" / "notes.txt"
    notes.parent.mkdir()
    notes.write_text("mine")
    refused(call("run", shared, "--out", notes.parent), "notes.txt", "--out")
    assert notes.read_text() == "mine"
    assert list(tmp_path.rglob("*")) == [notes.parent, notes]


def test_a_folder_that_cannot_be_made_is_named(shared, call, tmp_path):
    """A file where the folder's parent should be."""
    (tmp_path / "taken").write_text("")
    refused(call("run", shared, "--out", tmp_path / "taken" / "report"), "taken", "File exists", "--out")


@pytest.mark.parametrize("out", [".", "..", "../studies/.."])
def test_a_folder_without_a_name_of_its_own_is_refused(shared, call, monkeypatch, out):
    """A report replaces its folder whole: never the one a person stands in, nor one above it."""
    monkeypatch.chdir(shared.parent)
    refused(call("run", shared, "--out", out), f"--out: found {out!r}")


@pytest.mark.parametrize("storage", ["report/record.db", "sqlite:///report/deeper/record.db", ""])
def test_a_record_that_the_report_would_sweep_away_is_refused(shared, call, tmp_path, monkeypatch, storage):
    """Inside the report folder, or nowhere at all: told before the search instead of after it."""
    monkeypatch.chdir(tmp_path)
    refused(call("run", shared, "--out", "report", "--storage", storage), f"--storage: found {storage!r}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("storage", "reason"),
    [
        ("nonsense://x", "Can't load plugin"),
        ("postgresql+psycopg://me:secret@host:port/x", "invalid literal"),
        ("folder", "unable to open database file"),
        ("text.db", "file is not a database"),
    ],
)
def test_a_record_that_cannot_be_is_named(shared, call, tmp_path, monkeypatch, storage, reason):
    """One line with the address, the reason and the option; never a password."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.db").write_text("no database, only text\n" * 100)
    called = call("run", shared, "--out", "report", "--storage", storage)
    refused(called, "the storage ", reason, "--storage")
    assert "secret" not in called.err
    assert len(called.err.splitlines()) == 1


def test_a_folder_may_have_any_name(shared, call, tmp_path):
    """What an address or a format would read as its own is quoted: the storage stands beside the report, under its name."""
    name = "o{u}t, why? a%20b x@y:z"
    called = call("run", shared, "--trials", "1", "--out", tmp_path / name)
    assert called.status == 0, called.err
    assert {entry.name for entry in tmp_path.iterdir()} == {name, f"{name}.db", f"{name}.log"}


CAP = "aave_cap = { low = 0.0, high = 0.6 }"
MISTAKES = {
    "unknown key": ("bootstrap = 100", "bootstraps = 100", ("frax-2022.toml:", "certification.bootstraps", "unknown key", "'bootstrap'")),
    "wrong type": ("paths = 4", 'paths = "four"', ("frax-2022.toml:", "simulation.paths", 'found "four"', "a whole number from 1")),
    "negative cap": (CAP, "aave_cap = { low = -0.1, high = 0.6 }", ("search.space.aave_cap.low", "found -0.1", "0 to 1")),
    "A = 0": ("[current] ", "[current]\namplification = 0\n#", ("current.amplification", "found 0", "from 1 to 999999")),
    "NaN": (CAP, "aave_cap = { low = nan, high = 0.6 }", ("search.space.aave_cap.low", "not a finite number")),
    "unknown scenario": ('name = "calm"', 'name = "clam"', ("scenario[clam].name", "unknown scenario", "'calm'")),
    "missing file": ('file = "states/frax-2022-05-11.toml"', 'file = "states/nowhere.toml"', ("state.file", "no such file")),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_study_is_one_clear_message(small, call, tmp_path, mistake):
    """File, key, what was found and what is allowed, in one line; nothing is written."""
    old, new, fragments = MISTAKES[mistake]
    study = small()
    text = study.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    study.write_text(text.replace(old, new), encoding="utf-8")
    called = call("run", study, "--out", tmp_path / "report")
    refused(called, study.name, *fragments)
    assert len(called.err.splitlines()) == 1
    assert not (tmp_path / "report.db").exists()


def test_a_study_that_is_not_there(call, tmp_path):
    """A missing study file is named as it was asked for."""
    refused(call("run", tmp_path / "nowhere.toml"), f"{tmp_path / 'nowhere.toml'}: no such file")


@pytest.mark.parametrize(("option", "value"), [("--trials", "0"), ("--paths", "-1"), ("--workers", "none"), ("--seed", "-5")])
def test_an_option_out_of_range_is_named(shared, call, option, value):
    """Option and value stand in the message."""
    refused(call("run", shared, option, value), option, value)


def test_an_override_that_the_study_refuses_is_laid_at_the_command_line(shared, call):
    """Not at the file, where the reader would look in vain."""
    refused(call("run", shared, "--paths", "5000000"), "command line: simulation.paths", "found 5000000")


def test_the_report_stands_in_reports_by_default(shared, call, tmp_path, monkeypatch):
    """Without --out: reports/NAME below the current folder, the storage beside it."""
    monkeypatch.chdir(tmp_path)
    assert call("run", shared, "--trials", "1").status == 0
    assert {str(entry) for entry in Path("reports").iterdir()} == {f"reports/frax-2022{end}" for end in ("", ".db", ".log")}


def test_too_few_certification_paths_are_an_honest_answer(small, call, tmp_path, told_alike):
    """Twenty paths a scenario within generous limits: nothing is certified to be kept, no set is recommended, and no figure pretends to be known."""
    called = call("run", small(paths="2", multiple="10"), "--trials", "4", "--out", tmp_path / "report")
    assert called.status == 0
    assert called.out.splitlines()[1].startswith(
        "undecidable: 20 selection paths per scenario cannot decide deepest shortfall (CVaR 90%) in calm at a limit of 1,000.0 bp; at least 50 are needed"
    )
    verdict = told_alike(tmp_path / "report", called.out)
    assert (
        verdict["binding_constraint"]["interval"],
        verdict["binding_constraint"]["decidable"],
        verdict["paths_needed_per_scenario"],
    ) == (None, False, 50)
    document = json.loads((tmp_path / "report" / "results.json").read_text(encoding="utf-8"))
    assert (document["recommended"], document["tails_agree"]) == (None, False)
    for candidate in document["candidates"]:
        assert {each["interval"] for each in candidate["certified"].values()} == {None}
        sampled = [each for key, each in candidate["constraints"].items() if key != "caps_plus_buffer"]
        assert {(each["interval"], each["satisfied"], each["decidable"]) for each in sampled} == {(None, False, False)}
    assert {each["feasible"] for each in document["neighbours"]} <= {None, False}
    proposal, appendix = ((tmp_path / "report" / name).read_text(encoding="utf-8") for name in ("proposal.md", "appendix.md"))
    assert "# [PARAM] Too few paths to decide: 50 a scenario are needed" in proposal
    assert "95% interval not known" in proposal
    assert "Tail not settled" in proposal
    assert "limits: 8 undecided of 9 on selection and holdout paths" in appendix
    assert "Whether the tail is settled is not known: n = 20 drawn paths a scenario are too few for an interval" in appendix
    for name in ("proposal.md", "report.html", "appendix.md"):
        text = (tmp_path / "report" / name).read_text(encoding="utf-8")
        assert not re.search(r"(?<![\w.])[-−]?(inf|nan|Infinity|NaN)(?![\w.])", text), name
