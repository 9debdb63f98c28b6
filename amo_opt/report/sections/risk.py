"""Where the peg risk comes from: everyday paths or rare events, in which scenario, how probable, and what drives them; and how the paths were drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.report.blocks import Block, Line, Strong, Table, Text, Told, n, num, told
from amo_opt.report.labels import component_words
from amo_opt.report.wording import Scale, listed, metric_of, paths_of, scale_for
from amo_opt.search.rule import PEG
from amo_opt.wording import NOT_KNOWN, clean, interval, significant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amo_opt.config.study import Study
    from amo_opt.report.account import Account
    from amo_opt.report.sets import Subject
    from amo_opt.scoring.parts import Kind, RiskPart
    from amo_opt.scoring.types import Estimate
    from amo_opt.search.result import Result
    from amo_opt.search.tails import Doubt
    from amo_opt.stress.tilts import Design

BP, SHARE = Scale(1.0, 1, "bp"), Scale(100.0, 0, "%")
KINDS: Mapping[Kind, str] = {"all": "all paths", "everyday": "everyday", "events": "rare events"}
MOST_NAMED = 2
"""Scenarios whose events a sentence names, those that weigh most."""
UNSEEN = 0.05
"""What has not happened on n paths happens on fewer than about 3 in n, with 95% confidence: 1 − 0.05^(1/n)."""


def risk_blocks(of: Account) -> list[Block]:
    """The parts of the current and of the shown set, a table each, as far as they ran on holdout paths."""
    found: list[Block] = []
    heads = ("Scenario", "Paths", num("Peg risk, bp (95%)"), num("Share, % (95%)"), num("Chance a path (95%)"), n("n in the tail"))
    for label, candidate in (("Current", of.subject.current), (of.subject.label, of.subject.other)):
        parts = () if candidate is None else of.result.risk_parts.get(candidate.id, ())
        if parts:
            sentence = Text(Strong(f"{label}."), f" {risk_sentence(parts, designs_of(of.result, 'holdout'))}")
            found += [sentence, Table(heads, map(_row, parts), label="Parts of the peg risk", narrow=True)]
    return found


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


def _row(part: RiskPart) -> tuple[Line, ...]:
    """One part; its figures are withheld where too few paths are behind it."""
    peg, share = BP.told(part.contribution), SHARE.told(part.share)
    return (
        clean(part.scenario),
        KINDS[part.kind],
        told(part.contribution, peg),
        Told(share.number(part.share.value) if part.known else NOT_KNOWN, share.interval(part.share)),
        None if part.chance is None else Told(_chance(part.chance), interval(part.chance.interval, _percent)),
        paths_of(part.contribution),
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
    named: list[str] = []
    driven = ""
    for each in sorted(events, key=lambda each: -each.contribution.value)[:MOST_NAMED]:
        driver = driver_words(designs.get(each.scenario)) if each.known else ""
        named.append(_event(each) + (", likewise" if driver and driver == driven else driver))
        driven = driver
    return f"Of a peg risk of {BP.text(total)}, {BP.text(total - rare)} is everyday and {BP.text(rare)}{share} comes from rare events: {'; '.join(named)}."


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
    parts = "; ".join(
        f"{_percent(unseen_chance(n))} in {listed(names) if len(by_n) > 1 else 'each scenario'}" for n, names in sorted(by_n.items())
    )
    return f"Events with another driver are not excluded up to 3/n₀ a path, n₀ those drawn: {parts}."


# -- whether the tail is settled: everything that certification left open (`search.tails`), what was seen and what would settle it

MORE = "more paths ([certification] multiple and most_paths)"


def tail_words(result: Result) -> str:
    """Everything that certification left open; empty where nothing is."""
    return " ".join(doubt_words(each, result.study) for each in result.tails.doubts)


def doubt_words(doubt: Doubt, study: Study) -> str:
    """What was seen, and what would settle it."""
    if doubt.kind == "not known":
        n = f"{paths_per_scenario(study):,}"
        return f"Whether the tail is settled is not known: n = {n} drawn paths a scenario are too few for an interval; {MORE} would tell."
    whose = "the current set" if doubt.set == "current" else clean(doubt.set)
    what = f"the difference in peg risk between {whose} and the current set" if doubt.difference else f"the peg risk of {whose}"
    scale = scale_for(metric_of(PEG, study.state.unit).unit, (doubt.found.value,)).told(doubt.found)
    found = _told(doubt.found, scale, signed=doubt.difference)
    if doubt.kind == "at the cap" and doubt.tolerance is not None:
        way = (
            "no number of paths that a study may ask for would tell them apart, if it is as seen"
            if doubt.needed is None
            else f"about {doubt.needed:,} would tell them apart, if it is as seen"
        )
        return f"The holdout does not tell {what}, {found}, from the tolerance of {scale.text(doubt.tolerance)} on as many paths as the study allows ([certification] most_paths = {doubt.cap:,} a scenario): {way}."
    if doubt.kind == "apart" and doubt.seen is not None:
        seen = _told(doubt.seen, scale, signed=doubt.difference)
        return f"Selection and holdout paths disagree on {what}: {seen} against {found}, further apart than the intervals allow for. A rare path may decide it, which only some paths hold: {MORE} would settle it."
    share = Scale(100.0, 0, "%").text(doubt.found.largest_share or 0.0)
    return f"One holdout path holds {share} of the variance of {what}, {found}, so the interval hangs on its having been drawn: {MORE} would settle it."


def paths_per_scenario(study: Study) -> int:
    """Certification's drawn paths of each scenario, for selection, and the fewest as holdout."""
    return study.simulation.paths * study.certification.multiple


def unseen_chance(n: int) -> float:
    """The most an event may happen, as a chance a path, and yet stay unseen on ``n`` paths one time in twenty."""
    return float(1.0 - UNSEEN ** (1.0 / n))


def _told(found: Estimate, scale: Scale, *, signed: bool) -> str:
    """``+2.0 bp (1.7 to 2.4)``."""
    return f"{scale.text(found.value, signed=signed)} ({scale.interval(found, signed=signed)})"
