"""Where a set's peg risk comes from: parts that add up to it, by scenario, and within one everyday paths against the few that decide.

A CVaR is a mean over the tail, so a path's part of it is its loss times what it weighs there. Every interval is read from the resamples that the CVaR's own is read
from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from amo_opt.scoring.influence import event_count, influence_of, spread
from amo_opt.scoring.intervals import clopper_pearson, corrected_bounds, percentile_bounds, resample_counts
from amo_opt.scoring.losses import FloatArray, kish, tail_weights, worst_first
from amo_opt.scoring.metrics import MEASURES
from amo_opt.scoring.replicates import masses
from amo_opt.scoring.sample import Outcome, sample
from amo_opt.scoring.sums import tail_parts
from amo_opt.scoring.types import Estimate

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from amo_opt.config.study import Study
    from amo_opt.scoring.sample import Block, Sample

METRIC = "peg_cvar95_bps"
Kind = Literal["all", "everyday", "events"]
"""A scenario's paths whole; those that lose less than its ``edge``; those that lose as much or more."""


@dataclass(frozen=True, kw_only=True)
class RiskPart:
    """One part of a set's peg risk: ``contribution`` in basis points and its ``share`` of the whole, whose ``n`` is the part's paths in the tail.

    ``chance`` that a path of the scenario belongs to the part, for events alone; its ``n`` is the scenario's paths.
    """

    scenario: str
    kind: Kind
    contribution: Estimate
    share: Estimate
    edge: float | None = None
    chance: Estimate | None = None

    @property
    def known(self) -> bool:
        """Whether the paths behind it are enough to tell of its size."""
        return self.contribution.interval is not None


def risk_parts(outcome: Outcome, study: Study, edges: Mapping[str, float | None]) -> tuple[RiskPart, ...]:
    """The parts of an outcome's peg risk, scenario by scenario: everyday and events where ``edges`` holds the loss at which its events begin.

    Raises as `score` does.
    """
    paths = sample(outcome, study)
    values = MEASURES[METRIC].values(paths)
    kinds: list[tuple[Block, Kind]] = []
    part_of = np.empty(values.size, dtype=np.int64)
    for block in paths.blocks:
        edge = edges.get(block.scenario.name)
        part_of[block.rows] = len(kinds)
        if edge is None:
            kinds.append((block, "all"))
            continue
        part_of[block.rows] += values[block.rows] >= edge
        kinds += [(block, "everyday"), (block, "events")]
    tail = _Tail.of(values, paths, part_of, len(kinds))
    return tuple(
        RiskPart(
            scenario=block.scenario.name,
            kind=kind,
            contribution=tail.contribution(k, block),
            share=tail.share(k, block),
            edge=edges.get(block.scenario.name),
            chance=_chance((part_of[block.rows] == k).astype(np.float64), paths.alone(block)) if kind == "events" else None,
        )
        for k, (block, kind) in enumerate(kinds)
    )


@dataclass(frozen=True)
class _Tail:
    """The tail of a sample by part: what each row adds to the mean over it (``weights``, sum 1), each part's sum, replicates and influences."""

    paths: Sample
    part_of: npt.NDArray[np.int64]
    weights: FloatArray
    values: FloatArray
    replicates: FloatArray
    influences: FloatArray

    @classmethod
    def of(cls, losses: FloatArray, paths: Sample, part_of: npt.NDArray[np.int64], parts: int) -> _Tail:
        level = MEASURES[METRIC].level
        order = worst_first(losses)
        weights = np.empty(losses.size)
        taken = tail_weights(paths.weights[order], level=level)
        weights[order] = taken / taken.sum()
        own = np.stack([part_of == k for k in range(parts)])
        last = int(np.flatnonzero(taken > 0.0)[-1])
        return cls(
            paths,
            part_of,
            weights,
            # not by a matrix product, whose last bits hang on the machine's cores
            np.array([(weights[each] * losses[each]).sum() for each in own]),
            _replicates(losses, paths, part_of, parts, level=level, order=order),
            _influences(losses, paths, own, boundary=int(order[last]), level=level),
        )

    def contribution(self, part: int, block: Block) -> Estimate:
        """A part in the metric's unit."""
        return self._estimate(part, block, float(self.values[part]), self.replicates[part], self.influences[part])

    def share(self, part: int, block: Block) -> Estimate:
        """A part of the whole, 0 where there is no loss at all."""
        total, totals = float(self.values.sum()), self.replicates.sum(axis=0)
        value = float(self.values[part]) / total if total > 0.0 else 0.0
        shares = np.divide(self.replicates[part], totals, out=np.zeros_like(totals), where=totals > 0.0)
        influences = (self.influences[part] - value * self.influences.sum(axis=0)) / (total or 1.0)
        return self._estimate(part, block, value, shares, influences)

    def _estimate(self, part: int, block: Block, value: float, replicates: FloatArray, influences: FloatArray) -> Estimate:
        held = None if self.paths.plain else spread(influences, self.paths.strata, self.paths.numbers)
        low, high = percentile_bounds(replicates) if held is None else corrected_bounds(replicates, value, held)
        behind = (self.part_of == part) & (self.weights > 0.0)
        drawn = next((each.rows for each in block.strata if each.component == 0), slice(0, 0))
        n = int(behind.sum())
        return Estimate.of(
            value,
            (float(low), float(high)),
            n=n,
            fewest=block.fewest,
            tail_points=kish(self.weights[behind]) if n else 0.0,
            twins=n - int(behind[drawn].sum()),
        )


def _replicates(
    losses: FloatArray, paths: Sample, part_of: npt.NDArray[np.int64], parts: int, *, level: float, order: npt.NDArray[np.int64]
) -> FloatArray:
    """Each part in every resample, shape (parts, resamples)."""
    alike = np.concatenate([np.full(block.n, block.weight / block.n) for block in paths.blocks])
    share = (1.0 - level) * float(alike.sum())
    study = paths.study
    chunks = resample_counts(paths.strata, seed=study.search.seed, resamples=study.certification.bootstrap)
    return np.concatenate(
        [tail_parts(losses, alike, masses(paths, counts), order, part_of=part_of, parts=parts, share=share) for counts in chunks], axis=1
    )


def _influences(losses: FloatArray, paths: Sample, own: npt.NDArray[np.bool_], *, boundary: int, level: float) -> FloatArray:
    """The influence of every path on each part, shape (parts, n): they sum to the CVaR's.

    A path beyond the tail's boundary adds its loss to its own part, and pushes as much weight of the boundary's loss out of the boundary's part.
    """
    q = losses[boundary]
    beyond = (losses > q) / (1.0 - level)
    gradients = own * (beyond * losses)
    gradients[int(np.argmax(own[:, boundary]))] += q * (1.0 - beyond)
    rows = [block.rows for block in paths.blocks]
    return np.stack([influence_of(gradient, paths.weights, rows) for gradient in gradients])


def _chance(flags: FloatArray, paths: Sample) -> Estimate:
    """How often a path of a scenario has an event, exact on as many paths as tell as much of it."""
    held = spread(influence_of(flags, paths.weights, [slice(0, flags.size)]), paths.strata, paths.numbers)
    count = float(flags.size) if paths.plain else event_count(flags, paths.weights, held)
    value = float((flags * paths.weights).sum() / paths.weights.sum())
    return Estimate.of(value, clopper_pearson(value * count, count), n=flags.size, fewest=paths.fewest, twins=flags.size - paths.drawn)
