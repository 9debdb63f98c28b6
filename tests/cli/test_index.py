"""`amo-opt index`: a page of the reports in a folder."""

from __future__ import annotations

import json
import shutil
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest


class Page(HTMLParser):
    """Links, tags and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.tags, self.text = [], set(), ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def reports(finished, tmp_path):
    """A folder with one report, under a name that an address has to quote."""
    _, report = finished
    folder = tmp_path / "reports"
    shutil.copytree(report, folder / "a & b #1")
    return folder


def changed(report, change):
    file = report / "results.json"
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))


def test_the_page_tells_every_report_and_leads_to_it(reports, call):
    """Title, verdict, date, study and warnings as results.json has them; the links lead to pages that are there; one file without a script."""
    shutil.copytree(reports / "a & b #1", reports / "older")
    changed(reports / "older", lambda found: found["finding"].update(state_date="2021-01-01", warnings=[]))
    called = call("index", reports)
    assert (called.status, called.err, called.out) == (0, "", f"2 reports: {reports / 'index.html'}\n")
    page = Page((reports / "index.html").read_text(encoding="utf-8"))
    document = json.loads((reports / "a & b #1" / "results.json").read_text())
    for text in (
        document["finding"]["title"],
        document["verdict"]["outcome"],
        "2022-05-11",
        "frax-2022",
        document["study"]["hash"][:12],
        "2021-01-01",
    ):
        assert text in page.text, text
    assert document["finding"]["warnings"]
    assert all(each in page.text for each in document["finding"]["warnings"])
    assert [unquote(each) for each in page.links] == ["a & b #1/report.html", "older/report.html"], "the newest state first"
    assert all((reports / unquote(each)).is_file() for each in page.links)
    assert not {"script", "link", "img", "iframe"} & page.tags


def test_the_title_is_the_report_s_own(reports, call):
    """What the page's heading says, and the warnings that stand beside its verdict."""
    document = json.loads((reports / "a & b #1" / "results.json").read_text())
    proposal = (reports / "a & b #1" / "proposal.md").read_text(encoding="utf-8")
    html = (reports / "a & b #1" / "report.html").read_text(encoding="utf-8")
    assert document["finding"]["title"] in html
    assert all(f"{each}**" in proposal for each in document["finding"]["warnings"])


BREAKS = {
    "not JSON": (lambda report: (report / "results.json").write_text("{"), "results.json is not JSON"),
    "gone": (lambda report: (report / "results.json").unlink(), "results.json cannot be read (No such file or directory)"),
    "a list": (lambda report: (report / "results.json").write_text("[]"), "schema: found nothing; allowed: 3"),
    "another version's": (lambda report: changed(report, lambda found: found.update(schema=9)), "schema: found 9; allowed: 3"),
    "a schema of depth": (
        lambda report: (report / "results.json").write_text('{"schema": ' + "[" * 900 + "]" * 900 + "}"),
        "schema: found [[[",
    ),
    "without its finding": (
        lambda report: changed(report, lambda found: found.pop("finding")),
        "`amo-opt report STUDY.toml` writes it again",
    ),
    "a title that is none": (lambda report: changed(report, lambda found: found["finding"].update(title=3)), "found 3 for a text"),
    "without its page": (lambda report: (report / "report.html").unlink(), "report.html is missing"),
}


@pytest.mark.parametrize("damage", BREAKS)
def test_a_damaged_report_is_named_in_a_line(reports, call, damage):
    """On stderr and on the page; the others stand there all the same, exit 0."""
    shutil.copytree(reports / "a & b #1", reports / "broken")
    hurt, told = BREAKS[damage]
    hurt(reports / "broken")
    called = call("index", reports)
    assert called.status == 0, called.err
    assert len(called.err.splitlines()) == 1
    assert called.err.startswith("not readable: broken: ")
    assert told in called.err
    page = Page((reports / "index.html").read_text(encoding="utf-8"))
    assert called.err.strip().removeprefix("not readable: ") in page.text
    assert page.links == ["a%20%26%20b%20%231/report.html"]


def test_what_others_wrote_stays_text(reports, call):
    """A name of a study or a title with markup is shown, not obeyed."""
    changed(
        reports / "a & b #1", lambda found: (found["finding"].update(title="<script>x</script>\u202e"), found["study"].update(name="<b>&"))
    )
    call("index", reports)
    text = (reports / "index.html").read_text(encoding="utf-8")
    page = Page(text)
    assert "script" not in page.tags
    assert "<script>x</script>" in page.text
    assert "<b>&" in page.text
    assert "\u202e" not in text


def test_what_is_no_report_is_passed_over(reports, call):
    """Records, logs and folders of anything else."""
    (reports / "frax-2022.db").write_text("")
    (reports / "notes").mkdir()
    assert call("index", reports).out.startswith("1 report: ")


def test_a_page_of_somebody_else_s_is_left_alone(reports, call):
    """Ours is replaced, by the same bytes; another is not."""
    assert call("index", reports).status == 0
    before = (reports / "index.html").read_bytes()
    assert call("index", reports).status == 0
    assert (reports / "index.html").read_bytes() == before
    (reports / "index.html").write_text("<h1>mine</h1>")
    called = call("index", reports)
    assert (called.status, called.out) == (2, "")
    assert "was not written by `amo-opt index`" in called.err
    assert (reports / "index.html").read_text() == "<h1>mine</h1>"


def test_folders_without_reports_are_refused(reports, call, tmp_path):
    """None there, none in it, and a report itself: one line, exit 2, nothing written."""
    (tmp_path / "empty").mkdir()
    for folder, told in (
        (tmp_path / "absent", "no such folder"),
        (tmp_path / "empty", "holds no report"),
        (reports / "a & b #1", "is a report itself"),
    ):
        called = call("index", folder)
        assert (called.status, called.out, len(called.err.splitlines())) == (2, "", 1)
        assert told in called.err
        assert not (folder / "index.html").exists()
