"""The three fits: run hazard, calm flow, flight of liquidity providers.

Every interval is a 95% profile likelihood: the figure is held at each value of a grid, everything else is fitted again, and the values
whose misfit is not larger than chance (F with 1 and n - k degrees of freedom; chi squared with 1 for the flow) form the interval. What is
fitted again is not held to the range that it may take as a figure of a study: cut there it would narrow the interval of the other, although
the data know of no such limit. A rate below 0 is no rate, so 0 does bound it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import lsq_linear
from scipy.stats import chi2, f

from amo_opt.errors import AmoOptError, InputError, Problem
from amo_opt.protocol.state import Markets
from amo_opt.stress.calibration.fitted import Calibration, Fitted
from amo_opt.stress.plausible import UNITS, units_of
from amo_opt.stress.settings import SETTINGS
from amo_opt.stress.table import TIME, UNUSABLE, Table

Array = NDArray[np.float64]
LEVEL = 0.95
LEAST_ROWS = 4
MAX_GAP_HOURS = 168.0
"""Longest step between two rows: a wider one hides a regime, and the file should be cut there."""
STEADY_POOL = 2.0
"""A pool whose 95% quantile is more than this many times its 5% quantile had no one size to convert shares by."""
LEFT_OUT = {
    ("FRAX", "2022-05-11"): "a day's supply change, AMO burns included, paired with the low of the next morning",
    ("FRAX", "2023-03-11"): "the price is in dollars while the exit value was USDC's; against USDC it stayed at 0.9916 or above",
}
"""Points of public record that pair what does not belong together, by asset and date."""


def _rows(table: Table, n: int) -> None:
    if n < LEAST_ROWS:
        raise InputError([Problem(table.file, "", "too few rows to fit", str(n), f"at least {LEAST_ROWS}")])


def _range(name: str) -> tuple[float, float, str]:
    data = {field.name: field.metadata for field in fields(Markets)}[name]
    return data["low"], data["high"], data["unit"]


def _rate_profile(held: Array, other: Array, y: Array, most: float) -> tuple[Array, Array]:
    """Grid of the held rate and the least sum of squares at each, the other rate fitted at 0 or above."""
    best = lsq_linear(np.column_stack([held, other]), y, bounds=([0.0, 0.0], [most, np.inf])).x[0]
    grid = np.unique(np.concatenate([[0.0, best], np.geomspace(1e-7 * most, most, 1500)]))
    squares = float(other @ other)
    free = (y @ other - grid * (held @ other)) / squares if squares > 0.0 else np.zeros_like(grid)
    residual = y - grid[:, None] * held - np.maximum(free, 0.0)[:, None] * other
    return grid, np.sum(residual**2, axis=1)


def _inside(grid: Array, rss: Array, n: int, k: int) -> tuple[float, float, float]:
    """Best value and the ends of the interval on the grid."""
    limit = rss.min() * (1.0 + f.ppf(LEVEL, 1, n - k) / (n - k)) + 1e-18
    kept = grid[rss <= limit]
    return float(grid[np.argmin(rss)]), float(kept[0]), float(kept[-1])


def _points(table: Table, leave_out: Sequence[str]) -> tuple[Array, Array, list[str]]:
    """Shortfall against exit value and share leaving a day, (n,), and the rows left out with the reason."""
    if "supply" in table.numbers:
        table, gone = table.complete(*(name for name in ("price", "supply", "usdc") if name in table.numbers))
        price, supply = table.numbers["price"], table.numbers["supply"]
        _rows(table, price.size - 1)
        hours = table.hours(most_gap=MAX_GAP_HOURS)
        worth = np.minimum(table.numbers.get("usdc", np.ones_like(price)), 1.0)
        ratio = price / worth
        share = 1.0 - (supply[1:] / supply[:-1]) ** (24.0 / np.diff(hours))
        return 1.0 - 0.5 * (ratio[1:] + ratio[:-1]), share, list(gone)
    left: list[str] = []
    price = table.numbers["price"]
    if "outflow_share" in table.numbers:
        share = table.numbers["outflow_share"]
    else:
        table.need("change_pct")
        share = -table.numbers["change_pct"] / 100.0
    n = price.size
    asset, date, use = (table.texts.get(name, [""] * n) for name in ("asset", TIME, "use"))
    one = np.ones(n)
    keep = []
    met = set()
    for i in range(n):
        name = f"{asset[i]}:{date[i]}"
        why = LEFT_OUT.get((asset[i], date[i])) if "exit_value" not in table.numbers or date[i] == "2022-05-11" else None
        why = "the file says so (use)" if use[i].lower() in UNUSABLE else why
        empty = [
            column for column in ("price", "exit_value", "outflow_share", "change_pct") if math.isnan(table.numbers.get(column, one)[i])
        ]
        why = f"no {' and no '.join(empty)}" if empty else why
        for asked in leave_out:
            if asked in (name, asset[i]):
                met.add(asked)
                why = "asked for"
        if why is None:
            keep.append(i)
        else:
            left.append(f"line {table.lines[i]}, {name}: {why}")
    strange = [asked for asked in leave_out if asked not in met]
    if strange:
        raise AmoOptError(f"--leave-out: found {strange[0]!r}; no row of {table.file} is it: allowed is ASSET or ASSET:DATE")
    over = [Problem(table.file, "outflow", "not a share", f"{share[i]:g}", "below 1", line=table.lines[i]) for i in keep if share[i] >= 1.0]
    if over:
        raise InputError(over)
    exit_value = np.minimum(table.numbers.get("exit_value", np.ones_like(price)), 1.0)
    return (1.0 - price / exit_value)[keep], share[keep], left


def fit_hazard(table: Table, *, leave_out: Sequence[str] = ()) -> Calibration:
    """``hazard_news`` and ``hazard_price`` by least squares on the daily rate, in the shape of `protocol.holders.demand`.

    A day's share L leaving is a rate h held for 24 hourly steps, L = 1 - (1 - h/24)**24.
    """
    table.need("price")
    plain = "supply" in table.numbers
    if plain and leave_out:
        raise AmoOptError("--leave-out: rows of a plain history follow one another; allowed with points (asset, date) only")
    shortfall, share, left = _points(table, leave_out)
    n = share.size
    _rows(table, n)
    rate = 24.0 * (1.0 - (1.0 - share) ** (1.0 / 24.0))
    started = np.clip((shortfall - 0.01) * 1000.0, 0.0, 1.0)
    deeper = np.clip((shortfall - 0.01) * 25.0, 0.0, 1.0)
    shapes = {"hazard_news": (started, deeper), "hazard_price": (deeper, started)}
    figures = []
    least = math.inf
    for name, (held, other) in shapes.items():
        low, high, unit = _range(name)
        grid, rss = _rate_profile(held, other, rate, high)
        best, lower, upper = _inside(grid, rss, n, 2)
        flat = None if np.any(held > 0.0) else "no row's price is 1% or more below exit value"
        if flat is None and np.linalg.matrix_rank(np.column_stack([started, deeper])) < 2:
            flat = "every row that ran has the same depth: news and price cannot be told apart"
        least = min(least, float(rss.min()))
        figures.append(Fitted(name=name, unit=unit, value=best, low=lower, high=upper, least=low, most=high, n=n, flat=flat))
    notes = [*table.notes, f"{int(np.sum(started > 0.0))} of {n} points are 1% or more below exit value"]
    if plain:
        notes.append(
            "supply changes include what AMOs mint and burn; price is the mean of a step's two ends, lows between rows are not seen"
        )
    return Calibration(
        fit="hazard", file=table.name, figures=tuple(figures), n=n, method="least squares, profile likelihood (F)",
        residual_sd=math.sqrt(least / (n - 2)), residual_unit="1/day", left_out=tuple(left), notes=tuple(notes),
    )  # fmt: skip


def fit_flow(table: Table, *, external_supply: float) -> Calibration:
    """``flow_sd`` and ``flow_hours``: exact likelihood of a mean-reverting (Ornstein-Uhlenbeck) pool share at irregular times.

    A share turns into a flow by a factor alone, pool total / external supply: both profiles are those of the shares, so the time constant is
    the same whatever the supply is. Each takes the other figure far beyond what its setting may be (module's docstring).
    """
    table, gone = table.complete("pool_stable", "pool_base")
    hours = table.hours(most_gap=MAX_GAP_HOURS)
    n = hours.size
    _rows(table, n)
    stable, base = table.numbers["pool_stable"], table.numbers["pool_base"]
    total = float(np.median(stable + base))
    per_share = total / external_supply
    shares = stable / (stable + base)
    if np.ptp(shares) == 0.0:
        raise InputError([Problem(table.file, "pool_stable", "the pool's share never changes", f"{stable[0]:g}", "a share that moves")])
    ranges = {name: (SETTINGS[name].low, SETTINGS[name].high, SETTINGS[name].unit) for name in ("flow_sd", "flow_hours")}
    taus = np.geomspace(ranges["flow_hours"][0], ranges["flow_hours"][1], 1200)
    beyond = np.geomspace(taus[-1], 1e4 * taus[-1], 401)[1:]
    logs, squares = _whitened(shares, np.diff(hours), np.concatenate([taus, beyond]))
    sds = _deviations(math.sqrt(squares[np.argmin(logs + 0.5 * n * np.log(squares))] / n))
    surface = logs[:, None] + n * np.log(sds) + squares[:, None] / (2.0 * sds**2)
    limit = surface.min() + 0.5 * chi2.ppf(LEVEL, 1)
    figures = []
    for name, grid, profile in (("flow_sd", sds * per_share, surface.min(axis=0)), ("flow_hours", taus, surface.min(axis=1)[: taus.size])):
        # a time constant beyond its range leaves nothing inside: the nearest stands for it, at the limit
        kept = grid[profile <= max(limit, profile.min())]
        low, high, unit = ranges[name]
        value = float(grid[np.argmin(profile)])
        figures.append(
            Fitted(name=name, unit=unit, value=value, low=float(kept[0]), high=float(kept[-1]), least=low, most=high, n=n)
        )  # fmt: skip
    best = int(np.argmin(surface.min(axis=1)))
    small, large = (float(each) for each in np.percentile(stable + base, (5.0, 95.0)))
    notes = [
        *table.notes,
        f"conversion: share deviation x median pool total {total:.4g} / external supply {external_supply:.4g} = x {per_share:.4g}",
        "the pool's liquidity is taken as constant at its median; one-sided moves of liquidity and the AMO's own count as flow",
    ]
    if large > STEADY_POOL * small:
        notes.append(
            f"the pool's total ran from {small:.3g} to {large:.3g} (5-95% of rows): flow_sd is that of a pool of {total:.3g}; "
            "cut the file to the rows in which the pool had the size that is simulated"
        )
    doubts = []
    if not 1.0 / UNITS < per_share < UNITS:
        doubts.append(
            f"a pool of {total:.4g} beside an external supply of {external_supply:.4g}: {units_of(per_share)}, or one of them is another coin's"
        )
    return Calibration(
        fit="flow", file=table.name, figures=tuple(figures), n=n, method="exact Ornstein-Uhlenbeck likelihood, profile (chi squared)",
        residual_sd=math.sqrt(squares[best] / n) * per_share, residual_unit="stationary sd, share of external supply", left_out=gone,
        notes=tuple(notes), doubts=tuple(doubts),
    )  # fmt: skip


def _whitened(q: Array, steps: Array, taus: Array) -> tuple[Array, Array]:
    """For each time constant half the logarithm of the innovations' variances, summed, and the sum of their squares over them, (taus,) each,
    both for a stationary deviation of 1.

    The first row is stationary, each later one is what is new in it; the mean enters both linearly, and is fitted.
    """
    logs, squares = np.empty_like(taus), np.empty_like(taus)
    for i, tau in enumerate(taus):
        keep = np.exp(-steps / tau)
        new = -np.expm1(-2.0 * steps / tau)
        y = np.concatenate([q[:1], (q[1:] - keep * q[:-1]) / np.sqrt(new)])
        one = np.concatenate([[1.0], -np.expm1(-steps / tau) / np.sqrt(new)])
        squares[i] = np.sum((y - (one @ y) / (one @ one) * one) ** 2)
        logs[i] = 0.5 * np.sum(np.log(new))
    return logs, squares


def _deviations(best: float) -> Array:
    """A grid of a share's deviations from a thousandth to a thousand times the best, 1% apart, on the same marks whatever the best is."""
    mark = math.log(1e6) / 1499.0
    first, last = (math.floor(math.log(best * span / 1e-4) / mark) for span in (1e-3, 1e3))
    grid: Array = 1e-4 * np.exp(mark * np.arange(first, last + 1))
    return grid


def fit_lp_flight(table: Table) -> Calibration:
    """``lp_flight_share``, ``lp_flight_rate`` and ``lp_return_rate`` by least squares on log changes of the pool's liquidity."""
    table, gone = table.complete("pool_stable", "pool_base", *(name for name in ("base_virtual_price",) if name in table.numbers))
    hours = table.hours(most_gap=MAX_GAP_HOURS)
    n = hours.size - 1
    _rows(table, n)
    stable, base = table.numbers["pool_stable"], table.numbers["pool_base"]
    liquidity = stable + table.base_value
    share = (stable / (stable + base))[:-1]
    step = np.diff(hours)
    change = np.diff(np.log(liquidity))
    missing = (np.maximum.accumulate(liquidity) / liquidity - 1.0)[:-1]
    limits = {name: _range(name) for name in ("lp_flight_share", "lp_flight_rate", "lp_return_rate")}
    most_flight, most_return = limits["lp_flight_rate"][1], limits["lp_return_rate"][1]
    # every share there is, 0.005 apart: the rates' profiles are not cut where the threshold's own range ends
    shares = np.linspace(0.0, 1.0, 201)
    by_share = np.empty_like(shares)
    flights: list[tuple[Array, Array]] = []
    returns: list[tuple[Array, Array]] = []
    for i, threshold in enumerate(shares):
        fleeing = -np.maximum(share - threshold, 0.0) * step
        back = np.where(share > threshold, 0.0, missing * step)
        flights.append(_rate_profile(fleeing, back, change, most_flight))
        returns.append(_rate_profile(back, fleeing, change, most_return))
        by_share[i] = flights[i][1].min()
    values = {"lp_flight_share": _inside(shares, by_share, n, 3)}
    for name, profiles in (("lp_flight_rate", flights), ("lp_return_rate", returns)):
        grid = np.concatenate([grid for grid, _ in profiles])
        order = np.argsort(grid, kind="stable")
        values[name] = _inside(grid[order], np.concatenate([rss for _, rss in profiles])[order], n, 3)
    flat: dict[str, str | None] = {}
    if values["lp_flight_rate"][1] <= 0.0:
        flat["lp_flight_share"] = "no flight is larger than chance (the rate's interval holds 0), so no share starts it"
        flat["lp_flight_rate"] = "no flight is larger than chance (its interval holds 0)"
        # a threshold that explains no flight would still choose the rows in which liquidity returns: fitted on all of them instead
        grid, rss = _rate_profile(missing * step, np.zeros_like(step), change, most_return)
        values["lp_return_rate"] = _inside(grid, rss, n, 1)
        by_share = rss
    figures = [
        Fitted(name=name, unit=limits[name][2], value=best, low=low, high=high, least=limits[name][0], most=limits[name][1], n=n,
               flat=flat.get(name))
        for name, (best, low, high) in values.items()
    ]  # fmt: skip
    notes = (
        *table.notes,
        f"highest share seen {share.max():.3f}; best flight share {values['lp_flight_share'][0]:.3f}, exceeded in {int(np.sum(share > values['lp_flight_share'][0]))} steps",
        "liquidity is both sides of the whole pool, the AMO's part included; what is missing is measured against the highest seen before",
        "new liquidity beyond the highest before, and following the yield, are not in this fit",
    )
    return Calibration(
        fit="lp-flight", file=table.name, figures=tuple(figures), n=n, method="least squares, profile likelihood (F)",
        residual_sd=math.sqrt(float(by_share.min()) / (n - 3)), residual_unit="log change of liquidity a step", left_out=gone, notes=notes,
        doubts=_unvalued(table),
    )  # fmt: skip


def _unvalued(table: Table) -> tuple[str, ...]:
    """Where the base may not be counted in dollars: a virtual price stands in the file, and nothing says whose it is."""
    if "base_virtual_price" in table.numbers or "virtual_price" not in table.unused:
        return ()
    return (
        "the base is counted at 1 while the column virtual_price is left out: name it base_virtual_price if it is the base's, or drop it",
    )
