"""A result and what several documents need of it: one object, so that text, tables, figures and verdict cannot disagree."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from amo_opt.report.first import First, first_of
from amo_opt.report.ruling import RulingFacts, ruling_of
from amo_opt.report.sections.choice import Choice, choice_of
from amo_opt.report.sections.decision import Decision, decision_of
from amo_opt.report.sections.doubt import DoubtFacts, doubt_facts
from amo_opt.report.sections.evidence import Evidence, certified_rows, evidence_of
from amo_opt.report.sections.execution import Execution, execution_of
from amo_opt.report.sections.fans import FanPanel, fan_panels, reading_of
from amo_opt.report.sections.guard_rails import GuardRails, guard_rails_of
from amo_opt.report.sections.heat import Heat, heat_of
from amo_opt.report.sections.intuition import Intuition, intuition_of
from amo_opt.report.sections.monitoring import Monitoring, monitoring_of
from amo_opt.report.sections.neighbourhood import Neighbourhood, neighbourhood_of
from amo_opt.report.sections.parameters import CapRow, ParameterRow, below_use, cap_rows, fees_of, parameter_rows, unnamed
from amo_opt.report.sections.sensitivity import SensitivityFacts, sensitivity_of
from amo_opt.report.sections.state import StateRow, freshness_of, state_rows
from amo_opt.report.sections.steps import HALF_STEP
from amo_opt.report.sections.tails import TailFacts, tail_facts
from amo_opt.report.sections.validity import Validity, own_episodes, validity_of
from amo_opt.report.sets import Subject, subject_of
from amo_opt.wording import clean

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.onchain.execution_record import Record
    from amo_opt.search.result import Candidate, Result

CHAINS = {1: "Ethereum"}
"""Names of chains by their id; another goes by its id alone."""


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
    def parameters(self) -> tuple[ParameterRow, ...]:
        """Every parameter under both sets."""
        return parameter_rows(self.subject.current.parameters, self.shown.parameters, frozenset(self.study.search.space), self.study.state)

    @property
    def changed(self) -> tuple[ParameterRow, ...]:
        """Parameters that differ between the two sets."""
        return tuple(row for row in self.parameters if row.changed)

    @property
    def unchanged(self) -> tuple[ParameterRow, ...]:
        """Parameters that are the same in both sets."""
        return tuple(row for row in self.parameters if not row.changed)

    @cached_property
    def decision(self) -> Decision:
        """The box: verdict, warnings, what speaks for and against."""
        return decision_of(self.result, self.subject, self.evidence.rows)

    @cached_property
    def ruling(self) -> RulingFacts:
        """The verdict above the limits."""
        return ruling_of(self.result, self.subject)

    @cached_property
    def caps(self) -> tuple[CapRow, ...]:
        """Sums of caps as the contracts hold them."""
        return cap_rows(self.subject.current.parameters, self.shown.parameters, self.study.state)

    @cached_property
    def guard_rails(self) -> GuardRails:
        """Section 3."""
        return guard_rails_of(self.result, self.subject)

    @cached_property
    def evidence(self) -> Evidence:
        """Section 5."""
        return evidence_of(self.subject, self.study.scenarios, seed=self.study.search.seed)

    @cached_property
    def choice(self) -> Choice:
        """Section 6."""
        return choice_of(self.result, self.subject)

    @cached_property
    def fans(self) -> tuple[FanPanel, ...]:
        """Prices by scenario."""
        return fan_panels(self.result, self.subject)

    @cached_property
    def validity(self) -> Validity:
        """Section 10."""
        return validity_of(self.study, own_episodes(self.study, self.result.episodes), doubt=self.result.doubt)

    @cached_property
    def heat(self) -> Heat:
        """The heat map."""
        return heat_of(self.result, self.subject)

    @cached_property
    def neighbourhood(self) -> Neighbourhood:
        """What stands around the shown set."""
        return neighbourhood_of(self.result, self.subject)

    @cached_property
    def intuition(self) -> Intuition:
        """Section 7."""
        return intuition_of(self.result, self.subject)

    @cached_property
    def doubt(self) -> DoubtFacts:
        """The joint draws of what is assumed."""
        return doubt_facts(self.result, self.subject, self.state)

    @cached_property
    def sensitivity(self) -> SensitivityFacts:
        """The ends of what is assumed."""
        return sensitivity_of(self.result, self.subject, self.state)

    @cached_property
    def monitoring(self) -> Monitoring:
        """Section 12."""
        return monitoring_of(self.result, self.subject)

    @cached_property
    def execution(self) -> Execution:
        """Section 13."""
        return execution_of(self.result, self.subject, results_hash=self.results_hash, record=self.record)

    @cached_property
    def tails(self) -> TailFacts:
        """Whether the tail is settled."""
        return tail_facts(self.result)

    # what templates that are not blocks yet ask for

    account = unit
    notes = property(lambda self: clean(self.study.notes))
    date = property(lambda self: self.study.date.isoformat())
    study_hash = property(lambda self: self.study.hash)
    other_label = property(lambda self: self.subject.label)
    state_name = property(lambda self: clean(self.study.state.name))
    state_date = property(lambda self: self.study.state.date.isoformat())
    state_notes = property(lambda self: clean(self.study.state.notes))
    collateral_decimals = property(lambda self: self.study.state.collateral_decimals)
    unnamed = property(lambda self: unnamed(self.study.state))
    fees = property(lambda self: fees_of(self.study.state))
    current_alone = property(lambda self: () if self.subject.other is not None else certified_rows(self.subject))
    fans_reading = property(lambda self: reading_of(self.fans))
    chain = property(lambda self: f"{CHAINS.get(self.study.state.chain_id, 'another chain')} (chain id {self.study.state.chain_id})")
    freshness = property(lambda self: freshness_of(self.study.state, self.study.date))
    half_step_missing = property(
        lambda self: bool(self.neighbourhood.steps) and not any(step.title == HALF_STEP for step in self.neighbourhood.steps)
    )
    below_use = property(
        lambda self: below_use(
            self.subject.current.parameters,
            self.shown.parameters if self.subject.recommended else self.subject.current.parameters,
            self.study.state,
        )
    )
