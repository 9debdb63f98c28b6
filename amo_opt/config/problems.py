"""What pydantic found, in the words of a person who edits the file: key, value found, what is allowed, nearest known key."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from amo_opt.amos.kinds import mechanism_of
from amo_opt.config.schema import CONTRACT, FIGURE, SCHEMAS, Contracts, Model
from amo_opt.config.wording import nearest, shown
from amo_opt.errors import LISTED, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic.fields import FieldInfo

    from amo_opt.config.toml_file import Document, Key

_MESSAGES = {
    "missing": "missing",
    "extra_forbidden": "unknown key",
    "finite_number": "not a finite number",
    "greater_than_equal": "out of range",
    "less_than_equal": "out of range",
    "literal_error": "not one of the choices",
    "string_pattern_mismatch": "not of the right form",
    "string_too_short": "empty",
}
"""Everything else a strict model refuses is a wrong type."""

_RENAMED = {
    "margin": "tolerance",
    "margin_yield": "tolerance_yield",
    "margin_peg_bps": "tolerance_peg_bps",
    "margin_cr": "tolerance_cr",
}
"""Keys that earlier versions knew, and what they are called now."""


def form_problems(document: Document, form: Model) -> tuple[dict[str, Any] | None, list[Problem]]:
    """The document's values with defaults filled in, or None and everything that does not fit ``form``."""
    values = {key: value for key, value in document.data.items() if key != "schema"}
    problems = _schema_problems(document, form.__name__)
    if problems and problems[0].hint and "migrate" in problems[0].hint:
        return None, problems  # one thing to do: what else is said of an older form says nothing of this one
    try:
        return form.model_validate(values).model_dump(), problems
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        told = LISTED - 2 - len(problems)  # one for what is left, and one less than `first` gives
        more = len(found) - told
        problems += [_problem(document, form, details) for details in found[:told]]
        if more > 0:
            problems.append(Problem(document.label, "", f"and {more:,} more problem{'s' if more > 1 else ''}"))
        return None, problems


def first(problems: Iterable[Problem]) -> Iterator[Problem]:
    """As many as are told; where there are more, the last one says so, without looking for them."""
    for count, problem in enumerate(problems, start=1):
        if count == LISTED:
            yield Problem(problem.file, "", "and more problems of this kind")
            return
        yield problem


def _schema_problems(document: Document, kind: str) -> list[Problem]:
    """``schema`` must be the whole number of the file's kind; true, 1.0 and "1" are not."""
    found, known = document.data.get("schema"), SCHEMAS[kind]
    if found is None:
        return [document.problem(("schema",), "missing", allowed=f"schema = {known} as the first line")]
    if type(found) is int and found == known:
        return []
    hint = "the file is written for another version of amo-opt" if type(found) is int else None
    if type(found) is int and found == 1 < known:
        hint = f"`amo-opt migrate {document.label}` rewrites it"
    return [document.problem(("schema",), "not a known version", found=shown(found), allowed=str(known), hint=hint)]


def _problem(document: Document, form: Model, details: Mapping[str, Any]) -> Problem:
    kind, key, found = details["type"], tuple(details["loc"]), details["input"]
    if kind == "extra_forbidden":
        known = _known(form, key[:-1])
        renamed = _RENAMED.get(str(key[-1]))
        if renamed in known:
            return document.problem(key, f"is called {renamed} now", found=shown(found))
        return document.problem(key, "unknown key", found=shown(found), hint=nearest(str(key[-1]), _alike(str(key[-1]), known)))
    info = _field(form, key)
    allowed = info.description if info else None
    if kind == "missing":
        return document.problem(key, "missing", allowed=allowed)
    message = _MESSAGES.get(kind, "wrong type")
    if isinstance(found, float) and not math.isfinite(found):
        message = _MESSAGES["finite_number"]
    if kind == "model_type" and info is not None and info.annotation is FIGURE:
        message = "a bare value has no source"
    hint = nearest(found, _words(info.annotation)) if kind == "literal_error" and info and isinstance(found, str) else None
    return document.problem(key, message, found=shown(found), allowed=allowed, hint=hint)


def _alike(name: str, known: list[str]) -> list[str]:
    """Where a name is said with a mechanism's that a state chose, the parameters of that mechanism; else all that is known."""
    of, _, _ = name.rpartition(".")
    mechanism = mechanism_of(of) if of else None
    return known if mechanism is None else [each.name for each in mechanism.parameters.values()]


def _known(form: Model, key: Key) -> list[str]:
    """The keys a table may hold."""
    inner = _model_at(form, key)
    return list(inner.model_fields) if inner else []


def _field(form: Model, key: Key) -> FieldInfo | None:
    """The definition of the innermost named key; a list's or dictionary's entry has its owner's."""
    for end in range(len(key), 0, -1):
        owner = _model_at(form, key[: end - 1])
        if owner is not None and key[end - 1] in owner.model_fields:
            return owner.model_fields[str(key[end - 1])]
    return None


def _model_at(form: Model, key: Key) -> Model | None:
    """The model of the table at ``key``; None where there is no table."""
    current: Any = form
    for part in key:
        if get_origin(current) in (list, dict):
            current = get_args(current)[-1]
        elif _is_model(current) and part in current.model_fields:
            annotation = current.model_fields[str(part)].annotation
            current = (
                next((entry for entry in get_args(annotation) if _is_model(entry)), annotation) if _optional(annotation) else annotation
            )
        elif current is Contracts:
            current = CONTRACT
        else:
            return None
    return current if _is_model(current) else None


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _words(annotation: Any) -> tuple[str, ...]:
    """The words of a literal, one that may be left out included."""
    parts = get_args(annotation)
    return tuple(word for part in parts for word in (_words(part) if get_args(part) else (part,)) if isinstance(word, str))


def _optional(annotation: Any) -> bool:
    return type(None) in get_args(annotation)
