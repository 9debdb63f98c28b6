"""An outcome as arrays: each column pulled out of the frame once, each scenario one slice of rows, in it one slice a component."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
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
class Stratum:
    """Paths that were drawn alike: one component of a scenario, ``rows`` of the sample. The bootstrap knows it by ``name``."""

    name: str
    component: int
    rows: slice

    @property
    def n(self) -> int:
        """Its paths."""
        n: int = self.rows.stop - self.rows.start
        return n


@dataclass(frozen=True, kw_only=True)
class Block:
    """The rows of one scenario: ``rows`` of the sample, ``n`` of them, carrying ``weight`` of the whole (normalised to sum 1).

    ``strata`` are its components, the drawn paths first. ``shares`` is each path's part of the scenario, shape (n,), sum 1; None where its
    paths count alike.
    """

    scenario: Scenario
    rows: slice
    n: int
    weight: float
    strata: tuple[Stratum, ...]
    shares: FloatArray | None = None

    @property
    def own(self) -> FloatArray:
        """What its paths count for beside one another, shape (n,), of any scale."""
        return np.ones(self.n) if self.shares is None else self.shares

    @property
    def plain(self) -> bool:
        """Whether its paths were drawn alike and count alike."""
        return self.shares is None and len(self.strata) == 1

    @property
    def fewest(self) -> int:
        """Paths of the stratum that has the fewest, of those that weigh something."""
        first = self.rows.start
        weighing = [
            each.n for each in self.strata if self.shares is None or self.shares[each.rows.start - first : each.rows.stop - first].any()
        ]
        return min(weighing)

    def at(self, first: int) -> Block:
        """The block with its rows counted from ``first``, carrying the whole weight."""
        back = self.rows.start - first
        strata = tuple(replace(each, rows=slice(each.rows.start - back, each.rows.stop - back)) for each in self.strata)
        return replace(self, rows=slice(first, first + self.n), weight=1.0, strata=strata)

    @property
    def weights(self) -> FloatArray:
        """Each path's part of the whole, shape (n,)."""
        return np.full(self.n, self.weight / self.n) if self.shares is None else self.weight * self.shares


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The paths of one outcome, shape (n,) a column. ``weights`` by row are w_s / n_s, or w_s u / sum u of path weights u, and sum to 1."""

    study: Study
    frame: pd.DataFrame
    blocks: tuple[Block, ...]
    weights: FloatArray

    @property
    def strata(self) -> tuple[tuple[str, int], ...]:
        """(name, paths), as the bootstrap takes them."""
        return tuple((each.name, each.n) for block in self.blocks for each in block.strata)

    @property
    def numbers(self) -> npt.NDArray[np.int64]:
        """The paths' numbers in their scenarios, shape (n,), which their twins have too."""
        found: npt.NDArray[np.int64] = self.frame["path"].to_numpy(dtype=np.int64)
        return found

    @property
    def fewest(self) -> int:
        """Paths of the stratum that has the fewest."""
        return min(block.fewest for block in self.blocks)

    @property
    def plain(self) -> bool:
        """Whether no scenario has twins or path weights."""
        return all(block.plain for block in self.blocks)

    @property
    def drawn(self) -> int:
        """Paths of the scenarios as they are; the others are twins."""
        return sum(each.n for block in self.blocks for each in block.strata if each.component == 0)

    def alone(self, block: Block) -> Sample:
        """The rows of one scenario as a sample of its own, which then carries the whole weight."""
        moved = block.at(0)
        return Sample(study=self.study, frame=self.frame.iloc[block.rows], blocks=(moved,), weights=moved.weights)

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
        _block(frame, known[name], slice(start, stop), weight=raw[name] / total)
        for name, start, stop in zip(found, starts, [*starts[1:], names.size], strict=True)
    )
    return Sample(study=study, frame=frame, blocks=blocks, weights=np.concatenate([block.weights for block in blocks]))


def _block(frame: pd.DataFrame, scenario: Scenario, rows: slice, *, weight: float) -> Block:
    """One scenario's rows; a frame without the columns ``component`` and ``weight`` holds drawn paths that count alike."""
    n = rows.stop - rows.start
    components = frame["component"].to_numpy(dtype=np.int64)[rows] if "component" in frame else np.zeros(n, dtype=np.int64)
    if (components[1:] < components[:-1]).any() or components[0] < 0:
        raise AmoOptError(
            f"the paths of scenario {scenario.name} must be ordered by component, from 0; sort the outcome by scenario and component"
        )
    starts = [0, *(np.flatnonzero(components[1:] != components[:-1]) + 1).tolist(), n]
    strata = tuple(
        Stratum(
            name=stratum_name(scenario.name, int(components[start])),
            component=int(components[start]),
            rows=slice(rows.start + start, rows.start + stop),
        )
        for start, stop in itertools.pairwise(starts)
    )
    shares = _shares(frame["weight"].to_numpy(dtype=np.float64)[rows], scenario) if "weight" in frame else None
    return Block(scenario=scenario, rows=rows, n=n, weight=weight, strata=strata, shares=shares)


def _shares(weights: FloatArray, scenario: Scenario) -> FloatArray | None:
    """Path weights that sum to 1, or None where all are the same."""
    if not (np.isfinite(weights).all() and weights.min() >= 0.0 and weights.max() > 0.0):
        bad = weights[~(np.isfinite(weights) & (weights >= 0.0))]
        raise SimulationError(
            f"weight is {bad[0] if bad.size else 0.0} in scenario {scenario.name}; path weights are finite, at least 0, and not all 0"
        )
    return None if weights.min() == weights.max() else weights / weights.sum()


def stratum_name(scenario: str, component: int) -> str:
    """What the bootstrap calls a component of a scenario: the drawn paths by the scenario's name, so that they meet the same resamples
    whether or not they have twins.

    >>> stratum_name("calm", 0), stratum_name("calm", 2)
    ('calm', 'calm~t2')
    """
    return f"{scenario}~t{component}" if component else scenario
