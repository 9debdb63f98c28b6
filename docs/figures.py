# ruff: noqa: INP001
"""Writes every figure of these pages that a study decides, between its markers: ``python docs/figures.py`` (seconds; the same bytes each time).

docs/scenarios.md's and docs/worst-case.md's tables have scripts of their own, docs/validity.md is written by ``python -m
amo_opt.report.stories.backtest``. What was measured (times, sizes, counts of campaigns) stands in the pages with its date and command.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import amo_opt
from amo_opt.comparison.wording import row
from amo_opt.simulation.engine import trace
from amo_opt.stableswap.depth import Pool
from amo_opt.stress.settings import SETTINGS
from amo_opt.wording import true_minus

if TYPE_CHECKING:
    from collections.abc import Callable

    from amo_opt.config.study import Study

DOCS = Path(__file__).parent
STUDY = DOCS.parent / "studies" / "frax-2022.toml"
LATER = 0.61
"""`pool_share_high` of the set that compare.md's example judges."""
SEEDS = (None, 2, 1, 3)
PATHS = 256
"""Of each scenario, in that example."""
RECORDED = ("0.497 to 0.584", "0.032", "0.92; 0.83", "−7.3 to 8.8 (daily medians)")
"""Of the histories that are not shipped: share, its deviation, its autocorrelation, price over the reference."""
FAILED = 0.05
"""Price below which a pool is told as failed: it is sold down to a cent at least, and has none once it is empty."""
LAGS = (108, 216)
"""Hours: 4.5 and 9 days."""


def _study(seed: int | None = None) -> Study:
    return amo_opt.load_study(STUDY, overrides={} if seed is None else {"search.seed": seed})


def _table(heads: tuple[str, ...], lines: list[tuple[str, ...]], *, right: bool) -> str:
    rule = ("---", *("--:" if right else "---" for _ in heads[1:]))
    return "\n".join(f"| {' | '.join(line)} |" for line in (heads, rule, *lines))


def seeds() -> str:
    """compare.md: the same two sets on the paths of several seeds."""
    lines = []
    for seed in SEEDS:
        study = _study(seed)
        found = amo_opt.compare(study.current, study.current.replace(pool_share_high=LATER), study, paths=PATHS)
        metric = found.metric("peg_cvar95_bps")
        told = row(metric)
        name = f"the study's own, {study.search.seed}" if seed is None else str(seed)
        failed = ", ".join(gate.gate.metric for gate in found.failed) or "none"
        lines.append((name, told.baseline, told.candidate, told.interval, f"{metric.tail_points:.0f}", failed, str(found.exit_status)))
    heads = (
        "seed",
        "in force, bp",
        "later, bp",
        "95% interval of the difference",
        "effective paths in the tail",
        "gates that fail",
        "exit",
    )
    return _table(heads, lines, right=True)


def _gaussian(study: Study) -> Study:
    """The study with calm's Gaussian flow in place of its fit of spells."""
    off = {name: SETTINGS[name].calm for name in SETTINGS if name.startswith("spell_")}
    return replace(study, spells=None, scenarios=tuple(replace(each, settings={**each.settings, **off}) for each in study.scenarios))


def calm() -> str:
    """calibration.md: what calm makes of the pool's share and price, hour by hour over all paths, beside the records."""
    columns = []
    for study in (_study(5), _gaussian(_study(5))):
        series = trace(study.current, study, scenario="calm", paths=128, columns=("pool_share", "price", "reference"))
        scored = {name: values[study.simulation.transition_hours :] for name, values in series.items()}
        share, over = scored["pool_share"], 1e4 * (scored["price"] / scored["reference"] - 1.0)
        low, high = np.percentile(share, (5, 95))
        cheap, dear = np.percentile(over, (5, 95))
        again = (np.corrcoef(share[lag:].ravel(), share[:-lag].ravel())[0, 1] for lag in LAGS)
        columns.append(
            (
                f"{low:.3f} to {high:.3f}",
                f"{share.std():.3f}",
                true_minus("; ".join(f"{each:.2f}" for each in again)),
                true_minus(f"{cheap:.1f} to {dear:.1f}"),
            )
        )
    names = (
        "FRAX's share of the pool, 5–95%",
        "its standard deviation",
        "its autocorrelation over 4.5 days; 9 days",
        "price over the reference, 5–95%, bp",
    )
    heads = ("", "recorded", "the fitted spells", "a Gaussian flow, flow_sd 0.06")
    return _table(heads, [(name, *cells) for name, *cells in zip(names, RECORDED, *columns, strict=True)], right=False)


def failing() -> str:
    """scenarios.md: the lowest prices of three scenarios under the current set, as the study's holders and providers act."""
    lowest = {}
    for name in ("fast-run", "death-spiral", "lp-flight"):
        study = amo_opt.load_study(STUDY, overrides={"scenario": [{"name": name, "weight": 1.0}]})
        lowest[name] = amo_opt.simulate(study.current, study, paths=64).paths["min_price"]
    fails = {name: int((lowest[name] < FAILED).sum()) for name in ("fast-run", "death-spiral")}
    above = math.floor(1e3 * float(lowest["lp-flight"].min())) / 1e3
    return (
        f"With the current set of the worked example the price falls below {100 * FAILED:g} cents on {fails['fast-run']} of 64 paths of `fast-run` and on "
        f"{fails['death-spiral']} of `death-spiral`; `lp-flight` leaves\nthe price above {above:.3f} on all of 64."
    )


def share() -> str:
    """model.md: the price at the share of the pool above which the current set withdraws."""
    current = _study().current
    pool = Pool(stablecoin=current.pool_share_high, base=1.0 - current.pool_share_high, amplification=float(current.amplification), fee=0.0)
    return f"At A {current.amplification} a share of {current.pool_share_high:g} is a price of {pool.price:.4f}."


BLOCKS: dict[str, dict[str, Callable[[], str]]] = {
    "compare.md": {"seeds": seeds},
    "calibration.md": {"calm": calm},
    "scenarios.md": {"failing": failing},
    "model.md": {"share": share},
}
"""The written parts of each page, by the name in their markers."""


def written(page: str, text: str) -> str:
    """The page with its figures as they now are."""
    for name, block in BLOCKS[page].items():
        begin, end = f"<!-- figures: {name} -->\n", f"<!-- end: {name} -->"
        before, rest = text.split(begin)
        text = f"{before}{begin}\n{block()}\n\n{end}{rest.split(end)[1]}"
    return text


if __name__ == "__main__":
    for page in BLOCKS:
        (DOCS / page).write_text(written(page, (DOCS / page).read_text(encoding="utf-8")), encoding="utf-8")
