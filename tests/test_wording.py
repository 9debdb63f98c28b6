"""Limits carry no noise, intervals say what is not known, and what is put into Markdown renders as the text it was."""

from __future__ import annotations

import math
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.wording import (
    LONGEST_NAME,
    NOT_KNOWN,
    Markdown,
    clean,
    code,
    decimals_of,
    escape,
    fixed,
    interval,
    named,
    plain,
    significant,
)

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


def test_clean_removes_what_disguises_text():
    """A right-to-left override can make a name read as another."""
    assert clean("safe\u202egnp\u200b.toml\x07") == "safegnp.toml"
    assert len(PARAMETERS) == len({clean(each.title) for each in PARAMETERS.values()})


def test_a_name_is_one_line_of_readable_length():
    """Line breaks and control characters go, what is too long is cut where one sees it."""
    assert named("a\n b\x00\u202e") == "a b"
    assert named("x" * 200) == "x" * (LONGEST_NAME - 1) + "…"


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (999_999, "999999"), (1e13, "1e13"), (1e-6, "1e-6"), (0.05, "0.05"), (-1e13, "-1e13")]
)
def test_limits_carry_no_noise(number, text):
    """Limits read as one would write them."""
    assert plain(number) == text


@pytest.mark.parametrize(
    ("width", "decimals"), [(0.5, 2), (-0.012, 3), (99.0, 0), (250.0, -1), (0.0, None), (math.nan, None), (math.inf, None)]
)
def test_a_width_asks_for_two_digits(width, decimals):
    """Its first digit and one more, whatever its sign; what has no size asks for nothing."""
    assert decimals_of(width) == decimals


def test_an_interval_is_both_ends_or_not_known():
    """Written alike by whatever writes a number, and joined as the place asks."""
    assert interval((1.0, 2.5), lambda end: fixed(end, 1)) == "1.0 to 2.5"
    assert interval((1.0, 2.5), lambda end: significant(end, 2), between=" … ") == "1 … 2.5"
    assert interval(None, str) == NOT_KNOWN
