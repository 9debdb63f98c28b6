"""Keyed random streams: one counter-based stream per (seed, stream, scenario, path, purpose), so that nothing shifts anything else.

Philox4x64 (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, 2011) takes a 128-bit key; here the key is the BLAKE2b digest
of the five names, and the counter starts at 0. Which other draws were made, in which order, by which worker, does not matter.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from amo_opt.stress.kept_normals import KEPT
from amo_opt.stress.normals import fill_normals, first_uniforms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


_KEYS = {"selection": "certify-a", "holdout": "certify-b"}
"""What a stream's name stands for in the key, where that is another word: a path is the same path whatever it is called."""


class Streams:
    """The streams of one scenario: `normals` and `uniform` for a path and a purpose.

    A draw begins at its key and leaves nothing behind.
    """

    def __init__(self, seed: int, stream: str, scenario: str) -> None:
        # repr quotes the names, so no two tuples of names give the same bytes
        self._prefix = hashlib.blake2b(repr((int(seed), _KEYS.get(stream, stream), scenario)).encode(), digest_size=16)

    def _keys(self, paths: Sequence[int], purpose: str) -> NDArray[np.uint64]:
        """A row of two numbers a path."""
        found = []
        for path in paths:
            digest = self._prefix.copy()
            digest.update(repr((int(path), purpose)).encode())
            found.append(digest.digest())
        return np.frombuffer(b"".join(found), dtype="<u8").reshape(-1, 2)

    def uniform(self, path: int, purpose: str) -> float:
        """One number in [0, 1)."""
        return float(first_uniforms(self._keys([path], purpose))[0])

    def uniforms(self, paths: range, purpose: str) -> NDArray[np.float64]:
        """One number in [0, 1) a path: float64 of shape (paths,)."""
        return first_uniforms(self._keys(paths, purpose))

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
        fill_normals(self._keys(paths, purpose), out)
        return out
