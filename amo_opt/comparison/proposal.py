"""What somebody posted, read: a payload of calls, a parameter file, or a small table of new values."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from amo_opt.amos.parameters import PARAMETERS, governed
from amo_opt.config.load import load_parameters
from amo_opt.config.wording import nearest
from amo_opt.errors import AmoOptError
from amo_opt.files import read_file
from amo_opt.onchain.payload import read_payload
from amo_opt.onchain.understood import check_value, understood
from amo_opt.protocol.parameters import ORDERED_PAIRS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amo_opt.config.study import Study
    from amo_opt.onchain.transaction import Transaction
    from amo_opt.onchain.understood import Understanding
    from amo_opt.protocol.parameters import ParameterSet

MOST_BYTES = 4 * 2**20
VALUES = ("value", "new value", "proposed", "proposed value", "new")
"""What the second column of a table of new values is called; the first is ``parameter``."""
_CALLS = re.compile(r"^\s*(0x|[{[])|TARGET|ACTIONS")
"""What a payload of calls has somewhere; `read_payload` looks closer."""
_RULE = re.compile(r":?-+:?")
_NUMBER = re.compile(r"[-+]?(\d+(_\d+)*)(\.\d+)?([eE][-+]?\d+)?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One parameter that the proposal changes: ``call`` is the number of the call in a payload, None of a file or table; ``where`` the call or the place as text."""

    name: str
    before: float
    after: float
    call: int | None
    where: str


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A proposal and the set it makes of the current one. ``read`` is what became of its calls, None where it has none; ``sha256`` that of the file; ``notes`` its reader's."""

    file: str
    form: str
    sha256: str
    current: ParameterSet
    proposed: ParameterSet
    lines: tuple[Line, ...]
    transactions: tuple[Transaction, ...] = ()
    read: Understanding | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether all of it is understood."""
        return self.read is None or not self.read.unknown


def read_proposal(file: Path, study: Study, *, split: Mapping[str, float] | None = None) -> Proposal:
    """The proposal in ``file``; what it is written in is told from its content. ``split`` as in `understood`.

    Raises `AmoOptError` for what is no proposal, for calls on another chain than the state's contracts, and for a value that cannot be simulated.
    """
    try:
        raw = read_file(file, most=MOST_BYTES)
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AmoOptError(f"{file}: not text in UTF-8, so no proposal") from error
    except (OSError, ValueError) as error:
        raise AmoOptError(f"{file}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    digest = hashlib.sha256(raw).hexdigest()
    rows = _table(text)
    if file.suffix.lower() != ".toml" and rows is None:
        if not _CALLS.search(text):
            raise AmoOptError(
                f"{file}: no proposal; allowed: a Safe batch, a vote's ACTIONS or evmscript, a governor's propose, a list of calls, a parameter file (.toml), a table with the columns "
                "parameter and value"
            )
        return _of_calls(file, study, split or {}, digest)
    if split:
        raise AmoOptError(f"--split {next(iter(split))}: {file} gives every parameter's value itself; leave it out")
    if rows is not None:
        return _of_values(file, "table of new values", study, _values(file, rows, study), digest)
    there = governed(study.state)
    after = load_parameters(file, study.state).values()
    return _of_values(file, "parameter file", study, {name: (value, name) for name, value in after.items() if name in there}, digest)


def _of_calls(file: Path, study: Study, split: Mapping[str, float], digest: str) -> Proposal:
    try:
        payload = read_payload(file)
    except AmoOptError as error:
        raise AmoOptError(str(error) if str(file) in str(error) else f"{file}: {error}") from error
    state = study.state
    if payload.chain_id is not None and payload.chain_id != state.chain_id:
        raise AmoOptError(f"{file}: calls on chain {payload.chain_id}; found in the state: contracts on chain {state.chain_id}")
    if not payload.transactions:
        raise AmoOptError(f"{file}: a {payload.form} without a call; there is nothing to review")
    read = understood(study.current, payload.transactions, state, split=split, name="proposal")
    lines = tuple(
        Line(name=each.name, before=each.before, after=each.after, call=call.number, where=call.text)
        for call in read.calls
        for each in call.moved
    )
    return Proposal(
        file=file.name,
        form=payload.form,
        sha256=digest,
        current=study.current,
        proposed=_in_order(file, read.proposed),
        lines=lines,
        transactions=payload.transactions,
        read=read,
        notes=payload.notes,
    )


def _of_values(file: Path, form: str, study: Study, values: Mapping[str, tuple[float, str]], digest: str) -> Proposal:
    current = study.current
    before = current.values()
    proposed = current.replace(name="proposal", **{name: value for name, (value, _) in values.items()})
    after = proposed.values()
    lines = tuple(
        Line(name=name, before=before[name], after=after[name], call=None, where=where)
        for name, (_, where) in values.items()
        if after[name] != before[name]
    )
    return Proposal(
        file=file.name, form=form, sha256=digest, current=current, proposed=_in_order(file, proposed), lines=lines
    )  # fmt: skip


def _in_order(file: Path, proposed: ParameterSet) -> ParameterSet:
    """The set. Raises `AmoOptError` where the low end of a pair does not lie below the high one."""
    values = proposed.values()
    for low, high in ORDERED_PAIRS:
        if values[low] >= values[high]:
            raise AmoOptError(f"{file}: {low} would be {values[low]:.10g}, not below {high} with {values[high]:.10g}; allowed: below it")
    return proposed


def _table(text: str) -> list[tuple[int, list[str]]] | None:
    """Line numbers and cells below a heading ``parameter, value``, as Markdown or CSV; None where the text has no such heading."""
    for number, line in enumerate(lines := text.splitlines(), start=1):
        heads = [each.casefold() for each in _cells(line)]
        if re.match(r"\s*parameter\s*[;\t]", line, re.IGNORECASE):
            raise AmoOptError(
                f"line {number} of the table: columns apart by another sign; found {line.strip()!r:.60}; allowed: commas, or | as in Markdown"
            )
        if len(heads) >= 2 and heads[0] == "parameter" and any(each in VALUES for each in heads[1:]):
            place = next(each for each, head in enumerate(heads) if head in VALUES)
            return _rows(lines, number, place, len(heads))
    return None


def _rows(lines: list[str], heading: int, place: int, width: int) -> list[tuple[int, list[str]]]:
    """The rows below the heading, to the first line that is none: number, name and value; a value that is not there is empty."""
    found = []
    for number, line in enumerate(lines[heading:], start=heading + 1):
        cells = _cells(line)
        if not any(cells):
            break
        if all(_RULE.fullmatch(each) for each in cells):
            continue
        if len(cells) != width:
            raise AmoOptError(f"line {number} of the table: {len(cells)} cells under {width} headings; found {line.strip()!r:.80}")
        found.append((number, [cells[0].strip("`"), cells[place].strip("`")]))
    return found


def _cells(line: str) -> list[str]:
    if "|" in line:
        return [each.strip() for each in line.strip().strip("|").split("|")]
    return [each.strip() for each in next(csv.reader(io.StringIO(line)), [])]


def _values(file: Path, rows: list[tuple[int, list[str]]], study: Study) -> dict[str, tuple[float, str]]:
    """New values by parameter, with the line of each. Raises `AmoOptError` for a name or a value that is none."""
    there = governed(study.state)
    found: dict[str, tuple[float, str]] = {}
    for number, (name, written) in rows:
        place = f"{file}, line {number}"
        if name not in there:
            hint = nearest(name, there)
            known = "of a mechanism that the state does not have" if name in PARAMETERS else "no such parameter"
            raise AmoOptError(f"{place}: {known}; found {name!r:.60}" + (f"; {hint}" if hint else ""))
        if name in found:
            raise AmoOptError(f"{place}: {name} stands there twice; allowed: each parameter once")
        value = float(written) if _NUMBER.fullmatch(written) else math.nan
        if math.isnan(value):
            allowed = "a number with a point for decimals and no thousands separator, such as 0.55 or 25e6, in the parameter's unit"
            raise AmoOptError(f"{place}: {name}: no number; found {written!r:.60}; allowed: {allowed}")
        check_value(place, PARAMETERS[name], value)
        found[name] = value, f"line {number}"
    if not found:
        raise AmoOptError(f"{file}: a table of new values without a row; there is nothing to review")
    return found
