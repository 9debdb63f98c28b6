import numpy as np
import pytest

from amo_opt.stress.philox import normals, uniforms


def keys(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64, (count, 2), dtype=np.uint64)


@pytest.mark.parametrize("steps", [1, 3, 1023, 1024, 1025, 40_000])
def test_normals_are_numpy_s_to_the_bit(steps: int) -> None:
    """NumPy's own generator on the same key gives the same numbers, whatever their count; the long row holds some ten numbers of the tail a path."""
    given = keys(24, steps)
    drawn = normals(given, steps=steps)
    for key, row in zip(given, drawn, strict=True):
        expected = np.random.Generator(np.random.Philox(key=key)).standard_normal(steps)
        assert row.tobytes() == expected.tobytes()
    if steps == 40_000:
        assert np.abs(drawn).max() > 3.6541528853610088


def test_uniforms_are_numpy_s_to_the_bit() -> None:
    """The first number in [0, 1) of each key."""
    given = keys(50, 1)
    assert uniforms(given).tolist() == [np.random.Generator(np.random.Philox(key=key)).random() for key in given]
