"""The share of draws that hold: known shares are covered, chance is taken out, and what too few paths leave open has no interval."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy.stats import qmc

from amo_opt.search.robust import (
    Responses,
    Share,
    band_of,
    chance_of,
    draws_to_prove,
    interval_of,
    share_of,
    units_of,
)

DRAWS = 64


def additive(z):
    return z[:, 0] + 0.8 * z[:, 1] + 0.6 * z[:, 2] - 0.6 * z[:, 3] + 0.4 * z[:, 4]


def together(z):
    """What no sum of single figures tells: products, a parabola, a jump."""
    return 0.8 * z[:, 0] + 0.7 * z[:, 1] * z[:, 2] + 0.5 * z[:, 3] ** 2 + 0.6 * np.sign(z[:, 4]) * z[:, 5]


def planted(response, share, *, noise, seed, replications, figures=12):
    """Draws of a study whose response is known, seen with chance of ``noise`` spreads that the draws have apart and a quarter of it together."""
    reference = np.sqrt(3.0) * (2.0 * np.random.default_rng(1).random((100_000, figures)) - 1.0)
    truth = response(reference)
    threshold, spread = np.quantile(truth, 1.0 - share), truth.std()
    random = np.random.default_rng(seed)
    for number in range(replications):
        points = qmc.Sobol(figures, rng=np.random.default_rng([seed, number])).random(DRAWS)
        inputs = np.sqrt(3.0) * (2.0 * points - 1.0)
        own = noise * spread * (0.5 + random.random((DRAWS, 1, 1)))

        def chance(n, own=own):
            shared = 0.25 * noise * spread * random.standard_normal((1, n, 1))
            return own * random.standard_normal((DRAWS, n, 1)) + shared

        margins = response(inputs)[:, np.newaxis] - threshold + chance(1)[:, 0]
        yield Responses(inputs=inputs, margins=margins, resamples=margins[:, np.newaxis] + chance(100))


def runs(z):
    """Flat in most draws, and far below where two figures are near their ends together, as in a run."""
    return 1.0 + 0.1 * z[:, 0] - 6.0 * np.maximum(0.0, z[:, 1] + z[:, 2] - 1.2) - 0.2 * z[:, 3]


def above(margins):
    return margins[..., 0] > 0.0


@pytest.mark.parametrize(("response", "share"), [(additive, 0.8), (together, 0.9)])
def test_the_interval_covers_a_known_share(response, share):
    """Of 24 studies at most 3 intervals miss it (a true 95% misses more in 1 of 33 such tests), and they are no wider than a binomial's by half."""
    found = [share_of(each, above) for each in planted(response, share, noise=0.3, seed=3, replications=24)]
    missed = [each for each in found if not each.interval[0] <= share <= each.interval[1]]
    assert len(missed) <= 3
    low, high = interval_of(share, share * (1.0 - share) / DRAWS, DRAWS)
    assert np.mean([each.interval[1] - each.interval[0] for each in found]) < 1.5 * (high - low)


@pytest.mark.campaign
@pytest.mark.parametrize("noise", [0.2, 0.5])
@pytest.mark.parametrize(
    ("response", "share", "figures"),
    [(additive, 0.8, 12), (additive, 0.92, 80), (together, 0.6, 80), (together, 0.8, 80), (together, 0.92, 80), (runs, 0.92, 80)],
)
def test_the_interval_covers_at_least_what_it_says(response, share, figures, noise, capsys):
    """Of 500 studies at least 92%; more than 98% where there is little chance, as Sobol' points integrate what is additive better than a binomial."""
    found = [share_of(each, above) for each in planted(response, share, noise=noise, seed=11, replications=500, figures=figures)]
    low, high = np.array([each.interval for each in found if each.interval is not None]).T
    covered = np.mean((low <= share) & (share <= high))
    values = [each.value for each in found]
    line = (
        f"{response.__name__}, {figures} figures, share {share}, chance {noise}: found {np.mean(values):.3f} ± {np.std(values):.3f}; "
        f"covered {100 * covered:.1f}% of {len(low)} (above it {100 * np.mean(low > share):.1f}%), mean width {np.mean(high - low):.2f}"
    )
    with capsys.disabled():
        sys.stdout.write(f"\n{line}\n")
    assert covered >= 0.92


@pytest.mark.campaign
@pytest.mark.parametrize("noise", [0.1, 0.2, 0.5])
def test_a_response_flat_about_the_demand_is_told_or_not_known(noise, capsys):
    """Flat within chance of 0.7, 1.5 and 4 times its own spread: of 500 studies at most 5% publish an interval that misses the share."""
    found = [share_of(each, above) for each in planted(runs, 0.8, noise=noise, seed=11, replications=500, figures=80)]
    told = [each for each in found if each.interval is not None]
    missed = [each for each in told if not each.interval[0] <= 0.8 <= each.interval[1]]
    with capsys.disabled():
        sys.stdout.write(f"\nflat, chance {noise}: known in {len(told)} of 500, wrong in {len(missed)}\n")
    assert len(missed) <= 25


def test_a_flat_response_is_not_published_as_what_chance_makes_of_it():
    """As flat as half of the chance: of ten studies none publishes an interval that misses the share, and most publish none."""
    found = [share_of(each, above) for each in planted(runs, 0.8, noise=0.3, seed=3, replications=10, figures=80)]
    told = [each for each in found if each.interval is not None]
    assert len(told) <= 4
    assert all(each.interval[0] <= 0.8 <= each.interval[1] for each in told)


def test_draws_in_which_nothing_happens_have_no_chance_of_the_others():
    """A hundredth of the chance beside draws with runs; what moves all together, each as far as it does, is not counted as a draw's own."""
    random = np.random.default_rng(4)
    sizes = np.array([0.01] * 20 + [1.0] * 12)
    common = random.standard_normal((400, 1))
    own = sizes[:, np.newaxis, np.newaxis] * random.standard_normal((32, 400, 1))
    found = chance_of(np.zeros((32, 1)), own + sizes[:, np.newaxis, np.newaxis] * common)
    assert np.sqrt(found.own[:, 0]) == pytest.approx(sizes, rel=0.3)
    assert found.pull[:, 0] == pytest.approx(found.pull[-1, 0] * sizes, rel=0.3)
    assert abs(np.corrcoef(found.common[:, 0], common[:, 0])[0, 1]) > 0.97


def test_chance_is_taken_out():
    """Half as much chance as truth makes 0.9 look like 0.86; what is published is not drawn to a half with it."""
    studies = list(planted(additive, 0.9, noise=0.6, seed=5, replications=12))
    seen = np.mean([above(each.margins).mean() for each in studies])
    found = np.mean([share_of(each, above).value for each in studies])
    assert seen < 0.88
    assert abs(found - 0.9) < 0.03


def test_without_chance_the_share_is_what_was_counted():
    (study,) = planted(together, 0.7, noise=0.0, seed=2, replications=1)
    found = share_of(study, above)
    assert found.value == above(study.margins).mean()
    assert set(found.probabilities) <= {0.0, 1.0}
    assert found.path_variance == 0.0


def test_what_chance_leaves_open_has_no_interval():
    """Eight times as much chance as truth: the mean draw may hold or not."""
    (study,) = planted(additive, 0.6, noise=8.0, seed=2, replications=1)
    assert share_of(study, above).interval is None


def test_a_margin_s_unit_is_its_spread_over_most_draws():
    """Whatever a few are; and above 0 where more than half of the draws are alike, and where all are."""
    margins = np.array([[-50.0, 2.0, 0.0], [-0.1, 2.0, 0.0], [0.0, 2.0, 0.0], [0.2, 2.0, 0.0], [900.0, 3.0, 0.0]])
    assert units_of(margins) == pytest.approx([1.4826 * 0.2, 0.2, 1.0])


def test_sixty_four_draws_prove_four_fifths_where_58_hold():
    """The page's own figure; one fewer does not."""
    assert interval_of(58 / 64, 58 * 6 / 64**3, 64)[0] >= 0.8
    assert interval_of(57 / 64, 57 * 7 / 64**3, 64)[0] < 0.8


def test_where_all_hold_a_net_counts_as_independent_draws():
    """Nothing of the other side was seen, so nothing says that the net foretells it: 64 of 64 show 94.4%, as a binomial's would."""
    inputs = np.sqrt(3.0) * (2.0 * qmc.Sobol(4, rng=np.random.default_rng(1)).random(DRAWS) - 1.0)
    margins = 10.0 + inputs[:, :1]
    found = share_of(Responses(inputs=inputs, margins=margins, resamples=margins[:, np.newaxis] + np.zeros((1, 50, 1))), above)
    assert found.value == 1.0
    assert found.interval == pytest.approx((0.025 ** (1 / 64), 1.0), abs=1e-3)


def found_of(value, *, draws=64, paths=0.0):
    variance = value * (1.0 - value) / draws
    ones = np.ones(1)
    return Share(
        value=value,
        interval=None,
        draws=draws,
        probabilities=ones,
        draw_variance=variance,
        path_variance=paths,
        fitted=ones,
        kept=ones,
        least=ones,
    )


def test_how_many_draws_prove_a_share():
    """As many as make the bound reach it, one fewer does not; a share at or below what is asked for, or paths that leave too much open, never do."""
    needed = draws_to_prove(found_of(0.9), 0.8)
    assert interval_of(0.9, 0.09 / needed, needed)[0] >= 0.8
    assert interval_of(0.9, 0.09 / (needed - 1), needed - 1)[0] < 0.8
    assert draws_to_prove(found_of(0.8), 0.8) is None
    assert draws_to_prove(found_of(0.9, paths=0.1), 0.8) is None


def test_a_band_holds_the_true_response_and_not_the_chance():
    """A response even on ±√3 has 95% within ±1.65, a normal one of its spread within ±1.96; what is seen of it with nearly as much chance reaches beyond ±2.2. Mean
    of ten studies.
    """
    studies = list(planted(lambda z: z[:, 0], 0.5, noise=0.8, seed=4, replications=10))
    low, median, high = np.mean([band_of(each, 0) for each in studies], axis=0)
    seen = np.mean([np.quantile(each.margins, (0.025, 0.975)) for each in studies], axis=0)
    assert 1.3 < 0.5 * (high - low) < 2.1
    assert abs(median) < 0.3
    assert 0.5 * (seen[1] - seen[0]) > 2.2
