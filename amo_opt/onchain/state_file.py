"""A state file beside what a chain said: what drifted, and the file with the figures that were read, line by line, so that comments and layout stay as they were."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.config.arranged import arranged
from amo_opt.config.load import load_books
from amo_opt.config.schema import figures_by_name, given_figures, left_out
from amo_opt.config.toml_file import Document, Key, read_document
from amo_opt.errors import AmoOptError, InputError
from amo_opt.files import write_whole
from amo_opt.onchain.raw_integers import CAPS, SECONDS_AN_HOUR, cap_raw, raw_integer
from amo_opt.onchain.signatures import SAFE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amo_opt.onchain.state_read import FigureRead, Given, Reading
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.protocol.state import ProtocolState

FINEST = Decimal("0.001")
"""Part of a value that its last digit may stand for at most: a figure written as 1 is not known to one."""
AS_DOUBLES = Decimal("1e-12")
"""Two values nearer than this, relatively, are one: a parameter file holds doubles."""
_STRING = r'"(?:\\.|[^"\\])*"|\'[^\']*\''
_FIGURE = re.compile(rf"(?P<key>[^=#]*=\s*)(?P<table>\{{(?:{_STRING}|[^\"'{{}}#])*\}})(?P<rest>.*)", re.DOTALL)
_VALUE = re.compile(r"[{,]\s*value\s*=\s*(?P<number>[^\s,}]+)")
_HEADER = re.compile(r"\s*\[")
_READS = re.compile(r"\s*\[\s*reads\s*\]\s*(#.*)?$")


@dataclass(frozen=True)
class Drift:
    """What the chain says otherwise than a file: ``what`` by its name there, both values as text, and what to set where that is a parameter file's."""

    what: str
    file: str
    chain: str
    to_set: str = ""


def drifted(reading: Reading, path: Path, state: ProtocolState) -> tuple[Drift, ...]:
    """Figures beyond the last digit that the file gives them, values of ``[reads]`` that are others now, and contracts that obey nobody whom the state names as their caller."""
    file = _File(path)
    found = []
    for figure in reading.figures:
        written = file.number(figure.name)
        if written is None:
            if _belongs(figure):
                found.append(Drift(figure.name, "left out", number(figure.value)))
        elif abs(figure.value - Decimal(written)) >= _last_digit(Decimal(written)):
            found.append(Drift(figure.name, written, number(figure.value)))
    for given in reading.reads:
        held = state.reads.get(given.key)
        if held is not None and held.raw != given.raw:
            found.append(Drift(given.key, str(held.raw), str(given.raw)))
    return (*found, *_obeyed(reading, state))


def set_drifted(reading: Reading, values: ParameterSet, state: ProtocolState) -> tuple[Drift, ...]:
    """Parameters in force that a set has otherwise, as whole integers where the contract's are known; global caps are compared as the sums that the set's shares amount to."""
    found, held = [], values.values()
    for given in reading.reads:
        name, raw = given.read.parameter, given.raw
        if not name or not isinstance(raw, int) or given.value is None:
            continue
        if name in CAPS:
            wanted = cap_raw(name, values, state)
            if wanted is not None and wanted != raw:
                found.append(Drift(given.key, str(wanted), str(raw), f"{', '.join(CAPS[name][0])}: together {number(given.value)} tokens"))
            continue
        parameter, value = PARAMETERS[name], held[name]
        wanted = raw_integer(parameter, value)
        there = given.value * Decimal(str(parameter.raw_seconds or 1)) / (SECONDS_AN_HOUR if parameter.unit == "h" else 1)
        same = abs(there - Decimal(value)) <= AS_DOUBLES * max(abs(there), Decimal(1)) if wanted is None else wanted == raw
        if not same:
            found.append(Drift(given.key, str(value if wanted is None else wanted), str(raw), f"{name} = {number(there)}"))
    return tuple(found)


def write_state(reading: Reading, path: Path, state: ProtocolState, *, partial: bool) -> tuple[Drift, ...]:
    """Puts what was read into the file, whole or not at all, and returns what changed; comments, order and all other figures stay.

    Raises `AmoOptError` where a figure is written in a way that cannot be replaced in its line, and where the file would be no state then, or another than was meant.
    """
    file = _File(path)
    changes = []
    for figure in reading.figures:
        before = file.number(figure.name)
        if before is None and not _belongs(figure):
            continue
        file.put(figure.name, _as_figure(reading, figure))
        if before is None or Decimal(before) != figure.value:
            changes.append(Drift(figure.name, before or "left out", number(figure.value)))
    file.end_with(_as_reads(reading, file.reads, partial=partial))
    changes += [
        Drift(each.key, str(state.reads[each.key].raw), str(each.raw))
        for each in reading.reads
        if each.key in state.reads and state.reads[each.key].raw != each.raw
    ]
    _keep(file.text, path, reading, state)
    return tuple(changes)


def number(value: Decimal) -> str:
    """The shortest digits of the value's double; a whole number without a point."""
    return str(int(value)) if value == value.to_integral_value() and abs(value) < 2**53 else repr(float(value))


class _File:
    """A state file's lines, and where its figures stand."""

    def __init__(self, path: Path) -> None:
        self._document: Document = arranged(read_document(path, str(path)))
        with path.open(encoding="utf-8", newline="") as file:  # lines end as they ended
            self._lines = re.split(r"(?<=\n)", file.read())  # as TOML counts lines
        self._end = "\r\n" if self._lines and self._lines[0].endswith("\r\n") else "\n"
        self._behind: dict[int, list[str]] = {}
        self.reads: dict[str, dict[str, object]] = self._document.data.get("reads", {})

    def number(self, name: str) -> str | None:
        """A figure's value as the file writes it, without the signs between thousands; None where it is left out."""
        value = self._document.get((*_key(name), "value"))
        if value is None:
            return None
        found = self._figure(name)
        written = None if found is None else _VALUE.search(found["table"])
        return str(value) if written is None else written["number"].replace("_", "")

    def put(self, name: str, table: str) -> None:
        """A figure anew in its line, or in one of its own at the end of its table."""
        found = self._figure(name)
        line = self._document.lines.get(_key(name))
        if found is not None and line is not None:
            self._lines[line - 1] = f"{found['key']}{table}{found['rest']}"
            return
        room, _, last = name.rpartition(".")
        places = [
            line for key, line in self._document.lines.items() if key[: len(_key(room))] == _key(room) and len(key) <= len(_key(room)) + 1
        ]
        if self._document.get(_key(name)) is not None or not places:
            raise AmoOptError(
                f"{self._document.label}: {name} is not written as {{ value = …, … }} in a line of its own, and the file is left as it is; write it so first"
            )
        self._behind.setdefault(max(places), []).append(f"{last} = {table}{self._end}")

    def end_with(self, lines: list[str]) -> None:
        """``[reads]`` anew at the end of the file."""
        begin = next((place for place, line in enumerate(self._lines) if _READS.match(line)), None)
        if begin is None and self.reads:
            raise AmoOptError(
                f"{self._document.label}: [reads] is not one table of lines, and the file is left as it is; take it out, it is written anew"
            )
        if begin is not None:
            end = next((place for place in range(begin + 1, len(self._lines)) if _HEADER.match(self._lines[place])), len(self._lines))
            while end < len(self._lines) and (not self._lines[end - 1].strip() or self._lines[end - 1].lstrip().startswith("#")):
                end -= 1  # what stands right above the next table is said of that
            self._lines[begin:end] = [""] * (end - begin)  # every other line keeps its number
        self._tail = [line + self._end for line in lines]

    @property
    def text(self) -> str:
        """The file as it is to be."""
        lines = [part for place, line in enumerate(self._lines, start=1) for part in (line, *self._behind.get(place, ()))]
        return "".join(lines).rstrip() + self._end * 2 + "".join(self._tail)

    def _figure(self, name: str) -> re.Match[str] | None:
        line = self._document.lines.get(_key(name))
        found = None if line is None else _FIGURE.fullmatch(self._lines[line - 1])
        return found if found is not None and _VALUE.search(found["table"]) else None


def _as_figure(reading: Reading, figure: FigureRead) -> str:
    """``{ value = …, source = "…", date = … }``, thousands set off as state files write them."""
    text = number(figure.value)
    whole, point, fraction = text.partition(".")
    shown = text if "e" in text or len(whole.lstrip("-")) < 5 else f"{int(whole):_}{point}{fraction}"
    day = datetime.fromtimestamp(reading.block.timestamp, tz=UTC).date()
    return f'{{ value = {shown}, source = "{reading.source(figure)}", date = {day.isoformat()} }}'


def _as_reads(reading: Reading, before: dict[str, dict[str, object]], *, partial: bool) -> list[str]:
    """The table's lines: what is not read now stays, with the block it was read at."""
    now = {
        each.key: {"raw": str(each.raw), "address": each.address, "block": reading.block.number, "hash": reading.block.hash}
        for each in reading.reads
    }
    head = f"# values in force and roles as `amo-opt state` read them on chain {reading.chain_id}: payloads look at them, no result does"
    codes = [
        f"# {each.entry} {each.address}: Keccak-256 of its code {each.hash}"
        + ("" if each.implementation is None else f", a proxy of {each.implementation} ({each.standard})")
        for each in reading.codes
    ]
    missing = (
        [f"# not read: {each.what} ({each.why})" for each in reading.unread if each.why not in ("no getter", "no address")]
        if partial
        else []
    )
    entries = [
        f'"{name}" = {{ raw = "{each["raw"]}", address = "{each["address"]}", block = {each["block"]}, hash = "{each["hash"]}" }}'
        for name, each in {**before, **now}.items()
    ]
    return ["[reads]", head, *codes, *missing, *entries]


def _keep(text: str, path: Path, reading: Reading, before: ProtocolState) -> None:
    """The file with that text, once it is the state that was meant."""
    trial = path.with_name(f".{os.getpid()}.reading.{path.name}")
    try:
        write_whole(trial, text)
        after = load_books(trial)
    except InputError as error:
        said = str(error.problems[0]).replace(str(trial), str(path))
        raise AmoOptError(f"what was read makes no state together with the rest of the file, which is left as it is: {said}") from None
    finally:
        with suppress(OSError):
            trial.unlink()
    read = {each.name: float(each.value) for each in reading.figures}
    wrong = [name for name in given_figures(before) if attrgetter(name)(after).value != read.get(name, attrgetter(name)(before).value)]
    if wrong:
        raise AmoOptError(f"{path}: {wrong[0]} cannot be written line by line, and the file is left as it is")
    write_whole(path, text)


def _obeyed(reading: Reading, state: ProtocolState) -> Iterator[Drift]:
    """Contracts whose setters obey nobody that the state names as their caller."""
    named = {contract.address.lower(): name for name, contract in state.contracts.items()}
    holders: dict[str, list[Given]] = {}
    for given in reading.reads:
        if given.read.obeys and isinstance(given.read.contract, str):
            holders.setdefault(given.read.contract, []).append(given)
    for entry, each in holders.items():
        caller = state.contracts[entry].caller or SAFE
        said = state.contracts.get(caller)
        if said is not None and said.address.lower() not in {str(given.raw).lower() for given in each}:
            told = ", ".join(f"{given.key} = {named.get(str(given.raw).lower(), given.raw)}" for given in each)
            yield Drift(f"contracts.{entry}.caller", caller, told)


def _belongs(figure: FigureRead) -> bool:
    """Whether a figure that the file leaves out says more there than its absence: facts of the markets are the scenarios' where a file is silent."""
    usual = left_out(figure.name)
    return not figures_by_name()[figure.name].metadata.get("fact") and (usual is None or figure.value != Decimal(usual))


def _key(name: str) -> Key:
    return tuple(name.split("."))


def _last_digit(written: Decimal) -> Decimal:
    """How far off a figure may be for the digits it is written with."""
    return min(Decimal(1).scaleb(int(written.as_tuple().exponent)), abs(written) * FINEST) or Decimal("1e-78")
