"""A result and what several documents need of it: one object, so that text, tables, figures and verdict cannot disagree."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from amo_opt.report.first import First, first_of
from amo_opt.report.sections.decision import Decision, decision_of
from amo_opt.report.sections.evidence import MetricRow, metric_rows
from amo_opt.report.sections.execution import Execution, execution_of
from amo_opt.report.sections.front import StateRow, state_rows
from amo_opt.report.sections.monitoring import Monitoring, monitoring_of
from amo_opt.report.sections.prices import FanPanel, fan_panels
from amo_opt.report.sets import Subject, subject_of
from amo_opt.report.wording import paths_counted
from amo_opt.wording import clean

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.onchain.execution_record import Record
    from amo_opt.search.result import Candidate, Result


@dataclass(frozen=True)
class Account:
    """A result as its documents give account of it: what several of them need, each worked out once, when it is first asked for.

    ``record`` is what was executed of its payloads. Raises `AmoOptError` where the result contradicts itself (no current set, a recommendation without its set).
    Text of others is cleaned but not escaped: escaping belongs to each document's language.
    """

    result: Result
    record: Record | None = None

    def __post_init__(self) -> None:
        self.subject  # noqa: B018 - a result that contradicts itself is refused at once

    @property
    def study(self) -> Study:
        """What was asked."""
        return self.result.study

    @property
    def unit(self) -> str:
        """The unit of account."""
        return self.result.study.state.unit

    @cached_property
    def subject(self) -> Subject:
        """The sets that the report is about."""
        return subject_of(self.result)

    @cached_property
    def first(self) -> First:
        """The first screen."""
        return first_of(self.result)

    @cached_property
    def results(self) -> str:
        """results.json."""
        from amo_opt.report.results_json import results_json

        return results_json(self.result)

    @cached_property
    def results_hash(self) -> str:
        """The SHA-256 of results.json."""
        return hashlib.sha256(self.results.encode()).hexdigest()

    @property
    def name(self) -> str:
        """The study's name."""
        return clean(self.study.name)

    @property
    def recommended(self) -> bool:
        """Whether a change is proposed."""
        return self.subject.recommended

    @property
    def shown(self) -> Candidate:
        """The set against the current one, the current one where there is none."""
        return self.subject.current if self.subject.other is None else self.subject.other

    @cached_property
    def state(self) -> tuple[StateRow, ...]:
        """The figures of the state."""
        return state_rows(self.study.state, self.study.date)

    @property
    def assumed(self) -> tuple[StateRow, ...]:
        """State figures without a source."""
        return tuple(row for row in self.state if row.assumed)

    @property
    def sourced(self) -> tuple[StateRow, ...]:
        """State figures with a source."""
        return tuple(row for row in self.state if not row.assumed)

    @cached_property
    def decision(self) -> Decision:
        """The box: verdict, warnings, what speaks for and against."""
        return decision_of(self.result, self.subject, self.metrics)

    @cached_property
    def metrics(self) -> tuple[MetricRow, ...]:
        """Every metric before and after."""
        return metric_rows(self.subject)

    @property
    def paths(self) -> str:
        """The paths that the figures come from, counted."""
        return paths_counted(self.subject.score(self.subject.current).yield_annual, f"{self.subject.stream} path")

    @cached_property
    def fans(self) -> tuple[FanPanel, ...]:
        """Prices by scenario."""
        return fan_panels(self.result, self.subject)

    @cached_property
    def monitoring(self) -> Monitoring:
        """Section 12."""
        return monitoring_of(self.result, self.subject)

    @cached_property
    def execution(self) -> Execution:
        """Section 13."""
        return execution_of(self.result, self.subject, results_hash=self.results_hash, record=self.record)
