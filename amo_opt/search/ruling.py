"""What certification decided, as values: every sentence, table and document about the verdict is made from these alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from amo_opt.config.study import Study
from amo_opt.scoring.constraints import CAPS, rules_of
from amo_opt.scoring.metrics import METRICS
from amo_opt.scoring.types import Constraint, Estimate, PointScore, Score

Verdict = Literal["recommended", "no change", "undecidable", "infeasible"]
Stream = Literal["search", "selection", "holdout"]
Kind = Literal["undecided", "not known", "limit", "no gain", "tolerance", "small gain", "A not identified", "failed", "cliff"]


@dataclass(frozen=True, kw_only=True)
class Paths:
    """The paths that something was judged on: ``n`` in all, ``twins`` of them; ``each`` drawn of the scenario that has fewest."""

    stream: Stream
    n: int
    each: int
    twins: int = 0

    @classmethod
    def of(cls, stream: Stream, score: Score) -> Paths:
        """Those of a score."""
        found = score.yield_annual
        drawn = [next(iter(metrics.values())).drawn for metrics in score.by_scenario.values() if metrics]
        return cls(stream=stream, n=found.n, each=min(drawn, default=found.drawn), twins=found.twins)


@dataclass(frozen=True, kw_only=True)
class Binding:
    """The limit that decides, under one set on some paths: the figure, its interval and the limit.

    ``interval`` is None for the search's point values, and where the paths are too few to know it. ``scenario`` is None where the limit
    concerns the set itself, which is ``exact``: no path has a part in it. ``decidable`` is False where ``n`` paths (``twins`` of them not as drawn) are too few to decide it.
    """

    set: str
    stream: Stream
    name: str
    scenario: str | None
    unit: str
    value: float
    interval: tuple[float, float] | None
    limit: float
    at_least: bool
    n: int
    kept: bool
    decidable: bool = True
    twins: int = 0

    @property
    def confidence_bound(self) -> float:
        """The end of the interval that must keep the limit; the figure itself where it has none."""
        if self.interval is None:
            return self.value
        return self.interval[0] if self.at_least else self.interval[1]

    @property
    def exact(self) -> bool:
        """Whether the figure follows from the set alone."""
        return self.scenario is None


@dataclass(frozen=True, kw_only=True)
class Objection:
    """Why a set may not be recommended, found on paths ``stream``.

    ``limit`` with kind ``undecided``, ``not known`` (its interval is not, which of a neighbour leaves open whether it breaks), ``limit`` and
    ``cliff`` (``at_value``: its point value is beyond it, not its confidence bound alone); ``metric``, ``interval`` and ``bound`` (the
    tolerance) with ``tolerance``; ``bound`` alone (the least gain, in tolerances) with ``small gain``; ``parameter`` and ``value``, where the step
    leads, with ``cliff``; ``detail`` with ``failed`` and a ``cliff`` without a limit: the error's own words.
    """

    kind: Kind
    stream: Stream
    limit: Constraint | None = None
    at_value: bool = False
    metric: str = ""
    interval: Estimate | None = None
    bound: float | None = None
    parameter: str = ""
    value: float | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One thing the rule asks of a set at point values: ``better`` on a metric, a metric within its ``tolerance``, the ``gain`` in all (``bound``,
    in tolerances), a ``limit`` kept (named as a score names it, ``name:scenario``).
    """

    kind: Literal["better", "tolerance", "gain", "limit"]
    metric: str = ""
    bound: float | None = None
    limit: str = ""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a moved figure changes: a ``condition`` that held is ``lost``, one that did not is ``gained``; or why nothing could be compared.

    ``detail`` with ``not run`` (the state is no balance sheet) and ``failed`` (on a path): the error's own words.
    """

    kind: Literal["lost", "gained", "not run", "failed"]
    condition: Condition | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """The outcome and what it rests on: ``paths`` it was decided on, how many ``sets`` were judged there, how many ``kept`` every limit.

    ``set`` is the one that decided: the recommended, the one refused after it was chosen, the one that came nearest where none is
    feasible; else empty. ``binding``: where infeasible the limit furthest beyond under that set, where undecidable the one that asks for
    most paths (``needed`` in each scenario), else the one nearest to its limit under the set that stays in force, on holdout paths.
    ``objection`` is what refused ``set`` after selection paths had chosen it. ``failed``: sets that could not be certified, with the reason.
    ``passed``: whether ``set`` passed the rule on selection paths; one that did not was refused there by its intervals' width alone.
    """

    outcome: Verdict
    paths: Paths
    sets: int
    kept: int
    set: str = ""
    binding: Binding | None = None
    objection: Objection | None = None
    needed: int | None = None
    failed: tuple[tuple[str, str], ...] = ()
    passed: bool = True


def nearest(score: Score) -> Constraint | None:
    """The constraint furthest beyond its limit, or nearest to it, at its confidence bound."""
    return max(score.constraints, key=lambda each: each.violation_high, default=None)


def binding_of(name: str, stream: Stream, constraint: Constraint | None) -> Binding | None:
    """The constraint of a set's score as what binds; None where the study sets no limit."""
    if constraint is None:
        return None
    found = constraint.estimate
    return Binding(
        set=name,
        stream=stream,
        name=constraint.name,
        scenario=constraint.scenario,
        unit=constraint.unit,
        value=found.value,
        interval=found.interval,
        limit=constraint.limit,
        at_least=constraint.at_least,
        n=found.n,
        kept=constraint.kept,
        decidable=constraint.decidable,
        twins=found.twins,
    )


def binding_in_search(name: str, score: PointScore, study: Study) -> Binding | None:
    """The limit furthest beyond at the point values of the search, which keeps distances alone: the figure is worked back from its own."""
    key = max(score.constraints, key=lambda each: score.constraints[each], default=None)
    if key is None:
        return None
    violation = score.constraints[key]
    named, _, place = key.partition(":")
    n = study.search.screen_paths if score.screened else study.simulation.paths
    if named == CAPS:
        unit, limit, value, at_least, n = "ratio", 1.0, 1.0 + violation, False, 0
    else:
        rule = next(rule for rule in rules_of(study.constraints) if rule.name == named)
        limit = rule.limit(study.constraints, next(each for each in study.scenarios if each.name == place))
        unit, value, at_least = METRICS[rule.metric].unit, rule.value(violation, limit), rule.kind == "at least"
    return Binding(
        set=name,
        stream="search",
        name=named,
        scenario=place or None,
        unit=unit,
        value=value,
        interval=None,
        limit=limit,
        at_least=at_least,
        n=n,
        kept=violation <= 0.0,
    )
