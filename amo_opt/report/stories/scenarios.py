"""A scenario's inputs as panels to draw: what its waypoints say, and the band in which its drawn paths lie, hour by hour around onset."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from amo_opt.amos.layout import MARKET_INDEX
from amo_opt.protocol.market import LANES
from amo_opt.protocol.state import FRAX
from amo_opt.stress.draws import FREE_CAPS, NO_LIMIT, draw_block
from amo_opt.stress.episodes import draw_episodes
from amo_opt.stress.noise import stationary
from amo_opt.stress.series import SERIES
from amo_opt.stress.shapes import levels, total_hazard
from amo_opt.stress.streams import Streams
from amo_opt.wording import clean, in_account

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.stress.scenario import Scenario

PATHS = LANES
"""Paths behind a band: one block of them, the first of stream "search"."""
BEFORE = 24
"""Hours before onset that are shown."""
SHORTEST, LONGEST = 96, 960
"""Fewest and most hours after onset that are shown; between the two, until every series has settled, and a quarter of that again."""
SETTLED = 0.05
"""A series has settled where it stays within this share of its range of where it ends."""
FINE = 240
"""Hours that are shown one by one; of more, every second, third … so that a drawing stays small."""

FloatArray = NDArray[np.float64]
Form = Literal["price", "log", "percent", "amount"]


@dataclass(frozen=True)
class Band:
    """One input on the shown hours: 5%, median and 95% of the paths, each of shape (hours,); ``points`` are the waypoints at size and
    speed as set, none where the scenario leaves the input calm. Where the paths do not differ, the three are one.
    """

    label: str
    low: FloatArray
    middle: FloatArray
    high: FloatArray
    points: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class InputPanel:
    """One small panel: its bands, and ``moved`` = the scenario does something to it."""

    title: str
    form: Form
    bands: tuple[Band, ...]
    moved: bool


@dataclass(frozen=True)
class ScenarioPage:
    """One scenario, ready to draw: ``hours`` (shape (hours,)) count from onset."""

    name: str
    title: str
    text: str
    hours: FloatArray
    panels: tuple[InputPanel, ...]


def scenario_pages(study: Study) -> tuple[ScenarioPage, ...]:
    """A page for each scenario of the study, in its order."""
    total = sum(scenario.weight for scenario in study.scenarios)
    return tuple(_page(scenario, study, share=scenario.weight / total) for scenario in study.scenarios)


def _page(scenario: Scenario, study: Study, *, share: float) -> ScenarioPage:
    seen = _Seen(scenario, study)
    text = f"Weight {100 * share:.3g}%: {scenario.weight_reason}. {scenario.summary}"
    return ScenarioPage(
        name=scenario.name,
        title=clean(scenario.title),
        text=clean(text),
        hours=seen.hours,
        panels=(
            seen.coins(),
            seen.base(),
            *((seen.share_token(),) if study.state.has("share_token") else ()),
            seen.gas(),
            seen.leaving("holders_exit", "news_exit", "Holders gone (% of outside supply)"),
            seen.leaving("lp_exit", "lp_exit", "Providers gone (% of outside LP)"),
            seen.demand(),
            seen.doors(),
        ),
    )


def _settled(series: str, points: Sequence[tuple[float, float]]) -> float:
    """Hour of the last waypoint that is not yet near the last value; of shares a day, the last."""
    values = [value for _, value in points]
    if SERIES[series].kind in ("share_a_day", "demand_a_day"):
        return points[-1][0]
    near = SETTLED * (max(values) - min(values))
    return max((after for (_, value), (after, _) in itertools.pairwise(points) if abs(value - values[-1]) > near), default=0.0)


class _Seen:
    """The first paths of a scenario, each counted from its own onset: rows of what is drawn, and their bands."""

    def __init__(self, scenario: Scenario, study: Study) -> None:
        self.scenario, self.settings, self.account = scenario, scenario.settings, study.state.unit
        self.own, self.has = study.state.is_of(FRAX), study.state.has
        transition, window = study.simulation.transition_hours, study.simulation.window_hours
        self.steps = transition + window
        self.paths = range(PATHS)
        self.streams = Streams(study.search.seed, "search", scenario.name)
        self.episodes = draw_episodes(scenario, self.streams, paths=self.paths, transition_hours=transition)
        market = draw_block(
            scenario,
            seed=study.search.seed,
            stream="search",
            first_path=0,
            paths=PATHS,
            state=study.state,
            transition_hours=transition,
            window_hours=window,
        )
        self.market = market.reshape(self.steps, -1, LANES)
        # a path whose stress begins after the window shows none of it
        self.rows = np.flatnonzero(self.episodes.onset < self.steps)
        onset = self.episodes.onset[self.rows] if self.rows.size else np.full(PATHS, transition)
        if not self.rows.size:
            self.rows = np.arange(PATHS)
        self.onset = onset
        last = max((_settled(series, points) for series, points in scenario.waypoints.items()), default=0.0)
        last = max(last, self.settings.get("gate_hours", 0.0), 24.0 * self.settings.get("freeze_days_high", 0.0))
        after = min(max(math.ceil(1.25 * last), SHORTEST), LONGEST, self.steps - 1 - int(onset.max()))
        before = min(BEFORE, int(onset.min()))
        self.all_hours = np.arange(-before, after + 1)
        self.shown = self._thinned(before, after)
        self.hours: FloatArray = self.all_hours[self.shown].astype(np.float64)

    def _thinned(self, before: int, after: int) -> NDArray[np.int64]:
        """Places among all hours that are shown: an even step, and the waypoints' own hours, so that no low falls between two."""
        step = -(-(before + after) // FINE)
        kept = set(range(-before, after + 1, step)) | {0, after}
        for points in self.scenario.waypoints.values():
            kept |= {round(hour) for hour, _ in points if hour <= after}
        return np.array(sorted(kept), dtype=np.int64) + before

    def aligned(self, values: FloatArray) -> FloatArray:
        """Rows of shape (paths, all hours) counted from onset, of ``values`` of shape (paths, steps)."""
        return np.stack([values[row, start + self.all_hours] for row, start in zip(self.rows, self.onset, strict=True)])

    def input(self, name: str) -> FloatArray:
        """An input of the market, counted from onset."""
        return self.aligned(self.market[:, MARKET_INDEX[name], :].T)

    def band(self, label: str, rows: FloatArray, points: Sequence[tuple[float, float]] = ()) -> Band:
        low, middle, high = np.quantile(rows[:, self.shown], [0.05, 0.5, 0.95], axis=0)
        return Band(label, low, middle, high, tuple(point for point in points if point[0] <= self.hours[-1]))

    def since_onset(self, rows: FloatArray) -> FloatArray:
        """Running sums that are 0 as the onset's hour opens: what happened in an hour stands at the next."""
        sums = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(rows, axis=1)[:, :-1]], axis=1)
        counted: FloatArray = sums - sums[:, self.all_hours == 0]
        return counted

    def priced(self, coin: str) -> list[tuple[float, float]]:
        size = self.settings.get("size", 1.0)
        return [(hour, 1.0 + size * (value - 1.0)) for hour, value in self.scenario.waypoints.get(coin, ())]

    def coins(self) -> InputPanel:
        others = [coin for coin in ("dai", "usdt") if coin in self.scenario.waypoints and self.settings["base_coins"] != 1.0]
        bands = [self.band("USDC" if self.own else "collateral", self.input("collateral_price"), self.priced("usdc"))]
        bands += [self.band(coin.upper(), self._coin(coin), self.priced(coin)) for coin in others]
        severe = self.settings["losses_certain"] == 1.0 and self.settings["coin_loss_yearly"] > 0.0
        moved = severe or bool({"usdc", "dai", "usdt"} & set(self.scenario.waypoints))
        return InputPanel(in_account("Coins (USD)", self.account), "price", tuple(bands), moved)

    def _coin(self, coin: str) -> FloatArray:
        """A coin that the market holds only within the base pool's value, drawn as `draw_block` draws it."""
        settings, episodes = self.settings, self.episodes
        noise = self.streams.normals(self.paths, coin, steps=self.steps)
        noise = stationary(noise, settings["coin_noise_hours"], sd=settings["coin_noise_sd"])
        points = self.scenario.waypoints[coin]
        shape = levels(points, SERIES[coin], steps=self.steps, onset=episodes.onset, size=episodes.size, speed=episodes.speed)
        return self.aligned((1.0 + noise) * shape)

    def base(self) -> InputPanel:
        alone = self.settings["base_coins"] == 1.0
        pool = ("USDC" if alone else "3CRV") if self.own else ("the collateral" if alone else "three coins")
        moved = self.coins().moved
        return InputPanel(
            in_account(f"Base pool, {pool} (USD)", self.account), "price", (self.band(pool, self.input("base_value")),), moved
        )

    def share_token(self) -> InputPanel:
        logs = np.log(self.input("share_return"))
        at = self.all_hours == 0
        sums = np.cumsum(logs, axis=1)
        # the onset's own hour already holds the first waypoint, so prices count from its end
        rows = np.exp(sums - sums[:, at])
        points = self.scenario.waypoints.get("share_token", ())
        size = self.settings.get("size", 1.0)
        marks = [(hour, (value / points[0][1]) ** size) for hour, value in points]
        steep = bool(marks) and min(value for _, value in marks) < 0.1
        return InputPanel("Share token (onset = 1)", "log" if steep else "price", (self.band("share token", rows, marks),), bool(marks))

    def gas(self) -> InputPanel:
        settings = self.settings
        calm = settings["gas_gwei"] * 1e-9 * settings["gas_units"] * settings["eth_usd"]
        marks = [(hour, calm * value) for hour, value in self.scenario.waypoints.get("gas", ())]
        return InputPanel(
            in_account("Gas of one operation (USD)", self.account), "amount", (self.band("gas", self.input("gas_usd"), marks),), bool(marks)
        )

    def leaving(self, series: str, name: str, title: str) -> InputPanel:
        rows = 100.0 * -np.expm1(self.since_onset(np.log1p(-self.input(name))))
        points = self.scenario.waypoints.get(series, ())
        return InputPanel(title, "percent", (self.band(series, rows, self._gone(series, points)),), bool(points))

    def _gone(self, series: str, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        """Per cent gone at each waypoint: at the middle of the drawn totals, where the holders' total is drawn."""
        if not points:
            return []
        size, high = self.settings.get("size", 1.0), self.settings.get("exit_total_high", 0.0)
        if series == "holders_exit" and high > 0.0:
            size *= -math.log1p(-0.5 * (self.settings["exit_total_low"] + high)) / total_hazard(points)
        hazard = [0.0]
        for (hour, value), (after, _) in itertools.pairwise(points):
            hazard.append(hazard[-1] - size * math.log1p(-value) * (after - hour) / 24.0)
        return [(hour, 100.0 * -math.expm1(-sum_)) for (hour, _), sum_ in zip(points, hazard, strict=True)]

    def demand(self) -> InputPanel:
        rows = 100.0 * self.since_onset(self.input("flow"))
        points = self.scenario.waypoints.get("demand", ())
        total, marks = 0.0, [(0.0, 0.0)] if points else []
        for (hour, value), (after, _) in itertools.pairwise(points):
            total += 100.0 * self.settings.get("size", 1.0) * value * (after - hour) / 24.0
            marks.append((after, total))
        return InputPanel("Net demand (% of outside supply)", "percent", (self.band("demand", rows, marks),), bool(points))

    def doors(self) -> InputPanel:
        """Share of the paths on which a door is shut: no band, as each path's door is shut or open."""
        frozen = np.any([self.input(name) < NO_LIMIT for name in FREE_CAPS], axis=0)
        shut = {"redemptions shut": self.input("gate") < 1.0, "lending frozen": frozen}
        bands = []
        for label, rows in shut.items():
            share = 100.0 * rows.mean(axis=0)[self.shown]
            if share.any():
                bands.append(Band(label, share, share, share))
        return InputPanel("Doors shut (% of paths)", "percent", tuple(bands), bool(bands))
