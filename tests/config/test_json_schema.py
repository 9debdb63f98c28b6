"""JSON Schemas of the files: what loads passes them, and what a schema of one file can see is refused by both."""

from __future__ import annotations

import json
import math
import shutil
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from amo_opt.cli.schema import KINDS, schema_of
from amo_opt.comparison.gates import load_gates
from amo_opt.config.json_schema import schema_text
from amo_opt.config.load import kind_of, validate_file
from amo_opt.config.schema import SCHEMAS

ROOT = Path(__file__).parents[2]
STUDIES = ROOT / "studies"
SEVERAL = ROOT / "tests" / "amos" / "data" / "several"
FILES = [
    *sorted(STUDIES.rglob("*.toml")),
    *sorted((ROOT / "tests" / "amos" / "data").rglob("*.toml")),
    *sorted((ROOT / "tests" / "config" / "data" / "schema-2").rglob("*.toml")),
    *sorted((ROOT / "reports").glob("*/parameters.toml")),
]
VALIDATORS = {kind: Draft202012Validator(schema_of(kind)) for kind in KINDS}


def as_json(value: Any) -> Any:
    """TOML's values as a reader of JSON Schemas has them: dates are text, and what is not finite is null."""
    if isinstance(value, dict):
        return {key: as_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_json(inner) for inner in value]
    if isinstance(value, date):
        return value.isoformat()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def refused(data: dict[str, Any], kind: str | None = None) -> list[str]:
    return [error.json_path for error in VALIDATORS[kind or kind_of(data)].iter_errors(as_json(data))]


def written(value: Any) -> str:
    """A value as TOML, tables inline."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {written(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, bool | str):
        return json.dumps(value)
    return value.isoformat() if isinstance(value, date) else repr(value)


def file_of(data: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(key)} = {written(value)}\n" for key, value in data.items())


@pytest.mark.parametrize("kind", KINDS)
def test_schemas_are_schemas_and_committed_as_the_command_writes_them(kind):
    """Of draft 2020-12; an editor that reads this repository takes them from docs/schemas (.taplo.toml)."""
    schema = schema_of(kind)
    Draft202012Validator.check_schema(schema)
    assert (ROOT / "docs" / "schemas" / f"{kind}.json").read_text(encoding="utf-8") == schema_text(schema)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_loads_passes(path):
    """Whichever way its tables are written."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    assert refused(data) == []


def test_every_shipped_file_has_its_schema_in_an_editor():
    """.taplo.toml names one rule for each, of its kind."""
    rules = tomllib.loads((ROOT / ".taplo.toml").read_text(encoding="utf-8"))["rule"]
    for path in STUDIES.rglob("*.toml"):
        named = [
            rule["schema"]["path"]
            for rule in rules
            if any(path in ROOT.glob(each) for each in rule["include"])
            and not any(path in ROOT.glob(each) for each in rule.get("exclude", ()))
        ]
        assert named == [f"docs/schemas/{kind_of(tomllib.loads(path.read_text(encoding='utf-8')))}.json"], path


def test_every_key_says_what_it_is():
    """Each property of every file has a description, and each number its range."""
    for kind in SCHEMAS:
        for place, each in properties(schema_of(kind), kind):
            if "$ref" in each:
                continue
            part_of_figure = place.rpartition(".")[2] in {"value", "low", "high"}
            part_of_another = place.endswith((".points", "delay_hours")) or "additionalProperties" in each
            assert "description" in each or part_of_figure or part_of_another, place
            assert each.get("type") != "number" or part_of_figure or {"minimum", "maximum"} <= each.keys(), place


def properties(schema: Any, place: str):
    """Every key that a file may hold, but for what is said of one again where another has some value."""
    if isinstance(schema, list):
        for inner in schema:
            yield from properties(inner, place)
    elif isinstance(schema, dict):
        keys = schema.get("properties")
        for key, each in keys.items() if isinstance(keys, dict) and "type" in schema else ():
            yield f"{place}.{key}", each
        for key, inner in schema.items():
            if key not in {"if", "then", "else", "not", "dependentRequired"}:
                yield from properties(inner, f"{place}.{key}")


def test_units_ranges_defaults_and_meanings_are_those_of_the_definitions():
    """What an editor shows of a key."""
    study = schema_of("study")["properties"]
    paths = study["simulation"]["properties"]["paths"]
    assert (paths["type"], paths["minimum"], paths["maximum"], paths["default"]) == ("integer", 1, 1_000_000, 64)
    assert paths["description"] == "Paths a scenario; every trial sees the same ones. A whole number from 1 to 1000000. Left out: 64."
    assert study["simulation"]["properties"]["window_hours"]["x-unit"] == "h"
    lag = schema_of("state")["properties"]["markets"]["properties"]["oracle_lag_hours"]
    assert (lag["x-unit"], lag["properties"]["value"]["maximum"]) == ("h", 168.0)
    cr_step = schema_of("parameters")["properties"]["cr_step"]
    assert cr_step["description"] == "Change of the collateral ratio per refresh. A number from 0 to 0.05."
    size = study["scenario"]["items"]["properties"]["set"]["properties"]["size"]
    assert (size["minimum"], size["maximum"]) == (0.0, 10.0)
    assert schema_of("parameters")["properties"]["peg_keeper_caller_share"]["default"] == 0.2


# -- what is refused ---------------------------------------------------------------------------------------------------------------


def leaves(value: Any, key: tuple[str | int, ...] = ()):
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*key, name))
    else:
        yield key, value


def changed(data: Any, key: tuple[str | int, ...], *, to: Any = None, name: str | None = None) -> Any:
    """A copy with the value at ``key`` replaced, or the key itself."""
    first, *rest = key
    if isinstance(data, list):
        return (
            [changed(each, tuple(rest), to=to, name=name) if place == first else each for place, each in enumerate(data)]
            if rest
            else [to if place == first else each for place, each in enumerate(data)]
        )
    if rest:
        return {each: changed(value, tuple(rest), to=to, name=name) if each == first else value for each, value in data.items()}
    return {(name or each) if each == first else each: (to if name is None and each == first else value) for each, value in data.items()}


def wrong(data: dict[str, Any]):
    """Every key of a file misspelt, of another type, and every number far out of its range, one at a time."""
    for key, value in leaves(data):
        if isinstance(key[-1], str):
            yield (*key, "misspelt"), changed(data, key, name=f"{key[-1]}x")
        other = "0.5" if isinstance(value, int | float) and not isinstance(value, bool) else 7
        yield (*key, "type"), changed(data, key, to=other)
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield (*key, "range"), changed(data, key, to=-1e300)


@pytest.mark.parametrize("name", ["study.toml", "state.toml", "parameters.toml", "behaviour.toml"])
def test_what_the_loader_refuses_of_a_key_the_schema_refuses(name, tmp_path):
    """Several pools and keepers, lists of tables, parameters of mechanisms with names: whatever key is misspelt, of a wrong type or far out of its range."""
    folder = tmp_path / "several"
    shutil.copytree(SEVERAL, folder)
    shutil.copytree(STUDIES / "behaviour", folder / "behaviour")
    data = tomllib.loads((SEVERAL / name).read_text(encoding="utf-8"))
    tried = 0
    for place, mutant in wrong(data):
        (folder / name).write_text(file_of(mutant), encoding="utf-8")
        tried += 1
        assert validate_file(folder / name), place
        assert refused(mutant, kind_of(data)), place
    assert tried > 15


EDITS = [
    # file, what is replaced, by what
    ("frax-2022.toml", "schema = 2\n", "schema = 3\n"),
    ("frax-2022.toml", "schema = 2\n", ""),
    ("frax-2022.toml", 'name = "frax-2022"', 'name = "../frax"'),
    ("frax-2022.toml", "date = 2022-05-11", "date = 2022-05-11T00:00:00Z"),
    ("frax-2022.toml", "[simulation]", "[simulations]"),
    ("frax-2022.toml", '"collateral"    #', '"colateral" #'),
    ("frax-2022.toml", "aave_cap = {", "ave_cap = {"),
    ("frax-2022.toml", "low = 150, high", "low = 150.5, high"),
    ("frax-2022.toml", "multiple = 10", "multiple = inf"),
    ("frax-2022.toml", "draws = 64", "draws = 5"),
    ("frax-2022.toml", 'name = "svb-2023"', 'name = "svb-2024"'),
    ("frax-2022.toml", "{ size = 1.0 }", "{ sise = 1.0 }"),
    ("frax-2022.toml", "{ size = 1.0 }", "{ size = 11 }"),
    ("frax-2022.toml", "{ size = 1.0 }", "{ base_coins = 2 }"),
    ("frax-2022.toml", "weight = 0.95", "weight = 0.95\nset = { size = 1.0 }"),  # calm has no size
    ("frax-2022.toml", "weight = 0.95", 'weight = 0.95\nwaypoints = { usdc = { source = "s", points = [[0, 1], [1, 0.9]] } }'),
    ("frax-2022.toml", "{ size = 1.0 }", '{ size = 1.0 }\nwaypoints = { usdc = { source = "s", points = [[0, 1]] } }'),
    ("frax-2022.toml", "{ size = 1.0 }", '{ size = 1.0 }\nwaypoints = { usdx = { source = "s", points = [[0, 1], [1, 0.9]] } }'),
    ("frax-2022.toml", "# set = {", "set = { markets.lp_flight_rat = 0.0 } #"),
    ("frax-2022.toml", "# set = {", 'set = { "markets.lp_flight_rate" = -1 } #'),
    ("frax-2022.toml", "[search]", "[scenario_defaults]\nset = { onset_day_low = 1 }\n[search]"),
    ("parameters/frax-current.toml", "amplification = 1500 ", "amplification = 0 "),
    ("parameters/frax-current.toml", "aave_cap = 0.201", "aavecap = 0.201"),
    ("parameters/frax-current.toml", "aave_cap = 0.201", "aave_cap = true"),
    ("parameters/frax-current.toml", "cr_step = ", "usdt-keepr.ceiling = 5\ncr_step = "),
    ("parameters/frax-current.toml", "min_cr = 0.81", ""),
    ("states/frax-2022-05-11.toml", "[collateral]", "[colateral]"),
    ("states/frax-2022-05-11.toml", "low = 0.65, high = 0.90", "low = 0.65"),
    ("states/frax-2022-05-11.toml", "low = 0.65, high = 0.90", "low = 0.65, high = 1.90"),
    ("states/frax-2022-05-11.toml", 'fee = { value = 0.0004, source = "', 'fee = { value = 0.0004, assumed = "a", low = 0, high = 0.1, source = "'),
    ("states/frax-2022-05-11.toml", "0x2fE065e6FFEf9ac95ab39E5042744d695F560729", "0x2f"),
    ("states/crvusd-2024-01-30.toml", 'kind = "peg-keeper"', 'kind = "peg-keper"'),
    ("states/crvusd-2024-01-30.toml", 'kind = "peg-keeper"\nname = "usdc"', 'kind = "hold"'),
    ("states/crvusd-2024-01-30.toml", 'name = "tusd"\nstable', "stable"),
    ("states/crvusd-2024-01-30.toml", 'name = "tusd"\n', 'name = "tusd"\nopposit = 1\n'),
    ("states/oeth-2024-10-16.toml", 'price = "unit"', 'price = "units"'),
    ("states/oeth-2024-10-16.toml", "access = {", "acces = {"),
    ("behaviour/frax-2022.toml", "low = 0.0, high = 0.10 }", "low = 0.0, high = 9.0 }"),
    ("behaviour/frax-2022.toml", "hour_limit = {", "hour_limits = {"),
    ("behaviour/spells-2022.toml", "[new_pool]", "[new_pol]"),
    ("evidence/pools-2022.toml", "[[episode]]", "[[epsode]]"),
]  # fmt: skip


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit[0]}: {edit[1]} > {edit[2]}")
def test_what_is_wrong_is_refused_by_both(edit, tmp_path):
    """Shipped files, changed in one place."""
    name, old, new = edit
    folder = tmp_path / "studies"
    shutil.copytree(STUDIES, folder)
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    assert validate_file(folder / name)
    assert refused(tomllib.loads(text.replace(old, new, 1)), kind_of(tomllib.loads(text)))


GATES = 'schema = 1\n[[gate]]\nmetric = "peg_cvar95_bps"\nclass = "safety"\n'


@pytest.mark.parametrize(
    ("change", "right"),
    [
        (("", ""), True),
        (("peg_cvar95_bps", "caps_plus_buffer"), False),
        (('metric = "peg_cvar95_bps"', 'metric = "caps_plus_buffer"\nmax = 1.0'), True),
        (('metric = "peg_cvar95_bps"', 'metric = "caps_plus_buffer"\nmax = 1.0\ntolerance = 1'), False),
        (("peg_cvar95_bps", "peg_cvar95"), False),
        (("peg_cvar95_bps", "supply_change"), False),
        (('"peg_cvar95_bps"', '"supply_change"\ndirection = "higher"'), True),
        (('"safety"', '"safty"'), False),
        (('"safety"', '"safety"\ntolerance = -1'), False),
        (("[[gate]]", "[[gates]]"), False),
    ],
)
def test_gates(change, right, tmp_path):
    """Names of metrics, and which keys a metric takes."""
    file = tmp_path / "gates.toml"
    file.write_text(GATES.replace(*change, 1))
    assert (validate_file(file, load_gates=load_gates) == []) is right
    assert (refused(tomllib.loads(file.read_text()), "gates") == []) is right


def test_both_ways_to_write_a_table_pass():
    """[[asset]] or [amos.NAME-asset], [liability] or [amos.savings], quoted or dotted names."""
    state = tomllib.loads((STUDIES / "states" / "oeth-2024-10-16.toml").read_text(encoding="utf-8"))
    (asset,) = state.pop("asset")
    figure = {"value": 1.0, "assumed": "a test's", "low": 0.0, "high": 1.0}
    delay = asset.pop("access")
    del asset["price"], asset["name"]
    state["amos"]["validators-asset"] = {**asset, **delay}
    state["liability"] = {"deposited": {**figure, "high": 2.0}, "rate": figure}
    assert refused(state) == []
    assert refused({**state, "amos": {**state["amos"], "savings": state["liability"]}}) == ["$"]
    study = tomllib.loads((SEVERAL / "study.toml").read_text(encoding="utf-8"))
    for given in (
        {"pools.usdt.fee": 0},
        {"pools": {"usdt": {"fee": 0}}},
        {"markets": {"lp_flight_rate": 0}},
        {"markets.lp_flight_rate": 0},
    ):
        study["state"]["set"] = given
        assert refused(study) == []
    for given in ({"pools.usdt.fe": 0}, {"pools": {"usdt": {"fee": 9}}}, {"markets": {"lp_flight_rat": 0}}):
        study["state"]["set"] = given
        assert refused(study)
    study["state"]["set"] = {}
    study["current"] |= {"usdt-keeper.ceiling": 1e6, "usdp-keeper": {"ceiling": 1e6}, "regulator": {"alpha": 0.5}}
    assert refused(study) == []
    study["current"]["usdp-keeper"]["ceilng"] = 1e6
    assert refused(study) == ["$.current['usdp-keeper']"]
