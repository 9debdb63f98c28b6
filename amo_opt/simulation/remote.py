"""What travels to a worker of a cluster, what runs there, and what results hang on there."""

from __future__ import annotations

import hashlib
import io
import pickle
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from amo_opt.config.identity import MODEL_VERSION
from amo_opt.errors import AmoOptError, SimulationError
from amo_opt.protocol.lanes import LANES
from amo_opt.simulation import engine
from amo_opt.simulation.executor import AnyJob, Work
from amo_opt.version import __version__

if TYPE_CHECKING:
    from amo_opt.config.study import Study

KEPT_BYTES = 1 << 30
"""Paths of the search that a worker process keeps, at most."""


def _read_only(values: dict[str, Any]) -> MappingProxyType[str, Any]:
    return MappingProxyType(values)


class _Pickler(pickle.Pickler):
    """Pickles a study, whose scenarios hold read-only mappings."""

    dispatch_table = {MappingProxyType: lambda mapping: (_read_only, (dict(mapping),))}  # noqa: RUF012 - pickle's own attribute


def serialise(value: object) -> bytes:
    """A study or sets, ready to be sent."""
    out = io.BytesIO()
    _Pickler(out, protocol=5).dump(value)
    return out.getvalue()


@lru_cache(maxsize=8)
def deserialise(serialised: bytes) -> Any:
    """What was serialised; kept, for the next job will ask for the same."""
    return pickle.loads(serialised)  # noqa: S301 - our own processes' bytes


@lru_cache(maxsize=4)
def about(serialised_study: bytes) -> dict[str, str]:
    """What results hang on here: versions, and a fingerprint of what the study's set in force does on short paths of every scenario."""
    import numba
    import numpy as np
    import scipy

    engine.keep_at_most(KEPT_BYTES)
    study: Study = deserialise(serialised_study)
    short = replace(study, simulation=replace(study.simulation, transition_hours=24, window_hours=216))
    digest = hashlib.sha256()
    for scenario in short.scenarios:
        try:
            outcome = engine.simulate(short.current, short, paths=LANES, scenarios=[scenario.name], stream="probe")
        except SimulationError as error:
            digest.update(str(error).encode())
            continue
        for name, column in outcome.columns.items():
            digest.update(name.encode() + column.tobytes())
    return {
        "amo-opt": __version__,
        "model": str(MODEL_VERSION),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "scipy": scipy.__version__,
        "results": digest.hexdigest()[:16],
    }


def there(work: Work, job: AnyJob, study: bytes, sets: bytes) -> tuple[dict[str, str], list[Any]]:
    """Runs on a worker: what results hang on there, and the job's results."""
    return about(study), work(job, deserialise(study), deserialise(sets))


def same(value: bytes) -> bytes:
    """The value: a task that holds it, so that workers fetch it once, and again should its holder be lost."""
    return value


def refuse_others(found: dict[str, Any], here: dict[str, str]) -> None:
    """Raises `AmoOptError` where a worker would not give this machine's bytes, naming it and what differs."""
    for worker, told in sorted(found.items()):
        if isinstance(told, BaseException):
            raise AmoOptError(
                f"the worker {worker} cannot run amo-opt {here['amo-opt']}: {type(told).__name__}: {told}; "
                "install the same amo-opt, with its extra cluster, on every machine"
            )
        differs = [f"{name} {told.get(name)} there, {value} here" for name, value in here.items() if told.get(name) != value]
        if len(differs) == 1 and differs[0].startswith("results"):
            raise AmoOptError(
                f"the worker {worker} has the same versions but gives other results ({differs[0]}): its processor rounds otherwise, so the "
                "results would hang on who ran what; use machines of one type, and run the command on one of them"
            )
        if differs:
            raise AmoOptError(f"the worker {worker} differs: {'; '.join(differs)}; install the same versions on every machine")
