"""What a search hands back: trials, the certified candidates, the recommendation and how it was reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from amo_opt.config.study import Study
from amo_opt.protocol.parameters import ParameterSet
from amo_opt.scoring.types import Estimate, PairedDifference, PointScore, Score

Verdict = Literal["recommended", "no change", "undecidable", "infeasible"]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One evaluated set. ``score`` is None where the simulation failed, and ``failure`` says why."""

    number: int
    origin: Literal["current", "seed", "sampler"]
    parameters: ParameterSet
    score: PointScore | None
    failure: str | None = None


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One set taken to certification. ``id`` is ``current`` or ``trial-N``; ``role`` names its place among the alternatives.

    ``paired_a`` and ``paired_b`` compare it with the current set (empty for the current set itself); ``certified_b`` exists for the
    current set, the recommended one and its alternatives only. ``reason`` says in one sentence why it was taken or rejected.
    """

    id: str
    role: Literal["current", "recommended", "cautious", "balanced", "yield-seeking", "candidate"]
    parameters: ParameterSet
    search: PointScore | None
    certified_a: Score
    paired_a: tuple[PairedDifference, ...] = ()
    certified_b: Score | None = None
    paired_b: tuple[PairedDifference, ...] = ()
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ProfilePoint:
    """One value of a profiled parameter on certification paths, everything else held."""

    value: float
    score: Score


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A profile over one parameter, with the written finding (``A not identified`` where the optimum is within 10% of an edge)."""

    parameter: str
    base: str
    points: tuple[ProfilePoint, ...]
    identified: bool
    finding: str


@dataclass(frozen=True, kw_only=True)
class Fan:
    """Quantiles of the pool price in dollars over the scored window: ``hours`` (m,), ``quantiles[level]`` (m,) for one set and scenario."""

    candidate: str
    scenario: str
    hours: tuple[int, ...]
    quantiles: dict[str, tuple[float, ...]]
    n: int


@dataclass(frozen=True, kw_only=True)
class WorstPath:
    """One of the deepest paths of the recommended (or current) set on paths B, and the command that replays it."""

    candidate: str
    scenario: str
    path: int
    peg_loss_bps: float
    min_price: float
    unserved_usd_hours: float
    command: str


@dataclass(frozen=True, kw_only=True)
class Result:
    """Everything the report needs. ``recommended`` is None where the verdict is not ``recommended``; ``gap`` holds the optimism gap:
    metric -> (search, certified A, certified B) for the recommended set, or the current one where there is none.
    """

    study: Study
    trials: tuple[Trial, ...]
    sampler: str
    front: tuple[int, ...]
    hypervolume: tuple[float, ...]
    candidates: tuple[Candidate, ...]
    verdict: Verdict
    rule: str
    explanation: str
    recommended: ParameterSet | None
    gap: dict[str, tuple[float, Estimate, Estimate]] = field(default_factory=dict)
    profile: Profile | None = None
    fans: tuple[Fan, ...] = ()
    worst_paths: tuple[WorstPath, ...] = ()
    paths_search: int = 0
    paths_certification: int = 0
