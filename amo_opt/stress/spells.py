"""Calm and busy spells: a two-state Markov chain of days with Student-t flows of holders and changes of liquidity (Hamilton, A new approach to the economic analysis of
nonstationary time series and the business cycle, 1989, with t in place of normal deviations).

A day is calm or busy. What holders net and what providers change in it are t-distributed, each with a scale of its own that is so many times as large on a busy day. Within the
day they come as independent hourly normals of one deviation, which is drawn a day as a chi-squared of the t's degrees of freedom: a day's sum is t distributed exactly, and an
hour has the noise that a day's 24 parts have. Rows are paths; arrays of days (paths, days), of hours (paths, steps).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from amo_opt.protocol.elementary import exp_of, expm1_of
from amo_opt.stress.chi_squared import chi_squared_of
from amo_opt.stress.noise import HOURS_A_DAY, decayed_sum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from amo_opt.stress.streams import Streams

    Rows = NDArray[np.float64]
    Number = float | Rows

LEAST_CHANCE = 2.0**-54
"""What stands for a chance of 0, whose chi-squared is none."""
_DAY = int(HOURS_A_DAY)


def has_flow(settings: Mapping[str, Number]) -> bool:
    """Whether holders' flow is that of spells, in place of ``flow_sd``."""
    return bool(np.max(settings["spell_flow_scale"]) > 0.0)


def has_liquidity(settings: Mapping[str, Number]) -> bool:
    """Whether providers come and go by spells."""
    return bool(np.max(settings["spell_lp_scale"]) > 0.0) or (has_flow(settings) and bool(np.max(settings["spell_lp_per_sale"]) > 0.0))


def share_busy(begin: Number, end: Number) -> Number:
    """Share of days that are busy in the long run; 0 where no spell ever begins."""
    return begin / np.maximum(begin + end, LEAST_CHANCE)


def busy_days(z: Rows, *, begin: Number, end: Number, first: Number | None = None) -> NDArray[np.bool_]:
    """Which days are busy, from one standard normal a day: the first with the chance ``first``, or as in the long run, each later one by the day before."""
    from scipy.special import ndtr

    drawn = ndtr(z)
    busy = np.empty(z.shape, dtype=bool)
    begin, ends = np.broadcast_to(begin, (z.shape[0], 1))[:, 0], np.broadcast_to(end, (z.shape[0], 1))[:, 0]
    busy[:, 0] = drawn[:, 0] < (share_busy(begin, ends) if first is None else np.broadcast_to(first, (z.shape[0], 1))[:, 0])
    for day in range(1, z.shape[1]):
        busy[:, day] = drawn[:, day] < np.where(busy[:, day - 1], 1.0 - ends, begin)
    return busy


def deviations(z: Rows, *, freedom: Number) -> Rows:
    """What multiplies a day's normal to make it t distributed with ``freedom`` degrees: √(freedom / chi-squared), from one standard normal a day."""
    found: Rows = np.sqrt(freedom / chi_squared_of(z, freedom))
    return found


def by_hours(z: Rows, a_day: Rows) -> Rows:
    """Hourly normals ``z`` with the deviation of their day's sum ``a_day``."""
    hours = np.repeat(a_day / np.sqrt(HOURS_A_DAY), _DAY, axis=1)[:, : z.shape[1]]
    found: Rows = z * hours
    return found


def draw_spells(
    settings: Mapping[str, Number], streams: Streams, *, paths: range, steps: int, first: Number | None = None
) -> tuple[Rows | None, Rows | None]:
    """The flow of every hour, a share of external supply, buying positive, and by which share outside liquidity grows in it; None for what is off.

    A setting is one number or one a path, (paths, 1); ``first`` is the chance that the first day is busy, where that is known better than by the long run.

    Flows revert: of what holders have netted since the start a share returns. In a busy spell providers take liquidity along as holders sell, and bring it as they
    buy, ``spell_lp_per_sale`` of its logarithm a unit.
    """
    days = -(-steps // _DAY)

    def normals(purpose: str, count: int) -> Rows:
        return streams.unpushed_normals(paths, f"spell-{purpose}", steps=count)

    if not (has_flow(settings) or has_liquidity(settings)):
        return None, None
    busy = busy_days(normals("day", days), begin=settings["spell_begin"], end=settings["spell_end"], first=first)

    def noise(of: str) -> Rows:
        scale = settings[f"spell_{of}_scale"] * np.where(busy, settings[f"spell_{of}_times"], 1.0)
        a_day = np.minimum(scale * deviations(normals(f"{of}-size", days), freedom=settings[f"spell_{of}_freedom"]), settings["spell_most"])
        return by_hours(normals(of, steps), a_day)

    flow = None
    if has_flow(settings):
        netted = noise("flow")
        kept = np.asarray(exp_of(-np.asarray(settings["spell_reversion"]) / HOURS_A_DAY))
        if kept.ndim == 0:
            decayed_sum(netted, kept=float(kept))
        else:
            for row, own in enumerate(kept[:, 0].tolist()):
                decayed_sum(netted[row : row + 1], kept=own)
        flow = np.diff(netted, axis=1, prepend=0.0)
    if not has_liquidity(settings):
        return flow, None
    change = noise("lp") if np.max(settings["spell_lp_scale"]) > 0.0 else np.zeros((len(paths), steps))
    if flow is not None and np.max(settings["spell_lp_per_sale"]) > 0.0:
        change += settings["spell_lp_per_sale"] * flow * np.repeat(busy, _DAY, axis=1)[:, :steps]
    return flow, expm1_of(change)
