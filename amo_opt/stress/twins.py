"""The streams of a twin: a component's noises drawn tilted on streams of their own, and the log likelihood ratio of whatever was drawn."""

from __future__ import annotations

import math
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from amo_opt.errors import AmoOptError
from amo_opt.protocol.elementary import exp_of, expm1_of, log1p_of, log_of
from amo_opt.stress.noise import HOURS_A_DAY, reverting_flow, stationary
from amo_opt.stress.settings import setting
from amo_opt.stress.streams import Streams
from amo_opt.stress.tilts import NOISES, in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amo_opt.stress.scenario import Scenario
    from amo_opt.stress.tilts import Component, Tilt

Rows = NDArray[np.float64]

LEAST_UNIFORM = 2.0**-54
"""What stands for a uniform of 0, whose logarithm is not finite; half of the least other one."""


class TwinStreams(Streams):
    """The streams of one component of a scenario: as the path's own, but for the noises that it tilts; and the log ratios of what was drawn.

    ``opening`` is the hour at which the window opens, from which on stationary noises are pushed.
    """

    def __init__(
        self, seed: int, stream: str, scenario: Scenario, *, components: tuple[Component, ...], component: int, opening: int
    ) -> None:
        super().__init__(seed, stream, scenario.name)
        self._scenario = scenario
        self.components = components
        self.component = component
        self._own = {tilt.noise: tilt for tilt in components[component - 1]} if component else {}
        self._opening = opening
        self._ratios: dict[str, list[tuple[int, Rows]]] = {}

    def normals(self, paths: range, purpose: str, *, steps: int) -> Rows:
        """Standard normals, pushed where the component does so."""
        tilt = self._own.get(purpose)
        if tilt is None:
            z = self.shared_normals(paths, purpose, steps=steps)
        else:
            z = super().normals(paths, f"{purpose}-tilt-{self.component}", steps=steps)
            self._push(z, tilt)
        self._ratios[purpose] = self._normal_ratios(z, purpose)
        return z

    def uniforms(self, paths: range, purpose: str) -> Rows:
        """Numbers in [0, 1), more of them near the end that the component names."""
        tilt = self._own.get(purpose)
        if tilt is None:
            u = super().uniforms(paths, purpose)
        else:
            u = _towards(super().uniforms(paths, f"{purpose}-tilt-{self.component}"), tilt.amount)
        self._ratios[purpose] = [(k, _uniform_ratio(u, each.amount)) for k, each in self._tilts_of(purpose)]
        return u

    def log_ratios(self, paths: int) -> Rows:
        """log q_k/p of every component at what was drawn, shape (paths, components). Raises `AmoOptError` where a tilted noise was never drawn."""
        for component in self.components:
            for tilt in component:
                if tilt.noise not in self._ratios:
                    raise AmoOptError(
                        f"tilt: scenario {self._scenario.name} draws no noise {tilt.noise!r}; it draws {', '.join(sorted(self._ratios))}"
                    )
        total = np.zeros((paths, len(self.components)))
        # in the table's order, so that the last bits do not hang on which part of a market was drawn first
        for purpose in in_order(self._ratios):
            for k, ratio in self._ratios.get(purpose, ()):
                total[:, k] += ratio
        return total

    @property
    def drawn(self) -> tuple[str, ...]:
        """The noises that were drawn so far, in the table's order."""
        return in_order(self._ratios)

    def _tilts_of(self, purpose: str) -> list[tuple[int, Tilt]]:
        return [(k, tilt) for k, component in enumerate(self.components) for tilt in component if tilt.noise == purpose]

    def _first_hour(self, purpose: str) -> int:
        return 0 if NOISES[purpose].kind == "walk" else self._opening

    def _levels(self, z: Rows, purpose: str) -> Rows:
        """Where the noise stands, hour by hour, from its normals."""
        noise, settings = NOISES[purpose], self._scenario.settings
        if noise.kind == "walk":
            sd = settings[noise.setting] / math.sqrt(HOURS_A_DAY)
            return np.cumsum(sd * z - 0.5 * sd * sd, axis=1)
        hours = setting(settings, f"{noise.setting}_hours")
        return (
            stationary(z.copy(), hours, sd=1.0)
            if noise.kind == "stationary"
            else np.cumsum(reverting_flow(z.copy(), hours, sd=1.0), axis=1)
        )

    def _push(self, z: Rows, tilt: Tilt) -> None:
        first = self._first_hour(tilt.noise)
        pushed = z.copy()
        pushed[:, first:] += tilt.amount
        levels = self._levels(pushed, tilt.noise) if tilt.level is not None else pushed
        for row, end in enumerate(_ends(levels, tilt, first)):
            z[row, first:end] = pushed[row, first:end]

    def _normal_ratios(self, z: Rows, purpose: str) -> list[tuple[int, Rows]]:
        tilts = self._tilts_of(purpose)
        if not tilts:
            return []
        first = self._first_hour(purpose)
        sums = np.zeros((len(z), z.shape[1] + 1))
        np.cumsum(z, axis=1, out=sums[:, 1:])
        levels = self._levels(z, purpose) if any(tilt.level is not None for _, tilt in tilts) else z
        rows = np.arange(len(z))
        found = []
        for k, tilt in tilts:
            ends = np.maximum(_ends(levels, tilt, first), first)
            summed = sums[rows, ends] - sums[:, min(first, z.shape[1])]
            found.append((k, tilt.amount * summed - 0.5 * tilt.amount**2 * (ends - first)))
        return found


class StretchedStreams(TwinStreams):
    """Streams of some paths, always the same: those of each of the ``stretches`` (component and paths), one below the other."""

    def __init__(
        self,
        seed: int,
        stream: str,
        scenario: Scenario,
        *,
        components: tuple[Component, ...],
        stretches: Sequence[tuple[int, range]],
        opening: int,
    ) -> None:
        super().__init__(seed, stream, scenario, components=components, component=stretches[0][0], opening=opening)
        self._stretches = [
            (paths, TwinStreams(seed, stream, scenario, components=components, component=component, opening=opening))
            for component, paths in stretches
        ]

    def normals(self, paths: range, purpose: str, *, steps: int) -> Rows:  # noqa: ARG002 - whose paths are known
        """Of all of them; ``paths``, whatever they are called, are as many."""
        return _below([each.normals(own, purpose, steps=steps) for own, each in self._stretches])

    def uniforms(self, paths: range, purpose: str) -> Rows:  # noqa: ARG002 - as above
        """Of all of them."""
        return _below([each.uniforms(own, purpose) for own, each in self._stretches])

    def unpushed_normals(self, paths: range, purpose: str, *, steps: int) -> Rows:  # noqa: ARG002 - as above
        """Of all of them."""
        return _below([each.unpushed_normals(own, purpose, steps=steps) for own, each in self._stretches])

    def log_ratios(self, paths: int) -> Rows:  # noqa: ARG002 - as above
        """Those of all stretches."""
        return _below([each.log_ratios(len(own)) for own, each in self._stretches])


class KeptStreams(StretchedStreams):
    """Every noise is drawn once: from then on it is the same under whatever settings a draw has, on any thread."""

    def __init__(
        self,
        seed: int,
        stream: str,
        scenario: Scenario,
        *,
        components: tuple[Component, ...],
        stretches: Sequence[tuple[int, range]],
        opening: int,
    ) -> None:
        super().__init__(seed, stream, scenario, components=components, stretches=stretches, opening=opening)
        self._noises: dict[str, Rows] = {}
        self._lock = Lock()

    def normals(self, paths: range, purpose: str, *, steps: int) -> Rows:
        """A copy, which may be worked on."""
        return self._kept(purpose, lambda: super(KeptStreams, self).normals(paths, purpose, steps=steps))

    def uniforms(self, paths: range, purpose: str) -> Rows:
        """A copy, which may be worked on."""
        return self._kept(purpose, lambda: super(KeptStreams, self).uniforms(paths, purpose))

    def unpushed_normals(self, paths: range, purpose: str, *, steps: int) -> Rows:
        """A copy, which may be worked on."""
        return self._kept(purpose, lambda: super(KeptStreams, self).unpushed_normals(paths, purpose, steps=steps))

    def _kept(self, purpose: str, draw: Callable[[], Rows]) -> Rows:
        with self._lock:
            if purpose not in self._noises:
                self._noises[purpose] = draw()
        return self._noises[purpose].copy()


def _below(rows: Sequence[Rows]) -> Rows:
    """One below the other."""
    return rows[0] if len(rows) == 1 else np.concatenate(rows)


def _ends(levels: Rows, tilt: Tilt, first: int) -> NDArray[np.int64]:
    """The hour after the one that reaches the tilt's level, from ``first`` on; the path's end where none does. It hangs on the past alone."""
    paths, steps = levels.shape
    ends = np.full(paths, steps)
    if tilt.level is not None and steps > first:
        reached = levels[:, first:] <= tilt.level if tilt.amount < 0.0 else levels[:, first:] >= tilt.level
        hit = reached.any(axis=1)
        ends[hit] = first + reached.argmax(axis=1)[hit] + 1
    return ends


def _towards(v: Rows, amount: float) -> Rows:
    """Uniforms as draws of density a·u^(a − 1), or of its mirror image for a negative ``amount``; a = e^|amount|."""
    exponent = exp_of(-abs(amount))
    if amount > 0.0:
        return np.minimum(exp_of(exponent * log_of(v)), np.nextafter(1.0, 0.0))
    return -expm1_of(exponent * log1p_of(-v))


def _uniform_ratio(u: Rows, amount: float) -> Rows:
    inner = log_of(np.maximum(u, LEAST_UNIFORM)) if amount > 0.0 else log1p_of(-u)
    return abs(amount) + expm1_of(abs(amount)) * inner
