"""Text of others within our lines."""

from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from amo_opt.one_line import one_line


@settings(max_examples=200)
@given(st.text() | st.text("\n\r\x0b\x0c\x1b\x85\u2028\u2029\u202e:# [a"))
def test_any_text_is_one_line_of_visible_characters_and_no_command(text):
    """No line end of any kind, nothing that moves the cursor, colours or turns round; no command of a CI system; twice is once."""
    shown = one_line(text)
    assert len(shown.splitlines()) <= 1
    assert not any(unicodedata.category(each) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for each in shown)
    assert not shown.lstrip().startswith("::")
    assert "##[" not in shown
    assert one_line(shown) == shown


@given(st.text(st.characters(categories=("L", "N", "Zs"), codec="utf-8")), st.integers(min_value=3, max_value=40))
def test_visible_text_stays_and_long_text_loses_its_middle(text, most):
    """Letters of any script and every kind of space are as they were; both ends of a long text are kept."""
    assert one_line(text) == text
    shown = one_line(text, most=most)
    assert shown == text if len(text) <= most else len(shown) == most
    assert shown[:1] == text[:1]
    assert shown[-1:] == text[-1:]
