"""A set of parameters replayed through a recorded history, beside what was recorded.

The drivers are exactly the history's, everything else is drawn as in calm. There is no transition: the snapshot is the first row's hour. A
balance recorded at an hour is compared with the model's as that hour opens, a price with the one that hour's market leads to.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from amo_opt.amos.layout import layout_of
from amo_opt.amos.sections import POSITIONS
from amo_opt.config.assumptions import assumptions, joint_draws
from amo_opt.config.overrides import with_figure
from amo_opt.config.schema import figures_by_name
from amo_opt.errors import AmoOptError
from amo_opt.protocol.elementary import expm1_of
from amo_opt.protocol.market import LANES
from amo_opt.protocol.state import Figure, ProtocolState
from amo_opt.simulation.engine import draw_rows, trace_given
from amo_opt.simulation.market_block import packed
from amo_opt.simulation.size import check_work
from amo_opt.stress.base_pool import base_value
from amo_opt.stress.catalogue import CALM
from amo_opt.stress.history import History, load_episode, read_history
from amo_opt.stress.noise import stationary
from amo_opt.stress.plausible import UNITS, units_of
from amo_opt.stress.spells import draw_spells
from amo_opt.stress.streams import Streams
from amo_opt.wording import count, named

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.stress.draws import Input
    from amo_opt.stress.fitted_spells import FittedSpells
    from amo_opt.stress.scenario import Scenario

Array = NDArray[np.float64]

PATHS = 64
PATHS_OF_DRAWS = 256
"""Paths where each is a joint draw of a study's behaviour."""
STREAM = "backtest"
"""The stream that what is not recorded is drawn from."""
COINS = ("dai", "usdc", "usdt")
_LEAST_PRICE = 1e-3
STARTS = 16
"""Joint draws of what a study assumes, the paths in turn at one of them, where a replay draws behaviour."""
_OPENED = {"supply": "supply", "pool_stable": "pool_x", "pool_base": "pool_y"}
_DIRECT = {"usdc": "collateral_price", "holders_exit": "news_exit", "lp_exit": "lp_exit", "gate": "gate"}
"""Drivers that are an input of the market as they stand."""
_VARIABLES = ("price", "oracle", "supply", "pool_x", "pool_y")
_KEPT = ("price_in_base", "supply", "pool_stable", "pool_base", "pool_share")
_SUPPLY, _POOL, _BASE = "stablecoin.supply", "pool.stablecoin", "pool.base_lp"
_SHARES = tuple(position for position, books in POSITIONS.items() if any(books.values()))
"""Positions that are a share of something else: they stay where balances are scaled."""
_BALANCES = (
    _SUPPLY,
    _POOL,
    _BASE,
    "collateral.idle",
    *(name for position, books in POSITIONS.items() for name in (position, *books) if name not in _SHARES),
)
_SHEET = (*_BALANCES, *_SHARES, "pool.base_virtual_price")
"""Figures that the balance sheet hangs together by."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the days before a replay tell of its pool: a calm day's ``scales`` of flow and of liquidity, shares of the pool, and the chance that its first day is ``busy``."""

    scales: tuple[float, float]
    busy: float


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a replay is told: the stablecoin that holders net each hour, tokens, buying positive, and by which logarithm liquidity grows in it, (hours,) each."""

    flow: Array
    lp: Array

    def rows(self, state: ProtocolState, hours: int) -> dict[str, Input]:
        """As inputs of a market; beyond what is given nothing happens."""
        found = []
        for values in (self.flow / state.external_supply, expm1_of(self.lp)):
            row = np.zeros((1, hours))
            row[0, : min(hours, values.size)] = values[:hours]
            found.append(row)
        return {"flow": found[0], "lp_change": found[1]}


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """A replay. ``series`` are float64 of shape (hours, paths): ``price``, ``oracle`` and ``price_in_base`` (base LP a stablecoin, counted
    at virtual price) as an hour's market leaves them; ``supply``, ``pool_stable``, ``pool_base`` and ``pool_share`` as the hour opens.
    ``drivers`` are float64 of shape (hours,), NaN where calm's stands; ``start`` holds the balances the replay began with.
    """

    study: Study
    parameters: ParameterSet
    history: History
    paths: int
    series: Mapping[str, Array]
    drivers: Mapping[str, Array]
    start: Mapping[str, float]
    base_coins: float
    base_amplification: float
    notes: tuple[str, ...]
    venue: Array
    """By how much a recorded price differs from the model's on each path, (hours, paths): zeros where the behaviour file says nothing of it."""
    drawn_behaviour: Literal["no", "yes", "known"] = "no"

    def __repr__(self) -> str:
        what = f"{self.history.name} under {self.parameters.name}"
        return f"Backtest({named(what)!r}, {self.history.hours:,} hours, {count(self.paths, 'path')})"


def backtest(
    study: Study,
    *,
    history: str | os.PathLike[str] | History | None = None,
    episode: str | None = None,
    parameters: ParameterSet | None = None,
    paths: int = PATHS,
    workers: int = 1,
    known: Known | None = None,
    given: Given | None = None,
) -> Backtest:
    """The replay of one history (a CSV file or a `History`) or one shipped episode under a set (default: the study's current one). Where the study has a fit of spells each path is one of its
    joint draws, from what is ``known`` of the pool by the days before; flows and changes of liquidity that are ``given`` stand in place of all draws.

    Raises `AmoOptError` unless exactly one of ``history`` and ``episode`` is given, and for a start that is no balance sheet.
    """
    if history is not None and episode is not None:
        raise AmoOptError("history and episode: found both; allowed: one of them")
    if paths < 1:
        raise AmoOptError(f"paths = {paths}; at least 1 is needed")
    recorded = _recorded(history, episode)
    chosen = study.current if parameters is None else parameters
    state, notes = start_of(study.state, recorded, kept=study.state_set)
    simulation = replace(study.simulation, transition_hours=0, window_hours=recorded.hours)
    placed = replace(study, state=state, simulation=simulation)
    calm = _calm(study, recorded)
    # what the study sets itself of its spells stands, on every path
    fits = study.spells is not None and all(calm.settings[name] == value for name, value in study.spells.settings(study.state).items())
    spells = study.spells if fits else None
    check_work(placed, paths, (CALM,), sets=1, workers=max(1, workers), series=len(_VARIABLES) + len(_KEPT))
    drawn = [placed] if spells is None or given is not None else _drawn(placed)
    # path by path the draws in turn: a path is the same however many there are
    of_draw = [range(number, paths, len(drawn)) for number in range(len(drawn))]
    blocks = [(here, mine[at : at + LANES]) for here, mine in zip(drawn, of_draw, strict=True) for at in range(0, len(mine), LANES)]

    def run(block: tuple[Study, range]) -> dict[str, Array]:
        here, mine = block
        first, lanes = mine.start, len(mine)
        weather = _calm(here, recorded)
        rows = market_of(recorded, weather, here, first=first, lanes=lanes, step=mine.step) | _spells(
            spells, weather, here, mine, steps=recorded.hours, known=known
        )
        if given is not None:
            rows |= given.rows(here.state, recorded.hours)
        market = packed(rows, paths=lanes, steps=recorded.hours, layout=layout_of(here.state))
        traced = trace_given(chosen, here, market, scenario=weather, first=first, lanes=lanes, variables=_VARIABLES)
        in_base = traced["price"] / np.asarray(rows["base_value"]).T
        begun = {name: np.full((1, lanes), value) for name, value in _start(here.state).items()}
        opened = {name: np.concatenate([begun[name], traced[variable][:-1]]) for name, variable in _OPENED.items()}
        return {**{name: traced[name].copy() for name in ("price", "oracle")}, "price_in_base": in_base, **opened}

    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        parts = list(pool.map(run, blocks))
    series = {name: np.empty((recorded.hours, paths)) for name in parts[0]}
    for (_, mine), part in zip(blocks, parts, strict=True):
        for name, values in part.items():
            series[name][:, mine.start : mine.stop : mine.step] = values
    series["pool_share"] = series["pool_stable"] / (series["pool_stable"] + series["pool_base"])
    return Backtest(
        study=placed,
        parameters=chosen,
        history=recorded,
        paths=paths,
        series=series,
        drivers=recorded.drivers,
        start=_start(state),
        base_coins=calm.settings["base_coins"],
        base_amplification=calm.settings["base_amplification"],
        drawn_behaviour="no" if spells is None or given is not None else "yes" if known is None else "known",
        venue=_venue_noise(study, recorded.hours, paths),
        notes=(*recorded.notes, *notes, _base_note(calm), *_whose(study.state, recorded)),
    )


def _start(state: ProtocolState) -> dict[str, float]:
    return {"supply": state.stablecoin.supply.value, "pool_stable": state.pool.stablecoin.value, "pool_base": state.base_value}


def _drawn(placed: Study) -> list[Study]:
    """The study at joint draws of all that it assumes, the start's balances too; itself where nothing is in doubt. What was recorded of the start has a source, and stays."""
    doubted = assumptions(placed)
    return [each.study for each in joint_draws(placed, doubted, count=STARTS)] if doubted else [placed]


def _recorded(history: str | os.PathLike[str] | History | None, episode: str | None) -> History:
    if episode is not None:
        return load_episode(episode)
    if isinstance(history, History):
        return history
    if history is not None:
        return read_history(history)
    raise AmoOptError("history and episode: found neither; allowed: one of them")


def _venue_noise(study: Study, hours: int, paths: int) -> Array:
    if study.venue is None:
        return np.zeros((hours, paths))
    normals = Streams(study.search.seed, STREAM, "venue").normals(range(paths), "venue", steps=hours)
    return stationary(normals, study.venue.price_hours, sd=study.venue.price_sd).T


def _whose(state: ProtocolState, history: History) -> tuple[str, ...]:
    if not history.protocol or state.is_of(history.protocol):
        return ()
    return (
        f"these are {history.protocol}'s days and the state is not {history.protocol}'s: nothing is demanded of the replay, and it validates nothing",
    )


def _base_note(calm: Scenario) -> str:
    if calm.settings["base_coins"] == 1.0:
        return "base pool: USDC alone"
    return "base pool: DAI, USDC and USDT (the study's scenario calm with set = { base_coins = 1 } makes it USDC alone)"


def _calm(study: Study, history: History) -> Scenario:
    """The study's calm, or the catalogue's, on the base pool of the time."""
    calm = study.calm
    if history.base_coins is None:
        return calm
    return replace(calm, settings={**calm.settings, "base_coins": history.base_coins})


def market_of(history: History, calm: Scenario, study: Study, *, first: int, lanes: int, step: int = 1) -> dict[str, Input]:
    """One block's market: calm's draws with the history's drivers in their place, each input of shape (lanes, hours) or one number.

    ``study`` is placed at the history's start: no transition, and a window as long. Paths are those from ``first`` on, ``step`` apart.
    """
    paths = range(first, first + lanes * step, step)
    rows = draw_rows(calm, study, paths=paths, stream=STREAM)

    def put(name: str, values: Array) -> None:
        rows[name] = np.where(np.isfinite(values), values, np.broadcast_to(rows[name], (lanes, history.hours)))

    for driver, name in _DIRECT.items():
        if driver in history.drivers:
            put(name, history.drivers[driver])
    if calm.settings["base_coins"] == 1.0:
        rows["base_value"] = rows["collateral_price"]
    elif any(coin in history.drivers for coin in COINS):
        prices = np.stack([_coin(coin, history, calm, study, paths) for coin in COINS])
        put("base_value", base_value(prices, calm.settings["base_amplification"]))
    if "share_price" in history.drivers:
        price = history.drivers["share_price"]
        returns = np.full(history.hours, np.nan)
        returns[1:] = price[1:] / price[:-1]
        # the first value is the start's own: no return leads to it
        returns[int(np.argmax(np.isfinite(price)))] = 1.0
        put("share_return", returns)
    return rows


def _spells(
    spells: FittedSpells | None, calm: Scenario, study: Study, paths: range, *, steps: int, known: Known | None
) -> dict[str, Input]:
    """Flow and change of liquidity of each path by its own joint draw of the fit; nothing without one."""
    if spells is None:
        return {}
    own = spells.by_path(study.state, paths, scales=None if known is None else known.scales)
    settings: dict[str, float | Array] = {**calm.settings, **own}
    streams = Streams(study.search.seed, STREAM, calm.name)
    flow, change = draw_spells(settings, streams, paths=paths, steps=steps, first=None if known is None else known.busy)
    return {} if flow is None else {"flow": flow, "lp_change": 0.0 if change is None else change}


def _coin(coin: str, history: History, calm: Scenario, study: Study, paths: range) -> Array:
    """A base coin's price, (paths, hours): the history's, and calm's own draw where it has none."""
    settings = calm.settings
    normals = Streams(study.search.seed, STREAM, calm.name).normals(paths, coin, steps=history.hours)
    own = np.maximum(1.0 + stationary(normals, settings["coin_noise_hours"], sd=settings["coin_noise_sd"]), _LEAST_PRICE)
    given = history.drivers.get(coin)
    return own if given is None else np.where(np.isfinite(given), given, own)


def start_of(state: ProtocolState, history: History, *, kept: Collection[str] = ()) -> tuple[ProtocolState, tuple[str, ...]]:
    """The state the replay begins with, and what was put in the state file's place, in words.

    An episode's figures replace the state's, but for those that the study itself sets (``kept``). Pool and supply of a CSV's first hour do
    too; every other balance is then scaled by the supply's ratio, or by the pool's where the supply is not recorded.

    Raises `AmoOptError` for a balance that both the study sets and the history holds (neither could stand without moving the rest of the balance
    sheet), for amounts in another unit than the state's, and for a start that is no balance sheet.
    """
    if history.state:
        _refuse_two_balances(history, balances_of_both(kept, history))
        notes = []
        for name, figure in history.state.items():
            if name in kept:
                own = attrgetter(name)(state).value
                notes.append(f"start: {name} is the study's own {own:g} ([state] set), not the episode's {figure.value:g}")
            else:
                state = with_figure(state, name, figure)
        return _checked(state, history), tuple(notes)
    _check_units(state, history)
    first = {name: float(real.last[0]) for name, real in history.real.items() if real.hours[0] == 0}
    given = {_SUPPLY: first.get("supply"), _POOL: first.get("pool_stable")}
    given[_BASE] = first["pool_base"] / state.pool.base_virtual_price.value if "pool_base" in first else None
    _refuse_two_balances(history, [name for name in kept if given.get(name) is not None])
    lead = next((name for name in (_SUPPLY, _POOL, _BASE) if given[name] is not None), None)
    if lead is None:
        return state, ("the start is the state file's: the first row holds neither pool nor supply",)
    ratio = (given[lead] or 0.0) / attrgetter(lead)(state).value
    taken = [name for name in (_SUPPLY, _POOL, _BASE) if given[name] is not None]
    for name in _BALANCES:
        former: Figure = attrgetter(name)(state)
        value = given.get(name)
        if value is not None:
            figure = Figure(value=value, source=f"first row of {history.name}", date=history.start.date())
        else:
            reason = f"the state file's {former.value:.12g} × {ratio:.6g}, as {lead} in the first row of {history.name}"
            ends = (
                (former.value, former.value * ratio)
                if former.assumed is None
                else (float(former.low or 0.0) * ratio, float(former.high or 0.0) * ratio)
            )
            figure = Figure(value=former.value * ratio, assumed=reason, low=min(ends), high=max(ends))
        state = with_figure(state, name, figure)
    notes = [f"start: {', '.join(taken)} from the first row; every other balance of the state file × {ratio:.4g}, the ratio of {lead}"]
    return _checked(state, history), tuple(notes)


def balances_of_both(names: Collection[str], history: History) -> tuple[str, ...]:
    """Of figures that a study sets, the ones of the balance sheet that an episode holds too."""
    return tuple(name for name in names if name in history.state and name in _SHEET)


def _refuse_two_balances(history: History, names: Collection[str]) -> None:
    if names:
        holder = f"the episode {history.episode}" if history.episode else f"{history.file or history.name}: the first row"
        raise AmoOptError(
            f"[state] set: {', '.join(names)}: {holder} holds its own figure, and the rest of its balance sheet goes with it; "
            "leave it out of set for this replay"
        )


def _check_units(state: ProtocolState, history: History) -> None:
    """Raises `AmoOptError` where what was first recorded is in another unit than the state file's; a state that read none of its balances has no unit of its own."""
    if all(attrgetter(name)(state).source is None for name in (_SUPPLY, _POOL, _BASE)):
        return
    own = {"supply": state.stablecoin.supply.value, "pool_stable": state.pool.stablecoin.value, "pool_base": state.base_value}
    for name, here in own.items():
        if name in history.real:
            found = float(history.real[name].last[0])
            if not 1.0 / UNITS < found / here < UNITS:
                raise AmoOptError(
                    f"{history.file or history.name}: {name}: found {found:g} where it is first recorded; allowed: less than {UNITS:g} times "
                    f"away from the state's {here:g}; {units_of(found / here)}"
                )


def _checked(state: ProtocolState, history: History) -> ProtocolState:
    for name in (*_BALANCES, *history.state):
        limits, value = figures_by_name()[name].metadata, attrgetter(name)(state).value
        if not limits["low"] <= value <= limits["high"]:
            raise AmoOptError(
                f"{history.file or history.name}: {name} at the start: found {value:g}; allowed: {limits['low']:g} to {limits['high']:g}"
            )
    inside = state.pool.stablecoin.value + state.stablecoin_of_amos
    if inside >= state.stablecoin.supply.value:
        raise AmoOptError(
            f"{history.file or history.name}: first row: pool_stable (with the other AMOs' stablecoin): found {inside:.6g}; "
            f"allowed: below the supply of {state.stablecoin.supply.value:.6g}"
        )
    return state
