"""Market paths of a scenario: calm noise on every input, the scenario's shapes on top, laid out as the kernel reads them.

Nothing here depends on a parameter set: common random numbers. Rows of intermediate arrays are paths, columns hours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from amo_opt.errors import SimulationError
from amo_opt.protocol.market import LANES, MARKET_INDEX, MARKET_INPUTS
from amo_opt.stress.base_pool import base_value
from amo_opt.stress.episodes import Episodes, draw_episodes
from amo_opt.stress.noise import lognormal, reverting_flow, stationary, walk_returns
from amo_opt.stress.series import SERIES
from amo_opt.stress.shapes import hourly_demand, hourly_share, levels, total_hazard
from amo_opt.stress.streams import Streams

if TYPE_CHECKING:
    from amo_opt.protocol.state import ProtocolState
    from amo_opt.stress.scenario import Scenario

NO_LIMIT = 1e15
"""`lending_free_cap` when others leave enough: no limit."""
_LEAST_PRICE = 1e-3
_LEAST_DEPOSIT = 1.0
_HOURS_A_WEEK = 168.0

Rows = NDArray[np.float64]
"""float64 of shape (paths, steps)."""


class _Draw:
    """One block being drawn: the scenario, its streams and the stress of each path."""

    def __init__(self, scenario: Scenario, streams: Streams, *, paths: range, steps: int, transition_hours: int) -> None:
        self.settings = scenario.settings
        self.waypoints = scenario.waypoints
        self.streams = streams
        self.paths = paths
        self.steps = steps
        self.episodes: Episodes = draw_episodes(scenario, streams, paths=paths, transition_hours=transition_hours)

    def normals(self, purpose: str) -> Rows:
        return self.streams.normals(self.paths, purpose, steps=self.steps)

    def autoregression(self, purpose: str, setting: str) -> Rows:
        """Stationary noise whose deviation and time constant are the settings ``…_sd`` and ``…_hours``."""
        return stationary(self.normals(purpose), self.settings[f"{setting}_hours"], sd=self.settings[f"{setting}_sd"])

    def shape(self, name: str) -> Rows | None:
        """Factor of the series on its calm level, or None where the scenario has no such series."""
        points = self.waypoints.get(name)
        if points is None:
            return None
        episodes = self.episodes
        return levels(points, SERIES[name], steps=self.steps, onset=episodes.onset, size=episodes.size, speed=episodes.speed)

    def hours_since(self, hours: float) -> NDArray[np.float64]:
        """Hours since ``hours`` after onset, negative before: shape (paths, steps)."""
        since: NDArray[np.float64] = np.arange(self.steps)[None, :] - (self.episodes.onset[:, None] + hours)
        return since


def draw_block(
    scenario: Scenario,
    *,
    seed: int,
    stream: str,
    first_path: int,
    paths: int,
    state: ProtocolState,
    transition_hours: int,
    window_hours: int,
) -> NDArray[np.float64]:
    """Market inputs of paths ``first_path`` … ``first_path + paths − 1``, read-only.

    Returns
    -------
    float64 of shape (transition_hours + window_hours, len(MARKET_INPUTS) * LANES), C-contiguous, finite; units of `MARKET_INPUTS`.
    ``paths`` lanes are real, the further lanes repeat the last of them. Path p of (seed, stream, scenario) is the same whatever the
    block it is drawn in. The transition is calm; an onset past the window's end leaves the path calm.

    Raises
    ------
    ValueError: ``paths`` not in [1, LANES], or no hours. SimulationError: a drawn value is out of its domain (settings too extreme).
    """
    if not 1 <= paths <= LANES:
        raise ValueError(f"paths of one block is {paths}; allowed: 1 to {LANES}; draw further paths in further blocks")
    steps = transition_hours + window_hours
    if transition_hours < 0 or window_hours < 1:
        raise ValueError(f"transition_hours {transition_hours}, window_hours {window_hours}; allowed: at least 0 and 1")
    draw = _Draw(
        scenario,
        Streams(seed, stream, scenario.name),
        paths=range(first_path, first_path + paths),
        steps=steps,
        transition_hours=transition_hours,
    )
    rows: dict[str, Rows] = {}
    rows |= _coins(draw)
    rows["share_return"] = _share_return(draw)
    rows |= _lending(draw, state)
    rows["reward_usd"] = _rewards(draw)
    rows["swap_volume"] = _volume(draw)
    rows |= _flows(draw)
    rows["gas_usd"] = _gas(draw)
    gated = draw.hours_since(0.0)
    rows["gate"] = np.where((gated >= 0) & (gated < draw.settings.get("gate_hours", 0.0)), 0.0, 1.0)
    _check(scenario, rows, first_path=first_path)
    block = np.empty((steps, len(MARKET_INPUTS), LANES))
    for name, index in MARKET_INDEX.items():
        block[:, index, :paths] = rows[name].T
    block[:, :, paths:] = block[:, :, paths - 1 : paths]
    market = block.reshape(steps, len(MARKET_INPUTS) * LANES)
    market.setflags(write=False)
    return market


def _coins(draw: _Draw) -> dict[str, Rows]:
    def price(coin: str) -> Rows:
        noisy = 1.0 + draw.autoregression(coin, "coin_noise")
        shape = draw.shape(coin)
        return np.maximum(noisy if shape is None else noisy * shape, _LEAST_PRICE)

    usdc = price("usdc")
    if draw.settings["base_coins"] == 1.0:
        return {"collateral_price": usdc, "base_value": usdc}
    prices = np.stack([price("dai"), usdc, price("usdt")])
    return {"collateral_price": usdc, "base_value": base_value(prices, draw.settings["base_amplification"])}


def _share_return(draw: _Draw) -> Rows:
    returns = walk_returns(draw.normals("share"), daily_vol=draw.settings["share_daily_vol"])
    shape = draw.shape("share_token")
    if shape is not None:
        returns[:, 1:] *= shape[:, 1:] / shape[:, :-1]
    return returns


def _lending(draw: _Draw, state: ProtocolState) -> dict[str, Rows]:
    """Deposits and demand of the lending market; while it is frozen, depositors leave until only what is borrowed stays.

    Demand at a rate of zero is what gives the drawn utilisation at the state's AMO deposit. In a freeze borrowers keep their loans (they
    did not repay within days), so demand is raised by what the frozen rate would cut, and outside deposits fall to loans / utilisation.
    """
    settings = draw.settings
    lent = state.amos.aave.lent.value
    elasticity = state.markets.lending_elasticity.value
    log = draw.autoregression("lending-deposits", "lending_deposits")
    deposits = settings["lending_deposits"] * lognormal(log, sd=settings["lending_deposits_sd"])
    utilisation = settings["lending_utilisation"] + draw.autoregression("lending-utilisation", "lending_utilisation")
    borrowed = np.clip(utilisation, 0.0, 0.99)
    calm_rate = _borrow_rate(borrowed, state)
    borrowed *= deposits + lent
    demand = borrowed * (1.0 + elasticity * calm_rate)
    free_cap = np.full_like(deposits, NO_LIMIT)
    if settings.get("freeze_days_high", 0.0) > 0.0:
        since = draw.hours_since(settings["freeze_start_hours"])
        frozen = (since >= 0) & (since < draw.episodes.freeze_hours[:, None])
        frozen_rate = float(_borrow_rate(np.array(settings["freeze_utilisation"]), state))
        deposits = np.where(frozen, np.maximum(borrowed / settings["freeze_utilisation"] - lent, _LEAST_DEPOSIT), deposits)
        demand = np.where(frozen, borrowed * (1.0 + elasticity * frozen_rate), demand)
        free_cap[frozen] = settings["freeze_free"]
    return {"lending_deposits": deposits, "lending_demand": demand, "lending_free_cap": free_cap}


def _borrow_rate(utilisation: NDArray[np.float64], state: ProtocolState) -> NDArray[np.float64]:
    """The kinked borrow rate a year (Aave's interest rate strategy): slope 1 up to the kink, slope 2 from there to full."""
    markets = state.markets
    kink = markets.lending_kink.value
    gentle = markets.lending_slope_1.value * np.minimum(utilisation / kink, 1.0)
    steep = markets.lending_slope_2.value * np.maximum(utilisation - kink, 0.0) / (1.0 - kink)
    rate: NDArray[np.float64] = gentle + steep
    return rate


def _rewards(draw: _Draw) -> Rows:
    returns = walk_returns(draw.normals("reward"), daily_vol=draw.settings["reward_token_daily_vol"])
    start = draw.settings["reward_tokens_week"] / _HOURS_A_WEEK * draw.settings["reward_token_price"]
    return start * np.cumprod(returns, axis=1, dtype=np.float64)


def _volume(draw: _Draw) -> Rows:
    log = draw.autoregression("volume", "swap_volume")
    return draw.settings["swap_volume_day"] / 24.0 * lognormal(log, sd=draw.settings["swap_volume_sd"])


def _flows(draw: _Draw) -> dict[str, Rows]:
    """Calm demand and the exits that no price explains.

    A drawn exit total replaces the waypoints' own and keeps their proportions from day to day; `size` scales both (as a hazard).
    """
    episodes, settings = draw.episodes, draw.settings
    flow = reverting_flow(draw.normals("flow"), settings["flow_hours"], sd=settings["flow_sd"])
    none = np.zeros((len(draw.paths), draw.steps))
    points = draw.waypoints.get("demand")
    if points is not None:
        flow = flow + hourly_demand(points, steps=draw.steps, onset=episodes.onset, size=episodes.size, speed=episodes.speed)
    news_exit = none
    points = draw.waypoints.get("holders_exit")
    if points is not None:
        scale = np.full(len(draw.paths), settings.get("size", 1.0))
        own = total_hazard(points)
        if settings.get("exit_total_high", 0.0) > 0.0 and own > 0.0:
            scale = scale * -np.log1p(-episodes.exit_total) / own
        news_exit = hourly_share(points, steps=draw.steps, onset=episodes.onset, speed=episodes.speed, scale=scale)
    lp_exit = none
    points = draw.waypoints.get("lp_exit")
    if points is not None:
        lp_exit = hourly_share(points, steps=draw.steps, onset=episodes.onset, speed=episodes.speed, scale=episodes.size)
    return {"flow": flow, "news_exit": news_exit, "lp_exit": lp_exit}


def _gas(draw: _Draw) -> Rows:
    settings = draw.settings
    # the setting is the median, so no correction to mean 1 here
    gwei = settings["gas_gwei"] * np.exp(draw.autoregression("gas", "gas_gwei"))
    usd = gwei * 1e-9 * settings["gas_units"] * settings["eth_usd"]
    shape = draw.shape("gas")
    return usd if shape is None else usd * shape


_POSITIVE = ("collateral_price", "base_value", "share_return", "lending_deposits")
_SHARES = ("news_exit", "lp_exit", "gate")


def _check(scenario: Scenario, rows: dict[str, Rows], *, first_path: int) -> None:
    for name, values in rows.items():
        wrong = ~np.isfinite(values)
        if name in _POSITIVE:
            wrong |= values <= 0.0
        elif name in _SHARES:
            wrong |= (values < 0.0) | (values > 1.0)
        elif name != "flow":
            wrong |= values < 0.0
        if wrong.any():
            path, step = (int(index) for index in np.argwhere(wrong)[0])
            raise SimulationError(
                f"scenario {scenario.name}, path {first_path + path}, step {step}: {name} drawn as {values[path, step]!r}; "
                f"allowed: {MARKET_INPUTS[name]}; bring the scenario's settings back towards the catalogue's"
            )
