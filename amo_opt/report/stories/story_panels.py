"""A path's series as panels: which lines, layers and limits stand together, in which unit and under which name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from amo_opt.amos.catalogue import BY_RANK, MECHANISMS
from amo_opt.amos.layout import LINES, mechanisms_of
from amo_opt.amos.peg_keeper import PegKeeper
from amo_opt.scoring.metrics import NOT_YIELD
from amo_opt.wording import fixed, in_account

if TYPE_CHECKING:
    from amo_opt.amos.mechanism import Mechanism
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.protocol.state import ProtocolState

FloatArray = NDArray[np.float64]
Series = Mapping[str, FloatArray]
Role = Literal["first", "second", "third", "fourth", "fifth", "rest", "capital"]
"""Which lines and layers the eye should find first; the rest look alike, and capital is told from income."""
Form = Literal["price", "ratio", "percent", "amount"]

APART = tuple(column.removesuffix("_usd") for column in NOT_YIELD.values())
"""Income that the yield leaves out."""
IN_YIELD = tuple(name for name in LINES if name.startswith("income_") and name not in APART)
CAPITAL = tuple(name for name in LINES if name.startswith("capital_"))
LINE_TITLES = {
    **{f"income_{each.name}": each.label for amo in MECHANISMS for each in amo.income.values()},
    "income_primary_fees": "primary fees, bonuses",
    "income_market_operations": "market operations",
    "income_venue_losses": "venue losses",
    "income_liquidation": "cost of liquidation",
    "income_mark_to_market": "marked to market",
    "income_debt_discount": "own debt below par",
    "capital_shares_issued": "share tokens issued",
    "capital_shares_burned": "share tokens burned",
    "capital_recollateralised": "recollateralised",
    "capital_buybacks": "buybacks",
}
HOLDERS = tuple(each for each in BY_RANK if each.collateral_series)
"""The AMOs of the catalogue that hold collateral."""
LINE_ROLES: tuple[Role, ...] = ("first", "second", "third")
"""How lines beside one another look, of pools and of PegKeepers; more look alike."""
LAYERS: tuple[Role, ...] = ("first", "third", "fourth", "fifth")
"""How the first of theirs look beside what is idle."""
NEGLIGIBLE = 1.0
"""Dollars or tokens, at a size of 1 (`ProtocolState.size`), below which a line or a layer is left out."""


@dataclass(frozen=True)
class Line:
    """One series in its panel's unit, shape (steps,), no NaN; ``label`` has its last figure at its end."""

    label: str
    values: FloatArray
    role: Role = "rest"


@dataclass(frozen=True)
class Level:
    """A limit or a threshold. ``values`` is one number, or one an hour where it moves with something; ``of`` the line it is the limit of.
    ``framed`` levels are always in the picture, the others only where the series come near.
    """

    label: str
    values: FloatArray
    of: Role = "rest"
    framed: bool = False


@dataclass(frozen=True)
class Panel:
    """Lines, or layers one on the other, over the hours. ``scored_only`` panels begin with the window; ``silence`` is said where nothing happened."""

    name: str
    title: str
    form: Form
    lines: tuple[Line, ...] = ()
    layers: tuple[Line, ...] = ()
    levels: tuple[Level, ...] = ()
    scored_only: bool = False
    silence: str = ""


def panels_of(series: Series, study: Study, parameters: ParameterSet) -> tuple[Panel, ...]:
    """The panels of one path in their order, from series of shape (steps,), transition included."""
    start = study.simulation.transition_hours
    least = NEGLIGIBLE * study.state.size
    total = np.sum([series[name] for name in in_yield(study.state)], axis=0)
    titles = line_titles(study.state)
    beside: list[tuple[str, Role]] = [(name, "first" if name == "income_mark_to_market" else "rest") for name in APART]
    beside += [(name, "capital") for name in CAPITAL]
    return (
        _price_panel(series, parameters, least, study.state),
        Panel(
            "ratios",
            "Collateral ratios",
            "ratio",
            lines=(
                _ended("cr_external", series["cr_external"], "ratio", "first"),
                _ended("cr_contract", series["cr_contract"], "ratio", "second"),
                *((_ended("target CR", series["collateral_ratio"], "ratio", "third"),) if study.state.has("controller") else ()),
            ),
            levels=(
                _level(f"limit of cr_external {study.constraints.min_external_cr:g}", study.constraints.min_external_cr, "first"),
                *(
                    (_level(f"min_cr, for cr_contract {parameters.min_cr:g}", parameters.min_cr, "second"),)
                    if study.state.has("amos")
                    else ()
                ),
            ),
        ),
        Panel(
            "share",
            "Stablecoin's share of each pool (%)" if study.state.pools.named else "Stablecoin's share of the pool (%)",
            "percent",
            lines=_share_lines(series, study.state),
            levels=(
                _level(f"AMO burns above {100.0 * parameters.pool_share_high:g}", 100.0 * parameters.pool_share_high),
                _level(f"AMO mints below {100.0 * parameters.pool_share_low:g}", 100.0 * parameters.pool_share_low),
            )
            if study.state.has("amos.curve")
            else (),
        ),
        *_keepers_panel(series, study.state, parameters, least),
        _piled(
            "collateral",
            "Where the collateral is ({unit}tokens, at par)",
            {
                "idle": (series["idle"], "second"),
                **{
                    amo.venue: (series[amo.collateral_series], _layer(place))
                    for place, amo in enumerate((*HOLDERS, *(each for each in _named(study.state) if each.collateral_series)))
                    if study.state.has(amo.table)
                },
                **_in_pools(series, study.state),
            },
            least=least,
        ),
        _piled(
            "supply",
            "Supply ({unit}tokens)",
            {"external": (series["external_supply"], "second"), "the AMOs' own": (series["own_stablecoin"], "first")},
            least=least,
        ),
        _amounts(
            "waiting",
            "Waiting ({unit}tokens)",
            {
                "wait to leave": (series["queue"], "first"),
                "unserved this hour": (series["unserved"], "second"),
                "redeemed, not collected": (series["claims"], "third"),
            },
            least=least,
            silence="nobody waited",
        ),
        _amounts(
            "income",
            in_account("Income in the yield, running sums ({unit}USD)", study.state.unit),
            {"sum": (total, "first"), **{titles.get(name, name): (series[name], "rest") for name in in_yield(study.state)}},
            scored_from=start,
            least=least,
            silence="no income",
        ),
        _amounts(
            "apart",
            in_account("Not in the yield: revaluation (solid), and capital, which is no income (dashed) ({unit}USD)", study.state.unit),
            {LINE_TITLES.get(name, name): (series[name], role) for name, role in beside},
            scored_from=start,
            least=least,
            silence="nothing",
        ),
    )


def _named(state: ProtocolState) -> tuple[Mechanism, ...]:
    """The mechanisms whose names the state chose."""
    return tuple(each for each in mechanisms_of(state) if each.table in state.instances)


def in_yield(state: ProtocolState) -> tuple[str, ...]:
    """The lines of the yield, those of mechanisms whose names the state chose last."""
    return (*IN_YIELD, *(f"income_{line.name}" for each in _named(state) for line in each.income.values()))


def line_titles(state: ProtocolState) -> dict[str, str]:
    """What lines are called, those of mechanisms whose names the state chose too."""
    return LINE_TITLES | {f"income_{line.name}": line.label for each in _named(state) for line in each.income.values()}


def _share_lines(series: Series, state: ProtocolState) -> tuple[Line, ...]:
    """The stablecoin's share of the first pool and of every further one, per cent."""
    shares = {state.pool_name.upper() if state.pools.named else "share": series["pool_share"]}
    for name, _ in state.pools.named:
        x, y = series[f"{name}_pool_stablecoin"], series[f"{name}_pool_opposite"]
        shares[name.upper()] = x / (x + y)
    return tuple(_ended(label, 100.0 * values, "percent", _line_role(place)) for place, (label, values) in enumerate(shares.items()))


def _keepers_panel(series: Series, state: ProtocolState, parameters: ParameterSet, least: float) -> tuple[Panel, ...]:
    """What each PegKeeper has out, and its ceiling; no panel where there is none."""
    keepers = [each for each in mechanisms_of(state) if each.section is PegKeeper and state.has(each.table)]
    if not keepers:
        return ()
    debts = [series[each.series["debt"]] for each in keepers]
    size, unit = _unit(max(float(values.max()) for values in debts))
    lines, levels = [], []
    for place, (each, values) in enumerate(zip(keepers, debts, strict=True)):
        ceiling, role = each.parameters["ceiling"], _line_role(place)
        most = parameters.values()[ceiling.name] * (1.0 if ceiling.amount else series["supply"])
        label = each.title.removesuffix(" PegKeeper")
        levels.append(
            Level(f"{label} ceiling {last_figure(float(np.asarray(most).flat[-1]) / size, 'amount')}", np.asarray(most / size), role)
        )
        if values.max() >= least:
            lines.append(_ended(label, values / size, "amount", role))
    title = f"PegKeepers' debts ({unit}tokens)"
    return (Panel("keepers", title, "amount", lines=tuple(lines), levels=tuple(levels), silence="nothing was provided"),)


def _in_pools(series: Series, state: ProtocolState) -> dict[str, tuple[FloatArray, Role]]:
    """What the protocol and its PegKeepers have of the pools' other side, where no AMO is there that it is told of by name."""
    told = any(each.collateral_series == "curve_collateral" and state.has(each.table) for each in HOLDERS)
    first = f"{state.pool_name.upper()} pool" if state.pool_name else "the pool"
    found: dict[str, tuple[FloatArray, Role]] = {} if told else {first: (series["curve_collateral"], "first")}
    for place, (name, _) in enumerate(state.pools.named, 1):
        found[f"{name.upper()} pool"] = (series[f"{name}_pool_own_share"] * series[f"{name}_pool_opposite"], _layer(place))
    return found


def _line_role(place: int) -> Role:
    return LINE_ROLES[place] if place < len(LINE_ROLES) else "rest"


def _price_panel(series: Series, parameters: ParameterSet, least: float, state: ProtocolState) -> Panel:
    lines = [
        _ended(f"{state.pool_name.upper()} pool price".strip() if state.pools.named else "pool price", series["price"], "price", "first"),
        _ended("oracle", series["oracle"], "price", "second"),
        _ended("reference", series["reference"], "price", "third"),
    ]
    lines += [
        _ended(amo.venue, series[amo.quote.price], "price")
        for amo in BY_RANK
        if amo.quote is not None and np.sum([series[name] for name in amo.quote.held], axis=0).max() >= least
    ]
    reference = series["reference"]
    levels = (
        ("mint", Level(f"minting opens {parameters.mint_price_threshold:g}", np.array(parameters.mint_price_threshold))),
        ("controller", Level(f"CR falls above {1.0 + parameters.cr_band:g}", np.array(1.0 + parameters.cr_band))),
        ("controller", Level(f"CR rises below {1.0 - parameters.cr_band:g}", np.array(1.0 - parameters.cr_band))),
        ("redeem", Level(f"redeeming opens {parameters.redeem_price_threshold:g}", np.array(parameters.redeem_price_threshold))),
        ("amos", Level(f"AMOs return {parameters.reentry_price:g} × ref.", parameters.reentry_price * reference)),
        ("amos", Level(f"AMOs unwind {parameters.unwind_price:g} × ref.", parameters.unwind_price * reference)),
    )
    shown = tuple(level for table, level in levels if state.has(table))
    return Panel("price", in_account("Price (USD)", state.unit), "price", lines=tuple(lines), levels=shown)


def _layer(place: int) -> Role:
    return LAYERS[place] if place < len(LAYERS) else "rest"


def _level(label: str, value: float, of: Role = "rest") -> Level:
    return Level(label, np.array(value), of, framed=True)


def _piled(name: str, title: str, amounts: Mapping[str, tuple[FloatArray, Role]], *, least: float) -> Panel:
    """Layers, those that never came to ``least`` left out, and their total."""
    total = np.sum([values for values, _ in amounts.values()], axis=0)
    size, unit = _unit(float(total.max()))
    layers = tuple(_ended(label, values / size, "amount", role) for label, (values, role) in amounts.items() if values.max() >= least)
    return Panel(name, title.format(unit=unit), "amount", lines=(_ended("total", total / size, "amount", "third"),), layers=layers)


def _amounts(
    name: str, title: str, amounts: Mapping[str, tuple[FloatArray, Role]], *, least: float, silence: str, scored_from: int = 0
) -> Panel:
    """Lines of amounts, those that never came to ``least`` from ``scored_from`` on left out."""
    most = {label: float(np.abs(values[scored_from:]).max()) for label, (values, _) in amounts.items()}
    size, unit = _unit(max(most.values()))
    lines = tuple(_ended(label, values / size, "amount", role) for label, (values, role) in amounts.items() if most[label] >= least)
    return Panel(name, title.format(unit=unit), "amount", lines=lines, scored_only=scored_from > 0, silence=silence)


def _unit(most: float) -> tuple[float, str]:
    """What a panel counts in: its size and its letter."""
    return next(((size, letter) for size, letter in ((1e6, "m "), (1e3, "k ")) if most >= size), (1.0, ""))


def _ended(label: str, values: FloatArray, form: Form, role: Role = "rest") -> Line:
    return Line(f"{label} {last_figure(float(values[-1]), form)}", values, role)


def last_figure(value: float, form: Form) -> str:
    """A line's last figure beside its name, in about three digits.

    >>> last_figure(0.99923, "price"), last_figure(-1234.5, "amount"), last_figure(3.14159, "amount"), last_figure(52.04, "percent")
    ('0.9992', '−1,234', '3.14', '52.0')
    """
    decimals = {"price": 4, "ratio": 4, "percent": 1, "amount": 0 if abs(value) >= 100.0 else 1 if abs(value) >= 10.0 else 2}[form]
    return fixed(value, decimals)
