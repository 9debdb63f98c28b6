"""Keyed random streams: one counter-based stream per (seed, stream, scenario, path, purpose), so that nothing shifts anything else.

Philox4x64 takes a 128-bit key; here the key is the BLAKE2b digest of the five names, and the counter starts at 0. Which other draws were made,
in which order, by which worker, does not matter.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from amo_opt.stress import philox

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Streams:
    """The streams of one scenario: `normals` and `uniform` for a path and a purpose."""

    def __init__(self, seed: int, stream: str, scenario: str) -> None:
        # repr quotes the names, so no two tuples of names give the same bytes
        self._prefix = hashlib.blake2b(repr((int(seed), stream, scenario)).encode(), digest_size=16)

    def _key(self, path: int, purpose: str) -> bytes:
        digest = self._prefix.copy()
        digest.update(repr((int(path), purpose)).encode())
        return digest.digest()

    def _keys(self, paths: range, purpose: str) -> NDArray[np.uint64]:
        digests = b"".join([self._key(path, purpose) for path in paths])
        return np.frombuffer(digests, dtype="<u8").astype(np.uint64).reshape(-1, 2)

    def uniform(self, path: int, purpose: str) -> float:
        """One number in [0, 1)."""
        return float(self.uniforms(range(path, path + 1), purpose)[0])

    def uniforms(self, paths: range, purpose: str) -> NDArray[np.float64]:
        """One number in [0, 1) a path: float64 of shape (paths,)."""
        return philox.uniforms(self._keys(paths, purpose))

    def normals(self, paths: range, purpose: str, *, steps: int) -> NDArray[np.float64]:
        """Standard normal noise: float64 of shape (paths, steps); a path's first hours do not depend on ``steps``."""
        return philox.normals(self._keys(paths, purpose), steps=steps)
