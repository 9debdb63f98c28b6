"""Blocks render the same values in both languages, and nothing of others becomes markup in either."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from amo_opt.report.blocks import (
    Bullets,
    Code,
    Heading,
    InText,
    Long,
    Moved,
    Named,
    OnPage,
    Pairs,
    Picture,
    Pre,
    See,
    Strong,
    Table,
    Text,
    ToFill,
    Told,
    longs,
    n,
    num,
    to_html,
    to_markdown,
    told,
    wide,
)
from amo_opt.report.figures import Drawing
from amo_opt.report.wording import Chip, Scale
from amo_opt.scoring.types import Estimate

HOSTILE = "<script>x</script> | [a](b) `c` & @all"
RENDER = MarkdownIt("commonmark").enable("table").render
FIGURE = Estimate.of(0.0277, (0.0268, 0.0286), n=640, fewest=640)
YIELD = Scale(100.0, 2, "% a year")
LINES = {
    "text": HOSTILE,
    "code": Code(HOSTILE),
    "strong": Strong(HOSTILE),
    "to fill": ToFill(HOSTILE),
    "named": Named(HOSTILE, (HOSTILE,), below=HOSTILE, mark="†"),
    "told": Told(HOSTILE, HOSTILE, Chip("BETTER")),
    "see": See("nowhere", HOSTILE),
}


@pytest.mark.parametrize("name", LINES)
def test_text_of_others_is_no_markup(name):
    """In a paragraph, a cell, a list: shown as it was written."""
    blocks = [Text("a ", LINES[name]), Table(("A", "B"), [(LINES[name], "x")]), Bullets([LINES[name]]), Pairs((("k", LINES[name]),))]
    for markup in (to_html(blocks), RENDER(to_markdown(blocks))):
        assert "<script>" not in markup
        assert 'href="b"' not in markup
        assert markup.count("&lt;script&gt;x&lt;/script&gt;") >= 4
    assert "@all" not in to_markdown(blocks).replace("`", "") or name in ("code", "named")


def test_a_figure_has_its_interval_in_both():
    """Below it on the page, in brackets in the appendix; a difference with its sign and the shape of its verdict; what is not there is a dash."""
    rows = [("a", told(FIGURE, YIELD), told(FIGURE, YIELD, signed=True, verdict=Chip("BETTER")), told(None, YIELD), None)]
    table = Table(("Set", num("Yield"), num("More"), num("None"), n()), rows)
    assert to_markdown([table]).splitlines()[1:] == [
        "|---|---:|---:|---:|---:|",
        "| a | 2.77 (2.68 to 2.86) | +2.77 (+2.68 to +2.86) ▲ | – | – |",
    ]
    page = to_html([table])
    assert '<td class="num">2.77<small>2.68 to 2.86</small></td>' in page
    assert '<span aria-hidden="true">▲</span><span class="hidden">BETTER</span><small>+2.68 to +2.86</small>' in page
    assert '<th scope="row">a</th>' in page
    assert '<td class="num n">–</td>' in page


def test_what_is_not_known_is_said_once():
    """Not as a figure and again as its interval."""
    assert Told("not known", "not known").markdown({}) == "not known"


def test_a_moved_cell_shows_the_verdict():
    """By colour and shape on the page, by shape in the appendix; alone, a cell is its figure and interval."""
    cell = Moved("2.1", "2.4", "+0.3", "+0.1 to +0.5", Chip("WORSE"))
    assert to_markdown([Table(("A", "B"), [("a", cell)])]).endswith("| a | 2.1 → 2.4 ▼ (+0.1 to +0.5) |")
    assert (
        '<td class="num worse"><b>+0.3</b> <span title="WORSE">▼</span><small>+0.1 to +0.5</small><small>2.1 → 2.4</small></td>'
        in to_html([Table(("A", num("B")), [("a", cell)])])
    )
    assert Moved("2.1", "", "", "1.9 to 2.2", None).markdown({}) == "2.1 (1.9 to 2.2)"


def test_long_parts_are_moved_and_found():
    """In their place on the page; in the appendix only where they stand is said."""
    long = Long("risk", "Where it comes from", Text("part by part"))
    blocks = [Text("Part by part: ", See("risk"), "."), long, InText(Long("more", "More", Text("x"))), OnPage(Text("page"))]
    assert to_markdown(blocks, {"risk": "appendix 2"}) == "Part by part: appendix 2."
    assert [each.key for each in longs(blocks)] == ["risk", "more"]
    page = to_html(blocks)
    assert '<a href="#risk">below</a>' in page
    assert '<h3 id="risk">Where it comes from</h3>\n<p>part by part</p>' in page
    assert "More" not in page
    assert "<p>page</p>" in page


def test_what_holds_nothing_leaves_no_trace():
    """A table without rows, a list without items, an empty paragraph, a long part of nothing."""
    blocks = [Table(("A",), []), Bullets([]), Text(""), Long("a", "A", Table(("A",), [])), Picture("none")]
    assert to_markdown(blocks) == ""
    assert to_html(blocks) == ""


def test_pieces_of_a_line_do_not_run_together():
    """Blanks between pieces stay; a line does not open a list by accident, a piece within it needs no escape."""
    line = Text("It is ", Strong("kept"), ": ", Code("a.b"), " - so.")
    assert to_markdown([line]) == "It is **kept**: `a.b` - so."
    assert to_markdown([Text("- no list")]) == "\\- no list"


def test_pictures_are_on_the_page():
    """With what a reader who cannot see them should know."""
    drawing = Drawing(("<svg></svg>",), 'a "caption"', 'an "alt"')
    page = to_html([Picture("forest")], {"forest": (drawing,)})
    assert 'aria-label="an &quot;alt&quot;"' in page
    assert "<svg></svg>" in page
    assert to_markdown([Picture("forest")]) == ""


def test_heads_and_commands():
    """Headings, calldata that wraps, a command on a line of its own."""
    blocks = [Heading("Title", anchor="here"), Table(("A", wide("Calldata")), [("a", Code("0x00"))]), Pre("amo-opt run x")]
    assert to_markdown(blocks).split("\n\n") == ["### Title", "| A | Calldata |\n|---|---|\n| a | `0x00` |", "```\namo-opt run x\n```"]
    assert '<h3 id="here">Title</h3>' in to_html(blocks)
    assert '<td class="text"><code>0x00</code></td>' in to_html(blocks)
