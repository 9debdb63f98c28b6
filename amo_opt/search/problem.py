"""What the search needs of a problem: named variables, two objectives, constraints, sets to start from and an evaluation.

A study is one such problem (`coordinator.StudyProblem`); `FunctionProblem` makes one of any function.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.trial import FrozenTrial, TrialState

from amo_opt.search.front import Point, hypervolume
from amo_opt.search.sampler import Kind
from amo_opt.search.study_store import Directions
from amo_opt.search.trials import NUMBER, finished

Value = float | int | bool
Evaluation = tuple[tuple[float, float], Mapping[str, float]]
"""Both objectives, and each constraint by name (<= 0 is feasible), the same names for every set."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A set to evaluate: trial ``number``, its variables' values, and what the sampler wants kept beside them."""

    number: int
    params: dict[str, Value]
    system_attrs: dict[str, object] = field(default_factory=dict)


class Settings(Protocol):
    """What decides the proposals besides the problem itself; ``stall`` batches without growth of the front end the search (0 = never)."""

    @property
    def seed(self) -> int: ...
    @property
    def batch(self) -> int: ...
    @property
    def sampler(self) -> Kind: ...
    @property
    def stall(self) -> int: ...


class Problem(Protocol):
    """A constrained problem of two objectives. ``hash`` stands for everything that changes an evaluation; ``reference`` is the corner
    from which the front's hypervolume is measured.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def hash(self) -> str: ...  # noqa: D102
    @property
    def search(self) -> Settings: ...  # noqa: D102
    @property
    def distributions(self) -> dict[str, BaseDistribution]: ...  # noqa: D102
    @property
    def directions(self) -> Directions: ...  # noqa: D102
    @property
    def reference(self) -> Point: ...  # noqa: D102

    def starts(self) -> Sequence[Mapping[str, Value]]:
        """Values tried before any sampler's."""
        ...

    def evaluate(self, proposals: Iterable[Proposal]) -> list[FrozenTrial]:
        """The finished trial of every proposal, in their order (`trials.finished`); proposals are made as they are taken."""
        ...


def oriented(values: Sequence[float], directions: Directions) -> Point:
    """Objectives as a point of the front's plane: the first to be raised, the second to be lowered."""
    return (
        values[0] if directions[0] == "maximize" else -values[0],
        values[1] if directions[1] == "minimize" else -values[1],
    )


def feasible_points(trials: Sequence[FrozenTrial], directions: Directions) -> list[Point]:
    """The points of the trials that keep every constraint."""
    return [
        oriented(trial.values, directions)
        for trial in trials
        if trial.state == TrialState.COMPLETE and all(value <= 0.0 for value in trial.user_attrs["constraints"].values())
    ]


def dominated(trials: Sequence[FrozenTrial], problem: Problem) -> float:
    """Hypervolume of the feasible front, from the problem's reference."""
    return hypervolume(feasible_points(trials, problem.directions), oriented(problem.reference, problem.directions))


@dataclass(frozen=True, kw_only=True)
class Plain:
    """`Settings` of a problem that has no study file."""

    seed: int = 1
    batch: int = 8
    sampler: Kind = "auto"
    stall: int = 0


@dataclass(frozen=True, kw_only=True)
class FunctionProblem:
    """Any function of named variables as a problem. Variables are Optuna's distributions: real, whole, or ``(False, True)``."""

    name: str
    distributions: dict[str, BaseDistribution]
    function: Callable[[Mapping[str, Value]], Evaluation]
    reference: Point
    directions: Directions = ("minimize", "minimize")
    search: Plain = Plain()
    first: tuple[Mapping[str, Value], ...] = ()
    version: str = ""
    """Changed by whoever changes the function: its values then do not mix with those in the storage."""

    @property
    def hash(self) -> str:
        """SHA-256 over name, version, variables, directions, starts and what decides the proposals."""
        variables = {name: json.loads(distribution_to_json(each)) for name, each in self.distributions.items()}
        starts = [dict(each) for each in self.first]
        search = [self.search.seed, self.search.batch, self.search.sampler]
        text = json.dumps([self.name, self.version, list(variables.items()), self.directions, starts, search])
        return hashlib.sha256(text.encode()).hexdigest()

    def starts(self) -> Sequence[Mapping[str, Value]]:
        """The sets given as ``first``."""
        return self.first

    def evaluate(self, proposals: Iterable[Proposal]) -> list[FrozenTrial]:
        """Each proposal's values; one that is not finite is a failed trial that names it."""
        return [self._finished(proposal) for proposal in proposals]

    def _finished(self, proposal: Proposal) -> FrozenTrial:
        values, constraints = self.function(proposal.params)
        figures = {"objective 1": values[0], "objective 2": values[1], **constraints}
        wild = [f"{name} is {value}" for name, value in figures.items() if not math.isfinite(value)]
        return finished(
            None if wild else values,
            constraints=constraints,
            params=proposal.params,
            distributions=self.distributions,
            user_attrs={NUMBER: proposal.number, **({"failure": "; ".join(wild)} if wild else {})},
            system_attrs=proposal.system_attrs,
        )


__all__ = ["FunctionProblem", "Plain", "Problem", "Proposal", "dominated", "feasible_points", "oriented"]
