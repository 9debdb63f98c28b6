"""Groups of what is being made: in order, early, and never more than was asked for."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest

from amo_opt.search.prefetch import prefetched

SECONDS = 60.0


def test_everything_comes_in_its_order():
    """Nothing lost, nothing twice, no empty group, whatever is made (None too)."""
    things = [None, *range(50), None]
    groups = list(prefetched(iter(things)))
    assert all(groups)
    assert [each for group in groups for each in group] == things
    assert list(prefetched([])) == []


def test_the_first_is_there_before_the_second_is_made():
    """The second is made only after the first was taken: nobody waits for all of them. The rest then comes in one group."""
    taken, made = threading.Event(), threading.Event()

    def making():
        yield 1
        assert taken.wait(SECONDS)
        yield from (2, 3)
        made.set()

    with closing(prefetched(making())) as groups:
        assert next(groups) == [1]
        taken.set()
        assert made.wait(SECONDS)
        assert list(groups) == [[2, 3]]


def test_an_error_comes_after_what_was_made():
    """Like an iterator's own."""

    def making():
        yield 1
        raise KeyError("second")

    seen = []
    with pytest.raises(KeyError, match="second"):
        for group in prefetched(making()):
            seen += group
    assert seen == [1]


def test_who_stops_taking_stops_the_making():
    """One more is made at most, and the thread is gone."""
    made, taken = [], threading.Event()

    def making():
        for number in range(1000):
            made.append(number)
            yield number
            assert taken.wait(SECONDS)

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), closing(prefetched(making())) as groups:
        next(groups)
        threading.Timer(0.2, taken.set).start()
        raise KeyboardInterrupt
    assert len(made) <= 2
    assert threading.active_count() <= before + 1  # the timer's
