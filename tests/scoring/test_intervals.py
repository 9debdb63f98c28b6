"""Intervals: exact bounds against algebra, resamples that are shared, and coverage that was measured."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from amo_opt.scoring import intervals
from amo_opt.scoring.influence import Spread, spread
from amo_opt.scoring.intervals import (
    ONE_SIDED,
    clopper_pearson,
    corrected_bounds,
    corrected_p_value,
    holm,
    mcnemar,
    percentile_bounds,
    resample_counts,
)
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


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded by chunks of resamples, and the resamples are the same ones however they are cut."""
    strata = [("a", 7), ("b", 641)]
    whole = np.concatenate(list(resample_counts(strata, seed=5, resamples=50)), axis=1)
    cut = list(resample_counts(strata, seed=5, resamples=50, chunk=648 * 7))
    assert len(cut) == 8
    np.testing.assert_array_equal(np.concatenate(cut, axis=1), whole)
    monkeypatch.setattr(intervals, "_KEPT", 0)
    drawn = list(resample_counts(strata, seed=5, resamples=50, chunk=648 * 7))
    np.testing.assert_array_equal(np.concatenate(drawn, axis=1), whole, "those that are too many to keep are drawn each time")
    cut[0][:] = 9.0
    monkeypatch.undo()
    np.testing.assert_array_equal(
        np.concatenate(list(resample_counts(strata, seed=5, resamples=50)), axis=1), whole, "whoever writes on them writes on a copy"
    )


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


def held(*, acceleration: float = 0.0, freedom: float = np.inf) -> Spread:
    return Spread(variance=1.0, acceleration=acceleration, freedom=freedom, largest_share=0.1)


def test_a_spread_over_many_paths_leaves_the_percentile_interval() -> None:
    """No skew, no bias and no doubt in the variance: the 25th smallest and largest of 999."""
    replicates = np.random.default_rng(1).permutation(np.arange(-499.0, 500.0))
    assert corrected_bounds(replicates, 0.0, held()) == percentile_bounds(replicates) == (-475.0, 475.0)


def test_ends_are_bca_s_at_student_s_t() -> None:
    """Against the formula written out with other functions: Phi(z0 + (z0 + z) / (1 - a (z0 + z)))."""
    replicates = np.random.default_rng(2).gamma(4.0, 1.0, 1999)
    value, of = 4.0, held(acceleration=0.08, freedom=9.0)
    z0 = stats.norm.ppf((replicates < value).mean())
    ordered = np.sort(replicates)
    expected = []
    for z in stats.t.ppf([0.025, 0.975], 9.0):
        share = stats.norm.cdf(z0 + (z0 + z) / (1.0 - 0.08 * (z0 + z)))
        expected.append(ordered[int(np.floor(share * 2000)) - 1] if z < 0.0 else ordered[1999 - int(np.floor((1.0 - share) * 2000))])
    assert corrected_bounds(replicates, value, of) == tuple(expected)


@given(st.integers(0, 1000), st.sampled_from([20, 199, 1000]), st.floats(-2.0, 2.0), st.floats(-1 / 6, 1 / 6), st.floats(2.0, 1e6))
def test_negating_everything_negates_the_corrected_interval(
    seed: int, size: int, value: float, acceleration: float, freedom: float
) -> None:
    """Exactly, ties and figures outside their replicates included, and its ends are in order."""
    replicates = np.round(np.random.default_rng(seed).standard_normal(size), 1)
    of = held(acceleration=acceleration, freedom=freedom)
    low, high = corrected_bounds(replicates, value, of)
    assert corrected_bounds(-replicates, -value, of.negated()) == (-high, -low)
    assert low <= high


@given(st.integers(0, 1000), st.floats(-1 / 6, 1 / 6), st.floats(2.0, 1e3))
def test_p_value_is_the_level_at_which_the_end_meets_the_hypothesis(seed: int, acceleration: float, freedom: float) -> None:
    """The low end at the tail p is within a replicate of the bound that was tested."""
    replicates = np.random.default_rng(seed).standard_normal(1999) + 1.0
    of = held(acceleration=acceleration, freedom=freedom)
    p = corrected_p_value(replicates <= 0.0, replicates, 1.0, of)
    if 0.001 < p < 0.499:
        low, _ = corrected_bounds(replicates, 1.0, of, tail=p)
        rank = np.count_nonzero(replicates <= 0.0)
        near = np.sort(replicates)[max(rank - 2, 0) : rank + 3]
        assert near[0] <= low <= near[-1]


def test_p_value_is_never_0_and_1_where_every_resample_agrees() -> None:
    """As the plain bootstrap's, it is at least 1 / (resamples + 1)."""
    replicates = np.linspace(1.0, 2.0, 199)
    of = held(acceleration=0.1, freedom=8.0)
    assert corrected_p_value(replicates <= 0.0, replicates, 1.5, of) >= 1 / 200
    assert corrected_p_value(replicates <= 9.0, replicates, 1.5, of) == 1.0


def test_a_handful_of_events_widens_an_interval() -> None:
    """Four equal events in 2,000 paths: longer than by percentiles, and on the side where more may come."""
    figures = (np.arange(2000) < 4) * 1000.0
    (counts,) = resample_counts([("a", 2000)], seed=2, resamples=999)
    replicates = figures @ counts / 2000
    of = spread((figures - 2.0) / 2000, [("a", 2000)])
    assert of is not None
    low, high = corrected_bounds(replicates, 2.0, of)
    plain = percentile_bounds(replicates)
    assert plain[0] <= low < 2.0 < plain[1] < high


@pytest.fixture(scope="module")
def cases() -> ModuleType:
    """docs/interval_coverage.py: mixtures whose truth is known in closed form, on drawn paths and twins."""
    specification = importlib.util.spec_from_file_location("interval_coverage", Path(__file__).parents[2] / "docs" / "interval_coverage.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module  # its dataclasses look themselves up there
    specification.loader.exec_module(module)
    return module


def test_closed_forms_are_those_of_many_paths(cases: ModuleType) -> None:
    """Mean, CVaR and chance of each case's two sets agree with the weighted figures of a large sample, tilted as theirs are."""
    rng = np.random.default_rng(8)
    n = 300_000
    for case in cases.CASES[:3]:
        driver, noise = rng.standard_normal((2, 2 * n))
        driver[n:] -= case.mu
        weights = 1.0 / (n + n * np.exp(-case.mu * driver - case.mu**2 / 2.0))
        for each in (case, case.candidate()):
            for name, values in each.figures(driver, noise).items():
                found = cases.MEASURES[name].point(values, weights)
                assert found == pytest.approx(each.truth()[name], rel=0.05, abs=0.0 if name == cases.EVENT else 0.01), (case.name, name)


def test_intervals_with_twins_cover(cases: ModuleType) -> None:
    """Where a few paths hold a third of the variance: of 200 replications 95% intervals of mean, CVaR and an event hold the truth in 91% at least,
    and of CVaR in more than percentiles do.
    """
    found = cases.coverage(cases.CASES[5], 200, seed=21)
    assert found[f"share {cases.TAIL}"] > 0.3
    assert min(found[name] for name in (cases.MEAN, cases.TAIL, cases.EVENT)) >= 0.91
    assert found[cases.TAIL] > found[f"percentile {cases.TAIL}"]
