"""The time series of one path, as a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from amo_opt.errors import AmoOptError
from amo_opt.simulation.engine import DERIVED_COLUMNS, TRACE_COLUMNS, trace
from amo_opt.simulation.series import trace_path, write_trace

if TYPE_CHECKING:
    from amo_opt.config.study import Study


def test_a_csv_of_every_series(frax: Study, tmp_path: Path) -> None:
    """One row an hour, hours before the window negative, every column, the values of `trace`."""
    study = replace(frax, simulation=replace(frax.simulation, transition_hours=24, window_hours=48))
    write_trace(tmp_path / "path.csv", study.current, study, scenario="svb-2023", path=2)
    frame = pd.read_csv(tmp_path / "path.csv")
    assert list(frame.columns) == ["hour", *TRACE_COLUMNS, *DERIVED_COLUMNS]
    assert frame["hour"].tolist() == list(range(-24, 48))
    assert np.allclose(trace_path(study.current, study, scenario="svb-2023", path=2), frame, rtol=1e-15)
    prices = trace(study.current, study, scenario="svb-2023", paths=1, first_path=2)["price"][:, 0]
    assert np.allclose(frame["price"], prices, rtol=1e-15)


def test_a_parquet_file_where_it_can_be_written(frax: Study, tmp_path: Path) -> None:
    """The ending chooses the format; without the extra `parquet` there is nothing to test."""
    pytest.importorskip("pyarrow", reason="install the extra `parquet` to write Parquet files")
    study = replace(frax, simulation=replace(frax.simulation, transition_hours=0, window_hours=24))
    write_trace(tmp_path / "path.parquet", study.current, study, scenario="calm", path=0)
    assert len(pd.read_parquet(tmp_path / "path.parquet")) == 24


def test_a_path_that_is_not_there_is_told(frax: Study) -> None:
    """A scenario that the study does not have, and a path before the first."""
    with pytest.raises(AmoOptError, match="unknown scenario 'svb'; the study has calm"):
        trace_path(frax.current, frax, scenario="svb", path=0)
    with pytest.raises(AmoOptError, match="paths count from 0"):
        trace_path(frax.current, frax, scenario="calm", path=-1)
