"""The page and the proposal as documents."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from read import each as each_of

from amo_opt.report import report_files
from amo_opt.report.account import Account
from amo_opt.report.blocks import Moved, Table, Text, Told
from amo_opt.report.figures import draw_all
from amo_opt.report.pages import SECTIONS, appendix, proposal_md, report_html
from amo_opt.search.ruling import Objection, Turn

VOID = {"meta", "br", "link", "img", "input", "hr", "path", "use"}
HOSTILE = '</p><script>alert("x")</script>{{ 7*7 }} [click](javascript:alert(1)) | **bold** & more'


class _Outline(HTMLParser):
    """Tags, ids and references, and whether every element is closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.references: set[str] = set()
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src", "action", "data"):
                self.addresses.append(value)
            self.references.update(re.findall(r"url\(#([^)]+)\)", value or ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def _outline(page: bytes) -> _Outline:
    outline = _Outline()
    outline.feed(page.decode())
    outline.close()
    return outline


POSTED = (
    "Summary",
    "Why now",
    "Change",
    "Benefit",
    "Risks",
    "How far to trust this",
    "Execution",
    "Rollback and monitoring",
    "Next steps",
    "Disclosure",
)
ALL_AT_ONCE = ("decision",)
"""Sections that are no part of the page's own: the first screen says them."""


def test_every_section_is_there_in_order(files):
    """The appendix holds all fifteen, numbered; the page each but the decision, which its first screen is; and the proposal what a voter reads, in its order."""
    appendix = files["appendix.md"].decode()
    headings = re.findall(r"^## (.+) \(section (\d+)\)$", appendix, re.MULTILINE)
    numbers = {each.name: number for number, each in enumerate(SECTIONS)}
    assert headings[: len(SECTIONS)] == [(each.title, str(number)) for number, each in enumerate(SECTIONS)]
    page = files["report.html"].decode()
    folded = dict(re.findall(r'<details id="(\w+)"><summary><h2><span class="number">(\d+)</span>[^<]+</h2></summary>', page))
    shown = re.findall(r'<section id="(\w+)">', page)
    assert {name: number for name, number in numbers.items() if name in folded} == {name: int(number) for name, number in folded.items()}
    assert set(numbers) - set(folded) - set(shown) == set(ALL_AT_ONCE)
    proposal = files["proposal.md"].decode()
    assert tuple(re.findall(r"^## (.+)$", proposal, re.MULTILINE)) == POSTED
    for text in (proposal, appendix):
        assert all(body.strip() for body in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:])


def test_what_is_folded_opens_without_a_script_and_says_what_is_in_it(files):
    """`<details>` and nothing else: each closed, with a heading of its own that is no bare title, and something inside."""
    page = files["report.html"].decode()
    parts = re.findall(r"<details[^>]*>(.*?)</details>", page, re.DOTALL)
    assert len(parts) == page.count("<details") >= 12
    assert "<details open" not in page
    found = [re.fullmatch(r"<summary><h2>(?:<span[^>]*>\d+</span>)?([^<]+)</h2></summary>(.*)", part, re.DOTALL) for part in parts]
    headings = [each[1] for each in found if each]
    assert len(headings) == len(set(headings)) == len(parts)
    assert all(len(re.sub(r"<[^>]+>", "", each[2]).split()) > 10 for each in found)
    assert all(len(each) <= 160 for each in headings)


def test_the_page_is_well_formed_and_ids_are_its_own(files):
    """Every element closes, no id occurs twice, every reference inside the page has its target."""
    outline = _outline(files["report.html"])
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    targets = {address[1:] for address in outline.addresses if address.startswith("#")}
    assert (outline.references | targets) <= set(outline.ids)


def test_the_page_needs_nothing_from_elsewhere(files):
    """No script, no image, no font, no style sheet, no address but within the page: it opens offline and tells nobody."""
    outline = _outline(files["report.html"])
    assert not {"script", "img", "link", "iframe", "object", "form", "image"} & set(outline.tags)
    assert all(address.startswith("#") for address in outline.addresses)
    assert b"@import" not in files["report.html"]
    assert b"default-src 'none'" in files["report.html"]


def test_sample_sizes_are_shown(files):
    """No rule of the style sheets hides the class of cells that hold n, or of any other cell."""
    page = files["report.html"].decode()
    style = page.split("<style>")[1].split("</style>")[0]
    cells = {name for kinds in re.findall(r'<t[dh][^>]* class="([^"]+)"', page) for name in kinds.split()}
    assert "n" in cells
    hidden = {name for rule in re.findall(r"([^{}]+)\{[^}]*display:\s*none", style) for name in re.findall(r"\.([\w-]+)", rule)}
    assert not cells & hidden


def test_the_page_stays_small(files, make_result):
    """At most 400 KB, and little more with thirteen scenarios."""
    assert len(files["report.html"]) <= 400_000
    result = make_result()
    scenarios = tuple(replace(result.study.scenarios[number % 5], name=f"s-{number}") for number in range(13))
    fans = tuple(replace(fan, scenario=each.name) for each in scenarios for fan in result.fans[:2])
    traces = tuple(replace(each, scenario="s-2") for each in result.worst_traces)
    paths = tuple(replace(each, scenario="s-2") for each in result.worst_paths)
    many = replace(result, study=replace(result.study, scenarios=scenarios), fans=fans, worst_traces=traces, worst_paths=paths)
    assert len(report_files(many)["report.html"]) <= 420_000


def _first_screen(page: str) -> str:
    return page.split('<header id="first">')[1].split("</header>", maxsplit=1)[0]


def _outermost(markup: str) -> list[str]:
    """The opening tags of drawings that stand in no other."""
    depth, found = 0, []
    for each in re.finditer(r"<svg[^>]*>|</svg>", markup):
        if each[0] == "</svg>":
            depth -= 1
            continue
        if not depth:
            found.append(each[0])
        depth += 1
    assert depth == 0
    return found


@pytest.mark.parametrize("verdict", ["recommended", "no change", "undecidable", "infeasible"])
def test_every_figure_has_words(make_result, verdict):
    """A picture that cannot be seen has a text, and each caption states n and seed; on the first screen the kicker says n once for all, and the seed stands with the search."""
    page = report_html(*_drawn(make_result(verdict)))
    screen = _first_screen(page)
    figures = re.findall(r"<figure.*?</figure>", page.replace(screen, ""), re.DOTALL)
    assert len(figures) == 12
    for figure in figures:
        assert re.search(r'role="img" aria-label="[^"]{20,}"', figure)
        caption = re.search(r"<figcaption>(.*?)</figcaption>", figure, re.DOTALL)[1]
        assert "n = " in caption
        assert "seed 1" in caption
    assert re.search(r'<p class="kicker"><span>[^<]* · 3,200 holdout paths</span>', screen)
    drawn = _outermost(screen)
    assert len(drawn) == 5, "two intervals, the limits, the plane and the worst path"
    assert all(re.search(r'role="img" aria-label="[^"]{20,}"', each) for each in drawn)
    assert sum(", n = 3,200 paths" in each for each in drawn) == 2, "an interval is heard with its n"
    captions = re.findall(r"<figure.*?<figcaption>(.{20,}?)</figcaption></figure>", screen, re.DOTALL)
    assert len(captions) == screen.count("<figure") == 2


def _drawn(result):
    facts = Account(result)
    return facts, draw_all(facts)


def test_the_page_can_be_heard_and_walked_by_keyboard(files):
    """Language, title, one h1, no level skipped; every header cell has a scope, every box that scrolls takes the focus and has a name; a drawing is one picture with one text."""
    page = files["report.html"].decode()
    assert '<html lang="en">' in page
    assert re.search(r"<title>([^<]+)</title>", page)[1] == re.search(r"<h1>([^<]+)</h1>", page)[1]
    levels = [int(level) for level in re.findall(r"<h([1-6])\b", page)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert not re.search(r"<th(?![^>]*\bscope=)[ >]", page)
    assert not re.search(r"<th [^>]*></th>", page), "a column without a name"
    boxes = re.findall(r'<div class="(?:scroll|panels)"[^>]*>', page)
    assert boxes
    assert all('tabindex="0"' in box and re.search(r'role="(?:group|img)" aria-label="[^"]+"', box) for box in boxes)
    rest = page.replace(_first_screen(page), "")
    assert rest.count("<svg ") == rest.count("<svg viewBox") == len(re.findall(r'<svg [^>]*aria-hidden="true"', rest))
    hidden = re.findall(r'<(?:i|div class="bar") aria-hidden="true">(.)', _first_screen(page))
    assert len(hidden) == _first_screen(page).count('aria-hidden="true"')
    assert set(hidden) <= set("▲●▼○■–<"), "marks beside their word and bars beside their figure, nothing else"


def test_every_table_with_intervals_says_n(whole):
    """No figure without an interval and its n: a table of the appendix that shows intervals has a column n, or the text above it does; in the proposal each cell with one does."""
    shown = [each for part in appendix(whole).parts for each in re.findall(r"((?:[^\n]*\n){3})(\|[^\n]+\|)\n\|[-:| ]+\|\n", f"\n\n{part}")]
    with_intervals = [(above, head) for above, head in shown if re.search(r"95%|[Ww]orse end|bp \(", head)]
    assert len(with_intervals) >= 10
    for above, head in with_intervals:
        assert re.search(r"\| n\b", head) or "n = " in above, head
    cells = [cell for cell in proposal_md(whole).split("|") if "; allowed " in cell]
    assert len(cells) == 2
    assert all(re.search(r"95% interval .+; n = [\d,]+\)", cell) for cell in cells)


def test_every_row_that_has_an_interval_has_an_n(result):
    """Every table of every section, what is posted in its place included: where figures stand with their intervals the number of paths stands in the row, or in the text above."""
    seen = Counter()
    for section in SECTIONS:
        above = ""
        for block in each_of(section.blocks(Account(result))):
            if isinstance(block, Text):
                above = block.markdown({})
            for row in block.rows if isinstance(block, Table) else ():
                if any(isinstance(cell, Told | Moved) and " to " in cell.interval for cell in row):
                    seen[section.name, block.label] += 1
                    sizes = [str(cell) for cell, column in zip(row, block.columns, strict=True) if column.kind == "n"]
                    assert any(re.fullmatch(r"[\d,]+( drawn \+ [\d,]+ twins?)?", size) for size in sizes) or "n = " in above, (
                        block.label,
                        row,
                    )
    found = {label for _, label in seen}
    assert len(seen) >= 9
    assert {"Before and after", "Scenarios", "Parts of the peg risk", "Run capacity", "Cost of the change"} <= found


def test_text_of_others_stays_text(make_result):
    """Notes, titles, sources, reasons: escaped in the page, in the proposal and in its appendix, never run as a template."""
    result = make_result(notes=HOSTILE)
    study = result.study
    pool = replace(study.state.pool, fee=replace(study.state.pool.fee, source=HOSTILE, assumed=None))
    scenarios = tuple(replace(each, title=HOSTILE, summary=HOSTILE, weight_reason=HOSTILE, sources=(HOSTILE,)) for each in study.scenarios)
    study = replace(study, name=HOSTILE, scenarios=scenarios, state=replace(study.state, name=HOSTILE, notes=HOSTILE, pool=pool))
    hostile = Objection(kind="failed", stream="holdout", detail=HOSTILE)
    candidates = tuple(replace(each, objection=hostile) for each in result.candidates)
    trials = tuple(replace(each, failure=HOSTILE if each.score is None else None) for each in result.trials)
    result = replace(
        result,
        study=study,
        candidates=candidates,
        trials=trials,
        ruling=replace(result.ruling, set=HOSTILE, failed=((HOSTILE, HOSTILE),)),
    )
    result = replace(
        result,
        neighbours=tuple(replace(each, objection=hostile) for each in result.neighbours),
        sensitivity=tuple(replace(each, objection=Turn(kind="failed", detail=HOSTILE)) for each in result.sensitivity),
        run_capacities=tuple(replace(each, candidate=HOSTILE) for each in result.run_capacities),
        importances={HOSTILE: {"aave_cap": 1.0}},
    )
    files = report_files(result)
    outline = _outline(files["report.html"])
    assert "script" not in outline.tags
    assert HOSTILE in outline.text
    assert "49" not in re.findall(r"\{\{ 7\*7 \}\}|</script>49", outline.text)
    for name in ("proposal.md", "appendix.md"):
        text = files[name].decode()
        assert not re.search(r"(?<!\\)<script", text)
        assert not re.search(r"(?<!\\)\[click(?<!\\)\]", text)
        rendered = _Outline()
        rendered.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
        assert not {"script", "img", "iframe"} & set(rendered.tags)
        assert all(address.startswith("https://example.org/") for address in rendered.addresses)
        assert 'alert("x")' in rendered.text


def test_a_sign_of_another_script_survives_and_a_disguise_does_not(make_result):
    """Letters of any language are text; what turns the reading direction is not."""
    files = report_files(make_result(notes="Änderung 参数 \u202egpj.exe"))
    for name in ("report.html", "proposal.md"):
        assert "Änderung 参数 gpj.exe" in files[name].decode()


@pytest.mark.parametrize("verdict", ["no change", "undecidable", "infeasible"])
def test_without_a_recommendation_the_page_says_so_plainly(make_result, verdict):
    """Page and proposal open with the verdict and ask for nothing to be executed; no column is headed Proposed, and the alternative is named as one that is not recommended."""
    files = report_files(make_result(verdict))
    page, proposal = files["report.html"].decode(), files["proposal.md"].decode()
    assert f'<span class="verdict">{verdict.upper()}</span>' in page
    assert verdict.upper() in proposal.split("\n\n")[2]
    for text in (_first_screen(page), proposal.split("## Why now")[0]):
        assert "parameters as they are" in text
        assert "Nothing is executed" in text
    assert "What Option B would change" in page
    assert "It is not recommended" in page
    assert "## What was weighed against today’s set: Option B" in proposal
    assert "## Change\n" not in proposal
    assert not re.search(r">Proposed|\| Proposed", page + proposal)
    assert "(not recommended)" in page


def test_a_lone_current_set_makes_a_report(make_result):
    """Nothing feasible, nothing certified but what is: the report still stands, without fans, front or profile too."""
    result = replace(make_result("infeasible", candidates=0), fans=(), profile=None, worst_paths=(), gap={})
    page = report_files(result)["report.html"].decode()
    assert "Only the current set was certified." in page
    assert "No path was singled out." in page


COUNTED = (b"2022-05-14", b"2022-05-16", b"2022-07-27", b"2022-07-28", b"2022-05-30")
"""Earliest and planned execution, end of the ramp and its last day, end of the revert batch."""


def test_nothing_of_the_machine_gets_in(files):
    """Neither the study's folder nor a date but the study's and those counted from it: the same bytes wherever it ran."""
    everything = b"".join(files.values())
    assert b"/somewhere" not in everything
    assert b"Matplotlib" not in files["report.html"]
    assert set(re.findall(rb"20[0-9]{2}-[0-9]{2}-[0-9]{2}", everything)) <= {b"2022-05-11", b"2022-05-10", *COUNTED}


def test_lists_in_a_line_of_the_appendix_keep_their_spaces(files):
    """Escaping trims a value, so separators belong to the template."""
    assert re.search(r"python [0-9.]+, amo-opt .+, numpy ", files["appendix.md"].decode())


def test_replays_stand_in_page_and_appendix(result, met, missed):
    """A figure each with caption, verdicts with shape and distance, and the warning in the box; hostile names stay text."""
    files = report_files(replace(result, episodes=(met, replace(missed, title=HOSTILE, notes=(HOSTILE,)))))
    page, whole = files["report.html"].decode(), files["appendix.md"].decode()
    outline = _outline(files["report.html"])
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    assert "script" not in outline.tags
    assert page.count("of 3 recorded prices 1 lie outside the band: the band is what the paths differ by") == 2
    for text in (outline.text, whole):
        assert "Episodes replayed" in text
        assert "MODEL NOT VALIDATED" in text
    assert "▼ MISSED by 0.02" in whole
    assert "● MET" in whole
    assert "MODEL NOT VALIDATED" in files["proposal.md"].decode()
    assert "1 of 2 replayed figures in their bands" in files["proposal.md"].decode()
    assert "MODEL NOT VALIDATED" not in report_files(replace(result, episodes=(met,)))["report.html"].decode()
