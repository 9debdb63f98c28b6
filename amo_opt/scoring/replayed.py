"""Replays as fits: from a `Backtest` to each recorded column beside the model's, figures over the whole, and what must come out right.

Nothing is tuned to what is found here. The demands stand where they stood before the first replay: a slope of 1 and a supply that stays
for March 2023, the pool's balance, its price and the shrinking supply for May 2022.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from amo_opt.scoring.matrices import product
from amo_opt.scoring.replay import ColumnFit, Demand, EpisodeFit, Summary
from amo_opt.scoring.rules import crps_of_paths
from amo_opt.scoring.types import spread_known
from amo_opt.simulation.backtest import PATHS, PATHS_OF_DRAWS, backtest, balances_of_both
from amo_opt.stableswap.depth import Pool
from amo_opt.stress.base_pool import base_value
from amo_opt.stress.history import episode_names, load_episode

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.simulation.backtest import Backtest

Array = NDArray[np.float64]
BAND = (5.0, 95.0)
"""Percentiles over paths that an interval spans."""
QUOTES = ("price", "oracle")
"""Columns of prices: what trades say is set against the model's market, what an oracle says against its oracle."""
PRICE_FIGURES = ("price_low", "hours_below_099", "slope_origin", "slope_ols", "correlation", "residual_rmse")
LEAST_ROWS = 2
_LEAST_SPREAD = 1e-6
"""Deviations that vary less tell no slope."""


def episode_fits(study: Study, parameters: ParameterSet, *, paths: int | None = None, workers: int = 1) -> tuple[EpisodeFit, ...]:
    """A set replayed through every shipped episode of the state's own protocol, in alphabetical order of their names; on more paths where each draws what is not known.

    A balance that the study sets and the episode holds is the episode's here, and a note says so: alone it would be refused, but a whole
    study is not to end over one of its appendices.
    """
    fits = []
    paths = (PATHS if study.spells is None else PATHS_OF_DRAWS) if paths is None else paths
    for name in episode_names():
        history = load_episode(name)
        if not study.state.is_of(history.protocol):
            continue
        theirs = balances_of_both(study.state_set, history)
        if theirs:
            history = replace(
                history, notes=(*history.notes, f"{', '.join(theirs)}: as the episode holds, not as the study sets ([state] set)")
            )
        own = replace(study, state_set=tuple(each for each in study.state_set if each not in theirs))
        fits.append(fit_of(backtest(own, history=history, parameters=parameters, paths=paths, workers=workers)))
    return tuple(fits)


def fit_of(run: Backtest) -> EpisodeFit:
    """The replay's fit; demands are known for shipped episodes only, and are made of their own protocol's state alone."""
    columns = tuple(_column(name, hours, real, run) for name, (hours, real) in _recorded(run).items())
    summary = (*_price_summary(run), *_balance_summary(run))
    history = run.history
    return EpisodeFit(
        name=history.name,
        title=history.title or history.name,
        start=history.start.isoformat().replace("+00:00", "Z"),
        hours=history.hours,
        paths=run.paths,
        columns=columns,
        summary=summary,
        demands=_demands(run, {each.name: each for each in columns}, {each.name: each for each in summary}),
        notes=run.notes,
        drawn_behaviour=run.drawn_behaviour,
        venue=run.study.venue is not None,
    )


def _recorded(run: Backtest) -> dict[str, tuple[NDArray[np.int64], Array]]:
    """Hours and values of what is compared: a price's mean over the hour, a balance's last, the pool's share besides. Balances of hour 0 are
    the start itself, and left out.
    """
    found: dict[str, tuple[NDArray[np.int64], Array]] = {}
    real = run.history.real
    for name, recorded in real.items():
        kept = recorded.hours > 0 if name not in QUOTES else recorded.hours >= 0
        if kept.any():
            found[name] = (recorded.hours[kept], (recorded.mean if name in QUOTES else recorded.last)[kept])
    if "pool_stable" in found and "pool_base" in found:
        sides = [dict(zip(found[name][0].tolist(), found[name][1].tolist(), strict=True)) for name in ("pool_stable", "pool_base")]
        both = sorted(sides[0].keys() & sides[1].keys())
        if both:
            share = np.array([sides[0][hour] / (sides[0][hour] + sides[1][hour]) for hour in both])
            found["pool_share"] = (np.array(both, dtype=np.int64), share)
    return found


def _column(name: str, hours: NDArray[np.int64], real: Array, run: Backtest) -> ColumnFit:
    values = run.series[name][hours] + (run.venue[hours] if name in QUOTES else 0.0)
    low, high = (tuple(each.tolist()) for each in np.percentile(values, BAND, axis=1)) if spread_known(run.paths) else (None, None)
    share = run.start["pool_stable"] / (run.start["pool_stable"] + run.start["pool_base"])
    started = {**run.start, "pool_share": share}.get(name, real[0])
    return ColumnFit(
        name,
        tuple(hours.tolist()),
        tuple(values.mean(axis=1).tolist()),
        low,
        high,
        tuple(real.tolist()),
        float(np.mean([crps_of_paths(row, float(one)) for row, one in zip(values, real, strict=True)]))
        if spread_known(run.paths)
        else None,
        float(np.mean(np.abs(real - started))),
    )


def _told(name: str, per_path: Array, real: float, *, hour: int | None = None) -> Summary:
    if not np.isfinite(per_path).all():
        return Summary(name, None, real, None, hour)
    low, high = np.percentile(per_path, BAND)
    return Summary(name, float(per_path.mean()), real, (float(low), float(high)) if spread_known(per_path.size) else None, hour)


def _price_summary(run: Backtest) -> list[Summary]:
    """Low, hours below 0.99, slopes and residual. Between rows the recorded price is taken as linear, hour by hour.

    Low and hours below 0.99 are those of the hours' lows, so that a trough between two rows of an hour counts. So are the slopes: a coin's
    lows drive, and a low is to be set against a low. The residual is against the hours' means (`Real`).
    """
    quote = next((name for name in QUOTES if name in run.history.real), None)
    if quote is None:
        return [Summary(name, None, None, None) for name in PRICE_FIGURES]
    recorded, quoted = run.history.real[quote], run.series[quote] + run.venue
    grid = np.arange(recorded.hours[0], recorded.hours[-1] + 1)
    # an hour's low is its own: what lies between two rows runs from where the price was left
    real, model = np.interp(grid, recorded.hours, recorded.last), quoted[grid]
    real[recorded.hours - grid[0]] = recorded.low
    rows = quoted[recorded.hours]
    usdc = run.drivers.get("usdc")
    told = [
        _told("price_low", model.min(axis=0), float(real.min())),
        _told("hours_below_099", (model < 0.99).sum(axis=0).astype(np.float64), float((real < 0.99).sum())),
    ]
    known = np.zeros(recorded.hours.size, dtype=bool) if usdc is None else np.isfinite(usdc[recorded.hours])
    by = np.zeros(0) if usdc is None else usdc[recorded.hours][known] - 1.0
    for name, measure in (("slope_origin", slope_origin), ("slope_ols", slope_ols), ("correlation", correlation)):
        if by.size < LEAST_ROWS or np.std(by) < _LEAST_SPREAD:
            told.append(Summary(name, None, None, None))
            continue
        paths = measure(by, rows[known] - 1.0)
        told.append(_told(name, paths, float(measure(by, (recorded.low[known] - 1.0)[:, None])[0])))
    misses = np.sqrt(np.mean((rows - recorded.mean[:, None]) ** 2, axis=0))
    told.append(_told("residual_rmse", misses, float(np.sqrt(np.mean((recorded.mean - 1.0) ** 2)))))
    return told


def slope_origin(by: Array, of: Array) -> Array:
    """Least-squares slope through the origin of each column of ``of`` (rows, paths) on ``by`` (rows,): shape (paths,).

    >>> slope_origin(np.array([-0.1, -0.2]), np.array([[-0.1], [-0.2]]))
    array([1.])
    """
    slope: Array = product(by, of) / product(by, by)
    return slope


def slope_ols(by: Array, of: Array) -> Array:
    """Least-squares slope with an intercept, as `slope_origin`."""
    return slope_origin(by - by.mean(), of - of.mean(axis=0))


def correlation(by: Array, of: Array) -> Array:
    """Correlation of each column with ``by``; NaN for a column that does not vary."""
    spread = of.std(axis=0)
    safe = np.where(spread > 0.0, spread, np.nan)
    found: Array = product(by - by.mean(), of - of.mean(axis=0)) / by.size / by.std() / safe
    return found


def _balance_summary(run: Backtest) -> list[Summary]:
    recorded = _recorded(run)
    share, supply = Summary("pool_share", None, None, None), Summary("supply_change", None, None, None)
    if "pool_share" in recorded:
        hours, real = recorded["pool_share"]
        last = int(hours[-1])
        share = _told("pool_share", run.series["pool_share"][last], float(real[-1]), hour=last)
    if "supply" in recorded:
        hours, real = recorded["supply"]
        start, last = run.start["supply"], int(hours[-1])
        supply = _told("supply_change", run.series["supply"][last] / start - 1.0, float(real[-1] / start - 1.0), hour=last)
    return [share, supply]


# -- what must come out right ------------------------------------------------------------------------------------------------------


def _demands(run: Backtest, columns: dict[str, ColumnFit], summary: dict[str, Summary]) -> tuple[Demand, ...]:
    if not run.study.state.is_of(run.history.protocol):
        return ()
    if run.history.episode == "ust-contagion-2022":
        return _contagion(run, columns)
    if run.history.episode == "svb-2023":
        return _weekend(run, columns, summary)
    return ()


def _contagion(run: Backtest, columns: dict[str, ColumnFit]) -> tuple[Demand, ...]:
    share, supply = columns["pool_share"], columns["supply"]
    day3 = supply.hours.index(72)
    start = run.start["supply"]
    stable, base = columns["pool_stable"], columns["pool_base"]
    amplification = run.study.state.pool.amplification.value
    # recorded balances say what the pool's own price was
    said = [Pool(stablecoin=x, base=y, amplification=amplification, fee=0.0).price for x, y in zip(stable.real, base.real, strict=True)]
    one = np.ones((1, run.history.hours))
    value = base_value(np.stack([one, one, run.drivers["usdt"][None, :]]), run.base_amplification)[0]
    shares = run.series["pool_share"][list(share.hours)]
    in_base, oracle = run.series["price_in_base"], run.series["oracle"] + run.venue
    means = np.array(share.model)
    return (
        _demand(
            run,
            "FRAX's share of the pool at the daily snapshots, least",
            shares.min(axis=0),
            min(share.real),
            0.53,
            0.61,
            of_means=float(means.min()),
        ),
        _demand(
            run,
            "FRAX's share of the pool at the daily snapshots, most",
            shares.max(axis=0),
            max(share.real),
            0.53,
            0.61,
            of_means=float(means.max()),
        ),
        _demand(
            run,
            "pool price in 3CRV, least of any hour (observed: of the snapshots)",
            in_base.min(axis=0),
            min(said),
            0.9995,
            math.inf,
            of_means=float(in_base.mean(axis=1).min()),
        ),
        _demand(run, "change of supply in 3 days", run.series["supply"][72] / start - 1.0, supply.real[day3] / start - 1.0, -0.47, -0.37),
        _demand(
            run,
            "lowest oracle price (observed: Chainlink's low)",
            oracle.min(axis=0),
            float(min(run.history.real["oracle"].low)),
            0.955,
            0.99,
        ),
        # the pool's own price is to be at least 0.9995, so its dollar price is that far from V at most; noise of calm's coins besides
        _demand(
            run,
            "lowest pool price in dollars, over V(USDT) of the path",
            run.series["price"].min(axis=0) / value.min(),
            None,
            0.9985,
            1.0015,
        ),
    )


def _weekend(run: Backtest, columns: dict[str, ColumnFit], summary: dict[str, Summary]) -> tuple[Demand, ...]:
    slope, residual = summary["slope_origin"], summary["residual_rmse"]
    supply = columns["supply"]
    changes = run.series["supply"][list(supply.hours)] / run.start["supply"] - 1.0
    furthest = changes[np.abs(changes).argmax(axis=0), np.arange(changes.shape[1])]
    of_means = max((value / run.start["supply"] - 1.0 for value in supply.model), key=abs)
    really = max((value / run.start["supply"] - 1.0 for value in supply.real), key=abs)
    drawn = run.drawn_behaviour != "no"
    return (
        Demand(
            "slope of FRAX's deviation on USDC's, through the origin",
            _number(slope.model),
            slope.real,
            0.95,
            1.05,
            slope.interval if drawn else None,
        ),
        # what is to be beaten is no figure that the model could hit: the mean is what counts, whatever paths draw
        Demand(
            "RMSE of the price, below that of a constant 1 (given as observed)",
            _number(residual.model),
            residual.real,
            -math.inf,
            _number(residual.real),
        ),
        _demand(run, "change of supply, the furthest from 0 at any row", furthest, really, -0.03, 0.03, of_means=of_means),
    )


def _demand(
    run: Backtest, text: str, of_paths: Array, real: float | None, low: float, high: float, *, of_means: float | None = None
) -> Demand:
    """A demand on a figure of each path: by its mean (or ``of_means``, the figure of the mean path), and by its band where paths draw what is not known."""
    mean = float(of_paths.mean()) if of_means is None else of_means
    if run.drawn_behaviour == "no" or not spread_known(run.paths):
        return Demand(text, mean, real, low, high)
    ends = np.percentile(of_paths, BAND)
    return Demand(text, mean, real, low, high, (float(ends[0]), float(ends[1])))


def _number(value: float | None) -> float:
    return math.nan if value is None else value
