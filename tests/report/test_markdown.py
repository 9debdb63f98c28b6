"""What is put into Markdown renders as the text it was."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from amo_opt.report.markdown import Markdown, code, escape
from amo_opt.report.wording import clean

RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


class _Reader(HTMLParser):
    """Tags and text of a rendered document."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def _read(markdown: str) -> _Reader:
    reader = _Reader()
    reader.feed(RENDERER.render(markdown))
    reader.close()
    return reader


HOSTILE = [
    "<script>alert(1)</script>",
    "[pay here](javascript:alert(1))",
    "![x](https://evil.example/pixel.png)",
    "# heading",
    "- item",
    "1. item",
    "a | b | c",
    "`code` and **bold** and _it_ and ~~gone~~",
    "&lt;b&gt; &#60;",
    "=====",
    "> quoted",
    "back\\slash \\` here",
    "---",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_renders_as_itself(text):
    """No markup gets through, and nothing is lost."""
    reader = _read(escape(text))
    assert reader.tags <= {"p", "a"}
    assert "img" not in reader.tags
    assert reader.text.strip() == text


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_any_text_stays_in_its_table_cell(text):
    """A table of one cell has one cell whatever is written into it, and only links to plain addresses appear."""
    reader = _read(f"| head |\n|---|\n| x{escape(text)} |\n")
    assert reader.tags <= {"table", "thead", "tbody", "tr", "th", "td", "a"}
    assert "".join(reader.text.split()) == "".join(f"headx{clean(text)}".split())


@given(st.text(alphabet="`|a \\", min_size=1, max_size=12).filter(lambda text: text.strip() not in ("", "\\")))
def test_inline_code_shows_any_run_of_backticks(text):
    """A command with backticks or pipes stays whole, in a table too."""
    reader = _read(f"| head |\n|---|\n| {code(text)} |\n")
    assert "code" in reader.tags or set(text) <= {"\\", "|", " "}
    assert reader.text.count("a") == text.count("a") + 1


def test_an_address_becomes_a_link_that_shows_where_it_leads():
    """Underscores in a source's address are not emphasis."""
    assert escape("see https://example.org/a_b.csv.") == "see <https://example.org/a_b.csv>."


def test_markdown_passes_and_mentions_do_not():
    """Template text is trusted; an @ in a note calls nobody."""
    assert escape(Markdown("**x**")) == "**x**"
    assert "@" not in escape("@everyone")
