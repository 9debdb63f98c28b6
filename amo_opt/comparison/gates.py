"""Gates: which metrics a candidate must not worsen, by how much at most, and what a failure means."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from amo_opt.config.json_schema import of_form, one_case
from amo_opt.config.problems import first, form_problems
from amo_opt.config.schema import model, number, one_of
from amo_opt.config.toml_file import read_document
from amo_opt.config.wording import nearest, shown
from amo_opt.errors import InputError
from amo_opt.scoring.constraints import CAPS
from amo_opt.scoring.metrics import METRICS
from amo_opt.scoring.paired import tolerance as study_tolerance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amo_opt.config.study import Study
    from amo_opt.config.toml_file import Document
    from amo_opt.errors import Problem

GateClass = Literal["safety", "economic"]

BREACH_SHARE = 0.25
"""Default tolerance of a breach's probability, as a share of the study's limit on it."""
UNSERVED_SHARE = 1e-4
"""Default tolerance of the mean of unserved redemptions, as a share of the study's limit on their worst tenth."""


@dataclass(frozen=True, kw_only=True)
class Gate:
    """One thing a candidate must keep.

    ``tolerance``: how much worse than the baseline it may be, in the metric's unit (None = the default, see `resolved`). ``better``: +1
    higher, -1 lower (None = the metric's own). ``maximum``: the most its own figure may be, whatever the baseline's. An inconclusive
    ``safety`` gate fails, an inconclusive ``economic`` one warns.
    """

    metric: str
    cls: GateClass
    tolerance: float | None = None
    better: int | None = None
    maximum: float | None = None


DEFAULT_GATES: tuple[Gate, ...] = (
    Gate(metric="breach_probability", cls="safety"),
    Gate(metric="unserved_usd_hours", cls="safety"),
    Gate(metric="peg_cvar95_bps", cls="safety"),
    Gate(metric=CAPS, cls="safety", maximum=1.0),
    Gate(metric="yield", cls="economic"),
)


def default_tolerance(metric: str, study: Study) -> float:
    """How much worse a metric may be where nobody says: the study's tolerances, a share of its limits, and 0 for the rest."""
    if metric == "breach_probability":
        return BREACH_SHARE * study.constraints.max_breach_probability
    if metric == "unserved_usd_hours":
        return UNSERVED_SHARE * study.constraints.max_unserved_usd_hours
    return study_tolerance(metric, study.certification)


_METRIC = f'the name of a metric, such as "peg_cvar95_bps", or "{CAPS}"'
_GATE = model(
    "gate",
    {
        "metric": (str, Field(description=_METRIC, title="what a candidate must not worsen")),
        "class": one_of(("safety", "economic"), doc="whether an inconclusive gate fails (safety) or warns (economic)"),
        "tolerance": number(
            0.0, 1e18, default=None, note="in the metric's unit", doc="how much worse than the baseline a candidate may be"
        ),
        "direction": (Literal["higher", "lower"] | None, Field(None, description='"higher" or "lower": which of the two is better')),
        "max": number(-1e18, 1e18, default=None, note="in the metric's unit", doc="most that a candidate's own figure may be"),
    },
)
GATES_FILE = model("gates", {"gate": (list[_GATE], Field(min_length=1, description="tables [[gate]], at least one"))})  # type: ignore[valid-type]


def gates_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a gates file."""
    made = of_form(GATES_FILE, "gates", "amo-opt: gates of a comparison")
    gate = made["properties"]["gate"]["items"]
    gate["properties"]["metric"]["enum"] = [*METRICS, CAPS]
    undirected = [name for name, metric in METRICS.items() if metric.better == 0]
    alone = {"required": ["max"], "properties": {"tolerance": False, "direction": False}}
    gate |= one_case("metric", [([CAPS], alone), (undirected, {"anyOf": [{"required": ["direction"]}, {"required": ["max"]}]})])
    return made


def load_gates(path: str | os.PathLike[str]) -> tuple[Gate, ...]:
    """The gates of the file at ``path``. Raises `InputError` with every problem of the file."""
    document = read_document(Path(path), os.fspath(path))
    values, problems = form_problems(document, GATES_FILE)
    problems += first(_meaning_problems(document))
    if values is None or problems:
        raise InputError(sorted(problems, key=lambda problem: problem.line or (0 if problem.where else math.inf)))
    return tuple(_gate(entry) for entry in values["gate"])


def _gate(entry: dict[str, Any]) -> Gate:
    better = {"higher": +1, "lower": -1, None: None}[entry["direction"]]
    return Gate(metric=entry["metric"], cls=entry["class"], tolerance=entry["tolerance"], better=better, maximum=entry["max"])


def _meaning_problems(document: Document) -> Iterator[Problem]:
    """What the form alone does not see: names of metrics, one gate a metric, keys that contradict the metric."""
    entries = document.data.get("gate")
    seen: dict[str, int] = {}
    for place, entry in enumerate(entries if isinstance(entries, list) else []):
        metric = entry.get("metric") if isinstance(entry, dict) else None
        if not isinstance(metric, str):
            continue
        key = ("gate", place, "metric")
        if metric in seen:
            yield document.problem(key, f"gated already, by gate {seen[metric]}", found=shown(metric), allowed="one gate a metric")
        seen.setdefault(metric, place + 1)
        if metric == CAPS:
            yield from _caps_problems(document, place, entry)
        elif metric not in METRICS:
            yield document.problem(key, "no such metric", found=shown(metric), hint=nearest(metric, (*METRICS, CAPS)))
        elif METRICS[metric].better == 0 and "direction" not in entry and "max" not in entry:
            at = ("gate", place, "direction")
            yield document.problem(at, f"missing: neither way is better for {metric} by itself", allowed='"higher" or "lower", or a max')


def _caps_problems(document: Document, place: int, entry: dict[str, Any]) -> Iterator[Problem]:
    """The sum of caps and buffer is a fact of the set: it has a most, and no difference to judge."""
    if "max" not in entry:
        yield document.problem(("gate", place, "max"), "missing", allowed=f"a number: {CAPS} is read off the set, 1.0 is all collateral")
    for name in ("tolerance", "direction"):
        if name in entry:
            yield document.problem(("gate", place, name), f"not for {CAPS}, which has only a max", found=shown(entry[name]))
