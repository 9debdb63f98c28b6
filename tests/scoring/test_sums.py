"""The compiled sums against NumPy's: the same bits, whatever the number of rows, paths and resamples."""

import numpy as np
import pytest

from amo_opt.scoring.losses import cvar_resampled, worst_first
from amo_opt.scoring.sums import weighted_sums


def drawn(paths: int, resamples: int) -> np.ndarray:
    return np.random.default_rng(paths).poisson(1.0, (paths, resamples)).astype(np.float64)


@pytest.mark.parametrize(("rows", "paths", "resamples"), [(1, 1, 3), (8, 61, 128), (56, 640, 300), (3, 64, 1000)])
def test_weighted_sums_are_einsum_s_to_the_bit(rows: int, paths: int, resamples: int) -> None:
    figures = np.random.default_rng(1).standard_normal((rows, paths)) * 10.0 ** np.arange(rows)[:, np.newaxis]
    counts = drawn(paths, resamples)
    assert weighted_sums(figures, counts).tobytes() == np.einsum("mn,nr->mr", figures, counts).tobytes()


def tails(losses: np.ndarray, weights: np.ndarray, counts: np.ndarray, level: float) -> np.ndarray:
    """The slow twin: all the rows that are taken, gathered, summed and cut at once."""
    order = worst_first(losses)
    share = (1.0 - level) * weights.sum()
    rows = 2 * (int(np.searchsorted(np.cumsum(weights[order]), share)) + 1)
    while True:
        taken = order[:rows]
        filled = np.cumsum(counts[taken] * weights[taken, np.newaxis], axis=0)
        if taken.size == order.size or filled[-1].min() >= share:
            break
        rows *= 2
    drops = -np.diff(losses[taken], append=0.0)
    return np.einsum("n,nr->r", drops / share, np.minimum(filled, share))


@pytest.mark.parametrize("level", [0.0, 0.9, 0.95])
@pytest.mark.parametrize(("paths", "resamples"), [(1, 5), (7, 40), (200, 130), (3200, 50)])
def test_tails_are_the_twin_s_to_the_bit(paths: int, resamples: int, level: float) -> None:
    """Also where the tail first thought enough is too short for a resample (few paths, many resamples)."""
    rng = np.random.default_rng(paths)
    losses, weights = rng.standard_normal(paths), rng.uniform(0.1, 1.0, paths)
    counts = drawn(paths, resamples)
    counts[0] += 1.0  # no resample is empty
    assert cvar_resampled(losses, weights, counts, level=level).tobytes() == tails(losses, weights, counts, level).tobytes()
