"""The loss at which a scenario's events begin lies in the gap between them and everyday paths, and nowhere where there is no gap."""

from __future__ import annotations

import numpy as np
import pytest

from amo_opt.search.aim import edge_of

EVERYDAY = np.linspace(1.0, 4.0, 100)
COMMON = np.full(100, (1.0 - 1e-4) / 100)


@pytest.mark.parametrize("events", [[9000.0], [9000.0, 400.0, 8000.0], [10_000.0, 3_000.0, 1_000.0, 300.0, 100.0]])
def test_the_edge_lies_in_the_gap(events):
    """Mild and late events are events too, though they lie nearer to an everyday path than to the farthest: halfway in logarithms, whatever the rows' order."""
    losses = np.concatenate([EVERYDAY, events])
    weights = np.concatenate([COMMON, np.full(len(events), 1e-4 / len(events))])
    expected = np.sqrt(4.0 * min(events))
    assert edge_of(losses, weights) == pytest.approx(expected)
    back = np.arange(losses.size)[::-1]
    assert edge_of(losses[back], weights[back]) == pytest.approx(expected)


def test_no_gap_has_no_edge():
    """Losses of one piece, however far they reach; events of more than a tail of the weight, or of too little of it to decide; no loss at all."""
    steps = 1.5 ** np.arange(30.0)
    assert edge_of(steps, 0.5 ** np.arange(1.0, 31.0)) is None
    losses = np.append(EVERYDAY, 9000.0)
    for chance in (0.06, 1e-12):
        assert edge_of(losses, np.append(COMMON * (1.0 - chance) / COMMON.sum(), chance)) is None
    assert edge_of(np.zeros(50), np.full(50, 0.02)) is None
    assert edge_of(np.array([5.0]), np.ones(1)) is None


def test_paths_without_any_loss_are_everyday():
    """A loss of nothing is told apart from events at a finite place."""
    edge = edge_of(np.append(np.zeros(100), 100.0), np.append(COMMON, 1e-4))
    assert 0.0 < edge < 100.0
