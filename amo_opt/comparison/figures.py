"""What one set did, path by path, in a comparison: computed from an outcome, kept in a run file, read again bit for bit."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from amo_opt.amos.parameters import parameter_set
from amo_opt.config.identity import MODEL_VERSION, canonical
from amo_opt.config.wording import shown
from amo_opt.errors import AmoOptError
from amo_opt.files import read_file
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.scoring.metrics import MEASURES
from amo_opt.scoring.sample import Sample, sample
from amo_opt.stress.tilts import Design, tilt_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from amo_opt.config.study import Study
    from amo_opt.scoring.losses import FloatArray
    from amo_opt.simulation.outcome import Outcome

SCHEMA = 3
MOST_BYTES = 512 * 1024 * 1024
"""Of a run file: some 40 doubles a path."""
STREAM = "holdout"
"""The paths both sets meet: those of a proposal's own figures, which the search never saw. A run checks its one choice there too, so
another ``seed`` gives a recommended set paths that nothing has looked at.
"""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One set's figure of every metric on every path, shape (n,), scenario by scenario in the study's order, in each the ``paths`` drawn and then the twins of
    every component of its design; ``designs`` by scenario, and each path's weight in its scenario (n,). Without them all are drawn and count alike.
    """

    parameters: ParameterSet
    paths: int
    values: dict[str, FloatArray]
    designs: Mapping[str, Design] = field(default_factory=dict)
    weights: FloatArray | None = None

    @property
    def twins(self) -> dict[str, int]:
        """Twins of each scenario that has some."""
        return {name: sum(design.twins) for name, design in self.designs.items() if any(design.twins)}


@dataclass(frozen=True, kw_only=True)
class _Laid:
    """As much of an outcome as weights and pairing need."""

    parameters: ParameterSet
    paths: pd.DataFrame
    weights: Mapping[str, float]


def layout(
    parameters: ParameterSet, study: Study, *, paths: int, designs: Mapping[str, Design] | None = None, weights: FloatArray | None = None
) -> Sample:
    """The rows of a comparison without their figures: scenarios, components, path numbers, weights. The same for a fresh run and a stored one."""
    import pandas as pd

    counts = {each.name: (designs or {}).get(each.name, Design(paths)).counts for each in study.scenarios}
    frame = pd.DataFrame(
        {
            "scenario": np.repeat(np.array(list(counts), dtype=object), [sum(each) for each in counts.values()]),
            "component": np.concatenate([np.repeat(np.arange(len(each)), each) for each in counts.values()]),
            "path": np.concatenate([np.arange(count) for each in counts.values() for count in each]),
        }
    )
    if weights is not None:
        frame["weight"] = weights
    return sample(_Laid(parameters=parameters, paths=frame, weights={each.name: each.weight for each in study.scenarios}), study)


def figures_of(outcome: Outcome, study: Study, designs: Mapping[str, Design]) -> Figures:
    """The figures of an outcome that was simulated by such designs. Raises `SimulationError` where one is not finite."""
    rows = sample(outcome, study)
    values = {name: np.ascontiguousarray(measure.values(rows), dtype=np.float64) for name, measure in MEASURES.items()}
    paths = rows.blocks[0].strata[0].n
    return Figures(parameters=outcome.parameters, paths=paths, values=values, designs=designs, weights=outcome.path_weight)


def conditions(study: Study) -> dict[str, Any]:
    """What a path's figures depend on besides the set: version, seed, and hashes of the state's data, the scenarios and the settings."""
    parts = canonical(study)
    simulation = {name: value for name, value in parts["simulation"].items() if name != "paths"}
    return {
        "model": MODEL_VERSION,
        "stream": STREAM,
        "seed": study.search.seed,
        "data": _hash(parts["state"]),
        "scenarios": _hash(parts["scenarios"]),
        "settings": _hash([simulation, parts["constraints"]]),
    }


def run_document(figures: Figures, study: Study) -> dict[str, Any]:
    """The run file: everything `read_run` needs to stand in for a simulation, and a checksum over it."""
    document = {
        "schema": SCHEMA,
        "kind": "amo-opt compare run",
        "study": {"name": study.name, "hash": study.hash},
        **conditions(study),
        "paths": figures.paths,
        "designs": {
            name: {"components": [[str(tilt) for tilt in each] for each in design.components], "twins": list(design.twins)}
            for name, design in figures.designs.items()
        },
        "weights": None if figures.weights is None else _packed({"weights": figures.weights})["weights"],
        "parameters": {"name": figures.parameters.name, **figures.parameters.values()},
        "figures": _packed(figures.values),
    }
    return {**document, "sha256": _hash(document)}


def read_run(file: Path, study: Study, baseline: ParameterSet, *, paths: int | None = None) -> Figures:
    """The figures a run file holds.

    Raises `AmoOptError` where it is no such file or was damaged, was made by another version of the model, from other data, scenarios
    or settings, holds another set than ``baseline`` or another number of paths: such a run says nothing about this comparison.
    """
    document = _document(file)
    want = conditions(study)
    for key, what in _CONDITIONS.items():
        if document.get(key) != want[key]:
            told = f": {document.get(key)} there, {want[key]} here" if key in {"model", "seed", "stream"} else ""
            raise AmoOptError(f"{file}: the stored run has {what}{told}; make it again with --out")
    stored = {name: value for name, value in document["parameters"].items() if name != "name"}
    for name, value in baseline.values().items():
        if stored.get(name) != value:
            raise AmoOptError(f"{file}: the stored run is of another set: {name} is {stored.get(name)} there, {value} in the baseline")
    if paths is not None and document["paths"] != paths:
        raise AmoOptError(
            f"{file}: the stored run has {document['paths']} paths per scenario, not {paths}; leave --paths out, or make it again"
        )
    designs = {name: _design(document["paths"], each) for name, each in document["designs"].items()}
    count = sum(designs.get(each.name, Design(document["paths"])).paths for each in study.scenarios)
    missing = sorted(set(MEASURES) - set(document["figures"]))
    if missing:
        raise AmoOptError(f"{file}: the stored run has no {missing[0]}; make it again with --out")
    named = document["parameters"]["name"]
    parameters = parameter_set(named, {name: stored[name] for name in baseline.values()})
    values = _unpacked(file, document["figures"], count)
    weights = None if document["weights"] is None else _unpacked(file, {"weights": document["weights"]}, count)["weights"]
    return Figures(
        parameters=parameters,
        paths=document["paths"],
        values={name: values[name] for name in MEASURES},
        designs=designs,
        weights=weights,
    )


def _design(drawn: int, kept: Mapping[str, Any]) -> Design:
    """A scenario's design as a run file keeps it."""
    components = tuple(tuple(tilt_of(text) for text in each) for each in kept["components"])
    return Design(drawn, components, tuple(kept["twins"]))


_CONDITIONS = {
    "model": "another version of the model",
    "stream": "other paths",
    "seed": "another seed",
    "data": "a state with other data",
    "scenarios": "other scenarios",
    "settings": "other simulation settings or constraints",
}


def _document(file: Path) -> dict[str, Any]:
    """The file's JSON, whole and unchanged since it was written."""
    try:
        document = json.loads(read_file(file, most=MOST_BYTES))
    except (ValueError, RecursionError) as error:
        raise AmoOptError(f"{file}: not a stored run: not JSON; write one with amo-opt compare … --out DIR") from error
    except OSError as error:
        raise AmoOptError(f"{file}: the stored run cannot be read: {error.strerror or error}") from error
    if not isinstance(document, dict) or document.get("kind") != "amo-opt compare run":
        raise AmoOptError(f"{file}: not a stored run; --baseline-run reads the run.json that amo-opt compare … --out DIR writes")
    if document.get("schema") != SCHEMA:
        raise AmoOptError(f"{file}: a stored run of schema {shown(document.get('schema'))}; allowed: {SCHEMA}; make it again with --out")
    whole = {key: value for key, value in document.items() if key != "sha256"}
    try:
        kept = document.get("sha256") == _hash(whole)
    except (ValueError, RecursionError):  # NaN, or a depth that reads and does not write
        kept = False
    if not kept:
        raise AmoOptError(f"{file}: the stored run was changed or cut short: its checksum does not hold; make it again with --out")
    return document


def _packed(values: Mapping[str, FloatArray]) -> dict[str, Any]:
    """Arrays as text: one number where all are equal, a name where an earlier metric holds the same, else base64 of deflated doubles."""
    seen: dict[bytes, str] = {}
    packed: dict[str, Any] = {}
    for name, array in values.items():
        raw = array.astype("<f8").tobytes()
        if raw in seen:
            packed[name] = seen[raw]
            continue
        seen[raw] = name
        constant = array.tobytes() == np.full_like(array, array[0]).tobytes()
        packed[name] = float(array[0]) if constant else {"base64": base64.b64encode(zlib.compress(raw, 9)).decode("ascii")}
    return packed


def _unpacked(file: Path, packed: Mapping[str, Any], count: int) -> dict[str, FloatArray]:
    """The arrays of `_packed`, shape (count,)."""
    arrays: dict[str, FloatArray] = {}
    for name, entry in packed.items():
        if isinstance(entry, dict):
            raw = zlib.decompressobj().decompress(base64.b64decode(entry["base64"]), 8 * count + 1)
            if len(raw) != 8 * count:
                raise AmoOptError(f"{file}: {name} of the stored run does not hold {count} paths; make it again with --out")
            arrays[name] = np.frombuffer(raw, dtype="<f8").astype(np.float64)
        else:
            arrays[name] = arrays[entry] if isinstance(entry, str) else np.full(count, entry, dtype=np.float64)
    return arrays


def _hash(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
