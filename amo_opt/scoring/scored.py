"""An outcome that knows its score: what `amo_opt.simulate` hands back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

from amo_opt.config.study import Study
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.scoring.score import score
from amo_opt.scoring.types import Estimate, Score
from amo_opt.simulation import engine
from amo_opt.simulation.executor import Workers
from amo_opt.simulation.outcome import Outcome


@dataclass(frozen=True, kw_only=True, repr=False)
class ScoredOutcome(Outcome):
    """An `Outcome` with its study: ``score`` and ``intervals`` are computed when first asked for."""

    study: Study

    @cached_property
    def score(self) -> Score:
        """Every metric, limit and term of the yield, with interval and n."""
        return score(self, self.study)

    @property
    def intervals(self) -> dict[str, Estimate]:
        """Metric name -> figure with its 95% interval and n, over all scenarios by weight."""
        return self.score.metrics


def simulate(
    parameters: ParameterSet,
    study: Study,
    *,
    paths: int | None = None,
    scenarios: Sequence[str] | None = None,
    stream: str = "search",
    workers: Workers = 1,
) -> ScoredOutcome:
    """One set on the study's paths: ``.paths`` is a DataFrame, one row a path, ``.score`` its figures with intervals.

    ``paths`` is per scenario (default: the study's); ``stream`` names which of the study's paths (``search``, ``selection``,
    ``holdout``). Paths are drawn once and shared by every later call. Raises `SimulationError` where a path fails, naming it.
    """
    outcome = engine.simulate(parameters, study, paths=paths, scenarios=scenarios, stream=stream, workers=workers)
    return ScoredOutcome(study=study, **{field.name: getattr(outcome, field.name) for field in fields(outcome)})
