"""A certified result kept in the study's storage: what it took paths to know is read again, never run again.

Everything a `Result` holds but the study (its file) and the trials (the storage) is one JSON document, cut into pieces that any database
holds in a text column. Its seal is written last: a write cut short leaves no certification, the command that made it makes it again. The
seal's digest is over everything that makes the result: the document, the trials, the versions, the study.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence
from dataclasses import MISSING, fields
from functools import cache
from importlib import metadata
from typing import Annotated, Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from amo_opt.config.study import Study
from amo_opt.errors import StorageError
from amo_opt.search.result import Result, Trial
from amo_opt.search.study_store import StudyStore
from amo_opt.search.trials import thaw

SCHEMA = 4
PIECE = 16_000
"""Characters a piece: four bytes each at most, within the smallest text column in use (65,535 bytes)."""
SEAL = "certified"
"""The attribute written last: `_Seal`."""
PACKAGES = ("numpy", "numba", "scipy")
_ELSEWHERE = frozenset({"study", "trials"})


class _Seal(BaseModel):
    """How many trials, how many pieces, the digest over all of it, the versions that computed it."""

    model_config = ConfigDict(strict=True, extra="forbid")
    trials: Annotated[int, Field(ge=1)]
    pieces: Annotated[int, Field(ge=1)]
    sha256: str
    versions: dict[str, str]


def keep(store: StudyStore, result: Result) -> None:
    """Writes the certified part of a result to its study's storage, in place of an earlier one."""
    text = _document().model_validate({name: getattr(result, name) for name in _document().model_fields}).model_dump_json()
    pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
    store.note(SEAL, None)
    for number, piece in enumerate(pieces):
        store.note(_piece(number), piece)
    store.note(
        SEAL,
        {
            "schema": SCHEMA,
            "trials": len(result.trials),
            "pieces": len(pieces),
            "sha256": _digest(text, result.study, result.trials, versions=versions()),
            "versions": versions(),
        },
    )


def kept(store: StudyStore, study: Study, *, trials: int) -> Result | None:
    """The certified result of the storage's first ``trials`` trials; None where none is kept, or other versions computed it."""
    notes = store.notes()
    form, seal = _sealed(notes)
    if form != SCHEMA or seal is None or seal.trials != trials or seal.versions != versions():
        return None
    return _read(store, study, notes, seal=seal)


def restored(store: StudyStore, study: Study) -> Result:
    """The certified result the storage keeps, whatever its number of trials.

    Raises `StorageError` where there is none, it was kept in another form, or computed by other versions: each with the way out.
    """
    notes = store.notes()
    form, seal = _sealed(notes)
    if form is None and seal is None and notes.get(SEAL) is None:
        raise StorageError(f"the storage holds no certified result of study {study.name!r}: `amo-opt run` searches, certifies and reports")
    if form != SCHEMA:
        raise StorageError(
            f"the storage keeps its certified result in form {form!r:.80}, this version reads form {SCHEMA}: "
            "`amo-opt run` certifies again, no trial is lost"
        )
    here = versions()
    if seal is not None and seal.versions != here:
        told = "; ".join(f"{name} {then:.40}, here {here.get(name)}" for name, then in seal.versions.items() if then != here.get(name))
        raise StorageError(
            f"the certified figures were computed with {told or 'other packages'}: `amo-opt run` certifies again, no trial is lost"
        )
    result = None if seal is None else _read(store, study, notes, seal=seal)
    if result is None:
        raise StorageError("the certified result in the storage is damaged: `amo-opt run` certifies again, no trial is lost")
    return result


def versions() -> dict[str, str]:
    """The versions that decide the certified figures."""
    return {"python": platform.python_version(), **{package: metadata.version(package) for package in PACKAGES}}


def _sealed(notes: dict[str, object]) -> tuple[object, _Seal | None]:
    """The form the result is kept in, and its seal; None where there is none, or not one that this version writes."""
    found = notes.get(SEAL)
    if not isinstance(found, dict):
        return None, None
    rest = {name: value for name, value in found.items() if name != "schema"}
    try:
        return found.get("schema"), _Seal.model_validate(rest)
    except ValidationError:
        return found.get("schema"), None


def _digest(text: str, study: Study, trials: Sequence[Trial], *, versions: dict[str, str]) -> str:
    """SHA-256 over the document, and over what it is the certification of."""
    scores = [None if trial.score is None else [*vars(trial.score).values()] for trial in trials]
    searched = [
        [trial.number, trial.origin, trial.parameters.name, trial.parameters.values(), score, trial.failure]
        for trial, score in zip(trials, scores, strict=True)
    ]
    return hashlib.sha256(json.dumps([SCHEMA, text, study.hash, searched, versions], sort_keys=True).encode()).hexdigest()


def _read(store: StudyStore, study: Study, notes: dict[str, object], *, seal: _Seal) -> Result | None:
    """The result that is kept; None where any of it is not as it was written. Pieces that the seal counts and nobody wrote are not looked for."""
    if seal.pieces > len(notes):
        return None
    text = "".join(str(notes.get(_piece(number))) for number in range(seal.pieces))
    trials = [thaw(trial) for trial in store.frozen()[: seal.trials]]
    if len(trials) != seal.trials or _digest(text, study, trials, versions=seal.versions) != seal.sha256:
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
