"""A recorded history hour by hour on UTC's clock, as a monitoring service would have read it: price, pool share, price over the exit asset.

Unlike a replay's history (`history`) it may be years long, and what is not known stays so: a reading is held for `HOLD_HOURS` and no longer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from amo_opt.errors import AmoOptError
from amo_opt.stableswap.depth import Pool
from amo_opt.stableswap.exact import PoolInputError
from amo_opt.stress.table import Table

Array = NDArray[np.float64]

SERIES: dict[str, str] = {
    "price": "price of the stablecoin",
    "pool_share": "stablecoin's share of the pool",
    "price_over_exit": "price over what the exit asset is worth, at most 1",
    "shortfall_bps": "bp by which the price is below the exit asset",
    "distance_bps": "bp between price and exit asset, to either side",
    "par_shortfall_bps": "bp by which the price is below 1",
    "par_distance_bps": "bp between price and 1, to either side",
}
"""What a record may hold, in words."""
HOLD_HOURS = 48
"""Longest time for which a reading stands for the hours after it: a daily series that lost a row is held over it, a gap of days is one."""
MOST_HOURS = 175_320
"""Longest record, twenty years: a timestamp with a wrong digit would fill the memory otherwise."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Hourly:
    """One series on the clock, (hours,) each, NaN where it is not known: the hour's lowest and its highest reading.

    An hour without a row has the last reading before it, an hour with rows its own. A trigger that looks for a fall reads the low, one that
    looks for a rise the high, as a service that reads every minute would.
    """

    low: Array
    high: Array

    def read(self, *, below: bool) -> Array:
        """What a threshold is compared with."""
        return self.low if below else self.high


@dataclass(frozen=True, kw_only=True)
class Record:
    """One history: ``series`` by name (`SERIES`), each of length ``hours`` from the whole hour ``start``; ``notes`` say what was made of the files."""

    name: str
    start: datetime
    hours: int
    series: Mapping[str, Hourly]
    notes: tuple[str, ...] = ()

    def time(self, hour: int) -> datetime:
        """The clock's time of an hour of the record."""
        return self.start + timedelta(hours=hour)

    def between(self, since: datetime | None, until: datetime | None) -> Record:
        """The record from ``since`` on and before ``until``, both UTC; None = as far as it goes. Raises `AmoOptError` where nothing is left.

        What was read before ``since`` still stands in the hours after it, as it did for whoever began to watch then.
        """
        first = 0 if since is None else max(0, -((self.start - since) // timedelta(hours=1)))
        end = self.hours if until is None else min(self.hours, -((self.start - until) // timedelta(hours=1)))
        if end <= first or not np.isfinite(self.series["price"].low[first:end]).any():
            raise AmoOptError(
                f"{self.name}: no hour with a price is left between --since and --until; it has {self.hours:,} from {self.start:%Y-%m-%d}"
            )
        cut = {name: Hourly(each.low[first:end], each.high[first:end]) for name, each in self.series.items()}
        return replace(self, start=self.time(first), hours=end - first, series=cut)


def record_of(
    history: Table,
    *,
    pool: Table | None = None,
    exit_asset: Table | None = None,
    amplification: float | None = None,
    hold: int = HOLD_HOURS,
) -> Record:
    """The record of one history's file, over its own hours; ``pool`` (balances) and ``exit_asset`` (a price) fill in what it does not hold itself.

    Without a column of prices the price is the pool's own marginal one at ``amplification`` (or at the file's own column of that name), in coins
    of the other side. Raises `InputError` for what is no history, `AmoOptError` where no price can be had or the files share no hour.
    """
    first, last = _span(history)
    if last - first >= MOST_HOURS:
        raise AmoOptError(
            f"{history.name}: {last - first + 1:,} hours from first to last row; allowed: at most {MOST_HOURS:,}. Cut the file"
        )
    clock = (first, last + 1)
    notes = [*history.notes]
    balances = pool if pool is not None and not history.has_pool else history
    series: dict[str, Hourly] = {}
    if "price" in history.numbers:
        series["price"] = _hourly(history, history.numbers["price"], clock, hold)
    elif history.has_pool:
        prices = _pool_prices(history, amplification)
        notes.append("the price is the pool's own, worked out from the balances: share and price are one figure")
        series["price"] = _hourly(history, prices, clock, hold)
    else:
        raise AmoOptError(f"{history.name}: no column of prices and no pool balances: there is nothing to score a trigger on")
    if not np.isfinite(series["price"].low).any():
        raise AmoOptError(f"{history.name}: no hour has a price")
    if balances.has_pool:
        shares = _shares(balances)
        series["pool_share"] = _hourly(balances, shares, clock, hold)
        if balances is not history and not np.isfinite(series["pool_share"].low).any():
            raise AmoOptError(f"{balances.name}: shares no hour with {history.name}")
    elif pool is not None:
        raise AmoOptError(f"{pool.name}: no pool balances (pool_stable and pool_base)")
    series |= _against(series["price"], _exit(history, exit_asset, clock, hold, notes))
    return Record(
        name=history.name.removesuffix(".csv"),
        start=EPOCH + timedelta(hours=first),
        hours=clock[1] - first,
        series=series,
        notes=tuple(notes),
    )


def _clock(table: Table) -> NDArray[np.int64]:
    """Each row's hour since 1970, (rows,)."""
    return np.array([(time - EPOCH) // timedelta(hours=1) for time in table.times()], dtype=np.int64)


def _span(table: Table) -> tuple[int, int]:
    hours = _clock(table)
    return int(hours[0]), int(hours[-1])


def _shares(table: Table) -> Array:
    stable, base = table.numbers["pool_stable"], table.base_value
    shares: Array = stable / (stable + base)
    return shares


def _pool_prices(table: Table, amplification: float | None) -> Array:
    """The pool's marginal price row by row, (rows,)."""
    if "amplification" in table.numbers:
        amplifications: Array = table.numbers["amplification"]
    elif amplification is not None:
        amplifications = np.full(len(table.lines), amplification)
    else:
        raise AmoOptError(f"{table.name}: no column of prices; --amplification (or a column of that name) gives the pool's own")
    prices = np.full(len(table.lines), np.nan)
    rows = zip(table.numbers["pool_stable"], table.base_value, amplifications, strict=True)
    for row, (stable, base, a) in enumerate(rows):
        if np.isfinite(stable) and np.isfinite(base) and np.isfinite(a):
            try:
                prices[row] = Pool(stablecoin=float(stable), base=float(base), amplification=float(a)).price
            except PoolInputError as error:
                raise AmoOptError(f"{table.name}: line {table.lines[row]}: {error}") from error
    return prices


def _exit(history: Table, exit_asset: Table | None, clock: tuple[int, int], hold: int, notes: list[str]) -> Hourly | None:
    """The price of what a leaver gets, None where no file holds it: it then counts as 1."""
    for name in ("exit_value", "usdc"):
        if name in history.numbers:
            return _hourly(history, history.numbers[name], clock, hold)
    if exit_asset is None:
        notes.append("no price of an exit asset: it counts as 1")
        return None
    if "price" not in exit_asset.numbers:
        raise AmoOptError(f"{exit_asset.name}: no column of prices, which an exit asset's file is read for")
    found = _hourly(exit_asset, exit_asset.numbers["price"], clock, hold)
    if not np.isfinite(found.low).any():
        notes.append(f"{exit_asset.name} shares no hour with it: the exit asset counts as 1")
        return None
    return found


def _against(price: Hourly, exit_asset: Hourly | None) -> dict[str, Hourly]:
    """The series that compare the price with the exit asset, which is worth at most 1, and with 1."""
    one = np.ones_like(price.low)
    # two prices of an hour are not known to be of one minute: low stands beside low, high beside high
    lows, highs = (one, one) if exit_asset is None else (np.minimum(one, exit_asset.low), np.minimum(one, exit_asset.high))
    over = Hourly(price.low / lows, price.high / highs)
    found = {"price_over_exit": over}
    for prefix, each in (("", over), ("par_", price)):
        under, above = 1e4 * (1.0 - each.low), 1e4 * (each.high - 1.0)
        nearest = 1e4 * np.maximum(0.0, 1.0 - each.high)
        found[f"{prefix}shortfall_bps"] = Hourly(nearest, np.maximum(0.0, under))
        near = np.where((under >= 0.0) & (above >= 0.0), 0.0, np.minimum(abs(under), abs(above)))
        found[f"{prefix}distance_bps"] = Hourly(near, np.maximum(under, above))
    return found


def _hourly(table: Table, values: Array, clock: tuple[int, int], hold: int) -> Hourly:
    """A column on the clock [first, end), NaN where no usable row is as recent as ``hold`` hours."""
    first, end = clock
    known = np.flatnonzero(np.isfinite(values) & ~table.unusable())
    low, high = np.full(end - first, np.nan), np.full(end - first, np.nan)
    if not known.size:
        return Hourly(low, high)
    hours = _clock(table)[known]
    own, starts, counts = np.unique(hours, return_index=True, return_counts=True)
    column = values[known]
    last = column[starts + counts - 1]
    wanted = np.arange(first, end)
    place = np.searchsorted(own, wanted, side="right") - 1
    fresh = (place >= 0) & (wanted - own[place] <= hold)
    low[fresh] = high[fresh] = last[place[fresh]]
    inside = (own >= first) & (own < end)
    low[own[inside] - first] = np.minimum.reduceat(column, starts)[inside]
    high[own[inside] - first] = np.maximum.reduceat(column, starts)[inside]
    return Hourly(low, high)
