"""`amo-opt verify`: a report's study once more, compared byte by byte."""

from __future__ import annotations

import json
import shutil

import pytest


@pytest.fixture
def report(finished, tmp_path):
    """The report of the small run, away from its record."""
    _, folder = finished
    return shutil.copytree(folder, tmp_path / "reports" / "frax-2022")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of the test's own, in which nothing is left."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield
    assert not list((tmp_path / "cache").rglob("*.db"))


def changed(report, change):
    file = report / "results.json"
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))


def test_the_same_study_gives_the_same_bytes(report, shared, call):
    """From nothing: the run's own record is not there. Nothing is left beside the report, and nothing of it is touched."""
    held = {file.name: file.read_bytes() for file in report.iterdir()}
    called = call("verify", report, "--study", shared, "--quiet")
    assert called.status == 0, called.err + called.out
    assert called.out.startswith(f"verified: {report / 'results.json'} is what this machine gives for the study, sha256 ")
    assert called.out.count("\n") == 1
    assert {file.name: file.read_bytes() for file in report.iterdir()} == held
    assert [entry.name for entry in report.parent.iterdir()] == ["frax-2022"]


def test_a_figure_that_was_changed_is_named(report, shared, call):
    """A last digit is enough; the run's own report is left to look at, and status 1 is the answer no."""
    changed(
        report,
        lambda found: (
            found["verdict"].update(alpha=found["verdict"]["alpha"] + 2**-50)
            if "alpha" in found["verdict"]
            else found["current"].update(amplification=11.0)
        ),
    )
    called = call("verify", report, "--study", shared, "--quiet")
    assert called.status == 1, called.err + called.out
    first, second, last = called.out.splitlines()
    assert "1 figure differs" in first
    assert " in the report, " in second
    again = report.with_name("frax-2022-verify")
    assert last == f"the report of this run: {again}"
    assert {entry.name for entry in report.parent.iterdir()} == {"frax-2022", "frax-2022-verify"}


SAYS = {
    "no report": (lambda report: (report / "results.json").unlink(), "cannot be read"),
    "not JSON": (lambda report: (report / "results.json").write_text("{"), "is not JSON"),
    "another schema": (lambda report: changed(report, lambda found: found.update(schema=1)), "schema: found 1; allowed: 3"),
    "older": (lambda report: changed(report, lambda found: found["study"].pop("trials")), "study.trials is not what a report holds there"),
    "no whole seed": (lambda report: changed(report, lambda found: found["study"].update(seed=1.7)), "study.seed is not what"),
    "a seed without end": (
        lambda report: changed(report, lambda found: found["study"].update(seed=float("inf"))),
        "study.seed is not what",
    ),
    "a list": (lambda report: changed(report, lambda found: found.update(study=[])), "study.name is not what"),
    "a schema of depth": (
        lambda report: (report / "results.json").write_text('{"schema": ' + "[" * 900 + "]" * 900 + "}"),
        "schema: found nothing",
    ),
    "a long name": (lambda report: changed(report, lambda found: found["study"].update(name="x" * 300)), "study.name is not what"),
    "another amo-opt": (
        lambda report: changed(report, lambda found: found["versions"].update({"amo-opt": "9.9"})),
        "written by amo-opt 9.9 with",
    ),
    "a record that is none": (lambda report: (report / "execution.json").write_text("{bad"), "execution.json"),
    "a folder in the way": (lambda report: report.with_name("frax-2022-verify").mkdir(), "is there already: remove it"),
    "another study": (
        lambda report: changed(report, lambda found: found["study"].update(hash="0" * 64)),
        "of the study with hash 000000000000; ",
    ),
    "another model": (
        lambda report: changed(report, lambda found: (found["study"].update(hash="0" * 64), found["versions"].update(model="1"))),
        "with model 1, this is ",
    ),
}


@pytest.mark.parametrize("fault", SAYS)
def test_what_cannot_be_verified_is_said(report, shared, call, monkeypatch, fault):
    """One line and status 2 before anything is simulated."""
    monkeypatch.setattr("amo_opt.search.optimise.optimise", None)
    damage, says = SAYS[fault]
    damage(report)
    called = call("verify", report, "--study", shared)
    assert (called.status, called.out, len(called.err.splitlines())) == (2, "", 1)
    assert says in called.err


def test_a_record_beside_the_report_proves_nothing(report, finished, shared, call):
    """Whoever sends a report may send a record too: it is neither read nor touched; and . is a folder with a name."""
    planted = report.with_name("frax-2022-verify.db")
    shutil.copy(finished[1].with_name("report.db"), planted)
    held = planted.read_bytes()
    changed(report, lambda found: found["current"].update(amplification=11.0))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(report)
        called = call("verify", ".", "--study", shared, "--quiet", "--out", report.parent / "mine")
    assert called.status == 1, called.err + called.out
    assert "current.amplification: 11.0 in the report" in called.out
    assert planted.read_bytes() == held
    assert (report.parent / "mine" / "report.html").is_file()


def test_what_is_written_otherwise_or_missing_is_told(report, shared, call):
    """A key that is gone is a difference; the same figures with other spaces are said to be that."""
    changed(report, lambda found: None)
    called = call("verify", report, "--study", shared, "--quiet")
    assert (called.status, "every figure is the same, the file is written otherwise" in called.out) == (1, True)
    shutil.rmtree(report.with_name("frax-2022-verify"))
    changed(report, lambda found: found.pop("half_step"))
    called = call("verify", report, "--study", shared, "--quiet")
    assert (called.status, "half_step: not there in the report" in called.out) == (1, True)


def test_the_study_is_looked_for_where_it_usually_is(report, shared, call, monkeypatch):
    """In studies/ beside the reports, and among the shipped ones, which the small one is not."""
    monkeypatch.chdir(report.parent)
    called = call("verify", report)
    assert called.status == 2
    assert "of the study with hash " in called.err
    shutil.copytree(shared.parent, report.parents[1] / "studies")
    called = call("verify", report, "--quiet")
    assert called.status == 0, called.err + called.out
