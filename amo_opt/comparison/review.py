"""Somebody else's proposal judged: what it changes, the verdict gate by gate, what that hangs on, half of the step, and whether it ran.

`review` computes; `review_wording` says it, `review_pages` writes it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from amo_opt.amos.cap_use import caps_below_use
from amo_opt.comparison.compare import compare_all, judged_study
from amo_opt.comparison.figures import layout
from amo_opt.comparison.verdict import FAILED, PASSED
from amo_opt.scoring.score import limits_kept
from amo_opt.search.plateau import half_way

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amo_opt.amos.cap_use import CapUse
    from amo_opt.comparison.compare import Progress
    from amo_opt.comparison.gates import Gate
    from amo_opt.comparison.proposal import Proposal
    from amo_opt.comparison.verdict import Comparison, GateVerdict, MetricVerdict
    from amo_opt.config.study import Study
    from amo_opt.protocol.parameters import ParameterSet
    from amo_opt.scoring.types import Constraint

Word = Literal["passes", "fails", "not known", "no change"]
Ran = Literal["not executed", "executed", "reverted"]


@dataclass(frozen=True, kw_only=True)
class Margin:
    """How far a gate is from changing its word, in the metric's unit: ``worst`` is what the 95% interval's worse end comes to (the loss against the current set, or the figure itself where
    ``of_figure``), ``allowed`` the most it may be; ``metric`` the difference behind it. ``worst`` is infinite where the paths are too few to know.
    """

    gate: GateVerdict
    metric: MetricVerdict | None
    worst: float
    allowed: float
    of_figure: bool

    @property
    def left(self) -> float:
        """What is left of what is allowed; negative where it is too much."""
        return self.allowed - self.worst

    @property
    def used(self) -> float:
        """The part of what is allowed that is used: over 1 fails; what sorts gates by how near they are."""
        if self.allowed > 0.0:
            return self.worst / self.allowed
        return math.inf if self.worst > 0.0 else 1.0 if self.worst == 0.0 else 0.0


@dataclass(frozen=True, kw_only=True)
class DryRun:
    """What became of the calls on the state of a block, where nothing is signed or sent; ``why`` they were not executed, what they were executed on, or why they revert. ``readings`` are
    getters before and afterwards.
    """

    status: Ran
    why: str
    readings: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Review:
    """The whole. ``comparison`` is None where no call was understood, ``half`` where there is no set between the two; ``limits`` are the study's own on the proposed set's paths,
    ``below`` the caps that would allow less than is out today.
    """

    study: Study
    proposal: Proposal
    comparison: Comparison | None
    half: Comparison | None
    margins: tuple[Margin, ...]
    limits: tuple[Constraint, ...]
    below: tuple[CapUse, ...]
    dry_run: DryRun

    @property
    def word(self) -> Word:
        """The answer. Of a proposal that is not understood whole nothing passes; one that reverts fails whatever the figures."""
        if self.dry_run.status == "reverted" or (self.comparison is not None and self.comparison.failed):
            return "fails"
        if not self.proposal.is_whole or self.comparison is None:
            return "not known"
        return "passes" if self.proposal.lines else "no change"

    @property
    def exit_status(self) -> int:
        """As `compare`'s: 0 where no gate fails of a proposal that is understood whole, 1 otherwise."""
        return PASSED if self.word in ("passes", "no change") else FAILED


def review(
    proposal: Proposal,
    study: Study,
    *,
    gates: Sequence[Gate] | None = None,
    paths: int | None = None,
    dry_run: DryRun | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Review:
    """The proposal against the study's current set on the paths of `compare`, and half of each of its changes on the same.

    Raises as `compare` does.
    """
    before, after = proposal.current, proposal.proposed
    ran = DryRun(status="not executed", why="no node was given (--rpc)") if dry_run is None else dry_run
    below = caps_below_use(after, study.state)
    if proposal.read is not None and not proposal.read.calls:
        return Review(
            study=study, proposal=proposal, comparison=None, half=None, margins=(), limits=(), below=(), dry_run=ran
        )  # fmt: skip
    between = half_way(before, after)
    sets = [after] if between is None else [after, between]
    whole, *rest = compare_all(before, sets, study, gates=gates, paths=paths, workers=workers, progress=progress)
    return Review(
        study=study,
        proposal=proposal,
        comparison=whole,
        half=rest[0] if rest else None,
        margins=margins(whole),
        limits=_limits(whole, before),
        below=tuple(each for each in below if any(line.name in each.names for line in proposal.lines)),
        dry_run=ran,
    )


def margins(comparison: Comparison) -> tuple[Margin, ...]:
    """Every gate's distance, the nearest to failing first; a gate of both kinds has two."""
    by_name = {each.name: each for each in comparison.metrics}
    found = []
    for gate in comparison.gates:
        metric = by_name.get(gate.gate.metric)
        if metric is not None and gate.tolerance is not None:
            worst = -metric.low if metric.better > 0 else metric.high
            found.append(Margin(gate=gate, metric=metric, worst=worst + 0.0, allowed=gate.tolerance, of_figure=False))
        if gate.gate.maximum is not None:
            bound = math.inf if gate.confidence_bound is None else gate.confidence_bound
            found.append(Margin(gate=gate, metric=metric, worst=bound, allowed=gate.gate.maximum, of_figure=True))
    return tuple(sorted(found, key=lambda each: -each.used))


def _limits(comparison: Comparison, baseline: ParameterSet) -> tuple[Constraint, ...]:
    """The study's limits on the candidate's paths, the nearest to breaking first."""
    figures = comparison.candidate
    study = judged_study(comparison.study)
    rows = layout(baseline, study, paths=comparison.paths, designs=figures.designs, weights=figures.weights)
    found = limits_kept(rows, figures.values, figures.parameters)
    return tuple(sorted(found, key=lambda each: -each.violation_high))
