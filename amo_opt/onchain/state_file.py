"""A state file beside what a chain said: what drifted, and the file with the figures that were read, its comments and layout as they were."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.config.arranged import ALONE, SAVINGS, SPELLED
from amo_opt.config.load import load_books
from amo_opt.config.schema import figures_by_name, left_out
from amo_opt.errors import AmoOptError, InputError
from amo_opt.files import read_file, write_whole
from amo_opt.onchain.raw_integers import CAPS, cap_raw, raw_integer
from amo_opt.protocol.addresses import INSTALL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amo_opt.onchain.state_read import Given, Reading
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.protocol.state import ProtocolState

MOST_BYTES = 4 * 1024 * 1024
FINEST = Decimal("0.001")
"""Part of a value that its last digit may stand for at most: a figure written as 1 is no figure known to one."""
AS_DOUBLES = Decimal("1e-12")
"""Two values nearer than this, relatively, are one: a parameter file holds doubles."""


@dataclass(frozen=True)
class Drift:
    """What the chain says otherwise than a file: ``what`` by its name there, both values as text, and what to set where that is a parameter file's."""

    what: str
    file: str
    chain: str
    to_set: str = ""


def drifted(reading: Reading, path: Path, state: ProtocolState) -> tuple[Drift, ...]:
    """Figures beyond the last digit that the file gives them, values of ``[reads]`` that are others now, and contracts that obey other accounts than the state says."""
    document = _parsed(path)
    found = []
    for figure in reading.figures:
        item = _figure_at(document, figure.name)
        written = None if item is None else Decimal(str(_text_of(item["value"])))
        if written is None:
            usual = left_out(figure.name)
            if usual is None or figures_by_name()[figure.name].metadata.get("fact") or figure.value == Decimal(usual):
                continue
            found.append(Drift(figure.name, "left out", f"{figure.value:f}"))
        elif abs(figure.value - written) >= _last_digit(written):
            found.append(Drift(figure.name, f"{written:f}", f"{figure.value:f}"))
    for given in reading.reads:
        held = state.reads.get(given.key)
        if held is not None and held.raw != given.raw:
            found.append(Drift(given.key, str(held.raw), str(given.raw)))
    return (*found, *_obeyed(reading, state))


def set_drifted(reading: Reading, values: ParameterSet, state: ProtocolState) -> tuple[Drift, ...]:
    """Parameters in force that a set has otherwise, as whole integers where the contract's are known; global caps are compared as the sums that the set's shares amount to."""
    found = []
    for given in reading.reads:
        name, raw = given.read.parameter, given.raw
        if not name or not isinstance(raw, int) or given.value is None:
            continue
        if name in CAPS:
            wanted = cap_raw(name, values, state)
            parts = ", ".join(CAPS[name][0])
            if wanted is not None and wanted != raw:
                found.append(Drift(given.key, str(wanted), str(raw), f"{parts}: together {given.value:f} tokens"))
            continue
        parameter, value = PARAMETERS[name], values.values()[name]
        wanted = raw_integer(parameter, value)
        there = given.value * Decimal(str(parameter.raw_seconds or 1)) / (3600 if parameter.unit == "h" else 1)
        if wanted is None:
            if abs(there - Decimal(value)) > AS_DOUBLES * max(abs(there), Decimal(1)):
                found.append(Drift(given.key, str(value), f"{there:f}", f"{name} = {_number(there)}"))
        elif wanted != raw:
            found.append(Drift(given.key, str(wanted), str(raw), f"{name} = {_number(there)}"))
    return tuple(found)


def write_state(reading: Reading, path: Path, *, partial: bool) -> tuple[Drift, ...]:
    """Puts what was read into the file, whole or not at all, and returns what changed; comments, order and all other figures stay. Raises `AmoOptError` where the file would be no state then."""
    import tomlkit

    document = _parsed(path)
    day = datetime.fromtimestamp(reading.block.timestamp, tz=UTC).date()
    changes = []
    for figure in reading.figures:
        item = _figure_at(document, figure.name)
        if item is None:
            usual = left_out(figure.name)
            table = _table_at(document, figure.name.rpartition(".")[0])
            if table is None or usual is None or figures_by_name()[figure.name].metadata.get("fact") or figure.value == Decimal(usual):
                continue
            before = "left out"
        else:
            table, before = _table_at(document, figure.name.rpartition(".")[0]), _text_of(item["value"])
        fresh = tomlkit.inline_table()
        fresh.append("value", _toml_number(figure.value))
        fresh.append("source", reading.source(figure))
        fresh.append("date", day)
        if item is not None:
            fresh.trivia.comment_ws, fresh.trivia.comment = item.trivia.comment_ws, item.trivia.comment
        table[figure.name.rpartition(".")[2]] = fresh
        after = _number(figure.value)
        if before.replace("_", "") != after:
            changes.append(Drift(figure.name, before, after))
    changes += _write_reads(document, reading, partial=partial)
    _keep(document.as_string(), path)
    return tuple(changes)


def _write_reads(document: Any, reading: Reading, *, partial: bool) -> Iterator[Drift]:
    """``[reads]`` anew: what was there and is not read now stays, with the block it was read at."""
    import tomlkit
    from tomlkit.items import KeyType, SingleKey

    before = {str(name): dict(entry) for name, entry in document.get("reads", {}).items()}
    table = tomlkit.table()
    table.add(
        tomlkit.comment(
            f"values in force and roles by chain {reading.chain_id}, as `amo-opt state` read them: payloads look at them, no result does"
        )
    )
    for code in reading.codes:
        behind = "" if code.implementation is None else f", a proxy of {code.implementation} ({code.standard})"
        table.add(tomlkit.comment(f"{code.entry} {code.address}: Keccak-256 of its code {code.hash}{behind}"))
    if partial:
        for unread in reading.unread:
            if unread.why != "no getter":
                table.add(tomlkit.comment(f"not read: {unread.what} ({unread.why})"))
    now = {
        given.key: {"raw": str(given.raw), "address": given.address, "block": reading.block.number, "hash": reading.block.hash}
        for given in reading.reads
    }
    for name, entry in {**before, **now}.items():
        fresh = tomlkit.inline_table()
        fresh.update(entry)
        table.add(SingleKey(name, t=KeyType.Basic), fresh)
        if name in now and name in before and before[name].get("raw") != entry["raw"]:
            yield Drift(name, str(before[name].get("raw")), entry["raw"])
    if "reads" in document:
        document["reads"] = table
    else:
        document.add(tomlkit.nl())
        document.add("reads", table)


def _keep(text: str, path: Path) -> None:
    """The file with that text, once it is a state."""
    trial = path.with_name(f".{os.getpid()}.reading.{path.name}")
    try:
        write_whole(trial, text)
        load_books(trial)
    except InputError as error:
        said = str(error.problems[0]).replace(str(trial), str(path))
        raise AmoOptError(f"what was read makes no state together with the rest of the file, which is left as it is: {said}") from None
    finally:
        with suppress(OSError):
            trial.unlink()
    write_whole(path, text)


def _obeyed(reading: Reading, state: ProtocolState) -> Iterator[Drift]:
    """Contracts whose setters obey nobody that the state names as their caller."""
    named = {contract.address.lower(): name for name, contract in state.contracts.items()}
    holders: dict[str, list[Given]] = {}
    for given in reading.reads:
        if given.read.obeys and isinstance(given.read.contract, str):
            holders.setdefault(given.read.contract, []).append(given)
    for entry, each in holders.items():
        caller = state.contracts[entry].caller or "safe"
        said = state.contracts.get(caller)
        if said is not None and said.address.lower() not in {str(given.raw).lower() for given in each}:
            told = ", ".join(f"{given.key} = {named.get(str(given.raw).lower(), given.raw)}" for given in each)
            yield Drift(f"contracts.{entry}.caller", caller, told)


# -- places in a file


def _parsed(path: Path) -> Any:
    try:
        import tomlkit
    except ImportError as error:
        raise AmoOptError(f"a state file is kept as it is laid out with the extra: {INSTALL}") from error
    try:
        return tomlkit.parse(read_file(path, most=MOST_BYTES).decode("utf-8"))
    except OSError as error:
        raise AmoOptError(f"{path}: {error.strerror or error}") from error


def _table_at(document: Any, name: str) -> Any:
    """The table of that dotted name, however the file has it (`config.arranged`); None where it is not there."""
    room, _, inner = name.partition(".")
    found = document.get(room)
    if room == "pool" and isinstance(found, list):
        return found[0]
    if not inner:
        return found
    entry = _listed(document, room, inner)
    if entry is not None:
        return entry
    for part in inner.split("."):
        found = None if found is None else found.get(part)
    return found


def _listed(document: Any, room: str, name: str) -> Any:
    """The entry of ``[[pool]]``, ``[[amo]]`` or ``[[asset]]`` that is that table, or ``[liability]``."""
    if room == "pools":
        pools = document.get("pool")
        return next((each for each in pools[1:] if each.get("name") == name), None) if isinstance(pools, list) else None
    if room != "amos":
        return None
    for each in document.get("amo", ()):
        kind, label = str(each.get("kind")), each.get("name")
        if name == (ALONE.get(kind, kind) if label is None else f"{label}-{SPELLED.get(kind, kind)}"):
            return each
    if name == SAVINGS and "liability" in document:
        return document["liability"]
    return next((each for each in document.get("asset", ()) if f"{each.get('name')}-asset" == name), None)


def _figure_at(document: Any, name: str) -> Any:
    table = _table_at(document, name.rpartition(".")[0])
    return None if table is None else table.get(name.rpartition(".")[2])


# -- numbers


def _text_of(item: Any) -> str:
    """A number as the file writes it."""
    return str(item.as_string()) if hasattr(item, "as_string") else str(item)


def _last_digit(written: Decimal) -> Decimal:
    """How far off a figure may be for the digits it is written with."""
    exponent = written.as_tuple().exponent
    return min(Decimal(1).scaleb(int(exponent)), abs(written) * FINEST) or Decimal("1e-78")


def _number(value: Decimal) -> str:
    """The shortest digits of its double; a whole number without a point."""
    return str(int(value)) if value == value.to_integral_value() and abs(value) < 2**53 else repr(float(value))


def _toml_number(value: Decimal) -> Any:
    """The same as a number of TOML, thousands set off as state files write them."""
    import tomlkit

    text = _number(value)
    whole, point, fraction = text.partition(".")
    if "e" in text or len(whole.lstrip("-")) < 5:
        return tomlkit.value(text)
    return tomlkit.value(f"{int(whole):_}{point}{fraction}")
