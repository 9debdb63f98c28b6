"""Sets in groups: what was simulated for one group is gone when the next comes, and progress counts over all of them."""

from __future__ import annotations

import weakref

import pytest

from amo_opt.search import certifier as room
from amo_opt.search.certifier import Certifier
from amo_opt.stress.tilts import Design, Tilt


class Outcome:
    def __init__(self, parameters):
        self.parameters = parameters


@pytest.mark.parametrize(
    ("room_for", "groups"),
    [(1, [["a"], ["b"], ["c"], ["d"], ["e"]]), (2, [["a", "b"], ["c", "d"], ["e"]]), (9, [["a", "b", "c", "d", "e"]])],
)
def test_no_group_outlives_the_next(frax, monkeypatch, room_for, groups):
    """However many sets fit: each is handed over once and in order, and only one group lives at a time."""
    alive, called, told = [], [], []

    def simulate_many(sets, study, *, paths, designs, stream, workers, without, progress, watched, seen):
        assert designs is None
        assert [each() for each in alive] == [None] * len(alive)
        called.append(list(sets))
        for done in range(1, 3 * len(sets) + 1):
            progress(done, 3 * len(sets))
        outcomes = [Outcome(each) for each in sets]
        alive.extend(weakref.ref(each) for each in outcomes)
        return outcomes

    monkeypatch.setattr(room, "simulate_many", simulate_many)
    certifier = Certifier(frax, 1, told.append)
    monkeypatch.setattr(room, "HELD_BYTES", room_for * 8 * room.COLUMNS * certifier.paths * len(frax.scenarios))
    found = certifier.in_groups(
        list("abcde"),
        lambda first, outcomes: certifier.map(lambda outcome: (first, outcome.parameters), outcomes),
        stream="selection",
        phase="selection",
    )
    assert called == groups
    assert [name for _, name in found] == list("abcde")
    assert [first for first, _ in found] == [sum(map(len, groups[:k])) for k, group in enumerate(groups) for _ in group]
    assert [(event.done, event.total) for event in told] == [(done, 15) for done in range(1, 16)]


def test_twins_count_where_sets_are_grouped(frax, monkeypatch):
    """A design of twice the paths leaves room for half the sets; fewer paths take as large a part of every component."""
    called = []

    def simulate_many(sets, study, *, designs, **_):
        called.append((len(sets), {design.counts for design in designs.values()}))
        return [Outcome(each) for each in sets]

    monkeypatch.setattr(room, "simulate_many", simulate_many)
    plain = Certifier(frax, 1, lambda event: None)
    n = plain.paths
    designs = {each.name: Design(n, ((Tilt("share", -0.1),),), (n,)) for each in frax.scenarios}
    certifier = Certifier(frax, 1, lambda event: None, {"selection": designs})
    assert certifier.paths_of("selection") == 2 * n * len(frax.scenarios)
    assert certifier.paths_of("holdout") == n * len(frax.scenarios), "a stream without a design is drawn as it is"
    monkeypatch.setattr(room, "HELD_BYTES", 4 * 8 * room.COLUMNS * n * len(frax.scenarios))
    certifier.in_groups(list("abcd"), lambda _, outcomes: outcomes, stream="selection", phase="selection")
    certifier.in_groups(list("abcd"), lambda _, outcomes: outcomes, stream="selection", phase="selection", paths=n // 2)
    assert called == [(2, {(n, n)}), (2, {(n, n)}), (4, {(n // 2, n // 2)})]
