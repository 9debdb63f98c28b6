"""What a search tells whoever watches it: no clock, no output, only counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Phase = Literal[
    "search",
    "pilot",
    "fix-A",
    "climb",
    "prune",
    "profile",
    "selection",
    "holdout",
    "neighbours",
    "doubt",
    "sensitivity",
    "change-costs",
    "run-capacity",
]


@dataclass(frozen=True, kw_only=True)
class OtherSampler:
    """The record's trials come from sampler ``kept``, which goes on, where ``trials`` trials at once would take ``wanted``."""

    kept: str
    wanted: str
    trials: int


@dataclass(frozen=True, kw_only=True)
class Stalled:
    """The search ends early: the front did not grow in so many batches."""

    batches: int


Remark = OtherSampler | Stalled


@dataclass(frozen=True, kw_only=True)
class ProgressEvent:
    """``done`` of ``total`` units of a phase (trials, or blocks × sets); the best so far among feasible trials, where there is one;
    ``remark`` is what people should hear of besides, mostly nothing.
    """

    phase: Phase
    done: int
    total: int
    best_yield: float | None = None
    best_peg_bps: float | None = None
    front_size: int = 0
    hypervolume: float = 0.0
    remark: Remark | None = None


Watcher = Callable[[ProgressEvent], None]


def silent(event: ProgressEvent) -> None:
    """A watcher that watches nothing."""
