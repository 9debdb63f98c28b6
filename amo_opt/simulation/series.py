"""The time series of one path, as a table."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from amo_opt.config.study import Study
from amo_opt.errors import StorageError
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.simulation.columns import named_columns
from amo_opt.simulation.engine import DERIVED_COLUMNS, TRACE_COLUMNS, trace
from amo_opt.stress.tilts import Design

if TYPE_CHECKING:
    import pandas as pd


def trace_path(
    parameters: ParameterSet,
    study: Study,
    *,
    scenario: str,
    path: int,
    stream: str = "search",
    design: Design | None = None,
    component: int = 0,
) -> pd.DataFrame:
    """Every series of one path, or of its twin in a ``component`` of a ``design``, a column each and one row an hour; hours before the window are negative.

    Raises `AmoOptError` for a scenario that the study does not have, `SimulationError` where the path fails.
    """
    import pandas as pd

    series = trace(
        parameters,
        study,
        scenario=scenario,
        paths=1,
        first_path=path,
        stream=stream,
        columns=(*TRACE_COLUMNS, *named_columns(study.state), *DERIVED_COLUMNS),
        design=design,
        component=component,
    )
    frame = pd.DataFrame({name: values[:, 0] for name, values in series.items()})
    frame.insert(0, "hour", frame.index - study.simulation.transition_hours)
    return frame


def write_trace(
    file: Path,
    parameters: ParameterSet,
    study: Study,
    *,
    scenario: str,
    path: int,
    stream: str = "search",
    design: Design | None = None,
    component: int = 0,
) -> None:
    """What `trace_path` gives into a CSV (or Parquet, by the file's ending)."""
    frame = trace_path(parameters, study, scenario=scenario, path=path, stream=stream, design=design, component=component)
    # written beside its place first: a file that stood there is replaced whole or not at all
    fresh = file.with_name(f".{os.getpid()}.writing.{file.name}")
    try:
        if file.suffix == ".parquet":
            frame.to_parquet(fresh, index=False)
        else:
            frame.to_csv(fresh, index=False, lineterminator="\n")
        fresh.replace(file)
    except OSError as error:
        raise StorageError(f"{file} could not be written: {error.strerror or error}; name another file") from error
    finally:
        with suppress(OSError):  # moved already, or never made
            fresh.unlink()
