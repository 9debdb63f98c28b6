"""Every metric on every resample: what the intervals of scores and of paired differences are read from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from amo_opt.scoring.intervals import resample_counts
from amo_opt.scoring.metrics import MEASURES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amo_opt.scoring.losses import FloatArray
    from amo_opt.scoring.sample import Sample


@dataclass(frozen=True, kw_only=True)
class Replicates:
    """Arrays of shape (resamples,) by metric: over all scenarios by weight, within each scenario, and of each term of the yield."""

    overall: dict[str, FloatArray]
    by_scenario: dict[str, dict[str, FloatArray]]
    yield_terms: dict[str, FloatArray]


def replicate(sample: Sample, figures: Mapping[str, FloatArray], terms: Mapping[str, FloatArray]) -> Replicates:
    """The bootstrap replicates of path figures (metric -> shape (n,)) and of yield terms (line -> shape (n,)).

    Means are taken within each scenario and then weighed, as strata keep their weight; tails are taken over all paths at once. Two
    samples of the same scenarios and path counts get the same resamples, whatever ran on them.
    """
    tails = [name for name in figures if MEASURES[name].is_tail]
    means = [name for name in figures if not MEASURES[name].is_tail]
    stack = np.stack([*(figures[name] for name in means), *terms.values()])
    search, certification = sample.study.search, sample.study.certification
    chunks = []
    for counts in resample_counts(sample.strata, seed=search.seed, resamples=certification.bootstrap):
        parts = []
        pooled = np.zeros((len(stack), counts.shape[1]))
        for block in sample.blocks:
            drawn, ones = counts[block.rows], np.ones(block.n)
            # einsum, not @: BLAS may split the sum by the number of cores, and the same inputs must give the same bytes.
            averages: FloatArray = np.einsum("mn,nr->mr", stack[:, block.rows], drawn) / block.n
            pooled += block.weight * averages
            parts.append(averages[: len(means)])
            parts += [MEASURES[name].resampled(figures[name][block.rows], ones, drawn)[np.newaxis] for name in tails]
        overall = [MEASURES[name].resampled(figures[name], sample.weights, counts)[np.newaxis] for name in tails]
        chunks.append(np.concatenate([pooled, *overall, *parts]))
    rows = iter(np.concatenate(chunks, axis=1))
    # The rows come back in the order they were stacked above; a dict display is evaluated in order.
    mean_rows = {name: next(rows) for name in means}
    term_rows = {name: next(rows) for name in terms}
    tail_rows = {name: next(rows) for name in tails}
    scenarios = {block.scenario.name: {name: next(rows) for name in (*means, *tails)} for block in sample.blocks}
    return Replicates(overall={**mean_rows, **tail_rows}, by_scenario=scenarios, yield_terms=term_rows)
