"""The JSON Schema of results.json: every committed report passes it, and so does what the tests' results write."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from amo_opt.report.results_json import results_json
from amo_opt.report.results_schema import results_schema

REPORTS = sorted((Path(__file__).parents[2] / "reports").glob("*/results.json"))


def closed(schema: Any) -> Any:
    """The schema without room for keys that it does not name: what this version writes is all in it."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(each) for key, each in schema.items()}
    return made | ({"additionalProperties": False} if "properties" in made and "additionalProperties" not in made else {})


VALIDATOR = Draft202012Validator(closed(results_schema()))


def wrong(document: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(document)]


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.parent.name)
def test_committed_reports_pass(path):
    """Every key of theirs is named, and of its type."""
    assert wrong(json.loads(path.read_text(encoding="utf-8"))) == []


def test_what_is_written_passes(result):
    """A result with everything in it."""
    assert wrong(json.loads(results_json(result))) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(schema=2),
        lambda document: document.pop("verdict"),
        lambda document: document.update(new_key=1),
        lambda document: document["verdict"].update(outcome="maybe"),
        lambda document: document["study"].update(hash="5e"),
        lambda document: document["candidates"][0]["certified"]["yield"].update(interval=[0.1]),
        lambda document: document["candidates"][0]["certified"].pop("yield"),
        lambda document: document["candidates"][0].update(role="best"),
        lambda document: document["current"].update(amplification="1500"),
        lambda document: document["sampling"]["holdout"][0].pop("drawn"),
        lambda document: document["neighbours"][0].update(step=0),
        lambda document: document["finding"].update(state_date="11 May 2022"),
    ],
)
def test_what_is_not_promised_is_refused(change):
    """Another version, a key that is missing, a word that is none; a key that is new only where the schema is closed, for a reader takes it."""
    document = json.loads(REPORTS[0].read_text(encoding="utf-8"))
    mutant = deepcopy(document)
    change(mutant)
    assert mutant != document
    assert wrong(mutant)
    if "new_key" in mutant:
        assert Draft202012Validator(results_schema()).is_valid(mutant)
