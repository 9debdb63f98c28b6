"""What explains where a verdict fails: indices of known responses, and the region that was planted."""

from __future__ import annotations

import numpy as np
from scipy.stats import qmc

from amo_opt.search.explain import indices_of, region_of

NAMES = [f"figure-{k}" for k in range(20)]


def inputs_of(seed=1, draws=256):
    return np.sqrt(3.0) * (2.0 * qmc.Sobol(len(NAMES), rng=np.random.default_rng(seed)).random(draws) - 1.0)


def test_indices_of_a_sum_are_its_shares_of_variance():
    """2a − b: four fifths and one fifth, one rising and one falling; figures that are not in it stay below what chance gives."""
    z = inputs_of()
    found = indices_of(z, 2.0 * z[:, 3] - z[:, 7], seed=1)
    assert np.argsort(-found.value)[:2].tolist() == [3, 7]
    assert abs(found.value[3] - 0.8) < 0.05
    assert abs(found.value[7] - 0.2) < 0.05
    assert found.interval[3, 0] <= 0.8 <= found.interval[3, 1]
    assert found.interval[7, 0] <= 0.2 <= found.interval[7, 1]
    assert found.rises[3]
    assert not found.rises[7]
    assert np.delete(found.value, [3, 7]).max() < found.by_chance < 0.2
    assert np.all((found.interval[:, 0] <= found.value) & (found.value <= found.interval[:, 1]))


def test_what_does_not_vary_is_explained_by_nothing():
    """Neither a constant result nor a figure that stands still."""
    z = inputs_of()
    assert not indices_of(z, np.ones(len(z)), seed=1).value.any()
    z[:, 3] = 0.0
    assert indices_of(z, z[:, 4], seed=1).value[3] < 0.05


def test_the_planted_region_is_found():
    """Fails where one figure is low and another high: those two bounds, near their thresholds, and what is left out confirms it."""
    z = inputs_of()
    fails = ((z[:, 2] < -0.3) & (z[:, 5] > 0.4)).astype(float)
    ranked = np.argsort(-indices_of(z, fails, seed=1).value)
    found = region_of(z, fails, NAMES, [int(k) for k in ranked])
    bounds = {each.name: each for each in found.bounds}
    assert {(each.name, each.side) for each in found.bounds} == {("figure-2", "below"), ("figure-5", "above")}
    assert abs(bounds["figure-2"].threshold + 0.3) < 0.25
    assert abs(bounds["figure-5"].threshold - 0.4) < 0.25
    assert found.purity > 0.8
    assert found.covered > 0.8


def test_one_bound_where_a_second_brings_nothing():
    z = inputs_of()
    found = region_of(z, (z[:, 2] > np.quantile(z[:, 2], 0.75)).astype(float), NAMES, range(8))
    assert [(each.name, each.side) for each in found.bounds] == [("figure-2", "above")]
    assert found.purity == found.covered == 1.0


def test_there_is_no_region_of_chance():
    """Failures that no figure explains: of eight such studies none but one may find a region that the draws left out confirm by more than a little."""
    random = np.random.default_rng(3)
    found = [region_of(inputs_of(seed, 64), (random.random(64) < 0.25).astype(float), NAMES, range(8)) for seed in range(8)]
    assert sum(each is not None and each.purity > 0.4 for each in found) <= 1
    assert region_of(inputs_of(), np.zeros(256), NAMES, range(8)) is None
    assert region_of(inputs_of(), np.ones(256), NAMES, range(8)) is None
