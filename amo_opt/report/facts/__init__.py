"""Result -> Facts: the one object that every document is drawn from, so that text, tables, figures and verdict cannot disagree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.report.facts.choice import Choice, choice_of
from amo_opt.report.facts.convergence import Convergence, convergence_of
from amo_opt.report.facts.costs import Costs, costs_of
from amo_opt.report.facts.decision import Decision, decision_of
from amo_opt.report.facts.disclosure import Disclosure, disclosure_of, replay_command
from amo_opt.report.facts.doubt import DoubtFacts, doubt_facts
from amo_opt.report.facts.evidence import Evidence, certified_rows, evidence_of
from amo_opt.report.facts.execution import Execution, execution_of
from amo_opt.report.facts.fans import FanPanel, fan_panels, reading_of
from amo_opt.report.facts.first import First, first_of
from amo_opt.report.facts.guard_rails import GuardRails, guard_rails_of
from amo_opt.report.facts.heat import Heat, heat_of
from amo_opt.report.facts.intuition import Intuition, intuition_of
from amo_opt.report.facts.monitoring import Monitoring, monitoring_of
from amo_opt.report.facts.neighbourhood import Neighbourhood, neighbourhood_of
from amo_opt.report.facts.parameter_rows import CapRow, Fees, ParameterRow, below_use, cap_rows, fees_of, parameter_rows, unnamed
from amo_opt.report.facts.risk import RiskFacts, risk_of
from amo_opt.report.facts.ruling import RulingFacts, ruling_of
from amo_opt.report.facts.sensitivity import SensitivityFacts, sensitivity_of
from amo_opt.report.facts.sets import Subject, subject_of
from amo_opt.report.facts.state_rows import StateRow, freshness_of, state_rows
from amo_opt.report.facts.steps import HALF_STEP
from amo_opt.report.facts.tails import TailFacts, tail_facts
from amo_opt.report.facts.validity import Validity, own_episodes, validity_of
from amo_opt.report.wording import Scale, scale_for
from amo_opt.stress.tilts import path_name
from amo_opt.wording import clean, in_account

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.onchain.execution_record import Record
    from amo_opt.search.result import Result, WorstPath

__all__ = ["Facts", "gather"]

LEAST_MILLIONS = 1e6
"""Where the deepest paths of a small protocol stay below it, they are not counted in millions."""
CHAINS = {1: "Ethereum"}
"""Names of chains by their id; another goes by its id alone."""


@dataclass(frozen=True)
class WorstRow:
    """One of the deepest paths, and the command that replays it."""

    scenario: str
    path: str
    peg_loss: str
    min_price: str
    unserved: str
    command: str


@dataclass(frozen=True)
class Facts:
    """Everything the documents say. Text of others is cleaned but not escaped: escaping belongs to each document's language."""

    first: First
    title: str
    name: str
    account: str
    date: str
    notes: str
    study_hash: str
    results_hash: str
    recommended: bool
    other_label: str
    state_name: str
    state_date: str
    state_notes: str
    state: tuple[StateRow, ...]
    decision: Decision
    ruling: RulingFacts
    parameters: tuple[ParameterRow, ...]
    caps: tuple[CapRow, ...]
    collateral_decimals: int | None
    unnamed: str
    fees: Fees
    below_use: tuple[str, ...]
    guard_rails: GuardRails
    evidence: Evidence
    current_alone: tuple[tuple[str, str, str, str], ...]
    choice: Choice
    fans: tuple[FanPanel, ...]
    fans_reading: str
    worst: tuple[WorstRow, ...]
    worst_of: str
    validity: Validity
    disclosure: Disclosure
    chain: str
    freshness: str
    heat: Heat
    neighbourhood: Neighbourhood
    intuition: Intuition
    costs: Costs
    doubt: DoubtFacts
    sensitivity: SensitivityFacts
    convergence: Convergence
    monitoring: Monitoring
    execution: Execution
    tails: TailFacts
    risk: RiskFacts

    @property
    def changed(self) -> tuple[ParameterRow, ...]:
        """Parameters that differ between the two sets."""
        return tuple(row for row in self.parameters if row.changed)

    @property
    def unchanged(self) -> tuple[ParameterRow, ...]:
        """Parameters that are the same in both sets."""
        return tuple(row for row in self.parameters if not row.changed)

    @property
    def half_step_missing(self) -> bool:
        """Whether there is a step that was not halved."""
        return bool(self.neighbourhood.steps) and not any(step.title == HALF_STEP for step in self.neighbourhood.steps)

    @property
    def assumed(self) -> tuple[StateRow, ...]:
        """State figures without a source."""
        return tuple(row for row in self.state if row.assumed)

    @property
    def sourced(self) -> tuple[StateRow, ...]:
        """State figures with a source."""
        return tuple(row for row in self.state if not row.assumed)


def gather(result: Result, *, results_hash: str, record: Record | None = None) -> Facts:
    """The facts of a result; ``results_hash`` is the SHA-256 of its results.json, ``record`` what was executed of its payloads.

    Raises `AmoOptError` where the result contradicts itself (no current set, a recommendation without its set).
    """
    study = result.study
    subject = subject_of(result)
    other = subject.current if subject.other is None else subject.other
    rows = state_rows(study.state, study.date)
    fans = fan_panels(result, subject)
    evidence = evidence_of(subject, study.scenarios, seed=study.search.seed)
    return Facts(
        first=first_of(result),
        title=_title(result, subject),
        name=clean(study.name),
        account=study.state.unit,
        date=study.date.isoformat(),
        notes=clean(study.notes),
        study_hash=study.hash,
        results_hash=results_hash,
        recommended=subject.recommended,
        other_label=subject.label,
        state_name=clean(study.state.name),
        state_date=study.state.date.isoformat(),
        state_notes=clean(study.state.notes),
        state=rows,
        decision=decision_of(result, subject, evidence.rows),
        ruling=ruling_of(result, subject),
        parameters=parameter_rows(subject.current.parameters, other.parameters, frozenset(study.search.space), study.state),
        caps=cap_rows(subject.current.parameters, other.parameters, study.state),
        collateral_decimals=study.state.collateral_decimals,
        unnamed=unnamed(study.state),
        fees=fees_of(study.state),
        below_use=below_use(
            subject.current.parameters, other.parameters if subject.recommended else subject.current.parameters, study.state
        ),
        guard_rails=guard_rails_of(result, subject),
        evidence=evidence,
        current_alone=() if subject.other is not None else certified_rows(subject),
        choice=choice_of(result, subject),
        fans=fans,
        fans_reading=reading_of(fans),
        worst=tuple(_worst_row(each, result.study, _waits(result)) for each in result.worst_paths),
        worst_of=_worst_of(result, subject),
        validity=validity_of(study, own_episodes(study, result.episodes), doubt=result.doubt),
        disclosure=disclosure_of(result),
        chain=f"{CHAINS.get(study.state.chain_id, 'another chain')} (chain id {study.state.chain_id})",
        freshness=freshness_of(study.state, study.date),
        heat=heat_of(result, subject),
        neighbourhood=neighbourhood_of(result, subject),
        intuition=intuition_of(result, subject),
        costs=costs_of(result, subject),
        doubt=doubt_facts(result, subject, rows),
        sensitivity=sensitivity_of(result, subject, rows),
        convergence=convergence_of(result),
        monitoring=monitoring_of(result, subject),
        execution=execution_of(result, subject, results_hash=results_hash, record=record),
        tails=tail_facts(result),
        risk=risk_of(result, subject),
    )


def _title(result: Result, subject: Subject) -> str:
    name = clean(result.study.name)
    if not subject.recommended or subject.other is None:
        return f"{name}: no parameter change recommended"
    before, after = subject.current.parameters.amplification, subject.other.parameters.amplification
    if before == after:
        return f"{name}: AMO parameter change"
    return f"{name}: AMO parameter change, A {before:,} to {after:,}"


def _worst_of(result: Result, subject: Subject) -> str:
    ids = {each.candidate for each in result.worst_paths}
    if subject.recommended and subject.other is not None and ids == {subject.other.id}:
        return "the proposed set"
    return "the current set" if ids <= {subject.current.id} else ", ".join(sorted(clean(each) for each in ids))


def _waits(result: Result) -> Scale:
    """What the deepest paths' unserved redemptions are counted in: millions, unless there is no million among them."""
    unit, values = in_account("USD·h", result.study.state.unit), [each.unserved_usd_hours for each in result.worst_paths]
    return scale_for(unit, values) if 0.0 < max(values, default=0.0) < LEAST_MILLIONS else Scale(1e-6, 1, f"m {unit}")


def _worst_row(worst: WorstPath, study: Study, waits: Scale) -> WorstRow:
    return WorstRow(
        scenario=worst.scenario,
        path=path_name(worst.path, worst.component),
        peg_loss=Scale(1.0, 1, "bp").text(worst.peg_loss_bps),
        min_price=Scale(1.0, 4, in_account("USD", study.state.unit)).text(worst.min_price),
        unserved=waits.text(worst.unserved_usd_hours),
        command=clean(replay_command(worst, study)),
    )
