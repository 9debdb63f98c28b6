"""What each file may hold: pydantic models, built from the dataclasses and definitions that the values become.

A parameter is defined in `PARAMETERS`, a figure in `ProtocolState` and in the AMOs' files, a default in `Study`'s parts; here they only get the form a file
has. Every field's description says what is allowed, in the words a problem uses, its title what the key means. Relations between keys are in `checks`. Long, as every key of a study has
its line, with its meaning.
"""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from dataclasses import Field as DataclassField
from datetime import date
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, create_model

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.kinds import LABEL, mechanism_at
from amo_opt.amos.parameters import PARAMETERS
from amo_opt.amos.sections import parts_of
from amo_opt.config.study import LEAST_DRAWS, Certification, Constraints, ReportSettings, Search, Simulation
from amo_opt.protocol.parameters import Parameter
from amo_opt.protocol.state import Figure, ProtocolState
from amo_opt.wording import USD, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from amo_opt.config.toml_file import Key

Spec = tuple[Any, Any]
"""A field of a model: its type and its `Field`, default included (`...` = required, None = may be left out)."""
Model = type[BaseModel]

SCHEMAS = {"study": 2, "state": 2, "behaviour": 2, "parameters": 1, "gates": 1, "evidence": 1, "spells": 1}
"""The version that a file of each kind starts with."""
OPTIONAL = ("controller", "redeem", "mint", "share_token", "rewards")
"""Tables of a state that stand for a mechanism, beside those of every AMO and every venue of rewards: where one is left out the protocol does not have it."""
MARKETS_OF: dict[str, str] = {
    f"markets.{name}": f"amos.{each.name}"
    for each in MECHANISMS
    for name, entry in each.markets.items()
    if not entry.metadata["behaviour"] or entry.default is MISSING
} | {"markets.reward_depth_usd": "rewards"}
"""Figures of ``[markets]`` that are asked for with another table alone, by dotted name."""
_LENDERS = tuple(f"amos.{each.name}" for each in MECHANISMS if each.market is not None)
_BORROWERS = tuple(f"amos.{each.name}" for each in MECHANISMS if each.borrowing is not None)
THROUGH: dict[str, tuple[str, ...]] = {
    "markets.hazard_share": ("share_token",),
    "markets.share_recovery_hours": ("share_token",),
    "markets.claim_discount_hour": ("redeem",),
    "markets.lending_elasticity": _LENDERS,
    "markets.lending_memory_hours": (*_LENDERS, *_BORROWERS),
    "markets.illiquid_haircut": _LENDERS,
    **{
        f"markets.{name}": (f"amos.{each.name}",)
        for each in MECHANISMS
        for name, entry in each.markets.items()
        if entry.metadata["behaviour"] and entry.default is not MISSING
    },
}
"""Figures of behaviour that act through some tables alone, any of them."""
FIGURE_FORM = '{ value = …, source = "…", date = … } or { value = …, assumed = "reason", low = …, high = … }'


def number(low: float, high: float, *, default: Any = ..., unit: str = "", note: str = "", doc: str = "") -> Spec:
    """A finite number in [low, high]; whole numbers are numbers, true and false are not. ``note`` is said behind the unit, ``doc`` what the key means."""
    text = " ".join(part for part in (f"a number from {plain(low)} to {plain(high)}", unit, note) if part)
    return (float if default is not None else float | None), _declared(default, text, doc, unit, ge=low, le=high)


def whole(low: int, high: int, *, default: Any = ..., unit: str = "", doc: str = "") -> Spec:
    """A whole number in [low, high]."""
    text = f"a whole number from {plain(low)} to {plain(high)}"
    return (int if default is not None else int | None), _declared(default, text, doc, unit, ge=low, le=high)


def text(meaning: str, *, default: Any = ..., pattern: str | None = None, least: int = 0, doc: str = "") -> Spec:
    """A string; ``meaning`` names it in messages."""
    return (str if default is not None else str | None), _declared(default, meaning, doc, pattern=pattern, min_length=least or None)


def one_of(choices: tuple[str, ...], *, default: Any = ..., doc: str = "") -> Spec:
    """One of some words."""
    return Literal[choices], _declared(default, "one of " + ", ".join(f'"{choice}"' for choice in choices), doc)


def _declared(default: Any, allowed: str, doc: str, unit: str = "", **limits: Any) -> Any:
    """A field that is told by what is allowed in messages, by what it means and its unit in its JSON Schema (`json_schema`)."""
    return Field(default, description=allowed, title=doc or None, json_schema_extra={"unit": unit} if unit else None, **limits)


def table(name: str, keys: Mapping[str, Spec], *, required: bool = True, doc: str = "") -> Spec:
    """A table with these keys and no others; one that may be left out then holds its defaults."""
    built = model(name, keys)
    said: Any = {"description": f"a table [{name}]", "title": doc or None}
    return built, Field(**said) if required else Field(default_factory=built, **said)


def model(name: str, keys: Mapping[str, Spec]) -> Model:
    """A strict model: unknown keys, NaN, infinities and near types (true for 1, "1" for 1) are refused."""
    config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, validate_default=False)
    build: Any = create_model
    built: Model = build(name, __config__=config, **keys)
    return built


NAME_FORM = "^[a-z0-9][a-z0-9-]{0,99}$"


def name_of(what: str, *, default: Any = ..., doc: str = "") -> Spec:
    """A name that may become a folder's."""
    meaning = f"a name for the {what}: small letters, digits and hyphens, a letter or digit first, at most 100"
    return text(meaning, default=default, pattern=NAME_FORM, doc=doc)


def figure_fields(section: type, key: Key = ()) -> Iterator[tuple[Key, DataclassField[Any]]]:
    """Every figure of a state: its key (``("pool", "fee")``) and its field, whose metadata holds low, high and unit."""
    parts = parts_of(section)
    for entry in fields(section):
        hint = parts[entry.name]
        if hint is Figure:
            yield (*key, entry.name), entry
        elif is_dataclass(hint) and isinstance(hint, type):
            yield from figure_fields(hint, (*key, entry.name))


class Figures(dict[str, DataclassField[Any]]):
    """Figures by dotted name; one of a mechanism whose name a state chooses (``amos.usdt-keeper.minted``) is known by its name, and not gone through."""

    def __missing__(self, name: str) -> DataclassField[Any]:
        found = _named_figure(name)
        if found is None:
            raise KeyError(name)
        return found

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and _named_figure(name) is not None)


def section_at(table: str) -> type[Any] | None:
    """The dataclass of a table whose name a state chooses (``pools.usdt``); None where none can have it."""
    try:
        return mechanism_at(table).section
    except KeyError:
        return None


@cache
def _named_figure(name: str) -> DataclassField[Any] | None:
    table, _, figure = name.rpartition(".")
    section = section_at(table)
    return None if section is None else next((entry for (key,), entry in figure_fields(section) if key == figure), None)


def named_figures(tables: Iterable[str]) -> Iterator[str]:
    """The dotted names of the figures of tables whose names a state chose."""
    for table in tables:
        section = section_at(table)
        yield from () if section is None else (f"{table}.{key[0]}" for key, _ in figure_fields(section))


@cache
def figures_by_name() -> Figures:
    """Every figure of a state by its dotted name (``pool.fee``), in the order of the state's definition."""
    return Figures({".".join(str(part) for part in key): entry for key, entry in figure_fields(ProtocolState)})


def figures_in(state: ProtocolState) -> tuple[str, ...]:
    """The dotted names of every figure of a protocol's state: all that there are, then those of tables whose names it chose."""
    return (*figures_by_name(), *named_figures(state.instances))


def table_of(name: str) -> str:
    """The table whose mechanism a figure belongs to, by dotted names; empty for one that every protocol has."""
    if name in MARKETS_OF:
        return MARKETS_OF[name]
    table = name.rpartition(".")[0]
    return table if table.partition(".")[0] in (*OPTIONAL, "amos", "pools") else ""


def acts(state: ProtocolState, name: str) -> bool:
    """Whether a figure is of anything that the protocol has: its own table, or one through which a figure of behaviour alone acts."""
    return state.has(table_of(name)) and (name not in THROUGH or any(state.has(table) for table in THROUGH[name]))


def off_value(name: str) -> float:
    """What a figure is where its table is not there."""
    entry = figures_by_name()[name]
    return float(entry.metadata["off"] if entry.default is MISSING else entry.default.value)


def left_out(name: str) -> float | None:
    """What a figure is where a state file leaves it out, or the table of its mechanism; None for one that every file holds."""
    default = figures_by_name()[name].default
    if default is not MISSING:
        return float(default.value)
    return off_value(name) if table_of(name) else None


def given_figures(state: ProtocolState) -> dict[str, Figure]:
    """The figures that a state's file or its study gives, by dotted name, in the order of the state's definition."""
    found: dict[str, Figure] = {name: attrgetter(name)(state) for name in figures_in(state)}
    return {
        name: each for name, each in found.items() if acts(state, name) and (each.is_given or figures_by_name()[name].default is MISSING)
    }


def figures(section: type, name: str, *, behaviour: bool = False) -> Spec:
    """A table of figures, and of tables of figures (``[amos.curve]``), of a state or of a file of behaviour; one that stands for a mechanism may be left out, and so
    may one of whose figures all may.
    """
    keys: dict[str, Spec] = {}
    parts = parts_of(section)
    for entry in fields(section):
        if parts[entry.name] is Figure and entry.metadata["behaviour"] is behaviour:
            limits = entry.metadata
            if f"{name}.{entry.name}" in MARKETS_OF:  # whether it is asked for hangs on another table (`checks.table_problems`)
                keys[entry.name] = figure_key(limits["low"], limits["high"], limits["unit"], limits["doc"], default=None)
            else:
                default = ... if entry.default is MISSING else FIGURE(value=entry.default.value)
                keys[entry.name] = figure_key(limits["low"], limits["high"], limits["unit"], limits["doc"], default=default)
        elif parts[entry.name] is not Figure and is_dataclass(parts[entry.name]):
            keys[entry.name] = figures(parts[entry.name], f"{name}.{entry.name}")
    required = any(declared.is_required() for _, declared in keys.values())
    if required and (name in OPTIONAL or name.partition(".")[0] in ("amos", "rewards")):
        return model(name, keys) | None, Field(None, description=f"a table [{name}]")
    return table(name, keys, required=required)


def figure_key(low: float, high: float, unit: str, doc: str, *, default: Any) -> Spec:
    """A figure with its source or its assumption; its limits are for `checks.state_problems`, and told here."""
    span = f"value from {plain(low)} to {plain(high)} {unit}".rstrip()
    told: Any = {
        "description": f"{FIGURE_FORM}, {span} ({doc})",
        "title": doc,
        "json_schema_extra": {"low": low, "high": high, "unit": unit},
    }
    return (FIGURE if default is not None else FIGURE | None), Field(default, **told)


def parameter_key(parameter: Parameter) -> Spec:
    """A parameter's key in a file of a whole set: what it holds, and what it means where it is left out (None: whether it may be is for `checks.parameter_problems`)."""
    return _parameter(parameter, default=None if parameter.default is None else parameter.typed(parameter.default))


def _parameter(parameter: Parameter, *, default: Any = ...) -> Spec:
    if parameter.kind == "integer":
        return whole(int(parameter.low), int(parameter.high), default=default, unit=parameter.unit, doc=parameter.title)
    return number(parameter.low, parameter.high, default=default, unit=parameter.unit, doc=parameter.title)


def _defaults(section: type) -> dict[str, Any]:
    return {entry.name: entry.default for entry in fields(section)}


FINITE: Spec = (float, Field(description="a finite number"))
REASON = "a few words in quotes"
FIGURE = model(
    "figure",
    {
        "value": FINITE,
        "source": text(REASON, default=None, least=1, doc="where the value was read"),
        "date": (
            date | None,
            Field(None, description="a date such as 2022-05-11, without quotes", title="the day that the source speaks of"),
        ),
        "assumed": text(REASON, default=None, least=1, doc="why the value is taken, where nothing was read; with low and high"),
        "of": text("the name of the protocol whose history the reason tells, in quotes", default=None, least=1),
        "otherwise": text("the reason as reports on other protocols give it, in quotes", default=None, least=1),
        "low": (
            float | None,
            Field(None, description="a finite number", title="least that a reader may try in place of the assumed value"),
        ),
        "high": (
            float | None,
            Field(None, description="a finite number", title="most that a reader may try in place of the assumed value"),
        ),
    },
)

DATE: Spec = (date, Field(description="a date such as 2022-05-11, without quotes", title="the day it is of; printed, and no clock is read"))
NOTES = text("text in quotes", default="", doc="what a reader should know; changes no result")
UNIT_FORM = "^[A-Za-z][A-Za-z0-9]{0,11}$"
FILE = text("the path of a TOML file, relative to this file", least=1)

_PARAMETER_KEYS = {"name": name_of("set", doc="the set's name")} | {name: parameter_key(entry) for name, entry in PARAMETERS.items()}
PARAMETER_FILE = model("parameters", _PARAMETER_KEYS)
"""Which of them must be there hangs on what the protocol has (`checks.parameter_problems`)."""

CONTRACT = model(
    "contract",
    {
        "address": text("0x and 40 hexadecimal digits", pattern="^0x[0-9a-fA-F]{40}$"),
        "repository": text("where the address was read", default=None, least=1, doc="repository whose file lists the address"),
        "path": text("the file there", default=None, least=1),
        "commit": text("40 hexadecimal digits", default=None, pattern="^[0-9a-f]{40}$"),
        "source": text(REASON, default=None, least=1),
        "caller": text("the name of another table [contracts.NAME]", default=None, least=1, doc="whom the contract obeys"),
    },
)


class Contracts(BaseModel):
    """``[contracts]``: four keys of its own, and beside them tables of any name."""

    model_config = ConfigDict(extra="allow", strict=True)
    __pydantic_extra__: dict[str, CONTRACT] = Field(init=False)  # type: ignore[valid-type]
    chain_id: int = Field(1, ge=1, le=2**53 - 1, description="a whole number from 1", title="the chain that the addresses are on")
    price_controller: Literal["frax", "pid"] = Field(
        "frax", description='one of "frax", "pid"', title="which controller moves the collateral ratio"
    )
    family: Literal["frax"] | None = Field(None, description='"frax", whose contracts a protocol runs that is not Frax')
    collateral_decimals: int | None = Field(
        None, ge=0, le=77, description="a whole number from 0 to 77", title="decimals of the collateral coin's contract"
    )


READ = model(
    "read",
    {
        "raw": text(
            "a whole number or an address, in quotes", doc="what the getter answered", pattern="^(-?[0-9]{1,78}|0x[0-9a-fA-F]{40})$"
        ),
        "address": text("0x and 40 hexadecimal digits", pattern="^0x[0-9a-fA-F]{40}$"),
        "block": whole(0, 2**53 - 1, doc="the block it was read at"),
        "hash": text("0x and 64 hexadecimal digits", pattern="^0x[0-9a-fA-F]{64}$"),
    },
)
"""What a getter answered at a block: ``"amo_minter.min_cr()" = { raw = "810000", address = "0x…", block = …, hash = "0x…" }``."""


_STATE_KEYS: dict[str, Spec] = {
    "name": name_of("state", doc="the state's name"),
    "date": DATE,
    "notes": NOTES,
    "protocol": text('the name of the protocol in quotes, such as "Frax"', default=""),
    "unit": text('the unit of account, a short word in quotes such as "USD" or "ETH"', default=USD, pattern=UNIT_FORM),
    "pool_name": text(
        "what the first pool is called: a small letter, then small letters and digits", default="", pattern=f"^({LABEL.pattern})?$"
    ),
    "contracts": (Contracts, Field(default_factory=Contracts, description="tables [contracts.NAME]")),
    "reads": (
        dict[str, READ],  # type: ignore[valid-type]
        Field(default_factory=dict, description='{ raw = "…", address = "0x…", block = …, hash = "0x…" } by "contract.getter()"'),
    ),
} | {name: figures(part, name) for name, part in parts_of(ProtocolState).items() if is_dataclass(part) and isinstance(part, type)}
STATE_FILE = model("state", _STATE_KEYS)


@cache
def state_form(tables: tuple[str, ...]) -> Model:
    """The form of a state file that has these tables of names it chose (``pools.usdt``, ``amos.usdt-keeper``)."""
    if not tables:
        return STATE_FILE
    rooms: dict[str, dict[str, Spec]] = {}
    for each in tables:
        room, _, name = each.partition(".")
        rooms.setdefault(room, {})[name] = figures(mechanism_at(each).section, each)  # type: ignore[arg-type]
    keys = dict(_STATE_KEYS)
    for room, own in rooms.items():
        known = {name: (info.annotation, info) for name, info in model_of(_STATE_KEYS[room]).model_fields.items()}
        keys[room] = table(room, {**known, **own}, required=False)
    return model("state", keys)


def model_of(spec: Spec) -> Model:
    """The model of a table's field."""
    found = spec[0]
    return (
        found
        if isinstance(found, type)
        else next(each for each in get_args(found) if isinstance(each, type) and issubclass(each, BaseModel))
    )


@cache
def parameter_form(names: tuple[str, ...]) -> Model:
    """The form of a parameter file that holds these of mechanisms whose names a state chose."""
    return model("parameters", _PARAMETER_KEYS | {name: parameter_key(PARAMETERS[name]) for name in names}) if names else PARAMETER_FILE


VENUE = {
    "price_sd": (0.0, 1.0, "", "standard deviation of the recorded price around the model's"),
    "price_hours": (0.1, 1e4, "h", "its time constant"),
}
"""Figures of ``[venue]``: low, high, unit, meaning."""

BEHAVIOUR_FILE = model(
    "behaviour",
    {
        "name": name_of("behaviour", doc="the behaviour's name"),
        "notes": NOTES,
        "unit": text('the unit of account of its amounts, a short word in quotes such as "USD" or "ETH"', default=USD, pattern=UNIT_FORM),
        "spells": table(
            "spells",
            {
                "file": text("the path of a fit of spells, relative to this file", default="", doc="a fit that `amo-opt calibrate` wrote"),
                "pool": text(
                    "a pool of that fit",
                    default="",
                    doc="whose figures are taken; left out: those of a pool that none of the fitted ones is",
                ),
            },
            required=False,
            doc="calm and busy spells, fitted to histories",
        ),
        "venue": table(
            "venue",
            {name: figure_key(*limits, default=None) for name, limits in VENUE.items()},
            required=False,
            doc="what a recorded price differs from the model's by; of replays alone",
        ),
        "markets": figures(parts_of(ProtocolState)["markets"], "markets", behaviour=True),
    },
)

_SIMULATION = _defaults(Simulation)
_SEARCH = _defaults(Search)
_CONSTRAINTS = _defaults(Constraints)
_CERTIFICATION = _defaults(Certification)
_REPORT = _defaults(ReportSettings)

SET_TEXT = 'a table of figures of the state by dotted name, such as { "markets.lp_flight_rate" = 0.0 }'

RANGE = model(
    "range",
    {"low": FINITE, "high": FINITE, "log": (bool, Field(False, description="true or false", title="whether its logarithm is searched"))},
)
_RANGE_TEXT = "{ low = …, high = … }, with log = true to search its logarithm"


def _space(names: Iterable[str]) -> Spec:
    return table("search.space", {name: (RANGE | None, Field(None, description=_RANGE_TEXT)) for name in names})


def _current(names: Iterable[str]) -> Spec:
    return table(
        "current",
        {"file": FILE, "name": name_of("set", default=None)} | {name: _parameter(PARAMETERS[name], default=None) for name in names},
    )


_SCENARIO = model(
    "scenario",
    {
        "name": text("a name of the catalogue", doc="which scenario (`amo-opt scenarios` lists them)"),
        "weight": number(
            0.0, 1e6, default=None, note="(left out: the catalogue's)", doc="chance that a window is of this kind, relative to the others'"
        ),
        "set": (
            dict[str, Any],
            Field(
                default_factory=dict,
                description="a table of settings of this scenario, such as { size = 1.5 }",
                title="settings other than the catalogue's",
            ),
        ),
        "waypoints": (
            dict[str, Any],
            Field(default_factory=dict, description="tables of waypoints, such as usdc = { source = …, points = [[0, 1.0], …] }"),
        ),
        "max_breach_probability": number(
            1e-6,
            1.0,
            default=None,
            note="(left out: that of [constraints])",
            doc="share of this scenario's paths on which external cover may be broken",
        ),
    },
)

_STUDY_KEYS: dict[str, Spec] = {
    "name": name_of("study", doc="the study's name, and that of its report's folder"),
    "date": DATE,
    "notes": NOTES,
    "behaviour": table("behaviour", {"file": FILE}, doc="how holders, providers and traders act"),
    "state": table(
        "state",
        {"file": FILE, "set": (dict[str, Any], Field(default_factory=dict, description=SET_TEXT, title="figures other than the files'"))},
        doc="the protocol at a snapshot",
    ),
    "current": _current(PARAMETERS),
    "simulation": table(
        "simulation",
        {
            "paths": whole(1, 1_000_000, default=_SIMULATION["paths"], doc="paths a scenario; every trial sees the same ones"),
            "transition_hours": whole(
                1,
                8760,
                default=_SIMULATION["transition_hours"],
                unit="h",
                doc="unscored hours of calm before the window: A ramps, positions move to their targets",
            ),
            "window_hours": whole(1, 87_600, default=_SIMULATION["window_hours"], unit="h", doc="scored hours"),
            "peg_reference": one_of(
                ("collateral", "dollar"),
                default=_SIMULATION["peg_reference"],
                doc="what a shortfall is measured against: min(1, collateral coin, base pool), or 1",
            ),
            "peg_sides": one_of(
                ("below", "both"),
                default=_SIMULATION["peg_sides"],
                doc="whether peg risk, shortfall and recovery count a price above the reference as one below it",
            ),
            "collateral_valuation": one_of(
                ("par", "oracle"), default=_SIMULATION["collateral_valuation"], doc="what redeeming pays collateral at: par, or its price"
            ),
            "response_delay_hours": whole(
                0, 8760, default=_SIMULATION["response_delay_hours"], unit="h", doc="hours from a trigger to the first withdrawal"
            ),
            "cr_floor": number(
                0.0, 1.0, default=_SIMULATION["cr_floor"], doc="least that the controller lets the collateral ratio fall to"
            ),
            "crv_locked_share": number(
                0.0,
                1.0,
                default=_SIMULATION["crv_locked_share"],
                doc="share of the reward tokens earned that is locked for votes instead of sold",
            ),
        },
        required=False,
    ),
    "search": table(
        "search",
        {
            "seed": whole(0, 2**63 - 1, default=_SEARCH["seed"], doc="decides every draw"),
            "trials": whole(1, 1_000_000, default=_SEARCH["trials"], doc="sets that are tried; more of them extend the same study"),
            "batch": whole(1, 4096, default=_SEARCH["batch"], doc="sets proposed at a time"),
            "sampler": one_of(
                ("auto", "tpe", "nsga2", "gp"), default=_SEARCH["sampler"], doc="what proposes sets; auto chooses by the number of trials"
            ),
            "screen_paths": whole(
                0,
                1_000_000,
                default=_SEARCH["screen_paths"],
                doc="paths a scenario on which a clearly infeasible set is stopped early; 0 = off",
            ),
            "stall": whole(
                0, 1_000_000, default=_SEARCH["stall"], doc="batches without growth of the front after which the search ends; 0 = off"
            ),
            "space": _space(PARAMETERS),
        },
    ),
    "constraints": table(
        "constraints",
        {
            "external_cr_floor": number(
                0.01,
                1.0,
                default=None,
                note="(left out: the state's collateral ratio)",
                doc="price floor at which the worst-case external collateral ratio is taken",
            ),
            "min_external_cr": number(
                0.0,
                10.0,
                default=_CONSTRAINTS["min_external_cr"],
                doc="least collateral at its market price over outside supply, in the worst case",
            ),
            "max_breach_probability": number(
                1e-6, 1.0, default=_CONSTRAINTS["max_breach_probability"], doc="share of paths on which that may be broken"
            ),
            "max_unserved_usd_hours": number(
                0.0,
                1e18,
                default=None,
                unit="USD·h",
                note="(left out: 1e9 at a supply of 2.6e9, in proportion to the state's)",
                doc="demand to leave that no door paid, times the hours it waits, on average over the worst tenth of paths",
            ),
            "max_shortfall_bps": number(
                0.0, 10_000.0, default=_CONSTRAINTS["max_shortfall_bps"], unit="bp", doc="mean of the deepest tenth of shortfalls"
            ),
            "max_unrecovered_probability": number(
                1e-6,
                1.0,
                default=_CONSTRAINTS["max_unrecovered_probability"],
                doc="share of paths that may still be off the peg at the end",
            ),
            "min_floor_supply": number(
                0.0,
                1000.0,
                default=_CONSTRAINTS["min_floor_supply"],
                note="(left out: no limit)",
                doc="least mean of what can be sold until the price is at 0.99, over supply without collateral behind it",
            ),
        },
        required=False,
    ),
    "certification": table(
        "certification",
        {
            "multiple": whole(1, 10_000, default=_CERTIFICATION["multiple"], doc="fresh paths of each scenario, times simulation.paths"),
            "candidates": whole(1, 10_000, default=_CERTIFICATION["candidates"], doc="most sets that are certified"),
            "tolerance_yield": number(
                0.0,
                1.0,
                default=_CERTIFICATION["tolerance_yield"],
                unit="1/year",
                doc="a set may earn this much less, if it holds the peg better",
            ),
            "tolerance_peg_bps": number(
                0.0,
                10_000.0,
                default=_CERTIFICATION["tolerance_peg_bps"],
                unit="bp",
                doc="or hold the peg this much worse, if it earns more",
            ),
            "tolerance_cr": number(
                0.0, 1.0, default=_CERTIFICATION["tolerance_cr"], doc="and its worst external collateral ratio may be this much lower"
            ),
            "least_gain": number(
                0.0, 1_000.0, default=_CERTIFICATION["least_gain"], doc="what a change must bring in all to be worth a vote, in tolerances"
            ),
            "bootstrap": whole(10, 20_000, default=_CERTIFICATION["bootstrap"], doc="resamples behind an interval"),
            "most_paths": whole(
                1, 10_000_000, default=_CERTIFICATION["most_paths"], doc="most paths of a scenario in the holdout, twins included"
            ),
            "draws": whole(
                0,
                4096,
                default=_CERTIFICATION["draws"],
                doc=f"joint draws of everything that is assumed; 0 = none, else at least {LEAST_DRAWS}",
            ),
            "robust_share": number(
                0.0, 1.0, default=_CERTIFICATION["robust_share"], doc="share of them in which the verdict must be shown to hold"
            ),
        },
        required=False,
    ),
    "report": table(
        "report",
        {
            "max_state_age_days": whole(
                0, 36_500, default=_REPORT["max_state_age_days"], unit="days", doc="a sourced figure older than this gives no batch"
            ),
            "execution_delay_days": number(
                0.0, 365.0, default=_REPORT["execution_delay_days"], unit="days", doc="vote and timelock: no execution before"
            ),
            "execution_window_days": number(
                0.0, 365.0, default=_REPORT["execution_window_days"], unit="days", doc="planned time to sign and execute after that"
            ),
            "expiry_days": number(0.0, 365.0, default=_REPORT["expiry_days"], unit="days", doc="what is not executed by then is void"),
            "rollback_days": number(
                1.0,
                365.0,
                default=_REPORT["rollback_days"],
                unit="days",
                doc="for so long after the planned execution the revert batch can be used as it stands",
            ),
        },
        required=False,
    ),
    "scenario_defaults": table(
        "scenario_defaults",
        {
            "set": (
                dict[str, Any],
                Field(
                    default_factory=dict,
                    description="a table of settings of every scenario, such as { swap_volume_day = 5e6 }",
                    title="settings other than the catalogue's, of every scenario",
                ),
            )
        },
        required=False,
    ),
    "scenario": (list[_SCENARIO], Field(description="tables [[scenario]], at least one")),  # type: ignore[valid-type]
}
STUDY_FILE = model("study", _STUDY_KEYS)


@cache
def study_form(current: tuple[str, ...], searched: tuple[str, ...]) -> Model:
    """The form of a study whose set in force and search space hold these parameters of mechanisms whose names a state chose."""
    if not current and not searched:
        return STUDY_FILE
    search = {name: (info.annotation, info) for name, info in model_of(_STUDY_KEYS["search"]).model_fields.items()}
    search["space"] = _space((*PARAMETERS, *searched))
    return model("study", _STUDY_KEYS | {"current": _current((*PARAMETERS, *current)), "search": table("search", search)})
