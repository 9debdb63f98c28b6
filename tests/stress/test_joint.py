"""Joint draws of a fit of spells: on simulated pools, whose truth is known, and against profiles of the same likelihood."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest
from scipy.stats import t as student

from amo_opt.stableswap.depth import Pool
from amo_opt.stress.calibration import joint as module
from amo_opt.stress.calibration.joint import (
    LEVEL,
    UNKNOWN_DRIFT,
    Drift,
    Joint,
    beyond,
    chance_of_busy,
    doubts_of,
    drift_of,
    joint,
    own_scales,
)
from amo_opt.stress.calibration.spells import climbed, depth_of, log_likelihood
from amo_opt.stress.fitted_spells import DRIFT, NEW, SCALES, SHARED
from tests.stress.simulated_spells import TRUE, simulated, true_values

TWO = ((0.0024, 0.0031), (0.0078, 0.0080))
FREEDOM = {"flow_freedom": 4.0, "lp_freedom": 4.0}
TRUTH = TRUE | FREEDOM


@pytest.fixture(scope="module")
def pools():
    return simulated(6, days=300, scales=TWO, **FREEDOM)


@pytest.fixture(scope="module")
def found(pools):
    return joint(pools, count=256, name="two pools")


def test_it_has_a_column_of_everything(found) -> None:
    """Shared figures, each pool's scales, a new pool's and drift; all finite, chances between 0 and 1, scales above 0."""
    assert (
        set(found.draws)
        == {*SHARED, *(f"{pool}.{scale}" for pool in ("pool 0", "pool 1", NEW) for scale in SCALES), *DRIFT}
        == set(found.best)
    )
    assert all(values.shape == (256,) and np.isfinite(values).all() for values in found.draws.values())
    assert (found.draws["begin"] + found.draws["end"] < 1.0).all()
    assert all((found.draws[name] > 0.0).all() for name in found.draws if name.endswith("scale") and name not in DRIFT)
    assert found.effective > 0.3


def test_most_likely_figures_are_the_fits(found, pools) -> None:
    """The same as without draws, and more likely than the truth."""
    fit, top, _, _ = climbed(pools)
    names = [*SHARED, *(f"{each.name}.{scale}" for each in pools for scale in SCALES)]
    best = np.array([found.best[name] for name in names])
    assert log_likelihood(fit.pools, best) == pytest.approx(top, abs=1e-6)
    assert top > log_likelihood(pools, true_values(TWO, **FREEDOM))


@pytest.mark.parametrize("name", ["flow_times", "lp_per_sale", "reversion"])
def test_their_quantiles_are_about_the_profiles(found, pools, name: str) -> None:
    """Flat in the fit's numbers, 95% of the draws end where the profile of the same likelihood ends, to a fifth of its width."""
    fit, top, numbers, _ = climbed(pools)
    place = SHARED.index(name)
    low, high = (fit.scales[place].value(end) for end in fit.interval(place, numbers, top))
    ends = np.quantile(found.draws[name], [0.025, 0.975])
    np.testing.assert_allclose(ends, [low, high], atol=0.2 * (high - low))
    assert low <= TRUTH[name] <= high


def test_the_truth_is_no_outlier_of_the_draws(found) -> None:
    """Of twelve figures at most two lie outside 95%."""
    truth = {name: TRUTH[name] for name in SHARED} | {f"pool {k}.{name}": TWO[k][i] for k in range(2) for i, name in enumerate(SCALES)}
    below = np.array([np.mean(found.draws[name] < value) for name, value in truth.items()])
    assert np.sum(np.abs(below - 0.5) > 0.475) <= 2


def test_correlations_are_kept(found) -> None:
    """Where busy days are said to be larger calm days are smaller: no figure is drawn by itself."""
    assert np.corrcoef(np.log(found.draws["flow_times"]), np.log(found.draws["pool 0.flow_scale"]))[0, 1] < -0.15


def test_the_name_keys_the_draws(found, pools) -> None:
    """The same name, the same bits; another, other draws of the same law."""
    again, other = joint(pools, count=256, name="two pools"), joint(pools, count=256, name="others")
    for name, values in found.draws.items():
        np.testing.assert_array_equal(again.draws[name], values)
    assert not np.array_equal(other.draws["begin"], found.draws["begin"])
    assert np.median(other.draws["flow_times"]) == pytest.approx(np.median(found.draws["flow_times"]), rel=0.03)


def test_resampling_corrects_a_wrong_proposal(pools, monkeypatch) -> None:
    """Proposals twice too wide come to the same quantiles, worth less."""
    plain = joint(pools, count=256, name="wide")
    usual = module._covariance
    monkeypatch.setattr(module, "_covariance", lambda of, centre: 4.0 * usual(of, centre))
    wide = joint(pools, count=256, name="wide")
    assert wide.effective < 0.5 * plain.effective
    low, high = np.quantile(plain.draws["lp_times"], [0.025, 0.975])
    np.testing.assert_allclose(np.quantile(wide.draws["lp_times"], [0.025, 0.975]), [low, high], atol=0.3 * (high - low))
    assert any("ranges may be too narrow" in line for line in doubts_of(wide._replace(effective=0.05), pools))


# -- a pool that was not fitted ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [2, 3, 4, 6])
def test_a_new_pool_is_one_more_of_a_normal_sample(pools, k: int) -> None:
    """With scales that are known a new pool's logarithm is the mean and a t of k − 1 degrees with √(1 + 1/k) of the sample's deviation: the predictive law of one more."""
    logs = np.random.default_rng(k).normal([[-6.0], [-5.0]], 0.2, (2, k))
    count = 4000
    draws = {f"p{i}.{scale}": np.full(count, math.exp(logs[s, i])) for i in range(k) for s, scale in enumerate(SCALES)}
    draws |= {f"{NEW}.{scale}": np.full(count, logs[s].mean()) for s, scale in enumerate(SCALES)}
    some = [replace(pools[0], name=f"p{i}") for i in range(k)]
    module._draw_new_pool(some, draws, count=count, rng=np.random.default_rng(1))
    for s, scale in enumerate(SCALES):
        spread = logs[s].std(ddof=1) * math.sqrt(1.0 + 1.0 / k)
        z = (np.log(draws[f"{NEW}.{scale}"]) - logs[s].mean()) / spread
        # beyond e**3 of the mean it is cut
        most = 2.9 / spread
        inside = z[np.abs(z) < most]
        assert np.abs(z).max() <= 3.0 / spread + 1e-9
        law = student(k - 1)
        kept = lambda x, law=law, most=most: (law.cdf(x) - law.cdf(-most)) / (law.cdf(most) - law.cdf(-most))  # noqa: E731
        assert kstest(inside, kept).pvalue > 1e-3
    both = np.array([np.log(draws[f"{NEW}.{scale}"]) for scale in SCALES])
    if k > 2:
        seen = np.corrcoef(both[:, np.abs(both - np.median(both, axis=1)[:, None]).max(axis=0) < 1.0])[0, 1]
        assert seen == pytest.approx(np.corrcoef(logs)[0, 1], abs=0.12)


def test_one_pool_tells_nothing_of_others(pools) -> None:
    """Its own scales, and a doubt that says so."""
    draws = {f"{pools[0].name}.{scale}": np.array([0.01, 0.02]) for scale in SCALES} | {
        f"{NEW}.{scale}": np.log([0.01, 0.02]) for scale in SCALES
    }
    module._draw_new_pool(pools[:1], draws, count=2, rng=np.random.default_rng(1))
    assert draws[f"{NEW}.flow_scale"] == pytest.approx([0.01, 0.02])
    single = Joint({}, {}, 0.5, UNKNOWN_DRIFT, {})
    assert [("one history" in line, "assumed" in line) for line in doubts_of(single, pools[:1])] == [(True, False), (False, True)]


# -- drift -------------------------------------------------------------------------------------------------------------------------------


def test_scales_that_stay_drift_about_nothing(pools) -> None:
    """Two pools of 300 days, six windows: a mean of nothing within its error, a deviation that is what a window is unsure of taken off."""
    drift = drift_of(pools, dict(zip(SHARED, (TRUTH[name] for name in SHARED), strict=True)))
    assert drift.windows == 6
    assert max(map(abs, drift.means)) < 0.3
    assert max(drift.deviations) < 0.35


def test_scales_that_fall_have_a_mean(pools) -> None:
    """Every window half as large as the one before: against all days before, 0.7 or more below."""
    shared = {name: TRUTH[name] for name in SHARED} | {"reversion": 0.0}
    (falling,) = simulated(9, days=490, scales=TWO[1:], **FREEDOM, reversion=0.0)
    size = 0.5 ** (np.cumsum(falling.days) // 60.0)
    drift = drift_of([replace(falling, flow=falling.flow * size, change=falling.change * size)], shared)
    assert drift.windows == 7
    assert all(-2.5 < mean < -0.7 for mean in drift.means)


def test_few_windows_are_told_as_unknown(pools) -> None:
    """Half a year has one or two: assumed, and said."""
    short = [each.part(0, 170) for each in pools[:1]]
    assert drift_of(short, {name: TRUTH[name] for name in SHARED}) == UNKNOWN_DRIFT
    assert UNKNOWN_DRIFT.windows == 0


def test_drift_is_drawn_as_it_was_found(pools, monkeypatch) -> None:
    """Means, deviations and correlation of many draws."""
    monkeypatch.setattr(module, "drift_of", lambda *_: Drift((-0.4, 0.1), (0.5, 0.8), 0.6, 9))
    monkeypatch.setattr(module, "_draw_new_pool", lambda *_, **__: None)
    drawn = joint(pools, count=1024, name="drifting").draws
    both = np.array([drawn[column] for column in DRIFT])
    np.testing.assert_allclose(both.mean(axis=1), [-0.4, 0.1], atol=0.08)
    np.testing.assert_allclose(both.std(axis=1), [0.5, 0.8], rtol=0.07)
    assert np.corrcoef(both)[0, 1] == pytest.approx(0.6, abs=0.06)


# -- one pool's own ----------------------------------------------------------------------------------------------------------------------


def test_own_scales_are_found_again(pools) -> None:
    """Of 300 days with the shared figures known, to a seventh; and no scale near is more likely."""
    shared = {name: TRUTH[name] for name in SHARED}
    given = [shared[name] for name in SHARED]
    for pool, truth in zip(pools, TWO, strict=True):
        found = own_scales(pool, shared)
        np.testing.assert_allclose(found, truth, rtol=1 / 7)
        top = log_likelihood([pool], np.array([*given, *found]))
        for a, b in ((1.05, 1.0), (0.95, 1.0), (1.0, 1.05), (1.0, 0.95)):
            assert log_likelihood([pool], np.array([*given, found[0] * a, found[1] * b])) < top


def test_own_scales_go_with_the_pool(pools) -> None:
    """Moves a thousandth as large have scales a thousandth as large."""
    shared = {name: TRUTH[name] for name in SHARED} | {"reversion": 0.0}
    small = replace(pools[0], flow=pools[0].flow * 1e-3, change=pools[0].change * 1e-3)
    np.testing.assert_allclose(np.array(own_scales(small, shared)) * 1e3, own_scales(pools[0], shared), rtol=5e-3)


def test_the_chance_of_a_busy_day_is_the_filters(pools) -> None:
    """After large moves busy, after small ones calm, without any the long run's; by Bayes's rule step by step."""
    shared = {name: TRUTH[name] for name in SHARED}
    pool = replace(pools[0], tilt=np.zeros_like(pools[0].tilt))
    scales = TWO[0]
    chance = shared["begin"] / (shared["begin"] + shared["end"])
    assert chance_of_busy(pool.part(0, 0), shared, scales) == pytest.approx(chance)
    for day in range(40):
        likely = []
        for times, along, lp_times in ((1.0, 0.0, 1.0), (shared["flow_times"], shared["lp_per_sale"], shared["lp_times"])):
            of_flow, of_lp = times * scales[0], lp_times * scales[1]
            likely.append(
                student.pdf(pool.flow[day] / of_flow, 4.0)
                / of_flow
                * student.pdf((pool.change[day] - along * pool.flow[day]) / of_lp, 4.0)
                / of_lp
            )
        chance = chance * likely[1] / (chance * likely[1] + (1.0 - chance) * likely[0])
        chance = chance * (1.0 - shared["end"]) + (1.0 - chance) * shared["begin"]
        assert chance_of_busy(pool.part(0, day + 1), shared, scales) == pytest.approx(chance, rel=1e-9)


def test_a_part_knows_nothing_of_later_days(pools) -> None:
    """Recentred, the share that flows revert to is that of the part's own days: the same whatever comes after."""
    other = replace(pools[0], tilt=pools[0].tilt + 0.3)
    for part in (pools[0].part(0, 90), other.part(0, 90)):
        assert np.median(part.recentred().tilt) == pytest.approx(0.0, abs=1e-15)
    np.testing.assert_allclose(pools[0].part(0, 90).recentred().tilt, other.part(0, 90).recentred().tilt, atol=1e-12)
    gone = np.arange(300) >= 90
    assert np.median(pools[0].without(gone).recentred().tilt[:90]) == pytest.approx(0.0, abs=1e-15)
    nobody = pools[0].without(np.ones(300, dtype=bool))
    assert nobody.recentred() is nobody


# -- beyond the spells ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("planted", [0.0, 0.1])
def test_a_planted_flight_by_level_is_found(pools, planted):
    """Shares half of the time above the level, and so much of the log of liquidity leaving a day: within its interval, and what did not act is not told."""
    share = np.where(np.arange(300) % 60 < 30, 0.85, 0.5)
    moved = [replace(each, share=share, change=each.change - planted * np.maximum(share - LEVEL, 0.0)) for each in pools[:1]]
    fit, top, numbers, _ = climbed(moved)
    told = beyond(fit, top, numbers)
    assert set(told) == {"level_flight"}
    level = told["level_flight"]
    assert level.low < planted < level.high
    assert level.high - level.low < 0.1
    assert level.n == 150


def test_depth_is_the_pools_own_price():
    """By the invariant's gradient, as the pool's marginal price."""
    x, y = np.array([5e8, 8e8, 2e8]), np.array([5e8, 3e8, 9e8])
    expected = [1.0 - Pool(stablecoin=a, base=b, amplification=500.0, fee=0.0).price for a, b in zip(x, y, strict=True)]
    assert depth_of(x, y, 500.0) == pytest.approx(expected, abs=1e-9)
    assert depth_of(x, y, np.array([500.0] * 3)) == pytest.approx(expected, abs=1e-9)
