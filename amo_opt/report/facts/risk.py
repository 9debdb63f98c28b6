"""Where the peg risk comes from: everyday paths or rare events, in which scenario, how probable, and what drives them; and how the paths were drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amo_opt.report.noises import component_words
from amo_opt.report.wording import Scale, listed, paths_of
from amo_opt.wording import MISSING, NOT_KNOWN, clean, interval, significant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amo_opt.report.facts.sets import Subject
    from amo_opt.scoring.parts import Kind, RiskPart
    from amo_opt.scoring.types import Estimate
    from amo_opt.search.result import Result
    from amo_opt.stress.tilts import Design

BP, SHARE = Scale(1.0, 1, "bp"), Scale(100.0, 0, "%")
KINDS: Mapping[Kind, str] = {"all": "all paths", "everyday": "everyday", "events": "rare events"}
MOST_NAMED = 2
"""Scenarios whose events a sentence names, those that weigh most."""
UNSEEN = 0.05
"""What has not happened on n paths happens on fewer than about 3 in n, with 95% confidence: 1 − 0.05^(1/n)."""


@dataclass(frozen=True)
class RiskRow:
    """One part; its figures are withheld where too few paths are behind it."""

    scenario: str
    kind: str
    peg: str
    peg_interval: str
    share: str
    share_interval: str
    chance: str
    chance_interval: str
    n: str


@dataclass(frozen=True)
class RiskTable:
    """The parts of one set's peg risk, and what they come to in a sentence."""

    title: str
    sentence: str
    rows: tuple[RiskRow, ...]


@dataclass(frozen=True)
class RiskFacts:
    """A table a set; ``sentence`` = that of the set the report ends with; ``unseen`` = what none of the paths can exclude."""

    tables: tuple[RiskTable, ...]
    sentence: str
    unseen: str


def risk_of(result: Result, subject: Subject) -> RiskFacts:
    """The parts of the current and of the shown set, as far as they ran on holdout paths."""
    tables = []
    for label, candidate in (("Current", subject.current), (subject.label, subject.other)):
        parts = () if candidate is None else result.risk_parts.get(candidate.id, ())
        if parts:
            tables.append(RiskTable(label, risk_sentence(parts, designs_of(result, "holdout")), tuple(map(_row, parts))))
    return RiskFacts(tuple(tables), " ".join(told_risk(result, subject)), unseen_sentence(designs_of(result, "holdout")) if tables else "")


def told_risk(result: Result, subject: Subject) -> tuple[str, ...]:
    """The sentence of the recommended set, or of the current one where there is none; nothing where no parts are known."""
    shown = subject.other if subject.recommended and subject.other is not None else subject.current
    parts = result.risk_parts.get(shown.id, ())
    return (risk_sentence(parts, designs_of(result, "holdout")),) if parts else ()


def designs_of(result: Result, stream: str) -> Mapping[str, Design]:
    """How certification drew the paths of a stream, by scenario; empty where that was not recorded."""
    if stream == "selection":
        return result.selection_designs
    return {} if result.plan is None else result.plan.designs


def _row(part: RiskPart) -> RiskRow:
    scale, share = BP.told(part.contribution), SHARE.told(part.share)
    return RiskRow(
        scenario=clean(part.scenario),
        kind=KINDS[part.kind],
        peg=scale.number(part.contribution.value),
        peg_interval=scale.interval(part.contribution),
        share=share.text(part.share.value) if part.known else NOT_KNOWN,
        share_interval=share.interval(part.share),
        chance=MISSING if part.chance is None else _chance(part.chance),
        chance_interval=MISSING if part.chance is None else interval(part.chance.interval, _percent),
        n=paths_of(part.contribution),
    )


def _percent(value: float) -> str:
    return f"{significant(100.0 * value, 2)}%"


def _chance(chance: Estimate) -> str:
    return NOT_KNOWN if chance.interval is None else _percent(chance.value)


def risk_sentence(parts: tuple[RiskPart, ...], designs: Mapping[str, Design]) -> str:
    """``Of a peg risk of 9.1 bp, 1.6 bp is everyday and 7.5 bp (82%) rare events: …``, the events of those scenarios that weigh most named with chance and driver."""
    total = sum(each.contribution.value for each in parts)
    events = [each for each in parts if each.kind == "events"]
    if not events:
        largest = max(parts, key=lambda each: each.contribution.value)
        share = f" ({SHARE.text(largest.share.value)})" if largest.known else ""
        return f"Of a peg risk of {BP.text(total)}, the largest part, {BP.text(largest.contribution.value)}{share}, comes from {clean(largest.scenario)}; no few paths were found to decide it."
    rare = sum(each.contribution.value for each in events)
    share = f" ({SHARE.text(rare / total)})" if total > 0.0 and all(each.known for each in events if each.contribution.value > 0.0) else ""
    told: list[str] = []
    driven = ""
    for each in sorted(events, key=lambda each: -each.contribution.value)[:MOST_NAMED]:
        driver = driver_words(designs.get(each.scenario)) if each.known else ""
        told.append(_event(each) + (", likewise" if driver and driver == driven else driver))
        driven = driver
    return f"Of a peg risk of {BP.text(total)}, {BP.text(total - rare)} is everyday and {BP.text(rare)}{share} comes from rare events: {'; '.join(told)}."


def _event(part: RiskPart) -> str:
    scenario = clean(part.scenario)
    if not part.known or part.chance is None or part.chance.interval is None:
        return f"what they add in {scenario} is not known, as too few paths had one"
    return f"{BP.text(part.contribution.value)} in {scenario}, on one path in {float(f'{1.0 / part.chance.value:.1e}'):,.0f}"


def driver_words(design: Design | None) -> str:
    """``, driven by the share token falling to about 7% of its start``; nothing where there are no twins."""
    if design is None or design.plain:
        return ""
    pushed: dict[frozenset[tuple[str, bool]], str] = {}
    for component in design.components:  # the same noises are pushed more than once, the farthest first
        pushed.setdefault(frozenset((tilt.noise, tilt.amount > 0.0) for tilt in component), component_words(component))
    return f", driven by {listed(list(pushed.values()))}"


def unseen_sentence(designs: Mapping[str, Design]) -> str:
    """What cannot be excluded of events with another driver: 3 / n₀ of a scenario's n₀ drawn paths."""
    if not designs:
        return ""
    by_n: dict[int, list[str]] = {}
    for name, design in designs.items():
        by_n.setdefault(design.drawn, []).append(clean(name))
    told = "; ".join(
        f"{_percent(1.0 - UNSEEN ** (1.0 / n))} in {listed(names) if len(by_n) > 1 else 'each scenario'}"
        for n, names in sorted(by_n.items())
    )
    return f"Events with another driver are not excluded up to 3/n₀ a path, n₀ those drawn: {told}."
