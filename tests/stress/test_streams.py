import hashlib

import numpy as np

from amo_opt.stress.streams import Streams


def test_a_draw_depends_on_its_key_alone() -> None:
    """Other draws made before, or in another order, change nothing."""
    one, other = Streams(1, "search", "calm"), Streams(1, "search", "calm")
    other.normals(range(9), "noise", steps=33)
    other.uniform(3, "size")
    np.testing.assert_array_equal(one.normals(range(3, 6), "usdc", steps=50), other.normals(range(6), "usdc", steps=50)[3:])


def test_more_steps_leave_the_first_ones() -> None:
    """A path's first hours do not depend on how many are drawn."""
    streams = Streams(1, "search", "calm")
    np.testing.assert_array_equal(streams.normals(range(2), "usdc", steps=70)[:, :20], streams.normals(range(2), "usdc", steps=20))


def test_every_part_of_the_key_counts() -> None:
    """Seed, stream, scenario, path and purpose each give another stream, and concatenation cannot confuse them."""
    keys = [
        (1, "a", "b", 1, "c"),
        (2, "a", "b", 1, "c"),
        (1, "b", "b", 1, "c"),
        (1, "a", "c", 1, "c"),
        (1, "a", "b", 2, "c"),
        (1, "a", "b", 1, "d"),
    ]
    keys += [(1, "ab", "", 1, "c"), (1, "", "ab", 1, "c"), (11, "a", "b", 1, "c"), (1, "a", "b", 11, "c")]
    draws = {Streams(seed, stream, scenario).uniform(path, purpose) for seed, stream, scenario, path, purpose in keys}
    assert len(draws) == len(keys)


def test_paths_are_the_same_whatever_their_stream_is_called() -> None:
    """Certification's streams draw what they drew under their first names."""
    for name, first in (("selection", "certify-a"), ("holdout", "certify-b")):
        key = hashlib.blake2b(repr((6, first, "calm")).encode(), digest_size=16)
        key.update(repr((7, "usdc")).encode())
        bits = np.random.Philox(key=np.frombuffer(key.digest(), dtype="<u8"))
        assert Streams(6, name, "calm").uniform(7, "usdc") == np.random.Generator(bits).random()


def test_streams_are_independent_normals() -> None:
    """Neighbouring paths and purposes are uncorrelated standard normals."""
    streams = Streams(5, "search", "calm")
    noise = np.concatenate([streams.normals(range(20), purpose, steps=2000) for purpose in ("usdc", "usdt")])
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - 1.0) < 0.02
    correlations = np.corrcoef(noise) - np.eye(40)
    assert np.abs(correlations).max() < 0.11


def test_known_value() -> None:
    """The key is BLAKE2b of the five names and the counter starts at 0, so a stored path can be drawn again in years."""
    digest = hashlib.blake2b(repr((1, "search", "calm")).encode() + repr((4, "gas")).encode(), digest_size=16).digest()
    fresh = np.random.Generator(np.random.Philox(key=np.frombuffer(digest, dtype="<u8")))
    np.testing.assert_allclose(fresh.standard_normal(8), Streams(1, "search", "calm").normals(range(4, 5), "gas", steps=8)[0], rtol=4e-14)
    bits = "0x1.0209e5663a64dp-1"  # to the last bit, on every processor
    assert float(Streams(1, "search", "calm").normals(range(4, 5), "gas", steps=8)[0, 0]).hex() == bits
