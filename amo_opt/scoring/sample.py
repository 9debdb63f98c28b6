"""An outcome as arrays: each column pulled out of the frame once, each scenario one slice of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from amo_opt.errors import AmoOptError, SimulationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.scoring.losses import FloatArray
    from amo_opt.stress.scenario import Scenario


class Outcome(Protocol):
    """What scoring reads of an outcome: one row a path, the set that ran, and the weight of each scenario."""

    @property
    def parameters(self) -> ParameterSet:
        """The set that ran."""
        ...

    @property
    def paths(self) -> pd.DataFrame:
        """One row a path, scenario by scenario, no missing value."""
        ...

    @property
    def weights(self) -> Mapping[str, float]:
        """Weight by scenario."""
        ...


@dataclass(frozen=True, kw_only=True)
class Block:
    """The rows of one scenario: ``rows`` of the sample, ``n`` of them, carrying ``weight`` of the whole (normalised to sum 1)."""

    scenario: Scenario
    rows: slice
    n: int
    weight: float


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The paths of one outcome, shape (n,) a column. ``weights`` are w_s / n_s by row and sum to 1."""

    study: Study
    frame: pd.DataFrame
    blocks: tuple[Block, ...]
    weights: FloatArray

    @property
    def strata(self) -> tuple[tuple[str, int], ...]:
        """(scenario, paths), as the bootstrap takes them."""
        return tuple((block.scenario.name, block.n) for block in self.blocks)

    @property
    def fewest(self) -> int:
        """Paths of the scenario that has the fewest."""
        return min(block.n for block in self.blocks)

    def alone(self, block: Block) -> Sample:
        """The rows of one scenario as a sample of its own, which then carries the whole weight."""
        rows = slice(0, block.n)
        weights = np.full(block.n, 1.0 / block.n)
        return Sample(
            study=self.study,
            frame=self.frame.iloc[block.rows],
            blocks=(Block(scenario=block.scenario, rows=rows, n=block.n, weight=1.0),),
            weights=weights,
        )

    def column(self, name: str) -> FloatArray:
        """A column of the frame as float64, shape (n,).

        Raises ``AmoOptError`` where the column is missing and ``SimulationError`` naming scenario and path where it is not finite: a
        NaN sorts anywhere and an infinity wins or loses a search by itself.
        """
        if name not in self.frame.columns:
            raise AmoOptError(f"the outcome has no column {name}: it comes from another version of the model; simulate again")
        values: FloatArray = self.frame[name].to_numpy(dtype=np.float64)
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0])
            where = f"scenario {self.frame['scenario'].iloc[row]}, path {self.frame['path'].iloc[row]}"
            raise SimulationError(f"{name} is {values[row]} in {where}; only finite outcomes can be scored")
        return values

    def income_lines(self) -> tuple[str, ...]:
        """The columns of income, in the frame's order; a line added to the accounts enters the score without a word here."""
        return tuple(name for name in self.frame.columns if name.startswith("income_") and name.endswith("_usd"))


def sample(outcome: Outcome, study: Study, *, scenario: str | None = None) -> Sample:
    """The sample of an outcome, or of one scenario of it (which then carries the whole weight).

    Raises ``AmoOptError`` where a scenario's rows are not together, or the study does not know it, or no weight is left.
    """
    frame = outcome.paths
    names: npt.NDArray[np.object_] = frame["scenario"].to_numpy(dtype=object)
    if scenario is not None:
        frame = frame[names == scenario]
        names = names[names == scenario]
    if not names.size:
        raise AmoOptError(f"no path to score{'' if scenario is None else f' of scenario {scenario}'}; simulate at least one")
    starts = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1).tolist()]
    found = [str(names[start]) for start in starts]
    if len(set(found)) != len(found):
        raise AmoOptError("the paths of one scenario must be together; sort the outcome by scenario and path")
    known = {entry.name: entry for entry in study.scenarios}
    unknown = [name for name in found if name not in known or name not in outcome.weights]
    if unknown:
        raise AmoOptError(f"no weight is known for scenario {', '.join(unknown)}; the study holds {', '.join(known)}")
    raw = {name: float(outcome.weights[name]) for name in found}
    total = sum(raw.values())
    if not (total > 0.0 and min(raw.values()) >= 0.0):
        raise AmoOptError(f"scenario weights must be at least 0 and sum to more than 0, found {raw}; set `weight` in the study")
    blocks = tuple(
        Block(scenario=known[name], rows=slice(start, stop), n=stop - start, weight=raw[name] / total)
        for name, start, stop in zip(found, starts, [*starts[1:], names.size], strict=True)
    )
    weights = np.concatenate([np.full(block.n, block.weight / block.n) for block in blocks])
    return Sample(study=study, frame=frame, blocks=blocks, weights=weights)
