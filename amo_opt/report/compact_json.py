"""A result as one short document: verdict, title, sets, differences with intervals, and where the whole of it lies. results.json has every figure."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from amo_opt.amos.parameters import governed
from amo_opt.report.first import first_of
from amo_opt.report.ruling import explanation_of
from amo_opt.report.sections.decision import blockers_of
from amo_opt.report.sets import subject_of
from amo_opt.search.rule import AXES

if TYPE_CHECKING:
    from pathlib import Path

    from amo_opt.search.result import Candidate, Result

SCHEMA = 1


def compact_json(result: Result, folder: Path) -> str:
    """The document of a result whose report lies in ``folder``; differences are the shown set minus the current one on ``stream`` paths."""
    study, subject, first = result.study, subject_of(result), first_of(result)
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "study": {"name": study.name, "hash": study.hash, "seed": study.search.seed, "unit": study.state.unit, "quick": study.quick},
        "verdict": result.verdict,
        "title": first.title,
        "reason": explanation_of(result),
        "ready": first.ready,
        "blockers": [each.chip.word for each in blockers_of(result)] if first.recommended else [],
        "current": _set(subject.current, result),
        "best": None
        if subject.other is None
        else {"id": subject.other.id, "recommended": subject.recommended, **_set(subject.other, result)},
        "changes": [{"parameter": each.name, "now": each.now, "then": each.then} for each in first.changes],
        "stream": subject.stream,
        "differences": {
            each.metric: {
                "value": each.difference.value,
                "interval": each.difference.interval and [*each.difference.interval],
                "n": each.difference.n,
                "tolerance": each.tolerance,
                "verdict": each.verdict,
            }
            for each in subject.paired
            if each.scenario is None and each.metric in AXES
        },
        "report": str(folder / "report.html"),
        "sha256": {entry.name: hashlib.sha256(entry.read_bytes()).hexdigest() for entry in sorted(folder.iterdir()) if entry.is_file()},
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _set(candidate: Candidate, result: Result) -> dict[str, Any]:
    there = governed(result.study.state)
    return {"parameters": {name: value for name, value in candidate.parameters.values().items() if name in there}}
