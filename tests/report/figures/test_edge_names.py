"""Names at the right edge keep their distance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amo_opt.report.figures.story import EdgeName, apart, write_names
from amo_opt.report.figures.style import blank, styled

ROOM, GAP = 10.0, 1.0
heights = st.lists(st.floats(-0.2, ROOM + 0.2), min_size=1, max_size=9).map(sorted)


@given(heights)
def test_neighbours_stand_apart_and_in_their_order(wanted):
    """Within the room as long as there is some, each at least the gap above the one before."""
    places = apart(wanted, GAP, ROOM)
    assert len(places) == len(wanted)
    assert np.diff(places).min(initial=GAP) >= GAP - 1e-9
    assert places[0] >= 0.0
    assert places[-1] <= ROOM + 1e-9


@given(heights)
def test_no_other_arrangement_is_nearer(wanted):
    """The sum of squared distances is the least there is: a naive search that moves one block of neighbours at a time finds none better."""

    def cost(places):
        return sum((place - height) ** 2 for place, height in zip(places, wanted, strict=True))

    places = apart(wanted, GAP, ROOM)
    for first in range(len(places)):
        for last in range(first + 1, len(places) + 1):
            for step in (-0.01, 0.01):
                moved = [place + step * (first <= number < last) for number, place in enumerate(places)]
                if np.diff(moved).min(initial=GAP) >= GAP and moved[0] >= 0.0 and moved[-1] <= ROOM:
                    assert cost(moved) >= cost(places) - 1e-9


def test_names_with_room_stay_where_their_lines_end():
    """Nothing is moved that need not be."""
    assert apart([0.5, 3.0, 9.0], GAP, ROOM) == [0.5, 3.0, 9.0]


def test_too_many_names_go_over_the_top():
    """They never fall below the panel, into the next one's title, and never write over each other."""
    assert apart([5.0] * 13, GAP, ROOM) == [float(number) for number in range(13)]


def test_what_lies_outside_the_picture_is_named_at_its_edge():
    """With an arrow instead of a leader."""
    with styled():
        figure = blank(4.0, 2.0)
        axes = figure.add_axes((0.1, 0.1, 0.5, 0.8))
        axes.set_ylim(0.9, 1.1)
        names = [EdgeName("inside", 1.0, "black"), EdgeName("below", 0.5, "black"), EdgeName("above", 1.5, "black")]
        write_names(axes, names, tall=1.6, wide=2.0)
    assert [text.get_text() for text in axes.texts] == ["↓ below", "inside", "↑ above"]
    assert len(axes.lines) == 1
    assert [text.get_position()[1] for text in axes.texts] == pytest.approx([0.0, 0.5, 1.0])
