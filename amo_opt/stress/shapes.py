"""Shapes: how a named series of waypoints becomes hourly values on every path, given onset, size and speed.

A shape knows nothing of noise and nothing of the protocol. Waypoints are (hour since onset, value); stretched hours are rounded to
whole hours, so that every path passes through every waypoint (a low between two hours would be lost).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from amo_opt.protocol.elementary import exp_of, expm1_of, log1p_of, log_of

if TYPE_CHECKING:
    from amo_opt.stress.series import Series

Waypoints = Sequence[tuple[float, float]]
Floats = NDArray[np.float64]
Steps = NDArray[np.int64]


def whole_hours(points: Waypoints, speed: float | Floats) -> Floats:
    """Hours since onset of the waypoints at ``speed``: whole, strictly increasing, float64 of the speed's shape and one more axis, (…, points)."""
    hours = np.round(np.array([hour for hour, _ in points]) / np.asarray(speed)[..., None])
    places = np.arange(len(points))
    # hour by hour the larger of its own and one past the one before; whole numbers, so nothing is rounded
    found: Floats = np.maximum.accumulate(hours - places, axis=-1) + places
    return found


def levels(points: Waypoints, series: Series, *, steps: int, onset: Steps, size: Floats, speed: Floats) -> Floats:
    """Factor on the calm level: float64 of shape (paths, steps), 1 before onset, the last waypoint's for ever after it.

    ``onset`` (step), ``size`` and ``speed`` are of shape (paths,). A ``price`` is linear between waypoints and its deviation from 1
    scales with size; a ``level`` counts from its first waypoint, is linear in logs, and its log scales with size; a ``multiple`` is
    linear in logs and keeps its size.
    """
    values = np.array([value for _, value in points])
    ends = whole_hours(points, speed)
    out = np.ones((len(onset), steps))
    for i in range(len(onset)):
        start = int(onset[i])
        if start >= steps:
            continue
        hours = ends[i]
        since = np.arange(steps - start, dtype=np.float64)
        if series.kind == "price":
            out[i, start:] = 1.0 + size[i] * (np.interp(since, hours, values) - 1.0)
        elif series.kind == "level":
            out[i, start:] = exp_of(size[i] * np.interp(since, hours, log_of(values / values[0])))
        else:
            out[i, start:] = exp_of(np.interp(since, hours, log_of(values)))
    return out


def hourly_share(points: Waypoints, *, steps: int, onset: Steps, speed: Floats, scale: Floats) -> Floats:
    """Share that leaves in each hour: float64 of shape (paths, steps), 0 outside the waypoints.

    A waypoint's value is the share leaving per day from that hour to the next waypoint; the last one closes the series. Shares compound:
    a day's share s is a hazard of −ln(1 − s), which ``scale`` of shape (paths,) multiplies. Speed changes the hours, never the total.
    """
    hazard = np.concatenate([[0.0], np.cumsum(_hazards(points))])
    ends = whole_hours(points, speed)
    out = np.zeros((len(onset), steps))
    for i in range(len(onset)):
        start = int(onset[i])
        if start >= steps:
            continue
        since = np.arange(steps - start + 1, dtype=np.float64)
        gone = np.interp(since, ends[i], hazard * scale[i])
        # interpolating between two hazards that are next to nothing may fall by a rounding error
        out[i, start:] = -expm1_of(-np.maximum(np.diff(gone), 0.0))
    return out


def hourly_demand(points: Waypoints, *, steps: int, onset: Steps, size: Floats, speed: Floats) -> Floats:
    """Signed net demand of each hour, share of external supply, buying positive: float64 of shape (paths, steps).

    A waypoint's value is the demand per day from that hour to the next waypoint; size multiplies it, speed keeps the total.
    """
    spans = np.diff([hour for hour, _ in points]) / 24.0
    total = np.concatenate([[0.0], np.cumsum(spans * np.array([value for _, value in points[:-1]]))])
    ends = whole_hours(points, speed)
    out = np.zeros((len(onset), steps))
    for i in range(len(onset)):
        start = int(onset[i])
        if start >= steps:
            continue
        since = np.arange(steps - start + 1, dtype=np.float64)
        out[i, start:] = size[i] * np.diff(np.interp(since, ends[i], total))
    return out


def total_hazard(points: Waypoints) -> float:
    """Hazard of the whole series: −ln of the share that stays."""
    return float(np.sum(_hazards(points)))


def _hazards(points: Waypoints) -> Floats:
    spans = np.diff([hour for hour, _ in points]) / 24.0
    hazards: Floats = -log1p_of(-np.array([value for _, value in points[:-1]])) * spans
    return hazards
