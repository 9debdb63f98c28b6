"""JSON Schemas of the files, for editors that complete and check TOML while it is written, and for whoever lists the keys: `schema_of`.

Made of the forms (`schema`, `evidence`), and of what the forms leave to `checks` and is declared elsewhere: settings and series of scenarios, tables and parameters of names that a state chooses,
the lists that stand for tables (`arranged`). Strict as far as a schema can be that sees one file: what holds between figures is for `amo-opt validate`, and so is what JSON does not tell apart, a date
in quotes and a whole number written 1.0. Beside the standard's words ``x-unit`` is a number's unit and ``x-default`` what a figure is where it is left out. Long, as each kind of file
has a few keys that its form does not tell whole.
"""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from amo_opt.amos.catalogue import BY_RANK
from amo_opt.amos.kinds import ASSET, KINDS, LABEL, POOL
from amo_opt.amos.parameters import PARAMETERS
from amo_opt.amos.pools import pool
from amo_opt.config.arranged import ACCESS, ALONE, PRICE, SAVINGS, SPELLED
from amo_opt.config.evidence import EVIDENCE_FILE, SPELLS_FILE
from amo_opt.config.schema import (
    BEHAVIOUR_FILE,
    CONTRACT,
    FIGURE,
    PARAMETER_FILE,
    RANGE,
    SCHEMAS,
    STATE_FILE,
    STUDY_FILE,
    Contracts,
    Model,
    figures,
    figures_by_name,
    model,
    model_of,
    parameter_key,
)
from amo_opt.stress.catalogue import CALM, MAX_POINTS, load_scenario, scenario_names
from amo_opt.stress.series import SERIES, Series
from amo_opt.stress.settings import SETTINGS, settings_of
from amo_opt.stress.table import COLUMNS
from amo_opt.wording import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic.fields import FieldInfo

    from amo_opt.amos.mechanism import Mechanism
    from amo_opt.protocol.parameters import Parameter
    from amo_opt.protocol.settings import Setting

Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
DAY = r"^\d{4}-\d{2}-\d{2}$"
TIME = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$"
ANY = "NAME"
"""What stands for a name that a state chooses, in what is told of it."""
NUMBERS = ("value", "low", "high")
"""What of a figure is a number, in its limits."""
_LABEL = LABEL.pattern
_PLAIN: dict[Any, Schema] = {
    float: {"type": "number"},
    int: {"type": "integer"},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    date: {"type": "string", "format": "date", "pattern": DAY},
    Any: {"type": "string", "pattern": TIME},
}
"""Types that are no tables, as JSON has them; what may be anything is a date or a time."""


def schema_of(kind: str) -> Schema:
    """The JSON Schema (draft 2020-12) of a file of that kind: study, state, parameters, behaviour, evidence or spells. Raises KeyError for another."""
    return _MADE[kind]()


def schema_text(made: Schema) -> str:
    """A schema as its file holds it."""
    return json.dumps(made, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def of_form(form: Model, kind: str, title: str) -> Schema:
    """The schema of a file of a form, its version first; `SCHEMAS` says which."""
    made = _table(form)
    version: Schema = {"const": SCHEMAS[kind], "description": "Version of the file's form; the first line."}
    return {
        "$schema": DRAFT,
        "title": title,
        **made,
        "properties": {"schema": version, **made["properties"]},
        "required": ["schema", *made.get("required", ())],
        "$defs": _figure_parts(),
    }


# -- forms -------------------------------------------------------------------------------------------------------------------


def _table(form: Model) -> Schema:
    """A table with the keys of a form and no others."""
    properties = {name: _key(info) for name, info in form.model_fields.items()}
    required = [name for name, info in form.model_fields.items() if info.is_required()]
    made: Schema = {"type": "object", "properties": properties}
    return made | ({"required": required} if required else {}) | {"additionalProperties": False}


def _key(info: FieldInfo) -> Schema:
    """What a key may hold, and what it means."""
    extra: Any = info.json_schema_extra or {}
    if _bare(info.annotation) is FIGURE:
        made = _figure(**extra)
        if isinstance(info.default, BaseModel):
            made["x-default"] = info.default.model_dump()["value"]
        return {"description": _sentences(info.title, _figure_span(**extra), _left_out(made.get("x-default")))} | made
    made = _typed(info.annotation)
    words = {
        "ge": "minimum",
        "le": "maximum",
        "min_length": "minItems" if made.get("type") == "array" else "minLength",
        "pattern": "pattern",
    }
    for entry in info.metadata:
        made |= {word: getattr(entry, name) for name, word in words.items() if getattr(entry, name, None) is not None}
    if extra.get("unit"):
        made["x-unit"] = extra["unit"]
    default = None if info.default is PydanticUndefined else info.default
    if default is not None:
        made["default"] = default
    return {"description": _sentences(info.title, info.description, _left_out(default))} | made


def _typed(annotation: Any) -> Schema:
    """A type as JSON has it; a key that may be left out is of its type where it is there."""
    bare = _bare(annotation)
    arguments = get_args(bare)
    origin = get_origin(bare)
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": _typed(arguments[0])}
    if origin is dict:
        return {"type": "object"} | ({} if arguments[1] is Any else {"additionalProperties": _typed(arguments[1])})
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return _table(bare) | ({"additionalProperties": _table(CONTRACT)} if bare is Contracts else {})
    return dict(_PLAIN[bare])


def _bare(annotation: Any) -> Any:
    """A type without None."""
    if get_origin(annotation) in (Union, UnionType):
        return next(each for each in get_args(annotation) if each is not type(None))
    return annotation


def _sentences(*parts: str | None) -> str:
    return " ".join(f"{part[0].upper()}{part[1:].rstrip('.')}." for part in parts if part)


def _left_out(value: Any) -> str:
    if value is None or value == "":
        return ""
    said = str(value).lower() if isinstance(value, bool) else plain(value) if isinstance(value, int | float) else f'"{value}"'
    return f"Left out: {said}"


# -- figures -----------------------------------------------------------------------------------------------------------------


def _figure_parts() -> Schema:
    """What every figure is made of: its words, and what holds between them."""
    words = {name: _key(info) for name, info in FIGURE.model_fields.items() if name not in NUMBERS}
    sourced = {"properties": {"assumed": False, "low": False, "high": False}}
    assumed = {"required": ["assumed", "low", "high"], "properties": {"date": False}}
    return words | {"sourced": sourced, "assumed_in": assumed}


def _figure(low: float, high: float, unit: str = "") -> Schema:
    """Written out, as readers of earlier drafts pass over what stands beside a reference."""
    span = {"type": "number", "minimum": low, "maximum": high}
    made: Schema = {
        "type": "object",
        "properties": {name: dict(span) if name in NUMBERS else {"$ref": f"#/$defs/{name}"} for name in FIGURE.model_fields},
        "required": ["value"],
        "additionalProperties": False,
        "if": {"required": ["source"]},
        "then": {"$ref": "#/$defs/sourced"},
        "else": {"$ref": "#/$defs/assumed_in"},
    }
    return made | ({"x-unit": unit} if unit else {})


def _figure_span(low: float, high: float, unit: str = "") -> str:
    return f"value from {plain(low)} to {plain(high)} {unit}".rstrip()


def _figure_number(name: str) -> Schema:
    """The number that a study sets in a figure's place."""
    limits = figures_by_name()[name].metadata
    return _number(limits["low"], limits["high"], limits["unit"], limits["doc"])


def _number(low: float, high: float, unit: str, doc: str, *, only: Iterable[float] = (), default: float | None = None) -> Schema:
    made: Schema = {"type": "number", "minimum": low, "maximum": high}
    if choices := list(only):
        made = {"enum": choices}
    allowed = f"one of {', '.join(map(plain, choices))}" if choices else f"a number from {plain(low)} to {plain(high)} {unit}".rstrip()
    made |= {} if default is None else {"default": default}
    return {"description": _sentences(doc, allowed, _left_out(default))} | made | ({"x-unit": unit} if unit else {})


# -- mechanisms of names that a state chooses --------------------------------------------------------------------------------


@cache
def _named() -> Mapping[str, Mechanism]:
    """One mechanism of each kind of which there may be several, by the word that its name ends with."""
    return {POOL: pool(ANY)} | {word: make(ANY) for word, make in KINDS.items()}


def _section(mechanism: Mechanism) -> Schema:
    """The table of a state that a mechanism stands in."""
    return _table(_form_of(mechanism))


def _form_of(mechanism: Mechanism) -> Model:
    if mechanism.section is None:
        raise KeyError(mechanism.name)
    return model_of(figures(mechanism.section, mechanism.table))


def _whole(text: str) -> str:
    return f"^{text}$"


def _parameters(make: Any) -> tuple[Schema, Schema]:
    """Parameters that stand in tables of mechanisms, in both ways to write them: properties of the regulator's, and patterns of those whose names a state chose."""
    properties: Schema = {}
    for name, parameter in PARAMETERS.items():
        of, _, short = name.rpartition(".")
        if of:
            properties.setdefault(of, {"type": "object", "properties": {}, "additionalProperties": False})["properties"][short] = make(
                parameter
            )
    patterns: Schema = {}
    for word, mechanism in _named().items():
        inner = {short: make(parameter) for short, parameter in mechanism.parameters.items()}
        if inner:
            patterns[_whole(f"{_LABEL}-{word}")] = {"type": "object", "properties": inner, "additionalProperties": False}
        patterns |= {_whole(rf"{_LABEL}-{word}\.{short}"): each for short, each in inner.items()}
    return properties, patterns


def _with_parameters(made: Schema, make: Any) -> None:
    """Adds to a table of parameters what its form does not have."""
    properties, patterns = _parameters(make)
    made["properties"] |= properties
    made["patternProperties"] = patterns


def _of_parameter(parameter: Parameter) -> Schema:
    return _key(model("key", {"key": parameter_key(parameter)}).model_fields["key"])


def _range_of(parameter: Parameter) -> Schema:
    """A range of the search within what the parameter may be."""
    made = _table(RANGE)
    kind = "integer" if parameter.kind == "integer" else "number"
    for part in ("low", "high"):
        made["properties"][part] |= {"type": kind, "minimum": parameter.low, "maximum": parameter.high}
    span = f"{{ low = …, high = … }} within {plain(parameter.low)} to {plain(parameter.high)} {parameter.unit}".rstrip()
    return {"description": _sentences(parameter.title, span)} | made | ({"x-unit": parameter.unit} if parameter.unit else {})


# -- a study -----------------------------------------------------------------------------------------------------------------


def _study() -> Schema:
    made = of_form(STUDY_FILE, "study", "amo-opt: a study")
    tables = made["properties"]
    tables["state"]["properties"]["set"] |= _set()
    _with_parameters(tables["current"], _of_parameter)
    space = tables["search"]["properties"]["space"]
    space["properties"] = {name: _range_of(each) for name, each in PARAMETERS.items()}
    space["minProperties"] = 1
    _with_parameters(space, _range_of)
    tables["certification"]["properties"]["draws"]["not"] = {"exclusiveMinimum": 0, "exclusiveMaximum": 16}
    tables["scenario_defaults"]["properties"]["set"] |= _settings(load_scenario(CALM).settings)
    tables["scenario"] |= {"minItems": 1, "items": _scenario(tables["scenario"]["items"])}
    return made


def _set() -> Schema:
    """Figures by dotted name, with quotes (one key) or without (tables within tables)."""
    at = "#/properties/state/properties/set/properties"
    made: Schema = {
        "type": "object",
        "properties": {name: _figure_number(name) for name in figures_by_name()},
        "patternProperties": {},
        "additionalProperties": False,
    }
    for name in figures_by_name():
        _nested(made, name.split("."))["properties"][name.rpartition(".")[2]] = {"$ref": f"{at}/{name}"}
    for room, word, pattern in _named_tables():
        numbers = {key: _of_figure(info) for key, info in _form_of(_named()[word]).model_fields.items()}
        table: Schema = {"type": "object", "properties": numbers, "additionalProperties": False}
        _nested(made, [room, ""]).setdefault("patternProperties", {})[_whole(pattern)] = table
        made["patternProperties"] |= {_whole(rf"{room}\.{pattern}\.{key}"): each for key, each in numbers.items()}
    return made


def _nested(made: Schema, key: list[str]) -> Schema:
    """The table within tables that the last part of a key stands in."""
    for part in key[:-1]:
        made = made["properties"].setdefault(part, {"type": "object", "properties": {}, "additionalProperties": False})
    return made


def _of_figure(info: FieldInfo) -> Schema:
    extra: Any = info.json_schema_extra
    return _number(extra["low"], extra["high"], extra["unit"], info.title or "")


def _named_tables() -> Iterable[tuple[str, str, str]]:
    """Room, kind and pattern of the name of the tables whose names a state chooses."""
    for word in _named():
        yield ("pools", word, _LABEL) if word == POOL else ("amos", word, f"{_LABEL}-{word}")


def _setting(each: Setting, default: float | None = None) -> Schema:
    return _number(each.low, each.high, each.unit, each.doc, only=each.only, default=default)


def _settings(known: Mapping[str, float]) -> Schema:
    """Settings that a scenario has, with their values in it; those of assets whose names a state chooses."""
    properties = {name: _setting(each, known[name]) for name, each in SETTINGS.items() if name in known}
    patterns = {
        _whole(name.replace(ANY, _LABEL)): _setting(each, each.calm)
        for mechanism in _named().values()
        for name, each in settings_of(mechanism).items()
    }
    return {"type": "object", "properties": properties, "patternProperties": patterns, "additionalProperties": False}


def _scenario(form: Schema) -> Schema:
    """An entry of the catalogue: every setting that any has, and by its name those that it has not."""
    names = {name: load_scenario(name).settings for name in scenario_names()}
    everything: dict[str, float] = {name: value for known in reversed(names.values()) for name, value in known.items()}
    stressed = {name for known in names.values() for name in known} - set(names[CALM])
    properties = form["properties"]
    properties["name"] |= {"enum": list(names)}
    properties["set"] |= _settings(everything)
    for name in stressed:
        properties["set"]["properties"][name] = _setting(SETTINGS[name])  # what it is where it is left out is each entry's own
    asset = _named()[ASSET].price
    series = {name: _waypoints(each) for name, each in SERIES.items()}
    patterns = {} if asset is None else {_whole(f"{_LABEL}-{ASSET}"): _waypoints(SERIES[f"any-{ASSET}"])}
    properties["waypoints"] |= {"type": "object", "properties": series, "patternProperties": patterns, "additionalProperties": False}
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, known in names.items():
        alike.setdefault(tuple(sorted(set(everything) - set(known))), []).append(name)
    cases: list[tuple[Iterable[str], Schema]] = []
    for without, entries in alike.items():
        closed: Schema = {"set": {"properties": dict.fromkeys(without, False)}}
        closed |= {"waypoints": {"maxProperties": 0}} if "onset_day_low" in without else {}
        cases += [(entries, {"properties": closed})] if without else []
    return form | one_case("name", cases)


def one_case(key: str, cases: Iterable[tuple[Iterable[str], Schema]]) -> Schema:
    """What holds by the word at a key: one within the other, as editors complete nothing of a table that has them in a list (allOf)."""
    made: Schema = {}
    for words, then in reversed(list(cases)):
        found = {"if": {"required": [key], "properties": {key: {"enum": list(words)}}}, "then": then}
        made = found | ({"else": made} if made else {})
    return made


def _waypoints(series: Series) -> Schema:
    hour = {"type": "number", "minimum": 0}
    value = {"type": "number", "minimum": series.low, "maximum": series.high}
    point = {"type": "array", "prefixItems": [hour, value], "minItems": 2, "maxItems": 2}
    points = {"type": "array", "description": "[hour from the onset, value] each, the first at hour 0.", "items": point}
    source = {"type": "string", "description": "Where the values are from.", "pattern": r"\S"}
    return {
        "description": _sentences(series.doc, f"values from {plain(series.low)} to {plain(series.high)} {series.unit}"),
        "type": "object",
        "properties": {"source": source, "points": points | {"minItems": 2, "maxItems": MAX_POINTS}},
        "required": ["source", "points"],
        "additionalProperties": False,
    } | ({"x-unit": series.unit} if series.unit else {})


# -- a state, a set, a behaviour ---------------------------------------------------------------------------------------------


def _state() -> Schema:
    made = of_form(STATE_FILE, "state", "amo-opt: a protocol's state")
    tables = made["properties"]
    for word, mechanism in _named().items():
        made["$defs"][f"{ANY}-{word}"] = _section(mechanism)
    for room, word, pattern in _named_tables():
        tables.setdefault(room, {"description": "Tables [pools.NAME]: pools beside the first.", "type": "object"})
        tables[room].setdefault("patternProperties", {})[_whole(pattern)] = {"$ref": _at(word)}
        tables[room]["additionalProperties"] = False
    # keywords of tables say nothing of a list, and the other way round
    tables["pool"] |= _pools(tables["pool"]) | {"type": ["object", "array"]}
    tables["amo"] = {
        "description": "AMOs by what they do, each a table [[amo]] with its kind.",
        "type": "array",
        "items": _amos(),
    }
    tables["asset"] = {"description": "Assets beside the collateral coin, each a table [[asset]].", "type": "array", "items": _asset()}
    tables["liability"] = {"$ref": f"#/properties/amos/properties/{SAVINGS}"}
    made["not"] = {"required": ["liability", "amos"], "properties": {"amos": {"required": [SAVINGS]}}}
    return made


def _without_description(made: Schema) -> Schema:
    return {name: value for name, value in made.items() if name != "description"}


def _label(doc: str) -> Schema:
    return {"description": _sentences(doc, "a small letter, then small letters and digits"), "type": "string", "pattern": _whole(_LABEL)}


def _at(word: str) -> str:
    """Where the table of a mechanism stands whose name ends with that word."""
    return f"#/$defs/{ANY}-{word}"


def _headed(form: Schema, at: str, keys: Schema, *, required: Iterable[str] = ()) -> Schema:
    """The table that stands ``at`` another place, with further keys before its own."""
    own = {key: {"$ref": f"{at}/properties/{key}"} for key in form["properties"]}
    return _without_description(form) | {"properties": keys | own, "required": [*required, *form.get("required", ())]}


def _pools(first: Schema) -> Schema:
    """Tables ``[[pool]]``: the first as ``[pool]``, the others as ``[pools.NAME]``; of several each has a name."""
    name = {"name": _label("what the pool is called")}
    several = {"if": {"minItems": 2}, "then": {"items": {"required": ["name"]}}}
    of_first = {"required": ["base_lp"]}
    first = _headed(first, "#/properties/pool", name)
    further = _headed(_section(_named()[POOL]), _at(POOL), name, required=["name"])
    # what goes by the place of an item is passed over by readers of earlier drafts: by its form an item tells which it is, too
    either = {"if": of_first, "then": first, "else": further}
    return {"minItems": 1, "prefixItems": [first], "items": either, "contains": of_first, "maxContains": 1} | several


def _amos() -> Schema:
    """An entry of ``[[amo]]``: its kind, and by that its figures."""
    kinds = {table: [kind for kind, other in ALONE.items() if other == table] for table in ALONE.values()}
    kind = {"description": "What the AMO does.", "enum": [*dict.fromkeys((*ALONE, *SPELLED)), *(each.name for each in BY_RANK)]}
    name = _label("the pool that it works, for an AMO of a kind of which there may be several")
    own, of_pools = {each.name: _section(each) for each in BY_RANK}, {word: _section(_named()[word]) for word in SPELLED.values()}
    alone = [
        ([*kinds.get(each, ()), each], _headed(form, f"#/properties/amos/properties/{each}", {"kind": True})) for each, form in own.items()
    ]
    named = [
        ([kind], _headed(of_pools[word], _at(word), {"kind": True, "name": True}, required=["name"])) for kind, word in SPELLED.items()
    ]
    told: dict[str, dict[str, None]] = {}
    for form in (*own.values(), *of_pools.values()):
        for key, each in form["properties"].items():
            told.setdefault(key, {})[each["description"]] = None
    figures_of_any = {key: {"description": " Or: ".join(said)} for key, said in told.items()}
    return {
        "type": "object",
        "properties": {"kind": kind, "name": name, **figures_of_any},
        "required": ["kind"],
        "if": {"required": ["name"]},
        "then": {"properties": {"kind": {"enum": list(SPELLED)}}} | one_case("kind", named),
        "else": {"properties": {"kind": {"not": {"enum": [kind for kind in SPELLED if kind not in ALONE]}}}} | one_case("kind", alone),
    }


def _asset() -> Schema:
    """An entry of ``[[asset]]``, which says in words what its figures say too."""
    form = _section(_named()[ASSET])
    delay = {
        "type": "object",
        "properties": {"delay_hours": {"$ref": f"{_at(ASSET)}/properties/delay_hours"}},
        "required": ["delay_hours"],
        "additionalProperties": False,
    }
    keys = {
        "name": _label("what the asset is called"),
        "access": {"description": "How one gets at it: at once, never, or after a delay.", "oneOf": [{"enum": list(ACCESS)}, delay]},
        "price": {"description": "What it is counted in.", "enum": list(PRICE)},
    }
    ways = ("access", "delay_hours", "at_once", "reachable")
    return _headed(form, _at(ASSET), keys, required=["name"]) | {"anyOf": [{"required": [way]} for way in ways]}


def _parameter_file() -> Schema:
    made = of_form(PARAMETER_FILE, "parameters", "amo-opt: a parameter set")
    _with_parameters(made, _of_parameter)
    asked = {name: each.of for name, each in PARAMETERS.items() if each.default is None}
    made["required"] += [name for name, of in asked.items() if not of]
    together: dict[str, list[str]] = {}
    for name, each in PARAMETERS.items():
        beside = [
            other
            for other, of in asked.items()
            if of and other != name and (of == each.of or (of == "amos" and each.of.startswith("amos.")))
        ]
        if beside:
            together[name] = beside
    made["dependentRequired"] = together
    return made


def _behaviour() -> Schema:
    made = of_form(BEHAVIOUR_FILE, "behaviour", "amo-opt: how holders, providers and traders act")
    venue = made["properties"]["venue"]
    venue["dependentRequired"] = {name: [other for other in venue["properties"] if other != name] for name in venue["properties"]}
    return made


def _evidence() -> Schema:
    made = of_form(EVIDENCE_FILE, "evidence", "amo-opt: recorded histories and their episodes")
    columns = made["properties"]["history"]["items"]["properties"]["columns"]
    columns["additionalProperties"]["minItems"] = 1
    columns["propertyNames"] = {"enum": list(COLUMNS)}
    return made


def _spells() -> Schema:
    return of_form(SPELLS_FILE, "spells", "amo-opt: a fit of calm and busy spells")


_MADE = {
    "study": _study,
    "state": _state,
    "parameters": _parameter_file,
    "behaviour": _behaviour,
    "evidence": _evidence,
    "spells": _spells,
}
