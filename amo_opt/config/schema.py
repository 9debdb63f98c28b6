"""What each file may hold: pydantic models, built from the dataclasses and definitions that the values become.

A parameter is defined in `PARAMETERS`, a figure in `ProtocolState` and in the AMOs' files, a default in `Study`'s parts; here they only get the form a file
has. Every field's description says what is allowed, in the words a problem uses. Relations between keys are in `checks`.
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
from amo_opt.config.study import Certification, Constraints, ReportSettings, Search, Simulation
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


def number(low: float, high: float, *, default: Any = ..., unit: str = "") -> Spec:
    """A finite number in [low, high]; whole numbers are numbers, true and false are not."""
    text = f"a number from {plain(low)} to {plain(high)}{' ' + unit if unit else ''}"
    return (float if default is not None else float | None), Field(default, ge=low, le=high, description=text)


def whole(low: int, high: int, *, default: Any = ...) -> Spec:
    """A whole number in [low, high]."""
    text = f"a whole number from {plain(low)} to {plain(high)}"
    return (int if default is not None else int | None), Field(default, ge=low, le=high, description=text)


def text(meaning: str, *, default: Any = ..., pattern: str | None = None, least: int = 0) -> Spec:
    """A string; ``meaning`` names it in messages."""
    return (str if default is not None else str | None), Field(default, pattern=pattern, min_length=least, description=meaning)


def one_of(choices: tuple[str, ...], *, default: Any = ...) -> Spec:
    """One of some words."""
    return Literal[choices], Field(default, description="one of " + ", ".join(f'"{choice}"' for choice in choices))


def table(name: str, keys: Mapping[str, Spec], *, required: bool = True) -> Spec:
    """A table with these keys and no others; one that may be left out then holds its defaults."""
    built = model(name, keys)
    described = f"a table [{name}]"
    return built, Field(description=described) if required else Field(default_factory=built, description=described)


def model(name: str, keys: Mapping[str, Spec]) -> Model:
    """A strict model: unknown keys, NaN, infinities and near types (true for 1, "1" for 1) are refused."""
    config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, validate_default=False)
    build: Any = create_model
    built: Model = build(name, __config__=config, **keys)
    return built


NAME_FORM = "^[a-z0-9][a-z0-9-]{0,99}$"


def name_of(what: str, *, default: Any = ...) -> Spec:
    """A name that may become a folder's."""
    meaning = f"a name for the {what}: small letters, digits and hyphens, a letter or digit first, at most 100"
    return text(meaning, default=default, pattern=NAME_FORM)


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


def _figures(section: type, name: str, *, behaviour: bool = False) -> Spec:
    """A table of figures, and of tables of figures (``[amos.curve]``), of a state or of a file of behaviour; one that stands for a mechanism may be left out, and so
    may one of whose figures all may.
    """
    keys: dict[str, Spec] = {}
    parts = parts_of(section)
    for entry in fields(section):
        if parts[entry.name] is Figure and entry.metadata["behaviour"] is behaviour:
            limits = entry.metadata
            span = f"value from {plain(limits['low'])} to {plain(limits['high'])} {limits['unit']}".rstrip()
            description = f"{FIGURE_FORM}, {span} ({limits['doc']})"
            if f"{name}.{entry.name}" in MARKETS_OF:  # whether it is asked for hangs on another table (`checks.table_problems`)
                keys[entry.name] = (FIGURE | None, Field(None, description=description))
            else:
                default = ... if entry.default is MISSING else FIGURE(value=entry.default.value)
                keys[entry.name] = (FIGURE, Field(default, description=description))
        elif parts[entry.name] is not Figure and is_dataclass(parts[entry.name]):
            keys[entry.name] = _figures(parts[entry.name], f"{name}.{entry.name}")
    required = any(declared.is_required() for _, declared in keys.values())
    if required and (name in OPTIONAL or name.partition(".")[0] in ("amos", "rewards")):
        return model(name, keys) | None, Field(None, description=f"a table [{name}]")
    return table(name, keys, required=required)


def parameter_key(parameter: Parameter) -> Spec:
    """A parameter's key in a file of a whole set: what it holds, and what it means where it is left out (None: whether it may be is for `checks.parameter_problems`)."""
    return _parameter(parameter, default=None if parameter.default is None else parameter.typed(parameter.default))


def _parameter(parameter: Parameter, *, default: Any = ...) -> Spec:
    if parameter.kind == "integer":
        return whole(int(parameter.low), int(parameter.high), default=default)
    return number(parameter.low, parameter.high, default=default, unit=parameter.unit)


def _defaults(section: type) -> dict[str, Any]:
    return {entry.name: entry.default for entry in fields(section)}


FINITE: Spec = (float, Field(description="a finite number"))
REASON = "a few words in quotes"
FIGURE = model(
    "figure",
    {
        "value": FINITE,
        "source": text(REASON, default=None, least=1),
        "date": (date | None, Field(None, description="a date such as 2022-05-11, without quotes")),
        "assumed": text(REASON, default=None, least=1),
        "of": text("the name of the protocol whose history the reason tells, in quotes", default=None, least=1),
        "otherwise": text("the reason as reports on other protocols give it, in quotes", default=None, least=1),
        "low": (float | None, Field(None, description="a finite number")),
        "high": (float | None, Field(None, description="a finite number")),
    },
)

DATE: Spec = (date, Field(description="a date such as 2022-05-11, without quotes"))
NOTES = text("text in quotes", default="")
UNIT_FORM = "^[A-Za-z][A-Za-z0-9]{0,11}$"
FILE = text("the path of a TOML file, relative to this file", least=1)

_PARAMETER_KEYS = {"name": name_of("set")} | {name: parameter_key(entry) for name, entry in PARAMETERS.items()}
PARAMETER_FILE = model("parameters", _PARAMETER_KEYS)
"""Which of them must be there hangs on what the protocol has (`checks.parameter_problems`)."""

CONTRACT = model(
    "contract",
    {
        "address": text("0x and 40 hexadecimal digits", pattern="^0x[0-9a-fA-F]{40}$"),
        "repository": text("where the address was read", default=None, least=1),
        "path": text("the file there", default=None, least=1),
        "commit": text("40 hexadecimal digits", default=None, pattern="^[0-9a-f]{40}$"),
        "source": text(REASON, default=None, least=1),
        "caller": text("the name of another table [contracts.NAME]", default=None, least=1),
    },
)


class Contracts(BaseModel):
    """``[contracts]``: four keys of its own, and beside them tables of any name."""

    model_config = ConfigDict(extra="allow", strict=True)
    __pydantic_extra__: dict[str, CONTRACT] = Field(init=False)  # type: ignore[valid-type]
    chain_id: int = Field(1, ge=1, le=2**53 - 1, description="a whole number from 1")
    price_controller: Literal["frax", "pid"] = Field("frax", description='one of "frax", "pid"')
    family: Literal["frax"] | None = Field(None, description='"frax", whose contracts a protocol runs that is not Frax')
    collateral_decimals: int | None = Field(None, ge=0, le=77, description="a whole number from 0 to 77")


READ = model(
    "read",
    {
        "raw": text("a whole number or an address, in quotes", pattern="^(-?[0-9]{1,78}|0x[0-9a-fA-F]{40})$"),
        "address": text("0x and 40 hexadecimal digits", pattern="^0x[0-9a-fA-F]{40}$"),
        "block": whole(0, 2**53 - 1),
        "hash": text("0x and 64 hexadecimal digits", pattern="^0x[0-9a-fA-F]{64}$"),
    },
)
"""What a getter answered at a block: ``"amo_minter.min_cr()" = { raw = "810000", address = "0x…", block = …, hash = "0x…" }``."""


_STATE_KEYS: dict[str, Spec] = {
    "name": name_of("state"),
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
} | {name: _figures(part, name) for name, part in parts_of(ProtocolState).items() if is_dataclass(part) and isinstance(part, type)}
STATE_FILE = model("state", _STATE_KEYS)


@cache
def state_form(tables: tuple[str, ...]) -> Model:
    """The form of a state file that has these tables of names it chose (``pools.usdt``, ``amos.usdt-keeper``)."""
    if not tables:
        return STATE_FILE
    rooms: dict[str, dict[str, Spec]] = {}
    for each in tables:
        room, _, name = each.partition(".")
        rooms.setdefault(room, {})[name] = _figures(mechanism_at(each).section, each)  # type: ignore[arg-type]
    keys = dict(_STATE_KEYS)
    for room, own in rooms.items():
        known = {name: (info.annotation, info) for name, info in _model_of(_STATE_KEYS[room]).model_fields.items()}
        keys[room] = table(room, {**known, **own}, required=False)
    return model("state", keys)


def _model_of(spec: Spec) -> Model:
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


BEHAVIOUR_FILE = model(
    "behaviour",
    {
        "name": name_of("behaviour"),
        "notes": NOTES,
        "unit": text('the unit of account of its amounts, a short word in quotes such as "USD" or "ETH"', default=USD, pattern=UNIT_FORM),
        "spells": table(
            "spells",
            {
                "file": text("the path of a fit of spells, relative to this file", default=""),
                "pool": text("a pool of that fit", default=""),
            },
            required=False,
        ),
        "venue": table(
            "venue",
            {
                "price_sd": (FIGURE | None, Field(None, description=f"{FIGURE_FORM}, value from 0 to 1")),
                "price_hours": (FIGURE | None, Field(None, description=f"{FIGURE_FORM}, value from 0.1 to 10000 h")),
            },
            required=False,
        ),
        "markets": _figures(parts_of(ProtocolState)["markets"], "markets", behaviour=True),
    },
)

_SIMULATION = _defaults(Simulation)
_SEARCH = _defaults(Search)
_CONSTRAINTS = _defaults(Constraints)
_CERTIFICATION = _defaults(Certification)
_REPORT = _defaults(ReportSettings)

SET_TEXT = 'a table of figures of the state by dotted name, such as { "markets.lp_flight_rate" = 0.0 }'

_RANGE = model("range", {"low": FINITE, "high": FINITE, "log": (bool, Field(False, description="true or false"))})
_RANGE_TEXT = "{ low = …, high = … }, with log = true to search its logarithm"


def _space(names: Iterable[str]) -> Spec:
    return table("search.space", {name: (_RANGE | None, Field(None, description=_RANGE_TEXT)) for name in names})


def _current(names: Iterable[str]) -> Spec:
    return table(
        "current",
        {"file": FILE, "name": name_of("set", default=None)} | {name: _parameter(PARAMETERS[name], default=None) for name in names},
    )


_SCENARIO = model(
    "scenario",
    {
        "name": text("a name of the catalogue"),
        "weight": number(0.0, 1e6, default=None),
        "set": (
            dict[str, Any],
            Field(default_factory=dict, description="a table of settings of this scenario, such as { size = 1.5 }"),
        ),
        "waypoints": (
            dict[str, Any],
            Field(default_factory=dict, description="tables of waypoints, such as usdc = { source = …, points = [[0, 1.0], …] }"),
        ),
        "max_breach_probability": number(1e-6, 1.0, default=None),
    },
)

_STUDY_KEYS: dict[str, Spec] = {
    "name": name_of("study"),
    "date": DATE,
    "notes": NOTES,
    "behaviour": table("behaviour", {"file": FILE}),
    "state": table("state", {"file": FILE, "set": (dict[str, Any], Field(default_factory=dict, description=SET_TEXT))}),
    "current": _current(PARAMETERS),
    "simulation": table(
        "simulation",
        {
            "paths": whole(1, 1_000_000, default=_SIMULATION["paths"]),
            "transition_hours": whole(1, 8760, default=_SIMULATION["transition_hours"]),
            "window_hours": whole(1, 87_600, default=_SIMULATION["window_hours"]),
            "peg_reference": one_of(("collateral", "dollar"), default=_SIMULATION["peg_reference"]),
            "peg_sides": one_of(("below", "both"), default=_SIMULATION["peg_sides"]),
            "collateral_valuation": one_of(("par", "oracle"), default=_SIMULATION["collateral_valuation"]),
            "response_delay_hours": whole(0, 8760, default=_SIMULATION["response_delay_hours"]),
            "cr_floor": number(0.0, 1.0, default=_SIMULATION["cr_floor"]),
            "crv_locked_share": number(0.0, 1.0, default=_SIMULATION["crv_locked_share"]),
        },
        required=False,
    ),
    "search": table(
        "search",
        {
            "seed": whole(0, 2**63 - 1, default=_SEARCH["seed"]),
            "trials": whole(1, 1_000_000, default=_SEARCH["trials"]),
            "batch": whole(1, 4096, default=_SEARCH["batch"]),
            "sampler": one_of(("auto", "tpe", "nsga2", "gp"), default=_SEARCH["sampler"]),
            "screen_paths": whole(0, 1_000_000, default=_SEARCH["screen_paths"]),
            "stall": whole(0, 1_000_000, default=_SEARCH["stall"]),
            "space": _space(PARAMETERS),
        },
    ),
    "constraints": table(
        "constraints",
        {
            "external_cr_floor": number(0.01, 1.0, default=None, unit="(left out: the state's collateral ratio)"),
            "min_external_cr": number(0.0, 10.0, default=_CONSTRAINTS["min_external_cr"]),
            "max_breach_probability": number(1e-6, 1.0, default=_CONSTRAINTS["max_breach_probability"]),
            "max_unserved_usd_hours": number(
                0.0, 1e18, default=None, unit="(left out: 1e9 at a supply of 2.6e9, in proportion to the state's)"
            ),
            "max_shortfall_bps": number(0.0, 10_000.0, default=_CONSTRAINTS["max_shortfall_bps"]),
            "max_unrecovered_probability": number(1e-6, 1.0, default=_CONSTRAINTS["max_unrecovered_probability"]),
            "min_floor_supply": number(0.0, 1000.0, default=_CONSTRAINTS["min_floor_supply"], unit="(left out: no limit)"),
        },
        required=False,
    ),
    "certification": table(
        "certification",
        {
            "multiple": whole(1, 10_000, default=_CERTIFICATION["multiple"]),
            "candidates": whole(1, 10_000, default=_CERTIFICATION["candidates"]),
            "tolerance_yield": number(0.0, 1.0, default=_CERTIFICATION["tolerance_yield"]),
            "tolerance_peg_bps": number(0.0, 10_000.0, default=_CERTIFICATION["tolerance_peg_bps"]),
            "tolerance_cr": number(0.0, 1.0, default=_CERTIFICATION["tolerance_cr"]),
            "least_gain": number(0.0, 1_000.0, default=_CERTIFICATION["least_gain"]),
            "bootstrap": whole(10, 20_000, default=_CERTIFICATION["bootstrap"]),
            "most_paths": whole(1, 10_000_000, default=_CERTIFICATION["most_paths"]),
            "draws": whole(0, 4096, default=_CERTIFICATION["draws"]),
            "robust_share": number(0.0, 1.0, default=_CERTIFICATION["robust_share"]),
        },
        required=False,
    ),
    "report": table(
        "report",
        {
            "max_state_age_days": whole(0, 36_500, default=_REPORT["max_state_age_days"]),
            "execution_delay_days": number(0.0, 365.0, default=_REPORT["execution_delay_days"], unit="days"),
            "execution_window_days": number(0.0, 365.0, default=_REPORT["execution_window_days"], unit="days"),
            "expiry_days": number(0.0, 365.0, default=_REPORT["expiry_days"], unit="days"),
            "rollback_days": number(1.0, 365.0, default=_REPORT["rollback_days"], unit="days"),
        },
        required=False,
    ),
    "scenario_defaults": table(
        "scenario_defaults",
        {
            "set": (
                dict[str, Any],
                Field(default_factory=dict, description="a table of settings of every scenario, such as { swap_volume_day = 5e6 }"),
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
    search = {name: (info.annotation, info) for name, info in _model_of(_STUDY_KEYS["search"]).model_fields.items()}
    search["space"] = _space((*PARAMETERS, *searched))
    return model("study", _STUDY_KEYS | {"current": _current((*PARAMETERS, *current)), "search": table("search", search)})
