"""Keyed random streams: one counter-based stream per (seed, stream, scenario, path, purpose), so that nothing shifts anything else.

Philox4x64 (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, 2011) takes a 128-bit key; here the key is the BLAKE2b digest
of the five names, and the counter starts at 0. Which other draws were made, in which order, by which worker, does not matter.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from amo_opt.stress.kept_normals import KEPT
from amo_opt.stress.normals import fill_normals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


_KEYS = {"selection": "certify-a", "holdout": "certify-b"}
"""What a stream's name stands for in the key, where that is another word: a path is the same path whatever it is called."""


class Streams:
    """The streams of one scenario: `normals` and `uniform` for a path and a purpose.

    Holds one generator and sets its key anew for each draw (about 2 µs; a fresh generator costs 7). Not for sharing between threads:
    each call of `draw_block` makes its own.
    """

    def __init__(self, seed: int, stream: str, scenario: str) -> None:
        # repr quotes the names, so no two tuples of names give the same bytes
        self._prefix = hashlib.blake2b(repr((int(seed), _KEYS.get(stream, stream), scenario)).encode(), digest_size=16)
        self._bits = np.random.Philox(key=0)
        self._generator = np.random.Generator(self._bits)
        self._zeros = np.zeros(4, dtype=np.uint64)

    def _key(self, path: int, purpose: str) -> NDArray[np.uint64]:
        digest = self._prefix.copy()
        digest.update(repr((int(path), purpose)).encode())
        return np.frombuffer(digest.digest(), dtype="<u8")

    def _at(self, path: int, purpose: str) -> np.random.Generator:
        key = self._key(path, purpose)
        self._bits.state = {
            "bit_generator": "Philox",
            "state": {"counter": self._zeros, "key": key},
            "buffer": self._zeros,
            "buffer_pos": 4,  # the buffer is spent: the next draw starts at the counter
            "has_uint32": 0,
            "uinteger": 0,
        }
        return self._generator

    def uniform(self, path: int, purpose: str) -> float:
        """One number in [0, 1)."""
        return self._at(path, purpose).random()

    def uniforms(self, paths: range, purpose: str) -> NDArray[np.float64]:
        """One number in [0, 1) a path: float64 of shape (paths,)."""
        return np.array([self.uniform(path, purpose) for path in paths], dtype=np.float64)

    def normals(self, paths: range, purpose: str, *, steps: int) -> NDArray[np.float64]:
        """Standard normal noise: float64 of shape (paths, steps); a path's first hours do not depend on ``steps``."""
        return self._drawn(paths, purpose, steps)

    def shared_normals(self, paths: range, purpose: str, *, steps: int) -> NDArray[np.float64]:
        """`normals` that are asked for again soon."""
        origin = self._prefix.digest()
        return KEPT.rows(
            [(origin, path, purpose, steps) for path in paths], lambda missing: self._drawn([paths[row] for row in missing], purpose, steps)
        )

    def unpushed_normals(self, paths: range, purpose: str, *, steps: int) -> NDArray[np.float64]:
        """`normals` of a noise that no tilt reaches: the same for a path and its twins."""
        return self.shared_normals(paths, purpose, steps=steps)

    def _drawn(self, paths: Sequence[int], purpose: str, steps: int) -> NDArray[np.float64]:
        out = np.empty((len(paths), steps), dtype=np.float64)
        fill_normals(np.array([self._key(path, purpose) for path in paths], dtype=np.uint64).reshape(-1, 2), out)
        return out
