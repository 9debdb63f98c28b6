"""The slow obvious twin of `amo_opt.stress.spells`: one path, day by day and hour by hour, in plain Python."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from scipy.stats import chi2, norm


def spells_of_a_path(
    settings: Mapping[str, float], noises: Mapping[str, Sequence[float]], steps: int
) -> tuple[list[bool], list[float], list[float]]:
    """Busy days, the flow of every hour, and the share by which liquidity grows in it, from the normals of the streams ``day``, ``flow-size``, ``flow``, ``lp-size``, ``lp``."""
    begin, end = settings["spell_begin"], settings["spell_end"]
    busy: list[bool] = []
    for z in noises["day"]:
        chance = begin / (begin + end) if begin > 0 else 0.0
        if busy:
            chance = 1 - end if busy[-1] else begin
        busy.append(norm.cdf(z) < chance)

    def hourly(of: str, hour: int) -> float:
        day = hour // 24
        scale = settings[f"spell_{of}_scale"] * (settings[f"spell_{of}_times"] if busy[day] else 1.0)
        freedom = settings[f"spell_{of}_freedom"]
        a_day = min(settings["spell_most"], scale * math.sqrt(freedom / chi2.ppf(norm.cdf(noises[f"{of}-size"][day]), freedom)))
        return a_day / math.sqrt(24) * noises[of][hour]

    netted = 0.0
    flows, changes = [], []
    for hour in range(steps):
        after = netted * math.exp(-settings["spell_reversion"] / 24) + hourly("flow", hour)
        flow, netted = after - netted, after
        change = hourly("lp", hour) + (settings["spell_lp_per_sale"] * flow if busy[hour // 24] else 0.0)
        flows.append(flow)
        changes.append(math.expm1(change))
    return busy, flows, changes
