"""Every reason of a gate in words."""

from __future__ import annotations

from typing import get_args

import pytest

from amo_opt.comparison.verdict import Reason, ReasonKind
from amo_opt.comparison.wording import because

WORDS = {
    Reason(kind="few paths", paths=12): "12 paths per scenario are too few for an interval: at least 30 are needed, 18 more",
    Reason(kind="few paths", paths=1): "1 path per scenario is too few for an interval: at least 30 are needed, 29 more",
    Reason(kind="same"): "the two sets do the same on every path",
    Reason(kind="thin tail", tail_points=4.2, more_paths=329): (
        "4 effective paths in the tail, under 40; about 329 more paths per scenario would allow a verdict"
    ),
    Reason(kind="one path", share=0.347, more_paths=188): (
        "one path holds 35% of the variance, over 20%, and what is concluded hangs on it; about 188 more paths per scenario would allow a verdict"
    ),
    Reason(kind="one path", share=0.347): "one path holds 35% of the variance, over 20%, and what is concluded hangs on it",
    Reason(kind="better"): "the interval lies on the better side",
    Reason(kind="equivalent"): "the interval lies within the tolerance on both sides",
    Reason(kind="no worse"): "the interval stays within the tolerance on the worse side",
    Reason(kind="worse"): "the interval lies on the worse side, and reaches beyond the tolerance",
    Reason(kind="not together", p=0.0341): "no worse by itself, but not once the safety gates are taken together (Holm, p = 0.034)",
    Reason(kind="open"): "the interval neither clears the tolerance nor shows a loss",
    Reason(kind="open", more_paths=77): (
        "the interval neither clears the tolerance nor shows a loss; about 77 more paths per scenario would settle it"
    ),
    Reason(kind="thin figure"): "fewer than 40 effective paths in the tail",
    Reason(kind="kept", value=1.5, bound=2.0, limit=2.5): "1.5, at most 2 (95%), keeps the limit of 2.5",
    Reason(kind="broken", value=1.5, bound=1.2, limit=1.0): "1.5, at least 1.2 (95%), breaks the limit of 1",
    Reason(kind="may break", value=1.5, bound=2.0, limit=1.75): "1.5 may be as much as 2 (95%), over the limit of 1.75",
    Reason(kind="set kept", value=0.999, limit=1.0): "0.999 of all collateral keeps the limit of 1",
    Reason(kind="set broken", value=1.01, limit=1.0): "1.01 of all collateral breaks the limit of 1",
}


@pytest.mark.parametrize(("reason", "words"), WORDS.items(), ids=lambda each: each.kind if isinstance(each, Reason) else "")
def test_every_reason_has_its_words(reason, words):
    """What decided, with the figures that decided it."""
    assert because(reason) == words


def test_no_kind_is_left_out():
    """A reason that judging gives is one that is told here."""
    assert {reason.kind for reason in WORDS} == set(get_args(ReasonKind))
