"""Break points known by algebra, and their order statistics."""

from __future__ import annotations

import numpy as np

from amo_opt.search.break_points import bisect, order_statistic, points_of_lanes


def found(breaks, *, rounds=6):
    """Break points of paths that fail the price past their own size."""
    breaks = np.asarray(breaks)
    return bisect(lambda size: {"price": size > breaks}, stress="run", unit="", largest=1.0, rounds=rounds)


def test_each_path_is_bracketed_at_its_own_break_point():
    """The point is the largest grid size at or below the truth; dead and unbroken paths are counted, not bisected."""
    truth = np.array([0.1, 0.33, 0.5, 0.77, 2.0, -1.0])
    each = found(truth)
    assert np.array_equal(each.points, np.clip(np.floor(truth * 64), 0, 64) / 64)
    assert (each.dead_at_zero, each.unbroken, each.violations, each.reasons) == (1, 1, 0, {"price": 5})


def test_the_condition_that_breaks_first_is_the_one_at_the_smallest_failing_size():
    """Price fails past 0.3 and coverage past 0.6: the price breaks first on every path."""
    each = bisect(
        lambda size: {"price": np.full(4, size > 0.3), "cr_external": np.full(4, size > 0.6)}, stress="run", unit="", largest=1.0, rounds=5
    )
    assert each.reasons == {"price": 4, "cr_external": 0}


def test_a_path_that_comes_back_at_a_larger_size_is_counted():
    """Failing only between 0.4 and 0.6 and past 0.9 is not monotone; its neighbour is."""
    each = bisect(
        lambda size: {"price": np.array([0.4 < size < 0.6 or size > 0.9, size > 0.7])}, stress="run", unit="", largest=1.0, rounds=5
    )
    assert each.violations == 1


def test_order_statistics_of_known_points():
    """Of 1..100 half survive 51 and 95 survive 6; binomial(100, 1/2) puts the interval at the 40th and 61st."""
    half = order_statistic(np.arange(1.0, 101.0), share=0.5, largest=200.0)
    most = order_statistic(np.arange(1.0, 101.0), share=0.95, largest=200.0)
    assert (half.value, half.interval, half.n) == (51.0, (40.0, 61.0), 100)
    assert most.value == 6.0
    assert most.interval[0] <= 6.0 <= most.interval[1]


def test_too_few_paths_leave_the_lower_end_open():
    """Seventy-one paths cannot bound the size that 95% survive from below; 29 know no interval at all."""
    assert order_statistic([0.5] * 71, share=0.95, largest=1.0).interval[0] == 0.0
    assert order_statistic([0.5] * 72, share=0.95, largest=1.0).interval[0] == 0.5
    assert order_statistic([0.5] * 30, share=0.95, largest=1.0).interval == (0.0, 0.5)
    assert order_statistic([0.5] * 29, share=0.95, largest=1.0).interval is None


def test_each_path_at_its_own_sizes_ends_where_all_at_all_sizes_end():
    """Whatever fails where, monotone or not: the points of a bisection in which every path sees every size."""
    for seed in range(40):
        table = np.random.default_rng(seed).random((17, 9)) < 0.4  # size by path
        sizes = 0.8 * np.arange(17) / 16

        def fails(size, table=table, sizes=sizes):
            return {"price": table[int(np.argmin(np.abs(sizes - size)))]}

        def own(asked, fails=fails):
            return np.array([fails(size)["price"][path] for path, size in enumerate(asked)])

        whole = bisect(fails, stress="run", unit="", largest=0.8, rounds=4)
        assert np.array_equal(points_of_lanes(own, paths=9, largest=0.8, rounds=4), whole.points)
