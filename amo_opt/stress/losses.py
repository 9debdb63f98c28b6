"""Venue losses: the hour in which a venue loses part of what it holds, drawn once a path.

A yearly probability p is an event at a constant rate of −ln(1 − p) a year, so the wait for it is exponential, counted from the start
of the scored window: nothing is lost in the transition, and a venue loses at most once a path. With `losses_certain` exactly one of the
venues is hit, at the path's onset, drawn in proportion to the probabilities. The severity is the setting itself: `size` does not scale it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from amo_opt.protocol.elementary import log1p_of
from amo_opt.stress.settings import setting, venues_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amo_opt.stress.streams import Streams

NEVER = 1 << 60
"""The step of a loss that does not happen: past any block's end."""
_HOURS_A_YEAR = 8760.0

Steps = NDArray[np.int64]
"""int64 of shape (paths,): a step of the block, or `NEVER`."""


def draw_losses(settings: Mapping[str, float], streams: Streams, *, paths: range, onset: Steps, transition_hours: int) -> dict[str, Steps]:
    """The step at which each venue loses, by venue; a venue whose probability is 0 is left out.

    Each venue has a stream of its own, and which venue a certain loss hits another: switching one on shifts no other draw.
    """
    yearly = {venue: setting(settings, f"{venue}_loss_yearly") for venue in venues_in(settings)}
    yearly = {venue: probability for venue, probability in yearly.items() if probability > 0.0}
    if settings["losses_certain"] == 1.0:
        edges = np.cumsum(list(yearly.values()))
        hit = np.searchsorted(edges, edges[-1] * streams.uniforms(paths, "loss-venue"), side="right")
        # a product that rounds up to the last edge belongs to the last venue
        hit = np.minimum(hit, len(yearly) - 1)
        return {venue: np.where(hit == index, onset, NEVER) for index, venue in enumerate(yearly)}
    return {venue: transition_hours + _waits(p, streams.uniforms(paths, f"{venue}-loss")) for venue, p in yearly.items()}


def _waits(probability: float, uniforms: NDArray[np.float64]) -> Steps:
    """Whole hours until the loss, by inversion of the exponential distribution; at a probability of 1 it comes at once."""
    if probability == 1.0:
        return np.zeros(len(uniforms), dtype=np.int64)
    with np.errstate(over="ignore"):  # the least probabilities wait for ever
        hours = log1p_of(-uniforms) / log1p_of(-probability) * _HOURS_A_YEAR
    return np.floor(np.minimum(hours, NEVER / 2)).astype(np.int64)
