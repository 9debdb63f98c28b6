"""Daily histories of pools as `amo_opt.stress.spells` draws them, as the steps that a fit takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from amo_opt.stress.calibration.spells import SHARED, Steps
from amo_opt.stress.settings import SETTINGS
from amo_opt.stress.spells import draw_spells
from amo_opt.stress.streams import Streams

TRUE = {
    "begin": 0.11, "end": 0.23, "flow_times": 3.4, "lp_times": 5.9, "flow_freedom": 2.1, "lp_freedom": 1.9, "reversion": 0.02, "lp_per_sale": 0.58,
}  # fmt: skip
"""About what the histories of four pools give; reversion larger, so that a year shows it."""
CALM_SCALES = ((0.0024, 0.0031), (0.0078, 0.0080), (0.0019, 0.0022), (0.0091, 0.0106))
"""Of flow and log liquidity, of each pool."""


def simulated(seed: int, *, days: int, scales: Sequence[tuple[float, float]] = CALM_SCALES, **changed: float) -> list[Steps]:
    """The steps of one pool for each pair of scales."""
    pools = []
    for k, (flow_scale, lp_scale) in enumerate(scales):
        own = {"flow_scale": flow_scale, "lp_scale": lp_scale, "most": 1.0} | TRUE | changed
        settings = {name: each.calm for name, each in SETTINGS.items() if name.startswith("spell_")}
        settings |= {f"spell_{name}": value for name, value in own.items()}
        hourly, grown = draw_spells(settings, Streams(seed, "search", f"pool {k}"), paths=range(1), steps=24 * days)
        flow = hourly.reshape(days, 24).sum(axis=1)
        change = np.log1p(grown).reshape(days, 24).sum(axis=1)
        tilt = -np.concatenate([[0.0], np.cumsum(flow)[:-1]])
        pools.append(
            Steps(f"pool {k}", np.ones(days), np.ones(days, dtype=bool), flow, change, tilt, 1e9, np.full(days, 0.5), np.zeros(days))
        )
    return pools


def true_values(scales: Sequence[tuple[float, float]] = CALM_SCALES, **changed: float) -> np.ndarray:
    """The truth in the order of the fit's figures."""
    own = TRUE | changed
    return np.array([*(own[name] for name in SHARED), *(scale for pair in scales for scale in pair)])


def written(folder: Path, pools: Sequence[Steps], *, name: str = "pool") -> list[Path]:
    """Pools of constant price whose balances move by these steps."""
    files: list[Path] = []
    for k, each in enumerate(pools):
        x, y = 5e8, 5e8
        lines = ["timestamp,pool_stable,pool_base,virtual_price"]
        for day in range(each.flow.size + 1):
            lines.append(f"{1_640_995_200 + 86_400 * day},{float(x)!r},{float(y)!r},1.0")
            if day < each.flow.size:
                grown = math.exp(each.change[day])
                total = (x + y) * grown
                x, y = x * grown - each.flow[day] * total, y * grown + each.flow[day] * total
        files.append(folder / f"{name}{k}.csv")
        files[-1].write_text("\n".join(lines) + "\n", encoding="utf-8")
    return files
