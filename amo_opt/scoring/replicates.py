"""Every metric on every resample: what the intervals of scores and of paired differences are read from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from amo_opt.scoring.intervals import resample_counts
from amo_opt.scoring.metrics import MEASURES
from amo_opt.scoring.sums import weighted_sums

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from amo_opt.scoring.losses import FloatArray
    from amo_opt.scoring.metrics import YieldTerms
    from amo_opt.scoring.sample import Block, Sample
_STACKED_FIGURES, _LEAST_STACKED = 1 << 18, 8
"""Figures of rows averaged at once (2 MB), but eight rows at least: each is summed by itself, so only memory and time hang on it."""


@dataclass(frozen=True, kw_only=True)
class Replicates:
    """Arrays of shape (resamples,) by metric: over all scenarios by weight, within each scenario (where asked for), of each term of the yield.

    ``alone`` (where asked for) is what a sample of one scenario by itself gives: `by_scenario` with weights that sum to 1, whose tails round
    otherwise in the last digits.
    """

    overall: dict[str, FloatArray]
    by_scenario: dict[str, dict[str, FloatArray]]
    alone: dict[str, dict[str, FloatArray]]
    yield_terms: dict[str, FloatArray]


def replicate(
    sample: Sample, figures: Mapping[str, FloatArray], terms: YieldTerms | None, *, within: bool = True, alone: bool = False
) -> Replicates:
    """The bootstrap replicates of path figures (metric -> shape (n,)) and of the yield's terms.

    Means are taken within each scenario and then weighed, as strata keep their weight; tails are taken over all paths at once. Two
    samples of the same scenarios and path counts get the same resamples, whatever ran on them. Without ``within`` the replicates within
    each scenario are left out; ``alone`` adds those of each scenario by itself.
    """
    tails = [name for name in figures if MEASURES[name].is_tail]
    means = [name for name in figures if not MEASURES[name].is_tail]
    rows: list[Callable[[slice], FloatArray]] = [figures[name].__getitem__ for name in means]
    if terms is not None:
        rows += [partial(terms.of, name) for name in terms]
    orders = {name: MEASURES[name].order(figures[name]) for name in tails}
    weights = [*([1.0] if within else []), *([None] if alone else [])]
    told = sample.blocks if weights else ()
    inner = {(block.scenario.name, name): MEASURES[name].order(figures[name][block.rows]) for block in told for name in tails}
    search, certification = sample.study.search, sample.study.certification
    chunks = []
    alike = np.concatenate([np.full(block.n, block.weight / block.n) for block in sample.blocks])
    for resampled in resample_counts(sample.strata, seed=search.seed, resamples=certification.bootstrap):
        counts = masses(sample, resampled)
        parts = []
        pooled = np.zeros((len(rows), counts.shape[1]))
        for block in sample.blocks:
            drawn = counts[block.rows]
            averages = _averages(rows, block, drawn)
            pooled += block.weight * averages
            for weight in weights:
                parts.append(averages[: len(means)])
                each = np.full(block.n, 1.0 / block.n if weight is None else weight)
                for name in tails:
                    order = inner[block.scenario.name, name]
                    parts.append(MEASURES[name].resampled(figures[name][block.rows], each, drawn, order=order)[np.newaxis])
        overall = [MEASURES[name].resampled(figures[name], alike, counts, order=orders[name])[np.newaxis] for name in tails]
        chunks.append(np.concatenate([pooled, *overall, *parts]))
    lines = iter(np.concatenate(chunks, axis=1))
    # The lines come back in the order they were stacked above; a dict display is evaluated in order.
    mean_rows = {name: next(lines) for name in means}
    term_rows = {name: next(lines) for name in terms or ()}
    tail_rows = {name: next(lines) for name in tails}
    found: dict[bool, dict[str, dict[str, FloatArray]]] = {True: {}, False: {}}
    for block in told:
        for weight in weights:
            found[weight is None][block.scenario.name] = {name: next(lines) for name in (*means, *tails)}
    return Replicates(overall={**mean_rows, **tail_rows}, by_scenario=found[False], alone=found[True], yield_terms=term_rows)


def masses(sample: Sample, counts: FloatArray) -> FloatArray:
    """What each path counts for in each resample, shape (paths, resamples), beside paths of its scenario that count 1 on average.

    ``counts`` themselves where paths count alike; else n c_i u_i / sum_j c_j u_j of path weights u within the scenario, so that a
    scenario keeps its weight in every resample. (One that drew no weight at all counts nothing: only where next to all of it is on one path.)
    """
    weighted = [block for block in sample.blocks if block.shares is not None]
    if not weighted:
        return counts
    folded = counts if counts.flags.writeable else counts.copy()
    for block in weighted:
        own = folded[block.rows]
        own *= block.own[:, np.newaxis]
        total = weighted_sums(np.ones((1, block.n)), own)[0]
        own *= np.divide(block.n, total, out=np.zeros_like(total), where=total > 0.0)
    return folded


def _averages(rows: Sequence[Callable[[slice], FloatArray]], block: Block, drawn: FloatArray) -> FloatArray:
    """The mean of each row's paths of one scenario in every resample, shape (rows, resamples)."""
    averages = np.empty((len(rows), drawn.shape[1]))
    stacked = max(_LEAST_STACKED, _STACKED_FIGURES // block.n)
    for first in range(0, len(rows), stacked):
        stack = np.stack([row(block.rows) for row in rows[first : first + stacked]])
        averages[first : first + stacked] = weighted_sums(stack, drawn)
    averages /= block.n
    return averages
