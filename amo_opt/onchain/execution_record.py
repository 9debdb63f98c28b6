"""`execution.json`: what was executed without being sent, on which engine, chain and block, and what came of it. No node's address is in it.

Integers that a double does not hold are text. A run belongs to the bytes of its batch: with another SHA-256 it says nothing of the file.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from amo_opt.errors import AmoOptError
from amo_opt.files import read_file, write_whole

if TYPE_CHECKING:
    from pathlib import Path

FILE: Final = "execution.json"
SCHEMA: Final = 1
LARGEST: Final = 16 * 2**20


@dataclass(frozen=True)
class CallRecord:
    """One call: ``obeys`` is what the contract answers by getter when asked whom it obeys, ``reason`` what it said when it failed, ``explained`` which limits of the setter were broken."""

    to: str
    function: str
    arguments: tuple[str, ...]
    data: str
    value: str
    sender: str
    obeys: dict[str, str]
    ok: bool
    gas: int
    reason: str
    explained: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """A getter before and after, ``None`` where it did not answer; ``wanted`` is what the call sets it to, where that is a copy of an argument."""

    getter: str
    before: str | None
    after: str | None
    wanted: str | None = None

    @property
    def moved(self) -> bool:
        """Whether it answers otherwise than before."""
        return self.before != self.after


@dataclass(frozen=True)
class SlotChange:
    """A storage slot whose value is another one than before."""

    contract: str
    slot: str
    before: str
    after: str


@dataclass(frozen=True)
class Part:
    """A batch executed at the Unix second ``at``. ``readings`` and ``storage`` compare with what was before the proposal's batch: of a revert they are what did not come back
    where they differ. ``storage`` is ``None`` where the engine does not tell.
    """

    file: str
    sha256: str
    at: int
    ok: bool
    objections: tuple[str, ...]
    calls: tuple[CallRecord, ...]
    readings: tuple[Reading, ...]
    storage: tuple[SlotChange, ...] | None

    @property
    def gas(self) -> int:
        """What all calls used."""
        return sum(each.gas for each in self.calls)


@dataclass(frozen=True)
class Run:
    """A batch on an engine at a block, and its reverts, each of them after the batch and at its own time."""

    engine: str
    chain_id: int
    block: int
    block_hash: str
    block_time: int
    batch: Part
    reverts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Record:
    """The file: a run for each batch."""

    schema: int
    runs: tuple[Run, ...]

    def of(self, sha256: str) -> Run | None:
        """The run of the batch with those bytes."""
        return next((each for each in self.runs if each.batch.sha256 == sha256), None)

    @property
    def text(self) -> str:
        """The file's text."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


def read_record(file: Path) -> Record | None:
    """The record, ``None`` where there is no such file. Raises `AmoOptError` for another file or schema."""
    from pydantic import TypeAdapter, ValidationError

    try:
        raw = read_file(file, most=LARGEST)
    except FileNotFoundError:
        return None
    try:
        record = TypeAdapter(Record).validate_json(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise AmoOptError(
            f"{file}: no record of amo-opt dry-run ({where or 'JSON'}: {first['msg']}); run it again, or move the file away"
        ) from None
    if record.schema != SCHEMA:
        raise AmoOptError(f"{file}: schema of another version; found {record.schema}; allowed: {SCHEMA}; run amo-opt dry-run again")
    return record


def keep(run: Run, file: Path) -> Record:
    """Writes the run among those of other batches that the file holds, in place of an earlier one of the same file name."""
    earlier = read_record(file)
    others = [] if earlier is None else [each for each in earlier.runs if each.batch.file != run.batch.file]
    record = Record(SCHEMA, (*others, run))
    write_whole(file, record.text)
    return record
