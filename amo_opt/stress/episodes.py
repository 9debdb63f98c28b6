"""What is drawn once a path: when the stress begins, how large and how fast it is, how many leave, how long the freeze lasts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from amo_opt.stress.scenario import Scenario
    from amo_opt.stress.streams import Streams


@dataclass(frozen=True)
class Episodes:
    """One figure a path, each of shape (paths,): ``onset`` is a step of the block (int64), the rest float64."""

    onset: NDArray[np.int64]
    size: NDArray[np.float64]
    speed: NDArray[np.float64]
    exit_total: NDArray[np.float64]
    freeze_hours: NDArray[np.float64]


def draw_episodes(scenario: Scenario, streams: Streams, *, paths: range, transition_hours: int) -> Episodes:
    """The stress of each path, drawn uniformly within the scenario's settings; onset counts from the start of the transition."""
    settings = scenario.settings

    def between(purpose: str, low: float, high: float) -> NDArray[np.float64]:
        # streams are keyed, so a draw left out shifts no other
        return low + (high - low) * streams.uniforms(paths, purpose) if high > low else np.full(len(paths), low)

    def spread(purpose: str) -> NDArray[np.float64]:
        width = settings.get(f"{purpose}_spread", 0.0)
        return settings.get(purpose, 1.0) * between(purpose, 1.0 - width, 1.0 + width)

    days = between("onset", settings.get("onset_day_low", 0.0), settings.get("onset_day_high", 0.0))
    return Episodes(
        onset=transition_hours + np.floor(24.0 * days).astype(np.int64),
        size=spread("size"),
        speed=spread("speed"),
        exit_total=between("exit", settings.get("exit_total_low", 0.0), settings.get("exit_total_high", 0.0)),
        freeze_hours=np.round(24.0 * between("freeze", settings.get("freeze_days_low", 0.0), settings.get("freeze_days_high", 0.0))),
    )
