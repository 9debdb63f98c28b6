"""Intervals: exact bounds against algebra, resamples that are shared, and coverage that was measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from amo_opt.scoring.intervals import ONE_SIDED, clopper_pearson, holm, mcnemar, percentile_bounds, resample_counts
from amo_opt.scoring.losses import cvar_resampled


def test_no_event_in_640() -> None:
    """No event in 640 paths allows 1 - 0.05^(1/640) = 0.467% at 95% one-sided and 1 - 0.025^(1/640) = 0.575% two-sided."""
    one_sided, two_sided = clopper_pearson(0, 640, tail=ONE_SIDED), clopper_pearson(0, 640)
    assert one_sided[0] == two_sided[0] == 0.0
    assert one_sided[1] == pytest.approx(1.0 - 0.05 ** (1 / 640), rel=1e-10)
    assert two_sided[1] == pytest.approx(1.0 - 0.025 ** (1 / 640), rel=1e-10)
    assert one_sided[1] == pytest.approx(0.00467, abs=5e-6)


def test_every_path_an_event() -> None:
    """n events in n mirror none in n."""
    low, high = clopper_pearson(20, 20)
    assert high == 1.0
    assert low == pytest.approx(0.025 ** (1 / 20), rel=1e-10)


@pytest.mark.parametrize(("events", "n"), [(1, 10), (5, 640), (13, 640), (320, 640)])
def test_ends_solve_their_binomial_equations(events: int, n: int) -> None:
    """At each end the data at hand, or anything more extreme, has a chance of exactly 2.5%."""
    low, high = clopper_pearson(events, n)
    assert stats.binom.sf(events - 1, n, low) == pytest.approx(0.025, rel=1e-8)
    assert stats.binom.cdf(events, n, high) == pytest.approx(0.025, rel=1e-8)


@pytest.mark.parametrize("p", [0.001, 0.02, 0.1])
def test_exact_bound_covers(p: float) -> None:
    """Summed over every possible count of 640, the one-sided upper bound covers the truth at least 95% of the time."""
    chances = stats.binom.pmf(np.arange(641), 640, p)
    covered = sum(
        chance for events, chance in enumerate(chances) if chance > 1e-12 and clopper_pearson(events, 640, tail=ONE_SIDED)[1] >= p
    )
    assert covered >= 0.95 - 1e-9


def test_resamples_keep_strata() -> None:
    """Every resample draws exactly n paths of each scenario, so weights never move between scenarios."""
    (counts,) = resample_counts([("a", 5), ("b", 30)], seed=1, resamples=100)
    assert counts.shape == (35, 100)
    assert (counts[:5].sum(axis=0) == 5).all()
    assert (counts[5:].sum(axis=0) == 30).all()


def test_chunks_change_nothing() -> None:
    """Memory is bounded by chunks of resamples, and the resamples are the same ones however they are cut."""
    strata = [("a", 7), ("b", 641)]
    whole = np.concatenate(list(resample_counts(strata, seed=5, resamples=50)), axis=1)
    cut = list(resample_counts(strata, seed=5, resamples=50, chunk=648 * 7))
    assert len(cut) == 8
    np.testing.assert_array_equal(np.concatenate(cut, axis=1), whole)


def test_a_scenario_has_its_own_stream() -> None:
    """A scenario's resamples depend on the seed and its name, not on which scenarios stand beside it."""
    (alone,) = resample_counts([("b", 20)], seed=5, resamples=10)
    (beside,) = resample_counts([("a", 7), ("b", 20)], seed=5, resamples=10)
    (other,) = resample_counts([("c", 20)], seed=5, resamples=10)
    (reseeded,) = resample_counts([("b", 20)], seed=6, resamples=10)
    np.testing.assert_array_equal(alone, beside[7:])
    assert not np.array_equal(alone, other)
    assert not np.array_equal(alone, reseeded)


def test_percentile_ends_are_order_statistics() -> None:
    """Of 999 replicates the 95% interval runs from the 25th smallest to the 25th largest."""
    low, high = percentile_bounds(np.random.default_rng(1).permutation(np.arange(1.0, 1000.0)))
    assert (float(low), float(high)) == (25.0, 975.0)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300))
def test_negated_replicates_have_the_negated_interval(values: list[float]) -> None:
    """Exactly, at every size: swapping candidate and current mirrors an interval."""
    replicates = np.array(values)
    low, high = percentile_bounds(replicates)
    assert percentile_bounds(-replicates) == (-high, -low)
    assert low <= high


def test_bootstrap_of_a_tail_covers() -> None:
    """The 95% interval of CVaR 95% of 640 exponential losses (truth 1 + ln 20) covers it in at least 88% of 300 trials."""
    rng = np.random.default_rng(11)
    (counts,) = resample_counts([("a", 640)], seed=2, resamples=400)
    truth, weights = 1.0 + np.log(20.0), np.full(640, 1 / 640)
    covered = 0
    for _ in range(300):
        low, high = percentile_bounds(cvar_resampled(rng.exponential(1.0, 640), weights, counts, level=0.95))
        covered += bool(low <= truth <= high)
    assert covered / 300 >= 0.88


def test_bootstrap_of_a_weighted_mean_covers() -> None:
    """Stratified by two scenarios of unlike size and weight, the interval of the weighted mean covers in at least 91% of 300 trials."""
    rng = np.random.default_rng(12)
    (counts,) = resample_counts([("a", 100), ("b", 300)], seed=2, resamples=400)
    weights = np.concatenate([np.full(100, 0.8 / 100), np.full(300, 0.2 / 300)])
    covered = 0
    for _ in range(300):
        values = np.concatenate([rng.normal(1.0, 1.0, 100), rng.normal(5.0, 3.0, 300)])
        low, high = percentile_bounds((values * weights) @ counts)
        covered += bool(low <= 0.8 * 1.0 + 0.2 * 5.0 <= high)
    assert covered / 300 >= 0.91


@pytest.mark.parametrize(("gained", "lost", "p"), [(0, 0, 1.0), (0, 4, 1.0), (5, 0, 1 / 32), (3, 1, 5 / 16), (1, 1, 3 / 4)])
def test_mcnemar_counts_coin_tosses(gained: int, lost: int, p: float) -> None:
    """The p-value is the chance of at least so many heads among the discordant pairs."""
    assert mcnemar(gained, lost) == pytest.approx(p, rel=1e-12)


def test_holm_on_a_worked_example() -> None:
    """0.01, 0.02, 0.03, 0.04 become 0.04, 0.06, 0.06, 0.06, whatever their order; large ones stop at 1."""
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx((0.06, 0.04, 0.06, 0.06))
    assert holm([0.6, 0.9]) == (1.0, 1.0)
    assert holm([]) == ()


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20))
def test_holm_lies_between_nothing_and_bonferroni(values: list[float]) -> None:
    """An adjusted p-value is at least the raw one and at most m times it, and the order of evidence is kept."""
    adjusted = holm(values)
    assert all(p <= q <= min(1.0, len(values) * p) + 1e-15 for p, q in zip(values, adjusted, strict=True))
    order = np.argsort(values, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0.0).all()
