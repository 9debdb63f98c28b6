"""Market paths of a scenario: calm noise on every input, the scenario's shapes on top, laid out as the kernel reads them.

Nothing here depends on a parameter set: common random numbers. Rows of intermediate arrays are paths, columns hours.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.kinds import ASSET, mechanism_of
from amo_opt.amos.layout import BASE, layout_of
from amo_opt.amos.lending import elasticity_of
from amo_opt.errors import SimulationError
from amo_opt.protocol.aligned import aligned
from amo_opt.protocol.elementary import exp_of, expm1_of, log1p_of
from amo_opt.protocol.market import LANES
from amo_opt.stress.base_pool import base_value
from amo_opt.stress.episodes import Episodes, draw_episodes
from amo_opt.stress.losses import draw_losses
from amo_opt.stress.noise import lagged_mean, lognormal, reverting_flow, stationary, walk_returns
from amo_opt.stress.series import SERIES
from amo_opt.stress.settings import setting
from amo_opt.stress.shapes import hourly_demand, hourly_share, levels, total_hazard
from amo_opt.stress.spells import draw_spells, has_liquidity
from amo_opt.stress.streams import Streams
from amo_opt.stress.tilts import NOISES, path_name
from amo_opt.stress.twins import TwinStreams

if TYPE_CHECKING:
    from amo_opt.amos.layout import Layout
    from amo_opt.protocol.state import FurtherPool, ProtocolState
    from amo_opt.stress.scenario import Scenario

NO_LIMIT = 1e15
"""What can be withdrawn of a lending market where others leave enough: no limit."""
LENDERS = {each.market.prefix: each.name for each in MECHANISMS if each.market is not None}
"""Lending markets, by the name that begins their settings, draws and rate curves, and the AMO that lends there and whose inputs they fill."""
FREE_CAPS = tuple(f"{each.name}.free_cap" for each in MECHANISMS if "free_cap" in each.inputs)
"""The inputs that hold what can be withdrawn of a lending market, where others may leave less than the AMO has there."""
DRAWN_FROM = frozenset(
    {f"amos.{amo}.lent" for amo in LENDERS.values()}
    | {f"markets.{market}_{part}" for market in LENDERS for part in ("kink", "slope_1", "slope_2")}
    | {
        f"markets.{each.market.prefix}_further_elasticity"
        for each in MECHANISMS
        if each.market is not None and f"{each.market.prefix}_further_elasticity" in each.markets
    }
    | {"markets.lending_elasticity", "markets.lending_memory_hours"}
)
"""Figures of a state, by dotted name, that a market is drawn from: borrowers' demand is what makes the drawn utilisation come true."""
_FREEZE = frozenset(each.market.prefix for each in MECHANISMS if each.market is not None and each.market.freezes)
BORROWERS = tuple(each.name for each in MECHANISMS if each.borrowing is not None)
"""Whose borrowers' demand is drawn, by the name that begins their settings, draws and inputs."""


def loss_inputs(layout: Layout) -> dict[str, str]:
    """The inputs that hold what a venue loses, by the venue."""
    return {each.name: f"{each.name}.loss" for each in layout.mechanisms if each.loss is not None}


def assets_of(layout: Layout) -> tuple[str, ...]:
    """Assets that have a price of their own."""
    return tuple(each.name for each in layout.mechanisms if each.price is not None)


_ASSETS = assets_of(BASE)
_EXITS = {"news_exit": "holders_exit", "lp_exit": "lp_exit"}
"""Inputs that no price explains, and the series of waypoints that they are drawn from."""
_COINS = ("usdc", "dai", "usdt")
"""Coins that have a series of their own; a further pool of that name has it opposite."""
_LEAST_PRICE = 1e-3
_LEAST_DEPOSIT = 1e-9
"""Least that depositors leave in a frozen market, as a share of its calm deposits."""
_HOURS_A_WEEK = 168.0

Rows = NDArray[np.float64]
"""float64 of shape (paths, steps)."""
Input = Rows | float
"""Rows, or the one number that an input is on every path at every step."""


class _Draw:
    """One block being drawn: the scenario, its streams and the stress of each path."""

    def __init__(self, scenario: Scenario, streams: Streams, *, paths: range, steps: int, transition_hours: int) -> None:
        self.settings = scenario.settings
        self.waypoints = scenario.waypoints
        self.streams = streams
        self.paths = paths
        self.steps = steps
        self.episodes: Episodes = draw_episodes(scenario, streams, paths=paths, transition_hours=transition_hours)
        self.losses = draw_losses(self.settings, streams, paths=paths, onset=self.episodes.onset, transition_hours=transition_hours)

    def normals(self, purpose: str) -> Rows:
        return self.streams.normals(self.paths, purpose, steps=self.steps)

    def autoregression(self, purpose: str) -> Rows:
        """Stationary noise whose deviation and time constant are the settings ``…_sd`` and ``…_hours``."""
        scaled = NOISES[purpose].setting
        return stationary(self.normals(purpose), setting(self.settings, f"{scaled}_hours"), sd=setting(self.settings, f"{scaled}_sd"))

    def walk(self, purpose: str) -> Rows:
        """Gross hourly returns of a price whose daily volatility is the noise's setting."""
        return walk_returns(self.normals(purpose), daily_vol=self.settings[NOISES[purpose].setting])

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
    float64 of shape (transition_hours + window_hours, inputs of the state's layout × LANES), C-contiguous, finite; units as there.
    ``paths`` lanes are real, the further lanes repeat the last of them. Path p of (seed, stream, scenario) is the same whatever the
    block it is drawn in. The transition is calm; an onset past the window's end leaves the path calm.

    Raises
    ------
    ValueError: ``paths`` not in [1, LANES], or no hours. SimulationError: a drawn value is out of its domain (settings too extreme).
    """
    rows = draw_inputs(
        scenario,
        seed=seed,
        stream=stream,
        paths=range(first_path, first_path + paths),
        state=state,
        transition_hours=transition_hours,
        window_hours=window_hours,
    )
    return lay_out(rows, paths=paths, steps=transition_hours + window_hours, layout=layout_of(state))


def noises_of(scenario: Scenario, state: ProtocolState) -> tuple[str, ...]:
    """The noises that a scenario draws, as its draws themselves ask for them."""
    streams = TwinStreams(0, "noises", scenario, components=(), component=0, opening=0)
    draw_inputs(scenario, seed=0, stream="noises", paths=range(1), state=state, transition_hours=0, window_hours=1, streams=streams)
    return streams.drawn


def lay_out(rows: Mapping[str, Input], *, paths: int, steps: int, layout: Layout = BASE) -> NDArray[np.float64]:
    """The market of a block, as `draw_block` returns it, from every input of the layout."""
    block = aligned(steps, len(layout.inputs), LANES)
    # some hours of every input at a time: input by input takes nearly twice as long, as each visits the whole block
    for start in range(0, steps, LANES):
        hours = slice(start, start + LANES)
        for name, index in layout.input_index.items():
            values = rows[name]
            block[hours, index, :paths] = values if isinstance(values, float) else values[:, hours].T
    block[:, :, paths:] = block[:, :, paths - 1 : paths]
    market = block.reshape(steps, len(layout.inputs) * LANES)
    market.setflags(write=False)
    return market


def moving_inputs(scenario: Scenario, layout: Layout = BASE) -> tuple[str, ...]:
    """The inputs of the layout that may change from hour to hour in the scenario, on whatever path; the others are one number (`draw_inputs`)."""
    settings, assets = scenario.settings, assets_of(layout)
    losses = loss_inputs(layout)
    still = {"reward_tokens", *FREE_CAPS, *(name for venue, name in losses.items() if setting(settings, f"{venue}_loss_yearly") <= 0.0)}
    still |= {name for name, series in _EXITS.items() if series not in scenario.waypoints}
    still |= {f"{name}.demand" for name in BORROWERS if settings[f"{name}_demand_sd"] <= 0.0}
    still |= {f"{name}.turn" for name in BORROWERS if settings[f"{name}_turn"] == 0.0}
    still |= {f"{name}.open" for name in assets if setting(settings, f"{name}_gate_hours") <= 0.0}
    still |= {f"{name}.price" for name in assets if setting(settings, f"{name}_price_sd") <= 0.0 and name not in scenario.waypoints}
    if not has_liquidity(settings):
        still.add("lp_change")
    if settings.get("gate_hours", 0.0) <= 0.0:
        still.add("gate")
    if settings.get("freeze_days_high", 0.0) > 0.0:
        still -= {f"{LENDERS[market]}.free_cap" for market in _FREEZE}
    return tuple(name for name in layout.inputs if name not in still)


def draw_inputs(
    scenario: Scenario,
    *,
    seed: int,
    stream: str,
    paths: range,
    state: ProtocolState,
    transition_hours: int,
    window_hours: int,
    parts: Sequence[Part] | None = None,
    streams: TwinStreams | None = None,
) -> dict[str, Input]:
    """The inputs of some ``parts`` of the market (None = all) by name, each of shape (paths, steps) or one number for all of them.

    A part is the same whichever others are drawn. ``streams`` are those of the paths' twins, where they are drawn. Raises as `draw_block` does.
    """
    if not 1 <= len(paths) <= LANES:
        raise ValueError(f"paths of one block is {len(paths)}; allowed: 1 to {LANES}; draw further paths in further blocks")
    if transition_hours < 0 or window_hours < 1:
        raise ValueError(f"transition_hours {transition_hours}, window_hours {window_hours}; allowed: at least 0 and 1")
    draw = _Draw(
        scenario,
        Streams(seed, stream, scenario.name) if streams is None else streams,
        paths=paths,
        steps=transition_hours + window_hours,
        transition_hours=transition_hours,
    )
    rows: dict[str, Input] = {}
    for part in _PARTS if parts is None else parts:
        rows |= _PARTS[part](draw, state)
    _check(scenario, rows, first_path=paths.start, component=0 if streams is None else streams.component)
    return rows


def _coins(draw: _Draw) -> dict[str, Input]:
    """Prices of the collateral coin and of a base LP; a loss that strikes the coin takes its share of the price for good."""

    def price(coin: str, kept: Rows | None = None) -> Rows:
        noisy = 1.0 + draw.autoregression(coin)
        for factor in (draw.shape(coin), kept):
            if factor is not None:
                noisy *= factor
        return np.maximum(noisy, _LEAST_PRICE)

    kept = None
    if "coin" in draw.losses:
        kept = np.where(np.arange(draw.steps) < draw.losses["coin"][:, None], 1.0, 1.0 - draw.settings["coin_loss_severity"])
    usdc = price("usdc", kept)
    if draw.settings["base_coins"] == 1.0:
        return {"collateral_price": usdc, "base_value": usdc}
    prices = np.stack([price("dai"), usdc, price("usdt")])
    return {"collateral_price": usdc, "base_value": base_value(prices, draw.settings["base_amplification"])}


def shares_base(pool: FurtherPool) -> bool:
    """Whether a further pool stands on the first pool's base, whose price it then has."""
    return pool.is_meta and pool.base_shared.value > 0.5


def _pools(draw: _Draw, state: ProtocolState) -> dict[str, Input]:
    """Price of the coin opposite and two-way volume of every further pool; one of their coins may be struck, the same for the whole path. One on the first pool's base has its price."""
    named = state.pools.named
    rows: dict[str, Input] = {}
    own = [k for k, (_, pool) in enumerate(named) if not shares_base(pool)]
    struck = draw.shape("opposite") if own else None
    which = np.zeros(len(draw.paths), dtype=np.int64)
    if struck is not None:
        place = int(draw.settings["opposite_pool"])
        drawn = np.floor(draw.streams.uniforms(draw.paths, "opposite") * len(own)).astype(np.int64)
        one = np.array(own)[np.minimum(drawn, len(own) - 1)]
        which = one if place == 0 else np.full(len(draw.paths), min(place, len(named)) - 1)
    shared = _coins(draw)["base_value"] if len(own) < len(named) else 1.0
    for k, (name, pool) in enumerate(named):
        price: Input = shared
        if k in own:
            noisy = 1.0 + draw.autoregression(f"coin-{name}")
            shape = draw.shape(name) if name in _COINS else None
            if shape is not None:
                noisy *= shape
            if struck is not None:
                noisy *= np.where((which == k)[:, None], struck, 1.0)
            price = np.maximum(noisy, _LEAST_PRICE)
        log = draw.autoregression(f"volume-{name}")
        rows[f"{name}-pool.price"] = price
        rows[f"{name}-pool.volume"] = pool.volume_day.value / 24.0 * lognormal(log, sd=draw.settings["swap_volume_sd"])
    return rows


def _share_return(draw: _Draw) -> Rows:
    returns = draw.walk("share")
    shape = draw.shape("share_token")
    if shape is not None:
        returns[:, 1:] *= shape[:, 1:] / shape[:, :-1]
    return returns


def _lending(draw: _Draw, state: ProtocolState) -> dict[str, Input]:
    """Deposits and demand of every lending market, and what can be withdrawn of it where others may leave less than the AMO has there.

    At the state's AMO deposit borrowers take what the drawn utilisation says, hour by hour: demand at a rate of zero is that, raised by
    what the rate they answer to cuts, its mean over `lending_memory_hours` along the drawn path. (Raised by each hour's own rate instead,
    an hour above the kink would draw in borrowers whose mean rate has not seen it, and fill the market.)
    """
    settings, markets = draw.settings, state.markets
    rows: dict[str, Input] = dict.fromkeys(FREE_CAPS, NO_LIMIT)
    for market, amo in LENDERS.items():
        lent: float = getattr(state.amos, amo).lent.value
        log = draw.autoregression(f"{market}-deposits")
        deposits = settings[f"{market}_deposits"] * lognormal(log, sd=settings[f"{market}_deposits_sd"])
        utilisation = settings[f"{market}_utilisation"] + draw.autoregression(f"{market}-utilisation")
        np.clip(utilisation, 0.0, 0.99, out=utilisation)
        borrowed = utilisation * (deposits + lent)
        if market in _FREEZE and settings.get("freeze_days_high", 0.0) > 0.0:
            # borrowers keep their loans (they did not repay within days), so depositors leave until loans / utilisation stay
            since = draw.hours_since(settings["freeze_start_hours"])
            frozen = (since >= 0) & (since < draw.episodes.freeze_hours[:, None])
            least = _LEAST_DEPOSIT * settings[f"{market}_deposits"]
            deposits = np.where(frozen, np.maximum(borrowed / settings["freeze_utilisation"] - lent, least), deposits)
            utilisation = np.where(frozen, borrowed / (deposits + lent), utilisation)
            rows[f"{amo}.free_cap"] = np.where(frozen, settings["freeze_free"], NO_LIMIT)
        mean_rate = lagged_mean(_borrow_rate(utilisation, state, market), markets.lending_memory_hours.value)
        rows[f"{amo}.deposits"] = deposits
        elasticity: float = elasticity_of(markets, market)
        rows[f"{amo}.demand"] = borrowed * (1.0 + elasticity * mean_rate)
    return rows


def _borrow_rate(utilisation: Rows, state: ProtocolState, market: str) -> Rows:
    """The kinked borrow rate a year: slope 1 up to the kink, slope 2 from there to full."""
    kink, slope_1, slope_2 = (getattr(state.markets, f"{market}_{figure}").value for figure in ("kink", "slope_1", "slope_2"))
    rate: Rows = utilisation / kink
    np.minimum(rate, 1.0, out=rate)
    rate *= slope_1
    above = utilisation - kink
    np.maximum(above, 0.0, out=above)
    above *= slope_2
    above /= 1.0 - kink
    rate += above
    return rate


def _borrowing(draw: _Draw, state: ProtocolState) -> dict[str, Input]:
    """Borrowers' demand over the snapshot's, noise only where the protocol has some, and what a scenario has them take or give back: the same share of what they owe in every
    hour of its span.
    """
    settings = draw.settings
    rows: dict[str, Input] = {}
    for name in BORROWERS:
        rows[f"{name}.demand"], rows[f"{name}.turn"] = 1.0, 0.0
        if settings[f"{name}_demand_sd"] > 0.0:
            rows[f"{name}.demand"] = np.ones((len(draw.paths), draw.steps))
            if state.has(f"amos.{name}"):
                rows[f"{name}.demand"] = lognormal(draw.autoregression(f"{name}-demand"), sd=settings[f"{name}_demand_sd"])
        if settings[f"{name}_turn"] != 0.0:
            hours = np.maximum(1.0, np.round(settings[f"{name}_turn_hours"] / draw.episodes.speed))[:, None]
            share = expm1_of(draw.episodes.size[:, None] * log1p_of(settings[f"{name}_turn"]) / hours)
            since = draw.hours_since(0.0)
            rows[f"{name}.turn"] = np.where((since >= 0) & (since < hours), share, 0.0)
    return rows


def _rewards(draw: _Draw, state: ProtocolState) -> dict[str, Input]:
    """The gauge's budget, none where the pool has no gauge."""
    tokens = draw.settings["reward_tokens_week"] / _HOURS_A_WEEK if state.has("rewards") else 0.0
    returns = draw.walk("reward")
    price = draw.settings["reward_token_price"] * np.cumprod(returns, axis=1, dtype=np.float64)
    return {"reward_tokens": tokens, "reward_price": price}


def _volume(draw: _Draw) -> Rows:
    log = draw.autoregression("volume")
    return draw.settings["swap_volume_day"] / 24.0 * lognormal(log, sd=draw.settings["swap_volume_sd"])


LEAST_EXIT = 1e-9
"""Least that waypoints of exits add up to, as a hazard, for a drawn total to keep their proportions."""


def _flows(draw: _Draw) -> dict[str, Input]:
    """Calm demand and the exits that no price explains, and the liquidity that comes and goes by spells.

    A drawn exit total replaces the waypoints' own and keeps their proportions from day to day; `size` scales both (as a hazard).
    """
    episodes, settings = draw.episodes, draw.settings
    flow, change = draw_spells(settings, draw.streams, paths=draw.paths, steps=draw.steps)
    if flow is None:
        flow = reverting_flow(draw.normals("flow"), settings["flow_hours"], sd=settings["flow_sd"])
    points = draw.waypoints.get("demand")
    if points is not None:
        flow = flow + hourly_demand(points, steps=draw.steps, onset=episodes.onset, size=episodes.size, speed=episodes.speed)
    news_exit: Input = 0.0
    points = draw.waypoints.get(_EXITS["news_exit"])
    if points is not None:
        scale = np.full(len(draw.paths), settings.get("size", 1.0))
        own = total_hazard(points)
        if settings.get("exit_total_high", 0.0) > 0.0 and own > LEAST_EXIT:
            scale = scale * -log1p_of(-episodes.exit_total) / own
        news_exit = hourly_share(points, steps=draw.steps, onset=episodes.onset, speed=episodes.speed, scale=scale)
    lp_exit: Input = 0.0
    points = draw.waypoints.get(_EXITS["lp_exit"])
    if points is not None:
        lp_exit = hourly_share(points, steps=draw.steps, onset=episodes.onset, speed=episodes.speed, scale=episodes.size)
    return {"flow": flow, "news_exit": news_exit, "lp_exit": lp_exit, "lp_change": 0.0 if change is None else change}


def _gas(draw: _Draw) -> Rows:
    settings = draw.settings
    # the setting is the median, so no correction to mean 1 here
    gwei = settings["gas_gwei"] * exp_of(draw.autoregression("gas"))
    usd = gwei * 1e-9 * settings["gas_units"] * settings["eth_usd"]
    shape = draw.shape("gas")
    return usd if shape is None else usd * shape


def _gate(draw: _Draw, hours: float) -> Input:
    if hours <= 0.0:
        return 1.0
    since = draw.hours_since(0.0)
    return np.where((since >= 0) & (since < hours), 0.0, 1.0)


def _assets(draw: _Draw, state: ProtocolState) -> dict[str, Input]:
    """Prices of assets as multiples of what they are counted in, and whether their custodians are open; of one that the protocol does not have nothing is drawn."""
    rows: dict[str, Input] = {}
    for name in assets_of(layout_of(state)):
        price: Input = 1.0
        opens: Input = 1.0
        if state.has(f"amos.{name}"):
            shape = draw.shape(name)
            noisy = setting(draw.settings, f"{name}_price_sd") > 0.0
            if noisy or shape is not None:
                price = np.ones((len(draw.paths), draw.steps))
                if noisy:
                    price = price + draw.autoregression(f"{name}-price")
                price = np.maximum(price if shape is None else price * shape, _LEAST_PRICE)
            opens = _gate(draw, setting(draw.settings, f"{name}_gate_hours"))
        rows |= {f"{name}.price": price, f"{name}.open": opens}
    return rows


def _losses(draw: _Draw, state: ProtocolState) -> dict[str, Input]:
    """What each venue loses in the hour that is drawn for it; the coin's loss is in its price."""
    inputs = loss_inputs(layout_of(state))
    rows: dict[str, Input] = dict.fromkeys(inputs.values(), 0.0)
    for venue, name in inputs.items():
        if venue in draw.losses:
            steps = draw.losses[venue]
            hit = np.flatnonzero(steps < draw.steps)
            lost = np.zeros((len(draw.paths), draw.steps))
            lost[hit, steps[hit]] = setting(draw.settings, f"{venue}_loss_severity")
            rows[name] = lost
    return rows


Part = Literal["coins", "pools", "share", "lending", "borrowing", "rewards", "volume", "flows", "gas", "gate", "assets", "losses"]
_PARTS: dict[Part, Callable[[_Draw, ProtocolState], dict[str, Input]]] = {
    "coins": lambda draw, _: _coins(draw),
    "pools": _pools,
    "share": lambda draw, _: {"share_return": _share_return(draw)},
    "lending": _lending,
    "borrowing": _borrowing,
    "rewards": _rewards,
    "volume": lambda draw, _: {"swap_volume": _volume(draw)},
    "flows": lambda draw, _: _flows(draw),
    "gas": lambda draw, _: {"gas_usd": _gas(draw)},
    "gate": lambda draw, _: {"gate": _gate(draw, draw.settings.get("gate_hours", 0.0))},
    "assets": _assets,
    "losses": _losses,
}
"""What is drawn together, in the order of the checks."""
FROM_STATE: tuple[Part, ...] = ("lending", "pools")
"""The parts that hang on a state's figures, which `DRAWN_FROM` names."""
_FROM_SETTINGS: tuple[tuple[tuple[str, ...], tuple[Part, ...]], ...] = (
    (("share_daily_vol",), ("share",)),
    (("coin_noise_",), ("coins", "pools")),
    (("base_",), ("coins", "pools")),
    (("opposite_",), ("pools",)),
    (("reward_token",), ("rewards",)),
    (("swap_volume_",), ("volume", "pools")),
    (("flow_", "spell_", "exit_total_"), ("flows",)),
    (("gas_", "eth_usd"), ("gas",)),
    (("size",), ("coins", "pools", "share", "borrowing", "flows", "gas", "assets")),
    (tuple(f"{name}_{setting}" for name in _ASSETS for setting in ("price", "gate")), ("assets",)),
    (tuple(f"{market}_{name}" for market in LENDERS for name in ("deposits", "utilisation")), ("lending",)),
    (tuple(f"{borrowers}_{name}" for borrowers in BORROWERS for name in ("demand", "turn")), ("borrowing",)),
)
"""What the names of settings begin with, and the parts that read them; a setting found nowhere here may be read by any."""


def read_by(settings: Collection[str]) -> tuple[Part, ...]:
    """The parts that some of a scenario's settings act on, in the order in which they are drawn."""
    found: set[Part] = set()
    for name in settings:
        of = name.partition("_")[0]
        asset = (
            name.replace(of, _ASSETS[0], 1) if mechanism_of(of) is not None else name
        )  # one of a name of its own is read as the catalogue's is
        readers = [parts for prefixes, parts in _FROM_SETTINGS if asset.startswith(prefixes)]
        found |= set(readers[0]) if readers else set(_PARTS)
    return tuple(part for part in _PARTS if part in found)


_SMALLEST, _LARGEST = float(np.nextafter(0.0, 1.0)), sys.float_info.max
_POSITIVE = (
    *("collateral_price", "base_value", "share_return"),
    *(f"{name}.price" for name in _ASSETS),
    *(f"{amo}.deposits" for amo in LENDERS.values()),
    *(f"{name}.demand" for name in BORROWERS),
)
_SHARES = ("news_exit", "lp_exit", "gate", *(f"{name}.open" for name in _ASSETS), *loss_inputs(BASE).values())
_SHARES_OF_NAMED = (f"-{ASSET}.open", f"-{ASSET}.loss")
_DOMAINS: dict[str, tuple[float, float]] = (
    dict.fromkeys(BASE.inputs, (0.0, _LARGEST))
    | dict.fromkeys(_POSITIVE, (_SMALLEST, _LARGEST))
    | dict.fromkeys(_SHARES, (0.0, 1.0))
    | {"flow": (-_LARGEST, _LARGEST), "lp_change": (-1.0, _LARGEST)}
    | {f"{name}.turn": (-1.0, _LARGEST) for name in BORROWERS}
)
"""Least and most that an input may be; both finite, so that neither bound lets an infinity or NaN through."""


def _check(scenario: Scenario, rows: dict[str, Input], *, first_path: int, component: int = 0) -> None:
    for name, values in rows.items():
        least, most = _DOMAINS.get(name, (0.0, 1.0 if name.endswith(_SHARES_OF_NAMED) else _LARGEST))
        # two passes without a temporary; a NaN is the least and the most of its rows, and fails both comparisons
        if np.min(values) >= least and np.max(values) <= most:
            continue
        allowed = np.atleast_2d((values >= least) & (values <= most))
        path, step = (int(index) for index in np.argwhere(~allowed)[0])
        found = float(np.atleast_2d(values)[path, step])
        raise SimulationError(
            f"scenario {scenario.name}, path {path_name(first_path + path, component)}, step {step}: {name} drawn as {found!r}; "
            f"allowed: {BASE.inputs.get(name, 'a finite number that is not negative')}; bring the scenario's settings back towards the catalogue's"
        )
