"""Predictive bands judged: forecasts of a pool's share and depth from many days of recorded histories, by a fit that has not seen what it predicts, beside two rivals.

Two ways of not having seen it. **Rolling origins**: from every seventh day of a history, with the figures all pools share fitted to the other histories, and the pool's own scales to its days
before. **Episodes left out**: from each episode's first day, with all figures fitted to all histories but the days of the episode. A rival that says "nothing changes" and one that says "a random
walk", with the deviation of all days before or of calm ones, are scored on the same rows. CRPS: Gneiting and Raftery, Strictly proper scoring rules, prediction, and estimation, 2007.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from amo_opt.config.evidence import Recorded
from amo_opt.config.overrides import with_figure
from amo_opt.errors import AmoOptError, InputError, Problem
from amo_opt.protocol.elementary import exp_of, expm1_of
from amo_opt.protocol.state import Figure
from amo_opt.scoring.rules import crps_of_normal, crps_of_paths
from amo_opt.simulation.backtest import PATHS_OF_DRAWS, Given, Known, backtest
from amo_opt.stableswap.depth import Pool
from amo_opt.stress.calibration.joint import chance_of_busy, joint, own_scales
from amo_opt.stress.calibration.spells import LEAST_STEPS, Steps, steps_of
from amo_opt.stress.csv_file import TIME_FORM, time_of
from amo_opt.stress.fitted_spells import DRIFT, NEW, SCALES, SHARED, FittedSpells
from amo_opt.stress.history import history_of
from amo_opt.stress.table import Table, read_table

if TYPE_CHECKING:
    from amo_opt.config.evidence import Episode, Evidence
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.simulation.backtest import Backtest

Array = NDArray[np.float64]

EVERY_DAYS = 7.0
WARM_DAYS = 60.0
"""Days of a history that its own scales are fitted to at least, before anything is predicted."""
SOON_DAYS = 7.6
LATE_DAYS = (27.0, 31.0)
"""Rows are scored to a week ahead, and about a month ahead; a row a day, a little more than a day apart."""
MOST_GAP_DAYS = 3.0
SHALLOW = 2e-4
"""A depth below this is none: 2 bp."""


@dataclass(frozen=True)
class Scored:
    """One recorded row and what was predicted of it: ``pit`` the share of paths below it (half of those at it), CRPS of the forecast, of nothing changing and of a walk with either deviation."""

    of: str
    origin: int
    what: str
    days: float
    real: float
    pit: float
    crps: float
    still: float
    walk_full: float
    walk_calm: float


@dataclass(frozen=True)
class _Pool:
    """A history as forecasts use it: its steps, those in which all that the pool grew by counts as liquidity that came, and at each row days since the first, share, both sides."""

    recorded: Recorded
    steps: Steps
    grown: Steps
    days: Array
    share: Array
    stable: Array
    base: Array

    @property
    def amplification(self) -> float:
        if self.recorded.amplification is None:
            raise AmoOptError(f"{self.recorded.name}: amplification: missing; allowed: the A of the pool, which replays and depths need")
        return self.recorded.amplification

    def depth(self, row: int) -> float:
        """How far below its base the pool's price stands by its balances; 0 above."""
        pool = Pool(stablecoin=float(self.stable[row]), base=float(self.base[row]), amplification=self.amplification, fee=0.0)
        return max(0.0, 1.0 - pool.price)


def pools_of(evidence: Evidence) -> tuple[_Pool, ...]:
    """The histories of an evidence file, each with its steps."""
    found = []
    for each in evidence.histories:
        table, _ = each.table.balanced()
        steps, _ = steps_of(table, amplification=each.amplification)
        found.append(_pool(replace(each, table=table), replace(steps, name=each.name)))
    return tuple(found)


def _pool(recorded: Recorded, steps: Steps) -> _Pool:
    table = recorded.table
    # fees, and what a coin accrues in the pool, are in its balances too, though nobody brought them
    grown, _ = steps_of(replace(table, aside={}), amplification=recorded.amplification, least=0)
    x, y = table.numbers["pool_stable"], table.base_value
    return _Pool(recorded, steps, grown, table.hours() / 24.0, x / (x + y), x, y)


def fitted(pools: Sequence[Steps], *, draws: int, name: str) -> tuple[FittedSpells, Mapping[str, float]]:
    """The joint fit of some pools for one that is none of them, and its most likely figures."""
    result = joint(pools, count=draws, name=name)
    figures = {each: result.best[each] for each in SHARED} | {scale: result.best[f"{NEW}.{scale}"] for scale in SCALES}
    draws_of = {each: result.draws[each] for each in SHARED} | {scale: result.draws[f"{NEW}.{scale}"] for scale in SCALES}
    drift = np.column_stack([result.draws[each] for each in DRIFT])
    ranges = {each: (value, value) for each, value in figures.items()}
    return FittedSpells(name=name, pool="", values=figures, ranges=ranges, draws=draws_of, drift=drift), result.best


def placed(study: Study, pool: _Pool, spells: FittedSpells | None, *, seed: int) -> Study:
    """The study with that pool's A and fit, and paths of its own."""
    a = Figure(value=pool.amplification, assumed="the evidence file's", low=pool.amplification, high=pool.amplification)
    state = with_figure(study.state, "pool.amplification", a)
    moved = replace(study, state=state, current=study.current.replace(amplification=round(pool.amplification)), spells=spells)
    settings = {} if spells is None else spells.settings(state)
    scenarios = tuple(replace(each, settings={**each.settings, **settings}) for each in moved.scenarios)
    return replace(moved, scenarios=scenarios, search=replace(study.search, seed=seed))


def forecast(
    study: Study, pool: _Pool, spells: FittedSpells, known: Known | None, *, first: int, last: int, paths: int, seed: int
) -> Backtest:
    """The replay from one row to another (counted in), every path at a draw of the fit."""
    history = history_of(pool.recorded.table.at(range(first, last + 1)))
    return backtest(placed(study, pool, spells, seed=seed), history=history, paths=paths, known=known)


def scored(run: Backtest, pool: _Pool, rows: Sequence[int], *, first: int, of: str) -> Iterator[Scored]:
    """Share and depth at some rows of a history, against the replay from its row ``first``, which at least one row stands before."""
    moves = np.diff(pool.share[: first + 1]) / np.sqrt(np.diff(pool.days[: first + 1]))
    full, calm = float(np.std(moves)), 1.4826 * float(np.median(np.abs(moves)))
    start, still = float(pool.share[first]), pool.depth(first)
    hours = _hours_from(pool, first)
    for row in rows:
        hour = int(hours[row])
        ahead = float(pool.days[row] - pool.days[first])
        real = float(pool.share[row])
        of_share = run.series["pool_share"][hour]
        walks = [crps_of_normal(start, deviation * math.sqrt(ahead), real) for deviation in (full, calm)]
        yield Scored(of, first, "share", ahead, real, _pit(of_share, real), crps_of_paths(of_share, real), abs(real - start), *walks)
        depth = pool.depth(row)
        of_depth = np.maximum(0.0, 1.0 - run.series["price_in_base"][max(hour, 1) - 1])
        yield Scored(
            of, first, "depth", ahead, depth, _pit(of_depth, depth), crps_of_paths(of_depth, depth), abs(depth - still), math.nan, math.nan
        )


def _hours_from(pool: _Pool, first: int) -> NDArray[np.int64]:
    """Each row's hour in a replay from the row ``first``, as `history_of` counts them."""
    hours = pool.recorded.table.hours()
    found: NDArray[np.int64] = np.floor(hours - hours[first] + 0.5).astype(np.int64)
    return found


def _pit(paths: Array, real: float) -> float:
    return float(np.mean(paths < real) + 0.5 * np.mean(paths == real))


def rolling(
    study: Study, pools: Sequence[_Pool], *, paths: int = PATHS_OF_DRAWS, told: Callable[[str], None] = lambda _: None
) -> list[Scored]:
    """Every history predicted from rolling origins, by the others' shared figures and its own days before."""
    if len(pools) < 2:
        raise AmoOptError(f"found {len(pools)} history; allowed: at least 2, as each is predicted by what the others say")
    found: list[Scored] = []
    for place, pool in enumerate(pools):
        others = [each.steps for each in pools if each is not pool]
        spells, best = fitted(others, draws=paths, name=f"rolling, all but {pool.steps.name}")
        told(f"{pool.steps.name}: predicted from rolling origins")
        day = WARM_DAYS
        while day < pool.days[-1]:
            first = int(np.searchsorted(pool.days, day))
            day += EVERY_DAYS
            ahead = pool.days - pool.days[first]
            rows = [
                row for row in range(first + 1, pool.days.size) if ahead[row] <= SOON_DAYS or LATE_DAYS[0] <= ahead[row] <= LATE_DAYS[1]
            ]
            if not rows or np.diff(pool.days[first : rows[-1] + 1]).max() > MOST_GAP_DAYS:
                continue
            before = pool.steps.part(0, first).recentred()
            if np.count_nonzero(before.used) < LEAST_STEPS:
                continue
            scales = own_scales(before, best)
            known = Known(scales=scales, busy=chance_of_busy(before, best, scales))
            run = forecast(study, pool, spells, known, first=first, last=rows[-1], paths=paths, seed=1000 * place + first)
            found += scored(run, pool, rows, first=first, of=pool.steps.name)
    return found


def left_out(
    study: Study, pools: Sequence[_Pool], evidence: Evidence, *, paths: int = PATHS_OF_DRAWS, told: Callable[[str], None] = lambda _: None
) -> list[Scored]:
    """Every episode predicted from its first row, by figures that have seen everything but its days."""
    found: list[Scored] = []
    by_name = {each.steps.name: each for each in pools}
    for place, episode in enumerate(evidence.episodes):
        pool = by_name[episode.history]
        times = pool.recorded.table.times()
        inside = np.array([episode.start <= time <= episode.end for time in times])
        first, last = rows_of(pool, episode)
        without = [each.steps.without(inside[1:]).recentred() if each is pool else each.steps for each in pools]
        steps = without[pools.index(pool)]
        if first < 1 or np.count_nonzero(steps.used) < LEAST_STEPS:
            told(
                f"{episode.name}: not predicted: it leaves {np.count_nonzero(steps.used)} steps of {pool.steps.name}, {first} before it; at least {LEAST_STEPS} and 1 are needed"
            )
            continue
        spells, best = fitted(without, draws=paths, name=f"without {episode.name}")
        told(f"{episode.name}: predicted by all days but its own")
        scales = (best[f"{pool.steps.name}.{SCALES[0]}"], best[f"{pool.steps.name}.{SCALES[1]}"])
        known = Known(scales=scales, busy=chance_of_busy(steps.part(0, first), best, scales))
        run = forecast(study, pool, spells, known, first=first, last=last, paths=paths, seed=50_000 + place)
        found += scored(run, pool, range(first + 1, last + 1), first=first, of=episode.name)
    return found


# -- what it comes to ----------------------------------------------------------------------------------------------------------------------


class Share(NamedTuple):
    """A figure with its 95% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Judged:
    """Some rows together: how many and from how many days they were predicted; the shares that lie inside the bands of 90 and 50%; CRPS over that of each rival; shares of PIT by tenths."""

    name: str
    rows: int
    origins: int
    inside_90: Share
    inside_50: Share
    over_still: Share
    over_full: Share | None
    over_calm: Share | None
    tenths: tuple[float, ...]


RESAMPLES = 2000
BLOCK = 5
"""Origins that follow one another and are resampled together: of every seventh day, five weeks."""


def judged(name: str, rows: Sequence[Scored]) -> Judged:
    """The figures of some rows, with intervals from resampling blocks of origins (moving blocks, Künsch 1989): rows of one origin move together, and so do its neighbours."""
    keys = sorted({(each.of, each.origin) for each in rows})
    place = {key: at for at, key in enumerate(keys)}
    at = np.array([place[each.of, each.origin] for each in rows])
    pit = np.array([each.pit for each in rows])
    columns = {
        "n": np.ones(len(rows)), "in90": np.abs(pit - 0.5) < 0.45, "in50": np.abs(pit - 0.5) < 0.25, "crps": np.array([each.crps for each in rows]),
        "still": np.array([each.still for each in rows]), "full": np.array([each.walk_full for each in rows]), "calm": np.array([each.walk_calm for each in rows]),
    }  # fmt: skip
    sums = {
        column: np.bincount(at, weights=np.asarray(values, dtype=np.float64), minlength=len(keys)) for column, values in columns.items()
    }
    rng = np.random.Generator(np.random.Philox(7))
    size = min(BLOCK, len(keys))
    starts = rng.integers(0, len(keys) - size + 1, size=(RESAMPLES, -(-len(keys) // size)))
    chosen = (starts[:, :, None] + np.arange(size)).reshape(RESAMPLES, -1)

    def ratio(over: str, under: str) -> Share:
        tops, bottoms = sums[over][chosen].sum(axis=1), sums[under][chosen].sum(axis=1)
        ratios = np.divide(tops, bottoms, out=np.where(tops > 0.0, np.inf, 1.0), where=bottoms > 0.0)
        low, high = np.quantile(ratios, [0.025, 0.975], method="inverted_cdf")
        top, bottom = float(sums[over].sum()), float(sums[under].sum())
        # where the rival was never wrong nothing but never being wrong is as good
        return Share(top / bottom if bottom > 0.0 else math.inf if top > 0.0 else 1.0, float(low), float(high))

    full, calm = (None, None) if np.isnan(sums["full"]).any() else (ratio("crps", "full"), ratio("crps", "calm"))
    tenths = np.histogram(pit, bins=10, range=(0.0, 1.0))[0] / max(1, pit.size)
    return Judged(
        name=name,
        rows=len(rows),
        origins=len(keys),
        inside_90=ratio("in90", "n"),
        inside_50=ratio("in50", "n"),
        over_still=ratio("crps", "still"),
        over_full=full,
        over_calm=calm,
        tenths=tuple(tenths.tolist()),
    )


@dataclass(frozen=True, kw_only=True)
class Validity:
    """What an evidence file's histories say of a fit: rows predicted by rolling origins and of episodes left out, and stretches told their flows."""

    evidence: str
    study: str
    paths: int
    rolled: tuple[Scored, ...]
    left_out: tuple[Scored, ...]
    with_both: tuple[tuple[Told, ...], tuple[Told, ...]]
    with_flow: tuple[tuple[Told, ...], tuple[Told, ...]]

    def tables(self) -> list[tuple[str, list[Judged]]]:
        """Share and depth: all rows to a week ahead together, by way and by pool, and a month ahead; and each episode."""
        found = []
        for what in ("share", "depth"):
            rolled, out = ([each for each in rows if each.what == what] for rows in (self.rolled, self.left_out))
            soon = [each for each in rolled if each.days <= SOON_DAYS]
            of_out = [each for each in out if each.days <= SOON_DAYS]
            late = [each for each in (*rolled, *out) if LATE_DAYS[0] <= each.days <= LATE_DAYS[1]]
            groups = {"to 7 days, all": [*soon, *of_out], "… rolling origins": soon}
            groups |= {f"… … {name}": [each for each in soon if each.of == name] for name in dict.fromkeys(each.of for each in soon)}
            groups |= {"… episodes left out": of_out, "27 to 31 days": late}
            groups |= {
                f"whole episode: {name}": [each for each in out if each.of == name] for name in dict.fromkeys(each.of for each in out)
            }
            found.append((what, [judged(name, rows) for name, rows in groups.items() if rows]))
        return found


def validity(study: Study, evidence: Evidence, *, paths: int = PATHS_OF_DRAWS, told_of: Callable[[str], None] = lambda _: None) -> Validity:
    """All of it for an evidence file."""
    pools = pools_of(evidence)
    for each in pools:
        _ = each.amplification  # missing, it is said before the work
    rolled = rolling(study, pools, paths=paths, told=told_of)
    out = left_out(study, pools, evidence, paths=paths, told=told_of)
    told_of("stretches told their flows")
    spells = study.spells or fitted([each.steps for each in pools], draws=16, name=evidence.name)[0]
    both, flow = (
        (tuple(windows), tuple(episodes)) for windows, episodes in (all_told(study, pools, evidence, spells, lp=lp) for lp in (True, False))
    )
    return Validity(
        evidence=evidence.name, study=study.name, paths=paths, rolled=tuple(rolled), left_out=tuple(out), with_both=both, with_flow=flow
    )


# -- flows given ---------------------------------------------------------------------------------------------------------------------------


def given_of(pool: _Pool, *, first: int, last: int, spells: FittedSpells | None, lp: bool) -> Given:
    """What holders netted between two rows, spread evenly over each step's hours, and with ``lp`` what providers changed; without it what goes with sales in a busy spell, by the chance that a
    flow of that size is a busy day's.
    """
    hours = _hours_from(pool, first)
    length = int(hours[last])
    flow, change = np.zeros(length), np.zeros(length)
    total = pool.stable + pool.base
    steps = pool.grown if lp else pool.steps
    for row in range(first, last):
        # what happened between two rows of an hour happened in that hour
        start = min(int(hours[row]), length - 1)
        here = slice(start, max(int(hours[row + 1]), start + 1))
        n = here.stop - here.start
        own, grown = float(steps.flow[row]), float(steps.change[row])
        moved = grown if lp or spells is None else spells.values["lp_per_sale"] * own * _busy(own, float(pool.steps.days[row]), spells)
        change[here] += moved / n
        # a flow is a share of the pool as the step's liquidity leaves it; spread over the step, what came early is taken along by what providers change later
        each_hour = expm1_of(moved / n) / expm1_of(moved) if abs(moved) > 1e-12 else 1.0 / n
        flow[here] += own * exp_of(moved) * float(total[row]) * each_hour
    return Given(flow=flow, lp=change)


def _busy(flow: float, days: float, spells: FittedSpells) -> float:
    from scipy.stats import t as student

    at = spells.values
    scale = at["flow_scale"] * math.sqrt(days)
    share = at["begin"] / (at["begin"] + at["end"])
    busy = student.pdf(flow / (at["flow_times"] * scale), at["flow_freedom"]) / at["flow_times"]
    calm = student.pdf(flow / scale, at["flow_freedom"])
    return float(share * busy / (share * busy + (1.0 - share) * calm))


@dataclass(frozen=True)
class Told:
    """A stretch replayed with what was recorded of its flows: deepest and last recorded and replayed."""

    of: str
    start: str
    days: float
    depth: float
    depth_model: float
    share: float
    share_model: float

    def within(self, depth: float, share: float) -> bool:
        """Whether the depth is within that share of the recorded one, and the last share of the pool within so many."""
        return abs(self.depth_model - self.depth) <= depth * self.depth and abs(self.share_model - self.share) <= share


def told(study: Study, pool: _Pool, spells: FittedSpells, *, first: int, last: int, of: str, lp: bool) -> Told:
    """One stretch under given flows: deepest of its rows, and the last row's share."""
    given = given_of(pool, first=first, last=last, spells=spells, lp=lp)
    history = history_of(pool.recorded.table.at(range(first, last + 1)))
    run = backtest(placed(study, pool, None, seed=1), history=history, paths=1, given=given)
    hours = _hours_from(pool, first)
    at = hours[first + 1 : last + 1].tolist()
    return Told(
        of=of,
        start=pool.recorded.table.times()[first].date().isoformat(),
        days=float(pool.days[last] - pool.days[first]),
        depth=max(pool.depth(row) for row in range(first + 1, last + 1)),
        depth_model=float(max(max(0.0, 1.0 - run.series["price_in_base"][max(hour, 1) - 1, 0]) for hour in at)),
        share=float(pool.share[last]),
        share_model=float(run.series["pool_share"][at[-1], 0]),
    )


def stretches(pool: _Pool, *, days: float) -> Iterator[tuple[int, int]]:
    """First and last rows of stretches that follow one another and have no gap."""
    first = 0
    while first < pool.days.size - 2:
        last = int(np.searchsorted(pool.days, pool.days[first] + days))
        if last >= pool.days.size:
            return
        if np.diff(pool.days[first : last + 1]).max() <= MOST_GAP_DAYS:
            yield first, last
        first = last


def rows_of(pool: _Pool, episode: Episode) -> tuple[int, int]:
    """The first and the last row of an episode."""
    inside = [episode.start <= time <= episode.end for time in pool.recorded.table.times()]
    places = np.flatnonzero(inside)
    return int(places[0]), int(places[-1])


def all_told(study: Study, pools: Sequence[_Pool], evidence: Evidence, spells: FittedSpells, *, lp: bool) -> tuple[list[Told], list[Told]]:
    """Every fortnight whose recorded depth is more than `SHALLOW`, and every episode, under given flows."""
    by_name = {each.steps.name: each for each in pools}
    windows = [
        told(study, pool, spells, first=first, last=last, of=pool.steps.name, lp=lp)
        for pool in pools
        for first, last in stretches(pool, days=14.0)
    ]
    episodes = []
    for each in evidence.episodes:
        pool = by_name[each.history]
        first, last = rows_of(pool, each)
        episodes.append(told(study, pool, spells, first=first, last=last, of=each.name, lp=lp))
    return [each for each in windows if each.depth > SHALLOW], episodes


# -- a replay of some rows -----------------------------------------------------------------------------------------------------------------


def replay_between(
    study: Study,
    file: str | os.PathLike[str],
    *,
    since: str | None = None,
    until: str | None = None,
    condition: str | None = None,
    parameters: ParameterSet | None = None,
    paths: int = PATHS_OF_DRAWS,
    workers: int = 1,
    told: Callable[[int], None] = lambda _: None,
) -> Backtest:
    """The replay of a CSV file's rows from one time to another. Where the study has a fit of spells and enough rows of the pool's balances stand before, these tell its own scales. A column
    ``amplification`` gives the pool's A of the first row; with ``condition`` (``flow`` or ``flow,lp``) what was recorded of sales, and of providers, stands in place of all draws.

    Raises `AmoOptError` for times that leave fewer than two rows, for balances that a condition needs and the file has not, and for an A that changes within the replay.
    """
    table = read_table(file)
    first, last = _between(table, since, until)
    balances = table.has_pool
    if condition is not None and not balances:
        table.need("pool_stable", "pool_base")
    part = table.at(range(first, last + 1))
    study, parameters, a = _with_amplification(study, parameters, part)
    history = history_of(part)
    told(history.hours)
    known = given = None
    if condition is not None:
        given = _given_between(table, part, a, study.spells, lp=condition == "flow,lp")
    elif balances and study.spells is not None:
        known = _known_before(table, part, a, study.spells)
    return backtest(study, history=history, parameters=parameters, paths=paths, workers=workers, known=known, given=given)


def _given_between(table: Table, part: Table, a: float, spells: FittedSpells | None, *, lp: bool) -> Given:
    """What was recorded of sales, and with ``lp`` of providers, in a part of a table."""
    within = part.balanced()[0]
    if len(within.lines) < 2 or within.lines[0] != part.lines[0]:
        found = f"{len(within.lines)} rows with them" + (f", the first in line {within.lines[0]}" if within.lines else "")
        allowed = f"at least 2, and line {part.lines[0]}, where the replay starts, among them"
        raise InputError(
            [Problem(table.file, "pool_stable and pool_base", "too few balances for --condition", found=found, allowed=allowed)]
        )
    if spells is None and not lp:
        # by what share of sales providers go along: by the file's own figures where the study has none
        spells = fitted([steps_of(table.balanced()[0], amplification=a)[0]], draws=16, name="own")[0]
    return given_of(_as_pool(within, a), first=0, last=len(within.lines) - 1, spells=spells, lp=lp)


def _known_before(table: Table, part: Table, a: float, spells: FittedSpells) -> Known | None:
    """What the rows before a part tell of its pool; None where they are too few."""
    begins = sum(time < part.times()[0] for time in table.times())
    before = table.at(range(begins + 1)).balanced()[0]
    if len(before.lines) <= LEAST_STEPS:
        return None
    steps, _ = steps_of(before, amplification=a, least=0)
    if np.count_nonzero(steps.used) < LEAST_STEPS or not (np.ptp(steps.flow[steps.used]) and np.ptp(steps.change[steps.used])):
        return None
    scales = own_scales(steps, spells.values)
    return Known(scales=scales, busy=chance_of_busy(steps, spells.values, scales))


def _as_pool(table: Table, a: float) -> _Pool:
    recorded = Recorded(name=table.name, file=table.file, source="", table=table, amplification=a)
    return _pool(recorded, steps_of(table, amplification=a, least=0)[0])


def _between(table: Table, since: str | None, until: str | None) -> tuple[int, int]:
    """The first and the last row from one time to another."""
    times = table.times()
    ends = []
    for option, given, usual in (("--from", since, times[0]), ("--to", until, times[-1])):
        time = usual if given is None else time_of(given)
        if time is None:
            raise AmoOptError(f"{option}: found {given!r}; allowed: {TIME_FORM}")
        ends.append(time)
    rows = [place for place, time in enumerate(times) if ends[0] <= time <= ends[1]]
    if len(rows) < 2:
        found = f"{ends[0].isoformat()} to {ends[1].isoformat()}"
        raise AmoOptError(
            f"{table.file}: found {len(rows)} rows from {found}; allowed: at least 2, and the file has {times[0].isoformat()} to {times[-1].isoformat()}"
        )
    return rows[0], rows[-1]


def _with_amplification(study: Study, parameters: ParameterSet | None, table: Table) -> tuple[Study, ParameterSet | None, float]:
    """The study and the set at the A that the file's first row has; as they are where it has none."""
    column = table.numbers.get("amplification")
    if column is None or not np.isfinite(column).any():
        return study, parameters, float(study.state.pool.amplification.value)
    known = column[np.isfinite(column)]
    if np.ptp(known) > 0.0:
        row = int(np.flatnonzero(np.isfinite(column) & (column != known[0]))[0])
        raise AmoOptError(
            f"{table.file}: amplification: found {known[0]:g} and, from line {table.lines[row]}, {column[row]:g}; allowed: one A within a replay; take the rows before or after a ramp with --from and --to"
        )
    a = float(known[0])
    figure = Figure(value=a, source=f"column amplification of {table.name}")
    chosen = (study.current if parameters is None else parameters).replace(amplification=round(a))
    return replace(study, state=with_figure(study.state, "pool.amplification", figure)), chosen, a
