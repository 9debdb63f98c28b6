"""The comparison for machines: one JSON document, and JUnit XML with one case a gate."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from amo_opt.comparison.figures import STREAM
from amo_opt.comparison.verdict import labels_of, worst_of
from amo_opt.comparison.wording import because, headline, setting
from amo_opt.config.identity import MODEL_VERSION
from amo_opt.wording import named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amo_opt.comparison.verdict import Comparison, GateVerdict, MetricVerdict
    from amo_opt.protocol.parameters import ParameterSet

SCHEMA = 2


def json_document(comparison: Comparison) -> dict[str, Any]:
    """The document behind ``--json`` and verdict.json; numbers in the metric's own unit, every one finite; an interval that is not known is null."""
    study = comparison.study
    return {
        "schema": SCHEMA,
        "verdict": comparison.verdict,
        "exit_status": comparison.exit_status,
        "study": {"name": study.name, "hash": study.hash, "seed": study.search.seed},
        "model": MODEL_VERSION,
        "stream": STREAM,
        "paths": comparison.paths,
        "twins": comparison.baseline.twins,
        "resamples": comparison.resamples,
        "baseline": _set(comparison.baseline.parameters),
        "candidate": _set(comparison.candidate.parameters),
        "metrics": [metric_document(metric) for metric in comparison.metrics],
        "gates": [gate_document(gate) for gate in comparison.gates],
    }


def json_text(comparisons: Sequence[Comparison]) -> str:
    """The JSON document as text; of several the worst answer and the document of each, with its file."""
    if len(comparisons) == 1:
        document = json_document(comparisons[0])
    else:
        document = {
            "schema": SCHEMA,
            "verdict": worst_of(comparisons).verdict,
            "exit_status": worst_of(comparisons).exit_status,
            "comparisons": [{"file": None if each.files is None else each.files[1], **json_document(each)} for each in comparisons],
        }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _set(parameters: ParameterSet) -> dict[str, Any]:
    return {"name": parameters.name, **parameters.values()}


def metric_document(metric: MetricVerdict) -> dict[str, Any]:
    """A metric's verdict in the metric's own unit."""
    return {
        "name": metric.name,
        "unit": metric.unit,
        "baseline": metric.baseline,
        "candidate": metric.candidate,
        "difference": metric.difference,
        "interval": metric.interval and [*metric.interval],
        "n": metric.n,
        "tail_points": metric.tail_points,
        "tolerance": metric.tolerance,
        "verdict": metric.verdict,
        "more_paths": metric.more_paths,
    }


def gate_document(gate: GateVerdict) -> dict[str, Any]:
    """A gate's verdict."""
    return {
        "metric": gate.gate.metric,
        "class": gate.gate.cls,
        "tolerance": gate.tolerance,
        "max": gate.gate.maximum,
        "verdict": gate.verdict,
        "status": gate.status,
        "p_adjusted": gate.p_adjusted,
        "found": gate.found,
        "reason": because(gate.reason),
    }


def junit_xml(comparisons: Sequence[Comparison]) -> str:
    """JUnit XML as Ant, Jenkins, GitLab and the rest read it: one suite a candidate, one case a gate.

    A failing gate is a failure, one that is not gated is skipped, one that warns passes and is told of in ``system-out``. No clock is
    read: the time stamp is the study's date, durations are 0.
    """
    root = ET.Element("testsuites")
    labels = labels_of(comparisons)
    for place, comparison in enumerate(comparisons):
        _suite(root, comparison, place, "" if len(labels) == 1 else labels[place])
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, comparison: Comparison, place: int, label: str) -> None:
    """One candidate's suite; ``label`` tells it apart where there are several, as what reads them goes by the names of cases."""
    study = comparison.study
    baseline, candidate = comparison.names
    skipped = [gate for gate in comparison.gates if gate.status == "not gated"]
    suite = ET.SubElement(
        root,
        "testsuite",
        {
            "name": f"amo-opt compare {named(label)}".rstrip(),
            "package": "amo-opt",
            "id": str(place),
            "timestamp": f"{study.date.isoformat()}T00:00:00",
            "hostname": "localhost",
            "tests": str(len(comparison.gates)),
            "failures": str(len(comparison.failed)),
            "errors": "0",
            "skipped": str(len(skipped)),
            "time": "0",
        },
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("study", named(study.name)),
        ("study-hash", study.hash),
        ("baseline", named(baseline)),
        ("candidate", named(candidate)),
        ("paths", str(comparison.paths)),
    ):
        ET.SubElement(properties, "property", {"name": name, "value": value})
    for gate in comparison.gates:
        part = f"amo-opt.compare.{gate.gate.cls}" + (f".{named(label).replace('.', '_')}" if label else "")
        case = ET.SubElement(suite, "testcase", {"classname": part, "name": gate.gate.metric, "time": "0"})
        if gate.status == "fail":
            failure = ET.SubElement(case, "failure", {"type": gate.verdict, "message": f"{gate.title}: {gate.verdict}"})
            failure.text = because(gate.reason)
        elif gate.status == "not gated":
            ET.SubElement(case, "skipped", {"message": because(gate.reason)})
    out = ET.SubElement(suite, "system-out")
    out.text = "\n".join(
        [
            headline(comparison),
            setting(comparison),
            *(f"{gate.gate.metric}: {gate.verdict}: {because(gate.reason)}" for gate in comparison.gates),
        ]
    )
    ET.SubElement(suite, "system-err")
