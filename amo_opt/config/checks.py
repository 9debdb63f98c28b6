"""What holds between keys: of a figure, ordered pairs, search ranges, scenarios; a state's figures together are in `balance`.

Each check looks at the file as written and passes over values that the form already refused, so that every problem of a file is
reported at once, whatever else is wrong with it.
"""

from __future__ import annotations

import math
import re
from dataclasses import MISSING, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from amo_opt.amos.catalogue import MECHANISMS
from amo_opt.amos.kinds import ASSET, LABEL, ON_POOLS, is_taken, label_of, mechanism_of
from amo_opt.amos.parameters import PARAMETERS, is_named
from amo_opt.amos.pools import MOST_POOLS
from amo_opt.config.schema import FIGURE_FORM, MARKETS_OF, figures_by_name, named_figures, parameter_key, section_at
from amo_opt.config.study import LEAST_DRAWS, ReportSettings
from amo_opt.config.wording import nearest, shown
from amo_opt.protocol.addresses import chain_of, checksummed, has_keccak, has_wrong_checksum, is_nobodys
from amo_opt.protocol.parameters import ORDERED_PAIRS, Parameter
from amo_opt.stress.catalogue import CALM, load_scenario, scenario_names
from amo_opt.stress.facts import FACTS, stated
from amo_opt.stress.settings import SETTINGS
from amo_opt.stress.settings import is_named as is_named_setting
from amo_opt.stress.touches import reached, table_of_series
from amo_opt.stress.touches import tables_of as tables_of_setting
from amo_opt.wording import USD, in_account, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from amo_opt.config.toml_file import Document, Key
    from amo_opt.errors import Problem
    from amo_opt.protocol.state import ProtocolState

TABLES = ("stablecoin", "collateral", "controller", "redeem", "mint", "pool", "markets", "contracts", "rewards", "liability")
"""Tables of a state that no asset is called by."""
SPACE: Key = ("search", "space")
SET: Key = ("state", "set")
DEFAULTS: Key = ("scenario_defaults", "set")


@dataclass(frozen=True)
class Placed:
    """A number and where it was written."""

    value: float
    document: Document
    key: Key


def number_at(document: Document, key: Key) -> float | None:
    """The finite number at ``key``; None if it is anything else."""
    value = document.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


# -- states ------------------------------------------------------------------------------------------------------------------


def state_problems(document: Document) -> Iterator[Problem]:
    """Each figure by itself; what they must satisfy together is in `balance`."""
    for name in figures_of(document):
        key = tuple(name.split("."))
        figure = document.get(key)
        if isinstance(figure, dict):
            yield from _figure_problems(document, key, figure, figures_by_name()[name].metadata)


def tables_of(document: Document) -> tuple[str, ...]:
    """The tables of a state file whose names it chose, by dotted name, further pools first; what none can have is left to the form."""
    found = []
    for room in ("pools", "amos"):
        inner = document.get((room,))
        names = list(inner) if isinstance(inner, dict) else []
        found += [f"{room}.{name}" for name in names if section_at(f"{room}.{name}") is not None]
    return tuple(found)


def figures_of(document: Document) -> tuple[str, ...]:
    """The dotted names of every figure that a state file may hold with the tables that it has."""
    return (*figures_by_name(), *named_figures(tables_of(document)))


def pool_problems(document: Document) -> Iterator[Problem]:
    """Pools that are called alike, AMOs on pools that are not there, several keepers without the regulator that tells them a price."""
    first, further = document.get(("pool_name",)) or "", document.get(("pools",))
    further = further if isinstance(further, dict) else {}
    if first and first in further:
        yield document.problem(
            ("pools", first), "two pools of that name", found=shown(first), allowed="a name of its own for each [[pool]]"
        )
    if further and not first:
        yield document.problem(("pools",), "the first pool has no name", allowed='name = "…" in the first [[pool]], as there are several')
    pools = [name for name in (first, *further) if name]
    keepers = []
    amos = document.get(("amos",))
    for name in amos if isinstance(amos, dict) else ():
        label, word = label_of(name)
        if word in ON_POOLS and label not in pools:
            hint = nearest(label, pools) if pools else "name the pool: [[pool]] with name = …"
            yield document.problem(
                ("amos", name), "works a pool that is not there", found=shown(label), allowed=", ".join(pools) or None, hint=hint
            )
        if word == "keeper":
            keepers.append(name)
    if keepers and not isinstance(document.get(("amos", "regulator")), dict):
        allowed = "a table [amos.regulator]: it says what a keeper is told of the price, and what it may do"
        yield document.problem(("amos", keepers[0]), "a keeper of a named pool without a regulator", allowed=allowed)
    if isinstance(document.get(("amos", "regulator")), dict) and not keepers:
        allowed = 'at least one [[amo]] of kind "peg-keeper" with a name'
        yield document.problem(("amos", "regulator"), "a regulator without a keeper", allowed=allowed)
    for other in ("peg_keeper", "curve"):
        if keepers and isinstance(document.get(("amos", other)), dict):
            allowed = f"one of [amos.{other}] and [amos.{keepers[0]}]: each takes the protocol's LP tokens for its own"
            yield document.problem(("amos", other), "two AMOs that work the same pool", allowed=allowed)


def name_problems(document: Document) -> Iterator[Problem]:
    """Pools whose names would give their series another's, and more of them than stand side by side."""
    further = document.get(("pools",))
    if isinstance(further, dict) and len(further) >= MOST_POOLS:
        allowed = f"at most {MOST_POOLS - 1} beside the first"
        yield document.problem(("pools",), "too many pools", found=f"{len(further)} tables", allowed=allowed)
    places: dict[object, Key] = {document.get(("pool_name",)): ("pool_name",)}
    places |= {name: ("pools", name) for name in (further if isinstance(further, dict) else {})}
    for name, key in places.items():
        if isinstance(name, str) and LABEL.fullmatch(name) and is_taken(name):
            allowed = "another name: its keeper's series would be called as that of the keeper without a name"
            yield document.problem(key, "a pool's name that stands for something else", found=shown(name), allowed=allowed)


def hold_problems(document: Document) -> Iterator[Problem]:
    """What is only held of the first pool beside an AMO that takes the protocol's part of that for its own."""
    amos = document.get(("amos",))
    amos = amos if isinstance(amos, dict) else {}
    held = f"{document.get(('pool_name',))}-hold"
    for other in ("curve", "rebalancer"):
        if isinstance(amos.get(held), dict) and isinstance(amos.get(other), dict):
            allowed = f"one of [amos.{other}] and [amos.{held}]: the former takes the protocol's LP tokens for its own"
            yield document.problem(("amos", held), "an AMO that works the same pool", allowed=allowed)


def opposite_problems(document: Document) -> Iterator[Problem]:
    """A coin opposite that is told in two ways, and a ramp of A of which half is said."""
    further = document.get(("pools",))
    further = further if isinstance(further, dict) else {}
    for name in further:
        key: Key = ("pools", name)
        virtual, price, rate, shared = (
            number_at(document, (*key, each, "value")) or 0.0
            for each in ("base_virtual_price", "opposite_price", "opposite_rate", "base_shared")
        )
        if virtual > 0.0 and (price or rate):
            allowed = "base_virtual_price where a base pool's LP token stands opposite, opposite_price and opposite_rate where a coin does"
            yield document.problem(key, "a coin opposite told in two ways", allowed=allowed)
        if shared and not virtual:
            allowed = "with base_virtual_price: it says that the pool's base is the first pool's"
            yield document.problem((*key, "base_shared"), "a base pool that is not there", found=plain(shared), allowed=allowed)
        if shared not in (0.0, 1.0):
            yield document.problem((*key, "base_shared"), "neither shared nor its own", found=plain(shared), allowed="0 or 1")
    coins = number_at(document, ("pool", "base_coins", "value"))
    if coins not in (None, 1.0, 3.0):
        yield document.problem(("pool", "base_coins"), "neither one coin nor three", found=plain(coins), allowed="1 or 3")
    for key in (("pool",), *(("pools", name) for name in further)):
        future, left = (number_at(document, (*key, each, "value")) or 0.0 for each in ("future_amplification", "ramp_hours_left"))
        if (future > 0.0) != (left > 0.0):
            at = "future_amplification" if future > 0.0 else "ramp_hours_left"
            allowed = "future_amplification and ramp_hours_left, both above 0, or neither"
            yield document.problem((*key, at), "half of a ramp of A", found=plain(future or left), allowed=allowed)
        elif 0.0 < future < 1.0:
            yield document.problem((*key, "future_amplification"), "no A", found=plain(future), allowed="at least 1")


def asset_problems(document: Document) -> Iterator[Problem]:
    """Assets that are called as something else of the state is."""
    amos, further = document.get(("amos",)), document.get(("pools",))
    pools = {document.get(("pool_name",)), *(further if isinstance(further, dict) else ())}
    for name in amos if isinstance(amos, dict) else ():
        label, word = label_of(name)
        taken = label in TABLES or label in pools or any(label in (each.name, each.name.replace("_", "")) for each in MECHANISMS)
        if word == ASSET and taken:
            what = "a pool's" if label in pools else "that of a table of the state"
            yield document.problem(
                ("amos", name),
                "an asset by a name that is taken",
                found=shown(label),
                allowed="a name of its own",
                hint=f"{label} is {what}",
            )


def setting_problems(document: Document, state: ProtocolState) -> Iterator[Problem]:
    """Settings and waypoints of a mechanism with a name that the state does not have."""
    places: list[Key] = [("scenario_defaults",)]
    entries = document.get(("scenario",))
    places += [("scenario", place) for place in range(len(entries) if isinstance(entries, list) else 0)]
    for place in places:
        for part in ("set", "waypoints"):
            written = document.get((*place, part))
            for name in written if isinstance(written, dict) else ():
                tables = tables_of_setting(name) if part == "set" and is_named_setting(name) else ()
                tables = (table_of_series(name),) if part == "waypoints" and mechanism_of(name) is not None else tables
                for table in tables:
                    if not state.has(table):
                        message, allowed = (
                            "belongs to a mechanism that the state does not have",
                            f"left out, or a table [{table}] in the state",
                        )
                        found = shown(written[name]) if part == "set" else None
                        yield document.problem((*place, part, name), message, found=found, allowed=allowed)


def table_problems(document: Document) -> Iterator[Problem]:
    """Figures of ``[markets]`` that are asked for with another table: missing beside it, or there without it."""
    for name, table in MARKETS_OF.items():
        if figures_by_name()[name].metadata["behaviour"]:
            continue
        key = tuple(name.split("."))
        there, asked = document.get(key) is not None, isinstance(document.get(tuple(table.split("."))), dict)
        doc = figures_by_name()[name].metadata["doc"]
        optional = figures_by_name()[name].default is not MISSING
        if asked and not there and not optional and isinstance(document.get(("markets",)), dict):
            yield document.problem(key, "missing", allowed=f"{FIGURE_FORM} ({doc}), as there is a table [{table}]")
        elif there and not asked:
            yield document.problem(key, "belongs to a mechanism that the state does not have", found=doc, allowed=f"with a table [{table}]")
    for keeper in (("amos", "peg_keeper"), ("amos", "rebalancer")):
        if isinstance(document.get(keeper), dict) and isinstance(document.get(("amos", "curve")), dict):
            allowed = f"one of [amos.curve] and [{'.'.join(keeper)}]: each takes the protocol's LP tokens for its own"
            yield document.problem(keeper, "two AMOs that work the same pool", allowed=allowed)


def behaviour_problems(behaviour: Document, state: Document) -> Iterator[Problem]:
    """Figures of how those behave whom a table of the state brings, and that the file of behaviour leaves out."""
    for name, table in MARKETS_OF.items():
        entry = figures_by_name()[name]
        if not entry.metadata["behaviour"] or not isinstance(state.get(tuple(table.split("."))), dict):
            continue
        if behaviour.get(tuple(name.split("."))) is None and isinstance(behaviour.get(("markets",)), dict):
            allowed = f"{FIGURE_FORM} ({entry.metadata['doc']}), as there is a table [{table}]"
            yield behaviour.problem(tuple(name.split(".")), "missing", allowed=allowed)


def written_figures(document: Document) -> dict[str, Placed]:
    """The figures a state file holds, by dotted name, with their places."""
    found = {name: number_at(document, (*name.split("."), "value")) for name in figures_of(document)}
    return {name: Placed(value, document, tuple(name.split("."))) for name, value in found.items() if value is not None}


def _figure_problems(document: Document, key: Key, figure: Mapping[str, Any], limits: Mapping[str, Any]) -> Iterator[Problem]:
    sourced, assumed = "source" in figure, "assumed" in figure
    if sourced == assumed:
        message = "says both where it comes from and that it is assumed" if sourced else "does not say where it comes from"
        yield document.problem(key, message, found=shown(figure), allowed=FIGURE_FORM)
    else:
        foreign = ("low", "high") if sourced else ("date",)
        message = "a range belongs to an assumed figure" if sourced else "a date belongs to a source"
        for part in foreign:
            if part in figure:
                yield document.problem((*key, part), message, found=shown(figure[part]), allowed=FIGURE_FORM)
        for part in ("low", "high"):
            if assumed and part not in figure:
                yield document.problem((*key, part), "missing", allowed="the range a reader may try, around the assumed value")
    yield from _figure_range_problems(document, key, figure, limits)


def _figure_range_problems(document: Document, key: Key, figure: Mapping[str, Any], limits: Mapping[str, Any]) -> Iterator[Problem]:
    span = f"{plain(limits['low'])} to {plain(limits['high'])} {limits['unit']}".rstrip()
    numbers = {part: number_at(document, (*key, part)) for part in ("value", "low", "high")}
    for part, number in numbers.items():
        if number is not None and not limits["low"] <= number <= limits["high"]:
            yield document.problem((*key, part), "out of range", found=shown(figure[part]), allowed=f"{span} ({limits['doc']})")
    value, low, high = numbers["value"], numbers["low"], numbers["high"]
    if low is not None and high is not None and low > high:
        yield document.problem((*key, "low"), "above high", found=plain(low), allowed=f"at most {plain(high)}")
    elif value is not None and ((low is not None and value < low) or (high is not None and value > high)):
        yield document.problem((*key, "value"), "outside its own range", found=plain(value), allowed="low <= value <= high")


_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")


def contract_problems(document: Document) -> Iterator[Problem]:
    """Addresses that are nobody's, that two entries share, whose source lists another chain's, or whose capitals are not those of EIP-55 (a digit was mistyped), and callers
    that no entry names.

    Without Keccak no capitals can be checked, and nothing is written on chain's behalf either: the Safe batch needs it too.
    """
    contracts = document.get(("contracts",))
    if not isinstance(contracts, dict):
        return
    seen: dict[str, str] = {}
    for name, entry in contracts.items():
        if not isinstance(entry, dict):
            continue
        address, caller, key = entry.get("address"), entry.get("caller"), ("contracts", name)
        yield from _chain_problems(document, key, entry, contracts.get("chain_id", 1))
        if isinstance(address, str) and _ADDRESS.fullmatch(address):
            first = seen.setdefault(address.lower(), name)
            if is_nobodys(address):
                yield document.problem((*key, "address"), "nobody's address", found=shown(address), allowed="the address that is called")
            elif first != name:
                allowed = "an address of its own"
                hint = f'an account that plays two roles has one table, which the other contracts name: caller = "{first}"'
                message = f"the address of [contracts.{first}] too"
                yield document.problem((*key, "address"), message, found=shown(address), allowed=allowed, hint=hint)
            elif has_keccak() and has_wrong_checksum(address):
                allowed = f"{checksummed(address)} if every digit is right"
                yield document.problem((*key, "address"), "wrong checksum (EIP-55)", found=shown(address), allowed=allowed)
        if isinstance(caller, str) and not isinstance(contracts.get(caller), dict):
            known = [each for each, table in contracts.items() if isinstance(table, dict)]
            yield document.problem((*key, "caller"), "no such contract", found=shown(caller), hint=nearest(caller, known))


def _chain_problems(document: Document, key: Key, entry: Mapping[str, Any], chain_id: object) -> Iterator[Problem]:
    """A registry's part for another chain than the state's: the same digits are another contract there, or nobody."""
    for part in ("source", "path"):
        text = entry.get(part)
        named = chain_of(text) if isinstance(text, str) else None
        if named is not None and isinstance(chain_id, int) and named[1] != chain_id:
            allowed = f"the address on chain {chain_id}, or [contracts] chain_id = {named[1]}"
            yield document.problem((*key, part), "read from another chain's registry", found=shown(named[0]), allowed=allowed)


_READ = re.compile(r"([A-Za-z0-9_-]+)\.[A-Za-z_]\w*\([^()]*\)", re.ASCII)


def read_problems(document: Document) -> Iterator[Problem]:
    """What was read on chain and is said of no contract of the file, or of another address than the file has for it."""
    reads, contracts = document.get(("reads",)), document.get(("contracts",))
    tables = {name: table for name, table in contracts.items() if isinstance(table, dict)} if isinstance(contracts, dict) else {}
    for name, read in reads.items() if isinstance(reads, dict) else ():
        said = _READ.fullmatch(name)
        if said is None:
            yield document.problem(
                ("reads", name), "no call of a contract", found=shown(name), allowed='"contract.getter()", the contract one of [contracts]'
            )
        elif said[1] not in tables:
            yield document.problem(("reads", name), "no such contract", found=shown(said[1]), hint=nearest(said[1], tables))
        elif isinstance(read, dict) and str(read.get("address")).lower() != str(tables[said[1]].get("address")).lower():
            allowed = f"the address of [contracts.{said[1]}], or the read again at another (amo-opt state)"
            yield document.problem(("reads", name, "address"), "another contract's", found=shown(read.get("address")), allowed=allowed)


def date_problems(document: Document, state: Document) -> Iterator[Problem]:
    """What the state says was read after the study's date: its own date, and that of each figure."""
    today = _day_at(document, ("date",))
    if today is None:
        return
    for key in (("date",), *((*name.split("."), "date") for name in figures_of(state))):
        day = _day_at(state, key)
        if day is not None and day > today:
            allowed = f"at most {today.isoformat()}, the date of the study {document.label}"
            yield state.problem(key, "lies after the study's date", found=day.isoformat(), allowed=allowed)


def _day_at(document: Document, key: Key) -> date | None:
    """The date at ``key``; None if it is anything else, a date with a time included."""
    value = document.get(key)
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


# -- parameters --------------------------------------------------------------------------------------------------------------


def named_parameters(document: Document, table: Key) -> tuple[str, ...]:
    """The parameters that a table holds of mechanisms whose names a state chose."""
    written = document.get(table) if table else document.data
    return tuple(name for name in written if is_named(name)) if isinstance(written, dict) else ()


def parameters_written(document: Document, table: Key) -> tuple[str, ...]:
    """`PARAMETERS`, and those that the table holds beside them."""
    return (*PARAMETERS, *named_parameters(document, table))


def written_parameters(document: Document, table: Key = ()) -> dict[str, Placed]:
    """The parameters a table holds, with their places; those that a whole file may leave out take their default."""
    found = {name: number_at(document, (*table, name)) for name in parameters_written(document, table)}
    if not table:
        found |= {name: each.default for name, each in PARAMETERS.items() if name not in document.data}
    return {name: Placed(value, document, (*table, name)) for name, value in found.items() if value is not None}


def parameter_problems(document: Document, table: Key, *, has: Callable[[str], bool], asked: Iterable[str] = ()) -> Iterator[Problem]:
    """Parameters of mechanisms that the protocol has and a whole file leaves out; and any of one that it does not have; ``asked`` are the names
    of parameters of mechanisms whose names the state chose.
    """
    written = document.get(table) if table else document.data
    if not isinstance(written, dict):
        return
    for name in dict.fromkeys((*parameters_written(document, table), *asked)):
        parameter = PARAMETERS[name]
        if name in written and not has(parameter.of):
            message = "belongs to a mechanism that the state does not have"
            allowed = (
                f"left out, or a table [{parameter.of}] in the state" if parameter.of != "amos" else "left out, or an AMO in the state"
            )
            yield document.problem((*table, name), message, found=shown(written[name]), allowed=allowed)
        elif not table and name not in written and parameter.default is None and has(parameter.of):
            yield document.problem((name,), "missing", allowed=parameter_key(parameter)[1].description)


def pair_problems(values: Mapping[str, Placed]) -> Iterator[Problem]:
    """The first of an ordered pair lies below the second; the problem stands where the pair was last touched."""
    for low, high in ORDERED_PAIRS:
        if low not in values or high not in values or values[low].value < values[high].value:
            continue
        # an override in [current] is what broke the pair if either came from one
        at, allowed = (low, f"below {high} = {plain(values[high].value)}")
        if len(values[high].key) > len(values[low].key):
            at, allowed = (high, f"above {low} = {plain(values[low].value)}")
        place = values[at]
        yield place.document.problem(place.key, f"{low} must lie below {high}", found=plain(place.value), allowed=allowed)


# -- the search's space ------------------------------------------------------------------------------------------------------


def space_problems(document: Document, current: Mapping[str, Placed]) -> Iterator[Problem]:
    """Every range against its parameter, then ordered pairs, which must leave the search something to sample."""
    space = document.get(SPACE)
    if not isinstance(space, dict):
        return
    if not space:
        yield document.problem(SPACE, "nothing to search", allowed="at least one parameter with { low = …, high = … }")
    for name in parameters_written(document, SPACE):
        if isinstance(space.get(name), dict):
            yield from _range_problems(document, (*SPACE, name), PARAMETERS[name])
    for low, high in ORDERED_PAIRS:
        if low not in space and high not in space:
            continue
        least = number_at(document, (*SPACE, low, "low")) if low in space else _value(current, low)
        most = number_at(document, (*SPACE, high, "high")) if high in space else _value(current, high)
        if least is not None and most is not None and least >= most:
            at = low if low in space else high
            message = f"no value of {low} lies below one of {high}"
            allowed = f"lowest {low} ({plain(least)}) below highest {high} ({plain(most)}); what is not searched stays at the current set's"
            yield document.problem((*SPACE, at), message, found=shown(space[at]), allowed=allowed)


def _value(current: Mapping[str, Placed], name: str) -> float | None:
    return current[name].value if name in current else None


def _range_problems(document: Document, key: Key, parameter: Parameter) -> Iterator[Problem]:
    low, high = number_at(document, (*key, "low")), number_at(document, (*key, "high"))
    span = f"{plain(parameter.low)} to {plain(parameter.high)} {parameter.unit}".rstrip()
    for part, value in (("low", low), ("high", high)):
        if value is None:
            continue
        if not parameter.low <= value <= parameter.high:
            yield document.problem((*key, part), f"beyond what {parameter.name} may be", found=plain(value), allowed=span)
        elif parameter.kind == "integer" and not value.is_integer():
            yield document.problem((*key, part), "not a whole number", found=plain(value), allowed=f"a whole number, {span}")
    if low is not None and high is not None and low >= high:
        hint = "leave the name out to keep it at the current set's value"
        yield document.problem(key, "low is not below high", found=shown(document.get(key)), allowed="low < high", hint=hint)
    if low is not None and parameter.low <= low <= 0.0 and document.get((*key, "log")) is True:
        yield document.problem((*key, "low"), "a logarithm needs a positive low", found=plain(low), allowed="above 0, or log = false")


# -- scenarios ---------------------------------------------------------------------------------------------------------------


def _refused(name: str, settings: Mapping[str, Any], waypoints: Mapping[str, Any]) -> str | None:
    """What the catalogue's entry ``name`` does not take of these, in words."""
    try:
        load_scenario(name, settings=settings, waypoints=waypoints)
    except ValueError as error:
        return str(error).removeprefix(f"scenario {name!r}: ")
    return None


def _change_problems(document: Document, key: Key, name: str, entry: Mapping[str, Any], defaults: Mapping[str, Any]) -> Iterator[Problem]:
    """Settings and waypoints that the catalogue's entry ``name`` does not take."""
    for part in ("set", "waypoints"):
        values = entry.get(part, {})
        if isinstance(values, dict):
            found = _refused(name, {**defaults, **values}, {}) if part == "set" else _refused(name, {}, values)
            if found is not None:
                yield document.problem((*key, part), found)


def scenario_problems(document: Document) -> Iterator[Problem]:
    """Names of the catalogue, once each; settings that the entry takes; weights that are not all zero."""
    entries = document.get(("scenario",))
    if not isinstance(entries, list):
        return
    if not entries:
        yield document.problem(("scenario",), "no scenario", allowed="at least one [[scenario]]")
    defaults = document.get(DEFAULTS)
    defaults = defaults if isinstance(defaults, dict) else {}
    if (found := _refused(CALM, defaults, {})) is not None:
        yield document.problem(DEFAULTS, found, allowed="settings that calm has, as every scenario stands on it")
        defaults = {}
    seen: set[str] = set()
    weights: list[float | None] = []
    for index, entry in enumerate(entries):
        name = entry.get("name") if isinstance(entry, dict) else None
        key: Key = ("scenario", index)
        if not isinstance(name, str):
            weights.append(None)
            continue
        if name in seen:
            hint = "give it one entry, with the sum of the weights"
            yield document.problem((*key, "name"), "named twice", found=shown(name), allowed="each scenario once", hint=hint)
        seen.add(name)
        if name not in scenario_names():
            yield document.problem((*key, "name"), "unknown scenario", found=shown(name), hint=nearest(name, scenario_names()))
            weights.append(None)
            continue
        weights.append(number_at(document, (*key, "weight")) if "weight" in entry else load_scenario(name).weight)
        yield from _change_problems(document, key, name, entry, defaults)
    if weights and all(weight == 0.0 for weight in weights):
        yield document.problem(("scenario",), "every weight is 0", allowed="at least one weight above 0")


def behaviour_unit(behaviour: Document | None) -> str:
    """The unit of account that a behaviour file counts in."""
    return str(behaviour.data.get("unit", USD)) if behaviour is not None else USD


def uncounted(behaviour: Document | None, state: ProtocolState) -> tuple[str, ...]:
    """Amounts of a behaviour file, by dotted name, that are in another unit of account than the state's."""
    if behaviour is None or behaviour_unit(behaviour) == state.unit:
        return ()
    return tuple(name for name, entry in figures_by_name().items() if entry.metadata["behaviour"] and USD in entry.metadata["unit"])


def unit_problems(document: Document, behaviour: Document | None, state: ProtocolState) -> Iterator[Problem]:
    """Amounts that the catalogue and a behaviour file say in another unit of account than the state's, and that the study does not say anew.

    The catalogue's are in dollars; a behaviour file says its own unit.
    """
    for name in uncounted(behaviour, state):
        if document.get((*SET, name)) is None and document.get((*SET, *name.split("."))) is None:
            unit, said = in_account(figures_by_name()[name].metadata["unit"], state.unit), shown(behaviour_unit(behaviour))
            allowed = f"a number of {unit} ({figures_by_name()[name].metadata['doc']}), as the behaviour file counts in {said}"
            yield document.problem((*SET, name), "missing", allowed=allowed)
    if state.unit == USD:
        return
    defaults = document.get(DEFAULTS)
    given = {*(defaults if isinstance(defaults, dict) else ()), *settings_in(state.unit), *stated(state)}
    missing: dict[str, None] = {}
    for entry in document.get(("scenario",)) or ():
        if isinstance(entry, dict) and entry.get("name") in scenario_names():
            own, settings = entry.get("set"), load_scenario(str(entry["name"])).settings
            held = given | set(own if isinstance(own, dict) else ())
            missing |= dict.fromkeys(name for name in settings if SETTINGS[name].amount and name not in held and reached(name, state.has))
    for name in missing:
        allowed = f"a number of {in_account(SETTINGS[name].unit, state.unit)} ({SETTINGS[name].doc}){_in_state(name)}: the catalogue's is of a market in dollars"
        yield document.problem((*DEFAULTS, name), "missing", allowed=allowed)


def _in_state(setting: str) -> str:
    return f", or {FACTS[setting]} in the state" if setting in FACTS else ""


def settings_in(unit: str) -> dict[str, float]:
    """Settings that follow from a state's unit of account: gas is paid in ether, which is worth one of itself."""
    return {"eth_usd": 1.0} if unit.upper() == "ETH" else {}


# -- dates of the proposal ---------------------------------------------------------------------------------------------------


def draws_problems(document: Document) -> Iterator[Problem]:
    """Draws of what is assumed that are too few for a response to be fitted to them."""
    draws = number_at(document, ("certification", "draws"))
    if draws is not None and 0 < draws < LEAST_DRAWS:
        allowed = f"0 (nothing is drawn) or {LEAST_DRAWS} to 4096"
        yield document.problem(("certification", "draws"), "too few draws to tell a share", found=plain(draws), allowed=allowed)


def report_problems(document: Document) -> Iterator[Problem]:
    """A proposal that expires before it is to be executed."""
    defaults = ReportSettings()
    names = ("execution_delay_days", "execution_window_days", "expiry_days")
    written = [number_at(document, ("report", name)) for name in names]
    delay, window, expiry = (getattr(defaults, name) if value is None else value for name, value in zip(names, written, strict=True))
    if expiry < delay + window:
        at = next(name for name, value in reversed(list(zip(names, written, strict=True))) if value is not None)
        allowed = f"expiry_days of at least execution_delay_days + execution_window_days = {plain(delay + window)}"
        yield document.problem(("report", at), "expires before it is executed", found=f"expiry_days = {plain(expiry)}", allowed=allowed)
