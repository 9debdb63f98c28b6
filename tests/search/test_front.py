"""Fronts, their area, thinning and the knee, against slow twins."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amo_opt.search.front import dominates, front, hypervolume, knee, layers, thin


def clouds():
    rng = np.random.default_rng(5)
    for size in (1, 2, 7, 40):
        for _ in range(25):
            # a coarse grid, so that ties and equal points occur
            yield [(float(a), float(b)) for a, b in rng.integers(0, 12, (size, 2))]


def naive_hypervolume(points, reference):
    """Counts the unit cells that some point dominates; exact for whole numbers."""
    cells = 0
    for gain in range(int(reference[0]), 12):
        for risk in range(int(reference[1])):
            cells += any(point[0] >= gain + 1 and point[1] <= risk for point in points)
    return float(cells)


def test_front_holds_what_nothing_dominates():
    """By the definition, pair by pair; of equal points one stands for all."""
    for points in clouds():
        found = front(points)
        expected = {point for point in points if not any(dominates(other, point) for other in points)}
        assert {points[i] for i in found} == expected
        assert len(found) == len(expected)
        assert [points[i][0] for i in found] == sorted((points[i][0] for i in found), reverse=True)


def test_layers_hold_every_point_once():
    """Fronts one behind the other share out all points, equal ones too."""
    for points in clouds():
        assert sorted(i for layer in layers(points) for i in layer) == list(range(len(points)))


@pytest.mark.parametrize("reference", [(0.0, 12.0), (3.0, 8.0), (11.0, 1.0), (0.0, 0.0)])
def test_hypervolume_is_the_area_counted_cell_by_cell(reference):
    """The sweep equals counting cells, whatever part of the cloud lies beyond the reference."""
    for points in clouds():
        assert hypervolume(points, reference) == naive_hypervolume(points, reference)


def test_hypervolume_agrees_with_optuna():
    """On real numbers the sweep equals Optuna's own hypervolume."""
    from optuna._hypervolume import compute_hypervolume

    rng = np.random.default_rng(6)
    points = rng.uniform(0.0, 1.0, (60, 2))
    theirs = compute_hypervolume(np.column_stack([-points[:, 0], points[:, 1]]), np.array([0.0, 1.0]))
    assert hypervolume([(float(a), float(b)) for a, b in points], (0.0, 1.0)) == pytest.approx(theirs, rel=1e-12)


def test_no_point_no_area():
    """An empty front dominates nothing."""
    assert hypervolume([], (0.0, 1.0)) == 0.0
    assert front([]) == []
    assert layers([]) == []


def test_thinning_keeps_the_ends_and_the_count():
    """At most the asked number, both ends among them, in the front's order; a short front is kept whole."""
    points = [(float(10 - i), float((10 - i) ** 2)) for i in range(11)]
    whole = front(points)
    for count in range(2, 11):
        kept = thin(whole, points, count)
        assert len(kept) == count
        assert {whole[0], whole[-1]} <= set(kept)
        assert kept == [i for i in whole if i in kept]
    assert thin(whole, points, 1) == [whole[0]]
    assert thin(whole, points, 20) == whole


def test_knee_gains_most_in_units():
    """At a given exchange rate the best sum is taken; another rate moves the choice, points that are not chosen do not."""
    points = [(0.030, 30.0), (0.029, 2.0), (0.020, 1.0)]
    assert knee(points, (0.001, 2.0)) == 1
    assert knee(points, (0.0001, 10.0)) == 0
    assert knee(points, (0.001, 0.05)) == 2
    assert knee([*points, (0.010, 0.9)], (0.001, 2.0)) == 1
    assert knee([(0.3, 4.0)], (0.001, 2.0)) == 0


def test_a_unit_of_nothing_leaves_the_choice_to_its_axis():
    """A tolerance of 0 allows no loss on its axis: that axis alone decides."""
    points = [(0.030, 30.0), (0.029, 2.0), (0.020, 1.0)]
    assert knee(points, (0.001, 0.0)) == 2
    assert knee(points, (0.0, 2.0)) == 0


def included_and_excluded(points, reference):
    """The union of the rectangles between each point and the reference, by inclusion and exclusion: 2^n terms, nothing clever."""
    inside = [(gain - reference[0], reference[1] - risk) for gain, risk in points if gain > reference[0] and risk < reference[1]]
    return sum(
        (-1.0) ** (size + 1) * min(gain for gain, _ in some) * min(depth for _, depth in some)
        for size in range(1, len(inside) + 1)
        for some in itertools.combinations(inside, size)
    )


@given(st.lists(st.tuples(st.floats(-1.0, 1.0), st.floats(0.0, 2.0)), max_size=7), st.tuples(st.floats(-0.5, 0.5), st.floats(0.5, 1.5)))
def test_hypervolume_is_the_area_by_inclusion_and_exclusion(points, reference):
    """On any real points, ties and points beyond the reference among them."""
    assert hypervolume(points, reference) == pytest.approx(included_and_excluded(points, reference), abs=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 10, 100])
def test_hypervolume_of_a_staircase(steps):
    """n even steps under the unit square's diagonal leave (n + 1) / 2n of it, by the sum of the first n whole numbers."""
    points = [(k / steps, (k - 1) / steps) for k in range(1, steps + 1)]
    assert hypervolume(points, (0.0, 1.0)) == pytest.approx((steps + 1) / (2 * steps), rel=1e-12)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12))
def test_each_layer_stands_behind_the_one_before(points):
    """Within a layer nothing dominates anything; each point of a later one is beaten or equalled by one of the layer before."""
    found = layers(points)
    for layer in found:
        assert not any(dominates(points[a], points[b]) for a, b in itertools.permutations(layer, 2))
    for before, behind in itertools.pairwise(found):
        assert all(any(dominates(points[a], points[b]) or points[a] == points[b] for a in before) for b in behind)
