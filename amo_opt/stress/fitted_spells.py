"""A fit of calm and busy spells as a behaviour file names it (`FittedSpells`): figures with ranges, joint draws, and the settings of a scenario that they come to for a state.

Flows of a fit are shares of a pool's total, those of a scenario shares of external supply: what a state's pools hold over its external supply turns one into the other.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from amo_opt.protocol.elementary import exp_of
from amo_opt.stress.settings import SETTINGS

if TYPE_CHECKING:
    from amo_opt.protocol.state import ProtocolState

Array = NDArray[np.float64]

SHARED = ("begin", "end", "flow_times", "lp_times", "flow_freedom", "lp_freedom", "reversion", "lp_per_sale")
"""Figures that every pool shares, as `stress.settings` has them after ``spell_``."""
SCALES = ("flow_scale", "lp_scale")
"""A calm day's scales, each pool's own."""
NEW = "new"
"""The name of a pool that is none of those fitted, in a file of draws."""
DRIFT = ("drift.flow_scale", "drift.lp_scale")
"""Columns of a file of draws: logarithm of what a pool's scales are later over what they were."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedSpells:
    """``values`` by the names of `SHARED` and `SCALES`, with the ``ranges`` of 95% and joint ``draws``, (n,) each, the scales' drift in them; ``pool``: whose scales these are, empty for a pool
    that none of the fitted ones is. ``evidence`` says in words what was fitted, ``file`` where it stands.
    """

    name: str
    pool: str
    values: Mapping[str, float]
    ranges: Mapping[str, tuple[float, float]]
    draws: Mapping[str, Array]
    drift: Array
    evidence: tuple[str, ...] = ()
    file: str = ""

    def __eq__(self, other: object) -> bool:
        """The same figures and the same draws."""
        if not isinstance(other, FittedSpells):
            return NotImplemented
        told = (self.name, self.pool, dict(self.values), dict(self.ranges), self.evidence, self.digest)
        return told == (other.name, other.pool, dict(other.values), dict(other.ranges), other.evidence, other.digest)

    def __hash__(self) -> int:
        return hash((self.name, self.pool, self.digest))

    @property
    def count(self) -> int:
        """Joint draws."""
        return int(self.drift.shape[0])

    @property
    def digest(self) -> str:
        """SHA-256 of the joint draws: what a study's identity holds of them."""
        found = hashlib.sha256()
        for name in sorted(self.draws):
            found.update(name.encode())
            found.update(np.ascontiguousarray(self.draws[name], dtype="<f8").tobytes())
        return found.hexdigest()

    def settings(self, state: ProtocolState) -> dict[str, float]:
        """The settings ``spell_…`` of a scenario on a state, at the fitted values."""
        return {f"spell_{name}": float(value) for name, value in _in_supply(self.values, state).items()}

    def drawn(self, state: ProtocolState, number: int) -> dict[str, float]:
        """The same at one joint draw; numbers beyond the last begin again."""
        row = {name: float(values[number % self.count]) for name, values in self.draws.items()}
        return {f"spell_{name}": float(value) for name, value in _in_supply(row, state).items()}

    def by_path(self, state: ProtocolState, paths: range, *, scales: tuple[float, float] | None = None) -> dict[str, Array]:
        """The same for each path at the draw of its number, (paths, 1) each; with ``scales`` a pool's own are known, and drift from there."""
        rows = np.array(paths) % self.count
        found = {name: values[rows][:, None] for name, values in self.draws.items()}
        if scales is not None:
            for place, (name, scale) in enumerate(zip(SCALES, scales, strict=True)):
                found[name] = scale * exp_of(self.drift[rows, place])[:, None]
        return {f"spell_{name}": value for name, value in _in_supply(found, state).items()}


def _in_supply(values: Mapping[str, float | Array], state: ProtocolState) -> dict[str, Array]:
    share = state.pooled / max(state.external_supply, math.ulp(1.0))
    found = {name: np.asarray(value, dtype=np.float64) for name, value in values.items()}
    found["flow_scale"] = found["flow_scale"] * share
    found["lp_per_sale"] = found["lp_per_sale"] / share
    return {name: np.clip(value, SETTINGS[f"spell_{name}"].low, SETTINGS[f"spell_{name}"].high) for name, value in found.items()}
