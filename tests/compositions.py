"""Random protocols: state, behaviour, set in force and study of every combination of tables, written as files and read through the door of all files.

A draw depends on its number alone, so a campaign goes on wherever it was stopped and a failing one is written out again by its number:

    python tests/compositions.py 1234 folder        # the files of draw 1234, then `amo-opt validate folder/study.toml`

Nothing here lists figures, parameters or settings: the tables of the schema are gone through, so that a new table or figure is drawn as soon as it is defined. Only what a balance sheet
must add up to is said (`Books`). Amounts are shares of a supply of 1 to 1e13.
"""

from __future__ import annotations

import json
import sys
from dataclasses import MISSING, dataclass, field, replace
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.kinds import mechanism_of
from amo_opt.amos.layout import layout_of
from amo_opt.amos.parameters import PARAMETERS
from amo_opt.config.load import load_study
from amo_opt.config.overrides import with_figure
from amo_opt.config.schema import MARKETS_OF, OPTIONAL, figures_by_name, figures_in, named_figures, table_of
from amo_opt.errors import InputError
from amo_opt.protocol.lanes import FAULTS, LANES
from amo_opt.protocol.parameters import ORDERED_PAIRS
from amo_opt.simulation.engine import IDENTITY_BOUND, hours_of
from amo_opt.simulation.engine import draw as draw_inputs
from amo_opt.simulation.kernel import run_block
from amo_opt.simulation.market_block import pack_market
from amo_opt.simulation.pack import constants, parameter_vector, start_state
from amo_opt.stress.catalogue import load_scenario, scenario_names
from amo_opt.stress.series import SERIES
from amo_opt.stress.settings import ORDERED, SETTINGS

if TYPE_CHECKING:
    from amo_opt.config.study import Study

Rng = np.random.Generator
Tables = dict[str, dict[str, Any]]

PATHS = 8
TRANSITION, WINDOW = 12, 72
"""Hours of a draw: what may go wrong in a composition mostly does within days, as stresses begin on the first."""
TRIES = 12
"""Draws at most for one that `validate` passes."""
NAMED = ("-keeper", "-hold", "-asset")
"""What names of AMOs end with that a state may have several of."""
ASSETS = ("bills", "cash", "locked", "staked")
LABELS = tuple(f"pool{letter}" for letter in "abcdefghi")
FOLDED = ("curve", "peg_keeper", "rebalancer")
"""AMOs of the first pool's LP tokens: at most one is drawn, for the most part (`validate` says which may stand together)."""
WHOLE = 1e-290
"""What is smaller may lose digits by being multiplied."""
AMOUNTS = {"tokens", "tokens/h", "USD", "USD/h", "gas"}
PRICES_OF_TOKENS = {"USD/token", "USD/ETH"}


@dataclass(frozen=True)
class Draw:
    """One composition: figures of state and behaviour by dotted name, parameters, and the rest of the study, all as they are written."""

    number: int
    attempt: int
    unit: str
    first: str
    tables: tuple[str, ...]
    figures: dict[str, float]
    parameters: dict[str, float]
    scenario: str
    settings: dict[str, float]
    defaults: dict[str, float]
    waypoints: dict[str, list[list[float]]]
    simulation: dict[str, Any]


def number_in(rng: Rng, low: float, high: float, *, wild: float) -> float:
    """An end, a number of any size, or one anywhere between; with ``wild`` 0 a number of the inner part alone."""
    kind = rng.random()
    if kind < 0.25 * wild:
        return float(rng.choice([low, high]))
    if kind < 0.35 * wild:
        return float(rng.choice([np.nextafter(low, high), np.nextafter(high, low), min(max(0.0, low), high), min(max(1.0, low), high)]))
    if kind < 0.7 and high > 0.0:
        least = max(low, 1e-4 * high, 1e-9)
        return float(min(high, least * (high / least) ** rng.random()))
    return float(rng.uniform(low, high))


def share_in(rng: Rng) -> float:
    """A share, often none or all."""
    return float(rng.choice([0.0, 1.0, rng.random(), rng.random() ** 4]))


@dataclass
class Books:
    """What is dealt out of a supply: stablecoin to pools and AMOs so that holders keep some, everything else of any size."""

    rng: Rng
    supply: float

    def deal(self, names: list[str]) -> dict[str, float]:
        """Stablecoin in each of these places, all together below the supply."""
        weights = {name: float(self.rng.choice([0.0, 1e-6, 0.1, 1.0], p=[0.1, 0.1, 0.3, 0.5]) * self.rng.random()) for name in names}
        total = sum(weights.values()) or 1.0
        part = float(self.rng.choice([self.rng.uniform(0.01, 0.9), 0.97, 1e-5], p=[0.85, 0.1, 0.05]))
        return {name: self.supply * part * weight / total for name, weight in weights.items()}

    def amount(self) -> float:
        """An amount beside the stablecoin's: nothing, next to nothing, or up to a few times the supply."""
        return float(
            self.supply * self.rng.choice([0.0, 1e-9, self.rng.random(), 10.0 ** self.rng.uniform(-4, 0.5)], p=[0.1, 0.05, 0.5, 0.35])
        )


@cache
def own_tables() -> tuple[str, ...]:
    """Tables that may be left out, but for those of venues of rewards."""
    return (*OPTIONAL, *(f"amos.{each.name}" for each in MECHANISMS if each.section is not None))


def tables_in(rng: Rng) -> tuple[str, tuple[str, ...]]:
    """What the first pool is called, and the tables of a composition: mechanisms by chance, further pools and keepers of any of them."""
    share = rng.choice([0.15, 0.5, 0.85])
    chosen = [name for name in own_tables() if rng.random() < share and name != "amos.regulator"]
    folded = [name for name in chosen if name.removeprefix("amos.") in FOLDED]
    if folded and rng.random() < 0.9:
        keep = folded[int(rng.integers(len(folded)))]
        chosen = [name for name in chosen if name not in folded or name == keep]
    if "amos.monetary_policy" in chosen and "amos.borrowers" not in chosen and rng.random() < 0.8:
        chosen.append("amos.borrowers")
    if "rewards" in chosen:
        chosen += [f"rewards.{name}" for name in ("gauge", "convex", "stakedao", "yearn") if rng.random() < 0.6]
    count = int(rng.choice([0, 1, 2, 3, 5, 8], p=[0.35, 0.2, 0.15, 0.1, 0.1, 0.1]))
    labels = [LABELS[place] for place in rng.permutation(len(LABELS))[: count + 1]]
    named = labels if count or rng.random() < 0.3 else [""]
    pools = [f"pools.{name}" for name in named[1:]]
    keepers = [f"amos.{name}-keeper" for name in named if name and rng.random() < 0.5] if rng.random() < 0.7 else []
    held = [f"amos.{name}-hold" for name in named if name and rng.random() < 0.1]
    assets = [f"amos.{name}-asset" for name in ASSETS if rng.random() < 0.2] if rng.random() < 0.5 else []
    if keepers:
        if rng.random() < 0.95:
            chosen = [name for name in chosen if name not in ("amos.curve", "amos.peg_keeper")]
        if rng.random() < 0.97:
            chosen.append("amos.regulator")
    return named[0], (*dict.fromkeys(chosen), *pools, *keepers, *held, *assets)


def figure_of(rng: Rng, name: str, supply: float, *, wild: float) -> float:
    """Any figure of no balance sheet, within its bounds; an amount is a share of the supply."""
    limits = figures_by_name()[name].metadata
    if limits["unit"] in AMOUNTS:
        return float(min(limits["high"], max(limits["low"], Books(rng, supply).amount())))
    if limits["unit"] in PRICES_OF_TOKENS:
        return float(min(limits["high"], max(limits["low"], 10.0 ** rng.uniform(-3, 3))))
    if name.endswith(".version"):
        return float(rng.integers(1, 3))
    return number_in(rng, limits["low"], limits["high"], wild=wild)


@cache
def worked_behaviour() -> dict[str, float]:
    """Behaviour of the worked studies' file."""
    study = load_study(Path(__file__).resolve().parents[1] / "studies" / "frax-2022.toml")
    names = (name for name, entry in figures_by_name().items() if entry.metadata["behaviour"] and entry.default is MISSING)
    found = {name: attrgetter(name)(study.state).value for name in names if not MARKETS_OF.get(name)}
    return found | {"markets.borrowers_elasticity": 5.0, "markets.borrowers_peg_response": 0.1, "markets.borrowers_peg_limit": 0.01}


def drawn_figures(rng: Rng, tables: tuple[str, ...], first: str) -> dict[str, float]:
    """Every figure of the composition, by dotted name."""
    supply = float(rng.choice([10.0 ** rng.uniform(5, 11), 10.0 ** rng.uniform(0, 13), 1.0, 1e13], p=[0.7, 0.25, 0.02, 0.03]))
    wild = float(rng.choice([0.0, 0.3, 1.0]))
    there = {"", *tables}
    names = [
        name for name in figures_by_name() if table_of(name) in there or (table_of(name).startswith("rewards.") and "rewards" in there)
    ]
    names += named_figures(name for name in tables if name.startswith("pools.") or name.endswith(NAMED))
    tame = rng.random() < 0.4
    found: dict[str, float] = {}
    for name in names:
        entry = figures_by_name()[name]
        if entry.default is not MISSING and rng.random() < 0.4:
            continue
        of_behaviour = entry.metadata["behaviour"]
        found[name] = (
            worked_behaviour()[name] if of_behaviour and tame and name in worked_behaviour() else figure_of(rng, name, supply, wild=wild)
        )
    if tame:
        found["markets.volume_depth_usd"] = min(1e12, max(1.0, 0.1 * supply))
    found["stablecoin.supply"] = supply
    _pools(rng, found, supply, wild=wild)
    _positions(rng, found, tables, first)
    for name, value in found.items():  # a share of a supply may be less than the least there may be
        limits = figures_by_name()[name].metadata
        found[name] = min(limits["high"], max(limits["low"], value))
    if "redeem" in tables and "share_token" not in tables and rng.random() < 0.95:
        found.pop("controller.collateral_ratio", None)
        if "controller" in tables:
            found["controller.collateral_ratio"] = float(rng.choice([1.0, 1.0, 1.3, 2.0]))
    elif "controller" in tables:
        found["controller.collateral_ratio"] = float(rng.choice([0.0, 0.5, 0.9, 1.0, rng.uniform(0, 2)]))
    return found


def _pools(rng: Rng, found: dict[str, float], supply: float, *, wild: float) -> None:
    """What stands in every pool and outside them, its A, its fees."""
    places = [name for name in found if name == "pool.stablecoin" or (name.startswith("pools.") and name.endswith(".stablecoin"))]
    others = [name for name in found if name in ("amos.fraxlend.lent", "amos.uniswap.liquidity")]
    found |= Books(rng, supply).deal([*places, *others])
    for name in places:
        room = name.rpartition(".")[0]
        skew = 10.0 ** (rng.uniform(-0.3, 0.3) if rng.random() < 0.7 else rng.uniform(-2, 2))
        found[f"{room}.{'base_lp' if room == 'pool' else 'opposite'}"] = max(1.0, found[name] * skew)
        found[f"{room}.amplification"] = float(
            round(rng.choice([10.0 ** rng.uniform(0, 4), 10.0 ** rng.uniform(0, 5.99), 1.0], p=[0.8, 0.15, 0.05]))
        )
        found[f"{room}.fee"] = float(rng.choice([0.0, 1e-4, 4e-4, 0.05 * wild * rng.random()]))
        found[f"{room}.admin_fee"] = share_in(rng)
        _ramp(rng, found, room)
        if room != "pool":
            _opposite(rng, found, room)
    if "pool.base_coins" in found:
        found["pool.base_coins"] = float(rng.choice([1.0, 3.0]))
    found["pool.base_virtual_price"] = float(rng.choice([1.0, 1.02, rng.uniform(0.5, 2.0)], p=[0.6, 0.35, 0.05]))
    found["pool.base_fee"] = float(rng.choice([0.0, 1e-4, 0.05 * wild * rng.random()]))
    found["pool.protocol_admin_share"] = share_in(rng)
    if "amos.uniswap.half_width" in found and rng.random() < 0.8:
        found["amos.uniswap.half_width"] = float(10.0 ** rng.uniform(-3, -1))


def _ramp(rng: Rng, found: dict[str, float], room: str) -> None:
    """A ramp of A under way, for the most part none."""
    ramp = (f"{room}.future_amplification", f"{room}.ramp_hours_left")
    for name in ramp:
        found.pop(name, None)
    if rng.random() < 0.25:
        found |= dict(zip(ramp, (float(round(10.0 ** rng.uniform(0, 4))), float(rng.choice([1.0, 30.0, 500.0]))), strict=True))


def _opposite(rng: Rng, found: dict[str, float], room: str) -> None:
    """What stands opposite in a further pool: a coin, one that accrues, a base pool's LP token, for the most part as it should be."""
    if rng.random() < 0.05:
        return
    for name in ("base_virtual_price", "base_shared", "opposite_price", "opposite_rate"):
        found.pop(f"{room}.{name}", None)
    kind = rng.choice(["coin", "accrues", "base"], p=[0.6, 0.2, 0.2])
    if kind == "accrues":
        found |= {f"{room}.opposite_price": float(rng.uniform(0.2, 5.0)), f"{room}.opposite_rate": float(rng.uniform(-0.1, 0.5))}
    elif kind == "base":
        found |= {f"{room}.base_virtual_price": float(rng.uniform(0.9, 1.5)), f"{room}.base_shared": float(rng.choice([0.0, 1.0]))}


def _positions(rng: Rng, found: dict[str, float], tables: tuple[str, ...], first: str) -> None:
    """What AMOs hold, and the minter's books that stand for it: as much as the position, somewhat else, or anything."""
    taken: dict[str, float] = {}
    for name in tables:
        if f"{name}.lp_share" not in found:
            continue
        share = found[f"{name}.lp_share"] = share_in(rng) * (0.9 if rng.random() < 0.7 else 1.0)
        label = name.removeprefix("amos.").rpartition("-")[0] if name.endswith(NAMED) else ""
        room = f"pools.{label}" if label and label != first else "pool"
        if name.startswith("pools."):
            found[f"{name}.lp_share"] = share * float(rng.choice([0.0, 0.3, 1.0]))
            continue
        # what another already has of it
        own = found.get(f"{room}.lp_share", 0.0) + taken.get(room, 0.0)
        if own + share > 1.0:
            found[f"{name}.lp_share"] = share = max(0.0, 1.0 - own)
        taken[room] = taken.get(room, 0.0) + share
        if f"{name}.minted" not in found:
            continue
        near = float(rng.choice([1.0, rng.uniform(0.5, 1.5)]))
        other = "base_lp" if room == "pool" else "opposite"
        found[f"{name}.minted"] = near * share * (found[f"{room}.stablecoin"] + (0.0 if name == "amos.curve" else found[f"{room}.{other}"]))
        if f"{name}.borrowed" in found:
            found[f"{name}.borrowed"] = near * share * found[f"{room}.{other}"]
    for name, book, position in (
        ("aave", "borrowed", "lent"),
        ("investor", "borrowed", "lent"),
        ("fraxlend", "minted", "lent"),
        ("uniswap", "minted", "liquidity"),
    ):
        if f"amos.{name}.{book}" in found and rng.random() < 0.9:
            found[f"amos.{name}.{book}"] = found[f"amos.{name}.{position}"] * float(rng.choice([1.0, 0.9, 1.1]))
    parts = [name for name in found if name.startswith("amos.curve.in_")]
    if parts and rng.random() < 0.95:
        cut = np.sort(rng.random(len(parts)))
        left = 1.0
        for name, each in zip(parts, cut, strict=True):
            found[name] = left * float(rng.choice([0.0, each]))
            left -= found[name]
    if "amos.savings.deposited" in found:
        found["amos.savings.deposited"] *= 0.2


def drawn_parameters(rng: Rng, tables: tuple[str, ...], supply: float) -> dict[str, float]:
    """A set of what the composition has: ends, numbers of any size, few left out that may be."""
    with_amo = any(name.startswith("amos.") for name in tables)
    names = [name for name, each in PARAMETERS.items() if not each.of or each.of in tables or (each.of == "amos" and with_amo)]
    for name in tables:
        if name.startswith("pools."):
            names.append(f"{name.removeprefix('pools.')}-pool.amplification")
        elif name.endswith(NAMED):
            own = name.removeprefix("amos.")
            made = mechanism_of(own)
            names += [] if made is None else [f"{own}.{each}" for each in made.parameters]
    wild = float(rng.choice([0.0, 0.3, 1.0]))
    values: dict[str, float] = {}
    for name in names:
        each = PARAMETERS[name]
        if each.default is not None and rng.random() < 0.2:
            continue
        values[name] = Books(rng, supply).amount() if each.amount else number_in(rng, each.low, each.high, wild=wild)
        values[name] = min(each.high, max(each.low, values[name]))
        if each.kind == "integer":
            values[name] = round(values[name])
    for low, high in ORDERED_PAIRS:
        if low in values and values[low] >= values[high]:
            values[low], values[high] = values[high], values[low]
        if low in values and values[low] == values[high]:
            values[low], values[high] = PARAMETERS[low].low, PARAMETERS[high].high
    return values


def drawn_settings(
    rng: Rng, supply: float, name: str, pools: int
) -> tuple[dict[str, float], dict[str, float], dict[str, list[list[float]]]]:
    """Settings and waypoints of the scenario, and every amount of them for all scenarios."""
    known = load_scenario(name).settings
    defaults = {each: _amount_setting(rng, each, supply) for each in load_scenario("calm").settings if SETTINGS[each].amount}
    settings: dict[str, float] = {
        each: _amount_setting(rng, each, supply) for each in known if SETTINGS[each].amount and each not in defaults
    }
    share = rng.choice([0.0, 0.1, 0.6])
    for each in known:
        if not SETTINGS[each].amount and rng.random() < share:
            limits = SETTINGS[each]
            settings[each] = float(rng.choice(limits.only)) if limits.only else number_in(rng, limits.low, limits.high, wild=0.5)
    settings["base_coins"] = float(rng.choice([1.0, 3.0]))
    if "gas_units" in known:
        settings["gas_units"] = float(rng.choice([0.0, 5e5]))
    if "opposite_pool" in known and rng.random() < 0.7:
        settings["opposite_pool"] = float(rng.integers(0, pools + 1))
    waypoints: dict[str, list[list[float]]] = {}
    if "onset_day_low" in known:
        settings |= {"onset_day_low": 0.0, "onset_day_high": float(rng.choice([0.0, 1.0]))}
        for series, limits in SERIES.items():
            if rng.random() < 0.1:
                start = min(max(1.0, limits.low), limits.high) if limits.kind not in ("share_a_day", "demand_a_day") else 0.0
                middle = number_in(
                    rng,
                    max(limits.low, 0.3 * start if start else limits.low),
                    min(limits.high, 3.0 * start if start else limits.high),
                    wild=0.3,
                )
                waypoints[series] = [[0, start], [int(rng.integers(1, 24)), middle], [48, start]]
    for low, high in ORDERED:
        for each in (low, high):
            if low in known and (low in settings or high in settings):
                settings.setdefault(each, known[each])
        if low in settings and settings[low] > settings[high]:
            settings[low], settings[high] = settings[high], settings[low]
    return settings, defaults, waypoints


def _amount_setting(rng: Rng, name: str, supply: float) -> float:
    limits = SETTINGS[name]
    if limits.unit in PRICES_OF_TOKENS:
        return float(min(limits.high, 10.0 ** rng.uniform(-4, 4)))
    return float(min(limits.high, max(limits.low, supply * 10.0 ** rng.uniform(-4, 1)))) if rng.random() < 0.9 else limits.low


def draw(number: int, attempt: int = 0) -> Draw:
    """The composition of that number; another one for each attempt."""
    rng = np.random.default_rng([19, number, attempt])
    first, tables = tables_in(rng)
    figures = drawn_figures(rng, tables, first)
    supply = figures["stablecoin.supply"]
    names = scenario_names()
    scenario = names[(number + int(rng.integers(2)) * int(rng.integers(len(names)))) % len(names)]
    settings, defaults, waypoints = drawn_settings(rng, supply, scenario, sum(name.startswith("pools.") for name in tables))
    unit = str(rng.choice(["USD", "ETH"], p=[0.8, 0.2]))
    if unit == "ETH":
        defaults.pop("eth_usd", None)
    return Draw(
        number=number,
        attempt=attempt,
        unit=unit,
        first=first,
        tables=tables,
        figures=figures,
        parameters=drawn_parameters(rng, tables, supply),
        scenario=scenario,
        settings=settings,
        defaults=defaults,
        waypoints=waypoints,
        simulation={
            "peg_reference": str(rng.choice(["collateral", "dollar"])),
            "collateral_valuation": str(rng.choice(["par", "oracle"])),
            "response_delay_hours": int(rng.choice([0, 6, 30])),
            "cr_floor": float(rng.choice([0.0, 0.5, 1.0])),
            "crv_locked_share": share_in(rng),
        },
    )


# -- files ---------------------------------------------------------------------------------------------------------------------


def _inline(table: dict[str, float]) -> str:
    return "{ " + ", ".join(f"{name} = {value!r}" for name, value in table.items()) + " }"


def _figure(value: float) -> str:
    return f'{{ value = {value!r}, assumed = "drawn", low = {value!r}, high = {value!r} }}'


def write(drawn: Draw, folder: Path) -> Path:
    """The four files of a draw; the study's path."""
    state = ["schema = 2", 'name = "drawn"', f'unit = "{drawn.unit}"', "date = 2026-01-01"]
    state += [f'pool_name = "{drawn.first}"'] if drawn.first else []
    behaviour = ["schema = 2", 'name = "drawn"', f'unit = "{drawn.unit}"', "[markets]"]
    tables: dict[str, list[str]] = {name: [] for name in (*drawn.tables, "markets")}
    for name, value in drawn.figures.items():
        table, _, key = name.rpartition(".")
        if figures_by_name()[name].metadata["behaviour"]:
            behaviour.append(f"{key} = {_figure(value)}")
        else:
            tables.setdefault(table, []).append(f"{key} = {_figure(value)}")
    for table, lines in tables.items():
        state += [f"[{table}]", *lines]
    numbers = [f"{name} = {value!r}" for name, value in drawn.parameters.items()]
    waypoints = ", ".join(f'{name} = {{ source = "drawn", points = {points!r} }}' for name, points in drawn.waypoints.items())
    simulation = [f"{name} = {json.dumps(value)}" for name, value in drawn.simulation.items()]
    study = [
        "schema = 2",
        'name = "drawn"',
        "date = 2026-01-01",
        '[behaviour]\nfile = "behaviour.toml"',
        '[state]\nfile = "state.toml"',
        '[current]\nfile = "parameters.toml"',
        f"[simulation]\npaths = {PATHS}\ntransition_hours = {TRANSITION}\nwindow_hours = {WINDOW}",
        *simulation,
        f"[search]\nseed = {drawn.number}\n[search.space]\namplification = {{ low = 10, high = 1000 }}",
        f"[scenario_defaults]\nset = {_inline(drawn.defaults)}",
        f'[[scenario]]\nname = "{drawn.scenario}"\nweight = 1.0\nset = {_inline(drawn.settings)}',
        f"waypoints = {{ {waypoints} }}",
    ]
    files = {"state": state, "behaviour": behaviour, "parameters": ["schema = 1", 'name = "drawn"', *numbers], "study": study}
    for name, lines in files.items():
        (folder / f"{name}.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "study.toml"


@dataclass
class Refusals:
    """Draws that `validate` refused, by what it said first."""

    count: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def add(self, error: InputError) -> None:
        """Counts a refusal, which says in one clear sentence each what is wrong."""
        self.count += 1
        for each in error.problems:
            assert each.message, error
            assert "\n" not in str(each), error
            assert "Traceback" not in str(each), error
        first = error.problems[0].message
        self.reasons[first] = self.reasons.get(first, 0) + 1


def valid(number: int, folder: Path, refusals: Refusals | None = None) -> tuple[Draw, Study] | None:
    """The first attempt of a number that `validate` passes, read from its files; None where none does."""
    for attempt in range(TRIES):
        drawn = draw(number, attempt)
        try:
            return drawn, load_study(write(drawn, folder))
        except InputError as error:
            if refusals is not None:
                refusals.add(error)
    return None


# -- what holds on them --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """One block: every line of the state hour by hour (hours, lines, `PATHS`), the state at the start, NAVs, and what borrowers never repaid: owed no more, and still in circulation."""

    names: tuple[str, ...]
    start: np.ndarray
    series: np.ndarray
    opening: np.ndarray
    end: np.ndarray
    navs: np.ndarray
    lost: np.ndarray

    def of(self, name: str) -> np.ndarray:
        """A line's series, shape (hours, `PATHS`)."""
        return self.series[:, self.names.index(name)]


def run(study: Study) -> Run:
    """The study's scenario under its set in force."""
    layout = layout_of(study.state)
    lines = len(layout.state)
    market = draw_inputs(study.scenarios[0], study, first=0, lanes=PATHS, stream="search")
    block = pack_market(market, layout)
    state = start_state(study, block.first)
    start, opening, navs = state.reshape(lines, LANES)[:, :PATHS].copy(), np.zeros_like(state), np.zeros((3, LANES))
    trace = np.empty((hours_of(study), lines * LANES))
    offsets = np.arange(lines, dtype=np.int64) * LANES
    hours = study.simulation.transition_hours
    run_block(state, block, parameter_vector(study.current, layout), constants(study), hours, navs, opening, offsets, trace, layout)
    rows = [each.reshape(lines, LANES)[:, :PATHS] for each in (opening, state)]
    series = trace.reshape(-1, lines, LANES)[:, :, :PATHS]
    loss = market.reshape(len(market), -1, LANES)[:, layout.input_index["borrowers.loss"], :PATHS]
    owed = layout.state_index["borrowers.debt"]
    lost = (loss * np.concatenate([start[None, owed], series[:-1, owed]])).sum(axis=0)
    return Run(layout.state, start, series, rows[0], rows[1], navs[:, :PATHS], lost)


def gaps(found: Run, study: Study) -> tuple[float, float]:
    """How far the accounting lines miss the change of NAV and issues that of the supply, as shares of the size."""
    layout, supply = layout_of(study.state), study.state.stablecoin.supply.value
    nav = 0.0
    scale = np.maximum(np.abs(found.navs[1]), 0.01 * supply)
    for rows, before, after in ((found.opening, found.navs[0], found.navs[1]), (found.end, found.navs[1], found.navs[2])):
        booked = np.sum([rows[layout.state_index[line]] for line in layout.lines], axis=0)
        nav = max(nav, float((np.abs(booked - (after - before)) / scale).max()))
    change = {name: found.end[layout.state_index[name]] - found.start[layout.state_index[name]] for name in ("supply", *issues_of(study))}
    issued = found.lost + sum(values for name, values in change.items() if name != "supply")
    return nav, float((np.abs(change["supply"] - issued) / np.maximum(supply, found.of("supply").max(axis=0))).max())


def issues_of(study: Study) -> tuple[str, ...]:
    """The lines by which the supply of a protocol moves: what AMOs minted, what keepers and borrowers owe of it, what the doors and savings issued."""
    return ("net_issued", *(name for name in layout_of(study.state).state if name.endswith((".minted", ".debt"))))


def fault_of(study: Study) -> tuple[str, float, float]:
    """What is wrong with the run of a study, empty where nothing is; and both gaps."""
    found = run(study)
    wild = ~np.isfinite(found.series)
    if wild.any():
        hour, line, path = (int(each) for each in np.argwhere(wild)[0])
        return f"{found.names[line]} is not finite in hour {hour} of path {path}", 0.0, 0.0
    codes = found.end[found.names.index("fault")]
    if np.any(codes > 0.0):
        return FAULTS[int(codes.max())], 0.0, 0.0
    nav, tokens = gaps(found, study)
    if not nav <= IDENTITY_BOUND:
        return f"the books miss NAV by {nav:.2g}", nav, tokens
    if not tokens <= IDENTITY_BOUND:
        return f"tokens miss the supply by {tokens:.2g}", nav, tokens
    return "", nav, tokens


def grown(study: Study, times: float) -> Study:
    """Every amount of the state, its scenarios, its limits and its ceilings times so much."""
    state = study.state
    for name in figures_in(state):
        if figures_by_name()[name].metadata["unit"] in AMOUNTS:
            held = attrgetter(name)(state)
            state = with_figure(state, name, replace(held, value=times * held.value))
    scenarios = tuple(
        replace(one, settings={name: value * (times if SETTINGS[name].unit in AMOUNTS else 1.0) for name, value in one.settings.items()})
        for one in study.scenarios
    )
    ceilings = {name: times * value for name, value in study.current.values().items() if PARAMETERS[name].amount}
    limits = replace(study.constraints, max_unserved_usd_hours=times * study.constraints.max_unserved_usd_hours)
    return replace(study, state=state, scenarios=scenarios, constraints=limits, current=study.current.replace(**ceilings))


def other_bits(study: Study, times: float) -> list[str]:
    """Lines of the state that are neither the same nor exactly so many times as much where all amounts are; numbers too small to have all their digits are left out."""
    before, after = run(study), run(grown(study, times))
    found = []
    for place, name in enumerate(before.names):
        one, other = (np.where(np.abs(each.series[:, place]) < WHOLE, 0.0, each.series[:, place]) for each in (before, after))
        scaled = np.where(np.abs(times * one) < WHOLE, 0.0, times * one)
        other = np.where((scaled == 0.0) & (np.abs(other) <= times * WHOLE), 0.0, other)
        if not (np.array_equal(other, one) or np.array_equal(other, scaled)):
            found.append(name)
    return [*found, *([] if np.array_equal(after.navs, times * before.navs) else ["nav"])]


if __name__ == "__main__":
    number, folder = int(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    attempt = int(sys.argv[3]) if len(sys.argv) > 3 else None
    if attempt is not None:
        write(draw(number, attempt), folder)
    else:
        valid(number, folder)
