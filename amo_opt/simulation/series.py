"""The time series of one path, as a table."""

from __future__ import annotations

from pathlib import Path

from amo_opt.config.study import Study
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.simulation.engine import DERIVED_COLUMNS, TRACE_COLUMNS, trace


def write_trace(file: Path, parameters: ParameterSet, study: Study, *, scenario: str, path: int, stream: str = "search") -> None:
    """Every series of one path into a CSV (or Parquet, by the file's ending), one row an hour; hours before the window are negative."""
    import pandas as pd

    series = trace(
        parameters, study, scenario=scenario, paths=1, first_path=path, stream=stream, columns=(*TRACE_COLUMNS, *DERIVED_COLUMNS)
    )
    frame = pd.DataFrame({name: values[:, 0] for name, values in series.items()})
    frame.insert(0, "hour", frame.index - study.simulation.transition_hours)
    if file.suffix == ".parquet":
        frame.to_parquet(file, index=False)
    else:
        frame.to_csv(file, index=False, lineterminator="\n")
