"""A certified result kept in the study's record: what it took paths to know is read again, never run again.

Everything a `Result` holds but the study (its file) and the trials (the record) is one JSON document, cut into pieces that any database
holds in a text column. Its digest is written last: a write cut short leaves no certification, the command that made it makes it again.
"""

from __future__ import annotations

import hashlib
import platform
from dataclasses import MISSING, fields
from functools import cache
from importlib import metadata
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from amo_opt.config.study import Study
from amo_opt.errors import StorageError
from amo_opt.search.record import Record, thaw
from amo_opt.search.result import Result

SCHEMA = 2
PIECE = 16_000
"""Characters a piece: four bytes each at most, within the smallest text column in use (65,535 bytes)."""
SEAL = "certified"
"""The attribute written last: how many trials, how many pieces, their digest, the versions that computed them."""
PACKAGES = ("numpy", "numba", "scipy")
_ELSEWHERE = frozenset({"study", "trials"})


def keep(record: Record, result: Result) -> None:
    """Writes the certified part of a result to its study's record, in place of an earlier one."""
    text = _document().model_validate({name: getattr(result, name) for name in _document().model_fields}).model_dump_json()
    pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
    record.note(SEAL, None)
    for number, piece in enumerate(pieces):
        record.note(_piece(number), piece)
    record.note(
        SEAL,
        {
            "schema": SCHEMA,
            "trials": len(result.trials),
            "pieces": len(pieces),
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "versions": versions(),
        },
    )


def kept(record: Record, study: Study, *, trials: int) -> Result | None:
    """The certified result of the record's first ``trials`` trials; None where none is kept, or other versions computed it."""
    seal = record.noted(SEAL)
    if not isinstance(seal, dict) or seal.get("schema") != SCHEMA or seal.get("trials") != trials or seal.get("versions") != versions():
        return None
    return _read(record, study, seal)


def restored(record: Record, study: Study) -> Result:
    """The certified result the record keeps, whatever its number of trials.

    Raises `StorageError` where there is none, it was kept in another form, or computed by other versions: each with the way out.
    """
    seal = record.noted(SEAL)
    if not isinstance(seal, dict):
        raise StorageError(f"the record holds no certified result of study {study.name!r}: `amo-opt run` searches, certifies and reports")
    if seal.get("schema") != SCHEMA:
        raise StorageError(
            f"the record keeps its certified result in form {seal.get('schema')!r}, this version reads form {SCHEMA}: "
            "`amo-opt run` certifies again, no trial is lost"
        )
    if seal.get("versions") != versions():
        told = "; ".join(
            f"{name} {then}, here {versions().get(name)}" for name, then in seal.get("versions", {}).items() if then != versions().get(name)
        )
        raise StorageError(f"the certified figures were computed with {told}: `amo-opt run` certifies again, no trial is lost")
    result = _read(record, study, seal)
    if result is None:
        raise StorageError("the certified result in the record is damaged: `amo-opt run` certifies again, no trial is lost")
    return result


def versions() -> dict[str, str]:
    """The versions that decide the certified figures."""
    return {"python": platform.python_version(), **{package: metadata.version(package) for package in PACKAGES}}


def _read(record: Record, study: Study, seal: dict[str, Any]) -> Result | None:
    pieces = [record.noted(_piece(number)) for number in range(int(seal["pieces"]))]
    if not all(isinstance(piece, str) for piece in pieces):
        return None
    text = "".join(str(piece) for piece in pieces)
    if hashlib.sha256(text.encode()).hexdigest() != seal.get("sha256"):
        return None
    trials = [thaw(trial) for trial in record.frozen()[: int(seal["trials"])]]
    if len(trials) != seal["trials"]:
        return None
    try:
        found = _document().model_validate_json(text)
    except ValidationError:
        return None
    return Result(study=study, trials=tuple(trials), **{name: getattr(found, name) for name in _document().model_fields})


def _piece(number: int) -> str:
    return f"{SEAL}:{number}"


@cache
def _document() -> type[BaseModel]:
    """The form of the document, out of `Result` itself: a field added there is kept here."""
    hints = get_type_hints(Result)
    parts: dict[str, Any] = {}
    for field in fields(Result):
        if field.name in _ELSEWHERE:
            continue
        if field.default_factory is not MISSING:
            default = Field(default_factory=field.default_factory)
        else:
            default = ... if field.default is MISSING else field.default
        parts[field.name] = (hints[field.name], default)
    return create_model("CertifiedResult", __config__=ConfigDict(ser_json_inf_nan="constants", extra="forbid"), **parts)


__all__ = ["keep", "kept", "restored", "versions"]
